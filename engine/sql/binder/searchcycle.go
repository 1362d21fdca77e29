package binder

import (
	"slices"
	"strconv"

	"velostream/engine/sql/ast"
	"velostream/pgwire/pgerror"
)

// SEARCH and CYCLE of a recursive query are written out as the columns that they stand
// for, as PostgreSQL's rewriteSearchCycle.c does. With all columns called c1, c2, …
//
//	base  becomes  SELECT c1, …, ARRAY[ROW(c1)] AS seq, no AS mark, ARRAY[ROW(c2)] AS path FROM (base)
//	step  becomes  SELECT c1, …, seq || ROW(c1), CASE WHEN ROW(c2) = ANY (path) THEN yes ELSE no END, path || ROW(c2)
//	               FROM (step, with seq, mark and path of the reference; WHERE mark <> yes)
//
// The reference in the step does not show the new columns in its *. SEARCH BREADTH keeps
// the depth in a column of its own, which nothing outside sees, and ROW(depth, c1) in seq.

// depthColumn is the name of the column with the depth, which no query can mean.
const depthColumn = "\x1fdepth"

// searchCycle is what is needed to write out the clauses of one query.
type searchCycle struct {
	c       *ast.CTE
	columns []string // of the query itself
	cycleTo ast.Expr
	cycleNo ast.Expr
}

// expandSearch writes out SEARCH and CYCLE of c, whose query is q. It returns what stands
// in their place, how many columns the clauses add, and whether the last column is one
// that the query around does not see.
func (b *Binder) expandSearch(c *ast.CTE, q *ast.Query, parent *Scope) (*ast.CTE, *ast.Query, added, error) {
	s, ok := q.Body.(*ast.SetOp)
	if !ok || s.Kind != ast.Union {
		return c, q, added{}, nil // refused by the caller
	}
	x := &searchCycle{c: c}
	if err := b.checkSides(c, s); err != nil {
		return nil, nil, added{}, err
	}
	if err := x.baseColumns(b, s.L, q, parent); err != nil {
		return nil, nil, added{}, err
	}
	if err := x.check(b); err != nil {
		return nil, nil, added{}, err
	}
	step, err := x.step(b, s.R)
	if err != nil {
		return nil, nil, added{}, err
	}
	out := *c
	out.Search, out.Cycle = nil, nil
	names := x.added()
	out.Columns = slices.Concat(x.columns, names)
	union := *s
	union.L, union.R = x.base(s.L), step
	inner := *q
	inner.Body = &union
	return &out, &inner, added{n: len(names), depth: names[len(names)-1] == depthColumn}, nil
}

// added are the columns at the end of a recursive query that its clauses have added.
type added struct {
	n     int
	depth bool // the last of them is the depth
}

// checkSides demands that both sides of the UNION are simple. The codes are PostgreSQL's.
func (b *Binder) checkSides(c *ast.CTE, s *ast.SetOp) error {
	const format = "with a SEARCH or CYCLE clause, the %s side of the UNION must be a SELECT"
	switch {
	case !simpleSide(s.L):
		return b.missing(c, format, "left")
	case !simpleSide(s.R):
		return pgerror.New(pgerror.SyntaxError, format, "right").At(b.pos(c.Pos()))
	}
	return nil
}

// simpleSide reports a side of a UNION that is no UNION or its like itself.
func simpleSide(side ast.SelectBody) bool {
	_, set := leaf(side).(*ast.SetOp)
	return !set
}

// leaf is side without the parentheses that have nothing but it in them.
func leaf(side ast.SelectBody) ast.SelectBody {
	for {
		q, ok := side.(*ast.Query)
		if !ok || q.With != nil || q.OrderBy != nil || q.Limit != nil || q.Locking != nil {
			return side
		}
		side = q.Body
	}
}

// baseColumns finds the names of the columns, which the base says.
func (x *searchCycle) baseColumns(b *Binder, base ast.SelectBody, q *ast.Query, parent *Scope) error {
	saved := b.ctes
	defer func() { b.ctes = saved }()
	if err := b.with(q.With, parent); err != nil {
		return err
	}
	r, err := b.body(base, nil, parent)
	if err != nil {
		return err
	}
	for _, col := range visible(r.plan.Schema()) {
		x.columns = append(x.columns, col.Name)
	}
	if len(x.c.Columns) > len(x.columns) {
		return pgerror.New(pgerror.InvalidColumnReference, "WITH query %q has %d columns available but %d columns specified",
			x.c.Name, len(x.columns), len(x.c.Columns)).At(b.pos(x.c.Pos()))
	}
	copy(x.columns, x.c.Columns)
	return nil
}

