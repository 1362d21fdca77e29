package binder

import (
	"math"
	"strconv"
	"strings"

	"velostream/catalog/types"
	"velostream/engine/sql/ast"
	"velostream/engine/sql/expr"
	"velostream/pgwire/pgerror"
)

// context is where an expression stands: the names it can use and what is
// allowed in it.
type context struct {
	scope  *Scope
	clause string // "WHERE", for messages
	// block collects aggregates; nil where the clause allows none.
	block *block
	// aliases are the select items that may be used by name.
	aliases []aliasItem
	// inAgg: inside the arguments of an aggregate.
	inAgg bool
	// inOver: inside a window function call.
	inOver bool
	// subqueries collects scalar subqueries of the expression; nil where the
	// clause allows none.
	subs *[]subPlan
}

type aliasItem struct {
	name string
	e    expr.Expr
}

// expr binds e.
func (b *Binder) expr(e ast.Expr, cx *context) (expr.Expr, error) {
	x, err := b.untraced(e, cx)
	if b.Trace != nil && err == nil {
		b.Trace.Exprs[e] = x
	}
	return x, err
}

func (b *Binder) untraced(e ast.Expr, cx *context) (expr.Expr, error) {
	switch e := e.(type) {
	case *ast.ColumnRef:
		return b.columnRef(e, cx)
	case *ast.Literal:
		return b.literal(e)
	case *ast.Param:
		return b.param(e)
	case *ast.Interval:
		return b.interval(e)
	case *ast.Binary:
		return b.binary(e, cx)
	case *ast.Unary:
		return b.unary(e, cx)
	case *ast.Logical:
		return b.logical(e, cx)
	case *ast.Not:
		x, err := b.boolean(e.X, cx, "NOT")
		if err != nil {
			return nil, err
		}
		return &expr.Not{Arg: x}, nil
	case *ast.Is:
		return b.is(e, cx)
	case *ast.Distinct:
		return b.distinctFrom(e, cx)
	case *ast.Between:
		return b.between(e, cx)
	case *ast.Like:
		return b.like(e, cx)
	case *ast.In:
		return b.in(e, cx)
	case *ast.Case:
		return b.caseExpr(e, cx)
	case *ast.Cast:
		return b.cast(e, cx)
	case *ast.FuncCall:
		return b.funcCall(e, cx)
	case *ast.SQLValue:
		return b.sqlValue(e, cx)
	}
	return b.rareExpr(e, cx)
}

// rareExpr binds the expressions that few queries have.
func (b *Binder) rareExpr(e ast.Expr, cx *context) (expr.Expr, error) {
	switch e := e.(type) {
	case *ast.ArrayExpr:
		return b.array(e, cx)
	case *ast.Quantified:
		return b.quantified(e, cx)
	case *ast.Exists:
		return b.existsValue(e, cx)
	case *ast.Subquery:
		return b.scalarSubquery(e, cx)
	case *ast.Subscript:
		return b.subscript(e, cx)
	case *ast.Collate:
		return b.collate(e, cx)
	case *ast.Row:
		if len(e.Items) == 1 && !e.Explicit {
			return b.expr(e.Items[0], cx)
		}
		return b.rowValue(e, cx)
	case *ast.NamedArg:
		return nil, b.missing(e, "named arguments are not supported")
	case *ast.FieldSelect:
		return b.fieldSelect(e, cx)
	case *ast.ArrayQuery:
		return b.arrayQuery(e, cx)
	case *ast.CurrentOf:
		return nil, b.missing(e, "WHERE CURRENT OF is not supported")
	case *ast.Default:
		return nil, pgerror.New(pgerror.SyntaxError, "DEFAULT is not allowed in this context").At(b.pos(e.Pos()))
	}
	return nil, b.missing(e, "this expression is not supported")
}

