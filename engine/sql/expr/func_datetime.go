package expr

import (
	"strings"
	"time"

	"velostream/catalog/types"
	"velostream/pgwire/pgerror"
	"velostream/storage/column"
)

// datetimeFamily is the table of date and time operators and functions
// (https://www.postgresql.org/docs/15/functions-datetime.html).
func datetimeFamily() []Function {
	return append(append(append(datetimeOps(), extractFamily()...), makeTimeFamily()...), table([]def{
		{sig: "age(timestamp,timestamp) interval", scalar: func(_ *CallContext, a []datum) (datum, error) { return iv(types.Age(a[0].I, a[1].I)) }, doc: "difference in years, months and days"},
		{sig: "age(timestamptz,timestamptz) interval", scalar: func(c *CallContext, a []datum) (datum, error) {
			loc := c.Env.loc()
			return iv(types.Age(types.UTCToLocal(a[0].I, loc), types.UTCToLocal(a[1].I, loc)))
		}, volatility: Stable, doc: "difference in years, months and days"},
		{sig: "age(timestamp) interval", scalar: func(c *CallContext, a []datum) (datum, error) {
			return iv(types.Age(c.Env.today(), a[0].I))
		}, volatility: Stable, doc: "difference from midnight today"},
		{sig: "age(timestamptz) interval", scalar: func(c *CallContext, a []datum) (datum, error) {
			return iv(types.Age(c.Env.today(), types.UTCToLocal(a[0].I, c.Env.loc())))
		}, volatility: Stable, doc: "difference from midnight today"},
		{sig: "date_bin(interval,timestamp,timestamp) timestamp", scalar: dateBin, doc: "start of the bin"},
		{sig: "date_bin(interval,timestamptz,timestamptz) timestamptz", scalar: dateBin, doc: "start of the bin"},
		{sig: "justify_hours(interval) interval", scalar: func(_ *CallContext, a []datum) (datum, error) { return iv(a[0].Iv.JustifyHours()) }, doc: "24 hours as days"},
		{sig: "justify_days(interval) interval", scalar: func(_ *CallContext, a []datum) (datum, error) { return iv(a[0].Iv.JustifyDays()) }, doc: "30 days as months"},
		{sig: "justify_interval(interval) interval", scalar: func(_ *CallContext, a []datum) (datum, error) { return iv(a[0].Iv.Justify()) }, doc: "hours as days, days as months, one sign"},
		{sig: "isfinite(date) bool", scalar: func(_ *CallContext, a []datum) (datum, error) {
			return boolean(a[0].I != types.DateInfinity && a[0].I != types.DateNegInfinity)
		}, doc: "is not infinite"},
		{sig: "isfinite(timestamp) bool", scalar: finiteTime, doc: "is not infinite"},
		{sig: "isfinite(timestamptz) bool", scalar: finiteTime, doc: "is not infinite"},
		{sig: "isfinite(interval) bool", scalar: func(*CallContext, []datum) (datum, error) { return boolean(true) }, doc: "is not infinite"},
		{sig: "timezone(text,timestamptz) timestamp", scalar: zoneLocal, doc: "local time in a zone"},
		{sig: "timezone(text,timestamp) timestamptz", scalar: zoneUTC, doc: "time of a local time in a zone"},
		{sig: "timezone(interval,timestamptz) timestamp", scalar: zoneLocal, doc: "local time at an offset"},
		{sig: "timezone(interval,timestamp) timestamptz", scalar: zoneUTC, doc: "time of a local time at an offset"},
	})...)
}

// castScalar is a function that is the cast to its result type.
func castScalar(c *CallContext, a []datum) (datum, error) {
	return types.CastDatum(c.Args[0], c.Ret, a[0], c.Env.format())
}

func (e *Env) loc() *time.Location { return e.format().Loc() }

// today is midnight of the transaction's date, local time.
func (e *Env) today() int64 {
	local := types.UTCToLocal(e.now(), e.loc())
	days := local / types.MicrosPerDay
	if local%types.MicrosPerDay < 0 {
		days--
	}
	return days * types.MicrosPerDay
}

// now is the time of the transaction's start.
func (e *Env) now() int64 {
	if e == nil || e.Now == 0 {
		return clock()
	}
	return e.Now
}

