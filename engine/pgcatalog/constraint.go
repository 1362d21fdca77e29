package pgcatalog

import (
	"velostream/catalog"
	"velostream/catalog/types"
)

// constraintSources are pg_constraint and pg_index.
func constraintSources() map[string]source {
	return map[string]source{
		"pg_constraint": {"oid conname connamespace contype convalidated conrelid conindid confupdtype confdeltype confmatchtype " +
			"conislocal connoinherit conkey", (*Catalog).constraintRows},
		"pg_index": {"indexrelid indrelid indnatts indnkeyatts indisunique indisprimary indimmediate indisvalid indisready indislive " +
			"indkey indcollation indclass indoption", (*Catalog).indexRows},
	}
}

func (c *Catalog) keyed() []*catalog.Relation {
	var out []*catalog.Relation
	for _, r := range c.relations() {
		if r.PrimaryKey && len(r.Key) > 0 {
			out = append(out, r)
		}
	}
	return out
}

func (c *Catalog) constraintRows(e *emitter) {
	for _, r := range c.keyed() {
		e.row(constraintOID(r), indexName(r), c.schemaOID(r.Schema), "p", true, r.ID, indexOID(r), " ", " ", " ", true, true, keyNumbers(r))
	}
}

func (c *Catalog) indexRows(e *emitter) {
	for _, r := range c.keyed() {
		var coll, class []uint32
		for _, k := range r.Key {
			coll = append(coll, collationOf(r.Columns[k].Type))
			class = append(class, operatorClass(r.Columns[k].Type))
		}
		e.row(indexOID(r), r.ID, len(r.Key), len(r.Key), true, true, true, true, true, true,
			keyNumbers(r), coll, class, make([]int, len(r.Key)))
	}
}

// operatorClass is the default btree operator class of a type, 0: none.
func operatorClass(t types.Type) uint32 {
	switch t.OID {
	case types.OIDVarchar:
		t.OID = types.OIDText
	default:
	}
	for _, row := range staticRows()["pg_opclass"] {
		if number(*row[1]) == oidBtree && types.OID(number(*row[6])) == t.OID && *row[7] == "t" {
			return number(*row[0])
		}
	}
	return 0
}
