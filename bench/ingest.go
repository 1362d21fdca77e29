package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"time"

	"velostream/bench/roofline"
)

const createTrades = `CREATE STREAM trades (id bigint, symbol text, price numeric(18,2), qty bigint, side text, ord bigint, account bigint, ts timestamptz,
	WATERMARK FOR ts AS ts - INTERVAL '2 seconds') WITH (connector = 'kafka', brokers = '%s', topic = 'trades', format = 'json')`

const ohlcv = `SELECT window_start, symbol, first_value(price) AS o, max(price) AS h, min(price) AS l, last_value(price) AS c, sum(qty) AS v, count(*) AS n
	FROM trades WINDOW TUMBLING(ts, 1m) GROUP BY symbol EMIT `

// job is a query over the trades beside its roofline.
type ingestJob struct {
	name, work string
	sql        string // creates it
	drop       string
	// done is a query on the result, which waits for it to be complete, and
	// want its answer; "" waits for the job's sink.
	done      string
	want      int
	ship, aim float64
	roofline  func() roofline.Work
}

func ingestJobs(dir string, n int) []ingestJob {
	big, rare := 0, 0
	for i := range n {
		switch q := quantity(i); {
		case q > 498:
			rare++
			fallthrough
		case q > 250:
			big++
		}
	}
	only := func(w roofline.Work, _ *roofline.Groups) roofline.Work { return w }
	return []ingestJob{
		{
			"flt", "filter, project → null sink", `CREATE STREAM flt AS SELECT symbol, price * qty AS value FROM trades WHERE qty > 250
			INTO hole WITH ('hole.connector' = 'blackhole')`, "DROP STREAM flt CASCADE", "", big, 0.5, 0.8,
			func() roofline.Work { w, _ := roofline.FilterProject(); return w },
		},
		{
			"fltview", "filter (2 in 500), project → view", `CREATE MATERIALIZED VIEW fltview AS SELECT symbol, price * qty AS value FROM trades WHERE qty > 498`,
			"DROP MATERIALIZED VIEW fltview", "SELECT count(*) FROM fltview", rare, 0.5, 0.8,
			func() roofline.Work { w, _ := roofline.FilterProject(); return w },
		},
		{
			"changes", "tumbling OHLCV, EMIT CHANGES", "CREATE MATERIALIZED VIEW changes AS " + ohlcv + "CHANGES",
			"DROP MATERIALIZED VIEW changes", "SELECT sum(n)::bigint FROM changes", n, 0.4, 0.7,
			func() roofline.Work { return only(roofline.Tumbling(false)) },
		},
		{
			"final", "tumbling OHLCV, EMIT FINAL", "CREATE MATERIALIZED VIEW final AS " + ohlcv + "FINAL",
			"DROP MATERIALIZED VIEW final", "SELECT coalesce(sum(n), 0)::bigint FROM final", closedTrades(n), 0.4, 0.7,
			func() roofline.Work { return only(roofline.Tumbling(true)) },
		},
		{
			"keys", "GROUP BY 1 M keys, a checkpoint a second", "CREATE MATERIALIZED VIEW keys AS SELECT ord, count(*) AS n, sum(qty) AS v FROM trades GROUP BY ord",
			"DROP MATERIALIZED VIEW keys", "SELECT sum(n)::bigint FROM keys", n, 0.3, 0.6,
			func() roofline.Work { return only(roofline.ManyKeys(filepath.Join(dir, "roofline.keys"))) },
		},
		{
			"joined", "join with a table of 5,000 rows", `CREATE MATERIALIZED VIEW joined AS SELECT a.region, count(*) AS n, sum(t.qty) AS v
			FROM trades t JOIN accounts a ON t.account = a.account GROUP BY a.region`,
			"DROP MATERIALIZED VIEW joined", "SELECT sum(n)::bigint FROM joined", n, 0.3, 0.6,
			func() roofline.Work { return only(roofline.Join(accounts)) },
		},
		{
			"looked", "look-up in a table of 5,000 rows", `CREATE MATERIALIZED VIEW looked AS SELECT a.region, count(*) AS n, sum(t.qty) AS v
			FROM trades t JOIN accounts FOR SYSTEM_TIME AS OF PROCTIME() AS a ON t.account = a.account GROUP BY a.region`,
			"DROP MATERIALIZED VIEW looked", "SELECT sum(n)::bigint FROM looked", n, 0.3, 0.6,
			func() roofline.Work { return only(roofline.Join(accounts)) },
		},
	}
}

