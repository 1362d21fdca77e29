package binder

import (
	"velostream/catalog/types"
	"velostream/engine/sql/ast"
	"velostream/engine/sql/expr"
	"velostream/engine/sql/plan"
	"velostream/pgwire/pgerror"
)

// orderedSets are the aggregates that take WITHIN GROUP; true: hypothetical-set ones.
var orderedSets = map[string]bool{
	"percentile_cont": false, "percentile_disc": false, "mode": false,
	"rank": true, "dense_rank": true, "percent_rank": true, "cume_dist": true,
}

// aggregateContext checks that an aggregate may stand here, and returns the context
// of its arguments.
func (b *Binder) aggregateContext(e *ast.FuncCall, cx *context) (context, error) {
	inner := *cx
	switch {
	case cx.inAgg:
		return inner, pgerror.New(pgerror.GroupingError, "aggregate function calls cannot be nested").At(b.pos(e.Pos()))
	case cx.block == nil:
		return inner, pgerror.New(pgerror.GroupingError, "aggregate functions are not allowed in %s", cx.clause).At(b.pos(e.Pos()))
	}
	inner.inAgg, inner.aliases = true, nil
	return inner, nil
}

// orderedSet binds f(…) WITHIN GROUP (ORDER BY …).
func (b *Binder) orderedSet(name string, e *ast.FuncCall, cx *context) (expr.Expr, error) {
	hypothetical, ok := orderedSets[name]
	if !ok {
		if expr.IsAggregate(name) {
			if err := b.noSuchOrderedSet(name, e, cx); err != nil {
				return nil, err
			}
			return nil, pgerror.New(pgerror.WrongObjectType, "%s is not an ordered-set aggregate, so it cannot have WITHIN GROUP", name).
				At(b.pos(e.Pos()))
		}
		return nil, pgerror.New(pgerror.WrongObjectType, "WITHIN GROUP specified, but %s is not an aggregate function", name).
			At(b.pos(e.Pos()))
	}
	if e.Distinct {
		return nil, pgerror.New(pgerror.WrongObjectType, "cannot use DISTINCT with WITHIN GROUP").At(b.pos(e.Pos()))
	}
	inner, err := b.aggregateContext(e, cx)
	if err != nil {
		return nil, err
	}
	args, err := b.exprs(e.Args, &inner)
	if err != nil {
		return nil, err
	}
	call := plan.AggCall{Name: name}
	for _, o := range e.WithinGroup {
		k, err := b.sortKey(o, &inner)
		if err != nil {
			return nil, err
		}
		call.OrderBy = append(call.OrderBy, k)
	}
	if hypothetical {
		err = b.hypotheticalArgs(&call, args, e)
	} else {
		err = b.percentileArgs(&call, args, e)
	}
	if err != nil {
		return nil, err
	}
	if e.Filter != nil {
		inner.clause, inner.block, inner.inAgg = "FILTER", nil, false
		if call.Filter, err = b.boolean(e.Filter, &inner, "FILTER"); err != nil {
			return nil, err
		}
	}
	return cx.block.addAggregate(call), nil
}

// noSuchOrderedSet is the error of an aggregate that does not exist with the arguments
// and what they are ordered by.
func (b *Binder) noSuchOrderedSet(name string, e *ast.FuncCall, cx *context) error {
	src := append([]ast.Expr(nil), e.Args...)
	for _, o := range e.WithinGroup {
		src = append(src, o.X)
	}
	args, err := b.exprs(src, cx)
	if err != nil {
		return err
	}
	ts := make([]types.Type, len(args))
	for i, a := range args {
		ts[i] = a.Type()
	}
	_, _, err = expr.ResolveAggregate(name, ts)
	return b.at(err, e)
}

// noOrderedSet is the error of a call that no ordered-set aggregate takes.
func (b *Binder) noOrderedSet(call *plan.AggCall, args []expr.Expr, e *ast.FuncCall) error {
	all := append([]expr.Expr(nil), args...)
	src := append([]ast.Expr(nil), e.Args...)
	for i, k := range call.OrderBy {
		all, src = append(all, k.Expr), append(src, e.WithinGroup[i].X)
	}
	if _, err := b.call(call.Name, false, all, src, e); err != nil {
		return err
	}
	return b.missing(e, "%s with these arguments is not supported", call.Name)
}

