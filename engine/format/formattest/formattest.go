// Package formattest is the conformance suite of formats: what every Decoder
// and Encoder must keep to, as one function for their tests to call.
package formattest

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"testing"

	"velostream/catalog/types"
	"velostream/engine/format"
	"velostream/storage/column"
)

// Fields are columns of every kind that formats with named columns carry.
var Fields = []format.Field{
	{Name: "b", Type: types.Bool},
	{Name: "i", Type: types.Int8},
	{Name: "s", Type: types.Int2},
	{Name: "f", Type: types.Float8},
	{Name: "n", Type: types.Numeric},
	{Name: "t", Type: types.Text},
	{Name: "ts", Type: types.Timestamp},
	{Name: "tz", Type: types.Timestamptz},
	{Name: "d", Type: types.Date},
	{Name: "u", Type: types.UUID},
	{Name: "j", Type: types.JSONB},
	{Name: "x", Type: types.Bytea},
	{Name: "iv", Type: types.IntervalT},
	{Name: "a", Type: types.Type{OID: 1007, Mod: -1}},
}

// RoundTrip encodes random rows and decodes them again: they must be equal,
// without an allocation to speak of, and values cut short must either decode
// or leave the rows as they were.
func RoundTrip(t *testing.T, enc format.Encoder, dec format.Decoder) {
	t.Helper()
	rng := rand.New(rand.NewPCG(1, 2))
	in := format.NewRows(Fields, 0)
	const n = 300
	for i := range n {
		for j, c := range in.Cols {
			if rng.IntN(8) == 0 {
				c.AppendNull()
			} else {
				c.Append(Value(t, rng, Fields[j].Type))
			}
		}
		in.N = i + 1
	}
	b := &column.Batch{Cols: in.Cols, N: n}
	out := format.NewRows(Fields, 0)
	var buf []byte
	for i := range n {
		var err error
		if buf, err = enc.Encode(buf[:0], b, i); err != nil {
			t.Fatal(err)
		}
		if err := dec.Decode(buf, out); err != nil {
			t.Fatalf("%v: %s", err, buf)
		}
		if want, got := Show(in, i), Show(out, i); want != got || out.N != i+1 {
			t.Fatalf("%s\nfrom %s\nwant %s", got, buf, want)
		}
		if len(buf) == 0 {
			continue
		}
		if err := dec.Decode(buf[:rng.IntN(len(buf))], out); err == nil {
			out.N--
			out.Undo()
		}
		for j, c := range out.Cols {
			if c.Len() != out.N {
				t.Fatalf("column %s has %d values of %d rows after an error", Fields[j].Name, c.Len(), out.N)
			}
		}
	}
}

// Show prints a row.
func Show(r *format.Rows, i int) string {
	var s []byte
	for j, c := range r.Cols {
		if c.Null(i) {
			s = append(s, "NULL|"...)
			continue
		}
		s = append(types.AppendText(s, Fields[j].Type, c.Datum(i), nil), '|')
	}
	return string(s)
}

// Value makes a random value of type typ.
func Value(t testing.TB, rng *rand.Rand, typ types.Type) types.Datum {
	t.Helper()
	day := rng.IntN(20000)
	var text string
	switch typ.OID {
	case types.OIDBool:
		text = []string{"t", "f"}[rng.IntN(2)]
	case types.OIDInt2:
		text = strconv.Itoa(rng.IntN(65536) - 32768)
	case types.OIDInt8:
		text = strconv.FormatInt(int64(rng.Uint64())>>rng.IntN(64), 10)
	case types.OIDFloat8:
		text = fmt.Sprint(rng.NormFloat64() * float64(rng.IntN(1000000)))
	case types.OIDNumeric:
		text = fmt.Sprintf("%d.%0*d", int64(rng.Uint64())>>rng.IntN(64), 1+rng.IntN(30), rng.IntN(10))
	case types.OIDText:
		words := []string{"a", "é", "\"", "\\", ",", "\n", "\t", "😀", " ", "x;y", "\x01", "\u2028"}
		var b []byte
		for range rng.IntN(6) {
			b = append(b, words[rng.IntN(len(words))]...)
		}
		text = string(b)
		if text == "" {
			text = "e"
		}
	case types.OIDTimestamp, types.OIDTimestamptz:
		return types.IntDatum(int64(day)*86400e6 + rng.Int64N(86400e6)/[]int64{1, 1000, 1000000}[rng.IntN(3)])
	case types.OIDDate:
		return types.IntDatum(int64(day))
	case types.OIDUUID:
		text = fmt.Sprintf("%08x-0000-4000-8000-%012x", rng.Uint32(), rng.Uint64()>>16)
	case types.OIDJSONB:
		text = []string{`{"a":1,"b":[true,null,"x,y"]}`, `[]`, `"s"`, `1.50`}[rng.IntN(4)]
		d, err := types.DecodeText(typ, []byte(text), nil)
		if err != nil {
			t.Fatal(err)
		}
		return d
	case types.OIDBytea:
		return types.BytesDatum([]byte{byte(rng.IntN(256)), byte(rng.IntN(256))})
	case types.OIDInterval:
		text = fmt.Sprintf("%d mon %d days %d:00:00.5", rng.IntN(30), rng.IntN(40), rng.IntN(50))
	default:
		list := []types.Datum{types.IntDatum(int64(rng.IntN(9))), types.NullDatum, types.IntDatum(-1)}[:rng.IntN(4)]
		if len(list) == 3 && rng.IntN(2) == 0 {
			return types.ArrayDatum(list, []types.Dim{{Len: 3, Lower: 1}, {Len: 1, Lower: 1}})
		}
		return types.Datum{List: list}
	}
	d, err := types.DecodeText(typ, []byte(text), nil)
	if err != nil {
		t.Fatal(err)
	}
	return d
}
