package enginetest

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"velostream/engine"
)

// temporaries is how many temporary relations, and schemas of them, there are.
const temporaries = `SELECT (SELECT count(*) FROM pg_class WHERE relpersistence = 't')
	+ (SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'pg\_temp%')`

// TestTemporaryEnds looks for what sessions and servers leave of temporary tables: nothing,
// neither in the catalog nor in its log, and their names are free again.
func TestTemporaryEnds(t *testing.T) {
	s := Start(t, engine.Options{})
	c := s.Connect()
	must(t, c, "CREATE TABLE base (a int PRIMARY KEY)")
	must(t, c, "CREATE MATERIALIZED VIEW v AS SELECT count(*) AS n FROM base")
	log := func() int64 {
		i, err := os.Stat(filepath.Join(s.Options.DataDir, "meta", "meta.log"))
		if err != nil {
			t.Fatal(err)
		}
		return i.Size()
	}
	before := log()
	for i := range 200 {
		must(t, c, fmt.Sprintf("CREATE TEMP TABLE t%d (id serial PRIMARY KEY, a int UNIQUE); INSERT INTO t%d (a) SELECT generate_series(1, 5); DROP TABLE t%d", i, i, i))
	}
	for i := range 20 {
		o := s.Connect()
		must(t, o, "CREATE TEMP TABLE mine (a serial); INSERT INTO mine DEFAULT VALUES; CREATE TEMP VIEW w AS SELECT mine.* FROM mine, base")
		must(t, o, "BEGIN; CREATE TEMP TABLE open (a int); INSERT INTO open VALUES (1)")
		if i%2 == 0 {
			must(t, o, "COMMIT")
		}
		if err := o.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	for deadline := time.Now().Add(10 * time.Second); number(t, c, temporaries) != 1; {
		if time.Now().After(deadline) {
			t.Fatalf("%d temporary relations and schemas are left, one schema was to be", number(t, c, temporaries))
		}
	}
	if after := log(); after != before {
		t.Errorf("the catalog's log has grown from %d to %d bytes", before, after)
	}
	// Commits of temporary tables and others, in turn and together, over a restart.
	must(t, c, "CREATE TEMP TABLE k (a int); INSERT INTO k VALUES (1); INSERT INTO base VALUES (1); INSERT INTO k VALUES (2)")
	must(t, c, "BEGIN; INSERT INTO k VALUES (3); INSERT INTO base VALUES (2); COMMIT")
	must(t, c, "BEGIN; CREATE TABLE made (a int); INSERT INTO made SELECT a FROM k; CREATE TEMP TABLE l AS SELECT * FROM k; COMMIT")
	s.Stop()
	s.Start()
	c = s.Connect()
	if n := number(t, c, temporaries); n != 0 {
		t.Errorf("%d temporary relations and schemas are left by a restart", n)
	}
	must(t, c, "INSERT INTO base VALUES (3)")
	if n := number(t, c, "SELECT n FROM v"); n != 3 {
		t.Errorf("the view has %d rows, not 3", n)
	}
	if n := number(t, c, "SELECT count(*) FROM made"); n != 3 {
		t.Errorf("the table that was made beside temporary ones has %d rows, not 3", n)
	}
}
