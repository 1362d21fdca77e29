package operator

import (
	"bytes"
	"encoding/binary"
	"sort"

	"github.com/tidwall/btree"

	"velostream/engine/dataflow"
	"velostream/engine/sql/plan"
	"velostream/pgwire/pgerror"
	"velostream/storage/column"
	"velostream/storage/rowenc"
	"velostream/storage/state"
)

// topN maintains ORDER BY … LIMIT … OFFSET: at Barrier the difference between the rows
// that were in the range and those that are now. Rows that are equal in the order go by
// stream key, so the result is a function of the set of rows.
//
// In memory is a window of the first offset + limit rows and some slack, sorted; the
// other rows are in the table only. A row that leaves the window is made up for from the slack,
// and when that is used up from the table. Of append-only input what is beyond the
// window can never come back and is forgotten.
//
// Table 0: order key, stream key → version, row (rowenc.AppendRow).
type topN struct {
	p       *plan.Physical
	ctx     BuildContext
	label   string
	table   state.Table
	appends bool
	evs     []evaluator
	orders  []rowenc.Order
	stream  []int
	// Rows of append-only input without a stream key (bounded queries) are told apart, and
	// ordered where equal, by a number in order of arrival.
	numbered bool
	number   uint64
	offset   int
	need     int // offset + limit
	room     int // need and slack

	window   []topRow
	complete bool // there are no rows but those of the window
	beyond   btree.Map[string, string]
	bytes    int64
	shown    []topRow
	out      emitter
	key, val []byte
	cols     []*column.Column
}

// topNBytesMin is what a Top-N may keep whatever its budget: the rows of a small
// LIMIT have to be somewhere.
const topNBytesMin = 1 << 20

// topRow is a row by its state key and value.
type topRow struct{ key, val string }

func newTopN(p *plan.Physical, ctx BuildContext) (dataflow.Operator, error) {
	count, offset, err := limits(p, ctx)
	if err != nil {
		return nil, err
	}
	appends := len(p.Inputs) == 1 && p.Inputs[0].AppendOnly
	if few := int64(2048); appends && ctx.table(p, 0) == nil && (offset > few || count > few-offset) {
		return newSorter(p, ctx, offset, count)
	}
	const most = 1 << 24
	if offset > most || count > most-offset {
		return nil, pgerror.New(pgerror.ProgramLimitExceeded, "a maintained ORDER BY can keep at most %d rows (LIMIT and OFFSET)", most)
	}
	t := &topN{
		p: p, ctx: ctx, label: ctx.label("ORDER BY … LIMIT"), table: ctx.table(p, 0), stream: p.Key,
		offset: int(offset), need: int(offset + count), complete: true, out: emitter{column.NewBuilder(p.Types(), 0)},
	}
	t.room = t.need + max(16, min(t.need/2, 4096))
	t.appends = appends
	t.numbered = appends && len(t.stream) == 0
	if len(t.stream) == 0 && !appends {
		for j := range p.Out {
			t.stream = append(t.stream, j)
		}
	}
	for _, k := range p.Sort {
		ev, err := compileExpr(k.Expr)
		if err != nil {
			return nil, err
		}
		t.evs = append(t.evs, ev)
		t.orders = append(t.orders, rowenc.Order{Desc: k.Desc, NullsFirst: k.NullsFirst})
	}
	t.cols = make([]*column.Column, len(t.evs))
	if t.table != nil && !t.table.Fresh() {
		t.complete = false
		if err := t.refill(); err != nil {
			return nil, err
		}
		t.shown = append(t.shown, t.visible()...)
	}
	return t, nil
}

// Watermark does nothing.
func (t *topN) Watermark(dataflow.Watermark, dataflow.Output) error { return nil }

func (t *topN) Process(_ int, in *column.Batch, _ dataflow.Output) error {
	for k := range t.evs {
		c, err := t.evs[k].eval(t.ctx.Env, in)
		if err != nil {
			return err
		}
		t.cols[k] = c
	}
	for i := range in.Each {
		t.key = t.key[:0]
		for k, c := range t.cols {
			t.key = rowenc.AppendKeyColumn(t.key, c, i, t.orders[k])
		}
		op := in.Op(i)
		if op == column.Insert && t.appends && !t.complete && t.past(t.key) {
			continue
		}
		t.key = rowenc.AppendKey(t.key, in.Cols, t.stream, i)
		if t.numbered {
			t.number++
			t.key = binary.BigEndian.AppendUint64(t.key, t.number)
		}
		t.val = rowenc.AppendRow(append(t.val[:0], stateVersion), in.Cols[:len(t.p.Out)], i)
		var err error
		if op == column.Insert {
			err = t.insert()
		} else {
			err = t.remove()
		}
		if err != nil {
			return err
		}
	}
	if t.bytes > max(t.ctx.budget().now(), topNBytesMin) {
		return t.ctx.budget().exceeded(t.label, t.bytes)
	}
	return nil
}

// past reports that a row whose key begins so comes after the whole window.
func (t *topN) past(key []byte) bool {
	n := len(t.window)
	return n >= t.need && n > 0 && string(key) > t.window[n-1].key
}

