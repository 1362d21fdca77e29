package session

import (
	"context"
	"errors"
	"slices"

	"velostream/catalog"
	"velostream/engine/job"
	"velostream/pgwire/pgerror"
	"velostream/storage/column"
	"velostream/storage/table"
)

// ddlTries bounds how often a DDL statement is tried again because another
// changed the catalog between its snapshot and its change.
const ddlTries = 100

// definitions are what a transaction has made, changed and dropped, and nobody
// else sees before it commits. Immutable: a savepoint keeps the value it had.
type definitions struct {
	base *catalog.Snapshot // what all see
	snap *catalog.Snapshot // base after the transaction's changes
	// read is snap as queries read it: what the jobs of new relations will keep, once
	// they run, is what their queries return.
	read    *catalog.Snapshot
	changes []catalog.Change
	jobs    []uint32 // new relations whose jobs start at COMMIT
}

// redefinition is what one DDL statement does.
type redefinition struct {
	changes []catalog.Change
	jobs    []uint32 // relations among them whose jobs are to be waited for
	// check looks at the rows as they are defined until now.
	check func(tx *table.Tx) error
	// rewrite makes the rows of relation rewrites anew, nil: they stay.
	rewrite  func(*column.Batch) (*column.Batch, error)
	rewrites uint32
	// build are indexes of relation builds to be filled.
	builds uint32
	build  []uint32
	// after runs when the transaction has the new definitions.
	after func(tx *table.Tx, snap *catalog.Snapshot) error
}

// catalog is what exists for the session's statements.
func (s *Session) catalog() *catalog.Snapshot {
	if d := s.defs(); d != nil {
		return d.snap
	}
	return s.e.Catalog.Snapshot()
}

// reading is the catalog as queries are bound against it.
func (s *Session) reading() *catalog.Snapshot {
	if d := s.defs(); d != nil {
		return d.read
	}
	return s.e.Catalog.Snapshot()
}

// defs are the open transaction's definitions, on top of what all see now; nil:
// there are none. Where they do not fit any more they stay as they were, and
// COMMIT will say so.
func (s *Session) defs() *definitions {
	if s.tx == nil || s.tx.defs == nil {
		return nil
	}
	if now := s.e.Catalog.Snapshot(); now != s.tx.defs.base {
		if d, err := s.tx.defs.on(now); err == nil {
			s.tx.defs = d
		}
	}
	return s.tx.defs
}

// on is d on top of another base. Error 40001: others have changed the same.
func (d *definitions) on(base *catalog.Snapshot) (*definitions, error) {
	for _, c := range d.changes {
		var id uint32
		switch {
		case c.Put != nil:
			id = c.Put.ID
		case c.Drop != 0:
			id = c.Drop
		}
		if base.ByID(id) != d.base.ByID(id) || c.PutType != nil && base.UserType(c.PutType.ID) != d.base.UserType(c.PutType.ID) {
			return nil, definedMeanwhile(nil)
		}
	}
	return newDefinitions(base, d.changes, d.jobs)
}

func definedMeanwhile(cause error) error {
	return pgerror.New(pgerror.SerializationFailure, "could not serialize access due to concurrent definition").
		WithHint("Run the transaction again.").WithCause(cause)
}

func newDefinitions(base *catalog.Snapshot, changes []catalog.Change, jobs []uint32) (*definitions, error) {
	d := &definitions{base: base, changes: changes, jobs: jobs}
	var err error
	if d.snap, err = base.Private(changes...); err != nil {
		return nil, err
	}
	d.read = d.snap
	var views []catalog.Change
	for _, id := range jobs {
		r := d.snap.ByID(id)
		if r == nil {
			continue // dropped again
		}
		v := r.Clone()
		v.Kind, v.Plan, v.Key = catalog.View, nil, nil
		v.Columns = slices.DeleteFunc(v.Columns, func(c catalog.Column) bool { return c.Hidden })
		views = append(views, catalog.Change{Put: v})
	}
	if len(views) > 0 {
		d.read, err = d.snap.Private(views...)
	}
	return d, err
}

// with is d, nil for none, after one more statement.
func (d *definitions) with(base *catalog.Snapshot, x *redefinition) (*definitions, error) {
	if d == nil {
		d = &definitions{}
	}
	return newDefinitions(base, slices.Concat(d.changes, x.changes), slices.Concat(d.jobs, x.jobs))
}

// apply makes the changes that f derives from a snapshot of the catalog.
func (s *Session) apply(ctx context.Context, f func(snap *catalog.Snapshot) ([]catalog.Change, error)) (*catalog.Snapshot, error) {
	return s.define(ctx, func(snap *catalog.Snapshot) (*redefinition, error) {
		changes, err := f(snap)
		return &redefinition{changes: changes}, err
	})
}

