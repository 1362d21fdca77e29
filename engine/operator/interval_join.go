package operator

import (
	"math"

	"velostream/engine/dataflow"
	"velostream/engine/sql/plan"
	"velostream/pgwire/pgerror"
	"velostream/storage/column"
	"velostream/storage/state"
)

// intervalJoin joins two append-only inputs with event times: rows match when their keys
// are equal (NULL equals nothing), the right time less the left one lies within
// Physical.Within, and the condition holds. Inner, left, right, full, semi and anti.
//
// The result is append-only. Pairs leave at once; a row of an outer side that found no match
// leaves, NULLs beside it, when the watermark has passed the last time that could match
// it, and with that it is forgotten, as are matched ones. So what is kept is bounded by the
// interval and by how far rows are out of order.
//
// A row behind the watermark (less the lateness of windows and interval joins below) is late:
// what it could have matched may be forgotten. It is dropped and counted. When the inputs
// have ended, or where operators below hold rows back, the watermark counts at the barrier.
//
// Rows are in interval_store.go. Table 0: left rows, table 1: right rows.
type intervalJoin struct {
	p       *plan.Physical
	ctx     BuildContext
	label   string
	kind    plan.JoinKind
	bounds  plan.TimeBounds
	cond    *pairCond
	keys    *keyTable
	sides   [2]intervalSide
	ref     []bool // by key: used since the clock's hand passed
	live    []bool // by key: there is such a key
	cold    []bool // by key: its rows are only in the tables
	hand    int
	loaded  bool // memory knows what the tables hold
	late    int64
	pending []int32 // keys that may have lost their last row

	deferred bool
	lateness int64
	next     int64 // the watermark, less the lateness
	mark     int64 // the part of it that counts
	ended    bool

	all, timely, gids []int32
	hashes            []uint64
	keyCols           []*column.Column
	pairs             pairList
	out               joinOut
}

func newIntervalJoin(p *plan.Physical, ctx BuildContext) (dataflow.Operator, error) {
	if len(p.Inputs) != 2 || len(p.Keys) != len(p.RightKeys) || p.Within == nil {
		return nil, pgerror.New(pgerror.InternalError, "an interval join needs two inputs, as many keys of either, and bounds")
	}
	j := &intervalJoin{
		p: p, ctx: ctx, label: ctx.label("interval JOIN"), kind: p.Join, bounds: *p.Within, loaded: true,
		next: math.MinInt64, mark: math.MinInt64,
	}
	if j.kind == plan.CrossJoin {
		j.kind = plan.InnerJoin
	}
	var err error
	if j.cond, err = newPairCond(p); err != nil {
		return nil, err
	}
	for _, in := range p.Inputs {
		d, l := plan.Timing(in)
		j.deferred, j.lateness = j.deferred || d, max(j.lateness, l)
	}
	for side, keys := range [2][]int{p.Keys, p.RightKeys} {
		s := &j.sides[side]
		s.init(p.Inputs[side], keys, ctx.table(p, side))
		j.loaded = j.loaded && (s.table == nil || s.table.Fresh())
	}
	l, r := &j.sides[0], &j.sides[1]
	l.time, r.time = j.bounds.Left, j.bounds.Right
	l.reach, r.reach = j.bounds.Hi, -j.bounds.Lo
	if j.bounds.Lo == math.MinInt64 {
		r.reach = math.MaxInt64
	}
	l.outer = j.kind == plan.LeftJoin || j.kind == plan.FullJoin || j.kind == plan.AntiJoin
	r.outer = j.kind == plan.RightJoin || j.kind == plan.FullJoin
	l.marks, r.marks = l.outer || j.kind == plan.SemiJoin, r.outer
	ts, err := joinKeyTypes(p)
	if err != nil {
		return nil, err
	}
	j.keys = newKeyTable(ts)
	j.keyCols = make([]*column.Column, len(ts))
	j.out.init(p)
	return j, nil
}

// LateRows implements dataflow.LateRows.
func (j *intervalJoin) LateRows() int64 { return j.late }

// addTime is t + d; infinities stay, and d may be without end.
func addTime(t, d int64) int64 {
	switch {
	case t == math.MaxInt64 || t == math.MinInt64:
		return t
	case d > 0 && t > math.MaxInt64-d:
		return math.MaxInt64
	case d < 0 && t < math.MinInt64-d:
		return math.MinInt64
	}
	return t + d
}

