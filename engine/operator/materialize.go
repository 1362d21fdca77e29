package operator

import (
	"bytes"
	"slices"

	"velostream/catalog/types"
	"velostream/engine/dataflow"
	"velostream/engine/sql/plan"
	"velostream/pgwire/pgerror"
	"velostream/storage/column"
	"velostream/storage/rowenc"
	"velostream/storage/state"
)

// Materialize keeps the result of a query, keyed by its stream key, and is where changes
// become visible: what an epoch changed is netted per key, old row and new row, and handed
// on at Barrier as batches in which each key has at most one Delete, with the full
// old row, followed by at most one Insert; nothing where the two are the same.
//
// A Delete must cancel the row that is there, and a key has one row at a time. What breaks
// this is a defect of an operator below; as far as it shows in the changes held in
// memory it ends the job with XX000, naming the relation, and never passes.
//
// Table 0 is what SELECT reads: rowenc.AppendKey of the key columns → rowenc.AppendRow of
// all columns (without a version byte: the relation's own rows, whose encoding the catalog's
// version covers). It is written at flushes, sorted.
type Materialize struct {
	label   string
	key     []int
	appends bool
	table   state.Table
	budget  budget
	types   []types.Type

	rows  *column.Builder // rows of this epoch that may matter
	keys  *keyTable
	old   []int32 // by key of the epoch: row that was there before, -1
	fresh []int32 // by key of the epoch: row that is there now, -1
	more  map[int32][]int32

	out     emitter
	pending rowTable // rows by key, as changed since the last flush
	log     []span   // append-only: rows since the last flush
	arena   []byte
	bytes   int64

	all, gids []int32
	hashes    []uint64
	keyCols   []*column.Column
	nets      []netRow
	scratch   []byte   // keys of nets
	hashes32  []uint32 // of them
	row       []byte
}

// netRow is a net change of a key: the row that was there and the one that is, -1: none.
type netRow struct {
	old, fresh int32
	keyEnd     int // of its key in scratch
}

// span is a key and a value in an arena.
type span struct{ key, value, end int }

// NewMaterialize makes the operator that keeps the rows of p (p.Out, p.Key, p.AppendOnly)
// as the relation name in t; nil: it only nets changes.
func NewMaterialize(p *plan.Physical, name string, t state.Table) (*Materialize, error) {
	m := &Materialize{
		label: "materialised " + name, key: p.Key, appends: p.AppendOnly, table: t, budget: budget{bytes: defaultBudget},
		types: p.Types(), rows: column.NewBuilder(p.Types(), 0),
		out: emitter{column.NewBuilder(p.Types(), 0)},
	}
	var ts []types.Type
	for _, j := range p.Key {
		if j < 0 || j >= len(m.types) {
			return nil, pgerror.New(pgerror.InternalError, "the stream key of %s is no column", m.label)
		}
		ts = append(ts, m.types[j])
	}
	m.keys = newKeyTable(ts)
	m.keyCols = make([]*column.Column, len(ts))
	return m, nil
}

// Process takes in changes; nothing leaves before Barrier.
func (m *Materialize) Process(_ int, in *column.Batch, _ dataflow.Output) error {
	rows := in.Sel
	if rows == nil {
		for i := len(m.all); i < in.N; i++ {
			m.all = append(m.all, int32(i))
		}
		rows = m.all[:in.N]
	}
	if m.appends {
		if hasDeletes(in) {
			return broken(m.label, "a row is deleted from append-only input")
		}
		m.rows.AppendRows(in, rows, column.Insert)
		return nil
	}
	for k, j := range m.key {
		m.keyCols[k] = in.Cols[j]
	}
	m.hashes = column.HashRows(m.hashes, m.keyCols, rows, 0)
	m.gids = resize(m.gids, len(rows))[:len(rows)]
	m.keys.find(m.keyCols, rows, m.hashes, m.gids)
	for k, i := range rows {
		g := m.gids[k]
		if g < 0 {
			if g = m.keys.findOne(m.keyCols, int(i), m.hashes[k]); g < 0 {
				g = m.keys.insert(m.keyCols, int(i), m.hashes[k])
				m.old, m.fresh = append(m.old, -1), append(m.fresh, -1)
			}
		}
		if err := m.change(g, in, int(i)); err != nil {
			return err
		}
	}
	return nil
}

func (m *Materialize) change(g int32, in *column.Batch, i int) error {
	if in.Op(i) == column.Insert {
		at := int32(m.rows.Len())
		m.rows.AppendRow(in, i, column.Insert)
		if m.fresh[g] < 0 {
			m.fresh[g] = at
			return nil
		}
		if m.more == nil {
			m.more = make(map[int32][]int32)
		}
		m.more[g] = append(m.more[g], at)
		return nil
	}
	more := m.more[g]
	if f := m.fresh[g]; f >= 0 && m.identical(f, in, i) {
		m.fresh[g] = -1
		if n := len(more); n > 0 {
			m.fresh[g], m.more[g] = more[n-1], more[:n-1]
		}
		return nil
	}
	for k, f := range more {
		if m.identical(f, in, i) {
			m.more[g] = slices.Delete(more, k, k+1)
			return nil
		}
	}
	if m.old[g] >= 0 {
		return broken(m.label, "a row is deleted that is not there")
	}
	m.old[g] = int32(m.rows.Len())
	m.rows.AppendRow(in, i, column.Insert)
	return nil
}

