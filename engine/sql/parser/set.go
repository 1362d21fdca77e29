package parser

import (
	"strings"

	"velostream/engine/sql/ast"
)

// set parses SET in all its forms.
func (p *parser) set() ast.Statement {
	at := p.at()
	p.next()
	scope := ast.ScopeDefault
	next := p.peek(1)
	switch {
	case next.isOp("=") || next.isOp(".") || next.oneOf("to", "from"): // the words below are a name
	case p.is("constraints"):
		return p.setConstraints(at)
	case p.is("transaction"):
		return p.setTransaction(at, false)
	case p.is("local"):
		scope = ast.ScopeLocal
		p.next()
		if p.is("transaction") {
			return p.setTransaction(at, true)
		}
	case p.is2("session", "characteristics"):
		p.next()
		p.next()
		p.expect("as", "transaction")
		return &ast.SetTransaction{At: at, Session: true, Options: p.transactionModes()}
	case p.is("session") && !next.isWord("authorization"):
		scope = ast.ScopeSession
		p.next()
		if p.accept("session", "characteristics") {
			p.expect("as", "transaction")
			return &ast.SetTransaction{At: at, Session: true, Options: p.transactionModes()}
		}
	}
	s := p.setRest(at)
	s.Scope = scope
	return s
}

// setRest parses a setting's name and value: what follows SET, also in ALTER
// ROLE … SET and CREATE FUNCTION … SET.
func (p *parser) setRest(at ast.At) *ast.Set {
	s := &ast.Set{At: at}
	word := func(name string) *ast.Set {
		s.Name = name
		if p.accept("default") {
			s.Default = true
			return s
		}
		s.Values = []ast.SetValue{p.setValue()}
		return s
	}
	switch {
	case p.accept("time", "zone"):
		return p.setTimeZone(s)
	case p.accept("names"):
		if p.tok.kind == tEOF || p.isOp(";") {
			s.Name, s.Default = "client_encoding", true
			return s
		}
		if p.tok.kind != tString && !p.is("default") {
			p.unexpected()
		}
		return word("client_encoding")
	case p.is("schema") && p.peek(1).kind == tString:
		p.next()
		return word("search_path")
	case p.is("catalog") && p.peek(1).kind == tString:
		p.next()
		return word("catalog")
	case p.is("role") && !p.peek(1).isOp("=") && !p.peek(1).isOp(".") && !p.peek(1).oneOf("to", "from"):
		p.next()
		return word("role")
	case p.accept("session", "authorization"):
		return word("session_authorization")
	case p.accept("xml", "option"):
		return word("xmloption")
	}
	s.Name = p.settingName()
	if p.accept("from") {
		p.expect("current")
		s.Current = true
		return s
	}
	if !p.acceptOp("=") && !p.accept("to") {
		p.unexpected()
		p.hintWord("to")
		return s
	}
	if p.accept("default") {
		s.Default = true
		return s
	}
	s.Values = []ast.SetValue{p.setValue()}
	for p.acceptOp(",") {
		s.Values = append(s.Values, p.setValue())
	}
	return s
}

// settingName takes a setting's name: lower case, dots kept.
func (p *parser) settingName() string {
	parts := []string{p.identText()}
	for p.acceptOp(".") {
		parts = append(parts, p.identText())
	}
	return strings.ToLower(strings.Join(parts, "."))
}

func (p *parser) setValue() ast.SetValue {
	v := ast.SetValue{At: p.at()}
	switch {
	case p.tok.kind == tString:
		v.Kind, v.Text = ast.ValueString, p.str()
	case p.tok.kind == tInt, p.tok.kind == tNum, p.isOp("-"), p.isOp("+"):
		v.Kind, v.Text = ast.ValueNumber, p.number()
	case p.tok.kind == tDuration:
		v.Kind, v.Text = ast.ValueString, p.tok.text
		p.next()
	case p.tok.oneOf("true", "false", "on"):
		v.Kind, v.Text = ast.ValueWord, p.tok.text
		p.next()
	default:
		// NonReservedWord: a word that is not reserved, quoted or not.
		v.Kind, v.Text = ast.ValueWord, p.nonReserved().Name
	}
	return v
}

// setTimeZone parses the value of SET TIME ZONE.
func (p *parser) setTimeZone(s *ast.Set) *ast.Set {
	s.Name = "timezone"
	at := p.at()
	switch {
	case p.acceptOneOf("default", "local") != "":
		s.Default = true
	case p.is("interval"):
		if next := p.peek(1); next.kind != tString && !next.isOp("(") {
			p.next()
			p.unexpected()
		}
		x, ok := p.intervalLiteral().(*ast.Interval)
		if !ok {
			p.unexpected()
			return s
		}
		s.Zone = x
	default:
		if p.tok.kind == tWord && p.tok.cat != catNone {
			p.unexpected()
		}
		v := p.setValue()
		v.At = at
		s.Values = []ast.SetValue{v}
	}
	return s
}

func (p *parser) setTransaction(at ast.At, local bool) ast.Statement {
	s := &ast.SetTransaction{At: at, Local: local}
	p.next()
	if p.accept("snapshot") {
		s.Snapshot = p.str()
		return s
	}
	s.Options = p.transactionModes()
	if len(s.Options) == 0 {
		p.unexpected()
	}
	return s
}

func (p *parser) setConstraints(at ast.At) ast.Statement {
	s := &ast.SetConstraints{At: at}
	p.next()
	if s.All = p.accept("all"); !s.All {
		s.Names = p.names()
	}
	s.Deferred = p.expectOneOf("deferred", "immediate") == "deferred"
	return s
}

func (p *parser) reset() ast.Statement {
	s := &ast.Reset{At: p.at()}
	p.next()
	switch {
	case p.accept("all"):
		s.All = true
	case p.accept("time", "zone"):
		s.Name = "timezone"
	case p.accept("session", "authorization"):
		s.Name = "session_authorization"
	case p.accept("transaction", "isolation", "level"):
		s.Name = "transaction_isolation"
	default:
		s.Name = p.settingName()
	}
	return s
}
