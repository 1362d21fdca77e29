package session

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"velostream/catalog"
	"velostream/catalog/types"
	"velostream/engine/sql/ast"
	"velostream/engine/sql/binder"
	"velostream/engine/sql/optimizer"
	"velostream/engine/sql/plan"
	"velostream/pgwire"
	"velostream/pgwire/pgerror"
)

// explainOptions are those of EXPLAIN.
type explainOptions struct {
	analyze, verbose, trace bool
	summary                 *bool
	format                  string // text, json, yaml, dot
	kind                    string // physical, logical, state
}

// explainNames are the options, for hints.
var explainNames = []string{"analyze", "verbose", "costs", "settings", "timing", "summary", "buffers", "wal", "format", "type", "trace"}

func readExplainOptions(p ast.Parsed, n *ast.Explain) (explainOptions, error) {
	out := explainOptions{format: "text", kind: "physical"}
	for _, o := range n.Options {
		at := p.Position(o.Pos())
		oneOf := func(to *string, values ...string) error {
			if *to = lower(o.Value); slices.Contains(values, *to) {
				return nil
			}
			if *to == "xml" {
				return pgerror.Unsupported("EXPLAIN (FORMAT XML) is not supported").At(at)
			}
			return pgerror.New(pgerror.InvalidParameterValue, "unrecognized value for EXPLAIN option %q: %q", o.Name, o.Value).
				WithHint("Available values: %s.", strings.Join(values, ", ")).At(at)
		}
		flag := func(to *bool) error {
			v, err := checkBool(orTrue(lower(o.Value)))
			if err != nil {
				return pgerror.New(pgerror.SyntaxError, "%s requires a Boolean value", o.Name).At(at)
			}
			*to = v == "on"
			return nil
		}
		var err error
		var unused bool
		switch o.Name {
		case "analyze":
			err = flag(&out.analyze)
		case "verbose":
			err = flag(&out.verbose)
		case "trace":
			err = flag(&out.trace)
		case "summary":
			out.summary = new(bool)
			err = flag(out.summary)
		case "costs", "settings", "timing": // there is nothing of the kind to leave out
			err = flag(&unused)
		case "buffers", "wal":
			if err = flag(&unused); err == nil && unused {
				err = pgerror.Unsupported("EXPLAIN (%s) is not supported", strings.ToUpper(o.Name)).At(at)
			}
		case "format":
			err = oneOf(&out.format, "text", "json", "yaml", "dot")
		case "type":
			err = oneOf(&out.kind, "logical", "physical", "state")
		default:
			e := pgerror.New(pgerror.SyntaxError, "unrecognized EXPLAIN option %q", o.Name)
			if near := binder.Nearest(o.Name, explainNames); near != "" {
				e = e.WithHint("Perhaps you meant %s.", strings.ToUpper(near))
			}
			err = e.At(at)
		}
		if err != nil {
			return out, err
		}
	}
	return out, nil
}

// explanation is a statement made ready to be explained.
type explanation struct {
	plan       plan.Logical
	params     []types.OID
	warnings   []*pgerror.Error
	continuous bool
	job        bool
	change     string // "Insert on t": the statement changes rows
	with       []explainedPart
	every      int64 // see binder.Result
	access     []catalog.Access
	functions  []uint32
}

// explainedPart is a part of a WITH that runs by itself.
type explainedPart struct {
	name, change string
	plan         plan.Logical
}

