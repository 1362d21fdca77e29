package operator

import (
	"bytes"
	"math"
	"slices"

	"velostream/engine/sql/plan"
	"velostream/storage/column"
	"velostream/storage/rowenc"
	"velostream/storage/state"
)

// timedSide is the rows of one side of a timedJoin: a column store, and per key a
// chain of rows in order of their times. Rows come nearly in that order, so one is appended
// after few steps from the chain's end, and looked for from there too. A heap of the keys
// by when the first of their rows ends says what to forget; a row that goes is unlinked and its
// place won back when half of the store is dead.
//
// Table: join key, time, stream key → version, flags, row (rowenc.AppendRow).
type timedSide struct {
	keys   []int
	stream []int
	time   int
	reach  int64 // a row can match times of the other side up to its own plus reach
	// versions: the first row of a key ends when the next one begins.
	versions bool
	ties     []int // columns that order rows of one time
	outer    bool  // rows without a match are output
	marks    bool  // it is noted which rows have a match
	table    state.Table

	cols       []*column.Column
	prev, next []int32
	flags      []uint8
	first      []int32 // by key, -1: none
	last       []int32
	dueAt      []int64 // by key: when its first row ends
	due        dueHeap
	dead       int
	dirty      []int32
	gone       [][]byte // table keys of rows that went since the last flush
}

// rowMatched marks a row that has a match.
const rowMatched = 1 << 3

// notDue is the dueAt of a key without rows.
const notDue = math.MinInt64

func (s *timedSide) init(in *plan.Physical, keys []int, t state.Table) {
	s.keys, s.stream, s.table = keys, in.Key, t
	if len(s.stream) == 0 { // a bounded query has none: the whole row
		for k := range in.Out {
			s.stream = append(s.stream, k)
		}
	}
	for _, t := range in.Types() {
		s.cols = append(s.cols, column.New(t, 0))
	}
	s.due.at = &s.dueAt
}

func (s *timedSide) growKeys(n int) {
	for len(s.first) < n {
		s.first, s.last, s.dueAt = append(s.first, -1), append(s.last, -1), append(s.dueAt, notDue)
	}
}

// end is the last time that the row can match.
func (s *timedSide) end(slot int32) int64 {
	if !s.versions {
		return addTime(s.cols[s.time].Ints[slot], s.reach)
	}
	if n := s.next[slot]; n >= 0 {
		return addTime(s.cols[s.time].Ints[n], s.reach)
	}
	return math.MaxInt64
}

// endOf is the same of a row of in.
func (s *timedSide) endOf(in *column.Batch, row int) int64 {
	c := in.Cols[s.time]
	return addTime(c.Ints[c.At(row)], s.reach)
}

// match notes that the row has a match, and reports whether it is the first.
func (s *timedSide) match(slot int32) bool {
	if s.flags[slot]&rowMatched != 0 {
		return false
	}
	s.flags[slot] |= rowMatched
	if s.flags[slot]&rowStored != 0 && s.flags[slot]&rowDirty == 0 {
		s.flags[slot] |= rowDirty
		s.dirty = append(s.dirty, slot)
	}
	return true
}

// insert copies row of in.
func (s *timedSide) insert(g int32, in *column.Batch, row int, matched bool) {
	for c, col := range s.cols {
		col.AppendFrom(in.Cols[c], row)
	}
	flags := uint8(rowLive)
	if matched && s.marks {
		flags |= rowMatched
	}
	slot := int32(len(s.next))
	if s.table != nil {
		flags |= rowDirty
		s.dirty = append(s.dirty, slot)
	}
	s.link(g, flags)
}

// link makes the row last appended to the columns a row of key g, in its place.
func (s *timedSide) link(g int32, flags uint8) {
	slot := int32(len(s.next))
	after := s.last[g]
	for after >= 0 && s.later(after, slot) {
		after = s.prev[after]
	}
	before := s.first[g]
	if after >= 0 {
		before = s.next[after]
	}
	s.prev, s.next, s.flags = append(s.prev, after), append(s.next, before), append(s.flags, flags)
	if before >= 0 {
		s.prev[before] = slot
	} else {
		s.last[g] = slot
	}
	if after >= 0 {
		s.next[after] = slot
	} else {
		s.first[g] = slot
	}
	if after < 0 || s.versions && s.prev[after] < 0 {
		s.wait(g, s.end(s.first[g]))
	}
}

// later reports that row a belongs behind row b.
func (s *timedSide) later(a, b int32) bool {
	times := s.cols[s.time].Ints
	if times[a] != times[b] {
		return times[a] > times[b]
	}
	for _, k := range s.ties {
		if c := column.CompareAt(s.cols[k], int(a), s.cols[k], int(b)); c != 0 {
			return c > 0
		}
	}
	return false
}

// wait notes when the first row of g ends.
func (s *timedSide) wait(g int32, end int64) {
	if s.dueAt[g] == end {
		return
	}
	if s.dueAt[g] = end; !s.versions || end < math.MaxInt64 {
		s.due.push(end, g)
	}
}

