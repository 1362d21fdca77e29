package session

import (
	"context"
	"io"

	"velostream/catalog/types"
	"velostream/engine/sql/ast"
	"velostream/pgwire"
	"velostream/storage/column"
)

// commandStatement is a statement without rows and parameters: run does it
// and returns the command tag.
type commandStatement struct {
	s   *Session
	run func(ctx context.Context) (string, error)
}

func (s *Session) command(_ ast.Parsed, run func(ctx context.Context) (string, error)) pgwire.Statement {
	return &commandStatement{s, run}
}

func (c *commandStatement) Params() []types.OID            { return nil }
func (c *commandStatement) Columns() []pgwire.ResultColumn { return nil }

// Query implements pgwire.Statement.
func (c *commandStatement) Query(ctx context.Context, _ []types.Datum) (pgwire.Rows, error) {
	tag, err := c.run(ctx)
	if err != nil {
		return nil, err
	}
	return noRows(tag), nil
}

// noRows is a result without rows.
type noRows string

func (noRows) Next(context.Context) (*column.Batch, error) { return nil, io.EOF }
func (r noRows) Tag() string                               { return string(r) }
func (noRows) Close() error                                { return nil }

// rowsStatement is a statement with a fixed result shape.
type rowsStatement struct {
	params  []types.OID
	columns []pgwire.ResultColumn
	run     func(ctx context.Context, args []types.Datum) (pgwire.Rows, error)
}

func (r *rowsStatement) Params() []types.OID            { return r.params }
func (r *rowsStatement) Columns() []pgwire.ResultColumn { return r.columns }

// Query implements pgwire.Statement.
func (r *rowsStatement) Query(ctx context.Context, args []types.Datum) (pgwire.Rows, error) {
	return r.run(ctx, args)
}

// batchRows is a result that is already there.
type batchRows struct {
	batch *column.Batch
	tag   string
	sent  bool
}

// Next implements pgwire.Rows.
func (r *batchRows) Next(context.Context) (*column.Batch, error) {
	if r.sent || r.batch == nil || r.batch.Rows() == 0 {
		return nil, io.EOF
	}
	r.sent = true
	return r.batch, nil
}

func (r *batchRows) Tag() string  { return r.tag }
func (r *batchRows) Close() error { return nil }

// textRows builds a result of text columns: cells as the client sees them; a
// nil pointer is NULL.
type textRows struct {
	cols []pgwire.ResultColumn
	b    *column.Builder
}

func newTextRows(names ...string) *textRows {
	t := &textRows{}
	ts := make([]types.Type, len(names))
	for i, n := range names {
		ts[i] = types.Text
		t.cols = append(t.cols, pgwire.ResultColumn{Name: n, Type: types.Text})
	}
	t.b = column.NewBuilder(ts, 0)
	return t
}

func (t *textRows) add(cells ...string) {
	for i, c := range cells {
		t.b.Col(i).AppendBytes([]byte(c))
	}
	t.b.Row(column.Insert)
}

// statement gives the rows that fill makes when it is run.
func (t *textRows) statement(tag string, fill func(ctx context.Context, t *textRows) error) pgwire.Statement {
	return &rowsStatement{columns: t.cols, run: func(ctx context.Context, _ []types.Datum) (pgwire.Rows, error) {
		t.b.Reset()
		if err := fill(ctx, t); err != nil {
			return nil, err
		}
		return &batchRows{batch: t.b.Batch(), tag: tag}, nil
	}}
}
