package pgcatalog_test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"velostream/engine"
	"velostream/engine/enginetest"
)

var update = flag.Bool("update", false, "write the expected results anew")

// world is the schema that the queries are about.
const world = `
create table accounts (id bigint primary key, owner text not null, balance numeric(12,2) default 0, opened timestamptz);
create stream trades (symbol text, price numeric(12,4), qty int, ts timestamptz, watermark for ts as ts - interval '3 seconds');
create view rich as select id, owner from accounts where balance > 1000;
create materialized view totals as select owner, count(*) n, sum(balance) total from accounts group by owner;
create schema app;
create table app.items (a int, b varchar(10), c int[], primary key (a, b));
create source ticks (symbol text, price double precision, ts timestamptz) with (connector = 'datagen', profile = 'trades');
insert into accounts values (1, 'ann', 5000, '2024-01-01 12:00:00+00'), (2, 'bob', 10, '2024-01-01 13:00:00+00');
select count(*) from totals; -- which waits until it is up to date
`

func startWorld(t *testing.T) *enginetest.Server {
	t.Helper()
	s := enginetest.Start(t, engine.Options{})
	run := connect(t, s)
	for stmt := range strings.SplitSeq(strings.TrimSpace(world), "\n") {
		if _, err := run.Exec(t.Context(), stmt).ReadAll(); err != nil {
			t.Fatalf("%s: %v", stmt, err)
		}
	}
	return s
}

func connect(t *testing.T, s *enginetest.Server) *pgconn.PgConn {
	t.Helper()
	c, err := pgconn.Connect(t.Context(), s.DSN())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close(context.WithoutCancel(t.Context())) })
	return c
}

// oids are the names and OIDs of the relations of the world.
func oids(t *testing.T, c *pgconn.PgConn) map[string]string {
	t.Helper()
	res, err := c.Exec(t.Context(), `SELECT c.oid, CASE n.nspname WHEN 'public' THEN '' ELSE n.nspname || '.' END || c.relname
		FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid >= 16384`).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	m := map[string]string{}
	for _, r := range res[0].Rows {
		m[string(r[1])] = string(r[0])
	}
	return m
}

// shownRows is how many rows a result may have to be kept in full.
const shownRows = 25

// TestQueries runs the queries that clients send and compares what can be
// compared: column names, and small results cell by cell. Run with -update to
// write them anew.
func TestQueries(t *testing.T) {
	s := startWorld(t)
	c := connect(t, s)
	ids := oids(t, c)
	files, err := filepath.Glob("testdata/*.sql")
	if err != nil || len(files) == 0 {
		t.Fatalf("no queries: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".sql"), func(t *testing.T) {
			got := &strings.Builder{}
			for i, q := range queries(t, file) {
				text := expand(q, ids)
				res, err := c.Exec(t.Context(), text).ReadAll()
				if err != nil {
					t.Errorf("query %d: %v\n%s", i+1, err, text)
					continue
				}
				fmt.Fprintf(got, "-- %d: %s\n", i+1, title(q))
				for _, r := range res {
					show(got, r, ids)
				}
			}
			compare(t, strings.TrimSuffix(file, ".sql")+".out", got.String())
		})
	}
}

func queries(t *testing.T, file string) []string {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(string(b), "\n-- query\n")
	return parts[1:]
}

func expand(q string, ids map[string]string) string {
	for n, oid := range ids {
		q = strings.ReplaceAll(q, "{"+n+"}", oid)
	}
	return q
}

func title(q string) string {
	line := strings.Join(strings.Fields(q), " ")
	return line[:min(len(line), 100)]
}

var momentary = regexp.MustCompile(`\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+\+00`)

func show(w *strings.Builder, r *pgconn.Result, ids map[string]string) {
	names := make([]string, len(r.FieldDescriptions))
	for i, f := range r.FieldDescriptions {
		names[i] = f.Name + ":" + strconv.FormatUint(uint64(f.DataTypeOID), 10)
	}
	fmt.Fprintln(w, strings.Join(names, " | "))
	if len(r.Rows) > shownRows {
		fmt.Fprintf(w, "more than %d rows\n\n", shownRows)
		return
	}
	byOID := map[string]string{}
	for n, oid := range ids {
		byOID[oid] = "{" + n + "}"
	}
	for _, row := range r.Rows {
		cells := make([]string, len(row))
		for i, v := range row {
			switch n, ok := byOID[string(v)]; {
			case v == nil:
				cells[i] = "NULL"
			case ok:
				cells[i] = n
			default:
				cells[i] = momentary.ReplaceAllString(string(v), "(time)")
			}
		}
		fmt.Fprintln(w, strings.ReplaceAll(strings.Join(cells, " | "), "\n", "\\n"))
	}
	fmt.Fprintln(w)
}

func compare(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if string(want) == got {
		return
	}
	w, g := strings.Split(string(want), "\n"), strings.Split(got, "\n")
	for i := range min(len(w), len(g)) {
		if w[i] != g[i] {
			t.Errorf("%s:%d:\n got %s\nwant %s", file, i+1, g[i], w[i])
			return
		}
	}
	t.Errorf("%s: %d lines, want %d", file, len(g), len(w))
}
