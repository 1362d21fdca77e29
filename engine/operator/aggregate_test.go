package operator

import (
	"fmt"
	"math"
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

var aggInput = []types.Type{types.Text, types.Int4, types.Numeric, types.Float8, types.Bool, types.IntervalT}

func call(name string, ret types.Type, args ...expr.Expr) plan.AggCall {
	return plan.AggCall{Name: name, Args: args, T: ret}
}

// everyAgg is a call of each kind; those in the second list go by arrival and are
// not compared with a recomputation.
func everyAgg() (byValue, byArrival []plan.AggCall) {
	k, i, d, f, b, iv := col(0, types.Text), col(1, types.Int4), col(2, types.Numeric), col(3, types.Float8), col(4, types.Bool), col(5, types.IntervalT)
	distinct := func(a plan.AggCall) plan.AggCall { a.Distinct = true; return a }
	ordered := func(a plan.AggCall, desc bool) plan.AggCall {
		a.OrderBy = []plan.SortKey{{Expr: i, Desc: desc}, {Expr: d}, {Expr: f}, {Expr: b}}
		return a
	}
	filtered := call("sum", types.Int8, i)
	filtered.Filter = b
	ints, _ := types.Int4.Array()
	comma := &expr.Const{T: types.Text, Value: types.StringDatum(",")}
	byValue = []plan.AggCall{
		call("count", types.Int8), call("count", types.Int8, i), distinct(call("count", types.Int8, k)), distinct(call("count", types.Int8, d)),
		call("sum", types.Int8, i), call("avg", types.Numeric, i), call("sum", types.Numeric, d), call("avg", types.Numeric, d), distinct(call("sum", types.Int8, i)),
		call("sum", types.Float8, f), call("avg", types.Float8, f), call("sum", types.IntervalT, iv),
		call("min", types.Int4, i), call("max", types.Int4, i), call("min", types.Numeric, d), call("max", types.Numeric, d), call("min", types.Text, k), call("max", types.Float8, f),
		call("stddev", types.Numeric, i), call("var_pop", types.Numeric, d), call("stddev", types.Float8, f), call("var_samp", types.Float8, f),
		call("bool_and", types.Bool, b), call("bool_or", types.Bool, b), filtered,
		ordered(call("first_value", types.Int4, i), false), ordered(call("last_value", types.Int4, i), true),
		ordered(call("string_agg", types.Text, k, comma), false), ordered(call("array_agg", ints, i), true),
	}
	byArrival = []plan.AggCall{call("first_value", types.Numeric, d), call("last_value", types.Int4, i)}
	return byValue, byArrival
}

func aggPlan(in *plan.Physical, keys []int, aggs []plan.AggCall) *plan.Physical {
	var ts []types.Type
	var key []int
	for k, j := range keys {
		ts = append(ts, in.Out[j].Type)
		key = append(key, k)
	}
	for _, a := range aggs {
		ts = append(ts, a.T)
	}
	return &plan.Physical{
		Op: plan.OpAggregate, Inputs: []*plan.Physical{in}, Out: schema(ts...), Key: key, Keys: keys,
		Aggs: aggs, Emit: plan.EmitChanges, WindowEnd: -1, EventTime: -1, Tables: []uint16{1, 2},
	}
}

func randomRow(r *rand.Rand) []types.Datum {
	null := func(d types.Datum) types.Datum {
		if r.IntN(8) == 0 {
			return types.NullDatum
		}
		return d
	}
	decs := []string{"1", "1.0", "1.50", "1.5", "-3", "2.25", "0.001", "123456789012345678901234567890.5", "7"}
	floats := []float64{0, 0.1, 0.2, -3.5, 1e4, 2.5, 1e-3}
	return []types.Datum{
		null(types.StringDatum([]string{"a", "b", "a longer key than inline", "", "c"}[r.IntN(5)])),
		null(types.IntDatum(int64(r.IntN(9) - 4))), null(dec(decs[r.IntN(len(decs))])), null(types.FloatDatum(floats[r.IntN(len(floats))])),
		null(types.BoolDatum(r.IntN(2) == 0)), null(types.Datum{Iv: types.Interval{Months: int32(r.IntN(3)), Days: int32(r.IntN(3)), Micros: int64(r.IntN(3))}}),
	}
}

// randomChanges makes n changes of a set of rows, and the rows left in the end.
func randomChanges(r *rand.Rand, ts []types.Type, n int, row func() []types.Datum, deletes bool) (c *changes, live [][]types.Datum) {
	c = &changes{types: ts}
	for range n {
		if deletes && len(live) > 0 && r.IntN(100) < 45 {
			k := r.IntN(len(live))
			c.add(column.Delete, live[k])
			live = slices.Delete(live, k, k+1)
			continue
		}
		x := row()
		live = append(live, x)
		c.add(column.Insert, x)
	}
	return c, live
}

// drive gives all changes to the rig, cut at random into batches and epochs, flushed and
// reopened at random.
func drive(rg *rig, r *rand.Rand, feeds ...*changes) {
	at := make([]int, len(feeds))
	for {
		var open []int
		for p := range feeds {
			if at[p] < len(feeds[p].rows) {
				open = append(open, p)
			}
		}
		if len(open) == 0 {
			break
		}
		p := open[r.IntN(len(open))]
		to := min(len(feeds[p].rows), at[p]+1+r.IntN(20))
		rg.process(p, feeds[p].batch(at[p], to, r.IntN(2) == 0))
		at[p] = to
		switch r.IntN(6) {
		case 0:
			rg.barrier(false)
		case 1:
			rg.barrier(true)
			if rg.store != nil && r.IntN(2) == 0 {
				rg.open()
			}
		}
	}
	rg.barrier(true)
}

func TestAggregateRandom(t *testing.T) {
	for seed := range uint64(40) {
		r := rand.New(rand.NewPCG(seed, 1))
		deletes, keys := seed%2 == 0, [][]int{{0}, {1}, {0, 2}, {}, {4, 3}}[seed%5]
		aggs, arrival := everyAgg()
		t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) {
			all := append(slices.Clone(aggs), arrival...)
			c, live := randomChanges(r, aggInput, 400, func() []types.Datum { return randomRow(r) }, deletes)
			p := aggPlan(input(!deletes, nil, aggInput...), keys, all)
			rg := newRig(t, p, seed%3 != 0)
			if seed%4 == 1 && rg.store != nil {
				rg.ctx.MemoryBudget = 2000 // next to nothing stays in memory
				rg.open()
			}
			drive(rg, r, c)
			want := newRig(t, aggPlan(input(true, nil, aggInput...), keys, all), false)
			left := &changes{types: aggInput}
			for _, row := range live {
				left.add(column.Insert, row)
			}
			want.process(0, left.batch(0, len(left.rows), false))
			want.barrier(false)
			cut := func(rows []string) []string {
				if deletes {
					rows = dropColumns(rows, len(arrival))
				}
				return plainKeys(rows, keys)
			}
			diff(t, "incremental against at once", cut(rg.sorted()), cut(want.sorted()))
			checkNaive(t, want.sorted(), live, keys)
		})
	}
}

