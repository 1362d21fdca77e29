package pgcatalog

import (
	"slices"

	"velostream/catalog"
	"velostream/catalog/types"
)

// usageSources are the views of information_schema about what uses which types and
// columns.
func usageSources() map[string]source {
	grant := "grantor grantee udt_catalog udt_schema udt_name privilege_type is_grantable"
	return map[string]source{
		"view_column_usage": {"view_catalog view_schema view_name table_catalog table_schema table_name column_name", (*Catalog).viewColumnRows},
		"column_udt_usage":  {"udt_catalog udt_schema udt_name table_catalog table_schema table_name column_name", (*Catalog).columnTypeRows},
		"domain_udt_usage": {"udt_catalog udt_schema udt_name domain_catalog domain_schema domain_name", func(c *Catalog, e *emitter) {
			for _, t := range c.domains() {
				base := c.domainBase(t)
				if c.acts(c.typeOwner(base)) {
					schema, name := c.udt(base)
					e.row(c.Database, schema, name, c.Database, t.Schema, t.Name)
				}
			}
		}},
		"data_type_privileges": {
			"object_catalog object_schema object_name object_type dtd_identifier", (*Catalog).dataTypeRows,
		},
		"udt_privileges": {grant, (*Catalog).typePrivilegeRows}, "role_udt_grants": {grant, ofRoles((*Catalog).typePrivilegeRows)},
		"collation_character_set_applicability": {"collation_catalog collation_schema collation_name character_set_name", func(c *Catalog, e *emitter) {
			for _, n := range collations {
				e.row(c.Database, schemaPG, n, "UTF8")
			}
		}},
	}
}

// collations are those that there are, without that of the database.
var collations = []string{"C", "POSIX", "ucs_basic"}

// viewColumnRows are the columns of tables that views read, where the user owns the table.
func (c *Catalog) viewColumnRows(e *emitter) {
	if c.Printer == nil {
		return
	}
	for _, r := range c.relations() {
		if viewQuery(r) == "" {
			continue
		}
		for _, a := range c.Printer.Reads(r) {
			t := c.relation(a.Relation)
			if t == nil || !c.acts(t.Owner) {
				continue
			}
			for _, i := range slices.Sorted(slices.Values(a.Selected)) {
				if i < len(t.Columns) && !t.Columns[i].Hidden {
					e.row(c.Database, r.Schema, r.Name, c.Database, t.Schema, t.Name, t.Columns[i].Name)
				}
			}
		}
	}
}

// columnTypeRows are the types of columns that the user owns.
func (c *Catalog) columnTypeRows(e *emitter) {
	c.allRelations(func(r *catalog.Relation) {
		if r.Kind == catalog.Sequence {
			return
		}
		for _, col := range columnsOf(r) {
			t := col.Type
			if u := c.Snapshot.UserType(col.Domain); u != nil {
				t = c.domainBase(u)
			}
			if !c.acts(c.typeOwner(t)) {
				continue
			}
			schema, name := c.udt(t)
			e.row(c.Database, schema, name, c.Database, r.Schema, r.Name, col.Name)
		}
	})
}

// typeOwner is the role that owns t: that of the catalogs, where no user made it.
func (c *Catalog) typeOwner(t types.Type) string {
	if elem, ok := t.Elem(); ok && elem.IsUser() {
		t = elem
	}
	for _, u := range c.Snapshot.UserTypes("") {
		if u.OID() == t.OID {
			return u.Owner
		}
	}
	return system().all[0].rel.Owner
}

// dataTypeRows name the types of columns, domains, and parameters and results of functions.
func (c *Catalog) dataTypeRows(e *emitter) {
	c.allRelations(func(r *catalog.Relation) {
		if r.Kind == catalog.Sequence {
			return
		}
		for _, col := range columnsOf(r) {
			if c.seesColumn(r, col.num-1) {
				e.row(c.Database, r.Schema, r.Name, "TABLE", itoa(col.num))
			}
		}
	})
	for _, t := range c.domains() {
		e.row(c.Database, t.Schema, t.Name, "DOMAIN", "1")
	}
	for _, p := range c.procs() {
		schema := schemaPG
		if u := p.user; u != nil {
			schema = u.Schema
			if !c.seesFunction(u) {
				continue
			}
		}
		for i := range p.Args {
			e.row(c.Database, schema, p.Name+"_"+itoa(p.oid), "ROUTINE", itoa(i+1))
		}
		if p.Kind != 'a' {
			e.row(c.Database, schema, p.Name+"_"+itoa(p.oid), "ROUTINE", "0")
		}
	}
}

// typePrivilegeRows are the grants of row types, which everybody may use.
func (c *Catalog) typePrivilegeRows(e *emitter) {
	for _, r := range c.relations() {
		if r.Kind == catalog.Sequence || r.Kind == catalog.Sink {
			continue
		}
		c.everybodys(r.Owner, func(grantor, grantee, grantable string) {
			e.row(grantor, grantee, c.Database, r.Schema, r.Name, "TYPE USAGE", grantable)
		})
	}
}

// domainUsageRows are the grants of domains, for usage_privileges.
func (c *Catalog) domainUsageRows(e *emitter) {
	for _, t := range c.domains() {
		c.everybodys(t.Owner, func(grantor, grantee, grantable string) {
			e.row(grantor, grantee, c.Database, t.Schema, t.Name, "DOMAIN", "USAGE", grantable)
		})
	}
}

// everybodys calls f with what a type without grants has: everybody may use it, and its owner
// may grant that.
func (c *Catalog) everybodys(owner string, f func(grantor, grantee, grantable string)) {
	if !c.rolesOnly || c.acts(owner) {
		f(owner, "PUBLIC", "NO")
	}
	if c.acts(owner) {
		f(owner, owner, "YES")
	}
}
