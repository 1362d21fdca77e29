package optimizer

import (
	"velostream/engine/sql/expr"
	"velostream/engine/sql/plan"
)

// over drops the calls that nothing needs, and the node when none is left.
func (pr *pruner) over(p *plan.Over, need []bool, keyed bool) (plan.Logical, []int) {
	n := len(p.Out) - len(p.Calls)
	var calls []plan.OverCall
	var cols plan.Schema
	place := make([]int, len(p.Calls))
	for i, c := range p.Calls {
		if place[i] = -1; need[n+i] {
			place[i] = len(calls)
			calls, cols = append(calls, c), append(cols, p.Out[n+i])
		}
	}
	below := append([]bool(nil), need[:n]...)
	keep := len(calls) > 0 || p.WindowEnd != nil
	if keep {
		use(below, p.Partition...)
		use(below, p.WindowEnd)
		for _, k := range p.Order {
			use(below, k.Expr)
		}
		plan.MapOverCalls(calls, func(e expr.Expr) expr.Expr { use(below, e); return e })
	}
	in, at := pr.node(p.Input, below, keyed || pr.continuous && keep)
	width := len(in.Schema())
	at = append([]int(nil), at...)
	for _, c := range place {
		if c >= 0 {
			c += width
		}
		at = append(at, c)
	}
	if !keep {
		return in, at
	}
	out := append(append(plan.Schema(nil), in.Schema()...), cols...)
	move := func(e expr.Expr) expr.Expr { return moved(e, at) }
	return &plan.Over{
		Input: in, Partition: movedAll(p.Partition, at), Order: movedKeys(p.Order, at),
		Calls: plan.MapOverCalls(calls, move), WindowEnd: moved(p.WindowEnd, at), Emit: p.Emit, Lateness: p.Lateness, Out: out,
	}, at
}

// expand keeps all calls, since they make the rows.
func (pr *pruner) expand(p *plan.Expand, need []bool, keyed bool) (plan.Logical, []int) {
	n := len(p.Input.Schema())
	below := append([]bool(nil), need[:n]...)
	for _, c := range p.Calls {
		use(below, c.Args...)
	}
	in, to := pr.node(p.Input, below, keyed)
	width := len(in.Schema())
	at := append([]int(nil), to...)
	for i := n; i < len(p.Out); i++ {
		at = append(at, width+i-n)
	}
	out := append(append(plan.Schema(nil), in.Schema()...), p.Out[n:]...)
	calls := plan.MapTableCalls(p.Calls, func(e expr.Expr) expr.Expr { return moved(e, to) })
	return &plan.Expand{Input: in, Calls: calls, Out: out}, at
}

// whole narrows what is below p but not p itself: others rely on its columns.
func (pr *pruner) whole(p plan.Logical) (plan.Logical, []int) {
	in := p.Inputs()
	out := make([]plan.Logical, len(in))
	for i, c := range in {
		s := c.Schema()
		n, at := pr.node(c, wanted(len(s), true), false)
		out[i] = arranged(n, at, s)
	}
	at := make([]int, len(p.Schema()))
	for i := range at {
		at[i] = i
	}
	if len(in) == 0 {
		return p, at
	}
	return p.WithInputs(out), at
}
