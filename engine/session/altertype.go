package session

import (
	"slices"

	"velostream/catalog"
	"velostream/catalog/types"
	"velostream/engine/job"
	"velostream/engine/sql/ast"
	"velostream/engine/sql/binder"
	"velostream/engine/sql/expr"
	"velostream/pgwire/pgerror"
	"velostream/storage/column"
)

// retyped are the columns whose type an ALTER TABLE changes.
type retyped struct {
	before *catalog.Relation // the relation as the expressions of USING see it
	list   []*binder.Retyping
}

// inPasses are the actions of one ALTER TABLE in PostgreSQL's order: what goes first, then
// types change, then comes what is new. So a column can lose its default, get another
// type and a new default in one statement, however it is written.
func inPasses(list []ast.AlterAction) []*ast.AlterAction {
	out := make([]*ast.AlterAction, len(list))
	for i := range list {
		out[i] = &list[i]
	}
	slices.SortStableFunc(out, func(a, b *ast.AlterAction) int { return pass(a) - pass(b) })
	return out
}

func pass(x *ast.AlterAction) int {
	switch x.Kind {
	case ast.AlterDropColumn, ast.AlterDropConstraint, ast.AlterDropDefault, ast.AlterDropNotNull, ast.AlterDropIdentity, ast.AlterDropExpression:
		return 0
	case ast.AlterColumnType:
		return 1
	case ast.AlterAddColumn:
		return 2
	case ast.AlterSetNotNull:
		return 4
	case ast.AlterAddConstraint, ast.AlterSetDefault, ast.AlterAddIdentity:
		return 5
	case ast.AlterValidate, ast.AlterSetIdentity:
		return 6
	default:
	}
	return 3
}

// retype is ALTER COLUMN … TYPE.
func (a *alteration) retype(x *ast.AlterAction) error {
	i, err := a.column(x.Column)
	if err != nil {
		return err
	}
	if a.c.Kind != catalog.Table {
		return pgerror.Unsupported("changing the type of a %s's column is not supported", kindOf(a.c)).
			WithHint("Drop the %s and create it anew.", kindOf(a.c)).At(a.p.Position(x.Pos()))
	}
	t := &a.retyped
	if t.before == nil {
		t.before = a.c.Clone()
	}
	c := &a.c.Columns[i]
	if c.Type != t.before.Columns[i].Type {
		return pgerror.New(pgerror.FeatureNotSupported, "cannot alter type of column %q twice", c.Name)
	}
	r, err := binder.BindRetype(a.bind(), t.before, i, x)
	if err != nil {
		return err
	}
	if err := a.mayRetype(x, i); err != nil {
		return err
	}
	t.list = append(t.list, r)
	if err := a.retypeDefault(i, r.Type); err != nil {
		return err
	}
	c.Type, c.Domain = r.Type, 0
	return nil
}

// mayRetype refuses to change the type of a column that views or generated columns use.
func (a *alteration) mayRetype(x *ast.AlterAction, i int) error {
	name := a.c.Columns[i].Name
	computed, err := binder.New(a.bind()).Computed(a.retyped.before)
	if err != nil {
		return err
	}
	for j, e := range computed {
		if e != nil && j != i && expr.Columns(e)[i] {
			return pgerror.New(pgerror.FeatureNotSupported, "cannot alter type of a column used by a generated column").
				WithDetail("Column %q is used by generated column %q.", name, a.c.Columns[j].Name)
		}
	}
	for _, d := range a.snap.Dependents(a.r.ID) {
		uses, err := a.reads(d, i)
		switch {
		case err != nil:
			return err
		case d.SinkOf == a.r.ID:
			return a.noSinks(x)
		case !uses:
			continue
		}
		by := kindOf(d) + " " + d.Name
		if d.Kind == catalog.View || d.Kind == catalog.MaterializedView {
			by = "rule _RETURN on " + by
		}
		return pgerror.New(pgerror.FeatureNotSupported, "cannot alter type of a column used by a view or rule").
			WithDetail("%s depends on column %q", by, name)
	}
	return nil
}

// reads reports that d, which depends on the relation, reads its column i.
func (a *alteration) reads(d *catalog.Relation, i int) (bool, error) {
	if d.PartOf == a.r.ID {
		return false, nil
	}
	var read []int
	if d.Query != "" {
		o := a.bind()
		o.Snapshot = a.snap
		columns, err := binder.ReadColumns(o, d, a.r.ID)
		if err != nil {
			return false, err
		}
		read = columns
	}
	if len(d.Plan) > 0 {
		columns, err := job.Scanned(d.Plan, a.r.ID)
		if err != nil {
			return false, err
		}
		read = append(read, columns...)
	}
	return slices.Contains(read, i), nil
}