func (b *Binder) columnRef(e *ast.ColumnRef, cx *context) (expr.Expr, error) {
	if e.Star {
		if len(e.Parts) > 0 && cx.scope != nil {
			if t, _ := cx.scope.tableNamed(e.Parts); t != nil {
				return b.wholeRowValue(e, cx)
			}
		}
		return nil, pgerror.New(pgerror.SyntaxError, "row expansion via \"*\" is not supported here").At(b.pos(e.Pos()))
	}
	if len(e.Parts) > 4 {
		return nil, pgerror.New(pgerror.SyntaxError, "improper qualified name (too many dotted names): %s", strings.Join(e.Parts, ".")).At(b.pos(e.Pos()))
	}
	if cx.scope != nil {
		r, err := b.resolve(cx.scope, e)
		if err != nil {
			return nil, err
		}
		if r != nil {
			b.traceColumn(e, r)
			if r.level > 0 && cx.block != nil {
				cx.block.outer = true
			}
			return r, nil
		}
	}
	if len(e.Parts) == 1 {
		for _, a := range cx.aliases {
			if a.name == e.Parts[0] {
				return a.e, nil
			}
		}
		if x := windowColumnByName(cx.scope, e, b); x != nil {
			return x, nil
		}
		if x := eventTimeByName(cx.scope, e, b); x != nil {
			return x, nil
		}
	}
	if cx.scope != nil && len(e.Parts) == 1 {
		if t, _ := cx.scope.tableNamed(e.Parts); t != nil {
			return b.wholeRowValue(e, cx)
		}
	}
	if cx.scope != nil && len(e.Parts) == 2 {
		if t, _ := cx.scope.tableNamed(e.Parts[:1]); t != nil {
			of := &ast.ColumnRef{At: e.At, Parts: e.Parts[:1]}
			row, err := b.wholeRowValue(of, cx)
			if err != nil {
				return nil, b.noSuchColumn(cx.scope, e)
			}
			if x, err := b.rowFunction(e.Parts[1], row, of, e); x != nil || err != nil {
				return x, err
			}
		}
	}
	return nil, b.noSuchColumn(cx.scope, e)
}

func (b *Binder) literal(e *ast.Literal) (expr.Expr, error) {
	switch e.Kind {
	case ast.LitNull:
		return &expr.Const{Value: types.NullDatum, T: types.Unknown}, nil
	case ast.LitBool:
		return &expr.Const{Value: types.BoolDatum(e.Text == "true"), T: types.Bool}, nil
	case ast.LitInteger:
		v, err := strconv.ParseInt(e.Text, 10, 64)
		if err != nil {
			return b.numeric(e)
		}
		if v >= math.MinInt32 && v <= math.MaxInt32 {
			return &expr.Const{Value: types.IntDatum(v), T: types.Int4}, nil
		}
		return &expr.Const{Value: types.IntDatum(v), T: types.Int8}, nil
	case ast.LitNumber:
		return b.numeric(e)
	case ast.LitString:
		return &expr.Const{Value: types.StringDatum(e.Text), T: types.Unknown}, nil
	default:
		digits, err := types.ParseBits([]byte("b" + e.Text))
		if e.Kind == ast.LitHex {
			digits, err = types.ParseHexBits([]byte(e.Text))
		}
		return &expr.Const{Value: types.BytesDatum(digits), T: types.Bit}, b.at(err, e)
	}
}

func (b *Binder) numeric(e *ast.Literal) (expr.Expr, error) {
	d, err := types.DecodeText(types.Numeric, []byte(e.Text), b.Format)
	if err != nil {
		return nil, b.at(err, e)
	}
	return &expr.Const{Value: d, T: types.Numeric}, nil
}

// at puts err at n unless it has a position.
func (b *Binder) at(err error, n ast.Node) error {
	if err == nil {
		return nil
	}
	pe := *pgerror.From(err)
	return pe.At(b.pos(n.Pos()))
}

