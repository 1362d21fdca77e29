package job

import (
	"encoding/binary"
	"sync/atomic"

	"velostream/catalog"
	"velostream/catalog/types"
	"velostream/engine/operator"
	"velostream/storage/column"
	"velostream/storage/rowenc"
	"velostream/storage/state"
)

// Late rows as dead letters, each exactly once: operators put them into the job's state, where
// they become durable with the epoch that dropped them. The coordinator then copies them to the
// native table, where a row that a crash makes it copy again is there already, and deletes them here.
//
// Table lateTable of each shard: 0x00, stage → version, varint: rows so far;
// 0x01, stage, number → version, row of LateLetterColumns.

const (
	lateMeta    = 0
	lateRow     = 1
	lateVersion = 1
	// lateBatch is how many are copied in one transaction.
	lateBatch = 1000
)

// LateLetterColumns are the columns of a table of late rows; the first two are its key.
func LateLetterColumns() []catalog.Column {
	return []catalog.Column{
		{Name: "split", Type: types.Int8, NotNull: true},
		{Name: "position", Type: types.Int8, NotNull: true},
		{Name: "row_time", Type: types.Timestamptz},
		{Name: "watermark", Type: types.Timestamptz},
		{Name: "record", Type: types.JSONB},
	}
}

// lateLetters takes the late rows of one task. For its goroutine, but for added.
type lateLetters struct {
	stage, shard int
	table        state.Table
	taken        int64
	added        *atomic.Bool
	cols         []*column.Column
	key, val     []byte
}

func lateKey(dst []byte, kind byte, stage int) []byte {
	return binary.BigEndian.AppendUint16(append(dst, kind), uint16(stage))
}

// lateRows is what a task does with late rows, nil: nothing. An error of the state shows with
// the first of them.
func (c *coordinator) lateRows(stage, shard int) func(operator.LateRow) error {
	if c.relation().LateLetters == 0 {
		return nil
	}
	l := &lateLetters{stage: stage, shard: shard, table: c.spaceFor(stage, shard).space.Table(lateTable), taken: -1, added: &c.late}
	c.late.Store(true) // some may be left of before a restart
	for _, k := range LateLetterColumns() {
		l.cols = append(l.cols, column.New(k.Type, 1))
	}
	return l.add
}

func (l *lateLetters) add(r operator.LateRow) error {
	if l.taken < 0 {
		v, err := l.table.Get(lateKey(nil, lateMeta, l.stage))
		if err != nil {
			return err
		}
		if l.taken = 0; v != nil {
			n, used := binary.Varint(v[min(1, len(v)):])
			if used <= 0 || v[0] != lateVersion {
				return column.Corrupt("state of late rows")
			}
			l.taken = n
		}
	}
	l.taken++
	row, err := types.CanonicalJSON(nil, lateJSON(r))
	if err != nil {
		return err
	}
	for j, v := range []types.Datum{
		types.IntDatum(int64(l.stage)<<16 | int64(l.shard)), types.IntDatum(l.taken), types.IntDatum(r.Time), types.IntDatum(r.Mark), {B: row},
	} {
		l.cols[j].Reset()
		l.cols[j].Append(v)
	}
	l.key = binary.BigEndian.AppendUint64(lateKey(l.key[:0], lateRow, l.stage), uint64(l.taken))
	l.val = rowenc.AppendRow(append(l.val[:0], lateVersion), l.cols, 0)
	if err := l.table.Put(l.key, l.val); err != nil {
		return err
	}
	l.added.Store(true)
	return l.table.Put(lateKey(nil, lateMeta, l.stage), binary.AppendVarint([]byte{lateVersion}, l.taken))
}

// lateJSON is the row as an object.
func lateJSON(r operator.LateRow) []byte {
	out := []byte{'{'}
	for j, c := range r.Columns {
		if c.Hidden || j >= len(r.Batch.Cols) {
			continue
		}
		if len(out) > 1 {
			out = append(out, ',')
		}
		out = append(types.AppendJSONString(out, c.Name), ':')
		out = types.AppendJSON(out, c.Type, r.Batch.Cols[j].Datum(r.Row), nil)
	}
	return append(out, '}')
}

// deliverLate copies the late rows that are durable here. Between epochs only. A job that still
// takes in its inputs' content keeps them: should it begin anew, they are late again.
func (c *coordinator) deliverLate() error {
	if c.at.Backfilling || !c.late.Swap(false) {
		return nil
	}
	for shard := range c.shards {
		for {
			n, err := c.deliverSome(uint16(shard))
			if err != nil {
				return err
			}
			if n < lateBatch {
				break
			}
		}
	}
	return nil
}

// deliverSome copies the first late rows of a shard, and returns how many.
func (c *coordinator) deliverSome(shard uint16) (int, error) {
	prefix := state.Prefix(c.id, lateTable, shard)
	lo, hi := append(prefix, lateRow), append(state.Prefix(c.id, lateTable, shard), lateRow+1)
	var ts []types.Type
	for _, k := range LateLetterColumns() {
		ts = append(ts, k.Type)
	}
	rows, done := column.NewBuilder(ts, 0), c.m.store.NewBatch()
	for e, err := range c.m.store.Scan(lo, hi) {
		if err == nil && (len(e.Value) == 0 || e.Value[0] != lateVersion) {
			err = column.Corrupt("state of late rows")
		}
		if err == nil {
			err = rowenc.DecodeRow(e.Value[1:], rows)
		}
		if err != nil {
			return 0, err
		}
		rows.Row(column.Insert)
		done.Delete(e.Key)
		if rows.Len() == lateBatch {
			break
		}
	}
	if rows.Len() == 0 {
		return 0, nil
	}
	if err := c.store(c.relation().LateLetters, rows.Batch()); err != nil {
		return 0, err
	}
	return rows.Len(), c.m.store.Commit(done, false)
}
