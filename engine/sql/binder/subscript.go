package binder

import (
	"math"

	"velostream/catalog/types"
	"velostream/engine/sql/ast"
	"velostream/engine/sql/expr"
	"velostream/pgwire/pgerror"
)

// subscript binds x[i], x[i:j], and x[i][j]…, whose subscripts are one for each
// dimension of an array.
func (b *Binder) subscript(e *ast.Subscript, cx *context) (expr.Expr, error) {
	subs := []*ast.Subscript{e}
	base := e.X
	for {
		s, ok := base.(*ast.Subscript)
		if !ok || s.Closed {
			break
		}
		subs, base = append([]*ast.Subscript{s}, subs...), s.X
	}
	x, err := b.expr(base, cx)
	if err != nil {
		return nil, err
	}
	for ; len(subs) > 0 && hasMaps(x.Type()); subs = subs[1:] {
		if x, err = b.mapSubscript(x, subs[0], cx); err != nil {
			return nil, err
		}
	}
	if len(subs) == 0 {
		return x, nil
	}
	if x.Type().OID == types.OIDJSONB {
		for _, s := range subs {
			if x, err = b.jsonSubscript(x, s, cx); err != nil {
				return nil, err
			}
		}
		return x, nil
	}
	if x.Type().OID == types.OIDName && len(subs) == 1 && !e.Slice {
		return b.nameSubscript(x, e, cx)
	}
	if _, ok := x.Type().Elem(); !ok {
		return nil, pgerror.New(pgerror.DatatypeMismatch, "cannot subscript type %s because it does not support subscripting",
			TypeName(x.Type())).At(b.pos(leftmost(base)))
	}
	if len(subs) > types.MaxDims {
		return nil, types.TooManyDims(len(subs))
	}
	slice := false
	for _, s := range subs {
		slice = slice || s.Slice
	}
	args, src := []expr.Expr{x}, []ast.Expr{base}
	for _, s := range subs {
		bounds, err := b.bounds(s, slice, cx)
		if err != nil {
			return nil, err
		}
		for _, v := range bounds {
			args, src = append(args, v), append(src, e)
		}
	}
	if slice {
		return b.call("array_slice", false, args, src, e)
	}
	return b.call("array_get", false, args, src, e)
}

// bounds binds one subscript, in a slice as two bounds. Where one is not given it
// is the array's, at which all are cut off; a single one among slices counts from 1.
func (b *Binder) bounds(s *ast.Subscript, slice bool, cx *context) ([]expr.Expr, error) {
	if !slice {
		v, err := b.bound(s.Lo, 0, cx)
		return []expr.Expr{v}, err
	}
	lo, hi := s.Lo, s.Hi
	least := int64(math.MinInt32)
	if !s.Slice {
		lo, hi, least = nil, s.Lo, 1
	}
	from, err := b.bound(lo, least, cx)
	if err != nil {
		return nil, err
	}
	to, err := b.bound(hi, math.MaxInt32, cx)
	return []expr.Expr{from, to}, err
}

// bound binds e as a subscript, which is other where there is none.
func (b *Binder) bound(e ast.Expr, other int64, cx *context) (expr.Expr, error) {
	if e == nil {
		return &expr.Const{Value: types.IntDatum(other), T: types.Int4}, nil
	}
	v, err := b.expr(e, cx)
	if err != nil {
		return nil, err
	}
	if t := v.Type(); t.OID != types.OIDInt4 && t.OID != types.OIDUnknown && !castAllowed(t, types.Int4, castAssignment) {
		return nil, pgerror.New(pgerror.DatatypeMismatch, "array subscript must have type integer").At(b.pos(leftmost(e)))
	}
	return b.castTo(v, types.Int4, false, leftmost(e))
}

// jsonSubscript binds x[i] for jsonb: a member by name, or an element.
func (b *Binder) jsonSubscript(x expr.Expr, e *ast.Subscript, cx *context) (expr.Expr, error) {
	if e.Slice {
		return nil, pgerror.New(pgerror.FeatureNotSupported, "jsonb subscript does not support slices").At(b.pos(e.Pos()))
	}
	i, err := b.expr(e.Lo, cx)
	if err != nil {
		return nil, err
	}
	i, err = b.castTo(i, types.Text, true, leftmost(e.Lo))
	if err != nil {
		return nil, err
	}
	list, _ := types.Text.Array()
	return b.call("#>", true, []expr.Expr{x, &expr.ArrayOf{Args: []expr.Expr{i}, T: list}}, []ast.Expr{e.X, e.Lo}, e)
}

// nameSubscript is x[i] of a name: its bytes, from 0. pg_dump asks so for the first one of
// types' names.
func (b *Binder) nameSubscript(x expr.Expr, e *ast.Subscript, cx *context) (expr.Expr, error) {
	at, err := b.expr(e.Lo, cx)
	if err != nil {
		return nil, err
	}
	one := &expr.Const{Value: types.IntDatum(1), T: types.Int4}
	if at, err = b.call("+", true, []expr.Expr{at, one}, []ast.Expr{e.Lo, e.Lo}, e); err != nil {
		return nil, err
	}
	if x, err = b.castTo(x, types.Text, true, e.Pos()); err != nil {
		return nil, err
	}
	if x, err = b.call("substr", false, []expr.Expr{x, at, one}, []ast.Expr{e.X, e.Lo, e.Lo}, e); err != nil {
		return nil, err
	}
	return b.castTo(x, types.Type{OID: types.OIDChar1, Mod: -1}, true, e.Pos())
}
