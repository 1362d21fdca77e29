// Package meta is the local metadata log: one file of records that the catalog
// keeps its definitions in. It knows nothing of what they say.
//
// The log has a version, which grows by one with each change. A writer names
// the version it has seen, and loses (ErrConflict) when another was faster. A
// change is durable when the call returns, and whole or absent after a crash.
//
// The file, of which docs/format/meta.md is the description:
//
//	┌──────────┬─────────┬─────────┐
//	│ VELOMETA │ format  │ crc32c  │  header
//	│ 8 bytes  │ uint32  │ uint32  │
//	├────────┬─┴──────┬──┴─────────┴──────────────────────────────────┐
//	│ length │ crc32c │ payload, length bytes                         │  frame, one for
//	│ uint32 │ uint32 │ ┌─────────┬────────┬────────┬────────┬──────┐ │  each change
//	│        │        │ │ version │ count  │ length │ record │ …    │ │
//	│        │        │ │ uint64  │ uint32 │ uint32 │        │      │ │
//	│        │        │ └─────────┴────────┴────────┴────────┴──────┘ │
//	├────────┼────────┼───────────────────────────────────────────────┤
//	│ …      │        │ version + 1                                   │
//
// All numbers are little-endian. The checksum covers length and payload. Only
// the last frame can be incomplete, because each is fsynced before the next is
// begun; such a tail is cut off on open. The log does not grow for ever
// because the caller replaces it by Rewrite now and then.
package meta

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"syscall"

	"velostream/pgwire/pgerror"
)

// Limits.
const (
	// RecordBytesMax bounds one record.
	RecordBytesMax = 64 << 20
	// ChangeBytesMax bounds the records of one Append or Rewrite together.
	ChangeBytesMax = 256 << 20
	// LogBytesMax bounds the file; a log this large needs Rewrite.
	LogBytesMax = 1 << 30
	// WatchersMax bounds the open watches.
	WatchersMax = 1024
)

// Names in the directory.
const (
	fileName = "meta.log"
	tempName = "meta.log.tmp"
	lockName = "meta.lock"
)

// ErrConflict is what errors.Is finds in the error of a change whose base is
// not the present version.
var ErrConflict = errors.New("metadata version is stale")

// Options of Open.
type Options struct {
	// FS is where the files are; nil is the operating system's.
	FS FS
	// Logger is told of a tail that was cut off; nil discards it.
	Logger *slog.Logger
}

// EnsureDefaults fills in what is not set.
func (o *Options) EnsureDefaults() {
	if o.FS == nil {
		o.FS = OS{}
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
}

// Log is a metadata log. Safe for concurrent use.
type Log struct {
	o    Options
	dir  string
	lock io.Closer

	mu      sync.Mutex
	file    File
	size    int64 // of the file's good part: all of it
	version uint64
	closed  bool
	failed  error // what made the file's state unknown; it must be opened again
	watches map[*watch]struct{}
}

type watch struct {
	ch   chan uint64
	stop func() bool // forgets the context's end
}

// Open opens the log in dir; both are made if they do not exist.
//
// Errors: 55006 when another process has it open, XX001 with file and offset
// when it is damaged other than at its end, 58030 and 53100 from the disk.
func Open(dir string, o Options) (*Log, error) {
	o.EnsureDefaults()
	if err := o.FS.MkdirAll(dir); err != nil {
		return nil, diskError(dir, err)
	}
	lock, err := o.FS.Lock(filepath.Join(dir, lockName))
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return nil, pgerror.New(pgerror.ObjectInUse, "metadata directory %q is in use by another server", dir).WithCause(err).
			WithHint("Stop the other server, or give this one a data directory of its own.")
	}
	if err != nil {
		return nil, diskError(dir, err)
	}
	l := &Log{o: o, dir: dir, lock: lock, watches: map[*watch]struct{}{}}
	if err := l.open(); err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	return l, nil
}

func (l *Log) path(name string) string { return filepath.Join(l.dir, name) }

// open reads the file, or makes it, and cuts off a torn tail.
func (l *Log) open() error {
	if err := l.o.FS.Remove(l.path(tempName)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return diskError(l.dir, err)
	}
	f, err := l.o.FS.OpenFile(l.path(fileName), os.O_RDWR, 0o640)
	if errors.Is(err, os.ErrNotExist) {
		f, n, err := l.replace(header())
		l.file, l.size = f, n
		return err
	}
	if err != nil {
		return diskError(l.dir, err)
	}
	if err := l.recover(f); err != nil {
		return errors.Join(err, f.Close())
	}
	l.file = f
	return nil
}

