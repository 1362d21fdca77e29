// Package optimizer rewrites logical plans into better ones of the same
// meaning, and lowers the result to the physical plan that runs. The rewriting is one
// list of stages, in the order in which they run; see Stages.
package optimizer

import (
	"slices"
	"strings"

	"velostream/engine/sql/expr"
	"velostream/engine/sql/plan"
)

// Context is what rules know besides the plan.
type Context struct {
	// Continuous: the plan keeps running, so stream keys must survive.
	Continuous bool
}

// Rule is one rewriting of a whole plan. Apply reports whether it changed
// anything; the plan it is given stays as it is.
type Rule struct {
	Name  string
	Apply func(*Context, plan.Logical) (plan.Logical, bool)
}

// Stage is rules that run one after the other; with Fixpoint again and again
// until none of them changes anything.
type Stage struct {
	Name     string
	Rules    []Rule
	Fixpoint bool
}

// Stages is the whole optimization, in order.
func Stages() []Stage {
	return []Stage{
		{Name: "shared subplans", Rules: []Rule{{"inline", loneShares}}},
		{Name: "fold constants", Rules: []Rule{{"fold", foldConstants}, {"trivial filter", trivialFilters}}},
		{Name: "subqueries", Fixpoint: true, Rules: []Rule{{"merge projections", mergeProjects}, {"outer to inner join", strictOuterJoins}}},
		{Name: "predicates", Fixpoint: true, Rules: []Rule{{"push filter", pushFilters}, {"push join condition", pushJoinConds}}},
		{Name: "join order", Rules: []Rule{{"join order", joinOrder}}},
		{Name: "clean up", Fixpoint: true, Rules: []Rule{{"merge projections", mergeProjects}, {"trivial filter", trivialFilters}}},
		{Name: "lookups", Rules: []Rule{{"access paths", accessPaths}, {"join lookups", joinLookups}}},
		{Name: "columns", Rules: []Rule{{"prune columns", pruneColumns}, {"merge projections", mergeProjects}}},
	}
}

// stages are made once; nothing changes them.
var stages = Stages()

// Trace is what a stage did, for EXPLAIN (VERBOSE).
type Trace struct {
	Stage string
	Rules []string // those that changed the plan
	Plan  plan.Logical
}

// maxRounds bounds a stage; each round makes the plan simpler, so that it is
// not reached but by a mistake in a rule.
const maxRounds = 100

// Optimize runs all stages.
func Optimize(p plan.Logical, c Context) plan.Logical { return run(p, &c, nil) }

// OptimizeTraced is Optimize that tells what each stage did.
func OptimizeTraced(p plan.Logical, c Context) (plan.Logical, []Trace) {
	var trace []Trace
	p = run(p, &c, func(t Trace) { trace = append(trace, t) })
	return p, trace
}

// ExplainStages prints the logical plan after each stage that changed it, with
// the rules that did.
func ExplainStages(trace []Trace) []string {
	var out []string
	for _, s := range trace {
		if len(s.Rules) == 0 {
			continue
		}
		out = append(out, "Stage "+s.Stage+" ("+strings.Join(s.Rules, ", ")+")")
		for _, l := range plan.ExplainLogical(s.Plan) {
			out = append(out, "  "+l)
		}
	}
	return out
}

func run(p plan.Logical, c *Context, report func(Trace)) plan.Logical {
	for _, s := range stages {
		var fired []string
		for range maxRounds {
			changed := false
			for _, r := range s.Rules {
				n, did := r.Apply(c, p)
				if did {
					p, changed = n, true
					fired = appendNew(fired, r.Name)
				}
			}
			if !changed || !s.Fixpoint {
				break
			}
		}
		if report != nil {
			report(Trace{Stage: s.Name, Rules: fired, Plan: p})
		}
	}
	return p
}

func appendNew(names []string, name string) []string {
	if slices.Contains(names, name) {
		return names
	}
	return append(names, name)
}

// bottomUp applies f to every node, inputs first.
func bottomUp(p plan.Logical, f func(plan.Logical) (plan.Logical, bool)) (plan.Logical, bool) {
	p, changed := mapInputs(p, func(c plan.Logical) (plan.Logical, bool) { return bottomUp(c, f) })
	n, did := f(p)
	return n, changed || did
}

// foldConstants evaluates what depends on no row.
func foldConstants(_ *Context, p plan.Logical) (plan.Logical, bool) {
	changed := false
	n, err := plan.MapExprs(p, func(e expr.Expr) (expr.Expr, error) {
		if plain(e) {
			return e, nil
		}
		f := expr.Fold(e)
		changed = changed || f != e
		return f, nil
	})
	if err != nil {
		return p, false
	}
	return n, changed
}

// plain reports an expression that folding can't change.
func plain(e expr.Expr) bool {
	switch e.(type) {
	case *expr.Col, *expr.Const, *expr.Param:
		return true
	}
	return false
}

// trivialFilters drops filters that keep all rows, and replaces what is below
// those that keep none.
func trivialFilters(_ *Context, p plan.Logical) (plan.Logical, bool) {
	return bottomUp(p, func(p plan.Logical) (plan.Logical, bool) {
		f, ok := p.(*plan.Filter)
		if !ok {
			return p, false
		}
		c, ok := f.Cond.(*expr.Const)
		switch {
		case f.Cond == nil:
			return f.Input, true
		case !ok:
			return p, false
		case !c.Value.Null && c.Value.Bool():
			return f.Input, true
		}
		return &plan.Values{Out: f.Schema()}, true
	})
}

// mergeProjects makes one projection of two, and drops those that do nothing.
func mergeProjects(_ *Context, p plan.Logical) (plan.Logical, bool) {
	return bottomUp(p, func(p plan.Logical) (plan.Logical, bool) {
		o, ok := p.(*plan.Project)
		if !ok {
			return p, false
		}
		if noop(o) {
			return o.Input, true
		}
		in, ok := o.Input.(*plan.Project)
		if !ok || !mergeable(o, in) {
			return p, false
		}
		n := &plan.Project{Input: in.Input, Out: o.Out, Exprs: make([]expr.Expr, len(o.Exprs))}
		for i, e := range o.Exprs {
			n.Exprs[i] = through(e, in)
		}
		return n, true
	})
}

// noop reports a projection to its own input, names included.
func noop(o *plan.Project) bool {
	s := o.Input.Schema()
	if len(s) != len(o.Exprs) {
		return false
	}
	for i, e := range o.Exprs {
		c, ok := e.(*expr.Col)
		if !ok || c.Index != i || s[i] != o.Out[i] {
			return false
		}
	}
	return true
}

// mergeable: no expression of in would be computed more often than before, and
// none that gives another value each time is lost or doubled.
func mergeable(o, in *plan.Project) bool {
	uses := make([]int, len(in.Exprs))
	for _, e := range o.Exprs {
		plan.EachColumn(e, func(c *expr.Col) { uses[c.Index]++ })
	}
	for i, e := range in.Exprs {
		if plain(e) {
			continue
		}
		if uses[i] > 1 || expr.VolatilityOf(e) == expr.Volatile {
			return false
		}
	}
	return true
}

// through rewrites e over p to be over p's input.
func through(e expr.Expr, p *plan.Project) expr.Expr {
	return plan.Remap(e, func(c *expr.Col) expr.Expr { return p.Exprs[c.Index] })
}
