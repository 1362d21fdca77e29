package table_test

import (
	"testing"

	"velostream/catalog/types"
	"velostream/storage/column"
	"velostream/storage/rowenc"
	"velostream/storage/table"
)

// TestArrival commits rows of a stream later than others that were inserted after
// them, alone and with a definition: they arrive no earlier than those.
func TestArrival(t *testing.T) {
	const stream, storage = 60, 61
	ts := []types.Type{types.Int8, types.Int8, types.Timestamptz}
	of := func(v int64) *column.Batch {
		b := column.NewBuilder(ts, 1)
		b.Col(0).Ints = append(b.Col(0).Ints, v)
		b.Col(1).Ints = append(b.Col(1).Ints, 0)
		b.Col(2).Ints = append(b.Col(2).Ints, 0)
		b.Row(column.Insert)
		return b.Batch()
	}
	for name, commit := range map[string]func(*table.Tx) error{
		"rows": func(tx *table.Tx) error {
			_, err := tx.Commit()
			return err
		},
		"a definition": func(tx *table.Tx) error {
			if _, err := tx.CommitDefining(table.Definition{Version: 2}); err != nil {
				return err
			}
			return tx.End(func(uint32) bool { return true })
		},
	} {
		t.Run(name, func(t *testing.T) {
			db := open(t, mem())
			must(t, db.Define(1, &table.Relation{
				ID: stream, Storage: storage, Schema: "public", Name: "s", Names: []string{"v", "rowid", "at"},
				Types: ts, Key: []int{1}, RowID: 1, Arrival: 2, Logged: true,
			}))
			early, late := begin(t, db), begin(t, db)
			for i, tx := range []*table.Tx{early, late} {
				_, err := tx.Insert(stream, of(int64(i)), false)
				must(t, err)
			}
			_, err := late.Commit()
			must(t, err)
			must(t, commit(early))

			tx := begin(t, db)
			at := map[int64]int64{}
			d := rowenc.NewDecoder(ts, []int{0, 2})
			for e, err := range tx.Scan(stream) {
				must(t, err)
				must(t, d.Append(e.Value))
			}
			for i := range d.Len() {
				at[d.Batch().Cols[0].Ints[i]] = d.Batch().Cols[1].Ints[i]
			}
			if len(at) != 2 || at[0] < at[1] {
				t.Errorf("the first to insert arrived at %d, the first to commit at %d", at[0], at[1])
			}
			must(t, tx.Rollback())
		})
	}
}
