package session

import (
	"fmt"
	"slices"

	"velostream/catalog"
	"velostream/catalog/types"
	"velostream/engine/job"
	"velostream/engine/sql/ast"
	"velostream/engine/sql/binder"
	"velostream/pgwire/pgerror"
)

// maxAttributes is how many columns a composite type can have, as in PostgreSQL.
const maxAttributes = 1600

// createComposite is CREATE TYPE name AS (…).
func (s *Session) createComposite(snap *catalog.Snapshot, p ast.Parsed, n *ast.CreateType) ([]catalog.Change, error) {
	t, err := s.newType(snap, p, n.Name, catalog.CompositeType)
	if err != nil {
		return nil, err
	}
	if len(n.Columns) > maxAttributes {
		return nil, pgerror.New("54011", "tables can have at most %d columns", maxAttributes)
	}
	for i := range n.Columns {
		d := &n.Columns[i]
		if slices.ContainsFunc(t.Attributes, func(a catalog.Attribute) bool { return a.Name == d.Name }) {
			return nil, pgerror.New(pgerror.DuplicateColumn, "column %q specified more than once", d.Name)
		}
		at, err := s.attributeType(snap, p, d.Name, d.Type, d.Collation)
		if err != nil {
			return nil, err
		}
		t.Attributes = append(t.Attributes, catalog.Attribute{Name: d.Name, Type: at})
	}
	return []catalog.Change{{PutType: t}}, nil
}

// attributeType is the type n of a column called name of a composite type.
func (s *Session) attributeType(snap *catalog.Snapshot, p ast.Parsed, name string, n *ast.TypeName, collation ast.Name) (types.Type, error) {
	o := s.bindOptions(p, nil)
	o.Snapshot = snap
	b := binder.New(o)
	switch n.Name.Last() {
	case "serial", "bigserial", "smallserial", "serial2", "serial4", "serial8":
		return types.Type{}, pgerror.New(pgerror.UndefinedObject, "type %q does not exist", n.Name.Last()).At(p.Position(n.Pos()))
	}
	t, err := b.Type(n)
	if err != nil {
		return t, err
	}
	switch t.OID {
	case types.OIDRecord, types.OIDVoid, types.OIDUnknown, types.OIDAnyArray, types.OIDAnyElement:
		return t, pgerror.New(pgerror.InvalidTableDefinition, "column %q has pseudo-type %s", name, binder.TypeName(t))
	default:
	}
	if !collation.IsZero() {
		return t, b.Collation(t, collation)
	}
	return t, nil
}

// alterComposite works through the actions of ALTER TYPE on the columns of a composite type.
func (s *Session) alterComposite(snap *catalog.Snapshot, p ast.Parsed, c *catalog.UserType, actions []ast.AlterAction) (*redefinition, error) {
	if c.Kind != catalog.CompositeType {
		return nil, pgerror.New(pgerror.WrongObjectType, "%q is not a composite type", c.Name)
	}
	for i := range actions {
		x := &actions[i]
		var err error
		switch x.Kind {
		case ast.AlterAddColumn:
			err = s.addAttribute(snap, p, c, x)
		case ast.AlterDropColumn:
			err = s.dropAttribute(snap, p, c, x)
		case ast.AlterColumnType:
			err = s.retypeAttribute(snap, p, c, x)
		case ast.AlterRenameColumn:
			err = renameAttribute(snap, p, c, x)
		default:
			err = pgerror.Unsupported("ALTER TYPE … %s is not supported", string(x.Kind)).At(p.Position(x.Pos()))
		}
		if err != nil {
			return nil, err
		}
	}
	return &redefinition{changes: []catalog.Change{{PutType: c}}}, nil
}

// noStored refuses a change of the shape of rows that are kept somewhere.
func noStored(snap *catalog.Snapshot, p ast.Parsed, c *catalog.UserType, x *ast.AlterAction) error {
	u := snap.StoredUse(c.ID)
	if u == "" {
		return nil
	}
	e := pgerror.Unsupported("cannot alter type %q because column %q uses it", c.Name, u)
	if x.Kind == ast.AlterColumnType {
		return e
	}
	return e.WithHint("Rows that are kept do not change: make another type, and ALTER COLUMN TYPE.").At(p.Position(x.Pos()))
}

func noAttribute(c *catalog.UserType, name string) error {
	return pgerror.New(pgerror.UndefinedColumn, "column %q of relation %q does not exist", name, c.Name)
}

func (s *Session) addAttribute(snap *catalog.Snapshot, p ast.Parsed, c *catalog.UserType, x *ast.AlterAction) error {
	if c.Attribute(x.Def.Name) >= 0 {
		return pgerror.New(pgerror.DuplicateColumn, "column %q of relation %q already exists", x.Def.Name, c.Name)
	}
	t, err := s.attributeType(snap, p, x.Def.Name, x.Def.Type, x.Def.Collation)
	if err != nil {
		return err
	}
	if t.UserID() == c.ID || snap.ContainsType(t, c.ID) {
		return pgerror.New(pgerror.InvalidTableDefinition, "composite type %s cannot be made a member of itself", c.Name)
	}
	c.Attributes = append(c.Attributes, catalog.Attribute{Name: x.Def.Name, Type: t})
	return noStored(snap, p, c, x)
}

