package operator

import (
	"velostream/catalog/types"
	"velostream/engine/dataflow"
	"velostream/engine/sql/expr"
	"velostream/engine/sql/plan"
	"velostream/storage/column"
)

// expand calls set-returning functions for each row: output = input columns, the columns
// of each call, the number of the row from 1. Calls run side by side, those that ended
// give NULL; a row for which none gives anything is dropped. A Delete gives the Deletes
// of what its Insert gave.
type expand struct {
	dataflow.Stateless
	p     *plan.Physical
	env   *expr.Env
	calls []expandCall
	out   emitter
}

type expandCall struct {
	plan *plan.TableCall
	args []evaluator
	cols []*column.Column
	ts   []types.Type
	vals []types.Datum
	rows *column.Builder // of the row at hand
}

func newExpand(p *plan.Physical, ctx BuildContext) (dataflow.Operator, error) {
	x := &expand{p: p, env: ctx.Env, out: emitter{column.NewBuilder(p.Types(), 0)}}
	for i := range p.Table {
		t := &p.Table[i]
		evs, err := compileAll(t.Args)
		if err != nil {
			return nil, err
		}
		c := expandCall{plan: t, args: evs, cols: make([]*column.Column, len(evs)), rows: column.NewBuilder(t.T, 0)}
		for _, a := range t.Args {
			c.ts = append(c.ts, a.Type())
		}
		c.vals = make([]types.Datum, len(evs))
		x.calls = append(x.calls, c)
	}
	return x, nil
}

func (x *expand) Process(_ int, in *column.Batch, out dataflow.Output) error {
	for k := range x.calls {
		c := &x.calls[k]
		for j := range c.args {
			col, err := c.args[j].eval(x.env, in)
			if err != nil {
				return err
			}
			c.cols[j] = col
		}
	}
	width := len(x.p.Inputs[0].Out)
	single := len(x.calls) == 1
	for i := range in.Each {
		op := in.Op(i)
		n := 0
		emit := func(vals []types.Datum) error {
			n++
			for j := range width {
				x.out.b.Col(j).AppendFrom(in.Cols[j], in.Cols[j].At(i))
			}
			for j, v := range vals {
				x.out.b.Col(width + j).Append(v)
			}
			x.out.b.Col(width + len(vals)).Append(types.IntDatum(int64(n)))
			x.out.b.Row(op)
			return x.out.full(out)
		}
		if single {
			if err := x.calls[0].run(x.env, i, emit); err != nil {
				return err
			}
			continue
		}
		if err := x.sideBySide(i, emit); err != nil {
			return err
		}
	}
	return x.out.flush(out)
}

func (c *expandCall) run(env *expr.Env, i int, row func([]types.Datum) error) error {
	for j, col := range c.cols {
		c.vals[j] = types.NullDatum
		if at := col.At(i); !col.Null(i) {
			c.vals[j] = col.Datum(at)
		}
	}
	return expr.EvalSet(env, c.plan.Name, c.ts, c.vals, row)
}

// sideBySide collects the rows of all calls and emits them in step.
func (x *expand) sideBySide(i int, emit func([]types.Datum) error) error {
	most := 0
	for k := range x.calls {
		c := &x.calls[k]
		c.rows.Reset()
		err := c.run(x.env, i, func(vals []types.Datum) error {
			for j, v := range vals {
				c.rows.Col(j).Append(v)
			}
			c.rows.Row(column.Insert)
			return nil
		})
		if err != nil {
			return err
		}
		most = max(most, c.rows.Len())
	}
	var vals []types.Datum
	for r := range most {
		vals = vals[:0]
		for k := range x.calls {
			c := &x.calls[k]
			for j := range c.plan.T {
				if r < c.rows.Len() && !c.rows.Col(j).Null(r) {
					vals = append(vals, c.rows.Col(j).Datum(r))
				} else {
					vals = append(vals, types.NullDatum)
				}
			}
		}
		if err := emit(vals); err != nil {
			return err
		}
	}
	return nil
}
