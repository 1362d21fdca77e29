package session

import (
	"context"
	"errors"

	"velostream/catalog"
	"velostream/catalog/auth"
	"velostream/engine/sql/ast"
	"velostream/pgwire/pgerror"
	"velostream/storage/table"
)

// truncate removes all rows of the tables, and runs again when others change rows
// meanwhile.
func (s *Session) truncate(ctx context.Context, p ast.Parsed, n *ast.Truncate) error {
	snap := s.catalog()
	rels, err := s.truncated(snap, p, n)
	if err != nil {
		return err
	}
	for try := 0; ; try++ {
		t, err := s.begin()
		if err != nil {
			return err
		}
		if t.readOnly {
			return pgerror.New(pgerror.ReadOnlyTransaction, "cannot execute TRUNCATE TABLE in a read-only transaction")
		}
		t.tx.Waiting(ctx, s.settings.lockTimeout())
		if err = empty(t.tx, rels); err == nil {
			break
		}
		t.tx.RollbackTo(t.mark)
		if !errors.Is(err, table.ErrConflict) {
			return err
		}
		if try >= conflictTries || ctx.Err() != nil {
			return serialization(err)
		}
	}
	if n.RestartIdentity != ast.Yes {
		return nil
	}
	for _, r := range rels {
		for _, d := range snap.Dependents(r.ID) {
			if d.Kind == catalog.Sequence && d.PartOf == r.ID {
				s.tx.tx.RestartSequence(d.ID, d.Numbers.Start)
			}
		}
	}
	return nil
}

func empty(tx *table.Tx, rels []*catalog.Relation) error {
	for _, r := range rels {
		all := make([]int, len(r.Columns))
		for i := range all {
			all[i] = i
		}
		for b, err := range decode(r, all, tx.Scan(r.ID)) {
			if err != nil {
				return err
			}
			if _, err := tx.Delete(r.ID, b); err != nil {
				return err
			}
		}
	}
	tx.ForgetKeys() // tables that refer to these are empty too
	return nil
}

// truncated are the tables that TRUNCATE empties: those named and, with CASCADE, all
// that refer to them.
func (s *Session) truncated(snap *catalog.Snapshot, p ast.Parsed, n *ast.Truncate) ([]*catalog.Relation, error) {
	var rels []*catalog.Relation
	in := map[uint32]bool{}
	for _, name := range n.Tables {
		r, err := s.relation(snap, p, name.Name)
		if err != nil {
			return nil, err
		}
		if err := s.mayUse(snap, r, auth.Truncate); err != nil {
			return nil, err
		}
		if !r.Native() {
			return nil, pgerror.New(pgerror.WrongObjectType, "%q is not a table", r.Name).At(p.Position(name.Name.Pos()))
		}
		if !in[r.ID] {
			in[r.ID] = true
			rels = append(rels, r)
		}
	}
	for i := 0; i < len(rels); i++ {
		for _, child := range snap.References(rels[i].ID) {
			if in[child.ID] {
				continue
			}
			if n.Behavior != ast.Cascade {
				return nil, pgerror.New(pgerror.FeatureNotSupported, "cannot truncate a table referenced in a foreign key constraint").
					WithDetail("Table %q references %q.", child.Name, rels[i].Name).
					WithHint("Truncate table %q at the same time, or use TRUNCATE ... CASCADE.", child.Name)
			}
			s.notice("truncate cascades to table %q", child.Name)
			if err := s.mayUse(snap, child, auth.Truncate); err != nil {
				return nil, err
			}
			in[child.ID] = true
			rels = append(rels, child)
		}
	}
	return rels, nil
}
