package table

import (
	"context"
	"slices"
	"sync"
	"time"

	"velostream/pgwire/pgerror"
	"velostream/storage/column"
)

// LockMode is how much of a row a transaction keeps others from, as in
// PostgreSQL (explicit-locking, row-level locks).
type LockMode uint8

// Modes of row locks, weakest first.
const (
	LockKeyShare    LockMode = iota // nobody deletes the row or changes its key: what a foreign key takes
	LockShare                       // nobody changes the row
	LockNoKeyUpdate                 // UPDATE that leaves the key
	LockUpdate                      // DELETE, and UPDATE of the key
	lockModes
)

// lockConflicts is PostgreSQL's table of conflicting row-level locks.
var lockConflicts = [lockModes][lockModes]bool{
	LockKeyShare:    {LockUpdate: true},
	LockShare:       {LockNoKeyUpdate: true, LockUpdate: true},
	LockNoKeyUpdate: {LockShare: true, LockNoKeyUpdate: true, LockUpdate: true},
	LockUpdate:      {LockKeyShare: true, LockShare: true, LockNoKeyUpdate: true, LockUpdate: true},
}

// ErrLocked is the answer of LockKey when another transaction has the row.
var ErrLocked = pgerror.New(pgerror.LockNotAvailable, "could not obtain lock on row")

// locks are the row locks of all transactions. A transaction waits for one row
// at a time; who closes a circle of waiting is refused with 40P01.
type locks struct {
	mu   sync.Mutex
	rows map[string]*rowLock
}

type rowLock struct {
	queued  int       // of an object: how many wait for it alone, before whom nobody new gets it
	holders []holder  // a session's transaction and the session itself are two
	object  bool      // of a relation, a name or an advisory lock, not a row
	first   [1]holder // memory of holders: most locks have one
	waiters int
	changed chan struct{} // closed when a holder lets go
}

type holder struct {
	tx   *Tx
	mode LockMode
	also bool // taken shared as well as alone: an advisory lock
}

func newLocks() *locks { return &locks{rows: map[string]*rowLock{}} }

// Waiting says how long the transaction's statements wait for rows: until ctx
// ends, or timeout has passed (0: no limit).
func (tx *Tx) Waiting(ctx context.Context, timeout time.Duration) {
	tx.ctx, tx.lockTimeout = ctx, timeout
}

// lock takes the row under key for this transaction until it ends. ErrConflict:
// another changed the row after this transaction's snapshot; the statement must
// be run again. Errors: 40P01, 55P03, or the context's.
func (tx *Tx) lock(key string, mode LockMode) error {
	if err := tx.acquire(key, mode, true); err != nil {
		return err
	}
	if tx.db.changedAfter(key, tx.base) && !tx.wrote(key) {
		return ErrConflict
	}
	if !tx.db.addedAfter(key, tx.base) {
		return nil
	}
	// It is in the range of keys that a run has added: was it added itself?
	there, err := tx.db.there(key)
	if err != nil || !there {
		return err
	}
	if was, err := tx.snap.Get([]byte(key)); err != nil || was != nil {
		return err
	}
	return ErrConflict
}

func (tx *Tx) wrote(key string) bool {
	for _, w := range tx.writes {
		if _, ok := w.rows[key]; ok {
			return true
		}
	}
	return false
}

func (tx *Tx) acquire(key string, mode LockMode, wait bool) error {
	if have, ok := tx.locked[key]; ok && have >= mode {
		return nil
	}
	l := tx.db.locks
	var deadline <-chan time.Time
	l.mu.Lock()
	for {
		r := l.rows[key]
		if r == nil {
			r = &rowLock{object: isObject(key)}
			r.holders = r.first[:0]
			l.rows[key] = r
		}
		if r.free(tx, mode) && (r.queued == 0 || mode == LockUpdate || r.has(tx)) {
			r.hold(tx, mode)
			l.mu.Unlock()
			if tx.locked == nil {
				tx.locked = map[string]LockMode{}
			}
			tx.locked[key] = mode
			return nil
		}
		if !wait {
			l.mu.Unlock()
			return ErrLocked
		}
		if l.circle(r, tx, mode) {
			l.mu.Unlock()
			return pgerror.New(pgerror.DeadlockDetected, "deadlock detected").
				WithDetail("Each of the transactions waits for a row that another of them has changed or locked.").
				WithHint("Run the transaction again.")
		}
		if deadline == nil && tx.lockTimeout > 0 {
			t := time.NewTimer(tx.lockTimeout)
			defer t.Stop()
			deadline = t.C
		}
		if err := l.wait(r, tx, mode, deadline); err != nil {
			l.forget(key, r)
			l.mu.Unlock()
			return err
		}
	}
}

