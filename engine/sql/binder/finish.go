package binder

import (
	"velostream/catalog/types"
	"velostream/engine/sql/ast"
	"velostream/engine/sql/expr"
	"velostream/engine/sql/plan"
	"velostream/pgwire/pgerror"
)

// orderItem is a bound ORDER BY item: an output column, or an expression.
type orderItem struct {
	out  int // -1: e
	e    expr.Expr
	key  plan.SortKey
	at   int
	from ast.Expr
}

// finish makes the plan of the block: groups, HAVING, the select list,
// DISTINCT, ORDER BY.
func (k *block) finish(sort []orderItem) (*relation, error) {
	k.grouped = k.grouped || len(k.aggs) > 0
	if k.showsRows(sort) {
		if err := k.windowRows(); err != nil {
			return nil, err
		}
	}
	if k.grouped {
		if err := k.aggregateNode(sort); err != nil {
			return nil, err
		}
	}
	return k.project(sort)
}

// orderColumns takes rows in ORDER BY apart: (a, b) is a, b.
func orderColumns(order []ast.OrderItem) []ast.OrderItem {
	var out []ast.OrderItem
	for _, o := range order {
		r, ok := rowOf(o.X)
		if !ok || len(r.Items) == 0 {
			out = append(out, o)
			continue
		}
		for _, x := range r.Items {
			part := o
			if part.X = x; ordinalOf(x) { // in a row it is a value
				part.X = &ast.Cast{At: ast.At(x.Pos()), X: x, Type: &ast.TypeName{At: ast.At(x.Pos()), Name: ast.Name{Parts: []string{"int4"}}}}
			}
			out = append(out, part)
		}
	}
	return out
}

func ordinalOf(x ast.Expr) bool {
	l, ok := x.(*ast.Literal)
	return ok && l.Kind == ast.LitInteger
}

func (k *block) bindOrder(order []ast.OrderItem) ([]orderItem, error) {
	out := make([]orderItem, 0, len(order))
	for _, o := range orderColumns(order) {
		it := orderItem{out: -1, at: leftmost(o.X), from: o.X}
		var err error
		if it.key, err = k.b.sortDirection(o); err != nil {
			return nil, err
		}
		if it.out, it.e, err = k.orderTarget(o.X); err != nil {
			return nil, err
		}
		out = append(out, it)
	}
	return out, nil
}

// orderTarget finds what an ORDER BY item means: an ordinal, an output name
// before a column of FROM, else an expression, which may use aliases too.
func (k *block) orderTarget(x ast.Expr) (int, expr.Expr, error) {
	if _, ok, err := k.ordinal(x, "ORDER BY"); err != nil {
		return 0, nil, err
	} else if ok {
		return ordinalValue(x) - 1, nil, nil
	}
	if c, ok := x.(*ast.ColumnRef); ok && len(c.Parts) == 1 && !c.Star {
		hit := -1
		for i, it := range k.items {
			if it.name != c.Parts[0] {
				continue
			}
			if hit >= 0 && !sameBound(k.items[hit].e, it.e) {
				return 0, nil, pgerror.New(pgerror.AmbiguousColumn, "ORDER BY %q is ambiguous", it.name).At(k.b.pos(x.Pos()))
			}
			if hit < 0 {
				hit = i
			}
		}
		if hit >= 0 {
			return hit, nil, nil
		}
	}
	cx := k.context("ORDER BY", true)
	cx.aliases = k.aliasItems()
	e, err := k.b.expr(x, cx)
	if err != nil {
		return 0, nil, err
	}
	for i, it := range k.items {
		if sameBound(it.e, e) {
			return i, nil, nil
		}
	}
	return -1, e, nil
}

// sortDirection reads ASC, DESC, USING and NULLS; NULLs count as greatest
// unless the query says otherwise.
func (b *Binder) sortDirection(o ast.OrderItem) (plan.SortKey, error) {
	k := plan.SortKey{Desc: o.Desc}
	if o.Using != nil {
		switch o.Using.Symbol {
		case "<":
		case ">":
			k.Desc = true
		default:
			return k, pgerror.New(pgerror.WrongObjectType, "operator %s is not a valid ordering operator", o.Using.Symbol).
				WithHint("Ordering operators must be \"<\" or \">\" members of btree operator families.").At(b.pos(o.Using.Pos()))
		}
	}
	k.NullsFirst = k.Desc
	switch o.Nulls {
	case ast.NullsFirst:
		k.NullsFirst = true
	case ast.NullsLast:
		k.NullsFirst = false
	default:
	}
	return k, nil
}

