package operator

import (
	"math"
	"slices"

	"velostream/engine/dataflow"
	"velostream/engine/sql/plan"
	"velostream/storage/column"
	"velostream/storage/state"
)

// sorter orders the rows of bounded input and emits them at Barrier. What is beyond the
// budget goes to disk in sorted runs, which are merged then. Rows that are equal in the order keep
// the order they came in. Rows deleted again before the end do not show.
type sorter struct {
	dataflow.Stateless
	skip, count int64 // of an ORDER BY … LIMIT too large for topN
	ctx         BuildContext
	keys        []plan.SortKey
	evs         []evaluator
	bag         *bag
	runs        *runs // nil: nothing is on disk
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
	if s.runs != nil && hasDeletes(in) {
		return broken(s.bag.label, "a row is deleted from append-only input")
	}
	n, err := s.bag.add(&s.view)
	if err != nil {
		return err
	}
	if s.bag.index == nil && s.ctx.spills(n) {
		return s.spill()
	}
	return s.bag.check(n)
}

// spill writes a run.
func (s *sorter) spill() error {
	if s.runs == nil {
		s.runs = newRuns(s.ctx, typesOf(s.bag.b.Batch().Cols), s.compare)
	}
	rows := s.sorted()
	if n := s.skip + s.count; n >= 0 && n < int64(len(rows)) { // more of a run is never seen
		rows = rows[:n]
	}
	if err := s.runs.add(s.bag.b.Batch(), rows); err != nil {
		return err
	}
	s.bag.reset()
	return nil
}

// sorted lists the rows in memory in order.
func (s *sorter) sorted() []int32 {
	rows, b := s.bag.rows(), s.bag.b.Batch()
	slices.SortStableFunc(rows, func(x, y int32) int { return s.compare(b, int(x), b, int(y)) })
	return rows
}

func (s *sorter) compare(a *column.Batch, x int, b *column.Batch, y int) int {
	for k := range s.keys {
		if d := compareKeys(a.Cols[s.bag.width+k], x, b.Cols[s.bag.width+k], y, s.keys[k]); d != 0 {
			return d
		}
	}
	return 0
}

func (s *sorter) Barrier(_ state.Epoch, out dataflow.Output) error {
	if s.runs != nil {
		return s.mergeRuns(out)
	}
	rows := s.sorted()
	defer s.bag.reset()
	rows = rows[min(s.skip, int64(len(rows))):]
	return s.bag.emit(rows[:min(s.count, int64(len(rows)))], out)
}

func (s *sorter) mergeRuns(out dataflow.Output) error {
	if err := s.spill(); err != nil {
		return err
	}
	to := emitter{column.NewBuilder(s.runs.ts[:s.bag.width], 0)}
	skip, left := s.skip, s.count
	err := s.runs.merge(func(b *column.Batch, i int) (bool, error) {
		if skip > 0 {
			skip--
			return true, nil
		}
		if left--; left < 0 {
			return false, nil
		}
		to.b.AppendRow(b, i, column.Insert)
		return true, to.full(out)
	})
	if err != nil {
		return err
	}
	return to.flush(out)
}

// compareKey orders two rows of c by one ORDER BY item.
func compareKey(c *column.Column, x, y int, k plan.SortKey) int { return compareKeys(c, x, c, y, k) }

// compareKeys is compareKey of rows of two columns.
func compareKeys(a *column.Column, x int, b *column.Column, y int, k plan.SortKey) int {
	xn, yn := a.Null(x), b.Null(y)
	if xn || yn {
		switch {
		case xn && yn:
			return 0
		case xn == k.NullsFirst:
			return -1
		}
		return 1
	}
	d := column.CompareAt(a, x, b, y)
	if k.Desc {
		return -d
	}
	return d
}
