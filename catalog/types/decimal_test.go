package types

import (
	"bytes"
	"math"
	"math/big"
	"testing"

	"pgregory.net/rapid"
)

// drawDecimal draws a finite value of up to 40 digits.
func drawDecimal(t *rapid.T, name string) Decimal {
	scale := rapid.Int32Range(0, 24).Draw(t, name+" scale")
	if rapid.Bool().Draw(t, name+" small") {
		return NewDecimal(rapid.Int64().Draw(t, name), scale)
	}
	b := new(big.Int).Mul(big.NewInt(rapid.Int64().Draw(t, name+" high")), big.NewInt(rapid.Int64().Draw(t, name+" low")))
	return NewBigDecimal(b, scale)
}

func ratOf(d Decimal) *big.Rat {
	r := new(big.Rat).SetInt(d.bigCoef())
	return r.Quo(r, new(big.Rat).SetInt(bigPow10(int(d.scale))))
}

func TestDecimalAgainstBig(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := drawDecimal(t, "a"), drawDecimal(t, "b")
		x, y := ratOf(a), ratOf(b)
		exact := func(op string, d Decimal, err error, want *big.Rat, scale int32) {
			if err != nil || ratOf(d).Cmp(want) != 0 || d.scale != scale {
				t.Fatalf("%s %s %s = %s (scale %d), %v", a, op, b, d, d.scale, err)
			}
		}
		d, err := a.Add(b)
		exact("+", d, err, new(big.Rat).Add(x, y), max(a.scale, b.scale))
		d, err = a.Sub(b)
		exact("-", d, err, new(big.Rat).Sub(x, y), max(a.scale, b.scale))
		d, err = a.Mul(b)
		exact("*", d, err, new(big.Rat).Mul(x, y), a.scale+b.scale)
		if c := a.Cmp(b); c != x.Cmp(y) {
			t.Fatalf("%s ? %s: %d", a, b, c)
		}
		if c := bytes.Compare(a.AppendKey(nil), b.AppendKey(nil)); c != x.Cmp(y) {
			t.Fatalf("keys of %s and %s: %d", a, b, c)
		}
		if !b.IsZero() {
			q, err := a.Div(b)
			if err != nil {
				t.Fatal(err)
			}
			off := new(big.Rat).Sub(ratOf(q), new(big.Rat).Quo(x, y))
			half := big.NewRat(1, 2)
			half.Quo(half, new(big.Rat).SetInt(bigPow10(int(q.scale))))
			if off.Abs(off).Cmp(half) > 0 {
				t.Fatalf("%s / %s = %s is off by %s", a, b, q, off)
			}
			// a = quotient × b + remainder
			n, err1 := a.QuoInt(b)
			r, err2 := a.Mod(b)
			if err1 != nil || err2 != nil {
				t.Fatal(err1, err2)
			}
			sum := new(big.Rat).Mul(ratOf(n), y)
			if sum.Add(sum, ratOf(r)); sum.Cmp(x) != 0 {
				t.Fatalf("%s is not %s × %s + %s", a, n, b, r)
			}
		}
	})
}

func TestDecimalEncodings(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := drawDecimal(t, "d")
		back, rest, err := DecodeCompact(d.AppendCompact(nil))
		if err != nil || len(rest) != 0 || back.String() != d.String() {
			t.Fatalf("compact: %s becomes %s, %v", d, back, err)
		}
		key := d.AppendKey(nil)
		back, rest, err = DecodeKey(append(key, 7))
		if err != nil || len(rest) != 1 || !back.Equal(d) || back.scale != d.Normal().scale {
			t.Fatalf("key: %s becomes %s, %v", d, back, err)
		}
		if back, err = decodeNumericBinary(AppendNumericBinary(nil, d)); err != nil || back.String() != d.String() {
			t.Fatalf("binary: %s becomes %s, %v", d, back, err)
		}
		if back, err = ParseDecimal(d.String()); err != nil || back.String() != d.String() || (back.big == nil) != (d.big == nil) {
			t.Fatalf("text: %s becomes %s, %v", d, back, err)
		}
		if f, _ := ratOf(d).Float64(); f != d.Float64() {
			t.Fatalf("%s as a float: %v, want %v", d, d.Float64(), f)
		}
	})
}

// TestAccumulators puts values in and takes some out, in any order, and
// compares with exact rationals.
func TestAccumulators(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var sum, half SumAcc
		var dev, devHalf VarAcc
		total, squares := new(big.Rat), new(big.Rat)
		scale, count := int32(0), int64(0)
		for i := range rapid.IntRange(0, 30).Draw(t, "n") {
			d := drawDecimal(t, "value")
			s, v := &sum, &dev
			if i%2 == 1 {
				s, v = &half, &devHalf
			}
			s.Add(d)
			v.Add(d)
			if rapid.Bool().Draw(t, "retract") {
				s.Sub(d)
				v.Sub(d)
				continue
			}
			x := ratOf(d)
			total.Add(total, x)
			squares.Add(squares, new(big.Rat).Mul(x, x))
			scale, count = max(scale, d.scale), count+1
		}
		sum.Merge(&half)
		dev.Merge(&devHalf)
		got, err := sum.Sum()
		if err != nil || ratOf(got).Cmp(total) != 0 || got.scale != scale || sum.Count() != count {
			t.Fatalf("sum %s of %d, want %s at scale %d of %d; %v", got, sum.Count(), total, scale, count, err)
		}
		sq := new(big.Rat).SetInt(dev.total())
		if sq.Quo(sq, new(big.Rat).SetInt(bigPow10(int(2*dev.sum.scale)))); sq.Cmp(squares) != 0 {
			t.Fatalf("squares %s, want %s", sq, squares)
		}
	})
}

func TestFloatKeys(t *testing.T) {
	values := []float64{math.Inf(-1), -math.MaxFloat64, -1, -math.SmallestNonzeroFloat64, 0, math.SmallestNonzeroFloat64, 1, math.MaxFloat64, math.Inf(1), math.NaN()}
	for i, a := range values {
		for j, b := range values {
			if c := cmpInt(FloatKey(a), FloatKey(b)); c != cmpInt(i, j) || c != CompareFloat(a, b) {
				t.Errorf("%v ? %v: %d", a, b, c)
			}
		}
		if back := FloatFromKey(FloatKey(a)); back != a && !math.IsNaN(a) {
			t.Errorf("%v becomes %v", a, back)
		}
	}
}
