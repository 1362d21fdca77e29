// Package expr is the typed expression: what the binder makes of SQL text,
// what plans store, and what operators evaluate, over column batches.
//
// An expression tree is plain data (it marshals to JSON, see json.go), so a
// plan that holds it can be stored and read by a later version. Evaluation is
// by Compile, which looks functions up in the registry (functions.go) and gives
// an Evaluator with its own scratch memory.
package expr

import "velostream/catalog/types"

// Expr is a typed expression. The implementations are the structs of this
// file and nothing else.
type Expr interface {
	// Type is the type of the value.
	Type() types.Type
}

// Col is column Index of the input row.
type Col struct {
	Index int        `json:"index"`
	T     types.Type `json:"t"`
	Name  string     `json:"name,omitempty"` // for EXPLAIN
}

// Const is a literal, or a folded expression.
type Const struct {
	Value types.Datum `json:"value"`
	T     types.Type  `json:"t"`
}

// Param is $Number (from 1); BindParams replaces it by a Const before running.
type Param struct {
	Number int        `json:"number"`
	T      types.Type `json:"t"`
	Pos    int        `json:"-"` // as Call's
}

// Call applies the registered function or operator Name with the argument
// types Sig (what the registry declares; Args already have these types, but
// for their modifiers). Pos is where it stands in the statement's text
// (characters from 1; 0 unknown).
type Call struct {
	Name string      `json:"name"`
	Sig  []types.OID `json:"sig"`
	Args []Expr      `json:"args"`
	T    types.Type  `json:"t"`
	Pos  int         `json:"pos,omitempty"`
}

// Cast converts Arg to T by PostgreSQL's cast between the two types,
// Explicit or by assignment (lengths: an explicit cast cuts, an assignment errs).
type Cast struct {
	Arg      Expr       `json:"arg"`
	T        types.Type `json:"t"`
	Explicit bool       `json:"explicit,omitempty"`
	Pos      int        `json:"pos,omitempty"`
}

// And is n-ary and three-valued; a later argument is evaluated only for rows
// that the earlier ones did not decide.
type And struct {
	Args []Expr `json:"args"`
}

// Or is n-ary and three-valued, evaluated like And.
type Or struct {
	Args []Expr `json:"args"`
}

// Not is three-valued negation.
type Not struct {
	Arg Expr `json:"arg"`
}

// IsNull is arg IS NULL, or IS NOT NULL when Negate.
type IsNull struct {
	Arg    Expr `json:"arg"`
	Negate bool `json:"negate,omitempty"`
}

// IsDistinct is L IS DISTINCT FROM R (IS NOT DISTINCT FROM when Negate).
// Both sides have the same type.
type IsDistinct struct {
	L      Expr `json:"l"`
	R      Expr `json:"r"`
	Negate bool `json:"negate,omitempty"`
}

// Case takes the first When whose condition is true; results are evaluated
// only for the rows that take them. A simple CASE is bound into this form.
type Case struct {
	Whens []When     `json:"whens"`
	Else  Expr       `json:"else,omitempty"` // nil: NULL
	T     types.Type `json:"t"`
}

// When is a branch of Case.
type When struct {
	Cond Expr `json:"cond"`
	Then Expr `json:"then"`
}

// Coalesce is the first argument that is not NULL; later ones are evaluated
// only where needed.
type Coalesce struct {
	Args []Expr     `json:"args"`
	T    types.Type `json:"t"`
}

// InList is Arg = ANY of the constants (three-valued), by hash lookup.
type InList struct {
	Arg    Expr    `json:"arg"`
	List   []Const `json:"list"`
	Negate bool    `json:"negate,omitempty"`
}

// ArrayOf is ARRAY[…].
type ArrayOf struct {
	Args []Expr     `json:"args"`
	T    types.Type `json:"t"`
}

// Type implements Expr.
func (e *Col) Type() types.Type { return e.T }

// Type implements Expr.
func (e *Const) Type() types.Type { return e.T }

