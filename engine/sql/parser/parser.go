// Package parser turns SQL text into the trees of package ast: a lexer that
// makes tokens on demand, recursive descent for statements and clauses, and
// operator precedence for expressions. The grammar is PostgreSQL 15's, as its
// manual describes it (https://www.postgresql.org/docs/15/sql.html), and the
// streaming dialect's.
//
// It looks no name up. Text that is not understood to its last token is an
// error: SQLSTATE 42601 with PostgreSQL's wording and position, or 54001 when
// it is nested too deep. Time and memory are linear in the text's length.
//
// Errors are sticky: the first one is kept and ends the input, so that every
// loop of the grammar, written to stop at the end, winds up by itself. The
// tree is then thrown away, so rules need not check after each step.
//
// All functions are pure and safe for concurrent use.
package parser

import (
	"slices"
	"strconv"
	"strings"

	"velostream/engine/sql/ast"
	"velostream/pgwire/pgerror"
)

const (
	// depthMax bounds the recursion of the parser: parentheses, subqueries.
	depthMax = 2000
	// heightMax bounds the depth of trees that loops build, a + b + c + …, so
	// that recursion over them stays within a few megabytes of stack.
	heightMax = 12000
	// paramMax is the greatest parameter number of the protocol.
	paramMax = 65535
)

// parser is the state of one Parse.
type parser struct {
	lex   lexer
	sql   string
	tok   token    // the current token
	ahead [4]token // tokens behind it that were already lexed
	nhead int
	prev  token // the token before the current one

	err    *pgerror.Error
	depth  int
	height int // greatest height of the expressions parsed since it was last cleared
	params int

	durations int // > 0 where 1m and 30s are legal
}

// Parse splits sql into its statements. Empty statements are left out, so an
// empty text gives an empty slice. The error is a *pgerror.Error whose
// position counts over the whole text.
func Parse(sql string) ([]ast.Parsed, error) {
	p := newParser(sql)
	var out []ast.Parsed
	after := 0
	for p.err == nil {
		for p.isOp(";") {
			after = int(p.tok.end)
			p.next()
		}
		if p.tok.kind == tEOF {
			break
		}
		start := int(p.tok.pos)
		notes := p.takeNotes(after, start)
		p.params = 0
		stmt := p.statement()
		if p.err == nil && p.tok.kind != tEOF && !p.isOp(";") {
			p.leftover()
		}
		end := int(p.prev.end)
		out = append(out, ast.Parsed{
			Stmt: stmt, SQL: sql, Text: sql[start:max(start, end)], Start: start, End: end, Annotations: notes, Params: p.params,
		})
		after = end
	}
	if err := p.failure(); err != nil {
		return nil, err
	}
	return out, nil
}

// ParseExpr parses text as a single expression.
func ParseExpr(text string) (ast.Expr, error) {
	p := newParser(text)
	x := p.expr()
	p.end()
	if err := p.failure(); err != nil {
		return nil, err
	}
	return x, nil
}

// ParseQuery parses text as a single query, with an optional semicolon.
func ParseQuery(text string) (*ast.Query, error) {
	p := newParser(text)
	q := p.query()
	p.acceptOp(";")
	p.end()
	if err := p.failure(); err != nil {
		return nil, err
	}
	return q, nil
}

// ParseTypeName parses text as a type name: "numeric(10,2)", "text[]".
func ParseTypeName(text string) (*ast.TypeName, error) {
	p := newParser(text)
	t := p.typeName()
	p.end()
	if err := p.failure(); err != nil {
		return nil, err
	}
	return t, nil
}

func newParser(sql string) *parser {
	p := &parser{sql: sql, lex: lexer{src: sql}}
	p.tok = p.lexNext()
	return p
}

// failure is the first error; nil as an interface when there is none.
func (p *parser) failure() error {
	if p.err != nil {
		return p.err
	}
	return nil
}

// end fails unless the text has been used up.
func (p *parser) end() {
	if p.err == nil && p.tok.kind != tEOF {
		p.leftover()
	}
}

// takeNotes returns the annotations that stand between two offsets, and
// forgets all before the second.
func (p *parser) takeNotes(from, to int) []ast.Annotation {
	notes := p.lex.notes
	p.lex.notes = nil
	var out []ast.Annotation
	for _, n := range notes {
		switch {
		case int(n.At) >= to:
			p.lex.notes = append(p.lex.notes, n)
		case int(n.At) >= from:
			out = append(out, n)
		}
	}
	return out
}

