package types

import (
	"math"
	"math/big"
)

// Fixed-point numbers for logarithms and exponentials: v × 2^-prec in a
// big.Int. Eight spare digits lie below the ones asked for, so that the last
// digit is right.

// fixedBits is the precision that holds so many decimal digits after the point.
func fixedBits(digits int) uint { return uint(float64(digits+12)*3.3219281) + 32 }

// toFixed returns d as a fixed-point number of its own.
func (d Decimal) toFixed(prec uint) *big.Int {
	v := new(big.Int).Lsh(d.bigCoef(), prec)
	return v.Quo(v, bigPow10(int(d.scale)))
}

// fixedToDecimal rounds half away from zero.
func fixedToDecimal(v *big.Int, prec uint, scale int32) Decimal {
	n := new(big.Int).Mul(v, bigPow10(int(scale)))
	return fromBig(quoRound(n, new(big.Int).Lsh(bigOne, prec)), scale)
}

// fixedLn returns ln(d), d > 0.
func (d Decimal) fixedLn(prec uint) *big.Int {
	// d = m × 2^e with m near 1; the division is done with enough bits for m
	// however small d is.
	e := int(math.Round(float64(d.bigCoef().BitLen()) - float64(d.scale)*math.Log2(10)))
	m := d.bigCoef()
	den := bigPow10(int(d.scale))
	shift := int(prec) + 8 - e
	if shift >= 0 {
		m = new(big.Int).Lsh(m, uint(shift))
	} else {
		m, den = new(big.Int).Set(m), den.Lsh(den, uint(-shift))
	}
	m.Quo(m, den)
	work := prec + 8
	// Nearer to 1 the series is shorter, and ln(1+x) keeps its digits.
	for m.Cmp(fixedFraction(4, 3, work)) > 0 {
		m.Rsh(m, 1)
		e++
	}
	for m.Cmp(fixedFraction(2, 3, work)) < 0 {
		m.Lsh(m, 1)
		e--
	}
	one := new(big.Int).Lsh(bigOne, work)
	num, sum := new(big.Int).Sub(m, one), new(big.Int).Add(m, one)
	z := num.Lsh(num, work)
	z.Quo(z, sum)
	ln := atanhSeries(z, work)
	ln.Lsh(ln, 1)
	if e != 0 {
		ln.Add(ln, new(big.Int).Mul(fixedLn2(work), big.NewInt(int64(e))))
	}
	return ln.Rsh(ln, 8)
}

func fixedFraction(n, d int64, prec uint) *big.Int {
	v := new(big.Int).Lsh(big.NewInt(n), prec)
	return v.Quo(v, big.NewInt(d))
}

// atanhSeries sums z + z³/3 + z⁵/5 + … for |z| well below 1.
func atanhSeries(z *big.Int, prec uint) *big.Int {
	sum := new(big.Int).Set(z)
	square := new(big.Int).Mul(z, z)
	square.Rsh(square, prec)
	power, term := new(big.Int).Set(z), new(big.Int)
	for k := int64(3); ; k += 2 {
		power.Mul(power, square)
		power.Quo(power, new(big.Int).Lsh(bigOne, prec))
		if power.Sign() == 0 {
			return sum
		}
		sum.Add(sum, term.Quo(power, big.NewInt(k)))
	}
}

// fixedLn2 returns ln 2 = 18 atanh(1/26) - 2 atanh(1/4801) + 8 atanh(1/8749).
func fixedLn2(prec uint) *big.Int {
	work := prec + 16
	part := func(times, of int64) *big.Int {
		v := atanhSeries(fixedFraction(1, of, work), work)
		return v.Mul(v, big.NewInt(times))
	}
	sum := part(18, 26)
	sum.Sub(sum, part(2, 4801)).Add(sum, part(8, 8749))
	return sum.Rsh(sum, 16)
}

// fixedExp returns e^x: x = n ln 2 + r, then e^r by its series for r / 2^k,
// squared k times.
func fixedExp(x *big.Int, prec uint) *big.Int {
	const halvings = 12
	work := prec + 64
	v := new(big.Int).Lsh(x, 64)
	ln2 := fixedLn2(work)
	n := new(big.Int).Div(v, ln2)
	r := v.Sub(v, new(big.Int).Mul(n, ln2))
	r.Rsh(r, halvings)
	one := new(big.Int).Lsh(bigOne, work)
	sum, term := new(big.Int).Add(one, r), new(big.Int).Set(r)
	for k := int64(2); ; k++ {
		term.Mul(term, r).Rsh(term, work)
		if term.Quo(term, big.NewInt(k)).Sign() == 0 {
			break
		}
		sum.Add(sum, term)
	}
	for range halvings {
		sum.Mul(sum, sum).Rsh(sum, work)
	}
	if s := n.Int64(); s >= 0 {
		sum.Lsh(sum, uint(s))
	} else {
		sum.Rsh(sum, uint(-s))
	}
	return sum.Rsh(sum, 64)
}
