package operator

import (
	"velostream/catalog/types"
	"velostream/engine/dataflow"
	"velostream/engine/sql/plan"
	"velostream/pgwire/pgerror"
	"velostream/storage/column"
	"velostream/storage/state"
)

// join matches the rows of two inputs with equal keys (NULL equals nothing) for which
// the condition holds: inner, left, right, full, semi and anti; a cross join has no
// key columns, so all rows share one key. Output = left columns, right columns; only
// the left ones for semi and anti.
//
// Both sides are kept (join_store.go). A row that comes or goes is matched with the
// other side as it is then; what changes are the pairs, and the unmatched rows of an outer
// side whose number of matches leaves or reaches zero. Any interleaving within an epoch
// therefore ends in the right rows. An append-only join emits at once; any other at the
// barrier what is left of the epoch's changes (column.Net), because rows that come and go
// within it would be put in a wrong order on the way to another shard.
//
// Bounded inputs, which are append-only and have no tables, are joined by hashJoin.
//
// A look-up (OpLookupJoin, inner or left) does not keep its left rows: each waits for the
// barrier, when the right side has taken in what its epoch brought, and is matched with the
// rows there are then. What the right side does later changes nothing, so the result is append-only.
//
// Table 0: left rows, table 1: right rows.
type join struct {
	net   *column.Net // output until the barrier; nil: append-only
	p     *plan.Physical
	ctx   BuildContext
	label string
	kind  plan.JoinKind
	cond  *pairCond // nil: none
	keys  *keyTable
	sides [2]joinSide
	wait  *column.Builder // left rows of a look-up in this epoch; nil: no look-up
	whole bool            // memory has every key
	hand  int32
	ref   []bool  // by key: used since the clock's hand passed
	empty []int32 // keys that may have lost their last row

	all, gids []int32
	hashes    []uint64
	keyCols   []*column.Column
	missing   []int32
	pairs     pairList
	out       joinOut
}

func newJoin(p *plan.Physical, ctx BuildContext) (dataflow.Operator, error) {
	if len(p.Inputs) != 2 || len(p.Keys) != len(p.RightKeys) {
		return nil, pgerror.New(pgerror.InternalError, "join needs two inputs and as many keys of either")
	}
	if p.Op == plan.OpJoin && p.AppendOnly && ctx.Table == nil {
		return newHashJoin(p, ctx)
	}
	j := &join{p: p, ctx: ctx, label: ctx.label("JOIN"), kind: p.Join, whole: true}
	if j.kind == plan.CrossJoin {
		j.kind = plan.InnerJoin
	}
	var err error
	if j.cond, err = newPairCond(p); err != nil {
		return nil, err
	}
	for side, keys := range [2][]int{p.Keys, p.RightKeys} {
		s := &j.sides[side]
		*s = newJoinSide(p.Inputs[side], keys, ctx.table(p, side))
		s.inBlocks = s.appends
		j.whole = j.whole && (s.table == nil || s.table.Fresh())
	}
	l, r := &j.sides[0], &j.sides[1]
	l.outer = j.kind == plan.LeftJoin || j.kind == plan.FullJoin || j.kind == plan.AntiJoin
	r.outer = j.kind == plan.RightJoin || j.kind == plan.FullJoin
	if p.Op == plan.OpLookupJoin {
		j.wait = column.NewBuilder(p.Inputs[0].Types(), 0)
	}
	l.degrees = j.cond != nil && (l.outer || j.kind == plan.SemiJoin) && j.wait == nil
	r.degrees = j.cond != nil && r.outer
	ts, err := joinKeyTypes(p)
	if err != nil {
		return nil, err
	}
	j.keys = newKeyTable(ts)
	j.keyCols = make([]*column.Column, len(ts))
	j.out.init(p)
	if !p.AppendOnly {
		j.net = column.NewNet(p.Types())
	}
	return j, nil
}

// Watermark does nothing: no match depends on time here.
func (j *join) Watermark(dataflow.Watermark, dataflow.Output) error { return nil }

// Barrier emits what was held back and writes what changed.
func (j *join) Barrier(e state.Epoch, out dataflow.Output) error {
	if j.wait != nil && j.wait.Len() > 0 {
		if err := j.lookUp(out); err != nil {
			return err
		}
	}
	if j.net != nil {
		if err := j.net.Drain(out.Emit); err != nil {
			return err
		}
	}
	if e.Flush {
		if err := j.flush(); err != nil {
			return err
		}
	}
	return j.bound()
}

