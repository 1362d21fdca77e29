package regex

import (
	"strings"
	"unicode"
)

// depthLimit bounds nested parentheses.
const depthLimit = 1000

// parser reads a pattern by recursive descent. After an error it reads on as if
// at the end.
type parser struct {
	src    []rune
	at     int
	flags  Flags
	groups int
	depth  int
	closed map[int]*node // groups that are read
	err    error
}

func (p *parser) fail(reason string) {
	if p.err == nil {
		p.err = invalid(reason)
	}
	p.at = len(p.src)
}

// The reasons of PostgreSQL.
const (
	badRepeat  = "quantifier operand invalid"
	badBound   = "invalid repetition count(s)"
	badParen   = "parentheses () not balanced"
	badBrace   = "braces {} not balanced"
	badBracket = "brackets [] not balanced"
	badEscape  = `invalid escape \ sequence`
	badRange   = "invalid character range"
	badClass   = "invalid character class"
	badElement = "invalid collating element"
	badBackref = "invalid backreference number"
	badOption  = "invalid embedded option"
	tooComplex = "regular expression is too complex"
)

func (p *parser) parse() (*node, error) {
	if p.flags.Syntax == Advanced {
		p.options()
	}
	if p.flags.Syntax == Literal {
		var kids []*node
		for _, r := range p.src[p.at:] {
			kids = append(kids, p.char(r))
		}
		return cat(kids, 0), p.err
	}
	n := p.alternatives(false, false)
	if p.err == nil && p.at < len(p.src) {
		p.fail(badParen)
	}
	return n, p.err
}

func (p *parser) has(s string) bool {
	at := p.at
	for _, r := range s {
		if at == len(p.src) || p.src[at] != r {
			return false
		}
		at++
	}
	return true
}

// eat steps over s if it is next.
func (p *parser) eat(s string) bool {
	if p.err != nil || !p.has(s) {
		return false
	}
	p.at += len([]rune(s))
	return true
}

func (p *parser) more() bool { return p.err == nil && p.at < len(p.src) }

// options reads ***: and ***= and (?letters) at the start of a pattern.
func (p *parser) options() {
	switch {
	case p.eat("***="):
		p.flags.Syntax = Literal
		return
	case p.eat("***:"):
	case p.has("***"):
		p.fail(badRepeat)
	}
	if !p.has("(?") || p.at+2 >= len(p.src) || !isLetter(p.src[p.at+2]) {
		return
	}
	for p.at += 2; p.more() && isLetter(p.src[p.at]); p.at++ {
		if !p.flags.Set(p.src[p.at]) {
			p.fail(badOption)
			return
		}
	}
	if !p.eat(")") {
		p.fail(badOption)
	}
}

func isLetter(r rune) bool { return r < unicode.MaxASCII && unicode.IsLetter(r) }

// Set sets the flag of a letter: those of regexp_replace and of (?…). false: there is no such.
func (f *Flags) Set(letter rune) bool {
	switch letter {
	case 'b':
		f.Syntax = Basic
	case 'c':
		f.Fold = false
	case 'e':
		f.Syntax = Extended
	case 'i':
		f.Fold = true
	case 'm', 'n':
		f.LineStop, f.LineAnchors = true, true
	case 'p':
		f.LineStop, f.LineAnchors = true, false
	case 'q':
		f.Syntax = Literal
	case 's':
		f.LineStop, f.LineAnchors = false, false
	case 't':
		f.Expanded = false
	case 'w':
		f.LineStop, f.LineAnchors = false, true
	case 'x':
		f.Expanded = true
	default:
		return false
	}
	return true
}

// blanks steps over comments, and white space in an expanded pattern.
func (p *parser) blanks() {
	for p.more() {
		r := p.src[p.at]
		switch {
		case p.flags.Expanded && strings.ContainsRune(" \t\n\r\f\v", r):
			p.at++
		case p.flags.Expanded && r == '#':
			for p.at < len(p.src) && p.src[p.at] != '\n' {
				p.at++
			}
		case p.flags.Syntax == Advanced && p.has("(?#"):
			for p.at < len(p.src) && p.src[p.at] != ')' {
				p.at++
			}
			p.at = min(p.at+1, len(p.src))
		default:
			return
		}
	}
}

// next is the operator that comes next, "" for anything else and at the end. Basic patterns
// have fewer, some of them with a backslash.
func (p *parser) next() string {
	p.blanks()
	if !p.more() {
		return ""
	}
	r := p.src[p.at]
	if p.flags.Syntax == Basic {
		if r == '\\' && p.at+1 < len(p.src) && strings.ContainsRune("(){}", p.src[p.at+1]) {
			return string(p.src[p.at : p.at+2])
		}
		if r == '*' {
			return "*"
		}
		return ""
	}
	if strings.ContainsRune("|()*+?{", r) {
		return string(r)
	}
	return ""
}