func (l *Log) recover(f File) error {
	data, err := readAll(f, l.dir)
	if err != nil {
		return err
	}
	c, err := decode(l.path(fileName), data)
	if err != nil {
		return err
	}
	l.version, l.size = c.version, c.good
	if cut := int64(len(data)) - c.good; cut > 0 {
		l.o.Logger.Warn("incomplete change at the end of the metadata log dropped",
			"file", l.path(fileName), "offset", c.good, "bytes", cut)
		if err := f.Truncate(c.good); err != nil {
			return diskError(l.dir, err)
		}
	}
	// What was read may not be on the disk yet, if the server ended between
	// write and fsync: nothing may be built on it before it is. This also
	// makes the cut durable.
	if err := errors.Join(f.Sync(), l.o.FS.SyncDir(l.dir)); err != nil {
		return diskError(l.dir, err)
	}
	return nil
}

// usable reports why the log cannot be used, if so. REQUIRES: mu.
func (l *Log) usable(ctx context.Context) error {
	if l.closed {
		return pgerror.New(pgerror.AdminShutdown, "the metadata log is closed")
	}
	return ctx.Err()
}

// Load returns all records, in the order they were added, and the version they
// make: 0 and none for a new log. The records are the caller's.
func (l *Log) Load(ctx context.Context) (version uint64, records [][]byte, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.usable(ctx); err != nil {
		return 0, nil, err
	}
	data, err := readAll(l.file, l.dir)
	if err != nil {
		return 0, nil, err
	}
	// Past size there is at most what a failed Append has left.
	c, err := decode(l.path(fileName), data[:min(int64(len(data)), l.size)])
	if err != nil {
		return 0, nil, err
	}
	if c.version != l.version || c.good != l.size {
		return 0, nil, damaged(l.path(fileName), c.good, "the file changed while it was open")
	}
	return c.version, c.records, nil
}

