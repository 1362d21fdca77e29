package state

import (
	"errors"
	"io"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// fence stands between Pebble and the disk and turns the first write error
// into a stop. Pebble answers a failed write of its log or manifest with a
// panic, or by ending the process; and it retries a failed flush in a loop. A
// server with other work to do can afford neither. So when a write fails:
//
//	disk       |  frozen: nothing is written, renamed or removed any more. It
//	           |  stays what a crash at this moment would have left, which is
//	           |  what recovery is made for.
//	Pebble     |  goes on in memory: files it creates are kept in overlay,
//	           |  writes to log, manifest and directory are dropped and
//	           |  reported as done. Readers keep working, waiting writers wake up.
//	Compaction |  is refused: it would rewrite the store into memory. What goes
//	           |  into overlay is thus bounded by the memtables.
//	Store      |  failed is called once with the error; Commit returns it to
//	           |  everyone from then on.
//
// Only a write to a table file returns its error, because Pebble undoes that
// flush and starts again, in memory.
type fence struct {
	vfs.FS
	failed  func(error)
	armed   atomic.Bool // off while opening: errors pass through, and Open returns them
	frozen  atomic.Bool
	overlay *vfs.MemFS
	marks   *marks // of the log, see pusher
}

// errFrozen is the error of what a frozen store may not do any more.
var errFrozen = errors.New("the store stopped writing after an earlier error")

// compactionRetry slows Pebble's immediate retries of refused compactions.
const compactionRetry = 50 * time.Millisecond

func newFence(fs vfs.FS, failed func(error)) *fence {
	return &fence{FS: fs, failed: failed, overlay: vfs.NewMem(), marks: newMarks()}
}

// Unwrap implements vfs.FS.
func (f *fence) Unwrap() vfs.FS { return f.FS }

// freeze stops all writes because of err. failed comes first: once writes are
// dropped and reported as done, nobody may find the store in good order.
func (f *fence) freeze(err error) {
	f.failed(err)
	f.frozen.Store(true)
	f.marks.free() // nothing is written any more: nobody need wait
}

// isTable reports that name is a table file, whose write errors Pebble undoes.
func isTable(name string) bool {
	return strings.HasSuffix(name, ".sst") || strings.HasSuffix(name, ".blob")
}

// inOverlay reports that name was created after the freeze.
func (f *fence) inOverlay(name string) bool {
	if !f.frozen.Load() {
		return false
	}
	_, err := f.overlay.Stat(name)
	return err == nil
}

// create runs make on the disk, or create in memory once frozen.
func (f *fence) create(name string, category vfs.DiskWriteCategory, onDisk func() (vfs.File, error)) (vfs.File, error) {
	if !f.frozen.Load() {
		file, err := onDisk()
		if err == nil {
			return &fencedFile{File: file, f: f, table: isTable(name), log: strings.HasSuffix(name, ".log")}, nil
		}
		if !f.armed.Load() {
			return nil, err
		}
		f.freeze(err)
		if isTable(name) {
			return nil, err
		}
	}
	if category == "pebble-compaction" {
		time.Sleep(compactionRetry)
		return nil, errFrozen
	}
	if err := f.overlay.MkdirAll(f.PathDir(name), 0o755); err != nil {
		return nil, err
	}
	return f.overlay.Create(name, category)
}

// Create implements vfs.FS.
func (f *fence) Create(name string, category vfs.DiskWriteCategory) (vfs.File, error) {
	return f.create(name, category, func() (vfs.File, error) { return f.FS.Create(name, category) })
}

// OpenReadWrite implements vfs.FS.
func (f *fence) OpenReadWrite(name string, category vfs.DiskWriteCategory, opts ...vfs.OpenOption) (vfs.File, error) {
	return f.create(name, category, func() (vfs.File, error) { return f.FS.OpenReadWrite(name, category, opts...) })
}

// ReuseForWrite implements vfs.FS.
func (f *fence) ReuseForWrite(oldname, newname string, category vfs.DiskWriteCategory) (vfs.File, error) {
	return f.create(newname, category, func() (vfs.File, error) {
		return f.FS.ReuseForWrite(oldname, newname, category)
	})
}

// Open implements vfs.FS.
func (f *fence) Open(name string, opts ...vfs.OpenOption) (vfs.File, error) {
	if f.inOverlay(name) {
		return f.overlay.Open(name, opts...)
	}
	return f.FS.Open(name, opts...)
}

// OpenDir implements vfs.FS.
func (f *fence) OpenDir(name string) (vfs.File, error) {
	file, err := f.FS.OpenDir(name)
	if err != nil {
		return nil, err
	}
	return &fencedFile{File: file, f: f}, nil
}

// Stat implements vfs.FS.
func (f *fence) Stat(name string) (vfs.FileInfo, error) {
	if f.inOverlay(name) {
		return f.overlay.Stat(name)
	}
	return f.FS.Stat(name)
}

// Link implements vfs.FS.
func (f *fence) Link(oldname, newname string) error {
	if f.frozen.Load() {
		return errFrozen
	}
	return f.FS.Link(oldname, newname)
}

// Remove implements vfs.FS. A file that could not be removed is left over,
// which is no reason to stop.
func (f *fence) Remove(name string) error {
	if !f.frozen.Load() {
		return f.FS.Remove(name)
	}
	if f.inOverlay(name) {
		return f.overlay.Remove(name)
	}
	return nil
}

// RemoveAll implements vfs.FS.
func (f *fence) RemoveAll(name string) error {
	if f.frozen.Load() {
		return nil
	}
	return f.FS.RemoveAll(name)
}

// Rename implements vfs.FS.
func (f *fence) Rename(oldname, newname string) error {
	if !f.frozen.Load() {
		err := f.FS.Rename(oldname, newname)
		if err == nil || !f.armed.Load() {
			return err
		}
		f.freeze(err)
		return nil
	}
	if f.inOverlay(oldname) {
		return f.overlay.Rename(oldname, newname)
	}
	return nil
}

// MkdirAll implements vfs.FS.
func (f *fence) MkdirAll(dir string, perm os.FileMode) error {
	if f.frozen.Load() {
		return nil
	}
	return f.FS.MkdirAll(dir, perm)
}

// fencedFile is a file, or directory, opened before the freeze.
type fencedFile struct {
	vfs.File
	f     *fence
	table bool
	log   bool
}

// guard runs a write and decides what Pebble hears of its failure.
func (w *fencedFile) guard(write func() error) error {
	if w.f.frozen.Load() {
		if w.table {
			return errFrozen
		}
		return nil
	}
	err := write()
	if err == nil || !w.f.armed.Load() {
		return err
	}
	w.f.freeze(err)
	if w.table {
		return err
	}
	return nil
}

// Write implements io.Writer. Marks are looked for before p is written: a file may
// use it up.
func (w *fencedFile) Write(p []byte) (int, error) {
	mark := uint64(0)
	if w.log {
		mark = w.f.marks.last(p)
	}
	size := len(p)
	err := w.guard(func() error {
		n, err := w.File.Write(p)
		if err == nil && n < size {
			err = io.ErrShortWrite
		}
		return err
	})
	if err != nil {
		return 0, err
	}
	if mark > 0 {
		w.f.marks.advance(mark)
	}
	return size, nil
}

// WriteAt implements io.WriterAt.
func (w *fencedFile) WriteAt(p []byte, off int64) (int, error) {
	if err := w.guard(func() error { _, err := w.File.WriteAt(p, off); return err }); err != nil {
		return 0, err
	}
	return len(p), nil
}

// Sync implements vfs.File.
func (w *fencedFile) Sync() error { return w.guard(w.File.Sync) }

// SyncData implements vfs.File.
func (w *fencedFile) SyncData() error { return w.guard(w.File.SyncData) }

// SyncTo implements vfs.File.
func (w *fencedFile) SyncTo(length int64) (fullSync bool, err error) {
	err = w.guard(func() error { fullSync, err = w.File.SyncTo(length); return err })
	return fullSync, err
}

// Preallocate implements vfs.File. It is advice: without it the write itself
// will tell.
func (w *fencedFile) Preallocate(offset, length int64) error {
	if w.f.frozen.Load() {
		return nil
	}
	return w.File.Preallocate(offset, length)
}

// Close implements io.Closer. The descriptor is given back in any case.
func (w *fencedFile) Close() error {
	err := w.File.Close()
	if err == nil || !w.f.armed.Load() {
		return err
	}
	if !w.f.frozen.Load() {
		w.f.freeze(err)
	}
	if w.table {
		return err
	}
	return nil
}
