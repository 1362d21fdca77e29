package recovery

import (
	"context"
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/twmb/franz-go/pkg/kgo"

	"velostream/engine/connector/kafka/kafkatest"
)

// TestPoisonStopsOne: a record that cannot be decoded fails the job that reads
// it, at the record before, and no other; so it stays over a kill. Views over
// the failed one show what it has kept.
func TestPoisonStopsOne(t *testing.T) {
	b := kafkatest.Start(t)
	topic := b.Create("poison", 1)
	cl := b.Client()
	send := func(values ...string) {
		t.Helper()
		for _, v := range values {
			if err := cl.ProduceSync(t.Context(), &kgo.Record{Topic: topic, Value: []byte(v)}).FirstErr(); err != nil {
				t.Fatal(err)
			}
		}
	}
	p := newProcess(t, "--shards", "2", "--checkpoint-interval", "50ms")
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	p.start()
	c := p.mustConnect(ctx)
	exec := func(sql string) {
		t.Helper()
		if _, err := c.Exec(ctx, sql); err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
	}
	for _, mode := range []string{"fail", "skip"} {
		exec(fmt.Sprintf("CREATE STREAM s_%s (id int, k int) WITH (connector = 'kafka', brokers = '%s', topic = '%s', format = 'json', on_error = '%s')", mode, b.Addr, topic, mode))
		exec(fmt.Sprintf("CREATE MATERIALIZED VIEW v_%[1]s AS SELECT k, count(*) AS n FROM s_%[1]s GROUP BY k", mode))
		exec(fmt.Sprintf("CREATE MATERIALIZED VIEW vv_%[1]s AS SELECT count(*) AS g, sum(n) AS n FROM v_%[1]s", mode))
	}
	exec("CREATE TABLE t (id int PRIMARY KEY)")
	exec("CREATE MATERIALIZED VIEW other AS SELECT count(*) AS n FROM t")
	for i := range 20 {
		send(fmt.Sprintf(`{"id":%d,"k":%d}`, i, i%3))
	}
	reaches(ctx, t, c, "SELECT * FROM vv_fail", []string{"3 20"})
	time.Sleep(200 * time.Millisecond) // a checkpoint
	send(`{"id":20,"k":0}`, `{"id":21,"k":"x"}`, `{"id":22,"k":5}`)

	for round := range 3 {
		reaches(ctx, t, c, "SELECT * FROM vv_skip", []string{"4 22"})
		failedSoon(ctx, t, c, "SELECT * FROM v_fail")
		exec(fmt.Sprintf("INSERT INTO t VALUES (%d)", round))
		same(ctx, t, c, "SELECT * FROM other", []string{strconv.Itoa(round + 1)})
		exec("SET read_consistency = 'relaxed'")
		reaches(ctx, t, c, "SELECT g, n BETWEEN 20 AND 21 AS kept FROM vv_fail", []string{"3 t"})
		equal(ctx, t, c, "SELECT * FROM vv_fail", "SELECT count(*) AS g, sum(n) AS n FROM v_fail")
		_ = c.Close(ctx)
		p.kill()
		p.start()
		c = p.mustConnect(ctx)
	}
	_ = c.Close(ctx)
	p.terminate()
}

// failedSoon waits until a strict read says that the job has failed.
func failedSoon(ctx context.Context, t *testing.T, c *pgx.Conn, sql string) {
	t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for {
		_, err := lines(ctx, c, sql)
		if err != nil && sqlState(err) == "55000" {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("the job has not failed: %v", err)
		}
		time.Sleep(10 * time.Millisecond)
	}
}