// Watermark lets rows go whose time has passed, or leaves that to the barrier.
func (j *intervalJoin) Watermark(w dataflow.Watermark, out dataflow.Output) error {
	if w == dataflow.EndOfTime {
		j.ended = true // what is below may hold its last rows back until the barrier
		return nil
	}
	if int64(w) > math.MinInt64+j.lateness {
		j.next = max(j.next, int64(w)-j.lateness)
	}
	if j.deferred {
		return nil
	}
	return j.pass(out)
}

// Barrier lets rows go that waited for it, and writes what changed.
func (j *intervalJoin) Barrier(e state.Epoch, out dataflow.Output) error {
	if j.ended {
		j.next = math.MaxInt64
	}
	if err := j.pass(out); err != nil {
		return err
	}
	if e.Flush {
		for side := range j.sides {
			if err := j.sides[side].flush(); err != nil {
				return err
			}
		}
	}
	return j.bound()
}

// pass makes the watermark count.
func (j *intervalJoin) pass(out dataflow.Output) error {
	if j.next <= j.mark {
		return nil
	}
	j.mark = j.next
	if err := j.load(); err != nil {
		return err
	}
	for side := range j.sides {
		if err := j.expire(side, out); err != nil {
			return err
		}
	}
	j.dropEmpty()
	j.sides[0].compact()
	j.sides[1].compact()
	return nil
}

// expire forgets the rows of a side that nothing to come can match.
func (j *intervalJoin) expire(side int, out dataflow.Output) error {
	s, other := &j.sides[side], &j.sides[1-side]
	j.out.begin(1-side, &column.Batch{Cols: other.cols}, s.cols)
	for {
		g, ok := s.due.pop(j.passed)
		if !ok {
			return j.out.flush(out)
		}
		if j.cold[g] {
			if err := j.warm([]int32{g}); err != nil {
				return err
			}
		}
		slot := s.first[g]
		for slot >= 0 && j.passed(s.end(slot)) {
			next := s.next[slot]
			if s.outer && s.flags[slot]&rowMatched == 0 {
				j.out.add(column.Insert, -1, slot)
				if len(j.out.ops) >= maxBatch {
					if err := j.out.flush(out); err != nil {
						return err
					}
				}
			}
			s.forget(slot)
			slot = next
		}
		s.unlinkTo(g, slot)
		if slot < 0 {
			j.pending = append(j.pending, g)
		}
	}
}

// passed reports that no row to come has a time at or before end.
func (j *intervalJoin) passed(end int64) bool { return end < j.mark || j.mark == math.MaxInt64 }

func (j *intervalJoin) Process(port int, in *column.Batch, out dataflow.Output) error {
	if hasDeletes(in) {
		return broken(j.label, "a row is deleted from append-only input")
	}
	if err := j.load(); err != nil {
		return err
	}
	own, other := &j.sides[port], &j.sides[1-port]
	rows := j.onTime(own, in)
	if err := j.locate(own, in, rows); err != nil {
		return err
	}
	j.out.begin(port, in, other.cols)
	for from := 0; from < len(rows); {
		to, err := j.match(port, in, rows, from)
		if err != nil {
			return err
		}
		for k := from; k < to; k++ {
			if err := j.apply(port, in, rows[k], j.gids[k], j.pairs.of(k-from), out); err != nil {
				return err
			}
		}
		from = to
	}
	if err := j.out.flush(out); err != nil {
		return err
	}
	j.dropEmpty()
	return j.bound()
}

// onTime lists the rows that are not late.
func (j *intervalJoin) onTime(own *intervalSide, in *column.Batch) []int32 {
	j.all = growSelect(j.all, in)
	rows := in.Select(j.all)
	c := in.Cols[own.time]
	if j.mark == math.MinInt64 {
		return rows
	}
	j.timely = j.timely[:0]
	for _, i := range rows {
		if !c.Null(int(i)) && c.Ints[c.At(int(i))] < j.mark {
			j.late++
			continue
		}
		j.timely = append(j.timely, i)
	}
	return j.timely
}

func growSelect(all []int32, in *column.Batch) []int32 {
	for i := len(all); i < in.N; i++ {
		all = append(all, int32(i))
	}
	return all
}

