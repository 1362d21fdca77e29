package state

import (
	"bytes"
	"cmp"
	"slices"

	"github.com/tidwall/btree"
	"github.com/zeebo/xxh3"
)

// buffer holds the writes of one table since it was last sealed.
//
//	chunks   key|value, one after the other; written once, never changed
//	writes   one record per write, free of pointers; never changed either, so a
//	         scan that keeps the slice's header keeps its moment
//	slots    hash table of the keys: number of the newest write + 1, 0 is empty;
//	         made when a key is first asked for, then kept up
//	order    the newest writes by key; made when first asked for, then kept up
//	cuts     ranges deleted, apart from each other. Whatever is in writes and
//	         not gone is younger than all of them
//
// As long as a table is only written, as that of an operator which has all its
// state in memory, a Put is two appends; what a key's newest write is shows when
// they are sorted. Once it is read by key a Put is a hash and a probe more.
type buffer struct {
	chunks [][]byte
	writes []write
	slots  []uint32
	used   int  // slots taken, one for each key
	hashed bool // slots are there
	order  *btree.BTreeG[uint32]
	cuts   *btree.BTreeG[cut]
	probe  []byte   // the key order compares as probeRef
	sorted []uint32 // the live writes by key; set by seal, after which nothing changes
	bytes  int
}

type write struct {
	chunk, off uint32
	klen, vlen uint32
	hash       uint32
	kind       writeKind
}

type writeKind uint8

const (
	put writeKind = iota
	deleted
	// gone marks a key whose writes a later DeleteRange covers: it has a slot,
	// but a cut speaks for it.
	gone
)

// cut is a deleted range. hi nil is to the end of the table.
type cut struct{ lo, hi []byte }

const (
	// chunkBytesMin and chunkBytesMax: the first chunk is small, for there are
	// many tables with little in them; the next ones double.
	chunkBytesMin = 1 << 10
	chunkBytesMax = 256 << 10
	// writeBytes is what a write costs beside its key and value: its record
	// and its share of the slots.
	writeBytes = 32
	// probeRef stands for buffer.probe in comparisons.
	probeRef = ^uint32(0)
)

func (b *buffer) empty() bool { return len(b.writes) == 0 && b.cuts == nil }

func (b *buffer) key(w write) []byte {
	return b.chunks[w.chunk][w.off : w.off+w.klen : w.off+w.klen]
}

func (b *buffer) value(w write) []byte {
	lo := w.off + w.klen
	return b.chunks[w.chunk][lo : lo+w.vlen : lo+w.vlen]
}

// keyOf is the key of write i as order sees it.
func (b *buffer) keyOf(i uint32) []byte {
	if i == probeRef {
		return b.probe
	}
	return b.key(b.writes[i])
}

// set records a write of k.
func (b *buffer) set(k, v []byte, kind writeKind) {
	n := uint32(len(b.writes))
	if b.hashed {
		h := uint32(xxh3.Hash(k))
		b.writes = append(b.writes, b.store(k, v, h, kind))
		b.enter(k, h, n)
	} else {
		b.writes = append(b.writes, b.store(k, v, 0, kind))
	}
	b.bytes += len(k) + len(v) + writeBytes
	if b.order == nil {
		return
	}
	if kind == gone {
		b.order.Delete(n)
	} else {
		b.order.Set(n)
	}
}

// enter makes n the newest write of k.
func (b *buffer) enter(k []byte, h, n uint32) {
	if 4*(b.used+1) > 3*len(b.slots) {
		b.grow()
	}
	slot := b.find(k, h)
	if b.slots[slot] == 0 {
		b.used++
	}
	b.slots[slot] = n + 1
}

// index makes the slots. What is written stays where it is, so that a layer's slice
// of writes remains true: their hashes are set in a copy.
func (b *buffer) index() {
	b.hashed = true
	b.writes = append(make([]write, 0, len(b.writes)+len(b.writes)/2), b.writes...)
	n := 16
	for 3*n < 4*len(b.writes) {
		n *= 2
	}
	b.slots = make([]uint32, n)
	for i := range b.writes {
		w := &b.writes[i]
		k := b.key(*w)
		w.hash = uint32(xxh3.Hash(k))
		b.enter(k, w.hash, uint32(i))
	}
}

