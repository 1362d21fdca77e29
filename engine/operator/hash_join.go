package operator

import (
	"velostream/catalog/types"
	"velostream/engine/dataflow"
	"velostream/engine/sql/plan"
	"velostream/storage/column"
	"velostream/storage/state"
)

// hashJoin is the join of bounded inputs, of all kinds that join has. Unlike there only one side is
// kept, the one that comes first; the rows of the other pass by:
//
//	build   rows of the first port, until it ends: into the table, by key
//	probe   rows of the other one: matched with the table and forgotten; those that come before
//	        the table is complete wait
//	end     rows of the table without a match, where they are output
//
// The rows that match a row come in the order in which they came, on disk too: what numbers the rows
// of a correlated subquery relies on it.
//
// What passes the budget goes to disk (hash_join_spill.go).
type hashJoin struct {
	p     *plan.Physical
	ctx   BuildContext
	label string
	kind  plan.JoinKind
	cond  *pairCond
	build int // port of the rows that are kept; -1: nothing has come yet
	ended [2]bool
	over  bool // all is emitted

	keyOf  [2][]int
	outer  [2]bool // rows without a match are output (anti join: only they)
	semi   bool    // semi or anti: only left rows are output
	perKey bool    // likewise, and whether a row matches depends on its key alone
	none   [2][]*column.Column
	keys   *keyTable
	store  joinSide
	slots  []int32 // key of each row of the table, from which chain makes its chains
	hit    []bool  // had a match: by slot of the store, with perKey by key
	spill  joinSpill

	all, rows, gids []int32
	hashes, kept    []uint64 // of all rows, and of rows
	keyCols         []*column.Column
	pairs           pairList
	out             joinOut
}

func newHashJoin(p *plan.Physical, ctx BuildContext) (*hashJoin, error) {
	j := &hashJoin{p: p, ctx: ctx, label: ctx.label("JOIN"), kind: p.Join, build: -1, keyOf: [2][]int{p.Keys, p.RightKeys}}
	if j.kind == plan.CrossJoin {
		j.kind = plan.InnerJoin
	}
	var err error
	if j.cond, err = newPairCond(p); err != nil {
		return nil, err
	}
	ts, err := joinKeyTypes(p)
	if err != nil {
		return nil, err
	}
	j.semi = j.kind == plan.SemiJoin || j.kind == plan.AntiJoin
	j.perKey = j.semi && j.cond == nil
	j.outer[0] = j.kind == plan.LeftJoin || j.kind == plan.FullJoin || j.kind == plan.AntiJoin
	j.outer[1] = j.kind == plan.RightJoin || j.kind == plan.FullJoin
	j.keys, j.keyCols = newKeyTable(ts), make([]*column.Column, len(ts))
	for port := range j.none {
		for _, t := range p.Inputs[port].Types() {
			j.none[port] = append(j.none[port], column.New(t, 0))
		}
	}
	j.out.init(p)
	return j, nil
}

// keep makes the rows of port those of the table.
func (j *hashJoin) keep(port int) {
	j.build = port
	j.clear()
}

// clear empties the table.
func (j *hashJoin) clear() {
	j.store = newJoinSide(j.p.Inputs[j.build], j.keyOf[j.build], nil)
	j.store.appends = true
	j.keys.reset()
	j.slots, j.hit = j.slots[:0], nil
}

// chain links the rows of the table by key, when all are there.
func (j *hashJoin) chain() {
	s := &j.store
	for slot := len(j.slots) - 1; slot >= 0; slot-- {
		g := j.slots[slot]
		s.next[slot] = s.head[g]
		s.head[g] = int32(slot)
	}
	j.slots = j.slots[:0]
}

// Watermark does nothing: no match depends on time here.
func (j *hashJoin) Watermark(dataflow.Watermark, dataflow.Output) error { return nil }

// Barrier ends both ports.
func (j *hashJoin) Barrier(_ state.Epoch, out dataflow.Output) error {
	for port := range j.ended {
		if err := j.End(port, out); err != nil {
			return err
		}
	}
	return nil
}

func (j *hashJoin) Process(port int, in *column.Batch, out dataflow.Output) error {
	if hasDeletes(in) {
		return broken(j.label, "a row is deleted from append-only input")
	}
	if j.build < 0 {
		j.keep(port)
	}
	j.all = growSelect(j.all, in)
	rows := in.Select(j.all)
	switch {
	case port == j.build:
		return j.take(in, rows, out)
	case !j.ended[j.build]:
		return j.waits(in, rows)
	}
	return j.probe(in, rows, out)
}

