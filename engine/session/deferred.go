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
)

// setConstraints is SET CONSTRAINTS.
func (s *Session) setConstraints(ctx context.Context, n *ast.SetConstraints) (string, error) {
	const tag = "SET CONSTRAINTS"
	if s.block() == nil {
		s.warning(pgerror.NoActiveTransaction, "SET CONSTRAINTS can only be used in transaction blocks")
		return tag, nil
	}
	var ids []uint32
	for _, name := range n.Names {
		found, err := s.deferrable(name)
		if err != nil {
			return "", err
		}
		ids = append(ids, found...)
	}
	s.tx.tx.Waiting(ctx, s.settings.lockTimeout())
	return tag, s.tx.tx.Defer(ids, n.Deferred)
}

// deferrable finds the constraints with a name: those of the first schema of search_path
// that has some.
func (s *Session) deferrable(name ast.Name) ([]uint32, error) {
	snap := s.catalog()
	schemas := s.path()
	if q, _ := s.split(name); q != "" {
		if !snap.HasSchema(q) {
			return nil, pgerror.New(pgerror.InvalidSchemaName, "schema %q does not exist", q)
		}
		schemas = []string{q}
	}
	for _, schema := range schemas {
		var ids []uint32
		for _, r := range snap.Relations() {
			if r.Schema != schema {
				continue
			}
			rigid := r.PrimaryKey && r.KeyConstraint() == name.Last()
			for _, k := range r.Constraints {
				if k.Name == name.Last() {
					ids = append(ids, k.ID)
					rigid = rigid || !k.Deferrable
				}
			}
			if rigid {
				return nil, pgerror.New(pgerror.WrongObjectType, "constraint %q is not deferrable", name.Last())
			}
		}
		if len(ids) > 0 {
			return ids, nil
		}
	}
	return nil, pgerror.New(pgerror.UndefinedObject, "constraint %q does not exist", name.Last())
}

// notPending refuses to change a relation whose rows the transaction has yet to check.
func (s *Session) notPending(what string, r *catalog.Relation) error {
	if s.tx == nil || !s.tx.tx.Pending(r.ID) {
		return nil
	}
	return pgerror.New(pgerror.ObjectInUse, "cannot %s %q because it has pending trigger events", what, r.Name).
		WithHint("SET CONSTRAINTS ALL IMMEDIATE first.")
}

// columnDefault is the default of a column as it is for a new row.
func (s *Session) columnDefault(relation uint32, column int) (types.Datum, error) {
	r := s.catalog().ByID(relation)
	if r == nil || column >= len(r.Columns) {
		return types.NullDatum, nil
	}
	o := s.bindOptions(ast.Parsed{}, nil)
	e, err := binder.New(o).Default(r.Columns[column])
	if err != nil {
		return types.NullDatum, err
	}
	return expr.EvalConst(e, s.env())
}

// checked finds the constraint that x names. It must be one of kinds, which what says.
func (a *alteration) checked(x *ast.AlterAction, what string, kinds ...catalog.ConstraintKind) (*catalog.Constraint, error) {
	name := x.Column.Name
	k := a.c.Constraint(name)
	switch {
	case k == nil && (!a.c.PrimaryKey || name != a.c.KeyConstraint()):
		return nil, pgerror.New(pgerror.UndefinedObject, "constraint %q of relation %q does not exist", name, a.c.Name)
	case k == nil || !slices.Contains(kinds, k.Kind):
		return nil, pgerror.New(pgerror.WrongObjectType, "constraint %q of relation %q is not a %s constraint", name, a.c.Name, what)
	}
	return k, nil
}

// alterConstraint is ALTER CONSTRAINT of a foreign key.
func (a *alteration) alterConstraint(x *ast.AlterAction) error {
	k, err := a.checked(x, "foreign key", catalog.ForeignKey)
	if err != nil {
		return err
	}
	k.Deferrable = x.Constraint.Deferrable == ast.Yes || x.Constraint.Deferred
	k.Deferred = x.Constraint.Deferred
	a.define()
	return nil
}

// validate is VALIDATE CONSTRAINT.
func (a *alteration) validate(x *ast.AlterAction) error {
	k, err := a.checked(x, "foreign key or check", catalog.ForeignKey, catalog.Check)
	if err != nil || !k.NotValid {
		return err
	}
	k.NotValid = false
	a.define()
	if k.Kind == catalog.Check {
		return a.verifyCheck(*k)
	}
	a.foreign = append(a.foreign, foreignCheck{a.r.ID, k.ID})
	return nil
}
