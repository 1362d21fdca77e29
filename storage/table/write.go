package table

import (
	"bytes"
	"errors"
	"strings"

	"velostream/catalog/types"
	"velostream/pgwire/pgerror"
	"velostream/storage/column"
	"velostream/storage/rowenc"
	"velostream/storage/state"
)

// Check refuses rows that NOT NULL, CHECK or a domain does not allow: what Insert asks
// first, for rows that are not inserted because of others that are there.
func (tx *Tx) Check(relation uint32, b *column.Batch) error {
	rel, err := tx.relation(relation)
	if err == nil {
		b, err = rel.narrow(b)
	}
	if err == nil {
		_, err = rel.check(b)
	}
	return err
}

// Insert adds the selected rows of b, all columns of the relation in order (the
// row id column is filled here). With ignore, rows whose key or unique values
// exist are left out; else they are an error 23505. It returns how many were
// added. ErrConflict: run the statement again, on a fresh snapshot.
func (tx *Tx) Insert(relation uint32, b *column.Batch, ignore bool) (int, error) {
	rel, w, err := tx.claim(relation, b)
	if err != nil {
		return 0, err
	}
	if b, err = rel.narrow(b); err != nil {
		return 0, err
	}
	cols := tx.number(rel, b)
	if _, err := rel.check(&column.Batch{Cols: cols, N: b.N, Sel: b.Sel}); err != nil {
		return 0, err
	}
	full, err := rel.derived(&column.Batch{Cols: cols, N: b.N, Sel: b.Sel})
	if err != nil {
		return 0, err
	}
	n := 0
	vacant, err := tx.vacant(rel, cols, b)
	if err != nil {
		return 0, err
	}
	for i := range b.Each {
		if ignore && len(rel.Indexes) > 0 {
			there, err := tx.Conflicting(relation, &column.Batch{Cols: cols, N: b.N}, i, nil)
			if err != nil {
				return n, err
			}
			if there != nil {
				continue
			}
		}
		k := string(key(nil, rel, cols, i))
		var stored []byte
		if rel.RowID < 0 {
			var old []byte
			if vacant && len(w.runs) == 0 {
				old = w.rows[k].new
			} else if old, err = tx.row(rel, k); err != nil {
				return n, err
			}
			if old != nil && ignore {
				continue
			}
			if old != nil {
				return n, duplicate(rel, cols, i)
			}
			if err := tx.lock(k, LockUpdate); err != nil {
				return n, err
			}
			if vacant {
				stored = w.rows[k].old
			} else if stored, err = tx.before(rel, w, k); err != nil {
				return n, err
			}
		}
		if err := tx.set(w, k, stored, rowenc.AppendRow(nil, cols, i)); err != nil {
			return n, err
		}
		if err := tx.index(rel, full.Cols, i, k); err != nil {
			return n, err
		}
		tx.arrived(rel, nil, cols, i)
		n++
	}
	return n, nil
}

// vacantMin is how many rows make it worth a scan to learn that their keys are
// free.
const vacantMin = 32

// vacant reports that no row is stored from the least to the greatest key of b,
// as when rows come in the order of their keys: one look instead of one a row.
func (tx *Tx) vacant(rel *Relation, cols []*column.Column, b *column.Batch) (bool, error) {
	if rel.RowID >= 0 || b.Rows() < vacantMin {
		return false, nil
	}
	var k, lo, hi []byte
	for i := range b.Each {
		k = key(k[:0], rel, cols, i)
		if lo == nil || bytes.Compare(k, lo) < 0 {
			lo = append(lo[:0], k...)
		}
		if bytes.Compare(k, hi) > 0 {
			hi = append(hi[:0], k...)
		}
	}
	hi = append(hi, 0) // the first key after it
	// Both what ReadAt shows and the transaction's own snapshot.
	sources := []state.Snapshot{tx.snap}
	if tx.at != nil {
		sources = append(sources, tx.at)
	}
	for _, s := range sources {
		for _, err := range s.Scan(lo, hi) {
			return false, err
		}
	}
	return true, nil
}

