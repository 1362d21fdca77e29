package column

import "velostream/catalog/types"

// Append adds one value, or NULL, at the end. Bytes are copied.
// REQUIRES: c is not Const.
func (c *Column) Append(d types.Datum) {
	if d.Null {
		c.AppendNull()
		return
	}
	switch c.Type.Kind() {
	case types.KindBool:
		c.Bools = append(c.Bools, d.I != 0)
	case types.KindInt:
		c.Ints = append(c.Ints, d.I)
	case types.KindFloat:
		c.Floats = append(c.Floats, d.F)
	case types.KindDecimal:
		c.Decs = append(c.Decs, d.Dec)
	case types.KindInterval:
		c.Ivs = append(c.Ivs, d.Iv)
	case types.KindBytes:
		c.AppendBytes(d.B)
	case types.KindList:
		if c.Elem == nil {
			c.Elem = New(elemType(c.Type), 0)
		}
		c.startOffs()
		for _, e := range d.List {
			c.Elem.Append(e)
		}
		if len(d.B) > 0 {
			c.SetShape(len(c.Offs)-1, d.B)
		}
		c.Offs = append(c.Offs, uint32(c.Elem.Len()))
	default:
	}
}

// AppendBytes adds a value to a KindBytes column, copied into its arena.
func (c *Column) AppendBytes(v []byte) {
	c.startOffs()
	c.Data = append(c.Data, v...)
	c.Offs = append(c.Offs, uint32(len(c.Data)))
}

// AppendNull adds a NULL at the end.
func (c *Column) AppendNull() {
	n := c.Len()
	switch c.Type.Kind() {
	case types.KindBool:
		c.Bools = append(c.Bools, false)
	case types.KindInt:
		c.Ints = append(c.Ints, 0)
	case types.KindFloat:
		c.Floats = append(c.Floats, 0)
	case types.KindDecimal:
		c.Decs = append(c.Decs, types.Decimal{})
	case types.KindInterval:
		c.Ivs = append(c.Ivs, types.Interval{})
	case types.KindBytes, types.KindList:
		c.startOffs()
		c.Offs = append(c.Offs, c.Offs[n])
	default:
	}
	c.SetNull(n)
}

// SetNull marks row i NULL, growing the bitmap as needed.
func (c *Column) SetNull(i int) {
	for len(c.Nulls) <= i>>6 {
		c.Nulls = append(c.Nulls, 0)
	}
	c.Nulls.Set(i)
}

func (c *Column) startOffs() {
	if len(c.Offs) == 0 {
		c.Offs = append(c.Offs, 0)
	}
}

// Len is how many values the column holds (1 for a constant column).
func (c *Column) Len() int {
	switch c.Type.Kind() {
	case types.KindBool:
		return len(c.Bools)
	case types.KindInt:
		return len(c.Ints)
	case types.KindFloat:
		return len(c.Floats)
	case types.KindDecimal:
		return len(c.Decs)
	case types.KindInterval:
		return len(c.Ivs)
	case types.KindBytes, types.KindList:
		return max(0, len(c.Offs)-1)
	default:
	}
	return 0
}

// Reset empties the column and keeps its memory.
func (c *Column) Reset() {
	c.Nulls, c.Const = c.Nulls[:0], false
	c.Bools, c.Ints, c.Floats = c.Bools[:0], c.Ints[:0], c.Floats[:0]
	c.Decs, c.Ivs, c.Data, c.Offs = c.Decs[:0], c.Ivs[:0], c.Data[:0], c.Offs[:0]
	c.Shapes = c.Shapes[:0]
	if c.Elem != nil {
		c.Elem.Reset()
	}
}

// New returns an empty column of type t with room for capacity values.
func New(t types.Type, capacity int) *Column {
	c := &Column{Type: t}
	if capacity == 0 {
		return c
	}
	switch t.Kind() {
	case types.KindBool:
		c.Bools = make([]bool, 0, capacity)
	case types.KindInt:
		c.Ints = make([]int64, 0, capacity)
	case types.KindFloat:
		c.Floats = make([]float64, 0, capacity)
	case types.KindDecimal:
		c.Decs = make([]types.Decimal, 0, capacity)
	case types.KindInterval:
		c.Ivs = make([]types.Interval, 0, capacity)
	case types.KindBytes, types.KindList:
		c.Offs = make([]uint32, 1, capacity+1)
	default:
	}
	return c
}

// Constant returns a column that has the value d in every row.
func Constant(t types.Type, d types.Datum) *Column {
	c := New(t, 1)
	c.Append(d)
	c.Const = true
	return c
}

func elemType(t types.Type) types.Type {
	e, _ := t.Elem()
	return e
}

// AppendFrom adds row i of src, a column of the same Kind, at the end.
func (c *Column) AppendFrom(src *Column, i int) {
	if src.Null(i) {
		c.AppendNull()
		return
	}
	i = src.At(i)
	switch c.Type.Kind() {
	case types.KindBool:
		c.Bools = append(c.Bools, src.Bools[i])
	case types.KindInt:
		c.Ints = append(c.Ints, src.Ints[i])
	case types.KindFloat:
		c.Floats = append(c.Floats, src.Floats[i])
	case types.KindDecimal:
		c.Decs = append(c.Decs, src.Decs[i])
	case types.KindInterval:
		c.Ivs = append(c.Ivs, src.Ivs[i])
	case types.KindBytes:
		c.AppendBytes(src.Data[src.Offs[i]:src.Offs[i+1]])
	case types.KindList:
		c.Append(src.Datum(i))
	default:
	}
}

// Builder collects rows into a batch.
type Builder struct {
	batch Batch
}

// NewBuilder returns a builder of batches with the column types ts.
func NewBuilder(ts []types.Type, capacity int) *Builder {
	b := &Builder{}
	for _, t := range ts {
		b.batch.Cols = append(b.batch.Cols, New(t, capacity))
	}
	return b
}

// Col returns column j, to append a value to; after a value went to every
// column, call Row.
func (b *Builder) Col(j int) *Column { return b.batch.Cols[j] }

// Row ends a row and marks it.
func (b *Builder) Row(op Op) {
	if op != Insert && b.batch.Ops == nil {
		b.batch.Ops = make([]Op, b.batch.N, max(64, b.batch.N+1))
	}
	if b.batch.Ops != nil {
		b.batch.Ops = append(b.batch.Ops, op)
	}
	b.batch.N++
}

// AppendRow copies physical row i of src, whose columns have the same kinds.
func (b *Builder) AppendRow(src *Batch, i int, op Op) {
	for j, c := range b.batch.Cols {
		c.AppendFrom(src.Cols[j], i)
	}
	b.Row(op)
}

// Len is how many rows were ended since the last Reset.
func (b *Builder) Len() int { return b.batch.N }

// Batch returns the rows so far. It is the builder's memory: valid until the
// next Row or Reset.
func (b *Builder) Batch() *Batch { return &b.batch }

// Reset empties the builder and keeps its memory.
func (b *Builder) Reset() {
	for _, c := range b.batch.Cols {
		c.Reset()
	}
	b.batch.N, b.batch.Ops, b.batch.Sel = 0, nil, nil
}

// Take returns the rows so far as a batch of their own and starts a new one.
func (b *Builder) Take() *Batch {
	out := b.batch
	b.batch = Batch{Cols: make([]*Column, len(out.Cols))}
	for j, c := range out.Cols {
		b.batch.Cols[j] = New(c.Type, out.N)
	}
	return &out
}
