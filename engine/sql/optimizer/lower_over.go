package optimizer

import (
	"slices"

	"velostream/engine/sql/expr"
	"velostream/engine/sql/plan"
	"velostream/pgwire/pgerror"
)

// over lowers window functions: rows are spread by the partition. In a query that goes
// straight to a client, over input that only grows, a row leaves once when its results
// depend on the rows before it alone.
func (l *lowering) over(p *plan.Over) (*plan.Physical, error) {
	final := l.o.Continuous && p.WindowEnd != nil && p.Emit == plan.EmitFinal
	switch {
	case len(p.Calls) > 0 || final:
	case l.o.Continuous: // a view has no order
		return l.node(p.Input, true, false)
	default:
		keys := append([]plan.SortKey{{Expr: p.WindowEnd}}, p.Order...)
		return l.node(&plan.Sort{Input: p.Input, Keys: keys}, false, false)
	}
	in, keys, err := l.side(p.Input, p.Partition, l.o.Continuous)
	if err != nil {
		return nil, err
	}
	if final {
		if c, ok := p.WindowEnd.(*expr.Col); !ok || c.Index != in.EventTime {
			return nil, neverCloses()
		}
	}
	in = l.exchange(in, keys)
	base, width := len(p.Input.Schema()), len(in.Out)
	n := newNode(plan.OpOver, withColumns(in.Out, p.Out[base:]...), in)
	n.Keys, n.Sort, n.Over, n.Key, n.Tables = keys, p.Order, p.Calls, in.Key, l.newTables(1)
	if final || l.o.Continuous && in.AppendOnly && slices.Contains(keys, in.EventTime) && closes(in) {
		n.Emit, n.WindowEnd, n.EventTime, n.Lateness = plan.EmitFinal, in.EventTime, in.EventTime, p.Lateness
	}
	l.closeByClock(n)
	if l.o.Continuous && (!l.o.View || l.o.Stream) && in.AppendOnly && n.Emit != plan.EmitFinal {
		if n.Once = onlyBefore(p.Calls); !n.Once && !l.o.Ends {
			n.Back, n.Ahead, n.Once = around(p.Calls)
		}
	}
	n.AppendOnly = !l.o.Continuous || n.Once || n.Emit == plan.EmitFinal
	if base == width {
		return n, nil
	}
	exprs := make([]expr.Expr, 0, len(p.Out))
	for i := range p.Out {
		if i < base {
			exprs = append(exprs, col(n.Out, i))
		} else {
			exprs = append(exprs, col(n.Out, i-base+width))
		}
	}
	return projectOver(n, exprs, p.Out, l.o.Continuous), nil
}

// closes reports that the rows of in are those of time windows that have closed: they come
// together, so what is computed over a window's rows can be computed then.
func closes(in *plan.Physical) bool {
	switch in.Op {
	case plan.OpAggregate, plan.OpOver:
		return in.Emit == plan.EmitFinal
	case plan.OpProject, plan.OpFilter, plan.OpExchange:
		return closes(in.Inputs[0])
	default:
	}
	return false
}

// onlyBefore reports that no call looks at rows behind the current one.
func onlyBefore(calls []plan.OverCall) bool {
	for _, c := range calls {
		switch {
		case c.Name == "row_number" || c.Name == "rank" || c.Name == "dense_rank":
		case c.Name == "lag":
			if len(c.Args) > 1 {
				k, ok := c.Args[1].(*expr.Const)
				if !ok || !k.Value.Null && k.Value.I < 0 {
					return false
				}
			}
		case (c.Aggregate || c.Name == "first_value" || c.Name == "last_value" || c.Name == "nth_value") && c.Frame.Preceding():
		default:
			return false
		}
	}
	return true
}

