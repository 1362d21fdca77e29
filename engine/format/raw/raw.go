// Package raw is the format of values that are one column: text ("string") or
// bytes. A number, a time, any type with a text form may be the column.
package raw

import (
	"velostream/catalog/types"
	"velostream/engine/format"
	"velostream/pgwire/pgerror"
	"velostream/storage/column"
)

// Decoder implements format.BlockDecoder: each field is the whole value.
type Decoder struct{ cells []*format.Cell }

// New compiles a decoder of the fields.
func New(fields []format.Field) *Decoder {
	d := &Decoder{}
	for _, f := range fields {
		d.cells = append(d.cells, format.NewCell(f))
	}
	return d
}

// Decode implements format.Decoder.
func (d *Decoder) Decode(value []byte, rows *format.Rows) error {
	for i, c := range d.cells {
		if c.Type.OID == types.OIDBytea {
			rows.Cols[i].AppendBytes(value)
			continue
		}
		var err error
		if !format.IsText(value) && len(value) > 0 {
			err = pgerror.New(pgerror.InvalidByteSequence, "field %q: invalid byte sequence for encoding \"UTF8\"", c.Name)
		} else {
			err = c.Text(rows.Cols[i], value)
		}
		if err != nil {
			rows.Undo()
			return err
		}
	}
	rows.N++
	return nil
}

// DecodeBlock implements format.BlockDecoder.
func (d *Decoder) DecodeBlock(data []byte, values [][2]uint32, rows *format.Rows) (int, error) {
	for i, at := range values {
		if err := d.Decode(data[at[0]:at[1]], rows); err != nil {
			return i, err
		}
	}
	return len(values), nil
}

// Encoder implements format.Encoder: the first column's text, or its bytes.
type Encoder struct{}

// Encode implements format.Encoder. NULL is no bytes.
func (Encoder) Encode(dst []byte, b *column.Batch, i int) ([]byte, error) {
	c := b.Cols[0]
	if c.Null(i) {
		return dst, nil
	}
	if c.Type.OID == types.OIDBytea {
		return append(dst, c.Bytes(i)...), nil
	}
	return format.AppendISO(dst, c, c.At(i)), nil
}
