package pgwire

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"velostream/catalog/types"
	"velostream/storage/column"
)

// Continuous is implemented by Rows of queries without an end. Where a client
// asked for up to n rows of a portal, such a result is suspended early, after
// at least one row, when there is nothing more at hand: the client sees what
// there is and asks again.
type Continuous interface {
	Rows
	Continuous() bool
}

// portal is a bound statement, and its result as far as it was fetched.
type portal struct {
	sql     string
	stmt    Statement
	args    []types.Datum
	cols    []ResultColumn
	formats []int16
	ctx     context.Context
	cancel  context.CancelCauseFunc

	rows  Rows // nil before the first Execute and after the end
	enc   *rowEncoder
	batch *column.Batch // what is left of the last batch begins at pos
	pos   int
	copy  bool // rows are CopyData
	done  bool
	tag   string

	active bool // run is at work on it

	hold   bool // outlives the transaction
	opened time.Time
}

// close frees the result.
func (p *portal) close() error {
	var err error
	if p.rows != nil {
		err = p.rows.Close()
		p.rows, p.batch = nil, nil
	}
	p.done = true
	p.cancel(nil)
	return err
}

func (c *conn) dropPortal(name string) {
	if p, ok := c.portals[name]; ok {
		c.closePortal(p)
		delete(c.portals, name)
	}
}

// closePortals ends the transaction's portals, and those that outlive it too
// when the session ends.
func (c *conn) closePortals(held bool) {
	for name, p := range c.portals {
		if held || !p.hold {
			c.closePortal(p)
			delete(c.portals, name)
		}
	}
}

// closePortal frees a portal whose result nobody waits for.
func (c *conn) closePortal(p *portal) {
	if err := p.close(); err != nil {
		c.log.WarnContext(c.ctx, "closing a result failed", "error", err)
	}
}

// run starts or goes on with p and sends up to limit rows (0: all). describe
// has the columns sent first. It reports whether the limit was reached before
// the end; at the end the portal is closed and p.tag set.
func (c *conn) run(p *portal, limit int, describe bool) (suspended bool, sent int64, err error) {
	p.active = true
	defer func() { p.active = false }()
	if p.rows == nil {
		if in, ok := p.stmt.(CopyIn); ok {
			err := c.copyIn(p.ctx, in, p)
			return false, 0, err
		}
		var announce func([]byte) []byte
		if describe && p.cols != nil {
			announce = func(b []byte) []byte { return appendRowDescription(b, p.cols, p.formats) }
		}
		if err := c.open(p, announce); err != nil {
			return false, 0, err
		}
	}
	suspended, sent, err = c.pump(p, limit)
	c.srv.count.rows.Add(sent)
	if err != nil || suspended {
		return suspended, sent, err
	}
	if p.copy {
		c.send(func(b []byte) []byte { return appendEmpty(b, 'c') })
	}
	p.tag = p.rows.Tag()
	if _, ok := p.rows.(Cursor); ok {
		return false, sent, nil
	}
	return false, sent, p.close()
}

// open runs p's statement up to where its rows can be pulled; announce, when
// not nil, is what the client hears before the first one.
func (c *conn) open(p *portal, announce func([]byte) []byte) error {
	rows, err := p.stmt.Query(p.ctx, p.args)
	if err != nil {
		return err
	}
	p.rows = rows
	if out, ok := rows.(CopyOut); ok {
		p.copy = true
		format, columns := out.CopyFormat()
		c.send(func(b []byte) []byte { return appendCopyResponse(b, 'H', format, columns) })
		return nil
	}
	if p.cols == nil {
		return nil
	}
	p.enc = newRowEncoder(p.cols, p.formats, c.session.Format())
	if announce != nil {
		c.send(announce)
	}
	return nil
}

// pump sends rows until the end, the limit, or a pause of an endless query.
// Rows that were sent wait for company no longer than flushDelay while the
// engine has nothing, and not at all when the engine says so by an empty batch.
func (c *conn) pump(p *portal, limit int) (suspended bool, sent int64, err error) {
	endless := false
	if cont, ok := p.rows.(Continuous); ok {
		endless = cont.Continuous()
	}
	ending, _ := p.rows.(Ended)
	for {
		if p.batch == nil || p.pos >= p.batch.Rows() {
			if p.batch != nil && ending != nil && ending.Ended() {
				return false, sent, nil
			}
			// Before the first row of a result with an end the watch sees to
			// it: a timer costs as much as a short statement.
			if sent > 0 || endless {
				c.out.flushSoon()
			}
			b, err := p.rows.Next(p.ctx)
			if errors.Is(err, io.EOF) {
				return false, sent, nil
			}
			if err != nil {
				return false, sent, err
			}
			p.batch, p.pos = b, 0
			if b.Rows() == 0 {
				if endless && limit > 0 && sent > 0 {
					return true, sent, nil
				}
				c.out.flush()
				continue
			}
		}
		n := p.batch.Rows() - p.pos
		if limit > 0 {
			n = min(n, limit-int(sent))
		}
		if err := c.sendRows(p, n); err != nil {
			return false, sent, err
		}
		sent += int64(n)
		if p.ctx.Err() != nil { // also when the engine never looks
			return false, sent, context.Cause(p.ctx)
		}
		if limit > 0 && sent == int64(limit) {
			return true, sent, nil
		}
	}
}

// sendRows appends the next n rows of p's batch, writing whenever a buffer is
// full.
func (c *conn) sendRows(p *portal, n int) error {
	if p.enc == nil && !p.copy {
		return fmt.Errorf("rows of a statement without result columns: %T", p.rows)
	}
	o := c.out
	o.lock()
	defer o.unlock() // the encoder may panic over a malformed batch
	for end := p.pos + n; p.pos < end; p.pos++ {
		i := p.pos
		if p.batch.Sel != nil {
			i = int(p.batch.Sel[i])
		}
		if p.copy {
			o.buf = appendCopyData(o.buf, p.batch.Cols[0], i)
		} else {
			b, err := p.enc.appendRow(o.buf, p.batch, i)
			if err != nil {
				return err
			}
			o.buf = b
		}
		if len(o.buf) >= flushSize {
			o.write()
			if o.err != nil {
				return errClientGone
			}
		}
	}
	return nil
}
