// Package format turns bytes into columns and columns into bytes.
//
// A Decoder is compiled once from the columns that are wanted and then appends
// one row per value straight to column builders; an Encoder appends the bytes
// of a row to a buffer. Both take one goroutine. The formats are sub-packages
// (json, csv, raw); this package has what they share: the contracts, and Cell,
// how a column of a SQL type takes a value that arrives as text or number.
package format

import (
	"bytes"
	"unicode/utf8"

	"velostream/catalog/types"
	"velostream/storage/column"
)

// Field is a column that is wanted from each value.
type Field struct {
	// Name is the column's name. Formats with names find the value by it:
	// exactly, else without regard to case; "a.b" is also b in a.
	Name string
	// Path, when set, is where the value is, instead of Name: names of
	// objects inside each other.
	Path []string
	// Whole is set for a column that takes the whole value.
	Whole   bool
	Type    types.Type
	NotNull bool
	// Time says how numbers and text are read as times.
	Time TimeFormat
	// Types are the definitions of user-made types, nil: there are none.
	Types types.Definitions
}

// Rows are rows being appended to. Every column of Cols has N values.
type Rows struct {
	Cols []*column.Column
	N    int
}

// NewRows returns empty rows of the fields' types.
func NewRows(fields []Field, capacity int) *Rows {
	r := &Rows{}
	for _, f := range fields {
		r.Cols = append(r.Cols, column.New(f.Type, capacity))
	}
	return r
}

// Undo takes away what was appended beyond row N.
func (r *Rows) Undo() {
	for _, c := range r.Cols {
		Truncate(c, r.N)
	}
}

// Reset empties the rows and keeps their memory.
func (r *Rows) Reset() {
	for _, c := range r.Cols {
		c.Reset()
	}
	r.N = 0
}

// Decoder appends values to rows.
type Decoder interface {
	// Decode appends the row of value (a few formats: none or several) to
	// rows, whose columns are the decoder's fields in order. After an error,
	// which is a *pgerror.Error that names the field, rows are as before.
	// value is only read, and not kept.
	Decode(value []byte, rows *Rows) error
}

// BlockDecoder is a Decoder that takes many values in one call, of which each
// is one row: the lines of a block of a file.
type BlockDecoder interface {
	Decoder
	// DecodeBlock appends the rows of the values that begin and end at these
	// places of data, in ascending order and with only line ends between
	// them. It stops at the first that cannot be decoded, and returns how
	// many rows it appended and that one's error.
	DecodeBlock(data []byte, values [][2]uint32, rows *Rows) (int, error)
}

// HeaderReader is a Decoder of values whose places are named by a header that
// comes with the data. Called before the first Decode, it replaces what the
// decoder was made to expect.
type HeaderReader interface {
	Header(header []byte) error
}

// Encoder writes rows as bytes.
type Encoder interface {
	// Encode appends the bytes of physical row i of b to dst.
	Encode(dst []byte, b *column.Batch, i int) ([]byte, error)
}

// IsText reports whether b is valid text: UTF-8 without NUL bytes. nil is not.
func IsText(b []byte) bool {
	return b != nil && utf8.Valid(b) && bytes.IndexByte(b, 0) < 0
}

// Truncate cuts c to n values.
func Truncate(c *column.Column, n int) {
	if c.Len() <= n {
		return
	}
	for i := n; i < len(c.Nulls)*64 && i < c.Len(); i++ {
		c.Nulls.Clear(i)
	}
	switch c.Type.Kind() {
	case types.KindBool:
		c.Bools = c.Bools[:n]
	case types.KindInt:
		c.Ints = c.Ints[:n]
	case types.KindFloat:
		c.Floats = c.Floats[:n]
	case types.KindDecimal:
		c.Decs = c.Decs[:n]
	case types.KindInterval:
		c.Ivs = c.Ivs[:n]
	case types.KindBytes:
		c.Offs = c.Offs[:n+1]
		c.Data = c.Data[:c.Offs[n]]
	case types.KindList:
		c.Offs = c.Offs[:n+1]
		Truncate(c.Elem, int(c.Offs[n]))
		c.Shapes = c.Shapes[:min(n, len(c.Shapes))]
	default:
	}
}
