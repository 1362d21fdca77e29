package binder

import (
	"velostream/catalog/types"
	"velostream/engine/sql/ast"
	"velostream/engine/sql/expr"
	"velostream/engine/sql/plan"
	"velostream/pgwire/pgerror"
)

// inQuery is X IN (query) as a value, three-valued: true when a row is equal;
// else NULL when X is NULL and there is a row, or when a row is NULL; else false.
// The rows are grouped and joined by equality; how many there are, and how many are
// NULL, is one more row.
func (b *Binder) inQuery(x expr.Expr, src ast.Expr, q *ast.Query, cx *context, n ast.Node) (expr.Expr, error) {
	r, err := b.subquery(q, cx, n)
	if err != nil {
		return nil, err
	}
	if len(visible(r.plan.Schema())) != 1 {
		return nil, pgerror.New(pgerror.SyntaxError, "subquery has too many columns").At(b.pos(n.Pos()))
	}
	y := r.plan.Schema()[0]
	if _, err := b.call("=", true, []expr.Expr{x, &expr.Col{T: y.Type}}, []ast.Expr{src, src}, n); err != nil {
		return nil, err
	}
	t, err := expr.CommonType("IN", x.Type(), y.Type)
	if err != nil {
		return nil, b.at(err, n)
	}
	t.Mod = -1
	if x, err = b.castTo(x, t, false, leftmost(src)); err != nil {
		return nil, err
	}
	key, err := b.castTo(&expr.Col{T: y.Type, Name: y.Name}, t, false, n.Pos())
	if err != nil {
		return nil, err
	}
	groups := &plan.Aggregate{
		Input: r.plan, Groups: []expr.Expr{key}, Emit: plan.EmitChanges, WindowEnd: -1,
		Aggs: []plan.AggCall{{Name: "count", T: types.Int8}},
		Out:  plan.Schema{{Name: y.Name, Type: t}, {Name: "count", Type: types.Int8}},
	}
	match := &subRef{t: types.Bool, sub: &subPlan{
		plan: groups, outer: []expr.Expr{x}, inner: []int{0},
		value: &expr.IsNull{Arg: &expr.Col{Index: 1, T: types.Int8, Name: "count"}, Negate: true},
	}}
	all := &plan.Aggregate{
		Input: r.plan, Emit: plan.EmitChanges, WindowEnd: -1,
		Aggs: []plan.AggCall{{Name: "count", T: types.Int8}, {Name: "count", T: types.Int8, Args: []expr.Expr{&expr.Col{T: y.Type, Name: y.Name}}}},
		Out:  plan.Schema{{Name: "count", Type: types.Int8}, {Name: "count", Type: types.Int8}},
	}
	rows, known := &expr.Col{Index: 0, T: types.Int8, Name: "count"}, &expr.Col{Index: 1, T: types.Int8, Name: "count"}
	// 2: a row is NULL, 1: there are rows, 0: none.
	state := &subRef{t: types.Int4, sub: &subPlan{plan: all, one: true, value: &expr.Case{
		Whens: []expr.When{
			{Cond: &expr.IsDistinct{L: rows, R: known}, Then: number(2)},
			{Cond: &expr.IsDistinct{L: rows, R: &expr.Const{T: types.Int8}}, Then: number(1)},
		},
		Else: number(0), T: types.Int4,
	}}}
	limit := &expr.Case{Whens: []expr.When{{Cond: &expr.IsNull{Arg: x}, Then: number(0)}}, Else: number(1), T: types.Int4}
	unknown, err := b.call(">", true, []expr.Expr{state, limit}, []ast.Expr{src, src}, n)
	if err != nil {
		return nil, err
	}
	null := &expr.Case{
		Whens: []expr.When{{Cond: unknown, Then: &expr.Const{Value: types.NullDatum, T: types.Bool}}},
		Else:  &expr.Const{T: types.Bool}, T: types.Bool,
	}
	return &expr.Or{Args: []expr.Expr{match, null}}, nil
}

func number(v int64) expr.Expr { return &expr.Const{Value: types.IntDatum(v), T: types.Int4} }
