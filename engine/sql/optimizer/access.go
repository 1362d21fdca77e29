package optimizer

import (
	"slices"

	"velostream/catalog/types"
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
		consider(narrow(s, s.Key, conds), 1) // rows are stored by it
	}
	for i := range s.Indexes {
		x := &s.Indexes[i]
		a := narrow(s, indexColumns(s, x), conds)
		a.Index, a.Name = x.ID, x.Name
		consider(a, 0)
	}
	return best
}

// indexColumns are the columns of x by their position in s.Out, as many of the
// first as are read.
func indexColumns(s *plan.Scan, x *plan.IndexKey) []int {
	key := make([]int, 0, len(x.Columns))
	for _, c := range x.Columns {
		at := slices.Index(s.Columns, c)
		if at < 0 {
			break
		}
		key = append(key, at)
	}
	return key
}

// narrow says what conds demand of the columns key: values of the first ones,
// then a list or a range of the next.
func narrow(s *plan.Scan, key []int, conds []expr.Expr) *plan.Access {
	a := &plan.Access{}
	for _, k := range key {
		a.Columns = append(a.Columns, s.Columns[k])
		t := s.Out[k].Type
		if v := equalValue(conds, k, t); v != nil {
			a.Equal = append(a.Equal, v)
			continue
		}
		for _, c := range conds {
			if a.Among, a.Array = listValues(c, k, t); a.Among != nil || a.Array != nil {
				return a
			}
		}
		for _, c := range conds {
			low, high := bounds(c, k, t)
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

func equalValue(conds []expr.Expr, k int, t types.Type) expr.Expr {
	for _, c := range conds {
		if v := keyValue(c, k, t); v != nil {
			return v
		}
	}
	return nil
}

// listValues are the values that cond allows for column k: a list, or an array
// with them.
func listValues(cond expr.Expr, k int, t types.Type) (list []expr.Expr, array expr.Expr) {
	switch c := cond.(type) {
	case *expr.InList:
		if c.Negate || !isKey(c.Arg, k) {
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
			v := keyValue(arg, k, t)
			if v == nil {
				return nil, nil
			}
			list = append(list, v)
		}
		return list, nil
	case *expr.Call:
		if c.Name != expr.AnyName("=", false) || len(c.Args) != 2 || !isKey(c.Args[0], k) || !fixed(c.Args[1]) {
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
func bounds(cond expr.Expr, k int, t types.Type) (low, high expr.Expr) {
	c, ok := cond.(*expr.Call)
	if !ok || len(c.Args) != 2 {
		return nil, nil
	}
	l, r, name := c.Args[0], c.Args[1], c.Name
	if isKey(r, k) {
		l, r, name = r, l, expr.Mirrored(name)
	}
	if !isKey(l, k) || !fixed(r) {
		return nil, nil
	}
	v := asKey(r, t)
	switch name {
	case "<", "<=":
		return nil, v
	case ">", ">=":
		return v, nil
	}
	return nil, nil
}
