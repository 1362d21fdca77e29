// Package oracletest compares our parser with a second one, CockroachDB's of
// 2020. It is a module of its own so that the library's weight stays out of
// the main one: cd here and go test.
//
// The other parser is known to be wrong where an operator of PostgreSQL's
// "any other" group meets arithmetic or bit operators, with ONLY, and with bit
// strings; it lacks much else. So only what it accepts is compared, less the
// list of known differences.
package oracletest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	crdb "github.com/auxten/postgresql-parser/pkg/sql/parser"

	"velostream/engine/sql/ast"
	"velostream/engine/sql/parser"
)

// known holds texts by which statements are left out, and why.
var known = []string{
	"ONLY",      // taken for a table's name
	"B'101'",    // bit strings lose their kind
	"OPERATOR(", // loses its schema
	"RECURSIVE", // prints the keyword only sometimes
	"U&",        // taken for u & …
	"SET ",      // the special forms are kept apart
	"current_schema()",
}

// statements reads a corpus file of the parser.
func statements(t *testing.T, name string) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(string(text), "\n----\n")
}

// theirs is the other parser's normal form of a text, "" where it has none.
// It panics on some input.
func theirs(sql string) (text string) {
	defer func() {
		if recover() != nil {
			text = ""
		}
	}()
	stmts, err := crdb.Parse(sql)
	if err != nil {
		return ""
	}
	return stmts.String()
}

// bare drops parentheses and blanks: the other parser keeps parentheses as it
// finds them. What binds to what is compared with PostgreSQL instead, by
// TestPrecedence of the parser.
func bare(s string) string { return strings.NewReplacer("(", "", ")", "", " ", "").Replace(s) }

// TestSameTree: what we print must mean to the other parser what the original
// means to it.
func TestSameTree(t *testing.T) {
	compared := 0
	for _, file := range []string{"postgres.sql", "psql15.sql"} {
	next:
		for _, sql := range statements(t, file) {
			for _, k := range known {
				if strings.Contains(sql, k) {
					continue next
				}
			}
			want := theirs(sql)
			if want == "" {
				continue
			}
			stmts, err := parser.Parse(sql)
			if err != nil {
				t.Errorf("accepted there, but: %v\n%s", err, sql)
				continue
			}
			parts := make([]string, len(stmts))
			for i, s := range stmts {
				parts[i] = ast.String(s.Stmt)
			}
			ours := strings.Join(parts, "; ")
			got := theirs(ours)
			if got == "" {
				continue // a normal form of ours that it does not know
			}
			compared++
			if bare(got) != bare(want) {
				t.Errorf("%s\nprinted %s\n got %s\nwant %s", sql, ours, got, want)
			}
		}
	}
	if compared < 80 {
		t.Errorf("only %d statements compared", compared)
	}
}
