package catalog

import (
	"context"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"velostream/catalog/auth"
	"velostream/catalog/types"
)

// memoryStore keeps records in memory.
type memoryStore struct {
	version uint64
	records [][]byte
}

func (m *memoryStore) Load(context.Context) (uint64, [][]byte, error) {
	return m.version, m.records, nil
}

func (m *memoryStore) Append(_ context.Context, base uint64, records [][]byte) (uint64, error) {
	if base != m.version {
		return 0, ErrConflict
	}
	m.version, m.records = base+1, append(m.records, records...)
	return m.version, nil
}

func (m *memoryStore) Rewrite(_ context.Context, base uint64, records [][]byte) (uint64, error) {
	if base != m.version {
		return 0, ErrConflict
	}
	m.version, m.records = base+1, records
	return m.version, nil
}

// TestRewrite makes and drops much, and opens the catalog again: little is
// stored, and it says the same.
func TestRewrite(t *testing.T) {
	store := &memoryStore{}
	c, err := Open(t.Context(), store, nil)
	if err != nil {
		t.Fatal(err)
	}
	apply := func(changes ...Change) {
		t.Helper()
		if _, err := c.Apply(t.Context(), c.Snapshot(), changes...); err != nil {
			t.Fatal(err)
		}
	}
	apply(Change{CreateSchema: "s"}, Change{CommentSchema: []string{"s", "of tests"}})
	apply(Change{PutRole: &auth.Role{ID: 30000, Name: "ann", Login: true, ConnectionLimit: -1}})
	apply(Change{PutRights: &Rights{Schema: "s", Owner: "ann"}})
	apply(Change{PutFunction: &Function{ID: 30001, Schema: "s", Name: "f", Owner: "ann"}})
	apply(Change{PutType: &UserType{ID: 30002, Schema: "s", Name: "mood", Kind: EnumType, Owner: "ann", Labels: []types.EnumLabel{{ID: 30003, Label: "ok"}}}})
	for i := range uint32(1500) {
		id := 40000 + i
		apply(Change{Put: &Relation{
			ID: id, Schema: "s", Name: fmt.Sprint("t", i), Kind: Table, Owner: "ann", EventTime: -1,
			Columns: []Column{{Name: "a", Type: types.Int8}}, Indexes: []Index{{ID: 50000 + i, Name: fmt.Sprint("x", i), Columns: []int{0}}},
		}})
		if i%300 != 7 {
			apply(Change{Drop: id})
		}
	}
	for _, id := range []uint32{40006, 40007} { // what is gone has none
		apply(Change{PutStatistics: &Statistics{Relation: id, Columns: []ColumnStatistics{{Type: types.Int8, Distinct: -1, Bounds: []string{"1", "2"}}}}})
	}
	before := c.Snapshot()
	if before.Statistics(40006) != nil || before.Statistics(40007).Column(0, types.Int8) == nil {
		t.Error("statistics of what is gone, or none of what is there")
	}
	again, err := Open(t.Context(), store, nil)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(store.records); n > 40 {
		t.Errorf("%d records are left", n)
	}
	after := again.Snapshot()
	if after.Version != before.Version+1 {
		t.Errorf("version %d after %d", after.Version, before.Version)
	}
	if d := cmp.Diff(before.changes(), after.changes()); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff(before.indexes, after.indexes); d != "" {
		t.Error(d)
	}
	if _, err := again.Apply(t.Context(), after, Change{CreateSchema: "later"}); err != nil {
		t.Error(err)
	}
	if _, err := Open(t.Context(), store, nil); err != nil {
		t.Error(err)
	}
}
