package format

import (
	"strings"

	"velostream/catalog/types"
	"velostream/pgwire/pgerror"
)

// layout is a compiled time pattern: a list of fields and literals.
type layout struct {
	source string
	parts  []part
}

// part is one field of a pattern, or a literal when field is 0.
type part struct {
	field   byte // Y year, y two digits, m month, b month's name, d day, H hour, I hour to 12, M minute, S second, f fraction, p AM/PM, z zone, s seconds since 1970, a name of a weekday
	width   int  // digits wanted, 0: as many as there are up to max
	literal byte
}

var months = []string{"january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december"}

// newLayout compiles a strftime pattern, which has a %, or a Java one.
func newLayout(s string) (*layout, error) {
	l := &layout{source: s}
	var err error
	if strings.Contains(s, "%") {
		err = l.strftime(s)
	} else {
		err = l.java(s)
	}
	return l, err
}

func (l *layout) bad(what string) error {
	return pgerror.New(pgerror.InvalidParameterValue, "invalid time format %q: unknown %s", l.source, what).
		WithHint("Use iso8601, epoch_seconds, epoch_millis, epoch_micros, epoch_nanos, or a pattern such as %%Y-%%m-%%d %%H:%%M:%%S or yyyy-MM-dd HH:mm:ss.SSS.")
}

func (l *layout) add(field byte, width int) {
	l.parts = append(l.parts, part{field: field, width: width})
}

func (l *layout) literal(b byte) { l.parts = append(l.parts, part{literal: b}) }

func (l *layout) strftime(s string) error {
	for i := 0; i < len(s); i++ {
		if s[i] != '%' {
			l.literal(s[i])
			continue
		}
		i++
		if i == len(s) {
			return l.bad("% at the end")
		}
		switch s[i] {
		case 'Y':
			l.add('Y', 4)
		case 'y', 'm', 'd', 'H', 'I', 'M', 'S':
			l.add(s[i], 2)
		case 'e':
			l.add('d', 0)
		case 'b', 'B', 'h':
			l.add('b', 0)
		case 'a', 'A':
			l.add('a', 0)
		case 'p', 'P':
			l.add('p', 0)
		case 'f', 'L', 'N':
			l.add('f', 0)
		case 'z', 'Z':
			l.add('z', 0)
		case 's':
			l.add('s', 0)
		case 'F':
			_ = l.strftime("%Y-%m-%d")
		case 'T':
			_ = l.strftime("%H:%M:%S")
		case '.': // chrono's %.f, %.3f: a point and a fraction, if any
			for i++; i < len(s) && s[i] >= '0' && s[i] <= '9'; i++ {
			}
			if i == len(s) || s[i] != 'f' {
				return l.bad("%.")
			}
			l.add('.', 0)
		case '%':
			l.literal('%')
		default:
			return l.bad("%" + s[i:i+1])
		}
	}
	return nil
}

func (l *layout) java(s string) error {
	for i := 0; i < len(s); {
		b := s[i]
		if b == '\'' {
			end := strings.IndexByte(s[i+1:], '\'')
			if end < 0 {
				return l.bad("end of the quoted text")
			}
			if end == 0 {
				l.literal('\'')
			}
			for _, q := range []byte(s[i+1 : i+1+end]) {
				l.literal(q)
			}
			i += end + 2
			continue
		}
		n := 1
		for i+n < len(s) && s[i+n] == b {
			n++
		}
		if !l.letter(b, n) {
			if b >= 'A' && b <= 'Z' || b >= 'a' && b <= 'z' {
				return l.bad("letter " + string(b))
			}
			for range n {
				l.literal(b)
			}
		}
		i += n
	}
	return nil
}

// letter adds n times a letter of a Java pattern.
func (l *layout) letter(b byte, n int) bool {
	width := n
	if n == 1 {
		width = 0
	}
	switch b {
	case 'y', 'u':
		if n == 2 {
			l.add('y', 2)
		} else {
			l.add('Y', 4)
		}
	case 'M', 'L':
		if n >= 3 {
			l.add('b', 0)
		} else {
			l.add('m', width)
		}
	case 'd':
		l.add('d', width)
	case 'H':
		l.add('H', width)
	case 'h':
		l.add('I', width)
	case 'm':
		l.add('M', width)
	case 's':
		l.add('S', width)
	case 'S', 'n':
		l.add('f', 0)
	case 'a':
		l.add('p', 0)
	case 'E':
		l.add('a', 0)
	case 'X', 'x', 'Z', 'z', 'V':
		l.add('z', 0)
	default:
		return false
	}
	return true
}

