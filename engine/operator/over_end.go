package operator

import (
	"slices"

	"velostream/engine/dataflow"
	"velostream/engine/sql/plan"
	"velostream/storage/column"
	"velostream/storage/state"
)

// overAtEnd computes window functions of bounded input at Barrier. Rows leave by partition and
// order. Beyond the budget they go to disk in sorted runs, and come back partition by partition; a partition
// that does not fit by itself is computed on disk (overBig).
type overAtEnd struct {
	dataflow.Stateless
	p     *plan.Physical
	ctx   BuildContext
	eval  *overEval
	width int  // columns of the input
	bag   *bag // rows with their order keys
	view  column.Batch
	runs  *runs // nil: nothing is on disk

	part   *column.Builder // rows of partitions that are complete, and of the one at hand
	bounds []int32         // where complete partitions end
	big    *overBig        // the partition at hand; nil: it is in part
	last   *column.Builder // its last row, when it is big
	out    emitter
}

func newOverAtEnd(p *plan.Physical, ctx BuildContext, eval *overEval) *overAtEnd {
	in := p.Inputs[0].Types()
	ts := slices.Clone(in)
	for _, k := range p.Sort {
		ts = append(ts, k.Expr.Type())
	}
	return &overAtEnd{
		p: p, ctx: ctx, eval: eval, width: len(in), bag: newBag(ctx.label("OVER"), ctx.budget(), ts, len(in)),
		out: emitter{column.NewBuilder(p.Types(), 0)},
	}
}

func (o *overAtEnd) Process(_ int, in *column.Batch, _ dataflow.Output) error {
	if o.runs != nil && hasDeletes(in) {
		return broken(o.bag.label, "a row is deleted from append-only input")
	}
	o.view = column.Batch{Ops: in.Ops, N: in.N, Sel: in.Sel, Cols: append(o.view.Cols[:0], in.Cols[:o.width]...)}
	order, err := o.eval.orderOf(in)
	if err != nil {
		return err
	}
	o.view.Cols = append(o.view.Cols, order...)
	n, err := o.bag.add(&o.view)
	if err != nil {
		return err
	}
	if o.bag.index == nil && o.ctx.spills(n) {
		return o.spill()
	}
	return o.bag.check(n)
}

// spill writes a run.
func (o *overAtEnd) spill() error {
	if o.runs == nil {
		o.runs = newRuns(o.ctx, typesOf(o.bag.b.Batch().Cols), o.compare)
	}
	err := o.runs.add(o.bag.b.Batch(), o.sorted())
	o.bag.reset()
	return err
}

func (o *overAtEnd) sorted() []int32 {
	rows, b := o.bag.rows(), o.bag.b.Batch()
	slices.SortStableFunc(rows, func(x, y int32) int { return o.compare(b, int(x), b, int(y)) })
	return rows
}

// compare orders rows by partition and order.
func (o *overAtEnd) compare(a *column.Batch, x int, b *column.Batch, y int) int {
	if d := o.partition(a, x, b, y); d != 0 {
		return d
	}
	for k, key := range o.p.Sort {
		if d := compareKeys(a.Cols[o.width+k], x, b.Cols[o.width+k], y, key); d != 0 {
			return d
		}
	}
	return 0
}

// partition orders rows by partition.
func (o *overAtEnd) partition(a *column.Batch, x int, b *column.Batch, y int) int {
	for _, j := range o.p.Keys {
		if d := compareKeys(a.Cols[j], x, b.Cols[j], y, plan.SortKey{}); d != 0 {
			return d
		}
	}
	return 0
}

func (o *overAtEnd) Barrier(_ state.Epoch, out dataflow.Output) error {
	if o.runs != nil {
		return o.mergeRuns(out)
	}
	rows := o.sorted()
	defer o.bag.reset()
	all := *o.bag.b.Batch()
	all.Cols = all.Cols[:o.width]
	if len(rows) < all.N {
		all.Sel = rows
	}
	return o.compute(&all, rows, nil, out)
}

