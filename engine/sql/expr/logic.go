package expr

import (
	"velostream/catalog/types"
	"velostream/storage/column"
)

// logicNode is AND (decided by false) or OR (decided by true), three-valued.
type logicNode struct {
	args    []node
	decided bool
	out     column.Column
	open    []int32
}

func (n *logicNode) eval(r *run, sel []int32) (*column.Column, error) {
	out := &n.out
	resetColumn(out, types.Bool, r.n)
	if sel == nil {
		n.open = allRows(n.open, r.n)
	} else {
		n.open = append(n.open[:0], sel...)
	}
	for _, i := range n.open {
		out.Bools[i] = !n.decided
	}
	open := n.open
	for _, a := range n.args {
		if len(open) == 0 {
			break
		}
		c, err := a.eval(r, open)
		if err != nil {
			return nil, err
		}
		if c.Const && !c.Null(0) && c.Bools[0] != n.decided {
			continue
		}
		k := 0
		for _, i := range open {
			j := c.At(int(i))
			switch {
			case c.Nulls.Get(j):
				out.SetNull(int(i))
			case c.Bools[j] == n.decided:
				out.Bools[i] = n.decided
				if out.Nulls.Get(int(i)) {
					out.Nulls.Clear(int(i))
				}
				continue
			}
			open[k] = i
			k++
		}
		open = open[:k]
	}
	return out, nil
}

// filter narrows the selection by one argument of AND after the other.
func (n *logicNode) filter(r *run, sel, dst []int32) ([]int32, error) {
	if n.decided {
		c, err := n.eval(r, sel)
		if err != nil {
			return dst, err
		}
		return trueRows(c, sel, r.n, dst), nil
	}
	cur := sel
	for i, a := range n.args {
		if cur != nil && len(cur) == 0 {
			return dst, nil
		}
		if i == len(n.args)-1 {
			return filter(a, r, cur, dst)
		}
		next, err := filter(a, r, cur, grow(n.open, r.n)[:0])
		if err != nil {
			return dst, err
		}
		n.open = next
		cur = next
	}
	return dst, nil
}

// notNode is NOT.
type notNode struct {
	arg node
	out column.Column
}

func (n *notNode) eval(r *run, sel []int32) (*column.Column, error) {
	c, err := n.arg.eval(r, sel)
	if err != nil {
		return nil, err
	}
	rows := r.n
	if c.Const {
		rows = 1
	}
	resetColumn(&n.out, types.Bool, rows)
	n.out.Const = c.Const
	orNulls(&n.out, c.Nulls, rows)
	for i, b := range c.Bools[:rows] {
		n.out.Bools[i] = !b
	}
	return &n.out, nil
}

// isNullNode is IS [NOT] NULL.
type isNullNode struct {
	arg    node
	negate bool
	out    column.Column
}

func (n *isNullNode) eval(r *run, sel []int32) (*column.Column, error) {
	c, err := n.arg.eval(r, sel)
	if err != nil {
		return nil, err
	}
	rows := r.n
	if c.Const {
		rows = 1
	}
	resetColumn(&n.out, types.Bool, rows)
	n.out.Const = c.Const
	for i := range n.out.Bools {
		n.out.Bools[i] = n.negate
	}
	if c.Nulls.Any() {
		for i := range n.out.Bools {
			n.out.Bools[i] = c.Nulls.Get(i) != n.negate
		}
	}
	return &n.out, nil
}

// distinctNode is IS [NOT] DISTINCT FROM.
type distinctNode struct {
	l, r   node
	t      types.Type
	negate bool
	out    column.Column
}

func (n *distinctNode) eval(r *run, sel []int32) (*column.Column, error) {
	l, err := n.l.eval(r, sel)
	if err != nil {
		return nil, err
	}
	rt, err := n.r.eval(r, sel)
	if err != nil {
		return nil, err
	}
	resetColumn(&n.out, types.Bool, r.n)
	one := func(i int) {
		ln, rn := l.Null(i), rt.Null(i)
		same := ln && rn
		if !ln && !rn {
			same = equalAt(n.t, l, rt, i)
		}
		n.out.Bools[i] = same == n.negate
	}
	if sel == nil {
		for i := range r.n {
			one(i)
		}
	}
	for _, i := range sel {
		one(int(i))
	}
	return &n.out, nil
}
