package enginetest

import (
	"path/filepath"
	"testing"
	"time"

	"velostream/engine"
	"velostream/engine/job"
)

// TestBacklog: a job and a sink that stand still fail for good when what is kept for them
// grows over the limit; others lose nothing, and the failure outlives a restart.
func TestBacklog(t *testing.T) {
	s := Start(t, engine.Options{CheckpointInterval: 50 * time.Millisecond, Backlog: job.BacklogLimits{Rows: 1000}})
	c := s.Connect()
	out := filepath.Join(t.TempDir(), "out")
	rowsOf(t, c, "CREATE TABLE t (id int PRIMARY KEY, v int); CREATE TABLE quiet (id int PRIMARY KEY); CREATE STREAM st (id int)")
	rowsOf(t, c, "CREATE MATERIALIZED VIEW stands AS SELECT v, count(*) AS n FROM t GROUP BY v")
	rowsOf(t, c, "CREATE MATERIALIZED VIEW goes AS SELECT v, count(*) AS n FROM t GROUP BY v")
	rowsOf(t, c, "CREATE MATERIALIZED VIEW rests AS SELECT count(*) AS n FROM quiet")
	rowsOf(t, c, "CREATE SINK k FROM st WITH (connector = 'file', path = '"+out+"', format = 'json')")
	rowsOf(t, c, "PAUSE JOB stands")
	rowsOf(t, c, "PAUSE JOB rests")
	rowsOf(t, c, "PAUSE JOB k")
	state := func(from, name string) string {
		r := rowsOf(t, c, "SELECT state, backlog_rows FROM velo_catalog."+from+" WHERE name = '"+name+"'")
		if len(r) != 1 {
			return "none"
		}
		return r[0][0] + " " + r[0][1]
	}
	rowsOf(t, c, "INSERT INTO t SELECT i, i % 7 FROM generate_series(1, 600) i")
	rowsOf(t, c, "INSERT INTO st SELECT i FROM generate_series(1, 600) i")
	for from, name := range map[string]string{"jobs": "stands", "sinks": "k"} {
		if got := state(from, name); got != "paused 600" {
			t.Errorf("%s: %s", name, got)
		}
	}
	for _, sql := range []string{"SHOW JOBS LIKE 'stands'", "SHOW SINKS LIKE 'k'"} {
		if r := rowsOf(t, c, sql); len(r) != 1 || r[0][len(r[0])-4] != "600" {
			t.Errorf("%s: %v", sql, r)
		}
	}
	rowsOf(t, c, "INSERT INTO t SELECT i, i % 7 FROM generate_series(601, 1300) i")
	rowsOf(t, c, "INSERT INTO st SELECT i FROM generate_series(601, 1300) i")
	deadline := time.Now().Add(60 * time.Second)
	for state("jobs", "stands") != "failed 0" || state("sinks", "k") != "failed 0" {
		if time.Now().After(deadline) {
			t.Fatalf("stands: %s, k: %s", state("jobs", "stands"), state("sinks", "k"))
		}
		time.Sleep(200 * time.Millisecond)
	}
	check := func() {
		t.Helper()
		for _, name := range []string{"stands", "k"} {
			if e := failure(t, c, "RESUME JOB "+name); e.Code != "53400" || e.Hint == "" {
				t.Errorf("%s: %v", name, e)
			}
		}
		if got := rowsOf(t, c, "SELECT sum(n) FROM goes")[0][0]; got != "1300" {
			t.Errorf("goes has %s rows", got)
		}
		if got := state("jobs", "rests"); got != "paused 0" {
			t.Errorf("rests: %s", got)
		}
		r := rowsOf(t, c, "SELECT error FROM velo_catalog.jobs WHERE name = 'stands'")
		if len(r) != 1 || r[0][0] == "" {
			t.Error(r)
		}
	}
	check()
	s.Stop()
	s.Start()
	c = s.Connect()
	check()
	rowsOf(t, c, "RESUME JOB rests")
	rowsOf(t, c, "INSERT INTO quiet VALUES (1), (2)")
	if got := rowsOf(t, c, "SELECT n FROM rests")[0][0]; got != "2" {
		t.Errorf("rests has %s", got)
	}
	rowsOf(t, c, "DROP MATERIALIZED VIEW stands; DROP SINK k")
	rowsOf(t, c, "CREATE MATERIALIZED VIEW stands AS SELECT v, count(*) AS n FROM t GROUP BY v")
	if got := rowsOf(t, c, "SELECT sum(n) FROM stands")[0][0]; got != "1300" {
		t.Errorf("made again it has %s", got)
	}
}
