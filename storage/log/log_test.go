package log_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"velostream/catalog/types"
	"velostream/storage/column"
	"velostream/storage/log"
	"velostream/storage/state"
)

func ints(uint32) []types.Type { return []types.Type{types.Int8} }

// entry is one with a row of each relation, whose value is the sequence number.
func entry(seq uint64, rels ...uint32) log.Entry {
	e := log.Entry{Seq: seq}
	for _, rel := range rels {
		e.Changes = append(e.Changes, log.Change{Relation: rel, Batch: &column.Batch{
			Cols: []*column.Column{{Type: types.Int8, Ints: []int64{int64(seq)}}}, N: 1,
		}})
	}
	return e
}

// text is the entries as "seq:relation…".
func text(es []log.Entry) string {
	var out []string
	for _, e := range es {
		var s strings.Builder
		fmt.Fprint(&s, e.Seq)
		for _, c := range e.Changes {
			if got := c.Batch.Cols[0].Ints[0]; got != int64(e.Seq) {
				fmt.Fprintf(&s, "!%d", got)
			}
			fmt.Fprintf(&s, ":%d", c.Relation)
		}
		out = append(out, s.String())
	}
	return strings.Join(out, " ")
}

func next(t *testing.T, r *log.Reader, upTo uint64, want string) {
	t.Helper()
	var all []log.Entry
	for {
		es, err := r.Next(upTo)
		if err != nil {
			t.Fatal(err)
		}
		if len(es) == 0 {
			break
		}
		all = append(all, es...)
	}
	if got := text(all); got != want {
		t.Fatalf("up to %d: %q, want %q", upTo, got, want)
	}
}

// persist commits what is staged.
func persist(t *testing.T, s state.Store, l *log.Log) {
	t.Helper()
	b := s.NewBatch()
	l.Stage(b)
	if err := s.Commit(b, false); err != nil {
		t.Fatal(err)
	}
	l.Persist()
}

func TestReadAndWake(t *testing.T) {
	l := log.New(log.Options{Store: state.NewMem(state.MemOptions{}), Prefix: []byte("p"), Types: ints})
	woken := 0
	r := l.NewReader(0, []uint32{1}, func() { woken++ })
	l.Append(entry(1, 1))
	l.Append(entry(2, 2))
	l.Append(entry(3))
	l.Append(entry(5, 2, 1))
	if woken != 2 {
		t.Errorf("woken %d times, two entries concern the reader", woken)
	}
	if !r.Ahead() {
		t.Error("not ahead")
	}
	next(t, r, 2, "1:1")
	if r.Pos() != 2 {
		t.Errorf("at %d", r.Pos())
	}
	next(t, r, 100, "5:1")
	if r.Pos() != 5 || r.Ahead() {
		t.Errorf("at %d, ahead %v", r.Pos(), r.Ahead())
	}
	next(t, l.NewReader(1, nil, nil), 5, "2:2 5:2:1")
	r.Close()
	l.Append(entry(6, 1))
	if woken != 2 {
		t.Error("woken after Close")
	}
	failure := errors.New("dropped")
	l.Fail(failure)
	if _, err := l.NewReader(0, nil, nil).Next(9); !errors.Is(err, failure) {
		t.Error(err)
	}
}

// TestCatchUp reads entries that have left memory from the store, and after a
// restart.
func TestCatchUp(t *testing.T) {
	s := state.NewMem(state.MemOptions{})
	o := log.Options{Store: s, Prefix: []byte("p"), Types: ints, MemoryBytes: 1}
	l := log.New(o)
	slow := l.NewReader(0, nil, nil)
	want := []string{}
	for seq := uint64(1); seq <= 40; seq++ {
		l.Append(entry(seq, uint32(seq%3)))
		want = append(want, fmt.Sprintf("%d:%d", seq, seq%3))
		if seq%7 == 0 {
			persist(t, s, l)
		}
	}
	if got := l.Persisted(); got != 35 {
		t.Fatalf("persisted %d", got)
	}
	if l.PendingBytes() == 0 {
		t.Error("nothing pending")
	}
	next(t, slow, 100, strings.Join(want, " "))
	next(t, l.NewReader(30, []uint32{1}, nil), 100, "31:1 34:1 37:1 40:1")

	o.Last = 35
	l = log.New(o)
	next(t, l.NewReader(20, []uint32{0}, nil), 100, "21:0 24:0 27:0 30:0 33:0")
	l.Append(entry(36, 0))
	next(t, l.NewReader(33, nil, nil), 36, "34:1 35:2 36:0")
}

