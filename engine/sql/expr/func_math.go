package expr

import (
	"math"
	"slices"

	"velostream/catalog/types"
	"velostream/pgwire/pgerror"
)

// mathFamily is the table of mathematical functions
// (https://www.postgresql.org/docs/15/functions-math.html).
func mathFamily() []Function {
	one := func(f func(float64) float64) Scalar {
		return func(_ *CallContext, a []datum) (datum, error) { return float(f(a[0].F)) }
	}
	return append(append(append(roundFamily(), powerFamily()...), trigFamily()...), table([]def{
		{sig: "abs(int2) int2", kernel: absInts(rangeInt2), doc: "absolute value"},
		{sig: "abs(int4) int4", kernel: absInts(rangeInt4), doc: "absolute value"},
		{sig: "abs(int8) int8", kernel: absInts(rangeInt8), doc: "absolute value"},
		{sig: "abs(float4) float4", kernel: mapFloats(math.Abs), doc: "absolute value"},
		{sig: "abs(float8) float8", kernel: mapFloats(math.Abs), doc: "absolute value"},
		{sig: "abs(numeric) numeric", kernel: mapDecimals(types.Decimal.Abs), doc: "absolute value"},
		{sig: "mod(int2,int2) int2", kernel: modInts(rangeInt2), doc: "remainder"},
		{sig: "mod(int4,int4) int4", kernel: modInts(rangeInt4), doc: "remainder"},
		{sig: "mod(int8,int8) int8", kernel: modInts(rangeInt8), doc: "remainder"},
		{sig: "mod(numeric,numeric) numeric", kernel: arithDecimals(types.Decimal.Mod), doc: "remainder"},
		{sig: "div(numeric,numeric) numeric", kernel: arithDecimals(types.Decimal.QuoInt), doc: "quotient, truncated to an integer"},
		{sig: "gcd(int4,int4) int4", scalar: gcd(rangeInt4), doc: "greatest common divisor"},
		{sig: "gcd(int8,int8) int8", scalar: gcd(rangeInt8), doc: "greatest common divisor"},
		{sig: "gcd(numeric,numeric) numeric", scalar: func(_ *CallContext, a []datum) (datum, error) { return dec(a[0].Dec.GCD(a[1].Dec)) }, doc: "greatest common divisor"},
		{sig: "lcm(numeric,numeric) numeric", scalar: lcmDecimal, doc: "least common multiple"},
		{sig: "lcm(int4,int4) int4", scalar: lcm(rangeInt4), doc: "least common multiple"},
		{sig: "lcm(int8,int8) int8", scalar: lcm(rangeInt8), doc: "least common multiple"},
		{sig: "sign(float8) float8", scalar: one(func(x float64) float64 { return float64(b2i(x > 0) - b2i(x < 0)) }), doc: "-1, 0 or 1"},
		{sig: "sign(numeric) numeric", scalar: signDecimal, doc: "-1, 0 or 1"},
		{sig: "factorial(int8) numeric", scalar: factorial, doc: "factorial"},
		{sig: "pi() float8", scalar: func(*CallContext, []datum) (datum, error) { return float(math.Pi) }, doc: "π"},
		{sig: "degrees(float8) float8", scalar: one(func(x float64) float64 { return x / (math.Pi / 180) }), doc: "radians to degrees"},
		{sig: "radians(float8) float8", scalar: one(func(x float64) float64 { return x * (math.Pi / 180) }), doc: "degrees to radians"},
		{sig: "random() float8", scalar: random, volatility: Volatile, doc: "random number in [0, 1)"},
		{sig: "setseed(float8) void", scalar: setSeed, volatility: Volatile, doc: "seed of the numbers that random gives next"},
		{sig: "width_bucket(float8,float8,float8,int4) int4", scalar: widthBucketFloat, doc: "number of the histogram bucket"},
		{sig: "width_bucket(numeric,numeric,numeric,int4) int4", scalar: widthBucketDecimal, doc: "number of the histogram bucket"},
		{sig: "width_bucket(anycompatible,anycompatiblearray) int4", scalar: widthBucketArray, doc: "number of the bucket with these lower bounds"},
		{sig: "scale(numeric) int4", scalar: func(_ *CallContext, a []datum) (datum, error) {
			if !a[0].Dec.IsFinite() {
				return null()
			}
			return integer(int64(a[0].Dec.Scale()))
		}, doc: "digits after the point"},
		{sig: "min_scale(numeric) int4", scalar: func(_ *CallContext, a []datum) (datum, error) {
			if !a[0].Dec.IsFinite() {
				return null()
			}
			return integer(int64(a[0].Dec.MinScale()))
		}, doc: "digits after the point that are needed"},
		{sig: "trim_scale(numeric) numeric", kernel: mapDecimals(types.Decimal.Normal), doc: "without trailing zeros after the point"},
	})...)
}

