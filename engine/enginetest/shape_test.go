package enginetest

import (
	"context"
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"velostream/engine"
	"velostream/pgwire/pgerror"
)

// inText runs a text in simple mode: the first value, "(noRow)", or the SQLSTATE and
// position of the error.
func inText(c *pgx.Conn, sql string) string {
	results, err := c.PgConn().Exec(context.Background(), sql).ReadAll()
	if err != nil {
		return stateOf(err)
	}
	return firstValue(results[len(results)-1])
}

// unnamed runs it as an unnamed statement.
func unnamed(c *pgx.Conn, sql string, oids []uint32, args ...string) string {
	var values [][]byte
	for _, a := range args {
		values = append(values, []byte(a))
	}
	r := c.PgConn().ExecParams(context.Background(), sql, values, oids, nil, nil).Read()
	if r.Err != nil {
		return stateOf(r.Err)
	}
	return firstValue(r)
}

func stateOf(err error) string {
	if e, ok := err.(*pgconn.PgError); ok { //nolint:errorlint // as pgconn gives it
		return fmt.Sprintf("%s at %d", e.Code, e.Position)
	}
	return err.Error()
}

func firstValue(r *pgconn.Result) string {
	if len(r.Rows) == 0 {
		return noRow
	}
	return fmt.Sprintf("%s %d", r.Rows[0][0], r.FieldDescriptions[0].DataTypeOID)
}

const noRow = "(noRow)"

