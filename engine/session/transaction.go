package session

import (
	"context"
	"errors"
	"slices"
	"time"

	"velostream/catalog"
	"velostream/catalog/types"
	"velostream/engine/sql/ast"
	"velostream/pgwire/pgerror"
	"velostream/storage/table"
)

// transaction is an open transaction: one that BEGIN opened, or the implicit
// one around the statements up to the next Sync.
type transaction struct {
	tx         *table.Tx
	implicit   bool
	failed     bool
	readOnly   bool
	started    int64
	notes      []note // what NOTIFY sends when it commits
	savepoints []savepoint
	assigned   []assignment
	cursors    []*cursor      // that were declared in it
	listens    []func() error // LISTEN and UNLISTEN, done when it commits
	// mark is where the running statement began, to undo it alone.
	mark int
	// defs are what it defined, nil: nothing.
	defs *definitions
}

type savepoint struct {
	name     string
	at       int
	assigned int // parameters that were set before
	cursors  int // cursors that were declared before
	notes    int // that were sent before
	listens  int
	defs     *definitions
	tables   table.Definitions
	deferral table.Deferral
}

func (t *transaction) rollback() error { return t.tx.Rollback() }

// begin makes sure that a transaction is open, and that the next statement in
// it sees what was committed until now.
func (s *Session) begin() (*transaction, error) {
	if s.tx == nil {
		s.tx = &transaction{
			tx: s.e.Tables.Begin(), implicit: true, started: types.FromTime(time.Now()),
			readOnly: s.settings.values["transaction_read_only"] == "on",
		}
		s.tx.tx.DefaultsFrom(s.columnDefault)
		if s.advisory != nil {
			s.tx.tx.In(s.advisory)
		}
		return s.tx, nil
	}
	if err := s.tx.tx.Refresh(); err != nil {
		return nil, err
	}
	s.tx.mark = s.tx.tx.Savepoint()
	return s.tx, nil
}

// Sync implements pgwire.Session.
func (s *Session) Sync(ctx context.Context, failed bool) error {
	if len(s.loose) > 0 {
		s.settleLoose(failed)
	}
	if s.tx == nil {
		return nil
	}
	if !s.tx.implicit {
		s.tx.failed = s.tx.failed || failed
		return nil
	}
	tx := s.tx
	s.tx = nil
	if failed {
		return tx.rollback()
	}
	return s.commit(ctx, tx)
}

// commit commits t and sends what it notified; a conflict becomes
// PostgreSQL's 40001.
func (s *Session) commit(ctx context.Context, t *transaction) error {
	next, err := s.finish(ctx, t)
	if err == nil && t.defs != nil {
		s.await(ctx, t.defs, next)
	}
	return err
}

// finish is commit without waiting for the jobs that begin with it. It returns the
// catalog after what t defined.
func (s *Session) finish(ctx context.Context, t *transaction) (*catalog.Snapshot, error) {
	var next *catalog.Snapshot
	err := t.tx.EndDeferred()
	if err == nil {
		err = s.onCommit(t)
	}
	switch {
	case err != nil:
		err = errors.Join(err, t.rollback())
	case t.defs == nil:
		_, err = t.tx.Commit()
	default:
		next, err = s.commitDefinitions(ctx, t)
	}
	if err == nil {
		for _, f := range t.listens {
			err = errors.Join(err, f())
		}
		s.e.channels.send(s.pid, t.notes)
	}
	if errors.Is(err, table.ErrConflict) {
		err = serialization(err)
	}
	return next, err
}

// transact runs BEGIN, COMMIT and their like.
func (s *Session) transact(ctx context.Context, n *ast.Transaction) (string, error) {
	switch n.Kind {
	case ast.TxBegin:
		return s.beginBlock(n)
	case ast.TxCommit:
		return s.endBlock(n, func() (string, error) { return s.commitBlock(ctx) })
	case ast.TxRollback:
		return s.endBlock(n, s.rollbackBlock)
	case ast.TxSavepoint, ast.TxRelease, ast.TxRollbackTo:
		return s.savepoint(n)
	default:
	}
	return "", pgerror.Unsupported("%s is not supported: there are no prepared transactions", string(n.Kind))
}

func (s *Session) beginBlock(n *ast.Transaction) (string, error) {
	tag := "BEGIN"
	if n.Start {
		tag = "START TRANSACTION"
	}
	if s.tx != nil && !s.tx.implicit {
		s.warning(pgerror.ActiveTransaction, "there is already a transaction in progress")
		return tag, nil
	}
	if s.tx == nil {
		if _, err := s.begin(); err != nil {
			return "", err
		}
	}
	s.tx.implicit = false
	s.tx.assigned, s.loose = s.loose, nil
	return tag, s.modes(n.Options)
}

