package job

import (
	"context"
	"errors"
	"time"

	"velostream/catalog"
	"velostream/catalog/types"
	"velostream/engine/sql/plan"
	"velostream/pgwire/pgerror"
	"velostream/storage/log"
)

// subscriptionBytes bounds the output that waits for a subscriber who does not
// read; beyond it the subscription ends with an error, the engine goes on.
const subscriptionBytes = 32 << 20

// Subscription is a continuous query of one session: a job without a name,
// whose state is in memory and which ends with its reader.
type Subscription struct {
	job    *Job
	reader *log.Reader
	wake   chan struct{}
}

// SubscribeOptions say where a subscription begins.
type SubscribeOptions struct {
	// Earliest reads streams from their beginning; without it only what comes.
	// Tables and views always begin with their content, unless NoSnapshot.
	Earliest   bool
	NoSnapshot bool
	// HideContent takes content in without showing it, for queries whose changes depend on it.
	HideContent bool
	// Progress makes epochs at least so often, also when nothing changes, so
	// that Progress moves on; 0: no.
	Progress time.Duration
	// History is where the query begins, nil: now.
	History *History
}

// Subscribe starts the continuous plan p, and returns when its sources are open:
// what is committed from then on is part of it. Close must be called.
func (m *Manager) Subscribe(ctx context.Context, p *plan.Physical, o SubscribeOptions) (*Subscription, error) {
	snap := m.o.Catalog.Snapshot()
	rel := &catalog.Relation{Name: "subscription", Kind: catalog.Stream, AppendOnly: true, EventTime: -1}
	j := &Job{
		m: m, plan: p, shards: m.o.Shards, transient: &o, opened: make(chan struct{}), wake: make(chan struct{}, 1), done: make(chan struct{}),
		inputs: map[uint32]*Job{}, logs: map[uint32]*log.Log{}, ready: make(chan struct{}),
	}
	j.rel.Store(rel)
	j.log = log.New(log.Options{
		Discard: true, MemoryBytes: subscriptionBytes,
		Types: func(uint32) []types.Type { return p.Types() },
	})
	m.mu.Lock()
	err := m.connect(snap, j)
	m.mu.Unlock()
	if err != nil {
		return nil, err
	}
	s := &Subscription{job: j, wake: make(chan struct{}, 1)}
	s.reader = j.log.NewReader(0, nil, func() {
		select {
		case s.wake <- struct{}{}:
		default:
		}
	})
	var run context.Context
	run, j.cancel = context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(m.ctx, j.cancel) // the server ends
	m.wg.Go(func() {
		defer close(j.done)
		defer stop()
		j.main(run)
	})
	select {
	case <-j.opened:
	case <-j.done: // it failed: Next says why
	case <-ctx.Done():
		_ = s.Close()
		return nil, context.Cause(ctx)
	}
	return s, nil
}

// connect finds the logs that j's plan reads. REQUIRES: m.mu is held.
func (m *Manager) connect(snap *catalog.Snapshot, j *Job) error {
	for _, scan := range scansOf(j.plan) {
		in := snap.ByID(scan.Relation)
		if h := j.history(); h != nil && h.Relation == scan.Relation {
			in = snap.ByID(h.Subscription)
		}
		switch {
		case in == nil:
			return pgerror.New(pgerror.UndefinedTable, "relation %q does not exist", scan.Name)
		case in.Native():
			j.logs[0] = m.o.Tables.Log()
		case in.ID == j.id: // a table's own connector
		case len(in.Plan) > 0:
			up := m.jobs[in.ID]
			if up == nil {
				return pgerror.New(pgerror.ObjectNotInPrerequisiteState, "the job of %q does not run", in.Name)
			}
			j.inputs[in.ID], j.logs[in.ID] = up, up.log
		}
	}
	return nil
}

// history is where a transient query begins that does not begin now, nil: it does.
func (j *Job) history() *History {
	if j.transient == nil {
		return nil
	}
	return j.transient.History
}

// Next waits for changes. Without any within the time that ctx allows it
// returns ctx's error; when the query itself ended, why.
func (s *Subscription) Next(ctx context.Context) ([]Changes, error) {
	for {
		out, err := s.TryNext()
		if err != nil || len(out) > 0 {
			return out, err
		}
		if err := s.Wait(ctx); err != nil {
			return nil, err
		}
	}
}

// Wait waits until TryNext may have something: nil. Otherwise it returns
// ctx's error, or, when the query itself ended, why.
func (s *Subscription) Wait(ctx context.Context) error {
	select {
	case <-s.wake:
		return nil
	default:
	}
	select {
	case <-s.wake:
		return nil
	case <-s.job.done:
		if s.reader.Ahead() {
			return nil
		}
		return s.job.ended()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// TryNext returns the changes at hand, none if there are none.
func (s *Subscription) TryNext() ([]Changes, error) {
	entries, err := s.reader.Next(s.job.log.Last())
	if errors.Is(err, log.ErrBehind) {
		return nil, pgerror.New(pgerror.ConfigurationLimitExceeded, "continuous query ended: the client reads too slowly").
			WithDetail("More than %d MB of rows were waiting to be sent.", subscriptionBytes>>20).
			WithHint("Read faster, or filter or aggregate more in the query.")
	}
	if err != nil {
		return nil, err
	}
	var out []Changes
	for _, e := range entries {
		c := Changes{Seq: e.Seq, Time: e.Time}
		for _, ch := range e.Changes {
			c.Batches = append(c.Batches, ch.Batch)
		}
		out = append(out, c)
	}
	return out, nil
}

// Progress is a time up to which everything has been delivered once TryNext,
// called after, returns nothing: µs since the Unix epoch.
func (s *Subscription) Progress() int64 { return s.job.log.LastTime() }

// Backfilling reports that the content the query began with is not all read.
func (s *Subscription) Backfilling() bool {
	st := s.job.Info().State
	return st == Starting || st == Backfilling
}

// ended is why a job's coordinator ended.
func (j *Job) ended() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if errors.Is(j.err, log.ErrRolledBack) {
		return pgerror.New(pgerror.ObjectNotInPrerequisiteState, "continuous query ended: what it reads went back to its last checkpoint").
			WithHint("Run it again.")
	}
	if errors.Is(j.err, log.ErrBehind) {
		return pgerror.New(pgerror.ObjectNotInPrerequisiteState, "continuous query ended: changes that it has not read are no longer kept").
			WithHint("Read faster, or give the subscription a longer retention.")
	}
	if j.err != nil {
		return j.err
	}
	return pgerror.New(pgerror.AdminShutdown, "continuous query ended: the server shuts down")
}

// Close ends the query and frees what it holds.
func (s *Subscription) Close() error {
	s.job.stop()
	s.reader.Close()
	return nil
}
