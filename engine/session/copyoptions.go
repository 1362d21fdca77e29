package session

import (
	"slices"
	"strings"

	"velostream/catalog"
	"velostream/engine/sql/ast"
	"velostream/pgwire"
	"velostream/pgwire/pgerror"
)

// copyFormat is how COPY writes and reads rows.
type copyFormat struct {
	csv       bool
	binary    bool
	header    bool
	match     bool // HEADER MATCH: the names must be those of the columns
	delimiter byte
	null      string
	quote     byte
	escape    byte

	forceQuote   []string // columns; "*": all
	forceNotNull []string
	forceNull    []string
}

// wire is the format code of the protocol.
func (f *copyFormat) wire() byte {
	if f.binary {
		return 1
	}
	return 0
}

// copyOptions reads the options of a COPY. Errors are PostgreSQL's, in its
// order.
func copyOptions(p ast.Parsed, n *ast.Copy) (copyFormat, error) {
	f := copyFormat{delimiter: '\t', null: `\N`, quote: '"'}
	given := map[string]*ast.Option{}
	for i := range n.Options {
		o := &n.Options[i]
		if given[o.Name] != nil {
			return f, pgerror.New(pgerror.SyntaxError, "conflicting or redundant options").At(p.Position(o.Pos()))
		}
		given[o.Name] = o
		if err := f.option(p, n, o); err != nil {
			return f, err
		}
	}
	if f.csv {
		f.delimiter, f.null = ',', ""
	}
	if f.binary {
		for _, name := range []string{"delimiter", "null"} {
			if given[name] != nil {
				return f, pgerror.New(pgerror.SyntaxError, "cannot specify %s in BINARY mode", strings.ToUpper(name))
			}
		}
	}
	if o := given["null"]; o != nil {
		f.null = o.Value
	}
	if err := f.characters(given); err != nil {
		return f, err
	}
	return f, f.forces(n, given)
}

// option takes over one option, but for the characters, whose meaning depends
// on the format.
func (f *copyFormat) option(p ast.Parsed, n *ast.Copy, o *ast.Option) error {
	at := p.Position(o.Pos())
	switch o.Name {
	case "delimiter", "null", "quote", "escape":
	case "format":
		switch lower(o.Value) {
		case "text":
		case "csv":
			f.csv = true
		case "binary":
			f.binary = true
		default:
			return pgerror.New(pgerror.InvalidParameterValue, "COPY format %q not recognized", o.Value).At(at)
		}
	case "freeze":
		if _, ok := copyBool(o.Value); !ok {
			return pgerror.New(pgerror.SyntaxError, "freeze requires a Boolean value").At(at)
		}
	case "encoding":
		if _, err := checkEncoding(o.Value); err != nil {
			return pgerror.New(pgerror.InvalidParameterValue, "argument to option \"encoding\" must be a valid encoding name").At(at)
		}
	case "header":
		var ok bool
		f.match = lower(o.Value) == "match"
		if f.header, ok = copyBool(o.Value); !ok && !f.match {
			return pgerror.New(pgerror.SyntaxError, "header requires a Boolean value or \"match\"").At(at)
		}
		f.header = f.header || f.match
		if f.match && n.To {
			return pgerror.Unsupported("cannot use \"match\" with HEADER in COPY TO").At(at)
		}
	case "force_quote", "force_not_null", "force_null":
		list := o.Items
		switch {
		case o.Value == "*" && o.Name == "force_quote":
			list = []string{"*"}
		case o.Kind != ast.ValueList:
			return pgerror.New(pgerror.InvalidParameterValue, "argument to option %q must be a list of column names", o.Name).At(at)
		}
		*map[string]*[]string{"force_quote": &f.forceQuote, "force_not_null": &f.forceNotNull, "force_null": &f.forceNull}[o.Name] = list
	default:
		return pgerror.New(pgerror.SyntaxError, "option %q not recognized", o.Name).At(at)
	}
	return nil
}

// copyBool reads what DDL takes as a Boolean.
func copyBool(v string) (on, ok bool) {
	switch lower(v) {
	case "", "true", "on", "1":
		return true, true
	case "false", "off", "0":
		return false, true
	}
	return false, false
}

