package expr

import (
	"slices"
	"strings"

	"velostream/catalog/types"
	"velostream/pgwire/pgerror"
)

// timeReader reads a text by a template. Fields that the template does not
// have keep their defaults: the first of January of year 1 BC, midnight.
type timeReader struct {
	in    string
	pos   int
	nodes []timeNode

	year, month, day, doy         int
	isoYear, isoWeek, isoDay      int
	hour, minute, second, micro   int
	half                          int // 12-hour clock: 1 AM, 2 PM
	twelve, bc, hasSeconds        bool
	julian, century, secondsOfDay int
	offset                        int
	zoned                         bool
}

func toTimestamp(c *CallContext, a []datum) (datum, error) {
	r, err := readTime(c, a)
	if err != nil {
		return fail(err)
	}
	days, err := r.date()
	if err != nil {
		return fail(err)
	}
	clock, err := r.clock()
	if err != nil {
		return fail(err)
	}
	t, err := types.DateToTimestamp(days)
	if err != nil {
		return fail(err)
	}
	t += clock
	if r.zoned {
		return integer(t - int64(r.offset)*types.MicrosPerSecond)
	}
	return ts(types.TimestampToTimestamptz(t, c.Env.loc()))
}

func toDate(c *CallContext, a []datum) (datum, error) {
	r, err := readTime(c, a)
	if err != nil {
		return fail(err)
	}
	return ts(r.date())
}

func readTime(c *CallContext, a []datum) (*timeReader, error) {
	nodes, err := template(c, a[1].B)
	if err != nil {
		return nil, err
	}
	r := &timeReader{in: string(a[0].B), nodes: nodes}
	return r, r.read()
}

func (r *timeReader) read() error {
	for i, n := range r.nodes {
		if r.pos >= len(r.in) {
			return nil // what is missing at the end has its default
		}
		if n.field == "" {
			r.skip(n)
			continue
		}
		r.spaces()
		if err := r.field(n, i); err != nil {
			return err
		}
		if n.th != "" && r.pos+2 <= len(r.in) {
			r.pos += 2
		}
	}
	return nil
}

func (r *timeReader) spaces() {
	for r.pos < len(r.in) && (r.in[r.pos] == ' ' || r.in[r.pos] == '\t') {
		r.pos++
	}
}

// skip passes over what a literal stands for: a separator matches any one or
// none, other characters any one.
func (r *timeReader) skip(n timeNode) {
	if !n.sep {
		r.pos = min(r.pos+len(n.text), len(r.in))
		return
	}
	r.spaces()
	if r.pos < len(r.in) {
		c := r.in[r.pos]
		alnum := c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z' || c >= 0x80
		if !alnum && n.text != " " && c != '+' && (c != '-' || n.text == "-") {
			r.pos++
		}
	}
}

// digits reads an integer of at most width digits; of any length if what
// follows in the template is no digit.
func (r *timeReader) digits(n timeNode, width, index int) (int, int, error) {
	if index+1 >= len(r.nodes) || r.nodes[index+1].field == "" || n.fill {
		width = 10
	}
	start := r.pos
	if r.pos < len(r.in) && (r.in[r.pos] == '-' || r.in[r.pos] == '+') {
		r.pos++
	}
	v, from := 0, r.pos
	for r.pos < len(r.in) && r.pos-from < width && r.in[r.pos] >= '0' && r.in[r.pos] <= '9' {
		v = v*10 + int(r.in[r.pos]-'0')
		r.pos++
	}
	if r.pos == from {
		end := min(start+max(width, 1), len(r.in))
		if width == 10 {
			end = len(r.in)
			if i := strings.IndexAny(r.in[start:], " ,.;:/-"); i > 0 {
				end = start + i
			}
		}
		return 0, 0, pgerror.New(pgerror.InvalidDatetimeFormat, "invalid value \"%s\" for \"%s\"", r.in[start:end], n.text).
			WithDetail("Value must be an integer.")
	}
	if r.in[start] == '-' {
		v = -v
	}
	return v, r.pos - from, nil
}

