package types

import (
	"encoding/binary"
	"math/big"
	"math/bits"

	"velostream/pgwire/pgerror"
)

// SumAcc is the state of SUM and AVG over numeric or integers: an exact sum
// that values can be taken out of again. 128 bits at one scale, and a big.Int
// for what does not fit. The zero SumAcc is ready. Not safe for concurrent
// use; copy with Clone.
type SumAcc struct {
	hi    int64 // the sum's two's complement, at scale
	lo    uint64
	big   *big.Int // more of the sum, at scale; nil: none
	scale int32
	count int64
	nans  int64
	pos   int64 // +Infinity
	neg   int64 // -Infinity
	// scales counts the finite values of each scale, so that the result's
	// scale is the largest of those still in.
	scales []scaleCount
}

type scaleCount struct {
	scale int32
	n     int64
}

// Add puts d in.
func (a *SumAcc) Add(d Decimal) { a.change(d, 1) }

// Sub takes d out; it must have been put in (before or later).
func (a *SumAcc) Sub(d Decimal) { a.change(d, -1) }

// AddInt64 puts an integer in.
func (a *SumAcc) AddInt64(v int64) { a.change(NewDecimal(v, 0), 1) }

// SubInt64 takes an integer out.
func (a *SumAcc) SubInt64(v int64) { a.change(NewDecimal(v, 0), -1) }

// Count is how many values are in.
func (a *SumAcc) Count() int64 { return a.count }

func (a *SumAcc) change(d Decimal, times int64) {
	a.count += times
	switch d.form {
	case nan:
		a.nans += times
		return
	case posInf:
		a.pos += times
		return
	case negInf:
		a.neg += times
		return
	default:
	}
	a.countScale(d.scale, times)
	if d.scale > a.scale {
		a.rescale(d.scale)
	}
	if d.big == nil && a.addWord(d.coef, a.scale-d.scale, times < 0) {
		return
	}
	v := new(big.Int).Set(d.scaledBig(a.scale))
	if times < 0 {
		v.Neg(v)
	}
	a.addBig(v)
}

func (a *SumAcc) countScale(scale int32, times int64) {
	for i := range a.scales {
		if a.scales[i].scale == scale {
			a.scales[i].n += times
			return
		}
	}
	a.scales = append(a.scales, scaleCount{scale, times})
}

// addWord adds ±c × 10^shift in 128 bits, if all fits.
func (a *SumAcc) addWord(c int64, shift int32, negate bool) bool {
	if shift >= int32(len(pow10)) {
		return false
	}
	hi, lo := bits.Mul64(absWord(c), uint64(pow10[shift]))
	if hi > 1<<62 {
		return false
	}
	h := int64(hi)
	if (c < 0) != negate {
		var borrow uint64
		lo, borrow = bits.Sub64(0, lo, 0)
		h = -h - int64(borrow)
	}
	sumLo, carry := bits.Add64(a.lo, lo, 0)
	sumHi := a.hi + h + int64(carry)
	if (a.hi^sumHi)&(h^sumHi) < 0 {
		return false
	}
	a.hi, a.lo = sumHi, sumLo
	return true
}

// addBig adds to the big part, which stays away when it is zero.
func (a *SumAcc) addBig(v *big.Int) {
	if a.big != nil {
		v.Add(v, a.big)
	}
	if a.big = v; v.Sign() == 0 {
		a.big = nil
	}
}

// int128 returns a 128-bit two's complement number as a big.Int.
func int128(hi int64, lo uint64) *big.Int {
	v := big.NewInt(hi)
	v.Lsh(v, 64)
	return v.Add(v, new(big.Int).SetUint64(lo))
}

// total is the sum at scale, in a big.Int of its own.
func (a *SumAcc) total() *big.Int {
	v := int128(a.hi, a.lo)
	if a.big != nil {
		v.Add(v, a.big)
	}
	return v
}

func (a *SumAcc) rescale(scale int32) {
	if a.hi != 0 || a.lo != 0 || a.big != nil {
		v := a.total()
		a.setTotal(v.Mul(v, bigPow10(int(scale-a.scale))))
	}
	a.scale = scale
}

func (a *SumAcc) setTotal(v *big.Int) {
	a.hi, a.lo, a.big = 0, 0, nil
	if v.BitLen() > 126 {
		a.big = v
		return
	}
	low := new(big.Int).And(v, new(big.Int).SetUint64(^uint64(0)))
	a.lo = low.Uint64()
	a.hi = new(big.Int).Rsh(v, 64).Int64()
}

