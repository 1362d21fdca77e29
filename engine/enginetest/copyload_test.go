package enginetest

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"velostream/engine"
)

// copyLines are n lines of COPY data made by f, for lines 1 to n.
func copyLines(n int, f func(i int) string) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(f(i + 1))
		b.WriteByte('\n')
	}
	return b.String()
}

// copier is a connection that loads and asks.
type copier struct {
	*testing.T
	ctx context.Context
	c   *pgx.Conn
}

func (x *copier) exec(sql string) {
	x.Helper()
	if _, err := x.c.Exec(x.ctx, sql); err != nil {
		x.Fatalf("%s: %v", sql, err)
	}
}

func (x *copier) copy(sql, data string) error {
	_, err := x.c.PgConn().CopyFrom(x.ctx, strings.NewReader(data), sql)
	return err
}

func (x *copier) want(sql, want string) {
	x.Helper()
	var got string
	if err := x.c.QueryRow(x.ctx, sql, pgx.QueryExecModeSimpleProtocol).Scan(&got); err != nil || got != want {
		x.Errorf("%s: %s, %v, want %s", sql, got, err, want)
	}
}

// loadedLines is enough for a COPY to be a load of many rows.
const loadedLines = 5000

// TestCopyLoadErrors checks that the errors of large COPYs name the line, and that
// nothing is loaded.
func TestCopyLoadErrors(t *testing.T) {
	s := Start(t, engine.Options{})
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	defer cancel()
	x := &copier{t, ctx, s.Connect()}
	x.exec("CREATE TABLE p (id int PRIMARY KEY)")
	x.exec("INSERT INTO p SELECT g FROM generate_series(0, 9) AS t(g)")
	x.exec("CREATE TABLE t (id int PRIMARY KEY, u text UNIQUE, v int NOT NULL CHECK (v < 1000000), p int REFERENCES p)")
	x.exec("INSERT INTO t VALUES (-5, 'there', 0, NULL)")
	good := func(i int) string { return fmt.Sprintf("%d\tu%d\t%d\t%d", i*7919%100003, i, i, i%10) }
	for _, n := range []int{40, loadedLines} {
		at := n - 7
		for _, w := range []struct{ bad, code, message, where string }{
			{fmt.Sprintf("%d\tother\t1\t1", 3*7919%100003), "23505", `violates unique constraint "t_pkey"`, fmt.Sprintf("COPY t, line %d", at)},
			{"-1\tu5\t1\t1", "23505", `violates unique constraint "t_u_key"`, fmt.Sprintf("COPY t, line %d", at)},
			{"-5\tmine\t1\t1", "23505", `violates unique constraint "t_pkey"`, fmt.Sprintf("COPY t, line %d", at)},
			{"-6\tthere\t1\t1", "23505", `violates unique constraint "t_u_key"`, fmt.Sprintf("COPY t, line %d", at)},
			{"-1\tmine\t\\N\t1", "23502", `null value in column "v"`, fmt.Sprintf("COPY t, line %d", at)},
			{"-1\tmine\t1000000\t1", "23514", `violates check constraint`, fmt.Sprintf("COPY t, line %d", at)},
			{"-1\tmine\t1\t77", "23503", `violates foreign key constraint`, ""},
			{"-1\tmine\tone\t1", "22P02", `invalid input syntax for type integer: "one"`, fmt.Sprintf("COPY t, line %d, column v: \"one\"", at)},
			{"-1\tmine\t1", "22P04", `missing data for column "p"`, fmt.Sprintf("COPY t, line %d", at)},
		} {
			err := x.copy("COPY t FROM STDIN", copyLines(n, func(i int) string {
				if i == at {
					return w.bad
				}
				return good(i)
			}))
			pg, ok := errors.AsType[*pgconn.PgError](err)
			if !ok || pg.Code != w.code || !strings.Contains(pg.Message, w.message) || !strings.HasPrefix(pg.Where, w.where) {
				t.Errorf("%d lines, %q: %v, where %q, want %s %s, %q", n, w.bad, err, pg.Where, w.code, w.message, w.where)
			}
			x.want("SELECT count(*)::text FROM t", "1")
		}
	}
	if err := x.copy("COPY t FROM STDIN", copyLines(loadedLines, good)); err != nil {
		t.Fatal(err)
	}
	x.want("SELECT count(*)::text || ' ' || sum(v) FROM t", fmt.Sprintf("%d %d", loadedLines+1, loadedLines*(loadedLines+1)/2))
	x.want("SELECT v::text FROM t WHERE u = 'u4321'", "4321")
	if err := x.copy("COPY t FROM STDIN", copyLines(loadedLines, good)); err == nil || !strings.Contains(err.Error(), "23505") {
		t.Errorf("the same rows again: %v", err)
	}
	x.want("SELECT count(*)::text FROM t", strconv.Itoa(loadedLines+1))
	x.exec("DELETE FROM p WHERE id = 99")
	if _, err := x.c.Exec(ctx, "DELETE FROM p WHERE id = 3"); err == nil || !strings.Contains(err.Error(), "23503") {
		t.Errorf("a row that loaded rows refer to goes: %v", err)
	}
}

