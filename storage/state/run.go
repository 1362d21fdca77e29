package state

import (
	"bytes"
	"context"
	"errors"
	"iter"
	"os"
	"slices"

	"github.com/cockroachdb/pebble/v2/objstorage/objstorageprovider"
	"github.com/cockroachdb/pebble/v2/sstable"
	"github.com/cockroachdb/pebble/v2/vfs"

	"velostream/pgwire/pgerror"
)

// A bulk load collects what it writes in runs: sorted entries beside the store,
// in memory or in files, that nobody reads but the load itself. CommitRuns then
// makes them part of the store, atomically with a batch. So a transaction may
// write more than fits in memory, and what it wrote passes neither log nor
// memtable.

// Cursor goes through sorted entries, one at a time. For one goroutine.
type Cursor interface {
	// Next returns the next entry, valid until the call after it; ok is false
	// at the end and on an error.
	Next() (e Entry, ok bool, err error)
	Close() error
}

// RunWriter makes a Run. For one goroutine.
type RunWriter interface {
	// Add appends an entry, which is copied. REQUIRES: keys ascend strictly.
	Add(k, v []byte) error
	// Finish ends the run, which has at least one entry.
	Finish() (*Run, error)
	// Abort forgets what was added; after Finish it does nothing.
	Abort()
}

// Run is sorted entries beside a store. Safe for concurrent reading.
type Run struct {
	first, last []byte
	entries     []Entry    // in memory
	files       []*runFile // or in files, ascending
	size        int64      // bytes of keys and values
}

// MemoryRun is a run of entries that ascend strictly. They are kept as they are.
// REQUIRES: there is at least one.
func MemoryRun(entries []Entry) *Run {
	r := &Run{entries: entries, first: entries[0].Key, last: entries[len(entries)-1].Key}
	for _, e := range entries {
		r.size += int64(len(e.Key) + len(e.Value))
	}
	return r
}

// Bounds are the first and the last key.
func (r *Run) Bounds() (first, last []byte) { return r.first, r.last }

// Get returns the value of k, nil when there is none. It is the caller's.
func (r *Run) Get(k []byte) ([]byte, error) {
	if bytes.Compare(k, r.first) < 0 || bytes.Compare(k, r.last) > 0 {
		return nil, nil
	}
	c := r.Cursor(k, nil)
	e, ok, err := c.Next()
	if err == nil && ok && bytes.Equal(e.Key, k) {
		return append(make([]byte, 0, len(e.Value)), e.Value...), c.Close()
	}
	return nil, errors.Join(err, c.Close())
}

// Scan yields the entries with lo <= key < hi in order; nil: no bound.
func (r *Run) Scan(lo, hi []byte) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		c := r.Cursor(lo, hi)
		defer func() { _ = c.Close() }() // it was read to where it was wanted
		for {
			e, ok, err := c.Next()
			if err != nil {
				yield(Entry{}, err)
				return
			}
			if !ok || !yield(e, nil) {
				return
			}
		}
	}
}

// Cursor goes through the entries with lo <= key < hi; nil: no bound.
func (r *Run) Cursor(lo, hi []byte) Cursor {
	if r.files != nil {
		return &fileCursor{files: r.files, lo: lo, hi: hi}
	}
	byKey := func(e Entry, k []byte) int { return bytes.Compare(e.Key, k) }
	from, to := 0, len(r.entries)
	if lo != nil {
		from, _ = slices.BinarySearchFunc(r.entries, lo, byKey)
	}
	if hi != nil {
		to, _ = slices.BinarySearchFunc(r.entries, hi, byKey)
	}
	return &memoryCursor{r.entries[from:max(from, to)]}
}

// Close frees the run; files that were not committed are removed.
func (r *Run) Close() error {
	var errs []error
	for _, f := range r.files {
		errs = append(errs, f.close())
	}
	r.files, r.entries = nil, nil
	return errors.Join(errs...)
}

type memoryCursor struct{ left []Entry }

// Next implements Cursor.
func (c *memoryCursor) Next() (Entry, bool, error) {
	if len(c.left) == 0 {
		return Entry{}, false, nil
	}
	e := c.left[0]
	c.left = c.left[1:]
	return e, true, nil
}

// Close implements Cursor.
func (c *memoryCursor) Close() error { return nil }

// MergeRuns yields the entries of runs with lo <= key < hi in key order, each with
// the run it is of. Entries with the same key follow each other in the order
// of runs.
func MergeRuns(runs []*Run, lo, hi []byte) iter.Seq2[Merged, error] {
	return func(yield func(Merged, error) bool) {
		m := newMerger(runs, lo, hi)
		defer m.close()
		for {
			e, ok, err := m.next()
			if err != nil {
				yield(Merged{}, err)
				return
			}
			if !ok || !yield(e, nil) {
				return
			}
		}
	}
}