func (m *Materialize) identical(at int32, in *column.Batch, i int) bool {
	for j := range m.types {
		if !column.IdenticalAt(m.rows.Col(j), int(at), in.Cols[j], i) {
			return false
		}
	}
	return true
}

// Watermark does nothing.
func (m *Materialize) Watermark(dataflow.Watermark, dataflow.Output) error { return nil }

// Barrier emits the net changes of the epoch and, when it flushes, writes the table.
func (m *Materialize) Barrier(e state.Epoch, out dataflow.Output) error {
	err := m.emit(out)
	m.rows.Reset()
	m.keys.reset()
	m.old, m.fresh, m.more = m.old[:0], m.fresh[:0], nil
	if err != nil {
		return err
	}
	if m.table != nil && (e.Flush || m.bytes > m.budget.now()/2) {
		return m.flush()
	}
	return nil
}

func (m *Materialize) emit(out dataflow.Output) error {
	if m.appends {
		return m.emitAppended(out)
	}
	rows := m.rows.Batch()
	m.nets = m.nets[:0]
	for g := range m.old {
		o, f := m.old[g], m.fresh[g]
		if len(m.more[int32(g)]) > 0 {
			return broken(m.label, "two rows have one key")
		}
		if o >= 0 && f >= 0 && m.identical(o, rows, int(f)) || o < 0 && f < 0 {
			continue
		}
		m.nets = append(m.nets, netRow{old: o, fresh: f})
	}
	for part := range slices.Chunk(m.nets, maxBatch) {
		if err := m.remember(part); err != nil {
			return err
		}
		for _, x := range part {
			if x.old >= 0 {
				m.out.b.AppendRow(rows, int(x.old), column.Delete)
			}
			if x.fresh >= 0 {
				m.out.b.AppendRow(rows, int(x.fresh), column.Insert)
			}
			if err := m.out.full(out); err != nil {
				return err
			}
		}
	}
	return m.out.flush(out)
}

// remember keeps net changes for the table and checks them against those before them.
func (m *Materialize) remember(nets []netRow) error {
	if m.table == nil {
		return nil
	}
	cols := m.rows.Batch().Cols
	m.scratch, m.hashes32 = m.scratch[:0], m.hashes32[:0]
	for k := range nets {
		x := &nets[k]
		at := len(m.scratch)
		m.scratch = rowenc.AppendKey(m.scratch, cols, m.key, int(max(x.old, x.fresh)))
		x.keyEnd = len(m.scratch)
		m.hashes32 = append(m.hashes32, rowHash(m.scratch[at:]))
	}
	m.pending.touch(m.hashes32)
	from := 0
	for k, x := range nets {
		key, hash := m.scratch[from:x.keyEnd], m.hashes32[k]
		from = x.keyEnd
		was := m.pending.find(key, hash)
		switch {
		case was != nil && was.absent && x.old >= 0:
			return broken(m.label, "a row is deleted that is not there")
		case was != nil && !was.absent && x.old < 0:
			return broken(m.label, "two rows have one key")
		}
		m.row = m.row[:0]
		if x.fresh >= 0 {
			m.row = rowenc.AppendRow(m.row, cols, int(x.fresh))
		}
		m.pending.set(was, hash, key, m.row, x.fresh < 0)
	}
	m.bytes = m.pending.bytes()
	return nil
}

// emitAppended passes on the rows of an append-only result: there is nothing to net.
func (m *Materialize) emitAppended(out dataflow.Output) error {
	rows := m.rows.Batch()
	if m.table != nil {
		for i := range rows.N {
			s := span{key: len(m.arena)}
			m.arena = rowenc.AppendKey(m.arena, rows.Cols, m.key, i)
			s.value = len(m.arena)
			m.arena = rowenc.AppendRow(m.arena, rows.Cols, i)
			s.end = len(m.arena)
			m.log = append(m.log, s)
		}
		m.bytes = int64(len(m.arena)) + 24*int64(len(m.log))
	}
	if rows.N == 0 {
		return nil
	}
	if rows.N <= maxBatch {
		return out.Emit(rows)
	}
	for at := 0; at < rows.N; at += maxBatch {
		part := column.Batch{N: rows.N, Cols: rows.Cols, Sel: make([]int32, 0, maxBatch)}
		for i := at; i < min(rows.N, at+maxBatch); i++ {
			part.Sel = append(part.Sel, int32(i))
		}
		if err := out.Emit(&part); err != nil {
			return err
		}
	}
	return nil
}

// flush writes the changes since the last flush in key order.
func (m *Materialize) flush() error {
	buf := m.arena
	slices.SortFunc(m.log, func(x, y span) int { return bytes.Compare(buf[x.key:x.value], buf[y.key:y.value]) })
	for k, s := range m.log {
		if k > 0 && bytes.Equal(buf[s.key:s.value], buf[m.log[k-1].key:m.log[k-1].value]) {
			return broken(m.label, "two rows have one key")
		}
		if err := m.table.Put(buf[s.key:s.value], buf[s.value:s.end]); err != nil {
			return err
		}
	}
	// In any order: the table sorts what it was given once.
	for i := range m.pending.entries {
		e := &m.pending.entries[i]
		var err error
		if e.absent {
			err = m.table.Delete(m.pending.keyOf(e))
		} else {
			err = m.table.Put(m.pending.keyOf(e), m.pending.rowOf(e))
		}
		if err != nil {
			return err
		}
	}
	m.pending.reset()
	m.log, m.arena, m.bytes = m.log[:0], m.arena[:0], 0
	return nil
}
