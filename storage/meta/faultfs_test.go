package meta_test

import (
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"syscall"

	"velostream/storage/meta"
)

// memFS is a file system in memory that forgets what was not fsynced when it
// crashes, and fails where told to.
type memFS struct {
	mu            sync.Mutex
	names, synced map[string]*memNode // directory entries, and the durable ones
	locked        map[string]bool
	ops, failAt   int // the failAt-th write operation fails, with err
	lasting       bool
	err           error
}

type memNode struct {
	data, synced []byte
}

func newMemFS() *memFS {
	return &memFS{names: map[string]*memNode{}, synced: map[string]*memNode{}, locked: map[string]bool{}}
}

// fault is asked before each operation that writes. REQUIRES: mu.
func (fs *memFS) fault() error {
	fs.ops++
	if fs.failAt > 0 && (fs.ops == fs.failAt || fs.lasting && fs.ops > fs.failAt) {
		return fs.err
	}
	return nil
}

// crash is what a crash leaves: durable names, or the present ones, and of
// unsynced data any blocks.
func (fs *memFS) crash(r *rand.Rand) *memFS {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	out := newMemFS()
	from := fs.synced
	if r.IntN(2) == 0 {
		from = fs.names
	}
	for name, n := range from {
		data := append([]byte(nil), n.synced...)
		if r.IntN(2) == 0 { // the size got through, block by block
			size := r.IntN(len(n.data) + 1)
			for i := len(data); i < size; i++ {
				data = append(data, 0)
			}
			for i := 0; i < size; i += 16 {
				if end := min(i+16, size); i >= len(n.synced) && r.IntN(2) == 0 {
					copy(data[i:end], n.data[i:end])
				}
			}
		}
		out.names[name] = &memNode{data: data, synced: append([]byte(nil), data...)}
	}
	out.synced = maps.Clone(out.names)
	return out
}

func (fs *memFS) OpenFile(name string, flag int, _ os.FileMode) (meta.File, error) {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	n := fs.names[name]
	if n == nil || flag&os.O_TRUNC != 0 {
		if flag&os.O_CREATE == 0 {
			return nil, os.ErrNotExist
		}
		if err := fs.fault(); err != nil {
			return nil, err
		}
		n = &memNode{}
		fs.names[name] = n
	}
	return &memFile{fs, n}, nil
}

func (fs *memFS) Rename(oldname, newname string) error {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	if err := fs.fault(); err != nil {
		return err
	}
	fs.names[newname] = fs.names[oldname]
	delete(fs.names, oldname)
	return nil
}

func (fs *memFS) Remove(name string) error {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	if fs.names[name] == nil {
		return os.ErrNotExist
	}
	delete(fs.names, name)
	return nil
}

func (fs *memFS) MkdirAll(string) error { return nil }

func (fs *memFS) SyncDir(string) error {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	if err := fs.fault(); err != nil {
		return err
	}
	fs.synced = maps.Clone(fs.names)
	return nil
}

func (fs *memFS) Lock(name string) (io.Closer, error) {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	if fs.locked[name] {
		return nil, syscall.EWOULDBLOCK
	}
	fs.locked[name] = true
	return closer(func() error {
		fs.mu.Lock()
		defer fs.mu.Unlock()
		delete(fs.locked, name)
		return nil
	}), nil
}

type closer func() error

func (c closer) Close() error { return c() }

// only is the one log's data, for tests that damage it.
func (fs *memFS) only() *memNode { return fs.names[filepath.Join("data", "meta.log")] }

type memFile struct {
	fs *memFS
	n  *memNode
}

func (f *memFile) ReadAt(p []byte, off int64) (int, error) {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	if off >= int64(len(f.n.data)) {
		return 0, io.EOF
	}
	n := copy(p, f.n.data[off:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

func (f *memFile) WriteAt(p []byte, off int64) (int, error) {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	err := f.fs.fault()
	if err != nil {
		p = p[:len(p)/2] // a part of it was written
	}
	f.n.data = append(f.n.data[:off:off], p...)
	return len(p), err
}

func (f *memFile) Truncate(size int64) error {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	if err := f.fs.fault(); err != nil {
		return err
	}
	f.n.data = f.n.data[:size:size]
	return nil
}

func (f *memFile) Sync() error {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	if err := f.fs.fault(); err != nil {
		return err
	}
	f.n.synced = append([]byte(nil), f.n.data...)
	return nil
}

func (f *memFile) Close() error { return nil }
