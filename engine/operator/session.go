package operator

import (
	"math"
	"slices"
	"strings"

	"github.com/tidwall/btree"

	"velostream/engine/dataflow"
	"velostream/engine/sql/plan"
	"velostream/pgwire/pgerror"
	"velostream/storage/column"
	"velostream/storage/rowenc"
	"velostream/storage/state"
)

// session adds window_start and window_end of the session that each row is in. Sessions are
// per key (Keys): rows less than Gap apart are in one, a row that comes between two makes one
// of them; window_end is the last row's time plus Gap. With MaxSize a session ends at most so
// long after its first row, and the next row begins another. There are three forms:
//
//   - EmitFinal: the rows of a session leave once, when the watermark has passed its end;
//   - IDs: for an aggregate above. window_start is the session's number, which stays the same
//     while it grows, and window_end a time at or behind its end, moved seldom. A row that
//     extends a session costs one row of output; when two meet, the rows of the smaller move.
//   - else each row shows its session as it is so far, and is replaced when that changes.
//
// Rows are applied at Barrier, and before sessions close: with EmitFinal when the watermark
// moves, else when a row comes that is behind it. A closed session's rows are forgotten; a row
// that belongs to none that is open and would make one that is closed already is late: dropped
// and counted. Rows without a time are dropped and counted.
//
// Table 0: key, time, stream key → version, what was emitted of the row, row
// Table 1: key, start            → version, last, rows, id, horizon
// Table 2: 0x00                  → version, frontier;  0x02 → version, last id
// 0x01, end, key, start → nothing: sessions by their end.
type session struct {
	p     *plan.Physical
	ctx   BuildContext
	time  evaluator
	mode  sessionMode
	gap   int64
	most  int64 // MaxSize, 0: none
	width int

	rows, sessions, ends entries
	clock                closing
	held                 bool  // what is below holds rows back until the barrier
	firstEnd             int64 // no session ends before it
	ids, idsOld          int64
	late, lost           int64

	changes btree.Map[string, overChange] // by key of table 0
	bytes   int64
	parts   map[string]*sessionPart
	cached  int64

	timeCol          *column.Column // scratch: one time
	flat             *column.Column
	row              *column.Builder
	out              emitter
	key, val, parked []byte
}

type sessionMode uint8

const (
	sessionRows sessionMode = iota
	sessionIDs
	sessionFinal
)

// sessionPart is the open sessions of one key, by start.
type sessionPart struct{ list []*openSession }

// openSession is a session as it is, and as it is stored.
type openSession struct {
	start, last int64
	count       int64
	id, horizon int64
	shown       sessionPair // what its rows were emitted with
	stored      bool
	storedStart int64
	storedEnd   int64

	touched bool
	fresh   []freshRow  // new rows of this epoch, not in the table yet
	moved   []timeRange // rows that came from other sessions
}

// sessionPair are the two window columns; zero: not emitted.
type sessionPair struct{ a, b int64 }

type freshRow struct{ key, val string }

type timeRange struct{ from, to int64 }

func newSession(p *plan.Physical, ctx BuildContext) (dataflow.Operator, error) {
	n := len(p.Out)
	if len(p.Exprs) != 1 || len(p.Inputs) != 1 || n != len(p.Inputs[0].Out)+2 {
		return nil, pgerror.New(pgerror.InternalError, "the columns of a session window do not fit its input")
	}
	ev, err := compileExpr(p.Exprs[0])
	if err != nil {
		return nil, err
	}
	s := &session{
		p: p, ctx: ctx, time: ev, gap: p.Window.Gap, most: p.Window.MaxSize, width: n - 2, clock: newClosing(p),
		rows:     newEntries(ctx, ctx.table(p, 0), ctx.label("SESSION")),
		sessions: newEntries(ctx, ctx.table(p, 1), ctx.label("SESSION")), ends: newEntries(ctx, ctx.table(p, 2), ctx.label("SESSION")),
		firstEnd: math.MinInt64, parts: map[string]*sessionPart{},
		timeCol: column.New(p.Out[n-1].Type, 1), row: column.NewBuilder(p.Inputs[0].Types(), 0), out: emitter{column.NewBuilder(p.Types(), 0)},
	}
	switch {
	case p.Emit == plan.EmitFinal:
		s.mode = sessionFinal
	case p.IDs:
		s.mode = sessionIDs
	}
	s.held = s.clock.deferred
	s.clock.deferred = s.held || s.mode != sessionFinal // what is changed leaves first
	if s.gap <= 0 {
		return nil, pgerror.New(pgerror.InvalidParameterValue, "the gap of a session window must be above zero")
	}
	if s.ends.fresh() {
		s.firstEnd = math.MaxInt64
		return s, nil
	}
	return s, s.restore()
}

