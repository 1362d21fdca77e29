package recovery

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/twmb/franz-go/pkg/kgo"

	"velostream/engine/connector/kafka/kafkatest"
)

const (
	tradePartitions = 3
	tradeSymbols    = 5
	tradeDelay      = 2 * time.Second // of the watermark
	tradeWindow     = 10 * time.Second
	bigModulus      = 3 // trades whose id it divides go to the sink
)

// trade is a record in Kafka that was acknowledged.
type trade struct {
	id, qty   int64
	symbol    string
	at        time.Time
	partition int32
	late      bool // far behind every watermark
}

// trades is the load through Kafka and its ledger.
type trades struct {
	broker *kafkatest.Broker
	topic  string
	client *kgo.Client

	mu     sync.Mutex
	r      *rand.Rand
	ledger []trade
	clock  time.Time
	next   int64
	late   bool // late ones may be sent
}

var tradeBase = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func newTrades(t *testing.T, seed uint64) *trades {
	b := kafkatest.Start(t)
	k := &trades{
		broker: b, topic: b.Create("trades", tradePartitions), r: rand.New(rand.NewPCG(seed, 1)), clock: tradeBase,
		client: b.Client(kgo.RecordPartitioner(kgo.ManualPartitioner())),
	}
	return k
}

// statements define what reads the trades.
func (k *trades) statements() []string {
	with := fmt.Sprintf("connector = 'kafka', brokers = '%s', topic = '%s', format = 'json'", k.broker.Addr, k.topic)
	return []string{
		`CREATE STREAM trades (id bigint, symbol text, qty bigint, price numeric(18,2), ts timestamptz, WATERMARK FOR ts AS ts - INTERVAL '2 seconds')
			WITH (` + with + `, watermark.idle_timeout = '1h')`,
		`CREATE MATERIALIZED VIEW by_symbol AS SELECT symbol, count(*) AS n, sum(qty) AS q, min(id) AS lo, max(id) AS hi, sum(price) AS p FROM trades GROUP BY symbol`,
		`CREATE MATERIALIZED VIEW win AS SELECT window_start AS ws, symbol, count(*) AS n, sum(qty) AS q FROM trades WINDOW TUMBLING(ts, 10s) GROUP BY symbol EMIT CHANGES`,
		`CREATE STREAM closed AS SELECT window_start AS ws, symbol, count(*) AS n, sum(qty) AS q FROM trades WINDOW TUMBLING(ts, 10s) GROUP BY symbol EMIT FINAL`,
		`CREATE MATERIALIZED VIEW closed_total AS SELECT symbol, count(*) AS n, sum(q) AS q FROM closed GROUP BY symbol`,
		fmt.Sprintf(`CREATE STREAM big AS SELECT id, symbol, qty FROM trades WHERE id %% %d = 0 INTO big_out
			WITH ('big_out.connector' = 'kafka', 'big_out.brokers' = '%s', 'big_out.topic' = '%s', 'big_out.format' = 'json', 'big_out.partitions' = '2', 'big_out.replication.factor' = '1')`,
			bigModulus, k.broker.Addr, k.broker.Topic("big")),
	}
}

const tradeJobs = 5

// produce sends records until ctx ends; it returns once all are acknowledged.
func (k *trades) produce(ctx context.Context, t *testing.T) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for ctx.Err() == nil {
		k.batch(t, 1+k.r.IntN(25), false)
		time.Sleep(time.Duration(k.r.IntN(4)) * time.Millisecond)
	}
}

// batch sends n records. REQUIRES: k.mu is held.
func (k *trades) batch(t *testing.T, n int, late bool) {
	var made []trade
	var records []*kgo.Record
	for range n {
		k.next++
		k.clock = k.clock.Add(20 * time.Millisecond)
		tr := trade{
			id: k.next, qty: k.r.Int64N(1000), symbol: "S" + strconv.Itoa(k.r.IntN(tradeSymbols)), partition: k.r.Int32N(tradePartitions),
			at: k.clock.Add(-time.Duration(k.r.IntN(1000)) * time.Millisecond),
		}
		if late || k.late && k.r.IntN(50) == 0 {
			tr.late, tr.at = true, tradeBase.Add(-time.Duration(1+k.r.IntN(3600))*time.Second)
		}
		made = append(made, tr)
		records = append(records, &kgo.Record{Topic: k.topic, Partition: tr.partition, Value: fmt.Appendf(nil,
			`{"id":%d,"symbol":%q,"qty":%d,"price":%d.%02d,"ts":%q}`, tr.id, tr.symbol, tr.qty, tr.qty, tr.id%100, tr.at.Format(time.RFC3339Nano))})
	}
	if err := k.client.ProduceSync(context.Background(), records...).FirstErr(); err != nil {
		t.Errorf("kafka: %v", err)
		return
	}
	k.ledger = append(k.ledger, made...)
}

