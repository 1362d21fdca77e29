package expr

import (
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"

	"velostream/catalog/types"
	"velostream/storage/column"
)

// TestCompareDecimals has numbers of several scales, words and others, beside Cmp.
func TestCompareDecimals(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	number := func() types.Decimal {
		s := []string{
			"0", "1", "-1", "250.50", "250.5", "250.505", "-250.505", "NaN", "Infinity", "-Infinity", "99999999999999999999", "1e-30",
			"9223372036854775807", "922337203685477580.7", "-922337203685477580.8", "-9223372036854775808",
		}[r.IntN(16)]
		if r.IntN(2) == 0 {
			return types.NewDecimal(r.Int64N(20)-10, r.Int32N(3))
		}
		d, err := types.ParseDecimal(s)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	for range 3000 {
		n := 1 + r.IntN(9)
		numbers := func(konst bool) *column.Column {
			c := column.New(types.Numeric, n)
			for range n {
				c.Append(types.DecimalDatum(number()))
			}
			c.Const = konst
			return c
		}
		which := r.IntN(3)
		args := []*column.Column{numbers(which == 1), numbers(which == 2)}
		c := &CallContext{N: n}
		if r.IntN(2) == 0 {
			for i := range int32(n) {
				if r.IntN(2) == 0 {
					c.Sel = append(c.Sel, i)
				}
			}
			if c.Sel == nil {
				continue
			}
		}
		for op := opEq; op <= opGe; op++ {
			out := column.New(types.Bool, n)
			out.Bools = make([]bool, n)
			if err := cmpDecimals(op)(c, args, out); err != nil {
				t.Fatal(err)
			}
			passed := filterDecimals(op)(c, args, []int32{77})[1:]
			for i := range int32(n) {
				if c.Sel != nil && !slices.Contains(c.Sel, i) {
					continue
				}
				a, b := args[0].Decs[args[0].At(int(i))], args[1].Decs[args[1].At(int(i))]
				want := op.holds(a.Cmp(b))
				if out.Bools[i] != want || slices.Contains(passed, i) != want {
					t.Fatalf("%v %v %v (constant: %d): %v, filter %v", a, op, b, which, out.Bools[i], passed)
				}
			}
		}
	}
}

// TestFloatsDense has a result that is out of range, or a zero that is none, at each place.
func TestFloatsDense(t *testing.T) {
	const n = 11
	floats := func(konst bool, v float64) *column.Column {
		c := column.New(types.Float8, n)
		for range n {
			c.Append(types.FloatDatum(v))
		}
		c.Const = konst
		return c
	}
	for _, in := range []struct {
		op   byte
		a, b float64
		fits bool
	}{
		{'+', math.MaxFloat64, math.MaxFloat64, false},
		{'-', -math.MaxFloat64, math.MaxFloat64, false},
		{'*', 1e200, -1e200, false},
		{'*', 1e-200, 1e-200, false},
		{'*', 0, 5, true},
		{'+', math.Inf(1), 5, true},
		{'-', math.NaN(), 5, true},
	} {
		for shape := range 3 {
			for at := range n {
				a, b := floats(shape == 1, in.a), floats(shape == 2, in.b)
				for i := range n {
					if i != at && shape != 1 {
						a.Floats[i] = 3
					}
					if i != at && shape != 2 {
						b.Floats[i] = 2
					}
				}
				out := column.New(types.Float8, n)
				out.Floats = make([]float64, n)
				err := arithFloats(in.op, false)(&CallContext{N: n}, []*column.Column{a, b}, out)
				if (err == nil) != in.fits {
					t.Errorf("%g %c %g at %d, shape %d: %v", in.a, in.op, in.b, at, shape, err)
				}
				for i := range n {
					x, y := a.Floats[a.At(i)], b.Floats[b.At(i)]
					want := map[byte]float64{'+': x + y, '-': x - y, '*': x * y}[in.op]
					if math.Float64bits(out.Floats[i]) != math.Float64bits(want) {
						t.Fatalf("%g %c %g is %g", x, in.op, y, out.Floats[i])
					}
				}
			}
		}
	}
}

// TestIntsDense has results out of range at some places, beside arithmetic without limits.
func TestIntsDense(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for _, x := range []intRange{rangeInt2, rangeInt4, rangeInt8} {
		for range 3000 {
			n := 1 + r.IntN(9)
			args := []*column.Column{column.New(types.Int8, n), column.New(types.Int8, n)}
			for range n {
				for _, a := range args {
					v := []int64{x.lo, x.lo + 1, x.lo / 2, -1, 0, 1, x.hi / 2, x.hi/2 + 1, x.hi - 1, x.hi}[r.IntN(10)]
					if r.IntN(3) > 0 {
						v = r.Int64N(100) - 50
					}
					a.Append(types.IntDatum(v))
				}
			}
			for op, kernel := range map[string]Kernel{"+": addInts(x), "-": subInts(x)} {
				out := column.New(types.Int8, n)
				out.Ints = make([]int64, n)
				err := kernel(&CallContext{N: n}, args, out)
				fits := true
				for i := range n {
					want, b := big.NewInt(args[0].Ints[i]), big.NewInt(args[1].Ints[i])
					if op == "+" {
						want.Add(want, b)
					} else {
						want.Sub(want, b)
					}
					fits = fits && want.Cmp(big.NewInt(x.lo)) >= 0 && want.Cmp(big.NewInt(x.hi)) <= 0
					if err == nil && want.Cmp(big.NewInt(out.Ints[i])) != 0 {
						t.Fatalf("%d %s %d is %d", args[0].Ints[i], op, b, out.Ints[i])
					}
				}
				if fits != (err == nil) {
					t.Fatalf("%s %v %s %v: %v", x.name, args[0].Ints, op, args[1].Ints, err)
				}
			}
		}
	}
}
