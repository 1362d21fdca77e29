// Package sqltest has what tests of the planner share: a catalog made from
// SQL text, and the reader of their data files.
package sqltest

import (
	"context"
	"fmt"
	"testing"

	"velostream/catalog"
	"velostream/catalog/types"
	"velostream/engine/sql/ast"
	"velostream/engine/sql/binder"
	"velostream/engine/sql/parser"
)

// Schema is the relations that the tests are about. PostgreSQL reads it too,
// once PostgreSQLSchema has taken out what is not its own.
const Schema = `
CREATE STREAM trades (symbol text NOT NULL, price numeric(12,2), qty int, side text, ts timestamp,
  WATERMARK FOR ts AS ts - INTERVAL '5 seconds');
CREATE STREAM quotes (symbol text, bid numeric, ask numeric, at timestamptz, WATERMARK FOR at AS at);
CREATE STREAM bids (symbol text, bid numeric, bt timestamp, WATERMARK FOR bt AS bt);
CREATE TABLE accounts (id int8 PRIMARY KEY, owner text NOT NULL, balance numeric(12,2) DEFAULT 0, region varchar(20), opened date);
CREATE TABLE orders (id int PRIMARY KEY, account_id int8, symbol text, qty int, price numeric(12,2), placed timestamp DEFAULT now());
CREATE TABLE items (order_id int, line int, sku text, n int, PRIMARY KEY (order_id, line));
CREATE TABLE misc (id int PRIMARY KEY, b bool, i2 int2, f8 float8, f4 float4, tz timestamptz, iv interval, u uuid, j jsonb, raw bytea, arr int[]);
CREATE VIEW rich AS SELECT id, owner FROM accounts WHERE balance > 1000;
CREATE MATERIALIZED VIEW per_region AS SELECT region, count(*) AS n FROM accounts GROUP BY region;
`

// memory is a catalog store that keeps nothing.
type memory struct{ version uint64 }

func (m *memory) Load(context.Context) (uint64, [][]byte, error) { return m.version, nil, nil }

func (m *memory) Append(_ context.Context, _ uint64, _ [][]byte) (uint64, error) {
	m.version++
	return m.version, nil
}

// Snapshot is a catalog with the relations of ddl.
func Snapshot(t testing.TB, ddl string) *catalog.Snapshot {
	t.Helper()
	c, err := catalog.Open(context.Background(), &memory{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	stmts, err := parser.Parse(ddl)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range stmts {
		s := c.Snapshot()
		rel, err := relation(s, p)
		if err != nil {
			t.Fatalf("%s: %v", p.Text, err)
		}
		rel.ID, rel.Schema = s.NextID(), catalog.DefaultSchema
		if _, err := c.Apply(context.Background(), s, catalog.Change{Put: rel}); err != nil {
			t.Fatal(err)
		}
	}
	return c.Snapshot()
}

func relation(s *catalog.Snapshot, p ast.Parsed) (*catalog.Relation, error) {
	o := binder.Options{Snapshot: s, SQL: p.SQL}
	switch c := p.Stmt.(type) {
	case *ast.CreateRelation:
		d, err := binder.BindColumnDefs(o, c)
		if err != nil {
			return nil, err
		}
		r := &catalog.Relation{
			Name: c.Name.Last(), Kind: catalog.Table, Columns: d.Columns, Key: d.PrimaryKey, PrimaryKey: d.PrimaryKey != nil,
			EventTime: d.EventTime, WatermarkDelay: d.Delay,
		}
		if c.Kind == ast.KindStream {
			r.Kind, r.AppendOnly = catalog.Stream, true
		}
		if r.Key == nil {
			r.Columns = append(r.Columns, catalog.Column{Name: "_row_id", Type: types.Int8, Hidden: true})
			r.Key = []int{len(r.Columns) - 1}
		}
		return r, nil
	case *ast.CreateView:
		res, err := binder.BindQuery(o, c.Query)
		if err != nil {
			return nil, err
		}
		r := &catalog.Relation{Name: c.Name.Last(), Kind: catalog.View, EventTime: -1, Inputs: res.Inputs}
		r.Query = p.SQL[c.Query.Pos():p.End]
		if c.Materialized { // of the tests' views, the first column is the key
			r.Kind, r.Key = catalog.MaterializedView, []int{0}
		}
		for _, col := range res.Columns {
			r.Columns = append(r.Columns, catalog.Column{Name: col.Name, Type: col.Type})
		}
		return r, nil
	}
	return nil, fmt.Errorf("sqltest: no relation in %s", p.Tag())
}
