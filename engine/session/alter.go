package session

import (
	"context"
	"slices"
	"strings"

	"velostream/catalog"
	"velostream/engine/sql/ast"
	"velostream/engine/sql/binder"
	"velostream/pgwire/pgerror"
	"velostream/storage/column"
)

// alteration is one ALTER of a relation while its actions are worked through.
type alteration struct {
	s    *Session
	p    ast.Parsed
	n    *ast.Alter
	snap *catalog.Snapshot
	r    *catalog.Relation            // as it is
	c    *catalog.Relation            // as it will be
	more map[uint32]*catalog.Relation // other relations that change with it
	nm   *namer
	// drops are relations that go with it, made those that come.
	drops []uint32
	made  []*catalog.Relation
	// build are indexes to be filled afterwards.
	build []uint32
	// rewrite makes the rows that are there anew, nil: they stay.
	rewrite func(*column.Batch) (*column.Batch, error)
	// verify looks at rows as they will be; empty demands that there are none; foreign
	// are foreign keys to be looked at when all is done.
	verify  []func(b *column.Batch) error
	empty   error
	foreign []foreignCheck
	retyped retyped
	// fillings are new columns in which each row gets a value of its own.
	fillings []filling
	restart  []restart
	swap     *catalog.Relation
}

// alter is ALTER of relations, indexes, schemas and functions.
func (s *Session) alter(ctx context.Context, p ast.Parsed, n *ast.Alter) error {
	switch n.Kind {
	case "SCHEMA":
		return s.alterSchema(ctx, p, n)
	case "INDEX":
		return s.alterIndex(ctx, p, n)
	case "FUNCTION":
		return s.alterFunction(ctx, p, n)
	case "TYPE", "DOMAIN":
		return s.alterType(ctx, p, n)
	case "ROLE":
		if n.Actions[0].Kind == ast.AlterSetting {
			return s.alterSettings(ctx, p, n)
		}
		return s.renameRole(ctx, p, n)
	case "DATABASE":
		if len(n.Actions) == 1 && n.Actions[0].Kind == ast.AlterSetting {
			return s.alterSettings(ctx, p, n)
		}
		return pgerror.Unsupported("ALTER DATABASE … %s is not supported", string(n.Actions[0].Kind)).At(p.Position(n.Actions[0].Pos()))
	case "TABLE", "STREAM", "SOURCE", "VIEW", "MATERIALIZED VIEW", "SINK", "SEQUENCE":
	default:
		return pgerror.Unsupported("ALTER %s is not supported", n.Kind).At(p.Position(n.Pos()))
	}
	if len(n.Actions) == 1 && n.Actions[0].Kind == ast.AlterAs {
		return s.alterAs(ctx, p, n)
	}
	_, err := s.define(ctx, func(snap *catalog.Snapshot) (*redefinition, error) {
		a, err := s.alteration(snap, p, n)
		if err != nil || a == nil {
			return nil, err
		}
		x := &redefinition{
			changes: a.changes(), check: a.check, builds: a.r.ID, build: a.build, rewrites: a.r.ID, after: a.after,
		}
		if a.rewrite != nil {
			x.rewrite = func(b *column.Batch) (*column.Batch, error) {
				b, err := a.rewrite(b)
				if err != nil {
					return nil, err
				}
				return b, a.verifyRows(b)
			}
			x.build = nil // all of them
			for _, k := range a.c.Indexes {
				x.build = append(x.build, k.ID)
			}
		}
		return x, nil
	})
	return err
}

// alteration works through the actions of n; nil: there is nothing to do.
func (s *Session) alteration(snap *catalog.Snapshot, p ast.Parsed, n *ast.Alter) (*alteration, error) {
	r, err := s.owned(snap, p, n.Object.Name)
	if err != nil {
		if n.IfExists && pgerror.Code(err) != pgerror.InsufficientPrivilege {
			s.notice("relation %q does not exist, skipping", n.Object.Name.Last())
			return nil, nil
		}
		return nil, err
	}
	if err := s.notPending("ALTER TABLE", r); err != nil {
		return nil, err
	}
	a := &alteration{
		s: s, p: p, n: n, snap: snap, r: r, c: r.Clone(), more: map[uint32]*catalog.Relation{},
		nm: newNamer(snap),
	}
	for _, x := range inPasses(n.Actions) {
		if err := a.action(x); err != nil {
			return nil, err
		}
	}
	if err := a.retypedAll(); err != nil {
		return nil, err
	}
	return a, a.fill()
}

