package types

import (
	"math/big"
	"math/bits"
)

// VarAcc is the state of STDDEV and VARIANCE over numeric or integers: exact
// sums of the values and of their squares, from which values can be taken out
// again. The zero VarAcc is ready. Not safe for concurrent use.
type VarAcc struct {
	sum     SumAcc
	squares [3]uint64 // 192 bits, two's complement, at twice the sum's scale
	big     *big.Int  // more of it
}

// Add puts d in.
func (a *VarAcc) Add(d Decimal) { a.change(d, 1) }

// Sub takes d out.
func (a *VarAcc) Sub(d Decimal) { a.change(d, -1) }

// AddInt64 puts an integer in.
func (a *VarAcc) AddInt64(v int64) { a.change(NewDecimal(v, 0), 1) }

// SubInt64 takes an integer out.
func (a *VarAcc) SubInt64(v int64) { a.change(NewDecimal(v, 0), -1) }

// Count is how many values are in.
func (a *VarAcc) Count() int64 { return a.sum.count }

func (a *VarAcc) change(d Decimal, times int64) {
	before := a.sum.scale
	a.sum.change(d, times)
	if d.form != finite {
		return
	}
	if a.sum.scale != before {
		v := a.total()
		a.squares, a.big = [3]uint64{}, v.Mul(v, bigPow10(int(2*(a.sum.scale-before))))
	}
	if d.big == nil {
		if c, ok := scaleWord(d.coef, a.sum.scale-d.scale); ok {
			a.addSquare(absWord(c), times < 0)
			return
		}
	}
	v := d.scaledBig(a.sum.scale)
	v = new(big.Int).Mul(v, v)
	if times < 0 {
		v.Neg(v)
	}
	if a.big != nil {
		v.Add(v, a.big)
	}
	a.big = v
}

// addSquare adds ±u² in 192 bits. That overflows only after 2^65 values.
func (a *VarAcc) addSquare(u uint64, negate bool) {
	hi, lo := bits.Mul64(u, u)
	var c uint64
	if negate {
		a.squares[0], c = bits.Sub64(a.squares[0], lo, 0)
		a.squares[1], c = bits.Sub64(a.squares[1], hi, c)
		a.squares[2], _ = bits.Sub64(a.squares[2], 0, c)
		return
	}
	a.squares[0], c = bits.Add64(a.squares[0], lo, 0)
	a.squares[1], c = bits.Add64(a.squares[1], hi, c)
	a.squares[2], _ = bits.Add64(a.squares[2], 0, c)
}

// total is the sum of squares in a big.Int of its own.
func (a *VarAcc) total() *big.Int {
	v := int128(int64(a.squares[2]), a.squares[1])
	v.Lsh(v, 64).Add(v, new(big.Int).SetUint64(a.squares[0]))
	if a.big != nil {
		v.Add(v, a.big)
	}
	return v
}

// Variance returns the variance, of a sample or of the whole population, as
// PostgreSQL rounds it; ok is false where SQL's answer is NULL.
func (a *VarAcc) Variance(sample bool) (d Decimal, ok bool, err error) {
	d, _, ok, err = a.variance(sample)
	return d, ok, err
}

// Stddev returns the standard deviation: the root of Variance's result.
func (a *VarAcc) Stddev(sample bool) (d Decimal, ok bool, err error) {
	d, scale, ok, err := a.variance(sample)
	if ok && err == nil && d.form == finite && !d.IsZero() {
		d = d.sqrtTo(scale)
	}
	return d, ok, err
}

func (a *VarAcc) variance(sample bool) (d Decimal, scale int32, ok bool, err error) {
	n := a.sum.count
	if n <= 0 || sample && n == 1 {
		return Decimal{}, 0, false, nil
	}
	if a.sum.nans > 0 || a.sum.pos > 0 || a.sum.neg > 0 {
		return DecimalNaN, 0, true, nil
	}
	sum, err := a.sum.Sum()
	if err != nil {
		return Decimal{}, 0, true, err
	}
	s := sum.bigCoef()
	sq := fromBig(a.total(), 2*a.sum.scale).rescale(2*sum.scale, true)
	num := new(big.Int).Mul(sq.bigCoef(), big.NewInt(n))
	num.Sub(num, new(big.Int).Mul(s, s))
	if num.Sign() <= 0 {
		return Decimal{}, 0, true, nil
	}
	m := n
	if sample {
		m = n - 1
	}
	x := fromBig(num, 2*sum.scale)
	y := fromBig(new(big.Int).Mul(big.NewInt(n), big.NewInt(m)), 0)
	scale = divScale(x, y)
	d, err = divTo(x, y, scale)
	return d, scale, true, err
}

// Merge puts in all that is in o.
func (a *VarAcc) Merge(o *VarAcc) {
	x, y := a.total(), o.total()
	from, other := a.sum.scale, o.sum.scale
	a.sum.Merge(&o.sum)
	x.Mul(x, bigPow10(int(2*(a.sum.scale-from))))
	y.Mul(y, bigPow10(int(2*(a.sum.scale-other))))
	a.setTotal(x.Add(x, y))
}

func (a *VarAcc) setTotal(v *big.Int) {
	a.squares, a.big = [3]uint64{}, nil
	if v.Sign() < 0 || v.BitLen() > 190 {
		a.big = v
		return
	}
	var raw [24]byte
	v.FillBytes(raw[:])
	for i := range 3 {
		for _, c := range raw[16-8*i : 24-8*i] {
			a.squares[i] = a.squares[i]<<8 | uint64(c)
		}
	}
}

// Clone returns a copy that shares nothing that changes.
func (a *VarAcc) Clone() VarAcc {
	return VarAcc{sum: a.sum.Clone(), squares: a.squares, big: a.big}
}

// AppendBinary adds the state, for state tables.
func (a *VarAcc) AppendBinary(dst []byte) []byte {
	return fromBig(a.total(), 0).AppendCompact(a.sum.AppendBinary(dst))
}

// DecodeVarAcc reads what AppendBinary wrote at the beginning of b and returns
// it and what follows. Any bytes are safe to hand in.
func DecodeVarAcc(b []byte) (VarAcc, []byte, error) {
	sum, rest, err := DecodeSumAcc(b)
	if err != nil {
		return VarAcc{}, nil, err
	}
	d, rest, err := DecodeCompact(rest)
	if err != nil || d.form != finite || d.scale != 0 {
		return VarAcc{}, nil, badState()
	}
	a := VarAcc{sum: sum}
	a.setTotal(new(big.Int).Set(d.bigCoef()))
	return a, rest, nil
}
