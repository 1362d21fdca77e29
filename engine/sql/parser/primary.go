package parser

import (
	"strconv"

	"velostream/engine/sql/ast"
)

// primary parses an operand: a constant, a column, a call, parentheses, ….
func (p *parser) primary() ast.Expr {
	at := p.at()
	switch p.tok.kind {
	case tInt, tNum:
		k := ast.LitInteger
		if p.tok.kind == tNum {
			k = ast.LitNumber
		}
		x := &ast.Literal{At: at, Kind: k, Text: p.tok.text}
		p.next()
		return x
	case tString:
		return &ast.Literal{At: at, Kind: ast.LitString, Text: p.str()}
	case tBit, tHex:
		k := ast.LitBit
		if p.tok.kind == tHex {
			k = ast.LitHex
		}
		x := &ast.Literal{At: at, Kind: k, Text: p.tok.text}
		p.next()
		for p.tok.cont && p.err == nil {
			x.Text += p.tok.text
			p.next()
		}
		return x
	case tParam:
		return p.indirection(p.param())
	case tDuration:
		if p.durations == 0 {
			break
		}
		return p.duration()
	case tQuoted:
		return p.nameOrCall()
	case tOp:
		if p.isOp("(") {
			x := p.parens()
			if s, ok := x.(*ast.Subscript); ok && p.isOp("[") {
				s.Closed = true
			}
			return p.indirection(x)
		}
	case tWord:
		return p.wordPrimary()
	default:
	}
	p.unexpected()
	return &ast.Literal{At: at}
}

func (p *parser) param() ast.Expr {
	at := p.at()
	n, err := strconv.Atoi(p.tok.text)
	if err != nil || n > paramMax {
		p.failAt(int(at), "42P02", "there is no parameter $%s", p.tok.text)
		return &ast.Param{At: at}
	}
	p.params = max(p.params, n)
	p.next()
	return &ast.Param{At: at, N: n}
}

// wordPrimary parses an operand that begins with a word.
func (p *parser) wordPrimary() ast.Expr {
	at := p.at()
	word := p.tok.text
	switch p.tok.cat {
	case catReserved:
		return p.reservedPrimary()
	case catColName:
		if x := p.colNamePrimary(); x != nil {
			return x
		}
	case catTypeFunc:
		if word == "collation" && p.peek(1).isWord("for") {
			p.next()
			p.next()
			p.expectOp("(")
			x := p.expr()
			p.expectOp(")")
			return p.callRest(&ast.FuncCall{At: at, Name: catalogName(at, "pg_collation_for"), Args: []ast.Expr{x}, Form: ast.FormCollation})
		}
		if word == "current_schema" && !p.peek(1).isOp("(") {
			p.next()
			return &ast.SQLValue{At: at, Name: word, Precision: -1}
		}
	default:
		if word == "current" && p.peek(1).isWord("of") {
			break
		}
		if word == "double" && p.peek(1).isWord("precision") {
			return p.typedLiteral()
		}
	}
	return p.nameOrCall()
}

// reservedPrimary parses an operand that begins with a reserved word.
func (p *parser) reservedPrimary() ast.Expr {
	at := p.at()
	word := p.tok.text
	switch word {
	case "null":
		p.next()
		return &ast.Literal{At: at, Kind: ast.LitNull}
	case "true", "false":
		p.next()
		return &ast.Literal{At: at, Kind: ast.LitBool, Text: word}
	case "case":
		return p.caseExpr()
	case "cast":
		p.next()
		p.expectOp("(")
		c := &ast.Cast{At: at, X: p.expr()}
		p.expect("as")
		c.Type = p.typeName()
		p.expectOp(")")
		return c
	case "array":
		return p.array()
	case "current_date", "current_role", "current_user", "user", "session_user", "current_catalog":
		p.next()
		return &ast.SQLValue{At: at, Name: word, Precision: -1}
	case "current_time", "current_timestamp", "localtime", "localtimestamp":
		p.next()
		v := &ast.SQLValue{At: at, Name: word, Precision: -1}
		if p.isOp("(") {
			p.next()
			if p.isOp(")") && word == "current_timestamp" {
				p.next()
				return v
			}
			v.Precision = p.integer()
			p.expectOp(")")
		}
		return v
	}
	p.unexpected()
	return &ast.Literal{At: at}
}

