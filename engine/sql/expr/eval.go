package expr

import (
	"velostream/catalog/types"
	"velostream/pgwire/pgerror"
	"velostream/storage/column"
)

// Evaluator computes one expression over batches. It owns scratch memory, so
// it is for one goroutine.
type Evaluator struct {
	root node
	t    types.Type
	run  run
	out  []int32
}

// node is a compiled expression.
type node interface {
	// eval computes the rows sel (ascending; nil: all) of the batch. The result
	// has a value for every physical row, defined in sel only, or is Const. It
	// is the node's memory until its next eval, or a column of the input.
	eval(r *run, sel []int32) (*column.Column, error)
}

// filterer is a node that selects rows without a boolean column.
type filterer interface {
	// filter appends the rows of sel where the value is true to dst.
	filter(r *run, sel, dst []int32) ([]int32, error)
}

// run is one evaluation.
type run struct {
	env *Env
	in  *column.Batch
	n   int
}

// Compile prepares e. Errors: 0A000 for parameters that are not bound, 42883
// for a call of a function that the registry does not have (a stored plan of
// another version), XX001 for arguments of the wrong shape.
func Compile(e Expr) (*Evaluator, error) {
	n, err := compile(e)
	if err != nil {
		return nil, err
	}
	return &Evaluator{root: n, t: e.Type()}, nil
}

// CompileAll compiles several expressions.
func CompileAll(es []Expr) ([]*Evaluator, error) {
	out := make([]*Evaluator, len(es))
	for i, e := range es {
		var err error
		if out[i], err = Compile(e); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// Type is the type of the results.
func (ev *Evaluator) Type() types.Type { return ev.t }

// Eval computes the rows sel of in (ascending; nil: all N physical rows,
// whatever in.Sel says). The result is aligned with in's physical rows and
// defined in sel only; it may be constant (Const). It is valid until the
// evaluator's next use, and while in is. Errors are *pgerror.Error.
func (ev *Evaluator) Eval(env *Env, in *column.Batch, sel []int32) (*column.Column, error) {
	ev.run = run{env: env, in: in, n: in.N}
	return ev.root.eval(&ev.run, sel)
}

// EvalFilter returns the rows of sel (as in Eval) where the boolean expression
// is true, neither false nor NULL. The result is the evaluator's memory.
func (ev *Evaluator) EvalFilter(env *Env, in *column.Batch, sel []int32) ([]int32, error) {
	ev.run = run{env: env, in: in, n: in.N}
	var err error
	ev.out, err = filter(ev.root, &ev.run, sel, grow(ev.out, in.N)[:0])
	return ev.out, err
}

// filter appends the rows of sel where n is true to dst. dst may be the same
// memory as sel: rows are written behind where they are read.
func filter(n node, r *run, sel, dst []int32) ([]int32, error) {
	if f, ok := n.(filterer); ok {
		return f.filter(r, sel, dst)
	}
	c, err := n.eval(r, sel)
	if err != nil || count(sel, r.n) == 0 {
		return dst, err
	}
	return trueRows(c, sel, r.n, dst), nil
}

// trueRows appends the rows of sel where the boolean column c is true.
func trueRows(c *column.Column, sel []int32, n int, dst []int32) []int32 {
	switch {
	case c.Const:
		if c.Null(0) || !c.Bools[0] {
			return dst
		}
		if sel != nil {
			return append(dst, sel...)
		}
		for i := range n {
			dst = append(dst, int32(i))
		}
	case sel == nil && !c.Nulls.Any():
		for i, b := range c.Bools[:n] {
			if b {
				dst = append(dst, int32(i))
			}
		}
	case sel == nil:
		for i, b := range c.Bools[:n] {
			if b && !c.Nulls.Get(i) {
				dst = append(dst, int32(i))
			}
		}
	default:
		for _, i := range sel {
			if c.Bools[i] && !c.Nulls.Get(int(i)) {
				dst = append(dst, i)
			}
		}
	}
	return dst
}

// EvalConst computes an expression without columns. The result owns its
// memory.
func EvalConst(e Expr, env *Env) (types.Datum, error) {
	ev, err := Compile(e)
	if err != nil {
		return types.Datum{}, err
	}
	c, err := ev.Eval(env, &column.Batch{N: 1}, nil)
	if err != nil {
		return types.Datum{}, err
	}
	return CloneDatum(c.Datum(0)), nil
}

// CloneDatum copies the bytes that d refers to. It changes the elements of d in place.
func CloneDatum(d types.Datum) types.Datum {
	if d.B != nil {
		d.B = append(make([]byte, 0, len(d.B)), d.B...)
	}
	for i, e := range d.List {
		d.List[i] = CloneDatum(e)
	}
	return d
}

// compile builds the node of e.
func compile(e Expr) (node, error) {
	if err := validate(e); err != nil {
		return nil, err
	}
	switch e := e.(type) {
	case *Col:
		return &colNode{index: e.Index}, nil
	case *Const:
		return &constNode{column.Constant(e.T, e.Value)}, nil
	case *Param:
		return nil, pgerror.New(pgerror.UndefinedParameter, "there is no parameter $%d", e.Number).At(e.Pos)
	case *Call:
		return compileCall(e)
	case *Cast:
		return compileCast(e)
	case *And:
		args, err := compileAll(e.Args)
		return &logicNode{args: args, decided: false}, err
	case *Or:
		args, err := compileAll(e.Args)
		return &logicNode{args: args, decided: true}, err
	case *Not:
		arg, err := compile(e.Arg)
		return &notNode{arg: arg}, err
	case *IsNull:
		arg, err := compile(e.Arg)
		return &isNullNode{arg: arg, negate: e.Negate}, err
	case *IsDistinct:
		args, err := compileAll([]Expr{e.L, e.R})
		if err != nil {
			return nil, err
		}
		return &distinctNode{l: args[0], r: args[1], t: e.L.Type(), negate: e.Negate}, nil
	case *Case:
		return compileCase(e)
	case *Coalesce:
		args, err := compileAll(e.Args)
		return &coalesceNode{args: args, t: e.T}, err
	case *InList:
		return compileIn(e)
	case *ArrayOf:
		args, err := compileAll(e.Args)
		return &arrayNode{args: args, t: e.T, nested: e.Nested()}, err
	}
	return nil, pgerror.New(pgerror.InternalError, "unknown kind of expression: %T", e)
}

func compileAll(es []Expr) ([]node, error) {
	out := make([]node, len(es))
	for i, e := range es {
		var err error
		if out[i], err = compile(e); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// colNode is a column of the input.
type colNode struct{ index int }

func (n *colNode) eval(r *run, _ []int32) (*column.Column, error) {
	if n.index < 0 || n.index >= len(r.in.Cols) {
		return nil, pgerror.New(pgerror.InternalError, "column %d of %d", n.index, len(r.in.Cols))
	}
	return r.in.Cols[n.index], nil
}

// constNode is a constant.
type constNode struct{ col *column.Column }

func (n *constNode) eval(*run, []int32) (*column.Column, error) { return n.col, nil }
