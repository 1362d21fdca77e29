package format

import (
	"math/big"
	"strings"

	"velostream/catalog/types"
	"velostream/pgwire/pgerror"
	"velostream/storage/column"
)

// TimeFormat says how times are written. The zero TimeFormat: text in
// PostgreSQL's forms (of which ISO 8601 is the quick one), numbers as
// milliseconds since 1970.
type TimeFormat struct {
	// Unit is the microseconds that a number counts; 0: 1000.
	Unit int64
	// Nanos: numbers count nanoseconds; Unit is not used.
	Nanos bool
	// layout is a pattern that text follows.
	layout *layout
}

// ParseTimeFormat reads the value of an option such as event.time.format:
// iso8601, epoch_seconds, epoch_millis, epoch_micros, epoch_nanos, a strftime
// pattern (%Y-%m-%d) or a Java one (yyyy-MM-dd).
func ParseTimeFormat(s string) (TimeFormat, error) {
	switch strings.NewReplacer("-", "_", " ", "_").Replace(strings.ToLower(strings.TrimSpace(s))) {
	case "", "iso8601", "iso_8601", "iso", "rfc3339", "sql":
		return TimeFormat{}, nil
	case "epoch", "epoch_s", "epoch_second", "epoch_seconds", "unix":
		return TimeFormat{Unit: 1e6}, nil
	case "epoch_ms", "epoch_milli", "epoch_millis", "epoch_milliseconds":
		return TimeFormat{Unit: 1000}, nil
	case "epoch_us", "epoch_micro", "epoch_micros", "epoch_microseconds":
		return TimeFormat{Unit: 1}, nil
	case "epoch_ns", "epoch_nano", "epoch_nanos", "epoch_nanoseconds":
		return TimeFormat{Nanos: true}, nil
	}
	l, err := newLayout(s)
	return TimeFormat{layout: l}, err
}

const (
	microsPerDay = 24 * 3600 * 1e6
	// epochMicros is 2000-01-01 in µs since 1970.
	epochMicros = types.EpochSeconds * types.MicrosPerSecond
)

// FromUnixMicros converts µs since 1970 to a timestamp's value.
func FromUnixMicros(us int64) int64 { return us - epochMicros }

// epoch appends a time from a number.
func (c *Cell) epoch(col *column.Column, n *Number) error {
	us, ok := c.Time.micros(n)
	if !ok {
		return c.outOfRange(n.Raw)
	}
	us -= epochMicros
	switch c.Type.OID {
	case types.OIDDate:
		us = floorDiv(us, microsPerDay)
	case types.OIDTime:
		us -= floorDiv(us, microsPerDay) * microsPerDay
	default:
	}
	col.Ints = append(col.Ints, us)
	return nil
}

// micros returns the number as µs since 1970, rounded.
func (f TimeFormat) micros(n *Number) (int64, bool) {
	unit := f.Unit
	if unit == 0 {
		unit = 1000
	}
	const most = int64(9.2e18) - epochMicros
	if !f.Nanos && n.small() && n.Frac == 0 && n.Exp == 0 {
		if n.Mant > uint64(most/unit) {
			return 0, false
		}
		us := int64(n.Mant) * unit
		if n.Neg {
			us = -us
		}
		return us, us > -most
	}
	c := Cell{Field: Field{Type: types.Numeric}, Kind: types.KindDecimal}
	if n.Exp > 30 || n.Exp < -100 {
		return 0, false
	}
	scaled := *n
	num := big.NewInt(unit)
	if f.Nanos {
		num = big.NewInt(1)
		scaled.Exp -= 3
	}
	d, err := c.bigRat(&scaled)
	if err != nil {
		return 0, false
	}
	d.Mul(d, new(big.Rat).SetInt(num))
	half := big.NewRat(1, 2)
	if d.Sign() < 0 {
		half.Neg(half)
	}
	d.Add(d, half)
	q := new(big.Int).Quo(d.Num(), d.Denom())
	if !q.IsInt64() || q.Int64() > most || q.Int64() < -most {
		return 0, false
	}
	return q.Int64(), true
}

func (c *Cell) bigRat(n *Number) (*big.Rat, error) {
	raw := n.Raw
	for i, b := range raw {
		if b == 'e' || b == 'E' {
			raw = raw[:i]
			break
		}
	}
	r, ok := new(big.Rat).SetString(string(raw))
	if !ok {
		return nil, c.Invalid(n.Raw)
	}
	p := new(big.Rat).SetInt(power(max(n.Exp, -n.Exp)))
	if n.Exp < 0 {
		return r.Quo(r, p), nil
	}
	return r.Mul(r, p), nil
}

