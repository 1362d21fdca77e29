package expr

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"velostream/catalog/types"
	"velostream/storage/column"
)

// generator makes random typed expressions: values of the pools (and NULL), functions,
// operators, casts, arrays and the special forms, to a depth.
type generator struct {
	r      *rand.Rand
	byTo   map[types.OID][]*Function
	values []types.OID // the types of those of the expression, which calls them v_1, v_2, …
	swaps  bool        // PostgreSQL computes some second operand of the expression before the first
}

// elements are the element types of the arrays that are made.
var elements = map[types.OID]types.OID{1007: types.OIDInt4, 1009: types.OIDText}

func newGenerator(seed uint64) *generator {
	g := &generator{r: rand.New(rand.NewPCG(seed, 6)), byTo: map[types.OID][]*Function{}}
next:
	for _, f := range Functions() {
		if f.Volatility == Volatile || f.Variadic || len(f.Args) == 0 || unlike[f.Name] || strings.HasPrefix(f.Name, "any_") ||
			strings.HasPrefix(f.Name, "all_") || strings.HasPrefix(f.Name, "has_") || strings.HasPrefix(f.Name, "pg_") || strings.HasPrefix(f.Name, "to_reg") {
			continue
		}
		for array, elem := range elements { // what a polymorphic function is for each
			c := *f
			c.Ret, c.Args = concrete(f.Ret, array, elem), slices.Clone(f.Args)
			for i, a := range c.Args {
				if c.Args[i] = concrete(a, array, elem); pools[c.Args[i]] == nil {
					continue next
				}
			}
			if pools[c.Ret] != nil {
				g.byTo[c.Ret] = append(g.byTo[c.Ret], &c)
			}
			if c.Ret == f.Ret && slices.Equal(c.Args, f.Args) {
				break
			}
		}
	}
	for _, fns := range g.byTo { // the order of a map is none
		slices.SortStableFunc(fns, func(a, b *Function) int { return cmp.Compare(fmt.Sprint(a.Args), fmt.Sprint(b.Args)) })
	}
	return g
}

// concrete is a polymorphic type with the array type and its element.
func concrete(o, array, elem types.OID) types.OID {
	switch o {
	case types.OIDAnyElement, OIDAnyNonArray, OIDAnyCompatible:
		return elem
	case types.OIDAnyArray, OIDAnyCompatibleArray:
		return array
	default:
		return o
	}
}

func (g *generator) typeName(o types.OID) string {
	if n := map[types.OID]string{types.OIDBpchar: "bpchar", types.OIDBit: `"bit"`, types.OIDVarbit: "varbit", types.OIDTimestamp: "timestamp", types.OIDTimestamptz: "timestamptz", types.OIDTime: "time"}[o]; n != "" {
		return n
	}
	return strings.ReplaceAll(typeName(o), "double precision", "float8")
}

func (g *generator) value(o types.OID) string {
	g.values = append(g.values, o)
	return fmt.Sprintf("v_%d", len(g.values))
}

// literal is a value of the pool, or NULL.
func (g *generator) literal(o types.OID) string {
	v := "NULL"
	if g.r.IntN(10) > 0 {
		p := pools[o]
		v = "'" + strings.ReplaceAll(p[g.r.IntN(len(p))], "'", "''") + "'"
	}
	return fmt.Sprintf("(%s::%s)", v, g.typeName(o))
}

func (g *generator) pick(of ...string) string { return of[g.r.IntN(len(of))] }

func (g *generator) oneOf(of ...types.OID) types.OID { return of[g.r.IntN(len(of))] }

