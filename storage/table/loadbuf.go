package table

import (
	"bytes"
	"encoding/binary"
	"slices"

	"velostream/storage/column"
	"velostream/storage/state"
)

// loadBuf collects entries: key and value, one after the other.
type loadBuf struct {
	arena  []byte
	refs   []loadRef
	sorted bool
}

type loadRef struct {
	head       uint64 // of the key, after the relation's prefix
	tag        uint64
	off        uint32
	klen, vlen uint32
}

// prefixBytes is the length of what all keys of a relation or index begin with.
const prefixBytes = 5

func (b *loadBuf) key(r loadRef) []byte { return b.arena[r.off : r.off+r.klen : r.off+r.klen] }
func (b *loadBuf) value(r loadRef) []byte {
	return b.arena[r.off+r.klen : r.off+r.klen+r.vlen : r.off+r.klen+r.vlen]
}

func (b *loadBuf) reset() { b.arena, b.refs, b.sorted = b.arena[:0], b.refs[:0], true }

// end makes the bytes from off on, klen of which are the key, an entry.
func (b *loadBuf) end(off, klen int, tag uint64) {
	r := loadRef{tag: tag, off: uint32(off), klen: uint32(klen), vlen: uint32(len(b.arena) - off - klen)}
	r.head = headOf(b.arena[off+prefixBytes : off+klen])
	if n := len(b.refs); b.sorted && n > 0 {
		b.sorted = b.compare(b.refs[n-1], r) < 0
	}
	b.refs = append(b.refs, r)
}

func (b *loadBuf) compare(x, y loadRef) int {
	if x.head != y.head {
		if x.head < y.head {
			return -1
		}
		return 1
	}
	return bytes.Compare(b.key(x), b.key(y))
}

// headOf is the first eight bytes of k, padded with zeros.
func headOf(k []byte) uint64 {
	if len(k) >= 8 {
		return binary.BigEndian.Uint64(k)
	}
	var h [8]byte
	copy(h[:], k)
	return binary.BigEndian.Uint64(h[:])
}

// entry adds row i's entry of index x.
func (b *loadBuf) entry(x *Index, cols []*column.Column, i int, rowKey []byte, tag uint64) {
	off := len(b.arena)
	var alone bool
	b.arena, alone = x.prefix(b.arena, cols, i)
	if !alone {
		b.arena = append(b.arena, rowKey...)
	}
	klen := len(b.arena) - off
	b.arena = append(b.arena, rowKey...)
	b.end(off, klen, tag)
}

// sort puts the entries in order. It returns the place of one that has the key of
// the one before, -1: there is none. Of those with one key, what was added last is
// behind.
func (b *loadBuf) sort() int {
	if b.sorted {
		return -1
	}
	slices.SortFunc(b.refs, func(x, y loadRef) int {
		if c := b.compare(x, y); c != 0 {
			return c
		}
		return int(x.off) - int(y.off)
	})
	for i := 1; i < len(b.refs); i++ {
		if b.compare(b.refs[i-1], b.refs[i]) == 0 {
			return i
		}
	}
	return -1
}

// write makes a run of the entries, with w, which is used up; tagged: each value has
// the row's tag before it. REQUIRES: they are in order, and there is one.
func (b *loadBuf) write(w state.RunWriter, tagged bool) (*state.Run, error) {
	var v []byte
	for _, r := range b.refs {
		val := b.value(r)
		if tagged {
			v = append(binary.BigEndian.AppendUint64(v[:0], r.tag), val...)
			val = v
		}
		if err := w.Add(b.key(r), val); err != nil {
			w.Abort()
			return nil, err
		}
	}
	return w.Finish()
}

// memory makes a run of the entries that keeps b's memory. REQUIRES: they are in
// order, and there is one.
func (b *loadBuf) memory() *state.Run {
	entries := make([]state.Entry, len(b.refs))
	for i, r := range b.refs {
		entries[i] = state.Entry{Key: b.key(r), Value: b.value(r)}
	}
	return state.MemoryRun(entries)
}
