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
	if _, nested := s[0].Type.Elem(); nested && !ok {
		t, ok = s[0].Type, true
	}
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

// onCondition binds the condition of a join. Subqueries in it are joined to the side whose
// columns they use; in an inner join they may use both sides. nil: the condition is part of
// f's plan already.
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
		return b.onSides(f, k, j, x, on)
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

// onSides attaches the subqueries of an outer join's condition to the side whose columns
// they use, the right one for those that use none. The columns they add stay out of sight.
func (b *Binder) onSides(f *fromItem, k *block, j *plan.Join, x expr.Expr, on ast.Expr) (expr.Expr, error) {
	n, m := len(j.Left.Schema()), len(j.Right.Schema())
	left := &block{b: b, sel: k.sel, scope: k.scope, windowEnd: -1, input: j.Left}
	k.input = j.Right
	values := map[*subRef]expr.Expr{}
	var onLeft []*subRef
	var attach func(e expr.Expr) error
	attach = func(e expr.Expr) error {
		s, ok := e.(*subRef)
		if !ok {
			for _, a := range expr.Children(e) {
				if err := attach(a); err != nil {
					return err
				}
			}
			return nil
		}
		to, from := k, n
		usesLeft, usesRight := s.sidesOf(n)
		switch {
		case usesLeft && usesRight:
			return b.missing(on, "a subquery in the condition of an outer join that uses columns of both sides is not supported")
		case usesLeft:
			to, from = left, 0
			onLeft = append(onLeft, s)
		}
		v, err := to.attach(s, func(e expr.Expr) (expr.Expr, error) { return b.toColsFrom(e, from) })
		values[s] = v
		return err
	}
	if err := attach(x); err != nil {
		return nil, err
	}
	added := len(left.input.Schema()) - n
	var final func(e expr.Expr) (expr.Expr, error)
	final = func(e expr.Expr) (expr.Expr, error) {
		if s, ok := e.(*subRef); ok {
			if slices.Contains(onLeft, s) {
				return values[s], nil
			}
			return plan.Shift(values[s], n+added), nil
		}
		if holdsSubquery(e) {
			return plan.MapChildren(e, final)
		}
		e, err := toCols(b, e)
		return plan.Remap(e, func(c *expr.Col) expr.Expr {
			if c.Index < n {
				return c
			}
			return plan.Shift(c, added)
		}), err
	}
	x, err := final(x)
	if err != nil {
		return nil, err
	}
	out := j.Out
	j.Left, j.Right = behind(left.input, n), behind(k.input, m)
	j.Out = append(append(plan.Schema(nil), j.Left.Schema()...), j.Right.Schema()...)
	if added > 0 {
		keep := identity(j.Out)
		f.plan = &plan.Project{Input: j, Exprs: append(keep[:n:n], keep[n+added:n+added+m]...), Out: out}
	}
	return x, nil
}

// behind hides the columns of p behind the first n.
func behind(p plan.Logical, n int) plan.Logical {
	s := slices.Clone(p.Schema())
	if len(s) == n {
		return p
	}
	for i := n; i < len(s); i++ {
		s[i].Hidden = true
	}
	return &plan.Project{Input: p, Exprs: identity(s), Out: s}
}

// sidesOf reports whether the subquery uses columns of the left side of a join, which are
// the first n, and of the right.
func (s *subRef) sidesOf(n int) (left, right bool) {
	var look func(e expr.Expr)
	look = func(e expr.Expr) {
		switch e := e.(type) {
		case *ref:
			if e.level == 0 {
				left, right = left || e.index < n, right || e.index >= n
			}
		case *subRef:
			l, r := e.sidesOf(n)
			left, right = left || l, right || r
		}
		for _, a := range expr.Children(e) {
			look(a)
		}
	}
	for _, e := range s.sub.outer {
		look(e)
	}
	eachOuter(s.sub.plan, func(o *outerRef) {
		if o.level == 1 {
			look(o.e)
		}
	})
	return left, right
}

func holdsSubquery(e expr.Expr) bool {
	if _, ok := e.(*subRef); ok {
		return true
	}
	return slices.ContainsFunc(expr.Children(e), holdsSubquery)
}
