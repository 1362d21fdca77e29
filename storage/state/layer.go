package state

import (
	"bytes"
	"sort"

	"github.com/tidwall/btree"
)

// layer walks one buffer at one moment, in the order of keys, for a scan that
// lays several over the store. The buffer may be written to meanwhile.
type layer struct {
	writes []write
	chunks [][]byte
	cuts   *btree.BTreeG[cut]

	sorted []uint32             // of a sealed buffer: what is left
	it     *btree.IterG[uint32] // of the open one
	tree   *btree.BTreeG[uint32]

	ok  bool
	cur write
}

// newLayer places a layer at the first key >= lo. Close it.
func newLayer(b *buffer, lo []byte) *layer {
	l := &layer{writes: b.writes, chunks: b.chunks}
	if b.sorted != nil {
		l.cuts = b.cuts
		l.sorted = b.sorted[sort.Search(len(b.sorted), func(i int) bool {
			return bytes.Compare(b.keyOf(b.sorted[i]), lo) >= 0
		}):]
		l.take()
		return l
	}
	b.makeOrder()
	if b.cuts != nil {
		l.cuts = b.cuts.Copy()
	}
	l.tree = b.order.Copy()
	it := l.tree.Iter()
	l.it = &it
	b.probe = lo
	if l.it.Seek(probeRef) {
		l.cur, l.ok = l.writes[l.it.Item()], true
	}
	return l
}

// take reads the head of sorted.
func (l *layer) take() {
	if l.ok = len(l.sorted) > 0; l.ok {
		l.cur = l.writes[l.sorted[0]]
		l.sorted = l.sorted[1:]
	}
}

func (l *layer) next() {
	switch {
	case l.it == nil:
		l.take()
	case l.it.Next():
		l.cur = l.writes[l.it.Item()]
	default:
		l.ok = false
	}
}

// bytesAt is what a write refers to. Chunks may be appended to while a scan
// runs, but what has been written in them stays.
func (l *layer) bytesAt(chunk, off, n uint32) []byte {
	return l.chunks[chunk][: off+n : off+n][off:]
}

func (l *layer) key() []byte   { return l.bytesAt(l.cur.chunk, l.cur.off, l.cur.klen) }
func (l *layer) value() []byte { return l.bytesAt(l.cur.chunk, l.cur.off+l.cur.klen, l.cur.vlen) }

func (l *layer) close() {
	if l.it != nil {
		l.it.Release()
	}
}

// overlay merges layers, the youngest first, over what lies below them.
type overlay struct {
	layers []*layer
	hi     []byte
}

// least is the smallest key of all layers below hi.
func (o *overlay) least() (k []byte, ok bool) {
	for _, l := range o.layers {
		if l.ok && (!ok || bytes.Compare(l.key(), k) < 0) {
			k, ok = l.key(), true
		}
	}
	if ok && o.hi != nil && bytes.Compare(k, o.hi) >= 0 {
		return nil, false
	}
	return k, ok
}

// pop takes k, the least key, from all layers. live is false when the youngest
// word about it is that it is deleted.
func (o *overlay) pop(k []byte) (v []byte, live bool) {
	decided := false
	for _, l := range o.layers {
		if l.ok && bytes.Equal(l.key(), k) {
			if !decided {
				decided = true
				if live = l.cur.kind == put; live {
					v = l.value()
				}
			}
			l.next()
			continue
		}
		if !decided && covered(l.cuts, k) {
			decided, live = true, false
		}
	}
	return v, live
}

// hides reports that a layer deleted k by a range.
func (o *overlay) hides(k []byte) bool {
	for _, l := range o.layers {
		if covered(l.cuts, k) {
			return true
		}
	}
	return false
}

// drain yields what the layers hold before limit (nil: all of it). It reports
// false when the caller stopped.
func (o *overlay) drain(limit []byte, yield func(Entry, error) bool) bool {
	for {
		k, ok := o.least()
		if !ok || limit != nil && bytes.Compare(k, limit) >= 0 {
			return true
		}
		if v, live := o.pop(k); live && !yield(Entry{Key: k, Value: v}, nil) {
			return false
		}
	}
}
