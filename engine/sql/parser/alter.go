package parser

import (
	"velostream/engine/sql/ast"
	"velostream/pgwire/pgerror"
)

// alter parses ALTER.
func (p *parser) alter() ast.Statement {
	at := p.at()
	p.next()
	switch {
	case p.is2("default", "privileges"):
		return p.alterDefaultPrivileges(at)
	case p.is("sequence"):
		if s := p.alterSequence(at); s != nil {
			return s
		}
	case p.tok.oneOf("role", "user", "group") && !p.peek(1).isWord("mapping"):
		return p.alterRole(at)
	case p.tok.oneOf("stream", "source", "table", "materialized", "view", "sink", "index", "schema", "database", "type", "domain",
		"function", "procedure", "subscription", "connection", "secret", "job"):
		return p.alterObject(at)
	}
	if s := p.otherObject(at, "ALTER"); s != nil {
		return s
	}
	if p.is("extension") {
		return p.otherNamed(int(at), "ALTER EXTENSION")
	}
	p.unexpected()
	p.hintWord("stream", "source", "table", "view", "materialized", "sink", "index", "schema", "database", "role", "user", "sequence",
		"type", "function", "subscription")
	return nil
}

// alterSequence parses ALTER SEQUENCE with options of the sequence; other
// actions are those of any object.
func (p *parser) alterSequence(at ast.At) ast.Statement {
	s := &ast.Alter{At: at, Kind: "SEQUENCE"}
	seq := &ast.CreateSequence{At: at, Alter: true}
	p.next()
	seq.IfNotExists = p.ifExists()
	seq.Name = p.relation()
	if !p.tok.oneOf("owner", "rename", "set") {
		seq.Options = p.seqOptions()
		if len(seq.Options) == 0 {
			p.unexpected()
		}
		return seq
	}
	s.IfExists = seq.IfNotExists
	s.Object = ast.Object{At: seq.Name.At, Kind: "SEQUENCE", Name: seq.Name}
	s.Actions = []ast.AlterAction{p.alterAction(s)}
	return s
}

// alterRole parses ALTER ROLE with options, RENAME, SET and RESET.
func (p *parser) alterRole(at ast.At) ast.Statement {
	next2 := p.peek(2)
	if !next2.oneOf("rename", "set", "reset", "in", "add", "drop") {
		return p.createRole(at, true)
	}
	s := &ast.Alter{At: at, Kind: "ROLE"}
	p.next()
	s.Object = ast.Object{At: p.at(), Kind: "ROLE"}
	if p.is("all") {
		p.next()
		s.Object.Raw = "ALL"
	} else {
		s.Object.Name = ast.Name{At: p.at(), Parts: []string{p.roleName().Name}}
	}
	if p.accept("in") {
		p.expect("database")
		s.Object.On = p.name()
	}
	if p.tok.oneOf("add", "drop") {
		return p.otherNamed(int(at), "ALTER GROUP")
	}
	s.Actions = []ast.AlterAction{p.alterAction(s)}
	return s
}

func (p *parser) alterDefaultPrivileges(at ast.At) ast.Statement {
	s := &ast.AlterDefaultPrivileges{At: at}
	p.next()
	p.next()
	for p.err == nil {
		switch {
		case p.accept("for"):
			p.expectOneOf("role", "user")
			for p.err == nil {
				s.Roles = append(s.Roles, p.roleName())
				if !p.acceptOp(",") {
					break
				}
			}
			continue
		case p.accept("in"):
			p.expect("schema")
			s.Schemas = p.identList()
			continue
		}
		break
	}
	g := &ast.Grant{At: p.at()}
	if g.Revoke = p.expectOneOf("grant", "revoke") == "revoke"; g.Revoke && p.accept("grant", "option", "for") {
		g.WithOption = "GRANT"
	}
	g.Privileges = p.privileges()
	p.expect("on")
	g.AllInSchema = upper(p.expectOneOf("tables", "sequences", "functions", "routines", "types", "schemas", "streams"))
	p.grantees(g)
	s.Grant = g
	return s
}

