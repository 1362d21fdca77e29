package pgcatalog

import (
	"slices"
	"strings"

	"velostream/catalog"
	"velostream/catalog/types"
	"velostream/pgwire/pgerror"
)

// index is an index as the catalogs show it: that of a primary key, or a
// secondary one.
type index struct {
	oid        uint32
	name       string
	rel        *catalog.Relation
	columns    []int                // by position, key columns first; as in catalog.Index
	of         *catalog.Index       // nil: of a primary key
	keys       int                  // how many are key columns
	order      []catalog.IndexOrder // of the key columns
	unique     bool
	primary    bool
	nullsEqual bool
	valid      bool
	comment    string
}

// indexes lists all indexes.
func (c *Catalog) indexes() []index {
	if c.allIndex == nil {
		for _, r := range c.relations() {
			c.allIndex = append(c.allIndex, indexesOf(r)...)
		}
	}
	return c.allIndex
}

// indexesOf lists the indexes of r, the primary key's first.
func indexesOf(r *catalog.Relation) []index {
	var out []index
	if r.PrimaryKey && len(r.Key) > 0 {
		out = append(out, index{
			oid: baseIndex + r.ID, name: r.KeyConstraint(), rel: r, columns: r.Key, keys: len(r.Key),
			order: make([]catalog.IndexOrder, len(r.Key)), unique: true, primary: true, valid: true,
		})
	}
	for n := range r.Indexes {
		i := &r.Indexes[n]
		x := index{
			of: i, oid: i.ID, name: i.Name, rel: r, columns: append(append([]int(nil), i.Columns...), i.Include...), keys: len(i.Columns),
			order: i.Order, unique: i.Unique, nullsEqual: i.NullsEqual, valid: !i.Building, comment: i.Comment,
		}
		if x.order == nil {
			x.order = make([]catalog.IndexOrder, x.keys)
		}
		out = append(out, x)
	}
	return out
}

// text is the statement that makes the index, as pg_get_indexdef prints it.
func (x *index) text(c *Catalog, pretty bool) string {
	names := x.keyTexts(c, pretty)
	for i, o := range x.order {
		names[i] += orderText(o)
	}
	s := "CREATE "
	if x.unique {
		s += "UNIQUE "
	}
	table := quoteIdent(x.rel.Schema) + "." + quoteIdent(x.rel.Name)
	if pretty {
		table = c.qualified(x.rel.Schema, x.rel.Name)
	}
	s += "INDEX " + quoteIdent(x.name) + " ON " + table +
		" USING btree (" + strings.Join(names[:x.keys], ", ") + ")"
	if x.keys < len(names) {
		s += " INCLUDE (" + strings.Join(names[x.keys:], ", ") + ")"
	}
	if x.nullsEqual {
		s += " NULLS NOT DISTINCT"
	}
	if x.of != nil && x.of.Where != nil {
		where, _ := c.exprText(x.rel, x.of.Where.Text, types.Bool, pretty)
		s += " WHERE " + where
	}
	return s
}

// keyTexts are the columns and expressions of the index as its definition writes them.
func (x *index) keyTexts(c *Catalog, pretty bool) []string {
	out := quoteAll(x.names(x.columns))
	for i, k := range x.columns {
		if k < 0 {
			e := x.of.Expr(k)
			text, call := c.exprText(x.rel, e.Text, types.Type{}, pretty)
			if out[i] = text; !call {
				out[i] = "(" + text + ")"
			}
		}
	}
	return out
}

// expressions are the texts of the keys that are no columns, and the predicate; nil: none.
func (x *index) expressions(c *Catalog) (keys, where any) {
	if slices.ContainsFunc(x.columns, func(k int) bool { return k < 0 }) {
		keys = lazy(func() any {
			var list []string
			for _, k := range x.columns {
				if k < 0 {
					text, _ := c.exprText(x.rel, x.of.Expr(k).Text, types.Type{}, false)
					list = append(list, text)
				}
			}
			return strings.Join(list, ", ")
		})
	}
	if x.of != nil && x.of.Where != nil {
		where = lazy(func() any {
			text, _ := c.exprText(x.rel, x.of.Where.Text, types.Bool, false)
			return text
		})
	}
	return keys, where
}

// column is key column k as pg_attribute shows it.
func (x *index) column(k int) catalog.Column {
	if k >= 0 {
		return x.rel.Columns[k]
	}
	e := x.of.Expr(k)
	return catalog.Column{Name: e.Name, Type: e.Type}
}

