package table

import (
	"bytes"
	"iter"
	"slices"

	"velostream/pgwire/pgerror"
	"velostream/storage/column"
	"velostream/storage/rowenc"
	"velostream/storage/state"
)

// txRun is a run of a transaction's writes, made by a Loader. Its keys are in no
// other run of the transaction; the map of single changes lies over it.
type txRun struct {
	*state.Run
	rel *Relation // whose rows, or index entries, they are
	x   *Index    // nil: rows
	// check: keys may be there already. Up to the commit base they are not.
	check bool
	base  uint64
}

// attach makes a run part of what the transaction writes.
func (tx *Tx) attach(p *loadPart, r *state.Run, rel *Relation, base uint64) {
	w := tx.of(p.of)
	w.runs = append(slices.Clip(w.runs), txRun{r, rel, p.x, p.check, base})
	tx.loads++
	tx.owned = append(tx.owned, r)
	tx.undo = append(tx.undo, undo{w: w, run: true})
}

// detach undoes attach. The run is freed with the transaction: a cursor may read it.
func (tx *Tx) detach(w *writes) {
	w.runs = w.runs[: len(w.runs)-1 : len(w.runs)-1]
	tx.loads--
}

// freeRuns frees the runs that the transaction wrote, committed or not.
func (tx *Tx) freeRuns() {
	for _, r := range tx.owned {
		_ = r.Close() // a file that could not be removed goes when the store is opened
	}
	tx.owned = nil
}

// loaded returns the first of n ascending keys that an earlier load of this
// transaction wrote to the relation, or index, -1: none.
func (tx *Tx) loaded(of uint32, key func(int) []byte, n int) (int, error) {
	w := tx.writes[of]
	if w == nil {
		return -1, nil
	}
	for _, r := range w.runs {
		first, last := r.Bounds()
		if bytes.Compare(key(n-1), first) < 0 || bytes.Compare(key(0), last) > 0 {
			continue
		}
		if at, err := firstOf(r, key, n); err != nil || at >= 0 {
			return at, err
		}
	}
	return -1, nil
}

// fromRuns returns the value of k in the runs of w, nil: none.
func (w *writes) fromRuns(k string) ([]byte, error) {
	for _, r := range w.runs {
		if v, err := r.Get([]byte(k)); v != nil || err != nil {
			return v, err
		}
	}
	return nil, nil
}

// mergeRuns yields the entries of w's runs from lo up to hi in order; nil: no bound.
func (w *writes) mergeRuns(lo, hi []byte) iter.Seq2[state.Merged, error] {
	runs := make([]*state.Run, len(w.runs))
	for i, r := range w.runs {
		runs[i] = r.Run
	}
	return state.MergeRuns(runs, lo, hi)
}

// withRuns lays the runs of w over stored; both are in key order.
func (w *writes) withRuns(stored iter.Seq2[state.Entry, error], lo, hi []byte) iter.Seq2[state.Entry, error] {
	if len(w.runs) == 0 {
		return stored
	}
	return func(yield func(state.Entry, error) bool) {
		next, stop := iter.Pull2(w.mergeRuns(lo, hi))
		defer stop()
		m, err, more := next()
		for e, serr := range stored {
			for more && err == nil && serr == nil && bytes.Compare(m.Key, e.Key) < 0 {
				if !yield(m.Entry, nil) {
					return
				}
				m, err, more = next()
			}
			if serr == nil && more {
				serr = err
			}
			if !yield(e, serr) || serr != nil {
				return
			}
		}
		for ; more; m, err, more = next() {
			if !yield(m.Entry, err) || err != nil {
				return
			}
		}
	}
}

// passMax is how many entries between two keys are passed over before a
// search is cheaper.
const passMax = 64

// firstOf returns the first of n ascending keys that r has, -1: none. Where the
// keys lie in a gap of r it costs one look, where they are close together about
// one pass.
func firstOf(r scanner, key func(int) []byte, n int) (int, error) {
	hi := append(bytes.Clone(key(n-1)), 0) // the first key after it
	for i := 0; i < n; {
		steps, again := 0, false
		for e, err := range r.Scan(key(i), hi) {
			if err != nil {
				return -1, err
			}
			if c := bytes.Compare(key(i), e.Key); c > 0 {
				if steps++; steps > passMax {
					again = true
					break
				}
				continue
			}
			steps = 0
			i += search(n-i, func(k int) int { return bytes.Compare(key(i+k), e.Key) })
			if i < n && bytes.Equal(key(i), e.Key) {
				return i, nil
			}
			if i == n {
				return -1, nil
			}
		}
		if !again {
			return -1, nil
		}
	}
	return -1, nil
}

