package operator

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"velostream/catalog/types"
	"velostream/engine/dataflow"
	"velostream/engine/sql/plan"
	"velostream/storage/column"
	"velostream/storage/state"
)

// null takes output and forgets it.
type null struct{ rows int }

func (n *null) Emit(b *column.Batch) error { n.rows += b.Rows(); return nil }

// trades makes batches of symbol, time, window start and end, price (float and numeric), volume.
func trades(n, size, symbols int) []*column.Batch {
	r := rand.New(rand.NewPCG(1, 1))
	ts := []types.Type{types.Text, types.Timestamp, types.Timestamp, types.Timestamp, types.Float8, types.Numeric, types.Int8}
	var out []*column.Batch
	now := int64(1e15)
	for at := 0; at < n; at += size {
		b := column.NewBuilder(ts, size)
		for range size {
			now += 100
			t := now - int64(r.IntN(3_000_000))
			s := floorTo(t, unixEpoch, 10_000_000)
			b.Col(0).AppendBytes(fmt.Appendf(nil, "SYM%03d", r.IntN(symbols)))
			b.Col(1).Ints, b.Col(2).Ints, b.Col(3).Ints = append(b.Col(1).Ints, t), append(b.Col(2).Ints, s), append(b.Col(3).Ints, s+10_000_000)
			p := int64(r.IntN(100000))
			b.Col(4).Floats = append(b.Col(4).Floats, float64(p)/100)
			b.Col(5).Decs = append(b.Col(5).Decs, types.NewDecimal(p, 2))
			b.Col(6).Ints = append(b.Col(6).Ints, int64(r.IntN(1000)))
			b.Row(column.Insert)
		}
		out = append(out, b.Take())
	}
	return out
}

func ohlcv(price int, t types.Type) *plan.Physical {
	in := input(true, nil, types.Text, types.Timestamp, types.Timestamp, types.Timestamp, types.Float8, types.Numeric, types.Int8)
	in.EventTime = 1
	p := aggPlan(in, []int{0, 2, 3}, []plan.AggCall{
		call("first_value", t, col(price, t)), call("max", t, col(price, t)), call("min", t, col(price, t)), call("last_value", t, col(price, t)),
		call("sum", types.Numeric, col(6, types.Int8)), call("count", types.Int8),
	})
	p.WindowEnd = 2
	return p
}

// BenchmarkOHLCV is the tumbling aggregate per row, beside the same work by hand.
func BenchmarkOHLCV(b *testing.B) {
	const n = 1 << 17
	for _, size := range []int{1, 64, 1024} {
		batches := trades(n, size, 100)
		for name, p := range map[string]*plan.Physical{"float": ohlcv(4, types.Float8), "numeric": ohlcv(5, types.Numeric)} {
			b.Run(fmt.Sprintf("%s/batch=%d", name, size), func(b *testing.B) {
				b.ReportAllocs()
				op, err := Build(p, BuildContext{Shards: 1})
				if err != nil {
					b.Fatal(err)
				}
				out := &null{}
				done := 0
				for b.Loop() {
					for k, in := range batches {
						if err := op.Process(0, in, out); err != nil {
							b.Fatal(err)
						}
						if k*size%16384 == 0 {
							if err := op.Barrier(state.Epoch{}, out); err != nil {
								b.Fatal(err)
							}
						}
					}
					done += n
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(done), "ns/row")
			})
		}
		b.Run(fmt.Sprintf("hand/batch=%d", size), func(b *testing.B) {
			done := 0
			for b.Loop() {
				handOHLCV(batches)
				done += n
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(done), "ns/row")
		})
	}
}

type bar struct {
	open, high, low, last float64
	first, at, volume, n  int64
}

type barKey struct {
	sym [8]byte
	end int64
}

