package types

import (
	"strings"

	"velostream/pgwire/pgerror"
)

func multiDim() error {
	return pgerror.Unsupported("arrays of more than one dimension are not supported")
}

// appendArrayText adds {a,"b c",NULL}; the vector types are separated by blanks.
func appendArrayText(dst []byte, t, elem Type, list []Datum, f *Format) []byte {
	if t.OID == OIDInt2Vector || t.OID == OIDOidVector {
		for i, d := range list {
			if i > 0 {
				dst = append(dst, ' ')
			}
			dst = AppendText(dst, elem, d, f)
		}
		return dst
	}
	dst = append(dst, '{')
	for i, d := range list {
		if i > 0 {
			dst = append(dst, ',')
		}
		if d.Null {
			dst = append(dst, "NULL"...)
			continue
		}
		at := len(dst)
		dst = AppendText(dst, elem, d, f)
		if needsQuotes(dst[at:]) {
			dst = quoteElement(dst, at)
		}
	}
	return append(dst, '}')
}

func needsQuotes(v []byte) bool {
	if len(v) == 0 || len(v) == 4 && lower(string(v)) == "null" {
		return true
	}
	for _, c := range v {
		if c == '"' || c == '\\' || c == '{' || c == '}' || c == ',' || isSpace(c) {
			return true
		}
	}
	return false
}

// quoteElement rewrites dst[at:] as a quoted element.
func quoteElement(dst []byte, at int) []byte {
	raw := string(dst[at:])
	dst = append(dst[:at], '"')
	for i := range len(raw) {
		if raw[i] == '"' || raw[i] == '\\' {
			dst = append(dst, '\\')
		}
		dst = append(dst, raw[i])
	}
	return append(dst, '"')
}

// arrayParser reads one array literal.
type arrayParser struct {
	src  string
	pos  int
	elem Type
	f    *Format
}

func (p *arrayParser) malformed(detail string) error {
	e := pgerror.New(pgerror.InvalidTextRepresentation, "malformed array literal: \"%s\"", p.src)
	if detail != "" {
		e.Detail = detail
	}
	return e
}

func (p *arrayParser) skipSpace() {
	for p.pos < len(p.src) && isSpace(p.src[p.pos]) {
		p.pos++
	}
}

func parseArray(t, elem Type, s string, f *Format) ([]Datum, error) {
	if t.OID == OIDInt2Vector || t.OID == OIDOidVector {
		return parseVector(elem, s, f)
	}
	p := &arrayParser{src: s, elem: elem, f: f}
	p.skipSpace()
	if err := p.dimensions(); err != nil {
		return nil, err
	}
	if p.pos >= len(s) || s[p.pos] != '{' {
		return nil, p.malformed(`Array value must start with "{" or dimension information.`)
	}
	p.pos++
	list, err := p.elements()
	if err != nil {
		return nil, err
	}
	p.skipSpace()
	if p.pos != len(s) {
		return nil, p.malformed("Junk after closing right brace.")
	}
	return list, nil
}

// dimensions accepts [1:n]= in front of the braces.
func (p *arrayParser) dimensions() error {
	if p.pos >= len(p.src) || p.src[p.pos] != '[' {
		return nil
	}
	end := strings.IndexByte(p.src[p.pos:], '=')
	if end < 0 {
		return p.malformed("Missing \"]\" after array dimensions.")
	}
	dims := trimSpace(p.src[p.pos : p.pos+end])
	p.pos += end + 1
	p.skipSpace()
	if strings.Count(dims, "[") > 1 {
		return multiDim()
	}
	if !strings.HasSuffix(dims, "]") {
		return p.malformed("Missing \"]\" after array dimensions.")
	}
	dims = dims[1 : len(dims)-1]
	if lo, _, ok := strings.Cut(dims, ":"); ok && trimSpace(lo) != "1" {
		return pgerror.Unsupported("arrays with a lower bound other than 1 are not supported")
	}
	return nil
}

func (p *arrayParser) elements() ([]Datum, error) {
	list := []Datum{}
	for {
		p.skipSpace()
		if p.pos >= len(p.src) {
			return nil, p.malformed("Unexpected end of input.")
		}
		switch c := p.src[p.pos]; {
		case c == '{':
			return nil, multiDim()
		case c == '}' && len(list) == 0:
			p.pos++
			return list, nil
		case c == ',' || c == '}':
			return nil, p.malformed("Unexpected \"" + string(c) + "\" character.")
		}
		d, err := p.element()
		if err != nil {
			return nil, err
		}
		list = append(list, d)
		p.skipSpace()
		if p.pos >= len(p.src) {
			return nil, p.malformed("Unexpected end of input.")
		}
		switch p.src[p.pos] {
		case ',':
			p.pos++
		case '}':
			p.pos++
			return list, nil
		case '"', '{':
			return nil, p.malformed("Unexpected array element.")
		default:
			return nil, p.malformed("Unexpected array element.")
		}
	}
}

func (p *arrayParser) element() (Datum, error) {
	var buf []byte
	quoted := p.src[p.pos] == '"'
	if quoted {
		text, err := p.quoted()
		if err != nil {
			return Datum{}, err
		}
		return DecodeText(p.elem, text, p.f)
	}
	keep := 0 // trailing blanks are not part of the element unless escaped
	escaped := false
scan:
	for p.pos < len(p.src) {
		c := p.src[p.pos]
		switch c {
		case ',', '}':
			break scan
		case '{':
			return Datum{}, p.malformed("Unexpected \"{\" character.")
		case '"':
			return Datum{}, p.malformed("Unexpected array element.")
		case '\\':
			p.pos++
			if p.pos >= len(p.src) {
				return Datum{}, p.malformed("Unexpected end of input.")
			}
			buf = append(buf, p.src[p.pos])
			keep, escaped = len(buf), true
		default:
			buf = append(buf, c)
			if !isSpace(c) {
				keep = len(buf)
			}
		}
		p.pos++
	}
	buf = buf[:keep]
	if !escaped && lower(string(buf)) == "null" {
		return NullDatum, nil
	}
	return DecodeText(p.elem, buf, p.f)
}

func (p *arrayParser) quoted() ([]byte, error) {
	buf := []byte{}
	for p.pos++; p.pos < len(p.src); p.pos++ {
		switch c := p.src[p.pos]; c {
		case '"':
			p.pos++
			return buf, nil
		case '\\':
			p.pos++
			if p.pos >= len(p.src) {
				return nil, p.malformed("Unexpected end of input.")
			}
			buf = append(buf, p.src[p.pos])
		default:
			buf = append(buf, c)
		}
	}
	return nil, p.malformed("Unexpected end of input.")
}

func parseVector(elem Type, s string, f *Format) ([]Datum, error) {
	list := []Datum{}
	for field := range strings.FieldsSeq(s) {
		d, err := DecodeText(elem, []byte(field), f)
		if err != nil {
			return nil, err
		}
		list = append(list, d)
	}
	return list, nil
}
