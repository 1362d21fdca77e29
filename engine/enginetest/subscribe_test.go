package enginetest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"velostream/engine"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// TestSubscribe checks the forms of SUBSCRIBE, through a cursor.
func TestSubscribe(t *testing.T) {
	s := Start(t, engine.Options{})
	c, w := s.Connect(), s.Connect()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	exec := func(sql string) {
		t.Helper()
		if _, err := w.Exec(ctx, sql); err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
	}
	exec("CREATE TABLE t (id int PRIMARY KEY, k text, v int)")
	exec("INSERT INTO t VALUES (1, 'a', 10), (2, 'b', 20)")
	exec("CREATE MATERIALIZED VIEW m AS SELECT k, sum(v) AS s FROM t GROUP BY k")
	fetch := func(cursor string, n int) []string {
		t.Helper()
		rows, err := c.Query(ctx, fmt.Sprintf("FETCH %d FROM %s WITH (timeout = '5s')", n, cursor))
		if err != nil {
			t.Fatal(err)
		}
		var out []string
		for rows.Next() {
			v, err := rows.Values()
			if err != nil {
				t.Fatal(err)
			}
			if v[0].(int64) < 1_700_000_000_000_000 {
				t.Errorf("logical time %v", v[0])
			}
			out = append(out, strings.TrimSpace(fmt.Sprintln(v[1:]...)))
		}
		if rows.Err() != nil {
			t.Fatal(rows.Err())
		}
		return out
	}
	if _, err := c.Exec(ctx, "BEGIN"); err != nil {
		t.Fatal(err)
	}
	for name, sql := range map[string]string{
		"diffs":  "SUBSCRIBE (SELECT k, s::int FROM m)",
		"upsert": "SUBSCRIBE (SELECT k, s::int FROM m) ENVELOPE UPSERT (KEY (k))",
		"pairs":  "SUBSCRIBE (SELECT k, s::int FROM m) ENVELOPE DEBEZIUM (KEY (k))",
		"steps":  "SUBSCRIBE (SELECT k, s::int FROM m) WITH (progress)",
		"later":  "SUBSCRIBE (SELECT k, s::int FROM m) WITH (snapshot = false)",
	} {
		if _, err := c.Exec(ctx, "DECLARE "+name+" CURSOR FOR "+sql); err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
	}
	want := func(cursor string, rows ...string) {
		t.Helper()
		got := fetch(cursor, len(rows))
		if fmt.Sprint(sorted(got)) != fmt.Sprint(sorted(rows)) {
			t.Errorf("%s: got %q, want %q", cursor, got, rows)
		}
	}
	want("diffs", "1 a 10", "1 b 20")
	want("upsert", "upsert a 10", "upsert b 20")
	want("pairs", "insert a <nil> 10", "insert b <nil> 20")
	want("steps", "false 1 a 10", "false 1 b 20", "true <nil> <nil> <nil>")
	exec("UPDATE t SET v = 11 WHERE id = 1")
	want("diffs", "-1 a 10", "1 a 11")
	want("later", "-1 a 10", "1 a 11")
	want("upsert", "upsert a 11")
	want("pairs", "update a 10 11")
	exec("DELETE FROM t WHERE id = 2")
	want("diffs", "-1 b 20")
	want("upsert", "delete b <nil>")
	want("pairs", "delete b 20 <nil>")
}

func sorted(in []string) []string {
	out := append([]string(nil), in...)
	for i := range out {
		for j := i + 1; j < len(out); j++ {
			if out[j] < out[i] {
				out[i], out[j] = out[j], out[i]
			}
		}
	}
	return out
}

