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
	for seed := range uint64(112) {
		r := rand.New(rand.NewPCG(seed, 3))
		kind, cond := kinds[seed%7], seed/7%2 == 0
		bounded := seed/14%4 == 3
		tables := !bounded && seed%3 > 0
		appends := [2]bool{bounded || seed >= 56, bounded || seed >= 84} // rows of these sides are stored in blocks
		p := &plan.Physical{
			Op: plan.OpJoin, Join: kind, Keys: []int{1}, RightKeys: []int{1}, EventTime: -1, WindowEnd: -1, Tables: []uint16{1, 2},
			AppendOnly: bounded || tables && appends[1] && (kind == plan.InnerJoin || kind == plan.CrossJoin),
			Inputs:     []*plan.Physical{input(appends[0], []int{0}, ts...), input(appends[1], []int{0}, ts...)},
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
			lc, left := randomChanges(r, ts, n, row, !appends[0])
			rc, right := randomChanges(r, ts, n, row, !appends[1])
			rg := newRig(t, p, tables)
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

// TestJoinBlocks: rows of a side that loses none are written many to an entry, and read again.
func TestJoinBlocks(t *testing.T) {
	ts := []types.Type{types.Int8, types.Int8}
	p := &plan.Physical{
		Op: plan.OpJoin, Join: plan.InnerJoin, Keys: []int{1}, RightKeys: []int{1}, EventTime: -1, WindowEnd: -1, Tables: []uint16{1, 2},
		Inputs: []*plan.Physical{input(true, []int{0}, ts...), input(false, []int{0}, ts...)}, Out: append(schema(ts...), schema(ts...)...),
	}
	rg := newRig(t, p, true)
	rg.quiet = true
	left, right := &changes{types: ts}, &changes{types: ts}
	const rows, keys, epochs = 30_000, 3, 2
	for i := range rows {
		left.add(column.Insert, []types.Datum{types.IntDatum(int64(i) << 30), types.IntDatum(int64(i % keys))})
	}
	for k := range keys {
		right.add(column.Insert, []types.Datum{types.IntDatum(int64(k)), types.IntDatum(int64(k))})
	}
	for e := range epochs {
		rg.process(0, left.batch(e*rows/epochs, (e+1)*rows/epochs, false))
		rg.barrier(true)
	}
	entries := 0
	for _, err := range rg.space.Table(1).Scan(nil, nil) {
		if entries++; err != nil {
			t.Fatal(err)
		}
	}
	if entries < epochs*keys*2 || entries > rows/500 {
		t.Errorf("%d rows are in %d entries", rows, entries)
	}
	rg.open()
	rg.process(1, right.batch(0, keys, false))
	rg.barrier(true)
	if len(rg.rows) != rows {
		t.Errorf("%d rows of %d", len(rg.rows), rows)
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
