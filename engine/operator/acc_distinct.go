package operator

import (
	"encoding/binary"

	"velostream/storage/column"
	"velostream/storage/rowenc"
)

// distinctAcc passes to the aggregate inside it each value once: when its first copy
// comes and when its last one goes. How many copies there are is in the multiset, under
// prefix, group, value. Once the multiset is on disk, which of bounded input it may be, the values are
// only collected, and passed on when the result is asked for.
type distinctAcc struct {
	inner  accumulator
	set    *multiset
	prefix byte
	key    []byte
	val    []byte
	sub    update
	vals   *column.Column // of result
	keys   groupKeys
}

func (a *distinctAcc) grow(n int)    { a.inner.grow(n) }
func (a *distinctAcc) reset(g int32) { a.inner.reset(g) }
func (a *distinctAcc) width() int64  { return a.inner.width() }

func (a *distinctAcc) update(u *update) error {
	s := &a.sub
	s.args, s.keys = u.args, u.keys
	s.rows, s.gids, s.signs = s.rows[:0], s.gids[:0], s.signs[:0]
	c := u.args[0]
	for k, g := range u.gids {
		i := int(u.rows[k])
		if c.Null(i) {
			continue
		}
		a.key = append(append(a.key[:0], a.prefix), u.keys.groupKey(g)...)
		a.key = rowenc.AppendKeyColumn(a.key, c, i, rowenc.Order{})
		a.val = column.AppendValue(a.val[:0], c, i)
		sign := u.sign(k)
		if a.set.runs != nil {
			if err := a.set.add(a.key, a.val, sign); err != nil {
				return err
			}
			continue
		}
		before, err := a.set.exact(a.key, a.val, sign)
		if err != nil {
			return err
		}
		if before == 0 || before+sign == 0 {
			s.rows, s.gids, s.signs = append(s.rows, u.rows[k]), append(s.gids, g), append(s.signs, int8(sign))
		}
	}
	if len(s.rows) == 0 {
		return nil
	}
	return a.inner.update(s)
}

func (a *distinctAcc) encode(dst []byte, g int32) []byte        { return a.inner.encode(dst, g) }
func (a *distinctAcc) decode(b []byte, g int32) ([]byte, error) { return a.inner.decode(b, g) }

func (a *distinctAcc) result(g int32, dst *column.Column) error {
	if a.set.runs != nil {
		if err := a.collected(g); err != nil {
			return err
		}
	}
	return a.inner.result(g, dst)
}

// collected passes on the values of g that are on disk.
func (a *distinctAcc) collected(g int32) error {
	a.inner.reset(g)
	s := &a.sub
	s.args, s.signs, s.rows, s.gids = []*column.Column{a.vals}, nil, s.rows[:0], s.gids[:0]
	a.vals.Reset()
	pass := func() error {
		err := a.inner.update(s)
		a.vals.Reset()
		s.rows, s.gids = s.rows[:0], s.gids[:0]
		return err
	}
	a.key = append(append(a.key[:0], a.prefix), a.keys.groupKey(g)...)
	for it, err := range a.set.scan(a.key) {
		if err != nil {
			return err
		}
		if _, err := column.DecodeValue(it.val, a.vals); err != nil {
			return err
		}
		s.rows, s.gids = append(s.rows, int32(len(s.rows))), append(s.gids, g)
		if len(s.rows) == maxBatch {
			if err := pass(); err != nil {
				return err
			}
		}
	}
	if len(s.rows) == 0 {
		return nil
	}
	return pass()
}

func appendVar(dst []byte, v int64) []byte { return binary.AppendVarint(dst, v) }