// prepareExplain is EXPLAIN of a query, of a CREATE … AS query, or of a change.
func (s *Session) prepareExplain(p ast.Parsed, n *ast.Explain, params []types.OID) (pgwire.Statement, error) {
	opts, err := readExplainOptions(p, n)
	if err != nil {
		return nil, err
	}
	switch {
	case n.Timestamp:
		return nil, pgerror.Unsupported("EXPLAIN TIMESTAMP is not supported yet").At(p.Position(n.Pos()))
	case n.Object != nil:
		return nil, pgerror.Unsupported("EXPLAIN ANALYZE of a running job is not supported yet").
			WithHint("SHOW JOB METRICS says what it does.").At(p.Position(n.Pos()))
	}
	began := time.Now()
	x, err := s.explained(p, n, params)
	if err != nil {
		return nil, err
	}
	planning := time.Since(began)
	var run pgwire.Statement
	if opts.analyze {
		if x.continuous || x.change != "" || len(x.with) > 0 || len(x.params) > 0 {
			return nil, pgerror.Unsupported("EXPLAIN ANALYZE is supported for queries that end and have no parameters").At(p.Position(n.Pos()))
		}
		inner := p
		inner.Stmt = n.Stmt
		if run, err = s.prepare(context.Background(), inner, params); err != nil {
			return nil, err
		}
	}
	t := newTextRows("QUERY PLAN")
	st := t.statement("EXPLAIN", func(ctx context.Context, t *textRows) error {
		if err := s.permit(s.catalog(), x.access, x.functions); err != nil {
			return err
		}
		lines, err := s.explain(ctx, x, opts, planning, run)
		for _, l := range lines {
			t.add(l)
		}
		return err
	})
	st.(*rowsStatement).params = x.params
	return st, nil
}

// explained binds the statement behind EXPLAIN.
func (s *Session) explained(p ast.Parsed, n *ast.Explain, params []types.OID) (*explanation, error) {
	o := s.bindOptions(p, params)
	switch st := n.Stmt.(type) {
	case *ast.Insert, *ast.Update, *ast.Delete, *ast.Merge:
		return explainedChange(o, st)
	case *ast.Query:
		if changingCTE(st) != nil {
			return explainedChange(o, st)
		}
	}
	q, job := explainedQuery(n.Stmt)
	if q == nil {
		return nil, pgerror.Unsupported("EXPLAIN of this statement is not supported yet").At(p.Position(n.Pos()))
	}
	o.View = job
	o.Continuous = job || q.Emit != nil
	r, err := binder.BindQuery(o, q)
	if err != nil {
		return nil, err
	}
	return &explanation{
		plan: r.Plan, params: r.Params, warnings: r.Warnings, continuous: o.Continuous, job: job,
		every: r.Every, access: r.Access, functions: r.Functions,
	}, nil
}

// explainedChange binds a statement that changes rows.
func explainedChange(o binder.Options, st ast.Statement) (*explanation, error) {
	b, err := binder.BindStatement(o, st)
	if err != nil {
		return nil, err
	}
	c, title := changeTitle(b)
	x := &explanation{plan: c.Plan, params: c.Params, warnings: c.Warnings, change: title, access: c.Access, functions: c.Functions}
	for _, w := range c.With {
		c, title := changeTitle(w.Statement)
		x.with = append(x.with, explainedPart{name: w.Name, change: title, plan: c.Plan})
	}
	return x, nil
}

// changeTitle is what EXPLAIN calls a bound statement, "": it is its plan.
func changeTitle(b binder.Statement) (*binder.Change, string) {
	switch b := b.(type) {
	case *binder.Insert:
		return &b.Change, "Insert on " + b.Target.Name
	case *binder.Update:
		return &b.Change, "Update on " + b.Target.Name
	case *binder.Delete:
		return &b.Change, "Delete on " + b.Target.Name
	case *binder.Merge:
		return &b.Change, "Merge on " + b.Target.Name
	case *binder.Rows:
		return &b.Change, ""
	}
	return &binder.Change{}, ""
}

// explainedQuery is the query of an EXPLAINed statement, and whether it is a job's.
func explainedQuery(n ast.Statement) (*ast.Query, bool) {
	switch n := n.(type) {
	case *ast.Query:
		return n, false
	case *ast.CreateView:
		return n.Query, n.Materialized
	case *ast.CreateRelation:
		return n.Query, true
	case *ast.CreateSink:
		return n.Query, true
	}
	return nil, false
}

