package pgwire

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"velostream/pgwire/pgerror"
)

// ConnInfo is what is known about a client, for pg_stat_activity.
type ConnInfo struct {
	PID             uint32
	User            string
	Database        string
	ApplicationName string
	RemoteAddr      string
	TLS             bool
	State           string // "active", "idle", "idle in transaction", "idle in transaction (aborted)"
	Query           string // the statement that runs, or ran last; its first 1024 bytes
	Connected       time.Time
	QueryStart      time.Time
	StateChange     time.Time
	TxStart         time.Time // zero outside a transaction
}

const infoQueryMax = 1024

// Connections lists the clients, by pid.
func (s *Server) Connections() []ConnInfo {
	s.mu.Lock()
	conns := make([]*conn, 0, len(s.byPID))
	for _, c := range s.byPID {
		if c.started.Load() {
			conns = append(conns, c)
		}
	}
	s.mu.Unlock()
	out := make([]ConnInfo, 0, len(conns))
	for _, c := range conns {
		c.mu.Lock()
		out = append(out, c.info)
		c.mu.Unlock()
	}
	slices.SortFunc(out, func(a, b ConnInfo) int { return int(int64(a.PID) - int64(b.PID)) })
	return out
}

// Cancel cancels what the client pid runs, as pg_cancel_backend does. It
// reports whether there is such a client; one that runs nothing goes on.
func (s *Server) Cancel(pid uint32) bool {
	c := s.client(pid)
	if c == nil {
		return false
	}
	c.cancelRunning(pgerror.Canceled())
	return true
}

// Terminate ends the connection pid with 57P01, as pg_terminate_backend does,
// and reports whether there was one. It does not wait.
func (s *Server) Terminate(pid uint32) bool {
	c := s.client(pid)
	if c == nil {
		return false
	}
	c.kill(errShutdown())
	return true
}

func (s *Server) client(pid uint32) *conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.byPID[pid]
	if c == nil || !c.started.Load() {
		return nil
	}
	return c
}

// cancelByKey carries out a CancelRequest of pid and key; wrong ones are
// ignored in silence, as nobody listens for an answer.
func (s *Server) cancelByKey(body []byte) {
	if len(body) < 8 {
		return
	}
	c := s.client(binary.BigEndian.Uint32(body))
	if c == nil || subtle.ConstantTimeCompare(c.secret, body[4:]) != 1 {
		return
	}
	s.count.cancels.Add(1)
	c.cancelRunning(pgerror.Canceled())
}

func (c *conn) cancelRunning(cause error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.running != nil {
		c.running(cause)
	}
}

func (c *conn) setInfo() {
	now := time.Now()
	c.mu.Lock()
	c.info = ConnInfo{
		PID: c.pid, User: c.startup.User, Database: c.startup.Database, RemoteAddr: c.startup.RemoteAddr,
		ApplicationName: c.startup.Params["application_name"], TLS: c.tlsConn != nil,
		State: "idle", Connected: c.info.Connected, StateChange: now,
	}
	c.mu.Unlock()
}

// setActive notes the statement that begins.
func (c *conn) setActive(query string) {
	if len(query) > infoQueryMax {
		query = strings.ToValidUTF8(query[:infoQueryMax], "") // a character may be cut
	}
	now := time.Now()
	c.mu.Lock()
	c.info.State, c.info.Query, c.info.QueryStart, c.info.StateChange = "active", query, now, now
	if c.info.TxStart.IsZero() {
		c.info.TxStart = now
	}
	c.mu.Unlock()
}

func (c *conn) setIdle(txStatus byte) {
	now := time.Now()
	c.mu.Lock()
	c.info.StateChange = now
	switch txStatus {
	case 'T':
		c.info.State = "idle in transaction"
	case 'E':
		c.info.State = "idle in transaction (aborted)"
	default:
		c.info.State, c.info.TxStart = "idle", time.Time{}
	}
	c.mu.Unlock()
}

// notifier is the Notifier of one connection.
type notifier struct{ c *conn }

// Connections, Cancel and Terminate implement Peers.
func (n notifier) Connections() []ConnInfo { return n.c.srv.Connections() }

// Cancel implements Peers.
func (n notifier) Cancel(pid uint32) bool { return n.c.srv.Cancel(pid) }

// Terminate implements Peers.
func (n notifier) Terminate(pid uint32) bool { return n.c.srv.Terminate(pid) }

// Notice implements Notifier. When a client takes none of a megabyte of
// notices they are dropped: nothing depends on them.
func (n notifier) Notice(e *pgerror.Error) {
	n.c.out.push(func(b []byte) []byte { return appendError(b, 'N', e) })
}

// Parameter implements Notifier.
func (n notifier) Parameter(name, value string) {
	if n.c.paramChanged(name, value) {
		n.must(n.c.appendChanged)
	}
}

// Notification implements Notifier.
func (n notifier) Notification(pid uint32, channel, payload string) {
	n.must(func(b []byte) []byte { return appendNotification(b, pid, channel, payload) })
}

// must queues a message that may not get lost: a client so slow that a
// megabyte waits for it is disconnected.
func (n notifier) must(appendTo func([]byte) []byte) {
	if n.c.out.push(appendTo) {
		return
	}
	n.c.log.WarnContext(n.c.ctx, "client does not take its notifications; disconnecting it")
	n.c.kill(pgerror.New(pgerror.InsufficientResources, "too many notifications wait for this connection").
		WithHint("Read from the connection while listening."))
}

// requestIDs makes the ids that tie an internal error at a client to the log.
type requestIDs struct {
	prefix string
	last   atomic.Uint64
}

func (r *requestIDs) init() error {
	var b [4]byte
	if _, err := rand.Read(b[:]); err != nil {
		return err
	}
	r.prefix = hex.EncodeToString(b[:])
	return nil
}

func (r *requestIDs) next() string {
	return fmt.Sprintf("%s-%d", r.prefix, r.last.Add(1))
}
