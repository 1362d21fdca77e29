package expr

import "velostream/catalog/types"

// Columns returns the set of the input columns that e refers to.
func Columns(e Expr) map[int]bool {
	set := make(map[int]bool)
	addColumns(e, set)
	return set
}

func addColumns(e Expr, set map[int]bool) {
	if c, ok := e.(*Col); ok {
		set[c.Index] = true
	}
	for _, a := range Children(e) {
		addColumns(a, set)
	}
}

// MapColumns renumbers the columns of e.
func MapColumns(e Expr, to func(int) int) Expr {
	out, _ := Rewrite(e, func(e Expr) (Expr, error) {
		c, ok := e.(*Col)
		if !ok {
			return e, nil
		}
		j := to(c.Index)
		if j == c.Index {
			return e, nil
		}
		return &Col{Index: j, T: c.T, Name: c.Name}, nil
	})
	return out
}

// ShiftColumns adds by to the column numbers of e.
func ShiftColumns(e Expr, by int) Expr {
	return MapColumns(e, func(i int) int { return i + by })
}

// ReplaceColumns puts the expression with(i) in the place of column i.
func ReplaceColumns(e Expr, with func(int) Expr) Expr {
	out, _ := Rewrite(e, func(e Expr) (Expr, error) {
		if c, ok := e.(*Col); ok {
			return with(c.Index), nil
		}
		return e, nil
	})
	return out
}

// Equal reports that a and b are the same expression: same structure, types
// and constants; names of columns and positions do not count. Volatile calls
// are equal here to calls that look the same.
func Equal(a, b Expr) bool {
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	if a.Type() != b.Type() || !sameNode(a, b) {
		return false
	}
	ca, cb := Children(a), Children(b)
	if len(ca) != len(cb) {
		return false
	}
	for i := range ca {
		if !Equal(ca[i], cb[i]) {
			return false
		}
	}
	return true
}

// sameNode compares two nodes of equal type without their children.
func sameNode(a, b Expr) bool {
	switch a := a.(type) {
	case *Col:
		b, ok := b.(*Col)
		return ok && a.Index == b.Index
	case *Const:
		b, ok := b.(*Const)
		return ok && sameConst(a, b)
	case *Param:
		b, ok := b.(*Param)
		return ok && a.Number == b.Number
	case *Call:
		b, ok := b.(*Call)
		return ok && a.Name == b.Name && sameSig(a.Sig, b.Sig)
	case *Cast:
		b, ok := b.(*Cast)
		return ok && a.Explicit == b.Explicit
	case *And:
		_, ok := b.(*And)
		return ok
	case *Or:
		_, ok := b.(*Or)
		return ok
	case *Not:
		_, ok := b.(*Not)
		return ok
	case *IsNull:
		b, ok := b.(*IsNull)
		return ok && a.Negate == b.Negate
	case *IsDistinct:
		b, ok := b.(*IsDistinct)
		return ok && a.Negate == b.Negate
	case *Case:
		b, ok := b.(*Case)
		return ok && len(a.Whens) == len(b.Whens) && (a.Else == nil) == (b.Else == nil)
	case *Coalesce:
		_, ok := b.(*Coalesce)
		return ok
	case *InList:
		b, ok := b.(*InList)
		return ok && a.Negate == b.Negate && sameList(a.List, b.List)
	case *ArrayOf:
		_, ok := b.(*ArrayOf)
		return ok
	}
	return false
}

func sameSig(a, b []types.OID) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

// sameConst compares constants by how they print, so that 1.0 and 1.00 differ
// and NaN is the same as NaN.
func sameConst(a, b *Const) bool {
	if a.T != b.T || a.Value.Null != b.Value.Null {
		return false
	}
	return a.Value.Null || string(types.AppendText(nil, a.T, a.Value, nil)) == string(types.AppendText(nil, b.T, b.Value, nil))
}

func sameList(a, b []Const) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if !sameConst(&a[i], &b[i]) {
			return false
		}
	}
	return true
}
