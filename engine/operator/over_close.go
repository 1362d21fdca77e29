package operator

import (
	"encoding/binary"
	"math"
	"time"

	"velostream/engine/dataflow"
	"velostream/engine/sql/plan"
	"velostream/storage/column"
	"velostream/storage/rowenc"
	"velostream/storage/state"
)

// overAtClose holds the rows of time windows until their windows close, and emits them then,
// once, with the results of the window functions over the window's rows: by window, partition
// and order. Without functions it only holds and orders them.
//
//   - A window is closed once the watermark reaches its end (column WindowEnd) plus the
//     lateness. Rows that come afterwards are late: dropped and counted.
//   - Rows that are deleted before their window closes are never seen.
//   - Its rows are in the table, so what is held grows with the open windows; one partition
//     of one window is in memory at a time.
//
// Table 0:
//
//	0x00                                           → version, varint: the frontier
//	0x01, window_end, partition, order, stream key → version, varint: bytes up to the order, row
//
// Table 1, with Timeout: open windows (deadline.go).
type overAtClose struct {
	p     *plan.Physical
	ctx   BuildContext
	eval  *overEval
	rows  entries
	width int

	clock   closing
	first   int64 // no row in the table belongs to a window that ends before it
	late    int64
	part    *column.Builder
	results []*column.Column
	out     emitter

	deadlines *deadlines
	rowOf     [1]int32 // scratch
	key, val  []byte
}

// closing is how far windows are closed.
type closing struct {
	deferred    bool  // watermarks count at the barrier
	lateness    int64 // µs
	mark        int64 // windows that end at or before it are closed at the next barrier
	frontier    int64 // windows that end at or before it are closed
	frontierOld int64 // as stored
	ended       bool
}

func newClosing(p *plan.Physical) closing {
	c := closing{mark: math.MinInt64, frontier: math.MinInt64, frontierOld: math.MinInt64}
	c.deferred, c.lateness = plan.Timing(p.Inputs[0])
	c.lateness += p.Lateness
	return c
}

// watermark takes w over and reports that windows may close now.
func (c *closing) watermark(w dataflow.Watermark) bool {
	if w == dataflow.EndOfTime {
		// What is below may hold its last rows back until the barrier: close only then.
		c.ended = true
		return false
	}
	f := int64(w)
	if f < math.MinInt64+1+c.lateness {
		return false
	}
	c.mark = max(c.mark, f-c.lateness)
	if c.deferred || c.mark <= c.frontier {
		return false
	}
	c.frontier = c.mark
	return true
}

// barrier moves the frontier up at the end of an epoch.
func (c *closing) barrier() {
	if c.ended {
		c.mark = math.MaxInt64
	}
	c.frontier, c.ended = max(c.frontier, c.mark), false
}

// save and load keep the frontier under the key 0x00.
func (c *closing) save(s *entries) error {
	if c.frontier == c.frontierOld {
		return nil
	}
	c.frontierOld = c.frontier
	return s.put([]byte{spaceMeta}, binary.AppendVarint([]byte{stateVersion}, c.frontier))
}

func (c *closing) load(s *entries) error {
	v, err := s.get([]byte{spaceMeta})
	if err != nil || v == nil {
		return err
	}
	if v[0] != stateVersion {
		return column.Corrupt("state of time windows")
	}
	if c.frontier, _, err = takeVarint(v[1:]); err != nil {
		return err
	}
	c.mark, c.frontierOld = c.frontier, c.frontier
	return nil
}

func newOverAtClose(p *plan.Physical, ctx BuildContext, eval *overEval) (*overAtClose, error) {
	in := p.Inputs[0].Types()
	o := &overAtClose{
		p: p, ctx: ctx, eval: eval, width: len(in), clock: newClosing(p), first: math.MinInt64,
		rows: newEntries(ctx, ctx.table(p, 0), ctx.label("WINDOW")),
		part: column.NewBuilder(in, 0), results: eval.results(0), out: emitter{column.NewBuilder(p.Types(), 0)},
	}
	var err error
	if o.deadlines, err = newDeadlines(p, ctx, 1, p.Lateness); err != nil {
		return nil, err
	}
	if o.rows.fresh() {
		o.first = math.MaxInt64
		return o, nil
	}
	return o, o.clock.load(&o.rows)
}

// NextTick is when a window is closed by the clock.
func (o *overAtClose) NextTick() time.Time { return o.deadlines.tick() }

// LateRows is how many rows came after their window was closed.
func (o *overAtClose) LateRows() int64 { return o.late }