// plainKeys writes numeric keys without zeros at the end: which of 1.5 and 1.50 a group
// shows depends on which came first.
func plainKeys(rows []string, keys []int) []string {
	out := make([]string, len(rows))
	for k, s := range rows {
		f := splitRow(s)
		for j, c := range keys {
			if d, err := types.ParseDecimal(f[j]); aggInput[c].Kind() == types.KindDecimal && err == nil {
				f[j] = d.Normal().String()
			}
		}
		out[k] = strings.Join(f, "|")
	}
	slices.Sort(out)
	return out
}

// dropColumns cuts the last n columns off.
func dropColumns(rows []string, n int) []string {
	out := make([]string, len(rows))
	for k, s := range rows {
		for range n {
			for s[len(s)-1] != '|' {
				s = s[:len(s)-1]
			}
			s = s[:len(s)-1]
		}
		out[k] = s
	}
	slices.Sort(out)
	return out
}

// checkNaive recomputes count(*), count(i), sum(i), sum(d), min(i), max(i) in plain code.
func checkNaive(t *testing.T, got []string, live [][]types.Datum, keys []int) {
	t.Helper()
	type sums struct {
		n, ni, si, lo, hi int64
		sd                types.Decimal
		nd                int64
	}
	groups := map[string]*sums{}
	if len(keys) == 0 {
		groups[""] = &sums{}
	}
	for _, row := range live {
		b := column.NewBuilder(aggInput, 1)
		for j, d := range row {
			b.Col(j).Append(d)
		}
		b.Row(column.Insert)
		var parts []string
		for _, k := range keys {
			one := column.Batch{N: 1, Cols: []*column.Column{b.Col(k)}}
			if !row[k].Null && b.Col(k).Type.Kind() == types.KindDecimal {
				parts = append(parts, row[k].Dec.Normal().String())
				continue
			}
			parts = append(parts, rowText(&one, 0))
		}
		key := strings.Join(parts, "|")
		g := groups[key]
		if g == nil {
			g = &sums{}
			groups[key] = g
		}
		g.n++
		if !row[1].Null {
			if g.ni == 0 {
				g.lo, g.hi = math.MaxInt64, math.MinInt64
			}
			g.ni++
			g.si += row[1].I
			g.lo, g.hi = min(g.lo, row[1].I), max(g.hi, row[1].I)
		}
		if !row[2].Null {
			g.nd++
			g.sd, _ = g.sd.Add(row[2].Dec)
		}
	}
	if len(groups) != len(got) {
		t.Fatalf("%d groups, want %d", len(got), len(groups))
	}
	var want []string
	for _, g := range groups {
		or := func(ok bool, s string) string {
			if !ok {
				return "NULL"
			}
			return s
		}
		want = append(want, fmt.Sprintf("%d|%d|%s|%s|%s|%s", g.n, g.ni, or(g.ni > 0, strconv.FormatInt(g.si, 10)), or(g.nd > 0, g.sd.String()),
			or(g.ni > 0, strconv.FormatInt(g.lo, 10)), or(g.ni > 0, strconv.FormatInt(g.hi, 10))))
	}
	var have []string
	for _, s := range got {
		f := splitRow(s)[len(keys):]
		have = append(have, f[0]+"|"+f[1]+"|"+f[4]+"|"+f[6]+"|"+f[12]+"|"+f[13])
	}
	slices.Sort(want)
	slices.Sort(have)
	diff(t, "against plain code", have, want)
}

