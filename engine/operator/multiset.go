package operator

import (
	"encoding/binary"
	"iter"
	"sort"

	"github.com/tidwall/btree"

	"velostream/storage/column"
	"velostream/storage/rowenc"
	"velostream/storage/state"
)

// multiset is an ordered map from byte keys to counts with a value each, partly in
// memory and the rest in a table:
//
//	memory   entries touched since the last drop: a count, or only the change of
//	         one that the table may have ("delta"), so that adding needs no read
//	table    everything as of the last flush
//
// What is asked in order (first, scan) merges the two. Without a table, or while the
// table is fresh and nothing was dropped, memory is all there is and nothing is read.
// Without a table, what is beyond the budget goes to disk (multiset_spill.go).
//
// Table entry: key → version, uvarint count, value.
type multiset struct {
	label  string
	t      state.Table
	whole  bool // memory has every entry
	m      btree.Map[string, *msEntry]
	dirty  []string
	bytes  int64
	budget budget
	ctx    BuildContext // for spill
	runs   *setRuns     // nil: nothing is on disk
}

type msEntry struct {
	n     int64
	val   string
	delta bool // n is on top of what the table has
	dirty bool
}

const msOverhead = 96

func newMultiset(label string, t state.Table, budget budget) *multiset {
	return &multiset{label: label, t: t, whole: t == nil || t.Fresh(), budget: budget}
}

// add changes the count of key by d without reading the table. val is the value
// that goes with the key.
func (s *multiset) add(key, val []byte, d int64) error {
	e, ok := s.m.Get(string(key))
	if !ok {
		e = s.put(key, val)
		e.delta = !s.whole
	}
	s.value(e, val, d)
	return s.change(key, e, d)
}

// value keeps the value of a row that comes: one that went before may have had another
// under the same key.
func (s *multiset) value(e *msEntry, val []byte, d int64) {
	if d > 0 && e.val != string(val) {
		s.bytes += int64(len(val) - len(e.val))
		e.val = string(val)
	}
}

// exact is add that knows the count before.
func (s *multiset) exact(key, val []byte, d int64) (before int64, err error) {
	e, ok := s.m.Get(string(key))
	if !ok {
		e = s.put(key, val)
		e.delta = !s.whole
	}
	if e.delta {
		if err := s.settle(key, e); err != nil {
			return 0, err
		}
	}
	before = e.n
	s.value(e, val, d)
	return before, s.change(key, e, d)
}

func (s *multiset) put(key, val []byte) *msEntry {
	e := &msEntry{val: string(val)}
	s.m.Set(string(key), e)
	s.bytes += int64(len(key)+len(val)) + msOverhead
	return e
}

func (s *multiset) change(key []byte, e *msEntry, d int64) error {
	e.n += d
	if e.n < 0 && !e.delta {
		return broken(s.label, "a value is removed that is not there")
	}
	switch {
	case !e.dirty && s.t != nil:
		e.dirty = true
		s.dirty = append(s.dirty, string(key))
	case s.t == nil && e.n == 0:
		s.m.Delete(string(key))
		s.bytes -= int64(len(key)+len(e.val)) + msOverhead
	}
	return nil
}

// settle turns a delta into a count.
func (s *multiset) settle(key []byte, e *msEntry) error {
	v, err := s.t.Get(key)
	if err != nil {
		return err
	}
	n, _, err := decodeCount(v)
	if err != nil {
		return err
	}
	e.n, e.delta = e.n+n, false
	if e.n < 0 {
		return broken(s.label, "a value is removed that is not there")
	}
	return nil
}

func decodeCount(v []byte) (int64, []byte, error) {
	if v == nil {
		return 0, nil, nil
	}
	if len(v) == 0 || v[0] != stateVersion {
		return 0, nil, column.Corrupt("multiset entry")
	}
	n, k := binary.Uvarint(v[1:])
	if k <= 0 || n > 1<<62 {
		return 0, nil, column.Corrupt("multiset entry")
	}
	return int64(n), v[1+k:], nil
}

// msItem is an entry of an iteration; key and val are valid until its next step.
type msItem struct {
	key, val []byte
	n        int64
}

