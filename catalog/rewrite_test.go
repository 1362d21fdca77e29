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
	apply(Change{PutSettings: &LoginSettings{Role: "ann", Config: []string{"TimeZone=UTC"}}}, Change{PutSettings: &LoginSettings{Config: []string{"a.b=c"}}})
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
	if n := size(store.records); n > 2*rewriteMin {
		t.Errorf("%d bytes are stored while it runs", n)
	}
	// What a server that did not do so has left is made small when it is opened.
	for n := 0; n < 2*rewriteMin; {
		change, err := encodeChange(Change{CommentSchema: []string{"s", fmt.Sprint("of tests ", n)}})
		if err != nil {
			t.Fatal(err)
		}
		store.records = append(store.records, change)
		n += len(change)
	}
	apply(Change{CommentSchema: []string{"s", "of tests"}})
	before = c.Snapshot()
	again, err := Open(t.Context(), store, nil)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(store.records); n > 40 {
		t.Errorf("%d records are left", n)
	}
	after := again.Snapshot()
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

// TestTemporary makes temporary objects, which are in the snapshot and not in the
// store, and nothing of them after a restart.
func TestTemporary(t *testing.T) {
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
	temp := TempSchema(3)
	table := func(id uint32, schema, name string) Change {
		return Change{Put: &Relation{ID: id, Schema: schema, Name: name, Kind: Table, EventTime: -1}}
	}
	apply(table(20000, DefaultSchema, "kept"))
	version, stored := c.Snapshot().Version, store.version
	for range 1000 {
		apply(Change{CreateSchema: temp}, table(20001, temp, "t"))
		apply(Change{Drop: 20001}, Change{DropSchema: temp})
	}
	if store.version != stored {
		t.Errorf("the store has got to version %d, from %d", store.version, stored)
	}
	if now := c.Snapshot().Version; now != version+2000 {
		t.Errorf("the catalog is at version %d, from %d", now, version)
	}
	apply(Change{CreateSchema: temp}, table(20001, temp, "t"), table(20002, DefaultSchema, "kept_too"), Change{Drop: 20001}, table(20003, temp, "u"),
		Change{PutStatistics: &Statistics{Relation: 20003}}, Change{PutRights: &Rights{Schema: temp, Owner: "ann"}})
	var redo []byte
	if _, err := c.Transact(t.Context(), c.Snapshot(), []Change{table(20004, temp, "v")}, func(_ *Snapshot, r []byte) error {
		redo = r
		return nil
	}); err != nil || redo != nil {
		t.Errorf("a transaction of temporary tables alone is stored: %q, %v", redo, err)
	}
	again, err := Open(t.Context(), store, nil)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, r := range again.Snapshot().Relations() {
		names = append(names, r.Schema+"."+r.Name)
	}
	if d := cmp.Diff([]string{"public.kept", "public.kept_too"}, names); d != "" {
		t.Error(d)
	}
	if again.Snapshot().HasSchema(temp) {
		t.Error("the schema of temporary tables is there after a restart")
	}
	if _, err := c.Apply(t.Context(), c.Snapshot(), Change{CreateSchema: "later"}); err != nil {
		t.Error(err)
	}
}
