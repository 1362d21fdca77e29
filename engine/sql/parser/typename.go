package parser

import (
	"strconv"

	"velostream/engine/sql/ast"
	"velostream/pgwire/pgerror"
)

// systemType is a type that has a keyword, by its catalog name.
func systemType(at ast.At, name string) *ast.TypeName {
	return &ast.TypeName{At: at, Name: catalogName(at, name)}
}

// typeName parses a type with SETOF and array bounds.
func (p *parser) typeName() *ast.TypeName {
	at := p.at()
	if !p.deeper() {
		return &ast.TypeName{At: at}
	}
	defer func() { p.depth-- }()
	setOf := p.accept("setof")
	if p.is("array") && p.peek(1).isOp("<") {
		p.next()
		return p.angled(&ast.TypeName{At: at, Name: ast.Name{At: at, Parts: []string{"array"}}, SetOf: setOf})
	}
	t := p.simpleTypeName()
	t.SetOf = setOf
	if p.accept("array") {
		bound := -1
		if p.acceptOp("[") {
			bound = p.integer()
			p.expectOp("]")
		}
		t.Bounds = append(t.Bounds, bound)
		return t
	}
	for p.isOp("[") && p.err == nil {
		p.next()
		bound := -1
		if !p.isOp("]") {
			bound = p.integer()
		}
		p.expectOp("]")
		t.Bounds = append(t.Bounds, bound)
	}
	return t
}

// simpleTypeName parses a type without array bounds.
func (p *parser) simpleTypeName() *ast.TypeName {
	at := p.at()
	if p.tok.kind == tWord {
		if p.tok.cat == catColName {
			if t := p.keywordType(); t != nil {
				return t
			}
			p.unexpected()
			return &ast.TypeName{At: at}
		}
		if p.is2("double", "precision") {
			p.next()
			p.next()
			return systemType(at, "float8")
		}
	}
	if !p.tok.isFuncName() {
		if p.tok.isName() && p.peek(1).isOp(".") {
			return p.genericType(p.name())
		}
		p.unexpected()
		return &ast.TypeName{At: at}
	}
	first := ast.Ident{At: at, Name: p.tok.text}
	p.next()
	return p.genericType(p.qualified(first))
}

// genericType parses the modifiers of a named type, %TYPE, and the arguments
// of the dialect's MAP and STRUCT.
func (p *parser) genericType(name ast.Name) *ast.TypeName {
	t := &ast.TypeName{At: name.At, Name: name}
	if p.isOp("%") && p.peek(1).isWord("type") {
		p.next()
		p.next()
		t.Percent = true
		return t
	}
	if len(name.Parts) == 1 && (name.Parts[0] == "map" || name.Parts[0] == "struct") && (p.isOp("<") || p.isOp("(")) {
		return p.angled(t)
	}
	if p.acceptOp("(") {
		t.Mods = p.exprList()
		p.expectOp(")")
	}
	return t
}

// angled parses <t, …> or (t, …), each with a field name in a STRUCT. Two
// closing brackets may have become one operator.
func (p *parser) angled(t *ast.TypeName) *ast.TypeName {
	shut := ")"
	if p.isOp("<") {
		shut = ">"
	}
	p.next()
	isStruct := t.Name.Last() == "struct"
	for p.err == nil {
		var arg ast.TypeArg
		if isStruct {
			arg.Name = p.label().Name
			p.acceptOp(":")
		}
		arg.Type = p.typeName()
		t.Args = append(t.Args, arg)
		if !p.acceptOp(",") {
			break
		}
	}
	if shut == ">" && p.tok.kind == tOp && len(p.tok.text) > 1 && p.tok.text[0] == '>' {
		p.tok.text = p.tok.text[1:]
		p.tok.pos++
		return t
	}
	p.expectOp(shut)
	return t
}

