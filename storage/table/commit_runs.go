package table

import (
	"cmp"
	"encoding/binary"
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
	if db.conflicts(req.tx, nil) {
		req.err = ErrConflict
		return
	}
	if req.err = db.recheck(req.tx); req.err != nil {
		return
	}
	seq := db.seq + 1
	s := &runStager{db: db, b: db.store.NewBatch(), entry: log.Entry{Seq: seq}}
	defer s.close()
	if req.err = s.stage(req.tx); req.err != nil {
		return
	}
	meta := binary.BigEndian.AppendUint64(nil, seq)
	s.b.Put(metaKey, binary.BigEndian.AppendUint64(meta, uint64(db.rowID.Load())))
	if req.err = db.store.CommitRuns(s.b, s.runs); req.err != nil {
		// Either nothing happened, or the store has failed and may show the rows,
		// as in commitGroup.
		if err := db.store.Commit(db.store.NewBatch(), true); err != nil {
			db.failed = true
		}
		return
	}
	req.seq = seq
	db.published(group, seq, func(int) {
		if s.logged != nil {
			db.log.AppendStored(s.entry)
		} else {
			db.log.AppendPersisted(s.entry)
		}
	})
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
	for _, w := range order {
		for _, r := range w.runs {
			s.runs = append(s.runs, r.Run)
		}
		if w.rel.index {
			w.stageIndex(s.b)
			continue
		}
		// Whether it is logged may have changed since the transaction began.
		rel, err := s.db.relation(w.rel.ID)
		if err != nil {
			return err
		}
		w.stageRows(s.b, rel)
		if !rel.Logged && !s.db.log.Wants(rel.ID) {
			continue
		}
		if err := s.logRuns(w, rel); err != nil {
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
	runs := make([]*state.Run, len(w.runs))
	for i, r := range w.runs {
		runs[i] = r.Run
	}
	rows := column.NewBuilder(rel.Types, logRows)
	for e, err := range state.MergeRuns(runs, nil, nil) {
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
