package json

import (
	"velostream/catalog/types"
	"velostream/engine/format"
	"velostream/pgwire/pgerror"
	"velostream/storage/column"
)

// nesting is what is known of the dimensions of an array while it is read.
type nesting struct {
	leaf   int // brackets around the elements, 0: no element yet
	closed [types.MaxDims]bool
	dims   [types.MaxDims]types.Dim // lengths, of the levels that were closed
}

// list appends the array at pos to a list column. Arrays inside it are further
// dimensions, but in elements that take any JSON.
func (d *Decoder) list(cell *format.Cell, col *column.Column, depth int) error {
	if col.Elem == nil {
		col.Elem = column.New(cell.Elem.Type, 0)
	}
	if len(col.Offs) == 0 {
		col.Offs = append(col.Offs, 0)
	}
	before := int(col.Offs[len(col.Offs)-1])
	var n nesting
	if err := d.elements(cell, col, depth, &n, 0); err != nil {
		format.Truncate(col.Elem, before)
		return err
	}
	if n.leaf > 1 {
		col.SetShape(len(col.Offs)-1, types.NewShape(n.dims[:n.leaf]))
	}
	col.Offs = append(col.Offs, uint32(col.Elem.Len()))
	return nil
}

// elements appends what is in the brackets at pos, which level others are around.
func (d *Decoder) elements(cell *format.Cell, col *column.Column, depth int, n *nesting, level int) error {
	if depth >= maxDepth {
		return d.tooDeep()
	}
	d.pos++
	count := int32(0)
	for more := d.space() != ']'; more; {
		c := d.space()
		inner := c == '[' && !takesJSON(cell.Elem.Type)
		switch {
		case !inner && n.leaf == 0:
			n.leaf = level + 1
		case inner && level+1 == types.MaxDims:
			return types.TooManyDims(types.MaxDims + 1)
		case inner == (n.leaf == level+1): // elements are at one depth
			return d.ragged(cell)
		}
		var err error
		if inner {
			err = d.elements(cell, col, depth+1, n, level+1)
		} else {
			err = d.value(cell.Elem, col.Elem, c, depth+1)
		}
		if err != nil {
			return err
		}
		count++
		switch d.space() {
		case ',':
			d.pos++
		case ']':
			more = false
		default:
			return d.syntax("a comma or ] is missing in an array")
		}
	}
	d.pos++
	if n.closed[level] && n.dims[level].Len != count {
		return d.ragged(cell)
	}
	n.closed[level], n.dims[level] = true, types.Dim{Len: count, Lower: 1}
	return nil
}

func (d *Decoder) ragged(cell *format.Cell) error {
	return pgerror.New(pgerror.InvalidTextRepresentation, "field %q: malformed JSON array", cell.Name).
		WithDetail("Multidimensional arrays must have sub-arrays with matching dimensions.")
}

// takesJSON reports the types whose values can be a whole JSON array.
func takesJSON(t types.Type) bool {
	switch t.OID {
	case types.OIDJSON, types.OIDJSONB, types.OIDText, types.OIDVarchar, types.OIDBpchar:
		return true
	default:
		return false
	}
}

// list adds the array in row i of c.
func (e *Encoder) list(dst []byte, c *column.Column, i int) []byte {
	lo, hi := int(c.Offs[i]), int(c.Offs[i+1])
	var dims []types.Dim
	if s := c.Shape(i); s != nil {
		dims = types.Datum{B: s}.Dims(c.Type)
	}
	return e.elements(dst, c.Elem, lo, hi, dims)
}

func (e *Encoder) elements(dst []byte, c *column.Column, lo, hi int, dims []types.Dim) []byte {
	dst = append(dst, '[')
	each := 1
	if len(dims) > 1 {
		each = (hi - lo) / int(dims[0].Len)
	}
	for j := lo; j < hi; j += each {
		if j > lo {
			dst = append(dst, ',')
		}
		if len(dims) > 1 {
			dst = e.elements(dst, c, j, j+each, dims[1:])
		} else {
			dst = e.value(dst, c, j)
		}
	}
	return append(dst, ']')
}
