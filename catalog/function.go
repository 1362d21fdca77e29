package catalog

import (
	"maps"
	"slices"
	"strings"

	"velostream/catalog/auth"
	"velostream/catalog/types"
	"velostream/pgwire/pgerror"
)

// Function is a function that a user wrote in SQL. Immutable once in a
// snapshot.
type Function struct {
	ID         uint32       `json:"id"` // its OID
	Schema     string       `json:"schema"`
	Name       string       `json:"name"`
	Owner      string       `json:"owner"`
	ArgNames   []string     `json:"arg_names"` // "" where an argument has none
	Args       []types.Type `json:"args"`
	Returns    types.Type   `json:"returns"`
	Body       string       `json:"body"` // an SQL expression, or a query of one column
	Strict     bool         `json:"strict,omitempty"`
	Volatility string       `json:"volatility"` // IMMUTABLE, STABLE, VOLATILE
	Definition string       `json:"definition"`
	Comment    string       `json:"comment,omitempty"`
	Functions  []uint32     `json:"functions,omitempty"` // used by the body
	TypeRefs   []TypeRef    `json:"types,omitempty"`     // the user-made ones used by the body
	ACL        auth.ACL     `json:"acl,omitzero"`        // nil: everybody may call it
}

// Signature is name(types), as messages write it.
func (f *Function) Signature() string {
	list := make([]string, len(f.Args))
	for i, t := range f.Args {
		list[i] = types.Type{OID: t.OID, Mod: -1}.String()
	}
	return f.Name + "(" + strings.Join(list, ", ") + ")"
}

// Function returns the function with the OID id, nil: there is none.
func (s *Snapshot) Function(id uint32) *Function { return s.functions[id] }

// Functions lists the functions called name in schema; "" for all schemas and
// all names, by OID.
func (s *Snapshot) Functions(schema, name string) []*Function {
	var out []*Function
	for _, f := range s.functions {
		if (schema == "" || f.Schema == schema) && (name == "" || f.Name == name) {
			out = append(out, f)
		}
	}
	slices.SortFunc(out, func(a, b *Function) int { return int(a.ID) - int(b.ID) })
	return out
}

// FunctionUsers lists the relations whose query uses function id, and the
// functions whose body does.
func (s *Snapshot) FunctionUsers(id uint32) (rels []*Relation, fns []*Function) {
	for _, r := range s.Relations() {
		if slices.Contains(r.Functions, id) {
			rels = append(rels, r)
		}
	}
	for _, f := range s.Functions("", "") {
		if slices.Contains(f.Functions, id) {
			fns = append(fns, f)
		}
	}
	return rels, fns
}

func (s *Snapshot) putFunction(f *Function) error {
	if !s.schemas[f.Schema] {
		return pgerror.New(pgerror.InvalidSchemaName, "schema %q does not exist", f.Schema)
	}
	for _, o := range s.functions {
		if o.ID != f.ID && o.Schema == f.Schema && o.Signature() == f.Signature() {
			return pgerror.New(pgerror.DuplicateFunction, "function %q already exists with same argument types", f.Name)
		}
	}
	s.functions = maps.Clone(s.functions)
	s.functions[f.ID] = f
	s.ids.used(f.ID)
	return nil
}

func (s *Snapshot) dropFunction(id uint32) {
	s.functions = maps.Clone(s.functions)
	delete(s.functions, id)
}
