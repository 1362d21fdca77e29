package session

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"

	"velostream/catalog"
	"velostream/catalog/types"
	"velostream/engine/sql/ast"
	"velostream/engine/sql/parser"
	"velostream/pgwire"
	"velostream/pgwire/pgerror"
	"velostream/storage/column"
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

	forceQuote   map[string]bool // "*": all columns
	forceNotNull map[string]bool
	forceNull    map[string]bool
}

// wire is the format code of the protocol.
func (f *copyFormat) wire() byte {
	if f.binary {
		return 1
	}
	return 0
}

func copyOptions(p ast.Parsed, n *ast.Copy) (copyFormat, error) {
	f := copyFormat{delimiter: '\t', null: `\N`, quote: '"'}
	for _, o := range n.Options {
		if o.Name != "format" {
			continue
		}
		switch lower(o.Value) {
		case "text":
		case "csv":
			f.csv, f.delimiter, f.null = true, ',', ""
		case "binary":
			f.binary = true
		default:
			return f, pgerror.New(pgerror.InvalidParameterValue, "COPY format %q not recognized", o.Value).At(p.Position(o.Pos()))
		}
	}
	for i, o := range n.Options {
		if slices.ContainsFunc(n.Options[:i], func(b ast.Option) bool { return b.Name == o.Name }) {
			return f, pgerror.New(pgerror.SyntaxError, "conflicting or redundant options").At(p.Position(o.Pos()))
		}
		if err := f.option(p, n, o); err != nil {
			return f, err
		}
	}
	if err := f.csvOnly(n); err != nil {
		return f, err
	}
	if f.escape == 0 {
		f.escape = f.quote
	}
	return f, f.check()
}

// option takes over one option but the format.
func (f *copyFormat) option(p ast.Parsed, n *ast.Copy, o ast.Option) error {
	at := p.Position(o.Pos())
	switch o.Name {
	case "format", "freeze":
	case "encoding":
		if _, err := checkEncoding(o.Value); err != nil {
			return pgerror.New(pgerror.InvalidParameterValue, "argument to option \"encoding\" must be a valid encoding name").At(at)
		}
	case "header":
		v := lower(o.Value)
		f.match = v == "match"
		on, err := checkBool(orTrue(v))
		if err != nil && !f.match {
			return pgerror.New(pgerror.SyntaxError, "header requires a Boolean value or \"match\"").At(at)
		}
		f.header = f.match || on == "on"
		if f.match && n.To {
			return pgerror.New(pgerror.SyntaxError, "cannot use \"match\" with HEADER in COPY TO").At(at)
		}
	case "delimiter", "quote", "escape":
		if len(o.Value) != 1 {
			return pgerror.Unsupported("COPY %s must be a single one-byte character", o.Name).At(at)
		}
		*map[string]*byte{"delimiter": &f.delimiter, "quote": &f.quote, "escape": &f.escape}[o.Name] = o.Value[0]
	case "null":
		f.null = o.Value
	case "force_quote", "force_not_null", "force_null":
		set := map[string]bool{}
		for _, c := range o.Items {
			set[c] = true
		}
		if len(o.Items) == 0 && o.Value != "" {
			set[o.Value] = true
		}
		*map[string]*map[string]bool{"force_quote": &f.forceQuote, "force_not_null": &f.forceNotNull, "force_null": &f.forceNull}[o.Name] = set
	default:
		return pgerror.New(pgerror.SyntaxError, "option %q not recognized", o.Name).At(at)
	}
	return nil
}

// csvOnly refuses options that another format or direction does not have.
func (f *copyFormat) csvOnly(n *ast.Copy) error {
	for _, o := range n.Options {
		name := strings.ReplaceAll(o.Name, "_", " ")
		switch o.Name {
		case "quote", "escape", "force_quote", "force_not_null", "force_null":
			if !f.csv {
				return pgerror.Unsupported("COPY %s available only in CSV mode", name)
			}
		}
		switch {
		case o.Name == "force_quote" && !n.To:
			return pgerror.Unsupported("COPY force quote only available using COPY TO")
		case (o.Name == "force_not_null" || o.Name == "force_null") && n.To:
			return pgerror.Unsupported("COPY %s only available using COPY FROM", name)
		}
	}
	return nil
}

