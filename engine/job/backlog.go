package job

import (
	"context"
	"errors"
	"fmt"
	"time"

	"velostream/catalog"
	"velostream/pgwire/pgerror"
	"velostream/storage/log"
)

// A log keeps what one of its readers has not read durably. A reader that stands still, a
// job that failed or is paused, a sink that is paused, failed, or cannot reach what it
// writes to, would make it grow for ever: once it holds back more than the limits allow,
// the reader fails for good, which the catalog remembers, and the log lets go of what only
// that reader waited for. Nothing that others need is deleted.

// BacklogLimits bound what a reader that stands still may hold back; 0: no limit.
type BacklogLimits struct {
	Bytes int64         // of a log
	Rows  int64         // of its inputs
	Age   time.Duration // for which it has stood still, since the start of the server
}

// Backlog is what a job or sink has not read of its inputs.
type Backlog struct {
	Rows, Bytes int64
	Age         time.Duration // for which it has been behind without moving
}

// standing is where a reader was when it was last seen to move.
type standing struct {
	positions map[uint32]uint64 // by log
	since     time.Time
	counted   map[uint32]*log.Counted // by log
}

// overrunError is what a reader whose backlog was dropped shows.
func overrunError(r *catalog.Relation) error {
	return pgerror.New(pgerror.ConfigurationLimitExceeded, "%q has failed for good: %s", r.Name, r.Overrun).
		WithHint("What it has not read is gone. DROP it and create it again.")
}

// Overrun is the error of a reader that has failed for good.
func (m *Manager) Overrun(r *catalog.Relation) error { return overrunError(r) }

// positions are how far r has durably read the logs it reads (0: the native one). Of a sink
// that does not run it is where it stopped, or as far back as its log goes. REQUIRES: m.mu
// is held.
func (m *Manager) positions(snap *catalog.Snapshot, r *catalog.Relation) map[uint32]uint64 {
	out := map[uint32]uint64{}
	if r.SinkOf != 0 {
		in := snap.ByID(r.SinkOf)
		if in == nil {
			return out
		}
		id := in.ID
		if in.Native() {
			id = 0
		} else if m.jobs[id] == nil {
			return out
		}
		at, known := m.stopped[r.ID]
		if s := m.sinks[r.ID]; s != nil && !s.barred {
			at, known = s.position.Load(), true
		}
		if !known {
			at = m.oldest(id)
		}
		out[id] = at
		return out
	}
	j := m.jobs[r.ID]
	if j == nil {
		return out
	}
	for id := range j.logs {
		if id == 0 {
			out[0] = j.durableCut.Load()
			continue
		}
		seq, _ := j.durableIn.Load(id)
		out[id], _ = seq.(uint64)
	}
	return out
}

// oldest is the newest entry that is no longer in a log.
func (m *Manager) oldest(id uint32) uint64 {
	if id == 0 {
		return m.nativeFloor
	}
	return max(m.jobs[id].floor, m.jobs[id].log.Truncated())
}

func (m *Manager) logOf(id uint32) *log.Log {
	if id == 0 {
		return m.o.Tables.Log()
	}
	if j := m.jobs[id]; j != nil {
		return j.log
	}
	return nil
}

// backlog is what r has not read. REQUIRES: m.mu is held.
func (m *Manager) backlog(snap *catalog.Snapshot, r *catalog.Relation) Backlog {
	var out Backlog
	if r.Overrun != "" {
		return out
	}
	rels := map[uint32]bool{}
	for _, id := range append([]uint32{r.SinkOf}, r.Inputs...) {
		rels[id] = true
	}
	at := m.positions(snap, r)
	behind := false
	s := m.standing[r.ID]
	if s == nil {
		s = &standing{counted: map[uint32]*log.Counted{}}
		m.standing[r.ID] = s
	}
	for id, seq := range at {
		l := m.logOf(id)
		if l == nil || seq >= l.Last() {
			continue
		}
		if s.counted[id] == nil {
			s.counted[id] = &log.Counted{}
		}
		b, err := l.Backlog(max(seq, m.oldest(id)), rels, s.counted[id])
		if err != nil {
			m.o.Logger.Warn("backlog not known", "reader", r.Name, "error", err.Error())
			continue
		}
		out.Rows, out.Bytes = out.Rows+b.Rows, out.Bytes+b.Bytes
		behind = behind || b.Rows > 0
	}
	if !behind || !samePositions(s.positions, at) {
		s.positions, s.since = at, time.Now()
		return out
	}
	out.Age = time.Since(s.since)
	return out
}

func samePositions(a, b map[uint32]uint64) bool {
	for id, x := range b {
		if a[id] != x {
			return false
		}
	}
	return len(a) == len(b)
}

// Backlogs says what each job and sink has not read of its inputs.
func (m *Manager) Backlogs() map[uint32]Backlog {
	m.mu.Lock()
	defer m.mu.Unlock()
	snap := m.o.Catalog.Snapshot()
	out := map[uint32]Backlog{}
	for _, r := range snap.Relations() {
		if r.Persistent() {
			out[r.ID] = m.backlog(snap, r)
		}
	}
	return out
}

// stands reports a job or sink that does not take in what comes. REQUIRES: m.mu is held.
func (m *Manager) stands(r *catalog.Relation) bool {
	if s := m.sinks[r.ID]; r.SinkOf != 0 && s != nil && s.trouble.Load() != nil {
		return true
	}
	return !m.runs(r)
}

// overruns are the readers that stand still and hold back more than they may, with the
// reason. REQUIRES: m.mu is held.
func (m *Manager) overruns() map[uint32]string {
	limit := m.o.Backlog
	if limit == (BacklogLimits{}) {
		return nil
	}
	snap := m.o.Catalog.Snapshot()
	out := map[uint32]string{}
	for _, r := range snap.Relations() {
		if !r.Persistent() || r.Overrun != "" {
			continue
		}
		b := m.backlog(snap, r)
		if !m.stands(r) || b == (Backlog{}) {
			continue
		}
		switch {
		case limit.Bytes > 0 && b.Bytes > limit.Bytes:
			out[r.ID] = fmt.Sprintf("its backlog of %d kB was over backlog_bytes, %d kB", b.Bytes>>10, limit.Bytes>>10)
		case limit.Rows > 0 && b.Rows > limit.Rows:
			out[r.ID] = fmt.Sprintf("its backlog of %d rows was over backlog_rows, %d", b.Rows, limit.Rows)
		case limit.Age > 0 && b.Age > limit.Age:
			out[r.ID] = fmt.Sprintf("it stood still for %s, over backlog_age, %s", b.Age.Round(time.Second), limit.Age)
		}
	}
	return out
}

// fail makes readers fail for good. REQUIRES: m.mu is not held: the catalog tells m.
func (m *Manager) fail(readers map[uint32]string) {
	for id, reason := range readers {
		for {
			snap := m.o.Catalog.Snapshot()
			r := snap.ByID(id)
			if r == nil || r.Overrun != "" {
				break
			}
			c := *r
			c.Overrun = reason
			_, err := m.o.Catalog.Apply(context.WithoutCancel(m.ctx), snap, catalog.Change{Put: &c})
			if errors.Is(err, catalog.ErrConflict) {
				continue
			}
			if err != nil {
				m.o.Logger.Error("backlog not ended", "reader", r.Name, "error", err.Error())
				break
			}
			m.o.Logger.Error("failed for good: what it had not read is deleted", "reader", r.Name, "reason", reason)
			break
		}
	}
}