// clock is the time now, as a timestamptz.
func clock() int64 { return types.FromTime(time.Now()) }

func iv(v types.Interval, err error) (datum, error) { return datum{Iv: v}, err }
func ts(v int64, err error) (datum, error)          { return datum{I: v}, err }

func finiteTime(_ *CallContext, a []datum) (datum, error) {
	return boolean(isFinite(a[0].I))
}

func isFinite(ts int64) bool {
	return ts != types.TimestampInfinity && ts != types.TimestampNegInfinity
}

func dateBin(_ *CallContext, a []datum) (datum, error) {
	return ts(types.DateBin(a[0].Iv, a[1].I, a[2].I))
}

// zoneOf reads argument 0 as a time zone.
func zoneOf(c *CallContext, a []datum) (*time.Location, error) {
	if c.Args[0].OID == types.OIDInterval {
		v := a[0].Iv
		if v.Months != 0 || v.Days != 0 {
			return nil, pgerror.New(pgerror.InvalidParameterValue, "interval time zone \"%s\" must not include months or days",
				types.AppendText(nil, types.IntervalT, a[0], nil))
		}
		return types.FixedOffset(int(v.Micros / types.MicrosPerSecond)), nil
	}
	return memo(c, a[0].B, findZone)
}

func findZone(name string) (*time.Location, error) {
	if loc, ok := types.FindZone(name); ok {
		return loc, nil
	}
	name = strings.ToValidUTF8(name[:min(len(name), 255)], "") // what PostgreSQL looks at
	return nil, pgerror.New(pgerror.InvalidParameterValue, "time zone \"%s\" not recognized", name)
}

func zoneLocal(c *CallContext, a []datum) (datum, error) {
	if !isFinite(a[1].I) {
		return a[1], nil
	}
	loc, err := zoneOf(c, a)
	if err != nil {
		return fail(err)
	}
	return ts(types.TimestamptzToTimestamp(a[1].I, loc))
}

func zoneUTC(c *CallContext, a []datum) (datum, error) {
	if !isFinite(a[1].I) {
		return a[1], nil
	}
	loc, err := zoneOf(c, a)
	if err != nil {
		return fail(err)
	}
	return ts(types.TimestampToTimestamptz(a[1].I, loc))
}

// overlapsFamily is OVERLAPS for spans of start and end, or of start and length.
func overlapsFamily() []Function {
	var defs []def
	for _, t := range []string{"timestamp", "timestamptz", "time"} {
		for _, e1 := range []string{t, "interval"} {
			for _, e2 := range []string{t, "interval"} {
				d := def{sig: "overlaps(" + t + "," + e1 + "," + t + "," + e2 + ") bool", scalar: overlaps, nullCall: true, doc: "OVERLAPS"}
				if e1 == "interval" || e2 == "interval" {
					d.scalar = overlapsLength
				}
				if t == "timestamptz" && (e1 != t || e2 != t) {
					d.volatility = Stable
				}
				defs = append(defs, d)
			}
		}
	}
	return table(defs)
}

// overlapsLength is overlaps for spans of which some are given by their length.
func overlapsLength(c *CallContext, a []datum) (datum, error) {
	ends := append([]datum(nil), a...)
	for _, i := range []int{1, 3} {
		if c.Args[i].OID != types.OIDInterval {
			continue
		}
		start, length := a[i-1], a[i]
		if start.Null || length.Null {
			ends[i] = types.NullDatum
			continue
		}
		v, err := start.I, error(nil)
		switch c.Args[i-1].OID {
		case types.OIDTime:
			v = types.AddTime(v, length.Iv)
		case types.OIDTimestamp:
			v, err = types.AddTimestamp(v, length.Iv)
		default:
			v, err = types.AddTimestamptz(v, length.Iv, c.Env.loc())
		}
		if err != nil {
			return fail(err)
		}
		ends[i] = types.IntDatum(v)
	}
	return overlaps(c, ends)
}

