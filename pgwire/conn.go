package pgwire

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"velostream/catalog/types"
	"velostream/pgwire/pgerror"
)

// farewellTime is how long a slow client may take to receive the last words.
const (
	farewellTime = time.Second
	drainMax     = 64 << 20 // bytes of a refused message that are still taken
)

// conn is one client. Its session goroutine owns everything but what the
// mutex guards, the inbox and the outbox.
//
//	client ─────────────────────> inbox ─> session goroutine ─> outbox ─> client
//	   └─> watcher goroutine ───────┘             │ calls the engine with ctx's children
//	       while a statement takes long;
//	       EOF, Terminate: cancels ctx
type conn struct {
	srv     *Server
	raw     net.Conn // as accepted; deadlines are set on it
	nc      net.Conn // raw, or TLS over it
	tlsConn *tls.Conn
	tlsUsed *tls.Config
	log     *slog.Logger
	method  string          // how the client has proved who it is
	ctx     context.Context // ends with the connection; its cause says why
	cancel  context.CancelCauseFunc
	killed  sync.Once

	pid     uint32
	secret  []byte
	startup Startup
	session Session
	started atomic.Bool // past start-up
	leaving bool        // closed to make room for another; the server's mu guards it

	fr      *frameReader
	in      *inbox
	taken   []frame // taken from in, not yet handled from next on
	next    int
	out     *outbox
	watch   *watch         // starts the watcher
	reading sync.WaitGroup // the watcher

	stmts   map[string]*prepared // "" is the unnamed one
	portals map[string]*portal
	skip    bool // after an error: skip messages until Sync
	failed  bool // something failed since the last Sync
	owed    bool // a ReadyForQuery may wait in out
	inBatch bool // extended-protocol messages came since the last Sync

	opCtx    context.Context // of messages that outlive nothing: Parse, Sync
	opCancel context.CancelCauseFunc

	mu      sync.Mutex
	running context.CancelCauseFunc // cancels what runs now; nil: nothing does
	info    ConnInfo
	changed []changedParam
}

func newConn(ctx context.Context, s *Server, w *watch, nc net.Conn) *conn {
	c := &conn{srv: s, watch: w, raw: nc, nc: nc, log: s.opts.Logger}
	c.ctx, c.cancel = context.WithCancelCause(ctx)
	c.out = &outbox{nc: nc, buffers: &s.buffers, sent: &s.count.bytesSent, onError: func(error) { c.cancel(errClientGone) }}
	c.info.Connected = time.Now()
	return c
}

// audit logs who came in, or did not.
func (c *conn) audit(what string, args ...any) {
	c.log.InfoContext(c.ctx, what, append([]any{"audit", "login", "remote_addr", c.raw.RemoteAddr(), "tls", c.tlsConn != nil}, args...)...)
}

// kill ends the connection from outside: what runs is cancelled and blocked
// reads and writes return. The session goroutine does the rest.
func (c *conn) kill(cause error) {
	c.cancel(cause)
	c.killed.Do(func() { // once, or one who calls often would move the deadline on
		now := time.Now()
		_ = c.raw.SetReadDeadline(now) // a closed connection needs no waking
		_ = c.raw.SetWriteDeadline(now.Add(farewellTime))
	})
}

// serve is the session goroutine, from accept to close.
func (c *conn) serve() {
	// The listener's context may end, and who ended it knows no connections.
	defer onEnd(c.ctx, func() {
		if cause := context.Cause(c.ctx); !errors.Is(cause, errClientGone) {
			c.kill(cause)
		}
	})()
	defer c.close()
	defer c.recoverPanic()
	if err := c.start(); err != nil {
		if !errors.Is(err, errNoSession) {
			c.audit("login refused", "error", err)
		}
		c.farewell(err)
		return
	}
	c.audit("login", "method", c.method)
	c.started.Store(true)
	err := c.loop()
	c.log.DebugContext(c.ctx, "client disconnects", "reason", err)
	c.farewell(err)
}

// onEnd runs f in a goroutine when ctx ends; the returned function calls that
// off, or waits for it.
func onEnd(ctx context.Context, f func()) (stop func()) {
	ran := make(chan struct{})
	callOff := context.AfterFunc(ctx, func() {
		defer close(ran)
		f()
	})
	return func() {
		if !callOff() {
			<-ran
		}
	}
}

