package types

import (
	"errors"
	"math"
	"slices"
	"strconv"
	"strings"

	"velostream/pgwire/pgerror"
)

// intervalUnit is a unit of an interval literal.
type intervalUnit uint8

const (
	unitNone intervalUnit = iota
	unitMicrosecond
	unitMillisecond
	unitSecond
	unitMinute
	unitHour
	unitDay
	unitWeek
	unitMonth
	unitYear
	unitDecade
	unitCentury
	unitMillennium
	unitAgo
)

// intervalUnits has words cut to ten letters, which is how far PostgreSQL looks.
var intervalUnits = map[string]intervalUnit{
	"us": unitMicrosecond, "usec": unitMicrosecond, "usecs": unitMicrosecond, "usecond": unitMicrosecond,
	"useconds": unitMicrosecond, "microsecon": unitMicrosecond,
	"ms": unitMillisecond, "msec": unitMillisecond, "msecs": unitMillisecond, "msecond": unitMillisecond,
	"mseconds": unitMillisecond, "millisecon": unitMillisecond,
	"s": unitSecond, "sec": unitSecond, "secs": unitSecond, "second": unitSecond, "seconds": unitSecond,
	"m": unitMinute, "min": unitMinute, "mins": unitMinute, "minute": unitMinute, "minutes": unitMinute,
	"h": unitHour, "hr": unitHour, "hrs": unitHour, "hour": unitHour, "hours": unitHour,
	"d": unitDay, "day": unitDay, "days": unitDay, "w": unitWeek, "week": unitWeek, "weeks": unitWeek,
	"mon": unitMonth, "mons": unitMonth, "month": unitMonth, "months": unitMonth,
	"y": unitYear, "yr": unitYear, "yrs": unitYear, "year": unitYear, "years": unitYear,
	"dec": unitDecade, "decs": unitDecade, "decade": unitDecade, "decades": unitDecade,
	"c": unitCentury, "cent": unitCentury, "century": unitCentury, "centuries": unitCentury,
	"mil": unitMillennium, "mils": unitMillennium, "millennium": unitMillennium, "millennia": unitMillennium,
	"ago": unitAgo,
}

// ParseInterval reads an interval in any of PostgreSQL's forms: `1 year 2 mons
// 3 days 04:05:06.7`, `@ 3 days ago`, ISO 8601 (`P1Y2M3DT4H`, `P0001-02-03T…`),
// and the SQL standard's (`1-2 3 4:05:06`).
func ParseInterval(s string, f *Format) (Interval, error) { return parseInterval(s, -1, f) }

func parseInterval(s string, mod int32, f *Format) (Interval, error) {
	p := &intervalParser{src: s, typ: unitNone, fields: intervalFields(mod)}
	if len(s) > 1024 {
		return Interval{}, p.bad()
	}
	var buf [8]dateField
	fields, ok := splitDateFields(s, buf[:0])
	err := p.bad()
	if ok && len(fields) > 0 {
		err = p.read(fields, f.Intervals() == IntervalSQL)
	}
	if p.malformed(err) {
		if sum, ok := parseISOInterval(trimSpace(s)); ok {
			if sum.over {
				return Interval{}, p.overflow()
			}
			return sum.interval()
		}
	}
	if err != nil {
		return Interval{}, err
	}
	return p.out.interval()
}

// intervalSum adds up the parts of an interval and notes overflow.
type intervalSum struct {
	years, months, days int64
	micros              int64
	over                bool
}

func (a *intervalSum) interval() (Interval, error) {
	return intervalOf(a.years*12+a.months, a.days, a.micros, !a.over)
}

func intervalOutOfRange() error {
	return pgerror.New(pgerror.DatetimeFieldOverflow, "interval out of range")
}

// add adds v units of size micros, and frac of one, to the nearest µs.
func (a *intervalSum) add(v int64, frac float64, micros int64) {
	hi, ok := mulInt64(v, micros)
	sum, ok2 := addInt64(a.micros, hi)
	a.micros, a.over = sum, a.over || !ok || !ok2
	a.addFraction(frac, micros)
}

