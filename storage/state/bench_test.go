package state_test

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"runtime"
	"syscall"
	"testing"
	"time"

	"velostream/storage/state"
	"velostream/storage/state/statetest"
)

// benchKey spreads i over the key space, as hashed group keys do.
func benchKey(dst []byte, i uint64) []byte {
	return binary.BigEndian.AppendUint64(append(dst, "\x00\x00\x00\x01\x00\x01\x00\x00"...), i*0x9e3779b97f4a7c15)
}

// BenchmarkCommit is the cost per entry of 16-byte keys and 32-byte values.
func BenchmarkCommit(b *testing.B) {
	for _, way := range []struct {
		name string
		min  int
	}{{"plain", -1}, {"ingest", 1}} {
		for _, n := range []int{1, 100, 10_000, 100_000, 1_000_000} {
			if way.min > 0 && n < 10_000 {
				continue
			}
			for _, sync := range []bool{false, true} {
				b.Run(fmt.Sprintf("%s/%d/sync=%v", way.name, n, sync), func(b *testing.B) {
					s := open(b, b.TempDir(), state.Options{IngestEntriesMin: way.min})
					r := rand.New(rand.NewPCG(1, 1))
					k, v := make([]byte, 0, 16), make([]byte, 32)
					cpu := cpuTime()
					for b.Loop() {
						batch := s.NewBatch()
						for range n {
							k = benchKey(k[:0], r.Uint64N(2_000_000))
							batch.Put(k, v)
						}
						if err := s.Commit(batch, sync); err != nil {
							b.Fatal(err)
						}
					}
					b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/entry")
					if err := s.Close(); err != nil {
						b.Fatal(err)
					}
					// With flushes and compactions, which the clock does not see.
					b.ReportMetric(float64(cpuTime()-cpu)/float64(b.N)/float64(n), "cpu-ns/entry")
				})
			}
		}
	}
}

// cpuTime is what the process has used.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func BenchmarkRead(b *testing.B) {
	const n = 200_000
	for name, s := range map[string]state.Store{
		"pebble": open(b, b.TempDir(), state.Options{}),
		"mem":    state.NewMem(state.MemOptions{}),
	} {
		statetest.Commit(b, s, true, func(batch state.Batch) {
			for i := range uint64(n) {
				batch.Put(benchKey(nil, i), make([]byte, 32))
			}
		})
		r := rand.New(rand.NewPCG(1, 1))
		var k []byte
		for _, c := range []struct {
			name string
			from uint64
		}{{"get", 0}, {"get absent", n}} {
			b.Run(name+"/"+c.name, func(b *testing.B) {
				for b.Loop() {
					k = benchKey(k[:0], c.from+r.Uint64N(n))
					if _, err := s.Get(k); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
		b.Run(name+"/scan", func(b *testing.B) {
			for b.Loop() {
				for _, err := range s.Scan(nil, nil) {
					if err != nil {
						b.Fatal(err)
					}
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/entry")
		})
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSpace(b *testing.B) {
	const n = 100_000
	store := state.NewMem(state.MemOptions{})
	run := func(name string, epoch func(t state.Table, r *rand.Rand, k, v []byte)) {
		b.Run(name, func(b *testing.B) {
			r := rand.New(rand.NewPCG(1, 1))
			k, v := make([]byte, 0, 16), make([]byte, 32)
			for b.Loop() {
				t := state.NewSpace(store, 1, 0).Table(1)
				epoch(t, r, k, v)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/op")
		})
	}
	write := func(t state.Table, r *rand.Rand, k, v []byte) {
		for range n {
			k = binary.BigEndian.AppendUint64(k[:0], r.Uint64())
			if err := t.Put(k, v); err != nil {
				b.Fatal(err)
			}
		}
	}
	run("put", write)
	run("put/ordered", func(t state.Table, r *rand.Rand, k, v []byte) {
		if err := t.Put(k, v); err != nil {
			b.Fatal(err)
		}
		for range t.Scan(nil, nil) {
			break
		}
		write(t, r, k, v)
	})
	b.Run("seal", func(b *testing.B) {
		r := rand.New(rand.NewPCG(1, 1))
		for b.Loop() {
			b.StopTimer()
			sp := state.NewSpace(store, 1, 0)
			write(sp.Table(1), r, nil, make([]byte, 32))
			batch := discard{}
			b.StartTimer()
			sp.Seal(batch)
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/op")
	})
}

// discard is a Batch that costs nothing.
type discard struct{ state.Batch }

func (discard) Put(_, _ []byte) {}

// TestIdleMemory guards what an idle store holds.
func TestIdleMemory(t *testing.T) {
	heap := func() int64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	before := heap()
	s := open(t, t.TempDir(), state.Options{})
	statetest.Commit(t, s, true, func(b state.Batch) { b.Put([]byte("a"), nil) })
	if used := heap() - before; used > 8<<20 {
		t.Errorf("an idle store holds %d bytes", used)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}
