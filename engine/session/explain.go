package session

import (
	"context"
	"strings"

	"velostream/catalog/types"
	"velostream/engine/sql/ast"
	"velostream/engine/sql/binder"
	"velostream/engine/sql/optimizer"
	"velostream/engine/sql/plan"
	"velostream/pgwire"
	"velostream/pgwire/pgerror"
)

// prepareExplain is EXPLAIN of a query, or of a CREATE … AS query.
func (s *Session) prepareExplain(p ast.Parsed, n *ast.Explain, params []types.OID) (pgwire.Statement, error) {
	verbose := false
	for _, o := range n.Options {
		switch o.Name {
		case "verbose":
			verbose = o.Value != "false" && o.Value != "off"
		case "costs", "summary", "settings", "type", "format":
			if o.Name == "format" && lower(o.Value) != "text" {
				return nil, pgerror.Unsupported("EXPLAIN (FORMAT %s) is not supported yet", o.Value).At(p.Position(o.Pos()))
			}
		default:
			return nil, pgerror.Unsupported("EXPLAIN (%s) is not supported yet", strings.ToUpper(o.Name)).At(p.Position(o.Pos()))
		}
	}
	q, job := explained(n.Stmt)
	if q == nil {
		return nil, pgerror.Unsupported("EXPLAIN of this statement is not supported yet").At(p.Position(n.Pos()))
	}
	o := s.bindOptions(p, params)
	o.View = job
	o.Continuous = job || q.Emit != nil
	r, err := binder.BindQuery(o, q)
	if err != nil {
		return nil, err
	}
	t := newTextRows("QUERY PLAN")
	st := t.statement("EXPLAIN", func(_ context.Context, t *textRows) error {
		if err := s.permit(s.e.Catalog.Snapshot(), r.Access, r.Functions); err != nil {
			return err
		}
		lines, err := s.explain(r, optimizer.LowerOptions{Continuous: o.Continuous, View: job, Every: r.Every}, verbose)
		for _, l := range lines {
			t.add(l)
		}
		return err
	})
	st.(*rowsStatement).params = r.Params
	return st, nil
}

// explained is the query of an EXPLAINed statement, and whether it is a job's.
func explained(n ast.Statement) (*ast.Query, bool) {
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

func (s *Session) explain(r *binder.Result, o optimizer.LowerOptions, verbose bool) ([]string, error) {
	var lines []string
	o.Shards = 1
	if o.Continuous {
		o.Shards = s.e.Shards
	}
	logical, trace := optimizer.OptimizeTraced(r.Plan, optimizer.Context{Continuous: o.Continuous})
	if verbose {
		for _, t := range trace {
			if len(t.Rules) > 0 {
				lines = append(lines, "Stage "+t.Stage+": "+strings.Join(t.Rules, ", "))
			}
		}
	}
	p, warnings, err := optimizer.Lower(logical, o)
	if err != nil {
		return nil, err
	}
	lines = append(plan.Explain(p, plan.ExplainOptions{Verbose: verbose}), lines...)
	for _, w := range append(r.Warnings, warnings...) {
		lines = append(lines, "Notice: "+w.Message)
	}
	return lines, nil
}