func (b *Binder) param(e *ast.Param) (expr.Expr, error) {
	const limit = 65535 // Bind counts parameters in 16 bits
	if e.N < 1 || e.N > limit {
		return nil, pgerror.New(pgerror.UndefinedParameter, "there is no parameter $%d", e.N).At(b.pos(e.Pos()))
	}
	for len(b.params) < e.N {
		b.params = append(b.params, nil)
	}
	if b.params[e.N-1] == nil {
		b.params[e.N-1] = &expr.Param{Number: e.N, T: types.Unknown, Pos: b.pos(e.Pos())}
	}
	return b.params[e.N-1], nil
}

func (b *Binder) binary(e *ast.Binary, cx *context) (expr.Expr, error) {
	if lr, ok := rowOf(e.L); ok {
		if rr, ok := rowOf(e.R); ok {
			return b.compareRows(e.Op.Symbol, lr, rr, cx, e)
		}
	}
	l, err := b.expr(e.L, cx)
	if err != nil {
		return nil, err
	}
	r, err := b.expr(e.R, cx)
	if err != nil {
		return nil, err
	}
	if s := e.Op.Schema; s != "" && s != "pg_catalog" && !b.hasSchema(s) {
		return nil, pgerror.New(pgerror.InvalidSchemaName, "schema %q does not exist", s).At(b.pos(e.Pos()))
	}
	return b.call(e.Op.Symbol, true, []expr.Expr{l, r}, []ast.Expr{e.L, e.R}, e)
}

func (b *Binder) unary(e *ast.Unary, cx *context) (expr.Expr, error) {
	x, err := b.expr(e.X, cx)
	if err != nil {
		return nil, err
	}
	if _, ok := e.X.(*ast.Literal); ok && e.Op.Symbol == "+" { // the parser takes minus signs into numbers
		switch x.Type() {
		case types.Int4, types.Int8, types.Numeric:
			return x, nil
		}
	}
	return b.call(e.Op.Symbol, true, []expr.Expr{x}, []ast.Expr{e.X}, e)
}

func (b *Binder) logical(e *ast.Logical, cx *context) (expr.Expr, error) {
	name := "AND"
	if e.Or {
		name = "OR"
	}
	args := make([]expr.Expr, len(e.Args))
	for i, a := range e.Args {
		x, err := b.boolean(a, cx, name)
		if err != nil {
			return nil, err
		}
		args[i] = x
	}
	if e.Or {
		return &expr.Or{Args: args}, nil
	}
	return &expr.And{Args: args}, nil
}

// boolean binds e as the argument of a construct that wants a boolean.
func (b *Binder) boolean(e ast.Expr, cx *context, construct string) (expr.Expr, error) {
	x, err := b.expr(e, cx)
	if err != nil {
		return nil, err
	}
	return b.toBool(x, e, construct)
}

func (b *Binder) toBool(x expr.Expr, e ast.Expr, construct string) (expr.Expr, error) {
	switch x.Type().OID {
	case types.OIDBool:
		return x, nil
	case types.OIDUnknown:
		return b.castTo(x, types.Bool, false, leftmost(e))
	default:
	}
	return nil, pgerror.New(pgerror.DatatypeMismatch, "argument of %s must be type boolean, not type %s",
		construct, TypeName(x.Type())).At(b.pos(leftmost(e)))
}

func (b *Binder) is(e *ast.Is, cx *context) (expr.Expr, error) {
	if e.Test == ast.TestNull {
		if r, ok := rowOf(e.X); ok {
			return b.rowIsNull(r, e.Not, cx)
		}
		x, err := b.expr(e.X, cx)
		if err != nil {
			return nil, err
		}
		if x.Type().IsRow() {
			return b.isRowNull(x, e.Not, e), nil
		}
		return &expr.IsNull{Arg: x, Negate: e.Not}, nil
	}
	if e.Test == ast.TestDocument {
		return nil, b.missing(e, "xml is not supported")
	}
	x, err := b.boolean(e.X, cx, "IS "+map[bool]string{true: "NOT "}[e.Not]+string(e.Test))
	if err != nil {
		return nil, err
	}
	if e.Test == ast.TestUnknown {
		return &expr.IsNull{Arg: x, Negate: e.Not}, nil
	}
	want := &expr.Const{Value: types.BoolDatum(e.Test == ast.TestTrue), T: types.Bool}
	return &expr.IsDistinct{L: x, R: want, Negate: !e.Not}, nil
}

