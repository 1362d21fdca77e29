package operator

import (
	"velostream/engine/dataflow"
	"velostream/storage/column"
	"velostream/storage/spool"
)

// joinSpill is what a hashJoin has on disk. When its table passes the budget, the rows of both sides are
// spread over partitions by hash of the key, and partition after partition is joined by itself, spread again
// where its table does not fit either. Where spreading does not help, because most rows have one key
// or there is no key, the table is made of one part of the rows after another, and the rows of the
// other side pass by each part: this ends whatever the keys are, in time that grows with the product of the
// sizes, as the result of most such joins does.
type joinSpill struct {
	parts [2]*partitions // by port; nil: the table is in memory
	level int
	whole bool // do not spread

	wait *column.Builder // rows of the other port that came before the table was complete
	list *spool.List     // likewise, when they are many

	// With a table made part by part:
	pieces bool
	final  bool // the last one
	base   int  // number of the first row of the batch at hand
	seen   column.Bitmap
}

// mark notes whether the k-th row of the batch at hand has a match, and returns whether it had one in
// an earlier part of the table.
func (s *joinSpill) mark(k int, some bool) (before bool) {
	if !s.pieces {
		return false
	}
	before = s.seen.Get(s.base + k)
	if some {
		s.seen.Set(s.base + k)
	}
	return before
}

// last reports that the table has no further part.
func (s *joinSpill) last() bool { return !s.pieces || s.final }

// memory is about what the table and the rows that wait take.
func (j *hashJoin) memory() int64 {
	n := j.store.memory() + j.keys.bytes() + 4*int64(len(j.slots))
	if w := j.spill.wait; w != nil {
		n += w.Batch().MemSize()
	}
	return n
}

// bound sends the rows that wait, and if that is not enough the table, to disk when they pass
// the budget.
func (j *hashJoin) bound() error {
	s, n := &j.spill, j.memory()
	if s.wait != nil && j.ctx.spills(n) {
		if err := j.waitOnDisk(); err != nil {
			return err
		}
		n = j.memory()
	}
	if !j.ctx.spills(n) {
		return j.ctx.limit(j.label, n)
	}
	for port := range s.parts {
		s.parts[port] = newPartitions(j.ctx, j.p.Inputs[port].Types(), s.level)
		s.parts[port].whole = s.whole || len(j.p.Keys) == 0
	}
	b := &column.Batch{Cols: j.store.cols, N: len(j.store.next)}
	rows := b.Select(nil)
	j.locate(j.build, b, rows)
	err := s.parts[j.build].add(b, rows, j.hashes)
	j.clear()
	return err
}

// waits keeps rows that the table is not ready for.
func (j *hashJoin) waits(in *column.Batch, rows []int32) error {
	s, ts := &j.spill, j.p.Inputs[1-j.build].Types()
	view := &column.Batch{Cols: in.Cols[:len(ts)], N: in.N}
	if s.list != nil {
		return s.list.Append(view, rows)
	}
	if s.wait == nil {
		s.wait = column.NewBuilder(ts, 0)
	}
	s.wait.AppendRows(view, rows, column.Insert)
	if n := j.memory(); !j.ctx.spills(n) {
		return j.ctx.limit(j.label, n)
	}
	return j.waitOnDisk()
}

// waitOnDisk sends the rows that wait to disk.
func (j *hashJoin) waitOnDisk() error {
	s, b := &j.spill, j.spill.wait.Batch()
	s.list = j.ctx.Disk.NewFile().NewList(j.p.Inputs[1-j.build].Types(), j.ctx.spillBlock())
	err := s.list.Append(b, b.Select(nil))
	s.wait = nil
	return err
}

// resume matches the rows that waited.
func (j *hashJoin) resume(out dataflow.Output) error {
	s, port := &j.spill, 1-j.build
	if s.wait != nil {
		b := s.wait.Batch()
		s.wait = nil
		return j.Process(port, b, out)
	}
	if s.list == nil {
		return nil
	}
	l := s.list
	s.list = nil
	if err := l.End(); err != nil {
		return err
	}
	if err := replay(l, j, port, out); err != nil {
		return err
	}
	return l.Close()
}

// finish joins what is on disk.
func (j *hashJoin) finish(out dataflow.Output) error {
	build, probe := j.spill.parts[j.build], j.spill.parts[1-j.build]
	for _, p := range j.spill.parts {
		if err := p.end(); err != nil {
			return err
		}
	}
	j.spill.parts = [2]*partitions{}
	j.clear()
	for n := range build.lists {
		b, p := build.lists[n], probe.lists[n]
		var err error
		switch {
		case b == nil && p == nil:
		case build.whole:
			err = j.joinPieces(b, p, out)
		default:
			err = j.joinPart(b, p, 4*b.Rows() > 3*build.rows, out)
		}
		if err != nil {
			return err
		}
	}
	if err := build.close(); err != nil {
		return err
	}
	return probe.close()
}

// joinPart joins a partition by itself. whole: to spread it does not help.
func (j *hashJoin) joinPart(build, probe *spool.List, whole bool, out dataflow.Output) error {
	c, err := newHashJoin(j.p, j.ctx)
	if err != nil {
		return err
	}
	c.keep(j.build)
	c.spill.level, c.spill.whole = j.spill.level+1, whole
	for k, l := range []*spool.List{build, probe} {
		port := j.build ^ k
		if err := replay(l, c, port, out); err != nil {
			return err
		}
		if err := c.End(port, out); err != nil {
			return err
		}
	}
	return nil
}

// joinPieces joins by making the table of one part of build after another.
func (j *hashJoin) joinPieces(build, probe *spool.List, out dataflow.Output) error {
	s := &j.spill
	s.pieces, s.seen = true, column.NewBitmap(int(probe.Rows()))
	c := build.Cursor()
	next, err := c.Next()
	for err == nil && (next != nil || !s.final) {
		for next != nil {
			rows := next.Select(nil)
			j.locate(j.build, next, rows)
			if err := j.dropNulls(j.build, next, rows, out); err != nil {
				return err
			}
			j.insert(next)
			if next, err = c.Next(); err != nil {
				return err
			}
			if j.ctx.spills(j.memory()) {
				break
			}
		}
		s.final, s.base = next == nil, 0
		for b, err := range probe.All() {
			if err != nil {
				return err
			}
			if err := j.probe(b, b.Select(nil), out); err != nil {
				return err
			}
			s.base += b.N
		}
		if err := j.unmatched(out); err != nil {
			return err
		}
		j.clear()
	}
	s.seen = nil
	return err
}
