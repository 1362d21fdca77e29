package main

import (
	"context"
	"fmt"
	"syscall"
	"time"
)

// memory measures what the server's process has resident: idle, for each of
// many small jobs, for each idle connection.
func memory(ctx context.Context, b *bench) error {
	s, err := b.startServer(ctx, "memory")
	if err != nil {
		return err
	}
	defer s.stop()
	if err := openFiles(); err != nil {
		return err
	}
	settle := func() float64 { time.Sleep(1500 * time.Millisecond); return s.memory() }
	add := func(work string, v, ship, aim float64) {
		r := row{Work: work, Unit: "MB", Ours: v / 1e6, Against: "target", Other: ship, Ratio: ship * 1e6 / max(v, 1), Ship: 1, Aim: ship / aim}
		r.Spread = [2]float64{r.Ratio, r.Ratio}
		b.add(r)
	}
	idle := settle()
	add("memory, server idle", idle, 80, 40)
	c, err := dial(ctx, s.dsn())
	if err != nil {
		return err
	}
	defer c.Close(context.Background())
	if err := c.exec(ctx, "CREATE TABLE small (id bigint PRIMARY KEY, g bigint, v bigint)"); err != nil {
		return err
	}
	const jobs = 20
	for i := range jobs {
		if err := c.exec(ctx, "CREATE MATERIALIZED VIEW small%d AS SELECT g, count(*) AS n, sum(v) AS s FROM small GROUP BY g", i); err != nil {
			return err
		}
	}
	if err := c.exec(ctx, "INSERT INTO small SELECT g, g %% 100, g FROM generate_series(1, 10000) AS t(g)"); err != nil {
		return err
	}
	for i := range jobs {
		if n, err := c.number(ctx, fmt.Sprintf("SELECT count(*) FROM small%d", i)); err != nil || n != 100 {
			return fmt.Errorf("small%d has %d groups: %w", i, n, err)
		}
	}
	worked := settle()
	add("memory, one small job of 20", (worked-idle)/jobs, 30, 10)
	const conns = 999 // and the one above: as many as a server takes
	for range conns {
		c, err := dial(ctx, s.dsn())
		if err != nil {
			return err
		}
		defer c.Close(context.Background())
		if _, err := c.rows(ctx, "SELECT 1"); err != nil {
			return err
		}
	}
	add("memory, 1,000 idle connections", settle()-worked, 100, 30)
	return nil
}

// openFiles lets this process have as many files open as it may.
func openFiles() error {
	var l syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l); err != nil {
		return err
	}
	l.Cur = l.Max
	return syscall.Setrlimit(syscall.RLIMIT_NOFILE, &l)
}
