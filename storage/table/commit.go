package table

import (
	"fmt"
	"slices"

	"velostream/storage/column"
	"velostream/storage/log"
	"velostream/storage/rowenc"
	"velostream/storage/state"
)

// groupMax bounds how many transactions one fsync takes along.
const groupMax = 512

type commitRequest struct {
	tx   *Tx
	seq  uint64
	err  error
	done chan struct{}
}

// commit makes tx durable and visible, and returns its sequence number. The
// first to come leads: it commits all that wait in one batch, and goes on while
// there are more, so under load an fsync serves many.
func (db *DB) commit(tx *Tx) (uint64, error) {
	req := &commitRequest{tx: tx, done: make(chan struct{})}
	db.queueMu.Lock()
	db.queue = append(db.queue, req)
	if db.leading {
		db.queueMu.Unlock()
		<-req.done
		return req.seq, req.err
	}
	db.leading = true
	for len(db.queue) > 0 {
		n := 0
		for n < min(len(db.queue), groupMax) && db.queue[n].tx.loads == 0 {
			n++
		}
		commit := db.commitGroup
		if n == 0 { // runs are committed alone
			n, commit = 1, db.commitRuns
		}
		group := db.queue[:n:n]
		db.queue = db.queue[n:]
		db.queueMu.Unlock()
		commit(group)
		db.queueMu.Lock()
	}
	db.leading = false
	db.queueMu.Unlock()
	return req.seq, req.err
}

func (db *DB) commitGroup(group []*commitRequest) {
	db.publish.Lock()
	defer db.publish.Unlock()
	b := db.store.NewBatch()
	seq := db.seq
	var entries []log.Entry
	claimed := map[string]bool{}
	var ok []*commitRequest
	for i, req := range group {
		if db.conflicts(req.tx, claimed) {
			req.err = ErrConflict
			continue
		}
		err := db.order(req.tx)
		var e log.Entry
		if err == nil {
			e, err = db.stage(b, req.tx, seq+1)
		}
		if err != nil {
			req.err = err
			continue
		}
		if i < len(group)-1 { // others come after it
			for _, w := range req.tx.writes {
				for k := range w.rows {
					claimed[k] = true
				}
			}
		}
		seq++
		req.seq = seq
		entries, ok = append(entries, e), append(ok, req)
	}
	if len(ok) > 0 {
		lasting := slices.ContainsFunc(ok, func(r *commitRequest) bool { return r.tx.lasts() })
		if err := db.write(db.numbered(b, seq), lasting); err != nil {
			// The store may show these rows all the same, until it is opened
			// again; readers keep to the version before.
			db.failed = true
			for _, req := range ok {
				req.err = err
			}
		} else {
			db.published(ok, seq, func(i int) { db.log.AppendPersisted(entries[i]) }, nil)
		}
	}
	for _, req := range group {
		close(req.done)
	}
}

// published makes the commits of list, which are durable, known, with the
// definitions that d has, if any; seq is the last of them. REQUIRES: publish is held.
func (db *DB) published(list []*commitRequest, seq uint64, appendLog func(i int), d *Definition) {
	db.seq = seq
	db.advanceDefining(seq, d)
	// A transaction that begins from here on reads what was committed.
	noted := db.active.others(list)
	db.recentMu.Lock()
	defer db.recentMu.Unlock()
	for i, req := range list {
		for _, w := range req.tx.order {
			db.changed[w.rel.ID] = req.seq
		}
		if noted {
			db.recent.note(req.tx, req.seq)
		}
		appendLog(i)
	}
	db.recent.prune(db.active.oldest(seq))
}

// lastChange is the last commit that wrote to a relation, or index, since the
// store was opened.
func (db *DB) lastChange(id uint32) uint64 {
	db.recentMu.Lock()
	defer db.recentMu.Unlock()
	return db.changed[id]
}

// stageIndex writes the entries of an index into b.
func (w *writes) stageIndex(b state.Batch) {
	for _, k := range w.keys() {
		switch r := w.rows[k]; {
		case r.new != nil && !w.rel.Emptied:
			b.Put([]byte(k), r.new)
		case r.old != nil:
			b.Delete([]byte(k))
		}
	}
}

// conflicts reports that a row of tx was changed after tx read it: by a commit
// before, or by one earlier in this group (claimed); or that a relation has other
// columns, indexes or constraints than when tx wrote to it.
func (db *DB) conflicts(tx *Tx, claimed map[string]bool) bool {
	for _, w := range tx.writes {
		if _, own := tx.own.rels[w.rel.ID]; own || w.rel.index || w.empty() {
			continue
		}
		if rel, err := db.relation(w.rel.ID); err == nil && !sameShape(w.rel, rel) {
			return true
		}
	}
	db.recentMu.Lock()
	defer db.recentMu.Unlock()
	for _, w := range tx.writes {
		for k, r := range w.rows {
			if claimed[k] || db.recent.changedAfter(k, r.base) {
				return true
			}
			if r.old == nil && db.recent.addedAfter(k, r.base) {
				if there, err := db.there(k); there || err != nil {
					return true
				}
			}
		}
	}
	return false
}

// stage writes tx's rows and its log entry numbered seq into b.
func (db *DB) stage(b state.Batch, tx *Tx, seq uint64) (log.Entry, error) {
	e := log.Entry{Seq: seq}
	rels := make([]*Relation, len(tx.order))
	for i, w := range tx.order {
		if !tx.logs(w) {
			continue
		}
		rel, err := db.defining(tx, w)
		if err != nil {
			return e, err
		}
		if rels[i] = rel; !rel.Logged && !db.log.Wants(rel.ID) {
			continue
		}
		batch, err := w.changes()
		if err != nil {
			return e, err
		}
		if batch != nil {
			e.Changes = append(e.Changes, log.Change{Relation: w.rel.ID, Batch: batch})
		}
	}
	// Nothing fails from here on: b is also that of other transactions.
	for id, s := range tx.own.sequences {
		b.Put(sequenceKey(id), s.encode())
	}
	for i, w := range tx.order {
		switch {
		case !tx.live(w):
		case w.rel.index:
			w.stageIndex(b)
		default:
			w.stageRows(b, rels[i])
		}
	}
	if len(e.Changes) > 0 {
		log.AppendTo(b, logPrefix, e)
	}
	return e, nil
}

// stageRows writes the rows that changed into b.
func (w *writes) stageRows(b state.Batch, rel *Relation) {
	for _, k := range w.keys() {
		switch r := w.rows[k]; {
		case r.new != nil && !rel.Emptied:
			b.Put([]byte(k), rel.wide(r.new))
		case r.old != nil:
			b.Delete([]byte(k))
		}
	}
}

// changes is the changelog of the rows that changed, nil: none did.
func (w *writes) changes() (*column.Batch, error) {
	changes := column.NewBuilder(w.rel.Types, len(w.rows))
	for _, k := range w.keys() {
		r := w.rows[k]
		if err := logRow(changes, r.old, column.Delete); err != nil {
			return nil, err
		}
		if err := logRow(changes, r.new, column.Insert); err != nil {
			return nil, err
		}
	}
	if changes.Len() == 0 {
		return nil, nil
	}
	return changes.Batch(), nil
}

func logRow(b *column.Builder, row []byte, op column.Op) error {
	if row == nil {
		return nil
	}
	if err := rowenc.DecodeRow(row, b); err != nil {
		return fmt.Errorf("table: %w", err)
	}
	b.Row(op)
	return nil
}
