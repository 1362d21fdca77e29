package table

import "velostream/storage/state"

// Measure says how many rows a relation has and what they take, in bytes; of
// large ones it is an estimate.
func (db *DB) Measure(relation uint32) (rows, bytes int64, err error) {
	lo, hi := RowRange(relation)
	return state.Measure(db.store, lo, hi)
}

// MeasureIndex says what a secondary index takes, in bytes.
func (db *DB) MeasureIndex(index uint32) (int64, error) {
	_, bytes, err := state.Measure(db.store, indexKey(nil, index), indexKey(nil, index+1))
	return bytes, err
}
