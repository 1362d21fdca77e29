package operator

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"velostream/catalog/types"
	"velostream/engine/sql/expr"
	"velostream/engine/sql/plan"
	"velostream/storage/column"
)

func TestJoinRandom(t *testing.T) {
	ts := []types.Type{types.Int8, types.Text, types.Int4} // id, key, value
	kinds := []plan.JoinKind{plan.InnerJoin, plan.LeftJoin, plan.RightJoin, plan.FullJoin, plan.SemiJoin, plan.AntiJoin, plan.CrossJoin}
	for seed := range uint64(56) {
		r := rand.New(rand.NewPCG(seed, 3))
		kind, cond := kinds[seed%7], seed/7%2 == 0
		bounded := seed/14%4 == 3
		p := &plan.Physical{
			Op: plan.OpJoin, Join: kind, Keys: []int{1}, RightKeys: []int{1}, EventTime: -1, WindowEnd: -1, Tables: []uint16{1, 2}, AppendOnly: bounded,
			Inputs: []*plan.Physical{input(bounded, []int{0}, ts...), input(bounded, []int{0}, ts...)},
		}
		p.Out = append(schema(ts...), schema(ts...)...)
		if kind == plan.SemiJoin || kind == plan.AntiJoin {
			p.Out = schema(ts...)
		}
		if kind == plan.CrossJoin {
			p.Keys, p.RightKeys = nil, nil
		}
		if cond {
			p.Cond = &expr.Call{Name: "<", Sig: []types.OID{types.OIDInt4, types.OIDInt4}, T: types.Bool, Args: []expr.Expr{col(2, types.Int4), col(5, types.Int4)}}
		}
		t.Run(fmt.Sprintf("seed=%d,kind=%d,cond=%v,bounded=%v", seed, kind, cond, bounded), func(t *testing.T) {
			id := int64(0)
			row := func() []types.Datum {
				id++
				k := types.NullDatum
				if r.IntN(6) > 0 {
					k = types.StringDatum(string(rune('a' + r.IntN(5))))
				}
				return []types.Datum{types.IntDatum(id), k, types.IntDatum(int64(r.IntN(5)))}
			}
			n := 150
			lc, left := randomChanges(r, ts, n, row, !bounded)
			rc, right := randomChanges(r, ts, n, row, !bounded)
			rg := newRig(t, p, !bounded && seed%3 > 0)
			if rg.store != nil && seed%2 == 0 {
				rg.ctx.MemoryBudget = 3000
				rg.open()
			}
			if bounded {
				for at := 0; at < n; at += 50 {
					rg.process(1, rc.batch(at, at+50, false))
					rg.process(0, lc.batch(at, at+50, true))
				}
				rg.barrier(false)
				if slices.ContainsFunc(rg.log, func(s string) bool { return s[0] == '-' }) {
					t.Error("a bounded join takes rows back")
				}
			} else {
				drive(rg, r, lc, rc)
			}

			diff(t, "join", rg.sorted(), naiveJoin(kind, cond, left, right, ts))
		})
	}
}

func naiveJoin(kind plan.JoinKind, cond bool, left, right [][]types.Datum, ts []types.Type) []string {
	match := func(l, r []types.Datum) bool {
		if kind != plan.CrossJoin && (l[1].Null || r[1].Null || string(l[1].B) != string(r[1].B)) {
			return false
		}
		return !cond || l[2].I < r[2].I
	}
	return nestedLoop(kind, left, right, ts, match)
}

// nestedLoop joins by looking at all pairs.
func nestedLoop(kind plan.JoinKind, left, right [][]types.Datum, ts []types.Type, match func(l, r []types.Datum) bool) []string {
	text := func(rows ...[]types.Datum) string {
		var b column.Batch
		for _, row := range rows {
			for j, t := range ts {
				c := column.New(t, 1)
				if row == nil {
					c.AppendNull()
				} else {
					c.Append(row[j])
				}
				b.Cols = append(b.Cols, c)
			}
		}
		return rowText(&b, 0)
	}
	var out []string
	used := make([]bool, len(right))
	for _, l := range left {
		matched := false
		for k, r := range right {
			if !match(l, r) {
				continue
			}
			matched, used[k] = true, true
			if kind != plan.SemiJoin && kind != plan.AntiJoin {
				out = append(out, text(l, r))
			}
		}
		switch {
		case kind == plan.SemiJoin && matched, kind == plan.AntiJoin && !matched:
			out = append(out, text(l))
		case !matched && (kind == plan.LeftJoin || kind == plan.FullJoin):
			out = append(out, text(l, nil))
		}
	}
	for k, r := range right {
		if !used[k] && (kind == plan.RightJoin || kind == plan.FullJoin) {
			out = append(out, text(nil, r))
		}
	}
	slices.Sort(out)
	return out
}
