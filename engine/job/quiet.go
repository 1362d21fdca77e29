package job

import (
	"sync"
	"time"

	"velostream/engine/sql/plan"
)

// quietTime bounds how long a view is kept for readers to come: its snapshots
// keep the stores from forgetting what was overwritten since.
const quietTime = time.Second

// quietViews are views that still show everything there is: nothing was
// committed since they were made, no definition was changed (an index that was
// made meanwhile is not in a snapshot from before), and the jobs in them read
// nothing but native relations. Reading one needs no fence.
type quietViews struct {
	m    *Manager
	mu   sync.Mutex
	kept map[string]*quietView
}

type quietView struct {
	view    *View
	version uint64 // of the catalog
	timer   *time.Timer
}

// get returns the view of these jobs with a reference for the caller, nil:
// there is none that is up to date.
func (q *quietViews) get(key string, jobs []*Job) *View {
	q.mu.Lock()
	defer q.mu.Unlock()
	k := q.kept[key]
	if k == nil {
		return nil
	}
	if k.view.Seq != q.m.o.Tables.Log().Last() || k.version != q.m.o.Catalog.Snapshot().Version || !running(jobs) {
		q.drop(key, k)
		return nil
	}
	k.view.retain()
	return k.view
}

// keep takes a view that was made while, or after, the catalog had the version;
// its reference stays the caller's.
func (q *quietViews) keep(key string, jobs []*Job, version uint64, v *View) {
	if !q.m.onlyNative(jobs) {
		return
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.kept == nil {
		q.kept = map[string]*quietView{}
	}
	if old := q.kept[key]; old != nil {
		q.drop(key, old)
	}
	v.retain()
	k := &quietView{view: v, version: version}
	q.kept[key] = k
	k.timer = time.AfterFunc(quietTime, func() {
		q.mu.Lock()
		defer q.mu.Unlock()
		if q.kept[key] == k {
			q.drop(key, k)
		}
	})
}

// drop gives a view up. REQUIRES: q.mu is held.
func (q *quietViews) drop(key string, k *quietView) {
	delete(q.kept, key)
	k.timer.Stop()
	_ = k.view.Close() // snapshots only; nothing can be lost
}

// close gives all up.
func (q *quietViews) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	for key, k := range q.kept {
		q.drop(key, k)
	}
}

// running reports that all jobs are at work.
func running(jobs []*Job) bool {
	for _, j := range jobs {
		j.mu.Lock()
		s := j.state
		j.mu.Unlock()
		if s != Running {
			return false
		}
	}
	return true
}

// onlyNative reports that the jobs read native relations and one another.
func (m *Manager) onlyNative(jobs []*Job) bool {
	snap := m.o.Catalog.Snapshot()
	var native func(p *plan.Physical) bool
	native = func(p *plan.Physical) bool {
		if p.Op == plan.OpScan {
			r := snap.ByID(p.Relation)
			return r != nil && r.Connector == ""
		}
		for _, in := range p.Inputs {
			if !native(in) {
				return false
			}
		}
		return true
	}
	for _, j := range jobs {
		if !native(j.plan) {
			return false
		}
	}
	return true
}
