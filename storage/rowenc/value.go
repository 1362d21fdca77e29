package rowenc

import "velostream/storage/column"

// AppendRow adds the exact values of row of all cols to dst: a bit per column that
// says NULL, then the values (column.AppendValue) of the others.
func AppendRow(dst []byte, cols []*column.Column, row int) []byte {
	at := len(dst)
	for range (len(cols) + 7) / 8 {
		dst = append(dst, 0)
	}
	for j, c := range cols {
		if c.Null(row) {
			dst[at+j>>3] |= 1 << (j & 7)
			continue
		}
		dst = column.AppendValue(dst, c, row)
	}
	return dst
}

// DecodeRow reads what AppendRow wrote for columns of the builder's types and adds
// the values to its columns; the caller ends the row (Builder.Row). All of b must be
// used up. Bytes that are no such row are an error XX001, after which the builder's
// columns may differ in length.
func DecodeRow(b []byte, to *column.Builder) error {
	rest, err := DecodeColumns(b, to.Batch().Cols)
	if err == nil && len(rest) != 0 {
		return column.Corrupt("row: bytes after its end")
	}
	return err
}

// DecodeColumns is DecodeRow into columns; it returns the bytes after the row.
func DecodeColumns(b []byte, cols []*column.Column) ([]byte, error) {
	n := (len(cols) + 7) / 8
	if len(b) < n {
		return nil, column.Corrupt("row")
	}
	nulls := b[:n]
	b = b[n:]
	for j, c := range cols {
		if nulls[j>>3]>>(j&7)&1 != 0 {
			c.AppendNull()
			continue
		}
		var err error
		if b, err = column.DecodeValue(b, c); err != nil {
			return nil, err
		}
	}
	return b, nil
}
