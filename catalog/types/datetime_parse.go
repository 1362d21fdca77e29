package types

import (
	"time"

	"velostream/pgwire/pgerror"
)

func quick(s, typ string, layouts ...string) (time.Time, error) {
	for _, l := range layouts {
		if t, err := time.Parse(l, trimSpace(s)); err == nil {
			return t, nil
		}
	}
	return time.Time{}, pgerror.New(pgerror.InvalidDatetimeFormat, "invalid input syntax for type %s: %q", typ, s)
}

func ParseDate(s string, f *Format) (int64, error) {
	t, err := quick(s, "date", "2006-01-02")
	return t.Unix()/86400 - EpochDays, err
}

func ParseTime(s string, f *Format) (int64, error) {
	t, err := quick(s, "time", "15:04:05.999999", "15:04")
	return int64(t.Hour())*MicrosPerHour + int64(t.Minute())*MicrosPerMinute + int64(t.Second())*MicrosPerSecond + int64(t.Nanosecond()/1000), err
}

func ParseTimestamp(s string, f *Format) (int64, error) {
	t, err := quick(s, "timestamp", "2006-01-02 15:04:05.999999", "2006-01-02")
	return t.UnixMicro() - EpochSeconds*1e6, err
}

func ParseTimestamptz(s string, f *Format) (int64, error) {
	t, err := quick(s, "timestamp with time zone", "2006-01-02 15:04:05.999999-07", "2006-01-02 15:04:05.999999", "2006-01-02")
	return t.UnixMicro() - EpochSeconds*1e6, err
}

func ParseInterval(s string, f *Format) (Interval, error) {
	d, err := time.ParseDuration(trimSpace(s))
	if err != nil {
		return Interval{}, pgerror.New(pgerror.InvalidDatetimeFormat, "invalid input syntax for type interval: %q", s)
	}
	return Interval{Micros: d.Microseconds()}, nil
}

func checkDate(v int64) error      { return nil }
func CheckTimestamp(v int64) error { return nil }
func (d Decimal) Normal() Decimal  { return d }
func regtypeName(o OID) string     { return "" }
func parseRegtype(s string) (int64, error) {
	return parseOID(s)
}
