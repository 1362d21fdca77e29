package state

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/bloom"
	"github.com/cockroachdb/pebble/v2/sstable"

	"velostream/pgwire/pgerror"
)

// formatVersion is the format of Pebble's files, written down so that a newer
// library does not silently make directories that an older server cannot read.
// Columnar blocks, log chunks that tell a torn tail from a damaged log, and
// checksummed footers; no separated values.
const formatVersion = pebble.FormatTableFormatV6

const (
	// l0Stop is how many overlapping runs of fresh table files there may be
	// before Commit waits for compactions. See backpressure.
	l0Stop = 20
	// l0CheckBytes is how often Commit looks at that, in bytes committed.
	l0CheckBytes = 4 << 20
)

// pebbleStore is a Store in a directory.
//
//	Commit ──> log (fsync if asked, shared) ──> memtable ──> table files, compacted
//	   └─────> sorted table file of its own, ingested          (large batches)
//
// Locks: order is held shared by plain commits and exclusively by an ingest,
// gate counts the calls under way so that Close can wait for them.
type pebbleStore struct {
	db      *pebble.DB
	o       Options
	dir     string
	fence   *fence
	log     *slog.Logger
	tables  sstable.WriterOptions // of table files we write ourselves
	reading sstable.ReaderOptions
	runs    atomic.Uint64 // runs begun, for their names

	order     sync.RWMutex
	unchecked atomic.Int64 // bytes committed since level 0 was last looked at

	gate      gate
	failure   atomic.Pointer[pgerror.Error]
	collector *collector
	pusher    *pusher // nil: commits without fsync stay in memory for a while

	mu    sync.Mutex
	snaps map[*pebbleSnapshot]struct{} // open ones, closed by Close
}

// OpenPebble opens the store in dir, which is made if it does not exist.
//
// After a write error (disk full, failed disk) the store stops writing for
// good: Commit returns 53100 or 58030 from then on, reads go on, and what is on
// disk is what a crash at that moment leaves. Close and open it again once
// there is room.
//
// Errors: 55006 when another process has it open, XX001 when it is damaged,
// 55000 when dir holds something else, 58030 and 53100 from the disk, 22023
// for options out of range.
func OpenPebble(dir string, o Options) (Store, error) {
	o.EnsureDefaults()
	if err := o.Validate(); err != nil {
		return nil, err
	}
	if err := checkDir(o.FS, dir); err != nil {
		return nil, err
	}
	s := &pebbleStore{o: o, dir: dir, log: o.Logger.With("component", "state", "dir", dir), snaps: map[*pebbleSnapshot]struct{}{}}
	s.gate.init()
	s.fence = newFence(o.FS, s.fail)
	if err := s.open(); err != nil {
		return nil, err
	}
	if err := s.clearStaging(); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	if o.Registerer != nil {
		s.collector = newCollector(s)
		if err := o.Registerer.Register(s.collector); err != nil {
			s.collector = nil
			return nil, errors.Join(pgerror.New(pgerror.InternalError, "cannot register the metrics of the state store: %v", err).WithCause(err), s.Close())
		}
	}
	return s, nil
}

// open opens the database below the fence.
func (s *pebbleStore) open() (err error) {
	// Pebble reads damaged files with code that is not free of index panics;
	// for a user that is a damaged directory, not a bug report.
	defer func() {
		if p := recover(); p != nil {
			err = damagedError(s.dir, fmt.Errorf("%v", p))
		}
	}()
	o := s.pebbleOptions()
	db, err := pebble.Open(s.dir, o)
	if err != nil {
		return openError(s.dir, err)
	}
	if f := s.failure.Load(); f != nil {
		return errors.Join(f, db.Close())
	}
	o.EnsureDefaults()
	s.tables = o.MakeWriterOptions(0, db.TableFormat())
	s.reading = o.MakeReaderOptions()
	s.db = db
	if s.o.PushInterval > 0 {
		s.pusher = newPusher(db, s.fence.marks)
	}
	s.fence.armed.Store(true)
	return nil
}

