package expr

import (
	"velostream/catalog/types"
	"velostream/storage/column"
)

// castNode converts its argument, column-wise where the conversion is common.
type castNode struct {
	arg      node
	from, to types.Type
	explicit bool
	pos      int
	kernel   castKernel
	ctx      CallContext
	out      column.Column
	live     []int32
}

// castKernel converts the rows c.Sel, none of them NULL.
type castKernel func(c *CallContext, in, out *column.Column) error

func compileCast(e *Cast) (node, error) {
	arg, err := compile(e.Arg)
	if err != nil {
		return nil, err
	}
	n := &castNode{arg: arg, from: e.Arg.Type(), to: e.T, explicit: e.Explicit, pos: e.Pos}
	if relabels(n.from, n.to) {
		return &relabelNode{arg: arg, t: e.T}, nil
	}
	if e.T.Mod == -1 {
		n.kernel = fastCast(n.from, n.to)
	}
	if n.kernel == nil {
		n.kernel = n.eachDatum
	}
	return n, nil
}

// relabels reports a cast that leaves the stored value as it is.
func relabels(from, to types.Type) bool {
	if from == to || from.OID == to.OID && to.Mod == -1 {
		return true
	}
	if to.Mod != -1 || from.Kind() != to.Kind() {
		return false
	}
	if from.IsMap() {
		return to.OID == types.OIDJSONB
	}
	switch from.OID {
	case types.OIDText, types.OIDVarchar:
		return to.OID == types.OIDText || to.OID == types.OIDVarchar || to.OID == types.OIDBpchar
	case types.OIDName:
		return to.OID == types.OIDText || to.OID == types.OIDVarchar
	case types.OIDInt2:
		return to.OID == types.OIDInt4 || to.OID == types.OIDInt8
	case types.OIDInt4:
		return to.OID == types.OIDInt8
	case types.OIDFloat4:
		return to.OID == types.OIDFloat8
	case types.OIDOid, types.OIDRegclass, types.OIDRegtype, types.OIDRegproc, types.OIDRegnamespace, types.OIDRegrole, types.OIDRegprocedure, types.OIDRegoper, types.OIDRegoperator, types.OIDRegcollation:
		switch to.OID {
		case types.OIDOid, types.OIDRegclass, types.OIDRegtype, types.OIDRegproc, types.OIDRegnamespace, types.OIDRegrole, types.OIDRegprocedure, types.OIDRegoper, types.OIDRegoperator, types.OIDRegcollation, types.OIDInt8:
			return true
		default:
		}
	default:
	}
	return false
}

// relabelNode gives a column another type of the same form.
type relabelNode struct {
	arg node
	t   types.Type
	out column.Column
}

func (n *relabelNode) eval(r *run, sel []int32) (*column.Column, error) {
	c, err := n.arg.eval(r, sel)
	if err != nil || c.Type == n.t {
		return c, err
	}
	n.out = *c
	n.out.Type = n.t
	return &n.out, nil
}

func (n *castNode) eval(r *run, sel []int32) (*column.Column, error) {
	c, err := n.arg.eval(r, sel)
	if err != nil {
		return nil, err
	}
	rows := r.n
	konst := c.Const && count(sel, r.n) > 0
	if konst {
		rows, sel = 1, nil
	}
	resetColumn(&n.out, n.to, rows)
	n.out.Const = konst
	live := sel
	if c.Nulls.Any() && count(sel, r.n) > 0 {
		orNulls(&n.out, c.Nulls, rows)
		n.live = notNull(n.out.Nulls, sel, rows, grow(n.live, rows)[:0])
		live = n.live
	}
	n.ctx.Env, n.ctx.N, n.ctx.Sel = r.env, rows, live
	if count(live, rows) == 0 {
		w := newWriter(&n.out)
		w.finish(rows)
		return &n.out, nil
	}
	if err := n.kernel(&n.ctx, c, &n.out); err != nil {
		return nil, at(err, n.pos)
	}
	return &n.out, nil
}

