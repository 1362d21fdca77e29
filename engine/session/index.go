package session

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"velostream/catalog"
	"velostream/engine/pgcatalog"
	"velostream/engine/sql/ast"
	"velostream/engine/sql/binder"
	"velostream/pgwire/pgerror"
)

// createIndex is CREATE INDEX. Nobody else writes to the table until the index is
// filled and its transaction has ended.
func (s *Session) createIndex(ctx context.Context, p ast.Parsed, n *ast.CreateIndex) error {
	if err := refuseIndex(p, n); err != nil {
		return err
	}
	_, err := s.define(ctx, func(snap *catalog.Snapshot) (*redefinition, error) {
		r, err := s.owned(snap, p, n.Table)
		if err == nil {
			err = s.mayCreate(snap, r.Schema)
		}
		if err != nil {
			return nil, err
		}
		if r.Kind != catalog.Table || !r.Native() {
			return nil, pgerror.New(pgerror.WrongObjectType, "cannot create index on relation %q", r.Name).
				WithDetail("This operation is supported for tables whose rows come by SQL.").At(p.Position(n.Table.Pos()))
		}
		if n.Name != "" && snap.Named(r.Schema, n.Name) {
			if n.IfNotExists {
				s.noticeOf(pgerror.DuplicateTable, "relation %q already exists, skipping", n.Name)
				return nil, nil
			}
			return nil, pgerror.New(pgerror.DuplicateTable, "relation %q already exists", n.Name)
		}
		c, x, err := s.indexOn(snap, p, r, n)
		if err != nil {
			return nil, err
		}
		return &redefinition{changes: []catalog.Change{{Put: c}}, builds: r.ID, build: []uint32{x.ID}}, nil
	})
	return err
}

// withoutIndexes takes indexes out of r, and the constraints they are for.
func withoutIndexes(r *catalog.Relation, ids []uint32) {
	r.Indexes = slices.DeleteFunc(r.Indexes, func(x catalog.Index) bool { return slices.Contains(ids, x.ID) })
	r.Constraints = slices.DeleteFunc(r.Constraints, func(c catalog.Constraint) bool {
		return c.Kind == catalog.Unique && slices.Contains(ids, c.Index)
	})
}

func refuseIndex(p ast.Parsed, n *ast.CreateIndex) error {
	what, at := "", n.Pos()
	switch {
	case n.Method != "" && n.Method != "btree":
		what = "indexes of method " + n.Method + " are"
	case n.Tablespace != "":
		what = "tablespaces are"
	}
	for _, it := range n.Items {
		switch {
		case it.OpClassOpts != nil:
			what, at = "options of operator classes are", it.Pos()
		case len(it.Collation.Parts) > 0 && it.Collation.Last() != "C" && it.Collation.Last() != "default":
			what, at = "collations of indexes are", it.Pos()
		}
	}
	if what == "" {
		return storageParameters(p, n.Options, indexParameters)
	}
	return pgerror.Unsupported("%s not supported", what).At(p.Position(at))
}

// indexOn is r with the index that n describes.
func (s *Session) indexOn(snap *catalog.Snapshot, p ast.Parsed, r *catalog.Relation, n *ast.CreateIndex) (*catalog.Relation, *catalog.Index, error) {
	nm := newNamer(snap)
	x := &catalog.Index{
		ID: nm.id(), Name: n.Name, Unique: n.Unique, NullsEqual: n.NullsNotDistinct, Definition: p.Text,
	}
	o := s.bindOptions(p, nil)
	o.Snapshot = snap
	for _, it := range n.Items {
		if err := indexItem(o, p, r, it, x); err != nil {
			return nil, nil, err
		}
	}
	for _, it := range n.Include {
		ref, ok := it.X.(*ast.ColumnRef)
		if !ok || len(ref.Parts) != 1 {
			return nil, nil, pgerror.Unsupported("expressions are not supported in included columns").At(p.Position(it.Pos()))
		}
		i, err := indexColumn(p, r, ref.Parts[0], it)
		if err != nil {
			return nil, nil, err
		}
		x.Include = append(x.Include, i)
	}
	var err error
	if n.Where != nil {
		if x.Where, err = binder.IndexPredicate(o, r, n.Where); err != nil {
			return nil, nil, err
		}
	}
	if x.Order, err = indexOrder(p, r, x, n.Items); err != nil {
		return nil, nil, err
	}
	if x.Name == "" {
		x.Name = nm.relation(r, strings.Join(keyNames(r, x), "_"), "idx")
	}
	c := r.Clone()
	c.Indexes = append(c.Indexes, *x)
	return c, x, nil
}

