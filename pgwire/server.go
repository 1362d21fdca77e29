package pgwire

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"velostream/pgwire/pgerror"
)

// ErrServerClosed is returned by Serve after Shutdown.
var ErrServerClosed = errors.New("pgwire: server closed")

// lingerMax is how long Shutdown waits, after its deadline, for sessions that
// were told to end.
const lingerMax = 10 * time.Second

// Server accepts clients and runs a session for each. Make it with New.
//
// Per client there is one goroutine, the session's, which handles one message
// after the other and calls the engine; while that takes long another one reads
// what the client sends and notices that it went away. Shutdown waits for both.
type Server struct {
	opts    Options
	count   counters
	buffers outBuffers
	tls     tlsCache
	mock    mockSecret
	logins  limiter

	drain     chan struct{} // closed by Shutdown: end when idle
	drainOnce sync.Once
	wg        sync.WaitGroup // connections
	requestID requestIDs

	mu        sync.Mutex
	listeners map[net.Listener]struct{}
	conns     map[*conn]struct{} // all, also those still starting up
	byPID     map[uint32]*conn   // those that count as clients
	leaving   int                // of conns: closed to make room, and not yet gone
	lastPID   uint32
}

// New makes a server; nothing listens yet.
func New(opts Options) (*Server, error) {
	opts = opts.ensureDefaults()
	if err := opts.validate(); err != nil {
		return nil, err
	}
	s := &Server{
		opts:      opts,
		drain:     make(chan struct{}),
		listeners: map[net.Listener]struct{}{},
		conns:     map[*conn]struct{}{},
		byPID:     map[uint32]*conn{},
	}
	s.logins.free = opts.LoginFailures
	if err := s.mock.init(); err != nil {
		return nil, err
	}
	if err := s.requestID.init(); err != nil {
		return nil, err
	}
	if err := s.count.register(opts.Metrics); err != nil {
		return nil, fmt.Errorf("pgwire: metrics: %w", err)
	}
	return s, nil
}

// Serve accepts clients on ln until Shutdown, which makes it return
// ErrServerClosed, or until ctx ends, which ends all connections that came
// through it and returns nil. It closes ln and waits for those connections.
// It may be called for several listeners at once.
func (s *Server) Serve(ctx context.Context, ln net.Listener) error {
	s.mu.Lock()
	if s.draining() {
		s.mu.Unlock()
		return errors.Join(ErrServerClosed, ln.Close())
	}
	s.listeners[ln] = struct{}{}
	s.mu.Unlock()

	var own sync.WaitGroup
	ctx, cancel := context.WithCancel(ctx)
	stop := onEnd(ctx, func() { _ = ln.Close() })
	w := newWatch(s)
	done := make(chan struct{})
	var watching sync.WaitGroup
	watching.Go(func() { w.run(done) })
	defer watching.Wait()
	defer close(done)
	err := s.acceptLoop(ctx, ln, w, &own)
	stop()
	s.mu.Lock()
	delete(s.listeners, ln)
	s.mu.Unlock()
	_ = ln.Close() // closed twice in most ways of getting here
	switch {
	case s.draining():
		own.Wait() // Shutdown sees to their end
		err = ErrServerClosed
	case ctx.Err() != nil:
		err = nil
	}
	cancel() // a broken listener or an ended ctx: the clients go too
	own.Wait()
	return err
}

// acceptLoop starts a goroutine per client until the listener closes.
func (s *Server) acceptLoop(ctx context.Context, ln net.Listener, w *watch, own *sync.WaitGroup) error {
	const pauseMin, pauseMax = 5 * time.Millisecond, time.Second
	pause := pauseMin
	for {
		nc, err := ln.Accept()
		if err != nil {
			if s.draining() || ctx.Err() != nil || errors.Is(err, net.ErrClosed) {
				return err
			}
			// Out of file descriptors, or a client that hung up in the queue.
			s.opts.Logger.WarnContext(ctx, "accepting a client failed", "error", err, "retry_in", pause)
			select {
			case <-time.After(pause):
			case <-ctx.Done():
			case <-s.drain:
			}
			pause = min(2*pause, pauseMax)
			continue
		}
		pause = pauseMin
		s.count.accepted.Add(1)
		c := newConn(ctx, s, w, nc)
		if !s.admit(c) {
			s.count.refused.Add(1)
			c.cancel(nil)
			_ = nc.Close()
			continue
		}
		own.Go(func() {
			defer s.release(c)
			c.serve()
		})
	}
}

