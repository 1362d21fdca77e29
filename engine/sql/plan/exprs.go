package plan

import (
	"bytes"
	"slices"

	"velostream/catalog/types"
	"velostream/engine/sql/expr"
)

// MapChildren rebuilds e with f applied to each direct sub-expression; e itself
// is returned when f changed none. It is the top-down counterpart of
// expr.Rewrite: f decides whether to go deeper.
func MapChildren(e expr.Expr, f func(expr.Expr) (expr.Expr, error)) (expr.Expr, error) {
	var err error
	changed := false
	one := func(a expr.Expr) expr.Expr {
		if err != nil {
			return a
		}
		n, e := f(a)
		if e != nil {
			err = e
			return a
		}
		changed = changed || n != a
		return n
	}
	n := mapWith(e, one)
	switch {
	case err != nil:
		return nil, err
	case !changed:
		return e, nil
	}
	return n, nil
}

func mapAll(in []expr.Expr, one func(expr.Expr) expr.Expr) []expr.Expr {
	out := make([]expr.Expr, len(in))
	for i, a := range in {
		out[i] = one(a)
	}
	return out
}

func mapWith(e expr.Expr, one func(expr.Expr) expr.Expr) expr.Expr {
	switch e := e.(type) {
	case *expr.Call:
		c := *e
		c.Args = mapAll(e.Args, one)
		return &c
	case *expr.Cast:
		c := *e
		c.Arg = one(e.Arg)
		return &c
	case *expr.And:
		return &expr.And{Args: mapAll(e.Args, one)}
	case *expr.Or:
		return &expr.Or{Args: mapAll(e.Args, one)}
	case *expr.Not:
		return &expr.Not{Arg: one(e.Arg)}
	case *expr.IsNull:
		return &expr.IsNull{Arg: one(e.Arg), Negate: e.Negate}
	case *expr.IsDistinct:
		return &expr.IsDistinct{L: one(e.L), R: one(e.R), Negate: e.Negate}
	case *expr.Case:
		c := &expr.Case{T: e.T, Whens: make([]expr.When, len(e.Whens))}
		for i, w := range e.Whens {
			c.Whens[i] = expr.When{Cond: one(w.Cond), Then: one(w.Then)}
		}
		if e.Else != nil {
			c.Else = one(e.Else)
		}
		return c
	case *expr.Coalesce:
		return &expr.Coalesce{Args: mapAll(e.Args, one), T: e.T}
	case *expr.InList:
		return &expr.InList{Arg: one(e.Arg), List: e.List, Negate: e.Negate}
	case *expr.ArrayOf:
		return &expr.ArrayOf{Args: mapAll(e.Args, one), T: e.T}
	}
	return e
}

// Same reports that a and b are the same expression; names for display and
// positions in the text do not count.
func Same(a, b expr.Expr) bool {
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	if a.Type() != b.Type() || !SameNode(a, b) {
		return false
	}
	// Kinds whose Children are made anew: each aggregate of a query is compared with all others.
	switch a := a.(type) {
	case *expr.Case:
		b, ok := b.(*expr.Case)
		return ok && slices.EqualFunc(a.Whens, b.Whens, sameWhen) && Same(a.Else, b.Else)
	case *expr.Cast:
		b, ok := b.(*expr.Cast)
		return ok && Same(a.Arg, b.Arg)
	}
	return slices.EqualFunc(expr.Children(a), expr.Children(b), Same)
}

func sameWhen(a, b expr.When) bool { return Same(a.Cond, b.Cond) && Same(a.Then, b.Then) }

