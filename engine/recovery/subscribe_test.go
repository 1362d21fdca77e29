package recovery

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"velostream/engine"
	"velostream/engine/enginetest"
)

// TestSubscribeUnderLoad begins continuous queries while rows come in: each
// gets every row once, those there before it began and those that came after.
// Nothing else reads the relations, so nothing is kept but for it.
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
	stop := make(chan struct{})
	last := make(chan int, 1)
	go func() {
		for i := 0; ; i++ {
			if _, err := w.Exec(ctx, fmt.Sprintf("INSERT INTO t VALUES (%d, %d)", i, i)); err != nil {
				t.Error(err)
				last <- i
				return
			}
			select {
			case <-stop:
				last <- i
				return
			default:
			}
		}
	}()
	const each = 12
	results := make(chan error, 2*each)
	for n := range each {
		for _, rel := range []string{"m", "t"} {
			c := s.Connect()
			go func() { results <- follow(ctx, c, rel) }()
		}
		time.Sleep(time.Duration(n) * time.Millisecond)
	}
	time.Sleep(50 * time.Millisecond)
	close(stop)
	end := <-last
	// The last row tells each subscriber how many there were.
	if _, err := s.Connect().Exec(ctx, fmt.Sprintf("INSERT INTO t VALUES (%d, %d)", end+1, 1<<30)); err != nil {
		t.Fatal(err)
	}
	for range 2 * each {
		if err := <-results; err != nil {
			t.Error(err)
		}
	}
}

// follow reads a relation from now on, to the row that is the last, and checks
// that every row before it came once.
func follow(ctx context.Context, c *pgx.Conn, rel string) error {
	rows, err := c.Query(ctx, "SELECT id, v FROM "+rel+" EMIT CHANGES")
	if err != nil {
		return err
	}
	defer rows.Close()
	seen := map[int]bool{}
	for rows.Next() {
		var id, v int
		if err := rows.Scan(&id, &v); err != nil {
			return err
		}
		if seen[id] {
			return fmt.Errorf("%s: row %d came twice", rel, id)
		}
		seen[id] = true
		if v != 1<<30 {
			continue
		}
		for i := range id {
			if !seen[i] {
				return fmt.Errorf("%s: row %d of %d is missing", rel, i, id)
			}
		}
		return c.Close(ctx)
	}
	return rows.Err()
}