// name reads one of the names, in any case, short: by their first letters.
func (r *timeReader) name(n timeNode, names []string, short int) (int, error) {
	best, length := -1, 0
	for i, s := range names {
		if short > 0 && len(s) > short {
			s = s[:short]
		}
		if len(s) > length && len(r.in)-r.pos >= len(s) && strings.EqualFold(r.in[r.pos:r.pos+len(s)], s) {
			best, length = i, len(s)
		}
	}
	if best < 0 {
		end := r.pos
		for end < len(r.in) && r.in[end] != ' ' {
			end++
		}
		return 0, pgerror.New(pgerror.InvalidDatetimeFormat, "invalid value \"%s\" for \"%s\"", r.in[r.pos:end], n.text).
			WithDetail("The given value did not match any of the allowed values for this field.")
	}
	r.pos += length
	return best, nil
}

func (r *timeReader) field(n timeNode, i int) (err error) {
	num := func(width int, to *int) error {
		v, _, err := r.digits(n, width, i)
		*to = v
		return err
	}
	switch n.field {
	case "YYYY", "YYY", "YY", "Y":
		return r.readYear(n, i, &r.year)
	case "IYYY", "IYY", "IY", "I":
		return r.readYear(n, i, &r.isoYear)
	case "Y,YYY":
		var hi, lo int
		if err := num(4, &hi); err != nil {
			return err
		}
		r.pos = min(r.pos+1, len(r.in))
		err := num(3, &lo)
		r.year = hi*1000 + lo
		return err
	case "MM":
		return num(2, &r.month)
	case "MONTH":
		v, err := r.name(n, monthNames, 0)
		r.month = v + 1
		return err
	case "MON":
		v, err := r.name(n, monthNames, 3)
		r.month = v + 1
		return err
	case "RM":
		v, err := r.name(n, romanNames, 0)
		r.month = v + 1
		return err
	case "DD":
		return num(2, &r.day)
	case "DDD":
		return num(3, &r.doy)
	case "IW":
		return num(2, &r.isoWeek)
	case "ID":
		return num(1, &r.isoDay)
	case "DAY":
		_, err := r.name(n, dayNames, 0)
		return err
	case "DY":
		_, err := r.name(n, dayNames, 3)
		return err
	case "J":
		return num(10, &r.julian)
	case "CC":
		return num(2, &r.century)
	case "Q", "D", "W", "WW", "IDDD":
		var ignored int
		return num(len(n.field), &ignored)
	case "AD", "BC", "A.D.", "B.C.":
		v, err := r.name(n, []string{"AD", "BC", "A.D.", "B.C."}, 0)
		r.bc = v&1 == 1
		return err
	}
	return r.clockField(n, i, num)
}

func (r *timeReader) readYear(n timeNode, i int, to *int) error {
	v, w, err := r.digits(n, len(n.field)-b2i(n.field[0] == 'I' && len(n.field) > 4), i)
	if err != nil {
		return err
	}
	if w <= 2 && len(n.field) < 4 { // the year nearest to 2020
		switch {
		case v < 70:
			v += 2000
		default:
			v += 1900
		}
	} else if w == 3 && len(n.field) < 4 {
		switch {
		case v < 520:
			v += 2000
		default:
			v += 1000
		}
	}
	*to = v
	return nil
}

