package jsonpath

import (
	"strconv"
	"strings"

	"velostream/pgwire/pgerror"
)

// maxDepth bounds how deeply a path nests, maxLen its text.
const (
	maxDepth = 500
	maxLen   = 1 << 20
)

// Parse reads a path. Errors are *pgerror.Error with PostgreSQL's SQLSTATE.
func Parse(s string) (*Path, error) {
	if len(s) > maxLen {
		return nil, pgerror.New(pgerror.ProgramLimitExceeded, "jsonpath is too long")
	}
	if strings.IndexByte(s, 0) >= 0 {
		return nil, pgerror.New(pgerror.SyntaxError, "jsonpath must not hold a zero byte")
	}
	p := &parser{lexer: lexer{src: s}}
	if err := p.next(); err != nil {
		return nil, err
	}
	path := &Path{}
	if p.tok.kind == end {
		return nil, pgerror.InvalidText("jsonpath", s)
	}
	switch {
	case p.isWord("strict"):
		path.Strict = true
		p.advance()
	case p.isWord("lax"):
		p.advance()
	}
	path.Root = p.or()
	if p.err == nil && p.tok.kind != end {
		p.err = p.fail()
	}
	if p.err != nil {
		return nil, p.err
	}
	return path, nil
}

type parser struct {
	lexer
	err                      error
	depth, filters, brackets int
}

func (p *parser) advance() {
	if p.err == nil {
		p.err = p.next()
	}
	if p.err != nil {
		p.tok = token{kind: end, at: p.tok.at}
	}
}

func (p *parser) unexpected() *Node {
	if p.err == nil {
		p.err = p.fail()
	}
	p.tok = token{kind: end, at: p.tok.at}
	return &Node{}
}

func (p *parser) isSymbol(s string) bool { return p.tok.kind == symbol && p.tok.text == s }

// isWord compares with a keyword; true, false and null are lower case only.
func (p *parser) isWord(s string) bool {
	return p.tok.kind == word && strings.EqualFold(p.tok.text, s)
}

func (p *parser) accept(s string) bool {
	if !p.isSymbol(s) {
		return false
	}
	p.advance()
	return true
}

func (p *parser) expect(s string) {
	if !p.accept(s) {
		p.unexpected()
	}
}

// pred and value check what an operand is.
func (p *parser) pred(n *Node) *Node {
	if p.err == nil && !n.Predicate() {
		p.unexpected()
	}
	return n
}

func (p *parser) value(n *Node) *Node {
	if p.err == nil && n.Predicate() {
		p.unexpected()
	}
	return n
}

func (p *parser) or() *Node {
	l := p.and()
	for p.isSymbol("||") {
		p.pred(l)
		p.advance()
		l = &Node{Op: Or, Left: l, Right: p.pred(p.and())}
	}
	return l
}

func (p *parser) and() *Node {
	l := p.comparison()
	for p.isSymbol("&&") {
		p.pred(l)
		p.advance()
		l = &Node{Op: And, Left: l, Right: p.pred(p.comparison())}
	}
	return l
}

var comparisons = map[string]Op{"==": Eq, "=": Eq, "!=": Ne, "<>": Ne, "<": Lt, ">": Gt, "<=": Le, ">=": Ge}

func (p *parser) comparison() *Node {
	if p.depth++; p.depth > maxDepth {
		p.err = pgerror.New(pgerror.StatementTooComplex, "jsonpath nests too deeply")
	}
	defer func() { p.depth-- }()
	if p.err != nil {
		return &Node{}
	}
	if p.accept("!") {
		switch {
		case p.isSymbol("("):
			return &Node{Op: Not, Left: p.pred(p.delimited())}
		case p.isWord("exists"):
			return &Node{Op: Not, Left: p.exists()}
		}
		return p.unexpected()
	}
	if p.isWord("exists") {
		return p.exists()
	}
	l := p.sum()
	if op, ok := comparisons[p.tok.text]; ok && p.tok.kind == symbol {
		p.value(l)
		p.advance()
		return &Node{Op: op, Left: l, Right: p.value(p.sum())}
	}
	switch {
	case p.isWord("starts"):
		return p.startsWith(p.value(l))
	case p.isWord("like_regex"):
		return p.likeRegex(p.value(l))
	}
	return l
}

