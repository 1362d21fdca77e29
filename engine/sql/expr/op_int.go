package expr

import (
	"math"

	"velostream/pgwire/pgerror"
	"velostream/storage/column"
)

// intRange are the bounds of an integer type.
type intRange struct {
	lo, hi int64
	name   string
}

var (
	rangeInt2 = intRange{math.MinInt16, math.MaxInt16, "smallint"}
	rangeInt4 = intRange{math.MinInt32, math.MaxInt32, "integer"}
	rangeInt8 = intRange{math.MinInt64, math.MaxInt64, "bigint"}
)

func (r intRange) out() error { return pgerror.OutOfRange(r.name) }

// intFamily is the table of integer arithmetic: int2, int4 and int8 in all
// combinations, with the wider type as result.
func intFamily() []Function {
	kinds := []struct {
		name string
		r    intRange
	}{{"int2", rangeInt2}, {"int4", rangeInt4}, {"int8", rangeInt8}}
	ops := []struct {
		name   string
		kernel func(intRange) Kernel
		doc    string
	}{
		{"+", addInts, "addition"},
		{"-", subInts, "subtraction"},
		{"*", mulInts, "multiplication"},
		{"/", divInts, "division, truncated"},
		{"%", modInts, "remainder"},
	}
	var out []Function
	op := func(name, sig string, k Kernel, doc string) {
		f := parseSignature(name + sig)
		f.Operator, f.Kernel, f.Doc = true, k, doc
		out = append(out, f)
	}
	for i, l := range kinds {
		for j, r := range kinds {
			wide := kinds[max(i, j)]
			for _, o := range ops {
				if o.name == "%" && i != j {
					continue
				}
				op(o.name, "("+l.name+","+r.name+") "+wide.name, o.kernel(wide.r), o.doc)
			}
		}
		op("-", "("+l.name+") "+l.name, negInts(l.r), "negation")
		op("+", "("+l.name+") "+l.name, mapInts(func(x int64) int64 { return x }), "unary plus")
		op("@", "("+l.name+") "+l.name, absInts(l.r), "absolute value")
		op("&", "("+l.name+","+l.name+") "+l.name, zipInts(func(x, y int64) int64 { return x & y }), "bitwise and")
		op("|", "("+l.name+","+l.name+") "+l.name, zipInts(func(x, y int64) int64 { return x | y }), "bitwise or")
		op("#", "("+l.name+","+l.name+") "+l.name, zipInts(func(x, y int64) int64 { return x ^ y }), "bitwise exclusive or")
		op("~", "("+l.name+") "+l.name, mapInts(func(x int64) int64 { return ^x }), "bitwise not")
		op("<<", "("+l.name+",int4) "+l.name, shiftInts(i, true), "shift left")
		op(">>", "("+l.name+",int4) "+l.name, shiftInts(i, false), "shift right")
	}
	return out
}

func addInts(r intRange) Kernel {
	return func(c *CallContext, args []*column.Column, out *column.Column) error {
		a, b, am, bm := intArgs(args)
		o := out.Ints
		if c.Sel == nil && !args[0].Const && !args[1].Const {
			if addDense(r, a, b, o[:c.N]) {
				return r.out()
			}
			return nil
		}
		if c.Sel == nil {
			for i := range o[:c.N] {
				x, y := a[i&am], b[i&bm]
				s := x + y
				if s < r.lo || s > r.hi || (x^s)&(y^s) < 0 {
					return r.out()
				}
				o[i] = s
			}
			return nil
		}
		for _, i := range c.Sel {
			x, y := a[int(i)&am], b[int(i)&bm]
			s := x + y
			if s < r.lo || s > r.hi || (x^s)&(y^s) < 0 {
				return r.out()
			}
			o[i] = s
		}
		return nil
	}
}

func subInts(r intRange) Kernel {
	return func(c *CallContext, args []*column.Column, out *column.Column) error {
		a, b, am, bm := intArgs(args)
		o := out.Ints
		if c.Sel == nil && !args[0].Const && !args[1].Const {
			if subDense(r, a, b, o[:c.N]) {
				return r.out()
			}
			return nil
		}
		if c.Sel == nil {
			for i := range o[:c.N] {
				x, y := a[i&am], b[i&bm]
				s := x - y
				if s < r.lo || s > r.hi || (x^y)&(x^s) < 0 {
					return r.out()
				}
				o[i] = s
			}
			return nil
		}
		for _, i := range c.Sel {
			x, y := a[int(i)&am], b[int(i)&bm]
			s := x - y
			if s < r.lo || s > r.hi || (x^y)&(x^s) < 0 {
				return r.out()
			}
			o[i] = s
		}
		return nil
	}
}

// addDense adds column by column, without a branch a row, and reports whether a result is out
// of range.
func addDense(r intRange, a, b, o []int64) (out bool) {
	a, b = a[:len(o)], b[:len(o)]
	if r.hi == math.MaxInt64 {
		bad := int64(0) // negative: the sign of a result cannot be
		for i := range o {
			x, y := a[i], b[i]
			s := x + y
			bad |= (x ^ s) & (y ^ s)
			o[i] = s
		}
		return bad < 0
	}
	bad, span := uint64(0), uint64(r.hi-r.lo)
	for i := range o {
		s := a[i] + b[i]
		bad |= uint64(s-r.lo) &^ span // no 64-bit overflow: the operands are in range
		o[i] = s
	}
	return bad != 0
}

