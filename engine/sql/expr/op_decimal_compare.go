package expr

import (
	"math"
	"slices"

	"velostream/catalog/types"
	"velostream/storage/column"
)

func cmpDecimals(op cmpOp) Kernel {
	return func(c *CallContext, args []*column.Column, out *column.Column) error {
		a, b, am, bm := decimalArgs(args)
		yes := op.outcomes()
		switch {
		case c.Sel != nil:
			for _, s := range c.Sel {
				i := int(s)
				out.Bools[i] = yes[a[i&am].Cmp(b[i&bm])+1]
			}
		case bm == 0 && am != 0:
			compareDecimals(op, a[:c.N], &b[0], out.Bools)
		case am == 0 && bm != 0:
			compareDecimals(op.swapped(), b[:c.N], &a[0], out.Bools)
		default:
			bools := out.Bools[:c.N]
			for i := range bools {
				o, ok := a[i&am].CmpWord(&b[i&bm])
				if !ok {
					o = a[i&am].Cmp(b[i&bm])
				}
				bools[i] = yes[(o+1)&3]
			}
		}
		return nil
	}
}

// outcomes is holds for -1, 0 and 1; there are four, so that an index needs no check.
func (op cmpOp) outcomes() [4]bool { return [4]bool{op.holds(-1), op.holds(0), op.holds(1)} }

// decimalArgs are the values of two columns with their strides.
func decimalArgs(args []*column.Column) (a, b []types.Decimal, am, bm int) {
	return args[0].Decs, args[1].Decs, stride(args[0].Const), stride(args[1].Const)
}

// wordRange are the coefficients c at a scale for which a comparison with a constant holds (or, not,
// does not hold): those with c - low <= span as unsigned numbers. Words are not MinInt64.
type wordRange struct {
	op    cmpOp
	konst *types.Decimal
	scale int32
	low   int64
	span  uint64
	not   bool
	ok    bool // false: the constant has no place among the words of the scale
}

func newWordRange(op cmpOp, konst *types.Decimal, scale int32) wordRange {
	r := wordRange{op: op, konst: konst, not: op == opNe}
	r.at(scale)
	return r
}

// at makes r that of another scale: the constant is brought to it once, not for each row.
func (r *wordRange) at(scale int32) {
	floor, exact, ok := r.konst.FloorWord(scale)
	ok = ok && floor < math.MaxInt64
	low, high := int64(math.MinInt64), int64(math.MaxInt64)
	switch r.op {
	case opEq, opNe:
		if low, high = floor, floor; !exact {
			low, high = math.MinInt64, math.MinInt64 // no word
		}
	case opLt:
		if high = floor; exact {
			high--
		}
	case opLe:
		high = floor
	case opGt:
		low = floor + 1
	default:
		if low = floor; !exact {
			low++
		}
	}
	r.scale, r.low, r.span, r.ok = scale, low, uint64(high)-uint64(low), ok
}

// slow compares what is no word, or brings r to the scale of what is one.
func (r *wordRange) slow(d *types.Decimal) bool {
	if c, scale, ok := d.Word(); ok && scale != r.scale {
		if r.at(scale); r.ok {
			return (uint64(c-r.low) <= r.span) != r.not
		}
	}
	return r.op.holds(d.Cmp(*r.konst))
}

func compareDecimals(op cmpOp, a []types.Decimal, konst *types.Decimal, out []bool) {
	if len(a) == 0 {
		return
	}
	out = out[:len(a)]
	r := newWordRange(op, konst, a[0].Scale())
	for i := range a {
		if c, scale, ok := a[i].Word(); ok && r.ok && scale == r.scale {
			out[i] = (uint64(c-r.low) <= r.span) != r.not
		} else {
			out[i] = r.slow(&a[i])
		}
	}
}

func filterDecimals(op cmpOp) FilterKernel {
	return func(c *CallContext, args []*column.Column, dst []int32) []int32 {
		a, b, am, bm := decimalArgs(args)
		k, rows := len(dst), count(c.Sel, c.N)
		dst = slices.Grow(dst, rows)[:k+rows]
		switch {
		case rows == 0:
		case bm == 0 && am != 0:
			k += chooseDecimals(op, c, a, &b[0], dst[k:])
		case am == 0 && bm != 0:
			k += chooseDecimals(op.swapped(), c, b, &a[0], dst[k:])
		case c.Sel != nil:
			for _, s := range c.Sel {
				dst[k] = s
				k += b2i(op.holds(a[int(s)&am].Cmp(b[int(s)&bm])))
			}
		default:
			yes := op.outcomes()
			for i := range c.N {
				o, ok := a[i&am].CmpWord(&b[i&bm])
				if !ok {
					o = a[i&am].Cmp(b[i&bm])
				}
				dst[k] = int32(i)
				k += b2i(yes[(o+1)&3])
			}
		}
		return dst[:k]
	}
}

// chooseDecimals writes the rows whose number compares so with the constant, and returns how many
// these are. Every candidate is written and the place moves for those that pass.
func chooseDecimals(op cmpOp, c *CallContext, a []types.Decimal, konst *types.Decimal, buf []int32) (k int) {
	if c.Sel != nil {
		r := newWordRange(op, konst, a[c.Sel[0]].Scale())
		for _, i := range c.Sel {
			buf[k] = i
			if v, scale, ok := a[i].Word(); ok && r.ok && scale == r.scale {
				k += b2i((uint64(v-r.low) <= r.span) != r.not)
			} else {
				k += b2i(r.slow(&a[i]))
			}
		}
		return k
	}
	a = a[:c.N]
	r := newWordRange(op, konst, a[0].Scale())
	for i := range a {
		buf[k] = int32(i)
		if v, scale, ok := a[i].Word(); ok && r.ok && scale == r.scale {
			k += b2i((uint64(v-r.low) <= r.span) != r.not)
		} else {
			k += b2i(r.slow(&a[i]))
		}
	}
	return k
}
