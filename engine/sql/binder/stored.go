package binder

import (
	"slices"
	"strconv"

	"velostream/catalog"
	"velostream/engine/sql/ast"
	"velostream/engine/sql/parser"
	"velostream/engine/sql/plan"
	"velostream/pgwire/pgerror"
)

// stored finds a relation that FROM names, and notes what the name means. In a
// stored query the relation is found by OID, under the name and with the columns that it
// had when the query was stored: renaming it or its columns, moving it to another
// schema, or adding columns changes nothing for the query.
func (b *Binder) stored(n ast.Name) (*catalog.Relation, error) {
	for _, r := range b.Refs {
		if r.Name != n.Last() || r.Schema != n.Schema() {
			continue
		}
		rel := b.Snapshot.ByID(r.ID)
		if rel == nil {
			return nil, pgerror.NoSuchRelation(n.Last())
		}
		return asNamed(rel, r), nil
	}
	rel, err := b.Relation(n)
	if err != nil || len(b.Refs) > 0 {
		return rel, err
	}
	known := func(r catalog.Ref) bool { return r.Name == n.Last() && r.Schema == n.Schema() }
	if rel.ID >= catalog.FirstID && !slices.ContainsFunc(b.names, known) {
		b.names = append(b.names, RefTo(n, rel))
	}
	return rel, nil
}

// RefTo is how a stored query knows rel, which it calls n.
func RefTo(n ast.Name, rel *catalog.Relation) catalog.Ref {
	r := catalog.Ref{Schema: n.Schema(), Name: n.Last(), ID: rel.ID, Columns: make([]string, len(rel.Columns))}
	for i, c := range rel.Columns {
		r.Columns[i] = c.Name
	}
	return r
}

// asNamed is rel with the names that ref has for it and its columns. Columns that
// came later, or went, are hidden under names that nobody can write.
func asNamed(rel *catalog.Relation, ref catalog.Ref) *catalog.Relation {
	c := *rel
	c.Name, c.Columns = ref.Name, slices.Clone(rel.Columns)
	if ref.Schema != "" {
		c.Schema = ref.Schema
	}
	for i := range c.Columns {
		if i < len(ref.Columns) && !c.Columns[i].Dropped {
			c.Columns[i].Name = ref.Columns[i]
			continue
		}
		c.Columns[i].Hidden = true
		c.Columns[i].Name = DroppedName(i)
	}
	return &c
}

// hideLater hides the columns of a view that a stored query does not know.
func hideLater(s plan.Schema, rel *catalog.Relation) {
	n := 0
	for i := range s {
		if s[i].Hidden {
			continue
		}
		s[i].Hidden = n < len(rel.Columns) && rel.Columns[n].Hidden
		n++
	}
}

// DroppedName is the name of a column that is gone, as PostgreSQL writes it.
func DroppedName(i int) string { return "........pg.dropped." + strconv.Itoa(i+1) + "........" }

// Recheck binds the query of rel, a view or persistent query, against o's
// snapshot and reports an error when it no longer gives rel's columns.
func Recheck(o Options, rel *catalog.Relation) error {
	q, err := parser.ParseQuery(rel.Query)
	if err != nil {
		return err
	}
	o.SQL, o.Params, o.Refs, o.TypeRefs, o.FunctionRefs = "", nil, rel.Refs, rel.TypeRefs, rel.Functions
	o.Continuous, o.View = rel.Kind != catalog.View, rel.Kind == catalog.MaterializedView
	r, err := BindQuery(o, q)
	if err != nil {
		return err
	}
	n := 0
	for _, c := range rel.Columns {
		if c.Hidden {
			continue
		}
		if n >= len(r.Columns) || r.Columns[n].Type.OID != c.Type.OID {
			return pgerror.New(pgerror.UndefinedColumn, "column %q of %q is no longer there", c.Name, rel.Name)
		}
		n++
	}
	if n != len(r.Columns) {
		return pgerror.New(pgerror.UndefinedColumn, "%q has other columns", rel.Name)
	}
	return nil
}
