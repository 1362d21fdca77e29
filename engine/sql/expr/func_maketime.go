package expr

import (
	"math"
	"strconv"
	"strings"
	"time"

	"velostream/catalog/types"
	"velostream/pgwire/pgerror"
)

// makeTimeFamily is the table of current times, make_… functions and the
// dialect's conversions from and to Unix time.
func makeTimeFamily() []Function {
	defs := []def{
		{sig: "now() timestamptz", scalar: nowFunc, volatility: Stable, doc: "start of the transaction"},
		{sig: "current_timestamp() timestamptz", scalar: nowFunc, volatility: Stable, doc: "start of the transaction"},
		{sig: "transaction_timestamp() timestamptz", scalar: nowFunc, volatility: Stable, doc: "start of the transaction"},
		{sig: "statement_timestamp() timestamptz", scalar: func(c *CallContext, _ []datum) (datum, error) {
			if c.Env != nil && c.Env.StmtTime != 0 {
				return integer(c.Env.StmtTime)
			}
			return integer(c.Env.now())
		}, volatility: Stable, doc: "start of the statement"},
		{sig: "clock_timestamp() timestamptz", scalar: func(*CallContext, []datum) (datum, error) { return integer(clock()) }, volatility: Volatile, doc: "time now"},
		{sig: "timeofday() text", scalar: func(c *CallContext, _ []datum) (datum, error) {
			return str(time.Now().In(c.Env.loc()).Format("Mon Jan 02 15:04:05.000000 2006 MST"))
		}, volatility: Volatile, doc: "time now as text"},
		{sig: "localtimestamp() timestamp", scalar: localNow, volatility: Stable, doc: "start of the transaction, local time"},
		{sig: "timestamp() timestamp", scalar: localNow, volatility: Stable, doc: "start of the transaction, local time"},
		{sig: "current_date() date", scalar: func(c *CallContext, _ []datum) (datum, error) {
			return integer(types.TimestampToDate(c.Env.today()))
		}, volatility: Stable, doc: "date of the transaction"},
		{sig: "localtime() time", scalar: func(c *CallContext, _ []datum) (datum, error) {
			return integer(types.UTCToLocal(c.Env.now(), c.Env.loc()) - c.Env.today())
		}, volatility: Stable, doc: "time of day of the transaction"},
		{sig: "make_date(int4,int4,int4) date", scalar: makeDate, doc: "date of year, month and day"},
		{sig: "make_time(int4,int4,float8) time", scalar: func(_ *CallContext, a []datum) (datum, error) { return ts(clockOf(a)) }, doc: "time of hour, minute and second"},
		{sig: "make_timestamp(int4,int4,int4,int4,int4,float8) timestamp", scalar: func(_ *CallContext, a []datum) (datum, error) { return ts(makeTimestamp(a)) }, doc: "timestamp of its parts"},
		{sig: "make_timestamptz(int4,int4,int4,int4,int4,float8) timestamptz", scalar: makeTimestamptz, volatility: Stable, doc: "time of its parts in the session's zone"},
		{sig: "make_timestamptz(int4,int4,int4,int4,int4,float8,text) timestamptz", scalar: makeTimestamptz, volatility: Stable, doc: "time of its parts in a zone"},
		{sig: "make_interval() interval", scalar: makeInterval, doc: "interval of its parts"},
		{sig: "to_timestamp(float8) timestamptz", scalar: unixTime, doc: "time of seconds since 1970"},
		{sig: "from_unixtime(float8) timestamptz", scalar: unixTime, doc: "time of seconds since 1970"},
		{sig: "unix_timestamp() int8", scalar: func(c *CallContext, _ []datum) (datum, error) {
			return integer(floorDiv(c.Env.now(), types.MicrosPerSecond) + types.EpochSeconds)
		}, volatility: Stable, doc: "seconds since 1970 now"},
		{sig: "unix_timestamp(timestamptz) int8", scalar: toUnix, doc: "seconds since 1970"},
		{sig: "unix_timestamp(timestamp) int8", scalar: toUnix, doc: "seconds since 1970"},
		{sig: "datediff(text,timestamp,timestamp) int8", scalar: dateDiff, doc: "whole units from the first time to the second"},
		{sig: "datediff(text,timestamptz,timestamptz) int8", scalar: dateDiff, volatility: Stable, doc: "whole units from the first time to the second"},
	}
	parts := []string{"int4", "int4", "int4", "int4", "int4", "int4", "float8"}
	for n := 1; n <= len(parts); n++ {
		defs = append(defs, def{sig: "make_interval(" + strings.Join(parts[:n], ",") + ") interval", scalar: makeInterval, doc: "interval of years, months, weeks, days, hours, minutes, seconds"})
	}
	return table(defs)
}

