package operator

import (
	"bytes"
	"slices"

	"velostream/engine/dataflow"
	"velostream/engine/sql/plan"
	"velostream/storage/column"
	"velostream/storage/rowenc"
	"velostream/storage/state"
)

// joinSide is the rows of one side: a column store with a chain of rows per join key.
// Appending is the fast path; a row that goes is unlinked and its place won back when
// half of the store is dead. To find the row that a Delete means the chain is searched
// by a hash of the whole row, so a Delete costs in proportion to the rows of its key, as the
// pairs it takes away do.
//
// Its table: see join_table.go.
type joinSide struct {
	keys     []int
	stream   []int
	appends  bool // a row that goes is not looked for by its values
	inBlocks bool // none goes: the table has blocks of rows
	outer    bool // rows without a match are output (anti join: only they)
	degrees  bool // matches are counted per row; else the other side's count per key tells
	table    state.Table

	cols   []*column.Column
	next   []int32
	flags  []uint8
	hash   []uint32
	degree []int32
	head   []int32 // by key; -1: none
	count  []int32 // by key
	dead   int
	dirty  []int32
	blocks joinBlocks // with inBlocks: the rows of dirty, in the table
	gone   [][]byte   // table keys of rows that went since the last flush
	hashes []uint64
	added  []int32 // rows of the batch at hand that are linked, whose values are not copied yet
}

const (
	rowLive = 1 << iota
	rowDirty
	rowStored
)

func newJoinSide(in *plan.Physical, keys []int, t state.Table) joinSide {
	s := joinSide{keys: keys, stream: in.Key, appends: in.AppendOnly, table: t}
	if len(s.stream) == 0 { // one row, or a bounded query that has no key: the whole row
		for k := range in.Out {
			s.stream = append(s.stream, k)
		}
	}
	for _, t := range in.Types() {
		s.cols = append(s.cols, column.New(t, 0))
	}
	return s
}

func (s *joinSide) growKeys(n int) {
	for len(s.head) < n {
		s.head = append(s.head, -1)
	}
	s.count = resize(s.count, n)
}

// link makes the row last appended to the columns a row of key g.
func (s *joinSide) link(g int32, flags uint8, hash uint32, degree int32) int32 {
	slot := int32(len(s.next))
	s.next = append(s.next, s.head[g])
	s.head[g] = slot
	s.count[g]++
	s.flags = append(s.flags, flags)
	if !s.appends {
		s.hash = append(s.hash, hash)
	}
	if s.degrees {
		s.degree = append(s.degree, degree)
	}
	return slot
}

// insert takes in a row, the k-th of its batch. Its values follow, see copyRows.
func (s *joinSide) insert(g int32, row int32, k int, degree int32) {
	s.added = append(s.added, row)
	h := uint32(0)
	if !s.appends {
		h = uint32(s.hashes[k])
	}
	flags := uint8(rowLive)
	if s.table != nil {
		flags |= rowDirty
	}
	slot := s.link(g, flags, h, degree)
	if s.table != nil {
		s.dirty = append(s.dirty, slot)
		if s.inBlocks {
			s.blocks.keys = append(s.blocks.keys, g)
		}
	}
}

// copyRows copies the values of rows that were inserted, all at once: a column at a time.
func (s *joinSide) copyRows(in *column.Batch) {
	if len(s.added) == 0 {
		return
	}
	for c, col := range s.cols {
		col.AppendRows(in.Cols[c], s.added)
	}
	s.added = s.added[:0]
}

// remove unlinks the row equal to row of in, and reports whether there was one.
func (s *joinSide) remove(g int32, in *column.Batch, row, k int) bool {
	s.copyRows(in)
	h := uint32(s.hashes[k])
	prev := int32(-1)
	for slot := s.head[g]; slot >= 0; prev, slot = slot, s.next[slot] {
		if s.hash[slot] != h || !s.same(slot, in, row) {
			continue
		}
		if prev < 0 {
			s.head[g] = s.next[slot]
		} else {
			s.next[prev] = s.next[slot]
		}
		s.count[g]--
		if s.flags[slot]&rowStored != 0 {
			s.gone = append(s.gone, s.tableKey(nil, slot))
		}
		s.flags[slot] = 0
		s.dead++
		return true
	}
	return false
}

func (s *joinSide) same(slot int32, in *column.Batch, row int) bool {
	for c, col := range s.cols {
		if !column.IdenticalAt(col, int(slot), in.Cols[c], row) {
			return false
		}
	}
	return true
}

