package types

import (
	"strconv"
	"unicode/utf16"
	"unicode/utf8"

	"velostream/pgwire/pgerror"
)

// jsonDepthMax bounds nesting, as PostgreSQL's stack does.
const jsonDepthMax = 6000

type jsonKind uint8

// The kinds in the order in which jsonb sorts them.
const (
	jsonNull jsonKind = iota
	jsonString
	jsonNumber
	jsonBool
	jsonArray
	jsonObject
)

// jsonNode is a parsed JSON value. str is a string's text with its escapes
// resolved, keys are an object's, parallel to items.
type jsonNode struct {
	kind  jsonKind
	flag  bool
	num   Decimal
	str   []byte
	keys  [][]byte
	items []jsonNode
}

// jsonParser reads JSON text; with build unset it only checks it, by the laxer
// rules of type json (no look at what escapes mean, any number).
type jsonParser struct {
	src   []byte
	pos   int
	build bool
}

// ValidJSON reports text that is no JSON (22P02), as type json checks it.
func ValidJSON(b []byte) error {
	if err := CheckText(b); err != nil {
		return err
	}
	p := jsonParser{src: b}
	_, err := p.document()
	return err
}

func parseJSON(b []byte) (jsonNode, error) {
	if err := CheckText(b); err != nil {
		return jsonNode{}, err
	}
	p := jsonParser{src: b, build: true}
	return p.document()
}

func (p *jsonParser) document() (jsonNode, error) {
	n, err := p.value(0)
	if err != nil {
		return n, err
	}
	if p.space(); p.pos < len(p.src) {
		return n, p.unexpected("end of input")
	}
	return n, nil
}

func (p *jsonParser) space() {
	for p.pos < len(p.src) {
		switch p.src[p.pos] {
		case ' ', '\t', '\n', '\r':
			p.pos++
		default:
			return
		}
	}
}

// token returns the text of the token at the position, for messages.
func (p *jsonParser) token() string {
	end := p.pos
	for end < len(p.src) && jsonWordByte(p.src[end]) {
		end++
	}
	if end == p.pos && end < len(p.src) {
		_, n := utf8.DecodeRune(p.src[end:])
		end += n
	}
	return string(p.src[p.pos:end])
}

func jsonWordByte(c byte) bool {
	return isAlpha(c) || isDigit(c) || c == '_' || c >= 0x80
}

func (p *jsonParser) fail(format string, args ...any) error {
	return p.failAt(p.pos+len(p.token()), format, args...)
}

// failAt is fail with the place up to which the text was read.
func (p *jsonParser) failAt(end int, format string, args ...any) error {
	e := pgerror.New(pgerror.InvalidTextRepresentation, "invalid input syntax for type json").WithDetail(format, args...)
	e.Where = p.where(end)
	return e
}

// where shows the line up to end, as PostgreSQL's context does.
func (p *jsonParser) where(end int) string {
	line, start := 1, 0
	end = min(end, len(p.src))
	for i, c := range p.src[:min(p.pos, len(p.src))] {
		if c == '\n' {
			line, start = line+1, i+1
		}
	}
	prefix := ""
	for end-start >= 50 {
		_, n := utf8.DecodeRune(p.src[start:])
		start += n
		prefix = "..."
	}
	suffix := ""
	if end < len(p.src) && p.src[end] != '\n' && p.src[end] != '\r' {
		suffix = "..."
	}
	return "JSON data, line " + strconv.Itoa(line) + ": " + prefix + string(p.src[start:end]) + suffix
}

func (p *jsonParser) unexpected(want string) error {
	if p.pos >= len(p.src) {
		return p.fail("The input string ended unexpectedly.")
	}
	switch c := p.src[p.pos]; {
	case c == '"':
		start := p.pos
		if _, err := p.text(); err != nil {
			return err
		}
		tok := string(p.src[start:p.pos])
		return p.failAt(p.pos, "Expected %s, but found \"%s\".", want, tok)
	case c == '-' || isDigit(c):
		start := p.pos
		if _, err := p.number(); err != nil {
			return err
		}
		return p.failAt(p.pos, "Expected %s, but found \"%s\".", want, p.src[start:p.pos])
	case c == '{' || c == '}' || c == '[' || c == ']' || c == ',' || c == ':':
		return p.fail("Expected %s, but found \"%s\".", want, string(c))
	}
	switch tok := p.token(); tok {
	case "true", "false", "null":
		return p.fail("Expected %s, but found \"%s\".", want, tok)
	default:
		return p.fail("Token \"%s\" is invalid.", tok)
	}
}

