package operator

import (
	"encoding/binary"

	"velostream/engine/dataflow"
	"velostream/engine/sql/expr"
	"velostream/engine/sql/plan"
	"velostream/storage/column"
	"velostream/storage/rowenc"
	"velostream/storage/state"
)

// overRunning computes window functions of append-only input whose rows leave once, when
// they come, where each call needs of the rows before only numbers that it keeps: counts
// and ranks, aggregates from the start of the partition, and functions of the last few
// rows. A row costs the same however many came before it.
//
// What it keeps per partition is memory made of the table: dropped beyond the budget, read
// back from the partition's rows. A row that is out of order is computed over the rows
// before it in the order, from the table.
//
// Table 0 is that of overKept.
type overRunning struct {
	dataflow.Stateless
	kept  *overKept // for rows out of order, and the table
	eval  *overEval // over input batches
	tail  *overEval // over the last rows of a partition
	calls []runningCall
	back  int // rows that calls look back

	parts  map[string]*runningPart
	gids   []*runningPart // by group id of the accumulators
	bytes  int64
	values []*column.Column // results of one row
	rows   *column.Builder  // of a partition's tail
	key    []byte
}

// runningCall is how a call is computed.
type runningCall struct {
	kind runningKind
	acc  accumulator
	set  *multiset
	u    update
}

type runningKind uint8

const (
	runCount runningKind = iota // row_number
	runRank
	runDense
	runAggregate // from the start of the partition
	runTail      // of the last rows
)

// runningPart is what is kept of a partition.
type runningPart struct {
	gid       int32
	n         int64 // rows
	peersFrom int64 // rows before the peers of the last one
	groups    int64
	last      string   // place of the last row in the order
	tail      []string // the last rows, encoded
}

// groupKey is the state key of a partition for accumulators that need one.
func (o *overRunning) groupKey(g int32) []byte {
	return binary.BigEndian.AppendUint32(nil, uint32(g))
}

// runningKinds tells how the calls can be computed, and how far back they look; ok is
// false when one of them needs the whole partition.
func runningKinds(calls []plan.OverCall) (kinds []runningKind, back int64, ok bool) {
	const far = 1000
	for _, c := range calls {
		f := &c.Frame
		switch {
		case c.Name == "row_number":
			kinds = append(kinds, runCount)
		case c.Name == "rank":
			kinds = append(kinds, runRank)
		case c.Name == "dense_rank":
			kinds = append(kinds, runDense)
		case c.Name == "lag":
			by := int64(1)
			if len(c.Args) > 1 {
				k, isConst := c.Args[1].(*expr.Const)
				if !isConst || k.Value.Null || k.Value.I < 0 || k.Value.I > far {
					return nil, 0, false
				}
				by = k.Value.I
			}
			kinds, back = append(kinds, runTail), max(back, by)
		case f.Exclude == plan.ExcludeNone && f.End.Kind == plan.CurrentRow && f.Start.Kind == plan.UnboundedPreceding && c.Aggregate:
			kinds = append(kinds, runAggregate)
		case f.Mode == plan.FrameRows && f.Start.Kind == plan.OffsetPreceding && f.Preceding():
			k, isConst := f.Start.Offset.(*expr.Const)
			if !isConst || k.Value.Null || k.Value.I < 0 || k.Value.I > far {
				return nil, 0, false
			}
			kinds, back = append(kinds, runTail), max(back, k.Value.I)
		default:
			return nil, 0, false
		}
	}
	return kinds, back, true
}

// newOverRunning returns nil when the calls of kept are not of this kind.
func newOverRunning(kept *overKept) (dataflow.Operator, error) {
	kinds, back, ok := runningKinds(kept.p.Over)
	if !ok {
		return nil, nil
	}
	o := &overRunning{kept: kept, back: int(back), rows: column.NewBuilder(kept.p.Inputs[0].Types(), 0)}
	var err error
	if o.eval, err = newOverEval(kept.p, kept.ctx); err != nil {
		return nil, err
	}
	if o.tail, err = newOverEval(kept.p, kept.ctx); err != nil {
		return nil, err
	}
	for i, k := range kinds {
		o.calls = append(o.calls, runningCall{kind: k})
		o.values = append(o.values, column.New(kept.p.Over[i].T, 1))
	}
	return o, o.forget()
}

