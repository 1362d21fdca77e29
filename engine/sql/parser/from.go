package parser

import (
	"velostream/engine/sql/ast"
	"velostream/pgwire/pgerror"
)

// fromList parses the items of FROM.
func (p *parser) fromList() []ast.TableRef {
	refs := []ast.TableRef{p.tableRef()}
	for p.acceptOp(",") {
		refs = append(refs, p.tableRef())
	}
	return refs
}

// tableRef parses a FROM item with the joins behind it.
func (p *parser) tableRef() ast.TableRef {
	return p.joins(p.tablePrimary())
}

// joins parses joins behind a FROM item.
func (p *parser) joins(left ast.TableRef) ast.TableRef {
	for n := 0; p.startsJoin(); n++ {
		left = p.join(left)
		if n > heightMax {
			p.tooDeep()
		}
	}
	return left
}

func (p *parser) startsJoin() bool {
	if p.err != nil || p.tok.kind != tWord {
		return false
	}
	switch p.tok.text {
	case "join", "inner", "cross", "natural", "left", "right", "full":
		return true
	case "asof":
		return p.startsClause()
	}
	return false
}

// join parses one join. A join without its condition yet takes the joins that
// follow as its right side: a JOIN b JOIN c ON … ON ….
func (p *parser) join(left ast.TableRef) ast.TableRef {
	j := &ast.Join{At: p.at(), Kind: ast.InnerJoin, L: left}
	if !p.deeper() {
		return j
	}
	defer func() { p.depth-- }()
	j.Natural = p.accept("natural")
	j.AsOf = p.accept("asof")
	switch p.acceptOneOf("inner", "cross", "left", "right", "full") {
	case "cross":
		if j.Natural {
			p.unexpectedAt(p.prev)
		}
		j.Kind = ast.CrossJoin
	case "left":
		j.Kind = ast.LeftJoin
		p.accept("outer")
	case "right":
		j.Kind = ast.RightJoin
		p.accept("outer")
	case "full":
		j.Kind = ast.FullJoin
		p.accept("outer")
	}
	p.expect("join")
	j.R = p.tablePrimary()
	if j.Kind == ast.CrossJoin || j.Natural {
		return j
	}
	j.R = p.joins(j.R)
	if p.is("within") {
		p.next()
		j.Within = p.durationExpr()
	}
	switch {
	case p.accept("on"):
		j.On = p.expr()
	case p.accept("using"):
		j.Using = p.idents()
		if p.accept("as") {
			j.UsingAlias = p.identText()
		}
	default:
		p.unexpected()
		p.hintWord("on", "using")
	}
	return j
}

// tablePrimary parses a FROM item without joins.
func (p *parser) tablePrimary() ast.TableRef {
	at := p.at()
	switch {
	case p.isOp("("):
		return p.tableParens(false)
	case p.accept("lateral"):
		if p.isOp("(") {
			return p.tableParens(true)
		}
		f := p.funcRef()
		f.Lateral = true
		f.At = at
		return f
	case p.is("only"):
		t := p.relationExpr()
		p.tableSuffix(t)
		return t
	case p.is("table") && p.peek(1).isOp("("):
		return p.tableOfWindow()
	case p.is2("rows", "from") && p.peek(2).isOp("("):
		return p.rowsFrom()
	case isTableWindow(p.tok) && p.peek(1).isOp("("):
		return p.windowRef()
	case p.startsFunction():
		return p.funcRef()
	}
	if p.tok.kind == tWord && p.tok.cat == catTypeFunc {
		p.next() // the name of a function, which has arguments
		p.unexpected()
	}
	t := p.relationExpr()
	if p.isOp("(") && p.err == nil {
		return p.funcCallRef(t)
	}
	p.tableSuffix(t)
	return t
}

