package types

import (
	"time"

	"velostream/pgwire/pgerror"
)

// Ranges of dates (4713-11-24 BC to 5874897-12-31) and timestamps (to the end
// of 294276), and the Julian day of 2000-01-01.
const (
	julianOf2000    = 2451545
	minDate         = -julianOf2000
	maxDate         = 2145031948
	maxTimestampDay = 106751983 // one beyond: a zone may bring it back
	minTimestamp    = -211813488000000000
	endTimestamp    = 9223371331200000000
)

// julianDate reports a month in which days have Julian numbers that PostgreSQL
// counts with.
func julianDate(year, month int) bool {
	return (year > -4713 || year == -4713 && month >= 11) && (year < 5874898 || year == 5874898 && month < 6)
}

func checkDate(v int64) error {
	if v == DateInfinity || v == DateNegInfinity || v >= minDate && v <= maxDate {
		return nil
	}
	return pgerror.New(pgerror.DatetimeFieldOverflow, "date out of range")
}

// CheckTimestamp reports a timestamp outside PostgreSQL's range (22008);
// ±infinity are within.
func CheckTimestamp(v int64) error {
	if v >= minTimestamp && v < endTimestamp || v == TimestampInfinity || v == TimestampNegInfinity {
		return nil
	}
	return timestampOutOfRange()
}

func timestampOutOfRange() error {
	return pgerror.New(pgerror.DatetimeFieldOverflow, "timestamp out of range")
}

// word reads a field of letters.
func (p *dateParser) word(fields []dateField, i int) (int, error) {
	text := fields[i].text
	if off, ok := zoneAbbrevs[text]; ok && fields[i].kind == fieldWord {
		p.offset = int(off) * 60
		return maskZone, nil
	}
	w := dateWords[text]
	if p.timeOnly && (w.kind == wordMonth || w.kind == wordWeekday) {
		return 0, p.bad()
	}
	switch w.kind {
	case wordReserved:
		return p.reserved(w.value)
	case wordMonth:
		mask := maskMonth
		if p.mask&maskMonth != 0 && !p.textMonth && p.mask&maskDay == 0 && p.month >= 1 && p.month <= 31 {
			p.day, mask = p.month, maskDay // the number before it was the day
		}
		p.month, p.textMonth = w.value, true
		return mask, nil
	case wordWeekday:
		return maskWeekday, nil
	case wordIgnore:
		return 0, nil
	case wordAMPM:
		p.pm = w.value
		return maskAMPM, nil
	case wordADBC:
		p.bc = w.value == 1
		return maskADBC, nil
	case wordDST:
		p.offset += 3600
		return maskDST, nil
	case wordJulian:
		if i+1 >= len(fields) || fields[i+1].kind != fieldNumber {
			return 0, p.bad()
		}
		p.next = w.kind
		return 0, nil
	case wordISOTime:
		if i+1 >= len(fields) || p.mask&maskDate != maskDate && !p.timeOnly {
			return 0, p.bad()
		}
		if k := fields[i+1].kind; k != fieldNumber && k != fieldTime && k != fieldDate {
			return 0, p.bad()
		}
		p.next = w.kind
		return 0, nil
	default:
	}
	loc, ok := FindZone(text)
	if !ok {
		return 0, p.bad()
	}
	p.loc = loc
	return maskZone, nil
}

func (p *dateParser) reserved(value int) (int, error) {
	switch value {
	case reservedEpoch, reservedInfinity, reservedNegInfinity:
		p.special, p.value = true, value
		return maskReserved, nil
	case reservedAllballs:
		p.hour, p.min, p.sec, p.micro = 0, 0, 0, 0
		return maskTime | maskZone, nil
	}
	now := FromTime(p.f.now())
	off := ZoneOffset(now, p.f.Loc())
	days, clock := splitTimestamp(now + int64(off)*MicrosPerSecond)
	switch value {
	case reservedTomorrow:
		days++
	case reservedYesterday:
		days--
	}
	p.year, p.month, p.day = CivilFromDays(days)
	if value != reservedNow {
		return maskDate, nil
	}
	p.setClock(clock)
	p.offset = off
	return maskDate | maskTime | maskZone, nil
}

// FromTime converts to a timestamptz.
func FromTime(t time.Time) int64 {
	return (t.Unix()-EpochSeconds)*MicrosPerSecond + int64(t.Nanosecond()/1000)
}

// ToTime converts a finite timestamptz.
func ToTime(micros int64) time.Time {
	return time.UnixMicro(micros).Add(EpochSeconds * time.Second).UTC()
}

// validate finishes the parts: years before Christ and of two digits, days of
// the year, noon, and all ranges.
func (p *dateParser) validate() error {
	if p.mask&maskYear != 0 && !p.julian {
		switch {
		case p.bc:
			if p.year <= 0 {
				return p.overflow()
			}
			p.year = 1 - p.year
		case p.twoDigits && p.year < 70:
			p.year += 2000
		case p.twoDigits:
			p.year += 1900
		case p.year <= 0:
			return p.overflow()
		}
	}
	if p.mask&maskDayOfYear != 0 {
		y := p.year
		p.year, p.month, p.day = CivilFromDays(DaysFromCivil(y, 1, 1) + int64(p.dayOfYear) - 1)
	}
	if p.mask&maskMonth != 0 && (p.month < 1 || p.month > 12) || p.mask&maskDay != 0 && (p.day < 1 || p.day > 31) {
		e := pgerror.New(pgerror.DatetimeFieldOverflow, "date/time field value out of range: \"%s\"", p.src)
		return e.WithHint("Perhaps you need a different \"datestyle\" setting.")
	}
	if p.mask&maskDate == maskDate && p.day > DaysInMonth(p.year, p.month) {
		return p.overflow()
	}
	if p.hour < 0 || p.hour > 24 || p.min > 59 || p.sec > 60 || p.clock() > MicrosPerDay {
		return p.overflow()
	}
	if p.pm >= 0 {
		if p.hour > 12 {
			return p.overflow()
		}
		p.hour = p.hour%12 + p.pm
	}
	if p.special {
		return nil
	}
	if p.mask&maskDST != 0 && (p.mask&maskZone == 0 || p.loc != nil) {
		return p.bad()
	}
	if p.timeOnly && p.loc != nil && p.loc != time.UTC && p.mask&maskDate != maskDate {
		return p.bad() // its offset depends on the date
	}
	return nil
}

// IsLeap reports a leap year of the Gregorian calendar.
func IsLeap(year int) bool { return year%4 == 0 && (year%100 != 0 || year%400 == 0) }

// DaysInMonth is how many days a month (1 to 12) has.
func DaysInMonth(year, month int) int {
	switch month {
	case 2:
		if IsLeap(year) {
			return 29
		}
		return 28
	case 4, 6, 9, 11:
		return 30
	}
	return 31
}