// check refuses combinations that make no sense, in PostgreSQL's words.
func (f *copyFormat) check() error {
	bad := func(format string, args ...any) error { return pgerror.Unsupported(format, args...) }
	switch {
	case f.binary && (f.delimiter != '\t' || f.null != `\N` || f.header):
		return pgerror.New(pgerror.SyntaxError, "cannot specify DELIMITER, NULL or HEADER in BINARY mode")
	case f.delimiter == '\n' || f.delimiter == '\r':
		return pgerror.New(pgerror.InvalidParameterValue, "COPY delimiter cannot be newline or carriage return")
	case strings.ContainsAny(f.null, "\r\n"):
		return pgerror.New(pgerror.InvalidParameterValue, "COPY null representation cannot use newline or carriage return")
	case !f.csv && (f.quote != '"' || f.forceQuote != nil || f.forceNotNull != nil || f.forceNull != nil):
		return bad("COPY quote and force options available only in CSV mode")
	case f.csv && f.delimiter == f.quote:
		return pgerror.New(pgerror.InvalidParameterValue, "COPY delimiter and quote must be different")
	case strings.IndexByte(f.null, f.delimiter) >= 0:
		return bad("COPY delimiter must not appear in the NULL specification")
	}
	return nil
}

// prepareCopy is COPY … TO STDOUT and COPY … FROM STDIN.
func (s *Session) prepareCopy(p ast.Parsed, n *ast.Copy, params []types.OID) (pgwire.Statement, error) {
	if !n.Stdio {
		return nil, pgerror.New(pgerror.InsufficientPrivilege, "COPY to or from a file of the server is not allowed").
			WithHint("Anyone can COPY to stdout or from stdin. psql's \\copy command also works for anyone.")
	}
	f, err := copyOptions(p, n)
	if err != nil {
		return nil, err
	}
	if !n.To {
		return s.prepareCopyIn(p, n, f)
	}
	query, inner := n.Query, p
	if n.Table != nil {
		list := "*"
		if len(n.Columns) > 0 {
			names := make([]string, len(n.Columns))
			for i, c := range n.Columns {
				names[i] = ast.QuoteIdent(c.Name)
			}
			list = strings.Join(names, ", ")
		}
		parts := make([]string, len(n.Table.Parts))
		for i, x := range n.Table.Parts {
			parts[i] = ast.QuoteIdent(x)
		}
		inner.SQL = "SELECT " + list + " FROM " + strings.Join(parts, ".")
		if query, err = parser.ParseQuery(inner.SQL); err != nil {
			return nil, err
		}
	}
	st, err := s.prepareResult(inner, query, params)
	if err != nil {
		return nil, err
	}
	return &copyOutStatement{st, s, f}, nil
}

// copyOutStatement runs a query and writes its rows as COPY data.
type copyOutStatement struct {
	pgwire.Statement
	s      *Session
	format copyFormat
}

// Columns implements pgwire.Statement: COPY has no RowDescription.
func (c *copyOutStatement) Columns() []pgwire.ResultColumn { return nil }

// Query implements pgwire.Statement.
func (c *copyOutStatement) Query(ctx context.Context, args []types.Datum) (pgwire.Rows, error) {
	rows, err := c.Statement.Query(ctx, args)
	if err != nil {
		return nil, err
	}
	out := &copyOutRows{rows: rows, cols: c.Statement.Columns(), format: c.format, settings: c.s.settings.format()}
	out.batch.Cols = []*column.Column{column.New(types.Bytea, 0)}
	return out, nil
}

