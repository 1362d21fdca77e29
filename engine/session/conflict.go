package session

import (
	"slices"

	"velostream/catalog/types"
	"velostream/engine/sql/expr"
	"velostream/engine/sql/plan"
	"velostream/pgwire/pgerror"
	"velostream/storage/column"
	"velostream/storage/rowenc"
)

// insertOrUpdate is INSERT with ON CONFLICT, and UPSERT: row by row, because
// each row sees what the ones before did.
func (c *changeRun) insertOrUpdate(b *column.Batch) (int, *column.Batch, error) {
	ts := c.Target.Types()
	result := column.NewBuilder(ts, b.Rows())
	count := 0
	if c.conflict.Query != nil {
		if err := c.computeUpdates(b); err != nil {
			return 0, nil, err
		}
	}
	for i := range b.Each {
		there, err := c.tx.Conflicting(c.Target.ID, b, i, c.conflict.Arbiters)
		if err != nil {
			return count, nil, err
		}
		one := &column.Batch{Cols: b.Cols, N: b.N, Sel: []int32{int32(i)}}
		if there != nil {
			if err := c.tx.Check(c.Target.ID, one); err != nil {
				return count, nil, err
			}
		}
		switch {
		case there == nil:
			if _, err := c.tx.Insert(c.Target.ID, one, false); err != nil {
				return count, nil, err
			}
			count++
			result.AppendRow(b, i, column.Insert)
			if _, err := c.touch(b, i); err != nil {
				return count, nil, err
			}
		case c.conflict.DoNothing:
		default:
			row, err := c.replace(b, i, there)
			if err != nil {
				return count, nil, err
			}
			if row != nil {
				count++
				result.AppendRow(row, 0, column.Insert)
			}
		}
	}
	return count, result.Batch(), nil
}

// touch notes that the statement has written a row with the arbiter's values, and
// reports that it had before.
func (c *changeRun) touch(b *column.Batch, i int) (bool, error) {
	if c.conflict.Columns == nil {
		return false, nil
	}
	cols := b.Cols
	if slices.Max(c.conflict.Columns) >= len(c.Target.Columns) {
		full, err := c.tx.Derived(c.Target.ID, &column.Batch{Cols: cols, N: b.N, Sel: []int32{int32(i)}})
		if err != nil {
			return false, err
		}
		cols = full.Cols
	}
	key := string(rowenc.AppendKey(nil, cols, c.conflict.Columns, i))
	had := c.seen[key]
	c.seen[key] = true
	return had, nil
}

// replace puts row i of b, or what DO UPDATE makes of it, in the place of the
// stored row that it conflicts with. nil: DO UPDATE's WHERE said no.
func (c *changeRun) replace(b *column.Batch, i int, stored []byte) (*column.Batch, error) {
	ts := c.Target.Types()
	old := column.NewBuilder(ts, 1)
	if err := rowenc.DecodeRow(stored, old); err != nil {
		return nil, err
	}
	old.Row(column.Insert)
	again, err := c.touch(b, i)
	if err != nil {
		return nil, err
	}
	if (again || c.others.Has(c.Target.ID, old.Batch().Cols, 0)) && !c.conflict.Overwrite {
		return nil, pgerror.New(pgerror.CardinalityViolation, "ON CONFLICT DO UPDATE command cannot affect row a second time").
			WithHint("Ensure that no rows proposed for insertion within the same command have duplicate constrained values.")
	}
	fresh := column.NewBuilder(ts, 1)
	fresh.AppendRow(b, i, column.Insert)
	next := fresh.Batch()
	if !c.conflict.Overwrite {
		both := &column.Batch{Cols: append(append([]*column.Column(nil), old.Batch().Cols...), next.Cols...), N: 1}
		var err error
		if next, err = c.updated(old.Batch(), both, i); next == nil || err != nil {
			return nil, err
		}
		if err := c.recompute(c.conflict.Computed, next); err != nil {
			return nil, err
		}
	}
	if _, err := c.tx.Update(c.Target.ID, old.Batch(), next); err != nil {
		return nil, err
	}
	return next, nil
}

// computedUpdates are what the query of a DO UPDATE gives for the rows of a batch that
// are in the way of new ones.
type computedUpdates struct {
	asked  map[int]bool // rows of the batch that have a row in the way
	values *column.Batch
	at     map[int]int // where in values their own are; none: WHERE said no
}

