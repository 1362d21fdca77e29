package pgcatalog

import (
	"slices"

	"velostream/catalog/types"
)

// mapTypeRows are the rows of pg_type of the map types that columns have, and of their
// arrays: to clients a map is a domain over jsonb.
func (c *Catalog) mapTypeRows(e *emitter) {
	var found []types.OID
	for _, r := range c.relations() {
		for i := range r.Columns {
			t := r.Columns[i].Type
			if elem, ok := t.Elem(); ok {
				t = elem
			}
			if t.IsMap() && !r.Columns[i].Dropped {
				found = append(found, t.OID)
			}
		}
	}
	slices.Sort(found)
	n := len(columnsOf(relationOf("pg_type")))
	ns, base := c.schemaOID(schemaPG), uint32(types.OIDJSONB)
	for _, o := range slices.Compact(found) {
		t := types.Type{OID: o, Mod: -1}
		arr, _ := t.Array()
		row := typeRow(n, uint32(o), t.String(), ns, 0, 0, uint32(arr.OID), "d", "U", "domain", oidSuperuser)
		row[16], row[22], row[23], row[25] = outputOf(types.JSONB), "i", "x", base
		e.row(row...)
		e.row(typeRow(n, uint32(arr.OID), "_"+t.String(), ns, 0, uint32(o), 0, "b", "A", "array", oidSuperuser)...)
	}
}
