package job

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"velostream/engine/dataflow"
	"velostream/engine/operator"
	"velostream/engine/sql/plan"
	"velostream/storage/column"
	"velostream/storage/log"
	"velostream/storage/state"
)

// Limits of one job.
const (
	// pendingBytes of output that is not persisted make it checkpoint early.
	pendingBytes = 32 << 20
	// idleCheckpoint is how often a job that has nothing to do notes how far
	// the logs have gone.
	idleCheckpoint = 10 * time.Second
	// restartsMax is how often in a row a job starts again by itself when one
	// that it reads went back to its checkpoint.
	restartsMax = 10
	// restartsForget is how long a run lasts that makes earlier ones forgotten.
	restartsForget = time.Minute
)

// coordinator drives one run of a job: from its checkpoint until it is
// stopped or fails. For one goroutine.
//
//	          ┌────────── wait: input, idle source, timer, fence ◄──────────┐
//	          ▼                                                             │
//	cut logs → Inject barrier → collect a Report a task → publish the epoch │
//	                                                        │               │
//	                          fence or checkpoint: commit ◄─┴───────────────┘
type coordinator struct {
	*Job
	ctx    context.Context // ends when the job is to stop
	run    *dataflow.Run
	at     checkpoint // what has been passed; committed when flushed
	spaces []*spaceOf
	logIn  []*logSource
	outs   []*collector // of the root stage, by shard

	batch   state.Batch // the writes of the epoch being flushed
	batchMu sync.Mutex

	connectors map[scanShard]*connectorSource
	scanAt     map[stageInput]int // which scan feeds an input of a stage
	gates      []*gate
	byTask     map[stageInput]*spaceOf
	epochAt    time.Time
	tick       time.Time // when an operator wants an epoch; zero: none does

	first     bool // a new job's first epoch is to come, which emits what needs no input
	begun     bool // where the job begins survives a crash, or need not: nothing waits for its first checkpoint
	unflushed bool // epochs passed since the last flush
	unsynced  bool // flushes since the last durable one
	lastSync  time.Time
	base      Stats       // of earlier runs
	late      atomic.Bool // late rows wait to be copied, see deliverLate
	replay    *replay
	told      bool // beginHistory has nothing left to do
}

// stageInput is an input, or a shard, of a stage.
type stageInput struct{ stage, n int }

// scanShard is a scan's source in one shard.
type scanShard struct{ scan, shard int }

// spaceOf is the state of one task.
type spaceOf struct {
	space  *state.Space
	sealed *state.Sealed
}

// collector takes what the root of one shard emits in an epoch.
type collector struct {
	batches []*column.Batch
	rows    int
}

// Emit implements dataflow.Output.
func (c *collector) Emit(b *column.Batch) error {
	if n := b.Rows(); n > 0 {
		c.batches = append(c.batches, b.Clone())
		c.rows += n
	}
	return nil
}

func (c *collector) take() []*column.Batch {
	out := c.batches
	c.batches, c.rows = nil, 0
	return out
}

// main runs the job until ctx ends or it fails.
func (j *Job) main(ctx context.Context) {
	for restarts := 0; ; restarts++ {
		began := time.Now()
		err := j.runOnce(ctx)
		if time.Since(began) > restartsForget {
			restarts = 0
		}
		if errors.Is(err, log.ErrRolledBack) && j.transient == nil && restarts < restartsMax && ctx.Err() == nil {
			j.m.o.Logger.InfoContext(ctx, "job restarts from its checkpoint", "job", j.relation().Name, "reason", err.Error())
			j.log.Rollback()
			continue
		}
		if j.transient == nil {
			j.log.Rollback() // nothing, after a last checkpoint
		}
		switch {
		case ctx.Err() != nil:
			j.setState(Stopped, nil)
		default:
			j.m.o.Logger.ErrorContext(ctx, "job failed", "job", j.relation().Name, "error", err.Error())
			j.setState(Failed, err)
		}
		j.refuseFences()
		return
	}
}

func (j *Job) runOnce(ctx context.Context) (err error) {
	c := &coordinator{Job: j, ctx: ctx, lastSync: time.Now(), epochAt: time.Now(), byTask: map[stageInput]*spaceOf{}, connectors: map[scanShard]*connectorSource{}}
	j.setState(Starting, nil)
	if err := c.start(ctx); err != nil {
		return err
	}
	if c.opened != nil {
		close(c.opened)
	}
	defer func() {
		// Tasks may be ended by the same context: their state is then only as
		// good as the last epoch, which is committed already.
		c.run.Stop()
	}()
	for {
		if err := c.step(ctx); err != nil {
			return err
		}
	}
}

