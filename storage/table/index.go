package table

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"iter"
	"slices"
	"strings"

	"velostream/pgwire/pgerror"
	"velostream/storage/column"
	"velostream/storage/rowenc"
	"velostream/storage/state"
)

// Index is a secondary index. Its entries are kept like rows of a relation of
// their own, under the key of the indexed columns, and hold the row's key:
//
//	unique, no NULLs:   'i' | index uint32 | column values           → row key
//	else:               'i' | index uint32 | column values | row key → row key
//
// so a duplicate is a key that is there, and two transactions that add the
// same one conflict as they do about a row.
type Index struct {
	ID         uint32
	Storage    uint32 // where its entries are kept, 0: under ID
	Name       string
	Columns    []int // of the row, and then of Relation.Derive
	Only       []int // columns that are true for the rows that have an entry; nil: all have one
	Unique     bool
	NullsEqual bool // NULLS NOT DISTINCT
	// Building: rows from before the index are not all in it; see BuildIndex.
	Building bool

	entries *Relation // what a transaction's writes are kept under
}

func indexKey(dst []byte, id uint32) []byte {
	return binary.BigEndian.AppendUint32(append(dst, 'i'), id)
}

// prefix is the part of the entry's key that the columns make. alone: no other
// row may have it.
func (x *Index) prefix(dst []byte, cols []*column.Column, i int) (key []byte, alone bool) {
	alone = x.Unique
	for _, j := range x.Columns {
		if cols[j].Null(i) && !x.NullsEqual {
			alone = false
		}
	}
	return rowenc.AppendKey(indexKey(dst, x.Storage), cols, x.Columns, i), alone
}

// has reports that row i has an entry.
func (x *Index) has(cols []*column.Column, i int) bool {
	for _, j := range x.Only {
		if cols[j].Null(i) || !cols[j].Bools[cols[j].At(i)] {
			return false
		}
	}
	return true
}

// derived is b with the columns of rel.Derive behind its own.
func (rel *Relation) derived(b *column.Batch) (*column.Batch, error) {
	if rel.Derive == nil {
		return b, nil
	}
	n := len(rel.Types)
	cols := b.Cols[:n:n]
	more, err := rel.Derive(&column.Batch{Ops: b.Ops, Cols: cols, N: b.N, Sel: b.Sel})
	if err != nil {
		return nil, err
	}
	return &column.Batch{Ops: b.Ops, Cols: append(cols, more...), N: b.N, Sel: b.Sel}, nil
}

// Derived is b, rows of the relation, with what they are indexed by behind their columns.
func (tx *Tx) Derived(relation uint32, b *column.Batch) (*column.Batch, error) {
	rel, err := tx.relation(relation)
	if err != nil {
		return nil, err
	}
	return rel.derived(b)
}

// entry is the key of row i's entry; rowKey is the row's own key.
func (x *Index) entry(cols []*column.Column, i int, rowKey string) (key string, alone bool) {
	k, alone := x.prefix(nil, cols, i)
	if !alone {
		k = append(k, rowKey...)
	}
	return string(k), alone
}

// index adds row i of cols to rel's indexes. A unique one that has the values
// already is an error 23505.
func (tx *Tx) index(rel *Relation, cols []*column.Column, i int, rowKey string) error {
	for _, x := range rel.Indexes {
		if !x.has(cols, i) {
			continue
		}
		k, alone := x.entry(cols, i, rowKey)
		w := tx.of(x.entries)
		var stored []byte
		if alone {
			there, err := tx.get(w, k)
			if err != nil {
				return err
			}
			if there != nil {
				return duplicateIn(rel, x, cols, i)
			}
			if err := tx.lock(k, LockUpdate); err != nil {
				return err
			}
			if stored, err = tx.stored(w, k); err != nil {
				return err
			}
		}
		if err := tx.set(w, k, stored, []byte(rowKey)); err != nil {
			return err
		}
	}
	return nil
}

