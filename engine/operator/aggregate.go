package operator

import (
	"math"
	"slices"
	"time"

	"velostream/catalog/types"
	"velostream/engine/dataflow"
	"velostream/engine/sql/expr"
	"velostream/engine/sql/plan"
	"velostream/pgwire/pgerror"
	"velostream/storage/column"
	"velostream/storage/rowenc"
	"velostream/storage/state"
)

// aggregate groups rows and keeps aggregates per group: output = the group's key
// columns, then a column per call.
//
//   - A group is there while it has rows. Without key columns there is one group, also
//     over no rows (on shard 0), whose first row leaves at the first Barrier.
//   - At Barrier each group that differs from what was last emitted gives a Delete of the old
//     row and an Insert of the new one, once, whatever happened in between.
//   - Time windows (WindowEnd ≥ 0): a window is closed once the watermark reaches its end
//     plus the lateness. Rows of closed windows are late: dropped and counted. EMIT FINAL emits a
//     group once, when its window closes, so the output is append-only; EMIT CHANGES emits
//     changes as above. Either way the state of a closed window is freed; its results stay.
//   - EMIT FINAL without a window emits at the end of bounded input.
//   - Bounded input has no table. Groups beyond the budget go to disk (aggregate_spill.go).
//
// Table 0 (aggregate_state.go): groups. Table 1: values of the aggregates that
// need all of them (multiset.go). Table 2, with Timeout: open windows (deadline.go).
type aggregate struct {
	p      *plan.Physical
	ctx    BuildContext
	label  string
	table  state.Table
	final  bool // emit on close, or at the end
	end    int  // position of window_end in the key, -1
	single bool // no key columns

	keys    *keyTable
	order   []int // columns of the state key: window_end first
	inexact []int // key columns whose key bytes do not tell the exact value
	exact   []*column.Column
	rows    []int64
	flags   []uint8
	old     []int32 // row in olds of what was emitted before this epoch; valid with flagTouched
	accs    []accumulator
	calls   []aggCall
	set     *multiset
	widths  int64

	touched []int32 // groups changed in this epoch
	dirty   []int32 // groups changed since the last flush
	olds    *column.Builder
	news    *column.Builder
	out     emitter

	deferred    bool              // watermarks count at the barrier
	lateness    int64             // also that of windows below
	mark        int64             // windows that end at or before it are closed at the next barrier
	frontier    int64             // windows that end at or before it are closed
	retain      int64             // how long windows are corrected before they are closed
	shown       int64             // with retain: windows that end at or before it are over; their rows are late
	gate        bool              // only groups of windows that are over are emitted
	windows     map[int64][]int32 // groups in memory by window_end; may name groups gone since
	firstEnd    int64             // no window in memory ends before it
	outsideEnd  int64             // no group that is only in the table ends before it
	frontierOld int64             // as stored
	whole       bool              // no group is only in the table
	late        int64
	ended       bool
	hand        int32 // of the clock that evicts
	deadlines   *deadlines

	parts *partitions // rows of groups that do not fit any more; nil: all do
	level int         // how often the input was spread over partitions

	scratch aggScratch
}

// aggCall is what is evaluated for one call.
type aggCall struct {
	args   []evaluator
	filter *expr.Evaluator
	flat   []*column.Column
	u      update
	view   column.Batch
}

// aggScratch is memory reused from batch to batch.
type aggScratch struct {
	all, rows, gids      []int32
	hashes               []uint64
	signs, subSigns      []int8
	subRows, subGids     []int32
	keyCols              []*column.Column
	view                 column.Batch
	missing              []int32
	capture              []int32 // groups whose old rows are to be kept
	live, gone           []int32
	spilled, kept, rest  []int32 // places of rows whose groups do not fit; rows that stay; rows that go
	restHashes           []uint64
	dels, adds           []int32
	key, groupKey, value []byte
	groupOf              int32
}

const (
	flagTouched   = 1 << iota // changed in this epoch
	flagDirty                 // changed since the last flush
	flagEmitted               // the last barrier left a row of it in the output
	flagStored                // the table has it
	flagReference             // used since the clock's hand passed
	flagLive                  // the id is in use
)

