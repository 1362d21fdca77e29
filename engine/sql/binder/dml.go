package binder

import (
	"velostream/catalog"
	"velostream/catalog/types"
	"velostream/engine/sql/ast"
	"velostream/engine/sql/expr"
	"velostream/engine/sql/parser"
	"velostream/engine/sql/plan"
	"velostream/pgwire/pgerror"
)

// Change is what INSERT, UPDATE and DELETE have in common. Of a Part only the first three
// fields and Repeats are set: the others are those of the whole statement.
type Change struct {
	Target *catalog.Relation
	// Plan yields the affected rows, see Insert, Update, Delete.
	Plan      plan.Logical
	Returning *Returning // nil: none
	Params    []types.OID
	Inputs    []uint32 // relations read besides the target
	Repeats   bool     // FROM or USING: the plan may yield a row of the target several times
	Functions []uint32 // SQL functions that are used
	Access    []catalog.Access
	Warnings  []*pgerror.Error
	// With are the parts of the statement's WITH that run by themselves, see Part.
	With []Part
}

// Returning is a RETURNING list over a full row of the target, the new row of
// INSERT and UPDATE, the old one of DELETE, and after it what the plan yields of
// FROM and USING.
type Returning struct {
	Exprs []expr.Expr
	Out   plan.Schema
	// Query gives the list instead of Exprs, which is nil, where it holds subqueries. Its rows
	// are In.
	Query *RowQuery
	In    plan.Schema
}

// RowQuery computes values with subqueries in them over given rows. Its Plan reads these
// through the plan.WorkTable with its ID, which has their number as its last column, and
// yields the values and that number.
type RowQuery struct {
	ID   int
	Plan plan.Logical
}

// rowBlock is a block over given rows of the columns s, for a RowQuery.
func (b *Binder) rowBlock(sc *Scope, s plan.Schema) (*block, int) {
	id := b.nextID()
	out := append(append(plan.Schema(nil), s...), numberColumn())
	return &block{b: b, sel: &ast.Select{}, scope: sc, windowEnd: -1, input: &plan.WorkTable{ID: id, Name: "rows", Out: out}}, id
}

// rowQuery is the query of the block that yields exprs, n columns being those of its rows.
func (k *block) rowQuery(id int, exprs []expr.Expr, out plan.Schema, n int) *RowQuery {
	number := numberColumn()
	p := &plan.Project{
		Input: k.input, Exprs: append(append([]expr.Expr(nil), exprs...), &expr.Col{Index: n, T: number.Type, Name: number.Name}),
		Out: append(append(plan.Schema(nil), out...), number),
	}
	last := &expr.Col{Index: len(exprs), T: number.Type, Name: number.Name}
	return &RowQuery{ID: id, Plan: &plan.Sort{Input: p, Keys: []plan.SortKey{{Expr: last}}}}
}

// target finds the relation that a statement changes, which must take rows by
// DML.
func (b *Binder) target(t *ast.TableName, verb string) (*catalog.Relation, error) {
	rel, err := b.Relation(t.Name)
	if err != nil {
		return nil, err
	}
	at := b.pos(t.Name.Pos())
	switch {
	case rel.ID < catalog.FirstID:
		return nil, pgerror.New(pgerror.InsufficientPrivilege, "permission denied: %q is a system catalog", rel.Name).At(at)
	case rel.Kind == catalog.View:
		return nil, pgerror.New("55000", "cannot %s view %q", verb, rel.Name).
			WithDetail("Views are not updatable.").At(at)
	case rel.Kind == catalog.Sequence:
		return nil, pgerror.New(pgerror.WrongObjectType, "cannot change sequence %q", rel.Name).At(at)
	case rel.Kind == catalog.MaterializedView:
		return nil, pgerror.New(pgerror.WrongObjectType, "cannot change materialized view %q", rel.Name).At(at)
	case !rel.Native():
		return nil, pgerror.New(pgerror.WrongObjectType, "cannot %s %q: its rows do not come by SQL", verb, rel.Name).
			WithHint("Only tables and streams without a connector or query take rows by SQL.").At(at)
	}
	b.uses(rel)
	return rel, nil
}

// targetScope makes the names of rel, known as t says.
func targetScope(rel *catalog.Relation, t *ast.TableName, s plan.Schema) *Scope {
	name := tableName{alias: rel.Name, schema: rel.Schema, real: rel.Name, event: -1}
	if t.Alias != nil {
		name.alias, name.schema = t.Alias.Name, ""
	}
	return schemaScope(s, name)
}