// compute emits rows of all, which are in order, with the results. bounds are the ends of the
// partitions, nil: to be found.
func (o *overAtEnd) compute(all *column.Batch, rows, bounds []int32, out dataflow.Output) error {
	if len(rows) == 0 {
		return nil
	}
	if err := o.eval.prepare(all); err != nil {
		return err
	}
	if bounds == nil {
		for i := 1; i <= len(rows); i++ {
			if i == len(rows) || o.partition(all, int(rows[i-1]), all, int(rows[i])) != 0 {
				bounds = append(bounds, int32(i))
			}
		}
	}
	results := o.eval.results(len(rows))
	at := int32(0)
	for _, end := range bounds {
		if err := o.eval.partition(rows[at:end], results); err != nil {
			return err
		}
		at = end
	}
	return o.emit(all, rows, results, out)
}

func (o *overAtEnd) emit(all *column.Batch, rows []int32, results []*column.Column, out dataflow.Output) error {
	seq := make([]int32, 0, min(len(rows), maxBatch))
	next := o.out.b
	for at := 0; at < len(rows); at += maxBatch {
		end := min(len(rows), at+maxBatch)
		seq = seq[:0]
		for i := at; i < end; i++ {
			seq = append(seq, int32(i))
		}
		for j := range o.width {
			next.Col(j).AppendRows(all.Cols[j], rows[at:end])
		}
		for j, c := range results {
			next.Col(o.width+j).AppendRows(c, seq)
		}
		next.Rows(end-at, column.Insert)
		if err := o.out.flush(out); err != nil {
			return err
		}
	}
	return nil
}

// mergeRuns reads the rows back in order, and computes each partition when it is complete.
func (o *overAtEnd) mergeRuns(out dataflow.Output) error {
	if err := o.spill(); err != nil {
		return err
	}
	o.part = column.NewBuilder(o.runs.ts[:o.width], 0)
	o.last = column.NewBuilder(o.runs.ts[:o.width], 1)
	err := o.runs.merge(func(b *column.Batch, i int) (bool, error) { return true, o.next(b, i, out) })
	if err != nil {
		return err
	}
	if err := o.endPartition(out); err != nil {
		return err
	}
	return o.computePart(out)
}

// next takes the next row in order.
func (o *overAtEnd) next(b *column.Batch, i int, out dataflow.Output) error {
	switch {
	case o.big != nil && o.partition(o.last.Batch(), 0, b, i) != 0,
		o.big == nil && o.part.Len() > o.complete() && o.partition(o.part.Batch(), o.part.Len()-1, b, i) != 0:
		if err := o.endPartition(out); err != nil {
			return err
		}
	}
	if o.big != nil {
		return o.big.add(b, i)
	}
	o.part.AppendRow(b, i, column.Insert)
	if n := o.part.Len(); n-o.complete() > 1 && n&63 != 0 {
		return nil
	}
	if size := o.part.Batch().MemSize(); !o.ctx.spills(2 * size) { // as much again for results
		return nil
	}
	if o.complete() == 0 {
		return o.grow()
	}
	return o.computePart(out)
}

// complete is how many rows of part are of complete partitions.
func (o *overAtEnd) complete() int {
	if len(o.bounds) == 0 {
		return 0
	}
	return int(o.bounds[len(o.bounds)-1])
}

// grow moves the partition at hand to disk.
func (o *overAtEnd) grow() error {
	b := o.part.Batch()
	o.big = newOverBig(o.ctx, o.eval, typesOf(b.Cols))
	for i := range b.N {
		if err := o.big.add(b, i); err != nil {
			return err
		}
	}
	o.last.Reset()
	o.last.AppendRow(b, b.N-1, column.Insert)
	o.part.Reset()
	return nil
}

// endPartition ends the partition at hand.
func (o *overAtEnd) endPartition(out dataflow.Output) error {
	if o.big != nil {
		big := o.big
		o.big = nil
		return big.finish(&o.out, out)
	}
	if n := o.part.Len(); n > o.complete() {
		o.bounds = append(o.bounds, int32(n))
	}
	if o.complete() < maxBatch {
		return nil
	}
	return o.computePart(out)
}

// computePart emits the complete partitions, and keeps the rows of the one at hand.
func (o *overAtEnd) computePart(out dataflow.Output) error {
	n := o.complete()
	if n == 0 {
		return nil
	}
	all := *o.part.Batch()
	rows := all.Select(nil)
	if err := o.compute(&all, rows[:n], o.bounds, out); err != nil {
		return err
	}
	rest := o.part.Take()
	o.part.AppendRows(rest, rows[n:], column.Insert)
	o.bounds = o.bounds[:0]
	return nil
}
