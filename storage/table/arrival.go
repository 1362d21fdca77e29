package table

import (
	"time"

	"velostream/catalog/types"
	"velostream/storage/column"
	"velostream/storage/rowenc"
	"velostream/storage/state"
)

// The time of arrival of a stream's rows is their event time unless the stream
// has another, and its watermark ascends with it. So it must ascend in the order
// of commits, in which readers get the rows: a row that a transaction inserted
// long before it committed would be late everywhere. Rows get the time of their
// INSERT at first; where another transaction with later rows has committed before,
// they get the time of the commit.

// arrive is the time of arrival of rows that are inserted into rel now.
func (tx *Tx) arrive(rel *Relation) *column.Column {
	now := types.FromTime(time.Now())
	if tx.arrivals == nil {
		tx.arrivals = map[uint32]span{}
	}
	a, ok := tx.arrivals[rel.ID]
	if !ok {
		a.first = now
	}
	a.last = max(a.last, now)
	tx.arrivals[rel.ID] = a
	return column.Constant(types.Timestamptz, types.IntDatum(now))
}

// span is when a transaction inserted into a stream first, and last.
type span struct{ first, last int64 }

// order makes the rows of tx, which commits, arrive no earlier than those before.
// REQUIRES: publish is held.
func (db *DB) order(tx *Tx) error {
	for _, w := range tx.order {
		id := w.rel.ID
		a, ok := tx.arrivals[id]
		if !ok || !tx.live(w) {
			continue
		}
		newest := db.arrived[id]
		if a.first < newest {
			a.last = max(newest, types.FromTime(time.Now()))
			if err := tx.restamp(w, a.last); err != nil {
				return err
			}
		}
		db.arrived[id] = max(newest, a.last)
	}
	return nil
}

// restamp sets the time of arrival of all rows that w inserts.
func (tx *Tx) restamp(w *writes, at int64) error {
	rows := column.NewBuilder(w.rel.Types, 1)
	stamp := column.Constant(types.Timestamptz, types.IntDatum(at))
	restamped := func(row []byte) ([]byte, error) {
		rows.Reset()
		if err := rowenc.DecodeRow(row, rows); err != nil {
			return nil, err
		}
		rows.Row(column.Insert)
		cols := rows.Batch().Cols
		of := cols[w.rel.Arrival]
		cols[w.rel.Arrival] = stamp
		out := rowenc.AppendRow(nil, cols, 0)
		cols[w.rel.Arrival] = of
		return out, nil
	}
	for k, r := range w.rows {
		if r.new == nil || r.old != nil {
			continue
		}
		var err error
		if r.new, err = restamped(r.new); err != nil {
			return err
		}
		w.rows[k] = r
	}
	for i, r := range w.runs {
		run, err := tx.restampRun(w.rel, r.Run, restamped)
		if err != nil {
			return err
		}
		w.runs[i].Run = run
	}
	return nil
}

// restampRun writes a run again.
func (tx *Tx) restampRun(rel *Relation, r *state.Run, restamped func([]byte) ([]byte, error)) (*state.Run, error) {
	out := tx.db.store.NewRun()
	for e, err := range r.Scan(nil, nil) {
		var row []byte
		if err == nil {
			row, err = rel.plain(e.Value)
		}
		if err == nil {
			row, err = restamped(row)
		}
		if err == nil {
			err = out.Add(e.Key, rel.wide(row))
		}
		if err != nil {
			out.Abort()
			return nil, err
		}
	}
	run, err := out.Finish()
	if err != nil {
		return nil, err
	}
	tx.owned = append(tx.owned, run)
	return run, nil
}
