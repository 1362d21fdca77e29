package types

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// numericEdges are operands of every numeric operation.
var numericEdges = []string{
	"0", "0.000", "1", "1.0", "-1", "0.5", "-0.5", "2", "3", "7", "10", "0.1", "0.01", "1.50", "-2.75", "9.99", "99.995", "100", "9999", "10000", "10001", "0.0001", "0.00012345", "12345.6789", "-123456789.123456789",
	"999999999999999999", "1000000000000000000", "9223372036854775807", "-9223372036854775808", "12345678901234567890.1234567890", "0.000000000000000000000001", "1e30", "1e-30", "3.14159265358979323846", "NaN", "Infinity", "-Infinity",
}

var numericBinary = map[string]string{
	"add": "a + b", "sub": "a - b", "mul": "a * b", "div": "a / b", "mod": "a % b", "quo": "div(a, b)", "cmp": "(a > b)::int - (a < b)::int", "pow": "power(a, b)", "log": "log(a, b)", "gcd": "gcd(a, b)",
}

var numericUnary = map[string]string{
	"neg": "-a", "abs": "abs(a)", "sqrt": "sqrt(a)", "exp": "exp(a)", "ln": "ln(a)", "log10": "log(a)", "ceil": "ceil(a)", "floor": "floor(a)", "round0": "round(a)", "round2": "round(a, 2)", "roundm2": "round(a, -2)", "round30": "round(a, 30)",
	"trunc0": "trunc(a)", "trunc1": "trunc(a, 1)", "truncm1": "trunc(a, -1)", "int8": "a::int8", "int4": "a::int4", "int2": "a::int2", "float8": "a::float8", "float4": "a::float4", "minscale": "min_scale(a)", "trim": "trim_scale(a)", "sign": "sign(a)",
}

