package operator

import (
	"encoding/binary"
	"math"

	"velostream/catalog/types"
	"velostream/engine/sql/plan"
	"velostream/pgwire/pgerror"
	"velostream/storage/column"
)

// newSum makes sum and avg. Integers and numerics are summed exactly. Floats are
// summed in about twice their precision (floatSums), so that the result hardly depends
// on the order of rows and a value that leaves leaves no trace.
func newSum(a *plan.AggCall, t types.Type, avg bool) (accumulator, error) {
	switch t.Kind() {
	case types.KindInt:
		return &sumInt{avg: avg, out: a.T}, nil
	case types.KindDecimal:
		return &sumDec{avg: avg}, nil
	case types.KindFloat:
		return &sumFloat{avg: avg, out: a.T}, nil
	case types.KindInterval:
		return &sumInterval{avg: avg}, nil
	default:
	}
	return nil, pgerror.Unsupported("aggregate function %s over this type is not supported", a.Name)
}

// sumInt is sum and avg of integers, in 128 bits.
type sumInt struct {
	avg bool
	out types.Type
	n   []int64
	sum []wide
}

func (a *sumInt) grow(n int)    { a.n, a.sum = resize(a.n, n), resize(a.sum, n) }
func (a *sumInt) reset(g int32) { a.n[g], a.sum[g] = 0, wide{} }
func (a *sumInt) width() int64  { return 24 }

func (a *sumInt) update(u *update) error {
	c := u.args[0]
	if u.plain() {
		for k, g := range u.gids {
			a.n[g]++
			v, s := c.Ints[u.rows[k]], &a.sum[g]
			lo := s.lo + uint64(v)
			if lo < s.lo {
				s.hi++
			}
			s.lo, s.hi = lo, s.hi+v>>63
		}
		return nil
	}
	for k, g := range u.gids {
		i := int(u.rows[k])
		if c.Null(i) {
			continue
		}
		w := wideInt(c.Ints[i])
		if u.sign(k) < 0 {
			w = w.neg()
		}
		a.n[g] += u.sign(k)
		a.sum[g], _ = a.sum[g].add(w)
	}
	return nil
}

func (a *sumInt) result(g int32, dst *column.Column) error {
	switch {
	case a.n[g] == 0:
		dst.AppendNull()
	case a.avg:
		d, err := divide(a.sum[g].decimal(0), types.FromInt64(a.n[g]))
		if err != nil {
			return err
		}
		dst.Decs = append(dst.Decs, d)
	case a.out.Kind() == types.KindDecimal:
		dst.Decs = append(dst.Decs, a.sum[g].decimal(0))
	case !a.sum[g].fitsInt():
		return pgerror.OutOfRange("bigint")
	default:
		dst.Ints = append(dst.Ints, int64(a.sum[g].lo))
	}
	return nil
}

func (a *sumInt) encode(dst []byte, g int32) []byte {
	dst = binary.AppendVarint(binary.AppendVarint(dst, a.n[g]), a.sum[g].hi)
	return binary.LittleEndian.AppendUint64(dst, a.sum[g].lo)
}

func (a *sumInt) decode(b []byte, g int32) ([]byte, error) {
	v, b, err := takeVarints(b, 2)
	if err != nil {
		return nil, err
	}
	a.n[g], a.sum[g].hi = v[0], v[1]
	a.sum[g].lo, b, err = takeWord(b)
	return b, err
}

// sumDec is sum and avg of numeric.
type sumDec struct {
	avg bool
	n   []int64
	s   decSums
}

func (a *sumDec) grow(n int)    { a.n = resize(a.n, n); a.s.grow(n) }
func (a *sumDec) reset(g int32) { a.n[g] = 0; a.s.reset(g) }
func (a *sumDec) width() int64  { return 36 }

func (a *sumDec) update(u *update) error {
	c := u.args[0]
	for k, g := range u.gids {
		i := int(u.rows[k])
		if c.Nulls != nil && c.Nulls.Get(i) {
			continue
		}
		sign := u.sign(k)
		a.n[g] += sign
		a.s.addDecimal(g, c.Decs[i], sign)
	}
	return nil
}

func (a *sumDec) result(g int32, dst *column.Column) error {
	if a.n[g] == 0 {
		dst.AppendNull()
		return nil
	}
	v := a.s.value(g)
	if a.avg {
		var err error
		if v, err = divide(v, types.FromInt64(a.n[g])); err != nil {
			return err
		}
	}
	dst.Decs = append(dst.Decs, v)
	return nil
}

func (a *sumDec) encode(dst []byte, g int32) []byte {
	return a.s.encode(binary.AppendVarint(dst, a.n[g]), g)
}

func (a *sumDec) decode(b []byte, g int32) (rest []byte, err error) {
	if a.n[g], rest, err = takeVarint(b); err != nil {
		return nil, err
	}
	return a.s.decode(rest, g)
}

// sumInterval is sum and avg of intervals: its three parts apart, as PostgreSQL does.
type sumInterval struct {
	avg                 bool
	n                   []int64
	months, days, micro []int64
}

func (a *sumInterval) grow(n int) {
	a.n, a.months, a.days, a.micro = resize(a.n, n), resize(a.months, n), resize(a.days, n), resize(a.micro, n)
}
func (a *sumInterval) reset(g int32) { a.n[g], a.months[g], a.days[g], a.micro[g] = 0, 0, 0, 0 }
func (a *sumInterval) width() int64  { return 32 }

func (a *sumInterval) update(u *update) error {
	c := u.args[0]
	for k, g := range u.gids {
		i := int(u.rows[k])
		if c.Null(i) {
			continue
		}
		s, v := u.sign(k), c.Ivs[i]
		a.n[g] += s
		a.months[g] += s * int64(v.Months)
		a.days[g] += s * int64(v.Days)
		a.micro[g] += s * v.Micros
	}
	return nil
}

func (a *sumInterval) result(g int32, dst *column.Column) error {
	if a.n[g] == 0 {
		dst.AppendNull()
		return nil
	}
	m, d, us := a.months[g], a.days[g], a.micro[g]
	if a.avg {
		m, d, us = divideInterval(m, d, us, a.n[g])
	}
	if m != int64(int32(m)) || d != int64(int32(d)) {
		return pgerror.OutOfRange("interval")
	}
	dst.Ivs = append(dst.Ivs, types.Interval{Months: int32(m), Days: int32(d), Micros: us})
	return nil
}

// divideInterval divides, what is left of a month going to days of 30 and what is left of a
// day to µs (interval_div of PostgreSQL).
func divideInterval(m, d, us, n int64) (int64, int64, int64) {
	rm, rd := m/n, d/n
	dayRest := float64(m%n) * 30 / float64(n)
	whole := math.Trunc(dayRest)
	micros := float64(us)/float64(n) + (dayRest-whole+float64(d%n)/float64(n))*86400e6
	return rm, rd + int64(whole), int64(math.Round(micros))
}

func (a *sumInterval) encode(dst []byte, g int32) []byte {
	for _, v := range [...]int64{a.n[g], a.months[g], a.days[g], a.micro[g]} {
		dst = binary.AppendVarint(dst, v)
	}
	return dst
}

func (a *sumInterval) decode(b []byte, g int32) ([]byte, error) {
	v, b, err := takeVarints(b, 4)
	if err == nil {
		a.n[g], a.months[g], a.days[g], a.micro[g] = v[0], v[1], v[2], v[3]
	}
	return b, err
}