// colNamePrimary parses an operand that begins with a keyword that is no
// function name; nil if the word is a column's name here.
func (p *parser) colNamePrimary() ast.Expr {
	at := p.at()
	next := p.peek(1)
	switch word := p.tok.text; word {
	case "exists":
		if next.isOp("(") {
			return p.exists()
		}
	case "row":
		if next.isOp("(") {
			p.next()
			return p.row(at)
		}
	case "coalesce", "greatest", "least", "nullif", "grouping":
		if next.isOp("(") {
			return p.keywordCall(word)
		}
	case "extract", "overlay", "position", "substring", "trim", "treat", "normalize":
		if next.isOp("(") {
			return p.specialCall(word)
		}
	case "interval":
		if x := p.intervalLiteral(); x != nil {
			return x
		}
	case "bigint", "bit", "boolean", "char", "character", "dec", "decimal", "float", "int", "integer", "national", "nchar", "numeric",
		"real", "smallint", "time", "timestamp", "varchar":
		return p.typePrimary()
	case "xmlattributes", "xmlconcat", "xmlelement", "xmlexists", "xmlforest", "xmlnamespaces", "xmlparse", "xmlpi", "xmlroot",
		"xmlserialize", "xmltable":
		if next.isOp("(") {
			p.failAt(int(at), "0A000", "%s is not supported", word)
			p.err.Hint = "There is no type xml; keep documents as text or jsonb."
			return &ast.Literal{At: at}
		}
	}
	return nil
}

// typePrimary parses type 'literal', or a function named like a type, such as
// timestamp(x); else the word is a column's name.
func (p *parser) typePrimary() ast.Expr {
	next := p.peek(1)
	switch {
	case next.kind == tString, p.is("national"):
		return p.typedLiteral()
	case next.isOp("(") && p.tok.oneOf("numeric", "decimal", "dec", "bit", "char", "character", "varchar", "nchar", "float"):
		return p.typedLiteral()
	case next.isOp("("):
		// timestamp(3) '…' is a constant, timestamp(x) a call.
		if p.peek(2).kind == tInt && (p.peek(3).isOp(")") && p.peek(4).kind == tString || p.peek(3).isOp(",")) {
			return p.typedLiteral()
		}
		if p.peek(2).kind == tInt && p.peek(3).isOp(")") && p.peek(4).oneOf("with", "without", "varying") {
			return p.typedLiteral()
		}
		if p.is("timestamp") {
			first := ast.Ident{At: p.at(), Name: p.tok.text}
			p.next()
			return p.call(p.qualified(first))
		}
	case next.oneOf("varying", "character", "char") && !p.tok.oneOf("int", "integer"):
		return p.typedLiteral()
	case p.tok.oneOf("time", "timestamp") && next.oneOf("with", "without") && p.peek(2).isWord("time"):
		return p.typedLiteral()
	}
	return p.nameOrCall()
}

// typedLiteral parses a keyword type and the constant behind it.
func (p *parser) typedLiteral() ast.Expr {
	at := p.at()
	t := p.simpleTypeName()
	if p.tok.kind != tString {
		p.unexpected()
		return &ast.Literal{At: at}
	}
	lit := &ast.Literal{At: p.at(), Kind: ast.LitString, Text: p.str()}
	return &ast.Cast{At: at, X: lit, Type: t, Style: ast.CastPrefix}
}

// nameOrCall parses a column reference, a function call, or name 'literal'.
func (p *parser) nameOrCall() ast.Expr {
	first, isFunc := p.tok, p.tok.isFuncName()
	if !first.isName() && !isFunc {
		p.unexpected()
		return &ast.Literal{At: p.at()}
	}
	at := p.at()
	p.next()
	parts := []string{first.text}
	for p.isOp(".") && first.isName() && p.peek(1).isLabel() {
		p.next()
		parts = append(parts, p.tok.text)
		p.next()
	}
	callable := isFunc || len(parts) > 1 && first.isName()
	name := ast.Name{At: at, Parts: parts}
	switch {
	case p.isOp("(") && callable:
		return p.call(name)
	case p.tok.kind == tString && callable && !p.tok.cont:
		lit := &ast.Literal{At: p.at(), Kind: ast.LitString, Text: p.str()}
		return &ast.Cast{At: at, X: lit, Type: &ast.TypeName{At: at, Name: name}, Style: ast.CastPrefix}
	case !first.isName():
		// A function name that nothing makes a call.
		p.unexpected()
		return &ast.Literal{At: at}
	}
	ref := &ast.ColumnRef{At: at, Parts: parts}
	if p.isOp(".") && p.peek(1).isOp("*") {
		p.next()
		p.next()
		ref.Star = true
		return ref
	}
	return p.indirection(ref)
}

