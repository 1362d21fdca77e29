package parser

import (
	"velostream/engine/sql/ast"
)

// createRelation parses CREATE STREAM, SOURCE and TABLE.
func (p *parser) createRelation(at ast.At, orReplace bool) ast.Statement {
	s := &ast.CreateRelation{At: at, OrReplace: orReplace}
	if p.tok.oneOf("local", "global") {
		p.next()
		if !p.tok.oneOf("temp", "temporary") {
			p.unexpected()
		}
	}
	switch {
	case p.acceptOneOf("temp", "temporary") != "":
		s.Temp = true
	case p.accept("unlogged"):
		s.Unlogged = true
	}
	switch {
	case s.Temp && p.tok.oneOf("view", "recursive"):
		return p.createView(at, orReplace, true)
	case s.Temp && p.is("sequence"):
		seq, _ := p.createSequence(at, false).(*ast.CreateSequence)
		seq.Temp = true
		return seq
	}
	s.Kind = ast.RelationKind(upper(p.expectOneOf("table", "stream", "source")))
	s.IfNotExists = p.ifNotExists()
	s.Name = p.relation()
	switch {
	case p.isOp("("):
		p.tableElements(s)
	case p.accept("of"):
		s.OfType = p.typeName()
		if p.isOp("(") {
			p.tableElements(s)
		}
	case p.is("partition") && !p.peek(1).isWord("by"):
		p.partitionOf(s)
	}
	p.relationClauses(s)
	if s.Kind == ast.KindTable && !s.HasColumns && s.Query == nil && s.Execute == nil && s.Options == nil && s.OfType == nil && s.PartitionOf == nil {
		p.unexpected()
	}
	return s
}

// relationClauses parses the clauses behind the column list, in any order.
func (p *parser) relationClauses(s *ast.CreateRelation) {
	for p.err == nil {
		switch {
		case p.is("include"):
			s.Includes = append(s.Includes, p.include())
		case p.accept("append"):
			p.expect("only")
			s.AppendOnly = true
		case p.is("on"):
			p.onClause(s)
		case p.is2("with", "version"):
			p.next()
			p.next()
			p.expect("column")
			s.VersionColumn = p.parenIdent()
		case p.is("with"):
			p.once(s.Options != nil, "WITH (…)")
			p.next()
			s.Options = p.options(true)
		case p.accept("without"):
			p.expect("oids")
		case p.is("format"):
			p.once(s.Format != nil, "FORMAT")
			s.Format = p.format()
		case p.is("watermark"):
			s.Watermarks = append(s.Watermarks, p.watermark())
		case p.accept("inherits"):
			p.expectOp("(")
			s.Inherits = p.names()
			p.expectOp(")")
		case p.is("partition"):
			s.PartitionBy = p.partitionBy()
		case p.accept("using"):
			s.Using = p.identText()
		case p.accept("tablespace"):
			s.Tablespace = p.identText()
		case p.is("as"):
			for _, c := range s.Columns {
				if c.Type != nil {
					p.unexpected()
					p.err.Hint = "The columns take their types from the query: list their names alone."
					return
				}
			}
			p.next()
			p.relationQuery(s)
			return
		default:
			return
		}
	}
}

// onClause parses ON CONFLICT and ON COMMIT.
func (p *parser) onClause(s *ast.CreateRelation) {
	p.next()
	if p.accept("conflict") {
		p.accept("do")
		w := p.expectOneOf("overwrite", "ignore", "update", "nothing")
		s.OnConflict = map[string]string{"overwrite": "OVERWRITE", "update": "OVERWRITE", "ignore": "IGNORE", "nothing": "IGNORE"}[w]
		if w == "update" {
			p.accept("full")
		}
		return
	}
	p.expect("commit")
	switch p.expectOneOf("preserve", "delete", "drop") {
	case "preserve":
		p.expect("rows")
		s.OnCommit = "PRESERVE ROWS"
	case "delete":
		p.expect("rows")
		s.OnCommit = "DELETE ROWS"
	case "drop":
		s.OnCommit = "DROP"
	}
}

func (p *parser) parenIdent() *ast.Ident {
	p.expectOp("(")
	id := p.ident()
	p.expectOp(")")
	return &id
}

// relationQuery parses the query of CREATE … AS.
func (p *parser) relationQuery(s *ast.CreateRelation) {
	if p.is("execute") && s.Kind == ast.KindTable {
		s.Execute, _ = p.execute().(*ast.Execute)
		s.NoData = p.noData()
		return
	}
	if !p.startsQuery() && !p.isOp("(") {
		p.unexpected()
		p.hintWord("select", "with", "values")
	}
	s.Query = p.query()
	s.NoData = p.noData()
	if p.is("format") {
		s.Format = p.format()
	}
}

// tableElements parses the column list with constraints, WATERMARK, LIKE and *.
func (p *parser) tableElements(s *ast.CreateRelation) {
	s.HasColumns = true
	p.expectOp("(")
	if p.acceptOp(")") {
		return
	}
	for p.err == nil {
		p.tableElement(s)
		if !p.acceptOp(",") {
			break
		}
		if p.isOp(")") {
			p.unexpected()
			p.err.Hint = "Remove the comma before it, or add another column."
		}
	}
	if !p.isOp(")") && p.err == nil {
		p.unexpected()
		if p.err.Hint == "" && p.prev.kind != tEOF {
			p.hintWord("not", "null", "primary", "unique", "default", "check", "references", "generated", "constraint", "collate")
		}
	}
	p.expectOp(")")
}

