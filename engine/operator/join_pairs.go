package operator

import (
	"velostream/catalog/types"
	"velostream/engine/sql/expr"
	"velostream/engine/sql/plan"
	"velostream/pgwire/pgerror"
	"velostream/storage/column"
)

// joinKeyTypes lists the types of the columns that a join compares.
func joinKeyTypes(p *plan.Physical) ([]types.Type, error) {
	out := make([]types.Type, len(p.Keys))
	for k, c := range p.Keys {
		out[k] = p.Inputs[0].Out[c].Type
		if p.Inputs[1].Out[p.RightKeys[k]].Type.Kind() != out[k].Kind() {
			return nil, pgerror.New(pgerror.InternalError, "join compares keys of different types")
		}
	}
	return out, nil
}

// pairCond evaluates the condition of a join over pairs of rows.
type pairCond struct {
	ev    *expr.Evaluator
	uses  []bool // columns of the concatenated row that it reads
	left  int    // columns of the left row
	batch column.Batch
}

// newPairCond compiles p.Cond; nil without a condition.
func newPairCond(p *plan.Physical) (*pairCond, error) {
	if p.Cond == nil {
		return nil, nil
	}
	ev, err := expr.Compile(p.Cond)
	if err != nil {
		return nil, err
	}
	l, r := p.Inputs[0].Types(), p.Inputs[1].Types()
	c := &pairCond{ev: ev, left: len(l), uses: make([]bool, len(l)+len(r))}
	usedColumns(p.Cond, c.uses)
	for _, t := range l {
		c.batch.Cols = append(c.batch.Cols, column.New(t, 0))
	}
	for _, t := range r {
		c.batch.Cols = append(c.batch.Cols, column.New(t, 0))
	}
	return c, nil
}

func usedColumns(e expr.Expr, uses []bool) {
	if c, ok := e.(*expr.Col); ok {
		uses[c.Index] = true
	}
	for _, c := range expr.Children(e) {
		usedColumns(c, uses)
	}
}

// eval returns which of the pairs (row ownRows[k] of own with row otherRows[k] of
// other) satisfy the condition; own is the side port.
func (c *pairCond) eval(env *expr.Env, port int, own []*column.Column, ownRows []int32, other []*column.Column, otherRows []int32) ([]int32, error) {
	b := &c.batch
	b.N = len(ownRows)
	for k, used := range c.uses {
		if !used {
			continue
		}
		b.Cols[k].Reset()
		side, at := 0, k
		if k >= c.left {
			side, at = 1, k-c.left
		}
		if side == port {
			b.Cols[k].AppendRows(own[at], ownRows)
		} else {
			b.Cols[k].AppendRows(other[at], otherRows)
		}
	}
	return c.ev.EvalFilter(env, b, nil)
}

// pairList is the candidates of a run of input rows: row i of the input and slot j of
// the other side, in the order of the rows.
type pairList struct {
	row, slot []int32
	upTo      []int32 // for each row of the run the end of its pairs
}

func (p *pairList) reset() { p.row, p.slot, p.upTo = p.row[:0], p.slot[:0], p.upTo[:0] }

// of are the slots paired with the k-th row of the run.
func (p *pairList) of(k int) []int32 {
	lo := int32(0)
	if k > 0 {
		lo = p.upTo[k-1]
	}
	return p.slot[lo:p.upTo[k]]
}

// filter keeps the pairs for which the condition is true.
func (p *pairList) filter(c *pairCond, env *expr.Env, port int, own, other []*column.Column) error {
	kept, next := 0, 0
	for at := 0; at < len(p.row); at += maxBatch {
		end := min(len(p.row), at+maxBatch)
		sel, err := c.eval(env, port, own, p.row[at:end], other, p.slot[at:end])
		if err != nil {
			return err
		}
		k := 0
		for i := at; i < end; i++ {
			for next < len(p.upTo) && int(p.upTo[next]) == i {
				p.upTo[next] = int32(kept)
				next++
			}
			if k < len(sel) && int(sel[k]) == i-at {
				p.row[kept], p.slot[kept] = p.row[i], p.slot[i]
				kept, k = kept+1, k+1
			}
		}
	}
	for ; next < len(p.upTo); next++ {
		p.upTo[next] = int32(kept)
	}
	p.row, p.slot = p.row[:kept], p.slot[:kept]
	return nil
}
