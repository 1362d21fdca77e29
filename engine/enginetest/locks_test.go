package enginetest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"velostream/engine"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

func must(t *testing.T, c *pgx.Conn, sql string) {
	t.Helper()
	if _, err := c.Exec(t.Context(), sql); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

func sqlstate(err error) string {
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		return e.Code
	}
	return fmt.Sprint(err)
}

func number(t *testing.T, c *pgx.Conn, sql string) (n int64) {
	t.Helper()
	if err := c.QueryRow(t.Context(), sql).Scan(&n); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return n
}

// TestHotRow counts in one row from several sessions: single statements, and blocks
// of READ COMMITTED, lose nothing and fail never.
func TestHotRow(t *testing.T) {
	s := Start(t, engine.Options{})
	c := s.Connect()
	must(t, c, "CREATE TABLE h (id int PRIMARY KEY, n int)")
	must(t, c, "INSERT INTO h VALUES (1, 0), (2, 0)")
	const workers, rounds = 4, 25
	var wg sync.WaitGroup
	errs := make(chan error, workers)
	for w := range workers {
		conn := s.Connect()
		wg.Go(func() {
			for range rounds {
				sql := "UPDATE h SET n = n + 1 WHERE id = 1"
				if w%2 == 0 {
					sql = "BEGIN; UPDATE h SET n = n + 1 WHERE id = 2; " + sql + "; COMMIT"
				}
				if _, err := conn.Exec(context.Background(), sql); err != nil {
					errs <- err
					return
				}
			}
		})
	}
	wg.Wait()
	select {
	case err := <-errs:
		t.Fatal(err)
	default:
	}
	if n := number(t, c, "SELECT n FROM h WHERE id = 1"); n != workers*rounds {
		t.Errorf("counted %d, want %d", n, workers*rounds)
	}
	if n := number(t, c, "SELECT n FROM h WHERE id = 2"); n != workers/2*rounds {
		t.Errorf("counted %d, want %d", n, workers/2*rounds)
	}
}

