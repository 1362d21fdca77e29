package table

import (
	"encoding/binary"
	"fmt"
	"maps"
	"slices"

	"velostream/storage/state"
)

// Definitions are what a transaction knows for itself: relations that it made,
// changed or dropped, and sequences that it restarted. A value; see Restore.
type Definitions struct {
	rels      map[uint32]*Relation // nil: dropped
	sequences map[uint32]*sequence
}

// Definition is a change of the catalog that becomes durable with a transaction.
type Definition struct {
	Version   uint64 // of the catalog
	Redo      []byte // the change, to be made again where a crash kept the catalog from it; nil: none is stored
	Relations []*Relation
	Dropped   []uint32
}

// relation returns a definition as the transaction sees it.
func (tx *Tx) relation(id uint32) (*Relation, error) {
	r, own := tx.own.rels[id]
	if !own {
		r = tx.rels[id]
	}
	if r == nil {
		return nil, noRelation(id)
	}
	return r, nil
}

// Catalog is the catalog's version that the transaction's definitions, but its
// own, are from.
func (tx *Tx) Catalog() uint64 { return tx.catalog }

// Definitions returns the transaction's own definitions, for Restore.
func (tx *Tx) Definitions() Definitions { return tx.own }

// Restore makes own definitions what they were, after RollbackTo.
func (tx *Tx) Restore(d Definitions) {
	tx.own = d
	for _, w := range tx.order {
		if !w.rel.index {
			if r, err := tx.relation(w.rel.ID); err == nil && r.Storage == w.rel.Storage {
				w.rel = r
			}
		}
	}
}

// Redefine gives the transaction definitions that nobody else sees, and takes the
// relations dropped away. What it has written to a relation that got columns gets
// them too. REQUIRES: the transaction has the relations alone, or made them.
func (tx *Tx) Redefine(rels []*Relation, dropped []uint32) error {
	own := maps.Clone(tx.own.rels)
	if own == nil {
		own = map[uint32]*Relation{}
	}
	for _, r := range rels {
		r.prepare()
		old, err := tx.relation(r.ID)
		if err == nil && old.Storage == r.Storage && len(old.Types) != len(r.Types) {
			if err := tx.widen(old, r); err != nil {
				return err
			}
		}
		own[r.ID] = r
	}
	for _, id := range dropped {
		own[id] = nil
	}
	tx.own.rels = own
	tx.Restore(tx.own)
	return nil
}

// widen gives the rows that the transaction wrote under old the columns of next.
func (tx *Tx) widen(old, next *Relation) error {
	w := tx.writes[old.Storage]
	if w == nil {
		return nil
	}
	wide := func(row []byte) ([]byte, error) {
		if row == nil {
			return nil, nil
		}
		return next.plain(old.wide(row))
	}
	for k, c := range w.rows {
		was := c
		var err error
		if c.old, err = wide(c.old); err != nil {
			return err
		}
		if c.new, err = wide(c.new); err != nil {
			return err
		}
		tx.undo = append(tx.undo, undo{w: w, key: k, prev: &was})
		w.rows[k] = c
	}
	return nil
}

// Made notes OIDs and storages that the transaction makes: what is kept there
// goes with it, unless it commits and keeps them.
func (tx *Tx) Made(ids ...uint32) { tx.made = append(tx.made, ids...) }

// discard deletes what is kept under OIDs and storages that the transaction made
// and that are not kept.
func (tx *Tx) discard(kept func(id uint32) bool) error {
	var gone []uint32
	for _, id := range tx.made {
		if !kept(id) {
			gone = append(gone, id)
		}
	}
	direct := tx.direct
	tx.made, tx.direct = nil, false
	var numbers []uint32
	tx.db.seqMu.Lock()
	for _, id := range gone {
		if tx.db.sequences[id] != nil {
			numbers = append(numbers, id)
		}
	}
	tx.db.seqMu.Unlock()
	if len(numbers) > 0 {
		if err := tx.db.dropSequences(numbers...); err != nil {
			return err
		}
	}
	if !direct {
		return nil
	}
	return tx.db.clear(storages{rows: gone, entries: gone})
}

// End ends a transaction after CommitDefining, or one that defines and wrote
// nothing: its locks are free from here on. What it made and does not keep is
// deleted.
func (tx *Tx) End(kept func(id uint32) bool) error {
	err := tx.discard(kept)
	if e := tx.end(); err == nil {
		err = e
	}
	return err
}

// Stores reports that the transaction has something to store beside definitions.
func (tx *Tx) Stores() bool { return tx.Dirty() || tx.direct || len(tx.own.sequences) > 0 }

// CommitDefining makes the transaction durable and visible together with a change
// of the catalog. It keeps its locks until End. Errors as those of Commit: nothing
// has changed.
func (tx *Tx) CommitDefining(d Definition) (uint64, error) {
	if err := tx.Redefine(d.Relations, d.Dropped); err != nil {
		return 0, err
	}
	req := &commitRequest{tx: tx}
	gone, err := tx.db.commitDefining(req, &d)
	if err != nil {
		return 0, err
	}
	tx.db.settleSequences(tx.own.sequences)
	return req.seq, tx.db.clear(gone)
}

func (db *DB) commitDefining(req *commitRequest, d *Definition) (gone storages, err error) {
	db.publish.Lock()
	defer db.publish.Unlock()
	known := db.current.Load().rels
	for _, r := range d.Relations {
		if old := known[r.ID]; old != nil {
			gone.left(old, r)
		}
	}
	for _, id := range d.Dropped {
		if old := known[id]; old != nil {
			gone.left(old, nil)
		}
	}
	return gone, db.commitAlone(req, d)
}

// numbered adds to b what is stored with each commit.
func (db *DB) numbered(b state.Batch, seq uint64) state.Batch {
	meta := binary.BigEndian.AppendUint64(nil, seq)
	b.Put(metaKey, binary.BigEndian.AppendUint64(meta, uint64(db.rowID.Load())))
	return b
}

// live reports that w changes something that the transaction still has.
func (tx *Tx) live(w *writes) bool {
	if w.empty() {
		return false
	}
	id := w.rel.ID
	if w.rel.index {
		id = w.rel.parent
	}
	r, own := tx.own.rels[id]
	switch {
	case !own:
		return true
	case r == nil:
		return false
	case w.rel.index:
		return slices.ContainsFunc(r.Indexes, func(x *Index) bool { return x.Storage == w.rel.Storage })
	}
	return r.Storage == w.rel.Storage
}

// logs reports that w's changes go to the log. Those of a relation whose rows the
// transaction wrote anew afterwards do, too: what it says of them there is the same.
func (tx *Tx) logs(w *writes) bool {
	if w.rel.index || w.empty() {
		return false
	}
	r, own := tx.own.rels[w.rel.ID]
	return !own || r != nil
}

// defining is the definition that w's rows are stored under: whether it is logged
// may have changed since the transaction began.
func (db *DB) defining(tx *Tx, w *writes) (*Relation, error) {
	if r := tx.own.rels[w.rel.ID]; r != nil {
		return r, nil
	}
	return db.relation(w.rel.ID)
}

var redoKey = []byte("c")

// Redo returns the change of the catalog that was last made durable with a
// transaction, nil: there is none.
func (db *DB) Redo() ([]byte, error) {
	b, err := db.store.Get(redoKey)
	if err != nil {
		return nil, fmt.Errorf("table: %w", err)
	}
	return b, nil
}
