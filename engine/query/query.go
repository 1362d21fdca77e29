// Package query runs a bounded plan: the same operators as a job's, over a
// snapshot, ended by the greatest watermark and one barrier. Results are
// pulled: the operators run only while Next is called, in the caller's
// goroutine, so a reader that stops costs nothing.
package query

import (
	"context"
	"errors"
	"io"
	"iter"

	"velostream/catalog/types"

	"velostream/engine/dataflow"
	"velostream/engine/operator"
	"velostream/engine/sql/plan"
	"velostream/pgwire/pgerror"
	"velostream/storage/column"
	"velostream/storage/spool"
	"velostream/storage/state"
)

// Scan yields the rows of one scan of the plan, in batches of the scan's
// columns, each valid until the next.
type Scan func(p *plan.Physical) iter.Seq2[*column.Batch, error]

// Rows is a running query. For one goroutine.
type Rows struct {
	next func() (*column.Batch, error, bool)
	stop func()
	ctx  context.Context
	err  error
	disk *spool.Disk // nil: none, or that of the query around
}

// errStopped ends the operators when the reader has gone.
var errStopped = errors.New("query: stopped")

// Run starts the bounded plan p. Nothing is read before the first Next. ctx.Disk is the
// query's from here on, also after an error. m, where it is not nil, measures the nodes of p.
func Run(p *plan.Physical, scan Scan, ctx operator.BuildContext, m *Measure) (*Rows, error) {
	t := dataflow.NewTree()
	r := &Rows{ctx: context.Background(), disk: ctx.Disk}
	if ctx.Disk != nil {
		ctx.Disk.Interrupt = r.interrupted
	}
	if m != nil {
		m.disk = ctx.Disk
	}
	if err := r.start(t, p, scan, ctx, m); err != nil {
		return nil, errors.Join(err, r.closeDisk())
	}
	return r, nil
}

// nested is Run of a part of a query, which has the query's disk space.
func nested(p *plan.Physical, scan Scan, ctx operator.BuildContext, m *Measure) (*Rows, error) {
	r := &Rows{ctx: context.Background()}
	if err := r.start(dataflow.NewTree(), p, scan, ctx, m); err != nil {
		return nil, err
	}
	return r, nil
}

// start builds the operators.
func (r *Rows) start(t *dataflow.Tree, p *plan.Physical, scan Scan, ctx operator.BuildContext, m *Measure) error {
	if computed(p, nil) {
		r.startComputed(p, scan, ctx, m)
		return nil
	}
	bl := &builder{tree: t, ctx: ctx, measure: m, shared: map[int]dataflow.Ref{}, keys: map[*plan.Physical]func() ([]types.Datum, bool){}}
	root, err := bl.build(p)
	if err != nil {
		return err
	}
	read := func(p *plan.Physical) iter.Seq2[*column.Batch, error] {
		if p.Op != plan.OpRecursive {
			return m.scan(p, scan(narrowed(p, bl.keys[p])))
		}
		rec := &recursion{p: p, scan: scan, ctx: ctx, measure: m, run: func() context.Context { return r.ctx }}
		return m.scan(p, rec.rows)
	}
	r.next, r.stop = iter.Pull2(func(yield func(*column.Batch, error) bool) {
		t.Finish(root, dataflow.OutputFunc(m.root(func(b *column.Batch) error {
			if b.Rows() > 0 && !yield(b, nil) {
				return errStopped
			}
			return nil
		})))
		if err := r.drive(t, finished(t, p), bl.leaves, read); err != nil && !errors.Is(err, errStopped) {
			yield(nil, err)
		}
	})
	return nil
}

// interrupted is why the reader does not want more.
func (r *Rows) interrupted() error {
	if r.ctx.Err() != nil {
		return context.Cause(r.ctx)
	}
	return nil
}

func (r *Rows) closeDisk() error {
	if r.disk == nil {
		return nil
	}
	return r.disk.Close()
}

