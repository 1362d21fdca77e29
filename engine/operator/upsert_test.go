package operator

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"

	"velostream/catalog/types"
	"velostream/engine/sql/plan"
	"velostream/storage/column"
)

// TestUpsertRandom compares the table with a map, under random epochs, restarts and budgets.
func TestUpsertRandom(t *testing.T) {
	ts := []types.Type{types.Text, types.Int4, types.Text} // key, version, value
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 11))
		p := &plan.Physical{
			Op: plan.OpUpsert, Keys: []int{0}, Key: []int{0}, EventTime: -1, WindowEnd: -1, Tables: []uint16{1},
			Inputs: []*plan.Physical{input(true, []int{0}, ts...)}, Out: schema(ts...), Distinct: seed%3 == 1,
		}
		if seed%3 == 2 {
			p.Sort = []plan.SortKey{{Expr: col(1, types.Int4)}}
		}
		t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) {
			rg := newRig(t, p, true)
			if seed%2 == 0 {
				rg.ctx.MemoryBudget = 600
				rg.open()
			}
			model := map[string][]types.Datum{}
			for range 200 {
				ch := &changes{types: ts}
				for range 1 + r.IntN(4) {
					row := []types.Datum{types.StringDatum(fmt.Sprint("key number ", r.IntN(15))), types.IntDatum(int64(r.IntN(4))), types.StringDatum(strconv.Itoa(r.IntN(3)))}
					if r.IntN(6) == 0 {
						row[1] = types.NullDatum
					}
					k := string(row[0].B)
					old := model[k]
					switch {
					case r.IntN(4) == 0:
						ch.add(column.Delete, []types.Datum{row[0], types.NullDatum, types.NullDatum})
						delete(model, k)
						continue
					case old == nil:
						model[k] = row
					case p.Distinct:
					case p.Sort != nil && !old[1].Null && (row[1].Null || row[1].I < old[1].I):
					default:
						model[k] = row
					}
					ch.add(column.Insert, row)
				}
				rg.process(0, ch.batch(0, len(ch.rows), r.IntN(2) == 0))
				if r.IntN(3) == 0 {
					rg.barrier(r.IntN(2) == 0)
				}
				if r.IntN(20) == 0 {
					rg.barrier(true)
					rg.open()
				}
			}
			rg.barrier(true)
			var want []string
			for _, row := range model {
				var b column.Batch
				for j, typ := range ts {
					c := column.New(typ, 1)
					c.Append(row[j])
					b.Cols = append(b.Cols, c)
				}
				want = append(want, rowText(&b, 0))
			}
			slices.Sort(want)
			diff(t, "upsert", rg.sorted(), want)
			n := 0
			for range rg.op.(*upsert).rows.table.Scan(nil, nil) {
				n++
			}
			if n != len(model) {
				t.Errorf("the table has %d rows, wanted %d", n, len(model))
			}
		})
	}
}