// indexItem adds a key column or expression to x.
func indexItem(o binder.Options, p ast.Parsed, r *catalog.Relation, it ast.IndexItem, x *catalog.Index) error {
	if ref, ok := it.X.(*ast.ColumnRef); ok && len(ref.Parts) == 1 {
		i, err := indexColumn(p, r, ref.Parts[0], it)
		x.Columns = append(x.Columns, i)
		return err
	}
	e, err := binder.IndexExpr(o, r, it.X)
	if err != nil {
		return err
	}
	name, taken := e.Name, keyNames(r, x)
	for n := 1; slices.Contains(taken, e.Name); n++ {
		e.Name = name + strconv.Itoa(n)
	}
	x.Columns = append(x.Columns, catalog.ExprColumn(len(x.Exprs)))
	x.Exprs = append(x.Exprs, *e)
	return nil
}

func indexColumn(p ast.Parsed, r *catalog.Relation, name string, it ast.IndexItem) (int, error) {
	i := r.ColumnIndex(name)
	if i < 0 || r.Columns[i].Hidden {
		return 0, pgerror.New(pgerror.UndefinedColumn, "column %q does not exist", name).At(p.Position(it.Pos()))
	}
	return i, nil
}

// keyNames are the names of the columns of x, an index of r.
func keyNames(r *catalog.Relation, x *catalog.Index) []string {
	var names []string
	for _, c := range append(slices.Clone(x.Columns), x.Include...) {
		if e := x.Expr(c); e != nil {
			names = append(names, e.Name)
		} else {
			names = append(names, r.Columns[c].Name)
		}
	}
	return names
}

// indexOrder is what items say of the columns of x, an index of r, nil: nothing.
func indexOrder(p ast.Parsed, r *catalog.Relation, x *catalog.Index, items []ast.IndexItem) ([]catalog.IndexOrder, error) {
	order, said := make([]catalog.IndexOrder, len(items)), false
	for i, it := range items {
		o := &order[i]
		o.Desc = it.Desc
		o.NullsFirst = it.Nulls == ast.NullsFirst || it.Desc && it.Nulls == ast.NullsUnspecified
		if len(it.OpClass.Parts) > 0 {
			var err error
			if o.Class, err = pgcatalog.OperatorClass(it.OpClass.Schema(), it.OpClass.Last(), r.KeyType(x, x.Columns[i])); err != nil {
				return nil, pgerror.From(err).At(p.Position(it.OpClass.Pos()))
			}
		}
		said = said || *o != catalog.IndexOrder{}
	}
	if !said {
		return nil, nil
	}
	return order, nil
}

// dropIndexes is DROP INDEX.
func (s *Session) dropIndexes(ctx context.Context, p ast.Parsed, n *ast.Drop) error {
	_, err := s.apply(ctx, func(snap *catalog.Snapshot) ([]catalog.Change, error) {
		changed := map[uint32]*catalog.Relation{}
		for _, o := range n.Objects {
			r, x := s.index(snap, o.Name)
			switch {
			case r == nil && n.IfExists:
				s.notice("index %q does not exist, skipping", o.Name.Last())
				continue
			case r == nil:
				if rel, err := s.relation(snap, p, o.Name); err == nil {
					return nil, pgerror.New(pgerror.WrongObjectType, "%q is not an index", rel.Name).
						WithHint("Use DROP %s to remove a %s.", strings.ToUpper(kindOf(rel)), kindOf(rel))
				}
				return nil, pgerror.New(pgerror.UndefinedObject, "index %q does not exist", strings.Join(o.Name.Parts, "."))
			case s.mayDrop(snap, r) != nil:
				return nil, catalog.NotOwner("index", o.Name.Last())
			}
			c := changed[r.ID]
			if c == nil {
				c = r.Clone()
			}
			if err := s.dropIndex(snap, c, x, n.Behavior == ast.Cascade, changed); err != nil {
				return nil, err
			}
			changed[r.ID] = c
		}
		return puts(changed), nil
	})
	return err
}

