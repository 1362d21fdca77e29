package expr

import (
	"math"

	"velostream/catalog/types"
	"velostream/pgwire/pgerror"
)

func wrongSubscripts() *pgerror.Error {
	return pgerror.New(pgerror.ArraySubscriptError, "wrong number of array subscripts")
}

func emptyArray() (datum, error) { return datum{List: []datum{}}, nil }

// lowerBound is the subscript of the first element of d, a value of t.
func lowerBound(t types.Type, d datum) int64 {
	if d.NDims() == 0 {
		return int64(t.FirstSubscript())
	}
	return int64(d.Dim(t, 0).Lower)
}

// likeArray is an array of one dimension with the elements list that begins where
// d does.
func likeArray(t types.Type, d datum, list []datum) datum {
	if len(d.B) == 0 {
		return datum{List: list}
	}
	return types.ArrayDatum(list, []types.Dim{{Len: int32(len(list)), Lower: d.Dim(t, 0).Lower}})
}

func arrayCardinality(_ *CallContext, a []datum) (datum, error) {
	return integer(int64(len(a[0].List)))
}

func arrayNDims(_ *CallContext, a []datum) (datum, error) {
	if n := a[0].NDims(); n > 0 {
		return integer(int64(n))
	}
	return null()
}

func arrayDims(c *CallContext, a []datum) (datum, error) {
	if a[0].NDims() == 0 {
		return null()
	}
	return types.BytesDatum(types.AppendDims(nil, a[0].Dims(c.Args[0]))), nil
}

// arrayBound is a number of one dimension.
func arrayBound(of func(types.Dim) int32) Scalar {
	return func(c *CallContext, a []datum) (datum, error) {
		if a[1].I < 1 || a[1].I > int64(a[0].NDims()) {
			return null()
		}
		return integer(int64(of(a[0].Dim(c.Args[0], int(a[1].I-1)))))
	}
}

func arrayGet(c *CallContext, a []datum) (datum, error) {
	if len(a)-1 != a[0].NDims() {
		return null()
	}
	at := int64(0)
	for k, sub := range a[1:] {
		d := a[0].Dim(c.Args[0], k)
		i := sub.I - int64(d.Lower)
		if i < 0 || i >= int64(d.Len) {
			return null()
		}
		at = at*int64(d.Len) + i
	}
	return a[0].List[at], nil
}

// arraySlice takes the elements within bounds, two for each dimension; what has
// more dimensions is taken whole in these. The result begins at 1.
func arraySlice(c *CallContext, a []datum) (datum, error) {
	given := (len(a) - 1) / 2
	if n := a[0].NDims(); n == 0 || given > n {
		return emptyArray()
	}
	dims := a[0].Dims(c.Args[0])
	from := make([]int64, len(dims))
	to := make([]types.Dim, len(dims))
	for k, d := range dims {
		lo, hi := int64(d.Lower), int64(d.Upper())
		if k < given {
			lo, hi = max(lo, a[1+2*k].I), min(hi, a[2+2*k].I)
		}
		if lo > hi {
			return emptyArray()
		}
		from[k], to[k] = lo-int64(d.Lower), types.Dim{Len: int32(hi - lo + 1), Lower: 1}
	}
	if len(dims) == 1 {
		return types.ArrayDatum(a[0].List[from[0]:from[0]+int64(to[0].Len)], to), nil
	}
	return types.ArrayDatum(sliceDims(nil, a[0].List, dims, from, to), to), nil
}

// sliceDims adds to out the elements of list, which has the dimensions dims, from
// the offsets from on.
func sliceDims(out, list []datum, dims []types.Dim, from []int64, to []types.Dim) []datum {
	each := int64(len(list)) / int64(dims[0].Len)
	for i := range int64(to[0].Len) {
		at := from[0] + i
		if len(dims) == 1 {
			out = append(out, list[at])
		} else {
			out = sliceDims(out, list[at*each:(at+1)*each], dims[1:], from[1:], to[1:])
		}
	}
	return out
}

// arrayAppend adds an element at one end; the array begins where it did.
func arrayAppend(arr, elem int) Scalar {
	return func(c *CallContext, a []datum) (datum, error) {
		list := a[arr].List
		out := make([]datum, 0, len(list)+1)
		if elem < arr {
			out = append(append(out, a[elem]), list...)
		} else {
			out = append(append(out, list...), a[elem])
		}
		if len(a[arr].B) == 0 {
			return datum{List: out}, nil
		}
		if a[arr].NDims() > 1 {
			return fail(pgerror.New(pgerror.DataException, "argument must be empty or one-dimensional array"))
		}
		d := a[arr].Dim(c.Args[arr], 0)
		if elem < arr && d.Lower == math.MinInt32 || elem > arr && int64(d.Lower)+int64(d.Len) > math.MaxInt32 {
			return fail(types.IntOutOfRange(types.Int4))
		}
		res := likeArray(c.Args[arr], a[arr], out)
		return res, types.CheckDims(res.Dims(c.Args[arr]))
	}
}

func arrayCat(c *CallContext, a []datum) (datum, error) {
	switch {
	case a[0].Null:
		return a[1], nil
	case a[1].Null || len(a[1].List) == 0:
		return a[0], nil
	case len(a[0].List) == 0:
		return a[1], nil
	}
	out := make([]datum, 0, len(a[0].List)+len(a[1].List))
	out = append(append(out, a[0].List...), a[1].List...)
	if len(a[0].B) == 0 && len(a[1].B) == 0 {
		return datum{List: out}, nil
	}
	dims, err := catDims(a[0].Dims(c.Args[0]), a[1].Dims(c.Args[1]))
	if err == nil {
		err = types.CheckDims(dims)
	}
	return types.ArrayDatum(out, dims), err
}

// catDims are the dimensions of the concatenation of two arrays: of the same
// number, or one is an element of the other.
func catDims(l, r []types.Dim) ([]types.Dim, error) {
	incompatible := func(detail string, args ...any) error {
		return pgerror.New(pgerror.ArraySubscriptError, "cannot concatenate incompatible arrays").WithDetail(detail, args...)
	}
	var dims, rest []types.Dim
	switch len(l) - len(r) {
	case 0:
		dims, rest = append(dims, l...), r[1:]
		dims[0].Len += r[0].Len
		for k, d := range rest {
			if d != dims[k+1] {
				return nil, incompatible("Arrays with differing element dimensions are not compatible for concatenation.")
			}
		}
		return dims, nil
	case 1:
		dims, rest = append(dims, l...), r
	case -1:
		dims, rest = append(dims, r...), l
	default:
		return nil, incompatible("Arrays of %d and %d dimensions are not compatible for concatenation.", len(l), len(r))
	}
	dims[0].Len++
	for k, d := range rest {
		if d != dims[k+1] {
			return nil, incompatible("Arrays with differing dimensions are not compatible for concatenation.")
		}
	}
	return dims, nil
}
