package state

import (
	"bytes"
	"iter"
	"slices"
	"sync/atomic"

	"velostream/pgwire/pgerror"
)

// Space is the tables of one shard of one job. What is written stays in memory
// until the coordinator commits it:
//
//	Table.Put ──> buffer ──Seal(batch)──> sealed ──Committed──> gone: it is in the Store
//	Table.Get  =  buffer, then sealed from the youngest, then Store
//
// Seal copies the writes into the coordinator's batch, which holds all shards
// of the job and its source positions. Until that batch is committed reads need
// the sealed buffers; they are kept until Committed.
//
// A Space and its tables are for one goroutine at a time; only Committed may be
// called from another.
type Space struct {
	store  Store
	job    uint32
	shard  uint16
	tables []*table
	byID   map[uint16]*table
	sealed []*Sealed // oldest first
}

// Sealed is the writes of a Space that are in a batch under way.
type Sealed struct {
	// buffers has one place for each of the Space's tables; it becomes nil by
	// Committed. That pointer is the whole hand-over between the goroutines:
	// a reader either still finds the buffers, or it finds none and then the
	// Store, read afterwards, has them.
	buffers atomic.Pointer[[]*buffer]
	size    int
}

// NewSpace makes the Space of a shard of a job on what store holds of it.
func NewSpace(store Store, job uint32, shard uint16) *Space {
	return &Space{store: store, job: job, shard: shard, byID: map[uint16]*table{}}
}

// Table is the table with that ID, the same each time.
func (s *Space) Table(id uint16) Table {
	if t, ok := s.byID[id]; ok {
		return t
	}
	t := &table{s: s, at: len(s.tables), prefix: Prefix(s.job, id, s.shard), open: &buffer{}}
	t.scratch = append(make([]byte, 0, 64), t.prefix...)
	t.fresh = t.untouched()
	s.tables = append(s.tables, t)
	s.byID[id] = t
	return t
}

// Size is the memory of what is written and not sealed, in bytes: a job whose
// spaces hold much flushes early.
func (s *Space) Size() int {
	n := 0
	for _, t := range s.tables {
		n += t.open.bytes
	}
	return n
}

// SealedSize is the memory of what is sealed and not committed, in bytes.
func (s *Space) SealedSize() int {
	n := 0
	for _, x := range s.sealed {
		if x.buffers.Load() != nil {
			n += x.size
		}
	}
	return n
}

// Seal moves all that was written since the last Seal into b, by table in the
// order of keys. Each Sealed needs a Committed after b is committed, in the
// order of the Seals. A batch is for one goroutine, so the spaces of a job are
// sealed one after the other. When the commit fails the Space is of no more use: the
// job starts again from the Store.
func (s *Space) Seal(b Batch) *Sealed {
	s.prune()
	x := &Sealed{}
	buffers := make([]*buffer, len(s.tables))
	wrote := false
	for i, t := range s.tables {
		if t.open.empty() {
			continue
		}
		wrote = true
		t.open.seal(t.prefix, b)
		x.size += t.open.bytes
		buffers[i] = t.open
		t.open = &buffer{}
	}
	if wrote {
		x.buffers.Store(&buffers)
		s.sealed = append(s.sealed, x)
	}
	return x
}

// Committed drops what x holds: the Store has it. Any goroutine may call it.
func (s *Space) Committed(x *Sealed) { x.buffers.Store(nil) }

// prune forgets what is committed.
func (s *Space) prune() {
	keep := s.sealed[:0]
	for _, x := range s.sealed {
		if x.buffers.Load() != nil {
			keep = append(keep, x)
		}
	}
	clear(s.sealed[len(keep):])
	s.sealed = keep
}

// table implements Table.
type table struct {
	s       *Space
	at      int // in Space.tables and Sealed.buffers
	prefix  []byte
	scratch []byte // prefix, and room for a key
	open    *buffer
	fresh   bool
}

