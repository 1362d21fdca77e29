package operator

import (
	"math"

	"velostream/engine/dataflow"
	"velostream/engine/sql/plan"
	"velostream/pgwire/pgerror"
	"velostream/storage/column"
)

// limit passes on Count inserts after Offset as they come, and then Done is true. A
// bounded plan is append-only, so that is LIMIT; a continuous query ends by it, and passes
// on the deletes in between.
type limit struct {
	dataflow.Stateless
	skip, left int64
	out        column.Batch
}

func newLimit(p *plan.Physical, ctx BuildContext) (dataflow.Operator, error) {
	count, offset, err := limits(p, ctx)
	if err != nil {
		return nil, err
	}
	return &limit{skip: offset, left: count}, nil
}

// limits evaluates LIMIT and OFFSET; without LIMIT count is the largest number.
func limits(p *plan.Physical, ctx BuildContext) (count, offset int64, err error) {
	if offset, _, err = constInt(ctx.Env, p.Offset); err != nil {
		return 0, 0, err
	}
	if offset < 0 {
		return 0, 0, pgerror.New("2201X", "OFFSET must not be negative")
	}
	count, ok, err := constInt(ctx.Env, p.Count)
	switch {
	case err != nil:
		return 0, 0, err
	case !ok:
		count = math.MaxInt64
	case count < 0:
		return 0, 0, pgerror.New("2201W", "LIMIT must not be negative")
	}
	return count, offset, nil
}

// Done reports that all rows of the limit have passed.
func (l *limit) Done() bool { return l.left == 0 }

func (l *limit) Process(_ int, in *column.Batch, out dataflow.Output) error {
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
