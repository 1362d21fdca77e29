package enginetest

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"velostream/engine"
)

// TestOverStream: over a stream with EMIT CHANGES each row leaves once, when it comes, with
// the window functions over the rows so far; out-of-order rows see those before them in
// the order that have come.
func TestOverStream(t *testing.T) {
	s := Start(t, engine.Options{})
	c, w := s.Connect(), s.Connect()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if _, err := w.Exec(ctx, "CREATE STREAM s (k text, n int, v numeric)"); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Exec(ctx, "BEGIN"); err != nil {
		t.Fatal(err)
	}
	_, err := c.Exec(ctx, `DECLARE q CURSOR FOR SELECT concat_ws(' ', k, n, row_number() OVER w, sum(v) OVER w, coalesce(lag(n) OVER w, -1),
		sum(v) OVER (PARTITION BY k ORDER BY n ROWS 1 PRECEDING)) FROM s WINDOW w AS (PARTITION BY k ORDER BY n) EMIT CHANGES`)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Exec(ctx, "INSERT INTO s VALUES ('a', 1, 1.5), ('a', 3, 2), ('b', 1, 10), ('a', 2, 4)"); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Exec(ctx, "INSERT INTO s VALUES ('a', 4, 8), ('b', 0, 1)"); err != nil {
		t.Fatal(err)
	}
	rows, err := c.Query(ctx, "FETCH 6 FROM q")
	if err != nil {
		t.Fatal(err)
	}
	got, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(got)
	want := []string{
		"a 1 1 1.5 -1 1.5", "a 2 2 5.5 1 5.5", "a 3 2 3.5 1 3.5", "a 4 4 15.5 3 10", "b 0 1 1 -1 1", "b 1 1 10 -1 10",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestRowsBuffer: a ring of the last rows of each partition.
func TestRowsBuffer(t *testing.T) {
	s := Start(t, engine.Options{})
	c := s.Connect()
	for _, sql := range []string{
		"CREATE TABLE t (id int PRIMARY KEY, k text, v int)",
		"INSERT INTO t VALUES (1, 'a', 1), (2, 'a', 2), (3, 'a', 4), (4, 'b', 8), (5, 'a', 16)",
		`CREATE MATERIALIZED VIEW m AS SELECT id, sum(v) OVER (ROWS WINDOW BUFFER 2 ROWS PARTITION BY k ORDER BY id) AS s,
			max(v) OVER (ROWS WINDOW BUFFER 3 ROWS PARTITION BY k ORDER BY id ROWS BETWEEN 1 PRECEDING AND CURRENT ROW EMIT EVERY RECORD) AS m FROM t`,
	} {
		if _, err := c.Exec(t.Context(), sql); err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
	}
	rows, err := c.Query(t.Context(), "SELECT concat_ws(' ', id, s, m) FROM m ORDER BY id")
	if err != nil {
		t.Fatal(err)
	}
	got, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"1 1 1", "2 3 2", "3 6 4", "4 8 8", "5 20 16"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