// LateRows is how many rows came after their session was closed.
func (s *session) LateRows() int64 { return s.late }

// NullTimes is how many rows had no time.
func (s *session) NullTimes() int64 { return s.lost }

func (s *session) Process(_ int, in *column.Batch, out dataflow.Output) error {
	c, err := s.time.eval(s.ctx.Env, in)
	if err != nil {
		return err
	}
	t := flatten(c, in.N, &s.flat)
	const edge = int64(1) << 61 // beyond what a timestamp can be, infinities apart
	for i := range in.Each {
		if t.Null(i) || t.Ints[i] > edge || t.Ints[i] < -edge {
			s.lost++
			continue
		}
		if err := s.before(t.Ints[i], out); err != nil {
			return err
		}
		s.key = rowenc.AppendKey(s.key[:0], in.Cols, s.p.Keys, i)
		prefix := len(s.key)
		s.key = s.appendTime(s.key, t.Ints[i])
		s.key = rowenc.AppendKey(s.key, in.Cols, s.p.Inputs[0].Key, i)
		if len(s.p.Tables) == 0 { // bounded input has no key: number the rows
			s.ids++
			s.key = s.appendTime(s.key, s.ids)
		}
		s.val = rowenc.AppendRow(s.val[:0], in.Cols[:s.width], i)
		g, changed := s.changes.Get(string(s.key))
		g.prefix, g.time = prefix, t.Ints[i]
		sign := 1
		if in.Op(i) != column.Insert {
			sign = -1
		}
		g.add(string(s.val), sign)
		if s.bytes += int64(len(s.val)) + 32; !changed {
			s.bytes += int64(len(s.key)) + 96
		}
		s.changes.Set(string(s.key), g)
	}
	if s.bytes > s.ctx.budget().now()/2 {
		return s.apply(out)
	}
	return nil
}

// before brings the sessions to the state that a row at t must find, wherever epochs are cut.
func (s *session) before(t int64, out dataflow.Output) error {
	switch {
	case s.held:
		return nil
	case t < s.clock.mark && s.clock.mark > s.clock.frontier: // others meet no session that the watermark closes
		return s.advance(out)
	case t+s.gap <= s.clock.frontier && s.changes.Len() > 0: // late, unless what came before it made a session near
		return s.apply(out)
	}
	return nil
}

// appendTime adds the key form of a time.
func (s *session) appendTime(dst []byte, t int64) []byte {
	s.timeCol.Reset()
	s.timeCol.Ints = append(s.timeCol.Ints, t)
	return rowenc.AppendKeyColumn(dst, s.timeCol, 0, rowenc.Order{})
}

// Watermark closes the sessions that w has passed, or leaves that to the barrier.
func (s *session) Watermark(w dataflow.Watermark, out dataflow.Output) error {
	if s.p.EventTime < 0 && s.mode != sessionFinal {
		return nil // the watermark is about another time, or none
	}
	before := s.clock.frontier
	if !s.clock.watermark(w) {
		return nil
	}
	s.clock.frontier = before // rows at hand came before the watermark
	return s.advance(out)
}

// advance applies the rows at hand, and closes sessions up to the watermark.
func (s *session) advance(out dataflow.Output) error {
	if err := s.apply(out); err != nil {
		return err
	}
	s.clock.frontier = s.clock.mark
	return s.close(out)
}

// Barrier applies the rows of the epoch and closes sessions.
func (s *session) Barrier(e state.Epoch, out dataflow.Output) error {
	if err := s.apply(out); err != nil {
		return err
	}
	s.clock.barrier()
	if err := s.close(out); err != nil {
		return err
	}
	if e.Flush && s.ends.table != nil {
		return s.save()
	}
	return nil
}

