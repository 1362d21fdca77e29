package expr

import (
	"bytes"
	"cmp"

	"velostream/catalog/types"
	"velostream/storage/column"
)

// Compare orders two values of type t that are not NULL, as PostgreSQL's
// default btree order does (text by bytes, collation "C").
func Compare(t types.Type, a, b types.Datum) int {
	switch t.Kind() {
	case types.KindBool, types.KindInt:
		return cmp.Compare(a.I, b.I)
	case types.KindFloat:
		return compareFloats(a.F, b.F)
	case types.KindDecimal:
		return a.Dec.Cmp(b.Dec)
	case types.KindInterval:
		return compareIntervals(a.Iv, b.Iv)
	case types.KindBytes:
		return compareBytes(t.OID, a.B, b.B)
	case types.KindList:
		return compareLists(t, a.List, b.List)
	}
	return 0
}

// compareFloats orders NaN after all other numbers; NaN equals NaN.
func compareFloats(a, b float64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	case a == b:
		return 0
	}
	return cmp.Compare(b2i(a != a), b2i(b != b))
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

// compareIntervals orders by length, a month being 30 days and a day 24 hours.
func compareIntervals(a, b types.Interval) int {
	da, ma := intervalLength(a)
	db, mb := intervalLength(b)
	if c := cmp.Compare(da, db); c != 0 {
		return c
	}
	return cmp.Compare(ma, mb)
}

// intervalLength is an interval as whole days and µs less than a day.
func intervalLength(v types.Interval) (days, micros int64) {
	days = int64(v.Months)*30 + int64(v.Days) + v.Micros/types.MicrosPerDay
	micros = v.Micros % types.MicrosPerDay
	if micros < 0 {
		days, micros = days-1, micros+types.MicrosPerDay
	}
	return days, micros
}

func compareBytes(o types.OID, a, b []byte) int {
	switch o {
	case types.OIDBpchar:
		return bytes.Compare(trimBlanks(a), trimBlanks(b))
	case types.OIDJSONB:
		return types.CompareJSON(a, b)
	}
	return bytes.Compare(a, b)
}

// trimBlanks cuts the blanks that do not count in character(n).
func trimBlanks(b []byte) []byte { return bytes.TrimRight(b, " ") }

func compareLists(t types.Type, a, b []types.Datum) int {
	elem, _ := t.Elem()
	for i := range min(len(a), len(b)) {
		switch {
		case a[i].Null && b[i].Null:
		case a[i].Null:
			return 1
		case b[i].Null:
			return -1
		default:
			if c := Compare(elem, a[i], b[i]); c != 0 {
				return c
			}
		}
	}
	return cmp.Compare(len(a), len(b))
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
		return compareFloats(a.Floats[x], b.Floats[y]) == 0
	case types.KindDecimal:
		return a.Decs[x].Equal(b.Decs[y])
	case types.KindInterval:
		return compareIntervals(a.Ivs[x], b.Ivs[y]) == 0
	case types.KindBytes:
		return compareBytes(t.OID, a.Bytes(i), b.Bytes(i)) == 0
	}
	return Compare(t, a.Datum(i), b.Datum(i)) == 0
}
