package types

import (
	"math"
	"math/big"
	"math/bits"
)

// Decimal is a value of numeric: coefficient × 10^-scale, NaN or ±Infinity.
// Up to 18 digits live in a machine word; beyond, in a big.Int that is never
// changed once it is in a Decimal, so Decimals copy freely. The scale is
// PostgreSQL's display scale: 1.50 and 1.5 are equal values that print apart.
// The zero Decimal is 0. Compare with Cmp or Equal, not with ==.
//
// Results and their scales are those of PostgreSQL's numeric
// (https://www.postgresql.org/docs/15/datatype-numeric.html). Safe for
// concurrent use.
type Decimal struct {
	coef  int64
	big   *big.Int // when set, the coefficient is here and coef is 0
	scale int32
	form  decimalForm
}

type decimalForm uint8

const (
	finite decimalForm = iota
	nan
	posInf
	negInf
)

// Limits of numeric: digits after the point that a value may show, digits that
// it may have before the point, and the largest scale that a division or a
// transcendental function chooses for its result.
const (
	maxScale       = 16383
	maxIntDigits   = 131072
	maxResultScale = 1000
	minSigDigits   = 16
)

// DecimalNaN, DecimalInf and DecimalNegInf are numeric's special values.
var (
	DecimalNaN    = Decimal{form: nan}
	DecimalInf    = Decimal{form: posInf}
	DecimalNegInf = Decimal{form: negInf}
)

// pow10 are the powers of ten that fit in a word.
var pow10 = [19]int64{
	1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18,
}

var (
	bigOne = big.NewInt(1)
	bigTen = big.NewInt(10)
)

// NewDecimal returns coef × 10^-scale; a negative scale gives an integer.
func NewDecimal(coef int64, scale int32) Decimal {
	if coef == math.MinInt64 || scale < 0 {
		return fromBig(big.NewInt(coef), scale)
	}
	return Decimal{coef: coef, scale: scale}
}

// NewBigDecimal returns coef × 10^-scale. coef is copied.
func NewBigDecimal(coef *big.Int, scale int32) Decimal {
	return fromBig(new(big.Int).Set(coef), scale)
}

// FromInt64 returns v as a numeric of scale 0.
func FromInt64(v int64) Decimal { return NewDecimal(v, 0) }

// fromBig takes b over and brings it to normal form: in a word if it fits.
func fromBig(b *big.Int, scale int32) Decimal {
	if scale < 0 {
		b.Mul(b, bigPow10(-int(scale)))
		scale = 0
	}
	if b.IsInt64() {
		if v := b.Int64(); v != math.MinInt64 {
			return Decimal{coef: v, scale: scale}
		}
	}
	return Decimal{big: b, scale: scale}
}

// bigPow10 returns 10^n in a big.Int of its own.
func bigPow10(n int) *big.Int {
	if n < len(pow10) {
		return big.NewInt(pow10[n])
	}
	return new(big.Int).Exp(bigTen, big.NewInt(int64(n)), nil)
}

// bigCoef returns the coefficient; the result must not be changed.
func (d Decimal) bigCoef() *big.Int {
	if d.big != nil {
		return d.big
	}
	return big.NewInt(d.coef)
}

// scaledBig returns the coefficient at a scale ≥ d's; it must not be changed.
func (d Decimal) scaledBig(scale int32) *big.Int {
	if scale == d.scale {
		return d.bigCoef()
	}
	return new(big.Int).Mul(d.bigCoef(), bigPow10(int(scale-d.scale)))
}

// Scale is how many digits d shows after the point; 0 for special values.
func (d Decimal) Scale() int32 { return d.scale }

// Coef returns the coefficient when it fits in a word, and whether it does
// (it never does for NaN and infinities).
func (d Decimal) Coef() (int64, bool) { return d.coef, d.big == nil && d.form == finite }

// Unscaled returns the coefficient in a big.Int of its own; 0 for NaN and
// infinities.
func (d Decimal) Unscaled() *big.Int { return new(big.Int).Set(d.bigCoef()) }

// IsNaN reports NaN.
func (d Decimal) IsNaN() bool { return d.form == nan }

