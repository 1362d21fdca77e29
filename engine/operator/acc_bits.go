package operator

import (
	"velostream/catalog/types"
	"velostream/pgwire/pgerror"
	"velostream/storage/column"
)

// bitsAcc is bit_and, bit_or and bit_xor of integers: how many values have each bit, so
// that values can leave again.
type bitsAcc struct {
	op string
	n  []int64
	on [][64]int64
}

func (a *bitsAcc) grow(n int)    { a.n, a.on = resize(a.n, n), resize(a.on, n) }
func (a *bitsAcc) reset(g int32) { a.n[g], a.on[g] = 0, [64]int64{} }
func (a *bitsAcc) width() int64  { return 520 }

func (a *bitsAcc) update(u *update) error {
	c := u.args[0]
	for k, g := range u.gids {
		i, sign := int(u.rows[k]), u.sign(k)
		if c.Null(i) {
			continue
		}
		a.n[g] += sign
		on := &a.on[g]
		for v, bit := uint64(c.Ints[i]), 0; v != 0; v, bit = v>>1, bit+1 {
			on[bit] += sign * int64(v&1)
		}
	}
	return nil
}

func (a *bitsAcc) result(g int32, dst *column.Column) error {
	if a.n[g] == 0 {
		dst.AppendNull()
		return nil
	}
	var v uint64
	for bit, n := range a.on[g] {
		set := n > 0
		switch a.op {
		case "bit_and":
			set = n == a.n[g]
		case "bit_xor":
			set = n&1 == 1
		}
		if set {
			v |= 1 << bit
		}
	}
	dst.Append(types.IntDatum(int64(v)))
	return nil
}

func (a *bitsAcc) encode(dst []byte, g int32) []byte {
	dst = appendVar(dst, a.n[g])
	for _, n := range a.on[g] {
		dst = appendVar(dst, n)
	}
	return dst
}

func (a *bitsAcc) decode(b []byte, g int32) ([]byte, error) {
	v, b, err := takeVarints(b, 65)
	if err == nil {
		a.n[g] = v[0]
		copy(a.on[g][:], v[1:])
	}
	return b, err
}

// singleAcc is the value of a scalar subquery: NULL over no rows, 21000 over several.
type singleAcc struct {
	n     []int64
	value accumulator
}

func (a *singleAcc) grow(n int) {
	a.n = resize(a.n, n)
	a.value.grow(n)
}

func (a *singleAcc) reset(g int32) {
	a.n[g] = 0
	a.value.reset(g)
}
func (a *singleAcc) width() int64 { return 8 + a.value.width() }

func (a *singleAcc) update(u *update) error {
	for k, g := range u.gids {
		a.n[g] += u.sign(k)
	}
	return a.value.update(u)
}

func (a *singleAcc) result(g int32, dst *column.Column) error {
	if a.n[g] > 1 {
		return pgerror.New(pgerror.CardinalityViolation, "more than one row returned by a subquery used as an expression")
	}
	return a.value.result(g, dst)
}

func (a *singleAcc) encode(dst []byte, g int32) []byte {
	return a.value.encode(appendVar(dst, a.n[g]), g)
}

func (a *singleAcc) decode(b []byte, g int32) ([]byte, error) {
	var err error
	if a.n[g], b, err = takeVarint(b); err != nil {
		return nil, err
	}
	return a.value.decode(b, g)
}
