package state_test

import (
	"fmt"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"velostream/pgwire/pgerror"
	"velostream/storage/state"
	"velostream/storage/state/statetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestMem(t *testing.T) {
	statetest.Run(t, func() state.Store { return state.NewMem(state.MemOptions{}) })
}

func TestPebble(t *testing.T) {
	for _, c := range []struct {
		name string
		o    state.Options
	}{
		{"plain", state.Options{IngestEntriesMin: -1, MemTableBytes: 1 << 20}},
		{"ingest", state.Options{IngestEntriesMin: 2, MemTableBytes: 1 << 20, TableFileBytes: 500}},
	} {
		t.Run(c.name, func(t *testing.T) {
			statetest.Run(t, func() state.Store {
				o := c.o
				o.FS = vfs.NewMem()
				return open(t, "data", o)
			})
		})
	}
	t.Run("disk", func(t *testing.T) {
		statetest.Run(t, func() state.Store { return open(t, t.TempDir(), state.Options{}) })
	})
}

func open(t testing.TB, dir string, o state.Options) state.Store {
	t.Helper()
	s, err := state.OpenPebble(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestMemLimit(t *testing.T) {
	s := state.NewMem(state.MemOptions{BytesMax: 1000})
	statetest.Commit(t, s, false, func(b state.Batch) { b.Put([]byte("a"), make([]byte, 500)) })
	b := s.NewBatch()
	b.Put([]byte("b"), make([]byte, 500))
	if err := s.Commit(b, false); pgerror.Code(err) != pgerror.OutOfMemory {
		t.Fatalf("beyond the limit: %v", err)
	}
	statetest.Commit(t, s, false, func(b state.Batch) { b.Put([]byte("a"), make([]byte, 600)) })
	statetest.Commit(t, s, false, func(b state.Batch) { b.DeleteRange(nil, nil) })
	statetest.Commit(t, s, false, func(b state.Batch) { b.Put([]byte("b"), make([]byte, 900)) })
}

func TestReopen(t *testing.T) {
	dir := t.TempDir() + "/a/b"
	for i := range 3 {
		s := open(t, dir, state.Options{IngestEntriesMin: 3})
		if got := len(statetest.Dump(t, s, nil, nil)); got != i*5 {
			t.Fatalf("opening %d: %d entries, want %d", i, got, i*5)
		}
		statetest.Commit(t, s, false, func(b state.Batch) { b.Put(fmt.Appendf(nil, "%d small", i), nil) })
		statetest.Commit(t, s, false, func(b state.Batch) {
			for j := range 4 {
				b.Put(fmt.Appendf(nil, "%d large %d", i, j), nil)
			}
		})
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestMetrics(t *testing.T) {
	reg := prometheus.NewRegistry()
	for range 2 { // Close takes them back
		s := open(t, t.TempDir(), state.Options{Registerer: reg})
		statetest.Commit(t, s, true, func(b state.Batch) { b.Put([]byte("a"), nil) })
		families, err := reg.Gather()
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]float64{}
		for _, f := range families {
			got[f.GetName()] = f.GetMetric()[0].GetGauge().GetValue() + f.GetMetric()[0].GetCounter().GetValue()
		}
		if len(got) != 14 || got["velostream_state_disk_bytes"] == 0 || got["velostream_state_failed"] != 0 {
			t.Fatalf("metrics: %v", got)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
