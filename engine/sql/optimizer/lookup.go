package optimizer

import (
	"slices"

	"velostream/catalog/types"
	"velostream/engine/sql/expr"
	"velostream/engine/sql/plan"
)

// pointLookups turns a bounded read of a table or view whose whole key, or a
// whole secondary index, is fixed into a lookup.
func pointLookups(_ *Context, p plan.Logical) (plan.Logical, bool) {
	return bottomUp(p, func(p plan.Logical) (plan.Logical, bool) {
		f, ok := p.(*plan.Filter)
		if !ok {
			return p, false
		}
		s, ok := f.Input.(*plan.Scan)
		if !ok || !s.Bounded || s.Lookup != nil {
			return p, false
		}
		conds := plan.Conjuncts(f.Cond)
		n := *s
		var used []bool
		if s.Keyed && len(s.Key) > 0 {
			n.Lookup, used = keyValues(s, s.Key, conds)
		}
		if n.Lookup == nil {
			n.Index, n.Lookup, used = indexValues(s, conds)
		}
		if n.Lookup == nil {
			return p, false
		}
		var rest []expr.Expr
		for i, c := range conds {
			if !used[i] {
				rest = append(rest, c)
			}
		}
		return filtered(&n, rest), true
	})
}

// keyValues are the values that conds demand of the columns key, nil unless of all;
// used marks the conditions that say so.
func keyValues(s *plan.Scan, key []int, conds []expr.Expr) (lookup []expr.Expr, used []bool) {
	lookup, used = make([]expr.Expr, len(key)), make([]bool, len(conds))
	for i, k := range key {
		for c, cond := range conds {
			if v := keyValue(cond, k, s.Out[k].Type); v != nil && !used[c] {
				lookup[i], used[c] = v, true
				break
			}
		}
		if lookup[i] == nil {
			return nil, nil
		}
	}
	return lookup, used
}

// indexValues finds the best index whose columns conds fix: a unique one, else the one
// with most columns.
func indexValues(s *plan.Scan, conds []expr.Expr) (best *plan.IndexKey, lookup []expr.Expr, used []bool) {
	for i := range s.Indexes {
		x := &s.Indexes[i]
		key := make([]int, 0, len(x.Columns))
		for _, c := range x.Columns {
			if at := slices.Index(s.Columns, c); at >= 0 {
				key = append(key, at)
			}
		}
		if len(key) < len(x.Columns) || best != nil && (best.Unique || !x.Unique && len(x.Columns) <= len(best.Columns)) {
			continue
		}
		if l, u := keyValues(s, key, conds); l != nil {
			best, lookup, used = x, l, u
		}
	}
	return best, lookup, used
}

// keyValue is the value that cond demands of column k, nil if it demands none
// or not one of the column's type.
func keyValue(cond expr.Expr, k int, t types.Type) expr.Expr {
	l, r, ok := plan.IsEquality(cond)
	if !ok {
		return nil
	}
	if isKey(r, k) {
		l, r = r, l
	}
	if !isKey(l, k) || len(expr.Columns(r)) > 0 || volatile(r) {
		return nil
	}
	if v, ok := r.(*expr.Const); ok {
		if v.Value.Null {
			return nil
		}
		if v.T.OID != t.OID && isInteger(v.T.OID) && isInteger(t.OID) && fits(v.Value.I, t.OID) {
			return &expr.Const{Value: v.Value, T: types.Type{OID: t.OID, Mod: -1}}
		}
	}
	if r.Type().OID != t.OID && (t.OID != types.OIDVarchar || r.Type().OID != types.OIDText) {
		return nil
	}
	return r
}

// isKey reports that e is column k, or k of type varchar compared as text, which
// has the same values.
func isKey(e expr.Expr, k int) bool {
	if c, ok := e.(*expr.Cast); ok && c.T == types.Text && c.Arg.Type().OID == types.OIDVarchar {
		e = c.Arg
	}
	c, ok := e.(*expr.Col)
	return ok && c.Index == k
}

func isInteger(o types.OID) bool {
	return o == types.OIDInt2 || o == types.OIDInt4 || o == types.OIDInt8
}

func fits(v int64, o types.OID) bool {
	switch o {
	case types.OIDInt2:
		return v == int64(int16(v))
	case types.OIDInt4:
		return v == int64(int32(v))
	default:
		return true
	}
}
