package types

import (
	"time"

	"velostream/pgwire/pgerror"
)

func isInfinite(ts int64) bool { return ts == TimestampInfinity || ts == TimestampNegInfinity }

// UTCToLocal returns the timestamp without zone that clocks in loc show.
func UTCToLocal(tstz int64, loc *time.Location) int64 {
	if isInfinite(tstz) {
		return tstz
	}
	return tstz + int64(ZoneOffset(tstz, loc))*MicrosPerSecond
}

// TimestampToTimestamptz reads a timestamp as local time in loc; 22008 if that
// is out of range.
func TimestampToTimestamptz(ts int64, loc *time.Location) (int64, error) {
	if isInfinite(ts) {
		return ts, nil
	}
	v := LocalToUTC(ts, loc)
	return v, CheckTimestamp(v)
}

// TimestamptzToTimestamp is UTCToLocal with a check of the range.
func TimestamptzToTimestamp(tstz int64, loc *time.Location) (int64, error) {
	v := UTCToLocal(tstz, loc)
	return v, CheckTimestamp(v)
}

// AddTimestamp returns ts + iv: months first (the day is cut to the month's
// last), then days, then time.
func AddTimestamp(ts int64, iv Interval) (int64, error) {
	if isInfinite(ts) {
		return ts, nil
	}
	v, err := addMonthsDays(ts, iv)
	if err != nil {
		return 0, err
	}
	v, ok := addInt64(v, iv.Micros)
	if !ok || isInfinite(v) {
		return 0, timestampOutOfRange()
	}
	return v, CheckTimestamp(v)
}

// SubTimestamp returns ts - iv.
func SubTimestamp(ts int64, iv Interval) (int64, error) {
	if isInfinite(ts) {
		return ts, nil
	}
	n, err := iv.Neg()
	if err != nil {
		return 0, timestampOutOfRange() // whatever ts is
	}
	return AddTimestamp(ts, n)
}

func addMonthsDays(ts int64, iv Interval) (int64, error) {
	if iv.Months == 0 && iv.Days == 0 {
		return ts, nil
	}
	days, clock := splitTimestamp(ts)
	if iv.Months != 0 {
		days = addMonths(days, int64(iv.Months))
		if days < minDate || days > maxTimestampDay {
			return 0, timestampOutOfRange()
		}
	}
	days += int64(iv.Days)
	if days < minDate || days > maxTimestampDay {
		return 0, timestampOutOfRange()
	}
	v := days*MicrosPerDay + clock
	return v, CheckTimestamp(v)
}

// addMonths moves a date by months and cuts the day to the month's last.
func addMonths(days, months int64) int64 {
	y, m, d := CivilFromDays(days)
	n := int64(y)*12 + int64(m) - 1 + months
	y, m = floorDiv(int(n), 12), int((n%12+12)%12)+1
	return DaysFromCivil(y, m, min(d, DaysInMonth(y, m)))
}

// AddTimestamptz returns tstz + iv: months and days are counted on the
// calendar and clock of loc.
func AddTimestamptz(tstz int64, iv Interval, loc *time.Location) (int64, error) {
	if isInfinite(tstz) {
		return tstz, nil
	}
	v := tstz
	for _, part := range [2]Interval{{Months: iv.Months}, {Days: iv.Days}} {
		if part == (Interval{}) {
			continue
		}
		local, err := addMonthsDays(UTCToLocal(v, loc), part)
		if err != nil {
			return 0, err
		}
		if v = LocalToUTC(local, loc); CheckTimestamp(v) != nil {
			return 0, timestampOutOfRange()
		}
	}
	v, ok := addInt64(v, iv.Micros)
	if !ok || isInfinite(v) {
		return 0, timestampOutOfRange()
	}
	return v, CheckTimestamp(v)
}

// SubTimestamptz returns tstz - iv.
func SubTimestamptz(tstz int64, iv Interval, loc *time.Location) (int64, error) {
	if isInfinite(tstz) {
		return tstz, nil
	}
	n, err := iv.Neg()
	if err != nil {
		return 0, timestampOutOfRange() // whatever tstz is
	}
	return AddTimestamptz(tstz, n, loc)
}

// DiffTimestamps returns a - b in days and time; 22008 for infinities.
func DiffTimestamps(a, b int64) (Interval, error) {
	if isInfinite(a) || isInfinite(b) {
		return Interval{}, pgerror.New(pgerror.DatetimeFieldOverflow, "cannot subtract infinite timestamps")
	}
	us := a - b
	if (a^b)&(a^us) < 0 {
		return Interval{}, intervalOutOfRange()
	}
	return Interval{Micros: us}.JustifyHours()
}

