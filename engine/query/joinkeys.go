package query

import (
	"velostream/catalog/types"
	"velostream/engine/operator"
	"velostream/engine/sql/expr"
	"velostream/engine/sql/plan"
)

// joinKeysMax is for how many rows of one side the other is read by key, each
// a range of its own; for more than that it is read whole.
const joinKeysMax = 1000

// joinScan is the scan below p, an input of a join, that is to be read by a key of
// the join, nil: none.
func joinScan(p *plan.Physical) *plan.Physical {
	for len(p.Inputs) == 1 && p.Shared == 0 {
		p = p.Inputs[0]
	}
	if p.Op == plan.OpScan && p.Shared == 0 && p.Access != nil && p.Access.Join > 0 {
		return p
	}
	return nil
}

// rightFirst reports that the right input of a join is read first: its rows are kept, and those
// of the left one pass by, unless the right one is to be read by keys of the left one.
func rightFirst(p *plan.Physical) bool {
	return joinScan(p.Inputs[1]) == nil || joinScan(p.Inputs[0]) != nil
}

// keyed notes that a scan below input n of the join op is read by what the other
// input has brought by then.
func (b *builder) keyed(p *plan.Physical, n int, op any) {
	s := joinScan(p.Inputs[n])
	j, ok := op.(operator.KeyLister)
	if s == nil || !ok {
		return
	}
	b.keys[s] = func() ([]types.Datum, bool) { return j.Keys(1-n, s.Access.Join-1, joinKeysMax) }
}

// narrowed is the scan with the keys that it is to be read by.
func narrowed(s *plan.Physical, keys func() ([]types.Datum, bool)) *plan.Physical {
	if s.Access == nil || s.Access.Join == 0 {
		return s
	}
	n := *s
	n.Access = nil
	if keys == nil {
		return &n
	}
	if list, ok := keys(); ok {
		a := *s.Access
		a.Among = make([]expr.Expr, len(list))
		for i, d := range list {
			a.Among[i] = &expr.Const{Value: d, T: types.Type{OID: outType(s).OID, Mod: -1}}
		}
		n.Access = &a
	}
	return &n
}

// outType is the type of the column that s is read by.
func outType(s *plan.Physical) types.Type {
	for i, c := range s.Columns {
		if c == s.Access.Columns[0] {
			return s.Out[i].Type
		}
	}
	return types.Text // not reached: the join needs the column
}