// eachDatum is the kernel of any cast that has none of its own.
func (n *castNode) eachDatum(c *CallContext, in, out *column.Column) error {
	w := newWriter(out)
	base := types.Type{OID: n.to.OID, Mod: -1}
	elem, isArray := n.to.Elem()
	if !isArray {
		elem = n.to
	}
	if n.explicit && elem.OID == types.OIDBit { // the length says which bits of an integer
		base = n.to
	}
	same := n.from.OID == n.to.OID
	err := c.each(func(i int) error {
		d := in.Datum(i)
		var err error
		if !same {
			if d, err = types.CastDatum(n.from, base, d, c.Env.format()); err != nil {
				return err
			}
		}
		if n.to.Mod != -1 && !d.Null {
			if d, err = types.Coerce(n.to, d, n.explicit); err != nil {
				return err
			}
		}
		w.datum(i, d)
		return nil
	})
	if err != nil {
		return err
	}
	w.finish(c.N)
	return nil
}

// fastCast returns the kernel of a common cast, or nil.
func fastCast(from, to types.Type) castKernel {
	switch from.OID {
	case types.OIDInt2, types.OIDInt4, types.OIDInt8:
		if to.OID == types.OIDOid {
			return nil // not all of them are OIDs
		}
		return castInt(to)
	case types.OIDFloat4, types.OIDFloat8:
		return castFloat(to)
	case types.OIDNumeric:
		return castDecimal(to)
	default:
	}
	if c, _ := category(to.OID); c == types.CategoryString && to.OID == types.OIDText {
		return castToText(from)
	}
	return nil
}

func castInt(to types.Type) castKernel {
	switch to.OID {
	case types.OIDInt2, types.OIDInt4:
		r := rangeInt4
		if to.OID == types.OIDInt2 {
			r = rangeInt2
		}
		return func(c *CallContext, in, out *column.Column) error {
			return c.each(func(i int) error {
				v := in.Ints[in.At(i)]
				if v < r.lo || v > r.hi {
					return r.out()
				}
				out.Ints[i] = v
				return nil
			})
		}
	case types.OIDFloat8:
		return func(c *CallContext, in, out *column.Column) error {
			return c.each(func(i int) error {
				out.Floats[i] = float64(in.Ints[in.At(i)])
				return nil
			})
		}
	case types.OIDNumeric:
		return func(c *CallContext, in, out *column.Column) error {
			return c.each(func(i int) error {
				out.Decs[i] = types.FromInt64(in.Ints[in.At(i)])
				return nil
			})
		}
	case types.OIDText:
		return castToText(types.Int8)
	default:
	}
	return nil
}

func castFloat(to types.Type) castKernel {
	switch to.OID {
	case types.OIDInt2, types.OIDInt4, types.OIDInt8:
		return func(c *CallContext, in, out *column.Column) error {
			return c.each(func(i int) (err error) {
				out.Ints[i], err = types.FloatToInt(to, in.Floats[in.At(i)])
				return err
			})
		}
	case types.OIDFloat4:
		return func(c *CallContext, in, out *column.Column) error {
			return c.each(func(i int) (err error) {
				out.Floats[i], err = types.FloatToFloat4(in.Floats[in.At(i)])
				return err
			})
		}
	default:
	}
	return nil
}

func castDecimal(to types.Type) castKernel {
	switch to.OID {
	case types.OIDInt2, types.OIDInt4, types.OIDInt8:
		return func(c *CallContext, in, out *column.Column) error {
			return c.each(func(i int) (err error) {
				out.Ints[i], err = types.DecimalToInt(to, in.Decs[in.At(i)])
				return err
			})
		}
	case types.OIDFloat8:
		return func(c *CallContext, in, out *column.Column) error {
			return c.each(func(i int) (err error) {
				out.Floats[i], err = types.DecimalToFloat8(in.Decs[in.At(i)])
				return err
			})
		}
	case types.OIDText:
		return castToText(types.Numeric)
	default:
	}
	return nil
}

// castToText writes values by their output function. bool and char are not
// among them: their casts differ from it.
func castToText(from types.Type) castKernel {
	switch from.OID {
	case types.OIDInt8, types.OIDNumeric, types.OIDDate, types.OIDTime, types.OIDTimestamp,
		types.OIDTimestamptz, types.OIDInterval, types.OIDUUID, types.OIDJSONB:
	default:
		return nil
	}
	return func(c *CallContext, in, out *column.Column) error {
		w, f := newWriter(out), c.Env.format()
		err := c.each(func(i int) error {
			w.pad(i)
			out.Data = types.AppendText(out.Data, from, in.Datum(i), f)
			w.end(i)
			return nil
		})
		w.finish(c.N)
		return err
	}
}
