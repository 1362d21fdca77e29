package expr

import (
	"velostream/catalog/types"
	"velostream/pgwire/pgerror"
)

// Fold replaces the parts of e that are immutable and constant by their
// values, and simplifies AND, OR, NOT, CASE and COALESCE around constants.
// What would give an error stays as it is: whether a row meets it is known at
// run time only.
func Fold(e Expr) Expr {
	out, _ := Rewrite(e, func(e Expr) (Expr, error) { return foldNode(e), nil })
	return out
}

func foldNode(e Expr) Expr {
	switch e := e.(type) {
	case *Const, *Col, *Param:
		return e
	case *And:
		return foldLogic(e, e.Args, false)
	case *Or:
		return foldLogic(e, e.Args, true)
	case *Case:
		return foldCase(e)
	case *Coalesce:
		return foldCoalesce(e)
	case *Cast:
		if !immutableCast(e.Arg.Type(), e.T) {
			return e
		}
	case *Call:
		if fn := Lookup(e.Name, e.Sig); fn == nil || fn.Volatility != Immutable {
			return e
		}
	}
	for _, a := range Children(e) {
		if _, ok := a.(*Const); !ok {
			return e
		}
	}
	d, err := EvalConst(e, nil)
	if err != nil {
		return e
	}
	return &Const{Value: d, T: e.Type()}
}

// foldLogic drops the constant arguments that decide nothing and takes the one
// that does. An argument before it that is not constant may fail; PostgreSQL
// drops it too.
func foldLogic(e Expr, args []Expr, decided bool) Expr {
	var rest []Expr
	null := false
	for _, a := range args {
		c, ok := a.(*Const)
		switch {
		case !ok:
			rest = append(rest, a)
		case c.Value.Null:
			null = true
		case c.Value.Bool() == decided:
			return &Const{Value: types.BoolDatum(decided), T: types.Bool}
		}
	}
	if null {
		if len(rest) == 0 {
			return &Const{Value: types.NullDatum, T: types.Bool}
		}
		if len(rest) == len(args)-1 {
			return e
		}
		rest = append(rest, &Const{Value: types.NullDatum, T: types.Bool})
	}
	switch {
	case len(rest) == 0:
		return &Const{Value: types.BoolDatum(!decided), T: types.Bool}
	case len(rest) == 1:
		return rest[0]
	case len(rest) == len(args):
		return e
	case decided:
		return &Or{rest}
	}
	return &And{rest}
}

func foldCase(e *Case) Expr {
	out := &Case{Else: e.Else, T: e.T}
	for _, w := range e.Whens {
		c, ok := w.Cond.(*Const)
		switch {
		case !ok:
			out.Whens = append(out.Whens, w)
			continue
		case c.Value.Null || !c.Value.Bool():
			continue
		}
		out.Else = w.Then
		break
	}
	if len(out.Whens) > 0 {
		if len(out.Whens) == len(e.Whens) {
			return e
		}
		return out
	}
	if out.Else == nil {
		return &Const{Value: types.NullDatum, T: e.T}
	}
	return retype(out.Else, e.T)
}

// retype keeps the type of a node that was replaced by one of its branches.
func retype(e Expr, t types.Type) Expr {
	if e.Type() == t {
		return e
	}
	if c, ok := e.(*Const); ok && c.T.OID == t.OID {
		return &Const{Value: c.Value, T: t}
	}
	return &Cast{Arg: e, T: t}
}

func foldCoalesce(e *Coalesce) Expr {
	var rest []Expr
	for _, a := range e.Args {
		c, ok := a.(*Const)
		if ok && c.Value.Null {
			continue
		}
		rest = append(rest, a)
		if ok {
			break
		}
	}
	switch {
	case len(rest) == 0:
		return &Const{Value: types.NullDatum, T: e.T}
	case len(rest) == 1:
		return retype(rest[0], e.T)
	case len(rest) == len(e.Args):
		return e
	}
	return &Coalesce{rest, e.T}
}

// immutableCast reports that a cast depends on no setting: not on the time
// zone, date style or the clock.
func immutableCast(from, to types.Type) bool {
	return !dependsOnSettings(from.OID, to.OID) && !dependsOnSettings(to.OID, from.OID)
}

// labelCast reports a cast between an enum type and its labels, which can be given other
// names: values that are stored do not follow.
func labelCast(from, to types.Type) bool {
	enum := func(t types.Type) bool {
		if e, ok := t.Elem(); ok {
			t = e
		}
		return t.IsEnum()
	}
	return enum(from) != enum(to)
}

// dependsOnSettings reports a conversion from type a that needs settings when
// it goes to b.
func dependsOnSettings(a, b types.OID) bool {
	if e, ok := (types.Type{OID: a, Mod: -1}).Elem(); ok {
		a = e.OID
	}
	if e, ok := (types.Type{OID: b, Mod: -1}).Elem(); ok {
		b = e.OID
	}
	switch a {
	case types.OIDTimestamptz:
		return b != types.OIDTimestamptz
	case types.OIDDate, types.OIDTime, types.OIDTimestamp, types.OIDInterval, types.OIDFloat4, types.OIDFloat8, types.OIDBytea:
		c, _ := category(b)
		return c == types.CategoryString
	case types.OIDRegclass, types.OIDRegtype, types.OIDRegproc, types.OIDRegnamespace, types.OIDRegrole, types.OIDRegprocedure, types.OIDRegoper, types.OIDRegoperator, types.OIDRegcollation:
		c, _ := category(b)
		return c == types.CategoryString
	default:
	}
	return false
}

// BindParams replaces the parameters of e by the values args (of the
// parameters' types).
func BindParams(e Expr, args []types.Datum) (Expr, error) {
	return Rewrite(e, func(e Expr) (Expr, error) {
		p, ok := e.(*Param)
		if !ok {
			return e, nil
		}
		if p.Number < 1 || p.Number > len(args) {
			return nil, pgerror.New(pgerror.UndefinedParameter, "there is no parameter $%d", p.Number).At(p.Pos)
		}
		return &Const{Value: args[p.Number-1], T: p.T}, nil
	})
}

// VolatilityOf is the highest volatility of any part of e.
func VolatilityOf(e Expr) Volatility {
	v := Immutable
	switch e := e.(type) {
	case *Call:
		if fn := Lookup(e.Name, e.Sig); fn != nil {
			v = fn.Volatility
		}
	case *Cast:
		_, given := e.Arg.(*Const)
		if !immutableCast(e.Arg.Type(), e.T) || !given && labelCast(e.Arg.Type(), e.T) {
			v = Stable
		}
	}
	for _, a := range Children(e) {
		v = max(v, VolatilityOf(a))
	}
	return v
}
