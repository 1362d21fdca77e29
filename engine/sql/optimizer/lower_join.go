package optimizer

import (
	"math"
	"slices"

	"velostream/catalog/types"
	"velostream/engine/sql/expr"
	"velostream/engine/sql/plan"
	"velostream/pgwire/pgerror"
)

// join lowers a join. Both sides are projected so that equal keys are columns;
// the output is left columns, right columns, then both sides' hidden ones.
func (l *lowering) join(p *plan.Join) (*plan.Physical, error) {
	left, lk, err := l.side(p.Left, p.EqualLeft, l.o.Continuous)
	if err != nil {
		return nil, err
	}
	right, rk, err := l.side(p.Right, p.EqualRight, l.o.Continuous || p.Temporal != nil)
	if err != nil {
		return nil, err
	}
	n := newNode(plan.OpJoin, nil)
	cond := p.Cond
	if p.Temporal != nil {
		err = l.temporal(p, n, left, right)
	} else if w, rest := timeBounds(p, left, right); w != nil {
		n.Op, n.Within, cond = plan.OpIntervalJoin, w, plan.All(rest)
		n.Lateness = max(0, bounded(w.Hi), bounded(-w.Lo))
	}
	if err != nil {
		return nil, err
	}
	if l.o.Continuous {
		l.joinWarnings(p, n, left, right)
	}
	left, right = l.exchange(left, lk), l.exchange(right, rk)
	n.Inputs = []*plan.Physical{left, right}
	n.Join, n.Keys, n.RightKeys, n.NullSafe, n.Tables = p.Kind, lk, rk, p.NullSafe, l.newTables(2)
	semi := p.Kind == plan.SemiJoin || p.Kind == plan.AntiJoin
	nl, wl := len(p.Left.Schema()), len(left.Out)
	n.Out = withColumns(left.Out)
	n.Key = append(n.Key, left.Key...)
	if !semi {
		n.Out = withColumns(n.Out, right.Out...)
	}
	if !semi && n.Op != plan.OpTemporalJoin { // there a left row is given once
		for _, k := range right.Key {
			n.Key = append(n.Key, wl+k)
		}
	}
	n.Cond = plan.Remap(cond, func(c *expr.Col) expr.Expr {
		if c.Index < nl {
			return c
		}
		return &expr.Col{Index: c.Index - nl + wl, T: c.T, Name: c.Name}
	})
	n.AppendOnly = !l.o.Continuous || left.AppendOnly && right.AppendOnly &&
		(p.Kind == plan.InnerJoin || p.Kind == plan.CrossJoin || p.Kind == plan.SemiJoin)
	n.EventTime = joinTime(p, left, right)
	if n.Within != nil {
		n.AppendOnly, n.EventTime = true, intervalTime(p.Kind, n.Within, wl)
	}
	if n.Temporal != nil {
		n.AppendOnly, n.EventTime = true, left.EventTime
	}
	if semi || nl == wl {
		return n, nil
	}
	var exprs []expr.Expr
	for i := range p.Out {
		if i < nl {
			exprs = append(exprs, col(n.Out, i))
		} else {
			exprs = append(exprs, col(n.Out, i-nl+wl))
		}
	}
	return projectOver(n, exprs, p.Out, l.o.Continuous), nil
}

// joinTime is the event time column of a join's output: that of a stream which
// is joined with something that has no time, such as a table. Its rows leave when they
// arrive; what a change of the table adds later is late where a window has closed. Rows of
// two streams wait for each other, so nothing holds for their times.
func joinTime(p *plan.Join, left, right *plan.Physical) int {
	switch {
	case left.EventTime >= 0 && left.AppendOnly && !timed(p.Right) && p.Kind != plan.RightJoin && p.Kind != plan.FullJoin:
		return left.EventTime
	case right.EventTime >= 0 && right.AppendOnly && !timed(p.Left) &&
		(p.Kind == plan.InnerJoin || p.Kind == plan.CrossJoin || p.Kind == plan.RightJoin):
		return len(left.Out) + right.EventTime
	}
	return -1
}

