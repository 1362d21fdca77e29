package json

import (
	"math"
	"testing"

	"velostream/catalog/types"
	"velostream/engine/format"
	"velostream/engine/format/formattest"
	"velostream/storage/column"
)

func TestRoundTrip(t *testing.T) {
	d, err := New(formattest.Fields, Options{})
	if err != nil {
		t.Fatal(err)
	}
	formattest.RoundTrip(t, NewEncoder(formattest.Fields), d)
}

func TestEncode(t *testing.T) {
	fields := fieldsOf(t, tradeFields)
	d, _ := New(fields, Options{})
	rows := format.NewRows(fields, 1)
	if err := d.Decode([]byte(trade), rows); err != nil {
		t.Fatal(err)
	}
	b := &column.Batch{Cols: rows.Cols, N: 1}
	e := NewEncoder(fields)
	got, _ := e.Encode(nil, b, 0)
	if string(got) != trade {
		t.Errorf("%s\nwant %s", got, trade)
	}
	if n := testing.AllocsPerRun(50, func() { got, _ = e.Encode(got[:0], b, 0) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
	f := []format.Field{{Name: "a\"b", Type: types.Float8}, {Name: "n", Type: types.Numeric}}
	c := column.New(types.Float8, 1)
	c.Append(types.FloatDatum(math.Inf(1)))
	n := column.New(types.Numeric, 1)
	n.AppendNull()
	if got, _ := NewEncoder(f).Encode(nil, &column.Batch{Cols: []*column.Column{c, n}, N: 1}, 0); string(got) != `{"a\"b":"Infinity","n":null}` {
		t.Errorf("%s", got)
	}
}

func BenchmarkEncode(b *testing.B) {
	fields := fieldsOf(b, tradeFields)
	d, _ := New(fields, Options{})
	rows := format.NewRows(fields, 1)
	if err := d.Decode([]byte(trade), rows); err != nil {
		b.Fatal(err)
	}
	batch := &column.Batch{Cols: rows.Cols, N: 1}
	e := NewEncoder(fields)
	var buf []byte
	b.ReportAllocs()
	for b.Loop() {
		buf, _ = e.Encode(buf[:0], batch, 0)
	}
}
