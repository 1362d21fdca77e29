package operator

import (
	"encoding/binary"
	"math/big"
	"math/bits"

	"velostream/catalog/types"
	"velostream/storage/column"
)

// wide is a signed integer of 128 bits.
type wide struct {
	hi int64
	lo uint64
}

func wideInt(v int64) wide { return wide{v >> 63, uint64(v)} }

func (w wide) neg() wide {
	lo, b := bits.Sub64(0, w.lo, 0)
	hi, _ := bits.Sub64(0, uint64(w.hi), b)
	return wide{int64(hi), lo}
}

// add returns w + v and whether it fits.
func (w wide) add(v wide) (wide, bool) {
	lo, c := bits.Add64(w.lo, v.lo, 0)
	hi, _ := bits.Add64(uint64(w.hi), uint64(v.hi), c)
	r := wide{int64(hi), lo}
	return r, (w.hi^v.hi) < 0 || (w.hi^r.hi) >= 0
}

// mulSmall returns v × m for m ≥ 0; it always fits.
func mulSmall(v, m int64) wide {
	neg := v < 0
	u := uint64(v)
	if neg {
		u = -u
	}
	hi, lo := bits.Mul64(u, uint64(m))
	w := wide{int64(hi), lo}
	if neg {
		return w.neg()
	}
	return w
}

func (w wide) fitsInt() bool { return w.hi == int64(w.lo)>>63 }

func (w wide) big() *big.Int {
	b := big.NewInt(w.hi)
	b.Lsh(b, 64)
	return b.Add(b, new(big.Int).SetUint64(w.lo))
}

func (w wide) decimal(scale int32) types.Decimal {
	if w.fitsInt() {
		return types.NewDecimal(int64(w.lo), scale)
	}
	return types.NewBigDecimal(w.big(), scale)
}

var pow10 = func() (p [19]int64) {
	p[0] = 1
	for i := 1; i < len(p); i++ {
		p[i] = p[i-1] * 10
	}
	return p
}()

func bigPow10(n int32) *big.Int {
	return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil)
}

// decBig returns the coefficient of a finite d.
func decBig(d types.Decimal) *big.Int {
	if v, ok := d.Coef(); ok {
		return big.NewInt(v)
	}
	text := d.Append(nil)
	digits := text[:0]
	for _, x := range text {
		if x != '.' {
			digits = append(digits, x)
		}
	}
	b, _ := new(big.Int).SetString(string(digits), 10)
	return b
}

// decSums holds an exact sum of decimals per group: 128 bits at the group's scale,
// in a big.Int only where that is too small. Values leave as they came, so that the scale
// that the sum shows is the largest of those still there, as PostgreSQL's is.
type decSums struct {
	sum   []wide
	scale []int32
	at    []int64                   // how many values have just that scale; valid unless in mixed
	mixed map[int32]map[int32]int64 // groups with several scales: values per scale
	big   map[int32]*big.Int        // groups whose sum does not fit; replaces sum
	odd   map[int32]*[3]int64       // groups with NaN, Infinity, -Infinity: how many
}

func (s *decSums) grow(n int) {
	s.sum, s.scale, s.at = resize(s.sum, n), resize(s.scale, n), resize(s.at, n)
}

func (s *decSums) reset(g int32) {
	s.sum[g], s.scale[g], s.at[g] = wide{}, 0, 0
	delete(s.mixed, g)
	delete(s.big, g)
	delete(s.odd, g)
}

// addDecimal adds sign × d.
func (s *decSums) addDecimal(g int32, d types.Decimal, sign int64) {
	coef, ok := d.Coef()
	scale := d.Scale()
	if ok && scale == s.scale[g] && s.big == nil && s.mixed == nil {
		s.at[g] += sign
		if w, fits := s.sum[g].add(wideInt(coef * sign)); fits && coef != -1<<63 {
			s.sum[g] = w
			return
		}
		s.addBig(g, new(big.Int).Mul(big.NewInt(coef), big.NewInt(sign)), scale)
		return
	}
	if !d.IsFinite() {
		s.addOdd(g, d, sign)
		return
	}
	s.countScale(g, scale, sign)
	if ok && coef != -1<<63 {
		s.addWide(g, wideInt(coef*sign), scale)
		return
	}
	b := decBig(d)
	s.addBig(g, b.Mul(b, big.NewInt(sign)), scale)
}