// delimited parses a predicate in parentheses.
func (p *parser) delimited() *Node {
	p.expect("(")
	n := p.or()
	p.expect(")")
	return n
}

func (p *parser) exists() *Node {
	p.advance()
	p.expect("(")
	n := &Node{Op: Exists, Left: p.value(p.sum())}
	p.expect(")")
	return n
}

func (p *parser) startsWith(l *Node) *Node {
	p.advance()
	if !p.isWord("with") {
		return p.unexpected()
	}
	p.advance()
	n := &Node{Op: StartsWith, Left: l, Right: &Node{Text: p.tok.text}}
	switch p.tok.kind {
	case quoted:
		n.Right.Op = String
	case variable:
		n.Right.Op = Var
	default:
		return p.unexpected()
	}
	p.advance()
	return n
}

func (p *parser) likeRegex(l *Node) *Node {
	p.advance()
	if p.tok.kind != quoted {
		return p.unexpected()
	}
	n := &Node{Op: LikeRegex, Left: l, Text: p.tok.text}
	p.advance()
	if !p.isWord("flag") {
		return n
	}
	p.advance()
	if p.tok.kind != quoted {
		return p.unexpected()
	}
	flags := p.tok.text
	for _, f := range flags {
		if !strings.ContainsRune("ismxq", f) {
			p.err = pgerror.New(pgerror.SyntaxError, "invalid input syntax for type jsonpath")
			return n
		}
	}
	if strings.Contains(flags, "x") && !strings.Contains(flags, "q") {
		p.err = pgerror.Unsupported(`XQuery "x" flag (expanded regular expressions) is not implemented`)
		return n
	}
	for _, f := range "ismxq" { // in this order, each once
		if strings.ContainsRune(flags, f) {
			n.Flags += string(f)
		}
	}
	p.advance()
	return n
}

func (p *parser) sum() *Node {
	l := p.product()
	for p.isSymbol("+") || p.isSymbol("-") {
		op := Add
		if p.tok.text == "-" {
			op = Sub
		}
		p.value(l)
		p.advance()
		l = &Node{Op: op, Left: l, Right: p.value(p.product())}
	}
	return l
}

func (p *parser) product() *Node {
	l := p.unary()
	for p.isSymbol("*") || p.isSymbol("/") || p.isSymbol("%") {
		op := map[string]Op{"*": Mul, "/": Div, "%": Mod}[p.tok.text]
		p.value(l)
		p.advance()
		l = &Node{Op: op, Left: l, Right: p.value(p.unary())}
	}
	return l
}

func (p *parser) unary() *Node {
	if p.depth++; p.depth > maxDepth && p.err == nil {
		p.err = pgerror.New(pgerror.StatementTooComplex, "jsonpath nests too deeply")
	}
	defer func() { p.depth-- }()
	switch {
	case p.err != nil:
		return &Node{}
	case p.accept("+"):
		return signed(Plus, p.value(p.unary()))
	case p.accept("-"):
		return signed(Minus, p.value(p.unary()))
	}
	n := p.primary()
	p.accessors(n)
	return n
}

// signed applies a sign; a number takes it in.
func signed(op Op, n *Node) *Node {
	switch {
	case n.Op != Number || n.Next != nil:
		return &Node{Op: op, Left: n}
	case op == Plus:
		return n
	case strings.HasPrefix(n.Text, "-"):
		return &Node{Op: Number, Text: n.Text[1:]}
	case strings.Trim(n.Text, "0.") == "":
		return n
	}
	return &Node{Op: Number, Text: "-" + n.Text}
}