// start opens the sources at the checkpoint, or, for a new job, at the present
// content of its inputs, and starts the tasks.
func (c *coordinator) start(ctx context.Context) error {
	var at *checkpoint
	var err error
	if c.transient == nil {
		if at, err = loadCheckpoint(c.m.store, c.id); err != nil {
			return err
		}
	}
	if at != nil && at.Backfilling {
		if err := c.m.wipe(c.id); err != nil {
			return err
		}
		at = nil
	}
	fresh := at == nil
	c.first = fresh
	c.begun = !fresh || c.transient != nil
	if fresh {
		// Epochs go on counting where an earlier try was: readers know them.
		at = &checkpoint{Epoch: c.log.Last(), Shards: c.shards, Cuts: map[uint32]uint64{}, Positions: map[int]map[int][]byte{}}
	}
	c.at = *at
	c.base = Stats{RowsIn: at.RowsIn, RowsOut: at.RowsOut, LateRows: at.LateRows, NullTimes: at.NullTimes, DeadLetters: at.DeadLetters}
	c.mu.Lock()
	c.stats.RowsOut, c.stats.DeadLetters = at.RowsOut, at.DeadLetters
	c.mu.Unlock()
	var content *content
	if fresh {
		c.setState(Backfilling, nil)
		// What is appended from here on must be kept for the sources, although
		// they are opened only once the content is fixed.
		defer c.hold()()
		if content, err = c.inputContent(ctx); err != nil {
			return err
		}
		defer content.release()
		c.startReplay(content)
	}
	c.gates = gatesOf(c.plan)
	g := graphSpec{
		plan: c.plan, shards: c.shards,
		source: c.sourceOpener(ctx, content), timed: c.timed,
		context: c.operatorContext, root: c.root, after: c.afterBarrier,
	}
	stages, scanAt := g.stages()
	c.scanAt = scanAt
	c.outs = make([]*collector, c.shards)
	if ticks(c.plan) {
		c.tick = time.Now() // time has passed since the checkpoint
	}
	if c.run, err = dataflow.Start(context.WithoutCancel(ctx), stages); err != nil {
		return err
	}
	c.openGates()
	c.unsynced = c.late.Load() && !fresh // a checkpoint is what has them copied
	if c.begun && !c.backfilling() {
		c.setState(Running, nil)
	}
	return nil
}

// hold makes the logs keep, of the relations that the job reads, what is
// appended, until release is called.
func (c *coordinator) hold() (release func()) {
	rels := map[uint32][]uint32{} // by log
	for _, scan := range scansOf(c.plan) {
		id := scan.Relation
		if c.logs[id] == nil {
			id = 0
		}
		rels[id] = append(rels[id], scan.Relation)
	}
	var readers []*log.Reader
	for id, l := range c.logs {
		readers = append(readers, l.NewReader(l.Last(), rels[id], nil))
	}
	return func() {
		for _, r := range readers {
			r.Close()
		}
	}
}

func (c *coordinator) backfilling() bool {
	for _, s := range c.logIn {
		if s.backfilling() {
			return true
		}
	}
	return closed(c.gates)
}

// step waits for a reason to close an epoch and closes it.
func (c *coordinator) step(ctx context.Context) error {
	if ctx.Err() != nil {
		return c.shutdown() // also when there is always something to do
	}
	flush, sync, why := c.due()
	if why == nil {
		timer := time.NewTimer(c.nextDeadline())
		defer timer.Stop()
		select {
		case <-ctx.Done():
			return c.shutdown()
		case <-c.run.Done():
			return c.run.Err()
		case <-c.wake:
		case <-c.run.Idle():
		case <-timer.C:
		}
		return nil
	}
	return why(flush, sync)
}

// due says what is to be done now: nil, nothing.
func (c *coordinator) due() (flush, sync bool, do func(flush, sync bool) error) {
	if c.waitsForReader() {
		return false, false, nil
	}
	if f := c.nextFence(); f != nil && !c.backfilling() {
		return true, false, func(bool, bool) error { return c.passFence(f) }
	}
	now := time.Now()
	dirty, busy := c.run.Activity()
	ahead := c.logsAhead()
	checkpointDue := c.transient == nil && (now.Sub(c.lastSync) >= c.m.o.CheckpointInterval || c.log.PendingBytes() > pendingBytes)
	// A job that began anew after a crash would take what came since CREATE for content
	// that was there before: late rows would not be late.
	checkpointDue = checkpointDue || !c.begun && !c.backfilling()
	switch {
	case c.first, c.backfilling(), ahead, c.replaying(), c.tickDue(now), dirty && (!busy || now.Sub(c.epochAt) >= c.m.o.EpochInterval):
		return checkpointDue || c.wantsFlush(), checkpointDue, c.advance
	case c.logsMoved() && c.transient == nil && now.Sub(c.lastSync) >= idleCheckpoint:
		return true, true, c.advance
	case c.transient != nil && c.transient.Progress > 0 && now.Sub(c.epochAt) >= c.transient.Progress:
		return false, false, c.advance
	case c.wantsFlush():
		return true, false, c.advance
	case checkpointDue && (c.unflushed || c.unsynced):
		return true, true, c.advance
	}
	return false, false, nil
}

