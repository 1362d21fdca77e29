package log

import (
	"errors"
	"sort"
)

// ErrRolledBack is what a reader gets that has read entries which were rolled
// back: go back to your own checkpoint.
var ErrRolledBack = errors.New("log: entries were rolled back")

// ErrBehind is what a reader gets that was too slow: what it has not read is
// neither in memory nor in the store.
var ErrBehind = errors.New("log: reader fell behind what is kept")

// readChunkBytes bounds what one Next takes from the store.
const readChunkBytes = 4 << 20

// Reader goes through a log. For one goroutine, but for Close.
type Reader struct {
	log   *Log
	pos   uint64 // last entry delivered; written with the log's lock
	done  uint64 // pos, of what has been dealt with; guarded likewise
	ahead bool   // something that concerns it was appended since Next; guarded likewise
	gone  bool   // it has read what was rolled back; guarded likewise
	loose bool   // entries that it has not read may be deleted; guarded likewise
	rels  map[uint32]bool
	wake  func()
	parts bool
	from  []byte // where the entry after pos, of which parts were read, goes on
}

// InParts lets Next return an entry that is too large for memory in several
// steps, each an Entry of its own with the same number; Pos stays before it until
// the last. REQUIRES: before the first Next.
func (r *Reader) InParts() { r.parts = true }

// Loosen lets entries be deleted that the reader has not read yet; then Next
// returns ErrBehind.
func (r *Reader) Loosen() {
	r.log.mu.Lock()
	defer r.log.mu.Unlock()
	r.loose = true
}

// NewReader starts after the entry pos. rels (nil: all) are the relations whose
// changes are wanted. wake, which must not block, is called whenever
// something that concerns the reader was appended, or the log failed; it may be nil.
func (l *Log) NewReader(pos uint64, rels []uint32, wake func()) *Reader {
	r := &Reader{log: l, pos: pos, done: pos, wake: wake}
	if rels != nil {
		r.rels = map[uint32]bool{}
		for _, id := range rels {
			r.rels[id] = true
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	r.ahead = pos < l.last
	l.watch[r] = struct{}{}
	return r
}

func (r *Reader) poke() {
	if r.wake != nil {
		r.wake()
	}
}

// concerns reports that e changes something the reader wants.
func (r *Reader) concerns(e Entry) bool {
	for _, c := range e.Changes {
		if r.rels == nil || r.rels[c.Relation] {
			return true
		}
	}
	return false
}

// Ahead reports that Next may have something: changes that concern the reader
// were appended, or the log failed or was rolled back. Safe for concurrent use.
func (r *Reader) Ahead() bool {
	r.log.mu.Lock()
	defer r.log.mu.Unlock()
	return r.ahead
}

// Pos is the sequence number everything up to which has been delivered.
func (r *Reader) Pos() uint64 { return r.pos }

// Next returns entries after Pos and up to upTo, some at a time, without
// waiting; none when there are none (then Pos is upTo, or Last if that is
// less). The entries are shared: read only.
func (r *Reader) Next(upTo uint64) ([]Entry, error) {
	l := r.log
	l.mu.Lock()
	r.done = r.pos
	if l.failed != nil {
		err := l.failed
		l.mu.Unlock()
		return nil, err
	}
	if r.gone {
		l.mu.Unlock()
		return nil, ErrRolledBack
	}
	if r.loose && r.pos < l.truncated {
		l.mu.Unlock()
		return nil, ErrBehind
	}
	upTo = min(upTo, l.last)
	if r.pos >= upTo {
		r.ahead = r.ahead && r.pos < l.last
		l.mu.Unlock()
		return nil, nil
	}
	if r.pos >= l.floor {
		lo := sort.Search(len(l.ring), func(i int) bool { return l.ring[i].Seq > r.pos })
		hi := sort.Search(len(l.ring), func(i int) bool { return l.ring[i].Seq > upTo })
		out := r.wanted(l.ring[lo:hi])
		r.pos = upTo
		r.ahead = upTo < l.last
		l.mu.Unlock()
		return out, nil
	}
	floor, gap := min(l.floor, upTo), l.gap
	l.mu.Unlock()
	if l.o.Discard || r.pos < gap {
		return nil, ErrBehind
	}
	got, err := l.readStored(r.pos, floor, r.from, r.rels, readChunkBytes, r.parts)
	if err != nil {
		return nil, err
	}
	out, pos := got.entries, floor
	if n := len(out); n > 0 {
		// More of the same range may be left over the size limit.
		pos = min(floor, out[n-1].Seq)
		if got.next != nil {
			pos--
		}
	}
	r.from = got.next
	l.mu.Lock()
	r.pos = pos
	r.ahead = pos < l.last || l.failed != nil || r.gone
	l.mu.Unlock()
	if len(out) > 0 {
		return out, nil
	}
	return r.Next(upTo)
}

// RolledBack reports that the reader has read entries that were rolled back.
// Safe for concurrent use.
func (r *Reader) RolledBack() bool {
	r.log.mu.Lock()
	defer r.log.mu.Unlock()
	return r.gone
}

// wanted copies the entries that change one of r's relations.
func (r *Reader) wanted(es []Entry) []Entry {
	out := make([]Entry, 0, len(es))
	for _, e := range es {
		if r.rels == nil {
			out = append(out, e)
			continue
		}
		var cs []Change
		for _, c := range e.Changes {
			if r.rels[c.Relation] {
				cs = append(cs, c)
			}
		}
		if cs != nil {
			out = append(out, Entry{Seq: e.Seq, Time: e.Time, Changes: cs})
		}
	}
	return out
}

// Close ends the reader: wake is not called again after Close returns.
func (r *Reader) Close() {
	r.log.mu.Lock()
	defer r.log.mu.Unlock()
	delete(r.log.watch, r)
}
