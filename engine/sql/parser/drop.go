package parser

import (
	"velostream/engine/sql/ast"
)

func (p *parser) behavior() ast.Behavior {
	switch p.acceptOneOf("cascade", "restrict") {
	case "cascade":
		return ast.Cascade
	case "restrict":
		return ast.Restrict
	}
	return ast.BehaviorDefault
}

// drop parses DROP.
func (p *parser) drop() ast.Statement {
	s := &ast.Drop{At: p.at()}
	p.next()
	if p.is("owned") {
		return p.owned(s.At, false)
	}
	if p.is("operator") || p.is("access") {
		return p.otherObject(s.At, "DROP")
	}
	if s.Kind = p.objectKind(); s.Kind == "" {
		p.unexpected()
		p.hintWord("stream", "source", "table", "view", "materialized", "sink", "index", "job", "function", "schema", "database", "role",
			"user", "secret", "connection", "subscription", "sequence", "type")
		return s
	}
	if s.Kind == "INDEX" {
		s.Concurrently = p.accept("concurrently")
	}
	s.IfExists = p.ifExists()
	if s.Kind == "USER MAPPING" || s.Kind == "CAST" || s.Kind == "TRANSFORM" {
		return p.otherNamed(int(s.At), "DROP "+s.Kind)
	}
	for p.err == nil {
		s.Objects = append(s.Objects, p.object(s.Kind))
		if !p.acceptOp(",") {
			break
		}
	}
	if s.Kind == "DATABASE" {
		p.accept("with")
		if p.isOp("(") {
			s.Options = p.options(false)
		}
	}
	s.Behavior = p.behavior()
	return s
}

// owned parses DROP OWNED BY and REASSIGN OWNED BY.
func (p *parser) owned(at ast.At, reassign bool) ast.Statement {
	s := &ast.Owned{At: at, Reassign: reassign}
	p.expect("owned", "by")
	for p.err == nil {
		s.Roles = append(s.Roles, p.roleName())
		if !p.acceptOp(",") {
			break
		}
	}
	if reassign {
		p.expect("to")
		s.To = p.roleName().Name
	} else {
		s.Behavior = p.behavior()
	}
	return s
}

// comment parses COMMENT ON.
func (p *parser) comment() ast.Statement {
	s := &ast.Comment{At: p.at()}
	p.next()
	p.expect("on")
	kind := p.objectKind()
	if kind == "" {
		p.unexpected()
		p.hintWord("table", "column", "view", "stream", "source", "sink", "index", "function", "schema", "database", "role", "type")
		return s
	}
	s.Object = p.object(kind)
	p.expect("is")
	if !p.accept("null") {
		text := p.str()
		s.Text = &text
	}
	return s
}

func (p *parser) truncate() ast.Statement {
	s := &ast.Truncate{At: p.at()}
	p.next()
	p.accept("table")
	s.Tables = []*ast.TableName{p.relationExpr()}
	for p.acceptOp(",") {
		s.Tables = append(s.Tables, p.relationExpr())
	}
	switch {
	case p.accept("restart"):
		p.expect("identity")
		s.RestartIdentity = ast.Yes
	case p.accept("continue"):
		p.expect("identity")
		s.RestartIdentity = ast.No
	}
	s.Behavior = p.behavior()
	return s
}

func (p *parser) refresh() ast.Statement {
	s := &ast.Refresh{At: p.at()}
	p.next()
	p.expect("materialized", "view")
	s.Concurrently = p.accept("concurrently")
	s.Name = p.relation()
	s.NoData = p.noData()
	return s
}

// privilegeWords are privileges that are keywords or not; what else stands in
// their place is a role.
var privilegeWords = map[string]bool{
	"select": true, "insert": true, "update": true, "delete": true, "truncate": true, "references": true, "trigger": true,
	"usage": true, "create": true, "connect": true, "temporary": true, "temp": true, "execute": true, "set": true,
	"alter": true, "subscribe": true, "maintain": true,
}

// grant parses GRANT and REVOKE.
func (p *parser) grant() *ast.Grant {
	s := &ast.Grant{At: p.at(), Revoke: p.is("revoke")}
	p.next()
	if s.Revoke {
		switch {
		case p.accept("grant"):
			p.expect("option", "for")
			s.WithOption = "GRANT"
		case p.accept("admin", "option", "for"):
			s.WithOption = "ADMIN"
		}
	}
	s.Privileges = p.privileges()
	if p.accept("on") {
		p.grantObjects(s)
	} else {
		s.Role = true
		for i := range s.Privileges {
			pr := &s.Privileges[i]
			if pr.Name == "ALL" || len(pr.Columns) > 0 {
				p.unexpected()
				break
			}
			pr.Name = foldASCII(pr.Name)
		}
	}
	p.grantees(s)
	return s
}

// grantees parses to whom a grant goes, and what follows.
func (p *parser) grantees(s *ast.Grant) {
	if s.Revoke {
		p.expect("from")
	} else {
		p.expect("to")
	}
	for p.err == nil {
		p.accept("group")
		s.Grantees = append(s.Grantees, p.roleName())
		if !p.acceptOp(",") {
			break
		}
	}
	if !s.Revoke {
		if p.accept("with") {
			want := "grant"
			if s.Role {
				want = "admin"
			}
			p.expect(want, "option")
			s.WithOption = upper(want)
		}
	}
	if p.accept("granted", "by") {
		s.GrantedBy = p.roleName().Name
	}
	if s.Revoke {
		s.Behavior = p.behavior()
	}
}

func (p *parser) privileges() []ast.Privilege {
	var out []ast.Privilege
	for p.err == nil {
		pr := ast.Privilege{At: p.at()}
		switch {
		case p.is("all"):
			p.next()
			p.accept("privileges")
			pr.Name = "ALL"
		case p.is2("alter", "system"):
			p.next()
			p.next()
			pr.Name = "ALTER SYSTEM"
		case p.tok.oneOf("select", "references", "create"):
			pr.Name = upper(p.tok.text)
			p.next()
		default:
			quoted := p.tok.kind == tQuoted
			pr.Name = p.roleName().Name
			if !quoted && privilegeWords[pr.Name] {
				pr.Name = upper(pr.Name)
			}
		}
		if p.isOp("(") {
			pr.Columns = p.idents()
		}
		out = append(out, pr)
		if !p.acceptOp(",") {
			break
		}
	}
	return out
}

// grantObjects parses what is granted on.
func (p *parser) grantObjects(s *ast.Grant) {
	if p.accept("all") {
		s.AllInSchema = upper(p.expectOneOf("tables", "sequences", "functions", "procedures", "routines", "streams"))
		p.expect("in", "schema")
		for p.err == nil {
			s.Objects = append(s.Objects, p.object("SCHEMA"))
			if !p.acceptOp(",") {
				return
			}
		}
		return
	}
	kind := "TABLE"
	if next := p.peek(1); next.isLabel() && !next.oneOf("to", "from") || p.tok.oneOf("foreign", "large", "table") {
		if k := p.objectKind(); k != "" {
			kind = k
		}
		if kind == "FOREIGN" {
			p.unexpected()
		}
	}
	for p.err == nil {
		if kind == "LARGE OBJECT" {
			o := ast.Object{At: p.at(), Kind: kind, Raw: p.number()}
			s.Objects = append(s.Objects, o)
		} else {
			s.Objects = append(s.Objects, p.object(kind))
		}
		if !p.acceptOp(",") {
			return
		}
	}
}
