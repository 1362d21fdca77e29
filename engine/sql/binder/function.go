package binder

import (
	"slices"
	"strings"

	"velostream/catalog"
	"velostream/catalog/types"
	"velostream/engine/sql/ast"
	"velostream/engine/sql/expr"
	"velostream/engine/sql/parser"
	"velostream/engine/sql/plan"
	"velostream/pgwire/pgerror"
)

// userFunctions lists the SQL functions that a name may mean. They never have
// the name of a built-in one.
func (b *Binder) userFunctions(n ast.Name) []*catalog.Function {
	if b.Snapshot == nil {
		return nil
	}
	if s := n.Schema(); s != "" {
		return b.Snapshot.Functions(s, n.Last()) // Usable was asked before
	}
	var out []*catalog.Function
	for _, id := range b.FunctionRefs {
		if f := b.Snapshot.Function(id); f != nil && f.Name == n.Last() {
			out = append(out, f)
		}
	}
	if len(out) > 0 {
		return out
	}
	path := b.SearchPath
	if len(path) == 0 {
		path = []string{catalog.DefaultSchema}
	}
	for _, s := range path { // there are no temporary ones
		out = append(out, b.Snapshot.Functions(s, n.Last())...)
	}
	return out
}

func (b *Binder) hasSchema(name string) bool { return b.Snapshot != nil && b.Snapshot.HasSchema(name) }

// userCall binds a call of an SQL function: its body in the place of the call.
func (b *Binder) userCall(fns []*catalog.Function, e *ast.FuncCall, cx *context) (expr.Expr, error) {
	if e.Star || e.Distinct || e.Filter != nil || len(e.OrderBy) > 0 {
		return nil, b.notAggregate(e.Name.Last(), e)
	}
	if err := b.usable(e.Name); err != nil {
		return nil, err
	}
	args, err := b.exprs(e.Args, cx)
	if err != nil {
		return nil, err
	}
	f := chooseFunction(fns, args)
	if f == nil {
		list := make([]string, len(args))
		for i, a := range args {
			list[i] = TypeName(a.Type())
		}
		return nil, pgerror.New(pgerror.UndefinedFunction, "function %s(%s) does not exist", strings.Join(e.Name.Parts, "."), strings.Join(list, ", ")).
			WithHint("No function matches the given name and argument types. You might need to add explicit type casts.").At(b.pos(e.Pos()))
	}
	return b.userCallArgs(f, args, e.Args, e)
}

// userCallArgs is the call e of f with args, which were bound from src.
func (b *Binder) userCallArgs(f *catalog.Function, args []expr.Expr, src []ast.Expr, e *ast.FuncCall) (expr.Expr, error) {
	for i, a := range args {
		var err error
		if args[i], err = b.castTo(a, f.Args[i], false, leftmost(src[i])); err != nil {
			return nil, err
		}
	}
	b.useFunctions([]uint32{f.ID})
	if b.Trace != nil {
		b.Trace.Functions[e] = f
	}
	return b.inline(f, args, e)
}

// useFunctions notes that the statement depends on functions.
func (b *Binder) useFunctions(ids []uint32) {
	for _, id := range ids {
		if !slices.Contains(b.functions, id) {
			b.functions = append(b.functions, id)
		}
	}
}

// chooseFunction is the function whose types fit best, nil: none does.
func chooseFunction(fns []*catalog.Function, args []expr.Expr) *catalog.Function {
	var best *catalog.Function
	score := -1
	for _, f := range fns {
		if len(f.Args) != len(args) {
			continue
		}
		n := 0
		for i, a := range args {
			switch from := a.Type(); {
			case from.OID == f.Args[i].OID:
				n += 2
			case from.OID == types.OIDUnknown:
				n++
			case !castAllowed(from, f.Args[i], castImplicit):
				n = -1 << 20
			}
		}
		if n > score {
			best, score = f, n
		}
	}
	return best
}

func (b *Binder) inline(f *catalog.Function, args []expr.Expr, e *ast.FuncCall) (expr.Expr, error) {
	if b.depth >= maxDepth {
		return nil, pgerror.New(pgerror.StatementTooComplex, "stack depth limit exceeded").
			WithHint("SQL functions call each other too deeply.").At(b.pos(e.Pos()))
	}
	body, used, err := b.functionBody(f, "")
	if err != nil {
		return nil, pgerror.From(err).At(b.pos(e.Pos()))
	}
	for i, a := range args {
		if used[i] > 1 && expr.VolatilityOf(a) == expr.Volatile {
			return nil, b.missing(e, "a volatile argument that function %s uses more than once is not supported", f.Name)
		}
	}
	body, err = substitute(body, args)
	if err != nil || !f.Strict {
		return body, err
	}
	for _, a := range args {
		body = &expr.Case{
			Whens: []expr.When{{Cond: &expr.IsNull{Arg: a}, Then: &expr.Const{Value: types.NullDatum, T: f.Returns}}},
			Else:  body, T: f.Returns,
		}
	}
	return body, nil
}