// untouched reports that the store holds nothing of the table. When it cannot
// tell, it does.
func (t *table) untouched() bool {
	for _, err := range t.s.store.Scan(t.prefix, prefixEnd(t.prefix)) {
		_ = err // an error is not emptiness either
		return false
	}
	return true
}

// Fresh implements Table.
func (t *table) Fresh() bool { return t.fresh }

// check refuses entries that no batch takes, while there is somebody to tell.
func (t *table) check(k, v []byte) error {
	if len(k) > KeyBytesMax-PrefixLen {
		return pgerror.New(pgerror.ProgramLimitExceeded, "key of %d bytes exceeds the maximum of %d", len(k), KeyBytesMax-PrefixLen)
	}
	if len(v) > ValueBytesMax {
		return pgerror.New(pgerror.ProgramLimitExceeded, "row of %d bytes exceeds the maximum of %d", len(v), ValueBytesMax)
	}
	return nil
}

// Put implements Table.
func (t *table) Put(k, v []byte) error {
	if err := t.check(k, v); err != nil {
		return err
	}
	t.open.set(k, v, put)
	return nil
}

// Delete implements Table.
func (t *table) Delete(k []byte) error {
	if err := t.check(k, nil); err != nil {
		return err
	}
	t.open.set(k, nil, deleted)
	return nil
}

// DeleteRange implements Table. hi nil is to the end.
func (t *table) DeleteRange(lo, hi []byte) error {
	if err := t.check(lo, nil); err != nil {
		return err
	}
	if err := t.check(hi, nil); err != nil {
		return err
	}
	t.open.deleteRange(lo, hi)
	return nil
}

// sealedAt is the table's buffer in x, nil when it has none or it is committed.
func (t *table) sealedAt(x *Sealed) *buffer {
	p := x.buffers.Load()
	if p == nil || t.at >= len(*p) {
		return nil
	}
	return (*p)[t.at]
}

// Get implements Reader.
func (t *table) Get(k []byte) ([]byte, error) {
	if v, found := t.open.get(k); found {
		return own(v), nil
	}
	for _, x := range slices.Backward(t.s.sealed) {
		if b := t.sealedAt(x); b != nil {
			if v, found := b.get(k); found {
				return own(v), nil
			}
		}
	}
	t.scratch = append(t.scratch[:PrefixLen], k...)
	return t.s.store.Get(t.scratch)
}

// own copies v, and keeps the difference between nil and empty.
func own(v []byte) []byte {
	if v == nil {
		return nil
	}
	return append(make([]byte, 0, len(v)), v...)
}

// Scan implements Reader: the table as it is when the iteration begins, so the
// loop's body may write to it.
func (t *table) Scan(lo, hi []byte) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		if hi != nil && bytes.Compare(lo, hi) >= 0 {
			return
		}
		o := overlay{hi: hi}
		// The buffers are taken before the store is opened: see Sealed.
		if !t.open.empty() {
			o.layers = append(o.layers, newLayer(t.open, lo))
		}
		for _, x := range slices.Backward(t.s.sealed) {
			if b := t.sealedAt(x); b != nil {
				o.layers = append(o.layers, newLayer(b, lo))
			}
		}
		defer func() {
			for _, l := range o.layers {
				l.close()
			}
		}()
		below := Sub(t.s.store, t.prefix).Scan(lo, hi)
		if len(o.layers) == 0 {
			below(yield)
			return
		}
		for e, err := range below {
			if err != nil {
				yield(Entry{}, err)
				return
			}
			if !o.drain(e.Key, yield) {
				return
			}
			if k, ok := o.least(); ok && bytes.Equal(k, e.Key) {
				if v, live := o.pop(k); live && !yield(Entry{Key: k, Value: v}, nil) {
					return
				}
				continue
			}
			if !o.hides(e.Key) && !yield(e, nil) {
				return
			}
		}
		o.drain(nil, yield)
	}
}