// recoverPanic is the one place where a panic of a session ends: it costs
// this connection, not the server.
func (c *conn) recoverPanic() {
	r := recover()
	if r == nil {
		return
	}
	c.srv.count.panics.Add(1)
	id := c.srv.requestID.next()
	c.log.ErrorContext(c.ctx, "session panicked", "panic", fmt.Sprint(r), "request_id", id, "stack", string(debug.Stack()))
	e := pgerror.New(pgerror.InternalError, "internal error; the connection is closed").
		WithDetail("The server's log has more under request id %s.", id)
	c.farewell(e)
}

// farewell sends the error that ends the connection, if the client should
// hear of one.
func (c *conn) farewell(err error) {
	if err == nil || errors.Is(err, errNoSession) || errors.Is(err, errClientGone) {
		return
	}
	if errors.Is(err, context.Canceled) { // the listener's context ended
		err = errShutdown()
	}
	e := *c.visible(err)
	e.Severity = "FATAL"
	c.srv.count.failed.Add(1)
	_ = c.raw.SetWriteDeadline(time.Now().Add(farewellTime)) // without it a write could only take longer
	c.out.lock()
	c.out.buf = appendError(c.out.buf, 'E', &e)
	c.out.unlock()
	c.out.flush()
	if e.Code == pgerror.ProtocolViolation || e.Code == pgerror.ProgramLimitExceeded {
		c.drainInput()
	}
}

// drainInput lets a client finish sending what will not be read. Closing at
// once would reset the connection, and the reset may overtake the error that
// tells why.
func (c *conn) drainInput() {
	half, ok := c.nc.(interface{ CloseWrite() error })
	if !ok || half.CloseWrite() != nil {
		return
	}
	_ = c.raw.SetReadDeadline(time.Now().Add(farewellTime / 2)) // without it the copy ends with the client
	_, _ = io.CopyN(io.Discard, c.raw, drainMax)                // any end will do
}

// close frees everything and waits for the connection's other goroutines.
func (c *conn) close() {
	c.cancel(errClientGone)
	c.closePortals(true)
	if c.session != nil {
		c.closeSession()
	}
	_ = c.raw.SetWriteDeadline(time.Now().Add(farewellTime)) // for TLS's own farewell
	if err := c.nc.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
		c.log.DebugContext(c.ctx, "closing the connection", "error", err)
	}
	_ = c.raw.Close() // already closed, unless TLS could not say goodbye
	if c.in != nil {
		c.in.end()
	}
	c.reading.Wait()
	c.out.close()
}

func (c *conn) closeSession() {
	defer func() {
		if r := recover(); r != nil {
			c.srv.count.panics.Add(1)
			c.log.ErrorContext(c.ctx, "closing the session panicked", "panic", fmt.Sprint(r), "stack", string(debug.Stack()))
		}
	}()
	if err := c.session.Close(); err != nil {
		c.log.WarnContext(c.ctx, "closing the session failed", "error", err)
	}
}

// read reads the client's next message, for whose turn it is. drain, when not
// nil, ends the wait once it is closed.
func (c *conn) read(drain <-chan struct{}) (frame, error) {
	for {
		f, err := c.in.fr.next()
		if !errors.Is(err, os.ErrDeadlineExceeded) || c.ctx.Err() != nil {
			return c.received(f, err)
		}
		if drain != nil && c.srv.draining() {
			return frame{}, errShutdown()
		}
		// Who kills the connection cancels first and sets a deadline then:
		// looked at in the other order, that is not missed.
		if c.raw.SetReadDeadline(time.Time{}) != nil || c.ctx.Err() != nil {
			return c.received(f, err)
		}
	}
}

// received makes of a message, or of why there is none, what the session is told.
func (c *conn) received(f frame, err error) (frame, error) {
	if err == nil && f.typ != 'X' {
		return f, nil
	}
	if _, ok := errors.AsType[*pgerror.Error](err); ok {
		return frame{}, err
	}
	c.cancel(errClientGone) // by Terminate or without; without effect where there was another cause
	return frame{}, context.Cause(c.ctx)
}

// await returns the client's next message, which the session reads by itself
// unless a watcher does. drain is as in pull.
func (c *conn) await(drain <-chan struct{}) (frame, error) {
	if c.next < len(c.taken) {
		c.in.restart()
		c.watch.stir()
		return c.pull(c.ctx, drain)
	}
	f, got, queued, err := c.in.claim()
	if got || err != nil {
		c.watch.stir()
		return c.received(f, err)
	}
	if queued {
		f, err = c.pull(c.ctx, drain)
	} else {
		f, err = c.read(drain)
	}
	c.in.settle()
	c.watch.stir()
	return f, err
}

