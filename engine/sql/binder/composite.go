package binder

import (
	"slices"
	"strconv"

	"velostream/catalog"
	"velostream/catalog/types"
	"velostream/engine/sql/ast"
	"velostream/engine/sql/expr"
	"velostream/engine/sql/plan"
	"velostream/pgwire/pgerror"
)

// rowShapes are the columns of the types record of one statement: the modifier of such a
// type is its place here. They matter while the statement is bound; values know their
// columns themselves.
type rowShapes struct{ list [][]types.RowField }

// recordType is the type of rows with the columns fields.
func (b *Binder) recordType(fields []types.RowField) types.Type {
	i := slices.IndexFunc(b.shapes.list, func(o []types.RowField) bool { return slices.Equal(o, fields) })
	if i < 0 {
		i = len(b.shapes.list)
		b.shapes.list = append(b.shapes.list, fields)
	}
	return types.Type{OID: types.OIDRecord, Mod: int32(i)}
}

// rowFields are the columns of the row type t, nil: they are not known.
func (b *Binder) rowFields(t types.Type) []types.RowField {
	switch {
	case t.IsComposite() && b.Snapshot != nil:
		return b.Snapshot.Row(t.OID)
	case t.OID == types.OIDRecord && t.Mod >= 0 && int(t.Mod) < len(b.shapes.list):
		return b.shapes.list[t.Mod]
	}
	return nil
}

// plainRecord is t without what only this statement knows of it.
func plainRecord(t types.Type) types.Type {
	if elem, ok := t.Elem(); ok && elem.OID == types.OIDRecord || t.OID == types.OIDRecord {
		t.Mod = -1
	}
	return t
}

// record is the row of args; names are those of its columns, nil: f1, f2 and so on.
func (b *Binder) record(args []expr.Expr, names []string, n ast.Node) expr.Expr {
	fields := make([]types.RowField, len(args))
	for i, a := range args {
		fields[i] = types.RowField{Name: "f" + strconv.Itoa(i+1), Type: a.Type()}
		if a.Type().OID == types.OIDUnknown {
			fields[i].Type = types.Text
		}
		if names != nil {
			fields[i].Name = names[i]
		}
	}
	return expr.Row(args, names, b.recordType(fields), b.pos(n.Pos()))
}

// rowValue binds ROW(…) as a value of type record.
func (b *Binder) rowValue(r *ast.Row, cx *context) (expr.Expr, error) {
	args, err := b.rowItems(r.Items, cx)
	if err != nil {
		return nil, err
	}
	return b.record(args, nil, r), nil
}

// rowItems binds the items of a row, t.* and (x).* as all that they stand for.
func (b *Binder) rowItems(items []ast.Expr, cx *context) ([]expr.Expr, error) {
	var out []expr.Expr
	for _, it := range items {
		switch c := it.(type) {
		case *ast.ColumnRef:
			if c.Star && cx.scope != nil {
				args, _, err := b.starValues(c, cx)
				if err != nil {
					return nil, err
				}
				out = append(out, args...)
				continue
			}
		case *ast.FieldSelect:
			if c.Star {
				args, _, err := b.fieldStar(c, cx)
				if err != nil {
					return nil, err
				}
				out = append(out, args...)
				continue
			}
		}
		x, err := b.expr(it, cx)
		if err != nil {
			return nil, err
		}
		out = append(out, x)
	}
	return out, nil
}

// starValues are the columns of t.*, with their names.
func (b *Binder) starValues(c *ast.ColumnRef, cx *context) (args []expr.Expr, names []string, err error) {
	sc, level := cx.scope, 0
	for len(c.Parts) > 0 && sc.parent != nil {
		if _, ok := sc.tableOf(c.Parts); ok {
			break
		}
		sc, level = sc.parent, level+1
	}
	cols, err := b.star(sc, c)
	if err != nil {
		return nil, nil, err
	}
	for _, col := range cols {
		args = append(args, &ref{index: col.index, level: level, t: col.t, table: col.table, name: col.name, pos: b.pos(c.Pos())})
		names = append(names, col.name)
	}
	if level > 0 && cx.block != nil {
		cx.block.outer = true
	}
	return args, names, nil
}

