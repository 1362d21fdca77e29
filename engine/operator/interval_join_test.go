package operator

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"velostream/catalog/types"
	"velostream/engine/dataflow"
	"velostream/engine/sql/expr"
	"velostream/engine/sql/plan"
	"velostream/storage/column"
)

// TestIntervalJoinRandom compares the interval join with a nested loop over the rows that
// were not late, under random times, watermarks, restarts and budgets.
func TestIntervalJoinRandom(t *testing.T) {
	kinds := []plan.JoinKind{plan.InnerJoin, plan.LeftJoin, plan.RightJoin, plan.FullJoin, plan.SemiJoin, plan.AntiJoin}
	for seed := range uint64(120) {
		r := rand.New(rand.NewPCG(seed, 5))
		c := &intervalCase{
			t: t, r: r, kind: kinds[seed%6], cond: seed/6%2 == 0, mark: math.MinInt64,
			bounds: plan.TimeBounds{Left: 3, Right: 3, Lo: int64(r.IntN(20) - 15), Hi: int64(r.IntN(20))},
		}
		if c.bounds.Lo > c.bounds.Hi {
			c.bounds.Lo, c.bounds.Hi = c.bounds.Hi, c.bounds.Lo
		}
		if c.kind == plan.InnerJoin && r.IntN(3) == 0 {
			c.bounds.Hi = math.MaxInt64
		}
		t.Run(fmt.Sprintf("seed=%d,kind=%d", seed, c.kind), func(t *testing.T) {
			c.t = t
			c.run(seed%4 > 0, seed%8 > 5)
		})
	}
}

type intervalCase struct {
	t      *testing.T
	r      *rand.Rand
	rg     *rig
	kind   plan.JoinKind
	cond   bool
	bounds plan.TimeBounds
	rows   [2][][]types.Datum
	mark   int64
	now    int64
	late   int64
	// onMark is told of watermarks; with it late right rows are counted and count.
	onMark func()
}

var intervalTypes = []types.Type{types.Int8, types.Text, types.Int4, types.Timestamp} // id, key, value, time

func (c *intervalCase) run(tables, small bool) {
	ts := intervalTypes
	in := func() *plan.Physical { return input(true, []int{0}, ts...) }
	p := &plan.Physical{
		Op: plan.OpIntervalJoin, Join: c.kind, Keys: []int{1}, RightKeys: []int{1}, EventTime: -1, WindowEnd: -1, AppendOnly: true,
		Tables: []uint16{1, 2}, Inputs: []*plan.Physical{in(), in()}, Within: &c.bounds, Out: append(schema(ts...), schema(ts...)...),
	}
	if c.kind == plan.SemiJoin || c.kind == plan.AntiJoin {
		p.Out = schema(ts...)
	}
	if c.cond {
		p.Cond = &expr.Call{Name: "<", Sig: []types.OID{types.OIDInt4, types.OIDInt4}, T: types.Bool, Args: []expr.Expr{col(2, types.Int4), col(6, types.Int4)}}
	}
	c.rg = newRig(c.t, p, tables)
	if tables && small {
		c.rg.ctx.MemoryBudget = 2000
		c.rg.open()
	}
	id := int64(0)
	for range 120 {
		c.step(&id, tables)
	}
	c.rg.watermark(dataflow.EndOfTime)
	c.rg.barrier(false)
	if slices.ContainsFunc(c.rg.log, func(s string) bool { return s[0] == '-' }) {
		c.t.Error("an interval join takes rows back")
	}
	diff(c.t, "interval join", c.rg.sorted(), c.want())
	j := c.rg.op.(*intervalJoin)
	if n := j.keys.live; n != 0 {
		c.t.Errorf("%d keys are kept at the end of time", n)
	}
	if c.rg.store != nil {
		c.rg.barrier(true)
		for _, s := range j.sides {
			for e := range s.table.Scan(nil, nil) {
				c.t.Errorf("a row is kept at the end of time: %x", e.Key)
			}
		}
	}
}

