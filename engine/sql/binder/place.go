package binder

import (
	"slices"

	"velostream/catalog"
	"velostream/catalog/types"
	"velostream/engine/sql/ast"
	"velostream/engine/sql/expr"
	"velostream/pgwire/pgerror"
)

// place is where INSERT or SET puts a value: a column, or a part of it.
type place struct {
	column int
	name   string
	steps  []step     // into the column's value; none: all of it
	t      types.Type // of what is put there
	at     ast.At
}

// step goes from a value into a part of it: a column of a row, or the subscripts of an
// array, all at once.
type step struct {
	whole, part types.Type
	fields      []types.RowField // of the row; nil: it is an array
	field       int              // which of them
	subscripts  []expr.Expr      // two for each dimension of a slice
	slice       bool
}

// place binds the target t. The subscripts in it are expressions of cx.
func (b *Binder) place(rel *catalog.Relation, t ast.InsertTarget, cx *context) (place, error) {
	i, err := b.targetColumn(rel, t)
	if err != nil {
		return place{}, err
	}
	p := place{column: i, name: t.Name, t: rel.Columns[i].Type, at: t.At}
	for rest := t.Indirection; len(rest) > 0; {
		n := slices.IndexFunc(rest, func(in ast.Indirection) bool { return in.Field != "" })
		if n < 0 {
			n = len(rest)
		}
		var s step
		if n == 0 {
			n = 1
			s, err = b.fieldStep(&p, rest[0])
		} else {
			s, err = b.subscriptStep(p.t, t, rest[:n], cx)
		}
		if err != nil {
			return place{}, err
		}
		p.steps, p.t, rest = append(p.steps, s), s.part, rest[n:]
	}
	return p, nil
}

// fieldStep binds the column of a row, which is what p has come to, that in names.
func (b *Binder) fieldStep(p *place, in ast.Indirection) (step, error) {
	fields := b.rowFields(p.t)
	if !p.t.IsComposite() || fields == nil {
		return step{}, pgerror.New(pgerror.DatatypeMismatch, "cannot assign to field %q of column %q because its type %s is not a composite type",
			in.Field, p.name, TypeName(p.t)).At(b.pos(p.at.Pos()))
	}
	i := slices.IndexFunc(fields, func(f types.RowField) bool { return f.Name == in.Field })
	if i < 0 {
		return step{}, pgerror.New(pgerror.UndefinedColumn, "cannot assign to field %q of column %q because there is no such column in data type %s",
			in.Field, p.name, TypeName(p.t)).At(b.pos(p.at.Pos()))
	}
	if fields[i].Domain {
		return step{}, b.missing(p.at, "assignment to field %q, which is of a domain, is not supported", in.Field)
	}
	// The element would be computed once for each of its columns, and again for each
	// assignment to it.
	if slices.ContainsFunc(p.steps, func(s step) bool { return s.fields == nil }) {
		return step{}, b.missing(p.at, "assignment to fields of the elements of an array is not supported")
	}
	return step{whole: p.t, part: fields[i].Type, fields: fields, field: i}, nil
}

// subscriptStep binds the subscripts in of a value of type t.
func (b *Binder) subscriptStep(t types.Type, target ast.InsertTarget, in []ast.Indirection, cx *context) (step, error) {
	elem, ok := t.Elem()
	if !ok || t.FirstSubscript() == 0 {
		e := pgerror.New(pgerror.DatatypeMismatch, "cannot subscript type %s because it does not support subscripting", TypeName(t))
		if cx.scope == nil { // of INSERT, where PostgreSQL has no place for it
			return step{}, e
		}
		return step{}, e.At(b.pos(target.Pos()))
	}
	if len(in) > types.MaxDims {
		return step{}, types.TooManyDims(len(in))
	}
	s := step{whole: t, part: elem}
	s.slice = slices.ContainsFunc(in, func(i ast.Indirection) bool { return i.Slice })
	if s.slice {
		s.part = t
	}
	for _, i := range in {
		bounds, err := b.bounds(&ast.Subscript{At: i.At, Lo: i.Lo, Hi: i.Hi, Slice: i.Slice}, s.slice, cx)
		if err != nil {
			return step{}, err
		}
		s.subscripts = append(s.subscripts, bounds...)
	}
	return s, nil
}

