package enginetest

import (
	"testing"

	"velostream/engine"
)

// TestSinkOfQuery makes a sink of a query, and drops it with all that belongs to it.
func TestSinkOfQuery(t *testing.T) {
	s := Start(t, engine.Options{})
	c := s.Connect()
	must(t, c, "CREATE STREAM e (v int)")
	must(t, c, "CREATE SINK k AS SELECT v + 1 AS v FROM e WHERE v > 0 WITH (connector = 'blackhole')")
	must(t, c, "INSERT INTO e VALUES (1)")
	if _, err := c.Exec(t.Context(), "DROP STREAM e"); sqlstate(err) != "2BP01" {
		t.Errorf("got %v", err)
	}
	if _, err := c.Exec(t.Context(), "CREATE SINK k AS SELECT 1 AS x FROM e WITH (connector = 'blackhole')"); sqlstate(err) != "42P07" {
		t.Errorf("got %v", err)
	}
	must(t, c, "DROP SINK k")
	must(t, c, "DROP STREAM e")
}

// TestReplaceMaterialized replaces a view while rows come.
func TestReplaceMaterialized(t *testing.T) {
	s := Start(t, engine.Options{})
	c := s.Connect()
	must(t, c, "CREATE TABLE t (id int PRIMARY KEY, v int)")
	must(t, c, "INSERT INTO t VALUES (1, 10), (2, 20)")
	must(t, c, "CREATE MATERIALIZED VIEW m AS SELECT sum(v) AS s FROM t")
	must(t, c, "CREATE OR REPLACE MATERIALIZED VIEW m AS SELECT sum(v * 2) AS s, count(*) AS n FROM t")
	must(t, c, "INSERT INTO t VALUES (3, 30)")
	if n := number(t, c, "SELECT s FROM m"); n != 120 {
		t.Errorf("s is %d", n)
	}
	must(t, c, "CREATE MATERIALIZED VIEW mm AS SELECT n FROM m")
	if _, err := c.Exec(t.Context(), "CREATE OR REPLACE MATERIALIZED VIEW m AS SELECT 1 AS x FROM t"); sqlstate(err) != "2BP01" {
		t.Errorf("got %v", err)
	}
	must(t, c, "CREATE MATERIALIZED VIEW other AS SELECT max(v) AS s FROM t")
	must(t, c, "DROP MATERIALIZED VIEW mm")
	must(t, c, "ALTER MATERIALIZED VIEW m SWAP WITH other")
	if n := number(t, c, "SELECT s AS top FROM m"); n != 30 {
		t.Errorf("s is %d", n)
	}
	s.Stop()
	s.Start()
	c = s.Connect()
	if n := number(t, c, "SELECT s AS top FROM m"); n != 30 {
		t.Errorf("after a restart s is %d", n)
	}
}
