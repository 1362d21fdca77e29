package plan

import (
	"velostream/catalog/types"
	"velostream/engine/sql/expr"
)

// BindParams returns p with the values args in the place of its parameters.
// Nodes without parameters are shared. Errors: 42P02 for a parameter without
// value.
func (p *Physical) BindParams(args []types.Datum) (*Physical, error) {
	return p.mapExprs(func(e expr.Expr) (expr.Expr, error) { return expr.BindParams(e, args) })
}

// mapExprs is MapExprs for physical plans.
func (p *Physical) mapExprs(f func(expr.Expr) (expr.Expr, error)) (*Physical, error) {
	c := *p
	changed := false
	if len(p.Inputs) > 0 {
		c.Inputs = make([]*Physical, len(p.Inputs))
		for i, in := range p.Inputs {
			n, err := in.mapExprs(f)
			if err != nil {
				return nil, err
			}
			c.Inputs[i] = n
			changed = changed || n != in
		}
	}
	m := exprMapper{f: f}
	c.Lookup, c.Exprs, c.Cond = m.all(p.Lookup), m.all(p.Exprs), m.one(p.Cond)
	c.Access = m.access(p.Access)
	c.Sort, c.Count, c.Offset = m.sort(p.Sort), m.one(p.Count), m.one(p.Offset)
	if p.Rows != nil {
		c.Rows = m.rows(p.Rows)
	}
	c.Over, c.Table = m.overCalls(p.Over), m.tableCalls(p.Table)
	if p.Aggs != nil {
		c.Aggs = m.aggs(p.Aggs)
	}
	switch {
	case m.err != nil:
		return nil, m.err
	case !changed && !m.changed:
		return p, nil
	}
	return &c, nil
}

// EachType calls f with the types of all expressions in p and of all its columns, as often
// as they occur.
func (p *Physical) EachType(f func(types.Type)) {
	var each func(expr.Expr)
	each = func(e expr.Expr) {
		f(e.Type())
		for _, c := range expr.Children(e) {
			if c != nil {
				each(c)
			}
		}
	}
	_, _ = p.mapExprs(func(e expr.Expr) (expr.Expr, error) {
		each(e)
		return e, nil
	})
	p.eachColumn(func(c *Column) { f(c.Type) })
}

func (p *Physical) eachColumn(f func(*Column)) {
	for i := range p.Out {
		f(&p.Out[i])
	}
	for _, in := range p.Inputs {
		in.eachColumn(f)
	}
}
