package table

import (
	"velostream/storage/column"
	"velostream/storage/state"
)

// Exclusive runs f while no transaction can commit. rows is what is committed.
// The relations that f returns are defined before the next commit; transactions
// that wrote to them under another definition conflict. f must not write to the
// database.
func (db *DB) Exclusive(f func(rows state.Reader) ([]*Relation, error)) error {
	db.publish.Lock()
	defer db.publish.Unlock()
	v := db.present()
	defer func() { _ = v.rows.release() }()
	rels, err := f(v.rows)
	if err != nil {
		return err
	}
	db.mu.Lock()
	defer db.mu.Unlock()
	for _, r := range rels {
		r.prepare()
	}
	db.redefine(rels...)
	return nil
}

// prepare fills what the store adds to a definition.
func (rel *Relation) prepare() {
	for _, x := range rel.Indexes {
		x.entries = &Relation{ID: x.ID, Name: x.Name, RowID: -1, index: true, shared: !x.Unique}
	}
	rel.checks = rel.shape()
}

// Unmatched returns the first row of b for which no row of the relation parent
// has the values cols in its primary key (index 0) or unique index, -1: there is
// none. Rows with a NULL among the values match. For use within Exclusive.
func (db *DB) Unmatched(parent, index uint32, cols []*column.Column, b *column.Batch) (int, error) {
	fk := &ForeignKey{Parent: parent, Index: index}
rows:
	for i := range b.Each {
		vals := make([]*column.Column, len(cols))
		for j, c := range cols {
			if c.Null(i) {
				continue rows
			}
			vals[j] = column.New(c.Type, 1)
			vals[j].AppendFrom(c, i)
		}
		there, err := db.there(fk.parentKey(vals))
		if err != nil || !there {
			return i, err
		}
	}
	return -1, nil
}