// startsFunction reports whether a function without a plain name follows, as
// COALESCE(…) or CURRENT_DATE, or one whose name is no name of a relation.
func (p *parser) startsFunction() bool {
	if p.tok.kind != tWord {
		return false
	}
	switch p.tok.cat {
	case catReserved:
		return p.tok.oneOf("cast", "current_date", "current_time", "current_timestamp", "localtime", "localtimestamp", "current_role",
			"current_user", "session_user", "user", "current_catalog")
	case catTypeFunc:
		return p.peek(1).isOp("(") || p.is("current_schema") || p.is("collation")
	case catColName:
		return p.peek(1).isOp("(")
	default:
		return false
	}
}

// relationExpr parses [ONLY] name [*].
func (p *parser) relationExpr() *ast.TableName {
	t := &ast.TableName{At: p.at()}
	if p.accept("only") {
		t.Only = true
		if p.acceptOp("(") {
			t.Name = p.relation()
			p.expectOp(")")
			return t
		}
		t.Name = p.relation()
		return t
	}
	t.Name = p.relation()
	p.acceptOp("*")
	return t
}

// tableSuffix parses what may follow a relation's name in FROM.
func (p *parser) tableSuffix(t *ast.TableName) {
	asOf := func() {
		if p.is2("for", "system_time") {
			a := &ast.AsOf{At: p.at()}
			p.next()
			p.next()
			p.expect("as", "of")
			a.Time = p.expr()
			t.AsOf = a
		}
	}
	asOf()
	t.Alias = p.alias()
	if t.AsOf == nil {
		asOf()
		if t.AsOf != nil && t.Alias == nil {
			t.Alias = p.alias()
		}
	}
	if p.is("tablesample") {
		s := &ast.Sample{At: p.at()}
		p.next()
		s.Method = p.funcName()
		p.expectOp("(")
		s.Args = p.exprList()
		p.expectOp(")")
		if p.accept("repeatable") {
			p.expectOp("(")
			s.Seed = p.expr()
			p.expectOp(")")
		}
		t.Sample = s
	}
}

// alias parses [AS] name [(columns)]; nil if none is there.
func (p *parser) alias() *ast.Alias {
	if !p.accept("as") && (!p.tok.isName() || p.startsClause()) {
		return nil
	}
	id := p.ident()
	a := &ast.Alias{At: id.At, Name: id.Name}
	if p.isOp("(") {
		a.Columns = identTexts(p.idents())
	}
	return a
}

// tableParens parses a query or joined tables in parentheses.
func (p *parser) tableParens(lateral bool) ast.TableRef {
	at := p.at()
	ref, q := p.tableOrQuery()
	if q != nil {
		return p.subqueryRef(at, q, lateral)
	}
	if lateral {
		p.failAt(int(at), pgerror.SyntaxError, "syntax error at or near \"(\"")
		return ref
	}
	j, ok := ref.(*ast.Join)
	if !ok {
		// (t) alone is no table expression.
		if p.err == nil {
			p.unexpectedAt(p.prev)
		}
		return ref
	}
	if a := p.alias(); a != nil {
		if j.Alias != nil {
			j = &ast.Join{At: j.At, Kind: ast.CrossJoin, L: j}
		}
		j.Alias = a
	}
	return j
}

// tableOrQuery parses parentheses in FROM; which of the two it is shows only
// behind the parentheses within.
func (p *parser) tableOrQuery() (ast.TableRef, *ast.Query) {
	at := p.at()
	p.next()
	if !p.deeper() {
		return &ast.TableName{At: at}, nil
	}
	defer func() { p.depth-- }()
	if p.startsQuery() {
		q := p.query()
		p.expectOp(")")
		return nil, q
	}
	if !p.isOp("(") {
		ref := p.tableRef()
		p.expectOp(")")
		return ref, nil
	}
	innerAt := p.at()
	ref, q := p.tableOrQuery()
	if q != nil {
		if p.continuesQuery() {
			q = p.queryFrom(&ast.Query{At: q.At}, q)
			p.expectOp(")")
			return nil, q
		}
		if p.acceptOp(")") {
			return nil, q
		}
		if p.tok.kind != tWord && p.tok.kind != tQuoted {
			p.unexpected() // it goes on neither with an alias nor with a join
		}
		ref = p.subqueryRef(innerAt, q, false)
	} else if j, ok := ref.(*ast.Join); ok {
		if a := p.alias(); a != nil {
			j.Alias = a
		}
	}
	ref = p.joins(ref)
	p.expectOp(")")
	return ref, nil
}