// Type implements Expr.
func (e *Param) Type() types.Type { return e.T }

// Type implements Expr.
func (e *Call) Type() types.Type { return e.T }

// Type implements Expr.
func (e *Cast) Type() types.Type { return e.T }

// Type implements Expr.
func (e *And) Type() types.Type { return types.Bool }

// Type implements Expr.
func (e *Or) Type() types.Type { return types.Bool }

// Type implements Expr.
func (e *Not) Type() types.Type { return types.Bool }

// Type implements Expr.
func (e *IsNull) Type() types.Type { return types.Bool }

// Type implements Expr.
func (e *IsDistinct) Type() types.Type { return types.Bool }

// Type implements Expr.
func (e *Case) Type() types.Type { return e.T }

// Type implements Expr.
func (e *Coalesce) Type() types.Type { return e.T }

// Type implements Expr.
func (e *InList) Type() types.Type { return types.Bool }

// Nested reports that the elements are arrays themselves: the result has their type,
// and a dimension more.
func (e *ArrayOf) Nested() bool { return len(e.Args) > 0 && e.Args[0].Type().OID == e.T.OID }

// Type implements Expr.
func (e *ArrayOf) Type() types.Type { return e.T }

// Children returns e's direct sub-expressions.
func Children(e Expr) []Expr {
	switch e := e.(type) {
	case *Call:
		return e.Args
	case *Cast:
		return []Expr{e.Arg}
	case *And:
		return e.Args
	case *Or:
		return e.Args
	case *Not:
		return []Expr{e.Arg}
	case *IsNull:
		return []Expr{e.Arg}
	case *IsDistinct:
		return []Expr{e.L, e.R}
	case *Case:
		out := make([]Expr, 0, 2*len(e.Whens)+1)
		for _, w := range e.Whens {
			out = append(out, w.Cond, w.Then)
		}
		if e.Else != nil {
			out = append(out, e.Else)
		}
		return out
	case *Coalesce:
		return e.Args
	case *InList:
		return []Expr{e.Arg}
	case *ArrayOf:
		return e.Args
	}
	return nil
}

// Rewrite rebuilds e bottom-up: children first, then f on the node itself. f
// returns its argument to keep it. Unchanged nodes are shared, not copied.
func Rewrite(e Expr, f func(Expr) (Expr, error)) (Expr, error) {
	var err error
	all := func(in []Expr) []Expr {
		out, changed := make([]Expr, len(in)), false
		for i, a := range in {
			if err == nil {
				out[i], err = Rewrite(a, f)
				changed = changed || out[i] != a
			}
		}
		if !changed {
			return in
		}
		return out
	}
	one := func(a Expr) Expr { return all([]Expr{a})[0] }
	var n Expr
	switch e := e.(type) {
	case *Call:
		c := *e
		c.Args = all(e.Args)
		n = &c
	case *Cast:
		c := *e
		c.Arg = one(e.Arg)
		n = &c
	case *And:
		n = &And{all(e.Args)}
	case *Or:
		n = &Or{all(e.Args)}
	case *Not:
		n = &Not{one(e.Arg)}
	case *IsNull:
		n = &IsNull{one(e.Arg), e.Negate}
	case *IsDistinct:
		n = &IsDistinct{one(e.L), one(e.R), e.Negate}
	case *Case:
		c := &Case{T: e.T}
		for _, w := range e.Whens {
			c.Whens = append(c.Whens, When{one(w.Cond), one(w.Then)})
		}
		if e.Else != nil {
			c.Else = one(e.Else)
		}
		n = c
	case *Coalesce:
		n = &Coalesce{all(e.Args), e.T}
	case *InList:
		n = &InList{one(e.Arg), e.List, e.Negate}
	case *ArrayOf:
		n = &ArrayOf{all(e.Args), e.T}
	default:
		n = e
	}
	if err != nil {
		return nil, err
	}
	return f(n)
}
