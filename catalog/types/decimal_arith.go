package types

import (
	"math"
	"math/big"
	"math/bits"

	"velostream/pgwire/pgerror"
)

// Neg returns -d.
func (d Decimal) Neg() Decimal {
	switch d.form {
	case posInf:
		return DecimalNegInf
	case negInf:
		return DecimalInf
	case nan:
		return d
	default:
	}
	if d.big != nil {
		return Decimal{big: new(big.Int).Neg(d.big), scale: d.scale}
	}
	d.coef = -d.coef
	return d
}

// Abs returns |d|.
func (d Decimal) Abs() Decimal {
	if d.form != nan && d.Sign() < 0 {
		return d.Neg()
	}
	return d
}

// Add returns d + o at the larger scale; 22003 beyond numeric's range.
func (d Decimal) Add(o Decimal) (Decimal, error) {
	if d.form == finite && o.form == finite {
		if d.big == nil && o.big == nil {
			if r, ok := addSmall(d, o); ok {
				return r, nil
			}
		}
		s := max(d.scale, o.scale)
		return checkRange(fromBig(new(big.Int).Add(d.scaledBig(s), o.scaledBig(s)), s))
	}
	switch {
	case d.form == nan || o.form == nan:
		return DecimalNaN, nil
	case d.form == finite:
		return o, nil
	case o.form == finite || d.form == o.form:
		return d, nil
	}
	return DecimalNaN, nil
}

// Sub returns d - o at the larger scale; 22003 beyond numeric's range.
func (d Decimal) Sub(o Decimal) (Decimal, error) { return d.Add(o.Neg()) }

func addSmall(d, o Decimal) (Decimal, bool) {
	a, b, s := d.coef, o.coef, d.scale
	if d.scale != o.scale {
		var ok bool
		if d.scale < o.scale {
			s = o.scale
			a, ok = scaleWord(a, o.scale-d.scale)
		} else {
			b, ok = scaleWord(b, d.scale-o.scale)
		}
		if !ok {
			return Decimal{}, false
		}
	}
	c, ok := addInt64(a, b)
	return Decimal{coef: c, scale: s}, ok && c != math.MinInt64
}

// scaleWord returns v × 10^n, and whether it fits.
func scaleWord(v int64, n int32) (int64, bool) {
	if v == 0 {
		return 0, true
	}
	if n >= int32(len(pow10)) {
		return 0, false
	}
	hi, lo := bits.Mul64(absWord(v), uint64(pow10[n]))
	if hi != 0 || lo > math.MaxInt64 {
		return 0, false
	}
	if v < 0 {
		return -int64(lo), true
	}
	return int64(lo), true
}

// Mul returns d × o at the sum of the scales; 22003 beyond numeric's range.
func (d Decimal) Mul(o Decimal) (Decimal, error) {
	if d.form != finite || o.form != finite {
		return mulSpecial(d, o), nil
	}
	s := d.scale + o.scale
	if d.big == nil && o.big == nil && s <= maxScale {
		hi, lo := bits.Mul64(absWord(d.coef), absWord(o.coef))
		if hi == 0 && lo <= math.MaxInt64 {
			c := int64(lo)
			if (d.coef < 0) != (o.coef < 0) {
				c = -c
			}
			return Decimal{coef: c, scale: s}, nil
		}
	}
	p := new(big.Int).Mul(d.bigCoef(), o.bigCoef())
	if s > maxScale {
		p, s = roundBig(p, int(s-maxScale)), maxScale
	}
	return checkRange(fromBig(p, s))
}

func mulSpecial(d, o Decimal) Decimal {
	if d.form == nan || o.form == nan {
		return DecimalNaN
	}
	switch d.Sign() * o.Sign() {
	case 1:
		return DecimalInf
	case -1:
		return DecimalNegInf
	}
	return DecimalNaN
}

// checkRange refuses results with more digits before the point than numeric
// has.
func checkRange(d Decimal) (Decimal, error) {
	if d.big != nil && d.big.BitLen() > maxIntDigits*3 && d.exponent() > maxIntDigits {
		return Decimal{}, numericOverflow()
	}
	return d, nil
}

// baseDigit returns the weight of d's first digit in base 10,000, and that
// digit; PostgreSQL's result scales follow from them. Zero has weight 0.
func (d Decimal) baseDigit() (weight, first int) {
	n := d.numDigits()
	if n == 0 {
		return 0, 0
	}
	weight = floorDiv(n-int(d.scale)-1, 4)
	k := n - int(d.scale) - 4*weight // decimal digits in the first one
	if d.big == nil {
		u := absWord(d.coef)
		if n >= k {
			return weight, int(u / pow10at(n-k))
		}
		return weight, int(u * pow10at(k-n))
	}
	q := new(big.Int).Quo(d.big, bigPow10(n-k))
	return weight, int(q.Abs(q).Int64())
}

