package enginetest_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"velostream/engine"
	"velostream/engine/enginetest"
)

// ddlSession is a connection that statements are sent to as text.
type ddlSession struct {
	t *testing.T
	c *pgx.Conn
}

func (s ddlSession) exec(sql ...string) {
	s.t.Helper()
	for _, q := range sql {
		if _, err := s.c.Exec(context.Background(), q, pgx.QueryExecModeSimpleProtocol); err != nil {
			s.t.Fatalf("%s: %v", q, err)
		}
	}
}

// fails demands an error with the SQLSTATE.
func (s ddlSession) fails(code, sql string) {
	s.t.Helper()
	_, err := s.c.Exec(context.Background(), sql, pgx.QueryExecModeSimpleProtocol)
	if err == nil || !strings.Contains(err.Error(), "SQLSTATE "+code) {
		s.t.Errorf("%s: %v, want %s", sql, err, code)
	}
}

// is demands one value.
func (s ddlSession) is(want, sql string) {
	s.t.Helper()
	var got string
	if err := s.c.QueryRow(context.Background(), sql, pgx.QueryExecModeSimpleProtocol).Scan(&got); err != nil || got != want {
		s.t.Errorf("%s: %q, %v, want %q", sql, got, err, want)
	}
}

// waits runs sql, which has to wait until the function returned is called.
func (s ddlSession) waits(sql string) (done func() error) {
	s.t.Helper()
	end := make(chan error, 1)
	go func() {
		_, err := s.c.Exec(context.Background(), sql, pgx.QueryExecModeSimpleProtocol)
		end <- err
	}()
	select {
	case err := <-end:
		s.t.Errorf("%s did not wait: %v", sql, err)
		end <- err
	case <-time.After(100 * time.Millisecond):
	}
	return func() error {
		select {
		case err := <-end:
			return err
		case <-time.After(10 * time.Second):
			s.t.Fatalf("%s still waits", sql)
			return nil
		}
	}
}

func ddlSessions(t *testing.T, n int) (*enginetest.Server, []ddlSession) {
	s := enginetest.Start(t, engine.Options{Shards: 2})
	var out []ddlSession
	for range n {
		out = append(out, ddlSession{t, s.Connect()})
	}
	return s, out
}

// TestTransactionalDefinitions: what a transaction defines is its own until it
// commits, and is there as a whole afterwards, also after a restart.
func TestTransactionalDefinitions(t *testing.T) {
	s, c := ddlSessions(t, 2)
	a, b := c[0], c[1]
	a.exec("CREATE TABLE old (id int PRIMARY KEY, x int)", "INSERT INTO old SELECT i, i FROM generate_series(1, 100) i")
	a.exec("BEGIN", "CREATE TABLE t (id serial PRIMARY KEY, v int)", "INSERT INTO t (v) SELECT x FROM old",
		"CREATE UNIQUE INDEX ON old (x)", "ALTER TABLE old ADD COLUMN y int DEFAULT 5", "UPDATE old SET y = 6 WHERE id = 1",
		"CREATE MATERIALIZED VIEW m AS SELECT count(*) AS n, sum(y) AS s FROM old", "CREATE SCHEMA sc", "CREATE VIEW sc.v AS SELECT n FROM m")
	a.is("501", "SELECT s FROM m")
	a.is("100", "SELECT n FROM sc.v")
	a.fails("25001", "SUBSCRIBE m")
	a.exec("ROLLBACK")
	a.fails("42P01", "SELECT * FROM t")
	a.fails("42703", "SELECT y FROM old")

	a.exec("BEGIN", "CREATE TABLE t (id serial PRIMARY KEY, v int)", "INSERT INTO t (v) SELECT x FROM old",
		"ALTER TABLE old ADD COLUMN y int DEFAULT 5", "UPDATE old SET y = 6 WHERE id = 1",
		"CREATE MATERIALIZED VIEW m AS SELECT count(*) AS n, sum(y) AS s FROM old")
	b.fails("42P01", "SELECT * FROM t")
	b.fails("42P01", "SELECT * FROM m")
	b.is("100", "SELECT count(*) FROM old")
	b.fails("42703", "SELECT y FROM old")
	a.exec("COMMIT")
	b.is("501", "SELECT s FROM m")
	b.is("100", "SELECT max(id) FROM t")
	b.exec("INSERT INTO old VALUES (101, 101)")
	b.is("506", "SELECT s FROM m")
	s.Stop()
	s.Start()
	a = ddlSession{t, s.Connect()}
	a.is("506", "SELECT s FROM m")
	a.is("100", "SELECT count(*) FROM t WHERE v > 0")
	a.is("6", "SELECT y FROM old WHERE id = 1")
}