func (c *intervalCase) step(id *int64, tables bool) {
	switch x := c.r.IntN(20); {
	case x < 12:
		port, ch := c.r.IntN(2), &changes{types: intervalTypes}
		for range 1 + c.r.IntN(6) {
			*id++
			k, at := types.NullDatum, types.IntDatum(c.now+int64(c.r.IntN(30))-15)
			if c.r.IntN(8) > 0 {
				k = types.StringDatum(string(rune('a' + c.r.IntN(4))))
			}
			if c.r.IntN(15) == 0 {
				at = types.NullDatum
			}
			row := []types.Datum{types.IntDatum(*id), k, types.IntDatum(int64(c.r.IntN(5))), at}
			ch.add(column.Insert, row)
			late := !at.Null && at.I < c.mark
			if late {
				c.late++
			}
			if !late || c.onMark != nil && port == 1 {
				c.rows[port] = append(c.rows[port], row)
			}
		}
		c.rg.process(port, ch.batch(0, len(ch.rows), c.r.IntN(2) == 0))
		c.now += int64(c.r.IntN(5))
	case x < 16:
		c.mark = max(c.mark, c.now-int64(c.r.IntN(20)))
		c.rg.watermark(dataflow.Watermark(c.mark))
		if c.onMark != nil {
			c.onMark()
		}
	case x < 18:
		c.rg.barrier(c.r.IntN(2) == 0)
	case tables:
		if n := c.rg.op.(dataflow.LateRows).LateRows(); n != c.late {
			c.t.Fatalf("%d late rows are counted, %d there were", n, c.late)
		}
		c.late = 0
		c.rg.barrier(true)
		c.rg.open()
		if c.mark > math.MinInt64 {
			c.rg.watermark(dataflow.Watermark(c.mark))
		}
	}
}

// want joins by a nested loop.
func (c *intervalCase) want() []string {
	ts := intervalTypes
	match := func(l, r []types.Datum) bool {
		if l[1].Null || r[1].Null || string(l[1].B) != string(r[1].B) || l[3].Null || r[3].Null || c.cond && l[2].I >= r[2].I {
			return false
		}
		d := r[3].I - l[3].I
		return d >= c.bounds.Lo && d <= c.bounds.Hi
	}
	return nestedLoop(c.kind, c.rows[0], c.rows[1], ts, match)
}

// TestIntervalJoinState sees that what is kept does not grow with the rows that passed.
func TestIntervalJoinState(t *testing.T) {
	ts := []types.Type{types.Int8, types.Timestamp}
	p := &plan.Physical{
		Op: plan.OpIntervalJoin, Join: plan.FullJoin, Keys: []int{0}, RightKeys: []int{0}, EventTime: -1, WindowEnd: -1, AppendOnly: true,
		Inputs: []*plan.Physical{input(true, []int{0}, ts...), input(true, []int{0}, ts...)},
		Within: &plan.TimeBounds{Left: 1, Right: 1, Lo: -10, Hi: 10}, Out: append(schema(ts...), schema(ts...)...),
	}
	rg := newRig(t, p, false)
	rg.quiet = true
	for at := range int64(300) {
		for port := range 2 {
			ch := &changes{types: ts}
			for k := range int64(100) {
				ch.add(column.Insert, []types.Datum{types.IntDatum(at*100 + k), types.IntDatum(at)})
			}
			rg.process(port, ch.batch(0, 100, false))
		}
		rg.watermark(dataflow.Watermark(at))
		rg.barrier(false)
	}
	j := rg.op.(*intervalJoin)
	if n := len(j.sides[0].next); n > 3*4096 {
		t.Errorf("%d rows are kept of 1,200 that may match", n)
	}
	if n := j.keys.live; n > 1300 {
		t.Errorf("%d keys are kept", n)
	}
}
