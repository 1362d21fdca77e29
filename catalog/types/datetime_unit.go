package types

import (
	"velostream/pgwire/pgerror"
)

// TimeUnit is a field of extract, or a precision of date_trunc.
type TimeUnit uint8

// The units, as extract and date_trunc name them.
const (
	UnitUnknown TimeUnit = iota
	UnitMicrosecond
	UnitMillisecond
	UnitSecond
	UnitMinute
	UnitHour
	UnitDay
	UnitWeek
	UnitMonth
	UnitQuarter
	UnitYear
	UnitDecade
	UnitCentury
	UnitMillennium
	UnitDow
	UnitIsoDow
	UnitDoy
	UnitIsoYear
	UnitEpoch
	UnitJulian
	UnitTimezone
	UnitTimezoneHour
	UnitTimezoneMinute
)

// timeUnits has words cut to ten letters, which is how far PostgreSQL looks.
var timeUnitWords = map[string]TimeUnit{
	"quarter": UnitQuarter, "qtr": UnitQuarter, "dow": UnitDow, "isodow": UnitIsoDow, "doy": UnitDoy,
	"isoyear": UnitIsoYear, "epoch": UnitEpoch, "julian": UnitJulian, "j": UnitJulian, "jd": UnitJulian,
	"timezone": UnitTimezone, "timezone_h": UnitTimezoneHour, "timezone_m": UnitTimezoneMinute,
}

// ParseTimeUnit reads a unit in any of its spellings; UnitUnknown if it is none.
func ParseTimeUnit(name string) TimeUnit {
	key := lower(name)
	if len(key) > 10 {
		key = key[:10]
	}
	if u, ok := timeUnitWords[key]; ok {
		return u
	}
	switch intervalUnits[key] {
	case unitMicrosecond:
		return UnitMicrosecond
	case unitMillisecond:
		return UnitMillisecond
	case unitSecond:
		return UnitSecond
	case unitMinute:
		return UnitMinute
	case unitHour:
		return UnitHour
	case unitDay:
		return UnitDay
	case unitWeek:
		return UnitWeek
	case unitMonth:
		return UnitMonth
	case unitYear:
		return UnitYear
	case unitDecade:
		return UnitDecade
	case unitCentury:
		return UnitCentury
	case unitMillennium:
		return UnitMillennium
	default:
	}
	return UnitUnknown
}

// UnitError is the error of a unit that type does not have: 22023 if it is no
// unit at all, else 0A000.
func UnitError(name string, t Type) error {
	t.Mod = -1
	if ParseTimeUnit(name) == UnitUnknown {
		return unknownUnit(name, t)
	}
	return pgerror.Unsupported("unit \"%s\" not supported for type %s", lower(name), t)
}

// unknownUnit names the unit as PostgreSQL does, which makes an identifier of it.
func unknownUnit(name string, t Type) error {
	return pgerror.New(pgerror.InvalidParameterValue, "unit \"%s\" not recognized for type %s", truncateName([]byte(lower(name))), t)
}

// truncError is UnitError for date_trunc, which does not know the fields that
// only extract has.
func truncError(name string, t Type) error {
	switch ParseTimeUnit(name) {
	case UnitDow, UnitIsoDow, UnitDoy, UnitIsoYear, UnitEpoch, UnitJulian:
		return unknownUnit(name, t)
	default:
	}
	return UnitError(name, t)
}

// isoWeekday is 1 for Monday to 7 for Sunday.
func isoWeekday(days int64) int64 { return int64((weekday(days)+6)%7) + 1 }

// isoWeek returns the ISO 8601 year and week of a date.
func isoWeek(days int64) (year, week int) {
	thursday := days - isoWeekday(days) + 4
	y, _, _ := CivilFromDays(thursday)
	return y, int(thursday-DaysFromCivil(y, 1, 1))/7 + 1
}

// ISOWeek returns the ISO 8601 year (0 is 1 BC) and week of a date.
func ISOWeek(date int64) (year, week int) { return isoWeek(date) }

// Weekday is 0 for Sunday to 6 for Saturday.
func Weekday(date int64) int { return weekday(date) }

// DayOfYear is 1 for January 1.
func DayOfYear(date int64) int {
	y, _, _ := CivilFromDays(date)
	return int(date-DaysFromCivil(y, 1, 1)) + 1
}
