package expr

import (
	"slices"
	"strings"

	"velostream/catalog/types"
	"velostream/pgwire/pgerror"
)

// Resolve finds the function or operator that a call of name with arguments of
// the types args means, by PostgreSQL's rules
// (https://www.postgresql.org/docs/15/typeconv-func.html, typeconv-oper.html).
// A literal without a type has types.Unknown. It returns the types that the
// arguments must be cast to first (equal to args where they need no cast).
// Errors: 42883 none fits, 42725 several fit equally; positions are the
// caller's to add.
func Resolve(name string, isOperator bool, args []types.Type) (*Function, []types.Type, error) {
	return choose(functions().byName[name], name, isOperator, args)
}

// choose is Resolve among the functions all of one name.
func choose(all []*Function, name string, isOperator bool, args []types.Type) (*Function, []types.Type, error) {
	in := make([]types.OID, len(args))
	for i, a := range args {
		in[i] = a.OID
	}
	var cands []*Function
	for _, f := range all {
		if f.Operator == isOperator && f.accepts(len(in)) {
			cands = append(cands, f)
		}
	}
	f := exactMatch(cands, in, isOperator)
	base := baseTypes(in)
	if f == nil {
		f = exactMatch(cands, base, isOperator)
	}
	if f == nil {
		fits := slices.DeleteFunc(slices.Clone(cands), func(f *Function) bool { return !f.coercible(in) })
		switch {
		case len(fits) == 0:
			return nil, nil, noFunction(name, isOperator, args)
		case len(fits) == 1:
			f = fits[0]
		default:
			if f = bestCandidate(fits, base); f == nil {
				return nil, nil, ambiguous(name, isOperator, args)
			}
		}
	}
	if f.undetermined(args) {
		if slices.Contains(f.Args, OIDAnyEnum) {
			return nil, nil, noFunction(name, isOperator, args)
		}
		return nil, nil, pgerror.New(pgerror.DatatypeMismatch, "could not determine polymorphic type because input has type unknown")
	}
	want, ok := f.wantedTypes(args)
	if !ok {
		if elem, ok := f.elementType(args); ok {
			return nil, nil, pgerror.New(pgerror.UndefinedObject, "could not find array type for data type %s", types.Type{OID: elem, Mod: -1})
		}
		return nil, nil, noFunction(name, isOperator, args)
	}
	return f, want, nil
}

// baseTypes are in with jsonb for maps, as PostgreSQL looks for functions of domains.
func baseTypes(in []types.OID) []types.OID {
	if !slices.ContainsFunc(in, func(o types.OID) bool { return types.Type{OID: o}.IsMap() }) {
		return in
	}
	out := slices.Clone(in)
	for i, o := range out {
		out[i] = types.Type{OID: o}.Wire().OID
	}
	return out
}

// undetermined reports that nothing says which type f's anyarray or anyelement is.
func (f *Function) undetermined(args []types.Type) bool {
	poly := false
	for i, a := range args {
		switch f.argType(i) {
		case types.OIDAnyArray, types.OIDAnyElement, OIDAnyNonArray, OIDAnyEnum:
			if poly = true; a.OID != types.OIDUnknown {
				return false
			}
		default:
		}
	}
	return poly
}

// accepts reports whether f can take n arguments.
func (f *Function) accepts(n int) bool {
	if f.Variadic {
		return n >= len(f.Args)
	}
	return n == len(f.Args)
}

// exactMatch finds the candidate with exactly these types. For an operator
// with one unknown side, that side is first taken to be of the other's type.
func exactMatch(cands []*Function, in []types.OID, isOperator bool) *Function {
	want := in
	if isOperator && len(in) == 2 {
		switch {
		case in[0] == types.OIDUnknown && in[1] != types.OIDUnknown:
			want = []types.OID{in[1], in[1]}
		case in[1] == types.OIDUnknown && in[0] != types.OIDUnknown:
			want = []types.OID{in[0], in[0]}
		}
	}
	for _, f := range cands {
		if !f.Variadic && slices.EqualFunc(f.Args, want, exactly) {
			return f
		}
	}
	return nil
}

// exactly reports an argument of the declared type itself; for a map there is no other.
func exactly(declared, o types.OID) bool {
	return declared == o || declared == OIDAnyMap && types.Type{OID: o}.IsMap()
}

