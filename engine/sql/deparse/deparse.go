// Package deparse prints stored queries and expressions as PostgreSQL's
// catalogs show them: with the names that tables and columns have today, each
// column with its table, * written out, and the conversions that were implied.
// It binds the stored text once more (engine/sql/binder) and walks its syntax
// tree beside what the binder found. Pure functions; nothing is kept.
//
// The layout follows PostgreSQL 15's pg_get_viewdef, pg_get_expr and their kin.
// Clauses that PostgreSQL has not are printed in the dialect's form.
package deparse

import (
	"slices"
	"strings"

	"velostream/catalog"
	"velostream/catalog/types"
	"velostream/engine/sql/ast"
	"velostream/engine/sql/binder"
	"velostream/engine/sql/expr"
	"velostream/engine/sql/parser"
	"velostream/pgwire/pgerror"
)

// Names gives the names of objects as search_path makes them.
type Names interface {
	types.Names
	// TypeName is the SQL name of a type, with its modifier.
	TypeName(t types.Type) string
	// FunctionName is the name of a function.
	FunctionName(id uint32) string
}

// Style is how text is laid out.
type Style struct {
	// Pretty leaves out parentheses that operators' precedence makes needless.
	Pretty bool
	// Wrap is how long a line may be before the next select item begins a new
	// one; 0: each begins one.
	Wrap int
}

// Printer prints what is stored in one catalog snapshot.
type Printer struct {
	// Options are what stored text is bound against: Snapshot, System,
	// SearchPath, Format.
	Options binder.Options
	Names   Names
	Style   Style
}

// Call reports that x looks like a function call, which indexes show without
// parentheses around.
func (n *node) looksLikeCall() bool {
	return n.kind == kCall || n.kind == kSQL || n.kind == kValue
}

// Expr prints text, an expression over the columns of rel, that is to be of type
// want where that is not zero. call reports that it is a bare function call.
func (p *Printer) Expr(rel *catalog.Relation, text string, want types.Type) (out string, call bool, err error) {
	return p.overColumns(rel.Schema, rel.Name, rel.Columns, text, want, "")
}

// Domain prints text, an expression over VALUE, a value of u's base type.
func (p *Printer) Domain(u *catalog.UserType, text string, want types.Type) (string, error) {
	out, _, err := p.overColumns("", "", []catalog.Column{{Name: "value", Type: u.Base}}, text, want, "VALUE")
	return out, err
}

func (p *Printer) overColumns(schema, name string, columns []catalog.Column, text string, want types.Type, value string) (out string, call bool, err error) {
	x, err := parser.ParseExpr(text)
	if err != nil {
		return "", false, err
	}
	o := p.Options
	o.SQL, o.Params, o.Session = "", nil, nil
	t, err := binder.TraceExpr(o, schema, name, columns, x)
	if err != nil {
		return "", false, err
	}
	d := p.deparser(t)
	it := &item{old: name}
	for _, c := range columns {
		it.columns = append(it.columns, itemColumn{old: c.Name, now: c.Name, domain: c.Domain, hidden: c.Hidden})
		if value != "" {
			it.columns[0].now = value
		}
	}
	d.bare = true
	d.value = value != ""
	d.spaces = []*namespace{{items: []*item{it}}}
	n := d.expr(x)
	if want.OID != 0 {
		n = d.coerce(n, want, true)
	} else if n.t.OID == types.OIDUnknown {
		n = d.coerce(n, types.Text, true)
	}
	d.print(n, false)
	return d.b.String(), n.looksLikeCall(), d.err
}

// Query prints the query of rel, a view or a persistent query, whose columns give
// the names of its result.
func (p *Printer) Query(rel *catalog.Relation) (string, error) {
	q, t, _, err := p.bind(rel)
	if err != nil {
		return "", err
	}
	d := p.deparser(t)
	d.refs = rel.Refs
	var names []string
	for _, c := range rel.Columns {
		if !c.Hidden {
			names = append(names, c.Name)
		}
	}
	// As in PostgreSQL, whose views are rules with these two tables.
	d.spaces = []*namespace{{items: []*item{{name: "old"}, {name: "new"}}}}
	d.query(q, names, true)
	d.write(";")
	return d.b.String(), d.err
}

// bind binds the query of rel as it was stored.
func (p *Printer) bind(rel *catalog.Relation) (*ast.Query, *binder.Trace, *binder.Result, error) {
	q, err := parser.ParseQuery(rel.Query)
	if err != nil {
		return nil, nil, nil, err
	}
	o := p.Options
	o.SQL, o.Params, o.Refs, o.TypeRefs, o.FunctionRefs, o.Session = "", nil, rel.Refs, rel.TypeRefs, rel.Functions, nil
	o.Continuous, o.View = rel.Kind != catalog.View, rel.Kind == catalog.MaterializedView
	t, r, err := binder.TraceQuery(o, q)
	return q, t, r, err
}

// Reads are the columns that the query of rel reads of the relations that it names.
func (p *Printer) Reads(rel *catalog.Relation) ([]catalog.Access, error) {
	_, _, r, err := p.bind(rel)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(r.Access, func(a catalog.Access) bool { return a.Via != 0 }), nil
}

// deparser is the state of one walk.
type deparser struct {
	*Printer
	trace *binder.Trace
	b     *strings.Builder
	level int // of indentation
	// spaces are the names in sight, outermost first.
	spaces []*namespace
	bare   bool // columns are named without their tables
	value  bool // the column is VALUE of a domain
	own    bool // a column of the innermost query was met
	refs   []catalog.Ref
	err    error
}

func (p *Printer) deparser(t *binder.Trace) *deparser {
	return &deparser{Printer: p, trace: t, b: &strings.Builder{}}
}

func (d *deparser) write(parts ...string) {
	for _, s := range parts {
		d.b.WriteString(s)
	}
}

// fail keeps the first error.
func (d *deparser) fail(err error) {
	if d.err == nil {
		d.err = err
	}
}

// cannot notes that n has no printed form here.
func (d *deparser) cannot(n ast.Node) *node {
	d.fail(pgerror.Unsupported("printing of %T", n))
	return &node{kind: kConst, t: types.Unknown, null: true}
}

// Indentation, in blanks.
const (
	indentStd   = 8
	indentJoin  = 4
	indentVar   = 4
	indentLimit = 40
)

// line begins a new line with word: level changes by before and after, plus is for
// this line alone.
func (d *deparser) line(word string, before, after, plus int) {
	d.level += before
	d.trim()
	n := max(d.level, 0)
	if d.level >= indentLimit {
		n = (indentLimit + (d.level-indentLimit)/(indentStd/2)) % indentLimit
	}
	d.write("\n", strings.Repeat(" ", n+plus), word)
	d.level = max(d.level+after, 0)
}

// trim takes blanks off the end.
func (d *deparser) trim() {
	s := d.b.String()
	if t := strings.TrimRight(s, " "); len(t) < len(s) {
		d.b.Reset()
		d.b.WriteString(t)
	}
}

// aside is what f writes, by itself.
func (d *deparser) aside(f func()) string {
	saved := d.b
	d.b = &strings.Builder{}
	f()
	s := d.b.String()
	d.b = saved
	return s
}

// lastLine is how much is in the present line.
func (d *deparser) lastLine() int {
	s := d.b.String()
	return len(s) - (strings.LastIndexByte(s, '\n') + 1)
}

func quote(name string) string { return expr.QuoteIdent(name) }