// insertTries bounds how often InsertAll looks again after it waited for others.
const insertTries = 100

// InsertAll is Insert for a source that cannot be read again: when another
// transaction got in the way it refreshes the snapshot, and a key that is there by now
// is an error 23505.
func (tx *Tx) InsertAll(relation uint32, b *column.Batch) (int, error) {
	mark, checks := tx.Savepoint(), len(tx.checks)
	for try := 0; ; try++ {
		n, err := tx.Insert(relation, b, false)
		if !errors.Is(err, ErrConflict) || try >= insertTries {
			return n, err
		}
		kept := tx.checks[:checks]
		tx.RollbackTo(mark)
		tx.checks = kept
		if err := tx.Refresh(); err != nil {
			return 0, err
		}
	}
}

// before is the row that was under k before this transaction, nil: none.
func (tx *Tx) before(rel *Relation, w *writes, k string) ([]byte, error) {
	if r, ok := w.rows[k]; ok {
		return r.old, nil
	}
	b, err := tx.snap.Get([]byte(k))
	if b == nil || err != nil {
		return nil, err
	}
	return rel.plain(b)
}

// Delete removes the selected rows of b, full rows as they were read. It
// returns how many of them were there. ErrConflict: see Insert.
func (tx *Tx) Delete(relation uint32, b *column.Batch) (int, error) {
	rel, w, err := tx.claim(relation, b)
	if err != nil {
		return 0, err
	}
	full, err := rel.derived(b)
	if err != nil {
		return 0, err
	}
	n := 0
	for i := range b.Each {
		k := string(key(nil, rel, b.Cols, i))
		if err := tx.lock(k, LockUpdate); err != nil {
			return n, err
		}
		old, err := tx.row(rel, k)
		if err != nil {
			return n, err
		}
		if old == nil {
			continue
		}
		if err := tx.set(w, k, old, nil); err != nil {
			return n, err
		}
		if err := tx.unindex(rel, full.Cols, i, k); err != nil {
			return n, err
		}
		tx.left(rel, b.Cols, nil, i)
		n++
	}
	return n, nil
}

// Update replaces the selected rows of old by those of next at the same places.
// Keys may change; as in PostgreSQL, a key that another row still has is an
// error 23505 — but the check is made once all rows are replaced. ErrConflict:
// see Insert.
func (tx *Tx) Update(relation uint32, old, next *column.Batch) (int, error) {
	rel, w, err := tx.claim(relation, next)
	if err != nil {
		return 0, err
	}
	if _, err := rel.check(next); err != nil {
		return 0, err
	}
	was, err := rel.derived(old)
	if err != nil {
		return 0, err
	}
	now, err := rel.derived(next)
	if err != nil {
		return 0, err
	}
	n, err := tx.leave(rel, was, now)
	if err != nil {
		return n, err
	}
	for i := range old.Each {
		ko, kn := string(key(nil, rel, old.Cols, i)), string(key(nil, rel, next.Cols, i))
		some := rel
		if ko == kn {
			some = rel.moved(was.Cols, now.Cols, i)
		} else {
			there, err := tx.row(rel, kn)
			if err != nil {
				return n, err
			}
			if there != nil {
				return n, duplicate(rel, next.Cols, i)
			}
			if err := tx.lock(kn, LockUpdate); err != nil {
				return n, err
			}
			stored, err := tx.before(rel, w, kn)
			if err != nil {
				return n, err
			}
			if err := tx.set(w, kn, stored, rowenc.AppendRow(nil, next.Cols, i)); err != nil {
				return n, err
			}
		}
		if err := tx.index(some, now.Cols, i, kn); err != nil {
			return n, err
		}
		tx.left(rel, old.Cols, next.Cols, i)
		tx.arrived(rel, old.Cols, next.Cols, i)
	}
	return n, nil
}

