package expr

import (
	"velostream/catalog/types"
	"velostream/storage/column"
)

// caseNode is CASE: conditions narrow down the rows that are still open, and
// each result is computed for the rows that take it.
type caseNode struct {
	conds, thens []node // a missing ELSE has no node: NULL
	other        node
	t            types.Type
	open, taken  []int32
	pick         picker
	// blends: one condition between values that need no evaluation, of a kind
	// with fixed width: both sides are read for every row.
	blends bool
	below  *below // the condition, where it can be decided on the way, else nil
}

func compileCase(e *Case) (node, error) {
	n := &caseNode{t: e.T}
	for _, w := range e.Whens {
		pair, err := compileAll([]Expr{w.Cond, w.Then})
		if err != nil {
			return nil, err
		}
		n.conds, n.thens = append(n.conds, pair[0]), append(n.thens, pair[1])
	}
	if e.Else != nil {
		var err error
		if n.other, err = compile(e.Else); err != nil {
			return nil, err
		}
	}
	switch n.t.Kind() {
	case types.KindInt, types.KindFloat, types.KindDecimal:
		n.blends = len(n.conds) == 1 && n.other != nil && isFree(n.thens[0]) && isFree(n.other)
		if n.blends && n.t.Kind() == types.KindInt {
			n.below = asBelow(n.conds[0])
		}
	default:
	}
	return n, nil
}

// isFree reports a node whose evaluation costs nothing and cannot fail.
func isFree(n node) bool {
	switch n := n.(type) {
	case *colNode, *constNode:
		return true
	case *relabelNode:
		return isFree(n.arg)
	}
	return false
}

// blend computes CASE WHEN c THEN a ELSE b END by choosing row by row.
func (n *caseNode) blend(r *run, sel []int32) (*column.Column, error) {
	if n.below != nil {
		if out, done, err := n.blendBelow(r, sel); done || err != nil {
			return out, err
		}
	}
	cond, err := n.conds[0].eval(r, sel)
	if err != nil {
		return nil, err
	}
	a, err := n.thens[0].eval(r, sel)
	if err != nil {
		return nil, err
	}
	b, err := n.other.eval(r, sel)
	if err != nil {
		return nil, err
	}
	if cond.Const {
		if cond.Null(0) || !cond.Bools[0] {
			return b, nil
		}
		return a, nil
	}
	// Rows outside sel have some condition, and choose some value.
	out := &n.pick.out
	resetColumn(out, n.t, r.n)
	yes := cond.Bools[:r.n]
	switch n.t.Kind() {
	case types.KindInt:
		blendRows(out.Ints, a.Ints, b.Ints, stride(a.Const), stride(b.Const), yes)
	case types.KindFloat:
		blendRows(out.Floats, a.Floats, b.Floats, stride(a.Const), stride(b.Const), yes)
	default:
		blendRows(out.Decs, a.Decs, b.Decs, stride(a.Const), stride(b.Const), yes)
	}
	if !cond.Nulls.Any() && !a.Nulls.Any() && !b.Nulls.Any() {
		return out, nil
	}
	for i, y := range yes {
		from := b
		if y && !cond.Nulls.Get(i) {
			from = a
		}
		w := writer{col: out, kind: n.t.Kind()}
		w.from(i, from)
	}
	return out, nil
}

func blendRows[T any](out, a, b []T, am, bm int, yes []bool) {
	out = out[:len(yes)]
	switch {
	case am != 0 && bm == 0 && len(b) > 0:
		a, w := a[:len(yes)], b[0]
		for i, y := range yes {
			v := a[i]
			if !y {
				v = w
			}
			out[i] = v
		}
		return
	case am == 0 && bm != 0 && len(a) > 0:
		b, w := b[:len(yes)], a[0]
		for i, y := range yes {
			v := b[i]
			if y {
				v = w
			}
			out[i] = v
		}
		return
	}
	for i, y := range yes {
		// Both are loaded, so that the choice needs no branch.
		v, w := a[i&am], b[i&bm]
		if y {
			w = v
		}
		out[i] = w
	}
}

func (n *caseNode) eval(r *run, sel []int32) (*column.Column, error) {
	if n.blends && count(sel, r.n) > 0 {
		return n.blend(r, sel)
	}
	n.pick.reset(n.t, r.n)
	open, own := sel, false
	for b, cond := range n.conds {
		if count(open, r.n) == 0 {
			break
		}
		var err error
		if n.taken, err = filter(cond, r, open, grow(n.taken, r.n)[:0]); err != nil {
			return nil, err
		}
		if len(n.taken) == 0 {
			continue
		}
		if err := n.take(r, n.thens[b], n.taken); err != nil {
			return nil, err
		}
		switch {
		case open == nil:
			n.open = allRows(n.open, r.n)
		case !own:
			n.open = append(grow(n.open, r.n)[:0], open...)
		}
		open, own = without(n.open[:count(open, r.n)], n.taken), true
	}
	if count(open, r.n) > 0 {
		if n.other == nil {
			n.pick.nulls(open, r.n)
		} else if err := n.take(r, n.other, open); err != nil {
			return nil, err
		}
	}
	return n.pick.result(sel, r.n), nil
}

func (n *caseNode) take(r *run, then node, rows []int32) error {
	c, err := then.eval(r, rows)
	if err != nil {
		return err
	}
	n.pick.add(c, rows, r.n)
	return nil
}

// without removes the ascending rows taken from the ascending rows all, in
// place.
func without(all, taken []int32) []int32 {
	k, t := 0, 0
	for _, i := range all {
		if t < len(taken) && taken[t] == i {
			t++
			continue
		}
		all[k] = i
		k++
	}
	return all[:k]
}

