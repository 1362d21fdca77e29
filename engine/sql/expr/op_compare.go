package expr

import (
	"bytes"

	"velostream/catalog/types"
	"velostream/storage/column"
)

// cmpOp is a comparison operator.
type cmpOp uint8

const (
	opEq cmpOp = iota
	opNe
	opLt
	opLe
	opGt
	opGe
)

var cmpNames = [...]string{"=", "<>", "<", "<=", ">", ">="}

// holds applies op to the outcome of a three-way comparison.
func (op cmpOp) holds(c int) bool {
	switch op {
	case opEq:
		return c == 0
	case opNe:
		return c != 0
	case opLt:
		return c < 0
	case opLe:
		return c <= 0
	case opGt:
		return c > 0
	default:
	}
	return c >= 0
}

// compareFamily is the table of comparison operators.
func compareFamily() []Function {
	var out []Function
	add := func(l, r string, op cmpOp, k Kernel, f FilterKernel) {
		out = append(out, Function{
			Name: cmpNames[op], Operator: true, Args: []types.OID{shortType(l), shortType(r)}, Ret: types.OIDBool,
			Total: f != nil && l != "numeric", Kernel: k, Filter: f, Doc: "comparison",
		})
	}
	ints := []string{"int2", "int4", "int8"}
	// The reg types compare as oid, to which they convert; operators of their own would
	// make text = integer mean regclass = regclass.
	same := []string{"oid", "date", "time", "timestamp", "timestamptz"}
	text := [][2]string{{"text", "text"}, {"name", "name"}, {"name", "text"}, {"text", "name"}}
	for op := opEq; op <= opGe; op++ {
		for _, l := range ints {
			for _, r := range ints {
				add(l, r, op, cmpInts(op), filterInts(op))
			}
		}
		for _, t := range same {
			add(t, t, op, cmpInts(op), filterInts(op))
		}
		for _, l := range []string{"float4", "float8"} {
			for _, r := range []string{"float4", "float8"} {
				add(l, r, op, cmpFloats(op), filterFloats(op))
			}
		}
		add("bool", "bool", op, cmpBools(op), nil)
		add("numeric", "numeric", op, cmpDecimals(op), filterDecimals(op))
		add("interval", "interval", op, cmpIntervals(op), nil)
		for _, p := range text {
			add(p[0], p[1], op, cmpTexts(op, bytes.Compare), filterTexts(op))
		}
		for _, t := range []string{"bytea", "uuid", "char", "bit", "varbit", "inet", "macaddr"} {
			add(t, t, op, cmpTexts(op, bytes.Compare), filterTexts(op))
		}
		add("bpchar", "bpchar", op, cmpTexts(op, func(a, b []byte) int { return bytes.Compare(types.TrimBlanks(a), types.TrimBlanks(b)) }), nil)
		add("jsonb", "jsonb", op, cmpTexts(op, types.CompareJSON), nil)
		add("anyarray", "anyarray", op, cmpArrays(op), nil)
		add("anyenum", "anyenum", op, cmpTexts(op, bytes.Compare), filterTexts(op))
	}
	return out
}

func cmpInts(op cmpOp) Kernel {
	return func(c *CallContext, args []*column.Column, out *column.Column) error {
		compareRows(op, c, args[0].Ints, args[1].Ints, args[0].Const, args[1].Const, out.Bools)
		return nil
	}
}

func cmpFloats(op cmpOp) Kernel {
	return func(c *CallContext, args []*column.Column, out *column.Column) error {
		compareRows(op, c, args[0].Floats, args[1].Floats, args[0].Const, args[1].Const, out.Bools)
		return nil
	}
}

func filterInts(op cmpOp) FilterKernel {
	return func(c *CallContext, args []*column.Column, dst []int32) []int32 {
		return filterRows(op, c, args[0].Ints, args[1].Ints, args[0].Const, args[1].Const, dst)
	}
}

func filterFloats(op cmpOp) FilterKernel {
	return func(c *CallContext, args []*column.Column, dst []int32) []int32 {
		return filterRows(op, c, args[0].Floats, args[1].Floats, args[0].Const, args[1].Const, dst)
	}
}

// eq and lt are float comparison where NaN equals NaN and is greatest; for
// integers the compiler drops the second half.
func eq[T int64 | float64](x, y T) bool { return x == y || x != x && y != y }
func lt[T int64 | float64](x, y T) bool { return x < y || y != y && x == x }

