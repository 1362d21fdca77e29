package enginetest

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"velostream/engine"

	"github.com/jackc/pgx/v5"
)

// spilled are the scripts that run once more with everything on disk: those of queries.
var spilled = []string{
	"aggregates", "groupby", "grouping", "joins", "join_order", "nulls", "orderby", "setops", "subqueries", "subquery",
	"views", "windows", "limit", "fn_arrays", "fn_json", "merge",
}

// TestSpill runs the scripts of queries on a server whose operators go to disk with their
// first rows: they must give PostgreSQL's results all the same.
func TestSpill(t *testing.T) {
	for _, name := range spilled {
		if !strings.Contains(name, *only) {
			continue
		}
		t.Run(name, func(t *testing.T) {
			s, err := ReadScript("../../testdata/slt/" + name + ".slt")
			if err != nil {
				t.Fatal(err)
			}
			runOn(t, s, engine.Options{SpillBytes: 1}, false)
		})
	}
}

// TestSpillRandom compares the queries of views with PostgreSQL and the views' content likewise.
func TestSpillRandom(t *testing.T) {
	files, err := filepath.Glob("../../testdata/views/*.sql")
	if err != nil || len(files) == 0 {
		t.Fatalf("no files: %v", err)
	}
	seed := uint64(envNumber(t, "VELOSTREAM_ORACLE_SEED", 1))
	for _, f := range files {
		if !strings.Contains(f, *only) {
			continue
		}
		t.Run(strings.TrimSuffix(filepath.Base(f), ".sql"), func(t *testing.T) {
			s, err := ReadSchema(f)
			if err != nil {
				t.Fatal(err)
			}
			e := NewEpisode(s, seed, 25)
			e.Options.SpillBytes = 1
			fail, err := e.Run(t, postgres(t))
			if err != nil {
				t.Fatal(err)
			}
			if fail != nil {
				t.Fatalf("%s\nafter action %d: %s: %s", e, fail.Action, fail.View, fail.What)
			}
		})
	}
}

// TestSpillLife follows the temporary files of queries that end in all ways.
func TestSpillLife(t *testing.T) {
	ctx := limitsContext(t)
	dir := t.TempDir()
	tmp := filepath.Join(dir, "tmp")
	if err := os.MkdirAll(filepath.Join(tmp, "left"), 0o700); err != nil {
		t.Fatal(err)
	}
	s := Start(t, engine.Options{DataDir: dir})
	c := s.Connect()
	if list, err := os.ReadDir(tmp); err != nil || len(list) > 0 {
		t.Fatalf("left at the start: %v %v", list, err)
	}
	mustExec(ctx, t, c, "CREATE TABLE t (id int PRIMARY KEY, x text); INSERT INTO t SELECT i, md5(i::text) FROM generate_series(1, 60000) i")
	mustExec(ctx, t, c, "SET query_memory = '1MB'")
	explain := func(sql string) string {
		var lines []string
		for _, l := range rowsOf(t, c, sql) {
			lines = append(lines, l...)
		}
		return strings.Join(lines, "\n")
	}
	plan := explain("EXPLAIN (ANALYZE, SUMMARY OFF, COSTS OFF, TIMING OFF) SELECT * FROM t ORDER BY x")
	if !strings.Contains(plan, "Sort (actual rows=60000 loops=1)") || !strings.Contains(plan, "\n  Disk: ") {
		t.Errorf("the plan shows no disk:\n%s", plan)
	}
	if plan = explain("EXPLAIN (ANALYZE) SELECT * FROM t ORDER BY x LIMIT 3"); strings.Contains(plan, "Disk") {
		t.Errorf("a small query shows a disk:\n%s", plan)
	}
	mustExec(ctx, t, c, "SET temp_file_limit = '1MB'")
	_, err := c.PgConn().Exec(ctx, "SELECT * FROM t ORDER BY x").ReadAll()
	wantState(t, err, "53400", "temporary file size exceeds temp_file_limit (1024kB)")
	mustExec(ctx, t, c, "RESET temp_file_limit")
	_, err = c.PgConn().Exec(ctx, "SELECT * FROM t ORDER BY x WITH ('spill.to.disk' = false)").ReadAll()
	wantState(t, err, "53200", "needs more than its memory budget")
	mustExec(ctx, t, c, "SELECT * FROM t ORDER BY x WITH ('spill.to.disk' = true)")
	_, err = c.PgConn().Exec(ctx, "SELECT * FROM t EMIT CHANGES WITH ('spill.to.disk' = false)").ReadAll()
	wantState(t, err, "0A000", "cannot be off for a query that does not end")
	_, err = c.PgConn().Exec(ctx, "SELECT * FROM t WITH ('spill.to.disk' = maybe)").ReadAll()
	wantState(t, err, "22023", "invalid value for option")
	free := func(what string) {
		t.Helper()
		for range 200 {
			if s.Engine.TempBytes() == 0 {
				return
			}
			time.Sleep(10 * time.Millisecond)
		}
		t.Errorf("%s leaves %d bytes of temporary files", what, s.Engine.TempBytes())
	}
	free("an error")
	busy := func(c *pgx.Conn) {
		t.Helper()
		mustExec(ctx, t, c, "BEGIN; SET LOCAL query_memory = '1MB'; DECLARE c NO SCROLL CURSOR FOR SELECT * FROM t ORDER BY x; FETCH 1 FROM c")
		if s.Engine.TempBytes() == 0 {
			t.Error("no temporary file while the rows are being read")
		}
	}
	busy(c)
	mustExec(ctx, t, c, "CLOSE c; COMMIT")
	free("a closed cursor")
	other := s.Connect()
	busy(other)
	_ = other.PgConn().Conn().Close()
	free("a client that vanished")
	short, cancel := context.WithTimeout(ctx, 300*time.Millisecond)
	defer cancel()
	if _, err = c.Exec(short, "SELECT count(*) FROM (SELECT x FROM t a, (SELECT generate_series(1, 1000)) b ORDER BY x OFFSET 1) y"); err == nil {
		t.Error("a cancelled query ends well")
	}
	free("a cancelled query")
}
