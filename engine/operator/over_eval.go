package operator

import (
	"velostream/engine/sql/expr"
	"velostream/engine/sql/plan"
	"velostream/pgwire/pgerror"
	"velostream/storage/column"
	"velostream/storage/rowenc"
)

// overEval computes window functions over the sorted rows of one partition at a time.
// What the calls need of each row is evaluated once for a whole batch by prepare.
type overEval struct {
	env   *expr.Env
	label string
	sort  []plan.SortKey
	order []evaluator
	keys  []*column.Column // of order, over the prepared batch
	calls []*overCall
	flats []*column.Column // scratch of flatten
	part  overPart

	orderCols []*column.Column // scratch of orderOf
}

// overPart is a partition while it is computed: positions count its rows in order. It is
// rows of the prepared batch, or, when it does not fit into memory, on disk (big).
type overPart struct {
	big       *overBig
	rows      []int32 // of the prepared batch
	peerStart []int32 // by position: where its peers begin
	peerEnd   []int32
	group     []int32 // number of its peer group
	first     []int32 // by group: its first position; then the number of rows
}

// overCall is one call with what it needs of the prepared batch.
type overCall struct {
	plan   *plan.OverCall
	args   []overArg
	filter *overArg
	key    *overArg // of RANGE with offsets
	lo, hi *overArg
	// offsets of ROWS and GROUPS
	start, end int64
	nulls      bool // NULLs come first in the order
	agg        *overAggregate
	// where the last frame began and ended: both only move on
	from, to int
}

type overArg struct {
	ev   evaluator
	flat *column.Column
	col  *column.Column // over the prepared batch
	at   int            // the column of it in an overBig
}

func newOverArg(e expr.Expr) (*overArg, error) {
	if e == nil {
		return nil, nil
	}
	ev, err := compileExpr(e)
	return &overArg{ev: ev}, err
}

func (a *overArg) prepare(env *expr.Env, in *column.Batch) error {
	if a == nil {
		return nil
	}
	c, err := a.ev.eval(env, in)
	if err != nil {
		return err
	}
	a.col = flatten(c, in.N, &a.flat)
	return nil
}

func newOverEval(p *plan.Physical, ctx BuildContext) (*overEval, error) {
	w := &overEval{env: ctx.Env, label: ctx.label("OVER"), sort: p.Sort}
	for _, k := range p.Sort {
		ev, err := compileExpr(k.Expr)
		if err != nil {
			return nil, err
		}
		w.order = append(w.order, ev)
	}
	w.keys, w.flats = make([]*column.Column, len(w.order)), make([]*column.Column, len(w.order))
	for i := range p.Over {
		c, err := w.newCall(&p.Over[i], ctx)
		if err != nil {
			return nil, err
		}
		w.calls = append(w.calls, c)
	}
	return w, nil
}

func (w *overEval) newCall(p *plan.OverCall, ctx BuildContext) (*overCall, error) {
	c := &overCall{plan: p, nulls: len(w.sort) > 0 && w.sort[0].NullsFirst}
	for _, e := range p.Args {
		a, err := newOverArg(e)
		if err != nil {
			return nil, err
		}
		c.args = append(c.args, *a)
	}
	var err error
	for _, x := range []struct {
		to **overArg
		e  expr.Expr
	}{{&c.filter, p.Filter}, {&c.key, p.Frame.Key}, {&c.lo, p.Frame.Lo}, {&c.hi, p.Frame.Hi}} {
		if *x.to, err = newOverArg(x.e); err != nil {
			return nil, err
		}
	}
	if c.start, err = frameOffset(&p.Frame, p.Frame.Start, ctx.Env, "starting"); err != nil {
		return nil, err
	}
	if c.end, err = frameOffset(&p.Frame, p.Frame.End, ctx.Env, "ending"); err != nil {
		return nil, err
	}
	if !p.Aggregate {
		return c, nil
	}
	es, _ := orderColumns(&plan.AggCall{Name: p.Name, Args: p.Args})
	for _, e := range es {
		a, err := newOverArg(e)
		if err != nil {
			return nil, err
		}
		c.args = append(c.args, *a)
	}
	c.agg, err = newOverAggregate(p, len(c.args), ctx)
	return c, err
}

