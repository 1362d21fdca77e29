package expr

import (
	"errors"

	"velostream/catalog/types"
	"velostream/pgwire/pgerror"
)

// NewCall resolves a call of name over args and builds it, with the casts its
// arguments need. pos is where it stands in the text (0: unknown). f is used
// to read literals. Errors are those of Resolve and of reading literals.
func NewCall(name string, isOperator bool, args []Expr, pos int, f *types.Format) (*Call, error) {
	ts := make([]types.Type, len(args))
	for i, a := range args {
		ts[i] = a.Type()
	}
	fn, want, err := Resolve(name, isOperator, ts)
	if err != nil {
		return nil, at(err, pos)
	}
	c := &Call{Name: name, Sig: fn.Args, Pos: pos, Args: make([]Expr, len(args))}
	for i, a := range args {
		if c.Args[i], err = CastTo(a, want[i], false, pos, f); err != nil {
			return nil, err
		}
	}
	c.T = fn.ReturnType(want)
	return c, nil
}

// CastTo wraps e in a cast to t unless it has that type. A literal of unknown
// type is read as t, a parameter of unknown type becomes a t (in place: all
// uses of a parameter share its node). It does not ask whether the cast may
// stand here: see types.FindCast.
func CastTo(e Expr, t types.Type, explicit bool, pos int, f *types.Format) (Expr, error) {
	from := e.Type()
	if from == t || from.OID == t.OID && t.Mod == -1 || t.OID == types.OIDRecord && from.IsRow() {
		return e, nil
	}
	switch e := e.(type) {
	case *Param:
		if from.OID == types.OIDUnknown {
			e.T = types.Type{OID: t.OID, Mod: -1}
			if t.Mod == -1 {
				return e, nil
			}
		}
	case *Const:
		if e.Value.Null {
			return &Const{Value: types.NullDatum, T: t}, nil
		}
		if from.OID == types.OIDUnknown {
			base := types.Type{OID: t.OID, Mod: -1}
			if t.OID == types.OIDInterval {
				base.Mod = t.Mod // the fields say what a bare number counts
			}
			d, err := types.DecodeText(base, e.Value.B, f)
			if err != nil {
				return nil, at(err, pos)
			}
			c := &Const{Value: d, T: base}
			if t.Mod == -1 {
				return c, nil
			}
			c.T.Mod = -1
			return &Cast{Arg: c, T: t, Explicit: explicit, Pos: pos}, nil
		}
	}
	return &Cast{Arg: e, T: t, Explicit: explicit, Pos: pos}, nil
}

// at sets the position of an *pgerror.Error that has none.
func at(err error, pos int) error {
	if err == nil || pos == 0 {
		return err
	}
	var e *pgerror.Error
	if !errors.As(err, &e) {
		return pgerror.From(err).At(pos)
	}
	if e.Position == 0 {
		c := *e
		return c.At(pos)
	}
	return err
}
