package state_test

import (
	"encoding/binary"
	"testing"

	"velostream/storage/state"
)

func TestMeasure(t *testing.T) {
	s, err := state.OpenPebble(t.TempDir(), state.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	const rows = 200_000
	b := s.NewBatch()
	for i := range rows {
		b.Put(binary.BigEndian.AppendUint64([]byte("a"), uint64(i)), make([]byte, 20))
	}
	if err := s.Commit(b, false); err != nil {
		t.Fatal(err)
	}
	n, size, err := state.Measure(s, []byte("b"), []byte("c"))
	if n != 0 || size != 0 || err != nil {
		t.Error(n, size, err)
	}
	hi := binary.BigEndian.AppendUint64([]byte("a"), 1000)
	if n, size, err = state.Measure(s, []byte("a"), hi); n != 1000 || size != 29_000 || err != nil {
		t.Error(n, size, err)
	}
	if n, _, err = state.Measure(s, []byte("a"), []byte("b")); n < 50_000 || n > rows || err != nil {
		t.Error(n, err)
	}
}