// resultScale is the largest scale of the finite values that are in.
func (a *SumAcc) resultScale() int32 {
	s := int32(0)
	for _, c := range a.scales {
		if c.n > 0 {
			s = max(s, c.scale)
		}
	}
	return s
}

// special returns the sum if NaN or infinities decide it.
func (a *SumAcc) special() (Decimal, bool) {
	switch {
	case a.nans > 0 || a.pos > 0 && a.neg > 0:
		return DecimalNaN, true
	case a.pos > 0:
		return DecimalInf, true
	case a.neg > 0:
		return DecimalNegInf, true
	}
	return Decimal{}, false
}

// Sum returns the exact sum at the largest scale of the values; 0 when none
// are in (SQL's SUM is then NULL: see Count). 22003 beyond numeric's range.
func (a *SumAcc) Sum() (Decimal, error) {
	if d, ok := a.special(); ok {
		return d, nil
	}
	scale := a.resultScale()
	if a.big == nil && a.hi == int64(a.lo)>>63 && scale == a.scale {
		return NewDecimal(int64(a.lo), scale), nil
	}
	return checkRange(fromBig(a.total(), a.scale).rescale(scale, true))
}

// Avg returns the mean, divided as numeric divides. REQUIRES: Count() > 0.
func (a *SumAcc) Avg() (Decimal, error) {
	s, err := a.Sum()
	if err != nil {
		return s, err
	}
	return s.Div(FromInt64(a.count))
}

// Merge puts in all that is in o.
func (a *SumAcc) Merge(o *SumAcc) {
	a.count += o.count
	a.nans, a.pos, a.neg = a.nans+o.nans, a.pos+o.pos, a.neg+o.neg
	for _, c := range o.scales {
		a.countScale(c.scale, c.n)
	}
	if o.scale > a.scale {
		a.rescale(o.scale)
	}
	v := o.total()
	if o.scale < a.scale {
		v.Mul(v, bigPow10(int(a.scale-o.scale)))
	}
	a.setTotal(v.Add(v, a.total()))
}

// Clone returns a copy that shares nothing that changes.
func (a *SumAcc) Clone() SumAcc {
	c := *a
	c.scales = append([]scaleCount(nil), a.scales...)
	return c // a.big is replaced, never changed in place
}

// AppendBinary adds the state, for state tables.
func (a *SumAcc) AppendBinary(dst []byte) []byte {
	dst = binary.AppendVarint(dst, a.count)
	dst = binary.AppendVarint(dst, a.nans)
	dst = binary.AppendVarint(dst, a.pos)
	dst = binary.AppendVarint(dst, a.neg)
	n := 0
	for _, c := range a.scales {
		if c.n != 0 {
			n++
		}
	}
	dst = binary.AppendUvarint(dst, uint64(n))
	for _, c := range a.scales {
		if c.n != 0 {
			dst = binary.AppendUvarint(dst, uint64(c.scale))
			dst = binary.AppendVarint(dst, c.n)
		}
	}
	return fromBig(a.total(), a.scale).AppendCompact(dst)
}

// DecodeSumAcc reads what AppendBinary wrote at the beginning of b and returns
// it and what follows. Any bytes are safe to hand in.
func DecodeSumAcc(b []byte) (SumAcc, []byte, error) {
	var a SumAcc
	r := varintReader{b: b}
	a.count, a.nans, a.pos, a.neg = r.varint(), r.varint(), r.varint(), r.varint()
	n := r.uvarint()
	if r.bad || n > uint64(len(r.b)) {
		return SumAcc{}, nil, badState()
	}
	for range n {
		c := scaleCount{scale: int32(min(r.uvarint(), maxScale)), n: r.varint()}
		a.scales = append(a.scales, c)
	}
	if r.bad {
		return SumAcc{}, nil, badState()
	}
	d, rest, err := DecodeCompact(r.b)
	if err != nil || d.form != finite {
		return SumAcc{}, nil, badState()
	}
	a.scale = d.scale
	a.setTotal(new(big.Int).Set(d.bigCoef()))
	return a, rest, nil
}

func badState() error { return pgerror.New(pgerror.DataCorrupted, "invalid aggregate state") }

type varintReader struct {
	b   []byte
	bad bool
}

func (r *varintReader) varint() int64 {
	v, n := binary.Varint(r.b)
	if n <= 0 {
		r.bad = true
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *varintReader) uvarint() uint64 {
	v, n := binary.Uvarint(r.b)
	if n <= 0 {
		r.bad = true
		return 0
	}
	r.b = r.b[n:]
	return v
}