// clock is what a pattern found.
type clock struct {
	year, month, day, hour, minute, second int
	micros, offset, epoch                  int64
	pm, am, twelve, isEpoch                bool
}

// parse returns the time in µs from 2000 UTC. Text without a zone is UTC.
func (l *layout) parse(b []byte) (int64, bool) {
	c := clock{year: 2000, month: 1, day: 1}
	for _, p := range l.parts {
		var ok bool
		if p.field == 0 {
			if len(b) == 0 || b[0] != p.literal {
				return 0, false
			}
			b = b[1:]
			continue
		}
		if b, ok = c.take(p, b); !ok {
			return 0, false
		}
	}
	if len(b) > 0 {
		return 0, false
	}
	if c.isEpoch {
		return c.epoch*1e6 - epochMicros + c.micros, true
	}
	if c.twelve {
		if c.hour < 1 || c.hour > 12 {
			return 0, false
		}
		c.hour %= 12
		if c.pm {
			c.hour += 12
		}
	}
	if c.month < 1 || c.month > 12 || c.day < 1 || c.day > daysIn(c.year, c.month) || c.hour > 23 || c.minute > 59 || c.second > 60 {
		return 0, false
	}
	days := types.DaysFromCivil(c.year, c.month, c.day)
	return days*microsPerDay + int64(c.hour*3600+c.minute*60+c.second)*1e6 + c.micros - c.offset, true
}

// take reads one field and returns what follows it.
func (c *clock) take(p part, b []byte) ([]byte, bool) {
	switch p.field {
	case 'f', '.':
		if p.field == '.' {
			if len(b) == 0 || b[0] != '.' {
				return b, true
			}
			b = b[1:]
		}
		i, unit := 0, int64(100000)
		for ; i < len(b) && b[i]-'0' <= 9; i++ {
			c.micros += int64(b[i]-'0') * unit
			unit /= 10
		}
		return b[i:], i > 0
	case 'b', 'a', 'p':
		return c.word(p.field, b)
	case 'z':
		i := 0
		for i < len(b) && (b[i]-'0' <= 9 || b[i] == ':' || b[i] == '+' || b[i] == '-' || b[i] == 'Z') {
			i++
		}
		off, ok := parseOffset(b[:i])
		c.offset = off
		if i == 0 && len(b) >= 3 && (string(b[:3]) == "UTC" || string(b[:3]) == "GMT") {
			return b[3:], true
		}
		return b[i:], ok && i > 0
	}
	most := p.width
	if most == 0 {
		most = 2
	}
	if p.field == 's' {
		most = 12
	}
	n, i := 0, 0
	for ; i < len(b) && i < most && b[i]-'0' <= 9; i++ {
		n = n*10 + int(b[i]-'0')
	}
	if i == 0 || p.width > 0 && i != p.width {
		return b, false
	}
	switch p.field {
	case 'Y':
		c.year = n
	case 'y':
		c.year = 2000 + n
		if n >= 70 {
			c.year = 1900 + n
		}
	case 'm':
		c.month = n
	case 'd':
		c.day = n
	case 'H':
		c.hour = n
	case 'I':
		c.hour, c.twelve = n, true
	case 'M':
		c.minute = n
	case 'S':
		c.second = n
	case 's':
		c.epoch, c.isEpoch = int64(n), true
	}
	return b[i:], true
}

// word reads a name: of a month, of a weekday (which says nothing new), or AM
// and PM.
func (c *clock) word(field byte, b []byte) ([]byte, bool) {
	i := 0
	for i < len(b) && (b[i]|0x20 >= 'a' && b[i]|0x20 <= 'z') {
		i++
	}
	w := strings.ToLower(string(b[:i]))
	switch field {
	case 'a':
		return b[i:], i >= 3
	case 'p':
		c.pm, c.am = w == "pm", w == "am"
		return b[i:], c.pm || c.am
	}
	for m, name := range months {
		if w == name || w == name[:3] {
			c.month = m + 1
			return b[i:], true
		}
	}
	return b, false
}
