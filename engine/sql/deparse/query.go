package deparse

import (
	"strconv"
	"strings"

	"velostream/catalog/types"
	"velostream/engine/sql/ast"
	"velostream/engine/sql/binder"
)

// target is an item of a select list.
type target struct {
	n    *node
	name string // of the output column
	key  bool   // marked PRIMARY KEY
}

// subquery writes a query inside another; visible: others see its columns' names.
func (d *deparser) subquery(q *ast.Query, visible bool) { d.query(q, nil, visible) }

// query writes q, whose columns are called names, nil: as the query says.
func (d *deparser) query(q *ast.Query, names []string, visible bool) {
	d.queryAs(q, names, d.outputTypes(q.Body), visible)
}

func (d *deparser) outputTypes(b ast.SelectBody) []types.Type {
	var out []types.Type
	for _, c := range d.trace.Outputs[b] {
		t := c.Type
		if t.OID == types.OIDUnknown {
			t = types.Text
		}
		out = append(out, t)
	}
	return out
}

// queryAs is query with the types that constants of no type become.
func (d *deparser) queryAs(q *ast.Query, names []string, want []types.Type, visible bool) {
	level, depth := d.level, len(d.spaces)
	d.enter(q.Body)
	d.with(q.With)
	set := d.body(q.Body, names, want, visible)
	if len(q.OrderBy) > 0 {
		d.line(" ORDER BY ", -indentStd, indentStd, 1)
		if set {
			d.setOrder(q.OrderBy, d.trace.Outputs[q.Body])
		} else {
			d.orderItems(q.OrderBy, d.targets())
		}
	}
	d.limit(q.Limit)
	d.streaming(q)
	d.level, d.spaces = level, d.spaces[:depth]
}

// enter gives names to what the query reads, before those of its WITH.
func (d *deparser) enter(b ast.SelectBody) {
	ns := &namespace{}
	switch b := b.(type) {
	case *ast.Select:
		for _, r := range b.From {
			d.gather(ns, r)
		}
	case *ast.TableCommand:
		d.gather(ns, b.Table)
	}
	d.spaces = append(d.spaces, ns)
}

func (d *deparser) targets() []target {
	if len(d.spaces) == 0 {
		return nil
	}
	return d.spaces[len(d.spaces)-1].targets
}

// body writes what stands before ORDER BY; set: it is a set operation or the like, whose
// columns are sorted by number. The names of a SELECT stay in sight.
func (d *deparser) body(b ast.SelectBody, names []string, want []types.Type, visible bool) (set bool) {
	switch b := b.(type) {
	case *ast.Select:
		d.selectCore(b, names, want, visible)
	case *ast.TableCommand:
		star := &ast.ColumnRef{Star: true}
		for _, c := range d.trace.Outputs[b] {
			d.trace.Stars[star] = append(d.trace.Stars[star], traced(d.trace.Items[b.Table].Table, c.Name))
		}
		s := &ast.Select{Items: []ast.SelectItem{{X: star}}, From: []ast.TableRef{b.Table}}
		d.trace.Outputs[s] = d.trace.Outputs[b]
		d.selectCore(s, names, want, visible)
	case *ast.Values:
		d.level += indentStd
		d.write(" ")
		d.values(b, want)
		return true
	case *ast.Query:
		d.queryAs(b, names, want, visible)
		return true
	case *ast.SetOp:
		d.setOp(b, names, want, visible)
		return true
	}
	return false
}

func (d *deparser) values(v *ast.Values, want []types.Type) {
	d.write("VALUES ")
	for i, row := range v.Rows {
		if i > 0 {
			d.write(", ")
		}
		d.write("(")
		for j, x := range row {
			if j > 0 {
				d.write(",")
			}
			n := d.expr(x)
			if j < len(want) {
				n = d.coerce(n, types.Type{OID: want[j].OID, Mod: -1}, true)
			}
			d.print(n, false)
		}
		d.write(")")
	}
}

// operand is what b is to a set operation, without the parentheses around it.
func operand(b ast.SelectBody) ast.SelectBody {
	for {
		q, ok := b.(*ast.Query)
		if !ok || q.With != nil || len(q.OrderBy) > 0 || q.Limit != nil {
			return b
		}
		b = q.Body
	}
}

