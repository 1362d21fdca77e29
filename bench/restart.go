package main

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// restart kills the server that keeps a view of many keys, and measures the
// time from its start until it answered a query of the view rightly.
func restart(ctx context.Context, b *bench) error {
	n := b.keys
	s, err := b.startServer(ctx, "restart")
	if err != nil {
		return err
	}
	defer func() { _ = s.stop() }()
	if err := b.fillRestart(ctx, s, n); err != nil {
		return err
	}
	var one, all []float64
	for range b.reps {
		s.kill()
		if s, err = b.startServer(ctx, "restart"); err != nil {
			return err
		}
		c, err := dial(ctx, s.dsn())
		if err != nil {
			return err
		}
		v, err := c.number(ctx, "SELECT s FROM totals WHERE k = 4242")
		if err != nil || v != 8485 {
			return errors.Join(err, fmt.Errorf("sum is %d, want 8485", v))
		}
		one = append(one, time.Since(s.start).Seconds())
		v, err = c.number(ctx, "SELECT count(*) FROM totals WHERE c = 1")
		if err != nil || v != int64(n) {
			return errors.Join(err, fmt.Errorf("%d keys, want %d", v, n))
		}
		all = append(all, time.Since(s.start).Seconds())
		_ = c.Close(ctx)
	}
	for _, m := range []struct {
		work      string
		v         []float64
		ship, aim float64
	}{{"restart → first answer", one, 1, 0.3}, {"restart → all keys counted", all, 3, 1}} {
		v := median(m.v)
		r := row{Work: m.work, Unit: "s", Ours: v, Against: "target", Other: m.ship, Ratio: m.ship / v, Ship: 1, Aim: m.ship / m.aim}
		r.Spread = [2]float64{m.ship / m.v[len(m.v)-1], m.ship / m.v[0]}
		b.add(r)
	}
	return nil
}

// fillRestart makes a table of n rows and a view that groups them by key.
func (b *bench) fillRestart(ctx context.Context, s *process, n int) error {
	c, err := dial(ctx, s.dsn())
	if err != nil {
		return err
	}
	defer c.Close(context.Background())
	if err := c.exec(ctx, `CREATE TABLE facts (k bigint PRIMARY KEY, v bigint);
		CREATE MATERIALIZED VIEW totals AS SELECT k, sum(v)::bigint AS s, count(*) AS c FROM facts GROUP BY k`); err != nil {
		return err
	}
	for from := 0; from < n; from += 100_000 {
		if err := c.exec(ctx, "INSERT INTO facts SELECT g, g * 2 + 1 FROM generate_series(%d, %d) AS t(g)", from, min(n, from+100_000)-1); err != nil {
			return err
		}
	}
	got, err := c.number(ctx, "SELECT count(*) FROM totals WHERE c = 1")
	if err != nil || got != int64(n) {
		return errors.Join(err, fmt.Errorf("the view has %d keys, want %d", got, n))
	}
	time.Sleep(2500 * time.Millisecond) // a checkpoint has been made
	return nil
}
