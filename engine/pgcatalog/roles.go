package pgcatalog

import (
	"slices"
	"strings"

	"velostream/catalog"
	"velostream/catalog/auth"
	"velostream/catalog/types"
	"velostream/pgwire/pgerror"
)

// roles lists the roles by OID.
func (c *Catalog) roles() []*auth.Role {
	if c.allRoles == nil {
		c.allRoles = c.Snapshot.Roles().List()
	}
	return c.allRoles
}

func (c *Catalog) roleOID(name string) uint32 {
	if r := c.Snapshot.Role(name); r != nil {
		return r.ID
	}
	return 0
}

func (c *Catalog) roleName(oid uint32) (string, bool) {
	if r := c.Snapshot.Roles().ByID(oid); r != nil {
		return r.Name, true
	}
	return "", false
}

// validUntil is rolvaliduntil.
func validUntil(r *auth.Role) any {
	if r.ValidUntil == nil {
		return nil
	}
	return *r.ValidUntil
}

// roleRows are the roles; with secrets the verifiers of their passwords too.
func (c *Catalog) roleRows(e *emitter, secrets bool) {
	for _, r := range c.roles() {
		row := []any{
			r.ID, r.Name, r.Superuser, r.Inherit, r.CreateRole, r.CreateDB, r.Login, r.Replication, r.BypassRLS, r.ConnectionLimit,
			password(r, secrets), validUntil(r),
		}
		if !secrets { // pg_roles
			row = append(row, c.loginConfig(c.Snapshot.LoginSettingsOf(r.Name, "")))
		}
		e.row(row...)
	}
}

func password(r *auth.Role, secrets bool) any {
	if !secrets {
		return "********"
	}
	return orNull(r.Password)
}

func (c *Catalog) userRows(e *emitter, secrets bool) {
	for _, r := range c.roles() {
		if r.Login {
			e.row(r.Name, r.ID, r.CreateDB, r.Superuser, r.Replication, r.BypassRLS, password(r, secrets), validUntil(r),
				c.loginConfig(c.Snapshot.LoginSettingsOf(r.Name, "")))
		}
	}
}

func (c *Catalog) groupRows(e *emitter) {
	for _, g := range c.roles() {
		if g.Login {
			continue
		}
		members := []types.OID{}
		for _, r := range c.roles() {
			if r.Membership(g.Name) != nil {
				members = append(members, types.OID(r.ID))
			}
		}
		e.row(g.Name, g.ID, members)
	}
}

func (c *Catalog) memberRows(e *emitter) {
	for _, r := range c.roles() {
		for _, m := range r.MemberOf {
			e.row(c.roleOID(m.Role), r.ID, c.roleOID(m.Grantor), m.Admin)
		}
	}
}

// loginConfig is what ALTER ROLE and ALTER DATABASE have set, NULL: nothing. Values of
// parameters that are secrets by their names are shown to those who act as the role.
func (c *Catalog) loginConfig(l catalog.LoginSettings) any {
	if len(l.Config) == 0 {
		return nil
	}
	roles := c.Snapshot.Roles()
	if roles.Superuser(c.User) || l.Role != "" && roles.Acts(c.User, l.Role) {
		return l.Config
	}
	out := slices.Clone(l.Config)
	for i, x := range out {
		if name, _, _ := strings.Cut(x, "="); secret(name) {
			out[i] = name + "=********"
		}
	}
	return out
}

func (c *Catalog) loginSettingRows(e *emitter) {
	for _, l := range c.Snapshot.LoginSettings() {
		database := uint32(0)
		if i := slices.Index(c.databases(), l.Database); i >= 0 {
			database = databaseOID(i)
		}
		e.row(database, c.roleOID(l.Role), c.loginConfig(l))
	}
}

func (c *Catalog) defaultACLRows(e *emitter) {
	for _, d := range c.Snapshot.Defaults() {
		e.row(d.ID, c.roleOID(d.Role), c.schemaOID(d.Schema), string(d.Kind), d.ACL.Strings())
	}
}

// aclText is an access control list as a column shows it: NULL where nothing was
// granted.
func aclText(a auth.ACL) any {
	if a == nil {
		return nil
	}
	return a.Strings()
}

