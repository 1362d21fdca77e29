package job

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"iter"
	"slices"
	"sync"

	"velostream/catalog"
	"velostream/engine/dataflow"
	"velostream/engine/source"
	"velostream/pgwire/pgerror"
	"velostream/storage/column"
	"velostream/storage/state"
)

// View is a consistent moment of some relations: native rows and the jobs
// that were asked for, all at the same commits. Shared by all readers that
// asked while it was made; the last to Close frees it.
type View struct {
	Tables state.Snapshot // of the native store
	Seq    uint64         // its newest commit
	jobs   map[uint32]jobView

	mu   sync.Mutex
	refs int
}

type jobView struct {
	snap   state.Snapshot
	seq    uint64
	shards int
}

// Rows reads the rows of the job's relation id in order of its key, encoded:
// ranges of keys in which to look, and the snapshot to look in.
func (v *View) Rows(id uint32) (state.Reader, []byte, []byte) {
	lo, hi := state.TableRange(id, viewTable)
	return v.jobs[id].snap, lo, hi
}

// Epoch is the epoch of the job's output that the view shows.
func (v *View) Epoch(id uint32) uint64 { return v.jobs[id].seq }

// Shards is how many shards the rows of the job's relation id are spread over.
func (v *View) Shards(id uint32) int { return v.jobs[id].shards }

// ShardKey is the place of key in the rows of relation id, if they are in shard.
func ShardKey(id uint32, shard int, key []byte) []byte {
	return append(state.Prefix(id, viewTable, uint16(shard)), key...)
}

// LogRange is where the output log of job id is kept.
func LogRange(id uint32) (lo, hi []byte) { return state.ShardRange(id, logTable, 0) }

// Close gives the view up.
func (v *View) Close() error {
	v.mu.Lock()
	v.refs--
	last := v.refs == 0
	v.mu.Unlock()
	if !last {
		return nil
	}
	err := v.Tables.Close()
	for _, j := range v.jobs {
		if e := j.snap.Close(); err == nil {
			err = e
		}
	}
	return err
}

// retain adds a reader. REQUIRES: there is one already.
func (v *View) retain() {
	v.mu.Lock()
	v.refs++
	v.mu.Unlock()
}

// Read returns a view of the native relations and of the jobs of ids, at or
// after everything that was committed when it was called.
func (m *Manager) Read(ctx context.Context, ids []uint32) (*View, error) {
	jobs, err := m.closure(ids)
	if err != nil {
		return nil, err
	}
	if len(jobs) == 0 {
		v := &View{refs: 1}
		m.o.Tables.Cut(func(seq uint64, snap state.Snapshot) { v.Seq, v.Tables = seq, snap })
		return v, nil
	}
	return m.fresh.read(ctx, jobs)
}

// ReadRelaxed returns a view of what the jobs last committed, without waiting.
func (m *Manager) ReadRelaxed(ids []uint32) (*View, error) {
	jobs, err := m.closure(ids)
	if err != nil {
		return nil, err
	}
	v := &View{refs: 1, jobs: map[uint32]jobView{}}
	m.o.Tables.Cut(func(seq uint64, snap state.Snapshot) { v.Seq, v.Tables = seq, snap })
	for _, j := range jobs {
		v.jobs[j.id] = jobView{m.store.Snapshot(), j.log.Persisted(), j.shards}
	}
	return v, nil
}

// closure lists the jobs of ids and all they read.
func (m *Manager) closure(ids []uint32) ([]*Job, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	seen := map[uint32]*Job{}
	var visit func(j *Job)
	visit = func(j *Job) {
		if seen[j.id] == nil {
			seen[j.id] = j
			for _, in := range j.inputs {
				visit(in)
			}
		}
	}
	for _, id := range ids {
		j := m.jobs[id]
		if j == nil {
			return nil, pgerror.New(pgerror.ObjectNotInPrerequisiteState, "the job of relation %d does not run", id).
				WithHint("SHOW JOBS shows what runs.")
		}
		visit(j)
	}
	var out []*Job
	for _, j := range m.order() {
		if seen[j.id] != nil {
			out = append(out, j)
		}
	}
	return out, nil
}

// fenceGroup lets concurrent reads of the same jobs share a fence: while one
// is under way, those that come wait together for the next.
type fenceGroup struct {
	m    *Manager
	mu   sync.Mutex
	busy map[string]*sharedRead
	next map[string]*sharedRead
	// quiet are views to be read again without a fence. Its mutex is locked
	// inside mu, never the other way.
	quiet quietViews
}

type sharedRead struct {
	done chan struct{}
	view *View
	err  error
	refs int
}

