package parser

import (
	"strings"
	"unicode/utf8"

	"velostream/pgwire/pgerror"
)

// unterminated are the messages of strings without end, by kind letter.
func unterminated(letter byte) string {
	switch letter {
	case 'B':
		return "unterminated bit string literal"
	case 'X':
		return "unterminated hexadecimal string literal"
	}
	return "unterminated quoted string"
}

// quoted lexes a string whose opening quote is at l.off; start is where the
// token begins (its prefix letter), letter the kind: '\” standard, E, B, X.
func (l *lexer) quoted(start int, letter byte) token {
	body, escapes, ok := l.scanQuoted(letter == 'E')
	if !ok {
		return l.fail(pgerror.SyntaxError, start, len(l.src), unterminated(letter))
	}
	t := token{kind: tString, pos: int32(start), end: int32(l.off), text: body}
	switch letter {
	case 'B', 'X':
		t.kind = tBit
		if letter == 'X' {
			t.kind = tHex
		}
	case 'E':
		if escapes {
			text, ok := l.unescape(start, int(t.end)-1-len(body), body)
			if !ok {
				return token{kind: tEOF, pos: t.pos, end: int32(len(l.src))}
			}
			t.text = text
		}
	}
	if letter != 'E' && strings.Contains(body, "''") {
		t.text = strings.ReplaceAll(body, "''", "'")
	} else if letter == 'E' && !escapes && strings.Contains(body, "''") {
		t.text = strings.ReplaceAll(body, "''", "'")
	}
	if l.continues() {
		l.cont = letter
	}
	return t
}

// scanQuoted finds the end of the string that opens at l.off, and moves behind
// it. The body is raw: quotes still doubled, escapes unresolved.
func (l *lexer) scanQuoted(backslash bool) (body string, escapes, ok bool) {
	from := l.off + 1
	for i := from; i < len(l.src); i++ {
		switch c := l.src[i]; {
		case c == '\\' && backslash:
			escapes = true
			i++
		case c == '\'':
			if i+1 < len(l.src) && l.src[i+1] == '\'' {
				i++
				continue
			}
			l.off = i + 1
			return l.src[from:i], escapes, true
		}
	}
	return "", false, false
}

// continues reports whether the string before l.off goes on after blanks with
// a newline among them: 'a' newline 'b' is one constant.
func (l *lexer) continues() bool {
	newline := false
	for i := l.off; i < len(l.src); i++ {
		switch c := l.src[i]; {
		case c == '\n' || c == '\r':
			newline = true
		case isBlank(c):
		case c == '-' && i+1 < len(l.src) && l.src[i+1] == '-':
			end := strings.IndexAny(l.src[i:], "\r\n")
			if end < 0 {
				return false
			}
			i += end - 1
		default:
			return c == '\'' && newline
		}
	}
	return false
}

// unescape resolves the backslash escapes of an E'…' string. base is the
// body's offset, for errors.
func (l *lexer) unescape(start, base int, body string) (string, bool) {
	var b strings.Builder
	b.Grow(len(body))
	for i := 0; i < len(body); {
		c := body[i]
		if c == '\'' { // doubled
			b.WriteByte('\'')
			i += 2
			continue
		}
		if c != '\\' {
			b.WriteByte(c)
			i++
			continue
		}
		n, ok := l.escape(&b, base+i, body[i:])
		if !ok {
			return "", false
		}
		i += n
	}
	s := b.String()
	if !utf8.ValidString(s) {
		l.fail(pgerror.InvalidByteSequence, start, start, "")
		l.err.Message = "invalid byte sequence for encoding \"UTF8\""
		return "", false
	}
	return s, true
}

