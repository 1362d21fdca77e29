package pgcatalog

import (
	"maps"

	"velostream/catalog"
	"velostream/catalog/auth"
	"velostream/catalog/types"
)

// infoSources are the views of information_schema (SQL:2011 part 11, as
// PostgreSQL shows them). Streams and sources are base tables and materialised
// views are views, so that tools which know only these two list them.
func infoSources() map[string]source {
	table := "constraint_catalog constraint_schema constraint_name table_catalog table_schema table_name "
	m := map[string]source{
		"information_schema_catalog_name": {"catalog_name", func(c *Catalog, e *emitter) { e.row(c.Database) }},
		"schemata":                        {"catalog_name schema_name schema_owner", (*Catalog).schemataRows},
		"tables":                          {"table_catalog table_schema table_name table_type is_insertable_into is_typed", (*Catalog).tableRows},
		"views": {"table_catalog table_schema table_name view_definition check_option is_updatable is_insertable_into " +
			"is_trigger_updatable is_trigger_deletable is_trigger_insertable_into", (*Catalog).viewRows},
		"columns": {"table_catalog table_schema table_name column_name ordinal_position column_default is_nullable data_type " +
			"character_maximum_length character_octet_length numeric_precision numeric_precision_radix numeric_scale " +
			"datetime_precision interval_type udt_catalog udt_schema udt_name dtd_identifier is_self_referencing is_identity " +
			"identity_generation identity_start identity_increment identity_maximum identity_minimum identity_cycle is_generated generation_expression is_updatable collation_catalog collation_schema collation_name domain_catalog domain_schema domain_name", (*Catalog).columnRows},
		"table_constraints": {table + "constraint_type is_deferrable initially_deferred enforced nulls_distinct", (*Catalog).tableConstraintRows},
		"key_column_usage":  {table + "column_name ordinal_position position_in_unique_constraint", (*Catalog).keyColumnRows},
		"constraint_column_usage": {"table_catalog table_schema table_name column_name constraint_catalog constraint_schema " +
			"constraint_name", (*Catalog).constraintColumnRows},
		"constraint_table_usage": {"table_catalog table_schema table_name constraint_catalog constraint_schema constraint_name", (*Catalog).constraintTableRows},
		"domains": {"domain_catalog domain_schema domain_name data_type character_maximum_length character_octet_length collation_catalog " +
			"collation_schema collation_name numeric_precision numeric_precision_radix numeric_scale datetime_precision domain_default " +
			"udt_catalog udt_schema udt_name dtd_identifier", (*Catalog).infoDomainRows},
		"domain_constraints": {"constraint_catalog constraint_schema constraint_name domain_catalog domain_schema domain_name is_deferrable " +
			"initially_deferred", (*Catalog).infoDomainConstraintRows},
		"column_domain_usage": {"domain_catalog domain_schema domain_name table_catalog table_schema table_name column_name", (*Catalog).columnDomainRows},
		"check_constraints":   {"constraint_catalog constraint_schema constraint_name check_clause", (*Catalog).checkRows},
		"referential_constraints": {"constraint_catalog constraint_schema constraint_name unique_constraint_catalog " +
			"unique_constraint_schema unique_constraint_name match_option update_rule delete_rule", (*Catalog).referentialRows},
		"sequences": {"sequence_catalog sequence_schema sequence_name data_type numeric_precision numeric_precision_radix numeric_scale " +
			"start_value minimum_value maximum_value increment cycle_option", (*Catalog).infoSequenceRows},
		"view_table_usage": {"view_catalog view_schema view_name table_catalog table_schema table_name", (*Catalog).viewTableRows},
		"routines": {"specific_catalog specific_schema specific_name routine_catalog routine_schema routine_name routine_type " +
			"data_type udt_catalog type_udt_catalog type_udt_schema type_udt_name routine_body routine_definition external_language parameter_style is_deterministic sql_data_access " +
			"is_null_call schema_level_routine max_dynamic_result_sets security_type dtd_identifier is_udt_dependent", (*Catalog).routineRows},
		"parameters": {"specific_catalog specific_schema specific_name ordinal_position parameter_mode is_result as_locator parameter_name data_type " +
			"udt_catalog udt_schema udt_name dtd_identifier", (*Catalog).parameterRows},
		"element_types": {"object_catalog object_schema object_name object_type collection_type_identifier data_type udt_catalog " +
			"udt_schema udt_name dtd_identifier", (*Catalog).elementRows},
		"view_routine_usage":                {"table_catalog table_schema table_name specific_catalog specific_schema specific_name", (*Catalog).viewRoutineRows},
		"enabled_roles":                     {"role_name", (*Catalog).enabledRoleRows},
		"applicable_roles":                  {"grantee role_name is_grantable", (*Catalog).applicableRoleRows},
		"administrable_role_authorizations": {"grantee role_name is_grantable", (*Catalog).administrableRoleRows},
		"column_privileges":                 {"grantor grantee table_catalog table_schema table_name column_name privilege_type is_grantable", (*Catalog).columnPrivilegeRows},
		"role_column_grants":                {"grantor grantee table_catalog table_schema table_name column_name privilege_type is_grantable", ofRoles((*Catalog).columnPrivilegeRows)},
		"routine_privileges": {"grantor grantee specific_catalog specific_schema specific_name routine_catalog routine_schema routine_name " +
			"privilege_type is_grantable", (*Catalog).routinePrivilegeRows},
		"role_routine_grants": {"grantor grantee specific_catalog specific_schema specific_name routine_catalog routine_schema routine_name " +
			"privilege_type is_grantable", ofRoles((*Catalog).routinePrivilegeRows)},
		"usage_privileges":  {"grantor grantee object_catalog object_schema object_name object_type privilege_type is_grantable", (*Catalog).usagePrivilegeRows},
		"role_usage_grants": {"grantor grantee object_catalog object_schema object_name object_type privilege_type is_grantable", ofRoles((*Catalog).usagePrivilegeRows)},
		"foreign_tables":    {"foreign_table_catalog foreign_table_schema foreign_table_name foreign_server_catalog foreign_server_name", (*Catalog).foreignTableRows},
		"foreign_servers":   {"foreign_server_catalog foreign_server_name foreign_data_wrapper_catalog foreign_data_wrapper_name authorization_identifier", (*Catalog).foreignServerRows},
		"table_privileges":  {"grantor grantee table_catalog table_schema table_name privilege_type is_grantable with_hierarchy", (*Catalog).tablePrivilegeRows},
		"role_table_grants": {
			"grantor grantee table_catalog table_schema table_name privilege_type is_grantable with_hierarchy",
			ofRoles((*Catalog).tablePrivilegeRows),
		},
		"foreign_table_options": {"foreign_table_catalog foreign_table_schema foreign_table_name option_name option_value", func(c *Catalog, e *emitter) {
			c.foreignOptions(func(r *catalog.Relation, name, value string) { e.row(c.Database, r.Schema, r.Name, name, value) })
		}},
	}
	maps.Copy(m, textSources())
	maps.Copy(m, usageSources())
	return m
}