func handOHLCV(batches []*column.Batch) int {
	groups := make(map[barKey]int32, 1024)
	var bars []bar
	for _, in := range batches {
		sym, tm, end, px, vol := in.Cols[0], in.Cols[1].Ints, in.Cols[3].Ints, in.Cols[4].Floats, in.Cols[6].Ints
		for i := range in.N {
			var k barKey
			copy(k.sym[:], sym.Data[sym.Offs[i]:sym.Offs[i+1]])
			k.end = end[i]
			g, ok := groups[k]
			if !ok {
				g = int32(len(bars))
				groups[k] = g
				bars = append(bars, bar{first: math.MaxInt64, at: math.MinInt64, low: math.Inf(1), high: math.Inf(-1)})
			}
			s := &bars[g]
			if tm[i] < s.first {
				s.first, s.open = tm[i], px[i]
			}
			if tm[i] >= s.at {
				s.at, s.last = tm[i], px[i]
			}
			s.high, s.low = max(s.high, px[i]), min(s.low, px[i])
			s.volume += vol[i]
			s.n++
		}
	}
	return len(bars)
}

// BenchmarkCountSum is count and sum per key over a million keys, flushed every 100,000 rows.
func BenchmarkCountSum(b *testing.B) {
	const keys = 1 << 20
	r := rand.New(rand.NewPCG(1, 1))
	var batches []*column.Batch
	for range 256 {
		bl := column.NewBuilder([]types.Type{types.Int8, types.Int8}, 1024)
		for range 1024 {
			bl.Col(0).Ints = append(bl.Col(0).Ints, int64(r.IntN(keys)))
			bl.Col(1).Ints = append(bl.Col(1).Ints, int64(r.IntN(100)))
			bl.Row(column.Insert)
		}
		batches = append(batches, bl.Take())
	}
	in := input(true, nil, types.Int8, types.Int8)
	p := aggPlan(in, []int{0}, []plan.AggCall{call("count", types.Int8), call("sum", types.Numeric, col(1, types.Int8))})
	op, err := Build(p, BuildContext{Shards: 1})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	out := &null{}
	done := 0
	for b.Loop() {
		for k, in := range batches {
			if err := op.Process(0, in, out); err != nil {
				b.Fatal(err)
			}
			if k%32 == 31 {
				if err := op.Barrier(state.Epoch{}, out); err != nil {
					b.Fatal(err)
				}
			}
		}
		done += 256 * 1024
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(done), "ns/row")
}

// BenchmarkJoin joins a stream with a table of n rows, per stream row.
func BenchmarkJoin(b *testing.B) {
	for _, n := range []int{5000, 1 << 20} {
		b.Run(fmt.Sprintf("table=%d", n), func(b *testing.B) {
			r := rand.New(rand.NewPCG(1, 1))
			ts := []types.Type{types.Int8, types.Int8, types.Text}
			fill := func(rows int, key func(i int) int64) []*column.Batch {
				var out []*column.Batch
				for at := 0; at < rows; at += 1024 {
					bl := column.NewBuilder(ts, 1024)
					for i := range min(1024, rows-at) {
						bl.Col(0).Ints = append(bl.Col(0).Ints, int64(at+i))
						bl.Col(1).Ints = append(bl.Col(1).Ints, key(at+i))
						bl.Col(2).AppendBytes([]byte("some text"))
						bl.Row(column.Insert)
					}
					out = append(out, bl.Take())
				}
				return out
			}
			p := &plan.Physical{
				Op: plan.OpJoin, Join: plan.InnerJoin, Keys: []int{1}, RightKeys: []int{1}, EventTime: -1, WindowEnd: -1,
				Inputs: []*plan.Physical{input(true, []int{0}, ts...), input(false, []int{0}, ts...)}, Out: append(schema(ts...), schema(ts...)...),
			}
			table := fill(n, func(i int) int64 { return int64(i) })
			stream := fill(1<<17, func(int) int64 { return int64(r.IntN(n)) })
			b.ReportAllocs()
			out := &null{}
			done := 0
			var op dataflow.Operator
			for b.Loop() {
				b.StopTimer()
				var err error
				if op, err = Build(p, BuildContext{Shards: 1, MemoryBudget: 4 << 30}); err != nil {
					b.Fatal(err)
				}
				for _, in := range table {
					if err := op.Process(1, in, out); err != nil {
						b.Fatal(err)
					}
				}
				b.StartTimer()
				for k, in := range stream {
					if err := op.Process(0, in, out); err != nil {
						b.Fatal(err)
					}
					if k%4 == 3 {
						if err := op.Barrier(state.Epoch{}, out); err != nil {
							b.Fatal(err)
						}
					}
				}
				done += 1 << 17
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(done), "ns/row")
		})
	}
}
