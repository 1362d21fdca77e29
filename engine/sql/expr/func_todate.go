package expr

import (
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"velostream/catalog/types"
	"velostream/pgwire/pgerror"
)

// timeReader reads a text by a template. A number of 0 is one that was not
// given: such fields keep their defaults, the first of January of year 1 BC at
// midnight.
type timeReader struct {
	in    string
	pos   int
	nodes []timeNode
	fixed bool // FX: every character counts
	// extra is how many more blanks and separators of the text were passed over
	// than the template has.
	extra int

	mode                              byte // 'g': Gregorian fields, 'i': of the ISO week calendar
	year, month, day, doy             int
	week, weekOfMonth, weekday        int
	hour, minute, second, milli       int
	micro, precision                  int // precision is that of FF1 to FF6
	pm, bc                            int // 0 or 1
	twelve                            bool
	yearDigits                        int
	julian, century, secondsOfDay     int
	zoneSign, zoneHour, zoneMinute    int
	civilYear, civilMonth, civilDay   int
	knowsYear, knowsMonth, knowsDay   bool
	clockHour, clockMinute, clockSecs int
}

func toTimestamp(c *CallContext, a []datum) (datum, error) {
	r, err := readTime(c, a)
	if err != nil {
		return fail(err)
	}
	t, err := types.DateToTimestamp(r.days())
	if err != nil {
		return fail(pgerror.New(pgerror.DatetimeFieldOverflow, "timestamp out of range"))
	}
	t += r.clock()
	if r.precision > 0 {
		d, err := types.Coerce(types.Type{OID: types.OIDTimestamp, Mod: int32(r.precision)}, types.Datum{I: t}, true)
		if err != nil {
			return fail(err)
		}
		t = d.I
	}
	if r.zoneSign != 0 {
		t -= int64(r.zoneSign) * (int64(r.zoneHour)*types.MicrosPerHour + int64(r.zoneMinute)*types.MicrosPerMinute)
	} else if t, err = types.TimestampToTimestamptz(t, c.Env.loc()); err != nil {
		return fail(err)
	}
	if types.CheckTimestamp(t) != nil {
		return fail(pgerror.New(pgerror.DatetimeFieldOverflow, "timestamp out of range"))
	}
	return integer(t)
}

// Days since 2000-01-01 of the first and last date: 4714-11-24 BC, 5874897-12-31.
const (
	minToDate = -2451545
	maxToDate = 2145031948
)

func toDate(c *CallContext, a []datum) (datum, error) {
	r, err := readTime(c, a)
	if err != nil {
		return fail(err)
	}
	if d := r.days(); d < minToDate || d > maxToDate {
		return fail(pgerror.New(pgerror.DatetimeFieldOverflow, "date out of range: \"%s\"", r.in))
	}
	return integer(r.days())
}

func readTime(c *CallContext, a []datum) (*timeReader, error) {
	nodes, err := template(c, a[1].B)
	if err != nil {
		return nil, err
	}
	r := &timeReader{in: string(a[0].B), nodes: nodes}
	if err := r.read(); err != nil {
		return nil, err
	}
	return r, r.resolve()
}

// blanks passes over blanks.
func (r *timeReader) blanks() {
	for r.pos < len(r.in) && isBlank(r.in[r.pos]) {
		r.pos++
		r.extra++
	}
}

// skipRune passes over a character, if there is one.
func (r *timeReader) skipRune() {
	_, size := utf8.DecodeRuneInString(r.in[r.pos:])
	r.pos += size
}

// read goes through the template as far as there is text.
func (r *timeReader) read() error {
	for i, n := range r.nodes {
		if r.pos >= len(r.in) {
			return nil
		}
		literal := n.field == "" && !n.sep
		if !r.fixed && (!literal || i == 0) && n.field != "FX" {
			r.blanks()
		}
		switch {
		case n.field != "":
		case r.fixed:
			r.skipRune()
			continue
		case n.sep: // stands for one such character of the text, or none
			r.extra--
			if r.pos < len(r.in) && (isBlank(r.in[r.pos]) || isSeparator(r.in[r.pos])) {
				r.pos++
				r.extra++
			}
			continue
		default: // stands for any one, which may have been passed over
			if r.extra > 0 {
				r.extra--
			} else {
				r.skipRune()
			}
			continue
		}
		if err := r.field(n, i); err != nil {
			return err
		}
		if n.th != "" && r.pos < len(r.in) && ordinalField(n.field) {
			r.skipRune()
			r.skipRune()
		}
		if !r.fixed {
			r.extra = 0
			r.blanks()
		}
	}
	return nil
}