// escape writes what the escape at the start of s means, and returns its
// length in s.
func (l *lexer) escape(b *strings.Builder, pos int, s string) (int, bool) {
	switch c := s[1]; c {
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
	case '0', '1', '2', '3', '4', '5', '6', '7':
		n, v := 1, 0
		for n < len(s) && n <= 3 && s[n] >= '0' && s[n] <= '7' {
			v = v*8 + int(s[n]-'0')
			n++
		}
		return n, l.writeByte(b, pos, n, byte(v))
	case 'x':
		n, v := 2, 0
		for n < len(s) && n < 4 && hexDigit(s[n]) >= 0 {
			v = v*16 + hexDigit(s[n])
			n++
		}
		if n > 2 {
			return n, l.writeByte(b, pos, n, byte(v))
		}
		b.WriteByte('x')
	case 'u', 'U':
		return l.escapeUnicode(b, pos, s)
	default:
		b.WriteByte(c)
	}
	return 2, true
}

func (l *lexer) writeByte(b *strings.Builder, pos, n int, c byte) bool {
	if c == 0 {
		l.fail(pgerror.InvalidByteSequence, pos, pos+n, "")
		l.err.Message = "invalid byte sequence for encoding \"UTF8\": 0x00"
		return false
	}
	b.WriteByte(c)
	return true
}

func hexDigit(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'a' && c <= 'f':
		return int(c-'a') + 10
	case c >= 'A' && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}

func hexValue(s string) (rune, bool) {
	v := rune(0)
	for i := range len(s) {
		d := hexDigit(s[i])
		if d < 0 {
			return 0, false
		}
		v = v*16 + rune(d)
	}
	return v, len(s) > 0
}

// escapeUnicode writes \uXXXX or \UXXXXXXXX, surrogate pairs joined.
func (l *lexer) escapeUnicode(b *strings.Builder, pos int, s string) (int, bool) {
	width := func(s string) int {
		if s[1] == 'U' {
			return 10
		}
		return 6
	}
	n := width(s)
	if len(s) < n {
		return l.badUnicode(pos)
	}
	r, ok := hexValue(s[2:n])
	if !ok {
		return l.badUnicode(pos)
	}
	if r >= 0xD800 && r < 0xDC00 {
		rest := s[n:]
		if len(rest) < 6 || rest[0] != '\\' || rest[1] != 'u' && rest[1] != 'U' || len(rest) < width(rest) {
			return l.badPair(pos, n)
		}
		low, ok := hexValue(rest[2:width(rest)])
		if !ok || low < 0xDC00 || low > 0xDFFF {
			return l.badPair(pos, n)
		}
		n += width(rest)
		r = 0x10000 + (r-0xD800)<<10 + (low - 0xDC00)
	}
	if !utf8.ValidRune(r) || r == 0 {
		l.fail(pgerror.SyntaxError, pos, pos+n, "invalid Unicode escape value")
		return 0, false
	}
	b.WriteRune(r)
	return n, true
}

func (l *lexer) badUnicode(pos int) (int, bool) {
	l.fail(pgerror.InvalidEscapeSequence, pos, pos, "")
	l.err.Message = "invalid Unicode escape"
	l.err.Hint = `Unicode escapes must be \uXXXX or \UXXXXXXXX.`
	return 0, false
}

func (l *lexer) badPair(pos, n int) (int, bool) {
	l.fail(pgerror.SyntaxError, pos+n, pos+n+1, "invalid Unicode surrogate pair")
	return 0, false
}

// quotedName lexes a "quoted" name that opens at l.off. raw leaves it
// untruncated for U&"…".
func (l *lexer) quotedName(start int, raw bool) token {
	from := l.off + 1
	doubled := false
	for i := from; i < len(l.src); i++ {
		if l.src[i] != '"' {
			continue
		}
		if i+1 < len(l.src) && l.src[i+1] == '"' {
			doubled = true
			i++
			continue
		}
		l.off = i + 1
		text := l.src[from:i]
		if text == "" {
			return l.fail(pgerror.SyntaxError, start, l.off, "zero-length delimited identifier")
		}
		if doubled {
			text = strings.ReplaceAll(text, `""`, `"`)
		}
		if !raw {
			text = truncateName(text)
		}
		return token{kind: tQuoted, bare: true, pos: int32(start), end: int32(l.off), text: text}
	}
	return l.fail(pgerror.SyntaxError, start, len(l.src), "unterminated quoted identifier")
}