// advance closes an epoch at the present end of the logs, unless a fence has
// come meanwhile: the jobs read may be beyond it already, this one must not be.
func (c *coordinator) advance(flush, sync bool) error {
	cut := c.cut()
	if c.replaying() {
		var err error
		if cut, err = c.replayed(); err != nil {
			return err
		}
	}
	if c.nextFence() != nil && !c.backfilling() {
		return nil
	}
	return c.epoch(cut, flush, sync)
}

// nextDeadline is how long nothing needs to be done if nothing happens.
func (c *coordinator) nextDeadline() time.Duration {
	d := idleCheckpoint
	if c.replaying() {
		d = replayPause
	}
	if dirty, busy := c.run.Activity(); dirty || busy {
		d = min(d, c.m.o.EpochInterval-time.Since(c.epochAt))
	} else if c.hasConnectors() {
		// Watermarks move with idle time-outs even when no rows come.
		d = min(d, watermarkTick)
	}
	if c.transient == nil && (c.unflushed || c.unsynced) {
		d = min(d, c.m.o.CheckpointInterval-time.Since(c.lastSync))
	}
	if c.transient != nil && c.transient.Progress > 0 {
		d = min(d, c.transient.Progress-time.Since(c.epochAt))
	}
	if !c.tick.IsZero() {
		d = min(d, time.Until(c.tick))
	}
	return max(d, time.Millisecond)
}

func (c *coordinator) tickDue(now time.Time) bool { return !c.tick.IsZero() && !now.Before(c.tick) }

// ticks reports that operators of p depend on the clock.
func ticks(p *plan.Physical) bool {
	return p.Op == plan.OpClock || p.Op == plan.OpEvery || p.Timeout > 0 || slices.ContainsFunc(p.Inputs, ticks)
}

// logsAhead reports that a log has changes of the job's inputs that were not
// read.
func (c *coordinator) logsAhead() bool {
	for _, s := range c.logIn {
		if s.reader.Ahead() {
			return true
		}
	}
	return false
}

// logsMoved reports that a log went on, whether or not it concerns the job:
// now and then the job says so, or the log could never be truncated.
func (c *coordinator) logsMoved() bool {
	for id, l := range c.logs {
		if l.Last() > c.at.Cuts[id] {
			return true
		}
	}
	return false
}

// cut is the present end of all logs.
func (c *coordinator) cut() dataflow.Cut {
	cut := dataflow.Cut{}
	for id, l := range c.logs {
		cut[id] = max(l.Last(), c.at.Cuts[id])
	}
	return cut
}

// passFence runs an epoch that ends exactly at the fence, and takes the
// snapshot.
func (c *coordinator) passFence(f *fence) error {
	cut := dataflow.Cut{}
	for id := range c.logs {
		if id == 0 {
			cut[0] = max(f.native, c.at.Cuts[0])
			continue
		}
		p := f.jobs[id]
		if p == nil {
			cut[id] = c.at.Cuts[id]
			continue
		}
		select {
		case <-p.done:
		case <-c.run.Done():
			return c.run.Err()
		}
		if p.err != nil {
			f.refuse(c.id, p.err)
			c.popFence()
			return nil //nolint:nilerr // the reader is told; this job goes on
		}
		cut[id] = max(p.seq, c.at.Cuts[id])
	}
	dirty, _ := c.run.Activity()
	if c.first || dirty || c.unflushed || c.tickDue(time.Now()) || !maps.Equal(cut, dataflow.Cut(c.at.Cuts)) {
		if err := c.epoch(cut, true, false); err != nil {
			return err
		}
	}
	f.pass(c.id, c.at.Epoch, c.m.store.Snapshot())
	c.popFence()
	return nil
}

