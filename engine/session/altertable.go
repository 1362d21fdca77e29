package session

import (
	"context"
	"slices"

	"velostream/catalog"
	"velostream/engine/sql/ast"
	"velostream/engine/sql/binder"
	"velostream/pgwire/pgerror"
	"velostream/storage/column"
)

// noSinks refuses a change of columns while a sink writes the relation out.
func (a *alteration) noSinks(x *ast.AlterAction) error {
	for _, d := range a.snap.Dependents(a.r.ID) {
		if d.SinkOf == a.r.ID {
			return pgerror.Unsupported("ALTER %s … %s is not supported while sink %q writes %q out", a.n.Kind, string(x.Kind), d.Name, a.r.Name).
				WithHint("DROP SINK %s first.", d.Name).At(a.p.Position(x.Pos()))
		}
	}
	return nil
}

// dropColumn hides the column: stored rows and plans know the others by position.
func (a *alteration) dropColumn(x *ast.AlterAction) error {
	i := a.c.ColumnIndex(x.Column.Name)
	if i < 0 && x.IfExists {
		a.s.notice("column %q of relation %q does not exist, skipping", x.Column.Name, a.c.Name)
		return nil
	}
	i, err := a.column(x.Column)
	if err != nil {
		return err
	}
	if err := a.noSinks(x); err != nil {
		return err
	}
	if i == a.c.EventTime {
		return pgerror.Unsupported("dropping the watermark column is not supported").At(a.p.Position(x.Pos()))
	}
	cascade := x.Behavior == ast.Cascade
	if a.c.PrimaryKey && slices.Contains(a.c.Key, i) {
		if err := a.dropKey(x, "column "+a.c.Columns[i].Name+" of table "+a.c.Name); err != nil {
			return err
		}
	}
	old := a.c.Columns[i]
	if err := a.dropWith(i, cascade); err != nil {
		return err
	}
	a.c.Columns[i] = catalog.Column{Name: binder.DroppedName(i), Type: old.Type, Hidden: true, Dropped: true}
	if _, err := binder.New(a.bind()).Computed(a.c); err != nil {
		return a.columnInUse(old.Name, "a generated column of table "+a.c.Name)
	}
	a.define()
	return a.recheck(cascade, func(by string) error { return a.columnInUse(old.Name, by) })
}

// recheck looks whether the queries that read the relation fit what it will be. Those that
// do not go with cascade, else inUse says so.
func (a *alteration) recheck(cascade bool, inUse func(by string) error) error {
	dry, err := a.snap.With(a.changes()...)
	if err != nil {
		return err
	}
	for _, d := range a.snap.Dependents(a.r.ID) {
		if d.Query == "" {
			continue
		}
		o := a.bind()
		o.Snapshot = dry
		if binder.Recheck(o, d) == nil {
			continue
		}
		if !cascade {
			return inUse(kindOf(d) + " " + d.Name)
		}
		drops, err := a.s.dropChanges(a.snap, []*catalog.Relation{d}, true)
		if err != nil {
			return err
		}
		a.s.notice("drop cascades to %s %s", kindOf(d), d.Name)
		for _, c := range drops {
			if c.Drop != 0 && !slices.Contains(a.drops, c.Drop) {
				a.drops = append(a.drops, c.Drop)
			}
		}
	}
	return nil
}

func (a *alteration) columnInUse(col, by string) error {
	return pgerror.New(pgerror.DependentObjectsStillExist, "cannot drop column %s of table %s because other objects depend on it", col, a.c.Name).
		WithDetail("%s depends on column %s of table %s", by, col, a.c.Name).
		WithHint("Use DROP ... CASCADE to drop the dependent objects too.")
}

// dropWith takes out the indexes and constraints that use column i, and its sequence.
func (a *alteration) dropWith(i int, cascade bool) error {
	for _, x := range slices.Clone(a.c.Indexes) {
		if !x.Uses(i) {
			continue
		}
		what := "column " + a.c.Columns[i].Name + " of table " + a.c.Name
		if err := a.s.dropReferences(a.snap, a.c, x.ID, what, cascade, a.more); err != nil {
			return err
		}
		withoutIndexes(a.c, []uint32{x.ID})
	}
	a.c.Constraints = slices.DeleteFunc(a.c.Constraints, func(k catalog.Constraint) bool { return slices.Contains(k.Columns, i) })
	for _, r := range a.snap.Relations() {
		if r.Kind == catalog.Sequence && r.PartOf == a.r.ID && r.Numbers.Column == i {
			a.drops = append(a.drops, r.ID)
		}
	}
	return nil
}

func (a *alteration) setDefault(x *ast.AlterAction) error {
	i, err := a.column(x.Column)
	if err != nil {
		return err
	}
	c := &a.c.Columns[i]
	switch {
	case c.Computed != "":
		return pgerror.New(pgerror.SyntaxError, "column %q of relation %q is a generated column", c.Name, a.c.Name)
	case c.Identity != "":
		return pgerror.New(pgerror.SyntaxError, "column %q of relation %q is an identity column", c.Name, a.c.Name)
	}
	c.Default, c.Sequence = "", 0
	if x.Kind == ast.AlterSetDefault {
		if err := binder.BindDefault(a.bind(), c, x.X); err != nil {
			return err
		}
	}
	a.define()
	return nil
}

