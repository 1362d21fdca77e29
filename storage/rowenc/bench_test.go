package rowenc

import (
	"testing"

	"velostream/catalog/types"
	"velostream/storage/column"
)

// BenchmarkDecoder reads rows of five columns, as bench's bulk table has; an
// operation is a row.
func BenchmarkDecoder(b *testing.B) {
	ts := []types.Type{types.Int8, types.Text, types.Numeric, types.Int4, types.Timestamptz}
	in := column.NewBuilder(ts, 0)
	const n = 1024
	for i := range n {
		in.Col(0).Ints = append(in.Col(0).Ints, int64(1000000+i))
		in.Col(1).AppendBytes([]byte("SYM001"))
		in.Col(2).Append(types.Datum{Dec: types.NewDecimal(int64(10000+i), 2)})
		in.Col(3).Ints = append(in.Col(3).Ints, int64(i%500))
		in.Col(4).Ints = append(in.Col(4).Ints, 800_000_000_000_000+int64(i)*1000)
		in.Row(column.Insert)
	}
	rows := make([][]byte, n)
	for i := range rows {
		rows[i] = AppendRow(nil, in.Batch().Cols, i)
	}
	for name, wanted := range map[string][]int{"all": {0, 1, 2, 3, 4}, "last": {4}, "second": {1}, "two": {1, 3}, "none": nil} {
		b.Run(name, func(b *testing.B) {
			d := NewDecoder(ts, wanted)
			for i := 0; b.Loop(); i++ {
				if i%n == 0 {
					d.Reset()
				}
				if err := d.Append(rows[i%n]); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