func (b *Binder) distinctFrom(e *ast.Distinct, cx *context) (expr.Expr, error) {
	l, err := b.expr(e.L, cx)
	if err != nil {
		return nil, err
	}
	r, err := b.expr(e.R, cx)
	if err != nil {
		return nil, err
	}
	// The operator = decides which types can be compared.
	eq, err := b.call("=", true, []expr.Expr{l, r}, []ast.Expr{e.L, e.R}, e)
	if err != nil {
		return nil, err
	}
	args := eq.(*expr.Call).Args
	if args[0].Type().OID != args[1].Type().OID {
		t, err := expr.CommonType("IS DISTINCT FROM", args[0].Type(), args[1].Type())
		if err != nil {
			return nil, b.at(err, e)
		}
		for i, a := range args {
			if args[i], err = b.castTo(a, t, false, e.Pos()); err != nil {
				return nil, err
			}
		}
	}
	return &expr.IsDistinct{L: args[0], R: args[1], Negate: e.Not}, nil
}

func (b *Binder) between(e *ast.Between, cx *context) (expr.Expr, error) {
	half := func(lo, hi ast.Expr) (expr.Expr, error) {
		at := ast.At(e.Pos())
		ge, err := b.binary(&ast.Binary{At: at, Op: ast.Operator{At: at, Symbol: ">="}, L: e.X, R: lo}, cx)
		if err != nil {
			return nil, err
		}
		le, err := b.binary(&ast.Binary{At: at, Op: ast.Operator{At: at, Symbol: "<="}, L: e.X, R: hi}, cx)
		if err != nil {
			return nil, err
		}
		return &expr.And{Args: []expr.Expr{ge, le}}, nil
	}
	x, err := half(e.Lo, e.Hi)
	if err != nil {
		return nil, err
	}
	if e.Symmetric {
		y, err := half(e.Hi, e.Lo)
		if err != nil {
			return nil, err
		}
		x = &expr.Or{Args: []expr.Expr{x, y}}
	}
	if e.Not {
		return &expr.Not{Arg: x}, nil
	}
	return x, nil
}

var likeOperators = map[ast.LikeKind][2]string{
	ast.LikePlain:  {"~~", "!~~"},
	ast.LikeNoCase: {"~~*", "!~~*"},
}

func (b *Binder) like(e *ast.Like, cx *context) (expr.Expr, error) {
	x, err := b.expr(e.X, cx)
	if err != nil {
		return nil, err
	}
	p, err := b.expr(e.Pattern, cx)
	if err != nil {
		return nil, err
	}
	op, ok := likeOperators[e.Kind]
	if e.Escape != nil || !ok {
		name, args, src := "like_escape", []expr.Expr{p}, []ast.Expr{e.Pattern}
		if !ok {
			name, op = "similar_to_escape", [2]string{"~", "!~"}
		}
		if e.Escape != nil {
			esc, err := b.expr(e.Escape, cx)
			if err != nil {
				return nil, err
			}
			args, src = append(args, esc), append(src, e.Escape)
		}
		if p, err = b.call(name, false, args, src, e); err != nil {
			return nil, err
		}
	}
	symbol := op[0]
	if e.Not {
		symbol = op[1]
	}
	return b.call(symbol, true, []expr.Expr{x, p}, []ast.Expr{e.X, e.Pattern}, e)
}