// forget drops the row, the first of its chain. The caller unlinks it.
func (s *timedSide) forget(slot int32) {
	if s.flags[slot]&rowStored != 0 {
		s.gone = append(s.gone, s.tableKey(nil, slot))
	}
	s.flags[slot] = 0
	s.dead++
}

// unlinkTo makes slot the first row of g; -1: there is none.
func (s *timedSide) unlinkTo(g, slot int32) {
	s.first[g] = slot
	if slot < 0 {
		s.last[g], s.dueAt[g] = -1, notDue
		return
	}
	s.prev[slot] = -1
	s.wait(g, s.end(slot))
}

func (s *timedSide) tableKey(dst []byte, slot int32) []byte {
	dst = rowenc.AppendKey(dst, s.cols, s.keys, int(slot))
	dst = rowenc.AppendKeyColumn(dst, s.cols[s.time], int(slot), rowenc.Order{})
	return rowenc.AppendKey(dst, s.cols, s.stream, int(slot))
}

// compact rebuilds the store without its dead rows, when they are the most of it.
func (s *timedSide) compact() {
	if s.dead < 4096 || s.dead*2 < len(s.next) {
		return
	}
	keep, to := make([]int32, 0, len(s.next)-s.dead), make([]int32, len(s.next))
	for slot, f := range s.flags {
		if to[slot] = -1; f&rowLive != 0 {
			to[slot] = int32(len(keep))
			keep = append(keep, int32(slot))
		}
	}
	for c, col := range s.cols {
		s.cols[c] = column.New(col.Type, len(keep))
		s.cols[c].AppendRows(col, keep)
	}
	move := func(list []int32) {
		for k, slot := range list {
			if slot >= 0 {
				list[k] = to[slot]
			}
		}
	}
	s.prev, s.next, s.flags = pick(s.prev, keep), pick(s.next, keep), pick(s.flags, keep)
	for _, list := range [][]int32{s.prev, s.next, s.first, s.last, s.dirty} {
		move(list)
	}
	s.dirty = slices.DeleteFunc(s.dirty, func(slot int32) bool { return slot < 0 })
	s.dead = 0
}

// flushGone deletes the rows that went from the table.
func (s *timedSide) flushGone() (err error) {
	s.gone, err = deleteSorted(s.table, s.gone)
	return err
}

// flush writes what changed: first the rows that went, then those that came, in order.
func (s *timedSide) flush() error {
	if s.table == nil {
		return nil
	}
	if err := s.flushGone(); err != nil {
		return err
	}
	err := putDirty(s.table, s.dirty, s.flags, s.tableKey, func(dst []byte, slot int32) []byte {
		return rowenc.AppendRow(append(dst, stateVersion, s.flags[slot]&rowMatched), s.cols, int(slot))
	})
	s.dirty = s.dirty[:0]
	return err
}

// read appends the row of a table entry to the columns, and returns its flags.
func (s *timedSide) read(e state.Entry) (uint8, error) {
	if len(e.Value) < 2 || e.Value[0] != stateVersion || e.Value[1]&^rowMatched != 0 {
		return 0, column.Corrupt("interval join state")
	}
	rest, err := rowenc.DecodeColumns(e.Value[2:], s.cols)
	if err != nil || len(rest) != 0 {
		return 0, column.Corrupt("interval join state")
	}
	return e.Value[1] | rowLive | rowStored, nil
}

// skip makes the row last appended to the columns a dead one.
func (s *timedSide) skip() {
	s.prev, s.next, s.flags = append(s.prev, -1), append(s.next, -1), append(s.flags, 0)
	s.dead++
}

// evict forgets the rows of g, but not when the first of them ends.
// REQUIRES: none of them is dirty.
func (s *timedSide) evict(g int32) (rows int) {
	for slot := s.first[g]; slot >= 0; slot = s.next[slot] {
		s.flags[slot] = 0
		rows++
	}
	s.dead += rows
	s.first[g], s.last[g] = -1, -1
	return rows
}

func (s *timedSide) memory() int64 {
	n := int64(len(s.next)-s.dead)*13 + int64(len(s.first))*16 + int64(len(s.due.items))*16
	for _, c := range s.cols {
		n += c.MemSize()
	}
	for _, k := range s.gone {
		n += int64(len(k)) + 24
	}
	return n
}

// load reads the tables after a restart. Keys beyond the memory budget stay cold.
func (j *timedJoin) load() error {
	if j.loaded {
		return nil
	}
	j.loaded = true
	for side := range j.sides {
		s := &j.sides[side]
		if s.table == nil {
			continue
		}
		read := 0
		for e, err := range s.table.Scan(nil, nil) {
			if err != nil {
				return err
			}
			flags, err := s.read(e)
			if err != nil {
				return err
			}
			j.adopt(s, flags)
			if read++; read%maxBatch == 0 {
				if err := j.bound(); err != nil {
					return err
				}
			}
		}
	}
	return j.bound()
}

