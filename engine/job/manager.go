package job

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"velostream/catalog"
	"velostream/catalog/types"
	"velostream/engine/connector"
	"velostream/engine/dataflow"
	"velostream/engine/operator"
	"velostream/engine/sql/expr"
	"velostream/pgwire/pgerror"
	"velostream/storage/log"
	"velostream/storage/state"
	"velostream/storage/table"
)

// Options configure a Manager.
type Options struct {
	Catalog    *catalog.Catalog
	State      state.Store // of the jobs
	Tables     *table.DB   // native relations
	Connectors *connector.Registry
	Logger     *slog.Logger
	// Shards of a new job; one that has state keeps the number it has.
	Shards             int
	EpochInterval      time.Duration
	CheckpointInterval time.Duration
	// JobMemoryBytes bounds what each operator of a job keeps in memory, over its shards.
	JobMemoryBytes int64
	// Memory makes these budgets shrink when the process runs short; nil: never.
	Memory *operator.Memory
	// OutputMemoryBytes bounds the persisted output of one job kept in memory.
	OutputMemoryBytes int
	// Retention is how long the rows of derived streams are kept when nobody
	// needs them any more.
	Retention time.Duration
	// Backlog bounds what a reader that stands still may hold back.
	Backlog BacklogLimits
	// Notify tells of an epoch of the subscription name that has changes, on a
	// channel; it must not block. nil: nobody listens.
	Notify func(channel, name string)
	// Sink runs the sink described by rel until ctx ends; see SinkRunner.
	Sink SinkRunner
}

// EnsureDefaults fills what is not set.
func (o *Options) EnsureDefaults() {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Shards <= 0 {
		o.Shards = 1
	}
	if o.EpochInterval <= 0 {
		o.EpochInterval = 20 * time.Millisecond
	}
	if o.CheckpointInterval <= 0 {
		o.CheckpointInterval = time.Second
	}
	if o.JobMemoryBytes <= 0 {
		o.JobMemoryBytes = 512 << 20
	}
	if o.OutputMemoryBytes <= 0 {
		o.OutputMemoryBytes = 8 << 20
	}
	if o.Retention <= 0 {
		o.Retention = 10 * time.Minute
	}
}

// Manager owns all jobs: it starts what the catalog wants to run, stops and
// deletes what it no longer has. Safe for concurrent use.
type Manager struct {
	o     Options
	store state.Store

	ctx    context.Context
	cancel context.CancelFunc
	wg     sync.WaitGroup

	mu    sync.Mutex
	jobs  map[uint32]*Job
	sinks map[uint32]*sinkJob
	// native are the relations that the native store was told of, by a version of the
	// catalog that had them; of the reconciling goroutine, but for Define, which only
	// adds under the lock.
	native map[uint32]uint64
	moved  chan struct{} // a checkpoint was made: logs may be truncated
	kick   chan struct{} // reconcile now
	seen   uint64        // catalog version that was reconciled
	seenC  *sync.Cond
	fresh  fenceGroup
	feeds  sync.Mutex // acknowledging

	truncated   time.Time
	warned      time.Time // of a backlog
	nativeFloor uint64
	standing    map[uint32]*standing // by reader
	stopped     map[uint32]uint64    // where a paused sink was
}

// NewManager makes a manager; Start starts the jobs.
func NewManager(o Options) *Manager {
	o.EnsureDefaults()
	m := &Manager{
		o: o, store: o.State, jobs: map[uint32]*Job{}, sinks: map[uint32]*sinkJob{}, native: map[uint32]uint64{},
		standing: map[uint32]*standing{}, stopped: map[uint32]uint64{},
		moved: make(chan struct{}, 1), kick: make(chan struct{}, 1),
	}
	m.seenC = sync.NewCond(&m.mu)
	m.fresh.m, m.fresh.quiet.m = m, m
	m.ctx, m.cancel = context.WithCancel(context.Background())
	return m
}

