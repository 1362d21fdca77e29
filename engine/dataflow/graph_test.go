package dataflow

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"velostream/catalog/types"
	"velostream/storage/column"
	"velostream/storage/state"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// listSource hands out batches that a test puts in.
type listSource struct {
	mu    sync.Mutex
	queue []*column.Batch
	mark  Watermark
	idle  bool
	wake  func()
	taken int
}

func (s *listSource) put(b *column.Batch) {
	s.mu.Lock()
	s.queue = append(s.queue, b)
	s.mu.Unlock()
	s.wake()
}

func (s *listSource) set(w Watermark, idle bool) {
	s.mu.Lock()
	s.mark, s.idle = w, idle
	s.mu.Unlock()
	s.wake()
}

func (s *listSource) Poll() (*column.Batch, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.queue) == 0 {
		return nil, nil
	}
	b := s.queue[0]
	s.queue = s.queue[1:]
	s.taken += b.Rows()
	return b, nil
}

func (s *listSource) Cut(Cut) (*column.Batch, error) { return nil, nil }

func (s *listSource) Watermark() (Watermark, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.mark, s.idle
}

func (s *listSource) Position() []byte { return fmt.Append(nil, s.taken) }
func (s *listSource) Close() error     { return nil }

// pass hands batches on, and notes watermarks.
type pass struct {
	mu    sync.Mutex
	marks []Watermark
}

func (p *pass) Process(_ int, b *column.Batch, out Output) error { return out.Emit(b) }
func (p *pass) Barrier(state.Epoch, Output) error                { return nil }
func (p *pass) Watermark(w Watermark, _ Output) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.marks = append(p.marks, w)
	return nil
}

func (p *pass) last() Watermark {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.marks) == 0 {
		return NoWatermark
	}
	return p.marks[len(p.marks)-1]
}

func ints(op column.Op, vs ...int64) *column.Batch {
	b := column.NewBuilder([]types.Type{types.Int8}, len(vs))
	for _, v := range vs {
		b.Col(0).Ints = append(b.Col(0).Ints, v)
		b.Row(op)
	}
	return b.Batch()
}

// byValue spreads rows by their value.
func byValue(b *column.Batch, n int) [][]int32 {
	out := make([][]int32, n)
	for i := range b.Each {
		k := int(b.Cols[0].Ints[i]) % n
		out[k] = append(out[k], int32(i))
	}
	return out
}

// rig is two source tasks whose rows are spread over two tasks that collect.
type rig struct {
	sources [2]*listSource
	ops     [2]*pass
	got     [2][]string // of the epoch
	run     *Run
	epoch   uint64
}

func newRig(t *testing.T, retracting bool) *rig {
	t.Helper()
	r := &rig{}
	collect := Stage{
		Name: "collect", Shards: 2, To: -1,
		Inputs: []Input{{Retracting: retracting}},
		Out: func(shard int) Output {
			return OutputFunc(func(b *column.Batch) error {
				for i := range b.Each {
					mark := "+"
					if b.Op(i) == column.Delete {
						mark = "-"
					}
					r.got[shard] = append(r.got[shard], fmt.Sprintf("%s%d", mark, b.Cols[0].Ints[i]))
				}
				return nil
			})
		},
		AfterBarrier: func(shard int, _ state.Epoch) (any, error) {
			out := r.got[shard]
			r.got[shard] = nil
			return out, nil
		},
	}
	collect.New = func(shard int, out Output) (*Tree, error) {
		tree := NewTree()
		r.ops[shard] = &pass{}
		tree.Finish(tree.Add(r.ops[shard], tree.Input()), out)
		return tree, nil
	}
	read := Stage{
		Name: "read", Shards: 2, To: 0, Partition: byValue,
		Inputs: []Input{{Source: func(shard int, wake func()) (Source, error) {
			r.sources[shard] = &listSource{wake: wake, mark: NoWatermark}
			return r.sources[shard], nil
		}}},
		New: func(_ int, out Output) (*Tree, error) {
			tree := NewTree()
			tree.Finish(tree.Add(&pass{}, tree.Input()), out)
			return tree, nil
		},
	}
	var err error
	if r.run, err = Start(context.Background(), []Stage{collect, read}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.run.Stop)
	return r
}

// barrier cuts an epoch and returns what each collecting task had in it.
func (r *rig) barrier(t *testing.T) (out [2][]string) {
	t.Helper()
	r.epoch++
	r.run.Inject(state.Epoch{ID: r.epoch}, Cut{})
	for range r.run.Tasks() {
		select {
		case rep := <-r.run.Reports():
			if rep.Stage == 0 {
				out[rep.Shard], _ = rep.Result.([]string)
			}
		case <-time.After(5 * time.Second):
			t.Fatal("no report")
		}
	}
	return out
}