// changes are what the catalog is to be told.
func (a *alteration) changes() []catalog.Change {
	var out []catalog.Change
	if a.swap != nil {
		aside := a.c.Clone()
		aside.Name = "........swap" + itoa(int(a.c.ID))
		first := a.swap.Clone()
		first.Name, first.KeyName = a.r.Name, a.swap.KeyConstraint()
		return []catalog.Change{{Put: aside}, {Put: first}, {Put: a.c}}
	}
	out = append(out, catalog.Change{Put: a.c})
	for _, id := range a.drops {
		out = append(out, catalog.Change{Drop: id})
	}
	for _, r := range a.made {
		out = append(out, catalog.Change{Put: r})
	}
	return append(out, puts(a.more)...)
}

// isKind checks that r is what a kind word of DDL means.
func isKind(r *catalog.Relation, kind string) error {
	if kinds := dropKinds[kind]; kinds == nil || slices.Contains(kinds, r.Kind) {
		return nil
	}
	return pgerror.New(pgerror.WrongObjectType, "%q is not a %s", r.Name, strings.ToLower(kind))
}

func (a *alteration) action(x *ast.AlterAction) error {
	general := x.Kind == ast.AlterRename || x.Kind == ast.AlterOwner || x.Kind == ast.AlterSetSchema || x.Kind == ast.AlterRenameColumn
	if a.n.Kind != "TABLE" || !general { // ALTER TABLE renames and moves all relations, as in PostgreSQL
		if err := isKind(a.r, a.n.Kind); err != nil {
			return err
		}
	}
	switch x.Kind {
	case ast.AlterRename:
		return a.rename(x)
	case ast.AlterRenameColumn:
		return a.renameColumn(x)
	case ast.AlterRenameConstraint:
		return a.renameConstraint(x)
	case ast.AlterOwner:
		return a.owner(x)
	case ast.AlterSetSchema:
		return a.setSchema(x)
	case ast.AlterSwap:
		return a.swapWith(x)
	default:
	}
	if k := a.r.Kind; x.Kind == ast.AlterColumnType && (k == catalog.View || k == catalog.MaterializedView || k == catalog.Sequence) {
		return pgerror.New(pgerror.WrongObjectType, "ALTER action ALTER COLUMN ... SET DATA TYPE cannot be performed on relation %q", a.r.Name).
			WithDetail("This operation is not supported for %ss.", k)
	}
	if !a.r.Native() {
		return pgerror.Unsupported("ALTER %s … %s is not supported for %q", a.n.Kind, string(x.Kind), a.r.Name).
			WithHint("Only relations whose rows come by SQL can be changed so; drop and create it anew.").At(a.p.Position(x.Pos()))
	}
	switch x.Kind {
	case ast.AlterAddColumn, ast.AlterDropColumn, ast.AlterColumnType:
		if err := a.noStoredRows(x); err != nil {
			return err
		}
	default:
	}
	switch x.Kind {
	case ast.AlterAddColumn:
		return a.addColumn(x)
	case ast.AlterDropColumn:
		return a.dropColumn(x)
	case ast.AlterSetDefault, ast.AlterDropDefault:
		return a.setDefault(x)
	case ast.AlterSetNotNull, ast.AlterDropNotNull:
		return a.setNotNull(x)
	case ast.AlterColumnType:
		return a.retype(x)
	case ast.AlterAddIdentity, ast.AlterSetIdentity, ast.AlterDropIdentity:
		return a.alterIdentity(x)
	case ast.AlterDropExpression:
		return a.dropExpression(x)
	case ast.AlterConstraint:
		return a.alterConstraint(x)
	case ast.AlterValidate:
		return a.validate(x)
	case ast.AlterAddConstraint:
		return a.addConstraint(*x.Constraint)
	case ast.AlterDropConstraint:
		return a.dropConstraint(x)
	default:
	}
	if done, err := a.layout(x); done || err != nil {
		return err
	}
	what := string(x.Kind)
	if x.Detail != "" {
		what = x.Detail
	}
	return pgerror.Unsupported("ALTER %s … %s is not supported", a.n.Kind, what).At(a.p.Position(x.Pos()))
}

// rename gives the relation another name. What reads it knows it by OID.
func (a *alteration) rename(x *ast.AlterAction) error {
	name := x.NewName.Last()
	if a.snap.Named(a.c.Schema, name) {
		return pgerror.New(pgerror.DuplicateTable, "relation %q already exists", name)
	}
	if err := a.s.mayCreate(a.snap, a.c.Schema); err != nil {
		return err
	}
	a.freezeKey()
	a.c.Name = name
	a.c.Definition = redefine(a.c.Definition, func(n *ast.Name) { n.Parts[len(n.Parts)-1] = name })
	return nil
}

// freezeKey keeps the primary key's name when the relation gets another.
func (a *alteration) freezeKey() {
	if a.c.PrimaryKey {
		a.c.KeyName = a.c.KeyConstraint()
	}
}

