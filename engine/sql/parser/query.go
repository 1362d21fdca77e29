package parser

import (
	"velostream/engine/sql/ast"
	"velostream/pgwire/pgerror"
)

// startsQuery reports whether the current token begins a query that no
// parenthesis surrounds.
func (p *parser) startsQuery() bool {
	return p.tok.oneOf("select", "with", "values", "table")
}

// opensQuery is startsQuery behind a parenthesis, where VALUES may be a
// column's name.
func (p *parser) opensQuery() bool {
	return p.startsQuery() && (!p.is("values") || p.peek(1).isOp("("))
}

// continuesQuery reports whether the current token goes on with a query whose
// parenthesised beginning has been parsed.
func (p *parser) continuesQuery() bool {
	return p.tok.oneOf("union", "intersect", "except", "order", "limit", "offset", "fetch", "for")
}

// query parses a query with all its clauses.
func (p *parser) query() *ast.Query {
	q := &ast.Query{At: p.at()}
	if !p.deeper() {
		return q
	}
	defer func() { p.depth-- }()
	if p.is("with") {
		q.With = p.with()
	}
	return p.queryFrom(q, nil)
}

// queryAfterWith parses a query whose WITH has been taken.
func (p *parser) queryAfterWith(at ast.At, with *ast.With) *ast.Query {
	return p.queryFrom(&ast.Query{At: at, With: with}, nil)
}

// queryFrom parses a query into q; first is its first operand if that has
// been parsed already.
func (p *parser) queryFrom(q *ast.Query, first ast.SelectBody) *ast.Query {
	outer := p.height
	p.height = 0
	q.Body = p.setOps(q, first, 0)
	p.height = max(outer, p.height+1)
	p.clauses(q, nil)
	if inner, ok := q.Body.(*ast.Query); ok {
		return p.merge(inner, q)
	}
	p.checkQuery(q)
	return q
}

// setOpPrec is the strength of the set operation at the current token.
func (p *parser) setOpPrec() int {
	switch {
	case p.tok.kind != tWord:
		return 0
	case p.tok.text == "union", p.tok.text == "except":
		return 1
	case p.tok.text == "intersect":
		return 2
	}
	return 0
}

// setOps parses operands and set operations that bind more strongly than
// above.
func (p *parser) setOps(q *ast.Query, first ast.SelectBody, above int) ast.SelectBody {
	left := first
	if left == nil {
		left = p.operand(q)
	}
	height := p.height
	for p.err == nil {
		prec := p.setOpPrec()
		if prec <= above {
			break
		}
		if hasTail(q) {
			p.unexpected()
			p.err.Hint = "Put the part before it in parentheses: ORDER BY, LIMIT and what follows them belong to the whole query."
			break
		}
		op := &ast.SetOp{At: p.at(), L: left}
		op.Kind = map[string]ast.SetOpKind{"union": ast.Union, "except": ast.Except, "intersect": ast.Intersect}[p.tok.text]
		p.next()
		op.All = p.accept("all")
		if !op.All {
			p.accept("distinct")
		}
		p.height = 0
		op.R = p.setOps(q, nil, prec)
		left = op
		if height = max(height, p.height) + 1; height > heightMax {
			p.tooDeep()
		}
	}
	p.height = height
	return left
}

// hasTail reports that clauses behind the set operations were parsed.
func hasTail(q *ast.Query) bool {
	return q.OrderBy != nil || q.Limit != nil || q.Locking != nil || q.Emit != nil || q.Sink != nil || q.Options != nil
}

// operand parses one operand of a set operation.
func (p *parser) operand(q *ast.Query) ast.SelectBody {
	at := p.at()
	switch {
	case p.is("select"):
		return p.selectCore(q)
	case p.is("values"):
		return p.values()
	case p.is("table"):
		p.next()
		return &ast.TableCommand{At: at, Table: p.relationExpr()}
	case p.isOp("("):
		p.next()
		if !p.deeper() {
			return &ast.Select{At: at}
		}
		defer func() { p.depth-- }()
		inner := p.query()
		p.expectOp(")")
		return inner
	}
	p.unexpected()
	p.hintWord("select", "values", "with", "table")
	return &ast.Select{At: at}
}

func (p *parser) values() *ast.Values {
	v := &ast.Values{At: p.at()}
	p.next()
	for {
		p.expectOp("(")
		v.Rows = append(v.Rows, p.exprList())
		p.expectOp(")")
		if !p.acceptOp(",") {
			return v
		}
	}
}