func (o *overAtClose) Process(_ int, in *column.Batch, _ dataflow.Output) error {
	order, err := o.eval.orderOf(in)
	if err != nil {
		return err
	}
	ends := in.Cols[o.p.WindowEnd]
	for i := range in.Each {
		end := ends.Ints[ends.At(i)]
		if end <= o.clock.frontier {
			if in.Op(i) == column.Insert {
				o.late++
			}
			if err := o.ctx.tooLate(o.p.Inputs[0], in, i, end, o.clock.frontier); err != nil {
				return err
			}
			continue
		}
		o.first = min(o.first, end)
		if o.rowOf[0] = int32(i); o.deadlines != nil {
			o.deadlines.came(ends, o.rowOf[:])
		}
		o.key = rowenc.AppendKeyColumn(append(o.key[:0], spaceGroups), ends, i, rowenc.Order{})
		o.key = rowenc.AppendKey(o.key, in.Cols, o.p.Keys, i)
		prefix := len(o.key)
		o.key = o.eval.appendOrder(o.key, order, i)
		o.key = rowenc.AppendKey(o.key, in.Cols, o.p.Inputs[0].Key, i)
		o.val = binary.AppendUvarint(append(o.val[:0], stateVersion), uint64(prefix))
		o.val = rowenc.AppendRow(o.val, in.Cols[:o.width], i)
		if err := o.apply(in.Op(i)); err != nil {
			return err
		}
	}
	return nil
}

// apply puts the row at hand in or takes it out. A row may come before the one of the same
// key that it replaces goes.
func (o *overAtClose) apply(op column.Op) error {
	if op == column.Insert {
		return o.rows.put(o.key, o.val)
	}
	old, err := o.rows.get(o.key)
	if err != nil || string(old) != string(o.val) {
		return err
	}
	return o.rows.remove(o.key)
}

// Watermark closes the windows that w has passed, or leaves that to the barrier.
func (o *overAtClose) Watermark(w dataflow.Watermark, out dataflow.Output) error {
	if !o.clock.watermark(w) {
		return nil
	}
	return o.close(out)
}

// Barrier closes windows and writes how far they are.
func (o *overAtClose) Barrier(e state.Epoch, out dataflow.Output) error {
	o.clock.mark = max(o.clock.mark, o.deadlines.due())
	o.clock.barrier()
	if err := o.close(out); err != nil {
		return err
	}
	o.deadlines.closed(o.clock.frontier)
	if !e.Flush || o.rows.table == nil {
		return nil
	}
	if err := o.deadlines.flush(); err != nil {
		return err
	}
	return o.clock.save(&o.rows)
}

// close emits and forgets the rows of the windows up to the frontier.
func (o *overAtClose) close(out dataflow.Output) error {
	if o.first > o.clock.frontier {
		return nil
	}
	hi := o.closedEnd()
	var prefix []byte
	o.part.Reset()
	err := o.rows.scan([]byte{spaceGroups}, hi, func(k, v []byte) (bool, error) {
		if len(v) == 0 || v[0] != stateVersion {
			return false, column.Corrupt("state of time windows")
		}
		n, used := binary.Uvarint(v[1:])
		if used <= 0 || n > uint64(len(k)) {
			return false, column.Corrupt("state of time windows")
		}
		if string(k[:n]) != string(prefix) {
			if err := o.emitPart(out); err != nil {
				return false, err
			}
			prefix = append(prefix[:0], k[:n]...)
		}
		if err := rowenc.DecodeRow(v[1+used:], o.part); err != nil {
			return false, err
		}
		o.part.Row(column.Insert)
		return true, nil
	})
	if err != nil {
		return err
	}
	if err := o.emitPart(out); err != nil {
		return err
	}
	if err := o.rows.removeRange([]byte{spaceGroups}, hi); err != nil {
		return err
	}
	if err := o.peek(); err != nil {
		return err
	}
	return o.out.flush(out)
}

// closedEnd is the end of the range of closed windows.
func (o *overAtClose) closedEnd() []byte {
	if o.clock.frontier == math.MaxInt64 {
		return []byte{spaceGroups + 1}
	}
	tmp := column.New(o.p.Inputs[0].Out[o.p.WindowEnd].Type, 1)
	tmp.Ints = append(tmp.Ints, o.clock.frontier+1)
	return rowenc.AppendKeyColumn([]byte{spaceGroups}, tmp, 0, rowenc.Order{})
}

// peek finds the first window that is left.
func (o *overAtClose) peek() error {
	o.first = math.MaxInt64
	tmp := column.New(o.p.Inputs[0].Out[o.p.WindowEnd].Type, 1)
	return o.rows.scan([]byte{spaceGroups}, []byte{spaceGroups + 1}, func(k, _ []byte) (bool, error) {
		if _, err := rowenc.DecodeKey(k[1:], []*column.Column{tmp}, nil); err != nil {
			return false, err
		}
		o.first = tmp.Ints[0]
		return false, nil
	})
}

// emitPart emits the rows collected, which are a partition of a window in order.
func (o *overAtClose) emitPart(out dataflow.Output) error {
	batch := o.part.Batch()
	if batch.N == 0 {
		return nil
	}
	defer o.part.Reset()
	all := make([]int32, batch.N)
	for i := range all {
		all[i] = int32(i)
	}
	for _, c := range o.results {
		c.Reset()
	}
	if len(o.results) > 0 {
		if err := o.eval.prepare(batch); err != nil {
			return err
		}
		if err := o.eval.partition(all, o.results); err != nil {
			return err
		}
	}
	for i := range all {
		for j := range o.width {
			o.out.b.Col(j).AppendFrom(batch.Cols[j], i)
		}
		for j, c := range o.results {
			o.out.b.Col(o.width+j).AppendFrom(c, i)
		}
		o.out.b.Row(column.Insert)
		if err := o.out.full(out); err != nil {
			return err
		}
	}
	return nil
}
