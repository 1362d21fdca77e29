package operator

import (
	"bytes"

	"github.com/zeebo/xxh3"
)

// rowTable maps keys to rows, both as bytes, free of pointers: a million entries are
// nothing to the garbage collector. A row may be absent, which is remembered too.
//
//	arena    key|row, key|row …; a row that outgrows its place gets another
//	entries  where they are, in the order in which keys came
//	slots    hash table: number of the entry + 1, 0 is empty
type rowTable struct {
	arena   []byte
	entries []rowEntry
	slots   []uint32
	read    uint32 // of no meaning: what touch has read
}

type rowEntry struct {
	key, row   int // offsets
	klen, rlen int32
	room       int32 // at row
	hash       uint32
	absent     bool
}

// rowEntryBytes is what an entry takes beside its bytes, with its share of slots.
const rowEntryBytes = 48

// bytes is the memory in use.
func (t *rowTable) bytes() int64 { return int64(len(t.arena)) + rowEntryBytes*int64(len(t.entries)) }

// rowHash is the hash of a key.
func rowHash(key []byte) uint32 { return uint32(xxh3.Hash(key)) }

// touch brings what find reads of the keys of these hashes into the processor's cache. The
// misses of different keys do not wait for each other, as those of find one by one do.
func (t *rowTable) touch(hashes []uint32) {
	if len(t.slots) == 0 {
		return
	}
	mask := uint32(len(t.slots) - 1)
	for _, h := range hashes {
		t.read += t.slots[h&mask]
	}
	for _, h := range hashes {
		if n := t.slots[h&mask]; n != 0 {
			t.read += t.entries[n-1].hash
		}
	}
}

// find returns the entry of key, whose hash is h, nil when there is none. Valid until the
// next set.
func (t *rowTable) find(key []byte, h uint32) *rowEntry {
	if len(t.slots) == 0 {
		return nil
	}
	mask := len(t.slots) - 1
	for i := int(h) & mask; t.slots[i] != 0; i = (i + 1) & mask {
		e := &t.entries[t.slots[i]-1]
		if e.hash == h && bytes.Equal(t.keyOf(e), key) {
			return e
		}
	}
	return nil
}

func (t *rowTable) keyOf(e *rowEntry) []byte { return t.arena[e.key : e.key+int(e.klen)] }
func (t *rowTable) rowOf(e *rowEntry) []byte { return t.arena[e.row : e.row+int(e.rlen)] }

// set makes row that of key, absent: there is none. e is what find said.
func (t *rowTable) set(e *rowEntry, h uint32, key, row []byte, absent bool) {
	if e == nil {
		e = t.add(key, h)
	}
	if e.absent = absent; absent {
		e.rlen = 0
		return
	}
	e.rlen = int32(len(row))
	if e.rlen > e.room {
		e.row, e.room = len(t.arena), e.rlen
		t.arena = append(t.arena, row...)
		return
	}
	copy(t.arena[e.row:], row)
}

func (t *rowTable) add(key []byte, h uint32) *rowEntry {
	if 4*(len(t.entries)+1) > 3*len(t.slots) {
		t.slots = make([]uint32, max(64, 2*len(t.slots)))
		for i := range t.entries {
			t.enter(t.entries[i].hash, i)
		}
	}
	t.entries = append(t.entries, rowEntry{key: len(t.arena), klen: int32(len(key)), hash: h})
	t.arena = append(t.arena, key...)
	t.enter(h, len(t.entries)-1)
	return &t.entries[len(t.entries)-1]
}

func (t *rowTable) enter(h uint32, n int) {
	mask := len(t.slots) - 1
	i := int(h) & mask
	for t.slots[i] != 0 {
		i = (i + 1) & mask
	}
	t.slots[i] = uint32(n) + 1
}

// reset empties the table. It keeps its memory, but for what one large flush left.
func (t *rowTable) reset() {
	if len(t.slots) > 1<<16 && 8*len(t.entries) < len(t.slots) {
		*t = rowTable{}
		return
	}
	t.arena, t.entries = t.arena[:0], t.entries[:0]
	clear(t.slots)
}
