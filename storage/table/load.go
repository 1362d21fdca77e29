package table

import (
	"bytes"
	"encoding/binary"
	"errors"
	"slices"

	"velostream/storage/column"
	"velostream/storage/rowenc"
	"velostream/storage/state"
)

// Loader adds many rows within one statement, in bounded memory. What the rows
// write is collected, sorted and put aside in runs (state.Run), which become
// the transaction's when Finish succeeds and enter the store as they are at COMMIT:
//
//	Add ─> rows and index entries as bytes ─┬─ full: sorted, checked, a file ─┐
//	                                        └─ the next is filled meanwhile   ├─> Finish: overlapping
//	                                                                          │   runs are merged
//	writes of the transaction:   store < runs < map of single changes  <──────┘
//
// No row of a run is locked. That a key is free is checked against the store as
// it was when the load began, and once more at COMMIT where the relation has
// changed since. A load that turns out to be small goes through Insert.
// For one goroutine.
type Loader struct {
	tx   *Tx
	rel  *Relation
	base uint64 // commit up to which snap has everything
	snap state.Snapshot
	rows int

	held     *column.Batch // the first batch, until a second shows that there are many
	heldTags []uint64
	loading  bool

	parts   []*loadPart // the rows, then each index
	sealing chan error  // of the buffers being written, nil: none are
	single  int         // rows that went through Insert
	parents map[string]struct{}
	err     error
	tag     uint64
}

// limits bound what loads hold in memory.
type limits struct {
	// buffer is when a loader's buffers are full: it holds twice that, one
	// set being filled and one being written.
	buffer int
	// small is up to how many bytes of loads that filled no buffer a transaction keeps
	// in memory.
	small int
	// log is up to how many bytes of changes the log entry of a commit with runs
	// is kept in memory; a larger one is only in the store.
	log int
	// runs is how many overlapping runs a loader keeps before it merges them.
	runs int
}

func defaultLimits() limits { return limits{buffer: 16 << 20, small: 8 << 20, log: 16 << 20, runs: 64} }

// parentsMax bounds the foreign keys that a loader remembers as checked.
const parentsMax = 1 << 18

// loadPart is what a load writes to one relation, or index.
type loadPart struct {
	of    *Relation // its writes are kept under
	x     *Index    // nil: the rows themselves
	check bool      // keys may be there already
	buf   loadBuf
	spare loadBuf
	runs  []loadRun
	last  []byte // the greatest key of runs
}

// loadRun is a run. tagged: each value has the row's tag, 8 bytes, before it,
// because the keys lie between those of runs before.
type loadRun struct {
	*state.Run
	tagged bool
}

// Load begins a load into a relation. Close must be called.
func (tx *Tx) Load(relation uint32) (*Loader, error) {
	rel, _, err := tx.claim(relation, nil)
	if err != nil {
		return nil, err
	}
	return &Loader{tx: tx, rel: rel}, nil
}

// Add adds the selected rows of b, as Insert does; they are copied. tags, of
// each physical row, are the caller's names for them, see Tag; nil: none.
// REQUIRES: with tags b has no selection.
func (l *Loader) Add(b *column.Batch, tags []uint64) error {
	b, err := l.rel.narrow(b)
	if err != nil {
		return err
	}
	if !l.loading {
		if l.held == nil {
			l.held, l.heldTags = b.Clone(), slices.Clone(tags)
			return nil
		}
		l.begin()
		if err := l.add(l.held, l.heldTags); err != nil {
			return err
		}
		l.held, l.heldTags = nil, nil
	}
	return l.add(b, tags)
}

// Tag is the tag of the row that the last error was about, 0: not known.
func (l *Loader) Tag() uint64 { return l.tag }

func (l *Loader) begin() {
	l.loading = true
	v := l.tx.db.present()
	l.base, l.snap = v.seq, &held{rowsAt: v.rows, v: v}
	rows := &loadPart{of: l.rel, check: l.rel.RowID < 0}
	l.parts = append(l.parts, rows)
	for _, x := range l.rel.Indexes {
		l.parts = append(l.parts, &loadPart{of: x.entries, x: x, check: x.Unique})
	}
	for _, p := range l.parts {
		p.buf.reset()
		p.spare.reset()
	}
}

