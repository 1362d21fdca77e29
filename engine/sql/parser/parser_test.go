package parser

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"velostream/pgwire/pgerror"
)

// corpus reads the statements of a file, divided by lines of four dashes.
func corpus(t testing.TB, name string) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for s := range strings.SplitSeq(string(text), "\n----\n") {
		if s = strings.TrimSpace(s); s != "" {
			out = append(out, s)
		}
	}
	return out
}

func TestAcceptsCorpus(t *testing.T) {
	for _, file := range []string{"psql15.sql", "dialect.sql", "postgres.sql"} {
		for _, sql := range corpus(t, file) {
			if _, err := Parse(sql); err != nil {
				e := asError(t, err)
				t.Errorf("%s: %v at %d (%s)\n%s", file, err, e.Position, e.Hint, sql)
			}
		}
	}
}

// asError returns err as what the parser promises.
func asError(t testing.TB, err error) *pgerror.Error {
	t.Helper()
	var e *pgerror.Error
	if !errors.As(err, &e) {
		t.Fatalf("%T is no pgerror: %v", err, err)
	}
	return e
}
