package statetest

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"velostream/storage/state"
)

// run makes a run of "k=v" entries, in a file where the store has files.
func run(t *testing.T, s state.Store, entries ...string) *state.Run {
	t.Helper()
	w := s.NewRun()
	for _, e := range entries {
		k, v, _ := strings.Cut(e, "=")
		if err := w.Add([]byte(k), []byte(v)); err != nil {
			t.Fatal(err)
		}
	}
	r, err := w.Finish()
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func testRuns(t *testing.T, s state.Store) {
	Commit(t, s, true, func(b state.Batch) { b.Put([]byte("c"), []byte("old")); b.Put([]byte("x"), []byte("0")) })
	a, b := run(t, s, "a=1", "c=2", "e=3"), run(t, s, "b=4", "d=5", "f=")
	c := state.MemoryRun([]state.Entry{{Key: []byte("p"), Value: []byte("6")}, {Key: []byte("q"), Value: []byte("7")}})
	want(t, s, "c=old", "x=0")
	for k, v := range map[string]string{"a": "1", "c": "2", "e": "3", "b": "", "z": "", "": ""} {
		if got, err := a.Get([]byte(k)); string(got) != v || err != nil {
			t.Errorf("Get %q of a run: %q, %v", k, got, err)
		}
	}
	if v, err := b.Get([]byte("f")); v == nil || err != nil {
		t.Errorf("empty value of a run: %v, %v", v, err)
	}
	want(t, readRun{a}, "a=1", "c=2", "e=3")
	wantRange(t, readRun{a}, []byte("b"), []byte("e"), "c=2")
	wantRange(t, readRun{a}, []byte("f"), nil)
	wantRange(t, readRun{c}, []byte("p1"), []byte("z"), "q=7")
	var merged []string
	for e, err := range state.MergeRuns([]*state.Run{a, b, c}, []byte("b"), []byte("q")) {
		if err != nil {
			t.Fatal(err)
		}
		merged = append(merged, fmt.Sprintf("%s=%s/%d", e.Key, e.Value, e.Run))
	}
	if got := strings.Join(merged, " "); got != "b=4/1 c=2/0 d=5/1 e=3/0 f=/1 p=6/2" {
		t.Errorf("merged: %s", got)
	}
	before := s.Snapshot()
	batch := s.NewBatch()
	batch.Put([]byte("d"), []byte("batch")) // lies over the run's
	batch.Delete([]byte("e"))
	batch.Delete([]byte("x"))
	batch.Put([]byte("m"), []byte("8")) // between the runs
	if err := s.CommitRuns(batch, []*state.Run{c, a, b}); err != nil {
		t.Fatal(err)
	}
	want(t, before, "c=old", "x=0")
	want(t, s, "a=1", "b=4", "c=2", "d=batch", "f=", "m=8", "p=6", "q=7")
	want(t, readRun{b}, "b=4", "d=5", "f=") // may still be read
	for _, r := range []*state.Run{a, b, c} {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}
	if err := before.Close(); err != nil {
		t.Error(err)
	}
	forgotten := run(t, s, "g=1")
	w := s.NewRun()
	if err := w.Add([]byte("h"), nil); err != nil {
		t.Fatal(err)
	}
	w.Abort()
	if err := forgotten.Close(); err != nil {
		t.Error(err)
	}
	if _, err := s.NewRun().Finish(); err == nil {
		t.Error("an empty run was made")
	}
	want(t, s, "a=1", "b=4", "c=2", "d=batch", "f=", "m=8", "p=6", "q=7")
}

// readRun is a run as a state.Reader.
type readRun struct{ *state.Run }

// testRunsRandom commits batches and runs of all sizes, with keys that
// interleave, and compares with a map.
func testRunsRandom(t *testing.T, s state.Store) {
	r := rand.New(rand.NewPCG(3, 4))
	model := map[string]string{}
	for range 40 {
		next := map[string]string{}
		runs := make([][]string, r.IntN(4))
		used := map[string]bool{}
		for i := range runs {
			for range 1 + r.IntN(1<<r.IntN(10)) {
				k := fmt.Sprintf("k%04d", r.IntN(3000))
				if !used[k] {
					used[k] = true
					next[k] = strconv.Itoa(r.IntN(1000))
					runs[i] = append(runs[i], k+"="+next[k])
				}
			}
			slices.Sort(runs[i])
		}
		var made []*state.Run
		for _, list := range runs {
			if len(list) > 0 {
				made = append(made, run(t, s, list...))
			}
		}
		maps.Copy(model, next)
		b := s.NewBatch()
		for range r.IntN(1 << r.IntN(8)) {
			k, v := fmt.Sprintf("k%04d", r.IntN(3000)), strconv.Itoa(r.IntN(1000))
			if r.IntN(4) == 0 {
				b.Delete([]byte(k))
				delete(model, k)
			} else {
				b.Put([]byte(k), []byte(v))
				model[k] = v
			}
		}
		if err := s.CommitRuns(b, made); err != nil {
			t.Fatal(err)
		}
		for _, x := range made {
			if err := x.Close(); err != nil {
				t.Fatal(err)
			}
		}
		want(t, s, Lines(model)...)
	}
}
