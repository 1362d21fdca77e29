package operator

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"velostream/catalog/types"
	"velostream/engine/dataflow"
	"velostream/engine/sql/expr"
	"velostream/engine/sql/plan"
	"velostream/storage/column"
	"velostream/storage/spool"
)

// disk is temporary space in which operators go on beyond bytes; at the end of the test it must be free.
func disk(t testing.TB, bytes int64) *spool.Disk {
	a := &spool.Area{Dir: t.TempDir(), SpillBytes: bytes}
	d := a.NewDisk(1 << 30)
	t.Cleanup(func() {
		if a.Used() != 0 {
			t.Errorf("%d bytes of temporary files are left", a.Used())
		}
		if err := d.Close(); err != nil {
			t.Error(err)
		}
		if list, err := os.ReadDir(a.Dir); err != nil || len(list) > 0 {
			t.Errorf("left in the directory: %v %v", list, err)
		}
	})
	return d
}

// spillTypes are the types of spillRow: one of each kind, and those with an order of their own.
func spillTypes() []types.Type {
	return []types.Type{
		types.Int8, types.Text, types.Numeric, types.Float8, types.Bool, types.IntervalT, types.Timestamptz,
		types.JSONB, mustArray(types.Int4),
		{OID: types.OIDBpchar, Mod: 7},
	}
}

// spillRow is a row with few different values, many NULLs among them; n tells rows apart.
func spillRow(r *rand.Rand, n int) []types.Datum {
	row := randomRow(r)
	texts := []string{`{"a": 1}`, `{"a": 1.0}`, `[2, 1]`, `"x"`, `{"b": 0, "aa": 1}`, `null`}
	var list []types.Datum
	for range r.IntN(3) {
		list = append(list, types.IntDatum(int64(r.IntN(3))))
	}
	out := []types.Datum{
		types.IntDatum(int64(n)), row[0], row[2], row[3], row[4], row[5], row[1],
		types.StringDatum(texts[r.IntN(len(texts))]),
		{List: list},
		types.StringDatum([]string{"a", "a  ", "b"}[r.IntN(3)]),
	}
	if r.IntN(5) == 0 {
		out[7+r.IntN(3)] = types.NullDatum
	}
	return out
}

// TestSortSpill compares sorting on disk with sorting in memory: the same rows in the same
// order, those that are equal in the order too.
func TestSortSpill(t *testing.T) {
	ts := spillTypes()
	for seed := range uint64(30) {
		r := rand.New(rand.NewPCG(seed, 11))
		p := &plan.Physical{Op: plan.OpSort, Inputs: []*plan.Physical{input(true, nil, ts...)}, Out: schema(ts...), AppendOnly: true, EventTime: -1, WindowEnd: -1}
		for range 1 + r.IntN(3) {
			k := 1 + r.IntN(len(ts)-1)
			p.Sort = append(p.Sort, plan.SortKey{Expr: col(k, ts[k]), Desc: r.IntN(2) == 0, NullsFirst: r.IntN(2) == 0})
		}
		if seed%3 == 2 {
			p.Op, p.Offset, p.Count = plan.OpTopN, bigint(int64(r.IntN(400))), bigint(int64(2000+r.IntN(1000)))
		}
		c, _ := randomChanges(r, ts, 3000, func() []types.Datum { return spillRow(r, r.IntN(1<<30)) }, false)
		run := func(ctx BuildContext) []string {
			rg := newRig(t, p, false)
			rg.ctx = ctx
			rg.open()
			for at := 0; at < len(c.rows); {
				n := min(1+r.IntN(300), len(c.rows)-at)
				rg.process(0, c.batch(at, at+n, r.IntN(2) == 0))
				at += n
			}
			rg.barrier(false)
			return rg.log
		}
		// Small blocks and few at a time: several passes.
		budget := int64(1) << (10 + r.IntN(8))
		spilled := run(BuildContext{Shards: 1, MemoryBudget: budget, Disk: disk(t, 1<<r.IntN(16))})
		if want := run(BuildContext{Shards: 1}); !slices.Equal(spilled, want) {
			diff(t, fmt.Sprintf("seed %d", seed), spilled, want)
			t.Fatalf("seed %d: another order", seed)
		}
	}
}

// TestSpillLimit checks the error of a query that needs more than its temporary space.
func TestSpillLimit(t *testing.T) {
	a := &spool.Area{Dir: t.TempDir(), SpillBytes: 1}
	in := input(true, nil, types.Int8, types.Text)
	p := &plan.Physical{Op: plan.OpSort, Inputs: []*plan.Physical{in}, Out: in.Out, Sort: []plan.SortKey{{Expr: col(1, types.Text)}}}
	d := a.NewDisk(4000)
	op, err := Build(p, BuildContext{Shards: 1, Disk: d})
	if err != nil {
		t.Fatal(err)
	}
	if err := fill(op, false); !errors.As(err, new(spool.ErrFull)) {
		t.Fatalf("got %v", err)
	}
	if err := d.Close(); err != nil || a.Used() != 0 {
		t.Fatalf("%d bytes left, %v", a.Used(), err)
	}
}

