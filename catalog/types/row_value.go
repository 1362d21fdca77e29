package types

import (
	"bytes"
	"encoding/binary"
	"math"
)

// appendFieldKey adds the key of a field.
func appendFieldKey(dst []byte, t Type, d Datum) []byte {
	if d.Null {
		return append(dst, rowTagNull)
	}
	dst = append(dst, rowTagValue)
	switch t.Kind() {
	case KindBool:
		return append(dst, byte(d.I))
	case KindInt:
		return binary.BigEndian.AppendUint64(dst, uint64(d.I)^rowSign)
	case KindFloat:
		return binary.BigEndian.AppendUint64(dst, FloatKey(d.F))
	case KindDecimal:
		return d.Dec.AppendKey(dst)
	case KindInterval:
		return d.Iv.AppendKey(dst)
	case KindList:
		elem, _ := t.Elem()
		for i := range d.List {
			dst = appendFieldKey(dst, elem, d.List[i])
		}
		if len(d.B) > 0 {
			return append(append(dst, rowShaped), d.B...)
		}
		return append(dst, rowListEnd)
	default:
	}
	for _, x := range fieldKeyBytes(t, d.B) {
		dst = append(dst, x)
		if x == 0 {
			dst = append(dst, 0xff)
		}
	}
	return append(dst, 0x00, 0x01)
}

func fieldKeyBytes(t Type, b []byte) []byte {
	switch {
	case t.OID == OIDBpchar:
		return TrimBlanks(b)
	case t.IsJSONB():
		return normalJSON(b)
	case t.IsRow():
		return RowKey(b)
	}
	return b
}

// exactKey reports that decodeFieldKey gives d back as it is.
func exactKey(t Type, d Datum) bool {
	if d.Null {
		return true
	}
	switch t.Kind() {
	case KindFloat:
		return d.F != 0 || !math.Signbit(d.F)
	case KindDecimal:
		return d.Dec.Scale() == d.Dec.Normal().Scale()
	case KindInterval:
		iv, ok := IntervalFromKey(d.Iv.AppendKey(nil))
		return ok && iv == d.Iv
	case KindList:
		elem, _ := t.Elem()
		for i := range d.List {
			if !exactKey(elem, d.List[i]) {
				return false
			}
		}
		return true
	case KindBytes:
		return len(fieldKeyBytes(t, d.B)) == len(d.B) && bytes.Equal(fieldKeyBytes(t, d.B), d.B)
	default:
	}
	return true
}

// decodeFieldKey reads a value of t that appendFieldKey wrote, as the one that stands for
// all that are equal to it, and returns the bytes after it.
func decodeFieldKey(b []byte, t Type) (Datum, []byte, error) {
	if len(b) == 0 || b[0] != rowTagNull && b[0] != rowTagValue {
		return Datum{}, nil, corruptRow()
	}
	tag := b[0]
	if b = b[1:]; tag == rowTagNull {
		return NullDatum, b, nil
	}
	if n := fixedKey(t.Kind()); len(b) < n {
		return Datum{}, nil, corruptRow()
	}
	switch t.Kind() {
	case KindBool:
		return IntDatum(int64(b[0])), b[1:], nil
	case KindInt:
		return IntDatum(int64(binary.BigEndian.Uint64(b) ^ rowSign)), b[8:], nil
	case KindFloat:
		return FloatDatum(FloatFromKey(binary.BigEndian.Uint64(b))), b[8:], nil
	case KindDecimal:
		d, rest, err := DecodeKey(b)
		return DecimalDatum(d), rest, err
	case KindInterval:
		iv, ok := IntervalFromKey(b)
		if !ok {
			return Datum{}, nil, corruptRow()
		}
		return Datum{Iv: iv}, b[16:], nil
	case KindList:
		return decodeList(b, t, decodeFieldKey)
	default:
	}
	return unescape(b)
}

// fixedKey is how long the key of a value is, 0: not always the same.
func fixedKey(k Kind) int {
	switch k {
	case KindBool:
		return 1
	case KindInt, KindFloat:
		return 8
	case KindInterval:
		return 16
	default:
	}
	return 0
}

func unescape(b []byte) (Datum, []byte, error) {
	v := []byte{}
	for i := 0; i+1 < len(b); i++ {
		switch {
		case b[i] != 0:
			v = append(v, b[i])
		case b[i+1] == 0xff:
			v = append(v, 0)
			i++
		case b[i+1] == 0x01:
			return BytesDatum(v), b[i+2:], nil
		default:
			return Datum{}, nil, corruptRow()
		}
	}
	return Datum{}, nil, corruptRow()
}

// decodeList reads the elements of an array, each with decode.
func decodeList(b []byte, t Type, decode func([]byte, Type) (Datum, []byte, error)) (Datum, []byte, error) {
	elem, _ := t.Elem()
	list := []Datum{}
	for len(b) > 0 {
		switch b[0] {
		case rowListEnd:
			return Datum{List: list}, b[1:], nil
		case rowShaped:
			shape, rest, ok := TakeShape(b[1:], len(list))
			if !ok {
				return Datum{}, nil, corruptRow()
			}
			return Datum{List: list, B: shape}, rest, nil
		default:
		}
		d, rest, err := decode(b, elem)
		if err != nil {
			return d, nil, err
		}
		list, b = append(list, d), rest
	}
	return Datum{}, nil, corruptRow()
}

// appendExact adds d, a value of t that may be NULL, as it is.
func appendExact(dst []byte, t Type, d Datum) []byte {
	if d.Null {
		return append(dst, rowTagNull)
	}
	dst = append(dst, rowTagValue)
	switch t.Kind() {
	case KindBool, KindInt:
		return binary.AppendVarint(dst, d.I)
	case KindFloat:
		return binary.BigEndian.AppendUint64(dst, math.Float64bits(d.F))
	case KindDecimal:
		return d.Dec.AppendCompact(dst)
	case KindInterval:
		return AppendIntervalBinary(dst, d.Iv)
	case KindList:
		elem, _ := t.Elem()
		for i := range d.List {
			dst = appendExact(dst, elem, d.List[i])
		}
		if len(d.B) > 0 {
			return append(append(dst, rowShaped), d.B...)
		}
		return append(dst, rowListEnd)
	default:
	}
	return append(binary.AppendUvarint(dst, uint64(len(d.B))), d.B...)
}

// decodeExact reads what appendExact wrote.
func decodeExact(b []byte, t Type) (Datum, []byte, error) {
	if len(b) == 0 || b[0] != rowTagNull && b[0] != rowTagValue {
		return Datum{}, nil, corruptRow()
	}
	tag := b[0]
	if b = b[1:]; tag == rowTagNull {
		return NullDatum, b, nil
	}
	switch t.Kind() {
	case KindBool, KindInt:
		if v, k := binary.Varint(b); k > 0 {
			return IntDatum(v), b[k:], nil
		}
	case KindFloat:
		if len(b) >= 8 {
			return FloatDatum(math.Float64frombits(binary.BigEndian.Uint64(b))), b[8:], nil
		}
	case KindDecimal:
		v, rest, err := DecodeCompact(b)
		return DecimalDatum(v), rest, err
	case KindInterval:
		if len(b) >= 16 {
			d, err := DecodeBinary(IntervalT, b[:16])
			return d, b[16:], err
		}
	case KindList:
		return decodeList(b, t, decodeExact)
	default:
		if n, k := binary.Uvarint(b); k > 0 && n <= uint64(len(b)-k) {
			return BytesDatum(bytes.Clone(b[k : k+int(n)])), b[k+int(n):], nil
		}
	}
	return Datum{}, nil, corruptRow()
}
