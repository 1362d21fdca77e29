package session

import (
	"context"
	"errors"
	"io"
	"time"

	"velostream/catalog/types"
	"velostream/engine/option"
	"velostream/engine/sql/ast"
	"velostream/pgwire"
	"velostream/pgwire/pgerror"
	"velostream/storage/column"
	"velostream/storage/spool"
)

// prepareDeclare declares a cursor. The query is prepared now, so that its
// parameters have types, and started when the statement runs.
func (s *Session) prepareDeclare(p ast.Parsed, n *ast.DeclareCursor, params []types.OID) (pgwire.Statement, error) {
	if q, ok := n.Query.(*ast.Query); ok && changingCTE(q) != nil {
		return nil, pgerror.Unsupported("DECLARE CURSOR must not contain data-modifying statements in WITH")
	}
	if err := checkDeclare(n); err != nil {
		return nil, err.At(p.Position(n.Pos()))
	}
	var st pgwire.Statement
	var at position
	var err error
	if n.Query == nil {
		st, err = s.prepareSubscription(p, n)
	} else {
		st, at, err = s.prepareCursor(p, n.Query, params)
	}
	if err != nil {
		return nil, err
	}
	run := func(ctx context.Context, args []types.Datum) (pgwire.Rows, error) {
		hold := n.Hold == ast.Yes
		if s.block() == nil && !hold {
			return nil, pgerror.New(pgerror.NoActiveTransaction, "DECLARE CURSOR can only be used in transaction blocks")
		}
		s.frozen = true
		defer func() { s.frozen = false }()
		return noRows("DECLARE CURSOR"), s.openCursor(ctx, p, n, st, at, args)
	}
	return &rowsStatement{params: st.Params(), run: run}, nil
}

// checkDeclare refuses what can't go together.
func checkDeclare(n *ast.DeclareCursor) *pgerror.Error {
	q, ok := n.Query.(*ast.Query)
	if !ok || len(q.Locking) == 0 {
		return nil
	}
	strength := q.Locking[0].Strength
	switch {
	case n.Hold == ast.Yes:
		return pgerror.Unsupported("DECLARE CURSOR WITH HOLD ... FOR %s is not supported", strength).
			WithDetail("Holdable cursors must be READ ONLY.")
	case n.Scroll == ast.Yes:
		return pgerror.Unsupported("DECLARE SCROLL CURSOR ... FOR %s is not supported", strength).
			WithDetail("Scrollable cursors must be READ ONLY.")
	case n.Sensitivity == "INSENSITIVE":
		return pgerror.New(pgerror.InvalidCursorDefinition, "DECLARE INSENSITIVE CURSOR ... FOR %s is not valid", strength).
			WithDetail("Insensitive cursors must be READ ONLY.")
	}
	return nil
}

// openCursor runs st and keeps its result as a cursor.
func (s *Session) openCursor(ctx context.Context, p ast.Parsed, n *ast.DeclareCursor, st pgwire.Statement, at position, args []types.Datum) error {
	c := &cursor{name: n.Name, binary: n.Binary, scroll: n.Scroll == ast.Yes, noScroll: n.Scroll == ast.No, held: n.Hold == ast.Yes}
	c.hold, c.position = c.held, at
	c.types = columnTypes(st.Columns())
	shown := st.Columns()[:len(st.Columns())-at.keys]
	c.shown = len(shown)
	opened := &rowsStatement{columns: shown, run: func(ctx context.Context, args []types.Datum) (pgwire.Rows, error) {
		rows, err := st.Query(ctx, args)
		if err != nil {
			return nil, err
		}
		c.rows = rows
		k, ok := rows.(pgwire.Continuous)
		c.continuous = ok && k.Continuous()
		if c.continuous && c.scroll {
			return nil, errors.Join(pgerror.Unsupported("SCROLL is not supported for a query that does not end").
				At(p.Position(n.Pos())), rows.Close())
		}
		if !c.noScroll && !c.continuous {
			c.spool = s.newSpool(c.types, c.scroll || c.hold)
		}
		return c, nil
	}}
	if err := s.names.OpenCursor(n.Name, p.Text, opened, args, c.hold); err != nil {
		return err
	}
	if t := s.block(); t != nil {
		t.cursors = append(t.cursors, c)
		return nil
	}
	if err := s.holdCursor(ctx, c); err != nil {
		return errors.Join(err, s.names.DropCursor(c.name))
	}
	return nil
}