// lateFirst sends late records to all partitions, before anything else.
func (k *trades) lateFirst(t *testing.T) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.late {
		k.batch(t, 6, true)
	}
}

type tradeSum struct{ n, q, lo, hi, cents int64 }

func (s tradeSum) add(t trade) tradeSum {
	if s.n == 0 || t.id < s.lo {
		s.lo = t.id
	}
	s.hi = max(s.hi, t.id)
	return tradeSum{s.n + 1, s.q + t.qty, s.lo, s.hi, s.cents + t.qty*100 + t.id%100}
}

// check compares all views, and the sink's topic, with the ledger.
func (k *trades) check(ctx context.Context, t *testing.T, c *pgx.Conn) {
	t.Helper()
	k.mu.Lock()
	defer k.mu.Unlock()
	symbols := map[string]tradeSum{}
	type group struct {
		end    time.Time
		symbol string
	}
	windows := map[group]tradeSum{}
	newest := make([]time.Time, tradePartitions)
	var big []string
	for _, tr := range k.ledger {
		symbols[tr.symbol] = symbols[tr.symbol].add(tr)
		if tr.id%bigModulus == 0 {
			big = append(big, fmt.Sprintf(`{"id":%d,"symbol":%q,"qty":%d}`, tr.id, tr.symbol, tr.qty))
		}
		if tr.late {
			continue
		}
		g := group{tr.at.Truncate(tradeWindow).Add(tradeWindow), tr.symbol}
		windows[g] = windows[g].add(tr)
		if p := &newest[tr.partition]; tr.at.After(*p) {
			*p = tr.at
		}
	}
	mark := newest[0]
	for _, n := range newest {
		if n.Before(mark) {
			mark = n
		}
	}
	mark = mark.Add(-tradeDelay)
	var bySymbol, win, closed []string
	for s, v := range symbols {
		bySymbol = append(bySymbol, fmt.Sprintf("%s %d %d %d %d %d.%02d", s, v.n, v.q, v.lo, v.hi, v.cents/100, v.cents%100))
	}
	for g, v := range windows {
		row := fmt.Sprintf("%s %s %d %d", g.end.Add(-tradeWindow).Format("2006-01-02 15:04:05+00"), g.symbol, v.n, v.q)
		win = append(win, row)
		if !g.end.After(mark) {
			closed = append(closed, row)
		}
	}
	reaches(ctx, t, c, "SELECT * FROM by_symbol", bySymbol)
	same(ctx, t, c, "SELECT symbol, count(*) AS n, sum(qty) AS q, min(id) AS lo, max(id) AS hi, sum(price) AS p FROM trades GROUP BY symbol", bySymbol)
	reaches(ctx, t, c, "SELECT * FROM win", win)
	reaches(ctx, t, c, "SELECT * FROM closed", closed)
	totals, err := lines(ctx, c, "SELECT symbol, count(*) AS n, sum(q) AS q FROM closed GROUP BY symbol")
	if err != nil {
		t.Fatal(err)
	}
	reaches(ctx, t, c, "SELECT * FROM closed_total", totals)
	k.checkSink(t, big)
}

// checkSink waits until the sink's topic holds exactly want.
func (k *trades) checkSink(t *testing.T, want []string) {
	t.Helper()
	deadline := time.Now().Add(catchUp)
	for {
		var got []string
		for _, r := range k.broker.Committed("big") {
			got = append(got, string(r.Value))
		}
		d := diff(sorted(got), sorted(want))
		if d == "" {
			return
		}
		if len(got) > len(want) || time.Now().After(deadline) {
			t.Fatalf("topic of the sink: %s", d)
		}
		time.Sleep(20 * time.Millisecond)
	}
}