func floorDiv(a, b int) int {
	q := a / b
	if a%b != 0 && (a < 0) != (b < 0) {
		q--
	}
	return q
}

// divScale is the scale of d / o: at least 16 significant digits, no less than
// either scale.
func divScale(d, o Decimal) int32 {
	w1, f1 := d.baseDigit()
	w2, f2 := o.baseDigit()
	q := w1 - w2
	if f1 <= f2 {
		q--
	}
	return clampScale(minSigDigits-4*q, d.scale, o.scale)
}

func clampScale(s int, atLeast ...int32) int32 {
	for _, v := range atLeast {
		s = max(s, int(v))
	}
	return int32(min(max(s, 0), maxResultScale))
}

// Div returns d / o, rounded at the scale that PostgreSQL chooses: 22012 for
// o = 0.
func (d Decimal) Div(o Decimal) (Decimal, error) {
	if d.form != finite || o.form != finite {
		return divSpecial(d, o)
	}
	if o.IsZero() {
		return Decimal{}, pgerror.DivideByZero()
	}
	return divTo(d, o, divScale(d, o))
}

// divTo returns d / o rounded to a scale; o ≠ 0.
func divTo(d, o Decimal, scale int32) (Decimal, error) {
	shift := scale + o.scale - d.scale
	if d.big == nil && o.big == nil && shift >= 0 && shift < int32(len(pow10)) {
		b := absWord(o.coef)
		hi, lo := bits.Mul64(absWord(d.coef), uint64(pow10[shift]))
		if hi < b {
			q, r := bits.Div64(hi, lo, b)
			if r >= b-r {
				q++
			}
			if q <= math.MaxInt64 {
				c := int64(q)
				if (d.coef < 0) != (o.coef < 0) {
					c = -c
				}
				return Decimal{coef: c, scale: scale}, nil
			}
		}
	}
	n, m := d.bigCoef(), o.bigCoef()
	if shift >= 0 {
		n = new(big.Int).Mul(n, bigPow10(int(shift)))
	} else {
		m = new(big.Int).Mul(m, bigPow10(int(-shift)))
	}
	return checkRange(fromBig(quoRound(n, m), scale))
}

// quoRound returns n / m, half away from zero.
func quoRound(n, m *big.Int) *big.Int {
	q, r := new(big.Int).QuoRem(n, m, new(big.Int))
	if r.Lsh(r, 1).CmpAbs(m) >= 0 {
		if n.Sign()*m.Sign() < 0 {
			return q.Sub(q, bigOne)
		}
		return q.Add(q, bigOne)
	}
	return q
}

func divSpecial(d, o Decimal) (Decimal, error) {
	switch {
	case d.form == nan || o.form == nan:
		return DecimalNaN, nil
	case d.form == finite:
		return Decimal{}, nil
	case o.form != finite:
		return DecimalNaN, nil
	case o.IsZero():
		return Decimal{}, pgerror.DivideByZero()
	}
	return mulSpecial(d, o), nil
}

// QuoInt returns d / o cut to an integer (div()).
func (d Decimal) QuoInt(o Decimal) (Decimal, error) {
	if d.form != finite || o.form != finite {
		return divSpecial(d, o)
	}
	if o.IsZero() {
		return Decimal{}, pgerror.DivideByZero()
	}
	s := max(d.scale, o.scale)
	return checkRange(fromBig(new(big.Int).Quo(d.scaledBig(s), o.scaledBig(s)), 0))
}

// Mod returns the remainder of d / o, with the sign of d; 22012 for o = 0.
func (d Decimal) Mod(o Decimal) (Decimal, error) {
	switch {
	case d.form == nan || o.form == nan:
		return DecimalNaN, nil
	case o.IsZero():
		return Decimal{}, pgerror.DivideByZero()
	case d.form != finite:
		return DecimalNaN, nil
	case o.form != finite:
		return d, nil
	}
	s := max(d.scale, o.scale)
	if d.big == nil && o.big == nil {
		a, ok1 := scaleWord(d.coef, s-d.scale)
		b, ok2 := scaleWord(o.coef, s-o.scale)
		if ok1 && ok2 {
			return Decimal{coef: a % b, scale: s}, nil
		}
	}
	return fromBig(new(big.Int).Rem(d.scaledBig(s), o.scaledBig(s)), s), nil
}

// GCD returns the greatest common divisor, at the larger scale.
func (d Decimal) GCD(o Decimal) Decimal {
	if d.form != finite || o.form != finite {
		return DecimalNaN
	}
	s := max(d.scale, o.scale)
	a, b := new(big.Int).Abs(d.scaledBig(s)), new(big.Int).Abs(o.scaledBig(s))
	return fromBig(a.GCD(nil, nil, a, b), s)
}