func newAggregate(p *plan.Physical, ctx BuildContext) (dataflow.Operator, error) {
	if len(p.Inputs) != 1 {
		return nil, pgerror.New(pgerror.InternalError, "aggregate needs one input")
	}
	in := p.Inputs[0]
	a := &aggregate{
		p: p, ctx: ctx, label: ctx.label("GROUP BY"), table: ctx.table(p, 0),
		final: p.Emit == plan.EmitFinal, end: p.WindowEnd, single: len(p.Keys) == 0,
		frontier: math.MinInt64, frontierOld: math.MinInt64, firstEnd: math.MaxInt64, outsideEnd: math.MaxInt64,
		olds: column.NewBuilder(p.Types(), 0), news: column.NewBuilder(p.Types(), 0), out: emitter{column.NewBuilder(p.Types(), 0)},
	}
	inTypes := in.Types()
	a.mark = math.MinInt64
	a.deferred, a.lateness = plan.Timing(in)
	a.lateness += p.Lateness
	a.shown = math.MinInt64
	if p.Late == plan.LateUpdate {
		a.retain, a.gate, a.final = p.Retention, a.final, false
		a.lateness += a.retain
	}
	var ts []types.Type
	for k, j := range p.Keys {
		ts = append(ts, inTypes[j])
		switch inTypes[j].Kind() {
		case types.KindDecimal, types.KindInterval, types.KindFloat:
			a.inexact = append(a.inexact, k)
			a.exact = append(a.exact, column.New(inTypes[j], 1))
		case types.KindBytes:
			if !column.PlainBytes(inTypes[j]) {
				a.inexact = append(a.inexact, k)
				a.exact = append(a.exact, column.New(inTypes[j], 1))
			}
		default:
		}
		if k != a.end {
			a.order = append(a.order, k)
		}
	}
	if a.end >= len(p.Keys) || a.end >= 0 && ts[a.end].Kind() != types.KindInt {
		return nil, pgerror.New(pgerror.InternalError, "window_end is no time among the keys of the aggregate")
	}
	if a.end >= 0 {
		a.order = slices.Insert(a.order, 0, a.end)
		a.windows = make(map[int64][]int32)
	}
	a.keys = newKeyTable(ts)
	a.whole = a.table == nil || a.table.Fresh()
	a.set = newMultiset(a.label, ctx.table(p, 1), ctx.budget().half())
	a.set.ctx = ctx
	a.scratch.keyCols = make([]*column.Column, len(p.Keys))
	a.scratch.groupOf = -1
	if len(p.Aggs) > 120 {
		return nil, pgerror.New(pgerror.ProgramLimitExceeded, "a query can have at most 120 aggregates")
	}
	for i := range p.Aggs {
		if err := a.addCall(i, in); err != nil {
			return nil, err
		}
	}
	a.widths = 24
	for _, acc := range a.accs {
		a.widths += acc.width()
	}
	var err error
	if a.deadlines, err = newDeadlines(p, ctx, 2, p.Lateness); err != nil {
		return nil, err
	}
	return a, a.restore()
}

// addCall compiles one aggregate call; the columns that order its rows follow its
// arguments.
func (a *aggregate) addCall(i int, in *plan.Physical) error {
	call := &a.p.Aggs[i]
	c := aggContext{index: i, appends: in.AppendOnly, set: a.set, keys: a}
	args := slices.Clone(call.Args)
	c.env = a.ctx.Env
	if ordered(aggName(call.Name)) {
		es, orders := orderColumns(call)
		args, c.orders = append(args, es...), orders
		first := aggName(call.Name) == "first_value" || aggName(call.Name) == "last_value"
		if first && len(call.OrderBy) == 0 && a.end >= 0 && in.EventTime >= 0 {
			args = append(args, &expr.Col{Index: in.EventTime, T: in.Out[in.EventTime].Type})
			c.orders = []rowenc.Order{{}}
		}
	}
	acc, err := newAccumulator(call, c)
	if err != nil {
		return err
	}
	evs, err := compileAll(args)
	if err != nil {
		return err
	}
	x := aggCall{args: evs, flat: make([]*column.Column, len(evs))}
	x.u.args, x.u.keys = make([]*column.Column, len(evs)), a
	if call.Filter != nil {
		if x.filter, err = expr.Compile(call.Filter); err != nil {
			return err
		}
	}
	a.accs, a.calls = append(a.accs, acc), append(a.calls, x)
	return nil
}

// LateRows is how many rows came after their window was closed.
func (a *aggregate) LateRows() int64 { return a.late }

