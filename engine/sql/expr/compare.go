package expr

import (
	"bytes"

	"velostream/catalog/types"
	"velostream/storage/column"
)

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

// equalAt compares row i of two columns of type t, neither of them NULL.
func equalAt(t types.Type, a, b *column.Column, i int) bool {
	x, y := a.At(i), b.At(i)
	switch t.Kind() {
	case types.KindBool:
		return a.Bools[x] == b.Bools[y]
	case types.KindInt:
		return a.Ints[x] == b.Ints[y]
	case types.KindFloat:
		return types.CompareFloat(a.Floats[x], b.Floats[y]) == 0
	case types.KindDecimal:
		return a.Decs[x].Equal(b.Decs[y])
	case types.KindBytes:
		if t.PlainBytes() {
			return bytes.Equal(a.Bytes(i), b.Bytes(i))
		}
	default:
	}
	return types.Compare(t, a.Datum(i), b.Datum(i)) == 0
}
