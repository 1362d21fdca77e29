package optimizer

import (
	"slices"

	"velostream/engine/sql/expr"
	"velostream/engine/sql/plan"
)

// pruneColumns drops the columns that nothing needs, down to the scans.
func pruneColumns(c *Context, p plan.Logical) (plan.Logical, bool) {
	s := p.Schema()
	pr := &pruner{continuous: c.Continuous}
	n, at := pr.node(p, wanted(len(s), true), c.Continuous)
	return arranged(n, at, s), true
}

// pruner carries what holds for the whole plan.
type pruner struct{ continuous bool }

func wanted(n int, all bool) []bool {
	out := make([]bool, n)
	for i := range out {
		out[i] = all
	}
	return out
}

func use(need []bool, es ...expr.Expr) {
	for _, e := range es {
		if e != nil {
			plan.EachColumn(e, func(c *expr.Col) { need[c.Index] = true })
		}
	}
}

// moved rewrites e to columns' new places.
func moved(e expr.Expr, at []int) expr.Expr {
	if e == nil {
		return nil
	}
	return plan.Remap(e, func(c *expr.Col) expr.Expr {
		if at[c.Index] == c.Index {
			return c
		}
		return &expr.Col{Index: at[c.Index], T: c.T, Name: c.Name}
	})
}

func movedAll(es []expr.Expr, at []int) []expr.Expr {
	if es == nil {
		return nil
	}
	out := make([]expr.Expr, len(es))
	for i, e := range es {
		out[i] = moved(e, at)
	}
	return out
}

func movedKeys(keys []plan.SortKey, at []int) []plan.SortKey {
	out := make([]plan.SortKey, len(keys))
	for i, k := range keys {
		k.Expr = moved(k.Expr, at)
		out[i] = k
	}
	return out
}

// arranged brings n's columns into the order of s.
func arranged(n plan.Logical, at []int, s plan.Schema) plan.Logical {
	in := n.Schema()
	same := len(in) == len(s)
	es := make([]expr.Expr, len(s))
	for i := range s {
		same = same && at[i] == i
		es[i] = &expr.Col{Index: at[i], T: s[i].Type, Name: s[i].Name}
	}
	if same {
		return n
	}
	return &plan.Project{Input: n, Exprs: es, Out: s}
}

// node narrows p to the columns in need, and a few that it can't do without.
// at[i] is where column i is now, -1 if it is gone. keyed: the stream key must
// stay.
func (pr *pruner) node(p plan.Logical, need []bool, keyed bool) (plan.Logical, []int) {
	if len(need) > 0 && !slices.Contains(need, true) {
		need = append([]bool{true}, need[1:]...) // rows are counted by a column
	}
	switch p := p.(type) {
	case *plan.Scan:
		return pr.scan(p, need, keyed)
	case *plan.Values:
		return pr.values(p, need)
	case *plan.Filter:
		need = append([]bool(nil), need...)
		use(need, p.Cond)
		in, at := pr.node(p.Input, need, keyed)
		return &plan.Filter{Input: in, Cond: moved(p.Cond, at)}, at
	case *plan.ClockFilter:
		need = append([]bool(nil), need...)
		use(need, p.Bounds...)
		in, at := pr.node(p.Input, need, true)
		return &plan.ClockFilter{Input: in, Bounds: movedAll(p.Bounds, at), Ops: p.Ops}, at
	case *plan.Project:
		return pr.project(p, need, keyed)
	case *plan.Window:
		return pr.window(p, need, keyed)
	case *plan.Aggregate:
		return pr.aggregate(p, need)
	case *plan.Join:
		return pr.join(p, need)
	case *plan.Union:
		return pr.union(p, need, keyed)
	case *plan.Over:
		return pr.over(p, need, keyed)
	case *plan.Expand:
		return pr.expand(p, need, keyed)
	case *plan.Recursive, *plan.Shared:
		return pr.whole(p)
	case *plan.Sort:
		need = append([]bool(nil), need...)
		for _, k := range p.Keys {
			use(need, k.Expr)
		}
		in, at := pr.node(p.Input, need, keyed)
		return &plan.Sort{Input: in, Keys: movedKeys(p.Keys, at)}, at
	case *plan.Limit:
		in, at := pr.node(p.Input, need, keyed || pr.continuous)
		out := &plan.Limit{Input: in, Count: p.Count, Offset: p.Offset}
		if p.Bounds != nil {
			s := p.Bounds.Schema()
			n, at := pr.node(p.Bounds, wanted(len(s), true), false)
			out.Bounds = arranged(n, at, s)
		}
		return out, at
	}
	at := make([]int, len(need))
	for i := range at {
		at[i] = i
	}
	return p, at
}

// places numbers the columns in need from 0.
func places(need []bool) (at []int, n int) {
	at = make([]int, len(need))
	for i, ok := range need {
		if at[i] = -1; ok {
			at[i] = n
			n++
		}
	}
	return at, n
}

func pick[T any](in []T, at []int) []T {
	out := make([]T, 0, len(in))
	for i, v := range in {
		if at[i] >= 0 {
			out = append(out, v)
		}
	}
	return out
}

