package pgcatalog

// typeSources are pg_type and the catalogs that are the same on every server.
func typeSources() map[string]source {
	base := static("pg_type")
	m := map[string]source{
		"pg_type": {base.columns, func(c *Catalog, e *emitter) {
			base.rows(c, e)
			c.rowTypes(e)
			c.userTypeRows(e)
			c.mapTypeRows(e)
		}},
		"pg_enum": {"oid enumtypid enumsortorder enumlabel", (*Catalog).enumRows},
	}
	for _, n := range []string{"pg_am", "pg_language", "pg_tablespace", "pg_collation", "pg_opfamily", "pg_opclass", "pg_cast"} {
		m[n] = static(n)
	}
	return m
}

// rowTypes are the composite types of relations and their arrays.
func (c *Catalog) rowTypes(e *emitter) {
	n := len(columnsOf(relationOf("pg_type")))
	for _, r := range c.relations() {
		ns := c.schemaOID(r.Schema)
		e.row(typeRow(n, rowTypeOID(r), r.Name, ns, r.ID, 0, baseRowArray+r.ID, "c", "C", "record", c.owner(r))...)
		e.row(typeRow(n, baseRowArray+r.ID, "_"+r.Name, ns, 0, rowTypeOID(r), 0, "b", "A", "array", c.owner(r))...)
	}
}

func typeRow(n int, oid uint32, name string, ns, rel, elem, array uint32, kind, category, io string, owner uint32) []any {
	row := make([]any, n)
	f := func(suffix string) uint32 { return builtins().byName[io+suffix] }
	subscript := uint32(0)
	if io == "array" {
		subscript = builtins().byName["array_subscript_handler"]
	}
	copy(row, []any{
		oid, name, ns, owner, -1, false, kind, category, false, true, ",", rel, subscript, elem, array,
		f("_in"), f("_out"), f("_recv"), f("_send"), 0, 0, 0, "d", "x", false, 0, -1, 0, 0,
	})
	return row
}
