package job

import (
	"math"
	"time"

	"velostream/catalog"
)

// truncateEvery bounds how often logs are truncated.
const truncateEvery = 5 * time.Second

// truncateIdle is how often logs are looked at when no job makes checkpoints.
const truncateIdle = 15 * time.Second

// truncate deletes the log entries that every reader has durably read, of the
// native log and of each job's output. It returns the readers that hold back too much.
func (m *Manager) truncate() map[uint32]string {
	m.mu.Lock()
	defer m.mu.Unlock()
	if time.Since(m.truncated) < truncateEvery {
		return nil
	}
	m.truncated = time.Now()
	waiting := m.waiting()
	native := uint64(math.MaxUint64)
	if waiting[0] {
		native = 0
	}
	for _, j := range m.jobs {
		if _, reads := j.logs[0]; reads && j.relation().Overrun == "" {
			native = min(native, j.durableCut.Load())
		}
	}
	for _, s := range m.sinks {
		if s.job == nil && s.rel.Overrun == "" {
			native = min(native, s.position.Load())
		}
	}
	if native == math.MaxUint64 {
		native = m.o.Tables.Log().Persisted()
	}
	if native > m.nativeFloor {
		m.nativeFloor = native
		if err := m.o.Tables.Truncate(native); err != nil {
			m.o.Logger.Warn("log not truncated", "error", err.Error())
		}
	}
	b := m.store.NewBatch()
	for _, j := range m.jobs {
		if !j.persistLog.Load() || waiting[j.id] {
			continue
		}
		if floor := m.outputFloor(j); floor > j.floor {
			j.log.Truncate(b, floor+1)
			j.floor = floor
			if j.relation().Subscription != nil {
				putFeedFloor(b, j.id, floor)
			}
		}
	}
	if b.Len() > 0 {
		if err := m.store.Commit(b, false); err != nil {
			m.o.Logger.Warn("log not truncated", "error", err.Error())
		}
	}
	m.warnOfBacklog()
	return m.overruns()
}

const (
	// backlogWarn is how many commits, or epochs of a job, a reader that does not run may
	// be behind before that is warned of.
	backlogWarn = 10_000
	// backlogAgain is how long until it is warned of once more.
	backlogAgain = time.Minute
)

// warnOfBacklog says which readers that do not run make logs grow: nothing that they have
// not read is deleted. REQUIRES: m.mu is held.
func (m *Manager) warnOfBacklog() {
	if time.Since(m.warned) < backlogAgain {
		return
	}
	snap := m.o.Catalog.Snapshot()
	for _, r := range snap.Relations() {
		if !r.Persistent() || r.Overrun != "" || m.runs(r) {
			continue
		}
		for _, id := range append([]uint32{r.SinkOf}, r.Inputs...) {
			in := snap.ByID(id)
			if in == nil {
				continue
			}
			behind := uint64(0)
			if last := m.o.Tables.Log().Last(); in.Native() && last > m.nativeFloor {
				behind = last - m.nativeFloor
			} else if j := m.jobs[in.ID]; j != nil && j.log.Last() > j.floor {
				behind = j.log.Last() - j.floor
			}
			if behind < backlogWarn {
				continue
			}
			m.warned = time.Now()
			m.o.Logger.Warn("a log grows because a reader does not run", "reader", r.Name, "log_of", in.Name, "entries", behind,
				"hint", "RESUME JOB "+r.Name+", or drop it: until then nothing that it has not read is deleted")
		}
	}
}

// runs reports that the job or sink of r takes in what its inputs bring. REQUIRES: m.mu is
// held.
func (m *Manager) runs(r *catalog.Relation) bool {
	if r.SinkOf != 0 {
		s := m.sinks[r.ID]
		return s != nil && s.err.Load() == nil
	}
	j := m.jobs[r.ID]
	if j == nil {
		return false
	}
	state := j.Info().State
	return state != Failed && state != Paused
}

// waiting are the logs (0: of native commits) that have a reader in the catalog
// which does not run, a paused sink or a job that could not be started: how far
// it came is not known, so nothing of them may go. REQUIRES: m.mu is held.
func (m *Manager) waiting() map[uint32]bool {
	out := map[uint32]bool{}
	snap := m.o.Catalog.Snapshot()
	note := func(id uint32) {
		if in := snap.ByID(id); in != nil && in.Native() {
			id = 0
		}
		out[id] = true
	}
	for _, r := range snap.Relations() {
		switch {
		case r.Overrun != "":
		case r.SinkOf != 0 && m.sinks[r.ID] == nil:
			note(r.SinkOf)
		case len(r.Plan) > 0 && m.jobs[r.ID] == nil:
			for _, in := range r.Inputs {
				note(in)
			}
		}
	}
	return out
}

// outputFloor is the newest epoch of j's output that nobody needs any more.
func (m *Manager) outputFloor(j *Job) uint64 {
	floor := j.durable.Load()
	for _, d := range m.jobs {
		if d.inputs[j.id] == nil || d.relation().Overrun != "" {
			continue
		}
		seq, _ := d.durableIn.Load(j.id)
		n, _ := seq.(uint64)
		floor = min(floor, n)
	}
	for _, s := range m.sinks {
		if s.job == j {
			floor = min(floor, s.position.Load())
		}
	}
	if sub := j.relation().Subscription; sub != nil {
		before := time.Now().Add(-time.Duration(sub.Retention) * time.Microsecond).UnixMicro()
		old, err := j.log.Expired(j.floor, before)
		if err != nil {
			m.o.Logger.Warn("retention not enforced", "subscription", j.relation().Name, "error", err.Error())
		}
		return min(floor, old)
	}
	if j.relation().Kind == catalog.Stream {
		floor = min(floor, j.expired(m.o.Retention))
	}
	return floor
}

// expired notes the present epoch, and returns the newest one noted longer ago
// than retention: the epochs up to it are too old to keep.
func (j *Job) expired(retention time.Duration) uint64 {
	now := time.Now()
	j.marks = append(j.marks, epochAt{now, j.durable.Load()})
	var floor uint64
	for len(j.marks) > 0 && now.Sub(j.marks[0].at) >= retention {
		floor = j.marks[0].epoch
		j.marks = j.marks[1:]
	}
	return max(floor, j.floor)
}

// epochAt is a time at which an epoch was the newest.
type epochAt struct {
	at    time.Time
	epoch uint64
}