// NextTick is when a window is closed by the clock.
func (a *aggregate) NextTick() time.Time { return a.deadlines.tick() }

func (a *aggregate) Process(_ int, in *column.Batch, _ dataflow.Output) error {
	s := &a.scratch
	if a.p.Late == plan.LateNext && a.frontier > math.MinInt64 && a.frontier < math.MaxInt64 {
		in = a.moveLate(in)
	}
	rows, err := a.inTime(in)
	if err != nil || len(rows) == 0 {
		return err
	}
	if a.deadlines != nil {
		a.deadlines.came(in.Cols[a.p.Keys[a.end]], rows)
	}
	rows, err = a.locate(in, rows)
	if err != nil || len(rows) == 0 {
		return err
	}
	gids := s.gids
	signs, err := a.count(in, rows, gids)
	if err != nil {
		return err
	}
	s.view = *in
	s.view.Sel = rows
	for i := range a.accs {
		if err := a.feed(i, &s.view, rows, gids, signs); err != nil {
			return err
		}
	}
	return a.bound()
}

// inTime lists the rows to work on: the selected ones but for late ones.
func (a *aggregate) inTime(in *column.Batch) ([]int32, error) {
	s := &a.scratch
	var rows []int32
	if in.Sel != nil {
		rows = in.Sel
	} else {
		for i := len(s.all); i < in.N; i++ {
			s.all = append(s.all, int32(i))
		}
		rows = s.all[:in.N]
	}
	if a.retain > 0 && a.frontier > math.MinInt64 {
		a.countLate(in, rows)
	}
	if a.end < 0 || a.frontier == math.MinInt64 {
		return rows, nil
	}
	c := in.Cols[a.p.Keys[a.end]]
	k := 0
	for ; k < len(rows); k++ {
		if i := c.At(int(rows[k])); c.Ints[i] <= a.frontier {
			break
		}
	}
	if k == len(rows) {
		return rows, nil
	}
	s.rows = append(s.rows[:0], rows[:k]...)
	for _, i := range rows[k:] {
		if end := c.Ints[c.At(int(i))]; end <= a.frontier {
			a.late++
			if err := a.ctx.tooLate(a.p.Inputs[0], in, int(i), end, a.frontier); err != nil {
				return nil, err
			}
			continue
		}
		s.rows = append(s.rows, i)
	}
	return s.rows, nil
}

// locate sets scratch.gids to the groups of rows, making or loading those that
// are not in memory, and returns the rows, without those that go to disk.
func (a *aggregate) locate(in *column.Batch, rows []int32) ([]int32, error) {
	s := &a.scratch
	if cap(s.gids) < len(rows) {
		s.gids = make([]int32, len(rows))
	}
	s.gids = s.gids[:len(rows)]
	if a.single {
		clear(s.gids)
		if a.keys.live == 0 { // the one group of a shard other than 0
			a.keys.insert(nil, 0, 0)
			a.growGroups()
			a.flags[0] = flagLive
		}
		return rows, nil
	}
	for k, j := range a.p.Keys {
		s.keyCols[k] = in.Cols[j]
	}
	s.hashes = column.HashRows(s.hashes, s.keyCols, rows, 0)
	a.keys.find(s.keyCols, rows, s.hashes, s.gids)
	s.missing = s.missing[:0]
	for k, g := range s.gids {
		if g >= 0 {
			continue
		}
		// An earlier row of this batch may have made the group.
		if g = a.keys.findOne(s.keyCols, int(rows[k]), s.hashes[k]); g < 0 {
			if a.parts != nil {
				s.spilled = append(s.spilled, int32(k))
				continue
			}
			g = a.keys.insert(s.keyCols, int(rows[k]), s.hashes[k])
			a.growGroups()
			s.groupOf = -1
			a.rows[g], a.flags[g] = 0, flagLive
			s.missing = append(s.missing, g)
		}
		s.gids[k] = g
	}
	if len(s.spilled) > 0 {
		return a.divert(in, rows)
	}
	if len(s.missing) == 0 {
		return rows, nil
	}
	if a.end >= 0 {
		for _, g := range s.missing {
			a.indexWindow(g)
		}
	}
	if a.whole {
		return rows, nil
	}
	return rows, a.load(s.missing)
}

func (a *aggregate) indexWindow(g int32) {
	end := a.keys.cols[a.end].ints[g]
	a.windows[end] = append(a.windows[end], g)
	a.firstEnd = min(a.firstEnd, end)
}

