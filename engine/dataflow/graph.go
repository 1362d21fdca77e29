package dataflow

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"velostream/storage/column"
	"velostream/storage/state"
)

// Source is where rows enter a task. For the task's goroutine, but for what
// wakes it.
type Source interface {
	// Poll returns rows at hand, nil when there are none now. It does not
	// block. The batch is valid until the next call.
	Poll() (*column.Batch, error)
	// Cut is called until it returns nil when a barrier is injected: it
	// returns the rows that still belong to the epoch. Sources that deliver
	// by Poll return nil.
	Cut(c Cut) (*column.Batch, error)
	// Watermark is what holds after the rows returned so far; an idle source
	// does not hold back others.
	Watermark() (w Watermark, idle bool)
	// Position is what to resume from after the rows returned so far.
	Position() []byte
	Close() error
}

// Cut says how far an epoch reaches into the logs: the sequence number by log.
type Cut map[uint32]uint64

// Stage is a tree of operators, run by Shards tasks. Rows between stages are
// spread by Partition.
type Stage struct {
	Name   string
	Shards int
	// Inputs are the tree's inputs.
	Inputs []Input
	// New makes the tree of one shard.
	New func(shard int, out Output) (*Tree, error)
	// To is the index of the stage that gets the output at its input ToInput;
	// -1: the output goes to Out(shard).
	To, ToInput int
	// Partition gives for each of n shards the rows of b that belong there; nil
	// when the next stage has one shard.
	Partition func(b *column.Batch, n int) [][]int32
	Out       func(shard int) Output
	// AfterBarrier runs in the task after the barrier passed its operators;
	// what it returns is in the Report.
	AfterBarrier func(shard int, e state.Epoch) (any, error)
}

// Input is one input of a stage's trees.
type Input struct {
	// Source opens the source of one shard, which calls wake (from any
	// goroutine) when Poll may have rows. nil: rows come from another stage; a
	// nil Source returned: this shard has none.
	Source func(shard int, wake func()) (Source, error)
	// Timeless inputs say nothing of event time and do not hold the watermark
	// back.
	Timeless bool
	// Retracting inputs from several tasks are held until the barrier, and
	// given to the operators deletes first: a row that moves from one shard to
	// another would otherwise be inserted, at times, before it is deleted. What
	// comes and goes meanwhile they do not see.
	Retracting bool
}

// Report is what a task says when a barrier has passed it.
type Report struct {
	Stage, Shard int
	Epoch        state.Epoch
	// Positions of its sources, by input (nil where the input has none).
	Positions [][]byte
	// Result of AfterBarrier.
	Result    any
	Watermark Watermark
	// LateRows and NullTimes count what its operators saw since it began.
	LateRows, NullTimes int64
	// Tick is when an operator of the task wants the next barrier; zero: none does.
	Tick time.Time
}

// Run is a running graph of stages. One barrier is in flight at a time.
//
//	coordinator --Inject--> tasks with sources --barrier--> … --Report--> coordinator
type Run struct {
	tasks   []*task
	reports chan Report
	idle    chan struct{}
	ctx     context.Context
	cancel  context.CancelCauseFunc
	wg      sync.WaitGroup
	// activity of tasks with sources
	rowsIn atomic.Int64
}

// channelDepth is how many batches may wait between two tasks. Small: they
// hold memory and delay barriers, and 1,024 rows a batch hide the hand-over.
const channelDepth = 4

// Start makes and starts all tasks. On error nothing runs.
func Start(ctx context.Context, stages []Stage) (*Run, error) {
	r := &Run{idle: make(chan struct{}, 1)}
	r.ctx, r.cancel = context.WithCancelCause(ctx)
	byStage := make([][]*task, len(stages))
	for i := range stages {
		for shard := range stages[i].Shards {
			t := newTask(r, i, shard, &stages[i])
			byStage[i] = append(byStage[i], t)
			r.tasks = append(r.tasks, t)
		}
	}
	r.reports = make(chan Report, len(r.tasks))
	for i := range stages {
		if to := stages[i].To; to >= 0 {
			connect(byStage[i], byStage[to], stages[i].ToInput)
		}
	}
	for _, t := range r.tasks {
		if err := t.open(); err != nil {
			r.cancel(err)
			for _, t := range r.tasks {
				t.close()
			}
			return nil, err
		}
	}
	// Stages come after those that they send to.
	for _, t := range slices.Backward(r.tasks) {
		t.presage()
	}
	for _, t := range r.tasks {
		r.wg.Go(t.main)
	}
	return r, nil
}

// Inject starts barrier e at all sources, and in tasks that have no input at
// all. REQUIRES: the reports of the barrier
// before have all been received.
func (r *Run) Inject(e state.Epoch, c Cut) {
	for _, t := range r.tasks {
		if t.hasSources || len(t.channels) == 0 {
			t.inject <- injection{e, c}
			t.poke()
		}
	}
}

// Reports delivers one Report a task for each barrier.
func (r *Run) Reports() <-chan Report { return r.reports }

// Tasks is how many reports a barrier brings.
func (r *Run) Tasks() int { return len(r.tasks) }

// Idle gets a value when a source ran dry after it had rows.
func (r *Run) Idle() <-chan struct{} { return r.idle }

// Activity says whether any rows came since the last barrier, and whether a
// source is at work on more.
func (r *Run) Activity() (dirty, busy bool) {
	for _, t := range r.tasks {
		s := t.activity.Load()
		dirty = dirty || s != clean
		busy = busy || s == working
	}
	return dirty, busy
}

// RowsIn is how many rows came from sources so far.
func (r *Run) RowsIn() int64 { return r.rowsIn.Load() }

// Done is closed when the run ended; then Err says why.
func (r *Run) Done() <-chan struct{} { return r.ctx.Done() }

// Err is why the run ended.
func (r *Run) Err() error { return context.Cause(r.ctx) }

// Stop ends all tasks and waits for them.
func (r *Run) Stop() {
	r.cancel(context.Canceled)
	r.wg.Wait()
}

func (r *Run) fail(t *task, err error) {
	r.cancel(fmt.Errorf("%s, shard %d: %w", t.stage.Name, t.shard, err))
}