// overlaps is (s1, e1) OVERLAPS (s2, e2): half-open spans, a span of no length
// being its instant.
func overlaps(_ *CallContext, a []datum) (datum, error) {
	order := func(s, e datum) (lo, hi datum, ok bool) {
		switch {
		case s.Null && e.Null:
			return s, e, false
		case s.Null:
			return e, s, true
		case !e.Null && s.I > e.I:
			return e, s, true
		}
		return s, e, true
	}
	s1, e1, ok1 := order(a[0], a[1])
	s2, e2, ok2 := order(a[2], a[3])
	if !ok1 || !ok2 {
		return null()
	}
	if s1.I > s2.I {
		s1, e1, s2, e2 = s2, e2, s1, e1
	}
	switch {
	case s1.I == s2.I:
		if e1.Null || e2.Null {
			return null()
		}
		return boolean(true)
	case e1.Null:
		return null()
	case s2.I < e1.I:
		return boolean(true)
	case e2.Null:
		return null()
	}
	return boolean(false)
}

// datetimeOps is the table of operators.
func datetimeOps() []Function {
	return table([]def{
		{sig: "+(date,int4) date", scalar: func(_ *CallContext, a []datum) (datum, error) { return ts(types.AddDate(a[0].I, a[1].I)) }, doc: "days later"},
		{sig: "+(int4,date) date", scalar: func(_ *CallContext, a []datum) (datum, error) { return ts(types.AddDate(a[1].I, a[0].I)) }, doc: "days later"},
		{sig: "-(date,int4) date", scalar: func(_ *CallContext, a []datum) (datum, error) { return ts(types.AddDate(a[0].I, -a[1].I)) }, doc: "days earlier"},
		{sig: "-(date,date) int4", scalar: func(_ *CallContext, a []datum) (datum, error) { return ts(types.DiffDates(a[0].I, a[1].I)) }, doc: "days between"},
		{sig: "+(date,interval) timestamp", scalar: datePlus(1, 0, false), doc: "later time"},
		{sig: "+(interval,date) timestamp", scalar: datePlus(0, 1, false), doc: "later time"},
		{sig: "-(date,interval) timestamp", scalar: datePlus(1, 0, true), doc: "earlier time"},
		{sig: "+(date,time) timestamp", scalar: dateTime(0, 1), doc: "date and time of day"},
		{sig: "+(time,date) timestamp", scalar: dateTime(1, 0), doc: "date and time of day"},
		{sig: "+(timestamp,interval) timestamp", kernel: shiftTime(false, 0), doc: "later time"},
		{sig: "+(interval,timestamp) timestamp", kernel: shiftTime(false, 1), doc: "later time"},
		{sig: "-(timestamp,interval) timestamp", kernel: shiftTime(true, 0), doc: "earlier time"},
		{sig: "+(timestamptz,interval) timestamptz", kernel: shiftTimeZone(false, 0), volatility: Stable, doc: "later time"},
		{sig: "+(interval,timestamptz) timestamptz", kernel: shiftTimeZone(false, 1), volatility: Stable, doc: "later time"},
		{sig: "-(timestamptz,interval) timestamptz", kernel: shiftTimeZone(true, 0), volatility: Stable, doc: "earlier time"},
		{sig: "-(timestamp,timestamp) interval", kernel: diffTimes, doc: "time between"},
		{sig: "-(timestamptz,timestamptz) interval", kernel: diffTimes, doc: "time between"},
		{sig: "+(time,interval) time", scalar: func(_ *CallContext, a []datum) (datum, error) { return integer(types.AddTime(a[0].I, a[1].Iv)) }, doc: "later time of day"},
		{sig: "+(interval,time) time", scalar: func(_ *CallContext, a []datum) (datum, error) { return integer(types.AddTime(a[1].I, a[0].Iv)) }, doc: "later time of day"},
		{sig: "-(time,interval) time", scalar: func(_ *CallContext, a []datum) (datum, error) {
			return integer(types.AddTime(a[0].I, types.Interval{Micros: -(a[1].Iv.Micros % types.MicrosPerDay)}))
		}, doc: "earlier time of day"},
		{sig: "-(time,time) interval", scalar: func(_ *CallContext, a []datum) (datum, error) {
			return datum{Iv: types.Interval{Micros: a[0].I - a[1].I}}, nil
		}, doc: "time between"},
		{sig: "+(interval,interval) interval", scalar: func(_ *CallContext, a []datum) (datum, error) { return iv(a[0].Iv.Add(a[1].Iv)) }, doc: "sum"},
		{sig: "-(interval,interval) interval", scalar: func(_ *CallContext, a []datum) (datum, error) { return iv(a[0].Iv.Sub(a[1].Iv)) }, doc: "difference"},
		{sig: "-(interval) interval", scalar: func(_ *CallContext, a []datum) (datum, error) { return iv(a[0].Iv.Neg()) }, doc: "negation"},
		{sig: "*(interval,float8) interval", scalar: func(_ *CallContext, a []datum) (datum, error) { return iv(a[0].Iv.Mul(a[1].F)) }, doc: "multiple"},
		{sig: "*(float8,interval) interval", scalar: func(_ *CallContext, a []datum) (datum, error) { return iv(a[1].Iv.Mul(a[0].F)) }, doc: "multiple"},
		{sig: "/(interval,float8) interval", scalar: func(_ *CallContext, a []datum) (datum, error) { return iv(a[0].Iv.Div(a[1].F)) }, doc: "part"},
	})
}

