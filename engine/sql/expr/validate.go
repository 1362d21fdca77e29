package expr

import (
	"velostream/catalog/types"
	"velostream/pgwire/pgerror"
)

// A stored expression may come from a damaged or foreign plan. Kernels trust
// the shapes of their arguments, so compile checks them first.

// sameKind checks that the expressions have values of t's shape.
func sameKind(what string, t types.Type, es ...Expr) error {
	for _, e := range es {
		if e == nil {
			continue
		}
		if e.Type().Kind() != t.Kind() {
			return pgerror.New(pgerror.DataCorrupted, "%s of type %s has an argument of type %s", what, t, e.Type())
		}
	}
	return nil
}

// validate checks the shapes of e's direct arguments.
func validate(e Expr) error {
	switch e := e.(type) {
	case *Call:
		return validateCall(e)
	case *And:
		return sameKind("AND", types.Bool, e.Args...)
	case *Or:
		return sameKind("OR", types.Bool, e.Args...)
	case *Not:
		return sameKind("NOT", types.Bool, e.Arg)
	case *IsDistinct:
		return sameKind("IS DISTINCT FROM", e.L.Type(), e.R)
	case *Case:
		for _, w := range e.Whens {
			if err := sameKind("CASE", types.Bool, w.Cond); err != nil {
				return err
			}
			if err := sameKind("CASE", e.T, w.Then); err != nil {
				return err
			}
		}
		return sameKind("CASE", e.T, e.Else)
	case *Coalesce:
		return sameKind("COALESCE", e.T, e.Args...)
	case *InList:
		for i := range e.List {
			if err := sameKind("IN", e.Arg.Type(), &e.List[i]); err != nil {
				return err
			}
		}
	case *ArrayOf:
		if e.Nested() {
			return sameKind("ARRAY", e.T, e.Args...)
		}
		elem, _ := e.T.Elem()
		return sameKind("ARRAY", elem, e.Args...)
	}
	return nil
}

func validateCall(e *Call) error {
	fn := Lookup(e.Name, e.Sig)
	if fn == nil || !fn.accepts(len(e.Args)) {
		return nil // compileCall says so
	}
	ts := make([]types.Type, len(e.Args))
	for i, a := range e.Args {
		ts[i] = a.Type()
	}
	want, ok := fn.wantedTypes(ts)
	if !ok {
		return noFunction(e.Name, fn.Operator, ts)
	}
	for i, a := range e.Args {
		if err := sameKind(fn.Signature(), want[i], a); err != nil {
			return err
		}
	}
	if ret := fn.ReturnType(want); ret.OID != e.T.OID && !ofRows(fn.Name, e.T) {
		return pgerror.New(pgerror.DataCorrupted, "%s gives %s, not %s", fn.Signature(), ret, e.T)
	}
	return nil
}
