package parser

import (
	"velostream/engine/sql/ast"
	"velostream/pgwire/pgerror"
)

// insert parses INSERT and UPSERT.
func (p *parser) insert(at ast.At, with *ast.With) ast.Statement {
	s := &ast.Insert{At: at, With: with, Upsert: p.is("upsert")}
	p.next()
	p.expect("into")
	s.Table = &ast.TableName{At: p.at(), Name: p.relation()}
	if p.accept("as") {
		id := p.ident()
		s.Table.Alias = &ast.Alias{At: id.At, Name: id.Name}
	}
	if p.isOp("(") && !p.queryInParens() {
		p.next()
		s.Columns = p.targets()
		p.expectOp(")")
	}
	s.Overriding = p.overriding()
	if len(s.Columns) == 0 && p.accept("default") {
		p.expect("values")
	} else {
		if !p.startsQuery() && !p.isOp("(") {
			p.unexpected()
			p.hintWord("values", "select", "default", "overriding")
		}
		s.Query = p.query()
	}
	if p.is("on") {
		s.OnConflict = p.onConflict()
	}
	if p.accept("returning") {
		s.Returning = p.selectItems()
	}
	return s
}

// queryInParens reports whether a query, not a column list, is in the
// parentheses that follow.
func (p *parser) queryInParens() bool {
	t := p.peek(1)
	return t.oneOf("select", "with", "table") || t.isOp("(") || t.isWord("values") && p.peek(2).isOp("(")
}

func (p *parser) overriding() string {
	if !p.accept("overriding") {
		return ""
	}
	kind := p.expectOneOf("system", "user")
	p.expect("value")
	return upper(kind)
}

// targets parses target columns with their subfields.
func (p *parser) targets() []ast.InsertTarget {
	out := []ast.InsertTarget{p.target()}
	for p.acceptOp(",") {
		out = append(out, p.target())
	}
	return out
}

func (p *parser) target() ast.InsertTarget {
	id := p.ident()
	t := ast.InsertTarget{At: id.At, Name: id.Name}
	for p.err == nil {
		at := p.at()
		switch {
		case p.acceptOp("."):
			t.Indirection = append(t.Indirection, ast.Indirection{At: at, Field: p.label().Name})
		case p.isOp("["):
			lo, hi, slice := p.subscript()
			t.Indirection = append(t.Indirection, ast.Indirection{At: at, Lo: lo, Hi: hi, Slice: slice})
		default:
			return t
		}
	}
	return t
}

func (p *parser) onConflict() *ast.OnConflict {
	c := &ast.OnConflict{At: p.at()}
	p.next()
	p.expect("conflict")
	switch {
	case p.isOp("("):
		c.Targets = p.indexItems()
		if p.accept("where") {
			c.Where = p.expr()
		}
	case p.accept("on"):
		p.expect("constraint")
		c.Constraint = p.identText()
	}
	p.expect("do")
	if p.accept("nothing") {
		return c
	}
	p.expect("update", "set")
	c.DoUpdate = true
	c.Set = p.setItems()
	if p.accept("where") {
		c.UpdateIf = p.expr()
	}
	return c
}

// setItems parses the assignments of SET.
func (p *parser) setItems() []ast.SetItem {
	var out []ast.SetItem
	for {
		it := ast.SetItem{At: p.at()}
		if p.acceptOp("(") {
			it.Multi = true
			it.Targets = p.targets()
			p.expectOp(")")
		} else {
			it.Targets = []ast.InsertTarget{p.target()}
		}
		p.expectOp("=")
		it.X = p.expr()
		out = append(out, it)
		if !p.acceptOp(",") {
			return out
		}
	}
}

// dmlTarget parses the relation of UPDATE, DELETE and MERGE with its alias.
// SET would be an alias by its kind of keyword, but never is one there.
func (p *parser) dmlTarget() *ast.TableName {
	t := p.relationExpr()
	if p.accept("as") || p.tok.isName() && !p.is("set") {
		id := p.ident()
		t.Alias = &ast.Alias{At: id.At, Name: id.Name}
	}
	return t
}

func (p *parser) update(at ast.At, with *ast.With) ast.Statement {
	s := &ast.Update{At: at, With: with}
	p.next()
	s.Table = p.dmlTarget()
	p.expect("set")
	s.Set = p.setItems()
	if p.accept("from") {
		s.From = p.fromList()
	}
	s.Where = p.whereOrCurrent()
	if p.accept("returning") {
		s.Returning = p.selectItems()
	}
	return s
}

func (p *parser) delete(at ast.At, with *ast.With) ast.Statement {
	s := &ast.Delete{At: at, With: with}
	p.next()
	p.expect("from")
	s.Table = p.dmlTarget()
	if p.accept("using") {
		s.Using = p.fromList()
	}
	s.Where = p.whereOrCurrent()
	if p.accept("returning") {
		s.Returning = p.selectItems()
	}
	return s
}

// whereOrCurrent parses WHERE expr, or WHERE CURRENT OF cursor.
func (p *parser) whereOrCurrent() ast.Expr {
	if !p.accept("where") {
		return nil
	}
	if p.is2("current", "of") {
		at := p.at()
		p.next()
		p.next()
		return &ast.CurrentOf{At: at, Cursor: p.identText()}
	}
	return p.expr()
}