// characters takes over DELIMITER, QUOTE and ESCAPE.
func (f *copyFormat) characters(given map[string]*ast.Option) error {
	one := func(name string, to *byte) error {
		o := given[name]
		if o == nil {
			return nil
		}
		if !f.csv && name != "delimiter" {
			return pgerror.Unsupported("COPY %s available only in CSV mode", name)
		}
		if len(o.Value) != 1 {
			return pgerror.Unsupported("COPY %s must be a single one-byte character", name)
		}
		*to = o.Value[0]
		return nil
	}
	invalid := func(format string, args ...any) error {
		return pgerror.New(pgerror.InvalidParameterValue, format, args...)
	}
	if err := one("delimiter", &f.delimiter); err != nil {
		return err
	}
	switch {
	case f.delimiter == '\n' || f.delimiter == '\r':
		return invalid("COPY delimiter cannot be newline or carriage return")
	case strings.ContainsAny(f.null, "\r\n"):
		return invalid("COPY null representation cannot use newline or carriage return")
	case !f.csv && strings.IndexByte(`\.abcdefghijklmnopqrstuvwxyz0123456789`, f.delimiter) >= 0:
		return invalid(`COPY delimiter cannot be "%c"`, f.delimiter)
	case f.binary && f.header:
		return pgerror.Unsupported("cannot specify HEADER in BINARY mode")
	}
	if err := one("quote", &f.quote); err != nil {
		return err
	}
	if f.csv && f.delimiter == f.quote {
		return invalid("COPY delimiter and quote must be different")
	}
	f.escape = f.quote
	return one("escape", &f.escape)
}

// forces checks the FORCE options and the text of NULL.
func (f *copyFormat) forces(n *ast.Copy, given map[string]*ast.Option) error {
	for _, x := range []struct {
		name, words string
		to          bool
	}{{"force_quote", "force quote", true}, {"force_not_null", "force not null", false}, {"force_null", "force null", false}} {
		switch {
		case given[x.name] == nil:
		case !f.csv:
			return pgerror.Unsupported("COPY %s available only in CSV mode", x.words)
		case x.to != n.To:
			return pgerror.Unsupported("COPY %s only available using COPY %s", x.words, map[bool]string{true: "TO", false: "FROM"}[x.to])
		}
	}
	switch {
	case strings.IndexByte(f.null, f.delimiter) >= 0:
		return pgerror.Unsupported("COPY delimiter must not appear in the NULL specification")
	case f.csv && strings.IndexByte(f.null, f.quote) >= 0:
		return pgerror.Unsupported("CSV quote character must not appear in the NULL specification")
	}
	return nil
}

// checkForced refuses columns of the FORCE options that are not copied. rel is
// nil for a query, copied are the columns.
func (f *copyFormat) checkForced(rel *catalog.Relation, copied []string) error {
	for _, x := range []struct {
		option string
		names  []string
	}{{"FORCE_QUOTE", f.forceQuote}, {"FORCE_NOT_NULL", f.forceNotNull}, {"FORCE_NULL", f.forceNull}} {
		for _, name := range x.names {
			switch {
			case name == "*" || slices.Contains(copied, name):
			case rel != nil && rel.ColumnIndex(name) < 0:
				return pgerror.New(pgerror.UndefinedColumn, "column %q of relation %q does not exist", name, rel.Name)
			case rel == nil:
				return pgerror.New(pgerror.UndefinedColumn, "column %q does not exist", name)
			default:
				return pgerror.New(pgerror.InvalidColumnReference, "%s column %q not referenced by COPY", x.option, name)
			}
		}
	}
	return nil
}

// copyColumns are the columns of rel that n names, all that can be written
// without a list.
func copyColumns(p ast.Parsed, n *ast.Copy, rel *catalog.Relation) ([]int, error) {
	var out []int
	for _, id := range n.Columns {
		j := rel.ColumnIndex(id.Name)
		switch {
		case j < 0 || rel.Columns[j].Hidden:
			return nil, pgerror.New(pgerror.UndefinedColumn, "column %q of relation %q does not exist", id.Name, rel.Name).At(p.Position(id.Pos()))
		case slices.Contains(out, j):
			return nil, pgerror.New(pgerror.DuplicateColumn, "column %q specified more than once", id.Name).At(p.Position(id.Pos()))
		case rel.Columns[j].Computed != "":
			return nil, pgerror.New(pgerror.InvalidColumnReference, "column %q is a generated column", id.Name).
				WithDetail("Generated columns cannot be used in COPY.").At(p.Position(id.Pos()))
		}
		out = append(out, j)
	}
	if len(n.Columns) == 0 {
		for j, k := range rel.Columns {
			if !k.Hidden && k.Computed == "" {
				out = append(out, j)
			}
		}
	}
	return out, nil
}

func resultNames(cols []pgwire.ResultColumn) []string {
	out := make([]string, len(cols))
	for i, c := range cols {
		out[i] = c.Name
	}
	return out
}
