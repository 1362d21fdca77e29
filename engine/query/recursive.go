package query

import (
	"context"
	"errors"
	"io"
	"iter"
	"slices"

	"velostream/engine/operator"
	"velostream/engine/sql/plan"
	"velostream/pgwire/pgerror"
	"velostream/storage/column"
	"velostream/storage/rowenc"
)

// maxRounds ends a recursive query that does not end by itself.
const maxRounds = 1_000_000

// recursion runs WITH RECURSIVE: base, then step over the rows of the round before
// until a round gives none. The rows are yielded round by round, so a LIMIT above ends
// it. What the step reads besides the last round is computed once and kept, where it
// fits into memory.
type recursion struct {
	p    *plan.Physical
	scan Scan
	ctx  operator.BuildContext
	run  func() context.Context

	measure *Measure

	work  *column.Batch
	kept  map[int]*column.Batch // by negative Recursion of a work table
	seen  map[string]struct{}
	key   []byte
	bytes int64
}

func (r *recursion) budget() int64 {
	if r.ctx.MemoryBudget > 0 {
		return r.ctx.MemoryBudget
	}
	return 256 << 20
}

// rows is the Scan of an OpRecursive node.
func (r *recursion) rows(yield func(*column.Batch, error) bool) {
	if r.p.Distinct {
		r.seen = map[string]struct{}{}
	}
	ok, err := r.round(r.p.Inputs[0], yield)
	if err != nil {
		yield(nil, err)
		return
	}
	step := r.p.Inputs[1]
	for n := 0; ok && r.work.N > 0; n++ {
		if n == 0 {
			if step, err = r.keep(step); err != nil {
				yield(nil, err)
				return
			}
		}
		if n == maxRounds {
			yield(nil, pgerror.New(pgerror.StatementTooComplex, "recursive query %q did not end after %d rounds", r.p.Name, maxRounds).
				WithHint("Add a condition that ends the recursion, or UNION instead of UNION ALL where rows come round again."))
			return
		}
		if ok, err = r.round(step, yield); err != nil {
			yield(nil, err)
			return
		}
	}
}

// round runs p, whose rows become those of the work table.
func (r *recursion) round(p *plan.Physical, yield func(*column.Batch, error) bool) (bool, error) {
	next := column.NewBuilder(r.p.Types(), 0)
	err := r.collect(p, func(b *column.Batch) error {
		for i := range b.Each {
			if r.seen != nil && !r.fresh(b, i) {
				continue
			}
			next.AppendRow(b, i, column.Insert)
		}
		if r.bytes+next.Batch().MemSize() > r.budget() {
			return pgerror.New(pgerror.OutOfMemory, "recursive query %q needs more than its memory budget of %d MB", r.p.Name, r.budget()>>20).
				WithHint("Add a condition that ends the recursion sooner.")
		}
		return nil
	})
	if err != nil {
		return false, err
	}
	r.work = next.Batch()
	return r.work.N == 0 || yield(r.work, nil), nil
}

// fresh notes row i and reports that it was not there before.
func (r *recursion) fresh(b *column.Batch, i int) bool {
	r.key = r.key[:0]
	for _, c := range b.Cols[:len(r.p.Out)] {
		r.key = rowenc.AppendKeyColumn(r.key, c, c.At(i), rowenc.Order{})
	}
	if _, ok := r.seen[string(r.key)]; ok {
		return false
	}
	r.seen[string(r.key)] = struct{}{}
	r.bytes += int64(len(r.key)) + 32
	return true
}

// collect runs p and gives its batches to f.
func (r *recursion) collect(p *plan.Physical, f func(*column.Batch) error) error {
	rows, err := nested(p, r.scans, r.ctx, r.measure)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for {
		b, err := rows.Next(r.run())
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := f(b); err != nil {
			return err
		}
	}
}

// scans reads the last round and what is kept; all else is the caller's.
func (r *recursion) scans(p *plan.Physical) iter.Seq2[*column.Batch, error] {
	if p.Op != plan.OpWorkTable || p.Recursion > 0 && p.Recursion != r.p.Recursion {
		return r.scan(p)
	}
	b := r.work
	if p.Recursion < 0 {
		b = r.kept[p.Recursion]
	}
	return func(yield func(*column.Batch, error) bool) { yield(b, nil) }
}

// keep replaces the parts of the step that do not depend on the last round by their
// rows.
func (r *recursion) keep(p *plan.Physical) (*plan.Physical, error) {
	switch {
	case p.Op == plan.OpWorkTable || p.Op == plan.OpValues || p.Op == plan.OpSeries:
		return p, nil
	case !r.readsWork(p):
		return r.materialise(p)
	}
	c := *p
	r.measure.same(&c, p)
	c.Inputs = make([]*plan.Physical, len(p.Inputs))
	for i, in := range p.Inputs {
		n, err := r.keep(in)
		if err != nil {
			return nil, err
		}
		c.Inputs[i] = n
	}
	return &c, nil
}

var errTooLarge = errors.New("query: too large to keep")

func (r *recursion) materialise(p *plan.Physical) (*plan.Physical, error) {
	b := column.NewBuilder(p.Types(), 0)
	err := r.collect(p, func(in *column.Batch) error {
		b.AppendRows(in, in.Select(nil), column.Insert)
		if r.bytes+b.Batch().MemSize() > r.budget()/4 {
			return errTooLarge
		}
		return nil
	})
	switch {
	case errors.Is(err, errTooLarge):
		return p, nil
	case err != nil:
		return nil, err
	}
	r.bytes += b.Batch().MemSize()
	if r.kept == nil {
		r.kept = map[int]*column.Batch{}
	}
	id := -len(r.kept) - 1
	r.kept[id] = b.Batch()
	return &plan.Physical{Op: plan.OpWorkTable, Out: p.Out, Recursion: id, AppendOnly: true, EventTime: -1, WindowEnd: -1}, nil
}

func (r *recursion) readsWork(p *plan.Physical) bool {
	if p.Op == plan.OpWorkTable && p.Recursion == r.p.Recursion {
		return true
	}
	return slices.ContainsFunc(p.Inputs, r.readsWork)
}
