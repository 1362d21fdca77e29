package expr

import (
	"math"

	"velostream/catalog/types"
	"velostream/storage/column"
)

// below is a condition "integer column < limit", or its negation, that a CASE
// decides while it chooses: one pass instead of two.
type below struct {
	arg   node
	limit int64
	not   bool
}

// asBelow returns n as such a condition, nil: it is none.
func asBelow(n node) *below {
	call, ok := n.(*callNode)
	if !ok || !call.fn.Operator || len(call.args) != 2 || !isFree(call.args[0]) {
		return nil
	}
	konst, ok := call.args[1].(*constNode)
	if !ok || konst.col.Null(0) {
		return nil
	}
	for _, oid := range call.fn.Args {
		if (types.Type{OID: oid}).Kind() != types.KindInt {
			return nil
		}
	}
	b := &below{arg: call.args[0], limit: konst.col.Ints[0]}
	switch call.fn.Name {
	case "<":
	case ">=":
		b.not = true
	case "<=", ">":
		if b.limit == math.MaxInt64 {
			return nil
		}
		b.limit++
		b.not = call.fn.Name == ">"
	default:
		return nil
	}
	return b
}

// blendBelow is blend for a condition below and integers without NULLs; done is
// false where that is not so.
func (n *caseNode) blendBelow(r *run, sel []int32) (out *column.Column, done bool, err error) {
	x, err := n.below.arg.eval(r, sel)
	if err != nil || x.Const || x.Nulls.Any() {
		return nil, false, err
	}
	a, err := n.thens[0].eval(r, sel)
	if err != nil {
		return nil, false, err
	}
	b, err := n.other.eval(r, sel)
	if err != nil || a.Nulls.Any() || b.Nulls.Any() {
		return nil, false, err
	}
	if n.below.not {
		a, b = b, a
	}
	out = &n.pick.out
	resetColumn(out, n.t, r.n)
	chooseBelow(out.Ints[:r.n], x.Ints[:r.n], n.below.limit, a, b)
	return out, true, nil
}

// chooseBelow sets out to a where x is below limit, else to b.
func chooseBelow(out, x []int64, limit int64, a, b *column.Column) {
	switch {
	case !a.Const && b.Const:
		from, w := a.Ints[:len(x)], b.Ints[0]
		for i, v := range x {
			to := from[i]
			if v >= limit {
				to = w
			}
			out[i] = to
		}
	case a.Const && !b.Const:
		from, w := b.Ints[:len(x)], a.Ints[0]
		for i, v := range x {
			to := from[i]
			if v < limit {
				to = w
			}
			out[i] = to
		}
	default:
		am, bm := stride(a.Const), stride(b.Const)
		for i, v := range x {
			to, w := a.Ints[i&am], b.Ints[i&bm]
			if v >= limit {
				to = w
			}
			out[i] = to
		}
	}
}