// merge puts what surrounds a parenthesised query into it. A clause that is
// there twice is an error.
func (p *parser) merge(inner, outer *ast.Query) *ast.Query {
	twice := func(n ast.Node, what string) {
		p.failAt(n.Pos(), pgerror.SyntaxError, "multiple %s clauses not allowed", what)
	}
	if outer.With != nil {
		if inner.With != nil {
			twice(outer.With, "WITH")
		}
		inner.With = outer.With
	}
	if outer.OrderBy != nil {
		if inner.OrderBy != nil {
			twice(outer.OrderBy[0], "ORDER BY")
		}
		inner.OrderBy = outer.OrderBy
	}
	if l := outer.Limit; l != nil {
		switch {
		case inner.Limit == nil:
			inner.Limit = l
		case l.Count != nil && inner.Limit.Count != nil:
			twice(l.Count, "LIMIT")
		case l.Offset != nil && inner.Limit.Offset != nil:
			twice(l.Offset, "OFFSET")
		default:
			p.mergeLimit(inner.Limit, l)
		}
	}
	inner.Locking = append(inner.Locking, outer.Locking...)
	if outer.Emit != nil {
		inner.Emit = outer.Emit
	}
	if outer.Sink != nil {
		inner.Sink = outer.Sink
	}
	if outer.Late != nil {
		inner.Late = outer.Late
	}
	inner.Options = append(inner.Options, outer.Options...)
	inner.At = outer.At
	p.checkQuery(inner)
	return inner
}

func (p *parser) mergeLimit(into, l *ast.Limit) {
	if l.Count != nil || l.All {
		into.Count, into.All, into.WithTies = l.Count, l.All, l.WithTies
	}
	if l.Offset != nil {
		into.Offset, into.OffsetPos = l.Offset, l.OffsetPos
	}
}

// checkQuery refuses what the clauses do not allow together.
func (p *parser) checkQuery(q *ast.Query) {
	if q.Limit != nil && q.Limit.WithTies {
		if q.OrderBy == nil {
			p.failAt(-1, pgerror.SyntaxError, "WITH TIES cannot be specified without ORDER BY clause")
		}
	}
}

// with parses a WITH clause.
func (p *parser) with() *ast.With {
	w := &ast.With{At: p.at()}
	p.next()
	if next := p.peek(1); !next.isWord("as") && !next.isOp("(") {
		w.Recursive = p.accept("recursive")
	}
	for {
		w.CTEs = append(w.CTEs, p.cte())
		if !p.acceptOp(",") {
			return w
		}
	}
}

func (p *parser) cte() ast.CTE {
	id := p.ident()
	c := ast.CTE{At: id.At, Name: id.Name}
	if p.isOp("(") {
		c.Columns = identTexts(p.idents())
	}
	p.expect("as")
	switch {
	case p.accept("not", "materialized"):
		c.Materialized = ast.No
	case p.accept("materialized"):
		c.Materialized = ast.Yes
	}
	p.expectOp("(")
	if p.isOp("(") || p.startsQuery() && !p.is("with") {
		c.Stmt = p.query()
	} else {
		c.Stmt = p.preparable()
	}
	p.expectOp(")")
	if p.is("search") {
		c.Search = p.search()
	}
	if p.is("cycle") {
		c.Cycle = p.cycle()
	}
	return c
}

func (p *parser) search() *ast.Search {
	s := &ast.Search{At: p.at()}
	p.next()
	s.Breadth = p.expectOneOf("breadth", "depth") == "breadth"
	p.expect("first", "by")
	s.Columns = identTexts(p.identList())
	p.expect("set")
	s.Set = p.identText()
	return s
}

func (p *parser) cycle() *ast.Cycle {
	c := &ast.Cycle{At: p.at()}
	p.next()
	c.Columns = identTexts(p.identList())
	p.expect("set")
	c.Mark = p.identText()
	if p.accept("to") {
		c.Value = p.primary()
		p.expect("default")
		c.Default = p.primary()
	}
	p.expect("using")
	c.Path = p.identText()
	return c
}

// selectCore parses SELECT up to the end of its clauses; those that belong to
// the whole query go to q.
func (p *parser) selectCore(q *ast.Query) *ast.Select {
	s := &ast.Select{At: p.at()}
	p.next()
	distinct := false
	switch {
	case p.accept("all"):
	case p.is2("distinct", "on"):
		p.next()
		p.next()
		p.expectOp("(")
		s.DistinctOn = p.exprList()
		p.expectOp(")")
		distinct = true
	case p.accept("distinct"):
		s.Distinct, distinct = true, true
	}
	if distinct || !p.endsTargets() {
		s.Items = p.selectItems()
	}
	if p.is("into") {
		s.Into = p.selectInto()
	}
	if p.accept("from") {
		s.From = p.fromList()
	}
	if p.accept("where") {
		s.Where = p.expr()
	}
	p.clauses(q, s)
	return s
}