func TestChunks(t *testing.T) {
	s := state.NewMem(state.MemOptions{})
	l := log.New(log.Options{Store: s, Prefix: []byte("p"), Types: ints, MemoryBytes: 1})
	big := &column.Batch{Cols: []*column.Column{{Type: types.Int8, Ints: make([]int64, 200_000)}}, N: 200_000}
	for i := range big.N {
		big.Cols[0].Ints[i] = int64(i) * 1e12
	}
	for seq := uint64(1); seq <= 12; seq++ {
		l.Append(log.Entry{Seq: seq, Changes: []log.Change{{Relation: 1, Batch: big}, {Relation: 2, Batch: big}}})
		persist(t, s, l)
	}
	r := l.NewReader(0, []uint32{2}, nil)
	calls, seen := 0, uint64(0)
	for {
		es, err := r.Next(12)
		if err != nil {
			t.Fatal(err)
		}
		if len(es) == 0 {
			break
		}
		calls++
		for _, e := range es {
			if e.Seq != seen+1 || len(e.Changes) != 1 || e.Changes[0].Batch.N != big.N {
				t.Fatalf("entry %d after %d", e.Seq, seen)
			}
			seen = e.Seq
		}
	}
	if seen != 12 || calls < 2 {
		t.Errorf("%d entries in %d calls", seen, calls)
	}
}

// TestRollback takes back what was not persisted. A reader that has read it is
// told, also once the numbers are used again and persisted; others are not.
func TestRollback(t *testing.T) {
	s := state.NewMem(state.MemOptions{})
	l := log.New(log.Options{Store: s, Prefix: []byte("p"), Types: ints})
	far, near := l.NewReader(0, nil, nil), l.NewReader(0, nil, nil)
	l.Append(entry(1, 1))
	persist(t, s, l)
	l.Append(entry(2, 1))
	l.Append(entry(3, 1))
	b := s.NewBatch()
	l.Stage(b) // its commit fails
	next(t, far, 3, "1:1 2:1 3:1")
	next(t, near, 1, "1:1")
	l.Rollback()
	if l.Last() != 1 || l.PendingBytes() != 0 {
		t.Fatalf("last %d, %d bytes pending", l.Last(), l.PendingBytes())
	}
	for seq := uint64(2); seq <= 4; seq++ {
		l.Append(entry(seq, 2))
		persist(t, s, l)
	}
	if _, err := far.Next(4); !errors.Is(err, log.ErrRolledBack) || !far.RolledBack() {
		t.Errorf("reader of what was taken back: %v", err)
	}
	if near.RolledBack() {
		t.Error("reader before it")
	}
	next(t, near, 4, "2:2 3:2 4:2")
	l.Rollback() // nothing to take back
	if near.RolledBack() {
		t.Error("nothing was taken back")
	}
	next(t, log.New(log.Options{Store: s, Prefix: []byte("p"), Types: ints, Last: 4}).NewReader(0, nil, nil), 4, "1:1 2:2 3:2 4:2")
}

func TestTruncate(t *testing.T) {
	s := state.NewMem(state.MemOptions{})
	l := log.New(log.Options{Store: s, Prefix: []byte("p"), Types: ints, MemoryBytes: 1})
	for seq := uint64(1); seq <= 10; seq++ {
		l.Append(entry(seq, 1))
		persist(t, s, l)
	}
	held := l.NewReader(0, nil, nil)
	if es, err := held.Next(4); err != nil || len(es) != 4 {
		t.Fatal(len(es), err)
	}
	truncate := func(seq uint64) int {
		b := s.NewBatch()
		l.Truncate(b, seq)
		if err := s.Commit(b, false); err != nil {
			t.Fatal(err)
		}
		n := 0
		for _, err := range s.Scan(nil, nil) {
			if err != nil {
				t.Fatal(err)
			}
			n++
		}
		return n
	}
	// What the reader was given may still be in work: it is done with it at
	// its next Next.
	if n := truncate(8); n != 10 {
		t.Errorf("%d entries left, want 10", n)
	}
	next(t, held, 6, "5:1 6:1")
	if n := truncate(8); n != 4 {
		t.Errorf("%d entries left, want 4", n)
	}
	next(t, held, 10, "7:1 8:1 9:1 10:1")
	held.Close()
	if n := truncate(8); n != 3 {
		t.Errorf("%d entries left, want 3", n)
	}
}

// TestSkip: what was counted as staged without being written can be read from
// memory only; a reader that comes too late is told.
func TestSkip(t *testing.T) {
	s := state.NewMem(state.MemOptions{})
	l := log.New(log.Options{Store: s, Prefix: []byte("p"), Types: ints, MemoryBytes: 1})
	l.Append(entry(1, 1))
	l.Append(entry(2, 1))
	next(t, l.NewReader(0, nil, nil), 2, "1:1 2:1")
	l.Skip()
	l.Persist()
	if _, err := l.NewReader(0, nil, nil).Next(2); !errors.Is(err, log.ErrBehind) {
		t.Error(err)
	}
	l.Append(entry(3, 1))
	persist(t, s, l)
	next(t, l.NewReader(2, nil, nil), 3, "3:1")
}