// frameOffset evaluates the offset of a bound and refuses NULL and negative ones
// with 22004 and 22013.
func frameOffset(f *plan.Frame, b plan.FrameBound, env *expr.Env, which string) (int64, error) {
	if b.Offset == nil {
		return 0, nil
	}
	d, err := constDatum(env, b.Offset)
	if err != nil {
		return 0, err
	}
	if d.Null {
		return 0, pgerror.New("22004", "frame %s offset must not be null", which)
	}
	if f.Mode == plan.FrameRange {
		t := b.Offset.Type()
		zero := column.New(t, 2)
		zero.Append(d)
		zero.Append(zeroDatum())
		if column.CompareAt(zero, 0, zero, 1) < 0 {
			return 0, pgerror.New("22013", "invalid preceding or following size in window function")
		}
		return 0, nil
	}
	if d.I < 0 {
		return 0, pgerror.New("22013", "frame %s offset must not be negative", which)
	}
	return min(d.I, 1<<40), nil
}

// results are empty columns for the results of the calls, with room for n rows.
func (w *overEval) results(n int) []*column.Column {
	out := make([]*column.Column, len(w.calls))
	for i, c := range w.calls {
		out[i] = column.New(c.plan.T, n)
	}
	return out
}

// orderOf evaluates what rows are ordered by over in. The columns are valid until the
// next use of w.
func (w *overEval) orderOf(in *column.Batch) ([]*column.Column, error) {
	w.orderCols = w.orderCols[:0]
	for k := range w.order {
		c, err := w.order[k].eval(w.env, in)
		if err != nil {
			return nil, err
		}
		w.orderCols = append(w.orderCols, c)
	}
	return w.orderCols, nil
}

// appendOrder appends the key form of row i of the order columns.
func (w *overEval) appendOrder(dst []byte, order []*column.Column, i int) []byte {
	for k, c := range order {
		dst = rowenc.AppendKeyColumn(dst, c, i, rowenc.Order{Desc: w.sort[k].Desc, NullsFirst: w.sort[k].NullsFirst})
	}
	return dst
}

// prepare evaluates the expressions of all calls over in.
func (w *overEval) prepare(in *column.Batch) error {
	order, err := w.orderOf(in)
	if err != nil {
		return err
	}
	for k, c := range order {
		w.keys[k] = flatten(c, in.N, &w.flats[k])
	}
	for _, c := range w.calls {
		for i := range c.args {
			if err := c.args[i].prepare(w.env, in); err != nil {
				return err
			}
		}
		for _, a := range []*overArg{c.filter, c.key, c.lo, c.hi} {
			if err := a.prepare(w.env, in); err != nil {
				return err
			}
		}
	}
	return nil
}

// compare orders two rows of the prepared batch.
func (w *overEval) compare(x, y int32) int {
	for k, c := range w.keys {
		if d := compareKey(c, int(x), int(y), w.sort[k]); d != 0 {
			return d
		}
	}
	return 0
}

// partition appends the results for rows, one partition in order, to out, a column
// per call.
func (w *overEval) partition(rows []int32, out []*column.Column) error {
	p := &w.part
	n := len(rows)
	p.rows = rows
	p.peerStart, p.peerEnd, p.group = resize(p.peerStart, n)[:n], resize(p.peerEnd, n)[:n], resize(p.group, n)[:n]
	p.first = p.first[:0]
	for at := 0; at < n; {
		end := at + 1
		for end < n && (len(w.keys) == 0 || w.compare(rows[end-1], rows[end]) == 0) {
			end++
		}
		for i := at; i < end; i++ {
			p.peerStart[i], p.peerEnd[i], p.group[i] = int32(at), int32(end), int32(len(p.first))
		}
		p.first = append(p.first, int32(at))
		at = end
	}
	p.first = append(p.first, int32(n))
	for i, c := range w.calls {
		c.from, c.to = 0, 0
		if err := c.run(p, out[i]); err != nil {
			return err
		}
	}
	return nil
}

// len is how many rows there are.
func (p *overPart) len() int {
	if p.big != nil {
		return p.big.n
	}
	return len(p.rows)
}

// value is where the value of a at a position is.
func (p *overPart) value(a *overArg, i int) (*column.Column, int) {
	if p.big != nil {
		b, row := p.big.at(i)
		return b.Cols[a.at], row
	}
	return a.col, int(p.rows[i])
}

// peers are the positions [start, end) of the peers of i, and the number of their group.
func (p *overPart) peers(i int) (start, end, group int) {
	if p.big != nil {
		return p.big.peers(i)
	}
	return int(p.peerStart[i]), int(p.peerEnd[i]), int(p.group[i])
}

