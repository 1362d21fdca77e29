package session

import (
	"context"

	"velostream/engine/connector"
	"velostream/engine/job"
	"velostream/engine/sql/ast"
	"velostream/engine/sql/parser"
	"velostream/pgwire/pgerror"
)

// inferred gives a relation that is fed by a connector and declares no columns
// those that the source's first records have.
func (s *Session) inferred(ctx context.Context, p ast.Parsed, n *ast.CreateRelation) (*ast.CreateRelation, error) {
	if len(n.Columns) > 0 || len(n.Likes) > 0 || len(n.Options) == 0 {
		return n, nil
	}
	given := connectorOptions(p, n)
	conn, err := s.connectorOf(p, n, given)
	if err != nil {
		return nil, err
	}
	if s.e.dry && conn.Name != "file" {
		return nil, pgerror.New(pgerror.InvalidTableDefinition, "the columns of %q are not known without reading its source", n.Name.Last()).
			WithHint("Declare them.").At(p.Position(n.Name.Pos()))
	}
	opts, err := job.ParseOptions(conn, false, given)
	if err != nil {
		return nil, err
	}
	src, err := conn.NewSource(opts)
	if err != nil {
		return nil, err
	}
	if c, ok := src.(connector.Checker); ok {
		if err := c.Check(ctx); err != nil {
			return nil, err
		}
	}
	columns, err := job.InferColumns(ctx, src, opts)
	if err != nil {
		return nil, pgerror.From(err).At(p.Position(n.Name.Pos()))
	}
	out := *n
	for _, c := range columns {
		t, err := parser.ParseTypeName(c.Type)
		if err != nil {
			return nil, err
		}
		out.Columns = append(out.Columns, ast.ColumnDef{At: n.At, Name: c.Name, Type: t})
	}
	return &out, nil
}
