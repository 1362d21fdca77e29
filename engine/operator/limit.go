package operator

import (
	"math"

	"velostream/engine/dataflow"
	"velostream/engine/sql/plan"
	"velostream/pgwire/pgerror"
	"velostream/storage/column"
	"velostream/storage/state"
)

// limit passes on Count rows after Offset. Append-only input, and that of a
// continuous query (Emit is EmitChanges), is cut as it comes: the inserts are counted,
// and when the last has passed Done is true. Other bounded input is held back until the barrier
// because rows may be deleted again.
type limit struct {
	dataflow.Stateless
	skip, left int64
	bag        *bag
	out        column.Batch
}

func newLimit(p *plan.Physical, ctx BuildContext) (dataflow.Operator, error) {
	count, offset, err := limits(p, ctx)
	if err != nil {
		return nil, err
	}
	l := &limit{skip: offset, left: count}
	if len(p.Inputs) == 1 && !p.Inputs[0].AppendOnly && p.Inputs[0].Op != plan.OpSort && p.Emit != plan.EmitChanges {
		l.bag = newBag(ctx.label("LIMIT"), ctx.budget(), p.Types(), len(p.Out))
	}
	return l, nil
}

// limits evaluates LIMIT and OFFSET; without LIMIT count is the largest number.
func limits(p *plan.Physical, ctx BuildContext) (count, offset int64, err error) {
	count, ok, err := constInt(ctx.Env, p.Count)
	if err != nil {
		return 0, 0, err
	}
	if !ok {
		count = math.MaxInt64
	}
	if offset, _, err = constInt(ctx.Env, p.Offset); err != nil {
		return 0, 0, err
	}
	switch {
	case count < 0:
		return 0, 0, pgerror.New("2201W", "LIMIT must not be negative")
	case offset < 0:
		return 0, 0, pgerror.New("2201X", "OFFSET must not be negative")
	}
	return count, offset, nil
}

// Done reports that all rows of the limit have passed.
func (l *limit) Done() bool { return l.left == 0 }

func (l *limit) Process(_ int, in *column.Batch, out dataflow.Output) error {
	if l.bag != nil {
		return l.bag.add(in)
	}
	return l.pass(in, out)
}

func (l *limit) pass(in *column.Batch, out dataflow.Output) error {
	if l.left == 0 {
		return nil
	}
	n := int64(in.Rows())
	if l.skip == 0 && n <= l.left && in.Ops == nil {
		l.left -= n
		return out.Emit(in)
	}
	sel := l.out.Sel[:0]
	for i := range in.Each {
		if in.Op(i) == column.Insert {
			switch {
			case l.skip > 0:
				l.skip--
				continue
			case l.left == 0:
				continue
			}
			l.left--
		}
		sel = append(sel, int32(i))
	}
	l.out = column.Batch{Ops: in.Ops, Cols: in.Cols, N: in.N, Sel: sel}
	if len(sel) == 0 {
		return nil
	}
	return out.Emit(&l.out)
}

func (l *limit) Barrier(_ state.Epoch, out dataflow.Output) error {
	if l.bag == nil {
		return nil
	}
	rows := l.bag.rows()
	from := min(l.skip, int64(len(rows)))
	n := min(l.left, int64(len(rows))-from)
	defer l.bag.reset()
	l.left, l.skip = l.left-n, l.skip-from
	return l.bag.emit(rows[from:from+n], out)
}
