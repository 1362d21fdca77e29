package operator

import (
	"slices"
	"strings"

	"velostream/engine/dataflow"
	"velostream/engine/sql/plan"
	"velostream/storage/column"
	"velostream/storage/rowenc"
	"velostream/storage/state"
)

// overAhead computes window functions of append-only input that look at a constant number of
// rows back and ahead (lead, lag, ROWS frames). A row leaves once, when Ahead rows have come
// behind it in the order, with the results over the rows of its partition so far:
//
//	──── back ────┬─ leaves ─┬── ahead, waiting ──►
//
// A row that comes out of order leaves at once where there are rows enough behind it. The last
// rows of a partition wait. A row in order costs what the calls look at; one out of order, and
// the first after a start, the partition.
//
// Table 0: partition, order, stream key → version, 1 while it waits, row.
type overAhead struct {
	dataflow.Stateless
	p     *plan.Physical
	ctx   BuildContext
	label string
	eval  *overEval // of the order of input batches
	calls *overEval // over the rows near the one that leaves, while an input batch is at hand
	rows  entries
	width int
	back  int
	ahead int

	parts map[string][]aheadRow // the last rows of partitions
	bytes int64

	near    *column.Builder // the rows that a row's results are made of
	results []*column.Column
	out     emitter
	key     []byte
}

// aheadRow is a row of a partition.
type aheadRow struct {
	key, row string
	waits    bool
}

func newOverAhead(p *plan.Physical, ctx BuildContext, eval *overEval) (dataflow.Operator, error) {
	in := p.Inputs[0].Types()
	calls, err := newOverEval(p, ctx)
	if err != nil {
		return nil, err
	}
	o := &overAhead{
		p: p, ctx: ctx, label: ctx.label("OVER"), eval: eval, calls: calls, rows: newEntries(ctx, ctx.table(p, 0), ctx.label("OVER")),
		width: len(in), back: p.Back, ahead: p.Ahead, parts: map[string][]aheadRow{}, results: calls.results(0),
		near: column.NewBuilder(in, 0), out: emitter{column.NewBuilder(p.Types(), 0)},
	}
	return o, nil
}

func (o *overAhead) Process(_ int, in *column.Batch, out dataflow.Output) error {
	if hasDeletes(in) {
		return broken(o.label, "a row is deleted from append-only input")
	}
	order, err := o.eval.orderOf(in)
	if err != nil {
		return err
	}
	for i := range in.Each {
		o.key = rowenc.AppendKey(o.key[:0], in.Cols, o.p.Keys, i)
		prefix := string(o.key)
		o.key = o.eval.appendOrder(o.key, order, i)
		o.key = rowenc.AppendKey(o.key, in.Cols, o.p.Inputs[0].Key, i)
		r := aheadRow{key: string(o.key), row: string(rowenc.AppendRow(nil, in.Cols[:o.width], i)), waits: true}
		if err := o.come(prefix, r, out); err != nil {
			return err
		}
		if o.bytes > o.ctx.budget().now()/2 {
			o.parts, o.bytes = map[string][]aheadRow{}, 0
		}
	}
	return o.out.flush(out)
}

// come takes in a row and lets those go that have rows enough behind them now.
func (o *overAhead) come(prefix string, r aheadRow, out dataflow.Output) error {
	list, ok := o.parts[prefix]
	if !ok || len(list) > 0 && r.key < list[len(list)-1].key {
		var err error
		if list, err = o.read(prefix); err != nil {
			return err
		}
	}
	at, _ := slices.BinarySearchFunc(list, r.key, func(x aheadRow, key string) int { return strings.Compare(x.key, key) })
	list = slices.Insert(list, at, r)
	if err := o.store(r); err != nil {
		return err
	}
	for i := 0; i+o.ahead < len(list); i++ {
		if !list[i].waits {
			continue
		}
		if err := o.emit(list, i, out); err != nil {
			return err
		}
		list[i].waits = false
		if err := o.store(list[i]); err != nil {
			return err
		}
	}
	if n := len(list) - (o.back + o.ahead + 1); n > 0 {
		list = slices.Clone(list[n:])
	}
	if !ok {
		o.bytes += int64(len(prefix)) + 100
		for _, x := range list {
			o.bytes += int64(len(x.key)+len(x.row)) + 48
		}
	} else if len(list) <= o.back+o.ahead {
		o.bytes += int64(len(r.key)+len(r.row)) + 48
	}
	o.parts[prefix] = list
	return nil
}

// read is a whole partition.
func (o *overAhead) read(prefix string) ([]aheadRow, error) {
	var list []aheadRow
	err := o.rows.scan([]byte(prefix), rowenc.PrefixEnd([]byte(prefix)), func(k, v []byte) (bool, error) {
		if len(v) < 2 || v[0] != stateVersion {
			return false, column.Corrupt("state of OVER")
		}
		list = append(list, aheadRow{key: string(k), row: string(v[2:]), waits: v[1] == 1})
		return true, nil
	})
	return list, err
}

func (o *overAhead) store(r aheadRow) error {
	v := []byte{stateVersion, 0}
	if r.waits {
		v[1] = 1
	}
	return o.rows.put([]byte(r.key), append(v, r.row...))
}

// emit gives row i of list with its results.
func (o *overAhead) emit(list []aheadRow, i int, out dataflow.Output) error {
	from, to := max(0, i-o.back), min(len(list), i+o.ahead+1)
	o.near.Reset()
	all := make([]int32, 0, to-from)
	for k, r := range list[from:to] {
		if err := rowenc.DecodeRow([]byte(r.row), o.near); err != nil {
			return err
		}
		o.near.Row(column.Insert)
		all = append(all, int32(k))
	}
	batch := o.near.Batch()
	if err := o.calls.prepare(batch); err != nil {
		return err
	}
	for _, c := range o.results {
		c.Reset()
	}
	if err := o.calls.partition(all, o.results); err != nil {
		return err
	}
	for j := range o.width {
		o.out.b.Col(j).AppendFrom(batch.Cols[j], i-from)
	}
	for j, c := range o.results {
		o.out.b.Col(o.width+j).AppendFrom(c, i-from)
	}
	o.out.b.Row(column.Insert)
	return o.out.full(out)
}

// Barrier has nothing left to emit; the table is written in Process.
func (o *overAhead) Barrier(_ state.Epoch, out dataflow.Output) error { return o.out.flush(out) }
