package operator

import (
	"bytes"
	"slices"

	"velostream/engine/dataflow"
	"velostream/engine/sql/expr"
	"velostream/engine/sql/plan"
	"velostream/pgwire/pgerror"
	"velostream/storage/column"
	"velostream/storage/state"
)

// upsert turns the records of a topic into the changelog of a table: an Insert sets the row
// of its key, whatever was there, a Delete, of which only the key means something, takes it
// away. What remains of an epoch leaves at the barrier, the old row and the new one.
//
// Sort[0], if given, is the version: a row whose version is below that of the row there
// changes nothing (NULL is below all). Distinct: the first row of a key stays.
//
// Table 0: key → version of the encoding, row.
type upsert struct {
	ctx     BuildContext
	label   string
	keys    *keyTable
	rows    joinSide
	version int // column, -1: none
	first   bool
	whole   bool // memory has every key
	ref     []bool
	hand    int32
	fresh   []int32 // by key: its last row in this epoch, gone or same
	touched []int32 // keys of this epoch
	news    *column.Builder

	all, gids, missing []int32
	hashes             []uint64
	keyCols            []*column.Column
	out                emitter
}

const (
	same = -1 // nothing came for the key
	gone = -2 // its row was deleted
)

func newUpsert(p *plan.Physical, ctx BuildContext) (dataflow.Operator, error) {
	if len(p.Inputs) != 1 || len(p.Keys) == 0 {
		return nil, pgerror.New(pgerror.InternalError, "upsert needs an input and a key")
	}
	u := &upsert{
		ctx: ctx, label: ctx.label("upsert"), version: -1, first: p.Distinct, news: column.NewBuilder(p.Types(), 0),
		out: emitter{column.NewBuilder(p.Types(), 0)}, keyCols: make([]*column.Column, len(p.Keys)),
	}
	if len(p.Sort) > 0 {
		c, ok := p.Sort[0].Expr.(*expr.Col)
		if !ok {
			return nil, pgerror.New(pgerror.InternalError, "the version of an upsert is no column")
		}
		u.version = c.Index
	}
	u.rows = newJoinSide(p.Inputs[0], p.Keys, ctx.table(p, 0))
	u.rows.appends, u.rows.stream = true, nil
	u.whole = u.rows.table == nil || u.rows.table.Fresh()
	types := p.Types()
	ts := types[:0:0]
	for _, k := range p.Keys {
		ts = append(ts, types[k])
	}
	u.keys = newKeyTable(ts)
	return u, nil
}

// Watermark does nothing.
func (u *upsert) Watermark(dataflow.Watermark, dataflow.Output) error { return nil }

func (u *upsert) Process(_ int, in *column.Batch, _ dataflow.Output) error {
	u.all = growSelect(u.all, in)
	rows := in.Select(u.all)
	for k, c := range u.rows.keys {
		u.keyCols[k] = in.Cols[c]
	}
	u.gids = resize(u.gids, len(rows))[:len(rows)]
	u.hashes = column.HashRows(u.hashes, u.keyCols, rows, 0)
	u.keys.find(u.keyCols, rows, u.hashes, u.gids)
	u.missing = u.missing[:0]
	for k, i := range rows {
		g := u.gids[k]
		if g < 0 {
			if anyNull(u.keyCols, int(i)) {
				return pgerror.New(pgerror.NotNullViolation, "%s: null value in the primary key", u.label)
			}
			if g = u.keys.findOne(u.keyCols, int(i), u.hashes[k]); g < 0 {
				g = u.keys.insert(u.keyCols, int(i), u.hashes[k])
				u.rows.growKeys(u.keys.n)
				u.ref = resize(u.ref, u.keys.n)
				for len(u.fresh) < u.keys.n {
					u.fresh = append(u.fresh, same)
				}
				u.fresh[g] = same
				u.missing = append(u.missing, g)
			}
			u.gids[k] = g
		}
		u.ref[g] = true
	}
	if !u.whole && len(u.missing) > 0 {
		if err := u.load(); err != nil {
			return err
		}
	}
	for k, i := range rows {
		u.change(u.gids[k], in, int(i))
	}
	return nil
}