func (s *Session) dropAttribute(snap *catalog.Snapshot, p ast.Parsed, c *catalog.UserType, x *ast.AlterAction) error {
	i := c.Attribute(x.Column.Name)
	if i < 0 && x.IfExists {
		s.notice("column %q of relation %q does not exist, skipping", x.Column.Name, c.Name)
		return nil
	}
	if i < 0 {
		return noAttribute(c, x.Column.Name)
	}
	c.Attributes = slices.Delete(c.Attributes, i, i+1)
	return noStored(snap, p, c, x)
}

func (s *Session) retypeAttribute(snap *catalog.Snapshot, p ast.Parsed, c *catalog.UserType, x *ast.AlterAction) error {
	i := c.Attribute(x.Column.Name)
	if i < 0 {
		return noAttribute(c, x.Column.Name)
	}
	t, err := s.attributeType(snap, p, x.Column.Name, x.Type, x.Collation)
	if err != nil {
		return err
	}
	if t.UserID() == c.ID || snap.ContainsType(t, c.ID) {
		return pgerror.New(pgerror.InvalidTableDefinition, "composite type %s cannot be made a member of itself", c.Name)
	}
	c.Attributes[i].Type = t
	return noStored(snap, p, c, x)
}

// renameAttribute is RENAME ATTRIBUTE. Values do not hold the names, but what a job has made of
// them, by to_json and its like, does.
func renameAttribute(snap *catalog.Snapshot, p ast.Parsed, c *catalog.UserType, x *ast.AlterAction) error {
	i, to := c.Attribute(x.Column.Name), x.NewName.Last()
	if i < 0 {
		return pgerror.New(pgerror.UndefinedColumn, "column %q does not exist", x.Column.Name)
	}
	if c.Attribute(to) >= 0 {
		return pgerror.New(pgerror.DuplicateColumn, "column %q of relation %q already exists", to, c.Name)
	}
	if err := noJobOver(snap, p, c.ID, fmt.Sprintf("type %q", c.Name), x); err != nil {
		return err
	}
	c.Attributes[i].Name = to
	return nil
}

// noJobOver refuses to rename a column of the type id, what, while a job computes with
// values of it: what it has made of names before it could not take back afterwards.
func noJobOver(snap *catalog.Snapshot, p ast.Parsed, id uint32, what string, x *ast.AlterAction) error {
	r := snap.JobOver(id)
	for _, j := range snap.Relations() {
		if r != nil {
			break
		}
		if len(j.Plan) == 0 {
			continue
		}
		has, err := job.HasType(j.Plan, func(t types.Type) bool { return snap.ContainsType(t, id) })
		if err != nil {
			return err
		}
		if has {
			r = j
		}
	}
	if r == nil {
		return nil
	}
	return pgerror.Unsupported("columns of %s cannot be renamed: %s %s is computed with its rows as values", what, kindOf(r), r.Name).
		WithHint("Drop it first, and create it again afterwards.").At(p.Position(x.Pos()))
}

// noStoredRows refuses a change of the columns of a relation whose row type others keep
// values of.
func (a *alteration) noStoredRows(x *ast.AlterAction) error {
	u := a.snap.StoredUse(a.r.ID)
	if u == "" {
		return nil
	}
	e := pgerror.Unsupported("cannot alter table %q because column %q uses its row type", a.r.Name, u)
	if x.Kind == ast.AlterColumnType {
		return e
	}
	return e.WithHint("Rows that are kept do not change.").At(a.p.Position(x.Pos()))
}

// dropRowTypes takes the uses of the row types of relations that go out of what stays.
func (s *Session) dropRowTypes(snap *catalog.Snapshot, gone []*catalog.Relation, cascade bool) ([]catalog.Change, error) {
	goes := func(r *catalog.Relation) bool {
		return slices.ContainsFunc(gone, func(g *catalog.Relation) bool { return g.ID == r.ID })
	}
	var out []catalog.Change
	for _, r := range gone {
		t := &catalog.UserType{ID: r.ID, Schema: r.Schema, Name: r.Name, Kind: catalog.CompositeType}
		for _, u := range snap.TypeUses(r.ID) {
			if u.Relation != nil && goes(u.Relation) {
				continue
			}
			if !cascade {
				return nil, pgerror.New(pgerror.DependentObjectsStillExist, "cannot drop %s %s because other objects depend on it", kindOf(r), r.Name).
					WithDetail("%s depends on type %s", useText(u), r.Name).
					WithHint("Use DROP ... CASCADE to drop the dependent objects too.")
			}
			more, err := (&typeDrop{s: s, snap: snap, cascade: true}).without(snap, t, u)
			if err != nil {
				return nil, err
			}
			out = append(out, more...)
		}
	}
	return out, nil
}
