package jsonpath

import (
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"velostream/pgwire/pgerror"
)

type kind uint8

const (
	end kind = iota
	word
	quoted
	number
	variable
	symbol
)

type token struct {
	kind kind
	text string // unescaped
	at   int    // byte offset in the source
}

// special are the bytes that end an unquoted name.
const special = "?%$.[]{}()|&!=<>@#,*:-+/\"\\ \t\n\r\f\v"

type lexer struct {
	src string
	pos int
	tok token
}

func (l *lexer) fail() error {
	if l.tok.kind == end {
		return pgerror.New(pgerror.SyntaxError, "syntax error at end of jsonpath input")
	}
	to := max(l.pos, l.tok.at)
	return pgerror.New(pgerror.SyntaxError, "syntax error at or near %q of jsonpath input", l.src[l.tok.at:min(to, len(l.src))])
}

func (l *lexer) bad(format string, args ...any) error {
	return pgerror.New(pgerror.SyntaxError, format+" of jsonpath input", args...)
}

// space skips white space and comments.
func (l *lexer) space() error {
	for l.pos < len(l.src) {
		switch c := l.src[l.pos]; {
		case strings.IndexByte(" \t\n\r\f\v", c) >= 0:
			l.pos++
		case strings.HasPrefix(l.src[l.pos:], "/*"):
			n := strings.Index(l.src[l.pos+2:], "*/")
			if n < 0 {
				l.pos = len(l.src)
				return l.bad("unexpected end of comment at end")
			}
			l.pos += n + 4
		default:
			return nil
		}
	}
	return nil
}

// next reads the token at pos.
func (l *lexer) next() error {
	if err := l.space(); err != nil {
		return err
	}
	l.tok = token{at: l.pos}
	if l.pos >= len(l.src) {
		return nil
	}
	rest := l.src[l.pos:]
	c := rest[0]
	switch {
	case c == '"':
		return l.string(quoted)
	case c == '$' && len(rest) > 1 && rest[1] == '"':
		l.pos++
		return l.string(variable)
	case c == '$' && len(rest) > 1 && strings.IndexByte(special, rest[1]) < 0:
		l.pos++
		return l.name(variable)
	case c >= '0' && c <= '9' || c == '.' && len(rest) > 1 && rest[1] >= '0' && rest[1] <= '9':
		return l.number()
	}
	for _, s := range []string{"||", "&&", "==", "!=", "<>", "<=", ">=", "**"} {
		if strings.HasPrefix(rest, s) {
			l.tok.kind, l.tok.text = symbol, s
			l.pos += len(s)
			return nil
		}
	}
	if strings.IndexByte(special, c) >= 0 && c != '\\' {
		l.tok.kind, l.tok.text = symbol, rest[:1]
		l.pos++
		return nil
	}
	return l.name(word)
}

func (l *lexer) name(k kind) error {
	var b strings.Builder
	for l.pos < len(l.src) {
		c := l.src[l.pos]
		if c == '\\' {
			if err := l.escape(&b); err != nil {
				return err
			}
			continue
		}
		if strings.IndexByte(special, c) >= 0 {
			break
		}
		b.WriteByte(c)
		l.pos++
	}
	l.tok.kind, l.tok.text = k, b.String()
	return nil
}

func (l *lexer) string(k kind) error {
	var b strings.Builder
	for l.pos++; l.pos < len(l.src); {
		switch c := l.src[l.pos]; c {
		case '"':
			l.pos++
			l.tok.kind, l.tok.text = k, b.String()
			return nil
		case '\\':
			if err := l.escape(&b); err != nil {
				return err
			}
		default:
			b.WriteByte(c)
			l.pos++
		}
	}
	return l.bad("unexpected end of quoted string at end")
}

