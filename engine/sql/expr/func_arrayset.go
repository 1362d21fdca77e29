package expr

import (
	"math"

	"velostream/catalog/types"
	"velostream/pgwire/pgerror"
)

// Bounds that stand for those of the array, where an assignment to a slice leaves one out.
const (
	LowerOmitted = math.MinInt32
	UpperOmitted = math.MaxInt32
)

// arraySetFamily is the table of assignments to parts of arrays: an array, NULL being one
// without elements, what is assigned, and the subscripts, two for each dimension of a
// slice. They follow array_set_element and array_set_slice of PostgreSQL.
func arraySetFamily() []Function {
	return table([]def{
		{sig: "array_set(anyarray,anyelement,int4) anyarray", scalar: arraySet, nullCall: true, doc: "array with another element; SET a[i] = x"},
		{sig: "array_set(anyarray,anyelement,int4,variadic int4) anyarray", scalar: arraySet, nullCall: true, doc: "array with another element; SET a[i][j] = x"},
		{sig: "array_set_slice(anyarray,anyarray,int4,int4) anyarray", scalar: arraySetSlice, nullCall: true, doc: "array with other elements; SET a[i:j] = x"},
		{sig: "array_set_slice(anyarray,anyarray,int4,int4,variadic int4) anyarray", scalar: arraySetSlice, nullCall: true, doc: "array with other elements; SET a[i:j][k:l] = x"},
	})
}

func outOfRange() error {
	return pgerror.New(pgerror.ArraySubscriptError, "array subscript out of range")
}

// subscriptsOf are the subscripts of an assignment.
func subscriptsOf(a []datum) ([]int64, error) {
	subs := make([]int64, len(a))
	for i, d := range a {
		if d.Null {
			return nil, pgerror.New(pgerror.NullValueNotAllowed, "array subscript in assignment must not be null")
		}
		subs[i] = d.I
	}
	return subs, nil
}

func arraySet(c *CallContext, a []datum) (datum, error) {
	subs, err := subscriptsOf(a[2:])
	if err != nil {
		return fail(err)
	}
	old := a[0]
	if old.NDims() == 0 {
		if len(subs) > types.MaxDims {
			return fail(types.TooManyDims(len(subs)))
		}
		dims := make([]types.Dim, len(subs))
		for k, s := range subs {
			dims[k] = types.Dim{Len: 1, Lower: int32(s)}
		}
		return types.ArrayDatum([]datum{a[1]}, dims), types.CheckDims(dims)
	}
	dims := old.Dims(c.Args[0])
	if len(dims) != len(subs) {
		return fail(wrongSubscripts())
	}
	if len(dims) > 1 {
		at := int64(0)
		for k, d := range dims {
			i := subs[k] - int64(d.Lower)
			if i < 0 || i >= int64(d.Len) {
				return fail(outOfRange())
			}
			at = at*int64(d.Len) + i
		}
		list := append([]datum(nil), old.List...)
		list[at] = a[1]
		return types.ArrayDatum(list, dims), nil
	}
	list, dim, err := widened(old.List, dims[0], subs[0], subs[0])
	if err != nil {
		return fail(err)
	}
	list[subs[0]-int64(dim.Lower)] = a[1]
	return types.ArrayDatum(list, []types.Dim{dim}), nil
}

// widened is a copy of list, of dimension d, that has the subscripts from lo to hi too; what
// lies between is NULL.
func widened(list []datum, d types.Dim, lo, hi int64) ([]datum, types.Dim, error) {
	from, to := min(lo, int64(d.Lower)), max(hi, int64(d.Upper()))
	n := to - from + 1
	if n > types.MaxArraySize {
		return nil, d, types.ArraySizeError()
	}
	dim := types.Dim{Len: int32(n), Lower: int32(from)}
	if err := types.CheckDims([]types.Dim{dim}); err != nil {
		return nil, d, err
	}
	out := make([]datum, n)
	for i := range out {
		out[i] = types.NullDatum
	}
	copy(out[int64(d.Lower)-from:], list)
	return out, dim, nil
}