// retypeDefault brings the default, the sequence of an identity or the generation
// expression of column i to its new type.
func (a *alteration) retypeDefault(i int, t types.Type) error {
	c := &a.c.Columns[i]
	switch {
	case c.Computed != "":
		next := a.c.Clone()
		next.Columns[i].Type = t
		return binder.RetypedExpression(a.bind(), next, i)
	case c.Identity != "":
		typ := sequenceType(t)
		if typ == "" {
			return pgerror.New(pgerror.InvalidParameterValue, "identity column type must be smallint, integer, or bigint")
		}
		seq := a.snap.ByID(c.Sequence)
		if seq == nil || seq.Numbers.Type == typ {
			return nil
		}
		seq = seq.Clone()
		moveLimits(seq.Numbers, typ)
		a.more[seq.ID] = seq
		return checkNumbers(seq.Numbers)
	case c.Default == "":
		return nil
	}
	var err error
	c.Default, err = binder.RetypeDefault(a.bind(), *c, t)
	return err
}

// retypedAll follows the changes of types: in constraints and indexes, and in rows.
func (a *alteration) retypedAll() error {
	t := &a.retyped
	if len(t.list) == 0 {
		return nil
	}
	touched := func(columns []int) bool {
		return slices.ContainsFunc(t.list, func(r *binder.Retyping) bool { return slices.Contains(columns, r.Column) })
	}
	for i := range a.c.Constraints {
		k := &a.c.Constraints[i]
		if k.Kind != catalog.Check || !touched(k.Columns) {
			continue
		}
		if err := binder.RebindCheck(a.bind(), a.c, k); err != nil {
			return err
		}
		if err := a.verifyCheck(*k); err != nil {
			return err
		}
	}
	for i := range a.c.Indexes {
		x := &a.c.Indexes[i]
		if !x.Plain() && slices.ContainsFunc(t.list, func(r *binder.Retyping) bool { return x.Uses(r.Column) }) {
			if err := binder.RebindIndex(a.bind(), a.c, x); err != nil {
				return err
			}
		}
	}
	children := a.snap.References(a.r.ID)
	if !slices.ContainsFunc(children, func(r *catalog.Relation) bool { return r.ID == a.r.ID }) {
		children = append(slices.Clone(children), a.r)
	}
	for _, child := range children {
		if err := a.retypedKeys(child, touched); err != nil {
			return err
		}
	}
	if err := a.convert(); err != nil {
		return err
	}
	a.define()
	return nil
}

// retypedKeys looks at the foreign keys of child, of which columns on one of both
// sides have another type.
func (a *alteration) retypedKeys(child *catalog.Relation, touched func([]int) bool) error {
	if child.ID == a.r.ID {
		child = a.c
	}
	for _, k := range child.Constraints {
		here, there := child == a.c && touched(k.Columns), k.Ref == a.r.ID && touched(k.RefColumns)
		if k.Kind != catalog.ForeignKey || !here && !there {
			continue
		}
		parent := a.c
		if k.Ref != a.r.ID {
			parent = a.snap.ByID(k.Ref)
		}
		if err := binder.CheckKeyTypes(&binder.Constraint{Constraint: k}, child.Columns, parent.Columns); err != nil {
			return err
		}
		a.foreign = append(a.foreign, foreignCheck{child.ID, k.ID})
	}
	return nil
}

// convert has the rows written anew where the stored values change.
func (a *alteration) convert() error {
	type step struct {
		column int
		t      types.Type
		ev     *expr.Evaluator // nil: the value stays
	}
	var values, computed []step
	compile := func(r *binder.Retyping, e expr.Expr) (step, error) {
		s := step{column: r.Column, t: r.Type}
		var err error
		if e != nil {
			s.ev, err = expr.Compile(e)
		}
		return s, err
	}
	exprs, err := binder.New(a.bind()).Computed(a.c)
	if err != nil {
		return err
	}
	anew := false
	for _, r := range a.retyped.list {
		to, e := &values, r.Value
		if exprs[r.Column] != nil {
			to, e = &computed, exprs[r.Column]
		}
		s, err := compile(r, e)
		if err != nil {
			return err
		}
		anew = anew || s.ev != nil
		*to = append(*to, s)
	}
	if !anew {
		return nil
	}
	env := a.s.env()
	run := func(steps []step, from, to *column.Batch) error {
		for _, s := range steps {
			c := from.Cols[s.column]
			if s.ev != nil {
				if c, err = s.ev.Eval(env, from, from.Sel); err != nil {
					return err
				}
			}
			own := *c
			own.Type = s.t
			to.Cols[s.column] = &own
		}
		return nil
	}
	a.rewriteAs(func(b *column.Batch) (*column.Batch, error) {
		out := &column.Batch{Cols: slices.Clone(b.Cols), N: b.N, Sel: b.Sel}
		if err := run(values, b, out); err != nil {
			return nil, err
		}
		return out, run(computed, out, out)
	})
	for i := range a.r.Columns {
		a.c.Columns[i].Missing = nil // all rows have all columns now
	}
	return nil
}
