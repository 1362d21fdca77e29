package operator

import (
	"encoding/binary"

	"velostream/catalog/types"
	"velostream/storage/column"
	"velostream/storage/rowenc"
)

// newFirst makes first_value and last_value: the value of the first or last row of the
// group by the order columns (ORDER BY of the call; the event time in windowed queries),
// without any by arrival. NULL counts as a value. Rows that are equal in the order go by
// arrival, over input with deletes by value.
func newFirst(c aggContext, t types.Type, last bool) accumulator {
	if c.appends {
		return &firstAcc{last: last, orders: c.orders, v: newKeyCol(t)}
	}
	orders := c.orders
	if last {
		orders = make([]rowenc.Order, len(c.orders))
		for k, o := range c.orders {
			orders[k] = rowenc.Order{Desc: !o.Desc, NullsFirst: !o.NullsFirst}
		}
	}
	return &firstSet{set: c.set, prefix: c.prefix(0), index: c.prefix(1), typ: t, last: last, orders: orders, u: c.keys}
}

// firstAcc is first_value and last_value over append-only input: the value so far with
// its place in the order, a time in a word or the bytes of a key.
type firstAcc struct {
	last   bool
	orders []rowenc.Order
	has    []bool
	v      keyCol
	at     []int64  // a single integer order column without NULLs so far
	keys   []string // else; "" when at holds the place
	key    []byte
}

func (a *firstAcc) grow(n int) {
	a.has = resize(a.has, n)
	a.v.grow(n)
	if len(a.orders) > 0 {
		a.at = resize(a.at, n)
	}
	if a.keys != nil {
		a.keys = resize(a.keys, n)
	}
}

func (a *firstAcc) reset(g int32) {
	a.has[g] = false
	a.v.clear(g)
	if a.keys != nil {
		a.keys[g] = ""
	}
}
func (a *firstAcc) width() int64 { return 40 }

func (a *firstAcc) update(u *update) error {
	v := u.args[0]
	if len(a.orders) == 0 {
		for k, g := range u.gids {
			if !a.has[g] || a.last {
				a.put(g, v, int(u.rows[k]))
			}
		}
		return nil
	}
	o := u.args[len(u.args)-len(a.orders):]
	if len(o) == 1 && o[0].Type.Kind() == types.KindInt && len(o[0].Nulls) == 0 && a.keys == nil && !a.orders[0].Desc {
		a.updateByTime(u, v, o[0].Ints)
		return nil
	}
	a.toKeys()
	for k, g := range u.gids {
		i := int(u.rows[k])
		a.key = a.key[:0]
		for j, c := range o {
			a.key = rowenc.AppendKeyColumn(a.key, c, i, a.orders[j])
		}
		if !a.has[g] || (!a.last && string(a.key) < a.keys[g]) || (a.last && string(a.key) >= a.keys[g]) {
			a.put(g, v, i)
			a.keys[g] = string(a.key)
		}
	}
	return nil
}

func (a *firstAcc) updateByTime(u *update, v *column.Column, times []int64) {
	if !a.last {
		for k, g := range u.gids {
			if i := u.rows[k]; !a.has[g] || times[i] < a.at[g] {
				a.put(g, v, int(i))
				a.at[g] = times[i]
			}
		}
		return
	}
	for k, g := range u.gids {
		if i := u.rows[k]; !a.has[g] || times[i] >= a.at[g] {
			a.put(g, v, int(i))
			a.at[g] = times[i]
		}
	}
}

func (a *firstAcc) put(g int32, v *column.Column, i int) {
	if len(v.Nulls) == 0 && len(a.v.nulls) == 0 {
		switch a.v.kind {
		case types.KindFloat:
			a.v.floats[g], a.has[g] = v.Floats[i], true
			return
		case types.KindInt:
			a.v.ints[g], a.has[g] = v.Ints[i], true
			return
		case types.KindDecimal:
			a.v.decs[g], a.has[g] = v.Decs[i], true
			return
		default:
		}
	}
	a.has[g] = true
	a.v.replace(g, v, i)
}

// toKeys turns places held as words into keys, once a batch needs keys.
func (a *firstAcc) toKeys() {
	if a.keys != nil {
		return
	}
	a.keys = make([]string, len(a.has), cap(a.has))
	tmp := column.New(types.Int8, 1)
	for g, has := range a.has {
		if has {
			tmp.Reset()
			tmp.Ints = append(tmp.Ints, a.at[g])
			a.keys[g] = string(rowenc.AppendKeyColumn(nil, tmp, 0, a.orders[0]))
		}
	}
}

func (a *firstAcc) result(g int32, dst *column.Column) error {
	if !a.has[g] {
		dst.AppendNull()
		return nil
	}
	a.v.appendTo(dst, g)
	return nil
}

// encode writes 0 (no row yet), or 1 (place in a word) or 2 (a key), place, value.
func (a *firstAcc) encode(dst []byte, g int32) []byte {
	switch {
	case !a.has[g]:
		return append(dst, 0)
	case a.keys != nil:
		dst = binary.AppendUvarint(append(dst, 2), uint64(len(a.keys[g])))
		dst = append(dst, a.keys[g]...)
	case len(a.orders) > 0:
		dst = binary.AppendVarint(append(dst, 1), a.at[g])
	default:
		dst = append(dst, 1, 0)
	}
	return a.v.encode(dst, g)
}

