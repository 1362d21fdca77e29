package rowenc

import (
	"bytes"
	"math"
	"math/rand/v2"
	"testing"

	"velostream/catalog/types"
	"velostream/pgwire/pgerror"
	"velostream/storage/column"
)

func everyType() []types.Type {
	list, _ := types.Numeric.Array()
	return []types.Type{types.Bool, types.Int8, types.Float8, types.Numeric, types.IntervalT, types.Text, list, types.Bpchar}
}

func randomDatum(r *rand.Rand, t types.Type) types.Datum {
	if r.IntN(5) == 0 {
		return types.NullDatum
	}
	switch t.Kind() {
	case types.KindBool:
		return types.BoolDatum(r.IntN(2) == 0)
	case types.KindInt:
		return types.IntDatum([]int64{0, -1, math.MinInt64, math.MaxInt64, int64(r.IntN(5))}[r.IntN(5)])
	case types.KindFloat:
		return types.FloatDatum([]float64{0, math.Copysign(0, -1), math.NaN(), math.Inf(1), math.Inf(-1), r.NormFloat64()}[r.IntN(6)])
	case types.KindDecimal:
		text := []string{"0", "0.00", "1.5", "1.50", "-1.5", "NaN", "Infinity", "-Infinity", "123456789012345678901234567890.120", "1e-30", "42", "-42.1"}
		d, _ := types.ParseDecimal(text[r.IntN(len(text))])
		return types.DecimalDatum(d)
	case types.KindInterval:
		return types.Datum{Iv: types.Interval{Months: int32(r.IntN(3) - 1), Days: int32(r.IntN(61) - 30), Micros: int64(r.IntN(3)-1) * 86400_000_000}}
	case types.KindList:
		e, _ := t.Elem()
		d := types.Datum{List: []types.Datum{}}
		for range r.IntN(5) {
			d.List = append(d.List, randomDatum(r, e))
		}
		n, lower := int32(len(d.List)), int32(r.IntN(4)-1)
		switch r.IntN(4) {
		case 0:
			return types.ArrayDatum(d.List, []types.Dim{{Len: n, Lower: lower}})
		case 1:
			if n%2 == 0 {
				return types.ArrayDatum(d.List, []types.Dim{{Len: 2, Lower: lower}, {Len: n / 2, Lower: 1}})
			}
			return types.ArrayDatum(d.List, []types.Dim{{Len: 1, Lower: 1}, {Len: n, Lower: lower}})
		default:
		}
		return d
	default:
	}
	return types.StringDatum([]string{"", "a", "a ", "ab\x00c", "\x00", "\xff", "b", "a longer value"}[r.IntN(8)])
}

func randomRows(r *rand.Rand, n int) *column.Batch {
	b := column.NewBuilder(everyType(), 0)
	for range n {
		for j, t := range everyType() {
			b.Col(j).Append(randomDatum(r, t))
		}
		b.Row(column.Insert)
	}
	return b.Batch()
}

// TestKeyOrder checks that keys order as values do, in all four orders.
func TestKeyOrder(t *testing.T) {
	b := randomRows(rand.New(rand.NewPCG(1, 1)), 120)
	for _, o := range []Order{{}, {Desc: true}, {NullsFirst: true}, {Desc: true, NullsFirst: true}} {
		for j, c := range b.Cols {
			for x := range b.N {
				for y := range b.N {
					kx, ky := AppendKeyColumn(nil, c, x, o), AppendKeyColumn(nil, c, y, o)
					want := column.CompareAt(c, x, c, y)
					if o.Desc {
						want = -want
					}
					if xn, yn := c.Null(x), c.Null(y); xn != yn {
						want = 1
						if xn == o.NullsFirst {
							want = -1
						}
					}
					if got := bytes.Compare(kx, ky); got != want {
						t.Fatalf("column %d %+v: %v and %v order %d, want %d", j, o, c.Datum(x), c.Datum(y), got, want)
					}
					if want != 0 && bytes.HasPrefix(ky, kx) {
						t.Fatalf("column %d: the key of %v begins with that of %v", j, c.Datum(y), c.Datum(x))
					}
				}
			}
		}
	}
}