// limited is err as clients see it.
func limited(err error) error {
	full, ok := errors.AsType[spool.ErrFull](err)
	if !ok {
		return err
	}
	return pgerror.New(pgerror.ConfigurationLimitExceeded, "temporary file size exceeds temp_file_limit (%dkB)", full.Bytes>>10).
		WithHint("Raise temp_file_limit, or query_memory so that less goes to disk, or reduce the rows with a WHERE clause.")
}

// drive pushes all rows through the operators, one leaf after another.
func (r *Rows) drive(t *dataflow.Tree, done func() bool, leaves []leaf, scan Scan) error {
	epoch := state.Epoch{ID: 1}
	for _, l := range leaves {
		if l.scan == nil {
			if err := t.Run(l.ref, epoch); err != nil {
				return err
			}
			continue
		}
		for b, err := range scan(l.scan) {
			if err != nil {
				return err
			}
			if err := r.interrupted(); err != nil {
				return err
			}
			if err := t.Push(l.input, b); err != nil {
				return err
			}
			if done() {
				return nil
			}
		}
		if err := t.End(l.input, epoch); err != nil {
			return err
		}
	}
	return nil
}

// finished tells when a LIMIT that all rows go through has had enough: then
// nothing that is left to read can change the result.
func finished(t *dataflow.Tree, p *plan.Physical) func() bool {
	above := 0
	for p.Op == plan.OpProject || p.Op == plan.OpFilter {
		above, p = above+1, p.Inputs[0]
	}
	if p.Op == plan.OpLimit {
		ops := t.Operators()
		if d, ok := ops[len(ops)-1-above].(operator.Done); ok {
			return d.Done
		}
	}
	return func() bool { return false }
}

// Next returns the next batch, valid until the next call; io.EOF ends.
func (r *Rows) Next(ctx context.Context) (*column.Batch, error) {
	if r.err != nil {
		return nil, r.err
	}
	r.ctx = ctx
	b, err, ok := r.next()
	switch {
	case !ok:
		r.err = io.EOF
	case err != nil:
		r.err = limited(err)
	default:
		return b, nil
	}
	return nil, r.err
}

// Close ends the query and frees its disk space.
func (r *Rows) Close() error {
	r.stop()
	return r.closeDisk()
}

// builder makes the tree of a plan.
type builder struct {
	tree   *dataflow.Tree
	ctx    operator.BuildContext
	leaves []leaf // in the order in which they are read
	shared map[int]dataflow.Ref
	keys   map[*plan.Physical]func() ([]types.Datum, bool) // of scans that are read by the keys of a join

	measure *Measure
}

// leaf is where rows come from: a scan that is given to an input, or an operator without
// inputs.
type leaf struct {
	scan  *plan.Physical
	input int
	ref   dataflow.Ref
}

// build adds p and what it reads; what several nodes share is added once.
func (b *builder) build(p *plan.Physical) (dataflow.Ref, error) {
	if p.Shared == 0 {
		return b.node(p)
	}
	if r, ok := b.shared[p.Shared]; ok {
		return r, nil
	}
	r, err := b.node(p)
	b.shared[p.Shared] = r
	return r, err
}

func (b *builder) node(p *plan.Physical) (dataflow.Ref, error) {
	switch p.Op {
	case plan.OpScan, plan.OpRecursive, plan.OpWorkTable:
		b.leaves = append(b.leaves, leaf{scan: p, input: b.tree.Inputs()})
		return b.tree.Input(), nil
	default:
	}
	in := make([]dataflow.Ref, len(p.Inputs))
	for i := range p.Inputs {
		if p.Op == plan.OpJoin && rightFirst(p) {
			i = 1 - i
		}
		var err error
		if in[i], err = b.build(p.Inputs[i]); err != nil {
			return in[i], err
		}
	}
	if p.Op == plan.OpExchange {
		return in[0], nil
	}
	op, err := operator.Build(p, b.ctx)
	if err != nil {
		return dataflow.Ref{}, err
	}
	if p.Op == plan.OpJoin {
		b.keyed(p, 0, op)
		b.keyed(p, 1, op)
	}
	r := b.tree.Add(b.measure.operator(p, op), in...)
	if len(in) == 0 {
		b.leaves = append(b.leaves, leaf{ref: r})
	}
	return r, nil
}
