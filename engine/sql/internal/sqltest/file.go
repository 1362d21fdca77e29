package sqltest

import (
	"os"
	"slices"
	"strings"
	"testing"
)

// Case is an entry of a data file:
//
//	# comment
//	directive arg=value …
//	SQL on one or more lines
//	----
//	what is expected, up to an empty line
type Case struct {
	Comment   []string
	Directive string
	SQL       string
	Want      string
	Line      int
}

// Has reports that the directive has the word.
func (c *Case) Has(word string) bool {
	return slices.Contains(strings.Fields(c.Directive), word)
}

// ReadCases reads a data file.
func ReadCases(t testing.TB, path string) []*Case {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var out []*Case
	var c *Case
	state := 0 // 0 before a case, 1 in its SQL, 2 in what is expected
	for i, line := range strings.Split(string(b), "\n") {
		switch {
		case state == 0 && line == "":
		case state == 0:
			if c == nil {
				c = &Case{Line: i + 1}
			}
			if strings.HasPrefix(line, "#") {
				c.Comment = append(c.Comment, line)
				continue
			}
			c.Directive, c.Line, state = line, i+1, 1
		case state == 1 && line == "----":
			state = 2
		case state == 1:
			c.SQL += line + "\n"
		case line == "":
			out, c, state = append(out, c), nil, 0
		default:
			c.Want += line + "\n"
		}
	}
	if c != nil && state == 2 {
		out = append(out, c)
	}
	for _, c := range out {
		c.SQL = strings.TrimSuffix(c.SQL, "\n")
	}
	return out
}

// WriteCases writes a data file.
func WriteCases(t testing.TB, path string, cases []*Case) {
	t.Helper()
	var b strings.Builder
	for i, c := range cases {
		if i > 0 {
			b.WriteByte('\n')
		}
		for _, l := range c.Comment {
			b.WriteString(l + "\n")
		}
		b.WriteString(c.Directive + "\n" + c.SQL + "\n----\n" + c.Want)
	}
	if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}
