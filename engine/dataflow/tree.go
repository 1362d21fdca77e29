package dataflow

import (
	"velostream/storage/column"
	"velostream/storage/state"
)

// Tree is operators connected by direct calls: what one task runs, or a whole
// bounded query. Inputs are numbered from 0 in the order of Input calls. For
// one goroutine.
//
//	t := NewTree()
//	l, r := t.Input(), t.Input()
//	t.Finish(t.Add(filter, t.Add(join, l, r)), out)
type Tree struct {
	nodes  []*node // children before their parents
	inputs []*node // inputs[i] is the entry of input i: a node without operator
	marks  []Watermark
	idle   []bool
	mark   Watermark // minimum of marks, see Advance
}

// Ref is a place in the tree whose output can be given to an operator.
type Ref struct{ n *node }

type node struct {
	op      Operator
	next    Output  // where this node's output goes
	readers []*port // likewise, those that are operators
	open    int     // ports that have not ended
}

// to adds a reader of the output: the second one and those after it get the same
// batches as the first.
func (n *node) to(out Output) {
	if p, ok := out.(*port); ok {
		n.readers = append(n.readers, p)
	}
	if n.next == nil {
		n.next = out
		return
	}
	n.next = &tee{n.next, out}
}

// tee hands each batch to both.
type tee struct{ a, b Output }

// Emit implements Output.
func (t *tee) Emit(b *column.Batch) error {
	if err := t.a.Emit(b); err != nil {
		return err
	}
	return t.b.Emit(b)
}

// port feeds one port of an operator.
type port struct {
	to   *node
	port int
}

// Emit implements Output.
func (p *port) Emit(b *column.Batch) error {
	if b.Rows() == 0 {
		return nil
	}
	return p.to.op.Process(p.port, b, p.to.next)
}

// NewTree returns an empty tree.
func NewTree() *Tree { return &Tree{mark: NoWatermark} }

// Input adds the next input.
func (t *Tree) Input() Ref {
	n := &node{}
	t.inputs = append(t.inputs, n)
	t.marks = append(t.marks, NoWatermark)
	t.idle = append(t.idle, false)
	return Ref{n}
}

// Add adds an operator over in, its ports from 0. A Ref may be read several times.
func (t *Tree) Add(op Operator, in ...Ref) Ref {
	n := &node{op: op, open: len(in)}
	for i, r := range in {
		r.n.to(&port{n, i})
	}
	t.nodes = append(t.nodes, n)
	return Ref{n}
}

// Finish says where the output of the last operator goes.
func (t *Tree) Finish(root Ref, out Output) { root.n.to(out) }

// Inputs is how many inputs there are.
func (t *Tree) Inputs() int { return len(t.inputs) }

// Push gives b to input i. b is the caller's again on return.
func (t *Tree) Push(i int, b *column.Batch) error {
	if b.Rows() == 0 {
		return nil
	}
	return t.inputs[i].next.Emit(b)
}

// Advance sets the watermark of input i, and whether the input is idle: then
// it does not hold back the others. When the minimum of the inputs that are
// not idle grew (of all idle ones: the greatest), all operators are told. It
// returns that, and whether all inputs are idle.
func (t *Tree) Advance(i int, w Watermark, idle bool) (Watermark, bool, error) {
	t.marks[i], t.idle[i] = max(t.marks[i], w), idle
	least, most, all := EndOfTime, NoWatermark, true
	for k, m := range t.marks {
		most = max(most, m)
		if !t.idle[k] {
			least, all = min(least, m), false
		}
	}
	if all {
		least = most
	}
	if least <= t.mark {
		return t.mark, all, nil
	}
	t.mark = least
	for _, n := range t.nodes {
		if err := n.op.Watermark(least, n.next); err != nil {
			return t.mark, all, err
		}
	}
	return t.mark, all, nil
}

// Barrier ends an epoch in all operators, inputs' side first.
func (t *Tree) Barrier(e state.Epoch) error {
	for _, n := range t.nodes {
		if err := n.op.Barrier(e, n.next); err != nil {
			return err
		}
	}
	return nil
}

// End says that input i of a bounded run brings nothing more. An operator all of whose ports
// have ended is told EndOfTime and given its one barrier, e, and so on toward the root: what one side of a
// join makes of its rows is complete before the other side begins.
func (t *Tree) End(i int, e state.Epoch) error { return t.inputs[i].end(e) }

// Run ends an operator of a bounded run that has no inputs: it emits its rows.
func (t *Tree) Run(r Ref, e state.Epoch) error { return r.n.finish(e) }

// end tells the readers of n's output that it is complete.
func (n *node) end(e state.Epoch) error {
	for _, p := range n.readers {
		to := p.to
		if x, ok := to.op.(Ender); ok {
			if err := x.End(p.port, to.next); err != nil {
				return err
			}
		}
		if to.open--; to.open > 0 {
			continue
		}
		if err := to.finish(e); err != nil {
			return err
		}
	}
	return nil
}

func (n *node) finish(e state.Epoch) error {
	if err := n.op.Watermark(EndOfTime, n.next); err != nil {
		return err
	}
	if err := n.op.Barrier(e, n.next); err != nil {
		return err
	}
	return n.end(e)
}

// Operators lists the operators, inputs' side first.
func (t *Tree) Operators() []Operator {
	out := make([]Operator, len(t.nodes))
	for i, n := range t.nodes {
		out[i] = n.op
	}
	return out
}

// OutputFunc is an Output made of a function.
type OutputFunc func(b *column.Batch) error

// Emit implements Output.
func (f OutputFunc) Emit(b *column.Batch) error { return f(b) }