// check finds what is wrong with the clauses, in PostgreSQL's order.
func (x *searchCycle) check(b *Binder) error {
	search, cycle := x.c.Search, x.c.Cycle
	if cycle != nil {
		if err := x.cycleMarks(b, cycle); err != nil {
			return err
		}
	}
	if search != nil {
		if err := x.listed(b, "search", search.Columns, search.Pos()); err != nil {
			return err
		}
		if err := x.free(b, "search sequence", search.Set, search.Pos()); err != nil {
			return err
		}
	}
	if cycle == nil {
		return nil
	}
	if err := x.listed(b, "cycle", cycle.Columns, cycle.Pos()); err != nil {
		return err
	}
	if err := x.free(b, "cycle mark", cycle.Mark, cycle.Pos()); err != nil {
		return err
	}
	if err := x.free(b, "cycle path", cycle.Path, cycle.Pos()); err != nil {
		return err
	}
	same := func(one, two string) error {
		return pgerror.New(pgerror.SyntaxError, "%s column name and %s column name are the same", one, two)
	}
	switch {
	case cycle.Mark == cycle.Path:
		return pgerror.From(same("cycle mark", "cycle path")).At(b.pos(cycle.Pos()))
	case search != nil && search.Set == cycle.Mark:
		return pgerror.From(same("search sequence", "cycle mark")).At(b.pos(search.Pos()))
	case search != nil && search.Set == cycle.Path:
		return pgerror.From(same("search sequence", "cycle path")).At(b.pos(search.Pos()))
	}
	return nil
}

// cycleMarks finds the two values of the mark, and checks that they have one type.
func (x *searchCycle) cycleMarks(b *Binder, c *ast.Cycle) error {
	x.cycleTo, x.cycleNo = c.Value, c.Default
	if c.Value == nil {
		x.cycleTo = &ast.Literal{At: c.At, Kind: ast.LitBool, Text: "true"}
		x.cycleNo = &ast.Literal{At: c.At, Kind: ast.LitBool, Text: "false"}
		return nil
	}
	src := []ast.Expr{c.Value, c.Default}
	vals, err := b.exprs(src, &context{clause: "CYCLE"})
	if err == nil {
		_, err = b.unify("CYCLE", vals, src)
	}
	return err
}

// listed demands that the columns are of the query, and named once.
func (x *searchCycle) listed(b *Binder, clause string, cols []string, at int) error {
	for i, n := range cols {
		if !slices.Contains(x.columns, n) {
			return pgerror.New(pgerror.SyntaxError, "%s column %q not in WITH query column list", clause, n).At(b.pos(at))
		}
		if slices.Contains(cols[:i], n) {
			return pgerror.New(pgerror.DuplicateColumn, "%s column %q specified more than once", clause, n).At(b.pos(at))
		}
	}
	return nil
}

// free demands that no column of the query has the name.
func (x *searchCycle) free(b *Binder, what, name string, at int) error {
	if slices.Contains(x.columns, name) {
		return pgerror.New(pgerror.SyntaxError, "%s column name %q already used in WITH query column list", what, name).At(b.pos(at))
	}
	return nil
}

// added are the names of the new columns.
func (x *searchCycle) added() []string {
	var out []string
	if x.c.Search != nil {
		out = append(out, x.c.Search.Set)
	}
	if x.c.Cycle != nil {
		out = append(out, x.c.Cycle.Mark, x.c.Cycle.Path)
	}
	if x.c.Search != nil && x.c.Search.Breadth {
		out = append(out, depthColumn)
	}
	return out
}

// The names by which the wrapping queries know what is inside.
const (
	innerTable  = "\x1finner"
	innerPrefix = "\x1fc"
)

func innerRef(at ast.At, name string) ast.Expr {
	return &ast.ColumnRef{At: at, Parts: []string{innerTable, name}}
}

// inner is column i of what a side has been.
func (x *searchCycle) inner(at ast.At, i int) ast.Expr {
	return innerRef(at, innerPrefix+strconv.Itoa(i))
}

// row is ROW(…) of the columns, behind first if there is one.
func (x *searchCycle) row(at ast.At, first ast.Expr, cols []string) ast.Expr {
	r := &ast.Row{At: at, Explicit: true}
	if first != nil {
		r.Items = append(r.Items, first)
	}
	for _, n := range cols {
		r.Items = append(r.Items, x.inner(at, slices.Index(x.columns, n)))
	}
	return r
}

// wrap is SELECT …, items FROM (body), whose columns are those of the query and more.
func (x *searchCycle) wrap(at ast.At, body ast.SelectBody, more []string, items []ast.Expr) ast.SelectBody {
	names := make([]string, len(x.columns))
	list := make([]ast.SelectItem, len(x.columns), len(x.columns)+len(items))
	for i := range x.columns {
		names[i] = innerPrefix + strconv.Itoa(i)
		list[i] = ast.SelectItem{At: at, X: x.inner(at, i), AliasPos: -1}
	}
	for i, e := range items {
		list = append(list, ast.SelectItem{At: at, X: e, Alias: x.added()[i], AliasPos: -1})
	}
	return &ast.Select{At: at, Items: list, From: []ast.TableRef{&ast.SubqueryRef{
		At: at, Query: &ast.Query{At: at, Body: body},
		Alias: &ast.Alias{At: at, Name: innerTable, Columns: append(names, more...)},
	}}}
}

