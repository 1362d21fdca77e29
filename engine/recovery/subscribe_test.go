package recovery

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"velostream/engine"
	"velostream/engine/enginetest"
)

// TestSubscribeUnderLoad begins continuous queries while rows come in, one at
// a time: each gets every row once, those there before it began and those that
// came after. Nothing else reads the relations, so nothing is kept but for it.
func TestSubscribeUnderLoad(t *testing.T) {
	s := enginetest.Start(t, engine.Options{Shards: 2, EpochInterval: time.Millisecond, CheckpointInterval: 20 * time.Millisecond})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	w := s.Connect()
	for _, sql := range []string{
		"CREATE TABLE t (id int PRIMARY KEY, v int)",
		"CREATE MATERIALIZED VIEW m AS SELECT id, v FROM t WHERE v >= 0",
	} {
		if _, err := w.Exec(ctx, sql); err != nil {
			t.Fatal(err)
		}
	}
	var inserted atomic.Int64
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for i := int64(0); ; i++ {
			if _, err := w.Exec(ctx, fmt.Sprintf("INSERT INTO t VALUES (%d, %d)", i, i)); err != nil {
				t.Error(err)
				return
			}
			inserted.Store(i + 1)
			select {
			case <-stop:
				return
			default:
			}
		}
	}()
	for n := range 60 {
		if err := follow(ctx, s.DSN(), []string{"m", "t"}[n%2], &inserted); err != nil {
			t.Error(err)
			break
		}
	}
	close(stop)
	<-done
}

// follow reads a relation from now on until it has 30 rows more than there are,
// none of them missing.
func follow(ctx context.Context, dsn, rel string, inserted *atomic.Int64) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	c, err := pgx.Connect(ctx, dsn)
	if err != nil {
		return err
	}
	defer func() { _ = c.Close(context.WithoutCancel(ctx)) }()
	target := int(inserted.Load()) + 30
	rows, err := c.Query(ctx, "SELECT id FROM "+rel+" EMIT CHANGES")
	if err != nil {
		return err
	}
	defer rows.Close()
	seen, below := map[int]bool{}, 0
	for below < target {
		if !rows.Next() {
			return fmt.Errorf("%s: %d of the first %d rows came, of %d: %w", rel, below, target, inserted.Load(), rows.Err())
		}
		var id int
		if err := rows.Scan(&id); err != nil {
			return err
		}
		if seen[id] {
			return fmt.Errorf("%s: row %d came twice", rel, id)
		}
		seen[id] = true
		if id < target {
			below++
		}
	}
	cancel()
	return nil
}
