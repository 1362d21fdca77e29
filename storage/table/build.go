package table

import (
	"slices"

	"velostream/pgwire/pgerror"
	"velostream/storage/column"
	"velostream/storage/rowenc"
	"velostream/storage/state"
)

// buildRows is how many rows, or index entries, are written in one batch.
const buildRows = 4096

// builder writes to a storage that only one transaction knows of, beside its
// commit, which makes it durable: it may be larger than memory. After a crash
// nobody knows of it, and it is swept.
type builder struct {
	db   *DB
	b    state.Batch
	seen map[string]bool // keys in b
	last string          // the greatest key, of all
}

func (tx *Tx) builder() *builder {
	tx.direct = true
	return &builder{db: tx.db, b: tx.db.store.NewBatch(), seen: map[string]bool{}}
}

// has reports that the key was put before. Rows mostly come in the order of their
// keys, and then nothing is to be looked up.
func (x *builder) has(key string) (bool, error) {
	if key > x.last {
		return false, nil
	}
	if x.seen[key] {
		return true, nil
	}
	b, err := x.db.store.Get([]byte(key))
	return b != nil, err
}

func (x *builder) put(key string, val []byte) error {
	x.b.Put([]byte(key), val)
	x.seen[key] = true
	x.last = max(x.last, key)
	if len(x.seen) < buildRows {
		return nil
	}
	if err := x.db.store.Commit(x.b, false); err != nil {
		return err
	}
	x.b = x.db.store.NewBatch()
	clear(x.seen)
	return nil
}

// done makes what was written visible to transactions that are begun or
// refreshed from here on.
func (x *builder) done() error {
	if err := x.db.store.Commit(x.b, false); err != nil {
		return err
	}
	x.db.refresh()
	return nil
}

// BuildIndex puts the rows of relation, as the transaction sees them, into its
// index, which is new. An error 23505 says that a unique index cannot be.
// REQUIRES: the transaction has the relation alone.
func (tx *Tx) BuildIndex(relation, index uint32) error {
	rel, err := tx.relation(relation)
	if err != nil {
		return err
	}
	at := slices.IndexFunc(rel.Indexes, func(x *Index) bool { return x.ID == index })
	if at < 0 {
		return noIndex(index)
	}
	if err := tx.fill(rel, rel.Indexes[at]); err != nil {
		return err
	}
	tx.db.refresh()
	return tx.Refresh()
}

func cannotBuild(rel *Relation, index string, which []int, cols []*column.Column) error {
	names, vals := keyText(rel, which, cols, 0)
	return pgerror.New(pgerror.UniqueViolation, "could not create unique index %q", index).
		WithDetail("Key (%s)=(%s) is duplicated.", names, vals).OnConstraint(rel.Schema, rel.Name, index)
}

// Rewrite stores the rows of a relation, as the transaction sees them, anew as next
// says: under another key, or with other types, as convert makes them. next has a
// storage of its own; its indexes are built after Redefine. REQUIRES: the transaction
// has the relation alone.
func (tx *Tx) Rewrite(next *Relation, convert func(*column.Batch) (*column.Batch, error)) error {
	old, err := tx.relation(next.ID)
	if err != nil {
		return err
	}
	next.prepare()
	to := tx.builder()
	rows := column.NewBuilder(old.Types, buildRows)
	flush := func() error {
		if rows.Len() == 0 {
			return nil
		}
		b, err := convert(rows.Batch())
		if err == nil {
			err = tx.store(to, next, b)
		}
		rows.Reset()
		return err
	}
	for e, err := range tx.Scan(next.ID) {
		if err == nil {
			err = rowenc.DecodeRow(e.Value, rows)
		}
		if err != nil {
			return err
		}
		if rows.Row(column.Insert); rows.Len() == buildRows {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	if err := flush(); err != nil {
		return err
	}
	if err := to.done(); err != nil {
		return err
	}
	return tx.Refresh()
}

// store puts rows that are new in next's storage. Those that have a number keep it:
// whoever reads the changes of the relation knows them by it.
func (tx *Tx) store(to *builder, next *Relation, b *column.Batch) error {
	cols := b.Cols
	if next.RowID >= 0 && (len(cols) <= next.RowID || cols[next.RowID].Nulls.Any()) {
		cols = tx.number(next, b)
	}
	if _, err := next.check(&column.Batch{Cols: cols, N: b.N}); err != nil {
		return err
	}
	for i := range b.Each {
		k := string(key(nil, next, cols, i))
		if next.RowID < 0 {
			there, err := to.has(k)
			if err != nil {
				return err
			}
			if there {
				one := valuesAt(cols, next.Key, i)
				names, vals := columnText(next, next.Key, one)
				return pgerror.New(pgerror.UniqueViolation, "could not create unique index %q", next.KeyName).
					WithDetail("Key (%s)=(%s) is duplicated.", names, vals).OnConstraint(next.Schema, next.Name, next.KeyName)
			}
		}
		if err := to.put(k, next.wide(rowenc.AppendRow(nil, cols, i))); err != nil {
			return err
		}
	}
	return nil
}