func (pr *pruner) scan(p *plan.Scan, need []bool, keyed bool) (plan.Logical, []int) {
	need = append([]bool(nil), need...)
	if keyed {
		for _, k := range p.Key {
			need[k] = true
		}
	}
	at, _ := places(need)
	c := *p
	c.Columns, c.Out = pick(p.Columns, at), pick(p.Out, at)
	c.Key, c.EventTime = nil, -1
	if p.EventTime >= 0 {
		c.EventTime = at[p.EventTime]
	}
	for _, k := range p.Key {
		if at[k] < 0 {
			c.Key = nil
			break
		}
		c.Key = append(c.Key, at[k])
	}
	return &c, at
}

func (pr *pruner) values(p *plan.Values, need []bool) (plan.Logical, []int) {
	at, n := places(need)
	if n == len(need) {
		return p, at
	}
	c := &plan.Values{Out: pick(p.Out, at), Rows: make([][]expr.Expr, len(p.Rows))}
	for i, r := range p.Rows {
		c.Rows[i] = pick(r, at)
	}
	return c, at
}

func (pr *pruner) project(p *plan.Project, need []bool, keyed bool) (plan.Logical, []int) {
	at, _ := places(need)
	es := pick(p.Exprs, at)
	below := wanted(len(p.Input.Schema()), false)
	use(below, es...)
	in, to := pr.node(p.Input, below, keyed)
	return &plan.Project{Input: in, Exprs: movedAll(es, to), Out: pick(p.Out, at)}, at
}

func (pr *pruner) window(p *plan.Window, need []bool, keyed bool) (plan.Logical, []int) {
	n := len(p.Out) - 2
	below := append([]bool(nil), need[:n]...)
	use(below, p.Time)
	use(below, p.Keys...)
	// Sessions keep their rows, which must be told apart.
	in, at := pr.node(p.Input, below, keyed || pr.continuous && p.Spec.Kind == plan.Session)
	width := len(in.Schema())
	c := *p
	c.Input, c.Time, c.Keys = in, moved(p.Time, at), movedAll(p.Keys, at)
	c.Out = append(append(plan.Schema(nil), in.Schema()...), p.Out[n:]...)
	return &c, append(append([]int(nil), at...), width, width+1)
}

// aggregate keeps all groups, since they make the rows, and the aggregates
// that are used.
func (pr *pruner) aggregate(p *plan.Aggregate, need []bool) (plan.Logical, []int) {
	need = append([]bool(nil), need...)
	for i := range p.Groups {
		need[i] = true
	}
	at, _ := places(need)
	c := *p
	c.Aggs = pick(p.Aggs, at[len(p.Groups):])
	c.Out = pick(p.Out, at)
	below := wanted(len(p.Input.Schema()), false)
	use(below, p.Groups...)
	for _, a := range c.Aggs {
		use(below, a.Args...)
		use(below, a.Filter)
		for _, k := range a.OrderBy {
			use(below, k.Expr)
		}
	}
	in, to := pr.node(p.Input, below, false)
	c.Input, c.Groups = in, movedAll(p.Groups, to)
	aggs := make([]plan.AggCall, len(c.Aggs))
	for i, a := range c.Aggs {
		a.Args, a.Filter = movedAll(a.Args, to), moved(a.Filter, to)
		if len(a.OrderBy) > 0 {
			a.OrderBy = movedKeys(a.OrderBy, to)
		}
		aggs[i] = a
	}
	c.Aggs = aggs
	return &c, at
}

func (pr *pruner) join(p *plan.Join, need []bool) (plan.Logical, []int) {
	nl, nr := len(p.Left.Schema()), len(p.Right.Schema())
	all := make([]bool, nl+nr)
	copy(all, need)
	use(all, p.Cond)
	left, right := all[:nl:nl], all[nl:]
	use(left, p.EqualLeft...)
	use(right, p.EqualRight...)
	if p.Temporal != nil && p.Temporal.Times != nil {
		use(left, p.Temporal.Times[0])
		use(right, p.Temporal.Times[1])
	}
	l, lat := pr.node(p.Left, left, pr.continuous)
	r, rat := pr.node(p.Right, right, pr.continuous || p.Temporal != nil)
	width := len(l.Schema())
	at := append([]int(nil), lat...)
	for _, i := range rat {
		if i >= 0 {
			i += width
		}
		at = append(at, i)
	}
	c := *p
	c.Left, c.Right = l, r
	c.EqualLeft, c.EqualRight, c.Cond = movedAll(p.EqualLeft, lat), movedAll(p.EqualRight, rat), moved(p.Cond, at)
	if p.Temporal != nil && p.Temporal.Times != nil {
		t := *p.Temporal
		t.Times = []expr.Expr{moved(t.Times[0], lat), moved(t.Times[1], rat)}
		c.Temporal = &t
	}
	c.Out = append(plan.Schema(nil), l.Schema()...)
	if p.Kind == plan.SemiJoin || p.Kind == plan.AntiJoin {
		return &c, at[:nl]
	}
	c.Out = append(c.Out, r.Schema()...)
	return &c, at
}

func (pr *pruner) union(p *plan.Union, need []bool, keyed bool) (plan.Logical, []int) {
	at, _ := places(need)
	c := &plan.Union{Out: pick(p.Out, at), All: make([]plan.Logical, len(p.All))}
	for i, b := range p.All {
		in, to := pr.node(b, need, keyed)
		s := pick(b.Schema(), at)
		es := make([]expr.Expr, 0, len(s))
		for j := range need {
			if need[j] {
				es = append(es, &expr.Col{Index: to[j], T: b.Schema()[j].Type, Name: b.Schema()[j].Name})
			}
		}
		c.All[i] = &plan.Project{Input: in, Exprs: es, Out: s}
	}
	return c, at
}