// subDense subtracts column by column, without a branch a row, and reports whether a result is out
// of range.
func subDense(r intRange, a, b, o []int64) (out bool) {
	a, b = a[:len(o)], b[:len(o)]
	if r.hi == math.MaxInt64 {
		bad := int64(0) // negative: the sign of a result cannot be
		for i := range o {
			x, y := a[i], b[i]
			s := x - y
			bad |= (x ^ y) & (x ^ s)
			o[i] = s
		}
		return bad < 0
	}
	bad, span := uint64(0), uint64(r.hi-r.lo)
	for i := range o {
		s := a[i] - b[i]
		bad |= uint64(s-r.lo) &^ span // no 64-bit overflow: the operands are in range
		o[i] = s
	}
	return bad != 0
}

func mulInts(r intRange) Kernel {
	small := r.hi <= math.MaxInt32 // products cannot leave 64 bits
	return func(c *CallContext, args []*column.Column, out *column.Column) error {
		a, b, am, bm := intArgs(args)
		o := out.Ints
		if c.Sel == nil {
			for i := range o[:c.N] {
				x, y := a[i&am], b[i&bm]
				p := x * y
				// Factors of 32 bits need no further check.
				if p < r.lo || p > r.hi || !small && uint64(x+1<<31)|uint64(y+1<<31) >= 1<<32 && !mulFits(x, y, p) {
					return r.out()
				}
				o[i] = p
			}
			return nil
		}
		for _, i := range c.Sel {
			x, y := a[int(i)&am], b[int(i)&bm]
			p := x * y
			if p < r.lo || p > r.hi || !small && !mulFits(x, y, p) {
				return r.out()
			}
			o[i] = p
		}
		return nil
	}
}

// mulFits reports that p = x*y did not overflow 64 bits.
func mulFits(x, y, p int64) bool {
	if x == 0 {
		return true
	}
	return p/x == y && (x != -1 || y != math.MinInt64)
}

func divInts(r intRange) Kernel {
	return func(c *CallContext, args []*column.Column, out *column.Column) error {
		a, b, am, bm := intArgs(args)
		return c.each(func(i int) error {
			x, y := a[i&am], b[i&bm]
			switch y {
			case 0:
				return pgerror.DivideByZero()
			case -1:
				if x == r.lo {
					return r.out()
				}
			}
			out.Ints[i] = x / y
			return nil
		})
	}
}

func modInts(intRange) Kernel {
	return func(c *CallContext, args []*column.Column, out *column.Column) error {
		a, b, am, bm := intArgs(args)
		return c.each(func(i int) error {
			switch y := b[i&bm]; y {
			case 0:
				return pgerror.DivideByZero()
			case -1:
				out.Ints[i] = 0
			default:
				out.Ints[i] = a[i&am] % y
			}
			return nil
		})
	}
}

func negInts(r intRange) Kernel {
	return func(c *CallContext, args []*column.Column, out *column.Column) error {
		a, am := args[0].Ints, stride(args[0].Const)
		return c.each(func(i int) error {
			x := a[i&am]
			if x == r.lo {
				return r.out()
			}
			out.Ints[i] = -x
			return nil
		})
	}
}

func absInts(r intRange) Kernel {
	return func(c *CallContext, args []*column.Column, out *column.Column) error {
		a, am := args[0].Ints, stride(args[0].Const)
		return c.each(func(i int) error {
			x := a[i&am]
			if x == r.lo {
				return r.out()
			}
			out.Ints[i] = max(x, -x)
			return nil
		})
	}
}

func intArgs(args []*column.Column) (a, b []int64, am, bm int) {
	return args[0].Ints, args[1].Ints, stride(args[0].Const), stride(args[1].Const)
}

// mapInts is the kernel of a function of one integer that cannot fail.
func mapInts(f func(int64) int64) Kernel {
	return func(c *CallContext, args []*column.Column, out *column.Column) error {
		a, am := args[0].Ints, stride(args[0].Const)
		return c.each(func(i int) error {
			out.Ints[i] = f(a[i&am])
			return nil
		})
	}
}

// zipInts is the kernel of a function of two integers that cannot fail.
func zipInts(f func(x, y int64) int64) Kernel {
	return func(c *CallContext, args []*column.Column, out *column.Column) error {
		a, b, am, bm := intArgs(args)
		return c.each(func(i int) error {
			out.Ints[i] = f(a[i&am], b[i&bm])
			return nil
		})
	}
}

// shiftInts shifts within the width of int2 (0), int4 (1) or int8 (2); the
// distance counts modulo the machine's width for the type, which is 32 bits for
// int2.
func shiftInts(width int, left bool) Kernel {
	return zipInts(func(x, y int64) int64 {
		n := uint(y) & 31
		if width == 2 {
			n = uint(y) & 63
		}
		if left {
			x <<= n
		} else {
			x >>= n
		}
		switch width {
		case 0:
			return int64(int16(x))
		case 1:
			return int64(int32(x))
		}
		return x
	})
}
