package session

import (
	"reflect"
	"slices"
	"strings"

	"velostream/catalog"
	"velostream/catalog/types"
	"velostream/engine/sql/ast"
	"velostream/engine/sql/parser"
)

// redefine is the CREATE statement def with the name of what it makes changed by f.
// Text that cannot be read stays as it is.
func redefine(def string, f func(n *ast.Name)) string {
	list, err := parser.Parse(def)
	if err != nil || len(list) != 1 {
		return def
	}
	switch n := list[0].Stmt.(type) {
	case *ast.CreateRelation:
		f(&n.Name)
	case *ast.CreateView:
		f(&n.Name)
	case *ast.CreateSink:
		f(&n.Name)
	case *ast.CreateSequence:
		f(&n.Name)
	default:
		return def
	}
	return ast.String(list[0].Stmt)
}

// define makes the definition of a changed native relation say what it is now.
func (a *alteration) define() { a.c.Definition = definition(a.snap, a.c) }

// definition is the CREATE statement of a native table or stream.
func definition(snap *catalog.Snapshot, r *catalog.Relation) string {
	var items []string
	for i, c := range r.Columns {
		if c.Hidden || c.Dropped {
			continue
		}
		d := ident(c.Name) + " " + typeText(snap, c.Declared())
		switch {
		case c.Computed != "":
			d += " GENERATED ALWAYS AS (" + c.Computed + ") STORED"
		case c.Identity != "":
			d += " GENERATED " + c.Identity + " AS IDENTITY"
		case c.Default != "":
			d += " DEFAULT " + defaultOf(snap, &c)
		}
		if c.NotNull {
			d += " NOT NULL"
		}
		items = append(items, d)
		_ = i
	}
	if r.PrimaryKey {
		items = append(items, "CONSTRAINT "+ident(r.KeyConstraint())+" PRIMARY KEY ("+identList(r, r.Key)+")")
	}
	for _, k := range r.Constraints {
		items = append(items, "CONSTRAINT "+ident(k.Name)+" "+constraintText(snap, r, k))
	}
	kind := "TABLE"
	if r.Kind == catalog.Stream {
		kind = "STREAM"
	}
	return "CREATE " + kind + " " + ident(r.Schema) + "." + ident(r.Name) + " (" + strings.Join(items, ", ") + ")"
}

// defaultOf is the text of c's default. The next number of a sequence is that of what the
// sequence is called now.
func defaultOf(snap *catalog.Snapshot, c *catalog.Column) string {
	if seq := snap.ByID(c.Sequence); seq != nil {
		return "nextval(" + ast.QuoteLiteral(ident(seq.Schema)+"."+ident(seq.Name)) + "::regclass)"
	}
	return c.Default
}

// typeText is a type as definitions name it.
func typeText(snap *catalog.Snapshot, t types.Type) string {
	u := snap.UserType(t.UserID())
	if u == nil {
		return t.String()
	}
	out := ident(u.Schema) + "." + ident(u.Name)
	if _, ok := t.Elem(); ok {
		out += "[]"
	}
	return out
}

func constraintText(snap *catalog.Snapshot, r *catalog.Relation, k catalog.Constraint) string {
	switch k.Kind {
	case catalog.Check:
		return "CHECK (" + k.Text + ")" + k.Attributes()
	case catalog.Unique:
		nulls := ""
		if x := r.Index(k.Index); x != nil && x.NullsEqual {
			nulls = "NULLS NOT DISTINCT "
		}
		return "UNIQUE " + nulls + "(" + identList(r, k.Columns) + ")"
	case catalog.ForeignKey:
	}
	parent := r
	if k.Ref != r.ID {
		if parent = snap.ByID(k.Ref); parent == nil {
			return ""
		}
	}
	out := "FOREIGN KEY (" + identList(r, k.Columns) + ") REFERENCES " + ident(parent.Schema) + "." + ident(parent.Name) +
		" (" + identList(parent, k.RefColumns) + ")"
	if k.MatchFull {
		out += " MATCH FULL"
	}
	if k.OnUpdate != "" {
		out += " ON UPDATE " + k.OnUpdate
	}
	if k.OnDelete != "" {
		out += " ON DELETE " + k.OnDelete
	}
	if len(k.SetColumns) > 0 {
		out += " (" + identList(r, k.SetColumns) + ")"
	}
	return out + k.Attributes()
}

func identList(r *catalog.Relation, cols []int) string {
	out := make([]string, len(cols))
	for i, c := range cols {
		out[i] = ident(r.Columns[c].Name)
	}
	return strings.Join(out, ", ")
}

func ident(s string) string { return ast.QuoteIdent(s) }

// renameIn gives column old of r its new name in the texts of constraints,
// generation expressions and the like.
func renameIn(r *catalog.Relation, old, name string) {
	fix := func(text string) string {
		if text == "" {
			return ""
		}
		x, err := parser.ParseExpr(text)
		if err != nil {
			return text
		}
		renameRefs(reflect.ValueOf(&x).Elem(), r.Name, old, name)
		return ast.String(x)
	}
	for i := range r.Columns {
		r.Columns[i].Computed = fix(r.Columns[i].Computed)
	}
	for i := range r.Constraints {
		r.Constraints[i].Text = fix(r.Constraints[i].Text)
	}
	for i := range r.Indexes {
		x := &r.Indexes[i]
		x.Exprs = slices.Clone(x.Exprs)
		for j := range x.Exprs {
			x.Exprs[j].Text = fix(x.Exprs[j].Text)
		}
		if x.Where != nil {
			w := *x.Where
			w.Text = fix(w.Text)
			x.Where = &w
		}
	}
}

// renameRefs walks a syntax tree and renames the references to a column. Trees
// have no visitor of their own: this is the one place that changes them.
func renameRefs(v reflect.Value, rel, old, name string) {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			return
		}
		if c, ok := reflect.TypeAssert[*ast.ColumnRef](v); ok {
			n := len(c.Parts)
			if n > 0 && c.Parts[n-1] == old && (n == 1 || c.Parts[n-2] == rel) {
				c.Parts[n-1] = name
			}
			return
		}
		renameRefs(v.Elem(), rel, old, name)
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				renameRefs(v.Field(i), rel, old, name)
			}
		}
	case reflect.Slice:
		for i := range v.Len() {
			renameRefs(v.Index(i), rel, old, name)
		}
	default:
	}
}
