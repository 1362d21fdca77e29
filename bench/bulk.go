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
	add := func(work string, list []pair) {
		r := rates(work, "/s", "PostgreSQL", b.bulk, list, false)
		r.Ship, r.Aim = 1, 2
		b.add(r)
	}
	if err := b.bulkIn(ctx, ours, other, add); err != nil {
		return err
	}
	for _, q := range []struct {
		work, sql string
		binary    bool
	}{
		{"SELECT all, text", "SELECT * FROM bulk", false},
		{"SELECT all, binary", "SELECT * FROM bulk", true},
		{"COPY out, text", "COPY bulk TO STDOUT", false},
		{"COPY out, binary", "COPY bulk TO STDOUT (FORMAT binary)", false},
		{"SELECT one column of five, text", "SELECT qty FROM bulk", false},
		{"SELECT count, sum GROUP BY symbol", "SELECT symbol, count(*), sum(qty) FROM bulk GROUP BY symbol", false},
	} {
		read := func(t target) func() (sample, error) {
			return func() (sample, error) {
				return timed(t.cpu, func() error { return readAll(ctx, t.dsn, q.sql, q.binary) })
			}
		}
		list, err := pairs(b.reps, read(ours), read(other))
		if err != nil {
			return fmt.Errorf("%s: %w", q.work, err)
		}
		add(q.work, list)
	}
	return nil
}

const bulkColumns = " (id bigint PRIMARY KEY, symbol text, price numeric(18,2), qty integer, at timestamptz)"

// bulkIn compares the ways in; it leaves the table bulk filled on both.
func (b *bench) bulkIn(ctx context.Context, ours, other target, add func(string, []pair)) error {
	text := bulkData(b.bulk)
	csv := bytes.ReplaceAll(text, []byte("\t"), []byte(","))
	var bin bytes.Buffer
	for _, w := range []struct {
		work, sql string
		data      func() []byte
	}{
		{"COPY in, text", "COPY bulk FROM STDIN", func() []byte { return text }},
		{"COPY in, csv", "COPY bulk FROM STDIN (FORMAT csv)", func() []byte { return csv }},
		{"COPY in, binary", "COPY bulk FROM STDIN (FORMAT binary)", bin.Bytes},
	} {
		list, err := pairs(b.reps, b.loadBulk(ctx, ours, w.sql, w.data()), b.loadBulk(ctx, other, w.sql, w.data()))
		if err != nil {
			return fmt.Errorf("%s: %w", w.work, err)
		}
		add(w.work, list)
		if bin.Len() > 0 {
			continue
		}
		c, err := dial(ctx, other.dsn)
		if err != nil {
			return err
		}
		if _, err := c.CopyTo(ctx, &bin, "COPY bulk TO STDOUT (FORMAT binary)"); err != nil {
			return err
		}
		if err := c.Close(ctx); err != nil {
			return err
		}
	}
	insert := func(t target) func() (sample, error) {
		return func() (sample, error) {
			c, err := dial(ctx, t.dsn)
			if err != nil {
				return sample{}, err
			}
			defer c.Close(context.Background())
			if err := c.exec(ctx, "DROP TABLE IF EXISTS bulk2; CREATE TABLE bulk2"+bulkColumns); err != nil {
				return sample{}, err
			}
			return timed(t.cpu, func() error { return c.exec(ctx, "INSERT INTO bulk2 SELECT * FROM bulk") })
		}
	}
	list, err := pairs(b.reps, insert(ours), insert(other))
	if err != nil {
		return err
	}
	add("INSERT … SELECT", list)
	return nil
}

// loadBulk times a COPY into a fresh table.
func (b *bench) loadBulk(ctx context.Context, t target, sql string, data []byte) func() (sample, error) {
	return func() (sample, error) {
		c, err := dial(ctx, t.dsn)
		if err != nil {
			return sample{}, err
		}
		defer c.Close(context.Background())
		if err := c.exec(ctx, "DROP TABLE IF EXISTS bulk; CREATE TABLE bulk"+bulkColumns); err != nil {
			return sample{}, err
		}
		return timed(t.cpu, func() error {
			tag, err := c.CopyFrom(ctx, bytes.NewReader(data), sql)
			if err == nil && tag.RowsAffected() != int64(b.bulk) {
				return fmt.Errorf("COPY took %d rows", tag.RowsAffected())
			}
			return err
		})
	}
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
func readAll(ctx context.Context, dsn, sql string, binaryResult bool) error {
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
	msg = append(append(msg, sql...), 0)
	if binaryResult {
		msg = extended(sql)
	}
	if _, err := h.Conn.Write(msg); err != nil {
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

// extended is Parse, Bind for a binary result, Execute and Sync.
func extended(sql string) []byte {
	message := func(dst []byte, typ byte, body ...byte) []byte {
		return append(binary.BigEndian.AppendUint32(append(dst, typ), uint32(4+len(body))), body...)
	}
	out := message(nil, 'P', append(append([]byte{0}, sql...), 0, 0, 0)...)
	out = message(out, 'B', 0, 0, 0, 0, 0, 0, 0, 1, 0, 1)
	out = message(out, 'E', 0, 0, 0, 0, 0)
	return message(out, 'S')
}
