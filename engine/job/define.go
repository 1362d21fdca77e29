package job

import (
	"slices"
	"sync"

	"velostream/catalog"
	"velostream/catalog/types"
	"velostream/engine/sql/expr"
	"velostream/pgwire/pgerror"
	"velostream/storage/column"
	"velostream/storage/table"
)

// defineTables tells the native store of its relations. REQUIRES: m.mu is held.
func (m *Manager) defineTables(snap *catalog.Snapshot) {
	var all []*table.Relation
	whole := true
	for _, r := range snap.Relations() {
		if r.Kind == catalog.Sequence {
			m.native[r.ID] = true
		}
		if !r.Native() {
			continue
		}
		t, err := tableRelation(snap, r)
		if err != nil {
			m.o.Logger.Error("a table could not be set up", "relation", r.Name, "error", err.Error())
			whole = false
			continue
		}
		m.native[r.ID] = true
		all = append(all, t)
	}
	define := func() error { return m.o.Tables.DefineAll(snap.Version, all) }
	if !whole { // what cannot be set up must not look dropped
		define = func() error { return m.o.Tables.Define(snap.Version, all...) }
	}
	if err := define(); err != nil {
		m.o.Logger.Error("entries of a dropped index could not be deleted", "error", err.Error())
	}
}

// TableRelations is what the native store must know of the relations ids.
func TableRelations(snap *catalog.Snapshot, ids ...uint32) ([]*table.Relation, error) {
	var out []*table.Relation
	for _, id := range ids {
		r := snap.ByID(id)
		if r == nil || !r.Native() {
			continue
		}
		t, err := tableRelation(snap, r)
		if err != nil {
			return nil, err
		}
		out = append(out, t)
	}
	return out, nil
}

func tableRelation(snap *catalog.Snapshot, r *catalog.Relation) (*table.Relation, error) {
	t := &table.Relation{
		ID: r.ID, Storage: r.RowStorage(), Version: snap.Version, Schema: r.Schema, Name: r.Name, Types: r.Types(), Key: r.Key, RowID: -1, Arrival: -1,
		KeyName: r.KeyConstraint(),
	}
	for i, c := range r.Columns {
		t.Names = append(t.Names, c.Name)
		t.NotNull = append(t.NotNull, c.NotNull && !c.Dropped)
		t.Hidden = append(t.Hidden, c.Hidden)
		missing := types.NullDatum
		if c.Missing != nil {
			var err error
			if missing, err = types.DecodeStored(c.Type, []byte(*c.Missing)); err != nil {
				return nil, err
			}
		}
		t.Missing = append(t.Missing, missing)
		switch c.System {
		case "rowid":
			t.RowID = i
		case "arrival":
			t.Arrival = i
		}
	}
	for _, d := range snap.Dependents(r.ID) {
		t.Logged = t.Logged || d.Persistent()
	}
	for _, x := range r.Indexes {
		t.Indexes = append(t.Indexes, &table.Index{
			ID: x.ID, Storage: x.EntryStorage(), Name: x.Name, Columns: x.Columns, Unique: x.Unique, NullsEqual: x.NullsEqual, Building: x.Building,
		})
	}
	for _, k := range r.Constraints {
		switch k.Kind {
		case catalog.Check:
			c, err := CheckOf(k, snap)
			if err != nil {
				return nil, err
			}
			t.Checks = append(t.Checks, c)
		case catalog.ForeignKey:
			t.Foreign = append(t.Foreign, ForeignKeyOf(r, k))
		case catalog.Unique: // its index says it
		}
		if k.Kind == catalog.ForeignKey && k.Ref == r.ID {
			t.Referenced = append(t.Referenced, ForeignKeyOf(r, k))
		}
	}
	for _, child := range snap.References(r.ID) {
		for _, k := range child.Constraints {
			if k.Kind == catalog.ForeignKey && k.Ref == r.ID {
				t.Referenced = append(t.Referenced, ForeignKeyOf(child, k))
			}
		}
	}
	return t, nil
}

// ForeignKeyOf is a foreign key of child as the native store knows it.
func ForeignKeyOf(child *catalog.Relation, k catalog.Constraint) *table.ForeignKey {
	return &table.ForeignKey{
		ID: k.ID, Deferrable: k.Deferrable, Deferred: k.Deferred, Name: k.Name, Child: child.ID, Columns: k.Columns, Parent: k.Ref, Index: k.RefIndex, ParentColumns: k.RefColumns,
		OnDelete: keyAction(k.OnDelete), OnUpdate: keyAction(k.OnUpdate), SetColumns: k.SetColumns, MatchFull: k.MatchFull,
	}
}

func keyAction(name string) table.Action {
	switch name {
	case "RESTRICT":
		return table.Restrict
	case "CASCADE":
		return table.Cascade
	case "SET NULL":
		return table.SetNull
	case "SET DEFAULT":
		return table.SetDefault
	}
	return table.NoAction
}

// CheckOf makes a CHECK constraint executable. Evaluators are for one goroutine:
// they are pooled.
func CheckOf(k catalog.Constraint, snap *catalog.Snapshot) (table.Check, error) {
	e, err := expr.UnmarshalExpr(k.Expr)
	if err != nil {
		return table.Check{}, err
	}
	if _, err := expr.Compile(e); err != nil {
		return table.Check{}, err
	}
	pool := &sync.Pool{}
	format := types.Format{ExtraFloatDigits: 1, Types: snap}
	return table.Check{Name: k.Name, Violated: func(b *column.Batch) (int, error) {
		ev, ok := pool.Get().(*expr.Evaluator)
		if !ok {
			var err error
			if ev, err = expr.Compile(e); err != nil {
				return -1, err
			}
		}
		defer pool.Put(ev)
		now := nowMicros()
		c, err := ev.Eval(&expr.Env{Now: now, StmtTime: now, Format: &format}, b, b.Sel)
		if err != nil {
			return -1, pgerror.From(err)
		}
		for i := range b.Each {
			if !c.Null(i) && !c.Bools[c.At(i)] {
				return i, nil
			}
		}
		return -1, nil
	}}, nil
}

// dropUnfinished takes out of the catalog what a crash kept from being made whole:
// indexes that were not filled, with the constraints they are for, and views that were
// to replace others.
func (m *Manager) dropUnfinished() error {
	snap := m.o.Catalog.Snapshot()
	var changes []catalog.Change
	for _, r := range snap.Relations() {
		if r.Replaces != 0 {
			changes = append(changes, catalog.Change{Drop: r.ID})
			continue
		}
		if !slices.ContainsFunc(r.Indexes, func(x catalog.Index) bool { return x.Building }) {
			continue
		}
		c := r.Clone()
		c.Constraints = slices.DeleteFunc(c.Constraints, func(k catalog.Constraint) bool {
			x := r.Index(k.Index)
			return k.Kind == catalog.Unique && x != nil && x.Building
		})
		c.Indexes = slices.DeleteFunc(c.Indexes, func(x catalog.Index) bool { return x.Building })
		changes = append(changes, catalog.Change{Put: c})
	}
	if len(changes) == 0 {
		return nil
	}
	_, err := m.o.Catalog.Apply(m.ctx, snap, changes...)
	return err
}