// coalesceNode is COALESCE.
type coalesceNode struct {
	args  []node
	t     types.Type
	open  []int32
	taken []int32
	pick  picker
}

func (n *coalesceNode) eval(r *run, sel []int32) (*column.Column, error) {
	n.pick.reset(n.t, r.n)
	open := sel
	for k, a := range n.args {
		if count(open, r.n) == 0 {
			break
		}
		c, err := a.eval(r, open)
		if err != nil {
			return nil, err
		}
		if k == 0 && (!c.Const && !c.Nulls.Any() || c.Const && !c.Null(0)) {
			return c, nil
		}
		n.taken = grow(n.taken, r.n)[:0]
		rest := grow(n.open, r.n)[:0] // behind the reads, where open is n.open
		one := func(i int) {
			if c.Null(i) {
				rest = append(rest, int32(i))
			} else {
				n.taken = append(n.taken, int32(i))
			}
		}
		if open == nil {
			for i := range r.n {
				one(i)
			}
		}
		for _, i := range open {
			one(int(i))
		}
		n.pick.add(c, n.taken, r.n)
		n.open, open = rest, rest
	}
	if count(open, r.n) > 0 {
		n.pick.nulls(open, r.n)
	}
	return n.pick.result(sel, r.n), nil
}

// picker assembles a column from rows of several. Values of fixed width are
// copied as they come; bytes and lists at the end, because they must be
// written in row order.
type picker struct {
	out    column.Column
	fixed  bool
	branch []uint16
	cols   []*column.Column // branch k is cols[k-1]; 0 is NULL
}

func (p *picker) reset(t types.Type, n int) {
	resetColumn(&p.out, t, n)
	k := t.Kind()
	p.fixed = k != types.KindBytes && k != types.KindList
	p.cols = p.cols[:0]
	if !p.fixed {
		p.branch = grow(p.branch, n)
	}
}

// add takes the rows (nil: all n) from c, which must stay valid until result.
func (p *picker) add(c *column.Column, rows []int32, n int) {
	if p.fixed {
		p.copy(c, rows, n)
		return
	}
	p.cols = append(p.cols, c)
	p.mark(uint16(len(p.cols)), rows, n)
}

func (p *picker) nulls(rows []int32, n int) {
	if !p.fixed {
		p.mark(0, rows, n)
		return
	}
	if rows == nil {
		nullAll(&p.out, n)
	}
	for _, i := range rows {
		p.out.SetNull(int(i))
	}
}

func (p *picker) mark(b uint16, rows []int32, n int) {
	if rows == nil {
		for i := range n {
			p.branch[i] = b
		}
	}
	for _, i := range rows {
		p.branch[i] = b
	}
}

func (p *picker) copy(c *column.Column, rows []int32, n int) {
	o := &p.out
	switch o.Type.Kind() {
	case types.KindBool:
		copyRows(o.Bools, c.Bools, c.Const, rows, n)
	case types.KindInt:
		copyRows(o.Ints, c.Ints, c.Const, rows, n)
	case types.KindFloat:
		copyRows(o.Floats, c.Floats, c.Const, rows, n)
	case types.KindDecimal:
		copyRows(o.Decs, c.Decs, c.Const, rows, n)
	case types.KindInterval:
		copyRows(o.Ivs, c.Ivs, c.Const, rows, n)
	default:
	}
	switch {
	case !c.Nulls.Any():
	case c.Const:
		p.nulls(rows, n)
	case rows == nil:
		orNulls(o, c.Nulls, n)
	default:
		for _, i := range rows {
			if c.Nulls.Get(int(i)) {
				o.SetNull(int(i))
			}
		}
	}
}

func copyRows[T any](dst, src []T, konst bool, rows []int32, n int) {
	switch {
	case konst && rows == nil:
		for i := range n {
			dst[i] = src[0]
		}
	case konst:
		v := src[0]
		for _, i := range rows {
			dst[i] = v
		}
	case rows == nil:
		copy(dst[:n], src)
	default:
		for _, i := range rows {
			dst[i] = src[i]
		}
	}
}

func (p *picker) result(sel []int32, n int) *column.Column {
	if p.fixed {
		return &p.out
	}
	w := newWriter(&p.out)
	one := func(i int) {
		if b := p.branch[i]; b == 0 {
			w.null(i)
		} else {
			w.from(i, p.cols[b-1])
		}
	}
	if sel == nil {
		for i := range n {
			one(i)
		}
	}
	for _, i := range sel {
		one(int(i))
	}
	w.finish(n)
	return &p.out
}

// arrayNode is ARRAY[…].
type arrayNode struct {
	args   []node
	t      types.Type
	nested bool // the arguments are arrays of t: the result has a dimension more
	cols   []*column.Column
	out    column.Column
}

func (n *arrayNode) eval(r *run, sel []int32) (*column.Column, error) {
	n.cols = n.cols[:0]
	for _, a := range n.args {
		c, err := a.eval(r, sel)
		if err != nil {
			return nil, err
		}
		n.cols = append(n.cols, c)
	}
	resetColumn(&n.out, n.t, r.n)
	w := newWriter(&n.out)
	if n.nested {
		return n.evalNested(&w, r, sel)
	}
	one := func(i int) {
		w.pad(i)
		for _, c := range n.cols {
			n.out.Elem.AppendFrom(c, i)
		}
		n.out.Offs[i+1] = uint32(n.out.Elem.Len())
		w.next = i + 1
	}
	if sel == nil {
		for i := range r.n {
			one(i)
		}
	}
	for _, i := range sel {
		one(int(i))
	}
	w.finish(r.n)
	return &n.out, nil
}
