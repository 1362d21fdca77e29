package types

import (
	"strings"

	"velostream/pgwire/pgerror"
)

// arrayState is what an array literal was read up to, within its braces.
type arrayState uint8

const (
	arrayBegin     arrayState = iota // no brace yet
	arrayOpened                      // {
	arrayElement                     // an element
	arrayNext                        // a comma after an element
	arrayClosed                      // } of an inner array
	arrayNextArray                   // a comma after }
)

// arrayParser reads one array literal.
type arrayParser struct {
	src  []byte
	from int // where what messages show begins
	pos  int
	elem Type
	f    *Format

	list  []Datum
	level int          // open braces
	depth int          // braces around the elements, 0: none seen
	ndim  int          // dimensions
	count [MaxDims]int // what the open brace of a level has so far
	dims  [MaxDims]int // what each closed brace of a level had, 0: none closed
	buf   []byte       // of an element with escapes
	bad   error        // of the first element that is no value: errors of the form go first
}

func (p *arrayParser) malformed(detail string) error {
	return pgerror.New(pgerror.InvalidTextRepresentation, "malformed array literal: \"%s\"", p.src[p.from:]).WithDetail("%s", detail)
}

func (p *arrayParser) unexpected(c byte) error {
	return p.malformed("Unexpected \"" + string(c) + "\" character.")
}

func (p *arrayParser) skipSpace() {
	for p.pos < len(p.src) && isSpace(p.src[p.pos]) {
		p.pos++
	}
}

func (p *arrayParser) at(c byte) bool { return p.pos < len(p.src) && p.src[p.pos] == c }

// parseArray reads an array of t in any form that PostgreSQL accepts. b is not kept.
func parseArray(t, elem Type, b []byte, f *Format) (Datum, error) {
	if t.OID == OIDInt2Vector || t.OID == OIDOidVector {
		return parseVector(elem, string(b), f)
	}
	p := &arrayParser{src: b, elem: elem, f: f, list: []Datum{}}
	var bounds []Dim
	p.skipSpace()
	if p.at('[') {
		var err error
		if bounds, err = p.bounds(); err != nil {
			return Datum{}, err
		}
	}
	if !p.at('{') {
		if bounds != nil {
			return Datum{}, p.malformed(`Array contents must start with "{".`)
		}
		return Datum{}, p.malformed(`Array value must start with "{" or dimension information.`)
	}
	p.from = p.pos
	if err := p.braces(); err != nil {
		return Datum{}, err
	}
	p.from = 0
	dims, err := p.dimensions(bounds)
	if err != nil {
		return Datum{}, err
	}
	return ArrayDatum(p.list, dims), p.bad
}

// dimensions are those of the braces read, from bounds if they are given.
func (p *arrayParser) dimensions(bounds []Dim) ([]Dim, error) {
	n := p.ndim
	if len(p.list) == 0 {
		n = 0
	}
	if bounds == nil {
		if n <= 1 {
			return nil, nil
		}
		for _, l := range p.dims[:n] {
			bounds = append(bounds, Dim{int32(l), 1})
		}
		return bounds, nil
	}
	if n != len(bounds) {
		return nil, p.malformed("Specified array dimensions do not match array contents.")
	}
	for k, d := range bounds {
		if int(d.Len) != p.dims[k] {
			return nil, p.malformed("Specified array dimensions do not match array contents.")
		}
	}
	return bounds, CheckDims(bounds)
}

// bounds reads [l:u][n]= in front of the braces.
func (p *arrayParser) bounds() ([]Dim, error) {
	var dims []Dim
	for p.skipSpace(); p.at('['); p.skipSpace() {
		p.pos++
		if len(dims) == MaxDims {
			return nil, TooManyDims(MaxDims + 1)
		}
		lo := int32(1)
		first, ok := p.bound()
		if !ok {
			return nil, p.malformed(`"[" must introduce explicitly-specified array dimensions.`)
		}
		hi := first
		if p.at(':') {
			p.pos++
			lo = first
			if hi, ok = p.bound(); !ok {
				return nil, p.malformed("Missing array dimension value.")
			}
		}
		if !p.at(']') {
			return nil, p.malformed(`Missing "]" after array dimensions.`)
		}
		p.pos++
		if hi < lo {
			return nil, pgerror.New(pgerror.ArraySubscriptError, "upper bound cannot be less than lower bound")
		}
		dims = append(dims, Dim{hi - lo + 1, lo})
	}
	if !p.at('=') {
		return nil, p.malformed(`Missing "=" after array dimensions.`)
	}
	p.pos++
	p.skipSpace()
	return dims, nil
}

// bound reads the digits and signs of a bound as C's atoi does: what is no number
// ends it, and what is too large wraps around.
func (p *arrayParser) bound() (int32, bool) {
	start := p.pos
	for p.pos < len(p.src) && (p.src[p.pos] >= '0' && p.src[p.pos] <= '9' || p.src[p.pos] == '-' || p.src[p.pos] == '+') {
		p.pos++
	}
	s := p.src[start:p.pos]
	if len(s) == 0 {
		return 0, false
	}
	negative := s[0] == '-'
	if s[0] == '-' || s[0] == '+' {
		s = s[1:]
	}
	var v int64
	for _, c := range s {
		if c < '0' {
			break
		}
		v = v*10 + int64(c-'0')
	}
	if negative {
		v = -v
	}
	return int32(v), true
}

