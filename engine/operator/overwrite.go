package operator

import (
	"bytes"
	"cmp"

	"velostream/catalog/types"
	"velostream/storage/column"
)

// The rest of keyCol: as the values of min, max, first and last, which are one per
// group, replaced in place.

func newKeyCol(t types.Type) keyCol { return keyCol{typ: t, kind: t.Kind()} }

// grow makes room for ids below n.
func (c *keyCol) grow(n int) {
	switch c.kind {
	case types.KindBool, types.KindInt:
		c.ints = resize(c.ints, n)
	case types.KindFloat:
		c.floats = resize(c.floats, n)
	case types.KindDecimal:
		c.decs = resize(c.decs, n)
	case types.KindInterval:
		c.ivs = resize(c.ivs, n)
	default:
		c.strs = resize(c.strs, n)
	}
}

// replace is set for an id that has a value already.
func (c *keyCol) replace(g int32, in *column.Column, row int) {
	if c.strs != nil && c.strs[g].n > inlineMax {
		c.clear(g)
	}
	c.set(g, in, row)
}

// compare orders row of in, not NULL, against the value of g.
func (c *keyCol) compare(in *column.Column, i int, g int32) int {
	switch c.kind {
	case types.KindBool:
		v := int64(0)
		if in.Bools[i] {
			v = 1
		}
		return cmp.Compare(v, c.ints[g])
	case types.KindInt:
		return cmp.Compare(in.Ints[i], c.ints[g])
	case types.KindFloat:
		return compareFloats(in.Floats[i], c.floats[g])
	case types.KindDecimal:
		// Of equal numbers the one with fewer digits counts, whatever their order of
		// arrival: the result is a function of the set of rows.
		return cmp.Or(in.Decs[i].Cmp(c.decs[g]), cmp.Compare(in.Decs[i].Scale(), c.decs[g].Scale()))
	case types.KindInterval:
		ah, al := column.IntervalSpan(in.Ivs[i])
		bh, bl := column.IntervalSpan(c.ivs[g])
		return cmp.Or(cmp.Compare(ah, bh), cmp.Compare(al, bl))
	case types.KindBytes:
		return bytes.Compare(in.Data[in.Offs[i]:in.Offs[i+1]], c.bytesInto(g))
	default:
	}
	tmp := column.New(c.typ, 1)
	c.appendTo(tmp, g)
	return column.CompareAt(in, i, tmp, 0)
}

func compareFloats(x, y float64) int {
	switch {
	case x < y:
		return -1
	case x > y:
		return 1
	case x == y || x != x && y != y:
		return 0
	case x != x:
		return 1
	}
	return -1
}

// encode adds the value of g to dst: 0 for NULL, or 1 and the value.
func (c *keyCol) encode(dst []byte, g int32) []byte {
	if c.nulls.Get(int(g)) {
		return append(dst, 0)
	}
	tmp := column.New(c.typ, 1)
	c.appendTo(tmp, g)
	return column.AppendValue(append(dst, 1), tmp, 0)
}

func (c *keyCol) decode(b []byte, g int32) ([]byte, error) {
	if len(b) == 0 || b[0] > 1 {
		return nil, column.Corrupt("aggregate state")
	}
	tmp := column.New(c.typ, 1)
	null := b[0] == 0
	b = b[1:]
	if null {
		tmp.AppendNull()
	} else {
		var err error
		if b, err = column.DecodeValue(b, tmp); err != nil {
			return nil, err
		}
	}
	c.set(g, tmp, 0)
	return b, nil
}
