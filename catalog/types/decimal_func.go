package types

import (
	"math"
	"math/big"

	"velostream/pgwire/pgerror"
)

// Conditions of logarithms and powers.
const (
	invalidLog   = "2201E"
	invalidPower = "2201F"
)

// Sqrt returns the square root, with 16 significant digits or more; 2201F for
// negative values.
func (d Decimal) Sqrt() (Decimal, error) {
	if d.form == nan || d.form == posInf {
		return d, nil
	}
	if d.Sign() < 0 {
		return Decimal{}, pgerror.New(invalidPower, "cannot take square root of a negative number")
	}
	weight, _ := d.baseDigit()
	if d.IsZero() {
		weight = 0
	}
	return d.sqrtTo(clampScale(minSigDigits-(weight*4/2+1), d.scale)), nil
}

// sqrtTo returns the root rounded to a scale of at least half of d's.
func (d Decimal) sqrtTo(scale int32) Decimal {
	n := d.bigCoef()
	if shift := int(2*scale - d.scale); shift >= 0 {
		n = new(big.Int).Mul(n, bigPow10(shift))
	} else {
		n = new(big.Int).Quo(n, bigPow10(-shift))
	}
	s := new(big.Int).Sqrt(n)
	if rest := n.Sub(n, new(big.Int).Mul(s, s)); rest.Cmp(s) > 0 {
		s.Add(s, bigOne)
	}
	return fromBig(s, scale)
}

const log10e = 0.434294481903252

// expLimit is the argument beyond which exp is out of numeric's range.
const expLimit = 6000

// Exp returns e^d; 22003 beyond numeric's range.
func (d Decimal) Exp() (Decimal, error) {
	switch d.form {
	case nan, posInf:
		return d, nil
	case negInf:
		return Decimal{}, nil
	default:
	}
	v := min(max(d.Float64()*log10e, -2000), 2000)
	return d.expTo(clampScale(minSigDigits-int(v), d.scale))
}

func (d Decimal) expTo(scale int32) (Decimal, error) {
	v := d.Float64()
	switch {
	case v >= expLimit:
		return Decimal{}, numericOverflow()
	case v <= -expLimit:
		return Decimal{scale: scale}, nil
	}
	prec := fixedBits(int(scale) + max(int(v*log10e)+1, 0))
	return fixedToDecimal(fixedExp(d.toFixed(prec), prec), prec, scale), nil
}

// lnWeight estimates the decimal weight of ln(d), d > 0.
func (d Decimal) lnWeight() int {
	if d.Sign() <= 0 {
		return 0
	}
	one := FromInt64(1)
	if d.Cmp(NewDecimal(9, 1)) >= 0 && d.Cmp(NewDecimal(11, 1)) <= 0 {
		x, _ := d.Sub(one)
		if x.IsZero() {
			return 0
		}
		weight, first := x.baseDigit()
		return weight*4 + int(math.Log10(float64(first)))
	}
	weight, _ := d.baseDigit()
	two := d.Trunc(int32(4 * (1 - weight))) // PostgreSQL looks at two digits in base 10,000
	return int(math.Log10(math.Abs(two.log10Estimate() * math.Ln10)))
}

// Ln returns the natural logarithm; 2201E for zero and negative values.
func (d Decimal) Ln() (Decimal, error) {
	if d.form == nan || d.form == posInf {
		return d, nil
	}
	if err := d.checkLog(); err != nil {
		return Decimal{}, err
	}
	return d.lnTo(clampScale(minSigDigits-d.lnWeight(), d.scale)), nil
}

func (d Decimal) checkLog() error {
	switch d.Sign() {
	case -1:
		return pgerror.New(invalidLog, "cannot take logarithm of a negative number")
	case 0:
		return pgerror.New(invalidLog, "cannot take logarithm of zero")
	}
	return nil
}

func (d Decimal) lnTo(scale int32) Decimal {
	prec := fixedBits(int(scale))
	return fixedToDecimal(d.fixedLn(prec), prec, scale)
}

