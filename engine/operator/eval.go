package operator

import (
	"velostream/catalog/types"
	"velostream/engine/sql/expr"
	"velostream/storage/column"
)

// evaluator computes one expression over a batch. A plain column is passed on, not
// copied; everything else goes to expr's compiled form.
type evaluator struct {
	col int // ≥ 0: column of the input
	ev  *expr.Evaluator
}

func compileExpr(e expr.Expr) (evaluator, error) {
	if c, ok := e.(*expr.Col); ok {
		return evaluator{col: c.Index}, nil
	}
	ev, err := expr.Compile(e)
	return evaluator{col: -1, ev: ev}, err
}

func compileAll(es []expr.Expr) ([]evaluator, error) {
	out := make([]evaluator, len(es))
	for i, e := range es {
		var err error
		if out[i], err = compileExpr(e); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// eval returns the value per physical row, defined for the rows of in.Sel.
func (v *evaluator) eval(env *expr.Env, in *column.Batch) (*column.Column, error) {
	if v.col >= 0 {
		return in.Cols[v.col], nil
	}
	return v.ev.Eval(env, in, in.Sel)
}

// constInt evaluates an expression without columns to an integer; ok is false when
// it is NULL or absent.
func constInt(env *expr.Env, e expr.Expr) (v int64, ok bool, err error) {
	if e == nil {
		return 0, false, nil
	}
	d, err := constDatum(env, e)
	if err != nil || d.Null {
		return 0, false, err
	}
	return d.I, true, nil
}

func constDatum(env *expr.Env, e expr.Expr) (types.Datum, error) {
	if c, ok := e.(*expr.Const); ok {
		return c.Value, nil
	}
	ev, err := compileExpr(e)
	if err != nil {
		return types.Datum{}, err
	}
	c, err := ev.eval(env, &column.Batch{N: 1})
	if err != nil {
		return types.Datum{}, err
	}
	return c.Datum(0), nil
}

// flatten returns c with a value per row, n of them: a constant is spelled out into
// scratch, so that loops may index without asking.
func flatten(c *column.Column, n int, scratch **column.Column) *column.Column {
	if !c.Const {
		return c
	}
	s := *scratch
	if s == nil || s.Type != c.Type {
		s = column.New(c.Type, n)
		*scratch = s
	}
	s.Reset()
	for range n {
		s.AppendFrom(c, 0)
	}
	return s
}
