package operator

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"velostream/catalog/types"
	"velostream/engine/sql/expr"
	"velostream/engine/sql/plan"
	"velostream/storage/column"
	"velostream/storage/state"
)

func bigint(v int64) expr.Expr { return &expr.Const{Value: types.IntDatum(v), T: types.Int8} }

func frameOf(mode plan.FrameMode, start, end plan.FrameBound) plan.Frame {
	return plan.Frame{Mode: mode, Start: start, End: end}
}

var (
	fromStart = plan.FrameBound{Kind: plan.UnboundedPreceding}
	toCurrent = plan.FrameBound{Kind: plan.CurrentRow}
	toEnd     = plan.FrameBound{Kind: plan.UnboundedFollowing}
)

func preceding(n int64) plan.FrameBound {
	return plan.FrameBound{Kind: plan.OffsetPreceding, Offset: bigint(n)}
}

func following(n int64) plan.FrameBound {
	return plan.FrameBound{Kind: plan.OffsetFollowing, Offset: bigint(n)}
}

// overPlan is partition column 1, order column 2 then the key, column 0; values in column 3.
func overPlan(appends bool, calls ...plan.OverCall) *plan.Physical {
	in := input(appends, []int{0}, types.Int4, types.Int4, types.Int4, types.Numeric)
	p := &plan.Physical{
		Op: plan.OpOver, Inputs: []*plan.Physical{in}, Out: append(plan.Schema(nil), in.Out...), Key: []int{0}, Keys: []int{1},
		Sort: []plan.SortKey{{Expr: col(2, types.Int4)}, {Expr: col(0, types.Int4)}}, Over: calls, EventTime: -1, WindowEnd: -1, Tables: []uint16{1},
	}
	for i, c := range calls {
		p.Out = append(p.Out, plan.Column{Name: fmt.Sprintf("w%d", i), Type: c.T})
	}
	return p
}

func agg(name string, t types.Type, f plan.Frame) plan.OverCall {
	return plan.OverCall{Name: name, Aggregate: true, Args: []expr.Expr{col(3, types.Numeric)}, T: t, Frame: f}
}

func allCalls() []plan.OverCall {
	v, n := col(3, types.Numeric), types.Numeric
	return []plan.OverCall{
		{Name: "row_number", T: types.Int8},
		{Name: "rank", T: types.Int8},
		{Name: "cume_dist", T: types.Float8},
		{Name: "lag", Args: []expr.Expr{v}, T: n},
		{Name: "lead", Args: []expr.Expr{v, &expr.Const{Value: types.IntDatum(2), T: types.Int4}}, T: n},
		agg("sum", n, frameOf(plan.FrameRange, fromStart, toCurrent)), agg("sum", n, frameOf(plan.FrameRows, preceding(2), following(1))),
		agg("min", n, frameOf(plan.FrameRows, preceding(3), toCurrent)), agg("max", n, frameOf(plan.FrameGroups, preceding(1), toEnd)),
		agg("array_agg", mustArray(n), frameOf(plan.FrameRows, toCurrent, following(2))),
		{Name: "nth_value", Args: []expr.Expr{v, &expr.Const{Value: types.IntDatum(2), T: types.Int4}}, T: n, Frame: frameOf(plan.FrameRows, preceding(2), following(2))},
	}
}

func mustArray(t types.Type) types.Type {
	a, _ := t.Array()
	return types.Type{OID: a.OID, Mod: -1}
}

func overRow(r *rand.Rand, id int) []types.Datum {
	v := dec(fmt.Sprintf("%d.5", r.IntN(9)-4))
	if r.IntN(5) == 0 {
		v = types.NullDatum
	}
	return []types.Datum{types.IntDatum(int64(id)), types.IntDatum(int64(r.IntN(3))), types.IntDatum(int64(r.IntN(4))), v}
}

// TestOverKept compares what is kept up to date under random changes, restarts and a
// small budget with the same functions over the rows that are there.
func TestOverKept(t *testing.T) {
	for seed := range uint64(8) {
		r := rand.New(rand.NewPCG(seed, 1))
		p := overPlan(false, allCalls()...)
		k := newRig(t, p, seed%2 == 0)
		k.quiet = true
		if seed > 3 {
			k.ctx.MemoryBudget = 400
			k.open()
		}
		live := map[int][]types.Datum{}
		for epoch := range 25 {
			c := &changes{types: p.Inputs[0].Types()}
			for range 1 + r.IntN(6) {
				id := r.IntN(12)
				if old := live[id]; old != nil {
					c.add(column.Delete, old)
					delete(live, id)
				}
				if r.IntN(3) > 0 {
					live[id] = overRow(r, id)
					c.add(column.Insert, live[id])
				}
			}
			k.process(0, c.batch(0, len(c.rows), epoch%2 == 1))
			k.barrier(true)
			if epoch%7 == 6 && k.store != nil {
				k.open()
			}
			diff(t, fmt.Sprintf("seed %d epoch %d", seed, epoch), k.sorted(), overAll(t, p, live))
		}
	}
}