func (s *joinSide) tableKey(dst []byte, slot int32) []byte {
	dst = rowenc.AppendKey(dst, s.cols, s.keys, int(slot))
	return rowenc.AppendKey(dst, s.cols, s.stream, int(slot))
}

// compact rebuilds the store without its dead rows, when they are the most of it.
func (s *joinSide) compact() {
	if s.dead < 4096 || s.dead*2 < len(s.next) {
		return
	}
	keep := make([]int32, 0, len(s.next)-s.dead)
	to := make([]int32, len(s.next))
	for slot, f := range s.flags {
		to[slot] = -1
		if f&rowLive != 0 {
			to[slot] = int32(len(keep))
			keep = append(keep, int32(slot))
		}
	}
	for c, col := range s.cols {
		s.cols[c] = column.New(col.Type, len(keep))
		s.cols[c].AppendRows(col, keep)
	}
	s.next = pick(s.next, keep)
	for k, n := range s.next {
		if n >= 0 {
			s.next[k] = to[n]
		}
	}
	for g, h := range s.head {
		if h >= 0 {
			s.head[g] = to[h]
		}
	}
	s.flags = pick(s.flags, keep)
	if !s.appends {
		s.hash = pick(s.hash, keep)
	}
	if s.degrees {
		s.degree = pick(s.degree, keep)
	}
	dirty := s.dirty[:0]
	for _, slot := range s.dirty { // with inBlocks all stay
		if to[slot] >= 0 {
			dirty = append(dirty, to[slot])
		}
	}
	s.dirty, s.dead = dirty, 0
}

func pick[T any](s []T, at []int32) []T {
	out := make([]T, len(at), len(at)+len(at)/4)
	for k, i := range at {
		out[k] = s[i]
	}
	return out
}

// evict forgets the rows of g; REQUIRES: none of them is dirty.
func (s *joinSide) evict(g int32) {
	for slot := s.head[g]; slot >= 0; slot = s.next[slot] {
		s.flags[slot] = 0
		s.dead++
	}
	s.head[g], s.count[g] = -1, 0
}

func (s *joinSide) memory() int64 {
	n := int64(len(s.next))*17 + int64(len(s.head))*8 + 4*int64(len(s.dirty)+len(s.blocks.keys)+len(s.blocks.group))
	for _, c := range s.cols {
		n += c.MemSize()
	}
	for _, k := range s.gone {
		n += int64(len(k)) + 24
	}
	return n
}

func (j *join) flush() error {
	if err := j.sides[0].flush(); err != nil {
		return err
	}
	return j.sides[1].flush()
}

// load reads the rows of the keys gs, new in memory, from the tables.
func (j *join) load(gs []int32) error {
	type want struct {
		key []byte
		g   int32
	}
	for side := range j.sides { // the key of a row that went may be forgotten and now read again
		if err := j.sides[side].flushGone(); err != nil {
			return err
		}
	}
	order := make([]int, len(j.keyCols))
	for k := range order {
		order[k] = k
	}
	wants := make([]want, len(gs))
	for k, g := range gs {
		wants[k] = want{j.keys.appendKey(nil, g, order), g}
	}
	slices.SortFunc(wants, func(x, y want) int { return bytes.Compare(x.key, y.key) })
	for _, w := range wants {
		for side := range j.sides {
			if err := j.sides[side].load(w.g, w.key); err != nil {
				return err
			}
		}
		if err := j.countMatches(w.g); err != nil {
			return err
		}
	}
	return nil
}

// countMatches works out the matches of the loaded rows of g: they are not stored, so a row
// is not written again each time a match of it comes or goes.
func (j *join) countMatches(g int32) error {
	l, r := &j.sides[0], &j.sides[1]
	if !l.degrees && !r.degrees {
		return nil
	}
	var ls, rs []int32
	for x := l.head[g]; x >= 0; x = l.next[x] {
		for y := r.head[g]; y >= 0; y = r.next[y] {
			ls, rs = append(ls, x), append(rs, y)
			if len(ls) < maxBatch && (l.next[x] >= 0 || r.next[y] >= 0) {
				continue
			}
			sel, err := j.cond.eval(j.ctx.Env, 0, l.cols, ls, r.cols, rs)
			if err != nil {
				return err
			}
			for _, k := range sel {
				if l.degrees {
					l.degree[ls[k]]++
				}
				if r.degrees {
					r.degree[rs[k]]++
				}
			}
			ls, rs = ls[:0], rs[:0]
		}
	}
	return nil
}

