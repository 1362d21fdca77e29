package parser

import (
	"strings"

	"velostream/engine/sql/ast"
	"velostream/pgwire/pgerror"
)

// createFunction parses CREATE FUNCTION and PROCEDURE.
func (p *parser) createFunction(at ast.At, orReplace bool) ast.Statement {
	s := &ast.CreateFunction{At: at, OrReplace: orReplace, Procedure: p.is("procedure"), BodyPos: -1}
	p.next()
	s.Name = p.funcName()
	s.Args = p.funcArgs()
	if p.accept("returns") {
		if p.is("table") && p.peek(1).isOp("(") {
			p.next()
			s.Table = p.columnDefs()
		} else {
			s.Returns = p.typeName()
		}
	}
	for p.err == nil && p.funcClause(s) {
	}
	if p.accept("begin") {
		p.atomic(s)
	}
	return s
}

// atomic parses the body BEGIN ATOMIC statement; … END.
func (p *parser) atomic(s *ast.CreateFunction) {
	s.HasAtomic = true
	p.expect("atomic")
	for p.err == nil && !p.is("end") {
		if p.acceptOp(";") {
			continue
		}
		if p.is("return") {
			r := &ast.Return{At: p.at()}
			p.next()
			r.X = p.expr()
			s.Atomic = append(s.Atomic, r)
		} else {
			s.Atomic = append(s.Atomic, p.preparable())
		}
		p.expectOp(";")
	}
	p.expect("end")
}

// funcClause parses one clause of CREATE FUNCTION, and reports whether one
// was there.
func (p *parser) funcClause(s *ast.CreateFunction) bool {
	switch {
	case p.accept("language"):
		s.Language = strings.ToLower(p.nonReservedOrString())
	case p.accept("as"):
		s.BodyPos = int(p.tok.pos)
		s.Body = p.str()
		if p.acceptOp(",") {
			s.Link = p.str()
		}
	case p.accept("return"):
		s.Return = p.expr()
	default:
		a, ok := p.funcAttr()
		if ok {
			s.Attrs = append(s.Attrs, a)
		}
		return ok
	}
	return true
}

// funcAttr parses an attribute of a function.
func (p *parser) funcAttr() (ast.FuncAttr, bool) {
	a := ast.FuncAttr{At: p.at()}
	for _, words := range [][]string{
		{"called", "on", "null", "input"},
		{"returns", "null", "on", "null", "input"},
		{"strict"},
		{"immutable"},
		{"stable"},
		{"volatile"},
		{"external", "security", "definer"},
		{"external", "security", "invoker"},
		{"leakproof"},
		{"window"},
	} {
		if p.acceptAll(words) {
			a.Name = upper(strings.Join(words, " "))
			return a, true
		}
	}
	switch p.acceptOneOf("cost", "rows", "support", "parallel", "transform", "set", "reset", "security", "not") {
	case "security":
		a.Name = "SECURITY " + upper(p.expectOneOf("definer", "invoker"))
	case "not":
		p.expect("leakproof")
		a.Name = "NOT LEAKPROOF"
	case "cost":
		a.Name, a.Value = "COST", p.number()
	case "rows":
		a.Name, a.Value = "ROWS", p.number()
	case "support":
		a.Name, a.Value = "SUPPORT", p.name().Dotted()
	case "parallel":
		a.Name, a.Value = "PARALLEL", p.identText()
	case "transform":
		p.expect("for", "type")
		a.Name, a.Value = "TRANSFORM", p.typeName().Name.Dotted()
	case "set":
		v := p.setRest(a.At)
		texts := make([]string, len(v.Values))
		for i, x := range v.Values {
			texts[i] = x.Text
		}
		a.Name, a.Value = "SET "+v.Name, strings.Join(texts, ", ")
	case "reset":
		a.Name, a.Value = "RESET", p.settingName()
	default:
		return a, false
	}
	return a, true
}