// explain plans the query, runs it where run is not nil, and prints what opts want.
func (s *Session) explain(ctx context.Context, x *explanation, opts explainOptions, planning time.Duration, run pgwire.Statement) ([]string, error) {
	began := time.Now()
	o := optimizer.LowerOptions{Continuous: x.continuous, View: x.job, Shards: 1, Every: x.every}
	if x.continuous {
		o.Shards = s.e.Shards
	}
	logical, trace := optimizer.OptimizeTraced(x.plan, optimizer.Context{Continuous: x.continuous})
	p, warnings, err := optimizer.Lower(logical, o)
	if err != nil {
		return nil, err
	}
	planning += time.Since(began)
	var tree *plan.Node
	switch opts.kind {
	case "logical":
		tree = plan.LogicalTree(logical)
	case "state":
		tree = plan.StateTree(p)
	default:
		tree = plan.PhysicalTree(p, plan.ExplainOptions{Verbose: opts.verbose})
	}
	if opts.kind != "state" {
		if tree, err = x.around(tree, opts); err != nil {
			return nil, err
		}
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
	if whole, err = analyzed(ctx, tree, whole, opts, planning, run); err != nil {
		return nil, err
	}
	return printed(tree, whole, trace, opts), nil
}

// around puts what changes rows, and the parts of WITH, around the plan of a statement.
func (x *explanation) around(tree *plan.Node, opts explainOptions) (*plan.Node, error) {
	titled := func(title string, tree *plan.Node) *plan.Node {
		if title == "" {
			return tree
		}
		return &plan.Node{Title: title, Plans: []*plan.Node{tree}}
	}
	tree = titled(x.change, tree)
	var parts []*plan.Node
	for _, w := range x.with {
		logical := optimizer.Optimize(w.plan, optimizer.Context{})
		var part *plan.Node
		if opts.kind == "logical" {
			part = plan.LogicalTree(logical)
		} else {
			p, _, err := optimizer.Lower(logical, optimizer.LowerOptions{Shards: 1})
			if err != nil {
				return nil, err
			}
			part = plan.PhysicalTree(p, plan.ExplainOptions{Verbose: opts.verbose})
		}
		parts = append(parts, &plan.Node{Title: "CTE " + w.name, Plans: []*plan.Node{titled(w.change, part)}})
	}
	tree.Plans = append(parts, tree.Plans...)
	return tree, nil
}

// analyzed runs the query and adds what that showed.
func analyzed(ctx context.Context, tree *plan.Node, whole []plan.Prop, opts explainOptions, planning time.Duration, run pgwire.Statement) ([]plan.Prop, error) {
	milliseconds := func(d time.Duration) string { return fmt.Sprintf("%.3f ms", float64(d.Microseconds())/1000) }
	summary := run != nil
	if opts.summary != nil {
		summary = *opts.summary
	}
	if summary {
		whole = append(whole, plan.Prop{Name: "Planning Time", Value: milliseconds(planning)})
	}
	if run == nil {
		return whole, nil
	}
	began := time.Now()
	n, spilled, err := countRows(ctx, run)
	if err != nil {
		return nil, err
	}
	tree.Title += fmt.Sprintf(" (actual rows=%d)", n)
	if spilled > 0 {
		whole = append(whole, plan.Prop{Name: "Disk", Value: fmt.Sprintf("%dkB", (spilled+1023)>>10)})
	}
	if summary {
		whole = append(whole, plan.Prop{Name: "Execution Time", Value: milliseconds(time.Since(began))})
	}
	return whole, nil
}

// countRows runs a statement to its end, and returns how many bytes it wrote to temporary files
// besides.
func countRows(ctx context.Context, st pgwire.Statement) (n, spilled int64, err error) {
	rows, err := st.Query(ctx, nil)
	if err != nil {
		return 0, 0, err
	}
	defer func() { _ = rows.Close() }()
	for {
		b, err := rows.Next(ctx)
		if errors.Is(err, io.EOF) {
			if s, ok := rows.(interface{ Spilled() int64 }); ok {
				spilled = s.Spilled()
			}
			return n, spilled, nil
		}
		if err != nil {
			return 0, 0, err
		}
		n += int64(b.Rows())
	}
}

func printed(tree *plan.Node, whole []plan.Prop, trace []optimizer.Trace, opts explainOptions) []string {
	var lines []string
	switch opts.format {
	case "json":
		return tree.JSON(whole)
	case "yaml":
		return tree.YAML(whole)
	case "dot":
		return tree.DOT(whole)
	}
	lines = tree.Text()
	if opts.trace {
		lines = append(lines, optimizer.ExplainStages(trace)...)
	}
	for _, w := range whole {
		lines = append(lines, w.Name+": "+w.Value)
	}
	return lines
}
