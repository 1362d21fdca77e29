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
	"velostream/engine/sql/binder"
	"velostream/engine/sql/expr"
	"velostream/engine/sql/parser"
	"velostream/pgwire"
	"velostream/pgwire/pgerror"
	"velostream/storage/column"
	"velostream/storage/table"
)

// prepareCopy is COPY … TO STDOUT and COPY … FROM STDIN.
func (s *Session) prepareCopy(p ast.Parsed, n *ast.Copy, params []types.OID) (pgwire.Statement, error) {
	if !n.Stdio {
		return nil, pgerror.New(pgerror.InsufficientPrivilege, "COPY to or from a file of the server is not allowed").
			WithHint("Anyone can COPY to stdout or from stdin. psql's \\copy command also works for anyone.")
	}
	if !n.To {
		return s.prepareCopyIn(p, n)
	}
	st, rel, err := s.copyQuery(p, n, params)
	if err != nil {
		return nil, err
	}
	f, err := copyOptions(p, n)
	if err == nil {
		err = f.checkForced(rel, resultNames(st.Columns()))
	}
	if err != nil {
		return nil, err
	}
	return &copyOutStatement{st, s, f}, nil
}

// copyQuery prepares what COPY TO reads: a relation, also returned, or a
// query or a change with RETURNING.
func (s *Session) copyQuery(p ast.Parsed, n *ast.Copy, params []types.OID) (pgwire.Statement, *catalog.Relation, error) {
	if n.Table == nil {
		var returning []ast.SelectItem
		switch q := n.Query.(type) {
		case *ast.Insert:
			returning = q.Returning
		case *ast.Update:
			returning = q.Returning
		case *ast.Delete:
			returning = q.Returning
		default:
			st, err := s.prepareResult(p, n.Query, params)
			return st, nil, err
		}
		if len(returning) == 0 {
			return nil, nil, pgerror.Unsupported("COPY query must have a RETURNING clause").At(p.Position(n.Query.Pos()))
		}
		inner := p
		inner.Stmt = n.Query
		st, err := s.prepare(context.Background(), inner, params)
		return st, nil, err
	}
	rel, err := s.relation(s.catalog(), p, *n.Table)
	if err != nil {
		return nil, nil, err
	}
	list := "*"
	if len(n.Columns) > 0 {
		columns, err := copyColumns(p, n, rel)
		if err != nil {
			return nil, nil, err
		}
		names := make([]string, len(columns))
		for i, j := range columns {
			names[i] = ast.QuoteIdent(rel.Columns[j].Name)
		}
		list = strings.Join(names, ", ")
	}
	parts := make([]string, len(n.Table.Parts))
	for i, x := range n.Table.Parts {
		parts[i] = ast.QuoteIdent(x)
	}
	inner := p
	inner.SQL = "SELECT " + list + " FROM " + strings.Join(parts, ".")
	query, err := parser.ParseQuery(inner.SQL)
	if err != nil {
		return nil, nil, err
	}
	st, err := s.prepareResult(inner, query, params)
	return st, rel, err
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
	if len(c.format.forceQuote) > 0 {
		out.force = make([]bool, len(out.cols))
		for j, k := range out.cols {
			out.force[j] = c.format.forceQuote[0] == "*" || slices.Contains(c.format.forceQuote, k.Name)
		}
	}
	out.special = c.format.escapes()
	for _, k := range out.cols {
		out.plain = append(out.plain, c.format.plain(k.Type))
	}
	return out, nil
}

// copyOutRows are the lines of COPY TO; implements pgwire.CopyOut.
type copyOutRows struct {
	rows     pgwire.Rows
	cols     []pgwire.ResultColumn
	format   copyFormat
	settings *types.Format
	force    []bool // columns always in quotes
	started  bool
	ended    bool
	batch    column.Batch
	line     []byte
	cell     []byte
	count    int
	special  [256]byte // what appendText escapes, see escapes
	plain    []bool    // by column: no value needs escapes or quotes
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
			c.value(j, col, i)
		}
		c.line = append(c.line, '\n')
		lines.AppendBytes(c.line)
		c.batch.N++
	}
	c.count += c.batch.N
	return &c.batch, nil
}

// value appends row i of col, the result's column j, to the line.
func (c *copyOutRows) value(j int, col *column.Column, i int) {
	switch {
	case col.Null(i):
		c.field(j, nil, true)
	case c.plain[j]:
		if j > 0 {
			c.line = append(c.line, c.format.delimiter)
		}
		c.line = types.AppendText(c.line, col.Type, col.Datum(i), c.settings)
	case col.Type.Kind() == types.KindBytes && textIsBytes(col.Type):
		c.field(j, col.Bytes(i), false)
	default:
		c.cell = types.AppendText(c.cell[:0], col.Type, col.Datum(i), c.settings)
		c.field(j, c.cell, false)
	}
}

// textIsBytes reports that the text form of a value is its bytes.
func textIsBytes(t types.Type) bool {
	switch t.OID {
	case types.OIDText, types.OIDVarchar, types.OIDBpchar, types.OIDName, types.OIDJSON, types.OIDJSONB:
		return true
	default:
	}
	return false
}

