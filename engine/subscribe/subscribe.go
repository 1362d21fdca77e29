// Package subscribe runs a continuous query for one client: its rows arrive as
// the engine makes them and never end by themselves.
//
// Only rows that enter the result are sent; a changed group is sent as its new
// row. A client that reads too slowly is ended with an error once its buffer is
// full: it never slows the engine.
package subscribe

import (
	"context"
	"io"

	"velostream/engine/job"
	"velostream/engine/sql/expr"
	"velostream/engine/sql/plan"
	"velostream/pgwire/pgerror"
	"velostream/storage/column"
)

// Options say where a continuous query begins.
type Options = job.SubscribeOptions

// Rows is a running continuous query; it implements pgwire.Rows. For one
// goroutine.
type Rows struct {
	sub     *job.Subscription
	visible []int
	left    int64 // rows until LIMIT ends the query, -1: no limit
	queue   []*column.Batch
	waited  bool // the server was told that nothing is at hand
	out     column.Batch
}

// Run starts the continuous plan p; visible are the columns the client sees.
func Run(ctx context.Context, m *job.Manager, p *plan.Physical, visible []int, o Options) (*Rows, error) {
	r := &Rows{visible: visible, left: -1}
	if p.Op == plan.OpLimit {
		n, err := limit(p)
		if err != nil {
			return nil, err
		}
		r.left, p = n, p.Inputs[0]
	}
	var err error
	if r.sub, err = m.Subscribe(ctx, p, o); err != nil {
		return nil, err
	}
	return r, nil
}

// limit evaluates LIMIT n of a continuous query.
func limit(p *plan.Physical) (int64, error) {
	if p.Offset != nil {
		return 0, pgerror.Unsupported("OFFSET in a continuous query is not supported")
	}
	if p.Count == nil {
		return -1, nil
	}
	d, err := expr.EvalConst(p.Count, nil)
	if err != nil {
		return 0, err
	}
	if d.Null {
		return -1, nil
	}
	if d.I < 0 {
		return 0, pgerror.New("2201W", "LIMIT must not be negative")
	}
	return d.I, nil
}

// Continuous says that the query has no end: a portal on it may be suspended
// early.
func (r *Rows) Continuous() bool { return true }

// Next implements pgwire.Rows: an empty batch when nothing is at hand, then
// it waits.
func (r *Rows) Next(ctx context.Context) (*column.Batch, error) {
	for {
		if r.left == 0 {
			return nil, io.EOF
		}
		if len(r.queue) > 0 {
			b := r.queue[0]
			r.queue, r.waited = r.queue[1:], false
			return r.shown(b), nil
		}
		out, err := r.sub.TryNext()
		if err == nil && len(out) == 0 {
			if !r.waited {
				r.waited = true
				r.out = column.Batch{}
				return &r.out, nil
			}
			out, err = r.sub.Next(ctx)
		}
		if err != nil {
			return nil, err
		}
		for _, c := range out {
			for _, b := range c.Batches {
				if b.Ops == nil {
					r.queue = append(r.queue, b)
				}
			}
		}
	}
}

// shown gives what the client sees of b, up to the limit.
func (r *Rows) shown(b *column.Batch) *column.Batch {
	cols := r.out.Cols[:0]
	for _, j := range r.visible {
		cols = append(cols, b.Cols[j])
	}
	r.out = column.Batch{Cols: cols, N: b.N, Sel: b.Sel}
	if r.left >= 0 {
		if n := int64(r.out.Rows()); n > r.left {
			r.out.Sel = b.Select(nil)[:r.left]
		}
		r.left -= int64(r.out.Rows())
	}
	return &r.out
}

// Tag implements pgwire.Rows.
func (r *Rows) Tag() string { return "SELECT " }

// Close implements pgwire.Rows.
func (r *Rows) Close() error { return r.sub.Close() }