// targetColumn finds a column by name for INSERT or SET. Whether it takes values is the
// caller's to check.
func (b *Binder) targetColumn(rel *catalog.Relation, c ast.InsertTarget) (int, error) {
	i := rel.ColumnIndex(c.Name)
	if i < 0 || rel.Columns[i].Hidden {
		e := pgerror.New(pgerror.UndefinedColumn, "column %q of relation %q does not exist", c.Name, rel.Name)
		var names []string
		for _, k := range rel.Columns {
			if !k.Hidden {
				names = append(names, k.Name)
			}
		}
		if near := Nearest(c.Name, names); near != "" {
			e = e.WithHint("Perhaps you meant the column %q.", near)
		}
		return 0, e.At(b.pos(c.Pos()))
	}
	return i, nil
}

// Default binds the DEFAULT of column c, NULL where it has none. Errors in it
// have no position.
func (b *Binder) Default(c catalog.Column) (expr.Expr, error) {
	if c.Sequence != 0 {
		id := &expr.Const{Value: types.IntDatum(int64(c.Sequence)), T: types.Regclass}
		next := &expr.Call{Name: "nextval", Sig: []types.OID{types.OIDRegclass}, Args: []expr.Expr{id}, T: types.Int8}
		return b.castTo(next, c.Type, false, -1)
	}
	text := DefaultOf(b.Snapshot, c)
	if text == "" {
		return &expr.Const{Value: types.NullDatum, T: c.Type}, nil
	}
	x, err := parser.ParseExpr(text)
	if err != nil {
		return nil, err
	}
	o := b.Options
	o.SQL, o.Params = "", nil
	inner := New(o)
	e, err := inner.expr(x, &context{clause: "DEFAULT expressions"})
	if err != nil {
		return nil, err
	}
	return inner.assign(e, c.Type, c.Name, x)
}

// Computed binds the expressions of rel's computed columns over its full row;
// nil for the others.
func (b *Binder) Computed(rel *catalog.Relation) ([]expr.Expr, error) {
	out := make([]expr.Expr, len(rel.Columns))
	for i, c := range rel.Columns {
		if c.Computed == "" {
			continue
		}
		x, err := parser.ParseExpr(c.Computed)
		if err != nil {
			return nil, err
		}
		o := b.Options
		o.SQL, o.Params = "", nil
		inner := New(o)
		sc := schemaScope(relationSchema(rel), tableName{alias: rel.Name, event: -1})
		e, err := inner.expr(x, &context{scope: sc, clause: "column generation expressions"})
		if err != nil {
			return nil, err
		}
		if e, err = inner.assign(e, c.Type, c.Name, x); err != nil {
			return nil, err
		}
		if out[i], err = toCols(inner, e); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// Condition binds a condition over the full row of rel; clause is where it
// stands.
func (b *Binder) Condition(rel *catalog.Relation, x ast.Expr, clause string) (expr.Expr, error) {
	sc := schemaScope(relationSchema(rel), tableName{alias: rel.Name, event: -1})
	e, err := b.boolean(x, &context{scope: sc, clause: clause}, "WHERE")
	if err != nil {
		return nil, err
	}
	return toCols(b, e)
}

func relationSchema(rel *catalog.Relation) plan.Schema {
	out := make(plan.Schema, len(rel.Columns))
	for i, c := range rel.Columns {
		out[i] = plan.Column{Name: c.Name, Type: c.Type, Hidden: c.Hidden, Table: rel.ID, Attr: int16(i + 1)}
	}
	return out
}

// returning binds a RETURNING list over rows of the columns s, named as in sc.
func (b *Binder) returning(items []ast.SelectItem, sc *Scope, s plan.Schema) (*Returning, error) {
	if len(items) == 0 {
		return nil, nil
	}
	k, id := b.rowBlock(sc, s)
	k.sel.Items = items
	if err := k.bindItems(); err != nil {
		return nil, err
	}
	if len(k.aggs) > 0 {
		return nil, pgerror.New(pgerror.GroupingError, "aggregate functions are not allowed in RETURNING").At(b.pos(items[0].Pos()))
	}
	r := &Returning{}
	queries := false
	for _, it := range k.items {
		queries = queries || holdsSubquery(it.e)
		x, err := k.input0(it.e)
		if err != nil {
			return nil, err
		}
		if x.Type().OID == types.OIDUnknown {
			if x, err = b.castTo(x, types.Text, false, 0); err != nil {
				return nil, err
			}
		}
		r.Exprs = append(r.Exprs, x)
		r.Out = append(r.Out, k.outColumn(it, x))
	}
	if queries {
		r.Query, r.Exprs, r.In = k.rowQuery(id, r.Exprs, r.Out, len(s)), nil, s
	}
	return r, nil
}
