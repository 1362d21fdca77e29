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
)

// TestOverAhead: a row leaves once, when there are rows enough behind it, with the functions
// over the rows of its partition so far; in order and out of it, across restarts and under a
// small budget.
func TestOverAhead(t *testing.T) {
	calls := []plan.OverCall{
		{Name: "lead", Args: []expr.Expr{col(3, types.Numeric), &expr.Const{Value: types.IntDatum(2), T: types.Int4}}, T: types.Numeric},
		{Name: "lag", Args: []expr.Expr{col(3, types.Numeric)}, T: types.Numeric},
		agg("sum", types.Numeric, frameOf(plan.FrameRows, preceding(2), following(1))),
	}
	for seed := range uint64(8) {
		r := rand.New(rand.NewPCG(seed, 4))
		p := overPlan(true, calls...)
		p.Once, p.Ahead, p.Back = true, 2, 2
		if seed >= 4 { // the order is computed
			p.Sort[0].Expr = &expr.Call{
				Name: "+", Sig: []types.OID{types.OIDInt4, types.OIDInt4}, T: types.Int4,
				Args: []expr.Expr{col(2, types.Int4), &expr.Const{Value: types.IntDatum(3), T: types.Int4}},
			}
		}
		k := newRig(t, p, seed%2 == 0)
		k.quiet = true
		if seed%4 == 2 {
			k.ctx.MemoryBudget = 900
			k.open()
		}
		parts := map[int64][][]types.Datum{}
		left := map[int64]bool{}
		var want []string
		c := &changes{types: p.Inputs[0].Types()}
		for id := range 80 {
			row := overRow(r, id)
			if r.IntN(4) > 0 {
				row[2] = types.IntDatum(int64(id / 5)) // mostly in order
			}
			c.add(column.Insert, row)
			if id%4 == 3 || id%9 == 8 {
				k.process(0, c.batch(0, len(c.rows), id%3 == 0))
				c = &changes{types: p.Inputs[0].Types()}
			}
			part := append(parts[row[1].I], row)
			slices.SortFunc(part, func(x, y []types.Datum) int {
				if x[2].I != y[2].I {
					return int(x[2].I - y[2].I)
				}
				return int(x[0].I - y[0].I)
			})
			parts[row[1].I] = part
			all := map[int][]types.Datum{}
			for i, x := range part {
				all[i] = x
			}
			lines := overAll(t, p, all)
			for i := 0; i+2 < len(part); i++ {
				if n := part[i][0].I; !left[n] {
					left[n] = true
					at := slices.IndexFunc(lines, func(s string) bool { return strings.HasPrefix(s, strconv.FormatInt(n, 10)+"|") })
					want = append(want, lines[at])
				}
			}
			if id%9 == 8 {
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
