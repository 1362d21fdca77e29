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
		if c.Lookup, used = keyValues(keyColumns(s), conds); c.Lookup != nil {
			return &c, used
		}
	}
	for i := range s.Indexes {
		x := &s.Indexes[i]
		key := indexColumns(s, x, conds)
		if !x.Unique || len(key) < len(x.Columns) {
			continue
		}
		if c.Lookup, used = keyValues(key, conds); c.Lookup != nil {
			c.Index = x
			return &c, used
		}
	}
	return nil, nil
}

// keyValues are the values that conds demand of the columns key, nil unless of all;
// used marks the conditions that say so.
func keyValues(key []keyColumn, conds []expr.Expr) (lookup []expr.Expr, used []bool) {
	lookup, used = make([]expr.Expr, len(key)), make([]bool, len(conds))
	for i, k := range key {
		for c, cond := range conds {
			if v := keyValue(cond, k); v != nil && !used[c] {
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
func keyValue(cond expr.Expr, k keyColumn) expr.Expr {
	l, r, ok := plan.IsEquality(cond)
	if !ok {
		return nil
	}
	if k.is(r) {
		l, r = r, l
	}
	if !k.is(l) || !fixed(r) {
		return nil
	}
	return asKey(r, k.value.Type())
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

// keyColumn is a column of a key that rows are found by.
type keyColumn struct {
	column int       // of the relation, or of the index where it is an expression
	value  expr.Expr // over what the scan reads
}

// keyColumns are the columns of the key of s itself.
func keyColumns(s *plan.Scan) []keyColumn {
	key := make([]keyColumn, len(s.Key))
	for i, k := range s.Key {
		key[i] = readColumn(s, k)
	}
	return key
}

// readColumn is the column of a relation that s reads at place at.
func readColumn(s *plan.Scan, at int) keyColumn {
	return keyColumn{s.Columns[at], &expr.Col{Index: at, T: s.Out[at].Type, Name: s.Out[at].Name}}
}

// is reports that e is the column, or one of type varchar compared as text, which
// has the same values.
func (k keyColumn) is(e expr.Expr) bool {
	if expr.Equal(e, k.value) {
		return true
	}
	if c, ok := e.(*expr.Cast); ok && c.T == types.Text && c.Arg.Type().OID == types.OIDVarchar {
		e = c.Arg
	}
	c, ok := e.(*expr.Col)
	v, ok2 := k.value.(*expr.Col)
	return ok && ok2 && c.Index == v.Index
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