func (a *alteration) column(id ast.Ident) (int, error) {
	i := a.c.ColumnIndex(id.Name)
	if i < 0 || a.c.Columns[i].Dropped || a.c.Columns[i].Hidden {
		return 0, pgerror.New(pgerror.UndefinedColumn, "column %q of relation %q does not exist", id.Name, a.c.Name).At(a.p.Position(id.Pos()))
	}
	return i, nil
}

func (a *alteration) renameColumn(x *ast.AlterAction) error {
	i, err := a.column(x.Column)
	if err != nil {
		if a.c.ColumnIndex(x.Column.Name) < 0 {
			e := pgerror.From(err)
			e.Message = "column " + quoted(x.Column.Name) + " does not exist"
			return e
		}
		return err
	}
	if a.r.Connector != "" {
		return pgerror.Unsupported("renaming a column of %q is not supported: its connector finds columns by name", a.r.Name).At(a.p.Position(x.Pos()))
	}
	name := x.NewName.Last()
	if a.c.ColumnIndex(name) >= 0 {
		return pgerror.New(pgerror.DuplicateColumn, "column %q of relation %q already exists", name, a.c.Name)
	}
	if err := noJobOver(a.snap, a.p, a.r.ID, kindOf(a.r)+" "+quoted(a.r.Name), x); err != nil {
		return err
	}
	old := a.c.Columns[i].Name
	a.c.Columns[i].Name = name
	if a.r.Native() {
		renameIn(a.c, old, name)
		a.define()
	}
	return nil
}

func quoted(s string) string { return `"` + s + `"` }

func (a *alteration) renameConstraint(x *ast.AlterAction) error {
	name := x.NewName.Last()
	if hasConstraint(a.c, name) {
		return pgerror.New(pgerror.DuplicateObject, "constraint %q for relation %q already exists", name, a.c.Name)
	}
	if a.c.PrimaryKey && a.c.KeyConstraint() == x.Column.Name {
		a.c.KeyName = name
		a.define()
		return nil
	}
	k := a.c.Constraint(x.Column.Name)
	if k == nil {
		return pgerror.New(pgerror.UndefinedObject, "constraint %q for table %q does not exist", x.Column.Name, a.c.Name)
	}
	if k.Kind == catalog.Unique {
		a.c.Index(k.Index).Name = name
	}
	k.Name = name
	a.define()
	return nil
}

// owner is OWNER TO.
func (a *alteration) owner(x *ast.AlterAction) error {
	role, err := a.s.roleNamed(a.snap, x.NewName.Last())
	if err != nil || role == a.c.Owner {
		return err
	}
	if err := a.s.mayGive(a.snap, role, a.c.Schema); err != nil {
		return err
	}
	giveRelation(a.c, role)
	for _, d := range a.snap.Relations() { // sequences of columns, dead letters
		if d.PartOf == a.r.ID {
			own := d.Clone()
			giveRelation(own, role)
			a.more[d.ID] = own
		}
	}
	return nil
}

func (a *alteration) setSchema(x *ast.AlterAction) error {
	to := a.s.aliased(x.NewName.Last())
	if a.c.Temporary() || catalog.IsTemp(to) || to == catalog.TempAlias {
		return errMoveTemp()
	}
	if !a.snap.HasSchema(to) {
		return pgerror.New(pgerror.InvalidSchemaName, "schema %q does not exist", to)
	}
	if a.r.PartOf != 0 {
		return pgerror.Unsupported("%q belongs to another relation and moves with it", a.r.Name)
	}
	if to == a.c.Schema {
		return nil
	}
	if err := a.s.mayCreate(a.snap, to); err != nil {
		return err
	}
	if a.snap.Named(to, a.c.Name) {
		return pgerror.New(pgerror.DuplicateTable, "relation %q already exists in schema %q", a.c.Name, to)
	}
	a.c.Schema = to
	for _, d := range a.snap.Relations() {
		if d.PartOf == a.r.ID {
			own := d.Clone()
			own.Schema = to
			a.more[d.ID] = own
		}
	}
	a.c.Definition = redefine(a.c.Definition, func(n *ast.Name) { n.Parts = []string{to, n.Last()} })
	return nil
}

// swapWith exchanges the names of two relations of one kind.
func (a *alteration) swapWith(x *ast.AlterAction) error {
	other, err := a.s.owned(a.snap, a.p, x.NewName)
	if err != nil {
		return err
	}
	if other.Kind != a.r.Kind {
		return pgerror.New(pgerror.WrongObjectType, "%q is not a %s", other.Name, kindOf(a.r)).At(a.p.Position(x.NewName.Pos()))
	}
	if other.Schema != a.r.Schema {
		return pgerror.Unsupported("SWAP WITH a relation of another schema is not supported").At(a.p.Position(x.NewName.Pos()))
	}
	if len(a.n.Actions) > 1 {
		return pgerror.New(pgerror.SyntaxError, "SWAP WITH cannot be combined with other actions").At(a.p.Position(x.Pos()))
	}
	if other.ID == a.r.ID {
		return nil
	}
	a.freezeKey()
	a.c.Name = other.Name
	a.c.Definition = redefine(a.c.Definition, func(n *ast.Name) { n.Parts[len(n.Parts)-1] = other.Name })
	a.swap = other.Clone()
	a.swap.Definition = redefine(other.Definition, func(n *ast.Name) { n.Parts[len(n.Parts)-1] = a.r.Name })
	return nil
}