// TestAggregateSpill compares grouping on disk with grouping in memory: by few keys and by many, with
// aggregates that need all values, with time windows, and without groups.
func TestAggregateSpill(t *testing.T) {
	ts := append(slices.Clone(aggInput), types.Int8)
	i, f, k := col(1, types.Int4), col(3, types.Float8), col(0, types.Text)
	for seed := range uint64(30) {
		r := rand.New(rand.NewPCG(seed, 12))
		byValue, byArrival := everyAgg()
		aggs := append(byValue, byArrival...)
		sum := call("sum", types.Float8, f)
		sum.Distinct = true
		list := call("array_agg", mustArray(types.Int4), i)
		list.Distinct = true
		half := call("percentile_disc", types.Int4, &expr.Const{Value: types.FloatDatum(0.5), T: types.Float8})
		half.OrderBy = []plan.SortKey{{Expr: i}}
		aggs = append(aggs, sum, list, half, call("array_agg", mustArray(types.Text), k), call("jsonb_agg", types.JSONB, i), call("median", types.Float8, f))
		keys := [][]int{{6}, {0}, {2, 6}, {}, {4, 3, 5}}[seed%5]
		if seed%2 == 1 {
			aggs = nil // DISTINCT
			keys = append(keys, 6)
		}
		spread := 1 + r.IntN(600)
		p := aggPlan(input(true, nil, ts...), keys, aggs)
		c, _ := randomChanges(r, ts, 1500, func() []types.Datum {
			return append(randomRow(r), types.IntDatum(int64(r.IntN(spread))))
		}, false)
		run := func(ctx BuildContext) []string {
			rg := newRig(t, p, false)
			rg.ctx = ctx
			rg.open()
			for at := 0; at < len(c.rows); {
				n := min(1+r.IntN(200), len(c.rows)-at)
				rg.process(0, c.batch(at, at+n, r.IntN(2) == 0))
				at += n
			}
			rg.watermark(dataflow.EndOfTime)
			rg.barrier(false)
			return rg.sorted()
		}
		got := run(BuildContext{Shards: 1, Disk: disk(t, 1<<r.IntN(16))})
		diff(t, fmt.Sprintf("seed %d", seed), got, run(BuildContext{Shards: 1}))
	}
}