// overAll computes the functions over rows, all at once.
func overAll(t *testing.T, p *plan.Physical, rows map[int][]types.Datum) []string {
	q := *p
	q.Tables = nil
	b := newRig(t, &q, false)
	c := &changes{types: p.Inputs[0].Types()}
	for _, row := range rows {
		c.add(column.Insert, row)
	}
	b.process(0, c.batch(0, len(c.rows), false))
	b.barrier(false)
	return b.sorted()
}

// TestOverRunning: rows of a stream leave once, with the functions over the rows before
// them, in order and out of it, across restarts and under a small budget.
func TestOverRunning(t *testing.T) {
	calls := []plan.OverCall{
		{Name: "row_number", T: types.Int8},
		{Name: "rank", T: types.Int8},
		{Name: "dense_rank", T: types.Int8},
		{Name: "lag", Args: []expr.Expr{col(3, types.Numeric)}, T: types.Numeric},
		agg("sum", types.Numeric, frameOf(plan.FrameRange, fromStart, toCurrent)),
		agg("max", types.Numeric, frameOf(plan.FrameRange, fromStart, toCurrent)),
		agg("sum", types.Numeric, frameOf(plan.FrameRows, preceding(2), toCurrent)),
	}
	for seed := range uint64(6) {
		r := rand.New(rand.NewPCG(seed, 2))
		p := overPlan(true, calls...)
		p.Once = true
		k := newRig(t, p, seed%2 == 0)
		k.quiet = true
		if seed > 2 {
			k.ctx.MemoryBudget = 900
			k.open()
		}
		if _, ok := k.op.(*overRunning); !ok {
			t.Fatalf("made %T", k.op)
		}
		live := map[int][]types.Datum{}
		var want []string
		for id := range 60 {
			row := overRow(r, id)
			if r.IntN(4) > 0 {
				row[2] = types.IntDatum(int64(id / 5)) // mostly in order
			}
			live[id] = row
			c := &changes{types: p.Inputs[0].Types()}
			c.add(column.Insert, row)
			k.process(0, c.batch(0, 1, id%3 == 0))
			// The new row's results are those over what is there, behind it nothing.
			before := map[int][]types.Datum{}
			for i, o := range live {
				if o[1].I == row[1].I && (o[2].I < row[2].I || o[2].I == row[2].I && o[0].I <= row[0].I) {
					before[i] = o
				}
			}
			for _, s := range overAll(t, p, before) {
				if strings.HasPrefix(s, strconv.Itoa(id)+"|") {
					want = append(want, s)
				}
			}
			if id%10 == 9 {
				k.barrier(true)
				if k.store != nil {
					k.open()
				}
			}
		}
		slices.Sort(want)
		diff(t, fmt.Sprintf("seed %d", seed), k.sorted(), want)
	}
}

// TestExpand: calls side by side, a delete takes back what its insert gave.
func TestExpand(t *testing.T) {
	in := input(false, []int{0}, types.Int4, types.Int4)
	arr := mustArray(types.Int4)
	p := &plan.Physical{
		Op: plan.OpExpand, Inputs: []*plan.Physical{in}, Out: schema(types.Int4, types.Int4, types.Int4, types.Int4, types.Int8),
		Table: []plan.TableCall{
			{Name: "generate_series", Args: []expr.Expr{&expr.Const{Value: types.IntDatum(1), T: types.Int4}, col(1, types.Int4)}, T: []types.Type{types.Int4}},
			{Name: "unnest", Args: []expr.Expr{&expr.ArrayOf{Args: []expr.Expr{col(0, types.Int4), col(1, types.Int4)}, T: arr}}, T: []types.Type{types.Int4}},
		},
		EventTime: -1, WindowEnd: -1,
	}
	r := newRig(t, p, false)
	c := &changes{types: in.Types()}
	c.add(column.Insert, []types.Datum{types.IntDatum(7), types.IntDatum(3)})
	c.add(column.Insert, []types.Datum{types.IntDatum(8), types.NullDatum})
	c.add(column.Delete, []types.Datum{types.IntDatum(8), types.NullDatum})
	r.process(0, c.batch(0, 3, true))
	diff(t, "rows", r.sorted(), []string{"7|3|1|7|1", "7|3|2|3|2", "7|3|3|NULL|3"})
}

func BenchmarkOver(b *testing.B) {
	for name, calls := range map[string][]plan.OverCall{
		"row_number": {{Name: "row_number", T: types.Int8}},
		"running":    {agg("sum", types.Numeric, frameOf(plan.FrameRange, fromStart, toCurrent))},
		"sliding":    {agg("avg", types.Numeric, frameOf(plan.FrameRows, preceding(50), following(50)))},
	} {
		b.Run(name, func(b *testing.B) {
			p := overPlan(true, calls...)
			p.Tables = nil
			r := rand.New(rand.NewPCG(1, 1))
			c := &changes{types: p.Inputs[0].Types()}
			for id := range 4096 {
				row := overRow(r, id)
				row[1] = types.IntDatum(int64(id % 16))
				c.add(column.Insert, row)
			}
			batch := c.batch(0, len(c.rows), false)
			for b.Loop() {
				k := newRig(b, p, false)
				k.quiet = true
				op := k.op
				if err := op.Process(0, batch, &null{}); err != nil {
					b.Fatal(err)
				}
				if err := op.Barrier(state.Epoch{ID: 1}, &null{}); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*4096), "ns/row")
		})
	}
}