func (l *Loader) add(b *column.Batch, tags []uint64) error {
	cols := l.tx.number(l.rel, b)
	full := &column.Batch{Cols: cols, N: b.N, Sel: b.Sel}
	if i, err := l.rel.check(full); err != nil {
		l.tag = tagOf(tags, i)
		return err
	}
	indexed, err := l.rel.derived(full)
	if err != nil {
		return err
	}
	width := binary.AppendUvarint(nil, uint64(len(l.rel.Types)))
	rows := &l.parts[0].buf
	size := 0
	for i := range b.Each {
		off := len(rows.arena)
		rows.arena = key(rows.arena, l.rel, cols, i)
		klen := len(rows.arena) - off
		if l.written(rows.arena[off:], indexed.Cols, i) {
			rows.arena = rows.arena[:off]
			if err := l.insert(b, i, tags); err != nil {
				return err
			}
			continue
		}
		rows.arena = rowenc.AppendRow(append(rows.arena, width...), cols, i)
		rows.end(off, klen, tagOf(tags, i))
		for _, p := range l.parts[1:] {
			if p.x.has(indexed.Cols, i) {
				p.buf.entry(p.x, indexed.Cols, i, rows.arena[off:off+klen], tagOf(tags, i))
			}
		}
		l.rows++
	}
	if len(l.rel.Foreign) > 0 {
		if err := l.refer(full, tags); err != nil {
			return err
		}
	}
	for _, p := range l.parts {
		size += len(p.buf.arena) + len(p.buf.refs)*32
	}
	if size >= l.tx.db.limits.buffer {
		return l.seal()
	}
	return nil
}

func tagOf(tags []uint64, i int) uint64 {
	if i < 0 || i >= len(tags) {
		return 0
	}
	return tags[i]
}

// written reports that the transaction's single changes have the row's key, or
// one of its index entries': those lie over runs, so the row must be one of them.
func (l *Loader) written(rowKey []byte, cols []*column.Column, i int) bool {
	for _, p := range l.parts {
		w := l.tx.writes[p.of.Storage]
		if w == nil || len(w.rows) == 0 {
			continue
		}
		k := rowKey
		if p.x != nil {
			if !p.x.has(cols, i) {
				continue
			}
			s, _ := p.x.entry(cols, i, string(rowKey))
			k = []byte(s)
		}
		if _, ok := w.rows[string(k)]; ok {
			return true
		}
	}
	return false
}

// insert adds one row as a single change.
func (l *Loader) insert(b *column.Batch, i int, tags []uint64) error {
	one := &column.Batch{Cols: b.Cols, N: b.N, Sel: []int32{int32(i)}}
	if _, err := l.tx.InsertAll(l.rel.ID, one); err != nil {
		l.tag = tagOf(tags, i)
		return err
	}
	l.rows++
	l.single++
	return nil
}

// refer checks the foreign keys of b's rows that refer to other relations, whose
// rows this statement does not change; those that refer to its own wait for
// EndStatement.
func (l *Loader) refer(b *column.Batch, tags []uint64) error {
	if err := l.tx.Refresh(); err != nil {
		return err
	}
	if len(l.parents) > parentsMax {
		l.parents = nil
	}
	if l.parents == nil {
		l.parents = map[string]struct{}{}
	}
	var k []byte
	for n, fk := range l.rel.Foreign {
		for i := range b.Each {
			k = rowenc.AppendKey(binary.AppendUvarint(k[:0], uint64(n)), b.Cols, fk.Columns, i)
			if _, ok := l.parents[string(k)]; ok {
				continue
			}
			c := keyCheck{fk: fk, rel: l.rel, arrived: true, old: valuesAt(b.Cols, fk.Columns, i)}
			if fk.Parent == l.rel.ID || l.tx.waits(c) {
				l.tx.checks = append(l.tx.checks, c)
			} else if err := l.tx.checkArrived(c); err != nil {
				l.tag = tagOf(tags, i)
				return err
			}
			l.parents[string(k)] = struct{}{}
		}
	}
	return nil
}