// alternatives reads branches up to the end or ). look: within a lookaround, whose parentheses capture nothing.
func (p *parser) alternatives(nested, look bool) *node {
	if p.depth++; p.depth > depthLimit {
		p.fail(tooComplex)
	}
	defer func() { p.depth-- }()
	out := &node{op: opAlt, traits: longer}
	for {
		b := p.branch(nested, look)
		out.kids = append(out.kids, b)
		out.traits |= (out.traits | b.traits).up()
		if p.next() != "|" {
			break
		}
		p.at++
	}
	if len(out.kids) == 1 {
		return out.kids[0]
	}
	return out
}

func cat(kids []*node, t traits) *node {
	switch len(kids) {
	case 0:
		return &node{op: opEmpty}
	case 1:
		if kids[0].traits == t {
			return kids[0]
		}
	}
	return &node{op: opCat, kids: kids, traits: t}
}

// branch reads things one behind the other. Those without groups and of one
// preference are one part; the others stand in nodes of two.
func (p *parser) branch(nested, look bool) *node {
	var simple []*node
	var own traits
	first := true // in a basic pattern * is then itself
	for {
		tok := p.next()
		if !p.more() || tok == "|" {
			break
		}
		if (tok == ")" || tok == `\)`) && (nested || p.flags.Syntax != Extended) {
			if !nested {
				p.fail(badParen)
			}
			break
		}
		n, place := p.atom(tok, first, look)
		if place {
			simple = append(simple, n)
			first = first && n.anchor == textStart || n.anchor == lineStart
			continue
		}
		first = false
		least, most, prefers := p.quantifier()
		if p.err != nil {
			break
		}
		if least == 0 && most == 0 {
			continue
		}
		all := own | prefers | n.traits
		if n.op != opCapture && n.op != opBackref && !all.up().messy() {
			n = repeat(n, least, most)
			n.traits = all
			simple, own = append(simple, n), all
			continue
		}
		n = quantify(n, least, most, prefers)
		rest := p.branch(nested, look)
		if rest.op != opEmpty {
			n = &node{op: opCat, kids: []*node{n, rest}, traits: n.traits.join(rest.traits)}
		}
		if len(simple) == 0 {
			return n
		}
		return &node{op: opCat, kids: []*node{cat(simple, own), n}, traits: own.join(n.traits)}
	}
	return cat(simple, own)
}

// quantify is n repeated, which has groups, back references or clashing preferences.
func quantify(n *node, least, most int, prefers traits) *node {
	own := n.traits & (longer | shorter | mixed)
	t := prefers.join(n.traits)
	switch {
	case n.op == opBackref:
		n.min, n.max = least, most
		n.kids[0] = repeat(n.kids[0], least, most)
		n.traits |= t
		return n
	case least == 1 && most == 1 && (prefers == 0 || own == 0 || prefers == own):
		return n
	case n.traits&(captures|refers) == 0:
		return &node{op: opRepeat, kids: []*node{n}, min: least, max: most, traits: t}
	case least > 0 && n.traits&refers == 0:
		// Only the last part sets groups: the ones before are one plain part.
		before := most
		if most != infinite {
			before--
		}
		head := &node{op: opRepeat, kids: []*node{plain(n, true)}, min: least - 1, max: before, traits: t & preference}
		return &node{op: opCat, kids: []*node{head, n}, traits: t}
	}
	return &node{op: opRepeat, kids: []*node{n}, min: least, max: most, traits: t}
}

// quantifier reads what may follow an atom; 1, 1: nothing.
func (p *parser) quantifier() (least, most int, prefers traits) {
	switch tok := p.next(); tok {
	case "*":
		least, most = 0, infinite
	case "+":
		least, most = 1, infinite
	case "?":
		least, most = 0, 1
	case "{", `\{`:
		if tok == "{" && !p.bound() {
			return 1, 1, 0
		}
		p.at += len(tok)
		return p.braces()
	default:
		return 1, 1, 0
	}
	p.at++
	return least, most, p.greed()
}

// bound reports that the brace that is next begins a quantifier.
func (p *parser) bound() bool {
	at := p.at + 1
	for p.flags.Expanded && at < len(p.src) && unicode.IsSpace(p.src[at]) {
		at++
	}
	return at < len(p.src) && isDigit(p.src[at])
}

func (p *parser) greed() traits {
	if p.flags.Syntax == Advanced && p.eat("?") {
		return shorter
	}
	return longer
}

