package session

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"velostream/engine/query"
	"velostream/engine/sql/estimate"
	"velostream/engine/sql/optimizer"
	"velostream/engine/sql/plan"
	"velostream/pgwire"
)

// measuring is asked for by EXPLAIN ANALYZE: the statement that runs under it leaves the
// plan that it ran, and what its nodes did.
type measuring struct {
	plan *plan.Physical
	done *query.Measure
}

type measuringKey struct{}

// measured returns what a run of p under ctx is measured with, nil: it is not.
func measured(ctx context.Context, p *plan.Physical) *query.Measure {
	m, ok := ctx.Value(measuringKey{}).(*measuring)
	if !ok {
		return nil
	}
	m.plan, m.done = p, query.NewMeasure(p)
	return m.done
}

// isMeasured reports that what runs under ctx is measured.
func isMeasured(ctx context.Context) bool { return ctx.Value(measuringKey{}) != nil }

// execution is a run of an explained statement.
type execution struct {
	measuring
	rows int64
	took time.Duration
}

// execute runs a statement to its end.
func execute(ctx context.Context, run pgwire.Statement) (*execution, error) {
	x := &execution{}
	began := time.Now()
	ctx = context.WithValue(ctx, measuringKey{}, &x.measuring)
	rows, err := run.Query(ctx, nil)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	for {
		b, err := rows.Next(ctx)
		if errors.Is(err, io.EOF) {
			x.took = time.Since(began)
			return x, nil
		}
		if err != nil {
			return nil, err
		}
		x.rows += int64(b.Rows())
	}
}

// explain plans the query, runs it where run is not nil, and prints what opts want.
func (s *Session) explain(ctx context.Context, x *explanation, opts explainOptions, planning time.Duration, run pgwire.Statement) ([]string, error) {
	began := time.Now()
	o := optimizer.LowerOptions{Continuous: x.continuous, View: x.job, Stream: x.stream, Shards: 1, Every: x.every, Timeout: x.timeout, Ends: x.ends}
	if x.continuous {
		o.Shards = s.e.Shards
	}
	logical, trace := optimizer.OptimizeTraced(x.plan, optimizer.Context{Continuous: x.continuous})
	p, warnings, err := optimizer.Lower(logical, o)
	if err != nil {
		return nil, err
	}
	planning += time.Since(began)
	var done *execution
	if run != nil {
		if done, err = execute(ctx, run); err != nil {
			return nil, err
		}
		if done.plan != nil {
			p = done.plan
		}
	}
	tree, err := s.explainTree(x, opts, p, logical, done)
	if err != nil {
		return nil, err
	}
	var whole []plan.Prop
	if opts.verbose && !opts.trace {
		for _, t := range trace {
			if len(t.Rules) > 0 {
				whole = append(whole, plan.Prop{Name: "Stage " + t.Stage, Value: strings.Join(t.Rules, ", ")})
			}
		}
	}
	for _, w := range append(x.warnings, warnings...) {
		whole = append(whole, plan.Prop{Name: "Notice", Value: w.Message})
	}
	return printed(tree, append(whole, summary(opts, planning, done)...), trace, opts), nil
}

// explainTree is what opts want of the plan, with what changes rows, and the parts of WITH,
// around it.
func (s *Session) explainTree(x *explanation, opts explainOptions, p *plan.Physical, logical plan.Logical, done *execution) (*plan.Node, error) {
	known := s.statistics()
	tree := partTree(opts, p, logical, known, done)
	if opts.kind == "state" {
		return tree, nil
	}
	tree = changing(x.change, tree)
	if done != nil && x.change != "" {
		tree.Actual = &plan.Actual{Rows: done.rows, Loops: 1, Startup: done.took, Total: done.took, Timing: opts.timing}
	}
	var parts []*plan.Node
	for _, w := range x.with {
		logical := optimizer.Optimize(w.plan, optimizer.Context{})
		p, _, err := optimizer.Lower(logical, optimizer.LowerOptions{Shards: 1})
		if err != nil {
			return nil, err
		}
		part := changing(w.change, partTree(opts, p, logical, known, nil))
		parts = append(parts, &plan.Node{Title: "CTE " + w.name, Plans: []*plan.Node{part}})
	}
	tree.Plans = append(parts, tree.Plans...)
	return tree, nil
}

// changing puts what changes rows, "": nothing, over the plan of a statement.
func changing(title string, tree *plan.Node) *plan.Node {
	if title == "" {
		return tree
	}
	top := &plan.Node{Title: title, Plans: []*plan.Node{tree}}
	if c := tree.Cost; c != nil {
		top.Cost = &plan.Cost{Startup: c.Startup, Total: c.Total}
	}
	return top
}

// partTree is what opts want of one plan.
func partTree(opts explainOptions, p *plan.Physical, logical plan.Logical, known estimate.Statistics, done *execution) *plan.Node {
	switch opts.kind {
	case "logical":
		return plan.LogicalTree(logical)
	case "state":
		return plan.StateTree(p)
	}
	o := plan.ExplainOptions{Verbose: opts.verbose}
	if opts.costs {
		o.Costs = estimate.Plan(p, known)
	}
	if done != nil && done.done != nil {
		o.Actual = func(p *plan.Physical) *plan.Actual {
			a := done.done.Actual(p)
			if a != nil {
				a.Timing = opts.timing
			}
			return a
		}
	}
	return plan.PhysicalTree(p, o)
}

// summary is how long planning and running took.
func summary(opts explainOptions, planning time.Duration, done *execution) []plan.Prop {
	wanted := done != nil
	if opts.summary != nil {
		wanted = *opts.summary
	}
	if !wanted {
		return nil
	}
	prop := func(name string, d time.Duration) plan.Prop {
		return plan.Prop{Name: name, Value: fmt.Sprintf("%.3f", float64(d.Nanoseconds())/1e6), Number: true, Unit: "ms"}
	}
	out := []plan.Prop{prop("Planning Time", planning)}
	if done != nil {
		out = append(out, prop("Execution Time", done.took))
	}
	return out
}

func printed(tree *plan.Node, whole []plan.Prop, trace []optimizer.Trace, opts explainOptions) []string {
	switch opts.format {
	case "json":
		return tree.JSON(whole)
	case "yaml":
		return tree.YAML(whole)
	case "dot":
		return tree.DOT(whole)
	}
	lines := tree.Text()
	if opts.trace {
		lines = append(lines, optimizer.ExplainStages(trace)...)
	}
	for _, w := range whole {
		lines = append(lines, w.Line())
	}
	return lines
}
