package table

import (
	"bytes"
	"context"
	"iter"
	"maps"
	"slices"
	"time"

	"velostream/catalog/types"
	"velostream/pgwire/pgerror"
	"velostream/storage/column"
	"velostream/storage/rowenc"
	"velostream/storage/state"
)

// writesMax bounds the rows that one transaction may change: they are held in
// memory until it commits.
const writesMax = 20 << 20

// Tx is a transaction. It reads the newest commits at its last Refresh and its
// own writes. For one goroutine.
type Tx struct {
	db      *DB
	rows    *rowsAt
	snap    state.Snapshot       // rows, while it is held
	rels    map[uint32]*Relation // definitions of the same moment
	catalog uint64               // and the catalog's version that they are from
	at      state.Snapshot       // read instead of snap, when set
	base    uint64
	// hold is the base of the first write: what was committed since must stay
	// known until the transaction ends, however often it is refreshed.
	hold    uint64
	holding bool
	writes  map[uint32]*writes
	order   []*writes
	count   int
	undo    []undo
	// loads counts the runs of its writes, owned are all that it made, and
	// loadedBytes what those in memory hold.
	loads       int
	owned       []*state.Run
	loadedBytes int

	ctx         context.Context
	lockTimeout time.Duration
	locked      map[string]LockMode
	arrivals    map[uint32]span // by stream
	party       *party          // guarded by the locks' mutex, as what it points to is
	alone       party           // party, unless it is of a session with locks of its own
	checks      []keyCheck      // of foreign keys, for the end of the statement
	deferral    Deferral        // and for the end of the transaction
	defaults    func(relation uint32, column int) (types.Datum, error)

	own  Definitions // what it defines itself
	made []uint32    // OIDs and storages of what it made
	// direct: it wrote to storages that only it knows, beside its commit.
	direct bool
}

// writes is what a transaction did to one relation.
type writes struct {
	rel      *Relation
	claimed  bool // the transaction has the relation's lock
	rows     map[string]change
	sorted   []string // keys in order; nil: to be made
	inserted int      // how many of rows were new
	runs     []txRun  // below rows, see Loader
}

// empty reports that nothing is written.
func (w *writes) empty() bool { return len(w.rows) == 0 && len(w.runs) == 0 }

// change is the row before the transaction and now; nil: no row. base is the
// commit up to which old was read.
type change struct {
	old, new []byte
	base     uint64
}

// undo is the change to a key as it was before, nil: there was none; or that a
// run was attached.
type undo struct {
	w    *writes
	key  string
	prev *change
	run  bool
}

// Begin starts a transaction.
func (db *DB) Begin() *Tx {
	tx := &Tx{db: db, writes: map[uint32]*writes{}}
	tx.party = &tx.alone
	tx.open()
	return tx
}

func (tx *Tx) open() {
	// Registered first, with a number that is not newer than the snapshot:
	// a conflict may be seen where there is none, never the other way.
	tx.base = tx.db.current.Load().seq
	tx.db.active.add(tx.base)
	v := tx.db.present()
	tx.rows, tx.snap = v.rows, v.rows.Snapshot
	tx.rels, tx.catalog = v.rels, v.catalog
}

func (tx *Tx) release() error {
	if tx.snap == nil {
		return nil
	}
	tx.db.active.remove(tx.base)
	tx.snap = nil
	return tx.rows.release()
}

// end frees what the transaction holds.
func (tx *Tx) end() error {
	if tx.holding {
		tx.db.active.remove(tx.hold)
		tx.holding = false
	}
	tx.db.locks.unlock(tx)
	tx.freeRuns()
	return tx.release()
}

// Refresh lets the transaction see what was committed meanwhile, as each
// statement of READ COMMITTED does. Its writes stay.
func (tx *Tx) Refresh() error {
	if err := tx.release(); err != nil {
		return err
	}
	tx.open()
	return nil
}

// ReadAt makes reads see snap, which is another's and stays so, with this
// transaction's writes over it, from here on.
func (tx *Tx) ReadAt(snap state.Snapshot) {
	tx.at = snap
	if h, ok := snap.(*held); ok {
		tx.rels = h.v.rels
	}
}

// Over makes tx read as other does: other's writes lie over tx's own snapshot.
// REQUIRES: tx writes nothing.
func (tx *Tx) Over(other *Tx) { tx.writes, tx.own = other.writes, other.own }

// Freeze makes tx read other's writes as they are now, whatever other writes
// later. REQUIRES: Over was called.
func (tx *Tx) Freeze() { tx.freeze(func(uint32) bool { return true }) }

