package types

import (
	"strings"
	"time"
)

var monthNames = [12]string{"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"}

var dayNames = [7]string{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"}

// weekday is 0 for Sunday; 2000-01-01 was a Saturday.
func weekday(days int64) int { return int(((days+6)%7 + 7) % 7) }

// AppendDateStyle adds a date as f's DateStyle wants it.
func AppendDateStyle(dst []byte, days int64, f *Format) []byte {
	if f.isISO() {
		return AppendDate(dst, days)
	}
	layout, order := f.Dates()
	if layout == DateISO || days == DateInfinity || days == DateNegInfinity {
		return AppendDate(dst, days)
	}
	y, m, d := CivilFromDays(days)
	switch {
	case layout == DateGerman:
		dst = appendDMY(dst, y, m, d, '.', OrderDMY)
	case layout == DatePostgres && order == OrderYMD:
		dst = appendDMY(dst, y, m, d, '-', OrderYMD)
	case layout == DatePostgres:
		dst = appendDMY(dst, y, m, d, '-', order)
	default:
		dst = appendDMY(dst, y, m, d, '/', order)
	}
	return appendBC(dst, y)
}

// appendDMY adds a date in digits. Year-first has no form of its own in the
// older layouts: dates print as month first, except Postgres'.
func appendDMY(dst []byte, y, m, d int, sep byte, order DateOrder) []byte {
	first, second := m, d
	if order == OrderDMY {
		first, second = d, m
	}
	dst = append(appendDigits2(dst, first), sep)
	dst = append(appendDigits2(dst, second), sep)
	return appendYear(dst, y)
}

// AppendTimestampStyle adds a timestamp as f's DateStyle wants it.
func AppendTimestampStyle(dst []byte, micros int64, f *Format) []byte {
	if f.isISO() {
		return AppendTimestamp(dst, micros)
	}
	layout, order := f.Dates()
	if layout == DateISO {
		return AppendTimestamp(dst, micros)
	}
	if dst, ok := appendInfinite(dst, micros); ok {
		return dst
	}
	return appendStyled(dst, micros, "", layout, order)
}

// AppendTimestamptzStyle adds a timestamptz in f's time zone and DateStyle.
func AppendTimestamptzStyle(dst []byte, micros int64, f *Format) []byte {
	if f.isISO() {
		return AppendTimestamptz(dst, micros, f.Loc())
	}
	layout, order := f.Dates()
	if layout == DateISO {
		return AppendTimestamptz(dst, micros, f.Loc())
	}
	if dst, ok := appendInfinite(dst, micros); ok {
		return dst
	}
	off := ZoneOffset(micros, f.Loc())
	return appendStyled(dst, micros+int64(off)*MicrosPerSecond, zoneText(micros, f.Loc(), off), layout, order)
}

// zoneText is the zone at the end of a styled timestamptz: its abbreviation,
// else the offset.
func zoneText(micros int64, loc *time.Location, off int) string {
	s := micros / MicrosPerSecond
	if micros%MicrosPerSecond < 0 {
		s--
	}
	name, _ := time.Unix(s+EpochSeconds, 0).In(loc).Zone()
	if name == "" {
		return string(appendOffset(nil, off))
	}
	if strings.HasPrefix(name, "<") {
		name, _, _ = strings.Cut(name[1:], ">")
	}
	return " " + name
}

func appendStyled(dst []byte, micros int64, zone string, layout DateLayout, order DateOrder) []byte {
	days, clock := splitTimestamp(micros)
	y, m, d := CivilFromDays(days)
	switch layout {
	case DatePostgres:
		dst = append(append(dst, dayNames[weekday(days)]...), ' ')
		if order == OrderDMY {
			dst = append(append(appendDigits2(dst, d), ' '), monthNames[m-1]...)
		} else {
			dst = appendDigits2(append(append(dst, monthNames[m-1]...), ' '), d)
		}
		dst = append(appendClock(append(dst, ' '), clock), ' ')
		dst = append(appendYear(dst, y), zone...)
	case DateGerman:
		dst = append(appendDMY(dst, y, m, d, '.', OrderDMY), ' ')
		dst = append(appendClock(dst, clock), zone...)
	default:
		dst = append(appendDMY(dst, y, m, d, '/', order), ' ')
		dst = append(appendClock(dst, clock), zone...)
	}
	return appendBC(dst, y)
}