// unicode lexes U&'…' or U&"…" with its UESCAPE; the quote is at l.off.
func (l *lexer) unicode(start int) token {
	var t token
	isName := l.src[l.off] == '"'
	if isName {
		t = l.quotedName(start, true)
	} else {
		t = l.quoted(start, '\'')
		// Pieces across newlines belong to the constant before it is resolved.
		for l.cont != 0 && l.err == nil {
			l.cont = 0
			l.skipBlanks()
			more := l.quoted(l.off, '\'')
			t.text += more.text
			t.end = more.end
		}
	}
	if l.err != nil {
		return token{kind: tEOF, pos: t.pos, end: int32(len(l.src))}
	}
	escape, ok := l.uescape(&t)
	if !ok {
		return token{kind: tEOF, pos: t.pos, end: int32(len(l.src))}
	}
	text, ok := l.resolveUnicode(start, t.text, escape)
	if !ok {
		return token{kind: tEOF, pos: t.pos, end: int32(len(l.src))}
	}
	if isName {
		text = truncateName(text)
	}
	t.text = text
	return t
}

// uescape reads an optional UESCAPE 'c' behind the token t.
func (l *lexer) uescape(t *token) (byte, bool) {
	save := *l
	l.skipBlanks()
	const word = "uescape"
	if len(l.src)-l.off < len(word) || !strings.EqualFold(l.src[l.off:l.off+len(word)], word) || isIdentPart(l.at(len(word))) {
		*l = save
		return '\\', true
	}
	l.off += len(word)
	arg := l.next()
	if l.err != nil {
		return 0, false
	}
	if arg.kind != tString {
		l.fail(pgerror.SyntaxError, int(arg.pos), int(arg.end), "UESCAPE must be followed by a simple string literal")
		return 0, false
	}
	if len(arg.text) != 1 || hexDigit(arg.text[0]) >= 0 || isBlank(arg.text[0]) || strings.Contains(`+'"`, arg.text) {
		l.fail(pgerror.SyntaxError, int(arg.pos), int(arg.end), "invalid Unicode escape character")
		return 0, false
	}
	t.end = arg.end
	return arg.text[0], true
}

// resolveUnicode resolves \XXXX and \+XXXXXX with the given escape character.
func (l *lexer) resolveUnicode(start int, s string, escape byte) (string, bool) {
	if strings.IndexByte(s, escape) < 0 {
		return s, true
	}
	var b strings.Builder
	high := rune(0)
	bad := func(i int, msg string) (string, bool) {
		l.fail(pgerror.SyntaxError, start+len("U&'")+i, start, "")
		l.err.Message = msg
		if msg == "invalid Unicode escape" {
			l.err.Hint = `Unicode escapes must be \XXXX or \+XXXXXX.`
		}
		return "", false
	}
	for i := 0; i < len(s); {
		if s[i] != escape || i+1 < len(s) && s[i+1] == escape {
			if high != 0 {
				return bad(i, "invalid Unicode surrogate pair")
			}
			b.WriteByte(s[i])
			if s[i] == escape {
				i++
			}
			i++
			continue
		}
		from, n := i+1, 4
		if from < len(s) && s[from] == '+' {
			from, n = from+1, 6
		}
		if from+n > len(s) {
			return bad(i, "invalid Unicode escape")
		}
		r, ok := hexValue(s[from : from+n])
		switch low := r >= 0xDC00 && r <= 0xDFFF; {
		case !ok:
			return bad(i, "invalid Unicode escape")
		case low != (high != 0):
			return bad(i, "invalid Unicode surrogate pair")
		case low:
			b.WriteRune(0x10000 + (high-0xD800)<<10 + (r - 0xDC00))
			high = 0
		case r >= 0xD800 && r < 0xDC00:
			high = r
		case !utf8.ValidRune(r) || r == 0:
			return bad(i, "invalid Unicode escape value")
		default:
			b.WriteRune(r)
		}
		i = from + n
	}
	if high != 0 {
		return bad(len(s), "invalid Unicode surrogate pair")
	}
	return b.String(), true
}
