package expr

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"

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

// compileRegexp translates a POSIX or advanced regular expression of
// PostgreSQL (https://www.postgresql.org/docs/15/functions-matching.html) into
// Go's. flags are those of regexp_replace and friends; g is the caller's.
// Back references and lookaround have no counterpart and are refused.
func compileRegexp(p, flags string) (*regexp.Regexp, error) {
	if len(p) > regexpLimit {
		return nil, pgerror.New(pgerror.ProgramLimitExceeded, "regular expression is too long")
	}
	opt, literal, expanded, basic := "s", false, false, false
	for _, f := range flags {
		switch f {
		case 'i':
			opt += "i"
		case 'c', 't':
		case 'b', 'e':
			basic = f == 'b'
		case 'n', 'm':
			opt = strings.Replace(opt, "s", "", 1) + "m"
		case 'p':
			opt = strings.Replace(opt, "s", "", 1)
		case 'w':
			opt += "m"
		case 'q':
			literal = true
		case 's':
		case 'x':
			expanded = true
		case 'g':
			return nil, pgerror.New(pgerror.InvalidParameterValue, "invalid regular expression option: \"g\"")
		default:
			return nil, pgerror.New(pgerror.InvalidParameterValue, "invalid regular expression option: \"%c\"", f)
		}
	}
	if !literal && strings.HasPrefix(p, "(?") { // options within the pattern
		if end := strings.IndexByte(p, ')'); end > 2 && strings.Trim(p[2:end], "abcdefghijklmnopqrstuvwxyz") == "" {
			return compileRegexp(p[end+1:], flags+p[2:end])
		}
	}
	if rest, ok := strings.CutPrefix(p, "***="); ok {
		p, literal = rest, true
	} else if rest, ok := strings.CutPrefix(p, "***:"); ok {
		p = rest
	}
	body := regexp.QuoteMeta(p)
	lazy := false
	if basic {
		p = extendBasic(p)
	}
	if !literal {
		var err error
		if body, lazy, err = translateRegexp(p, expanded); err != nil {
			return nil, err
		}
	}
	re, err := regexp.Compile("(?" + opt + ")" + body)
	if err != nil {
		return nil, regexpError(err)
	}
	if !lazy {
		re.Longest()
	}
	return re, nil
}

// regexpError words Go's error as PostgreSQL does.
func regexpError(err error) error {
	s := err.Error()
	reason := "invalid regular expression"
	switch {
	case strings.Contains(s, "missing closing )"), strings.Contains(s, "unexpected )"):
		reason = "parentheses () not balanced"
	case strings.Contains(s, "missing closing ]"):
		reason = "brackets [] not balanced"
	case strings.Contains(s, "missing argument to repetition"), strings.Contains(s, "invalid nested repetition"):
		reason = "quantifier operand invalid"
	case strings.Contains(s, "invalid repeat count"):
		reason = "invalid repetition count(s)"
	case strings.Contains(s, "invalid character class range"):
		reason = "invalid character range"
	case strings.Contains(s, "trailing backslash"), strings.Contains(s, "invalid escape sequence"):
		reason = `invalid escape \ sequence`
	}
	return pgerror.New(pgerror.InvalidRegularExpression, "invalid regular expression: %s", reason).WithCause(err)
}

