package enginetest

import (
	"fmt"
	"strings"
	"testing"

	"velostream/engine"
	"velostream/engine/session"
)

func TestValidate(t *testing.T) {
	const sql = `CREATE STREAM s (k text, v int, ts timestamp, WATERMARK FOR ts AS ts)
  WITH (connector = 'kafka', brokers = 'nowhere:1', topic = 't', format = 'json');
CREATE MATERIALIZED VIEW m AS SELECT k, count(*) AS n FROM s GROUP BY k;
CREATE MATERIALIZED VIEW w AS SELECT k, count(*) AS n FROM s WINDOW TUMBLING(10s) GROUP BY k;
SELECT "ä", nosuch FROM w;
CREATE TABLE t (id int PRIMARY KEY, v int CHECK (v > 0));
ALTER TABLE t ADD COLUMN z int DEFAULT 3;
INSERT INTO t (id, z) VALUES (1, 2), (2, DEFAULT);
CREATE UNIQUE INDEX ON t (z);
SELECT * FROM t, w;
CREATE STREAM bad (a int) WITH (connector = 'kafka', topc = 'x');
DROP TABLE t;
SELECT 1 FROM t;
-- @nmae: trades
-- @job_mode: fast
-- @metric_buckets: 1, 2.5, 10
-- @velo:scaling.max: 5
SELECT k FROM s ORDER BY k EMIT CHANGES;
SELECT 1 FROM w JOIN m ON true;
CREATE STREAM nt (a int) WITH (connector = 'kafka', brokers = 'nowhere:1', format = 'json');
CREATE SINK nk FROM w WITH (connector = 'kafka');`
	got := ""
	var out strings.Builder
	for _, f := range session.Validate(t.Context(), nil, engine.Connectors(), sql) {
		fmt.Fprintf(&out, "%d:%d %s %s\n", f.Line, f.Column, f.Severity, f.Code)
	}
	got += out.String()
	want := `3:62 warning 01000
5:8 error 42703
10:18 warning 01000
11:54 error 42704
13:15 error 42P01
14:4 warning 01000
15:15 error 22023
18:1 warning 01000
19:27 warning 01000
20:1 error 22023
21:1 error 22023
`
	if got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	for _, f := range session.Validate(t.Context(), nil, engine.Connectors(), "SELECT 1;\nSELEC 2") {
		if f.Line != 2 || f.Column != 1 || !strings.Contains(f.Message, "syntax error") {
			t.Errorf("got %+v", f)
		}
	}
}

// TestValidateInBlock checks a text against what the open block has defined.
func TestValidateInBlock(t *testing.T) {
	c := Start(t, engine.Options{Shards: 1}).Connect()
	for _, sql := range []string{"BEGIN", "CREATE TABLE mine (a int)"} {
		if _, err := c.PgConn().Exec(t.Context(), sql).ReadAll(); err != nil {
			t.Fatal(err)
		}
	}
	results, err := c.PgConn().Exec(t.Context(), "VALIDATE 'SELECT a FROM mine'").ReadAll()
	if err != nil || len(results[0].Rows) != 0 {
		t.Errorf("%v, %v", results, err)
	}
}