// Append adds records as one change on top of version base and returns the new
// version, base+1. On return it is durable. After an error other than a failed
// fsync nothing has changed; after that the change may be found when the log is
// opened again, and until then the log takes no more.
//
// Errors: ErrConflict when base is not the present version, 54000 for records
// too large, 53100 and 58030 from the disk.
func (l *Log) Append(ctx context.Context, base uint64, records [][]byte) (uint64, error) {
	frame, err := encode(base+1, records)
	if err != nil {
		return 0, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.writable(ctx, base); err != nil {
		return 0, err
	}
	if l.size+int64(len(frame)) > LogBytesMax {
		return 0, pgerror.New(pgerror.ProgramLimitExceeded, "metadata log of %d bytes is full", l.size)
	}
	if _, err := l.file.WriteAt(frame, l.size); err != nil {
		l.undo()
		return 0, diskError(l.dir, err)
	}
	if err := l.file.Sync(); err != nil {
		// The kernel may have dropped the pages it could not write: a second
		// fsync that succeeds would prove nothing.
		l.failed = diskError(l.dir, err)
		return 0, l.failed
	}
	l.size += int64(len(frame))
	l.moved(base + 1)
	return l.version, nil
}

// writable checks the log before a change. REQUIRES: mu.
func (l *Log) writable(ctx context.Context, base uint64) error {
	if err := l.usable(ctx); err != nil {
		return err
	}
	if l.failed != nil {
		return l.failed
	}
	if base != l.version {
		return pgerror.New(pgerror.SerializationFailure, "the catalog was changed concurrently").
			WithDetail("The change was made for version %d, the present one is %d.", base, l.version).
			WithHint("Retry the statement.").WithCause(ErrConflict)
	}
	return nil
}

// undo removes what a failed write has left, so that the next one finds the
// end where it was.
func (l *Log) undo() {
	if err := errors.Join(l.file.Truncate(l.size), l.file.Sync()); err != nil {
		l.failed = diskError(l.dir, err)
	}
}

// Rewrite replaces all content by records, as one change on top of version
// base, and returns the new version, base+1. The caller makes records say in
// little what the content said at length. Durability and errors are Append's.
func (l *Log) Rewrite(ctx context.Context, base uint64, records [][]byte) (uint64, error) {
	frame, err := encode(base+1, records)
	if err != nil {
		return 0, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.writable(ctx, base); err != nil {
		return 0, err
	}
	f, n, err := l.replace(append(header(), frame...))
	if err != nil {
		return 0, err
	}
	// Everything of the old file that counts is in the new one.
	if err := l.file.Close(); err != nil {
		l.o.Logger.WarnContext(ctx, "closing the replaced metadata log", "err", err)
	}
	l.file, l.size = f, n
	l.moved(base + 1)
	return l.version, nil
}

// replace makes data the log's file: written and fsynced beside it under
// another name, then renamed over it, then the directory fsynced, so that a
// crash leaves the old or the new.
func (l *Log) replace(data []byte) (File, int64, error) {
	f, err := l.o.FS.OpenFile(l.path(tempName), os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o640)
	if err != nil {
		return nil, 0, diskError(l.dir, err)
	}
	_, err = f.WriteAt(data, 0)
	if err == nil {
		err = f.Sync()
	}
	if err == nil {
		err = l.o.FS.Rename(l.path(tempName), l.path(fileName))
	}
	if err != nil {
		return nil, 0, errors.Join(diskError(l.dir, err), f.Close())
	}
	if err := l.o.FS.SyncDir(l.dir); err != nil {
		// Which of the two files a crash would leave is open.
		l.failed = diskError(l.dir, err)
		return nil, 0, errors.Join(l.failed, f.Close())
	}
	return f, int64(len(data)), nil
}

// moved makes v the version and tells the watchers. REQUIRES: mu.
func (l *Log) moved(v uint64) {
	l.version = v
	for w := range l.watches {
		w.send(v)
	}
}

// send replaces what has not been fetched yet: only the latest counts.
func (w *watch) send(v uint64) {
	select {
	case <-w.ch:
	default:
	}
	w.ch <- v
}

// Watch returns a channel that receives the log's version whenever it is, or
// gets, above from. Versions that follow each other quickly are received as the
// last of them. The channel is closed when ctx ends or the log is closed.
func (l *Log) Watch(ctx context.Context, from uint64) (<-chan uint64, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.usable(ctx); err != nil {
		return nil, err
	}
	if len(l.watches) == WatchersMax {
		return nil, pgerror.New(pgerror.InsufficientResources, "more than %d watches of the metadata log", WatchersMax)
	}
	w := &watch{ch: make(chan uint64, 1)}
	l.watches[w] = struct{}{}
	if l.version > from {
		w.send(l.version)
	}
	w.stop = context.AfterFunc(ctx, func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.drop(w)
	})
	return w.ch, nil
}

// drop ends a watch, once. REQUIRES: mu.
func (l *Log) drop(w *watch) {
	if _, ok := l.watches[w]; ok {
		delete(l.watches, w)
		w.stop()
		close(w.ch)
	}
}

// Close ends all watches and frees the file. A second Close does nothing.
func (l *Log) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil
	}
	l.closed = true
	for w := range l.watches {
		l.drop(w)
	}
	if err := errors.Join(l.file.Close(), l.lock.Close()); err != nil {
		return diskError(l.dir, err)
	}
	return nil
}

// readAll is the content of f.
func readAll(f File, dir string) ([]byte, error) {
	var buf bytes.Buffer
	n, err := io.Copy(&buf, io.NewSectionReader(f, 0, LogBytesMax+1))
	if err != nil {
		return nil, diskError(dir, err)
	}
	if n > LogBytesMax {
		return nil, pgerror.New(pgerror.ProgramLimitExceeded, "metadata log in %q exceeds %d bytes", dir, LogBytesMax)
	}
	return buf.Bytes(), nil
}

// diskError is err, met in dir, as a user sees it.
func diskError(dir string, err error) error {
	if e, ok := errors.AsType[*pgerror.Error](err); ok {
		return e
	}
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return pgerror.New(pgerror.DiskFull, "no space left for the metadata in %q", dir).WithCause(err).
			WithHint("Free space on the device and try again.")
	}
	return pgerror.New(pgerror.IOError, "cannot access the metadata in %q: %v", dir, err).WithCause(err)
}
