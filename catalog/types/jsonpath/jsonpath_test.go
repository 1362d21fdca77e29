package jsonpath_test

import (
	"testing"

	"velostream/catalog/types/jsonpath"
)

var samples = []string{
	`$`, `strict $.a."b c"[0, 1 to last - 1].*.**{2 to last}`, `$ ? (@.a > 1 && !exists(@.b) || (@.c == "x") is unknown)`,
	`-($.a + 1) * 2`, `$.a like_regex "^x" flag "i"`, `$.a starts with $v`, `$.type().size()`, `($.a > 1).type()`, `1e-3`,
	`$.a /* c */ ? (@ == "\u0041\n")`, `$[`, `"`, `@`, `$.a == `,
}

func TestPrint(t *testing.T) {
	for _, s := range samples {
		checkPrint(t, s)
	}
}

// checkPrint checks that the printed form reads as itself.
func checkPrint(t *testing.T, s string) {
	p, err := jsonpath.Parse(s)
	if err != nil {
		return
	}
	once := p.String()
	again, err := jsonpath.Parse(once)
	if err != nil {
		t.Fatalf("%q prints as %q, which does not parse: %v", s, once, err)
	}
	if twice := again.String(); twice != once {
		t.Fatalf("%q prints as %q, and that as %q", s, once, twice)
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range samples {
		f.Add(s)
	}
	f.Fuzz(checkPrint)
}
