package session

import (
	"context"

	"velostream/catalog"
	"velostream/catalog/auth"
	"velostream/engine/sql/ast"
	"velostream/pgwire/pgerror"
)

// giveRelation makes to the owner of r: what the old owner had granted, and had, is now
// the new one's.
func giveRelation(r *catalog.Relation, to string) {
	from := r.Owner
	r.Owner, r.ACL = to, r.ACL.Rename(from, to)
	for i := range r.Columns {
		r.Columns[i].ACL = r.Columns[i].ACL.Rename(from, to)
	}
}

// newACL is the list of a relation that the current user makes.
func (s *Session) newACL(snap *catalog.Snapshot, schema string) auth.ACL {
	return snap.NewACL(s.who(), schema, auth.Table)
}

// visiblePositions are the columns of r that * stands for.
func visiblePositions(r *catalog.Relation) []int {
	var out []int
	for i, c := range r.Columns {
		if !c.Hidden {
			out = append(out, i)
		}
	}
	return out
}

// creatable is the schema that a new object goes to: the one named, else the first of
// the search path that is there.
func (s *Session) creatable(snap *catalog.Snapshot, schema string, at int) (string, error) {
	if catalog.IsTemp(schema) || schema == catalog.TempAlias || schema == "" && s.tempFirst() {
		return "", pgerror.Unsupported("objects of this kind cannot be temporary").At(at)
	}
	if schema != "" {
		if !snap.HasSchema(schema) {
			return "", pgerror.New(pgerror.InvalidSchemaName, "schema %q does not exist", schema).At(at)
		}
		if err := s.mayCreate(snap, schema); err != nil {
			return "", pgerror.From(err).At(at)
		}
		return schema, nil
	}
	for _, p := range s.path() {
		if snap.HasSchema(p) && !catalog.IsTemp(p) {
			if err := s.mayCreate(snap, p); err != nil {
				return "", pgerror.From(err).At(at)
			}
			return p, nil
		}
	}
	return "", pgerror.New(pgerror.InvalidSchemaName, "no schema has been selected to create in").At(at)
}

func (s *Session) giveSchema(snap *catalog.Snapshot, name, to string) ([]catalog.Change, error) {
	to, err := s.roleNamed(snap, to)
	r := snap.SchemaRights(name)
	if err != nil || r.Owner == to {
		return nil, err
	}
	if err := s.mayGive(snap, to, ""); err != nil {
		return nil, err
	}
	if err := s.mayCreateSchema(snap); err != nil {
		return nil, err
	}
	r.ACL, r.Owner = r.ACL.Rename(r.Owner, to), to
	return []catalog.Change{{PutRights: &r}}, nil
}

func (s *Session) giveFunction(snap *catalog.Snapshot, f *catalog.Function, to string) ([]catalog.Change, error) {
	to, err := s.roleNamed(snap, to)
	if err != nil || f.Owner == to {
		return nil, err
	}
	if err := s.mayGive(snap, to, f.Schema); err != nil {
		return nil, err
	}
	c := *f
	c.ACL, c.Owner = f.ACL.Rename(f.Owner, to), to
	return []catalog.Change{{PutFunction: &c}}, nil
}

// ownedObjects is REASSIGN OWNED and DROP OWNED.
func (s *Session) ownedObjects(ctx context.Context, n *ast.Owned) error {
	return s.applyRights(ctx, func(snap *catalog.Snapshot) ([]catalog.Change, error) {
		var out []catalog.Change
		verb := "drop"
		to := ""
		if n.Reassign {
			verb = "reassign"
		}
		for _, r := range n.Roles {
			name, err := s.roleNamed(snap, r.Name)
			if err != nil {
				return nil, err
			}
			if !snap.Roles().Acts(s.who(), name) {
				return nil, denied("permission denied to %s objects", verb)
			}
			if snap.Role(name).ID < catalog.FirstID {
				return nil, pgerror.New(pgerror.DependentObjectsStillExist,
					"cannot %s objects owned by role %s because they are required by the database system", verb, name)
			}
			if n.Reassign {
				if to, err = s.roleNamed(snap, n.To); err != nil {
					return nil, err
				}
				if !snap.Roles().Acts(s.who(), to) {
					return nil, denied("permission denied to reassign objects")
				}
			}
			var changes []catalog.Change
			if n.Reassign {
				changes = reassign(snap, name, to)
			} else if changes, err = s.dropOwned(snap, name, n.Behavior == ast.Cascade); err != nil {
				return nil, err
			}
			if snap, err = snap.With(changes...); err != nil {
				return nil, err
			}
			out = append(out, changes...)
		}
		return out, nil
	})
}

