package operator

import (
	"bytes"
	"encoding/binary"
	"slices"

	"velostream/storage/column"
	"velostream/storage/rowenc"
	"velostream/storage/state"
)

// The table of a joinSide:
//
//	join key, stream key → stateVersion, row                  (rowenc.AppendRow)
//	join key, stream key → joinBlock, number of rows, rows    the key is that of the first one
//
// Rows of a side that loses none are written in blocks: all that a key got since the last
// flush, so that an entry's key, its place in the tree and its way through compactions are
// paid for once for many rows.

const (
	joinBlock = 2 // beside stateVersion
	// joinBlockBytes is about how large a block gets: a scan holds one at a time.
	joinBlockBytes = 16 << 10
)

// joinBlocks is what writing blocks needs. keys goes beside joinSide.dirty, the rest is
// memory used again.
type joinBlocks struct {
	keys   []int32 // the key of each dirty row
	group  []int32 // by key: its group + 1 while blocks are written, else 0
	groups []blockGroup
	rows   []blockRow // in the order of dirty
	order  []int32    // rows by group
	buf    []byte     // encoded rows
	names  []byte     // table keys of the groups' first rows
	value  []byte
}

// blockGroup is the dirty rows of one key.
type blockGroup struct {
	name, end int // its first row's table key in names
	g         int32
	n, at     int32 // rows, and where they begin in order
}

type blockRow struct{ from, to int }

// flushGone deletes the rows that went from the table.
func (s *joinSide) flushGone() (err error) {
	s.gone, err = deleteSorted(s.table, s.gone)
	return err
}

// deleteSorted deletes keys from a table, in order, and returns the list emptied.
func deleteSorted(t state.Table, keys [][]byte) ([][]byte, error) {
	slices.SortFunc(keys, bytes.Compare)
	for _, k := range keys {
		if err := t.Delete(k); err != nil {
			return keys, err
		}
	}
	return keys[:0], nil
}

// flush writes what changed: first the rows that went, then those that came, in order.
func (s *joinSide) flush() error {
	if s.table == nil {
		return nil
	}
	if s.inBlocks {
		return s.flushBlocks()
	}
	if err := s.flushGone(); err != nil {
		return err
	}
	err := putDirty(s.table, s.dirty, s.flags, s.tableKey, func(dst []byte, slot int32) []byte {
		return rowenc.AppendRow(append(dst, stateVersion), s.cols, int(slot))
	})
	s.dirty = s.dirty[:0]
	return err
}

// putDirty writes the rows in dirty that still are, in the order of their keys, and flags
// them as stored. key and value append those of a row to what they are given.
func putDirty(t state.Table, dirty []int32, flags []uint8, key, value func([]byte, int32) []byte) error {
	type span struct{ key, value, end int }
	var buf []byte
	spans := make([]span, 0, len(dirty))
	for _, slot := range dirty {
		if flags[slot]&rowDirty == 0 {
			continue
		}
		flags[slot] = flags[slot]&^rowDirty | rowStored
		x := span{key: len(buf)}
		buf = key(buf, slot)
		x.value = len(buf)
		buf = value(buf, slot)
		x.end = len(buf)
		spans = append(spans, x)
	}
	slices.SortFunc(spans, func(x, y span) int { return bytes.Compare(buf[x.key:x.value], buf[y.key:y.value]) })
	for _, x := range spans {
		if err := t.Put(buf[x.key:x.value], buf[x.value:x.end]); err != nil {
			return err
		}
	}
	return nil
}

