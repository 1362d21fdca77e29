package parser

import (
	"velostream/engine/sql/ast"
)

// statementWords begin statements; for hints.
var statementWords = []string{
	"select", "insert", "update", "delete", "merge", "upsert", "create", "alter", "drop", "with", "values", "table", "explain",
	"show", "list", "describe", "set", "reset", "begin", "start", "commit", "end", "rollback", "abort", "savepoint", "release",
	"prepare", "execute", "deallocate", "declare", "fetch", "move", "close", "copy", "truncate", "comment", "grant", "revoke",
	"analyze", "vacuum", "listen", "notify", "unlisten", "discard", "lock", "do", "call", "checkpoint", "subscribe", "validate",
	"refresh", "flush", "backup", "restore", "stop", "pause", "resume", "cancel", "deploy", "cluster", "reindex", "reassign", "load",
}

// statement parses one statement.
func (p *parser) statement() ast.Statement {
	if p.isOp("(") {
		return p.query()
	}
	if p.tok.kind != tWord {
		p.unexpected()
		return nil
	}
	if rule := p.statementRule(); rule != nil {
		return rule()
	}
	p.unexpected()
	p.hintWord(statementWords...)
	return nil
}

// statementRule is the rule for the statement that the current word begins.
func (p *parser) statementRule() func() ast.Statement {
	switch p.tok.text {
	case "select", "values", "table", "with", "insert", "upsert", "update", "delete", "merge":
		return p.preparable
	case "create":
		return p.create
	case "alter":
		return p.alter
	case "drop":
		return p.drop
	case "comment":
		return p.comment
	case "truncate":
		return p.truncate
	case "refresh":
		return p.refresh
	case "grant", "revoke":
		return func() ast.Statement { return p.grant() }
	case "copy":
		return p.copyStmt
	case "explain":
		return p.explain
	case "reassign":
		return func() ast.Statement {
			at := p.at()
			p.next()
			return p.owned(at, true)
		}
	case "security", "cluster", "reindex", "import":
		return p.other
	}
	if rule := p.sessionRule(); rule != nil {
		return rule
	}
	return p.jobRule()
}

// preparable parses what PREPARE and EXPLAIN take: queries and DML.
func (p *parser) preparable() ast.Statement {
	at := p.at()
	var with *ast.With
	if p.is("with") {
		if !p.deeper() {
			return &ast.Query{At: at}
		}
		defer func() { p.depth-- }()
		with = p.with()
	}
	switch {
	case p.is("insert"), p.is("upsert"):
		return p.insert(at, with)
	case p.is("update"):
		return p.update(at, with)
	case p.is("delete"):
		return p.delete(at, with)
	case p.is("merge"):
		return p.mergeStmt(at, with)
	}
	if with == nil {
		if !p.startsQuery() && !p.isOp("(") {
			p.unexpected()
			p.hintWord("select", "insert", "update", "delete", "merge", "values")
		}
		return p.query()
	}
	return p.queryAfterWith(at, with)
}

// other parses a statement as far as its kind: two words name it, the rest is
// kept as text.
func (p *parser) other() ast.Statement {
	start := p.tok.pos
	name := upper(p.tok.text)
	p.next()
	if p.tok.kind == tWord {
		name += " " + upper(p.tok.text)
	}
	return p.otherNamed(int(start), name)
}

// otherNamed keeps the rest of the statement as text. Parentheses must match.
func (p *parser) otherNamed(start int, name string) ast.Statement {
	open := 0
	for p.err == nil && p.tok.kind != tEOF {
		switch {
		case p.isOp("("):
			open++
		case p.isOp(")"):
			if open--; open < 0 {
				p.unexpected()
			}
		case p.isOp(";") && open == 0:
			return &ast.Other{At: ast.At(start), Name: name, Text: p.sql[start:p.prev.end]}
		}
		p.next()
	}
	if open > 0 {
		p.unexpected()
	}
	return &ast.Other{At: ast.At(start), Name: name, Text: p.sql[start:max(start, int(p.prev.end))]}
}

// upper turns a keyword to upper case.
func upper(word string) string {
	b := []byte(word)
	for i, c := range b {
		if c >= 'a' && c <= 'z' {
			b[i] = c - 'a' + 'A'
		}
	}
	return string(b)
}