// apply brings the sessions of the keys that have changes up to date.
func (s *session) apply(out dataflow.Output) error {
	it := s.changes.Iter()
	for ok := it.First(); ok; {
		first := it.Value()
		prefix := it.Key()[:first.prefix]
		part, err := s.part(prefix)
		if err != nil {
			return err
		}
		for ; ok && it.Value().prefix == len(prefix) && strings.HasPrefix(it.Key(), prefix); ok = it.Next() {
			change := it.Value()
			if err := s.change(part, prefix, it.Key(), change.time, &change, out); err != nil {
				return err
			}
		}
		if err := s.settle(part, prefix, out); err != nil {
			return err
		}
	}
	s.changes.Clear()
	s.bytes = 0
	if s.cached > s.ctx.budget().now()/4 {
		s.parts, s.cached = map[string]*sessionPart{}, 0
	}
	return s.out.flush(out)
}

// change applies what happened to the row of one key.
func (s *session) change(part *sessionPart, prefix, key string, t int64, c *overChange, out dataflow.Output) error {
	was, pair, err := s.stored(key)
	if err != nil {
		return err
	}
	now := c.after(was)
	if now == was {
		return nil
	}
	i := part.find(t)
	if was != "" {
		if pair != (sessionPair{}) {
			if err := s.emit(was, pair, column.Delete, out); err != nil {
				return err
			}
		}
		if i < 0 {
			return broken("SESSION", "a row belongs to no open session")
		}
		o := part.list[i]
		o.touched = true
		if now != "" {
			o.fresh = append(o.fresh, freshRow{key, now})
			return nil
		}
		if err := s.rows.remove([]byte(key)); err != nil {
			return err
		}
		o.count--
		return s.segment(part, prefix, i)
	}
	return s.insert(part, prefix, freshRow{key, now}, t)
}

// find is the last session that begins at t or before it, -1: none.
func (p *sessionPart) find(t int64) int {
	i, found := slices.BinarySearchFunc(p.list, t, func(o *openSession, t int64) int {
		switch {
		case o.start < t:
			return -1
		case o.start > t:
			return 1
		}
		return 0
	})
	if found {
		return i
	}
	return i - 1
}

// insert puts a new row at t into its session.
func (s *session) insert(part *sessionPart, prefix string, r freshRow, t int64) error {
	i := part.find(t)
	left := i >= 0 && t-part.list[i].last < s.gap
	right := i+1 < len(part.list) && part.list[i+1].start-t < s.gap
	if !left && !right && t+s.gap <= s.clock.frontier {
		s.late++
		return s.tooLate(r.val, t)
	}
	if left && s.most > 0 && t-part.list[i].start >= s.most {
		left = false
	}
	switch {
	case left:
		o := part.list[i]
		o.touched, o.count, o.last = true, o.count+1, max(o.last, t)
		o.fresh = append(o.fresh, r)
		if !right || t < part.list[i].last {
			return nil
		}
	default:
		i++
		part.list = slices.Insert(part.list, i, &openSession{start: t, last: t, count: 1, touched: true, fresh: []freshRow{r}})
		if !right {
			return nil
		}
	}
	if s.most > 0 {
		return s.segment(part, prefix, i)
	}
	return s.join(part, prefix, i)
}

// tooLate hands on a row, as encoded, that no session takes any more.
func (s *session) tooLate(row string, t int64) error {
	if s.ctx.Late == nil {
		return nil
	}
	s.row.Reset()
	if err := rowenc.DecodeRow([]byte(row), s.row); err != nil {
		return err
	}
	s.row.Row(column.Insert)
	return s.ctx.tooLate(s.p.Inputs[0], s.row.Batch(), 0, t, s.clock.frontier)
}

// join makes one session of i and i+1: the rows of the smaller move to the larger.
func (s *session) join(part *sessionPart, prefix string, i int) error {
	o, gone := part.list[i], part.list[i+1]
	if gone.count > o.count {
		o, gone = gone, o
	}
	if gone.count > int64(len(gone.fresh)) {
		o.moved = append(o.moved, timeRange{gone.start, gone.last})
	}
	o.moved, o.fresh = append(o.moved, gone.moved...), append(o.fresh, gone.fresh...)
	o.start, o.last, o.count, o.touched = min(o.start, gone.start), max(o.last, gone.last), o.count+gone.count, true
	part.list[i] = o
	part.list = slices.Delete(part.list, i+1, i+2)
	return s.forget(gone, prefix)
}
