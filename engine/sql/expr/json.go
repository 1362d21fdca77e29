package expr

import (
	"encoding/json"

	"velostream/catalog/types"
	"velostream/pgwire/pgerror"
)

// maxDepth bounds how deeply a stored expression nests.
const maxDepth = 10000

// Every node marshals to an object with its fields and "op", which says what
// it is:
//
//	{"op":"call","name":"+","sig":[23,23],"args":[…],"t":{"oid":23,"mod":-1}}
//
// A constant's value is its stored form ("v"), absent for NULL, so that a stored
// plan does not depend on how values lie in memory. Fields that hold an Expr
// are read with DecodeExpr, or declared as Any.

// wire is the stored form of every kind of node.
type wire struct {
	Op       string            `json:"op"`
	Index    *int              `json:"index,omitempty"`
	Name     string            `json:"name,omitempty"`
	Number   int               `json:"number,omitempty"`
	Value    *string           `json:"v,omitempty"`
	Sig      []types.OID       `json:"sig,omitempty"`
	Args     []json.RawMessage `json:"args,omitempty"`
	List     []wire            `json:"list,omitempty"`
	Else     json.RawMessage   `json:"else,omitempty"`
	T        *types.Type       `json:"t,omitempty"`
	Explicit bool              `json:"explicit,omitempty"`
	Negate   bool              `json:"negate,omitempty"`
	Pos      int               `json:"pos,omitempty"`
}

// MarshalExpr returns the stored form of e; nil is null.
func MarshalExpr(e Expr) ([]byte, error) {
	if e == nil {
		return []byte("null"), nil
	}
	return json.Marshal(e)
}

// UnmarshalExpr reads the stored form of an expression; null is nil. Errors:
// XX001 for what MarshalExpr cannot have written.
func UnmarshalExpr(b []byte) (Expr, error) { return decodeExpr(b, 0) }

// DecodeExpr is UnmarshalExpr for the field of a larger JSON value; an absent
// field is nil.
func DecodeExpr(b json.RawMessage) (Expr, error) {
	if len(b) == 0 {
		return nil, nil
	}
	return decodeExpr(b, 0)
}