// Start makes what runs agree with the catalog, now and after each change.
func (m *Manager) Start() error {
	if err := m.sweep(); err != nil {
		return err
	}
	if err := m.dropUnfinished(); err != nil {
		return err
	}
	snap := m.o.Catalog.Snapshot()
	rows, entries := snap.Stored()
	if err := m.o.Tables.Sweep(rows, entries, func(id uint32) bool { return snap.ByID(id) != nil }); err != nil {
		return err
	}
	m.o.Catalog.Publish(m.Define)
	changed, stop := m.o.Catalog.Watch()
	m.reconcile()
	m.wg.Go(func() {
		defer stop()
		idle := time.NewTicker(truncateIdle) // where no job makes checkpoints
		defer idle.Stop()
		for {
			select {
			case <-changed:
				m.reconcile()
			case <-idle.C:
				m.fail(m.truncate())
			case <-m.kick:
				m.reconcile()
			case <-m.moved:
				m.fail(m.truncate())
			case <-m.ctx.Done():
				return
			}
		}
	})
	return nil
}

// Stop checkpoints and ends all jobs, those that read others first.
func (m *Manager) Stop() {
	m.cancel()
	m.wg.Wait()
	m.mu.Lock()
	sinks, jobs := m.sinks, m.order()
	m.mu.Unlock()
	for _, s := range sinks {
		s.stop()
	}
	for _, j := range slices.Backward(jobs) {
		j.stop()
	}
	m.fresh.quiet.close()
}

// stop ends the job's coordinator and waits for it; a job that never ran has
// none.
func (j *Job) stop() {
	j.mu.Lock()
	cancel, done := j.cancel, j.done
	j.mu.Unlock()
	if done == nil {
		return
	}
	cancel()
	<-done
}

// order lists the jobs so that each comes after those it reads. Relation IDs
// grow, and a query reads only what existed. REQUIRES: m.mu is held.
func (m *Manager) order() []*Job {
	out := make([]*Job, 0, len(m.jobs))
	for _, j := range m.jobs {
		out = append(out, j)
	}
	slices.SortFunc(out, func(a, b *Job) int { return int(a.id) - int(b.id) })
	return out
}

// reconcile makes jobs, native relations and sinks agree with the catalog. It
// runs in one goroutine at a time. Jobs are stopped without the lock: one that
// is just starting may need it.
func (m *Manager) reconcile() {
	snap := m.o.Catalog.Snapshot()
	m.mu.Lock()
	m.defineTables(snap)
	sinks, gone, pause := m.unwanted(snap)
	m.mu.Unlock()
	for _, s := range sinks {
		s.stop()
	}
	for _, j := range pause {
		j.stop()
		j.setState(Paused, nil)
	}
	for _, j := range gone {
		j.stop()
		j.log.Fail(pgerror.New(pgerror.UndefinedTable, "relation %q was dropped", j.relation().Name))
		if err := m.wipe(j.id); err != nil {
			m.o.Logger.Error("state of a dropped job could not be deleted", "job", j.relation().Name, "error", err.Error())
		}
	}
	m.dropTables(snap)
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, r := range snap.Relations() {
		if len(r.Plan) == 0 {
			continue
		}
		j := m.jobs[r.ID]
		if j == nil {
			if j = m.newJob(snap, r); j == nil {
				continue
			}
		}
		j.rel.Store(r)
		j.persistLog.Store(m.hasReaders(snap, r))
		switch err := snap.Check(r.Owner, r.Access); {
		case r.Overrun != "":
			j.setState(Failed, overrunError(r))
		case !j.idle() || j.Info().State == Failed:
		case err != nil:
			j.setState(Paused, err)
		case !r.Paused:
			j.start()
		}
	}
	m.reconcileSinks(snap)
	m.seen = snap.Version
	m.seenC.Broadcast()
}

// unwanted takes out of the manager what the catalog no longer has, those that
// read others first, and lists the jobs that are to pause. A job or sink runs with
// the rights of its owner: one whose owner may not read its inputs any more stands
// still until he may. REQUIRES: m.mu is held.
func (m *Manager) unwanted(snap *catalog.Snapshot) (sinks []*sinkJob, gone, pause []*Job) {
	for id, s := range m.sinks {
		r := snap.ByID(id)
		if r == nil || !s.barred && (r.Paused || r.Overrun != "" || snap.Check(r.Owner, r.Access) != nil) {
			sinks = append(sinks, s)
			delete(m.sinks, id)
			m.stopped[id] = s.position.Load()
		}
		if r == nil {
			delete(m.stopped, id)
			delete(m.standing, id)
		}
	}
	for _, j := range slices.Backward(m.order()) {
		r := snap.ByID(j.id)
		switch {
		case r == nil || len(r.Plan) == 0:
			gone = append(gone, j)
			delete(m.jobs, j.id)
			delete(m.standing, j.id)
		case !j.idle() && (r.Paused || r.Overrun != "" || snap.Check(r.Owner, r.Access) != nil):
			pause = append(pause, j)
		}
	}
	return sinks, gone, pause
}