func (a *firstAcc) decode(b []byte, g int32) ([]byte, error) {
	if len(b) == 0 || b[0] > 2 {
		return nil, column.Corrupt("aggregate state")
	}
	form := b[0]
	if b = b[1:]; form == 0 {
		return b, nil
	}
	a.has[g] = true
	if form == 2 {
		n, k := binary.Uvarint(b)
		if k <= 0 || n > uint64(len(b)-k) || len(a.orders) == 0 {
			return nil, column.Corrupt("aggregate state")
		}
		a.has[g] = false // its word means nothing
		a.toKeys()
		a.has[g] = true
		a.keys[g] = string(b[k : k+int(n)])
		return a.v.decode(b[k+int(n):], g)
	}
	at, b, err := takeVarint(b)
	if err != nil {
		return nil, err
	}
	if len(a.orders) > 0 {
		a.at[g] = at
	}
	if a.keys != nil {
		tmp := column.New(types.Int8, 1)
		tmp.Ints = append(tmp.Ints, at)
		a.keys[g] = string(rowenc.AppendKeyColumn(nil, tmp, 0, a.orders[0]))
	}
	return a.v.decode(b, g)
}

// firstSet is first_value and last_value over input with deletes; all rows are in the
// multiset, the wanted one first:
//
//	prefix, group, order key (turned round for last), value   with order columns
//	prefix, group, number (inverted for last)                 by arrival, and
//	index, group, value, number inverted                      to find what a Delete takes away:
//	                                                          the newest row with the value
type firstSet struct {
	set           *multiset
	prefix, index byte
	typ           types.Type
	last          bool
	orders        []rowenc.Order
	n, seq        []int64
	key, val      []byte
	num           [8]byte
	u             groupKeys
}

func (a *firstSet) grow(n int)    { a.n, a.seq = resize(a.n, n), resize(a.seq, n) }
func (a *firstSet) reset(g int32) { a.n[g], a.seq[g] = 0, 0 }
func (a *firstSet) width() int64  { return 16 }

func (a *firstSet) update(u *update) error {
	for k, g := range u.gids {
		i, sign := int(u.rows[k]), u.sign(k)
		a.n[g] += sign
		a.val = rowenc.AppendRow(a.val[:0], u.args[:1], i)
		var err error
		if len(a.orders) > 0 {
			a.key = append(append(a.key[:0], a.prefix), u.keys.groupKey(g)...)
			for j, c := range u.args[len(u.args)-len(a.orders):] {
				a.key = rowenc.AppendKeyColumn(a.key, c, i, a.orders[j])
			}
			a.key = rowenc.AppendKeyColumn(a.key, u.args[0], i, rowenc.Order{Desc: a.last})
			a.key = append(a.key, a.val...)
			err = a.set.add(a.key, a.val, sign)
		} else {
			err = a.byArrival(u, g, i, sign)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (a *firstSet) byArrival(u *update, g int32, i int, sign int64) error {
	group := u.keys.groupKey(g)
	value := append(append([]byte(nil), a.index), group...)
	value = append(rowenc.AppendKeyColumn(value, u.args[0], i, rowenc.Order{}), a.val...)
	if sign > 0 {
		a.seq[g]++
		binary.BigEndian.PutUint64(a.num[:], ^uint64(a.seq[g]))
	} else {
		it, ok, err := a.set.first(value)
		if err != nil {
			return err
		}
		if !ok || len(it.key) < 8 {
			return broken(a.set.label, "a value is removed that is not there")
		}
		copy(a.num[:], it.key[len(it.key)-8:])
	}
	if err := a.set.add(append(value, a.num[:]...), nil, sign); err != nil {
		return err
	}
	a.key = append(append(a.key[:0], a.prefix), group...)
	for _, x := range a.num {
		if !a.last {
			x = ^x
		}
		a.key = append(a.key, x)
	}
	return a.set.add(a.key, a.val, sign)
}

func (a *firstSet) result(g int32, dst *column.Column) error {
	if a.n[g] == 0 {
		dst.AppendNull()
		return nil
	}
	a.key = append(append(a.key[:0], a.prefix), a.u.groupKey(g)...)
	it, ok, err := a.set.first(a.key)
	if err != nil {
		return err
	}
	if !ok {
		return broken(a.set.label, "the values of a group are missing")
	}
	_, err = rowenc.DecodeColumns(it.val, []*column.Column{dst})
	return err
}

func (a *firstSet) encode(dst []byte, g int32) []byte {
	return appendVar(appendVar(dst, a.n[g]), a.seq[g])
}

func (a *firstSet) decode(b []byte, g int32) ([]byte, error) {
	v, b, err := takeVarints(b, 2)
	if err == nil {
		a.n[g], a.seq[g] = v[0], v[1]
	}
	return b, err
}