func (d *deparser) setOp(s *ast.SetOp, names []string, want []types.Type, visible bool) {
	l, r := operand(s.L), operand(s.R)
	lop, nested := l.(*ast.SetOp)
	indent := 0
	if nested && (lop.Kind != s.Kind || lop.All != s.All) {
		d.write("(")
		indent = indentStd
		d.line("", indent, 0, 0)
		d.setSide(l, names, want, visible)
		d.line(") ", -indent, 0, 0)
	} else {
		d.setSide(l, names, want, visible)
		d.line("", 0, 0, 0)
	}
	d.write(string(s.Kind), " ")
	if s.All {
		d.write("ALL ")
	}
	_, nested = r.(*ast.SetOp)
	indent = 0
	if nested {
		d.write("(")
		indent = indentStd
	}
	d.line("", indent, 0, 0)
	d.setSide(r, names, want, false)
	d.level -= indent
	if nested {
		d.line(")", 0, 0, 0)
	}
}

// setSide writes an operand of a set operation.
func (d *deparser) setSide(b ast.SelectBody, names []string, want []types.Type, visible bool) {
	if s, ok := b.(*ast.SetOp); ok {
		d.setOp(s, names, want, visible)
		return
	}
	q, ok := b.(*ast.Query)
	if ok {
		d.write("(")
	} else {
		q = &ast.Query{Body: b}
	}
	d.queryAs(q, names, want, visible)
	if ok {
		d.write(")")
	}
}

func (d *deparser) selectCore(s *ast.Select, names []string, want []types.Type, visible bool) {
	d.level += indentStd
	d.write(" ")
	ns := d.spaces[len(d.spaces)-1]
	ns.targets = d.selectItems(s, names, want)
	d.write("SELECT")
	if len(s.DistinctOn) > 0 {
		d.write(" DISTINCT ON (")
		for i, x := range s.DistinctOn {
			if i > 0 {
				d.write(", ")
			}
			d.sortExpr(d.named(x, ns.targets, true))
		}
		d.write(")")
	} else if s.Distinct {
		d.write(" DISTINCT")
	}
	d.targetList(ns.targets, visible)
	if len(s.From) > 0 {
		d.from(s.From)
	}
	if s.Where != nil {
		d.line(" WHERE ", -indentStd, indentStd, 1)
		d.print(d.boolean(s.Where), false)
	}
	d.groupBy(s, ns.targets)
	if s.Window != nil {
		d.line(" WINDOW ", -indentStd, indentStd, 1)
		d.write(d.timeWindow(s.Window))
	}
	if s.Having != nil {
		d.line(" HAVING ", -indentStd, indentStd, 0)
		d.print(d.boolean(s.Having), false)
	}
	for i := range s.Windows {
		if i == 0 {
			d.line(" WINDOW ", -indentStd, indentStd, 1)
		} else {
			d.write(", ")
		}
		d.write(quote(s.Windows[i].Name), " AS ")
		d.windowSpec(&s.Windows[i])
	}
}

// selectItems are the items of a select list, stars written out.
func (d *deparser) selectItems(s *ast.Select, names []string, want []types.Type) []target {
	var out []target
	columns := d.trace.Outputs[s]
	add := func(n *node, name string, key bool) {
		i := len(out)
		t := target{n: n, name: name, key: key}
		if i < len(names) {
			t.name = names[i]
		}
		if n.t.OID == types.OIDUnknown && i < len(want) {
			t.n = d.coerce(n, types.Type{OID: want[i].OID, Mod: -1}, true)
		} else if n.t.OID == types.OIDUnknown {
			t.n = d.coerce(n, types.Text, true)
		}
		out = append(out, t)
	}
	for _, it := range s.Items {
		c, ok := it.X.(*ast.ColumnRef)
		if !ok || !c.Star {
			name := it.Alias
			if name == "" {
				name = binder.ColumnName(it.X)
			}
			add(d.expr(it.X), name, it.PrimaryKey)
			continue
		}
		for _, x := range d.trace.Stars[c] {
			add(d.columnNode(x.Table, x.Name, d.starType(columns, len(out))), x.Name, false)
		}
	}
	return out
}

