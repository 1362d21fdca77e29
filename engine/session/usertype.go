package session

import (
	"context"
	"slices"
	"strings"

	"velostream/catalog"
	"velostream/catalog/types"
	"velostream/engine/sql/ast"
	"velostream/pgwire/pgerror"
)

// createType is CREATE TYPE.
func (s *Session) createType(ctx context.Context, p ast.Parsed, n *ast.CreateType) error {
	if n.Domain != nil {
		return s.createDomain(ctx, p, n)
	}
	_, err := s.apply(ctx, func(snap *catalog.Snapshot) ([]catalog.Change, error) {
		if !n.Enum {
			return s.createComposite(snap, p, n)
		}
		t, err := s.newType(snap, p, n.Name, catalog.EnumType)
		if err != nil {
			return nil, err
		}
		for i, l := range n.Labels {
			if err := checkLabel(l); err != nil {
				return nil, err
			}
			if slices.Contains(n.Labels[:i], l) {
				return nil, pgerror.New(pgerror.UniqueViolation, "duplicate key value violates unique constraint \"pg_enum_typid_label_index\"").
					WithDetail("Key (enumtypid, enumlabel)=(%d, %s) already exists.", t.OID(), l)
			}
			t.Labels = append(t.Labels, types.EnumLabel{ID: snap.NextID(), Label: l, Place: int64(i) * placeStep})
		}
		return []catalog.Change{{PutType: t}}, nil
	})
	return err
}

// newType is a type that the current user makes, under a name that is free.
func (s *Session) newType(snap *catalog.Snapshot, p ast.Parsed, n ast.Name, kind catalog.TypeKind) (*catalog.UserType, error) {
	schema, name := s.split(n)
	schema, err := s.creatable(snap, schema, p.Position(n.Pos()))
	if err != nil {
		return nil, err
	}
	if snap.TypeTaken(schema, name) {
		return nil, pgerror.New(pgerror.DuplicateObject, "type %q already exists", name)
	}
	return &catalog.UserType{ID: snap.NextID(), Schema: schema, Name: name, Kind: kind, Owner: s.who()}, nil
}

// checkLabel refuses what is no label of an enum type.
func checkLabel(l string) error {
	if len(l) > nameMax {
		return pgerror.New(pgerror.InvalidName, "invalid enum label %q", l).WithDetail("Labels must be %d bytes or less.", nameMax)
	}
	return nil
}

// placeStep is how far the places of neighbours are apart: there is room for that many
// halvings between them.
const placeStep = 1 << 32

// userType finds a user-made type by name. Errors: 42704 there is none, 42809 it has
// not the kind that the statement is about.
func (s *Session) userType(snap *catalog.Snapshot, o ast.Object) (*catalog.UserType, error) {
	name := o.Name
	path := s.path()
	if sc := name.Schema(); sc != "" {
		if !snap.HasSchema(sc) && sc != "pg_catalog" {
			return nil, pgerror.New(pgerror.InvalidSchemaName, "schema %q does not exist", sc)
		}
		if err := s.usable(sc); err != nil {
			return nil, err
		}
		path = []string{sc}
	} else if _, err := types.Lookup(name.Last(), nil); err == nil && types.IsBuiltin(name.Last()) {
		return nil, builtinType(name.Last())
	}
	for _, sc := range path {
		if t := snap.TypeNamed(sc, name.Last()); t != nil {
			if o.Kind == "DOMAIN" && t.Kind != catalog.DomainType {
				return nil, pgerror.New(pgerror.WrongObjectType, "%q is not a domain", name.Dotted())
			}
			return t, nil
		}
		if r := snap.Relation(sc, name.Last()); r != nil && r.Kind != catalog.Sequence {
			if o.Kind == "DOMAIN" {
				return nil, pgerror.New(pgerror.WrongObjectType, "%q is not a domain", name.Dotted())
			}
			return nil, &rowType{r}
		}
	}
	return nil, pgerror.New(pgerror.UndefinedObject, "type %q does not exist", name.Dotted())
}

// rowType is the error of a name that is the row type of a relation.
type rowType struct{ r *catalog.Relation }

func (e *rowType) Error() string { return "row type of " + e.r.Name }

// builtinType refuses a change of a built-in type.
func builtinType(name string) error {
	t, _ := types.Lookup(name, nil)
	return pgerror.New(pgerror.DependentObjectsStillExist, "cannot drop type %s because it is required by the database system",
		types.Type{OID: t.OID, Mod: -1})
}

func (s *Session) ownsType(snap *catalog.Snapshot, t *catalog.UserType) error {
	if s.acts(snap, t.Owner) {
		return nil
	}
	return catalog.NotOwner("type", t.Name)
}

