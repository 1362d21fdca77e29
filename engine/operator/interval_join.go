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
// State and late rows are timedJoin's.
type intervalJoin struct {
	timedJoin
	kind   plan.JoinKind
	bounds plan.TimeBounds
	cond   *pairCond
	pairs  pairList
}

func newIntervalJoin(p *plan.Physical, ctx BuildContext) (dataflow.Operator, error) {
	if len(p.Inputs) != 2 || len(p.Keys) != len(p.RightKeys) || p.Within == nil {
		return nil, pgerror.New(pgerror.InternalError, "an interval join needs two inputs, as many keys of either, and bounds")
	}
	j := &intervalJoin{kind: p.Join, bounds: *p.Within}
	if j.kind == plan.CrossJoin {
		j.kind = plan.InnerJoin
	}
	if err := j.init(p, ctx, "interval JOIN"); err != nil {
		return nil, err
	}
	var err error
	if j.cond, err = newPairCond(p); err != nil {
		return nil, err
	}
	l, r := &j.sides[0], &j.sides[1]
	l.time, r.time = j.bounds.Left, j.bounds.Right
	l.reach, r.reach = j.bounds.Hi, negative(j.bounds.Lo)
	l.outer = j.kind == plan.LeftJoin || j.kind == plan.FullJoin || j.kind == plan.AntiJoin
	r.outer = j.kind == plan.RightJoin || j.kind == plan.FullJoin
	l.marks, r.marks = l.outer || j.kind == plan.SemiJoin, r.outer
	return j, nil
}

// Watermark lets rows go whose time has passed, or leaves that to the barrier.
func (j *intervalJoin) Watermark(w dataflow.Watermark, out dataflow.Output) error {
	if !j.observe(w) {
		return nil
	}
	return j.pass(out)
}

// Barrier lets rows go that waited for it, and writes what changed.
func (j *intervalJoin) Barrier(e state.Epoch, out dataflow.Output) error {
	if err := j.pass(out); err != nil {
		return err
	}
	return j.flushSides(e)
}

// pass makes the watermark count.
func (j *intervalJoin) pass(out dataflow.Output) error {
	if grew, err := j.advance(); !grew || err != nil {
		return err
	}
	for side := range j.sides {
		if err := j.expire(side, out); err != nil {
			return err
		}
	}
	j.settle()
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

func (j *intervalJoin) Process(port int, in *column.Batch, out dataflow.Output) error {
	if hasDeletes(in) {
		return broken(j.label, "a row is deleted from append-only input")
	}
	if err := j.load(); err != nil {
		return err
	}
	own, other := &j.sides[port], &j.sides[1-port]
	rows, err := j.onTime(port, in)
	if err != nil {
		return err
	}
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