// lexNext takes a token from the lexer, and its error with it.
func (p *parser) lexNext() token {
	t := p.lex.next()
	if p.lex.err != nil && p.err == nil {
		p.err = p.lex.err
	}
	return t
}

// next moves to the next token.
func (p *parser) next() {
	p.prev = p.tok
	if p.err != nil {
		return
	}
	if p.nhead > 0 {
		p.tok = p.ahead[0]
		copy(p.ahead[:], p.ahead[1:p.nhead])
		p.nhead--
		return
	}
	p.tok = p.lexNext()
	if p.err != nil {
		p.stop()
	}
}

// peek returns the token n places behind the current one, 1 ≤ n ≤ 4.
func (p *parser) peek(n int) token {
	for p.nhead < n {
		if p.err != nil {
			return token{kind: tEOF}
		}
		p.ahead[p.nhead] = p.lexNext()
		p.nhead++
	}
	if p.err != nil {
		// A lexical error further on is reported when it is reached, unless
		// a syntax error comes first: which is what PostgreSQL does too.
		p.stop()
		return token{kind: tEOF}
	}
	return p.ahead[n-1]
}

// stop makes the end of input the current token.
func (p *parser) stop() {
	p.nhead = 0
	p.lex.off = len(p.sql)
	p.tok = token{kind: tEOF, pos: int32(len(p.sql)), end: int32(len(p.sql))}
}

// deeper counts a level of recursion; leave with p.depth--.
func (p *parser) deeper() bool {
	p.depth++
	if p.depth > depthMax {
		p.tooDeep()
		return false
	}
	return true
}

// ---- tokens ----

// at is the current token's place.
func (p *parser) at() ast.At { return ast.At(p.tok.pos) }

func (t token) isWord(word string) bool { return t.kind == tWord && t.text == word }

func (t token) isOp(op string) bool { return t.kind == tOp && t.text == op }

func (t token) oneOf(words ...string) bool {
	if t.kind != tWord {
		return false
	}
	return slices.Contains(words, t.text)
}

// is reports whether the current token is the word.
func (p *parser) is(word string) bool { return p.tok.kind == tWord && p.tok.text == word }

// is2 reports whether the two words follow.
func (p *parser) is2(a, b string) bool { return p.is(a) && p.peek(1).isWord(b) }

func (p *parser) isOp(op string) bool { return p.tok.kind == tOp && p.tok.text == op }

// accept takes the words if all of them follow.
func (p *parser) accept(words ...string) bool {
	for i, w := range words {
		if i == 0 && !p.is(w) || i > 0 && !p.peek(i).isWord(w) {
			return false
		}
	}
	for range words {
		p.next()
	}
	return true
}

func (p *parser) acceptOp(op string) bool {
	if p.isOp(op) {
		p.next()
		return true
	}
	return false
}

// expect takes the words, or fails at the first that is not there.
func (p *parser) expect(words ...string) {
	for _, w := range words {
		if !p.is(w) {
			p.unexpected()
			p.hintWord(w)
			return
		}
		p.next()
	}
}

func (p *parser) expectOp(op string) {
	if !p.acceptOp(op) {
		p.unexpected()
	}
}

// acceptOneOf takes the current token if it is one of the words, which it
// returns; "" if not.
func (p *parser) acceptOneOf(words ...string) string {
	if p.tok.oneOf(words...) {
		w := p.tok.text
		p.next()
		return w
	}
	return ""
}

// expectOneOf is acceptOneOf that fails when none of the words is there.
func (p *parser) expectOneOf(words ...string) string {
	w := p.acceptOneOf(words...)
	if w == "" {
		p.unexpected()
		p.hintWord(words...)
	}
	return w
}

// ---- names ----

// isName reports whether t can be a column or table name (ColId).
func (t token) isName() bool {
	return t.kind == tQuoted || t.kind == tWord && t.cat <= catColName
}

// isLabel reports whether t can be a name after AS or a dot (ColLabel).
func (t token) isLabel() bool { return t.kind == tQuoted || t.kind == tWord }

// isFuncName reports whether t can be a function or type name.
func (t token) isFuncName() bool {
	return t.kind == tQuoted || t.kind == tWord && (t.cat <= catUnreserved || t.cat == catTypeFunc)
}

// ident takes a name (ColId).
func (p *parser) ident() ast.Ident {
	if !p.tok.isName() {
		p.unexpected()
		return ast.Ident{At: p.at()}
	}
	id := ast.Ident{At: p.at(), Name: p.tok.text}
	p.next()
	return id
}

