package operator

import (
	"bytes"
	"iter"
	"sort"

	"velostream/catalog/types"
	"velostream/storage/column"
	"velostream/storage/rowenc"
	"velostream/storage/spool"
)

// A multiset of bounded input has no table: beyond its budget it writes its entries to disk,
// in sorted runs. Entries only come then, and are asked for at the end, when the runs are merged into one
// list with an index of the first keys of its blocks. Who asks in the order of keys reads each block once.
type setRuns struct {
	runs  *runs
	list  *spool.List // merged; nil: not yet
	first [][]byte    // keys that the blocks begin with
	block int         // that is in b
	b     *column.Batch
}

// setTypes are key, count, value.
var setTypes = []types.Type{types.Bytea, types.Int8, types.Bytea}

func compareSetRows(a *column.Batch, i int, b *column.Batch, j int) int {
	return bytes.Compare(a.Cols[0].Bytes(i), b.Cols[0].Bytes(j))
}

// spill writes what is in memory as a run.
func (s *multiset) spill() error {
	if s.runs == nil {
		s.runs = &setRuns{runs: newRuns(s.ctx, setTypes, compareSetRows), block: -1}
	}
	if s.runs.list != nil {
		return broken(s.label, "values come after the end")
	}
	b, k := column.NewBuilder(setTypes, s.m.Len()), 0
	rows := make([]int32, 0, s.m.Len())
	s.m.Scan(func(key string, e *msEntry) bool {
		b.Col(0).AppendBytes([]byte(key))
		b.Col(1).Ints = append(b.Col(1).Ints, e.n)
		b.Col(2).AppendBytes([]byte(e.val))
		b.Row(column.Insert)
		rows = append(rows, int32(k))
		k++
		return true
	})
	s.m.Clear()
	s.bytes = 0
	return s.runs.runs.add(b.Batch(), rows)
}

// seal merges the runs, adding up the counts of equal keys.
func (s *multiset) seal() error {
	if s.m.Len() > 0 {
		if err := s.spill(); err != nil {
			return err
		}
	}
	r := s.runs
	to := s.ctx.Disk.NewFile().NewList(setTypes, r.runs.block)
	next := column.NewBuilder(setTypes, 1)
	put := func() error {
		if next.Len() == 0 {
			return nil
		}
		if to.Blocks() == len(r.first) { // it begins a block
			r.first = append(r.first, bytes.Clone(next.Col(0).Bytes(0)))
		}
		if err := to.Append(next.Batch(), []int32{0}); err != nil {
			return err
		}
		next.Reset()
		return nil
	}
	err := r.runs.merge(func(b *column.Batch, i int) (bool, error) {
		if next.Len() > 0 && bytes.Equal(next.Col(0).Bytes(0), b.Cols[0].Bytes(i)) {
			next.Col(1).Ints[0] += b.Cols[1].Ints[i]
			return true, nil
		}
		if err := put(); err != nil {
			return false, err
		}
		next.AppendRow(b, i, column.Insert)
		return true, nil
	})
	if err == nil {
		err = put()
	}
	if err == nil {
		err = to.End()
	}
	r.list = to
	return err
}

// close frees the disk.
func (s *multiset) close() error {
	if s.runs == nil || s.runs.list == nil {
		return nil // Disk.Close frees runs that nobody asked for
	}
	return s.runs.list.Close()
}

// scanRuns is scan of what is on disk.
func (s *multiset) scanRuns(prefix []byte) iter.Seq2[msItem, error] {
	return func(yield func(msItem, error) bool) {
		if s.runs.list == nil {
			if err := s.seal(); err != nil {
				yield(msItem{}, err)
				return
			}
		}
		r, hi := s.runs, rowenc.PrefixEnd(prefix)
		at := max(0, sort.Search(len(r.first), func(k int) bool { return bytes.Compare(r.first[k], prefix) >= 0 })-1)
		for ; at < r.list.Blocks(); at++ {
			if r.block != at {
				b, err := r.list.Block(at)
				if err != nil {
					yield(msItem{}, err)
					return
				}
				r.block, r.b = at, b
			}
			b := r.b
			keys := b.Cols[0]
			for i := sort.Search(b.N, func(i int) bool { return bytes.Compare(keys.Bytes(i), prefix) >= 0 }); i < b.N; i++ {
				key := keys.Bytes(i)
				if hi != nil && bytes.Compare(key, hi) >= 0 {
					return
				}
				if !yield(msItem{key, b.Cols[2].Bytes(i), b.Cols[1].Ints[i]}, nil) {
					return
				}
			}
		}
	}
}
