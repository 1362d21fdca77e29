package optimizer

import (
	"velostream/catalog/types"
	"velostream/engine/sql/expr"
	"velostream/engine/sql/plan"
)

// pointLookup reads s by its whole primary key, or a whole unique index, where
// conds fix it; used marks the conditions that say so. nil: they do not.
func pointLookup(s *plan.Scan, conds []expr.Expr) (n *plan.Scan, used []bool) {
	c := *s
	if s.Keyed && len(s.Key) > 0 {
		if c.Lookup, used = keyValues(s, s.Key, conds); c.Lookup != nil {
			return &c, used
		}
	}
	for i := range s.Indexes {
		x := &s.Indexes[i]
		key := indexColumns(s, x)
		if !x.Unique || len(key) < len(x.Columns) {
			continue
		}
		if c.Lookup, used = keyValues(s, key, conds); c.Lookup != nil {
			c.Index = x
			return &c, used
		}
	}
	return nil, nil
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
	if !isKey(l, k) || !fixed(r) {
		return nil
	}
	return asKey(r, t)
}

// fixed reports that e has one value for the whole statement.
func fixed(e expr.Expr) bool { return len(expr.Columns(e)) == 0 && !volatile(e) }

// asKey is e as a value of a key column of type t, nil if it is NULL or of a type
// that is kept otherwise.
func asKey(e expr.Expr, t types.Type) expr.Expr {
	if v, ok := e.(*expr.Const); ok {
		if v.Value.Null {
			return nil
		}
		if v.T.OID != t.OID && isInteger(v.T.OID) && isInteger(t.OID) && fits(v.Value.I, t.OID) {
			return &expr.Const{Value: v.Value, T: types.Type{OID: t.OID, Mod: -1}}
		}
	}
	if !sameKey(e.Type().OID, t.OID) {
		return nil
	}
	return e
}

// sameKey reports that values of type a are kept in keys as those of a column of
// type b are.
func sameKey(a, b types.OID) bool { return a == b || b == types.OIDVarchar && a == types.OIDText }

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
