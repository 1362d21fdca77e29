package session

import (
	"context"
	"time"

	"velostream/catalog/types"
	"velostream/pgwire"
	"velostream/pgwire/pgerror"
	"velostream/storage/column"
)

// limited puts statement_timeout over a statement. What it is set to counts
// when the statement is run.
func (s *Session) limited(st pgwire.Statement) pgwire.Statement {
	if _, ok := st.(pgwire.CopyIn); ok {
		return st // it waits for the client
	}
	return &limitedStatement{st, s}
}

type limitedStatement struct {
	pgwire.Statement
	s *Session
}

// Binary implements pgwire.Binary.
func (l *limitedStatement) Binary() bool {
	b, ok := l.Statement.(pgwire.Binary)
	return ok && b.Binary()
}

// Query implements pgwire.Statement.
func (l *limitedStatement) Query(ctx context.Context, args []types.Datum) (pgwire.Rows, error) {
	d := l.s.settings.timeout("statement_timeout")
	if d <= 0 {
		return l.Statement.Query(ctx, args)
	}
	until := time.Now().Add(d)
	ctx, cancel := context.WithDeadlineCause(ctx, until, timedOut())
	rows, err := l.Statement.Query(ctx, args)
	if err != nil {
		cancel()
		return nil, err
	}
	r := &limitedRows{rows, until, cancel}
	if c, ok := rows.(pgwire.CopyOut); ok {
		return &limitedCopy{r, c}, nil
	}
	return r, nil
}

// timedOut is why a statement ended that took too long.
func timedOut() error {
	return pgerror.New(pgerror.QueryCanceled, "canceling statement due to statement timeout")
}

// limitedRows end at a moment.
type limitedRows struct {
	pgwire.Rows
	until  time.Time
	cancel context.CancelFunc
}

// Next implements pgwire.Rows.
func (r *limitedRows) Next(ctx context.Context) (*column.Batch, error) {
	ctx, cancel := context.WithDeadlineCause(ctx, r.until, timedOut())
	defer cancel()
	b, err := r.Rows.Next(ctx)
	if err != nil && ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	return b, err
}

// Close implements pgwire.Rows.
func (r *limitedRows) Close() error {
	r.cancel()
	return r.Rows.Close()
}

// Continuous says whether the rows have no end.
func (r *limitedRows) Continuous() bool {
	k, ok := r.Rows.(interface{ Continuous() bool })
	return ok && k.Continuous()
}

// limitedCopy is limitedRows of a COPY.
type limitedCopy struct {
	*limitedRows
	copy pgwire.CopyOut
}

// CopyFormat implements pgwire.CopyOut.
func (l *limitedCopy) CopyFormat() (byte, int) { return l.copy.CopyFormat() }
