package state

import (
	"bytes"
	"iter"
	"sync"
	"sync/atomic"

	"github.com/tidwall/btree"

	"velostream/pgwire/pgerror"
)

// MemOptions of NewMem.
type MemOptions struct {
	// BytesMax bounds keys and values together, 1 GiB when 0. A commit beyond
	// it fails with 53200 and changes nothing.
	BytesMax int64
}

// EnsureDefaults fills in what is not set.
func (o *MemOptions) EnsureDefaults() {
	if o.BytesMax == 0 {
		o.BytesMax = 1 << 30
	}
}

// memStore is a Store in memory, for queries that end and for tests. Each
// commit makes a new version of a copy-on-write tree; readers and snapshots
// keep the version they began with, without locks.
type memStore struct {
	o       MemOptions
	mu      sync.Mutex // commits, one at a time
	current atomic.Pointer[memVersion]
	closed  atomic.Bool
}

// memVersion is the content after a commit. Never changed.
type memVersion struct {
	tree  *btree.BTreeG[Entry]
	bytes int64
}

// memEntryBytes is what an entry costs beside its key and value.
const memEntryBytes = 64

// NewMem makes an empty Store in memory. What is committed with sync is as
// durable as the process.
func NewMem(o MemOptions) Store {
	o.EnsureDefaults()
	s := &memStore{o: o}
	s.current.Store(&memVersion{tree: btree.NewBTreeGOptions(
		func(a, b Entry) bool { return bytes.Compare(a.Key, b.Key) < 0 },
		btree.Options{NoLocks: true})})
	return s
}

// version is the present content, or why there is none.
func (s *memStore) version() (*memVersion, error) {
	if s.closed.Load() {
		return nil, errClosed()
	}
	return s.current.Load(), nil
}

// Get implements Reader.
func (s *memStore) Get(k []byte) ([]byte, error) {
	v, err := s.version()
	if err != nil {
		return nil, err
	}
	return v.get(k), nil
}

// Scan implements Reader.
func (s *memStore) Scan(lo, hi []byte) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		v, err := s.version()
		if err != nil {
			yield(Entry{}, err)
			return
		}
		v.scan(lo, hi, yield)
	}
}

func (v *memVersion) get(k []byte) []byte {
	e, ok := v.tree.Get(Entry{Key: k})
	if !ok {
		return nil
	}
	return append(make([]byte, 0, len(e.Value)), e.Value...)
}

func (v *memVersion) scan(lo, hi []byte, yield func(Entry, error) bool) {
	v.tree.Ascend(Entry{Key: lo}, func(e Entry) bool {
		return (hi == nil || bytes.Compare(e.Key, hi) < 0) && yield(e, nil)
	})
}

// Snapshot implements Store.
func (s *memStore) Snapshot() Snapshot {
	sn := &memSnapshot{s: s}
	sn.v.Store(s.current.Load())
	return sn
}

// NewBatch implements Store.
func (s *memStore) NewBatch() Batch { return &memBatch{s: s} }

