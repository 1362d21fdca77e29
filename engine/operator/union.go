package operator

import (
	"velostream/catalog/types"
	"velostream/engine/dataflow"
	"velostream/engine/sql/plan"
	"velostream/storage/column"
)

// union passes on the rows of all its ports. When the output has one column more than
// the inputs, it is the number of the port, so that equal rows of two inputs have
// different keys.
type union struct {
	dataflow.Stateless
	branch []*column.Column // by port
	width  int
	out    column.Batch
}

func newUnion(p *plan.Physical) dataflow.Operator {
	u := &union{width: len(p.Out)}
	for port, in := range p.Inputs {
		var c *column.Column
		if len(in.Out) < len(p.Out) {
			c = column.Constant(p.Out[len(p.Out)-1].Type, types.IntDatum(int64(port)))
		}
		u.branch = append(u.branch, c)
	}
	return u
}

func (u *union) Process(port int, in *column.Batch, out dataflow.Output) error {
	branch := u.branch[port]
	if branch == nil && len(in.Cols) == u.width {
		return out.Emit(in)
	}
	u.out = column.Batch{Ops: in.Ops, N: in.N, Sel: in.Sel, Cols: u.out.Cols[:0]}
	if branch == nil { // an input may carry hidden columns behind
		u.out.Cols = append(u.out.Cols, in.Cols[:u.width]...)
	} else {
		u.out.Cols = append(append(u.out.Cols, in.Cols[:u.width-1]...), branch)
	}
	return out.Emit(&u.out)
}