// endsTargets reports that no select list follows.
func (p *parser) endsTargets() bool {
	if p.tok.kind == tEOF || p.isOp(";") || p.isOp(")") {
		return true
	}
	return p.tok.oneOf("from", "where", "into", "group", "having", "window", "union", "intersect", "except", "order", "limit",
		"offset", "fetch", "for", "with")
}

func (p *parser) selectItems() []ast.SelectItem {
	items := []ast.SelectItem{p.selectItem()}
	for p.acceptOp(",") {
		items = append(items, p.selectItem())
	}
	return items
}

func (p *parser) selectItem() ast.SelectItem {
	it := ast.SelectItem{At: p.at(), AliasPos: -1}
	if p.isOp("*") {
		p.next()
		it.X = &ast.ColumnRef{At: it.At, Star: true}
		return it
	}
	it.X = p.expr()
	switch {
	case p.accept("as"):
		id := p.label()
		it.Alias, it.AliasPos = id.Name, int(id.At)
	case p.tok.isLabel() && p.tok.bare && !p.startsClause():
		it.Alias, it.AliasPos = p.tok.text, int(p.tok.pos)
		p.next()
	}
	if p.is2("primary", "key") {
		p.next()
		p.next()
		it.PrimaryKey = true
	}
	return it
}

func (p *parser) selectInto() *ast.SelectInto {
	into := &ast.SelectInto{At: p.at()}
	p.next()
	if p.tok.oneOf("local", "global") && p.peek(1).oneOf("temp", "temporary") {
		p.next()
	}
	switch {
	case p.acceptOneOf("temp", "temporary") != "":
		into.Temp = true
	case p.accept("unlogged"):
		into.Unlogged = true
	}
	p.accept("table")
	into.Name = p.relation()
	return into
}

// startsClause reports whether the current word begins a clause of the
// dialect although PostgreSQL would take it for an alias. It takes two words
// to tell, so the words themselves stay usable as names.
func (p *parser) startsClause() bool {
	if p.tok.kind != tWord {
		return false
	}
	next := func(words ...string) bool { return p.peek(1).oneOf(words...) }
	switch p.tok.text {
	case "emit":
		return next("changes", "final", "every", "on")
	case "tumbling", "sliding", "hopping", "session", "cumulate":
		return next("window")
	case "within":
		t := p.peek(1)
		return t.isWord("interval") || t.kind == tInt || t.kind == tNum || t.kind == tDuration || t.kind == tString ||
			t.kind == tParam || t.isOp("(")
	case "asof":
		return next("join", "left", "right", "full", "inner")
	case "late":
		return next("rows")
	case "primary":
		return next("key")
	case "format":
		return next("plain", "upsert", "debezium", "native")
	case "strategy":
		return next("blue_green", "canary", "rolling", "replace")
	}
	return false
}

// clauses parses the clauses behind FROM and WHERE, which may come in any
// order, each at most once. s is the SELECT that grouping belongs to, nil
// where there is none.
func (p *parser) clauses(q *ast.Query, s *ast.Select) {
	for p.err == nil {
		if s != nil && p.selectClause(s) {
			continue
		}
		if !p.queryClause(q) {
			return
		}
	}
}

// once fails if a clause has been there before.
func (p *parser) once(seen bool, what string) {
	if seen {
		p.unexpected()
		if p.err.Hint == "" {
			p.err.Hint = what + " may be given once."
		}
	}
}

// selectClause parses a clause of a single SELECT and reports whether one was
// there.
func (p *parser) selectClause(s *ast.Select) bool {
	if p.tok.kind != tWord {
		return false
	}
	switch p.tok.text {
	case "group":
		p.once(s.GroupBy != nil, "GROUP BY")
		s.GroupBy = p.groupBy()
	case "having":
		p.once(s.Having != nil, "HAVING")
		p.next()
		s.Having = p.expr()
	case "window":
		if isWindowWord(p.peek(1)) && p.peek(2).isOp("(") {
			p.once(s.Window != nil, "WINDOW")
			p.next()
			s.Window = p.window(ast.PlaceClause)
			return true
		}
		p.once(s.Windows != nil, "WINDOW")
		s.Windows = p.namedWindows()
	case "where":
		// Behind a WINDOW clause that stands right after FROM.
		if s.Where != nil || s.Window == nil || s.GroupBy != nil {
			return false
		}
		p.next()
		s.Where = p.expr()
	default:
		if isWindowWord(p.tok) && p.peek(1).isWord("window") && p.peek(2).isOp("(") {
			p.once(s.Window != nil, "WINDOW")
			s.Window = p.window(ast.PlaceClause)
			return true
		}
		return false
	}
	return true
}

