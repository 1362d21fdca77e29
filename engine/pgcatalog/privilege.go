package pgcatalog

import (
	"slices"
	"strings"

	"velostream/catalog"
	"velostream/catalog/auth"
	"velostream/catalog/types"
	"velostream/pgwire/pgerror"
)

// inquiry is a call of has_…_privilege([role,] object…, privileges).
type inquiry struct {
	role   string
	object []types.Datum // the object's arguments
	want   []wanted      // any of them is enough
	ok     bool          // false: the role of the OID is not there
}

type wanted struct {
	p      auth.Privilege
	option bool
}

// inquiry takes the arguments of a call apart; n is how many name the object.
func (c *Catalog) inquiry(a []types.Datum, n int, kind auth.Kind) (inquiry, error) {
	q := inquiry{role: c.User, ok: true, object: a[len(a)-1-n : len(a)-1]}
	if len(a) > n+1 {
		var err error
		if q.role, q.ok, err = c.roleArg(a[0]); err != nil {
			return q, err
		}
	}
	for text := range strings.SplitSeq(string(a[len(a)-1].B), ",") {
		word := strings.ToUpper(strings.TrimSpace(text))
		word, option := strings.CutSuffix(word, " WITH GRANT OPTION")
		p, ok := auth.ParsePrivilege(word)
		if !ok || !kind.All().Has(p) {
			return q, pgerror.New(pgerror.InvalidParameterValue, "unrecognized privilege type: %q", strings.TrimSpace(text))
		}
		q.want = append(q.want, wanted{p, option})
	}
	return q, nil
}

// roleArg is a role given by name, which must exist, or OID. "public" is nobody.
func (c *Catalog) roleArg(d types.Datum) (name string, ok bool, err error) {
	if d.B == nil {
		name, ok = c.roleName(oidArg(d))
		return name, ok, nil
	}
	name = string(d.B)
	if name == "public" {
		return "", true, nil
	}
	if c.Snapshot.Role(name) == nil {
		return "", false, pgerror.New(pgerror.UndefinedObject, "role %q does not exist", name)
	}
	return name, true, nil
}

// relationArg is a relation given by name, which must exist, or OID.
func (c *Catalog) relationArg(d types.Datum) (*catalog.Relation, error) {
	oid := oidArg(d)
	if d.B != nil {
		var err error
		if oid, err = c.Number(types.OIDRegclass, string(d.B)); err != nil {
			return nil, err
		}
	}
	return c.relation(oid), nil
}

// granted is what of want the role may do with r.
func (c *Catalog) granted(role string, r *catalog.Relation, w wanted) bool {
	acl := r.ACL
	if r.ID < catalog.FirstID {
		acl = systemRights(r)
	}
	if w.option {
		return c.Snapshot.Roles().Grantable(acl, r.ACLKind(), r.Owner, role, w.p) != auth.None
	}
	if r.ID < catalog.FirstID {
		return c.Snapshot.Roles().Allowed(acl, auth.Table, r.Owner, role, w.p) != auth.None
	}
	return c.Snapshot.Granted(r, role, w.p) != auth.None
}

func (c *Catalog) grantedOn(role string, r *catalog.Relation, i int, w wanted) bool {
	if w.option {
		a := r.Columns[i].ACL
		return len(a) > 0 && c.Snapshot.Roles().Grantable(a, auth.Column, r.Owner, role, w.p) != auth.None
	}
	return c.Snapshot.GrantedOn(r, i, role, w.p) != auth.None
}

// relationInquiry is an inquiry about a relation, which is the first of the n
// arguments that name the object. nil: it, or the role, is not there, and the answer
// is NULL.
func (c *Catalog) relationInquiry(a []types.Datum, n int, kind auth.Kind) (inquiry, *catalog.Relation, error) {
	q, err := c.inquiry(a, n, kind)
	if err != nil {
		return q, nil, err
	}
	r, err := c.relationArg(q.object[0])
	if !q.ok {
		r = nil
	}
	return q, r, err
}

func hasTable(c *Catalog, a []types.Datum) (any, error) {
	q, r, err := c.relationInquiry(a, 1, auth.Table)
	if err != nil || r == nil {
		return nil, err
	}
	return slices.ContainsFunc(q.want, func(w wanted) bool { return c.granted(q.role, r, w) }), nil
}

func hasAnyColumn(c *Catalog, a []types.Datum) (any, error) {
	q, r, err := c.relationInquiry(a, 1, auth.Column)
	if err != nil || r == nil {
		return nil, err
	}
	return slices.ContainsFunc(q.want, func(w wanted) bool {
		granted := c.granted(q.role, r, w)
		for i := range r.Columns {
			granted = granted || c.grantedOn(q.role, r, i, w)
		}
		return granted
	}), nil
}

func hasColumn(c *Catalog, a []types.Datum) (any, error) {
	q, r, err := c.relationInquiry(a, 2, auth.Column)
	if err != nil || r == nil {
		return nil, err
	}
	i := int(q.object[1].I) - 1
	if q.object[1].B != nil {
		name := string(q.object[1].B)
		if i = r.ColumnIndex(name); i < 0 {
			return nil, pgerror.New(pgerror.UndefinedColumn, "column %q of relation %q does not exist", name, r.Name)
		}
	}
	if i < 0 || i >= len(r.Columns) || r.Columns[i].Dropped {
		return nil, nil
	}
	return slices.ContainsFunc(q.want, func(w wanted) bool {
		return c.granted(q.role, r, w) || c.grantedOn(q.role, r, i, w)
	}), nil
}

