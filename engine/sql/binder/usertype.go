package binder

import (
	"slices"

	"velostream/catalog"
	"velostream/catalog/types"
	"velostream/engine/sql/ast"
)

// userType is the user-made type that n names, nil: none. As with relations, a stored
// query goes on meaning the type that it meant when it was stored. In the search path
// the types of pg_catalog come first; the dialect's other names for them come last.
func (b *Binder) userType(n *ast.TypeName) *catalog.UserType {
	if b.Snapshot == nil {
		return nil
	}
	schema, name := n.Name.Schema(), n.Name.Last()
	for _, r := range b.TypeRefs {
		if r.Schema == schema && r.Name == name {
			return namedType(b.Snapshot, r.ID)
		}
	}
	path := []string{schema}
	if schema == "" {
		if types.IsBuiltin(name) {
			return nil
		}
		if path = b.SearchPath; len(path) == 0 {
			path = []string{catalog.DefaultSchema}
		}
	}
	for _, s := range path {
		t := b.Snapshot.TypeNamed(s, name)
		if r := b.Snapshot.Relation(s, name); t == nil && r != nil && r.Kind != catalog.Sequence {
			t = namedType(b.Snapshot, r.ID)
		}
		if t == nil {
			continue
		}
		ref := catalog.TypeRef{Schema: schema, Name: name, ID: t.ID}
		if !slices.Contains(b.typeRefs, ref) {
			b.typeRefs = append(b.typeRefs, ref)
		}
		return t
	}
	return nil
}

// namedType is the type with the OID id in the catalog: one that a user has made, or the
// row type of a relation. nil: there is none.
func namedType(s *catalog.Snapshot, id uint32) *catalog.UserType {
	if t := s.UserType(id); t != nil {
		return t
	}
	if r := s.ByID(id); r != nil {
		return &catalog.UserType{ID: r.ID, Schema: r.Schema, Name: r.Name, Kind: catalog.CompositeType, Owner: r.Owner}
	}
	return nil
}