func (s *decSums) addOdd(g int32, d types.Decimal, sign int64) {
	if s.odd == nil {
		s.odd = make(map[int32]*[3]int64)
	}
	o := s.odd[g]
	if o == nil {
		o = new([3]int64)
		s.odd[g] = o
	}
	switch {
	case d.IsNaN():
		o[0] += sign
	case d.IsInf(1):
		o[1] += sign
	default:
		o[2] += sign
	}
	if *o == [3]int64{} {
		delete(s.odd, g)
	}
}

// special returns NaN or an infinity if the sum is that.
func (s *decSums) special(g int32) (types.Decimal, bool) {
	o := s.odd[g]
	switch {
	case o == nil:
		return types.Decimal{}, false
	case o[0] > 0 || o[1] > 0 && o[2] > 0:
		return types.DecimalNaN, true
	case o[1] > 0:
		return types.DecimalInf, true
	}
	return types.DecimalNegInf, true
}

func (s *decSums) countScale(g, scale int32, sign int64) {
	m := s.mixed[g]
	if m == nil {
		if s.at[g] == 0 && s.sum[g] == (wide{}) && s.big[g] == nil {
			s.scale[g] = scale
		}
		if scale == s.scale[g] {
			s.at[g] += sign
			return
		}
		if s.mixed == nil {
			s.mixed = make(map[int32]map[int32]int64)
		}
		m = map[int32]int64{s.scale[g]: s.at[g]}
		s.mixed[g] = m
	}
	if m[scale] += sign; m[scale] == 0 {
		delete(m, scale)
	}
}

// addWide adds w × 10^-scale.
func (s *decSums) addWide(g int32, w wide, scale int32) {
	if b := s.big[g]; b == nil && w.fitsInt() {
		if scale > s.scale[g] {
			if d := scale - s.scale[g]; d < int32(len(pow10)) && s.sum[g].fitsInt() {
				s.sum[g], s.scale[g] = mulSmall(int64(s.sum[g].lo), pow10[d]), scale
			}
		}
		if d := s.scale[g] - scale; d >= 0 && d < int32(len(pow10)) {
			if d > 0 {
				w = mulSmall(int64(w.lo), pow10[d])
			}
			if r, fits := s.sum[g].add(w); fits {
				s.sum[g] = r
				return
			}
			scale = s.scale[g]
		}
	} else if b == nil && scale == s.scale[g] {
		if r, fits := s.sum[g].add(w); fits {
			s.sum[g] = r
			return
		}
	}
	s.addBig(g, w.big(), scale)
}

// addBig adds v × 10^-scale; v is used up.
func (s *decSums) addBig(g int32, v *big.Int, scale int32) {
	b := s.big[g]
	if b == nil {
		b = s.sum[g].big()
	}
	if d := scale - s.scale[g]; d > 0 {
		b.Mul(b, bigPow10(d))
		s.scale[g] = scale
	} else if d < 0 {
		v.Mul(v, bigPow10(-d))
	}
	s.setBig(g, b.Add(b, v))
}

// setBig keeps b as the sum of g, in 128 bits if it fits.
func (s *decSums) setBig(g int32, b *big.Int) {
	if b.BitLen() < 127 {
		lo := new(big.Int).And(b, new(big.Int).SetUint64(1<<64-1)).Uint64()
		s.sum[g] = wide{new(big.Int).Rsh(b, 64).Int64(), lo}
		delete(s.big, g)
		return
	}
	if s.big == nil {
		s.big = make(map[int32]*big.Int)
	}
	s.sum[g] = wide{}
	s.big[g] = b
}

