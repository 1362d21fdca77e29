package parser

import (
	"velostream/engine/sql/ast"
	"velostream/pgwire/pgerror"
)

// Binding strengths, weakest first
// (https://www.postgresql.org/docs/15/sql-syntax-lexical.html#SQL-PRECEDENCE).
const (
	precNone = iota
	precOr
	precAnd
	precNot
	precIs      // IS, ISNULL, NOTNULL: non-associative
	precCompare // < > = <= >= <>: non-associative
	precLike    // BETWEEN IN LIKE ILIKE SIMILAR: non-associative
	precOp      // any other operator
	precAdd
	precMul
	precPower
	precAt // AT TIME ZONE
	precCollate
	precUnary
)

// expr parses an a_expr.
func (p *parser) expr() ast.Expr { return p.exprPrec(precNone, false) }

// restricted parses a b_expr: no AND, OR, NOT, IN, LIKE, BETWEEN, IS NULL,
// COLLATE or AT TIME ZONE outside parentheses. It stands where one of these
// words ends the expression: the lower bound of BETWEEN, a column's default.
func (p *parser) restricted() ast.Expr { return p.exprPrec(precNone, true) }

// exprPrec parses operators that bind at least as strongly as least.
func (p *parser) exprPrec(least int, restricted bool) ast.Expr {
	if !p.deeper() {
		return &ast.Literal{At: p.at()}
	}
	outer := p.height
	p.height = 0
	left := p.prefix(restricted)
	height := p.height
	for p.err == nil {
		prec := p.infixPrec(restricted)
		if prec == precNone || prec < least {
			break
		}
		p.height = 0
		var open bool // ends with an operand, which non-associativity is about
		left, open = p.infix(left, prec, restricted)
		height = max(height, p.height) + 1
		if height > heightMax {
			p.tooDeep()
		}
		nonassoc := prec == precIs || prec == precCompare || prec == precLike
		if open && nonassoc && p.err == nil && p.infixPrec(restricted) == prec {
			p.unexpected()
		}
	}
	p.height = max(outer, height+1)
	p.depth--
	return left
}

// infixPrec is the strength of the operator at the current token, precNone if
// none is there.
func (p *parser) infixPrec(restricted bool) int {
	switch p.tok.kind {
	case tOp:
		return symbolPrec(p.tok.text)
	case tWord:
		return p.wordPrec(restricted)
	default:
		return precNone
	}
}

func symbolPrec(op string) int {
	switch op {
	case "<", ">", "=", "<=", ">=", "<>":
		return precCompare
	case "+", "-":
		return precAdd
	case "*", "/", "%":
		return precMul
	case "^":
		return precPower
	case "=>":
		return precNone
	}
	if isOpChar(op[0]) {
		return precOp
	}
	return precNone
}

func (p *parser) wordPrec(restricted bool) int {
	switch p.tok.text {
	case "operator":
		if p.peek(1).isOp("(") {
			return precOp
		}
	case "is":
		if !restricted {
			return precIs
		}
		next := p.peek(1)
		if next.isWord("not") {
			next = p.peek(2)
		}
		if next.oneOf("distinct", "document") {
			return precIs
		}
	}
	if restricted {
		return precNone
	}
	switch p.tok.text {
	case "or":
		return precOr
	case "and":
		return precAnd
	case "isnull", "notnull":
		return precIs
	case "between", "in", "like", "ilike":
		return precLike
	case "similar":
		if p.peek(1).isWord("to") {
			return precLike
		}
	case "not":
		if p.peek(1).oneOf("between", "in", "like", "ilike", "similar") {
			return precLike
		}
	case "collate":
		return precCollate
	case "at":
		if p.peek(1).isWord("time") {
			return precAt
		}
	}
	return precNone
}

