package table

import "velostream/storage/column"

// Written are the rows that a transaction wrote from a savepoint on until it was
// asked: nil has none.
type Written struct {
	tx   *Tx
	keys map[string]struct{}
}

// Written returns the rows written since the savepoint, but those of loads.
func (tx *Tx) Written(savepoint int) *Written {
	w := &Written{tx: tx, keys: make(map[string]struct{}, len(tx.undo)-savepoint)}
	for _, u := range tx.undo[savepoint:] {
		if !u.run {
			w.keys[u.key] = struct{}{}
		}
	}
	return w
}

// Has reports that the row with the key of row i of cols, all columns of the relation,
// was written.
func (w *Written) Has(relation uint32, cols []*column.Column, i int) bool {
	if w == nil || len(w.keys) == 0 {
		return false
	}
	rel, err := w.tx.relation(relation)
	if err != nil {
		return false
	}
	_, ok := w.keys[string(key(nil, rel, cols, i))]
	return ok
}
