package expr

import (
	"velostream/catalog/types"
	"velostream/storage/column"
)

// numericFamily is the table of exact numeric arithmetic.
func numericFamily() []Function {
	return table([]def{
		{sig: "+(numeric,numeric) numeric", kernel: wordDecimals((*types.Decimal).AddWord, types.Decimal.Add), doc: "addition"},
		{sig: "-(numeric,numeric) numeric", kernel: wordDecimals((*types.Decimal).SubWord, types.Decimal.Sub), doc: "subtraction"},
		{sig: "*(numeric,numeric) numeric", kernel: wordDecimals((*types.Decimal).MulWord, types.Decimal.Mul), doc: "multiplication"},
		{sig: "/(numeric,numeric) numeric", kernel: arithDecimals(types.Decimal.Div), doc: "division"},
		{sig: "%(numeric,numeric) numeric", kernel: arithDecimals(types.Decimal.Mod), doc: "remainder"},
		{sig: "-(numeric) numeric", kernel: mapDecimals(types.Decimal.Neg), doc: "negation"},
		{sig: "+(numeric) numeric", kernel: mapDecimals(func(d types.Decimal) types.Decimal { return d }), doc: "unary plus"},
		{sig: "@(numeric) numeric", kernel: mapDecimals(types.Decimal.Abs), doc: "absolute value"},
	})
}

// wordDecimals is the kernel of op, which word does for most numbers.
func wordDecimals(word func(a, b, to *types.Decimal) bool, op func(a, b types.Decimal) (types.Decimal, error)) Kernel {
	return func(c *CallContext, args []*column.Column, out *column.Column) error {
		a, b := args[0].Decs, args[1].Decs
		am, bm := stride(args[0].Const), stride(args[1].Const)
		if c.Sel == nil {
			to := out.Decs[:c.N]
			for i := range to {
				if word(&a[i&am], &b[i&bm], &to[i]) {
					continue
				}
				var err error
				if to[i], err = op(a[i&am], b[i&bm]); err != nil {
					return err
				}
			}
			return nil
		}
		return c.each(func(i int) (err error) {
			out.Decs[i], err = op(a[i&am], b[i&bm])
			return err
		})
	}
}

func arithDecimals(op func(a, b types.Decimal) (types.Decimal, error)) Kernel {
	return func(c *CallContext, args []*column.Column, out *column.Column) error {
		a, b := args[0].Decs, args[1].Decs
		am, bm := stride(args[0].Const), stride(args[1].Const)
		var err error
		if c.Sel == nil {
			for i := range c.N {
				if out.Decs[i], err = op(a[i&am], b[i&bm]); err != nil {
					return err
				}
			}
			return nil
		}
		for _, i := range c.Sel {
			if out.Decs[i], err = op(a[int(i)&am], b[int(i)&bm]); err != nil {
				return err
			}
		}
		return nil
	}
}

// mapDecimals is the kernel of a function of one numeric that cannot fail.
func mapDecimals(f func(types.Decimal) types.Decimal) Kernel {
	return func(c *CallContext, args []*column.Column, out *column.Column) error {
		a, am := args[0].Decs, stride(args[0].Const)
		return c.each(func(i int) error {
			out.Decs[i] = f(a[i&am])
			return nil
		})
	}
}
