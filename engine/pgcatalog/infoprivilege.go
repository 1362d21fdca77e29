package pgcatalog

import (
	"velostream/catalog"
	"velostream/catalog/auth"
)

// acts reports that the current user has the privileges of role.
func (c *Catalog) acts(role string) bool { return c.Snapshot.Roles().Acts(c.User, role) }

// seen lists the relations that the current user owns or has a privilege on:
// information_schema and velo_catalog show no others.
func (c *Catalog) seen() []*catalog.Relation {
	if c.Snapshot.Roles().Superuser(c.User) {
		return c.relations()
	}
	if !c.sawRels {
		c.sawRels = true
		for _, r := range c.relations() {
			if c.Snapshot.Sees(c.User, r) {
				c.seenRels = append(c.seenRels, r)
			}
		}
	}
	return c.seenRels
}

func (c *Catalog) seesColumn(r *catalog.Relation, i int) bool {
	return c.Snapshot.SeesColumn(c.User, r, i)
}

func (c *Catalog) seesFunction(f *catalog.Function) bool {
	return c.acts(f.Owner) || c.Snapshot.MayCall(c.User, f)
}

// seenConstraints are those of relations that the current user may change
// or owns.
func (c *Catalog) seenConstraints() []constraint {
	all := c.constraints()
	if c.Snapshot.Roles().Superuser(c.User) {
		return all
	}
	const more = auth.Insert | auth.Update | auth.Delete | auth.Truncate | auth.References | auth.Trigger
	var out []constraint
	for _, k := range all {
		changes := c.acts(k.rel.Owner) || c.Snapshot.Granted(k.rel, c.User, more) != auth.None
		for i := range k.rel.Columns {
			changes = changes || c.Snapshot.GrantedOn(k.rel, i, c.User, auth.Insert|auth.Update|auth.References) != auth.None
		}
		if changes {
			out = append(out, k)
		}
	}
	return out
}

func (c *Catalog) enabledRoleRows(e *emitter) {
	for _, r := range c.roles() {
		if c.acts(r.Name) {
			e.row(r.Name)
		}
	}
}

func (c *Catalog) applicableRoleRows(e *emitter) {
	for _, r := range c.roles() {
		for _, m := range r.MemberOf {
			if c.acts(r.Name) {
				e.row(r.Name, m.Role, yesNo(m.Admin))
			}
		}
	}
}

func (c *Catalog) administrableRoleRows(e *emitter) {
	for _, r := range c.roles() {
		for _, m := range r.MemberOf {
			if c.acts(r.Name) && m.Admin {
				e.row(r.Name, m.Role, "YES")
			}
		}
	}
}

// eachGrant calls f with each privilege of a list that the current user has
// granted, has, or that is everybody's. kind gives what a list that is not there means.
func (c *Catalog) eachGrant(a auth.ACL, kind auth.Kind, owner string, f func(grantor, grantee, privilege, grantable string)) {
	if a == nil {
		a = kind.Default(owner)
	}
	roles := c.Snapshot.Roles()
	for _, x := range a {
		everybody := x.Grantee == "" && !c.rolesOnly
		if !everybody && !roles.Acts(c.User, x.Grantee) && !roles.Acts(c.User, x.Grantor) {
			continue
		}
		grantee := x.Grantee
		if grantee == "" {
			grantee = "PUBLIC"
		}
		for _, w := range x.Privileges.Words() {
			p, _ := auth.ParsePrivilege(w)
			f(x.Grantor, grantee, w, yesNo(x.Options.Has(p) || roles.Acts(x.Grantee, owner)))
		}
	}
}

// ofRoles is rows without what is everybody's: the role_…_grants are those that the user has
// granted, or has as one of the roles.
func ofRoles(rows func(*Catalog, *emitter)) func(*Catalog, *emitter) {
	return func(c *Catalog, e *emitter) {
		own := *c
		own.rolesOnly = true
		rows(&own, e)
	}
}

func (c *Catalog) tablePrivilegeRows(e *emitter) {
	for _, r := range c.relations() {
		if r.Kind == catalog.Sequence {
			continue
		}
		c.eachGrant(r.ACL, auth.Table, r.Owner, func(grantor, grantee, p, grantable string) {
			e.row(grantor, grantee, c.Database, r.Schema, r.Name, p, grantable, yesNo(p == "SELECT"))
		})
	}
}

func (c *Catalog) columnPrivilegeRows(e *emitter) {
	for _, r := range c.relations() {
		if r.Kind == catalog.Sequence {
			continue
		}
		for _, col := range columnsOf(r) {
			seen := map[string]bool{}
			row := func(grantor, grantee, p, grantable string) {
				one, _ := auth.ParsePrivilege(p)
				key := grantor + "\x00" + grantee + "\x00" + p
				if auth.Column.All().Has(one) && !seen[key] {
					seen[key] = true
					e.row(grantor, grantee, c.Database, r.Schema, r.Name, col.Name, p, grantable)
				}
			}
			c.eachGrant(r.ACL, auth.Table, r.Owner, row)
			c.eachGrant(col.ACL, auth.Column, r.Owner, row)
		}
	}
}

func (c *Catalog) routinePrivilegeRows(e *emitter) {
	for _, f := range c.Snapshot.Functions("", "") {
		c.eachGrant(f.ACL, auth.Function, f.Owner, func(grantor, grantee, p, grantable string) {
			e.row(grantor, grantee, c.Database, f.Schema, f.Name+"_"+itoa(f.ID), c.Database, f.Schema, f.Name, p, grantable)
		})
	}
}

func (c *Catalog) usagePrivilegeRows(e *emitter) {
	c.domainUsageRows(e)
	for _, r := range c.relations() {
		if r.Kind != catalog.Sequence || r.ACL == nil { // as in PostgreSQL, which takes the default of tables
			continue
		}
		c.eachGrant(r.ACL, auth.Sequence, r.Owner, func(grantor, grantee, p, grantable string) {
			if p == "USAGE" {
				e.row(grantor, grantee, c.Database, r.Schema, r.Name, "SEQUENCE", p, grantable)
			}
		})
	}
}
