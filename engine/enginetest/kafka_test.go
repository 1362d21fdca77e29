package enginetest

import (
	"context"
	"fmt"
	"strconv"
	"testing"
	"time"

	"velostream/engine"
	"velostream/engine/connector/kafka/kafkatest"

	"github.com/twmb/franz-go/pkg/kgo"
)

func TestKafkaWindow(t *testing.T) {
	k := kafkatest.Start(t)
	trades := k.Create("trades", 3)
	cl := k.Client()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	base := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	send := func(i int) {
		v := fmt.Sprintf(`{"symbol":"S%d","price":%d.25,"qty":%d,"ts":"%s"}`, i%2, 100+i%10, i, base.Add(time.Duration(i)*100*time.Millisecond).Format(time.RFC3339Nano))
		if err := cl.ProduceSync(ctx, &kgo.Record{Topic: trades, Key: []byte(strconv.Itoa(i % 5)), Value: []byte(v)}).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 500 {
		send(i)
	}
	s := Start(t, engine.Options{})
	c := s.Connect()
	exec := func(sql string) {
		t.Helper()
		if _, err := c.Exec(ctx, sql); err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
	}
	exec(fmt.Sprintf(`CREATE STREAM trades (symbol text, price numeric(18,2), qty bigint, ts timestamptz, WATERMARK FOR ts AS ts - INTERVAL '2 seconds')
		WITH (connector = 'kafka', brokers = '%s', topic = '%s', format = 'json')`, k.Addr, trades))
	var n int
	if err := c.QueryRow(ctx, "SELECT count(*) FROM trades").Scan(&n); err != nil || n != 500 {
		t.Fatal(n, err)
	}
	exec(`CREATE MATERIALIZED VIEW ohlc AS SELECT window_start, symbol, first_value(price) AS o, max(price) AS h, min(price) AS l, last_value(price) AS c, sum(qty) AS v, count(*) AS n
	  FROM trades WINDOW TUMBLING(ts, 10s) GROUP BY symbol`)
	deadline := time.Now().Add(10 * time.Second)
	for {
		if err := c.QueryRow(ctx, "SELECT coalesce(sum(n), 0)::int FROM ohlc").Scan(&n); err != nil {
			t.Fatal(err)
		}
		if n == 500 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("view has", n)
		}
	}
	rows, err := c.Query(ctx, "SELECT * FROM ohlc ORDER BY window_start, symbol")
	if err != nil {
		t.Fatal(err)
	}
	for rows.Next() {
		v, _ := rows.Values()
		t.Log(v...)
	}
	if rows.Err() != nil {
		t.Fatal(rows.Err())
	}
	exec(fmt.Sprintf(`CREATE STREAM big AS SELECT symbol, price, qty FROM trades WHERE qty > 490 INTO big WITH ('big.connector'='kafka', 'big.brokers'='%s', 'big.topic'='%s', 'big.partitions'='1')`, k.Addr, k.Topic("big")))
	exec("CREATE STREAM closed AS SELECT window_start, symbol, count(*) AS n FROM trades WINDOW TUMBLING(ts, 10s) GROUP BY symbol EMIT FINAL")
	c2 := s.Connect()
	got := make(chan string, 100)
	go func() {
		rows, err := c2.Query(ctx, "SELECT symbol, qty FROM trades WHERE qty >= 600 EMIT CHANGES LIMIT 3")
		if err != nil {
			got <- err.Error()
			return
		}
		for rows.Next() {
			v, _ := rows.Values()
			got <- fmt.Sprint(v...)
		}
		got <- fmt.Sprint("end ", rows.Err())
	}()
	time.Sleep(500 * time.Millisecond)
	for i := 600; i < 610; i++ {
		send(i)
	}
	for range 4 {
		select {
		case g := <-got:
			t.Log("emit", g)
		case <-time.After(5 * time.Second):
			t.Fatal("no row")
		}
	}
	time.Sleep(1500 * time.Millisecond)
	for _, sql := range []string{"SELECT * FROM closed", "SELECT * FROM big", "SHOW JOBS", "SHOW SINKS", "SHOW STREAMS"} {
		rows, err := c.Query(ctx, sql)
		if err != nil {
			t.Fatal(err)
		}
		for rows.Next() {
			v, _ := rows.Values()
			t.Log(v...)
		}
		if rows.Err() != nil {
			t.Fatal(sql, rows.Err())
		}
	}
	if got := len(k.Committed("big")); got != 9+10 {
		t.Errorf("topic big has %d records", got)
	}
}