func columnTypes(cols []pgwire.ResultColumn) []types.Type {
	ts := make([]types.Type, len(cols))
	for i, c := range cols {
		ts[i] = c.Type
	}
	return ts
}

// newSpool returns a place for rows; file: it may go on in a file.
func (s *Session) newSpool(ts []types.Type, file bool) *spool.Spool {
	o := spool.Options{Types: ts, MemoryBytes: cursorMemory, Area: s.e.Temp}
	if file && s.e.Temp != nil {
		o.DiskBytes = s.settings.tempFileLimit()
	}
	return spool.New(o)
}

// holdCursor makes a cursor independent of its transaction.
func (s *Session) holdCursor(ctx context.Context, c *cursor) error {
	return c.keepAll(ctx, func() *spool.Spool { return s.newSpool(c.types, true) })
}

// holdCursors is what a commit does with its transaction's cursors WITH HOLD.
func (s *Session) holdCursors(ctx context.Context, t *transaction) error {
	for _, c := range t.cursors {
		if c.hold && s.isOpen(c) {
			if err := s.holdCursor(ctx, c); err != nil {
				return err
			}
		}
	}
	return nil
}

// dropCursors closes the cursors of t from the from-th on: what opened them is
// rolled back.
func (s *Session) dropCursors(t *transaction, from int) {
	for _, c := range t.cursors[from:] {
		if s.isOpen(c) {
			_ = s.names.DropCursor(c.name) // it is open
		}
	}
	t.cursors = t.cursors[:from]
}

// acknowledge tells a subscription that all rows up to the position were dealt
// with; other cursors do nothing.
func (c *cursor) acknowledge() error {
	if f, ok := c.rows.(*feedRows); ok {
		return f.acknowledge(c.pos)
	}
	return nil
}

// acknowledgeAll is what a commit does with its subscription cursors.
func (s *Session) acknowledgeAll(t *transaction) error {
	for _, c := range t.cursors {
		if s.isOpen(c) {
			if err := c.acknowledge(); err != nil {
				return err
			}
		}
	}
	return nil
}

// isOpen reports that c is still the cursor of its name.
func (s *Session) isOpen(c *cursor) bool {
	rows, _, err := s.names.FindCursor(c.name)
	return err == nil && rows == pgwire.Rows(c)
}

// prepareFetch is FETCH and MOVE.
func (s *Session) prepareFetch(p ast.Parsed, n *ast.Fetch) (pgwire.Statement, error) {
	rows, columns, err := s.names.FindCursor(n.Cursor)
	if err != nil {
		return nil, err
	}
	wait, err := fetchTimeout(p, n)
	if err != nil {
		return nil, err
	}
	st := &fetchStatement{rowsStatement: rowsStatement{columns: columns}}
	if c, ok := rows.(*cursor); ok {
		st.binary = c.binary && !n.Move
	}
	if n.Move {
		st.columns = nil
	}
	st.run = func(ctx context.Context, _ []types.Datum) (pgwire.Rows, error) {
		until := time.Time{}
		if wait >= 0 {
			until = time.Now().Add(wait)
		}
		rows, err := s.fetch(ctx, n, until)
		if err != nil || !n.Move {
			return rows, err
		}
		return skip(ctx, rows)
	}
	return st, nil
}

// fetchStatement is a FETCH or MOVE.
type fetchStatement struct {
	rowsStatement
	binary bool
}

// Binary implements pgwire.Binary.
func (f *fetchStatement) Binary() bool { return f.binary }

// fetchTimeout is WITH (timeout = '1s') of FETCH; below 0: none.
func fetchTimeout(p ast.Parsed, n *ast.Fetch) (time.Duration, error) {
	wait := time.Duration(-1)
	for _, o := range n.Options {
		d, ok := option.ParseDuration(o.Value)
		if o.Name != "timeout" || !ok {
			return 0, pgerror.New(pgerror.InvalidParameterValue, "invalid option %q of FETCH", o.Name).
				WithHint("FETCH n FROM c WITH (timeout = '1s').").At(p.Position(o.Pos()))
		}
		wait = d
	}
	return wait, nil
}

