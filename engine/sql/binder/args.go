package binder

import (
	"slices"
	"strings"

	"velostream/catalog/types"
	"velostream/engine/sql/ast"
	"velostream/engine/sql/expr"
	"velostream/pgwire/pgerror"
)

// positional puts named arguments (f(days => 3)) where the function has them, with
// the defaults of those left out between.
func (b *Binder) positional(name string, e *ast.FuncCall, cx *context) (*ast.FuncCall, error) {
	first := slices.IndexFunc(e.Args, func(a ast.Expr) bool { _, ok := a.(*ast.NamedArg); return ok })
	if first < 0 {
		return e, nil
	}
	for _, a := range e.Args[first:] {
		if _, ok := a.(*ast.NamedArg); !ok {
			return nil, pgerror.New(pgerror.SyntaxError, "positional argument cannot follow named argument").At(b.pos(a.Pos()))
		}
	}
	names, defaults := expr.ArgNames(name)
	args := make([]ast.Expr, len(names))
	if first > len(names) {
		return nil, b.noSuchCall(name, e, cx)
	}
	copy(args, e.Args[:first])
	last := first
	for _, a := range e.Args[first:] {
		n := a.(*ast.NamedArg)
		if slices.ContainsFunc(e.Args, func(o ast.Expr) bool {
			d, ok := o.(*ast.NamedArg)
			return ok && d != n && d.Name == n.Name && d.Pos() < n.Pos()
		}) {
			return nil, pgerror.New(pgerror.SyntaxError, "argument name %q used more than once", n.Name).At(b.pos(n.Pos()))
		}
		i := slices.Index(names, n.Name)
		if i < 0 || args[i] != nil {
			return nil, b.noSuchCall(name, e, cx)
		}
		args[i] = n.X
		last = max(last, i+1)
	}
	for i, a := range args[:last] {
		switch {
		case a != nil:
		case defaults[i] == "":
			return nil, b.noSuchCall(name, e, cx)
		default:
			args[i] = &ast.Literal{At: e.At, Kind: ast.LitString, Text: defaults[i]}
		}
	}
	c := *e
	c.Args = args[:last]
	return &c, nil
}

// noSuchCall is 42883 for a call with named arguments.
func (b *Binder) noSuchCall(name string, e *ast.FuncCall, cx *context) error {
	parts := make([]string, len(e.Args))
	for i, a := range e.Args {
		x, prefix := a, ""
		if n, ok := a.(*ast.NamedArg); ok {
			x, prefix = n.X, n.Name+" => "
		}
		v, err := b.expr(x, cx)
		if err != nil {
			return err
		}
		parts[i] = prefix + TypeName(v.Type())
	}
	return pgerror.New(pgerror.UndefinedFunction, "function %s(%s) does not exist", name, strings.Join(parts, ", ")).
		WithHint("No function matches the given name and argument types. You might need to add explicit type casts.").At(b.pos(e.Pos()))
}

func isNull(x expr.Expr) bool {
	c, ok := x.(*expr.Const)
	return ok && c.Value.Null
}

// variadic binds f(…, VARIADIC array).
func (b *Binder) variadic(name string, e *ast.FuncCall, cx *context) (expr.Expr, error) {
	args, err := b.exprs(e.Args, cx)
	if err != nil {
		return nil, err
	}
	last := args[len(args)-1].Type()
	_, ok := last.Elem()
	if !ok && (last.OID != types.OIDUnknown || !strings.Contains(name, "extract_path") && !isNull(args[len(args)-1])) {
		return nil, pgerror.New(pgerror.DatatypeMismatch, "VARIADIC argument must be an array").At(b.pos(e.Args[len(args)-1].Pos()))
	}
	x, err := b.call(expr.VariadicName(name), false, args, e.Args, e)
	if pgerror.Code(err) == pgerror.UndefinedFunction {
		pe := *pgerror.From(err)
		pe.Message = strings.Replace(pe.Message, expr.VariadicName(name), name, 1)
		return nil, &pe
	}
	return x, err
}