// braces reads { … } and nothing but blanks after it.
func (p *arrayParser) braces() error {
	state := arrayBegin
	for {
		p.skipSpace()
		if p.pos >= len(p.src) {
			return p.malformed("Unexpected end of input.")
		}
		c := p.src[p.pos]
		switch c {
		case '{':
			if state != arrayBegin && state != arrayOpened && state != arrayNextArray {
				return p.unexpected(c)
			}
			if p.level == MaxDims {
				return TooManyDims(MaxDims + 1)
			}
			p.count[p.level] = 0
			p.level++
			p.ndim = max(p.ndim, p.level)
			state = arrayOpened
		case '}':
			if state != arrayElement && state != arrayClosed && (state != arrayOpened || p.level != 1) {
				return p.unexpected(c)
			}
			if err := p.closeBrace(); err != nil {
				return err
			}
			state = arrayClosed
		case ',':
			switch state {
			case arrayElement:
				state = arrayNext
			case arrayClosed:
				state = arrayNextArray
			default:
				return p.unexpected(c)
			}
		default:
			if state != arrayOpened && state != arrayNext {
				if c == '\\' {
					return p.unexpected(c)
				}
				return p.malformed("Unexpected array element.")
			}
			if err := p.element(); err != nil {
				return err
			}
			state = arrayElement
			continue
		}
		p.pos++
		if p.level == 0 {
			break
		}
	}
	if p.skipSpace(); p.pos != len(p.src) {
		return p.malformed("Junk after closing right brace.")
	}
	return nil
}

// closeBrace ends the innermost open brace: it must have had as much as those
// beside it.
func (p *arrayParser) closeBrace() error {
	p.level--
	n := p.count[p.level]
	if p.dims[p.level] != 0 && p.dims[p.level] != n {
		return p.ragged()
	}
	p.dims[p.level] = n
	if p.level > 0 {
		p.count[p.level-1]++
	}
	return nil
}

func (p *arrayParser) ragged() error {
	return p.malformed("Multidimensional arrays must have sub-arrays with matching dimensions.")
}

// element reads one element and what it is the value of.
func (p *arrayParser) element() error {
	text, plain, err := p.text()
	if err != nil {
		return err
	}
	if p.depth == 0 {
		p.depth = p.level
	}
	if p.depth != p.level {
		return p.ragged()
	}
	p.count[p.level-1]++
	if plain && len(text) == 4 && lower(string(text)) == "null" {
		p.list = append(p.list, NullDatum)
		return nil
	}
	var d Datum
	if p.bad == nil {
		d, p.bad = DecodeText(p.elem, text, p.f)
	}
	p.list = append(p.list, d)
	return nil
}

// text reads an element's text; plain says that it has neither quotes nor escapes.
func (p *arrayParser) text() (text []byte, plain bool, err error) {
	if p.src[p.pos] == '"' {
		text, err = p.quoted()
		return text, false, err
	}
	start, end := p.pos, p.pos // trailing blanks are not part of the element
	for ; p.pos < len(p.src); p.pos++ {
		switch c := p.src[p.pos]; c {
		case ',', '}':
			return p.src[start:end], true, nil
		case '{':
			return nil, false, p.unexpected(c)
		case '"':
			return nil, false, p.malformed("Unexpected array element.")
		case '\\':
			p.buf = append(p.buf[:0], p.src[start:p.pos]...)
			text, err = p.escaped()
			return text, false, err
		default:
			if !isSpace(c) {
				end = p.pos + 1
			}
		}
	}
	return nil, false, p.malformed("Unexpected end of input.")
}

// escaped is text from the first backslash on; what is before it is in buf.
func (p *arrayParser) escaped() ([]byte, error) {
	keep := len(p.buf)
	for ; p.pos < len(p.src); p.pos++ {
		switch c := p.src[p.pos]; c {
		case ',', '}':
			return p.buf[:keep], nil
		case '{':
			return nil, p.unexpected(c)
		case '"':
			return nil, p.malformed("Unexpected array element.")
		case '\\':
			if p.pos++; p.pos == len(p.src) {
				return nil, p.malformed("Unexpected end of input.")
			}
			p.buf = append(p.buf, p.src[p.pos])
			keep = len(p.buf)
		default:
			p.buf = append(p.buf, c)
			if !isSpace(c) {
				keep = len(p.buf)
			}
		}
	}
	return nil, p.malformed("Unexpected end of input.")
}

func (p *arrayParser) quoted() ([]byte, error) {
	p.buf = p.buf[:0]
	for p.pos++; p.pos < len(p.src); p.pos++ {
		switch c := p.src[p.pos]; c {
		case '"':
			p.pos++
			return p.buf, nil
		case '\\':
			if p.pos++; p.pos == len(p.src) {
				return nil, p.malformed("Unexpected end of input.")
			}
			p.buf = append(p.buf, p.src[p.pos])
		default:
			p.buf = append(p.buf, c)
		}
	}
	return nil, p.malformed("Unexpected end of input.")
}

func parseVector(elem Type, s string, f *Format) (Datum, error) {
	list := []Datum{}
	for field := range strings.FieldsSeq(s) {
		d, err := DecodeText(elem, []byte(field), f)
		if err != nil {
			return Datum{}, err
		}
		list = append(list, d)
	}
	return Datum{List: list}, nil
}