// forget drops what is kept of all partitions.
func (o *overRunning) forget() error {
	o.parts, o.gids, o.bytes = map[string]*runningPart{}, nil, 0
	for i := range o.calls {
		c := &o.calls[i]
		if c.kind != runAggregate {
			continue
		}
		p := &o.kept.p.Over[i]
		call := &plan.AggCall{Name: p.Name, Args: p.Args, T: p.T}
		c.set = newMultiset(o.kept.label, nil, o.kept.ctx.budget())
		cx := aggContext{appends: true, set: c.set, keys: o, env: o.kept.ctx.Env}
		_, cx.orders = orderColumns(call)
		acc, err := newAccumulator(call, cx)
		if err != nil {
			return err
		}
		c.acc = acc
		c.u = update{args: make([]*column.Column, len(o.eval.calls[i].args)), keys: o, rows: make([]int32, 1), gids: make([]int32, 1)}
	}
	return nil
}

func (o *overRunning) Process(_ int, in *column.Batch, out dataflow.Output) error {
	if hasDeletes(in) {
		return broken(o.kept.label, "a row is deleted from append-only input")
	}
	k := o.kept
	if err := o.eval.prepare(in); err != nil {
		return err
	}
	for i := range in.Each {
		o.key = rowenc.AppendKey(o.key[:0], in.Cols, k.p.Keys, i)
		prefix := len(o.key)
		o.key = o.eval.appendOrder(o.key, o.eval.keys, i)
		place := len(o.key)
		o.key = rowenc.AppendKey(o.key, in.Cols, k.p.Key, i)
		part, err := o.part(string(o.key[:prefix]))
		if err != nil {
			return err
		}
		order := string(o.key[prefix:place])
		if part.n > 0 && order < part.last {
			err = o.outOfOrder(in, i, prefix, out)
		} else {
			err = o.next(part, in, i, order, out)
		}
		if err != nil {
			return err
		}
		if o.size() > k.ctx.budget().now() {
			if err := o.forget(); err != nil {
				return err
			}
		}
	}
	return k.out.flush(out)
}

func (o *overRunning) size() int64 {
	n := o.bytes
	for i := range o.calls {
		if c := &o.calls[i]; c.acc != nil {
			n += c.set.bytes + c.acc.width()*int64(len(o.gids))
		}
	}
	return n
}

// Barrier has nothing left to emit; the table is written in Process.
func (o *overRunning) Barrier(_ state.Epoch, out dataflow.Output) error { return o.kept.out.flush(out) }

// part finds what is kept of a partition, or makes it from the table.
func (o *overRunning) part(prefix string) (*runningPart, error) {
	if p := o.parts[prefix]; p != nil {
		return p, nil
	}
	p := &runningPart{gid: int32(len(o.gids))}
	o.parts[prefix] = p
	o.gids = append(o.gids, p)
	o.bytes += int64(len(prefix)) + 160
	for i := range o.calls {
		if c := &o.calls[i]; c.acc != nil {
			c.acc.grow(len(o.gids))
		}
	}
	k := o.kept
	err := k.scan(prefix, func(_, val []byte) error {
		if len(val) == 0 || val[0] != stateVersion {
			return column.Corrupt("state of OVER")
		}
		k.oldRows.Reset()
		if err := rowenc.DecodeRow(val[1:], k.oldRows); err != nil {
			return err
		}
		k.oldRows.Row(column.Insert)
		b := *k.oldRows.Batch()
		b.Cols = b.Cols[:k.width]
		if err := o.tail.prepare(&b); err != nil {
			return err
		}
		order := o.tail.appendOrder(nil, o.tail.keys, 0)
		return o.take(p, o.tail, &b, 0, string(order))
	})
	return p, err
}

