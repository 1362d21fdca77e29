package pgcatalog

import (
	"sort"

	"velostream/catalog"
)

// classSources are pg_namespace, pg_class and what lists relations by OID.
func classSources() map[string]source {
	return map[string]source{
		"pg_namespace": {"oid nspname nspowner nspacl", (*Catalog).namespaceRows},
		"pg_class": {"oid relname relnamespace reltype relowner relam relfilenode relpages reltuples relhasindex " +
			"relpersistence relkind relnatts relhasrules relispopulated relreplident reloptions relisshared relacl", (*Catalog).classRows},
		"pg_rewrite": {"oid rulename ev_class ev_type ev_enabled is_instead ev_qual ev_action", (*Catalog).ruleRows},
		"pg_depend":  {"classid objid objsubid refclassid refobjid refobjsubid deptype", (*Catalog).dependRows},
	}
}

func (c *Catalog) namespaceRows(e *emitter) {
	for _, s := range c.allSchemas() {
		e.row(s.oid, s.name, c.roleOID(c.Snapshot.SchemaRights(s.name).Owner), schemaACL(c, s.name))
	}
}

// sharedClasses are the catalogs that all databases have in common.
var sharedClasses = map[string]bool{
	"pg_database": true, "pg_authid": true, "pg_auth_members": true, "pg_tablespace": true, "pg_shdepend": true,
	"pg_shdescription": true, "pg_shseclabel": true, "pg_db_role_setting": true, "pg_parameter_acl": true,
	"pg_replication_origin": true, "pg_subscription": true,
}

func (c *Catalog) classRows(e *emitter) {
	for i := range system().all {
		r := &system().all[i]
		am := 0
		if r.kind == 'r' {
			am = oidHeap
		}
		e.row(r.rel.ID, r.rel.Name, c.schemaOID(r.rel.Schema), 0, oidSuperuser, am, r.rel.ID, 0, float64(-1), false,
			"p", r.kind, len(columnsOf(r.rel)), r.kind == 'v', true, "n", nil, r.rel.Schema == schemaPG && sharedClasses[r.rel.Name],
			systemACL(r.rel))
	}
	for _, r := range c.relations() {
		kind := relkind(r)
		am := 0
		if kind == 'r' || kind == 'm' {
			am = oidHeap
		}
		e.row(r.ID, r.Name, c.schemaOID(r.Schema), rowTypeOID(r), c.owner(r), am, r.ID, c.size(r)/pageBytes, float64(-1),
			len(indexesOf(r)) > 0, "p", kind, attributes(r), viewQuery(r) != "", true, "d", relationOptions(r), false, aclText(r.ACL))
		for _, x := range indexesOf(r) {
			e.row(x.oid, x.name, c.schemaOID(r.Schema), 0, c.owner(r), oidBtree, x.oid, 0, float64(-1),
				false, "p", "i", len(x.columns), false, true, "n", nil, false, nil)
		}
	}
}

// attributes is the greatest attribute number of r.
func attributes(r *catalog.Relation) int {
	for i := len(r.Columns); i > 0; i-- {
		if c := r.Columns[i-1]; !c.Hidden || c.Dropped {
			return i
		}
	}
	return 0
}

// pageBytes is PostgreSQL's page size, which relpages and its readers count in.
const pageBytes = 8192

// size is the bytes that r takes, 0 where that is not known.
func (c *Catalog) size(r *catalog.Relation) int64 {
	if c.Size == nil {
		return 0
	}
	return max(0, c.Size(r))
}

// relationOptions are what pg_class.reloptions shows: the watermark of a stream.
func relationOptions(r *catalog.Relation) any {
	if r.EventTime < 0 || r.EventTime >= len(r.Columns) || r.Kind != catalog.Stream || r.Columns[r.EventTime].Hidden {
		return nil
	}
	return []string{"watermark_column=" + r.Columns[r.EventTime].Name, "watermark_delay_us=" + itoa(r.WatermarkDelay)}
}

// connectorOptions are the options of a source or sink, without what may be a
// secret.
func connectorOptions(r *catalog.Relation) []string {
	var out []string
	for k, v := range r.Options {
		if secret(k) {
			v = "********"
		}
		out = append(out, k+"="+v)
	}
	sort.Strings(out)
	return out
}

func (c *Catalog) ruleRows(e *emitter) {
	for _, r := range c.relations() {
		if viewQuery(r) != "" {
			e.row(ruleOID(r), "_RETURN", r.ID, "1", "O", true, "<>", viewQuery(r))
		}
	}
}

func (c *Catalog) dependRows(e *emitter) {
	for _, k := range c.constraints() {
		for _, n := range numbers(k.Columns) {
			e.row(classConstraint, k.ID, 0, classClass, k.rel.ID, n, "a")
		}
		switch k.kind {
		case "p", "u":
			e.row(classClass, k.index, 0, classConstraint, k.ID, 0, "i")
		case "f":
			e.row(classConstraint, k.ID, 0, classClass, k.Ref, 0, "n")
		}
	}
	for _, r := range c.relations() {
		e.row(classClass, r.ID, 0, classNamespace, c.schemaOID(r.Schema), 0, "n")
		for _, in := range r.Inputs {
			from, what := uint32(classClass), r.ID
			if viewQuery(r) != "" {
				from, what = uint32(2618), ruleOID(r)
			}
			e.row(from, what, 0, classClass, in, 0, "n")
		}
		if viewQuery(r) != "" {
			e.row(2618, ruleOID(r), 0, classClass, r.ID, 0, "i")
		}
		if r.PartOf != 0 {
			e.row(classClass, r.ID, 0, classClass, r.PartOf, 0, "a")
		}
		if r.Numbers != nil && r.Numbers.Owner != 0 {
			e.row(classClass, r.ID, 0, classClass, r.Numbers.Owner, r.Numbers.Column+1, "a")
		}
	}
}