// constraintTableRows are the tables that keys are of, or refer to.
func (c *Catalog) constraintTableRows(e *emitter) {
	for _, k := range c.seenConstraints() {
		r := k.rel
		switch k.kind {
		case "c":
			continue
		case "f":
			if r = c.relation(k.Ref); r == nil {
				continue
			}
		}
		e.row(c.Database, r.Schema, r.Name, c.Database, k.rel.Schema, k.Name)
	}
}

// textSources are the views about characters.
func textSources() map[string]source {
	return map[string]source{
		"character_sets": {
			"character_set_name character_repertoire form_of_use default_collate_catalog",
			func(c *Catalog, e *emitter) { e.row("UTF8", "UCS", "UTF8", c.Database) },
		},
		"collations": {"collation_catalog collation_schema collation_name pad_attribute", func(c *Catalog, e *emitter) {
			for _, n := range collations {
				e.row(c.Database, schemaPG, n, "NO PAD")
			}
		}},
	}
}

func (c *Catalog) schemataRows(e *emitter) {
	for _, s := range c.allSchemas() {
		r := c.Snapshot.SchemaRights(s.name)
		if !c.Snapshot.HasSchema(s.name) || c.acts(r.Owner) ||
			c.Snapshot.Roles().Allowed(r.ACL, auth.Schema, r.Owner, c.User, auth.Schema.All()) != auth.None {
			e.row(c.Database, s.name, r.Owner)
		}
	}
}

// all lists user and system relations.
func (c *Catalog) allRelations(f func(r *catalog.Relation)) {
	for i := range system().all {
		f(system().all[i].rel)
	}
	for _, r := range c.seen() {
		if !r.Temporary() || r.Schema == c.Temp {
			f(r)
		}
	}
}

