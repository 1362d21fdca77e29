package expr

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"velostream/catalog/types"
	"velostream/pgwire/pgerror"
	"velostream/storage/column"
)

// testColumns are the columns of the batches that these tests make.
var testColumns = map[string]*Col{
	"i4": {Index: 0, T: types.Int4, Name: "i4"}, "i8": {Index: 1, T: types.Int8, Name: "i8"},
	"f8": {Index: 2, T: types.Float8, Name: "f8"}, "num": {Index: 3, T: types.Numeric, Name: "num"},
	"txt": {Index: 4, T: types.Text, Name: "txt"}, "b": {Index: 5, T: types.Bool, Name: "b"},
	"tstz": {Index: 6, T: types.Timestamptz, Name: "tstz"}, "iv": {Index: 7, T: types.IntervalT, Name: "iv"},
	"js": {Index: 8, T: types.JSONB, Name: "js"}, "arr": {Index: 9, T: types.Type{OID: 1007, Mod: -1}, Name: "arr"},
	"c4": {Index: 10, T: types.Int4, Name: "c4"}, "d": {Index: 11, T: types.Date, Name: "d"},
}

func randomDatum(r *rand.Rand, t types.Type) datum {
	switch t.Kind() {
	case types.KindBool:
		return types.BoolDatum(r.IntN(2) == 0)
	case types.KindInt:
		switch t.OID {
		case types.OIDTimestamptz:
			return types.IntDatum(r.Int64N(8e14))
		case types.OIDDate:
			return types.IntDatum(r.Int64N(20000))
		default:
		}
		return types.IntDatum(r.Int64N(20) - 10)
	case types.KindFloat:
		return types.FloatDatum([]float64{0, 1.5, -2, math.NaN(), math.Inf(1), 100}[r.IntN(6)])
	case types.KindDecimal:
		return types.DecimalDatum(types.NewDecimal(r.Int64N(2000)-1000, int32(r.IntN(3))))
	case types.KindInterval:
		return datum{Iv: types.Interval{Months: int32(r.IntN(3)), Days: int32(r.IntN(40)), Micros: r.Int64N(1e11)}}
	case types.KindList:
		d := datum{List: []datum{}}
		for range r.IntN(4) {
			d.List = append(d.List, types.IntDatum(r.Int64N(5)))
		}
		return d
	default:
	}
	if t.OID == types.OIDJSONB {
		return types.StringDatum([]string{`{"a": 1}`, `[1, 2]`, `"x"`, `{"a": {"b": "c"}}`}[r.IntN(4)])
	}
	return types.StringDatum([]string{"", "a", "abc", "äöü", "Hello World", "a%b"}[r.IntN(6)])
}

func randomBatch(r *rand.Rand, n int) *column.Batch {
	b := &column.Batch{N: n, Cols: make([]*column.Column, len(testColumns))}
	for _, c := range testColumns {
		col := column.New(c.T, n)
		nulls := r.IntN(3) == 0
		for range n {
			if nulls && r.IntN(3) == 0 {
				col.AppendNull()
			} else {
				col.Append(randomDatum(r, c.T))
			}
		}
		if c.Name == "c4" {
			col = column.Constant(c.T, types.IntDatum(3))
		}
		b.Cols[c.Index] = col
	}
	return b
}

