package enginetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"velostream/engine"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// rowsOf runs one statement by the simple protocol and returns its rows as text.
func rowsOf(t *testing.T, c *pgx.Conn, sql string) [][]string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	res, err := c.PgConn().Exec(ctx, sql).ReadAll()
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	var out [][]string
	for _, row := range res[len(res)-1].Rows {
		var r []string
		for _, v := range row {
			r = append(r, string(v))
		}
		out = append(out, r)
	}
	return out
}

// failure runs what must fail and returns its error.
func failure(t *testing.T, c *pgx.Conn, sql string) *pgconn.PgError {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	_, err := c.PgConn().Exec(ctx, sql).ReadAll()
	var e *pgconn.PgError
	if !errors.As(err, &e) {
		t.Fatalf("%s: %v", sql, err)
	}
	return e
}

// TestCursorSpool: a scrolling cursor goes on in a file without a name, up to
// temp_file_limit; one that was not declared so becomes forward only.
func TestCursorSpool(t *testing.T) {
	s := Start(t, engine.Options{})
	c := s.Connect()
	const big = "SELECT g, repeat('x', 100) FROM generate_series(1, 200000) g"
	rowsOf(t, c, "BEGIN")
	rowsOf(t, c, "DECLARE c SCROLL CURSOR FOR "+big)
	if r := rowsOf(t, c, "FETCH LAST FROM c"); r[0][0] != "200000" {
		t.Error(r)
	}
	if r := rowsOf(t, c, "FETCH ABSOLUTE 77777 FROM c"); r[0][0] != "77777" {
		t.Error(r)
	}
	if r := rowsOf(t, c, "FETCH BACKWARD 3 FROM c"); len(r) != 3 || r[2][0] != "77774" {
		t.Error(r)
	}
	if files, _ := os.ReadDir(filepath.Join(s.Options.DataDir, "tmp")); len(files) != 0 {
		t.Errorf("files are left: %v", files)
	}
	rowsOf(t, c, "DECLARE d CURSOR FOR "+big)
	if r := rowsOf(t, c, "FETCH ABSOLUTE 190000 FROM d"); r[0][0] != "190000" {
		t.Error(r)
	}
	if e := failure(t, c, "FETCH FIRST FROM d"); e.Code != "55000" || e.Hint == "" {
		t.Error(e, e.Hint)
	}
	rowsOf(t, c, "ROLLBACK")
	rowsOf(t, c, "SET temp_file_limit = '2MB'")
	rowsOf(t, c, "BEGIN")
	rowsOf(t, c, "DECLARE c SCROLL CURSOR FOR "+big)
	if e := failure(t, c, "FETCH LAST FROM c"); e.Code != "53400" || e.Hint == "" {
		t.Error(e, e.Hint)
	}
	rowsOf(t, c, "ROLLBACK; BEGIN")
	rowsOf(t, c, "DECLARE h CURSOR WITH HOLD FOR "+big)
	if e := failure(t, c, "COMMIT"); e.Code != "53400" {
		t.Error(e)
	}
	if e := failure(t, c, "FETCH 1 FROM h"); e.Code != "34000" {
		t.Error(e)
	}
}

// TestBinaryCursor: the rows of a binary cursor are binary in the simple
// protocol too, and a cursor is described as a portal.
func TestBinaryCursor(t *testing.T) {
	c := Start(t, engine.Options{}).Connect()
	rowsOf(t, c, "BEGIN")
	rowsOf(t, c, "DECLARE c BINARY CURSOR FOR SELECT 258::int4, 'ab'::text")
	res, err := c.PgConn().Exec(t.Context(), "FETCH 1 FROM c").ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if f := res[0].FieldDescriptions; f[0].Format != 1 || !bytes.Equal(res[0].Rows[0][0], []byte{0, 0, 1, 2}) {
		t.Errorf("%v %v", f, res[0].Rows)
	}
}

// TestCursorContinuous: FETCH n of a query without an end waits for n rows,
// with a timeout it returns what came; there is no way back.
func TestCursorContinuous(t *testing.T) {
	s := Start(t, engine.Options{})
	w, c := s.Connect(), s.Connect()
	rowsOf(t, w, "CREATE TABLE t (id int PRIMARY KEY)")
	rowsOf(t, w, "INSERT INTO t VALUES (1), (2)")
	rowsOf(t, c, "BEGIN")
	rowsOf(t, c, "DECLARE c CURSOR FOR SELECT id FROM t EMIT CHANGES")
	if r := rowsOf(t, c, "FETCH 5 FROM c WITH (timeout = '1s')"); len(r) != 2 {
		t.Error(r)
	}
	if r := rowsOf(t, c, "FETCH 5 FROM c WITH (timeout = '100ms')"); len(r) != 0 {
		t.Error(r)
	}
	go func() {
		for i := range 3 {
			time.Sleep(50 * time.Millisecond)
			_, _ = w.Exec(context.Background(), fmt.Sprintf("INSERT INTO t VALUES (%d)", 10+i))
		}
	}()
	if r := rowsOf(t, c, "FETCH 3 FROM c"); len(r) != 3 || r[2][0] != "12" {
		t.Error(r)
	}
	rowsOf(t, c, "SAVEPOINT s")
	for _, d := range []string{"PRIOR", "LAST", "FIRST", "BACKWARD ALL", "RELATIVE -1"} {
		if e := failure(t, c, "FETCH "+d+" FROM c"); e.Code != "55000" {
			t.Error(d, e)
		}
		rowsOf(t, c, "ROLLBACK TO s")
	}
	if e := failure(t, c, "DECLARE d SCROLL CURSOR FOR SELECT id FROM t EMIT CHANGES"); e.Code != "0A000" || e.Position == 0 {
		t.Error(e)
	}
	rowsOf(t, c, "ROLLBACK")
	rowsOf(t, c, "DECLARE h CURSOR WITH HOLD FOR SELECT id FROM t EMIT CHANGES")
	if r := rowsOf(t, c, "FETCH 5 FROM h"); len(r) != 5 {
		t.Error(r)
	}
	rowsOf(t, c, "CLOSE h")
}
