package pgcatalog

import (
	"strings"

	"velostream/catalog"
	"velostream/catalog/types"
)

// attributeSources are pg_attribute and pg_attrdef.
func attributeSources() map[string]source {
	return map[string]source{
		"pg_attribute": {"attrelid attname atttypid attstattarget attlen attnum attndims attcacheoff atttypmod attbyval attalign " +
			"attstorage attnotnull atthasdef attgenerated attislocal attcollation attcompression attidentity attisdropped attacl", (*Catalog).attributeRows},
		"pg_attrdef": {"oid adrelid adnum adbin", (*Catalog).defaultRows},
	}
}

func (c *Catalog) attributeRows(e *emitter) {
	for i := range system().all {
		attributesOf(e, system().all[i].rel)
	}
	for _, r := range c.composites() {
		attributesOf(e, r)
	}
	for _, r := range c.relations() {
		attributesOf(e, r)
		for _, x := range indexesOf(r) {
			for i, k := range x.columns {
				attributeRow(e, x.oid, i+1, x.column(k), false)
			}
		}
	}
}

func attributesOf(e *emitter, r *catalog.Relation) {
	for i, col := range r.Columns {
		if col.Dropped {
			e.row(r.ID, "........pg.dropped."+itoa(i+1)+"........", 0, 0, col.Type.Len(), i+1, 0, -1, -1, false, "i", "p",
				false, false, "", true, 0, "", "", true, nil)
			continue
		}
		if col.Hidden {
			continue
		}
		if e.over {
			return
		}
		for _, k := range r.Key {
			col.NotNull = col.NotNull || r.PrimaryKey && k == i
		}
		attributeRow(e, r.ID, i+1, col, true)
	}
}

func attributeRow(e *emitter, rel uint32, num int, col catalog.Column, defaults bool) {
	dims := 0
	if _, ok := col.Type.Elem(); ok {
		dims = 1
	}
	generated := ""
	if col.Computed != "" && defaults {
		generated = "s"
	}
	identity := ""
	if defaults {
		identity = map[string]string{"ALWAYS": "a", "BY DEFAULT": "d"}[col.Identity]
	}
	var acl any
	if defaults && len(col.ACL) > 0 {
		acl = aclText(col.ACL)
	}
	byval, align, storage := layout(col.Type)
	declared := col.Declared()
	e.row(rel, col.Name, declared.OID, -1, col.Type.Len(), num, dims, -1, declared.Mod, byval, align, storage,
		col.NotNull, defaults && col.Default+col.Computed != "", generated, true, collationOf(col.Type), "", identity, false, acl)
}

// layout is how PostgreSQL would store values of t: passed by value, alignment,
// storage.
func layout(t types.Type) (byval bool, align, storage string) {
	switch t.Len() {
	case 1:
		return true, "c", "p"
	case 2:
		return true, "s", "p"
	case 4:
		return true, "i", "p"
	case 8:
		return true, "d", "p"
	case 16:
		if t.OID == types.OIDUUID {
			return false, "c", "p"
		}
		return false, "d", "p"
	case 64:
		return false, "c", "p"
	}
	if t.OID == types.OIDNumeric {
		return false, "i", "m"
	}
	return false, "i", "x"
}

// defaultText is the expression of a column's default or of a computed column.
// One that takes the next number of a sequence says what the sequence is called now.
func (c *Catalog) defaultText(r *catalog.Relation, col catalog.Column) string {
	if col.Computed != "" {
		out, _ := c.exprText(r, col.Computed, col.Type, false)
		return out
	}
	if s := c.relation(col.Sequence); s != nil && col.Identity == "" {
		return "nextval('" + strings.ReplaceAll(c.qualified(s.Schema, s.Name), "'", "''") + "'::regclass)"
	}
	out, _ := c.exprText(r, col.Default, col.Type, false)
	return out
}

// hasDefault reports that pg_attrdef has a row for col.
func hasDefault(col catalog.Column) bool {
	return col.Computed != "" || col.Default != "" || col.Sequence != 0 && col.Identity == ""
}

func (c *Catalog) defaultRows(e *emitter) {
	for _, r := range c.relations() {
		for _, col := range columnsOf(r) {
			if hasDefault(col.Column) {
				e.row(defaultOID(r, col.num), r.ID, col.num, lazy(func() any { return c.defaultText(r, col.Column) }))
			}
		}
	}
}