// TestCopyLoadTransaction loads within transactions: own rows are seen and
// changed, savepoints and ROLLBACK undo, views take the COPY in whole.
func TestCopyLoadTransaction(t *testing.T) {
	s := Start(t, engine.Options{})
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	defer cancel()
	x, other := &copier{t, ctx, s.Connect()}, &copier{t, ctx, s.Connect()}
	x.exec("CREATE TABLE t (id int PRIMARY KEY, n bigint GENERATED ALWAYS AS IDENTITY, s serial, k int, d int DEFAULT 5, c int GENERATED ALWAYS AS (k * 2) STORED)")
	x.exec("CREATE INDEX t_k ON t (k)")
	x.exec("CREATE MATERIALIZED VIEW m AS SELECT k, count(*) AS n FROM t GROUP BY k")
	x.exec("CREATE MATERIALIZED VIEW total AS SELECT count(*) AS n FROM t")
	load := func(from int) {
		t.Helper()
		if err := x.copy("COPY t (id, k) FROM STDIN WITH (FORMAT csv)", copyLines(loadedLines, func(i int) string {
			return fmt.Sprintf("%d,%d", (from+i)*3, i%100)
		})); err != nil {
			t.Fatal(err)
		}
	}
	all := func(n int) string { return strconv.Itoa(n * loadedLines) }
	load(0)
	x.want("SELECT count(*)::text || ' ' || count(DISTINCT n) || ' ' || count(DISTINCT s) || ' ' || sum(d) || ' ' || sum(c - k * 2) FROM t",
		fmt.Sprintf("%[1]d %[1]d %[1]d %[2]d 0", loadedLines, loadedLines*5))
	other.want("SELECT n::text FROM total", all(1))
	other.want("SELECT sum(n)::text FROM m", all(1))

	x.exec("BEGIN")
	load(10000)
	x.want("SELECT count(*)::text FROM t", all(2))
	x.want("SELECT count(*)::text FROM t WHERE k = 7", strconv.Itoa(2*loadedLines/100))
	x.want("SELECT k::text FROM t WHERE id = 30003", "1")
	other.want("SELECT count(*)::text FROM t", all(1))
	other.want("SELECT n::text FROM total", all(1))
	x.exec("SAVEPOINT a")
	load(20000)
	x.exec("UPDATE t SET k = -1 WHERE id = 30003")
	x.exec("DELETE FROM t WHERE id = 60003")
	x.want("SELECT count(*)::text FROM t", strconv.Itoa(3*loadedLines-1))
	x.want("SELECT id::text FROM t WHERE k = -1", "30003")
	x.exec("ROLLBACK TO a")
	x.want("SELECT count(*)::text FROM t", all(2))
	x.want("SELECT k::text FROM t WHERE id = 30003", "1")
	x.exec("DELETE FROM t WHERE id = 30006")
	x.exec("INSERT INTO t (id, k) VALUES (30006, -2)")
	x.exec("UPDATE t SET k = -3 WHERE id = 30009")
	x.exec("COMMIT")
	other.want("SELECT n::text FROM total", all(2))
	other.want("SELECT count(*)::text FROM t WHERE k < 0", "2")
	other.want("SELECT string_agg(n::text, ',' ORDER BY k) FROM m WHERE k < 4", fmt.Sprintf("1,1,%[1]d,%[1]d,%[2]d,%[2]d", 2*loadedLines/100, 2*loadedLines/100-1))

	x.exec("BEGIN")
	load(30000)
	x.exec("ROLLBACK")
	x.want("SELECT count(*)::text FROM t", all(2))
	s.Stop()
	s.Start()
	x.c = s.Connect()
	x.want("SELECT count(*)::text FROM t", all(2))
	x.want("SELECT n::text FROM total", all(2))
	x.want("SELECT count(*)::text FROM t WHERE k = 7", strconv.Itoa(2*loadedLines/100))
}

// TestInsertLoad inserts many rows by a query, also from the table itself.
func TestInsertLoad(t *testing.T) {
	s := Start(t, engine.Options{})
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	defer cancel()
	x := &copier{t, ctx, s.Connect()}
	x.exec("CREATE TABLE t (id int PRIMARY KEY, v int)")
	x.exec("INSERT INTO t SELECT g, g FROM generate_series(1, 10000) AS t(g)")
	x.exec("INSERT INTO t SELECT id + 10000, v FROM t")
	x.want("SELECT count(*)::text || ' ' || sum(v) || ' ' || max(id) FROM t", "20000 100010000 20000")
	for _, sql := range []string{
		"INSERT INTO t SELECT id + 15000, v FROM t",
		"INSERT INTO t SELECT 100000 + g % 5000, 0 FROM generate_series(1, 6000) AS t(g)",
	} {
		if _, err := x.c.Exec(ctx, sql); err == nil || !strings.Contains(err.Error(), "23505") {
			t.Errorf("%s: %v", sql, err)
		}
	}
	x.want("SELECT count(*)::text FROM t", "20000")
	x.exec("INSERT INTO t SELECT g, 1 FROM generate_series(15001, 25000) AS t(g) ON CONFLICT DO NOTHING")
	x.want("SELECT count(*)::text FROM t", "25000")
	rows, err := x.c.Query(ctx, "INSERT INTO t SELECT g, g FROM generate_series(30001, 33000) AS t(g) RETURNING id")
	if err != nil {
		t.Fatal(err)
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[int])
	if err != nil || len(ids) != 3000 {
		t.Errorf("RETURNING: %d rows, %v", len(ids), err)
	}
	x.want("SELECT count(*)::text FROM t", "28000")
}
