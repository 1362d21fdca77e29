package types

import (
	"bytes"
	"encoding/binary"
	"math"
)

// Compare orders two values of t that are not NULL as PostgreSQL does: -1, 0
// or 1. Text compares by bytes (collation "C"), char without its trailing
// blanks, NaN equals NaN and is highest, jsonb by CompareJSON, arrays element
// by element with NULL elements last, then by their dimensions.
func Compare(t Type, a, b Datum) int {
	switch t.Kind() {
	case KindBool, KindInt:
		return cmpInt(a.I, b.I)
	case KindFloat:
		return CompareFloat(a.F, b.F)
	case KindDecimal:
		return a.Dec.Cmp(b.Dec)
	case KindInterval:
		return a.Iv.Cmp(b.Iv)
	case KindList:
		elem, _ := t.Elem()
		if c := compareLists(elem, a.List, b.List); c != 0 {
			return c
		}
		return bytes.Compare(a.B, b.B)
	default:
	}
	switch {
	case t.PlainBytes():
	case t.OID == OIDBpchar:
		return bytes.Compare(TrimBlanks(a.B), TrimBlanks(b.B))
	case t.IsRow():
		return compareRow(a.B, b.B)
	default:
		return CompareJSON(a.B, b.B)
	}
	return bytes.Compare(a.B, b.B)
}

// PlainBytes reports that all bytes of a KindBytes value count in comparisons, which
// they do not for char(n), jsonb, maps and rows.
func (t Type) PlainBytes() bool { return t.OID != OIDBpchar && !t.IsJSONB() && !t.IsRow() }

// CompareFloat orders doubles with NaN highest and -0 equal to 0.
func CompareFloat(a, b float64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	case a == b:
		return 0
	}
	return cmpBool(math.IsNaN(a), math.IsNaN(b))
}

func compareLists(elem Type, a, b []Datum) int {
	for i := range min(len(a), len(b)) {
		if a[i].Null || b[i].Null {
			if a[i].Null != b[i].Null {
				return cmpBool(a[i].Null, b[i].Null)
			}
			continue
		}
		if c := Compare(elem, a[i], b[i]); c != 0 {
			return c
		}
	}
	return cmpInt(len(a), len(b))
}

// Equal reports Compare(t, a, b) == 0.
func Equal(t Type, a, b Datum) bool {
	if t.Kind() == KindBytes && t.PlainBytes() {
		return bytes.Equal(a.B, b.B)
	}
	return Compare(t, a, b) == 0
}

// AppendHashKey adds bytes that are the same for values of t that are equal,
// and differ for others: for hash tables and for spreading rows by key. NULL
// has a form of its own. Not ordered; see storage/rowenc for keys that are.
// Forms of variable length begin with their length.
func AppendHashKey(dst []byte, t Type, d Datum) []byte {
	if d.Null {
		return append(dst, 0)
	}
	dst = append(dst, 1)
	switch t.Kind() {
	case KindBool:
		return append(dst, byte(d.I))
	case KindInt:
		return binary.BigEndian.AppendUint64(dst, uint64(d.I))
	case KindFloat:
		return binary.BigEndian.AppendUint64(dst, FloatKey(d.F))
	case KindDecimal:
		return d.Dec.AppendKey(dst)
	case KindInterval:
		return d.Iv.AppendKey(dst)
	case KindList:
		elem, _ := t.Elem()
		if len(d.B) > 0 {
			dst[len(dst)-1] = 2
			dst = append(dst, d.B...)
		}
		dst = binary.AppendUvarint(dst, uint64(len(d.List)))
		for i := range d.List {
			dst = AppendHashKey(dst, elem, d.List[i])
		}
		return dst
	default:
	}
	b := d.B
	switch {
	case t.PlainBytes():
	case t.OID == OIDBpchar:
		b = TrimBlanks(b)
	case t.IsRow():
		b = RowKey(b)
	default:
		b = normalJSON(b)
	}
	return append(binary.AppendUvarint(dst, uint64(len(b))), b...)
}

// normalJSON is canonical JSON with its numbers in normal form.
func normalJSON(b []byte) []byte {
	if !bytes.Contains(b, []byte("0")) {
		return b // no trailing zeros anywhere
	}
	n, err := parseJSON(b)
	if err != nil {
		return b
	}
	n.normalize()
	out, err := n.append(nil)
	if err != nil {
		return b
	}
	return out
}

// FloatKey maps doubles to integers in the order of CompareFloat; equal values
// have one key.
func FloatKey(v float64) uint64 {
	if v == 0 {
		v = 0 // -0
	}
	if math.IsNaN(v) {
		return math.MaxUint64
	}
	b := math.Float64bits(v)
	if b>>63 != 0 {
		return ^b
	}
	return b | 1<<63
}

// FloatFromKey is the inverse of FloatKey.
func FloatFromKey(k uint64) float64 {
	switch {
	case k == math.MaxUint64:
		return math.NaN()
	case k>>63 != 0:
		return math.Float64frombits(k &^ (1 << 63))
	}
	return math.Float64frombits(^k)
}