// timeText appends a time from text.
func (c *Cell) timeText(col *column.Column, b []byte) error {
	if l := c.Time.layout; l != nil {
		us, ok := l.parse(b)
		if !ok {
			return pgerror.New(pgerror.InvalidDatetimeFormat, "field %q: %q does not follow the time format %q", c.Name, clip(b), l.source)
		}
		switch c.Type.OID {
		case types.OIDDate:
			us = floorDiv(us, microsPerDay)
		case types.OIDTime:
			us -= floorDiv(us, microsPerDay) * microsPerDay
		default:
		}
		col.Ints = append(col.Ints, us)
		return nil
	}
	if c.Time.Unit != 0 || c.Time.Nanos {
		var n Number
		if ParseNumber(&n, trim(b)) {
			return c.epoch(col, &n)
		}
	}
	switch c.Type.OID {
	case types.OIDTimestamp, types.OIDTimestamptz:
		if local, offset, ok := c.parseISO(b); ok {
			// PostgreSQL ignores a zone in a timestamp without one.
			if c.Type.OID == types.OIDTimestamptz {
				local -= offset
			}
			col.Ints = append(col.Ints, local)
			return nil
		}
	case types.OIDDate:
		if days, ok := parseISODate(b); ok && len(b) == 10 {
			col.Ints = append(col.Ints, days)
			return nil
		}
	default:
	}
	return c.general(col, b)
}

// parseISODate reads the yyyy-mm-dd that b begins with, as days from 2000.
func parseISODate(b []byte) (int64, bool) {
	if len(b) < 10 || b[4] != '-' || b[7] != '-' {
		return 0, false
	}
	y1, ok1 := two(b[0], b[1])
	y2, ok2 := two(b[2], b[3])
	m, ok3 := two(b[5], b[6])
	d, ok4 := two(b[8], b[9])
	y := y1*100 + y2
	if !ok1 || !ok2 || !ok3 || !ok4 || y == 0 || m < 1 || m > 12 || d < 1 || d > daysIn(y, m) {
		return 0, false
	}
	return types.DaysFromCivil(y, m, d), true
}

// parseISO reads 2025-01-31T12:34:56.789012+02:00 with a T or a space, with or
// without fraction and zone. It returns the local time in µs from 2000 and the
// zone's offset in µs. What is not exactly so is left to the general parser.
// The last date is remembered: most times of a stream are of the same day.
func (c *Cell) parseISO(b []byte) (local, offset int64, ok bool) {
	if len(b) < 19 {
		return 0, 0, false
	}
	days := c.lastDays
	if string(b[:10]) != string(c.lastDate[:]) {
		if days, ok = parseISODate(b); !ok {
			return 0, 0, false
		}
		c.lastDays = days
		copy(c.lastDate[:], b)
	}
	if b[10] != 'T' && b[10] != ' ' || b[13] != ':' || b[16] != ':' {
		return 0, 0, false
	}
	h, ok1 := two(b[11], b[12])
	m, ok2 := two(b[14], b[15])
	s, ok3 := two(b[17], b[18])
	if !ok1 || !ok2 || !ok3 || h > 23 || m > 59 || s > 59 {
		return 0, 0, false
	}
	us := int64(h*3600+m*60+s) * 1e6
	rest := b[19:]
	if len(rest) > 1 && rest[0] == '.' {
		unit, i := int64(100000), 1
		for ; i < len(rest) && rest[i]-'0' <= 9; i++ {
			if i > 6 {
				return 0, 0, false // more than µs are rounded elsewhere
			}
			us += int64(rest[i]-'0') * unit
			unit /= 10
		}
		if i == 1 {
			return 0, 0, false
		}
		rest = rest[i:]
	}
	offset, ok = parseOffset(rest)
	return days*microsPerDay + us, offset, ok
}

// parseOffset reads Z, +02, +0200, +02:00 or nothing.
func parseOffset(b []byte) (int64, bool) {
	if len(b) == 0 || len(b) == 1 && b[0] == 'Z' {
		return 0, true
	}
	if b[0] != '+' && b[0] != '-' || len(b) < 3 {
		return 0, false
	}
	h, ok := two(b[1], b[2])
	m, ok2 := 0, true
	switch {
	case len(b) == 3:
	case len(b) == 5:
		m, ok2 = two(b[3], b[4])
	case len(b) == 6 && b[3] == ':':
		m, ok2 = two(b[4], b[5])
	default:
		return 0, false
	}
	if !ok || !ok2 || h > 15 || m > 59 {
		return 0, false
	}
	us := int64(h*3600+m*60) * 1e6
	if b[0] == '-' {
		us = -us
	}
	return us, true
}

func two(a, b byte) (int, bool) {
	x, y := a-'0', b-'0'
	return int(x)*10 + int(y), x <= 9 && y <= 9
}

func daysIn(y, m int) int {
	switch m {
	case 4, 6, 9, 11:
		return 30
	case 2:
		if y%4 == 0 && (y%100 != 0 || y%400 == 0) {
			return 29
		}
		return 28
	}
	return 31
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}
