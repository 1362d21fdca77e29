package session

import (
	"context"
	"slices"

	"velostream/catalog"
	"velostream/catalog/types"
	"velostream/engine/sql/ast"
	"velostream/engine/sql/binder"
	"velostream/engine/sql/expr"
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

// addColumn is ADD COLUMN. Rows that are there are not touched: they read as the default.
func (a *alteration) addColumn(x *ast.AlterAction) error {
	if i := a.c.ColumnIndex(x.Def.Name); i >= 0 {
		if x.IfExists {
			a.s.noticeOf(pgerror.DuplicateColumn, "column %q of relation %q already exists, skipping", x.Def.Name, a.c.Name)
			return nil
		}
		return pgerror.New(pgerror.DuplicateColumn, "column %q of relation %q already exists", x.Def.Name, a.c.Name)
	}
	if err := a.noSinks(x); err != nil {
		return err
	}
	plain, later, computed, err := splitColumn(a, x)
	if err != nil {
		return err
	}
	def, err := binder.BindColumnDefs(a.bind(), &ast.CreateRelation{
		At: x.At, Kind: ast.KindTable, Name: ast.Name{At: x.At, Parts: []string{a.c.Name}}, Columns: []ast.ColumnDef{plain},
	})
	if err != nil {
		return err
	}
	col := def.Columns[0]
	at := len(a.c.Columns)
	a.c.Columns = append(a.c.Columns, col)
	if len(def.Sequences) > 0 {
		d := def.Sequences[0]
		d.Column = at
		seq, err := a.s.columnSequence(a.nm, a.p, a.c, d)
		if err != nil {
			return err
		}
		a.made = append(a.made, seq)
		a.needEmpty(x, "a column with numbers from a sequence")
	}
	if computed != nil {
		a.c.Columns[at].Computed = ast.String(computed)
		if _, err := binder.New(a.bind()).Computed(a.c); err != nil {
			return err
		}
		a.needEmpty(x, "a generated column")
	}
	if err := a.missing(x, at); err != nil {
		return err
	}
	if err := a.verifyDomain(at); err != nil {
		return err
	}
	a.define()
	for _, k := range later {
		if err := a.addConstraint(k); err != nil {
			return err
		}
	}
	return nil
}

// splitColumn takes the constraints and the generation expression out of a column's
// definition: they are about the whole row.
func splitColumn(a *alteration, x *ast.AlterAction) (plain ast.ColumnDef, later []ast.Constraint, computed ast.Expr, err error) {
	plain, computed = *x.Def, x.Def.Computed
	plain.Constraints, plain.Computed = nil, nil
	name := ast.Ident{At: x.Def.At, Name: x.Def.Name}
	for _, k := range x.Def.Constraints {
		switch k.Kind {
		case ast.Check, ast.Unique, ast.ForeignKey:
			if !k.NotEnforced {
				k.Columns = []ast.Ident{name}
				later = append(later, k)
			}
		case ast.Generated:
			computed = k.X
		case ast.PrimaryKey:
			return plain, nil, nil, pgerror.Unsupported("adding a primary key with a column is not supported").At(a.p.Position(k.Pos()))
		default:
			plain.Constraints = append(plain.Constraints, k)
		}
	}
	return plain, later, computed, nil
}

func (a *alteration) needEmpty(x *ast.AlterAction, what string) {
	a.empty = pgerror.Unsupported("adding %s to a table that has rows is not supported", what).
		WithHint("Add the column without it, UPDATE the rows, then ALTER COLUMN … SET DEFAULT.").At(a.p.Position(x.Pos()))
}

// missing is what rows have that are older than the column at.
func (a *alteration) missing(x *ast.AlterAction, at int) error {
	c := &a.c.Columns[at]
	if binder.DefaultOf(a.snap, *c) == "" || c.Sequence != 0 {
		if c.NotNull && a.empty == nil {
			a.empty = pgerror.New(pgerror.NotNullViolation, "column %q of relation %q contains null values", c.Name, a.c.Name).
				OnColumn(a.c.Schema, a.c.Name, c.Name)
		}
		return nil
	}
	e, err := binder.New(a.bind()).Default(*c)
	if err != nil {
		return err
	}
	if expr.VolatilityOf(e) == expr.Volatile {
		a.needEmpty(x, "a column with a volatile default")
		return nil
	}
	d, err := expr.EvalConst(e, a.s.env())
	if err != nil {
		return err
	}
	if d.Null {
		if c.NotNull {
			a.empty = pgerror.New(pgerror.NotNullViolation, "column %q of relation %q contains null values", c.Name, a.c.Name)
		}
		return nil
	}
	text := string(types.AppendStored(nil, c.Type, d))
	c.Missing = &text
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
	if slices.Contains(a.c.Key, i) || i == a.c.EventTime {
		return pgerror.Unsupported("dropping a column of the primary key or the watermark column is not supported").At(a.p.Position(x.Pos()))
	}
	cascade := x.Behavior == ast.Cascade
	old := a.c.Columns[i]
	if err := a.dropWith(i, cascade); err != nil {
		return err
	}
	a.c.Columns[i] = catalog.Column{Name: binder.DroppedName(i), Type: old.Type, Hidden: true, Dropped: true}
	if _, err := binder.New(a.bind()).Computed(a.c); err != nil {
		return a.columnInUse(old.Name, "a generated column of table "+a.c.Name)
	}
	a.define()
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
			return a.columnInUse(old.Name, kindOf(d)+" "+d.Name)
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
	if err := a.s.mayRefer(a.snap, c); err != nil {
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

// addKey is ADD PRIMARY KEY: rows are stored under their key, so they are written
// anew.
func (a *alteration) addKey(k ast.Constraint) error {
	at := a.p.Position(k.Pos())
	switch {
	case k.Deferrable == ast.Yes || k.Deferred:
		return pgerror.Unsupported("deferrable primary keys are not supported").At(at)
	case a.c.PrimaryKey:
		return pgerror.New(pgerror.InvalidTableDefinition, "multiple primary keys for table %q are not allowed", a.c.Name).At(at)
	case a.c.Kind != catalog.Table:
		return pgerror.New(pgerror.InvalidTableDefinition, "a stream has no primary key").At(at)
	}
	for _, d := range a.snap.Dependents(a.r.ID) { // they go on, unless they know rows by their numbers
		if uses, err := a.reads(d, a.c.Key[0]); err != nil {
			return err
		} else if uses && d.Persistent() || d.SinkOf == a.r.ID {
			return a.noReaders("adding a primary key to a table", at)
		}
	}
	var cols []int
	for _, id := range k.Columns {
		i := a.c.ColumnIndex(id.Name)
		if i < 0 || a.c.Columns[i].Hidden {
			return pgerror.New(pgerror.UndefinedColumn, "column %q of relation %q does not exist", id.Name, a.c.Name).At(a.p.Position(id.Pos()))
		}
		cols = append(cols, i)
		a.c.Columns[i].NotNull = true
		a.verifyNotNull(i)
	}
	row := a.c.Key[0]
	a.c.Columns[row] = catalog.Column{Name: binder.DroppedName(row), Type: types.Int8, Hidden: true, Dropped: true}
	a.c.Key, a.c.PrimaryKey, a.c.KeyName = cols, true, k.Name
	if name := a.c.KeyConstraint(); a.snap.Named(a.c.Schema, name) {
		return pgerror.New(pgerror.DuplicateTable, "relation %q already exists", name)
	}
	a.rewriteAs(func(b *column.Batch) (*column.Batch, error) { return b, nil })
	a.define()
	return nil
}

// noReaders refuses to write rows anew where a job goes on from those it has read.
func (a *alteration) noReaders(what string, at int) error {
	for _, d := range a.snap.Dependents(a.r.ID) {
		if d.Persistent() {
			return pgerror.Unsupported("%s that %s %q reads is not supported", what, kindOf(d), d.Name).
				WithHint("Drop it first, and create it again afterwards.").At(at)
		}
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

// dropKey drops the primary key: rows are stored under numbers of their own
// instead.
func (a *alteration) dropKey(x *ast.AlterAction) error {
	if err := a.noReaders("dropping the primary key of a table", a.p.Position(x.Pos())); err != nil {
		return err
	}
	what := "constraint " + a.c.KeyConstraint() + " on table " + a.c.Name
	if err := a.s.dropReferences(a.snap, a.c, 0, what, x.Behavior == ast.Cascade, a.more); err != nil {
		return err
	}
	name := "_rowid"
	for a.c.ColumnIndex(name) >= 0 {
		name += "_"
	}
	a.c.Columns = append(a.c.Columns, catalog.Column{Name: name, Type: types.Int8, NotNull: true, Hidden: true, System: "rowid"})
	a.c.Key, a.c.PrimaryKey, a.c.KeyName = []int{len(a.c.Columns) - 1}, false, ""
	a.rewriteAs(func(b *column.Batch) (*column.Batch, error) { return b, nil }) // the store numbers the rows
	a.define()
	return nil
}

func (a *alteration) dropConstraint(x *ast.AlterAction) error {
	name := x.Column.Name
	if a.c.PrimaryKey && name == a.c.KeyConstraint() {
		return a.dropKey(x)
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
