package operator

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"velostream/catalog/types"
	"velostream/engine/dataflow"
	"velostream/engine/sql/expr"
	"velostream/engine/sql/plan"
	"velostream/storage/column"
)

// sessionPlan has rows id, key, time; gap 10, most 0 or a greatest size.
func sessionPlan(appends bool, most int64) *plan.Physical {
	in := input(appends, []int{0}, types.Int4, types.Int4, types.Timestamp)
	in.EventTime = 2
	p := &plan.Physical{
		Op: plan.OpSession, Inputs: []*plan.Physical{in}, Out: append(plan.Schema(nil), in.Out...), Key: []int{0}, Keys: []int{1},
		Exprs: []expr.Expr{col(2, types.Timestamp)}, Window: plan.TimeWindow{Kind: plan.Session, Gap: 10, MaxSize: most},
		EventTime: 4, WindowEnd: -1, Tables: []uint16{1, 2, 3},
	}
	p.Out = append(p.Out, plan.Column{Name: "window_start", Type: types.Timestamp}, plan.Column{Name: "window_end", Type: types.Timestamp})
	return p
}

// sessionRow is a row of the test.
type sessionRow struct{ id, key, t int64 }

// naiveSessions are the sessions of rows, each as "key start end: ids".
func naiveSessions(rows []sessionRow, most int64) []string {
	slices.SortFunc(rows, func(a, b sessionRow) int {
		return int((a.key-b.key)*1_000_000 + (a.t-b.t)*1000 + a.id - b.id)
	})
	var out []string
	for i := 0; i < len(rows); {
		j := i + 1
		for j < len(rows) && rows[j].key == rows[i].key && rows[j].t-rows[j-1].t < 10 && (most == 0 || rows[j].t-rows[i].t < most) {
			j++
		}
		end := rows[j-1].t + 10
		if most > 0 {
			end = min(end, rows[i].t+most)
		}
		var ids []string
		for _, r := range rows[i:j] {
			ids = append(ids, strconv.FormatInt(r.id, 10))
		}
		slices.Sort(ids)
		out = append(out, fmt.Sprintf("%d %d %d: %s", rows[i].key, rows[i].t, end, strings.Join(ids, " ")))
		i = j
	}
	slices.Sort(out)
	return out
}

// shownSessions groups what the operator shows by its window columns. In IDs mode the start
// and end are computed, and the bound must not be before the end.
func shownSessions(t *testing.T, r *rig, most int64) []string {
	t.Helper()
	type group struct {
		key, start, last, bound int64
		ids                     []string
	}
	groups := map[string]*group{}
	for text, n := range r.rows {
		if n != 1 {
			t.Fatalf("row %q %d times", text, n)
		}
		f := strings.Split(text, "|")
		at := r.times[text]
		g := groups[f[1]+"|"+f[3]+"|"+f[4]]
		if g == nil {
			g = &group{key: at[0], start: at[1], last: at[1], bound: at[3]}
			groups[f[1]+"|"+f[3]+"|"+f[4]] = g
		}
		g.start, g.last = min(g.start, at[1]), max(g.last, at[1])
		g.ids = append(g.ids, f[0])
		if !r.p.IDs && at[2] > at[1] {
			t.Fatalf("row %q before its session", text)
		}
	}
	var out []string
	for _, g := range groups {
		end := g.last + 10
		if most > 0 {
			end = min(end, g.start+most)
		}
		if g.bound < end || !r.p.IDs && g.bound != end {
			t.Fatalf("session of %v ends at %d, not %d", g.ids, g.bound, end)
		}
		slices.Sort(g.ids)
		out = append(out, fmt.Sprintf("%d %d %d: %s", g.key, g.start, end, strings.Join(g.ids, " ")))
	}
	slices.Sort(out)
	return out
}

// TestSession compares sessions that are kept up to date with sessions of the rows there
// are, under random changes, restarts and little memory.
func TestSession(t *testing.T) {
	for seed := range uint64(24) {
		r := rand.New(rand.NewPCG(seed, 3))
		most := int64(0)
		if seed%3 == 2 {
			most = 25
		}
		p := sessionPlan(false, most)
		p.IDs = seed%2 == 0
		k := newRig(t, p, seed%4 > 0)
		k.quiet, k.times = true, map[string][]int64{}
		if seed > 12 {
			k.ctx.MemoryBudget = 3000
			if k.store == nil {
				k.ctx.MemoryBudget = 100_000
			}
			k.open()
		}
		live := map[int64]sessionRow{}
		for epoch := range 60 {
			c := &changes{types: p.Inputs[0].Types()}
			for range 1 + r.IntN(8) {
				id := r.Int64N(40)
				if old, ok := live[id]; ok {
					c.add(column.Delete, sessionDatums(old))
					delete(live, id)
					if r.IntN(3) > 0 {
						continue
					}
				}
				row := sessionRow{id, r.Int64N(2), r.Int64N(150)}
				live[id] = row
				c.add(column.Insert, sessionDatums(row))
			}
			k.process(0, c.batch(0, len(c.rows), epoch%2 == 1))
			k.barrier(true)
			if epoch%7 == 6 && k.store != nil {
				k.open()
			}
			var rows []sessionRow
			for _, row := range live {
				rows = append(rows, row)
			}
			diff(t, fmt.Sprintf("seed %d epoch %d", seed, epoch), shownSessions(t, k, most), naiveSessions(rows, most))
		}
	}
}

func sessionDatums(r sessionRow) []types.Datum {
	return []types.Datum{types.IntDatum(r.id), types.IntDatum(r.key), types.IntDatum(r.t)}
}

// TestSessionCloses: rows in disorder within a bound, a watermark behind them, restarts: what
// closes are the sessions of all rows, and nothing is left. What shows them as they grow ends the
// same.
func TestSessionCloses(t *testing.T) {
	for seed := range uint64(12) {
		r := rand.New(rand.NewPCG(seed, 4))
		p := sessionPlan(true, 0)
		p.IDs = seed%3 == 1
		if seed%3 == 0 {
			p.Emit = plan.EmitFinal
		}
		k := newRig(t, p, true)
		k.quiet, k.times = true, map[string][]int64{}
		var rows []sessionRow
		high := int64(0)
		for epoch := range 50 {
			c := &changes{types: p.Inputs[0].Types()}
			for range 1 + r.IntN(5) {
				high += r.Int64N(6)
				row := sessionRow{int64(len(rows)), r.Int64N(2), max(high-r.Int64N(8), 0)}
				rows = append(rows, row)
				c.add(column.Insert, sessionDatums(row))
			}
			k.process(0, c.batch(0, len(c.rows), false))
			k.watermark(dataflow.Watermark(high - 8))
			k.barrier(epoch%2 == 0)
			if epoch%6 == 4 {
				k.open()
			}
		}
		k.watermark(dataflow.EndOfTime)
		k.barrier(true)
		diff(t, fmt.Sprintf("seed %d", seed), shownSessions(t, k, 0), naiveSessions(rows, 0))
		s := k.op.(*session)
		if s.late != 0 || len(s.parts) != 0 {
			t.Errorf("seed %d: %d late rows, %d keys left", seed, s.late, len(s.parts))
		}
		for _, id := range p.Tables {
			for e := range k.space.Table(id).Scan(nil, nil) {
				if e.Key[0] == spaceGroups && len(e.Key) > 1 || id != 3 {
					t.Errorf("seed %d: table %d still has %x", seed, id, e.Key)
				}
			}
		}
	}
}
