package expr

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"velostream/catalog/types"
	"velostream/pgwire/pgerror"

	"github.com/jackc/pgx/v5/pgconn"
)

// Expressions and what PostgreSQL makes of them, a line each:
//
//	expr → type: value
//	expr → !SQLSTATE message
//
// A value is its text form, newlines as \n; NULL is <null>. A line that begins
// with ~ is known to differ: what PostgreSQL says is recorded, and we are not
// checked. -rewrite asks a running PostgreSQL 15 (-postgres, or the standard
// PG… environment) for all the right-hand sides:
//
//	go test ./engine/sql/expr -run Postgres -rewrite -postgres 'host=127.0.0.1 port=54329 user=postgres'
var (
	seed     = flag.Uint64("seed", 3, "of the random calls of TestOracle")
	rewrite  = flag.Bool("rewrite", false, "write the results of a running PostgreSQL into testdata")
	postgres = flag.String("postgres", "", "connection string of the PostgreSQL to ask")
)

const arrow = " → "

func TestPostgres(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no test data", err)
	}
	for _, f := range files {
		t.Run(strings.TrimSuffix(filepath.Base(f), ".txt"), func(t *testing.T) {
			if *rewrite {
				askPostgres(t, f)
			}
			checkFile(t, f)
		})
	}
}

func checkFile(t *testing.T, name string) {
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	sc := bufio.NewScanner(strings.NewReader(string(b)))
	sc.Buffer(nil, 1<<20)
	for n := 1; sc.Scan(); n++ {
		line := sc.Text()
		if line == "" || line[0] == '#' || line[0] == '~' {
			continue
		}
		in, want, ok := strings.Cut(line, arrow)
		if !ok {
			t.Errorf("%s:%d: no result; run with -rewrite", name, n)
			continue
		}
		if got := outcome(in); got != want {
			t.Errorf("%s:%d: %s\n got %s\nwant %s", name, n, in, got, want)
		}
	}
}

// testEnv is the fixed surroundings of the tests.
var testEnv = &Env{Format: &types.Format{ExtraFloatDigits: 1, Location: time.UTC}, User: "postgres", Database: "postgres", Schema: "public", Now: 800_000_000_000_000}

// outcome evaluates an expression and prints type and value, or the error.
func outcome(in string) string {
	e, err := parseExpr(in, nil)
	if err != nil {
		return failure(err)
	}
	d, err := EvalConst(e, testEnv)
	if err != nil {
		return failure(err)
	}
	if d.Null {
		return typeName(e.Type().OID) + ": <null>"
	}
	return typeName(e.Type().OID) + ": " + escapeLine(string(types.AppendText(nil, e.Type(), d, testEnv.Format)))
}

func escapeLine(s string) string {
	return strings.NewReplacer(`\`, `\\`, "\n", `\n`).Replace(s)
}

func failure(err error) string {
	if pe, ok := errors.AsType[*pgerror.Error](err); ok {
		return "!" + pe.Code + " " + escapeLine(pe.Message)
	}
	return "!????? " + err.Error()
}

func askPostgres(t *testing.T, name string) {
	ask := oracle(t)
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimRight(string(b), "\n"), "\n")
	for i, line := range lines {
		if line == "" || line[0] == '#' {
			continue
		}
		in, _, _ := strings.Cut(line, arrow)
		lines[i] = in + arrow + ask(strings.TrimPrefix(in, "~ "))
	}
	if err := os.WriteFile(name, []byte(strings.Join(lines, "\n")+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
}

// oracle connects to the PostgreSQL that -postgres names, until the test ends, and skips the
// test where none is named. What it returns says what that makes of an expression.
func oracle(t *testing.T) func(in string) string {
	t.Helper()
	if *postgres == "" && !*rewrite {
		t.Skip("needs -postgres")
	}
	ctx := context.WithoutCancel(t.Context())
	conn, err := pgconn.Connect(ctx, *postgres)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close(ctx) })
	if _, err := conn.Exec(ctx, "SET timezone = 'UTC'; SET extra_float_digits = 1").ReadAll(); err != nil {
		t.Fatal(err)
	}
	return func(in string) string { return askOne(ctx, conn, in) }
}

func askOne(ctx context.Context, conn *pgconn.PgConn, in string) string {
	res, err := conn.Exec(ctx, "SELECT "+in).ReadAll()
	var pe *pgconn.PgError
	switch {
	case errors.As(err, &pe):
		return "!" + pe.Code + " " + escapeLine(pe.Message)
	case err != nil:
		return "!????? " + err.Error()
	}
	typ := typeName(types.OID(res[0].FieldDescriptions[0].DataTypeOID))
	v := res[0].Rows[0][0]
	if v == nil {
		return typ + ": <null>"
	}
	return fmt.Sprintf("%s: %s", typ, escapeLine(string(v)))
}
