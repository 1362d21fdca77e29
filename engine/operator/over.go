package operator

import (
	"slices"

	"velostream/catalog/types"
	"velostream/engine/dataflow"
	"velostream/engine/sql/plan"
	"velostream/pgwire/pgerror"
	"velostream/storage/column"
	"velostream/storage/state"
)

// newOver makes the operator of window functions: output = input columns, then a column
// per call. Keys is the partition, Sort the order in it; rows that are equal in the order
// go by stream key, in bounded queries as they came. There are three forms:
//
//   - over bounded input all rows are sorted and computed at the end (overAtEnd);
//   - of time windows whose rows wait for the window to close, then (overAtClose);
//   - else the partitions are kept (overKept), or of them what the functions need of the
//     rows so far (overRunning).
func newOver(p *plan.Physical, ctx BuildContext) (dataflow.Operator, error) {
	if len(p.Inputs) != 1 || len(p.Out) != len(p.Inputs[0].Out)+len(p.Over) {
		return nil, pgerror.New(pgerror.InternalError, "columns of window functions do not fit their input")
	}
	eval, err := newOverEval(p, ctx)
	if err != nil {
		return nil, err
	}
	if len(p.Tables) == 0 {
		in := p.Inputs[0].Types()
		o := &overAtEnd{p: p, eval: eval, bag: newBag(ctx.label("OVER"), ctx.budget(), in, len(in))}
		return o, nil
	}
	if p.Emit == plan.EmitFinal && p.WindowEnd >= 0 {
		return newOverAtClose(p, ctx, eval)
	}
	kept, err := newOverKept(p, ctx, eval)
	if err != nil || !p.Once {
		return kept, err
	}
	if r, err := newOverRunning(kept); r != nil || err != nil {
		return r, err
	}
	return kept, nil
}

// overAtEnd computes window functions of bounded input at Barrier: all rows in memory,
// 53200 beyond the budget. Rows leave by partition and order.
type overAtEnd struct {
	dataflow.Stateless
	p    *plan.Physical
	eval *overEval
	bag  *bag
}

func (o *overAtEnd) Process(_ int, in *column.Batch, _ dataflow.Output) error {
	view := column.Batch{Ops: in.Ops, N: in.N, Sel: in.Sel, Cols: in.Cols[:o.bag.width]}
	n, err := o.bag.add(&view)
	if err != nil {
		return err
	}
	return o.bag.check(n)
}

func (o *overAtEnd) Barrier(_ state.Epoch, out dataflow.Output) error {
	rows := o.bag.rows()
	defer o.bag.reset()
	if len(rows) == 0 {
		return nil
	}
	all := *o.bag.b.Batch()
	if len(rows) < all.N {
		all.Sel = rows
	}
	if err := o.eval.prepare(&all); err != nil {
		return err
	}
	keys := make([]*column.Column, len(o.p.Keys))
	for k, j := range o.p.Keys {
		keys[k] = all.Cols[j]
	}
	partition := func(x, y int32) int {
		for _, c := range keys {
			if d := compareKey(c, int(x), int(y), plan.SortKey{}); d != 0 {
				return d
			}
		}
		return 0
	}
	slices.SortStableFunc(rows, func(x, y int32) int {
		if d := partition(x, y); d != 0 {
			return d
		}
		return o.eval.compare(x, y)
	})
	results := make([]*column.Column, len(o.p.Over))
	for i, c := range o.p.Over {
		results[i] = column.New(c.T, len(rows))
	}
	for at := 0; at < len(rows); {
		end := at + 1
		for end < len(rows) && partition(rows[end-1], rows[end]) == 0 {
			end++
		}
		if err := o.eval.partition(rows[at:end], results); err != nil {
			return err
		}
		at = end
	}
	return o.emit(&all, rows, results, out)
}

func (o *overAtEnd) emit(all *column.Batch, rows []int32, results []*column.Column, out dataflow.Output) error {
	next := column.NewBuilder(o.p.Types(), min(len(rows), maxBatch))
	seq := make([]int32, 0, maxBatch)
	width := len(all.Cols)
	for at := 0; at < len(rows); at += maxBatch {
		end := min(len(rows), at+maxBatch)
		seq = seq[:0]
		for i := at; i < end; i++ {
			seq = append(seq, int32(i))
		}
		for j := range width {
			next.Col(j).AppendRows(all.Cols[j], rows[at:end])
		}
		for j, c := range results {
			next.Col(width+j).AppendRows(c, seq)
		}
		next.Rows(end-at, column.Insert)
		if err := out.Emit(next.Batch()); err != nil {
			return err
		}
		next.Reset()
	}
	return nil
}

// typesOfCalls are the result types of the calls.
func typesOfCalls(calls []plan.OverCall) []types.Type {
	out := make([]types.Type, len(calls))
	for i, c := range calls {
		out[i] = c.T
	}
	return out
}