// Merged is an entry and the number of its run.
type Merged struct {
	Entry
	Run int
}

// merger merges cursors with a heap of their present entries.
type merger struct {
	heads []Merged // a heap by key, then run
	all   []Cursor // by run
	moved bool     // the first head was yielded: move its cursor on
	err   error
}

func newMerger(runs []*Run, lo, hi []byte) *merger {
	m := &merger{}
	for i, r := range runs {
		c := r.Cursor(lo, hi)
		m.all = append(m.all, c)
		e, ok, err := c.Next()
		if err != nil {
			m.err = err
			return m
		}
		if ok {
			m.heads = append(m.heads, Merged{e, i})
		}
	}
	slices.SortFunc(m.heads, compareMerged)
	return m
}

func compareMerged(a, b Merged) int {
	if c := bytes.Compare(a.Key, b.Key); c != 0 {
		return c
	}
	return a.Run - b.Run
}

func (m *merger) next() (Merged, bool, error) {
	if m.err != nil {
		return Merged{}, false, m.err
	}
	if m.moved {
		m.moved = false
		h := &m.heads[0]
		e, ok, err := m.all[h.Run].Next()
		switch {
		case err != nil:
			m.err = err
			return Merged{}, false, err
		case ok:
			h.Entry = e
		default:
			m.heads[0] = m.heads[len(m.heads)-1]
			m.heads = m.heads[:len(m.heads)-1]
		}
		m.sink()
	}
	if len(m.heads) == 0 {
		return Merged{}, false, nil
	}
	m.moved = true
	return m.heads[0], true, nil
}

// sink restores the heap's order after its first element changed.
func (m *merger) sink() {
	for i := 0; ; {
		least := i
		for _, j := range [2]int{2*i + 1, 2*i + 2} {
			if j < len(m.heads) && compareMerged(m.heads[j], m.heads[least]) < 0 {
				least = j
			}
		}
		if least == i {
			return
		}
		m.heads[i], m.heads[least] = m.heads[least], m.heads[i]
		i = least
	}
}

func (m *merger) close() {
	for _, c := range m.all {
		_ = c.Close() // it was read to where it was wanted
	}
}

// runFile is a table file of a run.
type runFile struct {
	s           *pebbleStore
	path        string
	first, last []byte
	table       *sstable.Reader
}

func (f *runFile) close() error {
	err := f.table.Close()
	if e := f.s.o.FS.Remove(f.path); e != nil && !errors.Is(e, os.ErrNotExist) {
		err = errors.Join(err, e)
	}
	return err
}

// fileCursor goes through the files of a run.
type fileCursor struct {
	files  []*runFile
	lo, hi []byte
	it     sstable.Iterator
	head   Entry // found when the file was opened, if ahead
	ahead  bool
	value  []byte
}

// Next implements Cursor.
func (c *fileCursor) Next() (Entry, bool, error) {
	for {
		if c.it == nil {
			if more, err := c.open(); !more {
				return Entry{}, false, err
			}
		}
		if c.ahead {
			c.ahead = false
			return c.head, true, nil
		}
		if kv := c.it.Next(); kv != nil {
			v, owned, err := kv.Value(c.value[:0])
			return c.entry(kv.K.UserKey, v, owned, err)
		}
		if err := c.endFile(); err != nil {
			return Entry{}, false, err
		}
	}
}

// open begins the next file that has entries in the range; false: there is none.
func (c *fileCursor) open() (bool, error) {
	for len(c.files) > 0 {
		f := c.files[0]
		if c.lo != nil && bytes.Compare(f.last, c.lo) < 0 {
			c.files = c.files[1:]
			continue
		}
		if c.hi != nil && bytes.Compare(f.first, c.hi) >= 0 {
			return false, nil
		}
		it, err := f.table.NewIter(sstable.NoTransforms, c.lo, c.hi, sstable.AssertNoBlobHandles)
		if err != nil {
			return false, f.s.readError(err)
		}
		c.it = it
		from := f.first
		if bytes.Compare(from, c.lo) < 0 {
			from = c.lo
		}
		if kv := it.SeekGE(from, 0); kv != nil {
			v, owned, err := kv.Value(c.value[:0])
			c.head, c.ahead, err = c.entry(kv.K.UserKey, v, owned, err)
			return c.ahead, err
		}
		if err := c.endFile(); err != nil {
			return false, err
		}
	}
	return false, nil
}

// entry is what an iterator returned.
func (c *fileCursor) entry(k, v []byte, owned bool, err error) (Entry, bool, error) {
	if err != nil {
		return Entry{}, false, c.files[0].s.readError(err)
	}
	if owned {
		c.value = v
	}
	return Entry{Key: k, Value: v}, true, nil
}

