// Package operator holds the operators of the dataflow: what a node of a
// physical plan does to a changelog. Build is the one switch from a plan node to its
// operator; each operator has a file whose header states its semantics.
//
// Operators are single-threaded, see dataflow.Operator. Those with state keep
// what is hot in memory in typed slices, write what changed to their tables when an
// epoch flushes, drop clean entries when they pass their memory budget and read them
// back when they are needed. An operator without a table (a bounded query) keeps all in memory;
// beyond its budget it goes on on disk where it can (spill.go), else it ends with SQLSTATE 53200. Values in tables begin with a byte that
// is the version of their encoding.
//
// Optional interfaces of operators: dataflow.LateRows (aggregate, with windows),
// dataflow.Ticker (every, clockFilter), dataflow.NullTimes (window, session), Done (limit).
package operator

import (
	"slices"

	"velostream/engine/dataflow"
	"velostream/pgwire/pgerror"
	"velostream/storage/column"
)

// stateVersion is the first byte of every value in a state table.
const stateVersion = 1

// maxBatch is how many rows an emitted batch has at most.
const maxBatch = 4096

// defaultBudget bounds an operator whose BuildContext sets no budget.
const defaultBudget = 256 << 20

// Done is implemented by operators that may need no more input.
type Done interface {
	// Done reports that no further output will come.
	Done() bool
}

// emitter collects rows and hands them on in batches of at most maxBatch.
type emitter struct {
	b *column.Builder
}

// full emits when a batch is complete; call it after each row or group of rows.
func (e *emitter) full(out dataflow.Output) error {
	if e.b.Len() < maxBatch {
		return nil
	}
	return e.flush(out)
}

// flush emits what there is.
func (e *emitter) flush(out dataflow.Output) error {
	if e.b.Len() == 0 {
		return nil
	}
	err := out.Emit(e.b.Batch())
	e.b.Reset()
	return err
}

// outOfMemory is the error of an operator that has no table to spill to.
func outOfMemory(what string, budget int64) error {
	return pgerror.New(pgerror.OutOfMemory, "%s needs more than its memory budget of %d MB", what, budget>>20).
		WithHint("Reduce the rows with a WHERE clause or a smaller time range, or SET query_memory to more (job_memory in the server's settings for what jobs keep).")
}

// memoryShort is the error of one that would have had more at another time.
func memoryShort(what string, budget int64) error {
	return pgerror.New(pgerror.OutOfMemory, "%s needs more than %d MB while the server is short of memory", what, budget>>20).
		WithHint("Try again when less is going on, or reduce the rows with a WHERE clause.")
}

// broken is the error of a changelog that cannot be: a defect of ours, never to be
// passed over in silence.
func broken(what, format string, args ...any) error {
	return pgerror.New(pgerror.InternalError, what+": "+format, args...).
		WithHint("This is a defect of the engine; the state of the last committed epoch is kept.")
}

// hasDeletes reports whether any selected row of b is a Delete.
func hasDeletes(b *column.Batch) bool {
	if b.Ops == nil {
		return false
	}
	if b.Sel == nil {
		return slices.Contains(b.Ops[:b.N], column.Delete)
	}
	for _, i := range b.Sel {
		if b.Ops[i] == column.Delete {
			return true
		}
	}
	return false
}
