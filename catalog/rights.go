package catalog

import (
	"maps"
	"slices"

	"velostream/catalog/auth"
	"velostream/pgwire/pgerror"
)

// Rights are the owner and the access control list of a schema, or, with no
// name, of the database.
type Rights struct {
	Schema string   `json:"schema,omitempty"`
	Owner  string   `json:"owner"`
	ACL    auth.ACL `json:"acl,omitzero"`
}

// DefaultRights are what ALTER DEFAULT PRIVILEGES has set for objects that Role
// makes: those in Schema, which are added, or, without one, everywhere, which
// stand in the place of Kind.Default. An empty list without a schema is kept;
// nil ends the entry.
type DefaultRights struct {
	ID     uint32    `json:"id"` // its OID
	Role   string    `json:"role"`
	Schema string    `json:"schema,omitempty"`
	Kind   auth.Kind `json:"kind"`
	ACL    auth.ACL  `json:"acl,omitzero"`
}

// publicRights are those of the schema public: the owner of the database makes
// objects there, everybody uses them.
func publicRights() Rights {
	return Rights{Schema: DefaultSchema, Owner: auth.DatabaseOwner, ACL: auth.ACL{
		{Grantee: auth.DatabaseOwner, Grantor: auth.DatabaseOwner, Privileges: auth.Schema.All()},
		{Grantor: auth.DatabaseOwner, Privileges: auth.Usage},
	}}
}

// Roles are the roles there are. Do not change them.
func (s *Snapshot) Roles() auth.Roles { return s.roles }

// Role returns the role called name, nil: none.
func (s *Snapshot) Role(name string) *auth.Role { return s.roles[name] }

// SchemaRights are the owner and privileges of a schema; "" is the database.
func (s *Snapshot) SchemaRights(name string) Rights {
	if r, ok := s.rights[name]; ok {
		return r
	}
	return Rights{Schema: name, Owner: auth.Bootstrap}
}

// Defaults lists what ALTER DEFAULT PRIVILEGES has set, by OID.
func (s *Snapshot) Defaults() []DefaultRights { return s.defaults }

// DefaultsOf returns the entry of a role, schema and kind; its list is nil where
// there is none.
func (s *Snapshot) DefaultsOf(role, schema string, kind auth.Kind) DefaultRights {
	for _, d := range s.defaults {
		if d.Role == role && d.Schema == schema && d.Kind == kind {
			return d
		}
	}
	return DefaultRights{Role: role, Schema: schema, Kind: kind}
}

// NewACL is the list of an object that role makes in schema: nil where no default
// privileges say otherwise.
func (s *Snapshot) NewACL(role, schema string, kind auth.Kind) auth.ACL {
	if len(s.defaults) == 0 {
		return nil
	}
	everywhere, here := s.DefaultsOf(role, "", kind).ACL, auth.ACL(nil)
	if schema != "" {
		here = s.DefaultsOf(role, schema, kind).ACL
	}
	if everywhere == nil && len(here) == 0 {
		return nil
	}
	out := everywhere
	if out == nil {
		out = kind.Default(role)
	}
	for _, x := range here {
		for _, c := range []auth.Change{
			{Grantee: x.Grantee, Grantor: x.Grantor, Privileges: x.Privileges &^ x.Options},
			{Grantee: x.Grantee, Grantor: x.Grantor, Privileges: x.Options, Option: true},
		} {
			if c.Privileges == auth.None {
				continue
			}
			if next, err := out.Update(s.roles, role, c); err == nil {
				out = next
			}
		}
	}
	if out.Equal(kind.Default(role)) {
		return nil
	}
	return out
}

// changeRights is the part of change that is about roles and privileges.
func (s *Snapshot) changeRights(c Change) error {
	switch {
	case c.PutRole != nil:
		return s.putRole(c.PutRole)
	case c.DropRole != "":
		return s.dropRole(c.DropRole)
	case len(c.RenameRole) == 2:
		return s.renameRole(c.RenameRole[0], c.RenameRole[1])
	case c.PutRights != nil:
		s.rights = maps.Clone(s.rights)
		s.rights[c.PutRights.Schema] = *c.PutRights
	case c.PutSettings != nil:
		s.putSettings(*c.PutSettings)
	case c.PutDefaults != nil:
		d := *c.PutDefaults
		s.defaults = slices.DeleteFunc(slices.Clone(s.defaults), func(o DefaultRights) bool {
			return o.Role == d.Role && o.Schema == d.Schema && o.Kind == d.Kind
		})
		if d.ACL != nil {
			s.defaults = append(s.defaults, d)
		}
		s.ids.used(d.ID)
	}
	return nil
}

