package enginetest

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"velostream/engine"
)

var indexedTable = []string{
	"CREATE TABLE t (id int PRIMARY KEY, a int, b text, c boolean)",
	"CREATE UNIQUE INDEX ta ON t (lower(b), a) WHERE c",
	"CREATE UNIQUE INDEX tb ON t ((a * 10 + length(b))) WHERE a > 5 AND b IS NOT NULL",
	"CREATE INDEX tc ON t ((a % 3), (upper(b)) DESC)",
}

// indexedChange is a random statement about the table.
func indexedChange(r *rand.Rand) string {
	value := func(s ...string) string { return s[r.IntN(len(s))] }
	row := func() string {
		return fmt.Sprintf("(%d, %s, %s, %s)", r.IntN(60), value("NULL", "1", "2", "6", "7", "8", "9"), value("NULL", "'x'", "'X'", "'yy'", "'Yy'", "'zzz'"), value("NULL", "true", "false"))
	}
	rows := func() string {
		list := []string{row()}
		for range r.IntN(3) {
			list = append(list, row())
		}
		return strings.Join(list, ", ")
	}
	set := value("a = a + 1", "a = 7", "b = upper(b)", "b = 'yy'", "c = NOT c", "c = true", "a = NULL", "id = id + 30, c = true")
	switch r.IntN(8) {
	case 0, 1, 2:
		return "INSERT INTO t VALUES " + rows()
	case 3:
		return "INSERT INTO t VALUES " + rows() + " ON CONFLICT DO NOTHING"
	case 4:
		return "INSERT INTO t VALUES " + rows() + " ON CONFLICT (a, lower(b)) WHERE c DO UPDATE SET " + value("a = excluded.a + 1", "b = excluded.b || 'q'", "c = NULL")
	case 5:
		return "INSERT INTO t VALUES " + rows() + " ON CONFLICT ((a * 10 + length(b))) WHERE b IS NOT NULL AND a > 5 DO NOTHING"
	case 6:
		return fmt.Sprintf("DELETE FROM t WHERE id %% 7 = %d", r.IntN(7))
	default:
		// One row: of several, PostgreSQL checks each before the next is changed.
		return fmt.Sprintf("UPDATE t SET %s WHERE id = %d", set, r.IntN(90))
	}
}

// TestIndexes plays random changes to a table that has indexes on expressions and of some
// rows, here and in PostgreSQL: the same fail, and what the indexes find is the same.
func TestIndexes(t *testing.T) {
	dsn := postgresDatabase(t)
	s := Start(t, engine.Options{DataDir: t.TempDir()})
	connect := func(dsn string) *pgconn.PgConn {
		c, err := pgconn.Connect(t.Context(), dsn)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close(t.Context()) })
		return c
	}
	theirs, ours := connect(dsn), connect(s.DSN())
	run := func(c *pgconn.PgConn, sql string) string {
		_, rows, tag, err := simple(t.Context(), c, sql)
		if err != nil {
			return sqlstate(err)
		}
		return fmt.Sprint(tag, "\n", strings.Join(rows, "\n"))
	}
	same := func(sql string) {
		t.Helper()
		if got, want := run(ours, sql), run(theirs, sql); got != want {
			t.Fatalf("%s\n got %s\nwant %s", sql, got, want)
		}
	}
	for _, sql := range indexedTable {
		same(sql)
	}
	r := rand.New(rand.NewPCG(4, 11))
	for i := range 300 {
		same(indexedChange(r))
		switch i % 50 {
		case 20:
			s.Stop()
			s.Start()
			ours = connect(s.DSN())
		case 40:
			same("DROP INDEX ta")
			same("DELETE FROM t WHERE c AND id NOT IN (SELECT min(id) FROM t WHERE c GROUP BY lower(b), a)")
			same(indexedTable[1])
		}
		same("SELECT * FROM t ORDER BY id")
		same("SELECT id FROM t WHERE lower(b) = 'yy' AND a = 7 AND c ORDER BY id")
		same("SELECT id FROM t WHERE lower(b) IN ('x', 'zzz') AND c ORDER BY id")
		same("SELECT id FROM t WHERE a > 5 AND b IS NOT NULL AND a * 10 + length(b) BETWEEN 61 AND 82 ORDER BY id")
		same("SELECT id FROM t WHERE a > 5 AND a * 10 + length(b) = 72 AND b IS NOT NULL ORDER BY id")
		same("SELECT id FROM t WHERE a % 3 = 1 AND upper(b) >= 'X' ORDER BY id")
	}
}
