package rowenc

import (
	"encoding/binary"
	"math"

	"velostream/catalog/types"
	"velostream/storage/column"
)

// Decoder reads rows written by AppendRow and keeps some of their columns. What
// comes after the last of them is not looked at. For one goroutine.
type Decoder struct {
	fields    []field // of the row, up to the last that is wanted
	nullBytes int
	batch     column.Batch
}

// field is a column of the row; to is nil when it is passed over.
type field struct {
	kind types.Kind
	t    types.Type
	to   *column.Column
}

// NewDecoder makes a decoder of rows with the column types ts that keeps the
// columns wanted, in that order.
func NewDecoder(ts []types.Type, wanted []int) *Decoder {
	d := &Decoder{nullBytes: (len(ts) + 7) / 8}
	all, n := make([]field, len(ts)), 0
	for i, t := range ts {
		all[i] = field{kind: t.Kind(), t: t}
	}
	for _, j := range wanted {
		if all[j].to == nil {
			all[j].to = column.New(ts[j], 0)
		}
		d.batch.Cols = append(d.batch.Cols, all[j].to)
		n = max(n, j+1)
	}
	d.fields = all[:n]
	return d
}

// Append adds the row b.
func (d *Decoder) Append(b []byte) error {
	if len(b) < d.nullBytes {
		return column.Corrupt("row")
	}
	nulls := b[:d.nullBytes]
	b = b[d.nullBytes:]
	for j := range d.fields {
		f := &d.fields[j]
		if nulls[j>>3]>>(j&7)&1 != 0 {
			if f.to != nil {
				f.to.AppendNull()
			}
			continue
		}
		switch f.kind {
		case types.KindInt:
			v, n := binary.Varint(b)
			if n <= 0 {
				return column.Corrupt("integer")
			}
			if b = b[n:]; f.to != nil {
				f.to.Ints = append(f.to.Ints, v)
			}
		case types.KindBytes:
			v, n := binary.Uvarint(b)
			if n <= 0 || v > uint64(len(b)-n) {
				return column.Corrupt("byte string")
			}
			if f.to != nil {
				if uint64(len(f.to.Data))+v > math.MaxUint32 {
					return column.Corrupt("byte string")
				}
				f.to.AppendBytes(b[n : n+int(v)])
			}
			b = b[n+int(v):]
		default:
			var err error
			if b, err = f.other(b); err != nil {
				return err
			}
		}
	}
	d.batch.N++
	return nil
}

// other reads a value of one of the rarer kinds.
func (f *field) other(b []byte) ([]byte, error) {
	if f.to != nil {
		return column.DecodeValue(b, f.to)
	}
	switch f.kind {
	case types.KindBool:
		if len(b) < 1 {
			return nil, column.Corrupt("boolean")
		}
		return b[1:], nil
	case types.KindFloat:
		if len(b) < 8 {
			return nil, column.Corrupt("float")
		}
		return b[8:], nil
	case types.KindDecimal:
		return types.SkipCompact(b)
	default:
		return column.DecodeValue(b, column.New(f.t, 0))
	}
}

// Len is how many rows were added since the last Reset.
func (d *Decoder) Len() int { return d.batch.N }

// Batch returns the rows: the decoder's memory, valid until the next Append or
// Reset.
func (d *Decoder) Batch() *column.Batch { return &d.batch }

// Reset forgets the rows and keeps the memory.
func (d *Decoder) Reset() {
	for _, f := range d.fields {
		if f.to != nil {
			f.to.Reset()
		}
	}
	d.batch.N = 0
}
