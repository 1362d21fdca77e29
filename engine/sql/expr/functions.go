package expr

import (
	"strings"
	"sync"

	"velostream/catalog/types"
	"velostream/storage/column"
)

// Pseudo-types of declared arguments, beside types.OIDAnyElement and
// types.OIDAnyArray (pg_type.dat).
const (
	OIDAny                types.OID = 2276 // any type; the argument keeps its own
	OIDAnyNonArray        types.OID = 2776
	OIDAnyEnum            types.OID = 3500
	OIDAnyCompatible      types.OID = 5077 // arguments are brought to a common type
	OIDAnyCompatibleArray types.OID = 5078
)

// Pseudo-types of functions on maps, which PostgreSQL has not: the first argument is a
// map, and the others are its key or value, or arrays of these.
const (
	OIDAnyMap types.OID = types.BaseMapArray + 1_000_000 + iota
	OIDMapKey
	OIDMapValue
	OIDMapKeys
	OIDMapValues
)

// Volatility says how far a function's result depends on its arguments alone.
type Volatility uint8

// Volatilities, as in PostgreSQL.
const (
	Immutable Volatility = iota // always the same result
	Stable                      // the same within a statement
	Volatile                    // may differ from row to row
)

// String returns the keyword of CREATE FUNCTION.
func (v Volatility) String() string {
	return [...]string{"IMMUTABLE", "STABLE", "VOLATILE"}[v]
}

// Function is an entry of the registry: a function or operator for one list of
// argument types. Entries are shared and never change.
type Function struct {
	Name       string
	Operator   bool
	Args       []types.OID // declared, pseudo-types allowed
	Variadic   bool        // the last of Args may stand for any number ≥ 1 of arguments
	Ret        types.OID   // declared, pseudo-types allowed; see ReturnType
	Volatility Volatility
	NullCall   bool // is called with NULL arguments; others give NULL at once
	// NullFirst: where the first argument is NULL the others are not computed.
	NullFirst bool
	// Total kernels give no error and stay in bounds on any bit pattern, so
	// they may run over rows that are NULL.
	Total  bool
	Kernel Kernel // exactly one of Kernel
	Scalar Scalar // and Scalar is set
	Doc    string
	// Filter, if set, selects rows without making the boolean column.
	Filter FilterKernel
}

// CallContext is what a kernel sees of where it runs. Memo belongs to the call's
// place in the expression and outlives batches: compiled patterns, lookup
// tables.
type CallContext struct {
	Env  *Env
	Args []types.Type
	Ret  types.Type
	N    int     // physical rows of the batch
	Sel  []int32 // rows to compute, ascending; nil: all N
	Memo any
}

// Kernel computes rows c.Sel of out, which has room for c.N rows; arguments
// may be constant columns (use At). Unless NullCall or Total, no argument is
// NULL in these rows. Rows of a KindBytes or KindList result are written in
// ascending order, see writer.
type Kernel func(c *CallContext, args []*column.Column, out *column.Column) error

// Scalar computes one row. Arguments and result may share memory; bytes are
// copied by the caller.
type Scalar func(c *CallContext, args []types.Datum) (types.Datum, error)

// FilterKernel appends to dst the rows of c.Sel for which the (strict) boolean
// function is true, and returns it. No argument is NULL in these rows.
type FilterKernel func(c *CallContext, args []*column.Column, dst []int32) []int32

// ReturnType is the result type for arguments that have the types args (after
// the casts that Resolve asks for).
func (f *Function) ReturnType(args []types.Type) types.Type {
	switch f.Ret {
	case types.OIDAnyElement, OIDAnyNonArray, OIDAnyEnum, OIDAnyCompatible, types.OIDAnyArray, OIDAnyCompatibleArray:
		return f.polymorphicReturn(args)
	case OIDAnyMap, OIDMapKey, OIDMapValue, OIDMapKeys, OIDMapValues:
		t := mapPart(f.Ret, args)
		return types.Type{OID: t.OID, Mod: -1}
	default:
	}
	return types.Type{OID: f.Ret, Mod: -1}
}

func (f *Function) polymorphicReturn(args []types.Type) types.Type {
	wantArray := f.Ret == types.OIDAnyArray || f.Ret == OIDAnyCompatibleArray
	for i, t := range args {
		d := f.argType(i)
		switch d {
		case types.OIDAnyArray, OIDAnyCompatibleArray:
			if wantArray {
				return types.Type{OID: t.OID, Mod: -1}
			}
			if e, ok := t.Elem(); ok {
				return types.Type{OID: e.OID, Mod: -1}
			}
		case types.OIDAnyElement, OIDAnyNonArray, OIDAnyEnum, OIDAnyCompatible:
			if !wantArray {
				return types.Type{OID: t.OID, Mod: -1}
			}
			if a, ok := t.Array(); ok {
				return types.Type{OID: a.OID, Mod: -1}
			}
		default:
		}
	}
	return types.Text
}

// argType is the declared type of argument i of a call.
func (f *Function) argType(i int) types.OID {
	if i >= len(f.Args) {
		i = len(f.Args) - 1
	}
	return f.Args[i]
}

// Signature is the text form that SHOW FUNCTIONS prints: name(args).
func (f *Function) Signature() string {
	var b strings.Builder
	b.WriteString(f.Name)
	b.WriteByte('(')
	for i, a := range f.Args {
		if i > 0 {
			b.WriteString(", ")
		}
		if f.Variadic && i == len(f.Args)-1 {
			b.WriteString("VARIADIC ")
		}
		b.WriteString(typeName(a))
	}
	b.WriteByte(')')
	return b.String()
}

// registry is the table of functions by name.
type registry struct {
	all        []*Function
	byName     map[string][]*Function
	aggregates map[string][]*Function
}

// functions is the registry, built at first use and never changed after.
var functions = sync.OnceValue(buildRegistry)

func buildRegistry() *registry {
	r := &registry{byName: make(map[string][]*Function), aggregates: buildAggregates()}
	for _, family := range families() {
		for i := range family {
			f := &family[i]
			r.all = append(r.all, f)
			r.byName[f.Name] = append(r.byName[f.Name], f)
			if v := variadicForm(f); v != nil {
				r.byName[v.Name] = append(r.byName[v.Name], v)
			}
		}
	}
	return r
}

// Functions lists all functions and operators, in the order of their
// families. The result must not be changed.
func Functions() []*Function { return functions().all }

// HasFunction reports whether any function (not operator) has the name.
func HasFunction(name string) bool {
	for _, f := range functions().byName[name] {
		if !f.Operator {
			return true
		}
	}
	return IsAggregate(name)
}

// Lookup returns the function of that name and exactly these declared
// argument types, as stored in Call; nil if there is none.
func Lookup(name string, sig []types.OID) *Function {
next:
	for _, f := range functions().byName[name] {
		if len(f.Args) != len(sig) {
			continue
		}
		for i, a := range f.Args {
			if a != sig[i] {
				continue next
			}
		}
		return f
	}
	return nil
}