func nowFunc(c *CallContext, _ []datum) (datum, error) { return integer(c.Env.now()) }

func localNow(c *CallContext, _ []datum) (datum, error) {
	return integer(types.UTCToLocal(c.Env.now(), c.Env.loc()))
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// dateOf checks year, month and day; a negative year is BC. Errors call it shown.
func dateOf(a []datum, shown int64) (int64, error) {
	y, m, d := a[0].I, a[1].I, a[2].I
	bad := pgerror.New(pgerror.DatetimeFieldOverflow, "date field value out of range: %d-%02d-%02d", shown, m, d)
	if y == 0 || y == math.MinInt32 || m < 1 || m > 12 || d < 1 || d > 31 {
		return 0, bad
	}
	if y < 0 {
		y++
	}
	if y > 5874897 || y < -4713 {
		return 0, pgerror.New(pgerror.DatetimeFieldOverflow, "date out of range: %d-%02d-%02d", shown, m, d)
	}
	days := types.DaysFromCivil(int(y), int(m), int(d))
	if _, mm, dd := types.CivilFromDays(days); mm != int(m) || dd != int(d) {
		return 0, bad
	}
	return days, nil
}

// makeDate is make_date, whose errors count years BC from 0 as PostgreSQL's do.
func makeDate(_ *CallContext, a []datum) (datum, error) {
	shown := a[0].I
	if shown < 0 && shown > math.MinInt32 {
		shown++
	}
	return ts(dateOf(a, shown))
}

// clockOf checks hour, minute and second.
func clockOf(a []datum) (int64, error) {
	h, m, s := a[0].I, a[1].I, a[2].F
	part := math.RoundToEven(s * 1e6) // the range is that of the rounded number
	micros := h*types.MicrosPerHour + m*types.MicrosPerMinute + int64(part)
	if h < 0 || m < 0 || m > 59 || math.IsNaN(s) || part < 0 || part > 60e6 || micros > types.MicrosPerDay {
		return 0, pgerror.New(pgerror.DatetimeFieldOverflow, "time field value out of range: %d:%02d:%s", h, m, secondsText(s))
	}
	return micros, nil
}

// secondsText writes seconds as C's %02g does, and what has two digits or more as its %g.
func secondsText(s float64) string {
	if math.IsNaN(s) || math.IsInf(s, 0) {
		return string(types.AppendFloat8(nil, s, 1))
	}
	t := strconv.FormatFloat(s, 'g', 6, 64)
	if len(t) < 2 {
		t = "0" + t
	}
	return t
}

func makeTimestamp(a []datum) (int64, error) {
	days, err := dateOf(a, a[0].I)
	if err != nil {
		return 0, err
	}
	t, err := types.DateToTimestamp(days)
	if err != nil {
		return 0, err
	}
	clock, err := clockOf(a[3:])
	return t + clock, err
}

func makeTimestamptz(c *CallContext, a []datum) (datum, error) {
	loc := c.Env.loc()
	t, err := makeTimestamp(a)
	if err != nil {
		return fail(err)
	}
	if len(a) == 7 {
		if loc, err = isoZone(string(a[6].B)); err != nil {
			return fail(err)
		}
	}
	return ts(types.TimestampToTimestamptz(t, loc))
}

// isoZone is findZone for which a number is an offset to the east, and has its sign.
func isoZone(name string) (*time.Location, error) {
	if name != "" && '0' <= name[0] && name[0] <= '9' {
		return nil, pgerror.New(pgerror.InvalidParameterValue, "invalid input syntax for type numeric time zone: \"%s\"", name).
			WithHint("Numeric time zones must have \"-\" or \"+\" as first character.")
	}
	if name == "" || name[0] != '+' && name[0] != '-' {
		return findZone(name)
	}
	loc, err := findZone(string('+'+'-'-name[0]) + name[1:])
	if err != nil {
		return nil, err
	}
	_, off := time.Unix(0, 0).In(loc).Zone()
	return types.FixedOffset(off), nil
}

func makeInterval(_ *CallContext, a []datum) (datum, error) {
	var p [7]int64
	for i := range min(len(a), 6) {
		p[i] = a[i].I
	}
	months, days := p[0]*12+p[1], p[2]*7+p[3]
	micros := p[4]*types.MicrosPerHour + p[5]*types.MicrosPerMinute
	if len(a) == 7 {
		micros += int64(math.RoundToEven(a[6].F * 1e6))
	}
	if int64(int32(months)) != months || int64(int32(days)) != days {
		return fail(pgerror.New(pgerror.DatetimeFieldOverflow, "interval out of range"))
	}
	return datum{Iv: types.Interval{Months: int32(months), Days: int32(days), Micros: micros}}, nil
}

func unixTime(_ *CallContext, a []datum) (datum, error) {
	s := a[0].F
	switch {
	case math.IsNaN(s):
		return fail(pgerror.New(pgerror.DatetimeFieldOverflow, "timestamp cannot be NaN"))
	case math.IsInf(s, 1):
		return integer(types.TimestampInfinity)
	case math.IsInf(s, -1):
		return integer(types.TimestampNegInfinity)
	case s < -210866803200 || s >= 9224318016000:
		return fail(pgerror.New(pgerror.DatetimeFieldOverflow, "timestamp out of range: \"%s\"", secondsText(s)))
	}
	return integer(int64(math.RoundToEven((s - types.EpochSeconds) * 1e6)))
}

func toUnix(_ *CallContext, a []datum) (datum, error) {
	return integer(floorDiv(a[0].I, types.MicrosPerSecond) + types.EpochSeconds)
}

// dateDiff counts whole units from the first time to the second: months and
// longer by the calendar, shorter ones by elapsed time.
func dateDiff(c *CallContext, a []datum) (datum, error) {
	x, y := a[1].I, a[2].I
	if c.Args[1].OID == types.OIDTimestamptz {
		x, y = types.UTCToLocal(x, c.Env.loc()), types.UTCToLocal(y, c.Env.loc())
	}
	unit := strings.TrimSuffix(strings.ToLower(string(a[0].B)), "s")
	sizes := map[string]int64{
		"microsecond": 1, "millisecond": 1000, "second": types.MicrosPerSecond, "minute": types.MicrosPerMinute,
		"hour": types.MicrosPerHour, "day": types.MicrosPerDay, "week": 7 * types.MicrosPerDay,
	}
	if n, ok := sizes[unit]; ok {
		return integer((y - x) / n)
	}
	months := map[string]int64{"month": 1, "quarter": 3, "year": 12}[unit]
	if months == 0 {
		return fail(types.UnitError(string(a[0].B), types.Timestamp))
	}
	v, err := types.Age(y, x)
	return integer2(int64(v.Months)/months, err)
}

func integer2(v int64, err error) (datum, error) { return types.IntDatum(v), err }
