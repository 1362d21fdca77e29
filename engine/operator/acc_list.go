package operator

import (
	"encoding/binary"
	"slices"

	"velostream/catalog/types"
	"velostream/engine/sql/expr"
	"velostream/engine/sql/plan"
	"velostream/pgwire/pgerror"
	"velostream/storage/column"
	"velostream/storage/rowenc"
)

// listAcc is string_agg and array_agg. All values are in the multiset in the order of the
// result, and the result is made by reading them: its cost is that of the whole list.
// The order is the ORDER BY of the call, then the value; without ORDER BY arrival, or by
// value with DISTINCT and over input with deletes, where arrival means nothing.
// string_agg skips NULL, array_agg does not.
type listAcc struct {
	set      *multiset
	prefix   byte
	text     bool
	distinct bool
	arrival  bool
	args     []types.Type
	orders   []rowenc.Order
	n, seq   []int64
	key, val []byte
	cols     []*column.Column
	u        groupKeys
}

func newList(a *plan.AggCall, c aggContext, name string, distinct bool) accumulator {
	l := &listAcc{set: c.set, prefix: c.prefix(0), text: name == "string_agg", distinct: distinct, orders: c.orders, u: c.keys}
	l.arrival = len(c.orders) == 0 && c.appends && !distinct
	for _, e := range a.Args {
		l.args = append(l.args, e.Type())
		l.cols = append(l.cols, column.New(e.Type(), 1))
	}
	return l
}

func (a *listAcc) grow(n int)    { a.n, a.seq = resize(a.n, n), resize(a.seq, n) }
func (a *listAcc) reset(g int32) { a.n[g], a.seq[g] = 0, 0 }
func (a *listAcc) width() int64  { return 16 }

func (a *listAcc) update(u *update) error {
	for k, g := range u.gids {
		i, sign := int(u.rows[k]), u.sign(k)
		if a.text && u.args[0].Null(i) {
			continue
		}
		a.n[g] += sign
		a.val = rowenc.AppendRow(a.val[:0], u.args[:len(a.args)], i)
		a.key = append(append(a.key[:0], a.prefix), u.keys.groupKey(g)...)
		for j, c := range u.args[len(a.args):] {
			a.key = rowenc.AppendKeyColumn(a.key, c, i, a.orders[j])
		}
		if a.arrival {
			a.seq[g]++
			a.key = binary.BigEndian.AppendUint64(a.key, uint64(a.seq[g]))
		} else {
			a.key = rowenc.AppendKeyColumn(a.key, u.args[0], i, rowenc.Order{})
			if !a.distinct {
				a.key = append(a.key, a.val...)
			}
		}
		if err := a.set.add(a.key, a.val, sign); err != nil {
			return err
		}
	}
	return nil
}

func (a *listAcc) result(g int32, dst *column.Column) error {
	if a.n[g] == 0 {
		dst.AppendNull()
		return nil
	}
	if !a.text && a.args[0].OID == dst.Type.OID {
		return a.nested(g, dst)
	}
	if dst.Type.Kind() == types.KindList && dst.Elem == nil {
		e, _ := dst.Type.Elem()
		dst.Elem = column.New(e, 0)
	}
	var joined []byte
	first := true
	err := a.each(g, func() error {
		if !a.text {
			dst.Elem.AppendFrom(a.cols[0], 0)
			return nil
		}
		if !first && len(a.cols) > 1 && !a.cols[1].Null(0) {
			joined = append(joined, a.cols[1].Bytes(0)...)
		}
		if !first && len(a.cols) == 1 {
			joined = append(joined, ',')
		}
		first = false
		joined = append(joined, a.cols[0].Bytes(0)...)
		return nil
	})
	if err != nil {
		return err
	}
	if a.text {
		dst.AppendBytes(joined)
		return nil
	}
	if len(dst.Offs) == 0 {
		dst.Offs = append(dst.Offs, 0)
	}
	dst.Offs = append(dst.Offs, uint32(dst.Elem.Len()))
	return nil
}

// each calls f for every value of the list, which is then in cols.
func (a *listAcc) each(g int32, f func() error) error {
	a.key = append(append(a.key[:0], a.prefix), a.u.groupKey(g)...)
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
		n := it.n
		if a.distinct {
			n = 1
		}
		for range n {
			if err := f(); err != nil {
				return err
			}
		}
	}
	return nil
}

// nested is array_agg of arrays: they are the elements of the first dimension.
func (a *listAcc) nested(g int32, dst *column.Column) error {
	var parts []types.Datum
	err := a.each(g, func() error {
		d := a.cols[0].Datum(0)
		switch {
		case d.Null:
			return pgerror.New(pgerror.NullValueNotAllowed, "cannot accumulate null arrays")
		case len(d.List) == 0:
			return pgerror.New(pgerror.ArraySubscriptError, "cannot accumulate empty arrays")
		case len(parts) > 0 && !slices.Equal(parts[0].Dims(dst.Type), d.Dims(dst.Type)):
			return pgerror.New(pgerror.ArraySubscriptError, "cannot accumulate arrays of different dimensionality")
		}
		parts = append(parts, expr.CloneDatum(d))
		return nil
	})
	if err != nil {
		return err
	}
	d, err := expr.NestArrays(dst.Type, parts)
	if err == nil {
		dst.Append(d)
	}
	return err
}

func (a *listAcc) encode(dst []byte, g int32) []byte {
	return appendVar(appendVar(dst, a.n[g]), a.seq[g])
}

func (a *listAcc) decode(b []byte, g int32) ([]byte, error) {
	v, b, err := takeVarints(b, 2)
	if err == nil {
		a.n[g], a.seq[g] = v[0], v[1]
	}
	return b, err
}