// load reads the rows of the missing keys.
func (u *upsert) load() error {
	type want struct {
		key []byte
		g   int32
	}
	order := make([]int, len(u.keyCols))
	for k := range order {
		order[k] = k
	}
	wants := make([]want, len(u.missing))
	for k, g := range u.missing {
		wants[k] = want{u.keys.appendKey(nil, g, order), g}
	}
	if err := u.rows.flushGone(); err != nil { // they must not be read again
		return err
	}
	slices.SortFunc(wants, func(x, y want) int { return bytes.Compare(x.key, y.key) })
	for _, w := range wants {
		if err := u.rows.load(w.g, w.key); err != nil {
			return err
		}
	}
	return nil
}

// change notes what row i does to its key.
func (u *upsert) change(g int32, in *column.Batch, i int) {
	was := u.fresh[g]
	there := was >= 0 || was == same && u.rows.head[g] >= 0
	if in.Op(i) == column.Delete {
		u.set(g, gone)
		return
	}
	if there && (u.first || u.version >= 0 && u.older(g, in, i)) {
		return
	}
	u.set(g, int32(u.news.Len()))
	u.news.AppendRow(in, i, column.Insert)
}

func (u *upsert) set(g, to int32) {
	if u.fresh[g] == same {
		u.touched = append(u.touched, g)
	}
	u.fresh[g] = to
}

// older reports that the version of row i is below the present one.
func (u *upsert) older(g int32, in *column.Batch, i int) bool {
	c, at := u.news.Col(u.version), int(u.fresh[g])
	if u.fresh[g] < 0 {
		c, at = u.rows.cols[u.version], int(u.rows.head[g])
	}
	switch v := in.Cols[u.version]; {
	case c.Null(at):
		return false
	case v.Null(i):
		return true
	default:
		return column.CompareAt(v, i, c, at) < 0
	}
}

// Barrier emits the net change of each key and writes what changed.
func (u *upsert) Barrier(e state.Epoch, out dataflow.Output) error {
	news := u.news.Batch()
	for _, g := range u.touched {
		to, slot := u.fresh[g], u.rows.head[g]
		u.fresh[g] = same
		if slot >= 0 && to >= 0 && u.rows.same(slot, news, int(to)) {
			continue
		}
		if slot >= 0 {
			u.emit(column.Delete, u.rows.cols, int(slot))
			u.rows.evictGone(g)
		}
		if to >= 0 {
			u.emit(column.Insert, news.Cols, int(to))
			u.rows.insert(g, to, 0, 0)
			u.rows.copyRows(news)
		}
		if err := u.out.full(out); err != nil {
			return err
		}
		if u.rows.head[g] < 0 {
			u.keys.remove(g)
			u.ref[g] = false
		}
	}
	u.touched = u.touched[:0]
	u.news.Reset()
	if err := u.out.flush(out); err != nil {
		return err
	}
	u.rows.compact()
	if e.Flush {
		if err := u.rows.flush(); err != nil {
			return err
		}
	}
	return u.bound()
}

func (u *upsert) emit(op column.Op, cols []*column.Column, row int) {
	for c, col := range cols {
		u.out.b.Col(c).AppendFrom(col, row)
	}
	u.out.b.Row(op)
}

// evictGone takes the one row of g away, from the table too.
func (s *joinSide) evictGone(g int32) {
	if slot := s.head[g]; s.flags[slot]&rowStored != 0 {
		s.gone = append(s.gone, s.tableKey(nil, slot))
	}
	s.evict(g)
}

// bound keeps memory within the budget: rows of keys not used lately stay in the table.
func (u *upsert) bound() error {
	budget := u.ctx.budget().now()
	total := u.rows.memory() + u.keys.bytes()
	if total <= budget {
		return nil
	}
	if u.rows.table == nil {
		return u.ctx.budget().exceeded(u.label, total)
	}
	if err := u.rows.flush(); err != nil {
		return err
	}
	live := make([]bool, u.keys.n)
	for g := range live {
		live[g] = u.rows.head[g] >= 0
	}
	goal := int(int64(len(u.rows.next)) * (total - budget*3/4) / total)
	for n := 0; n < 2*len(live) && goal > 0; n++ {
		if u.hand++; int(u.hand) >= len(live) {
			u.hand = 0
		}
		g := u.hand
		if !live[g] || u.ref[g] {
			u.ref[g] = false
			continue
		}
		u.rows.evict(g)
		u.keys.remove(g)
		live[g], u.whole = false, false
		goal--
	}
	u.rows.compact()
	return nil
}
