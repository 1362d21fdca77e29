package operator

import (
	"velostream/catalog/types"
	"velostream/storage/column"
	"velostream/storage/spool"
)

// What a bounded query cannot keep within its budget goes to its temporary disk space
// (spool.Disk):
//
//   - sort and over write sorted runs, and merge them at the end (runs);
//   - aggregate and join spread rows over partitions by hash of the key, and deal with one partition
//     after another (partitions).
//
// Both are lists of rows as columns, with whatever was computed of them.

// spills reports that an operator that keeps n bytes is to go on on disk.
func (c BuildContext) spills(n int64) bool {
	if c.Disk == nil {
		return false
	}
	f := c.Disk.Forced()
	return f > 0 && n > f || n > c.budget().now()
}

// limit is the error of an operator that keeps n bytes and has nowhere to go with them.
func (c BuildContext) limit(label string, n int64) error {
	if b := c.budget(); n > b.now() {
		return b.exceeded(label, n)
	}
	return nil
}

const (
	spillBlockMin = 8 << 10
	spillBlockMax = 256 << 10
	// spillBlocks is how many blocks fit into a budget, about: those of all runs that are merged
	// at a time, or of all partitions that are written.
	spillBlocks = 64
)

// spillBlock is the size of blocks on disk, in bytes of memory.
func (c BuildContext) spillBlock() int64 {
	return min(max(c.budget().now()/spillBlocks, spillBlockMin), spillBlockMax)
}

// rowOrder orders row i of a and row j of b.
type rowOrder func(a *column.Batch, i int, b *column.Batch, j int) int

// runs is sorted runs of rows on disk. Rows that are equal in the order come out in the order
// in which they were added.
type runs struct {
	ctx   BuildContext
	ts    []types.Type
	order rowOrder
	file  *spool.File
	lists []*spool.List
	block int64
}

func newRuns(ctx BuildContext, ts []types.Type, order rowOrder) *runs {
	return &runs{ctx: ctx, ts: ts, order: order, file: ctx.Disk.NewFile(), block: ctx.spillBlock()}
}

// add writes a run: the given rows of b, which are in order.
func (r *runs) add(b *column.Batch, rows []int32) error {
	if len(rows) == 0 {
		return nil
	}
	l := r.file.NewList(r.ts, r.block)
	if err := l.Append(b, rows); err != nil {
		return err
	}
	r.lists = append(r.lists, l)
	return l.End()
}

// ways is how many runs are merged at a time: a block of each is in memory.
func (r *runs) ways() int {
	block := r.block
	for _, l := range r.lists {
		block = max(block, l.LargestBytes())
	}
	return int(min(max(r.ctx.budget().now()/(2*block), 4), 512))
}

// merge calls each for all rows in order, until it returns an error or more is false, and
// frees the runs.
func (r *runs) merge(each func(b *column.Batch, i int) (more bool, err error)) error {
	defer func() { _ = r.file.Close() }() // it has no name: nothing is lost
	for n := r.ways(); len(r.lists) > n; n = r.ways() {
		if err := r.shorten(n); err != nil {
			return err
		}
	}
	return r.mergeLists(r.lists, each)
}

// shorten merges each n runs that follow each other into one.
func (r *runs) shorten(n int) error {
	to := r.ctx.Disk.NewFile()
	var lists []*spool.List
	one := []int32{0}
	for at := 0; at < len(r.lists); at += n {
		l := to.NewList(r.ts, r.block)
		err := r.mergeLists(r.lists[at:min(at+n, len(r.lists))], func(b *column.Batch, i int) (bool, error) {
			one[0] = int32(i)
			return true, l.Append(b, one)
		})
		if err == nil {
			err = l.End()
		}
		if err != nil {
			return err
		}
		lists = append(lists, l)
	}
	if err := r.file.Close(); err != nil {
		return err
	}
	r.file, r.lists = to, lists
	return nil
}

// runHead is where a run is read.
type runHead struct {
	run    int
	cursor spool.Cursor
	b      *column.Batch
	row    int
}

// next moves on by a row, and reports whether there is one.
func (h *runHead) next() (bool, error) {
	if h.b != nil && h.row+1 < h.b.N {
		h.row++
		return true, nil
	}
	b, err := h.cursor.Next()
	h.b, h.row = b, 0
	return b != nil, err
}

// mergeLists merges lists, the first of which goes first where rows are equal: a heap of their heads.
func (r *runs) mergeLists(lists []*spool.List, each func(b *column.Batch, i int) (bool, error)) error {
	heads := make([]*runHead, 0, len(lists))
	for k, l := range lists {
		h := &runHead{run: k, cursor: l.Cursor()}
		some, err := h.next()
		if err != nil {
			return err
		}
		if some {
			heads = append(heads, h)
		}
	}
	for k := len(heads)/2 - 1; k >= 0; k-- {
		r.sink(heads, k)
	}
	for len(heads) > 0 {
		h := heads[0]
		more, err := each(h.b, h.row)
		if err != nil || !more {
			return err
		}
		some, err := h.next()
		if err != nil {
			return err
		}
		if !some {
			heads[0] = heads[len(heads)-1]
			heads = heads[:len(heads)-1]
		}
		r.sink(heads, 0)
	}
	return nil
}

// sink restores the heap whose k-th head may be too great.
func (r *runs) sink(heads []*runHead, k int) {
	for {
		least := 2*k + 1
		if least >= len(heads) {
			return
		}
		if right := least + 1; right < len(heads) && r.before(heads[right], heads[least]) {
			least = right
		}
		if !r.before(heads[least], heads[k]) {
			return
		}
		heads[k], heads[least] = heads[least], heads[k]
		k = least
	}
}

func (r *runs) before(x, y *runHead) bool {
	if d := r.order(x.b, x.row, y.b, y.row); d != 0 {
		return d < 0
	}
	return x.run < y.run
}
