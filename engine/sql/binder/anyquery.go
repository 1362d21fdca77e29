package binder

import (
	"slices"

	"velostream/catalog/types"
	"velostream/engine/sql/ast"
	"velostream/engine/sql/expr"
	"velostream/engine/sql/plan"
	"velostream/pgwire/pgerror"
)

// anyQuery is xs op ANY or ALL (query): how many rows of the query compare as true, or
// as false, and how many as NULL decides it.
func (b *Binder) anyQuery(xs []expr.Expr, src []ast.Expr, op string, all bool, q *ast.Query, cx *context, n ast.Node) (expr.Expr, error) {
	r, err := b.subquery(q, cx, n)
	if err != nil {
		return nil, err
	}
	s := r.plan.Schema()
	switch have := len(visible(s)); {
	case have > len(xs):
		return nil, pgerror.New(pgerror.SyntaxError, "subquery has too many columns").At(b.pos(n.Pos()))
	case have < len(xs):
		return nil, pgerror.New(pgerror.SyntaxError, "subquery has too few columns").At(b.pos(n.Pos()))
	}
	conds := make([]expr.Expr, len(xs))
	for i, x := range xs {
		y := &expr.Col{Index: i, T: s[i].Type, Name: s[i].Name}
		if conds[i], err = b.call(op, true, []expr.Expr{lifted(x), y}, []ast.Expr{src[i], src[i]}, n); err != nil {
			return nil, err
		}
	}
	if len(xs) > 1 && op != "=" {
		return nil, b.missing(n, "comparing rows by %s with a query is not supported", op)
	}
	cond := plan.All(conds)
	decides := &expr.IsDistinct{L: cond, R: &expr.Const{Value: types.BoolDatum(!all), T: types.Bool}, Negate: true}
	a := &plan.Aggregate{
		Input: r.plan, Emit: plan.EmitChanges, WindowEnd: -1,
		Aggs: []plan.AggCall{
			{Name: "count", T: types.Int8, Filter: decides},
			{Name: "count", T: types.Int8, Filter: &expr.IsNull{Arg: cond}},
		},
		Out: plan.Schema{{Name: "count", Type: types.Int8}, {Name: "count", Type: types.Int8}},
	}
	value := &expr.Case{T: types.Bool, Else: &expr.Const{Value: types.BoolDatum(all), T: types.Bool}, Whens: []expr.When{
		{Cond: comparison(">", types.Int8, 0, 0), Then: &expr.Const{Value: types.BoolDatum(!all), T: types.Bool}},
		{Cond: comparison(">", types.Int8, 1, 0), Then: &expr.Const{Value: types.NullDatum, T: types.Bool}},
	}}
	return &subRef{t: types.Bool, sub: &subPlan{plan: a, one: true, value: value}}, nil
}

// lifted is an expression of the query around a subquery, seen from within.
func lifted(x expr.Expr) expr.Expr {
	switch x.(type) {
	case *expr.Const, *expr.Param:
		return x
	}
	return &outerRef{e: x, level: 1}
}

// arrayQuery is ARRAY(query): the values in the query's order.
func (b *Binder) arrayQuery(e *ast.ArrayQuery, cx *context) (expr.Expr, error) {
	r, err := b.subquery(e.Query, cx, e)
	if err != nil {
		return nil, err
	}
	s := r.plan.Schema()
	if len(s) != 1 {
		return nil, pgerror.New(pgerror.SyntaxError, "subquery must return only one column").At(b.pos(e.Pos()))
	}
	t, ok := s[0].Type.Array()
	if !ok {
		return nil, b.missing(e, "arrays of type %s are not supported", TypeName(s[0].Type))
	}
	t.Mod = -1
	var arg expr.Expr = &expr.Col{T: s[0].Type, Name: s[0].Name}
	a := &plan.Aggregate{Input: r.plan, Emit: plan.EmitChanges, WindowEnd: -1, Out: plan.Schema{{Name: "array", Type: t}}}
	call := plan.AggCall{Name: "array_agg", T: t}
	p, sorted := r.plan.(*plan.Project)
	if sorted {
		if o, ok := p.Input.(*plan.Sort); ok {
			arg, a.Input, call.OrderBy = p.Exprs[0], o.Input, o.Keys
		}
	} else if o, ok := r.plan.(*plan.Sort); ok {
		a.Input, call.OrderBy = o.Input, o.Keys
	}
	call.Args = []expr.Expr{arg}
	a.Aggs = []plan.AggCall{call}
	value := &expr.Coalesce{T: t, Args: []expr.Expr{&expr.Col{T: t, Name: "array"}, &expr.Const{Value: types.Datum{List: []types.Datum{}}, T: t}}}
	return &subRef{t: t, sub: &subPlan{plan: a, one: true, value: value}}, nil
}

