package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/lib/pq"
)

// pqState is an error unless err has the SQLSTATE.
func pqState(err error, want string) error {
	if err == nil {
		return fmt.Errorf("no error, want %s", want)
	}
	var pe *pq.Error
	if !errors.As(err, &pe) {
		return fmt.Errorf("want %s: %w", want, err)
	}
	if string(pe.Code) != want {
		return fmt.Errorf("SQLSTATE %s, want %s: %w", pe.Code, want, err)
	}
	return nil
}

// dsnFor gives lib/pq its own default away: it asks for TLS.
func (e *env) dsnFor(options string) string {
	dsn := e.dsn
	if !strings.Contains(dsn, "sslmode=") {
		options = strings.TrimPrefix(options+"&sslmode=disable", "&")
	}
	if options == "" {
		return dsn
	}
	if strings.Contains(dsn, "?") {
		return dsn + "&" + options
	}
	return dsn + "?" + options
}

func (e *env) pq() error {
	const t, f = "c_pq", "feed_pq"
	if err := e.setup(context.Background(), t, f); err != nil {
		return err
	}
	for d, options := range map[string]string{"libpq-go": "", "libpq-go-binary": "binary_parameters=yes"} {
		if err := e.pqMode(strings.Replace(d, "libpq-go", "lib/pq", 1), e.dsnFor(options), t, f); err != nil {
			return err
		}
	}
	return nil
}

func (e *env) pqMode(d, dsn, t, f string) error {
	db, err := sql.Open("postgres", dsn)
	if err != nil {
		return err
	}
	defer db.Close()
	e.check(d, "simple and parameters", func(ctx context.Context) error {
		var n int
		var s string
		if err := db.QueryRowContext(ctx, "SELECT 1, 'a'").Scan(&n, &s); err != nil {
			return err
		}
		if err := db.QueryRowContext(ctx, "SELECT v FROM "+t+" WHERE id = $1", 2).Scan(&s); err != nil {
			return err
		}
		return same(s, "two")
	})
	e.check(d, "several results of one string", func(ctx context.Context) error {
		rows, err := db.QueryContext(ctx, "SELECT 1; SELECT 'a', 'b'")
		if err != nil {
			return err
		}
		defer rows.Close()
		n := 0
		for more := true; more; more = rows.NextResultSet() {
			for rows.Next() {
				n++
			}
		}
		return errors.Join(rows.Err(), same(n, 2))
	})
	for _, s := range e.types {
		e.check(d, "type "+s.kind+" "+s.text, func(ctx context.Context) error { return pqType(ctx, db, s) })
	}
	for _, s := range states {
		e.check(d, "error "+s.state, func(ctx context.Context) error {
			_, err := db.ExecContext(ctx, strings.ReplaceAll(s.sql, "%s", t))
			return pqState(err, s.state)
		})
	}
	e.check(d, "prepared reuse", func(ctx context.Context) error {
		s, err := db.PrepareContext(ctx, "SELECT $1::int8 + 1")
		if err != nil {
			return err
		}
		defer s.Close()
		for i := range 10 {
			var n int
			if err := s.QueryRowContext(ctx, i).Scan(&n); err != nil {
				return err
			}
			if err := same(n, i+1); err != nil {
				return err
			}
		}
		return nil
	})
	e.check(d, "column types", func(ctx context.Context) error { return pqColumns(ctx, db) })
	e.check(d, "transaction", func(ctx context.Context) error { return pqTransaction(ctx, db, f) })
	e.check(d, "COPY", func(ctx context.Context) error { return pqCopy(ctx, db, f) })
	e.check(d, "cancel", func(ctx context.Context) error {
		short, done := context.WithTimeout(ctx, 300*time.Millisecond)
		defer done()
		start := time.Now()
		_, err := db.ExecContext(short, "SELECT pg_sleep(5)")
		if err == nil || time.Since(start) > 2*time.Second {
			return fmt.Errorf("after %s: %w", time.Since(start), err)
		}
		return db.PingContext(ctx)
	})
	e.check(d, "LISTEN/NOTIFY", func(ctx context.Context) error { return pqListen(ctx, db, dsn) })
	if e.streaming {
		e.check(d, "EMIT CHANGES", func(ctx context.Context) error { return e.pqLive(ctx, db, "SELECT id FROM "+f+" EMIT CHANGES", f) })
		e.check(d, "SUBSCRIBE", func(ctx context.Context) error { return e.pqLive(ctx, db, "SUBSCRIBE TO (SELECT id FROM "+f+")", f) })
	}
	return nil
}

