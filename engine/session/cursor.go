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

// cursorsMax bounds the open cursors of a session.
const cursorsMax = 100

// cursor is an open cursor: a running query, and what FETCH left of its last
// batch.
type cursor struct {
	name    string
	columns []pgwire.ResultColumn
	rows    pgwire.Rows
	hold    bool
	rest    *column.Batch // rows of the last batch that were not fetched
	ended   bool
}

// prepareDeclare declares a cursor. The query is prepared now, so that its
// parameters have types, and started when the statement runs.
func (s *Session) prepareDeclare(p ast.Parsed, n *ast.DeclareCursor, params []types.OID) (pgwire.Statement, error) {
	q, ok := n.Query.(*ast.Query)
	if !ok {
		return nil, pgerror.Unsupported("cursors for this statement are not supported").At(p.Position(n.Pos()))
	}
	if n.Scroll == ast.Yes {
		return nil, pgerror.Unsupported("SCROLL cursors are not supported").At(p.Position(n.Pos()))
	}
	st, err := s.prepareSelect(p, q, params)
	if err != nil {
		return nil, err
	}
	run := func(ctx context.Context, args []types.Datum) (pgwire.Rows, error) {
		if (s.tx == nil || s.tx.implicit) && n.Hold != ast.Yes {
			return nil, pgerror.New(pgerror.NoActiveTransaction, "DECLARE CURSOR can only be used in transaction blocks")
		}
		if s.cursors[n.Name] != nil {
			return nil, pgerror.New(pgerror.DuplicateCursor, "cursor %q already exists", n.Name)
		}
		if len(s.cursors) >= cursorsMax {
			return nil, pgerror.New(pgerror.ConfigurationLimitExceeded, "too many open cursors: %d", cursorsMax).
				WithHint("CLOSE the ones that are done.")
		}
		// The query lives as long as the cursor, not as long as DECLARE.
		rows, err := st.Query(context.WithoutCancel(ctx), args)
		if err != nil {
			return nil, err
		}
		s.cursors[n.Name] = &cursor{name: n.Name, columns: st.Columns(), rows: rows, hold: n.Hold == ast.Yes}
		return noRows("DECLARE CURSOR"), nil
	}
	return &rowsStatement{params: st.Params(), run: run}, nil
}

// prepareFetch is FETCH and MOVE, forward.
func (s *Session) prepareFetch(p ast.Parsed, n *ast.Fetch) (pgwire.Statement, error) {
	c := s.cursors[n.Cursor]
	if c == nil {
		return nil, noCursor(n.Cursor)
	}
	count, err := fetchCount(n)
	if err != nil {
		return nil, err.At(p.Position(n.Pos()))
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
	st := &rowsStatement{columns: c.columns}
	if n.Move {
		st.columns = nil
	}
	st.run = func(context.Context, []types.Datum) (pgwire.Rows, error) {
		c := s.cursors[n.Cursor]
		if c == nil {
			return nil, noCursor(n.Cursor)
		}
		f := &fetchRows{c: c, left: count, tag: "FETCH "}
		if wait >= 0 {
			f.deadline = time.Now().Add(wait)
		}
		if n.Move {
			return f.skip()
		}
		return f, nil
	}
	return st, nil
}

func noCursor(name string) error {
	return pgerror.New(pgerror.InvalidCursorName, "cursor %q does not exist", name)
}

func fetchCount(n *ast.Fetch) (int64, *pgerror.Error) {
	forward := n.Direction == ast.FetchForward || (n.Direction == ast.FetchRelative && n.Count > 0)
	switch {
	case n.Direction == ast.FetchNext:
		return 1, nil
	case forward && n.All:
		return math.MaxInt64, nil
	case forward && n.Count >= 0:
		return n.Count, nil
	}
	return 0, pgerror.New("55000", "cursor can only scan forward").WithHint("Declare it with SCROLL option to enable backward scan.")
}

// fetchRows are the next rows of a cursor. It waits until left rows came, the
// query ends, or the deadline, if there is one.
type fetchRows struct {
	c        *cursor
	left     int64
	tag      string
	deadline time.Time
	out      column.Batch
}

// Next implements pgwire.Rows.
func (f *fetchRows) Next(ctx context.Context) (*column.Batch, error) {
	if f.left == 0 || (f.c.ended && f.c.rest == nil) {
		return nil, io.EOF
	}
	b := f.c.rest
	f.c.rest = nil
	if b == nil {
		next := ctx
		if !f.deadline.IsZero() {
			var cancel context.CancelFunc
			next, cancel = context.WithDeadline(ctx, f.deadline)
			defer cancel()
		}
		var err error
		b, err = f.c.rows.Next(next)
		switch {
		case errors.Is(err, io.EOF):
			f.c.ended = true
			return nil, err
		case err != nil && ctx.Err() == nil && next.Err() != nil:
			return nil, io.EOF // the time is over: what came is the result
		case err != nil:
			return nil, err
		}
	}
	if n := int64(b.Rows()); n > f.left {
		sel := b.Select(nil)
		rest := *b
		rest.Sel = sel[f.left:]
		f.c.rest = &rest
		f.out = *b
		f.out.Sel = sel[:f.left]
		b = &f.out
	}
	f.left -= int64(b.Rows())
	return b, nil
}

// skip reads the rows without showing them.
func (f *fetchRows) skip() (pgwire.Rows, error) {
	n := 0
	for {
		b, err := f.Next(context.Background())
		if errors.Is(err, io.EOF) {
			return noRows("MOVE " + itoa(n)), nil
		}
		if err != nil {
			return nil, err
		}
		n += b.Rows()
	}
}

func (f *fetchRows) Tag() string { return f.tag }
func (*fetchRows) Close() error  { return nil }

// closeCursor is CLOSE.
func (s *Session) closeCursor(n *ast.CloseCursor) (string, error) {
	if n.All {
		return "CLOSE CURSOR ALL", s.closeCursors(true)
	}
	c := s.cursors[n.Name]
	if c == nil {
		return "", noCursor(n.Name)
	}
	delete(s.cursors, n.Name)
	return "CLOSE CURSOR", c.rows.Close()
}

// closeCursors closes the cursors that end with the transaction, or all.
func (s *Session) closeCursors(all bool) error {
	var err error
	for name, c := range s.cursors {
		if all || !c.hold {
			err = errors.Join(err, c.rows.Close())
			delete(s.cursors, name)
		}
	}
	return err
}

// Cursor describes an open SQL cursor, for Describe of a portal by its name.
func (s *Session) Cursor(name string) ([]pgwire.ResultColumn, bool) {
	c := s.cursors[name]
	if c == nil {
		return nil, false
	}
	return c.columns, true
}
