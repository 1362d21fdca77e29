package table

import (
	"bytes"
	"slices"

	"velostream/storage/column"
	"velostream/storage/rowenc"
	"velostream/storage/state"
)

// fillRows is how many rows are decoded at a time.
const fillRows = 1024

// filler makes the entries of an index from the rows that are there: they are
// collected, sorted and put aside in runs, which enter the store together. It
// holds one buffer of limits.buffer bytes.
type filler struct {
	tx   *Tx
	rel  *Relation
	x    *Index
	buf  loadBuf
	runs []*state.Run
	last []byte // the greatest key of runs
	// lapped: runs overlap, so that two may have one key.
	lapped bool
}

// fill puts the rows, as the transaction sees them, into index x, beside its
// commit.
func (tx *Tx) fill(rel *Relation, x *Index) error {
	f := &filler{tx: tx, rel: rel, x: x}
	f.buf.reset()
	defer f.close()
	if err := f.scan(); err != nil {
		return err
	}
	if err := f.finish(); err != nil {
		return err
	}
	tx.direct = true
	return tx.db.store.CommitRuns(tx.db.store.NewBatch(), f.runs)
}

func (f *filler) close() {
	for _, r := range f.runs {
		_ = r.Close() // a file that could not be removed goes when the store is opened
	}
}

// scan reads the indexed columns of all rows.
func (f *filler) scan() error {
	d := rowenc.NewDecoder(f.rel.Types, f.reads())
	var keys []byte
	var ends []int
	for e, err := range f.tx.Scan(f.rel.ID) {
		if err == nil {
			err = d.Append(e.Value)
		}
		if err != nil {
			return err
		}
		keys = append(keys, e.Key...)
		if ends = append(ends, len(keys)); len(ends) < fillRows {
			continue
		}
		if err := f.add(d.Batch(), keys, ends); err != nil {
			return err
		}
		d.Reset()
		keys, ends = keys[:0], ends[:0]
	}
	if len(ends) == 0 {
		return nil
	}
	return f.add(d.Batch(), keys, ends)
}

// derives reports that the index needs what Relation.Derive computes.
func (f *filler) derives() bool {
	return len(f.x.Only) > 0 || slices.Max(f.x.Columns) >= len(f.rel.Types)
}

// reads are the columns that the index needs; all, where it needs more than columns.
func (f *filler) reads() []int {
	n := len(f.rel.Types)
	if !f.derives() {
		return f.x.Columns
	}
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	return all
}

// add makes the entries of the rows of b, which has the columns of reads; their
// keys lie in keys, one after another.
func (f *filler) add(b *column.Batch, keys []byte, ends []int) error {
	cols := make([]*column.Column, len(f.rel.Types))
	for i, j := range f.reads() {
		cols[j] = b.Cols[i]
	}
	if f.derives() {
		full, err := f.rel.derived(&column.Batch{Cols: cols, N: b.N, Sel: b.Sel})
		if err != nil {
			return err
		}
		cols = full.Cols
	}
	begin := 0
	for i, end := range ends {
		if f.x.has(cols, i) {
			f.buf.entry(f.x, cols, i, keys[begin:end], 0)
		}
		begin = end
	}
	if len(f.buf.arena) < f.tx.db.limits.buffer {
		return nil
	}
	return f.seal()
}

// seal writes the buffer as a run.
func (f *filler) seal() error {
	if err := f.order(); err != nil {
		return err
	}
	run, err := f.buf.write(f.tx.db.store.NewRun(), false)
	if err != nil {
		return err
	}
	f.runs = append(f.runs, run)
	first, last := run.Bounds()
	f.lapped = f.lapped || f.last != nil && bytes.Compare(first, f.last) <= 0
	if bytes.Compare(last, f.last) > 0 {
		f.last = bytes.Clone(last)
	}
	f.buf.reset()
	return nil
}

// order sorts the buffer, and refuses a key that is there twice.
func (f *filler) order() error {
	if i := f.buf.sort(); i >= 0 {
		return f.duplicate(f.buf.value(f.buf.refs[i]))
	}
	return nil
}

// finish makes the last run, and compares runs with each other.
func (f *filler) finish() error {
	switch {
	case len(f.buf.refs) == 0:
	case len(f.runs) > 0:
		if err := f.seal(); err != nil {
			return err
		}
	default: // a small index passes through the store's log
		if err := f.order(); err != nil {
			return err
		}
		f.runs = append(f.runs, f.buf.memory())
	}
	if !f.x.Unique || !f.lapped {
		return nil
	}
	var last []byte
	for e, err := range state.MergeRuns(f.runs, nil, nil) {
		switch {
		case err != nil:
			return err
		case last != nil && bytes.Equal(last, e.Key):
			return f.duplicate(e.Value)
		}
		last = append(last[:0], e.Key...)
	}
	return nil
}

// duplicate is the error about the row with the given key, whose values another
// row has too.
func (f *filler) duplicate(rowKey []byte) error {
	stored, err := f.tx.row(f.rel, string(rowKey))
	if err != nil {
		return err
	}
	rows := column.NewBuilder(f.rel.Types, 1)
	if err := rowenc.DecodeRow(stored, rows); err != nil {
		return err
	}
	rows.Row(column.Insert)
	full, err := f.rel.derived(rows.Batch())
	if err != nil {
		return err
	}
	return cannotBuild(f.rel, f.x.Name, f.x.Columns, full.Cols)
}
