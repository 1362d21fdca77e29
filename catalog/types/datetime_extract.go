package types

import (
	"errors"
	"time"

	"velostream/pgwire/pgerror"
)

func weekInInterval(name string) error {
	err := UnitError(name, IntervalT)
	if e, ok := errors.AsType[*pgerror.Error](err); ok {
		e.Detail = "Months usually have fractional weeks."
	}
	return err
}

// Extract functions return a field as numeric, as extract of PostgreSQL 15
// does; date_part is the same value as float8. ok is false for NULL: a field
// that an infinite time does not have. name is the unit as written; errors are
// UnitError's.

// ExtractTimestamp is extract from a timestamp.
func ExtractTimestamp(name string, ts int64) (d Decimal, ok bool, err error) {
	return extractLocal(name, ts, Timestamp, 0)
}

// ExtractTimestamptz is extract from a timestamptz on loc's calendar.
func ExtractTimestamptz(name string, tstz int64, loc *time.Location) (d Decimal, ok bool, err error) {
	u := ParseTimeUnit(name)
	if u == UnitEpoch && !isInfinite(tstz) {
		return epochOf(tstz), true, nil
	}
	if isInfinite(tstz) {
		return extractLocal(name, tstz, Timestamptz, 0)
	}
	return extractLocal(name, UTCToLocal(tstz, loc), Timestamptz, ZoneOffset(tstz, loc))
}

// epochOf is the seconds since 1970 at scale 6.
func epochOf(ts int64) Decimal {
	const shift = EpochSeconds * MicrosPerSecond
	if v, ok := addInt64(ts, shift); ok {
		return NewDecimal(v, 6)
	}
	d, _ := NewDecimal(ts, 6).Add(NewDecimal(shift, 6))
	return d
}

func extractLocal(name string, ts int64, t Type, offset int) (Decimal, bool, error) {
	u := ParseTimeUnit(name)
	if isInfinite(ts) {
		return extractInfinite(name, u, ts > 0, t)
	}
	days, clock := splitTimestamp(ts)
	switch u {
	case UnitEpoch:
		return epochOf(ts), true, nil
	case UnitJulian:
		part, err := FromInt64(clock).Div(FromInt64(MicrosPerDay))
		if err != nil {
			return Decimal{}, false, err
		}
		d, err := FromInt64(days + julianOf2000).Add(part)
		return d, true, err
	case UnitTimezone, UnitTimezoneHour, UnitTimezoneMinute:
		if t.OID != OIDTimestamptz {
			return Decimal{}, false, UnitError(name, t)
		}
		return extractZone(u, offset), true, nil
	default:
	}
	if d, ok := extractClock(u, clock); ok {
		return d, true, nil
	}
	if d, ok := extractDays(u, days); ok {
		return d, true, nil
	}
	return Decimal{}, false, UnitError(name, t)
}

func extractZone(u TimeUnit, offset int) Decimal {
	switch u {
	case UnitTimezoneHour:
		return FromInt64(int64(offset / 3600))
	case UnitTimezoneMinute:
		return FromInt64(int64(offset / 60 % 60))
	default:
	}
	return FromInt64(int64(offset))
}

// extractClock takes a field of a time of day.
func extractClock(u TimeUnit, clock int64) (Decimal, bool) {
	switch u {
	case UnitMicrosecond:
		return FromInt64(clock % MicrosPerMinute), true
	case UnitMillisecond:
		return NewDecimal(clock%MicrosPerMinute, 3), true
	case UnitSecond:
		return NewDecimal(clock%MicrosPerMinute, 6), true
	case UnitMinute:
		return FromInt64(clock / MicrosPerMinute % 60), true
	case UnitHour:
		return FromInt64(clock / MicrosPerHour), true
	default:
	}
	return Decimal{}, false
}

