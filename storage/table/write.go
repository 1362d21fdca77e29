package table

import (
	"strings"
	"time"

	"velostream/catalog/types"
	"velostream/pgwire/pgerror"
	"velostream/storage/column"
	"velostream/storage/rowenc"
)

// Insert adds the selected rows of b, all columns of the relation in order (the
// row id column is filled here). With ignore, rows whose key exists are left
// out; else they are an error 23505. It returns how many were added.
func (tx *Tx) Insert(relation uint32, b *column.Batch, ignore bool) (int, error) {
	rel, err := tx.db.relation(relation)
	if err != nil {
		return 0, err
	}
	if err := checkNotNull(rel, b); err != nil {
		return 0, err
	}
	cols := tx.number(rel, b)
	w, n := tx.of(rel), 0
	for i := range b.Each {
		k := string(key(nil, rel, cols, i))
		if rel.RowID < 0 {
			old, err := tx.get(w, k)
			if err != nil {
				return n, err
			}
			if old != nil && ignore {
				continue
			}
			if old != nil {
				return n, duplicate(rel, cols, i)
			}
		}
		if err := tx.set(w, k, nil, rowenc.AppendRow(nil, cols, i)); err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

// Delete removes the selected rows of b, full rows as they were read. It
// returns how many of them were there.
func (tx *Tx) Delete(relation uint32, b *column.Batch) (int, error) {
	rel, err := tx.db.relation(relation)
	if err != nil {
		return 0, err
	}
	w, n := tx.of(rel), 0
	for i := range b.Each {
		k := string(key(nil, rel, b.Cols, i))
		old, err := tx.get(w, k)
		if err != nil {
			return n, err
		}
		if old == nil {
			continue
		}
		if err := tx.set(w, k, old, nil); err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

// Update replaces the selected rows of old by those of next at the same places.
// Keys may change; as in PostgreSQL, a key that another row still has is an
// error 23505 — but the check is made once all rows are replaced.
func (tx *Tx) Update(relation uint32, old, next *column.Batch) (int, error) {
	rel, err := tx.db.relation(relation)
	if err != nil {
		return 0, err
	}
	if err := checkNotNull(rel, next); err != nil {
		return 0, err
	}
	w, n := tx.of(rel), 0
	// Keys that move leave first, so that swapping keys is no conflict.
	for i := range old.Each {
		ko, kn := string(key(nil, rel, old.Cols, i)), string(key(nil, rel, next.Cols, i))
		was, err := tx.get(w, ko)
		if err != nil {
			return n, err
		}
		if was == nil {
			return n, ErrConflict
		}
		n++
		var now []byte
		if ko == kn {
			now = rowenc.AppendRow(nil, next.Cols, i)
		}
		if err := tx.set(w, ko, was, now); err != nil {
			return n, err
		}
	}
	for i := range old.Each {
		ko, kn := string(key(nil, rel, old.Cols, i)), string(key(nil, rel, next.Cols, i))
		if ko == kn {
			continue
		}
		there, err := tx.get(w, kn)
		if err != nil {
			return n, err
		}
		if there != nil {
			return n, duplicate(rel, next.Cols, i)
		}
		stored, err := tx.snap.Get([]byte(kn))
		if err != nil {
			return n, err
		}
		if err := tx.set(w, kn, stored, rowenc.AppendRow(nil, next.Cols, i)); err != nil {
			return n, err
		}
	}
	return n, nil
}

// epoch2000 is 2000-01-01 UTC in µs since the Unix epoch.
const epoch2000 = 946684800_000_000

// number returns b's columns with the row id, and the time of arrival, filled.
func (tx *Tx) number(rel *Relation, b *column.Batch) []*column.Column {
	if rel.RowID < 0 {
		return b.Cols
	}
	cols := append([]*column.Column(nil), b.Cols...)
	if rel.Arrival >= 0 {
		cols[rel.Arrival] = column.Constant(types.Timestamptz, types.IntDatum(time.Now().UnixMicro()-epoch2000))
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

func checkNotNull(rel *Relation, b *column.Batch) error {
	for j, c := range b.Cols {
		if j >= len(rel.NotNull) || !rel.NotNull[j] || c.Nulls == nil || j == rel.RowID {
			continue
		}
		for i := range b.Each {
			if c.Null(i) {
				return pgerror.New(pgerror.NotNullViolation,
					"null value in column %q of relation %q violates not-null constraint", rel.Names[j], rel.Name).
					WithDetail("Failing row contains (%s).", rowText(b.Cols, i)).
					OnColumn(rel.Schema, rel.Name, rel.Names[j])
			}
		}
	}
	return nil
}

// duplicate is PostgreSQL's error of a violated primary key.
func duplicate(rel *Relation, cols []*column.Column, i int) error {
	var names, vals []string
	for _, k := range rel.Key {
		names = append(names, rel.Names[k])
		vals = append(vals, text(cols[k], i))
	}
	name := rel.Name + "_pkey"
	return pgerror.New(pgerror.UniqueViolation, "duplicate key value violates unique constraint %q", name).
		WithDetail("Key (%s)=(%s) already exists.", strings.Join(names, ", "), strings.Join(vals, ", ")).
		OnConstraint(rel.Schema, rel.Name, name)
}

func rowText(cols []*column.Column, i int) string {
	out := make([]string, len(cols))
	for j, c := range cols {
		out[j] = text(c, i)
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