// scan yields the entries whose key begins with prefix and whose count is above
// zero, in order. The set must not change meanwhile.
func (s *multiset) scan(prefix []byte) iter.Seq2[msItem, error] {
	if s.runs != nil {
		return s.scanRuns(prefix)
	}
	return func(yield func(msItem, error) bool) {
		hi := rowenc.PrefixEnd(prefix)
		mem := s.m.Iter()
		ok := mem.Seek(string(prefix))
		inside := func() bool { return ok && (hi == nil || mem.Key() < string(hi)) }
		emit := func(base int64) bool {
			e := mem.Value()
			n := e.n
			if e.delta {
				n += base
			}
			key := mem.Key()
			ok = mem.Next()
			return n <= 0 || yield(msItem{[]byte(key), []byte(e.val), n}, nil)
		}
		if !s.whole {
			for entry, err := range s.t.Scan(prefix, hi) {
				if err != nil {
					yield(msItem{}, err)
					return
				}
				n, val, err := decodeCount(entry.Value)
				if err != nil {
					yield(msItem{}, err)
					return
				}
				for inside() && mem.Key() < string(entry.Key) {
					if !emit(0) {
						return
					}
				}
				if inside() && mem.Key() == string(entry.Key) {
					if !emit(n) {
						return
					}
				} else if !yield(msItem{entry.Key, val, n}, nil) {
					return
				}
			}
		}
		for inside() {
			if !emit(0) {
				return
			}
		}
	}
}

// first returns the first entry under prefix; ok is false when there is none. The item
// is the caller's.
func (s *multiset) first(prefix []byte) (it msItem, ok bool, err error) {
	for it, err := range s.scan(prefix) {
		if err != nil {
			return msItem{}, false, err
		}
		return msItem{append([]byte(nil), it.key...), append([]byte(nil), it.val...), it.n}, true, nil
	}
	return msItem{}, false, nil
}

// removeRange forgets all entries from lo to before hi.
func (s *multiset) removeRange(lo, hi []byte) error {
	var keys []string
	s.m.Ascend(string(lo), func(k string, _ *msEntry) bool {
		if hi != nil && k >= string(hi) {
			return false
		}
		keys = append(keys, k)
		return true
	})
	for _, k := range keys {
		e, _ := s.m.Delete(k)
		e.dirty = false
		s.bytes -= int64(len(k)+len(e.val)) + msOverhead
	}
	if s.t == nil {
		return nil
	}
	return s.t.DeleteRange(lo, hi)
}

// flush writes what changed to the table, in key order, and drops memory that is over
// the budget.
func (s *multiset) flush() error {
	if s.t == nil {
		return s.check()
	}
	sort.Strings(s.dirty)
	var buf []byte
	for _, k := range s.dirty {
		e, ok := s.m.Get(k)
		if !ok || !e.dirty {
			continue
		}
		e.dirty = false
		if e.delta {
			if err := s.settle([]byte(k), e); err != nil {
				return err
			}
		}
		if e.n == 0 {
			if err := s.t.Delete([]byte(k)); err != nil {
				return err
			}
			s.m.Delete(k)
			s.bytes -= int64(len(k)+len(e.val)) + msOverhead
			continue
		}
		buf = binary.AppendUvarint(append(buf[:0], stateVersion), uint64(e.n))
		buf = append(buf, e.val...)
		if err := s.t.Put([]byte(k), buf); err != nil {
			return err
		}
	}
	s.dirty = s.dirty[:0]
	if s.bytes > s.budget.now() {
		s.m.Clear()
		s.bytes, s.whole = 0, false
	}
	return nil
}

// limit is the error of a set that is kept in memory beyond the budget.
func (s *multiset) limit() error {
	if s.bytes > s.budget.now() {
		return s.budget.exceeded(s.label, s.bytes)
	}
	return nil
}

// check keeps memory within the budget between flushes.
func (s *multiset) check() error {
	if s.t == nil && s.m.Len() > 0 && s.ctx.spills(2*s.bytes) {
		return s.spill()
	}
	if s.t == nil || s.bytes <= s.budget.now() {
		return s.limit()
	}
	return s.flush()
}