// growGroups makes room for all ids given out.
func (a *aggregate) growGroups() {
	n := a.keys.n
	if n <= len(a.rows) {
		return
	}
	a.rows, a.flags, a.old = resize(a.rows, n), resize(a.flags, n), resize(a.old, n)
	for _, acc := range a.accs {
		acc.grow(n)
	}
}

// count marks the groups as changed, keeping what was emitted of them before, and
// counts their rows. signs is nil when all rows are inserts.
func (a *aggregate) count(in *column.Batch, rows, gids []int32) (signs []int8, err error) {
	const seen = flagTouched | flagDirty | flagReference
	for _, g := range gids {
		if a.flags[g]&seen != seen {
			a.touch(g)
		}
	}
	s := &a.scratch
	if len(s.capture) > 0 {
		if err := a.appendRows(a.olds, s.capture); err != nil {
			return nil, err
		}
		s.capture = s.capture[:0]
	}
	if in.Ops == nil || !hasDeletes(in) {
		for _, g := range gids {
			a.rows[g]++
		}
		return nil, nil
	}
	if a.p.Inputs[0].AppendOnly {
		return nil, broken(a.label, "a row is deleted from append-only input")
	}
	s.signs = s.signs[:0]
	for k, i := range rows {
		sign := int8(1)
		if in.Ops[i] == column.Delete {
			sign = -1
		}
		s.signs = append(s.signs, sign)
		a.rows[gids[k]] += int64(sign)
	}
	return s.signs, nil
}

// touch marks g as changed, and to be captured if a row of it is in the output.
func (a *aggregate) touch(g int32) {
	f := a.flags[g]
	a.flags[g] |= flagTouched | flagDirty | flagReference
	if f&flagDirty == 0 {
		a.dirty = append(a.dirty, g)
	}
	if f&flagTouched != 0 {
		return
	}
	a.touched = append(a.touched, g)
	a.old[g] = -1
	if f&flagEmitted != 0 && !a.final {
		a.old[g] = int32(a.olds.Len() + len(a.scratch.capture))
		a.scratch.capture = append(a.scratch.capture, g)
	}
}

// appendRows adds the present output rows of gs to b as inserts.
func (a *aggregate) appendRows(b *column.Builder, gs []int32) error {
	for j := range a.keys.cols {
		dst := b.Col(j)
		for _, g := range gs {
			a.keys.cols[j].appendTo(dst, g)
		}
	}
	for i, acc := range a.accs {
		dst := b.Col(len(a.keys.cols) + i)
		for _, g := range gs {
			if err := acc.result(g, dst); err != nil {
				return err
			}
		}
	}
	b.Rows(len(gs), column.Insert)
	return nil
}

// feed gives the rows to aggregate i.
func (a *aggregate) feed(i int, in *column.Batch, rows, gids []int32, signs []int8) error {
	c, s := &a.calls[i], &a.scratch
	c.view = *in
	if c.filter != nil {
		sel, err := c.filter.EvalFilter(a.ctx.Env, in, rows)
		if err != nil || len(sel) == 0 {
			return err
		}
		s.subRows, s.subGids, s.subSigns = s.subRows[:0], s.subGids[:0], s.subSigns[:0]
		k := 0
		for _, r := range sel {
			for rows[k] != r {
				k++
			}
			s.subRows, s.subGids = append(s.subRows, r), append(s.subGids, gids[k])
			if signs != nil {
				s.subSigns = append(s.subSigns, signs[k])
			}
		}
		rows, gids = s.subRows, s.subGids
		if signs != nil {
			signs = s.subSigns
		}
		c.view.Sel = rows
	}
	for k := range c.args {
		col, err := c.args[k].eval(a.ctx.Env, &c.view)
		if err != nil {
			return err
		}
		c.u.args[k] = flatten(col, in.N, &c.flat[k])
	}
	c.u.rows, c.u.gids, c.u.signs = rows, gids, signs
	return a.accs[i].update(&c.u)
}

// groupKey is the state key of g, for the aggregates' entries in the multiset.
func (a *aggregate) groupKey(g int32) []byte {
	s := &a.scratch
	if s.groupOf != g {
		s.groupKey = a.keys.appendKey(s.groupKey[:0], g, a.order)
		s.groupOf = g
	}
	return s.groupKey
}