func hasSequence(c *Catalog, a []types.Datum) (any, error) {
	q, r, err := c.relationInquiry(a, 1, auth.Sequence)
	if err != nil || r == nil {
		return nil, err
	}
	if r.Kind != catalog.Sequence {
		if q.object[0].B == nil {
			return nil, nil
		}
		return nil, pgerror.New(pgerror.WrongObjectType, "%q is not a sequence", r.Name)
	}
	return slices.ContainsFunc(q.want, func(w wanted) bool { return c.granted(q.role, r, w) }), nil
}

// hasIn answers for a list of an owner.
func (c *Catalog) hasIn(q inquiry, kind auth.Kind, owner string, acl auth.ACL) bool {
	roles := c.Snapshot.Roles()
	return slices.ContainsFunc(q.want, func(w wanted) bool {
		has := roles.Allowed
		if w.option {
			has = roles.Grantable
		}
		return has(acl, kind, owner, q.role, w.p) != auth.None
	})
}

func hasSchema(c *Catalog, a []types.Datum) (any, error) {
	q, err := c.inquiry(a, 1, auth.Schema)
	if err != nil {
		return nil, err
	}
	name, ok := string(q.object[0].B), true
	if q.object[0].B == nil {
		name, ok = c.schemaName(oidArg(q.object[0]))
	} else if c.schemaOID(name) == 0 {
		return nil, pgerror.New(pgerror.InvalidSchemaName, "schema %q does not exist", name)
	}
	if !ok || !q.ok {
		return nil, nil
	}
	r := c.Snapshot.SchemaRights(name)
	if !c.Snapshot.HasSchema(name) {
		r.ACL = auth.ACL{{Grantor: superuser, Privileges: auth.Usage}}
	}
	return c.hasIn(q, auth.Schema, r.Owner, r.ACL), nil
}

func hasDatabase(c *Catalog, a []types.Datum) (any, error) {
	q, err := c.inquiry(a, 1, auth.Database)
	if err != nil {
		return nil, err
	}
	found := false
	for i, n := range c.databases() {
		found = found || q.object[0].B != nil && n == string(q.object[0].B) || q.object[0].B == nil && databaseOID(i) == oidArg(q.object[0])
	}
	switch {
	case !found && q.object[0].B != nil:
		return nil, pgerror.New(pgerror.InvalidCatalogName, "database %q does not exist", string(q.object[0].B))
	case !found || !q.ok:
		return nil, nil
	}
	r := c.Snapshot.SchemaRights("")
	return c.hasIn(q, auth.Database, r.Owner, r.ACL), nil
}

func hasFunction(c *Catalog, a []types.Datum) (any, error) {
	q, err := c.inquiry(a, 1, auth.Function)
	if err != nil {
		return nil, err
	}
	oid := oidArg(q.object[0])
	if q.object[0].B != nil {
		if oid, err = c.Number(types.OIDRegprocedure, string(q.object[0].B)); err != nil {
			return nil, err
		}
	}
	p, ok := c.findProc(oid)
	if !ok || !q.ok {
		return nil, nil
	}
	if p.user == nil {
		return c.hasIn(q, auth.Function, superuser, nil), nil
	}
	return c.hasIn(q, auth.Function, p.user.Owner, p.user.ACL), nil
}

// hasOther answers for objects that nothing is granted on: everybody may use types
// and languages, and only superusers the rest.
func hasOther(c *Catalog, a []types.Datum) (any, error) {
	role := c.User
	if len(a) > 2 {
		var ok bool
		var err error
		if role, ok, err = c.roleArg(a[0]); err != nil || !ok {
			return nil, err
		}
	}
	word := strings.ToUpper(strings.TrimSpace(string(a[len(a)-1].B)))
	return word == "USAGE" || c.Snapshot.Roles().Superuser(role), nil
}

// hasRole is pg_has_role([user,] role, MEMBER | USAGE).
func hasRole(c *Catalog, a []types.Datum) (any, error) {
	user := c.User
	if len(a) > 2 {
		var ok bool
		var err error
		if user, ok, err = c.roleArg(a[0]); err != nil || !ok {
			return nil, err
		}
	}
	role, ok, err := c.roleArg(a[len(a)-2])
	if err != nil || !ok {
		return nil, err
	}
	roles := c.Snapshot.Roles()
	for text := range strings.SplitSeq(string(a[len(a)-1].B), ",") {
		switch word := strings.ToUpper(strings.TrimSpace(text)); word {
		case "USAGE":
			if roles.Acts(user, role) {
				return true, nil
			}
		case "MEMBER":
			if roles.Member(user, role) {
				return true, nil
			}
		case "USAGE WITH GRANT OPTION", "USAGE WITH ADMIN OPTION", "MEMBER WITH GRANT OPTION", "MEMBER WITH ADMIN OPTION":
			if roles.Admin(user, role) {
				return true, nil
			}
		default:
			return nil, pgerror.New(pgerror.InvalidParameterValue, "unrecognized privilege type: %q", strings.TrimSpace(text))
		}
	}
	return false, nil
}