func tableType(r *catalog.Relation) string {
	switch k := relkind(r); {
	case k == 'v' || k == 'm':
		return "VIEW"
	case r.Kind == catalog.Sink:
		return "FOREIGN"
	case r.Temporary():
		return "LOCAL TEMPORARY"
	}
	return "BASE TABLE"
}

func (c *Catalog) tableRows(e *emitter) {
	c.allRelations(func(r *catalog.Relation) {
		if r.Kind == catalog.Sequence {
			return
		}
		e.row(c.Database, r.Schema, r.Name, tableType(r), yesNo(writable(r)), "NO")
	})
}

// writable reports that rows can be inserted.
func writable(r *catalog.Relation) bool { return r.ID >= catalog.FirstID && r.Native() }

func (c *Catalog) viewRows(e *emitter) {
	c.allRelations(func(r *catalog.Relation) {
		if k := relkind(r); k == 'v' || k == 'm' {
			e.row(c.Database, r.Schema, r.Name, lazy(func() any { return c.viewText(r, false, 0) }), "NONE", "NO", "NO", "NO", "NO", "NO")
		}
	})
}

func (c *Catalog) viewTableRows(e *emitter) {
	for _, r := range c.relations() {
		if viewQuery(r) == "" {
			continue
		}
		for _, in := range r.Inputs {
			if t := c.relation(in); t != nil && c.acts(t.Owner) {
				e.row(c.Database, r.Schema, r.Name, c.Database, t.Schema, t.Name)
			}
		}
	}
}

// viewRoutineRows are the functions that views call.
func (c *Catalog) viewRoutineRows(e *emitter) {
	for _, r := range c.relations() {
		if viewQuery(r) == "" {
			continue
		}
		for _, id := range r.Functions {
			if f := c.Snapshot.Function(id); f != nil && c.acts(f.Owner) {
				e.row(c.Database, r.Schema, r.Name, c.Database, f.Schema, f.Name+"_"+itoa(int(f.ID)))
			}
		}
	}
}

// elementRows are the types of what the arrays in columns hold.
func (c *Catalog) elementRows(e *emitter) {
	c.allRelations(func(r *catalog.Relation) {
		if r.Kind == catalog.Sequence {
			return
		}
		for _, col := range columnsOf(r) {
			t, array := col.Type.Elem()
			if !array || !c.seesColumn(r, col.num-1) {
				continue
			}
			schema, name := c.udt(t)
			e.row(c.Database, r.Schema, r.Name, "TABLE", itoa(col.num), describeType(t).name, c.Database, schema, name, "a"+itoa(col.num))
		}
	})
}

func (c *Catalog) columnRows(e *emitter) {
	c.allRelations(func(r *catalog.Relation) {
		if r.Kind == catalog.Sequence {
			return
		}
		for _, col := range columnsOf(r) {
			if c.seesColumn(r, col.num-1) {
				c.infoColumn(e, r, col)
			}
		}
	})
}

func (c *Catalog) infoColumn(e *emitter, r *catalog.Relation, col visibleColumn) {
	t := col.Type
	d := describeType(t)
	udtSchema, udtName := c.udt(t)
	var domainCatalog, domainSchema, domainName any
	if u := c.Snapshot.UserType(col.Domain); u != nil {
		domainCatalog, domainSchema, domainName = c.Database, u.Schema, u.Name
		d, udtSchema, udtName = c.domainFacts(u)
	}
	var def, generation, interval any
	generated := "NEVER"
	var start, step, most, least any
	cycle := "NO"
	if s := c.relation(col.Sequence); s != nil && s.Numbers != nil && col.Identity != "" {
		n := s.Numbers
		start, step, most, least, cycle = itoa(n.Start), itoa(n.Increment), itoa(n.Max), itoa(n.Min), yesNo(n.Cycle)
	}
	if col.Default != "" && c.acts(r.Owner) {
		def = lazy(func() any { return c.defaultText(r, col.Column) })
	}
	if col.Computed != "" {
		generated, generation = "ALWAYS", lazy(func() any { return c.defaultText(r, col.Column) })
	}
	nullable := !col.NotNull
	for _, k := range r.Key {
		nullable = nullable && (!r.PrimaryKey || k+1 != col.num)
	}
	var collCatalog, collSchema, collName any
	if collationOf(t) == oidCollC {
		collCatalog, collSchema, collName = c.Database, schemaPG, "C"
	}
	e.row(c.Database, r.Schema, r.Name, col.Name, col.num, def, yesNo(nullable), d.name, d.length, d.octets,
		d.precision, d.radix, d.scale, d.times, interval, c.Database, udtSchema, udtName, itoa(col.num), "NO", yesNo(col.Identity != ""), orNull(col.Identity), start, step, most, least, cycle,
		generated, generation, yesNo(writable(r)), collCatalog, collSchema, collName, domainCatalog, domainSchema, domainName)
}