func (p *jsonParser) value(depth int) (jsonNode, error) {
	if depth > jsonDepthMax {
		return jsonNode{}, pgerror.New(pgerror.StatementTooComplex, "stack depth limit exceeded")
	}
	p.space()
	if p.pos >= len(p.src) {
		return jsonNode{}, p.unexpected("JSON value")
	}
	switch c := p.src[p.pos]; {
	case c == '{':
		return p.object(depth)
	case c == '[':
		return p.array(depth)
	case c == '"':
		s, err := p.text()
		return jsonNode{kind: jsonString, str: s}, err
	case c == '-' || isDigit(c):
		return p.number()
	case isAlpha(c):
		switch tok := p.token(); tok {
		case "true", "false", "null":
			p.pos += len(tok)
			if tok == "null" {
				return jsonNode{}, nil
			}
			return jsonNode{kind: jsonBool, flag: tok == "true"}, nil
		}
	}
	return jsonNode{}, p.unexpected("JSON value")
}

func (p *jsonParser) array(depth int) (jsonNode, error) {
	n := jsonNode{kind: jsonArray}
	p.pos++
	if p.space(); p.pos < len(p.src) && p.src[p.pos] == ']' {
		p.pos++
		return n, nil
	}
	for {
		item, err := p.value(depth + 1)
		if err != nil {
			return n, err
		}
		if p.build {
			n.items = append(n.items, item)
		}
		p.space()
		switch {
		case p.pos < len(p.src) && p.src[p.pos] == ',':
			p.pos++
		case p.pos < len(p.src) && p.src[p.pos] == ']':
			p.pos++
			return n, nil
		default:
			return n, p.unexpected(`"," or "]"`)
		}
	}
}

func (p *jsonParser) object(depth int) (jsonNode, error) {
	n := jsonNode{kind: jsonObject}
	p.pos++
	if p.space(); p.pos < len(p.src) && p.src[p.pos] == '}' {
		p.pos++
		return n, nil
	}
	for first := true; ; first = false {
		if p.space(); p.pos >= len(p.src) || p.src[p.pos] != '"' {
			if first {
				return n, p.unexpected(`string or "}"`)
			}
			return n, p.unexpected("string")
		}
		key, err := p.text()
		if err != nil {
			return n, err
		}
		if p.space(); p.pos >= len(p.src) || p.src[p.pos] != ':' {
			return n, p.unexpected(`":"`)
		}
		p.pos++
		item, err := p.value(depth + 1)
		if err != nil {
			return n, err
		}
		if p.build {
			n.keys, n.items = append(n.keys, key), append(n.items, item)
		}
		p.space()
		switch {
		case p.pos < len(p.src) && p.src[p.pos] == ',':
			p.pos++
		case p.pos < len(p.src) && p.src[p.pos] == '}':
			p.pos++
			return n, nil
		default:
			return n, p.unexpected(`"," or "}"`)
		}
	}
}

func (p *jsonParser) number() (jsonNode, error) {
	start, i := p.pos, p.pos
	s := p.src
	run := func() bool {
		from := i
		for i < len(s) && isDigit(s[i]) {
			i++
		}
		return i > from
	}
	if s[i] == '-' {
		i++
	}
	ok := true
	if i < len(s) && s[i] == '0' {
		i++
	} else {
		ok = run()
	}
	if i < len(s) && s[i] == '.' {
		i++
		ok = run() && ok
	}
	if i < len(s) && s[i]|0x20 == 'e' {
		i++
		if i < len(s) && (s[i] == '+' || s[i] == '-') {
			i++
		}
		ok = run() && ok
	}
	for i < len(s) && jsonWordByte(s[i]) {
		i++
		ok = false
	}
	if !ok {
		return jsonNode{}, p.failAt(i, "Token \"%s\" is invalid.", s[start:i])
	}
	p.pos = i
	if !p.build {
		return jsonNode{}, nil
	}
	d, err := ParseDecimal(string(s[start:i]))
	return jsonNode{kind: jsonNumber, num: d}, err
}

