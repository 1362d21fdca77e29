package binder

import (
	"velostream/catalog"
	"velostream/catalog/types"
	"velostream/engine/sql/ast"
	"velostream/engine/sql/expr"
	"velostream/engine/sql/parser"
	"velostream/pgwire/pgerror"
)

// Retyping is a column's change of type, as ALTER COLUMN … TYPE asks for it.
type Retyping struct {
	Column int
	Type   types.Type
	// Value makes the column's new value from a full row as it was; nil: each value
	// stays as it is, or, of a computed column, is computed anew.
	Value expr.Expr
}

// BindRetype binds ALTER COLUMN … TYPE of column i of rel.
func BindRetype(o Options, rel *catalog.Relation, i int, x *ast.AlterAction) (*Retyping, error) {
	b := New(o)
	b.Session = nil
	c := rel.Columns[i]
	t, err := b.Type(x.Type)
	if err != nil {
		return nil, err
	}
	if t.OID == types.OIDRecord || t.OID == types.OIDVoid || t.OID == types.OIDUnknown {
		return nil, pgerror.New(pgerror.InvalidTableDefinition, "column %q has pseudo-type %s", c.Name, TypeName(t)).At(b.pos(x.Type.Pos()))
	}
	if !x.Collation.IsZero() {
		if err := b.collation(t, x.Collation, x.Collation.Pos()); err != nil {
			return nil, err
		}
	}
	r := &Retyping{Column: i, Type: t}
	if c.Computed != "" {
		if x.X != nil {
			return nil, pgerror.New(pgerror.InvalidColumnDefinition, "cannot specify USING when altering type of generated column").
				WithDetail("Column %q is a generated column.", c.Name)
		}
		return r, nil
	}
	r.Value = &expr.Col{Index: i, T: c.Type, Name: c.Name}
	if x.X != nil {
		cx := &context{
			scope:  schemaScope(relationSchema(rel), tableName{alias: rel.Name, real: rel.Name, event: -1}),
			clause: "transform expressions",
		}
		if r.Value, err = b.expr(x.X, cx); err == nil {
			r.Value, err = toCols(b, r.Value)
		}
		if err != nil {
			return nil, err
		}
	}
	return r, b.convert(r, c, x)
}

// convert brings the value of r to the column's new type.
func (b *Binder) convert(r *Retyping, c catalog.Column, x *ast.AlterAction) error {
	from, t := r.Value.Type(), r.Type
	if col, ok := r.Value.(*expr.Col); ok && col.Index == r.Column && sameStored(c.Type, t) {
		r.Value = nil
		return nil
	}
	if from.OID != types.OIDUnknown && from.OID != t.OID && !castAllowed(from, t, castAssignment) {
		if x.X != nil {
			return pgerror.New(pgerror.DatatypeMismatch, "result of USING clause for column %q cannot be cast automatically to type %s",
				c.Name, TypeName(t)).WithHint("You might need to add an explicit cast.")
		}
		return pgerror.New(pgerror.DatatypeMismatch, "column %q cannot be cast automatically to type %s", c.Name, TypeName(t)).
			WithHint("You might need to specify \"USING %s::%s\".", ast.QuoteIdent(c.Name), t.String())
	}
	at := x.Pos()
	if x.X != nil {
		at = leftmost(x.X)
	}
	var err error
	r.Value, err = b.castTo(r.Value, t, false, at)
	return err
}

// sameStored reports that each value of from is one of to, with the same bytes in rows
// and keys, so that a column can have the other type and no row is touched.
func sameStored(from, to types.Type) bool {
	if from == to {
		return true
	}
	whole := map[types.OID]int{types.OIDInt2: 1, types.OIDInt4: 2, types.OIDInt8: 3}
	switch {
	case whole[from.OID] > 0 && whole[to.OID] > 0:
		return whole[from.OID] < whole[to.OID]
	case textual(from) && textual(to):
		return to.Mod < 0 || from.Mod >= 0 && from.Mod <= to.Mod
	case from.OID != to.OID:
		return false
	case to.Mod < 0:
		return true
	case from.Mod < 0:
		return false
	}
	switch from.OID {
	case types.OIDNumeric:
		p, s, _ := from.Numeric()
		q, r, _ := to.Numeric()
		return p <= q && s == r
	case types.OIDTimestamp, types.OIDTimestamptz, types.OIDTime:
		return from.Mod <= to.Mod
	default:
	}
	return false
}

