package pgcatalog

import (
	"strings"

	"velostream/catalog"
	"velostream/catalog/types"
)

// Printer prints stored expressions and queries with their types and today's
// names, as PostgreSQL does. ok is false where it cannot: they are shown as
// they were written then.
type Printer interface {
	// Expr prints an expression over the columns of r that is to be of type want,
	// of any where want is zero; call: it is a bare function call.
	Expr(r *catalog.Relation, text string, want types.Type, pretty bool) (out string, call, ok bool)
	// Domain prints an expression over VALUE, a value of u.
	Domain(u *catalog.UserType, text string, want types.Type, pretty bool) (out string, ok bool)
	// Query prints the query of a view; wrap is how long lines may be before the
	// next select item begins another, 0: each begins one.
	Query(r *catalog.Relation, pretty bool, wrap int) (out string, ok bool)
	// Reads are the columns that the query of a view reads of the relations it names.
	Reads(r *catalog.Relation) []catalog.Access
}

// exprText is a stored expression over r's columns.
func (c *Catalog) exprText(r *catalog.Relation, text string, want types.Type, pretty bool) (out string, call bool) {
	if c.Printer != nil && text != "" {
		if out, call, ok := c.Printer.Expr(r, text, want, pretty); ok {
			return out, call
		}
	}
	if pretty {
		return text, false
	}
	return parenthesised(text), false
}

// domainText is a stored expression over a value of u.
func (c *Catalog) domainText(u *catalog.UserType, text string, want types.Type, pretty bool) string {
	if c.Printer != nil && text != "" {
		if out, ok := c.Printer.Domain(u, text, want, pretty); ok {
			return out
		}
	}
	if pretty {
		return text
	}
	return parenthesised(text)
}

// viewText is a view's query as pg_get_viewdef gives it: a clause a line.
func (c *Catalog) viewText(r *catalog.Relation, pretty bool, wrap int) string {
	q := viewQuery(r)
	if q == "" {
		return ""
	}
	if c.Printer != nil {
		if out, ok := c.Printer.Query(r, pretty, wrap); ok {
			return out
		}
	}
	return layOut(strings.TrimRight(strings.TrimSpace(q), "; \n")) + ";"
}

// getExpr is pg_get_expr: the text of a stored expression, which the catalogs have
// as it is when it is not pretty.
func getExpr(c *Catalog, a []types.Datum) (any, error) {
	text := string(a[0].B)
	r := c.relation(oidArg(a[1]))
	if len(a) < 3 || !a[2].Bool() || r == nil {
		return text, nil
	}
	var want types.Type
	for _, col := range columnsOf(r) { // a conversion to the column's type is not shown
		if hasDefault(col.Column) && c.defaultText(r, col.Column) == text {
			want = col.Type
			if col.Computed != "" {
				text = col.Computed
			} else if col.Default != "" && col.Sequence == 0 {
				text = col.Default
			}
		}
	}
	out, _ := c.exprText(r, text, want, true)
	return out, nil
}

// FunctionName is the name of a function, qualified where search_path does not find it.
func (c *Catalog) FunctionName(oid uint32) string {
	p, ok := c.findProc(oid)
	switch {
	case !ok:
		return itoa(int(oid))
	case p.user != nil && !c.inPath(p.user.Schema):
		return quoteIdent(p.user.Schema) + "." + quoteIdent(p.Name)
	}
	return quoteIdent(p.Name)
}

// TypeName is the SQL name of a type, qualified where search_path does not find it.
func (c *Catalog) TypeName(t types.Type) string {
	if name := bareName(t.OID); name != "" && t.Mod < 0 {
		return name
	}
	return c.typeName(t.OID, t.Mod)
}
