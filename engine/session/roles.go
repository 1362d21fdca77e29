package session

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"velostream/catalog"
	"velostream/catalog/auth"
	"velostream/catalog/types"
	"velostream/engine/sql/ast"
	"velostream/pgwire/pgerror"
)

// roleNamed is the role that a statement names. Error: 42704.
func (s *Session) roleNamed(snap *catalog.Snapshot, name string) (string, error) {
	switch name {
	case "current_user", "current_role":
		name = s.who()
	case "session_user":
		name = s.sessionUser()
	}
	if snap.Role(name) == nil {
		return "", pgerror.New(pgerror.UndefinedObject, "role %q does not exist", name)
	}
	return name, nil
}

func denied(format string, args ...any) *pgerror.Error {
	return pgerror.New(pgerror.InsufficientPrivilege, format, args...)
}

// mayManage is the right to make and change roles.
func (s *Session) mayManage(snap *catalog.Snapshot) bool {
	r := snap.Role(s.who())
	return r != nil && (r.Superuser || r.CreateRole)
}

func (s *Session) mayCheckpoint() error {
	if s.has(s.catalog(), auth.Checkpoint) {
		return nil
	}
	return denied("must be superuser or have privileges of pg_checkpoint to do CHECKPOINT")
}

// newRoleName refuses names that roles cannot have.
func newRoleName(name string) error {
	if !auth.Reserved(name) {
		return nil
	}
	e := pgerror.New(pgerror.ReservedName, "role name %q is reserved", name)
	if strings.HasPrefix(name, "pg_") {
		return e.WithDetail("Role names starting with \"pg_\" are reserved.")
	}
	return e
}

// roleOptions are the options of CREATE and ALTER ROLE by their names without NO;
// those that were not given are nil.
type roleOptions struct {
	flags        map[string]bool
	limit        *int
	password     *string // "": none
	validUntil   *int64
	inRole       []string
	members      []string
	admins       []string
	onlyPassword bool
}

func (s *Session) roleOptions(p ast.Parsed, n *ast.CreateRole) (*roleOptions, error) {
	o := &roleOptions{flags: map[string]bool{}}
	seen := map[string]bool{}
	for _, x := range n.Options {
		name, on := x.Name, true
		if rest, no := strings.CutPrefix(name, "no"); no {
			name, on = rest, false
		}
		if seen[name] {
			return nil, pgerror.New(pgerror.SyntaxError, "conflicting or redundant options").At(p.Position(x.Pos()))
		}
		seen[name] = true
		if err := s.roleOption(p, o, x, name, on); err != nil {
			return nil, err
		}
	}
	o.onlyPassword = len(n.Options) == 1 && o.password != nil
	return o, nil
}

func (s *Session) roleOption(p ast.Parsed, o *roleOptions, x ast.Option, name string, on bool) error {
	at := p.Position(x.ValuePos)
	switch name {
	case "superuser", "createdb", "createrole", "inherit", "login", "replication", "bypassrls":
		o.flags[name] = on
	case "connection limit":
		n, err := strconv.Atoi(x.Value)
		if err != nil || n < -1 {
			return pgerror.New(pgerror.InvalidParameterValue, "invalid connection limit: %s", x.Value)
		}
		o.limit = &n
	case "valid until":
		d, err := types.DecodeText(types.Timestamptz, []byte(x.Value), s.settings.format())
		if err != nil {
			return pgerror.From(err).At(at)
		}
		o.validUntil = &d.I
	case "password":
		text := ""
		switch {
		case x.Kind != ast.ValueString:
		case x.Value == "":
			s.notice("empty string is not a valid password, clearing password")
		case strings.HasPrefix(x.Value, "md5") && len(x.Value) == 35:
			return pgerror.Unsupported("MD5 passwords are not supported").WithHint("Give the password, or a SCRAM-SHA-256 verifier.").At(at)
		default:
			v, err := auth.PasswordVerifier(x.Value, 0)
			if err != nil {
				return err
			}
			text = v.String()
		}
		o.password = &text
	case "in role":
		o.inRole = x.Items
	case "role":
		o.members = x.Items
	case "admin":
		o.admins = x.Items
	case "sysid":
		s.notice("SYSID can no longer be specified")
	default:
		return pgerror.Unsupported("role option %s is not supported", strings.ToUpper(x.Name)).At(p.Position(x.Pos()))
	}
	return nil
}

