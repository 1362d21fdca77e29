package enginetest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"velostream/engine"
)

// cutViews read one stream with event times in every way that rows can be late for.
var cutViews = map[string]string{
	"changes": "MATERIALIZED VIEW changes AS SELECT window_start, k, count(*) AS n, sum(v) AS s FROM s WINDOW TUMBLING(10s) GROUP BY k",
	"final":   "STREAM final AS SELECT window_start, k, count(*) AS n, sum(v) AS s FROM s WINDOW TUMBLING(10s) GROUP BY k EMIT FINAL",
	"sliding": "STREAM sliding AS SELECT window_start, k, sum(v) AS s FROM s WINDOW SLIDING(10s, 5s) GROUP BY k EMIT FINAL",
	"fixed": "MATERIALIZED VIEW fixed WITH ('late.data.retention' = '5s') AS SELECT window_start, k, sum(v) AS s FROM s WINDOW TUMBLING(10s) GROUP BY k " +
		"EMIT FINAL LATE ROWS update_previous",
	"live":   "MATERIALIZED VIEW live WITH ('late.data.strategy' = 'update_previous', 'late.data.retention' = '5s') AS SELECT window_start, k, sum(v) AS s FROM s WINDOW TUMBLING(10s) GROUP BY k",
	"moved":  "STREAM moved AS SELECT window_start, k, sum(v) AS s FROM s WINDOW TUMBLING(10s) GROUP BY k LATE ROWS include_in_next",
	"rows":   "STREAM rows AS SELECT id, k, sum(v) OVER (PARTITION BY k ORDER BY id) AS s FROM s WINDOW TUMBLING(10s)",
	"closed": "STREAM closed AS SELECT window_start, window_end, k, sum(v) AS s FROM s WINDOW SESSION(4s) GROUP BY k",
	"open":   "MATERIALIZED VIEW open AS SELECT window_start, window_end, k, sum(v) AS s FROM s WINDOW SESSION(4s) GROUP BY k",
	"capped": "MATERIALIZED VIEW capped AS SELECT window_start, window_end, k, sum(v) AS s FROM s SESSION WINDOW (TIMEOUT 4 SECONDS, MAX_DURATION 9 SECONDS) GROUP BY k",
	"member": "MATERIALIZED VIEW member AS SELECT id, window_start, window_end FROM session(s, ts, INTERVAL '4 seconds', k)",
}

// cutCommits makes commits of rows that are mostly in order, some of them late.
func cutCommits(r *rand.Rand, n int) (out []string) {
	id := 0
	for c := range n {
		var rows []string
		for range 1 + r.IntN(4) {
			at := 2*c + r.IntN(4)
			if r.IntN(4) == 0 {
				at -= r.IntN(25)
			}
			id++
			ts := time.Date(2026, 1, 1, 0, 1, 0, 0, time.UTC).Add(time.Duration(at) * time.Second)
			rows = append(rows, fmt.Sprintf("(%d, 'k%d', %d, '%s')", id, r.IntN(3), id, ts.Format("2006-01-02 15:04:05")))
		}
		out = append(out, "INSERT INTO s VALUES "+strings.Join(rows, ", "))
	}
	return out
}

// playCuts commits, and returns the content and the late rows of each view. With r epochs take
// in a random number of commits each, since jobs pause at times, and the server restarts once.
func playCuts(t *testing.T, commits []string, shards int, r *rand.Rand) map[string]string {
	t.Helper()
	s := Start(t, engine.Options{DataDir: t.TempDir(), Shards: shards})
	var c *pgconn.PgConn
	connect := func() {
		var err error
		if c, err = pgconn.Connect(t.Context(), s.DSN()); err != nil {
			t.Fatal(err)
		}
	}
	exec := func(sql string) []string {
		t.Helper()
		_, rows, _, err := simple(t.Context(), c, sql)
		if err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
		return rows
	}
	connect()
	exec("CREATE STREAM s (id int, k text, v int, ts timestamp, WATERMARK FOR ts AS ts - INTERVAL '2 seconds')")
	for _, sql := range cutViews {
		exec("CREATE " + sql)
	}
	paused := map[string]bool{}
	for i, sql := range commits {
		exec(sql)
		for name := range cutViews {
			switch {
			case r == nil:
				exec("SELECT count(*) FROM " + name)
			case paused[name] && r.IntN(5) == 0:
				exec("RESUME JOB " + name)
				delete(paused, name)
			case !paused[name] && r.IntN(5) == 0:
				exec("PAUSE JOB " + name)
				paused[name] = true
			case !paused[name] && r.IntN(3) == 0:
				exec("SELECT count(*) FROM " + name)
			}
		}
		if r != nil && i == len(commits)/2 {
			_ = c.Close(context.Background())
			s.Stop()
			s.Start()
			connect()
		}
	}
	got := map[string]string{}
	for name := range cutViews {
		if paused[name] {
			exec("RESUME JOB " + name)
		}
		rows := exec("SELECT * FROM " + name)
		slices.Sort(rows)
		got[name] = strings.Join(rows, "\n")
	}
	for _, row := range exec("SELECT name, late_rows FROM velo_catalog.jobs") {
		name, late, _ := strings.Cut(row, separator)
		got[name] += "\nlate " + late
	}
	_ = c.Close(context.Background())
	return got
}

// TestCutsDoNotMatter: which rows of a stream are late, and so every result, depends on the
// order of commits alone, not on how many of them an epoch takes in, restarts and shards.
func TestCutsDoNotMatter(t *testing.T) {
	for seed := range uint64(3) {
		t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) {
			t.Parallel()
			r := rand.New(rand.NewPCG(seed, 7))
			commits := cutCommits(r, 40)
			want := playCuts(t, commits, 1, nil)
			if !strings.Contains(want["changes"], "late ") || strings.HasSuffix(want["changes"], "late 0") {
				t.Fatalf("no row is late: %s", want["changes"])
			}
			for shards := 1; shards <= 2; shards++ {
				got := playCuts(t, commits, shards, r)
				for name := range cutViews {
					if got[name] != want[name] {
						t.Errorf("%d shards: %s\nwanted\n%s\ngot\n%s", shards, name, want[name], got[name])
					}
				}
			}
		})
	}
}