// argument stands for argument index of a function while its body is bound.
type argument struct {
	index int
	t     types.Type
}

// Type is the argument's type.
func (a *argument) Type() types.Type { return a.t }

func substitute(e expr.Expr, args []expr.Expr) (expr.Expr, error) {
	if a, ok := e.(*argument); ok {
		return args[a.index], nil
	}
	switch e.(type) {
	case *expr.Const, *expr.Col, *expr.Param:
		return e, nil
	}
	return plan.MapChildren(e, func(e expr.Expr) (expr.Expr, error) { return substitute(e, args) })
}

// CheckFunction binds the body of a function that is created, notes in f which types it
// names, and returns the functions that it uses. Positions of errors are in the body.
func CheckFunction(o Options, f *catalog.Function) ([]uint32, error) {
	o.SQL, o.Params = "", nil
	b := New(o)
	_, _, err := b.functionBody(f, f.Body)
	f.TypeRefs = b.typeRefs
	return b.functions, err
}

// functionBody binds f's body in f's return type; used counts how often each
// argument is in it. sql is the body where positions are wanted.
func (b *Binder) functionBody(f *catalog.Function, sql string) (expr.Expr, []int, error) {
	x, err := functionExpr(f)
	if err != nil {
		return nil, nil, err
	}
	o := b.Options
	o.SQL, o.Params, o.TypeRefs, o.FunctionRefs, o.Trace = sql, nil, f.TypeRefs, f.Functions, nil
	inner := New(o)
	inner.depth = b.depth + 1
	s := make(plan.Schema, len(f.Args))
	for i, t := range f.Args {
		inner.params = append(inner.params, &expr.Param{Number: i + 1, T: t})
		s[i] = plan.Column{Name: f.ArgNames[i], Type: t, Hidden: f.ArgNames[i] == ""}
	}
	e, err := inner.expr(x, &context{scope: schemaScope(s, tableName{alias: f.Name, real: f.Name, event: -1}), clause: "function bodies"})
	if err != nil {
		return nil, nil, err
	}
	if len(inner.params) > len(f.Args) {
		return nil, nil, pgerror.New(pgerror.UndefinedParameter, "there is no parameter $%d", len(inner.params))
	}
	if from := e.Type(); from.OID != types.OIDUnknown && from.OID != f.Returns.OID && !castAllowed(from, f.Returns, castAssignment) {
		return nil, nil, pgerror.New("42P13", "return type mismatch in function declared to return %s", TypeName(f.Returns)).
			WithDetail("Actual return type is %s.", TypeName(from))
	}
	if e, err = inner.castTo(e, f.Returns, false, -1); err != nil {
		return nil, nil, err
	}
	b.useFunctions(inner.functions)
	if sql != "" { // it is being created
		b.typeRefs = append(b.typeRefs, inner.typeRefs...)
	}
	b.access = append(b.access, inner.access...)
	used := make([]int, len(f.Args))
	e, err = arguments(e, f, used)
	return e, used, err
}

// arguments puts argument nodes in the places of parameters and names.
func arguments(e expr.Expr, f *catalog.Function, used []int) (expr.Expr, error) {
	i := -1
	switch e := e.(type) {
	case *expr.Const, *expr.Col, *argument:
		return e, nil
	case *expr.Param:
		i = e.Number - 1
	case *ref:
		i = e.index
	}
	if i < 0 {
		return plan.MapChildren(e, func(e expr.Expr) (expr.Expr, error) { return arguments(e, f, used) })
	}
	used[i]++
	return &argument{index: i, t: f.Args[i]}, nil
}

// functionExpr is the expression that a body computes: the expression itself,
// or the one item of a SELECT without anything else.
func functionExpr(f *catalog.Function) (ast.Expr, error) {
	q, err := parser.ParseQuery(strings.TrimRight(f.Body, "; \t\r\n"))
	if err != nil {
		return parser.ParseExpr(f.Body)
	}
	s, ok := q.Body.(*ast.Select)
	if !ok || len(s.Items) != 1 || len(s.From) > 0 || s.Where != nil || s.GroupBy != nil || s.Having != nil ||
		q.With != nil || q.Limit != nil || len(q.OrderBy) > 0 {
		return nil, pgerror.Unsupported("SQL functions that are more than one expression are not supported").
			WithHint("The body may be SELECT expression, without FROM.")
	}
	return s.Items[0].X, nil
}