// randomNumeric has up to digits digits before and scale after the point.
func randomNumeric(r *rand.Rand, digits, scale int) string {
	var b strings.Builder
	if r.IntN(2) == 0 {
		b.WriteByte('-')
	}
	for range 1 + r.IntN(digits) {
		b.WriteByte(byte('0' + r.IntN(10)))
	}
	if n := r.IntN(scale + 1); n > 0 {
		b.WriteByte('.')
		for range n {
			b.WriteByte(byte('0' + r.IntN(10)))
		}
	}
	return b.String()
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

func numericCases(seed uint64, n int) []pgCase {
	var cases []pgCase
	binary := func(op, a, b string) {
		sql := fmt.Sprintf("SELECT %s FROM (SELECT '%s'::numeric AS a, '%s'::numeric AS b) x", numericBinary[op], a, b)
		cases = append(cases, pgCase{fields: []string{op, a, b}, sql: sql})
	}
	unary := func(op, a string) {
		sql := fmt.Sprintf("SELECT %s FROM (SELECT '%s'::numeric AS a) x", numericUnary[op], a)
		cases = append(cases, pgCase{fields: []string{op, a}, sql: sql})
	}
	r := rand.New(rand.NewPCG(seed, 1))
	ops := sortedKeys(numericBinary)
	for _, op := range ops {
		for i, a := range numericEdges {
			for j, b := range numericEdges {
				// All pairs of a few operations, a third of the others.
				if op == "pow" && len(b) > 3 && !strings.Contains(b, ".") {
					continue // results of thousands of digits
				}
				if op == "add" || op == "div" || (i+j)%3 == 0 {
					binary(op, a, b)
				}
			}
		}
		for range n {
			switch op {
			case "pow", "log":
				a, b := strings.TrimPrefix(randomNumeric(r, 6, 8), "-"), randomNumeric(r, 2, 4)
				if op == "log" {
					b = strings.TrimPrefix(b, "-")
				}
				binary(op, a, b)
			default:
				binary(op, randomNumeric(r, 1+r.IntN(30), r.IntN(20)), randomNumeric(r, 1+r.IntN(30), r.IntN(20)))
			}
		}
	}
	for _, op := range sortedKeys(numericUnary) {
		for _, a := range numericEdges {
			unary(op, a)
		}
		for range n {
			a := randomNumeric(r, 1+r.IntN(20), r.IntN(20))
			if op == "exp" {
				a = randomNumeric(r, 2, 10)
			}
			unary(op, a)
		}
	}
	return cases
}

func decimalOf(t *testing.T, s string) Decimal {
	t.Helper()
	d, err := ParseDecimal(s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func runNumeric(t *testing.T, c pgCase) (string, error) {
	a := decimalOf(t, c.fields[1])
	num := func(d Decimal, err error) (string, error) { return both(Numeric, DecimalDatum(d), nil), err }
	if len(c.fields) == 3 {
		b := decimalOf(t, c.fields[2])
		switch c.fields[0] {
		case "add":
			return num(a.Add(b))
		case "sub":
			return num(a.Sub(b))
		case "mul":
			return num(a.Mul(b))
		case "div":
			return num(a.Div(b))
		case "mod":
			return num(a.Mod(b))
		case "quo":
			return num(a.QuoInt(b))
		case "pow":
			return num(a.Pow(b))
		case "log":
			return num(b.Log(a))
		case "gcd":
			return num(a.GCD(b), nil)
		case "cmp":
			return both(Int4, IntDatum(int64(a.Cmp(b))), nil), nil
		}
	}
	cast := func(to Type) (string, error) {
		d, err := CastDatum(Numeric, to, DecimalDatum(a), nil)
		return both(to, d, nil), err
	}
	switch c.fields[0] {
	case "neg":
		return num(a.Neg(), nil)
	case "abs":
		return num(a.Abs(), nil)
	case "sqrt":
		return num(a.Sqrt())
	case "exp":
		return num(a.Exp())
	case "ln":
		return num(a.Ln())
	case "log10":
		return num(a.Log10())
	case "ceil":
		return num(a.Ceil(), nil)
	case "floor":
		return num(a.Floor(), nil)
	case "round0":
		return num(a.Round(0), nil)
	case "round2":
		return num(a.Round(2), nil)
	case "roundm2":
		return num(a.Round(-2), nil)
	case "round30":
		return num(a.Round(30), nil)
	case "trunc0":
		return num(a.Trunc(0), nil)
	case "trunc1":
		return num(a.Trunc(1), nil)
	case "truncm1":
		return num(a.Trunc(-1), nil)
	case "int8":
		return cast(Int8)
	case "int4":
		return cast(Int4)
	case "int2":
		return cast(Int2)
	case "float8":
		return cast(Float8)
	case "float4":
		return cast(Float4)
	case "minscale":
		if !a.IsFinite() {
			return "NULL", nil
		}
		return both(Int4, IntDatum(int64(a.MinScale())), nil), nil
	case "trim":
		return num(a.Normal(), nil)
	case "sign":
		if a.IsNaN() {
			return num(a, nil)
		}
		return num(FromInt64(int64(a.Sign())), nil)
	}
	t.Fatalf("no operation %q", c.fields[0])
	return "", nil
}

func TestPostgresNumeric(t *testing.T) {
	checkPostgres(t, "numeric.txt", numericCases(1, 40), func(c pgCase) (string, error) { return runNumeric(t, c) })
}

// aggCases are sums, means and deviations of small sets.
func aggCases(seed uint64, n int) []pgCase {
	sets := []string{"1", "1,2", "1.5,2.25,-3", "0.1,0.2,0.3", "1,1,1,1", "NaN,1", "Infinity,1", "Infinity,-Infinity", "-Infinity,2", "1e20,-1e20,1", "9223372036854775807,9223372036854775807", "0.00,0.000", "100.10,100.20,100.30,100.40"}
	r := rand.New(rand.NewPCG(seed, 2))
	for range n {
		var vs []string
		digits, scale := 1+r.IntN(25), r.IntN(12)
		for range 1 + r.IntN(12) {
			vs = append(vs, randomNumeric(r, digits, scale))
		}
		sets = append(sets, strings.Join(vs, ","))
	}
	var cases []pgCase
	for _, s := range sets {
		for _, op := range []string{"sum", "avg", "var_samp", "var_pop", "stddev_samp", "stddev_pop"} {
			cases = append(cases, pgCase{fields: []string{op, s}, sql: "SELECT " + op + "(v) FROM unnest('{" + s + "}'::numeric[]) v"})
		}
	}
	return cases
}

func TestPostgresAggregates(t *testing.T) {
	checkPostgres(t, "aggregates.txt", aggCases(1, 60), func(c pgCase) (string, error) {
		var sum SumAcc
		var dev VarAcc
		extra := decimalOf(t, "-123456789012345678901234567890.0123456789012345678901")
		sum.Add(extra) // in and out again: retraction leaves nothing behind
		dev.Add(extra)
		for s := range strings.SplitSeq(c.fields[1], ",") {
			sum.Add(decimalOf(t, s))
			dev.Add(decimalOf(t, s))
		}
		sum.Sub(extra)
		dev.Sub(extra)
		sum, rest, err := DecodeSumAcc(sum.AppendBinary(nil))
		if err != nil || len(rest) != 0 {
			t.Fatal(err, rest)
		}
		if dev, rest, err = DecodeVarAcc(dev.AppendBinary(nil)); err != nil || len(rest) != 0 {
			t.Fatal(err, rest)
		}
		var d Decimal
		ok := true
		switch c.fields[0] {
		case "sum":
			d, err = sum.Sum()
		case "avg":
			d, err = sum.Avg()
		case "var_samp", "var_pop":
			d, ok, err = dev.Variance(c.fields[0] == "var_samp")
		default:
			d, ok, err = dev.Stddev(c.fields[0] == "stddev_samp")
		}
		if !ok {
			return "NULL", err
		}
		return both(Numeric, DecimalDatum(d), nil), err
	})
}

func TestPostgresFloatCasts(t *testing.T) {
	var cases []pgCase
	for _, v := range append([]string{"1e400", "123456.789e3", "0.1", "1e-7", "12345678.125", "2.5", "3.5", "-2.5", "1e10", "32767.5", "2147483647.5", "9.2233720368547758e18", "1e39", "1e-50", "Infinity", "-0", "1234567890123456789"}, floatInputs...) {
		for _, to := range []string{"numeric", "int2", "int4", "int8", "float4", "text"} {
			cases = append(cases, pgCase{fields: []string{"float8", to, v}, sql: "SELECT '" + v + "'::float8::" + to})
		}
		cases = append(cases, pgCase{fields: []string{"float4", "numeric", v}, sql: "SELECT '" + v + "'::float4::numeric"})
		cases = append(cases, pgCase{fields: []string{"float4", "float8", v}, sql: "SELECT '" + v + "'::float4::float8"})
	}
	for _, v := range []string{"0", "1", "-1", "40000", "3000000000"} {
		for _, to := range []string{"int2", "int4", "oid", "float4", "numeric", "text", "varchar(2)"} {
			cases = append(cases, pgCase{fields: []string{"int8", to, v}, sql: "SELECT '" + v + "'::int8::" + to})
		}
	}
	for _, v := range []string{`1.5`, `"a"`, `true`, `null`, `[1]`, `{}`, `1e10`} {
		for _, to := range []string{"int4", "numeric", "bool", "float8", "text", "json"} {
			cases = append(cases, pgCase{fields: []string{"jsonb", to, v}, sql: "SELECT '" + v + "'::jsonb::" + to})
		}
	}
	for _, v := range []string{"2001-02-03 04:05:06.7", "infinity", "294276-12-31 23:59:59", "4713-01-01 BC"} {
		for _, to := range []string{"date", "time", "timestamptz", "text", "timestamp(0)"} {
			cases = append(cases, pgCase{fields: []string{"timestamp", to, v}, sql: "SELECT '" + v + "'::timestamp::" + to})
		}
	}
	for _, v := range []string{"2001-02-03", "infinity", "5874897-12-31", "294276-12-31", "294277-01-01"} {
		for _, to := range []string{"timestamp", "timestamptz"} {
			cases = append(cases, pgCase{fields: []string{"date", to, v}, sql: "SELECT '" + v + "'::date::" + to})
		}
	}
	for _, v := range []string{"1 day 25:00:00", "-1:00", "-25:00", "1 mon"} {
		cases = append(cases, pgCase{fields: []string{"interval", "time", v}, sql: "SELECT '" + v + "'::interval::time"})
	}
	checkPostgres(t, "casts.txt", cases, func(c pgCase) (string, error) {
		from, to := parseTypeName(t, c.fields[0]), parseTypeName(t, c.fields[1])
		d, err := DecodeText(from, []byte(c.fields[2]), nil)
		if err == nil {
			d, err = CastDatum(from, to, d, nil)
		}
		if err != nil {
			return "", err
		}
		return both(to, d, nil), nil
	})
}
