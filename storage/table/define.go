package table

import (
	"encoding/binary"
	"maps"
	"slices"
)

// prepare fills what the store adds to a definition.
func (rel *Relation) prepare() {
	if rel.Storage == 0 {
		rel.Storage = rel.ID
	}
	for _, x := range rel.Indexes {
		if x.Storage == 0 {
			x.Storage = x.ID
		}
		x.entries = &Relation{
			ID: x.ID, Storage: x.Storage, Name: x.Name, RowID: -1, index: true, shared: !x.Unique, parent: rel.ID,
			Volatile: rel.Volatile, Emptied: rel.Emptied,
		}
	}
	rel.checks = rel.shape()
}

// storages are where rows and entries of indexes are kept.
type storages struct{ rows, entries []uint32 }

// left adds what old has and next (nil: dropped) has not.
func (s *storages) left(old, next *Relation) {
	if next == nil || next.Storage != old.Storage {
		s.rows = append(s.rows, old.Storage)
	}
	for _, x := range old.Indexes {
		if next == nil || !slices.ContainsFunc(next.Indexes, func(y *Index) bool { return y.Storage == x.Storage }) {
			s.entries = append(s.entries, x.Storage)
		}
	}
}

// Define adds relations, or changes what is known of them, as the catalog's version
// says; an older version than the present one changes nothing.
func (db *DB) Define(version uint64, rels ...*Relation) error {
	for _, r := range rels {
		r.prepare()
	}
	db.mu.Lock()
	next := *db.current.Load()
	if version < next.catalog {
		db.mu.Unlock()
		return nil
	}
	next.catalog = version
	all := with(next.rels, rels)
	return db.defined(next, all)
}

// DefineAll makes rels all relations that there are, as the catalog's version says;
// an older version than the present one changes nothing. Rows and entries of
// indexes that are gone are deleted.
func (db *DB) DefineAll(version uint64, rels []*Relation) error {
	db.mu.Lock()
	next := *db.current.Load()
	if version < next.catalog {
		db.mu.Unlock()
		return nil
	}
	next.catalog = version
	all := make(map[uint32]*Relation, len(rels))
	for _, r := range rels {
		r.prepare()
		all[r.ID] = r
	}
	return db.defined(next, all)
}

// defined makes all the definitions of the version next. REQUIRES: db.mu is held;
// it is given back.
func (db *DB) defined(next version, all map[uint32]*Relation) error {
	var gone storages
	for id, old := range next.rels {
		gone.left(old, all[id])
	}
	next.rels = all
	db.current.Store(&next)
	db.mu.Unlock()
	// Whoever commits from here on no longer writes to what is gone.
	return db.clear(gone)
}

// clear deletes what is kept in storages that nobody has any more.
func (db *DB) clear(s storages) error {
	if len(s.rows)+len(s.entries) == 0 {
		return nil
	}
	b := db.store.NewBatch()
	for _, id := range s.rows {
		b.DeleteRange(rowRange(id))
	}
	for _, id := range s.entries {
		b.DeleteRange(indexKey(nil, id), indexKey(nil, id+1))
	}
	db.publish.Lock()
	defer db.publish.Unlock()
	return db.store.Commit(b, false)
}

// Drop forgets a relation or sequence and deletes what is stored of it.
func (db *DB) Drop(id uint32) error {
	db.mu.Lock()
	next := *db.current.Load()
	old := next.rels[id]
	if old != nil {
		next.rels = maps.Clone(next.rels)
		delete(next.rels, id)
		db.current.Store(&next)
	}
	db.mu.Unlock()
	gone := storages{rows: []uint32{id}}
	if old != nil {
		gone.left(old, nil)
	}
	if err := db.clear(gone); err != nil {
		return err
	}
	if err := db.dropSequences(id); err != nil {
		return err
	}
	db.refresh()
	db.forgetChanges()
	return nil
}

// forgetChanges forgets when what is gone was last written to.
func (db *DB) forgetChanges() {
	rels := db.current.Load().rels
	known := make(map[uint32]bool, len(rels))
	for id, r := range rels {
		known[id] = true
		for _, x := range r.Indexes {
			known[x.ID] = true
		}
	}
	db.recentMu.Lock()
	defer db.recentMu.Unlock()
	maps.DeleteFunc(db.changed, func(id uint32, _ uint64) bool { return !known[id] })
}

// dropSequences deletes the state of sequences. What a crash brings back is swept.
func (db *DB) dropSequences(ids ...uint32) error {
	db.seqMu.Lock()
	defer db.seqMu.Unlock()
	b := db.store.NewBatch()
	for _, id := range ids {
		b.Delete(sequenceKey(id))
		delete(db.sequences, id)
	}
	return db.store.Commit(b, false)
}

// Sweep deletes the rows and entries in storages, and the sequences, that are not
// kept: what a crash left of relations that were dropped, or were never made.
func (db *DB) Sweep(rows, entries map[uint32]bool, sequence func(id uint32) bool) error {
	var gone storages
	var err error
	if gone.rows, err = db.unkept('r', func(id uint32) bool { return rows[id] }); err != nil {
		return err
	}
	if gone.entries, err = db.unkept('i', func(id uint32) bool { return entries[id] }); err != nil {
		return err
	}
	numbers, err := db.unkept('s', sequence)
	if err != nil {
		return err
	}
	if len(numbers) > 0 {
		if err := db.dropSequences(numbers...); err != nil {
			return err
		}
	}
	return db.clear(gone)
}

// unkept lists the numbers after the given first byte of keys that are not kept.
func (db *DB) unkept(first byte, kept func(id uint32) bool) ([]uint32, error) {
	var out []uint32
	for from := uint32(0); ; {
		id, found := uint32(0), false
		for e, err := range db.store.Scan(binary.BigEndian.AppendUint32([]byte{first}, from), []byte{first + 1}) {
			if err != nil {
				return nil, err
			}
			id, found = binary.BigEndian.Uint32(e.Key[1:]), true
			break
		}
		if !found {
			return out, nil
		}
		if !kept(id) {
			out = append(out, id)
		}
		if from = id + 1; from == 0 {
			return out, nil
		}
	}
}
