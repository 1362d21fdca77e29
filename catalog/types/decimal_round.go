package types

import (
	"math"
	"math/big"
	"strconv"

	"velostream/pgwire/pgerror"
)

// roundBig divides by 10^n, half away from zero.
func roundBig(b *big.Int, n int) *big.Int {
	if n <= 0 {
		return b
	}
	return quoRound(b, bigPow10(n))
}

// Round returns d with exactly scale digits after the point, half away from
// zero; a negative scale rounds before the point. The scale is kept between
// PostgreSQL's -131072 and 16383.
func (d Decimal) Round(scale int32) Decimal { return d.rescale(clampRound(scale), true) }

// Trunc is Round towards zero.
func (d Decimal) Trunc(scale int32) Decimal { return d.rescale(clampRound(scale), false) }

func clampRound(s int32) int32 { return min(max(s, -131072), 16383) }

func (d Decimal) rescale(scale int32, round bool) Decimal {
	if d.form != finite || scale == d.scale {
		return d
	}
	if scale > d.scale {
		if d.big == nil {
			if c, ok := scaleWord(d.coef, scale-d.scale); ok {
				return Decimal{coef: c, scale: scale}
			}
		}
		return fromBig(new(big.Int).Set(d.scaledBig(scale)), scale)
	}
	drop := int(d.scale - scale)
	if drop > d.numDigits() {
		return Decimal{scale: max(scale, 0)}
	}
	if d.big == nil {
		c := cutWord(d.coef, drop, round)
		return NewDecimal(c, scale)
	}
	if round {
		return fromBig(roundBig(d.big, drop), scale)
	}
	return fromBig(new(big.Int).Quo(d.big, bigPow10(drop)), scale)
}

// cutWord drops n digits of a word that has at least n.
func cutWord(v int64, n int, round bool) int64 {
	u := absWord(v)
	p := pow10at(n)
	q, r := u/p, u%p
	if round && r >= p-r {
		q++
	}
	if v < 0 {
		return -int64(q)
	}
	return int64(q)
}

// Floor returns the largest integer that is not above d.
func (d Decimal) Floor() Decimal {
	if d.form != finite {
		return d
	}
	t := d.rescale(0, false)
	if d.Sign() < 0 && t.Cmp(d) != 0 {
		t, _ = t.Sub(FromInt64(1))
	}
	return t
}

// Ceil returns the smallest integer that is not below d.
func (d Decimal) Ceil() Decimal {
	if d.form != finite {
		return d
	}
	t := d.rescale(0, false)
	if d.Sign() > 0 && t.Cmp(d) != 0 {
		t, _ = t.Add(FromInt64(1))
	}
	return t
}

// Normal returns d at the smallest scale that holds it: equal values have the
// same normal form.
func (d Decimal) Normal() Decimal {
	if d.scale == 0 || d.form != finite {
		return d
	}
	if d.big == nil {
		if d.coef == 0 {
			return Decimal{}
		}
		for d.scale > 0 && d.coef%10 == 0 {
			d.coef /= 10
			d.scale--
		}
		return d
	}
	return d.trimBig()
}

func (d Decimal) trimBig() Decimal {
	text := d.big.Append(nil, 10)
	n := 0
	for n < int(d.scale) && text[len(text)-1-n] == '0' {
		n++
	}
	if n == 0 {
		return d
	}
	b, _ := new(big.Int).SetString(string(text[:len(text)-n]), 10)
	return fromBig(b, d.scale-int32(n))
}

// MinScale is the smallest scale that holds d exactly.
func (d Decimal) MinScale() int32 { return d.Normal().scale }

// Int64 returns d rounded to an integer, and whether it fits.
func (d Decimal) Int64() (int64, bool) {
	if d.form != finite {
		return 0, false
	}
	r := d.rescale(0, true)
	if r.big != nil {
		if r.big.IsInt64() {
			return r.big.Int64(), true
		}
		return 0, false
	}
	return r.coef, true
}

// Float64 returns the nearest double, ±Inf beyond the range of doubles.
func (d Decimal) Float64() float64 {
	switch d.form {
	case nan:
		return math.NaN()
	case posInf:
		return math.Inf(1)
	case negInf:
		return math.Inf(-1)
	default:
	}
	if d.big == nil && d.scale <= 22 && absWord(d.coef) < 1<<53 {
		return float64(d.coef) / math.Pow10(int(d.scale)) // both exact: rounded once
	}
	v, _ := strconv.ParseFloat(d.String(), 64)
	return v
}

// FromFloat64 converts as PostgreSQL casts float8 to numeric: 15 significant
// digits, trailing zeros cut.
func FromFloat64(v float64) Decimal { return fromFloat(v, 15) }

// FromFloat32 converts as PostgreSQL casts float4 to numeric: 6 digits.
func FromFloat32(v float64) Decimal { return fromFloat(v, 6) }

func fromFloat(v float64, digits int) Decimal {
	switch {
	case math.IsNaN(v):
		return DecimalNaN
	case math.IsInf(v, 1):
		return DecimalInf
	case math.IsInf(v, -1):
		return DecimalNegInf
	}
	var buf [32]byte
	text := strconv.AppendFloat(buf[:0], v, 'g', digits, 64)
	d, _, _ := parseDecimal(string(text))
	return d
}

// Fit applies numeric(precision, scale): rounds, and refuses what has too many
// digits (22003). scale may be negative, or exceed precision.
func (d Decimal) Fit(precision, scale int32) (Decimal, error) {
	if d.form == nan {
		return d, nil
	}
	if d.form != finite {
		return d, pgerror.New(pgerror.NumericValueOutOfRange, "numeric field overflow").
			WithDetail("A field with precision %d, scale %d cannot hold an infinite value.", precision, scale)
	}
	r := d.rescale(scale, true)
	if r.numDigits() != 0 && r.exponent() > int(precision-scale) {
		e := pgerror.New(pgerror.NumericValueOutOfRange, "numeric field overflow")
		limit := "1"
		if n := precision - scale; n != 0 {
			limit = "10^" + strconv.Itoa(int(n))
		}
		return d, e.WithDetail("A field with precision %d, scale %d must round to an absolute value less than %s.", precision, scale, limit)
	}
	return r, nil
}