// keywordType parses a type whose name is a keyword; nil if none is there.
func (p *parser) keywordType() *ast.TypeName {
	at := p.at()
	word := p.tok.text
	names := map[string]string{
		"int": "int4", "integer": "int4", "smallint": "int2", "bigint": "int8", "real": "float4", "boolean": "bool",
	}
	if name, ok := names[word]; ok {
		p.next()
		return systemType(at, name)
	}
	switch word {
	case "float":
		return p.floatType(at)
	case "decimal", "dec", "numeric":
		p.next()
		t := systemType(at, "numeric")
		if p.acceptOp("(") {
			t.Mods = p.exprList()
			p.expectOp(")")
		}
		return t
	case "bit":
		return p.bitType(at)
	case "character", "char", "varchar", "national", "nchar":
		return p.characterType(at)
	case "time", "timestamp":
		return p.timeType(at)
	case "interval":
		return p.intervalType(at)
	}
	return nil
}

func (p *parser) floatType(at ast.At) *ast.TypeName {
	p.next()
	if !p.acceptOp("(") {
		return systemType(at, "float8")
	}
	argAt := p.at()
	n := p.integer()
	p.expectOp(")")
	switch {
	case p.err != nil:
	case n < 1:
		p.failAt(int(argAt), pgerror.InvalidParameterValue, "precision for type float must be at least 1 bit")
	case n <= 24:
		return systemType(at, "float4")
	case n > 53:
		p.failAt(int(argAt), pgerror.InvalidParameterValue, "precision for type float must be less than 54 bits")
	}
	return systemType(at, "float8")
}

func (p *parser) bitType(at ast.At) *ast.TypeName {
	p.next()
	t := systemType(at, "bit")
	if p.accept("varying") {
		t = systemType(at, "varbit")
	}
	if p.acceptOp("(") {
		t.Mods = p.exprList()
		p.expectOp(")")
	} else if t.Name.Last() == "bit" {
		t.Mods = []ast.Expr{lengthOne(at)}
	}
	return t
}

func lengthOne(at ast.At) ast.Expr {
	return &ast.Literal{At: at, Kind: ast.LitInteger, Text: "1"}
}

func (p *parser) characterType(at ast.At) *ast.TypeName {
	name := "bpchar"
	if p.accept("national") {
		p.expectOneOf("character", "char")
	} else {
		if p.is("varchar") {
			name = "varchar"
		}
		p.next()
	}
	if name == "bpchar" && p.accept("varying") {
		name = "varchar"
	}
	t := systemType(at, name)
	if p.acceptOp("(") {
		lenAt := p.at()
		t.Mods = []ast.Expr{&ast.Literal{At: lenAt, Kind: ast.LitInteger, Text: strconv.Itoa(p.integer())}}
		p.expectOp(")")
	} else if name == "bpchar" {
		t.Mods = []ast.Expr{lengthOne(at)}
	}
	return t
}

func (p *parser) timeType(at ast.At) *ast.TypeName {
	name := p.tok.text
	p.next()
	var mods []ast.Expr
	if p.acceptOp("(") {
		precAt := p.at()
		mods = []ast.Expr{&ast.Literal{At: precAt, Kind: ast.LitInteger, Text: strconv.Itoa(p.integer())}}
		p.expectOp(")")
	}
	switch {
	case p.is2("with", "time"):
		p.next()
		p.expect("time", "zone")
		name += "tz"
	case p.is2("without", "time"):
		p.next()
		p.expect("time", "zone")
	}
	t := systemType(at, name)
	t.Mods = mods
	return t
}

func (p *parser) intervalType(at ast.At) *ast.TypeName {
	p.next()
	t := systemType(at, "interval")
	prec := -1
	precAt := p.at()
	switch {
	case p.isOp("("):
		p.next()
		precAt = p.at()
		prec = p.integer()
		p.expectOp(")")
	case p.tok.kind == tWord && isField(p.tok.text):
		t.Fields, prec = p.fields()
	}
	if prec >= 0 {
		t.Mods = []ast.Expr{&ast.Literal{At: precAt, Kind: ast.LitInteger, Text: strconv.Itoa(prec)}}
	}
	return t
}
