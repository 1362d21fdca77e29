package expr

import (
	"velostream/catalog/types"
	"velostream/storage/column"
)

// grow returns s with length n and unspecified contents.
func grow[T any](s []T, n int) []T {
	if cap(s) >= n {
		return s[:n]
	}
	return make([]T, n, n+n/4)
}

// resetColumn prepares c, a node's own result, for n rows of type t: no NULLs,
// values unspecified, no bytes or elements yet.
func resetColumn(c *column.Column, t types.Type, n int) {
	c.Type, c.Const, c.Nulls = t, false, c.Nulls[:0]
	switch t.Kind() {
	case types.KindBool:
		c.Bools = grow(c.Bools, n)
	case types.KindInt:
		c.Ints = grow(c.Ints, n)
	case types.KindFloat:
		c.Floats = grow(c.Floats, n)
	case types.KindDecimal:
		c.Decs = grow(c.Decs, n)
	case types.KindInterval:
		c.Ivs = grow(c.Ivs, n)
	case types.KindBytes:
		c.Offs = grow(c.Offs, n+1)
		c.Offs[0] = 0
		c.Data = c.Data[:0]
	case types.KindList:
		c.Offs = grow(c.Offs, n+1)
		c.Offs[0] = 0
		if c.Elem == nil {
			e, _ := t.Elem()
			c.Elem = column.New(e, 0)
		}
		c.Elem.Reset()
		c.Shapes = c.Shapes[:0]
	default:
	}
}

// orNulls adds the set bits of src to c's NULLs.
func orNulls(c *column.Column, src column.Bitmap, n int) {
	words := min(len(src), (n+63)/64)
	for len(c.Nulls) < words {
		c.Nulls = append(c.Nulls, 0)
	}
	for w := range words {
		c.Nulls[w] |= src[w]
	}
}

// nullAll marks all n rows NULL.
func nullAll(c *column.Column, n int) {
	c.Nulls = c.Nulls[:0]
	for range (n + 63) / 64 {
		c.Nulls = append(c.Nulls, ^uint64(0))
	}
}

// writer fills the rows of a result in ascending order; rows that are skipped
// are left undefined (empty, for bytes and lists). Call finish at the end.
type writer struct {
	col  *column.Column
	kind types.Kind
	next int // first row of Offs that is not written yet
}

func newWriter(c *column.Column) writer { return writer{col: c, kind: c.Type.Kind()} }

// pad gives the rows before i that were skipped an empty value.
func (w *writer) pad(i int) {
	offs := w.col.Offs
	for w.next < i {
		offs[w.next+1] = offs[w.next]
		w.next++
	}
}

// bytes sets row i of a KindBytes column to a copy of v.
func (w *writer) bytes(i int, v []byte) {
	w.pad(i)
	w.col.Data = append(w.col.Data, v...)
	w.end(i)
}

// end closes row i after bytes were appended to Data directly (call pad first).
func (w *writer) end(i int) {
	w.col.Offs[i+1] = uint32(len(w.col.Data))
	w.next = i + 1
}

// null sets row i to NULL.
func (w *writer) null(i int) {
	w.col.SetNull(i)
	switch w.kind {
	case types.KindBytes, types.KindList:
		w.pad(i + 1)
	default:
	}
}

// datum sets row i to a copy of d.
func (w *writer) datum(i int, d types.Datum) {
	if d.Null {
		w.null(i)
		return
	}
	c := w.col
	switch w.kind {
	case types.KindBool:
		c.Bools[i] = d.I != 0
	case types.KindInt:
		c.Ints[i] = d.I
	case types.KindFloat:
		c.Floats[i] = d.F
	case types.KindDecimal:
		c.Decs[i] = d.Dec
	case types.KindInterval:
		c.Ivs[i] = d.Iv
	case types.KindBytes:
		w.bytes(i, d.B)
	case types.KindList:
		w.pad(i)
		for _, e := range d.List {
			c.Elem.Append(e)
		}
		if len(d.B) > 0 {
			c.SetShape(i, d.B)
		}
		c.Offs[i+1] = uint32(c.Elem.Len())
		w.next = i + 1
	default:
	}
}

// from sets row i to row i of src, a column of the same kind.
func (w *writer) from(i int, src *column.Column) {
	if src.Null(i) {
		w.null(i)
		return
	}
	c, j := w.col, src.At(i)
	switch w.kind {
	case types.KindBool:
		c.Bools[i] = src.Bools[j]
	case types.KindInt:
		c.Ints[i] = src.Ints[j]
	case types.KindFloat:
		c.Floats[i] = src.Floats[j]
	case types.KindDecimal:
		c.Decs[i] = src.Decs[j]
	case types.KindInterval:
		c.Ivs[i] = src.Ivs[j]
	case types.KindBytes:
		w.bytes(i, src.Data[src.Offs[j]:src.Offs[j+1]])
	case types.KindList:
		w.datum(i, src.Datum(i))
	default:
	}
}

// finish closes the column after its last row, at n rows.
func (w *writer) finish(n int) {
	if w.kind == types.KindBytes || w.kind == types.KindList {
		w.pad(n)
	}
}

// count is how many rows a selection of a batch of n rows has.
func count(sel []int32, n int) int {
	if sel != nil {
		return len(sel)
	}
	return n
}

// each calls f for the rows of c's selection, until it fails.
func (c *CallContext) each(f func(i int) error) error {
	if c.Sel == nil {
		for i := range c.N {
			if err := f(i); err != nil {
				return err
			}
		}
		return nil
	}
	for _, i := range c.Sel {
		if err := f(int(i)); err != nil {
			return err
		}
	}
	return nil
}

// allRows extends sel to hold 0 … n-1 and returns it.
func allRows(sel []int32, n int) []int32 {
	sel = grow(sel, n)
	for i := range sel {
		sel[i] = int32(i)
	}
	return sel
}
