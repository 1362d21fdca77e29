package binder

import (
	"slices"

	"velostream/catalog/types"
	"velostream/engine/sql/ast"
	"velostream/engine/sql/expr"
	"velostream/engine/sql/plan"
	"velostream/pgwire/pgerror"
)

// in binds X IN (list) and, where it is not a condition of WHERE, IN (query).
func (b *Binder) in(e *ast.In, cx *context) (expr.Expr, error) {
	if l, ok := rowOf(e.X); ok && e.Query == nil {
		return b.rowIn(l, e, cx)
	}
	if l, ok := rowOf(e.X); ok {
		xs, err := b.exprs(l.Items, cx)
		if err != nil {
			return nil, err
		}
		v, err := b.anyQuery(xs, l.Items, "=", false, e.Query, cx, e)
		if err == nil && e.Not {
			v = &expr.Not{Arg: v}
		}
		return v, err
	}
	x, err := b.expr(e.X, cx)
	if err != nil {
		return nil, err
	}
	if e.Query != nil {
		v, err := b.inQuery(x, e.X, e.Query, cx, e)
		if err == nil && e.Not {
			v = &expr.Not{Arg: v}
		}
		return v, err
	}
	list, err := b.exprs(e.List, cx)
	if err != nil {
		return nil, err
	}
	if in := b.inList(x, list, e); in != nil {
		return in, nil
	}
	args := make([]expr.Expr, len(list))
	op := "="
	if e.Not {
		op = "<>"
	}
	for i, v := range list {
		if args[i], err = b.call(op, true, []expr.Expr{x, v}, []ast.Expr{e.X, e.List[i]}, e); err != nil {
			return nil, err
		}
	}
	switch {
	case len(args) == 1:
		return args[0], nil
	case e.Not:
		return &expr.And{Args: args}, nil
	}
	return &expr.Or{Args: args}, nil
}

// inList makes the hashed form where all items are constants of one type that
// x has too; nil: it can't be used.
func (b *Binder) inList(x expr.Expr, list []expr.Expr, e *ast.In) expr.Expr {
	ts := []types.Type{x.Type()}
	for _, v := range list {
		if _, ok := v.(*expr.Const); !ok {
			return nil
		}
		ts = append(ts, v.Type())
	}
	t, err := expr.CommonType("IN", ts...)
	if err != nil {
		return nil
	}
	arg, err := b.castTo(x, t, false, leftmost(e.X))
	if err != nil {
		return nil
	}
	out := &expr.InList{Arg: arg, Negate: e.Not}
	for i, v := range list {
		c, err := b.castTo(v, types.Type{OID: t.OID, Mod: -1}, false, leftmost(e.List[i]))
		if err != nil {
			return nil
		}
		if _, isConst := c.(*expr.Const); !isConst {
			c = expr.Fold(c)
		}
		k, ok := c.(*expr.Const)
		if !ok {
			return nil
		}
		out.List = append(out.List, *k)
	}
	return out
}

// quantified binds X op ANY|ALL (array).
func (b *Binder) quantified(e *ast.Quantified, cx *context) (expr.Expr, error) {
	x, err := b.expr(e.X, cx)
	if err != nil {
		return nil, err
	}
	if e.Query != nil {
		switch {
		case e.Op.Symbol == "=" && !e.All:
			return b.inQuery(x, e.X, e.Query, cx, e)
		case e.Op.Symbol == "<>" && e.All:
			v, err := b.inQuery(x, e.X, e.Query, cx, e)
			return &expr.Not{Arg: v}, err
		}
		return b.anyQuery([]expr.Expr{x}, []ast.Expr{e.X}, e.Op.Symbol, e.All, e.Query, cx, e)
	}
	if a, ok := e.Array.(*ast.ArrayExpr); ok && len(a.Elems) > 0 && !nestedArray(a) {
		list, err := b.exprs(a.Elems, cx)
		if err != nil {
			return nil, err
		}
		args := make([]expr.Expr, len(list))
		for i, v := range list {
			if args[i], err = b.call(e.Op.Symbol, true, []expr.Expr{x, v}, []ast.Expr{e.X, a.Elems[i]}, e); err != nil {
				return nil, err
			}
		}
		if e.All {
			return &expr.And{Args: args}, nil
		}
		return &expr.Or{Args: args}, nil
	}
	arr, err := b.expr(e.Array, cx)
	if err != nil {
		return nil, err
	}
	if arr.Type().OID == types.OIDUnknown {
		t, ok := x.Type().Array()
		if !ok {
			t, _ = types.Text.Array()
		}
		if arr, err = b.castTo(arr, t, false, leftmost(e.Array)); err != nil {
			return nil, err
		}
	}
	elem, ok := arr.Type().Elem()
	if !ok {
		return nil, pgerror.New(pgerror.WrongObjectType, "op ANY/ALL (array) requires array on right side").At(b.pos(e.Pos()))
	}
	// The operator must exist for the element type; its error names both.
	probe := &expr.Const{Value: types.NullDatum, T: elem}
	if _, err := b.call(e.Op.Symbol, true, []expr.Expr{x, probe}, []ast.Expr{e.X, e.Array}, e); err != nil {
		return nil, err
	}
	return b.call(expr.AnyName(e.Op.Symbol, e.All), false, []expr.Expr{x, arr}, []ast.Expr{e.X, e.Array}, e)
}

