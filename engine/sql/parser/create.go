package parser

import (
	"velostream/engine/sql/ast"
)

// create parses CREATE.
func (p *parser) create() ast.Statement {
	at := p.at()
	p.next()
	orReplace := p.accept("or")
	if orReplace {
		p.expect("replace")
	}
	if p.tok.kind != tWord {
		p.unexpected()
		return nil
	}
	switch word := p.tok.text; word {
	case "stream", "source", "table", "temp", "temporary", "local", "global", "unlogged":
		return p.createRelation(at, orReplace)
	case "materialized", "view", "recursive":
		return p.createView(at, orReplace, false)
	case "sink":
		return p.createSink(at, orReplace)
	case "index", "unique":
		return p.createIndex(at)
	case "function", "procedure":
		return p.createFunction(at, orReplace)
	case "schema":
		return p.createSchema(at)
	case "database":
		return p.createDatabase(at)
	case "role", "user", "group":
		if word == "user" && p.peek(1).isWord("mapping") {
			break
		}
		return p.createRole(at, false)
	case "secret", "connection":
		return p.createNamed(at, orReplace)
	case "subscription":
		return p.createSubscription(at, orReplace)
	case "sequence":
		return p.createSequence(at, false)
	case "type":
		return p.createType(at)
	case "domain":
		return p.createDomain(at)
	case "extension":
		return p.createExtension(at)
	}
	return p.createOther(at)
}

// otherObjects are PostgreSQL's objects that do not exist here: the words
// behind CREATE, ALTER and DROP, with the second word of those that have two.
var otherObjects = map[string]string{
	"access": "method", "aggregate": "", "cast": "", "collation": "", "constraint": "trigger", "conversion": "", "default": "conversion",
	"event": "trigger", "foreign": "", "language": "", "operator": "", "policy": "", "publication": "", "rule": "", "server": "",
	"statistics": "", "tablespace": "", "text": "search", "transform": "", "trigger": "", "trusted": "language", "user": "mapping",
	"procedural": "language", "large": "object", "system": "", "routine": "", "assertion": "",
}

// createOther parses CREATE of an object that does not exist here.
func (p *parser) createOther(at ast.At) ast.Statement {
	if s := p.otherObject(at, "CREATE"); s != nil {
		return s
	}
	p.unexpected()
	p.hintWord("stream", "source", "table", "view", "materialized", "sink", "index", "function", "schema", "database", "role", "user",
		"secret", "connection", "subscription", "sequence", "type", "unique", "temporary")
	return nil
}

// otherObject parses the rest of a statement about an object that does not
// exist here; nil if the current word names none.
func (p *parser) otherObject(at ast.At, verb string) ast.Statement {
	second, ok := otherObjects[p.tok.text]
	if !ok || p.tok.kind != tWord {
		return nil
	}
	name := verb + " " + upper(p.tok.text)
	p.next()
	switch {
	case second != "":
		p.expect(second)
		name += " " + upper(second)
	case p.tok.oneOf("class", "family", "table", "data", "wrapper") && (name == verb+" OPERATOR" || name == verb+" FOREIGN"):
		name += " " + upper(p.tok.text)
	}
	return p.otherNamed(int(at), name)
}

// ifNotExists takes IF NOT EXISTS; two words tell it from a name.
func (p *parser) ifNotExists() bool {
	if !p.is2("if", "not") {
		return false
	}
	p.expect("if", "not", "exists")
	return true
}

func (p *parser) ifExists() bool { return p.accept("if", "exists") }

// withOptions parses WITH (…) if it is there.
func (p *parser) withOptions() []ast.Option {
	if p.is("with") && p.peek(1).isOp("(") {
		p.next()
		return p.options(true)
	}
	return nil
}

// noData parses WITH [NO] DATA and reports NO.
func (p *parser) noData() bool {
	if p.accept("with", "no", "data") {
		return true
	}
	p.accept("with", "data")
	return false
}

