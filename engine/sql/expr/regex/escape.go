package regex

import (
	"strconv"
	"strings"
	"unicode"
)

// escaped reads what follows a backslash outside of brackets.
func (p *parser) escaped(look bool) (n *node, isPlace bool) {
	if !p.more() {
		p.fail(badEscape)
		return &node{op: opEmpty}, false
	}
	r := p.src[p.at]
	if p.flags.Syntax != Advanced {
		p.at++
		if p.flags.Syntax == Basic {
			switch {
			case r == '<':
				return place(wordStart)
			case r == '>':
				return place(wordEnd)
			case '1' <= r && r <= '9':
				return p.backref(int(r-'0'), look)
			}
		}
		return p.char(r), false
	}
	switch r {
	case 'A':
		p.at++
		return place(textStart)
	case 'Z':
		p.at++
		return place(textEnd)
	case 'm':
		p.at++
		return place(wordStart)
	case 'M':
		p.at++
		return place(wordEnd)
	case 'y':
		p.at++
		return place(wordEdge)
	case 'Y':
		p.at++
		return place(notWordEdge)
	}
	if spans, ok := p.classEscape(); ok {
		return &node{op: opSet, set: newSet(spans)}, false
	}
	if '1' <= r && r <= '9' {
		at := p.at
		number, _ := strconv.Atoi(string(p.digits(10, 255)))
		if p.at == at+1 || 0 < number && number <= p.groups {
			return p.backref(number, look)
		}
		p.at = at // then it is octal
	}
	return p.char(p.charEscape()), false
}

// classEscape reads the letter of a class, like d.
func (p *parser) classEscape() ([]span, bool) {
	names := map[rune]string{'d': "digit", 's': "space", 'w': "word"}
	r := p.src[p.at]
	name, ok := names[unicode.ToLower(r)]
	if !ok || r >= unicode.MaxASCII {
		return nil, false
	}
	p.at++
	if unicode.IsUpper(r) {
		return classes[name]().complement(), true
	}
	return classes[name]().ranges, true
}

// digits reads up to n digits.
func (p *parser) digits(base, n int) []rune {
	at := p.at
	const all = "0123456789abcdef"
	for p.more() && p.at-at < n && strings.ContainsRune(all[:base], unicode.ToLower(p.src[p.at])) {
		p.at++
	}
	return p.src[at:p.at]
}

// charEscape reads what stands for one character behind a backslash.
func (p *parser) charEscape() rune {
	r := p.src[p.at]
	p.at++
	switch r {
	case 'a':
		return 7
	case 'b':
		return 8
	case 'B':
		return '\\'
	case 'c':
		if !p.more() {
			p.fail(badEscape)
			return 0
		}
		p.at++
		return p.src[p.at-1] & 31
	case 'e':
		return 27
	case 'f':
		return '\f'
	case 'n':
		return '\n'
	case 'r':
		return '\r'
	case 't':
		return '\t'
	case 'v':
		return '\v'
	case 'u':
		return p.code(p.digits(16, 4), 4)
	case 'U':
		return p.code(p.digits(16, 8), 8)
	case 'x':
		return p.code(p.digits(16, 255), 1)
	}
	if isDigit(r) && r < '8' {
		p.at--
		octal := p.digits(8, 3)
		if v, _ := strconv.ParseInt(string(octal), 8, 32); v > 255 {
			p.at--
			octal = octal[:2]
		}
		v, _ := strconv.ParseInt(string(octal), 8, 32)
		return rune(v)
	}
	if isLetter(r) || isDigit(r) {
		p.fail(badEscape)
	}
	return r
}

// codeLimit is the largest number of a character in an escape; those beyond Unicode match nothing.
const codeLimit = 1<<31 - 2

// code is the character of hexadecimal digits, of which there must be at least n.
func (p *parser) code(digits []rune, n int) rune {
	v, err := strconv.ParseInt(string(digits), 16, 64)
	if len(digits) < n || err != nil || v > codeLimit {
		p.fail(badEscape)
		return 0
	}
	return rune(v)
}

// bracket reads a bracket expression behind its opening.
func (p *parser) bracket() *set {
	negated := p.eat("^")
	var spans []span
	for first := true; ; first = false {
		if !p.more() {
			p.fail(badBracket)
			break
		}
		if !first && p.eat("]") {
			break
		}
		spans = append(spans, p.bracketItem(first)...)
	}
	out := newSet(spans)
	if negated {
		spans = out.complement()
		if p.flags.LineStop {
			stop := newSet(append(out.ranges, span{'\n', '\n'}))
			spans = stop.complement()
		}
		out = newSet(spans)
	}
	return out
}

// bracketItem reads a character, a range or a class.
func (p *parser) bracketItem(first bool) []span {
	// A hyphen in the middle may only begin a range itself.
	if p.has("-") && !first && !p.has("-]") && !p.has("--") {
		p.fail(badRange)
		return nil
	}
	lo, class, ok := p.bracketStart()
	if !ok {
		return class
	}
	hi := lo
	if p.has("-") && p.at+1 < len(p.src) && p.src[p.at+1] != ']' {
		p.at++
		if hi, _, ok = p.bracketStart(); !ok || lo > hi {
			p.fail(badRange)
			return nil
		}
	}
	if p.flags.Fold {
		return folded([]span{{lo, hi}})
	}
	return []span{{lo, hi}}
}

// bracketStart reads one character (ok), or a class.
func (p *parser) bracketStart() (r rune, class []span, ok bool) {
	switch {
	case p.eat("[."):
		name := p.named(".]")
		return p.element(name), nil, p.err == nil
	case p.eat("[="):
		r := p.element(p.named("=]"))
		spans := []span{{r, r}}
		if p.flags.Fold {
			spans = folded(spans)
		}
		return 0, spans, false
	case p.eat("[:"):
		name := p.named(":]")
		if p.flags.Fold && (name == "upper" || name == "lower") {
			name = "alpha"
		}
		set, known := classes[name]
		if p.err == nil && !known {
			p.fail(badClass)
		}
		if p.err != nil {
			return 0, nil, false
		}
		return 0, set().ranges, false
	case p.flags.Syntax == Advanced && p.eat(`\`):
		if !p.more() {
			p.fail(badEscape)
			return 0, nil, false
		}
		if class, ok := p.classEscape(); ok {
			return 0, class, false
		}
		if strings.ContainsRune("AmMyYZ123456789", p.src[p.at]) {
			p.fail(badEscape)
			return 0, nil, false
		}
		return p.charEscape(), nil, p.err == nil
	}
	if !p.more() {
		p.fail(badBracket)
		return 0, nil, false
	}
	p.at++
	return p.src[p.at-1], nil, true
}

// named reads up to end.
func (p *parser) named(end string) string {
	at := p.at
	for p.more() && !p.has(end) {
		p.at++
	}
	name := string(p.src[at:p.at])
	if !p.eat(end) {
		p.fail(badBracket)
	}
	return name
}

// element is the character of a collating element.
func (p *parser) element(name string) rune {
	if rs := []rune(name); len(rs) == 1 {
		return rs[0]
	}
	r, ok := collating[name]
	if !ok {
		p.fail(badElement)
	}
	return r
}