// onCondition binds the condition of a join. Subqueries in it are joined to the right
// side, whose columns they may use; in an inner join they may use both sides. nil: the
// condition is part of f's plan already.
func (b *Binder) onCondition(f *fromItem, j *plan.Join, on ast.Expr) (expr.Expr, error) {
	k := &block{b: b, sel: &ast.Select{}, scope: f.scope, windowEnd: -1}
	x, err := b.boolean(on, &context{scope: f.scope, clause: "JOIN conditions", subs: &k.subs}, "JOIN/ON")
	if err != nil {
		return nil, err
	}
	over := func(e expr.Expr) (expr.Expr, error) { return toCols(b, e) }
	if !holdsSubquery(x) {
		return over(x)
	}
	if j.Kind != plan.InnerJoin && j.Kind != plan.CrossJoin || dependent(j.Right) {
		return b.onRight(k, j, x, on)
	}
	k.input = j
	if x, err = k.attach(x, over); err != nil {
		return nil, err
	}
	if x, err = over(x); err != nil {
		return nil, err
	}
	n := len(j.Out)
	f.plan = &plan.Project{Input: &plan.Filter{Input: k.input, Cond: x}, Exprs: identity(j.Out)[:n], Out: j.Out}
	return nil, nil
}

// onRight attaches the subqueries of an outer join's condition to its right side. The
// columns they add stay, out of sight, behind the others.
func (b *Binder) onRight(k *block, j *plan.Join, x expr.Expr, on ast.Expr) (expr.Expr, error) {
	n := len(j.Left.Schema())
	bad := b.missing(on, "a subquery in the condition of an outer join that uses columns of its left side is not supported")
	over := func(e expr.Expr) (expr.Expr, error) {
		e, err := toCols(b, e)
		if err != nil {
			return nil, err
		}
		ok := true
		plan.EachColumn(e, func(c *expr.Col) { ok = ok && c.Index >= n })
		if !ok {
			return nil, bad
		}
		return plan.Shift(e, -n), nil
	}
	k.input = j.Right
	var walk func(e expr.Expr) (expr.Expr, error)
	walk = func(e expr.Expr) (expr.Expr, error) {
		if _, ok := e.(*subRef); ok {
			v, err := k.attach(e, over)
			if err != nil {
				return nil, err
			}
			return plan.Shift(v, n), nil
		}
		return plan.MapChildren(e, walk)
	}
	x, err := walk(x)
	if err != nil {
		return nil, err
	}
	s := append(plan.Schema(nil), k.input.Schema()...)
	for i := len(j.Right.Schema()); i < len(s); i++ {
		s[i].Hidden = true
	}
	j.Right = &plan.Project{Input: k.input, Exprs: identity(s), Out: s}
	j.Out = append(append(plan.Schema(nil), j.Left.Schema()...), s...)
	return toCols(b, x)
}

func holdsSubquery(e expr.Expr) bool {
	if _, ok := e.(*subRef); ok {
		return true
	}
	return slices.ContainsFunc(expr.Children(e), holdsSubquery)
}
