// Package log is the ordered changelog behind everything that can be read
// while it changes: the commits of native tables and streams, and the epochs of
// views and derived streams.
//
// A Log is a sequence of entries with growing sequence numbers. The newest
// are held in memory, where all readers share them; what is persisted may be
// dropped from memory and is then read back from the store. An entry is
// readable as soon as it is appended; whether it is persisted before (native
// commits) or after (epochs, with the next checkpoint of their job) is up to the
// writer. Unpersisted entries can be rolled back when their job fails.
//
//	          dropped from memory        in memory
//	store  [ 1 2 3 4 5 6 7 8 9 10 ]   [ 8 9 10 | 11 12 13 ]
//	         truncated ↑                persisted ↑      ↑ last
//
// Keys in the store: prefix | seq uint64 | relation uint32 | part uint32.
package log

import (
	"encoding/binary"
	"fmt"
	"sync"
	"time"

	"velostream/catalog/types"
	"velostream/storage/column"
	"velostream/storage/state"
)

// Change is what an entry does to one relation.
type Change struct {
	Relation uint32
	Batch    *column.Batch // immutable, shared by all readers
}

// Entry is one atomic step: a committed transaction, or an epoch.
type Entry struct {
	Seq uint64
	// Time is when it was appended, µs since the Unix epoch, or a time given to Append;
	// growing from entry to entry. 0 for entries read back from the store, unless Options.Times.
	Time    int64
	Changes []Change
}

// Options configure a Log.
type Options struct {
	Store  state.Store
	Prefix []byte // of its keys in Store
	// Types are the column types of a relation, to read entries back.
	Types func(relation uint32) []types.Type
	// MemoryBytes bounds what persisted entries may take in memory.
	MemoryBytes int
	// Last is the newest sequence number; all entries up to it are persisted.
	Last uint64
	// Times has the time of each entry stored with it.
	Times bool
	// Truncated is the newest entry that was deleted from the store.
	Truncated uint64
	// Discard: entries are not kept once they left memory, because only
	// readers of the present exist (transient queries). Readers that fall behind
	// get ErrBehind.
	Discard bool
}

// Log is a sequence of entries. Safe for concurrent use, with one appender.
type Log struct {
	o Options

	mu        sync.Mutex
	ring      []Entry // ascending; every entry after floor
	sizes     []int
	bytes     int
	floor     uint64 // entries up to here are no longer in memory
	last      uint64
	lastTime  int64 // Time of the newest entry, also of one without changes
	persisted uint64
	staged    uint64 // put into a batch that is not yet committed
	skipped   uint64 // entries up to here were counted as staged, not written
	gap       uint64 // newest entry that is neither in memory nor in the store
	truncated uint64 // newest entry that was deleted from the store
	failed    error
	watch     map[*Reader]struct{}
}

// New returns the log that ends at o.Last.
func New(o Options) *Log {
	if o.MemoryBytes == 0 {
		o.MemoryBytes = 16 << 20
	}
	return &Log{o: o, truncated: o.Truncated, floor: o.Last, last: o.Last, persisted: o.Last, staged: o.Last, watch: map[*Reader]struct{}{}}
}

// Last is the newest sequence number.
func (l *Log) Last() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.last
}

// LastTime is the Time of the newest entry: everything before it is known.
func (l *Log) LastTime() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.lastTime
}

// Persisted is the newest sequence number that a restart will know.
func (l *Log) Persisted() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.persisted
}

// Append adds e and wakes the readers that it concerns. An entry without changes only advances
// Last. REQUIRES: e.Seq > Last().
func (l *Log) Append(e Entry) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.last = e.Seq
	if e.Time == 0 {
		e.Time = time.Now().UnixMicro()
	}
	e.Time = max(e.Time, l.lastTime+1)
	l.lastTime = e.Time
	if len(e.Changes) > 0 {
		n := 0
		for _, c := range e.Changes {
			n += int(c.Batch.MemSize())
		}
		l.ring, l.sizes = append(l.ring, e), append(l.sizes, n)
		l.bytes += n
		l.shrink()
	}
	l.wakeFor(e)
}

// wakeFor wakes the readers that e concerns.
func (l *Log) wakeFor(e Entry) {
	for r := range l.watch {
		if r.concerns(e) {
			r.ahead = true
			r.poke()
		}
	}
}

