package job

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"velostream/catalog"
	"velostream/engine/sink"
	"velostream/pgwire/pgerror"
	"velostream/storage/log"
)

// SinkRunner writes the changes that feed delivers to where rel says, until
// ctx ends. It begins by asking the sink where it is (from, false: nowhere yet)
// and calls feed.Start with that. It retries what may pass; an error is final.
type SinkRunner func(ctx context.Context, rel, input *catalog.Relation, feed *Feed) error

// Feed is a sink's view of the changelog it writes out. For one goroutine, but
// for what its methods say.
type Feed struct {
	log     *log.Log
	durable func() uint64
	rel     uint32
	reader  *log.Reader
	wake    chan struct{}
	job     *sinkJob
}

// Changes is one epoch or commit.
type Changes = sink.Changes

// Start begins after the position that the sink has recorded.
func (f *Feed) Start(position uint64) {
	if f.reader != nil {
		f.reader.Close()
	}
	f.reader = f.log.NewReader(position, []uint32{f.rel}, f.poke)
	f.job.position.Store(position)
}

func (f *Feed) poke() {
	select {
	case f.wake <- struct{}{}:
	default:
	}
}

// Next waits for changes that are durable here, so that what leaves can never
// be taken back by a crash. It returns some, in order.
func (f *Feed) Next(ctx context.Context) ([]Changes, error) {
	tick := time.NewTicker(50 * time.Millisecond) // durable grows without a wake
	defer tick.Stop()
	for {
		entries, err := f.reader.Next(f.durable())
		if err != nil {
			return nil, err
		}
		if len(entries) > 0 {
			out := make([]Changes, 0, len(entries))
			for _, e := range entries {
				c := Changes{Seq: e.Seq}
				for _, ch := range e.Changes {
					c.Batches = append(c.Batches, ch.Batch)
				}
				out = append(out, c)
			}
			return out, nil
		}
		select {
		case <-f.wake:
		case <-tick.C:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// Committed says that everything up to position has arrived.
func (f *Feed) Committed(position uint64, rows int) {
	f.job.position.Store(position)
	f.job.rows.Add(int64(rows))
	f.job.trouble.Store(nil)
}

// Trouble says why nothing moves at present, nil: all is well.
func (f *Feed) Trouble(err error) {
	if err == nil {
		f.job.trouble.Store(nil)
		return
	}
	f.job.trouble.Store(&err)
}

// sinkJob is a running sink.
type sinkJob struct {
	rel      *catalog.Relation
	job      *Job // whose output it writes; nil: native commits
	position atomic.Uint64
	rows     atomic.Int64
	trouble  atomic.Pointer[error]
	cancel   context.CancelFunc
	done     chan struct{}
	err      atomic.Pointer[error]
	barred   bool // it does not run: its owner may not read what it writes out
}

// barredSink stands for a sink that may not run, because of err.
func barredSink(r *catalog.Relation, err error) *sinkJob {
	s := &sinkJob{rel: r, cancel: func() {}, done: make(chan struct{}), barred: true}
	close(s.done)
	s.err.Store(&err)
	return s
}

func (s *sinkJob) stop() {
	s.cancel()
	<-s.done
}

// SinkInfo describes a sink.
type SinkInfo struct {
	Relation *catalog.Relation
	State    State
	Err      error // why it failed, or what it is retrying
	Position uint64
	Rows     int64
	Backlog  Backlog
}

// Sinks describes all sinks.
func (m *Manager) Sinks() []SinkInfo {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []SinkInfo
	snap := m.o.Catalog.Snapshot()
	for _, r := range snap.Relations() {
		if r.SinkOf != 0 && r.Paused && r.Overrun == "" && m.sinks[r.ID] == nil {
			out = append(out, SinkInfo{Relation: r, State: Paused, Position: m.stopped[r.ID], Backlog: m.backlog(snap, r)})
		}
	}
	for _, s := range m.sinks {
		i := SinkInfo{Relation: s.rel, State: Running, Position: s.position.Load(), Rows: s.rows.Load(), Backlog: m.backlog(snap, s.rel)}
		if p := s.trouble.Load(); p != nil {
			i.State, i.Err = "retrying", *p
		}
		if p := s.err.Load(); p != nil {
			i.State, i.Err = Failed, *p
		}
		out = append(out, i)
	}
	return out
}

// reconcileSinks starts the sinks that the catalog has. REQUIRES: m.mu is held.
func (m *Manager) reconcileSinks(snap *catalog.Snapshot) {
	for _, r := range snap.Relations() {
		s := m.sinks[r.ID]
		if r.SinkOf != 0 && r.Overrun != "" {
			m.sinks[r.ID] = barredSink(r, overrunError(r))
			continue
		}
		if r.SinkOf == 0 || s != nil && !s.barred || r.Paused || m.o.Sink == nil {
			continue
		}
		if err := snap.Check(r.Owner, r.Access); err != nil {
			m.sinks[r.ID] = barredSink(r, err)
			continue
		}
		delete(m.sinks, r.ID)
		input := snap.ByID(r.SinkOf)
		if input == nil {
			continue
		}
		s = &sinkJob{rel: r, done: make(chan struct{})}
		f := &Feed{rel: input.ID, wake: make(chan struct{}, 1), job: s}
		if input.Native() {
			f.log = m.o.Tables.Log()
			f.durable = f.log.Last
		} else {
			if s.job = m.jobs[input.ID]; s.job == nil {
				continue
			}
			f.log, f.durable = s.job.log, s.job.Durable
		}
		var ctx context.Context
		ctx, s.cancel = context.WithCancel(m.ctx)
		m.sinks[r.ID] = s
		go m.runSink(ctx, s, input, f)
	}
}

func (m *Manager) runSink(ctx context.Context, s *sinkJob, input *catalog.Relation, f *Feed) {
	defer close(s.done)
	defer func() {
		if f.reader != nil {
			f.reader.Close()
		}
	}()
	err := m.o.Sink(ctx, s.rel, input, f)
	if ctx.Err() != nil || err == nil {
		return
	}
	if errors.Is(err, log.ErrRolledBack) {
		err = pgerror.New(pgerror.InternalError, "sink %q has written what its job took back", s.rel.Name)
	}
	m.o.Logger.ErrorContext(ctx, "sink failed", "sink", s.rel.Name, "error", err.Error())
	s.err.Store(&err)
}