func integer(at ast.At, n int) ast.Expr {
	lit := &ast.Literal{At: at, Kind: ast.LitInteger, Text: strconv.Itoa(n)}
	return &ast.Cast{At: at, X: lit, Type: &ast.TypeName{At: at, Name: ast.Name{At: at, Parts: []string{"pg_catalog", "int8"}}}}
}

// base is the first term with the columns added.
func (x *searchCycle) base(body ast.SelectBody) ast.SelectBody {
	at := x.c.At
	var items []ast.Expr
	list := func(e ast.Expr) ast.Expr { return &ast.ArrayExpr{At: at, Elems: []ast.Expr{e}} }
	if s := x.c.Search; s != nil {
		if s.Breadth {
			items = append(items, x.row(at, integer(at, 0), s.Columns))
		} else {
			items = append(items, list(x.row(at, nil, s.Columns)))
		}
	}
	if y := x.c.Cycle; y != nil {
		no := &ast.Literal{At: at, Kind: ast.LitBool, Text: "false"}
		items = append(items, x.mark(at, no), list(x.row(at, nil, y.Columns)))
	}
	if s := x.c.Search; s != nil && s.Breadth {
		items = append(items, integer(at, 0))
	}
	return x.wrap(at, body, nil, items)
}

// mark is the cycle mark of a row that closes a cycle where cond holds.
func (x *searchCycle) mark(at ast.At, cond ast.Expr) ast.Expr {
	return &ast.Case{At: at, Whens: []ast.When{{At: at, Cond: cond, Result: x.cycleTo}}, Else: x.cycleNo}
}

// step is the recursive term with the columns added.
func (x *searchCycle) step(b *Binder, body ast.SelectBody) (ast.SelectBody, error) {
	at := x.c.At
	body = leaf(body)
	around, _ := body.(*ast.Query) // WITH, ORDER BY and the like
	if around != nil {
		body = leaf(around.Body)
	}
	sel, ok := body.(*ast.Select)
	alias := ""
	if ok {
		alias = referenceName(sel.From, x.c.Name)
	}
	if alias == "" {
		return nil, b.missing(x.c, "with a SEARCH or CYCLE clause, the recursive reference to WITH query %q must be at the top level of its right-hand SELECT", x.c.Name)
	}
	in := *sel
	in.Items = slices.Clone(sel.Items)
	for _, n := range x.added() {
		in.Items = append(in.Items, ast.SelectItem{At: at, X: &ast.ColumnRef{At: at, Parts: []string{alias, n}}, AliasPos: -1})
	}
	op := func(l ast.Expr, name string, r ast.Expr) ast.Expr {
		return &ast.Binary{At: at, Op: ast.Operator{At: at, Symbol: name}, L: l, R: r}
	}
	if y := x.c.Cycle; y != nil {
		open := op(&ast.ColumnRef{At: at, Parts: []string{alias, y.Mark}}, "<>", x.cycleTo)
		if in.Where != nil {
			open = &ast.Logical{At: at, Args: []ast.Expr{in.Where, open}}
		}
		in.Where = open
	}
	var items []ast.Expr
	depth := op(innerRef(at, depthColumn), "+", integer(at, 1))
	if s := x.c.Search; s != nil {
		if s.Breadth {
			items = append(items, x.row(at, depth, s.Columns))
		} else {
			items = append(items, op(innerRef(at, s.Set), "||", x.row(at, nil, s.Columns)))
		}
	}
	if y := x.c.Cycle; y != nil {
		row := x.row(at, nil, y.Columns)
		seen := &ast.FuncCall{At: at, Name: ast.Name{At: at, Parts: []string{"array_contains"}}, Args: []ast.Expr{innerRef(at, y.Path), row}}
		items = append(items, x.mark(at, seen), op(innerRef(at, y.Path), "||", row))
	}
	if s := x.c.Search; s != nil && s.Breadth {
		items = append(items, depth)
	}
	if around == nil {
		return x.wrap(at, &in, x.added(), items), nil
	}
	q := *around
	q.Body = &in
	return x.wrap(at, &q, x.added(), items), nil
}

// referenceName is the name by which a FROM list knows the relation name, "": it is not
// there but at most in a subquery.
func referenceName(from []ast.TableRef, name string) string {
	for _, t := range from {
		switch t := t.(type) {
		case *ast.TableName:
			if len(t.Name.Parts) != 1 || t.Name.Last() != name {
				continue
			}
			if t.Alias != nil {
				return t.Alias.Name
			}
			return name
		case *ast.Join:
			if n := referenceName([]ast.TableRef{t.L, t.R}, name); n != "" {
				return n
			}
		}
	}
	return ""
}