// dropEmpty frees the keys that have no rows any more.
func (j *join) dropEmpty() {
	for _, g := range j.empty {
		if j.ref[g] && j.sides[0].count[g] == 0 && j.sides[1].count[g] == 0 {
			j.ref[g] = false // once, should it be listed twice
			j.keys.remove(g)
		}
	}
	j.empty = j.empty[:0]
}

// bound keeps memory within the budget: rows of keys not used lately go to the tables, all
// rows of a key together; without tables it is an error.
func (j *join) bound() error {
	budget := j.ctx.budget().now()
	total := j.memory()
	if total <= budget {
		return nil
	}
	if j.sides[0].table == nil || j.sides[1].table == nil {
		return j.ctx.budget().exceeded(j.label, total)
	}
	if err := j.flush(); err != nil {
		return err
	}
	rows := len(j.sides[0].next) + len(j.sides[1].next)
	goal := int(int64(rows) * (total - budget*3/4) / total)
	live := make([]bool, j.keys.n)
	for k := range live {
		live[k] = true
	}
	for _, g := range j.keys.free {
		live[g] = false
	}
	for range 2 * len(live) {
		if j.hand++; int(j.hand) >= len(live) {
			j.hand = 0
		}
		g := j.hand
		switch {
		case !live[g]:
			continue
		case j.ref[g]:
			j.ref[g] = false
			continue
		}
		goal -= int(j.sides[0].count[g] + j.sides[1].count[g])
		j.sides[0].evict(g)
		j.sides[1].evict(g)
		j.keys.remove(g)
		live[g] = false
		j.whole = false
		if goal <= 0 {
			break
		}
	}
	j.sides[0].compact()
	j.sides[1].compact()
	return nil
}

func (j *join) memory() int64 {
	return j.sides[0].memory() + j.sides[1].memory() + j.keys.bytes()
}

// joinOut collects output rows as references, and gathers them column by column.
type joinOut struct {
	ops       []column.Op
	own, oth  []int32 // row of the input, slot of the other side; -1: NULLs
	nullOwn   bool
	nullOther bool
	port      int
	in        *column.Batch
	other     []*column.Column // of the side that port is not
	left      int              // left columns
	b         column.Batch
}

func (o *joinOut) init(p *plan.Physical) {
	o.left = len(p.Inputs[0].Out)
	for _, t := range p.Types() {
		o.b.Cols = append(o.b.Cols, column.New(t, 0))
	}
}

func (o *joinOut) begin(port int, in *column.Batch, other []*column.Column) {
	o.port, o.in, o.other = port, in, other
}

func (o *joinOut) add(op column.Op, own, oth int32) {
	o.ops, o.own, o.oth = append(o.ops, op), append(o.own, own), append(o.oth, oth)
	o.nullOwn = o.nullOwn || own < 0
	o.nullOther = o.nullOther || oth < 0
}

// full emits when a batch is complete.
func (o *joinOut) full(out dataflow.Output) error {
	if len(o.ops) < maxBatch {
		return nil
	}
	return o.flush(out)
}

func (o *joinOut) flush(out dataflow.Output) error {
	if len(o.ops) == 0 {
		return nil
	}
	for c, dst := range o.b.Cols {
		dst.Reset()
		side, at := 0, c
		if c >= o.left {
			side, at = 1, c-o.left
		}
		if side == o.port {
			gather(dst, o.in.Cols[at], o.own, o.nullOwn)
		} else {
			gather(dst, o.other[at], o.oth, o.nullOther)
		}
		if !dst.Nulls.Any() {
			dst.Nulls = nil
		}
	}
	o.b.N, o.b.Ops = len(o.ops), nil
	if slices.Contains(o.ops, column.Delete) {
		o.b.Ops = o.ops
	}
	err := out.Emit(&o.b)
	o.ops, o.own, o.oth, o.nullOwn, o.nullOther = o.ops[:0], o.own[:0], o.oth[:0], false, false
	return err
}

// gather adds rows of src to dst, NULL for row -1.
func gather(dst, src *column.Column, rows []int32, nulls bool) {
	if !nulls {
		dst.AppendRows(src, rows)
		return
	}
	for _, i := range rows {
		if i < 0 {
			dst.AppendNull()
			continue
		}
		dst.AppendFrom(src, int(i))
	}
}