// search is the least k below n for which compare is not negative, or n. It
// looks near the beginning first.
func search(n int, compare func(k int) int) int {
	lo, step := 0, 1
	for lo+step < n && compare(lo+step) < 0 {
		lo += step
		step *= 2
	}
	hi := min(lo+step, n)
	for lo < hi {
		mid := (lo + hi) / 2
		if compare(mid) < 0 {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo
}

// scanner is what firstOf reads.
type scanner interface {
	Scan(lo, hi []byte) iter.Seq2[state.Entry, error]
}

// recheck refuses runs with a key that was committed after they were checked.
// REQUIRES: no other transaction commits meanwhile.
func (db *DB) recheck(tx *Tx) error {
	for _, w := range tx.order {
		if !tx.live(w) {
			continue
		}
		for _, r := range w.runs {
			if !r.check || db.lastChange(w.rel.ID) <= r.base {
				continue
			}
			if err := db.clash(tx, r); err != nil {
				return err
			}
		}
	}
	return nil
}

// clashKeys is how many keys of a run clash looks at together.
const clashKeys = 4096

// clash is an error 23505 if the store has a key of r.
func (db *DB) clash(tx *Tx, r txRun) error {
	v := db.present()
	defer func() { _ = v.rows.release() }() // a snapshot: nothing can be lost with it
	c := r.Cursor(nil, nil)
	defer func() { _ = c.Close() }() // it was read to where it was wanted
	var keys, values [][]byte
	for more := true; more; {
		keys, values = keys[:0], values[:0]
		for len(keys) < clashKeys {
			e, ok, err := c.Next()
			if err != nil {
				return err
			}
			if more = ok; !ok {
				break
			}
			keys, values = append(keys, bytes.Clone(e.Key)), append(values, bytes.Clone(e.Value))
		}
		if len(keys) == 0 {
			return nil
		}
		at, err := firstOf(v.rows, func(i int) []byte { return keys[i] }, len(keys))
		if err != nil {
			return err
		}
		if at < 0 {
			continue
		}
		row := values[at]
		if r.x != nil {
			if row, err = tx.storedRun(r.rel, string(values[at])); err != nil {
				return err
			}
		}
		return duplicateRow(r.rel, r.x, row)
	}
	return nil
}

// storedRun returns the row with the key from the transaction's runs.
func (tx *Tx) storedRun(rel *Relation, key string) ([]byte, error) {
	if w := tx.writes[rel.Storage]; w != nil {
		return w.fromRuns(key)
	}
	return nil, nil
}

// duplicateRow is the error 23505 about a row as it is stored; x nil: its primary key.
func duplicateRow(rel *Relation, x *Index, row []byte) error {
	one := column.NewBuilder(rel.Types, 1)
	plain, err := rel.plain(row)
	if err == nil {
		err = rowenc.DecodeRow(plain, one)
	}
	if err != nil {
		return pgerror.New(pgerror.UniqueViolation, "duplicate key value violates a unique constraint of %q", rel.Name).WithCause(err)
	}
	one.Row(column.Insert)
	if x != nil {
		full, err := rel.derived(one.Batch())
		if err != nil {
			return err
		}
		return duplicateIn(rel, x, full.Cols, 0)
	}
	return duplicate(rel, one.Batch().Cols, 0)
}

// bulk is the range of keys that a committed run added; see recent.
type bulk struct {
	first, last string
	seq         uint64
}

// noteRuns remembers the ranges of tx's runs.
func (r *recent) noteRuns(tx *Tx, seq uint64) {
	for _, w := range tx.order {
		for _, run := range w.runs {
			if first, last := run.Bounds(); run.check {
				r.bulks = append(r.bulks, bulk{string(first), string(last), seq})
			}
		}
	}
}

// pruneRuns forgets the runs of commits up to oldest.
func (r *recent) pruneRuns(oldest uint64) {
	r.bulks = slices.DeleteFunc(r.bulks, func(b bulk) bool { return b.seq <= oldest })
}

// addedAfter reports that a run committed after seq may have added key.
func (db *DB) addedAfter(key string, seq uint64) bool {
	db.recentMu.Lock()
	defer db.recentMu.Unlock()
	return db.recent.addedAfter(key, seq)
}

// addedAfter reports that a run committed after seq may have added key.
func (r *recent) addedAfter(key string, seq uint64) bool {
	for _, b := range r.bulks {
		if b.seq > seq && b.first <= key && key <= b.last {
			return true
		}
	}
	return false
}
