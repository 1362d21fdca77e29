package enginetest

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"velostream/engine"
	"velostream/pgwire/pgerror"
)

// TestRevokeEndsContinuous: a continuous query that runs ends with 42501 when the right
// to its rows is taken away, before a row that came later is shown.
func TestRevokeEndsContinuous(t *testing.T) {
	s := Start(t, engine.Options{})
	main := s.Connect()
	exec := func(sql string) {
		t.Helper()
		if _, err := main.Exec(t.Context(), sql); err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
	}
	exec("CREATE ROLE ann LOGIN")
	exec("CREATE TABLE secrets (a int PRIMARY KEY, b text)")
	exec("CREATE VIEW through AS SELECT a FROM secrets")
	exec("INSERT INTO secrets VALUES (1, 'x')")
	exec("GRANT SELECT ON secrets, through TO ann")
	type running struct {
		sql  string
		rows chan int
		end  chan error
	}
	var all []running
	for _, sql := range []string{
		"SELECT a FROM secrets EMIT CHANGES", "SELECT count(*) FROM secrets EMIT CHANGES", "SELECT a FROM through EMIT CHANGES",
		"SUBSCRIBE TO secrets WITH (SNAPSHOT)", "SUBSCRIBE TO (SELECT b FROM secrets) WITH (SNAPSHOT)", "COPY (SUBSCRIBE TO secrets WITH (SNAPSHOT)) TO STDOUT",
	} {
		cfg, err := pgconn.ParseConfig(s.DSN())
		if err != nil {
			t.Fatal(err)
		}
		cfg.User = "ann"
		c, err := pgconn.ConnectConfig(t.Context(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close(context.Background()) })
		r := running{sql, make(chan int, 100), make(chan error, 1)}
		all = append(all, r)
		go func() {
			if sql[:4] == "COPY" {
				_, err := c.CopyTo(context.Background(), count(r.rows), sql)
				r.end <- err
				return
			}
			m := c.Exec(context.Background(), "SET auto_offset_reset = 'earliest'; "+sql)
			for m.NextResult() {
				for m.ResultReader().NextRow() {
					r.rows <- 1
				}
			}
			r.end <- m.Close()
		}()
	}
	for _, r := range all {
		select {
		case <-r.rows:
		case err := <-r.end:
			t.Fatalf("%s: %v", r.sql, err)
		case <-time.After(20 * time.Second):
			t.Fatalf("%s shows nothing", r.sql)
		}
	}
	exec("REVOKE ALL ON secrets, through FROM ann")
	exec("INSERT INTO secrets VALUES (2, 'y')")
	for _, r := range all {
		select {
		case err := <-r.end:
			if pgerror.Code(asServer(err)) != pgerror.InsufficientPrivilege {
				t.Errorf("%s ended with %v", r.sql, err)
			}
		case <-time.After(20 * time.Second):
			t.Errorf("%s goes on", r.sql)
		}
		if len(r.rows) > 0 {
			t.Errorf("%s showed a row after REVOKE", r.sql)
		}
	}
}

// count is a writer that tells of each write.
type count chan int

func (c count) Write(b []byte) (int, error) {
	c <- len(b)
	return len(b), nil
}

// asServer is the server's error in err, as one of ours.
func asServer(err error) error {
	if e, ok := err.(*pgconn.PgError); ok { //nolint:errorlint // pgconn does not wrap it
		return pgerror.New(e.Code, "%s", e.Message)
	}
	return err
}
