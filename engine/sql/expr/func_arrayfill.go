package expr

import (
	"strconv"

	"velostream/catalog/types"
	"velostream/pgwire/pgerror"
)

// arrayFillMax bounds the arrays that array_fill makes.
const arrayFillMax = 10_000_000

// arrayFill makes an array of equal elements; arrays have one dimension and begin
// at 1.
func arrayFill(_ *CallContext, a []datum) (datum, error) {
	for _, x := range a[1:] {
		if x.Null {
			return fail(pgerror.New(pgerror.NullValueNotAllowed, "dimension array or low bound array cannot be null"))
		}
	}
	for _, x := range a[1:] {
		for _, e := range x.List {
			if e.Null {
				return fail(pgerror.New(pgerror.NullValueNotAllowed, "dimension values cannot be null"))
			}
		}
	}
	dims := a[1].List
	switch {
	case len(a) > 2 && len(a[2].List) != len(dims):
		return fail(pgerror.New("2202E", "wrong number of array subscripts").
			WithDetail("Low bound array has different size than dimensions array."))
	case len(dims) == 0 || len(dims) == 1 && dims[0].I == 0:
		return datum{List: []datum{}}, nil
	case len(dims) > 1:
		return fail(pgerror.Unsupported("arrays of several dimensions are not supported"))
	case len(a) > 2 && a[2].List[0].I != 1:
		return fail(pgerror.Unsupported("arrays that do not begin at 1 are not supported"))
	case dims[0].I < 0 || dims[0].I > arrayFillMax:
		return fail(pgerror.New(pgerror.ProgramLimitExceeded, "array size exceeds the maximum allowed (%d)", arrayFillMax))
	}
	d := datum{List: make([]datum, dims[0].I)}
	for i := range d.List {
		d.List[i] = a[0]
	}
	return d, nil
}

func trimArray(_ *CallContext, a []datum) (datum, error) {
	n := int64(len(a[0].List))
	if a[1].I < 0 || a[1].I > n {
		return fail(pgerror.New("2202E", "number of elements to trim must be between 0 and %d", n))
	}
	return datum{List: a[0].List[:n-a[1].I]}, nil
}

func arrayDims(_ *CallContext, a []datum) (datum, error) {
	if len(a[0].List) == 0 {
		return null()
	}
	return types.BytesDatum(append(strconv.AppendInt([]byte("[1:"), int64(len(a[0].List)), 10), ']')), nil
}
