package pgwire

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

func connectPgx(t testing.TB, url string) *pgx.Conn {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	c, err := pgx.Connect(ctx, url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close(context.Background()) })
	return c
}

var pgxModes = []string{"cache_statement", "cache_describe", "describe_exec", "exec", "simple_protocol"}

func TestPgxModes(t *testing.T) {
	s := startServer(t)
	for _, mode := range pgxModes {
		t.Run(mode, func(t *testing.T) {
			c := connectPgx(t, s.url("default_query_exec_mode="+mode))
			for range 3 { // the second time the caches serve
				checkPgxRows(t, c)
			}
			tag, err := c.Exec(t.Context(), "insert 7")
			if err != nil || tag.String() != "INSERT 0 7" {
				t.Errorf("tag %q, %v", tag, err)
			}
			_, err = c.Exec(t.Context(), "error 23505 twice")
			var pe *pgconn.PgError
			if !errors.As(err, &pe) || pe.Code != "23505" || pe.Message != "twice" || pe.Detail != "the detail" || pe.Hint != "the hint" ||
				pe.Position != 3 || pe.SchemaName != "s" || pe.TableName != "t" || pe.ColumnName != "c" || pe.ConstraintName != "n" ||
				pe.Where != "somewhere" || pe.Severity != "ERROR" || pe.SeverityUnlocalized != "ERROR" {
				t.Errorf("error %#v", err)
			}
			if err := c.Ping(t.Context()); err != nil {
				t.Errorf("ping: %v", err)
			}
		})
	}
}

func checkPgxRows(t *testing.T, c *pgx.Conn) {
	t.Helper()
	rows, err := c.Query(t.Context(), "rows 250")
	if err != nil {
		t.Fatal(err)
	}
	var n int64
	for rows.Next() {
		n++
		var id int64
		var name *string
		var f float64
		var ts time.Time
		var ok bool
		if err := rows.Scan(&id, &name, &f, &ts, &ok); err != nil {
			t.Fatal(err)
		}
		if id != n || f != float64(n)/2 || !ok || (name == nil) != (n%10 == 0) ||
			!ts.Equal(time.Date(2000, 1, 1, 0, 0, int(n), 0, time.UTC)) {
			t.Fatalf("row %d is %d %v %v %v %v", n, id, name, f, ts, ok)
		}
	}
	if rows.Err() != nil || n != 250 || rows.CommandTag().String() != "SELECT 250" {
		t.Fatalf("%d rows, tag %q, %v", n, rows.CommandTag(), rows.Err())
	}
}

func TestPgxArgumentsBothWays(t *testing.T) {
	s := startServer(t)
	c := connectPgx(t, s.url(""))
	when := time.Date(2024, 2, 29, 12, 34, 56, 789000, time.UTC)
	var i2 int16
	var i4 int32
	var i8 int64
	var txt string
	var f8 float64
	var b bool
	var by []byte
	var ts time.Time
	var arr []int32
	var null *string
	err := c.QueryRow(t.Context(), "cols int2 int4 int8 text float8 bool bytea timestamptz int4[] text",
		int16(-2), int32(70000), int64(1)<<40, "naïve", 1.5, true, []byte{0, 255}, when, []int32{1, -2, 3}, nil).
		Scan(&i2, &i4, &i8, &txt, &f8, &b, &by, &ts, &arr, &null)
	if err != nil {
		t.Fatal(err)
	}
	if i2 != -2 || i4 != 70000 || i8 != 1<<40 || txt != "naïve" || f8 != 1.5 || !b || string(by) != "\x00\xff" ||
		!ts.Equal(when) || len(arr) != 3 || arr[1] != -2 || null != nil {
		t.Error(i2, i4, i8, txt, f8, b, by, ts, arr, null)
	}
}

func TestPgxTransactionsAndBatches(t *testing.T) {
	s := startServer(t)
	c := connectPgx(t, s.url(""))
	tx, err := c.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(t.Context(), "error 22012 no"); err == nil {
		t.Error("no error")
	}
	if c.PgConn().TxStatus() != 'E' {
		t.Errorf("status %c", c.PgConn().TxStatus())
	}
	if err := tx.Commit(t.Context()); !errors.Is(err, pgx.ErrTxCommitRollback) {
		t.Errorf("commit of a failed transaction: %v", err)
	}
	b := &pgx.Batch{}
	b.Queue("insert 1")
	b.Queue("rows 3")
	b.Queue("cols int4", 5)
	res := c.SendBatch(t.Context(), b)
	if tag, err := res.Exec(); err != nil || tag.RowsAffected() != 1 {
		t.Error(tag, err)
	}
	rows, err := res.Query()
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for rows.Next() {
		n++
	}
	var five int
	if err := res.QueryRow().Scan(&five); err != nil || five != 5 || n != 3 {
		t.Error(n, five, err)
	}
	if err := res.Close(); err != nil {
		t.Error(err)
	}
}

func TestPgxCancelAndStream(t *testing.T) {
	s := startServer(t)
	c := connectPgx(t, s.url(""))
	rows, err := c.Query(t.Context(), "tick 5")
	if err != nil {
		t.Fatal(err)
	}
	for range 3 { // each row comes by itself
		if !rows.Next() {
			t.Fatal(rows.Err())
		}
	}
	if err := c.PgConn().CancelRequest(t.Context()); err != nil {
		t.Fatal(err)
	}
	for rows.Next() {
	}
	var pe *pgconn.PgError
	if !errors.As(rows.Err(), &pe) || pe.Code != "57014" {
		t.Errorf("after the cancel: %v", rows.Err())
	}
	checkPgxRows(t, c)
	if got := s.Stats().CancelRequests; got != 1 {
		t.Errorf("%d cancel requests", got)
	}
}