// intervalTime is the event time column of an interval join: that of the side whose rows
// all are in the output.
func intervalTime(k plan.JoinKind, w *plan.TimeBounds, left int) int {
	switch {
	case k == plan.FullJoin, w.Lo == math.MinInt64, w.Hi == math.MaxInt64:
		return -1 // a side's times may be missing, or from any time ago
	case k == plan.RightJoin:
		return left + w.Right
	}
	return w.Left
}

// bounded is d, or 0 when it is no bound.
func bounded(d int64) int64 {
	if d == math.MinInt64 || d == math.MaxInt64 {
		return 0
	}
	return d
}

// timed reports that p reads a relation with a watermark.
func timed(p plan.Logical) bool {
	if s, ok := p.(*plan.Scan); ok {
		return s.Timed
	}
	return slices.ContainsFunc(p.Inputs(), timed)
}

// side lowers an input of a join and makes the equal expressions columns of it.
func (l *lowering) side(p plan.Logical, equal []expr.Expr, keyed bool) (*plan.Physical, []int, error) {
	in, err := l.node(p, keyed, false)
	if err != nil {
		return nil, nil, err
	}
	keys := make([]int, len(equal))
	plain := true
	for i, e := range equal {
		c, ok := e.(*expr.Col)
		if plain = plain && ok; ok {
			keys[i] = c.Index
		}
	}
	if plain {
		return in, keys, nil
	}
	exprs, out := make([]expr.Expr, len(in.Out)), withColumns(in.Out)
	for i := range in.Out {
		exprs[i] = col(in.Out, i)
	}
	for i, e := range equal {
		if _, ok := e.(*expr.Col); ok {
			continue
		}
		keys[i] = len(exprs)
		exprs = append(exprs, e)
		out = append(out, plan.Column{Type: e.Type(), Hidden: true})
	}
	return projectOver(in, exprs, out, keyed), keys, nil
}

func (l *lowering) joinWarnings(p *plan.Join, n, left, right *plan.Physical) {
	within := n.Within
	if len(p.EqualLeft) == 0 && p.Cond == nil && p.Kind != plan.SemiJoin && p.Kind != plan.AntiJoin &&
		!oneRow(p.Left) && !oneRow(p.Right) {
		l.warn("01000", "Add a join condition.", "the join of %s and %s is a Cartesian product", nameOf(p.Left), nameOf(p.Right))
	}
	const hint = "Bound the time: JOIN … WITHIN INTERVAL '10' SECOND ON …, or b.ts BETWEEN a.ts - INTERVAL '10' SECOND AND a.ts + INTERVAL '10' SECOND on the watermark columns; or join with a table."
	switch {
	case n.Temporal != nil:
	case within != nil && within.Lo > math.MinInt64 && within.Hi < math.MaxInt64:
	case within != nil && within.Hi < math.MaxInt64:
		l.warn("01000", hint, "the state of the join of %s and %s is unbounded: rows of %[2]s are kept for ever", nameOf(p.Left), nameOf(p.Right))
	case within != nil:
		l.warn("01000", hint, "the state of the join of %s and %s is unbounded: rows of %[1]s are kept for ever", nameOf(p.Left), nameOf(p.Right))
	case left.AppendOnly && right.AppendOnly && fromStream(left) && fromStream(right):
		l.warn("01000", hint, "the state of the join of %s and %s is unbounded: rows of both are kept for ever", nameOf(p.Left), nameOf(p.Right))
	}
}

func oneRow(p plan.Logical) bool {
	switch p := p.(type) {
	case *plan.Aggregate:
		return len(p.Groups) == 0
	case *plan.Values:
		return len(p.Rows) == 1
	case *plan.Project:
		return oneRow(p.Input)
	}
	return false
}

func fromStream(p *plan.Physical) bool {
	if p.Op == plan.OpScan {
		return p.AppendOnly
	}
	if p.Op == plan.OpAggregate {
		return false
	}
	return slices.ContainsFunc(p.Inputs, fromStream)
}

func nameOf(p plan.Logical) string {
	if s, ok := p.(*plan.Scan); ok {
		return s.Name
	}
	for _, in := range p.Inputs() {
		return nameOf(in)
	}
	return "a subquery"
}