// sortKey binds an ORDER BY item of an aggregate.
func (b *Binder) sortKey(o ast.OrderItem, cx *context) (plan.SortKey, error) {
	k, err := b.sortDirection(o)
	if err != nil {
		return k, err
	}
	k.Expr, err = b.expr(o.X, cx)
	return k, err
}

// project makes the select list, and sorts.
func (k *block) project(sort []orderItem) (*relation, error) {
	p := &plan.Project{}
	r := &relation{event: -1, scope: k.scope}
	early := len(k.overs)+len(k.sets) > 0
	if early {
		if err := k.beforeItems(); err != nil {
			return nil, err
		}
	}
	if k.rows {
		k.orderedRows()
	}
	for i, it := range k.items {
		x, err := k.final(it.e)
		if err != nil {
			return nil, err
		}
		p.Exprs = append(p.Exprs, x)
		p.Out = append(p.Out, k.outColumn(it, x))
		r.roles = append(r.roles, k.roleOf(it))
		if it.name == "_event_time" || k.isEventTime(it) && r.event < 0 {
			r.event = i
		}
		if it.pk {
			r.primaryKey = append(r.primaryKey, i)
		}
	}
	if !early {
		if err := k.filterGroups(); err != nil {
			return nil, err
		}
	}
	keys, err := k.sortKeys(p, sort)
	if err != nil {
		return nil, err
	}
	p.Input = k.input
	r.plan = p
	on, err := k.distinctOn(p, sort)
	if err != nil {
		return nil, err
	}
	switch {
	case on != nil:
		r.plan = firstOf(p, on, keys)
	case k.sel.Distinct:
		r.plan = distinct(p)
	}
	if len(keys) > 0 {
		r.plan = &plan.Sort{Input: r.plan, Keys: keys}
	}
	return r, nil
}

// filterGroups is HAVING.
func (k *block) filterGroups() error {
	if k.having == nil {
		return nil
	}
	h, err := k.final(k.having)
	if err != nil {
		return err
	}
	k.input = &plan.Filter{Input: k.input, Cond: h}
	return nil
}

// beforeItems computes what the select list needs as columns: window functions, over
// the groups that HAVING leaves, then set-returning functions.
func (k *block) beforeItems() error {
	for _, step := range []func() error{k.filterGroups, k.overNodes, k.setNodes} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

func (k *block) roleOf(it item) windowRole {
	r, ok := it.e.(*ref)
	if !ok || r.level > 0 {
		return noWindow
	}
	if k.window != nil && k.window.owns(r.index) {
		if r.index == k.window.start {
			return windowStart
		}
		return windowEnd
	}
	if o := k.scope.originOf(r.index); o != nil {
		return o.role
	}
	return noWindow
}

func (k *block) isEventTime(it item) bool {
	r, ok := it.e.(*ref)
	if !ok || r.level > 0 || k.grouped {
		return false
	}
	for _, t := range k.scope.tables {
		if t.event == r.index {
			return true
		}
	}
	return false
}

// sortKeys turns bound ORDER BY items into keys over p, which gets hidden
// columns for those that are not in the select list.
func (k *block) sortKeys(p *plan.Project, sort []orderItem) ([]plan.SortKey, error) {
	var keys []plan.SortKey
	for _, o := range sort {
		key := o.key
		if o.out < 0 {
			if k.sel.Distinct {
				return nil, pgerror.New(pgerror.InvalidColumnReference,
					"for SELECT DISTINCT, ORDER BY expressions must appear in select list").At(k.b.pos(o.at))
			}
			x, err := k.final(o.e)
			if err != nil {
				return nil, err
			}
			if x.Type().OID == types.OIDUnknown {
				if x, err = k.b.castTo(x, types.Text, false, o.at); err != nil {
					return nil, err
				}
			}
			o.out = len(p.Exprs)
			p.Exprs = append(p.Exprs, x)
			p.Out = append(p.Out, plan.Column{Type: x.Type(), Hidden: true})
		} else if p.Out[o.out].Type.OID == types.OIDUnknown {
			x, err := k.b.castTo(p.Exprs[o.out], types.Text, false, o.at)
			if err != nil {
				return nil, err
			}
			p.Exprs[o.out], p.Out[o.out].Type = x, types.Text
		}
		key.Expr = &expr.Col{Index: o.out, T: p.Out[o.out].Type, Name: p.Out[o.out].Name}
		keys = append(keys, key)
	}
	return keys, nil
}

// distinct keeps one of equal rows.
func distinct(p plan.Logical) plan.Logical {
	s := p.Schema()
	return &plan.Aggregate{Input: p, Groups: identity(s), Emit: plan.EmitChanges, WindowEnd: -1, Out: append(plan.Schema(nil), s...)}
}
