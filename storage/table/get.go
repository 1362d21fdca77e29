package table

import (
	"errors"

	"velostream/storage/column"
	"velostream/storage/rowenc"
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
	k := rowKey(buf[:0], r.Storage)
	for _, c := range keyCols {
		k = rowenc.AppendKeyColumn(k, c, 0, rowenc.Order{})
	}
	b, err := v.rows.Get(k)
	if e := v.rows.release(); err == nil {
		err = e
	}
	if b == nil || err != nil {
		return nil, err
	}
	return r.plain(b)
}
