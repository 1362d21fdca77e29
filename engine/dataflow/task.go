package dataflow

import (
	"slices"
	"sync/atomic"

	"velostream/storage/column"
	"velostream/storage/state"
)

// What a task with sources is doing, for closing epochs early.
const (
	clean   = iota // no rows since the last barrier
	dry            // rows came, nothing more is at hand
	working        // rows are coming
)

type injection struct {
	epoch state.Epoch
	cut   Cut
}

// message is what goes through a channel between tasks: a batch, a watermark
// or a barrier.
type message struct {
	batch   *column.Batch
	mark    Watermark
	idle    bool
	epoch   state.Epoch
	barrier bool
}

// channel carries the messages of one upstream task to one input of this one.
type channel struct {
	in      chan message
	input   int
	mark    Watermark
	idle    bool
	blocked bool // its barrier came, others' have not
}

// task is one shard of one stage.
type task struct {
	run   *Run
	index int // of the stage
	shard int
	stage *Stage

	tree       *Tree
	sources    []Source // by input, nil: none
	hasSources bool
	channels   []*channel
	out        *exchange // nil: the stage's Out
	wake       chan struct{}
	inject     chan injection
	injected   *injection
	arrived    int // barriers that came from channels
	held       []heldBatch
	sent       Watermark
	sentIdle   bool
	activity   atomic.Int32
}

func newTask(r *Run, index, shard int, s *Stage) *task {
	t := &task{
		run: r, index: index, shard: shard, stage: s, sent: NoWatermark,
		wake: make(chan struct{}, 1), inject: make(chan injection, 1), sources: make([]Source, len(s.Inputs)),
	}
	for _, in := range s.Inputs {
		t.hasSources = t.hasSources || in.Source != nil
	}
	return t
}

// connect lets every task of from send to every task of to.
func connect(from, to []*task, input int) {
	for _, f := range from {
		f.out = &exchange{from: f, partition: f.stage.Partition}
		for _, t := range to {
			c := &channel{in: make(chan message, channelDepth), input: input, mark: NoWatermark}
			t.channels = append(t.channels, c)
			f.out.to = append(f.out.to, receiver{t, c})
		}
	}
}

func (t *task) poke() {
	select {
	case t.wake <- struct{}{}:
	default:
	}
}

func (t *task) open() error {
	out := Output(t.out)
	if t.out == nil {
		out = t.stage.Out(t.shard)
	}
	var err error
	if t.tree, err = t.stage.New(t.shard, out); err != nil {
		return err
	}
	for i, in := range t.stage.Inputs {
		if in.Source != nil {
			if t.sources[i], err = in.Source(t.shard, t.poke); err != nil {
				return err
			}
		}
	}
	return nil
}

func (t *task) close() {
	for _, s := range t.sources {
		if s != nil {
			_ = s.Close()
		}
	}
}

// main is the task's goroutine.
func (t *task) main() {
	defer t.close()
	if err := t.loop(); err != nil {
		t.run.fail(t, err)
	}
}

// presage lets those downstream know, before any task runs, that this one says nothing of
// time. Else whether its word comes before another's first watermark would be left to chance,
// and with it which rows are late.
func (t *task) presage() {
	if t.out == nil || len(t.stage.Inputs) == 0 {
		return
	}
	for i, in := range t.stage.Inputs {
		fed := in.Source == nil && !slices.ContainsFunc(t.channels, func(c *channel) bool { return c.input == i && c.mark < EndOfTime })
		if !in.Timeless && !fed && (in.Source == nil || t.sources[i] != nil) {
			return
		}
	}
	for _, r := range t.out.to {
		r.channel.mark = EndOfTime
	}
}

// loop takes what is at hand from channels, and the coordinator, and sleeps when there is nothing.
func (t *task) loop() error {
	// Inputs that say nothing of time are at its end from the start.
	for i, in := range t.stage.Inputs {
		if in.Timeless || (in.Source != nil && t.sources[i] == nil) {
			if err := t.advance(i, EndOfTime, false); err != nil {
				return err
			}
		}
	}
	for {
		select {
		case <-t.run.ctx.Done():
			return nil
		case j := <-t.inject:
			t.injected = &j
		default:
		}
		progress := false
		for _, step := range []func() (bool, error){t.receive, t.poll, t.align} {
			did, err := step()
			if err != nil {
				return err
			}
			progress = progress || did
		}
		if progress {
			continue
		}
		select {
		case <-t.wake:
		case <-t.run.ctx.Done():
			return nil
		}
	}
}

// receive takes one message from each channel that is not blocked.
func (t *task) receive() (bool, error) {
	progress := false
	for _, c := range t.channels {
		if c.blocked {
			continue
		}
		select {
		case m := <-c.in:
			progress = true
			if err := t.take(c, m); err != nil {
				return true, err
			}
		default:
		}
	}
	return progress, nil
}