// TestJoinSpill compares joins on disk with a nested loop: all kinds, with and without a condition, NULL
// keys, one key that most rows have, whichever side comes first, and rows of both sides in turn.
func TestJoinSpill(t *testing.T) {
	ts := []types.Type{types.Int8, types.Text, types.Int4} // id, key, value
	kinds := []plan.JoinKind{plan.InnerJoin, plan.LeftJoin, plan.RightJoin, plan.FullJoin, plan.SemiJoin, plan.AntiJoin, plan.CrossJoin}
	for seed := range uint64(84) {
		r := rand.New(rand.NewPCG(seed, 13))
		kind, cond := kinds[seed%7], seed/7%2 == 0
		p := &plan.Physical{
			Op: plan.OpJoin, Join: kind, Keys: []int{1}, RightKeys: []int{1}, EventTime: -1, WindowEnd: -1, AppendOnly: true,
			Inputs: []*plan.Physical{input(true, []int{0}, ts...), input(true, []int{0}, ts...)},
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
		skew, id := r.IntN(10), int64(0)
		row := func() []types.Datum {
			id++
			k := types.StringDatum("the key that most rows have")
			switch {
			case r.IntN(8) == 0:
				k = types.NullDatum
			case r.IntN(10) >= skew:
				k = types.StringDatum(strconv.Itoa(r.IntN(60)))
			}
			return []types.Datum{types.IntDatum(id), k, types.IntDatum(int64(r.IntN(5)))}
		}
		c, rows := [2]*changes{}, [2][][]types.Datum{}
		for port := range c {
			c[port], rows[port] = randomChanges(r, ts, r.IntN(250), row, false)
		}
		rg := newRig(t, p, false)
		budget := int64(1) << r.IntN(14)
		rg.ctx = BuildContext{Shards: 1, Disk: disk(t, budget)}
		rg.open()
		end := func(port int) {
			if err := rg.op.(*hashJoin).End(port, rg); err != nil {
				t.Fatal(err)
			}
		}
		first, turns, at := r.IntN(2), seed%3 == 0, [2]int{}
		for {
			port := first
			if at[port] == len(c[port].rows) || turns && r.IntN(2) == 0 {
				port = 1 - port
			}
			if at[port] == len(c[port].rows) {
				if at[1-port] == len(c[1-port].rows) {
					break
				}
				continue
			}
			n := min(1+r.IntN(60), len(c[port].rows)-at[port])
			rg.process(port, c[port].batch(at[port], at[port]+n, r.IntN(2) == 0))
			if got := rg.op.(*hashJoin).memory(); got > max(budget, 2<<10) { // the table of keys has 64 slots at least
				t.Fatalf("seed %d: the table and the rows that wait take %d bytes of %d", seed, got, budget)
			}
			if at[port] += n; at[port] == len(c[port].rows) && seed%4 > 0 {
				end(port)
			}
		}
		rg.barrier(false)
		diff(t, fmt.Sprintf("seed %d", seed), rg.sorted(), naiveJoin(kind, cond, rows[0], rows[1], ts))
		if !cond && kind == plan.InnerJoin || kind == plan.CrossJoin {
			matchOrder(t, seed, rg.log)
		}
	}
}

// matchOrder checks that the rows that match a row come in the order in which they came.
func matchOrder(t *testing.T, seed uint64, log []string) {
	last := map[string]int{}
	for _, l := range log {
		f := strings.Split(strings.TrimPrefix(l, "+ "), "|")
		id, err := strconv.Atoi(f[3])
		if err != nil {
			t.Fatal(err)
		}
		if id <= last[f[0]] {
			t.Fatalf("seed %d: row %s meets row %d after %d", seed, f[0], id, last[f[0]])
		}
		last[f[0]] = id
	}
}

// TestOverSpill compares window functions on disk with those in memory: all functions, frames and
// exclusions, partitions of one row and of all, peers, and offsets that are rows' own.
func TestOverSpill(t *testing.T) {
	n, v, id := types.Numeric, col(3, types.Numeric), col(0, types.Int4)
	for seed := range uint64(40) {
		r := rand.New(rand.NewPCG(seed, 14))
		bound := func(end bool) plan.FrameBound {
			switch r.IntN(4) {
			case 0:
				if end {
					return plan.FrameBound{Kind: plan.UnboundedFollowing}
				}
				return plan.FrameBound{Kind: plan.UnboundedPreceding}
			case 1:
				return preceding(int64(r.IntN(20)))
			case 2:
				return following(int64(r.IntN(20)))
			}
			return plan.FrameBound{Kind: plan.CurrentRow}
		}
		frame := func() plan.Frame {
			f := frameOf([]plan.FrameMode{plan.FrameRows, plan.FrameGroups}[r.IntN(2)], bound(false), bound(true))
			f.Exclude = []plan.FrameExclude{plan.ExcludeNone, plan.ExcludeNone, plan.ExcludeCurrent, plan.ExcludeGroup, plan.ExcludeTies}[r.IntN(5)]
			return f
		}
		calls := allCalls()
		for _, name := range []string{"sum", "count", "min", "array_agg", "first_value", "last_value"} {
			c := agg(name, n, frame())
			if name == "array_agg" {
				c.T = mustArray(n)
			}
			if name == "first_value" || name == "last_value" {
				c.Aggregate = false
			}
			if name == "count" {
				c.T = types.Int8
			}
			calls = append(calls, c)
		}
		offset := plan.OverCall{Name: "lag", Args: []expr.Expr{v, &expr.Call{Name: "%", Sig: []types.OID{types.OIDInt4, types.OIDInt4}, T: types.Int4, Args: []expr.Expr{id, &expr.Const{Value: types.IntDatum(50), T: types.Int4}}}}, T: n}
		count := 1 + r.IntN(700)
		if seed == 9 { // results go to disk in several blocks
			calls, count = allCalls(), 3*maxBatch
		}
		p := overPlan(true, append(calls, offset)...)
		p.Tables = nil
		ts := p.Inputs[0].Types()
		if seed%4 == 0 {
			p.Keys = nil
		}
		if seed%3 > 0 {
			p.Sort = p.Sort[:1] // peers
		}
		c := &changes{types: ts}
		for i := range count {
			c.add(column.Insert, overRow(r, i))
		}
		run := func(ctx BuildContext) []string {
			rg := newRig(t, p, false)
			rg.ctx = ctx
			rg.open()
			for at := 0; at < count; {
				k := min(1+r.IntN(200), count-at)
				rg.process(0, c.batch(at, at+k, r.IntN(2) == 0))
				at += k
			}
			rg.barrier(false)
			return rg.log
		}
		got := run(BuildContext{Shards: 1, Disk: disk(t, 1<<r.IntN(18))})
		if want := run(BuildContext{Shards: 1}); !slices.Equal(got, want) {
			diff(t, fmt.Sprintf("seed %d", seed), got, want)
			t.Fatalf("seed %d: another order", seed)
		}
	}
}
