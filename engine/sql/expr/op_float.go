package expr

import (
	"math"

	"velostream/pgwire/pgerror"
	"velostream/storage/column"
)

// floatFamily is the table of floating-point arithmetic. float4 results are
// rounded to 32 bits.
func floatFamily() []Function {
	var out []Function
	op := func(sig string, k Kernel, doc string) {
		f := parseSignature(sig)
		f.Operator, f.Kernel, f.Doc = true, k, doc
		out = append(out, f)
	}
	for _, l := range []string{"float4", "float8"} {
		for _, r := range []string{"float4", "float8"} {
			res := "float8"
			if l == "float4" && r == "float4" {
				res = "float4"
			}
			single := res == "float4"
			sig := "(" + l + "," + r + ") " + res
			op("+"+sig, arithFloats('+', single), "addition")
			op("-"+sig, arithFloats('-', single), "subtraction")
			op("*"+sig, arithFloats('*', single), "multiplication")
			op("/"+sig, divFloats(single), "division")
		}
		op("-("+l+") "+l, mapFloats(func(x float64) float64 { return -x }), "negation")
		op("+("+l+") "+l, mapFloats(func(x float64) float64 { return x }), "unary plus")
		op("@("+l+") "+l, mapFloats(math.Abs), "absolute value")
	}
	return out
}

func arithFloats(op byte, single bool) Kernel {
	return func(c *CallContext, args []*column.Column, out *column.Column) error {
		if c.Sel == nil && !single {
			if !arithDense(op, args, out.Floats[:c.N]) {
				return nil
			}
		} else {
			arithSparse(op, single, c, args, out.Floats)
		}
		return checkFloats(op, c, args, out.Floats)
	}
}

func arithSparse(op byte, single bool, c *CallContext, args []*column.Column, o []float64) {
	a, b, am, bm := floatArgs(args)
	_ = c.each(func(i int) error {
		x, y := a[i&am], b[i&bm]
		var v float64
		switch op {
		case '+':
			v = x + y
		case '-':
			v = x - y
		default:
			v = x * y
		}
		if single {
			v = float64(float32(v))
		}
		o[i] = v
		return nil
	})
}

// checkFloats finds overflow (an infinite result of finite operands) and, for
// products, underflow (zero from operands that are not). It is a second pass,
// because it is rarely needed; it looks at operands only where a result is
// suspicious.
func checkFloats(op byte, c *CallContext, args []*column.Column, o []float64) error {
	a, b, am, bm := floatArgs(args)
	check := func(i int) error {
		x, y := a[i&am], b[i&bm]
		if math.IsInf(o[i], 0) && !math.IsInf(x, 0) && !math.IsInf(y, 0) {
			return floatOverflow()
		}
		if op == '*' && o[i] == 0 && x != 0 && y != 0 {
			return floatUnderflow()
		}
		return nil
	}
	if c.Sel == nil {
		for i, v := range o[:c.N] {
			if v-v != 0 || v == 0 && op == '*' {
				if err := check(i); err != nil {
					return err
				}
			}
		}
		return nil
	}
	for _, i := range c.Sel {
		if v := o[i]; v-v != 0 || v == 0 && op == '*' {
			if err := check(int(i)); err != nil {
				return err
			}
		}
	}
	return nil
}

func floatOverflow() error {
	return pgerror.New(pgerror.NumericValueOutOfRange, "value out of range: overflow")
}

func floatUnderflow() error {
	return pgerror.New(pgerror.NumericValueOutOfRange, "value out of range: underflow")
}

func divFloats(single bool) Kernel {
	return func(c *CallContext, args []*column.Column, out *column.Column) error {
		a, b, am, bm := floatArgs(args)
		return c.each(func(i int) error {
			x, y := a[i&am], b[i&bm]
			if y == 0 && x == x {
				return pgerror.DivideByZero()
			}
			v := x / y
			if single {
				v = float64(float32(v))
			}
			if math.IsInf(v, 0) && !math.IsInf(x, 0) {
				return floatOverflow()
			}
			if v == 0 && x != 0 && !math.IsInf(y, 0) {
				return floatUnderflow()
			}
			out.Floats[i] = v
			return nil
		})
	}
}

func floatArgs(args []*column.Column) (a, b []float64, am, bm int) {
	return args[0].Floats, args[1].Floats, stride(args[0].Const), stride(args[1].Const)
}

// mapFloats is the kernel of a function of one float that cannot fail.
func mapFloats(f func(float64) float64) Kernel {
	return func(c *CallContext, args []*column.Column, out *column.Column) error {
		a, am := args[0].Floats, stride(args[0].Const)
		return c.each(func(i int) error {
			out.Floats[i] = f(a[i&am])
			return nil
		})
	}
}
