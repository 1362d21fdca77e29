package roofline

import (
	"context"
	"math"
	"os"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// Work is what is done with each batch of trades, and at the end of an epoch.
type Work struct {
	Want  Want
	Batch func(t *Trades)
	// Epoch is called each Every.
	Epoch func() error
	Every time.Duration
}

// Consume reads n trades of the topic from its beginning and does the work.
func Consume(ctx context.Context, broker, topic string, n int, w Work) error {
	cl, err := kgo.NewClient(kgo.SeedBrokers(broker), kgo.ConsumeTopics(topic),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.FetchMaxPartitionBytes(1<<20), kgo.FetchMaxWait(100*time.Millisecond))
	if err != nil {
		return err
	}
	defer cl.Close()
	t := &Trades{Symbols: NewDictionary()}
	last := time.Now()
	for n > 0 {
		f := cl.PollFetches(ctx)
		if err := f.Err0(); err != nil {
			return err
		}
		var failed error
		f.EachPartition(func(p kgo.FetchTopicPartition) {
			for from := 0; from < len(p.Records) && failed == nil; from += 1024 {
				part := p.Records[from:min(from+1024, len(p.Records))]
				t.Reset()
				for _, r := range part {
					if failed = t.Decode(r.Value, w.Want); failed != nil {
						return
					}
				}
				w.Batch(t)
				n -= len(part)
			}
		})
		if failed != nil {
			return failed
		}
		if w.Epoch != nil && (time.Since(last) >= w.Every || n <= 0) {
			last = time.Now()
			if err := w.Epoch(); err != nil {
				return err
			}
		}
	}
	return nil
}

// FilterProject keeps symbol and price times quantity of big trades.
func FilterProject() (Work, func() int) {
	var symbol []uint32
	var value []int64
	kept := 0
	return Work{Want: Symbol | Price | Qty, Batch: func(t *Trades) {
		symbol, value = symbol[:0], value[:0]
		for i, q := range t.Qty {
			if q > 250 {
				symbol, value = append(symbol, t.Symbol[i]), append(value, t.Price[i]*q)
			}
		}
		kept += len(value)
	}}, func() int { return kept }
}

const minute = 60_000_000

// Tumbling keeps open, high, low, close, volume and count by symbol and minute.
// With final a window is given out once, when the watermark has passed it,
// else whatever changed each 20 ms.
func Tumbling(final bool) (Work, *Groups) {
	g := NewGroups(1024)
	var out []byte
	mark, closed := int64(math.MinInt64), int64(math.MinInt64)
	return Work{
		Want: Symbol | Price | Qty | Time, Every: 20 * time.Millisecond,
		Batch: func(t *Trades) {
			for i, at := range t.Time {
				window := at / minute
				s := g.At(window<<20 | int64(t.Symbol[i]))
				p := t.Price[i]
				if s.Count == 0 {
					s.Open, s.High, s.Low = p, p, p
				}
				s.High, s.Low, s.Close = max(s.High, p), min(s.Low, p), p
				s.Volume += t.Qty[i]
				s.Count++
				mark = max(mark, at)
			}
		},
		Epoch: func() error {
			if !final {
				out = g.Changes(out[:0])
				return nil
			}
			if w := (mark - 2_000_000) / minute; w > closed {
				closed = w
				out = out[:0]
				g.Each(func(s *Group) {
					if s.Key>>20 < w {
						out = append(out, byte(s.Count))
					}
				})
			}
			return nil
		},
	}, g
}

// ManyKeys counts and sums by order number, and writes what changed to a file
// each second, synced: a checkpoint.
func ManyKeys(path string) (Work, *Groups) {
	g := NewGroups(1 << 20)
	var out []byte
	return Work{
		Want: Order | Qty, Every: time.Second,
		Batch: func(t *Trades) {
			for i, k := range t.Order {
				s := g.At(k)
				s.Volume += t.Qty[i]
				s.Count++
			}
		},
		Epoch: func() error {
			out = g.Changes(out[:0])
			f, err := os.Create(path)
			if err != nil {
				return err
			}
			defer f.Close()
			if _, err := f.Write(out); err != nil {
				return err
			}
			return f.Sync()
		},
	}, g
}

// Join looks each trade's account up among accounts and sums the volume by
// what is found there.
func Join(accounts int) (Work, *Groups) {
	table := NewGroups(accounts)
	for i := range accounts {
		table.At(int64(i)).Open = int64(i % 20)
	}
	g := NewGroups(32)
	var out []byte
	return Work{
		Want: Account | Qty, Every: 20 * time.Millisecond,
		Batch: func(t *Trades) {
			for i, a := range t.Account {
				s := g.At(table.At(a).Open)
				s.Volume += t.Qty[i]
				s.Count++
			}
		},
		Epoch: func() error { out = g.Changes(out[:0]); return nil },
	}, g
}