// alterObject parses ALTER kind name actions.
func (p *parser) alterObject(at ast.At) ast.Statement {
	s := &ast.Alter{At: at}
	s.Kind = p.objectKind()
	if s.Kind == "" {
		p.unexpected()
		return s
	}
	if s.Kind == "TABLE" || s.Kind == "INDEX" || s.Kind == "MATERIALIZED VIEW" {
		if p.is("all") {
			if !p.peek(1).isWord("in") {
				p.next()
				p.unexpected()
			}
			return p.otherNamed(int(at), "ALTER "+s.Kind)
		}
	}
	s.IfExists = p.ifExists()
	if s.Kind == "TABLE" {
		s.Only = p.accept("only")
	}
	parens := s.Only && p.acceptOp("(")
	s.Object = p.object(s.Kind)
	if parens {
		p.expectOp(")")
	}
	p.acceptOp("*")
	for p.err == nil {
		s.Actions = append(s.Actions, p.alterAction(s))
		if !p.acceptOp(",") {
			break
		}
	}
	return s
}

// alterAction parses one action of ALTER.
func (p *parser) alterAction(s *ast.Alter) ast.AlterAction {
	a := ast.AlterAction{At: p.at()}
	switch {
	case p.accept("rename"):
		p.alterRename(s, &a)
	case p.accept("owner"):
		p.expect("to")
		a.Kind = ast.AlterOwner
		a.NewName = ast.Name{At: p.at(), Parts: []string{p.roleName().Name}}
	case p.accept("swap"):
		p.expect("with")
		a.Kind, a.NewName = ast.AlterSwap, p.relation()
	case p.accept("as"):
		a.Kind, a.Query = ast.AlterAs, p.query()
	case p.is("set"):
		p.alterSet(s, &a)
	case p.is("reset"):
		p.alterReset(&a)
	case p.accept("add"):
		p.alterAdd(s, &a)
	case p.accept("drop"):
		p.alterDrop(&a)
	case p.accept("alter"):
		p.acceptOneOf("column", "attribute")
		p.alterColumn(&a)
	case p.accept("validate"):
		p.expect("constraint")
		a.Kind, a.Column = ast.AlterValidate, p.ident()
	default:
		p.alterRaw(s, &a)
	}
	return a
}

// alterRaw keeps an action of PostgreSQL that means nothing here as text, to
// be refused by name.
func (p *parser) alterRaw(s *ast.Alter, a *ast.AlterAction) {
	start, open := p.tok.pos, 0
	if s.Kind == "DATABASE" && p.tok.kind == tWord && p.tok.cat == catNone {
		for p.tok.kind == tWord && p.err == nil { // [WITH] option [=] value …
			o := ast.Option{At: p.at(), Name: p.label().Name}
			p.acceptOp("=")
			if p.is("to") {
				p.unexpected()
			}
			p.optionValue(&o)
		}
		a.Kind, a.Detail = ast.AlterRaw, p.sql[start:max(start, p.prev.end)]
		return
	}
	if !p.tok.oneOf("enable", "disable", "force", "no", "cluster", "inherit", "replica", "attach", "detach", "of", "not", "depends",
		"with", "without", "options", "refresh", "connection", "skip") {
		if at, ok := p.funcAttr(); ok && (s.Kind == "FUNCTION" || s.Kind == "PROCEDURE") {
			a.Kind, a.Detail = ast.AlterRaw, at.Name+" "+at.Value
			return
		}
		p.unexpected()
		p.hintWord("rename", "add", "drop", "alter", "set", "reset", "owner", "swap", "as")
		return
	}
	for p.err == nil && p.tok.kind != tEOF && !p.isOp(";") && (open > 0 || !p.isOp(",")) {
		switch {
		case p.isOp("("):
			open++
		case p.isOp(")"):
			open--
		}
		p.next()
	}
	a.Kind, a.Detail = ast.AlterRaw, p.sql[start:max(start, p.prev.end)]
}