// subqueryRef parses the alias of a query in FROM, which it must have.
func (p *parser) subqueryRef(at ast.At, q *ast.Query, lateral bool) ast.TableRef {
	s := &ast.SubqueryRef{At: at, Query: q, Lateral: lateral, Alias: p.alias()}
	if s.Alias == nil && p.err == nil {
		if _, ok := q.Body.(*ast.Values); ok && q.With == nil {
			p.failHint(int(at), pgerror.SyntaxError, "VALUES in FROM must have an alias", "For example, FROM (VALUES ...) [AS] foo.")
		} else {
			p.failHint(int(at), pgerror.SyntaxError, "subquery in FROM must have an alias", "For example, FROM (SELECT ...) [AS] foo.")
		}
	}
	return s
}

// funcRef parses a function in FROM.
func (p *parser) funcRef() *ast.FuncRef {
	f := &ast.FuncRef{At: p.at()}
	f.Funcs = []ast.RefFunc{{At: f.At, X: p.functionTable()}}
	p.funcSuffix(f)
	return f
}

// functionTable parses an expression that must look like a function.
func (p *parser) functionTable() ast.Expr {
	var x ast.Expr
	if p.startsFunction() {
		x = p.wordPrimary()
	} else {
		name := p.funcName()
		if !p.isOp("(") {
			p.unexpected()
			return &ast.Literal{At: p.at()}
		}
		x = p.call(name)
	}
	switch x.(type) {
	case *ast.FuncCall, *ast.SQLValue, *ast.Cast:
	default:
		p.unexpected()
	}
	return x
}

// funcCallRef turns a relation's name with a parenthesis behind it into a
// function.
func (p *parser) funcCallRef(t *ast.TableName) ast.TableRef {
	if t.Only {
		p.unexpected()
		return t
	}
	f := &ast.FuncRef{At: t.At}
	f.Funcs = []ast.RefFunc{{At: t.At, X: p.call(t.Name)}}
	p.funcSuffix(f)
	return f
}

// funcSuffix parses WITH ORDINALITY and the alias of a function.
func (p *parser) funcSuffix(f *ast.FuncRef) {
	f.Ordinality = p.accept("with", "ordinality")
	hasAs := p.accept("as")
	if hasAs && p.isOp("(") {
		f.ColDefs = p.columnDefs()
		return
	}
	if !hasAs && (!p.tok.isName() || p.startsClause()) {
		return
	}
	id := p.ident()
	f.Alias = &ast.Alias{At: id.At, Name: id.Name}
	if !p.isOp("(") {
		return
	}
	if next := p.peek(2); next.isOp(",") || next.isOp(")") {
		f.Alias.Columns = identTexts(p.idents())
		return
	}
	f.ColDefs = p.columnDefs()
}

// columnDefs parses (a int, b text COLLATE "C") of a record's columns.
func (p *parser) columnDefs() []ast.ColumnDef {
	p.expectOp("(")
	var out []ast.ColumnDef
	for {
		id := p.ident()
		c := ast.ColumnDef{At: id.At, Name: id.Name, Type: p.typeName()}
		if p.accept("collate") {
			c.Collation = p.name()
		}
		out = append(out, c)
		if !p.acceptOp(",") {
			break
		}
	}
	p.expectOp(")")
	return out
}

// rowsFrom parses ROWS FROM (f(…) [AS (…)], …).
func (p *parser) rowsFrom() ast.TableRef {
	f := &ast.FuncRef{At: p.at(), RowsFrom: true}
	p.next()
	p.next()
	p.expectOp("(")
	for {
		rf := ast.RefFunc{At: p.at(), X: p.functionTable()}
		if p.accept("as") {
			rf.ColDefs = p.columnDefs()
		}
		f.Funcs = append(f.Funcs, rf)
		if !p.acceptOp(",") {
			break
		}
	}
	p.expectOp(")")
	p.funcSuffix(f)
	return f
}