var evalExprs = []string{
	"i4 + i8", "i4 * 3", "3 - i4", "i4 + c4", "i4 / i8", "case when i8 <> 0 then i4 / i8 end", "i4 % c4",
	"f8 + 1.5", "f8 * f8", "f8 > 1", "f8 = f8", "num + num", "num * 2", "num > i4", "num / 3",
	"i4 < i8", "i4 >= c4", "c4 = i4", "i4 <> 3", "txt || 'x'", "upper(txt)", "length(txt)", "txt like 'a%'", "txt ~ 'b$'",
	"b and i4 > 0", "b or i4 > 0 or f8 > 0", "not b", "b is true", "i4 is null", "i4 is distinct from i8",
	"coalesce(i4, i8, 7)", "coalesce(txt, 'none')", "case when b then txt when i4 > 0 then 'pos' else upper(txt) end",
	"case i4 when 1 then 'a' when 2 then 'b' end", "i4 in (1, 2, 3, null)", "txt in ('a', 'abc')", "txt = 'abc'", "txt <> i4::text", "'a' <> txt", "num > 2.5", "num <= num", "txt < upper(txt)", "num in (1, 2.5)",
	"tstz + iv", "tstz - interval '1 day'", "date_trunc('hour', tstz)", "date_trunc('month', tstz)", "extract(hour from tstz)",
	"js -> 'a'", "js ->> 'a'", "js @> '{\"a\": 1}'", "arr || i4", "arr[1]", "i4 = any(arr)", "array[i4, i4 + 1]",
	"greatest(i4, i8, 2)", "least(txt, 'b')", "i4::text", "num::int8", "i8::numeric", "txt::varchar(2)", "d + i4", "i4::float8",
	"concat(txt, i4, b)", "case when b then arr else array[i4] end", "nullif(i4, 3)", "b and b and b", "(i4 > 0 or b) and i8 > 0",
	"case when b then 1 when i4 > 0 then 2 when i8 > 0 then 3 end", "1 + 1", "null::int + i4", "i4 between -3 and 3",
}

// TestSelections compares evaluation of whole batches, of random selections
// and through EvalFilter with evaluation of each row on its own, where every
// column is a constant.
func TestSelections(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, in := range evalExprs {
		e, err := parseExpr(in, testColumns)
		if err != nil {
			t.Fatalf("%s: %v", in, err)
		}
		ev, err := Compile(e)
		if err != nil {
			t.Fatal(err)
		}
		for range 12 {
			checkSelection(t, r, in, e, ev)
		}
	}
}

func checkSelection(t *testing.T, r *rand.Rand, in string, e Expr, ev *Evaluator) {
	b := randomBatch(r, r.IntN(140))
	var sel []int32
	switch r.IntN(3) {
	case 0:
		sel = allRows(nil, b.N)
	case 1:
		sel = []int32{}
		for i := range b.N {
			if r.IntN(3) == 0 {
				sel = append(sel, int32(i))
			}
		}
	}
	rows := sel
	if sel == nil {
		rows = allRows(nil, b.N)
	}
	want, failed := map[int32]string{}, false
	for _, i := range rows {
		s, err := rowText(e, b, int(i))
		failed = failed || err != nil
		want[i] = s
	}
	got, err := ev.Eval(testEnv, b, sel)
	if failed != (err != nil) {
		t.Errorf("%s: error %v, but row by row: %v", in, err, failed)
		return
	}
	if failed {
		return
	}
	var truth []int32
	for _, i := range rows {
		s := datumText(e.Type(), got.Datum(int(i)))
		if s != want[i] {
			t.Errorf("%s, row %d of %d (sel %v): got %s, want %s", in, i, b.N, sel != nil, s, want[i])
			return
		}
		if s == "t" {
			truth = append(truth, i)
		}
	}
	if e.Type() != types.Bool {
		return
	}
	kept, err := ev.EvalFilter(testEnv, b, sel)
	if err != nil || !equalRows(kept, truth) {
		t.Errorf("%s: filter kept %v, want %v, %v", in, kept, truth, err)
	}
}

func equalRows(a, b []int32) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

func rowText(e Expr, b *column.Batch, i int) (string, error) {
	one := ReplaceColumns(e, func(j int) Expr {
		return &Const{Value: b.Cols[j].Datum(i), T: b.Cols[j].Type}
	})
	d, err := EvalConst(one, testEnv)
	return datumText(e.Type(), d), err
}

func datumText(t types.Type, d datum) string {
	if d.Null {
		return "<null>"
	}
	return string(types.AppendText(nil, t, d, testEnv.Format))
}

