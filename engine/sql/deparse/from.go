package deparse

import (
	"velostream/catalog/types"
	"velostream/engine/sql/ast"
)

// from writes the FROM clause.
func (d *deparser) from(refs []ast.TableRef) {
	for i, r := range refs {
		if i == 0 {
			d.line(" FROM ", -indentStd, indentStd, 2)
			d.tableRef(r)
			continue
		}
		d.write(", ")
		text := d.aside(func() { d.tableRef(r) })
		switch {
		case text != "" && text[0] == '\n':
			d.trim()
		case d.Style.Wrap >= 0 && d.lastLine()+len(text) > d.Style.Wrap:
			d.line("", -indentStd, indentStd, indentVar)
		}
		d.write(text)
	}
}

func (d *deparser) itemOf(r ast.TableRef) *item {
	for _, it := range d.spaces[len(d.spaces)-1].items {
		if it.ref == r {
			return it
		}
	}
	return &item{}
}

func (d *deparser) tableRef(r ast.TableRef) {
	it := d.itemOf(r)
	switch r := r.(type) {
	case *ast.Join:
		d.join(r)
	case *ast.TableName:
		d.tableName(r, it)
	case *ast.SubqueryRef:
		if r.Lateral {
			d.write("LATERAL ")
		}
		d.write("(")
		d.subquery(r.Query, true)
		d.write(") ", quote(it.name))
		d.columnList(it)
	case *ast.FuncRef:
		d.funcRef(r, it)
	case *ast.WindowRef:
		d.windowRef(r, it)
	default:
		d.cannot(r)
	}
}

// relationName is what a TableName names, as it is called now.
func (d *deparser) relationName(r *ast.TableName) (full, name string) {
	tr := d.trace.Items[r]
	if tr.Relation == 0 {
		return quote(r.Name.Last()), r.Name.Last()
	}
	full, name = d.Names.Name(types.OIDRegclass, tr.Relation), r.Name.Last()
	if cur := d.relation(tr.Relation); cur != nil {
		name = cur.Name
	}
	return full, name
}

func (d *deparser) tableName(r *ast.TableName, it *item) {
	full, name := d.relationName(r)
	if r.Only {
		d.write("ONLY ")
	}
	d.write(full)
	if r.AsOf != nil {
		d.write(" FOR SYSTEM_TIME AS OF ", d.dialect(r.AsOf.Time))
	}
	for _, c := range it.columns { // those that were given names
		if tr := r.Alias; !c.hidden && tr != nil && len(tr.Columns) > 0 {
			it.list = true
		}
	}
	if r.Alias != nil || it.list || it.name != name {
		d.write(" ", quote(it.name))
	}
	d.columnList(it)
}

// columnList writes the names of an item's columns, where they are its own.
func (d *deparser) columnList(it *item) {
	if !it.list {
		return
	}
	sep := "("
	for _, c := range it.columns {
		if !c.hidden {
			d.write(sep, quote(c.now))
			sep = ", "
		}
	}
	if sep != "(" {
		d.write(")")
	}
}

func (d *deparser) funcRef(r *ast.FuncRef, it *item) {
	d.own = false
	text := d.aside(func() {
		if r.RowsFrom && len(r.Funcs) > 1 {
			d.write("ROWS FROM(")
		}
		for i, f := range r.Funcs {
			if i > 0 {
				d.write(", ")
			}
			d.print(d.expr(f.X), true)
		}
		if r.RowsFrom && len(r.Funcs) > 1 {
			d.write(")")
		}
	})
	if r.Lateral || d.own {
		d.write("LATERAL ")
	}
	d.write(text)
	if r.Ordinality {
		d.write(" WITH ORDINALITY")
	}
	d.write(" ", quote(it.name))
	d.columnList(it)
}

var windowNames = map[ast.WindowKind]string{ast.Tumbling: "TUMBLE(", ast.Hop: "HOP(", ast.Session: "SESSION(", ast.Cumulate: "CUMULATE("}

func (d *deparser) windowRef(r *ast.WindowRef, it *item) {
	d.write(windowNames[r.Window.Kind])
	name := ""
	switch in := r.Input.(type) {
	case *ast.TableName:
		var full string
		full, name = d.relationName(in)
		d.write(full)
	case *ast.SubqueryRef:
		d.write("(")
		d.subquery(in.Query, true)
		d.write(")")
		if in.Alias != nil {
			d.write(" ", quote(in.Alias.Name))
		}
	}
	w := r.Window
	for _, x := range []ast.Expr{w.TimeCol, w.Gap, w.Advance, w.Size, w.Offset, w.MaxDuration} {
		if x != nil {
			d.write(", ", d.dialectBare(x))
		}
	}
	for _, k := range w.Keys {
		d.write(", ", d.dialectBare(k))
	}
	d.write(")")
	if r.Alias != nil || it.name != name {
		d.write(" ", quote(it.name))
	}
	d.columnList(it)
}

// dialect is x, an argument of a clause that PostgreSQL has not.
func (d *deparser) dialect(x ast.Expr) string {
	if c, ok := x.(*ast.ColumnRef); ok {
		return d.column(c).text
	}
	return ast.String(x)
}

// dialectBare is dialect with columns by their names alone: those of the function's own input.
func (d *deparser) dialectBare(x ast.Expr) string {
	if c, ok := x.(*ast.ColumnRef); ok {
		return quote(d.column(c).name)
	}
	return ast.String(x)
}

func (d *deparser) join(r *ast.Join) {
	nested, right := r.R.(*ast.Join)
	around := !d.Style.Pretty || r.Alias != nil
	if around {
		d.write("(")
	}
	d.tableRef(r.L)
	using := d.using(r)
	word := map[ast.JoinKind]string{ast.LeftJoin: "LEFT ", ast.RightJoin: "RIGHT ", ast.FullJoin: "FULL "}[r.Kind]
	if r.On == nil && len(using) == 0 && word == "" && !r.AsOf && r.Within == nil {
		word = "CROSS "
	}
	if r.AsOf {
		word = "ASOF " + word
	}
	d.line(" "+word+"JOIN ", -indentStd, indentStd, indentJoin)
	parens := d.Style.Pretty && right && nested.Alias == nil
	if parens {
		d.write("(")
	}
	d.tableRef(r.R)
	if parens {
		d.write(")")
	}
	if r.Within != nil {
		d.write(" WITHIN ", d.dialect(r.Within))
	}
	switch {
	case len(using) > 0:
		d.write(" USING (")
		for i, u := range using {
			if i > 0 {
				d.write(", ")
			}
			if n := d.side(d.spaces[len(d.spaces)-1], r.L, u); n != nil {
				u = n.name
			}
			d.write(quote(u))
		}
		d.write(")")
		if r.UsingAlias != "" {
			d.write(" AS ", quote(r.UsingAlias))
		}
	case r.On != nil:
		d.write(" ON ")
		d.open()
		d.print(d.boolean(r.On), false)
		d.shut()
	case word == "LEFT " || word == "RIGHT " || word == "FULL ":
		d.write(" ON TRUE")
	}
	if around {
		d.write(")")
	}
	if r.Alias != nil {
		it := d.itemOf(r)
		it.list = len(r.Alias.Columns) > 0
		d.write(" ", quote(it.name))
		d.columnList(it)
	}
}
