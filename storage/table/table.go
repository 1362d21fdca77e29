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
//	'v'                                      → nothing: commits may be missing (volatile.go)
//	'c'                                      → the last change of the catalog that is
//	                                           one with rows (commitdefining.go)
//
// Where rows and index entries are kept is a number of its own, at first the
// OID: a table whose rows are written anew gets another, so that those who read
// the old ones go on doing so.
package table

import (
	"encoding/binary"
	"errors"
	"fmt"
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
	ID uint32
	// Storage is where its rows are kept, 0: under ID.
	Storage uint32
	Schema  string
	Name    string
	Names   []string     // of the columns
	Types   []types.Type // of the columns
	Key     []int        // the columns that identify a row
	// RowID is the column that the store fills with a unique growing number, -1: none.
	RowID int
	// Arrival is the timestamptz column that the store fills with the time at
	// which a row comes, -1: none.
	Arrival int
	// NotNull marks the columns that refuse NULL.
	NotNull []bool
	// Logged: some job reads it, so commits go to the log.
	Logged bool
	// Volatile: nothing of it is to be there after a restart, so that nobody waits for
	// the disk because of it. Emptied: its rows end with the transaction that writes
	// them.
	Volatile, Emptied bool

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
	// Derive computes what rows are indexed by beside their columns: columns that the
	// caller owns, which indexes count behind those of a row. nil: nothing. Derived names
	// them in messages.
	Derive  func(b *column.Batch) ([]*column.Column, error)
	Derived []string
	Checks  []Check
	// Foreign are the relation's foreign keys, Referenced those of others, and
	// its own, that refer to it.
	Foreign    []*ForeignKey
	Referenced []*ForeignKey

	checks string // names all constraints, see shape
	index  bool   // of an Index: its entries
	parent uint32 // the relation that the index is of
	shared bool   // entries that no other row can have: no conflict is about them
}

// Check is a condition that new rows must meet. Violated returns the first row
// of b for which it is false, -1: none. Safe for concurrent use.
type Check struct {
	Name string
	// Domain is set for a check of a column's domain, whose error it is; with Null, that
	// the domain refuses NULL.
	Domain   string
	Null     bool
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
	relaxed relaxed      // guarded by publish
	failed  bool         // a commit did not get to the disk: the store has rows that are not committed
	rowID   atomic.Int64 // last row id given out

	recentMu sync.Mutex
	recent   recent            // guarded by recentMu
	changed  map[uint32]uint64 // the last commit that wrote to a relation or index, guarded by recentMu
	active   activeSet
	arrived  map[uint32]int64 // the newest time of arrival of a stream, guarded by publish
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
		sequences: map[uint32]*sequence{}, changed: map[uint32]uint64{}, arrived: map[uint32]int64{},
	}
	b, err := store.Get(metaKey)
	if err != nil {
		return nil, fmt.Errorf("table: %w", err)
	}
	if len(b) == 16 {
		db.seq = binary.BigEndian.Uint64(b)
		db.rowID.Store(int64(binary.BigEndian.Uint64(b[8:])))
	}
	if err := db.skipLost(); err != nil {
		return nil, err
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
	v := db.present()
	f(db.seq, &held{rowsAt: v.rows, v: v})
}

func (db *DB) relation(id uint32) (*Relation, error) {
	r := db.current.Load().rels[id]
	if r == nil {
		return nil, noRelation(id)
	}
	return r, nil
}

func noRelation(id uint32) error {
	return pgerror.New(pgerror.UndefinedTable, "relation with OID %d does not exist", id)
}

func (db *DB) types(id uint32) []types.Type {
	if r, err := db.relation(id); err == nil {
		return r.Types
	}
	return nil
}

func rowKey(dst []byte, storage uint32) []byte {
	return binary.BigEndian.AppendUint32(append(dst, 'r'), storage)
}

// rowRange is where the rows of a storage are in the store, in key order.
func rowRange(storage uint32) (lo, hi []byte) {
	return rowKey(nil, storage), rowKey(nil, storage+1)
}