func (b *Binder) caseExpr(e *ast.Case, cx *context) (expr.Expr, error) {
	var operand expr.Expr
	var err error
	if e.Operand != nil {
		if operand, err = b.expr(e.Operand, cx); err != nil {
			return nil, err
		}
		if operand.Type().OID == types.OIDUnknown {
			if operand, err = b.castTo(operand, types.Text, false, leftmost(e.Operand)); err != nil {
				return nil, err
			}
		}
	}
	c := &expr.Case{Whens: make([]expr.When, len(e.Whens))}
	var results []expr.Expr
	var src []ast.Expr
	if e.Else != nil { // first, as the one that the others are matched with
		r, err := b.expr(e.Else, cx)
		if err != nil {
			return nil, err
		}
		results, src = append(results, r), append(src, e.Else)
	}
	for i, w := range e.Whens {
		if c.Whens[i].Cond, err = b.caseCond(operand, e.Operand, w, cx); err != nil {
			return nil, err
		}
		r, err := b.expr(w.Result, cx)
		if err != nil {
			return nil, err
		}
		results, src = append(results, r), append(src, w.Result)
	}
	if c.T, err = b.unify("CASE", results, src); err != nil {
		return nil, err
	}
	if e.Else != nil {
		c.Else, results = results[0], results[1:]
	}
	for i := range c.Whens {
		c.Whens[i].Then = results[i]
	}
	return c, nil
}

func (b *Binder) caseCond(operand expr.Expr, src ast.Expr, w ast.When, cx *context) (expr.Expr, error) {
	if operand == nil {
		return b.boolean(w.Cond, cx, "CASE/WHEN")
	}
	v, err := b.expr(w.Cond, cx)
	if err != nil {
		return nil, err
	}
	return b.call("=", true, []expr.Expr{operand, v}, []ast.Expr{src, w.Cond}, w.At)
}

func (b *Binder) array(e *ast.ArrayExpr, cx *context) (expr.Expr, error) {
	if len(e.Elems) == 0 {
		return nil, pgerror.New(pgerror.IndeterminateDatatype, "cannot determine type of empty array").
			WithHint("Explicitly cast to the desired type, for example ARRAY[]::integer[].").At(b.pos(e.Pos()))
	}
	args, err := b.exprs(e.Elems, cx)
	if err != nil {
		return nil, err
	}
	t, err := b.unify("ARRAY", args, e.Elems)
	if err != nil {
		return nil, err
	}
	if _, nested := t.Elem(); nested && t.FirstSubscript() == 1 {
		return &expr.ArrayOf{Args: args, T: t}, nil
	}
	arr, ok := t.Array()
	if !ok {
		return nil, b.missing(e, "arrays of type %s are not supported", TypeName(t))
	}
	return &expr.ArrayOf{Args: args, T: arr}, nil
}

func (b *Binder) exprs(in []ast.Expr, cx *context) ([]expr.Expr, error) {
	out := make([]expr.Expr, len(in))
	for i, e := range in {
		x, err := b.expr(e, cx)
		if err != nil {
			return nil, err
		}
		out[i] = x
	}
	return out, nil
}

// unify casts args in place to their common type.
func (b *Binder) unify(construct string, args []expr.Expr, src []ast.Expr) (types.Type, error) {
	t, err := b.commonType(construct, args, src)
	if err != nil {
		return t, err
	}
	for i, a := range args {
		if args[i], err = b.castTo(a, t, false, leftmost(src[i])); err != nil {
			return t, err
		}
	}
	return t, nil
}

// commonType finds the type that args are to be brought to. The error stands
// at the first argument that does not go with those before it.
func (b *Binder) commonType(construct string, args []expr.Expr, src []ast.Expr) (types.Type, error) {
	ts := make([]types.Type, len(args))
	for i, a := range args {
		ts[i] = a.Type()
	}
	t, err := expr.CommonType(construct, ts...)
	if err == nil {
		return t, nil
	}
	for i := 2; i <= len(ts); i++ {
		if _, e := expr.CommonType(construct, ts[:i]...); e != nil {
			return t, b.at(e, ast.At(leftmost(src[i-1])))
		}
	}
	return t, err
}

// constant reports whether e depends on no row.
func constant(e expr.Expr) bool {
	if _, ok := e.(*ref); ok {
		return false
	}
	if _, ok := e.(*expr.Col); ok {
		return false
	}
	for _, a := range expr.Children(e) {
		if !constant(a) {
			return false
		}
	}
	return true
}
