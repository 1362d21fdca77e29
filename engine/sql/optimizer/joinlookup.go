package optimizer

import (
	"velostream/engine/sql/expr"
	"velostream/engine/sql/plan"
)

// joinLookups reads, of a bounded equi-join, one side by its primary key or an
// index for the keys that the other side turns out to have, where that is read
// first and conditions make it small. Which of the rows that have no match
// are left out changes nothing for the kinds of joins this is done for. When there
// are too many keys after all the side is read whole (engine/query).
func joinLookups(_ *Context, p plan.Logical) (plan.Logical, bool) {
	return bottomUp(p, func(p plan.Logical) (plan.Logical, bool) {
		j, ok := p.(*plan.Join)
		if !ok || j.Temporal != nil || j.NullSafe > 0 {
			return p, false
		}
		n := *j
		switch j.Kind {
		case plan.InnerJoin, plan.LeftJoin, plan.SemiJoin, plan.AntiJoin:
			if selective(j.Left) {
				if n.Right = byJoin(j.Right, j.EqualRight, j.EqualLeft); n.Right != nil {
					return &n, true
				}
			}
		default:
		}
		n = *j
		switch j.Kind {
		case plan.InnerJoin, plan.RightJoin, plan.SemiJoin:
			if selective(j.Right) {
				if n.Left = byJoin(j.Left, j.EqualLeft, j.EqualRight); n.Left != nil {
					return &n, true
				}
			}
		default:
		}
		return p, false
	})
}

// passing reports that p gives all its rows as it reads, none at its end (as
// VALUES does).
func passing(p plan.Logical) bool {
	switch p := p.(type) {
	case *plan.Scan:
		return true
	case *plan.Filter:
		return passing(p.Input)
	case *plan.Project:
		return passing(p.Input)
	case *plan.Join:
		inner := p.Kind == plan.InnerJoin || p.Kind == plan.CrossJoin || p.Kind == plan.SemiJoin
		return inner && p.Temporal == nil && passing(p.Left) && passing(p.Right)
	}
	return false
}

// selective reports that p is passing, and likely to have few rows.
func selective(p plan.Logical) bool {
	switch p := p.(type) {
	case *plan.Scan:
		return p.Bounded && (p.Lookup != nil || p.Access != nil)
	case *plan.Filter:
		return passing(p.Input)
	case *plan.Project:
		return selective(p.Input)
	case *plan.Join:
		return passing(p) && (selective(p.Left) || selective(p.Right))
	}
	return false
}

// byJoin is p reading its relation by one of the join's keys, nil if it cannot.
func byJoin(p plan.Logical, keys, other []expr.Expr) plan.Logical {
	for i, e := range keys {
		c, ok := e.(*expr.Col)
		if !ok {
			continue
		}
		if n := byKey(p, c.Index, i, other[i]); n != nil {
			return n
		}
	}
	return nil
}

// byKey is p reading its relation by column at of its output, which is key number
// i of the join.
func byKey(p plan.Logical, at, i int, other expr.Expr) plan.Logical {
	switch p := p.(type) {
	case *plan.Filter:
		if in := byKey(p.Input, at, i, other); in != nil {
			return &plan.Filter{Input: in, Cond: p.Cond}
		}
	case *plan.Project:
		c, ok := p.Exprs[at].(*expr.Col)
		if !ok {
			return nil
		}
		if in := byKey(p.Input, c.Index, i, other); in != nil {
			return p.WithInputs([]plan.Logical{in})
		}
	case *plan.Scan:
		if !p.Bounded || p.Lookup != nil || p.Access != nil || !sameKey(other.Type().OID, p.Out[at].Type.OID) {
			return nil
		}
		a := &plan.Access{Columns: []int{p.Columns[at]}, Join: i + 1}
		if !p.Keyed || len(p.Key) == 0 || p.Key[0] != at {
			x := indexOn(p, p.Columns[at])
			if x == nil {
				return nil
			}
			a.Index, a.Name = x.ID, x.Name
		}
		n := *p
		n.Access = a
		return &n
	}
	return nil
}

// indexOn is an index of s whose first column is col, nil: none.
func indexOn(s *plan.Scan, col int) *plan.IndexKey {
	for i := range s.Indexes {
		if x := &s.Indexes[i]; len(x.Columns) > 0 && x.Columns[0] == col && x.Where == nil {
			return x
		}
	}
	return nil
}
