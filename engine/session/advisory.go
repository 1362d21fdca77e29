package session

import (
	"context"

	"velostream/engine/pgcatalog"
	"velostream/storage/table"
)

// advisory are the session's advisory locks for a statement that runs under ctx.
type advisory struct {
	s   *Session
	ctx context.Context
}

func (a advisory) key(l pgcatalog.AdvisoryLock) table.AdvisoryKey {
	return table.AdvisoryKey{Class: l.Class, Object: l.Object, Pair: l.Pair}
}

// Lock implements pgcatalog.Advisory. Outside of a transaction block a lock of the
// transaction ends with the statement.
func (a advisory) Lock(l pgcatalog.AdvisoryLock, wait bool) (bool, error) {
	s := a.s
	if s.advisory == nil {
		s.advisory = s.e.Tables.Advisory(s.pid)
		if s.tx != nil {
			s.tx.tx.In(s.advisory)
		}
	}
	if !l.InTransaction {
		return s.advisory.Lock(a.ctx, s.settings.lockTimeout(), a.key(l), l.Shared, wait)
	}
	if s.tx == nil {
		if _, err := s.begin(); err != nil {
			return false, err
		}
	}
	s.tx.tx.Waiting(a.ctx, s.settings.lockTimeout())
	return s.tx.tx.LockAdvisory(a.key(l), l.Shared, wait)
}

// Unlock implements pgcatalog.Advisory.
func (a advisory) Unlock(l pgcatalog.AdvisoryLock) bool {
	if a.s.advisory != nil && a.s.advisory.Unlock(a.key(l), l.Shared) {
		return true
	}
	kind := "ExclusiveLock"
	if l.Shared {
		kind = "ShareLock"
	}
	a.s.warning("01000", "you don't own a lock of type "+kind)
	return false
}

// UnlockAll implements pgcatalog.Advisory.
func (a advisory) UnlockAll() { a.s.unlockAdvisory() }

// List implements pgcatalog.Advisory.
func (a advisory) List() []pgcatalog.AdvisoryLock {
	var out []pgcatalog.AdvisoryLock
	for _, l := range a.s.e.Tables.AdvisoryLocks() {
		out = append(out, pgcatalog.AdvisoryLock{Class: l.Class, Object: l.Object, Pair: l.Pair, Shared: l.Shared, PID: l.PID})
	}
	return out
}

// unlockAdvisory lets go of the locks that outlive transactions.
func (s *Session) unlockAdvisory() {
	if s.advisory != nil {
		s.advisory.UnlockAll()
	}
}
