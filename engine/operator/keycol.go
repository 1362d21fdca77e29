package operator

import (
	"bytes"
	"encoding/binary"

	"velostream/catalog/types"
	"velostream/storage/column"
	"velostream/storage/rowenc"
)

// keyCol is one column of the keys of a keyTable, by id. Unlike column.Column any row can
// be overwritten: byte strings are str with an arena that is compacted when half of it
// is dead; lists are kept as their key bytes.
type keyCol struct {
	typ    types.Type
	kind   types.Kind
	nulls  column.Bitmap
	ints   []int64 // also bool
	floats []float64
	decs   []types.Decimal
	ivs    []types.Interval
	strs   []str
	arena  []byte
	dead   int
	tmp    []byte
}

// verify compares the candidate of each row with the row's value and marks in bad the
// rows whose candidate is another key; it reports whether there are any.
func (c *keyCol) verify(in *column.Column, rows []int32, gids []int32, bad []bool) bool {
	some := false
	simple := len(in.Nulls) == 0 && !c.nulls.Any() && !in.Const
	switch {
	case simple && c.kind == types.KindInt:
		for k, g := range gids {
			if g >= 0 && c.ints[g] != in.Ints[rows[k]] {
				bad[k], some = true, true
			}
		}
	case simple && c.kind == types.KindBytes && column.PlainBytes(c.typ):
		for k, g := range gids {
			if g < 0 {
				continue
			}
			i := rows[k]
			if v := in.Data[in.Offs[i]:in.Offs[i+1]]; !c.equalBytes(g, v) {
				bad[k], some = true, true
			}
		}
	default:
		for k, g := range gids {
			if g >= 0 && !c.equal(in, int(rows[k]), g) {
				bad[k], some = true, true
			}
		}
	}
	return some
}

func (c *keyCol) equalBytes(g int32, v []byte) bool {
	s := c.strs[g]
	if int(s.n) != len(v) {
		return false
	}
	if len(v) <= inlineMax {
		return s == packStr(v)
	}
	return bytes.Equal(c.arena[s.tail:s.tail+uint64(s.n)], v)
}

func (c *keyCol) equal(in *column.Column, row int, g int32) bool {
	if in.Null(row) || c.nulls.Get(int(g)) {
		return in.Null(row) && c.nulls.Get(int(g))
	}
	i := in.At(row)
	switch c.kind {
	case types.KindBool:
		return (c.ints[g] != 0) == in.Bools[i]
	case types.KindInt:
		return c.ints[g] == in.Ints[i]
	case types.KindFloat:
		return c.floats[g] == in.Floats[i] || c.floats[g] != c.floats[g] && in.Floats[i] != in.Floats[i]
	case types.KindDecimal:
		return c.decs[g] == in.Decs[i] || c.decs[g].Equal(in.Decs[i])
	case types.KindInterval:
		ah, al := column.IntervalSpan(c.ivs[g])
		bh, bl := column.IntervalSpan(in.Ivs[i])
		return ah == bh && al == bl
	case types.KindBytes:
		return bytes.Equal(column.KeyBytes(c.typ, c.bytes(g)), column.KeyBytes(c.typ, in.Bytes(i)))
	case types.KindList:
		c.tmp = rowenc.AppendKeyColumn(c.tmp[:0], in, row, rowenc.Order{})
		return bytes.Equal(c.bytes(g), c.tmp)
	default:
	}
	return false
}

// bytes returns the byte string of g; inline ones are copied to scratch.
func (c *keyCol) bytes(g int32) []byte {
	s := c.strs[g]
	if s.n > inlineMax {
		return c.arena[s.tail : s.tail+uint64(s.n)]
	}
	var b [inlineMax]byte
	binary.LittleEndian.PutUint32(b[:], s.head)
	binary.LittleEndian.PutUint64(b[4:], s.tail)
	return append([]byte(nil), b[:s.n]...)
}

// grown returns s with room for index g.
func grown[T any](s []T, g int32) []T {
	for int(g) >= len(s) {
		var zero T
		s = append(s, zero)
	}
	return s
}