// numberField reports that a field is read as digits.
func numberField(f timeField) bool {
	switch f {
	case "A.D.", "A.M.", "AD", "AM", "B.C.", "BC", "DAY", "DY", "FX", "MONTH", "MON", "OF", "P.M.", "PM", "RM", "TZH", "TZ":
		return false
	}
	return true
}

// ordinalField reports that TH behind a field means something.
func ordinalField(f timeField) bool { return numberField(f) && f != "TZM" }

// bounded reports that the number at node i ends by itself: what follows it in
// the template is no digit.
func (r *timeReader) bounded(i int) bool {
	switch {
	case r.nodes[i].th != "" || i+1 >= len(r.nodes):
		return true
	case r.nodes[i+1].field != "":
		return !numberField(r.nodes[i+1].field)
	}
	t := r.nodes[i+1].text
	return len(t) != 1 || t[0] < '0' || t[0] > '9'
}

// wrongTime is an error about a field's text.
func wrongTime(text string, n timeNode, detail string, args ...any) *pgerror.Error {
	return pgerror.New(pgerror.InvalidDatetimeFormat, "invalid value \"%s\" for \"%s\"", text, n.text).WithDetail(detail, args...)
}

const fillHint = "If your source string is not fixed-width, try using the \"FM\" modifier."

// integerAt reads an integer as C's strtol: blanks, a sign, digits. end is 0
// where there is none.
func integerAt(s string) (v int64, end int, overflow bool) {
	i := 0
	for i < len(s) && isBlank(s[i]) {
		i++
	}
	start := i
	if i < len(s) && (s[i] == '-' || s[i] == '+') {
		i++
	}
	digits := i
	for i < len(s) && s[i] >= '0' && s[i] <= '9' {
		i++
	}
	if i == digits {
		return 0, 0, false
	}
	v, err := strconv.ParseInt(s[start:i], 10, 32)
	return v, i, err != nil
}

// number reads the integer of node i, of width characters unless its end shows
// by itself, into to (nil: it is not kept), and returns how long it was.
func (r *timeReader) number(i, width int, to *int) (int, error) {
	n, start := r.nodes[i], r.pos
	for r.pos < len(r.in) && isBlank(r.in[r.pos]) {
		r.pos++
	}
	rest := r.in[r.pos:]
	part := rest[:min(width, len(rest))]
	var v int64
	var overflow bool
	if n.fill || r.bounded(i) {
		var w int
		v, w, overflow = integerAt(r.in[start:])
		r.pos = start + w
	} else {
		if len(rest) < width {
			return 0, pgerror.New(pgerror.InvalidDatetimeFormat, "source string too short for \"%s\" formatting field", n.text).
				WithDetail("Field requires %d characters, but only %d remain.", width, len(rest)).WithHint(fillHint)
		}
		var w int
		v, w, overflow = integerAt(part)
		if w > 0 && w < width {
			return 0, wrongTime(part, n, "Field requires %d characters, but only %d could be parsed.", width, w).WithHint(fillHint)
		}
		r.pos += w
	}
	if r.pos == start {
		return 0, wrongTime(part, n, "Value must be an integer.")
	}
	if overflow {
		return 0, pgerror.New(pgerror.DatetimeFieldOverflow, "value for \"%s\" in source string is out of range", n.text).
			WithDetail("Value must be in the range %d to %d.", math.MinInt32, math.MaxInt32)
	}
	if to != nil {
		if err := set(to, int(v), n); err != nil {
			return 0, err
		}
	}
	return r.pos - start, nil
}

// set keeps a field's value, which may be given twice but not differ.
func set(to *int, v int, n timeNode) error {
	if *to != 0 && *to != v {
		return pgerror.New(pgerror.InvalidDatetimeFormat, "conflicting values for \"%s\" field in formatting string", n.text).
			WithDetail("This value contradicts a previous setting for the same field type.")
	}
	*to = v
	return nil
}

// name reads one of the names, in any case, cut to short characters if that is
// not 0, and returns its index.
func (r *timeReader) name(n timeNode, names []string, short int) (int, error) {
	for i, s := range names {
		if short > 0 && len(s) > short {
			s = s[:short]
		}
		if len(r.in)-r.pos >= len(s) && strings.EqualFold(r.in[r.pos:r.pos+len(s)], s) {
			r.pos += len(s)
			return i, nil
		}
	}
	end := r.pos
	for end < len(r.in) && !isBlank(r.in[end]) {
		end++
	}
	return 0, wrongTime(r.in[r.pos:end], n, "The given value did not match any of the allowed values for this field.")
}

