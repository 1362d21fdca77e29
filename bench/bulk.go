package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"time"
)

// bulk compares how many rows a second leave and enter the server. What comes
// is only counted, by message, so the client costs little.
func bulk(ctx context.Context, b *bench) error {
	ours, other, stop, err := b.both(ctx, "bulk")
	if err != nil {
		return err
	}
	defer stop()
	data := bulkData(b.bulk)
	load := func(t target) func() (sample, error) {
		return func() (sample, error) {
			c, err := dial(ctx, t.dsn)
			if err != nil {
				return sample{}, err
			}
			defer c.Close(context.Background())
			if err := c.exec(ctx, "DROP TABLE IF EXISTS bulk"); err != nil {
				return sample{}, err
			}
			if err := c.exec(ctx, "CREATE TABLE bulk (id bigint PRIMARY KEY, symbol text, price numeric(18,2), qty integer, at timestamptz)"); err != nil {
				return sample{}, err
			}
			return timed(t.cpu, func() error {
				tag, err := c.CopyFrom(ctx, bytes.NewReader(data), "COPY bulk FROM STDIN")
				if err == nil && tag.RowsAffected() != int64(b.bulk) {
					return fmt.Errorf("COPY took %d rows", tag.RowsAffected())
				}
				return err
			})
		}
	}
	list, err := pairs(b.reps, load(ours), load(other))
	if err != nil {
		return err
	}
	add := func(work string, list []pair) {
		r := rates(work, "/s", "PostgreSQL", b.bulk, list, false)
		r.Ship, r.Aim = 1, 2
		b.add(r)
	}
	add("COPY in, 5 columns", list)
	for _, q := range []struct{ work, sql string }{
		{"SELECT all, text", "SELECT * FROM bulk"},
		{"COPY out, text", "COPY bulk TO STDOUT"},
		{"SELECT one column of five, text", "SELECT qty FROM bulk"},
		{"SELECT count, sum GROUP BY symbol", "SELECT symbol, count(*), sum(qty) FROM bulk GROUP BY symbol"},
	} {
		read := func(t target) func() (sample, error) {
			return func() (sample, error) {
				return timed(t.cpu, func() error { return readAll(ctx, t.dsn, q.sql) })
			}
		}
		if list, err = pairs(b.reps, read(ours), read(other)); err != nil {
			return fmt.Errorf("%s: %w", q.work, err)
		}
		add(q.work, list)
	}
	return nil
}

// bulkData is rows in COPY's text format.
func bulkData(n int) []byte {
	var data []byte
	for i := range n {
		data = fmt.Appendf(data, "%d\tSYM%03d\t%d.%02d\t%d\t%s\n", i, i%100, 100+i%50, i%100, 1+i%500,
			tradesBase.Add(time.Duration(i)*time.Millisecond).Format("2006-01-02 15:04:05.000+00"))
	}
	return data
}

// readAll runs a query and passes over what comes, message by message.
func readAll(ctx context.Context, dsn, sql string) error {
	c, err := dial(ctx, dsn)
	if err != nil {
		return err
	}
	h, err := c.Hijack()
	if err != nil {
		return err
	}
	defer h.Conn.Close()
	msg := binary.BigEndian.AppendUint32([]byte{'Q'}, uint32(5+len(sql)))
	if _, err := h.Conn.Write(append(append(msg, sql...), 0)); err != nil {
		return err
	}
	r := bufio.NewReaderSize(h.Conn, 64<<10)
	var head [5]byte
	for {
		if _, err := io.ReadFull(r, head[:]); err != nil {
			return err
		}
		n := int(binary.BigEndian.Uint32(head[1:])) - 4
		switch head[0] {
		case 'Z':
			return nil
		case 'E':
			body := make([]byte, n)
			_, _ = io.ReadFull(r, body)
			return fmt.Errorf("%s: %q", sql, body)
		}
		if _, err := r.Discard(n); err != nil {
			return err
		}
	}
}