func (s *Snapshot) forgetRights(schema string) {
	s.rights = maps.Clone(s.rights)
	delete(s.rights, schema)
	s.defaults = slices.DeleteFunc(slices.Clone(s.defaults), func(d DefaultRights) bool { return d.Schema == schema })
}

func (s *Snapshot) renameRights(from, to string) {
	s.rights = maps.Clone(s.rights)
	if r, ok := s.rights[from]; ok {
		r.Schema = to
		s.rights[to] = r
		delete(s.rights, from)
	}
	s.defaults = slices.Clone(s.defaults)
	for i := range s.defaults {
		if s.defaults[i].Schema == from {
			s.defaults[i].Schema = to
		}
	}
}

func (s *Snapshot) putRole(r *auth.Role) error {
	if o := s.roles[r.Name]; o != nil && o.ID != r.ID {
		return pgerror.New(pgerror.DuplicateObject, "role %q already exists", r.Name)
	}
	s.roles = maps.Clone(s.roles)
	s.roles[r.Name] = r
	s.ids.used(r.ID)
	return nil
}

func (s *Snapshot) dropRole(name string) error {
	if s.roles[name] == nil {
		return pgerror.New(pgerror.UndefinedObject, "role %q does not exist", name)
	}
	s.roles = maps.Clone(s.roles)
	delete(s.roles, name)
	s.renameSettings(name, "")
	for n, r := range s.roles {
		if r.Membership(name) != nil {
			c := r.Clone()
			c.MemberOf = slices.DeleteFunc(c.MemberOf, func(m auth.Membership) bool { return m.Role == name })
			s.roles[n] = c
		}
	}
	return nil
}

// renameRole gives a role another name wherever it is named.
func (s *Snapshot) renameRole(from, to string) error {
	old := s.roles[from]
	switch {
	case old == nil:
		return pgerror.New(pgerror.UndefinedObject, "role %q does not exist", from)
	case s.roles[to] != nil:
		return pgerror.New(pgerror.DuplicateObject, "role %q already exists", to)
	}
	swap := func(n *string) {
		if *n == from {
			*n = to
		}
	}
	roles := auth.Roles{}
	for _, r := range s.roles {
		c := r.Clone()
		swap(&c.Name)
		for i := range c.MemberOf {
			swap(&c.MemberOf[i].Role)
			swap(&c.MemberOf[i].Grantor)
		}
		roles[c.Name] = c
	}
	s.roles = roles
	for _, r := range sortedRelations(s.byID) { // s is being made
		c := r.Clone()
		swap(&c.Owner)
		c.ACL = c.ACL.Rename(from, to)
		for i := range c.Columns {
			c.Columns[i].ACL = c.Columns[i].ACL.Rename(from, to)
		}
		if err := s.put(c); err != nil {
			return err
		}
	}
	for _, f := range s.Functions("", "") {
		c := *f
		swap(&c.Owner)
		c.ACL = c.ACL.Rename(from, to)
		if err := s.putFunction(&c); err != nil {
			return err
		}
	}
	for _, t := range s.UserTypes("") {
		c := *t
		swap(&c.Owner)
		c.ACL = c.ACL.Rename(from, to)
		if err := s.putType(&c); err != nil {
			return err
		}
	}
	s.rights = maps.Clone(s.rights)
	for n, r := range s.rights {
		swap(&r.Owner)
		r.ACL = r.ACL.Rename(from, to)
		s.rights[n] = r
	}
	s.renameSettings(from, to)
	s.defaults = slices.Clone(s.defaults)
	for i := range s.defaults {
		swap(&s.defaults[i].Role)
		s.defaults[i].ACL = s.defaults[i].ACL.Rename(from, to)
	}
	return nil
}
