package expr

import (
	"slices"

	"velostream/catalog/types"
	"velostream/pgwire/pgerror"
	"velostream/storage/column"
)

// evalNested makes the arrays of arrays.
func (n *arrayNode) evalNested(w *writer, r *run, sel []int32) (*column.Column, error) {
	parts := make([]datum, len(n.cols))
	c := &CallContext{N: r.n, Sel: sel}
	err := c.each(func(i int) error {
		for k, col := range n.cols {
			parts[k] = col.Datum(i)
		}
		d, err := NestArrays(n.t, parts)
		if err == nil {
			w.datum(i, d)
		}
		return err
	})
	w.finish(r.n)
	return &n.out, err
}

// NestArrays is the array of the arrays parts, values of t that have the same
// dimensions. NULL counts as an array without elements.
func NestArrays(t types.Type, parts []datum) (datum, error) {
	var list []datum
	var inner []types.Dim
	empty := false
	for _, p := range parts {
		if p.Null || len(p.List) == 0 {
			empty = true
			continue
		}
		dims := p.Dims(t)
		if inner == nil {
			if inner = dims; len(inner) == types.MaxDims {
				return fail(types.TooManyDims(types.MaxDims + 1))
			}
		}
		if !slices.Equal(inner, dims) {
			return fail(raggedArrays())
		}
		list = append(list, p.List...)
	}
	if inner == nil {
		return emptyArray()
	}
	if empty {
		return fail(raggedArrays())
	}
	outer := append([]types.Dim{{Len: int32(len(parts)), Lower: 1}}, inner...)
	return types.ArrayDatum(list, outer), types.CheckDims(outer)
}

func raggedArrays() error {
	return pgerror.New(pgerror.ArraySubscriptError, "multidimensional arrays must have array expressions with matching dimensions")
}