func (r *timeReader) clockField(n timeNode, i int, num func(int, *int) error) error {
	switch n.field {
	case "HH24":
		return num(2, &r.hour)
	case "HH12", "HH":
		r.twelve = true
		if err := num(2, &r.hour); err != nil {
			return err
		}
		if r.hour < 1 || r.hour > 12 {
			return pgerror.New(pgerror.InvalidDatetimeFormat, "hour \"%d\" is invalid for the 12-hour clock", r.hour).
				WithHint("Use the 24-hour clock, or give an hour between 1 and 12.")
		}
		return nil
	case "MI":
		return num(2, &r.minute)
	case "SS":
		return num(2, &r.second)
	case "MS", "US", "FF1", "FF2", "FF3", "FF4", "FF5", "FF6":
		width := map[timeField]int{"MS": 3, "US": 6}[n.field]
		if width == 0 {
			width = int(n.field[2] - '0')
		}
		v, w, err := r.digits(n, width, i)
		for ; w < 6; w++ {
			v *= 10
		}
		for ; w > 6; w-- {
			v /= 10
		}
		r.micro = v
		return err
	case "SSSS", "SSSSS":
		r.hasSeconds = true
		return num(5, &r.secondsOfDay)
	case "AM", "PM", "A.M.", "P.M.":
		v, err := r.name(n, []string{"AM", "PM", "A.M.", "P.M."}, 0)
		r.half, r.twelve = 1+v&1, true
		return err
	case "TZH":
		minus := r.pos < len(r.in) && r.in[r.pos] == '-'
		var h int
		err := num(2, &h)
		r.zoned = true
		if minus {
			h = -abs(h)
		}
		r.offset += h * 3600
		return err
	case "TZM":
		var m int
		err := num(2, &m)
		if r.offset < 0 {
			m = -m
		}
		r.offset += m * 60
		return err
	}
	return pgerror.Unsupported("formatting field \"%s\" is only supported in to_char", n.text)
}

func (r *timeReader) outOfRange() error {
	return pgerror.New(pgerror.DatetimeFieldOverflow, "date/time field value out of range: \"%s\"", r.in)
}

// date puts the fields of the date together.
func (r *timeReader) date() (int64, error) {
	switch {
	case r.julian != 0:
		return int64(r.julian) - 2451545, nil
	case r.isoYear != 0:
		// January 4 is always in week 1, which begins on its Monday.
		jan4 := types.DaysFromCivil(r.isoYear, 1, 4)
		monday := jan4 - int64((types.Weekday(jan4)+6)%7)
		return monday + int64(max(r.isoWeek, 1)-1)*7 + int64(max(r.isoDay, 1)-1), nil
	}
	year := r.year
	if r.century != 0 && year < 100 {
		year = (r.century-1)*100 + year
		if year%100 == 0 && r.year == 0 {
			year++
		}
	}
	switch {
	case r.bc:
		year = 1 - year
	case year < 0:
		year++
	}
	month, day := max(r.month, 0), max(r.day, 0)
	if r.doy != 0 {
		if r.doy < 1 || r.doy > 366 {
			return 0, r.outOfRange()
		}
		return types.DaysFromCivil(year, 1, r.doy), nil
	}
	if month == 0 && !r.has("MM", "MONTH", "MON", "RM") {
		month = 1
	}
	if day == 0 && !r.has("DD") {
		day = 1
	}
	if month < 1 || month > 12 || day < 1 {
		return 0, r.outOfRange()
	}
	days := types.DaysFromCivil(year, month, day)
	if _, m, d := types.CivilFromDays(days); m != month || d != day {
		return 0, r.outOfRange()
	}
	return days, nil
}

func (r *timeReader) has(fields ...timeField) bool {
	for _, n := range r.nodes {
		if slices.Contains(fields, n.field) {
			return true
		}
	}
	return false
}

// clock puts the fields of the time of day together.
func (r *timeReader) clock() (int64, error) {
	if r.hasSeconds {
		return int64(r.secondsOfDay) * types.MicrosPerSecond, nil
	}
	h := r.hour
	if r.twelve {
		switch {
		case r.half == 2 && h < 12:
			h += 12
		case r.half <= 1 && h == 12:
			h = 0
		}
	}
	if h < 0 || h > 24 || r.minute < 0 || r.minute > 59 || r.second < 0 || r.second > 59 {
		return 0, r.outOfRange()
	}
	return int64(h)*types.MicrosPerHour + int64(r.minute)*types.MicrosPerMinute + int64(r.second)*types.MicrosPerSecond + int64(r.micro), nil
}
