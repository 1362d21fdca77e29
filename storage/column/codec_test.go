package column

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"velostream/catalog/types"
	"velostream/pgwire/pgerror"
)

// everyType is a type of each Kind, and a list.
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
		return types.IntDatum([]int64{0, -1, math.MinInt64, math.MaxInt64, int64(r.Uint64())}[r.IntN(5)])
	case types.KindFloat:
		return types.FloatDatum([]float64{0, math.Copysign(0, -1), math.NaN(), math.Inf(1), math.Inf(-1), r.NormFloat64()}[r.IntN(6)])
	case types.KindDecimal:
		text := []string{"0", "0.00", "1.5", "1.50", "-1.5", "NaN", "Infinity", "-Infinity", "123456789012345678901234567890.120", "1e-30", "42"}
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
	return types.StringDatum([]string{"", "a", "a ", "ab\x00c", "\x00", "\xff", "a longer value that is not inline"}[r.IntN(7)])
}

func randomBatch(r *rand.Rand, n int) *Batch {
	b := NewBuilder(everyType(), 0)
	for range n {
		for j, t := range everyType() {
			b.Col(j).Append(randomDatum(r, t))
		}
		b.Row(Op(r.IntN(2)))
	}
	return b.Batch()
}

func same(t *testing.T, want *Batch, rows []int32, got *Batch) {
	t.Helper()
	if got.N != len(rows) {
		t.Fatalf("%d rows, want %d", got.N, len(rows))
	}
	for k, i := range rows {
		if got.Op(k) != want.Op(int(i)) {
			t.Fatalf("row %d has op %d", k, got.Op(k))
		}
		for j := range want.Cols {
			if !IdenticalAt(want.Cols[j], int(i), got.Cols[j], k) {
				t.Fatalf("row %d column %d: %v, want %v", k, j, got.Cols[j].Datum(k), want.Cols[j].Datum(int(i)))
			}
		}
	}
}

func TestCodec(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for n := range 100 {
		b := *randomBatch(r, n)
		if n%2 == 0 {
			b.Sel = []int32{}
			for i := range n {
				if r.IntN(2) == 0 {
					b.Sel = append(b.Sel, int32(i))
				}
			}
		}
		if n%3 == 0 {
			b.Ops = nil
			b.Cols[1] = Constant(types.Int8, types.IntDatum(7))
			b.Cols[5] = Constant(types.Text, types.NullDatum)
		}
		got, err := Decode(AppendEncoded(nil, &b), everyType())
		if err != nil {
			t.Fatal(err)
		}
		same(t, &b, b.Select(nil), got)
		same(t, &b, b.Select(nil), b.Clone())
	}
}

func FuzzDecode(f *testing.F) {
	r := rand.New(rand.NewPCG(1, 1))
	for n := range 5 {
		f.Add(AppendEncoded(nil, randomBatch(r, n)))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := Decode(b, everyType())
		if err != nil {
			if pgerror.Code(err) != pgerror.DataCorrupted {
				t.Fatal(err)
			}
			return
		}
		if got.N > 1<<16 { // constants only
			return
		}
		again, err := Decode(AppendEncoded(nil, got), everyType())
		if err != nil {
			t.Fatal(err)
		}
		same(t, got, got.Select(nil), again)
	})
}

// TestHashStable holds the hashes that state on disk depends on.
func TestHashStable(t *testing.T) {
	b := NewBuilder([]types.Type{types.Int8, types.Text, types.Numeric, types.Float8, types.IntervalT, types.Bool}, 1)
	d, _ := types.ParseDecimal("12.50")
	for j, v := range []types.Datum{types.IntDatum(42), types.StringDatum("BTC"), types.DecimalDatum(d), types.FloatDatum(1.5), {Iv: types.Interval{Months: 1}}, types.BoolDatum(true)} {
		b.Col(j).Append(v)
	}
	b.Row(Insert)
	want := []uint64{0x4239ca40cac39a3d, 0x969572dc63b05f7e, 0xd0b2480d0282b2b9, 0xe6db88661c2b4c94, 0x78c29ad8e64b49d2, 0xd6e8feb86659fd93}
	for j := range b.Batch().Cols {
		if h := HashRows(nil, b.Batch().Cols[j:j+1], nil, 1)[0]; h != want[j] {
			t.Errorf("column %d hashes to %#x, want %#x", j, h, want[j])
		}
	}
}

func TestHashFollowsEquality(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 1))
	b := randomBatch(r, 300)
	equal := 0
	for j, c := range b.Cols {
		h := HashRows(nil, []*Column{c}, nil, b.N)
		some := HashRows(nil, []*Column{c}, []int32{5, 7}, 0)
		if !slices.Equal(some, []uint64{h[5], h[7]}) {
			t.Fatalf("column %d: hashes depend on the selection", j)
		}
		for x := range b.N {
			for y := range x {
				if eq := EqualAt(c, x, c, y); eq {
					equal++
					if h[x] != h[y] {
						t.Fatalf("column %d: %v and %v are equal, not their hashes", j, c.Datum(x), c.Datum(y))
					}
				}
				if (CompareAt(c, x, c, y) == 0) != EqualAt(c, x, c, y) {
					t.Fatalf("column %d: compare and equal differ", j)
				}
			}
		}
	}
	if equal == 0 {
		t.Fatal("nothing was equal")
	}
}

func BenchmarkCodec(b *testing.B) {
	bl := NewBuilder([]types.Type{types.Text, types.Timestamp, types.Float8, types.Int8}, 4096)
	for i := range 4096 {
		bl.Col(0).AppendBytes([]byte("SYM001"))
		bl.Col(1).Ints, bl.Col(3).Ints = append(bl.Col(1).Ints, int64(i)), append(bl.Col(3).Ints, int64(i))
		bl.Col(2).Floats = append(bl.Col(2).Floats, float64(i))
		bl.Row(Insert)
	}
	in := bl.Batch()
	buf := AppendEncoded(nil, in)
	b.Run("encode", func(b *testing.B) {
		b.SetBytes(int64(len(buf)))
		for b.Loop() {
			buf = AppendEncoded(buf[:0], in)
		}
	})
	b.Run("decode", func(b *testing.B) {
		b.SetBytes(int64(len(buf)))
		ts := []types.Type{types.Text, types.Timestamp, types.Float8, types.Int8}
		for b.Loop() {
			if _, err := Decode(buf, ts); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// TestDecodeRetyped reads columns whose types have changed since they were written.
func TestDecodeRetyped(t *testing.T) {
	in := randomBatch(rand.New(rand.NewPCG(9, 9)), 50)
	ts := everyType()
	other := make([]types.Type, len(ts)+1)
	for i := range other {
		other[i] = ts[(i+1)%len(ts)]
	}
	got, err := DecodeFirst(AppendEncoded(nil, in), other)
	if err != nil {
		t.Fatal(err)
	}
	for i, c := range got.Cols {
		if c.Type.Kind() != ts[i].Kind() {
			t.Errorf("column %d: %s, was written as %s", i, c.Type, ts[i])
		}
		if c.Len() != in.Rows() && !c.Const {
			t.Errorf("column %d has %d rows, want %d", i, c.Len(), in.Rows())
		}
	}
	if _, err := Decode(AppendEncoded(nil, in), other[:len(ts)]); err == nil {
		t.Error("Decode takes columns of other kinds")
	}
}