// DecodeExprs reads a JSON array of expressions.
func DecodeExprs(bs []json.RawMessage) ([]Expr, error) {
	if bs == nil {
		return nil, nil
	}
	out := make([]Expr, len(bs))
	for i, b := range bs {
		var err error
		if out[i], err = DecodeExpr(b); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// Any holds an expression in a struct that marshals to JSON.
type Any struct{ Expr }

// MarshalJSON writes the expression, or null.
func (a Any) MarshalJSON() ([]byte, error) { return MarshalExpr(a.Expr) }

// UnmarshalJSON reads what MarshalJSON wrote.
func (a *Any) UnmarshalJSON(b []byte) error {
	e, err := UnmarshalExpr(b)
	a.Expr = e
	return err
}

func marshalAll(es ...Expr) ([]json.RawMessage, error) {
	out := make([]json.RawMessage, len(es))
	for i, e := range es {
		b, err := MarshalExpr(e)
		if err != nil {
			return nil, err
		}
		out[i] = b
	}
	return out, nil
}

// marshal writes w with the children args.
func marshal(w wire, args ...Expr) ([]byte, error) {
	var err error
	if w.Args, err = marshalAll(args...); err != nil {
		return nil, err
	}
	return json.Marshal(w)
}

// MarshalJSON writes the node's stored form.
func (e *Col) MarshalJSON() ([]byte, error) {
	return marshal(wire{Op: "col", Index: &e.Index, Name: e.Name, T: &e.T})
}

// MarshalJSON writes the node's stored form.
func (e *Const) MarshalJSON() ([]byte, error) { return json.Marshal(e.wire()) }

func (e *Const) wire() wire {
	w := wire{Op: "const", T: &e.T}
	if !e.Value.Null {
		s := string(types.AppendStored(nil, e.T, e.Value))
		w.Value = &s
	}
	return w
}

// MarshalJSON writes the node's stored form.
func (e *Param) MarshalJSON() ([]byte, error) {
	return marshal(wire{Op: "param", Number: e.Number, T: &e.T})
}

// MarshalJSON writes the node's stored form.
func (e *Call) MarshalJSON() ([]byte, error) {
	return marshal(wire{Op: "call", Name: e.Name, Sig: e.Sig, T: &e.T, Pos: e.Pos}, e.Args...)
}

// MarshalJSON writes the node's stored form.
func (e *Cast) MarshalJSON() ([]byte, error) {
	return marshal(wire{Op: "cast", T: &e.T, Explicit: e.Explicit, Pos: e.Pos}, e.Arg)
}

// MarshalJSON writes the node's stored form.
func (e *And) MarshalJSON() ([]byte, error) { return marshal(wire{Op: "and"}, e.Args...) }

// MarshalJSON writes the node's stored form.
func (e *Or) MarshalJSON() ([]byte, error) { return marshal(wire{Op: "or"}, e.Args...) }

// MarshalJSON writes the node's stored form.
func (e *Not) MarshalJSON() ([]byte, error) { return marshal(wire{Op: "not"}, e.Arg) }

// MarshalJSON writes the node's stored form.
func (e *IsNull) MarshalJSON() ([]byte, error) {
	return marshal(wire{Op: "isnull", Negate: e.Negate}, e.Arg)
}

// MarshalJSON writes the node's stored form.
func (e *IsDistinct) MarshalJSON() ([]byte, error) {
	return marshal(wire{Op: "isdistinct", Negate: e.Negate}, e.L, e.R)
}

// MarshalJSON writes the node's stored form: args alternate conditions and
// results.
func (e *Case) MarshalJSON() ([]byte, error) {
	w := wire{Op: "case", T: &e.T}
	var args []Expr
	for _, x := range e.Whens {
		args = append(args, x.Cond, x.Then)
	}
	if e.Else != nil {
		b, err := MarshalExpr(e.Else)
		if err != nil {
			return nil, err
		}
		w.Else = b
	}
	return marshal(w, args...)
}

// MarshalJSON writes the node's stored form.
func (e *Coalesce) MarshalJSON() ([]byte, error) {
	return marshal(wire{Op: "coalesce", T: &e.T}, e.Args...)
}

// MarshalJSON writes the node's stored form.
func (e *InList) MarshalJSON() ([]byte, error) {
	w := wire{Op: "in", Negate: e.Negate}
	for i := range e.List {
		w.List = append(w.List, e.List[i].wire())
	}
	return marshal(w, e.Arg)
}

// MarshalJSON writes the node's stored form.
func (e *ArrayOf) MarshalJSON() ([]byte, error) {
	return marshal(wire{Op: "array", T: &e.T}, e.Args...)
}

func corrupt(format string, args ...any) error {
	return pgerror.New(pgerror.DataCorrupted, "stored expression: "+format, args...)
}

func decodeExpr(b []byte, depth int) (Expr, error) {
	if depth > maxDepth {
		return nil, corrupt("nested too deeply")
	}
	if string(b) == "null" {
		return nil, nil
	}
	var w wire
	if err := json.Unmarshal(b, &w); err != nil {
		return nil, corrupt("%v", err)
	}
	args := make([]Expr, len(w.Args))
	for i, a := range w.Args {
		var err error
		if args[i], err = decodeExpr(a, depth+1); err != nil {
			return nil, err
		}
		if args[i] == nil {
			return nil, corrupt("%s has no argument %d", w.Op, i)
		}
	}
	return w.expr(args, depth)
}

// arity is how many arguments the nodes with a fixed number have.
var arity = map[string]int{
	"col": 0, "const": 0, "param": 0, "cast": 1, "not": 1, "isnull": 1, "isdistinct": 2, "in": 1,
}

// typed are the nodes that have a type of their own.
var typed = map[string]bool{
	"col": true, "const": true, "param": true, "call": true, "cast": true, "case": true, "coalesce": true, "array": true,
}

func (w *wire) expr(args []Expr, depth int) (Expr, error) {
	if n, ok := arity[w.Op]; ok && n != len(args) {
		return nil, corrupt("%s with %d arguments", w.Op, len(args))
	}
	var t types.Type
	if typed[w.Op] {
		if w.T == nil || w.T.OID == 0 {
			return nil, corrupt("%s without type", w.Op)
		}
		t = *w.T
	}
	switch w.Op {
	case "col":
		if w.Index == nil || *w.Index < 0 {
			return nil, corrupt("column without number")
		}
		return &Col{Index: *w.Index, T: t, Name: w.Name}, nil
	case "const":
		return w.constant()
	case "param":
		return &Param{Number: w.Number, T: t}, nil
	case "call":
		return &Call{Name: w.Name, Sig: w.Sig, Args: args, T: t, Pos: w.Pos}, nil
	case "cast":
		return &Cast{Arg: args[0], T: t, Explicit: w.Explicit, Pos: w.Pos}, nil
	case "and":
		return &And{args}, nil
	case "or":
		return &Or{args}, nil
	case "not":
		return &Not{args[0]}, nil
	case "isnull":
		return &IsNull{args[0], w.Negate}, nil
	case "isdistinct":
		return &IsDistinct{args[0], args[1], w.Negate}, nil
	case "case":
		return w.caseExpr(args, t, depth)
	case "coalesce":
		return &Coalesce{args, t}, nil
	case "in":
		return w.inList(args[0])
	case "array":
		if t.Kind() != types.KindList {
			return nil, corrupt("array of type %d", t.OID)
		}
		return &ArrayOf{args, t}, nil
	}
	return nil, corrupt("unknown kind \"%s\"", w.Op)
}

func (w *wire) constant() (*Const, error) {
	if w.T == nil || w.T.OID == 0 {
		return nil, corrupt("constant without type")
	}
	if w.Value == nil {
		return &Const{Value: types.NullDatum, T: *w.T}, nil
	}
	d, err := types.DecodeStored(*w.T, []byte(*w.Value))
	if err != nil {
		return nil, corrupt("%v", err)
	}
	return &Const{Value: d, T: *w.T}, nil
}

func (w *wire) caseExpr(args []Expr, t types.Type, depth int) (Expr, error) {
	if len(args) == 0 || len(args)%2 != 0 {
		return nil, corrupt("case with %d arguments", len(args))
	}
	c := &Case{T: t}
	for i := 0; i < len(args); i += 2 {
		c.Whens = append(c.Whens, When{args[i], args[i+1]})
	}
	if len(w.Else) > 0 {
		var err error
		if c.Else, err = decodeExpr(w.Else, depth+1); err != nil {
			return nil, err
		}
	}
	return c, nil
}

func (w *wire) inList(arg Expr) (Expr, error) {
	in := &InList{Arg: arg, Negate: w.Negate}
	for i := range w.List {
		c, err := w.List[i].constant()
		if err != nil {
			return nil, err
		}
		in.List = append(in.List, *c)
	}
	return in, nil
}
