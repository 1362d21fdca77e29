package binder

import (
	"slices"
	"strings"

	"velostream/catalog/types"
	"velostream/engine/sql/ast"
	"velostream/engine/sql/expr"
	"velostream/engine/sql/plan"
	"velostream/pgwire/pgerror"
)

// call resolves and builds a call of a function or operator over args, which
// were bound from src. n is where errors about the call itself stand.
func (b *Binder) call(name string, isOperator bool, args []expr.Expr, src []ast.Expr, n ast.Node) (expr.Expr, error) {
	ts := make([]types.Type, len(args))
	for i, a := range args {
		ts[i] = a.Type()
	}
	fn, want, err := expr.Resolve(name, isOperator, ts)
	if err != nil {
		return nil, b.at(err, n)
	}
	c := &expr.Call{Name: fn.Name, Sig: fn.Args, Pos: b.pos(n.Pos()), Args: make([]expr.Expr, len(args))}
	for i, a := range args {
		if c.Args[i], err = b.castTo(a, want[i], false, leftmost(src[i])); err != nil {
			return nil, err
		}
	}
	c.T = fn.ReturnType(want)
	return c, nil
}

// funcCall binds a call: construct, window column, aggregate or function.
func (b *Binder) funcCall(e *ast.FuncCall, cx *context) (expr.Expr, error) {
	name := e.Name.Last()
	if s := e.Name.Schema(); s != "" && s != "pg_catalog" && s != "information_schema" && !b.hasSchema(s) {
		return nil, pgerror.New(pgerror.InvalidSchemaName, "schema %q does not exist", s).At(b.pos(e.Pos()))
	}
	switch {
	case name == "grouping":
		return b.grouping(e, cx)
	case e.Form == ast.FormKeyword:
		return b.construct(name, e, cx)
	case e.Form == ast.FormXML:
		return nil, b.missing(e, "%s is not supported", name)
	case e.Form == ast.FormCall && e.Over == nil && len(b.userFunctions(e.Name)) > 0:
		return b.userCall(b.userFunctions(e.Name), e, cx)
	case e.Over != nil:
		return b.over(name, e, cx)
	case len(e.WithinGroup) > 0:
		return b.orderedSet(name, e, cx)
	case e.Variadic:
		return b.variadic(name, e, cx)
	}
	e, err := b.positional(name, e, cx)
	if err != nil {
		return nil, err
	}
	if x, err := b.windowFunction(name, e, cx); x != nil || err != nil {
		return x, err
	}
	if x, err := b.dialectAggregate(name, e, cx); x != nil || err != nil {
		return x, err
	}
	if expr.IsAggregate(name) {
		return b.aggregate(name, e, cx)
	}
	if e.Star || e.Distinct || e.Filter != nil || len(e.OrderBy) > 0 {
		return nil, b.notAggregate(name, e)
	}
	if name == "map" {
		return b.mapCall(e, cx)
	}
	if expr.IsSetReturning(name) {
		return b.setItem(name, e, cx)
	}
	if _, ok := windowCalls[name]; ok {
		return nil, pgerror.New(pgerror.WrongObjectType, "window function %s requires an OVER clause", name).At(b.pos(e.Pos()))
	}
	return b.scalarCall(name, e, cx)
}

// scalarCall binds a call of a function of one row.
func (b *Binder) scalarCall(name string, e *ast.FuncCall, cx *context) (expr.Expr, error) {
	args, err := b.exprs(e.Args, cx)
	if err != nil {
		return nil, err
	}
	if b.Session != nil {
		if x, ok := b.Session(name, args); ok {
			return x, nil
		}
	}
	if name, err = b.clockName(name, e, cx); err != nil {
		return nil, err
	}
	x, err := b.call(name, false, args, e.Args, e)
	if err != nil && len(args) == 1 && pgerror.Code(err) == pgerror.UndefinedFunction {
		if f := b.columnCall(name, args[0], e); f != nil {
			return f, nil
		}
		if t, ok := b.typeCall(name); ok { // f(x) with the name of a type is a cast
			return b.castExplicit(args[0], t, e.Args[0], e)
		}
	}
	if s := e.Name.Schema(); s != "" && pgerror.Code(err) == pgerror.UndefinedFunction {
		pe := *pgerror.From(err)
		pe.Message = strings.Replace(pe.Message, "function ", "function "+s+".", 1)
		return nil, &pe
	}
	return x, err
}