// stored is the value that was under key before this transaction.
func (tx *Tx) stored(w *writes, key string) ([]byte, error) {
	if r, ok := w.rows[key]; ok {
		return r.old, nil
	}
	return tx.snap.Get([]byte(key))
}

// unindex removes row i of cols from rel's indexes.
func (tx *Tx) unindex(rel *Relation, cols []*column.Column, i int, rowKey string) error {
	for _, x := range rel.Indexes {
		if !x.has(cols, i) {
			continue
		}
		k, alone := x.entry(cols, i, rowKey)
		if alone {
			if err := tx.lock(k, LockUpdate); err != nil {
				return err
			}
		}
		if err := tx.set(tx.of(x.entries), k, []byte(rowKey), nil); err != nil {
			return err
		}
	}
	return nil
}

// moved lists the indexes whose entry differs between row i of old and of next.
func (rel *Relation) moved(old, next []*column.Column, i int) *Relation {
	if len(rel.Indexes) == 0 {
		return rel
	}
	some := *rel
	some.Indexes = nil
	for _, x := range rel.Indexes {
		had, has := x.has(old, i), x.has(next, i)
		if had && has {
			a, _ := x.prefix(nil, old, i)
			b, _ := x.prefix(nil, next, i)
			if bytes.Equal(a, b) {
				continue
			}
		}
		if had || has {
			some.Indexes = append(some.Indexes, x)
		}
	}
	return &some
}

// Lookup yields the encoded rows whose columns of the index have the values at
// row i of vals. A NULL among them finds nothing.
func (tx *Tx) Lookup(relation, index uint32, vals []*column.Column, i int) iter.Seq2[state.Entry, error] {
	return func(yield func(state.Entry, error) bool) {
		rel, err := tx.relation(relation)
		if err != nil {
			yield(state.Entry{}, err)
			return
		}
		storage, err := rel.entryStorage(index)
		if err != nil {
			yield(state.Entry{}, err)
			return
		}
		for _, v := range vals {
			if v.Null(i) {
				return
			}
		}
		prefix := appendKey(indexKey(nil, storage), vals, i)
		for e, err := range tx.scan(storage, prefix, rowenc.PrefixEnd(prefix)) {
			if err != nil {
				yield(e, err)
				return
			}
			if !tx.yieldRow(rel, string(e.Value), yield) {
				return
			}
		}
	}
}

func (tx *Tx) yieldRow(rel *Relation, key string, yield func(state.Entry, error) bool) bool {
	row, err := tx.row(rel, key)
	if err == nil && row == nil {
		err = column.Corrupt("index: entry without a row")
	}
	return yield(state.Entry{Key: []byte(key), Value: row}, err) && err == nil
}

// entryStorage is where the entries of the index id are kept.
func (rel *Relation) entryStorage(id uint32) (uint32, error) {
	i := slices.IndexFunc(rel.Indexes, func(x *Index) bool { return x.ID == id })
	if i < 0 {
		return 0, noIndex(id)
	}
	return rel.Indexes[i].Storage, nil
}

// IndexKeys returns the keys of the rows whose entries in the index, encoded by
// rowenc.AppendKey, are from lo up to hi (nil: to the end), in order of the
// index, but no more than most of them: more is true when there are.
func (tx *Tx) IndexKeys(relation, index uint32, lo, hi []byte, most int) (keys []string, more bool, err error) {
	rel, err := tx.relation(relation)
	if err != nil {
		return nil, false, err
	}
	storage, err := rel.entryStorage(index)
	if err != nil {
		return nil, false, err
	}
	prefix := indexKey(nil, storage)
	from := append(slices.Clone(prefix), lo...)
	to := append(slices.Clone(prefix), hi...)
	if hi == nil {
		to = rowenc.PrefixEnd(prefix)
	}
	for e, err := range tx.scan(storage, from, to) {
		if err != nil {
			return nil, false, err
		}
		if len(keys) == most {
			return keys, true, nil
		}
		keys = append(keys, string(e.Value))
	}
	return keys, false, nil
}