func (p *parser) braces() (least, most int, prefers traits) {
	least = p.count()
	most = least
	ranged := p.eat(",")
	if ranged {
		if most = infinite; p.more() && isDigit(p.src[p.at]) {
			most = p.count()
		}
	}
	end := "}"
	if p.flags.Syntax == Basic {
		end = `\}`
	}
	if !p.eat(end) {
		if p.more() {
			p.fail(badBound)
		} else {
			p.fail(badBrace)
		}
	}
	if most != infinite && least > most {
		p.fail(badBound)
	}
	prefers = p.greed()
	if !ranged {
		prefers = 0
	}
	return least, most, prefers
}

// count reads a number in braces.
func (p *parser) count() int {
	n, at := 0, p.at
	for p.more() && isDigit(p.src[p.at]) && n <= repeatLimit {
		n = n*10 + int(p.src[p.at]-'0')
		p.at++
	}
	switch {
	case p.err == nil && p.at == len(p.src):
		p.fail(badBrace)
	case p.at == at || n > repeatLimit:
		p.fail(badBound)
	}
	return n
}

func place(a anchor) (*node, bool) { return &node{op: opAnchor, anchor: a}, true }

// atom reads one thing that a quantifier may follow, or a place, which none may. tok is
// the operator it begins with, first: it begins a branch.
func (p *parser) atom(tok string, first, look bool) (n *node, isPlace bool) {
	switch tok {
	case "(", `\(`:
		p.at += len(tok)
		return p.group(look)
	case "*", "+", "?":
		if p.flags.Syntax != Basic || !first {
			p.fail(badRepeat)
			return &node{op: opEmpty}, false
		}
	case "{", `\{`:
		if tok == `\{` || p.bound() {
			p.fail(badRepeat)
			return &node{op: opEmpty}, false
		}
	}
	r := p.src[p.at]
	p.at++
	basic := p.flags.Syntax == Basic
	switch {
	case r == '^' && (!basic || first):
		if p.flags.LineAnchors {
			return place(lineStart)
		}
		return place(textStart)
	case r == '$' && (!basic || p.at == len(p.src) || p.has(`\)`)):
		if p.flags.LineAnchors {
			return place(lineEnd)
		}
		return place(textEnd)
	case r == '.':
		if p.flags.LineStop {
			return &node{op: opSet, set: newSet(newSet([]span{{'\n', '\n'}}).complement())}, false
		}
		return &node{op: opSet, set: newSet([]span{{0, unicode.MaxRune}})}, false
	case r == '[':
		if p.eat("[:<:]]") {
			return place(wordStart)
		}
		if p.eat("[:>:]]") {
			return place(wordEnd)
		}
		return &node{op: opSet, set: p.bracket()}, false
	case r == '\\':
		return p.escaped(look)
	}
	return p.char(r), false
}

// char is one character.
func (p *parser) char(r rune) *node { return &node{op: opSet, set: p.setOf(span{r, r})} }

func (p *parser) setOf(spans ...span) *set {
	if p.flags.Fold {
		spans = folded(spans)
	}
	return newSet(spans)
}

// group reads what follows an opening parenthesis.
func (p *parser) group(look bool) (n *node, isPlace bool) {
	capture := !look
	if p.flags.Syntax == Advanced && p.has("?") {
		for _, l := range []struct {
			tok             string
			behind, negated bool
		}{{"?=", false, false}, {"?!", false, true}, {"?<=", true, false}, {"?<!", true, true}} {
			if p.eat(l.tok) {
				n := &node{op: opLook, behind: l.behind, negated: l.negated, kids: []*node{p.alternatives(true, true)}}
				p.close()
				return n, true
			}
		}
		if !p.eat("?:") {
			p.fail(badRepeat)
		}
		capture = false
	}
	number := 0
	if capture {
		p.groups++
		number = p.groups
	}
	n = p.alternatives(true, look)
	p.close()
	if !capture {
		return n, false
	}
	n = &node{op: opCapture, kids: []*node{n}, number: number, traits: n.traits | captures}
	if p.closed == nil {
		p.closed = map[int]*node{}
	}
	p.closed[number] = n
	return n, false
}

func (p *parser) close() {
	end := ")"
	if p.flags.Syntax == Basic {
		end = `\)`
	}
	if !p.eat(end) {
		p.fail(badParen)
	}
}

// backref is what group number matched.
func (p *parser) backref(number int, look bool) (*node, bool) {
	body := p.closed[number]
	if body == nil || look {
		p.fail(badBackref)
		return &node{op: opEmpty}, false
	}
	return &node{op: opBackref, number: number, min: 1, max: 1, traits: refers, kids: []*node{plain(body, false)}}, false
}
