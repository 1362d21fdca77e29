package expr

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"velostream/catalog/types"
	"velostream/pgwire/pgerror"
)

// formatFamily is the table of formatting functions.
func formatFamily() []Function {
	return table([]def{
		{sig: "to_char(timestamp,text) text", scalar: toCharTime, doc: "text of a time by a template"},
		{sig: "to_char(timestamptz,text) text", scalar: toCharTime, volatility: Stable, doc: "text of a time by a template"},
		{sig: "to_char(interval,text) text", scalar: toCharInterval, doc: "text of an interval by a template"},
		{sig: "to_char(numeric,text) text", scalar: toCharNumber(func(d datum) types.Decimal { return d.Dec }), doc: "text of a number by a template"},
		{sig: "to_char(int4,text) text", scalar: toCharNumber(func(d datum) types.Decimal { return types.FromInt64(d.I) }), doc: "text of a number by a template"},
		{sig: "to_char(int8,text) text", scalar: toCharNumber(func(d datum) types.Decimal { return types.FromInt64(d.I) }), doc: "text of a number by a template"},
		{sig: "to_char(float4,text) text", scalar: toCharNumber(func(d datum) types.Decimal { return types.FromFloat32(d.F) }), doc: "text of a number by a template"},
		{sig: "to_char(float8,text) text", scalar: toCharNumber(func(d datum) types.Decimal { return types.FromFloat64(d.F) }), doc: "text of a number by a template"},
		{sig: "to_number(text,text) numeric", scalar: toNumber, doc: "number of a text by a template"},
		{sig: "to_timestamp(text,text) timestamptz", scalar: toTimestamp, volatility: Stable, doc: "time of a text by a template"},
		{sig: "to_date(text,text) date", scalar: toDate, doc: "date of a text by a template"},
		{sig: "date_format(timestamp,text) text", scalar: dateFormat, doc: "text of a time by a pattern of % directives, else of Java letters"},
		{sig: "date_format(timestamptz,text) text", scalar: dateFormat, volatility: Stable, doc: "text of a time by a pattern of % directives, else of Java letters"},
		{sig: "from_unixtime(float8,text) text", scalar: func(c *CallContext, a []datum) (datum, error) {
			d, err := unixTime(c, a)
			if err != nil {
				return fail(err)
			}
			return formatPattern(newTimeParts(types.UTCToLocal(d.I, c.Env.loc())), string(a[1].B))
		}, volatility: Stable, doc: "text of seconds since 1970 by a pattern"},
	})
}

// timeParts are the fields of a local time, or of an interval.
type timeParts struct {
	year, month, day     int
	hour, minute, second int
	micro                int
	days                 int64 // since 2000-01-01
	zone                 string
	offset               int // seconds east
	interval             bool
}

func newTimeParts(local int64) timeParts {
	days := floorDiv(local, types.MicrosPerDay)
	clock := local - days*types.MicrosPerDay
	p := timeParts{days: days}
	p.year, p.month, p.day = types.CivilFromDays(days)
	p.setClock(clock)
	return p
}

func (p *timeParts) setClock(clock int64) {
	p.hour = int(clock / types.MicrosPerHour)
	p.minute = int(clock / types.MicrosPerMinute % 60)
	p.second = int(clock / types.MicrosPerSecond % 60)
	p.micro = int(clock % types.MicrosPerSecond)
}

func template(c *CallContext, s []byte) ([]timeNode, error) {
	if len(s) > maxTemplate {
		return nil, pgerror.New(pgerror.ProgramLimitExceeded, "template is too long")
	}
	return memo(c, s, func(s string) ([]timeNode, error) { return parseTimeTemplate(s), nil })
}

func toCharTime(c *CallContext, a []datum) (datum, error) {
	nodes, err := template(c, a[1].B)
	if err != nil {
		return fail(err)
	}
	if d, _ := finiteTime(c, a[:1]); !d.Bool() || len(a[1].B) == 0 {
		return null()
	}
	v := a[0].I
	if c.Args[0].OID != types.OIDTimestamptz {
		p := newTimeParts(v)
		return p.write(nodes)
	}
	loc := c.Env.loc()
	p := newTimeParts(types.UTCToLocal(v, loc))
	p.zone, p.offset = time.UnixMicro(v + types.EpochSeconds*types.MicrosPerSecond).In(loc).Zone()
	return p.write(nodes)
}