// nestedArray reports ARRAY[[…]] and ARRAY[ARRAY[…]].
func nestedArray(a *ast.ArrayExpr) bool {
	return slices.ContainsFunc(a.Elems, func(e ast.Expr) bool {
		_, ok := e.(*ast.ArrayExpr)
		return ok
	})
}

// where binds the condition of WHERE: conditions on subqueries become semi and
// anti joins of k.input, the rest is returned over its columns.
func (b *Binder) where(e ast.Expr, k *block) ([]expr.Expr, error) {
	if l, ok := e.(*ast.Logical); ok && !l.Or {
		var out []expr.Expr
		for _, a := range l.Args {
			c, err := b.whereArg(a, k, "AND")
			if err != nil {
				return nil, err
			}
			out = append(out, c...)
		}
		return out, nil
	}
	return b.whereArg(e, k, "WHERE")
}

func (b *Binder) whereArg(e ast.Expr, k *block, construct string) ([]expr.Expr, error) {
	inner, not := e, false
	for {
		n, ok := inner.(*ast.Not)
		if !ok {
			break
		}
		inner, not = n.X, !not
	}
	switch x := inner.(type) {
	case *ast.Logical:
		if !not && !x.Or {
			return b.where(x, k)
		}
	case *ast.Exists:
		return nil, b.existsJoin(k, x.Query, not)
	case *ast.In:
		if x.Query != nil && not == x.Not {
			return nil, b.inJoin(k, x.X, x.Query, x)
		}
	case *ast.Quantified:
		if x.Query != nil && !not && x.Op.Symbol == "=" && !x.All {
			return nil, b.inJoin(k, x.X, x.Query, x)
		}
	}
	c, err := b.boolean(e, k.context("WHERE", false), construct)
	if err != nil {
		return nil, err
	}
	if hasOuter(c) && k.correlated != nil {
		*k.correlated = append(*k.correlated, c)
		return nil, nil
	}
	if c, err = k.input0(c); err != nil {
		return nil, err
	}
	return plan.Conjuncts(c), nil
}

func hasOuter(e expr.Expr) bool { return firstOuter(e) != nil }

func firstOuter(e expr.Expr) *ref {
	if r, ok := e.(*ref); ok && r.level > 0 {
		return r
	}
	for _, a := range expr.Children(e) {
		if r := firstOuter(a); r != nil {
			return r
		}
	}
	return nil
}

// existsJoin makes [NOT] EXISTS (query) a semi or anti join.
func (b *Binder) existsJoin(k *block, q *ast.Query, not bool) error {
	sub, conds, err := b.correlatedQuery(q, k.scope, false)
	if err != nil {
		return err
	}
	return k.semiJoin(sub, conds, not)
}

// inJoin makes X IN (query) a semi join; X may be a list.
func (b *Binder) inJoin(k *block, x ast.Expr, q *ast.Query, n ast.Node) error {
	items := []ast.Expr{x}
	if row, ok := rowOf(x); ok {
		items = row.Items
	}
	ls, err := b.exprs(items, k.context("WHERE", false))
	if err != nil {
		return err
	}
	sub, conds, err := b.correlatedQuery(q, k.scope, true)
	if err != nil {
		return err
	}
	s := sub.Schema()
	switch have := len(visible(s)); {
	case have > len(ls):
		return pgerror.New(pgerror.SyntaxError, "subquery has too many columns").At(b.pos(n.Pos()))
	case have < len(ls):
		return pgerror.New(pgerror.SyntaxError, "subquery has too few columns").At(b.pos(n.Pos()))
	}
	for i, l := range ls {
		if l, err = k.attach(l, func(e expr.Expr) (expr.Expr, error) { return toCols(b, e) }); err != nil {
			return err
		}
		r := &expr.Col{Index: subOffset + i, T: s[i].Type, Name: s[i].Name}
		eq, err := b.call("=", true, []expr.Expr{l, r}, []ast.Expr{items[i], items[i]}, n)
		if err != nil {
			return err
		}
		conds = append(conds, eq)
	}
	return k.semiJoin(sub, conds, false)
}

