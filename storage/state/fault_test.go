package state_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"velostream/pgwire/pgerror"
	"velostream/storage/state"
	"velostream/storage/state/statetest"
)

// TestDiskFaultUnderLoad breaks the disk while several commit as fast as they
// can, with memtables waiting for it: each of them gets the error, none hangs.
func TestDiskFaultUnderLoad(t *testing.T) {
	r := rand.New(rand.NewPCG(crashSeed(t), 11))
	for range 12 {
		f := &fault{err: syscall.ENOSPC, at: 1 + r.IntN(300), lasting: r.IntN(2) == 0}
		s := open(t, "data", state.Options{FS: errorfs.Wrap(vfs.NewMem(), f), MemTableBytes: 1 << 20, IngestEntriesMin: 250})
		f.armed.Store(true)
		var wg sync.WaitGroup
		var failed atomic.Int64
		for w := range 6 {
			wg.Go(func() {
				for i := range 200 {
					b := s.NewBatch()
					for j := range 100 + i%4*50 {
						b.Put(fmt.Appendf(nil, "%d %03d", w, j), make([]byte, 500))
					}
					err := s.Commit(b, i%7 == 0)
					if err == nil {
						continue
					}
					if pgerror.Code(err) != pgerror.DiskFull {
						t.Errorf("Commit: %v", err)
					}
					failed.Add(1)
					return
				}
			})
		}
		wg.Wait()
		if n := failed.Load(); n != 0 && n != 6 {
			// Those that were done before do not notice; with 200 rounds none is.
			t.Errorf("fault at operation %d: %d of 6 noticed", f.at, n)
		}
		statetest.Dump(t, s, nil, nil)
		if err := s.Close(); err != nil && pgerror.Code(err) != pgerror.DiskFull {
			t.Errorf("Close: %v", err)
		}
	}
}

// TestReadFault lets reads of table files fail, those of readers and those of
// compactions.
func TestReadFault(t *testing.T) {
	fs := vfs.NewMem()
	s := open(t, "data", state.Options{FS: fs, IngestEntriesMin: 1})
	for i := range 20 {
		statetest.Commit(t, s, true, func(b state.Batch) {
			for j := range 100 {
				b.Put(fmt.Appendf(nil, "%03d", j), fmt.Appendf(nil, "%d", i))
			}
		})
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	var armed atomic.Bool
	inj := errorfs.InjectorFunc(func(op errorfs.Op) error {
		if armed.Load() && op.Kind == errorfs.OpFileReadAt && strings.HasSuffix(op.Path, ".sst") {
			return syscall.EIO
		}
		return nil
	})
	s = open(t, "data", state.Options{FS: errorfs.Wrap(fs, inj), IngestEntriesMin: -1})
	armed.Store(true)
	_, err1 := s.Get([]byte("050"))
	var err2 error
	for _, err := range s.Scan(nil, nil) {
		err2 = err
	}
	for _, err := range []error{err1, err2} {
		if err != nil && pgerror.Code(err) != pgerror.IOError || err == nil && err1 == nil && err2 == nil {
			t.Errorf("reading: %v", err)
		}
	}
	armed.Store(false)
	if err := s.Close(); err != nil && pgerror.Code(err) != pgerror.IOError {
		t.Errorf("Close: %v", err)
	}
	s = open(t, "data", state.Options{FS: fs})
	if n := len(statetest.Dump(t, s, nil, nil)); n != 100 {
		t.Errorf("%d entries, want 100", n)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}