// epoch closes one epoch at cut.
func (c *coordinator) epoch(cut dataflow.Cut, flush, sync bool) error {
	if flush {
		if err := c.inputsPersisted(cut); err != nil {
			return err
		}
		c.batch = c.m.store.NewBatch()
	}
	c.openGates()
	hide := c.transient != nil && c.transient.HideContent && (c.first || c.backfilling())
	e := state.Epoch{ID: c.at.Epoch + 1, Flush: flush}
	c.run.Inject(e, cut)
	reports := make([]dataflow.Report, 0, c.run.Tasks())
	for len(reports) < c.run.Tasks() {
		select {
		case r := <-c.run.Reports():
			reports = append(reports, r)
		case <-c.run.Done():
			return c.run.Err()
		}
	}
	c.at.Epoch, c.at.Cuts, c.at.Backfilling = e.ID, cut, c.backfilling()
	c.epochAt, c.unflushed, c.first = time.Now(), true, false
	changes, rows := c.output(reports)
	if hide {
		changes = nil
	}
	c.note(reports, rows)
	c.log.Append(log.Entry{Seq: e.ID, Time: c.epochTime(), Changes: changes})
	if sub := c.relation().Subscription; sub != nil && sub.Notify != "" && len(changes) > 0 && !c.at.Backfilling && c.m.o.Notify != nil {
		c.m.o.Notify(sub.Notify, c.relation().Name)
	}
	if flush {
		if err := c.commit(sync); err != nil {
			return err
		}
		c.begun = c.begun || sync && !c.at.Backfilling
	}
	if c.begun && !c.at.Backfilling {
		c.mu.Lock()
		c.setReady()
		if c.state == Backfilling || c.state == Starting {
			c.state = Running
		}
		c.mu.Unlock()
	}
	return nil
}

// output collects what the root emitted in this epoch: deletes first, because
// a row may leave one shard and enter another.
func (c *coordinator) output(reports []dataflow.Report) ([]log.Change, int) {
	var dels, ins []log.Change
	rows := 0
	keep := c.relation().AppendOnly || c.persistLog.Load() || c.log.Watched()
	for _, r := range reports {
		batches, _ := r.Result.([]*column.Batch)
		for _, b := range batches {
			rows += b.Rows()
			if !keep {
				continue
			}
			if b.Ops == nil {
				ins = append(ins, log.Change{Relation: c.id, Batch: b})
				continue
			}
			for _, op := range []column.Op{column.Delete, column.Insert} {
				part := *b
				if part.Sel = b.Marked(op); len(part.Sel) == 0 {
					continue
				}
				if op == column.Delete {
					dels = append(dels, log.Change{Relation: c.id, Batch: part.Clone()})
				} else {
					p := part.Clone()
					p.Ops = nil
					ins = append(ins, log.Change{Relation: c.id, Batch: p})
				}
			}
		}
	}
	return append(dels, ins...), rows
}

