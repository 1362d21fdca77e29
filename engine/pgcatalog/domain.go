package pgcatalog

import (
	"velostream/catalog"
	"velostream/catalog/types"
)

// domains are the domains that users have made.
func (c *Catalog) domains() []*catalog.UserType {
	var out []*catalog.UserType
	for _, t := range c.Snapshot.UserTypes("") {
		if t.Kind == catalog.DomainType {
			out = append(out, t)
		}
	}
	return out
}

// domainBase is the type that a domain is declared over: its base type, or a domain.
func (c *Catalog) domainBase(t *catalog.UserType) types.Type {
	if b := c.Snapshot.UserType(t.BaseDomain); b != nil {
		return b.Type()
	}
	return t.Base
}

// domainRow is a domain's row of pg_type.
func (c *Catalog) domainRow(n int, t *catalog.UserType) []any {
	base := c.domainBase(t)
	byval, align, storage := layout(t.Base)
	row := typeRow(n, uint32(t.OID()), t.Name, c.schemaOID(t.Schema), 0, 0, 0, "d", string(t.Base.Category()), "domain", c.roleOID(t.Owner))
	row[4], row[5], row[22], row[23] = t.Base.Len(), byval, align, storage
	row[24], row[25] = t.NotNull, uint32(base.OID)
	row[16] = outputOf(t.Base) // of the base type; the others are the domain's
	if base.OID == t.Base.OID {
		row[26] = t.Base.Mod
	}
	row[28] = collationOf(t.Base)
	if len(row) > 30 && t.Default != "" {
		def := lazy(func() any { return c.domainText(t, t.Default, t.Base, false) })
		row[29], row[30] = def, def
	}
	return row
}

// domainFacts is what information_schema tells of the type that t is declared over.
func (c *Catalog) domainFacts(t *catalog.UserType) (f typeFacts, udtSchema, udtName string) {
	base := c.domainBase(t)
	f = describeType(base)
	udtSchema, udtName = c.udt(base)
	return f, udtSchema, udtName
}

// outputOf is the output function of a built-in type.
func outputOf(t types.Type) uint32 {
	for _, row := range staticRows()["pg_type"] {
		if types.OID(number(*row[0])) == t.OID && row[16] != nil {
			return number(*row[16])
		}
	}
	return builtins().byName["enum_out"]
}

// domainCheck is the condition of a CHECK of a domain.
func (c *Catalog) domainCheck(t *catalog.UserType, k catalog.DomainCheck, pretty bool) string {
	return c.domainText(t, k.Text, types.Bool, pretty)
}

func (c *Catalog) domainCheckText(t *catalog.UserType, k catalog.DomainCheck, pretty bool) string {
	s := "CHECK (" + c.domainCheck(t, k, pretty) + ")"
	if k.NotValid {
		s += " NOT VALID"
	}
	return s
}

// domainConstraintRows are the rows of pg_constraint.
func (c *Catalog) domainConstraintRows(e *emitter) {
	for _, t := range c.domains() {
		for _, k := range t.Checks {
			e.row(k.ID, k.Name, c.schemaOID(t.Schema), "c", false, false, !k.NotValid, 0, 0, 0, " ", " ", " ", true, false, nil, nil, nil,
				lazy(func() any { return c.domainCheck(t, k, false) }), uint32(t.OID()))
		}
	}
}

func (c *Catalog) infoDomainRows(e *emitter) {
	for _, t := range c.domains() {
		d, udtSchema, udtName := c.domainFacts(t)
		var collCatalog, collSchema, collName any
		if collationOf(t.Base) == oidCollC {
			collCatalog, collSchema, collName = c.Database, schemaPG, "C"
		}
		var def any
		if t.Default != "" {
			def = lazy(func() any { return c.domainText(t, t.Default, t.Base, false) })
		}
		e.row(c.Database, t.Schema, t.Name, d.name, d.length, d.octets, collCatalog, collSchema, collName,
			d.precision, d.radix, d.scale, d.times, def, c.Database, udtSchema, udtName, "1")
	}
}

func (c *Catalog) infoDomainConstraintRows(e *emitter) {
	for _, t := range c.domains() {
		for _, k := range t.Checks {
			e.row(c.Database, t.Schema, k.Name, c.Database, t.Schema, t.Name, "NO", "NO")
		}
	}
}

func (c *Catalog) columnDomainRows(e *emitter) {
	for _, r := range c.seen() {
		for _, col := range columnsOf(r) {
			if t := c.Snapshot.UserType(col.Domain); t != nil {
				e.row(c.Database, t.Schema, t.Name, c.Database, r.Schema, r.Name, col.Name)
			}
		}
	}
}