// acceptAll is accept for any number of words: once three of them are seen,
// the rest is required.
func (p *parser) acceptAll(words []string) bool {
	if len(words) <= 3 {
		return p.accept(words...)
	}
	if !p.accept(words[:3]...) {
		return false
	}
	p.expect(words[3:]...)
	return true
}

// funcArgs parses the parameters of a function in parentheses.
func (p *parser) funcArgs() []ast.FuncArg {
	p.expectOp("(")
	out := []ast.FuncArg{}
	if p.acceptOp(")") {
		return out
	}
	for p.err == nil {
		out = append(out, p.funcArg())
		if !p.acceptOp(",") {
			break
		}
	}
	p.expectOp(")")
	return out
}

func (p *parser) funcArg() ast.FuncArg {
	a := ast.FuncArg{At: p.at()}
	mode := func() {
		if a.Mode != "" {
			return
		}
		switch p.acceptOneOf("in", "out", "inout", "variadic") {
		case "in":
			a.Mode = "IN"
			if p.accept("out") {
				a.Mode = "INOUT"
			}
		case "out":
			a.Mode = "OUT"
		case "inout":
			a.Mode = "INOUT"
		case "variadic":
			a.Mode = "VARIADIC"
		}
	}
	mode()
	// A name stands before the type if something of a type follows it.
	next := p.peek(1)
	named := p.tok.kind == tQuoted || p.tok.kind == tWord && (p.tok.cat <= catUnreserved || p.tok.cat == catTypeFunc)
	ends := next.isOp(",") || next.isOp(")") || next.isOp("(") || next.isOp("[") || next.isOp(".") || next.isOp("=") || next.isOp("%") ||
		next.isWord("default") || next.isWord("array") || next.kind == tEOF || p.is("double") && next.isWord("precision")
	if named && !ends {
		a.Name = p.label().Name
		mode()
	}
	a.Type = p.typeName()
	if p.accept("default") || p.acceptOp("=") {
		a.Default = p.expr()
	}
	return a
}

// funcSig parses a function's name with its argument types, if given.
func (p *parser) funcSig() *ast.FuncSig {
	s := &ast.FuncSig{At: p.at()}
	if p.tok.isName() && !p.tok.isFuncName() && !p.peek(1).isOp("(") {
		s.Name = p.name()
	} else {
		s.Name = p.funcName()
	}
	if !p.isOp("(") {
		return s
	}
	s.HasArgs = true
	if p.peek(1).isOp("*") {
		p.next()
		p.next()
		p.expectOp(")")
		return s
	}
	s.Args = p.funcArgs()
	return s
}

// createRole parses CREATE ROLE, USER and GROUP, and ALTER of them.
func (p *parser) createRole(at ast.At, alter bool) ast.Statement {
	s := &ast.CreateRole{At: at, Kind: upper(p.tok.text), Alter: alter}
	p.next()
	s.IfNotExists = !alter && p.ifNotExists()
	s.Name = p.roleName()
	p.accept("with")
	for p.err == nil {
		o, ok := p.roleOption()
		if !ok {
			return s
		}
		s.Options = append(s.Options, o)
	}
	return s
}