// julianDay is the day number of a date whose fields may be out of range or
// negative, as those of an interval: division is towards zero.
func julianDay(year, month, day int) int64 {
	if month > 2 {
		month, year = month+1, year+4800
	} else {
		month, year = month+13, year+4799
	}
	century := year / 100
	return int64(year*365-32167+year/4-century+century/4) + int64(7834*month/256+day)
}

func toCharInterval(c *CallContext, a []datum) (datum, error) {
	nodes, err := template(c, a[1].B)
	if err != nil {
		return fail(err)
	}
	if len(a[1].B) == 0 {
		return null()
	}
	v := a[0].Iv
	p := timeParts{year: int(v.Months / 12), month: int(v.Months % 12), day: int(v.Days), interval: true}
	p.setClock(v.Micros)
	p.days = julianDay(p.year, p.month, p.day) - 2451545
	return p.write(nodes)
}

func (p *timeParts) write(nodes []timeNode) (datum, error) {
	var b strings.Builder
	for _, n := range nodes {
		if n.field == "" {
			b.WriteString(n.text)
			continue
		}
		if p.interval && strings.Contains(" A.D. AD B.C. BC D DAY DY ID MON MONTH OF TZ TZH TZM ", " "+string(n.field)+" ") {
			return fail(pgerror.New(pgerror.InvalidDatetimeFormat, "invalid format specification for an interval value").
				WithHint("Intervals are not tied to specific calendar dates."))
		}
		s := p.field(n)
		b.WriteString(s)
		if n.th != "" && s != "" && ordinalField(n.field) {
			b.WriteString(ordinal(s, n.th))
		}
	}
	return str(b.String())
}

// fixedDigits writes a number with leading zeros; the sign counts.
func fixedDigits(v, width int) string { return fmt.Sprintf("%0*d", width, v) }

// num writes a number with leading zeros, or none with FM.
func (n timeNode) num(v, width int) string { return n.numLike(v, width, v) }

// numLike is num with one zero more if like is negative.
func (n timeNode) numLike(v, width, like int) string {
	if n.fill {
		return strconv.Itoa(v)
	}
	if like < 0 {
		width++
	}
	return fixedDigits(v, width)
}

// numFixed is num with a sign that counts among the digits.
func (n timeNode) numFixed(v, width int) string { return n.numLike(v, width, 0) }

// name writes a name padded with blanks, or not with FM.
func (n timeNode) name(s string, width int) string {
	s = n.inCase(s)
	if n.fill || n.local {
		return s
	}
	return fmt.Sprintf("%-*s", width, s)
}

func (p *timeParts) field(n timeNode) string {
	switch n.field {
	case "FX":
		return ""
	case "HH24":
		return n.num(p.hour, 2)
	case "HH12", "HH":
		h := p.hour % 12
		if h == 0 {
			h = 12
		}
		return n.numLike(h, 2, p.hour)
	case "MI":
		return n.num(p.minute, 2)
	case "SS":
		return n.num(p.second, 2)
	case "MS", "FF3":
		return fixedDigits(p.micro/1000, 3)
	case "US", "FF6":
		return fixedDigits(p.micro, 6)
	case "FF1", "FF2", "FF4", "FF5":
		size, v := int(n.field[2]-'0'), p.micro
		for range 6 - size {
			v /= 10
		}
		return fixedDigits(v, size)
	case "SSSS", "SSSSS":
		return strconv.Itoa(p.hour*3600 + p.minute*60 + p.second)
	case "AM", "PM":
		return n.inCase([]string{"AM", "PM"}[b2i(p.hour%24 >= 12)])
	case "A.M.", "P.M.":
		s := []string{"A.M.", "P.M."}[b2i(p.hour%24 >= 12)]
		if n.text[0] >= 'a' {
			return strings.ToLower(s)
		}
		return s
	case "TZ":
		return n.inCase(p.zone)
	case "TZH":
		return fmt.Sprintf("%c%02d", sign(p.offset), abs(p.offset)/3600)
	case "TZM":
		return fmt.Sprintf("%02d", abs(p.offset)%3600/60)
	case "OF":
		s := fmt.Sprintf("%c%02d", sign(p.offset), abs(p.offset)/3600)
		if m := abs(p.offset) % 3600 / 60; m != 0 {
			s += fmt.Sprintf(":%02d", m)
		}
		return s
	}
	return p.dateField(n)
}

