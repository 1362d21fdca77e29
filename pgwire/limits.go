package pgwire

import (
	"context"
	"time"

	"velostream/pgwire/pgerror"
)

// Limiter is implemented by Sessions whose settings bound time.
type Limiter interface {
	// StatementTimeout is how long the statement that begins now may take, or
	// the next stretch of a portal's rows; 0: any time.
	StatementTimeout() time.Duration
	// IdleTimeout is how long the session, as it is now, may wait for its next
	// request, and the error that ends its connection then; 0: for ever.
	IdleTimeout() (time.Duration, *pgerror.Error)
}

func noLimit() {}

// limitStatement cancels what begins now when it takes too long; the returned
// function calls that off.
func (c *conn) limitStatement(cancel context.CancelCauseFunc) (stop func()) {
	s, ok := c.session.(Limiter)
	if !ok {
		return noLimit
	}
	d := s.StatementTimeout()
	if d <= 0 {
		return noLimit
	}
	t := time.AfterFunc(d, func() {
		cancel(pgerror.New(pgerror.QueryCanceled, "canceling statement due to statement timeout"))
	})
	return func() { t.Stop() }
}

// limitIdle ends the connection when the client says nothing for too long;
// the returned function calls that off.
func (c *conn) limitIdle() (stop func()) {
	s, ok := c.session.(Limiter)
	if !ok {
		return noLimit
	}
	d, why := s.IdleTimeout()
	if d <= 0 {
		return noLimit
	}
	t := time.AfterFunc(d, func() { c.kill(why) })
	return func() { t.Stop() }
}

// changedParam is a setting the client has to be told of.
type changedParam struct {
	Param
	told  string // what it heard last
	heard bool
	due   bool
}

// paramChanged notes a new value for the next ReadyForQuery: a client learns
// what a setting is once its transaction is as far as it goes, and nothing
// when it is what it was. It reports whether the session is idle, so that
// there is no ReadyForQuery to come.
func (c *conn) paramChanged(name, value string) (idle bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	idle = c.info.State != "active"
	if name == "application_name" {
		c.info.ApplicationName = value
	}
	for i := range c.changed {
		if p := &c.changed[i]; p.Name == name {
			p.Value, p.due = value, true
			return idle
		}
	}
	c.changed = append(c.changed, changedParam{Param: Param{name, value}, due: true})
	return idle
}

// appendChanged appends the ParameterStatus that are due.
func (c *conn) appendChanged(dst []byte) []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := range c.changed {
		p := &c.changed[i]
		if p.due && (!p.heard || p.told != p.Value) {
			dst = appendParameterStatus(dst, p.Name, p.Value)
			p.told, p.heard = p.Value, true
		}
		p.due = false
	}
	return dst
}
