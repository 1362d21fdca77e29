package operator

import (
	"math"
	"slices"

	"velostream/engine/dataflow"
	"velostream/engine/sql/plan"
	"velostream/storage/column"
	"velostream/storage/state"
)

// sorter orders the rows of bounded input and emits them at Barrier: all of them in
// memory, 53200 beyond the budget. Rows that are equal in the order keep the order they came
// in. Rows deleted again before the end do not show.
type sorter struct {
	dataflow.Stateless
	skip, count int64 // of an ORDER BY … LIMIT too large for topN
	ctx         BuildContext
	keys        []plan.SortKey
	evs         []evaluator
	bag         *bag
	view        column.Batch
}

func newSort(p *plan.Physical, ctx BuildContext) (dataflow.Operator, error) {
	return newSorter(p, ctx, 0, math.MaxInt64)
}

func newSorter(p *plan.Physical, ctx BuildContext, skip, count int64) (dataflow.Operator, error) {
	s := &sorter{ctx: ctx, keys: p.Sort, skip: skip, count: count}
	ts := p.Types()
	for _, k := range p.Sort {
		ev, err := compileExpr(k.Expr)
		if err != nil {
			return nil, err
		}
		s.evs = append(s.evs, ev)
		ts = append(ts, k.Expr.Type())
	}
	s.bag = newBag(ctx.label("ORDER BY"), ctx.budget(), ts, len(p.Out))
	return s, nil
}

func (s *sorter) Process(_ int, in *column.Batch, _ dataflow.Output) error {
	s.view = column.Batch{Ops: in.Ops, N: in.N, Sel: in.Sel, Cols: append(s.view.Cols[:0], in.Cols[:s.bag.width]...)}
	for k := range s.evs {
		c, err := s.evs[k].eval(s.ctx.Env, in)
		if err != nil {
			return err
		}
		s.view.Cols = append(s.view.Cols, c)
	}
	return s.bag.add(&s.view)
}

func (s *sorter) Barrier(_ state.Epoch, out dataflow.Output) error {
	rows := s.bag.rows()
	cols := s.bag.b.Batch().Cols[s.bag.width:]
	slices.SortStableFunc(rows, func(x, y int32) int {
		for k, c := range cols {
			if d := compareKey(c, int(x), int(y), s.keys[k]); d != 0 {
				return d
			}
		}
		return 0
	})
	defer s.bag.reset()
	rows = rows[min(s.skip, int64(len(rows))):]
	return s.bag.emit(rows[:min(s.count, int64(len(rows)))], out)
}

// compareKey orders two rows of c by one ORDER BY item.
func compareKey(c *column.Column, x, y int, k plan.SortKey) int {
	xn, yn := c.Null(x), c.Null(y)
	if xn || yn {
		switch {
		case xn && yn:
			return 0
		case xn == k.NullsFirst:
			return -1
		}
		return 1
	}
	d := column.CompareAt(c, x, c, y)
	if k.Desc {
		return -d
	}
	return d
}
