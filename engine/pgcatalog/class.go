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
			"relpersistence relkind relnatts relhasrules relispopulated relreplident reloptions relisshared relacl relchecks relhastriggers", (*Catalog).classRows},
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
			systemACL(r.rel), 0, false)
	}
	c.compositeClasses(e)
	referred := c.referred()
	for _, r := range c.relations() {
		kind := relkind(r)
		am := 0
		if kind == 'r' || kind == 'm' {
			am = oidHeap
		}
		rows, bytes := int64(-1), int64(0)
		if e.wants("reltuples") || e.wants("relpages") {
			rows, bytes = c.measure(r)
		}
		node, rowType, natts, identity := r.ID, rowTypeOID(r), attributes(r), "d"
		switch kind {
		case 'S':
			rowType, natts, identity = 0, sequenceColumns, "n"
		case 'v':
			node, rows, identity = 0, 0, "n"
		}
		e.row(r.ID, r.Name, c.schemaOID(r.Schema), rowType, c.owner(r), am, node, (bytes+pageBytes-1)/pageBytes, float64(rows),
			len(indexesOf(r)) > 0, persistence(r), kind, natts, viewQuery(r) != "", true, identity, relationOptions(r), false, aclText(r.ACL),
			checks(r), referred[r.ID])
		for _, x := range indexesOf(r) {
			e.row(x.oid, x.name, c.schemaOID(r.Schema), 0, c.owner(r), oidBtree, x.oid, 0, float64(-1),
				false, persistence(r), "i", len(x.columns), false, true, "n", nil, false, nil, 0, false)
		}
	}
}

// persistence is relpersistence.
func persistence(r *catalog.Relation) string {
	if r.Temporary() {
		return "t"
	}
	return "p"
}

// sequenceColumns is how many columns a sequence has as a relation.
const sequenceColumns = 3

// checks is how many CHECK constraints r has.
func checks(r *catalog.Relation) int {
	n := 0
	for _, k := range r.Constraints {
		if k.Kind == catalog.Check {
			n++
		}
	}
	return n
}

// referred are the relations at either end of a foreign key: PostgreSQL keeps it
// by triggers, and psql looks for foreign keys only where there are any.
func (c *Catalog) referred() map[uint32]bool {
	out := map[uint32]bool{}
	for _, k := range c.constraints() {
		if k.kind == "f" {
			out[k.rel.ID], out[k.Ref] = true, true
		}
	}
	return out
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

// measure is how many rows r has, -1 where that is not known, and their bytes.
func (c *Catalog) measure(r *catalog.Relation) (rows, bytes int64) {
	if c.Measure == nil || r.ID < catalog.FirstID {
		return -1, 0
	}
	rows, bytes = c.Measure(r)
	return rows, max(0, bytes)
}

// size is the bytes that r takes, 0 where that is not known.
func (c *Catalog) size(r *catalog.Relation) int64 {
	_, bytes := c.measure(r)
	return bytes
}

// indexSize is the bytes that r's secondary indexes take. Rows themselves are
// kept in the order of the primary key.
func (c *Catalog) indexSize(r *catalog.Relation) int64 {
	sum := int64(0)
	if c.MeasureIndex != nil && r.ID >= catalog.FirstID {
		for _, x := range r.Indexes {
			sum += c.MeasureIndex(x.ID)
		}
	}
	return sum
}

// relationOptions are what pg_class.reloptions shows: the watermark of a stream, with
// whose rights a view is read.
func relationOptions(r *catalog.Relation) any {
	if r.Invoker() {
		return []string{catalog.SecurityInvoker + "=true"}
	}
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
	c.extensionMembers(e)
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
	for _, t := range c.Snapshot.UserTypes("") {
		e.row(classType, uint32(t.OID()), 0, classNamespace, c.schemaOID(t.Schema), 0, "n")
	}
	for _, r := range c.relations() {
		for _, col := range columnsOf(r) {
			if hasDefault(col.Column) {
				e.row(classAttrdef, defaultOID(r, col.num), 0, classClass, r.ID, col.num, "a")
				if col.Sequence != 0 && col.Identity == "" {
					e.row(classAttrdef, defaultOID(r, col.num), 0, classClass, col.Sequence, 0, "n")
				}
			}
			if t := col.Declared(); t.IsUser() {
				e.row(classClass, r.ID, col.num, classType, uint32(t.OID), 0, "n")
			}
		}
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
		if r.PartOf != 0 && r.Kind != catalog.Sequence {
			e.row(classClass, r.ID, 0, classClass, r.PartOf, 0, "a")
		}
		if r.Numbers != nil && r.Numbers.Owner != 0 {
			kind := "a"
			if o := c.relation(r.Numbers.Owner); o != nil && o.Columns[r.Numbers.Column].Identity != "" {
				kind = "i"
			}
			e.row(classClass, r.ID, 0, classClass, r.Numbers.Owner, r.Numbers.Column+1, kind)
		}
	}
}