func TestDiscard(t *testing.T) {
	l := log.New(log.Options{Discard: true, MemoryBytes: 64, Types: ints})
	r, slow := l.NewReader(0, nil, nil), l.NewReader(0, nil, nil)
	for seq := uint64(1); seq <= 20; seq++ {
		l.Append(entry(seq, 1))
		next(t, r, 100, fmt.Sprintf("%d:1", seq))
	}
	if _, err := slow.Next(20); !errors.Is(err, log.ErrBehind) {
		t.Error(err)
	}
}

// TestRandom appends, persists, rolls back and reads at random, with little
// memory, against a plain list.
func TestRandom(t *testing.T) {
	for seed := range uint64(150) {
		r := rand.New(rand.NewPCG(seed, 1))
		s := state.NewMem(state.MemOptions{})
		o := log.Options{Store: s, Prefix: []byte("p"), Types: ints, MemoryBytes: 1 + r.IntN(400)}
		l := log.New(o)
		var all []log.Entry // those with changes
		rd, read := l.NewReader(0, nil, nil), []log.Entry(nil)
		for range 80 {
			switch r.IntN(6) {
			case 0, 1:
				e := entry(l.Last()+1+r.Uint64N(2), uint32(r.IntN(3)))
				if r.IntN(5) == 0 {
					e.Changes = nil
				} else {
					all = append(all, e)
				}
				l.Append(e)
			case 2:
				persist(t, s, l)
			case 3:
				l.Rollback()
				all = slices.DeleteFunc(all, func(e log.Entry) bool { return e.Seq > l.Last() })
			case 4: // restart
				o.Last = l.Persisted()
				l = log.New(o)
				all = slices.DeleteFunc(all, func(e log.Entry) bool { return e.Seq > l.Last() })
				rd, read = l.NewReader(0, nil, nil), nil
			case 5:
				es, err := rd.Next(r.Uint64N(l.Last() + 2))
				if errors.Is(err, log.ErrRolledBack) {
					rd, read = l.NewReader(0, nil, nil), nil
					continue
				}
				if err != nil {
					t.Fatalf("seed %d: %v", seed, err)
				}
				read = append(read, es...)
				if !rd.RolledBack() && text(read) != text(all[:min(len(read), len(all))]) {
					t.Fatalf("seed %d: read %s of %s", seed, text(read), text(all))
				}
			}
		}
		if rd.RolledBack() {
			continue
		}
		for {
			es, err := rd.Next(l.Last())
			if err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
			if len(es) == 0 {
				break
			}
			read = append(read, es...)
		}
		if text(read) != text(all) {
			t.Fatalf("seed %d: read %s of %s", seed, text(read), text(all))
		}
	}
}

// TestConcurrent has several readers follow one appender; for the race
// detector, and for the order that each sees.
func TestConcurrent(t *testing.T) {
	s := state.NewMem(state.MemOptions{})
	l := log.New(log.Options{Store: s, Prefix: []byte("p"), Types: ints, MemoryBytes: 2000})
	const n = 3000
	var wg sync.WaitGroup
	for range 4 {
		wake := make(chan struct{}, 1)
		r := l.NewReader(0, []uint32{1}, func() {
			select {
			case wake <- struct{}{}:
			default:
			}
		})
		wg.Go(func() {
			defer r.Close()
			for want := uint64(1); want <= n; {
				es, err := r.Next(n)
				if err != nil {
					t.Error(err)
					return
				}
				for _, e := range es {
					if e.Seq != want {
						t.Errorf("%d, want %d", e.Seq, want)
						return
					}
					want++
				}
				if len(es) == 0 && want <= n {
					<-wake
				}
			}
		})
	}
	for seq := uint64(1); seq <= n; seq++ {
		l.Append(entry(seq, 1))
		if seq%50 == 0 {
			persist(t, s, l)
		}
	}
	wg.Wait()
}

// TestBacklog: what was counted before and what came since is what there is, also after
// entries that were not stored are rolled back, and for a reader that moves.
func TestBacklog(t *testing.T) {
	s := state.NewMem(state.MemOptions{})
	l := log.New(log.Options{Store: s, Prefix: []byte("p"), Types: ints})
	var had log.Counted
	rels := map[uint32]bool{1: true}
	count := func(after uint64, rows int64) {
		t.Helper()
		got, err := l.Backlog(after, rels, &had)
		if err != nil {
			t.Fatal(err)
		}
		want, err := l.Backlog(after, rels, &log.Counted{})
		if err != nil || got != want || got.Rows != rows || (got.Bytes > 0) != (rows > 0) {
			t.Fatalf("after %d: %+v, counted anew %+v, want %d rows (%v)", after, got, want, rows, err)
		}
	}
	count(0, 0)
	seq := uint64(0)
	grow := func(n int) {
		for range n {
			seq++
			l.Append(entry(seq, 1, 2))
		}
	}
	grow(5)
	count(2, 3)
	persist(t, s, l)
	count(2, 3)
	grow(4)
	count(2, 7)
	l.Rollback()
	count(2, 3)
	seq = l.Last()
	grow(1)
	persist(t, s, l)
	grow(1)
	count(2, 5)
	count(6, 1)
	count(0, 7)
	count(7, 0)
}