// plain reports that values of a type are written as they are: they have only
// letters, digits and characters that mean nothing in this format, and are never NULL's text.
func (f *copyFormat) plain(t types.Type) bool {
	switch t.OID {
	case types.OIDBool, types.OIDInt2, types.OIDInt4, types.OIDInt8, types.OIDFloat4, types.OIDFloat8, types.OIDNumeric,
		types.OIDDate, types.OIDTimestamp, types.OIDTimestamptz, types.OIDUUID:
	default:
		return false
	}
	if f.csv && (f.null != "" || f.forceQuote != nil || f.quote != '"') {
		return false
	}
	return f.delimiter == '\t' || (f.delimiter == ',' && t.OID != types.OIDDate && t.OID != types.OIDTimestamp && t.OID != types.OIDTimestamptz)
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
		c.line = f.appendCSV(c.line, v, len(c.cols) == 1, c.force != nil && c.force[j])
	default:
		c.line = appendEscaped(c.line, v, &c.special)
	}
}

// escapes is what follows the backslash for each byte that COPY's text format
// escapes, 0 for the others.
func (f *copyFormat) escapes() (to [256]byte) {
	to['\\'], to[f.delimiter] = '\\', f.delimiter
	for i, b := range []byte("\b\f\n\r\t\v") {
		to[b] = "bfnrtv"[i]
	}
	return to
}

// appendEscaped escapes a value as COPY's text format does.
func appendEscaped(dst, v []byte, special *[256]byte) []byte {
	from := 0
	for i, b := range v {
		if e := special[b]; e != 0 {
			dst = append(append(dst, v[from:i]...), '\\', e)
			from = i + 1
		}
	}
	return append(dst, v[from:]...)
}

// appendCSV quotes a value where it must be.
func (f *copyFormat) appendCSV(dst, v []byte, alone, quote bool) []byte {
	plain := !quote && string(v) != f.null && (!alone || string(v) != `\.`)
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
	p       ast.Parsed
	n       *ast.Copy
	basis   basis
	rel     *catalog.Relation
	columns []int
	format  copyFormat
	guard   guard
	where   *expr.Evaluator // the rows to keep, nil: all
}

func (s *Session) prepareCopyIn(p ast.Parsed, n *ast.Copy) (pgwire.Statement, error) {
	c, err := s.copyIn(p, n)
	if err != nil {
		return nil, err
	}
	return c, nil
}

func (s *Session) copyIn(p ast.Parsed, n *ast.Copy) (*copyInStatement, error) {
	r, err := s.relation(s.catalog(), p, *n.Table)
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
	c := &copyInStatement{s: s, p: p, n: n, basis: s.basis(s.reading()), rel: r}
	a := catalog.Access{Relation: r.ID}
	if n.Where != nil {
		o := s.bindOptions(p, nil)
		cond, err := binder.New(o).Condition(r, n.Where, "COPY FROM WHERE conditions")
		if err != nil {
			return nil, err
		}
		a.Select(columnsOf(cond, nil)...)
		if c.where, err = expr.Compile(cond); err != nil {
			return nil, err
		}
	}
	if c.columns, err = copyColumns(p, n, r); err != nil {
		return nil, err
	}
	if c.format, err = copyOptions(p, n); err != nil {
		return nil, err
	}
	names := make([]string, len(c.columns))
	for i, j := range c.columns {
		names[i] = r.Columns[j].Name
	}
	if err := c.format.checkForced(r, names); err != nil {
		return nil, err
	}
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
	t, c, err := c.begin(ctx)
	if err != nil {
		return "", err
	}
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

// begin opens the transaction, and has the table's lock before the first row is
// read: the rows come only once. It returns the statement as the table is then.
func (c *copyInStatement) begin(ctx context.Context) (*transaction, *copyInStatement, error) {
	for try := 0; ; try++ {
		t, err := c.s.begin()
		if err != nil {
			return nil, nil, err
		}
		if t.readOnly && lasting(c.rel) {
			return nil, nil, pgerror.New(pgerror.ReadOnlyTransaction, "cannot execute COPY FROM in a read-only transaction")
		}
		t.tx.Waiting(ctx, c.s.settings.lockTimeout())
		if !c.s.upToDate(t, c.basis) {
			columns := len(c.columns)
			if c, err = c.s.copyIn(c.p, c.n); err != nil {
				return nil, nil, err
			}
			if len(c.columns) != columns {
				return nil, nil, pgerror.Unsupported("cached plan must not change result type")
			}
		}
		err = t.tx.Claim(c.rel.ID)
		if !errors.Is(err, table.ErrConflict) {
			return t, c, err
		}
		if try >= conflictTries || ctx.Err() != nil {
			return nil, nil, serialization(err)
		}
	}
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
			if b, tags, err = c.keep(fill.env, b, tags); err != nil {
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

// keep returns the rows that COPY's WHERE is true for, and their lines.
func (c *copyInStatement) keep(env *expr.Env, b *column.Batch, tags []uint64) (*column.Batch, []uint64, error) {
	if c.where == nil {
		return b, tags, nil
	}
	sel, err := c.where.EvalFilter(env, b, nil)
	if err != nil || len(sel) == b.N {
		return b, tags, err
	}
	out := &column.Batch{Cols: b.Cols, N: b.N, Sel: append(make([]int32, 0, len(sel)), sel...)} // nil would be all
	for k, i := range out.Sel {
		tags[k] = tags[i]
	}
	return out.Clone(), tags[:len(sel)], nil
}

// columnsOf appends the attributes that an expression over a full row reads.
func columnsOf(e expr.Expr, dst []int) []int {
	if c, ok := e.(*expr.Col); ok && !slices.Contains(dst, c.Index) {
		dst = append(dst, c.Index)
	}
	for _, k := range expr.Children(e) {
		dst = columnsOf(k, dst)
	}
	return dst
}