func (b *Binder) notAggregate(name string, e *ast.FuncCall) error {
	what := "DISTINCT"
	switch {
	case e.Filter != nil:
		what = "FILTER"
	case len(e.OrderBy) > 0:
		what = "ORDER BY"
	}
	code := pgerror.WrongObjectType
	if e.Star {
		if _, err := b.call(name, false, nil, nil, e); err != nil {
			return err
		}
		return pgerror.New(code, "%s(*) specified, but %s is not an aggregate function", name, name).At(b.pos(e.Pos()))
	}
	return pgerror.New(code, "%s specified, but %s is not an aggregate function", what, name).At(b.pos(e.Pos()))
}

// construct binds COALESCE, NULLIF, GREATEST and LEAST.
func (b *Binder) construct(name string, e *ast.FuncCall, cx *context) (expr.Expr, error) {
	args, err := b.exprs(e.Args, cx)
	if err != nil {
		return nil, err
	}
	switch name {
	case "coalesce":
		t, err := b.unify("COALESCE", args, e.Args)
		if err != nil {
			return nil, err
		}
		return &expr.Coalesce{Args: args, T: t}, nil
	case "nullif":
		eq, err := b.call("=", true, args, e.Args, e)
		if err != nil {
			return nil, err
		}
		first := args[0]
		if first.Type().OID == types.OIDUnknown {
			first = eq.(*expr.Call).Args[0]
		}
		null := &expr.Const{Value: types.NullDatum, T: first.Type()}
		return &expr.Case{Whens: []expr.When{{Cond: eq, Then: null}}, Else: first, T: first.Type()}, nil
	case "greatest", "least":
		t, err := b.unify(strings.ToUpper(name), args, e.Args)
		if err != nil {
			return nil, err
		}
		if t.OID == types.OIDJSON || t.OID == types.OIDJSONPath {
			return nil, pgerror.New(pgerror.UndefinedFunction, "could not identify a comparison function for type %s", TypeName(t)).At(b.pos(e.Pos()))
		}
		return b.call(name, false, args, e.Args, e)
	}
	return nil, b.missing(e, "%s is not supported", strings.ToUpper(name))
}

// aggRef stands for the result of aggregate index of the block.
type aggRef struct {
	index int
	t     types.Type
}

// Type is the aggregate's result type.
func (a *aggRef) Type() types.Type { return a.t }

// aggregateNames are other names of the same aggregates.
var aggregateNames = map[string]string{"first": "first_value", "last": "last_value", "every": "bool_and"}

