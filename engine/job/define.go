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
			m.native[r.ID] = snap.Version
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
		m.native[r.ID] = snap.Version
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
		KeyName: r.KeyConstraint(), Volatile: r.Temporary(), Emptied: r.OnCommit == catalog.OnCommitDelete,
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
		key, only := r.StoredColumns(&x)
		t.Indexes = append(t.Indexes, &table.Index{
			ID: x.ID, Storage: x.EntryStorage(), Name: x.Name, Columns: key, Only: only, Unique: x.Unique, NullsEqual: x.NullsEqual, Building: x.Building,
		})
	}
	for _, e := range r.IndexExprs() {
		t.Derived = append(t.Derived, e.Text)
	}
	if t.Derived != nil {
		var err error
		if t.Derive, err = derivation(r, snap); err != nil {
			return nil, err
		}
	}
	domains, err := domainChecks(snap, r)
	if err != nil {
		return nil, err
	}
	t.Checks = domains
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

// CheckOf makes a CHECK constraint executable. snap knows the types that users made.
func CheckOf(k catalog.Constraint, snap *catalog.Snapshot) (table.Check, error) {
	pool, err := newEvaluators(k.Expr, snap)
	if err != nil {
		return table.Check{}, err
	}
	return table.Check{Name: k.Name, Violated: func(b *column.Batch) (int, error) {
		first := -1
		err := pool.eval(b, func(c *column.Column) {
			for i := range b.Each {
				if !c.Null(i) && !c.Bools[c.At(i)] {
					first = i
					return
				}
			}
		})
		return first, err
	}}, nil
}

// derivation computes the expressions that rows of r are indexed by, in the order of
// IndexExprs. Those of an index of some rows are computed for these only.
func derivation(r *catalog.Relation, snap *catalog.Snapshot) (func(*column.Batch) ([]*column.Column, error), error) {
	type index struct{ keys, where []*evaluators }
	var list []index
	for _, x := range r.Indexes {
		var d index
		for _, e := range x.Exprs {
			p, err := newEvaluators(e.Expr, snap)
			if err != nil {
				return nil, err
			}
			d.keys = append(d.keys, p)
		}
		if x.Where != nil {
			p, err := newEvaluators(x.Where.Expr, snap)
			if err != nil {
				return nil, err
			}
			d.where = append(d.where, p)
		}
		list = append(list, d)
	}
	return func(b *column.Batch) ([]*column.Column, error) {
		var out []*column.Column
		for _, d := range list {
			in, where, err := satisfying(b, d.where)
			if err != nil {
				return nil, err
			}
			for _, p := range d.keys {
				if err := p.eval(in, func(c *column.Column) { out = append(out, kept(c, in)) }); err != nil {
					return nil, err
				}
			}
			out = append(out, where...)
		}
		return out, nil
	}, nil
}

// satisfying is b with only the rows for which all of where are true, and their values.
func satisfying(b *column.Batch, where []*evaluators) (*column.Batch, []*column.Column, error) {
	var values []*column.Column
	in := b
	for _, p := range where {
		if err := p.eval(b, func(c *column.Column) { values = append(values, kept(c, b)) }); err != nil {
			return nil, nil, err
		}
		sel := make([]int32, 0, in.Rows())
		c := values[len(values)-1]
		for i := range in.Each {
			if !c.Null(i) && c.Bools[c.At(i)] {
				sel = append(sel, int32(i))
			}
		}
		in = &column.Batch{Ops: b.Ops, Cols: b.Cols, N: b.N, Sel: sel}
	}
	return in, values, nil
}

// kept is a copy of the values of c for the selected rows of b, at their places.
func kept(c *column.Column, b *column.Batch) *column.Column {
	out := column.New(c.Type, b.N)
	for i := range b.Each {
		for out.Len() < i {
			out.AppendNull()
		}
		out.AppendFrom(c, i)
	}
	for out.Len() < b.N {
		out.AppendNull()
	}
	return out
}

// evaluators compute one expression over rows. Evaluators are for one goroutine:
// they are pooled.
type evaluators struct {
	e      expr.Expr
	format types.Format
	pool   sync.Pool
}

func newEvaluators(stored []byte, snap *catalog.Snapshot) (*evaluators, error) {
	e, err := expr.UnmarshalExpr(stored)
	if err != nil {
		return nil, err
	}
	ev, err := expr.Compile(e)
	if err != nil {
		return nil, err
	}
	p := &evaluators{e: e, format: types.Format{ExtraFloatDigits: 1, Types: snap}}
	p.pool.Put(ev)
	return p, nil
}

// eval gives use the values for the selected rows of b, which are good until it returns.
func (p *evaluators) eval(b *column.Batch, use func(*column.Column)) error {
	ev, ok := p.pool.Get().(*expr.Evaluator)
	if !ok {
		var err error
		if ev, err = expr.Compile(p.e); err != nil {
			return err
		}
	}
	defer p.pool.Put(ev)
	now := nowMicros()
	c, err := ev.Eval(&expr.Env{Now: now, StmtTime: now, Format: &p.format}, b, b.Sel)
	if err != nil {
		return pgerror.From(err)
	}
	use(c)
	return nil
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
