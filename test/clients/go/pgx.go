package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// with runs f on a connection of its own.
func (e *env) with(f func(ctx context.Context, c *pgx.Conn) error) func(context.Context) error {
	return func(ctx context.Context) error {
		c, err := pgx.Connect(ctx, e.dsn)
		if err != nil {
			return err
		}
		defer c.Close(ctx)
		return f(ctx, c)
	}
}

// state is an error unless err has the SQLSTATE.
func state(err error, want string) error {
	if err == nil {
		return fmt.Errorf("no error, want %s", want)
	}
	var pe *pgconn.PgError
	if !errors.As(err, &pe) {
		return fmt.Errorf("want %s: %w", want, err)
	}
	if pe.Code != want {
		return fmt.Errorf("SQLSTATE %s, want %s: %w", pe.Code, want, err)
	}
	return nil
}

func (e *env) pgx() error {
	const d, t, f = "pgx", "c_pgx", "feed_pgx"
	if err := e.setup(context.Background(), t, f); err != nil {
		return err
	}
	for name, mode := range map[string]pgx.QueryExecMode{
		"cache statement": pgx.QueryExecModeCacheStatement, "cache describe": pgx.QueryExecModeCacheDescribe,
		"describe": pgx.QueryExecModeDescribeExec, "exec": pgx.QueryExecModeExec, "simple": pgx.QueryExecModeSimpleProtocol,
	} {
		e.check(d, "query, mode "+name, e.with(func(ctx context.Context, c *pgx.Conn) error {
			for i := range 3 {
				var s string
				if err := c.QueryRow(ctx, "SELECT v FROM "+t+" WHERE id = $1", mode, i%2+1).Scan(&s); err != nil {
					return err
				}
				if err := same(s, []string{"one", "two"}[i%2]); err != nil {
					return err
				}
			}
			return nil
		}))
	}
	for _, s := range e.types {
		e.check(d, "type "+s.kind+" "+s.text, e.with(func(ctx context.Context, c *pgx.Conn) error { return pgxType(ctx, c, s) }))
	}
	for _, s := range states {
		e.check(d, "error "+s.state, e.with(func(ctx context.Context, c *pgx.Conn) error {
			_, err := c.Exec(ctx, strings.ReplaceAll(s.sql, "%s", t))
			return state(err, s.state)
		}))
	}
	e.check(d, "error 57014, statement_timeout", e.with(func(ctx context.Context, c *pgx.Conn) error {
		if _, err := c.Exec(ctx, "SET statement_timeout = 50"); err != nil {
			return err
		}
		_, err := c.Exec(ctx, "SELECT pg_sleep(5)")
		return state(err, "57014")
	}))
	e.check(d, "prepared reuse", e.with(pgxPrepared))
	e.check(d, "transaction", e.with(func(ctx context.Context, c *pgx.Conn) error { return pgxTransaction(ctx, c, f) }))
	e.check(d, "failed transaction, COMMIT is ROLLBACK", e.with(pgxFailed))
	e.check(d, "DDL in a transaction", e.with(func(ctx context.Context, c *pgx.Conn) error {
		return pgx.BeginFunc(ctx, c, func(tx pgx.Tx) error {
			for _, q := range []string{"CREATE TABLE ddl_pgx (id int PRIMARY KEY)", "INSERT INTO ddl_pgx VALUES (1)", "DROP TABLE ddl_pgx"} {
				if _, err := tx.Exec(ctx, q); err != nil {
					return err
				}
			}
			return nil
		})
	}))
	e.check(d, "batch", e.with(func(ctx context.Context, c *pgx.Conn) error { return pgxBatch(ctx, c, t) }))
	e.check(d, "COPY", e.with(func(ctx context.Context, c *pgx.Conn) error { return pgxCopy(ctx, c, f) }))
	e.check(d, "cancel", e.with(pgxCancel))
	e.check(d, "LISTEN/NOTIFY", e.with(func(ctx context.Context, c *pgx.Conn) error {
		if _, err := c.Exec(ctx, "LISTEN news_pgx"); err != nil {
			return err
		}
		if _, err := c.Exec(ctx, "SELECT pg_notify($1, $2)", "news_pgx", "hello"); err != nil {
			return err
		}
		n, err := c.WaitForNotification(ctx)
		if err != nil {
			return err
		}
		return same(n.Channel+n.Payload, "news_pgxhello")
	}))
	e.check(d, "LoadType", e.with(func(ctx context.Context, c *pgx.Conn) error {
		_, err := c.LoadType(ctx, "_numeric")
		return err
	}))
	if !e.streaming {
		return nil
	}
	for name, q := range map[string]string{"EMIT CHANGES": "SELECT id FROM " + f + " EMIT CHANGES", "SUBSCRIBE": "SUBSCRIBE TO (SELECT id FROM " + f + ")"} {
		for mode, m := range map[string]pgx.QueryExecMode{"extended": pgx.QueryExecModeCacheStatement, "simple": pgx.QueryExecModeSimpleProtocol} {
			e.check(d, name+", "+mode, func(ctx context.Context) error { return e.pgxLive(ctx, q, m, f) })
		}
	}
	e.check(d, "EMIT CHANGES by COPY", func(ctx context.Context) error { return e.pgxCopyLive(ctx, f) })
	return nil
}