// store copies k and v into the chunks.
func (b *buffer) store(k, v []byte, h uint32, kind writeKind) write {
	n := len(k) + len(v)
	last := len(b.chunks) - 1
	if last < 0 || len(b.chunks[last])+n > cap(b.chunks[last]) {
		size := chunkBytesMin
		if last >= 0 {
			size = min(2*cap(b.chunks[last]), chunkBytesMax)
		}
		b.chunks = append(b.chunks, make([]byte, 0, max(size, n)))
		last++
	}
	c := b.chunks[last]
	w := write{chunk: uint32(last), off: uint32(len(c)), klen: uint32(len(k)), vlen: uint32(len(v)), hash: h, kind: kind}
	b.chunks[last] = append(append(c, k...), v...)
	return w
}

// find is the slot of k, or the empty one it belongs in.
func (b *buffer) find(k []byte, h uint32) int {
	mask := len(b.slots) - 1
	for i := int(h) & mask; ; i = (i + 1) & mask {
		n := b.slots[i]
		if n == 0 {
			return i
		}
		if w := b.writes[n-1]; w.hash == h && bytes.Equal(b.key(w), k) {
			return i
		}
	}
}

// grow doubles the hash table.
func (b *buffer) grow() {
	old := b.slots
	b.slots = make([]uint32, max(16, 2*len(old)))
	mask := len(b.slots) - 1
	for _, n := range old {
		if n == 0 {
			continue
		}
		i := int(b.writes[n-1].hash) & mask
		for b.slots[i] != 0 {
			i = (i + 1) & mask
		}
		b.slots[i] = n
	}
}

// get looks k up. found is false when this buffer says nothing about k; a nil
// value then means it is deleted. The value is the buffer's.
func (b *buffer) get(k []byte) (v []byte, found bool) {
	if n := b.newest(k); n >= 0 {
		w := b.writes[n]
		switch w.kind {
		case put:
			return b.value(w), true
		case deleted, gone:
			return nil, true
		}
	}
	return nil, covered(b.cuts, k)
}

// newest is the newest write of k, -1: there is none.
func (b *buffer) newest(k []byte) int {
	switch {
	case len(b.writes) == 0:
		return -1
	case !b.hashed && b.sorted != nil: // sealed: only what counts is in it, and cuts speak for the rest
		i, there := slices.BinarySearchFunc(b.sorted, k, func(n uint32, k []byte) int { return bytes.Compare(b.keyOf(n), k) })
		if !there {
			return -1
		}
		return int(b.sorted[i])
	case !b.hashed:
		b.index()
	}
	return int(b.slots[b.find(k, uint32(xxh3.Hash(k)))]) - 1
}

// live is the newest write of each key that counts, in no order; of a buffer without slots
// all writes.
func (b *buffer) live() []uint32 {
	if !b.hashed {
		out := make([]uint32, len(b.writes))
		for i := range out {
			out[i] = uint32(i)
		}
		return out
	}
	out := make([]uint32, 0, b.used)
	for _, n := range b.slots {
		if n != 0 && b.writes[n-1].kind != gone {
			out = append(out, n-1)
		}
	}
	return out
}

// sort is live in the order of keys.
func (b *buffer) sort() []uint32 {
	if b.order != nil {
		out := make([]uint32, 0, b.order.Len())
		b.order.Scan(func(n uint32) bool {
			out = append(out, n)
			return true
		})
		return out
	}
	out := b.live()
	if len(out) < 2 {
		return b.newestOf(out)
	}
	// Most comparisons are of eight bytes held beside the number, past what
	// all keys share.
	first := b.keyOf(out[0])
	shared := len(first)
	for _, n := range out {
		shared = min(shared, commonPrefix(first, b.keyOf(n)))
	}
	refs := make([]ref, len(out))
	for i, n := range out {
		refs[i] = ref{head(b.keyOf(n)[shared:]), n}
	}
	refs = sortRefs(refs, func(x, y ref) int {
		if c := bytes.Compare(b.keyOf(x.n)[shared:], b.keyOf(y.n)[shared:]); c != 0 {
			return c
		}
		return cmp.Compare(x.n, y.n)
	})
	if b.hashed {
		for i, r := range refs {
			out[i] = r.n
		}
		return out
	}
	out = out[:0]
	for i, r := range refs {
		older := i+1 < len(refs) && refs[i+1].head == r.head && bytes.Equal(b.keyOf(refs[i+1].n), b.keyOf(r.n))
		if !older {
			out = append(out, r.n)
		}
	}
	return b.newestOf(out)
}

