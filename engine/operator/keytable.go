package operator

import (
	"encoding/binary"

	"velostream/catalog/types"
	"velostream/storage/column"
	"velostream/storage/rowenc"
)

// keyTable maps keys of several columns to dense ids, which are small, reused and
// index the typed slices of whoever keeps something per key.
//
// It is an open addressing table of words, 32 bits of the hash and the id, and a column
// store of the keys; but for numerics beyond a word there is no pointer in it. A batch is
// looked up in stages, each a tight loop over all rows: slots by hash (cache misses
// overlap), then one comparison loop per key column. A candidate whose hash bits match but
// whose key does not is one in four thousand million; it is looked for alone.
type keyTable struct {
	cols  []keyCol
	slots []uint64 // hash bits << 32 | id + 1; 0: empty
	free  []int32
	n     int // ids given out so far, also the freed ones
	live  int

	bad     []bool
	scratch []*column.Column
	which   []int
}

func newKeyTable(ts []types.Type) *keyTable {
	t := &keyTable{slots: make([]uint64, 64)}
	for k, typ := range ts {
		t.cols = append(t.cols, keyCol{typ: typ, kind: typ.Kind()})
		t.scratch = append(t.scratch, column.New(typ, 0))
		t.which = append(t.which, k)
	}
	return t
}

func (t *keyTable) mask() uint32 { return uint32(len(t.slots) - 1) }

// find sets gids[k] to the id of the key in row rows[k] of keys, -1 where there is none.
// hashes are column.HashRows of keys.
func (t *keyTable) find(keys []*column.Column, rows []int32, hashes []uint64, gids []int32) {
	mask, slots := t.mask(), t.slots
	gids = gids[:len(rows)]
	for k, h := range hashes[:len(rows)] {
		tag := uint32(h >> 32)
		for at := tag & mask; ; at = (at + 1) & mask {
			s := slots[at]
			if s == 0 {
				gids[k] = -1
				break
			}
			if uint32(s>>32) == tag {
				gids[k] = int32(uint32(s)) - 1
				break
			}
		}
	}
	if cap(t.bad) < len(rows) {
		t.bad = make([]bool, len(rows))
	}
	bad, some := t.bad[:len(rows)], false
	for j := range t.cols {
		if t.cols[j].verify(keys[j], rows, gids, bad) {
			some = true
		}
	}
	if !some {
		return
	}
	for k := range bad {
		if bad[k] {
			bad[k] = false
			gids[k] = t.findOne(keys, int(rows[k]), hashes[k])
		}
	}
}

// findOne returns the id of the key in one row, or -1.
func (t *keyTable) findOne(keys []*column.Column, row int, hash uint64) int32 {
	tag, mask := uint32(hash>>32), t.mask()
	for at := tag & mask; t.slots[at] != 0; at = (at + 1) & mask {
		if uint32(t.slots[at]>>32) != tag {
			continue
		}
		if g := int32(uint32(t.slots[at])) - 1; t.equal(keys, row, g) {
			return g
		}
	}
	return -1
}

func (t *keyTable) equal(keys []*column.Column, row int, g int32) bool {
	for j := range t.cols {
		if !t.cols[j].equal(keys[j], row, g) {
			return false
		}
	}
	return true
}

// insert adds the key in row, which is not there yet, and returns its id.
func (t *keyTable) insert(keys []*column.Column, row int, hash uint64) int32 {
	if (t.live+1)*8 > len(t.slots)*5 {
		t.rehash(2 * len(t.slots))
	}
	var g int32
	if n := len(t.free); n > 0 {
		g, t.free = t.free[n-1], t.free[:n-1]
	} else {
		g = int32(t.n)
		t.n++
	}
	for j := range t.cols {
		t.cols[j].set(g, keys[j], row)
	}
	t.place(uint32(hash>>32), g)
	t.live++
	return g
}

func (t *keyTable) place(tag uint32, g int32) {
	mask := t.mask()
	at := tag & mask
	for t.slots[at] != 0 {
		at = (at + 1) & mask
	}
	t.slots[at] = uint64(tag)<<32 | uint64(uint32(g+1))
}

func (t *keyTable) rehash(n int) {
	old := t.slots
	t.slots = make([]uint64, n)
	for _, s := range old {
		if s != 0 {
			t.place(uint32(s>>32), int32(uint32(s))-1)
		}
	}
}

// hashOf is the hash of the key with id g.
func (t *keyTable) hashOf(g int32) uint64 {
	t.load(g)
	var h [1]uint64
	return column.HashRows(h[:], t.scratch, nil, 1)[0]
}

// load puts the key of g into the scratch columns, row 0.
func (t *keyTable) load(g int32) {
	for j := range t.cols {
		t.scratch[j].Reset()
		t.cols[j].appendTo(t.scratch[j], g)
	}
}

// appendKey adds the order-preserving key of g to dst, columns in the given order.
func (t *keyTable) appendKey(dst []byte, g int32, order []int) []byte {
	t.load(g)
	return rowenc.AppendKey(dst, t.scratch, order, 0)
}

// remove frees the id g and its key.
func (t *keyTable) remove(g int32) {
	tag, mask := uint32(t.hashOf(g)>>32), t.mask()
	at := tag & mask
	for int32(uint32(t.slots[at]))-1 != g {
		at = (at + 1) & mask
	}
	// Close the gap: move up whoever was pushed past it (linear probing without
	// tombstones, so long runs of removals leave no trace).
	for next := (at + 1) & mask; t.slots[next] != 0; next = (next + 1) & mask {
		home := uint32(t.slots[next]>>32) & mask
		if (next-home)&mask >= (next-at)&mask {
			t.slots[at] = t.slots[next]
			at = next
		}
	}
	t.slots[at] = 0
	for j := range t.cols {
		t.cols[j].clear(g)
	}
	t.free = append(t.free, g)
	t.live--
}

// reset empties the table and keeps its memory.
func (t *keyTable) reset() {
	clear(t.slots)
	t.free, t.n, t.live = t.free[:0], 0, 0
	for j := range t.cols {
		c := &t.cols[j]
		c.nulls, c.ints, c.floats, c.decs = c.nulls[:0], c.ints[:0], c.floats[:0], c.decs[:0]
		c.ivs, c.strs, c.arena, c.dead = c.ivs[:0], c.strs[:0], c.arena[:0], 0
	}
}

// bytes is about how much memory the table takes.
func (t *keyTable) bytes() int64 {
	n := int64(len(t.slots))*8 + int64(len(t.free))*4
	for j := range t.cols {
		c := &t.cols[j]
		n += 8*int64(len(c.nulls)+len(c.ints)+len(c.floats)) + 24*int64(len(c.decs)) +
			16*int64(len(c.ivs)+len(c.strs)) + int64(len(c.arena))
	}
	return n
}

// str is a byte string in 16 bytes: up to 12 of them inline, else its first four and
// where it is in the arena.
type str struct {
	n, head uint32
	tail    uint64
}

const inlineMax = 12

func packStr(b []byte) str {
	n := len(b)
	s := str{n: uint32(n)}
	if n < 4 {
		for k, x := range b {
			s.head |= uint32(x) << (8 * k)
		}
		return s
	}
	s.head = binary.LittleEndian.Uint32(b)
	switch {
	case n > inlineMax:
	case n >= 8: // the tail ends the last 8 bytes
		s.tail = binary.LittleEndian.Uint64(b[n-8:]) >> (8 * (12 - n))
	default: // … or the last 4
		s.tail = uint64(binary.LittleEndian.Uint32(b[n-4:]) >> (8 * (8 - n)))
	}
	return s
}
