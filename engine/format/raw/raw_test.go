package raw

import (
	"testing"

	"velostream/catalog/types"
	"velostream/engine/format"
	"velostream/pgwire/pgerror"
	"velostream/storage/column"
)

func TestRaw(t *testing.T) {
	fields := []format.Field{{Name: "t", Type: types.Text}, {Name: "b", Type: types.Bytea}}
	d := New(fields)
	rows := format.NewRows(fields, 1)
	if err := d.Decode([]byte("é"), rows); err != nil || rows.N != 1 || string(rows.Cols[0].Bytes(0)) != "é" || string(rows.Cols[1].Bytes(0)) != "é" {
		t.Fatal(err)
	}
	if err := d.Decode([]byte("\xff"), rows); pgerror.Code(err) != pgerror.InvalidByteSequence || rows.Cols[1].Len() != 1 {
		t.Fatal(err)
	}
	n := New([]format.Field{{Name: "n", Type: types.Int8}})
	one := format.NewRows([]format.Field{{Name: "n", Type: types.Int8}}, 1)
	if err := n.Decode([]byte(" 42 "), one); err != nil || one.Cols[0].Ints[0] != 42 {
		t.Fatal(err)
	}
	if err := n.Decode([]byte("x"), one); pgerror.Code(err) != pgerror.InvalidTextRepresentation {
		t.Fatal(err)
	}
	if b, _ := (Encoder{}).Encode(nil, &column.Batch{Cols: one.Cols, N: 1}, 0); string(b) != "42" {
		t.Fatal(string(b))
	}
}
