package enginetest

import (
	"testing"

	"velostream/engine"
)

// TestAccessNow reads a range of a key that ends at now(), after the query has run
// for a while: it is the time that the condition means.
func TestAccessNow(t *testing.T) {
	s := Start(t, engine.Options{Shards: 1})
	c := s.Connect()
	for _, sql := range []string{
		"CREATE TABLE t (at timestamptz PRIMARY KEY)",
		"INSERT INTO t SELECT now() + g * INTERVAL '200 microseconds' FROM generate_series(-1000, 20000) g",
		"CREATE TABLE slow (id int PRIMARY KEY)",
		"INSERT INTO slow SELECT generate_series(1, 20000)",
	} {
		if _, err := c.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	for range 5 {
		var byKey, by int
		if err := c.QueryRow(t.Context(), `SELECT count(*), count(*) FILTER (WHERE at + INTERVAL '0' <= now())
			FROM (SELECT count(*) AS n FROM slow WHERE md5(id::text) > '0') s, t WHERE at <= now()`).Scan(&byKey, &by); err != nil {
			t.Fatal(err)
		}
		var above, all int
		if err := c.QueryRow(t.Context(), `SELECT (SELECT count(*) FROM slow WHERE md5(id::text) > '0') * 0 + count(*) FILTER (WHERE at >= now()), count(*)
			FROM (SELECT at FROM t WHERE at >= now() UNION ALL SELECT at FROM t WHERE at < now()) x`).Scan(&above, &all); err != nil {
			t.Fatal(err)
		}
		if byKey != by || all != 21001 {
			t.Errorf("%d rows up to now() by key, %d of them by condition; %d rows on both sides of it, want 21001", byKey, by, all)
		}
	}
}