// define makes what f derives from a snapshot of the catalog part of the
// session's transaction. A statement that stands alone is committed here.
func (s *Session) define(ctx context.Context, f func(snap *catalog.Snapshot) (*redefinition, error)) (*catalog.Snapshot, error) {
	if s.e.dry {
		return s.defineDry(ctx, f)
	}
	t, err := s.begin()
	if err != nil {
		return nil, err
	}
	if t.readOnly {
		return nil, pgerror.New(pgerror.ReadOnlyTransaction, "cannot execute DDL in a read-only transaction")
	}
	t.tx.Waiting(ctx, s.settings.lockTimeout())
	was, tables := t.defs, t.tx.Definitions()
	changed, err := s.defineIn(ctx, t, f)
	if err != nil {
		t.tx.RollbackTo(t.mark)
		t.tx.Restore(tables)
		t.defs = was
		return nil, err
	}
	if changed && t.implicit && s.final {
		s.tx = nil
		return s.finish(ctx, t)
	}
	return s.catalog(), nil
}

// defineNow is define of a statement that can only stand alone.
func (s *Session) defineNow(ctx context.Context, f func(snap *catalog.Snapshot) (*redefinition, error)) (*catalog.Snapshot, error) {
	final := s.final
	s.final = true
	defer func() { s.final = final }()
	snap, err := s.define(ctx, f)
	if s.tx != nil && s.tx.implicit { // nothing to do, or failed
		t := s.tx
		s.tx = nil
		err = errors.Join(err, t.rollback())
	}
	return snap, err
}

// applyNow is apply of a statement that can only stand alone.
func (s *Session) applyNow(ctx context.Context, f func(snap *catalog.Snapshot) ([]catalog.Change, error)) (*catalog.Snapshot, error) {
	return s.defineNow(ctx, func(snap *catalog.Snapshot) (*redefinition, error) {
		changes, err := f(snap)
		return &redefinition{changes: changes}, err
	})
}

// defineDry checks a definition and goes on as if it were made.
func (s *Session) defineDry(ctx context.Context, f func(snap *catalog.Snapshot) (*redefinition, error)) (*catalog.Snapshot, error) {
	snap := s.e.Catalog.Snapshot()
	x, err := f(snap)
	if err != nil || x == nil || len(x.changes) == 0 {
		return snap, err
	}
	return s.e.Catalog.Apply(ctx, snap, x.changes...)
}

// defineIn makes a definition in t; changed is false where there was nothing to do.
func (s *Session) defineIn(ctx context.Context, t *transaction, f func(snap *catalog.Snapshot) (*redefinition, error)) (changed bool, err error) {
	for range ddlTries {
		if err := ctx.Err(); err != nil {
			return false, context.Cause(ctx)
		}
		snap := s.catalog()
		base := s.e.Catalog.Snapshot()
		if t.defs != nil {
			base = t.defs.base
		}
		x, err := f(snap)
		if err != nil || x == nil || len(x.changes) == 0 {
			return false, err
		}
		if err := lockChanges(t.tx, base, snap, x.changes); err != nil {
			return false, err
		}
		if s.e.Catalog.Snapshot() != base {
			continue // what was waited for may have changed what this is about
		}
		// What was committed before the locks were free must be seen.
		if err := t.tx.Refresh(); err != nil {
			return false, err
		}
		if t.tx.Catalog() < base.Version {
			s.e.Catalog.Settle()
			continue
		}
		return true, t.define(base, x)
	}
	return false, pgerror.New(pgerror.ObjectInUse, "the catalog is changed too often by others").WithHint("Try again.")
}

// define makes x part of the transaction, with all that it does to rows.
func (t *transaction) define(base *catalog.Snapshot, x *redefinition) error {
	next, err := t.defs.with(base, x)
	if err != nil {
		return err
	}
	if x.check != nil {
		if err := x.check(t.tx); err != nil {
			return err
		}
	}
	snap := base
	if t.defs != nil {
		snap = t.defs.snap
	}
	ids, dropped := touched(snap, next.snap, x.changes)
	rels, err := job.TableRelations(next.snap, ids...)
	if err != nil {
		return err
	}
	made(t.tx, snap, x.changes)
	if x.rewrite != nil {
		i := slices.IndexFunc(rels, func(r *table.Relation) bool { return r.ID == x.rewrites })
		if err := t.tx.Rewrite(rels[i], x.rewrite); err != nil {
			return err
		}
	}
	if err := t.tx.Redefine(rels, dropped); err != nil {
		return err
	}
	t.defs = next
	for _, id := range x.build {
		if err := t.tx.BuildIndex(x.builds, id); err != nil {
			return err
		}
	}
	if x.after != nil {
		return x.after(t.tx, next.snap)
	}
	return nil
}

