package pgwire

import (
	"context"
)

// simpleQuery answers a Query message: all statements in the string, in one
// implicit transaction, up to the first error.
func (c *conn) simpleQuery(sql string) {
	c.srv.count.simple.Add(1)
	c.setActive(sql)
	c.dropPortal("")
	delete(c.stmts, "")

	ctx, cancel := context.WithCancelCause(c.ctx)
	defer cancel(nil)
	end := c.begun(cancel)
	synced, err := c.script(ctx, cancel, sql)
	if err != nil {
		c.sendError(explain(ctx, err))
	}
	if !synced && c.ctx.Err() == nil {
		// Not under ctx: a cancelled statement still has to be rolled back.
		if err := c.session.Sync(c.ctx, true); err != nil && c.ctx.Err() == nil {
			c.sendError(explain(c.ctx, err))
		}
	}
	end()
	c.endBatch()
}

// script runs the statements of sql. It reports whether the session was told
// the end (Sync), which happens before the last CommandComplete: that tag
// promises that the implicit transaction was committed.
func (c *conn) script(ctx context.Context, cancel context.CancelCauseFunc, sql string) (synced bool, err error) {
	if err := checkText(sql); err != nil {
		return false, err
	}
	all, err := c.session.Parse(sql)
	if err != nil {
		return false, err
	}
	stmts := all[:0:0]
	for _, p := range all {
		if !p.Empty() {
			stmts = append(stmts, p)
		}
	}
	if len(stmts) == 0 {
		if err := c.session.Sync(ctx, false); err != nil {
			return true, err
		}
		c.send(func(b []byte) []byte { return appendEmpty(b, 'I') })
		return true, nil
	}
	for i, p := range stmts {
		c.hint(i == len(stmts)-1)
		stop := c.limitStatement(cancel)
		tag, rows, err := c.simpleStatement(ctx, p)
		stop()
		if err == nil && ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		if err != nil {
			return false, err
		}
		if i == len(stmts)-1 {
			if err := c.session.Sync(ctx, false); err != nil {
				return true, err
			}
		}
		c.send(func(b []byte) []byte { return appendCommandComplete(b, tag, rows) })
	}
	return true, nil
}

// simpleStatement runs one statement and sends its rows, all in text format but
// for those of a binary cursor;
// it returns the tag and how many rows there were.
func (c *conn) simpleStatement(ctx context.Context, p Parsed) (tag string, rows int64, err error) {
	stmt, err := c.session.Prepare(ctx, p, nil)
	if err != nil {
		return "", 0, err
	}
	before := c.session.TxStatus()
	po := &portal{stmt: stmt, cols: stmt.Columns(), ctx: ctx, cancel: func(error) {}}
	if b, ok := stmt.(Binary); ok && b.Binary() {
		po.formats = []int16{1}
	}
	defer c.closePortal(po)
	_, rows, err = c.run(po, 0, true)
	if err != nil {
		return "", 0, err
	}
	c.afterStatement(before, nil)
	return po.tag, rows, nil
}

// send appends a message.
func (c *conn) send(appendTo func([]byte) []byte) {
	c.out.lock()
	c.out.buf = appendTo(c.out.buf)
	c.out.unlock()
}

// afterStatement destroys the portals of a transaction that the statement
// just run has ended; keep is the portal it ran in.
func (c *conn) afterStatement(before byte, keep *portal) {
	if before == 'I' || c.session.TxStatus() != 'I' {
		return
	}
	for name, p := range c.portals {
		if p != keep && !p.hold {
			c.closePortal(p)
			delete(c.portals, name)
		}
	}
}

// sync answers a Sync message: the end of a batch, and of the implicit
// transaction.
func (c *conn) sync() {
	ctx, cancel := c.operation()
	end := c.begun(cancel)
	if c.failed {
		ctx = c.ctx // a rollback is not cancelled
	}
	if err := c.session.Sync(ctx, c.failed); err != nil {
		c.sendError(explain(ctx, err))
	}
	end()
	c.endBatch()
}

// endBatch makes all ready for the next request.
func (c *conn) endBatch() {
	c.skip, c.failed, c.inBatch = false, false, false
	if c.ctx.Err() != nil {
		return
	}
	if c.session.TxStatus() == 'I' {
		c.closePortals(false)
	}
	c.ready()
}