func (p *parser) tableElement(s *ast.CreateRelation) {
	switch {
	case p.isOp("*"):
		p.next()
		s.Star = true
	case p.is2("watermark", "for"):
		s.Watermarks = append(s.Watermarks, p.watermark())
	case p.is("like"):
		s.Likes = append(s.Likes, p.tableLike())
	case p.startsTableConstraint():
		s.Constraints = append(s.Constraints, p.tableConstraint())
	default:
		if len(s.Columns) > 0 && s.Kind == ast.KindTable && s.OfType == nil && s.PartitionOf == nil {
			// All columns have types, or are the names alone of those of a query.
			first, next := s.Columns[0], p.peek(1)
			if bare := next.isOp(",") || next.isOp(")"); first.Type == nil && len(first.Constraints) == 0 && !bare || first.Type != nil && bare {
				p.ident()
				p.unexpected()
				return
			}
		}
		s.Columns = append(s.Columns, p.columnDef())
	}
}

func (p *parser) tableLike() ast.TableLike {
	l := ast.TableLike{At: p.at()}
	p.next()
	l.Table = p.relation()
	for p.tok.oneOf("including", "excluding") {
		o := upper(p.tok.text)
		p.next()
		o += " " + upper(p.expectOneOf("comments", "compression", "constraints", "defaults", "generated", "identity", "indexes",
			"statistics", "storage", "all"))
		l.Options = append(l.Options, o)
	}
	return l
}

// watermark parses WATERMARK FOR column [AS expr].
func (p *parser) watermark() ast.Watermark {
	w := ast.Watermark{At: p.at()}
	p.next()
	p.expect("for")
	w.Column = p.ident()
	if p.accept("as") {
		p.durations++
		w.X = p.expr()
		p.durations--
	}
	return w
}

// include parses INCLUDE part [AS name].
func (p *parser) include() ast.Include {
	i := ast.Include{At: p.at()}
	p.next()
	word := p.expectOneOf("key", "partition", "offset", "timestamp", "headers", "header", "payload")
	i.Part = word
	if word == "header" {
		i.Part = "headers"
		if p.tok.kind == tString {
			i.Sub = p.str()
		}
	}
	if p.tok.isName() && !p.tok.oneOf("include", "format") && i.Sub != "" {
		i.Type = p.typeName()
	}
	if p.accept("as") {
		i.Name = p.identText()
	}
	return i
}

// columnDef parses a column; in CREATE … AS it may be a name alone.
func (p *parser) columnDef() ast.ColumnDef {
	id := p.ident()
	c := ast.ColumnDef{At: id.At, Name: id.Name}
	if p.isOp(",") || p.isOp(")") {
		return c
	}
	if p.tok.oneOf("primary", "not", "default", "unique", "check", "with") {
		if p.is2("with", "options") {
			p.next()
			p.next()
		}
	} else {
		c.Type = p.typeName()
	}
	p.columnRest(&c)
	return c
}

// columnRest parses what follows a column's type, in any order.
func (p *parser) columnRest(c *ast.ColumnDef) {
	for p.err == nil {
		switch {
		case p.accept("collate"):
			c.Collation = p.name()
		case p.accept("as"):
			c.Computed = p.expr()
		case p.is("key") && c.Type != nil && len(c.Constraints) == 0:
			p.next()
			c.Key = true
		case p.accept("compression"):
			c.Compression = p.nonReservedOrDefault()
		case p.accept("storage"):
			c.Storage = p.nonReservedOrDefault()
		default:
			k, ok := p.columnConstraint(c)
			if !ok {
				return
			}
			if k != nil {
				c.Constraints = append(c.Constraints, *k)
			}
		}
	}
}

func (p *parser) nonReservedOrDefault() string {
	if p.accept("default") {
		return "default"
	}
	return p.identText()
}

func (p *parser) partitionBy() *ast.PartitionBy {
	b := &ast.PartitionBy{At: p.at()}
	p.next()
	p.expect("by")
	b.Strategy = p.identText()
	b.Items = p.indexItems()
	return b
}

// partitionOf parses PARTITION OF parent [(…)] bound.
func (p *parser) partitionOf(s *ast.CreateRelation) {
	o := &ast.PartitionOf{At: p.at()}
	p.next()
	p.expect("of")
	o.Parent = p.relation()
	if p.isOp("(") {
		p.tableElements(s)
	}
	s.PartitionOf = o
	if p.accept("default") {
		o.Default = true
		return
	}
	p.expect("for", "values")
	list := func() []ast.Expr {
		p.expectOp("(")
		out := p.exprList()
		p.expectOp(")")
		return out
	}
	switch p.expectOneOf("in", "from", "with") {
	case "in":
		o.In = list()
	case "from":
		o.From = list()
		p.expect("to")
		o.To = list()
	case "with":
		o.Options = p.options(false)
	}
}
