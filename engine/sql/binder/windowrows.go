package binder

import (
	"slices"

	"velostream/engine/sql/ast"
	"velostream/engine/sql/expr"
	"velostream/engine/sql/plan"
)

// A query with a WINDOW clause, without groups and without an aggregate in its select list,
// shows the rows of its windows: window functions are computed over the rows of a window, and
// HAVING is one condition over them that all rows of the window pass or none. The rows of a
// window leave in the order of their times.

// showsRows reports that the block is such a query.
func (k *block) showsRows(sort []orderItem) bool {
	if k.window == nil || k.window.place != ast.PlaceClause || k.sel.GroupBy != nil {
		return false
	}
	for _, it := range k.items {
		if containsAggregate(it.e) {
			return false
		}
	}
	for _, o := range sort {
		if o.e != nil && containsAggregate(o.e) {
			return false
		}
	}
	over := false
	k.eachOver(func(e expr.Expr) { over = over || e != nil && containsAggregate(e) })
	return !over
}

// windowRows puts the rows of closed windows, in order, and HAVING over the input.
func (k *block) windowRows() error {
	k.rows, k.grouped = true, false
	if k.b.emit.late != plan.LateDrop && k.b.emit.late != plan.LateLetters {
		return k.b.lateUnsupported("late rows of windows without groups other than dropped ones are not supported")
	}
	return k.havingOfRows()
}

// orderedRows puts the rows of each window in the order of their times, and where they wait
// for it, lets them leave when it closes.
func (k *block) orderedRows() {
	n := &plan.Over{Input: k.input, Order: []plan.SortKey{{Expr: k.window.time}}, Out: k.input.Schema()}
	k.window.closing(k.b, n)
	k.input = n
}

// closing makes n compute over the rows of closed windows.
func (w *timeWindow) closing(b *Binder, n *plan.Over) {
	n.WindowEnd, n.Emit = col(w.end, w, "window_end"), plan.EmitChanges
	if b.emit.mode == plan.EmitFinal {
		n.Emit = plan.EmitFinal
	}
	if w.kind != plan.Session && !w.held { // the lowest holds rows back
		n.Lateness, w.held = b.emit.delay, true
	}
}

func col(i int, w *timeWindow, name string) expr.Expr {
	return &expr.Col{Index: i, T: w.t, Name: name}
}

// columns tell the window of a row: sessions of several keys may begin and end together.
func (w *timeWindow) columns() []expr.Expr {
	out := []expr.Expr{col(w.start, w, "window_start"), col(w.end, w, "window_end")}
	if w.kind == plan.Session {
		out = append(out, w.keys...)
	}
	return out
}

// havingOfRows computes the aggregates of HAVING over the rows of each window, and keeps the
// windows for which it holds. A bare column is that of the window's first row.
func (k *block) havingOfRows() error {
	if k.having == nil {
		return nil
	}
	whole := plan.Frame{Mode: plan.FrameRange, End: plan.FrameBound{Kind: plan.UnboundedFollowing}}
	n := &plan.Over{Partition: k.window.columns(), Order: []plan.SortKey{{Expr: k.window.time}}}
	base := len(k.input.Schema())
	add := func(c plan.OverCall) expr.Expr {
		c.Frame = whole
		n.Calls = append(n.Calls, c)
		return &expr.Col{Index: base + len(n.Calls) - 1, T: c.T, Name: c.Name}
	}
	var walk func(e expr.Expr) (expr.Expr, error)
	walk = func(e expr.Expr) (expr.Expr, error) {
		switch e := e.(type) {
		case *aggRef:
			a := k.aggs[e.index]
			if a.Distinct || len(a.OrderBy) > 0 && !slices.Contains([]string{"first_value", "last_value"}, a.Name) {
				return nil, k.b.missing(k.sel.Having, "%s with DISTINCT or ORDER BY in HAVING over the rows of a window is not supported", a.Name)
			}
			c := plan.OverCall{Name: a.Name, Args: a.Args, Filter: a.Filter, T: a.T, Aggregate: true}
			if a.Name == "first_value" || a.Name == "last_value" {
				c.Aggregate = false
			}
			return add(c), nil
		case *ref:
			if e.level > 0 || k.window.owns(e.index) {
				return e, nil
			}
			return add(plan.OverCall{Name: "first_value", Args: []expr.Expr{e}, T: e.t}), nil
		}
		return plan.MapChildren(e, walk)
	}
	cond, err := walk(k.having)
	if err != nil {
		return err
	}
	k.aggs = nil
	n.Calls = plan.MapOverCalls(n.Calls, func(e expr.Expr) expr.Expr {
		if e == nil || err != nil {
			return e
		}
		var x expr.Expr
		if x, err = k.input0(e); err != nil {
			return e
		}
		return x
	})
	if err != nil {
		return err
	}
	if cond, err = k.input0(cond); err != nil {
		return err
	}
	k.having = nil
	if len(n.Calls) > 0 {
		k.window.closing(k.b, n)
		n.Input = k.input
		n.Out = append(plan.Schema(nil), k.input.Schema()...)
		for _, c := range n.Calls {
			n.Out = append(n.Out, plan.Column{Name: c.Name, Type: c.T, Hidden: true})
		}
		k.input = n
	}
	k.input = &plan.Filter{Input: k.input, Cond: cond}
	return nil
}

// filterBefore lets rows pass the conditions that do not look at the window before they are
// put into sessions: those they do not pass are in none. It returns the other conditions.
func (w *timeWindow) filterBefore(conds []expr.Expr) []expr.Expr {
	var before, after []expr.Expr
	for _, c := range conds {
		looks := false
		plan.EachColumn(c, func(c *expr.Col) { looks = looks || w.owns(c.Index) })
		if looks {
			after = append(after, c)
		} else {
			before = append(before, c)
		}
	}
	if len(before) > 0 {
		n := *w.node
		n.Input = &plan.Filter{Input: n.Input, Cond: plan.All(before)}
		w.node = &n
	}
	return after
}
