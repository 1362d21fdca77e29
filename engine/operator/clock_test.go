package operator

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"velostream/catalog/types"
	"velostream/engine/sql/expr"
	"velostream/engine/sql/plan"
	"velostream/storage/column"
)

// TestClockFilter compares rows that come and go as the clock moves, under changes and restarts,
// with the condition over the rows there are. Time is in seconds since 2000.
func TestClockFilter(t *testing.T) {
	for seed := range uint64(12) {
		r := rand.New(rand.NewPCG(seed, 5))
		in := input(false, []int{0}, types.Int4, types.Timestamptz, types.Timestamptz)
		p := &plan.Physical{
			Op: plan.OpClock, Inputs: []*plan.Physical{in}, Out: in.Out, Key: []int{0}, EventTime: -1, WindowEnd: -1, Tables: []uint16{1},
			Exprs: []expr.Expr{col(1, types.Timestamptz), col(2, types.Timestamptz)}, Ops: []string{">=", "<"},
		}
		if seed%3 == 0 {
			p.Exprs, p.Ops = p.Exprs[:1], []string{">"}
		}
		now := int64(0)
		k := newRig(t, p, seed%2 == 0)
		k.quiet = true
		k.ctx.Clock = func() time.Time { return time.UnixMicro(now - unixEpoch) }
		k.open()
		live := map[int64][]types.Datum{}
		for epoch := range 60 {
			c := &changes{types: in.Types()}
			for range r.IntN(6) {
				id := r.Int64N(20)
				if old := live[id]; old != nil {
					c.add(column.Delete, old)
					delete(live, id)
					continue
				}
				live[id] = []types.Datum{types.IntDatum(id), types.IntDatum(now + r.Int64N(20) - 10), types.IntDatum(now + r.Int64N(30) - 5)}
				c.add(column.Insert, live[id])
			}
			k.process(0, c.batch(0, len(c.rows), false))
			if epoch%9 == 8 && k.store != nil {
				k.barrier(true)
				k.open()
			}
			now += r.Int64N(4)
			k.barrier(epoch%2 == 0)
			b := column.NewBuilder(in.Types(), 0)
			var want []string
			next := int64(never)
			for _, row := range live {
				from, to := row[1].I, row[2].I
				if p.Ops[0] == ">" {
					from, to = from+1, never
				}
				if from >= to {
					continue
				}
				if from > now {
					next = min(next, from)
				} else if to > now {
					next = min(next, to)
				}
				if from <= now && now < to {
					b.Reset()
					for j, d := range row {
						b.Col(j).Append(d)
					}
					b.Row(column.Insert)
					want = append(want, rowText(b.Batch(), 0))
				}
			}
			slices.Sort(want)
			diff(t, fmt.Sprintf("seed %d epoch %d at %d", seed, epoch, now), k.sorted(), want)
			if f := k.op.(*clockFilter); f.first > next {
				t.Fatalf("seed %d epoch %d: wakes at %d, not %d", seed, epoch, f.first, next)
			}
		}
	}
}