// computeUpdates runs the query of a DO UPDATE for the rows of b, all at once: no row is
// changed twice by a statement, so that none of b changes what another one gives.
func (c *changeRun) computeUpdates(b *column.Batch) error {
	n := len(c.Target.Columns)
	ts := append(append(c.Target.Types(), c.Target.Types()...), types.Int8)
	rows := column.NewBuilder(ts, b.Rows())
	u := &computedUpdates{asked: map[int]bool{}, at: map[int]int{}}
	for i := range b.Each {
		there, err := c.tx.Conflicting(c.Target.ID, b, i, c.conflict.Arbiters)
		if err != nil {
			return err
		}
		if there == nil {
			continue
		}
		old := column.NewBuilder(c.Target.Types(), 1)
		if err := rowenc.DecodeRow(there, old); err != nil {
			return err
		}
		old.Row(column.Insert)
		for j := range n {
			rows.Col(j).AppendFrom(old.Batch().Cols[j], 0)
			rows.Col(n+j).AppendFrom(b.Cols[j], i)
		}
		rows.Col(2 * n).Append(types.IntDatum(int64(i)))
		rows.Row(column.Insert)
		u.asked[i] = true
	}
	if len(u.asked) > 0 {
		var err error
		if u.values, err = c.statement.compute(c.ctx, c.values, c.conflict.Query.ID, rows.Batch()); err != nil {
			return err
		}
		numbers := u.values.Cols[len(c.conflict.Set)]
		for k := range u.values.Each {
			u.at[int(numbers.Datum(k).I)] = k
		}
	}
	c.updates = u
	return nil
}

// computedRow is the old row with what computeUpdates found for row i of the batch, nil: nothing.
func (c *changeRun) computedRow(old *column.Batch, i int) (*column.Batch, error) {
	if !c.updates.asked[i] {
		return nil, pgerror.New(pgerror.InternalError, "row %d of the batch has come in the way of itself", i)
	}
	k, ok := c.updates.at[i]
	if !ok {
		return nil, nil
	}
	next := &column.Batch{Cols: append([]*column.Column(nil), old.Cols...), N: 1}
	for v, j := range c.conflict.Set {
		next.Cols[j] = column.Constant(old.Cols[j].Type, cloneDatum(c.updates.values.Cols[v].Datum(k)))
	}
	return next, nil
}

// updated is the old row with the assignments of DO UPDATE; nil when its WHERE
// is not true. i is the new row's place in its batch.
func (c *changeRun) updated(old, both *column.Batch, i int) (*column.Batch, error) {
	if c.conflict.Query != nil {
		return c.computedRow(old, i)
	}
	if c.set == nil {
		if err := c.compile(); err != nil {
			return nil, err
		}
	}
	if c.when != nil {
		sel, err := c.when.EvalFilter(c.env, both, nil)
		if err != nil || len(sel) == 0 {
			return nil, err
		}
	}
	next := &column.Batch{Cols: append([]*column.Column(nil), old.Cols...), N: 1}
	for k, j := range c.conflict.Set {
		v, err := c.set[k].Eval(c.env, both, nil)
		if err != nil {
			return nil, err
		}
		next.Cols[j] = column.Constant(old.Cols[j].Type, cloneDatum(v.Datum(0)))
	}
	return next, nil
}

// recompute puts the values of the computed columns, nil for the others, into the row
// that is alone in its batch. They are the same for all of a run.
func (c *changeRun) recompute(computed []expr.Expr, row *column.Batch) error {
	if c.computed == nil {
		c.computed = make([]*expr.Evaluator, len(computed))
		for i, e := range computed {
			if e == nil {
				continue
			}
			var err error
			if c.computed[i], err = expr.Compile(e); err != nil {
				return err
			}
		}
	}
	for j, ev := range c.computed {
		if ev == nil {
			continue
		}
		v, err := ev.Eval(c.env, row, nil)
		if err != nil {
			return err
		}
		row.Cols[j] = column.Constant(row.Cols[j].Type, cloneDatum(v.Datum(0)))
	}
	return nil
}

func cloneDatum(d types.Datum) types.Datum {
	d.B = append([]byte(nil), d.B...)
	return d
}

func (c *changeRun) compile() error {
	var err error
	if c.conflict.Where != nil {
		if c.when, err = expr.Compile(c.conflict.Where); err != nil {
			return err
		}
	}
	for _, e := range c.conflict.Exprs {
		ev, err := expr.Compile(e)
		if err != nil {
			return err
		}
		c.set = append(c.set, ev)
	}
	return nil
}

