package session

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"

	"velostream/catalog"
	"velostream/catalog/types"
	"velostream/pgwire/pgerror"
	"velostream/storage/column"
)

// binarySignature begins COPY's binary format; flags and the length of the
// header extension follow
// (https://www.postgresql.org/docs/15/sql-copy.html#id-1.9.3.55.9.4).
const binarySignature = "PGCOPY\n\xff\r\n\x00"

// nextBinary is Next of the binary format.
func (c *copyOutRows) nextBinary(ctx context.Context) (*column.Batch, error) {
	out := c.batch.Cols[0]
	out.Reset()
	c.batch.N = 0
	emit := func(b []byte) {
		if !c.started {
			// As PostgreSQL's: in one message with the first row, where
			// psycopg looks for it.
			c.started = true
			b = slices.Concat([]byte(binarySignature), make([]byte, 8), b)
		}
		out.AppendBytes(b)
		c.batch.N++
	}
	if c.ended {
		return nil, io.EOF
	}
	b, err := c.rows.Next(ctx)
	if errors.Is(err, io.EOF) {
		c.ended = true
		emit([]byte{0xff, 0xff})
		return &c.batch, nil
	}
	if err != nil {
		return nil, err
	}
	for i := range b.Each {
		c.line = binary.BigEndian.AppendUint16(c.line[:0], uint16(len(b.Cols)))
		for _, col := range b.Cols {
			if col.Null(i) {
				c.line = append(c.line, 0xff, 0xff, 0xff, 0xff)
				continue
			}
			from := len(c.line) + 4
			c.line = types.AppendBinary(append(c.line, 0, 0, 0, 0), col.Type, col.Datum(i))
			binary.BigEndian.PutUint32(c.line[from-4:], uint32(len(c.line)-from))
		}
		emit(c.line)
	}
	c.count += b.Rows()
	return &c.batch, nil
}

// binaryReader reads COPY's binary format.
type binaryReader struct {
	r       *bufio.Reader
	rel     string
	want    int
	line    int
	begun   bool
	names   []string // of the columns
	inField bool     // a field is being read, the one after fields
	fields  [][]byte
	arena   []byte
}

func newBinaryReader(r io.Reader, rel *catalog.Relation, columns []int) *binaryReader {
	c := &binaryReader{r: bufio.NewReaderSize(r, 64<<10), rel: rel.Name, want: len(columns)}
	for _, j := range columns {
		c.names = append(c.names, rel.Columns[j].Name)
	}
	return c
}

func (c *binaryReader) number() int   { return c.line }
func (c *binaryReader) where() string { return c.whereAt(uint64(c.line)) }

func (c *binaryReader) whereAt(line uint64) string {
	return fmt.Sprintf("COPY %s, line %d", c.rel, line)
}

// shown says nothing: binary data is not for people.
func (c *binaryReader) shown([]byte) string { return "" }

func (c *binaryReader) value(t types.Type, b []byte, f *types.Format) (types.Datum, error) {
	return types.DecodeBinaryWith(t, b, f)
}

func (c *binaryReader) bad(format string, args ...any) error {
	e := pgerror.New(pgerror.BadCopyFileFormat, format, args...)
	if c.line > 0 {
		e.Where = c.where()
	}
	if n := len(c.fields); c.inField && n < len(c.names) {
		e.Where += ", column " + c.names[n]
	}
	return e
}

// full reads n bytes into the arena.
func (c *binaryReader) full(n int) ([]byte, error) {
	if n > copyLineMax {
		return nil, c.bad("field of %d bytes is longer than %d MB", n, copyLineMax>>20)
	}
	from := len(c.arena)
	for len(c.arena) < from+n {
		// In steps, so that a wrong length does not take memory for nothing.
		step := min(n-(len(c.arena)-from), 1<<20)
		at := len(c.arena)
		c.arena = append(c.arena, make([]byte, step)...)
		if _, err := io.ReadFull(c.r, c.arena[at:]); err != nil {
			return nil, c.cut(err)
		}
	}
	return c.arena[from:len(c.arena):len(c.arena)], nil
}

func (c *binaryReader) cut(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return c.bad("unexpected EOF in COPY data")
	}
	return err
}

func (c *binaryReader) begin() error {
	c.begun = true
	head, err := c.full(len(binarySignature) + 8)
	if err != nil {
		return err
	}
	if string(head[:len(binarySignature)]) != binarySignature {
		return c.bad("COPY file signature not recognized")
	}
	flags := binary.BigEndian.Uint32(head[len(binarySignature):])
	if flags&0xffff0000 != 0 {
		return c.bad("unrecognized critical flags in COPY file header")
	}
	n := int(binary.BigEndian.Uint32(head[len(binarySignature)+4:]))
	_, err = c.full(n)
	return err
}

// next implements copySource.
func (c *binaryReader) next() ([][]byte, error) {
	c.fields, c.arena = c.fields[:0], c.arena[:0]
	if !c.begun {
		if err := c.begin(); err != nil {
			return nil, err
		}
	}
	c.line++
	if _, err := c.r.Peek(1); errors.Is(err, io.EOF) {
		return nil, io.EOF // drivers may leave the end mark out
	}
	head, err := c.full(2)
	if err != nil {
		return nil, err
	}
	n := int(int16(binary.BigEndian.Uint16(head)))
	if n == -1 {
		if k, err := io.Copy(io.Discard, c.r); err != nil || k > 0 {
			return nil, errors.Join(err, c.bad("received copy data after EOF marker"))
		}
		return nil, io.EOF
	}
	if n != c.want {
		return nil, c.bad("row field count is %d, expected %d", n, c.want)
	}
	c.inField = true
	defer func() { c.inField = false }()
	for range n {
		if head, err = c.full(4); err != nil {
			return nil, err
		}
		size := int(int32(binary.BigEndian.Uint32(head)))
		if size == -1 {
			c.fields = append(c.fields, nil)
			continue
		}
		if size < 0 {
			return nil, c.bad("invalid field size")
		}
		v, err := c.full(size)
		if err != nil {
			return nil, err
		}
		if v == nil {
			v = []byte{}
		}
		c.fields = append(c.fields, v)
	}
	return c.fields, nil
}