// schemaACL is nspacl; everybody may use the system schemas.
func schemaACL(c *Catalog, name string) any {
	if HasSchema(name) {
		return auth.ACL{
			{Grantee: superuser, Grantor: superuser, Privileges: auth.Schema.All()},
			{Grantor: superuser, Privileges: auth.Usage},
		}.Strings()
	}
	return aclText(c.Snapshot.SchemaRights(name).ACL)
}

// systemRights is the list of a system relation: everybody may read it, but for
// those that hold secrets.
func systemRights(r *catalog.Relation) auth.ACL {
	out := auth.ACL{{Grantee: superuser, Grantor: superuser, Privileges: auth.Table.All()}}
	if !Secret(r) {
		out = append(out, auth.Item{Grantor: superuser, Privileges: auth.Select})
	}
	return out
}

func systemACL(r *catalog.Relation) any { return systemRights(r).Strings() }

var secretRelations = map[string]bool{
	"pg_authid": true, "pg_shadow": true, "pg_user_mapping": true, "pg_statistic": true, "pg_statistic_ext_data": true,
	"pg_largeobject": true, "pg_subscription": true, "pg_hba_file_rules": true, "pg_ident_file_mappings": true, "pg_file_settings": true,
	"pg_config": true, "pg_backend_memory_contexts": true, "pg_shmem_allocations": true, "pg_replication_origin_status": true,
}

// Secret reports that a system relation is for superusers only.
func Secret(r *catalog.Relation) bool { return r.Schema == schemaPG && secretRelations[r.Name] }

// explode is aclexplode.
func (c *Catalog) explode(items []types.Datum, add func(values ...any) error) error {
	for _, d := range items {
		x, err := auth.ParseItem(string(d.B))
		if err != nil {
			return err
		}
		for _, p := range x.Privileges.Words() {
			one, _ := auth.ParsePrivilege(p)
			if err := add(c.roleOID(x.Grantor), c.roleOID(x.Grantee), p, x.Options.Has(one)); err != nil {
				return err
			}
		}
	}
	return nil
}

// otherDefaults are the default rights of objects that cannot be granted here, by
// acldefault's letter: types, languages, large objects, tablespaces, foreign-data
// wrappers and servers, parameters.
var otherDefaults = map[string]struct{ owner, public auth.Privilege }{
	"T": {auth.Usage, auth.Usage},
	"l": {auth.Usage, auth.Usage},
	"L": {auth.Select | auth.Update, auth.None},
	"t": {auth.Create, auth.None},
	"F": {auth.Usage, auth.None},
	"S": {auth.Usage, auth.None},
	"p": {auth.None, auth.None},
}

// defaultACL is acldefault.
func defaultACL(c *Catalog, a []types.Datum) (any, error) {
	letter := string(a[0].B)
	if letter == "" && a[0].I != 0 {
		letter = string(rune(a[0].I))
	}
	kinds := map[string]auth.Kind{"r": auth.Table, "c": auth.Column, "s": auth.Sequence, "f": auth.Function, "n": auth.Schema, "d": auth.Database}
	kind, ok := kinds[letter]
	if rights, other := otherDefaults[letter]; other {
		owner, _ := c.roleName(oidArg(a[1]))
		acl := auth.ACL{{Grantee: owner, Grantor: owner, Privileges: rights.owner}}
		if rights.public != auth.None {
			acl = append(auth.ACL{{Grantor: owner, Privileges: rights.public}}, acl...)
		}
		return acl.Strings(), nil
	}
	if !ok {
		return nil, pgerror.New(pgerror.InternalError, "unrecognized object type abbreviation: %s", letter)
	}
	owner, _ := c.roleName(oidArg(a[1]))
	return kind.Default(owner).Strings(), nil
}

// maySignal is the right to end what another session does.
func (c *Catalog) maySignal(pid uint32) error {
	roles := c.Snapshot.Roles()
	for _, a := range c.activity() {
		if a.PID != pid || roles.Acts(c.User, a.User) {
			continue
		}
		if roles.Superuser(a.User) {
			return pgerror.New(pgerror.InsufficientPrivilege, "must be a superuser to terminate superuser process")
		}
		if !roles.Acts(c.User, auth.SignalBackend) {
			return pgerror.New(pgerror.InsufficientPrivilege, "must be a member of the role whose process is being terminated or member of pg_signal_backend")
		}
	}
	return nil
}
