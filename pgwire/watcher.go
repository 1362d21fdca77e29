package pgwire

import (
	"sync/atomic"
	"time"
)

// watchPeriod is how often sessions at work are looked at. One that is at work
// for longer gets a watcher, within twice the time.
const watchPeriod = 10 * time.Millisecond

// watch looks after the sessions of a listener that are at work: who watches
// for the client going away meanwhile, and for its next messages, is a
// goroutine that is only started for statements that take long. Looking sleeps
// while no session works.
type watch struct {
	srv    *Server
	asleep atomic.Bool
	wake   chan struct{} // capacity 1
}

func newWatch(s *Server) *watch { return &watch{srv: s, wake: make(chan struct{}, 1)} }

// stir tells that a session is at work.
func (w *watch) stir() {
	if w.asleep.Load() {
		signal(w.wake)
	}
}

// run is the goroutine that looks, until stop closes.
func (w *watch) run(stop <-chan struct{}) {
	t := time.NewTimer(watchPeriod)
	defer t.Stop()
	for {
		if !w.look() {
			w.asleep.Store(true)
			if !w.look() { // one that began before asleep was set is seen here
				select {
				case <-w.wake:
				case <-stop:
					return
				}
			}
			w.asleep.Store(false)
		}
		t.Reset(watchPeriod)
		select {
		case <-t.C:
		case <-stop:
			return
		}
	}
}

// look starts a watcher for each session that is at work on what it was at
// work on the last time. It reports whether any is at work.
func (w *watch) look() bool {
	atWork := false
	w.srv.mu.Lock()
	defer w.srv.mu.Unlock()
	for c := range w.srv.conns {
		if c.watch == w && c.started.Load() && c.lookAfter(false) {
			atWork = true
		}
	}
	return atWork
}

// looksMax is with which look a message takes long.
const looksMax = 2

// lookAfter is called again and again while sessions are at work; it reports
// whether there will be something to do for this one. When it is still at work
// on the same message the second time, or now, a watcher is started, and the
// client is sent what there is.
func (c *conn) lookAfter(now bool) bool {
	in := c.in
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.turn == sessionReads || in.turn == closed || in.waiting || in.looks == looksMax {
		return false
	}
	in.looks++
	if now {
		in.looks = looksMax
	}
	if in.looks < looksMax {
		return true
	}
	if in.turn == nobodyReads && in.err == nil {
		in.turn = watcherReads
		c.reading.Go(c.readAhead)
	}
	c.out.arm() // the timer writes: a client that takes nothing must not stop the looking
	return false
}

// readAhead is the watcher: it reads messages into the queue until the session
// waits for one. It ends with the connection.
func (c *conn) readAhead() {
	for {
		f, err := c.read(nil)
		if err != nil {
			c.in.fail(err)
			return
		}
		if !c.in.put(f, c.ctx.Done()) {
			return
		}
	}
}
