package session

import (
	"context"
	"strconv"

	"velostream/engine/sql/expr"
	"velostream/pgwire"
)

// showFunctions lists the SQL functions of users, then those that are built in.
func (s *Session) showFunctions(like func(string) bool) pgwire.Statement {
	t := newTextRows("schema", "function", "volatility", "language", "description")
	return t.statement("SHOW", func(_ context.Context, t *textRows) error {
		for _, f := range s.catalog().Functions("", "") {
			if like(f.Name) {
				t.add(f.Schema, f.Signature(), f.Volatility, "sql", f.Comment)
			}
		}
		for _, f := range expr.Functions() {
			if !f.Operator && like(f.Name) {
				t.add("pg_catalog", f.Signature(), f.Volatility.String(), "internal", f.Doc)
			}
		}
		return nil
	})
}

func (s *Session) showSchemas(like func(string) bool) pgwire.Statement {
	t := newTextRows("name", "comment")
	return t.statement("SHOW", func(_ context.Context, t *textRows) error {
		snap := s.catalog()
		for _, name := range snap.Schemas() {
			if like(name) {
				t.add(name, snap.SchemaComment(name))
			}
		}
		return nil
	})
}

func (s *Session) showIndexes(like func(string) bool) pgwire.Statement {
	t := newTextRows("name", "table", "columns", "unique")
	return t.statement("SHOW", func(_ context.Context, t *textRows) error {
		for _, r := range s.catalog().Relations() {
			if !s.sees(r) {
				continue
			}
			if r.PrimaryKey && r.Native() && like(r.KeyConstraint()) {
				t.add(r.KeyConstraint(), r.Name, identList(r, r.Key), "true")
			}
			for _, x := range r.Indexes {
				if like(x.Name) {
					t.add(x.Name, r.Name, identList(r, x.Columns), strconv.FormatBool(x.Unique))
				}
			}
		}
		return nil
	})
}