// primary parses what accessors stand behind.
func (p *parser) primary() *Node {
	n := &Node{Text: p.tok.text}
	switch p.tok.kind {
	case quoted:
		n.Op = String
	case number:
		n.Op = Number
		var ok bool
		if n.Text, ok = plain(n.Text); !ok && p.err == nil {
			p.err = pgerror.New(pgerror.NumericValueOutOfRange, "value overflows numeric format")
		}
	case variable:
		n.Op = Var
	case word:
		n.Text = ""
		switch {
		case p.tok.text == "null":
			n.Op = Null
		case p.tok.text == "true":
			n.Op = True
		case p.tok.text == "false":
			n.Op = False
		case p.isWord("last"):
			if p.brackets == 0 {
				p.err = pgerror.New(pgerror.SyntaxError, "LAST is allowed only in array subscripts")
			}
			n.Op = Last
		default:
			return p.unexpected()
		}
	case symbol:
		return p.symbolPrimary()
	default:
		return p.unexpected()
	}
	p.advance()
	return n
}

func (p *parser) symbolPrimary() *Node {
	switch p.tok.text {
	case "$":
		p.advance()
		return &Node{Op: Root}
	case "@":
		if p.filters == 0 {
			p.err = pgerror.New(pgerror.SyntaxError, "@ is not allowed in root expressions")
		}
		p.advance()
		return &Node{Op: Current}
	case "(":
		n := p.delimited()
		if p.isWord("is") && n.Predicate() {
			p.advance()
			if !p.isWord("unknown") {
				return p.unexpected()
			}
			p.advance()
			return &Node{Op: IsUnknown, Left: n}
		}
		return n
	}
	return p.unexpected()
}

// accessors parses the steps behind n.
func (p *parser) accessors(n *Node) {
	for n.Next != nil {
		n = n.Next
	}
	for p.err == nil {
		var next *Node
		switch {
		case p.accept("."):
			next = p.member()
		case p.isSymbol("["):
			next = p.subscripts()
		case p.accept("?"):
			p.filters++
			next = &Node{Op: Filter}
			p.expect("(")
			next.Left = p.pred(p.or())
			p.expect(")")
			p.filters--
		default:
			return
		}
		n.Next = next
		n = next
	}
}

var methods = map[string]Op{
	"type": Type, "size": Size, "abs": Abs, "floor": Floor, "ceiling": Ceiling, "double": Double,
	"keyvalue": Keyvalue, "datetime": Datetime,
}

// member parses what stands behind a dot.
func (p *parser) member() *Node {
	n := &Node{Op: Key, Text: p.tok.text}
	switch {
	case p.accept("*"):
		n.Op, n.Text = AnyKey, ""
		return n
	case p.accept("**"):
		return p.levels()
	case p.tok.kind == quoted:
		p.advance()
		return n
	case p.tok.kind != word:
		return p.unexpected()
	}
	op, isMethod := methods[strings.ToLower(n.Text)]
	p.advance()
	if !isMethod || !p.isSymbol("(") {
		return n
	}
	n.Op, n.Text = op, ""
	p.advance()
	if op == Datetime && p.tok.kind == quoted {
		n.Left = &Node{Op: String, Text: p.tok.text}
		p.advance()
	}
	p.expect(")")
	return n
}

// levels parses {n}, {n to m} behind **.
func (p *parser) levels() *Node {
	n := &Node{Op: Any, Last: Unbounded}
	if !p.accept("{") {
		return n
	}
	n.First = p.level()
	n.Last = n.First
	if p.isWord("to") {
		p.advance()
		n.Last = p.level()
	}
	p.expect("}")
	return n
}

func (p *parser) level() uint32 {
	if p.isWord("last") {
		p.advance()
		return Unbounded
	}
	v, err := strconv.ParseUint(p.tok.text, 10, 32)
	if p.tok.kind != number || err != nil {
		p.unexpected()
		return 0
	}
	p.advance()
	return uint32(v)
}

func (p *parser) subscripts() *Node {
	p.advance()
	if p.accept("*") {
		p.expect("]")
		return &Node{Op: AnyArray}
	}
	p.brackets++
	n := &Node{Op: Index}
	for p.err == nil {
		s := Subscript{From: p.value(p.sum())}
		if p.isWord("to") {
			p.advance()
			s.To = p.value(p.sum())
		}
		n.Subs = append(n.Subs, s)
		if !p.accept(",") {
			break
		}
	}
	p.brackets--
	p.expect("]")
	return n
}
