package optimizer

import (
	"slices"

	"velostream/engine/sql/expr"
	"velostream/engine/sql/plan"
)

// accessPaths narrows a bounded read to a part of the primary key or of a
// secondary index. Where the whole of a unique key is fixed it is a lookup of
// one row (Scan.Lookup); else it is a range or several (Scan.Access), and
// the conditions stay where they are: what is read need only contain what they
// want.
func accessPaths(_ *Context, p plan.Logical) (plan.Logical, bool) {
	return bottomUp(p, func(p plan.Logical) (plan.Logical, bool) {
		f, ok := p.(*plan.Filter)
		if !ok {
			return p, false
		}
		s, ok := f.Input.(*plan.Scan)
		if !ok || !s.Bounded || s.Lookup != nil || s.Access != nil {
			return p, false
		}
		conds := plan.Conjuncts(f.Cond)
		if n, used := pointLookup(s, conds); n != nil {
			return filtered(n, unused(conds, used)), true
		}
		a := bestAccess(s, conds)
		if a == nil {
			return p, false
		}
		n := *s
		n.Access = a
		return &plan.Filter{Input: &n, Cond: f.Cond}, true
	})
}

func unused(conds []expr.Expr, used []bool) []expr.Expr {
	var rest []expr.Expr
	for i, c := range conds {
		if !used[i] {
			rest = append(rest, c)
		}
	}
	return rest
}

// bestAccess is the narrowest way to what conds want, nil: there is only all.
func bestAccess(s *plan.Scan, conds []expr.Expr) *plan.Access {
	var best *plan.Access
	score := 0
	consider := func(a *plan.Access, bonus int) {
		n := 10 * len(a.Equal)
		if a.Among != nil || a.Array != nil {
			n += 6
		}
		if a.Low != nil {
			n += 2
		}
		if a.High != nil {
			n += 2
		}
		if n > 0 && n+bonus > score {
			best, score = a, n+bonus
		}
	}
	if s.Keyed {
		consider(narrow(keyColumns(s), conds), 1) // rows are stored by it
	}
	for i := range s.Indexes {
		x := &s.Indexes[i]
		key := indexColumns(s, x, conds)
		a := narrow(key, conds)
		a.Index, a.Name = x.ID, x.Name
		if len(x.Exprs) > 0 {
			for _, k := range key {
				a.Labels = append(a.Labels, expr.String(k.value))
			}
		}
		consider(a, 0)
	}
	return best
}

// indexColumns are the columns of x, as many of the first as are read; none where conds
// do not say that a row is in the index.
func indexColumns(s *plan.Scan, x *plan.IndexKey, conds []expr.Expr) []keyColumn {
	for _, w := range x.Where {
		if !implied(overRead(s, w), conds) {
			return nil
		}
	}
	key := make([]keyColumn, 0, len(x.Columns))
	for _, c := range x.Columns {
		if c < 0 {
			e := overRead(s, x.Exprs[-1-c])
			if e == nil {
				break
			}
			key = append(key, keyColumn{c, e})
			continue
		}
		at := slices.Index(s.Columns, c)
		if at < 0 {
			break
		}
		key = append(key, readColumn(s, at))
	}
	return key
}

// overRead is e, which is over the columns of the relation, over those that s reads; nil:
// it needs others.
func overRead(s *plan.Scan, e expr.Expr) expr.Expr {
	all := true
	e = plan.Remap(e, func(c *expr.Col) expr.Expr {
		at := slices.Index(s.Columns, c.Index)
		all = all && at >= 0
		return &expr.Col{Index: at, T: c.T, Name: c.Name}
	})
	if !all {
		return nil
	}
	return e
}

// implied reports that w is true where all of conds are: it is one of them, or says that a
// value is not NULL which one of them compares.
func implied(w expr.Expr, conds []expr.Expr) bool {
	if w == nil {
		return false
	}
	if slices.ContainsFunc(conds, func(c expr.Expr) bool { return expr.Equal(c, w) }) {
		return true
	}
	n, ok := w.(*expr.IsNull)
	if !ok || !n.Negate {
		return false
	}
	return slices.ContainsFunc(conds, func(c expr.Expr) bool {
		call, ok := c.(*expr.Call)
		return ok && expr.Mirrored(call.Name) != "" && len(call.Args) == 2 && (expr.Equal(call.Args[0], n.Arg) || expr.Equal(call.Args[1], n.Arg))
	})
}

// narrow says what conds demand of the columns key: values of the first ones,
// then a list or a range of the next.
func narrow(key []keyColumn, conds []expr.Expr) *plan.Access {
	a := &plan.Access{}
	for _, k := range key {
		a.Columns = append(a.Columns, k.column)
		if v := equalValue(conds, k); v != nil {
			a.Equal = append(a.Equal, v)
			continue
		}
		for _, c := range conds {
			if a.Among, a.Array = listValues(c, k); a.Among != nil || a.Array != nil {
				return a
			}
		}
		for _, c := range conds {
			low, high := bounds(c, k)
			if a.Low == nil {
				a.Low = low
			}
			if a.High == nil {
				a.High = high
			}
		}
		if a.Low == nil && a.High == nil {
			a.Columns = a.Columns[:len(a.Equal)]
		}
		return a
	}
	return a
}

func equalValue(conds []expr.Expr, k keyColumn) expr.Expr {
	for _, c := range conds {
		if v := keyValue(c, k); v != nil {
			return v
		}
	}
	return nil
}

// listValues are the values that cond allows for column k: a list, or an array
// with them.
func listValues(cond expr.Expr, k keyColumn) (list []expr.Expr, array expr.Expr) {
	t := k.value.Type()
	switch c := cond.(type) {
	case *expr.InList:
		if c.Negate || !k.is(c.Arg) {
			return nil, nil
		}
		for i := range c.List {
			v := asKey(&c.List[i], t)
			if v == nil {
				return nil, nil
			}
			list = append(list, v)
		}
		return list, nil
	case *expr.Or:
		for _, arg := range c.Args {
			v := keyValue(arg, k)
			if v == nil {
				return nil, nil
			}
			list = append(list, v)
		}
		return list, nil
	case *expr.Call:
		if c.Name != expr.AnyName("=", false) || len(c.Args) != 2 || !k.is(c.Args[0]) || !fixed(c.Args[1]) {
			return nil, nil
		}
		if e, ok := c.Args[1].Type().Elem(); !ok || !sameKey(e.OID, t.OID) {
			return nil, nil
		}
		return nil, c.Args[1]
	}
	return nil, nil
}

// bounds are what cond demands of column k at least, and at most. They are taken
// as inclusive.
func bounds(cond expr.Expr, k keyColumn) (low, high expr.Expr) {
	c, ok := cond.(*expr.Call)
	if !ok || len(c.Args) != 2 {
		return nil, nil
	}
	l, r, name := c.Args[0], c.Args[1], c.Name
	if k.is(r) {
		l, r, name = r, l, expr.Mirrored(name)
	}
	if !k.is(l) || !fixed(r) {
		return nil, nil
	}
	v := asKey(r, k.value.Type())
	switch name {
	case "<", "<=":
		return nil, v
	case ">", ">=":
		return v, nil
	}
	return nil, nil
}
