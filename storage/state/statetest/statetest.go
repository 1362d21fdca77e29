// Package statetest is what every state.Store has to pass. It is for tests.
package statetest

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"sync"
	"testing"

	"velostream/pgwire/pgerror"
	"velostream/storage/state"
)

// Run tests the stores that open makes. Each call must give an empty store;
// Run closes it.
func Run(t *testing.T, open func() state.Store) {
	t.Helper()
	for _, c := range []struct {
		name string
		run  func(t *testing.T, s state.Store)
	}{
		{"GetPutDelete", testGetPutDelete},
		{"Scan", testScan},
		{"DeleteRange", testDeleteRange},
		{"BatchOrder", testBatchOrder},
		{"BatchUsedUp", testBatchUsedUp},
		{"Limits", testLimits},
		{"Snapshot", testSnapshot},
		{"ScanWhileWriting", testScanWhileWriting},
		{"Concurrent", testConcurrent},
		{"Random", testRandom},
		{"Runs", testRuns},
		{"RunsRandom", testRunsRandom},
		{"Closed", testClosed},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := open()
			c.run(t, s)
			if err := s.Close(); err != nil {
				t.Errorf("Close: %v", err)
			}
		})
	}
}

// Commit commits what fill puts in a batch.
func Commit(t testing.TB, s state.Store, sync bool, fill func(b state.Batch)) {
	t.Helper()
	b := s.NewBatch()
	fill(b)
	if err := s.Commit(b, sync); err != nil {
		t.Fatalf("Commit: %v", err)
	}
}

// Dump is the content of r from lo to hi as "k=v" lines.
func Dump(t testing.TB, r state.Reader, lo, hi []byte) []string {
	t.Helper()
	out := []string{}
	for e, err := range r.Scan(lo, hi) {
		if err != nil {
			t.Fatalf("Scan: %v", err)
		}
		out = append(out, fmt.Sprintf("%s=%s", e.Key, e.Value))
	}
	return out
}

// want compares the whole content of r.
func want(t *testing.T, r state.Reader, entries ...string) {
	t.Helper()
	wantRange(t, r, nil, nil, entries...)
}

func wantRange(t *testing.T, r state.Reader, lo, hi []byte, entries ...string) {
	t.Helper()
	if got := Dump(t, r, lo, hi); !slices.Equal(got, entries) && len(got)+len(entries) > 0 {
		t.Fatalf("scan from %q to %q: got %q, want %q", lo, hi, got, entries)
	}
}

func get(t *testing.T, r state.Reader, k string) []byte {
	t.Helper()
	v, err := r.Get([]byte(k))
	if err != nil {
		t.Fatalf("Get(%q): %v", k, err)
	}
	return v
}

func testGetPutDelete(t *testing.T, s state.Store) {
	if v := get(t, s, "a"); v != nil {
		t.Fatalf("Get of an absent key = %q", v)
	}
	k, v := []byte("a"), []byte("1")
	b := s.NewBatch()
	b.Put(k, v)
	b.Put([]byte("empty"), nil)
	k[0], v[0] = 'z', 'z' // copied: this must not show
	if b.Len() != 2 || b.Size() == 0 {
		t.Fatalf("Len %d, Size %d", b.Len(), b.Size())
	}
	if v := get(t, s, "a"); v != nil {
		t.Fatalf("batch visible before Commit: %q", v)
	}
	if err := s.Commit(b, true); err != nil {
		t.Fatal(err)
	}
	want(t, s, "a=1", "empty=")
	if v := get(t, s, "empty"); v == nil || len(v) != 0 {
		t.Fatalf("empty value = %#v, want empty and not nil", v)
	}
	got := get(t, s, "a")
	got[0] = 'x' // the caller's own
	if v := get(t, s, "a"); string(v) != "1" {
		t.Fatalf("value changed through the result of Get: %q", v)
	}
	Commit(t, s, false, func(b state.Batch) {
		b.Delete([]byte("a"))
		b.Delete([]byte("never there"))
		b.Delete(nil)
	})
	want(t, s, "empty=")
	Commit(t, s, true, func(state.Batch) {}) // empty
}