func TestShortCircuit(t *testing.T) {
	b := &column.Batch{N: 4, Cols: []*column.Column{column.New(types.Int4, 4)}}
	for _, v := range []int64{0, 1, 2, 0} {
		b.Cols[0].Append(types.IntDatum(v))
	}
	cols := map[string]*Col{"x": {Index: 0, T: types.Int4, Name: "x"}}
	tests := []struct{ in, want string }{
		{"case when x <> 0 then 10 / x end", "<null> 10 5 <null>"},
		{"x <> 0 and 10 / x > 5", "f t f f"},
		{"x = 0 or 10 / x > 5", "t t f t"},
		{"coalesce(nullif(x, 0), 7)", "7 1 2 7"},
		{"10 / x", "division by zero"},
	}
	for _, tt := range tests {
		e, err := parseExpr(tt.in, cols)
		if err != nil {
			t.Fatal(err)
		}
		ev, err := Compile(e)
		if err != nil {
			t.Fatal(err)
		}
		c, err := ev.Eval(nil, b, nil)
		if err != nil {
			if !strings.HasPrefix(err.Error(), tt.want) {
				t.Errorf("%s: %v", tt.in, err)
			}
			continue
		}
		var got []string
		for i := range b.N {
			got = append(got, datumText(e.Type(), c.Datum(i)))
		}
		if s := strings.Join(got, " "); s != tt.want {
			t.Errorf("%s: %s, want %s", tt.in, s, tt.want)
		}
	}
}

func TestErrorPosition(t *testing.T) {
	c, err := NewCall("/", true, []Expr{number("1"), number("0")}, 17, nil)
	if err != nil {
		t.Fatal(err)
	}
	_, err = EvalConst(c, nil)
	if pe := pgerror.From(err); pe.Code != pgerror.DivisionByZero || pe.Position != 17 {
		t.Errorf("got %v at %d", err, pe.Position)
	}
}

func TestJSON(t *testing.T) {
	for _, in := range append(evalExprs, "'x'::bytea", "numeric 'NaN'", "array[null, 'a']", "timestamptz '2024-01-01 00:00+01'") {
		e, err := parseExpr(in, testColumns)
		if err != nil {
			t.Fatalf("%s: %v", in, err)
		}
		b, err := MarshalExpr(e)
		if err != nil {
			t.Fatalf("%s: %v", in, err)
		}
		back, err := UnmarshalExpr(b)
		if err != nil {
			t.Fatalf("%s: %v", in, err)
		}
		if !Equal(e, back) || String(e) != String(back) {
			t.Errorf("%s: came back as %s", in, String(back))
		}
	}
}

// evalAnything evaluates an expression over columns of in as far as it may:
// it must not panic.
func evalAnything(e Expr, in *column.Batch) {
	fits := true
	_, _ = Rewrite(e, func(e Expr) (Expr, error) {
		if c, ok := e.(*Col); ok {
			fits = fits && c.Index < len(in.Cols) && in.Cols[c.Index].Type == c.T
		}
		return e, nil
	})
	if !fits {
		return
	}
	ev, err := Compile(Fold(e))
	if err != nil {
		return
	}
	c, err := ev.Eval(testEnv, in, nil)
	if err == nil {
		_ = c.Datum(in.N - 1)
	}
}

func FuzzUnmarshalExpr(f *testing.F) {
	for _, in := range evalExprs {
		e, err := parseExpr(in, testColumns)
		if err != nil {
			f.Fatal(err)
		}
		b, err := json.Marshal(e)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	in := randomBatch(rand.New(rand.NewPCG(5, 6)), 20)
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := UnmarshalExpr(b)
		if err != nil || e == nil {
			return
		}
		again, err := MarshalExpr(e)
		if err != nil {
			t.Fatal(err)
		}
		back, err := UnmarshalExpr(again)
		if err != nil || !Equal(e, back) {
			t.Fatalf("%s: %v", again, err)
		}
		_ = String(e)
		evalAnything(e, in)
	})
}
