package optimizer

import (
	"velostream/engine/sql/binder"
	"velostream/engine/sql/expr"
	"velostream/engine/sql/plan"
)

// pushFilters moves conditions towards the scans.
func pushFilters(_ *Context, p plan.Logical) (plan.Logical, bool) {
	if f, ok := p.(*plan.Filter); ok {
		if n, did := pushFilter(f); did {
			return n, true
		}
	}
	return mapInputs(p, func(c plan.Logical) (plan.Logical, bool) { return pushFilters(nil, c) })
}

// filtered is p with conds on top, one node for all.
func filtered(p plan.Logical, conds []expr.Expr) plan.Logical {
	if len(conds) == 0 {
		return p
	}
	if f, ok := p.(*plan.Filter); ok {
		conds = append(plan.Conjuncts(f.Cond), without(conds, plan.Conjuncts(f.Cond))...)
		p = f.Input
	}
	return &plan.Filter{Input: p, Cond: plan.All(conds)}
}

// without are the conds that are not among have.
func without(conds, have []expr.Expr) []expr.Expr {
	var out []expr.Expr
	for _, c := range conds {
		if !contains(have, c) {
			out = append(out, c)
		}
	}
	return out
}

func contains(list []expr.Expr, e expr.Expr) bool {
	for _, x := range list {
		if plan.Same(x, e) {
			return true
		}
	}
	return false
}

// pushFilter moves what it can of f below its input.
func pushFilter(f *plan.Filter) (plan.Logical, bool) {
	conds := plan.Conjuncts(f.Cond)
	switch in := f.Input.(type) {
	case *plan.Filter:
		return filtered(in, conds), true
	case *plan.Project:
		return pushProject(in, conds)
	case *plan.Join:
		return pushJoin(f, in, conds)
	case *plan.Union:
		all := make([]plan.Logical, len(in.All))
		for i, b := range in.All {
			all[i] = filtered(b, conds)
		}
		return in.WithInputs(all), true
	case *plan.Sort:
		return in.WithInputs([]plan.Logical{filtered(in.Input, conds)}), true
	case *plan.Window:
		n := len(in.Out) - 2
		return pushPart(in, in.Input, conds, func(c expr.Expr) expr.Expr {
			if within(c, 0, n) && len(in.Keys) == 0 && in.Spec.Kind != plan.Session {
				return c
			}
			return nil
		})
	case *plan.Over:
		return pushPart(in, in.Input, conds, func(c expr.Expr) expr.Expr {
			if volatile(c) || !overPartition(c, in.Partition) {
				return nil
			}
			return c
		})
	case *plan.Expand:
		n := len(in.Input.Schema())
		return pushPart(in, in.Input, conds, func(c expr.Expr) expr.Expr {
			if volatile(c) || !within(c, 0, n) {
				return nil
			}
			return c
		})
	case *plan.Aggregate:
		if len(in.Groups) == 0 {
			return f, false
		}
		return pushPart(in, in.Input, conds, func(c expr.Expr) expr.Expr {
			if !within(c, 0, len(in.Groups)) || volatile(c) {
				return nil
			}
			return plan.Remap(c, func(c *expr.Col) expr.Expr { return in.Groups[c.Index] })
		})
	}
	return f, false
}

// overPartition reports that c uses only columns that rows are partitioned by, so that
// whole partitions pass it or none of their rows.
func overPartition(c expr.Expr, partition []expr.Expr) bool {
	ok := true
	plan.EachColumn(c, func(col *expr.Col) { ok = ok && contains(partition, col) })
	return ok
}

// pushPart moves the conditions for which below gives a form over the input of
// p, and keeps the others above it.
func pushPart(p, input plan.Logical, conds []expr.Expr, below func(expr.Expr) expr.Expr) (plan.Logical, bool) {
	var keep, down []expr.Expr
	for _, c := range conds {
		if x := below(c); x != nil {
			down = append(down, x)
		} else {
			keep = append(keep, c)
		}
	}
	if len(down) == 0 {
		return filtered(p, keep), false
	}
	return filtered(p.WithInputs([]plan.Logical{filtered(input, down)}), keep), true
}

func volatile(e expr.Expr) bool { return expr.VolatilityOf(e) == expr.Volatile }

// within reports that e uses only the columns from lo up to hi.
func within(e expr.Expr, lo, hi int) bool {
	ok := true
	plan.EachColumn(e, func(c *expr.Col) { ok = ok && c.Index >= lo && c.Index < hi })
	return ok
}

func pushProject(p *plan.Project, conds []expr.Expr) (plan.Logical, bool) {
	return pushPart(p, p.Input, conds, func(c expr.Expr) expr.Expr {
		x := through(c, p)
		if volatile(x) {
			return nil
		}
		return x
	})
}

