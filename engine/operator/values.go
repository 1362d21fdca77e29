package operator

import (
	"velostream/catalog/types"
	"velostream/engine/dataflow"
	"velostream/engine/sql/expr"
	"velostream/engine/sql/plan"
	"velostream/pgwire/pgerror"
	"velostream/storage/column"
	"velostream/storage/state"
)

// once is the frame of operators without input: on shard 0 they emit all they have
// before the first Watermark or Barrier is passed on. With a table (continuous queries) a mark
// in it keeps them from doing so again after a restart.
//
// Table 0: 0x00 → version, when the rows were emitted.
type once struct {
	table state.Table
	idle  bool // nothing (more) to emit
	mark  bool // the table needs its mark
	rows  func(out dataflow.Output) error
}

func newOnce(p *plan.Physical, ctx BuildContext) (once, error) {
	o := once{table: ctx.table(p, 0), idle: ctx.Shard != 0}
	if !o.idle && o.table != nil && !o.table.Fresh() {
		v, err := o.table.Get([]byte{0})
		if err != nil {
			return o, err
		}
		o.idle = v != nil
	}
	return o, nil
}

func (o *once) run(out dataflow.Output) error {
	if o.idle {
		return nil
	}
	o.idle, o.mark = true, o.table != nil
	return o.rows(out)
}

// Process is never called: there is no input.
func (o *once) Process(int, *column.Batch, dataflow.Output) error { return nil }

// Watermark emits the rows, so that they come before what w says of them.
func (o *once) Watermark(_ dataflow.Watermark, out dataflow.Output) error { return o.run(out) }

// Barrier emits the rows if that was not done yet.
func (o *once) Barrier(e state.Epoch, out dataflow.Output) error {
	if err := o.run(out); err != nil {
		return err
	}
	if e.Flush && o.mark {
		o.mark = false
		return o.table.Put([]byte{0}, []byte{stateVersion})
	}
	return nil
}

// newValues makes the operator of constant rows; they are computed here, so errors
// in them are errors of Build.
func newValues(p *plan.Physical, ctx BuildContext) (dataflow.Operator, error) {
	o, err := newOnce(p, ctx)
	if err != nil || o.idle {
		return &o, err
	}
	b := column.NewBuilder(p.Types(), len(p.Rows))
	for _, row := range p.Rows {
		if len(row) != len(p.Out) {
			return nil, pgerror.New(pgerror.InternalError, "row of VALUES has %d columns, not %d", len(row), len(p.Out))
		}
		for j, e := range row {
			d, err := constDatum(ctx.Env, e)
			if err != nil {
				return nil, err
			}
			b.Col(j).Append(d)
		}
		b.Row(column.Insert)
	}
	o.rows = func(out dataflow.Output) error {
		all := b.Batch()
		for at := 0; at < all.N; at += maxBatch {
			part := column.Batch{N: all.N, Cols: all.Cols}
			for i := at; i < min(all.N, at+maxBatch); i++ {
				part.Sel = append(part.Sel, int32(i))
			}
			if all.N <= maxBatch {
				part.Sel = nil
			}
			if err := out.Emit(&part); err != nil {
				return err
			}
		}
		return nil
	}
	return &o, nil
}

