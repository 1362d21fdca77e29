// Package column is the changelog in memory: batches of typed columns, each
// row marked Insert or Delete.
//
// The layout is Arrow's in spirit: fixed-width values in one slice, byte
// strings as offsets into one arena, a bitmap of NULLs that is absent where
// there are none. A Batch may carry a selection vector, so a filter costs no
// copy. What a column holds follows from its type's physical Kind.
//
// Ownership: a batch belongs to whoever it was handed to until that call
// returns, see dataflow.Output. Who keeps rows longer copies them (Builder,
// Clone). Nothing here is safe for concurrent use.
package column

import "velostream/catalog/types"

// Op says whether a row enters or leaves the relation.
type Op uint8

// The two marks.
const (
	Insert Op = iota
	Delete
)

// Bitmap is a bit per row. A nil Bitmap has no bit set.
type Bitmap []uint64

// NewBitmap returns a bitmap of n clear bits.
func NewBitmap(n int) Bitmap { return make(Bitmap, (n+63)/64) }

// Get reports bit i; a bit beyond the end is clear.
func (b Bitmap) Get(i int) bool {
	w := i >> 6
	return w < len(b) && b[w]>>(uint(i)&63)&1 != 0
}

// Set sets bit i. REQUIRES: i is within the bitmap.
func (b Bitmap) Set(i int) { b[i>>6] |= 1 << (uint(i) & 63) }

// Clear clears bit i. REQUIRES: i is within the bitmap.
func (b Bitmap) Clear(i int) { b[i>>6] &^= 1 << (uint(i) & 63) }

// Any reports whether any bit is set.
func (b Bitmap) Any() bool {
	for _, w := range b {
		if w != 0 {
			return true
		}
	}
	return false
}

// Column is n values of one type. Exactly one of the value slices is in use,
// by Type.Kind(); at a NULL row its value is there and means nothing.
//
//	KindBool      Bools[i]
//	KindInt       Ints[i]
//	KindFloat     Floats[i]
//	KindDecimal   Decs[i]
//	KindInterval  Ivs[i]
//	KindBytes     Data[Offs[i]:Offs[i+1]]       len(Offs) = n+1
//	KindList      Elem rows Offs[i] to Offs[i+1] len(Offs) = n+1
//	              Shapes[i] its shape (types.NewShape), nil and, as for rows beyond the
//	              end of Shapes: one dimension from 1
//
// A constant column (Const true) holds one value, row 0, that stands for
// every row; use At(i) to map a row to where its value is.
type Column struct {
	Type   types.Type
	Nulls  Bitmap // bit set: the row is NULL; nil: no NULLs
	Const  bool
	Bools  []bool
	Ints   []int64
	Floats []float64
	Decs   []types.Decimal
	Ivs    []types.Interval
	Offs   []uint32
	Data   []byte
	Elem   *Column
	Shapes [][]byte // never written to once there: columns share them
}

// Batch is N physical rows. Sel, when not nil, lists the rows that count, in
// ascending order; Ops, when nil, means that every row is an Insert.
type Batch struct {
	Ops  []Op
	Cols []*Column
	N    int
	Sel  []int32
}

// Rows is how many rows count: len(Sel), or N without a selection.
func (b *Batch) Rows() int {
	if b.Sel != nil {
		return len(b.Sel)
	}
	return b.N
}

// Op returns the mark of physical row i.
func (b *Batch) Op(i int) Op {
	if b.Ops == nil {
		return Insert
	}
	return b.Ops[i]
}

// At maps row i to the place of its value.
func (c *Column) At(i int) int {
	if c.Const {
		return 0
	}
	return i
}

// Null reports whether row i is NULL.
func (c *Column) Null(i int) bool {
	return c.Nulls != nil && c.Nulls.Get(c.At(i))
}

// Bytes returns the value of row i of a KindBytes column, a view of the arena.
func (c *Column) Bytes(i int) []byte {
	i = c.At(i)
	return c.Data[c.Offs[i]:c.Offs[i+1]]
}

// Shape returns the shape of row i of a KindList column, nil for one dimension
// from 1.
func (c *Column) Shape(i int) []byte {
	if i = c.At(i); i < len(c.Shapes) {
		return c.Shapes[i]
	}
	return nil
}

// SetShape gives row i of a KindList column a shape, which must not be changed
// afterwards.
func (c *Column) SetShape(i int, shape []byte) {
	for len(c.Shapes) <= i {
		c.Shapes = append(c.Shapes, nil)
	}
	c.Shapes[i] = shape
}

// Datum returns row i as a scalar. Bytes are a view into the column.
func (c *Column) Datum(i int) types.Datum {
	if c.Null(i) {
		return types.NullDatum
	}
	i = c.At(i)
	switch c.Type.Kind() {
	case types.KindBool:
		return types.BoolDatum(c.Bools[i])
	case types.KindInt:
		return types.Datum{I: c.Ints[i]}
	case types.KindFloat:
		return types.Datum{F: c.Floats[i]}
	case types.KindDecimal:
		return types.Datum{Dec: c.Decs[i]}
	case types.KindInterval:
		return types.Datum{Iv: c.Ivs[i]}
	case types.KindBytes:
		return types.Datum{B: c.Data[c.Offs[i]:c.Offs[i+1]]}
	case types.KindList:
		lo, hi := int(c.Offs[i]), int(c.Offs[i+1])
		d := types.Datum{List: make([]types.Datum, 0, hi-lo)}
		for j := lo; j < hi; j++ {
			d.List = append(d.List, c.Elem.Datum(j))
		}
		if i < len(c.Shapes) {
			d.B = c.Shapes[i]
		}
		return d
	default:
	}
	return types.NullDatum
}
