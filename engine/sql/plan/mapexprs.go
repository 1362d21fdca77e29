package plan

import (
	"slices"

	"velostream/engine/sql/expr"
)

// MapExprs rebuilds the plan p with f applied to each whole expression in it.
// Nodes that nothing changed in are shared.
func MapExprs(p Logical, f func(expr.Expr) (expr.Expr, error)) (Logical, error) {
	var buf [2]Logical
	in, changed := AppendInputs(buf[:0], p), false
	for i, c := range in {
		n, err := MapExprs(c, f)
		if err != nil {
			return nil, err
		}
		in[i] = n
		changed = changed || n != c
	}
	if changed {
		p = p.WithInputs(slices.Clone(in))
	}
	m := exprMapper{f: f}
	n := m.node(p)
	switch {
	case m.err != nil:
		return nil, m.err
	case !m.changed:
		return p, nil
	}
	return n, nil
}

type exprMapper struct {
	f       func(expr.Expr) (expr.Expr, error)
	changed bool
	err     error
}

func (m *exprMapper) one(e expr.Expr) expr.Expr {
	if e == nil || m.err != nil {
		return e
	}
	n, err := m.f(e)
	if err != nil {
		m.err = err
		return e
	}
	m.changed = m.changed || n != e
	return n
}

// all is in itself where nothing changes.
func (m *exprMapper) all(in []expr.Expr) []expr.Expr {
	out := in
	for i, e := range in {
		n := m.one(e)
		if n == e {
			continue
		}
		if &out[0] == &in[0] {
			out = slices.Clone(in)
		}
		out[i] = n
	}
	return out
}

func (m *exprMapper) sort(in []SortKey) []SortKey {
	if in == nil {
		return nil
	}
	out := make([]SortKey, len(in))
	for i, k := range in {
		k.Expr = m.one(k.Expr)
		out[i] = k
	}
	return out
}

func (m *exprMapper) aggs(in []AggCall) []AggCall {
	out := make([]AggCall, len(in))
	for i, a := range in {
		a.Args, a.Filter, a.OrderBy = m.all(a.Args), m.one(a.Filter), m.sort(a.OrderBy)
		out[i] = a
	}
	return out
}

func (m *exprMapper) rows(in [][]expr.Expr) [][]expr.Expr {
	out := make([][]expr.Expr, len(in))
	for i, r := range in {
		out[i] = m.all(r)
	}
	return out
}

func (m *exprMapper) access(a *Access) *Access {
	if a == nil {
		return nil
	}
	c := *a
	c.Equal, c.Among = m.all(a.Equal), m.all(a.Among)
	c.Array, c.Low, c.High = m.one(a.Array), m.one(a.Low), m.one(a.High)
	return &c
}

func (m *exprMapper) node(p Logical) Logical {
	switch p := p.(type) {
	case *Scan:
		c := *p
		c.Lookup, c.Access = m.all(p.Lookup), m.access(p.Access)
		return &c
	case *Values:
		c := *p
		c.Rows = m.rows(p.Rows)
		return &c
	case *Series:
		c := *p
		c.Start, c.Stop, c.Step = m.one(p.Start), m.one(p.Stop), m.one(p.Step)
		return &c
	case *Filter:
		c := *p
		c.Cond = m.one(p.Cond)
		return &c
	case *ClockFilter:
		c := *p
		c.Bounds = m.all(p.Bounds)
		return &c
	case *Project:
		c := *p
		c.Exprs = m.all(p.Exprs)
		return &c
	case *Window:
		c := *p
		c.Time, c.Keys = m.one(p.Time), m.all(p.Keys)
		return &c
	case *Aggregate:
		c := *p
		c.Groups, c.Aggs = m.all(p.Groups), m.aggs(p.Aggs)
		return &c
	case *Join:
		c := *p
		c.EqualLeft, c.EqualRight, c.Cond = m.all(p.EqualLeft), m.all(p.EqualRight), m.one(p.Cond)
		if p.Temporal != nil {
			t := *p.Temporal
			t.Times = m.all(t.Times)
			c.Temporal = &t
		}
		return &c
	case *Over:
		c := *p
		c.Partition, c.Order, c.Calls = m.all(p.Partition), m.sort(p.Order), m.overCalls(p.Calls)
		c.WindowEnd = m.one(p.WindowEnd)
		return &c
	case *Expand:
		c := *p
		c.Calls = m.tableCalls(p.Calls)
		return &c
	case *Sort:
		c := *p
		c.Keys = m.sort(p.Keys)
		return &c
	case *Limit:
		c := *p
		c.Count, c.Offset = m.one(p.Count), m.one(p.Offset)
		return &c
	}
	return p
}
