package parser

import (
	"strings"

	"velostream/engine/sql/ast"
	"velostream/pgwire/pgerror"
)

// call parses the arguments of a function, and all that may follow them.
func (p *parser) call(name ast.Name) ast.Expr {
	f := &ast.FuncCall{At: name.At, Name: name}
	p.expectOp("(")
	windowy := isWindowFunction(name.Last())
	if windowy {
		p.durations++
	}
	p.callArgs(f)
	if windowy {
		p.durations--
	}
	p.expectOp(")")
	// name(args) 'literal': a type with modifiers and a constant of it.
	if p.tok.kind == tString && !p.tok.cont && len(f.Args) > 0 && !f.Distinct && !f.Star {
		return p.modifiedLiteral(f)
	}
	return p.callRest(f)
}

// isWindowFunction reports whether a function's arguments may be short
// durations: tumble_start(ts, 1m).
func isWindowFunction(name string) bool {
	for _, prefix := range []string{"tumbl", "hop", "slid", "session", "cumulate"} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}

func (p *parser) modifiedLiteral(f *ast.FuncCall) ast.Expr {
	if len(f.OrderBy) > 0 {
		p.failAt(int(f.At), pgerror.SyntaxError, "type modifier cannot have ORDER BY")
	}
	for _, a := range f.Args {
		if n, ok := a.(*ast.NamedArg); ok {
			p.failAt(int(n.At), pgerror.SyntaxError, "type modifier cannot have parameter name")
		}
	}
	lit := &ast.Literal{At: p.at(), Kind: ast.LitString, Text: p.str()}
	return &ast.Cast{At: f.At, X: lit, Type: &ast.TypeName{At: f.At, Name: f.Name, Mods: f.Args}, Style: ast.CastPrefix}
}

// callArgs parses what stands in a call's parentheses.
func (p *parser) callArgs(f *ast.FuncCall) {
	if p.isOp(")") {
		return
	}
	if p.acceptOp("*") {
		f.Star = true
		return
	}
	switch {
	case p.accept("distinct"):
		f.Distinct = true
	case p.accept("all"):
		f.All = true
	}
	for {
		if p.accept("variadic") {
			f.Variadic = true
		}
		f.Args = append(f.Args, p.argument())
		if f.Variadic || !p.acceptOp(",") {
			break
		}
	}
	if p.is("order") {
		f.OrderBy = p.orderBy()
	}
	// AGG(x [ORDER BY y] SEPARATOR …) and f(x IGNORE NULLS) of other dialects.
	if t := p.nulls(); t != ast.NullsDefault {
		f.NullTreatment = t
	}
}

// argument parses x, name => x, or name := x.
func (p *parser) argument() ast.Expr {
	if p.tok.kind == tWord && p.tok.cat != catReserved && p.tok.cat != catColName || p.tok.kind == tQuoted {
		if next := p.peek(1); next.isOp("=>") || next.isOp(":=") {
			arg := &ast.NamedArg{At: p.at(), Name: p.tok.text}
			p.next()
			p.next()
			arg.X = p.expr()
			return arg
		}
	}
	return p.expr()
}

func (p *parser) nulls() ast.NullTreatment {
	switch {
	case p.accept("respect", "nulls"):
		return ast.NullsRespect
	case p.accept("ignore", "nulls"):
		return ast.NullsIgnore
	}
	return ast.NullsDefault
}

// callRest parses WITHIN GROUP, FILTER and OVER behind a call.
func (p *parser) callRest(f *ast.FuncCall) ast.Expr {
	if p.is2("within", "group") {
		at := p.at()
		p.next()
		p.next()
		p.expectOp("(")
		f.WithinGroup = p.orderBy()
		p.expectOp(")")
		switch {
		case len(f.OrderBy) > 0:
			p.failAt(int(at), pgerror.SyntaxError, "cannot use multiple ORDER BY clauses with WITHIN GROUP")
		case f.Distinct:
			p.failAt(int(at), pgerror.SyntaxError, "cannot use DISTINCT with WITHIN GROUP")
		case f.Variadic:
			p.failAt(int(at), pgerror.SyntaxError, "cannot use VARIADIC with WITHIN GROUP")
		}
	}
	if p.is("filter") && p.peek(1).isOp("(") {
		p.next()
		p.next()
		p.expect("where")
		f.Filter = p.expr()
		p.expectOp(")")
	}
	if p.tok.oneOf("respect", "ignore") && p.peek(1).isWord("nulls") {
		f.NullTreatment = p.nulls()
	}
	if p.is("over") {
		f.Over = p.over()
	}
	return f
}

// keywordCall parses COALESCE(…) and its like.
func (p *parser) keywordCall(word string) ast.Expr {
	at := p.at()
	f := &ast.FuncCall{At: at, Name: ast.Name{At: at, Parts: []string{word}}, Form: ast.FormKeyword}
	p.next()
	p.expectOp("(")
	if word == "nullif" {
		f.Args = []ast.Expr{p.expr()}
		p.expectOp(",")
		f.Args = append(f.Args, p.expr())
	} else {
		f.Args = p.exprList()
	}
	p.expectOp(")")
	return f
}

