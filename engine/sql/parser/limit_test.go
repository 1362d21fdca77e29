package parser

import (
	"strings"
	"testing"
	"time"

	"velostream/engine/sql/ast"
	"velostream/pgwire/pgerror"
)

// TestDeepNesting: each way to nest ends in an answer or in 54001.
func TestDeepNesting(t *testing.T) {
	const n = 10_000
	rep := strings.Repeat
	for _, c := range []struct{ name, sql string }{
		{"parentheses", "SELECT " + rep("(", n) + "1" + rep(")", n)},
		{"unclosed", "SELECT " + rep("(", n)},
		{"queries", rep("(", n) + "SELECT 1" + rep(")", n)},
		{"subqueries", rep("SELECT (", n) + "1" + rep(")", n)},
		{"from", "SELECT * FROM " + rep("(SELECT * FROM ", n) + "t" + rep(") x", n)},
		{"from parentheses", "SELECT * FROM " + rep("(", n) + "t" + rep(")", n)},
		{"not", "SELECT " + rep("NOT ", n) + "a"},
		{"minus", "SELECT " + rep("- ", n) + "a"},
		{"case", "SELECT " + rep("CASE WHEN a THEN ", n) + "1" + rep(" END", n)},
		{"calls", "SELECT " + rep("f(", n) + "1" + rep(")", n)},
		{"arrays", "SELECT ARRAY" + rep("[", n) + rep("]", n)},
		{"joins", "SELECT * FROM a " + rep("JOIN a ", n) + rep("ON true ", n)},
		{"with", rep("WITH a AS (", n) + "SELECT 1" + rep(") SELECT 1", n)},
		{"types", "CREATE TABLE t (a " + rep("MAP<text, ", n) + "int" + rep(">", n) + ")"},
		{"grouping sets", "SELECT 1 GROUP BY " + rep("GROUPING SETS (", n) + "a" + rep(")", n)},
		{"plus", "SELECT 1" + rep("+1", 3*n)},
		{"unions", "SELECT 1" + rep(" UNION SELECT 1", 3*n)},
		{"casts", "SELECT a" + rep("::int", 3*n)},
		{"subscripts", "SELECT a" + rep("[1]", 3*n)},
		{"right power", "SELECT " + rep("a = (", n) + "1"},
		{"explain", rep("EXPLAIN ", n) + "SELECT 1"},
		{"schema", rep("CREATE SCHEMA s ", n)},
		{"prepare", rep("PREPARE a AS ", n) + "SELECT 1"},
	} {
		_, err := Parse(c.sql)
		if err == nil {
			t.Errorf("%s: accepted", c.name)
			continue
		}
		if code := pgerror.Code(err); code != pgerror.StatementTooComplex && code != pgerror.SyntaxError {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	for _, c := range []struct{ name, sql string }{
		{"ands", "SELECT a" + rep(" AND a", 5*n)},
		{"list", "SELECT a IN (1" + rep(", 1", 5*n) + ")"},
		{"sum", "SELECT 1" + rep("+1", 5000)},
		{"nested", "SELECT " + rep("(", 900) + "1" + rep(")", 900)},
		{"joins", "SELECT * FROM a" + rep(" JOIN a ON true", n)},
	} {
		stmts, err := Parse(c.sql)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if ast.String(stmts[0].Stmt) == "" {
			t.Errorf("%s: prints as nothing", c.name)
		}
	}
}

// TestLinearTime: twice the text takes about twice the time, whatever the
// shape; quadratic look-ahead would take minutes here.
func TestLinearTime(t *testing.T) {
	start := time.Now()
	rep := strings.Repeat
	for _, sql := range []string{
		"SELECT a IN (" + rep("1, ", 300_000) + "1)",
		"INSERT INTO t VALUES " + rep("(1, 'abc', 2.5), ", 60_000) + "(1, 'a', 1)",
		"SELECT " + rep("'x'\n", 200_000),
		rep("SELECT 1;", 100_000),
		rep("-- @name: v\n", 80_000) + "SELECT 1",
		"SELECT '" + rep("''", 500_000) + "'",
		"SELECT 1" + rep("/* x */", 140_000),
	} {
		if _, err := Parse(sql); err != nil {
			t.Errorf("%.40s…: %v", sql, err)
		}
	}
	if d := time.Since(start); d > 20*time.Second {
		t.Errorf("took %v", d)
	}
}
