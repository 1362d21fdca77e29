package rowenc

import (
	"encoding/binary"
	"math"

	"velostream/catalog/types"
	"velostream/storage/column"
)

// DecodeKey reads a key written by AppendKey (orders nil) or AppendKeyOrder, adds
// each value to the column of cols in its place and returns the bytes after the key.
// Values come back as their key class's representative: a numeric without zeros at
// the end of its fraction, an interval as days and µs, char(n) without trailing
// blanks. Bytes that are no such key are an error XX001; columns may then differ
// in length.
func DecodeKey(b []byte, cols []*column.Column, orders []Order) ([]byte, error) {
	for k, c := range cols {
		var o Order
		if orders != nil {
			o = orders[k]
		}
		var err error
		if b, err = decodeKeyColumn(b, c, o); err != nil {
			return nil, err
		}
	}
	return b, nil
}

func decodeKeyColumn(b []byte, c *column.Column, o Order) ([]byte, error) {
	if len(b) == 0 {
		return nil, column.Corrupt("key")
	}
	tag := b[0]
	b = b[1:]
	switch tag {
	case tagNullFirst, tagNullLast:
		if (tag == tagNullFirst) != o.NullsFirst {
			return nil, column.Corrupt("key")
		}
		c.AppendNull()
		return b, nil
	case tagValue:
	default:
		return nil, column.Corrupt("key")
	}
	if !o.Desc {
		return decodeKeyValue(b, c)
	}
	// The end of the value shows only while reading: invert all that is left. Keys are
	// short, and DESC columns are decoded rarely (Top-N refill keeps whole rows).
	tmp := append([]byte(nil), b...)
	invert(tmp)
	rest, err := decodeKeyValue(tmp, c)
	if err != nil {
		return nil, err
	}
	return b[len(b)-len(rest):], nil
}

func decodeKeyValue(b []byte, c *column.Column) ([]byte, error) {
	switch c.Type.Kind() {
	case types.KindBool:
		if len(b) < 1 || b[0] > 1 {
			return nil, column.Corrupt("boolean key")
		}
		c.Bools = append(c.Bools, b[0] == 1)
		return b[1:], nil
	case types.KindInt:
		if len(b) < 8 {
			return nil, column.Corrupt("integer key")
		}
		c.Ints = append(c.Ints, int64(binary.BigEndian.Uint64(b)^signBit))
		return b[8:], nil
	case types.KindFloat:
		if len(b) < 8 {
			return nil, column.Corrupt("float key")
		}
		v := binary.BigEndian.Uint64(b)
		if v&signBit != 0 {
			v &^= signBit
		} else {
			v = ^v
		}
		c.Floats = append(c.Floats, math.Float64frombits(v))
		return b[8:], nil
	case types.KindDecimal:
		d, rest, err := types.DecodeKey(b)
		if err == nil {
			c.Decs = append(c.Decs, d)
		}
		return rest, err
	case types.KindInterval:
		return decodeIntervalKey(b, c)
	case types.KindBytes:
		return decodeEscaped(b, c)
	case types.KindList:
		return decodeListKey(b, c)
	default:
	}
	return nil, column.Corrupt("key")
}

func decodeIntervalKey(b []byte, c *column.Column) ([]byte, error) {
	iv, ok := types.IntervalFromKey(b)
	if !ok {
		return nil, column.Corrupt("interval key")
	}
	c.Ivs = append(c.Ivs, iv)
	return b[16:], nil
}

func decodeEscaped(b []byte, c *column.Column) ([]byte, error) {
	v := make([]byte, 0, min(len(b), 64))
	for i := 0; i < len(b); i++ {
		if b[i] != 0 {
			v = append(v, b[i])
			continue
		}
		i++
		if i == len(b) {
			break
		}
		switch b[i] {
		case 0xff:
			v = append(v, 0)
		case 0x01:
			if uint64(len(c.Data))+uint64(len(v)) > math.MaxUint32 {
				return nil, column.Corrupt("byte string key")
			}
			c.AppendBytes(v)
			return b[i+1:], nil
		default:
			return nil, column.Corrupt("byte string key")
		}
	}
	return nil, column.Corrupt("byte string key")
}

func decodeListKey(b []byte, c *column.Column) ([]byte, error) {
	et, ok := c.Type.Elem()
	if !ok {
		return nil, column.Corrupt("array key")
	}
	if c.Elem == nil {
		c.Elem = column.New(et, 0)
	}
	if len(c.Offs) == 0 {
		c.Offs = append(c.Offs, 0)
	}
	first := int(c.Offs[len(c.Offs)-1])
	for {
		if len(b) == 0 {
			return nil, column.Corrupt("array key")
		}
		switch b[0] {
		case listEnd:
			c.Offs = append(c.Offs, uint32(c.Elem.Len()))
			return b[1:], nil
		case listShaped:
			shape, rest, ok := types.TakeShape(b[1:], c.Elem.Len()-first)
			if !ok {
				return nil, column.Corrupt("array key")
			}
			c.SetShape(len(c.Offs)-1, shape)
			c.Offs = append(c.Offs, uint32(c.Elem.Len()))
			return rest, nil
		default:
		}
		var err error
		if b, err = decodeKeyColumn(b, c.Elem, Order{}); err != nil {
			return nil, err
		}
	}
}
