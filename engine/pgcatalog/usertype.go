package pgcatalog

import (
	"velostream/catalog"
	"velostream/catalog/types"
)

// userTypeRows are the rows of pg_type of the types that users have made, and of their
// arrays.
func (c *Catalog) userTypeRows(e *emitter) {
	n := len(columnsOf(relationOf("pg_type")))
	for _, t := range c.Snapshot.UserTypes("") {
		ns, owner := c.schemaOID(t.Schema), c.roleOID(t.Owner)
		if t.Kind == catalog.DomainType {
			e.row(c.domainRow(n, t)...)
			continue
		}
		oid := uint32(t.OID())
		arr, _ := t.Type().Array()
		if t.Kind == catalog.CompositeType {
			e.row(typeRow(n, oid, t.Name, ns, t.ID, 0, uint32(arr.OID), "c", "C", "record", owner)...)
			e.row(typeRow(n, uint32(arr.OID), "_"+t.Name, ns, 0, oid, 0, "b", "A", "array", owner)...)
			continue
		}
		row := typeRow(n, oid, t.Name, ns, 0, 0, uint32(arr.OID), "e", "E", "enum", owner)
		row[4], row[5], row[22], row[23] = 4, true, "i", "p" // typlen, typbyval, typalign, typstorage
		e.row(row...)
		row = typeRow(n, uint32(arr.OID), "_"+t.Name, ns, 0, oid, 0, "b", "A", "array", owner)
		row[22] = "i"
		e.row(row...)
	}
}

func (c *Catalog) enumRows(e *emitter) {
	for _, t := range c.Snapshot.UserTypes("") {
		for i, l := range t.Labels {
			e.row(l.ID, uint32(t.OID()), float64(i+1), l.Label)
		}
	}
}

// userTyped is the schema and name of a user-made type or a relation's row type, and
// whether the OID is that of arrays of it.
func (c *Catalog) userTyped(oid types.OID) (schema, name string, array, ok bool) {
	t := types.Type{OID: oid, Mod: -1}
	if !t.IsUser() {
		return "", "", false, false
	}
	_, array = t.Elem()
	if u := c.Snapshot.UserType(t.UserID()); u != nil {
		return u.Schema, u.Name, array, true
	}
	if r := c.Snapshot.ByID(t.UserID()); r != nil && oid >= types.BaseRow {
		return r.Schema, r.Name, array, true
	}
	return "", "", false, false
}

// typeVisibleIn reports that search_path finds the type schema.name by its name alone.
func (c *Catalog) typeVisibleIn(schema, name string) bool {
	if types.IsBuiltin(name) {
		return schema == schemaPG
	}
	for _, s := range c.SearchPath {
		if s == schema {
			return true
		}
		if c.Snapshot.TypeTaken(s, name) {
			return false
		}
	}
	return false
}

// findUserType is the OID of a user-made type or row type, 0: there is none.
func (c *Catalog) findUserType(schema, name string) uint32 {
	for _, s := range c.path(schema) {
		if t := c.Snapshot.TypeNamed(s, name); t != nil {
			return uint32(t.OID())
		}
		if r := c.Snapshot.Relation(s, name); r != nil && r.Kind != catalog.Sequence {
			return rowTypeOID(r)
		}
	}
	return 0
}
