package binder

import (
	"strconv"
	"strings"

	"velostream/catalog"
	"velostream/catalog/types"
	"velostream/engine/sql/ast"
	"velostream/pgwire/pgerror"
)

// Type looks up a type name. Errors: 42704 no such type, 22023 a modifier out
// of range, 0A000 a type that is not offered.
func (b *Binder) Type(n *ast.TypeName) (types.Type, error) {
	if n.Percent {
		return types.Type{}, b.missing(n, "%%TYPE is not supported")
	}
	if n.SetOf {
		return types.Type{}, b.missing(n, "SETOF is not supported here")
	}
	name := n.Name.Last()
	if name == "char" { // quoted: the keyword's name is bpchar
		name = `"char"`
	}
	if len(n.Args) > 0 {
		return b.composedType(n, name)
	}
	mods := make([]int32, 0, len(n.Mods))
	for _, m := range n.Mods {
		l, ok := m.(*ast.Literal)
		if !ok || l.Kind != ast.LitInteger {
			return types.Type{}, pgerror.New(pgerror.SyntaxError, "type modifiers must be simple constants or identifiers").At(b.pos(n.Pos()))
		}
		v, err := strconv.ParseInt(l.Text, 10, 32)
		if err != nil {
			return types.Type{}, pgerror.OutOfRange("integer").At(b.pos(l.Pos()))
		}
		mods = append(mods, int32(v))
	}
	if u := b.userType(n); u != nil {
		if err := b.usable(n.Name); err != nil {
			return types.Type{}, err
		}
		if len(mods) > 0 {
			return types.Type{}, pgerror.New(pgerror.SyntaxError, "type modifier is not allowed for type %q", u.Name).At(b.pos(n.Pos()))
		}
		if u.Kind == catalog.DomainType {
			return types.Type{}, b.missing(n, "a domain is not supported here")
		}
		return b.bounded(n, u.Type())
	}
	if s := n.Name.Schema(); s != "" && s != "pg_catalog" && s != "public" {
		if len(n.Name.Parts) > 3 {
			return types.Type{}, pgerror.New(pgerror.SyntaxError, "improper qualified name (too many dotted names): %s", strings.Join(n.Name.Parts, "."))
		}
		if !b.hasSchema(s) {
			return types.Type{}, pgerror.New(pgerror.InvalidSchemaName, "schema %q does not exist", s).At(b.pos(n.Pos()))
		}
		return types.Type{}, b.noSuchType(n, nil)
	}
	t, err := types.Lookup(name, mods)
	if err != nil {
		if pgerror.Code(err) == pgerror.UndefinedObject {
			return types.Type{}, b.noSuchType(n, err)
		}
		return types.Type{}, b.at(err, n)
	}
	if t.OID == types.OIDInterval && n.Fields != ast.FieldsNone {
		t = intervalOf(n.Fields, t.Mod)
	}
	return b.bounded(n, t)
}

// bounded is the type of arrays of t where n has bounds.
func (b *Binder) bounded(n *ast.TypeName, t types.Type) (types.Type, error) {
	if len(n.Bounds) == 0 {
		return t, nil
	}
	arr, ok := t.Array()
	if !ok {
		return types.Type{}, b.missing(n, "arrays of type %s are not supported", TypeName(t))
	}
	return arr, nil
}

func (b *Binder) composedType(n *ast.TypeName, name string) (types.Type, error) {
	if name == "array" && len(n.Args) == 1 {
		t, err := b.Type(n.Args[0].Type)
		if err != nil {
			return t, err
		}
		if arr, ok := t.Array(); ok {
			return arr, nil
		}
	}
	if name == "map" {
		return b.mapType(n)
	}
	return types.Type{}, b.missing(n, "type %s is not supported", strings.ToUpper(name))
}

func (b *Binder) noSuchType(n *ast.TypeName, cause error) error {
	e := pgerror.New(pgerror.UndefinedObject, "type %q does not exist", n.Name.Dotted())
	if pe := pgerror.From(cause); pe != nil && pe.Hint != "" {
		e.Hint = pe.Hint
	}
	return e.At(b.pos(n.Pos()))
}

// typeCall is the type meant by a function call with the name of a type.
func (b *Binder) typeCall(name string) (types.Type, bool) {
	if u := b.userType(&ast.TypeName{Name: ast.Name{Parts: []string{name}}}); u != nil && u.Kind != catalog.DomainType {
		return u.Type(), true
	}
	t, err := types.Lookup(name, nil)
	return t, err == nil
}