func sign(v int) byte {
	if v < 0 {
		return '-'
	}
	return '+'
}

func abs(v int) int { return max(v, -v) }

func (p *timeParts) dateField(n timeNode) string {
	wd := 0
	if !p.interval {
		wd = types.Weekday(p.days)
	}
	switch n.field {
	case "MM":
		return n.num(p.month, 2)
	case "MONTH":
		return n.name(monthNames[p.month-1], 9)
	case "MON":
		return n.inCase(monthNames[p.month-1][:3])
	case "RM":
		if p.month == 0 && p.year == 0 {
			return ""
		}
		s := p.roman()
		if n.text[0] >= 'a' {
			s = strings.ToLower(s)
		}
		if n.fill {
			return s
		}
		return fmt.Sprintf("%-4s", s)
	case "Q":
		if p.month == 0 {
			return ""
		}
		return strconv.Itoa((p.month-1)/3 + 1)
	case "DD":
		return n.numFixed(p.day, 2)
	case "DAY":
		return n.name(dayNames[wd], 9)
	case "DY":
		return n.inCase(dayNames[wd][:3])
	case "D":
		return strconv.Itoa(wd + 1)
	case "ID":
		return strconv.Itoa((wd+6)%7 + 1)
	case "DDD":
		return n.numFixed(p.dayOfYear(), 3)
	case "W":
		return strconv.Itoa((p.day-1)/7 + 1)
	case "WW":
		return n.numFixed((p.dayOfYear()-1)/7+1, 2)
	case "J":
		return strconv.FormatInt(p.days+2451545, 10)
	}
	return p.yearField(n)
}

// dayOfYear is the day of the year, or of an interval its days, with years of 360
// and months of 30.
func (p *timeParts) dayOfYear() int {
	if p.interval {
		return (p.year*12+p.month)*30 + p.day
	}
	return types.DayOfYear(p.days)
}

// roman is the month in Roman numerals; that of a negative interval counts from the
// end of the year.
func (p *timeParts) roman() string {
	switch {
	case p.month > 0:
		return romanNames[p.month-1]
	case p.month < 0:
		return romanNames[12+p.month]
	case p.year < 0:
		return romanNames[0]
	}
	return romanNames[11]
}

func (p *timeParts) yearField(n timeNode) string {
	year := p.year
	if year <= 0 && !p.interval {
		year = 1 - year
	}
	switch n.field {
	case "YYYY":
		return n.num(year, 4)
	case "YYY":
		return n.num(year%1000, 3)
	case "YY":
		return n.num(year%100, 2)
	case "Y":
		return n.numFixed(year%10, 1)
	case "Y,YYY":
		return fmt.Sprintf("%d,%03d", year/1000, year%1000)
	case "AD", "BC":
		return n.inCase([]string{"AD", "BC"}[b2i(p.year <= 0)])
	case "A.D.", "B.C.":
		s := []string{"A.D.", "B.C."}[b2i(p.year <= 0)]
		if n.text[0] >= 'a' {
			return strings.ToLower(s)
		}
		return s
	case "CC":
		if p.interval {
			return n.num(p.year/100, 2)
		}
		if p.year <= 0 {
			return n.num(-((year-1)/100 + 1), 2)
		}
		return n.num((year-1)/100+1, 2)
	}
	return p.isoField(n)
}

// like says how wide years are: those of a negative interval one character more.
func (p *timeParts) like() int {
	if p.interval {
		return p.year
	}
	return 0
}

// isoOfInterval is the ISO year and week of an interval's years, months and days. These may be of
// more than a year, of which PostgreSQL counts one (date2isoyear and date2isoweek).
func (p *timeParts) isoOfInterval() (year, week int) {
	day := julianDay(p.year, p.month, p.day)
	first := func(year int) int64 { // the Monday of its week 1
		fourth := julianDay(year, 1, 4)
		return fourth - ((fourth%7)+7)%7
	}
	year = p.year
	if day < first(year) {
		year--
	}
	week = int(day-first(year))/7 + 1
	if next := first(year + 1); week >= 52 && day >= next {
		year, week = year+1, int(day-next)/7+1
	}
	return year, week
}