// groupStart is the first position of group g; that of one that is not there is at the
// end next to it.
func (p *overPart) groupStart(g int64) int {
	if p.big != nil {
		return p.big.groupStart(max(g, 0))
	}
	return int(p.first[min(max(g, 0), int64(len(p.first)-1))])
}

// put is called after each result: those of a big partition do not stay in memory.
func (p *overPart) put(dst *column.Column) error {
	if p.big == nil || dst.Len() < maxBatch {
		return nil
	}
	return p.big.drain(dst)
}

// ok reports that the disk can be read.
func (p *overPart) ok() bool { return p.big == nil || p.big.err == nil }

// frame is the positions [lo, hi) of the frame of position i, exclusions still in. To
// be asked in the order of positions.
func (c *overCall) frame(p *overPart, i int) (lo, hi int) {
	f := &c.plan.Frame
	lo, hi = c.bound(p, i, f.Start, c.start, false), c.bound(p, i, f.End, c.end, true)
	return lo, max(lo, hi)
}

func (c *overCall) bound(p *overPart, i int, b plan.FrameBound, offset int64, end bool) int {
	n := p.len()
	one := 0
	if end {
		one = 1
	}
	switch {
	case b.Kind == plan.UnboundedPreceding:
		return 0
	case b.Kind == plan.UnboundedFollowing:
		return n
	case c.plan.Frame.Mode == plan.FrameRows:
		at := int64(i) + int64(one)
		switch b.Kind {
		case plan.OffsetPreceding:
			at -= offset
		case plan.OffsetFollowing:
			at += offset
		default:
		}
		return int(min(max(at, 0), int64(n)))
	case b.Kind == plan.CurrentRow && end:
		_, last, _ := p.peers(i)
		return last
	case b.Kind == plan.CurrentRow:
		first, _, _ := p.peers(i)
		return first
	case c.plan.Frame.Mode == plan.FrameGroups:
		_, _, group := p.peers(i)
		g := int64(group) + int64(one)
		if b.Kind == plan.OffsetPreceding {
			g -= offset
		} else {
			g += offset
		}
		return p.groupStart(g)
	}
	return c.rangeBound(p, i, end)
}

// rangeBound moves on to the first position whose key is not before the start of the
// frame, or is behind its end.
func (c *overCall) rangeBound(p *overPart, i int, end bool) int {
	if key, row := p.value(c.key, i); key.Null(row) {
		first, last, _ := p.peers(i)
		if end {
			return last
		}
		return first
	}
	at, limit := &c.from, c.lo
	if end {
		at, limit = &c.to, c.hi
	}
	limits, row := p.value(limit, i)
	for *at < p.len() && p.ok() {
		key, j := p.value(c.key, *at)
		var d int
		switch {
		case key.Null(j) && c.nulls:
			d = -1
		case key.Null(j):
			d = 1
		default:
			d = column.CompareAt(key, j, limits, row)
			if c.plan.Frame.Desc {
				d = -d
			}
		}
		if d > 0 || d == 0 && !end {
			break
		}
		*at++
	}
	return *at
}

// excluded is the positions that the frame of i leaves out; keep is one of them that
// stays, -1: none.
func (c *overCall) excluded(p *overPart, i int) (lo, hi, keep int) {
	switch c.plan.Frame.Exclude {
	case plan.ExcludeCurrent:
		return i, i + 1, -1
	case plan.ExcludeGroup:
		lo, hi, _ = p.peers(i)
		return lo, hi, -1
	case plan.ExcludeTies:
		lo, hi, _ = p.peers(i)
		return lo, hi, i
	default:
	}
	return 0, 0, -1
}

// spans calls f for the runs of positions that are in the frame of i.
func (c *overCall) spans(p *overPart, i int, f func(lo, hi int)) {
	lo, hi := c.frame(p, i)
	if c.plan.Frame.Exclude == plan.ExcludeNone {
		f(lo, hi)
		return
	}
	xlo, xhi, keep := c.excluded(p, i)
	xlo, xhi = min(max(xlo, lo), hi), min(max(xhi, lo), hi)
	if lo < xlo {
		f(lo, xlo)
	}
	if keep >= xlo && keep < xhi {
		f(keep, keep+1)
	}
	if xhi < hi {
		f(max(xhi, xlo), hi)
	}
}
