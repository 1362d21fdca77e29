package spool

import (
	"iter"
	"sort"

	"velostream/catalog/types"
	"velostream/storage/column"
)

// List is rows in the order in which they were appended, in blocks of a File, which
// several lists may share. For one goroutine.
type List struct {
	file   *File
	ts     []types.Type
	size   int64 // of a block in memory, about
	blocks []Block
	starts []int64 // number of the first row of each block
	tail   *column.Builder
	rows   int64
	bytes  int64 // in memory, of the rows that were written
	most   int64 // of a block
}

// NewList returns an empty list of rows with the column types ts, in blocks of about
// blockBytes.
func (f *File) NewList(ts []types.Type, blockBytes int64) *List {
	return &List{file: f, ts: ts, size: blockBytes, tail: column.NewBuilder(ts, 0)}
}

// Rows is how many rows there are; none in a nil list, which may be read.
func (l *List) Rows() int64 {
	if l == nil {
		return 0
	}
	return l.rows
}

// Types are those of the columns.
func (l *List) Types() []types.Type { return l.ts }

// Bytes is about how much memory the rows would take.
func (l *List) Bytes() int64 { return l.bytes + l.tail.Batch().MemSize() }

// LargestBytes is about how much memory the largest block takes.
func (l *List) LargestBytes() int64 { return l.most }

// Append adds copies of the given rows of b. Errors: those of File.Write.
func (l *List) Append(b *column.Batch, rows []int32) error {
	const few, maxRows = 64, 4096 // rows between looks at the size, and in a block
	for len(rows) > 0 {
		n := min(few, len(rows))
		l.tail.AppendRows(b, rows[:n], column.Insert)
		l.rows, rows = l.rows+int64(n), rows[n:]
		if l.tail.Len() >= maxRows || l.tail.Batch().MemSize() >= l.size {
			if err := l.Flush(); err != nil {
				return err
			}
		}
	}
	return nil
}

// Flush writes what is still in memory.
func (l *List) Flush() error {
	if l.tail.Len() == 0 {
		return nil
	}
	k, err := l.file.Write(l.tail.Batch())
	if err != nil {
		return err
	}
	l.blocks = append(l.blocks, k)
	l.starts = append(l.starts, l.rows-int64(l.tail.Len()))
	n := l.tail.Batch().MemSize()
	l.bytes, l.most = l.bytes+n, max(l.most, n)
	l.tail.Reset()
	return nil
}

// End is Flush after the last row.
func (l *List) End() error {
	err := l.Flush()
	l.tail = column.NewBuilder(l.ts, 0)
	return err
}

// Blocks is how many blocks there are; what was not flushed is in none.
func (l *List) Blocks() int { return len(l.blocks) }

// Block returns the rows of block n.
func (l *List) Block(n int) (*column.Batch, error) { return l.file.Read(l.blocks[n], l.ts) }

// BlockOf is the block that has row n, and the number of the block's first row.
// REQUIRES: End was called, 0 <= n < Rows().
func (l *List) BlockOf(n int64) (block int, first int64) {
	block = sort.Search(len(l.starts), func(k int) bool { return l.starts[k] > n }) - 1
	return block, l.starts[block]
}

// Close frees the file of the list, which no other list may use.
func (l *List) Close() error { return l.file.Close() }

// All yields the rows, by batches that are the caller's. What was not flushed comes last, and is
// valid until the next Append.
func (l *List) All() iter.Seq2[*column.Batch, error] {
	return func(yield func(*column.Batch, error) bool) {
		c := l.Cursor()
		for {
			b, err := c.Next()
			if err != nil {
				yield(nil, err)
				return
			}
			if b == nil || !yield(b, nil) {
				return
			}
		}
	}
}

// Cursor reads the batches of a list one after another.
type Cursor struct {
	list *List
	next int
}

// Cursor returns a cursor before the first batch.
func (l *List) Cursor() Cursor { return Cursor{list: l} }

// Next returns the next batch, nil after the last.
func (c *Cursor) Next() (*column.Batch, error) {
	l := c.list
	if l == nil {
		return nil, nil
	}
	c.next++
	switch n := len(l.blocks); {
	case c.next <= n:
		return l.file.Read(l.blocks[c.next-1], l.ts)
	case c.next == n+1 && l.tail.Len() > 0:
		return l.tail.Batch(), nil
	}
	return nil, nil
}