func (p *parser) alterRename(s *ast.Alter, a *ast.AlterAction) {
	switch s.Kind {
	case "TABLE", "VIEW", "MATERIALIZED VIEW", "STREAM", "SOURCE", "SINK", "TYPE", "DOMAIN":
	default:
		if !p.is("to") {
			p.expect("to")
			return
		}
	}
	switch {
	case p.accept("to"):
		a.Kind = ast.AlterRename
		name := p.ident
		if s.Kind == "ROLE" {
			name = p.roleName
		}
		a.NewName = ast.Name{At: p.at(), Parts: []string{name().Name}}
		return
	case p.accept("constraint"):
		a.Kind, a.Column = ast.AlterRenameConstraint, p.ident()
	case s.Kind == "TYPE" && !p.is("attribute"):
		p.expect("value")
		a.Kind, a.Column = ast.AlterRenameValue, ast.Ident{At: p.at(), Name: p.str()}
		p.expect("to")
		a.NewName = ast.Name{At: p.at(), Parts: []string{p.str()}}
		return
	default:
		p.acceptOneOf("column", "attribute")
		a.Kind, a.Column = ast.AlterRenameColumn, p.ident()
	}
	p.expect("to")
	a.NewName = ast.Name{At: p.at(), Parts: []string{p.identText()}}
	a.Behavior = p.behavior()
}

// alterSet parses SET (options), SET SCHEMA, and SET setting.
func (p *parser) alterSet(s *ast.Alter, a *ast.AlterAction) {
	next := p.peek(1)
	switch {
	case s.Kind == "SCHEMA":
		p.unexpected() // it has none of these
	case next.isOp("("):
		p.next()
		a.Kind, a.Options = ast.AlterSetOptions, p.options(true)
	case next.isWord("schema") && p.peek(2).kind != tString:
		p.next()
		p.next()
		a.Kind = ast.AlterSetSchema
		a.NewName = ast.Name{At: p.at(), Parts: []string{p.identText()}}
	case s.Kind == "DOMAIN" && next.isWord("default"):
		p.next()
		p.next()
		a.Kind, a.X = ast.AlterSetDefault, p.expr()
	case s.Kind == "DOMAIN" && next.isWord("not"):
		p.next()
		p.expect("not", "null")
		a.Kind = ast.AlterSetNotNull
	case next.oneOf("tablespace", "logged", "unlogged", "without", "access"):
		start := p.tok.pos
		for p.err == nil && p.tok.kind != tEOF && !p.isOp(";") && !p.isOp(",") {
			p.next()
		}
		a.Kind, a.Detail = ast.AlterRaw, p.sql[start:max(start, p.prev.end)]
	default:
		p.next()
		if s.Kind == "TABLE" || s.Kind == "INDEX" || s.Kind == "VIEW" || s.Kind == "SEQUENCE" {
			p.unexpected() // it has no settings
			p.hintWord("schema")
		}
		a.Kind, a.Set = ast.AlterSetting, p.setRest(a.At)
	}
}

func (p *parser) alterReset(a *ast.AlterAction) {
	if p.peek(1).isOp("(") {
		p.next()
		a.Kind, a.Options = ast.AlterResetOptions, p.options(true)
		return
	}
	p.next()
	a.Kind, a.Set = ast.AlterSetting, &ast.Set{At: a.At, Default: true}
	if !p.accept("all") {
		a.Set.Name = p.settingName()
	}
}

// alterAdd parses ADD [COLUMN] def, ADD constraint, ADD VALUE.
func (p *parser) alterAdd(s *ast.Alter, a *ast.AlterAction) {
	switch {
	case s.Kind == "TYPE" && !p.is("attribute"):
		p.expect("value")
		a.Kind = ast.AlterAddValue
		if a.IfExists = p.accept("if"); a.IfExists {
			p.expect("not", "exists")
		}
		a.Column = ast.Ident{At: p.at(), Name: p.str()}
		if w := p.acceptOneOf("before", "after"); w != "" {
			a.Detail = upper(w)
			a.NewName = ast.Name{At: p.at(), Parts: []string{p.str()}}
		}
		return
	case p.startsTableConstraint():
		a.Kind = ast.AlterAddConstraint
		k := p.tableConstraint()
		a.Constraint = &k
		return
	}
	p.acceptOneOf("column", "attribute")
	a.Kind = ast.AlterAddColumn
	a.IfExists = p.ifNotExists()
	def := p.columnDef()
	a.Def, a.Column = &def, ast.Ident{At: def.At, Name: def.Name}
	a.Behavior = p.behavior()
}

