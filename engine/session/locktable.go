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

// sharedModes are the modes of LOCK TABLE that keep nobody from writing. All others keep
// writers out, and each other. Readers are never kept out: they have their snapshot.
var sharedModes = map[string]bool{"ACCESS SHARE": true, "ROW SHARE": true, "ROW EXCLUSIVE": true}

// lockTables is LOCK TABLE: until the transaction ends nobody changes the definition of the
// tables, and, by the mode, their rows.
func (s *Session) lockTables(ctx context.Context, p ast.Parsed, n *ast.LockTable) error {
	t := s.block()
	if t == nil {
		return pgerror.New(pgerror.NoActiveTransaction, "LOCK TABLE can only be used in transaction blocks")
	}
	t.tx.Waiting(ctx, s.settings.lockTimeout())
	for _, name := range n.Tables {
		if err := s.lockTable(p, name.Name, n, t); err != nil {
			return err
		}
	}
	return t.tx.Refresh()
}

func (s *Session) lockTable(p ast.Parsed, name ast.Name, n *ast.LockTable, t *transaction) error {
	var had uint32
	for {
		snap := s.catalog()
		r, err := s.relation(snap, p, name)
		if err != nil {
			return err
		}
		switch {
		case had == r.ID:
			return nil // the name still means what was locked
		case r.Kind != catalog.Table && r.Kind != catalog.View && r.Kind != catalog.Stream:
			return pgerror.New(pgerror.WrongObjectType, "%q is not a table or view", r.Name).At(p.Position(name.Pos()))
		}
		if err := s.mayLock(snap, r, n.Mode); err != nil {
			return err
		}
		lock := t.tx.LockObject
		if n.NoWait {
			lock = t.tx.TryLockObject
		}
		err = lock(table.ObjectKey(r.ID), !sharedModes[n.Mode])
		if errors.Is(err, table.ErrLocked) {
			err = pgerror.New(pgerror.LockNotAvailable, "could not obtain lock on relation %q", r.Name)
		}
		if err != nil {
			return err
		}
		had = r.ID
	}
}

// mayLock demands the right to read for the weakest mode, else one to write.
func (s *Session) mayLock(snap *catalog.Snapshot, r *catalog.Relation, mode string) error {
	want := auth.Update | auth.Delete | auth.Truncate
	switch mode {
	case "ACCESS SHARE":
		want |= auth.Select
	case "ROW EXCLUSIVE":
		want |= auth.Insert
	}
	if snap.Granted(r, s.who(), want) == auth.None {
		return catalog.Denied(r.Word(), r.Name)
	}
	return nil
}
