package recovery

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// TestKillLateRows kills the server while rows come, each third of them late: each of those is
// a dead letter once, all others are in the view once.
func TestKillLateRows(t *testing.T) {
	r := rand.New(rand.NewPCG(seed(t), 3))
	p := newProcess(t)
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	p.start(pace(r)...)
	c := p.mustConnect(ctx)
	for _, sql := range []string{
		"CREATE STREAM s (id int, k int, ts timestamp, WATERMARK FOR ts AS ts - INTERVAL '2 seconds')",
		"CREATE MATERIALIZED VIEW live AS SELECT window_start, k, count(*) AS n, max(id) AS id FROM s WINDOW TUMBLING(10s) GROUP BY k LATE ROWS dead_letter",
		"CREATE STREAM closed AS SELECT id, k FROM s WINDOW TUMBLING(10s) LATE ROWS dead_letter",
	} {
		if _, err := c.Exec(ctx, sql); err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
	}
	_ = c.Close(ctx)
	p.kill()
	id := 0
	p.killWhile(ctx, t, r, 1500*time.Millisecond, checkLate, func(ctx context.Context, c *pgx.Conn) error {
		id++
		at := time.Date(2026, 1, 1, 0, 0, id, 0, time.UTC)
		if id%3 == 0 {
			at = at.Add(-time.Hour)
		}
		_, err := c.Exec(ctx, fmt.Sprintf("INSERT INTO s VALUES (%d, %d, '%s')", id, id%7, at.Format("2006-01-02 15:04:05")))
		return err
	})
	p.start()
	c = p.mustConnect(ctx)
	checkLate(ctx, t, c)
	_ = c.Close(ctx)
	p.terminate()
}

// TestKillBeforeCheckpoint kills the server when rows have come after CREATE and no checkpoint
// is due: the jobs begin where they began, and the late rows among those are late.
func TestKillBeforeCheckpoint(t *testing.T) {
	p := newProcess(t)
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	p.start("--checkpoint-interval", "1h")
	c := p.mustConnect(ctx)
	for _, sql := range []string{
		"CREATE STREAM s (id int, k int, ts timestamp, WATERMARK FOR ts AS ts - INTERVAL '2 seconds')",
		"CREATE MATERIALIZED VIEW live AS SELECT window_start, k, count(*) AS n, max(id) AS id FROM s WINDOW TUMBLING(10s) GROUP BY k LATE ROWS dead_letter",
		"CREATE STREAM closed AS SELECT id, k FROM s WINDOW TUMBLING(10s) LATE ROWS dead_letter",
		"INSERT INTO s VALUES (1, 1, '2026-01-01 12:00:00'), (2, 1, '2026-01-01 12:00:01')",
		"INSERT INTO s VALUES (3, 1, '2026-01-01 11:00:00')",
	} {
		if _, err := c.Exec(ctx, sql); err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
	}
	_ = c.Close(ctx)
	p.kill()
	p.start()
	c = p.mustConnect(ctx)
	checkLate(ctx, t, c)
	_ = c.Close(ctx)
	p.terminate()
}

// checkLate compares the dead letters with what the stream holds. They come with the next
// checkpoint.
func checkLate(ctx context.Context, t *testing.T, c *pgx.Conn) {
	t.Helper()
	one := func(sql string) string {
		t.Helper()
		var s *string
		if err := c.QueryRow(ctx, sql).Scan(&s); err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
		if s == nil {
			return ""
		}
		return *s
	}
	want := one("SELECT string_agg(id::text, ' ' ORDER BY id) FROM s WHERE id % 3 = 0")
	if n, all := one("SELECT coalesce(sum(n), 0)::text FROM live"), one("SELECT count(*)::text FROM s WHERE id % 3 <> 0"); n != all {
		t.Errorf("%s rows in the view, want %s", n, all)
	}
	for _, name := range []string{"live", "closed"} {
		sql := fmt.Sprintf("SELECT string_agg(record->>'id', ' ' ORDER BY (record->>'id')::int) FROM %s_dead_letters", name)
		got := one(sql)
		for range 100 {
			if got == want {
				break
			}
			time.Sleep(50 * time.Millisecond)
			got = one(sql)
		}
		if got != want {
			t.Errorf("%s: %d dead letters, want %d\n%s\n%s", name, len(strings.Fields(got)), len(strings.Fields(want)), got, want)
		}
		ids := strings.Fields(got)
		if slices.Sort(ids); len(slices.Compact(ids)) != len(strings.Fields(got)) {
			t.Errorf("%s: a row is there twice", name)
		}
	}
}