// Log10 returns the logarithm to base 10.
func (d Decimal) Log10() (Decimal, error) { return d.Log(FromInt64(10)) }

// Log returns the logarithm of d to base b; 2201E for arguments that are zero
// or negative, 22012 for base 1.
func (d Decimal) Log(b Decimal) (Decimal, error) {
	if d.form == nan || b.form == nan {
		return DecimalNaN, nil
	}
	if (d.form != finite || b.form != finite) && d.Sign() < 0 {
		return Decimal{}, d.checkLog()
	}
	if err := b.checkLog(); err != nil {
		return Decimal{}, err
	}
	if err := d.checkLog(); err != nil {
		return Decimal{}, err
	}
	if b.form == posInf {
		if d.form == posInf {
			return DecimalNaN, nil
		}
		return Decimal{}, nil
	}
	if d.form == posInf {
		return d, nil
	}
	wb, wd := b.lnWeight(), d.lnWeight()
	scale := clampScale(minSigDigits-(wd-wb), b.scale, d.scale)
	prec := fixedBits(int(scale) + max(-wb, 0)*2 + max(wd-wb, 0) + 8)
	lnB, lnD := b.fixedLn(prec), d.fixedLn(prec)
	if lnB.Sign() == 0 {
		return Decimal{}, pgerror.DivideByZero()
	}
	q := lnD.Lsh(lnD, prec)
	return fixedToDecimal(q.Quo(q, lnB), prec, scale), nil
}

// Pow returns d^e; 2201F where it is no real number, 22003 beyond numeric's
// range.
func (d Decimal) Pow(e Decimal) (Decimal, error) {
	if d.form != finite || e.form != finite {
		return powSpecial(d, e)
	}
	if d.IsZero() && e.Sign() < 0 {
		return Decimal{}, pgerror.New(invalidPower, "zero raised to a negative power is undefined")
	}
	n := e.Normal()
	if n.scale == 0 {
		if v, ok := n.Coef(); ok && fitsInt(OIDInt4, v) {
			return d.powInt(v)
		}
	}
	if d.IsZero() {
		return Decimal{scale: minSigDigits}, nil
	}
	base, negate := d, false
	if d.Sign() < 0 {
		if n.scale != 0 {
			return Decimal{}, pgerror.New(invalidPower, "a negative number raised to a non-integer power yields a complex result")
		}
		base, negate = d.Neg(), n.bigCoef().Bit(0) == 1
	}
	r, err := base.powReal(e)
	if negate {
		r = r.Neg()
	}
	return r, err
}

// powReal returns d^e for d > 0.
func (d Decimal) powReal(e Decimal) (Decimal, error) {
	w := d.lnWeight()
	low := int32(max(8-w, 0))
	ln := d.lnTo(low)
	p, _ := ln.Mul(e)
	v := p.Round(min(low, 2*maxResultScale)).Float64()
	if math.Abs(v) > expLimit*1.003333333 {
		if v > 0 {
			return Decimal{}, numericOverflow()
		}
		return Decimal{scale: maxResultScale}, nil
	}
	v *= log10e
	scale := clampScale(minSigDigits-int(v), d.scale, e.scale)
	sig := max(int(scale)+int(v), 1)
	prec := fixedBits(max(sig-w, int(scale)) + max(int(v), 0) + e.exponentAbove() + 8)
	x := d.fixedLn(prec)
	x.Mul(x, e.bigCoef()).Quo(x, bigPow10(int(e.scale)))
	limit := new(big.Int).Lsh(big.NewInt(expLimit), prec)
	if x.CmpAbs(limit) >= 0 {
		if x.Sign() > 0 {
			return Decimal{}, numericOverflow()
		}
		return Decimal{scale: scale}, nil
	}
	return fixedToDecimal(fixedExp(x, prec), prec, scale), nil
}

func (d Decimal) exponentAbove() int { return max(d.exponent(), 0) }