// End implements dataflow.Ender.
func (j *hashJoin) End(port int, out dataflow.Output) error {
	if j.over {
		return nil
	}
	if j.build < 0 {
		j.keep(port)
	}
	first := !j.ended[port]
	j.ended[port] = true
	if first && port == j.build {
		if err := j.resume(out); err != nil {
			return err
		}
	}
	if !j.ended[0] || !j.ended[1] {
		return nil
	}
	j.over = true
	if j.spill.parts[j.build] != nil {
		return j.finish(out)
	}
	err := j.unmatched(out)
	j.clear()
	return err
}

// Keys implements KeyLister.
func (j *hashJoin) Keys(port, k, most int) ([]types.Datum, bool) {
	if port != j.build || j.spill.parts[port] != nil || len(j.store.next) > most {
		return nil, false
	}
	c := j.store.cols[j.store.keys[k]]
	out := make([]types.Datum, len(j.store.next))
	for i := range out {
		out[i] = c.Datum(i)
	}
	return out, true
}

const (
	keyMissing = -1 // not in the table
	keyNull    = -2 // a column is NULL, so that nothing equals it
)

// locate sets hashes to those of the keys of rows, and gids to the keys in the table.
func (j *hashJoin) locate(port int, in *column.Batch, rows []int32) {
	nulls := false
	for k, c := range j.keyOf[port] {
		j.keyCols[k] = in.Cols[c]
		nulls = nulls || k >= j.p.NullSafe && len(in.Cols[c].Nulls) > 0
	}
	j.gids = resize(j.gids, len(rows))[:len(rows)]
	j.hashes = column.HashRows(j.hashes, j.keyCols, rows, 0)
	j.keys.find(j.keyCols, rows, j.hashes, j.gids)
	if !nulls {
		return
	}
	for k, i := range rows {
		if anyNull(j.keyCols[j.p.NullSafe:], int(i)) {
			j.gids[k] = keyNull
		}
	}
}

// take takes rows into the table, or sends them to disk; those that match nothing are dealt with.
func (j *hashJoin) take(in *column.Batch, rows []int32, out dataflow.Output) error {
	j.locate(j.build, in, rows)
	if err := j.dropNulls(j.build, in, rows, out); err != nil {
		return err
	}
	if p := j.spill.parts[j.build]; p != nil {
		return p.add(in, j.rows, j.kept)
	}
	j.insert(in)
	return j.bound()
}

// dropNulls makes of the located rows the list rows, with gids and kept, without those that have a
// NULL in their key. These are emitted where rows without a match are.
func (j *hashJoin) dropNulls(port int, in *column.Batch, rows []int32, out dataflow.Output) error {
	j.rows, j.kept = j.rows[:0], j.kept[:0]
	j.out.begin(port, in, j.none[1-port])
	for k, i := range rows {
		if j.gids[k] == keyNull {
			if j.outer[port] {
				j.out.add(column.Insert, i, -1)
			}
			continue
		}
		j.gids[len(j.rows)] = j.gids[k]
		j.rows, j.kept = append(j.rows, i), append(j.kept, j.hashes[k])
	}
	j.gids = j.gids[:len(j.rows)]
	return j.out.flush(out)
}

// insert adds the listed rows to the table.
func (j *hashJoin) insert(in *column.Batch) {
	s := &j.store
	n := 0
	for k, i := range j.rows {
		g := j.gids[k]
		if g < 0 {
			if g = j.keys.findOne(j.keyCols, int(i), j.kept[k]); g < 0 {
				g = j.keys.insert(j.keyCols, int(i), j.kept[k])
				s.growKeys(j.keys.n)
			}
		}
		if j.perKey && j.build == 1 && s.count[g] > 0 {
			continue // one row of a key is enough
		}
		s.count[g]++
		j.slots = append(j.slots, g)
		j.rows[n] = i
		n++
	}
	for range n {
		s.next = append(s.next, -1)
	}
	for c, col := range s.cols {
		col.AppendRows(in.Cols[c], j.rows[:n])
	}
}

