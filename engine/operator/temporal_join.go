package operator

import (
	"velostream/catalog/types"
	"velostream/engine/dataflow"
	"velostream/engine/sql/plan"
	"velostream/pgwire/pgerror"
	"velostream/storage/column"
	"velostream/storage/state"
)

// temporalJoin gives each row of the left input, which is append-only, the one row of the
// right input with its keys that was the newest at the left row's time: AS OF a.ts, and
// ASOF JOIN of two streams. Inner, or left: NULLs where there was none, or the condition does
// not hold for it.
//
// A left row waits until the watermark has passed its time; then nothing older can come on
// either side, and its output is final. Of each key the versions are kept that a row
// to come may need: the newest one behind the watermark and those after it.
//
// The right input is a stream, whose rows are the versions, or (Changes) the changelog of
// a table: each row inserted is a version from its time on, a key that is deleted loses
// all of them. A table's changes count at the end of their epoch, before its left rows, since
// an update is a delete and an insert.
//
// State and late rows are timedJoin's; a late version is counted, and serves those that still wait.
type temporalJoin struct {
	timedJoin
	spec    plan.Temporal
	left    bool
	cond    *pairCond
	changes *column.Builder // of a table, in this epoch
	slots   []int32         // left rows whose time has come, and their versions, -1: none
	found   []int32
	lists   [2][]int32 // scratch of emit
}

func newTemporalJoin(p *plan.Physical, ctx BuildContext) (dataflow.Operator, error) {
	if len(p.Inputs) != 2 || len(p.Keys) != len(p.RightKeys) || p.Temporal == nil {
		return nil, pgerror.New(pgerror.InternalError, "a temporal join needs two inputs, as many keys of either, and times")
	}
	j := &temporalJoin{spec: *p.Temporal, left: p.Join == plan.LeftJoin}
	if err := j.init(p, ctx, "temporal JOIN"); err != nil {
		return nil, err
	}
	var err error
	if j.cond, err = newPairCond(p); err != nil {
		return nil, err
	}
	l, r := &j.sides[0], &j.sides[1]
	l.time, r.time = j.spec.Left, j.spec.Right
	r.versions, r.ties = true, j.spec.Ties
	if j.spec.Changes {
		j.deferred, j.changes = true, column.NewBuilder(p.Inputs[1].Types(), 0)
	}
	return j, nil
}

// Watermark gives the rows whose time has passed, or leaves that to the barrier.
func (j *temporalJoin) Watermark(w dataflow.Watermark, out dataflow.Output) error {
	if !j.observe(w) {
		return nil
	}
	if err := j.pass(out); err != nil {
		return err
	}
	j.settle()
	return nil
}

// Barrier takes in a table's changes, gives the rows that waited for it, and writes what
// changed.
func (j *temporalJoin) Barrier(e state.Epoch, out dataflow.Output) error {
	if j.changes != nil && j.changes.Len() > 0 {
		if err := j.takeChanges(); err != nil {
			return err
		}
	}
	if err := j.pass(out); err != nil {
		return err
	}
	j.settle()
	return j.flushSides(e)
}

func (j *temporalJoin) Process(port int, in *column.Batch, out dataflow.Output) error {
	if port == 1 && j.changes != nil {
		j.all = growSelect(j.all, in)
		for _, i := range in.Select(j.all) {
			j.changes.AppendRow(in, int(i), in.Op(int(i)))
		}
		return nil
	}
	if hasDeletes(in) {
		return broken(j.label, "a row is deleted from append-only input")
	}
	if err := j.load(); err != nil {
		return err
	}
	own := &j.sides[port]
	j.all = growSelect(j.all, in)
	rows := in.Select(j.all)
	onTime, err := j.onTime(port, in)
	if err != nil {
		return err
	}
	if port == 0 {
		rows = onTime // a late version serves those that still wait
	}
	if err := j.locate(own, in, rows); err != nil {
		return err
	}
	j.out.begin(0, in, j.sides[1].cols)
	for k, i := range rows {
		switch g := j.gids[k]; {
		case g >= 0:
			own.insert(g, in, int(i), false)
		case port == 0 && j.left: // without a key or time there is no match
			j.out.add(column.Insert, i, -1)
			if len(j.out.ops) >= maxBatch {
				if err := j.out.flush(out); err != nil {
					return err
				}
			}
		}
	}
	if err := j.out.flush(out); err != nil {
		return err
	}
	return j.bound()
}

// takeChanges makes the inserts of the epoch versions; one of the same key and time makes
// way. A key of the table that is only deleted loses its versions.
func (j *temporalJoin) takeChanges() error {
	if err := j.load(); err != nil {
		return err
	}
	b, s := j.changes.Batch(), &j.sides[1]
	deletes, inserts := b.Marked(column.Delete), b.Marked(column.Insert)
	if len(deletes) > 0 {
		again := newKeyTable(j.tieTypes())
		cols := make([]*column.Column, len(s.ties))
		for k, c := range s.ties {
			cols[k] = b.Cols[c]
		}
		hashes := column.HashRows(nil, cols, inserts, 0)
		for k, i := range inserts {
			if again.findOne(cols, int(i), hashes[k]) < 0 {
				again.insert(cols, int(i), hashes[k])
			}
		}
		hashes = column.HashRows(hashes, cols, deletes, 0)
		if err := j.locate(s, b, deletes); err != nil {
			return err
		}
		for k, i := range deletes {
			if g := j.gids[k]; g >= 0 && again.findOne(cols, int(i), hashes[k]) < 0 {
				s.drop(g, b, int(i), true)
				j.pending = append(j.pending, g)
			}
		}
	}
	if err := j.locate(s, b, inserts); err != nil {
		return err
	}
	for k, i := range inserts {
		if g := j.gids[k]; g >= 0 {
			s.drop(g, b, int(i), false)
			s.insert(g, b, int(i), false)
		}
	}
	j.changes.Reset()
	return nil
}