// powInt returns d^n by multiplication.
func (d Decimal) powInt(n int64) (Decimal, error) {
	scale := clampScale(minSigDigits, d.scale)
	f := 0.0
	if !d.IsZero() {
		f = float64(n) * d.log10Estimate()
	}
	if f > 32768*4 {
		return Decimal{}, numericOverflow()
	}
	if f+1 < -float64(scale) {
		return Decimal{scale: scale}, nil
	}
	switch {
	case n == 0:
		return FromInt64(1).rescale(scale, true), nil
	case n == 1:
		return d.rescale(scale, true), nil
	case d.IsZero():
		return Decimal{scale: scale}, nil
	case n == -1:
		return divTo(FromInt64(1), d, scale)
	}
	prec := fixedBits(int(scale)+int(math.Abs(f))+20) + 64
	p := powFloat(d, n, prec)
	if p.MantExp(nil) > 4*maxIntDigits {
		return Decimal{}, numericOverflow()
	}
	// To scale digits after the point, half away from zero.
	p.Mul(p, new(big.Float).SetPrec(prec).SetInt(bigPow10(int(scale))))
	half := big.NewFloat(0.5)
	if p.Signbit() {
		half.Neg(half)
	}
	c, _ := p.Add(p, half).Int(nil)
	return checkRange(fromBig(c, scale))
}

// powFloat returns d^n to a relative precision well beyond what is asked.
func powFloat(d Decimal, n int64, prec uint) *big.Float {
	b := new(big.Float).SetPrec(prec).SetInt(d.bigCoef())
	if d.scale > 0 {
		b.Quo(b, new(big.Float).SetPrec(prec).SetInt(bigPow10(int(d.scale))))
	}
	r := new(big.Float).SetPrec(prec).SetInt64(1)
	for m := absWord(n); m != 0; m >>= 1 {
		if m&1 == 1 {
			r.Mul(r, b)
		}
		if m > 1 {
			b.Mul(b, b)
		}
	}
	if n < 0 {
		r.Quo(new(big.Float).SetPrec(prec).SetInt64(1), r)
	}
	return r
}

// log10Estimate is log10(|d|) to the precision of a double.
func (d Decimal) log10Estimate() float64 {
	n := d.numDigits()
	if d.big == nil {
		return math.Log10(math.Abs(float64(d.coef))) - float64(d.scale)
	}
	head := d.big
	drop := max(n-18, 0)
	if drop > 0 {
		head = new(big.Int).Quo(head, bigPow10(drop))
	}
	return math.Log10(math.Abs(float64(head.Int64()))) + float64(drop) - float64(d.scale)
}

func powSpecial(d, e Decimal) (Decimal, error) {
	one := FromInt64(1)
	switch {
	case d.form == nan:
		if e.IsZero() {
			return one, nil
		}
		return DecimalNaN, nil
	case e.form == nan:
		if d.Equal(one) {
			return one, nil
		}
		return DecimalNaN, nil
	case d.IsZero() && e.Sign() < 0:
		return Decimal{}, pgerror.New(invalidPower, "zero raised to a negative power is undefined")
	case d.Sign() < 0 && e.form == finite && e.MinScale() != 0:
		return Decimal{}, pgerror.New(invalidPower, "a negative number raised to a non-integer power yields a complex result")
	case d.Equal(one) || e.IsZero():
		return one, nil
	case d.IsZero():
		return Decimal{}, nil
	case e.form != finite:
		if d.Equal(FromInt64(-1)) {
			return one, nil
		}
		if (d.Abs().Cmp(one) > 0) == (e.form == posInf) {
			return DecimalInf, nil
		}
		return Decimal{}, nil
	case d.form == posInf:
		if e.Sign() > 0 {
			return d, nil
		}
		return Decimal{}, nil
	case e.Sign() < 0:
		return Decimal{}, nil
	}
	if e.Normal().bigCoef().Bit(0) == 1 {
		return DecimalNegInf, nil
	}
	return DecimalInf, nil
}
