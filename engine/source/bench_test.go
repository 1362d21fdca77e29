package source_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"velostream/catalog/types"
	"velostream/engine/connector"
	"velostream/engine/connector/datagen"
	"velostream/engine/connector/file"
	"velostream/engine/connector/kafka/kafkatest"
	"velostream/engine/format"
	"velostream/engine/format/formats"
	"velostream/engine/format/json"
	"velostream/engine/option"
	"velostream/engine/source"
)

var tradeFields = []format.Field{
	{Name: "symbol", Type: types.Text},
	{Name: "trade_id", Type: types.Int8},
	{Name: "price", Type: types.Numeric},
	{Name: "quantity", Type: types.Int8},
	{Name: "side", Type: types.Text},
	{Name: "venue", Type: types.Text},
	{Name: "trader_id", Type: types.Text},
	{Name: "event_time", Type: types.Timestamptz},
}

const benchRecords = 200_000

// trades fills a topic with made-up trades.
func trades(b *testing.B) *kafkatest.Broker {
	c := cluster(b, 1)
	cl := client(b, c, kgo.ProducerBatchMaxBytes(900<<10), kgo.MaxBufferedRecords(benchRecords), kgo.ProducerBatchCompression(kgo.NoCompression()))
	gen := datagen.NewTrades(1, 20)
	for i := range benchRecords {
		v, k := gen.Append(nil, 0, int64(i), 1738326896000000+int64(i)*10)
		cl.Produce(context.Background(), &kgo.Record{Topic: "t", Key: k, Value: v}, nil)
	}
	if err := cl.Flush(context.Background()); err != nil {
		b.Fatal(err)
	}
	return c
}

func cpu() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// report gives wall and CPU time per record, the broker's in it.
func report(b *testing.B, began time.Duration) {
	n := float64(b.N) * benchRecords
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/n, "ns/record")
	b.ReportMetric(float64((cpu()-began).Nanoseconds())/n, "cpu-ns/record")
}

// BenchmarkKafka reads a topic of 150-byte trades: with the client alone, the
// client and the decoder by hand, and through an Input.
func BenchmarkKafka(b *testing.B) {
	c := trades(b)
	consume := func(b *testing.B, each func(*kgo.Record)) {
		began := cpu()
		for b.Loop() {
			cl, err := kgo.NewClient(kgo.SeedBrokers(c.Addr), kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{c.Topic("t"): {0: kgo.NewOffset().AtStart()}}),
				kgo.FetchMaxPartitionBytes(1<<20), kgo.DisableClientMetrics())
			if err != nil {
				b.Fatal(err)
			}
			for n := 0; n < benchRecords; {
				fs := cl.PollFetches(context.Background())
				fs.EachPartition(func(p kgo.FetchTopicPartition) {
					for _, r := range p.Records {
						each(r)
					}
					n += len(p.Records)
				})
			}
			cl.Close()
		}
		report(b, began)
	}
	b.Run("client", func(b *testing.B) { consume(b, func(*kgo.Record) {}) })
	b.Run("hand", func(b *testing.B) {
		d, _ := json.New(tradeFields, json.Options{})
		rows := format.NewRows(tradeFields, 4096)
		consume(b, func(r *kgo.Record) {
			if rows.N == 4096 {
				rows.Reset()
			}
			if err := d.Decode(r.Value, rows); err != nil {
				b.Fatal(err)
			}
		})
	})
	b.Run("input", func(b *testing.B) {
		src := kafkaSource(b, c).(connector.Bounded).Bound()
		began := cpu()
		for b.Loop() {
			d, _ := json.New(tradeFields, json.Options{})
			run(b, source.Options{
				Name: "t", Connector: src, Decoder: d, Fields: tradeFields, RowID: true, Discover: -1, System: []source.System{source.Timestamp},
				Watermark: &source.Watermark{Column: 7, Delay: 3e6},
			})
		}
		report(b, began)
	})
}

func run(b *testing.B, o source.Options) {
	b.Helper()
	in, err := source.New(o)
	if err != nil {
		b.Fatal(err)
	}
	if err := in.Open(context.Background(), nil); err != nil {
		b.Fatal(err)
	}
	rows := 0
	for {
		c, err := in.Next(context.Background())
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			b.Fatal(err)
		}
		rows += c.Batch.N
	}
	if rows != benchRecords {
		b.Fatal(rows)
	}
	if err := in.Close(); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkFile reads lines of a station and a temperature.
func BenchmarkFile(b *testing.B) {
	var text strings.Builder
	for i := range benchRecords {
		fmt.Fprintf(&text, "Station%d;%d.%d\n", i*7919%408, i%40, i%10)
	}
	path := filepath.Join(b.TempDir(), "measurements.txt")
	if err := os.WriteFile(path, []byte(text.String()), 0o666); err != nil {
		b.Fatal(err)
	}
	f := file.Connector()
	o, err := option.Parse([]option.Given{{Name: "path", Value: path}, {Name: "format", Value: "csv_no_header"}, {Name: "delimiter", Value: ";"}}, nil, f.SourceOptions, formats.Options())
	if err != nil {
		b.Fatal(err)
	}
	src, err := f.NewSource(o)
	if err != nil {
		b.Fatal(err)
	}
	fields := []format.Field{{Name: "station", Type: types.Text}, {Name: "temperature", Type: types.Numeric}}
	began := cpu()
	for b.Loop() {
		d, err := formats.NewDecoder("format", o, fields, nil)
		if err != nil {
			b.Fatal(err)
		}
		run(b, source.Options{Name: "m", Connector: src, Decoder: d, Fields: fields, RowID: true, Discover: -1})
	}
	report(b, began)
}

// BenchmarkLatency is the time from producing a record to its row being there.
func BenchmarkLatency(b *testing.B) {
	c := cluster(b, 1)
	cl := client(b, c, kgo.ProducerLinger(0))
	in := open(b, options(b, kafkaSource(b, c)), nil)
	for b.Loop() {
		cl.Produce(context.Background(), &kgo.Record{Topic: "t", Value: []byte(`{"id":1}`)}, nil)
		ids(b, in, 1)
	}
}