func TestLocks(t *testing.T) {
	s := Start(t, engine.Options{})
	a, b := s.Connect(), s.Connect()
	must(t, a, "CREATE TABLE l (id int PRIMARY KEY, n int)")
	must(t, a, "CREATE TABLE lc (id int PRIMARY KEY, lid int REFERENCES l)")
	must(t, a, "INSERT INTO l VALUES (1, 0), (2, 0), (3, 0)")

	t.Run("timeout", func(t *testing.T) {
		must(t, a, "BEGIN")
		must(t, a, "UPDATE l SET n = 1 WHERE id = 1")
		must(t, b, "SET lock_timeout = '30ms'")
		if _, err := b.Exec(t.Context(), "UPDATE l SET n = 2 WHERE id = 1"); sqlstate(err) != "55P03" {
			t.Errorf("got %v", err)
		}
		must(t, b, "RESET lock_timeout")
		must(t, a, "ROLLBACK")
	})
	t.Run("wait", func(t *testing.T) {
		must(t, a, "BEGIN")
		must(t, a, "UPDATE l SET n = 5 WHERE id = 1")
		done := make(chan error, 1)
		go func() {
			_, err := b.Exec(context.Background(), "UPDATE l SET n = n * 10 WHERE id = 1")
			done <- err
		}()
		time.Sleep(20 * time.Millisecond)
		must(t, a, "COMMIT")
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		if n := number(t, a, "SELECT n FROM l WHERE id = 1"); n != 50 {
			t.Errorf("n is %d", n)
		}
	})
	t.Run("deadlock", func(t *testing.T) {
		must(t, a, "BEGIN")
		must(t, b, "BEGIN")
		must(t, a, "UPDATE l SET n = 1 WHERE id = 1")
		must(t, b, "UPDATE l SET n = 1 WHERE id = 2")
		done := make(chan error, 1)
		go func() {
			_, err := b.Exec(context.Background(), "UPDATE l SET n = 2 WHERE id = 1")
			done <- err
		}()
		time.Sleep(20 * time.Millisecond)
		_, err := a.Exec(t.Context(), "UPDATE l SET n = 2 WHERE id = 2")
		if sqlstate(err) != "40P01" {
			t.Errorf("got %v", err)
		}
		must(t, a, "ROLLBACK")
		if err := <-done; err != nil {
			t.Error(err)
		}
		must(t, b, "COMMIT")
	})
	t.Run("foreign key", func(t *testing.T) {
		must(t, a, "BEGIN")
		must(t, a, "INSERT INTO lc VALUES (1, 3)")
		must(t, b, "UPDATE l SET n = 7 WHERE id = 3") // leaves the key: no conflict
		done := make(chan error, 1)
		go func() {
			_, err := b.Exec(context.Background(), "DELETE FROM l WHERE id = 3")
			done <- err
		}()
		time.Sleep(20 * time.Millisecond)
		must(t, a, "COMMIT")
		if err := <-done; sqlstate(err) != "23503" {
			t.Errorf("got %v", err)
		}
	})
	t.Run("for update", func(t *testing.T) {
		must(t, a, "BEGIN")
		if n := number(t, a, "SELECT id FROM l WHERE id = 2 FOR UPDATE"); n != 2 {
			t.Errorf("id %d", n)
		}
		if _, err := b.Exec(t.Context(), "SELECT * FROM l WHERE id = 2 FOR SHARE NOWAIT"); sqlstate(err) != "55P03" {
			t.Errorf("got %v", err)
		}
		must(t, b, "SELECT * FROM l WHERE id = 1 FOR UPDATE NOWAIT")
		if n := number(t, b, "SELECT id FROM l WHERE id > 1 ORDER BY id FOR UPDATE SKIP LOCKED LIMIT 1"); n != 3 {
			t.Errorf("id %d", n)
		}
		done := make(chan error, 1)
		go func() {
			_, err := b.Exec(context.Background(), "UPDATE l SET n = n + 1 WHERE id = 2")
			done <- err
		}()
		time.Sleep(10 * time.Millisecond)
		must(t, a, "UPDATE l SET n = 70 WHERE id = 2")
		must(t, a, "COMMIT")
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		if n := number(t, a, "SELECT n FROM l WHERE id = 2"); n != 71 {
			t.Errorf("n is %d", n)
		}
		if _, err := a.Exec(t.Context(), "SELECT count(*) FROM l FOR UPDATE"); err == nil {
			t.Error("aggregates were locked")
		}
		must(t, a, "BEGIN")
		must(t, a, "SELECT * FROM l JOIN lc ON true FOR UPDATE OF l")
		if _, err := b.Exec(t.Context(), "SELECT * FROM (SELECT id FROM l) s FOR SHARE NOWAIT"); sqlstate(err) != "55P03" {
			t.Errorf("got %v", err)
		}
		must(t, a, "COMMIT")
	})
	t.Run("queue", func(t *testing.T) { takeJobs(t, s) })
	t.Run("cancel", func(t *testing.T) {
		must(t, a, "BEGIN")
		must(t, a, "UPDATE l SET n = 1 WHERE id = 1")
		must(t, b, "SET statement_timeout = '30ms'")
		if _, err := b.Exec(t.Context(), "DELETE FROM l WHERE id = 1"); sqlstate(err) != "57014" {
			t.Errorf("got %v", err)
		}
		must(t, a, "ROLLBACK")
	})
}

