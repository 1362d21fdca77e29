package table

import (
	"encoding/binary"
	"fmt"

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
		n := min(len(db.queue), groupMax)
		group := db.queue[:n:n]
		db.queue = db.queue[n:]
		db.queueMu.Unlock()
		db.commitGroup(group)
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
	for _, req := range group {
		if db.conflicts(req.tx, claimed) {
			req.err = ErrConflict
			continue
		}
		e, err := db.stage(b, req.tx, seq+1)
		if err != nil {
			req.err = err
			continue
		}
		for _, w := range req.tx.writes {
			for k := range w.rows {
				claimed[k] = true
			}
		}
		seq++
		req.seq = seq
		entries, ok = append(entries, e), append(ok, req)
	}
	if len(ok) > 0 {
		meta := binary.BigEndian.AppendUint64(nil, seq)
		b.Put(metaKey, binary.BigEndian.AppendUint64(meta, uint64(db.rowID.Load())))
		if err := db.store.Commit(b, true); err != nil {
			for _, req := range ok {
				req.err = err
			}
		} else {
			db.seq = seq
			for i, req := range ok {
				db.recent.note(req.tx, req.seq)
				db.log.AppendPersisted(entries[i])
			}
			db.recent.prune(db.active.oldest(seq))
		}
	}
	for _, req := range group {
		close(req.done)
	}
}

// conflicts reports that a row of tx was changed after tx read it: by a commit
// before, or by one earlier in this group (claimed).
func (db *DB) conflicts(tx *Tx, claimed map[string]bool) bool {
	for _, w := range tx.writes {
		for k, r := range w.rows {
			if claimed[k] || db.recent.changedAfter(k, r.base) {
				return true
			}
		}
	}
	return false
}

// stage writes tx's rows and its log entry numbered seq into b.
func (db *DB) stage(b state.Batch, tx *Tx, seq uint64) (log.Entry, error) {
	e := log.Entry{Seq: seq}
	for _, w := range tx.order {
		// Whether it is logged may have changed since the transaction began.
		rel, err := db.relation(w.rel.ID)
		if err != nil {
			return e, err
		}
		var changes *column.Builder
		if rel.Logged || db.log.Wants(rel.ID) {
			changes = column.NewBuilder(w.rel.Types, len(w.rows))
		}
		for _, k := range w.keys() {
			r := w.rows[k]
			if r.old == nil && r.new == nil {
				continue
			}
			if r.new == nil {
				b.Delete([]byte(k))
			} else {
				b.Put([]byte(k), r.new)
			}
			if changes == nil {
				continue
			}
			if err := logRow(changes, r.old, column.Delete); err != nil {
				return e, err
			}
			if err := logRow(changes, r.new, column.Insert); err != nil {
				return e, err
			}
		}
		if changes != nil && changes.Len() > 0 {
			e.Changes = append(e.Changes, log.Change{Relation: w.rel.ID, Batch: changes.Batch()})
		}
	}
	if len(e.Changes) > 0 {
		log.AppendTo(b, logPrefix, e)
	}
	return e, nil
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
