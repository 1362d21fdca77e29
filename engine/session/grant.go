package session

import (
	"context"
	"strings"

	"velostream/catalog"
	"velostream/catalog/auth"
	"velostream/engine/sql/ast"
	"velostream/pgwire/pgerror"
)

// grant is GRANT and REVOKE.
func (s *Session) grant(ctx context.Context, p ast.Parsed, n *ast.Grant) error {
	if n.Role {
		return s.grantRoles(ctx, n)
	}
	return s.applyRights(ctx, func(snap *catalog.Snapshot) ([]catalog.Change, error) {
		g := &granting{s: s, p: p, n: n, snap: snap}
		if err := g.to(); err != nil {
			return nil, err
		}
		if err := g.run(); err != nil {
			return nil, err
		}
		return g.changes, nil
	})
}

// granting is one GRANT or REVOKE of privileges, object after object, each on top of
// what was changed before.
type granting struct {
	s        *Session
	p        ast.Parsed
	n        *ast.Grant
	snap     *catalog.Snapshot
	grantees []string // "": PUBLIC
	changes  []catalog.Change
}

// to finds the grantees.
func (g *granting) to() error {
	if g.n.GrantedBy != "" {
		by, err := g.s.roleNamed(g.snap, g.n.GrantedBy)
		if err != nil {
			return err
		}
		if by != g.s.who() {
			return pgerror.New(pgerror.FeatureNotSupported, "grantor must be current user")
		}
	}
	for _, x := range g.n.Grantees {
		name := ""
		if x.Name != "public" {
			var err error
			if name, err = g.s.roleNamed(g.snap, x.Name); err != nil {
				return err
			}
		}
		g.grantees = append(g.grantees, name)
	}
	return nil
}

func (g *granting) put(c catalog.Change) error {
	next, err := g.snap.With(c)
	if err == nil {
		g.snap, g.changes = next, append(g.changes, c)
	}
	return err
}