// pgxType reads a value in the format pgx prefers, sends it back, and reads the
// text of both.
func pgxType(ctx context.Context, c *pgx.Conn, s sample) error {
	if _, err := c.Exec(ctx, "SET TIME ZONE 'UTC'"); err != nil {
		return err
	}
	lit := "'" + strings.ReplaceAll(s.text, "'", "''") + "'::" + s.kind
	rows, err := c.Query(ctx, "SELECT "+lit)
	if err != nil {
		return err
	}
	list, err := pgx.CollectRows(rows, func(r pgx.CollectableRow) (any, error) {
		v, err := r.Values()
		if err != nil {
			return nil, err
		}
		return v[0], nil
	})
	if err != nil {
		return err
	}
	var got, want string
	if err := c.QueryRow(ctx, "SELECT ($1::"+s.kind+")::text, ("+lit+")::text", list[0]).Scan(&got, &want); err != nil {
		return err
	}
	if s.kind == "json" { // pgx writes the decoded value anew, without blanks
		want = strings.ReplaceAll(want, " ", "")
	}
	return same(got, want)
}

func pgxPrepared(ctx context.Context, c *pgx.Conn) error {
	d, err := c.Prepare(ctx, "s", "SELECT $1::int8 + 1 AS n, $2::text")
	if err != nil {
		return err
	}
	if err := same(fmt.Sprintln(d.ParamOIDs, d.Fields[0].Name, d.Fields[0].DataTypeOID), "[20 25] n 20\n"); err != nil {
		return err
	}
	for i := range 10 {
		var n int
		var s string
		if err := c.QueryRow(ctx, "s", i, "x").Scan(&n, &s); err != nil {
			return err
		}
		if err := same(n, i+1); err != nil {
			return err
		}
	}
	return c.Deallocate(ctx, "s")
}

func pgxTransaction(ctx context.Context, c *pgx.Conn, t string) error {
	err := pgx.BeginTxFunc(ctx, c, pgx.TxOptions{IsoLevel: pgx.Serializable}, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "INSERT INTO "+t+" VALUES ($1, $2)", 1, "kept"); err != nil {
			return err
		}
		inner, err := tx.Begin(ctx)
		if err != nil {
			return err
		}
		_, err = inner.Exec(ctx, "INSERT INTO "+t+" VALUES (1, 'twice')")
		if err := state(err, "23505"); err != nil {
			return err
		}
		if err := inner.Rollback(ctx); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, "INSERT INTO "+t+" VALUES (2, 'kept')")
		return err
	})
	if err != nil {
		return err
	}
	tag, err := c.Exec(ctx, "DELETE FROM "+t)
	if err != nil {
		return err
	}
	return same(tag, "DELETE 2")
}

func pgxFailed(ctx context.Context, c *pgx.Conn) error {
	tx, err := c.Begin(ctx)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, "SELECT 1/0")
	if err := state(err, "22012"); err != nil {
		return err
	}
	_, err = tx.Exec(ctx, "SELECT 1")
	if err := state(err, "25P02"); err != nil {
		return err
	}
	if err := tx.Commit(ctx); !errors.Is(err, pgx.ErrTxCommitRollback) {
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}