// leave takes out the old rows whose key moves, and the index entries that change,
// so that swapping keys is no conflict; rows that keep their key get their new value.
func (tx *Tx) leave(rel *Relation, old, next *column.Batch) (int, error) {
	w, n := tx.of(rel), 0
	for i := range old.Each {
		ko, kn := string(key(nil, rel, old.Cols, i)), string(key(nil, rel, next.Cols, i))
		mode, some := LockUpdate, rel
		var now []byte
		if ko == kn {
			mode, some = LockNoKeyUpdate, rel.moved(old.Cols, next.Cols, i)
			now = rowenc.AppendRow(nil, next.Cols[:len(rel.Types)], i)
		}
		if err := tx.lock(ko, mode); err != nil {
			return n, err
		}
		was, err := tx.row(rel, ko)
		if err != nil {
			return n, err
		}
		if was == nil {
			return n, ErrConflict
		}
		n++
		if err := tx.set(w, ko, was, now); err != nil {
			return n, err
		}
		if err := tx.unindex(some, old.Cols, i, ko); err != nil {
			return n, err
		}
	}
	return n, nil
}

// check refuses rows that NOT NULL or CHECK do not allow, and returns which row
// that is about, -1: not known.
func (rel *Relation) check(b *column.Batch) (int, error) {
	if i, err := checkNotNull(rel, b); err != nil {
		return i, err
	}
	for _, c := range rel.Checks {
		i, err := c.Violated(b)
		if err != nil {
			return -1, err
		}
		switch {
		case i < 0:
		case c.Null:
			return i, types.DomainNull(c.Domain)
		case c.Domain != "":
			return i, types.DomainCheck(c.Domain, c.Name)
		default:
			return i, pgerror.New(pgerror.CheckViolation, "new row for relation %q violates check constraint %q", rel.Name, c.Name).
				WithDetail("Failing row contains (%s).", rowText(rel, b.Cols, i)).OnConstraint(rel.Schema, rel.Name, c.Name)
		}
	}
	return -1, nil
}

// number returns b's columns with the row id, and the time of arrival, filled.
func (tx *Tx) number(rel *Relation, b *column.Batch) []*column.Column {
	given := b.Cols[:min(len(b.Cols), len(rel.Types))] // a query's hidden columns may follow
	if rel.RowID < 0 {
		return given
	}
	cols := append([]*column.Column(nil), given...)
	if rel.Arrival >= 0 {
		cols[rel.Arrival] = tx.arrive(rel)
	}
	ids := make([]int64, b.N)
	next := tx.db.rowID.Add(int64(b.N)) - int64(b.N)
	for i := range ids {
		next++
		ids[i] = next
	}
	cols[rel.RowID] = &column.Column{Type: types.Int8, Ints: ids}
	return cols
}

func checkNotNull(rel *Relation, b *column.Batch) (int, error) {
	for j, c := range b.Cols {
		if j >= len(rel.NotNull) || !rel.NotNull[j] || c.Nulls == nil || j == rel.RowID {
			continue
		}
		for i := range b.Each {
			if c.Null(i) {
				return i, pgerror.New(pgerror.NotNullViolation,
					"null value in column %q of relation %q violates not-null constraint", rel.Names[j], rel.Name).
					WithDetail("Failing row contains (%s).", rowText(rel, b.Cols, i)).
					OnColumn(rel.Schema, rel.Name, rel.Names[j])
			}
		}
	}
	return -1, nil
}

// duplicate is PostgreSQL's error of a violated primary key.
func duplicate(rel *Relation, cols []*column.Column, i int) error {
	names, vals := keyText(rel, rel.Key, cols, i)
	name := rel.KeyName
	return pgerror.New(pgerror.UniqueViolation, "duplicate key value violates unique constraint %q", name).
		WithDetail("Key (%s)=(%s) already exists.", names, vals).
		OnConstraint(rel.Schema, rel.Name, name)
}

func rowText(rel *Relation, cols []*column.Column, i int) string {
	var out []string
	for j, c := range cols {
		if j < len(rel.Hidden) && rel.Hidden[j] {
			continue
		}
		out = append(out, text(c, i))
	}
	return strings.Join(out, ", ")
}

func text(c *column.Column, i int) string {
	d := c.Datum(i)
	if d.Null {
		return "null"
	}
	return string(types.AppendText(nil, c.Type, d, nil))
}
