package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// latency measures the time from produce, or from INSERT, until the row has
// been read from the socket of a continuous query, with nothing else going on
// and with trades coming at half of what the server can take.
func latency(ctx context.Context, b *bench) error {
	k, err := b.startKafka(ctx)
	if err != nil {
		return err
	}
	defer k.stop()
	s, err := b.startServer(ctx, "latency")
	if err != nil {
		return err
	}
	defer s.stop()
	c, err := dial(ctx, s.dsn())
	if err != nil {
		return err
	}
	defer c.Close(context.Background())
	err = c.exec(ctx, `CREATE STREAM probes (sent bigint, load bigint) WITH (connector = 'kafka', brokers = '%s', topic = 'probes', format = 'json');
		CREATE STREAM events (sent bigint)`, k.addr)
	if err != nil {
		return err
	}
	p := &prober{b: b, s: s, k: k, c: c}
	defer p.close()
	if p.cl, err = kgo.NewClient(kgo.SeedBrokers(k.addr), kgo.ProducerLinger(0), kgo.DefaultProduceTopic("probes"), kgo.MaxBufferedRecords(20_000)); err != nil {
		return err
	}
	direct, err := p.direct(ctx, 0)
	if err != nil {
		return err
	}
	loaded, err := p.direct(ctx, p.half())
	if err != nil {
		return err
	}
	for _, m := range []struct {
		work, sql string
		send      func(ctx context.Context, at int64) error
		load      int
		ship, aim float64
	}{
		{"produce → row, 100/s", "SELECT sent FROM probes WHERE load = 0 EMIT CHANGES", p.produce, 0, 10, 3},
		{"INSERT → row, 100/s", "SELECT sent FROM events EMIT CHANGES", p.insert, 0, 10, 3},
		{"produce → row, half load", "SELECT sent FROM probes WHERE load = 0 EMIT CHANGES", p.produce, p.half(), 50, 15},
	} {
		got, err := p.measure(ctx, m.sql, m.send, m.load)
		if err != nil {
			return fmt.Errorf("%s: %w", m.work, err)
		}
		for _, q := range []struct {
			name string
			at   float64
		}{{"p50", 0.5}, {"p99", 0.99}} {
			v := quantile(got, q.at)
			r := row{Work: m.work + ", " + q.name, Unit: "ms", Ours: v, Against: "target", Other: m.ship, Ratio: m.ship / v, Ship: 1, Aim: m.ship / m.aim}
			if m.load == 0 && q.at == 0.5 {
				r.Against, r.Other, r.Ship, r.Aim = "roofline", quantile(direct, 0.5), 0.1, 0.5
				r.Ratio = r.Other / v
			}
			r.Spread = [2]float64{r.Ratio, r.Ratio}
			b.add(r)
			if m.load > 0 { // no limit: what the broker and the client do by themselves
				r.Work, r.Ours, r.Ship, r.Aim = "the same without a server, "+q.name, quantile(loaded, q.at), 0, 0
				r.Ratio = m.ship / r.Ours
				r.Spread = [2]float64{r.Ratio, r.Ratio}
				b.add(r)
			}
		}
	}
	return nil
}

// prober sends rows that carry the time at which they were sent.
type prober struct {
	b    *bench
	s, k *process
	c    client
	cl   *kgo.Client
}

func (p *prober) close() { p.cl.Close() }

// half is half the rate that the server took trades at in this run, or a
// guess where that was not measured.
func (p *prober) half() int {
	for _, r := range p.b.report.Rows {
		if r.Work == "tumbling OHLCV, EMIT CHANGES" {
			return int(r.Ours / 2)
		}
	}
	return 100_000
}

func (p *prober) produce(ctx context.Context, at int64) error {
	p.cl.Produce(ctx, &kgo.Record{Value: fmt.Appendf(nil, `{"sent":%d,"load":0}`, at)}, nil)
	return nil
}

func (p *prober) insert(ctx context.Context, at int64) error {
	return p.c.exec(ctx, "INSERT INTO events VALUES (%d)", at)
}

// rate of the probes.
const probesPerSecond = 100

