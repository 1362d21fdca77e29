package session

import (
	"context"
	"errors"
	"slices"

	"velostream/catalog"
	"velostream/catalog/auth"
	"velostream/pgwire/pgerror"
)

// nobody is who acts in a session whose role is gone: no role can have the name.
const nobody = "\x00"

// identity is who a session acts as. Roles are remembered by OID, so that they may be
// renamed, and so that a new role under the name of one that was dropped does not
// inherit its sessions. Which of them counts is in the parameters role and
// session_authorization, which go back with a transaction.
type identity struct {
	login string            // as authenticated
	ids   map[string]uint32 // of the names that the parameters have held

	// What was computed at a version of the catalog.
	known         bool
	version       uint64
	role, session string // the parameters it was computed for
	who           string
}

// who is the role whose rights count: the current user.
func (s *Session) who() string {
	i := &s.identity
	snap := s.catalog()
	role, session := s.settings.values["role"], s.settings.values["session_authorization"]
	if i.known && i.version == snap.Version && i.role == role && i.session == session {
		return i.who
	}
	i.known, i.version, i.role, i.session = true, snap.Version, role, session
	if role == "none" {
		role = session
	}
	i.who = s.named(snap, role)
	return i.who
}

// sessionUser is the role that SET SESSION AUTHORIZATION, or the login, has set.
func (s *Session) sessionUser() string {
	return s.named(s.catalog(), s.settings.values["session_authorization"])
}

// named is the present name of the role that a parameter held under a name.
func (s *Session) named(snap *catalog.Snapshot, name string) string {
	id, ok := s.identity.ids[name]
	if !ok {
		return nobody
	}
	if r := snap.Role(name); r != nil && r.ID == id {
		return name
	}
	if r := snap.Roles().ByID(id); r != nil {
		return r.Name
	}
	return nobody
}

// logIn makes the session that of role, which has authenticated.
func (s *Session) logIn(role *auth.Role) {
	s.identity = identity{login: role.Name, ids: map[string]uint32{role.Name: role.ID}}
	s.settings.values["session_authorization"], s.settings.origin["session_authorization"] = role.Name, role.Name
	s.settings.source["session_authorization"] = "override"
	s.settings.values["is_superuser"] = onOff(role.Superuser)
}

func onOff(b bool) string {
	if b {
		return "on"
	}
	return "off"
}

// become checks that the session may set role or session_authorization to name.
func (s *Session) become(key, name string) error {
	snap := s.catalog()
	if key == "role" && name == "none" {
		return nil
	}
	r := snap.Role(name)
	if r == nil {
		return pgerror.New(pgerror.InvalidParameterValue, "role %q does not exist", name)
	}
	if key == "role" {
		if !snap.Roles().Member(s.sessionUser(), name) {
			return pgerror.New(pgerror.InsufficientPrivilege, "permission denied to set role %q", name)
		}
	} else if login := s.named(snap, s.identity.login); name != s.identity.login && !snap.Roles().Superuser(login) {
		return pgerror.New(pgerror.InsufficientPrivilege, "permission denied to set session authorization")
	}
	if id, ok := s.identity.ids[name]; ok && id != r.ID && name == s.identity.login {
		return pgerror.New(pgerror.InvalidParameterValue, "role %q does not exist", name)
	}
	s.identity.ids[name] = r.ID
	return nil
}

// showSuperuser keeps the parameter is_superuser true.
func (s *Session) showSuperuser() {
	v := onOff(s.superuser())
	if old := s.settings.values["is_superuser"]; old != v {
		s.settings.values["is_superuser"] = v
		s.tell("is_superuser", old)
	}
}

func (s *Session) superuser() bool { return s.catalog().Roles().Superuser(s.who()) }

// acts reports that the current user has the privileges of role.
func (s *Session) acts(snap *catalog.Snapshot, role string) bool {
	return snap.Roles().Acts(s.who(), role)
}

// enter finds the role of a login. While nobody has made roles, and so everybody who
// gets in may do everything, a name that has no role gets one with its first login.
// Errors: 28000.
func (e *Engine) enter(ctx context.Context, name string) (*auth.Role, error) {
	for range ddlTries {
		snap := e.Catalog.Snapshot()
		r := snap.Role(name)
		if r == nil {
			if snap.Roles().InUse() || auth.Reserved(name) {
				return nil, pgerror.New(pgerror.InvalidAuthorization, "role %q does not exist", name)
			}
			r = implied(snap.NextID(), name)
			_, err := e.Catalog.Apply(ctx, snap, catalog.Change{PutRole: r})
			if errors.Is(err, catalog.ErrConflict) {
				continue
			}
			return r, err
		}
		if !r.Login {
			return nil, pgerror.New(pgerror.InvalidAuthorization, "role %q is not permitted to log in", name)
		}
		return r, nil
	}
	return nil, pgerror.New(pgerror.ObjectInUse, "the catalog is changed too often by others").WithHint("Try again.")
}

func implied(id uint32, name string) *auth.Role {
	return &auth.Role{
		ID: id, Name: name, Superuser: true, Inherit: true, CreateRole: true, CreateDB: true, Login: true,
		Replication: true, BypassRLS: true, ConnectionLimit: -1, Implied: true,
	}
}

// AdoptOwners gives roles to the owners of objects that have none: they are from
// before there were roles.
func (e *Engine) AdoptOwners(ctx context.Context) error {
	snap := e.Catalog.Snapshot()
	var changes []catalog.Change
	var names []string
	adopt := func(name string) {
		if name == "" || snap.Role(name) != nil || slices.Contains(names, name) {
			return
		}
		names = append(names, name)
		changes = append(changes, catalog.Change{PutRole: implied(snap.NextID(), name)})
	}
	for _, r := range snap.Relations() {
		adopt(r.Owner)
	}
	for _, f := range snap.Functions("", "") {
		adopt(f.Owner)
	}
	for _, t := range snap.UserTypes("") {
		adopt(t.Owner)
	}
	if len(changes) == 0 {
		return nil
	}
	_, err := e.Catalog.Apply(ctx, snap, changes...)
	return err
}