func (p *parser) mergeStmt(at ast.At, with *ast.With) ast.Statement {
	s := &ast.Merge{At: at, With: with}
	p.next()
	p.expect("into")
	s.Table = p.dmlTarget()
	p.expect("using")
	s.Source = p.tablePrimary()
	p.expect("on")
	s.On = p.expr()
	if !p.is("when") {
		p.unexpected()
	}
	for p.is("when") {
		s.Whens = append(s.Whens, p.mergeWhen())
	}
	return s
}

func (p *parser) mergeWhen() ast.MergeWhen {
	w := ast.MergeWhen{At: p.at()}
	p.next()
	w.Matched = !p.accept("not")
	p.expect("matched")
	if p.accept("and") {
		w.Cond = p.expr()
	}
	p.expect("then")
	action := p.tok
	switch p.expectOneOf("insert", "update", "delete", "do") {
	case "insert":
		w.Action = ast.MergeInsert
		if p.isOp("(") {
			p.next()
			w.Columns = p.targets()
			p.expectOp(")")
		}
		w.Overriding = p.overriding()
		if p.accept("default") {
			p.expect("values")
			break
		}
		p.expect("values")
		p.expectOp("(")
		w.Values = p.exprList()
		p.expectOp(")")
	case "update":
		w.Action = ast.MergeUpdate
		p.expect("set")
		w.Set = p.setItems()
	case "delete":
		w.Action = ast.MergeDelete
	case "do":
		w.Action = ast.MergeNothing
		p.expect("nothing")
	}
	if w.Matched == (w.Action == ast.MergeInsert) && w.Action != ast.MergeNothing {
		p.failAt(int(action.pos), pgerror.SyntaxError, "syntax error at or near \"%s\"", p.sql[action.pos:action.end])
	}
	return w
}

// copyStmt parses COPY.
func (p *parser) copyStmt() ast.Statement {
	s := &ast.Copy{At: p.at()}
	p.next()
	if p.accept("binary") {
		s.Options = append(s.Options, ast.Option{At: s.At, Name: "format", Kind: ast.ValueWord, Value: "binary", ValuePos: int(s.At)})
	}
	if p.isOp("(") {
		p.next()
		if p.is("subscribe") {
			s.Query = p.subscribe()
		} else {
			s.Query = p.preparable()
		}
		p.expectOp(")")
		p.expect("to")
		s.To = true
	} else {
		name := p.relation()
		s.Table = &name
		if p.isOp("(") {
			s.Columns = p.idents()
		}
		s.To = p.expectOneOf("from", "to") == "to"
	}
	p.copyPlace(s)
	p.copyOptions(s)
	if p.is("where") {
		if s.To {
			p.failAt(int(p.tok.pos), pgerror.SyntaxError, "WHERE clause not allowed with COPY TO")
		}
		p.next()
		s.Where = p.expr()
	}
	return s
}

// copyPlace parses where COPY reads or writes.
func (p *parser) copyPlace(s *ast.Copy) {
	switch {
	case p.accept("program"):
		s.Program = true
		s.File = p.str()
	case p.acceptOneOf("stdin", "stdout") != "":
		s.Stdio = true
		if s.Program {
			p.unexpected()
		}
	default:
		s.File = p.str()
	}
}

// copyOptions parses both forms of COPY's options.
func (p *parser) copyOptions(s *ast.Copy) {
	if p.accept("using") {
		at := p.at()
		p.expect("delimiters")
		s.Options = append(s.Options, p.stringOption("delimiter", at))
	}
	p.accept("with")
	if p.isOp("(") {
		s.Options = append(s.Options, p.options(false)...)
		return
	}
	for p.err == nil {
		o, ok := p.oldCopyOption()
		if !ok {
			return
		}
		s.Options = append(s.Options, o)
	}
}

func (p *parser) stringOption(name string, at ast.At) ast.Option {
	p.accept("as")
	o := ast.Option{At: at, Name: name, Kind: ast.ValueString, ValuePos: int(p.tok.pos)}
	o.Value = p.str()
	return o
}

// oldCopyOption parses an option of the form before PostgreSQL 9.0, which
// psql's \copy and old drivers still send.
func (p *parser) oldCopyOption() (ast.Option, bool) {
	at := p.at()
	word := func(name, value string) (ast.Option, bool) {
		return ast.Option{At: at, Name: name, Kind: ast.ValueWord, Value: value, ValuePos: int(at)}, true
	}
	columns := func(name string) (ast.Option, bool) {
		o := ast.Option{At: at, Name: name, Kind: ast.ValueList, ValuePos: int(p.tok.pos)}
		if p.acceptOp("*") {
			o.Items = []string{"*"}
			return o, true
		}
		o.Items = identTexts(p.identList())
		return o, true
	}
	switch p.acceptOneOf("binary", "freeze", "csv", "header", "delimiter", "null", "quote", "escape", "encoding", "force") {
	case "binary":
		return word("format", "binary")
	case "csv":
		return word("format", "csv")
	case "freeze":
		return word("freeze", "true")
	case "header":
		return word("header", "true")
	case "delimiter":
		return p.stringOption("delimiter", at), true
	case "null":
		return p.stringOption("null", at), true
	case "quote":
		return p.stringOption("quote", at), true
	case "escape":
		return p.stringOption("escape", at), true
	case "encoding":
		return p.stringOption("encoding", at), true
	case "force":
		if p.accept("quote") {
			return columns("force_quote")
		}
		if p.accept("not") {
			p.expect("null")
			return columns("force_not_null")
		}
		p.expect("null")
		return columns("force_null")
	}
	return ast.Option{}, false
}
