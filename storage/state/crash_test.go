package state_test

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"velostream/pgwire/pgerror"
	"velostream/storage/state"
	"velostream/storage/state/statetest"
)

// crashSeed makes runs differ with VELOSTREAM_SEED; by default they are equal.
func crashSeed(t testing.TB) uint64 {
	var seed uint64 = 1
	if s := os.Getenv("VELOSTREAM_SEED"); s != "" {
		if _, err := fmt.Sscan(s, &seed); err != nil {
			t.Fatal(err)
		}
	}
	return seed
}

// TestCrash commits numbered batches of all sizes, takes the disk as a crash
// would leave it at random moments, some with commits under way, and opens
// that: it must hold the first n commits, whole, and n may not be less than
// what was committed durably.
func TestCrash(t *testing.T) {
	for round := range uint64(12) {
		seed := crashSeed(t)*1000 + round
		t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) { crashRound(t, rand.New(rand.NewPCG(seed, 0))) })
	}
}

func crashRound(t *testing.T, r *rand.Rand) {
	fs := vfs.NewCrashableMem()
	o := state.Options{
		FS: fs, MemTableBytes: 1 << 20, IngestEntriesMin: []int{-1, 40, 400}[r.IntN(3)],
		PushInterval: []time.Duration{0, time.Millisecond}[r.IntN(2)], TableFileBytes: 4 << 10,
	}
	var commits []map[string]string // content after each
	last := map[string]string{}
	durable := 0
	for range 3 { // each crash goes on from what the one before left
		s := open(t, "data", o)
		for step := range 60 {
			b := s.NewBatch()
			b.Put([]byte("n"), fmt.Appendf(nil, "%d", len(commits)+1))
			last["n"] = strconv.Itoa(len(commits) + 1)
			for range r.IntN(1 << (step % 11)) {
				// Values that fill memtables, so that flushes happen too.
				k, v := fmt.Sprintf("k%04d", r.IntN(2000)), strings.Repeat(strconv.Itoa(r.IntN(10)), 1+r.IntN(300))
				b.Put([]byte(k), []byte(v))
				last[k] = v
			}
			if r.IntN(8) == 0 {
				lo := fmt.Sprintf("k%04d", r.IntN(2000))
				hi := lo + "9"
				b.DeleteRange([]byte(lo), []byte(hi))
				delete(last, lo)
			}
			commits = append(commits, maps.Clone(last))
			sync := r.IntN(12) == 0
			if sync && r.IntN(2) == 0 {
				crashRuns(t, r, s, commits[len(commits)-1])
				last = maps.Clone(commits[len(commits)-1])
			} else if err := s.Commit(b, sync); err != nil {
				t.Fatal(err)
			}
			if sync {
				durable = len(commits)
			}
		}
		crashed := fs.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: []int{0, 50, 100}[r.IntN(3)], RNG: r})
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		fs = crashed
		o.FS = fs
		s = open(t, "data", o)
		n := 0
		if v, err := s.Get([]byte("n")); err != nil {
			t.Fatal(err)
		} else if v != nil {
			fmt.Sscan(string(v), &n)
		}
		if n < durable || n > len(commits) {
			t.Fatalf("%d commits survived, %d were durable, %d made", n, durable, len(commits))
		}
		wantLines := []string{}
		last = map[string]string{}
		if n > 0 {
			wantLines = statetest.Lines(commits[n-1])
			last = maps.Clone(commits[n-1])
		}
		if got := statetest.Dump(t, s, nil, nil); strings.Join(got, "\n") != strings.Join(wantLines, "\n") {
			t.Fatalf("after a crash %d commits of %d remain, but not as they were: %d entries, want %d", n, len(commits), len(got), len(wantLines))
		}
		commits, durable = commits[:n], n // what was read back is durable now
		statetest.Commit(t, s, true, func(state.Batch) {})
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// crashRuns commits, in the place of a batch, the number of the commit and runs
// with the keys that differ from what the store has; overlapping ones, and one that is
// left over.
func crashRuns(t *testing.T, r *rand.Rand, s state.Store, content map[string]string) {
	b := s.NewBatch()
	b.Put([]byte("n"), []byte(content["n"]))
	there := map[string]bool{}
	for e, err := range s.Scan(nil, nil) {
		if err != nil {
			t.Fatal(err)
		}
		there[string(e.Key)] = content[string(e.Key)] == string(e.Value)
		if _, ok := content[string(e.Key)]; !ok {
			b.Delete(e.Key)
		}
	}
	writers := []state.RunWriter{s.NewRun(), s.NewRun(), s.NewRun()}
	used := make([]bool, len(writers))
	for _, line := range statetest.Lines(content) {
		k, v, _ := strings.Cut(line, "=")
		if k == "n" || there[k] {
			continue
		}
		i := r.IntN(len(writers))
		used[i] = true
		if err := writers[i].Add([]byte(k), []byte(v)); err != nil {
			t.Fatal(err)
		}
	}
	var runs []*state.Run
	for i, w := range writers {
		if !used[i] {
			continue
		}
		run, err := w.Finish()
		if err != nil {
			t.Fatal(err)
		}
		runs = append(runs, run)
	}
	left := s.NewRun() // of a load that is under way when the crash comes
	if err := left.Add([]byte("left"), nil); err != nil {
		t.Fatal(err)
	}
	if _, err := left.Finish(); err != nil {
		t.Fatal(err)
	}
	if err := s.CommitRuns(b, runs); err != nil {
		t.Fatal(err)
	}
	for _, run := range runs {
		if err := run.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestIngestKeepsPrefix ingests a batch away from an earlier one that only the
// log has: no crash may leave the later without the earlier.
func TestIngestKeepsPrefix(t *testing.T) {
	fs := vfs.NewCrashableMem()
	s := open(t, "data", state.Options{FS: fs, IngestEntriesMin: 3})
	statetest.Commit(t, s, false, func(b state.Batch) { b.Put([]byte("a"), nil) })
	statetest.Commit(t, s, false, func(b state.Batch) {
		for _, k := range []string{"m", "n", "o"} {
			b.Put([]byte(k), nil)
		}
	})
	crashed := fs.CrashClone(vfs.CrashCloneCfg{})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, "data", state.Options{FS: crashed})
	if got := statetest.Dump(t, s, nil, nil); len(got) != 4 {
		t.Errorf("after a crash: %q", got)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestCrashDuringCommits crashes with several committers under way.
func TestCrashDuringCommits(t *testing.T) {
	r := rand.New(rand.NewPCG(crashSeed(t), 7))
	for range 5 {
		fs := vfs.NewCrashableMem()
		s := open(t, "data", state.Options{FS: fs, MemTableBytes: 1 << 20, IngestEntriesMin: 50})
		var wg sync.WaitGroup
		var stop atomic.Bool
		var acked [4]atomic.Int64
		for w := range acked {
			wg.Go(func() {
				for i := 1; !stop.Load(); i++ {
					b := s.NewBatch()
					v := fmt.Appendf(nil, "%d", i)
					for j := range 1 + i%3*40 {
						b.Put(fmt.Appendf(nil, "w%d %03d", w, j), v)
					}
					b.Put(fmt.Appendf(nil, "w%d last", w), v)
					sync := i%2 == 0
					if err := s.Commit(b, sync); err != nil {
						t.Error(err)
						return
					}
					if sync {
						acked[w].Store(int64(i))
					}
				}
			})
		}
		time.Sleep(time.Duration(5+r.IntN(30)) * time.Millisecond)
		var before [4]int64
		for w := range acked {
			before[w] = acked[w].Load()
		}
		crashed := fs.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: 50, RNG: r})
		stop.Store(true)
		wg.Wait()
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		s = open(t, "data", state.Options{FS: crashed})
		for w := range before {
			var n int64
			v, err := s.Get(fmt.Appendf(nil, "w%d last", w))
			if err != nil {
				t.Fatal(err)
			}
			fmt.Sscan(string(v), &n)
			if n < before[w] {
				t.Errorf("writer %d: commit %d was durable, %d is there", w, before[w], n)
			}
			if n == 0 {
				continue
			}
			for j := range 1 + n%3*40 {
				if v, _ := s.Get(fmt.Appendf(nil, "w%d %03d", w, j)); string(v) != strconv.FormatInt(n, 10) {
					t.Errorf("writer %d: torn batch %d: key %d = %q", w, n, j, v)
				}
			}
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestDiskFault lets the k-th write operation and all after it fail, for many
// k: Commit reports it with its SQLSTATE, goes on reporting it, reads work,
// nothing panics or hangs, and what is on the disk opens as a prefix.
func TestDiskFault(t *testing.T) {
	for _, c := range []struct {
		err  error
		code string
	}{{syscall.ENOSPC, pgerror.DiskFull}, {syscall.EIO, pgerror.IOError}} {
		for _, lasting := range []bool{true, false} {
			for _, ingest := range []int{-1, 100} {
				for k := 1; k < 400; k += 1 + k/5 {
					name := fmt.Sprintf("%s lasting=%v ingest=%d op=%d", c.code, lasting, ingest, k)
					if !faultRound(t, name, &fault{err: c.err, at: k, lasting: lasting}, c.code, ingest) {
						break // all operations of the run are done before the k-th
					}
				}
			}
		}
	}
}

// fault makes write operations fail from number at on, counted once armed.
type fault struct {
	err     error
	at      int
	lasting bool
	armed   atomic.Bool
	n       atomic.Int64
}

// MaybeError implements errorfs.Injector.
func (f *fault) MaybeError(op errorfs.Op) error {
	switch op.Kind {
	case errorfs.OpFileWrite, errorfs.OpFileWriteAt, errorfs.OpFileSync, errorfs.OpFileSyncData, errorfs.OpFileSyncTo,
		errorfs.OpCreate, errorfs.OpRename, errorfs.OpLink, errorfs.OpReuseForWrite, errorfs.OpFilePreallocate:
	default:
		return nil
	}
	if !f.armed.Load() {
		return nil
	}
	if n := f.n.Add(1); n == int64(f.at) || f.lasting && n > int64(f.at) {
		return f.err
	}
	return nil
}

func (f *fault) String() string { return "fault" }

// faultRound reports whether the fault came up.
func faultRound(t *testing.T, name string, f *fault, code string, ingest int) bool {
	t.Helper()
	disk := vfs.NewCrashableMem()
	s := open(t, "data", state.Options{FS: errorfs.Wrap(disk, f), MemTableBytes: 1 << 20, IngestEntriesMin: ingest})
	f.armed.Store(true)
	acked, durable := 0, 0
	var failure error
	for i := 1; i <= 40; i++ {
		b := s.NewBatch()
		v := fmt.Appendf(nil, "%d", i)
		for j := range 1 + i%4*50 {
			b.Put(fmt.Appendf(nil, "%03d", j), append(v, make([]byte, 1000)...))
		}
		b.Put([]byte("n"), v)
		err := s.Commit(b, i%5 == 0)
		if err == nil && failure != nil {
			t.Fatalf("%s: Commit %d succeeds after one failed with %v", name, i, failure)
		}
		if err != nil {
			if pgerror.Code(err) != code {
				t.Fatalf("%s: Commit %d: %v, want SQLSTATE %s", name, i, err, code)
			}
			failure = err
			continue
		}
		acked = i
		if i%5 == 0 {
			durable = i
		}
	}
	if v, err := s.Get([]byte("n")); err != nil {
		t.Fatalf("%s: Get on a failed store: %q %v", name, v, err)
	}
	statetest.Dump(t, s, nil, nil)
	crashed := disk.CrashClone(vfs.CrashCloneCfg{})
	if err := s.Close(); failure != nil && err == nil || err != nil && pgerror.Code(err) != code {
		t.Fatalf("%s: Close: %v after %v", name, err, failure)
	}
	for at, fs := range map[string]vfs.FS{"crash": crashed, "close": disk} {
		s := open(t, "data", state.Options{FS: fs})
		n := 0
		v, err := s.Get([]byte("n"))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		fmt.Sscan(string(v), &n)
		if n < durable || n > acked+1 && failure == nil {
			t.Fatalf("%s, after %s: commit %d is the last, %d was durable, %d acknowledged", name, at, n, durable, acked)
		}
		for j := range 1 + n%4*50 {
			if v, err := s.Get(fmt.Appendf(nil, "%03d", j)); n > 0 && (err != nil || !strings.HasPrefix(string(v), strconv.Itoa(n)+"\x00")) {
				t.Fatalf("%s, after %s: key %d of batch %d: %.10q %v", name, at, j, n, v, err)
			}
		}
		if err := s.Close(); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	return f.n.Load() >= int64(f.at)
}

func TestOpenErrors(t *testing.T) {
	code := func(dir string, o state.Options, want string) {
		t.Helper()
		s, err := state.OpenPebble(dir, o)
		if err == nil {
			s.Close()
		}
		if pgerror.Code(err) != want {
			t.Errorf("%s: %v, want SQLSTATE %s", filepath.Base(dir), err, want)
		}
	}
	code(t.TempDir(), state.Options{CacheBytes: 1}, pgerror.InvalidParameterValue)

	foreign := t.TempDir()
	os.WriteFile(filepath.Join(foreign, "notes.txt"), nil, 0o600)
	code(foreign, state.Options{}, pgerror.ObjectNotInPrerequisiteState)

	file := filepath.Join(t.TempDir(), "file")
	os.WriteFile(file, nil, 0o600)
	code(file, state.Options{}, pgerror.IOError)

	held := t.TempDir()
	s := open(t, held, state.Options{})
	code(held, state.Options{}, pgerror.ObjectInUse)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}

	for _, pattern := range []string{"MANIFEST-*", "marker.manifest.*", "*.sst"} {
		for _, damage := range []string{"truncate", "garbage", "remove"} {
			dir := t.TempDir()
			s := open(t, dir, state.Options{IngestEntriesMin: 1})
			for i := range 3 {
				statetest.Commit(t, s, true, func(b state.Batch) { b.Put(fmt.Appendf(nil, "%d", i), make([]byte, 100)) })
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			files, _ := filepath.Glob(filepath.Join(dir, pattern))
			for _, f := range files {
				switch damage {
				case "truncate":
					os.Truncate(f, 3)
				case "garbage":
					os.WriteFile(f, []byte(strings.Repeat("garbage", 100)), 0o600)
				case "remove":
					os.Remove(f)
				}
			}
			if pattern == "marker.manifest.*" && damage != "remove" {
				continue // its name is what counts
			}
			t.Run(pattern+" "+damage, func(t *testing.T) {
				s, err := state.OpenPebble(dir, state.Options{})
				if err == nil {
					_, err = s.Get([]byte("1"))
					s.Close()
				}
				if pgerror.Code(err) != pgerror.DataCorrupted {
					t.Errorf("%v, want SQLSTATE %s", err, pgerror.DataCorrupted)
				}
			})
		}
	}
}

// TestLockedByOtherProcess opens a store that a child process holds.
func TestLockedByOtherProcess(t *testing.T) {
	if dir := os.Getenv("VELOSTREAM_TEST_HOLD"); dir != "" {
		open(t, dir, state.Options{})
		fmt.Println("held")
		os.Stdin.Read(make([]byte, 1))
		os.Exit(0)
	}
	dir := t.TempDir()
	child := exec.Command(os.Args[0], "-test.run=^TestLockedByOtherProcess$")
	child.Env = append(os.Environ(), "VELOSTREAM_TEST_HOLD="+dir)
	in, err1 := child.StdinPipe()
	out, err2 := child.StdoutPipe()
	if err := errors.Join(err1, err2, child.Start()); err != nil {
		t.Fatal(err)
	}
	out.Read(make([]byte, 10))
	if _, err := state.OpenPebble(dir, state.Options{}); pgerror.Code(err) != pgerror.ObjectInUse {
		t.Errorf("held by another process: %v", err)
	}
	in.Close()
	child.Wait()
}

// TestPush commits without sync and takes the files as the death of the
// process, not of the machine, leaves them: everything is there.
func TestPush(t *testing.T) {
	fs := vfs.NewCrashableMem()
	o := state.Options{FS: fs, PushInterval: time.Second}
	s := open(t, "data", o)
	defer func() { _ = s.Close() }()
	for i := range 30 {
		b := s.NewBatch()
		b.Put([]byte("n"), []byte(strconv.Itoa(i)))
		b.Put([]byte("more"), make([]byte, i*5000)) // blocks end anywhere
		if err := s.Commit(b, false); err != nil {
			t.Fatal(err)
		}
		o.FS = fs.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: 100, RNG: rand.New(rand.NewPCG(1, 1))})
		left := open(t, "data", o)
		got, err := left.Get([]byte("n"))
		if err != nil {
			t.Fatal(err)
		}
		if err := left.Close(); err != nil {
			t.Fatal(err)
		}
		if string(got) != strconv.Itoa(i) {
			t.Fatalf("commit %d: the files have %q", i, got)
		}
	}
}