// FreezeRelations is Freeze of some relations.
func (tx *Tx) FreezeRelations(ids []uint32) {
	storages := map[uint32]bool{}
	for _, id := range ids {
		rel, err := tx.relation(id)
		if err != nil {
			continue // reading it fails too
		}
		storages[rel.Storage] = true
		for _, x := range rel.Indexes {
			storages[x.Storage] = true
		}
	}
	tx.freeze(func(storage uint32) bool { return storages[storage] })
}

func (tx *Tx) freeze(which func(storage uint32) bool) {
	frozen := maps.Clone(tx.writes)
	for id, w := range frozen {
		if which(id) {
			c := *w
			c.rows, c.sorted = maps.Clone(w.rows), nil
			frozen[id] = &c
		}
	}
	tx.writes = frozen
}

// source is where stored rows are read.
func (tx *Tx) source() state.Snapshot {
	if tx.at != nil {
		return tx.at
	}
	return tx.snap
}

// Dirty reports whether the transaction changed anything.
func (tx *Tx) Dirty() bool { return tx.count > 0 || tx.loads > 0 }

// Changes reports whether the transaction changed the relation.
func (tx *Tx) Changes(rel uint32) bool {
	if _, own := tx.own.rels[rel]; own {
		return true
	}
	r := tx.rels[rel]
	if r == nil {
		return false
	}
	w := tx.writes[r.Storage]
	return w != nil && !w.empty()
}

// Commit makes the transaction durable and visible, and ends it. ErrConflict:
// nothing happened, another transaction changed one of the rows.
func (tx *Tx) Commit() (uint64, error) {
	defer func() { _ = tx.end() }()
	if !tx.Dirty() && len(tx.own.sequences) == 0 {
		return tx.base, nil
	}
	seq, err := tx.db.commit(tx)
	if err == nil {
		tx.db.settleSequences(tx.own.sequences)
	}
	return seq, err
}

// Rollback forgets the transaction.
func (tx *Tx) Rollback() error {
	tx.writes, tx.order, tx.count, tx.undo, tx.loads = map[uint32]*writes{}, nil, 0, nil, 0
	err := tx.discard(func(uint32) bool { return false })
	if e := tx.end(); err == nil {
		err = e
	}
	return err
}

// Savepoint marks the present state, for RollbackTo.
func (tx *Tx) Savepoint() int { return len(tx.undo) }

// RollbackTo undoes what was written since the savepoint.
func (tx *Tx) RollbackTo(savepoint int) {
	for i := len(tx.undo) - 1; i >= savepoint; i-- {
		u := tx.undo[i]
		if u.run {
			tx.detach(u.w)
			continue
		}
		if cur := u.w.rows[u.key]; cur.old == nil && cur.new != nil {
			u.w.inserted--
		}
		if u.prev != nil {
			u.w.rows[u.key] = *u.prev
			if u.prev.old == nil && u.prev.new != nil {
				u.w.inserted++
			}
		} else {
			delete(u.w.rows, u.key)
			u.w.sorted = nil
			tx.count--
		}
	}
	tx.undo = tx.undo[:savepoint]
	tx.checks = nil
}

func (tx *Tx) of(rel *Relation) *writes {
	w := tx.writes[rel.Storage]
	if w == nil {
		w = &writes{rel: rel, rows: map[string]change{}}
		tx.writes[rel.Storage] = w
		tx.order = append(tx.order, w)
	}
	w.rel = rel
	return w
}

// set records that the row under key is now val (nil: gone).
func (tx *Tx) set(w *writes, key string, old, val []byte) error {
	prev, had := w.rows[key]
	if !had {
		if tx.count >= writesMax {
			return pgerror.New(pgerror.ProgramLimitExceeded, "transaction changes more than %d rows", writesMax).
				WithHint("Commit in smaller steps.")
		}
		if !tx.holding {
			tx.hold, tx.holding = tx.base, true
			tx.db.active.add(tx.hold)
		}
		tx.count++
		w.sorted = nil
		prev = change{old: old, base: tx.base}
	}
	u := undo{w: w, key: key}
	if had {
		was := prev
		u.prev = &was
	}
	tx.undo = append(tx.undo, u)
	next := prev
	next.new = val
	if prev.old == nil {
		if val != nil && (!had || prev.new == nil) {
			w.inserted++
		} else if val == nil && had && prev.new != nil {
			w.inserted--
		}
	}
	w.rows[key] = next
	return nil
}

// get returns the row under key as this transaction sees it, nil: none.
func (tx *Tx) get(w *writes, key string) ([]byte, error) {
	if w != nil {
		if r, ok := w.rows[key]; ok {
			return r.new, nil
		}
		if v, err := w.fromRuns(key); v != nil || err != nil {
			return v, err
		}
	}
	return tx.source().Get([]byte(key))
}