func (j *join) Process(port int, in *column.Batch, out dataflow.Output) error {
	if j.net != nil {
		if j.net.MemSize() > j.ctx.budget().now()/2 { // rather early than never
			if err := j.net.Drain(out.Emit); err != nil {
				return err
			}
		}
		out = netOutput{j.net}
	}
	j.all = growSelect(j.all, in)
	rows := in.Select(j.all)
	own := &j.sides[port]
	if own.appends && hasDeletes(in) {
		return broken(j.label, "a row is deleted from append-only input")
	}
	if j.wait != nil && port == 0 {
		j.wait.AppendRows(in, rows, column.Insert)
		if j.wait.Batch().MemSize() > j.ctx.budget().now()/2 { // rather early than never
			return j.lookUp(out)
		}
		return nil
	}
	return j.take(port, in, rows, out)
}

// lookUp matches the left rows that waited.
func (j *join) lookUp(out dataflow.Output) error {
	b := j.wait.Batch()
	j.all = growSelect(j.all, b)
	err := j.take(0, b, j.all[:b.N], out)
	j.wait.Reset()
	return err
}

// take matches rows of in with the other side as it is, and takes them in.
func (j *join) take(port int, in *column.Batch, rows []int32, out dataflow.Output) error {
	own := &j.sides[port]
	if err := j.locate(own, in, rows); err != nil {
		return err
	}
	if len(own.hash) > 0 || !own.appends {
		own.hashes = column.HashRows(own.hashes, in.Cols[:len(own.cols)], rows, 0)
	}
	j.out.begin(port, in, j.sides[1-port].cols)
	for from := 0; from < len(rows); {
		to, err := j.match(port, in, rows, from)
		if err != nil {
			return err
		}
		for k := from; k < to; k++ {
			if err := j.apply(port, in, rows, k, from, out); err != nil {
				return err
			}
		}
		from = to
	}
	own.copyRows(in)
	if err := j.out.flush(out); err != nil {
		return err
	}
	j.dropEmpty()
	own.compact()
	return j.bound()
}

// KeyLister is a join that tells the keys it has seen.
type KeyLister interface {
	// Keys lists the values of key column k of the rows that came by port, as often as they
	// came; false when there are more than most rows. Bytes are the operator's.
	Keys(port, k, most int) ([]types.Datum, bool)
}

// Keys implements KeyLister.
func (j *join) Keys(port, k, most int) ([]types.Datum, bool) {
	s := &j.sides[port]
	if len(s.next) > most {
		return nil, false
	}
	c := s.cols[s.keys[k]]
	out := make([]types.Datum, len(s.next))
	for i := range out {
		out[i] = c.Datum(i)
	}
	return out, true
}

// netOutput collects output for the barrier.
type netOutput struct{ net *column.Net }

// Emit implements dataflow.Output.
func (o netOutput) Emit(b *column.Batch) error {
	o.net.Add(b)
	return nil
}

// locate sets gids to the join keys of rows, -1 where one of the columns is NULL.
func (j *join) locate(own *joinSide, in *column.Batch, rows []int32) error {
	for k, c := range own.keys {
		j.keyCols[k] = in.Cols[c]
	}
	j.gids = resize(j.gids, len(rows))[:len(rows)]
	j.hashes = column.HashRows(j.hashes, j.keyCols, rows, 0)
	j.keys.find(j.keyCols, rows, j.hashes, j.gids)
	j.missing = j.missing[:0]
	for k, g := range j.gids {
		if g >= 0 {
			j.ref[g] = true
			continue
		}
		row := int(rows[k])
		if anyNull(j.keyCols[j.p.NullSafe:], row) {
			continue
		}
		if g = j.keys.findOne(j.keyCols, row, j.hashes[k]); g < 0 {
			if j.wait != nil && j.whole && own == &j.sides[0] {
				continue // nothing to meet, and not kept
			}
			g = j.keys.insert(j.keyCols, row, j.hashes[k])
			j.sides[0].growKeys(j.keys.n)
			j.sides[1].growKeys(j.keys.n)
			j.ref = resize(j.ref, j.keys.n)
			j.missing = append(j.missing, g)
		}
		j.ref[g] = true
		j.gids[k] = g
	}
	if j.whole || len(j.missing) == 0 {
		return nil
	}
	return j.load(j.missing)
}

func anyNull(cols []*column.Column, row int) bool {
	for _, c := range cols {
		if c.Null(row) {
			return true
		}
	}
	return false
}

