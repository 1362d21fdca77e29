package plan

import (
	"bytes"
	"strings"
	"testing"

	"velostream/catalog/types"
	"velostream/engine/sql/expr"
)

// TestStoredWindows: plans with window functions, set-returning functions and null-safe
// joins come back from their stored form as they were.
func TestStoredWindows(t *testing.T) {
	in := &Physical{Op: OpScan, Name: "t", Out: Schema{{Name: "a", Type: types.Int4}, {Name: "b", Type: types.Timestamp}}, EventTime: -1, WindowEnd: -1}
	a, b := &expr.Col{T: types.Int4, Name: "a"}, &expr.Col{Index: 1, T: types.Timestamp, Name: "b"}
	day := &expr.Const{Value: types.Datum{Iv: types.Interval{Days: 1}}, T: types.IntervalT}
	call := OverCall{
		Name: "sum", Aggregate: true, Args: []expr.Expr{a}, Filter: &expr.IsNull{Arg: a, Negate: true}, T: types.Int8,
		Frame: Frame{
			Mode: FrameRange, Start: FrameBound{Kind: OffsetPreceding, Offset: day}, End: FrameBound{Kind: CurrentRow},
			Exclude: ExcludeTies, Key: b, Lo: b, Desc: true,
		},
	}
	over := &Physical{
		Op: OpOver, Inputs: []*Physical{in}, Keys: []int{0}, Sort: []SortKey{{Expr: b, Desc: true, NullsFirst: true}}, Over: []OverCall{call}, Once: true,
		Out: append(append(Schema(nil), in.Out...), Column{Name: "sum", Type: types.Int8}), Tables: []uint16{3}, EventTime: -1, WindowEnd: -1,
	}
	x := &Physical{
		Op: OpExpand, Inputs: []*Physical{over}, Shared: 2, EventTime: -1, WindowEnd: -1,
		Table: []TableCall{{Name: "generate_series", Args: []expr.Expr{a, a}, T: []types.Type{types.Int4}}},
		Out:   append(append(Schema(nil), over.Out...), Column{Name: "g", Type: types.Int4}, Column{Name: "n", Type: types.Int8, Hidden: true}),
	}
	j := &Physical{Op: OpJoin, Join: LeftJoin, Inputs: []*Physical{x, in}, Keys: []int{0}, RightKeys: []int{0}, NullSafe: 1, EventTime: -1, WindowEnd: -1}
	first, err := Encode(j)
	if err != nil {
		t.Fatal(err)
	}
	back, err := Decode(first)
	if err != nil {
		t.Fatal(err)
	}
	second, err := Encode(back)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(first, second) {
		t.Errorf("stored as\n%s\nread as\n%s", first, second)
	}
	f := back.Inputs[0].Inputs[0].Over[0].Frame
	if f.Hi != nil || f.Lo == nil || f.Start.Offset == nil || !f.Preceding() {
		t.Errorf("frame read as %+v", f)
	}
	text := strings.Join(Explain(back, ExplainOptions{}), "\n")
	for _, want := range []string{
		"sum(a) FILTER (WHERE (a IS NOT NULL)) OVER (PARTITION BY a ORDER BY b DESC RANGE BETWEEN '1 day'::interval PRECEDING AND CURRENT ROW EXCLUDE TIES)",
		"Function Call: generate_series(a, a)", "each once, over the rows before it",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("EXPLAIN lacks %q:\n%s", want, text)
		}
	}
}