// seal starts to write the buffers as runs, once those before are written.
func (l *Loader) seal() error {
	if err := l.sealed(); err != nil {
		return err
	}
	for _, p := range l.parts {
		p.buf, p.spare = p.spare, p.buf
		p.buf.reset()
	}
	done := make(chan error, 1)
	l.sealing = done
	go func() { done <- l.write() }() // sealed waits for it
	return nil
}

// sealed waits until no buffers are being written.
func (l *Loader) sealed() error {
	if l.sealing != nil {
		if err := <-l.sealing; l.err == nil {
			l.err = err
		}
		l.sealing = nil
	}
	return l.err
}

// write makes runs of the spare buffers.
func (l *Loader) write() error {
	for _, p := range l.parts {
		if len(p.spare.refs) == 0 {
			continue
		}
		if err := l.order(p); err != nil {
			return err
		}
		if err := l.writePart(p); err != nil {
			return err
		}
	}
	return nil
}

// order sorts the spare buffer of p, and refuses keys that are there already.
func (l *Loader) order(p *loadPart) error {
	b := &p.spare
	if i := b.sort(); i >= 0 {
		return l.duplicate(p, b.value(b.refs[i]), b.refs[i].tag)
	}
	if !p.check {
		return nil
	}
	keys := func(i int) []byte { return b.key(b.refs[i]) }
	at, err := firstOf(l.snap, keys, len(b.refs))
	if err == nil && at < 0 {
		at, err = l.tx.loaded(p.of.Storage, keys, len(b.refs))
	}
	if err != nil || at < 0 {
		return err
	}
	return l.duplicate(p, b.value(b.refs[at]), b.refs[at].tag)
}

// writePart writes the spare buffer of p, which is in order, as a run.
func (l *Loader) writePart(p *loadPart) error {
	b := &p.spare
	n := len(b.refs)
	tagged := p.last != nil && bytes.Compare(b.key(b.refs[0]), p.last) <= 0
	run, err := b.write(l.tx.db.store.NewRun(), tagged)
	if err != nil {
		return err
	}
	p.runs = append(p.runs, loadRun{run, tagged})
	if k := b.key(b.refs[n-1]); bytes.Compare(k, p.last) > 0 {
		p.last = bytes.Clone(k)
	}
	if len(p.runs) >= l.tx.db.limits.runs && tagged {
		return l.merge(p)
	}
	return nil
}

// merge makes one run of p's. A key that two of them have is refused.
func (l *Loader) merge(p *loadPart) error {
	runs := make([]*state.Run, len(p.runs))
	for i, r := range p.runs {
		runs[i] = r.Run
	}
	w := l.tx.db.store.NewRun()
	fail := func(err error) error { w.Abort(); return err }
	var last []byte
	var lastTag uint64
	for e, err := range state.MergeRuns(runs, nil, nil) {
		if err != nil {
			return fail(err)
		}
		v, tag := e.Value, uint64(0)
		if p.runs[e.Run].tagged {
			v, tag = v[8:], binary.BigEndian.Uint64(v)
		}
		if last != nil && bytes.Equal(last, e.Key) {
			return fail(l.duplicate(p, v, max(tag, lastTag)))
		}
		last, lastTag = append(last[:0], e.Key...), tag
		if err := w.Add(e.Key, v); err != nil {
			return fail(err)
		}
	}
	run, err := w.Finish()
	if err != nil {
		return err
	}
	for _, r := range runs {
		_ = r.Close() // what they held is in the new one
	}
	p.runs = append(p.runs[:0], loadRun{run, false})
	return nil
}