func (p *parser) createView(at ast.At, orReplace, temp bool) ast.Statement {
	s := &ast.CreateView{At: at, OrReplace: orReplace, Temp: temp}
	s.Recursive = p.accept("recursive")
	s.Materialized = p.accept("materialized")
	p.expect("view")
	s.IfNotExists = p.ifNotExists()
	s.Name = p.relation()
	if p.isOp("(") {
		s.Columns = p.idents()
	}
	if s.Materialized && p.accept("using") {
		s.Using = p.identText()
	}
	if p.accept("with") {
		s.Options = p.options(true)
	}
	if s.Materialized && p.accept("tablespace") {
		s.Tablespace = p.identText()
	}
	p.expect("as")
	if !p.startsQuery() && !p.isOp("(") {
		p.unexpected()
		p.hintWord("select", "with", "values")
	}
	s.Query = p.query()
	if s.Materialized {
		s.NoData = p.noData()
		return s
	}
	if p.accept("with") {
		s.CheckOption = "CASCADED"
		if w := p.acceptOneOf("cascaded", "local"); w != "" {
			s.CheckOption = upper(w)
		}
		p.expect("check", "option")
	}
	return s
}

func (p *parser) createSink(at ast.At, orReplace bool) ast.Statement {
	s := &ast.CreateSink{At: at, OrReplace: orReplace}
	p.next()
	s.IfNotExists = p.ifNotExists()
	s.Name = p.relation()
	switch p.expectOneOf("from", "as") {
	case "from":
		s.From = p.relation()
	case "as":
		s.Query = p.query()
		// What the query took as its own belongs to the sink.
		if s.Query.Sink != nil {
			s.Into = *s.Query.Sink
			s.Query.Sink = nil
		}
		s.Options = s.Query.Options
		s.Query.Options = nil
	}
	for p.err == nil {
		switch {
		case p.is("into"):
			p.once(!s.Into.IsZero(), "INTO")
			p.next()
			s.Into = p.relation()
		case p.is("with"):
			p.once(s.Options != nil, "WITH (…)")
			p.next()
			s.Options = p.options(true)
		case p.is("format"):
			p.once(s.Format != nil, "FORMAT")
			s.Format = p.format()
		default:
			return s
		}
	}
	return s
}

// format parses FORMAT f [(…)] [ENCODE e [(…)]].
func (p *parser) format() *ast.Format {
	f := &ast.Format{At: p.at()}
	p.next()
	f.Format = upper(p.label().Name)
	if p.isOp("(") {
		f.Options = p.options(true)
	}
	if p.accept("encode") {
		f.Encode = upper(p.label().Name)
		if p.isOp("(") {
			f.Options = append(f.Options, p.options(true)...)
		}
	}
	return f
}

func (p *parser) createIndex(at ast.At) ast.Statement {
	s := &ast.CreateIndex{At: at, Unique: p.accept("unique")}
	p.expect("index")
	s.Concurrently = p.accept("concurrently")
	s.IfNotExists = p.ifNotExists()
	if s.IfNotExists || !p.is("on") {
		s.Name = p.identText()
	}
	p.expect("on")
	s.Only = p.accept("only")
	s.Table = p.relation()
	if p.accept("using") {
		s.Method = p.identText()
	}
	s.Items = p.indexItems()
	if p.accept("include") {
		s.Include = p.indexItems()
	}
	if p.accept("nulls") {
		s.NullsNotDistinct = p.accept("not")
		p.expect("distinct")
	}
	if p.accept("with") {
		s.Options = p.options(true)
	}
	if p.accept("tablespace") {
		s.Tablespace = p.identText()
	}
	if p.accept("where") {
		s.Where = p.expr()
	}
	return s
}

// indexItems parses (column [COLLATE c] [opclass] [ASC|DESC] [NULLS …], …).
func (p *parser) indexItems() []ast.IndexItem {
	p.expectOp("(")
	var out []ast.IndexItem
	for {
		out = append(out, p.indexItem())
		if !p.acceptOp(",") {
			break
		}
	}
	p.expectOp(")")
	return out
}

func (p *parser) indexItem() ast.IndexItem {
	it := ast.IndexItem{At: p.at()}
	next := p.peek(1)
	switch {
	case p.isOp("("):
		p.next()
		it.X = p.expr()
		p.expectOp(")")
	case p.tok.isName() && !next.isOp("(") && !next.isOp("."):
		it.X = &ast.ColumnRef{At: p.at(), Parts: []string{p.identText()}}
	default:
		it.X = p.primary()
	}
	if p.accept("collate") {
		it.Collation = p.name()
	}
	if p.tok.isName() && !p.tok.oneOf("nulls") {
		it.OpClass = p.name()
		if p.isOp("(") {
			it.OpClassOpts = p.options(true)
		}
	}
	if !p.accept("asc") {
		it.Desc = p.accept("desc")
	}
	it.Nulls = p.nullsOrder()
	return it
}

