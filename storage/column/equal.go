package column

import (
	"bytes"
	"cmp"
	"math"

	"velostream/catalog/types"
)

// EqualAt reports that row i of a and row j of b, columns of the same type,
// are equal as group keys: NULL equals NULL, NaN equals NaN, 1.5 equals 1.50.
func EqualAt(a *Column, i int, b *Column, j int) bool {
	an, bn := a.Null(i), b.Null(j)
	if an || bn {
		return an && bn
	}
	i, j = a.At(i), b.At(j)
	switch a.Type.Kind() {
	case types.KindInt:
		return a.Ints[i] == b.Ints[j]
	case types.KindBytes:
		return bytes.Equal(KeyBytes(a.Type, a.Bytes(i)), KeyBytes(b.Type, b.Bytes(j)))
	default:
		return compareValue(a, i, b, j) == 0
	}
}

// IdenticalAt reports that the two rows hold the very same value: unlike
// EqualAt, 1.5 and 1.50 differ, as do '1 month' and '30 days', because they print apart.
func IdenticalAt(a *Column, i int, b *Column, j int) bool {
	an, bn := a.Null(i), b.Null(j)
	if an || bn {
		return an && bn
	}
	i, j = a.At(i), b.At(j)
	switch a.Type.Kind() {
	case types.KindBool:
		return a.Bools[i] == b.Bools[j]
	case types.KindInt:
		return a.Ints[i] == b.Ints[j]
	case types.KindFloat:
		x, y := a.Floats[i], b.Floats[j]
		return math.Float64bits(x) == math.Float64bits(y) || x != x && y != y
	case types.KindDecimal:
		return a.Decs[i] == b.Decs[j] || a.Decs[i].Scale() == b.Decs[j].Scale() && a.Decs[i].Equal(b.Decs[j])
	case types.KindInterval:
		return a.Ivs[i] == b.Ivs[j]
	case types.KindBytes:
		return bytes.Equal(a.Bytes(i), b.Bytes(j))
	case types.KindList:
		lo, n := int(a.Offs[i]), int(a.Offs[i+1]-a.Offs[i])
		lo2, n2 := int(b.Offs[j]), int(b.Offs[j+1]-b.Offs[j])
		if n != n2 || !bytes.Equal(a.Shape(i), b.Shape(j)) {
			return false
		}
		for k := range n {
			if !IdenticalAt(a.Elem, lo+k, b.Elem, lo2+k) {
				return false
			}
		}
		return true
	default:
	}
	return true
}

// CompareAt orders row i of a and row j of b, columns of the same type, as ORDER BY
// does ascending, NULL last: NaN is the greatest number, text goes by bytes (collation
// "C"), arrays by their first difference, then their length, then their dimensions.
func CompareAt(a *Column, i int, b *Column, j int) int {
	an, bn := a.Null(i), b.Null(j)
	switch {
	case an && bn:
		return 0
	case an:
		return 1
	case bn:
		return -1
	}
	return compareValue(a, a.At(i), b, b.At(j))
}

func compareValue(a *Column, i int, b *Column, j int) int {
	switch a.Type.Kind() {
	case types.KindBool:
		return cmp.Compare(boolInt(a.Bools[i]), boolInt(b.Bools[j]))
	case types.KindInt:
		return cmp.Compare(a.Ints[i], b.Ints[j])
	case types.KindFloat:
		return compareFloat(a.Floats[i], b.Floats[j])
	case types.KindDecimal:
		return a.Decs[i].Cmp(b.Decs[j])
	case types.KindInterval:
		ah, al := IntervalSpan(a.Ivs[i])
		bh, bl := IntervalSpan(b.Ivs[j])
		return cmp.Or(cmp.Compare(ah, bh), cmp.Compare(al, bl))
	case types.KindBytes:
		if a.Type.IsJSONB() {
			return types.CompareJSON(a.Bytes(i), b.Bytes(j))
		}
		if a.Type.IsRow() {
			return types.Compare(a.Type, types.BytesDatum(a.Bytes(i)), types.BytesDatum(b.Bytes(j)))
		}
		return bytes.Compare(KeyBytes(a.Type, a.Bytes(i)), KeyBytes(b.Type, b.Bytes(j)))
	case types.KindList:
		lo, n := int(a.Offs[i]), int(a.Offs[i+1]-a.Offs[i])
		lo2, n2 := int(b.Offs[j]), int(b.Offs[j+1]-b.Offs[j])
		for k := range min(n, n2) {
			if c := CompareAt(a.Elem, lo+k, b.Elem, lo2+k); c != 0 {
				return c
			}
		}
		return cmp.Or(cmp.Compare(n, n2), bytes.Compare(a.Shape(i), b.Shape(j)))
	default:
	}
	return 0
}

// compareFloat orders as PostgreSQL does: NaN equals NaN and is above all.
func compareFloat(x, y float64) int {
	switch {
	case x < y:
		return -1
	case x > y:
		return 1
	case x == y:
		return 0
	}
	return cmp.Compare(boolInt(x != x), boolInt(y != y))
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}