// bind are the options to bind expressions of the altered relation with.
func (a *alteration) bind() binder.Options {
	o := a.s.bindOptions(a.p, nil)
	o.Snapshot = a.snap
	return o
}

func (s *Session) alterSchema(ctx context.Context, p ast.Parsed, n *ast.Alter) error {
	_, err := s.apply(ctx, func(snap *catalog.Snapshot) ([]catalog.Change, error) {
		name := n.Object.Name.Last()
		if !snap.HasSchema(name) {
			return nil, pgerror.New(pgerror.InvalidSchemaName, "schema %q does not exist", name)
		}
		if err := s.ownsSchema(snap, name); err != nil {
			return nil, err
		}
		if len(n.Actions) == 1 && n.Actions[0].Kind == ast.AlterOwner {
			return s.giveSchema(snap, name, n.Actions[0].NewName.Last())
		}
		if len(n.Actions) != 1 || n.Actions[0].Kind != ast.AlterRename {
			return nil, pgerror.Unsupported("ALTER SCHEMA … %s is not supported", string(n.Actions[0].Kind)).At(p.Position(n.Actions[0].Pos()))
		}
		if name == catalog.DefaultSchema {
			return nil, pgerror.Unsupported("renaming schema %q is not supported", name)
		}
		if err := s.mayCreateSchema(snap); err != nil {
			return nil, err
		}
		to := n.Actions[0].NewName.Last()
		if err := reservedSchema(to); err != nil {
			return nil, err
		}
		if catalog.IsTemp(name) {
			return nil, pgerror.Unsupported("renaming a schema of temporary objects is not supported")
		}
		return []catalog.Change{{RenameSchema: []string{name, to}}}, nil
	})
	return err
}

func (s *Session) alterIndex(ctx context.Context, p ast.Parsed, n *ast.Alter) error {
	_, err := s.apply(ctx, func(snap *catalog.Snapshot) ([]catalog.Change, error) {
		r, x := s.index(snap, n.Object.Name)
		if r == nil {
			if n.IfExists {
				s.notice("relation %q does not exist, skipping", n.Object.Name.Last())
				return nil, nil
			}
			return nil, pgerror.NoSuchRelation(n.Object.Name.Last()).At(p.Position(n.Object.Name.Pos()))
		}
		if err := s.owns(snap, r); err != nil {
			return nil, err
		}
		if k := n.Actions[0].Kind; len(n.Actions) == 1 && (k == ast.AlterSetOptions || k == ast.AlterResetOptions) {
			a := &alteration{s: s, p: p, snap: snap}
			return nil, a.storage(&n.Actions[0], indexParameters)
		}
		if len(n.Actions) != 1 || n.Actions[0].Kind != ast.AlterRename {
			return nil, pgerror.Unsupported("ALTER INDEX … %s is not supported", string(n.Actions[0].Kind)).At(p.Position(n.Actions[0].Pos()))
		}
		name := n.Actions[0].NewName.Last()
		if snap.Named(r.Schema, name) {
			return nil, pgerror.New(pgerror.DuplicateTable, "relation %q already exists", name)
		}
		c := r.Clone()
		if x == nil {
			c.KeyName = name
			return []catalog.Change{{Put: c}}, nil
		}
		c.Index(x.ID).Name = name
		for i := range c.Constraints {
			if k := &c.Constraints[i]; k.Kind == catalog.Unique && k.Index == x.ID {
				k.Name = name
			}
		}
		return []catalog.Change{{Put: c}}, nil
	})
	return err
}

func (s *Session) alterFunction(ctx context.Context, p ast.Parsed, n *ast.Alter) error {
	_, err := s.apply(ctx, func(snap *catalog.Snapshot) ([]catalog.Change, error) {
		f, err := s.function(snap, p, n.Object)
		if err == nil {
			err = s.ownsFunction(snap, f)
		}
		if err != nil {
			return nil, err
		}
		if len(n.Actions) == 1 && n.Actions[0].Kind == ast.AlterOwner {
			return s.giveFunction(snap, f, n.Actions[0].NewName.Last())
		}
		return nil, pgerror.Unsupported("ALTER FUNCTION … %s is not supported", string(n.Actions[0].Kind)).
			WithHint("CREATE OR REPLACE FUNCTION %s.", f.Signature()).At(p.Position(n.Actions[0].Pos()))
	})
	return err
}