// AppendStored adds an entry that is in the store already and is not to be held
// in memory. Only the relations of e's changes count, the batches are nil.
// REQUIRES: e.Seq > Last(), and all entries before it are persisted.
func (l *Log) AppendStored(e Entry) {
	l.mu.Lock()
	defer l.mu.Unlock()
	clear(l.ring)
	l.ring, l.sizes, l.bytes = l.ring[:0], l.sizes[:0], 0
	l.last, l.persisted, l.staged, l.floor = e.Seq, e.Seq, e.Seq, e.Seq
	l.lastTime = max(time.Now().UnixMicro(), l.lastTime+1)
	l.wakeFor(e)
}

// AppendPersisted is Append of an entry that is already in the store.
func (l *Log) AppendPersisted(e Entry) {
	l.mu.Lock()
	l.persisted, l.staged = e.Seq, e.Seq
	l.mu.Unlock()
	l.Append(e)
}

// shrink drops persisted entries over the memory bound.
func (l *Log) shrink() {
	n := 0
	for l.bytes > l.o.MemoryBytes && n < len(l.ring) && (l.o.Discard || l.ring[n].Seq <= l.persisted) {
		l.bytes -= l.sizes[n]
		l.floor = l.ring[n].Seq
		if l.floor <= l.skipped {
			l.gap = l.floor
		}
		n++
	}
	if n > 0 {
		clear(l.ring[:n])
		l.ring, l.sizes = l.ring[n:], l.sizes[n:]
	}
}

// PendingBytes is the size of the entries that are not persisted yet; a job
// checkpoints early when it grows large, because they can't leave memory.
func (l *Log) PendingBytes() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := 0
	for i := len(l.ring) - 1; i >= 0 && l.ring[i].Seq > l.persisted; i-- {
		n += l.sizes[i]
	}
	return n
}

// Stage puts the entries that are not persisted yet into b, up to and with
// Last. After b is committed call Persist.
func (l *Log) Stage(b state.Batch) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, e := range l.ring {
		if e.Seq > l.staged {
			AppendTo(b, l.o.Prefix, e)
			if l.o.Times {
				key := binary.BigEndian.AppendUint64(entryKey(nil, l.o.Prefix, e.Seq), timeOf)
				b.Put(key, binary.BigEndian.AppendUint64(nil, uint64(e.Time)))
			}
		}
	}
	l.staged = l.last
}

// Skip counts the entries so far as staged without writing them: nobody will
// read them after a restart.
func (l *Log) Skip() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.staged, l.skipped = l.last, l.last
}

// Wants reports whether a reader is interested in relation rel.
func (l *Log) Wants(rel uint32) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for r := range l.watch {
		if r.rels == nil || r.rels[rel] {
			return true
		}
	}
	return false
}

// Watched reports whether there are readers.
func (l *Log) Watched() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.watch) > 0
}

// Persist says that what was staged is committed.
func (l *Log) Persist() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.persisted = l.staged
	l.shrink()
}

// AppendTo writes e under prefix into b.
func AppendTo(b state.Batch, prefix []byte, e Entry) {
	var val []byte
	for i, c := range e.Changes {
		val = column.AppendEncoded(val[:0], c.Batch)
		b.Put(ChangeKey(prefix, e.Seq, c.Relation, i), val)
	}
}

// ChangeKey is the key of a change in the store: the part-th of its entry. The
// value is column.AppendEncoded of its batch. Several parts may be of one relation.
func ChangeKey(prefix []byte, seq uint64, relation uint32, part int) []byte {
	key := entryKey(nil, prefix, seq)
	key = binary.BigEndian.AppendUint32(key, relation)
	return binary.BigEndian.AppendUint32(key, uint32(part))
}

// timeOf is the relation and part of the key that has an entry's time: behind
// all changes.
const timeOf = 1<<64 - 1

// Truncate deletes the entries before seq from the store, with b; those that a
// reader has still before it stay, unless the reader lets go of them.
func (l *Log) Truncate(b state.Batch, seq uint64) {
	l.mu.Lock()
	for r := range l.watch {
		if !r.loose {
			seq = min(seq, r.done+1)
		}
	}
	if seq > 0 {
		l.truncated = max(l.truncated, seq-1)
	}
	l.mu.Unlock()
	b.DeleteRange(entryKey(nil, l.o.Prefix, 0), entryKey(nil, l.o.Prefix, seq))
}