// probe matches rows of the other port with the table, or sends them to disk.
func (j *hashJoin) probe(in *column.Batch, rows []int32, out dataflow.Output) error {
	port := 1 - j.build
	j.locate(port, in, rows)
	if p := j.spill.parts[port]; p != nil {
		if err := j.dropNulls(port, in, rows, out); err != nil {
			return err
		}
		return p.add(in, j.rows, j.kept)
	}
	j.chain()
	if j.hit == nil {
		j.hit = make([]bool, max(len(j.store.next), j.keys.n))
	}
	j.out.begin(port, in, j.store.cols)
	for from := 0; from < len(rows); {
		to, err := j.match(port, in, rows, from)
		if err != nil {
			return err
		}
		for k := from; k < to; k++ {
			if err := j.emit(port, rows[k], k, j.pairs.of(k-from), out); err != nil {
				return err
			}
		}
		from = to
	}
	return j.out.flush(out)
}

// match lists the pairs of the rows from on, until there are enough for a batch, and returns where
// it stopped.
func (j *hashJoin) match(port int, in *column.Batch, rows []int32, from int) (to int, err error) {
	p, s := &j.pairs, &j.store
	p.reset()
	for to = from; to < len(rows) && len(p.row) < maxBatch; to++ {
		if g := j.gids[to]; g >= 0 && !j.perKey {
			for slot := s.head[g]; slot >= 0; slot = s.next[slot] {
				p.row, p.slot = append(p.row, rows[to]), append(p.slot, slot)
			}
		}
		p.upTo = append(p.upTo, int32(len(p.row)))
	}
	if j.cond == nil || len(p.row) == 0 {
		return to, nil
	}
	return to, p.filter(j.cond, j.ctx.Env, port, in.Cols, s.cols)
}

// emit adds what row, the k-th of its batch, gives with the rows slots of the table.
func (j *hashJoin) emit(port int, row int32, k int, slots []int32, out dataflow.Output) error {
	g := j.gids[k]
	some := len(slots) > 0 || j.perKey && g >= 0
	before := j.spill.mark(k, some)
	alone := !some && !before && j.spill.last() // nothing matches, here or on disk
	switch {
	case j.semi && port == 0:
		if j.kind == plan.SemiJoin && some && !before || j.kind == plan.AntiJoin && alone {
			j.out.add(column.Insert, row, -1)
		}
	case j.perKey:
		if g >= 0 && !j.hit[g] {
			j.hit[g] = true
			return j.emitChain(g, j.kind == plan.SemiJoin, out)
		}
	case j.semi:
		for _, s := range slots {
			if !j.hit[s] && j.kind == plan.SemiJoin {
				j.out.add(column.Insert, -1, s)
			}
			j.hit[s] = true
			if err := j.out.full(out); err != nil {
				return err
			}
		}
	default:
		for _, s := range slots {
			j.out.add(column.Insert, row, s)
			j.hit[s] = true
			if err := j.out.full(out); err != nil {
				return err
			}
		}
		if alone && j.outer[port] {
			j.out.add(column.Insert, row, -1)
		}
	}
	return j.out.full(out)
}

// emitChain emits the rows of key g in the table, if they are wanted.
func (j *hashJoin) emitChain(g int32, wanted bool, out dataflow.Output) error {
	if !wanted {
		return nil
	}
	for s := j.store.head[g]; s >= 0; s = j.store.next[s] {
		j.out.add(column.Insert, -1, s)
		if err := j.out.full(out); err != nil {
			return err
		}
	}
	return nil
}

// unmatched emits the rows of the table that had no match, where they are output.
func (j *hashJoin) unmatched(out dataflow.Output) error {
	if !j.outer[j.build] {
		return nil
	}
	j.chain()
	other := 1 - j.build
	j.out.begin(other, &column.Batch{Cols: j.none[other]}, j.store.cols)
	for g, head := range j.store.head {
		if j.perKey {
			if err := j.emitChain(int32(g), g >= len(j.hit) || !j.hit[g], out); err != nil {
				return err
			}
			continue
		}
		for s := head; s >= 0; s = j.store.next[s] {
			if int(s) < len(j.hit) && j.hit[s] {
				continue
			}
			j.out.add(column.Insert, -1, s)
			if err := j.out.full(out); err != nil {
				return err
			}
		}
	}
	return j.out.flush(out)
}
