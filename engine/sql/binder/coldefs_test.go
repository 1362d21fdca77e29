package binder_test

import (
	"fmt"
	"strings"
	"testing"

	"velostream/engine/sql/ast"
	"velostream/engine/sql/binder"
	"velostream/engine/sql/internal/sqltest"
	"velostream/engine/sql/parser"
	"velostream/pgwire/pgerror"
)

// TestColumnDefs: column lists, their constraints and watermarks.
func TestColumnDefs(t *testing.T) {
	const file = "testdata/coldefs.txt"
	cases := sqltest.ReadCases(t, file)
	for _, c := range cases {
		got := definition(t, c.SQL)
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

func definition(t *testing.T, sql string) string {
	t.Helper()
	stmts, err := parser.Parse(sql)
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	d, err := binder.BindColumnDefs(binder.Options{Snapshot: sqltest.Snapshot(t, ""), SQL: sql}, stmts[0].Stmt.(*ast.CreateRelation))
	if err != nil {
		e := pgerror.From(err)
		return describe(e.Code, e.Position, e.Message)
	}
	var b strings.Builder
	for _, c := range d.Columns {
		fmt.Fprintf(&b, "%s %s", c.Name, c.Type)
		for name, v := range map[string]string{"default": c.Default, "as": c.Computed, "system": c.System} {
			if v != "" {
				fmt.Fprintf(&b, " %s %s", name, v)
			}
		}
		if c.NotNull {
			b.WriteString(" not null")
		}
		b.WriteByte('\n')
	}
	if d.PrimaryKey != nil {
		fmt.Fprintf(&b, "key %v\n", d.PrimaryKey)
	}
	if d.EventTime >= 0 {
		fmt.Fprintf(&b, "watermark %s - %dµs\n", d.Columns[d.EventTime].Name, d.Delay)
	}
	return b.String()
}