// set puts the options into r.
func (o *roleOptions) set(r *auth.Role) {
	for name, to := range map[string]*bool{
		"superuser": &r.Superuser, "createdb": &r.CreateDB, "createrole": &r.CreateRole, "inherit": &r.Inherit,
		"login": &r.Login, "replication": &r.Replication, "bypassrls": &r.BypassRLS,
	} {
		if on, ok := o.flags[name]; ok {
			*to = on
		}
	}
	if o.limit != nil {
		r.ConnectionLimit = *o.limit
	}
	if o.password != nil {
		r.Password = *o.password
	}
	if o.validUntil != nil {
		r.ValidUntil = o.validUntil
		if *o.validUntil == types.TimestampInfinity {
			r.ValidUntil = nil
		}
	}
}

// createRole is CREATE and ALTER ROLE and USER.
func (s *Session) createRole(ctx context.Context, p ast.Parsed, n *ast.CreateRole) error {
	o, err := s.roleOptions(p, n)
	if err != nil {
		return err
	}
	return s.applyRights(ctx, func(snap *catalog.Snapshot) ([]catalog.Change, error) {
		if n.Alter {
			return s.alterRole(snap, n, o)
		}
		return s.newRole(snap, p, n, o)
	})
}

func (s *Session) newRole(snap *catalog.Snapshot, p ast.Parsed, n *ast.CreateRole, o *roleOptions) ([]catalog.Change, error) {
	super := snap.Roles().Superuser(s.who())
	switch {
	case super:
	case o.flags["superuser"]:
		return nil, denied("must be superuser to create superusers")
	case o.flags["replication"]:
		return nil, denied("must be superuser to create replication users")
	case o.flags["bypassrls"]:
		return nil, denied("must be superuser to create bypassrls users")
	case !s.mayManage(snap):
		return nil, denied("permission denied to create role")
	}
	if err := newRoleName(n.Name.Name); err != nil {
		return nil, pgerror.From(err).At(p.Position(n.Name.Pos()))
	}
	if snap.Role(n.Name.Name) != nil {
		if n.IfNotExists {
			s.notice("role %q already exists, skipping", n.Name.Name)
			return nil, nil
		}
		return nil, pgerror.New(pgerror.DuplicateObject, "role %q already exists", n.Name.Name)
	}
	r := &auth.Role{ID: snap.NextID(), Name: n.Name.Name, Inherit: true, Login: n.Kind == "USER", ConnectionLimit: -1}
	o.set(r)
	b := &rolesBuilder{s: s, snap: snap}
	b.add(catalog.Change{PutRole: r})
	for _, of := range o.inRole {
		b.join(n.Name.Name, of, false, s.who())
	}
	for _, m := range o.members {
		b.join(m, n.Name.Name, false, s.who())
	}
	for _, m := range o.admins {
		b.join(m, n.Name.Name, true, s.who())
	}
	return b.changes, b.err
}

func (s *Session) alterRole(snap *catalog.Snapshot, n *ast.CreateRole, o *roleOptions) ([]catalog.Change, error) {
	name, err := s.roleNamed(snap, n.Name.Name)
	if err != nil {
		return nil, err
	}
	old := snap.Role(name)
	if strings.HasPrefix(name, "pg_") {
		return nil, newRoleName(name)
	}
	given := func(flag string) bool { _, ok := o.flags[flag]; return ok }
	switch {
	case snap.Roles().Superuser(s.who()):
	case old.Superuser || given("superuser"):
		return nil, denied("must be superuser to alter superuser roles or change superuser attribute")
	case old.Replication || given("replication"):
		return nil, denied("must be superuser to alter replication roles or change replication attribute")
	case given("bypassrls"):
		return nil, denied("must be superuser to change bypassrls attribute")
	case !s.mayManage(snap) && (!o.onlyPassword || name != s.who()):
		return nil, denied("permission denied")
	}
	if on, ok := o.flags["superuser"]; ok && !on && old.ID == auth.BootstrapOID {
		return nil, denied("permission denied to alter role").WithDetail("The bootstrap user must have the SUPERUSER attribute.")
	}
	r := old.Clone()
	o.set(r)
	r.Implied = false
	b := &rolesBuilder{s: s, snap: snap}
	b.add(catalog.Change{PutRole: r})
	for _, m := range o.members { // ALTER GROUP … ADD USER, in its oldest spelling
		b.join(m, name, false, s.who())
	}
	return b.changes, b.err
}