// row returns the row of rel under key as this transaction sees it, nil: none.
func (tx *Tx) row(rel *Relation, key string) ([]byte, error) {
	if w := tx.writes[rel.Storage]; w != nil {
		if r, ok := w.rows[key]; ok {
			return r.new, nil
		}
		if v, err := w.fromRuns(key); err != nil {
			return nil, err
		} else if v != nil {
			return rel.plain(v)
		}
	}
	b, err := tx.source().Get([]byte(key))
	if b == nil || err != nil {
		return nil, err
	}
	return rel.plain(b)
}

// Key returns the key of row i of cols, the columns of rel in order.
func key(dst []byte, rel *Relation, cols []*column.Column, i int) []byte {
	return rowenc.AppendKey(rowKey(dst, rel.Storage), cols, rel.Key, i)
}

// appendKey appends the key that row i of cols, all of which are the key's, makes.
func appendKey(dst []byte, cols []*column.Column, i int) []byte {
	for _, c := range cols {
		dst = rowenc.AppendKeyColumn(dst, c, i, rowenc.Order{})
	}
	return dst
}

// Get returns the encoded row with the key columns keyCols at row i, nil: none.
func (tx *Tx) Get(rel uint32, keyCols []*column.Column, i int) ([]byte, error) {
	r, err := tx.relation(rel)
	if err != nil {
		return nil, err
	}
	k := appendKey(rowKey(nil, r.Storage), keyCols, i)
	return tx.row(r, string(k))
}

// Scan yields the encoded rows of the relation in key order, as this
// transaction sees them.
func (tx *Tx) Scan(rel uint32) iter.Seq2[state.Entry, error] { return tx.ScanKeys(rel, nil, nil) }

// ScanKeys is Scan of the rows whose keys, encoded by rowenc.AppendKey, are
// from lo up to hi; nil: to the end.
func (tx *Tx) ScanKeys(rel uint32, lo, hi []byte) iter.Seq2[state.Entry, error] {
	r, err := tx.relation(rel)
	if err != nil {
		return func(yield func(state.Entry, error) bool) { yield(state.Entry{}, err) }
	}
	first, end := rowRange(r.Storage)
	lo = append(first, lo...)
	if hi == nil {
		hi = end
	} else {
		hi = append(rowKey(nil, r.Storage), hi...)
	}
	rows := tx.source().Scan(lo, hi)
	w := tx.writes[r.Storage]
	if w == nil || w.empty() {
		return r.plainRows(rows)
	}
	return w.merge(r.plainRows(w.withRuns(rows, lo, hi)), w.within(lo, hi))
}

// scan yields the entries in an index's storage from lo up to hi as this
// transaction sees them.
func (tx *Tx) scan(storage uint32, lo, hi []byte) iter.Seq2[state.Entry, error] {
	stored := tx.source().Scan(lo, hi)
	w := tx.writes[storage]
	if w == nil || w.empty() {
		return stored
	}
	stored = w.withRuns(stored, lo, hi)
	return w.merge(stored, w.within(lo, hi))
}

// within lists the changed keys from lo up to hi in order.
func (w *writes) within(lo, hi []byte) []string {
	keys := w.keys()
	from, _ := slices.BinarySearch(keys, string(lo))
	to, _ := slices.BinarySearch(keys, string(hi))
	return keys[from:to]
}

// keys lists the changed keys in order.
func (w *writes) keys() []string {
	if w.sorted == nil {
		w.sorted = slices.Sorted(maps.Keys(w.rows))
	}
	return w.sorted
}

// merge lays the writes under keys over the stored rows; both are in key order. It reads
// a copy of the writes, so that they may grow while it runs.
func (w *writes) merge(stored iter.Seq2[state.Entry, error], keys []string) iter.Seq2[state.Entry, error] {
	rows := make(map[string]change, len(keys))
	for _, k := range keys {
		rows[k] = w.rows[k]
	}
	return func(yield func(state.Entry, error) bool) {
		i := 0
		// before yields the writes with keys below k.
		before := func(k []byte) bool {
			for ; i < len(keys) && (k == nil || keys[i] < string(k)); i++ {
				if r := rows[keys[i]]; r.new != nil && !yield(state.Entry{Key: []byte(keys[i]), Value: r.new}, nil) {
					return false
				}
			}
			return true
		}
		for e, err := range stored {
			if err != nil {
				yield(e, err)
				return
			}
			if !before(e.Key) {
				return
			}
			if i < len(keys) && bytes.Equal([]byte(keys[i]), e.Key) {
				r := rows[keys[i]]
				i++
				if r.new != nil && !yield(state.Entry{Key: e.Key, Value: r.new}, nil) {
					return
				}
				continue
			}
			if !yield(e, nil) {
				return
			}
		}
		before(nil)
	}
}
