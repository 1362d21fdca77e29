package session

import (
	"context"
	"errors"
	"io"

	"velostream/catalog"
	"velostream/catalog/types"
	"velostream/engine/sql/ast"
	"velostream/pgwire"
	"velostream/pgwire/pgerror"
	"velostream/storage/column"
)

// createAs is a statement that makes a native table of the rows that a query gives now:
// SELECT … INTO, CREATE TEMPORARY TABLE … AS, and CREATE TABLE … AS EXECUTE. (CREATE TABLE … AS
// of a query that lasts makes the maintained result of it, which is a job: see jobSpec.)
type createAs struct {
	relation *ast.CreateRelation // all but its query
	source   pgwire.Statement    // gives the rows
}

// makesRows reports that CREATE TABLE … AS makes a table of the rows that its query gives now.
func (s *Session) makesRows(n *ast.CreateRelation) bool {
	schema, _ := s.split(n.Name)
	return n.Execute != nil || n.Temp || schema == catalog.TempAlias || catalog.IsTemp(schema) || schema == "" && s.tempFirst()
}

// prepareCreateAs is CREATE TABLE … AS where makesRows says so.
func (s *Session) prepareCreateAs(p ast.Parsed, n *ast.CreateRelation, params []types.OID) (pgwire.Statement, error) {
	switch {
	case n.Kind != ast.KindTable:
		return nil, pgerror.Unsupported("temporary streams, sources and tables with a connector are not supported").At(p.Position(n.Pos()))
	case n.Execute != nil:
		source, err := s.prepareExecute(context.Background(), p, n.Execute)
		if err != nil {
			return nil, err
		}
		if source.Columns() == nil {
			return nil, pgerror.New(pgerror.SyntaxError, "prepared statement is not a SELECT").At(p.Position(n.Execute.Pos()))
		}
		return s.createsAs(p, createAs{n, source}), nil
	case n.Query.Sink != nil:
		return nil, pgerror.Unsupported("a sink of a temporary table is not supported").At(p.Position(n.Query.Sink.Pos()))
	case len(n.Query.Options) > 0:
		return nil, pgerror.Unsupported("options of a temporary table are not supported").At(p.Position(n.Query.Options[0].Pos()))
	}
	return s.prepareRowsOf(p, n, n.Query, params)
}

func (s *Session) prepareRowsOf(p ast.Parsed, n *ast.CreateRelation, q *ast.Query, params []types.OID) (pgwire.Statement, error) {
	if q.Emit != nil {
		return nil, pgerror.Unsupported("a table of the rows of a continuous query is not supported").
			WithHint("CREATE MATERIALIZED VIEW keeps the result of one.").At(p.Position(q.Emit.Pos()))
	}
	source, err := s.prepareSelect(p, q, params)
	if err != nil {
		return nil, err
	}
	return s.createsAs(p, createAs{n, source}), nil
}

// into is SELECT … INTO: its target, and the query without it. nil: q has none.
func into(q *ast.Query) (*ast.SelectInto, *ast.Query) {
	body, target := withoutInto(q.Body)
	if target == nil {
		return nil, q
	}
	c := *q
	c.Body = body
	return target, &c
}

// withoutInto looks for INTO where PostgreSQL takes it: in the first SELECT.
func withoutInto(b ast.SelectBody) (ast.SelectBody, *ast.SelectInto) {
	switch b := b.(type) {
	case *ast.Select:
		if b.Into != nil {
			c := *b
			c.Into = nil
			return &c, b.Into
		}
	case *ast.SetOp:
		if l, target := withoutInto(b.L); target != nil {
			c := *b
			c.L = l
			return &c, target
		}
	}
	return b, nil
}

// prepareQuery is a query that stands alone; it may be SELECT … INTO.
func (s *Session) prepareQuery(p ast.Parsed, q *ast.Query, params []types.OID) (pgwire.Statement, error) {
	to, q := into(q)
	if to == nil {
		return s.prepareSelect(p, q, params)
	}
	n := &ast.CreateRelation{At: to.At, Kind: ast.KindTable, Temp: to.Temp, Unlogged: to.Unlogged, Name: to.Name}
	return s.prepareRowsOf(p, n, q, params)
}

func (s *Session) createsAs(p ast.Parsed, c createAs) pgwire.Statement {
	return &rowsStatement{params: c.source.Params(), run: func(ctx context.Context, args []types.Datum) (pgwire.Rows, error) {
		if s.e.dry {
			_, err := s.createEmpty(ctx, p, c)
			return noRows("SELECT 0"), err
		}
		tag, err := s.createAs(ctx, p, c, args)
		return noRows(tag), err
	}}
}

