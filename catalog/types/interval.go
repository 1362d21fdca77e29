package types

import (
	"encoding/binary"
	"math"
	"math/bits"

	"velostream/pgwire/pgerror"
)

// Cmp orders intervals by their length, a month being 30 days and a day 24
// hours: 1 mon and 30 days are equal.
func (iv Interval) Cmp(o Interval) int {
	ah, al := iv.span()
	bh, bl := o.span()
	if ah != bh {
		return cmpInt(ah, bh)
	}
	return cmpInt(al, bl)
}

// span is the length in µs as a 128-bit two's complement number.
func (iv Interval) span() (hi int64, lo uint64) {
	days := int64(iv.Months)*30 + int64(iv.Days)
	h, l := bits.Mul64(absWord(days), MicrosPerDay)
	hi, lo = int64(h), l
	if days < 0 {
		var borrow uint64
		lo, borrow = bits.Sub64(0, lo, 0)
		hi = -hi - int64(borrow)
	}
	lo, carry := bits.Add64(lo, uint64(iv.Micros), 0)
	return hi + iv.Micros>>63 + int64(carry), lo
}

// AppendKey adds 16 bytes that are the same for equal intervals and compare as
// the intervals do.
func (iv Interval) AppendKey(dst []byte) []byte {
	hi, lo := iv.span()
	dst = binary.BigEndian.AppendUint64(dst, uint64(hi)^1<<63)
	return binary.BigEndian.AppendUint64(dst, lo)
}

// IntervalFromKey is the interval whose key b begins with, as days and µs, or with months
// where the days would be too many. !ok: there is none.
func IntervalFromKey(b []byte) (iv Interval, ok bool) {
	if len(b) < 16 {
		return iv, false
	}
	hi, lo := int64(binary.BigEndian.Uint64(b)^1<<63), binary.BigEndian.Uint64(b[8:])
	days, micros, ok := divDays(hi, lo)
	if !ok {
		return iv, false
	}
	iv.Days, iv.Micros = int32(days), micros
	if days == int64(iv.Days) {
		return iv, true
	}
	// The longest intervals need all they have: months, days and µs in turn.
	months := min(max(days/30, math.MinInt32), math.MaxInt32)
	days -= months * 30
	iv.Months, iv.Days = int32(months), int32(min(max(days, math.MinInt32), math.MaxInt32))
	days -= int64(iv.Days)
	if days > math.MaxInt64/MicrosPerDay || days < -math.MaxInt64/MicrosPerDay {
		return iv, false
	}
	iv.Micros, ok = addInt64(days*MicrosPerDay, micros)
	return iv, ok
}

// divDays splits 128-bit µs into days and the µs after them, both of one sign; not
// ok when the days do not fit what an interval can hold.
func divDays(hi int64, lo uint64) (days, micros int64, ok bool) {
	neg := hi < 0
	h, l := uint64(hi), lo
	if neg {
		var borrow uint64
		l, borrow = bits.Sub64(0, l, 0)
		h, _ = bits.Sub64(0, h, borrow)
	}
	if h >= MicrosPerDay {
		return 0, 0, false
	}
	q, r := bits.Div64(h, l, MicrosPerDay)
	if q > 1<<62 {
		return 0, 0, false
	}
	days, micros = int64(q), int64(r)
	if neg {
		days, micros = -days, -micros
	}
	return days, micros, true
}

// Add returns iv + o, part by part; 22008 on overflow.
func (iv Interval) Add(o Interval) (Interval, error) {
	m, d := int64(iv.Months)+int64(o.Months), int64(iv.Days)+int64(o.Days)
	us, ok := addInt64(iv.Micros, o.Micros)
	return intervalOf(m, d, us, ok)
}

// Sub returns iv - o.
func (iv Interval) Sub(o Interval) (Interval, error) {
	m, d := int64(iv.Months)-int64(o.Months), int64(iv.Days)-int64(o.Days)
	us := iv.Micros - o.Micros
	return intervalOf(m, d, us, (iv.Micros^o.Micros)&(iv.Micros^us) >= 0)
}

