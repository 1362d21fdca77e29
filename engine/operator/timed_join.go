package operator

import (
	"math"

	"velostream/engine/dataflow"
	"velostream/engine/sql/plan"
	"velostream/storage/column"
	"velostream/storage/state"
)

// timedJoin is what joins over event times have in common: the rows of both sides by key
// and time (timed_store.go), and the watermark that lets them go. Where operators below
// hold rows back, and when the inputs have ended, the watermark counts at the barrier.
//
// A row behind the watermark (less the lateness of windows and interval joins below) is late:
// what it could have matched may be forgotten. It is dropped and counted.
//
// Table 0: left rows, table 1: right rows.
type timedJoin struct {
	p       *plan.Physical
	ctx     BuildContext
	label   string
	keys    *keyTable
	sides   [2]timedSide
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
	out               joinOut
}

// init prepares all but the times of the sides.
func (j *timedJoin) init(p *plan.Physical, ctx BuildContext, label string) error {
	j.p, j.ctx, j.label, j.loaded = p, ctx, ctx.label(label), true
	j.next, j.mark = math.MinInt64, math.MinInt64
	for _, in := range p.Inputs {
		d, l := plan.Timing(in)
		j.deferred, j.lateness = j.deferred || d, max(j.lateness, l)
	}
	for side, keys := range [2][]int{p.Keys, p.RightKeys} {
		s := &j.sides[side]
		s.init(p.Inputs[side], keys, ctx.table(p, side))
		j.loaded = j.loaded && (s.table == nil || s.table.Fresh())
	}
	ts, err := joinKeyTypes(p)
	if err != nil {
		return err
	}
	j.keys = newKeyTable(ts)
	j.keyCols = make([]*column.Column, len(ts))
	j.out.init(p)
	return nil
}

// LateRows implements dataflow.LateRows.
func (j *timedJoin) LateRows() int64 { return j.late }

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

// observe takes a watermark, and reports that it counts now.
func (j *timedJoin) observe(w dataflow.Watermark) bool {
	if w == dataflow.EndOfTime {
		j.ended = true // what is below may hold its last rows back until the barrier
		return false
	}
	if int64(w) > math.MinInt64+j.lateness {
		j.next = max(j.next, int64(w)-j.lateness)
	}
	return !j.deferred && j.next > j.mark
}

// advance makes the watermark count, and reports that it grew.
func (j *timedJoin) advance() (bool, error) {
	if j.ended {
		j.next = math.MaxInt64
	}
	if j.next <= j.mark {
		return false, nil
	}
	j.mark = j.next
	return true, j.load()
}

// settle ends a change of the watermark, or of an epoch.
func (j *timedJoin) settle() {
	j.dropEmpty()
	j.sides[0].compact()
	j.sides[1].compact()
}

// flushSides writes what changed.
func (j *timedJoin) flushSides(e state.Epoch) error {
	for side := range j.sides {
		if !e.Flush {
			break
		}
		if err := j.sides[side].flush(); err != nil {
			return err
		}
	}
	return j.bound()
}

// passed reports that no row to come has a time at or before end.
func (j *timedJoin) passed(end int64) bool { return end < j.mark || j.mark == math.MaxInt64 }

// onTime lists the rows of an input that are not late.
func (j *timedJoin) onTime(port int, in *column.Batch) ([]int32, error) {
	own := &j.sides[port]
	j.all = growSelect(j.all, in)
	rows := in.Select(j.all)
	c := in.Cols[own.time]
	if j.mark == math.MinInt64 {
		return rows, nil
	}
	j.timely = j.timely[:0]
	for _, i := range rows {
		if !c.Null(int(i)) && c.Ints[c.At(int(i))] < j.mark {
			j.late++
			if port == 1 && own.versions {
				continue // a late version serves those that still wait
			}
			if err := j.ctx.tooLate(j.p.Inputs[port], in, int(i), c.Ints[c.At(int(i))], j.mark); err != nil {
				return nil, err
			}
			continue
		}
		j.timely = append(j.timely, i)
	}
	return j.timely, nil
}

func growSelect(all []int32, in *column.Batch) []int32 {
	for i := len(all); i < in.N; i++ {
		all = append(all, int32(i))
	}
	return all
}

// locate sets gids to the keys of rows, -1 where no row can match: one of its key's
// columns, or its time, is NULL.
func (j *timedJoin) locate(own *timedSide, in *column.Batch, rows []int32) error {
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

func (j *timedJoin) newKey(cols []*column.Column, row int, hash uint64) int32 {
	g := j.keys.insert(cols, row, hash)
	j.sides[0].growKeys(j.keys.n)
	j.sides[1].growKeys(j.keys.n)
	j.ref, j.live, j.cold = resize(j.ref, j.keys.n), resize(j.live, j.keys.n), resize(j.cold, j.keys.n)
	j.live[g], j.cold[g] = true, false
	return g
}

// dropEmpty frees the keys that have no rows any more.
func (j *timedJoin) dropEmpty() {
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
