package expr

import (
	"velostream/catalog/types"
	"velostream/storage/column"
)

// inNode is arg [NOT] IN (constants), by hash where equality is equality of
// the stored form, else by comparing one after the other.
type inNode struct {
	arg    node
	t      types.Type
	negate bool
	null   bool // the list has a NULL: what is not found is unknown
	ints   map[int64]struct{}
	strs   map[string]struct{}
	list   []types.Datum
	out    column.Column
}

func compileIn(e *InList) (node, error) {
	arg, err := compile(e.Arg)
	if err != nil {
		return nil, err
	}
	n := &inNode{arg: arg, t: e.Arg.Type(), negate: e.Negate}
	switch k := n.t.Kind(); {
	case k == types.KindInt:
		n.ints = make(map[int64]struct{}, len(e.List))
	case k == types.KindBytes && n.t.PlainBytes():
		n.strs = make(map[string]struct{}, len(e.List))
	}
	for _, c := range e.List {
		switch {
		case c.Value.Null:
			n.null = true
		case n.ints != nil:
			n.ints[c.Value.I] = struct{}{}
		case n.strs != nil:
			n.strs[string(c.Value.B)] = struct{}{}
		default:
			n.list = append(n.list, c.Value)
		}
	}
	return n, nil
}

func (n *inNode) eval(r *run, sel []int32) (*column.Column, error) {
	c, err := n.arg.eval(r, sel)
	if err != nil {
		return nil, err
	}
	rows := r.n
	if c.Const {
		rows, sel = 1, nil
	}
	resetColumn(&n.out, types.Bool, rows)
	n.out.Const = c.Const
	if count(sel, rows) == 0 || r.n == 0 {
		return &n.out, nil
	}
	orNulls(&n.out, c.Nulls, rows)
	if sel == nil {
		for i := range rows {
			n.one(c, i)
		}
	}
	for _, i := range sel {
		n.one(c, int(i))
	}
	return &n.out, nil
}

func (n *inNode) one(c *column.Column, i int) {
	found := false
	switch {
	case n.out.Nulls.Get(i):
		return
	case n.ints != nil:
		_, found = n.ints[c.Ints[i]]
	case n.strs != nil:
		_, found = n.strs[string(c.Data[c.Offs[i]:c.Offs[i+1]])]
	default:
		d := c.Datum(i)
		for _, v := range n.list {
			if found = types.Compare(n.t, d, v) == 0; found {
				break
			}
		}
	}
	if !found && n.null {
		n.out.SetNull(i)
		return
	}
	n.out.Bools[i] = found != n.negate
}
