package optimizer

import (
	"velostream/catalog/types"
	"velostream/engine/sql/expr"
	"velostream/engine/sql/plan"
)

// session lowers a session window: rows are spread by whose sessions they are. Rows of closed
// sessions only (EmitFinal, and bounded plans) are never taken back. With l.ids the window
// columns number the session and bound its end, and the last column of the key is the time.
func (l *lowering) session(p *plan.Window) (*plan.Physical, error) {
	ids := l.ids
	l.ids = false
	equal := append([]expr.Expr(nil), p.Keys...)
	if ids {
		equal = append(equal, p.Time)
	}
	in, keys, err := l.side(p.Input, equal, l.o.Continuous)
	if err != nil {
		return nil, err
	}
	base := len(p.Input.Schema())
	in = l.exchange(in, keys[:len(p.Keys)])
	t := p.Time.Type()
	n := newNode(plan.OpSession, withColumns(in.Out,
		plan.Column{Name: "window_start", Type: t}, plan.Column{Name: "window_end", Type: t}), in)
	n.Keys, n.Window, n.Exprs, n.Lateness = keys[:len(p.Keys)], p.Spec, []expr.Expr{p.Time}, p.Lateness
	n.Key, n.Tables, n.IDs = append(n.Key, in.Key...), l.newTables(3), ids
	if c, ok := p.Time.(*expr.Col); ok && c.Index == in.EventTime && in.EventTime >= 0 {
		n.EventTime = len(in.Out) + 1
	}
	switch {
	case !l.o.Continuous || p.Emit == plan.EmitFinal:
		n.Emit, n.AppendOnly = plan.EmitFinal, true
		if l.o.Continuous && n.EventTime < 0 {
			return nil, neverCloses()
		}
	case n.EventTime < 0 && !ids: // the aggregate says it otherwise
		l.warn("01000", watermarkHint, "the window's time has no watermark, so the state of its windows is kept for ever")
	}
	if l.o.Continuous {
		n.Key = append(n.Key, len(in.Out)+1) // carried to where windows close
	}
	if ids {
		n.Key = append(n.Key, keys[len(p.Keys)])
	}
	if base == len(in.Out) {
		return n, nil
	}
	exprs := make([]expr.Expr, 0, base+2)
	for i := range base {
		exprs = append(exprs, col(n.Out, i))
	}
	exprs = append(exprs, col(n.Out, len(in.Out)), col(n.Out, len(in.Out)+1))
	return projectOver(n, exprs, p.Out, l.o.Continuous), nil
}

// sessionsOf is the session window whose sessions p groups by, nil if there is none or p
// uses its columns in another way.
func sessionsOf(p *plan.Aggregate) *plan.Window {
	w, start, end := sessionColumns(p.Input)
	if w == nil || start < 0 || end < 0 {
		return nil
	}
	found := 0
	uses := false
	look := func(e expr.Expr) expr.Expr {
		if e != nil {
			plan.EachColumn(e, func(c *expr.Col) { uses = uses || c.Index == start || c.Index == end })
		}
		return e
	}
	for _, g := range p.Groups {
		if c, ok := g.(*expr.Col); ok && (c.Index == start || c.Index == end) {
			found++
			continue
		}
		look(g)
	}
	plan.MapAggCalls(p.Aggs, look)
	if uses || found != 2 {
		return nil
	}
	return w
}

// sessionColumns finds a session window below projections and filters that do not look at its
// columns, and where these are.
func sessionColumns(p plan.Logical) (w *plan.Window, start, end int) {
	switch p := p.(type) {
	case *plan.Window:
		if p.Spec.Kind == plan.Session {
			return p, len(p.Out) - 2, len(p.Out) - 1
		}
	case *plan.Filter:
		w, start, end = sessionColumns(p.Input)
		plan.EachColumn(p.Cond, func(c *expr.Col) {
			if c.Index == start || c.Index == end {
				w = nil
			}
		})
		return w, start, end
	case *plan.Project:
		w, s, e := sessionColumns(p.Input)
		start, end = -1, -1
		for i, x := range p.Exprs {
			c, plain := x.(*expr.Col)
			switch {
			case plain && c.Index == s && start < 0:
				start = i
			case plain && c.Index == e && end < 0:
				end = i
			default:
				plan.EachColumn(x, func(c *expr.Col) {
					if c.Index == s || c.Index == e {
						w = nil
					}
				})
			}
		}
		return w, start, end
	}
	return nil, -1, -1
}

// sessionGroups lowers an aggregate over the sessions of w that shows them as they grow. It
// groups by the session's number and a bound of its end, which seldom change; the session's
// real start and end are the least and greatest time of its rows.
func (l *lowering) sessionGroups(p *plan.Aggregate, w *plan.Window) (*plan.Physical, error) {
	_, start, end := sessionColumns(p.Input)
	l.ids = true
	in, err := l.node(p.Input, true, false)
	if err != nil {
		return nil, err
	}
	at := in.Key[len(in.Key)-1]
	q := *p
	q.Aggs, q.Out = append([]plan.AggCall(nil), p.Aggs...), withColumns(p.Out)
	for _, name := range []string{"min", "max"} {
		q.Aggs = append(q.Aggs, plan.AggCall{Name: name, Args: []expr.Expr{col(in.Out, at)}, T: in.Out[at].Type})
		q.Out = append(q.Out, plan.Column{Name: name, Type: in.Out[at].Type})
	}
	n, err := l.aggregateOver(&q, in)
	if err != nil {
		return nil, err
	}
	first, last := col(n.Out, len(p.Out)), col(n.Out, len(p.Out)+1)
	ends, err := sessionEnd(first, last, w.Spec)
	if err != nil {
		return nil, err
	}
	exprs := make([]expr.Expr, len(p.Out))
	for i := range p.Out {
		exprs[i] = col(n.Out, i)
		if i >= len(p.Groups) {
			continue
		}
		switch c, _ := p.Groups[i].(*expr.Col); {
		case c != nil && c.Index == start:
			exprs[i] = first
		case c != nil && c.Index == end:
			exprs[i] = ends
		}
	}
	return projectOver(n, exprs, p.Out, true), nil
}

// sessionEnd is the end of a session whose rows have times from first to last.
func sessionEnd(first, last expr.Expr, w plan.TimeWindow) (expr.Expr, error) {
	plus := func(e expr.Expr, us int64) (expr.Expr, error) {
		return expr.NewCall("+", true, []expr.Expr{e, &expr.Const{Value: types.Datum{Iv: types.Interval{Micros: us}}, T: types.IntervalT}}, 0, nil)
	}
	end, err := plus(last, w.Gap)
	if err != nil || w.MaxSize == 0 {
		return end, err
	}
	most, err := plus(first, w.MaxSize)
	if err != nil {
		return nil, err
	}
	less, err := expr.NewCall("<", true, []expr.Expr{most, end}, 0, nil)
	if err != nil {
		return nil, err
	}
	return &expr.Case{Whens: []expr.When{{Cond: less, Then: most}}, Else: end, T: last.Type()}, nil
}