func (s *pebbleStore) pebbleOptions() *pebble.Options {
	o := &pebble.Options{
		FS:                          s.fence,
		CacheSize:                   s.o.CacheBytes,
		FormatMajorVersion:          formatVersion,
		MemTableSize:                uint64(s.o.MemTableBytes),
		MemTableStopWritesThreshold: 4,
		L0CompactionThreshold:       2,
		L0StopWritesThreshold:       1 << 20, // never: see backpressure
		LBaseMaxBytes:               64 << 20,
		MaxOpenFiles:                s.o.OpenFilesMax,
		CompactionConcurrencyRange:  func() (lower, upper int) { return 1, s.o.CompactionsMax },
		FlushDelayDeleteRange:       10 * time.Second, // the space of a dropped job comes back though nothing else is written
		BytesPerSync:                512 << 10,
		WALBytesPerSync:             512 << 10,
		Logger:                      pebbleLogger{s},
		EventListener:               s.events(),
	}
	if s.o.PushInterval > 0 {
		o.WALMinSyncInterval = func() time.Duration { return s.o.PushInterval }
	}
	for i := range o.Levels {
		o.Levels[i].BlockSize = 16 << 10
		o.Levels[i].FilterPolicy = bloom.FilterPolicy(10) // absent keys in 1 read of 100
		o.Levels[i].FilterType = pebble.TableFilter
	}
	return o
}

// fail records the first error that ends writing.
func (s *pebbleStore) fail(err error) {
	e := diskError(s.dir, err)
	if s.failure.CompareAndSwap(nil, e) {
		s.log.Error("state store stops writing", "err", err, "sqlstate", e.Code)
	}
}

// failed is the error Commit returns after the store has failed, or nil.
func (s *pebbleStore) failed() error {
	if e := s.failure.Load(); e != nil {
		return e
	}
	return nil
}

// Get implements Reader.
func (s *pebbleStore) Get(k []byte) ([]byte, error) {
	if err := s.gate.enter(); err != nil {
		return nil, err
	}
	defer s.gate.leave()
	return s.get(s.db, k)
}

func (s *pebbleStore) get(r pebble.Reader, k []byte) ([]byte, error) {
	v, closer, err := r.Get(k)
	if errors.Is(err, pebble.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, s.readError(err)
	}
	out := append(make([]byte, 0, len(v)), v...)
	return out, closer.Close()
}

// Scan implements Reader.
func (s *pebbleStore) Scan(lo, hi []byte) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) { s.scan(s.db, lo, hi, yield) }
}

func (s *pebbleStore) scan(r pebble.Reader, lo, hi []byte, yield func(Entry, error) bool) {
	if err := s.gate.enter(); err != nil {
		yield(Entry{}, err)
		return
	}
	defer s.gate.leave()
	if hi != nil && bytes.Compare(lo, hi) >= 0 {
		return
	}
	it, err := r.NewIter(&pebble.IterOptions{LowerBound: lo, UpperBound: hi})
	if err != nil {
		yield(Entry{}, s.readError(err))
		return
	}
	stopped := false
	for ok := it.First(); ok && !stopped; ok = it.Next() {
		v, err := it.ValueAndErr()
		switch {
		case err != nil:
			stopped = true
			yield(Entry{}, s.readError(err))
		case s.gate.closing():
			stopped = true
			yield(Entry{}, errClosed())
		default:
			stopped = !yield(Entry{Key: it.Key(), Value: v}, nil)
		}
		if stopped {
			break
		}
	}
	if err := it.Close(); err != nil && !stopped {
		yield(Entry{}, s.readError(err))
	}
}

// Commit implements Store.
func (s *pebbleStore) Commit(b Batch, sync bool) error {
	pb, ok := b.(*pebbleBatch)
	if !ok || pb.s != s {
		return pgerror.New(pgerror.InternalError, "batch of another state store")
	}
	if pb.b == nil {
		return pgerror.New(pgerror.InternalError, "batch was committed before")
	}
	if err := s.gate.enter(); err != nil {
		return err
	}
	defer s.gate.leave()
	defer pb.release()
	if pb.err != nil {
		return pb.err
	}
	if err := s.backpressure(pb.Size()); err != nil {
		return err
	}
	if s.ingestible(pb) {
		return s.ingest(pb)
	}
	s.order.RLock()
	defer s.order.RUnlock()
	if err := s.failed(); err != nil {
		return err
	}
	opts := pebble.NoSync
	if sync {
		opts = pebble.Sync
		if pb.b.Empty() {
			// Pebble takes an empty batch as nothing to do, but those before
			// it are to be made durable.
			if err := pb.b.LogData(nil, nil); err != nil {
				return s.writeError(err)
			}
		}
	}
	if err := s.db.Apply(pb.b, opts); err != nil {
		return s.writeError(err)
	}
	if !sync && s.pusher != nil {
		if err := s.pusher.push(); err != nil {
			return s.writeError(err)
		}
	}
	// The fence reports a write to the log that failed as done; it says so here.
	return s.failed()
}

