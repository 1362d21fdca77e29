package table

import "velostream/storage/state"

// Measure says how many rows a relation has and what they take, in bytes; of
// large ones it is an estimate.
func (db *DB) Measure(relation uint32) (rows, bytes int64, err error) {
	r, err := db.relation(relation)
	if err != nil {
		return 0, 0, err
	}
	lo, hi := rowRange(r.Storage)
	return state.Measure(db.store, lo, hi)
}

// MeasureIndex says what a secondary index takes, in bytes.
func (db *DB) MeasureIndex(index uint32) (int64, error) {
	for _, r := range db.current.Load().rels {
		if storage, err := r.entryStorage(index); err == nil {
			_, bytes, err := state.Measure(db.store, indexKey(nil, storage), indexKey(nil, storage+1))
			return bytes, err
		}
	}
	return 0, noIndex(index)
}
