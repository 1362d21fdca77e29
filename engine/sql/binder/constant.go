package binder

import (
	"velostream/catalog/types"
	"velostream/engine/sql/ast"
	"velostream/engine/sql/expr"
)

// TypeOf looks up a type name that stands in the text sql.
func TypeOf(sql string, n *ast.TypeName) (types.Type, error) {
	return New(Options{SQL: sql}).Type(n)
}

// BindConstant binds an expression that uses no columns, such as an argument
// of EXECUTE, and assigns it to type t.
func BindConstant(o Options, x ast.Expr, t types.Type) (expr.Expr, error) {
	b := New(o)
	e, err := b.expr(x, &context{clause: "a constant"})
	if err != nil {
		return nil, err
	}
	if e, err = b.assign(e, t, "parameter", x); err != nil {
		return nil, err
	}
	return toCols(b, e)
}