// IsInf reports Infinity (sign > 0), -Infinity (sign < 0) or either (0).
func (d Decimal) IsInf(sign int) bool {
	return d.form == posInf && sign >= 0 || d.form == negInf && sign <= 0
}

// IsFinite reports that d is neither NaN nor infinite.
func (d Decimal) IsFinite() bool { return d.form == finite }

// IsZero reports a zero of any scale.
func (d Decimal) IsZero() bool { return d.form == finite && d.coef == 0 && d.big == nil }

// Sign is -1, 0 or 1; NaN has sign 1 here because it sorts highest.
func (d Decimal) Sign() int {
	switch d.form {
	case negInf:
		return -1
	case posInf, nan:
		return 1
	default:
	}
	if d.big != nil {
		return d.big.Sign()
	}
	switch {
	case d.coef < 0:
		return -1
	case d.coef > 0:
		return 1
	}
	return 0
}

// Cmp orders as PostgreSQL does: -Infinity, numbers, Infinity, NaN; NaN equals
// NaN; scale does not count.
func (d Decimal) Cmp(o Decimal) int {
	if d.form != finite || o.form != finite {
		return sign(rank(d.form) - rank(o.form))
	}
	if d.big == nil && o.big == nil {
		return cmpSmall(d, o)
	}
	if a, b := d.Sign(), o.Sign(); a != b {
		return sign(a - b)
	}
	s := max(d.scale, o.scale)
	return d.scaledBig(s).Cmp(o.scaledBig(s))
}

// Equal reports equal values, whatever their scales.
func (d Decimal) Equal(o Decimal) bool { return d.Cmp(o) == 0 }

// rank orders the forms.
func rank(f decimalForm) int {
	switch f {
	case negInf:
		return -1
	case posInf:
		return 1
	case nan:
		return 2
	default:
	}
	return 0
}

func cmpSmall(d, o Decimal) int {
	a, b := d.coef, o.coef
	if d.scale == o.scale {
		return cmpInt(a, b)
	}
	if sa, sb := cmpInt(a, 0), cmpInt(b, 0); sa != sb || sa == 0 {
		return cmpInt(int64(sa), int64(sb))
	}
	// Scale the coarser one up in 128 bits; more than 18 digits of difference
	// between two words of one sign are decided by the scaling alone.
	neg := a < 0
	ua, ub := absWord(a), absWord(b)
	flip := 1
	diff := o.scale - d.scale
	if diff < 0 {
		ua, ub, diff, flip = ub, ua, -diff, -1
	}
	if neg {
		flip = -flip
	}
	if diff > 18 {
		s := max(d.scale, o.scale)
		return d.scaledBig(s).Cmp(o.scaledBig(s))
	}
	hi, lo := bits.Mul64(ua, uint64(pow10[diff]))
	if hi != 0 || lo > ub {
		return flip
	}
	if lo < ub {
		return -flip
	}
	return 0
}

func cmpInt[T ~int64 | ~uint64 | ~int | ~int32](a, b T) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

func sign(v int) int { return cmpInt(v, 0) }

func absWord(v int64) uint64 {
	if v < 0 {
		return uint64(-v)
	}
	return uint64(v)
}

// digits counts the decimal digits of a word; 0 has none.
func digits(v uint64) int {
	n := bits.Len64(v) * 1233 >> 12
	if v >= pow10at(n) {
		n++
	}
	return n
}

func pow10at(n int) uint64 {
	if n < len(pow10) {
		return uint64(pow10[n])
	}
	return 1e19
}

// numDigits is how many decimal digits the coefficient has; 0 for zero.
func (d Decimal) numDigits() int {
	if d.big == nil {
		return digits(absWord(d.coef))
	}
	return bigDigits(d.big)
}

// bigDigits counts the decimal digits of |b|, b ≠ 0.
func bigDigits(b *big.Int) int {
	n := int(float64(b.BitLen()-1)*math.Log10(2)) + 1 // right, or one too low
	if b.CmpAbs(bigPow10(n)) >= 0 {
		n++
	}
	return n
}

// Precision is how many significant digits d has, leading zeros not counted.
func (d Decimal) Precision() int { return d.numDigits() }

// exponent returns e such that |d| = 0.d₁d₂… × 10^e with d₁ ≠ 0.
func (d Decimal) exponent() int { return d.numDigits() - int(d.scale) }