// measure runs the continuous query and sends probes; it returns the sorted
// latencies in ms. The first few are for warming up.
func (p *prober) measure(ctx context.Context, sql string, send func(context.Context, int64) error, load int) ([]float64, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	c, err := dial(ctx, p.s.dsn())
	if err != nil {
		return nil, err
	}
	defer c.Close(context.Background())
	const warm = 20
	want := int(p.b.seconds.Seconds()*probesPerSecond) + warm
	got := make(chan []float64, 1)
	go func() {
		var list []float64
		rr := c.Exec(ctx, sql)
		for rr.NextResult() {
			r := rr.ResultReader()
			for len(list) < want && r.NextRow() {
				sent, _ := strconv.ParseInt(string(r.Values()[0]), 10, 64)
				list = append(list, float64(time.Now().UnixNano()-sent)/1e6)
			}
			if len(list) >= want {
				break
			}
		}
		got <- list
	}()
	time.Sleep(300 * time.Millisecond) // the query has begun
	if load > 0 {
		go p.load(ctx, load)
		time.Sleep(500 * time.Millisecond)
	}
	if err := probe(ctx, want, send); err != nil {
		return nil, err
	}
	return collect(got, want, warm)
}

func probe(ctx context.Context, n int, send func(context.Context, int64) error) error {
	next := time.Now()
	for range n {
		next = next.Add(time.Second / probesPerSecond)
		time.Sleep(time.Until(next))
		if err := send(ctx, time.Now().UnixNano()); err != nil {
			return err
		}
	}
	return nil
}

func collect(got <-chan []float64, want, warm int) ([]float64, error) {
	select {
	case list := <-got:
		if len(list) < want {
			return nil, fmt.Errorf("%d rows came, want %d", len(list), want)
		}
		list = list[warm:]
		slices.Sort(list)
		return list, nil
	case <-time.After(20 * time.Second):
		return nil, errors.New("rows did not come")
	}
}

// loadValue is a row that the query does not want.
var loadValue = []byte(`{"sent":1,"load":1,"note":"abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvw"}`)

// load produces rows that the query does not want, rate a second.
func (p *prober) load(ctx context.Context, rate int) {
	cl, err := kgo.NewClient(kgo.SeedBrokers(p.k.addr), kgo.DefaultProduceTopic("probes"), kgo.MaxBufferedRecords(20_000),
		kgo.ProducerBatchCompression(kgo.NoCompression()))
	if err != nil {
		return
	}
	defer cl.Close()
	for tick := time.NewTicker(5 * time.Millisecond); ; {
		select {
		case <-tick.C:
			for range rate / 200 {
				cl.TryProduce(ctx, &kgo.Record{Value: loadValue}, nil)
			}
		case <-ctx.Done():
			tick.Stop()
			return
		}
	}
}

// direct is the latency of the broker and the Kafka client alone, with load
// rows a second that are passed over: what is left of a tail is the machine's.
func (p *prober) direct(ctx context.Context, load int) ([]float64, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	cl, err := kgo.NewClient(kgo.SeedBrokers(p.k.addr), kgo.ConsumeTopics("probes"), kgo.ConsumeResetOffset(kgo.NewOffset().AtEnd()))
	if err != nil {
		return nil, err
	}
	defer cl.Close()
	const warm = 20
	want := int(p.b.seconds.Seconds()*probesPerSecond) + warm
	got := make(chan []float64, 1)
	go func() {
		var list []float64
		for len(list) < want && ctx.Err() == nil {
			cl.PollFetches(ctx).EachRecord(func(r *kgo.Record) {
				if len(list) == want || bytes.HasPrefix(r.Value, loadValue[:len(`{"sent":1,`)]) {
					return
				}
				at, _ := strconv.ParseInt(string(r.Value[len(`{"sent":`):len(`{"sent":`)+19]), 10, 64)
				list = append(list, float64(time.Now().UnixNano()-at)/1e6)
			})
		}
		got <- list
	}()
	time.Sleep(300 * time.Millisecond)
	if load > 0 {
		go p.load(ctx, load)
		time.Sleep(500 * time.Millisecond)
	}
	if err := probe(ctx, want, p.produce); err != nil {
		return nil, err
	}
	return collect(got, want, warm)
}
