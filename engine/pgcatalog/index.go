package pgcatalog

import (
	"strings"

	"velostream/catalog"
	"velostream/catalog/types"
)

// index is an index as the catalogs show it: that of a primary key, or a
// secondary one.
type index struct {
	oid        uint32
	name       string
	rel        *catalog.Relation
	columns    []int // by position, key columns first
	keys       int   // how many are key columns
	unique     bool
	primary    bool
	nullsEqual bool
	valid      bool
	definition string
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
		x := index{
			oid: baseIndex + r.ID, name: r.KeyConstraint(), rel: r, columns: r.Key, keys: len(r.Key),
			unique: true, primary: true, valid: true,
		}
		x.definition = x.text()
		out = append(out, x)
	}
	for _, i := range r.Indexes {
		x := index{
			oid: i.ID, name: i.Name, rel: r, columns: append(append([]int(nil), i.Columns...), i.Include...), keys: len(i.Columns),
			unique: i.Unique, nullsEqual: i.NullsEqual, valid: !i.Building, comment: i.Comment,
		}
		x.definition = x.text()
		out = append(out, x)
	}
	return out
}

// text is the statement that makes the index, as pg_get_indexdef prints it.
func (x *index) text() string {
	names := quoteAll(x.names(x.columns))
	s := "CREATE "
	if x.unique {
		s += "UNIQUE "
	}
	s += "INDEX " + quoteIdent(x.name) + " ON " + quoteIdent(x.rel.Schema) + "." + quoteIdent(x.rel.Name) +
		" USING btree (" + strings.Join(names[:x.keys], ", ") + ")"
	if x.keys < len(names) {
		s += " INCLUDE (" + strings.Join(names[x.keys:], ", ") + ")"
	}
	if x.nullsEqual {
		s += " NULLS NOT DISTINCT"
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
		out[i] = k + 1
	}
	return out
}

func (c *Catalog) indexRows(e *emitter) {
	for _, x := range c.indexes() {
		var coll, class []uint32
		for _, k := range x.columns[:x.keys] {
			coll = append(coll, collationOf(x.rel.Columns[k].Type))
			class = append(class, operatorClass(x.rel.Columns[k].Type))
		}
		e.row(x.oid, x.rel.ID, len(x.columns), x.keys, x.unique, x.nullsEqual, x.primary, true, x.valid, true, true,
			numbers(x.columns), coll, class, make([]int, x.keys))
	}
}

// operatorClass is the default btree operator class of a type, 0: none.
func operatorClass(t types.Type) uint32 {
	if t.OID == types.OIDVarchar {
		t.OID = types.OIDText
	}
	for _, row := range staticRows()["pg_opclass"] {
		if number(*row[1]) == oidBtree && types.OID(number(*row[6])) == t.OID && *row[7] == "t" {
			return number(*row[0])
		}
	}
	return 0
}