// createAs makes the table and fills it, in one transaction.
func (s *Session) createAs(ctx context.Context, p ast.Parsed, c createAs, args []types.Datum) (string, error) {
	alone := s.final && s.tx == nil
	s.final = false // it is the rows that end the statement
	defer func() { s.final = alone }()
	made, err := s.createEmpty(ctx, p, c)
	if err != nil || made == nil {
		return "CREATE TABLE AS", err
	}
	n := 0
	tag := func() string { return "SELECT " + itoa(n) }
	if c.relation.NoData && c.relation.Execute == nil { // PostgreSQL counts the rows of EXECUTE all the same
		tag = func() string { return "CREATE TABLE AS" }
	}
	if !c.relation.NoData {
		if n, err = s.fill(ctx, made, c.source, args); err != nil {
			return "", err
		}
	}
	if alone {
		t := s.tx
		s.tx = nil
		err = s.commit(ctx, t)
	}
	return tag(), err
}

// createEmpty makes the table without rows. nil: there is one, and IF NOT EXISTS.
func (s *Session) createEmpty(ctx context.Context, p ast.Parsed, c createAs) (*catalog.Relation, error) {
	n := c.relation
	var made *catalog.Relation
	_, err := s.apply(ctx, func(snap *catalog.Snapshot) ([]catalog.Change, error) {
		made = nil
		at, err := s.placeTable(snap, p, n.Name, n.Temp)
		if err != nil {
			return nil, err
		}
		if at.exists != nil {
			_, err := s.taken(at, n.IfNotExists)
			return nil, err
		}
		if err := refuseTable(p, n); err != nil {
			return nil, err
		}
		r := &catalog.Relation{
			ID: snap.NextID(), Schema: at.schema, Name: at.name, Kind: catalog.Table, Owner: s.who(), EventTime: -1,
			Definition: p.Text, ACL: s.newACL(snap, at.schema),
		}
		if err := temporaryTable(p, n, r); err != nil {
			return nil, err
		}
		if r.Columns, err = rowColumns(p, c.source.Columns(), n.Columns); err != nil {
			return nil, err
		}
		r.Columns = append(r.Columns, rowIDColumn())
		r.Key = []int{len(r.Columns) - 1}
		made = r
		return append(at.first, catalog.Change{Put: r}), nil
	})
	return made, err
}

// rowIDColumn numbers the rows of a table without a key.
func rowIDColumn() catalog.Column {
	return catalog.Column{Name: "_rowid", Type: types.Int8, NotNull: true, Hidden: true, System: "rowid"}
}

// rowColumns are the columns of a query's result, under the names of a list.
func rowColumns(p ast.Parsed, cols []pgwire.ResultColumn, names []ast.ColumnDef) ([]catalog.Column, error) {
	if len(names) > len(cols) {
		return nil, pgerror.New(pgerror.SyntaxError, "too many column names were specified").At(p.Position(names[len(cols)].Pos()))
	}
	out := make([]catalog.Column, len(cols))
	seen := map[string]bool{}
	for i, c := range cols {
		out[i] = catalog.Column{Name: c.Name, Type: c.Type}
		if i < len(names) {
			out[i].Name = names[i].Name
		}
		if seen[out[i].Name] {
			return nil, pgerror.New(pgerror.DuplicateColumn, "column %q specified more than once", out[i].Name)
		}
		seen[out[i].Name] = true
		if c.Type.OID == types.OIDRecord {
			return nil, pgerror.New(pgerror.InvalidTableDefinition, "column %q has pseudo-type record", out[i].Name)
		}
	}
	return out, nil
}

// fill puts the rows that source gives into r, which the session's transaction has made.
func (s *Session) fill(ctx context.Context, r *catalog.Relation, source pgwire.Statement, args []types.Datum) (int, error) {
	rows, err := source.Query(ctx, args)
	if err != nil {
		return 0, err
	}
	n, err := s.fillFrom(ctx, r, rows)
	return n, errors.Join(err, rows.Close())
}

func (s *Session) fillFrom(ctx context.Context, r *catalog.Relation, rows pgwire.Rows) (int, error) {
	load, err := s.tx.tx.Load(r.ID)
	if err != nil {
		return 0, err
	}
	defer func() { _ = load.Close() }() // what it leaves goes when the store is opened
	for {
		b, err := rows.Next(ctx)
		if errors.Is(err, io.EOF) {
			return load.Finish()
		}
		if err == nil {
			ids := column.New(types.Int8, b.N) // the store numbers them
			for range b.N {
				ids.AppendNull()
			}
			cols := append(append(make([]*column.Column, 0, len(r.Columns)), b.Cols[:len(r.Columns)-1]...), ids)
			err = load.Add(&column.Batch{Cols: cols, N: b.N, Sel: b.Sel}, nil)
		}
		if err != nil {
			return 0, err
		}
	}
}