func (b *Binder) aggregate(name string, e *ast.FuncCall, cx *context) (expr.Expr, error) {
	if x, err := b.outerAggregate(name, e, cx); x != nil || err != nil {
		return x, err
	}
	switch {
	case cx.inAgg:
		return nil, pgerror.New(pgerror.GroupingError, "aggregate function calls cannot be nested").At(b.pos(e.Pos()))
	case cx.block == nil:
		return nil, pgerror.New(pgerror.GroupingError, "aggregate functions are not allowed in %s", cx.clause).At(b.pos(e.Pos()))
	case len(e.Args) == 0 && !e.Star && name == "count":
		return nil, pgerror.New(pgerror.WrongObjectType,
			"count(*) must be used to call a parameterless aggregate function").At(b.pos(e.Pos()))
	}
	inner := *cx
	inner.inAgg, inner.aliases = true, nil
	args, err := b.exprs(e.Args, &inner)
	if err != nil {
		return nil, err
	}
	call := plan.AggCall{Name: name, Distinct: e.Distinct}
	if err := b.aggregateArgs(&call, name, args, e); err != nil {
		return nil, err
	}
	if e.Filter != nil {
		inner.clause, inner.block, inner.inAgg = "FILTER", nil, false
		if call.Filter, err = b.boolean(e.Filter, &inner, "FILTER"); err != nil {
			return nil, err
		}
		inner.block, inner.inAgg = cx.block, true
	}
	for _, o := range e.OrderBy {
		k, err := b.sortKey(o, &inner)
		if err != nil {
			return nil, err
		}
		if call.Distinct && !slices.ContainsFunc(call.Args, func(a expr.Expr) bool { return sameBound(a, k.Expr) }) {
			return nil, pgerror.New(pgerror.InvalidColumnReference,
				"in an aggregate with DISTINCT, ORDER BY expressions must appear in argument list").At(b.pos(leftmost(o.X)))
		}
		call.OrderBy = append(call.OrderBy, k)
	}
	if n, ok := aggregateNames[name]; ok {
		call.Name = n
	}
	if name == "count_distinct" {
		call.Name, call.Distinct = "count", true
	}
	if len(call.OrderBy) == 0 && (call.Name == "first_value" || call.Name == "last_value" || call.Name == "delta") {
		call.OrderBy = cx.block.timeOrder()
	}
	return cx.block.addAggregate(call), nil
}

func (b *Binder) aggregateArgs(call *plan.AggCall, name string, args []expr.Expr, e *ast.FuncCall) error {
	ts := make([]types.Type, len(args))
	for i, a := range args {
		ts[i] = a.Type()
	}
	ret, want, err := expr.ResolveAggregate(name, ts)
	if err != nil {
		return b.at(err, e)
	}
	for i, a := range args {
		if args[i], err = b.castTo(a, want[i], false, leftmost(e.Args[i])); err != nil {
			return err
		}
	}
	call.Args, call.T = args, ret
	return nil
}

// sqlValue binds a function that is written without parentheses.
func (b *Binder) sqlValue(e *ast.SQLValue, cx *context) (expr.Expr, error) {
	if b.Session != nil {
		if x, ok := b.Session(e.Name, nil); ok {
			return x, nil
		}
	}
	clock := e.Name == "current_timestamp" || e.Name == "localtimestamp"
	if b.Continuous && (!clock || cx.clause != "WHERE") && (strings.HasPrefix(e.Name, "current_t") || strings.HasPrefix(e.Name, "local") || e.Name == "current_date") {
		return nil, b.missing(e, "%s in a continuous query is not supported", strings.ToUpper(e.Name))
	}
	name, cast := e.Name, types.Type{}
	switch e.Name {
	case "current_timestamp":
		name = "now"
	case "localtimestamp":
		name, cast = "now", types.Timestamp
	case "current_date":
		name, cast = "now", types.Date
	case "localtime":
		name, cast = "now", types.Time
	case "user", "session_user", "current_role":
		name = "current_user"
	case "current_catalog":
		name = "current_database"
	case "current_time":
		return nil, b.missing(e, "time with time zone is not supported").WithHint("Use LOCALTIME.")
	}
	x, err := b.call(name, false, nil, nil, e)
	if err != nil {
		return nil, err
	}
	if cast.OID != 0 {
		x = &expr.Cast{Arg: x, T: cast, Explicit: true, Pos: b.pos(e.Pos())}
	}
	if t := x.Type(); e.Precision >= 0 && (t.OID == types.OIDTimestamptz || t.OID == types.OIDTimestamp || t.OID == types.OIDTime) {
		t.Mod = int32(min(e.Precision, 6))
		x = &expr.Cast{Arg: x, T: t, Explicit: true, Pos: b.pos(e.Pos())}
	}
	return x, nil
}
