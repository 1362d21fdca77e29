package binder

import (
	"velostream/engine/sql/ast"
	"velostream/engine/sql/expr"
	"velostream/engine/sql/plan"
)

// outerAggregate binds an aggregate of a query around this one: one whose arguments use
// columns of that query only. nil: it is none.
func (b *Binder) outerAggregate(name string, e *ast.FuncCall, cx *context) (expr.Expr, error) {
	if cx.scope == nil || cx.scope.parent == nil || len(e.Args) == 0 || cx.inAgg || e.Filter != nil || len(e.OrderBy) > 0 {
		return nil, nil
	}
	probe := &context{scope: cx.scope, clause: cx.clause, inAgg: true}
	args, err := b.exprs(e.Args, probe)
	if err != nil {
		return nil, nil //nolint:nilerr // it is reported by whoever binds the call
	}
	level := 0
	for _, a := range args {
		switch l := levelOf(a); {
		case l == 0 && hasInner(a):
			return nil, nil
		case level == 0:
			level = l
		case l != 0 && l != level:
			return nil, nil
		}
	}
	if level == 0 {
		return nil, nil
	}
	scope := cx.scope
	for range level {
		scope = scope.parent
	}
	k := scope.block
	if k == nil || !k.allows {
		return nil, nil
	}
	for i := range args {
		args[i] = atLevel(args[i], level)
	}
	call := plan.AggCall{Name: name, Distinct: e.Distinct}
	if err := b.aggregateArgs(&call, name, args, e); err != nil {
		return nil, err
	}
	if n, ok := aggregateNames[name]; ok {
		call.Name = n
	}
	return &outerRef{e: k.addAggregate(call), level: level}, nil
}

// levelOf is the level of the references in e, 0 where there are none; -1: several.
func levelOf(e expr.Expr) int {
	if r, ok := e.(*ref); ok {
		return r.level
	}
	level := 0
	for _, c := range expr.Children(e) {
		l := levelOf(c)
		if level != 0 && l != 0 && l != level {
			return -1
		}
		level = max(level, l)
	}
	return level
}

// atLevel is e seen from the query that its references are to.
func atLevel(e expr.Expr, level int) expr.Expr {
	if r, ok := e.(*ref); ok {
		o := *r
		o.level -= level
		return &o
	}
	out, _ := plan.MapChildren(e, func(a expr.Expr) (expr.Expr, error) { return atLevel(a, level), nil })
	return out
}
