package session

import (
	"context"
	"errors"
	"io"
	"math"
	"slices"

	"velostream/catalog/types"
	"velostream/pgwire"
	"velostream/pgwire/pgerror"
	"velostream/storage/column"
	"velostream/storage/spool"
)

// cursorMemory is what a cursor keeps of its rows in memory, in bytes. One
// that was declared with SCROLL, or that was held over a commit, goes on in a
// file up to temp_file_limit; any other then forgets them, and reads forward only.
const cursorMemory = 4 << 20

// cursor is the result of a DECLARE: rows with a position. It implements
// pgwire.Cursor. Used by its session's goroutine.
type cursor struct {
	name       string
	binary     bool
	scroll     bool // declared with SCROLL
	noScroll   bool
	continuous bool
	held       bool // declared WITH HOLD
	hold       bool // that, and its transaction has not ended yet

	types    []types.Type // of its rows' columns
	shown    int          // so many of them are for the client
	position position

	rows  pgwire.Rows // nil when all of them are in the spool
	read  int64       // rows that rows has given
	ended bool

	spool *spool.Spool // nil: rows are not kept
	base  int64        // number of the first row in the spool

	window column.Batch // the batch that rows gave last
	first  int64        // number of its first row

	// pos is the row the cursor is on, counted from 1: 0 before the first,
	// one more than there are after the last.
	pos int64
}

var errForward = pgerror.New(pgerror.ObjectNotInPrerequisiteState, "cursor can only scan forward").
	WithHint("Declare it with SCROLL option to enable backward scan.")

// at returns a batch that has row i, counted from 0, and its place in it;
// io.EOF beyond the last. A batch without rows says that nothing is at hand yet.
func (c *cursor) at(ctx context.Context, i int64) (*column.Batch, int, error) {
	for {
		switch {
		case i >= c.first && i < c.read && c.rows != nil:
			return &c.window, int(i - c.first), nil
		case c.spool != nil && i >= c.base && i-c.base < c.spool.Rows():
			return c.spool.Read(i - c.base)
		case i < c.read:
			return nil, 0, errForward
		case c.ended:
			return nil, 0, io.EOF
		}
		b, err := c.pull(ctx)
		if errors.Is(err, io.EOF) {
			c.ended = true
			continue
		}
		if err != nil {
			return nil, 0, err
		}
		if b.Rows() == 0 {
			return b, 0, nil
		}
	}
}

// pull reads the next rows, and keeps them where they are kept.
func (c *cursor) pull(ctx context.Context) (*column.Batch, error) {
	c.first = c.read // what the window shows is gone
	b, err := c.rows.Next(ctx)
	if err != nil || b.Rows() == 0 {
		return b, err
	}
	if c.spool != nil {
		if err := c.keep(b); err != nil {
			return nil, err
		}
	}
	c.window, c.first = *b, c.read
	c.read += int64(b.Rows())
	return b, nil
}

func (c *cursor) keep(b *column.Batch) error {
	err := c.spool.Append(b)
	var full spool.ErrFull
	if !errors.As(err, &full) {
		return err
	}
	if c.scroll || c.hold {
		return pgerror.New(pgerror.ConfigurationLimitExceeded, "rows of cursor %q exceed temp_file_limit", c.name).
			WithDetail("%d MB of rows are kept.", full.Bytes>>20).
			WithHint("Raise temp_file_limit, select less, or read forward with NO SCROLL.")
	}
	err, c.spool = c.spool.Close(), nil
	return err
}

// Next implements pgwire.Rows: the rows from the position on.
func (c *cursor) Next(ctx context.Context) (*column.Batch, error) {
	return (&fetchedRows{c: c, left: -1}).Next(ctx)
}

// Unread implements pgwire.Cursor.
func (c *cursor) Unread(n int64) { c.pos -= n }

// Tag implements pgwire.Rows.
func (c *cursor) Tag() string { return "SELECT " }

// Continuous says that the query has no end.
func (c *cursor) Continuous() bool { return c.continuous }

// Close implements pgwire.Rows.
func (c *cursor) Close() error {
	var err error
	if c.rows != nil {
		err = c.rows.Close()
	}
	if c.spool != nil {
		err = errors.Join(err, c.spool.Close())
	}
	return err
}

// keepAll reads all that is left, so that nothing of the transaction is
// needed any more. What NO SCROLL has passed is not kept.
func (c *cursor) keepAll(ctx context.Context, fresh func() *spool.Spool) error {
	if !c.hold || c.rows == nil || c.continuous {
		c.hold = false
		return nil
	}
	if c.spool == nil {
		c.spool, c.base = fresh(), c.pos
		if c.read > c.pos {
			b := stretchOf(&c.window, int(c.pos-c.first), int(c.read-c.pos))
			if err := c.keep(&b); err != nil {
				return err
			}
		}
	}
	for !c.ended {
		if _, err := c.pull(ctx); errors.Is(err, io.EOF) {
			c.ended = true
		} else if err != nil {
			return err
		}
	}
	err := c.rows.Close()
	c.rows, c.hold = nil, false
	return err
}

// seek puts the cursor on row n, counted from 1, or beyond an end. It reports
// whether there is such a row. backward: it is reached by going back.
func (c *cursor) seek(ctx context.Context, n int64) (bool, error) {
	if n <= 0 {
		if c.pos > 0 && c.noScroll {
			return false, errForward
		}
		c.pos = 0
		return false, nil
	}
	if n <= c.pos && c.noScroll {
		return false, errForward
	}
	for {
		b, _, err := c.at(ctx, n-1)
		switch {
		case errors.Is(err, io.EOF):
			c.pos = c.read + 1
			return false, nil
		case err != nil:
			return false, err
		case b.Rows() > 0:
			c.pos = n
			return true, nil
		}
	}
}

