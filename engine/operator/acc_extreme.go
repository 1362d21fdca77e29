package operator

import (
	"velostream/catalog/types"
	"velostream/storage/column"
	"velostream/storage/rowenc"
)

// extreme is min and max over append-only input: the best value so far.
type extreme struct {
	max bool
	has []bool
	v   keyCol
}

func newExtreme(t types.Type, greatest bool) *extreme {
	return &extreme{max: greatest, v: newKeyCol(t)}
}

func (a *extreme) grow(n int)    { a.has = resize(a.has, n); a.v.grow(n) }
func (a *extreme) reset(g int32) { a.has[g] = false; a.v.clear(g) }
func (a *extreme) width() int64  { return 24 }

func (a *extreme) update(u *update) error {
	c := u.args[0]
	if len(c.Nulls) == 0 {
		switch a.v.kind {
		case types.KindInt:
			for k, g := range u.gids {
				v := c.Ints[u.rows[k]]
				if !a.has[g] || (v < a.v.ints[g]) != a.max && v != a.v.ints[g] {
					a.has[g], a.v.ints[g] = true, v
				}
			}
			return nil
		case types.KindFloat:
			for k, g := range u.gids {
				v := c.Floats[u.rows[k]]
				if !a.has[g] || (compareFloats(v, a.v.floats[g]) < 0) != a.max && v != a.v.floats[g] {
					a.has[g], a.v.floats[g] = true, v
				}
			}
			return nil
		case types.KindDecimal:
			for k, g := range u.gids {
				if a.has[g] {
					d, ok := c.Decs[u.rows[k]].CmpWord(&a.v.decs[g])
					if ok && (d == 0 || (d > 0) != a.max) {
						continue
					}
				}
				a.one(c, int(u.rows[k]), g)
			}
			return nil
		default:
		}
	}
	for k, g := range u.gids {
		if i := int(u.rows[k]); !c.Null(i) {
			a.one(c, i, g)
		}
	}
	return nil
}

// one takes in row i of c, which is not NULL.
func (a *extreme) one(c *column.Column, i int, g int32) {
	if !a.has[g] {
		a.has[g] = true
		a.v.set(g, c, i)
		return
	}
	d := a.v.compare(c, i, g)
	if a.max {
		d = -d
		if a.v.kind == types.KindDecimal && a.v.decs[g].Equal(c.Decs[i]) {
			d = -d // fewer digits first, for max too
		}
	}
	if d < 0 {
		a.v.replace(g, c, i)
	}
}

func (a *extreme) result(g int32, dst *column.Column) error {
	if !a.has[g] {
		dst.AppendNull()
		return nil
	}
	a.v.appendTo(dst, g)
	return nil
}

func (a *extreme) encode(dst []byte, g int32) []byte {
	if !a.has[g] {
		return append(dst, 0)
	}
	return a.v.encode(append(dst, 1), g)
}

func (a *extreme) decode(b []byte, g int32) ([]byte, error) {
	if len(b) == 0 || b[0] > 1 {
		return nil, column.Corrupt("aggregate state")
	}
	a.has[g] = b[0] == 1
	if !a.has[g] {
		return b[1:], nil
	}
	return a.v.decode(b[1:], g)
}

// extremeSet is min and max over input with deletes: all values are in a multiset,
// ordered so that the wanted one is first. The first value of a group is kept until it
// leaves; only then is the set asked.
//
// Key in the set: prefix, group, value (inverted for max), exact value.
type extremeSet struct {
	set    *multiset
	prefix byte
	typ    types.Type
	max    bool
	n      []int64
	best   []string // key of the first value after the group's; "" when unknown
	exact  []string // its exact value
	key    []byte
	val    []byte
	u      groupKeys
}

func (a *extremeSet) grow(n int) {
	a.n, a.best, a.exact = resize(a.n, n), resize(a.best, n), resize(a.exact, n)
}
func (a *extremeSet) reset(g int32) { a.n[g], a.best[g], a.exact[g] = 0, "", "" }
func (a *extremeSet) width() int64  { return 80 }

func (a *extremeSet) update(u *update) error {
	a.u = u.keys
	c := u.args[0]
	for k, g := range u.gids {
		i := int(u.rows[k])
		if c.Null(i) {
			continue
		}
		sign := u.sign(k)
		a.key = append(append(a.key[:0], a.prefix), u.keys.groupKey(g)...)
		at := len(a.key)
		a.key = rowenc.AppendKeyColumn(a.key, c, i, rowenc.Order{Desc: a.max})
		a.val = column.AppendValue(a.val[:0], c, i)
		a.key = append(a.key, a.val...)
		if err := a.set.add(a.key, a.val, sign); err != nil {
			return err
		}
		was := a.n[g]
		a.n[g] += sign
		part := string(a.key[at:])
		switch {
		case sign < 0 && part == a.best[g]:
			a.best[g] = "" // there may be another of it; ask
		case sign > 0 && (was == 0 || a.best[g] != "" && part < a.best[g]):
			a.best[g], a.exact[g] = part, string(a.val)
		}
	}
	return nil
}

func (a *extremeSet) result(g int32, dst *column.Column) error {
	if a.n[g] == 0 {
		dst.AppendNull()
		return nil
	}
	if a.best[g] == "" {
		a.key = append(append(a.key[:0], a.prefix), a.u.groupKey(g)...)
		at := len(a.key)
		it, ok, err := a.set.first(a.key)
		if err != nil {
			return err
		}
		if !ok {
			return broken(a.set.label, "the values of a group are missing")
		}
		a.best[g], a.exact[g] = string(it.key[at:]), string(it.val)
	}
	_, err := column.DecodeValue([]byte(a.exact[g]), dst)
	return err
}

func (a *extremeSet) encode(dst []byte, g int32) []byte { return appendVar(dst, a.n[g]) }

func (a *extremeSet) decode(b []byte, g int32) (rest []byte, err error) {
	a.n[g], rest, err = takeVarint(b)
	return rest, err
}