// TestDefinitionsWait: who changes a definition waits for those who write, they
// wait for it, and all go on with what is there then.
func TestDefinitionsWait(t *testing.T) {
	_, c := ddlSessions(t, 3)
	a, b, d := c[0], c[1], c[2]
	a.exec("CREATE TABLE t (id int PRIMARY KEY, x int)")
	a.exec("BEGIN", "INSERT INTO t VALUES (1, 1)")
	alter := b.waits("ALTER TABLE t ADD COLUMN y int DEFAULT 7")
	insert := d.waits("INSERT INTO t VALUES (2, 2)") // behind who waits alone
	a.exec("INSERT INTO t VALUES (3, 3)")            // who has it goes on
	a.exec("COMMIT")
	if err := alter(); err != nil {
		t.Error(err)
	}
	if err := insert(); err != nil {
		t.Error(err)
	}
	a.is("21", "SELECT sum(y) FROM t")

	// A writer waits for the definition, and fits it.
	a.exec("BEGIN", "ALTER TABLE t DROP COLUMN y")
	b.is("3", "SELECT count(*) FROM t") // readers do not wait
	insert = b.waits("INSERT INTO t VALUES (4, 4, 4)")
	a.exec("COMMIT")
	if err := insert(); err == nil || !strings.Contains(err.Error(), "42601") {
		t.Errorf("INSERT of a column that is gone: %v", err)
	}
	a.exec("BEGIN", "DROP TABLE t")
	update := b.waits("UPDATE t SET x = 0")
	a.exec("COMMIT")
	if err := update(); err == nil || !strings.Contains(err.Error(), "42P01") {
		t.Errorf("UPDATE of a table that is gone: %v", err)
	}

	// One name for two: the second finds it taken, or free again.
	a.exec("BEGIN", "CREATE TABLE n (i int)")
	create := b.waits("CREATE TABLE n (j int)")
	a.exec("COMMIT")
	if err := create(); err == nil || !strings.Contains(err.Error(), "42P07") {
		t.Errorf("CREATE TABLE under a name that was taken meanwhile: %v", err)
	}
	a.exec("DROP TABLE n", "BEGIN", "CREATE TABLE n (i int)")
	create = b.waits("CREATE TABLE n (j int)")
	a.exec("ROLLBACK")
	if err := create(); err != nil {
		t.Error(err)
	}
	// Objects that have nothing to do with each other do not wait.
	a.exec("BEGIN", "CREATE TABLE p (i int)")
	b.exec("BEGIN", "CREATE TABLE q (i int)", "INSERT INTO q VALUES (1)", "COMMIT")
	a.exec("INSERT INTO p SELECT i FROM q", "COMMIT")
	a.is("1", "SELECT count(*) FROM p")

	// A foreign key: the parent's rows stay while it is not known.
	a.exec("CREATE TABLE parent (id int PRIMARY KEY)", "INSERT INTO parent VALUES (1), (2)")
	a.exec("BEGIN", "CREATE TABLE child (p int REFERENCES parent)", "INSERT INTO child VALUES (1)")
	remove := b.waits("DELETE FROM parent WHERE id = 1")
	a.exec("COMMIT")
	if err := remove(); err == nil || !strings.Contains(err.Error(), "23503") {
		t.Errorf("DELETE of a row that is referred to by now: %v", err)
	}

	// A circle of waiting is broken.
	a.exec("BEGIN", "INSERT INTO p VALUES (5)")
	b.exec("BEGIN", "INSERT INTO q VALUES (5)")
	first := a.waits("ALTER TABLE q ADD COLUMN z int")
	_, err := b.c.Exec(context.Background(), "ALTER TABLE p ADD COLUMN z int", pgx.QueryExecModeSimpleProtocol)
	b.exec("ROLLBACK")
	if e := first(); (err == nil || !strings.Contains(err.Error(), "40P01")) && (e == nil || !strings.Contains(e.Error(), "40P01")) {
		t.Errorf("no deadlock was found: %v, %v", err, e)
	}
	a.exec("ROLLBACK")
	a.exec("SET lock_timeout = '50ms'")
	b.exec("BEGIN", "INSERT INTO q VALUES (6)")
	a.fails("55P03", "ALTER TABLE q ADD COLUMN z int")
	b.exec("COMMIT")
	d.exec("INSERT INTO q VALUES (7)")
}

// TestDefinitionsUnderLoad changes a table again and again while others read and
// write it: nobody sees an error or a wrong row.
func TestDefinitionsUnderLoad(t *testing.T) {
	_, c := ddlSessions(t, 4)
	c[0].exec("CREATE TABLE t (id int, k int, v int)", "INSERT INTO t SELECT i, i % 10, 1 FROM generate_series(1, 500) i",
		"CREATE INDEX t_k ON t (k)")
	stop := make(chan struct{})
	var wg sync.WaitGroup
	work := func(s ddlSession, f func(i int) (string, string)) {
		wg.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				sql, want := f(i)
				var got string
				err := s.c.QueryRow(context.Background(), sql, pgx.QueryExecModeSimpleProtocol).Scan(&got)
				if err != nil || want != "" && got != want {
					t.Errorf("%s: %q, %v, want %q", sql, got, err, want)
					return
				}
			}
		})
	}
	work(c[1], func(int) (string, string) {
		return "SELECT count(*) || ' ' || sum(v) FROM t WHERE id <= 500", "500 500"
	})
	work(c[2], func(i int) (string, string) {
		return fmt.Sprintf("SELECT count(*) FROM t WHERE k = %d AND id <= 500", i%10), "50"
	})
	work(c[3], func(i int) (string, string) {
		return fmt.Sprintf("INSERT INTO t (id, k, v) VALUES (%d, 3, 2) RETURNING id", 1000+i), ""
	})
	for i := range 12 {
		c[0].exec(fmt.Sprintf("ALTER TABLE t ADD COLUMN c%d int DEFAULT %d", i, i))
		c[0].exec("BEGIN", "ALTER TABLE t ADD PRIMARY KEY (id)", "DROP INDEX t_k", "CREATE INDEX t_k ON t (k)", "COMMIT")
		c[0].exec("BEGIN", fmt.Sprintf("ALTER TABLE t DROP COLUMN c%d", i), "UPDATE t SET v = v WHERE id < 50", "ROLLBACK")
		c[0].exec("ALTER TABLE t DROP CONSTRAINT t_pkey")
	}
	close(stop)
	wg.Wait()
}