// extractDays takes a field of a date.
func extractDays(u TimeUnit, days int64) (Decimal, bool) {
	y, m, d := CivilFromDays(days)
	var v int
	switch u {
	case UnitDay:
		v = d
	case UnitWeek:
		_, v = isoWeek(days)
	case UnitMonth:
		v = m
	case UnitQuarter:
		v = (m-1)/3 + 1
	case UnitYear:
		v = noYearZero(y)
	case UnitDecade:
		v = floorDiv(y, 10)
	case UnitCentury:
		v = noYearZero(floorDiv(y-1, 100) + 1)
	case UnitMillennium:
		v = noYearZero(floorDiv(y-1, 1000) + 1)
	case UnitDow:
		v = weekday(days)
	case UnitIsoDow:
		v = int(isoWeekday(days))
	case UnitDoy:
		v = DayOfYear(days)
	case UnitIsoYear:
		year, _ := isoWeek(days)
		v = noYearZero(year)
	default:
		return Decimal{}, false
	}
	return FromInt64(int64(v)), true
}

// noYearZero counts years (centuries, …) before Christ from -1 down.
func noYearZero(y int) int {
	if y <= 0 {
		return y - 1
	}
	return y
}

// extractInfinite: fields that only grow are infinite, the others NULL.
func extractInfinite(name string, u TimeUnit, positive bool, t Type) (Decimal, bool, error) {
	switch u {
	case UnitYear, UnitDecade, UnitCentury, UnitMillennium, UnitJulian, UnitIsoYear, UnitEpoch:
		if positive {
			return DecimalInf, true, nil
		}
		return DecimalNegInf, true, nil
	case UnitUnknown:
		return Decimal{}, false, UnitError(name, t)
	default:
	}
	if t.OID == OIDDate && (u < UnitDay || u >= UnitTimezone) {
		return Decimal{}, false, UnitError(name, t)
	}
	return Decimal{}, false, nil
}

// ExtractDate is extract from a date.
func ExtractDate(name string, date int64) (d Decimal, ok bool, err error) {
	u := ParseTimeUnit(name)
	if date == DateInfinity || date == DateNegInfinity {
		return extractInfinite(name, u, date > 0, Date)
	}
	switch u {
	case UnitEpoch:
		return FromInt64((date + EpochDays) * 86400), true, nil
	case UnitJulian:
		return FromInt64(date + julianOf2000), true, nil
	default:
	}
	if d, ok := extractDays(u, date); ok {
		return d, true, nil
	}
	return Decimal{}, false, UnitError(name, Date)
}

// ExtractTime is extract from a time of day.
func ExtractTime(name string, t int64) (d Decimal, ok bool, err error) {
	u := ParseTimeUnit(name)
	if u == UnitEpoch {
		return NewDecimal(t, 6), true, nil
	}
	if d, ok := extractClock(u, t); ok {
		return d, true, nil
	}
	return Decimal{}, false, UnitError(name, Time)
}

// ExtractInterval is extract from an interval.
func ExtractInterval(name string, iv Interval) (d Decimal, ok bool, err error) {
	u := ParseTimeUnit(name)
	years := int64(iv.Months / 12)
	var v int64
	switch u {
	case UnitDay:
		v = int64(iv.Days)
	case UnitMonth:
		v = int64(iv.Months % 12)
	case UnitQuarter:
		v = int64(iv.Months%12)/3 + 1
	case UnitYear:
		v = years
	case UnitDecade:
		v = years / 10
	case UnitCentury:
		v = years / 100
	case UnitMillennium:
		v = years / 1000
	case UnitEpoch:
		return intervalEpoch(iv), true, nil
	default:
		if d, ok := extractClock(u, iv.Micros); ok {
			return d, true, nil
		}
		return Decimal{}, false, UnitError(name, IntervalT)
	}
	return FromInt64(v), true, nil
}

// intervalEpoch counts a year as 365.25 days and other months as 30.
func intervalEpoch(iv Interval) Decimal {
	quarters := 1461*int64(iv.Months/12) + 120*int64(iv.Months%12) + 4*int64(iv.Days)
	seconds := NewDecimal(quarters*(86400/4), 0)
	d, _ := seconds.Add(NewDecimal(iv.Micros, 6)) // far within numeric's range
	return d
}
