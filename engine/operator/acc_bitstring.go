package operator

import (
	"maps"
	"slices"

	"velostream/catalog/types"
	"velostream/pgwire/pgerror"
	"velostream/storage/column"
)

// bitStringAcc is bit_and, bit_or and bit_xor of bit strings: for each length that the
// group's strings have, how many there are, and how many have each bit. All must have
// one length when the result is asked for; in between, while rows are replaced, they
// may not.
type bitStringAcc struct {
	op string
	by []map[int]*bitCounts
}

type bitCounts struct {
	n  int64
	on []int64
}

func (a *bitStringAcc) grow(n int)    { a.by = resize(a.by, n) }
func (a *bitStringAcc) reset(g int32) { a.by[g] = nil }
func (a *bitStringAcc) width() int64  { return 256 }

func (a *bitStringAcc) update(u *update) error {
	c := u.args[0]
	for k, g := range u.gids {
		i, sign := int(u.rows[k]), u.sign(k)
		if c.Null(i) {
			continue
		}
		v := c.Bytes(i)
		if a.by[g] == nil {
			a.by[g] = make(map[int]*bitCounts, 1)
		}
		b := a.by[g][len(v)]
		if b == nil {
			b = &bitCounts{on: make([]int64, len(v))}
			a.by[g][len(v)] = b
		}
		if b.n += sign; b.n == 0 {
			delete(a.by[g], len(v))
			continue
		}
		for j, digit := range v {
			b.on[j] += sign * int64(digit&1)
		}
	}
	return nil
}

func (a *bitStringAcc) result(g int32, dst *column.Column) error {
	if len(a.by[g]) > 1 {
		name := map[string]string{"bit_and": "AND", "bit_or": "OR", "bit_xor": "XOR"}[a.op]
		return pgerror.New(pgerror.StringDataLengthMismatch, "cannot %s bit strings of different sizes", name)
	}
	for _, b := range a.by[g] {
		out := make([]byte, len(b.on))
		for j, n := range b.on {
			set := n > 0
			switch a.op {
			case "bit_and":
				set = n == b.n
			case "bit_xor":
				set = n&1 == 1
			}
			if out[j] = '0'; set {
				out[j] = '1'
			}
		}
		dst.Append(types.BytesDatum(out))
		return nil
	}
	dst.AppendNull()
	return nil
}

func (a *bitStringAcc) encode(dst []byte, g int32) []byte {
	dst = appendVar(dst, int64(len(a.by[g])))
	for _, size := range slices.Sorted(maps.Keys(a.by[g])) {
		b := a.by[g][size]
		dst = appendVar(appendVar(dst, int64(size)), b.n)
		for _, n := range b.on {
			dst = appendVar(dst, n)
		}
	}
	return dst
}

func (a *bitStringAcc) decode(b []byte, g int32) ([]byte, error) {
	lengths, b, err := takeVarint(b)
	if err != nil {
		return nil, err
	}
	for range lengths {
		var head []int64
		if head, b, err = takeVarints(b, 2); err != nil {
			return nil, err
		}
		if head[0] < 0 || head[0] > int64(len(b)) {
			return nil, column.Corrupt("state of a bit string aggregate")
		}
		c := &bitCounts{n: head[1]}
		if c.on, b, err = takeVarints(b, int(head[0])); err != nil {
			return nil, err
		}
		c.on = slices.Clone(c.on)
		if a.by[g] == nil {
			a.by[g] = make(map[int]*bitCounts, 1)
		}
		a.by[g][int(head[0])] = c
	}
	return b, nil
}
