package expr

import (
	"errors"
	"iter"

	"velostream/catalog/types"
	"velostream/pgwire/pgerror"
	"velostream/storage/column"
)

// SubKind is what a subquery in an expression gives.
type SubKind uint8

// Kinds of subqueries.
const (
	SubScalar SubKind = iota // its only row's column; no row: NULL; several: 21000
	SubExists                // whether there is a row
	SubArray                 // all rows as an array
)

// SubPlan is a subquery that is run for the rows it is evaluated on: once for
// each list of values of Args, which its plan refers to as Outer. Only bounded
// queries have it; it cannot be stored. Subqueries that a join can express are
// joins and no SubPlan.
type SubPlan struct {
	Kind SubKind
	Plan Nested
	Args []Expr
	T    types.Type
	Pos  int
}

// Nested is the plan of a subquery (engine/sql/plan.Sub).
type Nested interface {
	// BindParams returns the plan with the statement's parameters in their places.
	BindParams(args []types.Datum) (Nested, error)
}

// Outer is argument Index of the SubPlan whose plan it is in.
type Outer struct {
	Index int
	T     types.Type
}

// Type implements Expr.
func (e *SubPlan) Type() types.Type { return e.T }

// Type implements Expr.
func (e *Outer) Type() types.Type { return e.T }

// MarshalJSON refuses: plans that are stored have none.
func (e *SubPlan) MarshalJSON() ([]byte, error) {
	return nil, errors.New("expr: a subquery plan cannot be stored")
}

// MarshalJSON refuses: plans that are stored have none.
func (e *Outer) MarshalJSON() ([]byte, error) {
	return nil, errors.New("expr: a subquery plan cannot be stored")
}

// BindOuter replaces the Outer of e by the values args.
func BindOuter(e Expr, args []types.Datum) (Expr, error) {
	return Rewrite(e, func(e Expr) (Expr, error) {
		o, ok := e.(*Outer)
		if !ok {
			return e, nil
		}
		if o.Index >= len(args) {
			return nil, pgerror.New(pgerror.InternalError, "outer value %d of %d", o.Index, len(args))
		}
		return &Const{Value: args[o.Index], T: o.T}, nil
	})
}

func (e *SubPlan) bindParams(args []types.Datum) (Expr, error) {
	p, err := e.Plan.BindParams(args)
	if err != nil || p == e.Plan {
		return e, err
	}
	c := *e
	c.Plan = p
	return &c, nil
}

// Run runs subqueries: it yields the batches of p's rows, the outer values
// being args. Batches are valid until the next.
type Run func(p Nested, args []types.Datum) iter.Seq2[*column.Batch, error]

// memoMax bounds how many results of a subquery are remembered.
const memoMax = 10_000

// subPlanNode evaluates a SubPlan row by row and remembers results.
type subPlanNode struct {
	sub  *SubPlan
	args []node
	memo map[string]types.Datum
	out  column.Column
	cols []*column.Column
	key  []byte
}

func compileSubPlan(e *SubPlan) (node, error) {
	args, err := compileAll(e.Args)
	return &subPlanNode{sub: e, args: args}, err
}

func (n *subPlanNode) eval(r *run, sel []int32) (*column.Column, error) {
	n.cols = n.cols[:0]
	for _, a := range n.args {
		c, err := a.eval(r, sel)
		if err != nil {
			return nil, err
		}
		n.cols = append(n.cols, c)
	}
	resetColumn(&n.out, n.sub.T, r.n)
	w := newWriter(&n.out)
	ctx := CallContext{Env: r.env, N: r.n, Sel: sel}
	err := ctx.each(func(i int) error {
		d, err := n.value(r.env, i)
		if err == nil {
			w.datum(i, d)
		}
		return err
	})
	if err != nil {
		return nil, at(err, n.sub.Pos)
	}
	w.finish(r.n)
	return &n.out, nil
}

// value is the result for row i of the arguments.
func (n *subPlanNode) value(env *Env, i int) (types.Datum, error) {
	args := make([]types.Datum, len(n.cols))
	n.key = n.key[:0]
	for j, c := range n.cols {
		args[j] = c.Datum(i)
		if args[j].Null {
			n.key = append(n.key, 0)
			continue
		}
		from := len(n.key) + 5
		n.key = append(n.key, 1, 0, 0, 0, 0)
		n.key = types.AppendText(n.key, c.Type, args[j], storedFormat)
		size := len(n.key) - from
		n.key[from-4], n.key[from-3], n.key[from-2], n.key[from-1] = byte(size), byte(size>>8), byte(size>>16), byte(size>>24)
	}
	if d, ok := n.memo[string(n.key)]; ok {
		return d, nil
	}
	if env == nil || env.Run == nil {
		return types.Datum{}, pgerror.Unsupported("subqueries are not supported here")
	}
	key := string(n.key)
	d, err := n.compute(env, args)
	if err != nil {
		return types.Datum{}, err
	}
	if n.memo == nil || len(n.memo) >= memoMax {
		n.memo = map[string]types.Datum{}
	}
	n.memo[key] = d
	return d, nil
}

func (n *subPlanNode) compute(env *Env, args []types.Datum) (types.Datum, error) {
	var rows []types.Datum
	for b, err := range env.Run(n.sub.Plan, args) {
		if err != nil {
			return types.Datum{}, err
		}
		if n.sub.Kind == SubExists && b.Rows() > 0 {
			return types.BoolDatum(true), nil
		}
		c := CallContext{N: b.N, Sel: b.Sel}
		if err := c.each(func(i int) error {
			rows = append(rows, cloneDatum(b.Cols[0].Datum(i)))
			return nil
		}); err != nil {
			return types.Datum{}, err
		}
		if n.sub.Kind == SubScalar && len(rows) > 1 {
			return types.Datum{}, pgerror.New("21000", "more than one row returned by a subquery used as an expression")
		}
	}
	switch {
	case n.sub.Kind == SubExists:
		return types.BoolDatum(false), nil
	case n.sub.Kind == SubArray:
		return types.Datum{List: append([]types.Datum{}, rows...)}, nil
	case len(rows) == 0:
		return types.NullDatum, nil
	}
	return rows[0], nil
}
