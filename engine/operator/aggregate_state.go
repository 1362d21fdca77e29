package operator

import (
	"bytes"
	"encoding/binary"
	"math"
	"slices"

	"velostream/storage/column"
	"velostream/storage/rowenc"
)

// Table 0 of an aggregate:
//
//	0x00                  → version, varint: windows that end at or before it are closed
//	0x01, group key       → version, exact key values, varint rows, state of each aggregate
//
// The exact key values (rowenc.AppendRow) are those of columns whose key does not tell all:
// a group of 1.5 and 1.50 goes on showing what it showed.
//
// The group key is rowenc's of the key columns, window_end first, so that the windows
// that close are a range.
const (
	spaceMeta   = 0
	spaceGroups = 1
)

// restore takes up the state of the table: only what is needed to begin.
func (a *aggregate) restore() error {
	if a.table == nil || a.table.Fresh() {
		if a.single && a.ctx.Shard == 0 {
			a.keys.insert(nil, 0, 0)
			a.growGroups()
			a.flags[0] = flagLive
			a.touch(0)
		}
		return nil
	}
	v, err := a.table.Get([]byte{spaceMeta})
	if err != nil {
		return err
	}
	if v != nil {
		if v[0] != stateVersion {
			return column.Corrupt("aggregate state")
		}
		if a.frontier, _, err = takeVarint(v[1:]); err != nil {
			return err
		}
		a.frontierOld, a.mark = a.frontier, a.frontier
		if a.retain > 0 {
			a.shown = laterBy(a.frontier, a.retain)
		}
	}
	if a.end >= 0 {
		return a.peek()
	}
	if !a.single {
		return nil
	}
	g := a.keys.insert(nil, 0, 0)
	a.growGroups()
	a.flags[g] = flagLive
	a.whole = true
	found, err := a.loadOne(g)
	if err == nil && !found && a.ctx.Shard == 0 {
		a.touch(g)
	}
	return err
}

// stateKey is the key of g in table 0, valid until the next call.
func (a *aggregate) stateKey(g int32) []byte {
	a.scratch.key = append(a.scratch.key[:0], spaceGroups)
	a.scratch.key = a.keys.appendKey(a.scratch.key, g, a.order)
	return a.scratch.key
}

// closedEnd is the end of the range of closed windows in table 0.
func (a *aggregate) closedEnd() []byte {
	if a.frontier == math.MaxInt64 {
		return []byte{spaceGroups + 1}
	}
	tmp := column.New(a.keys.cols[a.end].typ, 1)
	tmp.Ints = append(tmp.Ints, a.frontier+1)
	return rowenc.AppendKeyColumn([]byte{spaceGroups}, tmp, 0, rowenc.Order{})
}

// peek finds the first window that the table has.
func (a *aggregate) peek() error {
	a.outsideEnd = math.MaxInt64
	tmp := column.New(a.keys.cols[a.end].typ, 1)
	for e, err := range a.table.Scan([]byte{spaceGroups}, []byte{spaceGroups + 1}) {
		if err != nil {
			return err
		}
		if _, err := rowenc.DecodeKey(e.Key[1:], []*column.Column{tmp}, nil); err != nil {
			return err
		}
		a.outsideEnd = tmp.Ints[0]
		break
	}
	return nil
}

// load reads the groups gs, new in memory, from the table, in key order.
func (a *aggregate) load(gs []int32) error {
	type want struct {
		key []byte
		g   int32
	}
	wants := make([]want, len(gs))
	for k, g := range gs {
		wants[k] = want{bytes.Clone(a.stateKey(g)), g}
	}
	slices.SortFunc(wants, func(x, y want) int { return bytes.Compare(x.key, y.key) })
	for _, w := range wants {
		v, err := a.table.Get(w.key)
		if err != nil {
			return err
		}
		if v == nil {
			continue
		}
		if err := a.decode(w.g, v); err != nil {
			return err
		}
	}
	return nil
}

func (a *aggregate) loadOne(g int32) (bool, error) {
	v, err := a.table.Get(a.stateKey(g))
	if err != nil || v == nil {
		return false, err
	}
	return true, a.decode(g, v)
}

func (a *aggregate) encode(dst []byte, g int32) []byte {
	dst = append(dst, stateVersion)
	if len(a.inexact) > 0 {
		for k, j := range a.inexact {
			a.exact[k].Reset()
			a.keys.cols[j].appendTo(a.exact[k], g)
		}
		dst = rowenc.AppendRow(dst, a.exact, 0)
	}
	dst = binary.AppendVarint(dst, a.rows[g])
	for _, acc := range a.accs {
		dst = acc.encode(dst, g)
	}
	return dst
}

func (a *aggregate) decode(g int32, v []byte) (err error) {
	if len(v) == 0 || v[0] != stateVersion {
		return column.Corrupt("aggregate state")
	}
	v = v[1:]
	if len(a.inexact) > 0 {
		for _, c := range a.exact {
			c.Reset()
		}
		if v, err = rowenc.DecodeColumns(v, a.exact); err != nil {
			return err
		}
		for k, j := range a.inexact {
			a.keys.cols[j].replace(g, a.exact[k], 0)
		}
	}
	if a.rows[g], v, err = takeVarint(v); err != nil {
		return err
	}
	for _, acc := range a.accs {
		if v, err = acc.decode(v, g); err != nil {
			return err
		}
	}
	if len(v) != 0 {
		return column.Corrupt("aggregate state")
	}
	a.flags[g] |= flagStored
	if !a.gate || a.keys.cols[a.end].ints[g] <= a.shown {
		a.flags[g] |= flagEmitted
	}
	return nil
}