// Commit implements Store.
func (s *memStore) Commit(b Batch, _ bool) error {
	mb, ok := b.(*memBatch)
	if !ok || mb.s != s {
		return pgerror.New(pgerror.InternalError, "batch of another state store")
	}
	if mb.used {
		return pgerror.New(pgerror.InternalError, "batch was committed before")
	}
	if s.closed.Load() {
		return errClosed()
	}
	mb.used = true
	ops, size := mb.ops, mb.size
	mb.ops, mb.size = nil, 0
	if mb.err != nil {
		return mb.err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	old := s.current.Load()
	next := &memVersion{tree: old.tree.Copy(), bytes: old.bytes}
	for i := range ops {
		next.apply(&ops[i])
	}
	if next.bytes > s.o.BytesMax && next.bytes > old.bytes {
		return pgerror.New(pgerror.OutOfMemory, "state of %d bytes in memory exceeds the maximum of %d", next.bytes, s.o.BytesMax).
			WithDetail("The change of %d bytes was not made.", size)
	}
	s.current.Store(next)
	return nil
}

func (v *memVersion) apply(o *memOp) {
	switch o.kind {
	case memPut:
		if old, ok := v.tree.Set(o.e); ok {
			v.bytes -= entryBytes(old)
		}
		v.bytes += entryBytes(o.e)
	case memDelete:
		if old, ok := v.tree.Delete(o.e); ok {
			v.bytes -= entryBytes(old)
		}
	case memDeleteRange:
		// Collected first: the tree may not change while it is walked.
		var gone []Entry
		v.scan(o.e.Key, o.e.Value, func(e Entry, _ error) bool {
			gone = append(gone, e)
			return true
		})
		for _, e := range gone {
			v.tree.Delete(e)
			v.bytes -= entryBytes(e)
		}
	}
}

func entryBytes(e Entry) int64 { return int64(len(e.Key) + len(e.Value) + memEntryBytes) }

// Close implements Store.
func (s *memStore) Close() error {
	s.closed.Store(true)
	return nil
}

// memSnapshot implements Snapshot.
type memSnapshot struct {
	s *memStore
	v atomic.Pointer[memVersion] // nil once closed
}

func (sn *memSnapshot) version() (*memVersion, error) {
	if sn.s.closed.Load() {
		return nil, errClosed()
	}
	if v := sn.v.Load(); v != nil {
		return v, nil
	}
	return nil, errSnapshotClosed()
}

// Get implements Reader.
func (sn *memSnapshot) Get(k []byte) ([]byte, error) {
	v, err := sn.version()
	if err != nil {
		return nil, err
	}
	return v.get(k), nil
}

// Scan implements Reader.
func (sn *memSnapshot) Scan(lo, hi []byte) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		v, err := sn.version()
		if err != nil {
			yield(Entry{}, err)
			return
		}
		v.scan(lo, hi, yield)
	}
}

// Close implements Snapshot. A second Close does nothing.
func (sn *memSnapshot) Close() error {
	sn.v.Store(nil)
	return nil
}

// memBatch implements Batch.
type memBatch struct {
	s    *memStore
	ops  []memOp
	size int
	used bool
	err  error
}

type memOp struct {
	kind memKind
	e    Entry // a range is from Key to Value
}

type memKind uint8

const (
	memPut memKind = iota
	memDelete
	memDeleteRange
)

func (b *memBatch) add(kind memKind, k, v []byte) {
	if b.used || b.err != nil {
		return
	}
	n := len(k) + len(v)
	if b.size+n > BatchBytesMax {
		b.err = pgerror.New(pgerror.ProgramLimitExceeded, "state written at once exceeds the maximum of %d bytes", BatchBytesMax)
		return
	}
	// One allocation for both: they live and die together.
	buf := append(append(make([]byte, 0, n), k...), v...)
	o := memOp{kind: kind, e: Entry{Key: buf[:len(k):len(k)], Value: buf[len(k):]}}
	if kind == memDeleteRange && v == nil {
		o.e.Value = nil
	}
	b.ops = append(b.ops, o)
	b.size += n
}

// Put implements Batch.
func (b *memBatch) Put(k, v []byte) {
	if err := checkEntry(k, len(v)); err != nil {
		if b.err == nil {
			b.err = err
		}
		return
	}
	b.add(memPut, k, v)
}

// Delete implements Batch.
func (b *memBatch) Delete(k []byte) {
	if len(k) > 0 {
		b.add(memDelete, k, nil)
	}
}

// DeleteRange implements Batch. hi nil is to the end.
func (b *memBatch) DeleteRange(lo, hi []byte) {
	if hi == nil || bytes.Compare(lo, hi) < 0 {
		b.add(memDeleteRange, lo, hi)
	}
}

// Len implements Batch.
func (b *memBatch) Len() int { return len(b.ops) }

// Size implements Batch.
func (b *memBatch) Size() int { return b.size }
