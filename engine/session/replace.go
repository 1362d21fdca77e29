package session

import (
	"context"
	"slices"

	"velostream/catalog"
	"velostream/engine/sql/ast"
	"velostream/pgwire/pgerror"
)

// replaceMaterialized is CREATE OR REPLACE MATERIALIZED VIEW over one that is there: the
// new one is made beside it, takes in what its inputs hold, and then takes its place in
// one step. Until then, and if it fails, the old one stays. A crash between leaves
// nothing: what Replaces another is dropped at the start.
func (s *Session) replaceMaterialized(ctx context.Context, p ast.Parsed, n *ast.CreateView, old *catalog.Relation) error {
	if old.Kind != catalog.MaterializedView {
		return pgerror.New(pgerror.WrongObjectType, "%q is not a materialized view", old.Name).At(p.Position(n.Name.Pos()))
	}
	if err := s.noTransaction("CREATE OR REPLACE MATERIALIZED VIEW of one that is there"); err != nil {
		return err
	}
	if err := replaceable(s.catalog(), old); err != nil {
		return err
	}
	name := ast.Name{At: n.Name.At, Parts: []string{old.Schema, "........new" + itoa(int(old.ID))}}
	id, err := s.createJobAs(ctx, p, jobSpec{
		kind: catalog.MaterializedView, name: name, columns: n.Columns, query: n.Query, options: slices.Concat(n.Options, n.Query.Options), replaces: old.ID,
	})
	if err != nil {
		return err
	}
	_, err = s.applyNow(ctx, func(snap *catalog.Snapshot) ([]catalog.Change, error) {
		r, was := snap.ByID(id), snap.ByID(old.ID)
		if r == nil || was == nil {
			return nil, pgerror.NoSuchRelation(old.Name)
		}
		if err := replaceable(snap, was); err != nil {
			return nil, err
		}
		c := r.Clone()
		c.Name, c.Schema, c.Owner, c.Comment, c.ACL, c.Replaces = was.Name, was.Schema, was.Owner, was.Comment, was.ACL, 0
		changes := []catalog.Change{{Drop: was.ID}, {Put: c}}
		if was.LateLetters != 0 {
			changes = slices.Insert(changes, 0, catalog.Change{Drop: was.LateLetters})
		}
		if snap.ByID(c.LateLetters) != nil {
			changes = append(changes, catalog.Change{Put: lateLetterTable(c)})
		}
		return changes, nil
	})
	if err != nil {
		s.undoCreate(id)
	}
	return err
}

// replaceable refuses to replace what others read: they would lose their input.
func replaceable(snap *catalog.Snapshot, old *catalog.Relation) error {
	for _, d := range snap.Dependents(old.ID) {
		if d.Replaces == old.ID || d.ID == old.LateLetters && len(snap.Dependents(d.ID)) == 0 {
			continue
		}
		return pgerror.New(pgerror.DependentObjectsStillExist, "cannot replace materialized view %s because other objects depend on it", old.Name).
			WithDetail("%s %s depends on materialized view %s", kindOf(d), d.Name, old.Name).
			WithHint("Drop them first, or create the new view under another name and use ALTER MATERIALIZED VIEW … SWAP WITH.")
	}
	return nil
}

// replacesView checks that view r may take the place of old: the columns that old has
// stay as they are, and no job was planned with old's query.
func replacesView(snap *catalog.Snapshot, old, r *catalog.Relation) error {
	const code = pgerror.InvalidTableDefinition
	if len(r.Columns) < len(old.Columns) {
		return pgerror.New(code, "cannot drop columns from view")
	}
	for i, c := range old.Columns {
		switch n := r.Columns[i]; {
		case n.Name != c.Name:
			return pgerror.New(code, "cannot change name of view column %q to %q", c.Name, n.Name).
				WithHint("Use ALTER VIEW ... RENAME COLUMN ... to change name of view column instead.")
		case n.Type != c.Type:
			return pgerror.New(code, "cannot change data type of view column %q from %s to %s", c.Name, c.Type, n.Type)
		}
	}
	for _, d := range snap.Dependents(old.ID) {
		if d.Persistent() {
			return pgerror.Unsupported("cannot replace view %q: %s %q is computed with it", old.Name, kindOf(d), d.Name).
				WithHint("Drop it first, and create it again afterwards.")
		}
	}
	return nil
}