// fetch goes where n says and gives the rows from there, those that come until
// until, zero: for ever.
func (s *Session) fetch(ctx context.Context, n *ast.Fetch, until time.Time) (pgwire.Rows, error) {
	found, _, err := s.names.FindCursor(n.Cursor)
	if err != nil {
		return nil, err
	}
	c, ok := found.(*cursor)
	if !ok { // bound by the protocol
		count, err := fetchCount(n)
		if err != nil {
			return nil, err
		}
		rows, _, err := s.names.FetchCursor(n.Cursor, count)
		if err != nil || until.IsZero() {
			return rows, err
		}
		return &timedRows{rows, until, true}, nil
	}
	if err := c.acknowledge(); err != nil {
		return nil, err
	}
	if until.IsZero() {
		return c.fetch(ctx, n)
	}
	if c.continuous {
		limited, cancel := context.WithDeadline(ctx, until)
		defer cancel()
		rows, err := c.fetch(limited, n)
		if err != nil && limited.Err() != nil && ctx.Err() == nil {
			return &fetchedRows{c: c}, nil
		}
		if err != nil {
			return nil, err
		}
		return &timedRows{rows, until, true}, nil
	}
	rows, err := c.fetch(ctx, n)
	if err != nil {
		return nil, err
	}
	return &timedRows{rows, until, false}, nil
}

// fetch gives the rows of a FETCH.
func (c *cursor) fetch(ctx context.Context, n *ast.Fetch) (*fetchedRows, error) {
	if n.Move && n.Count == 0 && !n.All && n.Direction != ast.FetchAbsolute {
		return c.here(), nil
	}
	switch n.Direction {
	case ast.FetchNext:
		return c.forward(ctx, 1, false, false)
	case ast.FetchPrior:
		return c.forward(ctx, 1, false, true)
	case ast.FetchForward:
		return c.forward(ctx, n.Count, n.All, false)
	case ast.FetchBackward:
		return c.forward(ctx, n.Count, n.All, true)
	case ast.FetchFirst:
		return c.absolute(ctx, 1)
	case ast.FetchLast:
		return c.absolute(ctx, -1)
	case ast.FetchAbsolute:
		return c.absolute(ctx, n.Count)
	case ast.FetchRelative:
		return c.relative(ctx, n.Count)
	}
	return nil, pgerror.Unsupported("FETCH %s is not supported", string(n.Direction))
}

// fetchCount is how many rows a FETCH wants of a portal that was bound by the
// protocol, which is read forward only; -1: all that are left.
func fetchCount(n *ast.Fetch) (int64, error) {
	forward := n.Direction == ast.FetchForward || (n.Direction == ast.FetchRelative && n.Count == 1)
	switch {
	case n.Direction == ast.FetchNext:
		return 1, nil
	case forward && n.All:
		return -1, nil
	case forward && n.Count >= 0:
		return n.Count, nil
	}
	return 0, errForward
}

// timedRows ends at a deadline with what came until then.
type timedRows struct {
	pgwire.Rows
	deadline time.Time
	// interrupt: the wait for rows ends at the deadline too. Without it, what is
	// under way is brought to its end: a bounded query.
	interrupt bool
}

// Next implements pgwire.Rows.
func (r *timedRows) Next(ctx context.Context) (*column.Batch, error) {
	if !r.interrupt {
		if time.Now().After(r.deadline) {
			return nil, io.EOF
		}
		return r.Rows.Next(ctx)
	}
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
	for _, info := range s.names.ListCursors() {
		if c, ok := info.Rows.(*cursor); ok && (n.All || info.Name == n.Name) {
			if err := c.acknowledge(); err != nil {
				return "", err
			}
		}
	}
	if n.All {
		s.names.DropCursors()
		return "CLOSE CURSOR ALL", nil
	}
	return "CLOSE CURSOR", s.names.DropCursor(n.Name)
}