// AddDate returns a date n days later; 22008 beyond the range of dates.
func AddDate(date, n int64) (int64, error) {
	if date == DateInfinity || date == DateNegInfinity {
		return date, nil
	}
	v := date + n
	if v < minDate || v > maxDate {
		return 0, checkDate(DateInfinity + 1)
	}
	return v, nil
}

// DiffDates returns a - b in days; 22008 for infinities.
func DiffDates(a, b int64) (int64, error) {
	for _, v := range [2]int64{a, b} {
		if v == DateInfinity || v == DateNegInfinity {
			return 0, pgerror.New(pgerror.DatetimeFieldOverflow, "cannot subtract infinite dates")
		}
	}
	return a - b, nil
}

// DateToTimestamp returns a date's midnight; 22008 beyond timestamps' range.
func DateToTimestamp(date int64) (int64, error) {
	switch date {
	case DateInfinity:
		return TimestampInfinity, nil
	case DateNegInfinity:
		return TimestampNegInfinity, nil
	}
	if date >= maxTimestampDay {
		return 0, pgerror.New(pgerror.DatetimeFieldOverflow, "date out of range for timestamp")
	}
	return date * MicrosPerDay, nil
}

// DateToTimestamptz returns a date's midnight in loc.
func DateToTimestamptz(date int64, loc *time.Location) (int64, error) {
	ts, err := DateToTimestamp(date)
	if err != nil || isInfinite(ts) {
		return ts, err
	}
	v := LocalToUTC(ts, loc)
	if CheckTimestamp(v) != nil {
		return 0, pgerror.New(pgerror.DatetimeFieldOverflow, "date out of range for timestamp")
	}
	return v, nil
}

// TimestampToDate returns the date of a timestamp.
func TimestampToDate(ts int64) int64 {
	switch ts {
	case TimestampInfinity:
		return DateInfinity
	case TimestampNegInfinity:
		return DateNegInfinity
	}
	days, _ := splitTimestamp(ts)
	return days
}

// TimestampToTime returns the time of day of a timestamp; ok is false for
// infinities (the answer is NULL).
func TimestampToTime(ts int64) (t int64, ok bool) {
	if isInfinite(ts) {
		return 0, false
	}
	_, t = splitTimestamp(ts)
	return t, true
}

// AddTime returns time of day t + iv, around the clock; months and days do not
// count.
func AddTime(t int64, iv Interval) int64 {
	v := (t + iv.Micros%MicrosPerDay) % MicrosPerDay
	if v < 0 {
		v += MicrosPerDay
	}
	return v
}

// IntervalToTime is the time of day of an interval's time part.
func IntervalToTime(iv Interval) int64 { return AddTime(0, iv) }

// Age returns a - b in years, months, days and time, as people count ages.
// Both are local times; 22008 for infinities.
func Age(a, b int64) (Interval, error) {
	if isInfinite(a) || isInfinite(b) {
		return Interval{}, timestampOutOfRange()
	}
	da, ca := splitTimestamp(a)
	db, cb := splitTimestamp(b)
	ya, ma, dayA := CivilFromDays(da)
	yb, mb, dayB := CivilFromDays(db)
	sgn := int64(1)
	if a < b {
		sgn = -1
	}
	clock := sgn * (ca - cb)
	day := sgn * int64(dayA-dayB)
	months := sgn * (int64(ya-yb)*12 + int64(ma-mb))
	if clock < 0 {
		clock, day = clock+MicrosPerDay, day-1
	}
	for day < 0 {
		// The month that is counted in days is the earlier one's.
		if a < b {
			day += int64(DaysInMonth(ya, ma))
		} else {
			day += int64(DaysInMonth(yb, mb))
		}
		months--
	}
	return intervalOf(sgn*months, sgn*day, sgn*clock, true)
}

// DateBin returns the start of ts' bin of width stride, bins counted from
// origin.
func DateBin(stride Interval, ts, origin int64) (int64, error) {
	if isInfinite(ts) {
		return ts, nil
	}
	if isInfinite(origin) {
		return 0, pgerror.New(pgerror.DatetimeFieldOverflow, "origin out of range")
	}
	if stride.Months != 0 {
		return 0, pgerror.Unsupported("timestamps cannot be binned into intervals containing months or years")
	}
	width, ok := mulInt64(int64(stride.Days), MicrosPerDay)
	width, ok2 := addInt64(width, stride.Micros)
	if !ok || !ok2 {
		return 0, intervalOutOfRange()
	}
	if width <= 0 {
		return 0, pgerror.New(pgerror.DatetimeFieldOverflow, "stride must be greater than zero")
	}
	diff := ts - origin
	if (ts^origin)&(ts^diff) < 0 {
		return 0, intervalOutOfRange()
	}
	rest := diff % width
	v := origin + (diff - rest)
	if rest < 0 {
		if v, ok = addInt64(v, -width); !ok {
			return 0, timestampOutOfRange()
		}
	}
	return v, CheckTimestamp(v)
}
