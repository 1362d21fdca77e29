package binder

import (
	"velostream/catalog/types"
	"velostream/engine/sql/ast"
	"velostream/engine/sql/expr"
	"velostream/engine/sql/plan"
	"velostream/pgwire/pgerror"
)

// limit binds LIMIT and OFFSET of r. They may use the query around r's, and hold
// subqueries, but not name r's own columns.
func (b *Binder) limit(l *ast.Limit, r *relation, parent *Scope) (plan.Logical, error) {
	scope := r.scope
	if scope == nil {
		scope = &Scope{parent: parent}
	}
	k := &block{b: b, scope: scope, input: &plan.Values{Rows: [][]expr.Expr{{}}}, windowEnd: -1}
	count, err := k.limitValue(l.Count, "LIMIT")
	if err != nil {
		return nil, err
	}
	offset, err := k.limitValue(l.Offset, "OFFSET")
	if err != nil {
		return nil, err
	}
	n := &plan.Limit{Input: r.plan, Count: count, Offset: offset}
	switch {
	case count == nil && offset == nil:
		return r.plan, nil
	case len(k.input.Schema()) > 0:
		n.Count, n.Offset = nil, nil
		row := []expr.Expr{count, offset}
		for i, e := range row {
			if e == nil {
				row[i] = &expr.Const{Value: types.NullDatum, T: types.Int8}
			}
		}
		n.Bounds = &plan.Project{Input: k.input, Exprs: row, Out: plan.Schema{{Name: "count", Type: types.Int8}, {Name: "offset", Type: types.Int8}}}
	}
	if !l.WithTies {
		return n, nil
	}
	s, ok := r.plan.(*plan.Sort)
	if !ok {
		return nil, pgerror.New(pgerror.SyntaxError, "WITH TIES cannot be specified without ORDER BY clause").At(b.pos(l.Pos()))
	}
	if c, ok := n.Count.(*expr.Const); ok {
		switch {
		case c.Value.Null:
			return nil, pgerror.New("2201W", "row count cannot be null in FETCH FIRST ... WITH TIES clause")
		case c.Value.I < 0:
			return nil, pgerror.New("2201W", "LIMIT must not be negative")
		}
	}
	return withTies(s, n), nil
}

// limitValue binds x as a bigint of which there is one for the whole query.
func (k *block) limitValue(x ast.Expr, clause string) (expr.Expr, error) {
	if x == nil {
		return nil, nil
	}
	e, err := k.b.expr(x, k.context(clause, false))
	if err != nil {
		return nil, err
	}
	from := e.Type()
	if from.OID != types.OIDUnknown && from.OID != types.OIDInt8 && !castAllowed(from, types.Int8, castAssignment) {
		return nil, pgerror.New(pgerror.DatatypeMismatch, "argument of %s must be type bigint, not type %s", clause, TypeName(from)).
			At(k.b.pos(leftmost(x)))
	}
	if e, err = k.b.castTo(e, types.Int8, false, leftmost(x)); err != nil {
		return nil, err
	}
	over := func(e expr.Expr) (expr.Expr, error) {
		if r := ownColumn(e); r != nil {
			err := pgerror.New(pgerror.InvalidColumnReference, "argument of %s must not contain variables", clause)
			err.Position = r.pos
			return nil, err
		}
		return toCols(k.b, e)
	}
	if e, err = k.attach(e, over); err != nil {
		return nil, err
	}
	if e, err = over(e); err != nil {
		return nil, err
	}
	return expr.Fold(e), nil
}

// ownColumn is the first column of the query itself in e, nil: there is none.
func ownColumn(e expr.Expr) *ref {
	if r, ok := e.(*ref); ok && r.level == 0 {
		return r
	}
	for _, a := range expr.Children(e) {
		if r := ownColumn(a); r != nil {
			return r
		}
	}
	return nil
}
