package log

import (
	"testing"

	"velostream/catalog/types"
	"velostream/storage/column"
	"velostream/storage/state"
)

// A reader that has caught up from the store has nothing ahead: whoever waits
// for that would go round for ever.
func TestReaderCaughtUpFromStore(t *testing.T) {
	store := state.NewMem(state.MemOptions{})
	o := Options{Store: store, Prefix: []byte("l"), Types: func(uint32) []types.Type { return []types.Type{types.Int8} }}
	one := func(v int64) Entry {
		b := column.NewBuilder([]types.Type{types.Int8}, 1)
		b.Col(0).Ints = append(b.Col(0).Ints, v)
		b.Row(column.Insert)
		return Entry{Seq: uint64(v), Changes: []Change{{Relation: 7, Batch: b.Batch()}}}
	}
	batch := store.NewBatch()
	for v := range int64(3) {
		AppendTo(batch, o.Prefix, one(v+1))
	}
	if err := store.Commit(batch, true); err != nil {
		t.Fatal(err)
	}
	o.Last = 3
	l := New(o)
	r := l.NewReader(1, []uint32{7}, nil)
	defer r.Close()
	read := func(upTo uint64) (n int) {
		for r.Ahead() && r.Pos() < upTo {
			es, err := r.Next(upTo)
			if err != nil {
				t.Fatal(err)
			}
			n += len(es)
		}
		return n
	}
	if !r.Ahead() {
		t.Fatal("what is stored is not ahead")
	}
	if n := read(3); n != 2 || r.Pos() != 3 || r.Ahead() {
		t.Errorf("%d entries, at %d, ahead %v", n, r.Pos(), r.Ahead())
	}
	l.Append(one(4))
	if !r.Ahead() {
		t.Error("a new entry is not ahead")
	}
	if n := read(4); n != 1 || r.Ahead() {
		t.Errorf("%d entries, ahead %v", n, r.Ahead())
	}
}