// udt is the schema and the name of a type in pg_type.
func (c *Catalog) udt(t types.Type) (schema, name string) {
	if schema, name, array, ok := c.userTyped(t.OID); ok {
		if array {
			name = "_" + name
		}
		return schema, name
	}
	i, ok := t.Info()
	if !ok {
		return schemaPG, "text"
	}
	return schemaPG, i.Name
}

// typeFacts is what information_schema tells of a type; nil: does not apply.
type typeFacts struct {
	name                                           string
	length, octets, precision, radix, scale, times any
}

func describeType(t types.Type) typeFacts {
	f := typeFacts{name: (types.Type{OID: t.OID, Mod: -1}).String()}
	if _, ok := t.Elem(); ok && t.OID != types.OIDInt2Vector && t.OID != types.OIDOidVector {
		f.name = "ARRAY"
		return f
	}
	if t.IsUser() || t.IsMap() {
		f.name = "USER-DEFINED"
		return f
	}
	switch t.OID {
	case types.OIDText:
		f.octets = 1 << 30
	case types.OIDVarchar, types.OIDBpchar:
		f.octets = 1 << 30
		if n, ok := t.Length(); ok {
			f.length, f.octets = n, n*4
		}
	case types.OIDBit, types.OIDVarbit:
		if n, ok := t.BitLength(); ok {
			f.length = n
		}
	case types.OIDInt2:
		f.precision, f.radix, f.scale = 16, 2, 0
	case types.OIDInt4:
		f.precision, f.radix, f.scale = 32, 2, 0
	case types.OIDInt8:
		f.precision, f.radix, f.scale = 64, 2, 0
	case types.OIDFloat4:
		f.precision, f.radix = 24, 2
	case types.OIDFloat8:
		f.precision, f.radix = 53, 2
	case types.OIDNumeric:
		f.radix = 10
		if p, s, ok := t.Numeric(); ok {
			f.precision, f.scale = p, s
		}
	case types.OIDDate:
		f.times = 0
	case types.OIDTime, types.OIDTimestamp, types.OIDTimestamptz, types.OIDInterval:
		f.times = 6
		if t.Mod >= 0 && t.OID != types.OIDInterval {
			f.times = int(t.Mod)
		}
	default:
	}
	return f
}

var constraintTypes = map[string]string{"p": "PRIMARY KEY", "u": "UNIQUE", "c": "CHECK", "f": "FOREIGN KEY"}

// tableConstraintRows lists constraints; NOT NULL is a CHECK, as PostgreSQL shows it.
func (c *Catalog) tableConstraintRows(e *emitter) {
	for _, k := range c.seenConstraints() {
		var distinct any
		if k.kind == "u" {
			distinct = "YES"
			if x := k.rel.Index(k.Index); x != nil && x.NullsEqual {
				distinct = "NO"
			}
		}
		e.row(c.Database, k.rel.Schema, k.Name, c.Database, k.rel.Schema, k.rel.Name, constraintTypes[k.kind], yesNo(k.Deferrable), yesNo(k.Deferred), "YES", distinct)
	}
	c.notNulls(func(r *catalog.Relation, _ visibleColumn, name string) {
		e.row(c.Database, r.Schema, name, c.Database, r.Schema, r.Name, "CHECK", "NO", "NO", "YES", nil)
	})
}

func (c *Catalog) notNulls(f func(r *catalog.Relation, col visibleColumn, name string)) {
	for _, r := range c.seen() {
		for _, col := range columnsOf(r) {
			if col.NotNull {
				f(r, col, itoa(c.schemaOID(r.Schema))+"_"+itoa(r.ID)+"_"+itoa(col.num)+"_not_null")
			}
		}
	}
}