func (t *topN) find(key []byte) (int, bool) {
	at := sort.Search(len(t.window), func(k int) bool { return t.window[k].key >= string(key) })
	return at, at < len(t.window) && t.window[at].key == string(key)
}

// insert takes in the row of t.key and t.val.
func (t *topN) insert() error {
	at, found := t.find(t.key)
	switch {
	case found:
		t.window[at].val = string(t.val)
	case at < len(t.window) || t.complete:
		t.window = append(t.window, topRow{})
		copy(t.window[at+1:], t.window[at:])
		t.window[at] = topRow{string(t.key), string(t.val)}
		t.bytes += int64(len(t.key) + len(t.val) + 32)
		if len(t.window) > t.room {
			if err := t.drop(at); err != nil || at == t.room {
				return err
			}
		}
	case t.appends && len(t.window) >= t.need:
		return nil
	case t.table == nil:
		t.beyond.Set(string(t.key), string(t.val))
		t.bytes += int64(len(t.key) + len(t.val) + 64)
	}
	if t.table == nil {
		return nil
	}
	return t.table.Put(t.key, t.val)
}

// drop takes the last row out of the window after one came in at; the table keeps it
// unless it can't come back.
func (t *topN) drop(at int) error {
	last := t.window[t.room]
	t.window[t.room] = topRow{}
	t.window = t.window[:t.room]
	t.complete = false
	switch {
	case t.appends:
		t.bytes -= int64(len(last.key) + len(last.val) + 32)
		if t.table != nil && at != t.room {
			return t.table.Delete([]byte(last.key))
		}
	case t.table == nil:
		t.bytes += 32
		t.beyond.Set(last.key, last.val)
	case at == t.room:
		return t.table.Put([]byte(last.key), []byte(last.val))
	}
	return nil
}

// remove takes out the row of t.key and t.val.
func (t *topN) remove() error {
	if t.appends {
		return broken(t.label, "a row is deleted from append-only input")
	}
	at, found := t.find(t.key)
	switch {
	case found && t.window[at].val != string(t.val):
		return nil // its successor came first and took the place
	case found:
		t.bytes -= int64(len(t.key) + len(t.val) + 32)
		copy(t.window[at:], t.window[at+1:])
		t.window[len(t.window)-1] = topRow{}
		t.window = t.window[:len(t.window)-1]
	case t.complete:
		return broken(t.label, "a row is deleted that is not there")
	case t.table == nil:
		if _, ok := t.beyond.Delete(string(t.key)); !ok {
			return broken(t.label, "a row is deleted that is not there")
		}
		t.bytes -= int64(len(t.key) + len(t.val) + 64)
	}
	if t.table == nil {
		return nil
	}
	return t.table.Delete(t.key)
}

// refill fills the window from the rows beyond it.
func (t *topN) refill() error {
	var from []byte
	if n := len(t.window); n > 0 {
		from = append([]byte(t.window[n-1].key), 0)
	}
	if t.table == nil {
		t.complete = true
		t.beyond.Ascend(string(from), func(k, v string) bool {
			if len(t.window) == t.room {
				t.complete = false
				return false
			}
			t.window = append(t.window, topRow{k, v})
			return true
		})
		for _, r := range t.window {
			t.beyond.Delete(r.key)
		}
		return nil
	}
	for e, err := range t.table.Scan(from, nil) {
		if err != nil {
			return err
		}
		if len(t.window) == t.room {
			return nil
		}
		if len(e.Value) == 0 || e.Value[0] != stateVersion {
			return column.Corrupt("state of ORDER BY … LIMIT")
		}
		t.bytes += int64(len(e.Key) + len(e.Value) + 32)
		t.window = append(t.window, topRow{string(e.Key), string(e.Value)})
	}
	t.complete = true
	return nil
}

// visible is the range of the window that the query shows.
func (t *topN) visible() []topRow {
	n := len(t.window)
	return t.window[min(t.offset, n):min(t.need, n)]
}

// Barrier emits the difference to the last barrier. The table is written in Process.
func (t *topN) Barrier(_ state.Epoch, out dataflow.Output) error {
	if len(t.window) < t.need && !t.complete {
		if err := t.refill(); err != nil {
			return err
		}
	}
	now := t.visible()
	changed := false
	was := t.shown
	for i, j := 0, 0; i < len(was) || j < len(now); {
		var c int
		switch {
		case i == len(was):
			c = 1
		case j == len(now):
			c = -1
		default:
			c = bytes.Compare([]byte(was[i].key), []byte(now[j].key))
		}
		if c == 0 && was[i].val == now[j].val {
			i, j = i+1, j+1
			continue
		}
		changed = true
		if c <= 0 {
			if err := t.emit(was[i], column.Delete, out); err != nil {
				return err
			}
			i++
		}
		if c >= 0 {
			if err := t.emit(now[j], column.Insert, out); err != nil {
				return err
			}
			j++
		}
	}
	if changed {
		t.shown = append(t.shown[:0], now...)
	}
	return t.out.flush(out)
}

func (t *topN) emit(r topRow, op column.Op, out dataflow.Output) error {
	if err := rowenc.DecodeRow([]byte(r.val[1:]), t.out.b); err != nil {
		return err
	}
	t.out.b.Row(op)
	return t.out.full(out)
}