func testScan(t *testing.T, s state.Store) {
	Commit(t, s, false, func(b state.Batch) {
		for _, k := range []string{"b", "a", "ab", "c", "a\x00", "\xff"} {
			b.Put([]byte(k), []byte("v"))
		}
	})
	want(t, s, "a=v", "a\x00=v", "ab=v", "b=v", "c=v", "\xff=v")
	wantRange(t, s, []byte("a\x00"), []byte("c"), "a\x00=v", "ab=v", "b=v")
	wantRange(t, s, []byte("c"), []byte("a"))
	wantRange(t, s, []byte("a"), []byte("a"))
	wantRange(t, s, nil, []byte{})
	wantRange(t, s, []byte("bb"), nil, "c=v", "\xff=v")
	n := 0
	for _, err := range s.Scan(nil, nil) { // stops early
		if n++; n == 2 || err != nil {
			break
		}
	}
	for e, err := range s.Scan(nil, nil) { // nested
		if err != nil {
			t.Fatal(err)
		}
		for inner, err := range s.Scan(e.Key, nil) {
			if err != nil || !bytes.Equal(inner.Key, e.Key) {
				t.Fatalf("nested scan from %q: %q, %v", e.Key, inner.Key, err)
			}
			get(t, s, "a")
			break
		}
	}
}

func testDeleteRange(t *testing.T, s state.Store) {
	Commit(t, s, false, func(b state.Batch) {
		for _, k := range []string{"a", "b", "c", "d", "e", "\xff\xff"} {
			b.Put([]byte(k), []byte("1"))
		}
	})
	Commit(t, s, false, func(b state.Batch) { b.DeleteRange([]byte("b"), []byte("d")) })
	want(t, s, "a=1", "d=1", "e=1", "\xff\xff=1")
	Commit(t, s, false, func(b state.Batch) {
		b.DeleteRange([]byte("z"), []byte("a")) // empty
		b.DeleteRange([]byte("e"), nil)         // to the end
	})
	want(t, s, "a=1", "d=1")
	Commit(t, s, false, func(b state.Batch) { b.DeleteRange(nil, nil) })
	want(t, s)
}

func testBatchOrder(t *testing.T, s state.Store) {
	Commit(t, s, false, func(b state.Batch) {
		b.Put([]byte("a"), []byte("1"))
		b.Put([]byte("a"), []byte("2"))
		b.Put([]byte("b"), []byte("1"))
		b.Delete([]byte("b"))
		b.Delete([]byte("c"))
		b.Put([]byte("c"), []byte("1"))
		b.Put([]byte("d"), []byte("1"))
		b.Put([]byte("e"), []byte("1"))
		b.DeleteRange([]byte("d"), []byte("f"))
		b.Put([]byte("e"), []byte("2"))
	})
	want(t, s, "a=2", "c=1", "e=2")
}

func testBatchUsedUp(t *testing.T, s state.Store) {
	b := s.NewBatch()
	b.Put([]byte("a"), []byte("1"))
	if err := s.Commit(b, false); err != nil {
		t.Fatal(err)
	}
	if err := s.Commit(b, false); pgerror.Code(err) != pgerror.InternalError {
		t.Fatalf("second Commit of a batch: %v", err)
	}
	b.Put([]byte("b"), nil) // without effect
	if b.Len() != 0 || b.Size() != 0 {
		t.Fatalf("used batch: Len %d, Size %d", b.Len(), b.Size())
	}
	s.NewBatch().Put([]byte("dropped"), nil)
	if err := s.Commit(foreignBatch{}, false); pgerror.Code(err) != pgerror.InternalError {
		t.Fatalf("Commit of a foreign batch: %v", err)
	}
	want(t, s, "a=1")
}

type foreignBatch struct{ state.Batch }

func testLimits(t *testing.T, s state.Store) {
	for _, k := range [][]byte{nil, make([]byte, state.KeyBytesMax+1), bytes.Repeat([]byte{0xff}, 100)} {
		b := s.NewBatch()
		b.Put([]byte("a"), nil)
		b.Put(k, nil)
		var e *pgerror.Error
		if err := s.Commit(b, false); !errors.As(err, &e) {
			t.Fatalf("Commit of a key of %d bytes: %v", len(k), err)
		}
	}
	want(t, s) // nothing of a refused batch
	big := make([]byte, state.KeyBytesMax)
	Commit(t, s, false, func(b state.Batch) { b.Put(big, make([]byte, 1<<20)) })
	if v := get(t, s, string(big)); len(v) != 1<<20 {
		t.Fatalf("large value: %d bytes", len(v))
	}
}

func testSnapshot(t *testing.T, s state.Store) {
	Commit(t, s, false, func(b state.Batch) { b.Put([]byte("a"), []byte("1")) })
	sn := s.Snapshot()
	Commit(t, s, false, func(b state.Batch) {
		b.Put([]byte("a"), []byte("2"))
		b.Put([]byte("b"), []byte("2"))
	})
	later := s.Snapshot()
	Commit(t, s, false, func(b state.Batch) { b.DeleteRange(nil, nil) })
	want(t, sn, "a=1")
	want(t, later, "a=2", "b=2")
	want(t, s)
	if v := get(t, sn, "b"); v != nil {
		t.Fatalf("snapshot sees a later key: %q", v)
	}
	if err := errors.Join(sn.Close(), sn.Close()); err != nil {
		t.Fatal(err)
	}
	if _, err := sn.Get([]byte("a")); err == nil {
		t.Fatal("Get on a closed snapshot succeeds")
	}
	want(t, later, "a=2", "b=2")
	// later is left open: closing the store closes it
}

