package operator

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"velostream/catalog/types"
	"velostream/engine/sql/expr"
	"velostream/engine/sql/plan"
	"velostream/storage/column"
)

func num(v int64) expr.Expr { return &expr.Const{T: types.Int8, Value: types.IntDatum(v)} }

func TestTopNRandom(t *testing.T) {
	ts := []types.Type{types.Int8, types.Int4}
	for seed := range uint64(24) {
		r := rand.New(rand.NewPCG(seed, 4))
		deletes := seed%3 > 0
		limit, offset := int64(1+r.IntN(6)), int64(r.IntN(4))
		p := &plan.Physical{
			Op: plan.OpTopN, Inputs: []*plan.Physical{input(!deletes, []int{0}, ts...)}, Out: schema(ts...), Key: []int{0},
			Sort: []plan.SortKey{{Expr: col(1, types.Int4), Desc: true}}, Count: num(limit), Offset: num(offset), Tables: []uint16{1}, EventTime: -1, WindowEnd: -1,
		}
		t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) {
			id := int64(0)
			c, live := randomChanges(r, ts, 600, func() []types.Datum {
				id++
				return []types.Datum{types.IntDatum(id), types.IntDatum(int64(r.IntN(50)))}
			}, deletes)
			rg := newRig(t, p, seed%2 == 0)
			drive(rg, r, c)
			slices.SortFunc(live, func(x, y []types.Datum) int { return cmp.Or(cmp.Compare(y[1].I, x[1].I), cmp.Compare(x[0].I, y[0].I)) })
			var want []string
			for k := int(offset); k < min(int(offset+limit), len(live)); k++ {
				want = append(want, fmt.Sprintf("%d|%d", live[k][0].I, live[k][1].I))
			}
			slices.Sort(want)
			diff(t, "top", rg.sorted(), want)
		})
	}
}

func TestMaterializeRandom(t *testing.T) {
	ts := []types.Type{types.Int8, types.Int4}
	for seed := range uint64(10) {
		r := rand.New(rand.NewPCG(seed, 5))
		p := &plan.Physical{Op: "materialize", Out: schema(ts...), Key: []int{0}}
		rg := newRig(t, p, true)
		c := &changes{types: ts}
		now := map[int64]int64{}
		for range 800 {
			k, v := int64(r.IntN(12)), int64(r.IntN(3))
			old, ok := now[k]
			row := func(v int64) []types.Datum { return []types.Datum{types.IntDatum(k), types.IntDatum(v)} }
			switch {
			case !ok:
				c.add(column.Insert, row(v))
				now[k] = v
			case r.IntN(4) == 0:
				c.add(column.Delete, row(old))
				delete(now, k)
			default:
				c.add(column.Delete, row(old))
				c.add(column.Insert, row(v))
				now[k] = v
			}
		}
		drive(rg, r, c)
		var want []string
		for k, v := range now {
			want = append(want, fmt.Sprintf("%d|%d", k, v))
		}
		slices.Sort(want)
		diff(t, "changelog", rg.sorted(), want)
		b := column.NewBuilder(ts, 0)
		var stored []string
		for e, err := range rg.space.Table(0).Scan(nil, nil) {
			if err != nil {
				t.Fatal(err)
			}
			b.Reset()
			decodeRow(t, e.Value, b)
			stored = append(stored, rowText(b.Batch(), 0))
		}
		slices.Sort(stored)
		diff(t, "table", stored, want)
	}
}
