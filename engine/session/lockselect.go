package session

import (
	"context"
	"errors"
	"io"
	"slices"
	"strconv"

	"velostream/catalog"
	"velostream/catalog/types"
	"velostream/engine/sql/ast"
	"velostream/pgwire"
	"velostream/pgwire/pgerror"
	"velostream/storage/column"
	"velostream/storage/table"
)

// lockingStatement is SELECT … FOR UPDATE and its like over one table: a query that
// also yields the key of each row, which is locked before the client sees the row.
type lockingStatement struct {
	*selectStatement
	rel   *catalog.Relation
	keys  int // columns at the end that are the key
	mode  table.LockMode
	wait  string // "", NOWAIT, SKIP LOCKED
	limit int    // rows to return, -1: all
}

var lockModes = map[string]table.LockMode{
	"UPDATE": table.LockUpdate, "NO KEY UPDATE": table.LockNoKeyUpdate, "SHARE": table.LockShare, "KEY SHARE": table.LockKeyShare,
}

// prepareLocking is SELECT … FOR {UPDATE | NO KEY UPDATE | SHARE | KEY SHARE}.
func (s *Session) prepareLocking(p ast.Parsed, q *ast.Query, params []types.OID) (pgwire.Statement, error) {
	l := q.Locking[0]
	refuse := func(what string) error {
		return pgerror.Unsupported("FOR %s is not supported with %s", l.Strength, what).At(p.Position(l.Pos()))
	}
	sel, ok := q.Body.(*ast.Select)
	switch {
	case len(q.Locking) > 1:
		return nil, refuse("another locking clause")
	case !ok || len(sel.From) != 1 || q.With != nil:
		return nil, refuse("more than one table")
	case sel.GroupBy != nil || sel.Distinct || sel.Having != nil || sel.Window != nil:
		return nil, refuse("groups or DISTINCT")
	case q.Emit != nil:
		return nil, refuse("a continuous query")
	}
	t, ok := sel.From[0].(*ast.TableName)
	if !ok {
		return nil, refuse("more than one table")
	}
	rel, err := s.relation(s.catalog(), p, t.Name)
	if err != nil {
		return nil, err
	}
	if rel.Kind != catalog.Table || !rel.Native() {
		return nil, pgerror.New(pgerror.WrongObjectType, "cannot lock rows in %s %q", kindOf(rel), rel.Name).At(p.Position(t.Name.Pos()))
	}
	name := rel.Name
	if t.Alias != nil {
		name = t.Alias.Name
	}
	for _, of := range l.Of {
		if of.Last() != name {
			return nil, pgerror.New(pgerror.UndefinedTable, "relation %q in FOR %s clause not found in FROM clause", of.Last(), l.Strength).At(p.Position(of.Pos()))
		}
	}
	st := &lockingStatement{rel: rel, keys: len(rel.Key), mode: lockModes[l.Strength], wait: l.Wait, limit: -1}
	keyed, inner := *sel, *q
	keyed.Items = slices.Clone(sel.Items)
	for _, k := range rel.Key {
		keyed.Items = append(keyed.Items, ast.SelectItem{At: sel.At, X: &ast.ColumnRef{At: sel.At, Parts: []string{name, rel.Columns[k].Name}}})
	}
	inner.Body, inner.Locking = &keyed, nil
	if q.Limit != nil && l.Wait == "SKIP LOCKED" {
		// The limit counts the rows that could be locked.
		n, ok := q.Limit.Count.(*ast.Literal)
		if !ok || q.Limit.Offset != nil || q.Limit.WithTies {
			return nil, refuse("SKIP LOCKED and a LIMIT that is not a number")
		}
		if st.limit, err = strconv.Atoi(n.Text); err != nil {
			return nil, refuse("SKIP LOCKED and a LIMIT that is not a number")
		}
		inner.Limit = nil
	}
	st.selectStatement = &selectStatement{s: s, p: p, q: &inner, params: params}
	st.lock = true
	if err := st.plan(); err != nil {
		return nil, err
	}
	return st, nil
}

// Columns implements pgwire.Statement.
func (st *lockingStatement) Columns() []pgwire.ResultColumn {
	return st.columns[:len(st.columns)-st.keys]
}

// Query implements pgwire.Statement: it runs again when a row changed while this
// waited for it; the locks taken so far stay.
func (st *lockingStatement) Query(ctx context.Context, args []types.Datum) (pgwire.Rows, error) {
	for try := 0; ; try++ {
		t, err := st.s.begin()
		if err != nil {
			return nil, err
		}
		if t.readOnly {
			return nil, pgerror.New(pgerror.ReadOnlyTransaction, "cannot execute SELECT FOR UPDATE in a read-only transaction")
		}
		t.tx.Waiting(ctx, st.s.settings.lockTimeout())
		rows, err := st.locked(ctx, t.tx, args)
		if !errors.Is(err, table.ErrConflict) {
			return rows, err
		}
		if try >= conflictTries || ctx.Err() != nil {
			return nil, serialization(err)
		}
	}
}

func (st *lockingStatement) locked(ctx context.Context, tx *table.Tx, args []types.Datum) (_ pgwire.Rows, err error) {
	rows, err := st.selectStatement.Query(ctx, args)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	n := len(st.Columns())
	ts := make([]types.Type, n)
	for i, c := range st.Columns() {
		ts[i] = c.Type
	}
	out := column.NewBuilder(ts, 0)
	for st.limit < 0 || out.Len() < st.limit {
		b, err := rows.Next(ctx)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		for i := range b.Each {
			if st.limit >= 0 && out.Len() >= st.limit {
				break
			}
			err := tx.LockKey(st.rel.ID, b.Cols[n:], i, st.mode, st.wait == "")
			if errors.Is(err, table.ErrLocked) {
				if st.wait == "SKIP LOCKED" {
					continue
				}
				return nil, pgerror.New("55P03", "could not obtain lock on row in relation %q", st.rel.Name)
			}
			if err != nil {
				return nil, err
			}
			for j := range n {
				out.Col(j).AppendFrom(b.Cols[j], i)
			}
			out.Row(column.Insert)
		}
	}
	return &batchRows{batch: out.Batch(), tag: "SELECT " + itoa(out.Len())}, nil
}
