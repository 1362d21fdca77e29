package enginetest

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"velostream/engine"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// wantState fails unless err has the SQLSTATE and text.
func wantState(t *testing.T, err error, state, text string) {
	t.Helper()
	var e *pgconn.PgError
	if !errors.As(err, &e) || e.Code != state || !strings.Contains(e.Message, text) {
		t.Fatalf("got %v, want %s %q", err, state, text)
	}
}

func limitsContext(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func mustExec(ctx context.Context, t *testing.T, c *pgx.Conn, sql string) {
	t.Helper()
	if _, err := c.PgConn().Exec(ctx, sql).ReadAll(); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

func TestStatementTimeout(t *testing.T) {
	ctx := limitsContext(t)
	c := Start(t, engine.Options{}).Connect()
	mustExec(ctx, t, c, "CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t SELECT generate_series(1, 10)")
	mustExec(ctx, t, c, "SET statement_timeout = '150ms'")
	const text = "canceling statement due to statement timeout"
	_, err := c.Exec(ctx, "SELECT pg_sleep(5)")
	wantState(t, err, "57014", text)
	_, err = c.PgConn().Exec(ctx, "SELECT 1; SELECT pg_sleep(5)").ReadAll()
	wantState(t, err, "57014", text)
	_, err = c.Exec(ctx, "SELECT id FROM t EMIT CHANGES", pgx.QueryExecModeSimpleProtocol)
	wantState(t, err, "57014", text)
	// The client that does not send is stopped, too.
	r := &slowReader{ctx: ctx}
	_, err = c.PgConn().CopyFrom(ctx, r, "COPY t FROM STDIN")
	wantState(t, err, "57014", text)
	// Each statement of a message has its own time.
	mustExec(ctx, t, c, "SELECT pg_sleep(0.1); SELECT pg_sleep(0.1)")
	// So has each stretch of a cursor.
	mustExec(ctx, t, c, "BEGIN; DECLARE c CURSOR FOR SELECT * FROM t ORDER BY id; FETCH 2 FROM c")
	time.Sleep(300 * time.Millisecond)
	mustExec(ctx, t, c, "FETCH 2 FROM c; COMMIT")
}

// slowReader sends a row, and nothing more for a second.
type slowReader struct {
	ctx  context.Context
	sent bool
}

func (r *slowReader) Read(b []byte) (int, error) {
	if !r.sent {
		r.sent = true
		return copy(b, "11\n"), nil
	}
	select {
	case <-time.After(time.Second):
		return 0, errors.New("the client gives up")
	case <-r.ctx.Done():
		return 0, r.ctx.Err()
	}
}

func TestIdleTimeouts(t *testing.T) {
	ctx := limitsContext(t)
	s := Start(t, engine.Options{})
	for _, x := range []struct{ set, state, text string }{
		{"SET idle_in_transaction_session_timeout = 100; BEGIN", "25P03", "terminating connection due to idle-in-transaction timeout"},
		{"SET idle_session_timeout = 100", "57P05", "terminating connection due to idle-session timeout"},
	} {
		c := s.Connect()
		mustExec(ctx, t, c, x.set)
		// Nothing is asked; the error comes by itself.
		wait, done := context.WithTimeout(ctx, 5*time.Second)
		_, err := c.WaitForNotification(wait)
		done()
		wantState(t, err, x.state, x.text)
	}
	c := s.Connect()
	mustExec(ctx, t, c, "SET idle_in_transaction_session_timeout = 100")
	time.Sleep(300 * time.Millisecond)
	mustExec(ctx, t, c, "BEGIN; SELECT pg_sleep(0.3); COMMIT")
}

// TestActivity sees, cancels and ends another session by SQL.
func TestActivity(t *testing.T) {
	ctx := limitsContext(t)
	s := Start(t, engine.Options{})
	admin := s.Connect()
	other := func() (pid uint32, c *pgx.Conn, ran chan error) {
		c = s.Connect()
		mustExec(ctx, t, c, "SET application_name = 'other'")
		ran = make(chan error, 1)
		go func() {
			_, err := c.Exec(ctx, "SELECT pg_sleep(20)")
			ran <- err
		}()
		return c.PgConn().PID(), c, ran
	}
	await := func(want string, args ...any) {
		t.Helper()
		var got string
		for range 100 {
			err := admin.QueryRow(ctx, `SELECT coalesce((SELECT concat_ws('|', usename, application_name, state, query, backend_type, wait_event_type)
				FROM pg_stat_activity WHERE pid = $1), 'gone')`, args...).Scan(&got)
			if err != nil {
				t.Fatal(err)
			}
			if got == want {
				return
			}
			time.Sleep(20 * time.Millisecond)
		}
		t.Fatalf("pg_stat_activity says %q, want %q", got, want)
	}
	pid, c, ran := other()
	await("velo|other|active|SELECT pg_sleep(20)|client backend", pid)
	mustExec(ctx, t, admin, "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE application_name = 'other'")
	wantState(t, <-ran, "57014", "canceling statement due to user request")
	await("velo|other|idle|SELECT pg_sleep(20)|client backend|Client", pid)
	mustExec(ctx, t, c, "BEGIN")
	await("velo|other|idle in transaction|BEGIN|client backend|Client", pid)
	mustExec(ctx, t, c, "ROLLBACK")
	mustExec(ctx, t, admin, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'other'")
	await("gone", pid)
	_, err := c.Exec(ctx, "SELECT 1")
	wantState(t, err, "57P01", "terminating connection due to administrator command")

	pid, _, ran = other()
	await("velo|other|active|SELECT pg_sleep(20)|client backend", pid)
	mustExec(ctx, t, admin, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'other'")
	wantState(t, <-ran, "57P01", "terminating connection due to administrator command")

	// A client that is gone while its query waits leaves nothing behind.
	live := s.Connect()
	pid = live.PgConn().PID()
	mustExec(ctx, t, live, "CREATE TABLE t (id int PRIMARY KEY)")
	go func() { _, _ = live.Exec(ctx, "SELECT * FROM t EMIT CHANGES", pgx.QueryExecModeSimpleProtocol) }()
	await("velo||active|SELECT * FROM t EMIT CHANGES|client backend", pid)
	_ = live.PgConn().Conn().Close()
	await("gone", pid)
}
