package enginetest

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"velostream/engine"
)

// TestAdvisoryLocks: who waits for an advisory lock gets it when its holder lets go, or is
// gone, and a circle of waiting is found across advisory locks and rows.
func TestAdvisoryLocks(t *testing.T) {
	s := Start(t, engine.Options{})
	a, b := s.Connect(), s.Connect()
	must(t, a, "CREATE TABLE t (id int PRIMARY KEY, n int)")
	must(t, a, "INSERT INTO t VALUES (1, 1)")
	begin := func(c *pgx.Conn, sql string) <-chan error {
		done := make(chan error, 1)
		go func() {
			_, err := c.Exec(context.Background(), sql)
			done <- err
		}()
		select {
		case err := <-done:
			t.Fatalf("%s did not wait: %v", sql, err)
		case <-time.After(50 * time.Millisecond):
		}
		return done
	}
	ended := func(done <-chan error, code string) {
		t.Helper()
		select {
		case err := <-done:
			if err != nil && sqlstate(err) != code || err == nil && code != "" {
				t.Fatalf("got %v, want %q", err, code)
			}
		case <-time.After(10 * time.Second):
			t.Fatal("waits on")
		}
	}

	must(t, a, "SELECT pg_advisory_lock(1), pg_advisory_lock(1)")
	done := begin(b, "SELECT pg_advisory_lock(1)")
	must(t, a, "SELECT pg_advisory_unlock(1)")
	select {
	case <-done:
		t.Fatal("a lock taken twice was let go of once")
	case <-time.After(50 * time.Millisecond):
	}
	must(t, a, "SELECT pg_advisory_unlock(1)")
	ended(done, "")

	// A shared lock waits behind one that is waited for alone.
	must(t, b, "SELECT pg_advisory_unlock(1), pg_advisory_lock_shared(1)")
	c := s.Connect()
	alone := begin(c, "SELECT pg_advisory_lock(1)")
	shared := begin(a, "SELECT pg_advisory_lock_shared(1)")
	if err := b.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	ended(alone, "")
	must(t, c, "SELECT pg_advisory_unlock(1)")
	ended(shared, "")

	// The session holds the lock, its transaction waits for the row.
	must(t, c, "BEGIN")
	must(t, c, "UPDATE t SET n = 2")
	waits := begin(a, "UPDATE t SET n = 3")
	if _, err := c.Exec(context.Background(), "SELECT pg_advisory_xact_lock(1)"); sqlstate(err) != "40P01" {
		t.Fatalf("got %v, want a deadlock", err)
	}
	must(t, c, "ROLLBACK")
	ended(waits, "")

	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	if _, err := c.Exec(ctx, "SELECT pg_advisory_lock(1)"); err == nil {
		t.Error("a lock that another session shares was given alone")
	}
}
