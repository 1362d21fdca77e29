package log

import (
	"testing"

	"velostream/catalog/types"
	"velostream/storage/column"
	"velostream/storage/state"
)

// TestTimes finds entries by number and time, in memory and in the store, also what was
// given times of its own.
func TestTimes(t *testing.T) {
	store := state.NewMem(state.MemOptions{})
	o := Options{
		Store: store, Prefix: []byte("x"), Times: true, MemoryBytes: 1,
		Types: func(uint32) []types.Type { return []types.Type{types.Int8} },
	}
	l := New(o)
	for seq := uint64(1); seq <= 20; seq++ {
		e := Entry{Seq: seq, Time: int64(seq * 100)}
		if seq%3 == 0 { // epochs without changes are not kept
			e.Time = 0
		} else {
			b := column.NewBuilder(o.Types(1), 1)
			b.Col(0).Append(types.IntDatum(int64(seq)))
			b.Row(column.Insert)
			e.Changes = []Change{{1, b.Batch()}}
		}
		if e.Time != 0 {
			l.Append(e)
		}
		if seq == 14 {
			b := store.NewBatch()
			l.Stage(b)
			if err := store.Commit(b, true); err != nil {
				t.Fatal(err)
			}
			l.Persist()
		}
	}
	b := store.NewBatch()
	l.Truncate(b, 5)
	if err := store.Commit(b, true); err != nil {
		t.Fatal(err)
	}
	for _, x := range []struct {
		after, want uint64
		ok          bool
	}{{4, 5, true}, {5, 7, true}, {7, 8, true}, {13, 14, true}, {14, 16, true}, {19, 20, true}, {20, 0, false}} {
		m, ok, err := l.Next(x.after)
		if err != nil || ok != x.ok || m.Seq != x.want || m.Time != int64(x.want*100) {
			t.Errorf("after %d: %v %v %v", x.after, m, ok, err)
		}
	}
	for at, want := range map[int64]uint64{100: 4, 499: 4, 500: 5, 699: 5, 700: 7, 1399: 13, 1400: 14, 1650: 16, 5000: 20} {
		if got, err := l.At(at); err != nil || got != want {
			t.Errorf("at %d: %d, want %d (%v)", at, got, want, err)
		}
	}
}
