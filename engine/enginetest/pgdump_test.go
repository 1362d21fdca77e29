package enginetest

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"velostream/engine"
)

// dumped is a database with all that pg_dump writes out of one.
const dumped = `
CREATE SCHEMA app;
CREATE TABLE app.customers (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name varchar(40) NOT NULL, email text UNIQUE,
  balance numeric(10,2) DEFAULT 0 CHECK (balance >= 0), born date, tags text[], meta jsonb DEFAULT '{}');
CREATE TABLE app.orders (id serial PRIMARY KEY, customer int NOT NULL REFERENCES app.customers ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
  amount numeric(8,2), total numeric GENERATED ALWAYS AS (amount * 2) STORED, note text DEFAULT 'it''s', CONSTRAINT positive CHECK (amount > 0 AND note <> ''));
CREATE TABLE public.pairs (a int, b text, c bytea, d double precision, PRIMARY KEY (a, b));
CREATE TABLE "Odd Name" ("Mixed Case" int, "select" text);
CREATE INDEX orders_customer ON app.orders (customer);
CREATE UNIQUE INDEX orders_note ON app.orders (customer, note);
CREATE SEQUENCE app.tickets START 100 INCREMENT 5;
CREATE VIEW app.big AS SELECT id, amount FROM app.orders WHERE amount > 10;
CREATE MATERIALIZED VIEW app.sums AS SELECT customer, sum(amount) AS total, count(*) AS n FROM app.orders GROUP BY customer;
CREATE VIEW app.over AS SELECT s.customer, c.name, s.total FROM app.sums s JOIN app.customers c ON c.id = s.customer;
COMMENT ON TABLE app.customers IS 'people who ''buy''';
COMMENT ON COLUMN app.customers.email IS 'unique';
COMMENT ON VIEW app.big IS 'more than ten';
CREATE FUNCTION app.twice(x int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT x * 2';
GRANT USAGE ON SCHEMA app TO PUBLIC;
GRANT SELECT (id, amount), UPDATE (note) ON app.orders TO PUBLIC;
INSERT INTO app.customers (name, email, balance, born, tags, meta) VALUES ('Ann', 'a@x', 12.5, '1990-01-02', '{a,b}', '{"k": [1, 2]}'),
  ('Bob', NULL, 0, NULL, NULL, NULL), (E'tab\tand\nnewline \\ back', 'c@x', 3, NULL, '{}', '{}');
INSERT INTO app.orders (customer, amount, note) VALUES (1, 5, 'x'), (1, 20, 'y'), (2, 30.25, 'z');
INSERT INTO pairs VALUES (1, 'x', '\x00ff', 1.5), (2, 'y', NULL, 'NaN');
INSERT INTO "Odd Name" VALUES (1, 'one');
SELECT nextval('app.tickets'), nextval('app.tickets');
`

// asked says what is in such a database.
const asked = `
SELECT * FROM app.customers ORDER BY 1;
SELECT * FROM app.orders ORDER BY 1;
SELECT * FROM pairs ORDER BY 1;
SELECT * FROM "Odd Name";
SELECT * FROM app.big ORDER BY 1;
SELECT * FROM app.sums ORDER BY 1;
SELECT * FROM app.over ORDER BY 1;
SELECT app.twice(21), nextval('app.tickets');
SELECT conname, contype, condeferrable, condeferred FROM pg_constraint WHERE connamespace IN ('app'::regnamespace, 'public'::regnamespace) ORDER BY 1;
SELECT indexname, indexdef FROM pg_indexes WHERE schemaname IN ('app', 'public') ORDER BY 1;
SELECT table_name, column_name, data_type, column_default, is_nullable, identity_generation FROM information_schema.columns
  WHERE table_schema = 'app' AND table_name IN ('customers', 'orders') ORDER BY 1, ordinal_position;
SELECT obj_description('app.customers'::regclass), col_description('app.customers'::regclass, 3), obj_description('app.big'::regclass);
SELECT relname, relacl IS NULL FROM pg_class WHERE relname IN ('customers', 'orders') ORDER BY 1;
INSERT INTO app.orders (customer, amount) VALUES (3, 7) RETURNING id, total, note;
SELECT count(*), sum(total) FROM app.sums;
`

func tool(t *testing.T, name string, in string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Stdin = strings.NewReader(in)
	cmd.Env = append(os.Environ(), "PGCLIENTENCODING=UTF8")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %v: %v\n%s", name, args, err, out)
	}
	return string(out)
}

func psqlRun(t *testing.T, dsn, sql string) string {
	t.Helper()
	return tool(t, "psql", sql, "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", dsn)
}

func needsPgDump(t *testing.T) {
	t.Helper()
	for _, name := range []string{"pg_dump", "psql"} {
		if _, err := exec.LookPath(name); err != nil {
			missing(t, name)
		}
	}
}

// TestPgDumpOfPostgres restores what pg_dump writes out of PostgreSQL.
func TestPgDumpOfPostgres(t *testing.T) {
	needsPgDump(t)
	dsn := postgresDatabase(t)
	psqlRun(t, dsn, dumped)
	dump := tool(t, "pg_dump", "", "--no-owner", dsn)
	to := Start(t, engine.Options{})
	psqlRun(t, to.DSN(), dump)
	rows := func(dsn string) string {
		s, _, _ := strings.Cut(psqlRun(t, dsn, asked), "customers_balance_check")
		return s
	}
	psqlRun(t, dsn, "REFRESH MATERIALIZED VIEW app.sums")
	if got, want := rows(to.DSN()), rows(dsn); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// TestPgDump restores what pg_dump writes into a fresh server, and into PostgreSQL.
func TestPgDump(t *testing.T) {
	needsPgDump(t)
	from := Start(t, engine.Options{})
	psqlRun(t, from.DSN(), dumped)
	owner := regexp.MustCompile(`(?m)^ALTER .* OWNER TO .*;$`)
	dumps := map[string]string{}
	for _, how := range []string{"--schema-only", "--format=plain", "--inserts", "--column-inserts"} {
		file := filepath.Join(t.TempDir(), "dump.sql")
		tool(t, "pg_dump", "", how, "--no-owner", "--file="+file, from.DSN())
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		dumps[how] = owner.ReplaceAllString(string(b), "")
	}
	// The dump is of the state before the questions, one of which inserts.
	want := psqlRun(t, from.DSN(), asked)
	for how, dump := range dumps {
		t.Run("velostream"+how, func(t *testing.T) {
			to := Start(t, engine.Options{})
			psqlRun(t, to.DSN(), dump)
			if how == "--schema-only" {
				return
			}
			if got := psqlRun(t, to.DSN(), asked); got != want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
		t.Run("postgres"+how, func(t *testing.T) {
			dsn := postgresDatabase(t)
			psqlRun(t, dsn, dump)
			if how == "--schema-only" {
				return
			}
			rows, _, _ := strings.Cut(psqlRun(t, dsn, asked), "customers_balance_check")
			ours, _, _ := strings.Cut(want, "customers_balance_check")
			if rows != ours {
				t.Errorf("got\n%s\nwant\n%s", rows, ours)
			}
		})
	}
}
