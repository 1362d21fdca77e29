package operator

import (
	"velostream/engine/dataflow"
	"velostream/engine/sql/plan"
	"velostream/pgwire/pgerror"
)

// newOver makes the operator of window functions: output = input columns, then a column
// per call. Keys is the partition, Sort the order in it; rows that are equal in the order
// go by stream key, in bounded queries as they came. There are four forms:
//
//   - over bounded input all rows are sorted and computed at the end (overAtEnd);
//   - of time windows whose rows wait for the window to close, then (overAtClose);
//   - of rows that leave once, when rows enough have come behind them (overAhead);
//   - else the partitions are kept (overKept), or of them what the functions need of the
//     rows so far (overRunning).
func newOver(p *plan.Physical, ctx BuildContext) (dataflow.Operator, error) {
	if len(p.Inputs) != 1 || len(p.Out) != len(p.Inputs[0].Out)+len(p.Over) {
		return nil, pgerror.New(pgerror.InternalError, "columns of window functions do not fit their input")
	}
	eval, err := newOverEval(p, ctx)
	if err != nil {
		return nil, err
	}
	if len(p.Tables) == 0 {
		return newOverAtEnd(p, ctx, eval), nil
	}
	if p.Emit == plan.EmitFinal && p.WindowEnd >= 0 {
		return newOverAtClose(p, ctx, eval)
	}
	if p.Once && p.Ahead > 0 {
		return newOverAhead(p, ctx, eval)
	}
	kept, err := newOverKept(p, ctx, eval)
	if err != nil || !p.Once {
		return kept, err
	}
	if r, err := newOverRunning(kept); r != nil || err != nil {
		return r, err
	}
	return kept, nil
}
