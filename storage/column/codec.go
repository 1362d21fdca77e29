package column

import (
	"encoding/binary"
	"math"

	"velostream/catalog/types"
)

// The encoded form of a batch, for logs. All numbers are little-endian, the
// selection is applied (only rows that count are written):
//
//	1 byte   version (1)
//	uvarint  n, the rows
//	1 byte   1: ops follow, n bits in ⌈n/8⌉ bytes; 0: all Insert
//	uvarint  columns
//	column   1 byte Kind
//	         1 byte flags: 1 NULL bits follow (⌈n/8⌉ bytes), 2 constant (one value),
//	                4 shapes follow the values (list)
//	         values, by Kind:
//	           bool      ⌈n/8⌉ bytes of bits
//	           int float n × 8 bytes
//	           decimal   1 byte 1: uvarint scale, n × 8 bytes coefficients
//	                     1 byte 0: n × types.Decimal.AppendCompact
//	           interval  n × 16 bytes (months, days, µs)
//	           bytes     n × 4 bytes end offsets, then the bytes
//	           list      n × 4 bytes end offsets, uvarint elements, then a column;
//	                     with flag 4 per value its shape, or a byte 0 for none
const (
	codecVersion = 1
	flagNulls    = 1
	flagConst    = 2
	flagShapes   = 4
	maxCodecRows = 1 << 26
	maxListDepth = 4

	maxDecimalScale = 16383
)

// AppendEncoded adds the encoded form of b's selected rows to dst.
func AppendEncoded(dst []byte, b *Batch) []byte {
	n := b.Rows()
	dst = binary.AppendUvarint(append(dst, codecVersion), uint64(n))
	if b.Ops == nil {
		dst = append(dst, 0)
	} else {
		dst = append(dst, 1)
		dst = appendBits(dst, n, func(k int) bool { return b.Ops[rowAt(b.Sel, k)] == Delete })
	}
	dst = binary.AppendUvarint(dst, uint64(len(b.Cols)))
	for _, c := range b.Cols {
		dst = appendColumn(dst, c, b.Sel, n)
	}
	return dst
}

var constRow = []int32{0}

func appendColumn(dst []byte, c *Column, sel []int32, n int) []byte {
	flags := byte(0)
	if c.Const {
		flags, sel, n = flagConst, constRow, 1
	}
	if c.Nulls.Any() {
		flags |= flagNulls
	}
	if len(c.Shapes) > 0 {
		flags |= flagShapes
	}
	dst = append(dst, byte(c.Type.Kind()), flags)
	if flags&flagNulls != 0 {
		dst = appendBits(dst, n, func(k int) bool { return c.Nulls.Get(rowAt(sel, k)) })
	}
	switch c.Type.Kind() {
	case types.KindBool:
		return appendBits(dst, n, func(k int) bool { return c.Bools[rowAt(sel, k)] })
	case types.KindInt:
		dst, w := extend(dst, 8*n)
		for k := range n {
			binary.LittleEndian.PutUint64(w[8*k:], uint64(c.Ints[rowAt(sel, k)]))
		}
		return dst
	case types.KindFloat:
		dst, w := extend(dst, 8*n)
		for k := range n {
			binary.LittleEndian.PutUint64(w[8*k:], math.Float64bits(c.Floats[rowAt(sel, k)]))
		}
		return dst
	case types.KindDecimal:
		return appendDecimals(dst, c, sel, n)
	case types.KindInterval:
		dst, w := extend(dst, 16*n)
		for k := range n {
			v := c.Ivs[rowAt(sel, k)]
			binary.LittleEndian.PutUint32(w[16*k:], uint32(v.Months))
			binary.LittleEndian.PutUint32(w[16*k+4:], uint32(v.Days))
			binary.LittleEndian.PutUint64(w[16*k+8:], uint64(v.Micros))
		}
		return dst
	case types.KindBytes:
		dst, w := extend(dst, 4*n)
		end := uint32(0)
		for k := range n {
			i := rowAt(sel, k)
			end += c.Offs[i+1] - c.Offs[i]
			binary.LittleEndian.PutUint32(w[4*k:], end)
		}
		if sel == nil && n > 0 {
			return append(dst, c.Data[c.Offs[0]:c.Offs[n]]...)
		}
		for _, i := range sel {
			dst = append(dst, c.Data[c.Offs[i]:c.Offs[i+1]]...)
		}
		return dst
	case types.KindList:
		return appendLists(dst, c, sel, n)
	default:
	}
	return dst
}

func appendDecimals(dst []byte, c *Column, sel []int32, n int) []byte {
	scale := int32(-1)
	for k := range n {
		i := rowAt(sel, k)
		if c.Nulls.Get(i) {
			continue
		}
		_, ok := c.Decs[i].Coef()
		if s := c.Decs[i].Scale(); !ok || scale >= 0 && s != scale {
			dst = append(dst, 0)
			for k := range n {
				dst = c.Decs[rowAt(sel, k)].AppendCompact(dst)
			}
			return dst
		}
		scale = c.Decs[i].Scale()
	}
	dst = binary.AppendUvarint(append(dst, 1), uint64(max(0, scale)))
	dst, w := extend(dst, 8*n)
	for k := range n {
		i := rowAt(sel, k)
		coef, _ := c.Decs[i].Coef()
		binary.LittleEndian.PutUint64(w[8*k:], uint64(coef))
	}
	return dst
}

func appendLists(dst []byte, c *Column, sel []int32, n int) []byte {
	dst, w := extend(dst, 4*n)
	var rows []int32
	for k := range n {
		i := rowAt(sel, k)
		for j := c.Offs[i]; j < c.Offs[i+1]; j++ {
			rows = append(rows, int32(j))
		}
		binary.LittleEndian.PutUint32(w[4*k:], uint32(len(rows)))
	}
	dst = binary.AppendUvarint(dst, uint64(len(rows)))
	elem := c.Elem
	if elem == nil {
		elem = New(elemType(c.Type), 0)
	}
	if rows == nil {
		rows = []int32{}
	}
	dst = appendColumn(dst, elem, rows, len(rows))
	if len(c.Shapes) == 0 {
		return dst
	}
	for k := range n {
		if s := c.Shape(rowAt(sel, k)); s != nil {
			dst = append(dst, s...)
		} else {
			dst = append(dst, 0)
		}
	}
	return dst
}

// extend makes room for n more bytes and returns the whole and the new part.
func extend(dst []byte, n int) (all, part []byte) {
	l := len(dst)
	if cap(dst)-l < n {
		grown := make([]byte, l, 2*cap(dst)+n)
		copy(grown, dst)
		dst = grown
	}
	dst = dst[:l+n]
	return dst, dst[l:]
}

func appendBits(dst []byte, n int, bit func(int) bool) []byte {
	dst, w := extend(dst, (n+7)/8)
	clear(w)
	for k := range n {
		if bit(k) {
			w[k>>3] |= 1 << (k & 7)
		}
	}
	return dst
}
