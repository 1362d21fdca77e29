package state

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/objstorage/objstorageprovider"
	"github.com/cockroachdb/pebble/v2/sstable"
	"github.com/cockroachdb/pebble/v2/vfs"

	"velostream/pgwire/pgerror"
)

// A large batch is sorted and written as table files, which Pebble then takes
// in as they are: they pass neither log nor memtable, and take their place low
// in the tree where they overlap nothing. All files of a batch enter in one
// edit of the manifest, so the batch stays atomic.
//
// Measured (BenchmarkCommit, 16-byte keys spread evenly over 2 M, 32-byte
// values, CPU with flushes and compactions, ns per entry):
//
//	entries    plain        ingest
//	10 k       2,200        3,700   small files at level 0, to be compacted
//	100 k      1,000-1,600  1,200-1,500
//	1 M        1,400-1,600  1,300   and half the bytes written
//
// so only the largest batches go this way: a bulk load, a first checkpoint.
//
// Why the promise of Commit, that after a crash the store holds a prefix of the
// commits, survives this. An ingested batch is durable at once, whereas
// commits before it may still be only in the unsynced tail of the log, and
// Pebble flushes the memtable first only where it overlaps. So:
//
//  1. order is held exclusively: no commit gets between the next two steps.
//  2. An empty record is written to the log with fsync: every earlier commit
//     is durable.
//  3. The files are ingested, and durable.
//  4. Later commits come later in the log, and are lost or kept as ever.
//
// A crash between 2 and 3 leaves the earlier commits, one after 3 these and the
// batch: both are prefixes. The price is some fsyncs even where the caller
// asked for none.
//
// Batches with DeleteRange take the plain path: within one ingested file all
// entries have one sequence number, so a range cannot cover some of the
// batch's own entries and not others.

// stagingDir is where table files are written before they are taken in. What a
// crash leaves there is removed on open.
const stagingDir = "staging"

// ingestible reports that b goes this way.
func (s *pebbleStore) ingestible(b *pebbleBatch) bool {
	return s.o.IngestEntriesMin > 0 && b.ranges == 0 && b.Len() >= s.o.IngestEntriesMin
}

// ingest commits b as table files. On return it is durable.
func (s *pebbleStore) ingest(b *pebbleBatch) error {
	ops, err := sortedOps(b.b)
	if err != nil {
		return err
	}
	s.order.Lock()
	defer s.order.Unlock()
	if err := s.failed(); err != nil {
		return err
	}
	paths, err := s.stage(ops)
	if err != nil {
		return s.writeError(errors.Join(err, s.removeStaged(paths)))
	}
	if err := s.db.LogData(nil, pebble.Sync); err != nil {
		return s.writeError(err)
	}
	if err := s.failed(); err != nil {
		return err
	}
	if err := s.db.Ingest(context.Background(), paths); err != nil {
		return s.writeError(errors.Join(err, s.removeStaged(paths)))
	}
	return s.failed()
}

// op is one write of a batch. head is what sorts most of them: the eight bytes
// of the key after those that all keys share.
type op struct {
	head       uint64
	key, value []byte
	seq        uint32
	del        bool
}

// sortedOps is what b leaves of each key, by key. Keys and values stay b's.
func sortedOps(b *pebble.Batch) ([]op, error) {
	ops := make([]op, 0, b.Count())
	for r := b.Reader(); ; {
		kind, k, v, ok, err := r.Next()
		if err != nil {
			return nil, pgerror.New(pgerror.InternalError, "unreadable batch: %v", err).WithCause(err)
		}
		if !ok {
			break
		}
		switch kind {
		case pebble.InternalKeyKindSet:
			ops = append(ops, op{key: k, value: v, seq: uint32(len(ops))})
		case pebble.InternalKeyKindDelete:
			ops = append(ops, op{key: k, seq: uint32(len(ops)), del: true})
		default:
			return nil, pgerror.New(pgerror.InternalError, "unexpected %s in a batch", kind)
		}
	}
	shared := len(ops[0].key)
	for _, o := range ops {
		shared = min(shared, commonPrefix(ops[0].key, o.key))
	}
	for i := range ops {
		ops[i].head = head(ops[i].key[shared:])
	}
	compare := func(a, b op) int {
		if c := cmp.Compare(a.head, b.head); c != 0 {
			return c
		}
		if c := bytes.Compare(a.key[shared:], b.key[shared:]); c != 0 {
			return c
		}
		return cmp.Compare(b.seq, a.seq) // the last write first: it is the one kept
	}
	ops = mergeRuns(ops, compare)
	return slices.CompactFunc(ops, func(a, b op) bool { return a.head == b.head && bytes.Equal(a.key, b.key) }), nil
}

// head is the first eight bytes of k, padded with zeros, as a number in the
// order of bytes. Equal heads decide nothing: "a" and "a\x00" have the same.
func head(k []byte) uint64 {
	if len(k) >= 8 {
		return binary.BigEndian.Uint64(k)
	}
	var h [8]byte
	copy(h[:], k)
	return binary.BigEndian.Uint64(h[:])
}

// commonPrefix is the length of what a and b begin with alike.
func commonPrefix(a, b []byte) int {
	n := min(len(a), len(b))
	for i := range n {
		if a[i] != b[i] {
			return i
		}
	}
	return n
}

// stage writes ops to files and returns their paths, also of those begun
// before an error.
func (s *pebbleStore) stage(ops []op) (paths []string, err error) {
	dir := s.fence.PathJoin(s.dir, stagingDir)
	if err := s.fence.MkdirAll(dir, 0o750); err != nil {
		return nil, err
	}
	for len(ops) > 0 {
		path := s.fence.PathJoin(dir, fmt.Sprintf("%06d.sst", len(paths)+1))
		f, err := s.fence.Create(path, vfs.WriteCategoryUnspecified)
		if err != nil {
			return paths, err
		}
		paths = append(paths, path)
		w := sstable.NewWriter(objstorageprovider.NewFileWritable(f), s.tables)
		n, size := 0, 0
		for n < len(ops) && size < s.o.TableFileBytes && err == nil {
			o := &ops[n]
			if o.del {
				err = w.Delete(o.key)
			} else {
				err = w.Set(o.key, o.value)
			}
			size += len(o.key) + len(o.value)
			n++
		}
		if err := errors.Join(err, w.Close()); err != nil {
			return paths, err
		}
		ops = ops[n:]
	}
	return paths, nil
}

// removeStaged removes what an ingest that failed has left.
func (s *pebbleStore) removeStaged(paths []string) error {
	var errs []error
	for _, p := range paths {
		if err := s.fence.Remove(p); err != nil && !errors.Is(err, os.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// clearStaging removes what a crash during an ingest has left.
func (s *pebbleStore) clearStaging() error {
	dir := s.fence.PathJoin(s.dir, stagingDir)
	if err := s.fence.RemoveAll(dir); err != nil && !errors.Is(err, os.ErrNotExist) {
		return diskError(s.dir, err)
	}
	return nil
}