// infix parses the operator at the current token and what is right of it.
// open reports that the construct ends with an operand.
func (p *parser) infix(left ast.Expr, prec int, restricted bool) (x ast.Expr, open bool) {
	at := p.at()
	if p.tok.kind == tOp || p.is("operator") {
		return p.infixOperator(left, prec, restricted)
	}
	switch p.tok.text {
	case "or", "and":
		return p.logical(left, prec), true
	case "is":
		return p.isTest(left, restricted)
	case "isnull", "notnull":
		not := p.is("notnull")
		p.next()
		return &ast.Is{At: at, X: left, Test: ast.TestNull, Not: not}, false
	case "collate":
		p.next()
		return &ast.Collate{At: at, X: left, Name: p.name()}, false
	case "at":
		p.next()
		p.expect("time", "zone")
		zone := p.exprPrec(precAt+1, restricted)
		return &ast.FuncCall{At: at, Name: catalogName(at, "timezone"), Args: []ast.Expr{zone, left}, Form: ast.FormAtTimeZone}, true
	}
	not := p.accept("not")
	return p.predicate(left, at, not)
}

// catalogName is the name of a function in pg_catalog, which special syntax
// stands for.
func catalogName(at ast.At, name string) ast.Name {
	return ast.Name{At: at, Parts: []string{"pg_catalog", name}}
}

// infixOperator parses an operator symbol and its right side, which may be
// ANY or ALL of something.
func (p *parser) infixOperator(left ast.Expr, prec int, restricted bool) (ast.Expr, bool) {
	op := p.operatorSymbol()
	if !restricted {
		if p.tok.oneOf("any", "some", "all") {
			return p.quantified(left, op), false
		}
	}
	right := p.exprPrec(prec+1, restricted)
	return &ast.Binary{At: op.At, Op: op, L: left, R: right}, true
}

// operatorSymbol takes an operator: a symbol, or OPERATOR(schema.symbol).
func (p *parser) operatorSymbol() ast.Operator {
	op := ast.Operator{At: p.at()}
	if p.accept("operator") {
		p.expectOp("(")
		var schema []string
		for p.tok.isName() {
			schema = append(schema, p.ident().Name)
			p.expectOp(".")
		}
		if len(schema) > 0 {
			op.Schema = schema[len(schema)-1]
		}
		op.Symbol = p.symbol()
		p.expectOp(")")
		return op
	}
	op.Symbol = p.symbol()
	return op
}

// symbol takes the symbol of an operator.
func (p *parser) symbol() string {
	if p.tok.kind != tOp || !isOpChar(p.tok.text[0]) || p.tok.text == "=>" {
		p.unexpected()
		return ""
	}
	s := p.tok.text
	p.next()
	return s
}

// quantified parses ANY|SOME|ALL (…) behind the operator.
func (p *parser) quantified(left ast.Expr, op ast.Operator) ast.Expr {
	q := &ast.Quantified{At: op.At, X: left, Op: op, All: p.is("all")}
	p.next()
	if !p.isOp("(") {
		p.unexpected()
		return q
	}
	open := p.at()
	x := p.parens()
	if sub, ok := x.(*ast.Subquery); ok {
		q.Query = sub.Query
	} else {
		q.Array = x
	}
	if row, ok := x.(*ast.Row); ok && row.At == open {
		p.failHint(row.Items[1].Pos(), pgerror.SyntaxError, "op ANY/ALL takes one array or a query",
			"Write ANY (ARRAY[…]), or IN (…) for a list.")
	}
	return q
}

// logical parses the rest of a chain of ANDs, or of ORs, into one node.
func (p *parser) logical(left ast.Expr, prec int) ast.Expr {
	word := p.tok.text
	node := &ast.Logical{At: p.at(), Or: word == "or", Args: []ast.Expr{left}}
	for p.accept(word) {
		node.Args = append(node.Args, p.exprPrec(prec+1, false))
	}
	return node
}

