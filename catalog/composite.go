package catalog

import (
	"slices"

	"velostream/catalog/types"
	"velostream/pgwire/pgerror"
)

// Attribute is the place of the column called name of a composite type, -1: it has none.
func (t *UserType) Attribute(name string) int {
	return slices.IndexFunc(t.Attributes, func(a Attribute) bool { return a.Name == name })
}

// ContainsType reports that values of t have the user-made type id in them, at any depth.
func (s *Snapshot) ContainsType(t types.Type, id uint32) bool {
	return s.containsType(t, id, map[types.OID]bool{})
}

// containsType is ContainsType; seen are the row types that have been looked at.
func (s *Snapshot) containsType(t types.Type, id uint32, seen map[types.OID]bool) bool {
	if t.UserID() == id {
		return id != 0
	}
	if elem, isArray := t.Elem(); isArray {
		t = elem
	}
	if !t.IsComposite() || seen[t.OID] {
		return false
	}
	seen[t.OID] = true
	for _, f := range s.Row(t.OID) {
		if s.containsType(f.Type, id, seen) {
			return true
		}
	}
	return false
}

// notInItself refuses a relation with its own row type in its rows. Error 42P16.
func (s *Snapshot) notInItself(r *Relation) error {
	for i := range r.Columns {
		if c := &r.Columns[i]; !c.Dropped && s.ContainsType(c.Type, r.ID) {
			return pgerror.New(pgerror.InvalidTableDefinition, "composite type %s cannot be made a member of itself", r.Name)
		}
	}
	return nil
}

// StoredUse is a column, as relation.column, in which values of the user-made type or row
// type id are kept; "": there is none.
func (s *Snapshot) StoredUse(id uint32) string {
	for _, r := range s.Relations() {
		if r.Kind == View || r.ID == id {
			continue
		}
		for i := range r.Columns {
			if c := &r.Columns[i]; !c.Dropped && s.ContainsType(c.Type, id) {
				return r.Name + "." + c.Name
			}
		}
	}
	return ""
}

// JobOver is a relation whose job reads or holds values of the user-made type or row type
// id; nil: there is none.
func (s *Snapshot) JobOver(id uint32) *Relation {
	holds := func(r *Relation) bool {
		return slices.ContainsFunc(r.Columns, func(c Column) bool { return !c.Dropped && s.ContainsType(c.Type, id) })
	}
	for _, r := range s.Relations() {
		if !r.Persistent() {
			continue
		}
		if r.usesType(id) || holds(r) || slices.ContainsFunc(r.Inputs, func(in uint32) bool { return s.byID[in] != nil && holds(s.byID[in]) }) {
			return r
		}
	}
	return nil
}
