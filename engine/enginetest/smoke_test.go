package enginetest

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"velostream/engine"
)

func TestSmoke(t *testing.T) {
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
	show := func(sql string) string {
		t.Helper()
		rows, err := c.Query(ctx, sql)
		if err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
		defer rows.Close()
		out := ""
		var lines strings.Builder
		for rows.Next() {
			v, err := rows.Values()
			if err != nil {
				t.Fatalf("%s: %v", sql, err)
			}
			fmt.Fprintln(&lines, v...)
		}
		out += lines.String()
		if rows.Err() != nil {
			t.Fatalf("%s: %v", sql, rows.Err())
		}
		return out
	}
	exec("CREATE TABLE t (id int PRIMARY KEY, k text, v int)")
	exec("INSERT INTO t VALUES (1, 'a', 10), (2, 'b', 20), (3, 'a', 30)")
	t.Log(show("SELECT * FROM t ORDER BY id"))
	exec("CREATE MATERIALIZED VIEW m AS SELECT k, count(*) AS n, sum(v) AS s FROM t GROUP BY k")
	t.Log(show("SELECT * FROM m ORDER BY k"))
	exec("UPDATE t SET v = v + 1 WHERE id = 3")
	exec("DELETE FROM t WHERE id = 2")
	t.Log(show("SELECT * FROM m ORDER BY k"))
	exec("CREATE MATERIALIZED VIEW m2 AS SELECT sum(s) AS total FROM m")
	exec("INSERT INTO t VALUES (7, 'z', 100)")
	t.Log(show("SELECT * FROM m2"))
	s.Stop()
	s.Start()
	c = s.Connect()
	t.Log(show("SELECT * FROM m ORDER BY k"))
	exec("INSERT INTO t VALUES (8, 'z', 1)")
	t.Log(show("SELECT * FROM m ORDER BY k"), show("SELECT * FROM m2"))
	t.Log(show("SHOW JOBS"))
}