func (p *parser) roleOption() (ast.Option, bool) {
	o := ast.Option{At: p.at(), ValuePos: int(p.tok.pos)}
	roles := func(name string) (ast.Option, bool) {
		o.Name, o.Kind = name, ast.ValueList
		o.ValuePos = int(p.tok.pos)
		for {
			o.Items = append(o.Items, p.roleName().Name)
			if !p.acceptOp(",") {
				return o, true
			}
		}
	}
	value := func(name string) (ast.Option, bool) {
		o.Name, o.Kind, o.ValuePos = name, ast.ValueString, int(p.tok.pos)
		o.Value = p.str()
		return o, true
	}
	switch {
	case p.is2("encrypted", "password"), p.is("password"):
		p.accept("encrypted")
		p.next()
		if p.accept("null") {
			o.Name = "password"
			return o, true
		}
		return value("password")
	case p.accept("connection"):
		p.expect("limit")
		o.Name, o.Kind, o.ValuePos = "connection limit", ast.ValueNumber, int(p.tok.pos)
		o.Value = p.number()
		return o, true
	case p.accept("valid"):
		p.expect("until")
		return value("valid until")
	case p.accept("in"):
		p.expectOneOf("role", "group")
		return roles("in role")
	case p.accept("sysid"):
		o.Name, o.Kind, o.Value = "sysid", ast.ValueNumber, p.number()
		return o, true
	case p.acceptOneOf("role", "user") != "":
		return roles("role")
	case p.accept("admin"):
		return roles("admin")
	case p.tok.oneOf("superuser", "nosuperuser", "createdb", "nocreatedb", "createrole", "nocreaterole", "inherit", "noinherit", "login",
		"nologin", "replication", "noreplication", "bypassrls", "nobypassrls"):
		o.Name = p.tok.text
		p.next()
		return o, true
	case p.tok.kind == tWord && p.tok.cat == catNone && p.err == nil:
		p.failAt(int(p.tok.pos), pgerror.SyntaxError, "unrecognized role option \"%s\"", p.tok.text)
	}
	return o, false
}

// createSequence parses CREATE and ALTER SEQUENCE.
func (p *parser) createSequence(at ast.At, alter bool) ast.Statement {
	s := &ast.CreateSequence{At: at, Alter: alter}
	p.next()
	if alter {
		s.IfNotExists = p.ifExists()
	} else {
		s.IfNotExists = p.ifNotExists()
	}
	s.Name = p.relation()
	s.Options = p.seqOptions()
	return s
}

// seqOptions parses the options of a sequence.
func (p *parser) seqOptions() []ast.SeqOption {
	var out []ast.SeqOption
	for p.err == nil {
		o, ok := p.seqOption()
		if !ok {
			break
		}
		out = append(out, o)
	}
	return out
}

// seqOption parses one option of a sequence; false: none follows.
func (p *parser) seqOption() (ast.SeqOption, bool) {
	o := ast.SeqOption{At: p.at()}
	switch {
	case p.accept("as"):
		o.Name, o.Type = "AS", p.typeName()
	case p.accept("increment"):
		p.accept("by")
		o.Name, o.Value = "INCREMENT", p.number()
	case p.accept("minvalue"):
		o.Name, o.Value = "MINVALUE", p.number()
	case p.accept("maxvalue"):
		o.Name, o.Value = "MAXVALUE", p.number()
	case p.accept("no"):
		o.Name = "NO " + upper(p.expectOneOf("minvalue", "maxvalue", "cycle"))
	case p.accept("start"):
		p.accept("with")
		o.Name, o.Value = "START", p.number()
	case p.accept("restart"):
		o.Name = "RESTART"
		if p.accept("with") || p.tok.kind == tInt || p.isOp("-") {
			o.Value = p.number()
		}
	case p.accept("cache"):
		o.Name, o.Value = "CACHE", p.number()
	case p.accept("cycle"):
		o.Name = "CYCLE"
	case p.accept("owned"):
		p.expect("by")
		o.Name = "OWNED BY"
		o.Owner = p.name()
	case p.accept("sequence"):
		p.expect("name")
		o.Name = "SEQUENCE NAME"
		o.Owner = p.name()
	default:
		return o, false
	}
	return o, true
}

// createType parses CREATE TYPE of an enum or a composite.
func (p *parser) createType(at ast.At) ast.Statement {
	s := &ast.CreateType{At: at}
	p.next()
	s.Name = p.name()
	if !p.is("as") {
		// A base type or a shell.
		return p.otherNamed(int(at), "CREATE TYPE")
	}
	p.next()
	switch {
	case p.accept("enum"):
		s.Enum = true
		p.expectOp("(")
		for more := !p.isOp(")"); more; more = p.acceptOp(",") {
			s.Labels = append(s.Labels, p.str())
		}
		p.expectOp(")")
	case p.is("range"):
		return p.otherNamed(int(at), "CREATE TYPE")
	case p.isOp("(") && p.peek(1).isOp(")"):
		p.next()
		p.next()
	default:
		s.Columns = p.columnDefs()
	}
	return s
}