// text reads a string from its opening quote on.
func (p *jsonParser) text() ([]byte, error) {
	var out []byte
	if p.build {
		out = []byte{}
	}
	start := p.pos
	for p.pos++; p.pos < len(p.src); p.pos++ {
		switch c := p.src[p.pos]; {
		case c == '"':
			p.pos++
			return out, nil
		case c < 0x20:
			return nil, p.failAt(p.pos, "Character with value 0x%02x must be escaped.", c)
		case c == '\\':
			var err error
			if out, err = p.escape(out); err != nil {
				return nil, err
			}
		case p.build:
			out = append(out, c)
		}
	}
	tok := p.src[start:]
	p.pos = len(p.src)
	return nil, p.fail("Token \"%s\" is invalid.", tok)
}

// escape reads one escape, from its backslash to its last byte.
func (p *jsonParser) escape(out []byte) ([]byte, error) {
	p.pos++
	if p.pos >= len(p.src) {
		return out, nil // text reports the string that does not end
	}
	c := p.src[p.pos]
	switch c {
	case '"', '\\', '/':
	case 'b':
		c = '\b'
	case 'f':
		c = '\f'
	case 'n':
		c = '\n'
	case 'r':
		c = '\r'
	case 't':
		c = '\t'
	case 'u':
		return p.unicodeEscape(out)
	default:
		_, n := utf8.DecodeRune(p.src[p.pos:])
		return nil, p.failAt(p.pos+n, "Escape sequence \"\\%s\" is invalid.", p.src[p.pos:p.pos+n])
	}
	if p.build {
		out = append(out, c)
	}
	return out, nil
}

func (p *jsonParser) hex4(at int) (rune, bool) {
	if at+4 > len(p.src) {
		return 0, false
	}
	r := rune(0)
	for _, c := range p.src[at : at+4] {
		h := hexDigit(c)
		if h > 15 {
			return 0, false
		}
		r = r<<4 | rune(h)
	}
	return r, true
}

// badHex is the error of an escape whose digits, from at on, are none.
func (p *jsonParser) badHex(at int) error {
	for at < len(p.src) && hexDigit(p.src[at]) < 16 {
		at++
	}
	_, n := utf8.DecodeRune(p.src[min(at, len(p.src)):])
	return p.failAt(at+n, "\"\\u\" must be followed by four hexadecimal digits.")
}

// unicodeEscape reads uXXXX, and the second one of a surrogate pair.
func (p *jsonParser) unicodeEscape(out []byte) ([]byte, error) {
	r, ok := p.hex4(p.pos + 1)
	if !ok {
		return nil, p.badHex(p.pos + 1)
	}
	p.pos += 4
	if !p.build {
		return out, nil
	}
	if r == 0 {
		e := pgerror.New(pgerror.UntranslatableCharacter, "unsupported Unicode escape sequence").
			WithDetail("%s", `\u0000 cannot be converted to text.`)
		e.Where = p.where(p.pos + 1)
		return nil, e
	}
	if utf16.IsSurrogate(r) {
		if r >= 0xDC00 {
			return nil, p.failAt(p.pos+1, "Unicode low surrogate must follow a high surrogate.")
		}
		if p.pos+2 >= len(p.src) || p.src[p.pos+1] != '\\' || p.src[p.pos+2] != 'u' {
			return nil, p.failAt(p.pos+2, "Unicode low surrogate must follow a high surrogate.")
		}
		low, ok := p.hex4(p.pos + 3)
		if !ok {
			return nil, p.badHex(p.pos + 3)
		}
		if low >= 0xD800 && low < 0xDC00 {
			return nil, p.failAt(p.pos+7, "Unicode high surrogate must not follow a high surrogate.")
		}
		if r = utf16.DecodeRune(r, low); r == utf8.RuneError {
			return nil, p.failAt(p.pos+7, "Unicode low surrogate must follow a high surrogate.")
		}
		p.pos += 6
	}
	return utf8.AppendRune(out, r), nil
}
