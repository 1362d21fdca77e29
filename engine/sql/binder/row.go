package binder

import (
	"velostream/catalog/types"
	"velostream/engine/sql/ast"
	"velostream/engine/sql/expr"
	"velostream/pgwire/pgerror"
)

// rowOf is e as a list of values in parentheses.
func rowOf(e ast.Expr) (*ast.Row, bool) {
	r, ok := e.(*ast.Row)
	return r, ok && (len(r.Items) != 1 || r.Explicit)
}

// compareRows binds a comparison of two lists, column by column as
// https://www.postgresql.org/docs/15/functions-comparisons.html#ROW-WISE-COMPARISON
// says.
func (b *Binder) compareRows(op string, l, r *ast.Row, cx *context, n ast.Node) (expr.Expr, error) {
	if len(l.Items) != len(r.Items) {
		return nil, pgerror.New(pgerror.SyntaxError, "unequal number of entries in row expressions").At(b.pos(n.Pos()))
	}
	if len(l.Items) == 0 {
		return nil, pgerror.Unsupported("cannot compare rows of zero length").At(b.pos(n.Pos()))
	}
	ls, err := b.exprs(l.Items, cx)
	if err != nil {
		return nil, err
	}
	rs, err := b.exprs(r.Items, cx)
	if err != nil {
		return nil, err
	}
	one := func(op string, i int) (expr.Expr, error) {
		return b.call(op, true, []expr.Expr{ls[i], rs[i]}, []ast.Expr{l.Items[i], r.Items[i]}, n)
	}
	var strict string
	switch op {
	case "=", "<>":
		args := make([]expr.Expr, len(ls))
		for i := range ls {
			if args[i], err = one(op, i); err != nil {
				return nil, err
			}
		}
		if op == "=" {
			return &expr.And{Args: args}, nil
		}
		return &expr.Or{Args: args}, nil
	case "<", "<=":
		strict = "<"
	case ">", ">=":
		strict = ">"
	default:
		x, err := one(op, 0)
		if err != nil {
			return nil, err
		}
		if x.Type() != types.Bool {
			return nil, pgerror.New(pgerror.DatatypeMismatch, "row comparison operator must yield type boolean, not type %s", TypeName(x.Type())).At(b.pos(n.Pos()))
		}
		return nil, b.missing(n, "operator %s between rows is not supported", op)
	}
	// The first pair that differs, or is not known to be equal, decides.
	out, err := one(op, len(ls)-1)
	for i := len(ls) - 2; i >= 0 && err == nil; i-- {
		var eq, cmp expr.Expr
		if eq, err = one("=", i); err != nil {
			break
		}
		if cmp, err = one(strict, i); err != nil {
			break
		}
		out = &expr.Case{Whens: []expr.When{{Cond: eq, Then: out}}, Else: cmp, T: types.Bool}
	}
	return out, err
}

// rowIn binds (a, b) IN ((1, 2), …).
func (b *Binder) rowIn(l *ast.Row, e *ast.In, cx *context) (expr.Expr, error) {
	args := make([]expr.Expr, len(e.List))
	op := "="
	if e.Not {
		op = "<>"
	}
	for i, x := range e.List {
		r, ok := rowOf(x)
		if !ok {
			return nil, pgerror.New(pgerror.SyntaxError, "unequal number of entries in row expressions").At(b.pos(e.Pos()))
		}
		var err error
		if args[i], err = b.compareRows(op, l, r, cx, e); err != nil {
			return nil, err
		}
	}
	if e.Not {
		return &expr.And{Args: args}, nil
	}
	return &expr.Or{Args: args}, nil
}

// rowIsNull binds (a, b) IS [NOT] NULL: all of them are, or are not.
func (b *Binder) rowIsNull(r *ast.Row, not bool, cx *context) (expr.Expr, error) {
	args, err := b.exprs(r.Items, cx)
	if err != nil {
		return nil, err
	}
	for i, a := range args {
		args[i] = &expr.IsNull{Arg: a, Negate: not}
	}
	return &expr.And{Args: args}, nil
}

// collate binds X COLLATE name: there is one order of texts, that of their bytes.
func (b *Binder) collate(e *ast.Collate, cx *context) (expr.Expr, error) {
	x, err := b.expr(e.X, cx)
	if err != nil {
		return nil, err
	}
	return x, b.collation(x.Type(), e.Name, e.Pos())
}

// Collation checks that values of type t can have the collation name.
func (b *Binder) Collation(t types.Type, name ast.Name) error {
	return b.collation(t, name, name.Pos())
}

// collation checks that texts of type t can have the collation.
func (b *Binder) collation(t types.Type, name ast.Name, at int) error {
	switch t.OID {
	case types.OIDText, types.OIDVarchar, types.OIDBpchar, types.OIDName, types.OIDUnknown:
	default:
		if elem, ok := t.Elem(); !ok || elem.OID != types.OIDText && elem.OID != types.OIDVarchar {
			return pgerror.New(pgerror.DatatypeMismatch, "collations are not supported by type %s", TypeName(t)).At(b.pos(at))
		}
	}
	switch n := name.Last(); n {
	case "C", "POSIX", "default", "ucs_basic", "C.UTF-8", "C.utf8":
	default:
		return pgerror.New(pgerror.UndefinedObject, "collation %q for encoding \"UTF8\" does not exist", n).
			WithHint("Texts are ordered by their bytes: collations \"C\", \"POSIX\" and \"default\".").At(b.pos(at))
	}
	return nil
}