// alterType is ALTER TYPE.
func (s *Session) alterType(ctx context.Context, p ast.Parsed, n *ast.Alter) error {
	_, err := s.define(ctx, func(snap *catalog.Snapshot) (*redefinition, error) {
		t, err := s.userType(snap, n.Object)
		if row, ok := err.(*rowType); ok { //nolint:errorlint // made here, never wrapped
			return nil, pgerror.New(pgerror.WrongObjectType, "%s is a table's row type", row.r.Name).WithHint("Use ALTER TABLE instead.")
		}
		if err == nil {
			err = s.ownsType(snap, t)
		}
		if err != nil {
			return nil, err
		}
		c := t.Clone()
		x := &n.Actions[0]
		if n.Kind == "DOMAIN" && x.Kind != ast.AlterRename && x.Kind != ast.AlterSetSchema && x.Kind != ast.AlterOwner {
			return s.alterDomain(snap, p, c, x)
		}
		switch x.Kind {
		case ast.AlterRename:
			return s.renameType(snap, t, c, c.Schema, x.NewName.Last())
		case ast.AlterSetSchema:
			return s.renameType(snap, t, c, x.NewName.Last(), c.Name)
		case ast.AlterOwner:
			changes, err := s.giveType(snap, t, x.NewName.Last())
			return &redefinition{changes: changes}, err
		case ast.AlterAddValue:
			return s.addValue(snap, c, x)
		case ast.AlterRenameValue:
			return s.renameValue(snap, p, c, x)
		case ast.AlterAddColumn, ast.AlterDropColumn, ast.AlterColumnType, ast.AlterRenameColumn:
			return s.alterComposite(snap, p, c, n.Actions)
		default:
			return nil, pgerror.Unsupported("ALTER %s … %s is not supported", n.Kind, string(x.Kind)).At(p.Position(x.Pos()))
		}
	})
	return err
}

func (s *Session) renameType(snap *catalog.Snapshot, t, c *catalog.UserType, schema, name string) (*redefinition, error) {
	if catalog.IsTemp(schema) || schema == catalog.TempAlias {
		return nil, errMoveTemp()
	}
	if !snap.HasSchema(schema) {
		return nil, pgerror.New(pgerror.InvalidSchemaName, "schema %q does not exist", schema)
	}
	if schema == t.Schema && name == t.Name {
		if schema == c.Schema {
			return nil, pgerror.New(pgerror.DuplicateObject, "type %q already exists", name)
		}
		return nil, nil
	}
	if err := s.mayCreate(snap, schema); err != nil {
		return nil, err
	}
	if snap.TypeTaken(schema, name) {
		if schema != t.Schema {
			return nil, pgerror.New(pgerror.DuplicateObject, "type %q already exists in schema %q", name, schema)
		}
		return nil, pgerror.New(pgerror.DuplicateObject, "type %q already exists", name)
	}
	c.Schema, c.Name = schema, name
	return &redefinition{changes: []catalog.Change{{PutType: c}}}, nil
}

func (s *Session) giveType(snap *catalog.Snapshot, t *catalog.UserType, to string) ([]catalog.Change, error) {
	to, err := s.roleNamed(snap, to)
	if err != nil || t.Owner == to {
		return nil, err
	}
	if err := s.mayGive(snap, to, t.Schema); err != nil {
		return nil, err
	}
	c := t.Clone()
	c.ACL, c.Owner = t.ACL.Rename(t.Owner, to), to
	return []catalog.Change{{PutType: c}}, nil
}

// dropTypes is DROP TYPE and DROP DOMAIN.
func (s *Session) dropTypes(ctx context.Context, p ast.Parsed, n *ast.Drop) error {
	_, err := s.apply(ctx, func(snap *catalog.Snapshot) ([]catalog.Change, error) {
		d := &typeDrop{s: s, p: p, snap: snap, word: strings.ToLower(n.Kind), cascade: n.Behavior == ast.Cascade}
		for _, o := range n.Objects {
			t, err := s.userType(snap, o)
			if row, ok := err.(*rowType); ok { //nolint:errorlint // made here, never wrapped
				return nil, pgerror.New(pgerror.DependentObjectsStillExist, "cannot drop type %s because %s %s requires it", row.r.Name, kindOf(row.r), row.r.Name).
					WithHint("You can drop %s %s instead.", kindOf(row.r), row.r.Name)
			}
			if code := pgerror.Code(err); err != nil && n.IfExists && (code == pgerror.UndefinedObject || code == pgerror.InvalidSchemaName) {
				s.notice("%s, skipping", pgerror.From(err).Message)
				continue
			}
			if err != nil {
				return nil, err
			}
			if s.ownsSchema(snap, t.Schema) != nil {
				if err := s.ownsType(snap, t); err != nil {
					return nil, err
				}
			}
			d.gone = append(d.gone, t)
		}
		return d.changes()
	})
	return err
}