func (p *parser) createSchema(at ast.At) ast.Statement {
	s := &ast.CreateSchema{At: at}
	p.next()
	s.IfNotExists = p.ifNotExists()
	if !p.is("authorization") {
		s.Name = p.identText()
	}
	if p.accept("authorization") {
		s.Owner = p.roleName().Name
	}
	for p.is("create") || p.is("grant") {
		if p.is("grant") {
			s.Elements = append(s.Elements, p.grant())
			continue
		}
		if !p.deeper() {
			break
		}
		s.Elements = append(s.Elements, p.create())
		p.depth--
	}
	return s
}

// roleName takes a role: a name, CURRENT_USER and its like, or PUBLIC.
func (p *parser) roleName() ast.Ident {
	if p.tok.oneOf("current_user", "session_user", "current_role") {
		return p.label()
	}
	return p.nonReserved()
}

func (p *parser) createDatabase(at ast.At) ast.Statement {
	s := &ast.CreateDatabase{At: at}
	p.next()
	s.Name = p.identText()
	p.accept("with")
	for p.tok.kind == tWord {
		o := ast.Option{At: p.at(), Name: p.label().Name}
		if o.Name == "connection" && p.accept("limit") {
			o.Name = "connection limit"
		}
		p.acceptOp("=")
		p.optionValue(&o)
		s.Options = append(s.Options, o)
	}
	return s
}

func (p *parser) createNamed(at ast.At, orReplace bool) ast.Statement {
	s := &ast.CreateNamed{At: at, Kind: upper(p.tok.text), OrReplace: orReplace}
	p.next()
	s.IfNotExists = p.ifNotExists()
	s.Name = p.relation()
	if p.accept("to") {
		s.Options = []ast.Option{{At: p.at(), Name: "type", Kind: ast.ValueWord, ValuePos: int(p.tok.pos), Value: p.label().Name}}
	}
	if p.isOp("(") {
		s.Options = append(s.Options, p.options(false)...)
	}
	if o := p.withOptions(); o != nil {
		s.Options = append(s.Options, o...)
	}
	if s.Kind == "SECRET" && p.accept("as") {
		s.Value = &ast.Literal{At: p.at(), Kind: ast.LitString, Text: p.str()}
	}
	return s
}

// createSubscription parses the dialect's CREATE SUBSCRIPTION … FROM;
// PostgreSQL's, of logical replication, has CONNECTION.
func (p *parser) createSubscription(at ast.At, orReplace bool) ast.Statement {
	s := &ast.CreateNamed{At: at, Kind: "SUBSCRIPTION", OrReplace: orReplace}
	p.next()
	s.IfNotExists = p.ifNotExists()
	s.Name = p.relation()
	if p.is("connection") {
		return p.otherNamed(int(at), "CREATE SUBSCRIPTION")
	}
	switch p.expectOneOf("from", "as") {
	case "from":
		s.From = p.relation()
	case "as":
		s.Query = p.query()
		s.Options, s.Query.Options = s.Query.Options, nil
	}
	if o := p.withOptions(); o != nil {
		s.Options = append(s.Options, o...)
	}
	return s
}

func (p *parser) createExtension(at ast.At) ast.Statement {
	s := &ast.CreateExtension{At: at}
	p.next()
	s.IfNotExists = p.ifNotExists()
	s.Name = p.nonReserved().Name
	p.accept("with")
	for p.err == nil {
		o := ast.Option{At: p.at(), Kind: ast.ValueWord}
		switch {
		case p.accept("schema"):
			o.Name, o.ValuePos, o.Value = "schema", int(p.tok.pos), p.identText()
		case p.accept("version"):
			o.Name, o.ValuePos, o.Value = "version", int(p.tok.pos), p.nonReservedOrString()
		case p.accept("cascade"):
			o.Name, o.Kind = "cascade", ast.ValueNone
		default:
			return s
		}
		s.Options = append(s.Options, o)
	}
	return s
}
