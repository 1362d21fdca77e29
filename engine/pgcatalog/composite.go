package pgcatalog

import (
	"velostream/catalog"
)

// compositeKind is the kind of the relation that pg_class shows for a composite type.
const compositeKind catalog.Kind = "composite type"

// composite is the relation that stands for the composite type t, nil: it is none. It
// has the OID of the type in the catalog.
func composite(t *catalog.UserType) *catalog.Relation {
	if t == nil || t.Kind != catalog.CompositeType {
		return nil
	}
	r := &catalog.Relation{ID: t.ID, Schema: t.Schema, Name: t.Name, Kind: compositeKind, Owner: t.Owner, EventTime: -1}
	for _, a := range t.Attributes {
		r.Columns = append(r.Columns, catalog.Column{Name: a.Name, Type: a.Type, Comment: a.Comment})
	}
	return r
}

// composites are the relations that stand for composite types.
func (c *Catalog) composites() []*catalog.Relation {
	var out []*catalog.Relation
	for _, t := range c.Snapshot.UserTypes("") {
		if r := composite(t); r != nil {
			out = append(out, r)
		}
	}
	return out
}

// compositeClasses are the rows of pg_class for composite types.
func (c *Catalog) compositeClasses(e *emitter) {
	for _, r := range c.composites() {
		e.row(r.ID, r.Name, c.schemaOID(r.Schema), rowTypeOID(r), c.roleOID(r.Owner), 0, 0, 0, float64(0), false,
			"p", "c", len(r.Columns), false, true, "n", nil, false, nil, 0, false)
	}
}
