package session

import (
	"context"
	"slices"

	"velostream/catalog"
	"velostream/catalog/types"
	"velostream/engine/sql/ast"
	"velostream/engine/sql/expr"
	"velostream/pgwire"
	"velostream/pgwire/pgerror"
)

// position says how the rows of a cursor tell which rows of tables they are, for WHERE
// CURRENT OF. Its zero value: they do not.
type position struct {
	keys    int           // so many columns at the end are keys, and not shown
	tables  []cursorTable // whose rows they are
	locking bool          // the query is FOR UPDATE or its like
}

// cursorTable is a table whose key begins at a column of a cursor's rows.
type cursorTable struct {
	rel uint32
	key int
}

// prepareCursor prepares the query of a cursor. Where it locks rows, or scans one table
// and nothing else, its last columns are their keys.
func (s *Session) prepareCursor(p ast.Parsed, stmt ast.Statement, params []types.OID) (pgwire.Statement, position, error) {
	q, ok := stmt.(*ast.Query)
	if !ok {
		st, err := s.prepareResult(p, stmt, params)
		return st, position{}, err
	}
	if len(q.Locking) > 0 && changingCTE(q) == nil {
		return s.prepareLocking(p, q, params)
	}
	if rel := s.simpleScan(q); rel != nil {
		sel, _ := q.Body.(*ast.Select)
		keyed, body := *q, *sel
		body.Items = slices.Clone(sel.Items)
		t, _ := sel.From[0].(*ast.TableName)
		name := t.Name.Last()
		if t.Alias != nil {
			name = t.Alias.Name
		}
		for _, k := range rel.Key {
			x := &ast.ColumnRef{At: sel.At, Parts: []string{name, rel.Columns[k].Name}, Own: true}
			body.Items = append(body.Items, ast.SelectItem{At: sel.At, X: x, AliasPos: -1})
		}
		keyed.Body = &body
		// An aggregate or the like does not go with them: the query is no scan then.
		if st, err := s.prepareSelect(p, &keyed, params); err == nil {
			n := len(st.Columns()) - len(rel.Key)
			return st, position{keys: len(rel.Key), tables: []cursorTable{{rel.ID, n}}}, nil
		}
	}
	st, err := s.prepareSelect(p, q, params)
	return st, position{}, err
}

// prepareLocking is prepareCursor of FOR UPDATE and its like.
func (s *Session) prepareLocking(p ast.Parsed, q *ast.Query, params []types.OID) (pgwire.Statement, position, error) {
	st := &changeStatement{s: s, stmt: q, p: p, params: params, keyed: true}
	if err := st.plan(); err != nil {
		return nil, position{}, err
	}
	at := position{locking: true}
	if c := st.change; c.rows != nil {
		for _, l := range c.rows.locks {
			at.tables = append(at.tables, cursorTable{l.Relation.ID, l.Key})
			at.keys += len(l.Relation.Key)
		}
	}
	return st, at, nil
}

// simpleScan is the table that q reads row by row, and alone, nil: it does something else.
func (s *Session) simpleScan(q *ast.Query) *catalog.Relation {
	sel, ok := q.Body.(*ast.Select)
	if !ok || q.Emit != nil || q.Sink != nil || q.Late != nil || len(q.OrderBy) > 0 || q.With != nil ||
		sel.Distinct || len(sel.DistinctOn) > 0 || sel.GroupBy != nil || sel.Having != nil || sel.Window != nil ||
		sel.Into != nil || len(sel.From) != 1 || slices.ContainsFunc(sel.Items, severalRows) {
		return nil
	}
	t, ok := sel.From[0].(*ast.TableName)
	if !ok || t.AsOf != nil || t.Sample != nil || t.Alias != nil && len(t.Alias.Columns) > 0 {
		return nil
	}
	schemas := s.path()
	if schema, _ := s.split(t.Name); schema != "" {
		schemas = []string{schema}
	} else if s.system("", t.Name.Last()) != nil {
		return nil
	}
	for _, schema := range schemas {
		if rel := s.reading().Relation(schema, t.Name.Last()); rel != nil {
			if rel.Kind == catalog.Table && rel.Native() {
				return rel
			}
			return nil
		}
	}
	return nil
}

// severalRows reports that it is a window function, or gives several rows.
func severalRows(it ast.SelectItem) bool {
	f, ok := it.X.(*ast.FuncCall)
	return ok && (f.Over != nil || expr.IsSetReturning(f.Name.Last()))
}

// atCurrent reports that stmt, or a part of its WITH, changes the row that a cursor is on.
func atCurrent(stmt ast.Statement) bool {
	var where ast.Expr
	var with *ast.With
	switch n := stmt.(type) {
	case *ast.Update:
		where, with = n.Where, n.With
	case *ast.Delete:
		where, with = n.Where, n.With
	case *ast.Insert:
		with = n.With
	case *ast.Merge:
		with = n.With
	case *ast.Query:
		with = n.With
	}
	if _, ok := where.(*ast.CurrentOf); ok {
		return true
	}
	return with != nil && slices.ContainsFunc(with.CTEs, func(c ast.CTE) bool { return atCurrent(c.Stmt) })
}

// currentRow is the key of the row of rel that the cursor name is on. Errors: 34000,
// 24000.
func (s *Session) currentRow(ctx context.Context, name string, rel *catalog.Relation) ([]types.Datum, error) {
	rows, _, err := s.names.FindCursor(name)
	if err != nil {
		return nil, err
	}
	refused := func(format string, args ...any) ([]types.Datum, error) {
		return nil, pgerror.New(pgerror.InvalidCursorState, format, args...)
	}
	c, ok := rows.(*cursor)
	if !ok {
		return refused("cursor %q is not a simply updatable scan of table %q", name, rel.Name)
	}
	of := slices.DeleteFunc(slices.Clone(c.position.tables), func(t cursorTable) bool { return t.rel != rel.ID })
	switch {
	case c.held && !c.hold:
		return refused("cursor %q is held from a previous transaction", name)
	case c.position.locking && len(of) == 0:
		return refused("cursor %q does not have a FOR UPDATE/SHARE reference to table %q", name, rel.Name)
	case c.position.locking && len(of) > 1:
		return refused("cursor %q has multiple FOR UPDATE/SHARE references to table %q", name, rel.Name)
	case len(of) == 0:
		return refused("cursor %q is not a simply updatable scan of table %q", name, rel.Name)
	case !c.onRow():
		return refused("cursor %q is not positioned on a row", name)
	}
	b, i, err := c.at(ctx, c.pos-1)
	if err != nil {
		return nil, err
	}
	if b.Sel != nil {
		i = int(b.Sel[i])
	}
	key := make([]types.Datum, len(rel.Key))
	for k := range key {
		key[k] = expr.CloneDatum(b.Cols[of[0].key+k].Datum(i))
	}
	return key, nil
}
