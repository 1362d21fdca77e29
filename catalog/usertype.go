package catalog

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"velostream/catalog/auth"
	"velostream/catalog/types"
	"velostream/pgwire/pgerror"
)

// TypeKind is what a user-made type is.
type TypeKind string

// Kinds of user-made types. The row types of relations are none: they are their
// relations'.
const (
	EnumType      TypeKind = "enum"
	DomainType    TypeKind = "domain"
	CompositeType TypeKind = "composite"
)

// UserType is a type that a user has made. Immutable once in a snapshot.
type UserType struct {
	ID      uint32   `json:"id"`
	Schema  string   `json:"schema"`
	Name    string   `json:"name"`
	Kind    TypeKind `json:"kind"`
	Owner   string   `json:"owner"`
	Comment string   `json:"comment,omitempty"`
	ACL     auth.ACL `json:"acl,omitzero"` // nil: everybody may use it
	// Labels are the values of an enum type, in their order.
	Labels []types.EnumLabel `json:"labels,omitempty"`

	// Base is the type of a domain's values, BaseDomain the domain that it is made of,
	// 0: none. NotNull and Checks are its own constraints: those of BaseDomain hold as
	// well. Default is the text of its DEFAULT.
	Base       types.Type    `json:"base,omitzero"`
	BaseDomain uint32        `json:"base_domain,omitempty"`
	NotNull    bool          `json:"not_null,omitempty"`
	Default    string        `json:"default,omitempty"`
	Checks     []DomainCheck `json:"checks,omitempty"`

	// Attributes are the columns of a composite type.
	Attributes []Attribute `json:"attributes,omitempty"`
}

// Attribute is a column of a composite type.
type Attribute struct {
	Name    string     `json:"name"`
	Type    types.Type `json:"type"`
	Comment string     `json:"comment,omitempty"`
}

// DomainCheck is a CHECK of a domain.
type DomainCheck struct {
	ID   uint32 `json:"id"`
	Name string `json:"name"`
	// Text is the condition, Expr the same as a typed expression (engine/sql/expr) in
	// which VALUE is column 0.
	Text string          `json:"text"`
	Expr json.RawMessage `json:"expr"`
	// NotValid: values that were there before it were not looked at.
	NotValid bool `json:"not_valid,omitempty"`
}

// OID is the OID of the type, in pg_type and in types.Type.
func (t *UserType) OID() types.OID {
	switch t.Kind {
	case DomainType:
		return types.BaseDomain + types.OID(t.ID)
	case CompositeType:
		return types.BaseRow + types.OID(t.ID)
	default:
	}
	return types.BaseEnum + types.OID(t.ID)
}

// Type is t as a type. Expressions and columns have a domain's Base instead.
func (t *UserType) Type() types.Type { return types.Type{OID: t.OID(), Mod: -1} }

// Clone returns a copy of t whose lists may be changed.
func (t *UserType) Clone() *UserType {
	c := *t
	c.Labels, c.Checks, c.Attributes = slices.Clone(t.Labels), slices.Clone(t.Checks), slices.Clone(t.Attributes)
	return &c
}

// Declared is the type that c was declared with: its domain, or its type.
func (c *Column) Declared() types.Type {
	if c.Domain != 0 {
		return types.Type{OID: types.BaseDomain + types.OID(c.Domain), Mod: -1}
	}
	return c.Type
}

// Check returns the constraint of t called name, nil: none.
func (t *UserType) Check(name string) *DomainCheck {
	i := slices.IndexFunc(t.Checks, func(k DomainCheck) bool { return k.Name == name })
	if i < 0 {
		return nil
	}
	return &t.Checks[i]
}

// domains are t and the domains that it is made of.
func (s *Snapshot) domains(t *UserType) []*UserType {
	var out []*UserType
	for ; t != nil; t = s.types[t.BaseDomain] {
		out = append(out, t)
	}
	return out
}

