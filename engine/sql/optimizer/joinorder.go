package optimizer

import (
	"slices"

	"velostream/engine/sql/binder"
	"velostream/engine/sql/expr"
	"velostream/engine/sql/plan"
)

// joinOrder takes inner joins in another order where the written one makes Cartesian
// products that its conditions do not ask for: FROM a, b, c WHERE a.x = c.x AND b.y = c.y
// need not pair every a with every b. Where it does not, the plan stays as it is.
func joinOrder(c *Context, p plan.Logical) (plan.Logical, bool) {
	if j, ok := p.(*plan.Join); ok && inOrder(j) {
		p, changed := relationsOf(c, j)
		n, did := bestOrder(c, p)
		return n, changed || did
	}
	return mapInputs(p, func(in plan.Logical) (plan.Logical, bool) { return joinOrder(c, in) })
}

// relationsOf orders the joins inside the relations that the joins at p join.
func relationsOf(c *Context, p plan.Logical) (plan.Logical, bool) {
	if j, ok := p.(*plan.Join); !ok || !inOrder(j) {
		return joinOrder(c, p)
	}
	return mapInputs(p, func(in plan.Logical) (plan.Logical, bool) { return relationsOf(c, in) })
}

// bestOrder orders the joins at p, or those of its sides alone.
func bestOrder(c *Context, p plan.Logical) (plan.Logical, bool) {
	j, ok := p.(*plan.Join)
	if !ok || !inOrder(j) {
		return p, false
	}
	if n := reordered(c, j); n != nil {
		return n, true
	}
	return mapInputs(p, func(in plan.Logical) (plan.Logical, bool) { return bestOrder(c, in) })
}

// mapInputs is p with f applied to its inputs.
func mapInputs(p plan.Logical, f func(plan.Logical) (plan.Logical, bool)) (plan.Logical, bool) {
	var buf [2]plan.Logical
	in, changed := plan.AppendInputs(buf[:0], p), false
	for i, child := range in {
		n, did := f(child)
		in[i] = n
		changed = changed || did
	}
	if !changed {
		return p, false
	}
	return p.WithInputs(slices.Clone(in)), true
}

// inOrder reports a join that may be taken apart: which of its rows come out does not
// depend on what is joined before.
func inOrder(j *plan.Join) bool {
	inner := j.Kind == plan.InnerJoin || j.Kind == plan.CrossJoin
	return inner && j.Temporal == nil && j.NullSafe == 0 && !volatile(plan.All(conditions(j)))
}

// conditions are all that j has, each side's over its own columns.
func conditions(j *plan.Join) []expr.Expr {
	return slices.Concat(plan.Conjuncts(j.Cond), j.EqualLeft, j.EqualRight)
}

// reordered is the tree of joins at j in a better order, its columns as they were; nil:
// there is none.
func reordered(c *Context, j *plan.Join) plan.Logical {
	g := &joinGraph{width: len(j.Out)}
	was, ok := g.flatten(j)
	if !ok || was.products == 0 || c.Continuous && timesMatter(j, g.relations) {
		return nil
	}
	now := g.order()
	if now.products > was.products || now.products == was.products && now.carried >= was.carried {
		return nil
	}
	return arranged(now.p, now.at, j.Out)
}

// timesMatter reports that another order of a continuous query's joins could lose the
// event time of their rows, or a bound between the times of two streams.
func timesMatter(j *plan.Join, relations []joined) bool {
	n := 0
	for _, r := range relations {
		if timed(r.p) {
			n++
		}
	}
	return n > 1 || n == 1 && mayHaveTime(j)
}

// mayHaveTime reports that p may have an event time column; of joins as joinTime says.
func mayHaveTime(p plan.Logical) bool {
	j, ok := p.(*plan.Join)
	if !ok || !inOrder(j) {
		return timed(p)
	}
	return mayHaveTime(j.Left) && mayAppend(j.Left) && !timed(j.Right) ||
		mayHaveTime(j.Right) && mayAppend(j.Right) && !timed(j.Left)
}

