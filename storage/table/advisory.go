package table

import (
	"context"
	"encoding/binary"
	"slices"
	"strings"
	"time"
)

// AdvisoryKey is what an advisory lock is about: a 64-bit number, whose halves are
// Class and Object, or two 32-bit ones (Pair), which are others.
type AdvisoryKey struct {
	Class, Object uint32
	Pair          bool
}

func (k AdvisoryKey) key() string {
	b := []byte{'a', 0}
	if k.Pair {
		b[1] = 1
	}
	return string(binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(b, k.Class), k.Object))
}

func advisoryOf(key string) AdvisoryKey {
	return AdvisoryKey{
		Class: binary.BigEndian.Uint32([]byte(key[2:])), Object: binary.BigEndian.Uint32([]byte(key[6:])), Pair: key[1] == 1,
	}
}

// party is who waits for locks: a transaction, or a session with its transactions,
// which do not keep each other from anything.
type party struct {
	pid      uint32 // of the session, 0: none
	waitsFor *rowLock
	waitMode LockMode
}

// Advisory holds the advisory locks of a session that outlive its transactions, as
// PostgreSQL has them (functions-admin, advisory lock functions). A lock taken twice
// is to be let go of twice. For use by one goroutine at a time.
type Advisory struct {
	tx    *Tx // holds the locks; never has a snapshot
	times map[string]*[2]int
}

// Advisory returns the locks of the session pid.
func (db *DB) Advisory(pid uint32) *Advisory {
	return &Advisory{tx: &Tx{db: db, party: &party{pid: pid}}, times: map[string]*[2]int{}}
}

// In makes tx a transaction of the session whose locks a are. REQUIRES: it does not wait.
func (tx *Tx) In(a *Advisory) {
	l := tx.db.locks
	l.mu.Lock()
	defer l.mu.Unlock()
	tx.party = a.tx.party
}

func advisoryMode(shared bool) LockMode {
	if shared {
		return LockShare
	}
	return LockUpdate
}

// Lock takes k, alone or shared, and waits for it until ctx ends or timeout has passed
// (0: no limit). Without wait it reports whether the lock could be had. Errors: 40P01,
// 55P03, or the context's.
func (a *Advisory) Lock(ctx context.Context, timeout time.Duration, k AdvisoryKey, shared, wait bool) (bool, error) {
	a.tx.Waiting(ctx, timeout)
	if ok, err := a.tx.LockAdvisory(k, shared, wait); !ok || err != nil {
		return false, err
	}
	key := k.key()
	n := a.times[key]
	if n == nil {
		n = new([2]int)
		a.times[key] = n
	}
	n[kindOf(shared)]++
	a.settle(key, *n)
	return true, nil
}

// kindOf is the place in times of locks that are shared, or not.
func kindOf(shared bool) int {
	if shared {
		return 0
	}
	return 1
}

// LockAdvisory takes k until the transaction ends; as Advisory.Lock.
func (tx *Tx) LockAdvisory(k AdvisoryKey, shared, wait bool) (bool, error) {
	err := tx.acquire(k.key(), advisoryMode(shared), wait)
	if err == ErrLocked { //nolint:errorlint // acquire returns it itself
		return false, nil
	}
	return err == nil, err
}

// Unlock lets go of k, which was taken by Lock with the same shared; false: it was not.
func (a *Advisory) Unlock(k AdvisoryKey, shared bool) bool {
	key := k.key()
	n := a.times[key]
	if n == nil || n[kindOf(shared)] == 0 {
		return false
	}
	n[kindOf(shared)]--
	a.settle(key, *n)
	if *n == [2]int{} {
		delete(a.times, key)
	}
	return true
}

// UnlockAll lets go of all locks.
func (a *Advisory) UnlockAll() {
	a.tx.db.locks.unlock(a.tx)
	clear(a.times)
}

// settle makes what the session holds of key what times says: how often it was taken
// shared, and alone.
func (a *Advisory) settle(key string, times [2]int) {
	l := a.tx.db.locks
	l.mu.Lock()
	defer l.mu.Unlock()
	r := l.rows[key]
	i := slices.IndexFunc(r.holders, func(h holder) bool { return h.tx == a.tx })
	h := &r.holders[i]
	if times == [2]int{} {
		r.holders = slices.Delete(r.holders, i, i+1)
		delete(a.tx.locked, key)
	} else {
		h.mode, h.also = advisoryMode(times[1] == 0), times[0] > 0 && times[1] > 0
		a.tx.locked[key] = h.mode
	}
	r.wake()
	l.forget(key, r)
}

// AdvisoryLock is an advisory lock that a session has.
type AdvisoryLock struct {
	AdvisoryKey
	PID    uint32
	Shared bool
}

// AdvisoryLocks lists the advisory locks of all sessions, in no order.
func (db *DB) AdvisoryLocks() []AdvisoryLock {
	l := db.locks
	l.mu.Lock()
	defer l.mu.Unlock()
	var out []AdvisoryLock
	for key, r := range l.rows {
		if !strings.HasPrefix(key, "a") {
			continue
		}
		for _, h := range r.holders {
			out = append(out, AdvisoryLock{advisoryOf(key), h.tx.party.pid, h.mode == LockShare})
			if h.also {
				out = append(out, AdvisoryLock{advisoryOf(key), h.tx.party.pid, true})
			}
		}
	}
	return out
}