// DomainNotNull reports that the domain t, or one that it is made of, refuses NULL.
func (s *Snapshot) DomainNotNull(t *UserType) bool {
	return slices.ContainsFunc(s.domains(t), func(t *UserType) bool { return t.NotNull })
}

// DomainChecks are the conditions of the domain t and of those that it is made of, these
// first, each by name.
func (s *Snapshot) DomainChecks(t *UserType) []DomainCheck {
	var out []DomainCheck
	for _, d := range slices.Backward(s.domains(t)) {
		out = append(out, slices.SortedFunc(slices.Values(d.Checks), func(a, b DomainCheck) int { return strings.Compare(a.Name, b.Name) })...)
	}
	return out
}

// Enum is the definition of an enum type as its values are read by it.
func (t *UserType) Enum() *types.Enum { return &types.Enum{Labels: t.Labels} }

// UserType returns the type with the OID id in the catalog, nil: there is none.
func (s *Snapshot) UserType(id uint32) *UserType { return s.types[id] }

// TypeNamed returns the user-made type schema.name, nil: there is none.
func (s *Snapshot) TypeNamed(schema, name string) *UserType {
	return s.types[s.typeNames[schema+"."+name]]
}

// UserTypes lists the types of schema, "" for all of them, by OID.
func (s *Snapshot) UserTypes(schema string) []*UserType {
	var out []*UserType
	for _, t := range s.types {
		if schema == "" || t.Schema == schema {
			out = append(out, t)
		}
	}
	slices.SortFunc(out, func(a, b *UserType) int { return int(a.ID) - int(b.ID) })
	return out
}

// TypeTaken reports that a type schema.name would have the name of another type, or of
// the row type of a relation.
func (s *Snapshot) TypeTaken(schema, name string) bool {
	key := schema + "." + name
	return s.typeNames[key] != 0 || s.byName[key] != nil && s.byName[key].Kind != Sequence
}

// TypeRef is a user-made type as a stored query names it.
type TypeRef struct {
	Schema string `json:"schema,omitempty"` // as written, "" for a bare name
	Name   string `json:"name"`
	ID     uint32 `json:"id"`
}

// TypeUse is one thing that needs a type.
type TypeUse struct {
	Relation *Relation // a relation, if Column is negative its query
	Column   int
	Function *Function
	Type     *UserType // a domain over it, or a composite type
	// Attribute is the place + 1 of the column of the composite type Type that is of the type.
	Attribute int
}

// TypeUses lists what needs the user-made type id, by OID: columns of relations (of
// those that have a query only the query), queries and functions.
func (s *Snapshot) TypeUses(id uint32) []TypeUse {
	var out []TypeUse
	for _, r := range s.Relations() {
		n := len(out)
		for i := range r.Columns {
			if c := r.Columns[i]; r.Query == "" && !c.Dropped && (c.Type.UserID() == id || c.Domain == id) {
				out = append(out, TypeUse{Relation: r, Column: i})
			}
		}
		if len(out) == n && r.usesType(id) {
			out = append(out, TypeUse{Relation: r, Column: -1})
		}
	}
	for _, t := range s.UserTypes("") {
		if t.BaseDomain == id || t.Base.UserID() == id {
			out = append(out, TypeUse{Type: t})
		}
		for i, a := range t.Attributes {
			if a.Type.UserID() == id {
				out = append(out, TypeUse{Type: t, Attribute: i + 1})
				break
			}
		}
	}
	for _, f := range s.Functions("", "") {
		is := func(t types.Type) bool { return t.UserID() == id }
		if is(f.Returns) || slices.ContainsFunc(f.Args, is) || slices.ContainsFunc(f.TypeRefs, func(t TypeRef) bool { return t.ID == id }) {
			out = append(out, TypeUse{Function: f})
		}
	}
	return out
}

