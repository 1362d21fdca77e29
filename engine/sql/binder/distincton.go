package binder

import (
	"velostream/catalog/types"
	"velostream/engine/sql/expr"
	"velostream/engine/sql/plan"
	"velostream/pgwire/pgerror"
)

// distinctOn binds DISTINCT ON as columns of p, which gets hidden ones for those that are
// not in the select list. nil: there is none.
func (k *block) distinctOn(p *plan.Project, sort []orderItem) ([]expr.Expr, error) {
	if len(k.sel.DistinctOn) == 0 {
		return nil, nil
	}
	var items []orderItem
	for _, x := range k.sel.DistinctOn {
		out, e, err := k.orderTarget(x)
		if err != nil {
			return nil, err
		}
		items = append(items, orderItem{out: out, e: e, at: leftmost(x), from: x})
	}
	// What is sorted by comes first in the order, in any order among themselves.
	for _, s := range sort[:min(len(sort), len(items))] {
		if k.among(s, items) {
			continue
		}
		at := s.at
		for _, it := range items {
			if !k.among(it, sort) {
				at = it.at
				break
			}
		}
		return nil, pgerror.New(pgerror.InvalidColumnReference, "SELECT DISTINCT ON expressions must match initial ORDER BY expressions").
			At(k.b.pos(at))
	}
	keys, err := k.sortKeys(p, items)
	if err != nil {
		return nil, err
	}
	on := make([]expr.Expr, len(keys))
	for i := range keys {
		on[i] = keys[i].Expr
	}
	return on, nil
}

// among reports that s is one of items.
func (k *block) among(s orderItem, items []orderItem) bool {
	for _, it := range items {
		if s.out == it.out && (s.out >= 0 || sameBound(s.e, it.e)) {
			return true
		}
	}
	return false
}

// firstOf keeps the first row, in the order, of those with equal on.
func firstOf(p plan.Logical, on []expr.Expr, order []plan.SortKey) plan.Logical {
	o := numbered(p, "row_number", on, order)
	n := len(o.Out) - 1
	first := &plan.Filter{Input: o, Cond: comparison("=", types.Int8, n, 1)}
	return &plan.Project{Input: first, Exprs: identity(o.Out)[:n], Out: o.Out[:n]}
}

// withTies keeps the rows of a sorted relation up to count and those equal in the
// order to the last one.
func withTies(s *plan.Sort, l *plan.Limit) plan.Logical {
	o := numbered(s.Input, "row_number", nil, s.Keys)
	rank := o.Calls[0]
	rank.Name = "rank"
	n := len(o.Out) - 1
	o.Calls = append(o.Calls, rank)
	o.Out = append(o.Out, plan.Column{Name: "rank", Type: types.Int8, Hidden: true})
	row := &expr.Col{Index: n, T: types.Int8, Name: "row_number"}
	last := &expr.Col{Index: n + 1, T: types.Int8, Name: "rank"}
	return &plan.Sort{Input: firstRows(o, n, row, last, l.Count, l.Offset, l.Bounds, func(*plan.Join) {}), Keys: s.Keys}
}
