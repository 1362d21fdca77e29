package optimizer

import (
	"strings"

	"velostream/engine/sql/plan"
	"velostream/pgwire/pgerror"
)

// Options say where a plan is to run.
type Options struct {
	// Continuous: the plan is a job's or a subscription's; every node gets a
	// stream key, and stateful ones get tables.
	Continuous bool
	// View: the result is kept, so that a LIMIT is a maintained Top-N; else it
	// goes straight to a client and LIMIT ends the query.
	View bool
	// Shards is how many tasks run a stage; with 1 there are no exchanges.
	Shards int
	// Trace asks for what each stage did.
	Trace bool
}

// Result is a physical plan and how it came about.
type Result struct {
	Physical *plan.Physical
	Logical  plan.Logical     // after all stages
	Warnings []*pgerror.Error // notices for the user
	Stages   []Trace          // if asked for
}

// Plan optimizes and lowers p. Errors are 0A000 for what no operator does.
func Plan(p plan.Logical, o Options) (*Result, error) {
	r := &Result{}
	var report func(Trace)
	if o.Trace {
		report = func(t Trace) { r.Stages = append(r.Stages, t) }
	}
	r.Logical = run(p, &Context{Continuous: o.Continuous}, report)
	var err error
	r.Physical, r.Warnings, err = Lower(r.Logical, o)
	if err != nil {
		return nil, err
	}
	return r, nil
}

// ExplainStages prints the logical plan after each stage that changed it, with
// the rules that did.
func (r *Result) ExplainStages() []string {
	var out []string
	for _, s := range r.Stages {
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
