package meta_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"velostream/pgwire/pgerror"
	"velostream/storage/meta"
)

func open(t testing.TB, fs meta.FS, dir string) *meta.Log {
	t.Helper()
	l, err := meta.Open(dir, meta.Options{FS: fs})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func recs(s ...string) [][]byte {
	out := make([][]byte, len(s))
	for i := range s {
		out[i] = []byte(s[i])
	}
	return out
}

func want(t testing.TB, l *meta.Log, version uint64, records ...string) {
	t.Helper()
	v, got, err := l.Load(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if v != version || !slices.EqualFunc(got, recs(records...), bytes.Equal) {
		t.Fatalf("version %d %q, want %d %q", v, got, version, records)
	}
}

func shut(t testing.TB, l *meta.Log) {
	t.Helper()
	if err := errors.Join(l.Close(), l.Close()); err != nil {
		t.Fatal(err)
	}
}

func TestLog(t *testing.T) {
	ctx, dir := context.Background(), filepath.Join(t.TempDir(), "a", "b")
	l := open(t, nil, dir)
	want(t, l, 0)
	change := func(do func(context.Context, uint64, [][]byte) (uint64, error), base uint64, records ...string) {
		t.Helper()
		if v, err := do(ctx, base, recs(records...)); err != nil || v != base+1 {
			t.Fatalf("%d, %v", v, err)
		}
	}
	change(l.Append, 0, "a", "", "b")
	change(l.Append, 1)
	change(l.Append, 2, "c")
	want(t, l, 3, "a", "", "b", "c")
	for _, base := range []uint64{0, 2, 4} {
		for _, do := range []func(context.Context, uint64, [][]byte) (uint64, error){l.Append, l.Rewrite} {
			if _, err := do(ctx, base, recs("x")); !errors.Is(err, meta.ErrConflict) || pgerror.Code(err) != pgerror.SerializationFailure {
				t.Fatalf("base %d: %v", base, err)
			}
		}
	}
	if _, err := l.Append(ctx, 3, [][]byte{make([]byte, meta.RecordBytesMax+1)}); pgerror.Code(err) != pgerror.ProgramLimitExceeded {
		t.Fatalf("large record: %v", err)
	}
	if _, err := meta.Open(dir, meta.Options{}); pgerror.Code(err) != pgerror.ObjectInUse {
		t.Fatalf("opened twice: %v", err)
	}
	shut(t, l)
	l = open(t, nil, dir)
	want(t, l, 3, "a", "", "b", "c")
	change(l.Rewrite, 3, "abc")
	want(t, l, 4, "abc")
	change(l.Append, 4, "d")
	shut(t, l)
	l = open(t, nil, dir)
	want(t, l, 5, "abc", "d")
	change(l.Rewrite, 5)
	want(t, l, 6)
	shut(t, l)
	l = open(t, nil, dir)
	want(t, l, 6)
	shut(t, l)
	if _, err := l.Append(ctx, 6, nil); pgerror.Code(err) != pgerror.AdminShutdown {
		t.Fatalf("closed: %v", err)
	}
}

func TestConcurrentAppend(t *testing.T) {
	ctx, l := context.Background(), open(t, newMemFS(), "data")
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			for i := 0; i < 20; {
				v, _, err := l.Load(ctx)
				if err != nil {
					t.Error(err)
					return
				}
				_, err = l.Append(ctx, v, recs(fmt.Sprint(w, "/", i)))
				switch {
				case err == nil:
					i++
				case !errors.Is(err, meta.ErrConflict):
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	if v, records, err := l.Load(ctx); v != 80 || len(records) != 80 || err != nil {
		t.Fatalf("version %d, %d records, %v", v, len(records), err)
	}
	shut(t, l)
}

func TestWatch(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	l := open(t, newMemFS(), "data")
	w, err := l.Watch(ctx, 0)
	if err != nil {
		t.Fatal(err)
	}
	for v := range uint64(3) {
		if _, err := l.Append(context.Background(), v, nil); err != nil {
			t.Fatal(err)
		}
	}
	if v := <-w; v != 3 {
		t.Fatalf("version %d, want the latest, 3", v)
	}
	late, _ := l.Watch(context.Background(), 1)
	even, _ := l.Watch(context.Background(), 3)
	if v := <-late; v != 3 {
		t.Fatalf("late watcher: %d", v)
	}
	cancel()
	for range w { // closed
	}
	if _, err := l.Watch(ctx, 0); !errors.Is(err, context.Canceled) {
		t.Fatalf("canceled: %v", err)
	}
	shut(t, l)
	for v := range even {
		t.Fatalf("nothing new, received %d", v)
	}
}

// TestDamage changes each byte of a log in turn. What is behind the damage
// decides: the last change is dropped like a torn one, an earlier one is an error.
func TestDamage(t *testing.T) {
	ctx, fs := context.Background(), newMemFS()
	l := open(t, fs, "data")
	ends := []int{len(fs.only().data)}
	for v := range uint64(3) {
		if _, err := l.Append(ctx, v, recs("record", strings.Repeat("x", int(v)*5))); err != nil {
			t.Fatal(err)
		}
		ends = append(ends, len(fs.only().data))
	}
	shut(t, l)
	good := bytes.Clone(fs.only().data)
	for i := range good {
		fs.only().data = bytes.Clone(good)
		fs.only().data[i] ^= 0x5a
		l, err := meta.Open("data", meta.Options{FS: fs})
		if i >= ends[2] {
			if err != nil {
				t.Fatalf("byte %d of the last change: %v", i, err)
			}
			if v, _, _ := l.Load(ctx); v != 2 || len(fs.only().data) != ends[2] {
				t.Fatalf("byte %d of the last change: version %d, %d bytes", i, v, len(fs.only().data))
			}
			shut(t, l)
			continue
		}
		at := 0
		for _, end := range ends {
			if end <= i {
				at = end
			}
		}
		if pgerror.Code(err) != pgerror.DataCorrupted || !strings.Contains(err.Error(), fmt.Sprintf("meta.log\" is damaged at offset %d:", at)) {
			t.Fatalf("byte %d: %v", i, err)
		}
	}
	for n := range good { // cut off anywhere
		fs.only().data = bytes.Clone(good[:n])
		l, err := meta.Open("data", meta.Options{FS: fs})
		if n < ends[0] {
			if pgerror.Code(err) != pgerror.DataCorrupted {
				t.Fatalf("cut at %d: %v", n, err)
			}
			continue
		}
		if err != nil {
			t.Fatalf("cut at %d: %v", n, err)
		}
		version := uint64(0)
		for version < 3 && ends[version+1] <= n {
			version++
		}
		if v, err := l.Append(ctx, version, recs("again")); err != nil || v != version+1 {
			t.Fatalf("cut at %d: version %d, %v", n, v, err)
		}
		shut(t, l)
	}
}

func TestForeignFile(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "meta.log"), []byte("something else, of some length"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := meta.Open(dir, meta.Options{}); pgerror.Code(err) != pgerror.DataCorrupted {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "meta.lock"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	blocked := filepath.Join(dir, "meta.log", "below a file")
	if _, err := meta.Open(blocked, meta.Options{}); pgerror.Code(err) != pgerror.IOError {
		t.Fatal(err)
	}
}

// TestCrashAndFaults makes random changes on a disk that fails at the k-th
// operation, crashes it, and opens it again: every change that was acknowledged
// is there, whole, and of the others at most the one that failed.
func TestCrashAndFaults(t *testing.T) {
	for seed := range uint64(400) {
		r := rand.New(rand.NewPCG(seed, 3))
		fs := newMemFS()
		var acked, maybe []string
		version := uint64(0)
		for range 3 {
			fs.failAt, fs.lasting, fs.err = 0, r.IntN(2) == 0, []error{syscall.ENOSPC, syscall.EIO}[r.IntN(2)]
			l := open(t, fs, "data")
			want(t, l, version, acked...)
			fs.failAt = fs.ops + 1 + r.IntN(60)
			code := pgerror.DiskFull
			if errors.Is(fs.err, syscall.EIO) {
				code = pgerror.IOError
			}
			for i := range 12 {
				next := fmt.Sprint(seed, " ", version, " ", strings.Repeat("y", r.IntN(100)))
				do, after := l.Append, append(slices.Clone(acked), next)
				if i%5 == 4 {
					do, after = l.Rewrite, []string{next}
				}
				if v, err := do(context.Background(), version, recs(next)); err == nil {
					acked, maybe, version = after, nil, v
				} else if pgerror.Code(err) != code {
					t.Fatalf("seed %d: %v", seed, err)
				} else if maybe == nil {
					maybe = after
				}
				want(t, l, version, acked...) // readable all the time
			}
			fs.failAt = 0
			crashed := fs.crash(r)
			shut(t, l)
			fs = crashed
			l = open(t, fs, "data")
			v, got, err := l.Load(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			if maybe != nil && v == version+1 && slices.EqualFunc(got, recs(maybe...), bytes.Equal) {
				acked, version = maybe, v
			}
			want(t, l, version, acked...)
			maybe = nil
			shut(t, l)
		}
	}
}

func FuzzOpen(f *testing.F) {
	fs := newMemFS()
	l := open(f, fs, "data")
	l.Append(context.Background(), 0, recs("a", "b"))
	l.Append(context.Background(), 1, recs("c"))
	shut(f, l)
	f.Add(fs.only().data)
	f.Fuzz(func(t *testing.T, data []byte) {
		fs := newMemFS()
		l := open(t, fs, "data")
		shut(t, l)
		fs.only().data = data
		l, err := meta.Open("data", meta.Options{FS: fs})
		if err != nil {
			return
		}
		v, _, err := l.Load(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := l.Append(context.Background(), v, recs("more")); err != nil {
			t.Fatal(err)
		}
		shut(t, l)
	})
}