// copyOutRows are the lines of COPY TO; implements pgwire.CopyOut.
type copyOutRows struct {
	rows     pgwire.Rows
	cols     []pgwire.ResultColumn
	format   copyFormat
	settings *types.Format
	started  bool
	ended    bool
	batch    column.Batch
	line     []byte
	cell     []byte
	count    int
}

// CopyFormat implements pgwire.CopyOut.
func (c *copyOutRows) CopyFormat() (byte, int) { return c.format.wire(), len(c.cols) }

// Next implements pgwire.Rows.
func (c *copyOutRows) Next(ctx context.Context) (*column.Batch, error) {
	if c.format.binary {
		return c.nextBinary(ctx)
	}
	lines := c.batch.Cols[0]
	lines.Reset()
	c.batch.N = 0
	if !c.started && c.format.header {
		c.started = true
		c.line = c.line[:0]
		for j, k := range c.cols {
			c.field(j, []byte(k.Name), false)
		}
		lines.AppendBytes(append(c.line, '\n'))
		c.batch.N++
		return &c.batch, nil
	}
	c.started = true
	b, err := c.rows.Next(ctx)
	if err != nil {
		return nil, err
	}
	for i := range b.Each {
		c.line = c.line[:0]
		for j, col := range b.Cols {
			if col.Null(i) {
				c.field(j, nil, true)
				continue
			}
			c.cell = types.AppendText(c.cell[:0], col.Type, col.Datum(i), c.settings)
			c.field(j, c.cell, false)
		}
		c.line = append(c.line, '\n')
		lines.AppendBytes(c.line)
		c.batch.N++
	}
	c.count += c.batch.N
	return &c.batch, nil
}

// field appends a value to the line.
func (c *copyOutRows) field(j int, v []byte, null bool) {
	f := &c.format
	if j > 0 {
		c.line = append(c.line, f.delimiter)
	}
	switch {
	case null:
		c.line = append(c.line, f.null...)
	case f.csv:
		c.line = f.appendCSV(c.line, v, f.forceQuote != nil && (f.forceQuote["*"] || f.forceQuote[c.cols[j].Name]))
	default:
		c.line = f.appendText(c.line, v)
	}
}

// appendText escapes a value as COPY's text format does.
func (f *copyFormat) appendText(dst, v []byte) []byte {
	const escapes = "\b\f\n\r\t\v"
	for _, b := range v {
		switch k := strings.IndexByte(escapes, b); {
		case k >= 0:
			dst = append(dst, '\\', "bfnrtv"[k])
		case b == '\\' || b == f.delimiter:
			dst = append(dst, '\\', b)
		default:
			dst = append(dst, b)
		}
	}
	return dst
}

// appendCSV quotes a value where it must be.
func (f *copyFormat) appendCSV(dst, v []byte, quote bool) []byte {
	plain := !quote && string(v) != f.null && string(v) != `\.`
	for _, b := range v {
		plain = plain && b != f.delimiter && b != f.quote && b != '\n' && b != '\r'
	}
	if plain {
		return append(dst, v...)
	}
	dst = append(dst, f.quote)
	for _, b := range v {
		if b == f.quote || b == f.escape {
			dst = append(dst, f.escape)
		}
		dst = append(dst, b)
	}
	return append(dst, f.quote)
}

// Continuous says whether the query has no end.
func (c *copyOutRows) Continuous() bool {
	k, ok := c.rows.(interface{ Continuous() bool })
	return ok && k.Continuous()
}

func (c *copyOutRows) Tag() string  { return "COPY " + itoa(c.count) }
func (c *copyOutRows) Close() error { return c.rows.Close() }

// copyInStatement loads rows.
type copyInStatement struct {
	commandStatement
	s       *Session
	rel     *catalog.Relation
	columns []int
	format  copyFormat
	guard   guard
}