func testScanWhileWriting(t *testing.T, s state.Store) {
	Commit(t, s, false, func(b state.Batch) {
		for i := range 100 {
			b.Put(fmt.Appendf(nil, "%03d", i), []byte("1"))
		}
	})
	n := 0
	for e, err := range s.Scan(nil, nil) {
		if err != nil {
			t.Fatal(err)
		}
		if string(e.Value) != "1" {
			t.Fatalf("scan sees a later write: %s=%s", e.Key, e.Value)
		}
		Commit(t, s, false, func(b state.Batch) { b.Put(fmt.Appendf(nil, "%03d", n+1), []byte("2")) })
		n++
	}
	if n != 100 {
		t.Fatalf("%d entries, want 100", n)
	}
}

// testConcurrent has writers move a sum between two keys, and readers check
// that no snapshot sees half a batch.
func testConcurrent(t *testing.T, s state.Store) {
	var wg sync.WaitGroup
	for w := range 3 {
		wg.Go(func() {
			for i := range 100 {
				b := s.NewBatch()
				v := fmt.Appendf(nil, "%d/%d", w, i)
				b.Put([]byte("x"), v)
				b.Put([]byte("y"), v)
				if err := s.Commit(b, i%10 == 0); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for range 2 {
		wg.Go(func() {
			for range 100 {
				sn := s.Snapshot()
				x, err1 := sn.Get([]byte("x"))
				y, err2 := sn.Get([]byte("y"))
				if err := errors.Join(err1, err2, sn.Close()); err != nil {
					t.Error(err)
				}
				if !bytes.Equal(x, y) {
					t.Errorf("torn batch: x=%q y=%q", x, y)
				}
			}
		})
	}
	wg.Wait()
}

// testRandom compares with a map, over batches of all sizes.
func testRandom(t *testing.T, s state.Store) {
	r := rand.New(rand.NewPCG(1, 2))
	model := map[string]string{}
	for step := range 60 {
		b := s.NewBatch()
		for range r.IntN(1 << (step % 10)) {
			Apply(r, b, model, 200)
		}
		if err := s.Commit(b, step%7 == 0); err != nil {
			t.Fatal(err)
		}
		want(t, s, Lines(model)...)
	}
}

// Writer is what takes random writes.
type Writer interface {
	Put(k, v []byte)
	Delete(k []byte)
	DeleteRange(lo, hi []byte)
}

// Apply makes one random write over n keys to w and to model.
func Apply(r *rand.Rand, w Writer, model map[string]string, n int) {
	key := func() string { return fmt.Sprintf("k%0*d", 1+r.IntN(3), r.IntN(n)) }
	switch p := r.IntN(100); {
	case p < 70:
		k, v := key(), strconv.Itoa(r.IntN(1000))
		w.Put([]byte(k), []byte(v))
		model[k] = v
	case p < 95:
		k := key()
		w.Delete([]byte(k))
		delete(model, k)
	default:
		lo, hi := key(), key()
		w.DeleteRange([]byte(lo), []byte(hi))
		for k := range model {
			if lo <= k && k < hi {
				delete(model, k)
			}
		}
	}
}

// Lines is model as Dump gives it.
func Lines(model map[string]string) []string {
	keys := make([]string, 0, len(model))
	for k := range model {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	for i, k := range keys {
		keys[i] = k + "=" + model[k]
	}
	return keys
}

func testClosed(t *testing.T, s state.Store) {
	Commit(t, s, false, func(b state.Batch) { b.Put([]byte("a"), nil) })
	sn, b := s.Snapshot(), s.NewBatch()
	b.Put([]byte("b"), nil)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	_, err1 := s.Get([]byte("a"))
	_, err2 := sn.Get([]byte("a"))
	_, err3 := s.Snapshot().Get([]byte("a"))
	var err4 error
	for _, err := range s.Scan(nil, nil) {
		err4 = err
	}
	for i, err := range []error{err1, err2, err3, err4, s.Commit(b, true)} {
		if pgerror.Code(err) != pgerror.AdminShutdown {
			t.Errorf("use %d of a closed store: %v", i, err)
		}
	}
	if err := sn.Close(); err != nil {
		t.Error(err)
	}
}