// all reports that the place is a whole column.
func (p *place) all() bool { return len(p.steps) == 0 }

// wrongType is the error of a value of another type, which stands at src.
func (p *place) wrongType(b *Binder, from types.Type, src int) error {
	format, name := "column %q is of type %s but expression is of type %s", p.name
	if !p.all() {
		last := &p.steps[len(p.steps)-1]
		format, src = "subscripted assignment to %q requires type %s but expression is of type %s", p.at.Pos()
		if last.fields != nil {
			format, name = "subfield %q is of type %s but expression is of type %s", last.fields[last.field].Name
		}
	}
	return pgerror.New(pgerror.DatatypeMismatch, format, name, TypeName(p.t), TypeName(from)).
		WithHint("You will need to rewrite or cast the expression.").At(b.pos(src))
}

// assign brings e to the type of the place.
func (p *place) assign(b *Binder, e expr.Expr, src ast.Expr) (expr.Expr, error) {
	from := e.Type()
	if from.OID != types.OIDUnknown && from.OID != p.t.OID && !castAllowed(from, p.t, castAssignment) {
		return nil, p.wrongType(b, from, leftmost(src))
	}
	return b.castTo(e, p.t, false, leftmost(src))
}

// noDefault refuses DEFAULT for a part of a column.
func (p *place) noDefault(b *Binder) error {
	if p.all() {
		return nil
	}
	what := "an array element"
	if p.steps[0].fields != nil {
		what = "a subfield"
	}
	return pgerror.New(pgerror.FeatureNotSupported, "cannot set %s to DEFAULT", what).At(b.pos(p.at.Pos()))
}

// into is the value of the column, which is base now, with value at the place.
func (p *place) into(b *Binder, base, value expr.Expr) (expr.Expr, error) {
	return b.into(p.steps, base, value)
}

func (b *Binder) into(steps []step, base, value expr.Expr) (expr.Expr, error) {
	if len(steps) == 0 {
		return value, nil
	}
	s := steps[0]
	if len(steps) > 1 { // the part that is changed in its turn
		part, err := b.get(s, base)
		if err != nil {
			return nil, err
		}
		if value, err = b.into(steps[1:], part, value); err != nil {
			return nil, err
		}
	}
	if s.fields != nil {
		args := make([]expr.Expr, len(s.fields))
		for i, f := range s.fields {
			args[i] = expr.Field(base, i, f.Type, 0)
		}
		args[s.field] = value
		return expr.Row(args, nil, s.whole, 0), nil
	}
	name := "array_set"
	if s.slice {
		name = "array_set_slice"
	}
	return b.stepCall(name, s.whole, append([]expr.Expr{base, value}, s.subscripts...))
}

// get is the part of base that s goes to.
func (b *Binder) get(s step, base expr.Expr) (expr.Expr, error) {
	if s.fields != nil {
		return expr.Field(base, s.field, s.part, 0), nil
	}
	name := "array_get"
	if s.slice {
		name = "array_slice"
	}
	return b.stepCall(name, s.part, append([]expr.Expr{base}, s.subscripts...))
}

func (b *Binder) stepCall(name string, t types.Type, args []expr.Expr) (expr.Expr, error) {
	c, err := expr.NewCall(name, false, args, 0, b.Format)
	if err != nil {
		return nil, err
	}
	c.T = t
	return c, nil
}

// columnsOf are the columns of places, each once.
func columnsOf(places []place) []int {
	var out []int
	for _, p := range places {
		if !slices.Contains(out, p.column) {
			out = append(out, p.column)
		}
	}
	return out
}

// wholes are the places of the whole columns.
func wholes(rel *catalog.Relation, columns []int) []place {
	out := make([]place, len(columns))
	for j, i := range columns {
		out[j] = place{column: i, name: rel.Columns[i].Name, t: rel.Columns[i].Type}
	}
	return out
}

// clashes reports that p and one of others cannot both be given: one of them is the whole
// column.
func (p *place) clashes(others []place) bool {
	return slices.ContainsFunc(others, func(o place) bool { return o.column == p.column && (o.all() || p.all()) })
}