func (g *granting) run() error {
	if g.n.AllInSchema != "" {
		return g.allInSchema()
	}
	for _, o := range g.n.Objects {
		var err error
		switch o.Kind {
		case "TABLE", "STREAM", "SOURCE", "VIEW", "MATERIALIZED VIEW", "SINK", "SEQUENCE":
			var r *catalog.Relation
			if r, err = g.s.relation(g.snap, g.p, o.Name); err == nil {
				if err = isKind(r, o.Kind); o.Kind == "TABLE" {
					err = nil
				}
			}
			if err == nil {
				err = g.relation(r.ID)
			}
		case "FUNCTION", "ROUTINE", "PROCEDURE":
			var f *catalog.Function
			if f, err = g.s.function(g.snap, g.p, o); err == nil {
				err = g.function(f)
			}
		case "SCHEMA":
			err = g.schema(o.Name.Last())
		case "DATABASE":
			err = g.database(o.Name.Last())
		default:
			err = pgerror.Unsupported("%s ON %s is not supported", g.p.Tag(), o.Kind).At(g.p.Position(o.Pos()))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (g *granting) allInSchema() error {
	for _, o := range g.n.Objects {
		name := o.Name.Last()
		if !g.snap.HasSchema(name) {
			return pgerror.New(pgerror.InvalidSchemaName, "schema %q does not exist", name)
		}
		if err := g.s.usable(name); err != nil {
			return err
		}
		switch g.n.AllInSchema {
		case "FUNCTIONS", "ROUTINES", "PROCEDURES":
			for _, f := range g.snap.Functions(name, "") {
				if err := g.function(f); err != nil {
					return err
				}
			}
			continue
		}
		for _, r := range g.snap.Relations() {
			wanted := r.Kind != catalog.Sequence
			switch g.n.AllInSchema {
			case "SEQUENCES":
				wanted = r.Kind == catalog.Sequence
			case "STREAMS":
				wanted = r.Kind == catalog.Stream
			}
			if r.Schema == name && wanted {
				if err := g.relation(r.ID); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// privileges are those named without columns, all: they are ALL. Error: 0LP01.
func (g *granting) privileges(kind auth.Kind) (p auth.Privilege, all bool, err error) {
	for _, x := range g.n.Privileges {
		if len(x.Columns) > 0 {
			continue
		}
		if x.Name == "ALL" {
			p, all = p|kind.All(), true
			continue
		}
		one, err := parsePrivilege(x.Name, kind)
		if err != nil {
			return 0, false, err
		}
		p |= one
	}
	return p, all, nil
}

func parsePrivilege(name string, kind auth.Kind) (auth.Privilege, error) {
	p, ok := auth.ParsePrivilege(name)
	if !ok {
		return 0, pgerror.New(pgerror.SyntaxError, "unrecognized privilege type %q", strings.ToLower(name))
	}
	if !kind.All().Has(p) {
		return 0, pgerror.New(pgerror.InvalidGrantOperation, "invalid privilege type %s for %s", name, kind.Word())
	}
	return p, nil
}

// grantTarget is something with an access control list.
type grantTarget struct {
	kind  auth.Kind
	owner string
	acl   auth.ACL
	// over is a list that gives rights to grant here too: the relation's, of a column.
	over       auth.ACL
	word, name string
	shown      string // in warnings; "": name, quoted
}

// update returns the list of t after the statement, nil: it does not change.
func (g *granting) update(t grantTarget, want auth.Privilege, all bool) (auth.ACL, error) {
	roles, who := g.snap.Roles(), g.s.who()
	list := t.acl
	if list == nil {
		list = t.kind.Default(t.owner)
	}
	judged := append(append(auth.ACL{}, t.over...), list...)
	grantor, options := roles.Grantor(judged, t.kind, t.owner, who, want)
	if options == auth.None {
		full := t.kind.All()
		if roles.Allowed(judged, t.kind, t.owner, who, full) == auth.None && roles.Grantable(judged, t.kind, t.owner, who, full) == auth.None {
			return nil, catalog.Denied(t.word, t.name)
		}
	}
	g.warn(t, options&want, want, all)
	if options&want == auth.None {
		return nil, nil
	}
	for _, to := range g.grantees {
		var err error
		list, err = list.Update(roles, t.owner, auth.Change{
			Revoke: g.n.Revoke, Grantee: to, Grantor: grantor, Privileges: want & options,
			Option: g.n.WithOption == "GRANT", Cascade: g.n.Behavior == ast.Cascade,
		})
		if err != nil {
			return nil, err
		}
	}
	return list, nil
}

// warn tells of privileges that the current user cannot grant or revoke.
func (g *granting) warn(t grantTarget, got, want auth.Privilege, all bool) {
	shown := t.shown
	if shown == "" {
		shown = `"` + t.name + `"`
	}
	code, some, none := pgerror.PrivilegeNotGranted, "not all privileges were granted for %s", "no privileges were granted for %s"
	if g.n.Revoke {
		code, some, none = pgerror.PrivilegeNotRevoked, "not all privileges could be revoked for %s", "no privileges could be revoked for %s"
	}
	switch {
	case got == auth.None:
		g.s.warning(code, none, shown)
	case got != want && !all:
		g.s.warning(code, some, shown)
	}
}

// relation grants on a relation and its columns.
func (g *granting) relation(id uint32) error {
	r := g.snap.ByID(id)
	kind := r.ACLKind()
	want, all, err := g.privileges(kind)
	if err != nil {
		return err
	}
	c := r.Clone()
	if want != auth.None {
		acl, err := g.update(grantTarget{kind: kind, owner: r.Owner, acl: r.ACL, word: r.Word(), name: r.Name}, want, all)
		if err != nil {
			return err
		}
		if acl != nil {
			c.ACL = acl
		}
	}
	byColumn, err := g.columns(r)
	if err != nil {
		return err
	}
	if g.n.Revoke && want&auth.Column.All() != auth.None {
		for i := range c.Columns { // what is taken from the whole is taken from each
			if len(c.Columns[i].ACL) > 0 {
				byColumn[i] |= want & auth.Column.All()
			}
		}
	}
	for i := range c.Columns {
		if byColumn[i] == auth.None {
			continue
		}
		if err := g.column(r, c, i, byColumn[i]); err != nil {
			return err
		}
	}
	return g.put(catalog.Change{Put: c})
}

func (g *granting) column(r, c *catalog.Relation, i int, want auth.Privilege) error {
	over := r.ACL
	if over == nil {
		over = r.ACLKind().Default(r.Owner)
	}
	name := c.Columns[i].Name
	list := c.Columns[i].ACL
	if list == nil {
		list = auth.ACL{}
	}
	acl, err := g.update(grantTarget{
		kind: auth.Column, owner: r.Owner, acl: list, over: over,
		word: "column", name: `"` + name + `" of relation "` + r.Name + `"`, shown: `column "` + name + `" of relation "` + r.Name + `"`,
	}, want, false)
	if err == nil && acl != nil {
		if c.Columns[i].ACL = acl; len(acl) == 0 {
			c.Columns[i].ACL = nil
		}
	}
	return err
}

// columns are the privileges that are named with columns, by position.
func (g *granting) columns(r *catalog.Relation) ([]auth.Privilege, error) {
	out := make([]auth.Privilege, len(r.Columns))
	for _, x := range g.n.Privileges {
		if len(x.Columns) == 0 {
			continue
		}
		p := auth.Column.All()
		if r.Kind == catalog.Sequence {
			p = auth.Select
		}
		if x.Name != "ALL" {
			var err error
			if p, err = parsePrivilege(x.Name, auth.Column); err != nil {
				return nil, err
			}
		}
		for _, id := range x.Columns {
			i := r.ColumnIndex(id.Name)
			if i < 0 || r.Columns[i].Dropped {
				return nil, pgerror.New(pgerror.UndefinedColumn, "column %q of relation %q does not exist", id.Name, r.Name)
			}
			out[i] |= p
		}
	}
	return out, nil
}

// whole refuses columns where there are none.
func (g *granting) whole() error {
	for _, x := range g.n.Privileges {
		if len(x.Columns) > 0 {
			return pgerror.New(pgerror.InvalidGrantOperation, "column privileges are only valid for relations")
		}
	}
	return nil
}

func (g *granting) function(f *catalog.Function) error {
	want, all, err := g.privileges(auth.Function)
	if err == nil {
		err = g.whole()
	}
	if err != nil {
		return err
	}
	acl, err := g.update(grantTarget{kind: auth.Function, owner: f.Owner, acl: f.ACL, word: "function", name: f.Name}, want, all)
	if err != nil || acl == nil {
		return err
	}
	c := *f
	c.ACL = acl
	return g.put(catalog.Change{PutFunction: &c})
}

func (g *granting) schema(name string) error {
	if !g.snap.HasSchema(name) {
		return pgerror.New(pgerror.InvalidSchemaName, "schema %q does not exist", name)
	}
	return g.rights(auth.Schema, name, name)
}

func (g *granting) database(name string) error {
	if name != g.s.database && name != "velostream" && name != "postgres" {
		return pgerror.New(pgerror.InvalidCatalogName, "database %q does not exist", name)
	}
	return g.rights(auth.Database, "", name)
}

func (g *granting) rights(kind auth.Kind, schema, name string) error {
	want, all, err := g.privileges(kind)
	if err == nil {
		err = g.whole()
	}
	if err != nil {
		return err
	}
	r := g.snap.SchemaRights(schema)
	acl, err := g.update(grantTarget{kind: kind, owner: r.Owner, acl: r.ACL, word: kind.Word(), name: name}, want, all)
	if err != nil || acl == nil {
		return err
	}
	r.ACL = acl
	return g.put(catalog.Change{PutRights: &r})
}

var defaultKinds = map[string]auth.Kind{
	"TABLES": auth.Table, "STREAMS": auth.Table, "SEQUENCES": auth.Sequence, "FUNCTIONS": auth.Function, "ROUTINES": auth.Function, "SCHEMAS": auth.Schema,
}

// alterDefaults is ALTER DEFAULT PRIVILEGES.
func (s *Session) alterDefaults(ctx context.Context, p ast.Parsed, n *ast.AlterDefaultPrivileges) error {
	kind, ok := defaultKinds[n.Grant.AllInSchema]
	if !ok {
		return pgerror.Unsupported("default privileges on %s are not supported", n.Grant.AllInSchema).At(p.Position(n.Grant.Pos()))
	}
	if kind == auth.Schema && len(n.Schemas) > 0 {
		return pgerror.New(pgerror.InvalidGrantOperation, "cannot use IN SCHEMA clause when using GRANT/REVOKE ON SCHEMAS")
	}
	return s.applyRights(ctx, func(snap *catalog.Snapshot) ([]catalog.Change, error) {
		g := &granting{s: s, p: p, n: n.Grant, snap: snap}
		if err := g.to(); err != nil {
			return nil, err
		}
		want, _, err := g.privileges(kind)
		if err == nil {
			err = g.whole()
		}
		if err != nil {
			return nil, err
		}
		roles := []string{s.who()}
		if len(n.Roles) > 0 {
			roles = nil
		}
		for _, r := range n.Roles {
			name, err := s.roleNamed(snap, r.Name)
			if err != nil {
				return nil, err
			}
			if !snap.Roles().Member(s.who(), name) {
				return nil, denied("must be member of role %q", name)
			}
			roles = append(roles, name)
		}
		schemas := []string{""}
		if len(n.Schemas) > 0 {
			schemas = nil
		}
		for _, sc := range n.Schemas {
			if !snap.HasSchema(sc.Name) {
				return nil, pgerror.New(pgerror.InvalidSchemaName, "schema %q does not exist", sc.Name)
			}
			schemas = append(schemas, sc.Name)
		}
		for _, r := range roles {
			for _, sc := range schemas {
				if err := g.defaults(r, sc, kind, want); err != nil {
					return nil, err
				}
			}
		}
		return g.changes, nil
	})
}

// defaults changes the default privileges of one role in one schema. They are
// granted by the role itself. An entry that changes nothing is none.
func (g *granting) defaults(role, schema string, kind auth.Kind, want auth.Privilege) error {
	d := g.snap.DefaultsOf(role, schema, kind)
	start := auth.ACL{}
	if schema == "" {
		start = kind.Default(role)
	}
	acl := d.ACL
	if acl == nil {
		acl = start
	}
	for _, to := range g.grantees {
		var err error
		acl, err = acl.Update(g.snap.Roles(), role, auth.Change{
			Revoke: g.n.Revoke, Grantee: to, Grantor: role, Privileges: want,
			Option: g.n.WithOption == "GRANT", Cascade: g.n.Behavior == ast.Cascade,
		})
		if err != nil {
			return err
		}
	}
	if acl.Equal(start) {
		acl = nil
	}
	if d.ACL == nil && acl == nil {
		return nil
	}
	if d.ID == 0 {
		d.ID = g.snap.NextID()
	}
	d.ACL = acl
	return g.put(catalog.Change{PutDefaults: &d})
}