// parens parses what stands in parentheses: an expression, a row, or a query.
// A query that begins with a parenthesis of its own is known as one only when
// that has been parsed, so that no token is looked at twice.
func (p *parser) parens() ast.Expr {
	at := p.at()
	p.next()
	if p.opensQuery() {
		q := p.query()
		p.expectOp(")")
		return &ast.Subquery{At: at, Query: q}
	}
	nested := p.isOp("(")
	x := p.expr()
	if sub, ok := x.(*ast.Subquery); ok && nested {
		if p.isOp(")") {
			p.next()
			return &ast.Subquery{At: at, Query: sub.Query}
		}
		if p.continuesQuery() {
			q := p.queryFrom(&ast.Query{At: sub.Query.At}, sub.Query)
			p.expectOp(")")
			return &ast.Subquery{At: at, Query: q}
		}
	}
	if p.isOp(",") {
		row := &ast.Row{At: at, Items: []ast.Expr{x}}
		for p.acceptOp(",") {
			row.Items = append(row.Items, p.expr())
		}
		p.expectOp(")")
		return p.overlaps(row)
	}
	p.expectOp(")")
	return x
}

// row parses the items of ROW(…); the keyword has been taken.
func (p *parser) row(at ast.At) ast.Expr {
	p.expectOp("(")
	row := &ast.Row{At: at, Explicit: true}
	if !p.isOp(")") {
		row.Items = p.exprList()
	}
	p.expectOp(")")
	return p.overlaps(row)
}

// overlaps parses the rest of (a, b) OVERLAPS (c, d).
func (p *parser) overlaps(left *ast.Row) ast.Expr {
	if !p.is("overlaps") {
		return left
	}
	at := p.at()
	p.next()
	var right ast.Expr
	switch {
	case p.is("row") && p.peek(1).isOp("("):
		rowAt := p.at()
		p.next()
		right = p.row(rowAt)
	case p.isOp("("):
		right = p.parens()
	}
	row, ok := right.(*ast.Row)
	if !ok {
		p.unexpectedAt(p.prev)
		return left
	}
	for _, side := range []struct {
		row  *ast.Row
		name string
	}{{left, "left"}, {row, "right"}} {
		if len(side.row.Items) != 2 {
			p.failAt(int(side.row.At), "42601", "wrong number of parameters on %s side of OVERLAPS expression", side.name)
			return left
		}
	}
	return &ast.FuncCall{
		At: at, Name: catalogName(at, "overlaps"), Form: ast.FormOverlaps,
		Args: []ast.Expr{left.Items[0], left.Items[1], row.Items[0], row.Items[1]},
	}
}

func (p *parser) exists() ast.Expr {
	at := p.at()
	p.next()
	if inner := p.peek(1); !inner.oneOf("select", "with", "values", "table") && !inner.isOp("(") {
		p.next()
		p.unexpected()
		return &ast.Exists{At: at}
	}
	x, ok := p.parens().(*ast.Subquery)
	if !ok {
		p.unexpected()
		return &ast.Exists{At: at}
	}
	return &ast.Exists{At: at, Query: x.Query}
}

func (p *parser) caseExpr() ast.Expr {
	c := &ast.Case{At: p.at()}
	p.next()
	if !p.is("when") {
		c.Operand = p.expr()
	}
	if !p.is("when") {
		p.unexpected()
	}
	for p.is("when") {
		w := ast.When{At: p.at()}
		p.next()
		w.Cond = p.expr()
		p.expect("then")
		w.Result = p.expr()
		c.Whens = append(c.Whens, w)
	}
	if p.accept("else") {
		c.Else = p.expr()
	}
	p.expect("end")
	return c
}

// array parses ARRAY[…], ARRAY(query), and the dialect's ARRAY(a, b).
func (p *parser) array() ast.Expr {
	at := p.at()
	p.next()
	if p.isOp("[") {
		return p.arrayElems(at)
	}
	if !p.isOp("(") {
		p.unexpected()
		return &ast.Literal{At: at}
	}
	if p.peek(1).isOp(")") {
		p.next()
		p.next()
		return &ast.ArrayExpr{At: at}
	}
	open := p.at()
	switch x := p.parens().(type) {
	case *ast.Subquery:
		return &ast.ArrayQuery{At: at, Query: x.Query}
	case *ast.Row:
		if x.At == open {
			return &ast.ArrayExpr{At: at, Elems: x.Items}
		}
		return &ast.ArrayExpr{At: at, Elems: []ast.Expr{x}}
	default:
		return &ast.ArrayExpr{At: at, Elems: []ast.Expr{x}}
	}
}

// arrayElems parses [a, b] or [[a], [b]].
func (p *parser) arrayElems(at ast.At) ast.Expr {
	a := &ast.ArrayExpr{At: at}
	if !p.deeper() {
		return a
	}
	defer func() { p.depth-- }()
	p.expectOp("[")
	nested := p.isOp("[")
	for !p.isOp("]") && p.err == nil {
		if nested {
			a.Elems = append(a.Elems, p.arrayElems(p.at()))
		} else {
			a.Elems = append(a.Elems, p.expr())
		}
		if !p.acceptOp(",") {
			break
		}
		if p.isOp("]") {
			p.unexpected()
		}
	}
	p.expectOp("]")
	return a
}