// isTest parses what follows IS.
func (p *parser) isTest(left ast.Expr, restricted bool) (ast.Expr, bool) {
	at := p.at()
	p.next()
	not := p.accept("not")
	word := p.tok
	if word.kind != tWord {
		p.unexpected()
		return left, false
	}
	if restricted && !word.oneOf("distinct", "document") {
		p.unexpected()
		return left, false
	}
	switch word.text {
	case "null", "true", "false", "unknown", "document":
		p.next()
		tests := map[string]ast.Test{
			"null": ast.TestNull, "true": ast.TestTrue, "false": ast.TestFalse, "unknown": ast.TestUnknown, "document": ast.TestDocument,
		}
		return &ast.Is{At: at, X: left, Test: tests[word.text], Not: not}, false
	case "distinct":
		p.next()
		p.expect("from")
		return &ast.Distinct{At: at, L: left, R: p.exprPrec(precIs+1, restricted), Not: not}, true
	case "normalized", "nfc", "nfd", "nfkc", "nfkd":
		args := []ast.Expr{left}
		if word.text != "normalized" {
			args = append(args, &ast.Literal{At: p.at(), Kind: ast.LitString, Text: word.text})
			p.next()
		}
		p.expect("normalized")
		var x ast.Expr = &ast.FuncCall{At: at, Name: catalogName(at, "is_normalized"), Args: args, Form: ast.FormNormalized}
		if not {
			x = &ast.Not{At: at, X: x}
		}
		return x, false
	}
	p.unexpected()
	return left, false
}

// predicate parses [NOT] BETWEEN, IN, LIKE, ILIKE, SIMILAR TO; NOT is taken.
func (p *parser) predicate(left ast.Expr, at ast.At, not bool) (ast.Expr, bool) {
	switch p.acceptOneOf("between", "in", "like", "ilike", "similar") {
	case "between":
		b := &ast.Between{At: at, X: left, Not: not, Symmetric: p.accept("symmetric")}
		if !b.Symmetric {
			p.accept("asymmetric")
		}
		b.Lo = p.restricted()
		p.expect("and")
		b.Hi = p.exprPrec(precLike+1, false)
		return b, true
	case "in":
		return p.in(left, at, not), false
	case "like":
		return p.like(left, at, ast.LikePlain, not)
	case "ilike":
		return p.like(left, at, ast.LikeNoCase, not)
	case "similar":
		p.expect("to")
		return p.like(left, at, ast.LikeSimilar, not)
	}
	p.unexpected()
	return left, false
}

// in parses the list or query of IN.
func (p *parser) in(left ast.Expr, at ast.At, not bool) ast.Expr {
	node := &ast.In{At: at, X: left, Not: not}
	if !p.isOp("(") {
		p.unexpected()
		return node
	}
	open := p.at()
	switch x := p.parens().(type) {
	case *ast.Subquery:
		node.Query = x.Query
	case *ast.Row:
		if x.At == open {
			node.List = x.Items
		} else {
			node.List = []ast.Expr{x}
		}
	default:
		node.List = []ast.Expr{x}
	}
	return node
}

// like parses pattern and escape of a LIKE, or the ANY of LIKE ANY.
func (p *parser) like(left ast.Expr, at ast.At, kind ast.LikeKind, not bool) (ast.Expr, bool) {
	if kind != ast.LikeSimilar && p.tok.oneOf("any", "some", "all") {
		symbols := map[ast.LikeKind]string{ast.LikePlain: "~~", ast.LikeNoCase: "~~*"}
		symbol := symbols[kind]
		if not {
			symbol = "!" + symbol
		}
		return p.quantified(left, ast.Operator{At: at, Symbol: symbol}), false
	}
	node := &ast.Like{At: at, Kind: kind, X: left, Not: not}
	node.Pattern = p.exprPrec(precLike+1, false)
	if p.accept("escape") {
		node.Escape = p.exprPrec(precLike+1, false)
	}
	return node, true
}

