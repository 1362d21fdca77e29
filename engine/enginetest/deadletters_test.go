package enginetest

import (
	"testing"
	"time"

	"velostream/engine"
)

// TestLateLettersLocked: a job whose dead letters wait for a row that a user's open transaction
// has can be paused, others are defined meanwhile, and nothing is lost.
func TestLateLettersLocked(t *testing.T) {
	s := Start(t, engine.Options{CheckpointInterval: 20 * time.Millisecond})
	c, user := s.Connect(), s.Connect()
	rowsOf(t, c, "SET statement_timeout = '20s'")
	rowsOf(t, c, "CREATE STREAM s (id int, ts timestamp, WATERMARK FOR ts AS ts)")
	rowsOf(t, c, "CREATE MATERIALIZED VIEW live AS SELECT window_start, max(id) AS id FROM s WINDOW TUMBLING(10s) LATE ROWS dead_letter")
	ids := func() string {
		return rowsOf(t, c, "SELECT coalesce(string_agg(record->>'id', ' ' ORDER BY position), '') FROM live_dead_letters")[0][0]
	}
	await := func(want string) {
		t.Helper()
		for deadline := time.Now().Add(20 * time.Second); ids() != want; time.Sleep(20 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("dead letters %q, want %q", ids(), want)
			}
		}
	}
	rowsOf(t, c, "INSERT INTO s VALUES (1, '2026-01-01 12:00:00')")
	rowsOf(t, c, "INSERT INTO s VALUES (2, '2026-01-01 11:00:00')")
	await("2")
	rowsOf(t, user, "BEGIN")
	rowsOf(t, user, "INSERT INTO live_dead_letters (split, position) SELECT split, position + 1 FROM live_dead_letters")
	rowsOf(t, c, "INSERT INTO s VALUES (3, '2026-01-01 11:00:00')")
	time.Sleep(300 * time.Millisecond) // until a checkpoint has the job wait
	rowsOf(t, c, "PAUSE JOB live")
	rowsOf(t, c, "CREATE MATERIALIZED VIEW other AS SELECT count(*) AS n FROM s")
	rowsOf(t, user, "ROLLBACK")
	rowsOf(t, c, "RESUME JOB live")
	await("2 3")
}
