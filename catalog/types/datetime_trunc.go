package types

import "time"

// TruncTimestamp is date_trunc of a timestamp; name is the unit as written.
func TruncTimestamp(name string, ts int64) (int64, error) {
	if isInfinite(ts) {
		return ts, nil
	}
	u := ParseTimeUnit(name)
	if !truncatable(u) {
		return 0, truncError(name, Timestamp)
	}
	v := truncLocal(u, ts)
	return v, CheckTimestamp(v)
}

// TruncTimestamptz is date_trunc of a timestamptz on loc's calendar.
func TruncTimestamptz(name string, tstz int64, loc *time.Location) (int64, error) {
	if isInfinite(tstz) {
		return tstz, nil
	}
	u := ParseTimeUnit(name)
	if !truncatable(u) {
		return 0, truncError(name, Timestamptz)
	}
	local := UTCToLocal(tstz, loc)
	v := truncLocal(u, local)
	if u < UnitDay {
		v += tstz - local // the same side of a clock change
	} else {
		v = LocalToUTC(v, loc)
	}
	return v, CheckTimestamp(v)
}

func truncatable(u TimeUnit) bool { return u >= UnitMicrosecond && u <= UnitMillennium }

func truncLocal(u TimeUnit, ts int64) int64 {
	days, clock := splitTimestamp(ts)
	switch u {
	case UnitMicrosecond:
		return ts
	case UnitMillisecond:
		return days*MicrosPerDay + clock/1000*1000
	case UnitSecond:
		return days*MicrosPerDay + clock/MicrosPerSecond*MicrosPerSecond
	case UnitMinute:
		return days*MicrosPerDay + clock/MicrosPerMinute*MicrosPerMinute
	case UnitHour:
		return days*MicrosPerDay + clock/MicrosPerHour*MicrosPerHour
	default:
	}
	return truncDays(u, days) * MicrosPerDay
}

// TruncDate is date_trunc's calendar part: the first day of a date's unit, of
// a day or longer.
func truncDays(u TimeUnit, days int64) int64 {
	y, m, _ := CivilFromDays(days)
	switch u {
	case UnitDay:
		return days
	case UnitWeek:
		return days - isoWeekday(days) + 1
	case UnitMonth:
		return DaysFromCivil(y, m, 1)
	case UnitQuarter:
		return DaysFromCivil(y, (m-1)/3*3+1, 1)
	case UnitDecade:
		y = floorDiv(y, 10) * 10
	case UnitCentury:
		y = floorDiv(y-1, 100)*100 + 1
	case UnitMillennium:
		y = floorDiv(y-1, 1000)*1000 + 1
	default:
	}
	return DaysFromCivil(y, 1, 1)
}

// TruncInterval is date_trunc of an interval.
func TruncInterval(name string, iv Interval) (Interval, error) {
	u := ParseTimeUnit(name)
	cut := func(n int32) (Interval, error) { return Interval{Months: iv.Months / n * n}, nil }
	cutTime := func(n int64) (Interval, error) {
		iv.Micros = iv.Micros / n * n
		return iv, nil
	}
	switch u {
	case UnitMillennium:
		return cut(12000)
	case UnitCentury:
		return cut(1200)
	case UnitDecade:
		return cut(120)
	case UnitYear:
		return cut(12)
	case UnitQuarter:
		return cut(3)
	case UnitMonth:
		return cut(1)
	case UnitDay:
		iv.Micros = 0
		return iv, nil
	case UnitHour:
		return cutTime(MicrosPerHour)
	case UnitMinute:
		return cutTime(MicrosPerMinute)
	case UnitSecond:
		return cutTime(MicrosPerSecond)
	case UnitMillisecond:
		return cutTime(1000)
	case UnitMicrosecond:
		return iv, nil
	case UnitWeek:
		return iv, weekInInterval(name)
	default:
	}
	return iv, truncError(name, IntervalT)
}
