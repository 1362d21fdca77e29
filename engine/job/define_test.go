package job

import (
	"context"
	"testing"

	"velostream/catalog"
	"velostream/catalog/types"
	"velostream/storage/state"
	"velostream/storage/table"
)

// noStore is a catalog's store that keeps nothing.
type noStore struct{}

func (noStore) Load(context.Context) (uint64, [][]byte, error) { return 0, nil, nil }

func (noStore) Append(_ context.Context, base uint64, _ [][]byte) (uint64, error) {
	return base + 1, nil
}

// A table that is made while the manager works through an older snapshot is there, with
// its rows; one that is dropped is not.
func TestTableMadeWhileReconciling(t *testing.T) {
	cat, db, m, apply := defining(t)
	there := func() error {
		tx := db.Begin()
		defer func() { must(t, tx.Rollback()) }()
		return tx.Claim(catalog.FirstID)
	}
	old := cat.Snapshot()
	apply(catalog.Change{Put: &catalog.Relation{
		ID: catalog.FirstID, Schema: catalog.DefaultSchema, Name: "t", Kind: catalog.Table,
		Columns: []catalog.Column{{Name: "a", Type: types.Int4, NotNull: true}}, Key: []int{0},
	}})
	m.dropTables(old)
	if err := there(); err != nil {
		t.Errorf("the table is gone: %v", err)
	}
	apply(catalog.Change{Drop: catalog.FirstID})
	m.dropTables(cat.Snapshot())
	if there() == nil || len(m.native) > 0 {
		t.Error("the table is there after it was dropped")
	}
}

// defining is a manager without jobs, its catalog and tables, and a way to change the catalog.
func defining(t *testing.T) (*catalog.Catalog, *table.DB, *Manager, func(catalog.Change)) {
	cat, err := catalog.Open(t.Context(), noStore{}, nil)
	must(t, err)
	store := state.NewMem(state.MemOptions{})
	db, err := table.Open(store)
	must(t, err)
	m := NewManager(Options{Catalog: cat, State: store, Tables: db})
	cat.Publish(m.Define)
	apply := func(c catalog.Change) {
		t.Helper()
		_, err := cat.Apply(t.Context(), cat.Snapshot(), c)
		must(t, err)
	}
	return cat, db, m, apply
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// A sequence that is made while the manager works through an older snapshot keeps the
// numbers that it has given out; once it is dropped nothing is left of it.
func TestSequenceMadeWhileReconciling(t *testing.T) {
	cat, db, m, apply := defining(t)
	o := table.SequenceOptions{ID: catalog.FirstID, Name: "s", Start: 5, Increment: 2, Min: 1, Max: 9}
	next := func(want int64) {
		t.Helper()
		v, err := db.NextValue(o)
		must(t, err)
		if v != want {
			t.Errorf("nextval gave %d, want %d", v, want)
		}
	}
	old := cat.Snapshot()
	apply(catalog.Change{Put: &catalog.Relation{
		ID: o.ID, Schema: catalog.DefaultSchema, Name: o.Name, Kind: catalog.Sequence, EventTime: -1,
		Numbers: &catalog.Numbers{Type: "bigint", Start: 5, Increment: 2, Min: 1, Max: 9},
	}})
	next(5)
	next(7)
	m.dropTables(old)
	next(9)
	apply(catalog.Change{Drop: o.ID})
	m.dropTables(cat.Snapshot())
	next(5)
}
