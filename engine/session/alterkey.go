package session

import (
	"slices"

	"velostream/catalog"
	"velostream/catalog/types"
	"velostream/engine/sql/ast"
	"velostream/engine/sql/binder"
	"velostream/pgwire/pgerror"
	"velostream/storage/column"
)

// addKey is ADD PRIMARY KEY: rows are stored under their key, so they are written
// anew.
func (a *alteration) addKey(k ast.Constraint) error {
	at := a.p.Position(k.Pos())
	switch {
	case k.Deferrable == ast.Yes || k.Deferred:
		return pgerror.Unsupported("deferrable primary keys are not supported").At(at)
	case len(k.Include) > 0:
		return pgerror.Unsupported("INCLUDE of primary keys is not supported").At(at)
	case a.c.PrimaryKey:
		return a.secondKey(at)
	case a.c.Kind != catalog.Table:
		return pgerror.New(pgerror.InvalidTableDefinition, "a stream has no primary key").At(at)
	}
	var cols []int
	for _, id := range k.Columns {
		i := a.c.ColumnIndex(id.Name)
		if i < 0 || a.c.Columns[i].Hidden {
			return pgerror.New(pgerror.UndefinedColumn, "column %q of relation %q does not exist", id.Name, a.c.Name).At(a.p.Position(id.Pos()))
		}
		if slices.Contains(cols, i) {
			return pgerror.New(pgerror.DuplicateColumn, "column %q appears twice in primary key constraint", id.Name).At(at)
		}
		cols = append(cols, i)
	}
	if name := k.Name; name != "" && a.snap.Named(a.c.Schema, name) {
		return pgerror.New(pgerror.DuplicateTable, "relation %q already exists", name)
	}
	return a.setKey(cols, k.Name, at)
}

func (a *alteration) secondKey(at int) error {
	return pgerror.New(pgerror.InvalidTableDefinition, "multiple primary keys for table %q are not allowed", a.c.Name).At(at)
}