// newestOf drops from list, the newest write of each key, those that a cut speaks
// for.
func (b *buffer) newestOf(list []uint32) []uint32 {
	return slices.DeleteFunc(list, func(n uint32) bool { return b.writes[n].kind == gone })
}

// makeOrder sees to it that order is there.
func (b *buffer) makeOrder() {
	if b.order != nil {
		return
	}
	sorted := b.sort()
	b.order = btree.NewBTreeGOptions(func(x, y uint32) bool {
		return bytes.Compare(b.keyOf(x), b.keyOf(y)) < 0
	}, btree.Options{NoLocks: true, Degree: 32})
	for _, n := range sorted {
		b.order.Load(n)
	}
}

// deleteRange deletes lo <= key < hi, hi nil to the end, here and below.
func (b *buffer) deleteRange(lo, hi []byte) {
	if hi != nil && bytes.Compare(lo, hi) >= 0 {
		return
	}
	if len(b.writes) > 0 {
		b.makeOrder()
		var hit []uint32
		b.probe = lo
		b.order.Ascend(probeRef, func(n uint32) bool {
			if hi != nil && bytes.Compare(b.keyOf(n), hi) >= 0 {
				return false
			}
			hit = append(hit, n)
			return true
		})
		for _, n := range hit {
			b.set(b.key(b.writes[n]), nil, gone)
		}
	}
	b.cuts = addCut(b.cuts, lo, hi)
	b.bytes += len(lo) + len(hi) + writeBytes
}

// addCut adds the range to the tree, which it makes if need be, and merges it
// with those it touches.
func addCut(t *btree.BTreeG[cut], lo, hi []byte) *btree.BTreeG[cut] {
	if t == nil {
		t = btree.NewBTreeGOptions(func(x, y cut) bool { return bytes.Compare(x.lo, y.lo) < 0 },
			btree.Options{NoLocks: true, Degree: 16})
	}
	c := cut{lo: bytes.Clone(lo), hi: bytes.Clone(hi)}
	if c.lo == nil {
		c.lo = []byte{}
	}
	var merged []cut
	if before, ok := cutBefore(t, lo); ok && (before.hi == nil || bytes.Compare(before.hi, lo) >= 0) {
		merged = append(merged, before)
		c.lo = before.lo
	}
	t.Ascend(c, func(x cut) bool {
		if hi != nil && bytes.Compare(x.lo, hi) > 0 {
			return false
		}
		merged = append(merged, x)
		return true
	})
	for _, x := range merged {
		t.Delete(x)
		if c.hi != nil && (x.hi == nil || bytes.Compare(x.hi, c.hi) > 0) {
			c.hi = x.hi
		}
	}
	t.Set(c)
	return t
}

// cutBefore is the last cut that begins at or before k.
func cutBefore(t *btree.BTreeG[cut], k []byte) (c cut, ok bool) {
	t.Descend(cut{lo: k}, func(x cut) bool {
		c, ok = x, true
		return false
	})
	return c, ok
}

// covered reports that k is in one of the ranges.
func covered(t *btree.BTreeG[cut], k []byte) bool {
	if t == nil {
		return false
	}
	c, ok := cutBefore(t, k)
	return ok && (c.hi == nil || bytes.Compare(k, c.hi) < 0)
}

// seal fixes the content and writes it to out, each key after prefix. Ranges
// come first: what the buffer holds is younger.
func (b *buffer) seal(prefix []byte, out Batch) {
	b.sorted = b.sort()
	b.order = nil
	k := append(make([]byte, 0, 128), prefix...)
	if b.cuts != nil {
		end := prefixEnd(prefix)
		b.cuts.Scan(func(c cut) bool {
			hi := end
			if c.hi != nil {
				hi = concat(prefix, c.hi)
			}
			out.DeleteRange(append(k[:len(prefix)], c.lo...), hi)
			return true
		})
	}
	for _, n := range b.sorted {
		w := b.writes[n]
		k = append(k[:len(prefix)], b.key(w)...)
		if w.kind == put {
			out.Put(k, b.value(w))
		} else {
			out.Delete(k)
		}
	}
}
