package session

import (
	"slices"

	"velostream/catalog"
	"velostream/catalog/types"
	"velostream/engine/sql/ast"
	"velostream/engine/sql/binder"
	"velostream/engine/sql/expr"
	"velostream/pgwire/pgerror"
	"velostream/storage/column"
)

// addColumn is ADD COLUMN. Rows that are there are not touched where all of them get the
// same value: they read as it. Else they are written anew.
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
	plain, later, computed := splitColumn(x)
	def, err := binder.BindColumnDefs(a.bind(), &ast.CreateRelation{
		At: x.At, Kind: ast.KindTable, Name: ast.Name{At: x.At, Parts: []string{a.c.Name}}, Columns: []ast.ColumnDef{plain},
	})
	if err != nil {
		return err
	}
	at := len(a.c.Columns)
	a.c.Columns = append(a.c.Columns, def.Columns[0])
	if len(def.Sequences) > 0 {
		d := def.Sequences[0]
		d.Column = at
		seq, err := a.s.columnSequence(a.nm, a.p, a.c, d)
		if err != nil {
			return err
		}
		a.made = append(a.made, seq)
		a.fillEach(x, filling{column: at, numbers: seq}, "a column with numbers from a sequence")
	}
	if computed != nil {
		if a.c.Columns[at].Default != "" || a.c.Columns[at].Identity != "" {
			return pgerror.New(pgerror.SyntaxError, "both default and generation expression specified for column %q of table %q", x.Def.Name, a.c.Name).
				At(a.p.Position(x.Def.Pos()))
		}
		if err := binder.BindGeneration(a.bind(), a.c, at, computed); err != nil {
			return err
		}
		a.fillEach(x, filling{column: at}, "a generated column")
	}
	if len(def.Sequences) > 0 || computed != nil {
		if a.c.Columns[at].NotNull {
			a.verifyNotNull(at)
		}
	} else if err := a.missing(x, at); err != nil {
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
func splitColumn(x *ast.AlterAction) (plain ast.ColumnDef, later []ast.Constraint, computed ast.Expr) {
	plain, computed = *x.Def, x.Def.Computed
	plain.Constraints, plain.Computed = nil, nil
	name := ast.Ident{At: x.Def.At, Name: x.Def.Name}
	for _, k := range x.Def.Constraints {
		switch k.Kind {
		case ast.Check, ast.Unique, ast.ForeignKey, ast.PrimaryKey:
			if !k.NotEnforced {
				k.Columns = []ast.Ident{name}
				later = append(later, k)
			}
		case ast.Generated:
			computed = k.X
		default:
			plain.Constraints = append(plain.Constraints, k)
		}
	}
	return plain, later, computed
}

// missing is what rows have that are older than the column at.
func (a *alteration) missing(x *ast.AlterAction, at int) error {
	c := &a.c.Columns[at]
	if binder.DefaultOf(a.snap, *c) == "" {
		a.noNulls(at)
		return nil
	}
	e, err := binder.New(a.bind()).Default(*c)
	if err != nil {
		return err
	}
	if expr.VolatilityOf(e) == expr.Volatile {
		if c.NotNull {
			a.verifyNotNull(at)
		}
		a.fillEach(x, filling{column: at, value: e}, "a column with a volatile default")
		return nil
	}
	d, err := expr.EvalConst(e, a.s.env())
	if err != nil {
		return err
	}
	if d.Null {
		a.noNulls(at)
		return nil
	}
	text := string(types.AppendStored(nil, c.Type, d))
	c.Missing = &text
	return nil
}

// noNulls refuses that there are rows, all of which would have NULL in the column at.
func (a *alteration) noNulls(at int) {
	c := &a.c.Columns[at]
	if c.NotNull && a.empty == nil {
		a.empty = pgerror.New(pgerror.NotNullViolation, "column %q of relation %q contains null values", c.Name, a.c.Name).
			OnColumn(a.c.Schema, a.c.Name, c.Name)
	}
}

// filling is what the rows that are there get in a new column, each its own: numbers of a
// sequence, a value, or, if there is neither, what the column is generated as.
type filling struct {
	column  int
	numbers *catalog.Relation
	value   expr.Expr
}

// fillEach has rows filled at the end, see fill. Those of a stream cannot be: who reads it
// goes on from the rows it has read.
func (a *alteration) fillEach(x *ast.AlterAction, f filling, what string) {
	if a.c.Kind == catalog.Table {
		a.fillings = append(a.fillings, f)
		return
	}
	a.empty = pgerror.Unsupported("adding %s to a %s that has rows is not supported", what, kindOf(a.c)).At(a.p.Position(x.Pos()))
}

// fill has all rows written anew with what they get in new columns: first what does not
// depend on others, then what is generated. REQUIRES: the types of all columns are their
// last.
func (a *alteration) fill() error {
	if len(a.fillings) == 0 {
		return nil
	}
	exprs, err := binder.New(a.bind()).Computed(a.c)
	if err != nil {
		return err
	}
	var values, computed []func(b *column.Batch) (*column.Column, error)
	var places, generated []int
	env := a.s.env()
	for _, f := range a.fillings {
		if f.numbers != nil {
			places, values = append(places, f.column), append(values, a.numbers(f))
			continue
		}
		e := f.value
		if e == nil {
			e = exprs[f.column]
		}
		ev, err := expr.Compile(e)
		if err != nil {
			return err
		}
		eval := func(b *column.Batch) (*column.Column, error) { return ev.Eval(env, b, b.Sel) }
		if f.value != nil {
			places, values = append(places, f.column), append(values, eval)
		} else {
			generated, computed = append(generated, f.column), append(computed, eval)
		}
	}
	places, values = append(places, generated...), append(values, computed...)
	a.rewriteAs(func(b *column.Batch) (*column.Batch, error) {
		out := &column.Batch{Cols: slices.Clone(b.Cols), N: b.N, Sel: b.Sel}
		for i, at := range places {
			c, err := values[i](out)
			if err != nil {
				return nil, err
			}
			own := *c
			own.Type = a.c.Columns[at].Type
			out.Cols[at] = &own
		}
		return out, nil
	})
	return nil
}

// numbers gives each row the next number of a sequence that is new.
func (a *alteration) numbers(f filling) func(b *column.Batch) (*column.Column, error) {
	o := sequenceOptions(f.numbers)
	return func(b *column.Batch) (*column.Column, error) {
		out := &column.Column{Type: types.Int8, Ints: make([]int64, b.N)}
		for i := range b.Each {
			var err error
			if out.Ints[i], err = a.s.nextValue(o); err != nil {
				return nil, err
			}
		}
		return out, nil
	}
}
