package binder

import (
	"maps"
	"slices"

	"velostream/catalog"
	"velostream/catalog/types"
	"velostream/engine/sql/ast"
	"velostream/engine/sql/expr"
	"velostream/engine/sql/parser"
	"velostream/engine/sql/plan"
	"velostream/pgwire/pgerror"
)

// IndexExpr binds an expression that rel is to be indexed by.
func IndexExpr(o Options, rel *catalog.Relation, x ast.Expr) (*catalog.IndexExpr, error) {
	b := New(o)
	b.Session = nil
	e, err := b.expr(x, &context{scope: rowScope(rel.Schema, rel.Name, rel.Columns), clause: "index expressions"})
	if err != nil {
		return nil, err
	}
	if e.Type().OID == types.OIDUnknown {
		if e, err = b.castTo(e, types.Text, false, leftmost(x)); err != nil {
			return nil, err
		}
	}
	if e.Type().OID == types.OIDRecord {
		return nil, pgerror.New(pgerror.InvalidTableDefinition, "column %q has pseudo-type record", columnName(x))
	}
	return b.indexExpr(e, x, "index expression")
}

// IndexPredicate binds WHERE of CREATE INDEX.
func IndexPredicate(o Options, rel *catalog.Relation, x ast.Expr) (*catalog.IndexExpr, error) {
	b := New(o)
	b.Session = nil
	e, err := b.boolean(x, &context{scope: rowScope(rel.Schema, rel.Name, rel.Columns), clause: "index predicates"}, "WHERE")
	if err != nil {
		return nil, err
	}
	return b.indexExpr(e, x, "index predicate")
}

func (b *Binder) indexExpr(e expr.Expr, x ast.Expr, what string) (*catalog.IndexExpr, error) {
	e, err := toCols(b, e)
	if err != nil {
		return nil, err
	}
	if expr.VolatilityOf(e) != expr.Immutable {
		return nil, pgerror.New(pgerror.InvalidObjectDefinition, "functions in %s must be marked IMMUTABLE", what).At(b.pos(leftmost(x)))
	}
	out := &catalog.IndexExpr{
		Text: ast.String(x), Type: e.Type(), Name: columnName(x), Columns: slices.Sorted(maps.Keys(expr.Columns(e))),
	}
	_, out.Call = x.(*ast.FuncCall)
	if out.Name == "?column?" {
		out.Name = "expr"
	}
	out.Expr, err = expr.MarshalExpr(e)
	return out, err
}

// RebindIndex binds the expressions of x, an index of rel, again, because columns that they
// use have other types. It changes x.
func RebindIndex(o Options, rel *catalog.Relation, x *catalog.Index) error {
	o.SQL, o.Params = "", nil
	again := func(e *catalog.IndexExpr, bind func(Options, *catalog.Relation, ast.Expr) (*catalog.IndexExpr, error)) error {
		a, err := parser.ParseExpr(e.Text)
		if err != nil {
			return err
		}
		n, err := bind(o, rel, a)
		if err == nil {
			*e = *n
		}
		return err
	}
	x.Exprs = slices.Clone(x.Exprs)
	for i := range x.Exprs {
		if err := again(&x.Exprs[i], IndexExpr); err != nil {
			return err
		}
	}
	if x.Where == nil {
		return nil
	}
	w := *x.Where
	x.Where = &w
	return again(x.Where, IndexPredicate)
}

// rowScope are the columns of a relation, for an expression over one row of it
// that the catalog keeps.
func rowScope(schema, name string, columns []catalog.Column) *Scope {
	s := make(plan.Schema, len(columns))
	for i, c := range columns {
		s[i] = plan.Column{Name: c.Name, Type: c.Type, Hidden: c.Hidden}
	}
	sc := schemaScope(s, tableName{alias: name, schema: schema, real: name, event: -1})
	sc.bare = true
	return sc
}

// indexKeys are the indexes of rel that reads may use.
func indexKeys(rel *catalog.Relation) ([]plan.IndexKey, error) {
	var out []plan.IndexKey
	for _, x := range rel.Indexes {
		if x.Building {
			continue
		}
		k := plan.IndexKey{ID: x.ID, Name: x.Name, Columns: x.Columns, Unique: x.Unique}
		for _, e := range x.Exprs {
			u, err := expr.UnmarshalExpr(e.Expr)
			if err != nil {
				return nil, err
			}
			k.Exprs = append(k.Exprs, u)
		}
		if x.Where != nil {
			u, err := expr.UnmarshalExpr(x.Where.Expr)
			if err != nil {
				return nil, err
			}
			k.Where = plan.Conjuncts(u)
		}
		out = append(out, k)
	}
	return out, nil
}
