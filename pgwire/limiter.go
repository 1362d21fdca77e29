package pgwire

import (
	"container/list"
	"sync"
	"time"

	"velostream/pgwire/pgerror"
)

const (
	limitEntriesMax = 8192             // what is remembered; the longest unused goes first
	limitForget     = 10 * time.Minute // without a failure, all is forgotten
	limitPauseMax   = time.Minute      // longest wait
	limitAddress    = 8                // times as many failures for an address with all its users
)

// limiter slows down who guesses passwords. Failures are counted for a user from
// an address, and for the address alone; a user alone is not locked out, or anybody
// could do that to him. While a pause lasts no answer is given, not even to the right
// password, also where it was asked before the pause began: many attempts at
// once gain nothing. Safe for concurrent use.
//
//	failures      1 … free   free+1   free+2   …
//	next attempt  at once    in 1 s   in 2 s   doubling up to limitPauseMax
type limiter struct {
	free int // failures before the first pause, negative: no limit

	mu      sync.Mutex
	entries map[loginKey]*list.Element // of *loginEntry
	order   list.List                  // the longest unused first
}

// loginKey is an address with a user, or, with every set, with all of them.
type loginKey struct {
	address, user string
	every         bool
}

type loginEntry struct {
	key      loginKey
	failures int
	last     time.Time // failure
	until    time.Time // no attempt before
}

func (k loginKey) both() [2]loginKey { return [2]loginKey{k, {address: k.address, every: true}} }

// check refuses an attempt that comes too early, with 28000.
func (l *limiter) check(k loginKey, now time.Time) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, k := range k.both() {
		el := l.entries[k]
		if el == nil {
			continue
		}
		if e := el.Value.(*loginEntry); now.Before(e.until) {
			return pgerror.New(pgerror.InvalidAuthorization, "too many failed login attempts").
				WithHint("Try again in %s.", (e.until.Sub(now) + time.Second - 1).Truncate(time.Second).String())
		}
	}
	return nil
}

// settle is check, and then counts a failure, or forgets those of a user who has
// succeeded.
func (l *limiter) settle(k loginKey, right bool, now time.Time) error {
	if l.free < 0 {
		return nil
	}
	if err := l.check(k, now); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if right {
		if el := l.entries[k]; el != nil {
			l.order.Remove(el)
			delete(l.entries, k)
		}
		return nil
	}
	for _, k := range k.both() {
		e := l.entry(k, now)
		e.failures++
		e.last = now
		free := l.free
		if k.every {
			free *= limitAddress
		}
		if over := e.failures - free; over > 0 {
			e.until = now.Add(min(time.Second<<min(over-1, 10), limitPauseMax))
		}
	}
	return nil
}

// entry finds or makes the entry of k. REQUIRES: l.mu is held.
func (l *limiter) entry(k loginKey, now time.Time) *loginEntry {
	if l.entries == nil {
		l.entries = map[loginKey]*list.Element{}
	}
	el := l.entries[k]
	if el == nil {
		if l.order.Len() >= limitEntriesMax {
			old := l.order.Front()
			delete(l.entries, old.Value.(*loginEntry).key)
			l.order.Remove(old)
		}
		el = l.order.PushBack(&loginEntry{key: k, last: now})
		l.entries[k] = el
	}
	l.order.MoveToBack(el)
	e := el.Value.(*loginEntry)
	if now.Sub(e.last) > limitForget {
		e.failures, e.until = 0, time.Time{}
	}
	return e
}