// pushJoin gives each condition to the side that it is about. Where the join
// equates two columns, a condition that one is a constant holds for the other.
func pushJoin(f *plan.Filter, j *plan.Join, conds []expr.Expr) (plan.Logical, bool) {
	n := len(j.Left.Schema())
	toLeft := j.Kind != plan.RightJoin && j.Kind != plan.FullJoin
	toRight := j.Kind == plan.InnerJoin || j.Kind == plan.CrossJoin || j.Kind == plan.RightJoin
	inner := j.Kind == plan.InnerJoin || j.Kind == plan.CrossJoin
	if j.Temporal != nil { // which row is met must not change
		toRight, inner = false, false
	}
	var left, right, keep []expr.Expr
	out := *j
	moved := false
	for _, c := range conds {
		switch {
		case volatile(c):
			keep = append(keep, c)
		case toLeft && within(c, 0, n):
			left = append(left, c)
			if x := other(c, j.EqualLeft, j.EqualRight); x != nil && j.Kind != plan.AntiJoin && j.Temporal == nil {
				right = append(right, x)
			}
		case toRight && within(c, n, len(j.Out)):
			c = plan.Shift(c, -n)
			right = append(right, c)
			if x := other(c, j.EqualRight, j.EqualLeft); x != nil {
				left = append(left, x)
			}
		case inner && binder.SplitEquality(&out, c, n):
			moved = true
		case inner:
			out.Cond = plan.All(append(plan.Conjuncts(out.Cond), c))
			out.Kind = plan.InnerJoin
			moved = true
		default:
			keep = append(keep, c)
		}
	}
	if !moved && len(left) == 0 && len(right) == 0 {
		return f, false
	}
	out.Left, out.Right = filtered(j.Left, left), filtered(j.Right, right)
	return filtered(&out, keep), true
}

// other is the condition key = constant on the other side of a join that
// equates from[i] with to[i], nil when c is no such condition.
func other(c expr.Expr, from, to []expr.Expr) expr.Expr {
	l, r, ok := plan.IsEquality(c)
	if !ok {
		return nil
	}
	if len(expr.Columns(l)) == 0 {
		l, r = r, l
	}
	if len(expr.Columns(r)) > 0 {
		return nil
	}
	for i, e := range from {
		if plan.Same(e, l) && l.Type() == to[i].Type() {
			call := *c.(*expr.Call)
			call.Args = []expr.Expr{to[i], r}
			if call.Args[0].Type().OID != call.Sig[0] || r.Type().OID != call.Sig[1] {
				return nil
			}
			return &call
		}
	}
	return nil
}

// pushJoinConds moves conditions of ON that are about one side there, where
// the kind of join allows.
func pushJoinConds(_ *Context, p plan.Logical) (plan.Logical, bool) {
	return bottomUp(p, func(p plan.Logical) (plan.Logical, bool) {
		j, ok := p.(*plan.Join)
		if !ok || j.Cond == nil || j.Temporal != nil {
			return p, false
		}
		n := len(j.Left.Schema())
		width := n + len(j.Right.Schema())
		toLeft := j.Kind == plan.InnerJoin || j.Kind == plan.RightJoin || j.Kind == plan.SemiJoin
		toRight := j.Kind != plan.RightJoin && j.Kind != plan.FullJoin
		var left, right, keep []expr.Expr
		for _, c := range plan.Conjuncts(j.Cond) {
			switch {
			case volatile(c):
				keep = append(keep, c)
			case toLeft && within(c, 0, n):
				left = append(left, c)
			case toRight && within(c, n, width):
				right = append(right, plan.Shift(c, -n))
			default:
				keep = append(keep, c)
			}
		}
		if len(left)+len(right) == 0 {
			return p, false
		}
		out := *j
		out.Left, out.Right, out.Cond = filtered(j.Left, left), filtered(j.Right, right), plan.All(keep)
		return &out, true
	})
}

// strictOuterJoins makes an outer join an inner one when a condition above it
// is never true for the rows that it adds.
func strictOuterJoins(_ *Context, p plan.Logical) (plan.Logical, bool) {
	return bottomUp(p, func(p plan.Logical) (plan.Logical, bool) {
		f, ok := p.(*plan.Filter)
		if !ok {
			return p, false
		}
		j, ok := f.Input.(*plan.Join)
		if !ok {
			return p, false
		}
		n := len(j.Left.Schema())
		noLeft, noRight := false, false // conditions reject rows without that side
		for _, c := range plan.Conjuncts(f.Cond) {
			noLeft = noLeft || rejectsNull(c, 0, n)
			noRight = noRight || rejectsNull(c, n, len(j.Out))
		}
		kind := j.Kind
		switch {
		case kind == plan.LeftJoin && noRight, kind == plan.RightJoin && noLeft, kind == plan.FullJoin && noLeft && noRight:
			kind = plan.InnerJoin
		case kind == plan.FullJoin && noRight:
			kind = plan.RightJoin
		case kind == plan.FullJoin && noLeft:
			kind = plan.LeftJoin
		default:
			return p, false
		}
		out := *j
		out.Kind = kind
		return &plan.Filter{Input: &out, Cond: f.Cond}, true
	})
}

// strictOperators give NULL when an argument is NULL.
var strictOperators = map[string]bool{
	"=": true, "<>": true, "<": true, ">": true, "<=": true, ">=": true, "~~": true, "~": true, "+": true, "-": true, "*": true, "/": true,
}

// rejectsNull reports that c is not true when the columns from lo up to hi are
// all NULL.
func rejectsNull(c expr.Expr, lo, hi int) bool {
	switch c := c.(type) {
	case *expr.IsNull:
		return c.Negate && nullOf(c.Arg, lo, hi)
	case *expr.InList:
		return !c.Negate && nullOf(c.Arg, lo, hi)
	case *expr.Call:
		return nullOf(c, lo, hi)
	}
	return false
}

// nullOf reports that e is NULL when the columns from lo up to hi are.
func nullOf(e expr.Expr, lo, hi int) bool {
	switch e := e.(type) {
	case *expr.Col:
		return e.Index >= lo && e.Index < hi
	case *expr.Cast:
		return nullOf(e.Arg, lo, hi)
	case *expr.Call:
		if !strictOperators[e.Name] {
			return false
		}
		for _, a := range e.Args {
			if nullOf(a, lo, hi) {
				return true
			}
		}
	}
	return false
}