func (p *parser) identText() string { return p.ident().Name }

// label takes a ColLabel: any word.
func (p *parser) label() ast.Ident {
	if !p.tok.isLabel() {
		p.unexpected()
		return ast.Ident{At: p.at()}
	}
	id := ast.Ident{At: p.at(), Name: p.tok.text}
	p.next()
	return id
}

// nonReserved takes a NonReservedWord: for names of languages, extensions,
// triggers and the like.
func (p *parser) nonReserved() ast.Ident {
	if p.tok.kind != tQuoted && (p.tok.kind != tWord || p.tok.cat == catReserved) {
		p.unexpected()
		return ast.Ident{At: p.at()}
	}
	return p.label()
}

// name takes a qualified name (any_name): a, a.b, a.b.c.
func (p *parser) name() ast.Name {
	first := p.ident()
	return p.qualified(first)
}

// qualified goes on with a name whose first part has been taken.
func (p *parser) qualified(first ast.Ident) ast.Name {
	n := ast.Name{At: first.At, Parts: []string{first.Name}}
	for p.isOp(".") {
		p.next()
		n.Parts = append(n.Parts, p.label().Name)
	}
	return n
}

// relation takes the name of a relation, of at most three parts.
func (p *parser) relation() ast.Name {
	n := p.name()
	if len(n.Parts) > 3 && p.err == nil {
		p.failAt(int(n.At), pgerror.SyntaxError, "improper qualified name (too many dotted names): %s", n.Dotted())
	}
	return n
}

// typeFuncName takes the name of a function: ColId with dots behind it, or a
// type_function_name without.
func (p *parser) funcName() ast.Name {
	if p.tok.isFuncName() {
		first := ast.Ident{At: p.at(), Name: p.tok.text}
		p.next()
		return p.qualified(first)
	}
	if p.tok.isName() {
		first := p.ident()
		if p.isOp(".") {
			return p.qualified(first)
		}
	}
	p.unexpected()
	return ast.Name{At: p.at()}
}

// idents takes a list of names in parentheses.
func (p *parser) idents() []ast.Ident {
	p.expectOp("(")
	out := []ast.Ident{p.ident()}
	for p.acceptOp(",") {
		out = append(out, p.ident())
	}
	p.expectOp(")")
	return out
}

// identList takes names with commas between them.
func (p *parser) identList() []ast.Ident {
	out := []ast.Ident{p.ident()}
	for p.acceptOp(",") {
		out = append(out, p.ident())
	}
	return out
}

func identTexts(ids []ast.Ident) []string {
	out := make([]string, len(ids))
	for i, id := range ids {
		out[i] = id.Name
	}
	return out
}

func (p *parser) names() []ast.Name {
	out := []ast.Name{p.name()}
	for p.acceptOp(",") {
		out = append(out, p.name())
	}
	return out
}

// str takes a string constant, pieces across newlines joined.
func (p *parser) str() string {
	if p.tok.kind != tString {
		p.unexpected()
		return ""
	}
	text := p.tok.text
	p.next()
	if p.tok.kind == tString && p.tok.cont {
		var b strings.Builder
		b.WriteString(text)
		for p.tok.kind == tString && p.tok.cont {
			b.WriteString(p.tok.text)
			p.next()
		}
		return b.String()
	}
	return text
}

// integer takes a constant that fits int4.
func (p *parser) integer() int {
	if p.tok.kind == tInt {
		if n, err := strconv.ParseInt(p.tok.text, 10, 32); err == nil {
			p.next()
			return int(n)
		}
	}
	p.unexpected()
	return 0
}

// signed takes an optionally signed integer of 64 bits.
func (p *parser) signed() int64 {
	sign := ""
	if p.isOp("-") || p.isOp("+") {
		sign = p.tok.text
		p.next()
	}
	if p.tok.kind == tInt {
		if n, err := strconv.ParseInt(sign+p.tok.text, 10, 64); err == nil {
			p.next()
			return n
		}
	}
	p.unexpected()
	return 0
}

// number takes an optionally signed number as text.
func (p *parser) number() string {
	sign := ""
	if p.isOp("-") || p.isOp("+") {
		if p.isOp("-") {
			sign = "-"
		}
		p.next()
	}
	if p.tok.kind == tInt || p.tok.kind == tNum {
		text := sign + p.tok.text
		p.next()
		return text
	}
	p.unexpected()
	return ""
}