// textual types are stored as they are, without padding.
func textual(t types.Type) bool { return t.OID == types.OIDText || t.OID == types.OIDVarchar }

// RetypeDefault is the DEFAULT of column old as text, for the same column with the type
// to. Error 42804 if it is none.
func RetypeDefault(o Options, old catalog.Column, to types.Type) (string, error) {
	bad := pgerror.New(pgerror.DatatypeMismatch, "default for column %q cannot be cast automatically to type %s", old.Name, TypeName(to))
	if old.Sequence != 0 {
		if !castAllowed(types.Int8, to, castAssignment) && to.OID != types.OIDInt8 {
			return "", bad
		}
		return old.Default, nil
	}
	x, err := parser.ParseExpr(old.Default)
	if err != nil {
		return "", err
	}
	o.SQL, o.Params = "", nil
	b := New(o)
	b.Session = nil
	e, err := b.expr(x, &context{clause: "DEFAULT expressions"})
	if err != nil {
		return "", err
	}
	from := e.Type()
	text := old.Default
	if from.OID == types.OIDUnknown { // a literal had the column's type
		from = old.Type
		if from.OID != to.OID {
			t, err := parser.ParseTypeName(from.String())
			if err != nil {
				return "", err
			}
			text = ast.String(&ast.Cast{X: x, Type: t, Style: ast.CastColon})
		}
	}
	if from.OID != to.OID && !castAllowed(from, to, castAssignment) {
		return "", bad
	}
	old.Type, old.Default = to, text
	_, err = b.Default(old)
	return text, err
}

// RetypedExpression reports what column i's generation expression is once the column
// has the type to. Error 42804 if the expression cannot be brought to it.
func RetypedExpression(o Options, rel *catalog.Relation, i int) error {
	b := New(o)
	b.Session = nil
	c := rel.Columns[i]
	if _, err := b.Computed(rel); err != nil {
		if pgerror.Code(err) != pgerror.DatatypeMismatch {
			return err
		}
		return pgerror.New(pgerror.DatatypeMismatch, "generation expression for column %q cannot be cast automatically to type %s", c.Name, TypeName(c.Type))
	}
	return nil
}

// RebindCheck is the condition of a CHECK whose text is given over rel as it is now.
func RebindCheck(o Options, rel *catalog.Relation, k *catalog.Constraint) error {
	x, err := parser.ParseExpr(k.Text)
	if err != nil {
		return err
	}
	o.SQL, o.Params = "", nil
	c, err := BindConstraint(o, rel, ast.Constraint{Kind: ast.Check, X: x, Name: k.Name})
	if err != nil {
		return err
	}
	k.Columns, k.Expr = c.Columns, c.Expr
	return nil
}

// ReadColumns are the columns of relation id, by position, that the query of rel, a
// view or persistent query, reads itself or through views.
func ReadColumns(o Options, rel *catalog.Relation, id uint32) ([]int, error) {
	q, err := parser.ParseQuery(rel.Query)
	if err != nil {
		return nil, err
	}
	o.SQL, o.Params, o.Refs = "", nil, rel.Refs
	o.Continuous, o.View = rel.Kind != catalog.View, rel.Kind == catalog.MaterializedView
	r, err := BindQuery(o, q)
	if err != nil {
		return nil, err
	}
	var out []int
	for _, a := range r.Access {
		if a.Relation == id {
			out = append(out, a.Selected...)
		}
	}
	return out, nil
}
