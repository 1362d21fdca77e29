package pgcatalog

import (
	"cmp"
	"slices"

	"velostream/catalog/types"
)

// AdvisoryLock is an advisory lock: what it is about, whether it is shared, and whether it
// ends with the transaction.
type AdvisoryLock struct {
	Class, Object uint32 // of two numbers, or the halves of one
	Pair          bool
	Shared        bool
	InTransaction bool
	PID           uint32 // who has it, where locks are listed
}

// Advisory are the advisory locks of a session.
type Advisory interface {
	// Lock takes a lock. Without wait it reports whether it could be had.
	Lock(l AdvisoryLock, wait bool) (bool, error)
	// Unlock lets go of a lock that outlives transactions; false, after a WARNING: the
	// session has none.
	Unlock(l AdvisoryLock) bool
	// UnlockAll lets go of all that outlive transactions.
	UnlockAll()
	// List lists those of all sessions.
	List() []AdvisoryLock
}

// withAdvisory adds PostgreSQL's functions of advisory locks to m:
// https://www.postgresql.org/docs/15/functions-admin.html#FUNCTIONS-ADVISORY-LOCKS
func withAdvisory(m map[string]function) map[string]function {
	for _, shared := range []bool{false, true} {
		suffix := ""
		if shared {
			suffix = "_shared"
		}
		for _, inTx := range []bool{false, true} {
			infix := ""
			if inTx {
				infix = "_xact"
			}
			kind := AdvisoryLock{Shared: shared, InTransaction: inTx}
			m["pg_advisory"+infix+"_lock"+suffix] = func(c *Catalog, a []types.Datum) (any, error) {
				if c.Advisory == nil {
					return "", nil
				}
				_, err := c.Advisory.Lock(kind.about(a), true)
				return "", err
			}
			m["pg_try_advisory"+infix+"_lock"+suffix] = func(c *Catalog, a []types.Datum) (any, error) {
				if c.Advisory == nil {
					return true, nil
				}
				return c.Advisory.Lock(kind.about(a), false)
			}
		}
		kind := AdvisoryLock{Shared: shared}
		m["pg_advisory_unlock"+suffix] = func(c *Catalog, a []types.Datum) (any, error) {
			return c.Advisory != nil && c.Advisory.Unlock(kind.about(a)), nil
		}
	}
	m["pg_advisory_unlock_all"] = func(c *Catalog, _ []types.Datum) (any, error) {
		if c.Advisory != nil {
			c.Advisory.UnlockAll()
		}
		return "", nil
	}
	return m
}

// about is l for the arguments of a call.
func (l AdvisoryLock) about(a []types.Datum) AdvisoryLock {
	if len(a) == 2 {
		l.Class, l.Object, l.Pair = uint32(a[0].I), uint32(a[1].I), true
	} else {
		l.Class, l.Object = uint32(uint64(a[0].I)>>32), uint32(a[0].I)
	}
	return l
}

// lockRows are those of pg_locks.
func (c *Catalog) lockRows(e *emitter) {
	if c.Advisory == nil {
		return
	}
	list := c.Advisory.List()
	slices.SortFunc(list, func(a, b AdvisoryLock) int {
		return cmp.Or(cmp.Compare(a.Class, b.Class), cmp.Compare(a.Object, b.Object), cmp.Compare(a.PID, b.PID))
	})
	for _, l := range list {
		sub, mode := 1, "ExclusiveLock"
		if l.Pair {
			sub = 2
		}
		if l.Shared {
			mode = "ShareLock"
		}
		e.row("advisory", c.thisDatabase(), l.Class, l.Object, sub, l.PID, mode, true, false)
	}
}