// pull returns the client's next message out of the queue; it waits for one
// until ctx ends. drain, when not nil, ends the wait too, once it is closed.
// REQUIRES: a watcher reads, or there is something in the queue.
func (c *conn) pull(ctx context.Context, drain <-chan struct{}) (frame, error) {
	for c.next == len(c.taken) {
		if ctx.Err() != nil {
			return frame{}, context.Cause(ctx)
		}
		frames, err := c.in.take(c.taken)
		c.taken, c.next = frames, 0
		if err != nil {
			return frame{}, err
		}
		if len(frames) > 0 {
			break
		}
		select {
		case <-c.in.ready:
		case <-ctx.Done():
		case <-drain:
			return frame{}, errShutdown()
		}
	}
	f := c.taken[c.next]
	c.taken[c.next] = frame{}
	c.next++
	return f, nil
}

// upcoming returns the type of the client's next message if it has arrived,
// else 0.
func (c *conn) upcoming() byte {
	if c.next < len(c.taken) {
		return c.taken[c.next].typ
	}
	return c.in.peek()
}

// loop handles messages until the connection ends; it returns why.
func (c *conn) loop() error {
	for {
		// Between two requests a server that drains says goodbye. Within a
		// batch it waits for the Sync, whose answer the client is owed.
		var drain <-chan struct{}
		if !c.inBatch && !c.skip {
			drain = c.srv.drain
			if c.srv.draining() && c.upcoming() == 0 {
				return errShutdown()
			}
		}
		if c.owed && c.upcoming() == 0 {
			c.owed = false
			c.out.flush()
		}
		stop := noLimit
		if !c.inBatch && !c.skip && c.upcoming() == 0 {
			stop = c.limitIdle()
		}
		f, err := c.await(drain)
		stop()
		if err != nil {
			return err
		}
		if err := c.handle(f); err != nil {
			return err
		}
		if c.ctx.Err() != nil {
			return context.Cause(c.ctx)
		}
	}
}

// visible turns any error into what the client sees; one that no constructor
// of pgerror made is XX000, logged under an id that the client is told.
func (c *conn) visible(err error) *pgerror.Error {
	var e *pgerror.Error
	if errors.As(err, &e) && e.Code != "" {
		return e
	}
	id := c.srv.requestID.next()
	c.log.ErrorContext(c.ctx, "internal error", "error", err, "request_id", id)
	return pgerror.New(pgerror.InternalError, "%s", err.Error()).
		WithDetail("The server's log has more under request id %s.", id).WithCause(err)
}

// explain replaces the bare end of a context by its cause.
func explain(ctx context.Context, err error) error {
	if _, ok := errors.AsType[*pgerror.Error](err); ok {
		return err
	}
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return pgerror.New(pgerror.QueryCanceled, "canceling statement due to statement timeout")
	case errors.Is(err, context.Canceled):
		if cause := context.Cause(ctx); cause != nil {
			return cause
		}
	}
	return err
}

// begun marks the session as working under cancel; the returned function ends
// that. A cancel request between the two hits, at other times it is ignored.
func (c *conn) begun(cancel context.CancelCauseFunc) func() {
	c.mu.Lock()
	c.running = cancel
	c.mu.Unlock()
	return func() {
		c.mu.Lock()
		c.running = nil
		c.mu.Unlock()
	}
}

// operation is the context of a message that leaves nothing running behind;
// it is made anew only after it was cancelled.
func (c *conn) operation() (context.Context, context.CancelCauseFunc) {
	if c.opCtx == nil || c.opCtx.Err() != nil {
		c.opCtx, c.opCancel = context.WithCancelCause(c.ctx)
	}
	return c.opCtx, c.opCancel
}

// sendError answers a message with an error. After it, what the client has
// in the batch is void until Sync.
func (c *conn) sendError(err error) {
	c.failed = true
	if c.ctx.Err() != nil { // ends anyway, and its own reason is said by farewell
		return
	}
	e := c.visible(err)
	if c.session != nil {
		e = types.NamedError(e, c.session.Format())
	}
	c.srv.count.failed.Add(1)
	c.out.lock()
	c.out.buf = appendError(c.out.buf, 'E', e)
	c.out.unlock()
	c.out.flush()
}

// ready ends an answer: the session waits for the next request. Where the
// client has sent that already, the answer may share a write with the next.
func (c *conn) ready() {
	status := c.session.TxStatus()
	c.setIdle(status)
	c.out.lock()
	c.out.buf = appendReady(c.appendChanged(c.out.buf), status)
	more := len(c.out.buf) < flushSize && c.upcoming() != 0
	c.out.unlock()
	if more {
		c.out.arm()
		c.owed = true
		return
	}
	c.owed = false
	c.out.flush()
}