func splitRow(s string) []string {
	var out []string
	at := 0
	for k := range s {
		if s[k] == '|' {
			out, at = append(out, s[at:k]), k+1
		}
	}
	return append(out, s[at:])
}

func TestAggregateWindowRandom(t *testing.T) {
	ts := []types.Type{types.Text, types.Timestamp, types.Timestamp, types.Int8}
	for seed := range uint64(24) {
		r := rand.New(rand.NewPCG(seed, 2))
		final := seed%2 == 0
		p := aggPlan(input(true, nil, ts...), []int{0, 2}, []plan.AggCall{
			call("count", types.Int8), call("min", types.Int8, col(3, types.Int8)),
			call("first_value", types.Int8, col(3, types.Int8)),
			{Name: "count", Args: []expr.Expr{col(3, types.Int8)}, Distinct: true, T: types.Int8},
		})
		p.WindowEnd, p.Lateness, p.Inputs[0].EventTime = 1, 5, 1
		if final {
			p.Emit, p.AppendOnly = plan.EmitFinal, true
		}
		t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) {
			rg := newRig(t, p, true)
			if seed%3 == 0 {
				rg.ctx.MemoryBudget = 500
				rg.open()
			}
			type group struct {
				n, lo, first, at int64
				seen             map[int64]bool
			}
			want := map[string]*group{}
			wm, late := int64(math.MinInt64/2), 0
			now := int64(100)
			for range 60 {
				c := &changes{types: ts}
				for range r.IntN(15) {
					tm := now - int64(r.IntN(60))
					end := floorTo(tm, 0, 10) + 10
					k, v := string(rune('a'+r.IntN(4))), int64(r.IntN(6))
					c.add(column.Insert, []types.Datum{types.StringDatum(k), types.IntDatum(tm), types.IntDatum(end), types.IntDatum(v)})
					if end+5 <= wm {
						late++
						continue
					}
					key := fmt.Sprintf("%s|%d", k, end)
					g := want[key]
					if g == nil {
						g = &group{lo: v, first: v, at: tm, seen: map[int64]bool{}}
						want[key] = g
					}
					if tm < g.at {
						g.at, g.first = tm, v
					}
					g.n, g.lo, g.seen[v] = g.n+1, min(g.lo, v), true
				}
				rg.process(0, c.batch(0, len(c.rows), r.IntN(2) == 0))
				now += int64(r.IntN(8))
				if r.IntN(3) == 0 {
					wm = now - 20
					rg.watermark(dataflow.Watermark(wm))
				}
				// In EMIT CHANGES windows are closed at the barrier, late rows dropped at once.
				flush := r.IntN(2) == 0
				rg.barrier(flush)
				if flush && r.IntN(2) == 0 {
					lost := rg.op.(dataflow.LateRows).LateRows()
					rg.open()
					late -= int(lost)
				}
			}
			if got := int(rg.op.(dataflow.LateRows).LateRows()); got != late {
				t.Errorf("%d late rows, want %d", got, late)
			}
			rg.watermark(dataflow.EndOfTime)
			rg.barrier(true)
			var rows []string
			for key, g := range want {
				f := splitRow(key)
				var end int64
				fmt.Sscan(f[1], &end)
				rows = append(rows, fmt.Sprintf("%s|%s|%d|%d|%d|%d", f[0], types.AppendText(nil, types.Timestamp, types.IntDatum(end), nil), g.n, g.lo, g.first, len(g.seen)))
			}
			slices.Sort(rows)
			diff(t, "windows", rg.sorted(), rows)
			for id := range uint16(3) {
				for e, err := range rg.space.Table(id).Scan([]byte{0}, nil) {
					if err != nil || id == 2 || e.Key[0] != spaceMeta {
						t.Fatalf("table %d still has %x (%v)", id, e.Key, err)
					}
				}
			}
		})
	}
}