func (p *timeParts) isoField(n timeNode) string {
	year, week := types.ISOWeek(p.days)
	switch {
	case p.interval:
		year, week = p.isoOfInterval()
	case year <= 0:
		year = 1 - year
	}
	switch n.field {
	case "IW":
		return n.num(week, 2)
	case "IYYY":
		return n.numLike(year, 4, p.like())
	case "IYY":
		return n.numLike(year%1000, 3, p.like())
	case "IY":
		return n.numLike(year%100, 2, p.like())
	case "I":
		return n.numFixed(year%10, 1)
	case "IDDD":
		return n.numFixed((week-1)*7+(types.Weekday(p.days)+6)%7+1, 3)
	}
	return n.text
}

func dateFormat(c *CallContext, a []datum) (datum, error) {
	v := a[0].I
	if c.Args[0].OID == types.OIDTimestamptz {
		v = types.UTCToLocal(v, c.Env.loc())
	}
	return formatPattern(newTimeParts(v), string(a[1].B))
}

// strftimeFields and javaFields translate patterns into template fields.
var (
	strftimeFields = map[byte]string{
		'Y': "YYYY", 'y': "YY", 'm': "MM", 'd': "DD", 'H': "HH24", 'I': "HH12", 'M': "MI", 'S': "SS", 's': "SS", 'i': "MI", 'f': "US",
		'p': "AM", 'B': "FMMonth", 'b': "Mon", 'h': "Mon", 'A': "FMDay", 'a': "Dy", 'W': "FMDay", 'j': "DDD", 'w': "D", 'e': "FMDD", 'k': "FMHH24", 'l': "FMHH12",
		'F': "YYYY-MM-DD", 'T': "HH24:MI:SS", 'D': "MM/DD/YY", 'R': "HH24:MI", 'r': "HH12:MI:SS AM", 'V': "IW", 'G': "IYYY", 'u': "ID", 'n': "\n", 't': "\t", '%': `"%"`,
	}
	javaFields = map[string]string{
		"yyyy": "YYYY", "y": "FMYYYY", "u": "FMYYYY", "uuuu": "YYYY", "yy": "YY", "MM": "MM", "M": "FMMM", "MMM": "Mon", "MMMM": "FMMonth",
		"dd": "DD", "d": "FMDD", "HH": "HH24", "H": "FMHH24", "hh": "HH12", "h": "FMHH12", "mm": "MI", "m": "FMMI", "ss": "SS", "s": "FMSS",
		"S": "FF1", "SS": "FF2", "SSS": "MS", "SSSS": "FF4", "SSSSS": "FF5", "SSSSSS": "US", "a": "AM", "E": "Dy", "EEE": "Dy", "EEEE": "FMDay", "D": "FMDDD", "DDD": "DDD", "w": "FMIW",
	}
)

// formatPattern writes a time by a strftime pattern (it has a %), else by a
// Java DateTimeFormatter pattern.
func formatPattern(p timeParts, pattern string) (datum, error) {
	if len(pattern) > maxTemplate {
		return fail(pgerror.New(pgerror.ProgramLimitExceeded, "pattern is too long"))
	}
	var nodes []timeNode
	text := func(s string) { nodes = append(nodes, timeNode{text: s}) }
	strf := strings.Contains(pattern, "%")
	for i := 0; i < len(pattern); {
		c := pattern[i]
		switch {
		case strf && c == '%' && i+1 < len(pattern):
			f, ok := strftimeFields[pattern[i+1]]
			if !ok {
				return fail(pgerror.New(pgerror.InvalidParameterValue, "unknown directive %%%c in date format", pattern[i+1]))
			}
			nodes = append(nodes, parseTimeTemplate(f)...)
			i += 2
		case !strf && c == '\'':
			end := strings.IndexByte(pattern[i+1:], '\'')
			if end < 0 {
				end = len(pattern) - i - 1
			}
			text(pattern[i+1 : i+1+end])
			i = min(i+end+2, len(pattern))
		case !strf && (c|0x20 >= 'a' && c|0x20 <= 'z'):
			j := i
			for j < len(pattern) && pattern[j] == c {
				j++
			}
			f, ok := javaFields[pattern[i:j]]
			if !ok {
				return fail(pgerror.New(pgerror.InvalidParameterValue, "unknown field \"%s\" in date format", pattern[i:j]))
			}
			nodes = append(nodes, parseTimeTemplate(f)...)
			i = j
		default:
			text(string(c))
			i++
		}
	}
	return p.write(nodes)
}