// mayAppend reports that p may never take a row back: only what surely does is left out.
func mayAppend(p plan.Logical) bool {
	switch p := p.(type) {
	case *plan.Scan:
		return p.AppendOnly
	case *plan.Filter:
		return mayAppend(p.Input)
	case *plan.Project:
		return mayAppend(p.Input)
	case *plan.Join:
		return !inOrder(p) || mayAppend(p.Left) && mayAppend(p.Right)
	}
	return true
}

// joinGraph is a tree of inner joins taken apart.
type joinGraph struct {
	width     int      // of all relations
	columns   int      // of the relations so far
	relations []joined // in the order in which they are written
	conds     []*joinCond
}

// joined is a relation of the graph, or several that have been joined.
type joined struct {
	p  plan.Logical
	at []int // where the graph's columns, numbered as written, are in p, -1: not there
	// rank says how few rows the narrowest of the relations is likely to have.
	rank int
	// products counts joins without an equality, carried those with one over their rows.
	products, carried int
}

// joinCond is a condition over the graph's columns, left = right when those are set.
type joinCond struct {
	on, left, right expr.Expr
	pair            bool // of equal keys, whose types are the same
	used            bool
}

// flatten adds the relations and conditions of p, and says what the joins of the written
// order cost.
func (g *joinGraph) flatten(p plan.Logical) (joined, bool) {
	j, ok := p.(*plan.Join)
	if !ok || !inOrder(j) {
		r := joined{p: p, at: slices.Repeat([]int{-1}, g.width)}
		for i := range p.Schema() {
			r.at[g.columns] = i
			g.columns++
		}
		g.relations = append(g.relations, r)
		return r, true
	}
	base := g.columns
	left, ok := g.flatten(j.Left)
	if !ok {
		return left, false
	}
	middle := g.columns
	right, ok := g.flatten(j.Right)
	if !ok {
		return right, false
	}
	for i, l := range j.EqualLeft {
		c := &joinCond{left: plan.Shift(l, base), right: plan.Shift(j.EqualRight[i], middle), pair: true}
		eq, err := expr.NewCall("=", true, []expr.Expr{c.left, c.right}, 0, nil)
		if err != nil {
			return left, false
		}
		c.on = eq
		g.conds = append(g.conds, c)
	}
	for _, e := range plan.Conjuncts(j.Cond) {
		c := &joinCond{on: plan.Shift(e, base)}
		c.left, c.right, _ = plan.IsEquality(c.on)
		g.conds = append(g.conds, c)
	}
	out := joined{p: j}
	out.count(j, &left, &right)
	return out, true
}

// count adds j, the join of l and r, to what their joins cost.
func (t *joined) count(j *plan.Join, l, r *joined) {
	t.products, t.carried = l.products+r.products, l.carried+r.carried
	switch {
	case len(j.EqualLeft) > 0 && t.products > 0:
		t.carried++
	case len(j.EqualLeft) == 0 && !oneRow(j.Left) && !oneRow(j.Right):
		t.products++
	}
}

// Ranks of relations by the conditions on them alone.
const (
	wholeRank = iota
	filteredRank
	rangeRank    // of an index
	constantRank // a column equals a constant
	lookupRank   // of one row
)

func rank(p plan.Logical) int {
	if o, ok := p.(*plan.Project); ok {
		return rank(o.Input)
	}
	f, ok := p.(*plan.Filter)
	if !ok {
		return wholeRank
	}
	conds := plan.Conjuncts(f.Cond)
	s, scan := f.Input.(*plan.Scan)
	scan = scan && s.Bounded
	if scan {
		if n, _ := pointLookup(s, conds); n != nil {
			return lookupRank
		}
	}
	if slices.ContainsFunc(conds, equalsConstant) {
		return constantRank
	}
	if scan && bestAccess(s, conds) != nil {
		return rangeRank
	}
	return filteredRank
}

func equalsConstant(c expr.Expr) bool {
	l, r, ok := plan.IsEquality(c)
	return ok && !volatile(c) && (len(expr.Columns(l)) == 0) != (len(expr.Columns(r)) == 0)
}