// locate sets gids to the keys of rows, -1 where no row can match: one of its key's
// columns, or its time, is NULL.
func (j *intervalJoin) locate(own *intervalSide, in *column.Batch, rows []int32) error {
	for k, c := range own.keys {
		j.keyCols[k] = in.Cols[c]
	}
	j.gids = resize(j.gids, len(rows))[:len(rows)]
	j.hashes = column.HashRows(j.hashes, j.keyCols, rows, 0)
	j.keys.find(j.keyCols, rows, j.hashes, j.gids)
	time := in.Cols[own.time]
	var wanted []int32
	for k, g := range j.gids {
		row := int(rows[k])
		if time.Null(row) {
			j.gids[k] = -1
			continue
		}
		if g < 0 {
			if anyNull(j.keyCols[j.p.NullSafe:], row) {
				continue
			}
			if g = j.keys.findOne(j.keyCols, row, j.hashes[k]); g < 0 {
				g = j.newKey(j.keyCols, row, j.hashes[k])
			}
			j.gids[k] = g
		}
		if j.ref[g] = true; j.cold[g] {
			j.cold[g] = false
			wanted = append(wanted, g)
		}
	}
	if len(wanted) == 0 {
		return nil
	}
	return j.warm(wanted)
}

func (j *intervalJoin) newKey(cols []*column.Column, row int, hash uint64) int32 {
	g := j.keys.insert(cols, row, hash)
	j.sides[0].growKeys(j.keys.n)
	j.sides[1].growKeys(j.keys.n)
	j.ref, j.live, j.cold = resize(j.ref, j.keys.n), resize(j.live, j.keys.n), resize(j.cold, j.keys.n)
	j.live[g], j.cold[g] = true, false
	return g
}

// match lists the pairs of the input rows from on, until there are enough for a batch, and
// returns where it stopped.
func (j *intervalJoin) match(port int, in *column.Batch, rows []int32, from int) (to int, err error) {
	other, p := &j.sides[1-port], &j.pairs
	lo, hi := j.bounds.Lo, j.bounds.Hi
	if port == 1 {
		lo, hi = negative(hi), negative(lo)
	}
	mine, theirs := in.Cols[j.sides[port].time], other.cols[other.time]
	p.reset()
	for to = from; to < len(rows) && len(p.row) < maxBatch; to++ {
		if g := j.gids[to]; g >= 0 {
			t := mine.Ints[mine.At(int(rows[to]))]
			least, most := addTime(t, lo), addTime(t, hi)
			slot := other.last[g]
			for slot >= 0 && theirs.Ints[slot] > most {
				slot = other.prev[slot]
			}
			for ; slot >= 0 && theirs.Ints[slot] >= least; slot = other.prev[slot] {
				p.row, p.slot = append(p.row, rows[to]), append(p.slot, slot)
			}
		}
		p.upTo = append(p.upTo, int32(len(p.row)))
	}
	if j.cond == nil || len(p.row) == 0 {
		return to, nil
	}
	return to, p.filter(j.cond, j.ctx.Env, port, in.Cols, other.cols)
}

// negative is -d, where the least and the greatest number are without end.
func negative(d int64) int64 {
	switch d {
	case math.MinInt64:
		return math.MaxInt64
	case math.MaxInt64:
		return math.MinInt64
	}
	return -d
}

// apply emits what the input row brings, and keeps it while it may find a match.
func (j *intervalJoin) apply(port int, in *column.Batch, row, g int32, slots []int32, out dataflow.Output) error {
	own, other := &j.sides[port], &j.sides[1-port]
	pairs := j.kind != plan.SemiJoin && j.kind != plan.AntiJoin
	for _, s := range slots {
		first := other.marks && other.match(s)
		switch {
		case pairs:
			j.out.add(column.Insert, row, s)
		case j.kind == plan.SemiJoin && port == 1 && first:
			j.out.add(column.Insert, -1, s)
		}
		if len(j.out.ops) >= maxBatch {
			if err := j.out.flush(out); err != nil {
				return err
			}
		}
	}
	matched := len(slots) > 0
	done := matched && port == 0 && (j.kind == plan.SemiJoin || j.kind == plan.AntiJoin)
	if done && j.kind == plan.SemiJoin {
		j.out.add(column.Insert, row, -1)
	}
	switch {
	case g >= 0 && !done && !j.passed(own.endOf(in, int(row))):
		own.insert(g, in, int(row), matched)
		return nil
	case !matched && own.outer:
		j.out.add(column.Insert, row, -1)
	}
	if g >= 0 {
		j.pending = append(j.pending, g)
	}
	if len(j.out.ops) >= maxBatch {
		return j.out.flush(out)
	}
	return nil
}

// dropEmpty frees the keys that have no rows any more.
func (j *intervalJoin) dropEmpty() {
	for _, g := range j.pending {
		if !j.live[g] || j.cold[g] || j.sides[0].first[g] >= 0 || j.sides[1].first[g] >= 0 {
			continue
		}
		j.live[g] = false
		j.sides[0].dueAt[g], j.sides[1].dueAt[g] = notDue, notDue
		j.keys.remove(g)
	}
	j.pending = j.pending[:0]
}