func (a *alteration) setNotNull(x *ast.AlterAction) error {
	i, err := a.column(x.Column)
	if err != nil {
		return err
	}
	c := &a.c.Columns[i]
	if x.Kind == ast.AlterDropNotNull {
		switch {
		case slices.Contains(a.c.Key, i):
			return pgerror.New(pgerror.InvalidTableDefinition, "column %q is in a primary key", c.Name)
		case c.Identity != "":
			return pgerror.New(pgerror.SyntaxError, "column %q of relation %q is an identity column", c.Name, a.c.Name)
		}
		c.NotNull = false
		a.define()
		return nil
	}
	c.NotNull = true
	a.define()
	a.verifyNotNull(i)
	return nil
}

// addConstraint is ADD constraint: checked against the rows that are there.
func (a *alteration) addConstraint(k ast.Constraint) error {
	if k.NotEnforced {
		return pgerror.Unsupported("adding a constraint that is not enforced is not supported").At(a.p.Position(k.Pos()))
	}
	if k.UsingIndex != "" {
		return a.usingIndex(k)
	}
	if k.Kind == ast.PrimaryKey {
		return a.addKey(k)
	}
	if a.c.Kind != catalog.Table {
		return pgerror.Unsupported("%s constraints of streams are not supported", string(k.Kind)).At(a.p.Position(k.Pos()))
	}
	o := a.bind()
	if dry, err := a.snap.With(a.changes()...); err == nil {
		o.Snapshot = dry
	}
	c, err := binder.BindConstraint(o, a.c, k)
	if err != nil {
		return err
	}
	had := len(a.c.Indexes)
	if err := a.s.mayRefer(a.snap, a.c, c); err != nil {
		return err
	}
	if err := a.nm.addConstraint(a.c, c); err != nil {
		return err
	}
	for i := had; i < len(a.c.Indexes); i++ {
		a.build = append(a.build, a.c.Indexes[i].ID)
	}
	a.define()
	added := a.c.Constraints[len(a.c.Constraints)-1]
	if added.NotValid {
		return nil
	}
	switch added.Kind {
	case catalog.Check:
		return a.verifyCheck(added)
	case catalog.ForeignKey:
		a.foreign = append(a.foreign, foreignCheck{a.r.ID, added.ID})
	case catalog.Unique: // building the index finds duplicates
	}
	return nil
}

// rewriteAs has all rows written anew, as f makes them, and all indexes filled
// again. f gets as many columns as the relation will have.
func (a *alteration) rewriteAs(f func(*column.Batch) (*column.Batch, error)) {
	if first := a.rewrite; first != nil {
		a.rewrite = func(b *column.Batch) (*column.Batch, error) {
			b, err := first(b)
			if err != nil {
				return nil, err
			}
			return f(b)
		}
		return
	}
	a.rewrite = func(b *column.Batch) (*column.Batch, error) {
		b, err := a.wide(b, len(a.c.Columns))
		if err != nil {
			return nil, err
		}
		return f(b)
	}
	a.c.Storage = a.snap.NextID()
	for i := range a.c.Indexes {
		a.c.Indexes[i].Storage = a.snap.NextID()
	}
}

func (a *alteration) dropConstraint(x *ast.AlterAction) error {
	name := x.Column.Name
	if a.c.PrimaryKey && name == a.c.KeyConstraint() {
		return a.dropKey(x, "constraint "+a.c.KeyConstraint()+" on table "+a.c.Name)
	}
	k := a.c.Constraint(name)
	switch {
	case k == nil && x.IfExists:
		a.s.notice("constraint %q of relation %q does not exist, skipping", name, a.c.Name)
		return nil
	case k == nil:
		return pgerror.New(pgerror.UndefinedObject, "constraint %q of relation %q does not exist", name, a.c.Name)
	}
	id, index := k.ID, k.Index
	if k.Kind == catalog.Unique {
		what := "constraint " + name + " on table " + a.c.Name
		if err := a.s.dropReferences(a.snap, a.c, index, what, x.Behavior == ast.Cascade, a.more); err != nil {
			return err
		}
		withoutIndexes(a.c, []uint32{index})
	}
	a.c.Constraints = slices.DeleteFunc(a.c.Constraints, func(k catalog.Constraint) bool { return k.ID == id })
	a.define()
	return nil
}

// alterAs is ALTER MATERIALIZED VIEW … AS: CREATE OR REPLACE.
func (s *Session) alterAs(ctx context.Context, p ast.Parsed, n *ast.Alter) error {
	if n.Kind != "MATERIALIZED VIEW" {
		return pgerror.Unsupported("ALTER %s … AS is not supported", n.Kind).At(p.Position(n.Pos()))
	}
	if _, err := s.relation(s.catalog(), p, n.Object.Name); err != nil {
		return err
	}
	c := &ast.CreateView{At: n.At, Materialized: true, OrReplace: true, Name: n.Object.Name, Query: n.Actions[0].Query}
	return s.createMaterialized(ctx, ast.Parsed{SQL: p.SQL, Text: ast.String(c), Stmt: c}, c)
}
