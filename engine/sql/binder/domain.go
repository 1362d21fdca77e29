package binder

import (
	"velostream/catalog"
	"velostream/catalog/types"
	"velostream/engine/sql/ast"
	"velostream/engine/sql/expr"
	"velostream/engine/sql/plan"
	"velostream/pgwire/pgerror"
)

// A value of a domain is one of its base type: expressions never have the type of a
// domain. A cast to it is a cast to the base type and a check; columns know their domain,
// and the store checks what is written to them.

// typeOrDomain is Type where a domain may stand: its base type, and the domain, nil for
// other types.
func (b *Binder) typeOrDomain(n *ast.TypeName) (types.Type, *catalog.UserType, error) {
	u := b.userType(n)
	if u == nil || u.Kind != catalog.DomainType {
		t, err := b.Type(n)
		return t, nil, err
	}
	if err := b.usable(n.Name); err != nil {
		return types.Type{}, nil, err
	}
	switch {
	case len(n.Mods) > 0:
		return types.Type{}, nil, pgerror.New(pgerror.SyntaxError, "type modifier is not allowed for type %q", u.Name).At(b.pos(n.Pos()))
	case len(n.Bounds) > 0:
		return types.Type{}, nil, b.missing(n, "arrays of domains are not supported")
	}
	if b.Trace != nil {
		b.Trace.Domains[n] = u
	}
	return u.Base, u, nil
}

// domainValue is x, a value of u's base type, as a value of u: refused where u's
// constraints do not hold.
func (b *Binder) domainValue(x expr.Expr, u *catalog.UserType, n ast.Node) (expr.Expr, error) {
	args := []expr.Expr{
		x, &expr.Const{Value: types.StringDatum(u.Type().String()), T: types.Text},
		&expr.Const{Value: types.BoolDatum(b.Snapshot.DomainNotNull(u)), T: types.Bool},
	}
	checks := b.Snapshot.DomainChecks(u)
	if len(checks) == 0 && !args[2].(*expr.Const).Value.Bool() { //nolint:forcetypeassert // made above
		return x, nil
	}
	if len(checks) > 0 && expr.VolatilityOf(x) == expr.Volatile {
		return nil, b.missing(n, "a volatile value cast to a domain with constraints is not supported")
	}
	for _, k := range checks {
		cond, err := expr.UnmarshalExpr(k.Expr)
		if err == nil {
			cond, err = inPlaceOfValue(cond, x)
		}
		if err != nil {
			return nil, err
		}
		args = append(args, &expr.Const{Value: types.StringDatum(k.Name), T: types.Text}, cond)
	}
	call, err := expr.NewCall("domain_value", false, args, 0, b.Format)
	if err != nil {
		return nil, err
	}
	call.T = x.Type()
	return call, nil
}

// inPlaceOfValue puts x in the place of VALUE, column 0, in a stored condition.
func inPlaceOfValue(cond, x expr.Expr) (expr.Expr, error) {
	switch cond.(type) {
	case *expr.Col:
		return x, nil
	case *expr.Const, *expr.Param:
		return cond, nil
	}
	return plan.MapChildren(cond, func(e expr.Expr) (expr.Expr, error) { return inPlaceOfValue(e, x) })
}

// BindDomain binds the base type of CREATE DOMAIN, whose domain is u: Base, and BaseDomain
// where it is a domain itself.
func BindDomain(o Options, n *ast.CreateType, u *catalog.UserType) error {
	b := New(o)
	b.Session = nil
	t, base, err := b.typeOrDomain(n.Domain)
	if err != nil {
		return err
	}
	switch {
	case t.OID == types.OIDRecord, t.OID == types.OIDUnknown, t.OID == types.OIDVoid, t.OID == types.OIDAnyArray, t.OID == types.OIDAnyElement:
		return pgerror.New(pgerror.DatatypeMismatch, "%q is not a valid base type for a domain", n.Domain.Name.Dotted()).At(b.pos(n.Domain.Pos()))
	case !n.Collation.IsZero():
		if err := b.collation(t, n.Collation, n.Collation.Pos()); err != nil {
			return err
		}
	}
	u.Base = t
	if base != nil {
		u.BaseDomain, u.Default = base.ID, base.Default
	}
	return nil
}

// BindDomainDefault binds the DEFAULT of a domain and returns its text.
func BindDomainDefault(o Options, u *catalog.UserType, x ast.Expr) (string, error) {
	c := catalog.Column{Name: u.Name, Type: u.Base}
	err := BindDefault(o, &c, x)
	return c.Default, err
}

// BindDomainCheck binds CHECK of a domain: k's text and typed expression, in which VALUE
// is column 0.
func BindDomainCheck(o Options, u *catalog.UserType, x ast.Expr) (text string, typed []byte, err error) {
	b := New(o)
	b.Session = nil
	s := plan.Schema{{Name: "value", Type: u.Base}}
	cx := &context{scope: schemaScope(s, tableName{event: -1}), clause: "check constraints"}
	e, err := b.boolean(x, cx, "CHECK")
	if err != nil {
		return "", nil, err
	}
	if e, err = toCols(b, e); err != nil {
		return "", nil, err
	}
	typed, err = expr.MarshalExpr(e)
	return ast.String(x), typed, err
}

// DefaultOf is the text of the DEFAULT of c, which may be its domain's; "": none.
func DefaultOf(snap *catalog.Snapshot, c catalog.Column) string {
	if c.Default != "" || c.Domain == 0 || snap == nil {
		return c.Default
	}
	if u := snap.UserType(c.Domain); u != nil {
		return u.Default
	}
	return ""
}
