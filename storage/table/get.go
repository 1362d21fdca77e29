package table

import (
	"errors"

	"velostream/storage/column"
)

// Get returns the encoded row with the key in row 0 of keyCols as it was last
// committed, nil: none. It needs no transaction and no snapshot.
func (db *DB) Get(rel uint32, keyCols []*column.Column) ([]byte, error) {
	v := db.present()
	r := v.rels[rel]
	if r == nil {
		return nil, errors.Join(noRelation(rel), v.rows.release())
	}
	var buf [64]byte
	k := appendKey(rowKey(buf[:0], r.Storage), keyCols, 0)
	b, err := v.rows.Get(k)
	if e := v.rows.release(); err == nil {
		err = e
	}
	if b == nil || err != nil {
		return nil, err
	}
	return r.plain(b)
}
