package pgwire

import (
	"encoding/binary"
	"testing"

	"velostream/catalog/types"
	"velostream/storage/column"
)

// Each type's fast path must say what the general codec says, at every kind of
// column: plain, constant, with NULLs.
func TestEncodersAgreeWithTypes(t *testing.T) {
	samples := map[string]struct {
		typ    types.Type
		values []types.Datum
	}{
		"bool":        {types.Bool, []types.Datum{types.BoolDatum(true), types.BoolDatum(false)}},
		"int2":        {types.Int2, []types.Datum{types.IntDatum(-32768), types.IntDatum(7)}},
		"int4":        {types.Int4, []types.Datum{types.IntDatum(-1 << 31), types.IntDatum(7)}},
		"int8":        {types.Int8, []types.Datum{types.IntDatum(-1 << 63), types.IntDatum(1<<63 - 1)}},
		"oid":         {types.Oid, []types.Datum{types.IntDatum(1<<32 - 1)}},
		"float4":      {types.Float4, []types.Datum{types.FloatDatum(0.5), types.FloatDatum(1e20)}},
		"float8":      {types.Float8, []types.Datum{types.FloatDatum(0.1), types.FloatDatum(-1e300)}},
		"numeric":     {types.Numeric, []types.Datum{types.DecimalDatum(types.NewDecimal(-12345, 2)), types.DecimalDatum(types.NewDecimal(0, 0))}},
		"text":        {types.Text, []types.Datum{types.StringDatum("naïve"), types.StringDatum("")}},
		"bytea":       {types.Bytea, []types.Datum{types.BytesDatum([]byte{0, 255})}},
		"jsonb":       {types.JSONB, []types.Datum{types.StringDatum(`{"a": 1}`)}},
		"json":        {types.JSON, []types.Datum{types.StringDatum(`{"a":1}`)}},
		"uuid":        {types.UUID, []types.Datum{types.BytesDatum([]byte("0123456789abcdef"))}},
		"date":        {types.Date, []types.Datum{types.IntDatum(8825), types.IntDatum(-1)}},
		"time":        {types.Time, []types.Datum{types.IntDatum(45_296_789_000)}},
		"timestamp":   {types.Timestamp, []types.Datum{types.IntDatum(762525296789000), types.IntDatum(-1)}},
		"timestamptz": {types.Timestamptz, []types.Datum{types.IntDatum(762525296789000)}},
		"interval":    {types.IntervalT, []types.Datum{{Iv: types.Interval{Months: 14, Days: 3, Micros: 5}}}},
		"int4[]":      {types.Type{OID: 1007, Mod: -1}, []types.Datum{{List: []types.Datum{types.IntDatum(1), types.NullDatum}}, {List: []types.Datum{}}}},
	}
	for _, f := range []*types.Format{nil, {ExtraFloatDigits: 1}, {DateStyle: "SQL, DMY", IntervalStyle: "iso_8601", ByteaEscape: true}} {
		want := f
		if want == nil {
			want = &types.Format{ExtraFloatDigits: 1}
		}
		for name, s := range samples {
			for _, d := range s.values {
				for format := range int16(2) {
					ref := types.AppendText(nil, s.typ, d, want)
					if format == 1 {
						ref = types.AppendBinary(nil, s.typ, d)
					}
					plain := column.New(s.typ, 0)
					plain.AppendNull()
					plain.Append(d)
					row := encodeOne(t, f, format, plain, 1)
					if string(row) != string(ref) {
						t.Errorf("%s format %d: %q, want %q", name, format, row, ref)
					}
					if row := encodeOne(t, f, format, plain, 0); row != nil {
						t.Errorf("%s format %d: NULL is %q", name, format, row)
					}
					if row := encodeOne(t, f, format, column.Constant(s.typ, d), 5); string(row) != string(ref) {
						t.Errorf("%s format %d: constant is %q, want %q", name, format, row, ref)
					}
					if row := encodeOne(t, f, format, column.Constant(s.typ, types.NullDatum), 5); row != nil {
						t.Errorf("%s format %d: constant NULL is %q", name, format, row)
					}
				}
			}
		}
	}
}

// encodeOne encodes row i of a one-column batch and takes the value out; nil
// for NULL.
func encodeOne(t *testing.T, f *types.Format, format int16, c *column.Column, i int) []byte {
	t.Helper()
	e := newRowEncoder([]ResultColumn{{Type: c.Type}}, []int16{format}, f)
	row, err := e.appendRow(nil, &column.Batch{N: i + 1, Cols: []*column.Column{c}}, i)
	if err != nil {
		t.Fatal(err)
	}
	if row[0] != 'D' || int(binary.BigEndian.Uint32(row[1:])) != len(row)-1 || binary.BigEndian.Uint16(row[5:]) != 1 {
		t.Fatalf("malformed row %q", row)
	}
	n := int32(binary.BigEndian.Uint32(row[7:]))
	if n < 0 {
		return nil
	}
	if int(n) != len(row)-11 {
		t.Fatalf("malformed row %q", row)
	}
	return append([]byte{}, row[11:]...)
}

// BenchmarkDataRow encodes a row of five columns: int8, text, float8,
// timestamptz, bool.
func BenchmarkDataRow(b *testing.B) {
	cols := []ResultColumn{{Type: types.Int8}, {Type: types.Text}, {Type: types.Float8}, {Type: types.Timestamptz}, {Type: types.Bool}}
	var ts []types.Type
	for _, c := range cols {
		ts = append(ts, c.Type)
	}
	const rows = 1024
	bld := column.NewBuilder(ts, rows)
	for i := range rows {
		bld.Col(0).Append(types.IntDatum(int64(i) * 7919))
		bld.Col(1).Append(types.StringDatum("symbol12"))
		bld.Col(2).Append(types.FloatDatum(float64(i) * 1.25))
		bld.Col(3).Append(types.IntDatum(762525296789000 + int64(i)*1000))
		bld.Col(4).Append(types.BoolDatum(i%2 == 0))
		bld.Row(column.Insert)
	}
	batch := bld.Batch()
	for name, format := range map[string]int16{"text": 0, "binary": 1} {
		b.Run(name, func(b *testing.B) {
			e := newRowEncoder(cols, []int16{format}, nil)
			buf := make([]byte, 0, 1<<20)
			var err error
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				if i%rows == 0 {
					buf = buf[:0]
				}
				if buf, err = e.appendRow(buf, batch, i%rows); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
