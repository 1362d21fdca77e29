package types

import (
	"math"
	"strconv"
	"strings"
	"time"

	"velostream/pgwire/pgerror"
)

// ParseDate reads a date: days since 2000-01-01. Errors are 22007 (no date)
// and 22008 (out of range).
func ParseDate(s string, f *Format) (int64, error) {
	if len(s) == 10 && s[4] == '-' && s[7] == '-' {
		if days, ok := isoDays(s); ok {
			return days, nil
		}
	}
	p, err := parseDateTime(s, "date", f, false)
	if err != nil {
		return 0, err
	}
	if p.special {
		switch p.value {
		case reservedInfinity:
			return DateInfinity, nil
		case reservedNegInfinity:
			return DateNegInfinity, nil
		}
		return -EpochDays, nil
	}
	if p.mask&maskDate != maskDate {
		return 0, p.bad()
	}
	days := DaysFromCivil(p.year, p.month, p.day)
	if !julianDate(p.year, p.month) || days < minDate || days > maxDate {
		return 0, pgerror.New(pgerror.DatetimeFieldOverflow, "date out of range: \"%s\"", s)
	}
	return days, nil
}

// ParseTime reads a time of day: µs since midnight.
func ParseTime(s string, f *Format) (int64, error) {
	p, err := parseDateTime(s, "time", f, true)
	if err != nil {
		return 0, err
	}
	if p.special || p.mask&maskTime == 0 {
		return 0, p.bad()
	}
	return p.clock(), nil
}

// ParseTimestamp reads a timestamp without time zone; a zone in it is ignored.
func ParseTimestamp(s string, f *Format) (int64, error) {
	if v, _, _, ok := parseISO(s); ok {
		return v, nil
	}
	p, v, err := parseTimestamp(s, "timestamp", f)
	if err != nil || p.special {
		return v, err
	}
	return v, p.checkRange(v, "timestamp")
}

// ParseTimestamptz reads a timestamp with time zone; without a zone in it, it
// is local time in f's.
func ParseTimestamptz(s string, f *Format) (int64, error) {
	if v, off, hasZone, ok := parseISO(s); ok {
		if !hasZone {
			return LocalToUTC(v, f.Loc()), nil
		}
		return v - int64(off)*MicrosPerSecond, nil
	}
	p, v, err := parseTimestamp(s, "timestamp with time zone", f)
	if err != nil || p.special {
		return v, err
	}
	switch {
	case p.loc != nil:
		v = LocalToUTC(v, p.loc)
	case p.mask&maskZone != 0:
		v -= int64(p.offset) * MicrosPerSecond
	default:
		v = LocalToUTC(v, f.Loc())
	}
	return v, p.checkRange(v, "timestamp")
}

func parseTimestamp(s, typ string, f *Format) (*dateParser, int64, error) {
	p, err := parseDateTime(s, typ, f, false)
	if err != nil {
		return nil, 0, err
	}
	if p.special {
		switch p.value {
		case reservedInfinity:
			return p, TimestampInfinity, nil
		case reservedNegInfinity:
			return p, TimestampNegInfinity, nil
		}
		return p, -EpochSeconds * MicrosPerSecond, nil
	}
	if p.mask&maskDate != maskDate {
		return nil, 0, p.bad()
	}
	days := DaysFromCivil(p.year, p.month, p.day)
	if !julianDate(p.year, p.month) || days > maxTimestampDay {
		return nil, 0, p.outOfRange("timestamp")
	}
	return p, days*MicrosPerDay + p.clock(), nil
}

// The parts of a literal that were found.
const (
	maskYear = 1 << iota
	maskMonth
	maskDay
	maskDayOfYear
	maskTime
	maskZone
	maskAMPM
	maskADBC
	maskWeekday
	maskDST
	maskReserved
	maskDate = maskYear | maskMonth | maskDay
)

// dateParser collects the parts of one literal. The way a field is read
// depends on what came before it: see
// https://www.postgresql.org/docs/15/datetime-input-rules.html.
type dateParser struct {
	src, typ string
	f        *Format
	order    DateOrder
	timeOnly bool

	mask             int
	year, month, day int
	dayOfYear        int
	hour, min, sec   int
	micro            int
	offset           int            // east of UTC
	loc              *time.Location // a zone given by name
	pm               int            // wordAMPM's value
	bc, twoDigits    bool
	textMonth        bool
	julian           bool
	special          bool // infinity, -infinity, epoch: in value
	value            int
	next             wordKind // what the next field must be (T, J)
}

func (p *dateParser) bad() error {
	return pgerror.New(pgerror.InvalidDatetimeFormat, "invalid input syntax for type %s: \"%s\"", p.typ, p.src)
}

func (p *dateParser) overflow() error {
	return pgerror.New(pgerror.DatetimeFieldOverflow, "date/time field value out of range: \"%s\"", p.src)
}

func (p *dateParser) outOfRange(typ string) error {
	return pgerror.New(pgerror.DatetimeFieldOverflow, "%s out of range: \"%s\"", typ, p.src)
}

func (p *dateParser) checkRange(v int64, typ string) error {
	if CheckTimestamp(v) != nil || v == TimestampInfinity || v == TimestampNegInfinity {
		return p.outOfRange(typ)
	}
	return nil
}

func (p *dateParser) clock() int64 {
	return int64(p.hour)*MicrosPerHour + int64(p.min)*MicrosPerMinute + int64(p.sec)*MicrosPerSecond + int64(p.micro)
}

