// Package rowenc writes rows as bytes: keys whose byte order is the order of
// their values, and compact, exact values of whole rows.
//
// A key is its columns one after the other. Each begins with a tag that puts NULL
// in its place and ends where its value ends, so keys of several columns compare
// as tuples and a prefix of columns is a prefix of bytes:
//
//	tag       0x01 NULL (NULLS FIRST), 0x02 a value, 0x03 NULL (NULLS LAST)
//	bool      1 byte
//	int       8 bytes big-endian, sign bit flipped
//	float     8 bytes; sign bit flipped, negative ones inverted; -0 as 0, one NaN above all
//	decimal   types.Decimal.AppendKey; scale does not count
//	interval  16 bytes: µs with months of 30 days, sign bit flipped
//	bytes     0x00 as 0x00 0xff, ended by 0x00 0x01
//	list      elements with their tags (NULL last), ended by 0x00, or by 0x01 and the
//	          shape (types.NewShape)
//
// DESC inverts the bytes of the value, not the tag. Two values have the same key
// exactly if GROUP BY puts them into one group.
package rowenc

import (
	"encoding/binary"
	"math"

	"velostream/catalog/types"
	"velostream/storage/column"
)

// Order is how one key column sorts. The zero Order is ascending, NULLs last.
type Order struct {
	Desc       bool
	NullsFirst bool
}

const (
	tagNullFirst = 0x01
	tagValue     = 0x02
	tagNullLast  = 0x03

	listEnd    = 0x00 // below the tags of elements, as the shorter list is
	listShaped = 0x01
)

// AppendKey adds the key of row to dst: the columns which, ascending, NULLs last.
func AppendKey(dst []byte, cols []*column.Column, which []int, row int) []byte {
	for _, j := range which {
		dst = AppendKeyColumn(dst, cols[j], row, Order{})
	}
	return dst
}

// AppendKeyOrder is AppendKey with an Order per column of which.
func AppendKeyOrder(dst []byte, cols []*column.Column, which []int, orders []Order, row int) []byte {
	for k, j := range which {
		dst = AppendKeyColumn(dst, cols[j], row, orders[k])
	}
	return dst
}

// AppendKeyColumn adds the key of one column's row.
func AppendKeyColumn(dst []byte, c *column.Column, row int, o Order) []byte {
	if c.Null(row) {
		if o.NullsFirst {
			return append(dst, tagNullFirst)
		}
		return append(dst, tagNullLast)
	}
	dst = append(dst, tagValue)
	start := len(dst)
	dst = appendKeyValue(dst, c, c.At(row))
	if o.Desc {
		invert(dst[start:])
	}
	return dst
}

func invert(b []byte) {
	for i := range b {
		b[i] = ^b[i]
	}
}

const signBit = 1 << 63

func appendKeyValue(dst []byte, c *column.Column, i int) []byte {
	switch c.Type.Kind() {
	case types.KindBool:
		if c.Bools[i] {
			return append(dst, 1)
		}
		return append(dst, 0)
	case types.KindInt:
		return binary.BigEndian.AppendUint64(dst, uint64(c.Ints[i])^signBit)
	case types.KindFloat:
		v := math.Float64bits(column.CanonicalFloat(c.Floats[i]))
		if v&signBit != 0 {
			v = ^v
		} else {
			v |= signBit
		}
		return binary.BigEndian.AppendUint64(dst, v)
	case types.KindDecimal:
		return c.Decs[i].AppendKey(dst)
	case types.KindInterval:
		hi, lo := column.IntervalSpan(c.Ivs[i])
		dst = binary.BigEndian.AppendUint64(dst, uint64(hi)^signBit)
		return binary.BigEndian.AppendUint64(dst, lo)
	case types.KindBytes:
		return appendEscaped(dst, column.KeyBytes(c.Type, c.Data[c.Offs[i]:c.Offs[i+1]]))
	case types.KindList:
		for j := c.Offs[i]; j < c.Offs[i+1]; j++ {
			dst = AppendKeyColumn(dst, c.Elem, int(j), Order{})
		}
		if s := c.Shape(i); s != nil {
			return append(append(dst, listShaped), s...)
		}
		return append(dst, listEnd)
	default:
	}
	return dst
}

func appendEscaped(dst, v []byte) []byte {
	for _, x := range v {
		dst = append(dst, x)
		if x == 0 {
			dst = append(dst, 0xff)
		}
	}
	return append(dst, 0x00, 0x01)
}

// PrefixEnd returns the first key after all keys that begin with prefix: the end of
// a scan over them. nil: there is none, scan to the end.
func PrefixEnd(prefix []byte) []byte {
	end := append([]byte(nil), prefix...)
	for i := len(end) - 1; i >= 0; i-- {
		if end[i] != 0xff {
			end[i]++
			return end[:i+1]
		}
	}
	return nil
}