func (s *Session) prepareCopyIn(p ast.Parsed, n *ast.Copy, f copyFormat) (pgwire.Statement, error) {
	if n.Where != nil {
		return nil, pgerror.Unsupported("COPY FROM … WHERE is not supported yet").At(p.Position(n.Where.Pos()))
	}
	r, err := s.relation(s.e.Catalog.Snapshot(), p, *n.Table)
	if err != nil {
		return nil, err
	}
	if !r.Native() {
		return nil, pgerror.New(pgerror.WrongObjectType, "cannot copy to %s %q", kindOf(r), r.Name)
	}
	if r.OnConflict != "" {
		return nil, pgerror.Unsupported("COPY into a table with ON CONFLICT or WITH VERSION COLUMN is not supported").
			WithHint("Copy into another table, then INSERT … SELECT.").At(p.Position(n.Table.Pos()))
	}
	c := &copyInStatement{s: s, rel: r, format: f}
	for _, id := range n.Columns {
		j := r.ColumnIndex(id.Name)
		if j < 0 {
			return nil, pgerror.New(pgerror.UndefinedColumn, "column %q of relation %q does not exist", id.Name, r.Name).At(p.Position(id.Pos()))
		}
		c.columns = append(c.columns, j)
	}
	if len(n.Columns) == 0 {
		for j, k := range r.Columns {
			if !k.Hidden && k.Computed == "" {
				c.columns = append(c.columns, j)
			}
		}
	}
	a := catalog.Access{Relation: r.ID}
	a.Insert(c.columns...)
	c.guard.set([]catalog.Access{a}, nil)
	return c, nil
}

// CopyFormat implements pgwire.CopyIn.
func (c *copyInStatement) CopyFormat() (byte, int) { return c.format.wire(), len(c.columns) }

// CopyFrom implements pgwire.CopyIn: all rows, or none.
func (c *copyInStatement) CopyFrom(ctx context.Context, r io.Reader) (string, error) {
	if err := c.guard.permit(c.s); err != nil {
		return "", err
	}
	t, err := c.s.begin()
	if err != nil {
		return "", err
	}
	t.tx.Waiting(ctx, c.s.settings.lockTimeout())
	n, err := c.load(ctx, t, r)
	if err == nil {
		err = t.tx.EndStatement()
	}
	if err != nil {
		t.tx.RollbackTo(t.mark)
		return "", c.s.withoutRow(err, c.rel)
	}
	return "COPY " + itoa(n), nil
}

func (c *copyInStatement) load(ctx context.Context, t *transaction, r io.Reader) (int, error) {
	fill, err := c.s.filler(c.rel, c.columns)
	if err != nil {
		return 0, err
	}
	var lines copySource = newCopyReader(r, &c.format, c.rel, c.columns)
	if c.format.binary {
		lines = newBinaryReader(r, c.rel, c.columns)
	}
	load, err := t.tx.Load(c.rel.ID)
	if err != nil {
		return 0, err
	}
	defer func() { _ = load.Close() }() // what it leaves goes when the store is opened
	about := func(err error) error {
		e := *pgerror.From(err)
		if e.Where = lines.where(); load.Tag() > 0 {
			e.Where = lines.whereAt(load.Tag())
		}
		return &e
	}
	tags := make([]uint64, 0, scanRows)
	for {
		if err := ctx.Err(); err != nil {
			return 0, context.Cause(ctx)
		}
		fields, err := lines.next()
		end := errors.Is(err, io.EOF)
		if err != nil && !end {
			return 0, err
		}
		if !end {
			if err := fill.add(fields, lines); err != nil {
				return 0, err
			}
			tags = append(tags, uint64(lines.number()))
		}
		if fill.n() == scanRows || (end && fill.n() > 0) {
			b, err := fill.batch()
			if err != nil {
				return 0, err
			}
			if err := load.Add(b, tags); err != nil {
				return 0, about(err)
			}
			fill.reset()
			tags = tags[:0]
		}
		if end {
			n, err := load.Finish()
			if err != nil {
				err = about(err)
			}
			return n, err
		}
	}
}
