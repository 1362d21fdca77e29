package operator

import (
	"velostream/engine/dataflow"
	"velostream/engine/sql/expr"
	"velostream/engine/sql/plan"
	"velostream/storage/column"
)

// filter keeps the rows for which its condition is true; NULL is not. It sets
// the selection of the batch and copies nothing. A Delete passes exactly if the Insert it
// cancels did, because the condition depends on the row alone.
type filter struct {
	dataflow.Stateless
	env  *expr.Env
	cond *expr.Evaluator
	out  column.Batch
}

func newFilter(p *plan.Physical, ctx BuildContext) (dataflow.Operator, error) {
	ev, err := expr.Compile(p.Cond)
	if err != nil {
		return nil, err
	}
	return &filter{env: ctx.Env, cond: ev}, nil
}

func (f *filter) Process(_ int, in *column.Batch, out dataflow.Output) error {
	sel, err := f.cond.EvalFilter(f.env, in, in.Sel)
	if err != nil || len(sel) == 0 {
		return err
	}
	f.out = *in
	f.out.Sel = sel
	return out.Emit(&f.out)
}