func (a *intervalSum) addFraction(frac float64, micros int64) {
	if frac == 0 {
		return
	}
	frac *= float64(micros)
	us := int64(frac)
	switch frac -= float64(us); {
	case frac > 0.5:
		us++
	case frac < -0.5:
		us--
	}
	sum, ok := addInt64(a.micros, us)
	a.micros, a.over = sum, a.over || !ok
}

// addDays adds v×size days, and frac of size: whole days, the rest as time.
func (a *intervalSum) addDays(v int64, frac float64, size int64) {
	a.days = addLimited(a.days, v, size, &a.over)
	if frac == 0 {
		return
	}
	frac *= float64(size)
	whole := int64(frac)
	a.days = addLimited(a.days, whole, 1, &a.over)
	a.addFraction(frac-float64(whole), MicrosPerDay)
}

// addMonths adds v×size months; the part of a year is rounded to months, the
// part of a month goes to days.
func (a *intervalSum) addMonths(v int64, frac float64, size int64) {
	if size > 1 {
		a.years = addLimited(a.years, v, size/12, &a.over)
		a.months = addLimited(a.months, int64(math.RoundToEven(frac*float64(size))), 1, &a.over)
		return
	}
	a.months = addLimited(a.months, v, 1, &a.over)
	a.addDays(0, frac, 30)
}

// addLimited returns a + v×size, noting what leaves 32 bits.
func addLimited(a, v, size int64, over *bool) int64 {
	p, ok := mulInt64(v, size)
	s, ok2 := addInt64(a, p)
	if !ok || !ok2 || s != int64(int32(s)) {
		*over = true
		return 0
	}
	return s
}

func (a *intervalSum) addUnit(u intervalUnit, v int64, frac float64) {
	switch u {
	case unitMicrosecond:
		a.add(v, frac, 1)
	case unitMillisecond:
		a.add(v, frac, 1000)
	case unitSecond:
		a.add(v, frac, MicrosPerSecond)
	case unitMinute:
		a.add(v, frac, MicrosPerMinute)
	case unitHour:
		a.add(v, frac, MicrosPerHour)
	case unitDay:
		a.addDays(v, frac, 1)
	case unitWeek:
		a.addDays(v, frac, 7)
	case unitMonth:
		a.addMonths(v, frac, 1)
	case unitYear:
		a.addMonths(v, frac, 12)
	case unitDecade:
		a.addMonths(v, frac, 120)
	case unitCentury:
		a.addMonths(v, frac, 1200)
	case unitMillennium:
		a.addMonths(v, frac, 12000)
	default:
	}
}

// intervalParser reads the fields from the right: a unit stands behind its
// number.
type intervalParser struct {
	src    string
	typ    intervalUnit
	fields intervalFieldSet
	out    intervalSum
	seen   uint32 // units that were given
	neg    bool   // SQL standard: the leading sign is everyone's
	ago    bool
}

func (p *intervalParser) bad() error {
	return pgerror.New(pgerror.InvalidDatetimeFormat, "invalid input syntax for type interval: \"%s\"", p.src)
}

func (p *intervalParser) malformed(err error) bool {
	e := &pgerror.Error{}
	ok := errors.As(err, &e)
	return ok && e.Code == pgerror.InvalidDatetimeFormat
}

func (p *intervalParser) overflow() error {
	return pgerror.New("22015", "interval field value out of range: \"%s\"", p.src)
}

func (p *intervalParser) read(fields []dateField, sqlStandard bool) error {
	if sqlStandard && fields[0].text[0] == '-' {
		p.neg = true
		for _, f := range fields[1:] {
			if f.text[0] == '-' || f.text[0] == '+' {
				p.neg = false
			}
		}
	}
	for _, field := range slices.Backward(fields) {
		if err := p.field(field); err != nil {
			return err
		}
	}
	if p.seen == 0 {
		return p.bad()
	}
	if p.out.over {
		return p.overflow()
	}
	if p.ago {
		if p.out.micros == math.MinInt64 || p.out.days == math.MinInt32 || p.out.months == math.MinInt32 || p.out.years == math.MinInt32 {
			return p.overflow()
		}
		p.out = intervalSum{years: -p.out.years, months: -p.out.months, days: -p.out.days, micros: -p.out.micros}
	}
	return nil
}

const timeUnits = 1<<unitHour | 1<<unitMinute | 1<<unitSecond | 1<<unitMillisecond | 1<<unitMicrosecond

