package session

import (
	"slices"
	"sync"

	"velostream/engine/sql/ast"
	"velostream/pgwire/pgerror"
)

// Limits of LISTEN and NOTIFY.
const (
	payloadMax  = 8000 // bytes, as in PostgreSQL
	channelMax  = 64
	notesMax    = 10_000
	channelsMax = 1000 // a session listens to
)

// note is one NOTIFY.
type note struct{ channel, payload string }

// channels knows which sessions listen to what. Safe for concurrent use. The
// zero value is ready.
type channels struct {
	mu        sync.Mutex
	listeners map[string]map[*Session]bool
}

// send delivers the notes of a transaction that committed; equal ones once, as
// in PostgreSQL.
func (c *channels) send(from uint32, notes []note) {
	if len(notes) == 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, n := range notes {
		for s := range c.listeners[n.channel] {
			s.notify.Notification(from, n.channel, n.payload)
		}
	}
}

// Announce sends a note that no transaction made. It does not block.
func (e *Engine) Announce(channel, payload string) {
	e.channels.send(0, []note{{channel, payload}})
}

func (c *channels) add(s *Session, channel string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := 0
	for _, set := range c.listeners {
		if set[s] {
			n++
		}
	}
	if n >= channelsMax {
		return pgerror.New(pgerror.ConfigurationLimitExceeded, "a session can listen to %d channels", channelsMax)
	}
	if c.listeners == nil {
		c.listeners = map[string]map[*Session]bool{}
	}
	if c.listeners[channel] == nil {
		c.listeners[channel] = map[*Session]bool{}
	}
	c.listeners[channel][s] = true
	return nil
}

func (c *channels) remove(s *Session, channel string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.listeners[channel], s)
	if len(c.listeners[channel]) == 0 {
		delete(c.listeners, channel)
	}
}

// forget ends all that s listens to.
func (c *channels) forget(s *Session) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for name, set := range c.listeners {
		delete(set, s)
		if len(set) == 0 {
			delete(c.listeners, name)
		}
	}
}

// listen is LISTEN; in a transaction block it begins at the commit.
func (s *Session) listen(channel string) error {
	return s.atCommit(func() error { return s.e.channels.add(s, channel) })
}

// unlisten is UNLISTEN; in a transaction block it counts from the commit on.
func (s *Session) unlisten(n *ast.Unlisten) error {
	return s.atCommit(func() error {
		if n.All {
			s.e.channels.forget(s)
		} else {
			s.e.channels.remove(s, n.Channel)
		}
		return nil
	})
}

// atCommit does f when the transaction block commits, at once outside of one.
func (s *Session) atCommit(f func() error) error {
	t := s.block()
	if t == nil {
		return f()
	}
	if len(t.listens) >= channelsMax {
		return pgerror.New(pgerror.ProgramLimitExceeded, "a transaction can have %d LISTEN and UNLISTEN", channelsMax)
	}
	t.listens = append(t.listens, f)
	return nil
}

// notifyChannel is NOTIFY and pg_notify: what it sends goes out when the transaction commits.
func (s *Session) notifyChannel(channel, payload string) error {
	switch {
	case channel == "":
		return pgerror.New(pgerror.InvalidParameterValue, "channel name cannot be empty")
	case len(channel) >= channelMax:
		return pgerror.New(pgerror.InvalidParameterValue, "channel name too long")
	case len(payload) >= payloadMax:
		return pgerror.New(pgerror.InvalidParameterValue, "payload string too long")
	}
	if s.tx == nil { // pg_notify is called while a statement runs: no refresh then
		if _, err := s.begin(); err != nil {
			return err
		}
	}
	t := s.tx
	n := note{channel, payload}
	if slices.Contains(t.notes, n) {
		return nil
	}
	if len(t.notes) >= notesMax {
		return pgerror.New(pgerror.ProgramLimitExceeded, "a transaction can send %d notifications", notesMax)
	}
	t.notes = append(t.notes, n)
	return nil
}
