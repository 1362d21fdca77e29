package catalog

import (
	"slices"

	"velostream/catalog/auth"
	"velostream/pgwire/pgerror"
)

// Access is what a statement does to one relation, and as whom: the binder
// lists it, Check compares it with what is granted.
type Access struct {
	Relation uint32 `json:"relation"`
	// Via is the view through which the relation is reached, with its owner's
	// rights. 0: whoever runs the statement needs them.
	Via uint32 `json:"via,omitempty"`
	// Need is what is done. For SELECT, INSERT and UPDATE it is enough to have the
	// privilege on the columns concerned.
	Need     auth.Privilege `json:"need"`
	Selected []int          `json:"selected,omitempty"` // columns by position
	Inserted []int          `json:"inserted,omitempty"`
	Updated  []int          `json:"updated,omitempty"`
}

// Select notes that columns are read; none are given for a relation of which
// only the rows count.
func (a *Access) Select(columns ...int) { add(a, auth.Select, &a.Selected, columns) }

// Insert notes that rows with values for columns are added.
func (a *Access) Insert(columns ...int) { add(a, auth.Insert, &a.Inserted, columns) }

// Update notes that columns are assigned.
func (a *Access) Update(columns ...int) { add(a, auth.Update, &a.Updated, columns) }

// Delete notes that rows are removed.
func (a *Access) Delete() { a.Need |= auth.Delete }

func add(a *Access, p auth.Privilege, to *[]int, columns []int) {
	a.Need |= p
	for _, c := range columns {
		if !slices.Contains(*to, c) {
			*to = append(*to, c)
		}
	}
}

// ACLKind is the kind of r's access control list.
func (r *Relation) ACLKind() auth.Kind {
	if r.Kind == Sequence {
		return auth.Sequence
	}
	return auth.Table
}

// Word is what messages about privileges call r: PostgreSQL's word for it.
func (r *Relation) Word() string {
	switch r.Kind {
	case Stream, Sink, View, MaterializedView, Sequence:
		return string(r.Kind)
	case Table:
	}
	return "table"
}

// Granted is what of want role may do with r as a whole. The predefined roles
// that read and write all data count.
func (s *Snapshot) Granted(r *Relation, role string, want auth.Privilege) auth.Privilege {
	got := s.roles.Allowed(r.ACL, r.ACLKind(), r.Owner, role, want)
	if got == want || len(s.roles) == 0 {
		return got
	}
	const write = auth.Insert | auth.Update | auth.Delete
	if want&auth.Select&^got != 0 && s.roles.Acts(role, auth.ReadAllData) {
		got |= auth.Select
	}
	if want&write&^got != 0 && r.Kind != Sequence && s.roles.Acts(role, auth.WriteAllData) {
		got |= want & write
	}
	return got
}

// GrantedOn is what of want role may do with column i of r by the list of the
// column alone.
func (s *Snapshot) GrantedOn(r *Relation, i int, role string, want auth.Privilege) auth.Privilege {
	if i < 0 || i >= len(r.Columns) || len(r.Columns[i].ACL) == 0 {
		return auth.None
	}
	return s.roles.Allowed(r.Columns[i].ACL, auth.Column, r.Owner, role, want)
}

// Check returns 42501 if role may not do what list says. Relations that are not in
// the snapshot (system catalogs, or what was dropped meanwhile) are passed over.
func (s *Snapshot) Check(role string, list []Access) error {
	if s.roles.Superuser(role) && !slices.ContainsFunc(list, func(a Access) bool { return a.Via != 0 }) {
		return nil
	}
	for i := range list {
		a := &list[i]
		r := s.byID[a.Relation]
		if r == nil {
			continue
		}
		who := role
		if a.Via != 0 {
			v := s.byID[a.Via]
			if v == nil {
				continue // gone, and what it read is not reached any more
			}
			who = v.Owner
		}
		if !s.may(who, r, a) {
			return Denied(r.Word(), r.Name)
		}
	}
	return nil
}

func (s *Snapshot) may(role string, r *Relation, a *Access) bool {
	missing := a.Need &^ s.Granted(r, role, a.Need)
	for _, k := range []struct {
		p       auth.Privilege
		columns []int
	}{{auth.Select, a.Selected}, {auth.Insert, a.Inserted}, {auth.Update, a.Updated}} {
		if missing&k.p == 0 {
			continue
		}
		has := func(c int) bool { return s.GrantedOn(r, c, role, k.p) == k.p }
		ok := len(k.columns) > 0
		for _, c := range k.columns {
			ok = ok && has(c)
		}
		if len(k.columns) == 0 {
			for c := range r.Columns {
				ok = ok || has(c)
			}
		}
		if ok {
			missing &^= k.p
		}
	}
	return missing == auth.None
}

// Denied is the error of a role that lacks a privilege on an object.
func Denied(word, name string) *pgerror.Error {
	return pgerror.New(pgerror.InsufficientPrivilege, "permission denied for %s %s", word, name)
}

// NotOwner is the error of a role that does not own an object.
func NotOwner(word, name string) *pgerror.Error {
	return pgerror.New(pgerror.InsufficientPrivilege, "must be owner of %s %s", word, name)
}

// MayUseSchema reports that role may look up names in a schema, or with
// auth.Create make objects there.
func (s *Snapshot) MayUseSchema(role, schema string, want auth.Privilege) bool {
	r := s.SchemaRights(schema)
	got := s.roles.Allowed(r.ACL, auth.Schema, r.Owner, role, want)
	if want&auth.Usage&^got != 0 && (s.roles.Acts(role, auth.ReadAllData) || s.roles.Acts(role, auth.WriteAllData)) {
		got |= auth.Usage
	}
	return got == want
}

// MayCall reports that role may call f.
func (s *Snapshot) MayCall(role string, f *Function) bool {
	return s.roles.Allowed(f.ACL, auth.Function, f.Owner, role, auth.Execute) != auth.None
}

// Sees reports that role owns r or may do anything with it or one of its columns:
// information_schema and SHOW list it.
func (s *Snapshot) Sees(role string, r *Relation) bool {
	if r.ID < FirstID || s.roles.Acts(role, r.Owner) || s.Granted(r, role, r.ACLKind().All()) != auth.None {
		return true
	}
	for i := range r.Columns {
		if s.GrantedOn(r, i, role, auth.Column.All()) != auth.None {
			return true
		}
	}
	return false
}

// SeesColumn is Sees of one column.
func (s *Snapshot) SeesColumn(role string, r *Relation, i int) bool {
	return r.ID < FirstID || s.roles.Acts(role, r.Owner) || s.Granted(r, role, auth.Column.All()) != auth.None ||
		s.GrantedOn(r, i, role, auth.Column.All()) != auth.None
}