// orderText is what follows a column of an index.
func orderText(o catalog.IndexOrder) string {
	s := ""
	if c := operatorClassRow(o.Class); c != nil && *c[opcDefault] != "t" {
		s = " " + *c[opcName]
	}
	switch {
	case o.Desc && o.NullsFirst:
		return s + " DESC"
	case o.Desc:
		return s + " DESC NULLS LAST"
	case o.NullsFirst:
		return s + " NULLS FIRST"
	}
	return s
}

func (x *index) names(columns []int) []string { return columnNames(x.rel, columns) }

func columnNames(r *catalog.Relation, columns []int) []string {
	out := make([]string, len(columns))
	for i, k := range columns {
		if k >= 0 && k < len(r.Columns) {
			out[i] = r.Columns[k].Name
		}
	}
	return out
}

// findIndex finds an index by OID.
func (c *Catalog) findIndex(oid uint32) (index, bool) {
	if oid >= baseIndex && oid < baseConstraint {
		r := c.Snapshot.ByID(oid - baseIndex)
		if r == nil {
			return index{}, false
		}
		for _, x := range indexesOf(r) {
			if x.oid == oid {
				return x, true
			}
		}
		return index{}, false
	}
	if oid < catalog.FirstID || c.Snapshot.ByID(oid) != nil {
		return index{}, false
	}
	for _, x := range c.indexes() {
		if x.oid == oid {
			return x, true
		}
	}
	return index{}, false
}

// indexNamed is the OID of the index schema.name, 0: none.
func (c *Catalog) indexNamed(schema, name string) uint32 {
	for _, x := range c.indexes() {
		if x.rel.Schema == schema && x.name == name {
			return x.oid
		}
	}
	return 0
}

// numbers are attribute numbers of column positions.
func numbers(columns []int) []int {
	out := make([]int, len(columns))
	for i, k := range columns {
		out[i] = max(k+1, 0) // 0: an expression
	}
	return out
}

func (c *Catalog) indexRows(e *emitter) {
	for _, x := range c.indexes() {
		var coll, class []uint32
		var option []int
		for i, k := range x.columns[:x.keys] {
			t, o := x.column(k).Type, x.order[i]
			coll = append(coll, collationOf(t))
			if o.Class == 0 {
				o.Class = operatorClass(t)
			}
			class = append(class, o.Class)
			option = append(option, orderBits(o))
		}
		exprs, where := x.expressions(c)
		e.row(x.oid, x.rel.ID, len(x.columns), x.keys, x.unique, x.nullsEqual, x.primary, true, x.valid, true, true,
			numbers(x.columns), coll, class, option, exprs, where)
	}
}

// orderBits is o as in pg_index.indoption.
func orderBits(o catalog.IndexOrder) int {
	bits := 0
	if o.Desc {
		bits |= 1
	}
	if o.NullsFirst {
		bits |= 2
	}
	return bits
}

// Fields of a row of pg_opclass.
const (
	opcOID     = 0
	opcMethod  = 1
	opcName    = 2
	opcType    = 6
	opcDefault = 7
)

// operatorClasses are the rows of pg_opclass for btree.
func operatorClasses(yield func(row []*string) bool) {
	for _, row := range staticRows()["pg_opclass"] {
		if number(*row[opcMethod]) == oidBtree && !yield(row) {
			return
		}
	}
}

// operatorClass is the default btree operator class of a type, 0: none.
func operatorClass(t types.Type) uint32 {
	for row := range operatorClasses {
		if takes(row, t) && *row[opcDefault] == "t" {
			return number(*row[opcOID])
		}
	}
	return 0
}

// takes reports that the operator class is for t.
func takes(row []*string, t types.Type) bool {
	o := t.OID
	if o == types.OIDVarchar {
		o = types.OIDText
	} else if _, ok := t.Elem(); ok && o != types.OIDOidVector {
		o = types.OIDAnyArray
	}
	return types.OID(number(*row[opcType])) == o
}

func operatorClassRow(oid uint32) []*string {
	for row := range operatorClasses {
		if number(*row[opcOID]) == oid {
			return row
		}
	}
	return nil
}

// OperatorClass is the OID of the btree operator class schema.name, the schema may be empty.
// Errors: 42704 for one there is not, 42804 for one that is not for t.
func OperatorClass(schema, name string, t types.Type) (uint32, error) {
	for row := range operatorClasses {
		if *row[opcName] != name || schema != "" && schema != "pg_catalog" {
			continue
		}
		if !takes(row, t) {
			return 0, pgerror.New(pgerror.DatatypeMismatch, "operator class %q does not accept data type %s", name, t)
		}
		return number(*row[opcOID]), nil
	}
	return 0, pgerror.New(pgerror.UndefinedObject, "operator class %q does not exist for access method \"btree\"", name)
}