func (g *fenceGroup) read(ctx context.Context, jobs []*Job) (*View, error) {
	var ids []byte
	for _, j := range jobs {
		ids = binary.BigEndian.AppendUint32(ids, j.id)
	}
	key := string(ids)
	if v := g.quiet.get(key, jobs); v != nil {
		return v, nil
	}
	g.mu.Lock()
	if g.busy == nil {
		g.busy, g.next = map[string]*sharedRead{}, map[string]*sharedRead{}
	}
	cur := g.busy[key]
	if cur == nil {
		r := &sharedRead{done: make(chan struct{}), refs: 1}
		g.busy[key] = r
		g.mu.Unlock()
		g.lead(ctx, key, r, jobs)
		return r.view, r.err
	}
	// A fence under way may be older than what this reader has seen: the next.
	r := g.next[key]
	leader := r == nil
	if leader {
		r = &sharedRead{done: make(chan struct{})}
		g.next[key] = r
	}
	r.refs++
	g.mu.Unlock()
	if leader {
		<-cur.done
		g.mu.Lock()
		g.busy[key] = r
		delete(g.next, key)
		g.mu.Unlock()
		g.lead(ctx, key, r, jobs)
		return r.view, r.err
	}
	<-r.done
	if r.err != nil && ctx.Err() == nil && isCanceled(r.err) {
		return g.read(ctx, jobs) // the leader's client went away, not this one
	}
	return r.view, r.err
}

// lead makes the fence and wakes those that share it.
func (g *fenceGroup) lead(ctx context.Context, key string, r *sharedRead, jobs []*Job) {
	version := g.m.o.Catalog.Snapshot().Version
	view, err := g.m.fence(ctx, jobs)
	g.mu.Lock()
	if g.busy[key] == r {
		delete(g.busy, key)
	}
	if view != nil {
		view.refs = r.refs
		g.quiet.keep(key, jobs, version, view)
	}
	r.view, r.err = view, err
	close(r.done)
	g.mu.Unlock()
}

// fence stops jobs, which include all they read, at one moment.
func (m *Manager) fence(ctx context.Context, jobs []*Job) (*View, error) {
	v := &View{jobs: map[uint32]jobView{}}
	var f *fence
	m.o.Tables.Cut(func(seq uint64, snap state.Snapshot) {
		v.Seq, v.Tables = seq, snap
		f = newFence(seq, jobs)
		// Those that read others first: when a job has passed the fence and goes
		// on, the jobs that read it must know of the fence already.
		for _, j := range slices.Backward(jobs) {
			j.addFence(f)
		}
	})
	if err := f.wait(ctx); err != nil {
		_ = v.Tables.Close()
		return nil, err
	}
	for _, j := range jobs {
		p := f.jobs[j.id]
		v.jobs[j.id] = jobView{p.snap, p.seq, j.shards}
	}
	return v, nil
}

// isCanceled reports that a wait ended because the one who waited was gone.
func isCanceled(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) || pgerror.Code(err) == pgerror.QueryCanceled
}

// KeepsRows reports that the rows of the job's relation are kept by key; those
// of a derived stream are only in its log.
func (m *Manager) KeepsRows(id uint32) bool {
	j := m.Job(id)
	return j != nil && j.keepsRows()
}

// ScanLog yields what a derived stream's log has, up to the view's epoch.
func (m *Manager) ScanLog(v *View, rel *catalog.Relation, wanted []int) iter.Seq2[*column.Batch, error] {
	return func(yield func(*column.Batch, error) bool) {
		j := m.Job(rel.ID)
		if j == nil {
			return
		}
		s := &logSource{id: rel.ID, rel: rel.ID, types: rel.Types(), columns: wanted, eventTime: -1}
		s.reader = j.log.NewReader(0, []uint32{rel.ID}, nil)
		defer s.reader.Close()
		for {
			b, err := s.Cut(dataflow.Cut{rel.ID: v.Epoch(rel.ID)})
			if b == nil && err == nil {
				return
			}
			if !yield(b, err) || err != nil {
				return
			}
		}
	}
}

// ScanConnector yields the records that a connector's relation has now.
func (m *Manager) ScanConnector(ctx context.Context, rel *catalog.Relation, wanted []int) iter.Seq2[*column.Batch, error] {
	return func(yield func(*column.Batch, error) bool) {
		in, view, err := m.input(rel, wanted, inputOptions{shards: 1, bounded: true, deadLetter: func(source.DeadLetter) error { return nil }})
		if err == nil {
			err = in.Open(ctx, nil)
		}
		if err != nil {
			yield(nil, err)
			return
		}
		defer func() { _ = in.Close() }()
		for {
			c, err := in.Next(ctx)
			if errors.Is(err, io.EOF) {
				return
			}
			if err != nil {
				yield(nil, err)
				return
			}
			if c.Batch == nil || c.Batch.N == 0 {
				continue
			}
			b, err := view.of(c.Batch)
			if err != nil {
				yield(nil, err)
				return
			}
			if !yield(b, nil) {
				return
			}
		}
	}
}

// Measure says how many rows the job's relation id has and what they take, in
// bytes, as far as they are written out; of large ones it is an estimate.
func (m *Manager) Measure(id uint32) (rows, bytes int64, err error) {
	lo, hi := state.TableRange(id, viewTable)
	return state.Measure(m.store, lo, hi)
}
