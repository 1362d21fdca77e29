package binder

import (
	"velostream/catalog/types"
	"velostream/engine/sql/ast"
	"velostream/engine/sql/expr"
	"velostream/pgwire/pgerror"
)

// mapType is MAP(k, v) or MAP<k, v>.
func (b *Binder) mapType(n *ast.TypeName) (types.Type, error) {
	if len(n.Args) != 2 {
		return types.Type{}, pgerror.New(pgerror.SyntaxError, "type MAP takes the types of keys and values").At(b.pos(n.Pos()))
	}
	var parts [2]types.Type
	for i, a := range n.Args {
		t, err := b.Type(a.Type)
		if err != nil {
			return types.Type{}, err
		}
		parts[i] = t
	}
	t, err := types.MapType(parts[0], parts[1])
	if err != nil {
		at := n.Args[1]
		if _, e := types.MapType(parts[0], types.Text); e != nil {
			at = n.Args[0]
		}
		return types.Type{}, b.at(err, at.Type)
	}
	return b.bounded(n, t)
}

// mapCall binds MAP(k, v, …): its keys are brought to a common type, and so are its values.
func (b *Binder) mapCall(e *ast.FuncCall, cx *context) (expr.Expr, error) {
	switch {
	case len(e.Args) == 0:
		return nil, pgerror.New(pgerror.IndeterminateDatatype, "cannot determine type of empty map").
			WithHint("Explicitly cast to the desired type, for example '{}'::map(text,integer).").At(b.pos(e.Pos()))
	case len(e.Args)%2 != 0:
		return nil, pgerror.New(pgerror.InvalidParameterValue, "MAP takes keys and values in turn, but the last key has no value").
			At(b.pos(e.Args[len(e.Args)-1].Pos()))
	}
	args, err := b.exprs(e.Args, cx)
	if err != nil {
		return nil, err
	}
	var parts [2]types.Type
	for side := range parts {
		var each []expr.Expr
		var src []ast.Expr
		for i := side; i < len(args); i += 2 {
			each, src = append(each, args[i]), append(src, e.Args[i])
		}
		if parts[side], err = b.unify("MAP", each, src); err != nil {
			return nil, err
		}
		parts[side].Mod = -1
		for i, a := range each {
			args[2*i+side] = a
		}
	}
	t, err := types.MapType(parts[0], parts[1])
	if err != nil {
		return nil, b.at(err, e)
	}
	return &expr.Call{Name: "map", Sig: []types.OID{expr.OIDAny}, Args: args, T: t, Pos: b.pos(e.Pos())}, nil
}

// hasMaps reports a map, or an array of maps, whose subscripts are bound one by one.
func hasMaps(t types.Type) bool {
	if elem, ok := t.Elem(); ok {
		t = elem
	}
	return t.IsMap()
}

// mapSubscript binds m[k], and a[i] of an array of maps.
func (b *Binder) mapSubscript(m expr.Expr, e *ast.Subscript, cx *context) (expr.Expr, error) {
	if !m.Type().IsMap() {
		args, err := b.bounds(e, e.Slice, cx)
		if err != nil {
			return nil, err
		}
		name := "array_get"
		if e.Slice {
			name = "array_slice"
		}
		return b.call(name, false, append([]expr.Expr{m}, args...), []ast.Expr{e.X, e, e}, e)
	}
	if e.Slice {
		return nil, pgerror.New(pgerror.FeatureNotSupported, "map subscript does not support slices").At(b.pos(e.Pos()))
	}
	k, err := b.expr(e.Lo, cx)
	if err != nil {
		return nil, err
	}
	want, _ := m.Type().MapTypes()
	if from := k.Type(); from.OID != types.OIDUnknown && !castAllowed(from, want, castImplicit) {
		return nil, pgerror.New(pgerror.DatatypeMismatch, "map subscript must have type %s", TypeName(want)).At(b.pos(leftmost(e.Lo)))
	}
	return b.call("map_get", false, []expr.Expr{m, k}, []ast.Expr{e.X, e.Lo}, e)
}
