package operator

import (
	"velostream/engine/dataflow"
	"velostream/engine/sql/expr"
	"velostream/engine/sql/plan"
	"velostream/storage/column"
)

// project computes its expressions; plain columns of the input are shared with
// the output batch, not copied. Ops and selection are the input's.
type project struct {
	dataflow.Stateless
	env   *expr.Env
	exprs []evaluator
	out   column.Batch
}

func newProject(p *plan.Physical, ctx BuildContext) (dataflow.Operator, error) {
	evs, err := compileAll(p.Exprs)
	if err != nil {
		return nil, err
	}
	return &project{env: ctx.Env, exprs: evs, out: column.Batch{Cols: make([]*column.Column, len(evs))}}, nil
}

func (p *project) Process(_ int, in *column.Batch, out dataflow.Output) error {
	for i := range p.exprs {
		c, err := p.exprs[i].eval(p.env, in)
		if err != nil {
			return err
		}
		p.out.Cols[i] = c
	}
	p.out.Ops, p.out.N, p.out.Sel = in.Ops, in.N, in.Sel
	return out.Emit(&p.out)
}