// TestNotify checks that NOTIFY reaches listeners when its transaction commits.
func TestNotify(t *testing.T) {
	s := Start(t, engine.Options{})
	c, w := s.Connect(), s.Connect()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	for _, sql := range []string{"LISTEN a", "LISTEN b", "UNLISTEN b"} {
		if _, err := c.Exec(ctx, sql); err != nil {
			t.Fatal(err)
		}
	}
	for _, sql := range []string{"BEGIN", "NOTIFY a, 'rolled back'", "ROLLBACK", "NOTIFY b, 'nobody'", "BEGIN", "NOTIFY a, 'x'", "NOTIFY a, 'x'", "NOTIFY a, 'y'", "COMMIT"} {
		if _, err := w.Exec(ctx, sql); err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
	}
	for _, want := range []string{"x", "y"} {
		n, err := c.WaitForNotification(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if n.Channel != "a" || n.Payload != want {
			t.Errorf("got %q on %q, want %q", n.Payload, n.Channel, want)
		}
	}
}

// TestCursorIsFrozen checks that a cursor shows what was there when it was
// declared.
func TestCursorIsFrozen(t *testing.T) {
	s := Start(t, engine.Options{})
	c := s.Connect()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	for _, sql := range []string{
		"CREATE TABLE t (id int PRIMARY KEY)", "BEGIN", "INSERT INTO t VALUES (1)",
		"DECLARE c CURSOR FOR SELECT id FROM t ORDER BY id", "INSERT INTO t VALUES (2)", "DELETE FROM t WHERE id = 1",
	} {
		if _, err := c.Exec(ctx, sql); err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
	}
	rows, err := c.Query(ctx, "FETCH ALL FROM c")
	if err != nil {
		t.Fatal(err)
	}
	got, err := pgx.CollectRows(rows, pgx.RowTo[int32])
	if err != nil || len(got) != 1 || got[0] != 1 {
		t.Errorf("got %v, %v", got, err)
	}
}

// TestResumeAfterMending checks that a job that failed on a row goes on once
// the row is mended.
func TestResumeAfterMending(t *testing.T) {
	s := Start(t, engine.Options{})
	c := s.Connect()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	exec := func(sql string) {
		t.Helper()
		if _, err := c.Exec(ctx, sql); err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
	}
	exec("CREATE TABLE t (id int PRIMARY KEY, d int)")
	exec("CREATE MATERIALIZED VIEW v AS SELECT id, 100 / d AS q FROM t")
	exec("INSERT INTO t VALUES (1, 5)")
	exec("INSERT INTO t VALUES (2, 0)")
	if _, err := c.Exec(ctx, "SELECT * FROM v"); err == nil || !strings.Contains(err.Error(), "division by zero") {
		t.Fatalf("reading a view that failed: %v", err)
	}
	exec("UPDATE t SET d = 10 WHERE id = 2")
	exec("RESUME JOB v")
	var n, q int
	if err := c.QueryRow(ctx, "SELECT count(*), sum(q)::int FROM v").Scan(&n, &q); err != nil || n != 2 || q != 30 {
		t.Errorf("%d rows, sum %d, %v", n, q, err)
	}
}

// TestSlowSubscriber: a client that does not read costs no more than its
// buffer: it is ended, while others write on and read what they ask for.
func TestSlowSubscriber(t *testing.T) {
	s := Start(t, engine.Options{})
	w, slow := s.Connect(), s.Connect()
	rowsOf(t, w, "CREATE TABLE wide (id int PRIMARY KEY, v text)")
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	results := slow.PgConn().Exec(ctx, "SUBSCRIBE wide")
	if !results.NextResult() {
		t.Fatal(results.Close())
	}
	for i := range 12 { // about 10 MB each; nobody reads
		rowsOf(t, w, fmt.Sprintf("INSERT INTO wide SELECT g, repeat('x', 1000) FROM generate_series(%d, %d) g", i*10_000, i*10_000+9_999))
	}
	if r := rowsOf(t, w, "SELECT count(*) FROM wide"); r[0][0] != "120000" {
		t.Error(r)
	}
	rows := results.ResultReader()
	n := 0
	for rows.NextRow() {
		n++
	}
	_, err := rows.Close()
	var e *pgconn.PgError
	if !errors.As(err, &e) || e.Code != "53400" || n >= 120_000 {
		t.Errorf("after %d rows: %v", n, err)
	}
}
