package rowenc

import (
	"velostream/catalog/types"
	"velostream/storage/column"
)

// Decoder reads rows written by AppendRow and keeps some of their columns. For
// one goroutine.
type Decoder struct {
	all   []*column.Column // of the row: wanted ones, and scratch for the others
	batch column.Batch
}

// NewDecoder makes a decoder of rows with the column types ts that keeps the
// columns wanted, in that order.
func NewDecoder(ts []types.Type, wanted []int) *Decoder {
	d := &Decoder{all: make([]*column.Column, len(ts))}
	for i, t := range ts {
		d.all[i] = column.New(t, 0)
	}
	for _, j := range wanted {
		d.batch.Cols = append(d.batch.Cols, d.all[j])
	}
	return d
}

// Append adds the row b.
func (d *Decoder) Append(b []byte) error {
	if _, err := DecodeColumns(b, d.all); err != nil {
		return err
	}
	d.batch.N++
	return nil
}

// Len is how many rows were added since the last Reset.
func (d *Decoder) Len() int { return d.batch.N }

// Batch returns the rows: the decoder's memory, valid until the next Append or
// Reset.
func (d *Decoder) Batch() *column.Batch { return &d.batch }

// Reset forgets the rows and keeps the memory.
func (d *Decoder) Reset() {
	for _, c := range d.all {
		c.Reset()
	}
	d.batch.N = 0
}
