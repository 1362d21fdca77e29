package catalog_test

import (
	"context"
	"errors"
	"testing"

	"velostream/catalog"
)

// store keeps records in memory; it fails when told to.
type store struct {
	version uint64
	records [][]byte
	fails   error
}

func (s *store) Load(context.Context) (uint64, [][]byte, error) { return s.version, s.records, nil }

func (s *store) Append(_ context.Context, base uint64, records [][]byte) (uint64, error) {
	if s.fails != nil {
		return 0, s.fails
	}
	if base != s.version {
		return 0, errors.New("stale")
	}
	s.version++
	s.records = append(s.records, records...)
	return s.version, nil
}

func open(t *testing.T, s *store, redo []byte) *catalog.Catalog {
	t.Helper()
	c, err := catalog.Open(t.Context(), s, redo)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func table(s *catalog.Snapshot, name string) catalog.Change {
	return catalog.Change{Put: &catalog.Relation{ID: s.NextID(), Schema: "public", Name: name, Kind: catalog.Table, EventTime: -1}}
}

func has(t *testing.T, s *catalog.Snapshot, names ...string) {
	t.Helper()
	for _, n := range names {
		if s.Relation("", n) == nil {
			t.Errorf("there is no %q", n)
		}
	}
	if n := len(s.Relations()); n != len(names) {
		t.Errorf("%d relations, want %d", n, len(names))
	}
}

// TestRedo ends the process at each point of a change that is durable with rows.
func TestRedo(t *testing.T) {
	s := &store{}
	c := open(t, s, nil)
	var redo []byte
	transact := func(name string, commit error) error {
		base := c.Snapshot()
		_, err := c.Transact(t.Context(), base, []catalog.Change{table(base, name)}, func(_ *catalog.Snapshot, r []byte) error {
			if commit == nil {
				redo = r
			}
			return commit
		})
		return err
	}

	// The rows did not become durable: nothing has happened.
	broken := errors.New("broken")
	if err := transact("a", broken); !errors.Is(err, broken) {
		t.Fatal(err)
	}
	has(t, c.Snapshot())
	if s.version != 0 {
		t.Error("the store has a change whose rows are not durable")
	}

	// All went well; a redo that the store has is not made again.
	if err := transact("a", nil); err != nil {
		t.Fatal(err)
	}
	has(t, c.Snapshot(), "a")
	has(t, open(t, s, redo).Snapshot(), "a")

	// The rows are durable and the process ends before the store has the change.
	s.fails = broken
	if err := transact("b", nil); err != nil {
		t.Fatalf("a change whose rows are durable failed: %v", err)
	}
	has(t, c.Snapshot(), "a", "b")
	if _, err := c.Apply(t.Context(), c.Snapshot(), table(c.Snapshot(), "x")); !errors.Is(err, broken) {
		t.Errorf("a change on top of one that the store lacks: %v", err)
	}
	s.fails = nil
	crashed := &store{version: s.version, records: s.records}
	has(t, open(t, crashed, redo).Snapshot(), "a", "b")
	has(t, open(t, crashed, redo).Snapshot(), "a", "b")

	// The process goes on, and the store mends.
	if _, err := c.Apply(t.Context(), c.Snapshot(), table(c.Snapshot(), "c")); err != nil {
		t.Fatal(err)
	}
	has(t, open(t, s, redo).Snapshot(), "a", "b", "c")
}