func (b *Binder) percentileArgs(call *plan.AggCall, args []expr.Expr, e *ast.FuncCall) error {
	want := 1
	if call.Name == "mode" {
		want = 0
	}
	if len(args) != want || len(call.OrderBy) != 1 {
		return b.noOrderedSet(call, args, e)
	}
	k := &call.OrderBy[0]
	at := leftmost(e.WithinGroup[0].X)
	var err error
	switch t := k.Expr.Type(); {
	case call.Name == "percentile_cont" && t.OID != types.OIDInterval && t.OID != types.OIDFloat8:
		if t.OID != types.OIDUnknown && !castAllowed(t, types.Float8, castImplicit) {
			return b.noOrderedSet(call, args, e)
		}
		k.Expr, err = b.castTo(k.Expr, types.Float8, false, at)
	case t.OID == types.OIDUnknown:
		k.Expr, err = b.castTo(k.Expr, types.Text, false, at)
	}
	if err != nil {
		return err
	}
	call.T = k.Expr.Type()
	if want == 0 {
		return nil
	}
	fraction := types.Float8
	if _, list := args[0].Type().Elem(); list {
		fraction, _ = types.Float8.Array()
		t, ok := call.T.Array()
		if !ok {
			return b.missing(e, "arrays of type %s are not supported", TypeName(call.T))
		}
		call.T = types.Type{OID: t.OID, Mod: -1}
	} else if t := args[0].Type(); t.OID != types.OIDUnknown && t.OID != types.OIDFloat8 && !castAllowed(t, types.Float8, castImplicit) {
		return b.noOrderedSet(call, args, e)
	}
	if args[0], err = b.castTo(args[0], fraction, false, leftmost(e.Args[0])); err != nil {
		return err
	}
	call.Args = args
	return nil
}

// hypotheticalArgs brings each direct argument and what it is compared with to one type.
func (b *Binder) hypotheticalArgs(call *plan.AggCall, args []expr.Expr, e *ast.FuncCall) error {
	if len(args) != len(call.OrderBy) || len(args) == 0 {
		return b.noOrderedSet(call, args, e)
	}
	for i := range args {
		pair := []expr.Expr{args[i], call.OrderBy[i].Expr}
		if _, err := b.unify("WITHIN GROUP", pair, []ast.Expr{e.Args[i], e.WithinGroup[i].X}); err != nil {
			return err
		}
		args[i], call.OrderBy[i].Expr = pair[0], pair[1]
	}
	call.Args, call.T = args, types.Int8
	if call.Name == "percent_rank" || call.Name == "cume_dist" {
		call.T = types.Float8
	}
	return nil
}

// dialectAggregate binds the aggregates that the dialect writes as plain calls:
// percentile_cont(x, p), percentile_disc(x, p) and top_k(x, k). nil: it is none.
func (b *Binder) dialectAggregate(name string, e *ast.FuncCall, cx *context) (expr.Expr, error) {
	percentile := name == "percentile_cont" || name == "percentile_disc"
	if !percentile && name != "top_k" || len(e.Args) != 2 || e.Distinct || len(e.OrderBy) > 0 {
		return nil, nil
	}
	if percentile {
		as := *e
		as.Args, as.WithinGroup = e.Args[1:], []ast.OrderItem{{At: e.At, X: e.Args[0]}}
		return b.orderedSet(name, &as, cx)
	}
	inner, err := b.aggregateContext(e, cx)
	if err != nil {
		return nil, err
	}
	args, err := b.exprs(e.Args, &inner)
	if err != nil {
		return nil, err
	}
	t, ok := args[0].Type().Array()
	if !ok {
		return nil, b.missing(e, "top_k over %s is not supported", TypeName(args[0].Type()))
	}
	if args[1], err = b.castTo(args[1], types.Int8, false, leftmost(e.Args[1])); err != nil {
		return nil, err
	}
	call := plan.AggCall{Name: name, Args: args, T: types.Type{OID: t.OID, Mod: -1}}
	if e.Filter != nil {
		inner.clause, inner.block, inner.inAgg = "FILTER", nil, false
		if call.Filter, err = b.boolean(e.Filter, &inner, "FILTER"); err != nil {
			return nil, err
		}
	}
	return cx.block.addAggregate(call), nil
}