// coercible reports whether every argument converts implicitly to f's.
func (f *Function) coercible(in []types.OID) bool {
	for i, o := range in {
		if !canCoerce(o, f.argType(i)) {
			return false
		}
	}
	_, ok := f.elementType(oidTypes(in))
	return ok
}

func oidTypes(in []types.OID) []types.Type {
	out := make([]types.Type, len(in))
	for i, o := range in {
		out[i] = types.Type{OID: o, Mod: -1}
	}
	return out
}

// canCoerce reports an implicit conversion of a value, or unknown literal.
func canCoerce(from, to types.OID) bool {
	switch to {
	case from, OIDAny, types.OIDAnyElement, OIDAnyCompatible:
		return true
	case OIDMapKey:
		return true // see wantedTypes
	case OIDAnyMap:
		return types.Type{OID: from}.IsMap()
	case OIDAnyNonArray:
		return !isArray(from)
	case OIDAnyEnum:
		return from == types.OIDUnknown || types.Type{OID: from}.IsEnum()
	case types.OIDAnyArray, OIDAnyCompatibleArray:
		return from == types.OIDUnknown || isArray(from)
	default:
	}
	return from == types.OIDUnknown || implicitCast(from, to)
}

// bestCandidate narrows down several fitting candidates (func_select_candidate
// in PostgreSQL's parse_func.c describes the steps); nil: none is best.
func bestCandidate(cands []*Function, in []types.OID) *Function {
	cands = keepBest(cands, func(f *Function) int {
		n := 0
		for i, o := range in {
			if o != types.OIDUnknown && f.argType(i) == o {
				n++
			}
		}
		return n
	})
	if len(cands) == 1 {
		return cands[0]
	}
	cands = keepBest(cands, func(f *Function) int {
		n := 0
		for i, o := range in {
			if o == types.OIDUnknown {
				continue
			}
			c, _ := category(o)
			if d := f.argType(i); d == o || preferredIn(c, d) {
				n++
			}
		}
		return n
	})
	if len(cands) == 1 {
		return cands[0]
	}
	if !slices.Contains(in, types.OIDUnknown) {
		return nil
	}
	if by := byUnknownCategories(cands, in); len(by) == 1 {
		return by[0]
	} else if len(by) > 0 {
		cands = by
	}
	return byKnownType(cands, in)
}

func preferredIn(cat types.Category, o types.OID) bool {
	c, p := category(o)
	return p && c == cat
}

func keepBest(cands []*Function, score func(*Function) int) []*Function {
	best := -1
	var out []*Function
	for _, f := range cands {
		switch n := score(f); {
		case n > best:
			best, out = n, []*Function{f}
		case n == best:
			out = append(out, f)
		}
	}
	return out
}

// byUnknownCategories chooses a category for each unknown argument (string
// where any candidate takes one, else the one that all have), and keeps the
// candidates of these categories, of the preferred type where one has it. nil:
// the candidates agree on no category.
func byUnknownCategories(cands []*Function, in []types.OID) []*Function {
	type slot struct {
		cat       types.Category
		preferred bool
	}
	slots := make([]slot, len(in))
	for i, o := range in {
		if o != types.OIDUnknown {
			continue
		}
		s, conflict := slot{}, false
		for _, f := range cands {
			c, p := category(f.argType(i))
			switch {
			case s.cat == 0:
				s = slot{c, p}
			case c == s.cat:
				s.preferred = s.preferred || p
			case c == types.CategoryString:
				s = slot{c, p}
			default:
				conflict = conflict || s.cat != types.CategoryString
			}
		}
		if conflict && s.cat != types.CategoryString {
			return nil
		}
		slots[i] = s
	}
	return slices.DeleteFunc(slices.Clone(cands), func(f *Function) bool {
		for i, o := range in {
			if o != types.OIDUnknown {
				continue
			}
			c, p := category(f.argType(i))
			if c != slots[i].cat || slots[i].preferred && !p {
				return true
			}
		}
		return false
	})
}

// byKnownType takes the unknown arguments to be of the type that all known
// ones have, if one candidate alone accepts that.
func byKnownType(cands []*Function, in []types.OID) *Function {
	known := types.OIDUnknown
	for _, o := range in {
		switch {
		case o == types.OIDUnknown:
		case known == types.OIDUnknown:
			known = o
		case known != o:
			return nil
		}
	}
	if known == types.OIDUnknown {
		return nil
	}
	same := make([]types.OID, len(in))
	for i := range same {
		same[i] = known
	}
	var found *Function
	for _, f := range cands {
		switch {
		case !f.coercible(same):
		case found != nil:
			return nil
		default:
			found = f
		}
	}
	return found
}