func TestAggregateEmpty(t *testing.T) {
	p := aggPlan(input(true, nil, types.Int4), nil, []plan.AggCall{call("count", types.Int8), call("sum", types.Int8, col(0, types.Int4))})
	rg := newRig(t, p, true)
	rg.barrier(true)
	diff(t, "over nothing", rg.log, []string{"+ 0|NULL"})
	rg.log = nil
	rg.open()
	rg.barrier(true)
	diff(t, "again", rg.log, nil)
}

// TestAggregateAboveChanges checks that what an operator below emits at the barrier is not
// late for a watermark of the same epoch.
func TestAggregateAboveChanges(t *testing.T) {
	in := input(false, nil, types.Timestamp)
	in.Op, in.Emit, in.Lateness = plan.OpAggregate, plan.EmitChanges, 5
	p := aggPlan(in, []int{0}, []plan.AggCall{call("count", types.Int8)})
	p.WindowEnd = 0
	rg := newRig(t, p, true)
	row := &changes{types: []types.Type{types.Timestamp}}
	row.add(column.Insert, []types.Datum{types.IntDatum(10)})
	rg.watermark(15)
	rg.process(0, row.batch(0, 1, false))
	rg.barrier(true)
	diff(t, "first", rg.log, []string{"+ 2000-01-01 00:00:00.00001|1"})
	rg.process(0, row.batch(0, 1, false))
	rg.barrier(true)
	if n := rg.op.(dataflow.LateRows).LateRows(); n != 1 {
		t.Errorf("%d late rows", n)
	}
}