// extendBasic writes a POSIX basic regular expression as an extended one.
func extendBasic(p string) string {
	var b strings.Builder
	first := true // of the pattern or of a group: * is itself there, and ^ an anchor
	for i := 0; i < len(p); i++ {
		c, was := p[i], first
		first = false
		switch {
		case c == '\\' && i+1 < len(p):
			i++
			switch c = p[i]; {
			case strings.IndexByte("(){}", c) >= 0:
				b.WriteByte(c)
				first = c == '('
			case c == '<' || c == '>':
				b.WriteString(`\y`)
			case c >= '1' && c <= '9':
				b.WriteString(p[i-1 : i+1])
			default:
				b.WriteString(regexp.QuoteMeta(p[i : i+1]))
			}
		case c == '[':
			n := bracketEnd(p[i:])
			b.WriteString(p[i : i+n])
			i += n - 1
		case c == '^' && was:
			b.WriteByte(c)
			first = true
		case c == '$' && (i+1 == len(p) || strings.HasPrefix(p[i+1:], `\)`)), c == '.', c == '*' && !was, c == '\\':
			b.WriteByte(c)
		case c < utf8.RuneSelf:
			b.WriteString(regexp.QuoteMeta(p[i : i+1]))
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

// translateRegexp rewrites what is spelled differently; lazy: it has a
// non-greedy quantifier.
func translateRegexp(p string, expanded bool) (out string, lazy bool, err error) {
	var b strings.Builder
	groups := byte('0')
	for i := 0; i < len(p); i++ {
		c := p[i]
		switch {
		case c == '\\':
			if i++; i == len(p) {
				return "", false, pgerror.New(pgerror.InvalidRegularExpression, `invalid regular expression: invalid escape \ sequence`)
			}
			if '1' <= p[i] && p[i] <= '9' && p[i] > groups && (i+1 == len(p) || p[i+1] < '0' || '9' < p[i+1]) {
				return "", false, pgerror.New(pgerror.InvalidRegularExpression, "invalid regular expression: invalid backreference number")
			}
			if p[i] == 'c' && i+1 < len(p) { // a control character
				i++
				fmt.Fprintf(&b, `\x%02x`, p[i]&31)
				continue
			}
			s, err := translateEscape(p[i])
			if err != nil {
				return "", false, err
			}
			b.WriteString(s)
		case c == '[':
			if strings.HasPrefix(p[i:], "[[:<:]]") || strings.HasPrefix(p[i:], "[[:>:]]") {
				b.WriteString(`\b`)
				i += 6
				continue
			}
			n := bracketEnd(p[i:])
			b.WriteString(p[i : i+n])
			i += n - 1
		case c == '(' && (strings.HasPrefix(p[i:], "(?=") || strings.HasPrefix(p[i:], "(?!") || strings.HasPrefix(p[i:], "(?<")):
			return "", false, pgerror.Unsupported("lookahead and lookbehind in regular expressions are not supported")
		case expanded && (c == ' ' || c == '\t' || c == '\n'):
		case expanded && c == '#':
			for i < len(p) && p[i] != '\n' {
				i++
			}
		default:
			if c == '(' && groups < '9' && !strings.HasPrefix(p[i:], "(?") {
				groups++
			}
			if c == '?' && i > 0 && strings.IndexByte("*+?}", p[i-1]) >= 0 {
				lazy = true
			}
			b.WriteByte(c)
		}
	}
	return b.String(), lazy, nil
}

func translateEscape(c byte) (string, error) {
	switch c {
	case 'y':
		return `\b`, nil
	case 'Y':
		return `\B`, nil
	case 'm', 'M':
		return `\b`, nil
	case 'Z':
		return `\z`, nil
	case 'A', 'd', 'D', 's', 'S', 'w', 'W', 'a', 'f', 'n', 'r', 't', 'v', 'x':
		return `\` + string(c), nil
	case 'e':
		return `\x1b`, nil
	case 'b':
		return `\x08`, nil
	case 'B':
		return `\\`, nil
	}
	switch {
	case c >= '1' && c <= '9':
		return "", pgerror.Unsupported("back references in regular expressions are not supported")
	case c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z':
		return "", pgerror.New(pgerror.InvalidRegularExpression, `invalid regular expression: invalid escape \ sequence`)
	}
	return `\` + string(c), nil
}

// bracketEnd is the length of the bracket expression that p begins with.
func bracketEnd(p string) int {
	i := 1
	if i < len(p) && p[i] == '^' {
		i++
	}
	if i < len(p) && p[i] == ']' {
		i++
	}
	for i < len(p) && p[i] != ']' {
		if p[i] == '[' && i+1 < len(p) && strings.IndexByte(":.=", p[i+1]) >= 0 {
			if end := strings.Index(p[i+2:], string(p[i+1])+"]"); end >= 0 {
				i += end + 4
				continue
			}
		}
		if p[i] == '\\' {
			i++
		}
		i++
	}
	return min(i+1, len(p))
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