// SameNode compares two expressions without their children.
func SameNode(a, b expr.Expr) bool {
	switch a := a.(type) {
	case *expr.Col:
		b, ok := b.(*expr.Col)
		return ok && a.Index == b.Index
	case *expr.Const:
		b, ok := b.(*expr.Const)
		return ok && SameDatum(a.Value, b.Value)
	case *expr.Param:
		b, ok := b.(*expr.Param)
		return ok && a.Number == b.Number
	case *expr.Call:
		b, ok := b.(*expr.Call)
		return ok && a.Name == b.Name && slices.Equal(a.Sig, b.Sig)
	case *expr.Cast:
		b, ok := b.(*expr.Cast)
		return ok && a.Explicit == b.Explicit
	case *expr.And:
		_, ok := b.(*expr.And)
		return ok
	case *expr.Or:
		_, ok := b.(*expr.Or)
		return ok
	case *expr.Not:
		_, ok := b.(*expr.Not)
		return ok
	case *expr.IsNull:
		b, ok := b.(*expr.IsNull)
		return ok && a.Negate == b.Negate
	case *expr.IsDistinct:
		b, ok := b.(*expr.IsDistinct)
		return ok && a.Negate == b.Negate
	case *expr.Case:
		b, ok := b.(*expr.Case)
		return ok && len(a.Whens) == len(b.Whens)
	case *expr.Coalesce:
		_, ok := b.(*expr.Coalesce)
		return ok
	case *expr.InList:
		b, ok := b.(*expr.InList)
		return ok && a.Negate == b.Negate && slices.EqualFunc(a.List, b.List, sameConst)
	case *expr.ArrayOf:
		_, ok := b.(*expr.ArrayOf)
		return ok
	}
	return a == b
}

func sameConst(a, b expr.Const) bool { return a.T == b.T && SameDatum(a.Value, b.Value) }

// SameDatum reports identical values of one type: numerics also by scale.
func SameDatum(a, b types.Datum) bool {
	return a.Null == b.Null && a.I == b.I && a.F == b.F && a.Iv == b.Iv &&
		a.Dec.Equal(b.Dec) && a.Dec.Scale() == b.Dec.Scale() &&
		bytes.Equal(a.B, b.B) && slices.EqualFunc(a.List, b.List, SameDatum)
}

// EachColumn calls f for every column that e refers to.
func EachColumn(e expr.Expr, f func(*expr.Col)) {
	if c, ok := e.(*expr.Col); ok {
		f(c)
		return
	}
	for _, a := range expr.Children(e) {
		EachColumn(a, f)
	}
}

// Shift returns e with n added to every column position.
func Shift(e expr.Expr, n int) expr.Expr {
	if n == 0 || e == nil {
		return e
	}
	return Remap(e, func(c *expr.Col) expr.Expr { return &expr.Col{Index: c.Index + n, T: c.T, Name: c.Name} })
}

// Remap returns e with every column reference replaced by what f gives for it.
func Remap(e expr.Expr, f func(*expr.Col) expr.Expr) expr.Expr {
	if e == nil {
		return nil
	}
	if c, ok := e.(*expr.Col); ok {
		return f(c)
	}
	out, _ := MapChildren(e, func(a expr.Expr) (expr.Expr, error) { return Remap(a, f), nil })
	return out
}

// Conjuncts splits e at its top-level ANDs; nil gives none.
func Conjuncts(e expr.Expr) []expr.Expr {
	if and, ok := e.(*expr.And); ok {
		return appendConjuncts(make([]expr.Expr, 0, len(and.Args)), e)
	}
	return appendConjuncts(nil, e)
}

func appendConjuncts(out []expr.Expr, e expr.Expr) []expr.Expr {
	switch e := e.(type) {
	case nil:
		return out
	case *expr.And:
		for _, a := range e.Args {
			out = appendConjuncts(out, a)
		}
		return out
	}
	return append(out, e)
}

// All is the conjunction of conds, nil for none.
func All(conds []expr.Expr) expr.Expr {
	switch len(conds) {
	case 0:
		return nil
	case 1:
		return conds[0]
	}
	return &expr.And{Args: conds}
}

// IsEquality returns the sides of L = R.
func IsEquality(e expr.Expr) (l, r expr.Expr, ok bool) {
	c, ok := e.(*expr.Call)
	if !ok || c.Name != "=" || len(c.Args) != 2 {
		return nil, nil, false
	}
	return c.Args[0], c.Args[1], true
}
