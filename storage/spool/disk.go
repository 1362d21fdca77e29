package spool

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"syscall"

	"velostream/catalog/types"
	"velostream/pgwire/pgerror"
	"velostream/storage/column"
)

// Area is the directory for temporary files of a server, and what it was used for
// since the start. Safe for concurrent use.
type Area struct {
	Dir string
	// SpillBytes, when not 0, takes the place of memory budgets: who can go on on disk does so
	// beyond it. For tests, which let small queries take that way.
	SpillBytes int64

	files, written, used atomic.Int64
}

// Files is how many files were made so far.
func (a *Area) Files() int64 { return a.files.Load() }

// Written is how many bytes were written so far.
func (a *Area) Written() int64 { return a.written.Load() }

// Used is how many bytes the files take now.
func (a *Area) Used() int64 { return a.used.Load() }

// OpenArea makes the directory, or removes what a server that ended before has left there.
func OpenArea(dir string) (*Area, error) {
	err := os.MkdirAll(dir, 0o700)
	if err != nil {
		return nil, diskError(err)
	}
	list, err := os.ReadDir(dir)
	for _, e := range list {
		err = errors.Join(err, os.RemoveAll(filepath.Join(dir, e.Name())))
	}
	if err != nil {
		return nil, diskError(err)
	}
	return &Area{Dir: dir}, nil
}

// Disk is the temporary disk space of one query. For one goroutine; Close must be called.
type Disk struct {
	area  *Area
	limit int64 // bytes at the same time
	used  int64
	total int64
	open  map[*File]struct{}
	// Interrupt, when set, is asked before each access; its error ends the query.
	Interrupt func() error
}

// NewDisk returns space of limit bytes in the area.
func (a *Area) NewDisk(limit int64) *Disk {
	return &Disk{area: a, limit: limit, open: map[*File]struct{}{}}
}

// Forced is the area's SpillBytes.
func (d *Disk) Forced() int64 { return d.area.SpillBytes }

// Written is how many bytes the query wrote so far.
func (d *Disk) Written() int64 { return d.total }

// Close frees all files that are left.
func (d *Disk) Close() error {
	var err error
	for f := range d.open {
		err = errors.Join(err, f.Close())
	}
	return err
}

// File is a temporary file of blocks of rows. It has no name, so that nothing of it is left
// when the process ends in whatever way.
type File struct {
	disk *Disk
	f    *os.File // nil: nothing was written yet
	size int64
	buf  []byte
}

// Block is where a batch is in a File.
type Block struct {
	offset int64
	length int
}

// NewFile returns an empty file.
func (d *Disk) NewFile() *File {
	f := &File{disk: d}
	d.open[f] = struct{}{}
	return f
}

func diskError(err error) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return pgerror.New(pgerror.DiskFull, "no space left for temporary files").WithCause(err)
	}
	return pgerror.New(pgerror.IOError, "temporary file: %v", err).WithCause(err)
}

// Write appends the selected rows of b. Errors: ErrFull when the disk's limit is reached, 53100 and 58030
// of the file system, and what Interrupt says.
func (f *File) Write(b *column.Batch) (Block, error) {
	d := f.disk
	if err := d.interrupted(); err != nil {
		return Block{}, err
	}
	f.buf = column.AppendEncoded(f.buf[:0], b)
	n := int64(len(f.buf))
	if d.used > d.limit-n {
		return Block{}, ErrFull{d.limit}
	}
	if f.f == nil {
		if err := f.create(); err != nil {
			return Block{}, err
		}
	}
	if _, err := f.f.WriteAt(f.buf, f.size); err != nil {
		return Block{}, diskError(err)
	}
	k := Block{f.size, len(f.buf)}
	f.size += n
	d.used, d.total = d.used+n, d.total+n
	d.area.written.Add(n)
	d.area.used.Add(n)
	return k, nil
}

func (d *Disk) interrupted() error {
	if d.Interrupt == nil {
		return nil
	}
	return d.Interrupt()
}

func (f *File) create() error {
	file, err := os.CreateTemp(f.disk.area.Dir, "spool")
	if err != nil {
		return diskError(err)
	}
	f.f = file
	f.disk.area.files.Add(1)
	if err := os.Remove(file.Name()); err != nil {
		return diskError(err)
	}
	return nil
}

// Read returns the rows of a block; ts are the types of its columns.
func (f *File) Read(k Block, ts []types.Type) (*column.Batch, error) {
	if err := f.disk.interrupted(); err != nil {
		return nil, err
	}
	if cap(f.buf) < k.length {
		f.buf = make([]byte, k.length)
	}
	raw := f.buf[:k.length]
	if f.f == nil {
		return nil, diskError(os.ErrClosed)
	}
	if _, err := f.f.ReadAt(raw, k.offset); err != nil {
		return nil, diskError(err)
	}
	b, err := column.DecodeFirst(raw, ts)
	if err != nil {
		return nil, fmt.Errorf("temporary file: %w", err)
	}
	return b, nil
}

// Close frees the file and gives its bytes back. It may be called again.
func (f *File) Close() error {
	if _, ok := f.disk.open[f]; !ok {
		return nil
	}
	delete(f.disk.open, f)
	f.disk.used -= f.size
	f.disk.area.used.Add(-f.size)
	f.buf, f.size = nil, 0
	if f.f == nil {
		return nil
	}
	file := f.f
	f.f = nil
	if err := file.Close(); err != nil {
		return diskError(err)
	}
	return nil
}
