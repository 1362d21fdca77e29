package expr

import (
	"velostream/catalog/types"
	"velostream/pgwire/pgerror"
)

// arrayFillMax bounds the arrays that array_fill makes.
const arrayFillMax = 10_000_000

// arrayFill makes an array of equal elements.
func arrayFill(_ *CallContext, a []datum) (datum, error) {
	for _, x := range a[1:] {
		if x.Null {
			return fail(pgerror.New(pgerror.NullValueNotAllowed, "dimension array or low bound array cannot be null"))
		}
	}
	for _, x := range a[1:] {
		if x.NDims() > 1 {
			return fail(wrongSubscripts().WithDetail("Dimension array must be one dimensional."))
		}
		for _, e := range x.List {
			if e.Null {
				return fail(pgerror.New(pgerror.NullValueNotAllowed, "dimension values cannot be null"))
			}
		}
	}
	n := len(a[1].List)
	if n > types.MaxDims {
		return fail(types.TooManyDims(n))
	}
	if len(a) > 2 && len(a[2].List) != n {
		return fail(wrongSubscripts().WithDetail("Low bound array has different size than dimensions array."))
	}
	dims, size := make([]types.Dim, n), int64(1)
	for k, d := range a[1].List {
		dims[k] = types.Dim{Len: int32(d.I), Lower: 1}
		if len(a) > 2 {
			dims[k].Lower = int32(a[2].List[k].I)
		}
		size *= max(d.I, 0)
		if size > types.MaxArraySize {
			return fail(types.ArraySizeError())
		}
	}
	if err := types.CheckDims(dims); err != nil {
		return fail(err)
	}
	if n == 0 || size == 0 {
		return emptyArray()
	}
	if size > arrayFillMax {
		return fail(pgerror.New(pgerror.ProgramLimitExceeded, "array size exceeds the maximum allowed (%d)", arrayFillMax))
	}
	list := make([]datum, size)
	for i := range list {
		list[i] = a[0]
	}
	return types.ArrayDatum(list, dims), nil
}

func trimArray(c *CallContext, a []datum) (datum, error) {
	n := int64(0)
	if a[0].NDims() > 0 {
		n = int64(a[0].Dim(c.Args[0], 0).Len)
	}
	if a[1].I < 0 || a[1].I > n {
		return fail(pgerror.New(pgerror.ArraySubscriptError, "number of elements to trim must be between 0 and %d", n))
	}
	if n == 0 {
		return a[0], nil
	}
	dims := a[0].Dims(c.Args[0])
	each := int64(len(a[0].List)) / n
	dims[0].Len -= int32(a[1].I)
	for k := range dims {
		dims[k].Lower = 1
	}
	return types.ArrayDatum(a[0].List[:(n-a[1].I)*each], dims), nil
}