// wholeRowValue binds the name of an item of FROM where a value stands: its row. A
// relation's has the relation's row type.
func (b *Binder) wholeRowValue(e *ast.ColumnRef, cx *context) (expr.Expr, error) {
	args, names, err := b.starValues(&ast.ColumnRef{At: e.At, Parts: e.Parts, Star: true}, cx)
	if err != nil {
		return nil, err
	}
	t, level := cx.scope.tableNamed(e.Parts)
	var x expr.Expr
	if fields := b.rowFields(t.rowType()); t.rel >= catalog.FirstID && len(fields) >= len(args) {
		x = expr.Row(args, nil, t.rowType(), b.pos(e.Pos()))
	} else {
		x = b.record(args, names, e)
	}
	if !t.nullable {
		return x, nil
	}
	if t.present == nil {
		return nil, b.missing(e, "the row of %q, which an outer join may leave out, as a value is not supported: it has no column that is NOT NULL", t.alias).
			WithHint("Name its columns.")
	}
	p := *t.present
	p.level, p.pos = level, b.pos(e.Pos())
	null := &expr.Const{Value: types.NullDatum, T: x.Type()}
	return &expr.Case{Whens: []expr.When{{Cond: &expr.IsNull{Arg: &p, Negate: true}, Then: x}}, Else: null, T: x.Type()}, nil
}

// rowType is the row type of the relation that t is, the zero Type: it is none.
func (t *tableName) rowType() types.Type {
	if t.rel < catalog.FirstID {
		return types.Type{}
	}
	return types.Type{OID: types.BaseRow + types.OID(t.rel), Mod: -1}
}

// tableNamed is the item of FROM that a name of one or two parts means, and how many
// queries further out.
func (s *Scope) tableNamed(parts []string) (*tableName, int) {
	for level := 0; s != nil; s, level = s.parent, level+1 {
		for i := range s.tables {
			t := &s.tables[i]
			if t.alias == parts[len(parts)-1] && (len(parts) == 1 || t.schema == parts[len(parts)-2]) {
				return t, level
			}
		}
	}
	return nil, 0
}

// fieldSelect is (row).column of a row with known columns.
func (b *Binder) fieldSelect(e *ast.FieldSelect, cx *context) (expr.Expr, error) {
	if e.Star {
		return nil, pgerror.New(pgerror.SyntaxError, "row expansion via \"*\" is not supported here").At(b.pos(e.Pos()))
	}
	x, err := b.expr(e.X, cx)
	if err != nil {
		return nil, err
	}
	fields, err := b.fieldsOf(x, e)
	if err != nil {
		return nil, err
	}
	i, err := expr.FieldIndex(fields, e.Name, x.Type())
	if err != nil {
		if f, ferr := b.rowFunction(e.Name, x, e.X, e); f != nil || ferr != nil {
			return f, ferr
		}
		return nil, b.at(err, e.X)
	}
	return expr.Field(x, i, fields[i].Type, b.pos(e.Pos())), nil
}

// fieldsOf are the columns of the row x, of which e is one.
func (b *Binder) fieldsOf(x expr.Expr, e *ast.FieldSelect) ([]types.RowField, error) {
	t := x.Type()
	if !t.IsRow() {
		return nil, pgerror.New(pgerror.WrongObjectType, "column notation .%s applied to type %s, which is not a composite type", e.Name, TypeName(t)).
			At(b.pos(leftmost(e.X)))
	}
	fields := b.rowFields(t)
	switch {
	case fields != nil:
		return fields, nil
	case e.Star:
		return nil, pgerror.New(pgerror.WrongObjectType, "record type has not been registered").At(b.pos(leftmost(e.X)))
	}
	return nil, pgerror.New(pgerror.UndefinedColumn, "could not identify column %q in record data type", e.Name).At(b.pos(leftmost(e.X)))
}

// fieldStar are the columns of (row).*, with their names.
func (b *Binder) fieldStar(e *ast.FieldSelect, cx *context) (args []expr.Expr, names []string, err error) {
	x, err := b.expr(e.X, cx)
	if err != nil {
		return nil, nil, err
	}
	if t := x.Type(); !t.IsRow() {
		return nil, nil, pgerror.New(pgerror.WrongObjectType, "type %s is not composite", TypeName(t)).At(b.pos(leftmost(e.X)))
	}
	fields, err := b.fieldsOf(x, e)
	for i, f := range fields {
		args, names = append(args, expr.Field(x, i, f.Type, b.pos(e.Pos()))), append(names, f.Name)
	}
	return args, names, err
}

// isRowNull binds IS [NOT] NULL of a row, which looks at its columns.
func (b *Binder) isRowNull(x expr.Expr, not bool, n ast.Node) expr.Expr {
	name := "row_is_null"
	if not {
		name = "row_is_not_null"
	}
	return &expr.Call{Name: name, Sig: []types.OID{types.OIDRecord}, Args: []expr.Expr{x}, T: types.Bool, Pos: b.pos(n.Pos())}
}