// note adds up what the tasks report.
func (c *coordinator) note(reports []dataflow.Report, rowsOut int) {
	var late, untimed int64
	c.tick = time.Time{}
	mark := int64(dataflow.EndOfTime)
	for _, r := range reports {
		late += r.LateRows
		untimed += r.NullTimes
		if !r.Tick.IsZero() && (c.tick.IsZero() || r.Tick.Before(c.tick)) {
			c.tick = r.Tick
		}
		if r.Stage == 0 { // the root, after all minima
			mark = min(mark, int64(r.Watermark))
		}
		for i, pos := range r.Positions {
			if pos == nil {
				continue
			}
			scan := c.scanAt[stageInput{r.Stage, i}]
			if c.at.Positions[scan] == nil {
				c.at.Positions[scan] = map[int][]byte{}
			}
			c.at.Positions[scan][r.Shard] = pos
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stats.Epoch = c.at.Epoch
	c.stats.RowsIn = c.base.RowsIn + c.run.RowsIn()
	c.stats.RowsOut += int64(rowsOut)
	c.stats.LateRows, c.stats.NullTimes = c.base.LateRows+late, c.base.NullTimes+untimed
	c.stats.Watermark = mark
	c.at.RowsIn, c.at.RowsOut = c.stats.RowsIn, c.stats.RowsOut
	c.at.LateRows, c.at.NullTimes, c.at.DeadLetters = c.stats.LateRows, c.stats.NullTimes, c.stats.DeadLetters
}

// commit writes the flushed epoch: state, view, output log and positions, all
// or nothing.
func (c *coordinator) commit(sync bool) error {
	if c.persistLog.Load() {
		c.log.Stage(c.batch)
	} else {
		c.log.Skip()
	}
	if err := c.at.stage(c.batch, c.id); err != nil {
		return err
	}
	if err := c.beginHistory(); err != nil {
		return err
	}
	if err := c.m.store.Commit(c.batch, sync); err != nil {
		return fmt.Errorf("checkpoint: %w", err)
	}
	c.batch = nil
	for _, s := range c.spaces {
		if s.sealed != nil {
			s.space.Committed(s.sealed)
			s.sealed = nil
		}
	}
	c.log.Persist()
	c.flushed()
	c.unflushed, c.unsynced = false, !sync
	if sync {
		c.lastSync = time.Now()
		c.durable.Store(c.at.Epoch)
		for id, seq := range c.at.Cuts {
			if id == 0 {
				c.durableCut.Store(seq)
			} else {
				c.durableIn.Store(id, seq)
			}
		}
		for at, s := range c.connectors {
			s.acknowledge(c.at.Positions[at.scan][at.shard])
		}
		c.mu.Lock()
		c.stats.Checkpoint = c.lastSync
		c.mu.Unlock()
		c.m.advanced()
		return c.deliverLate()
	}
	return nil
}

// afterBarrier runs in every task once its operators have passed a barrier.
func (c *coordinator) afterBarrier(stage, shard int, last bool, e state.Epoch) (any, error) {
	if e.Flush {
		s := c.spaceFor(stage, shard)
		c.batchMu.Lock()
		s.sealed = s.space.Seal(c.batch)
		c.batchMu.Unlock()
	}
	if !last {
		return nil, nil
	}
	return c.outs[shard].take(), nil
}

// inputsPersisted makes sure that the jobs this one reads have persisted what
// it is about to checkpoint as read: after a crash they must not be behind. One
// that went back to its checkpoint since this run began may have taken back
// what was read here, and numbers its epochs anew.
func (c *coordinator) inputsPersisted(cut dataflow.Cut) error {
	for id, in := range c.inputs {
		for c.logs[id].Persisted() < cut[id] {
			done := make(chan struct{})
			if !in.requestFlush(done) {
				return log.ErrRolledBack
			}
			select {
			case <-done:
			case <-in.running():
				return log.ErrRolledBack
			case <-c.run.Done():
				return c.run.Err()
			}
		}
	}
	for _, s := range c.logIn {
		if s.reader.RolledBack() {
			return log.ErrRolledBack
		}
	}
	return nil
}

// shutdown makes a last checkpoint.
func (c *coordinator) shutdown() error {
	if c.transient == nil && (c.unflushed || c.unsynced) {
		if err := c.epoch(c.cut(), true, true); err != nil {
			return err
		}
	}
	return errStopped
}

// operatorContext is what the operators of one task are built with.
func (c *coordinator) operatorContext(stage, shard int) operator.BuildContext {
	ctx := operator.BuildContext{
		Shard: shard, Shards: c.shards, Name: c.relation().Name,
		Env: c.m.env(), MemoryBudget: c.m.o.JobMemoryBytes / int64(c.shards), Memory: c.m.o.Memory,
	}
	if c.transient == nil {
		ctx.Table = c.spaceFor(stage, shard).space.Table
		ctx.Late = c.lateRows(stage, shard)
	}
	return ctx
}

// root puts the materialise operator on top of the plan, and collects.
func (c *coordinator) root(stage, shard int, t *dataflow.Tree, r dataflow.Ref) error {
	c.outs[shard] = &collector{}
	if c.keepsRows() {
		op, err := operator.NewMaterialize(c.plan, c.relation().Name, c.spaceFor(stage, shard).space.Table(viewTable))
		if err != nil {
			return err
		}
		r = t.Add(op, r)
	}
	t.Finish(r, c.outs[shard])
	return nil
}

// keepsRows reports that the job's relation is a table of rows; the rows of a
// stream are only in its log.
func (j *Job) keepsRows() bool { return !j.relation().AppendOnly || j.relation().Kind != "stream" }

func (c *coordinator) timed(scan *plan.Physical) bool { return c.m.timed(scan.Relation) }

// timedScans is how many scans of the plan carry a watermark.
func (c *coordinator) timedScans() (n int) {
	for _, scan := range scansOf(c.plan) {
		if c.timed(scan) {
			n++
		}
	}
	return n
}

// spaceFor returns the state of one task, made when its operators are built;
// afterwards the map is only read.
func (c *coordinator) spaceFor(stage, shard int) *spaceOf {
	key := stageInput{stage, shard}
	s := c.byTask[key]
	if s == nil {
		s = &spaceOf{space: state.NewSpace(c.m.store, c.id, uint16(shard))}
		c.byTask[key] = s
		c.spaces = append(c.spaces, s)
	}
	return s
}