// free reports that no other holder's lock conflicts.
func (r *rowLock) free(tx *Tx, mode LockMode) bool {
	for _, h := range r.holders {
		if h.tx.party != tx.party && lockConflicts[mode][h.mode] {
			return false
		}
	}
	return true
}

// wake makes all that wait for r look again. REQUIRES: the locks' mutex is held.
func (r *rowLock) wake() {
	if r.changed != nil {
		close(r.changed)
		r.changed = nil
	}
}

func (r *rowLock) has(tx *Tx) bool {
	return slices.ContainsFunc(r.holders, func(h holder) bool { return h.tx.party == tx.party })
}

func (r *rowLock) hold(tx *Tx, mode LockMode) {
	for i := range r.holders {
		if h := &r.holders[i]; h.tx == tx {
			h.mode = max(h.mode, mode)
			return
		}
	}
	r.holders = append(r.holders, holder{tx: tx, mode: mode})
}

// forget drops a lock that nobody has or wants. REQUIRES: l.mu is held.
func (l *locks) forget(key string, r *rowLock) {
	if len(r.holders) == 0 && r.waiters == 0 && l.rows[key] == r {
		delete(l.rows, key)
	}
}

// wait gives the mutex away until a holder of r lets go. REQUIRES: l.mu is held,
// as it is again on return.
func (l *locks) wait(r *rowLock, tx *Tx, mode LockMode, deadline <-chan time.Time) error {
	if r.changed == nil {
		r.changed = make(chan struct{})
	}
	r.waiters++
	if mode == LockUpdate && r.object {
		r.queued++
		defer func() {
			r.queued--
			r.wake() // those who wait behind it, if it gives up
		}()
	}
	by := tx.party
	by.waitsFor, by.waitMode = r, mode
	ch := r.changed
	l.mu.Unlock()
	var err error
	ctx := tx.ctx
	if ctx == nil {
		ctx = context.Background()
	}
	select {
	case <-ch:
	case <-ctx.Done():
		err = context.Cause(ctx)
	case <-deadline:
		err = pgerror.New(pgerror.LockNotAvailable, "canceling statement due to lock timeout")
	}
	l.mu.Lock()
	r.waiters--
	by.waitsFor = nil
	return err
}

// circle reports that a transaction in tx's way waits, in the end, for tx.
// REQUIRES: l.mu is held.
func (l *locks) circle(r *rowLock, tx *Tx, mode LockMode) bool {
	seen := map[*party]bool{}
	var blocked func(r *rowLock, by *party, mode LockMode) bool
	blocked = func(r *rowLock, by *party, mode LockMode) bool {
		for _, h := range r.holders {
			in := h.tx.party
			if in == by || !lockConflicts[mode][h.mode] && r.queued == 0 || seen[in] {
				continue
			}
			if in == tx.party {
				return true
			}
			seen[in] = true
			if next := in.waitsFor; next != nil && blocked(next, in, in.waitMode) {
				return true
			}
		}
		return false
	}
	return blocked(r, tx.party, mode)
}

// unlock lets go of all rows of tx.
func (l *locks) unlock(tx *Tx) {
	if len(tx.locked) == 0 {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for key := range tx.locked {
		r := l.rows[key]
		r.holders = slices.DeleteFunc(r.holders, func(h holder) bool { return h.tx == tx })
		r.wake()
		l.forget(key, r)
	}
	tx.locked = nil
}

// LockKey takes the row of the relation that has the key columns keyCols at row i,
// for SELECT … FOR. With wait false a row that another transaction has is ErrLocked
// at once. ErrConflict: another changed the row meanwhile; the statement must be run
// again.
func (tx *Tx) LockKey(relation uint32, keyCols []*column.Column, i int, mode LockMode, wait bool) error {
	rel, _, err := tx.claim(relation, nil)
	if err != nil {
		return err
	}
	k := string(appendKey(rowKey(nil, rel.Storage), keyCols, i))
	if err := tx.acquire(k, mode, wait); err != nil {
		return err
	}
	if tx.db.changedAfter(k, tx.base) && !tx.wrote(k) {
		return ErrConflict
	}
	return nil
}