func gcdInts(x, y int64) uint64 {
	a, b := magnitude(x), magnitude(y)
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

func magnitude(x int64) uint64 {
	if x < 0 {
		return uint64(-x)
	}
	return uint64(x)
}

func gcd(r intRange) Scalar {
	return func(_ *CallContext, a []datum) (datum, error) {
		g := gcdInts(a[0].I, a[1].I)
		if g > uint64(r.hi) {
			return fail(r.out())
		}
		return integer(int64(g))
	}
}

func lcm(r intRange) Scalar {
	return func(_ *CallContext, a []datum) (datum, error) {
		if a[0].I == 0 || a[1].I == 0 {
			return integer(0)
		}
		x, y := magnitude(a[0].I)/gcdInts(a[0].I, a[1].I), magnitude(a[1].I)
		if p := x * y; p/y == x && p <= uint64(r.hi) {
			return integer(int64(p))
		}
		return fail(r.out())
	}
}

func lcmDecimal(_ *CallContext, a []datum) (datum, error) {
	x, y := a[0].Dec, a[1].Dec
	if !x.IsFinite() || !y.IsFinite() {
		return dec(x.GCD(y)) // NaN, or infinity as PostgreSQL has it
	}
	if x.IsZero() || y.IsZero() {
		return dec(types.NewDecimal(0, max(x.Scale(), y.Scale())))
	}
	q, err := x.QuoInt(x.GCD(y))
	if err != nil {
		return fail(err)
	}
	p, err := q.Mul(y)
	if err != nil {
		return fail(err)
	}
	return dec(p.Abs().Round(max(x.Scale(), y.Scale())))
}

func signDecimal(_ *CallContext, a []datum) (datum, error) {
	if a[0].Dec.IsNaN() {
		return a[0], nil
	}
	return dec(types.FromInt64(int64(a[0].Dec.Sign())))
}

// maxFactorial is the largest argument whose factorial numeric can hold.
const maxFactorial = 32177

func factorial(_ *CallContext, a []datum) (datum, error) {
	switch n := a[0].I; {
	case n < 0:
		return fail(pgerror.New(pgerror.NumericValueOutOfRange, "factorial of a negative number is undefined"))
	case n > maxFactorial:
		return fail(pgerror.New(pgerror.NumericValueOutOfRange, "value overflows numeric format"))
	}
	v := types.FromInt64(1)
	for i := int64(2); i <= a[0].I; i++ {
		var err error
		if v, err = v.Mul(types.FromInt64(i)); err != nil {
			return fail(err)
		}
	}
	return dec(v)
}

func bucketError(format string) error { return pgerror.New("2201G", "%s", format) }

func widthBucketFloat(_ *CallContext, a []datum) (datum, error) {
	x, lo, hi, n := a[0].F, a[1].F, a[2].F, a[3].I
	switch {
	case n <= 0:
		return fail(bucketError("count must be greater than zero"))
	case math.IsNaN(x) || math.IsNaN(lo) || math.IsNaN(hi):
		return fail(bucketError("operand, lower bound, and upper bound cannot be NaN"))
	case math.IsInf(lo, 0) || math.IsInf(hi, 0):
		return fail(bucketError("lower and upper bounds must be finite"))
	case lo == hi:
		return fail(bucketError("lower bound cannot equal upper bound"))
	}
	if lo > hi {
		x, lo, hi = -x, -lo, -hi
	}
	switch {
	case x < lo:
		return integer(0)
	case x >= hi:
		if n == math.MaxInt32 {
			return fail(rangeInt4.out())
		}
		return integer(n + 1)
	}
	part := float64(n) * (x - lo) / (hi - lo) // in this order; near hi it may round to n
	if math.IsInf(hi-lo, 0) || math.IsInf(float64(n)*(x-lo), 0) {
		part = float64(n) * ((x/2 - lo/2) / (hi/2 - lo/2))
	}
	return integer(int64(part) + 1)
}

func widthBucketDecimal(_ *CallContext, a []datum) (datum, error) {
	x, lo, hi, n := a[0].Dec, a[1].Dec, a[2].Dec, a[3].I
	switch {
	case n <= 0:
		return fail(bucketError("count must be greater than zero"))
	case x.IsNaN() || lo.IsNaN() || hi.IsNaN():
		return fail(bucketError("operand, lower bound, and upper bound cannot be NaN"))
	case lo.IsInf(0) || hi.IsInf(0):
		return fail(bucketError("lower and upper bounds must be finite"))
	case lo.Equal(hi):
		return fail(bucketError("lower bound cannot equal upper bound"))
	}
	if lo.Cmp(hi) > 0 {
		x, lo, hi = x.Neg(), lo.Neg(), hi.Neg()
	}
	switch {
	case x.Cmp(lo) < 0:
		return integer(0)
	case x.Cmp(hi) >= 0:
		if n == math.MaxInt32 {
			return fail(rangeInt4.out())
		}
		return integer(n + 1)
	}
	part, err := x.Sub(lo)
	if err != nil {
		return fail(err)
	}
	if part, err = part.Mul(types.FromInt64(n)); err != nil {
		return fail(err)
	}
	width, err := hi.Sub(lo)
	if err != nil {
		return fail(err)
	}
	q, err := part.Div(width) // rounded as there: near the upper bound it may be n
	if err != nil {
		return fail(err)
	}
	v, ok := q.Floor().Int64()
	if !ok || v >= math.MaxInt32 {
		return fail(rangeInt4.out())
	}
	return integer(v + 1)
}

func widthBucketArray(c *CallContext, a []datum) (datum, error) {
	t := c.Args[0]
	if a[1].NDims() > 1 {
		return fail(pgerror.New(pgerror.ArraySubscriptError, "thresholds must be one-dimensional array"))
	}
	lo, hi := 0, len(a[1].List)
	if slices.ContainsFunc(a[1].List, func(d datum) bool { return d.Null }) {
		return fail(pgerror.New(pgerror.NullValueNotAllowed, "thresholds array must not contain NULLs"))
	}
	for lo < hi {
		mid := (lo + hi) / 2
		if types.Compare(t, a[0], a[1].List[mid]) < 0 {
			hi = mid
		} else {
			lo = mid + 1
		}
	}
	return integer(int64(lo))
}