// reassign gives all that from owns to another role.
func reassign(snap *catalog.Snapshot, from, to string) []catalog.Change {
	var out []catalog.Change
	for _, r := range snap.Relations() {
		if r.Owner == from {
			c := r.Clone()
			giveRelation(c, to)
			out = append(out, catalog.Change{Put: c})
		}
	}
	for _, f := range snap.Functions("", "") {
		if f.Owner == from {
			c := *f
			c.ACL, c.Owner = f.ACL.Rename(from, to), to
			out = append(out, catalog.Change{PutFunction: &c})
		}
	}
	for _, t := range snap.UserTypes("") {
		if t.Owner == from {
			c := t.Clone()
			c.ACL, c.Owner = t.ACL.Rename(from, to), to
			out = append(out, catalog.Change{PutType: c})
		}
	}
	for _, n := range append([]string{""}, snap.Schemas()...) {
		if r := snap.SchemaRights(n); r.Owner == from {
			r.ACL, r.Owner = r.ACL.Rename(from, to), to
			out = append(out, catalog.Change{PutRights: &r})
		}
	}
	return out
}

// dropOwned drops what role owns, and takes away what was granted to it.
func (s *Session) dropOwned(snap *catalog.Snapshot, role string, cascade bool) ([]catalog.Change, error) {
	var gone []*catalog.Relation
	schemas := map[string]bool{}
	for _, n := range snap.Schemas() {
		schemas[n] = snap.SchemaRights(n).Owner == role
	}
	for _, r := range snap.Relations() {
		switch {
		case r.Owner == role:
			gone = append(gone, r)
		case schemas[r.Schema] && !cascade:
			return nil, pgerror.New(pgerror.DependentObjectsStillExist, "cannot drop desired object(s) because other objects depend on them").
				WithDetail("%s %s depends on schema %s", kindOf(r), r.Name, r.Schema).
				WithHint("Use DROP ... CASCADE to drop the dependent objects too.")
		case schemas[r.Schema]:
			gone = append(gone, r)
		}
	}
	out, err := s.dropChanges(snap, gone, cascade)
	if err != nil {
		return nil, err
	}
	for _, f := range snap.Functions("", "") {
		if f.Owner == role || schemas[f.Schema] {
			users, fns := snap.FunctionUsers(f.ID)
			for _, u := range users {
				if u.Owner != role && !cascade || len(fns) > 0 {
					return nil, pgerror.New(pgerror.DependentObjectsStillExist, "cannot drop desired object(s) because other objects depend on them").
						WithDetail("%s %s depends on function %s", kindOf(u), u.Name, f.Signature()).
						WithHint("Use DROP ... CASCADE to drop the dependent objects too.")
				}
			}
			out = append(out, catalog.Change{DropFunction: f.ID})
		}
	}
	left, err := snap.With(out...)
	if err != nil {
		return nil, err
	}
	d := &typeDrop{s: s, snap: left, cascade: cascade}
	for _, t := range left.UserTypes("") {
		if t.Owner == role || schemas[t.Schema] {
			d.gone = append(d.gone, t)
		}
	}
	drops, err := d.changes()
	if err != nil {
		return nil, err
	}
	out = append(out, drops...)
	for n, mine := range schemas {
		if mine {
			out = append(out, catalog.Change{DropSchema: n})
		}
	}
	next, err := snap.With(out...)
	if err != nil {
		return nil, err
	}
	return append(out, withoutRole(next, role)...), nil
}

// withoutRole takes away what was granted to role, and its default privileges.
func withoutRole(snap *catalog.Snapshot, role string) []catalog.Change {
	var out []catalog.Change
	for _, r := range snap.Relations() {
		c, changed := r.Clone(), r.ACL.Mentions(role)
		c.ACL = r.ACL.Without(role)
		for i := range c.Columns {
			if a := c.Columns[i].ACL; a.Mentions(role) {
				changed = true
				if c.Columns[i].ACL = a.Without(role); len(c.Columns[i].ACL) == 0 {
					c.Columns[i].ACL = nil
				}
			}
		}
		if changed {
			out = append(out, catalog.Change{Put: c})
		}
	}
	for _, f := range snap.Functions("", "") {
		if f.ACL.Mentions(role) {
			c := *f
			c.ACL = f.ACL.Without(role)
			out = append(out, catalog.Change{PutFunction: &c})
		}
	}
	for _, n := range append([]string{""}, snap.Schemas()...) {
		if r := snap.SchemaRights(n); r.ACL.Mentions(role) {
			r.ACL = r.ACL.Without(role)
			out = append(out, catalog.Change{PutRights: &r})
		}
	}
	for _, d := range snap.Defaults() {
		switch {
		case d.Role == role:
			d.ACL = nil
		case d.ACL.Mentions(role):
			d.ACL = d.ACL.Without(role)
		default:
			continue
		}
		out = append(out, catalog.Change{PutDefaults: &d})
	}
	return out
}