func (p *parser) alterDrop(a *ast.AlterAction) {
	switch {
	case p.accept("constraint"):
		a.Kind = ast.AlterDropConstraint
	case p.accept("not"):
		p.expect("null")
		a.Kind = ast.AlterDropNotNull
		return
	case p.is("default"):
		p.next()
		a.Kind = ast.AlterDropDefault
		return
	default:
		p.acceptOneOf("column", "attribute")
		a.Kind = ast.AlterDropColumn
	}
	a.IfExists = p.ifExists()
	a.Column = p.ident()
	a.Behavior = p.behavior()
}

// alterColumn parses ALTER [COLUMN] name action.
func (p *parser) alterColumn(a *ast.AlterAction) {
	if p.is("constraint") {
		p.next()
		a.Kind, a.Column = ast.AlterConstraint, p.ident()
		k := ast.Constraint{At: p.at()}
		p.constraintAttrs(&k)
		a.Constraint = &k
		return
	}
	a.Column = p.ident()
	switch {
	case p.accept("type"), p.accept("set", "data", "type"):
		a.Kind, a.Type = ast.AlterColumnType, p.typeName()
		if p.accept("collate") {
			a.Collation = p.name()
		}
		if p.accept("using") {
			a.X = p.expr()
		}
		a.Behavior = p.behavior()
	case p.accept("set", "default"):
		a.Kind, a.X = ast.AlterSetDefault, p.expr()
	case p.accept("drop", "default"):
		a.Kind = ast.AlterDropDefault
	case p.accept("set", "not", "null"):
		a.Kind = ast.AlterSetNotNull
	case p.accept("drop"):
		switch p.expectOneOf("not", "identity", "expression") {
		case "not":
			p.expect("null")
			a.Kind = ast.AlterDropNotNull
		case "identity":
			a.Kind = ast.AlterDropIdentity
			a.IfExists = p.ifExists()
		case "expression":
			a.Kind = ast.AlterDropExpression
			a.IfExists = p.ifExists()
		}
	case p.accept("add"):
		k := ast.Constraint{At: p.at()}
		p.expect("generated")
		p.generatedWhen(&k)
		if !p.is("identity") {
			p.expect("identity")
		}
		p.generatedAs(&k)
		a.Kind, a.Constraint = ast.AlterAddIdentity, &k
	case p.is("restart"), p.is("set") && p.peek(1).oneOf("generated", "increment", "minvalue", "maxvalue", "no", "start", "restart", "cache", "cycle"):
		a.Kind, a.Constraint = ast.AlterSetIdentity, p.identityChange()
	case p.tok.oneOf("set", "reset"):
		start, open := p.tok.pos, 0
		for p.err == nil && p.tok.kind != tEOF && !p.isOp(";") && (open > 0 || !p.isOp(",")) {
			switch {
			case p.isOp("("):
				open++
			case p.isOp(")"):
				open--
			}
			p.next()
		}
		if p.prev.pos == start {
			p.unexpected()
		}
		a.Kind, a.Detail = ast.AlterRaw, "ALTER COLUMN "+a.Column.Name+" "+p.sql[start:max(start, p.prev.end)]
	default:
		p.unexpected()
		p.hintWord("type", "set", "drop", "add")
	}
}

// identityChange parses what changes an identity column: SET GENERATED, SET with
// options of its sequence, RESTART.
func (p *parser) identityChange() *ast.Constraint {
	k := &ast.Constraint{At: p.at(), Kind: ast.Identity}
	for p.err == nil {
		switch {
		case p.accept("set", "generated"):
			if k.Generation != "" {
				p.failAt(int(p.prev.pos), pgerror.SyntaxError, "conflicting or redundant options")
				return k
			}
			if p.expectOneOf("always", "by") == "always" {
				k.Generation = "ALWAYS"
				continue
			}
			p.expect("default")
			k.Generation = "BY DEFAULT"
		case p.is("set"):
			p.next()
			o, ok := p.seqOption()
			if !ok {
				p.unexpected()
				return k
			}
			k.Sequence = append(k.Sequence, o)
		case p.is("restart"):
			o, _ := p.seqOption()
			k.Sequence = append(k.Sequence, o)
		default:
			return k
		}
	}
	return k
}