// wantedTypes turns f's declared types into the types to cast args to, with
// pseudo-types made concrete; false: the polymorphic arguments do not agree.
func (f *Function) wantedTypes(args []types.Type) ([]types.Type, bool) {
	elem, ok := f.elementType(args)
	if !ok {
		return nil, false
	}
	out := make([]types.Type, len(args))
	for i, a := range args {
		d := f.argType(i)
		switch d {
		case OIDAny:
			if d = a.OID; d == types.OIDUnknown && f.Name != "pg_typeof" {
				d = types.OIDText
			}
		case OIDAnyMap:
			d = a.OID
		case OIDMapKey:
			if d = mapPart(d, args).OID; !canCoerce(a.OID, d) {
				return nil, false
			}
		case types.OIDAnyElement, OIDAnyNonArray, OIDAnyEnum, OIDAnyCompatible:
			d = elem
		case types.OIDAnyArray, OIDAnyCompatibleArray:
			arr, has := types.Type{OID: elem, Mod: -1}.Array()
			if !has {
				return nil, false
			}
			if d = arr.OID; isArray(a.OID) && a.OID != d {
				// int2vector and oidvector are arrays of their own.
				if e, _ := a.Elem(); e.OID == elem {
					d = a.OID
				}
			}
		default:
		}
		if out[i] = (types.Type{OID: d, Mod: -1}); d == a.OID {
			out[i] = a
		}
	}
	return out, true
}

// elementType is the concrete type of f's anyelement or anycompatible.
func (f *Function) elementType(args []types.Type) (types.OID, bool) {
	var elems []types.Type
	poly, compatible := false, false
	for i, a := range args {
		switch f.argType(i) {
		case OIDAnyCompatible:
			elems, poly, compatible = append(elems, a), true, true
		case types.OIDAnyElement, OIDAnyNonArray, OIDAnyEnum:
			elems, poly = append(elems, a), true
		case types.OIDAnyArray, OIDAnyCompatibleArray:
			poly = true
			compatible = compatible || f.argType(i) == OIDAnyCompatibleArray
			if e, ok := a.Elem(); ok {
				elems = append(elems, types.Type{OID: e.OID, Mod: -1})
			} else if a.OID != types.OIDUnknown {
				return 0, false
			}
		default:
		}
	}
	if !poly {
		return 0, true
	}
	if compatible {
		t, err := CommonType("", elems...)
		return t.OID, err == nil
	}
	elem := types.OIDUnknown
	for _, e := range elems {
		if e.OID == types.OIDUnknown {
			continue
		}
		if elem != types.OIDUnknown && elem != e.OID {
			return 0, false
		}
		elem = e.OID
	}
	if elem == types.OIDUnknown {
		elem = types.OIDText
	}
	return elem, true
}

func callText(name string, isOperator bool, args []types.Type) string {
	names := make([]string, len(args))
	for i, a := range args {
		names[i] = typeName(a.OID)
	}
	switch {
	case !isOperator:
		return name + "(" + strings.Join(names, ", ") + ")"
	case len(args) == 1:
		return name + " " + names[0]
	}
	return names[0] + " " + name + " " + names[len(names)-1]
}

func noFunction(name string, isOperator bool, args []types.Type) error {
	e := pgerror.New(pgerror.UndefinedFunction, "function %s does not exist", callText(name, false, args))
	hint := "No function matches the given name and argument types. You might need to add explicit type casts."
	if isOperator {
		e.Message = "operator does not exist: " + callText(name, true, args)
		hint = "No operator matches the given name and argument types. You might need to add explicit type casts."
		if len(args) == 1 {
			hint = "No operator matches the given name and argument type. You might need to add an explicit type cast."
		}
	}
	return e.WithHint("%s", hint)
}

func ambiguous(name string, isOperator bool, args []types.Type) error {
	e := pgerror.New(pgerror.AmbiguousFunction, "function %s is not unique", callText(name, false, args))
	hint := "Could not choose a best candidate function. You might need to add explicit type casts."
	if isOperator {
		e.Message = "operator is not unique: " + callText(name, true, args)
		hint = "Could not choose a best candidate operator. You might need to add explicit type casts."
	}
	return e.WithHint("%s", hint)
}