// backpressure makes Commit wait while compactions are behind. Pebble has such
// a brake of its own, but one that does not end when compactions have failed
// for good; this one does.
func (s *pebbleStore) backpressure(n int) error {
	if err := s.failed(); err != nil {
		return err
	}
	if s.unchecked.Add(int64(n)) < l0CheckBytes {
		return nil
	}
	s.unchecked.Store(0)
	for s.db.Metrics().Levels[0].Sublevels >= l0Stop {
		if err := s.failed(); err != nil {
			return err
		}
		if s.gate.closing() {
			return errClosed()
		}
		time.Sleep(5 * time.Millisecond)
	}
	return nil
}

// Close implements Store. It waits for calls under way, scans among them, which
// end at their next step. Snapshots that are open become unusable.
func (s *pebbleStore) Close() error {
	if !s.gate.close() {
		return nil
	}
	if s.collector != nil {
		s.o.Registerer.Unregister(s.collector)
	}
	s.mu.Lock()
	snaps := s.snaps
	s.snaps = nil
	s.mu.Unlock()
	var errs []error
	for sn := range snaps {
		errs = append(errs, sn.p.Close())
	}
	if s.failed() == nil {
		errs = append(errs, s.db.LogData(nil, pebble.Sync))
	}
	if s.pusher != nil {
		s.pusher.close()
	}
	errs = append(errs, s.db.Close())
	if err := s.failed(); err != nil {
		return err
	}
	if err := errors.Join(errs...); err != nil {
		return diskError(s.dir, err)
	}
	return nil
}

// Snapshot implements Store.
func (s *pebbleStore) Snapshot() Snapshot {
	sn := &pebbleSnapshot{s: s}
	if s.gate.enter() != nil {
		return sn // each use reports that the store is closed
	}
	defer s.gate.leave()
	sn.p = s.db.NewSnapshot()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.snaps[sn] = struct{}{}
	return sn
}

// pebbleSnapshot implements Snapshot. The lock keeps Close away from reads
// under way.
type pebbleSnapshot struct {
	s      *pebbleStore
	mu     sync.RWMutex
	closed bool
	p      *pebble.Snapshot
}

// Get implements Reader.
func (sn *pebbleSnapshot) Get(k []byte) ([]byte, error) {
	if err := sn.s.gate.enter(); err != nil {
		return nil, err
	}
	defer sn.s.gate.leave()
	sn.mu.RLock()
	defer sn.mu.RUnlock()
	if sn.closed {
		return nil, errSnapshotClosed()
	}
	return sn.s.get(sn.p, k)
}

// Scan implements Reader.
func (sn *pebbleSnapshot) Scan(lo, hi []byte) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		if err := sn.s.gate.enter(); err != nil {
			yield(Entry{}, err)
			return
		}
		defer sn.s.gate.leave()
		sn.mu.RLock()
		if sn.closed {
			sn.mu.RUnlock()
			yield(Entry{}, errSnapshotClosed())
			return
		}
		// The iterator keeps its moment by itself once it exists, so that the
		// lock need not be held while the caller's code runs.
		r := openedReader{p: sn.p, opened: sn.mu.RUnlock}
		sn.s.scan(&r, lo, hi, yield)
		r.done()
	}
}

// openedReader calls opened once its iterator exists.
type openedReader struct {
	pebble.Reader
	p      *pebble.Snapshot
	opened func()
}

// NewIter implements pebble.Reader.
func (r *openedReader) NewIter(o *pebble.IterOptions) (*pebble.Iterator, error) {
	it, err := r.p.NewIterWithContext(context.Background(), o)
	r.done()
	return it, err
}

func (r *openedReader) done() {
	if r.opened != nil {
		r.opened()
		r.opened = nil
	}
}

// Close implements Snapshot. A second Close does nothing.
func (sn *pebbleSnapshot) Close() error {
	if sn.s.gate.enter() != nil {
		return nil // the store closed it
	}
	defer sn.s.gate.leave()
	sn.mu.Lock()
	defer sn.mu.Unlock()
	if sn.closed || sn.p == nil {
		return nil
	}
	sn.closed = true
	sn.s.mu.Lock()
	delete(sn.s.snaps, sn)
	sn.s.mu.Unlock()
	return sn.p.Close()
}
