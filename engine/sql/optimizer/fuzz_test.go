package optimizer_test

import (
	"path/filepath"
	"testing"

	"velostream/engine/sql/ast"
	"velostream/engine/sql/binder"
	"velostream/engine/sql/expr"
	"velostream/engine/sql/internal/sqltest"
	"velostream/engine/sql/optimizer"
	"velostream/engine/sql/parser"
	"velostream/engine/sql/plan"
)

// FuzzPlan: any text that parses gets a plan or an error, and a plan that can
// be stored; running and bounded.
func FuzzPlan(f *testing.F) {
	for _, dir := range []string{"testdata/*.txt", "../binder/testdata/*.txt", "../oracle/testdata/*.txt"} {
		files, _ := filepath.Glob(dir)
		for _, file := range files {
			for _, c := range sqltest.ReadCases(f, file) {
				f.Add(c.SQL)
			}
		}
	}
	snap := sqltest.Snapshot(f, sqltest.Schema+`
CREATE TABLE a (id int8 PRIMARY KEY, owner text, balance numeric(12,2), region varchar(20), opened date);
CREATE TABLE o (id int PRIMARY KEY, aid int8, symbol text, qty int, price numeric(12,2));
CREATE TABLE i (oid int, line int, sku text, n int, PRIMARY KEY (oid, line));`)
	f.Fuzz(func(t *testing.T, sql string) {
		stmts, err := parser.Parse(sql)
		if err != nil {
			return
		}
		for _, p := range stmts {
			for _, continuous := range []bool{false, true} {
				planAny(t, binder.Options{Snapshot: snap, SQL: sql, Continuous: continuous, View: continuous}, p.Stmt)
			}
		}
	})
}

func planAny(t *testing.T, o binder.Options, s ast.Statement) {
	var p plan.Logical
	switch s := s.(type) {
	case *ast.Query:
		r, err := binder.BindQuery(o, s)
		if err != nil {
			return
		}
		p = r.Plan
	case *ast.Insert, *ast.Update, *ast.Delete, *ast.Merge:
		r, err := binder.BindStatement(o, s)
		if err != nil {
			return
		}
		switch r := r.(type) {
		case *binder.Insert:
			p = r.Plan
		case *binder.Update:
			p = r.Plan
		case *binder.Delete:
			p = r.Plan
		case *binder.Merge:
			p = r.Plan
		}
	case *ast.CreateRelation:
		_, _ = binder.BindColumnDefs(o, s)
		return
	default:
		return
	}
	want := p.Schema().Types()
	logical := optimizer.Optimize(p, optimizer.Context{Continuous: o.Continuous})
	phys, _, err := optimizer.Lower(logical, optimizer.LowerOptions{Continuous: o.Continuous, View: o.View, Shards: 2})
	if err != nil {
		return
	}
	for i, w := range want {
		if phys.Out[i].Type.OID != w.OID {
			t.Fatalf("column %d is %s, bound as %s", i, phys.Out[i].Type, w)
		}
	}
	checkNode(t, phys)
	b, err := plan.Encode(phys)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := plan.Decode(b); err != nil {
		t.Fatalf("%v\n%s", err, b)
	}
}

// checkNode: whatever a node refers to exists in its input, with its type.
func checkNode(t *testing.T, p *plan.Physical) {
	var in plan.Schema
	for _, c := range p.Inputs {
		checkNode(t, c)
		in = append(in, c.Out...)
	}
	check := func(x expr.Expr) {
		plan.EachColumn(x, func(c *expr.Col) {
			if c.Index < 0 || c.Index >= len(in) || in[c.Index].Type.OID != c.T.OID {
				t.Fatalf("%s: column %d %s of %v", p.Op, c.Index, c.T, in)
			}
		})
	}
	for _, e := range p.Exprs {
		check(e)
	}
	if p.Cond != nil {
		check(p.Cond)
	}
	for _, k := range p.Sort {
		check(k.Expr)
	}
	for _, a := range p.Aggs {
		for _, e := range a.Args {
			check(e)
		}
		if a.Filter != nil {
			check(a.Filter)
		}
	}
	for _, k := range append(append([]int(nil), p.Key...), p.EventTime) {
		if k >= len(p.Out) {
			t.Fatalf("%s: key %d of %v", p.Op, k, p.Out)
		}
	}
	if p.Op == plan.OpProject {
		for i, e := range p.Exprs {
			if e.Type().OID != p.Out[i].Type.OID {
				t.Fatalf("project: %d is %s, declared %s", i, e.Type(), p.Out[i].Type)
			}
		}
	}
}
