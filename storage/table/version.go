package table

import (
	"maps"
	"sync/atomic"

	"velostream/storage/state"
)

// version is what is committed at one moment, as readers see it: the rows, and
// the definitions that say how to read them. A commit makes the next one when it
// is durable: what is only on its way to the disk, or failed to get there, is in
// none. Immutable; rows are kept as long as somebody holds them.
type version struct {
	rows    *rowsAt
	seq     uint64 // the last commit in it
	catalog uint64 // the catalog's version that rels are from
	rels    map[uint32]*Relation
}

// rowsAt is a snapshot of the store with a count of those who hold it.
type rowsAt struct {
	state.Snapshot
	refs atomic.Int64
}

// retain adds a holder, unless the last one has gone.
func (r *rowsAt) retain() bool {
	for {
		n := r.refs.Load()
		if n == 0 {
			return false
		}
		if r.refs.CompareAndSwap(n, n+1) {
			return true
		}
	}
}

func (r *rowsAt) release() error {
	if r.refs.Add(-1) > 0 {
		return nil
	}
	return r.Close()
}

// held is a version as a Snapshot for one holder, who closes it.
type held struct {
	*rowsAt
	v      *version
	closed atomic.Bool
}

// CatalogOf is the catalog's version that the definitions of a Cut are from.
func CatalogOf(snap state.Snapshot) uint64 {
	if h, ok := snap.(*held); ok {
		return h.v.catalog
	}
	return 0
}

// Close implements state.Snapshot.
func (h *held) Close() error {
	if h.closed.Swap(true) {
		return nil
	}
	return h.release()
}

// present returns the newest version, whose rows the caller releases.
func (db *DB) present() *version {
	for {
		if v := db.current.Load(); v.rows.retain() {
			return v
		}
	}
}

// advance makes what is in the store now, up to commit seq, the newest version.
// REQUIRES: db.publish is held, and all that is in the store is durable or
// nobody's business.
func (db *DB) advance(seq uint64) { db.advanceDefining(seq, nil) }

// advanceDefining is advance with new definitions.
func (db *DB) advanceDefining(seq uint64, d *Definition) {
	rows := &rowsAt{Snapshot: db.store.Snapshot()}
	rows.refs.Store(1)
	db.mu.Lock()
	old := db.current.Load()
	next := &version{rows: rows, seq: seq, catalog: old.catalog, rels: old.rels}
	if d != nil {
		next.catalog, next.rels = max(d.Version, old.catalog), with(old.rels, d.Relations)
		for _, id := range d.Dropped {
			delete(next.rels, id) // with has made a copy
		}
	}
	db.current.Store(next)
	db.mu.Unlock()
	_ = old.rows.release() // a snapshot: nothing can be lost with it
}

// refresh takes in what was written beside commits: filled indexes, the rows
// of relations that are gone.
func (db *DB) refresh() {
	db.publish.Lock()
	defer db.publish.Unlock()
	if !db.failed {
		db.advance(db.seq)
	}
}

// with is a copy of the definitions all, with those of rels in their place.
func with(all map[uint32]*Relation, rels []*Relation) map[uint32]*Relation {
	all = maps.Clone(all)
	for _, r := range rels {
		all[r.ID] = r
	}
	return all
}

// there reports that the key is committed.
func (db *DB) there(key string) (bool, error) {
	v := db.present()
	b, err := v.rows.Get([]byte(key))
	if e := v.rows.release(); err == nil {
		err = e
	}
	return b != nil, err
}