func (t *task) take(c *channel, m message) error {
	switch {
	case m.barrier:
		c.blocked = true
		t.arrived++
		if t.injected == nil || !t.hasSources {
			t.injected = &injection{epoch: m.epoch}
		}
		return nil
	case m.batch != nil && t.stage.Inputs[c.input].Retracting:
		t.held = append(t.held, heldBatch{c.input, m.batch})
		return nil
	case m.batch != nil:
		return t.tree.Push(c.input, m.batch)
	}
	c.mark, c.idle = m.mark, m.idle
	least, most, idle := EndOfTime, NoWatermark, true
	for _, o := range t.channels {
		if o.input != c.input {
			continue
		}
		most = max(most, o.mark)
		if !o.idle {
			least, idle = min(least, o.mark), false
		}
	}
	if idle {
		least = most
	}
	return t.advance(c.input, least, idle)
}

// poll takes one batch from each source.
func (t *task) poll() (bool, error) {
	if !t.hasSources {
		return false, nil
	}
	rows, mark, idle := false, t.sent, t.sentIdle
	for i, s := range t.sources {
		if s == nil {
			continue
		}
		b, err := s.Poll()
		if err != nil {
			return false, err
		}
		if b != nil {
			rows = true
			t.activity.Store(working)
			if err := t.push(i, b); err != nil {
				return false, err
			}
		}
		if err := t.observe(i, s); err != nil {
			return false, err
		}
	}
	if t.sent != mark || t.sentIdle != idle {
		// Time alone may close windows, whose rows are to be seen too.
		t.activity.CompareAndSwap(clean, working)
	}
	if !rows && t.activity.CompareAndSwap(working, dry) {
		select {
		case t.run.idle <- struct{}{}:
		default:
		}
	}
	return rows, nil
}

func (t *task) push(input int, b *column.Batch) error {
	t.run.rowsIn.Add(int64(b.Rows()))
	return t.tree.Push(input, b)
}

// observe takes over a source's watermark.
func (t *task) observe(input int, s Source) error {
	w, idle := s.Watermark()
	return t.advance(input, w, idle)
}

func (t *task) advance(input int, w Watermark, idle bool) error {
	if t.stage.Inputs[input].Timeless {
		w, idle = EndOfTime, false
	}
	w, idle, err := t.tree.Advance(input, w, idle)
	if err != nil || (w <= t.sent && idle == t.sentIdle) {
		return err
	}
	t.sent, t.sentIdle = w, idle
	if t.out == nil {
		return nil
	}
	return t.out.send(message{mark: w, idle: idle})
}

// align lets the barrier pass when it has come from everywhere.
func (t *task) align() (bool, error) {
	if t.injected == nil || t.arrived < len(t.channels) {
		return false, nil
	}
	j := *t.injected
	if t.hasSources && j.cut == nil {
		return false, nil // the coordinator's word is still to come
	}
	if err := t.cut(j.cut); err != nil {
		return false, err
	}
	if err := t.release(); err != nil {
		return false, err
	}
	if err := t.tree.Barrier(j.epoch); err != nil {
		return false, err
	}
	rep := Report{Stage: t.index, Shard: t.shard, Epoch: j.epoch, Watermark: t.sent}
	for _, s := range t.sources {
		var pos []byte
		if s != nil {
			pos = s.Position()
		}
		rep.Positions = append(rep.Positions, pos)
	}
	for _, op := range t.tree.nodes {
		if l, ok := op.op.(LateRows); ok {
			rep.LateRows += l.LateRows()
		}
		if l, ok := op.op.(NullTimes); ok {
			rep.NullTimes += l.NullTimes()
		}
		if k, ok := op.op.(Ticker); ok {
			if at := k.NextTick(); !at.IsZero() && (rep.Tick.IsZero() || at.Before(rep.Tick)) {
				rep.Tick = at
			}
		}
	}
	if t.stage.AfterBarrier != nil {
		var err error
		if rep.Result, err = t.stage.AfterBarrier(t.shard, j.epoch); err != nil {
			return false, err
		}
	}
	t.injected, t.arrived = nil, 0
	for _, c := range t.channels {
		c.blocked = false
	}
	t.activity.Store(clean)
	if t.out != nil {
		if err := t.out.send(message{epoch: j.epoch, barrier: true}); err != nil {
			return false, err
		}
	}
	t.run.reports <- rep
	return true, nil
}

// cut takes the rows that log sources still owe the epoch.
func (t *task) cut(c Cut) error {
	for i, s := range t.sources {
		if s == nil {
			continue
		}
		for {
			b, err := s.Cut(c)
			if err != nil {
				return err
			}
			if b == nil {
				break
			}
			if err := t.push(i, b); err != nil {
				return err
			}
			if err := t.observe(i, s); err != nil {
				return err
			}
		}
		if err := t.observe(i, s); err != nil {
			return err
		}
	}
	return nil
}
