package operator

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"velostream/catalog/types"
	"velostream/engine/dataflow"
	"velostream/engine/sql/plan"
	"velostream/storage/column"
)

// TestTemporalJoinRandom compares the join with looking for the newest version among all,
// under random times, watermarks, restarts and budgets.
func TestTemporalJoinRandom(t *testing.T) {
	ts := intervalTypes // id, key, value, time
	for seed := range uint64(80) {
		r := rand.New(rand.NewPCG(seed, 9))
		outer, before, small := seed%2 == 0, seed/2%2 == 0, seed%8 > 5
		p := &plan.Physical{
			Op: plan.OpTemporalJoin, Join: plan.InnerJoin, Keys: []int{1}, RightKeys: []int{1}, EventTime: -1, WindowEnd: -1, AppendOnly: true,
			Tables: []uint16{1, 2}, Inputs: []*plan.Physical{input(true, []int{0}, ts...), input(true, []int{0}, ts...)},
			Temporal: &plan.Temporal{Left: 3, Right: 3, Before: before, Ties: []int{0}}, Out: append(schema(ts...), schema(ts...)...),
		}
		if outer {
			p.Join = plan.LeftJoin
		}
		t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) {
			c := &intervalCase{t: t, r: r, mark: math.MinInt64, rg: newRig(t, p, true)}
			if small {
				c.rg.ctx.MemoryBudget = 2000
				c.rg.open()
			}
			var want []string
			c.onMark = func() { want = append(want, c.newest(outer, before)...) }
			id := int64(0)
			for range 150 {
				c.step(&id, true)
			}
			c.rg.watermark(dataflow.EndOfTime)
			c.rg.barrier(true)
			c.mark = math.MaxInt64
			c.onMark()
			slices.Sort(want)
			diff(t, "temporal join", c.rg.sorted(), want)
			if n := len(c.rg.op.(*temporalJoin).sides[0].next); n > c.rg.op.(*temporalJoin).sides[0].dead {
				t.Error("left rows are kept at the end of time")
			}
		})
	}
}

// newest gives each left row whose time has passed the newest right row at its time.
func (c *intervalCase) newest(outer, before bool) []string {
	var out []string
	text := func(l, r []types.Datum) {
		kind, right := plan.LeftJoin, [][]types.Datum{r}
		if r == nil {
			right = nil
		}
		out = append(out, nestedLoop(kind, [][]types.Datum{l}, right, intervalTypes, func([]types.Datum, []types.Datum) bool { return true })...)
	}
	var rest [][]types.Datum
	for _, l := range c.rows[0] {
		if !l[3].Null && l[3].I >= c.mark {
			rest = append(rest, l)
			continue
		}
		var best []types.Datum
		for _, r := range c.rows[1] {
			if l[1].Null || r[1].Null || string(l[1].B) != string(r[1].B) || l[3].Null || r[3].Null || r[3].I > l[3].I || before && r[3].I == l[3].I {
				continue
			}
			if best == nil || cmp.Or(cmp.Compare(r[3].I, best[3].I), cmp.Compare(r[0].I, best[0].I)) > 0 {
				best = r
			}
		}
		if best != nil || outer {
			text(l, best)
		}
	}
	c.rows[0] = rest
	return out
}

// TestTemporalJoinVersions sees that old versions go.
func TestTemporalJoinVersions(t *testing.T) {
	ts := []types.Type{types.Int8, types.Timestamp}
	p := &plan.Physical{
		Op: plan.OpTemporalJoin, Join: plan.LeftJoin, Keys: []int{0}, RightKeys: []int{0}, EventTime: -1, WindowEnd: -1, AppendOnly: true, Tables: []uint16{1, 2},
		Inputs:   []*plan.Physical{input(true, []int{0, 1}, ts...), input(false, []int{0}, ts...)},
		Temporal: &plan.Temporal{Left: 1, Right: 1, Changes: true, Ties: []int{0}}, Out: append(schema(ts...), schema(ts...)...),
	}
	rg := newRig(t, p, true)
	rg.quiet = true
	for at := range int64(500) {
		ch := &changes{types: ts}
		for k := range int64(20) {
			if at > 0 {
				ch.add(column.Delete, []types.Datum{types.IntDatum(k), types.IntDatum(at - 1)})
			}
			ch.add(column.Insert, []types.Datum{types.IntDatum(k), types.IntDatum(at)})
		}
		rg.process(1, ch.batch(0, len(ch.rows), false))
		rg.watermark(dataflow.Watermark(at))
		rg.barrier(at%7 == 0)
		if at%50 == 49 {
			rg.barrier(true)
			rg.open()
		}
	}
	rg.barrier(true)
	n := 0
	for range rg.op.(*temporalJoin).sides[1].table.Scan(nil, nil) {
		n++
	}
	if n > 60 {
		t.Errorf("%d versions are kept of 20 keys", n)
	}
}
