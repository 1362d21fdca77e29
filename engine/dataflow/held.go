package dataflow

import "velostream/storage/column"

// heldBatch waits for the barrier, see Input.Retracting.
type heldBatch struct {
	input int
	batch *column.Batch
}

// release gives the held batches to the operators: deletes first, and without
// the rows that came and went meanwhile, since such a row's delete would
// otherwise stand before its insert.
func (t *task) release() error {
	if len(t.held) == 0 {
		return nil
	}
	deletes, inserts := net(t.held)
	for _, marked := range [][][]int32{deletes, inserts} {
		for i, h := range t.held {
			if len(marked[i]) == 0 {
				continue
			}
			part := *h.batch
			part.Sel = marked[i]
			if err := t.tree.Push(h.input, &part); err != nil {
				return err
			}
		}
	}
	clear(t.held)
	t.held = t.held[:0]
	return nil
}

// net lists for each batch the rows deleted and inserted that are left after
// each delete has cancelled an insert of the identical row of its input.
func net(held []heldBatch) (deletes, inserts [][]int32) {
	deletes, inserts = make([][]int32, len(held)), make([][]int32, len(held))
	n := 0
	for i, h := range held {
		deletes[i], inserts[i] = h.batch.Marked(column.Delete), h.batch.Marked(column.Insert)
		n += len(deletes[i])
	}
	if n == 0 {
		return deletes, inserts
	}
	// Deletes by the hash of their row; next is the one before with that hash.
	type deleted struct {
		batch, row, next int32
		cancelled        bool
	}
	all := make([]deleted, 0, n)
	head := make(map[uint64]int32, n)
	var hashes []uint64
	for i, h := range held {
		hashes = column.HashRows(hashes, h.batch.Cols, deletes[i], 0)
		for k, row := range deletes[i] {
			key := column.Mix(hashes[k], uint64(h.input))
			next, ok := head[key]
			if !ok {
				next = -1
			}
			head[key] = int32(len(all))
			all = append(all, deleted{batch: int32(i), row: row, next: next})
		}
	}
	for i, h := range held {
		hashes = column.HashRows(hashes, h.batch.Cols, inserts[i], 0)
		left := inserts[i][:0]
	rows:
		for k, row := range inserts[i] {
			at, ok := head[column.Mix(hashes[k], uint64(h.input))]
			for ; ok && at >= 0; at = all[at].next {
				d := &all[at]
				if !d.cancelled && held[d.batch].input == h.input && identical(held[d.batch].batch, int(d.row), h.batch, int(row)) {
					d.cancelled = true
					continue rows
				}
			}
			left = append(left, row)
		}
		inserts[i] = left
	}
	for i := range deletes {
		deletes[i] = deletes[i][:0]
	}
	for _, d := range all {
		if !d.cancelled {
			deletes[d.batch] = append(deletes[d.batch], d.row)
		}
	}
	return deletes, inserts
}

func identical(a *column.Batch, i int, b *column.Batch, j int) bool {
	for c := range a.Cols {
		if !column.IdenticalAt(a.Cols[c], i, b.Cols[c], j) {
			return false
		}
	}
	return true
}