// dropTables deletes the rows of native relations that are gone. Those that the store
// was told of after snap are not: snap is older than they are.
func (m *Manager) dropTables(snap *catalog.Snapshot) {
	m.mu.Lock()
	var gone []uint32
	for id, had := range m.native {
		if had <= snap.Version && snap.ByID(id) == nil {
			gone = append(gone, id)
			delete(m.native, id)
		}
	}
	m.mu.Unlock()
	for _, id := range gone {
		if err := m.o.Tables.Drop(id); err != nil {
			m.o.Logger.Error("rows of a dropped table could not be deleted", "relation", id, "error", err.Error())
		}
	}
}

// sweep deletes what a crash left behind of dropped relations: the catalog
// forgets first.
func (m *Manager) sweep() error {
	snap := m.o.Catalog.Snapshot()
	for from := []byte(nil); ; {
		id, ok, err := firstJob(m.store, from)
		if err != nil || !ok {
			return err
		}
		if snap.ByID(id) == nil {
			if err := m.wipe(id); err != nil {
				return err
			}
		}
		_, from = state.JobRange(id)
	}
}

// firstJob is the job of the first key at or after from.
func firstJob(r state.Reader, from []byte) (id uint32, ok bool, err error) {
	for e, err := range r.Scan(from, nil) {
		if err != nil {
			return 0, false, err
		}
		id, _, _, _, ok := state.SplitKey(e.Key)
		return id, ok, nil
	}
	return 0, false, nil
}

// hasReaders reports that something persistent reads the output of r.
func (m *Manager) hasReaders(snap *catalog.Snapshot, r *catalog.Relation) bool {
	if r.Subscription != nil || r.Kind == catalog.Stream && r.AppendOnly {
		return true // its log is what there is to read
	}
	for _, d := range snap.Dependents(r.ID) {
		if d.Persistent() {
			return true
		}
	}
	return false
}

// Define makes the native store know the relations of snap, before anybody plans
// by it.
func (m *Manager) Define(snap *catalog.Snapshot) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.defineTables(snap)
}

// wipe deletes the state of a job.
func (m *Manager) wipe(id uint32) error {
	b := m.store.NewBatch()
	lo, hi := state.JobRange(id)
	b.DeleteRange(lo, hi)
	return m.store.Commit(b, true)
}

// newJob makes the job of r, not yet running; nil when its plan can't be read.
func (m *Manager) newJob(snap *catalog.Snapshot, r *catalog.Relation) *Job {
	p, err := DecodePlan(r.Plan)
	if err != nil {
		m.o.Logger.Error("job not started", "job", r.Name, "error", err.Error())
		return nil
	}
	at, err := loadCheckpoint(m.store, r.ID)
	if err != nil {
		m.o.Logger.Error("job not started", "job", r.Name, "error", err.Error())
		return nil
	}
	j := &Job{
		id: r.ID, m: m, plan: p, shards: m.o.Shards, wake: make(chan struct{}, 1), state: Paused,
		inputs: map[uint32]*Job{}, logs: map[uint32]*log.Log{}, ready: make(chan struct{}),
	}
	j.rel.Store(r)
	j.stats.Watermark = int64(dataflow.NoWatermark)
	last := uint64(0)
	if at != nil {
		last, j.shards = at.Epoch, at.Shards
		j.durable.Store(at.Epoch)
		for id, seq := range at.Cuts {
			if id == 0 {
				j.durableCut.Store(seq)
			} else {
				j.durableIn.Store(id, seq)
			}
		}
		j.stats = Stats{RowsIn: at.RowsIn, RowsOut: at.RowsOut, LateRows: at.LateRows, NullTimes: at.NullTimes, Epoch: at.Epoch, Watermark: int64(dataflow.NoWatermark)}
	}
	j.log = log.New(log.Options{
		Store: m.store, Prefix: state.Prefix(r.ID, logTable, 0), Last: last,
		Types:       func(uint32) []types.Type { return r.Types() },
		MemoryBytes: m.o.OutputMemoryBytes, Times: r.Subscription != nil, Truncated: feedFloor(m.store, r),
	})
	j.floor = feedFloor(m.store, r)
	if err := m.connect(snap, j); err != nil {
		m.o.Logger.Error("job not started", "job", r.Name, "error", err.Error())
		return nil
	}
	m.jobs[r.ID] = j
	return j
}