// union lowers UNION ALL. A row's key is the branch it comes from and its key
// there; branches share hidden key columns of equal types.
func (l *lowering) union(p *plan.Union, keyed bool) (*plan.Physical, error) {
	n := newNode(plan.OpUnion, p.Out)
	n.AppendOnly = true
	event := -1
	for i, b := range p.All {
		in, err := l.node(b, keyed, false)
		if err != nil {
			return nil, err
		}
		n.AppendOnly = n.AppendOnly && in.AppendOnly
		if i == 0 {
			event = in.EventTime
		} else if event != in.EventTime {
			event = -1
		}
		n.Inputs = append(n.Inputs, in)
	}
	if event < len(p.Out) {
		n.EventTime = event
	}
	if !keyed || !l.o.Continuous {
		for i, in := range n.Inputs {
			n.Inputs[i] = cutTo(in, p.Out)
		}
		return n, nil
	}
	base := len(p.Out)
	slots := unionSlots(n.Inputs)
	n.Out = withColumns(p.Out, plan.Column{Name: "_branch", Type: types.Int4, Hidden: true})
	n.Key = []int{base}
	for i, t := range slots {
		n.Out = append(n.Out, plan.Column{Name: "_key", Type: t, Hidden: true})
		n.Key = append(n.Key, base+1+i)
	}
	for i, in := range n.Inputs {
		n.Inputs[i] = branch(in, i, slots, n.Out, base)
	}
	return n, nil
}

// unionSlots are the types of the key columns that serve all branches.
func unionSlots(in []*plan.Physical) []types.Type {
	var slots []types.Type
	for _, b := range in {
		count := map[types.Type]int{}
		for _, k := range b.Key {
			t := b.Out[k].Type
			count[t]++
			have := 0
			for _, s := range slots {
				if s == t {
					have++
				}
			}
			if have < count[t] {
				slots = append(slots, t)
			}
		}
	}
	return slots
}

func branch(in *plan.Physical, i int, slots []types.Type, out plan.Schema, base int) *plan.Physical {
	exprs := make([]expr.Expr, 0, len(out))
	for c := range base {
		exprs = append(exprs, col(in.Out, c))
	}
	exprs = append(exprs, intConst(int64(i)))
	used := map[int]bool{}
	for _, t := range slots {
		var e expr.Expr = &expr.Const{Value: types.NullDatum, T: t}
		for _, k := range in.Key {
			if !used[k] && in.Out[k].Type == t {
				used[k] = true
				e = col(in.Out, k)
				break
			}
		}
		exprs = append(exprs, e)
	}
	n := newNode(plan.OpProject, withColumns(out), in)
	n.Exprs, n.AppendOnly = exprs, in.AppendOnly
	if in.EventTime < base {
		n.EventTime = in.EventTime
	}
	for k := base; k < len(out); k++ {
		n.Key = append(n.Key, k)
	}
	return n
}

// cutTo drops the hidden columns behind those of out.
func cutTo(in *plan.Physical, out plan.Schema) *plan.Physical {
	if len(in.Out) == len(out) {
		return in
	}
	exprs := make([]expr.Expr, len(out))
	for i := range out {
		exprs[i] = col(in.Out, i)
	}
	n := newNode(plan.OpProject, withColumns(out), in)
	n.Exprs, n.AppendOnly, n.EventTime = exprs, in.AppendOnly, -1
	if in.EventTime < len(out) {
		n.EventTime = in.EventTime
	}
	return n
}

// sort lowers ORDER BY. A continuous query has no order to give without LIMIT.
func (l *lowering) sort(p *plan.Sort, keyed, root bool) (*plan.Physical, error) {
	if l.o.Continuous {
		return l.sortClosed(p, root)
	}
	in, err := l.node(p.Input, keyed, false)
	if err != nil {
		return nil, err
	}
	n := newNode(plan.OpSort, in.Out, in)
	n.Sort, n.Key, n.AppendOnly = p.Keys, in.Key, in.AppendOnly
	return n, nil
}