// end reads to the end and returns how many rows there are.
func (c *cursor) end(ctx context.Context) (int64, error) {
	for !c.ended {
		if _, _, err := c.at(ctx, c.read); err != nil && !errors.Is(err, io.EOF) {
			return 0, err
		}
	}
	return c.read, nil
}

// fetchedRows is the result of a FETCH: so many rows from the cursor's position
// on, or back from it.
type fetchedRows struct {
	c    *cursor
	left int64 // below 0: all
	back bool
	only int // so many rows without values come first
	out  column.Batch
}

// Next implements pgwire.Rows.
func (r *fetchedRows) Next(ctx context.Context) (*column.Batch, error) {
	if r.only > 0 {
		r.out, r.only = column.Batch{N: r.only}, 0
		return &r.out, nil
	}
	if r.left == 0 {
		return nil, io.EOF
	}
	if r.back {
		return r.prior(ctx)
	}
	c := r.c
	if c.ended && c.pos > c.read {
		return nil, io.EOF
	}
	b, i, err := c.at(ctx, c.pos)
	if errors.Is(err, io.EOF) {
		c.pos = c.read + 1
	}
	if err != nil {
		return nil, err
	}
	n := b.Rows() - i
	if r.left > 0 {
		n = int(min(int64(n), r.left))
		r.left -= int64(n)
	}
	c.pos += int64(n)
	r.out = stretchOf(b, i, n)
	c.trim(&r.out)
	return &r.out, nil
}

// prior gives the rows before the position, the nearest first.
func (r *fetchedRows) prior(ctx context.Context) (*column.Batch, error) {
	c := r.c
	if c.pos <= 1 {
		c.pos = 0
		return nil, io.EOF
	}
	b, i, err := c.at(ctx, c.pos-2)
	if err != nil {
		return nil, err
	}
	n := i + 1
	if r.left > 0 {
		n = int(min(int64(n), r.left))
		r.left -= int64(n)
	}
	c.pos -= int64(n)
	r.out = stretchOf(b, i+1-n, n)
	c.trim(&r.out)
	r.out.Sel = slices.Clone(b.Select(nil)[i+1-n : i+1])
	slices.Reverse(r.out.Sel)
	return &r.out, nil
}

// trim takes keys off the rows of b, which has no columns where it has no rows.
func (c *cursor) trim(b *column.Batch) {
	if len(b.Cols) > c.shown {
		b.Cols = b.Cols[:c.shown]
	}
}

// stretchOf is rows [from, from+n) of b, without copying values.
func stretchOf(b *column.Batch, from, n int) column.Batch {
	view := *b
	if b.Sel == nil && from == 0 && n == b.N {
		return view
	}
	view.Sel = b.Select(nil)[from : from+n]
	return view
}

// Tag implements pgwire.Rows.
func (*fetchedRows) Tag() string { return "FETCH " }

// Close implements pgwire.Rows; the cursor stays.
func (*fetchedRows) Close() error { return nil }

// onRow reports that the cursor is on a row.
func (c *cursor) onRow() bool { return c.pos >= 1 && (!c.ended || c.pos <= c.read) }

// here stands for the row the cursor is on, without its values.
func (c *cursor) here() *fetchedRows {
	if !c.onRow() {
		return &fetchedRows{c: c}
	}
	return &fetchedRows{c: c, only: 1}
}

// current gives the row the cursor is on, if it is on one.
func (c *cursor) current(ctx context.Context) (*fetchedRows, error) {
	if !c.onRow() {
		return &fetchedRows{c: c}, nil
	}
	if _, _, err := c.at(ctx, c.pos-1); err != nil {
		return nil, err
	}
	c.pos--
	return &fetchedRows{c: c, left: 1}, nil
}

// stop reports that the cursor may not go back.
func (c *cursor) stop() bool { return c.noScroll || c.continuous }

// forward is FETCH FORWARD n, and BACKWARD where n is below 0; all: no limit.
func (c *cursor) forward(ctx context.Context, n int64, all, back bool) (*fetchedRows, error) {
	if n < 0 && !all {
		n, back = -max(n, -math.MaxInt64), !back
	}
	switch {
	case all:
		n = -1
	case n == 0 && c.noScroll && c.onRow():
		return nil, errForward
	case n == 0:
		return c.current(ctx)
	}
	if back && c.stop() {
		return nil, errForward
	}
	return &fetchedRows{c: c, left: n, back: back}, nil
}

// absolute is FETCH ABSOLUTE n: the row n, from the end where n is below 0.
func (c *cursor) absolute(ctx context.Context, n int64) (*fetchedRows, error) {
	if n < 0 {
		if c.stop() {
			return nil, errForward
		}
		total, err := c.end(ctx)
		if err != nil {
			return nil, err
		}
		n = max(total+1+n, 0)
	}
	if c.continuous && n <= c.pos && c.pos > 0 {
		return nil, errForward
	}
	return c.one(ctx, n)
}

// relative is FETCH RELATIVE n: the row n after the present one.
func (c *cursor) relative(ctx context.Context, n int64) (*fetchedRows, error) {
	if n == 0 {
		return c.forward(ctx, 0, false, false)
	}
	if n < 0 && c.stop() {
		return nil, errForward
	}
	if n > math.MaxInt64-c.pos {
		n = math.MaxInt64 - c.pos
	}
	return c.one(ctx, c.pos+n)
}

// one goes to row n and gives it, if there is one.
func (c *cursor) one(ctx context.Context, n int64) (*fetchedRows, error) {
	ok, err := c.seek(ctx, n)
	if err != nil || !ok {
		return &fetchedRows{c: c}, err
	}
	c.pos--
	return &fetchedRows{c: c, left: 1}, nil
}
