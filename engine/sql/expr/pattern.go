package expr

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"velostream/engine/sql/expr/regex"
	"velostream/pgwire/pgerror"
)

// likePattern is a LIKE pattern split at its percent signs.
type likePattern struct {
	parts [][]byte // literal parts; likeAny stands for _
	open  []bool   // parts[i] may begin anywhere: % before it
	tail  bool     // % at the end
	plain bool     // no _
	fold  bool     // compare in lower case
}

// likeAny marks _ in a part; the byte does not occur in UTF-8.
const likeAny = 0xff

// compileLike reads a pattern with backslash as its escape.
func compileLike(p string, fold bool) (*likePattern, error) {
	if fold {
		p = strings.ToLower(p)
	}
	l := &likePattern{plain: true, fold: fold}
	part, open := []byte{}, false
	flush := func() {
		if len(part) > 0 || open || len(l.parts) == 0 {
			l.parts, l.open = append(l.parts, part), append(l.open, open)
		}
		part = []byte{}
	}
	for i := 0; i < len(p); i++ {
		switch c := p[i]; c {
		case '%':
			if l.tail {
				continue
			}
			flush()
			open, l.tail = true, true
			continue
		case '_':
			part, l.plain = append(part, likeAny), false
		case '\\':
			if i++; i == len(p) {
				return nil, pgerror.New(pgerror.InvalidEscapeSequence, "LIKE pattern must not end with escape character")
			}
			part = append(part, p[i])
		default:
			part = append(part, c)
		}
		l.tail = false
	}
	if !l.tail {
		flush()
	}
	return l, nil
}

func (l *likePattern) match(s []byte) bool {
	if l.fold {
		s = bytes.ToLower(s)
	}
	for i, part := range l.parts {
		last := i == len(l.parts)-1 && !l.tail
		if !l.open[i] {
			n := l.prefix(s, part)
			if n < 0 {
				return false
			}
			if s = s[n:]; last {
				return len(s) == 0
			}
			continue
		}
		if last {
			return l.suffix(s, part)
		}
		n := l.find(s, part)
		if n < 0 {
			return false
		}
		s = s[n:]
	}
	return true
}

// prefix is how many bytes at the start of s match part, -1 if it does not.
func (l *likePattern) prefix(s, part []byte) int {
	if l.plain {
		if bytes.HasPrefix(s, part) {
			return len(part)
		}
		return -1
	}
	n := 0
	for _, c := range part {
		switch {
		case n >= len(s):
			return -1
		case c == likeAny:
			_, w := utf8.DecodeRune(s[n:])
			n += w
		case s[n] != c:
			return -1
		default:
			n++
		}
	}
	return n
}

// find returns where the first match of part in s ends, -1: nowhere.
func (l *likePattern) find(s, part []byte) int {
	if l.plain {
		i := bytes.Index(s, part)
		if i < 0 {
			return -1
		}
		return i + len(part)
	}
	for at := 0; at <= len(s); {
		if n := l.prefix(s[at:], part); n >= 0 {
			return at + n
		}
		if at == len(s) {
			break
		}
		_, w := utf8.DecodeRune(s[at:])
		at += w
	}
	return -1
}

// suffix reports that s ends with part.
func (l *likePattern) suffix(s, part []byte) bool {
	if l.plain {
		return bytes.HasSuffix(s, part)
	}
	for at := 0; at <= len(s); {
		if n := l.prefix(s[at:], part); n >= 0 && at+n == len(s) {
			return true
		}
		if at == len(s) {
			break
		}
		_, w := utf8.DecodeRune(s[at:])
		at += w
	}
	return false
}

// regexpLimit bounds the length of a pattern.
const regexpLimit = 1 << 16

// compileRegexp compiles a regular expression. flags are those of regexp_replace
// and friends; g is the caller's.
func compileRegexp(p, flags string) (*regex.Regexp, error) {
	if len(p) > regexpLimit {
		return nil, pgerror.New(pgerror.ProgramLimitExceeded, "regular expression is too long")
	}
	var f regex.Flags
	for _, letter := range flags {
		if !f.Set(letter) {
			return nil, pgerror.New(pgerror.InvalidParameterValue, "invalid regular expression option: \"%c\"", letter)
		}
	}
	return regex.Compile(p, f)
}

// similarPattern turns a SIMILAR TO pattern into a regular expression.
func similarPattern(p string, escape string) (string, error) {
	if utf8.RuneCountInString(escape) > 1 {
		return "", pgerror.New(pgerror.InvalidEscapeSequence, "invalid escape string").
			WithHint("Escape string must be empty or one character.")
	}
	var b strings.Builder
	b.WriteString("^(?:")
	esc, hasEsc := utf8.DecodeRuneInString(escape)
	after, inClass := false, false
	for _, r := range p {
		switch {
		case after:
			after = false
			b.WriteByte('\\')
			b.WriteRune(r)
		case hasEsc > 0 && r == esc:
			after = true
		case inClass:
			if r == '\\' {
				b.WriteByte('\\')
			}
			b.WriteRune(r)
			inClass = r != ']'
		case r == '[':
			inClass = true
			b.WriteRune(r)
		case r == '%':
			b.WriteString(".*")
		case r == '_':
			b.WriteByte('.')
		case r == '(':
			b.WriteString("(?:")
		case strings.ContainsRune(`\.^$`, r):
			b.WriteByte('\\')
			b.WriteRune(r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteString(")$")
	return b.String(), nil
}
