package table_test

import (
	"slices"
	"testing"

	"velostream/catalog/types"
	"velostream/pgwire/pgerror"
	"velostream/storage/column"
	"velostream/storage/state"
	"velostream/storage/table"
)

// TestFillIndex builds indexes over rows that are there, in one buffer and in
// many: an index finds its rows, a unique one refuses a value that two have.
func TestFillIndex(t *testing.T) {
	for _, buffer := range []int{1 << 20, 2048} {
		s, err := state.OpenPebble(t.TempDir(), state.Options{})
		must(t, err)
		db := openLoad(t, s)
		db.Limits(buffer, 8<<20, 16<<20, 64)
		var list []item
		for i := range int64(3000) {
			list = append(list, item{i, (i*7919 + 5) % 3001})
		}
		tx := db.Begin()
		if _, _, err := load(tx, 500, list...); err != nil {
			t.Fatal(err)
		}
		_, err = tx.Commit()
		must(t, err)

		rel := func(indexes ...*table.Index) *table.Relation {
			return &table.Relation{
				ID: items, Schema: "public", Name: "items", KeyName: "items_pkey", Names: []string{"id", "v", "t"},
				Types: []types.Type{types.Int8, types.Int8, types.Text}, Key: []int{0}, RowID: -1, Arrival: -1,
				NotNull: []bool{true, false, false}, Logged: true, Indexes: indexes,
			}
		}
		byText := func() *table.Index {
			return &table.Index{ID: 50, Name: "items_t2", Columns: []int{2}, Building: true}
		}
		must(t, db.Define(1, rel(byText())))
		must(t, build(t, db, items, 50))
		tx = db.Begin()
		keys, more, err := tx.IndexKeys(items, 50, nil, nil, 5000)
		must(t, err)
		if len(keys) != len(list) || more {
			t.Errorf("buffer %d: %d entries, want %d", buffer, len(keys), len(list))
		}
		n := 0
		text := column.Constant(types.Text, types.StringDatum("aaaa"))
		for _, err := range tx.Lookup(items, 50, []*column.Column{text}, 0) {
			must(t, err)
			n++
		}
		want := len(slices.DeleteFunc(slices.Clone(list), func(x item) bool { return x.text() != "aaaa" }))
		if n != want {
			t.Errorf("buffer %d: %d rows by index, want %d", buffer, n, want)
		}
		must(t, tx.Rollback())

		must(t, db.Define(1, rel(byText(), &table.Index{ID: 51, Name: "items_v2", Columns: []int{1}, Unique: true, Building: true})))
		must(t, build(t, db, items, 51))
		must(t, db.Define(1, rel(byText(), &table.Index{ID: 52, Name: "items_t3", Columns: []int{2}, Unique: true, Building: true})))
		if err := build(t, db, items, 52); pgerror.Code(err) != pgerror.UniqueViolation {
			t.Errorf("buffer %d: a unique index over equal values: %v", buffer, err)
		}
		must(t, s.Close())
	}
}

// build fills an index that is defined.
func build(t *testing.T, db *table.DB, relation, index uint32) error {
	t.Helper()
	tx := db.Begin()
	err := tx.BuildIndex(relation, index)
	must(t, tx.Rollback())
	return err
}

// TestFillIndexAcrossRuns has one value twice, far apart.
func TestFillIndexAcrossRuns(t *testing.T) {
	s, err := state.OpenPebble(t.TempDir(), state.Options{})
	must(t, err)
	db := openLoad(t, s)
	db.Limits(2048, 8<<20, 16<<20, 64)
	tx := db.Begin()
	b := column.NewBuilder([]types.Type{types.Int8, types.Int8}, 0)
	for i := range int64(2000) {
		b.Col(0).Ints = append(b.Col(0).Ints, i%1999)
		b.Col(1).AppendNull()
		b.Row(column.Insert)
	}
	_, err = tx.InsertAll(notes, b.Batch())
	must(t, err)
	_, err = tx.Commit()
	must(t, err)
	must(t, db.Define(1, &table.Relation{
		ID: notes, Schema: "public", Name: "notes", Names: []string{"v", "rowid"}, Types: []types.Type{types.Int8, types.Int8},
		Key: []int{1}, RowID: 1, Arrival: -1, Logged: true,
		Indexes: []*table.Index{{ID: 60, Name: "notes_u", Columns: []int{0}, Unique: true, Building: true}},
	}))
	err = build(t, db, notes, 60)
	if e := pgerror.From(err); err == nil || e.Code != pgerror.UniqueViolation || e.Detail != "Key (v)=(0) is duplicated." {
		t.Errorf("one value twice: %v", err)
	}
	must(t, s.Close())
}
