package binder_test

import (
	"fmt"
	"strings"
	"testing"

	"velostream/engine/sql/binder"
	"velostream/engine/sql/expr"
	"velostream/engine/sql/internal/sqltest"
	"velostream/engine/sql/plan"
	"velostream/pgwire/pgerror"
)

// TestChanges: the plans of INSERT, UPDATE and DELETE.
func TestChanges(t *testing.T) {
	const file = "testdata/dml.txt"
	snap := sqltest.Snapshot(t, sqltest.Schema)
	cases := sqltest.ReadCases(t, file)
	for _, c := range cases {
		got := changeText(t, binder.Options{Snapshot: snap, SQL: c.SQL}, c.SQL)
		if *rewrite {
			c.Want = got
		} else if got != c.Want {
			t.Errorf("%s:%d: %s\ngot:\n%swant:\n%s", file, c.Line, c.SQL, got, c.Want)
		}
	}
	if *rewrite {
		sqltest.WriteCases(t, file, cases)
	}
}

func changeText(t *testing.T, o binder.Options, sql string) string {
	t.Helper()
	r, err := bindAny(o, sql)
	if err != nil {
		e := pgerror.From(err)
		return describe(e.Code, e.Position, e.Message)
	}
	var b strings.Builder
	var c *binder.Change
	width := 1
	switch r := r.(type) {
	case *binder.Insert:
		c = &r.Change
		if k := r.Conflict; k != nil {
			fmt.Fprintf(&b, "conflict: nothing %v, overwrite %v, set %v to %s", k.DoNothing, k.Overwrite, k.Set, list(k.Exprs))
			if k.Where != nil {
				b.WriteString(" where " + expr.String(k.Where))
			}
			b.WriteByte('\n')
		}
	case *binder.Update:
		c, width = &r.Change, 2
		fmt.Fprintf(&b, "set: %v\n", r.Set)
	case *binder.Delete:
		c = &r.Change
	}
	if got, want := len(c.Plan.Schema()), width*len(c.Target.Columns); got != want {
		t.Errorf("%s: rows of %d columns, want %d", sql, got, want)
	}
	for i, col := range c.Plan.Schema() {
		if want := c.Target.Columns[i%len(c.Target.Columns)].Type; col.Type != want {
			t.Errorf("%s: column %d is %s, want %s", sql, i, col.Type, want)
		}
	}
	if c.Returning != nil {
		b.WriteString("returning: " + list(c.Returning.Exprs) + "\n")
	}
	return b.String() + strings.Join(plan.ExplainLogical(c.Plan), "\n") + "\n"
}

func list(es []expr.Expr) string {
	out := make([]string, len(es))
	for i, e := range es {
		out[i] = expr.String(e)
	}
	return strings.Join(out, ", ")
}
