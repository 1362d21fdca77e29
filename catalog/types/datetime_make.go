package types

import (
	"math"
	"strconv"

	"velostream/pgwire/pgerror"
)

// CheckDate reports a date outside PostgreSQL's range (22008); ±infinity are
// within.
func CheckDate(date int64) error { return checkDate(date) }

// MakeDate is make_date: a negative year is BC. 22008 for what is no date.
func MakeDate(year, month, day int) (int64, error) {
	y := year
	if year < 0 {
		y = year + 1 // 1 BC is year 0
	}
	if year == 0 || month < 1 || month > 12 || day < 1 || day > DaysInMonth(y, month) {
		return 0, pgerror.New(pgerror.DatetimeFieldOverflow, "date field value out of range: %d-%02d-%02d", year, month, day)
	}
	date := DaysFromCivil(y, month, day)
	if !julianDate(y, month) || date < minDate || date > maxDate {
		return 0, pgerror.New(pgerror.DatetimeFieldOverflow, "date out of range: %d-%02d-%02d", y, month, day)
	}
	return date, nil
}

// MakeTime is make_time. 22008 for what is no time of day.
func MakeTime(hour, minute int, second float64) (int64, error) {
	micros := math.RoundToEven(second * MicrosPerSecond)
	v := int64(hour)*MicrosPerHour + int64(minute)*MicrosPerMinute + int64(micros)
	if hour < 0 || hour > 24 || minute < 0 || minute > 59 || math.IsNaN(second) || second < 0 || micros > MicrosPerMinute || v > MicrosPerDay {
		return 0, pgerror.New(pgerror.DatetimeFieldOverflow, "time field value out of range: %d:%02d:%s", hour, minute, secondText(second))
	}
	return v, nil
}

// MakeTimestamp is make_timestamp.
func MakeTimestamp(year, month, day, hour, minute int, second float64) (int64, error) {
	date, err := MakeDate(year, month, day)
	if err != nil {
		return 0, err
	}
	t, err := MakeTime(hour, minute, second)
	if err != nil {
		return 0, err
	}
	if date > maxTimestampDay || CheckTimestamp(date*MicrosPerDay+t) != nil {
		return 0, pgerror.New(pgerror.DatetimeFieldOverflow, "timestamp out of range: %d-%02d-%02d %d:%02d:%s", year, month, day, hour, minute, secondText(second))
	}
	return date*MicrosPerDay + t, nil
}

// secondText is C's %02g.
func secondText(second float64) string {
	s := string(AppendFloat8(nil, second, -9))
	if len(s) < 2 {
		s = "0" + s
	}
	return s
}

// FromUnix is to_timestamp(double precision): seconds since 1970, to the
// nearest µs; 22008 out of range or for NaN.
func FromUnix(seconds float64) (int64, error) {
	switch {
	case math.IsNaN(seconds):
		return 0, pgerror.New(pgerror.DatetimeFieldOverflow, "timestamp cannot be NaN")
	case math.IsInf(seconds, 1):
		return TimestampInfinity, nil
	case math.IsInf(seconds, -1):
		return TimestampNegInfinity, nil
	}
	us := math.RoundToEven((seconds - EpochSeconds) * MicrosPerSecond)
	if !(us >= minTimestamp && us < endTimestamp) {
		return 0, pgerror.New(pgerror.DatetimeFieldOverflow, "timestamp out of range: \"%s\"", strconv.FormatFloat(seconds, 'g', 6, 64))
	}
	return int64(us), nil
}