// renameRole is ALTER ROLE … RENAME TO.
func (s *Session) renameRole(ctx context.Context, p ast.Parsed, n *ast.Alter) error {
	if len(n.Actions) != 1 || n.Actions[0].Kind != ast.AlterRename || n.Object.Raw != "" {
		return pgerror.Unsupported("ALTER ROLE … %s is not supported", string(n.Actions[0].Kind)).At(p.Position(n.Actions[0].Pos()))
	}
	return s.applyRights(ctx, func(snap *catalog.Snapshot) ([]catalog.Change, error) {
		from, err := s.roleNamed(snap, n.Object.Name.Last())
		if err != nil {
			return nil, err
		}
		to, r := n.Actions[0].NewName.Last(), snap.Role(from)
		switch {
		case from == s.sessionUser():
			return nil, pgerror.New(pgerror.FeatureNotSupported, "session user cannot be renamed")
		case from == s.who():
			return nil, pgerror.New(pgerror.FeatureNotSupported, "current user cannot be renamed")
		case auth.Reserved(from):
			return nil, newRoleName(from)
		case auth.Reserved(to):
			return nil, newRoleName(to)
		case snap.Role(to) != nil:
			return nil, pgerror.New(pgerror.DuplicateObject, "role %q already exists", to)
		case r.Superuser && !snap.Roles().Superuser(s.who()):
			return nil, denied("must be superuser to rename superusers")
		case !s.mayManage(snap):
			return nil, denied("permission denied to rename role")
		case r.ID == auth.BootstrapOID:
			return nil, pgerror.Unsupported("renaming role %q, which owns the database, is not supported", from)
		}
		return []catalog.Change{{RenameRole: []string{from, to}}}, nil
	})
}

// dropRoles is DROP ROLE.
func (s *Session) dropRoles(ctx context.Context, _ ast.Parsed, n *ast.Drop) error {
	return s.applyRights(ctx, func(snap *catalog.Snapshot) ([]catalog.Change, error) {
		if !s.mayManage(snap) {
			return nil, denied("permission denied to drop role")
		}
		var out []catalog.Change
		for _, o := range n.Objects {
			name := o.Name.Last()
			r := snap.Role(name)
			switch {
			case name == "current_user" || name == "session_user" || name == "current_role":
				return nil, pgerror.New(pgerror.InvalidParameterValue, "cannot use special role specifier in DROP ROLE")
			case r == nil && n.IfExists:
				s.notice("role %q does not exist, skipping", name)
				continue
			case r == nil:
				return nil, pgerror.New(pgerror.UndefinedObject, "role %q does not exist", name)
			case name == s.who():
				return nil, pgerror.New(pgerror.ObjectInUse, "current user cannot be dropped")
			case name == s.sessionUser():
				return nil, pgerror.New(pgerror.ObjectInUse, "session user cannot be dropped")
			case r.Superuser && !snap.Roles().Superuser(s.who()):
				return nil, denied("must be superuser to drop superusers")
			case r.ID < catalog.FirstID:
				return nil, pgerror.New(pgerror.DependentObjectsStillExist,
					"cannot drop role %s because it is required by the database system", name)
			}
			if list := dependents(snap, name); len(list) > 0 {
				return nil, pgerror.New(pgerror.DependentObjectsStillExist, "role %q cannot be dropped because some objects depend on it", name).
					WithDetail("%s", strings.Join(list, "\n"))
			}
			out = append(out, catalog.Change{DropRole: name})
		}
		return out, nil
	})
}

// dependents are what a role owns and has privileges on, as DROP ROLE lists it.
func dependents(snap *catalog.Snapshot, role string) []string {
	var out []string
	note := func(owner string, acls []auth.ACL, what string) {
		if owner == role {
			out = append(out, "owner of "+what)
			return
		}
		if slices.ContainsFunc(acls, func(a auth.ACL) bool { return a.Mentions(role) }) {
			out = append(out, "privileges for "+what)
		}
	}
	for _, n := range append([]string{""}, snap.Schemas()...) {
		r := snap.SchemaRights(n)
		what := "schema " + n
		if n == "" {
			what = "database velostream"
		}
		note(r.Owner, []auth.ACL{r.ACL}, what)
	}
	for _, r := range snap.Relations() {
		acls := []auth.ACL{r.ACL}
		for _, c := range r.Columns {
			acls = append(acls, c.ACL)
		}
		note(r.Owner, acls, r.Word()+" "+r.Name)
	}
	for _, f := range snap.Functions("", "") {
		note(f.Owner, []auth.ACL{f.ACL}, "function "+f.Signature())
	}
	for _, t := range snap.UserTypes("") {
		note(t.Owner, []auth.ACL{t.ACL}, "type "+t.Name)
	}
	for _, d := range snap.Defaults() {
		if d.Role == role {
			out = append(out, "owner of default privileges on new "+defaultWords[d.Kind]+" belonging to role "+role)
		} else {
			note("", []auth.ACL{d.ACL}, "default privileges on new "+defaultWords[d.Kind]+" belonging to role "+d.Role)
		}
	}
	return out
}

