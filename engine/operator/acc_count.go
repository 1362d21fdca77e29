package operator

import (
	"encoding/binary"

	"velostream/storage/column"
)

// countAcc is count(*) and count(x): rows, or rows where x is not NULL.
type countAcc struct {
	arg bool
	n   []int64
}

func (a *countAcc) grow(n int)    { a.n = resize(a.n, n) }
func (a *countAcc) reset(g int32) { a.n[g] = 0 }
func (a *countAcc) width() int64  { return 8 }

func (a *countAcc) update(u *update) error {
	if u.signs == nil && (!a.arg || len(u.args[0].Nulls) == 0) {
		for _, g := range u.gids {
			a.n[g]++
		}
		return nil
	}
	for k, g := range u.gids {
		if !a.arg || !u.args[0].Null(int(u.rows[k])) {
			a.n[g] += u.sign(k)
		}
	}
	return nil
}

func (a *countAcc) result(g int32, dst *column.Column) error {
	dst.Ints = append(dst.Ints, a.n[g])
	return nil
}

func (a *countAcc) encode(dst []byte, g int32) []byte { return binary.AppendVarint(dst, a.n[g]) }

func (a *countAcc) decode(b []byte, g int32) (rest []byte, err error) {
	a.n[g], rest, err = takeVarint(b)
	return rest, err
}

// boolAcc is bool_and and bool_or: it counts both values, so that either can leave.
type boolAcc struct {
	or   bool
	t, f []int64
}

func (a *boolAcc) grow(n int)    { a.t, a.f = resize(a.t, n), resize(a.f, n) }
func (a *boolAcc) reset(g int32) { a.t[g], a.f[g] = 0, 0 }
func (a *boolAcc) width() int64  { return 16 }

func (a *boolAcc) update(u *update) error {
	c := u.args[0]
	for k, g := range u.gids {
		i := int(u.rows[k])
		switch {
		case c.Null(i):
		case c.Bools[i]:
			a.t[g] += u.sign(k)
		default:
			a.f[g] += u.sign(k)
		}
	}
	return nil
}

func (a *boolAcc) result(g int32, dst *column.Column) error {
	switch {
	case a.t[g] == 0 && a.f[g] == 0:
		dst.AppendNull()
	case a.or:
		dst.Bools = append(dst.Bools, a.t[g] > 0)
	default:
		dst.Bools = append(dst.Bools, a.f[g] == 0)
	}
	return nil
}

func (a *boolAcc) encode(dst []byte, g int32) []byte {
	return binary.AppendVarint(binary.AppendVarint(dst, a.t[g]), a.f[g])
}

func (a *boolAcc) decode(b []byte, g int32) (rest []byte, err error) {
	if a.t[g], rest, err = takeVarint(b); err == nil {
		a.f[g], rest, err = takeVarint(rest)
	}
	return rest, err
}

func takeVarint(b []byte) (int64, []byte, error) {
	v, n := binary.Varint(b)
	if n <= 0 {
		return 0, nil, column.Corrupt("aggregate state")
	}
	return v, b[n:], nil
}

func takeWord(b []byte) (uint64, []byte, error) {
	if len(b) < 8 {
		return 0, nil, column.Corrupt("aggregate state")
	}
	return binary.LittleEndian.Uint64(b), b[8:], nil
}