func (j *temporalJoin) tieTypes() (ts []types.Type) {
	for _, c := range j.sides[1].ties {
		ts = append(ts, j.sides[1].cols[c].Type)
	}
	return ts
}

// drop forgets the version of g with the ties and time of row of in; all: whatever its time.
func (s *timedSide) drop(g int32, in *column.Batch, row int, all bool) {
	t := in.Cols[s.time]
	for slot := s.first[g]; slot >= 0; slot = s.next[slot] {
		if !all && s.cols[s.time].Ints[slot] != t.Ints[t.At(row)] || !s.tied(slot, in, row) {
			continue
		}
		if p := s.prev[slot]; p >= 0 {
			s.next[p] = s.next[slot]
		} else {
			s.first[g] = s.next[slot]
		}
		if n := s.next[slot]; n >= 0 {
			s.prev[n] = s.prev[slot]
		} else {
			s.last[g] = s.prev[slot]
		}
		s.forget(slot)
	}
	if s.first[g] < 0 {
		s.dueAt[g] = notDue
	} else {
		s.wait(g, s.end(s.first[g]))
	}
}

func (s *timedSide) tied(slot int32, in *column.Batch, row int) bool {
	for _, k := range s.ties {
		if column.CompareAt(s.cols[k], int(slot), in.Cols[k], row) != 0 {
			return false
		}
	}
	return true
}

// pass makes the watermark count: the rows it passed get their versions, and versions that
// nobody needs any more go.
func (j *temporalJoin) pass(out dataflow.Output) error {
	if grew, err := j.advance(); !grew || err != nil {
		return err
	}
	l, r := &j.sides[0], &j.sides[1]
	j.out.begin(0, &column.Batch{Cols: l.cols}, r.cols)
	for {
		g, ok := l.due.pop(j.passed)
		if !ok {
			break
		}
		if err := j.warmOne(g); err != nil {
			return err
		}
		slot, version := l.first[g], int32(-1)
		next := r.first[g]
		for ; slot >= 0 && j.passed(l.end(slot)); slot = l.next[slot] {
			for next >= 0 && j.before(next, slot) {
				version, next = next, r.next[next]
			}
			j.slots, j.found = append(j.slots, slot), append(j.found, version)
			l.forget(slot)
		}
		l.unlinkTo(g, slot)
		j.pending = append(j.pending, g)
		if len(j.slots) >= maxBatch {
			if err := j.emit(out); err != nil {
				return err
			}
		}
	}
	if err := j.emit(out); err != nil {
		return err
	}
	for {
		g, ok := r.due.pop(j.passed)
		if !ok {
			break
		}
		if err := j.warmOne(g); err != nil {
			return err
		}
		slot := r.first[g]
		for slot >= 0 && j.passed(r.end(slot)) && r.next[slot] >= 0 {
			r.forget(slot)
			slot = r.next[slot]
		}
		r.unlinkTo(g, slot)
	}
	return nil
}

// warmOne reads the rows of g if they are only in the tables.
func (j *temporalJoin) warmOne(g int32) error {
	if !j.cold[g] {
		return nil
	}
	return j.warm([]int32{g})
}

// before reports that the version is one of the left row's time, or older.
func (j *temporalJoin) before(version, slot int32) bool {
	v, t := j.sides[1].cols[j.spec.Right].Ints[version], j.sides[0].cols[j.spec.Left].Ints[slot]
	return v < t || v == t && !j.spec.Before
}

// emit gives the left rows that were found versions for.
func (j *temporalJoin) emit(out dataflow.Output) error {
	if err := j.checkFound(); err != nil {
		return err
	}
	for k, slot := range j.slots {
		if j.found[k] < 0 && !j.left {
			continue
		}
		j.out.add(column.Insert, slot, j.found[k])
		if len(j.out.ops) >= maxBatch {
			if err := j.out.flush(out); err != nil {
				return err
			}
		}
	}
	j.slots, j.found = j.slots[:0], j.found[:0]
	return j.out.flush(out)
}

// checkFound takes away the versions for which the condition does not hold.
func (j *temporalJoin) checkFound() error {
	if j.cond == nil {
		return nil
	}
	l, r, at := j.lists[0][:0], j.lists[1][:0], make([]int, 0, len(j.slots))
	for k, v := range j.found {
		if v >= 0 {
			l, r, at = append(l, j.slots[k]), append(r, v), append(at, k)
		}
	}
	j.lists = [2][]int32{l, r}
	sel, err := j.cond.eval(j.ctx.Env, 0, j.sides[0].cols, l, j.sides[1].cols, r)
	if err != nil {
		return err
	}
	for i, k := range at {
		if len(sel) > 0 && int(sel[0]) == i {
			sel = sel[1:]
			continue
		}
		j.found[k] = -1
	}
	return nil
}
