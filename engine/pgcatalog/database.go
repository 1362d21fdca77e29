package pgcatalog

import (
	"strings"

	"velostream/catalog/auth"
)

// databaseSources are databases, roles and what hangs on them.
func databaseSources() map[string]source {
	roles := "oid rolname rolsuper rolinherit rolcreaterole rolcreatedb rolcanlogin rolreplication rolbypassrls rolconnlimit rolpassword rolvaliduntil"
	users := "usename usesysid usecreatedb usesuper userepl usebypassrls passwd valuntil useconfig"
	return map[string]source{
		"pg_database": {"oid datname datdba encoding datlocprovider datistemplate datallowconn datconnlimit dattablespace " +
			"datcollate datctype datacl", (*Catalog).databaseRows},
		"pg_authid":          {roles, func(c *Catalog, e *emitter) { c.roleRows(e, true) }},
		"pg_roles":           {roles + " rolconfig", func(c *Catalog, e *emitter) { c.roleRows(e, false) }},
		"pg_user":            {users, func(c *Catalog, e *emitter) { c.userRows(e, false) }},
		"pg_shadow":          {users, func(c *Catalog, e *emitter) { c.userRows(e, true) }},
		"pg_group":           {"groname grosysid grolist", (*Catalog).groupRows},
		"pg_db_role_setting": {"setdatabase setrole setconfig", (*Catalog).loginSettingRows},
		"pg_auth_members":    {"roleid member grantor admin_option", (*Catalog).memberRows},
		"pg_default_acl":     {"oid defaclrole defaclnamespace defaclobjtype defaclacl", (*Catalog).defaultACLRows},
		"pg_locks":           {"locktype database classid objid objsubid pid mode granted fastpath", (*Catalog).lockRows},
		"pg_stat_activity": {"datid datname pid usesysid usename application_name client_addr client_port backend_start xact_start " +
			"query_start state_change state query backend_type wait_event_type wait_event", (*Catalog).activityRows},
		"pg_stat_database":       {"datid datname numbackends xact_commit xact_rollback blks_read blks_hit tup_returned tup_fetched tup_inserted tup_updated tup_deleted", (*Catalog).statDatabaseRows},
		"pg_prepared_statements": {"name statement prepare_time parameter_types from_sql", (*Catalog).statementRows},
		"pg_cursors":             {"name statement is_holdable is_binary is_scrollable creation_time", (*Catalog).cursorRows},
		"pg_timezone_names":      {"name abbrev utc_offset is_dst", zoneRows},
	}
}

func (c *Catalog) databaseRows(e *emitter) {
	for i, n := range c.databases() {
		e.row(databaseOID(i), n, oidSuperuser, encodingUTF8, "c", false, true, -1, oidTablespace, "C", "C",
			aclText(c.Snapshot.SchemaRights("").ACL))
	}
}

// databaseOID is the OID of the database at place i of databases.
func databaseOID(i int) uint32 { return uint32(oidDatabase + i) }

func (c *Catalog) thisDatabase() uint32 {
	for i, n := range c.databases() {
		if n == c.Database {
			return databaseOID(i)
		}
	}
	return oidDatabase
}

func (c *Catalog) activity() []Activity {
	if c.Activity == nil {
		return nil
	}
	return c.Activity()
}

func (c *Catalog) activityRows(e *emitter) {
	roles := c.Snapshot.Roles()
	all := roles.Acts(c.User, auth.ReadAllStats)
	for _, a := range c.activity() {
		if !all && !roles.Acts(c.User, a.User) {
			e.row(c.thisDatabase(), a.Database, a.PID, c.roleOID(a.User), a.User, a.Application, nil, nil, nil, nil,
				nil, nil, nil, "<insufficient privilege>", nil)
			continue
		}
		host, port := splitAddress(a.Address)
		oid := c.thisDatabase()
		for i, n := range c.databases() {
			if n == a.Database {
				oid = databaseOID(i)
			}
		}
		e.row(oid, a.Database, a.PID, c.roleOID(a.User), a.User, a.Application, host, port, a.Started, a.TxStarted,
			a.QueryStarted, a.Change, orNull(a.State), a.Query, "client backend", waitsFor(a, "Client"), waitsFor(a, "ClientRead"))
	}
}

// waitsFor is event where a session waits for its client.
func waitsFor(a Activity, event string) any {
	if strings.HasPrefix(a.State, "idle") {
		return event
	}
	return nil
}

func (c *Catalog) statDatabaseRows(e *emitter) {
	n := map[string]int{}
	for _, a := range c.activity() {
		n[a.Database]++
	}
	for i, d := range c.databases() {
		e.row(databaseOID(i), d, n[d], 0, 0, 0, 0, 0, 0, 0, 0, 0)
	}
}

func (c *Catalog) statementRows(e *emitter) {
	if c.Statements == nil {
		return
	}
	for _, s := range c.Statements() {
		e.row(s.Name, s.SQL, s.Prepared, s.Params, s.FromSQL)
	}
}

func (c *Catalog) cursorRows(e *emitter) {
	if c.Cursors == nil {
		return
	}
	for _, s := range c.Cursors() {
		e.row(s.Name, s.Statement, s.Hold, s.Binary, s.Scroll, s.Opened)
	}
}