func parseDateTime(s, typ string, f *Format, timeOnly bool) (*dateParser, error) {
	p := &dateParser{src: s, typ: typ, f: f, timeOnly: timeOnly, pm: -1}
	_, p.order = f.Dates()
	if len(s) > 256 {
		return nil, p.bad()
	}
	var buf [8]dateField
	fields, ok := splitDateFields(s, buf[:0])
	if !ok || len(fields) == 0 {
		return nil, p.bad()
	}
	for i := range fields {
		mask, err := p.field(fields, i)
		if err != nil {
			return nil, err
		}
		if mask&p.mask != 0 {
			return nil, p.bad()
		}
		p.mask |= mask
	}
	if p.next != wordUnknown {
		return nil, p.bad()
	}
	return p, p.validate()
}

// field reads field i and returns what it gave.
func (p *dateParser) field(fields []dateField, i int) (int, error) {
	f := fields[i]
	switch f.kind {
	case fieldDate:
		return p.dateField(fields, i)
	case fieldTime:
		if p.next == wordISOTime {
			p.next = wordUnknown
		}
		return p.timeField(f.text)
	case fieldZone:
		off, err := p.zone(f.text)
		p.offset = off
		return maskZone, err
	case fieldNumber:
		return p.numberField(f.text)
	default:
	}
	return p.word(fields, i)
}

func (p *dateParser) dateField(fields []dateField, i int) (int, error) {
	text := fields[i].text
	if p.next == wordJulian {
		return 0, p.bad()
	}
	haveDate := p.mask&(maskMonth|maskDay) == maskMonth|maskDay || p.next == wordISOTime
	if p.timeOnly && !haveDate {
		dateFirst := i == 0 && len(fields) >= 2 && (fields[len(fields)-1].kind == fieldDate || fields[1].kind == fieldTime)
		haveDate = !dateFirst
	}
	if !haveDate {
		return p.date(text)
	}
	if !isDigit(text[0]) {
		return p.namedZone(text)
	}
	// hhmmss-zz
	p.next = wordUnknown
	at := strings.IndexByte(text, '-')
	if at < 0 || p.mask&maskTime != 0 {
		return 0, p.bad()
	}
	off, err := p.zone(text[at:])
	if err != nil {
		return 0, err
	}
	p.offset = off
	mask, err := p.packed(text[:at])
	return mask | maskZone, err
}

func (p *dateParser) namedZone(text string) (int, error) {
	loc, ok := FindZone(text)
	if !ok {
		return 0, pgerror.New(pgerror.InvalidParameterValue, "time zone \"%s\" not recognized", text)
	}
	p.loc = loc
	return maskZone, nil
}

// date reads fields joined by punctuation: a month's name first, then numbers.
func (p *dateParser) date(text string) (int, error) {
	parts := strings.FieldsFunc(text, func(r rune) bool { return r > 0x7f || !isAlnum(byte(r)) })
	var numbers []string
	got := 0
	// A month's name outside of this field does not count for the order in it.
	defer func(outside bool) { p.textMonth = outside }(p.textMonth)
	p.textMonth = false
	for _, part := range parts {
		for part != "" {
			in := isDigit
			if isAlpha(part[0]) {
				in = isAlpha
			}
			n := span(part, in)
			tok := part[:n]
			part = part[n:]
			if isDigit(tok[0]) {
				numbers = append(numbers, tok)
				continue
			}
			w := dateWords[tok]
			switch {
			case w.kind == wordIgnore:
			case w.kind == wordMonth && !p.textMonth && (p.mask|got)&maskMonth == 0:
				p.month, p.textMonth = w.value, true
				got |= maskMonth
			default:
				return 0, p.bad()
			}
		}
	}
	if len(numbers) > 3 {
		return 0, p.bad()
	}
	saved := p.mask
	for _, n := range numbers {
		p.mask = saved | got
		mask, err := p.number(n)
		if err != nil || mask&p.mask != 0 {
			p.mask = saved
			if err == nil {
				err = p.bad()
			}
			return 0, err
		}
		got |= mask
	}
	p.mask = saved
	if (saved|got)&^(maskDayOfYear|maskZone) != maskDate {
		return 0, p.bad()
	}
	return got, nil
}

func (p *dateParser) numberField(text string) (int, error) {
	switch p.next {
	case wordJulian:
		return p.julianNumber(text)
	case wordISOTime:
		p.next = wordUnknown
		return p.packedAs(text, p.mask|maskDate)
	default:
	}
	point := strings.IndexByte(text, '.')
	if p.timeOnly {
		if len(text) == 4 || len(text) > 4 {
			return p.packedAs(text, p.mask|maskDate)
		}
		return 0, p.bad()
	}
	switch {
	case point >= 0 && p.mask&maskDate == 0:
		return p.date(text)
	case point > 2:
		return p.packed(text)
	case len(text) >= 6 && (p.mask&maskDate == 0 || p.mask&maskTime == 0):
		return p.packed(text)
	}
	return p.number(text)
}

// julianNumber reads a Julian day with an optional part of the day.
func (p *dateParser) julianNumber(text string) (int, error) {
	p.next = wordUnknown
	whole, frac, hasFrac := strings.Cut(text, ".")
	jd, err := strconv.Atoi(whole)
	if err != nil || jd > math.MaxInt32 {
		return 0, p.overflow()
	}
	p.year, p.month, p.day = CivilFromDays(int64(jd) - julianOf2000)
	p.julian = true
	if !hasFrac {
		return maskDate, nil
	}
	v, err := strconv.ParseFloat("0."+frac, 64)
	if err != nil {
		return 0, p.bad()
	}
	p.setClock(int64(v * MicrosPerDay))
	return maskDate | maskTime, nil
}

func (p *dateParser) setClock(micros int64) {
	p.hour = int(micros / MicrosPerHour)
	p.min = int(micros / MicrosPerMinute % 60)
	p.sec = int(micros / MicrosPerSecond % 60)
	p.micro = int(micros % MicrosPerSecond)
}
