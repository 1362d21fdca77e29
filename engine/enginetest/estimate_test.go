package enginetest

import (
	"context"
	"math"
	"regexp"
	"strconv"
	"testing"

	"github.com/jackc/pgx/v5"

	"velostream/engine"
)

// TestEstimates compares the rows that EXPLAIN expects of analyzed tables with those that
// PostgreSQL expects of the same ones.
func TestEstimates(t *testing.T) {
	theirs, err := pgx.Connect(t.Context(), postgresDatabase(t))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = theirs.Close(context.Background()) }()
	ours := Start(t, engine.Options{Shards: 1}).Connect()
	for _, c := range []*pgx.Conn{theirs, ours} {
		for _, sql := range []string{
			"CREATE TABLE a (id int PRIMARY KEY, k text, v int, n numeric(10,2), b boolean, e int)",
			"CREATE TABLE b (id int PRIMARY KEY, a int, w int)",
			`INSERT INTO a SELECT i, 'key ' || i % 7, CASE WHEN i % 10 = 0 THEN NULL ELSE i * i % 997 END, i % 300 / 4.0,
				i % 3 = 0, i % 2000 FROM generate_series(1, 10000) i`,
			"INSERT INTO b SELECT i, i % 500, i % 20 FROM generate_series(1, 3000) i",
			"ANALYZE a", "ANALYZE b",
		} {
			if _, err := c.Exec(t.Context(), sql); err != nil {
				t.Fatalf("%s: %v", sql, err)
			}
		}
	}
	for _, sql := range []string{
		"SELECT * FROM a",
		"SELECT * FROM a WHERE id = 5",
		"SELECT * FROM a WHERE id < 2500",
		"SELECT * FROM a WHERE id >= 2500 AND id < 3500",
		"SELECT * FROM a WHERE k = 'key 3'",
		"SELECT * FROM a WHERE k <> 'key 3'",
		"SELECT * FROM a WHERE k = 'none'",
		"SELECT * FROM a WHERE k IN ('key 1', 'key 2')",
		"SELECT * FROM a WHERE v IS NULL",
		"SELECT * FROM a WHERE v IS NOT NULL",
		"SELECT * FROM a WHERE v > 500",
		"SELECT * FROM a WHERE v = 36",
		"SELECT * FROM a WHERE n <= 20.5",
		"SELECT * FROM a WHERE v < 100 AND v < 800",
		"SELECT * FROM a WHERE n > 60 AND n > 5 AND n < 70",
		"SELECT * FROM a WHERE b",
		"SELECT * FROM a WHERE NOT b",
		"SELECT * FROM a WHERE b AND k = 'key 1'",
		"SELECT * FROM a WHERE b OR k = 'key 1'",
		"SELECT * FROM a WHERE v + 1 = 3",
		"SELECT * FROM a WHERE v = n",
		"SELECT k, count(*) FROM a GROUP BY k",
		"SELECT k, b, count(*) FROM a GROUP BY k, b",
		"SELECT e FROM a GROUP BY e",
		"SELECT count(*) FROM a",
		"SELECT * FROM a ORDER BY v LIMIT 17",
		"SELECT * FROM a LIMIT 17 OFFSET 3",
		"SELECT * FROM a JOIN b ON a.id = b.a",
		"SELECT * FROM a JOIN b ON a.e = b.a WHERE b.w = 3",
		"SELECT * FROM a LEFT JOIN b ON a.id = b.a",
		"SELECT * FROM a, b",
		"SELECT * FROM a WHERE EXISTS (SELECT 1 FROM b WHERE b.a = a.id)",
		"SELECT 1 UNION ALL SELECT id FROM b",
		"SELECT * FROM generate_series(1, 50) g",
		"VALUES (1), (2), (3)",
	} {
		want, got := expectedRows(t, theirs, sql), expectedRows(t, ours, sql)
		if math.Abs(got-want) > max(1, want/100) {
			t.Errorf("%s: %.0f rows, PostgreSQL %.0f", sql, got, want)
		}
	}
}

var planRows = regexp.MustCompile(`\(cost=[0-9.]+\.\.[0-9.]+ rows=([0-9]+) width=[0-9]+\)`)

// expectedRows is what EXPLAIN expects of the whole statement.
func expectedRows(t *testing.T, c *pgx.Conn, sql string) float64 {
	t.Helper()
	var line string
	rows, err := c.Query(t.Context(), "EXPLAIN "+sql)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for n := 0; rows.Next(); n++ {
		var l string
		if err := rows.Scan(&l); err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			line = l
		}
	}
	m := planRows.FindStringSubmatch(line)
	if m == nil || rows.Err() != nil {
		t.Fatalf("%s: %q (%v)", sql, line, rows.Err())
	}
	n, err := strconv.ParseFloat(m[1], 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}