// endBlock ends the block; AND CHAIN begins another with its modes.
func (s *Session) endBlock(n *ast.Transaction, end func() (string, error)) (string, error) {
	if n.Chain != ast.Yes {
		return end()
	}
	if s.block() == nil {
		return "", pgerror.New(pgerror.NoActiveTransaction, "%s AND CHAIN can only be used in transaction blocks", string(n.Kind))
	}
	isolation, readOnly := s.settings.values["transaction_isolation"], s.settings.values["transaction_read_only"]
	tag, err := end()
	if err != nil {
		return tag, err
	}
	return tag, errors.Join(second(s.beginBlock(&ast.Transaction{Kind: ast.TxBegin})),
		s.assign("transaction_isolation", isolation, true), s.assign("transaction_read_only", readOnly, true))
}

func second(_ string, err error) error { return err }

func (s *Session) commitBlock(ctx context.Context) (string, error) {
	if s.tx == nil || s.tx.implicit {
		s.warning(pgerror.NoActiveTransaction, "there is no transaction in progress")
		return "COMMIT", nil
	}
	tx := s.tx
	s.tx = nil
	if tx.failed {
		s.unassign(tx, 0)
		s.dropCursors(tx, 0)
		return "ROLLBACK", tx.rollback()
	}
	if err := s.holdCursors(ctx, tx); err != nil {
		s.unassign(tx, 0)
		s.dropCursors(tx, 0)
		return "", errors.Join(err, tx.rollback())
	}
	err := s.commit(ctx, tx)
	if err != nil {
		s.unassign(tx, 0)
	} else {
		s.settle(tx)
		err = s.acknowledgeAll(tx)
	}
	return "COMMIT", err
}

func (s *Session) rollbackBlock() (string, error) {
	if s.tx == nil || s.tx.implicit {
		s.warning(pgerror.NoActiveTransaction, "there is no transaction in progress")
		return "ROLLBACK", nil
	}
	tx := s.tx
	s.tx = nil
	s.unassign(tx, 0)
	s.dropCursors(tx, 0)
	return "ROLLBACK", tx.rollback()
}

func (s *Session) savepoint(n *ast.Transaction) (string, error) {
	if s.tx == nil || s.tx.implicit {
		what := string(n.Kind)
		if n.Kind != ast.TxSavepoint {
			what += " SAVEPOINT"
		}
		return "", pgerror.New(pgerror.NoActiveTransaction, "%s can only be used in transaction blocks", what)
	}
	if n.Kind == ast.TxSavepoint {
		s.tx.savepoints = append(s.tx.savepoints, savepoint{
			name: n.Savepoint, at: s.tx.tx.Savepoint(), assigned: len(s.tx.assigned), cursors: len(s.tx.cursors),
			notes: len(s.tx.notes), listens: len(s.tx.listens),
			defs: s.tx.defs, tables: s.tx.tx.Definitions(), deferral: s.tx.tx.Deferral(),
		})
		return "SAVEPOINT", nil
	}
	for i, sp := range slices.Backward(s.tx.savepoints) {
		if sp.name != n.Savepoint {
			continue
		}
		if n.Kind == ast.TxRelease {
			s.tx.savepoints = s.tx.savepoints[:i]
			return "RELEASE", nil
		}
		s.tx.tx.RollbackTo(sp.at)
		s.tx.tx.Restore(sp.tables)
		s.tx.tx.SetDeferral(sp.deferral)
		s.tx.defs = sp.defs
		s.unassign(s.tx, sp.assigned)
		s.dropCursors(s.tx, sp.cursors)
		s.tx.notes, s.tx.listens = s.tx.notes[:sp.notes], s.tx.listens[:sp.listens]
		s.tx.savepoints = s.tx.savepoints[:i+1]
		s.tx.failed = false
		return "ROLLBACK", nil
	}
	return "", pgerror.New(pgerror.InvalidSavepoint, "savepoint %q does not exist", n.Savepoint)
}

// warning sends a WARNING.
func (s *Session) warning(code, format string, args ...any) {
	w := pgerror.New(code, format, args...)
	w.Severity = "WARNING"
	s.tellClient(w)
}

// noTransaction refuses a statement that can't be part of a transaction block.
func (s *Session) noTransaction(what string) error {
	if s.tx != nil && (!s.tx.implicit || s.tx.tx.Dirty() || s.tx.defs != nil) {
		return pgerror.New(pgerror.ActiveTransaction, "%s cannot run inside a transaction block", what)
	}
	return nil
}