// order joins all relations: from the narrowest on, whatever an equality connects with
// what is joined already. What nothing connects is joined so by itself; products of the
// parts come last.
func (g *joinGraph) order() joined {
	rest := slices.Clone(g.relations)
	for i := range rest {
		g.filter(&rest[i])
	}
	for len(rest) > 1 {
		var parts []joined
		for len(rest) > 0 {
			var t joined
			t, rest = take(rest, start(rest))
			for {
				i := g.next(&t, rest)
				if i < 0 {
					break
				}
				var r joined
				r, rest = take(rest, i)
				t = g.join(&t, &r)
			}
			parts = append(parts, t)
		}
		if rest = parts; len(parts) > 1 {
			rest = append([]joined{g.join(&parts[0], &parts[1])}, parts[2:]...)
		}
	}
	return rest[0]
}

func take(list []joined, i int) (joined, []joined) {
	t := list[i]
	return t, slices.Delete(list, i, i+1)
}

// start is the first of list that is looked up or has a constant, else the first.
func start(list []joined) int {
	best := 0
	for i := range list {
		if list[i].rank > max(list[best].rank, filteredRank) {
			best = i
		}
	}
	return best
}

// next is the first of list that an equality connects with t, one with conditions of its
// own before those without; -1: none.
func (g *joinGraph) next(t *joined, list []joined) int {
	found := -1
	for i := range list {
		if !g.connected(t, &list[i]) {
			continue
		}
		if list[i].rank > wholeRank {
			return i
		}
		if found < 0 {
			found = i
		}
	}
	return found
}

func (g *joinGraph) connected(l, r *joined) bool {
	return slices.ContainsFunc(g.conds, func(c *joinCond) bool {
		return !c.used && c.left != nil && (l.has(c.left) && r.has(c.right) || l.has(c.right) && r.has(c.left))
	})
}

// has reports that e uses columns, and only those of t.
func (t *joined) has(e expr.Expr) bool {
	cols := expr.Columns(e)
	return len(cols) > 0 && t.covers(cols)
}

func (t *joined) covers(cols map[int]bool) bool {
	for c := range cols {
		if t.at[c] < 0 {
			return false
		}
	}
	return true
}

// local is e, over the graph's columns, over those of t.
func (t *joined) local(e expr.Expr) expr.Expr {
	return plan.Remap(e, func(c *expr.Col) expr.Expr {
		return &expr.Col{Index: t.at[c.Index], T: c.T, Name: c.Name}
	})
}

// filter puts the conditions on t alone over it, and ranks it by all that it has.
func (g *joinGraph) filter(t *joined) {
	var conds []expr.Expr
	for _, c := range g.conds {
		if !c.used && t.covers(expr.Columns(c.on)) {
			c.used = true
			conds = append(conds, t.local(c.on))
		}
	}
	if len(conds) > 0 {
		t.p = filtered(t.p, conds)
	}
	t.rank = rank(t.p)
}

// join joins l and r on all conditions that have their columns now.
func (g *joinGraph) join(l, r *joined) joined {
	n := len(l.p.Schema())
	j := &plan.Join{Kind: plan.CrossJoin, Left: l.p, Right: r.p, Out: slices.Concat(l.p.Schema(), r.p.Schema())}
	t := joined{p: j, at: slices.Clone(l.at), rank: max(l.rank, r.rank)}
	for c, i := range r.at {
		if i >= 0 {
			t.at[c] = n + i
		}
	}
	var rest []expr.Expr
	for _, c := range g.conds {
		if c.used || !t.covers(expr.Columns(c.on)) {
			continue
		}
		c.used = true
		switch on := t.local(c.on); {
		case c.pair && l.has(c.left) && r.has(c.right):
			j.EqualLeft, j.EqualRight = append(j.EqualLeft, l.local(c.left)), append(j.EqualRight, r.local(c.right))
		case c.pair && l.has(c.right) && r.has(c.left):
			j.EqualLeft, j.EqualRight = append(j.EqualLeft, l.local(c.right)), append(j.EqualRight, r.local(c.left))
		case !binder.SplitEquality(j, on, n):
			rest = append(rest, on)
		}
	}
	if j.Cond = plan.All(rest); j.Cond != nil || len(j.EqualLeft) > 0 {
		j.Kind = plan.InnerJoin
	}
	t.count(j, l, r)
	return t
}