// zones are some where clocks go back and forth.
var zones = []string{"UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "+05:30"}

// special makes an expression of type o that is no call; "" for none.
func (g *generator) special(o types.OID, depth int) string {
	sub := func(o types.OID) string { return g.expr(o, depth-1) }
	switch g.r.IntN(6) {
	case 0:
		return fmt.Sprintf("(CASE WHEN %s THEN %s ELSE %s END)", sub(types.OIDBool), sub(o), sub(o))
	case 1:
		of := g.oneOf(types.OIDInt4, types.OIDText, types.OIDNumeric)
		return fmt.Sprintf("(CASE %s WHEN %s THEN %s WHEN %s THEN %s END)", sub(of), sub(of), sub(o), sub(of), sub(o))
	case 2:
		return fmt.Sprintf("coalesce(%s, %s, %s)", sub(o), sub(o), sub(o))
	case 3:
		if o != types.OIDJSON {
			return fmt.Sprintf("%s(%s, %s)", g.pick("greatest", "least", "nullif"), sub(o), sub(o))
		}
	}
	switch of := elements[o]; {
	case of != 0 && g.r.IntN(2) == 0:
		return fmt.Sprintf("(ARRAY[%s, %s, %s])", sub(of), sub(of), sub(of))
	case of != 0:
		g.swaps = true // the upper bound is computed before the lower one
		return fmt.Sprintf("((%s)[%s:%s])", sub(o), sub(types.OIDInt4), sub(types.OIDInt4))
	}
	switch o {
	case types.OIDInt4, types.OIDText:
		for array, elem := range elements {
			if elem == o {
				return fmt.Sprintf("((%s)[%s])", sub(array), sub(types.OIDInt4))
			}
		}
	case types.OIDTimestamp:
		return fmt.Sprintf("(%s AT TIME ZONE '%s')", sub(types.OIDTimestamptz), g.pick(zones...))
	case types.OIDTimestamptz:
		return fmt.Sprintf("(%s AT TIME ZONE '%s')", sub(types.OIDTimestamp), g.pick(zones...))
	case types.OIDBool:
		return g.condition(depth)
	default:
	}
	return ""
}

// condition makes a comparison, a test, or a combination of them.
func (g *generator) condition(depth int) string {
	of := g.oneOf(types.OIDInt4, types.OIDInt8, types.OIDNumeric, types.OIDFloat8, types.OIDFloat4, types.OIDText, types.OIDDate, types.OIDTime,
		types.OIDTimestamp, types.OIDTimestamptz, types.OIDInterval, types.OIDJSONB, types.OIDBytea, types.OIDUUID, 1007, 1009)
	sub := func(o types.OID) string { return g.expr(o, depth-1) }
	switch g.r.IntN(8) {
	case 0, 1:
		return fmt.Sprintf("(%s %s %s)", sub(of), g.pick("=", "<>", "<", ">=", "IS DISTINCT FROM", "IS NOT DISTINCT FROM"), sub(of))
	case 2:
		return fmt.Sprintf("(%s %sIN (%s, %s, %s))", sub(of), g.pick("", "NOT "), sub(of), sub(of), sub(of))
	case 3:
		return fmt.Sprintf("(%s %sBETWEEN %s AND %s)", sub(of), g.pick("", "NOT "), sub(of), sub(of))
	case 4:
		return fmt.Sprintf("(%s IS %sNULL)", sub(of), g.pick("", "NOT "))
	case 5:
		return fmt.Sprintf("(%s IS %s%s)", sub(types.OIDBool), g.pick("", "NOT "), g.pick("TRUE", "FALSE", "UNKNOWN"))
	case 6:
		return fmt.Sprintf("(NOT %s)", sub(types.OIDBool))
	}
	return fmt.Sprintf("(%s %s %s)", sub(types.OIDBool), g.pick("AND", "OR"), sub(types.OIDBool))
}

// expr makes an expression of type o.
func (g *generator) expr(o types.OID, depth int) string {
	if depth == 0 || g.r.IntN(6) == 0 {
		return g.value(o)
	}
	switch g.r.IntN(9) {
	case 0, 1, 2:
		if e := g.special(o, depth); e != "" {
			return e
		}
	case 3:
		from := g.oneOf(types.OIDInt2, types.OIDInt4, types.OIDNumeric, types.OIDFloat4, types.OIDFloat8, types.OIDText, types.OIDDate, types.OIDTime, types.OIDTimestamp,
			types.OIDTimestamptz, types.OIDInterval, types.OIDJSONB, types.OIDInt8, 1007, 1009)
		return fmt.Sprintf("(%s::%s)", g.expr(from, depth-1), g.typeName(o))
	}
	fns := g.byTo[o]
	if len(fns) == 0 {
		return g.value(o)
	}
	f := fns[g.r.IntN(len(fns))]
	g.swaps = g.swaps || swapsOperands(f)
	args := make([]string, len(f.Args))
	for i, a := range f.Args {
		args[i] = g.expr(a, depth-1)
	}
	switch {
	case f.Operator && len(args) == 1:
		return "(" + f.Name + " " + args[0] + ")"
	case f.Operator:
		return "(" + args[0] + " " + f.Name + " " + args[1] + ")"
	}
	return f.Name + "(" + strings.Join(args, ", ") + ")"
}

// posixZone, noZone and otherEncoding are errors of ours for texts that PostgreSQL takes; they
// are differences on purpose.
var (
	posixZone     = regexp.MustCompile(`^!22023 time zone "[^"]*[0-9][^"]*" not recognized`)
	noZone        = regexp.MustCompile(`^!22007 invalid input syntax for type time: "[0-9]{4,6}-"$`)
	otherEncoding = regexp.MustCompile(`(?i)^!22023 invalid (source |destination )?encoding name "a,?b,?c"`) // WIN1258
)

// micros are the digits of an interval that come of the last digits of a double.
var micros = regexp.MustCompile(`(\.[0-9]{3})[0-9]*`)

// inexact are functions of the C library, whose last digits may be others; digits are numbers
// with so many that these show.
var (
	inexact = regexp.MustCompile(`\b(cbrt|exp|ln|log10|log|pow|power|degrees|(a|co|)(sin|cos|tan|cot)(d|h|)|atan2d?)\(|\|\|/|\^ `)
	digits  = regexp.MustCompile(`-?([0-9]+\.[0-9]{2,}|[0-9]{15,})(e[-+][0-9]+)?`)
)

// differs reports an expression for which PostgreSQL differs on purpose, or answers in an
// order that is no one's rule.
func (g *generator) differs(in, got, want string) bool {
	switch {
	case posixZone.MatchString(got), otherEncoding.MatchString(got), noZone.MatchString(got):
		return true
	case strings.Contains(in, "right(") && strings.Contains(in, "'-2147483648'"): // its negation overflows
		return true
	case strings.HasPrefix(got, "!22025 LIKE pattern must not end"): // known before the pattern is matched
		return true
	// Its substring of three texts looks at the escape also where the text is NULL.
	case strings.HasPrefix(want, "!22025 invalid escape") && strings.Contains(in, "substring("):
		return true
	case g.swaps && got[0] == '!' && want[0] == '!': // another of several errors
		return true
	}
	switch n := len(inexact.FindAllString(in, -1)); n {
	case 0:
		return false
	case 1:
		if strings.HasPrefix(got, "interval: ") {
			return micros.ReplaceAllString(got, "$1") == micros.ReplaceAllString(want, "$1")
		}
		short := func(s string) string {
			f, _ := types.ParseFloat8(s)
			return strconv.FormatFloat(f, 'g', 9, 64)
		}
		return digits.ReplaceAllStringFunc(got, short) == digits.ReplaceAllStringFunc(want, short) ||
			got[0] == '!' && want[0] == '!' && digits.MatchString(got) && digits.MatchString(want)
	default: // one's last digit may be another's first
		return digits.MatchString(got) || digits.MatchString(want)
	}
}

// swapsOperands reports that PostgreSQL's f, written in SQL, computes its second operand first.
func swapsOperands(f *Function) bool {
	return f.Name == "+" && len(f.Args) == 2 && (f.Args[0] == types.OIDInterval && f.Args[1] != types.OIDInterval ||
		f.Args[1] == types.OIDDate || f.Args[0] == types.OIDTime && f.Args[1] != types.OIDInterval)
}

// TestOracleNested compares random nested expressions with the PostgreSQL that
// -postgres names, errors and NULL too. The values come from a row there, so that it computes
// only the branches it takes, in order.
func TestOracleNested(t *testing.T) {
	ask := oracle(t)
	g := newGenerator(*seed)
	targets := []types.OID{
		types.OIDBool, types.OIDInt2, types.OIDInt4, types.OIDInt8, types.OIDNumeric, types.OIDFloat4, types.OIDFloat8, types.OIDText, types.OIDDate, types.OIDTime,
		types.OIDTimestamp, types.OIDTimestamptz, types.OIDInterval, types.OIDJSONB, types.OIDBytea, 1007, 1009,
	}
	name := regexp.MustCompile(`\bv_[0-9]+\b`)
	number := func(v string) int { n, _ := strconv.Atoi(v[2:]); return n }
	wrong, compared := 0, 0
	for range 6000 {
		g.values, g.swaps = nil, false
		e := g.expr(targets[g.r.IntN(len(targets))], 3)
		rows := make([][]string, 3) // the middle one counts
		for i := range rows {
			for _, o := range g.values {
				rows[i] = append(rows[i], g.literal(o))
			}
		}
		in := name.ReplaceAllStringFunc(e, func(v string) string { return rows[1][number(v)-1] })
		var columns []string
		for i, v := range rows[1] {
			columns = append(columns, fmt.Sprintf("%s AS v_%d", v, i+1))
		}
		want := ask(e + " FROM (SELECT " + strings.Join(columns, ", ") + " OFFSET 0) AS v")
		if strings.HasPrefix(want, "!42") || strings.HasPrefix(want, "!0A000") {
			continue // not in PostgreSQL
		}
		compared++
		got := outcome(in)
		if column := g.vectorised(t, e, rows); column != got {
			t.Errorf("%s\n of columns %.300s\nof constants %.300s", in, column, got)
			wrong++
		}
		if got == want || g.differs(in, got, want) {
			continue
		}
		t.Errorf("%s\n got %.300s\nwant %.300s", in, got, want)
		if wrong++; wrong > 40 {
			break
		}
	}
	t.Logf("%d compared", compared)
}

// vectorised is outcome for the middle one of three rows, which alone is asked for.
func (g *generator) vectorised(t *testing.T, in string, rows [][]string) string {
	t.Helper()
	cols := map[string]*Col{}
	batch := &column.Batch{N: len(rows)}
	for i := range g.values {
		var c *column.Column
		for _, row := range rows {
			e, err := parseExpr(row[i], nil)
			if err != nil {
				t.Fatal(err)
			}
			d, err := EvalConst(e, testEnv)
			if err != nil {
				t.Fatal(err)
			}
			if c == nil {
				c = column.New(e.Type(), len(rows))
				cols[fmt.Sprintf("v_%d", i+1)] = &Col{Index: i, T: e.Type()}
			}
			c.Append(d)
		}
		batch.Cols = append(batch.Cols, c)
	}
	e, err := parseExpr(in, cols)
	if err != nil {
		return failure(err)
	}
	ev, err := Compile(Fold(e))
	if err != nil {
		return failure(err)
	}
	out, err := ev.Eval(testEnv, batch, []int32{1})
	if err != nil {
		return failure(err)
	}
	if i := out.At(1); !out.Null(i) {
		return typeName(e.Type().OID) + ": " + escapeLine(string(types.AppendText(nil, e.Type(), out.Datum(i), testEnv.Format)))
	}
	return typeName(e.Type().OID) + ": <null>"
}