// datePlus adds interval argument i to date argument d, or takes it off.
func datePlus(i, d int, minus bool) Scalar {
	return func(_ *CallContext, a []datum) (datum, error) {
		t, err := types.DateToTimestamp(a[d].I)
		if err != nil {
			return fail(err)
		}
		if minus {
			return ts(types.SubTimestamp(t, a[i].Iv))
		}
		return ts(types.AddTimestamp(t, a[i].Iv))
	}
}

func dateTime(d, t int) Scalar {
	return func(_ *CallContext, a []datum) (datum, error) {
		v, err := types.DateToTimestamp(a[d].I)
		if err != nil || v == types.TimestampInfinity || v == types.TimestampNegInfinity {
			return types.IntDatum(v), err
		}
		return integer(v + a[t].I)
	}
}

// timeSafe bounds times and shifts whose sum needs no check: 10,000 years.
const timeSafe = 10_000 * 366 * types.MicrosPerDay

func isSafe(v int64) bool { return v > -timeSafe && v < timeSafe }

// shiftTime adds an interval to the timestamp in argument at, or takes it off.
func shiftTime(minus bool, at int) Kernel {
	f := types.AddTimestamp
	if minus {
		f = types.SubTimestamp
	}
	return func(c *CallContext, args []*column.Column, out *column.Column) error {
		return shiftRows(c, args[at], args[1-at], out, minus, true, f)
	}
}

func shiftTimeZone(minus bool, at int) Kernel {
	f := types.AddTimestamptz
	if minus {
		f = types.SubTimestamptz
	}
	return func(c *CallContext, args []*column.Column, out *column.Column) error {
		loc := c.Env.loc()
		return shiftRows(c, args[at], args[1-at], out, minus, loc == time.UTC, func(t int64, iv types.Interval) (int64, error) { return f(t, iv, loc) })
	}
}

// shiftRows computes time ± interval; where days have 24 hours (even), an
// interval without months is a distance in µs.
func shiftRows(c *CallContext, t, v, out *column.Column, minus, even bool, f func(int64, types.Interval) (int64, error)) error {
	if v.Const && v.Ivs[0].Months == 0 {
		iv := v.Ivs[0]
		by := int64(iv.Days)*types.MicrosPerDay + iv.Micros
		if (even || iv.Days == 0) && isSafe(int64(iv.Days)*types.MicrosPerDay) && isSafe(iv.Micros) {
			if minus {
				by = -by
			}
			return c.each(func(i int) (err error) {
				x := t.Ints[t.At(i)]
				if isSafe(x) {
					out.Ints[i] = x + by
					if isSafe(x + by) {
						return nil
					}
				}
				out.Ints[i], err = f(x, iv)
				return err
			})
		}
	}
	return c.each(func(i int) (err error) {
		out.Ints[i], err = f(t.Ints[t.At(i)], v.Ivs[v.At(i)])
		return err
	})
}

func diffTimes(c *CallContext, args []*column.Column, out *column.Column) error {
	a, b, am, bm := intArgs(args)
	return c.each(func(i int) (err error) {
		out.Ivs[i], err = types.DiffTimestamps(a[i&am], b[i&bm])
		return err
	})
}