// RowsOf yields the encoded rows under keys that IndexKeys returned.
func (tx *Tx) RowsOf(relation uint32, keys []string) iter.Seq2[state.Entry, error] {
	return func(yield func(state.Entry, error) bool) {
		rel, err := tx.relation(relation)
		if err != nil {
			yield(state.Entry{}, err)
			return
		}
		for _, k := range keys {
			if !tx.yieldRow(rel, k, yield) {
				return
			}
		}
	}
}

// Conflicting returns the encoded row, and its key, that stands in the way of
// adding row i of b: one with the same primary key (arbiter 0) or the same
// values in the unique index (arbiter its ID). arbiters nil: any of them. nil: none.
func (tx *Tx) Conflicting(relation uint32, b *column.Batch, i int, arbiters []uint32) (row []byte, err error) {
	rel, err := tx.relation(relation)
	if err != nil {
		return nil, err
	}
	if rel.RowID < 0 && (arbiters == nil || slices.Contains(arbiters, 0)) {
		if row, err = tx.row(rel, string(key(nil, rel, b.Cols, i))); row != nil || err != nil {
			return row, err
		}
	}
	full := b
	if rel.Derive != nil {
		if full, err = rel.derived(&column.Batch{Cols: b.Cols, N: b.N, Sel: []int32{int32(i)}}); err != nil {
			return nil, err
		}
	}
	for _, x := range rel.Indexes {
		if !x.has(full.Cols, i) || !x.Unique || arbiters != nil && !slices.Contains(arbiters, x.ID) {
			continue
		}
		k, alone := x.prefix(nil, full.Cols, i)
		if !alone {
			continue
		}
		rowKey, err := tx.get(tx.writes[x.Storage], string(k))
		if err != nil {
			return nil, err
		}
		if rowKey != nil {
			return tx.row(rel, string(rowKey))
		}
	}
	return nil, nil
}

func noIndex(id uint32) error {
	return pgerror.New(pgerror.UndefinedObject, "index with OID %d does not exist", id)
}

func duplicateIn(rel *Relation, x *Index, cols []*column.Column, i int) error {
	names, vals := keyText(rel, x.Columns, cols, i)
	return pgerror.New(pgerror.UniqueViolation, "duplicate key value violates unique constraint %q", x.Name).
		WithDetail("Key (%s)=(%s) already exists.", names, vals).OnConstraint(rel.Schema, rel.Name, x.Name)
}

// keyText is the names and values of some columns, as messages write them.
func keyText(rel *Relation, which []int, cols []*column.Column, i int) (names, vals string) {
	var n, v []string
	for _, k := range which {
		if k < len(rel.Names) {
			n = append(n, rel.Names[k])
		} else {
			n = append(n, rel.Derived[k-len(rel.Names)])
		}
		v = append(v, text(cols[k], i))
	}
	return strings.Join(n, ", "), strings.Join(v, ", ")
}

// sameShape reports that what a transaction wrote under a's definition fits
// b's: the same columns and indexes, none of which was being built.
func sameShape(a, b *Relation) bool {
	if a == b {
		return true
	}
	if a.Storage != b.Storage || len(a.Types) != len(b.Types) || len(a.Indexes) != len(b.Indexes) || a.checks != b.checks {
		return false
	}
	for i, x := range a.Indexes {
		y := b.Indexes[i]
		if x.Storage != y.Storage || x.Building != y.Building {
			return false
		}
	}
	return true
}

// shape names what of a definition a transaction depends on.
func (rel *Relation) shape() string {
	var b strings.Builder
	for _, c := range rel.Checks {
		fmt.Fprintf(&b, "%q %q %t ", c.Name, c.Domain, c.Null)
	}
	for _, f := range rel.Foreign {
		fmt.Fprintf(&b, "%q ", f.Name)
	}
	for _, f := range rel.Referenced {
		fmt.Fprintf(&b, "%d %q ", f.Child, f.Name)
	}
	fmt.Fprint(&b, rel.NotNull, rel.Hidden, rel.Types)
	return b.String()
}
