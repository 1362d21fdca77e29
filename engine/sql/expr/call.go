package expr

import (
	"velostream/pgwire/pgerror"
	"velostream/storage/column"
)

// callNode runs a function over its arguments' columns and deals with
// strictness, constant arguments and positions for it.
type callNode struct {
	fn   *Function
	args []node
	pos  int
	ctx  CallContext
	cols []*column.Column
	out  column.Column
	live []int32
	rest []int32 // the rows for which the arguments behind a NullFirst are computed
}

func compileCall(e *Call) (node, error) {
	fn := Lookup(e.Name, e.Sig)
	if fn == nil {
		return nil, at(noFunction(e.Name, false, oidTypes(e.Sig)), e.Pos)
	}
	if !fn.accepts(len(e.Args)) {
		return nil, pgerror.New(pgerror.InternalError, "%s called with %d arguments", fn.Signature(), len(e.Args))
	}
	args, err := compileAll(e.Args)
	if err != nil {
		return nil, err
	}
	n := &callNode{fn: fn, args: args, pos: e.Pos, cols: make([]*column.Column, len(args))}
	n.ctx.Ret = e.T
	for _, a := range e.Args {
		n.ctx.Args = append(n.ctx.Args, a.Type())
	}
	return n, nil
}

// evalArgs computes the arguments; konst: one result row stands for all.
func (n *callNode) evalArgs(r *run, sel []int32) (konst bool, err error) {
	konst = n.fn.Volatility != Volatile
	for i, a := range n.args {
		if n.cols[i], err = a.eval(r, sel); err != nil {
			return false, err
		}
		konst = konst && n.cols[i].Const
		if i > 0 || !n.fn.NullFirst {
			continue
		}
		switch first := n.cols[0]; {
		case first.Const && first.Null(0):
			for j := range n.cols {
				n.cols[j] = first // NULL as the result is
			}
			return konst, nil
		case first.Nulls.Any():
			n.rest = notNull(first.Nulls, sel, r.n, grow(n.rest, r.n)[:0])
			sel = n.rest
		}
	}
	return konst, nil
}

func (n *callNode) eval(r *run, sel []int32) (*column.Column, error) {
	konst, err := n.evalArgs(r, sel)
	if err != nil {
		return nil, err
	}
	rows, live, out := r.n, sel, &n.out
	if count(sel, r.n) == 0 {
		return n.none(rows), nil
	}
	if konst {
		rows, live = 1, nil
	}
	resetColumn(out, n.ctx.Ret, rows)
	out.Const = konst
	if !n.fn.NullCall {
		var null bool
		if live, null = n.strictRows(rows, live); null {
			return n.constNull(), nil
		}
	}
	n.ctx.Env, n.ctx.N, n.ctx.Sel = r.env, rows, live
	if err := n.fn.run(&n.ctx, n.cols, out); err != nil {
		return nil, at(err, n.pos)
	}
	return out, nil
}

// none is a result of n rows of which none is defined.
func (n *callNode) none(rows int) *column.Column {
	resetColumn(&n.out, n.ctx.Ret, rows)
	w := newWriter(&n.out)
	w.finish(rows)
	return &n.out
}

func (n *callNode) constNull() *column.Column {
	resetColumn(&n.out, n.ctx.Ret, 1)
	n.out.Const = true
	w := newWriter(&n.out)
	w.null(0)
	return &n.out
}

// strictRows marks the rows with a NULL argument NULL in the result and returns
// the rows that are left to compute; null: a constant argument is NULL, so all
// rows are.
func (n *callNode) strictRows(rows int, sel []int32) (live []int32, null bool) {
	some := false
	for _, c := range n.cols {
		switch {
		case c.Const:
			if c.Null(0) {
				return nil, true
			}
		case c.Nulls.Any():
			some = true
			orNulls(&n.out, c.Nulls, rows)
		}
	}
	if !some || n.fn.Total {
		return sel, false
	}
	n.live = notNull(n.out.Nulls, sel, rows, grow(n.live, rows)[:0])
	return n.live, false
}

// notNull appends the rows of sel that are not NULL to dst.
func notNull(nulls column.Bitmap, sel []int32, n int, dst []int32) []int32 {
	if sel == nil {
		for i := range n {
			if !nulls.Get(i) {
				dst = append(dst, int32(i))
			}
		}
		return dst
	}
	for _, i := range sel {
		if !nulls.Get(int(i)) {
			dst = append(dst, i)
		}
	}
	return dst
}

// filter selects without a boolean column where the function can.
func (n *callNode) filter(r *run, sel, dst []int32) ([]int32, error) {
	if n.fn.Filter == nil {
		c, err := n.eval(r, sel)
		if err != nil || count(sel, r.n) == 0 {
			return dst, err
		}
		return trueRows(c, sel, r.n, dst), nil
	}
	konst, err := n.evalArgs(r, sel)
	if err != nil || count(sel, r.n) == 0 {
		return dst, err
	}
	if konst {
		c, err := n.eval(r, sel)
		if err != nil {
			return dst, err
		}
		return trueRows(c, sel, r.n, dst), nil
	}
	n.out.Nulls = n.out.Nulls[:0]
	for _, c := range n.cols {
		if c.Const && c.Null(0) {
			return dst, nil
		}
		if !c.Const && c.Nulls.Any() {
			orNulls(&n.out, c.Nulls, r.n)
		}
	}
	if n.out.Nulls.Any() {
		n.live = notNull(n.out.Nulls, sel, r.n, grow(n.live, r.n)[:0])
		sel = n.live
	}
	n.ctx.Env, n.ctx.N, n.ctx.Sel = r.env, r.n, sel
	return n.fn.Filter(&n.ctx, n.cols, dst), nil
}

// run calls the kernel, or the scalar for each row.
func (f *Function) run(c *CallContext, args []*column.Column, out *column.Column) error {
	if f.Kernel != nil {
		return f.Kernel(c, args, out)
	}
	return runScalar(f.Scalar, c, args, out)
}