// TestAlignment checks that an epoch holds whole batches of every source, each
// row once, and that nothing overtakes a barrier.
func TestAlignment(t *testing.T) {
	r := newRig(t, false)
	rnd := rand.New(rand.NewPCG(1, 2))
	next, seen := int64(0), map[string]bool{}
	for range 200 {
		for _, s := range r.sources {
			for range rnd.IntN(4) {
				s.put(ints(column.Insert, next, next+1, next+2))
				next += 3
			}
		}
		for _, rows := range r.barrier(t) {
			for _, row := range rows {
				if seen[row] {
					t.Fatalf("%s came twice", row)
				}
				seen[row] = true
			}
		}
	}
	for len(seen) < int(next) { // what was put after the sources were polled
		before := len(seen)
		for _, rows := range r.barrier(t) {
			for _, row := range rows {
				seen[row] = true
			}
		}
		if len(seen) == before {
			time.Sleep(time.Millisecond)
		}
	}
	if r.run.RowsIn() != next {
		t.Errorf("%d rows in, %d put", r.run.RowsIn(), next)
	}
}

// TestRetracting checks that deletes of one upstream task come before inserts
// of another, and that rows that came and went are not seen at all.
func TestRetracting(t *testing.T) {
	r := newRig(t, true)
	r.sources[1].put(ints(column.Insert, 2, 4, 6, 6, 6))
	waitFor(t, func() bool { dirty, busy := r.run.Activity(); return dirty && !busy })
	r.sources[0].put(ints(column.Delete, 8, 6, 10, 6))
	waitFor(t, func() bool { return r.run.RowsIn() == 9 })
	got := r.barrier(t)
	if want := []string{"-8", "-10", "+2", "+4", "+6"}; !slices.Equal(got[0], want) {
		t.Errorf("got %v, want %v", got[0], want)
	}
}

// TestWatermarks checks the minimum over upstream tasks, and that idle ones do
// not count.
func TestWatermarks(t *testing.T) {
	r := newRig(t, false)
	at := func(w Watermark) {
		t.Helper()
		waitFor(t, func() bool { return r.ops[0].last() == w && r.ops[1].last() == w })
	}
	r.sources[0].set(10, false)
	time.Sleep(20 * time.Millisecond)
	if w := r.ops[0].last(); w != NoWatermark {
		t.Fatalf("watermark %d while a source has none", w)
	}
	r.sources[1].set(7, false)
	at(7)
	r.sources[1].set(7, true)
	at(10)
	r.sources[0].set(20, false)
	at(20)
	r.sources[1].set(15, false) // back again, and late: the watermark stays
	time.Sleep(20 * time.Millisecond)
	r.sources[0].set(30, false)
	time.Sleep(20 * time.Millisecond)
	at(20)
	r.sources[1].set(25, false)
	at(25)
	r.sources[0].set(30, true)
	r.sources[1].set(25, true)
	at(30)
}

// TestTimeIsActivity checks that a watermark that moves without rows asks for
// an epoch.
func TestTimeIsActivity(t *testing.T) {
	r := newRig(t, false)
	r.barrier(t)
	if dirty, _ := r.run.Activity(); dirty {
		t.Fatal("active from the start")
	}
	r.sources[0].set(10, false)
	select {
	case <-r.run.Idle():
	case <-time.After(5 * time.Second):
		t.Fatal("nothing was said")
	}
	if dirty, busy := r.run.Activity(); !dirty || busy {
		t.Errorf("dirty %v, busy %v", dirty, busy)
	}
	r.barrier(t)
	if dirty, _ := r.run.Activity(); dirty {
		t.Error("still active after the barrier")
	}
}

// TestFailure checks that a task's error ends the run and is its cause.
func TestFailure(t *testing.T) {
	boom := errors.New("boom")
	var src *listSource
	run, err := Start(context.Background(), []Stage{{
		Name: "only", Shards: 1, To: -1,
		Inputs: []Input{{Source: func(_ int, wake func()) (Source, error) {
			src = &listSource{wake: wake}
			return src, nil
		}}},
		New: func(_ int, out Output) (*Tree, error) {
			tree := NewTree()
			tree.Finish(tree.Add(&pass{}, tree.Input()), out)
			return tree, nil
		},
		Out: func(int) Output { return OutputFunc(func(*column.Batch) error { return boom }) },
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer run.Stop()
	src.put(ints(column.Insert, 1))
	select {
	case <-run.Done():
	case <-time.After(5 * time.Second):
		t.Fatal("still running")
	}
	if want := "only, shard 0: boom"; run.Err().Error() != want {
		t.Errorf("got %v", run.Err())
	}
}

func waitFor(t *testing.T, ok func() bool) {
	t.Helper()
	for range 5000 {
		if ok() {
			return
		}
		time.Sleep(time.Millisecond)
	}
	t.Fatal("did not happen within 5 s")
}
