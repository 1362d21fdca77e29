package operator

import (
	"encoding/binary"
	"math"

	"velostream/catalog/types"
	"velostream/pgwire/pgerror"
	"velostream/storage/column"
)

// floatSums holds a sum of floats per group as an unevaluated sum hi + lo (double-double,
// about 106 bits). Adding and taking away are exact but for what is below 2^-104 of the
// largest partial sum, so the rounded result is that of exact arithmetic for all practical
// input, in any order of rows; PostgreSQL's own depends on the order in its last digits.
// NaN and infinities are counted apart, so that they can leave again.
//
// With third set there is one more part, for sums of squares: their range is twice as
// wide, and what is left after a large value has gone must still be right.
type floatSums struct {
	hi, lo []float64
	third  bool
	rest   []float64
	odd    map[int32]*[3]int64 // NaN, Infinity, -Infinity
}

func (s *floatSums) grow(n int) {
	s.hi, s.lo = resize(s.hi, n), resize(s.lo, n)
	if s.third {
		s.rest = resize(s.rest, n)
	}
}

func (s *floatSums) reset(g int32) {
	s.hi[g], s.lo[g] = 0, 0
	if s.third {
		s.rest[g] = 0
	}
	delete(s.odd, g)
}

// twoSum returns a + b and its rounding error.
func twoSum(a, b float64) (sum, err float64) {
	sum = a + b
	t := sum - a
	return sum, (a - (sum - t)) + (b - t)
}

// add adds x + e to the sum of g.
func (s *floatSums) add(g int32, x, e float64) {
	if x-x != 0 { // NaN or infinite
		s.addOdd(g, x, 1)
		return
	}
	t, r := twoSum(s.hi[g], x)
	if !s.third {
		r += s.lo[g] + e
		s.hi[g] = t + r
		s.lo[g] = r - (s.hi[g] - t)
		return
	}
	m, r := twoSum(s.lo[g], r)
	m, e = twoSum(m, e)
	r += s.rest[g] + e
	t, m = twoSum(t, m)
	s.hi[g] = t
	s.lo[g], s.rest[g] = twoSum(m, r)
}

// take takes x + e away.
func (s *floatSums) take(g int32, x, e float64) {
	if x-x != 0 {
		s.addOdd(g, x, -1)
		return
	}
	s.add(g, -x, -e)
}

func (s *floatSums) addOdd(g int32, x float64, n int64) {
	if s.odd == nil {
		s.odd = make(map[int32]*[3]int64)
	}
	o := s.odd[g]
	if o == nil {
		o = new([3]int64)
		s.odd[g] = o
	}
	switch {
	case x != x:
		o[0] += n
	case x > 0:
		o[1] += n
	default:
		o[2] += n
	}
	if *o == [3]int64{} {
		delete(s.odd, g)
	}
}

// special returns the sum if it is NaN or infinite.
func (s *floatSums) special(g int32) (float64, bool) {
	o := s.odd[g]
	switch {
	case o == nil:
		return 0, false
	case o[0] > 0 || o[1] > 0 && o[2] > 0:
		return math.NaN(), true
	case o[1] > 0:
		return math.Inf(1), true
	}
	return math.Inf(-1), true
}

func (s *floatSums) encode(dst []byte, g int32) []byte {
	dst = binary.LittleEndian.AppendUint64(dst, math.Float64bits(s.hi[g]))
	dst = binary.LittleEndian.AppendUint64(dst, math.Float64bits(s.lo[g]))
	if s.third {
		dst = binary.LittleEndian.AppendUint64(dst, math.Float64bits(s.rest[g]))
	}
	var o [3]int64
	if p := s.odd[g]; p != nil {
		o = *p
	}
	for _, n := range o {
		dst = binary.AppendVarint(dst, n)
	}
	return dst
}

func (s *floatSums) decode(b []byte, g int32) ([]byte, error) {
	h, b, err := takeWord(b)
	if err != nil {
		return nil, err
	}
	l, b, err := takeWord(b)
	if err != nil {
		return nil, err
	}
	if s.third {
		var r uint64
		if r, b, err = takeWord(b); err != nil {
			return nil, err
		}
		s.rest[g] = math.Float64frombits(r)
	}
	v, b, err := takeVarints(b, 3)
	if err != nil {
		return nil, err
	}
	s.hi[g], s.lo[g] = math.Float64frombits(h), math.Float64frombits(l)
	if v[0]|v[1]|v[2] != 0 {
		if s.odd == nil {
			s.odd = make(map[int32]*[3]int64)
		}
		s.odd[g] = &[3]int64{v[0], v[1], v[2]}
	}
	return b, nil
}

// sumFloat is sum and avg of floats.
type sumFloat struct {
	avg bool
	out types.Type
	n   []int64
	s   floatSums
}

func (a *sumFloat) grow(n int)    { a.n = resize(a.n, n); a.s.grow(n) }
func (a *sumFloat) reset(g int32) { a.n[g] = 0; a.s.reset(g) }
func (a *sumFloat) width() int64  { return 24 }

func (a *sumFloat) update(u *update) error {
	c := u.args[0]
	if u.plain() {
		for k, g := range u.gids {
			a.n[g]++
			a.s.add(g, c.Floats[u.rows[k]], 0)
		}
		return nil
	}
	for k, g := range u.gids {
		i := int(u.rows[k])
		if c.Null(i) {
			continue
		}
		if u.sign(k) > 0 {
			a.n[g]++
			a.s.add(g, c.Floats[i], 0)
			continue
		}
		a.s.take(g, c.Floats[i], 0)
		if a.n[g]--; a.n[g] == 0 {
			a.s.reset(g)
		}
	}
	return nil
}

func (a *sumFloat) result(g int32, dst *column.Column) error {
	if a.n[g] == 0 {
		dst.AppendNull()
		return nil
	}
	v, odd := a.s.special(g)
	if !odd {
		v = a.s.hi[g]
		if a.avg {
			v = (a.s.hi[g] + a.s.lo[g]) / float64(a.n[g])
		}
		if v-v != 0 {
			return floatOverflow()
		}
	}
	if a.out.OID == types.OIDFloat4 {
		f := float32(v)
		if math.IsInf(float64(f), 0) && !math.IsInf(v, 0) {
			return floatOverflow()
		}
		v = float64(f)
	}
	dst.Floats = append(dst.Floats, v)
	return nil
}

func floatOverflow() error {
	return pgerror.New(pgerror.NumericValueOutOfRange, "value out of range: overflow")
}

func (a *sumFloat) encode(dst []byte, g int32) []byte {
	return a.s.encode(binary.AppendVarint(dst, a.n[g]), g)
}

func (a *sumFloat) decode(b []byte, g int32) (rest []byte, err error) {
	if a.n[g], rest, err = takeVarint(b); err != nil {
		return nil, err
	}
	return a.s.decode(rest, g)
}