func arraySetSlice(c *CallContext, a []datum) (datum, error) {
	subs, err := subscriptsOf(a[2:])
	switch {
	case err != nil:
		return fail(err)
	case len(subs)%2 != 0: // of a call by name
		return fail(wrongSubscripts())
	case len(subs)/2 > types.MaxDims:
		return fail(types.TooManyDims(len(subs) / 2))
	}
	old := a[0]
	old.Null = false
	if a[1].Null { // nothing is assigned, but a NULL has become an array
		if len(old.List) == 0 {
			return emptyArray()
		}
		return old, nil
	}
	n := old.NDims()
	switch {
	case n == 0:
		return newSlice(a[1].List, subs)
	case n < len(subs)/2:
		return fail(wrongSubscripts())
	}
	dims := old.Dims(c.Args[0])
	lo, hi := make([]int64, n), make([]int64, n)
	for k, d := range dims {
		lo[k], hi[k] = int64(d.Lower), int64(d.Upper())
		if 2*k < len(subs) {
			if subs[2*k] != LowerOmitted {
				lo[k] = subs[2*k]
			}
			if subs[2*k+1] != UpperOmitted {
				hi[k] = subs[2*k+1]
			}
		}
		if lo[k] > hi[k] {
			return fail(pgerror.New(pgerror.ArraySubscriptError, "upper bound cannot be less than lower bound"))
		}
		if n > 1 && (lo[k] < int64(d.Lower) || hi[k] > int64(d.Upper())) {
			return fail(outOfRange())
		}
	}
	if n == 1 {
		list, dim, err := widened(old.List, dims[0], lo[0], hi[0])
		if err != nil {
			return fail(err)
		}
		if int64(len(a[1].List)) < hi[0]-lo[0]+1 {
			return fail(sourceTooSmall())
		}
		copy(list[lo[0]-int64(dim.Lower):], a[1].List[:hi[0]-lo[0]+1])
		return types.ArrayDatum(list, []types.Dim{dim}), nil
	}
	list := append([]datum(nil), old.List...)
	if !putSlice(list, dims, lo, hi, &sourceOf{list: a[1].List}) {
		return fail(sourceTooSmall())
	}
	return types.ArrayDatum(list, dims), nil
}

func sourceTooSmall() error {
	return pgerror.New(pgerror.ArraySubscriptError, "source array too small")
}

// newSlice is the array that an assignment to a slice makes of one without elements.
func newSlice(src []datum, subs []int64) (datum, error) {
	dims, n := make([]types.Dim, len(subs)/2), int64(1)
	for k := range dims {
		lo, hi := subs[2*k], subs[2*k+1]
		if lo == LowerOmitted || hi == UpperOmitted {
			return fail(pgerror.New(pgerror.ArraySubscriptError, "array slice subscript must provide both boundaries").
				WithDetail("When assigning to a slice of an empty array value, slice boundaries must be fully specified."))
		}
		l := hi - lo + 1
		if l < 0 || l > types.MaxArraySize || n*l > types.MaxArraySize {
			return fail(types.ArraySizeError())
		}
		n *= l
		dims[k] = types.Dim{Len: int32(l), Lower: int32(lo)}
	}
	if int64(len(src)) < n {
		return fail(sourceTooSmall())
	}
	return types.ArrayDatum(append([]datum(nil), src[:n]...), dims), types.CheckDims(dims)
}

// sourceOf gives out the elements of what is assigned, whatever its shape.
type sourceOf struct{ list []datum }

// putSlice overwrites the elements of list, which has the dimensions dims, within bounds;
// false: the source has too few.
func putSlice(list []datum, dims []types.Dim, lo, hi []int64, src *sourceOf) bool {
	each := int64(len(list)) / int64(dims[0].Len)
	for i := lo[0] - int64(dims[0].Lower); i <= hi[0]-int64(dims[0].Lower); i++ {
		if len(dims) > 1 {
			if !putSlice(list[i*each:(i+1)*each], dims[1:], lo[1:], hi[1:], src) {
				return false
			}
			continue
		}
		if len(src.list) == 0 {
			return false
		}
		list[i], src.list = src.list[0], src.list[1:]
	}
	return true
}