// stride is the mask that maps a row to its place: all ones, or 0 for a
// constant.
func stride(konst bool) int {
	if konst {
		return 0
	}
	return -1
}

// compareRows computes a op b; > and >= are < and <= of swapped operands, <=
// and <> are negations, so three loops are left.
func compareRows[T int64 | float64](op cmpOp, c *CallContext, a, b []T, ak, bk bool, out []bool) {
	switch op {
	case opGt:
		compareRows(opLt, c, b, a, bk, ak, out)
		return
	case opGe:
		compareRows(opLe, c, b, a, bk, ak, out)
		return
	default:
	}
	if c.Sel == nil {
		compareDense(op, a, b, ak, bk, out[:c.N])
		return
	}
	am, bm := stride(ak), stride(bk)
	for _, s := range c.Sel {
		i := int(s)
		x, y := a[i&am], b[i&bm]
		switch op {
		case opEq:
			out[i] = eq(x, y)
		case opNe:
			out[i] = !eq(x, y)
		case opLt:
			out[i] = lt(x, y)
		default:
			out[i] = !lt(y, x)
		}
	}
}

func compareDense[T int64 | float64](op cmpOp, a, b []T, ak, bk bool, out []bool) {
	switch {
	case bk && !ak && b[0] == b[0]:
		compareConst(op, a[:len(out)], b[0], out)
		return
	case ak && !bk && a[0] == a[0]:
		compareConst(op.swapped(), b[:len(out)], a[0], out)
		return
	}
	am, bm := stride(ak), stride(bk)
	switch op {
	case opEq:
		for i := range out {
			out[i] = eq(a[i&am], b[i&bm])
		}
	case opNe:
		for i := range out {
			out[i] = !eq(a[i&am], b[i&bm])
		}
	case opLt:
		for i := range out {
			out[i] = lt(a[i&am], b[i&bm])
		}
	default:
		for i := range out {
			out[i] = !lt(b[i&bm], a[i&am])
		}
	}
}

// compareConst is compareDense for a constant that is not NaN, as filterConst.
func compareConst[T int64 | float64](op cmpOp, a []T, y T, out []bool) {
	out = out[:len(a)]
	switch op {
	case opEq:
		for i, x := range a {
			out[i] = x == y
		}
	case opNe:
		for i, x := range a {
			out[i] = x != y
		}
	case opLt:
		for i, x := range a {
			out[i] = x < y
		}
	case opLe:
		for i, x := range a {
			out[i] = x <= y
		}
	case opGt:
		for i, x := range a {
			out[i] = x > y || x != x // NaN is greatest
		}
	default:
		for i, x := range a {
			out[i] = x >= y || x != x
		}
	}
}

// filterRows appends the rows for which a op b. Every candidate is written and
// the end moves only for those that pass: no branch to mispredict.
func filterRows[T int64 | float64](op cmpOp, c *CallContext, a, b []T, ak, bk bool, dst []int32) []int32 {
	if ak {
		a, b, ak, bk, op = b, a, bk, ak, op.swapped()
	}
	k := len(dst)
	rows := count(c.Sel, c.N)
	if cap(dst) < k+rows {
		dst = append(make([]int32, 0, k+rows), dst...)
	}
	buf := dst[:k+rows]
	if bk && !ak && b[0] == b[0] {
		return buf[:filterConst(op, c, a, b[0], buf, k)]
	}
	am, bm := stride(ak), stride(bk)
	if c.Sel != nil {
		for _, s := range c.Sel {
			i := int(s)
			buf[k] = s
			k += b2i(compareOne(op, a[i&am], b[i&bm]))
		}
		return buf[:k]
	}
	for i := range c.N {
		buf[k] = int32(i)
		k += b2i(compareOne(op, a[i&am], b[i&bm]))
	}
	return buf[:k]
}

// swapped is the operator with its operands exchanged.
func (op cmpOp) swapped() cmpOp {
	switch op {
	case opLt:
		return opGt
	case opLe:
		return opGe
	case opGt:
		return opLt
	case opGe:
		return opLe
	default:
	}
	return op
}