func (p *parser) createDomain(at ast.At) ast.Statement {
	s := &ast.CreateType{At: at}
	p.next()
	s.Name = p.name()
	p.accept("as")
	s.Domain = p.typeName()
	c := ast.ColumnDef{Name: s.Name.Last()}
	p.columnRest(&c)
	s.Collation, s.Constraints = c.Collation, c.Constraints
	return s
}

// objectKind takes the kind of an object in DROP, COMMENT, GRANT and ALTER;
// "" if none is there. Kinds of two words are given as one text.
func (p *parser) objectKind() string {
	two := map[string][]string{
		"materialized": {"view"}, "foreign": {"table", "data"}, "event": {"trigger"}, "access": {"method"}, "text": {"search"},
		"large": {"object"}, "procedural": {"language"}, "user": {"mapping"},
	}
	if p.tok.kind != tWord {
		return ""
	}
	word := p.tok.text
	if seconds, ok := two[word]; ok {
		if next := p.peek(1); next.oneOf(seconds...) {
			p.next()
			kind := upper(word) + " " + upper(p.tok.text)
			p.next()
			switch kind {
			case "TEXT SEARCH":
				kind += " " + upper(p.expectOneOf("parser", "dictionary", "template", "configuration"))
			case "FOREIGN DATA":
				p.expect("wrapper")
				kind += " WRAPPER"
			case "PROCEDURAL LANGUAGE":
				kind = "LANGUAGE"
			}
			return kind
		}
	}
	if p.accept("materialized") {
		p.expect("view")
	}
	if p.tok.oneOf("table", "stream", "source", "sink", "view", "index", "job", "function", "procedure", "routine", "aggregate", "schema",
		"database", "role", "user", "group", "secret", "connection", "subscription", "sequence", "type", "domain", "extension", "column",
		"constraint", "trigger", "policy", "rule", "publication", "server", "tablespace", "language", "collation", "conversion", "cast",
		"operator", "statistics", "transform", "parameter") {
		p.next()
		return upper(word)
	}
	return ""
}

// object parses the object itself, by its kind.
func (p *parser) object(kind string) ast.Object {
	o := ast.Object{At: p.at(), Kind: kind}
	switch kind {
	case "FUNCTION", "PROCEDURE", "ROUTINE", "AGGREGATE":
		o.Sig = p.funcSig()
		o.Name = o.Sig.Name
	case "TYPE", "DOMAIN":
		o.Type = p.typeName()
		o.Name = o.Type.Name
	case "TRIGGER", "POLICY", "RULE":
		o.Name = p.name()
		p.expect("on")
		o.On = p.name()
	case "CONSTRAINT":
		o.Name = p.name()
		p.expect("on")
		if p.accept("domain") {
			o.Raw = "DOMAIN"
		}
		o.On = p.name()
	case "CAST", "OPERATOR", "TRANSFORM", "USER MAPPING", "LARGE OBJECT":
		o.Raw = p.rawObject()
	case "ROLE", "USER", "GROUP":
		o.Name = ast.Name{At: p.at(), Parts: []string{p.roleName().Name}}
	case "JOB":
		o.Name = p.objectName()
	case "LANGUAGE", "EXTENSION":
		o.Name = ast.Name{At: p.at(), Parts: []string{p.identText()}}
	default:
		o.Name = p.name()
	}
	return o
}

// rawObject keeps an object whose naming is of no use here as text, up to a
// word that ends it.
func (p *parser) rawObject() string {
	start := p.tok.pos
	open := 0
	for p.err == nil && p.tok.kind != tEOF {
		switch {
		case p.isOp("("):
			open++
		case p.isOp(")"):
			open--
		}
		if open == 0 && (p.isOp(";") || p.isOp(",") || p.tok.oneOf("is", "cascade", "restrict", "owner")) || open < 0 {
			break
		}
		p.next()
	}
	if p.tok.pos == start {
		p.unexpected()
		return ""
	}
	return p.sql[start:max(start, p.prev.end)]
}