// flushBlocks is flush for a side that loses no rows. Rows are encoded in the order in
// which they came, which is that of the columns, and then put together by key.
func (s *joinSide) flushBlocks() error {
	if len(s.dirty) == 0 {
		return nil
	}
	b := &s.blocks
	b.groups, b.rows, b.buf, b.names = b.groups[:0], b.rows[:0], b.buf[:0], b.names[:0]
	b.group = resize(b.group, len(s.head))
	for k, slot := range s.dirty {
		s.flags[slot] = s.flags[slot]&^rowDirty | rowStored
		from := len(b.buf)
		b.buf = rowenc.AppendRow(b.buf, s.cols, int(slot))
		b.rows = append(b.rows, blockRow{from, len(b.buf)})
		g := b.keys[k]
		if b.group[g] == 0 {
			x := blockGroup{g: g, name: len(b.names)}
			b.names = s.tableKey(b.names, slot)
			x.end = len(b.names)
			b.groups = append(b.groups, x)
			b.group[g] = int32(len(b.groups))
		}
		b.groups[b.group[g]-1].n++
	}
	at := int32(0)
	for k := range b.groups {
		b.groups[k].at = at
		at += b.groups[k].n
	}
	b.order = resize(b.order, len(b.rows))[:len(b.rows)]
	for k, g := range b.keys {
		x := &b.groups[b.group[g]-1]
		b.order[x.at] = int32(k)
		x.at++
	}
	for _, x := range b.groups {
		b.group[x.g] = 0
	}
	slices.SortFunc(b.groups, func(x, y blockGroup) int { return bytes.Compare(b.names[x.name:x.end], b.names[y.name:y.end]) })
	for _, x := range b.groups {
		if err := s.putBlocks(b.names[x.name:x.end], b.order[x.at-x.n:x.at]); err != nil {
			return err
		}
	}
	s.dirty, b.keys = s.dirty[:0], b.keys[:0]
	if cap(b.buf) > 1<<20 { // what one large flush left
		b.buf, b.names, b.rows, b.groups, b.order = nil, nil, nil, nil, nil
	}
	return nil
}

// putBlocks writes rows, places in dirty of rows of one key. name is the table key of the first.
func (s *joinSide) putBlocks(name []byte, rows []int32) error {
	b := &s.blocks
	for len(rows) > 0 {
		n, size := 0, 0
		for n < len(rows) && size < joinBlockBytes {
			x := b.rows[rows[n]]
			size += x.to - x.from
			n++
		}
		b.value = binary.AppendUvarint(append(b.value[:0], joinBlock), uint64(n))
		for _, k := range rows[:n] {
			b.value = append(b.value, b.buf[b.rows[k].from:b.rows[k].to]...)
		}
		if err := s.table.Put(name, b.value); err != nil {
			return err
		}
		if rows = rows[n:]; len(rows) > 0 {
			name = s.tableKey(nil, s.dirty[rows[0]])
		}
	}
	return nil
}

// load reads the rows of key g, whose key bytes are prefix.
func (s *joinSide) load(g int32, prefix []byte) error {
	if s.table == nil {
		return nil
	}
	var slots []int32
	for e, err := range s.table.Scan(prefix, rowenc.PrefixEnd(prefix)) {
		if err != nil {
			return err
		}
		n, rows, err := s.rowsOf(e.Value)
		if err != nil {
			return err
		}
		for range n {
			if rows, err = rowenc.DecodeColumns(rows, s.cols); err != nil {
				return column.Corrupt("join state")
			}
			slots = append(slots, s.link(g, rowLive|rowStored, 0, 0))
		}
		if len(rows) != 0 {
			return column.Corrupt("join state")
		}
	}
	if !s.appends && len(slots) > 0 {
		s.hashes = column.HashRows(s.hashes, s.cols, slots, 0)
		for k, slot := range slots {
			s.hash[slot] = uint32(s.hashes[k])
		}
	}
	return nil
}

// rowsOf are the rows in an entry of the table, and how many they are.
func (s *joinSide) rowsOf(value []byte) (n uint64, rows []byte, err error) {
	switch {
	case len(value) > 0 && value[0] == stateVersion:
		return 1, value[1:], nil
	case len(value) > 0 && value[0] == joinBlock && s.inBlocks: // else a row could not be deleted
		n, size := binary.Uvarint(value[1:])
		if size > 0 && n > 0 && n <= uint64(len(value)) {
			return n, value[1+size:], nil
		}
	}
	return 0, nil, column.Corrupt("join state")
}