// ingest runs queries over the trades in Kafka.
func ingest(ctx context.Context, b *bench) error {
	k, err := b.startKafka(ctx)
	if err != nil {
		return err
	}
	defer k.stop()
	s, err := b.startServer(ctx, "ingest")
	if err != nil {
		return err
	}
	defer s.stop()
	c, err := dial(ctx, s.dsn())
	if err != nil {
		return err
	}
	defer c.Close(context.Background())
	if err := c.exec(ctx, createTrades, k.addr); err != nil {
		return err
	}
	if err := c.exec(ctx, `CREATE TABLE accounts (account bigint PRIMARY KEY, region bigint);
		INSERT INTO accounts SELECT g, g %% 20 FROM generate_series(0, %d) AS t(g)`, accounts-1); err != nil {
		return err
	}
	for _, j := range ingestJobs(b.tmp, b.trades) {
		if !b.part("ingest", j.name) {
			continue
		}
		if err := b.ingestJob(ctx, c, s, k, j); err != nil {
			return fmt.Errorf("%s: %w", j.name, err)
		}
	}
	return nil
}

func (b *bench) ingestJob(ctx context.Context, c client, s, k *process, j ingestJob) error {
	ours := func() (sample, error) {
		m, err := timed(s.cpu, func() error {
			if err := c.exec(ctx, "%s", j.sql); err != nil {
				return err
			}
			if err := b.wait(ctx, c, j.name); err != nil {
				return err
			}
			return j.finish(ctx, c)
		})
		return m, errors.Join(err, c.exec(ctx, "%s", j.drop))
	}
	hand := func() (sample, error) {
		return timed(ownTime, func() error { return roofline.Consume(ctx, k.addr, "trades", b.trades, j.roofline()) })
	}
	list, err := pairs(b.reps, ours, hand)
	if err != nil {
		return err
	}
	r := rates(j.work, "/s", "roofline", b.trades, list, true)
	r.Ship, r.Aim = j.ship, j.aim
	b.add(r)
	return nil
}

// wait waits until the job has taken all trades.
func (b *bench) wait(ctx context.Context, c client, name string) error {
	for end := time.Now().Add(2 * time.Minute); time.Now().Before(end); {
		rows, err := c.rows(ctx, "SELECT rows_in, error FROM velo_catalog.jobs WHERE name = '"+name+"'")
		if err != nil {
			return err
		}
		if len(rows) == 1 {
			if msg := string(rows[0][1]); msg != "" {
				return errors.New(msg)
			}
			if n, err := strconv.Atoi(string(rows[0][0])); err == nil && n >= b.trades {
				return nil
			}
		}
		time.Sleep(10 * time.Millisecond)
	}
	return errors.New("not all trades were taken in two minutes")
}

// finish waits until the result is complete, and checks it.
func (j *ingestJob) finish(ctx context.Context, c client) error {
	if j.done != "" { // what was read counts tables too, and a window closes when its watermark comes
		var n int64
		var err error
		for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(time.Millisecond) {
			if n, err = c.number(ctx, j.done); err == nil && n == int64(j.want) {
				return nil
			}
		}
		return errors.Join(err, fmt.Errorf("%s: %d, want %d", j.done, n, j.want))
	}
	for end := time.Now().Add(time.Minute); time.Now().Before(end); {
		rows, err := c.rows(ctx, "SHOW SINKS")
		if err != nil {
			return err
		}
		if len(rows) == 1 && string(rows[0][4]) == strconv.Itoa(j.want) {
			return nil
		}
		time.Sleep(10 * time.Millisecond)
	}
	return fmt.Errorf("the sink has not written %d rows in a minute", j.want)
}

// closedTrades is how many trades are in the windows that the watermark of all
// partitions has passed.
func closedTrades(n int) int {
	least := n
	for p := range partitions {
		// The last trade of partition p.
		for i := n - 1; ; i-- {
			if i/1024%partitions == p {
				least = min(least, i)
				break
			}
		}
	}
	const perMinute = 600_000
	return (least - 20_000) / perMinute * perMinute
}