// takeJobs checks that each row of a queue is taken by one of several workers, which do so
// in both usual ways.
func takeJobs(t *testing.T, s *Server) {
	const jobs, workers = 60, 4
	setUp := s.Connect()
	must(t, setUp, "CREATE TABLE jobs (id int PRIMARY KEY, taken int NOT NULL DEFAULT 0)")
	must(t, setUp, "INSERT INTO jobs SELECT g FROM generate_series(1, 60) g")
	took := make(chan int, workers)
	for w := range workers {
		c := s.Connect()
		sql := "UPDATE jobs SET taken = taken + 1 WHERE id = (SELECT id FROM jobs WHERE taken = 0 ORDER BY id FOR UPDATE SKIP LOCKED LIMIT 1)"
		if w%2 == 0 {
			sql = "WITH j AS (SELECT id FROM jobs WHERE taken = 0 ORDER BY id LIMIT 2 FOR UPDATE SKIP LOCKED) UPDATE jobs SET taken = taken + 1 FROM j WHERE jobs.id = j.id"
		}
		go func() {
			n := 0
			for range jobs + 1 {
				tag, err := c.Exec(context.Background(), sql)
				if err != nil {
					t.Error(err)
				}
				n += int(tag.RowsAffected())
				if err != nil || tag.RowsAffected() == 0 {
					break
				}
			}
			took <- n
		}()
	}
	sum := 0
	for range workers {
		sum += <-took
	}
	if twice := number(t, setUp, "SELECT count(*) FROM jobs WHERE taken <> 1"); sum != jobs || twice != 0 {
		t.Errorf("%d jobs were taken, %d not once", sum, twice)
	}
}

// TestDefinitionsRestart checks that indexes, sequences and constraints are the same
// after a restart.
func TestDefinitionsRestart(t *testing.T) {
	s := Start(t, engine.Options{})
	c := s.Connect()
	must(t, c, "CREATE TABLE r (id serial PRIMARY KEY, k text UNIQUE, v int CHECK (v > 0))")
	must(t, c, "CREATE INDEX ON r (v)")
	must(t, c, "INSERT INTO r (k, v) SELECT 'k' || g, g FROM generate_series(1, 500) g")
	must(t, c, "ALTER TABLE r ADD COLUMN w int DEFAULT 3")
	s.Stop()
	s.Start()
	c = s.Connect()
	if _, err := c.Exec(t.Context(), "INSERT INTO r (k, v) VALUES ('k7', 1)"); sqlstate(err) != "23505" {
		t.Errorf("got %v", err)
	}
	if _, err := c.Exec(t.Context(), "INSERT INTO r (k, v) VALUES ('new', -1)"); sqlstate(err) != "23514" {
		t.Errorf("got %v", err)
	}
	if n := number(t, c, "INSERT INTO r (k, v) VALUES ('new', 1) RETURNING id"); n <= 500 {
		t.Errorf("number %d was given before", n)
	}
	if n := number(t, c, "SELECT sum(w) FROM r"); n != 3*501 {
		t.Errorf("sum is %d", n)
	}
	if n := number(t, c, "SELECT count(*) FROM r WHERE v = 1"); n != 2 {
		t.Errorf("%d rows", n)
	}
}

// TestIndexLookup checks that a query by an indexed column reads the index.
func TestIndexLookup(t *testing.T) {
	s := Start(t, engine.Options{})
	c := s.Connect()
	must(t, c, "CREATE TABLE x (id int PRIMARY KEY, a int, b text)")
	must(t, c, "INSERT INTO x SELECT g, g % 100, 'b' || g FROM generate_series(1, 1000) g")
	must(t, c, "CREATE INDEX xa ON x (a)")
	var plan []string
	rows, err := c.Query(t.Context(), "EXPLAIN SELECT * FROM x WHERE a = 5")
	if err != nil {
		t.Fatal(err)
	}
	for rows.Next() {
		var line string
		if err := rows.Scan(&line); err != nil {
			t.Fatal(err)
		}
		plan = append(plan, line)
	}
	if !strings.Contains(strings.Join(plan, "\n"), "xa") {
		t.Errorf("plan does not use the index:\n%s", strings.Join(plan, "\n"))
	}
	must(t, c, "BEGIN")
	must(t, c, "INSERT INTO x VALUES (2000, 5, 'in')")
	must(t, c, "DELETE FROM x WHERE id = 5")
	if n := number(t, c, "SELECT count(*) FROM x WHERE a = 5"); n != 10 {
		t.Errorf("%d rows", n)
	}
	must(t, c, "ROLLBACK")
	if n := number(t, c, "SELECT count(*) FROM x WHERE a = 5 AND b <> 'b105'"); n != 9 {
		t.Errorf("%d rows", n)
	}
}
