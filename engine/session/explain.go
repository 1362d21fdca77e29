package session

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"velostream/catalog"
	"velostream/catalog/types"
	"velostream/engine/sql/ast"
	"velostream/engine/sql/binder"
	"velostream/engine/sql/plan"
	"velostream/pgwire"
	"velostream/pgwire/pgerror"
)

// explainOptions are those of EXPLAIN.
type explainOptions struct {
	analyze, verbose, trace bool
	costs, timing           bool
	summary                 *bool
	format                  string // text, json, yaml, dot
	kind                    string // physical, logical, state
}

// explainNames are the options, for hints.
var explainNames = []string{"analyze", "verbose", "costs", "settings", "timing", "summary", "buffers", "wal", "format", "type", "trace"}

func readExplainOptions(p ast.Parsed, n *ast.Explain) (explainOptions, error) {
	out := explainOptions{format: "text", kind: "physical", costs: true, timing: true}
	timed := 0
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
		case "costs":
			err = flag(&out.costs)
		case "timing":
			timed = at
			err = flag(&out.timing)
		case "settings": // there is nothing of the kind to leave out
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
	if timed > 0 && out.timing && !out.analyze {
		return out, pgerror.New(pgerror.InvalidParameterValue, "EXPLAIN option TIMING requires ANALYZE")
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
	timeout    int64 // likewise
	ends       bool  // likewise
	stream     bool  // what is made is a stream
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
		return s.prepareExplainTimestamp(p, n, params)
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
		if x.continuous || len(x.with) > 0 || len(x.params) > 0 {
			return nil, pgerror.Unsupported("EXPLAIN ANALYZE is supported for statements that end, and have no parameters and no changes in WITH").At(p.Position(n.Pos()))
		}
		inner := p
		inner.Stmt = n.Stmt
		if run, err = s.prepare(context.Background(), inner, params); err != nil {
			return nil, err
		}
	}
	t := newTextRows("QUERY PLAN")
	if opts.format == "json" {
		t.cols[0].Type = types.JSON
	}
	st := t.statement("EXPLAIN", func(ctx context.Context, t *textRows) error {
		if err := s.permit(s.catalog(), x.access, x.functions); err != nil {
			return err
		}
		lines, err := s.explain(ctx, x, opts, planning, run)
		if opts.format != "text" && err == nil { // a document is one value, as in PostgreSQL
			lines = []string{strings.Join(lines, "\n")}
		}
		for _, l := range lines {
			t.add(types.Named(l, s.settings.format()))
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
	if o.View = job; job {
		if err := queryOptions(p, &o, explainedOptions(n.Stmt)); err != nil {
			return nil, err
		}
	}
	o.Continuous = job || q.Emit != nil
	r, err := binder.BindQuery(o, q)
	if errors.Is(err, binder.ErrLocks) && !o.Continuous {
		return explainedChange(o, q)
	}
	if err != nil {
		return nil, err
	}
	return &explanation{
		plan: r.Plan, params: r.Params, warnings: r.Warnings, continuous: o.Continuous, job: job,
		every: r.Every, timeout: r.Timeout, ends: r.Ends, stream: job && makesStream(n.Stmt), access: r.Access, functions: r.Functions,
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
		if len(b.Locks) > 0 {
			return &b.Change, "LockRows"
		}
		return &b.Change, ""
	}
	return &binder.Change{}, ""
}

// explainedOptions are the options of an EXPLAINed statement that makes a job.
func explainedOptions(n ast.Statement) []ast.Option {
	switch n := n.(type) {
	case *ast.CreateView:
		return slices.Concat(n.Options, n.Query.Options)
	case *ast.CreateRelation:
		return slices.Concat(n.Options, n.Query.Options)
	}
	return nil
}

// makesStream reports that what the statement makes of its query is a stream.
func makesStream(n ast.Statement) bool {
	r, ok := n.(*ast.CreateRelation)
	return ok && r.Kind != ast.KindTable
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
