package query

import (
	"errors"
	"io"
	"iter"

	"velostream/catalog/types"
	"velostream/engine/operator"
	"velostream/engine/sql/expr"
	"velostream/engine/sql/plan"
	"velostream/pgwire/pgerror"
	"velostream/storage/column"
)

// withSubqueries is ctx's environment, able to run the subqueries in
// expressions over the same snapshot.
func (r *Rows) withSubqueries(scan Scan, ctx operator.BuildContext) *expr.Env {
	env := expr.Env{}
	if ctx.Env != nil {
		env = *ctx.Env
	}
	inner := ctx
	inner.Env = &env
	env.Run = func(n expr.Nested, args []types.Datum) iter.Seq2[*column.Batch, error] {
		return func(yield func(*column.Batch, error) bool) { r.subquery(n, args, scan, inner, yield) }
	}
	return &env
}

// subquery yields the rows of a subquery for the values args of the query
// around it.
func (r *Rows) subquery(n expr.Nested, args []types.Datum, scan Scan, ctx operator.BuildContext, yield func(*column.Batch, error) bool) {
	s, ok := n.(*plan.Sub)
	if !ok || s.Physical == nil {
		yield(nil, pgerror.New(pgerror.InternalError, "subquery without a plan"))
		return
	}
	p, err := s.Physical.BindOuter(args)
	if err != nil {
		yield(nil, err)
		return
	}
	rows, err := Run(p, scan, ctx)
	if err != nil {
		yield(nil, err)
		return
	}
	defer func() { _ = rows.Close() }() // gives no error
	for {
		b, err := rows.Next(r.ctx)
		if errors.Is(err, io.EOF) {
			return
		}
		if !yield(b, err) || err != nil {
			return
		}
	}
}