// setKey makes cols the primary key of a table that has none.
func (a *alteration) setKey(cols []int, name string, at int) error {
	for _, d := range a.snap.Dependents(a.r.ID) { // they go on, unless they know rows by their numbers
		if uses, err := a.reads(d, a.c.Key[0]); err != nil {
			return err
		} else if uses && d.Persistent() || d.SinkOf == a.r.ID {
			return a.noReaders("adding a primary key to a table", at)
		}
	}
	for _, i := range cols {
		a.c.Columns[i].NotNull = true
		a.verifyNotNull(i)
	}
	if name == "" {
		name = a.nm.relation(a.c, "", "pkey")
	}
	row := a.c.Key[0]
	a.c.Columns[row] = catalog.Column{Name: binder.DroppedName(row), Type: types.Int8, Hidden: true, Dropped: true}
	a.c.Key, a.c.PrimaryKey, a.c.KeyName = cols, true, name
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

// dropKey drops the primary key, which what needs: rows are stored under numbers of their
// own instead.
func (a *alteration) dropKey(x *ast.AlterAction, what string) error {
	if err := a.noReaders("dropping the primary key of a table", a.p.Position(x.Pos())); err != nil {
		return err
	}
	cascade := x.Behavior == ast.Cascade
	if err := a.s.dropReferences(a.snap, a.c, 0, what, cascade, a.more); err != nil {
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
	return a.recheck(cascade, func(by string) error {
		return pgerror.New(pgerror.DependentObjectsStillExist, "cannot drop %s because other objects depend on it", what).
			WithDetail("%s depends on %s", by, what).
			WithHint("Use DROP ... CASCADE to drop the dependent objects too.")
	})
}

// usingIndex is ADD CONSTRAINT … UNIQUE or PRIMARY KEY USING INDEX: an index that is there
// becomes that of the constraint.
func (a *alteration) usingIndex(k ast.Constraint) error {
	at := a.p.Position(k.Pos())
	x, err := a.keyIndex(k, at)
	if err != nil {
		return err
	}
	name, id := k.Name, x.ID
	switch {
	case name == "":
		name = x.Name
	case name != x.Name:
		if a.snap.Named(a.c.Schema, name) {
			return pgerror.New(pgerror.DuplicateTable, "relation %q already exists", name)
		}
		a.s.notice("ALTER TABLE / ADD CONSTRAINT USING INDEX will rename index %q to %q", x.Name, name)
	}
	if hasConstraint(a.c, name) {
		return pgerror.New(pgerror.DuplicateObject, "constraint %q for relation %q already exists", name, a.c.Name)
	}
	if k.Kind == ast.Unique {
		x.Name = name
		a.c.Constraints = append(a.c.Constraints, catalog.Constraint{ID: a.nm.id(), Name: name, Kind: catalog.Unique, Columns: x.Columns, Index: id})
		a.define()
		return nil
	}
	if a.c.PrimaryKey {
		return a.secondKey(at)
	}
	cols := slices.Clone(x.Columns)
	a.referToKey(id)
	withoutIndexes(a.c, []uint32{id}) // the rows themselves are in the key's order
	return a.setKey(cols, name, at)
}

// keyIndex finds the index that is to become that of a key.
func (a *alteration) keyIndex(k ast.Constraint, at int) (*catalog.Index, error) {
	if k.Deferrable == ast.Yes || k.Deferred {
		return nil, pgerror.Unsupported("deferrable constraints of an index that is there are not supported").At(at)
	}
	owner, found := a.snap.IndexNamed(a.c.Schema, k.UsingIndex)
	unfit := func(code, format string) error {
		return pgerror.New(code, format, k.UsingIndex).
			WithDetail("Cannot create a primary key or unique constraint using such an index.").At(at)
	}
	var x *catalog.Index
	if owner != nil && owner.ID == a.c.ID {
		x = a.c.Index(found.ID)
	}
	key, _ := a.s.index(a.snap, ast.Name{Parts: []string{a.c.Schema, k.UsingIndex}})
	switch {
	case owner == nil && key == nil:
		return nil, pgerror.New(pgerror.UndefinedObject, "index %q does not exist", k.UsingIndex).At(at)
	case owner == nil && key.ID == a.c.ID:
		return nil, pgerror.New(pgerror.ObjectNotInPrerequisiteState, "index %q is already associated with a constraint", k.UsingIndex).At(at)
	case x == nil:
		return nil, pgerror.New(pgerror.ObjectNotInPrerequisiteState, "index %q does not belong to table %q", k.UsingIndex, a.c.Name).At(at)
	case slices.ContainsFunc(a.c.Constraints, func(o catalog.Constraint) bool { return o.Kind == catalog.Unique && o.Index == x.ID }):
		return nil, pgerror.New(pgerror.ObjectNotInPrerequisiteState, "index %q is already associated with a constraint", k.UsingIndex).At(at)
	case !x.Unique:
		return nil, unfit(pgerror.WrongObjectType, "%q is not a unique index")
	case len(x.Exprs) > 0:
		return nil, unfit(pgerror.WrongObjectType, "index %q contains expressions")
	case x.Where != nil:
		return nil, unfit(pgerror.WrongObjectType, "%q is a partial index")
	case x.NullsEqual && k.Kind == ast.PrimaryKey:
		return nil, pgerror.New(pgerror.InvalidTableDefinition, "primary keys cannot use NULLS NOT DISTINCT indexes")
	case k.Kind == ast.PrimaryKey && len(x.Include) > 0:
		return nil, pgerror.Unsupported("INCLUDE of primary keys is not supported").At(at)
	}
	for i, o := range x.Order {
		if o.Desc || o.NullsFirst {
			return nil, pgerror.New(pgerror.WrongObjectType, "index %q column number %d does not have default sorting behavior", x.Name, i+1).
				WithDetail("Cannot create a primary key or unique constraint using such an index.").At(at)
		}
	}
	return x, nil
}

// referToKey has the foreign keys that refer to the unique index refer to the primary key.
func (a *alteration) referToKey(index uint32) {
	for _, child := range slices.Concat(a.snap.References(a.c.ID), []*catalog.Relation{a.c}) {
		of := a.more[child.ID]
		switch {
		case child.ID == a.c.ID:
			of = a.c
		case of == nil:
			of = child.Clone()
		}
		for i := range of.Constraints {
			if k := &of.Constraints[i]; k.Kind == catalog.ForeignKey && k.Ref == a.c.ID && k.RefIndex == index {
				k.RefIndex = 0
				if of != a.c {
					a.more[of.ID] = of
				}
			}
		}
	}
}