// value is the sum with its display scale.
func (s *decSums) value(g int32) types.Decimal {
	if d, ok := s.special(g); ok {
		return d
	}
	show := s.scale[g]
	if m := s.mixed[g]; m != nil {
		show = 0
		for k, n := range m {
			if n > 0 {
				show = max(show, k)
			}
		}
	}
	b := s.big[g]
	if b == nil && show == s.scale[g] {
		return s.sum[g].decimal(show)
	}
	if b == nil {
		b = s.sum[g].big()
	}
	if d := s.scale[g] - show; d > 0 {
		b = new(big.Int).Quo(b, bigPow10(d)) // exact: no value left has more digits
	}
	return types.NewBigDecimal(b, show)
}

func (s *decSums) encode(dst []byte, g int32) []byte {
	flags := byte(0)
	if s.mixed[g] != nil {
		flags |= 1
	}
	if s.big[g] != nil {
		flags |= 2
	}
	if s.odd[g] != nil {
		flags |= 4
	}
	dst = binary.AppendVarint(append(dst, flags), int64(s.scale[g]))
	dst = binary.AppendVarint(dst, s.at[g])
	dst = binary.AppendVarint(dst, s.sum[g].hi)
	dst = binary.LittleEndian.AppendUint64(dst, s.sum[g].lo)
	if m := s.mixed[g]; m != nil {
		dst = binary.AppendVarint(dst, int64(len(m)))
		for k, n := range m {
			dst = binary.AppendVarint(binary.AppendVarint(dst, int64(k)), n)
		}
	}
	if b := s.big[g]; b != nil {
		t := b.Append(nil, 62)
		dst = append(binary.AppendVarint(dst, int64(len(t))), t...)
	}
	if o := s.odd[g]; o != nil {
		for _, n := range o {
			dst = binary.AppendVarint(dst, n)
		}
	}
	return dst
}

func (s *decSums) decode(b []byte, g int32) ([]byte, error) {
	if len(b) == 0 || b[0] > 7 {
		return nil, column.Corrupt("aggregate state")
	}
	flags := b[0]
	v, b, err := takeVarints(b[1:], 3)
	if err != nil {
		return nil, err
	}
	s.scale[g], s.at[g], s.sum[g].hi = int32(v[0]), v[1], v[2]
	if s.sum[g].lo, b, err = takeWord(b); err != nil {
		return nil, err
	}
	if flags&1 != 0 {
		if b, err = s.decodeMixed(b, g); err != nil {
			return nil, err
		}
	}
	if flags&2 != 0 {
		var n int64
		if n, b, err = takeVarint(b); err != nil || n < 0 || n > int64(len(b)) {
			return nil, column.Corrupt("aggregate state")
		}
		x, ok := new(big.Int).SetString(string(b[:n]), 62)
		if !ok {
			return nil, column.Corrupt("aggregate state")
		}
		s.setBig(g, x)
		b = b[n:]
	}
	if flags&4 != 0 {
		if v, b, err = takeVarints(b, 3); err != nil {
			return nil, err
		}
		if s.odd == nil {
			s.odd = make(map[int32]*[3]int64)
		}
		s.odd[g] = &[3]int64{v[0], v[1], v[2]}
	}
	return b, nil
}

func (s *decSums) decodeMixed(b []byte, g int32) ([]byte, error) {
	n, b, err := takeVarint(b)
	if err != nil || n < 0 || n > int64(len(b)) {
		return nil, column.Corrupt("aggregate state")
	}
	m := make(map[int32]int64, n)
	for range n {
		var v []int64
		if v, b, err = takeVarints(b, 2); err != nil {
			return nil, err
		}
		m[int32(v[0])] = v[1]
	}
	if s.mixed == nil {
		s.mixed = make(map[int32]map[int32]int64)
	}
	s.mixed[g] = m
	return b, nil
}

func takeVarints(b []byte, n int) ([]int64, []byte, error) {
	out := make([]int64, n)
	for k := range out {
		var err error
		if out[k], b, err = takeVarint(b); err != nil {
			return nil, nil, err
		}
	}
	return out, b, nil
}