// specialCall parses the functions whose arguments have words between them.
func (p *parser) specialCall(word string) ast.Expr {
	at := p.at()
	p.next()
	p.expectOp("(")
	f := &ast.FuncCall{At: at, Name: catalogName(at, word)}
	switch word {
	case "extract":
		p.extract(f)
	case "overlay":
		p.overlay(f)
	case "position":
		p.position(f)
	case "substring":
		p.substring(f)
	case "trim":
		p.trim(f)
	case "treat":
		x := p.expr()
		p.expect("as")
		t := p.typeName()
		f.Name, f.Args, f.Form = catalogName(at, t.Name.Last()), []ast.Expr{x}, ast.FormTreat
	case "normalize":
		f.Form = ast.FormNormalize
		f.Args = []ast.Expr{p.expr()}
		if p.acceptOp(",") {
			form := p.at()
			f.Args = append(f.Args, &ast.Literal{At: form, Kind: ast.LitString, Text: p.expectOneOf("nfc", "nfd", "nfkc", "nfkd")})
		}
	}
	p.expectOp(")")
	return p.callRest(f)
}

// extract parses EXTRACT(field FROM x), and extract(field, x).
func (p *parser) extract(f *ast.FuncCall) {
	field := &ast.Literal{At: p.at(), Kind: ast.LitString}
	next := p.peek(1)
	switch {
	case p.tok.kind == tWord && p.tok.cat == catReserved:
		p.unexpected()
		return
	case p.tok.kind == tString && (next.isWord("from") || next.isOp(",")):
		field.Text = p.str()
	case (p.tok.kind == tWord || p.tok.kind == tQuoted) && (next.isWord("from") || next.isOp(",")):
		field.Text = p.tok.text
		p.next()
	default:
		p.next()
		p.unexpected()
		return
	}
	f.Form = ast.FormExtract
	if !p.acceptOp(",") {
		p.expect("from")
	}
	f.Args = []ast.Expr{field, p.expr()}
}

func (p *parser) overlay(f *ast.FuncCall) {
	x := p.argument()
	if !p.is("placing") {
		f.Args = p.moreArgs(x)
		return
	}
	p.next()
	f.Form = ast.FormOverlay
	f.Args = []ast.Expr{x, p.expr()}
	p.expect("from")
	f.Args = append(f.Args, p.expr())
	if p.accept("for") {
		f.Args = append(f.Args, p.expr())
	}
}

// moreArgs parses the arguments behind the first one.
func (p *parser) moreArgs(first ast.Expr) []ast.Expr {
	args := []ast.Expr{first}
	for p.acceptOp(",") {
		args = append(args, p.argument())
	}
	return args
}

// position parses POSITION(a IN b), and position(a, b) whose arguments are
// the text to find and the text to search.
func (p *parser) position(f *ast.FuncCall) {
	a := p.restricted()
	if !p.acceptOp(",") {
		p.expect("in")
	}
	f.Form = ast.FormPosition
	f.Args = []ast.Expr{p.restricted(), a}
}

func (p *parser) substring(f *ast.FuncCall) {
	if p.isOp(")") {
		return
	}
	x := p.argument()
	switch {
	case p.accept("from"):
		f.Form = ast.FormSubstring
		f.Args = []ast.Expr{x, p.expr()}
		if p.accept("for") {
			f.Args = append(f.Args, p.expr())
		}
	case p.is("for"):
		one := &ast.Literal{At: p.at(), Kind: ast.LitInteger, Text: "1"}
		p.next()
		n := p.expr()
		f.Form = ast.FormSubstring
		if p.accept("from") {
			f.Args = []ast.Expr{x, p.expr(), n}
			return
		}
		f.Args = []ast.Expr{x, one, &ast.Cast{At: ast.At(n.Pos()), X: n, Type: systemType(ast.At(n.Pos()), "int4"), Style: ast.CastColon}}
	case p.accept("similar"):
		pattern := p.expr()
		p.expect("escape")
		f.Form = ast.FormSimilar
		f.Args = []ast.Expr{x, pattern, p.expr()}
	default:
		f.Args = p.moreArgs(x)
	}
}

func (p *parser) trim(f *ast.FuncCall) {
	name := map[string]string{"": "btrim", "both": "btrim", "leading": "ltrim", "trailing": "rtrim"}[p.acceptOneOf("both", "leading", "trailing")]
	f.Name, f.Form = catalogName(f.At, name), ast.FormTrim
	if p.accept("from") {
		f.Args = p.exprList()
		return
	}
	x := p.expr()
	if p.accept("from") {
		// TRIM(c FROM x) is trim(x, c).
		f.Args = append(p.exprList(), x)
		return
	}
	f.Args = []ast.Expr{x}
	for p.acceptOp(",") {
		f.Args = append(f.Args, p.expr())
	}
}