// admit registers a connection that may start up. Start-ups under way are
// bounded too, generously, since cancel requests come by connections that are
// no clients. Where there are too many, one of them makes room, any one: those
// that come to hold a place stay long, who comes to log in is soon through.
func (s *Server) admit(c *conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.draining() || len(s.conns)-s.leaving >= 2*s.opts.MaxConnections+64 && !s.makeRoom() {
		return false
	}
	s.conns[c] = struct{}{}
	s.wg.Add(1)
	s.count.open.Add(1)
	return true
}

// leavingMax bounds the connections that were told to make room and have not yet.
const leavingMax = 64

// makeRoom closes a connection that has not logged in. REQUIRES: mu.
func (s *Server) makeRoom() bool {
	if s.leaving >= leavingMax {
		return false
	}
	for c := range s.conns { // in no order
		if c.leaving || c.started.Load() {
			continue
		}
		c.leaving = true
		s.leaving++
		s.count.refused.Add(1)
		_ = c.raw.Close()
		return true
	}
	return false
}

func (s *Server) release(c *conn) {
	s.mu.Lock()
	delete(s.conns, c)
	if c.leaving {
		s.leaving--
	}
	if s.byPID[c.pid] == c {
		delete(s.byPID, c.pid)
	}
	s.mu.Unlock()
	s.count.open.Add(-1)
	s.wg.Done()
}

// enroll makes a connection a client: it gets a process id and counts.
func (s *Server) enroll(c *conn) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.draining() {
		s.count.refused.Add(1)
		return pgerror.New(pgerror.CannotConnectNow, "the database system is shutting down")
	}
	if len(s.byPID) >= s.opts.MaxConnections {
		s.count.refused.Add(1)
		return pgerror.New(pgerror.TooManyConnections, "sorry, too many clients already").
			WithDetail("The limit is %d connections.", s.opts.MaxConnections)
	}
	for {
		s.lastPID = s.lastPID%(1<<31-1) + 1
		if _, taken := s.byPID[s.lastPID]; !taken {
			break
		}
	}
	c.pid = s.lastPID
	s.byPID[c.pid] = c
	return nil
}

func (s *Server) draining() bool {
	select {
	case <-s.drain:
		return true
	default:
		return false
	}
}

// Shutdown stops accepting and ends the connections: idle ones at once with
// 57P01, working ones when they have answered what was asked, or are told to
// stop when ctx ends. It returns when every goroutine of the server is gone;
// an error means that some work was cut short, or did not end even then.
func (s *Server) Shutdown(ctx context.Context) error {
	s.mu.Lock()
	s.drainOnce.Do(func() { close(s.drain) })
	for ln := range s.listeners {
		_ = ln.Close()
	}
	for c := range s.conns {
		if c.started.Load() {
			_ = c.raw.SetReadDeadline(time.Now()) // a closed connection needs no waking
		} else {
			c.kill(errShutdown())
		}
	}
	s.mu.Unlock()

	done := make(chan struct{})
	go func() {
		s.wg.Wait()
		close(done)
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
	}
	s.mu.Lock()
	n := len(s.conns)
	for c := range s.conns {
		c.kill(errShutdown())
	}
	s.mu.Unlock()
	select {
	case <-done:
		return fmt.Errorf("pgwire: %d connections were cut off: %w", n, ctx.Err())
	case <-time.After(lingerMax):
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return fmt.Errorf("pgwire: %d connections do not end: %w", len(s.conns), ctx.Err())
}
