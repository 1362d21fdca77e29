package operator

import (
	"slices"
	"strings"

	"github.com/tidwall/btree"

	"velostream/engine/dataflow"
	"velostream/engine/sql/plan"
	"velostream/storage/column"
	"velostream/storage/rowenc"
	"velostream/storage/state"
)

// overKept keeps window functions up to date. The rows of each partition are in the
// table in their order, with their results. At Barrier the partitions that changed are
// read and computed again, and the rows whose results differ are emitted, the old row
// and the new one; what a change costs grows with its partition, not with the state.
//
// With Once the input is append-only and a row leaves once, with the results over the
// rows of its partition that came before it: results of earlier rows are left as they
// were when those came.
//
// Table 0: partition, order, stream key → version, row with results (rowenc.AppendRow).
type overKept struct {
	dataflow.Stateless
	p     *plan.Physical
	ctx   BuildContext
	label string
	eval  *overEval
	table state.Table
	kept  btree.Map[string, string] // in place of a table
	width int                       // columns of the input

	changes btree.Map[string, overChange] // by state key
	bytes   int64
	arrived int

	rows     *column.Builder // the partition at hand: input columns
	results  []*column.Column
	oldRows  *column.Builder
	out      emitter
	key, val []byte
}

// overChange is what an epoch does to the row of a key: values, without results, that come
// and go. A value that comes may do so before the one that it replaces goes.
type overChange struct {
	net     []overNet
	prefix  int // length of the partition in the key
	arrival int
	time    int64 // of session windows: the row's
}

// overNet is how often a value comes more than it goes.
type overNet struct {
	val string
	n   int
}

// add counts a value in or out.
func (c *overChange) add(val string, n int) {
	for i := range c.net {
		if c.net[i].val == val {
			if c.net[i].n += n; c.net[i].n == 0 {
				c.net = slices.Delete(c.net, i, i+1)
			}
			return
		}
	}
	c.net = append(c.net, overNet{val, n})
}

// after is the row that is there afterwards when old was before, "" for none.
func (c *overChange) after(old string) string {
	for _, v := range c.net {
		if v.n > 0 {
			return v.val
		}
	}
	for _, v := range c.net {
		if v.n < 0 && v.val == old {
			return ""
		}
	}
	return old // what went had been replaced before
}

func newOverKept(p *plan.Physical, ctx BuildContext, eval *overEval) (*overKept, error) {
	o := &overKept{
		p: p, ctx: ctx, label: ctx.label("OVER"), eval: eval, table: ctx.table(p, 0), width: len(p.Inputs[0].Out),
		rows: column.NewBuilder(p.Inputs[0].Types(), 0), oldRows: column.NewBuilder(p.Types(), 0),
		results: eval.results(0), out: emitter{column.NewBuilder(p.Types(), 0)},
	}
	return o, nil
}

func (o *overKept) Process(_ int, in *column.Batch, out dataflow.Output) error {
	order, err := o.eval.orderOf(in)
	if err != nil {
		return err
	}
	for i := range in.Each {
		o.key = rowenc.AppendKey(o.key[:0], in.Cols, o.p.Keys, i)
		prefix := len(o.key)
		o.key = o.eval.appendOrder(o.key, order, i)
		o.key = rowenc.AppendKey(o.key, in.Cols, o.p.Key, i)
		o.val = rowenc.AppendRow(o.val[:0], in.Cols[:o.width], i)
		c, changed := o.changes.Get(string(o.key))
		o.arrived++
		c.prefix, c.arrival = prefix, o.arrived
		if in.Op(i) == column.Insert {
			c.add(string(o.val), 1)
		} else {
			c.add(string(o.val), -1)
		}
		if o.bytes += int64(len(o.val)) + 32; !changed {
			o.bytes += int64(len(o.key)) + 96
		}
		o.changes.Set(string(o.key), c)
	}
	if o.bytes > o.ctx.budget().now() {
		return o.apply(out) // the changes so far: what they give is netted further down
	}
	return nil
}

// Barrier brings the partitions that changed up to date, one after the other.
func (o *overKept) Barrier(_ state.Epoch, out dataflow.Output) error { return o.apply(out) }

func (o *overKept) apply(out dataflow.Output) error {
	it := o.changes.Iter()
	for ok := it.First(); ok; {
		partition := it.Key()[:it.Value().prefix]
		var keys []string
		var changes []overChange
		for ; ok && it.Value().prefix == len(partition) && strings.HasPrefix(it.Key(), partition); ok = it.Next() {
			keys, changes = append(keys, it.Key()), append(changes, it.Value())
		}
		if err := o.update(partition, keys, changes, out); err != nil {
			return err
		}
	}
	o.changes.Clear()
	o.bytes, o.arrived = 0, 0
	return o.out.flush(out)
}

// keptRow is a row of the partition at hand.
type keptRow struct {
	key     string
	old     int32 // row of oldRows, -1: it is new
	now     int32 // row of rows, -1: it is gone
	arrival int
}