// calendar of a field: 'g' Gregorian, 'i' of ISO weeks, 0 of both.
func (n timeNode) calendar() byte {
	switch n.field {
	case "DDD", "DD", "D", "MM", "MONTH", "MON", "RM", "W", "WW", "Y,YYY", "YYYY", "YYY", "YY", "Y":
		return 'g'
	case "IDDD", "ID", "IW", "IYYY", "IYY", "IY", "I":
		return 'i'
	}
	return 0
}

func (r *timeReader) field(n timeNode, i int) error {
	if c := n.calendar(); c != 0 {
		if r.mode != 0 && r.mode != c {
			return pgerror.New(pgerror.InvalidDatetimeFormat, "invalid combination of date conventions").
				WithHint("Do not mix Gregorian and ISO week date conventions in a formatting template.")
		}
		r.mode = c
	}
	num := func(width int, to *int) error {
		_, err := r.number(i, width, to)
		return err
	}
	named := func(to *int, names []string, short, from int) error {
		v, err := r.name(n, names, short)
		if err != nil {
			return err
		}
		return set(to, v+from, n)
	}
	switch n.field {
	case "FX":
		r.fixed = true
		return nil
	case "YYYY", "YYY", "YY", "Y", "IYYY", "IYY", "IY", "I":
		return r.readYear(n, i)
	case "Y,YYY":
		return r.readThousands(n)
	case "MM":
		return num(2, &r.month)
	case "MONTH":
		return named(&r.month, monthNames, 0, 1)
	case "MON":
		return named(&r.month, monthNames, 3, 1)
	case "RM":
		return r.readRoman(n)
	case "DD":
		return num(2, &r.day)
	case "DDD", "IDDD":
		return num(3, &r.doy)
	case "IW", "WW":
		return num(2, &r.week)
	case "W":
		return num(1, &r.weekOfMonth)
	case "D":
		return num(1, &r.weekday)
	case "ID":
		err := num(1, &r.weekday)
		if r.weekday++; r.weekday > 7 { // Sunday is 1 in weekday
			r.weekday = 1
		}
		return err
	case "DAY", "DY":
		short := 0
		if n.field == "DY" {
			short = 3
		}
		err := named(&r.weekday, dayNames, short, 0)
		r.weekday++
		return err
	case "J":
		return num(1, &r.julian)
	case "CC":
		return num(2, &r.century)
	case "Q": // which day of the quarter is not known
		return num(1, nil)
	}
	return r.clockField(n, num)
}

// readRoman reads a month, the long numbers before those they begin with.
func (r *timeReader) readRoman(n timeNode) error {
	at, best := r.pos, -1
	for i, s := range romanNames {
		if strings.HasPrefix(strings.ToUpper(r.in[at:min(len(r.in), at+len(s))]), s) && (best < 0 || len(s) > len(romanNames[best])) {
			best = i
		}
	}
	if best < 0 {
		_, err := r.name(n, romanNames, 0)
		return err
	}
	r.pos += len(romanNames[best])
	return set(&r.month, best+1, n)
}

// readYear reads a year; one of few digits is the nearest to 2020.
func (r *timeReader) readYear(n timeNode, i int) error {
	size := len(n.field)
	w, err := r.number(i, size, &r.year)
	if err == nil && size < 4 && w < 4 {
		r.year = nearYear(r.year)
	}
	r.yearDigits = size
	return err
}

func nearYear(v int) int {
	switch {
	case v < 70:
		return v + 2000
	case v < 100:
		return v + 1900
	case v < 520:
		return v + 2000
	case v < 1000:
		return v + 1000
	}
	return v
}

// readThousands reads a year as 2,020.
func (r *timeReader) readThousands(n timeNode) error {
	bad := pgerror.New(pgerror.InvalidDatetimeFormat, "invalid input string for \"Y,YYY\"")
	hi, w, over := integerAt(r.in[r.pos:])
	rest := r.in[r.pos+w:]
	if w == 0 || over || rest == "" || rest[0] != ',' {
		return bad
	}
	rest = rest[1:]
	lead := 0
	for lead < len(rest) && isBlank(rest[lead]) {
		lead++
	}
	lo, v, over := integerAt(rest[:min(lead+3, len(rest))])
	if v == 0 || over {
		return bad
	}
	r.pos += w + 1 + v
	r.yearDigits = 4
	return set(&r.year, int(hi*1000+lo), n)
}