func puts(changed map[uint32]*catalog.Relation) []catalog.Change {
	var out []catalog.Change
	for _, r := range changed {
		out = append(out, catalog.Change{Put: r})
	}
	slices.SortFunc(out, func(a, b catalog.Change) int { return int(a.Put.ID) - int(b.Put.ID) })
	return out
}

// index finds an index by name; x is nil for that of a primary key.
func (s *Session) index(snap *catalog.Snapshot, name ast.Name) (r *catalog.Relation, x *catalog.Index) {
	path := s.path()
	if sc, _ := s.split(name); sc != "" {
		path = []string{sc}
	}
	for _, sc := range path {
		if r, x := snap.IndexNamed(sc, name.Last()); r != nil {
			return r, x
		}
		for _, r := range snap.Relations() {
			if r.Schema == sc && r.PrimaryKey && r.Native() && r.KeyConstraint() == name.Last() {
				return r, nil
			}
		}
	}
	return nil, nil
}

// dropIndex takes index x (nil: the primary key's) out of c. Foreign keys that
// need it go with cascade.
func (s *Session) dropIndex(snap *catalog.Snapshot, c *catalog.Relation, x *catalog.Index, cascade bool, changed map[uint32]*catalog.Relation) error {
	if x == nil {
		return neededBy(c.KeyConstraint(), c.KeyConstraint(), c.Name)
	}
	for _, k := range c.Constraints {
		if k.Kind == catalog.Unique && k.Index == x.ID {
			return neededBy(x.Name, k.Name, c.Name)
		}
	}
	if err := s.dropReferences(snap, c, x.ID, "index "+x.Name, cascade, changed); err != nil {
		return err
	}
	withoutIndexes(c, []uint32{x.ID})
	return nil
}

func neededBy(index, constraint, rel string) error {
	return pgerror.New(pgerror.DependentObjectsStillExist, "cannot drop index %s because constraint %s on table %s requires it", index, constraint, rel).
		WithHint("You can drop constraint %s on table %s instead.", constraint, rel)
}

// dropReferences takes out of changed relations (c among them) the foreign keys
// that refer to the key index of c, 0: its primary key.
func (s *Session) dropReferences(snap *catalog.Snapshot, c *catalog.Relation, index uint32, what string, cascade bool, changed map[uint32]*catalog.Relation) error {
	for _, child := range slices.Concat(snap.References(c.ID), []*catalog.Relation{c}) {
		of := child
		if child.ID != c.ID {
			if changed[child.ID] != nil {
				of = changed[child.ID]
			} else {
				of = child.Clone()
			}
		}
		for _, k := range slices.Clone(of.Constraints) {
			if k.Kind != catalog.ForeignKey || k.Ref != c.ID || k.RefIndex != index {
				continue
			}
			if !cascade {
				return pgerror.New(pgerror.DependentObjectsStillExist, "cannot drop %s because other objects depend on it", what).
					WithDetail("constraint %s on table %s depends on %s", k.Name, of.Name, what).
					WithHint("Use DROP ... CASCADE to drop the dependent objects too.")
			}
			s.notice("drop cascades to constraint %s on table %s", k.Name, of.Name)
			of.Constraints = slices.DeleteFunc(of.Constraints, func(o catalog.Constraint) bool { return o.ID == k.ID })
			if of != c {
				changed[of.ID] = of
			}
		}
	}
	return nil
}
