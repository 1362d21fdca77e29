package recovery

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// catchUp is how long a view may take to reach what the ledger has.
const catchUp = 30 * time.Second

// lines runs a query and returns its rows as sorted lines of text.
func lines(ctx context.Context, c *pgx.Conn, sql string) ([]string, error) {
	rows, err := c.Query(ctx, sql, pgx.QueryExecModeSimpleProtocol)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", sql, err)
	}
	defer rows.Close()
	var out []string
	for rows.Next() {
		var line []string
		for _, v := range rows.RawValues() {
			if v == nil {
				line = append(line, "-")
			} else {
				line = append(line, string(v))
			}
		}
		out = append(out, strings.Join(line, " "))
	}
	if rows.Err() != nil {
		return nil, fmt.Errorf("%s: %w", sql, rows.Err())
	}
	slices.Sort(out)
	return out, nil
}

// same checks that a query returns exactly want, at once.
func same(ctx context.Context, t *testing.T, c *pgx.Conn, sql string, want []string) {
	t.Helper()
	got, err := lines(ctx, c, sql)
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(want)
	if d := diff(got, want); d != "" {
		t.Fatalf("%s:\n%s", sql, d)
	}
}

// reaches waits until a query returns exactly want.
func reaches(ctx context.Context, t *testing.T, c *pgx.Conn, sql string, want []string) {
	t.Helper()
	slices.Sort(want)
	deadline := time.Now().Add(catchUp)
	for pause := time.Millisecond; ; pause = min(2*pause, 50*time.Millisecond) {
		got, err := lines(ctx, c, sql)
		if err != nil {
			t.Fatal(err)
		}
		d := diff(got, want)
		if d == "" {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s, after %v:\n%s", sql, catchUp, d)
		}
		time.Sleep(pause)
	}
}

// equal checks that two queries return the same rows.
func equal(ctx context.Context, t *testing.T, c *pgx.Conn, a, b string) {
	t.Helper()
	want, err := lines(ctx, c, b)
	if err != nil {
		t.Fatal(err)
	}
	same(ctx, t, c, a, want)
}

// diff tells the first differences of two sorted lists, "" when there are none.
func diff(got, want []string) string {
	if slices.Equal(got, want) {
		return ""
	}
	count := map[string]int{}
	for _, l := range got {
		count[l]++
	}
	for _, l := range want {
		count[l]--
	}
	var out []string
	for l, n := range count {
		switch {
		case n > 0:
			out = append(out, fmt.Sprintf("  too much  %s (%d times)", l, n))
		case n < 0:
			out = append(out, fmt.Sprintf("  missing   %s (%d times)", l, -n))
		}
	}
	slices.Sort(out)
	all := len(out)
	return fmt.Sprintf("%d rows, want %d; %d differ:\n%s", len(got), len(want), all, strings.Join(out[:min(all, 12)], "\n"))
}

// running checks that every job runs.
func running(ctx context.Context, t *testing.T, c *pgx.Conn, jobs int) {
	t.Helper()
	rows, err := lines(ctx, c, "SHOW JOBS")
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) < jobs {
		t.Fatalf("%d jobs, want %d:\n%s", len(rows), jobs, strings.Join(rows, "\n"))
	}
	for _, r := range rows {
		if strings.Contains(r, "failed") || strings.Contains(r, "retrying") {
			t.Fatalf("job failed:\n%s", strings.Join(rows, "\n"))
		}
	}
}
