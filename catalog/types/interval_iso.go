package types

import (
	"math"
	"strconv"
	"strings"

	"velostream/pgwire/pgerror"
)

// parseISOInterval reads ISO 8601's two forms: with designators, and
// P[YYYY-MM-DD]T[hh:mm:ss]. ok is false if s is neither.
func parseISOInterval(s string) (sum intervalSum, ok bool) {
	if len(s) < 2 || s[0] != 'P' {
		return intervalSum{}, false
	}
	p := isoParser{rest: s[1:], date: true}
	for p.rest != "" {
		if p.rest[0] == 'T' {
			p.date, p.fields, p.rest = false, 0, p.rest[1:]
			continue
		}
		if !p.part() {
			return intervalSum{}, false
		}
	}
	return p.sum, true
}

type isoParser struct {
	rest   string
	date   bool
	fields int // parts read without designator since P or T
	named  bool
	sum    intervalSum
}

// part reads a number and what it counts.
func (p *isoParser) part() bool {
	n := 0
	if p.rest[0] == '-' || p.rest[0] == '+' {
		n = 1
	}
	n += span(p.rest[n:], func(c byte) bool { return isDigit(c) || c == '.' })
	text := p.rest[:n]
	v, frac, ok := splitNumber(text)
	if !ok {
		return false
	}
	p.rest = p.rest[n:]
	unit := byte(0)
	if p.rest != "" {
		unit = p.rest[0]
	}
	switch {
	case p.date && (unit == '-' || (unit == 0 || unit == 'T') && !p.named):
		return p.plainDate(text, v, frac)
	case !p.date && (unit == ':' || unit == 0):
		return p.plainTime(text, v, frac)
	}
	if unit == 0 {
		return false
	}
	p.rest = p.rest[1:]
	u := isoUnit(unit, p.date)
	if u == unitNone {
		return false
	}
	p.named = true
	p.sum.addUnit(u, v, frac)
	return true
}

func isoUnit(c byte, date bool) intervalUnit {
	if date {
		switch c {
		case 'Y':
			return unitYear
		case 'M':
			return unitMonth
		case 'W':
			return unitWeek
		case 'D':
			return unitDay
		}
		return unitNone
	}
	switch c {
	case 'H':
		return unitHour
	case 'M':
		return unitMinute
	case 'S':
		return unitSecond
	}
	return unitNone
}

// plainDate takes a part of YYYY-MM-DD, or all of YYYYMMDD.
func (p *isoParser) plainDate(text string, v int64, frac float64) bool {
	if p.fields == 0 && len(text) == 8 && (p.rest == "" || p.rest[0] == 'T') {
		p.sum.addUnit(unitYear, v/10000, 0)
		p.sum.addUnit(unitMonth, v/100%100, 0)
		p.sum.addUnit(unitDay, v%100, frac)
		return true
	}
	if p.fields > 2 {
		return false
	}
	p.sum.addUnit([3]intervalUnit{unitYear, unitMonth, unitDay}[p.fields], v, frac)
	return p.next('-')
}

// plainTime takes a part of hh:mm:ss, or all of hhmmss.
func (p *isoParser) plainTime(text string, v int64, frac float64) bool {
	if whole, _, _ := strings.Cut(text, "."); p.fields == 0 && len(whole) == 6 && p.rest == "" {
		p.sum.addUnit(unitHour, v/10000, 0)
		p.sum.addUnit(unitMinute, v/100%100, 0)
		p.sum.addUnit(unitSecond, v%100, frac)
		return true
	}
	if p.fields > 2 {
		return false
	}
	p.sum.addUnit([3]intervalUnit{unitHour, unitMinute, unitSecond}[p.fields], v, frac)
	return p.next(':')
}

func (p *isoParser) next(sep byte) bool {
	p.fields++
	if p.rest != "" && p.rest[0] == sep {
		p.rest = p.rest[1:]
		return p.rest != ""
	}
	return p.rest == "" || p.rest[0] == 'T'
}

// splitNumber splits a signed decimal number into its whole and its part.
func splitNumber(text string) (int64, float64, bool) {
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || math.Abs(f) > math.MaxInt64/2 {
		return 0, 0, false
	}
	whole, part, has := strings.Cut(text, ".")
	v, _ := strconv.ParseInt(whole, 10, 64)
	frac := 0.0
	if has && part != "" {
		if frac, err = strconv.ParseFloat("0."+part, 64); err != nil {
			return 0, 0, false
		}
		if text[0] == '-' {
			frac = -frac
		}
	}
	return v, frac, true
}

// intervalFieldSet is the restriction of an interval type: bits as in
// PostgreSQL's modifier (its upper half), all bits set for none.
type intervalFieldSet uint16

// Bits of interval fields.
const (
	IntervalMonth  = 1 << 1
	IntervalYear   = 1 << 2
	IntervalDay    = 1 << 3
	IntervalHour   = 1 << 10
	IntervalMinute = 1 << 11
	IntervalSecond = 1 << 12
	// IntervalFull means no restriction of fields.
	IntervalFull = 0x7FFF
)

// intervalFullPrecision means no restriction of the fraction.
const intervalFullPrecision = 0xFFFF

func intervalFields(mod int32) intervalFieldSet {
	if mod < 0 {
		return IntervalFull
	}
	return intervalFieldSet(mod >> 16 & IntervalFull)
}

func (s intervalFieldSet) minuteToSecond() bool { return s == IntervalMinute|IntervalSecond }

// lowest is the unit of a number without one at the end.
func (s intervalFieldSet) lowest() intervalUnit {
	switch {
	case s&IntervalSecond != 0:
		return unitSecond
	case s&IntervalMinute != 0:
		return unitMinute
	case s&IntervalHour != 0:
		return unitHour
	case s&IntervalDay != 0:
		return unitDay
	case s&IntervalMonth != 0:
		return unitMonth
	case s&IntervalYear != 0:
		return unitYear
	}
	return unitSecond
}

// coerceInterval applies an interval type's modifier: fields below the lowest
// named are cut off, the fraction is rounded.
func coerceInterval(mod int32, iv Interval) (Interval, error) {
	if mod < 0 {
		return iv, nil
	}
	fields, precision := intervalFields(mod), mod&0xFFFF
	if fields != IntervalFull {
		switch fields.lowest() {
		case unitYear:
			iv = Interval{Months: iv.Months / 12 * 12}
		case unitMonth:
			iv = Interval{Months: iv.Months}
		case unitDay:
			iv.Micros = 0
		case unitHour:
			iv.Micros = iv.Micros / MicrosPerHour * MicrosPerHour
		case unitMinute:
			iv.Micros = iv.Micros / MicrosPerMinute * MicrosPerMinute
		default:
		}
	}
	if precision != intervalFullPrecision && precision < 6 {
		v, ok := roundMicros(iv.Micros, int(precision))
		if !ok {
			return Interval{}, pgerror.New(pgerror.DatetimeFieldOverflow, "interval out of range")
		}
		iv.Micros = v
	}
	return iv, nil
}

// roundMicros rounds to so many digits of a second, half away from zero.
func roundMicros(v int64, precision int) (int64, bool) {
	unit := pow10[6-precision]
	half := unit / 2
	if v < 0 {
		half = -half
	}
	s, ok := addInt64(v, half)
	return s / unit * unit, ok
}
