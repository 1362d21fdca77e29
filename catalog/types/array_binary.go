package types

import (
	"encoding/binary"
	"math"
	"slices"

	"velostream/pgwire/pgerror"
)

// appendArrayBinary adds what array_send sends: dimensions, whether there are
// NULLs, the type of the elements, length and lower bound of each dimension, and
// the elements with their lengths.
func appendArrayBinary(dst []byte, t, elem Type, d Datum) []byte {
	n, hasNull := d.NDims(), uint32(0)
	vector := t.FirstSubscript() == 0
	if vector {
		n = 1 // also of none
	}
	for i := range d.List {
		if d.List[i].Null {
			hasNull = 1
		}
	}
	dst = binary.BigEndian.AppendUint32(dst, uint32(n))
	dst = binary.BigEndian.AppendUint32(dst, hasNull)
	dst = binary.BigEndian.AppendUint32(dst, uint32(elem.Wire().OID))
	for k := range n {
		dim := d.Dim(t, k)
		dst = binary.BigEndian.AppendUint32(dst, uint32(dim.Len))
		dst = binary.BigEndian.AppendUint32(dst, uint32(dim.Lower))
	}
	for i := range d.List {
		if d.List[i].Null {
			dst = binary.BigEndian.AppendUint32(dst, math.MaxUint32)
			continue
		}
		at := len(dst)
		dst = AppendBinary(append(dst, 0, 0, 0, 0), elem, d.List[i])
		binary.BigEndian.PutUint32(dst[at:], uint32(len(dst)-at-4))
	}
	return dst
}

func decodeArrayBinary(t, elem Type, b []byte) (Datum, error) {
	if len(b) < 12 {
		return Datum{}, pgerror.New(pgerror.ProtocolViolation, "insufficient data left in message")
	}
	ndim, flags := int32(binary.BigEndian.Uint32(b)), binary.BigEndian.Uint32(b[4:])
	switch {
	case ndim < 0:
		return Datum{}, pgerror.New(pgerror.InvalidBinaryRepresentation, "invalid number of dimensions: %d", ndim)
	case ndim > MaxDims:
		return Datum{}, TooManyDims(int(ndim))
	case flags > 1:
		return Datum{}, pgerror.New(pgerror.InvalidBinaryRepresentation, "invalid array flags")
	}
	if got := OID(binary.BigEndian.Uint32(b[8:])); got != elem.Wire().OID {
		return Datum{}, pgerror.New(pgerror.DatatypeMismatch, "wrong element type")
	}
	b = b[12:]
	if len(b) < 8*int(ndim) {
		return Datum{}, pgerror.New(pgerror.ProtocolViolation, "insufficient data left in message")
	}
	dims, n := make([]Dim, ndim), int64(1)
	for k := range dims {
		dims[k] = Dim{int32(binary.BigEndian.Uint32(b)), int32(binary.BigEndian.Uint32(b[4:]))}
		n, b = n*int64(dims[k].Len), b[8:]
	}
	if err := CheckDims(dims); err != nil {
		return Datum{}, err
	}
	if ndim == 0 {
		n = 0
	}
	if n*4 > int64(len(b)) {
		return Datum{}, pgerror.New(pgerror.InvalidBinaryRepresentation, "insufficient data left in message")
	}
	list, err := decodeElements(elem, b, int(n))
	if err != nil {
		return Datum{}, err
	}
	if t.FirstSubscript() == 0 {
		if ndim != 1 || dims[0].Lower != 0 || slices.ContainsFunc(list, func(d Datum) bool { return d.Null }) {
			return Datum{}, pgerror.New(pgerror.InvalidBinaryRepresentation, "invalid %s data", t)
		}
		return Datum{List: list}, nil
	}
	return ArrayDatum(list, dims), nil
}

func decodeElements(elem Type, b []byte, n int) ([]Datum, error) {
	list := make([]Datum, 0, n)
	for range n {
		if len(b) < 4 {
			return nil, pgerror.New(pgerror.InvalidBinaryRepresentation, "insufficient data left in message")
		}
		size := int64(int32(binary.BigEndian.Uint32(b)))
		b = b[4:]
		if size == -1 {
			list = append(list, NullDatum)
			continue
		}
		if size < 0 || size > int64(len(b)) {
			return nil, pgerror.New(pgerror.InvalidBinaryRepresentation, "insufficient data left in message")
		}
		d, err := DecodeBinary(elem, b[:size])
		if err != nil {
			return nil, err
		}
		list, b = append(list, d), b[size:]
	}
	if len(b) != 0 {
		return nil, incorrectBinary()
	}
	return list, nil
}
