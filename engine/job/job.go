// Package job runs persistent queries: it makes what runs agree with what the
// catalog says (manager.go), and drives each job through its epochs
// (coordinator.go): cut the inputs, send a barrier, publish the output, and at
// read fences and checkpoints commit state, output and positions in one batch.
//
// A job fails alone. Its error stays visible until it is resumed or dropped,
// its state remains that of its last checkpoint.
package job

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"velostream/catalog"
	"velostream/engine/sql/plan"
	"velostream/pgwire/pgerror"
	"velostream/storage/log"
)

// State of a job.
type State string

// What a job may be doing.
const (
	Starting    State = "starting"
	Backfilling State = "backfilling" // reads what its inputs held when it was created
	Running     State = "running"
	Paused      State = "paused"
	Failed      State = "failed"
	Stopped     State = "stopped"
)

// Job is one persistent query. Its exported methods are safe for concurrent use.
type Job struct {
	id   uint32
	m    *Manager
	rel  atomic.Pointer[catalog.Relation] // as the catalog has it now
	plan *plan.Physical
	// shards is how many there are of its state, for as long as it exists.
	shards int
	log    *log.Log // its output, by epoch
	// inputs are the jobs it reads, logs all logs it reads by id.
	inputs map[uint32]*Job
	logs   map[uint32]*log.Log

	wake chan struct{}
	// transient is set for a subscription: no catalog entry, no durable state.
	transient *SubscribeOptions
	// opened closes when a subscription has opened its sources: what comes from
	// then on is its.
	opened chan struct{}
	// persistLog: a job or sink reads the output after a restart too.
	persistLog atomic.Bool
	// durable is the newest epoch that survives a crash; durableCut what it
	// has read of the native commits.
	durable    atomic.Uint64
	durableCut atomic.Uint64
	durableIn  sync.Map // id of an input job → its epoch

	// Of the manager's goroutine: which epochs may leave the output log.
	marks []epochAt
	floor uint64

	mu      sync.Mutex
	cancel  context.CancelFunc
	done    chan struct{} // closed when the coordinator ended; nil: it never ran
	ready   chan struct{} // closed when the backfill is over, or failed
	isReady bool
	state   State
	err     error
	fences  []*fence
	flushes []chan struct{} // closed with the next flushed epoch
	stats   Stats
}

// Stats are a job's counters, for SHOW JOBS and metrics.
type Stats struct {
	RowsIn, RowsOut       int64
	LateRows, DeadLetters int64
	NullTimes             int64 // rows without a time, which are in no window
	Epoch                 uint64
	Watermark             int64 // µs since 2000-01-01, MinInt64: none
	Checkpoint            time.Time
	Started               time.Time
}

// Info describes a job.
type Info struct {
	Relation *catalog.Relation
	State    State
	Err      error
	Shards   int
	Stats    Stats
	Backlog  Backlog // of Manager.Jobs
}

// Info returns what SHOW JOBS shows.
func (j *Job) Info() Info {
	j.mu.Lock()
	defer j.mu.Unlock()
	return Info{Relation: j.relation(), State: j.state, Err: j.err, Shards: j.shards, Stats: j.stats}
}

// Log is the job's output: an entry an epoch.
func (j *Job) Log() *log.Log { return j.log }

// Durable is the newest epoch of the output that survives a crash.
func (j *Job) Durable() uint64 { return j.durable.Load() }

func (j *Job) relation() *catalog.Relation { return j.rel.Load() }

func (j *Job) setState(s State, err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.state, j.err = s, err
	if s != Starting && s != Backfilling {
		j.setReady()
	}
}

// setReady says that the backfill is over. REQUIRES: j.mu is held.
func (j *Job) setReady() {
	if !j.isReady {
		j.isReady = true
		close(j.ready)
	}
}

// running returns the channel that closes when the coordinator ends, nil if it
// never ran.
func (j *Job) running() <-chan struct{} {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.done
}

func (j *Job) poke() {
	select {
	case j.wake <- struct{}{}:
	default:
	}
}

// addFence queues f. It does not block.
func (j *Job) addFence(f *fence) {
	j.mu.Lock()
	defer j.mu.Unlock()
	switch j.state {
	case Paused:
		// What a paused view holds is what there is to read.
		f.pass(j.id, j.log.Last(), j.m.store.Snapshot())
		return
	case Failed, Stopped:
		f.refuse(j.id, j.unreadable())
		return
	default:
	}
	j.fences = append(j.fences, f)
	j.poke()
}

// unreadable is why a strict read of the job's relation is not possible.
// REQUIRES: j.mu is held.
func (j *Job) unreadable() error {
	name := j.relation().Name
	if j.err != nil {
		return pgerror.New(pgerror.ObjectNotInPrerequisiteState, "the job of %q has failed: %s", name, pgerror.From(j.err).Message).
			WithDetail("Its error is in SHOW JOBS.").
			WithHint("Mend the cause and RESUME JOB %s, or SET read_consistency = 'relaxed' to read its last checkpoint.", name)
	}
	return pgerror.New(pgerror.ObjectNotInPrerequisiteState, "the job of %q is %s", name, j.state).
		WithHint("RESUME JOB %s, or SET read_consistency = 'relaxed' to read its last checkpoint.", name)
}

// nextFence returns the oldest fence, nil: none.
func (j *Job) nextFence() *fence {
	j.mu.Lock()
	defer j.mu.Unlock()
	if len(j.fences) == 0 {
		return nil
	}
	return j.fences[0]
}

func (j *Job) popFence() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.fences = j.fences[1:]
}

// refuseFences answers all fences with why the job can't be read.
func (j *Job) refuseFences() {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, f := range j.fences {
		f.refuse(j.id, j.unreadable())
	}
	j.fences = nil
}

// errStopped ends a coordinator that was told to stop.
var errStopped = errors.New("job: stopped")

// requestFlush asks for an epoch that persists the output; done is closed when
// it is committed. False: the job does not run.
func (j *Job) requestFlush(done chan struct{}) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.state == Failed || j.state == Paused || j.state == Stopped {
		return false
	}
	j.flushes = append(j.flushes, done)
	j.poke()
	return true
}

// wantsFlush reports that someone waits for a flushed epoch.
func (j *Job) wantsFlush() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return len(j.flushes) > 0
}

// flushed wakes those who waited for it.
func (j *Job) flushed() {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, ch := range j.flushes {
		close(ch)
	}
	j.flushes = nil
}
