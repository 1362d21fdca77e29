package pgwire

import (
	"cmp"
	"context"
	"errors"
	"io"
	"slices"
	"time"

	"velostream/catalog/types"
	"velostream/pgwire/pgerror"
	"velostream/storage/column"
)

// Names is a session's one namespace of prepared statements and one of
// cursors: SQL's PREPARE, DEALLOCATE, DECLARE, FETCH and CLOSE reach what the
// extended protocol made, and the other way round. The Notifier that
// Backend.Connect gets implements it. Only for use within the methods of the
// Session, its Statements and its Rows, by the goroutine that called them.
type Names interface {
	// PutStatement keeps st under a name: 42P05 if taken, 53400 if there are
	// too many.
	PutStatement(name, sql string, st Statement) error
	// LookupStatement finds a statement, however it was made: 26000 if none.
	LookupStatement(name string) (Statement, error)
	// DropStatement forgets a statement: 26000 if there is none.
	DropStatement(name string) error
	// DropStatements forgets all of them (DEALLOCATE ALL).
	DropStatements()
	// ListStatements lists them by name, for pg_prepared_statements.
	ListStatements() []PreparedInfo

	// OpenCursor runs st and keeps its result under a name: 42P03 if taken.
	// It is closed at the end of the transaction, unless hold.
	OpenCursor(name, sql string, st Statement, args []types.Datum, hold bool) error
	// FetchCursor returns the next n rows (below 0: all that are left) of a
	// cursor, or of a portal that was bound by the protocol: 34000 if there is
	// none. Their Next waits until there are n, or the result ends.
	FetchCursor(name string, n int64) (Rows, []ResultColumn, error)
	// FindCursor returns the running result of a cursor, nil of one that does
	// not run yet: 34000 if there is none. What Execute has taken from a Cursor
	// and not yet sent is given back to it.
	FindCursor(name string) (Rows, []ResultColumn, error)
	// DropCursor closes a cursor: 34000 if there is none.
	DropCursor(name string) error
	// DropCursors closes all (CLOSE ALL).
	DropCursors()
	// ListCursors lists them by name, for pg_cursors.
	ListCursors() []CursorInfo
}

// Peers is what a session can see of, and do to, the server's other
// connections. The Notifier that Backend.Connect gets implements it. Safe for
// concurrent use.
type Peers interface {
	// Connections lists the clients, by pid.
	Connections() []ConnInfo
	// Cancel cancels what a client runs, Terminate ends its connection; false:
	// there is no such client.
	Cancel(pid uint32) bool
	Terminate(pid uint32) bool
}

// PreparedInfo describes a prepared statement.
type PreparedInfo struct {
	Name     string
	SQL      string
	Params   []types.OID
	FromSQL  bool // made by PREPARE, not by the protocol
	Prepared time.Time
}

// CursorInfo describes a cursor or portal.
type CursorInfo struct {
	Name   string
	SQL    string
	Hold   bool
	Opened time.Time
	Rows   Rows // its result, nil when it does not run
}

// Cursor is implemented by the Rows of a cursor that keeps a position of its
// own and can be read on after its end.
type Cursor interface {
	Rows
	// Unread goes back n rows, which Next delivered last.
	Unread(n int64)
}

// Binary is implemented by a Statement whose rows go out in binary format in
// the simple protocol too: FETCH from a binary cursor.
type Binary interface {
	Binary() bool
}

var _ Names = notifier{}

// PutStatement implements Names.
func (n notifier) PutStatement(name, sql string, st Statement) error {
	if err := n.c.roomForStatement(name); err != nil {
		return err
	}
	n.c.stmts[name] = &prepared{sql: sql, stmt: st, fromSQL: true, made: time.Now()}
	return nil
}

// LookupStatement implements Names.
func (n notifier) LookupStatement(name string) (Statement, error) {
	p, ok := n.c.stmts[name]
	if !ok || p.stmt == nil {
		return nil, errNoStatement(name)
	}
	return p.stmt, nil
}

// DropStatement implements Names.
func (n notifier) DropStatement(name string) error {
	if _, ok := n.c.stmts[name]; !ok {
		return errNoStatement(name)
	}
	delete(n.c.stmts, name)
	return nil
}

// DropStatements implements Names.
func (n notifier) DropStatements() { clear(n.c.stmts) }

// ListStatements implements Names.
func (n notifier) ListStatements() []PreparedInfo {
	var out []PreparedInfo
	for name, p := range n.c.stmts {
		if name != "" {
			out = append(out, PreparedInfo{Name: name, SQL: p.sql, Params: p.params(), FromSQL: p.fromSQL, Prepared: p.made})
		}
	}
	slices.SortFunc(out, func(a, b PreparedInfo) int { return cmp.Compare(a.Name, b.Name) })
	return out
}

