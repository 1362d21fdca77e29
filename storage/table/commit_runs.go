package table

import (
	"cmp"
	"slices"

	"velostream/storage/column"
	"velostream/storage/log"
	"velostream/storage/state"
)

// logRows is the size of the batches that runs are logged in.
const logRows = 4096

// commitRuns commits one transaction that has runs.
func (db *DB) commitRuns(group []*commitRequest) {
	req := group[0]
	defer close(req.done)
	db.publish.Lock()
	defer db.publish.Unlock()
	req.err = db.commitAlone(req, nil)
}

// commitAlone commits one transaction, which may have runs and, with d, define.
// REQUIRES: publish is held.
func (db *DB) commitAlone(req *commitRequest, d *Definition) error {
	if db.conflicts(req.tx, nil) {
		return ErrConflict
	}
	if err := db.recheck(req.tx); err != nil {
		return err
	}
	if err := db.order(req.tx); err != nil {
		return err
	}
	seq := db.seq + 1
	s := &runStager{db: db, b: db.store.NewBatch(), entry: log.Entry{Seq: seq}}
	defer s.close()
	if err := s.stage(req.tx); err != nil {
		return err
	}
	if d != nil && d.Redo != nil {
		s.b.Put(redoKey, d.Redo)
	}
	if err := s.commit(d != nil && d.Redo != nil || req.tx.lasts()); err != nil {
		return err
	}
	req.seq = seq
	db.published([]*commitRequest{req}, seq, s.appendLog, d)
	return nil
}

// commit makes what was staged durable, if it is to last.
func (s *runStager) commit(lasting bool) error {
	b := s.db.numbered(s.b, s.entry.Seq)
	var err error
	if len(s.runs) == 0 {
		err = s.db.write(b, lasting)
	} else {
		err = s.db.store.CommitRuns(b, s.runs)
	}
	if err != nil {
		// Either nothing happened, or the store has failed and may show the rows,
		// as in commitGroup.
		if e := s.db.store.Commit(s.db.store.NewBatch(), true); e != nil {
			s.db.failed = true
		}
	}
	return err
}

// appendLog makes the entry known to those who read the log.
func (s *runStager) appendLog(int) {
	if s.logged != nil {
		s.db.log.AppendStored(s.entry)
	} else {
		s.db.log.AppendPersisted(s.entry)
	}
}

// runStager collects what the commit of a transaction with runs writes.
type runStager struct {
	db     *DB
	b      state.Batch
	runs   []*state.Run
	entry  log.Entry
	parts  int // of the entry so far
	bytes  int // of the entry's batches in memory
	out    state.RunWriter
	logged *state.Run // the entry, where it is too large for memory
	val    []byte
}

// stage puts tx's rows, index entries and log entry together.
func (s *runStager) stage(tx *Tx) error {
	order := slices.Clone(tx.order)
	// A run's keys ascend, and the log's begin with the relation.
	slices.SortFunc(order, func(a, b *writes) int { return cmp.Compare(a.rel.ID, b.rel.ID) })
	for id, q := range tx.own.sequences {
		s.b.Put(sequenceKey(id), q.encode())
	}
	for _, w := range order {
		if tx.live(w) {
			for _, r := range w.runs {
				if !w.rel.Emptied {
					s.runs = append(s.runs, r.Run)
				}
			}
			if w.rel.index {
				w.stageIndex(s.b)
			}
		}
		if !tx.logs(w) {
			continue
		}
		rel, err := s.db.defining(tx, w)
		if err != nil {
			return err
		}
		was := w.rel
		if tx.live(w) {
			w.stageRows(s.b, rel)
			was = rel
		}
		if !rel.Logged && !s.db.log.Wants(rel.ID) {
			continue
		}
		if err := s.logRuns(w, was); err != nil {
			return err
		}
		batch, err := w.changes()
		if err == nil && batch != nil {
			err = s.add(rel.ID, batch)
		}
		if err != nil {
			return err
		}
	}
	if s.out == nil {
		log.AppendTo(s.b, logPrefix, s.entry)
		return nil
	}
	var err error
	if s.logged, err = s.out.Finish(); err != nil {
		return err
	}
	s.runs = append(s.runs, s.logged)
	return nil
}

// logRuns logs the rows of w's runs.
func (s *runStager) logRuns(w *writes, rel *Relation) error {
	if len(w.runs) == 0 {
		return nil
	}
	rows := column.NewBuilder(rel.Types, logRows)
	for e, err := range w.mergeRuns(nil, nil) {
		var row []byte
		if err == nil {
			row, err = rel.plain(e.Value)
		}
		if err == nil {
			err = logRow(rows, row, column.Insert)
		}
		if err == nil && rows.Len() == logRows {
			err = s.add(rel.ID, rows.Take())
		}
		if err != nil {
			return err
		}
	}
	if rows.Len() > 0 {
		return s.add(rel.ID, rows.Take())
	}
	return nil
}

// add adds a change to the log entry, in the store once it is too large.
func (s *runStager) add(rel uint32, b *column.Batch) error {
	if s.out == nil {
		s.entry.Changes = append(s.entry.Changes, log.Change{Relation: rel, Batch: b})
		if s.bytes += int(b.MemSize()); s.bytes <= s.db.limits.log {
			return nil
		}
		s.out = s.db.store.NewRun()
		for i, c := range s.entry.Changes {
			if err := s.put(c, i); err != nil {
				return err
			}
			s.entry.Changes[i].Batch = nil
		}
		s.parts = len(s.entry.Changes)
		return nil
	}
	err := s.put(log.Change{Relation: rel, Batch: b}, s.parts)
	s.parts++
	if last := len(s.entry.Changes) - 1; s.entry.Changes[last].Relation != rel {
		s.entry.Changes = append(s.entry.Changes, log.Change{Relation: rel})
	}
	return err
}

func (s *runStager) put(c log.Change, part int) error {
	s.val = column.AppendEncoded(s.val[:0], c.Batch)
	return s.out.Add(log.ChangeKey(logPrefix, s.entry.Seq, c.Relation, part), s.val)
}

// close frees what is left of the log entry's run.
func (s *runStager) close() {
	if s.out != nil {
		s.out.Abort()
	}
	if s.logged != nil {
		_ = s.logged.Close() // it was committed, or goes when the store is opened
	}
}
