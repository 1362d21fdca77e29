package session

import (
	"velostream/engine/sql/ast"
	"velostream/engine/sql/binder"
	"velostream/engine/sql/expr"
	"velostream/pgwire/pgerror"
	"velostream/storage/column"
	"velostream/storage/rowenc"
)

// merging are the compiled branches of a MERGE.
type merging struct {
	whens []mergeBranch
}

type mergeBranch struct {
	*binder.MergeWhen
	cond *expr.Evaluator
	set  []*expr.Evaluator
}

func compileMerge(m *binder.Merge) (*merging, error) {
	out := &merging{}
	for i := range m.Whens {
		w := mergeBranch{MergeWhen: &m.Whens[i]}
		var err error
		if w.Cond != nil {
			if w.cond, err = expr.Compile(w.Cond); err != nil {
				return nil, err
			}
		}
		for _, e := range w.Exprs {
			ev, err := expr.Compile(e)
			if err != nil {
				return nil, err
			}
			w.set = append(w.set, ev)
		}
		out.whens = append(out.whens, w)
	}
	return out, nil
}

// mergeRows does to each row of the plan what its first fitting branch says.
func mergeRows(c *changeRun, b *column.Batch) (int, *column.Batch, error) {
	if c.merging == nil {
		var err error
		if c.merging, err = compileMerge(c.merge); err != nil {
			return 0, nil, err
		}
	}
	count := 0
	old := b.Cols[c.merge.Source:]
	for i := range b.Each {
		matched := !old[c.Target.Key[0]].Null(i)
		for _, w := range c.merging.whens {
			if w.Matched != matched {
				continue
			}
			sel := []int32{int32(i)}
			if w.cond != nil {
				if hit, err := w.cond.EvalFilter(c.env, b, sel); err != nil {
					return count, nil, err
				} else if len(hit) == 0 {
					continue
				}
			}
			n, err := c.mergeRow(&w, b, i)
			if err != nil {
				return count, nil, err
			}
			count += n
			break
		}
	}
	return count, nil, nil
}

func (c *changeRun) mergeRow(w *mergeBranch, b *column.Batch, i int) (int, error) {
	old := &column.Batch{Cols: b.Cols[c.merge.Source:][:len(c.Target.Columns)], N: b.N, Sel: []int32{int32(i)}}
	if w.Action == ast.MergeUpdate || w.Action == ast.MergeDelete {
		key := string(rowenc.AppendKey(nil, old.Cols, c.Target.Key, i))
		if c.seen[key] || c.others.Has(c.Target.ID, old.Cols, i) {
			return 0, pgerror.New(pgerror.CardinalityViolation, "MERGE command cannot affect row a second time").
				WithHint("Ensure that not more than one source row matches any one target row.")
		}
		c.seen[key] = true
	}
	switch w.Action {
	case ast.MergeDelete:
		return c.tx.Delete(c.Target.ID, old)
	case ast.MergeInsert, ast.MergeUpdate:
	case ast.MergeNothing:
		return 0, nil
	}
	next, err := c.mergedRow(w, b, i)
	if err != nil {
		return 0, err
	}
	if w.Action == ast.MergeInsert {
		return c.tx.Insert(c.Target.ID, next, false)
	}
	one := column.NewBuilder(c.Target.Types(), 1)
	one.AppendRow(old, i, column.Insert)
	return c.tx.Update(c.Target.ID, one.Batch(), next)
}

// mergedRow is the new row of a branch, alone in its batch.
func (c *changeRun) mergedRow(w *mergeBranch, b *column.Batch, i int) (*column.Batch, error) {
	next := column.NewBuilder(c.Target.Types(), 1)
	for j, ev := range w.set {
		v, err := ev.Eval(c.env, b, []int32{int32(i)})
		if err != nil {
			return nil, err
		}
		next.Col(j).AppendFrom(v, i)
	}
	next.Row(column.Insert)
	out := &column.Batch{Cols: append([]*column.Column(nil), next.Batch().Cols...), N: 1}
	return out, c.recompute(c.merge.Computed, out)
}

// bindMerge puts arguments into the branches.
func bindMerge(m *binder.Merge, bind func([]expr.Expr) ([]expr.Expr, error)) (*binder.Merge, error) {
	out := *m
	out.Whens = append([]binder.MergeWhen(nil), m.Whens...)
	for i := range out.Whens {
		w := &out.Whens[i]
		if w.Cond != nil {
			list, err := bind([]expr.Expr{w.Cond})
			if err != nil {
				return nil, err
			}
			w.Cond = list[0]
		}
		var err error
		if w.Exprs, err = bind(w.Exprs); err != nil {
			return nil, err
		}
	}
	return &out, nil
}