// queryClause parses a clause of the query as a whole and reports whether one
// was there.
func (p *parser) queryClause(q *ast.Query) bool {
	if p.tok.kind != tWord {
		return false
	}
	switch p.tok.text {
	case "order":
		p.once(q.OrderBy != nil, "ORDER BY")
		q.OrderBy = p.orderBy()
	case "limit", "offset", "fetch":
		p.limit(q)
	case "for":
		p.locking(q)
	case "emit":
		if !p.startsClause() {
			return false
		}
		p.once(q.Emit != nil, "EMIT")
		q.Emit = p.emit()
	case "into":
		p.once(q.Sink != nil, "INTO")
		p.next()
		name := p.relation()
		q.Sink = &name
	case "with":
		if !p.peek(1).isOp("(") {
			return false
		}
		p.once(q.Options != nil, "WITH (…)")
		p.next()
		q.Options = p.options(true)
	case "late":
		if !p.startsClause() {
			return false
		}
		p.once(q.Late != nil, "LATE ROWS")
		late := &ast.LateRows{At: p.at()}
		p.next()
		p.next()
		late.Strategy = p.label().Name
		q.Late = late
	default:
		return false
	}
	return true
}

// orderBy parses ORDER BY and its items.
func (p *parser) orderBy() []ast.OrderItem {
	p.expect("order", "by")
	items := []ast.OrderItem{p.orderItem()}
	for p.acceptOp(",") {
		items = append(items, p.orderItem())
	}
	return items
}

func (p *parser) orderItem() ast.OrderItem {
	it := ast.OrderItem{At: p.at(), X: p.expr()}
	switch {
	case p.accept("using"):
		op := p.operatorSymbol()
		it.Using = &op
	case p.accept("asc"):
		it.Asc = true
	case p.accept("desc"):
		it.Desc = true
	}
	it.Nulls = p.nullsOrder()
	return it
}

func (p *parser) nullsOrder() ast.NullsOrder {
	switch {
	case p.accept("nulls", "first"):
		return ast.NullsFirst
	case p.accept("nulls", "last"):
		return ast.NullsLast
	}
	return ast.NullsUnspecified
}

// limit parses LIMIT, OFFSET or FETCH.
func (p *parser) limit(q *ast.Query) {
	at := p.at()
	if q.Limit == nil {
		q.Limit = &ast.Limit{At: at, OffsetPos: -1}
	}
	l := q.Limit
	if p.is("offset") {
		p.once(l.Offset != nil, "OFFSET")
		p.next()
		l.OffsetPos = int(at)
		l.Offset = p.expr()
		p.acceptOneOf("row", "rows")
		return
	}
	p.once(l.Count != nil || l.All, "LIMIT")
	if p.is("fetch") {
		p.fetchFirst(l)
		return
	}
	p.next()
	if p.accept("all") {
		l.All = true
	} else {
		l.Count = p.expr()
	}
	if p.isOp(",") {
		p.failHint(int(at), pgerror.SyntaxError, "LIMIT #,# syntax is not supported", "Use separate LIMIT and OFFSET clauses.")
	}
}

// fetchFirst parses FETCH FIRST n ROWS {ONLY | WITH TIES}.
func (p *parser) fetchFirst(l *ast.Limit) {
	l.At = p.at()
	p.next()
	p.expectOneOf("first", "next")
	if p.tok.oneOf("row", "rows") && !p.peek(1).oneOf("row", "rows") {
		l.Count = &ast.Literal{At: p.at(), Kind: ast.LitInteger, Text: "1"}
	} else if p.isOp("-") || p.isOp("+") {
		at := p.at()
		l.Count = &ast.Literal{At: at, Kind: ast.LitInteger, Text: p.number()}
	} else {
		l.Count = p.primary()
	}
	p.expectOneOf("row", "rows")
	if p.accept("only") {
		return
	}
	p.expect("with", "ties")
	l.WithTies = true
}

// locking parses FOR UPDATE and its like.
func (p *parser) locking(q *ast.Query) {
	at := p.at()
	p.next()
	l := ast.Locking{At: at}
	switch {
	case p.accept("read"):
		p.expect("only")
		return
	case p.accept("update"):
		l.Strength = "UPDATE"
	case p.accept("share"):
		l.Strength = "SHARE"
	case p.accept("no"):
		p.expect("key", "update")
		l.Strength = "NO KEY UPDATE"
	default:
		p.expect("key", "share")
		l.Strength = "KEY SHARE"
	}
	if p.accept("of") {
		l.Of = p.names()
	}
	switch {
	case p.accept("nowait"):
		l.Wait = "NOWAIT"
	case p.accept("skip"):
		p.expect("locked")
		l.Wait = "SKIP LOCKED"
	}
	q.Locking = append(q.Locking, l)
}
