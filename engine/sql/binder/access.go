package binder

import (
	"velostream/catalog"
	"velostream/engine/sql/ast"
	"velostream/pgwire/pgerror"
)

// uses is the entry for what the statement does to rel. System catalogs have one
// too, which the check passes over.
func (b *Binder) uses(rel *catalog.Relation) *catalog.Access {
	if a := b.accessTo(rel.ID); a != nil {
		return a
	}
	a := &catalog.Access{Relation: rel.ID, Via: b.via}
	b.access = append(b.access, a)
	return a
}

func (b *Binder) accessTo(id uint32) *catalog.Access {
	for _, a := range b.access {
		if a.Relation == id && a.Via == b.via {
			return a
		}
	}
	return nil
}

// reads notes that a column is read. Those that do not come straight from a
// relation that the query names were noted where they came from.
func (b *Binder) reads(c *column) {
	if c.src == 0 || c.attr <= 0 {
		return
	}
	if a := b.accessTo(c.src); a != nil {
		a.Select(int(c.attr) - 1)
	}
}

func (b *Binder) accessList() []catalog.Access {
	out := make([]catalog.Access, len(b.access))
	for i, a := range b.access {
		out[i] = *a
	}
	return out
}

// usable refuses a schema that is named and may not be used.
func (b *Binder) usable(n ast.Name) error {
	if b.Usable == nil || n.Schema() == "" {
		return nil
	}
	if err := b.Usable(n.Schema()); err != nil {
		return pgerror.From(err).At(b.pos(n.Pos()))
	}
	return nil
}