func pqType(ctx context.Context, db *sql.DB, s sample) error {
	c, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	if _, err := c.ExecContext(ctx, "SET TIME ZONE 'UTC'"); err != nil {
		return err
	}
	var v any
	if err := c.QueryRowContext(ctx, "SELECT $1::"+s.kind, s.text).Scan(&v); err != nil {
		return err
	}
	if s.kind != "bytea" {
		if b, ok := v.([]byte); ok {
			v = string(b)
		}
	}
	if s.kind == "time" {
		v = s.text // read as a time of the year 0, which is not a time of day
	}
	lit := "'" + strings.ReplaceAll(s.text, "'", "''") + "'::" + s.kind
	if s.kind == "bytea" {
		lit = "'\\x00ff10'::bytea"
		v = []byte{0, 0xff, 0x10}
	}
	var got, want string
	if err := c.QueryRowContext(ctx, "SELECT ($1::"+s.kind+")::text, ("+lit+")::text", v).Scan(&got, &want); err != nil {
		return err
	}
	return same(got, want)
}

func pqColumns(ctx context.Context, db *sql.DB) error {
	rows, err := db.QueryContext(ctx, "SELECT 1.5::numeric(10,2) AS n, 'a'::varchar(7) AS s, now() AS t")
	if err != nil {
		return err
	}
	defer rows.Close()
	types, err := rows.ColumnTypes()
	if err != nil {
		return err
	}
	p, sc, _ := types[0].DecimalSize()
	l, _ := types[1].Length()
	return same(fmt.Sprintln(types[0].DatabaseTypeName(), p, sc, types[1].DatabaseTypeName(), l, types[2].DatabaseTypeName()), "NUMERIC 10 2 VARCHAR 7 TIMESTAMPTZ\n")
}

func pqTransaction(ctx context.Context, db *sql.DB, t string) error {
	tx, err := db.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelSerializable})
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	for _, q := range []string{"INSERT INTO " + t + " VALUES (1, 'kept')", "SAVEPOINT a"} {
		if _, err := tx.ExecContext(ctx, q); err != nil {
			return err
		}
	}
	_, err = tx.ExecContext(ctx, "INSERT INTO "+t+" VALUES (1, 'twice')")
	if err := pqState(err, "23505"); err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, "SELECT 1")
	if err := pqState(err, "25P02"); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, "ROLLBACK TO SAVEPOINT a"); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return err
	}
	res, err := db.ExecContext(ctx, "DELETE FROM "+t)
	if err != nil {
		return err
	}
	n, _ := res.RowsAffected()
	return same(n, 1)
}

func pqCopy(ctx context.Context, db *sql.DB, t string) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	s, err := tx.PrepareContext(ctx, pq.CopyIn(t, "id", "v"))
	if err != nil {
		return err
	}
	for i := range 100 {
		if _, err := s.ExecContext(ctx, i, "tab\there"); err != nil {
			return err
		}
	}
	if _, err := s.ExecContext(ctx); err != nil {
		return err
	}
	if err := s.Close(); err != nil {
		return err
	}
	var n int
	if err := tx.QueryRowContext(ctx, "SELECT count(*) FROM "+t+" WHERE v = E'tab\\there'").Scan(&n); err != nil {
		return err
	}
	return same(n, 100)
}

func pqListen(ctx context.Context, db *sql.DB, dsn string) error {
	l := pq.NewListener(dsn, time.Second, time.Second, nil)
	defer l.Close()
	if err := l.Listen("news_pq"); err != nil {
		return err
	}
	if _, err := db.ExecContext(ctx, "SELECT pg_notify('news_pq', 'hello')"); err != nil {
		return err
	}
	select {
	case n := <-l.Notify:
		return same(n.Channel+n.Extra, "news_pqhello")
	case <-time.After(3 * time.Second):
		return errors.New("no notification in 3 s")
	}
}

func (e *env) pqLive(ctx context.Context, db *sql.DB, q, t string) error {
	fed := e.feed(ctx, t)
	live, stop := context.WithTimeout(ctx, 6*time.Second)
	defer stop()
	rows, err := db.QueryContext(live, q)
	if err != nil {
		return errors.Join(err, e.end(ctx, fed, t))
	}
	defer rows.Close()
	cols, err := rows.Columns()
	if err != nil {
		return err
	}
	dest := make([]any, len(cols))
	for i := range dest {
		dest[i] = new(any)
	}
	var id int
	dest[len(dest)-1] = &id
	for rows.Next() {
		if err := rows.Scan(dest...); err != nil {
			return err
		}
		if fed.saw(id) {
			stop()
		}
	}
	if err := rows.Err(); err != nil && live.Err() == nil {
		return err
	}
	return e.end(ctx, fed, t)
}
