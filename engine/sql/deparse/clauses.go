package deparse

import (
	"strings"

	"velostream/catalog/types"
	"velostream/engine/sql/ast"
	"velostream/engine/sql/binder"
	"velostream/engine/sql/plan"
)

type outColumn = plan.Column

func traced(table, name string) binder.TracedColumn {
	return binder.TracedColumn{Table: table, Name: name}
}

// starType is the type of output column i.
func (d *deparser) starType(columns []outColumn, i int) types.Type {
	if i < len(columns) {
		return columns[i].Type
	}
	return types.Unknown
}

func (d *deparser) with(w *ast.With) {
	if w == nil {
		return
	}
	d.level += indentStd
	d.write(" WITH ")
	if w.Recursive {
		d.write("RECURSIVE ")
	}
	for i := range w.CTEs {
		c := &w.CTEs[i]
		if i > 0 {
			d.write(", ")
		}
		d.write(quote(c.Name))
		if len(c.Columns) > 0 {
			list := make([]string, len(c.Columns))
			for j, n := range c.Columns {
				list[j] = quote(n)
			}
			d.write("(", strings.Join(list, ", "), ")")
		}
		d.write(" AS ", [...]string{"", "MATERIALIZED ", "NOT MATERIALIZED "}[c.Materialized], "(")
		d.line("", 0, 0, 0)
		q, ok := c.Stmt.(*ast.Query)
		if !ok || c.Search != nil || c.Cycle != nil {
			d.cannot(c)
			return
		}
		d.subquery(q, true)
		d.line("", 0, 0, 0)
		d.write(")")
	}
	d.level -= indentStd
	d.line("", 0, 0, 0)
}

func (d *deparser) groupBy(s *ast.Select, targets []target) {
	g := s.GroupBy
	if g == nil {
		return
	}
	d.line(" GROUP BY ", -indentStd, indentStd, 1)
	if g.Distinct {
		d.write("DISTINCT ")
	}
	sets := false
	for _, it := range g.Items {
		sets = sets || it.Kind == ast.GroupRollup || it.Kind == ast.GroupCube || it.Kind == ast.GroupSets || it.Kind == ast.GroupEmpty
	}
	for i, it := range g.Items {
		if i > 0 {
			d.write(", ")
		}
		d.groupItem(it, targets, true, sets)
	}
}

// groupItem writes an item of GROUP BY; bare: one expression stands without parentheses;
// sets: in grouping sets several expressions are one.
func (d *deparser) groupItem(it ast.GroupItem, targets []target, bare, sets bool) {
	list := func(xs []ast.Expr, parens bool) {
		if parens {
			d.write("(")
		}
		for i, x := range xs {
			if i > 0 {
				d.write(", ")
			}
			if r, ok := x.(*ast.Row); ok && !r.Explicit {
				d.groupItem(ast.GroupItem{X: x}, targets, true, true)
				continue
			}
			d.sortExpr(d.named(x, targets, false))
		}
		if parens {
			d.write(")")
		}
	}
	switch it.Kind {
	case ast.GroupExpr:
		xs := []ast.Expr{it.X}
		if r, ok := it.X.(*ast.Row); ok && !r.Explicit {
			xs = r.Items
		}
		list(xs, !bare || sets && len(xs) > 1)
	case ast.GroupEmpty:
		d.write("()")
	case ast.GroupRollup:
		d.write("ROLLUP")
		list(it.Exprs, true)
	case ast.GroupCube:
		d.write("CUBE")
		list(it.Exprs, true)
	case ast.GroupSets:
		d.write("GROUPING SETS (")
		for i, x := range it.Sets {
			if i > 0 {
				d.write(", ")
			}
			d.groupItem(x, targets, false, true)
		}
		d.write(")")
	case ast.GroupWindow:
		d.write(d.timeWindow(it.Window))
	}
}

// timeWindow is a time window with its columns as they are called now.
func (d *deparser) timeWindow(w *ast.Window) string {
	c := *w
	now := func(x ast.Expr) ast.Expr {
		r, ok := x.(*ast.ColumnRef)
		if !ok {
			return x
		}
		t := d.trace.Columns[r]
		it, col, _ := d.find(t.Table, t.Name)
		if it == nil {
			return x
		}
		return &ast.ColumnRef{At: r.At, Parts: []string{it.name, col.now}}
	}
	if c.TimeCol != nil {
		c.TimeCol = now(c.TimeCol)
	}
	c.Keys = nil
	for _, k := range w.Keys {
		c.Keys = append(c.Keys, now(k))
	}
	return ast.String(&c)
}

func (d *deparser) windowSpec(w *ast.WindowSpec) {
	if w.Buffer != nil {
		d.cannot(w)
		return
	}
	sep := ""
	d.write("(")
	if w.Ref != "" {
		d.write(quote(w.Ref))
		sep = " "
	}
	if len(w.PartitionBy) > 0 {
		d.write(sep, "PARTITION BY ")
		for i, x := range w.PartitionBy {
			if i > 0 {
				d.write(", ")
			}
			d.sortExpr(d.expr(x))
		}
		sep = " "
	}
	if len(w.OrderBy) > 0 {
		d.write(sep, "ORDER BY ")
		for i, o := range w.OrderBy {
			if i > 0 {
				d.write(", ")
			}
			d.sortExpr(d.expr(o.X))
			d.direction(o)
		}
		sep = " "
	}
	if f := w.Frame; f != nil {
		d.write(sep, string(f.Mode), " ")
		if f.Between {
			d.write("BETWEEN ")
		}
		d.bound(f.Start)
		if f.Between {
			d.write(" AND ")
			d.bound(f.End)
		}
		if f.Exclude != "" && f.Exclude != "NO OTHERS" {
			d.write(" EXCLUDE ", f.Exclude)
		}
	}
	d.write(")")
}

func (d *deparser) bound(b ast.Bound) {
	switch b.Kind {
	case ast.UnboundedPreceding:
		d.write("UNBOUNDED PRECEDING")
	case ast.UnboundedFollowing:
		d.write("UNBOUNDED FOLLOWING")
	case ast.CurrentRow:
		d.write("CURRENT ROW")
	case ast.OffsetPreceding, ast.OffsetFollowing:
		d.print(d.expr(b.Offset), false)
		if b.Kind == ast.OffsetPreceding {
			d.write(" PRECEDING")
		} else {
			d.write(" FOLLOWING")
		}
	}
}

// subLink writes a query in an expression.
func (d *deparser) subLink(n *node) {
	open, shut := "(", ")"
	switch {
	case n.link == "ARRAY":
		open = "ARRAY("
	case n.link == "EXISTS":
		open, shut = "(EXISTS (", "))"
	case n.link != "":
		d.write("(")
		if n.args[0].kind == kRow {
			d.write("(")
			d.list(n.args[0].args)
			d.write(")")
		} else {
			d.print(n.args[0], true)
		}
		word := n.link
		if word == "=" {
			word = "IN"
		}
		open, shut = " "+word+" (", "))"
	}
	d.write(open)
	d.subquery(n.query, false)
	d.write(shut)
}

// streaming writes the clauses that make a query continuous, as they were written.
func (d *deparser) streaming(q *ast.Query) {
	rest := ast.Query{Body: &ast.Select{}, Emit: q.Emit, Late: q.Late, Sink: q.Sink, Options: q.Options}
	text := strings.TrimPrefix(ast.String(&rest), "SELECT")
	if text != "" {
		d.line(text, -indentStd, indentStd, 0)
	}
}