// escape reads the escape sequence at pos.
func (l *lexer) escape(b *strings.Builder) error {
	l.pos++
	if l.pos >= len(l.src) {
		return l.bad("unexpected end after backslash at or near \"%s\"", `\`)
	}
	c := l.src[l.pos]
	l.pos++
	switch c {
	case 'b':
		b.WriteByte('\b')
	case 'f':
		b.WriteByte('\f')
	case 'n':
		b.WriteByte('\n')
	case 'r':
		b.WriteByte('\r')
	case 't':
		b.WriteByte('\t')
	case 'v':
		b.WriteByte('\v')
	case 'x':
		r, ok := l.hex(2)
		if !ok {
			return l.bad("invalid hexadecimal character sequence at end")
		}
		b.WriteRune(r)
	case 'u':
		return l.unicode(b)
	default:
		l.pos--
		_, n := utf8.DecodeRuneInString(l.src[l.pos:])
		b.WriteString(l.src[l.pos : l.pos+n])
		l.pos += n
	}
	return nil
}

func (l *lexer) hex(n int) (rune, bool) {
	if l.pos+n > len(l.src) {
		return 0, false
	}
	v, err := strconv.ParseUint(l.src[l.pos:l.pos+n], 16, 32)
	l.pos += n
	return rune(v), err == nil
}

func (l *lexer) unicode(b *strings.Builder) error {
	invalid := func() error { return l.bad("invalid unicode sequence at end") }
	var r rune
	var ok bool
	if strings.HasPrefix(l.src[l.pos:], "{") {
		n := strings.IndexByte(l.src[l.pos:], '}')
		if n < 2 || n > 7 {
			return invalid()
		}
		l.pos++
		if r, ok = l.hex(n - 1); !ok {
			return invalid()
		}
		l.pos++
	} else if r, ok = l.hex(4); !ok {
		return invalid()
	}
	if utf16.IsSurrogate(r) {
		if !strings.HasPrefix(l.src[l.pos:], `\u`) {
			return pgerror.New("22P02", "invalid input syntax for type jsonpath")
		}
		l.pos += 2
		low, ok := l.hex(4)
		if r = utf16.DecodeRune(r, low); !ok || r == utf8.RuneError {
			return pgerror.New("22P02", "invalid input syntax for type jsonpath")
		}
	}
	if r == 0 {
		return pgerror.New("22P05", "unsupported Unicode escape sequence")
	}
	b.WriteRune(r)
	return nil
}

func (l *lexer) number() error {
	i := l.pos
	digits := func() int {
		n := i
		for i < len(l.src) && l.src[i] >= '0' && l.src[i] <= '9' {
			i++
		}
		return i - n
	}
	whole := digits()
	if whole > 1 && l.src[l.pos] == '0' {
		l.tok.kind, l.pos = symbol, i
		return l.bad("trailing junk after numeric literal at or near %q", l.src[l.tok.at:i])
	}
	if i < len(l.src) && l.src[i] == '.' {
		i++
		digits()
	}
	if i < len(l.src) && (l.src[i] == 'e' || l.src[i] == 'E') {
		save := i
		if i++; i < len(l.src) && (l.src[i] == '+' || l.src[i] == '-') {
			i++
		}
		if digits() == 0 {
			l.pos = save + 1
			return l.bad("trailing junk after numeric literal at or near %q", l.src[l.tok.at:l.pos])
		}
	}
	l.tok.kind, l.tok.text = number, l.src[l.pos:i]
	l.pos = i
	if i < len(l.src) && strings.IndexByte(special, l.src[i]) < 0 {
		return l.bad("trailing junk after numeric literal at or near %q", l.src[l.tok.at:i+1])
	}
	return nil
}

// maxExponent bounds the digits that an exponent may add to a number.
const maxExponent = 131072

// plain is a number without exponent: as many digits behind the point as it
// has, less its exponent.
func plain(s string) (string, bool) {
	exp := 0
	if i := strings.IndexAny(s, "eE"); i >= 0 {
		var err error
		if exp, err = strconv.Atoi(s[i+1:]); err != nil || exp > maxExponent || exp < -maxExponent {
			return "", false
		}
		s = s[:i]
	}
	whole, frac, _ := strings.Cut(s, ".")
	switch {
	case exp > 0:
		n := min(exp, len(frac))
		whole, frac = whole+frac[:n]+strings.Repeat("0", exp-n), frac[n:]
	case exp < 0:
		whole = strings.Repeat("0", max(0, -exp-len(whole))) + whole
		n := len(whole) + exp
		whole, frac = whole[:n], whole[n:]+frac
	}
	if whole = strings.TrimLeft(whole, "0"); whole == "" {
		whole = "0"
	}
	if frac != "" {
		whole += "." + frac
	}
	return whole, true
}
