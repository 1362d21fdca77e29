package state

import (
	"sync"

	"velostream/pgwire/pgerror"
)

// gate counts the calls inside a store, so that Close can turn away new ones
// and wait for the rest. A lock would not do: a reader inside its Scan may call
// Get, which a waiting Close must not block.
type gate struct {
	mu     sync.Mutex
	idle   *sync.Cond
	inside int
	closed bool
	done   chan struct{}
}

func (g *gate) init() {
	g.idle = sync.NewCond(&g.mu)
	g.done = make(chan struct{})
}

// enter counts a call in; each one that succeeds needs a leave.
func (g *gate) enter() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return errClosed()
	}
	g.inside++
	return nil
}

func (g *gate) leave() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.inside--
	if g.inside == 0 && g.closed {
		g.idle.Broadcast()
	}
}

// closing reports that close was called.
func (g *gate) closing() bool {
	select {
	case <-g.done:
		return true
	default:
		return false
	}
}

// close turns away new calls, waits for those inside, and reports whether it
// was the first close.
func (g *gate) close() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	first := !g.closed
	if first {
		g.closed = true
		close(g.done)
	}
	for g.inside > 0 {
		g.idle.Wait()
	}
	return first
}

func errClosed() *pgerror.Error {
	return pgerror.New(pgerror.AdminShutdown, "the state store is closed")
}

func errSnapshotClosed() *pgerror.Error {
	return pgerror.New(pgerror.InternalError, "the state snapshot is closed")
}