// recordTo makes a value of the composite type t of the record x, column by column.
// Error 42846: they do not go with one another.
func (b *Binder) recordTo(x expr.Expr, t types.Type, explicit bool, offset int) (expr.Expr, error) {
	refuse := func(detail string, args ...any) error {
		e := pgerror.New(pgerror.CannotCoerce, "cannot cast type %s to %s", TypeName(x.Type()), TypeName(t)).At(b.pos(offset))
		if detail != "" {
			e = e.WithDetail(detail, args...)
		}
		return e
	}
	if c, ok := x.(*expr.Const); ok && c.Value.Null {
		return &expr.Const{Value: c.Value, T: t}, nil
	}
	have, want := b.rowFields(x.Type()), b.rowFields(t)
	switch {
	case have == nil || want == nil:
		return nil, refuse("")
	case len(have) < len(want):
		return nil, refuse("Input has too few columns.")
	case len(have) > len(want):
		return nil, refuse("Input has too many columns.")
	}
	in := castAssignment
	if explicit {
		in = castExplicitly
	}
	args := b.rowArgs(x, have)
	for i, f := range want {
		if f.Domain {
			return nil, pgerror.Unsupported("a row of type %s, which has a column of a domain, is not supported here", TypeName(t)).At(b.pos(offset))
		}
		from := args[i].Type()
		if from.OID != types.OIDUnknown && from.OID != f.Type.OID && !castAllowed(from, f.Type, in) {
			return nil, refuse("Cannot cast type %s to %s in column %d.", TypeName(from), TypeName(f.Type), i+1)
		}
		var err error
		if args[i], err = b.castTo(args[i], f.Type, explicit, offset); err != nil {
			return nil, err
		}
	}
	row := expr.Row(args, nil, t, b.pos(offset))
	if _, ok := x.(*expr.Call); ok {
		return row, nil
	}
	null := &expr.Const{Value: types.NullDatum, T: t}
	return &expr.Case{Whens: []expr.When{{Cond: &expr.IsNull{Arg: x}, Then: null}}, Else: row, T: t}, nil
}

// rowArgs are the columns, fields, of the row x: what it was made of, if that is known.
func (b *Binder) rowArgs(x expr.Expr, fields []types.RowField) []expr.Expr {
	if c, ok := x.(*expr.Call); ok {
		switch c.Name {
		case "row_record":
			return slices.Clone(c.Args)
		case "row_named":
			return slices.Clone(c.Args[1:])
		}
	}
	out := make([]expr.Expr, len(fields))
	for i, f := range fields {
		out[i] = expr.Field(x, i, f.Type, 0)
	}
	return out
}

// rowFunction is x.name where x, bound from src, is a row without such a column: the call
// name(x). nil: there is no such function.
func (b *Binder) rowFunction(name string, x expr.Expr, src ast.Expr, n ast.Node) (expr.Expr, error) {
	if fns := b.userFunctions(ast.Name{Parts: []string{name}}); len(fns) > 0 {
		f := chooseFunction(fns, []expr.Expr{x})
		if f == nil {
			return nil, nil
		}
		call := &ast.FuncCall{At: ast.At(n.Pos()), Name: ast.Name{At: ast.At(n.Pos()), Parts: []string{name}}}
		return b.userCallArgs(f, []expr.Expr{x}, []ast.Expr{src}, call)
	}
	c, err := b.call(name, false, []expr.Expr{x}, []ast.Expr{src}, n)
	if err != nil {
		return nil, nil //nolint:nilerr // there is no such column, is what the caller says
	}
	return c, nil
}

// columnCall is name(x) for a row x with a column of that name, nil: it has none.
func (b *Binder) columnCall(name string, x expr.Expr, n ast.Node) expr.Expr {
	fields := b.rowFields(x.Type())
	i, err := expr.FieldIndex(fields, name, x.Type())
	if err != nil {
		return nil
	}
	return expr.Field(x, i, fields[i].Type, b.pos(n.Pos()))
}

// rowColumns are the columns of rows among s, those of functions in FROM, which stand for
// the columns of the rows: by place, with the fields.
func (b *Binder) rowColumns(s plan.Schema) map[int][]types.RowField {
	var out map[int][]types.RowField
	for i, c := range s {
		fields := b.rowFields(c.Type)
		if !c.Hidden || !c.Type.IsRow() || fields == nil {
			continue
		}
		if out == nil {
			out = make(map[int][]types.RowField)
		}
		out[i] = fields
	}
	return out
}

// expandRows puts the fields of rows, whose places count from column from on, in their
// place among the columns from to to of p.
func (b *Binder) expandRows(p plan.Logical, from, to int, rows map[int][]types.RowField) plan.Logical {
	s := p.Schema()
	cols := identity(s)
	out := &plan.Project{Input: p}
	for i := from; i < to; i++ {
		fields, ok := rows[i-from]
		if !ok {
			out.Exprs, out.Out = append(out.Exprs, cols[i]), append(out.Out, s[i])
			continue
		}
		for j, f := range fields {
			out.Exprs = append(out.Exprs, expr.Field(cols[i], j, f.Type, 0))
			out.Out = append(out.Out, plan.Column{Name: f.Name, Type: f.Type})
		}
	}
	return out
}
