// Package table keeps native tables and streams: rows by key in a state
// store, transactions over them, and the log of commits that feeds the views
// above.
//
// A commit is one batch of the store: the rows it changes and, for relations
// that a job reads, its log entry; it is durable before anyone sees it. Commits
// that arrive together share one fsync: the first becomes the leader and takes
// all that wait with it (commit.go). Transactions are optimistic: each statement
// reads a snapshot, writes collect in memory (tx.go), and a commit fails with
// ErrConflict when a row it changed was changed by another since.
//
// Keys:
//
//	'r' | relation uint32 | row key        → row        (rowenc)
//
//	'l' | seq uint64 | relation | part       → log entry  (storage/log)
//	'm'                                      → last sequence number, last row id
package table

import (
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"velostream/catalog/types"
	"velostream/pgwire/pgerror"
	"velostream/storage/log"
	"velostream/storage/state"
)

// ErrConflict is a commit's answer when another transaction changed one of its
// rows first. A statement run alone is simply run again.
var ErrConflict = errors.New("table: row changed by a concurrent transaction")

// Relation is what the store must know of a native table or stream.
type Relation struct {
	ID     uint32
	Schema string
	Name   string
	Names  []string     // of the columns
	Types  []types.Type // of the columns
	Key    []int        // the columns that identify a row
	// RowID is the column that the store fills with a unique growing number, -1: none.
	RowID int
	// Arrival is the timestamptz column that the store fills with the time at
	// which a row comes, -1: none.
	Arrival int
	// NotNull marks the columns that refuse NULL.
	NotNull []bool
	// Logged: some job reads it, so commits go to the log.
	Logged bool
}

// DB is all native relations. Safe for concurrent use.
type DB struct {
	store state.Store
	log   *log.Log

	mu   sync.RWMutex
	rels map[uint32]*Relation

	queueMu sync.Mutex
	queue   []*commitRequest
	leading bool

	// publish is held from the moment a group of commits is applied until it
	// is published, and by Cut: whoever holds it sees log and rows agree.
	publish sync.Mutex
	seq     uint64
	rowID   atomic.Int64 // last row id given out

	recent recent // guarded by publish
	active activeSet
}

var metaKey = []byte("m")

var logPrefix = []byte("l")

// Open reads the state of all native relations in store.
func Open(store state.Store) (*DB, error) {
	db := &DB{store: store, rels: map[uint32]*Relation{}, recent: newRecent(), active: newActiveSet()}
	b, err := store.Get(metaKey)
	if err != nil {
		return nil, fmt.Errorf("table: %w", err)
	}
	if len(b) == 16 {
		db.seq = binary.BigEndian.Uint64(b)
		db.rowID.Store(int64(binary.BigEndian.Uint64(b[8:])))
	}
	db.log = log.New(log.Options{
		Store: store, Prefix: logPrefix, Types: db.types, MemoryBytes: 32 << 20, Last: db.seq,
	})
	return db, nil
}

// Log is the log of commits of all logged relations.
func (db *DB) Log() *log.Log { return db.log }

// Define adds a relation, or changes what is known of it.
func (db *DB) Define(r *Relation) {
	db.mu.Lock()
	defer db.mu.Unlock()
	db.rels[r.ID] = r
}

// Drop forgets a relation and deletes its rows.
func (db *DB) Drop(id uint32) error {
	db.mu.Lock()
	delete(db.rels, id)
	db.mu.Unlock()
	b := db.store.NewBatch()
	lo, hi := RowRange(id)
	b.DeleteRange(lo, hi)
	return db.store.Commit(b, true)
}

// Sweep deletes the rows of relations that are not kept.
func (db *DB) Sweep(kept func(id uint32) bool) error {
	for from := uint32(0); ; {
		id, found := uint32(0), false
		for e, err := range db.store.Scan(rowKey(nil, from), []byte{'r' + 1}) {
			if err != nil {
				return err
			}
			id, found = binary.BigEndian.Uint32(e.Key[1:]), true
			break
		}
		if !found {
			return nil
		}
		if !kept(id) {
			if err := db.Drop(id); err != nil {
				return err
			}
		}
		if from = id + 1; from == 0 {
			return nil
		}
	}
}

// Truncate deletes the log entries up to and with seq: every job has
// checkpointed beyond it.
func (db *DB) Truncate(seq uint64) error {
	b := db.store.NewBatch()
	db.log.Truncate(b, seq+1)
	return db.store.Commit(b, false)
}

// Cut calls f with the newest commit's number and a snapshot of exactly that
// moment, while no commit can be published. f must not block.
func (db *DB) Cut(f func(seq uint64, snap state.Snapshot)) {
	db.publish.Lock()
	defer db.publish.Unlock()
	f(db.seq, db.store.Snapshot())
}

func (db *DB) relation(id uint32) (*Relation, error) {
	db.mu.RLock()
	defer db.mu.RUnlock()
	r := db.rels[id]
	if r == nil {
		return nil, pgerror.New(pgerror.UndefinedTable, "relation with OID %d does not exist", id)
	}
	return r, nil
}

func (db *DB) types(id uint32) []types.Type {
	if r, err := db.relation(id); err == nil {
		return r.Types
	}
	return nil
}

func rowKey(dst []byte, rel uint32) []byte {
	return binary.BigEndian.AppendUint32(append(dst, 'r'), rel)
}

// RowRange is where the rows of a relation are in the store, in key order.
func RowRange(rel uint32) (lo, hi []byte) {
	return rowKey(nil, rel), rowKey(nil, rel+1)
}
