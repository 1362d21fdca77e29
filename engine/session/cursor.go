package session

import (
	"context"
	"errors"
	"io"
	"math"
	"time"

	"velostream/catalog/types"
	"velostream/engine/option"
	"velostream/engine/sql/ast"
	"velostream/pgwire"
	"velostream/pgwire/pgerror"
	"velostream/storage/column"
)

// prepareDeclare declares a cursor. The query is prepared now, so that its
// parameters have types, and started when the statement runs.
func (s *Session) prepareDeclare(p ast.Parsed, n *ast.DeclareCursor, params []types.OID) (pgwire.Statement, error) {
	if n.Query == nil {
		return nil, pgerror.Unsupported("subscription cursors are not supported yet").At(p.Position(n.Pos()))
	}
	if n.Scroll == ast.Yes {
		return nil, pgerror.Unsupported("SCROLL cursors are not supported").At(p.Position(n.Pos()))
	}
	st, err := s.prepareResult(p, n.Query, params)
	if err != nil {
		return nil, err
	}
	run := func(_ context.Context, args []types.Datum) (pgwire.Rows, error) {
		hold := n.Hold == ast.Yes
		if (s.tx == nil || s.tx.implicit) && !hold {
			return nil, pgerror.New(pgerror.NoActiveTransaction, "DECLARE CURSOR can only be used in transaction blocks")
		}
		s.frozen = true
		defer func() { s.frozen = false }()
		return noRows("DECLARE CURSOR"), s.names.OpenCursor(n.Name, p.Text, st, args, hold)
	}
	return &rowsStatement{params: st.Params(), run: run}, nil
}

// prepareFetch is FETCH and MOVE, forward.
func (s *Session) prepareFetch(p ast.Parsed, n *ast.Fetch) (pgwire.Statement, error) {
	_, columns, err := s.names.FetchCursor(n.Cursor, 0)
	if err != nil {
		return nil, err
	}
	count, bad := fetchCount(n)
	if bad != nil {
		return nil, bad.At(p.Position(n.Pos()))
	}
	wait := time.Duration(-1)
	for _, o := range n.Options {
		d, ok := option.ParseDuration(o.Value)
		if o.Name != "timeout" || !ok {
			return nil, pgerror.New(pgerror.InvalidParameterValue, "invalid option %q of FETCH", o.Name).
				WithHint("FETCH n FROM c WITH (timeout = '1s').").At(p.Position(o.Pos()))
		}
		wait = d
	}
	st := &rowsStatement{columns: columns}
	if n.Move {
		st.columns = nil
	}
	st.run = func(ctx context.Context, _ []types.Datum) (pgwire.Rows, error) {
		rows, _, err := s.names.FetchCursor(n.Cursor, count)
		if err != nil {
			return nil, err
		}
		if wait >= 0 {
			rows = &timedRows{rows, time.Now().Add(wait)}
		}
		if n.Move {
			return skip(ctx, rows)
		}
		return rows, nil
	}
	return st, nil
}

// fetchCount is how many rows a FETCH wants; -1: all that are left.
func fetchCount(n *ast.Fetch) (int64, *pgerror.Error) {
	forward := n.Direction == ast.FetchForward || (n.Direction == ast.FetchRelative && n.Count > 0)
	switch {
	case n.Direction == ast.FetchNext:
		return 1, nil
	case forward && n.All:
		return -1, nil
	case forward && n.Count >= 0 && n.Count < math.MaxInt64:
		return n.Count, nil
	}
	return 0, pgerror.New(pgerror.ObjectNotInPrerequisiteState, "cursor can only scan forward").
		WithHint("Declare it with SCROLL option to enable backward scan.")
}

// timedRows ends at a deadline with what came until then.
type timedRows struct {
	pgwire.Rows
	deadline time.Time
}

// Next implements pgwire.Rows.
func (r *timedRows) Next(ctx context.Context) (*column.Batch, error) {
	limited, cancel := context.WithDeadline(ctx, r.deadline)
	defer cancel()
	b, err := r.Rows.Next(limited)
	if err != nil && limited.Err() != nil && ctx.Err() == nil {
		return nil, io.EOF
	}
	return b, err
}

// skip reads the rows without showing them.
func skip(ctx context.Context, rows pgwire.Rows) (pgwire.Rows, error) {
	n := 0
	for {
		b, err := rows.Next(ctx)
		if errors.Is(err, io.EOF) {
			return noRows("MOVE " + itoa(n)), nil
		}
		if err != nil {
			return nil, err
		}
		n += b.Rows()
	}
}

// closeCursor is CLOSE.
func (s *Session) closeCursor(n *ast.CloseCursor) (string, error) {
	if n.All {
		s.names.DropCursors()
		return "CLOSE CURSOR ALL", nil
	}
	return "CLOSE CURSOR", s.names.DropCursor(n.Name)
}