// typeDrop works out what goes with types.
type typeDrop struct {
	s       *Session
	p       ast.Parsed
	snap    *catalog.Snapshot
	word    string // type, domain
	cascade bool
	gone    []*catalog.UserType
}

func (d *typeDrop) changes() ([]catalog.Change, error) {
	var out []catalog.Change
	snap := d.snap
	for _, t := range d.gone {
		for _, u := range d.snap.TypeUses(t.ID) {
			more, err := d.without(snap, t, u)
			if err != nil {
				return nil, err
			}
			if snap, err = snap.With(more...); err != nil {
				return nil, err
			}
			out = append(out, more...)
		}
	}
	for _, t := range d.gone {
		out = append(out, catalog.Change{DropType: t.ID})
	}
	return out, nil
}

// without are the changes that take u out of snap, where it goes with t.
func (d *typeDrop) without(snap *catalog.Snapshot, t *catalog.UserType, u catalog.TypeUse) ([]catalog.Change, error) {
	what := useText(u)
	if u.Attribute > 0 {
		if u.Type = snap.UserType(u.Type.ID); u.Type == nil || slices.ContainsFunc(d.gone, func(g *catalog.UserType) bool { return g.ID == u.Type.ID }) {
			return nil, nil
		}
	}
	if !d.cascade && (u.Type == nil || !slices.Contains(d.gone, u.Type)) {
		return nil, pgerror.New(pgerror.DependentObjectsStillExist, "cannot drop %s %s because other objects depend on it", "type", t.Name).
			WithDetail("%s depends on type %s", what, t.Name).
			WithHint("Use DROP ... CASCADE to drop the dependent objects too.")
	}
	if u.Attribute > 0 {
		d.s.notice("drop cascades to %s", what)
		c := u.Type.Clone()
		c.Attributes = slices.DeleteFunc(c.Attributes, func(a catalog.Attribute) bool { return a.Type.UserID() == t.ID })
		return []catalog.Change{{PutType: c}}, noStored(snap, d.p, c, &ast.AlterAction{Kind: ast.AlterDropColumn})
	}
	if u.Type != nil {
		if slices.Contains(d.gone, u.Type) || snap.UserType(u.Type.ID) == nil {
			return nil, nil
		}
		d.s.notice("drop cascades to %s", what)
		more, err := (&typeDrop{s: d.s, p: d.p, snap: snap, word: d.word, cascade: true, gone: []*catalog.UserType{u.Type}}).changes()
		return more, err
	}
	if u.Function != nil {
		users, fns := snap.FunctionUsers(u.Function.ID)
		if len(fns) > 0 {
			return nil, pgerror.Unsupported("DROP TYPE … CASCADE of a function that other functions call is not supported").At(d.p.Position(0))
		}
		d.s.notice("drop cascades to %s", what)
		drops, err := d.s.dropChanges(snap, users, true)
		return append(drops, catalog.Change{DropFunction: u.Function.ID}), err
	}
	r := snap.ByID(u.Relation.ID)
	if r == nil {
		return nil, nil // it went with another
	}
	d.s.notice("drop cascades to %s", what)
	if u.Column < 0 || !r.Native() {
		return d.s.dropChanges(snap, []*catalog.Relation{r}, true)
	}
	a := &alteration{
		s: d.s, p: d.p, n: &ast.Alter{Kind: strings.ToUpper(string(r.Kind))}, snap: snap, r: r, c: r.Clone(),
		more: map[uint32]*catalog.Relation{}, nm: newNamer(snap),
	}
	x := &ast.AlterAction{Kind: ast.AlterDropColumn, Column: ast.Ident{Name: u.Relation.Columns[u.Column].Name}, Behavior: ast.Cascade}
	if err := a.dropColumn(x); err != nil {
		return nil, err
	}
	return a.changes(), nil
}

// useText names what needs a type, as messages do.
func useText(u catalog.TypeUse) string {
	switch {
	case u.Attribute > 0:
		return "column " + u.Type.Attributes[u.Attribute-1].Name + " of composite type " + u.Type.Name
	case u.Type != nil:
		return "type " + u.Type.Name
	case u.Function != nil:
		return "function " + u.Function.Signature()
	case u.Column < 0:
		return kindOf(u.Relation) + " " + u.Relation.Name
	}
	return "column " + u.Relation.Columns[u.Column].Name + " of " + kindOf(u.Relation) + " " + u.Relation.Name
}
