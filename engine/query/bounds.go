package query

import (
	"context"
	"errors"
	"io"
	"iter"

	"velostream/catalog/types"
	"velostream/engine/operator"
	"velostream/engine/sql/expr"
	"velostream/engine/sql/plan"
	"velostream/storage/column"
)

// computed reports a LIMIT in p whose count or offset is that of a query. seen are the
// shared nodes that it knows of, nil at first.
func computed(p *plan.Physical, seen map[int]bool) bool {
	switch {
	case p.Op == plan.OpRecursive: // its inputs are plans that are run by themselves
		return false
	case isComputed(p):
		return true
	case p.Shared != 0 && seen[p.Shared]:
		return false
	case p.Shared != 0:
		if seen == nil {
			seen = map[int]bool{}
		}
		seen[p.Shared] = true
	}
	for _, in := range p.Inputs {
		if computed(in, seen) {
			return true
		}
	}
	return false
}

func isComputed(p *plan.Physical) bool {
	return (p.Op == plan.OpLimit || p.Op == plan.OpTopN) && len(p.Inputs) > 1
}

// startComputed is start of a plan whose LIMITs are computed before all else.
func (r *Rows) startComputed(p *plan.Physical, scan Scan, ctx operator.BuildContext, m *Measure) {
	r.next, r.stop = iter.Pull2(func(yield func(*column.Batch, error) bool) {
		l := &limits{scan: scan, ctx: ctx, measure: m, run: r.ctx, done: map[*plan.Physical]*plan.Physical{}}
		known, err := l.resolve(p)
		if err != nil {
			yield(nil, err)
			return
		}
		rows, err := nested(known, scan, ctx, m)
		if err != nil {
			yield(nil, err)
			return
		}
		defer func() { _ = rows.Close() }()
		for {
			b, err := rows.Next(r.ctx)
			if errors.Is(err, io.EOF) || !yield(b, err) || err != nil {
				return
			}
		}
	})
}

// limits puts numbers in the place of computed LIMITs.
type limits struct {
	scan Scan
	ctx  operator.BuildContext
	run  context.Context
	done map[*plan.Physical]*plan.Physical // what several nodes share stays shared

	measure *Measure
}

func (l *limits) resolve(p *plan.Physical) (*plan.Physical, error) {
	if p.Op == plan.OpRecursive || len(p.Inputs) == 0 {
		return p, nil
	}
	if n, ok := l.done[p]; ok {
		return n, nil
	}
	n := *p
	if isComputed(p) {
		var err error
		if n.Count, n.Offset, err = l.bounds(p.Inputs[1]); err != nil {
			return nil, err
		}
		n.Inputs = p.Inputs[:1]
	}
	in := n.Inputs
	n.Inputs = make([]*plan.Physical, len(in))
	for i := range in {
		var err error
		if n.Inputs[i], err = l.resolve(in[i]); err != nil {
			return nil, err
		}
	}
	l.done[p] = &n
	l.measure.same(&n, p)
	return &n, nil
}

// bounds runs p, which gives one row.
func (l *limits) bounds(p *plan.Physical) (count, offset expr.Expr, err error) {
	rows, err := nested(p, l.scan, l.ctx, l.measure)
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = rows.Close() }()
	for {
		b, err := rows.Next(l.run)
		if errors.Is(err, io.EOF) {
			return count, offset, nil
		}
		if err != nil {
			return nil, nil, err
		}
		for i := range b.Each {
			count = &expr.Const{Value: b.Cols[0].Datum(i), T: types.Int8}
			offset = &expr.Const{Value: b.Cols[1].Datum(i), T: types.Int8}
		}
	}
}