// set makes row of in the key of g.
func (c *keyCol) set(g int32, in *column.Column, row int) {
	null := in.Null(row)
	switch {
	case null:
		for len(c.nulls) <= int(g)>>6 {
			c.nulls = append(c.nulls, 0)
		}
		c.nulls.Set(int(g))
	case c.nulls.Get(int(g)):
		c.nulls.Clear(int(g))
	}
	i := in.At(row)
	switch c.kind {
	case types.KindBool:
		c.ints = grown(c.ints, g)
		if !null && in.Bools[i] {
			c.ints[g] = 1
		} else {
			c.ints[g] = 0
		}
	case types.KindInt:
		c.ints = grown(c.ints, g)
		c.ints[g] = in.Ints[i]
	case types.KindFloat:
		c.floats = grown(c.floats, g)
		c.floats[g] = in.Floats[i]
	case types.KindDecimal:
		c.decs = grown(c.decs, g)
		c.decs[g] = in.Decs[i]
	case types.KindInterval:
		c.ivs = grown(c.ivs, g)
		c.ivs[g] = in.Ivs[i]
	case types.KindBytes:
		c.strs = grown(c.strs, g)
		if null {
			c.strs[g] = str{}
			return
		}
		c.setBytes(g, in.Bytes(i))
	case types.KindList:
		c.strs = grown(c.strs, g)
		c.tmp = rowenc.AppendKeyColumn(c.tmp[:0], in, row, rowenc.Order{})
		c.setBytes(g, c.tmp)
	default:
	}
}

func (c *keyCol) setBytes(g int32, v []byte) {
	s := packStr(v)
	if len(v) > inlineMax {
		s.tail = uint64(len(c.arena))
		c.arena = append(c.arena, v...)
	}
	c.strs[g] = s
}

// clear forgets the key of g.
func (c *keyCol) clear(g int32) {
	if c.decs != nil {
		c.decs[g] = types.Decimal{}
	}
	if c.strs == nil {
		return
	}
	if n := c.strs[g].n; n > inlineMax {
		c.dead += int(n)
	}
	c.strs[g] = str{}
	if c.dead > 1<<16 && c.dead > len(c.arena)/2 {
		c.compact()
	}
}

func (c *keyCol) compact() {
	old := c.arena
	c.arena, c.dead = make([]byte, 0, len(old)-c.dead+len(old)/4), 0
	for g, s := range c.strs {
		if s.n > inlineMax {
			c.strs[g].tail = uint64(len(c.arena))
			c.arena = append(c.arena, old[s.tail:s.tail+uint64(s.n)]...)
		}
	}
}

// appendTo adds the key of g to dst.
func (c *keyCol) appendTo(dst *column.Column, g int32) {
	if c.nulls.Get(int(g)) {
		dst.AppendNull()
		return
	}
	switch c.kind {
	case types.KindBool:
		dst.Bools = append(dst.Bools, c.ints[g] != 0)
	case types.KindInt:
		dst.Ints = append(dst.Ints, c.ints[g])
	case types.KindFloat:
		dst.Floats = append(dst.Floats, c.floats[g])
	case types.KindDecimal:
		dst.Decs = append(dst.Decs, c.decs[g])
	case types.KindInterval:
		dst.Ivs = append(dst.Ivs, c.ivs[g])
	case types.KindBytes:
		dst.AppendBytes(c.bytesInto(g))
	case types.KindList:
		// Our own key bytes always decode.
		if _, err := rowenc.DecodeKey(c.bytes(g), []*column.Column{dst}, nil); err != nil {
			dst.AppendNull()
		}
	default:
	}
}

// bytesInto is bytes without an allocation, valid until the next call.
func (c *keyCol) bytesInto(g int32) []byte {
	s := c.strs[g]
	if s.n > inlineMax {
		return c.arena[s.tail : s.tail+uint64(s.n)]
	}
	c.tmp = binary.LittleEndian.AppendUint32(c.tmp[:0], s.head)
	c.tmp = binary.LittleEndian.AppendUint64(c.tmp, s.tail)
	return c.tmp[:s.n]
}
