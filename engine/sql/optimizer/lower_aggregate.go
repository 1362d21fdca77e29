package optimizer

import (
	"velostream/engine/sql/expr"
	"velostream/engine/sql/plan"
	"velostream/pgwire/pgerror"
)

// aggregate lowers a grouping: the input is projected so that groups and
// arguments are plain columns, and spread by the groups.
func (l *lowering) aggregate(p *plan.Aggregate) (*plan.Physical, error) {
	if w := sessionsOf(p); w != nil && l.o.Continuous && p.Emit != plan.EmitFinal {
		return l.sessionGroups(p, w)
	}
	in, err := l.node(p.Input, false, false)
	if err != nil {
		return nil, err
	}
	return l.aggregateOver(p, in)
}

func (l *lowering) aggregateOver(p *plan.Aggregate, in *plan.Physical) (*plan.Physical, error) {
	var err error
	n := newNode(plan.OpAggregate, p.Out, nil)
	if n.WindowEnd, err = l.closing(p, in); err != nil {
		return nil, err
	}
	pre := &projection{}
	for _, g := range p.Groups {
		n.Keys = append(n.Keys, pre.add(g))
	}
	n.Aggs = make([]plan.AggCall, len(p.Aggs))
	for i, a := range p.Aggs {
		n.Aggs[i] = pre.aggregate(a)
	}
	if len(pre.exprs) > 0 && (!pre.plain || l.o.Shards > 1 && len(pre.exprs) < len(in.Out)) {
		in = pre.over(in)
	} else {
		n.Keys, n.Aggs = n.Keys[:0], p.Aggs
		for _, g := range p.Groups {
			n.Keys = append(n.Keys, g.(*expr.Col).Index)
		}
	}
	in = l.exchange(in, spreadBy(p, n.Keys))
	n.Inputs = []*plan.Physical{in}
	n.Lateness, n.Emit = p.Lateness, p.Emit
	if !l.o.Continuous {
		n.Emit = plan.EmitChanges
	}
	n.Key = make([]int, len(p.Groups))
	for i := range n.Key {
		n.Key[i] = i
	}
	n.EventTime = n.WindowEnd
	// A closed window's row is final.
	n.AppendOnly = n.Emit == plan.EmitFinal || !l.o.Continuous
	if l.o.Continuous && n.WindowEnd >= 0 {
		if err := lateRows(n, p, in); err != nil {
			return nil, err
		}
	}
	n.Tables = l.newTables(2)
	l.closeByClock(n)
	return n, nil
}

// closeByClock gives n, which may close windows, the timeout of EMIT ON WINDOW CLOSE.
func (l *lowering) closeByClock(n *plan.Physical) {
	if l.o.Continuous && l.o.Timeout > 0 && n.Emit == plan.EmitFinal && n.WindowEnd >= 0 {
		n.Timeout = l.o.Timeout
		n.Tables = append(n.Tables, l.newTables(1)...)
	}
}

// closing is the group that closes windows. There is none when the watermark
// is not about the windows' time: closing by it would call rows late that are not.
func (l *lowering) closing(p *plan.Aggregate, in *plan.Physical) (int, error) {
	if p.WindowEnd < 0 || !l.o.Continuous {
		return p.WindowEnd, nil
	}
	if c, ok := p.Groups[p.WindowEnd].(*expr.Col); ok && c.Index == in.EventTime {
		return p.WindowEnd, nil
	}
	if p.Emit == plan.EmitFinal {
		return -1, neverCloses()
	}
	l.warn("01000", watermarkHint, "the window's time has no watermark, so the state of its windows is kept for ever")
	return -1, nil
}

// spreadBy are the columns by which rows go to the shards: the groups, but for the window where
// late rows change to another one.
func spreadBy(p *plan.Aggregate, keys []int) []int {
	if p.Late != plan.LateNext {
		return keys
	}
	var out []int
	for i, k := range keys {
		if i != p.WindowEnd && i != p.WindowStart {
			out = append(out, k)
		}
	}
	return out
}

// lateRows says what n does with late rows. Corrections take back what was emitted, and come
// long after the watermark.
func lateRows(n *plan.Physical, p *plan.Aggregate, in *plan.Physical) error {
	n.Late, n.Retention, n.WindowStart = p.Late, p.Retention, p.WindowStart
	switch p.Late {
	case plan.LateUpdate:
		n.AppendOnly, n.EventTime = false, -1
	case plan.LateNext:
		n.Window = p.Window
		if !in.AppendOnly {
			return pgerror.Unsupported("LATE ROWS include_in_next over rows that may be taken back is not supported")
		}
	case plan.LateDrop, plan.LateLetters:
	}
	return nil
}

const watermarkHint = "Declare WATERMARK FOR the window's time column on the stream."

func neverCloses() error {
	return pgerror.Unsupported("the window's time has no watermark, so its windows never close").
		WithHint("%s EMIT CHANGES needs none.", watermarkHint)
}

// projection collects the expressions an operator needs as columns.
type projection struct {
	exprs []expr.Expr
	plain bool // all are columns
	seen  bool
}

// add returns the column of e in the projection.
func (p *projection) add(e expr.Expr) int {
	if !p.seen {
		p.seen, p.plain = true, true
	}
	for i, x := range p.exprs {
		if plan.Same(x, e) {
			return i
		}
	}
	if _, ok := e.(*expr.Col); !ok {
		p.plain = false
	}
	p.exprs = append(p.exprs, e)
	return len(p.exprs) - 1
}

func (p *projection) col(e expr.Expr) expr.Expr {
	if c, ok := e.(*expr.Const); ok {
		return c // the separator of string_agg and its like
	}
	c := &expr.Col{Index: p.add(e), T: e.Type()}
	if o, ok := e.(*expr.Col); ok {
		c.Name = o.Name
	}
	return c
}

func (p *projection) aggregate(a plan.AggCall) plan.AggCall {
	out := a
	out.Args = make([]expr.Expr, len(a.Args))
	for i, x := range a.Args {
		out.Args[i] = p.col(x)
	}
	if a.Filter != nil {
		out.Filter = p.col(a.Filter)
	}
	out.OrderBy = nil
	for _, k := range a.OrderBy {
		k.Expr = p.col(k.Expr)
		out.OrderBy = append(out.OrderBy, k)
	}
	return out
}

// over makes the projection of in. The stream key is dropped: a grouping
// identifies rows by its groups.
func (p *projection) over(in *plan.Physical) *plan.Physical {
	out := make(plan.Schema, len(p.exprs))
	for i, e := range p.exprs {
		out[i] = plan.Column{Type: e.Type()}
		if c, ok := e.(*expr.Col); ok {
			out[i] = in.Out[c.Index]
			out[i].Hidden = false
		}
	}
	return projectOver(in, p.exprs, out, false)
}
