package types

import (
	"math"
	"strconv"
	"time"
)

// Special values of date (days) and timestamps (µs), as on the wire.
const (
	DateInfinity         = math.MaxInt32
	DateNegInfinity      = math.MinInt32
	TimestampInfinity    = math.MaxInt64
	TimestampNegInfinity = math.MinInt64
)

// Lengths of time units in µs.
const (
	MicrosPerSecond = 1_000_000
	MicrosPerMinute = 60 * MicrosPerSecond
	MicrosPerHour   = 60 * MicrosPerMinute
	MicrosPerDay    = 24 * MicrosPerHour
)

// EpochDays and EpochSeconds lie between 1970-01-01 and 2000-01-01, from
// which dates and timestamps count.
const (
	EpochDays    = 10957
	EpochSeconds = EpochDays * 86400
)

// appendDigits2 adds two digits.
func appendDigits2(dst []byte, v int) []byte {
	return append(dst, byte('0'+v/10%10), byte('0'+v%10))
}

// appendYear adds a year with at least four digits; before 1 AD it is counted
// backwards and the caller adds BC.
func appendYear(dst []byte, y int) []byte {
	if y <= 0 {
		y = 1 - y
	}
	if y < 10000 {
		return appendDigits2(appendDigits2(dst, y/100), y%100)
	}
	return strconv.AppendInt(dst, int64(y), 10)
}

// appendClock adds hh:mm:ss and, unless 0, the fraction without its trailing
// zeros; hours may exceed 24.
func appendClock(dst []byte, micros int64) []byte {
	sec := uint64(micros) / MicrosPerSecond
	frac := uint32(uint64(micros) - sec*MicrosPerSecond)
	h := sec / 3600
	s := uint32(sec - h*3600)
	m := s / 60
	s -= m * 60
	if h >= 100 {
		dst = strconv.AppendUint(dst, h, 10)
	} else {
		dst = append(dst, byte('0'+h/10), byte('0'+h%10))
	}
	dst = append(dst, ':', byte('0'+m/10), byte('0'+m%10), ':', byte('0'+s/10), byte('0'+s%10))
	if frac == 0 {
		return dst
	}
	return appendFraction(dst, frac)
}

// appendFraction adds a point and the digits of µs without trailing zeros.
func appendFraction(dst []byte, micros uint32) []byte {
	if micros == 0 {
		return dst
	}
	a := micros / 10000
	b := micros / 100 % 100
	c := micros % 100
	dst = append(dst, '.', byte('0'+a/10), byte('0'+a%10), byte('0'+b/10), byte('0'+b%10), byte('0'+c/10), byte('0'+c%10))
	for dst[len(dst)-1] == '0' {
		dst = dst[:len(dst)-1]
	}
	return dst
}

// AppendDate adds an ISO date from days since 2000-01-01.
func AppendDate(dst []byte, days int64) []byte {
	switch days {
	case DateInfinity:
		return append(dst, "infinity"...)
	case DateNegInfinity:
		return append(dst, "-infinity"...)
	}
	y, m, d := CivilFromDays(days)
	return appendBC(appendISODate(dst, y, m, d), y)
}

func appendISODate(dst []byte, y, m, d int) []byte {
	dst = appendYear(dst, y)
	mm, dd := uint32(m), uint32(d)
	return append(dst, '-', byte('0'+mm/10), byte('0'+mm%10), '-', byte('0'+dd/10), byte('0'+dd%10))
}

func appendBC(dst []byte, y int) []byte {
	if y <= 0 {
		return append(dst, " BC"...)
	}
	return dst
}

// AppendTime adds a time of day from µs since midnight.
func AppendTime(dst []byte, micros int64) []byte { return appendClock(dst, micros) }

// AppendTimestamp adds an ISO timestamp without zone.
func AppendTimestamp(dst []byte, micros int64) []byte {
	if dst, ok := appendInfinite(dst, micros); ok {
		return dst
	}
	days, clock := splitTimestamp(micros)
	dst, y := appendISOTimestamp(dst, days, clock)
	return appendBC(dst, y)
}

// AppendTimestamptz adds an ISO timestamp with the offset of loc (nil: UTC) at
// that time.
func AppendTimestamptz(dst []byte, micros int64, loc *time.Location) []byte {
	if dst, ok := appendInfinite(dst, micros); ok {
		return dst
	}
	off := ZoneOffset(micros, loc)
	days, clock := splitTimestamp(micros + int64(off)*MicrosPerSecond)
	dst, y := appendISOTimestamp(dst, days, clock)
	return appendBC(appendOffset(dst, off), y)
}

func appendInfinite(dst []byte, micros int64) ([]byte, bool) {
	switch micros {
	case TimestampInfinity:
		return append(dst, "infinity"...), true
	case TimestampNegInfinity:
		return append(dst, "-infinity"...), true
	}
	return dst, false
}

func appendISOTimestamp(dst []byte, days, clock int64) ([]byte, int) {
	y, m, d := CivilFromDays(days)
	dst = append(appendISODate(dst, y, m, d), ' ')
	return appendClock(dst, clock), y
}

// splitTimestamp returns days since 2000-01-01 and µs within the day.
func splitTimestamp(micros int64) (days, clock int64) {
	days, clock = micros/MicrosPerDay, micros%MicrosPerDay
	if clock < 0 {
		days, clock = days-1, clock+MicrosPerDay
	}
	return days, clock
}

// appendOffset adds ±hh[:mm[:ss]].
func appendOffset(dst []byte, off int) []byte {
	if off < 0 {
		dst, off = append(dst, '-'), -off
	} else {
		dst = append(dst, '+')
	}
	dst = appendDigits2(dst, off/3600)
	if off%3600 != 0 {
		dst = appendDigits2(append(dst, ':'), off/60%60)
		if off%60 != 0 {
			dst = appendDigits2(append(dst, ':'), off%60)
		}
	}
	return dst
}

// ZoneOffset is the offset of loc from UTC, in seconds to the east, at a
// timestamptz.
func ZoneOffset(micros int64, loc *time.Location) int {
	if loc == nil || loc == time.UTC {
		return 0
	}
	s := micros / MicrosPerSecond
	if micros%MicrosPerSecond < 0 {
		s--
	}
	_, off := time.Unix(s+EpochSeconds, 0).In(loc).Zone()
	return off
}

// CivilFromDays returns the proleptic Gregorian date of days since 2000-01-01;
// year 0 is 1 BC.
func CivilFromDays(days int64) (year, month, day int) {
	// Eras of 400 years from 0000-03-01, so that leap days end the years.
	z := days + 730425
	era := z / 146097
	if z -= era * 146097; z < 0 {
		z, era = z+146097, era-1
	}
	doe := uint32(z)
	yoe := (doe - doe/1460 + doe/36524 - doe/146096) / 365
	doy := doe - (365*yoe + yoe/4 - yoe/100)
	mp := (5*doy + 2) / 153
	month = int(mp) + 3
	year = int(yoe) + int(era)*400
	if month > 12 {
		month -= 12
		year++
	}
	return year, month, int(doy-(153*mp+2)/5) + 1
}

// DaysFromCivil is the inverse of CivilFromDays. month and day may lie outside
// their ranges by any amount that a day count can express for day, not month.
func DaysFromCivil(year, month, day int) int64 {
	y := int64(year)
	m := int64(month)
	if m <= 2 {
		y--
		m += 12
	}
	era := y / 400
	if y%400 < 0 {
		era--
	}
	yoe := y - era*400
	doy := (153*(m-3)+2)/5 + int64(day) - 1
	return era*146097 + yoe*365 + yoe/4 - yoe/100 + doy - 730425
}