// around is how many rows back and ahead the calls look; ok is false when that is not a constant
// number of at most 1,000 for all of them.
func around(calls []plan.OverCall) (back, ahead int, ok bool) {
	const far = 1000
	constant := func(e expr.Expr) (int, bool) {
		k, ok := e.(*expr.Const)
		if !ok || k.Value.Null || k.Value.I < -far || k.Value.I > far {
			return 0, false
		}
		return int(k.Value.I), true
	}
	for _, c := range calls {
		if c.Name == "lead" || c.Name == "lag" {
			by := 1
			if len(c.Args) > 1 {
				if by, ok = constant(c.Args[1]); !ok {
					return 0, 0, false
				}
			}
			if c.Name == "lag" {
				by = -by
			}
			back, ahead = max(back, -by), max(ahead, by)
			continue
		}
		if f := &c.Frame; f.Mode != plan.FrameRows || f.Exclude == plan.ExcludeGroup || f.Exclude == plan.ExcludeTies ||
			!c.Aggregate && c.Name != "first_value" && c.Name != "last_value" && c.Name != "nth_value" {
			return 0, 0, false
		}
		for _, b := range []plan.FrameBound{c.Frame.Start, c.Frame.End} {
			switch b.Kind {
			case plan.CurrentRow:
			case plan.OffsetPreceding, plan.OffsetFollowing:
				by, ok := constant(b.Offset)
				if !ok {
					return 0, 0, false
				}
				if b.Kind == plan.OffsetPreceding {
					by = -by
				}
				back, ahead = max(back, -by), max(ahead, by)
			default:
				return 0, 0, false
			}
		}
	}
	return back, ahead, ahead > 0
}

// expand lowers set-returning functions. A row's key is that of the row it comes from,
// and its number.
func (l *lowering) expand(p *plan.Expand, keyed bool) (*plan.Physical, error) {
	in, err := l.node(p.Input, keyed, false)
	if err != nil {
		return nil, err
	}
	base, width := len(p.Input.Schema()), len(in.Out)
	n := newNode(plan.OpExpand, withColumns(in.Out, p.Out[base:]...), in)
	n.Table, n.AppendOnly, n.EventTime = p.Calls, in.AppendOnly, in.EventTime
	if keyed {
		n.Key = append(append(n.Key, in.Key...), len(n.Out)-1)
	}
	if base == width {
		return n, nil
	}
	exprs := make([]expr.Expr, 0, len(p.Out))
	for i := range p.Out {
		if i < base {
			exprs = append(exprs, col(n.Out, i))
		} else {
			exprs = append(exprs, col(n.Out, i-base+width))
		}
	}
	return projectOver(n, exprs, p.Out, keyed), nil
}

// recursive lowers WITH RECURSIVE; it needs input that ends.
func (l *lowering) recursive(p *plan.Recursive) (*plan.Physical, error) {
	if l.o.Continuous {
		return nil, pgerror.Unsupported("recursive queries are not supported in a continuous query")
	}
	n := newNode(plan.OpRecursive, p.Out)
	n.Recursion, n.Distinct, n.Name, n.AppendOnly = p.ID, p.Distinct, p.Name, true
	for _, b := range []plan.Logical{p.Base, p.Step} {
		in, err := l.node(b, false, false)
		if err != nil {
			return nil, err
		}
		n.Inputs = append(n.Inputs, cutTo(in, p.Out))
	}
	return n, nil
}

func (l *lowering) workTable(p *plan.WorkTable) *plan.Physical {
	n := newNode(plan.OpWorkTable, p.Out)
	n.Recursion, n.Name, n.AppendOnly = p.ID, p.Name, true
	return n
}

// sharedNode lowers a subplan once for all who read it.
func (l *lowering) sharedNode(p *plan.Shared, keyed bool) (*plan.Physical, error) {
	if l.o.Continuous {
		return l.node(p.Input, keyed, false)
	}
	n, ok := l.shared[p.ID]
	if !ok {
		var err error
		if n, err = l.node(p.Input, false, false); err != nil {
			return nil, err
		}
		if n.Shared != 0 || n.Op == plan.OpScan { // it has a number already, or reading it is all there is
			id := n
			n = newNode(plan.OpProject, withColumns(id.Out), id)
			n.AppendOnly = true
			for i := range id.Out {
				n.Exprs = append(n.Exprs, col(id.Out, i))
			}
		}
		n.Shared = p.ID
		if l.shared == nil {
			l.shared = map[int]*plan.Physical{}
		}
		l.shared[p.ID] = n
	}
	c := *n
	return &c, nil
}

// loneShares removes the marks of subplans that only one place reads.
func loneShares(c *Context, p plan.Logical) (plan.Logical, bool) {
	count := map[int]int{}
	var walk func(p plan.Logical)
	walk = func(p plan.Logical) {
		if s, ok := p.(*plan.Shared); ok {
			if count[s.ID]++; count[s.ID] > 1 {
				return
			}
		}
		for _, in := range p.Inputs() {
			walk(in)
		}
	}
	walk(p)
	return bottomUp(p, func(p plan.Logical) (plan.Logical, bool) {
		if s, ok := p.(*plan.Shared); ok && (c.Continuous || count[s.ID] < 2 && !s.Keep) {
			return s.Input, true
		}
		return p, false
	})
}