func (d *deparser) targetList(list []target, visible bool) {
	several := false
	for i, t := range list {
		if i == 0 {
			d.write(" ")
		} else {
			d.write(", ")
		}
		text := d.aside(func() { d.target(t, visible) })
		if text != "" && text[0] == '\n' {
			d.trim()
		} else if i > 0 && d.Style.Wrap >= 0 && (d.lastLine()+len(text) > d.Style.Wrap || several) {
			d.line("", -indentStd, indentStd, indentVar)
		}
		several = strings.Contains(strings.TrimPrefix(text, "\n"), "\n")
		d.write(text)
	}
}

func (d *deparser) target(t target, visible bool) {
	d.print(t.n, true)
	switch {
	case t.n.kind == kVar && t.n.name != "":
		if t.n.name != t.name {
			d.write(" AS ", quote(t.name))
		}
	case visible || t.name != "?column?":
		d.write(" AS ", quote(t.name))
	}
	if t.key {
		d.write(" PRIMARY KEY")
	}
}

// named is the expression that an item of ORDER BY or GROUP BY means; outputs: names of
// the select list go before those of FROM.
func (d *deparser) named(x ast.Expr, targets []target, outputs bool) *node {
	switch x := x.(type) {
	case *ast.Literal:
		if n, err := strconv.Atoi(x.Text); err == nil && x.Kind == ast.LitInteger && n >= 1 && n <= len(targets) {
			return targets[n-1].n
		}
	case *ast.ColumnRef:
		_, column := d.trace.Columns[x]
		if len(x.Parts) != 1 || x.Star || column && !outputs {
			break
		}
		for _, t := range targets {
			if t.name == x.Parts[0] {
				return t.n
			}
		}
	}
	return d.expr(x)
}

// sortExpr writes an expression that rows are sorted or grouped by.
func (d *deparser) sortExpr(n *node) {
	if n.t.OID == types.OIDUnknown {
		n = d.coerce(n, types.Text, true)
	}
	call := n.kind == kCall && !n.construct || n.kind == kSQL || n.kind == kCast && n.function
	switch {
	case n.kind == kConst:
		d.constant(n, 1)
	case n.kind == kVar:
		d.print(n, true)
	case d.Style.Pretty || call:
		d.write("(")
		d.print(n, true)
		d.write(")")
	default:
		d.print(n, true)
	}
}

func (d *deparser) orderItems(items []ast.OrderItem, targets []target) {
	for i, o := range items {
		if i > 0 {
			d.write(", ")
		}
		d.sortExpr(d.named(o.X, targets, true))
		d.direction(o)
	}
}

// setOrder sorts by the columns of a set operation.
func (d *deparser) setOrder(items []ast.OrderItem, columns []outColumn) {
	for i, o := range items {
		if i > 0 {
			d.write(", ")
		}
		switch x := o.X.(type) {
		case *ast.Literal:
			d.write(x.Text)
		case *ast.ColumnRef:
			for j, c := range columns {
				if len(x.Parts) == 1 && c.Name == x.Parts[0] {
					d.write(strconv.Itoa(j + 1))
					break
				}
			}
		}
		d.direction(o)
	}
}

func (d *deparser) direction(o ast.OrderItem) {
	desc := o.Desc || o.Using != nil && strings.HasPrefix(o.Using.Symbol, ">")
	if desc {
		d.write(" DESC")
	}
	switch {
	case desc && o.Nulls == ast.NullsLast:
		d.write(" NULLS LAST")
	case !desc && o.Nulls == ast.NullsFirst:
		d.write(" NULLS FIRST")
	}
}

func (d *deparser) limit(l *ast.Limit) {
	if l == nil {
		return
	}
	number := func(x ast.Expr) {
		d.print(d.coerce(d.expr(x), types.Int8, true), false)
	}
	if l.Offset != nil {
		d.line(" OFFSET ", -indentStd, indentStd, 0)
		number(l.Offset)
	}
	switch {
	case l.Count == nil && !l.All:
	case l.WithTies:
		d.line(" FETCH FIRST ", -indentStd, indentStd, 0)
		d.write("(")
		number(l.Count)
		d.write(") ROWS WITH TIES")
	default:
		d.line(" LIMIT ", -indentStd, indentStd, 0)
		if l.Count == nil {
			d.write("ALL")
		} else {
			number(l.Count)
		}
	}
}