func (r *timeReader) clockField(n timeNode, num func(int, *int) error) error {
	half := func(to *int, names ...string) error {
		v, err := r.name(n, names, 0)
		if err != nil {
			return err
		}
		return set(to, v, n)
	}
	switch n.field {
	case "AD", "BC":
		return half(&r.bc, "ad", "bc")
	case "A.D.", "B.C.":
		return half(&r.bc, "a.d.", "b.c.")
	case "AM", "PM":
		r.twelve = true
		return half(&r.pm, "am", "pm")
	case "A.M.", "P.M.":
		r.twelve = true
		return half(&r.pm, "a.m.", "p.m.")
	case "HH12", "HH":
		r.twelve = true
		return num(2, &r.hour)
	case "HH24":
		return num(2, &r.hour)
	case "MI":
		return num(2, &r.minute)
	case "SS":
		return num(2, &r.second)
	case "MS":
		return r.readFraction(n, 3, &r.milli, num)
	case "US":
		return r.readFraction(n, 6, &r.micro, num)
	case "FF1", "FF2", "FF3", "FF4", "FF5", "FF6":
		r.precision = int(n.field[2] - '0')
		return r.readFraction(n, r.precision, &r.micro, num)
	case "SSSS", "SSSSS":
		return num(len(n.field), &r.secondsOfDay)
	case "TZH":
		return r.readZoneHour(num)
	case "TZM":
		if r.zoneSign == 0 {
			r.zoneSign = 1
		}
		return num(2, &r.zoneMinute)
	}
	return pgerror.Unsupported("formatting field \"%s\" is only supported in to_char", n.text)
}

// readFraction reads digits behind the point of seconds: 25 is 0.25. They are kept
// in thousandths in MS, in millionths in the others.
func (r *timeReader) readFraction(n timeNode, width int, to *int, num func(int, *int) error) error {
	start := r.pos
	if err := num(width, to); err != nil {
		return err
	}
	unit := 6
	if n.field == "MS" {
		unit = 3
	}
	for w := r.pos - start; w < unit; w++ {
		*to *= 10
	}
	return nil
}

// readZoneHour reads the hours of an offset; its minus may have been taken for a
// separator.
func (r *timeReader) readZoneHour(num func(int, *int) error) error {
	r.zoneSign = 1
	switch c := r.in[r.pos:]; {
	case c != "" && (c[0] == '+' || c[0] == '-' || c[0] == ' '):
		if c[0] == '-' {
			r.zoneSign = -1
		}
		r.pos++
	case r.extra > 0 && r.pos > 0 && r.in[r.pos-1] == '-':
		r.zoneSign = -1
	}
	return num(2, &r.zoneHour)
}

func (r *timeReader) outOfRange() error {
	return pgerror.New(pgerror.DatetimeFieldOverflow, "date/time field value out of range: \"%s\"", r.in)
}

// resolve puts the fields together.
func (r *timeReader) resolve() error {
	if err := r.resolveClock(); err != nil {
		return err
	}
	r.civilMonth, r.civilDay = 1, 1
	r.resolveYear()
	if r.julian != 0 {
		r.setDays(int64(r.julian) - 2451545)
	}
	switch {
	case r.week != 0 && r.mode == 'i':
		offset := max(r.weekday-2, 0) // weekday 1 is Sunday, the last of the week
		if r.weekday == 1 {
			offset = 6
		}
		r.setDays(isoWeekStart(r.civilYear, r.week) + int64(offset))
	case r.week != 0:
		r.doy = (r.week-1)*7 + 1
	}
	if r.weekOfMonth != 0 {
		r.day = (r.weekOfMonth-1)*7 + 1
	}
	if r.day != 0 {
		r.civilDay, r.knowsDay = r.day, true
	}
	if r.month != 0 {
		r.civilMonth, r.knowsMonth = r.month, true
	}
	if r.doy != 0 && (r.civilMonth <= 1 || r.civilDay <= 1) {
		if err := r.resolveDayOfYear(); err != nil {
			return err
		}
	}
	switch {
	case r.knowsMonth && (r.civilMonth < 1 || r.civilMonth > 12),
		r.knowsDay && (r.civilDay < 1 || r.civilDay > 31),
		r.knowsYear && r.knowsMonth && r.knowsDay && r.civilDay > monthDays(r.civilYear, r.civilMonth):
		return r.outOfRange()
	}
	frac := r.milli*1000 + r.micro
	if r.clockHour < 0 || r.clockHour > 23 || r.clockMinute < 0 || r.clockMinute > 59 || r.clockSecs < 0 || r.clockSecs > 59 ||
		frac < 0 || frac >= types.MicrosPerSecond {
		return r.outOfRange()
	}
	if r.zoneSign != 0 && (r.zoneHour < 0 || r.zoneHour > 15 || r.zoneMinute < 0 || r.zoneMinute > 59) {
		return pgerror.New("22009", "time zone displacement out of range: \"%s\"", r.in)
	}
	return nil
}

