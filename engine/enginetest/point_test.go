package enginetest

import (
	"context"
	"errors"
	"testing"

	"velostream/engine"

	"github.com/jackc/pgx/v5"
)

// TestPointRead reads rows by primary key in all the states that a session and
// a row can be in.
func TestPointRead(t *testing.T) {
	s := Start(t, engine.Options{Shards: 3})
	c, other := s.Connect(), s.Connect()
	ctx := context.Background()
	exec := func(sql string) {
		t.Helper()
		if _, err := c.Exec(ctx, sql); err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
	}
	const none = "(none)"
	get := func(c *pgx.Conn, want, sql string, args ...any) {
		t.Helper()
		var got string
		err := c.QueryRow(ctx, sql, args...).Scan(&got)
		if errors.Is(err, pgx.ErrNoRows) {
			got, err = none, nil
		}
		if err != nil || got != want {
			t.Errorf("%s %v: %q, want %q, %v", sql, args, got, want, err)
		}
	}
	exec("CREATE TABLE p (a bigint, b text, v text, PRIMARY KEY (a, b))")
	exec("INSERT INTO p VALUES (1, 'x', 'one'), (2, 'y', 'two')")
	exec("CREATE MATERIALIZED VIEW m AS SELECT a, count(*)::text AS n FROM p GROUP BY a")
	const byKey, byGroup = "SELECT v FROM p WHERE a = $1 AND b = $2", "SELECT n FROM m WHERE a = $1"
	for range 2 {
		get(c, "one", byKey, 1, "x")
		get(c, "two", byKey, 2, "y")
		get(c, none, byKey, 2, "x")
		get(c, none, byKey, 2, nil)
		get(c, "one", "SELECT v FROM p WHERE b = 'x' AND a = 1")
		get(c, "1", byGroup, 2)
		get(c, none, byGroup, 3)
	}
	exec("BEGIN")
	exec("UPDATE p SET v = 'changed' WHERE a = 1")
	get(c, "changed", byKey, 1, "x")
	get(other, "one", byKey, 1, "x")
	exec("DELETE FROM p WHERE a = 2")
	get(c, none, byKey, 2, "y")
	exec("COMMIT")
	get(other, "changed", byKey, 1, "x")
	get(other, none, byKey, 2, "y")
	get(other, none, byGroup, 2)

	// Two results of one statement at a time, and a portal read row by row.
	exec("PREPARE q AS SELECT v FROM p WHERE a = 1 AND b = 'x'")
	exec("BEGIN")
	exec("DECLARE k CURSOR FOR SELECT v FROM p WHERE a = 1 AND b = 'x'")
	get(c, "changed", "SELECT v FROM p WHERE a = 1 AND b = 'x'")
	get(c, "changed", "FETCH 1 FROM k")
	get(c, none, "FETCH 1 FROM k")
	exec("COMMIT")
}