// update computes a partition again and emits and stores what is different.
func (o *overKept) update(partition string, keys []string, changes []overChange, out dataflow.Output) error {
	o.rows.Reset()
	o.oldRows.Reset()
	list, err := o.merge(partition, keys, changes)
	if err != nil {
		return err
	}
	batch := o.rows.Batch()
	if batch.N > 0 {
		if err := o.eval.prepare(batch); err != nil {
			return err
		}
	}
	for _, c := range o.results {
		c.Reset()
	}
	if o.p.Once {
		return o.emitOnce(list, batch, out)
	}
	if batch.N > 0 {
		all := make([]int32, batch.N)
		for i := range all {
			all[i] = int32(i)
		}
		if err := o.eval.partition(all, o.results); err != nil {
			return err
		}
	}
	for _, r := range list {
		if err := o.settle(r, batch, int(r.now), out); err != nil {
			return err
		}
	}
	return nil
}

// merge reads the partition with the changes applied: oldRows as they were, rows as
// they are, both in order.
func (o *overKept) merge(partition string, keys []string, changes []overChange) ([]keptRow, error) {
	var list []keptRow
	next := 0
	change := func(old int32) error {
		r := keptRow{key: keys[next], old: old, now: -1, arrival: changes[next].arrival}
		was := ""
		if old >= 0 {
			was = o.inputRow(old)
		}
		if v := changes[next].after(was); v != "" {
			if err := rowenc.DecodeRow([]byte(v), o.rows); err != nil {
				return err
			}
			r.now = int32(o.rows.Len())
			o.rows.Row(column.Insert)
		}
		list = append(list, r)
		next++
		return nil
	}
	each := func(key, val []byte) error {
		for next < len(keys) && keys[next] < string(key) {
			if err := change(-1); err != nil {
				return err
			}
		}
		if len(val) == 0 || val[0] != stateVersion {
			return column.Corrupt("state of OVER")
		}
		if err := rowenc.DecodeRow(val[1:], o.oldRows); err != nil {
			return err
		}
		old := o.oldRows.Len()
		o.oldRows.Row(column.Insert)
		if next < len(keys) && keys[next] == string(key) {
			return change(int32(old))
		}
		for j := range o.width {
			o.rows.Col(j).AppendFrom(o.oldRows.Col(j), old)
		}
		list = append(list, keptRow{key: string(key), old: int32(old), now: int32(o.rows.Len())})
		o.rows.Row(column.Insert)
		return nil
	}
	if err := o.scan(partition, each); err != nil {
		return nil, err
	}
	for next < len(keys) {
		if err := change(-1); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// inputRow is row i of oldRows as it came in, encoded.
func (o *overKept) inputRow(i int32) string {
	o.val = rowenc.AppendRow(o.val[:0], o.oldRows.Batch().Cols[:o.width], int(i))
	return string(o.val)
}

func (o *overKept) scan(prefix string, each func(key, val []byte) error) error {
	hi := rowenc.PrefixEnd([]byte(prefix))
	if o.table != nil {
		for e, err := range o.table.Scan([]byte(prefix), hi) {
			if err != nil {
				return err
			}
			if err := each(e.Key, e.Value); err != nil {
				return err
			}
		}
		return nil
	}
	var err error
	o.kept.Ascend(prefix, func(k, v string) bool {
		if hi != nil && k >= string(hi) {
			return false
		}
		err = each([]byte(k), []byte(v))
		return err == nil
	})
	return err
}

// settle emits and stores the difference of a row; result is its place in results.
func (o *overKept) settle(r keptRow, batch *column.Batch, result int, out dataflow.Output) error {
	if r.old >= 0 && r.now >= 0 && o.same(r, batch, result) {
		return nil
	}
	if r.old >= 0 {
		o.out.b.AppendRow(o.oldRows.Batch(), int(r.old), column.Delete)
		if err := o.out.full(out); err != nil {
			return err
		}
	}
	if r.now < 0 {
		if r.old < 0 {
			return nil // it came and went within the epoch
		}
		return o.remove(r.key)
	}
	for j, c := range batch.Cols[:o.width] {
		o.out.b.Col(j).AppendFrom(c, int(r.now))
	}
	for j, c := range o.results {
		o.out.b.Col(o.width+j).AppendFrom(c, result)
	}
	o.val = append(o.val[:0], stateVersion)
	n := o.out.b.Len()
	o.out.b.Row(column.Insert)
	o.val = rowenc.AppendRow(o.val, o.out.b.Batch().Cols, n)
	if err := o.store(r.key, o.val); err != nil {
		return err
	}
	return o.out.full(out)
}

func (o *overKept) same(r keptRow, batch *column.Batch, result int) bool {
	old := o.oldRows.Batch().Cols
	for j := range o.width {
		if !column.IdenticalAt(old[j], int(r.old), batch.Cols[j], int(r.now)) {
			return false
		}
	}
	for j, c := range o.results {
		if !column.IdenticalAt(old[o.width+j], int(r.old), c, result) {
			return false
		}
	}
	return true
}

func (o *overKept) store(key string, val []byte) error {
	if o.table != nil {
		return o.table.Put([]byte(key), val)
	}
	o.kept.Set(key, string(val))
	return nil
}

func (o *overKept) remove(key string) error {
	if o.table != nil {
		return o.table.Delete([]byte(key))
	}
	o.kept.Delete(key)
	return nil
}