func (c *Catalog) checkRows(e *emitter) {
	for _, k := range c.seenConstraints() {
		if k.kind == "c" {
			e.row(c.Database, k.rel.Schema, k.Name, lazy(func() any { return "(" + k.checkText(c, false) + ")" }))
		}
	}
	for _, t := range c.domains() {
		for _, k := range t.Checks {
			e.row(c.Database, t.Schema, k.Name, lazy(func() any { return "(" + c.domainCheck(t, k, false) + ")" }))
		}
	}
	c.notNulls(func(r *catalog.Relation, col visibleColumn, name string) {
		e.row(c.Database, r.Schema, name, quoteIdent(col.Name)+" IS NOT NULL")
	})
}

func (c *Catalog) keyColumnRows(e *emitter) {
	for _, k := range c.seenConstraints() {
		if k.kind == "c" {
			continue
		}
		for i, n := range columnNames(k.rel, k.Columns) {
			var unique any
			if k.kind == "f" {
				unique = i + 1
			}
			e.row(c.Database, k.rel.Schema, k.Name, c.Database, k.rel.Schema, k.rel.Name, n, i+1, unique)
		}
	}
}

// constraintColumnRows lists the columns that constraints are about: of foreign
// keys those that are referred to.
func (c *Catalog) constraintColumnRows(e *emitter) {
	for _, k := range c.seenConstraints() {
		r, cols := k.rel, k.Columns
		if k.kind == "f" {
			if r, cols = c.relation(k.Ref), k.RefColumns; r == nil {
				continue
			}
		}
		for _, n := range columnNames(r, cols) {
			e.row(c.Database, r.Schema, r.Name, n, c.Database, k.rel.Schema, k.Name)
		}
	}
}

func (c *Catalog) referentialRows(e *emitter) {
	rule := func(s string) string {
		if s == "" {
			return "NO ACTION"
		}
		return s
	}
	for _, k := range c.seenConstraints() {
		ref := c.relation(k.Ref)
		if k.kind != "f" || ref == nil {
			continue
		}
		name := ref.KeyConstraint()
		if x := ref.Index(k.RefIndex); x != nil {
			name = x.Name
		}
		match := "NONE"
		if k.MatchFull {
			match = "FULL"
		}
		e.row(c.Database, k.rel.Schema, k.Name, c.Database, ref.Schema, name, match, rule(k.OnUpdate), rule(k.OnDelete))
	}
}

func (c *Catalog) routineRows(e *emitter) {
	for _, p := range c.procs() {
		if p.Kind == 'a' || p.user != nil && !c.seesFunction(p.user) {
			continue
		}
		t := types.Type{OID: p.Ret, Mod: -1}
		schema, body, lang, text := schemaPG, "EXTERNAL", "INTERNAL", p.Name
		if u := p.user; u != nil {
			schema, body, lang, text = u.Schema, "SQL", "SQL", u.Body
		}
		udtSchema, udtName := c.udt(t)
		e.row(c.Database, schema, p.Name+"_"+itoa(p.oid), c.Database, schema, p.Name, "FUNCTION", describeType(t).name, c.Database,
			c.Database, udtSchema, udtName, body, text, lang, "GENERAL", yesNo(p.Volatility == 'i'), "MODIFIES",
			yesNo(p.Strict), "YES", 0, "INVOKER", "0", "NO")
	}
}

func (c *Catalog) parameterRows(e *emitter) {
	for _, p := range c.procs() {
		if p.user != nil && !c.seesFunction(p.user) {
			continue
		}
		for i, a := range p.Args {
			t := types.Type{OID: a, Mod: -1}
			schema, name := schemaPG, any(nil)
			if u := p.user; u != nil {
				schema, name = u.Schema, orNull(u.ArgNames[i])
			}
			udtSchema, udtName := c.udt(t)
			e.row(c.Database, schema, p.Name+"_"+itoa(p.oid), i+1, "IN", "NO", "NO", name, describeType(t).name, c.Database, udtSchema, udtName, itoa(i+1))
		}
	}
}

func (c *Catalog) foreignTableRows(e *emitter) {
	for _, r := range c.seen() {
		if relkind(r) == 'f' {
			e.row(c.Database, r.Schema, r.Name, c.Database, r.Connector)
		}
	}
}

func (c *Catalog) foreignServerRows(e *emitter) {
	for _, n := range c.connectors() {
		e.row(c.Database, n, c.Database, "velostream", superuser)
	}
}