// subOffset is added to the columns of a subquery in conditions that refer to
// both it and the query around it, until the width of the latter is known.
const subOffset = 1 << 20

// correlatedQuery binds a subquery whose WHERE may refer to the query around
// it. Such conditions are returned with the outer columns as refs of level 0
// and the subquery's own as Cols from subOffset on.
func (b *Binder) correlatedQuery(q *ast.Query, outer *Scope, values bool) (plan.Logical, []expr.Expr, error) {
	s, simple := simpleSelect(q)
	if !simple {
		r, err := b.query(q, outer)
		if err != nil {
			return nil, nil, err
		}
		return r.plan, nil, b.textForUnknown(r)
	}
	if b.depth++; b.depth > maxDepth {
		return nil, nil, pgerror.New(pgerror.StatementTooComplex, "queries are nested too deeply").At(b.pos(q.Pos()))
	}
	defer func() { b.depth-- }()
	var conds []expr.Expr
	k := &block{b: b, sel: s, windowEnd: -1, correlated: &conds}
	for _, step := range []func() error{func() error { return k.bindFrom(outer) }, k.bindItems, k.bindWhere} {
		if err := step(); err != nil {
			return nil, nil, err
		}
	}
	if len(k.aggs)+len(k.overs)+len(k.sets) > 0 {
		if len(conds) > 0 { // they decide what is aggregated: bound again with them in place
			r, err := b.query(q, outer)
			if err != nil {
				return nil, nil, err
			}
			return r.plan, nil, b.textForUnknown(r)
		}
		r, err := k.finish(nil) // the aggregates make one row
		if err != nil {
			return nil, nil, err
		}
		return r.plan, nil, b.textForUnknown(r)
	}
	return k.semiInput(conds, values)
}

// semiInput makes the right side of a semi join: the select list where its
// values count, then all columns of FROM for the conditions.
func (k *block) semiInput(conds []expr.Expr, values bool) (plan.Logical, []expr.Expr, error) {
	p := &plan.Project{}
	if values {
		for _, it := range k.items {
			x, err := k.input0(it.e)
			if err != nil {
				return nil, nil, err
			}
			if x.Type().OID == types.OIDUnknown {
				if x, err = k.b.castTo(x, types.Text, false, 0); err != nil {
					return nil, nil, err
				}
			}
			p.Exprs = append(p.Exprs, x)
			p.Out = append(p.Out, plan.Column{Name: it.name, Type: x.Type()})
		}
	}
	n := len(p.Exprs)
	if len(conds) > 0 || n == 0 {
		for i, c := range k.input.Schema() {
			p.Exprs = append(p.Exprs, &expr.Col{Index: i, T: c.Type, Name: c.Name})
			c.Hidden = true
			p.Out = append(p.Out, c)
		}
	}
	p.Input = k.input
	out := make([]expr.Expr, len(conds))
	for i, c := range conds {
		x, err := toOuter(c, n)
		if err != nil {
			return nil, nil, err
		}
		out[i] = x
	}
	return p, out, nil
}

// toOuter changes the point of view of a condition from the subquery to the
// query around it.
func toOuter(e expr.Expr, n int) (expr.Expr, error) {
	if r, ok := e.(*ref); ok {
		if r.level > 0 {
			o := *r
			o.level--
			return &o, nil
		}
		return &expr.Col{Index: subOffset + n + r.index, T: r.t, Name: r.name}, nil
	}
	return plan.MapChildren(e, func(a expr.Expr) (expr.Expr, error) { return toOuter(a, n) })
}

func (k *block) semiJoin(sub plan.Logical, conds []expr.Expr, not bool) error {
	kind := plan.SemiJoin
	if not {
		kind = plan.AntiJoin
	}
	sub, outer, err := k.correlate(sub, func(e expr.Expr) (expr.Expr, error) { return toCols(k.b, e) })
	if err != nil {
		return err
	}
	n := len(k.input.Schema())
	j := newJoin(kind, k.input, sub)
	k.equateOuter(j, outer)
	var rest []expr.Expr
	for _, c := range conds {
		x, err := toCols(k.b, c)
		if err != nil {
			return err
		}
		x = plan.Remap(x, func(c *expr.Col) expr.Expr {
			if c.Index >= subOffset {
				return &expr.Col{Index: c.Index - subOffset + n + len(outer), T: c.T, Name: c.Name}
			}
			return c
		})
		for _, y := range plan.Conjuncts(x) {
			if !SplitEquality(j, y, n) {
				rest = append(rest, y)
			}
		}
	}
	j.Cond = plan.All(rest)
	k.input = j
	return nil
}
