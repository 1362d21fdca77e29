// Package dataflow runs operators: trees of them per shard, connected by
// exchanges, with barriers that cut epochs and watermarks that carry time.
//
// The operator contract is three methods, named after the three messages.
// Alignment, minimum watermarks, channels, metrics and the checkpoint protocol
// belong to the runtime, so an operator is single-threaded code with tables.
package dataflow

import (
	"math"
	"time"

	"velostream/storage/column"
	"velostream/storage/state"
)

// Watermark says that no row with an earlier event time is expected: µs since
// 2000-01-01 UTC, as timestamps are held in columns.
type Watermark int64

const (
	// NoWatermark is before all time: nothing is known yet.
	NoWatermark Watermark = math.MinInt64
	// EndOfTime ends bounded input: everything has been seen.
	EndOfTime Watermark = math.MaxInt64
)

// Operator turns changelogs into a changelog. It is used by one goroutine, and
// made on tables that hold the state of the epoch it goes on from, so there
// is no Open. An error of any method ends the job (it is then reported and the
// state of the last committed epoch kept).
type Operator interface {
	// Process takes a batch of input port. The batch is the caller's again on
	// return: what is kept is copied. Stateless operators emit at once;
	// stateful ones may hold their changes back until Barrier.
	Process(port int, in *column.Batch, out Output) error
	// Watermark says that w holds for all ports. It never goes back.
	Watermark(w Watermark, out Output) error
	// Barrier ends epoch e: the operator emits what it held back, one net
	// change per key, and if e.Flush writes what changed to its tables. On
	// return nothing of epoch e is left that is not emitted.
	Barrier(e state.Epoch, out Output) error
}

// Output takes what an operator emits.
type Output interface {
	// Emit hands b to the next operator. b belongs to the callee until Emit
	// returns; then the caller may reuse its memory.
	Emit(b *column.Batch) error
}

// Stateless gives an operator that keeps nothing its Watermark and Barrier.
type Stateless struct{}

// Watermark does nothing.
func (Stateless) Watermark(Watermark, Output) error { return nil }

// Barrier does nothing.
func (Stateless) Barrier(state.Epoch, Output) error { return nil }

// Ticker is implemented by operators that have something to do at a time of the clock.
type Ticker interface {
	// NextTick is when the operator wants a barrier, whether or not rows come; the zero
	// time: it needs none. For the goroutine that runs the operator, after a barrier.
	NextTick() time.Time
}

// NullTimes is implemented by operators that put rows into time windows.
type NullTimes interface {
	// NullTimes is how many rows had no time, and so no window, so far. For the
	// goroutine that runs the operator.
	NullTimes() int64
}

// Ender is implemented by operators that make use of the end of one of their inputs, in
// a bounded run.
type Ender interface {
	// End says that no rows come by port any more.
	End(port int, out Output) error
}

// LateRows is implemented by operators that see rows behind the watermark.
type LateRows interface {
	// LateRows is how many rows came too late so far. For the goroutine that
	// runs the operator.
	LateRows() int64
}