func (r *Relation) usesType(id uint32) bool {
	return slices.ContainsFunc(r.TypeRefs, func(t TypeRef) bool { return t.ID == id }) || slices.ContainsFunc(r.Columns, func(c Column) bool { return !c.Dropped && c.Type.UserID() == id })
}

func (s *Snapshot) putType(t *UserType) error {
	if !s.schemas[t.Schema] {
		return pgerror.New(pgerror.InvalidSchemaName, "schema %q does not exist", t.Schema)
	}
	key := t.Schema + "." + t.Name
	if other := s.typeNames[key]; other != 0 && other != t.ID {
		return pgerror.New(pgerror.DuplicateObject, "type %q already exists", t.Name)
	}
	if r := s.byName[key]; r != nil && r.Kind != Sequence {
		return pgerror.New(pgerror.DuplicateObject, "type %q already exists", t.Name)
	}
	if old := s.types[t.ID]; old != nil {
		s.dropType(t.ID)
	} else {
		s.types, s.typeNames = maps.Clone(s.types), maps.Clone(s.typeNames)
	}
	s.types[t.ID], s.typeNames[key] = t, t.ID
	s.ids.used(t.ID)
	for _, l := range t.Labels {
		s.ids.used(l.ID)
	}
	for _, k := range t.Checks {
		s.ids.used(k.ID)
	}
	return nil
}

func (s *Snapshot) dropType(id uint32) {
	s.types, s.typeNames = maps.Clone(s.types), maps.Clone(s.typeNames)
	if t := s.types[id]; t != nil {
		delete(s.types, id)
		delete(s.typeNames, t.Schema+"."+t.Name)
	}
}

// Definitions are the user-made types of a snapshot, for reading and writing values with
// no session. It implements types.Definitions.
type Definitions struct{ Current func() *Snapshot }

// Enum implements types.Definitions.
func (d Definitions) Enum(o types.OID) *types.Enum { return d.Current().Enum(o) }

// Row implements types.Definitions.
func (d Definitions) Row(o types.OID) []types.RowField { return d.Current().Row(o) }

// TypeName implements types.Definitions; every name is qualified.
func (d Definitions) TypeName(o types.OID) string { return d.Current().TypeName(o) }

// Enum is the definition of the enum type o, nil: there is none.
func (s *Snapshot) Enum(o types.OID) *types.Enum {
	if t := s.types[types.Type{OID: o, Mod: -1}.UserID()]; t != nil && t.Kind == EnumType {
		return t.Enum()
	}
	return nil
}

// Row is what the columns of the composite type, or the row type of a relation, o are;
// nil: there is none.
func (s *Snapshot) Row(o types.OID) []types.RowField {
	t := types.Type{OID: o, Mod: -1}
	if !t.IsComposite() {
		return nil
	}
	if u := s.types[t.UserID()]; u != nil {
		out := make([]types.RowField, len(u.Attributes))
		for i, a := range u.Attributes {
			out[i] = types.RowField{Name: a.Name, Type: a.Type}
		}
		return out
	}
	r := s.byID[t.UserID()]
	if r == nil {
		return nil
	}
	out := []types.RowField{}
	for _, c := range r.Columns {
		if !c.Hidden && !c.Dropped {
			out = append(out, types.RowField{Name: c.Name, Type: c.Type, Domain: c.Domain != 0})
		}
	}
	return out
}

// TypeName is the qualified name of a user-made type, of arrays of it, or of the row type
// of a relation.
func (s *Snapshot) TypeName(o types.OID) string {
	t := types.Type{OID: o, Mod: -1}
	suffix := ""
	if _, ok := t.Elem(); ok {
		suffix = "[]"
	}
	if u := s.types[t.UserID()]; u != nil {
		return u.Schema + "." + u.Name + suffix
	}
	if r := s.byID[t.UserID()]; r != nil {
		return r.Schema + "." + r.Name + suffix
	}
	return t.String()
}
