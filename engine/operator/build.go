package operator

import (
	"time"

	"velostream/engine/dataflow"
	"velostream/engine/sql/expr"
	"velostream/engine/sql/plan"
	"velostream/pgwire/pgerror"
	"velostream/storage/column"
	"velostream/storage/spool"
	"velostream/storage/state"
)

// BuildContext is what an operator gets besides its plan node.
type BuildContext struct {
	// Shard is this instance, of Shards. What exists once per job (VALUES, the
	// one row of an aggregate without groups) is made by shard 0.
	Shard, Shards int
	// Table returns the state table of an ID of Physical.Tables for this shard. nil:
	// no tables, everything stays in memory (bounded queries).
	Table func(id uint16) state.Table
	// Env is what expressions depend on; nil: defaults.
	Env *expr.Env
	// MemoryBudget bounds the operator's memory in bytes; 0: 256 MB.
	MemoryBudget int64
	// Memory makes budgets shrink when the process runs short; nil: it does not.
	Memory *Memory
	// Disk is where operators without tables go on beyond their budget; nil: they end
	// with 53200.
	Disk *spool.Disk
	// Clock tells the time to operators that depend on it; nil: time.Now.
	Clock func() time.Time
	// Name is the relation that errors name: the view or stream being made.
	Name string
	// Late, if set, takes the rows that are dropped since they came too late.
	Late func(LateRow) error
}

// LateRow is a row that was dropped since it came too late: row Row of Batch.
type LateRow struct {
	Columns []plan.Column // of Batch
	Batch   *column.Batch // valid during the call
	Row     int
	// Time is what decided: the end of the row's window, or its event time. Mark is up to where
	// results were final by then. µs since 2000.
	Time, Mark int64
}

// tooLate hands a dropped row to whom it concerns.
func (c BuildContext) tooLate(p *plan.Physical, in *column.Batch, i int, time, mark int64) error {
	if c.Late == nil || in.Op(i) != column.Insert {
		return nil
	}
	return c.Late(LateRow{Columns: p.Out, Batch: in, Row: i, Time: time, Mark: mark})
}

func (c BuildContext) budget() budget {
	if c.MemoryBudget <= 0 {
		return budget{defaultBudget, c.Memory}
	}
	return budget{c.MemoryBudget, c.Memory}
}

func (c BuildContext) clock() func() time.Time {
	if c.Clock != nil {
		return c.Clock
	}
	return time.Now
}

// table returns the k-th table of p, nil when there is none.
func (c BuildContext) table(p *plan.Physical, k int) state.Table {
	if c.Table == nil || k >= len(p.Tables) {
		return nil
	}
	return c.Table(p.Tables[k])
}

// label names the operator for errors.
func (c BuildContext) label(op string) string {
	if c.Name == "" {
		return op
	}
	return op + " of " + c.Name
}

// Build makes the operator of the plan node p alone; its inputs are built and connected
// by the caller. Scans and exchanges are the runtime's and an error here.
// Errors are those of compiling expressions, and 0A000 for what no operator does.
func Build(p *plan.Physical, ctx BuildContext) (dataflow.Operator, error) {
	switch p.Op {
	case plan.OpFilter:
		return newFilter(p, ctx)
	case plan.OpProject:
		return newProject(p, ctx)
	case plan.OpWindow:
		return newWindow(p, ctx)
	case plan.OpClock:
		return newClockFilter(p, ctx)
	case plan.OpEvery:
		return newEvery(p, ctx)
	case plan.OpSession:
		return newSession(p, ctx)
	case plan.OpUnion:
		return newUnion(p), nil
	case plan.OpValues:
		return newValues(p, ctx)
	case plan.OpSeries:
		return newSeries(p, ctx)
	case plan.OpAggregate:
		return newAggregate(p, ctx)
	case plan.OpJoin, plan.OpLookupJoin:
		return newJoin(p, ctx)
	case plan.OpIntervalJoin:
		return newIntervalJoin(p, ctx)
	case plan.OpUpsert:
		return newUpsert(p, ctx)
	case plan.OpTemporalJoin:
		return newTemporalJoin(p, ctx)
	case plan.OpOver:
		return newOver(p, ctx)
	case plan.OpExpand:
		return newExpand(p, ctx)
	case plan.OpTopN:
		return newTopN(p, ctx)
	case plan.OpSort:
		return newSort(p, ctx)
	case plan.OpLimit:
		return newLimit(p, ctx)
	default:
	}
	return nil, pgerror.New(pgerror.InternalError, "plan node %q is no operator", string(p.Op))
}