// sortClosed lowers ORDER BY of a continuous query: it orders the rows of each closed window
// where they leave as they come, and means nothing elsewhere.
func (l *lowering) sortClosed(p *plan.Sort, root bool) (*plan.Physical, error) {
	in, err := l.node(p.Input, true, root)
	if err != nil {
		return nil, err
	}
	if !closes(in) || in.EventTime < 0 || l.o.View && !l.o.Stream {
		l.warn("01000", "Add LIMIT to keep the first rows, or order where the result is read.",
			"ORDER BY without LIMIT has no effect in a continuous query")
		return in, nil
	}
	in = l.exchange(in, nil)
	n := newNode(plan.OpOver, in.Out, in)
	n.Emit, n.WindowEnd, n.EventTime, n.AppendOnly = plan.EmitFinal, in.EventTime, in.EventTime, true
	n.Sort, n.Key, n.Tables = p.Keys, in.Key, l.newTables(1)
	return n, nil
}

// limit lowers LIMIT: with an order, or where the result is kept, a Top-N in
// one shard, else the end of the query.
func (l *lowering) limit(p *plan.Limit, keyed, root bool) (*plan.Physical, error) {
	if p.Bounds == nil {
		return l.limited(p, keyed, root)
	}
	if l.o.Continuous {
		return nil, pgerror.Unsupported("LIMIT and OFFSET of a continuous query must be constants")
	}
	n, err := l.limited(p, keyed, root)
	if err != nil {
		return nil, err
	}
	b, err := l.node(p.Bounds, false, false)
	if err != nil {
		return nil, err
	}
	n.Inputs = append(n.Inputs, cutTo(b, p.Bounds.Schema()))
	return n, nil
}

func (l *lowering) limited(p *plan.Limit, keyed, root bool) (*plan.Physical, error) {
	s, sorted := p.Input.(*plan.Sort)
	if sorted && l.o.Continuous && root && !l.o.View && p.Offset == nil {
		return l.limitSorted(p, s, keyed)
	}
	if !sorted && (!l.o.Continuous || root && !l.o.View && p.Offset == nil) {
		in, err := l.node(p.Input, keyed, false)
		if err != nil {
			return nil, err
		}
		in = l.exchange(in, nil)
		n := newNode(plan.OpLimit, in.Out, in)
		n.Count, n.Offset, n.Key, n.AppendOnly, n.EventTime = p.Count, p.Offset, in.Key, in.AppendOnly, in.EventTime
		return n, nil
	}
	if l.o.Continuous && p.Count == nil {
		return nil, pgerror.Unsupported("OFFSET without LIMIT is not supported in a continuous query")
	}
	if l.o.Continuous && !constants(p.Count, p.Offset) {
		return nil, pgerror.Unsupported("LIMIT and OFFSET of a continuous query must be constants")
	}
	input, keys := p.Input, []plan.SortKey(nil)
	if sorted {
		input, keys = s.Input, s.Keys
	}
	in, err := l.node(input, l.o.Continuous, false)
	if err != nil {
		return nil, err
	}
	in = l.exchange(in, nil)
	n := newNode(plan.OpTopN, in.Out, in)
	n.Sort, n.Count, n.Offset, n.Key, n.Tables = keys, p.Count, p.Offset, in.Key, l.newTables(1)
	n.AppendOnly = !l.o.Continuous
	return n, nil
}

// limitSorted lowers ORDER BY … LIMIT of a query that goes to a client: of closed windows the
// rows come in order and the limit ends the query, else it is a Top-N.
func (l *lowering) limitSorted(p *plan.Limit, s *plan.Sort, keyed bool) (*plan.Physical, error) {
	before := *l
	in, err := l.node(s, keyed, false)
	if err != nil {
		return nil, err
	}
	if !closes(in) {
		*l = before
		return l.limited(p, keyed, false)
	}
	n := newNode(plan.OpLimit, in.Out, in)
	n.Count, n.Key, n.AppendOnly, n.EventTime = p.Count, in.Key, in.AppendOnly, in.EventTime
	return n, nil
}

func constants(es ...expr.Expr) bool {
	for _, e := range es {
		if _, ok := e.(*expr.Const); e != nil && !ok {
			return false
		}
	}
	return true
}
