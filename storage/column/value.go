package column

import (
	"encoding/binary"
	"math"

	"velostream/catalog/types"
	"velostream/pgwire/pgerror"
)

// Corrupt is the error of bytes that are no encoding of what they should be.
func Corrupt(what string) *pgerror.Error {
	return pgerror.New(pgerror.DataCorrupted, "corrupt %s", what).
		WithHint("The stored bytes are damaged or were written by a newer version; restore from a checkpoint.")
}

// AppendValue adds the exact value of row i, which is not NULL, to dst:
//
//	bool      1 byte
//	int       zigzag varint
//	float     8 bytes little-endian
//	decimal   types.Decimal.AppendCompact
//	interval  3 varints
//	bytes     uvarint length, bytes
//	list      uvarint n, then per element a byte 0 (NULL) or 1 and the value; one with
//	          a shape: uvarint 2^32, the shape, n, the elements
func AppendValue(dst []byte, c *Column, i int) []byte {
	i = c.At(i)
	switch c.Type.Kind() {
	case types.KindBool:
		return append(dst, byte(boolInt(c.Bools[i])))
	case types.KindInt:
		return binary.AppendVarint(dst, c.Ints[i])
	case types.KindFloat:
		return binary.LittleEndian.AppendUint64(dst, math.Float64bits(c.Floats[i]))
	case types.KindDecimal:
		return c.Decs[i].AppendCompact(dst)
	case types.KindInterval:
		dst = binary.AppendVarint(dst, int64(c.Ivs[i].Months))
		dst = binary.AppendVarint(dst, int64(c.Ivs[i].Days))
		return binary.AppendVarint(dst, c.Ivs[i].Micros)
	case types.KindBytes:
		dst = binary.AppendUvarint(dst, uint64(c.Offs[i+1]-c.Offs[i]))
		return append(dst, c.Data[c.Offs[i]:c.Offs[i+1]]...)
	case types.KindList:
		lo, hi := c.Offs[i], c.Offs[i+1]
		if s := c.Shape(i); s != nil {
			dst = append(binary.AppendUvarint(dst, shapedList), s...)
		}
		dst = binary.AppendUvarint(dst, uint64(hi-lo))
		for j := lo; j < hi; j++ {
			if c.Elem.Null(int(j)) {
				dst = append(dst, 0)
				continue
			}
			dst = AppendValue(append(dst, 1), c.Elem, int(j))
		}
	default:
	}
	return dst
}

// DecodeValue reads what AppendValue wrote, adds the value to c and returns the
// bytes after it. On an error c is left as it was, but for the elements of a list.
func DecodeValue(b []byte, c *Column) ([]byte, error) {
	switch c.Type.Kind() {
	case types.KindBool:
		if len(b) == 0 || b[0] > 1 {
			return nil, Corrupt("boolean")
		}
		c.Bools = append(c.Bools, b[0] == 1)
		return b[1:], nil
	case types.KindInt:
		v, n := binary.Varint(b)
		if n <= 0 {
			return nil, Corrupt("integer")
		}
		c.Ints = append(c.Ints, v)
		return b[n:], nil
	case types.KindFloat:
		if len(b) < 8 {
			return nil, Corrupt("float")
		}
		c.Floats = append(c.Floats, math.Float64frombits(binary.LittleEndian.Uint64(b)))
		return b[8:], nil
	case types.KindDecimal:
		d, rest, err := types.DecodeCompact(b)
		if err == nil {
			c.Decs = append(c.Decs, d)
		}
		return rest, err
	case types.KindInterval:
		var p [3]int64
		for k := range p {
			v, n := binary.Varint(b)
			if n <= 0 || k < 2 && v != int64(int32(v)) {
				return nil, Corrupt("interval")
			}
			p[k], b = v, b[n:]
		}
		c.Ivs = append(c.Ivs, types.Interval{Months: int32(p[0]), Days: int32(p[1]), Micros: p[2]})
		return b, nil
	case types.KindBytes:
		v, n := binary.Uvarint(b)
		if n <= 0 || v > uint64(len(b)-n) || uint64(len(c.Data))+v > math.MaxUint32 {
			return nil, Corrupt("byte string")
		}
		c.AppendBytes(b[n : n+int(v)])
		return b[n+int(v):], nil
	case types.KindList:
		return decodeList(b, c)
	default:
	}
	return nil, Corrupt("value")
}

// shapedList stands where the number of a list's elements is, which is below it, and
// says that the shape comes first.
const shapedList = 1 << 32

func decodeList(b []byte, c *Column) ([]byte, error) {
	var shape []byte
	v, n := binary.Uvarint(b)
	if n > 0 && v == shapedList {
		size := types.ShapeSize(b[n:])
		shape, b, _ = types.TakeShape(b[n:], int(size))
		if v, n = binary.Uvarint(b); shape == nil || int64(v) != size {
			return nil, Corrupt("array")
		}
	}
	if n <= 0 || v > uint64(len(b)-n) {
		return nil, Corrupt("array")
	}
	b = b[n:]
	if c.Elem == nil {
		c.Elem = New(elemType(c.Type), 0)
	}
	c.startOffs()
	for range v {
		if len(b) == 0 || b[0] > 1 {
			return nil, Corrupt("array")
		}
		null := b[0] == 0
		b = b[1:]
		if null {
			c.Elem.AppendNull()
			continue
		}
		var err error
		if b, err = DecodeValue(b, c.Elem); err != nil {
			return nil, err
		}
	}
	if shape != nil {
		c.SetShape(len(c.Offs)-1, shape)
	}
	c.Offs = append(c.Offs, uint32(c.Elem.Len()))
	return b, nil
}