// take counts row i of b, which eval is prepared for, in.
func (o *overRunning) take(p *runningPart, eval *overEval, b *column.Batch, i int, order string) error {
	if p.n == 0 || order != p.last {
		p.peersFrom = p.n
		p.groups++
		o.bytes += int64(len(order) - len(p.last))
		p.last = order
	}
	p.n++
	for j := range o.calls {
		c := &o.calls[j]
		if c.acc == nil {
			continue
		}
		call := eval.calls[j]
		if f := call.filter; f != nil && (f.col.Null(i) || !f.col.Bools[i]) {
			continue
		}
		for a := range call.args {
			c.u.args[a] = call.args[a].col
		}
		c.u.rows[0], c.u.gids[0] = int32(i), p.gid
		if err := c.acc.update(&c.u); err != nil {
			return err
		}
	}
	if o.back > 0 {
		row := string(rowenc.AppendRow(nil, b.Cols[:o.kept.width], i))
		p.tail = append(p.tail, row)
		o.bytes += int64(len(row)) + 16
		if len(p.tail) > o.back+1 {
			o.bytes -= int64(len(p.tail[0])) + 16
			p.tail = append(p.tail[:0], p.tail[1:]...)
		}
	}
	return nil
}

// next takes in a row in order and emits it.
func (o *overRunning) next(p *runningPart, in *column.Batch, i int, order string, out dataflow.Output) error {
	if err := o.take(p, o.eval, in, i, order); err != nil {
		return err
	}
	for _, c := range o.values {
		c.Reset()
	}
	if err := o.tailValues(p); err != nil {
		return err
	}
	for j := range o.calls {
		dst, n := o.values[j], int64(0)
		switch c := &o.calls[j]; c.kind {
		case runTail:
			continue
		case runAggregate:
			if err := c.acc.result(p.gid, dst); err != nil {
				return err
			}
			continue
		case runCount:
			n = p.n
		case runRank:
			n = p.peersFrom + 1
		case runDense:
			n = p.groups
		}
		dst.Ints = append(dst.Ints, n)
	}
	return o.emit(in, i, out)
}

// tailValues computes the calls that look at the last rows.
func (o *overRunning) tailValues(p *runningPart) error {
	if len(p.tail) == 0 {
		return nil
	}
	o.rows.Reset()
	rows := make([]int32, 0, len(p.tail))
	for i, r := range p.tail {
		if err := rowenc.DecodeRow([]byte(r), o.rows); err != nil {
			return err
		}
		o.rows.Row(column.Insert)
		rows = append(rows, int32(i))
	}
	if err := o.tail.prepare(o.rows.Batch()); err != nil {
		return err
	}
	part := &o.tail.part
	for j, c := range o.tail.calls {
		if o.calls[j].kind != runTail {
			continue
		}
		// The calls of this kind count rows, so peers do not matter.
		part.rows = rows
		part.peerStart, part.peerEnd, part.group = resize(part.peerStart, len(rows))[:len(rows)],
			resize(part.peerEnd, len(rows))[:len(rows)], resize(part.group, len(rows))[:len(rows)]
		c.from, c.to = 0, 0
		all := column.New(o.kept.p.Over[j].T, len(rows))
		if err := c.run(part, all); err != nil {
			return err
		}
		o.values[j].AppendFrom(all, len(rows)-1)
	}
	return nil
}

// emit emits and stores row i with values; its state key is in key.
func (o *overRunning) emit(in *column.Batch, i int, out dataflow.Output) error {
	k := o.kept
	for j := range k.width {
		k.out.b.Col(j).AppendFrom(in.Cols[j], in.Cols[j].At(i))
	}
	for j, c := range o.values {
		k.out.b.Col(k.width+j).AppendFrom(c, 0)
	}
	n := k.out.b.Len()
	k.out.b.Row(column.Insert)
	k.val = rowenc.AppendRow(append(k.val[:0], stateVersion), k.out.b.Batch().Cols, n)
	if err := k.store(string(o.key), k.val); err != nil {
		return err
	}
	return k.out.full(out)
}

// outOfOrder gives a row that comes after rows behind it to overKept, and forgets what is
// kept of its partition.
func (o *overRunning) outOfOrder(in *column.Batch, i, prefix int, out dataflow.Output) error {
	k := o.kept
	partition := string(o.key[:prefix])
	change := overChange{net: []overNet{{string(rowenc.AppendRow(nil, in.Cols[:k.width], i)), 1}}, prefix: prefix}
	if err := k.update(partition, []string{string(o.key)}, []overChange{change}, out); err != nil {
		return err
	}
	p := o.parts[partition]
	delete(o.parts, partition)
	for _, r := range p.tail {
		o.bytes -= int64(len(r)) + 16
	}
	p.tail = nil
	return nil
}