func (c *fileCursor) endFile() error {
	err := errors.Join(c.it.Error(), c.it.Close())
	s := c.files[0].s
	c.it, c.files = nil, c.files[1:]
	if err != nil {
		return s.readError(err)
	}
	return nil
}

// Close implements Cursor.
func (c *fileCursor) Close() error {
	if c.it == nil {
		return nil
	}
	err := c.it.Close()
	c.it, c.files = nil, nil
	return err
}

// runFileWriter writes a run of table files, each of about TableFileBytes.
type runFileWriter struct {
	s    *pebbleStore
	w    *sstable.Writer
	path string
	size int // of the present file
	from []byte
	last []byte
	run  Run
}

// NewRun implements Store. Unlike a commit, a run that cannot be written does
// not stop the store.
func (s *pebbleStore) NewRun() RunWriter { return &runFileWriter{s: s} }

func (w *runFileWriter) begin() error {
	if err := w.s.failed(); err != nil {
		return err
	}
	fs := w.s.o.FS
	dir := fs.PathJoin(w.s.dir, stagingDir)
	if err := fs.MkdirAll(dir, 0o750); err != nil {
		return diskError(w.s.dir, err)
	}
	w.path = fs.PathJoin(dir, runName(w.s.runs.Add(1)))
	f, err := fs.Create(w.path, vfs.WriteCategoryUnspecified)
	if err != nil {
		return diskError(w.s.dir, err)
	}
	w.w = sstable.NewWriter(objstorageprovider.NewFileWritable(f), w.s.tables)
	w.size = 0
	return nil
}

// Add implements RunWriter.
func (w *runFileWriter) Add(k, v []byte) error { return w.add(k, v, false) }

func (w *runFileWriter) add(k, v []byte, del bool) error {
	if w.w != nil && w.size >= w.s.o.TableFileBytes {
		if err := w.end(); err != nil {
			return err
		}
	}
	if w.w == nil {
		if err := checkEntry(k, len(v)); err != nil {
			return err
		}
		if err := w.begin(); err != nil {
			return err
		}
		w.from = bytes.Clone(k)
	}
	var err error
	if del {
		err = w.w.Delete(k)
	} else {
		err = w.w.Set(k, v)
	}
	if err != nil {
		return diskError(w.s.dir, err)
	}
	w.last = append(w.last[:0], k...)
	w.size += len(k) + len(v)
	w.run.size += int64(len(k) + len(v))
	return nil
}

// end finishes the present file and opens it for reading.
func (w *runFileWriter) end() error {
	err := w.w.Close()
	w.w = nil
	if err != nil {
		_ = w.s.o.FS.Remove(w.path)
		return diskError(w.s.dir, err)
	}
	f, err := w.s.o.FS.Open(w.path)
	if err != nil {
		_ = w.s.o.FS.Remove(w.path)
		return w.s.readError(err)
	}
	readable, err := sstable.NewSimpleReadable(f)
	if err != nil {
		return w.s.readError(err)
	}
	table, err := sstable.NewReader(context.Background(), readable, w.s.reading)
	if err != nil {
		return w.s.readError(err)
	}
	w.run.files = append(w.run.files, &runFile{s: w.s, path: w.path, first: w.from, last: bytes.Clone(w.last), table: table})
	return nil
}

// Finish implements RunWriter.
func (w *runFileWriter) Finish() (*Run, error) {
	if w.w != nil {
		if err := w.end(); err != nil {
			w.Abort()
			return nil, err
		}
	}
	if len(w.run.files) == 0 {
		return nil, pgerror.New(pgerror.InternalError, "empty run")
	}
	out := w.run
	out.first, out.last = out.files[0].first, out.files[len(out.files)-1].last
	w.run = Run{}
	return &out, nil
}

// Abort implements RunWriter.
func (w *runFileWriter) Abort() {
	if w.w != nil {
		_ = w.w.Close()
		_ = w.s.o.FS.Remove(w.path)
		w.w = nil
	}
	_ = w.run.Close()
	w.run = Run{}
}

// memoryRunWriter makes the runs of a store in memory.
type memoryRunWriter struct{ entries []Entry }

// NewRun implements Store.
func (s *memStore) NewRun() RunWriter { return &memoryRunWriter{} }

// Add implements RunWriter.
func (w *memoryRunWriter) Add(k, v []byte) error {
	if err := checkEntry(k, len(v)); err != nil {
		return err
	}
	w.entries = append(w.entries, Entry{Key: bytes.Clone(k), Value: append([]byte{}, v...)})
	return nil
}

// Finish implements RunWriter.
func (w *memoryRunWriter) Finish() (*Run, error) {
	if len(w.entries) == 0 {
		return nil, pgerror.New(pgerror.InternalError, "empty run")
	}
	return MemoryRun(w.entries), nil
}

// Abort implements RunWriter.
func (w *memoryRunWriter) Abort() {}