// Rollback drops the entries that are not persisted: their job failed and goes
// on from its checkpoint. Their numbers are used again, so readers beyond it
// get ErrRolledBack, also when the log has grown past them meanwhile.
func (l *Log) Rollback() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.last == l.persisted {
		return
	}
	n := len(l.ring)
	for n > 0 && l.ring[n-1].Seq > l.persisted {
		n--
		l.bytes -= l.sizes[n]
	}
	l.ring, l.sizes = l.ring[:n], l.sizes[:n]
	l.last, l.staged = l.persisted, l.persisted
	l.floor = min(l.floor, l.persisted)
	for r := range l.watch {
		r.gone = r.gone || r.pos > l.persisted
	}
	l.pokeAll()
}

// Fail gives all readers err from now on: the relation is gone, or its job
// failed. nil clears it.
func (l *Log) Fail(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.failed = err
	l.pokeAll()
}

func (l *Log) pokeAll() {
	for r := range l.watch {
		r.ahead = true
		r.poke()
	}
}

// Expired returns the newest of the stored entries after a given one that were
// appended before a time, µs since the Unix epoch, looking at no more than
// some; after when there is none. REQUIRES: Options.Times.
func (l *Log) Expired(after uint64, before int64) (uint64, error) {
	const most = 100_000 // keys
	n := 0
	lo, hi := entryKey(nil, l.o.Prefix, after+1), entryKey(nil, l.o.Prefix, l.Persisted()+1)
	for kv, err := range l.o.Store.Scan(lo, hi) {
		if err != nil {
			return after, err
		}
		if n++; n > most {
			break
		}
		k := kv.Key[len(l.o.Prefix):]
		if len(k) != 16 || binary.BigEndian.Uint64(k[8:]) != timeOf || len(kv.Value) != 8 {
			continue
		}
		if int64(binary.BigEndian.Uint64(kv.Value)) >= before {
			break
		}
		after = binary.BigEndian.Uint64(k)
	}
	return after, nil
}

// Truncated is the newest entry that was deleted from the store.
func (l *Log) Truncated() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.truncated
}

func entryKey(dst, prefix []byte, seq uint64) []byte {
	return binary.BigEndian.AppendUint64(append(dst, prefix...), seq)
}

// stored is what readStored found.
type stored struct {
	entries []Entry
	// next is where reading goes on within the last entry, nil: it is whole.
	next []byte
}

// readStored reads the entries after and up to the given sequence numbers from
// the store, or from the key from on, for about limit bytes; rels nil means all
// relations. Only if parts, the last entry may be cut off.
func (l *Log) readStored(after, upTo uint64, from []byte, rels map[uint32]bool, limit int, parts bool) (stored, error) {
	lo, hi := entryKey(nil, l.o.Prefix, after+1), entryKey(nil, l.o.Prefix, upTo+1)
	if from != nil {
		lo = from
	}
	var out stored
	size := 0
	for kv, err := range l.o.Store.Scan(lo, hi) {
		if err != nil {
			return out, err
		}
		k := kv.Key[len(l.o.Prefix):]
		if len(k) != 16 {
			return out, fmt.Errorf("log: key of %d bytes", len(kv.Key))
		}
		seq, rel := binary.BigEndian.Uint64(k), binary.BigEndian.Uint32(k[8:])
		n := len(out.entries)
		if n > 0 && size > limit {
			if out.entries[n-1].Seq != seq {
				break
			}
			if parts {
				out.next = append([]byte(nil), kv.Key...)
				break
			}
		}
		if rel == timeOf>>32 {
			if n > 0 && out.entries[n-1].Seq == seq && len(kv.Value) == 8 {
				out.entries[n-1].Time = int64(binary.BigEndian.Uint64(kv.Value))
			}
			continue
		}
		if rels != nil && !rels[rel] {
			continue
		}
		batch, err := column.DecodeFirst(kv.Value, l.o.Types(rel))
		if err != nil {
			return out, fmt.Errorf("log: entry %d of relation %d: %w", seq, rel, err)
		}
		size += len(kv.Value)
		if n == 0 || out.entries[n-1].Seq != seq {
			out.entries = append(out.entries, Entry{Seq: seq})
		}
		e := &out.entries[len(out.entries)-1]
		e.Changes = append(e.Changes, Change{rel, batch})
	}
	return out, nil
}
