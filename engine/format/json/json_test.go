package json

import (
	"bytes"
	stdjson "encoding/json"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/cockroachdb/datadriven"

	"velostream/catalog/types"
	"velostream/engine/format"
	"velostream/pgwire/pgerror"
)

var typeOf = map[string]types.Type{
	"bool": types.Bool, "int2": types.Int2, "int4": types.Int4, "int8": types.Int8, "float4": types.Float4, "float8": types.Float8,
	"numeric": types.Numeric, "text": types.Text, "varchar(3)": {OID: types.OIDVarchar, Mod: 7}, "char(5)": {OID: types.OIDBpchar, Mod: 9},
	"numeric(8,2)": {OID: types.OIDNumeric, Mod: 8<<16 | 2 + 4}, "timestamp": types.Timestamp, "timestamptz": types.Timestamptz,
	"date": types.Date, "time": types.Time, "uuid": types.UUID, "json": types.JSON, "jsonb": types.JSONB, "bytea": types.Bytea,
	"interval": types.IntervalT, "int4[]": {OID: 1007, Mod: -1}, "text[]": {OID: 1009, Mod: -1}, "numeric[]": {OID: 1231, Mod: -1},
}

// fieldsOf reads "name type [notnull] [whole] [time=format]" lines.
func fieldsOf(t testing.TB, lines string) (fields []format.Field) {
	for line := range strings.Lines(lines) {
		w := strings.Fields(line)
		if len(w) < 2 {
			continue
		}
		typ, ok := typeOf[w[1]]
		if !ok {
			t.Fatalf("type %q", w[1])
		}
		f := format.Field{Name: w[0], Type: typ}
		for _, o := range w[2:] {
			switch name, value, _ := strings.Cut(o, "="); name {
			case "notnull":
				f.NotNull = true
			case "whole":
				f.Whole = true
			case "path":
				f.Path = strings.Split(value, "/")
			case "time":
				var err error
				if f.Time, err = format.ParseTimeFormat(strings.ReplaceAll(value, "_", " ")); err != nil {
					t.Fatal(err)
				}
			}
		}
		fields = append(fields, f)
	}
	return fields
}

func show(fields []format.Field, rows *format.Rows, i int) string {
	var out []string
	for j, f := range fields {
		d := rows.Cols[j].Datum(i)
		if d.Null {
			out = append(out, "NULL")
			continue
		}
		out = append(out, string(types.AppendText(nil, f.Type, d, nil)))
	}
	return strings.Join(out, " | ")
}

// TestDecode runs testdata/decode: the command's arguments are fields, in
// lines up to ----; each further line is a value.
func TestDecode(t *testing.T) {
	datadriven.Walk(t, "testdata/decode", func(t *testing.T, path string) {
		datadriven.RunTest(t, path, func(t *testing.T, td *datadriven.TestData) string {
			head, values, _ := strings.Cut(td.Input, "\n--\n")
			fields := fieldsOf(t, head)
			d, err := New(fields, Options{CaseSensitive: td.HasArg("case-sensitive")})
			if err != nil {
				return err.Error()
			}
			rows := format.NewRows(fields, 4)
			var out strings.Builder
			for line := range strings.Lines(values) {
				before := rows.N
				if err := d.Decode([]byte(strings.TrimSuffix(line, "\n")), rows); err != nil {
					e := pgerror.From(err)
					fmt.Fprintf(&out, "%s: %s %s\n", e.Code, e.Message, e.Detail)
					if rows.N != before {
						t.Fatal("a row was left behind")
					}
					for i, c := range rows.Cols {
						if c.Len() != before {
							t.Fatalf("column %d: %d values, want %d", i, c.Len(), before)
						}
					}
					continue
				}
				fmt.Fprintln(&out, show(fields, rows, rows.N-1))
			}
			return out.String()
		})
	})
}

// FuzzDecode compares with encoding/json.
func FuzzDecode(f *testing.F) {
	for _, s := range []string{
		`{"a":1,"b":"x","c":1.50,"d":true,"e":{"f":"y"},"g":[1,2]}`, `{"a":-0,"b":"\u00e9\ud83d\ude00\n","c":1e3}`, `{"A":12,"a":null}`,
		`{}`, `[]`, `{"a":01}`, `{"b":"` + "\xff" + `"}`, `{"a":9223372036854775807,"c":-1.25E-2}`, ` { "a" : 1 , "z" : [ { } , null ] } `,
	} {
		f.Add([]byte(s))
	}
	fields := []format.Field{
		{Name: "a", Type: types.Int8},
		{Name: "b", Type: types.Text},
		{Name: "c", Type: types.Float8},
		{Name: "d", Type: types.Bool},
		{Name: "e.f", Type: types.Text},
		{Name: "g", Type: types.Type{OID: 1016, Mod: -1}},
		{Name: "c2", Path: []string{"c"}, Type: types.Numeric},
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		// With nothing wanted, a record is refused for its syntax only.
		none, _ := New(nil, Options{})
		valid := stdjson.Valid(b) && utf8.Valid(b) && bytes.TrimLeft(b, " \t\r\n")[0] == '{'
		if err := none.Decode(b, &format.Rows{}); (err == nil) != valid && !bytes.Contains(b, []byte(`\u`)) && len(b) < maxDepth {
			t.Fatalf("%q: %v, encoding/json says %v", b, err, valid)
		}
		d, _ := New(fields, Options{CaseSensitive: true})
		rows := format.NewRows(fields, 1)
		for range 2 { // the second time by the remembered shape
			rows.Reset()
			err := d.Decode(b, rows)
			var obj map[string]stdjson.RawMessage
			want := stdjson.Unmarshal(b, &obj)
			if err != nil {
				if pgerror.Code(err) == pgerror.InternalError {
					t.Fatal(err)
				}
				continue
			}
			if want != nil || obj == nil {
				t.Fatalf("%q accepted, encoding/json: %v", b, want)
			}
			check(t, rows, obj, b)
		}
	})
}

