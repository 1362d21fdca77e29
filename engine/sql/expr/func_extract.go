package expr

import (
	"strings"
	"time"

	"velostream/catalog/types"
	"velostream/storage/column"
)

// extractFunc computes a field of a value.
type extractFunc func(name string, d datum, loc *time.Location) (types.Decimal, bool, error)

// extractFamily is the table of extract, date_part and date_trunc, and of the
// dialect's functions named like fields.
func extractFamily() []Function {
	kinds := []struct {
		t string
		f extractFunc
		v Volatility
	}{
		{"timestamp", func(n string, d datum, _ *time.Location) (types.Decimal, bool, error) {
			return types.ExtractTimestamp(n, d.I)
		}, Immutable},
		{"timestamptz", func(n string, d datum, loc *time.Location) (types.Decimal, bool, error) {
			return types.ExtractTimestamptz(n, d.I, loc)
		}, Stable},
		{"date", func(n string, d datum, _ *time.Location) (types.Decimal, bool, error) {
			return types.ExtractDate(n, d.I)
		}, Immutable},
		{"time", func(n string, d datum, _ *time.Location) (types.Decimal, bool, error) {
			return types.ExtractTime(n, d.I)
		}, Immutable},
		{"interval", func(n string, d datum, _ *time.Location) (types.Decimal, bool, error) {
			return types.ExtractInterval(n, d.Iv)
		}, Immutable},
	}
	var defs []def
	for _, k := range kinds {
		defs = append(defs,
			def{sig: "extract(text," + k.t + ") numeric", scalar: extract(k.f), volatility: k.v, doc: "field"},
		)
		part := k.f
		if k.t == "date" { // which is that of its midnight
			part = func(n string, d datum, _ *time.Location) (types.Decimal, bool, error) {
				t, err := types.DateToTimestamp(d.I)
				if err != nil {
					return types.Decimal{}, false, err
				}
				return types.ExtractTimestamp(n, t)
			}
		}
		defs = append(defs, def{sig: "date_part(text," + k.t + ") float8", scalar: datePart(part), volatility: k.v, doc: "field"})
		if k.t == "time" || k.t == "interval" {
			continue
		}
		for _, field := range []string{"year", "month", "day", "hour", "minute", "second", "week", "quarter", "dow", "doy"} {
			if k.t == "date" && (field == "hour" || field == "minute" || field == "second") {
				continue
			}
			defs = append(defs, def{sig: field + "(" + k.t + ") int4", scalar: fieldInt(field, k.f), volatility: k.v, doc: field + " of a time"})
		}
	}
	return append(table(defs), table([]def{
		{sig: "date_trunc(text,timestamp) timestamp", kernel: truncKernel(false), doc: "start of the unit"},
		{sig: "date_trunc(text,timestamptz) timestamptz", kernel: truncKernel(true), volatility: Stable, doc: "start of the unit"},
		{sig: "date_trunc(text,timestamptz,text) timestamptz", scalar: truncInZone, doc: "start of the unit in a time zone"},
		{sig: "date_trunc(text,interval) interval", scalar: func(_ *CallContext, a []datum) (datum, error) {
			return iv(types.TruncInterval(string(a[0].B), a[1].Iv))
		}, doc: "cut to the unit"},
	})...)
}

// dialectScale are the units that the dialect adds to extract, per second.
var dialectScale = map[string]int64{"nanosecond": 1_000_000_000, "nanoseconds": 1_000_000_000}

func extract(f extractFunc) Scalar {
	return func(c *CallContext, a []datum) (datum, error) {
		name := string(a[0].B)
		if n, ok := dialectScale[strings.ToLower(name)]; ok {
			d, ok, err := f("second", a[1], c.Env.loc())
			if err != nil || !ok {
				return types.NullDatum, err
			}
			d, err = d.Mul(types.FromInt64(n))
			return types.DecimalDatum(d.Trunc(0)), err
		}
		d, ok, err := f(name, a[1], c.Env.loc())
		if err == nil && !ok {
			return null()
		}
		return types.DecimalDatum(d), err
	}
}

func datePart(f extractFunc) Scalar {
	numeric := extract(f)
	return func(c *CallContext, a []datum) (datum, error) {
		d, err := numeric(c, a)
		if err != nil || d.Null {
			return d, err
		}
		return float(d.Dec.Float64())
	}
}

func fieldInt(name string, f extractFunc) Scalar {
	return func(c *CallContext, a []datum) (datum, error) {
		d, ok, err := f(name, a[0], c.Env.loc())
		if err != nil || !ok {
			return types.NullDatum, err
		}
		v, _ := d.Trunc(0).Int64()
		return integer(v)
	}
}

// truncUnits are the units of even length.
var truncUnits = map[string]int64{
	"second": types.MicrosPerSecond, "minute": types.MicrosPerMinute, "hour": types.MicrosPerHour, "day": types.MicrosPerDay,
}

// truncKernel is date_trunc; a unit of even length on an even clock is a
// division.
func truncKernel(zoned bool) Kernel {
	return func(c *CallContext, args []*column.Column, out *column.Column) error {
		loc := time.UTC
		if zoned {
			loc = c.Env.loc()
		}
		slow := func(name string, v int64) (int64, error) {
			if zoned {
				return types.TruncTimestamptz(name, v, loc)
			}
			return types.TruncTimestamp(name, v)
		}
		unit, t := args[0], args[1]
		if unit.Const && loc == time.UTC {
			name := string(unit.Bytes(0))
			if size, ok := truncUnits[name]; ok {
				return c.each(func(i int) (err error) {
					v := t.Ints[t.At(i)]
					if !isSafe(v) {
						out.Ints[i], err = slow(name, v)
						return err
					}
					r := v % size
					if r < 0 {
						r += size
					}
					out.Ints[i] = v - r
					return nil
				})
			}
		}
		return c.each(func(i int) (err error) {
			out.Ints[i], err = slow(string(unit.Bytes(i)), t.Ints[t.At(i)])
			return err
		})
	}
}

func truncInZone(c *CallContext, a []datum) (datum, error) {
	if !isFinite(a[1].I) {
		return a[1], nil
	}
	loc, err := memo(c, a[2].B, findZone)
	if err != nil {
		return fail(err)
	}
	return ts(types.TruncTimestamptz(string(a[0].B), a[1].I, loc))
}
