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
//	'r' | relation uint32 | row key          → number of columns uvarint, row (rowenc)
//	'i' | index uint32 | …                   → row key    (index.go)
//	's' | sequence uint32                    → number     (sequence.go)
//	'l' | seq uint64 | relation | part       → log entry  (storage/log)
//	'm'                                      → last sequence number, last row id
package table

import (
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"

	"velostream/catalog/types"
	"velostream/pgwire/pgerror"
	"velostream/storage/column"
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

	// Version of the catalog that says so: an older one does not replace it.
	Version uint64
	// Hidden marks columns that messages leave out.
	Hidden []bool
	// Missing are the values of columns that rows older than them do not have;
	// shorter than Types, or nil: NULL.
	Missing []types.Datum
	// KeyName is the name of the primary key.
	KeyName string
	Indexes []*Index
	Checks  []Check
	// Foreign are the relation's foreign keys, Referenced those of others, and
	// its own, that refer to it.
	Foreign    []*ForeignKey
	Referenced []*ForeignKey

	checks string // names all constraints, see shape
	index  bool   // of an Index: its entries
	shared bool   // entries that no other row can have: no conflict is about them
}

// Check is a condition that new rows must meet. Violated returns the first row
// of b for which it is false, -1: none. Safe for concurrent use.
type Check struct {
	Name     string
	Violated func(b *column.Batch) (int, error)
}

// DB is all native relations. Safe for concurrent use.
type DB struct {
	store  state.Store
	log    *log.Log
	limits limits

	mu      sync.Mutex // whoever sets current
	current atomic.Pointer[version]

	queueMu sync.Mutex
	queue   []*commitRequest
	leading bool

	// publish is held from the moment a group of commits is applied until it
	// is published, and by Cut: whoever holds it sees log and rows agree.
	publish sync.Mutex
	seq     uint64
	failed  bool         // a commit did not get to the disk: the store has rows that are not committed
	rowID   atomic.Int64 // last row id given out

	recentMu sync.Mutex
	recent   recent            // guarded by recentMu
	changed  map[uint32]uint64 // the last commit that wrote to a relation or index, guarded by recentMu
	active   activeSet
	locks    *locks

	seqMu     sync.Mutex
	sequences map[uint32]*sequence
}

var metaKey = []byte("m")

var logPrefix = []byte("l")

// Open reads the state of all native relations in store.
func Open(store state.Store) (*DB, error) {
	db := &DB{
		store: store, limits: defaultLimits(), recent: newRecent(), active: newActiveSet(), locks: newLocks(),
		sequences: map[uint32]*sequence{}, changed: map[uint32]uint64{},
	}
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
	rows := &rowsAt{Snapshot: store.Snapshot()}
	rows.refs.Store(1)
	db.current.Store(&version{rows: rows, seq: db.seq, rels: map[uint32]*Relation{}})
	return db, nil
}

// Log is the log of commits of all logged relations.
func (db *DB) Log() *log.Log { return db.log }

// Define adds relations, or changes what is known of them. The rows of indexes
// that they no longer have are deleted.
func (db *DB) Define(rels ...*Relation) error {
	var changed []*Relation
	var gone []uint32
	db.mu.Lock()
	known := db.current.Load().rels
	for _, r := range rels {
		old := known[r.ID]
		if old != nil && old.Version > r.Version {
			continue
		}
		r.prepare()
		changed = append(changed, r)
		if old == nil {
			continue
		}
		for _, x := range old.Indexes {
			if !slices.ContainsFunc(r.Indexes, func(y *Index) bool { return y.ID == x.ID }) {
				gone = append(gone, x.ID)
			}
		}
	}
	db.redefine(changed...)
	db.mu.Unlock()
	for _, id := range gone {
		// Whoever commits from here on no longer writes to the index.
		db.publish.Lock()
		err := db.dropIndex(id)
		db.publish.Unlock()
		if err != nil {
			return err
		}
	}
	return nil
}

// Drop forgets a relation or sequence and deletes what is stored of it.
func (db *DB) Drop(id uint32) error {
	db.mu.Lock()
	next := *db.current.Load()
	old := next.rels[id]
	if old != nil {
		next.rels = maps.Clone(next.rels)
		delete(next.rels, id)
		db.current.Store(&next)
	}
	db.mu.Unlock()
	b := db.store.NewBatch()
	lo, hi := RowRange(id)
	b.DeleteRange(lo, hi)
	b.Delete(sequenceKey(id))
	db.seqMu.Lock()
	delete(db.sequences, id)
	db.seqMu.Unlock()
	if old != nil {
		for _, x := range old.Indexes {
			b.DeleteRange(indexKey(nil, x.ID), indexKey(nil, x.ID+1))
		}
	}
	if err := db.store.Commit(b, true); err != nil {
		return err
	}
	db.refresh()
	return nil
}

// Sweep deletes the rows of relations and sequences, and the entries of indexes,
// that are not kept.
func (db *DB) Sweep(kept, keptIndex func(id uint32) bool) error {
	if err := db.sweep('r', kept, db.Drop); err != nil {
		return err
	}
	if err := db.sweep('s', kept, db.Drop); err != nil {
		return err
	}
	return db.sweep('i', keptIndex, db.dropIndex)
}

// sweep drops the OIDs after the given first byte of keys that are not kept.
func (db *DB) sweep(first byte, kept func(id uint32) bool, drop func(id uint32) error) error {
	for from := uint32(0); ; {
		id, found := uint32(0), false
		for e, err := range db.store.Scan(binary.BigEndian.AppendUint32([]byte{first}, from), []byte{first + 1}) {
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
			if err := drop(id); err != nil {
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
	f(db.seq, &held{rowsAt: db.present().rows})
}

func (db *DB) relation(id uint32) (*Relation, error) {
	r := db.current.Load().rels[id]
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