// touched lists the native relations whose definition in the store the changes
// concern: those named, and those that foreign keys refer to.
func touched(old, next *catalog.Snapshot, changes []catalog.Change) (ids, dropped []uint32) {
	add := func(list []uint32, id uint32) []uint32 {
		if slices.Contains(list, id) {
			return list
		}
		return append(list, id)
	}
	parents := func(r *catalog.Relation) {
		if r == nil {
			return
		}
		for _, k := range r.Constraints {
			if k.Kind == catalog.ForeignKey && next.ByID(k.Ref) != nil {
				ids = add(ids, k.Ref)
			}
		}
	}
	for _, c := range changes {
		switch {
		case c.Put != nil:
			if r := next.ByID(c.Put.ID); r != nil {
				ids = add(ids, r.ID)
				parents(r)
			}
			parents(old.ByID(c.Put.ID))
		case c.PutType != nil && c.PutType.Kind == catalog.DomainType:
			for _, u := range domainUses(next, c.PutType) {
				if u.Relation != nil && u.Relation.Native() {
					ids = add(ids, u.Relation.ID)
				}
			}
		case c.Drop != 0 && next.ByID(c.Drop) == nil:
			dropped = add(dropped, c.Drop)
			parents(old.ByID(c.Drop))
		}
	}
	return ids, dropped
}

// made tells tx what is new, so that nothing of it is left if it is not kept.
func made(tx *table.Tx, old *catalog.Snapshot, changes []catalog.Change) {
	for _, c := range changes {
		if c.Put == nil {
			continue
		}
		was := old.ByID(c.Put.ID)
		if was == nil {
			tx.Made(c.Put.ID)
		}
		if was == nil || was.RowStorage() != c.Put.RowStorage() {
			tx.Made(c.Put.RowStorage())
		}
		for i := range c.Put.Indexes {
			x := &c.Put.Indexes[i]
			if was == nil || was.Index(x.ID) == nil || was.Index(x.ID).EntryStorage() != x.EntryStorage() {
				tx.Made(x.EntryStorage())
			}
		}
	}
}

// commitDefinitions commits a transaction that has defined something: its rows
// and its definitions, in one step. It ends the transaction in any case.
func (s *Session) commitDefinitions(ctx context.Context, t *transaction) (*catalog.Snapshot, error) {
	for range ddlTries {
		base := s.e.Catalog.Snapshot()
		d, err := t.defs.on(base)
		if err != nil {
			return nil, errors.Join(err, t.rollback())
		}
		next, err := s.commitOn(ctx, t, base, d.changes)
		switch {
		case errors.Is(err, catalog.ErrConflict):
			continue
		case errors.Is(err, table.ErrConflict):
			return nil, errors.Join(serialization(err), t.rollback())
		case err != nil:
			return nil, errors.Join(err, t.rollback())
		}
		rows, entries := next.Stored()
		return next, t.tx.End(func(id uint32) bool { return rows[id] || entries[id] || next.ByID(id) != nil })
	}
	return nil, errors.Join(definedMeanwhile(nil), t.rollback())
}

func (s *Session) commitOn(ctx context.Context, t *transaction, base *catalog.Snapshot, changes []catalog.Change) (*catalog.Snapshot, error) {
	if !t.tx.Stores() {
		return s.e.Catalog.Apply(ctx, base, changes...)
	}
	return s.e.Catalog.Transact(ctx, base, changes, func(next *catalog.Snapshot, redo []byte) error {
		ids, dropped := touched(base, next, changes)
		rels, err := job.TableRelations(next, ids...)
		if err != nil {
			return err
		}
		_, err = t.tx.CommitDefining(table.Definition{Version: next.Version, Redo: redo, Relations: rels, Dropped: dropped})
		return err
	})
}

// await waits until the jobs of relations that a transaction made have taken in
// what their inputs held. One that cannot is there all the same: the transaction
// is committed.
func (s *Session) await(ctx context.Context, d *definitions, next *catalog.Snapshot) {
	// Jobs whose owners lost the right to their inputs stand still from here on.
	if err := s.e.Jobs.WaitSeen(ctx, next.Version); err != nil || s.settings.get("background_ddl") == "on" {
		return
	}
	for _, id := range d.jobs {
		r := next.ByID(id)
		if r == nil {
			continue
		}
		if err := s.e.Jobs.WaitReady(ctx, id, next.Version); err != nil {
			e := pgerror.From(err)
			w := pgerror.New(e.Code, "%s %q was made, but its job does not run: %s", kindOf(r), r.Name, e.Message)
			w.Severity, w.Hint = "WARNING", "SHOW JOBS says more; RESUME JOB starts it again."
			s.notify.Notice(w)
		}
	}
}
