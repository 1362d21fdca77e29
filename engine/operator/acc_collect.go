package operator

import (
	"encoding/binary"

	"velostream/catalog/types"
	"velostream/engine/sql/expr"
	"velostream/engine/sql/plan"
	"velostream/storage/column"
	"velostream/storage/rowenc"
)

// collectAcc is the frame of aggregates whose result is made of all rows of the group in
// an order: JSON lists, ordered-set and hypothetical-set aggregates, top_k, delta. The rows
// are in the multiset under prefix, group, order, with their arguments as values; the
// result reads them all, so its cost is that of the group.
type collectAcc struct {
	set      *multiset
	prefix   byte
	keys     groupKeys
	env      *expr.Env
	call     *plan.AggCall
	args     int // arguments, before the order columns
	orders   []rowenc.Order
	arrival  bool // rows without an order are in that in which they came
	distinct bool
	notNull  int // rows with NULL in this column do not count, -1
	finish   func(a *collectAcc, g int32, dst *column.Column) error
	n, seq   []int64
	key, val []byte
	cols     []*column.Column // the row at hand
	order    []byte           // its place in the order, encoded
}

// collected are the aggregates of this kind; the value tells how the rows are ordered
// and which are left out.
var collected = map[string]struct {
	finish func(a *collectAcc, g int32, dst *column.Column) error
	self   bool // the order is by the first argument
	desc   bool
	nulls  bool // rows with NULL in the ordering value count
}{
	"json_agg":         {finish: finishJSONList, nulls: true},
	"jsonb_agg":        {finish: finishJSONList, nulls: true},
	"json_object_agg":  {finish: finishJSONObject, nulls: true},
	"jsonb_object_agg": {finish: finishJSONObject, nulls: true},
	"percentile_cont":  {finish: finishPercentile},
	"percentile_disc":  {finish: finishPercentile},
	"median":           {finish: finishMedian, self: true},
	"mode":             {finish: finishMode},
	"rank":             {finish: finishHypothetical, nulls: true},
	"dense_rank":       {finish: finishHypothetical, nulls: true},
	"percent_rank":     {finish: finishHypothetical, nulls: true},
	"cume_dist":        {finish: finishHypothetical, nulls: true},
	"top_k":            {finish: finishTopK, self: true, desc: true},
	"delta":            {finish: finishDelta},
}

// ordered reports that an aggregate's order columns follow its arguments.
func ordered(name string) bool {
	switch name {
	case "first_value", "last_value", "string_agg", "array_agg":
		return true
	}
	_, ok := collected[name]
	return ok
}

// orderColumns are the expressions a call is ordered by, and how.
func orderColumns(call *plan.AggCall) ([]expr.Expr, []rowenc.Order) {
	var es []expr.Expr
	var orders []rowenc.Order
	for _, k := range call.OrderBy {
		es = append(es, k.Expr)
		orders = append(orders, rowenc.Order{Desc: k.Desc, NullsFirst: k.NullsFirst})
	}
	if f := collected[aggName(call.Name)]; f.self && len(es) == 0 {
		es, orders = call.Args[:1], []rowenc.Order{{Desc: f.desc}}
	}
	return es, orders
}

func newCollect(call *plan.AggCall, c aggContext, name string, distinct bool) accumulator {
	f := collected[name]
	a := &collectAcc{
		set: c.set, prefix: c.prefix(0), keys: c.keys, env: c.env, call: call, args: len(call.Args), orders: c.orders,
		distinct: distinct, notNull: -1, finish: f.finish,
	}
	a.arrival = len(c.orders) == 0 && c.appends && !distinct
	es, _ := orderColumns(call)
	ts := make([]types.Type, 0, len(call.Args)+len(es))
	for _, e := range append(append([]expr.Expr(nil), call.Args...), es...) {
		ts = append(ts, e.Type())
	}
	for _, t := range ts {
		a.cols = append(a.cols, column.New(t, 1))
	}
	switch {
	case f.nulls:
	case name == "delta":
		a.notNull = 0
	default:
		a.notNull = len(call.Args)
	}
	return a
}

func (a *collectAcc) grow(n int)    { a.n, a.seq = resize(a.n, n), resize(a.seq, n) }
func (a *collectAcc) reset(g int32) { a.n[g], a.seq[g] = 0, 0 }
func (a *collectAcc) width() int64  { return 16 }

func (a *collectAcc) update(u *update) error {
	for k, g := range u.gids {
		i, sign := int(u.rows[k]), u.sign(k)
		if a.notNull >= 0 && u.args[a.notNull].Null(i) {
			continue
		}
		a.n[g] += sign
		a.val = rowenc.AppendRow(a.val[:0], u.args[:len(a.cols)], i)
		a.key = append(append(a.key[:0], a.prefix), u.keys.groupKey(g)...)
		for j, c := range u.args[a.args:len(a.cols)] {
			a.key = rowenc.AppendKeyColumn(a.key, c, i, a.orders[j])
		}
		if a.arrival {
			a.seq[g]++
			a.key = binary.BigEndian.AppendUint64(a.key, uint64(a.seq[g]))
		} else if a.args > 0 {
			a.key = append(a.key, a.val...)
		}
		if err := a.set.add(a.key, a.val, sign); err != nil {
			return err
		}
	}
	return nil
}

func (a *collectAcc) result(g int32, dst *column.Column) error {
	if a.n[g] == 0 && a.call.Name != "rank" && a.call.Name != "dense_rank" && a.call.Name != "percent_rank" && a.call.Name != "cume_dist" {
		dst.AppendNull()
		return nil
	}
	return a.finish(a, g, dst)
}

// each calls f for the rows in order, with cols set to the row and n how often it is there;
// f returns false to stop.
func (a *collectAcc) each(g int32, f func(n int64) (bool, error)) error {
	a.key = append(append(a.key[:0], a.prefix), a.keys.groupKey(g)...)
	skip := len(a.key)
	for it, err := range a.set.scan(a.key) {
		if err != nil {
			return err
		}
		for _, c := range a.cols {
			c.Reset()
		}
		if _, err := rowenc.DecodeColumns(it.val, a.cols); err != nil {
			return err
		}
		a.order = it.key[skip:]
		n := it.n
		if a.distinct {
			n = 1
		}
		if more, err := f(n); !more || err != nil {
			return err
		}
	}
	return nil
}

func (a *collectAcc) encode(dst []byte, g int32) []byte {
	return appendVar(appendVar(dst, a.n[g]), a.seq[g])
}

func (a *collectAcc) decode(b []byte, g int32) ([]byte, error) {
	v, b, err := takeVarints(b, 2)
	if err == nil {
		a.n[g], a.seq[g] = v[0], v[1]
	}
	return b, err
}