// match lists the pairs of the input rows from on, until there are enough for a batch, and
// returns where it stopped. The other side does not change meanwhile, so the condition is
// evaluated for all of them at once.
func (j *join) match(port int, in *column.Batch, rows []int32, from int) (to int, err error) {
	other, p := &j.sides[1-port], &j.pairs
	p.reset()
	quiet := j.wait != nil && port == 1 // a look-up's right rows only come and go
	for to = from; to < len(rows) && len(p.row) < maxBatch; to++ {
		if g := j.gids[to]; g >= 0 && !quiet {
			for s := other.head[g]; s >= 0; s = other.next[s] {
				p.row, p.slot = append(p.row, rows[to]), append(p.slot, s)
			}
		}
		p.upTo = append(p.upTo, int32(len(p.row)))
	}
	if j.cond == nil || len(p.row) == 0 {
		return to, nil
	}
	return to, p.filter(j.cond, j.ctx.Env, port, in.Cols, other.cols)
}

// apply emits what input row k, of a run that began at from, changes, and takes the row
// in or out.
func (j *join) apply(port int, in *column.Batch, rows []int32, k, from int, out dataflow.Output) error {
	p := &j.pairs
	lo, hi := 0, int(p.upTo[k-from])
	if k > from {
		lo = int(p.upTo[k-from-1])
	}
	slots := p.slot[lo:hi]
	row, op, g := rows[k], in.Op(int(rows[k])), j.gids[k]
	own, other := &j.sides[port], &j.sides[1-port]
	semi := j.kind == plan.SemiJoin || j.kind == plan.AntiJoin
	single := semi || own.outer || other.outer
	if !single { // inner: only pairs
		for len(slots) > 0 {
			n := min(len(slots), maxBatch-len(j.out.ops))
			for _, s := range slots[:n] {
				j.out.add(op, row, s)
			}
			if slots = slots[n:]; len(slots) > 0 {
				if err := j.out.flush(out); err != nil {
					return err
				}
			}
		}
	} else if err := j.applyOuter(port, op, row, g, slots, semi, out); err != nil {
		return err
	}
	if len(j.out.ops) >= maxBatch {
		if err := j.out.flush(out); err != nil {
			return err
		}
	}
	if g < 0 {
		return nil
	}
	if j.wait != nil && port == 0 {
		if other.count[g] == 0 {
			j.empty = append(j.empty, g)
		}
		return nil
	}
	if op == column.Insert {
		own.insert(g, row, k, int32(hi-lo))
		return nil
	}
	if !own.remove(g, in, int(row), k) {
		return broken(j.label, "a row is deleted that is not there")
	}
	if own.count[g] == 0 && other.count[g] == 0 {
		j.empty = append(j.empty, g)
	}
	return nil
}

// applyOuter is apply's output for joins whose rows depend on whether there is a match.
func (j *join) applyOuter(port int, op column.Op, row, g int32, slots []int32, semi bool, out dataflow.Output) error {
	own, other := &j.sides[port], &j.sides[1-port]
	undo := column.Delete
	if op == column.Delete {
		undo = column.Insert
	}
	for _, s := range slots {
		// turns: this row brings the other one its first match, or takes its last.
		var turns bool
		switch {
		case other.degrees && op == column.Insert:
			turns = other.degree[s] == 0
			other.degree[s]++
		case other.degrees:
			other.degree[s]--
			turns = other.degree[s] == 0
		case op == column.Insert:
			turns = own.count[g] == 0
		default:
			turns = own.count[g] == 1
		}
		switch {
		case semi && port == 0: // the row itself is dealt with below
		case semi:
			if turns && j.kind == plan.SemiJoin {
				j.out.add(op, -1, s)
			} else if turns {
				j.out.add(undo, -1, s)
			}
		case turns && other.outer && op == column.Insert:
			j.out.add(column.Delete, -1, s)
			j.out.add(op, row, s)
		case turns && other.outer:
			j.out.add(op, row, s)
			j.out.add(column.Insert, -1, s)
		default:
			j.out.add(op, row, s)
		}
		if len(j.out.ops) >= maxBatch-1 { // a turn is two rows
			if err := j.out.flush(out); err != nil {
				return err
			}
		}
	}
	switch {
	case semi && port == 0:
		if (len(slots) > 0) == (j.kind == plan.SemiJoin) {
			j.out.add(op, row, -1)
		}
	case !semi && own.outer && len(slots) == 0:
		j.out.add(op, row, -1)
	}
	return nil
}