// isoWeekStart is the Monday of a week: January 4 is always in week 1.
func isoWeekStart(year, week int) int64 {
	jan4 := types.DaysFromCivil(year, 1, 4)
	return jan4 - int64((types.Weekday(jan4)+6)%7) + int64(week-1)*7
}

func monthDays(year, month int) int {
	return int(types.DaysFromCivil(year, month+1, 1) - types.DaysFromCivil(year, month, 1))
}

func (r *timeReader) setDays(days int64) {
	r.civilYear, r.civilMonth, r.civilDay = types.CivilFromDays(days)
	r.knowsYear, r.knowsMonth, r.knowsDay = true, true, true
}

func (r *timeReader) resolveClock() error {
	r.clockHour, r.clockMinute, r.clockSecs = r.secondsOfDay/3600, r.secondsOfDay%3600/60, r.secondsOfDay%60
	if r.second != 0 {
		r.clockSecs = r.second
	}
	if r.minute != 0 {
		r.clockMinute = r.minute
	}
	if r.hour != 0 {
		r.clockHour = r.hour
	}
	if !r.twelve {
		return nil
	}
	switch {
	case r.clockHour < 1 || r.clockHour > 12:
		return pgerror.New(pgerror.InvalidDatetimeFormat, "hour \"%d\" is invalid for the 12-hour clock", r.clockHour).
			WithHint("Use the 24-hour clock, or give an hour between 1 and 12.")
	case r.pm == 1 && r.clockHour < 12:
		r.clockHour += 12
	case r.pm == 0 && r.clockHour == 12:
		r.clockHour = 0
	}
	return nil
}

// resolveYear finds the year, with 0 for 1 BC: by its digits, within a century, or
// the first of a century.
func (r *timeReader) resolveYear() {
	century := r.century
	if r.bc == 1 {
		century = -century
	}
	switch {
	case r.year != 0 && r.century != 0 && r.yearDigits <= 2:
		y := r.year % 100
		switch {
		case y != 0 && century >= 0:
			y += (century - 1) * 100
		case y != 0:
			y = (century+1)*100 - y + 1
		case century >= 0:
			y = century * 100
		default:
			y = century*100 + 1
		}
		r.civilYear = y
	case r.year != 0:
		r.civilYear = r.year
		if r.bc == 1 {
			r.civilYear = -r.year
		}
		if r.civilYear < 0 {
			r.civilYear++
		}
	case r.century != 0 && century >= 0:
		r.civilYear = (century-1)*100 + 1
	case r.century != 0:
		r.civilYear = century*100 + 1
	default:
		return
	}
	r.knowsYear = true
}

// resolveDayOfYear finds month and day by the day of the year, where they are not
// given.
func (r *timeReader) resolveDayOfYear() error {
	if r.civilYear == 0 && r.bc == 0 {
		return pgerror.New(pgerror.InvalidDatetimeFormat, "cannot calculate day of year without year information")
	}
	if r.mode == 'i' {
		r.setDays(isoWeekStart(r.civilYear, 1) - 1 + int64(r.doy))
		return nil
	}
	before, month := 0, 1
	for month <= 12 && r.doy > before+monthDays(r.civilYear, month) {
		before += monthDays(r.civilYear, month)
		month++
	}
	if r.civilMonth <= 1 {
		r.civilMonth = month
	}
	if r.civilDay <= 1 {
		r.civilDay = r.doy - before
	}
	r.knowsMonth, r.knowsDay = true, true
	return nil
}

// days is the date.
func (r *timeReader) days() int64 { return types.DaysFromCivil(r.civilYear, r.civilMonth, r.civilDay) }

// clock is the time of day, in microseconds.
func (r *timeReader) clock() int64 {
	return int64(r.clockHour)*types.MicrosPerHour + int64(r.clockMinute)*types.MicrosPerMinute + int64(r.clockSecs)*types.MicrosPerSecond +
		int64(r.milli)*1000 + int64(r.micro)
}