// OpenCursor implements Names.
func (n notifier) OpenCursor(name, sql string, st Statement, args []types.Datum, hold bool) error {
	if err := n.c.roomForPortal(name); err != nil {
		return err
	}
	p := &portal{sql: sql, stmt: st, args: args, cols: st.Columns(), hold: hold, opened: time.Now()}
	p.ctx, p.cancel = context.WithCancelCause(n.c.ctx)
	if err := n.c.open(p, nil); err != nil {
		_ = p.close() // nothing was opened
		return err
	}
	n.c.portals[name] = p
	return nil
}

// FetchCursor implements Names.
func (n notifier) FetchCursor(name string, count int64) (Rows, []ResultColumn, error) {
	p, ok := n.c.portals[name]
	if !ok || p.stmt == nil || p.cols == nil {
		return nil, nil, errNoCursor(name)
	}
	if p.active {
		return nil, nil, pgerror.New(pgerror.InvalidCursorState, "cursor %q cannot fetch from itself", name)
	}
	return &cursorRows{c: n.c, p: p, left: count}, p.cols, nil
}

// FindCursor implements Names.
func (n notifier) FindCursor(name string) (Rows, []ResultColumn, error) {
	p, ok := n.c.portals[name]
	switch {
	case !ok || p.stmt == nil || p.cols == nil:
		return nil, nil, errNoCursor(name)
	case p.active:
		return nil, nil, pgerror.New(pgerror.InvalidCursorState, "cursor %q cannot fetch from itself", name)
	}
	if cur, ok := p.rows.(Cursor); ok && p.batch != nil {
		cur.Unread(int64(p.batch.Rows() - p.pos))
		p.batch, p.pos = nil, 0
	}
	return p.rows, p.cols, nil
}

// DropCursor implements Names.
func (n notifier) DropCursor(name string) error {
	p, ok := n.c.portals[name]
	switch {
	case !ok || name == "":
		return errNoCursor(name)
	case p.active:
		return pgerror.New(pgerror.InvalidCursorState, "cannot drop active portal %q", name)
	}
	n.c.dropPortal(name)
	return nil
}

// DropCursors implements Names.
func (n notifier) DropCursors() {
	for name, p := range n.c.portals {
		if name != "" && !p.active { // one may be the portal of the CLOSE ALL itself
			n.c.dropPortal(name)
		}
	}
}

// ListCursors implements Names.
func (n notifier) ListCursors() []CursorInfo {
	var out []CursorInfo
	for name, p := range n.c.portals {
		if name != "" {
			out = append(out, CursorInfo{Name: name, SQL: p.sql, Hold: p.hold, Opened: p.opened, Rows: p.rows})
		}
	}
	slices.SortFunc(out, func(a, b CursorInfo) int { return cmp.Compare(a.Name, b.Name) })
	return out
}

func errNoCursor(name string) error {
	return pgerror.New(pgerror.InvalidCursorName, "cursor %q does not exist", name)
}

// cursorRows is the result of a FETCH: a stretch of a portal's rows.
type cursorRows struct {
	c    *conn
	p    *portal
	left int64 // below 0: all
	view column.Batch
}

// Next implements Rows.
func (r *cursorRows) Next(ctx context.Context) (*column.Batch, error) {
	p := r.p
	if r.left == 0 || p.done {
		return nil, io.EOF
	}
	if p.rows == nil { // bound by the protocol and not yet run
		if err := r.c.open(p, nil); err != nil {
			return nil, err
		}
	}
	if p.batch == nil || p.pos >= p.batch.Rows() {
		b, err := p.rows.Next(ctx)
		if errors.Is(err, io.EOF) {
			p.tag = p.rows.Tag()
			if err := p.close(); err != nil {
				return nil, err
			}
		}
		if err != nil {
			return nil, err
		}
		p.batch, p.pos = b, 0
	}
	n := p.batch.Rows() - p.pos
	if r.left > 0 {
		n = int(min(int64(n), r.left))
		r.left -= int64(n)
	}
	r.view = stretch(p.batch, p.pos, n)
	p.pos += n
	return &r.view, nil
}

// stretch is rows [from, from+n) of b, without copying values.
func stretch(b *column.Batch, from, n int) column.Batch {
	view := *b
	if b.Sel != nil {
		view.Sel = b.Sel[from : from+n]
		return view
	}
	if from == 0 && n == b.N {
		return view
	}
	view.Sel = make([]int32, n)
	for i := range view.Sel {
		view.Sel[i] = int32(from + i)
	}
	return view
}

// Tag implements Rows.
func (r *cursorRows) Tag() string { return "FETCH " }

// Close implements Rows; the cursor stays.
func (r *cursorRows) Close() error { return nil }
