package binder_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"velostream/catalog"
	"velostream/engine/sql/ast"
	"velostream/engine/sql/binder"
	"velostream/engine/sql/internal/sqltest"
	"velostream/engine/sql/parser"
	"velostream/pgwire/pgerror"
)

var rewrite = flag.Bool("rewrite", false, "write what comes out into the data files")

// TestErrors: SQLSTATE, position and message of wrong statements. Those of
// errors_postgres.txt are PostgreSQL's own; "differs" marks where we say
// something else on purpose or do not know better yet, with what we say.
func TestErrors(t *testing.T) {
	snap := sqltest.Snapshot(t, sqltest.Schema)
	for _, f := range []string{"testdata/errors_postgres.txt", "testdata/errors_dialect.txt"} {
		cases := sqltest.ReadCases(t, f)
		var pg *pgx.Conn
		if *rewrite && strings.Contains(f, "postgres") {
			pg = postgres(t)
		}
		for _, c := range cases {
			got := bindError(snap, c.SQL)
			if *rewrite {
				c.Want = got
				if pg != nil && c.Has("postgres") {
					c.Want = postgresError(pg, c.SQL)
				}
			}
			if got != c.Want {
				t.Errorf("%s:%d: %s\ngot:  %swant: %s", f, c.Line, c.SQL, got, c.Want)
			}
		}
		if *rewrite {
			sqltest.WriteCases(t, f, cases)
		}
	}
}

func describe(code string, pos int, msg string) string {
	return fmt.Sprintf("%s at %d: %s\n", code, pos, msg)
}

func bindError(snap *catalog.Snapshot, sql string) string {
	_, err := bindAny(binder.Options{Snapshot: snap, SQL: sql}, sql)
	if err == nil {
		return "no error\n"
	}
	e := pgerror.From(err)
	return describe(e.Code, e.Position, e.Message)
}

// bindAny binds a statement and gives its parameter types.
func bindAny(o binder.Options, sql string) (any, error) {
	stmts, err := parser.Parse(sql)
	if err != nil {
		return nil, err
	}
	switch s := stmts[0].Stmt.(type) {
	case *ast.Query:
		return binder.BindQuery(o, s)
	case *ast.Insert, *ast.Update, *ast.Delete, *ast.Merge:
		return binder.BindStatement(o, s)
	}
	return nil, errors.New("no such statement")
}

var watermark = regexp.MustCompile(`,\s*WATERMARK FOR [^;]*\);`)

// postgres connects, and makes the schema in tables that go with the session.
func postgres(t *testing.T) *pgx.Conn {
	t.Helper()
	url := os.Getenv("VELO_TEST_POSTGRES")
	if url == "" {
		url = "postgres://postgres@127.0.0.1:54329/postgres"
	}
	c, err := pgx.Connect(context.Background(), url)
	if err != nil {
		t.Fatalf("-rewrite needs PostgreSQL: %v", err)
	}
	t.Cleanup(func() { _ = c.Close(context.Background()) })
	ddl := watermark.ReplaceAllString(sqltest.Schema, ");")
	ddl = strings.NewReplacer("CREATE STREAM", "CREATE TEMP TABLE", "CREATE TABLE", "CREATE TEMP TABLE", "CREATE VIEW", "CREATE TEMP VIEW", "CREATE MATERIALIZED VIEW", "CREATE TEMP VIEW").Replace(ddl)
	if _, err := c.Exec(context.Background(), ddl); err != nil {
		t.Fatal(err)
	}
	return c
}

func postgresError(c *pgx.Conn, sql string) string {
	_, err := c.Prepare(context.Background(), "", sql)
	var e *pgconn.PgError
	if !errors.As(err, &e) {
		return "no error\n"
	}
	return describe(e.Code, int(e.Position), e.Message)
}
