package parser

import (
	"flag"
	"math/rand"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"velostream/engine/sql/ast"
)

var mutated = flag.Int("mutated", 3000, "statements to make up for the round trip")

// samePlaces ignores positions.
var samePlaces = cmp.Options{
	cmp.Comparer(func(a, b ast.At) bool { return true }),
	cmp.FilterPath(func(p cmp.Path) bool {
		f, ok := p.Last().(cmp.StructField)
		return ok && (strings.HasSuffix(f.Name(), "Pos") && f.Type() == reflect.TypeFor[int]())
	}, cmp.Comparer(func(a, b int) bool { return (a < 0) == (b < 0) })),
}

// roundTrip prints a statement, parses the text, and compares.
func roundTrip(t *testing.T, stmt ast.Statement, sql string) {
	t.Helper()
	text := ast.String(stmt)
	again, err := Parse(text)
	if err != nil {
		t.Errorf("%s\nprints as %s\nwhich fails: %v", sql, text, err)
		return
	}
	if len(again) != 1 {
		t.Errorf("%s\nprints as %s\nwhich is %d statements", sql, text, len(again))
		return
	}
	if d := cmp.Diff(stmt, again[0].Stmt, samePlaces); d != "" && !isOther(stmt) {
		t.Errorf("%s\nprints as %s\nwhich differs: %s", sql, text, d)
	}
	if text2 := ast.String(again[0].Stmt); text2 != text {
		t.Errorf("%s\nprints as %s\nthen as   %s", sql, text, text2)
	}
}

// TestRoundTripMutated does the same for statements made up from the corpus by
// moving tokens about: odd ones that people do not think of.
func TestRoundTripMutated(t *testing.T) {
	stmts := append(corpus(t, "postgres.sql"), corpus(t, "dialect.sql")...)
	rnd := rand.New(rand.NewSource(1))
	for range *mutated {
		sql := mutate(rnd, mutate(rnd, stmts[rnd.Intn(len(stmts))], stmts), stmts)
		parsed, err := Parse(sql)
		if err != nil {
			continue
		}
		for _, s := range parsed {
			roundTrip(t, s.Stmt, sql)
		}
	}
}

// isOther reports that a statement is kept as text, which has its own blanks.
func isOther(s ast.Statement) bool {
	_, ok := s.(*ast.Other)
	return ok
}

func TestRoundTrip(t *testing.T) {
	for _, file := range []string{"psql15.sql", "dialect.sql", "postgres.sql"} {
		for _, sql := range corpus(t, file) {
			stmts, err := Parse(sql)
			if err != nil {
				continue // TestAcceptsCorpus says so
			}
			for _, s := range stmts {
				roundTrip(t, s.Stmt, sql)
			}
		}
	}
}
