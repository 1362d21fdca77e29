package state

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/cockroachdb/pebble/v2"

	"velostream/pgwire/pgerror"
)

func runName(n uint64) string { return fmt.Sprintf("run-%06d.sst", n) }

// runsPlainBytes is up to how much memory runs may hold to be passed through
// the log like any batch: below that, writing and ingesting files costs more.
const runsPlainBytes = 8 << 20

// CommitRuns implements Store.
func (s *memStore) CommitRuns(b Batch, runs []*Run) error {
	mb, ok := b.(*memBatch)
	if !ok || mb.s != s {
		return pgerror.New(pgerror.InternalError, "batch of another state store")
	}
	all := &memBatch{s: s}
	for _, r := range runs {
		for _, e := range r.entries {
			all.Put(e.Key, e.Value)
		}
	}
	all.ops = append(all.ops, mb.ops...)
	all.size += mb.size
	all.err = errors.Join(all.err, mb.err)
	mb.used = true
	return s.Commit(all, true)
}

// CommitRuns implements Store. It is durable on return.
//
// Files of runs that nothing else lies between are taken in as they are; where
// runs overlap, or b writes between their keys, they are merged into new files,
// b's writes winning. All files enter in one edit of the manifest, as ingest's.
func (s *pebbleStore) CommitRuns(b Batch, runs []*Run) error {
	pb, ok := b.(*pebbleBatch)
	if !ok || pb.s != s {
		return pgerror.New(pgerror.InternalError, "batch of another state store")
	}
	if pb.b == nil || pb.ranges > 0 {
		return pgerror.New(pgerror.InternalError, "batch was committed before, or deletes ranges")
	}
	plain, size := true, int64(0)
	for _, r := range runs {
		plain = plain && r.files == nil
		size += r.size
	}
	if plain && size <= runsPlainBytes {
		all := s.NewBatch().(*pebbleBatch)
		for _, r := range runs {
			for _, e := range r.entries {
				all.Put(e.Key, e.Value)
			}
		}
		all.keep(all.b.Apply(pb.b, nil))
		all.keep(pb.err)
		pb.release()
		return s.Commit(all, true)
	}
	if err := s.gate.enter(); err != nil {
		return err
	}
	defer s.gate.leave()
	defer pb.release()
	if pb.err != nil {
		return pb.err
	}
	if err := s.backpressure(l0CheckBytes); err != nil {
		return err
	}
	return s.takeIn(pb, runs)
}

// takeIn commits b and runs as table files. See ingest.go for why the store
// still holds a prefix of the commits after a crash.
func (s *pebbleStore) takeIn(b *pebbleBatch, runs []*Run) error {
	var ops []op
	if b.b.Count() > 0 {
		var err error
		if ops, err = sortedOps(b.b); err != nil {
			return err
		}
	}
	p := &intake{s: s}
	defer p.close()
	if err := p.plan(ops, runs); err != nil {
		return err
	}
	s.order.Lock()
	defer s.order.Unlock()
	if err := s.failed(); err != nil {
		return err
	}
	if err := s.db.LogData(nil, pebble.Sync); err != nil {
		return s.writeError(err)
	}
	if err := s.failed(); err != nil {
		return err
	}
	if err := s.db.Ingest(context.Background(), p.paths); err != nil {
		return s.writeError(err)
	}
	return s.failed()
}

// intake is the files of one CommitRuns.
type intake struct {
	s     *pebbleStore
	paths []string
	made  []*Run // written for this commit
}

func (p *intake) close() {
	for _, r := range p.made {
		_ = r.Close() // their files are the store's now, or left over
	}
}

// plan makes ops and runs into files that do not overlap.
func (p *intake) plan(ops []op, runs []*Run) error {
	runs = slices.Clone(runs)
	slices.SortFunc(runs, func(a, b *Run) int { return bytes.Compare(a.first, b.first) })
	for len(runs) > 0 {
		n, last := 1, runs[0].last
		for n < len(runs) && bytes.Compare(runs[n].first, last) <= 0 {
			if bytes.Compare(runs[n].last, last) > 0 {
				last = runs[n].last
			}
			n++
		}
		before, _ := slices.BinarySearchFunc(ops, runs[0].first, func(o op, k []byte) int { return bytes.Compare(o.key, k) })
		within, there := slices.BinarySearchFunc(ops, last, func(o op, k []byte) int { return bytes.Compare(o.key, k) })
		if there {
			within++
		}
		if err := p.merge(nil, ops[:before]); err != nil {
			return err
		}
		if n == 1 && before == within && runs[0].files != nil {
			for _, f := range runs[0].files {
				p.paths = append(p.paths, f.path)
			}
		} else if err := p.merge(runs[:n], ops[before:within]); err != nil {
			return err
		}
		ops, runs = ops[within:], runs[n:]
	}
	return p.merge(nil, ops)
}

// merge writes runs and ops into files; an op replaces the entry of its key.
func (p *intake) merge(runs []*Run, ops []op) error {
	if len(runs) == 0 && len(ops) == 0 {
		return nil
	}
	w := &runFileWriter{s: p.s}
	put := func(o op) error { return w.add(o.key, o.value, o.del) }
	for e, err := range MergeRuns(runs, nil, nil) {
		for err == nil && len(ops) > 0 && bytes.Compare(ops[0].key, e.Key) < 0 {
			err = put(ops[0])
			ops = ops[1:]
		}
		if err == nil && len(ops) > 0 && bytes.Equal(ops[0].key, e.Key) {
			continue // the op comes before the next greater key
		}
		if err == nil {
			err = w.Add(e.Key, e.Value)
		}
		if err != nil {
			w.Abort()
			return err
		}
	}
	for _, o := range ops {
		if err := put(o); err != nil {
			w.Abort()
			return err
		}
	}
	r, err := w.Finish()
	if err != nil {
		return err
	}
	p.made = append(p.made, r)
	for _, f := range r.files {
		p.paths = append(p.paths, f.path)
	}
	return nil
}
