// Package state keeps what operators remember: ordered bytes in tables, in a
// Store that commits atomically and survives kill -9.
//
// Three layers, from the bottom:
//
//	Store   one ordered key space with atomic batches and snapshots (pebble.go, mem.go)
//	Space   the tables of one shard of one job: a write buffer over the Store;
//	        what was written is read back at once, and becomes part of the Store
//	        when the coordinator commits the epoch (space.go)
//	Table   what an operator sees: Get, Put, Delete, DeleteRange, Scan under a prefix
//
// An epoch that flushes is one Batch: the writes of all shards of the job and
// its source positions, so after a crash a job is exactly at a committed epoch.
package state

import "iter"

// Epoch is a cut across all inputs of a job. IDs grow by one; epoch 0 is the
// state before any input.
type Epoch struct {
	ID uint64
	// Flush asks operators to write everything that changed since the last
	// flushed epoch to their tables before Barrier returns: a read fence or a
	// checkpoint follows. Without it an operator only emits its changes.
	Flush bool
}

// Entry is a key with its value. Both are valid until the iteration's next
// step; who keeps them copies them.
type Entry struct{ Key, Value []byte }

// Reader reads one ordered key space at one moment.
type Reader interface {
	// Get returns the value of k, nil when there is none. The value is the
	// caller's.
	Get(k []byte) ([]byte, error)
	// Scan yields the entries with lo <= key < hi in order (hi nil: to the
	// end), until the caller stops or an error is yielded (then Entry is empty).
	Scan(lo, hi []byte) iter.Seq2[Entry, error]
}

// Table is the state of one operator in one shard. Used by one goroutine.
// Keys and values passed in are copied. Reads see the task's own writes.
type Table interface {
	Reader
	Put(k, v []byte) error
	Delete(k []byte) error
	DeleteRange(lo, hi []byte) error
	// Fresh reports that the table held nothing when the task started, so
	// that a miss in memory need not be looked up.
	Fresh() bool
}

// Store is one ordered key space. Safe for concurrent use. Reading it sees
// what is committed.
type Store interface {
	Reader
	// Snapshot fixes the present content for reading until Close.
	Snapshot() Snapshot
	// NewBatch starts a set of writes.
	NewBatch() Batch
	// Commit applies b atomically, and when sync durably: on return it
	// survives a crash of the machine. Without sync it survives only together
	// with all commits before it (after a crash the store holds a prefix of
	// the commits; see Options.PushInterval). Concurrent durable commits share one fsync. b is used up.
	Commit(b Batch, sync bool) error
	// NewRun starts a run, to be committed with CommitRuns.
	NewRun() RunWriter
	// CommitRuns is a durable Commit of b and the entries of runs of this store, or in
	// memory, no two of which have a key in common; where b has it too, b wins.
	// The runs must still be closed, and may be read until then. REQUIRES: b
	// deletes no ranges.
	CommitRuns(b Batch, runs []*Run) error
	// Close writes everything out and frees the files.
	Close() error
}

// Snapshot is a Reader of one moment. Safe for concurrent use.
type Snapshot interface {
	Reader
	Close() error
}

// Batch is a set of writes, applied in order. Keys and values are copied.
// For one goroutine.
type Batch interface {
	Put(k, v []byte)
	Delete(k []byte)
	DeleteRange(lo, hi []byte)
	// Len is the number of writes, Size their bytes.
	Len() int
	Size() int
}
