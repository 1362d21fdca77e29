package optimizer

import (
	"velostream/engine/sql/expr"
	"velostream/engine/sql/plan"
	"velostream/pgwire/pgerror"
)

// temporal makes n the operator of a temporal join. Over a snapshot the rows that are there
// when a row comes are those of any join.
func (l *lowering) temporal(p *plan.Join, n, left, right *plan.Physical) error {
	if p.Temporal.Times == nil && !l.o.Continuous {
		return nil
	}
	if !left.AppendOnly {
		return pgerror.Unsupported("the left side of a temporal join must be a stream").
			WithHint("A plain join follows the changes of both sides.")
	}
	if p.Temporal.Times == nil {
		n.Op, n.Temporal = plan.OpLookupJoin, &plan.Temporal{Arrival: true}
		return nil
	}
	t := &plan.Temporal{Before: p.Temporal.Before, Changes: p.Temporal.Changes && l.o.Continuous, Ties: right.Key}
	lt, ok1 := p.Temporal.Times[0].(*expr.Col)
	rt, ok2 := p.Temporal.Times[1].(*expr.Col)
	switch {
	case !ok1 || !ok2:
		return pgerror.New(pgerror.InternalError, "the times of a temporal join must be columns")
	case l.o.Continuous && lt.Index != left.EventTime:
		return pgerror.Unsupported("a temporal join at a time other than the watermark column of the left side is not supported").
			WithHint("Declare WATERMARK FOR the column on the stream.")
	case l.o.Continuous && !t.Changes && (rt.Index != right.EventTime || !right.AppendOnly):
		return pgerror.Unsupported("a temporal join by a time other than the watermark column of the right side is not supported").
			WithHint("Declare WATERMARK FOR the column on the stream.")
	}
	t.Left, t.Right = lt.Index, rt.Index
	n.Op, n.Temporal = plan.OpTemporalJoin, t
	return nil
}