// bindParams puts the arguments into the plan and what is beside it: RETURNING, DO UPDATE,
// the branches of MERGE, the parts of WITH.
func (c *change) bindParams(args []types.Datum) (*change, error) {
	out := *c
	var err error
	for _, p := range []**plan.Physical{&out.physical, &out.returning, &out.values} {
		if *p != nil {
			if *p, err = (*p).BindParams(args); err != nil {
				return nil, err
			}
		}
	}
	out.with = make([]*change, len(c.with))
	for i, w := range c.with {
		if out.with[i], err = w.bindParams(args); err != nil {
			return nil, err
		}
	}
	bind := func(list []expr.Expr) ([]expr.Expr, error) {
		bound := make([]expr.Expr, len(list))
		for i, e := range list {
			var err error
			if bound[i], err = expr.BindParams(e, args); err != nil {
				return nil, err
			}
		}
		return bound, nil
	}
	if c.Returning != nil {
		exprs, err := bind(c.Returning.Exprs)
		if err != nil {
			return nil, err
		}
		bound := *c.Returning
		bound.Exprs = exprs
		out.Returning = &bound
	}
	if c.merge != nil {
		if out.merge, err = bindMerge(c.merge, bind); err != nil {
			return nil, err
		}
	}
	if c.rows != nil {
		k := *c.rows
		for _, e := range []*expr.Expr{&k.count, &k.offset} {
			if *e != nil {
				if *e, err = expr.BindParams(*e, args); err != nil {
					return nil, err
				}
			}
		}
		out.rows = &k
	}
	if c.conflict != nil {
		k := *c.conflict
		if k.Exprs, err = bind(k.Exprs); err != nil {
			return nil, err
		}
		if k.Where != nil {
			if k.Where, err = expr.BindParams(k.Where, args); err != nil {
				return nil, err
			}
		}
		out.conflict = &k
	}
	return &out, nil
}

// returning collects the rows that a change gives, those of its RETURNING list, as
// long as they fit into the memory of a query.
type returning struct {
	env   *expr.Env
	evals []*expr.Evaluator // nil: the rows as they are
	// numbered: they get numbers, for the query that makes the list of them.
	numbered bool
	b        *column.Builder
	max      int64 // bytes
}

// newReturning returns nil where the change gives no rows.
func newReturning(c *change, env *expr.Env, memory int64) (*returning, error) {
	if c.out == nil {
		return nil, nil
	}
	out := &returning{env: env, b: column.NewBuilder(c.out.Types(), 0), max: memory}
	switch {
	case c.Returning == nil:
		return out, nil
	case c.returning != nil:
		out.numbered = true
		out.b = column.NewBuilder(append(c.Returning.In.Types(), types.Int8), 0)
		return out, nil
	}
	for _, e := range c.Returning.Exprs {
		ev, err := expr.Compile(e)
		if err != nil {
			return nil, err
		}
		out.evals = append(out.evals, ev)
	}
	return out, nil
}

func (r *returning) add(rows *column.Batch) error {
	if r == nil || rows == nil {
		return nil
	}
	if r.numbered {
		n := r.b.Batch().N
		last := len(r.b.Batch().Cols) - 1
		for i := range rows.Each {
			for j := range last {
				r.b.Col(j).AppendFrom(rows.Cols[j], i)
			}
			r.b.Col(last).Append(types.IntDatum(int64(n)))
			r.b.Row(column.Insert)
			n++
		}
		return r.fits()
	}
	if r.evals == nil {
		for i := range rows.Each {
			r.b.AppendRow(rows, i, column.Insert)
		}
		return r.fits()
	}
	cols := make([]*column.Column, len(r.evals))
	for j, ev := range r.evals {
		var err error
		if cols[j], err = ev.Eval(r.env, rows, rows.Sel); err != nil {
			return err
		}
	}
	for i := range rows.Each {
		for j, c := range cols {
			r.b.Col(j).AppendFrom(c, i)
		}
		r.b.Row(column.Insert)
	}
	return r.fits()
}

func (r *returning) fits() error {
	if r.max > 0 && r.b.Batch().MemSize() > r.max {
		return pgerror.New(pgerror.OutOfMemory, "the rows that the statement gives need more than its memory budget of %d MB", r.max>>20).
			WithHint("Raise query_memory, or change fewer rows at a time.")
	}
	return nil
}
