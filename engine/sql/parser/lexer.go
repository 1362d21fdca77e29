package parser

import (
	"strings"
	"unicode/utf8"

	"velostream/engine/sql/ast"
	"velostream/pgwire/pgerror"
)

// kind is the kind of a token.
type kind uint8

const (
	tEOF      kind = iota
	tWord          // unquoted name or keyword, lower case
	tQuoted        // "quoted" name
	tString        // string constant, value resolved
	tBit           // B'…'
	tHex           // X'…'
	tInt           // digits that fit int64
	tNum           // any other number
	tParam         // $n: text is the digits
	tDuration      // 30s, 1.5h: text is the number and the unit as written
	tOp            // operator, punctuation; text is the symbol
)

// token is a lexical element. pos and end are byte offsets.
type token struct {
	kind     kind
	cat      category
	bare     bool // usable as a bare label
	cont     bool // a string constant that continues the one before it
	pos, end int32
	text     string
}

// lexer makes tokens on demand. It never looks further ahead than a token
// and the blanks behind it, so lexing a text takes time linear in its length.
type lexer struct {
	src  string
	off  int
	err  *pgerror.Error
	cont byte // kind letter of a string that continues after the blanks: 0, '\'', 'E', 'B', 'X'

	notes []ast.Annotation
}

// nameMax is PostgreSQL's NAMEDATALEN less the closing zero.
const nameMax = 63