// Neg returns -iv.
func (iv Interval) Neg() (Interval, error) { return Interval{}.Sub(iv) }

func intervalOf(months, days, micros int64, ok bool) (Interval, error) {
	if !ok || months != int64(int32(months)) || days != int64(int32(days)) {
		return Interval{}, intervalOutOfRange()
	}
	return Interval{Months: int32(months), Days: int32(days), Micros: micros}, nil
}

// Mul returns iv × factor: parts of months become days, parts of days time.
func (iv Interval) Mul(factor float64) (Interval, error) {
	return iv.scale(func(v float64) float64 { return v * factor })
}

// Div returns iv / by; 22012 for 0.
func (iv Interval) Div(by float64) (Interval, error) {
	if by == 0 {
		return Interval{}, pgerror.DivideByZero()
	}
	return iv.scale(func(v float64) float64 { return v / by })
}

// roundToMicros keeps six decimals: products of decimal fractions come out whole.
func roundToMicros(v float64) float64 {
	return math.RoundToEven(v*MicrosPerSecond) / MicrosPerSecond
}

func (iv Interval) scale(f func(float64) float64) (Interval, error) {
	const secondsPerDay = 86400
	months, days := f(float64(iv.Months)), f(float64(iv.Days))
	if !fitsInt32Float(months) || !fitsInt32Float(days) {
		return Interval{}, intervalOutOfRange()
	}
	m, d := int64(months), int64(days)
	restDays := roundToMicros((months - float64(m)) * 30)
	wholeRest := float64(int64(restDays))
	seconds := roundToMicros((days - float64(d) + restDays - wholeRest) * secondsPerDay)
	if math.Abs(seconds) >= secondsPerDay {
		more := int64(seconds / secondsPerDay)
		d += more
		seconds -= float64(more * secondsPerDay)
	}
	d += int64(wholeRest)
	us := math.RoundToEven(f(float64(iv.Micros)) + seconds*MicrosPerSecond)
	if !(us >= math.MinInt64 && us < math.MaxInt64) {
		return Interval{}, intervalOutOfRange()
	}
	return intervalOf(m, d, int64(us), true)
}

func fitsInt32Float(v float64) bool { return v >= math.MinInt32 && v <= math.MaxInt32 }

// JustifyHours turns 24 hours into a day and gives days and time one sign.
func (iv Interval) JustifyHours() (Interval, error) {
	days := int64(iv.Days) + iv.Micros/MicrosPerDay
	us := iv.Micros % MicrosPerDay
	switch {
	case days > 0 && us < 0:
		days, us = days-1, us+MicrosPerDay
	case days < 0 && us > 0:
		days, us = days+1, us-MicrosPerDay
	}
	return intervalOf(int64(iv.Months), days, us, true)
}

// JustifyDays turns 30 days into a month and gives months and days one sign.
func (iv Interval) JustifyDays() (Interval, error) {
	months := int64(iv.Months) + int64(iv.Days/30)
	days := int64(iv.Days % 30)
	switch {
	case months > 0 && days < 0:
		months, days = months-1, days+30
	case months < 0 && days > 0:
		months, days = months+1, days-30
	}
	return intervalOf(months, days, iv.Micros, true)
}

// Justify does both, and gives all three parts one sign.
func (iv Interval) Justify() (Interval, error) {
	days := int64(iv.Days) + iv.Micros/MicrosPerDay
	us := iv.Micros % MicrosPerDay
	months := int64(iv.Months) + days/30
	days %= 30
	switch {
	case months > 0 && (days < 0 || days == 0 && us < 0):
		months, days = months-1, days+30
	case months < 0 && (days > 0 || days == 0 && us > 0):
		months, days = months+1, days-30
	}
	switch {
	case days > 0 && us < 0:
		days, us = days-1, us+MicrosPerDay
	case days < 0 && us > 0:
		days, us = days+1, us-MicrosPerDay
	}
	return intervalOf(months, days, us, true)
}
