package binder

import (
	"velostream/catalog/types"
	"velostream/engine/sql/ast"
	"velostream/engine/sql/expr"
	"velostream/engine/sql/parser"
	"velostream/pgwire/pgerror"
)

// leftmost is the offset of the first token of e: where PostgreSQL's messages
// point when they are about an expression as a whole.
func leftmost(e ast.Expr) int {
	switch e := e.(type) {
	case *ast.Binary:
		return leftmost(e.L)
	case *ast.Logical:
		return leftmost(e.Args[0])
	case *ast.Is:
		return leftmost(e.X)
	case *ast.Distinct:
		return leftmost(e.L)
	case *ast.Between:
		return leftmost(e.X)
	case *ast.Like:
		return leftmost(e.X)
	case *ast.In:
		return leftmost(e.X)
	case *ast.Quantified:
		return leftmost(e.X)
	case *ast.Subscript:
		return leftmost(e.X)
	case *ast.Collate:
		return leftmost(e.X)
	case *ast.Cast:
		if e.Style == ast.CastColon {
			return leftmost(e.X)
		}
	}
	return e.Pos()
}

// castTo brings e to t, which the caller knows to be allowed. offset is where
// a literal that is no t is reported.
func (b *Binder) castTo(e expr.Expr, t types.Type, explicit bool, offset int) (expr.Expr, error) {
	if t.IsComposite() && e.Type().OID == types.OIDRecord {
		return b.recordTo(e, t, explicit, offset)
	}
	return expr.CastTo(e, t, explicit, b.pos(offset), b.Format)
}

// castExplicit is CAST(x AS t).
func (b *Binder) castExplicit(x expr.Expr, t types.Type, src ast.Expr, n ast.Node) (expr.Expr, error) {
	from := x.Type()
	if c, ok := x.(*expr.Const); ok && from.OID == types.OIDUnknown && t.OID == types.OIDRegclass && !c.Value.Null &&
		(b.Format == nil || b.Format.Names == nil) {
		return b.regclass(string(c.Value.B), src)
	}
	if from.OID == types.OIDRecord && t.IsComposite() {
		return b.castTo(x, t, true, n.Pos())
	}
	if from.OID == types.OIDUnknown || from == t {
		return b.castTo(x, t, true, leftmost(src))
	}
	if from.OID != t.OID && !castAllowed(from, t, castExplicitly) {
		return nil, pgerror.New(pgerror.CannotCoerce, "cannot cast type %s to %s", TypeName(from), TypeName(t)).At(b.pos(n.Pos()))
	}
	return expr.CastTo(x, t, true, b.pos(n.Pos()), b.Format)
}

// regclass is the OID of the relation named by a literal.
func (b *Binder) regclass(text string, src ast.Expr) (expr.Expr, error) {
	if text == "" || text == "-" || text[0] >= '0' && text[0] <= '9' {
		return b.castTo(&expr.Const{Value: types.StringDatum(text), T: types.Unknown}, types.Regclass, true, leftmost(src))
	}
	t, err := parser.ParseTypeName(text) // the same grammar: dotted and quoted names
	if err != nil {
		return nil, pgerror.New(pgerror.InvalidName, "invalid name syntax").At(b.pos(leftmost(src)))
	}
	rel, err := b.Relation(t.Name)
	if err != nil {
		e := pgerror.NoSuchRelation(text)
		e.Hint = pgerror.From(err).Hint
		return nil, e.At(b.pos(leftmost(src)))
	}
	return &expr.Const{Value: types.IntDatum(int64(rel.ID)), T: types.Regclass}, nil
}

// assign brings e to the type of a column that it is stored in.
func (b *Binder) assign(e expr.Expr, t types.Type, column string, src ast.Expr) (expr.Expr, error) {
	from := e.Type()
	if from.OID != types.OIDUnknown && from.OID != t.OID && !castAllowed(from, t, castAssignment) {
		return nil, pgerror.New(pgerror.DatatypeMismatch, "column %q is of type %s but expression is of type %s",
			column, TypeName(t), TypeName(from)).
			WithHint("You will need to rewrite or cast the expression.").At(b.pos(leftmost(src)))
	}
	return b.castTo(e, t, false, leftmost(src))
}

// arrayAs is ARRAY[…]::t: it is the elements that are cast.
func (b *Binder) arrayAs(a *ast.ArrayExpr, t, elem types.Type, cx *context) (expr.Expr, error) {
	if len(a.Elems) == 0 {
		return &expr.Const{T: t}, nil
	}
	args, want := make([]expr.Expr, len(a.Elems)), elem
	for i, src := range a.Elems {
		var err error
		if inner, ok := src.(*ast.ArrayExpr); ok {
			args[i], err = b.arrayAs(inner, t, elem, cx)
		} else {
			args[i], err = b.expr(src, cx)
		}
		if err != nil {
			return nil, err
		}
		if _, nested := args[i].Type().Elem(); nested {
			want = t
		}
	}
	for i, src := range a.Elems {
		var err error
		if args[i], err = b.castExplicit(args[i], want, src, ast.At(leftmost(src))); err != nil {
			return nil, err
		}
	}
	return &expr.ArrayOf{Args: args, T: t}, nil
}

func (b *Binder) cast(e *ast.Cast, cx *context) (expr.Expr, error) {
	t, domain, err := b.typeOrDomain(e.Type)
	if err != nil {
		return nil, err
	}
	if a, ok := e.X.(*ast.ArrayExpr); ok && t.FirstSubscript() == 1 && domain == nil {
		if elem, isArray := t.Elem(); isArray {
			return b.arrayAs(a, t, elem, cx)
		}
	}
	x, err := b.expr(e.X, cx)
	if err != nil {
		return nil, err
	}
	if x, err = b.castExplicit(x, t, e.X, e); err != nil || domain == nil {
		return x, err
	}
	return b.domainValue(x, domain, e)
}