// prefix parses a prefix operator with its operand, or an operand.
func (p *parser) prefix(restricted bool) ast.Expr {
	at := p.at()
	switch p.tok.kind {
	case tOp:
		switch prec := symbolPrec(p.tok.text); prec {
		case precAdd:
			op := p.operatorSymbol()
			x := p.exprPrec(precUnary, restricted)
			if lit, ok := x.(*ast.Literal); ok && op.Symbol == "-" {
				return negate(lit, at)
			}
			return &ast.Unary{At: at, Op: op, X: x}
		case precOp:
			op := p.operatorSymbol()
			return &ast.Unary{At: at, Op: op, X: p.exprPrec(precOp+1, restricted)}
		}
	case tWord:
		switch p.tok.text {
		case "not":
			if restricted {
				break
			}
			p.next()
			return &ast.Not{At: at, X: p.exprPrec(precNot, false)}
		case "operator":
			if p.peek(1).isOp("(") {
				op := p.operatorSymbol()
				return &ast.Unary{At: at, Op: op, X: p.exprPrec(precOp+1, restricted)}
			}
		case "default":
			if !restricted {
				p.next()
				return &ast.Default{At: at}
			}
		}
	default:
	}
	return p.postfix(p.primary())
}

// negate folds a minus into a number, as PostgreSQL does, so that the lowest
// integers are constants of their own type.
func negate(lit *ast.Literal, at ast.At) ast.Expr {
	if lit.Kind != ast.LitInteger && lit.Kind != ast.LitNumber || lit.Text == "" {
		return &ast.Unary{At: at, Op: ast.Operator{At: at, Symbol: "-"}, X: lit}
	}
	text := "-" + lit.Text
	if lit.Text[0] == '-' {
		text = lit.Text[1:]
	}
	kind := lit.Kind
	if text == "-9223372036854775808" {
		kind = ast.LitInteger
	}
	return &ast.Literal{At: at, Kind: kind, Text: text}
}

// postfix parses casts behind an operand.
func (p *parser) postfix(x ast.Expr) ast.Expr {
	n := 0
	for p.isOp("::") {
		at := p.at()
		p.next()
		x = &ast.Cast{At: at, X: x, Type: p.typeName(), Style: ast.CastColon}
		if n++; n > heightMax {
			p.tooDeep()
		}
	}
	return x
}

// indirection parses .name, .*, [i] and [i:j] behind an operand that may have
// them: a parameter, parentheses, a column.
func (p *parser) indirection(x ast.Expr) ast.Expr {
	for n := 0; p.err == nil; n++ {
		if n > heightMax {
			p.tooDeep()
		}
		at := p.at()
		switch {
		case p.isOp("."):
			p.next()
			if p.acceptOp("*") {
				return &ast.FieldSelect{At: at, X: x, Star: true}
			}
			x = &ast.FieldSelect{At: at, X: x, Name: p.label().Name}
		case p.isOp("["):
			if isMapWord(x) {
				x = p.mapOrSubscript(x, at)
				continue
			}
			lo, hi, slice := p.subscript()
			x = &ast.Subscript{At: at, X: x, Lo: lo, Hi: hi, Slice: slice}
		default:
			return x
		}
	}
	return x
}

// subscript parses [i] or [i:j].
func (p *parser) subscript() (lo, hi ast.Expr, slice bool) {
	p.expectOp("[")
	if !p.isOp(":") {
		lo = p.expr()
	}
	hi, slice = p.subscriptEnd()
	return lo, hi, slice
}

// subscriptEnd parses what is behind the first bound of a subscript.
func (p *parser) subscriptEnd() (hi ast.Expr, slice bool) {
	if p.acceptOp(":") {
		slice = true
		if !p.isOp("]") {
			hi = p.expr()
		}
	}
	p.expectOp("]")
	return hi, slice
}

// exprList parses expressions with commas between them.
func (p *parser) exprList() []ast.Expr {
	out := []ast.Expr{p.expr()}
	for p.acceptOp(",") {
		out = append(out, p.expr())
	}
	return out
}