func (p *intervalParser) field(f dateField) error {
	switch f.kind {
	case fieldTime:
		return p.time(f.text, p.neg)
	case fieldZone:
		if strings.IndexByte(f.text, ':') > 0 && p.time(f.text[1:], f.text[0] == '-') == nil {
			return nil
		}
		return p.number(f.text)
	case fieldNumber, fieldDate:
		return p.number(f.text)
	default:
	}
	text := f.text
	if len(text) > 10 {
		text = text[:10]
	}
	u := intervalUnits[text]
	switch u {
	case unitNone:
		return p.bad()
	case unitAgo:
		p.ago = true
	default:
	}
	p.typ = u
	return nil
}

func (p *intervalParser) mark(mask uint32) error {
	if p.seen&mask != 0 {
		return p.bad()
	}
	p.seen |= mask
	return nil
}

func (p *intervalParser) time(text string, neg bool) error {
	h, m, s, us, ok := splitClock(text)
	if !ok {
		return p.bad()
	}
	if p.fields.minuteToSecond() && strings.Count(text, ":") == 1 && !strings.Contains(text, ".") {
		h, m, s = 0, int(min(h, 1000)), m
	}
	if m > 59 || s > 60 {
		return p.fieldOverflow()
	}
	micros, ok := mulInt64(h, MicrosPerHour)
	micros, ok2 := addInt64(micros, int64(m)*MicrosPerMinute+int64(s)*MicrosPerSecond+int64(us))
	if !ok || !ok2 {
		return p.fieldOverflow()
	}
	if neg {
		micros = -micros
	}
	p.out.micros = micros // instead of parts of days to its right
	p.typ = unitDay       // "1 +02:03": what stands before is days
	return p.mark(timeUnits)
}

func (p *intervalParser) fieldOverflow() error {
	return pgerror.New("22015", "interval field value out of range: \"%s\"", p.src)
}

func (p *intervalParser) number(text string) error {
	if p.typ == unitNone {
		p.typ = p.fields.lowest()
	}
	n := span(text, func(c byte) bool { return isDigit(c) || c == '+' })
	neg := text[0] == '-'
	if neg {
		n = 1 + span(text[1:], isDigit)
	}
	v, err := strconv.ParseInt(text[:n], 10, 64)
	if err != nil && n > 0 && text[:n] != "-" && text[:n] != "+" {
		return p.fieldOverflow()
	}
	frac := 0.0
	switch rest := text[n:]; {
	case rest == "":
	case rest[0] == '-':
		digits := span(rest[1:], isDigit)
		months, err := strconv.ParseInt("0"+rest[1:digits+1], 10, 64)
		if err != nil || months >= 12 {
			return p.fieldOverflow()
		}
		if digits != len(rest)-1 {
			return p.bad()
		}
		if neg {
			months = -months
		}
		p.typ = unitMonth
		years, ok := mulInt64(v, 12)
		if !ok {
			return p.fieldOverflow()
		}
		v = years + months
	case rest[0] == '.':
		if span(rest[1:], isDigit) != len(rest)-1 {
			return p.bad()
		}
		if len(rest) > 1 {
			if frac, err = strconv.ParseFloat("0"+rest, 64); err != nil {
				return p.bad()
			}
		}
		if neg {
			frac = -frac
		}
	default:
		return p.bad()
	}
	if p.typ == unitAgo {
		return p.bad()
	}
	if p.neg {
		v, frac = -int64(absWord(v)), -math.Abs(frac)
	}
	p.out.addUnit(p.typ, v, frac)
	mask := uint32(1) << p.typ
	if p.typ == unitSecond && frac != 0 {
		mask |= 1<<unitMillisecond | 1<<unitMicrosecond
	}
	if p.typ == unitHour {
		p.typ = unitDay // "3 4" of day to hour
	}
	return p.mark(mask)
}

func mulInt64(a, b int64) (int64, bool) {
	if a == 0 || b == 0 {
		return 0, true
	}
	p := a * b
	if p/b != a || a == -1 && b == math.MinInt64 || b == -1 && a == math.MinInt64 {
		return 0, false
	}
	return p, true
}

func addInt64(a, b int64) (int64, bool) {
	s := a + b
	return s, (a^s)&(b^s) >= 0
}