// Finish makes the rows the transaction's, and returns how many there are. On
// an error, as on one of Add, the statement must be rolled back.
func (l *Loader) Finish() (int, error) {
	if !l.loading {
		return l.insertHeld()
	}
	small := l.sealing == nil
	size := 0
	for _, p := range l.parts {
		small = small && len(p.runs) == 0
		size += len(p.buf.arena)
	}
	finish := l.finishRuns
	if small && l.tx.loadedBytes+size <= l.tx.db.limits.small {
		finish = l.finishMemory
	}
	if err := finish(); err != nil {
		return 0, err
	}
	if err := l.apart(); err != nil {
		return 0, err
	}
	for _, p := range l.parts {
		for _, r := range p.runs {
			l.tx.attach(p, r.Run, l.rel, l.base)
		}
		p.runs = nil
	}
	if small {
		l.tx.loadedBytes += size
	}
	return l.rows, nil
}

// insertHeld adds what turned out to be a single batch.
func (l *Loader) insertHeld() (int, error) {
	if l.held == nil {
		return 0, nil
	}
	if i, err := l.rel.check(l.held); err != nil {
		l.tag = tagOf(l.heldTags, i)
		return 0, err
	}
	n, err := l.tx.InsertAll(l.rel.ID, l.held)
	if err != nil {
		l.tag = tagOf(l.heldTags, n)
	}
	return n, err
}

// finishRuns writes what is left, and makes runs that do not overlap.
func (l *Loader) finishRuns() error {
	if err := l.seal(); err != nil {
		return err
	}
	if err := l.sealed(); err != nil {
		return err
	}
	for _, p := range l.parts {
		if slices.ContainsFunc(p.runs, func(r loadRun) bool { return r.tagged }) {
			if err := l.merge(p); err != nil {
				return err
			}
		}
	}
	return nil
}

// finishMemory makes runs in memory of the only buffers there were.
func (l *Loader) finishMemory() error {
	for _, p := range l.parts {
		p.buf, p.spare = p.spare, p.buf
	}
	for _, p := range l.parts {
		if len(p.spare.refs) == 0 {
			continue
		}
		if err := l.order(p); err != nil {
			return err
		}
		p.runs = append(p.runs, loadRun{p.spare.memory(), false})
	}
	return nil
}

// apart refuses keys that a run and a single change both have: the single
// change came later than Add looked.
func (l *Loader) apart() error {
	if l.single == 0 {
		return nil
	}
	for _, p := range l.parts {
		w := l.tx.writes[p.of.Storage]
		if w == nil || !p.check {
			continue
		}
		for k, c := range w.rows {
			if c.new == nil {
				continue
			}
			for _, r := range p.runs {
				v, err := r.Get([]byte(k))
				if err != nil {
					return err
				}
				if v != nil {
					return l.duplicate(p, v, 0)
				}
			}
		}
	}
	return nil
}

// duplicate is the error about an entry of p whose key another has. The row is
// in the buffers being written, or in a run.
func (l *Loader) duplicate(p *loadPart, value []byte, tag uint64) error {
	l.tag = tag
	row := value
	if p.x != nil {
		row = l.find(value)
	}
	return duplicateRow(l.rel, p.x, row)
}

// find returns the stored row with the key, nil: it is not of this load.
func (l *Loader) find(key []byte) []byte {
	rows := l.parts[0]
	for _, r := range rows.spare.refs {
		if bytes.Equal(rows.spare.key(r), key) {
			return rows.spare.value(r)
		}
	}
	for _, r := range rows.runs {
		if v, err := r.Get(key); err == nil && v != nil {
			if r.tagged {
				v = v[8:]
			}
			return v
		}
	}
	return nil
}

// Close frees what Finish did not make the transaction's.
func (l *Loader) Close() error {
	_ = l.sealed() // its error was returned, or nobody wants it
	var errs []error
	for _, p := range l.parts {
		for _, r := range p.runs {
			errs = append(errs, r.Close())
		}
		p.runs = nil
	}
	l.parts = nil
	if l.snap != nil {
		errs = append(errs, l.snap.Close())
		l.snap = nil
	}
	return errors.Join(errs...)
}