func pgxBatch(ctx context.Context, c *pgx.Conn, t string) error {
	b := &pgx.Batch{}
	for i := range 5 {
		b.Queue("SELECT v FROM "+t+" WHERE id = $1", i%2+1)
	}
	b.Queue("SELECT 1/0")
	b.Queue("SELECT 1")
	r := c.SendBatch(ctx, b)
	for i := range 5 {
		var s string
		if err := r.QueryRow().Scan(&s); err != nil {
			return err
		}
		if err := same(s, []string{"one", "two"}[i%2]); err != nil {
			return err
		}
	}
	if err := state(r.Close(), "22012"); err != nil {
		return err
	}
	return c.Ping(ctx)
}

func pgxCopy(ctx context.Context, c *pgx.Conn, t string) error {
	n, err := c.CopyFrom(ctx, pgx.Identifier{t}, []string{"id", "v"}, pgx.CopyFromRows([][]any{{1, "a"}, {2, nil}, {3, "c"}}))
	if err != nil {
		return err
	}
	if err := same(n, 3); err != nil {
		return err
	}
	var out bytes.Buffer
	if _, err := c.PgConn().CopyTo(ctx, &out, "COPY (SELECT * FROM "+t+" ORDER BY id) TO STDOUT"); err != nil {
		return err
	}
	if err := same(out.String(), "1\ta\n2\t\\N\n3\tc\n"); err != nil {
		return err
	}
	_, err = c.CopyFrom(ctx, pgx.Identifier{t}, []string{"id", "v"}, pgx.CopyFromRows([][]any{{9, "a"}, {1, "twice"}}))
	if err := state(err, "23505"); err != nil {
		return err
	}
	tag, err := c.Exec(ctx, "DELETE FROM "+t)
	if err != nil {
		return err
	}
	return same(tag, "DELETE 3")
}

// pgxCancel sends a cancel request and goes on with the connection.
func pgxCancel(ctx context.Context, c *pgx.Conn) error {
	asked := make(chan error, 1)
	time.AfterFunc(300*time.Millisecond, func() { asked <- c.PgConn().CancelRequest(ctx) })
	start := time.Now()
	_, err := c.Exec(ctx, "SELECT pg_sleep(5)")
	if err := state(err, "57014"); err != nil {
		return err
	}
	if late := time.Since(start); late > 2*time.Second {
		return fmt.Errorf("cancelled after %s", late)
	}
	if err := <-asked; err != nil {
		return err
	}
	return c.Ping(ctx)
}

func (e *env) pgxLive(ctx context.Context, q string, mode pgx.QueryExecMode, t string) error {
	c, err := pgx.Connect(ctx, e.dsn)
	if err != nil {
		return err
	}
	defer c.Close(context.Background())
	fed := e.feed(ctx, t)
	live, stop := context.WithTimeout(ctx, 6*time.Second)
	defer stop()
	rows, err := c.Query(live, q, mode)
	if err != nil {
		return errors.Join(err, e.end(ctx, fed, t))
	}
	at := len(rows.FieldDescriptions()) - 1
	for rows.Next() {
		v, err := rows.Values()
		if err != nil {
			return err
		}
		id, _ := v[at].(int32)
		if fed.saw(int(id)) {
			stop()
		}
	}
	if err := rows.Err(); err != nil && live.Err() == nil {
		return err
	}
	return e.end(ctx, fed, t)
}

// seen is a writer of lines of COPY.
type seen struct {
	f    *feeder
	stop func()
}

func (s seen) Write(p []byte) (int, error) {
	for line := range strings.Lines(string(p)) {
		var id int
		if _, err := fmt.Sscan(line, &id); err == nil && s.f.saw(id) {
			s.stop()
		}
	}
	return len(p), nil
}

func (e *env) pgxCopyLive(ctx context.Context, t string) error {
	c, err := pgx.Connect(ctx, e.dsn)
	if err != nil {
		return err
	}
	defer c.Close(context.Background())
	fed := e.feed(ctx, t)
	live, stop := context.WithTimeout(ctx, 6*time.Second)
	defer stop()
	_, err = c.PgConn().CopyTo(live, seen{fed, stop}, "COPY (SELECT id FROM "+t+" EMIT CHANGES) TO STDOUT")
	if err != nil && live.Err() == nil {
		return err
	}
	return e.end(ctx, fed, t)
}
