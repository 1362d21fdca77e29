package column

import "velostream/catalog/types"

// AppendRows adds the rows of src, a column of the same Kind, at the end of c, in
// the order of rows; a typed loop, no scalar in between.
func (c *Column) AppendRows(src *Column, rows []int32) {
	if src.Const || len(src.Nulls) != 0 || src.Type.Kind() == types.KindList {
		for _, i := range rows {
			c.AppendFrom(src, int(i))
		}
		return
	}
	switch c.Type.Kind() {
	case types.KindBool:
		for _, i := range rows {
			c.Bools = append(c.Bools, src.Bools[i])
		}
	case types.KindInt:
		for _, i := range rows {
			c.Ints = append(c.Ints, src.Ints[i])
		}
	case types.KindFloat:
		for _, i := range rows {
			c.Floats = append(c.Floats, src.Floats[i])
		}
	case types.KindDecimal:
		for _, i := range rows {
			c.Decs = append(c.Decs, src.Decs[i])
		}
	case types.KindInterval:
		for _, i := range rows {
			c.Ivs = append(c.Ivs, src.Ivs[i])
		}
	case types.KindBytes:
		c.startOffs()
		for _, i := range rows {
			c.Data = append(c.Data, src.Data[src.Offs[i]:src.Offs[i+1]]...)
			c.Offs = append(c.Offs, uint32(len(c.Data)))
		}
	default:
	}
}

// Select returns the physical rows of b that count: b.Sel, or 0 to N-1 in scratch,
// which is grown as needed. The result is read only.
func (b *Batch) Select(scratch []int32) []int32 {
	if b.Sel != nil {
		return b.Sel
	}
	for i := len(scratch); i < b.N; i++ {
		scratch = append(scratch, int32(i))
	}
	return scratch[:b.N]
}

// Clone returns a copy of b of its own memory, with the selected rows only.
func (b *Batch) Clone() *Batch {
	rows := b.Select(nil)
	out := &Batch{N: len(rows), Cols: make([]*Column, len(b.Cols))}
	for j, c := range b.Cols {
		out.Cols[j] = New(c.Type, len(rows))
		out.Cols[j].AppendRows(c, rows)
	}
	if b.Ops != nil {
		out.Ops = make([]Op, len(rows))
		for k, i := range rows {
			out.Ops[k] = b.Ops[i]
		}
	}
	return out
}

// AppendRows copies the physical rows of src, whose columns have the same kinds, in
// the order of rows, each with the mark op.
func (b *Builder) AppendRows(src *Batch, rows []int32, op Op) {
	for j, c := range b.batch.Cols {
		c.AppendRows(src.Cols[j], rows)
	}
	b.Rows(len(rows), op)
}

// Rows ends n rows after n values went to every column.
func (b *Builder) Rows(n int, op Op) {
	if op != Insert && b.batch.Ops == nil {
		b.batch.Ops = make([]Op, b.batch.N, max(64, b.batch.N+n))
	}
	if b.batch.Ops != nil {
		for range n {
			b.batch.Ops = append(b.batch.Ops, op)
		}
	}
	b.batch.N += n
}

// MemSize is about how many bytes the column's values take.
func (c *Column) MemSize() int64 {
	n := int64(len(c.Nulls))*8 + int64(len(c.Bools)) + 8*int64(len(c.Ints)+len(c.Floats)) +
		24*int64(len(c.Decs)) + 16*int64(len(c.Ivs)) + 4*int64(len(c.Offs)) + int64(len(c.Data))
	for _, s := range c.Shapes {
		n += 24 + int64(len(s))
	}
	if c.Elem != nil {
		n += c.Elem.MemSize()
	}
	return n
}

// MemSize is about how many bytes the batch's values take.
func (b *Batch) MemSize() int64 {
	n := int64(len(b.Ops))
	for _, c := range b.Cols {
		n += c.MemSize()
	}
	return n
}
