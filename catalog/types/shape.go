package types

import (
	"bytes"
	"encoding/binary"
	"math"
	"strconv"

	"velostream/pgwire/pgerror"
)

// MaxDims is how many dimensions an array can have, and MaxArraySize how many
// elements (MAXDIM and MaxArraySize of PostgreSQL).
const (
	MaxDims      = 6
	MaxArraySize = 134217727
)

// Dim is one dimension of an array: its length, and the subscript of its first
// element.
type Dim struct {
	Len, Lower int32
}

// Upper is the subscript of the dimension's last element.
func (d Dim) Upper() int32 { return d.Lower + d.Len - 1 }

// The elements of an array lie in List, those of the last dimension side by
// side. An array of one dimension that begins at 1, and one without elements,
// has nothing else. Any other has its shape in B:
//
//	1 byte       n, the dimensions: 1 to 6
//	n × 4 bytes  lengths, big-endian
//	n × 4 bytes  lower bounds, big-endian, sign bit flipped
//
// Shapes compare by their bytes as array_cmp compares dimensions, with one
// difference: no shape, which is one dimension from 1, comes before all others, so
// also before the same elements counted from 0. The bytes are never changed
// once made, and so may be shared.

const lowerSign = 1 << 31

// NewShape is the shape of dims, nil where none is kept.
func NewShape(dims []Dim) []byte {
	if len(dims) == 0 || len(dims) == 1 && dims[0].Lower == 1 {
		return nil
	}
	b := append(make([]byte, 0, 1+8*len(dims)), byte(len(dims)))
	for _, d := range dims {
		b = binary.BigEndian.AppendUint32(b, uint32(d.Len))
	}
	for _, d := range dims {
		b = binary.BigEndian.AppendUint32(b, uint32(d.Lower)^lowerSign)
	}
	return b
}

// ArrayDatum is an array of the elements list, which is not copied, in the
// dimensions dims.
// REQUIRES: the lengths of dims multiply to len(list).
func ArrayDatum(list []Datum, dims []Dim) Datum {
	if len(list) == 0 {
		return Datum{List: []Datum{}}
	}
	return Datum{List: list, B: NewShape(dims)}
}

// TakeShape cuts a shape, whose array has n elements, off the front of b; ok is
// false when b does not begin with one.
func TakeShape(b []byte, n int) (shape, rest []byte, ok bool) {
	if len(b) == 0 || b[0] == 0 || b[0] > MaxDims || len(b) < 1+8*int(b[0]) {
		return nil, nil, false
	}
	size := 1 + 8*int(b[0])
	if ShapeSize(b) != int64(n) {
		return nil, nil, false
	}
	return bytes.Clone(b[:size]), b[size:], true
}

// ShapeSize is how many elements an array of the shape has, -1 if the bytes are
// no shape.
func ShapeSize(shape []byte) int64 {
	if len(shape) == 0 || shape[0] > MaxDims || len(shape) < 1+8*int(shape[0]) {
		return -1
	}
	n := int64(1)
	for k := range int(shape[0]) {
		l := int64(binary.BigEndian.Uint32(shape[1+4*k:]))
		if l == 0 || l > MaxArraySize {
			return -1
		}
		if n *= l; n > MaxArraySize {
			return -1
		}
	}
	return n
}

// NDims is how many dimensions the array d has; 0: it is empty.
func (d Datum) NDims() int {
	switch {
	case len(d.B) > 0:
		return int(d.B[0])
	case len(d.List) == 0:
		return 0
	}
	return 1
}

// Dim returns dimension k, from 0, of the array d, a value of t.
// REQUIRES: k < d.NDims().
func (d Datum) Dim(t Type, k int) Dim {
	if len(d.B) == 0 {
		return Dim{int32(len(d.List)), t.FirstSubscript()}
	}
	n := int(d.B[0])
	return Dim{
		Len:   int32(binary.BigEndian.Uint32(d.B[1+4*k:])),
		Lower: int32(binary.BigEndian.Uint32(d.B[1+4*(n+k):]) ^ lowerSign),
	}
}

// Dims returns the dimensions of the array d, a value of t.
func (d Datum) Dims(t Type) []Dim {
	dims := make([]Dim, d.NDims())
	for k := range dims {
		dims[k] = d.Dim(t, k)
	}
	return dims
}

// FirstSubscript is where arrays of t begin if they do not say: vectors at 0.
func (t Type) FirstSubscript() int32 {
	if t.OID == OIDInt2Vector || t.OID == OIDOidVector {
		return 0
	}
	return 1
}

// AppendDims adds [1:2][0:3], the bounds of dims.
func AppendDims(dst []byte, dims []Dim) []byte {
	for _, d := range dims {
		dst = strconv.AppendInt(append(dst, '['), int64(d.Lower), 10)
		dst = strconv.AppendInt(append(dst, ':'), int64(d.Upper()), 10)
		dst = append(dst, ']')
	}
	return dst
}

// CheckDims reports dimensions that no array can have: too many elements, or a
// bound that is no integer (54000).
func CheckDims(dims []Dim) error {
	n := int64(1)
	for _, d := range dims {
		if n *= int64(d.Len); d.Len < 0 || n > MaxArraySize {
			return ArraySizeError()
		}
	}
	for _, d := range dims {
		if int64(d.Lower)+int64(d.Len) > math.MaxInt32 {
			return pgerror.New(pgerror.ProgramLimitExceeded, "array lower bound is too large: %d", d.Lower)
		}
	}
	return nil
}

// ArraySizeError is the error of an array of too many elements.
func ArraySizeError() error {
	return pgerror.New(pgerror.ProgramLimitExceeded, "array size exceeds the maximum allowed (%d)", MaxArraySize)
}

// TooManyDims is the error of an array of n dimensions.
func TooManyDims(n int) error {
	return pgerror.New(pgerror.ProgramLimitExceeded, "number of array dimensions (%d) exceeds the maximum allowed (%d)", n, MaxDims)
}