// newSeries makes generate_series(start, stop, step) over integers, numerics and
// timestamps (step: an interval); any NULL argument gives no rows, a step of zero is 22023.
func newSeries(p *plan.Physical, ctx BuildContext) (dataflow.Operator, error) {
	o, err := newOnce(p, ctx)
	if err != nil || o.idle {
		return &o, err
	}
	if len(p.Rows) != 1 || len(p.Rows[0]) < 2 || len(p.Out) != 1 {
		return nil, pgerror.New(pgerror.InternalError, "series needs a start, a stop and a step")
	}
	args := make([]types.Datum, 0, 3)
	for _, e := range p.Rows[0] {
		d, err := constDatum(ctx.Env, e)
		if err != nil {
			return nil, err
		}
		if d.Null {
			o.rows = func(dataflow.Output) error { return nil }
			return &o, nil
		}
		args = append(args, d)
	}
	next, below, err := seriesStep(p, ctx.Env, args)
	if err != nil {
		return nil, err
	}
	o.rows = func(out dataflow.Output) error {
		e := emitter{column.NewBuilder(p.Types(), maxBatch)}
		for v := args[0]; below(v); {
			e.b.Col(0).Append(v)
			e.b.Row(column.Insert)
			if err := e.full(out); err != nil {
				return err
			}
			more, err := next(&v)
			if err != nil {
				return err
			}
			if !more {
				break
			}
		}
		return e.flush(out)
	}
	return &o, nil
}

// seriesStep returns how to go on from a value (false: beyond what the type holds) and
// whether a value is within the stop.
func seriesStep(p *plan.Physical, env *expr.Env, args []types.Datum) (next func(*types.Datum) (bool, error), within func(types.Datum) bool, err error) {
	zero := pgerror.New(pgerror.InvalidParameterValue, "step size cannot equal zero")
	stop := args[1]
	switch t := p.Out[0].Type; {
	case t.Kind() == types.KindDecimal:
		step := types.FromInt64(1)
		if len(args) > 2 {
			step = args[2].Dec
		}
		if err := expr.CheckSeries(args); err != nil {
			return nil, nil, err
		}
		if step.Sign() == 0 {
			return nil, nil, zero
		}
		next = func(v *types.Datum) (more bool, err error) {
			v.Dec, err = v.Dec.Add(step)
			return err == nil, err
		}
		return next, func(v types.Datum) bool { return v.Dec.Cmp(stop.Dec)*step.Sign() <= 0 }, nil
	case t.OID == types.OIDTimestamp || t.OID == types.OIDTimestamptz:
		return seriesTime(p, env, args, zero)
	case t.Kind() == types.KindInt:
		step := int64(1)
		if len(args) > 2 {
			step = args[2].I
		}
		if step == 0 {
			return nil, nil, zero
		}
		next = func(v *types.Datum) (bool, error) {
			n := v.I + step
			more := (n > v.I) == (step > 0)
			v.I = n
			return more, nil
		}
		return next, func(v types.Datum) bool { return step > 0 && v.I <= stop.I || step < 0 && v.I >= stop.I }, nil
	}
	return nil, nil, pgerror.Unsupported("generate_series over this type is not supported")
}

// seriesTime steps a timestamp by an interval, as the + operator does.
func seriesTime(p *plan.Physical, env *expr.Env, args []types.Datum, zero error) (func(*types.Datum) (bool, error), func(types.Datum) bool, error) {
	t := p.Out[0].Type
	if len(args) < 3 {
		return nil, nil, pgerror.New(pgerror.InternalError, "series of timestamps without step")
	}
	step := args[2].Iv
	hi, lo := column.IntervalSpan(step)
	if hi == 0 && lo == 0 {
		return nil, nil, zero
	}
	ev, err := expr.Compile(&expr.Call{
		Name: "+", Sig: []types.OID{t.OID, types.OIDInterval}, T: t,
		Args: []expr.Expr{&expr.Col{Index: 0, T: t}, &expr.Const{Value: args[2], T: types.IntervalT}},
	})
	if err != nil {
		return nil, nil, err
	}
	cell := column.New(t, 1)
	batch := &column.Batch{N: 1, Cols: []*column.Column{cell}}
	next := func(v *types.Datum) (bool, error) {
		cell.Reset()
		cell.Append(*v)
		c, err := ev.Eval(env, batch, nil)
		if err != nil {
			return false, err
		}
		v.I = c.Datum(0).I
		return true, nil
	}
	stop := args[1].I
	return next, func(v types.Datum) bool { return hi >= 0 && v.I <= stop || hi < 0 && v.I >= stop }, nil
}