// outside calls do for each group of the key range that is only in the table, read in
// by chunks and forgotten again.
func (a *aggregate) outside(lo, hi []byte, do func(g int32) error) error {
	const chunk = 1024
	cols := make([]*column.Column, len(a.order))
	ordered := make([]*column.Column, len(a.order))
	for k, j := range a.order {
		ordered[k] = column.New(a.keys.cols[j].typ, chunk)
		cols[j] = ordered[k]
	}
	for lo != nil {
		var values [][]byte
		for _, c := range cols {
			c.Reset()
		}
		from := lo
		lo = nil
		for e, err := range a.table.Scan(from, hi) {
			if err != nil {
				return err
			}
			if len(values) == chunk {
				lo = bytes.Clone(e.Key)
				break
			}
			if _, err := rowenc.DecodeKey(e.Key[1:], ordered, nil); err != nil {
				return err
			}
			values = append(values, bytes.Clone(e.Value))
		}
		hashes := column.HashRows(nil, cols, nil, len(values))
		for k, v := range values {
			if a.keys.findOne(cols, k, hashes[k]) >= 0 {
				continue
			}
			g := a.keys.insert(cols, k, hashes[k])
			a.growGroups()
			a.scratch.groupOf = -1
			a.flags[g] = flagLive
			if err := a.decode(g, v); err != nil {
				return err
			}
			if err := do(g); err != nil {
				return err
			}
			a.remove(g)
		}
	}
	return nil
}

// remove frees the memory of g.
func (a *aggregate) remove(g int32) {
	for _, acc := range a.accs {
		acc.reset(g)
	}
	a.rows[g], a.flags[g], a.old[g] = 0, 0, -1
	a.scratch.groupOf = -1
	if a.single {
		a.keys.live, a.keys.n = 0, 0
		clear(a.keys.slots)
		return
	}
	a.keys.remove(g)
}

// flush writes what changed since the last flush.
func (a *aggregate) flush() error {
	if a.table == nil {
		return a.set.flush()
	}
	if err := a.write(a.dirty); err != nil {
		return err
	}
	a.dirty = a.dirty[:0]
	if a.frontier != a.frontierOld {
		a.frontierOld = a.frontier
		if err := a.table.Put([]byte{spaceMeta}, binary.AppendVarint([]byte{stateVersion}, a.frontier)); err != nil {
			return err
		}
	}
	return a.set.flush()
}

// write puts the dirty ones of gs into the table, in any order: it sorts what it was
// given once.
func (a *aggregate) write(gs []int32) error {
	buf := a.scratch.value
	for _, g := range gs {
		if a.flags[g]&(flagDirty|flagLive) != flagDirty|flagLive {
			continue
		}
		a.flags[g] = a.flags[g]&^flagDirty | flagStored
		buf = a.keys.appendKey(append(buf[:0], spaceGroups), g, a.order)
		n := len(buf)
		buf = a.encode(buf, g)
		if err := a.table.Put(buf[:n], buf[n:]); err != nil {
			return err
		}
	}
	a.scratch.value = buf
	return nil
}

// memory is about what the groups take.
func (a *aggregate) memory() int64 {
	n := int64(a.keys.live) * (a.widths + 16 + 16*int64(len(a.keys.cols)))
	for j := range a.keys.cols {
		n += int64(len(a.keys.cols[j].arena) - a.keys.cols[j].dead)
	}
	return n
}

// bound keeps memory within the budget: groups not changed in this epoch nor used
// lately go to the table (a clock), without one it is an error.
func (a *aggregate) bound() error {
	if err := a.set.check(); err != nil {
		return err
	}
	if a.table == nil {
		return a.overflow()
	}
	budget := a.ctx.budget().now()
	if a.memory() <= budget || a.single {
		return nil
	}
	goal := int((a.memory() - budget*3/4) * int64(a.keys.live) / a.memory())
	var victims []int32
	for range 2 * len(a.flags) {
		if len(victims) >= goal {
			break
		}
		if a.hand++; int(a.hand) >= len(a.flags) {
			a.hand = 0
		}
		f := a.flags[a.hand]
		switch {
		case f&flagLive == 0 || f&flagTouched != 0:
		case f&flagReference != 0:
			a.flags[a.hand] &^= flagReference
		default:
			victims = append(victims, a.hand)
			a.flags[a.hand] |= flagReference // not twice in one round
		}
	}
	if err := a.write(victims); err != nil {
		return err
	}
	for _, g := range victims {
		if a.end >= 0 {
			a.outsideEnd = min(a.outsideEnd, a.keys.cols[a.end].ints[g])
		}
		a.remove(g)
	}
	if len(victims) > 0 {
		a.whole = false
		a.tidyWindows()
	}
	return nil
}

// tidyWindows drops from the lists of windows what is not in memory any more.
func (a *aggregate) tidyWindows() {
	for end, list := range a.windows {
		list = slices.DeleteFunc(list, func(g int32) bool {
			return a.flags[g]&flagLive == 0 || a.keys.cols[a.end].ints[g] != end
		})
		slices.Sort(list)
		if list = slices.Compact(list); len(list) == 0 {
			delete(a.windows, end)
			continue
		}
		a.windows[end] = list
	}
}