func check(t *testing.T, rows *format.Rows, obj map[string]stdjson.RawMessage, b []byte) {
	t.Helper()
	if raw := obj["b"]; len(raw) > 0 && raw[0] == '"' {
		var s string
		if err := stdjson.Unmarshal(raw, &s); err != nil || s != string(rows.Cols[1].Bytes(0)) {
			t.Fatalf("%q: b is %q, want %q %v", b, rows.Cols[1].Bytes(0), s, err)
		}
	}
	if raw := string(obj["c"]); raw != "" && raw != "null" && raw[0] != '"' {
		v, _ := strconv.ParseFloat(raw, 64)
		if v != rows.Cols[2].Floats[0] {
			t.Fatalf("%q: c is %v, want %v", b, rows.Cols[2].Floats[0], v)
		}
		want, err := types.ParseDecimal(raw)
		if got := rows.Cols[6].Decs[0]; err != nil || got.Cmp(want) != 0 || got.String() != want.String() {
			t.Fatalf("%q: numeric is %v, want %v %v", b, got, want, err)
		}
	}
	if raw := string(obj["a"]); raw != "" && raw != "null" && !strings.ContainsAny(raw, "\".eE") {
		if v, err := strconv.ParseInt(raw, 10, 64); err != nil || v != rows.Cols[0].Ints[0] {
			t.Fatalf("%q: a is %v, want %v %v", b, rows.Cols[0].Ints[0], v, err)
		}
	}
}

const trade = `{"symbol":"AAPL","trade_id":18273645,"price":189.4350,"quantity":250,"side":"BUY","venue":"XNAS","trader_id":"t-0042","ts":"2025-01-31T12:34:56.789012Z"}`

const tradeFields = `symbol text
trade_id int8
price numeric
quantity int8
side text
venue text
trader_id text
ts timestamptz`

func BenchmarkDecode(b *testing.B) {
	all := fieldsOf(b, tradeFields)
	for name, fields := range map[string][]format.Field{
		"all": all, "3of8": {all[0], all[2], all[7]},
	} {
		b.Run(name, func(b *testing.B) {
			d, _ := New(fields, Options{})
			rows := format.NewRows(fields, 4096)
			v := []byte(trade)
			b.SetBytes(int64(len(v)))
			b.ReportAllocs()
			for b.Loop() {
				if rows.N == 4096 {
					rows.Reset()
				}
				if err := d.Decode(v, rows); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkVaried decodes trades that differ, as they do in life: nothing is
// learned by the branch predictor that would not hold there.
func BenchmarkVaried(b *testing.B) {
	all := fieldsOf(b, strings.Replace(tradeFields, "ts ", "event_time ", 1))
	rng := rand.New(rand.NewPCG(1, 2))
	var values [][]byte
	for i := range 5000 {
		values = append(values, fmt.Appendf(nil, `{"symbol":"%s","trade_id":%d,"price":%d.%02d,"quantity":%d,"side":"%s","venue":"XNAS","trader_id":"t-%04d","event_time":"2025-01-31T12:%02d:%02d.%03dZ"}`,
			"ABCDEFGH"[:1+rng.IntN(5)], i*1024, rng.IntN(1000), rng.IntN(100), 10*rng.IntN(1000), []string{"BUY", "SELL"}[rng.IntN(2)], rng.IntN(1000), rng.IntN(60), rng.IntN(60), rng.IntN(1000)))
	}
	for name, fields := range map[string][]format.Field{
		"all": all, "3of8": {all[0], all[2], all[7]},
	} {
		b.Run(name, func(b *testing.B) {
			d, _ := New(fields, Options{})
			rows := format.NewRows(fields, 4096)
			i := 0
			for b.Loop() {
				if rows.N == 4096 {
					rows.Reset()
				}
				if err := d.Decode(values[i], rows); err != nil {
					b.Fatal(err)
				}
				if i++; i == len(values) {
					i = 0
				}
			}
		})
	}
}

func TestNoAllocations(t *testing.T) {
	fields := fieldsOf(t, tradeFields)
	d, _ := New(fields, Options{})
	rows := format.NewRows(fields, 4096)
	v := []byte(trade)
	for range 100 {
		_ = d.Decode(v, rows)
	}
	rows.Reset()
	if n := testing.AllocsPerRun(50, func() { _ = d.Decode(v, rows) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}