// TestPointShape runs lookups whose text differs in the number alone, while what a
// plan depends on changes between them: each has to be as if it were the first.
func TestPointShape(t *testing.T) {
	s := Start(t, engine.Options{Shards: 2})
	c, other := s.Connect(), s.Connect()
	exec := func(c *pgx.Conn, sql string) {
		t.Helper()
		if _, err := c.PgConn().Exec(context.Background(), sql).ReadAll(); err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
	}
	is := func(got, want string) {
		t.Helper()
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	exec(c, `CREATE TABLE p (a int PRIMARY KEY, v int); CREATE TABLE b (a bigint PRIMARY KEY, v text);
		CREATE TABLE h (a smallint PRIMARY KEY, v int);
		CREATE SCHEMA z; CREATE TABLE z.p (a int PRIMARY KEY, v text);
		INSERT INTO p SELECT g, 10 * g FROM generate_series(0, 99) AS t(g); INSERT INTO b VALUES (7, 'seven'), (99999999999, 'much');
		INSERT INTO h VALUES (7, 70); INSERT INTO z.p VALUES (5, 'five')`)
	const q = "SELECT v FROM p WHERE a = "
	for i := range 30 {
		is(inText(c, fmt.Sprint(q, i, ";")), fmt.Sprint(10*i, " 23"))
		is(inText(c, fmt.Sprint(q, i)), fmt.Sprint(10*i, " 23"))
		is(inText(c, fmt.Sprint("SELECT x.a, v FROM p x WHERE x.a = ", i, " ;")), fmt.Sprint(i, " 23"))
	}
	// Other numbers, and what is no number.
	is(inText(c, q+"999999999;"), noRow)
	is(inText(c, q+"9999999999;"), noRow)
	is(inText(c, q+"99999999999999999999;"), noRow)
	is(inText(c, q+"007;"), "70 23")
	is(inText(c, q+"7.0;"), "70 23")
	is(inText(c, q+"7 + 1;"), "80 23")
	is(inText(c, q+"-7;"), noRow)
	is(inText(c, q+"'7';"), "70 23")
	is(inText(c, q+"NULL;"), noRow)
	is(inText(c, q+";"), fmt.Sprintf("%s at %d", pgerror.SyntaxError, len(q)+1))
	is(inText(c, q+"7;"+q+"8;"), "80 23")
	is(inText(c, q+"7 LIMIT 0"), noRow)
	is(inText(c, "SELECT v FROM b WHERE a = 1"), noRow)
	is(inText(c, "SELECT v FROM b WHERE a = 7"), "seven 25")
	is(inText(c, "SELECT v FROM b WHERE a = 99999999999"), "much 25")
	is(inText(c, "SELECT v FROM h WHERE a = 1"), noRow)
	is(inText(c, "SELECT v FROM h WHERE a = 7"), "70 23")
	is(inText(c, "SELECT v FROM h WHERE a = 70007"), noRow)

	// Unnamed statements, with types declared and without.
	const p = "SELECT v FROM p WHERE a = $1"
	for range 3 {
		is(unnamed(c, p, nil, "4"), "40 23")
		is(unnamed(c, p, []uint32{23}, "4"), "40 23")
		is(unnamed(c, p, []uint32{20}, "4"), "40 23")
		is(unnamed(c, p, nil, "x"), "22P02 at 0")
		is(unnamed(c, p, []uint32{25}, "4"), fmt.Sprintf("42883 at %d", len(p)-3))
		is(unnamed(c, q+"6", nil), "60 23")
	}

	// A transaction: its own changes, its failure.
	exec(c, "BEGIN; UPDATE p SET v = -1 WHERE a = 4; DELETE FROM p WHERE a = 5")
	is(inText(c, q+"4;"), "-1 23")
	is(inText(c, q+"5;"), noRow)
	is(inText(c, q+"6;"), "60 23")
	is(unnamed(c, p, nil, "4"), "-1 23")
	is(inText(other, q+"4;"), "40 23")
	is(inText(c, "SELECT 1/0"), "22012 at 9")
	is(inText(c, q+"4;"), "25P02 at 0")
	is(unnamed(c, p, nil, "4"), "25P02 at 0")
	exec(c, "ROLLBACK")
	is(inText(c, q+"4;"), "40 23")

	// search_path, also when a rollback sets it back.
	exec(c, "BEGIN; SET search_path = z, public")
	is(inText(c, q+"5;"), "five 25")
	is(unnamed(c, p, nil, "5"), "five 25")
	exec(c, "ROLLBACK")
	is(inText(c, q+"5;"), "50 23")
	is(unnamed(c, p, nil, "5"), "50 23")

	// Rights, given and taken by another session, and by SET ROLE.
	exec(c, "CREATE ROLE reader; GRANT SELECT (a) ON p TO reader")
	is(inText(c, q+"5;"), "50 23")
	exec(c, "SET ROLE reader")
	is(inText(c, q+"5;"), "42501 at 0")
	exec(other, "GRANT SELECT ON p TO reader")
	is(inText(c, q+"5;"), "50 23")
	is(unnamed(c, p, nil, "5"), "50 23")
	exec(other, "REVOKE SELECT ON p FROM reader")
	is(inText(c, q+"5;"), "42501 at 0")
	is(unnamed(c, p, nil, "5"), "42501 at 0")
	exec(c, "RESET ROLE")
	is(inText(c, q+"5;"), "50 23")

	// Definitions that another session changes; a named statement of the same text.
	if _, err := c.PgConn().Prepare(context.Background(), "named", q+"5;", nil); err != nil {
		t.Fatal(err)
	}
	is(firstValue(c.PgConn().ExecPrepared(context.Background(), "named", nil, nil, nil).Read()), "50 23")
	is(inText(c, q+"6;"), "60 23")
	is(firstValue(c.PgConn().ExecPrepared(context.Background(), "named", nil, nil, nil).Read()), "50 23")
	exec(other, "ALTER TABLE p ADD COLUMN w int; UPDATE p SET w = 3 WHERE a = 6")
	is(firstValue(c.PgConn().ExecPrepared(context.Background(), "named", nil, nil, nil).Read()), "50 23")
	is(inText(c, q+"6;"), "60 23")
	exec(other, "DROP TABLE p; CREATE TABLE p (v text, a bigint PRIMARY KEY); INSERT INTO p VALUES ('new', 6)")
	is(inText(c, q+"6;"), "new 25")
	is(unnamed(c, p, nil, "6"), "new 25")
	is(stateOf(c.PgConn().ExecPrepared(context.Background(), "named", nil, nil, nil).Read().Err), "0A000 at 0")
	exec(other, "DROP TABLE p")
	is(inText(c, q+"6;"), "42P01 at 15")
	is(unnamed(c, p, nil, "6"), "42P01 at 15")
}

// TestPointShapeOwnDefinitions runs lookups between a block's own definitions, which
// change what their text means although no relation they read has changed.
func TestPointShapeOwnDefinitions(t *testing.T) {
	s := Start(t, engine.Options{Shards: 1})
	c := s.Connect()
	const q, p = "SELECT v FROM p WHERE a = ", "SELECT v FROM p WHERE a = $1"
	for _, step := range [][2]string{
		{"CREATE SCHEMA z; CREATE TABLE p (a int PRIMARY KEY, v int); INSERT INTO p VALUES (4, 40), (5, 50); SET search_path = z, public", ""},
		{q + "4", "40 23"},
		{p, "50 23"},
		{"BEGIN; CREATE TABLE z.p (a int PRIMARY KEY, v text); INSERT INTO z.p VALUES (5, 'five')", ""},
		{q + "5", "five 25"},
		{p, "five 25"},
		{q + "4", noRow},
		{"SAVEPOINT before; ALTER TABLE z.p RENAME COLUMN v TO w", ""},
		{q + "5", "42703 at 8"},
		{"ROLLBACK TO before", ""},
		{q + "5", "five 25"},
		{"ALTER TABLE z.p RENAME TO other", ""},
		{q + "5", "50 23"},
		{p, "50 23"},
		{"ROLLBACK", ""},
		{q + "5", "50 23"},
		{p, "50 23"},
	} {
		got := ""
		switch sql := step[0]; {
		case sql == p:
			got = unnamed(c, p, nil, "5")
		case step[1] == "":
			if _, err := c.PgConn().Exec(context.Background(), sql).ReadAll(); err != nil {
				t.Fatalf("%s: %v", sql, err)
			}
		default:
			got = inText(c, sql)
		}
		if got != step[1] {
			t.Errorf("%s: %q, want %q", step[0], got, step[1])
		}
	}
}
