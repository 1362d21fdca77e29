// Package spool keeps rows on temporary disk space: a result so that it can be read
// again in any order, the first rows in memory and the rest in a file (Spool); what a query
// cannot keep in memory (Disk, File, List).
package spool

import (
	"errors"
	"fmt"
	"sort"

	"velostream/catalog/types"
	"velostream/storage/column"
)

// blockRows and blockBytes are the size of the blocks that rows are kept in.
const (
	blockRows  = 1024
	blockBytes = 256 << 10
)

// Options configure a Spool.
type Options struct {
	Types []types.Type // of the rows' columns
	// MemoryBytes may be in memory, DiskBytes more in a file in Area. Without
	// DiskBytes there is no file.
	MemoryBytes, DiskBytes int64
	Area                   *Area
}

// ErrFull is what Append returns when the limits are reached.
type ErrFull struct{ Bytes int64 }

// Error implements error.
func (e ErrFull) Error() string { return fmt.Sprintf("spool: more than %d bytes", e.Bytes) }

// Spool is a sequence of rows, numbered from 0. For one goroutine. The zero
// value is not usable; Close must be called.
type Spool struct {
	o      Options
	blocks []block
	tail   *column.Builder // rows of the last block, which is not complete
	sealed int64           // rows before tail
	memory int64
	disk   *Disk // nil: nothing is on disk
	file   *File

	cached int // block that was read from the file last, -1: none
	cache  *column.Batch
}

// block is a stretch of rows: in memory, or at a place of the file.
type block struct {
	first int64
	batch *column.Batch // nil: in the file
	place Block
}

// New returns an empty spool.
func New(o Options) *Spool {
	return &Spool{o: o, tail: column.NewBuilder(o.Types, 0), cached: -1}
}

// Rows is how many rows there are.
func (s *Spool) Rows() int64 { return s.sealed + int64(s.tail.Len()) }

// Append adds copies of the rows of b. Errors: ErrFull, and those of the disk;
// after one the spool can only be closed.
func (s *Spool) Append(b *column.Batch) error {
	for i := range b.Each {
		s.tail.AppendRow(b, i, column.Insert)
		n := s.tail.Len()
		if n >= blockRows || (n&15 == 0 && s.tail.Batch().MemSize() >= blockBytes) {
			if err := s.seal(); err != nil {
				return err
			}
		}
	}
	if n := s.tail.Batch().MemSize(); s.memory+n > s.o.MemoryBytes {
		if s.o.DiskBytes == 0 {
			return ErrFull{s.o.MemoryBytes}
		}
		if n >= blockBytes {
			return s.seal()
		}
	}
	return nil
}

// seal ends the last block.
func (s *Spool) seal() error {
	b := s.tail.Take()
	k := block{first: s.sealed, batch: b}
	size := b.MemSize()
	if s.memory+size > s.o.MemoryBytes {
		if err := s.write(&k); err != nil {
			return err
		}
	} else {
		s.memory += size
	}
	s.sealed += int64(b.N)
	s.blocks = append(s.blocks, k)
	return nil
}

// write puts a block into the file.
func (s *Spool) write(k *block) (err error) {
	if s.disk == nil {
		s.disk = s.o.Area.NewDisk(s.o.DiskBytes)
		s.file = s.disk.NewFile()
	}
	k.place, err = s.file.Write(k.batch)
	if full, ok := errors.AsType[ErrFull](err); ok {
		return ErrFull{s.o.MemoryBytes + full.Bytes}
	}
	k.batch = nil
	return err
}

// Read returns a batch that has row n, and n's place in it. The batch is valid
// until the next call of a method, and must not be changed.
// REQUIRES: 0 <= n < Rows().
func (s *Spool) Read(n int64) (*column.Batch, int, error) {
	if n >= s.sealed {
		return s.tail.Batch(), int(n - s.sealed), nil
	}
	i := sort.Search(len(s.blocks), func(i int) bool { return s.blocks[i].first > n }) - 1
	k := &s.blocks[i]
	if k.batch != nil {
		return k.batch, int(n - k.first), nil
	}
	if s.cached != i {
		b, err := s.file.Read(k.place, s.o.Types)
		if err != nil {
			return nil, 0, err
		}
		s.cached, s.cache = i, b
	}
	return s.cache, int(n - k.first), nil
}

// Close frees everything.
func (s *Spool) Close() error {
	s.blocks, s.cache, s.tail = nil, nil, nil
	if s.disk == nil {
		return nil
	}
	return s.disk.Close()
}