// idle reports that the job's coordinator does not run.
func (j *Job) idle() bool {
	done := j.running()
	return done == nil || isClosed(done)
}

// start starts the coordinator. REQUIRES: it does not run.
func (j *Job) start() {
	ctx, cancel := context.WithCancel(context.WithoutCancel(j.m.ctx))
	done := make(chan struct{})
	j.mu.Lock()
	j.cancel, j.done = cancel, done
	j.state, j.err = Starting, nil
	if j.isReady {
		j.ready, j.isReady = make(chan struct{}), false
	}
	j.mu.Unlock()
	go func() {
		defer close(done)
		j.main(ctx)
	}()
}

// Resume starts a failed job again, from its checkpoint.
func (m *Manager) Resume(id uint32) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	j := m.jobs[id]
	if j == nil {
		return pgerror.New(pgerror.UndefinedObject, "there is no such job")
	}
	if r := j.relation(); r.Overrun != "" {
		return overrunError(r)
	} else if j.idle() {
		if err := m.o.Catalog.Snapshot().Check(r.Owner, r.Access); err != nil {
			return err
		}
		j.start()
	}
	return nil
}

func isClosed(ch <-chan struct{}) bool {
	select {
	case <-ch:
		return true
	default:
		return false
	}
}

// WaitSeen waits until the jobs agree with version of the catalog, or a later one:
// those that may not run any more stand still.
func (m *Manager) WaitSeen(ctx context.Context, version uint64) error {
	stop := context.AfterFunc(ctx, func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.seenC.Broadcast()
	})
	defer stop()
	m.mu.Lock()
	defer m.mu.Unlock()
	for m.seen < version && m.ctx.Err() == nil {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		m.seenC.Wait()
	}
	return nil
}

// WaitReady waits until the job of relation id has taken in what its inputs
// held when it was created. The error is why it failed.
func (m *Manager) WaitReady(ctx context.Context, id uint32, version uint64) error {
	m.mu.Lock()
	for m.seen < version && m.ctx.Err() == nil {
		m.seenC.Wait()
	}
	j := m.jobs[id]
	m.mu.Unlock()
	if j == nil {
		return pgerror.New(pgerror.InternalError, "the job could not be started").WithHint("The server's log says why.")
	}
	j.mu.Lock()
	ready := j.ready
	j.mu.Unlock()
	select {
	case <-ready:
		return j.Info().Err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Job returns the job of relation id, nil: none.
func (m *Manager) Job(id uint32) *Job {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.jobs[id]
}

// Frontier is how far a job has come.
type Frontier struct {
	Epoch, Durable uint64 // the newest, and the newest that survives a crash
	Time           int64  // of the newest epoch, µs since the Unix epoch; 0: none since the start
	Watermark      int64  // as of Stats
}

// Frontier says how far the job of relation id has come.
func (m *Manager) Frontier(id uint32) (Frontier, error) {
	j := m.Job(id)
	if j == nil {
		return Frontier{}, pgerror.New(pgerror.ObjectNotInPrerequisiteState, "the job of relation %d does not run", id)
	}
	return Frontier{Epoch: j.log.Last(), Durable: j.durable.Load(), Time: j.log.LastTime(), Watermark: j.Info().Stats.Watermark}, nil
}

// Jobs describes all jobs, by relation ID.
func (m *Manager) Jobs() []Info {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []Info
	snap := m.o.Catalog.Snapshot()
	for _, j := range m.order() {
		i := j.Info()
		i.Backlog = m.backlog(snap, i.Relation)
		out = append(out, i)
	}
	return out
}

// advanced says that a job has checkpointed.
func (m *Manager) advanced() {
	select {
	case m.moved <- struct{}{}:
	default:
	}
}

func (m *Manager) env() *expr.Env {
	return &expr.Env{Now: nowMicros(), StmtTime: nowMicros(), Format: &types.Format{ExtraFloatDigits: 1, Types: m.types()}}
}

// types are the user-made types as they are when a value is read.
func (m *Manager) types() types.Definitions {
	return catalog.Definitions{Current: m.o.Catalog.Snapshot}
}