// truncateName cuts a name to nameMax bytes without splitting a character.
func truncateName(s string) string {
	if len(s) <= nameMax {
		return s
	}
	n := nameMax
	for n > nameMax-utf8.UTFMax && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

func isIdentStart(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' || c >= 0x80
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func isIdentPart(c byte) bool { return isIdentStart(c) || isDigit(c) || c == '$' }

func isBlank(c byte) bool {
	return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v'
}

const opChars = "~!@#^&|`?+-*/%<>="

func isOpChar(c byte) bool { return strings.IndexByte(opChars, c) >= 0 }

// at returns the byte i positions ahead, 0 behind the end.
func (l *lexer) at(i int) byte {
	if l.off+i < len(l.src) {
		return l.src[l.off+i]
	}
	return 0
}

// fail records the first lexical error; all further tokens are tEOF. near is
// the offset behind the offending text.
func (l *lexer) fail(code string, pos, near int, msg string) token {
	if l.err == nil {
		near = max(min(near, len(l.src)), pos)
		l.err = pgerror.New(code, "%s at or near \"%s\"", msg, l.src[pos:near]).At(ast.CharPos(l.src, pos))
	}
	l.off = len(l.src)
	return token{kind: tEOF, pos: int32(pos), end: int32(len(l.src))}
}

// next returns the next token; tEOF at the end and after an error.
func (l *lexer) next() token {
	if cont := l.cont; cont != 0 {
		l.cont = 0
		l.skipBlanks()
		t := l.quoted(l.off, cont)
		t.cont = true
		return t
	}
	if bad := l.skipBlanks(); bad >= 0 {
		return l.fail(pgerror.SyntaxError, bad, len(l.src), "unterminated /* comment")
	}
	if l.off >= len(l.src) {
		return token{kind: tEOF, pos: int32(len(l.src)), end: int32(len(l.src))}
	}
	c := l.src[l.off]
	switch {
	case isIdentStart(c):
		return l.word()
	case isDigit(c), c == '.' && isDigit(l.at(1)):
		return l.number()
	case c == '\'':
		return l.quoted(l.off, '\'')
	case c == '"':
		return l.quotedName(l.off, false)
	case c == '$':
		return l.dollar()
	case isOpChar(c):
		return l.operator()
	}
	return l.punctuation()
}

// skipBlanks skips blanks and comments and returns the offset of a comment
// without end, -1 if there is none.
func (l *lexer) skipBlanks() int {
	for l.off < len(l.src) {
		c := l.src[l.off]
		switch {
		case isBlank(c):
			l.off++
		case c == '-' && l.at(1) == '-':
			end := strings.IndexAny(l.src[l.off:], "\r\n")
			if end < 0 {
				end = len(l.src) - l.off
			}
			l.annotation(l.off, l.off+end)
			l.off += end
		case c == '/' && l.at(1) == '*':
			start := l.off
			if !l.skipComment() {
				return start
			}
		default:
			return -1
		}
	}
	return -1
}

// skipComment skips a nested comment, and reports whether it has an end.
func (l *lexer) skipComment() bool {
	depth := 0
	for l.off < len(l.src) {
		switch {
		case l.src[l.off] == '/' && l.at(1) == '*':
			depth++
			l.off += 2
		case l.src[l.off] == '*' && l.at(1) == '/':
			depth--
			l.off += 2
			if depth == 0 {
				return true
			}
		default:
			l.off++
		}
	}
	return false
}

// annotation keeps the comment src[from:to] if it reads `-- @name: value`.
func (l *lexer) annotation(from, to int) {
	i := from + 2
	for i < to && (l.src[i] == ' ' || l.src[i] == '\t') {
		i++
	}
	if i >= to || l.src[i] != '@' {
		return
	}
	pos := i
	i++
	start := i
	for i < to && (isIdentPart(l.src[i]) || l.src[i] == '.' || l.src[i] == '-' || l.src[i] == '/') {
		i++
	}
	if strings.EqualFold(l.src[start:i], "velo") && i < to && l.src[i] == ':' {
		for i++; i < to && (isIdentPart(l.src[i]) || l.src[i] == '.' || l.src[i] == '-'); i++ {
		}
	}
	if i == start {
		return
	}
	name := l.src[start:i]
	for i < to && (l.src[i] == ' ' || l.src[i] == '\t') {
		i++
	}
	if i < to && (l.src[i] == ':' || l.src[i] == '=') {
		i++
	}
	for i < to && (l.src[i] == ' ' || l.src[i] == '\t') {
		i++
	}
	l.notes = append(l.notes, ast.Annotation{
		At: ast.At(pos), Name: name, Value: strings.TrimRight(l.src[i:to], " \t"), ValuePos: i,
	})
}

// word lexes a name, a keyword, or a string with a prefix letter.
func (l *lexer) word() token {
	start := l.off
	if t, ok := l.prefixed(start); ok {
		return t
	}
	i, upper := start, false
	for i < len(l.src) && isIdentPart(l.src[i]) {
		if c := l.src[i]; c >= 'A' && c <= 'Z' {
			upper = true
		}
		i++
	}
	l.off = i
	text := l.src[start:i]
	t := token{kind: tWord, bare: true, pos: int32(start), end: int32(i)}
	var buf [32]byte
	if len(text) <= len(buf) {
		b := buf[:len(text)]
		for j := range len(text) {
			b[j] = lower(text[j])
		}
		if kw, ok := keywords[string(b)]; ok {
			t.text, t.cat, t.bare = kw.text, kw.cat, kw.bare
			return t
		}
		if upper {
			text = string(b)
		}
	} else if upper {
		text = foldASCII(text)
	}
	t.text = truncateName(text)
	return t
}

func lower(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

// foldASCII turns the ASCII letters of s to lower case, and no others.
func foldASCII(s string) string {
	b := []byte(s)
	for i, c := range b {
		b[i] = lower(c)
	}
	return string(b)
}

// prefixed lexes E'…', B'…', X'…', N'…', U&'…' and U&"…".
func (l *lexer) prefixed(start int) (token, bool) {
	next := l.at(1)
	switch lower(l.src[start]) {
	case 'e', 'b', 'x':
		if next == '\'' {
			l.off++
			return l.quoted(start, lower(l.src[start])-'a'+'A'), true
		}
	case 'n':
		// NCHAR'…' is an ordinary string of the database's encoding.
		if next == '\'' {
			l.off++
			return l.quoted(start, '\''), true
		}
	case 'u':
		if next == '&' && (l.at(2) == '\'' || l.at(2) == '"') {
			l.off += 2
			return l.unicode(start), true
		}
	}
	return token{}, false
}

// number lexes a number, or a duration such as 30s.
func (l *lexer) number() token {
	start, i := l.off, l.off
	src := l.src
	digits := func() {
		for i < len(src) && isDigit(src[i]) {
			i++
		}
	}
	k := tInt
	digits()
	// 1..10 is an integer before two dots.
	if i < len(src) && src[i] == '.' && (i+1 >= len(src) || src[i+1] != '.') {
		k = tNum
		i++
		digits()
	}
	if i < len(src) && (src[i] == 'e' || src[i] == 'E') {
		j := i + 1
		if j < len(src) && (src[j] == '+' || src[j] == '-') {
			j++
		}
		if j >= len(src) || !isDigit(src[j]) {
			return l.fail(pgerror.SyntaxError, start, j, "trailing junk after numeric literal")
		}
		k, i = tNum, j
		digits()
	}
	l.off = i
	if i < len(src) && isIdentStart(src[i]) {
		return l.duration(start, i)
	}
	text := src[start:i]
	if k == tInt && (len(text) > 19 || len(text) == 19 && text > "9223372036854775807") {
		if trimmed := strings.TrimLeft(text, "0"); len(trimmed) > 18 && (len(trimmed) > 19 || trimmed > "9223372036854775807") {
			k = tNum
		}
	}
	return token{kind: k, pos: int32(start), end: int32(i), text: text}
}

// durationUnits maps the unit of a short duration to the unit's full name and
// a factor; PostgreSQL's intervals count microseconds.
var durationUnits = map[string]string{
	"ns": "nanoseconds", "us": "microseconds", "ms": "milliseconds", "s": "seconds",
	"m": "minutes", "h": "hours", "d": "days", "w": "weeks",
}

// duration lexes the unit of a number that ends at unit.
func (l *lexer) duration(start, unit int) token {
	i := unit
	for i < len(l.src) && isIdentPart(l.src[i]) {
		i++
	}
	if _, ok := durationUnits[strings.ToLower(l.src[unit:i])]; !ok {
		return l.fail(pgerror.SyntaxError, start, i, "trailing junk after numeric literal")
	}
	l.off = i
	return token{kind: tDuration, pos: int32(start), end: int32(i), text: l.src[start:i]}
}

// dollar lexes a parameter or a dollar-quoted string.
func (l *lexer) dollar() token {
	start := l.off
	if isDigit(l.at(1)) {
		i := start + 1
		for i < len(l.src) && isDigit(l.src[i]) {
			i++
		}
		if i < len(l.src) && isIdentStart(l.src[i]) {
			_, size := utf8.DecodeRuneInString(l.src[i:])
			return l.fail(pgerror.SyntaxError, start, i+size, "trailing junk after parameter")
		}
		l.off = i
		return token{kind: tParam, pos: int32(start), end: int32(i), text: l.src[start+1 : i]}
	}
	i := start + 1
	for i < len(l.src) && (isIdentStart(l.src[i]) || i > start+1 && isDigit(l.src[i])) {
		i++
	}
	if i >= len(l.src) || l.src[i] != '$' {
		return l.fail(pgerror.SyntaxError, start, start+1, "syntax error")
	}
	tag := l.src[start : i+1]
	body := strings.Index(l.src[i+1:], tag)
	if body < 0 {
		return l.fail(pgerror.SyntaxError, start, len(l.src), "unterminated dollar-quoted string")
	}
	l.off = i + 1 + body + len(tag)
	return token{kind: tString, pos: int32(start), end: int32(l.off), text: l.src[i+1 : i+1+body]}
}

// operator lexes a run of operator characters by PostgreSQL's rules: it ends
// before a comment, and + or - may end a longer one only together with one of
// the characters that no SQL operator has.
func (l *lexer) operator() token {
	start, i := l.off, l.off
	for i < len(l.src) && isOpChar(l.src[i]) {
		if i > start && i+1 < len(l.src) && (l.src[i:i+2] == "--" || l.src[i:i+2] == "/*") {
			break
		}
		i++
	}
	text := l.src[start:i]
	if len(text) > 1 && (text[len(text)-1] == '+' || text[len(text)-1] == '-') && !strings.ContainsAny(text, "~!@#^&|`?%") {
		for len(text) > 1 && (text[len(text)-1] == '+' || text[len(text)-1] == '-') {
			text = text[:len(text)-1]
		}
	}
	l.off = start + len(text)
	if len(text) > nameMax {
		return l.fail(pgerror.SyntaxError, start, l.off, "operator too long")
	}
	if text == "!=" {
		text = "<>"
	}
	return token{kind: tOp, pos: int32(start), end: int32(l.off), text: text}
}

// punctuation lexes what is neither name, number, string nor operator. An
// unknown character becomes a token that no rule accepts.
func (l *lexer) punctuation() token {
	start := l.off
	n := 1
	switch {
	case strings.HasPrefix(l.src[start:], "::"), strings.HasPrefix(l.src[start:], ".."), strings.HasPrefix(l.src[start:], ":="):
		n = 2
	}
	l.off += n
	return token{kind: tOp, pos: int32(start), end: int32(l.off), text: l.src[start:l.off]}
}