var defaultWords = map[auth.Kind]string{auth.Table: "relations", auth.Sequence: "sequences", auth.Function: "functions", auth.Schema: "schemas"}

// rolesBuilder makes changes of memberships one after the other, each on top of those
// before.
type rolesBuilder struct {
	s       *Session
	snap    *catalog.Snapshot
	changes []catalog.Change
	err     error
}

func (b *rolesBuilder) add(c catalog.Change) {
	if b.err != nil {
		return
	}
	if b.snap, b.err = b.snap.With(c); b.err == nil {
		b.changes = append(b.changes, c)
	}
}

// mayGrant is the right to change who is a member of role.
func (b *rolesBuilder) mayGrant(role string) error {
	r := b.snap.Role(role)
	switch {
	case b.snap.Roles().Superuser(b.s.who()):
	case r.Superuser:
		return denied("must be superuser to alter superusers")
	case !b.s.mayManage(b.snap) && !b.snap.Roles().Admin(b.s.who(), role):
		return denied("must have admin option on role %q", role)
	}
	return nil
}

// pair finds the roles of a membership that is to change, unless it failed before.
func (b *rolesBuilder) pair(member, role string) (m, r string, ok bool) {
	if b.err == nil {
		m, b.err = b.s.roleNamed(b.snap, member)
	}
	if b.err == nil {
		r, b.err = b.s.roleNamed(b.snap, role)
	}
	if b.err == nil {
		b.err = b.mayGrant(r)
	}
	return m, r, b.err == nil
}

// join makes member a member of role.
func (b *rolesBuilder) join(member, role string, admin bool, grantor string) {
	member, role, ok := b.pair(member, role)
	if !ok {
		return
	}
	if role == auth.DatabaseOwner {
		b.err = pgerror.New(pgerror.FeatureNotSupported, "role %q cannot have explicit members", role)
		return
	}
	if b.snap.Roles().IsIn(role, member) {
		b.err = pgerror.New(pgerror.InvalidGrantOperation, "role %q is a member of role %q", role, member)
		return
	}
	r := b.snap.Role(member).Clone()
	if m := r.Membership(role); m != nil {
		if m.Admin || !admin {
			b.s.notice("role %q is already a member of role %q", member, role)
			return
		}
		m.Admin, m.Grantor = true, grantor
	} else {
		r.MemberOf = append(r.MemberOf, auth.Membership{Role: role, Grantor: grantor, Admin: admin})
	}
	b.add(catalog.Change{PutRole: r})
}

// leave ends a membership, or its admin option.
func (b *rolesBuilder) leave(member, role string, adminOnly bool) {
	member, role, ok := b.pair(member, role)
	if !ok {
		return
	}
	r := b.snap.Role(member).Clone()
	m := r.Membership(role)
	switch {
	case m == nil:
		b.s.warning("01000", "role %q is not a member of role %q", member, role)
		return
	case adminOnly:
		m.Admin = false
	default:
		r.MemberOf = slices.DeleteFunc(r.MemberOf, func(m auth.Membership) bool { return m.Role == role })
	}
	b.add(catalog.Change{PutRole: r})
}

// grantRoles is GRANT role TO role, and REVOKE.
func (s *Session) grantRoles(ctx context.Context, n *ast.Grant) error {
	return s.applyRights(ctx, func(snap *catalog.Snapshot) ([]catalog.Change, error) {
		b := &rolesBuilder{s: s, snap: snap}
		grantor := s.who()
		if n.GrantedBy != "" {
			var err error
			if grantor, err = s.roleNamed(snap, n.GrantedBy); err != nil {
				return nil, err
			}
			if grantor != s.who() && !s.superuser() {
				return nil, denied("must be superuser to set grantor")
			}
		}
		for _, r := range n.Privileges {
			for _, to := range n.Grantees {
				if to.Name == "public" {
					return nil, pgerror.New(pgerror.UndefinedObject, "role \"public\" does not exist")
				}
				if n.Revoke {
					b.leave(to.Name, r.Name, n.WithOption == "ADMIN")
				} else {
					b.join(to.Name, r.Name, n.WithOption == "ADMIN", grantor)
				}
			}
		}
		return b.changes, b.err
	})
}

// followRole does what the change of who a session acts as brings with it.
func (s *Session) followRole(key string, local bool) error {
	if key != "role" && key != "session_authorization" {
		return nil
	}
	if key == "session_authorization" && s.settings.values["role"] != "none" {
		return s.assign("role", "none", local)
	}
	s.showSuperuser()
	return nil
}