// adopt links the row last read into s, the rows of a key coming in their order.
func (j *timedJoin) adopt(s *timedSide, flags uint8) {
	slot := len(s.next)
	for k, c := range s.keys {
		j.keyCols[k] = s.cols[c]
	}
	j.hashes = column.HashRows(j.hashes, j.keyCols, []int32{int32(slot)}, 0)
	g := j.keys.findOne(j.keyCols, slot, j.hashes[0])
	if g < 0 {
		g = j.newKey(j.keyCols, slot, j.hashes[0])
	}
	if !j.cold[g] {
		s.link(g, flags)
		return
	}
	switch s.skip(); {
	case s.versions && s.dueAt[g] == notDue:
		s.wait(g, math.MaxInt64)
	case s.dueAt[g] == notDue || s.versions && s.dueAt[g] == math.MaxInt64: // the second version ends the first
		s.wait(g, addTime(s.cols[s.time].Ints[slot], s.reach))
	}
}

// warm reads the rows of keys that are only in the tables.
func (j *timedJoin) warm(gs []int32) error {
	type want struct {
		key []byte
		g   int32
	}
	order := make([]int, len(j.keyCols))
	for k := range order {
		order[k] = k
	}
	wants := make([]want, len(gs))
	for k, g := range gs {
		j.cold[g] = false
		wants[k] = want{j.keys.appendKey(nil, g, order), g}
	}
	slices.SortFunc(wants, func(x, y want) int { return bytes.Compare(x.key, y.key) })
	for side := range j.sides {
		s := &j.sides[side]
		if err := s.flushGone(); err != nil { // they must not be read again
			return err
		}
		for _, w := range wants {
			s.dueAt[w.g] = notDue
			for e, err := range s.table.Scan(w.key, rowenc.PrefixEnd(w.key)) {
				if err != nil {
					return err
				}
				flags, err := s.read(e)
				if err != nil {
					return err
				}
				s.link(w.g, flags)
			}
		}
	}
	return nil
}

// bound keeps memory within the budget: rows of keys not used lately go to the tables;
// without tables it is an error. When their first row ends stays in memory.
func (j *timedJoin) bound() error {
	budget := j.ctx.budget().now()
	total := j.memory()
	if total <= budget {
		return nil
	}
	if j.sides[0].table == nil || j.sides[1].table == nil {
		return j.ctx.budget().exceeded(j.label, total)
	}
	for side := range j.sides {
		if err := j.sides[side].flush(); err != nil {
			return err
		}
	}
	rows := len(j.sides[0].next) + len(j.sides[1].next)
	goal := int(int64(rows) * (total - budget*3/4) / total)
	for range 2 * len(j.live) {
		if goal <= 0 {
			break
		}
		if j.hand++; j.hand >= len(j.live) {
			j.hand = 0
		}
		switch g := int32(j.hand); {
		case !j.live[g] || j.cold[g] || j.sides[0].first[g] < 0 && j.sides[1].first[g] < 0:
		case j.ref[g]:
			j.ref[g] = false
		default:
			goal -= j.sides[0].evict(g) + j.sides[1].evict(g)
			j.cold[g] = true
		}
	}
	j.sides[0].compact()
	j.sides[1].compact()
	return nil
}

func (j *timedJoin) memory() int64 {
	return j.sides[0].memory() + j.sides[1].memory() + j.keys.bytes()
}

// dueHeap is a heap of keys by when their first row ends. An entry whose time is no more
// that of its key is passed over.
type dueHeap struct {
	items []dueItem
	at    *[]int64 // by key: the time that counts
}

type dueItem struct {
	end int64
	key int32
}

func (h *dueHeap) push(end int64, key int32) {
	h.items = append(h.items, dueItem{end, key})
	for k := len(h.items) - 1; k > 0; {
		up := (k - 1) / 2
		if h.items[up].end <= h.items[k].end {
			return
		}
		h.items[up], h.items[k] = h.items[k], h.items[up]
		k = up
	}
}

// pop takes out the next key whose time has passed.
func (h *dueHeap) pop(passed func(end int64) bool) (key int32, ok bool) {
	for len(h.items) > 0 && passed(h.items[0].end) {
		x := h.items[0]
		n := len(h.items) - 1
		h.items[0] = h.items[n]
		h.items = h.items[:n]
		h.down()
		if (*h.at)[x.key] == x.end {
			return x.key, true
		}
	}
	return 0, false
}

func (h *dueHeap) down() {
	for k, n := 0, len(h.items); ; {
		c := 2*k + 1
		if c >= n {
			return
		}
		if c+1 < n && h.items[c+1].end < h.items[c].end {
			c++
		}
		if h.items[k].end <= h.items[c].end {
			return
		}
		h.items[k], h.items[c] = h.items[c], h.items[k]
		k = c
	}
}
