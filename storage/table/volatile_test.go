package table_test

import (
	"testing"

	"velostream/catalog/types"
	"velostream/storage/state"
	"velostream/storage/table"
)

const (
	passing = 3 // volatile: id int8 primary key, v int8
	emptied = 4 // and emptied by each commit
)

// syncs counts the commits that were to wait for the disk.
type syncs struct {
	state.Store
	n int
}

func (s *syncs) Commit(b state.Batch, sync bool) error {
	if sync {
		s.n++
	}
	return s.Store.Commit(b, sync)
}

func defineVolatile(t *testing.T, db *table.DB) {
	t.Helper()
	for _, r := range []*table.Relation{
		{ID: passing, Name: "passing", Volatile: true},
		{ID: emptied, Name: "emptied", Volatile: true, Emptied: true},
	} {
		r.Schema, r.Names, r.Types, r.Key = "pg_temp_1", []string{"id", "v"}, []types.Type{types.Int8, types.Int8}, []int{0}
		r.RowID, r.Arrival, r.NotNull = -1, -1, []bool{true, false}
		r.Indexes = []*table.Index{{ID: r.ID + 10, Name: r.Name + "_v", Columns: []int{1}, Unique: true}}
		must(t, db.Define(1, r))
	}
}

// TestVolatile writes to relations that a crash may take away: nobody waits for the disk,
// but for the first time; a store that is opened afterwards gives none of their
// commits' numbers to others, whether it has them or not.
func TestVolatile(t *testing.T) {
	store := &syncs{Store: mem()}
	db := open(t, store)
	defineVolatile(t, db)
	write := func(id uint32, pairs ...int64) uint64 {
		t.Helper()
		tx := begin(t, db)
		if _, err := tx.Insert(id, rows(pairs...), false); err != nil {
			t.Fatal(err)
		}
		seq, err := tx.Commit()
		must(t, err)
		return seq
	}
	write(accounts, 1, 1)
	store.n = 0
	var last uint64
	for i := range int64(100) {
		last = write(passing, i, i)
		write(emptied, 1, 1) // no key is there twice, since none stays
	}
	if store.n != 1 {
		t.Errorf("%d commits waited for the disk, one was to", store.n)
	}
	count := func(id uint32) (n int) {
		t.Helper()
		tx := db.Begin()
		for _, err := range tx.Scan(id) {
			must(t, err)
			n++
		}
		must(t, tx.Rollback())
		return n
	}
	if p, e := count(passing), count(emptied); p != 100 || e != 0 {
		t.Errorf("%d and %d rows", p, e)
	}
	tx := begin(t, db)
	for _, id := range []uint32{accounts, passing} {
		if _, err := tx.Insert(id, rows(1000, 1000), false); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := tx.Commit(); err != nil || store.n != 2 {
		t.Errorf("%d commits waited for the disk (%v), the one that lasts was to", store.n, err)
	}
	db = open(t, store)
	if seq := write(accounts, 2, 2); seq <= last+table.RelaxedMax {
		t.Errorf("commit %d after %d and those that may be lost", seq, last)
	}
}
