package optimizer_test

import (
	"flag"
	"path/filepath"
	"strings"
	"testing"

	"velostream/engine/sql/binder"
	"velostream/engine/sql/internal/sqltest"
	"velostream/engine/sql/optimizer"
	"velostream/engine/sql/parser"
	"velostream/engine/sql/plan"
)

var rewrite = flag.Bool("rewrite", false, "write what comes out into the data files")

// TestPlans binds, optimizes and lowers the queries of testdata. Directives:
//
//	bounded                     EXPLAIN of an ad-hoc query
//	continuous [shards] [view]  EXPLAIN of a running query; shards: two of them
//	logical                     the optimized logical plan
//	stages                      the plan after each stage that changed it
func TestPlans(t *testing.T) {
	snap := sqltest.Snapshot(t, sqltest.Schema)
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no data files", err)
	}
	for _, f := range files {
		t.Run(filepath.Base(f), func(t *testing.T) {
			cases := sqltest.ReadCases(t, f)
			for _, c := range cases {
				o := binder.Options{Snapshot: snap, SQL: c.SQL, Continuous: c.Has("continuous"), View: c.Has("view")}
				got := explain(t, c, o)
				if *rewrite {
					c.Want = got
				} else if got != c.Want {
					t.Errorf("%s:%d: %s\ngot:\n%swant:\n%s", f, c.Line, c.SQL, got, c.Want)
				}
			}
			if *rewrite {
				sqltest.WriteCases(t, f, cases)
			}
		})
	}
}

func explain(t *testing.T, c *sqltest.Case, bo binder.Options) string {
	q, err := parser.ParseQuery(c.SQL)
	if err != nil {
		return "error: " + err.Error() + "\n"
	}
	r, err := binder.BindQuery(bo, q)
	if err != nil {
		return "error: " + err.Error() + "\n"
	}
	o := optimizer.LowerOptions{Continuous: bo.Continuous, View: bo.View, Shards: 1}
	if c.Has("shards") {
		o.Shards = 2
	}
	logical, trace := optimizer.OptimizeTraced(r.Plan, optimizer.Context{Continuous: o.Continuous})
	p, warnings, err := optimizer.Lower(logical, o)
	if err != nil {
		return "error: " + err.Error() + "\n"
	}
	checkColumns(t, c, r, p)
	checkRoundTrip(t, c, p)
	var lines []string
	switch {
	case c.Has("logical"):
		lines = plan.ExplainLogical(logical)
	case c.Has("stages"):
		lines = optimizer.ExplainStages(trace)
	default:
		lines = plan.Explain(p, plan.ExplainOptions{})
	}
	for _, w := range warnings {
		lines = append(lines, w.Severity+": "+w.Message)
	}
	return strings.Join(lines, "\n") + "\n"
}

// checkColumns: the physical plan gives the columns that were promised.
func checkColumns(t *testing.T, c *sqltest.Case, r *binder.Result, p *plan.Physical) {
	t.Helper()
	i := 0
	for _, col := range p.Out {
		if col.Hidden {
			continue
		}
		if i >= len(r.Columns) || r.Columns[i].Name != col.Name || r.Columns[i].Type != col.Type {
			t.Errorf("line %d: column %d is %+v, bound %+v", c.Line, i, col, r.Columns)
			return
		}
		i++
	}
	if i != len(r.Columns) {
		t.Errorf("line %d: %d columns of %d", c.Line, i, len(r.Columns))
	}
}

// checkRoundTrip: a plan survives storage.
func checkRoundTrip(t *testing.T, c *sqltest.Case, p *plan.Physical) {
	t.Helper()
	b, err := plan.Encode(p)
	if err != nil {
		t.Fatalf("line %d: %v", c.Line, err)
	}
	q, err := plan.Decode(b)
	if err != nil {
		t.Fatalf("line %d: %v\n%s", c.Line, err, b)
	}
	again, err := plan.Encode(q)
	if err != nil || string(again) != string(b) {
		t.Errorf("line %d: not stable: %v\n%s\n%s", c.Line, err, b, again)
	}
	x, y := plan.Explain(p, plan.ExplainOptions{Verbose: true}), plan.Explain(q, plan.ExplainOptions{Verbose: true})
	if strings.Join(x, "\n") != strings.Join(y, "\n") {
		t.Errorf("line %d: another plan after storage", c.Line)
	}
}