// filterConst is filterRows for a constant that is not NaN: so a NaN in the
// column is greater, and fails < and <= by itself. >, >= and <> are negations.
func filterConst[T int64 | float64](op cmpOp, c *CallContext, a []T, y T, buf []int32, k int) int {
	switch op {
	case opEq, opNe:
		yes := op == opEq
		if c.Sel != nil {
			for _, i := range c.Sel {
				buf[k] = i
				k += b2i((a[i] == y) == yes)
			}
			return k
		}
		for i, x := range a[:c.N] {
			buf[k] = int32(i)
			k += b2i((x == y) == yes)
		}
	case opLt, opGe:
		yes := op == opLt
		if c.Sel != nil {
			for _, i := range c.Sel {
				buf[k] = i
				k += b2i((a[i] < y) == yes)
			}
			return k
		}
		for i, x := range a[:c.N] {
			buf[k] = int32(i)
			k += b2i((x < y) == yes)
		}
	default:
		yes := op == opLe
		if c.Sel != nil {
			for _, i := range c.Sel {
				buf[k] = i
				k += b2i((a[i] <= y) == yes)
			}
			return k
		}
		for i, x := range a[:c.N] {
			buf[k] = int32(i)
			k += b2i((x <= y) == yes)
		}
	}
	return k
}

func compareOne[T int64 | float64](op cmpOp, x, y T) bool {
	switch op {
	case opEq:
		return eq(x, y)
	case opNe:
		return !eq(x, y)
	case opLt:
		return lt(x, y)
	case opLe:
		return !lt(y, x)
	case opGt:
		return lt(y, x)
	default:
	}
	return !lt(x, y)
}

func cmpBools(op cmpOp) Kernel {
	return func(c *CallContext, args []*column.Column, out *column.Column) error {
		a, b := args[0], args[1]
		return c.each(func(i int) error {
			out.Bools[i] = op.holds(b2i(a.Bools[a.At(i)]) - b2i(b.Bools[b.At(i)]))
			return nil
		})
	}
}

// filterTexts compares bytes. With = and <> the lengths decide most rows.
func filterTexts(op cmpOp) FilterKernel {
	return func(c *CallContext, args []*column.Column, dst []int32) []int32 {
		a, b := args[0], args[1]
		if a.Const {
			a, b = b, a
		}
		if op > opNe || !b.Const {
			return filterEach(op, c, args[0], args[1], dst)
		}
		v, yes := b.Bytes(0), op == opEq
		same := func(i int32) bool {
			lo, hi := a.Offs[i], a.Offs[i+1]
			return int(hi-lo) == len(v) && string(a.Data[lo:hi]) == string(v)
		}
		if c.Sel != nil {
			for _, i := range c.Sel {
				if same(i) == yes {
					dst = append(dst, i)
				}
			}
			return dst
		}
		for i := range int32(c.N) {
			if same(i) == yes {
				dst = append(dst, i)
			}
		}
		return dst
	}
}

func filterEach(op cmpOp, c *CallContext, a, b *column.Column, dst []int32) []int32 {
	_ = c.each(func(i int) error {
		if op.holds(bytes.Compare(a.Bytes(i), b.Bytes(i))) {
			dst = append(dst, int32(i))
		}
		return nil
	})
	return dst
}

func cmpIntervals(op cmpOp) Kernel {
	return func(c *CallContext, args []*column.Column, out *column.Column) error {
		a, b := args[0].Ivs, args[1].Ivs
		am, bm := stride(args[0].Const), stride(args[1].Const)
		return c.each(func(i int) error {
			out.Bools[i] = op.holds(a[i&am].Cmp(b[i&bm]))
			return nil
		})
	}
}

func cmpTexts(op cmpOp, compare func(a, b []byte) int) Kernel {
	return func(c *CallContext, args []*column.Column, out *column.Column) error {
		a, b := args[0], args[1]
		if op == opEq || op == opNe {
			if c.Args[0].PlainBytes() {
				return c.each(func(i int) error {
					out.Bools[i] = bytes.Equal(a.Bytes(i), b.Bytes(i)) == (op == opEq)
					return nil
				})
			}
		}
		return c.each(func(i int) error {
			out.Bools[i] = op.holds(compare(a.Bytes(i), b.Bytes(i)))
			return nil
		})
	}
}

func cmpArrays(op cmpOp) Kernel {
	return func(c *CallContext, args []*column.Column, out *column.Column) error {
		t := c.Args[0]
		return c.each(func(i int) error {
			out.Bools[i] = op.holds(types.Compare(t, args[0].Datum(i), args[1].Datum(i)))
			return nil
		})
	}
}

// Mirrored is the comparison that says the same of the operands swapped, "" for an operator that
// is none.
func Mirrored(op string) string {
	switch op {
	case "<":
		return ">"
	case "<=":
		return ">="
	case ">":
		return "<"
	case ">=":
		return "<="
	case "=", "<>":
		return op
	}
	return ""
}