func TestKeyRoundTrip(t *testing.T) {
	b := randomRows(rand.New(rand.NewPCG(2, 1)), 200)
	which := []int{0, 1, 2, 3, 4, 5, 6, 7}
	for _, orders := range [][]Order{nil, {{}, {Desc: true}, {Desc: true}, {Desc: true}, {NullsFirst: true}, {Desc: true, NullsFirst: true}, {Desc: true}, {}}} {
		for i := range b.N {
			var key []byte
			if orders == nil {
				key = AppendKey(nil, b.Cols, which, i)
			} else {
				key = AppendKeyOrder(nil, b.Cols, which, orders, i)
			}
			out := column.NewBuilder(everyType(), 1)
			rest, err := DecodeKey(append(key, "rest"...), out.Batch().Cols, orders)
			if err != nil || string(rest) != "rest" {
				t.Fatalf("row %d: %v, rest %q", i, err, rest)
			}
			for j, c := range b.Cols {
				if !column.EqualAt(c, i, out.Col(j), 0) {
					t.Fatalf("row %d column %d: %v, want %v", i, j, out.Col(j).Datum(0), c.Datum(i))
				}
			}
		}
	}
}

func TestRowRoundTrip(t *testing.T) {
	b := randomRows(rand.New(rand.NewPCG(3, 1)), 200)
	out := column.NewBuilder(everyType(), 0)
	for i := range b.N {
		if err := DecodeRow(AppendRow(nil, b.Cols, i), out); err != nil {
			t.Fatal(err)
		}
		out.Row(column.Insert)
		for j, c := range b.Cols {
			if !column.IdenticalAt(c, i, out.Col(j), i) {
				t.Fatalf("row %d column %d: %v, want %v", i, j, out.Col(j).Datum(i), c.Datum(i))
			}
		}
	}
}

func TestPrefixEnd(t *testing.T) {
	for in, want := range map[string]string{"a": "b", "a\xff": "b", "a\x00": "a\x01"} {
		if got := PrefixEnd([]byte(in)); string(got) != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
	if PrefixEnd([]byte{0xff}) != nil || PrefixEnd(nil) != nil {
		t.Error("nothing comes after 0xff")
	}
}

func FuzzDecodeRow(f *testing.F) {
	b := randomRows(rand.New(rand.NewPCG(4, 1)), 8)
	for i := range b.N {
		f.Add(AppendRow(nil, b.Cols, i))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		out := column.NewBuilder(everyType(), 1)
		err := DecodeRow(in, out)
		if err == nil {
			_ = AppendRow(nil, out.Batch().Cols, 0)
		} else if pgerror.Code(err) != pgerror.DataCorrupted {
			t.Fatal(err)
		}
	})
}

func FuzzDecodeKey(f *testing.F) {
	b := randomRows(rand.New(rand.NewPCG(5, 1)), 8)
	which := []int{0, 1, 2, 3, 4, 5, 6, 7}
	for i := range b.N {
		f.Add(AppendKey(nil, b.Cols, which, i))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		out := column.NewBuilder(everyType(), 1)
		rest, err := DecodeKey(in, out.Batch().Cols, nil)
		if err != nil {
			if pgerror.Code(err) != pgerror.DataCorrupted {
				t.Fatal(err)
			}
			return
		}
		again := column.NewBuilder(everyType(), 1)
		key := AppendKey(nil, out.Batch().Cols, which, 0)
		if _, err := DecodeKey(key, again.Batch().Cols, nil); err != nil {
			t.Fatalf("%x (rest %x): %v", in, rest, err)
		}
	})
}

// TestDecoder compares the columns a Decoder keeps with those of whole rows.
func TestDecoder(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	ts := append(everyType(), types.Timestamptz, types.Text)
	in := column.NewBuilder(ts, 0)
	for range 200 {
		for j, ty := range ts {
			in.Col(j).Append(randomDatum(r, ty))
		}
		in.Row(column.Insert)
	}
	cols := in.Batch().Cols
	for range 40 {
		wanted := r.Perm(len(ts))[:r.IntN(len(ts)+1)]
		d := NewDecoder(ts, wanted)
		for range 2 {
			d.Reset()
			for i := range in.Len() {
				if err := d.Append(AppendRow(nil, cols, i)); err != nil {
					t.Fatal(err)
				}
			}
			if d.Len() != in.Len() || len(d.Batch().Cols) != len(wanted) {
				t.Fatalf("%d rows of %d columns", d.Len(), len(d.Batch().Cols))
			}
			for k, j := range wanted {
				for i := range in.Len() {
					a, b := d.Batch().Cols[k], cols[j]
					if a.Null(i) != b.Null(i) || !a.Null(i) && !bytes.Equal(column.AppendValue(nil, a, i), column.AppendValue(nil, b, i)) {
						t.Fatalf("column %d, row %d", j, i)
					}
				}
			}
		}
		for cut := range 12 { // damaged rows end in an error, or in one row
			row := AppendRow(nil, cols, r.IntN(in.Len()))
			_ = NewDecoder(ts, wanted).Append(row[:min(cut*4, len(row))])
		}
	}
}
