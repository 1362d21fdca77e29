package table

import (
	"encoding/binary"
	"iter"

	"velostream/storage/column"
	"velostream/storage/rowenc"
	"velostream/storage/state"
)

// Stored rows begin with their number of columns, so that a column can be
// added without touching them: what they lack is filled in when they are read.

// wide is row as it is stored.
func (rel *Relation) wide(row []byte) []byte {
	return append(binary.AppendUvarint(make([]byte, 0, len(row)+2), uint64(len(rel.Types))), row...)
}

// plain is the row in a stored value, with all columns that the relation has now.
func (rel *Relation) plain(b []byte) ([]byte, error) {
	n, size := binary.Uvarint(b)
	if size <= 0 || n > uint64(len(rel.Types)) {
		return nil, column.Corrupt("row: number of columns")
	}
	b = b[size:]
	if int(n) == len(rel.Types) {
		return b, nil
	}
	to := column.NewBuilder(rel.Types, 1)
	cols := to.Batch().Cols
	if rest, err := rowenc.DecodeColumns(b, cols[:n]); err != nil || len(rest) > 0 {
		return nil, column.Corrupt("row")
	}
	for j := int(n); j < len(cols); j++ {
		if j < len(rel.Missing) {
			cols[j].Append(rel.Missing[j])
		} else {
			cols[j].AppendNull()
		}
	}
	to.Row(column.Insert)
	return rowenc.AppendRow(nil, cols, 0), nil
}

func (rel *Relation) plainRows(stored iter.Seq2[state.Entry, error]) iter.Seq2[state.Entry, error] {
	return func(yield func(state.Entry, error) bool) {
		for e, err := range stored {
			if err == nil {
				e.Value, err = rel.plain(e.Value)
			}
			if !yield(e, err) || err != nil {
				return
			}
		}
	}
}

// Rows yields the rows of a relation in snap.
func (db *DB) Rows(snap state.Reader, relation uint32) iter.Seq2[state.Entry, error] {
	rel, err := db.relation(relation)
	if h, ok := snap.(*held); ok {
		rel = h.v.rels[relation]
		if err = nil; rel == nil {
			err = noRelation(relation)
		}
	}
	if err != nil {
		return func(yield func(state.Entry, error) bool) { yield(state.Entry{}, err) }
	}
	lo, hi := rowRange(rel.Storage)
	return rel.plainRows(snap.Scan(lo, hi))
}
