package binder

import (
	"maps"
	"slices"
	"strings"
	"sync"

	"velostream/catalog"
	"velostream/catalog/types"
	"velostream/engine/sql/ast"
	"velostream/engine/sql/expr"
	"velostream/engine/sql/plan"
	"velostream/pgwire/pgerror"
)

// Update is a bound UPDATE. Its plan yields, per affected row, the full old row
// and then the full new one, each all columns of the target in order, and last the
// columns of FROM that RETURNING names. With FROM a row may come several times, once per
// match; the writer takes the first.
type Update struct {
	Change
	Set []int // the columns that are assigned
}

// Delete is a bound DELETE. Its plan yields the full rows to delete, and after them the
// columns of USING that RETURNING names; with USING a row may come several times.
type Delete struct{ Change }

func (b *Binder) update(s *ast.Update) (*Update, error) {
	if err := b.with(s.With, nil); err != nil {
		return nil, err
	}
	rel, err := b.target(s.Table, "update")
	if err != nil {
		return nil, err
	}
	k, err := b.affected(rel, s.Table, s.From, s.Where, "update")
	if err != nil {
		return nil, err
	}
	joined := k.input.Schema()
	cx := k.context("UPDATE", false)
	set, exprs, err := b.setItems(rel, s.Set, cx, k, 0)
	if err != nil {
		return nil, err
	}
	b.uses(rel).Update(set...)
	n := len(rel.Columns)
	old := relationSchema(rel)
	p := &plan.Project{Input: k.input, Out: append(append(plan.Schema(nil), old...), old...)}
	p.Exprs = append(identity(old), identity(old)...)
	for i, c := range set {
		p.Exprs[n+c] = exprs[i]
	}
	r, err := b.returningJoined(s.Returning, k.scope, joined, p, n)
	if err != nil {
		return nil, err
	}
	full, err := b.withComputedAt(rel, p, n)
	if err != nil {
		return nil, err
	}
	return &Update{Change: Change{Target: rel, Plan: full, Returning: r, Repeats: len(s.From) > 0}, Set: set}, b.changeable(rel, s.Table, "UPDATE")
}

// withComputedAt computes the computed columns of the row that begins at
// column n.
func (b *Binder) withComputedAt(rel *catalog.Relation, p plan.Logical, n int) (plan.Logical, error) {
	computed, err := b.Computed(rel)
	if err != nil {
		return nil, err
	}
	es, some := identity(p.Schema()), false
	for i, e := range computed {
		if e != nil {
			es[n+i], some = plan.Shift(e, n), true
		}
	}
	if !some {
		return p, nil
	}
	return &plan.Project{Input: p, Exprs: es, Out: p.Schema()}, nil
}

func (b *Binder) delete(s *ast.Delete) (*Delete, error) {
	if err := b.with(s.With, nil); err != nil {
		return nil, err
	}
	rel, err := b.target(s.Table, "delete from")
	if err != nil {
		return nil, err
	}
	k, err := b.affected(rel, s.Table, s.Using, s.Where, "delete from")
	if err != nil {
		return nil, err
	}
	b.uses(rel).Delete()
	old := relationSchema(rel)
	p := &plan.Project{Input: k.input, Exprs: identity(old), Out: old}
	r, err := b.returningJoined(s.Returning, k.scope, k.input.Schema(), p, len(old))
	if err != nil {
		return nil, err
	}
	return &Delete{Change: Change{Target: rel, Plan: p, Returning: r, Repeats: len(s.Using) > 0}}, b.changeable(rel, s.Table, "DELETE")
}

// changeable refuses to change or delete rows of a stream.
func (b *Binder) changeable(rel *catalog.Relation, t *ast.TableName, verb string) error {
	if rel.Kind != catalog.Stream {
		return nil
	}
	return pgerror.New(pgerror.WrongObjectType, "cannot %s %q: a stream is append-only", verb, rel.Name).
		WithHint("Rows that change belong into a table.").At(b.pos(t.Name.Pos()))
}

// returningJoined binds RETURNING over the target's n columns and those of FROM or USING
// behind them, joined, and has p, which is over these, yield the latter that it names.
func (b *Binder) returningJoined(items []ast.SelectItem, sc *Scope, joined plan.Schema, p *plan.Project, n int) (*Returning, error) {
	r, err := b.returning(items, sc, joined)
	if err != nil || r == nil {
		return nil, err
	}
	if r.Query != nil { // it may name any of them
		for i := n; i < len(joined); i++ {
			p.Exprs = append(p.Exprs, &expr.Col{Index: i, T: joined[i].Type, Name: joined[i].Name})
			p.Out = append(p.Out, joined[i])
		}
		return r, nil
	}
	named := map[int]bool{}
	for _, e := range r.Exprs {
		maps.Copy(named, expr.Columns(e))
	}
	place := map[int]int{}
	for i := n; i < len(joined); i++ {
		if !named[i] {
			continue
		}
		place[i] = n + len(place)
		p.Exprs = append(p.Exprs, &expr.Col{Index: i, T: joined[i].Type, Name: joined[i].Name})
		p.Out = append(p.Out, joined[i])
	}
	for i, e := range r.Exprs {
		r.Exprs[i] = expr.MapColumns(e, func(c int) int {
			if c < n {
				return c
			}
			return place[c]
		})
	}
	return r, nil
}

// affected binds the rows that UPDATE or DELETE is about: the target's columns
// first, then those of FROM or USING.
func (b *Binder) affected(rel *catalog.Relation, t *ast.TableName, from []ast.TableRef, where ast.Expr, verb string) (*block, error) {
	if rel.AppendOnly {
		return nil, pgerror.New(pgerror.WrongObjectType, "cannot %s %q: it is append-only", verb, rel.Name).At(b.pos(t.Name.Pos()))
	}
	scan, err := b.scan(rel)
	if err != nil {
		return nil, err
	}
	var input plan.Logical = scan
	if w, ok := where.(*ast.CurrentOf); ok {
		if input, err = b.current(rel, scan, w); err != nil {
			return nil, err
		}
		where = nil
	}
	k := &block{b: b, sel: &ast.Select{Where: where}, input: input, scope: targetScope(rel, t, scan.Out), windowEnd: -1}
	if len(from) > 0 {
		f, err := b.from(from, nil)
		if err != nil {
			return nil, err
		}
		if err := b.distinctNames(k.scope, f.scope, from[0]); err != nil {
			return nil, err
		}
		k.scope = joinScopes(k.scope, f.scope, len(scan.Out))
		k.input = newJoin(plan.CrossJoin, input, f.plan)
	}
	return k, k.bindWhere()
}

// current is the row of rel that a cursor is on.
func (b *Binder) current(rel *catalog.Relation, scan *plan.Scan, w *ast.CurrentOf) (plan.Logical, error) {
	none := &expr.Const{Value: types.BoolDatum(false), T: types.Bool}
	if b.Current == nil {
		return &plan.Filter{Input: scan, Cond: none}, nil
	}
	key, err := b.Current(w.Cursor, rel)
	if err != nil {
		return nil, err
	}
	conds := make([]expr.Expr, len(rel.Key))
	for i, c := range rel.Key {
		t := scan.Out[c].Type
		args := []expr.Expr{&expr.Col{Index: c, T: t, Name: scan.Out[c].Name}, &expr.Const{Value: key[i], T: t}}
		if conds[i], err = b.call("=", true, args, []ast.Expr{w, w}, w); err != nil {
			return nil, err
		}
	}
	return &plan.Filter{Input: scan, Cond: plan.All(conds)}, nil
}

// setItems binds SET: the columns and their values, in the columns' types. What rows have
// now stands at first and behind it.
func (b *Binder) setItems(rel *catalog.Relation, items []ast.SetItem, cx *context, k *block, first int) ([]int, []expr.Expr, error) {
	var set []int
	var exprs []expr.Expr
	var places []place
	for _, it := range items {
		values := []ast.Expr{it.X}
		var row []expr.Expr // of a query, all values at once
		if it.Multi {
			var err error
			if values, row, err = b.rowValues(it, cx); err != nil {
				return nil, nil, err
			}
			if len(values) != len(it.Targets) {
				return nil, nil, pgerror.New(pgerror.SyntaxError, "number of columns does not match number of values").At(b.pos(it.X.Pos()))
			}
		}
		for i, t := range it.Targets {
			p, err := b.place(rel, t, cx)
			if err != nil {
				return nil, nil, err
			}
			if p.clashes(places) {
				return nil, nil, pgerror.New(pgerror.SyntaxError, "multiple assignments to same column %q", t.Name).At(b.pos(t.Pos()))
			}
			places = append(places, p)
			at, c := slices.Index(set, p.column), rel.Columns[p.column]
			if at < 0 {
				at = len(set)
				set, exprs = append(set, p.column), append(exprs, &expr.Col{Index: first + p.column, T: c.Type, Name: c.Name})
			}
			var e expr.Expr
			if row != nil {
				e, err = b.setBound(c, &p, row[i], itemOf(it.X, i))
			} else {
				e, err = b.setValue(c, &p, values[i], cx)
			}
			if err == nil {
				e, err = p.into(b, exprs[at], e)
			}
			if err == nil {
				exprs[at], err = k.input0(e)
			}
			if err != nil {
				return nil, nil, err
			}
		}
	}
	return set, exprs, nil
}

// rowValues are the values of SET (a, b) = …: the items of a row, or for a query of one
// row one scalar query per column, or where it must be run as a whole its values, bound.
func (b *Binder) rowValues(it ast.SetItem, cx *context) ([]ast.Expr, []expr.Expr, error) {
	switch x := it.X.(type) {
	case *ast.Row:
		if len(x.Items) == 1 && !x.Explicit {
			break
		}
		return x.Items, nil, nil
	case *ast.Subquery:
		s, ok := x.Query.Body.(*ast.Select)
		if !ok || len(s.Items) != len(it.Targets) || s.Distinct || len(s.DistinctOn) > 0 || asWhole(x.Query, s) {
			row, err := b.rowOfQuery(x, cx)
			return make([]ast.Expr, len(row)), row, err
		}
		out := make([]ast.Expr, len(s.Items))
		for i := range s.Items {
			body := *s
			body.Items = s.Items[i : i+1]
			q := *x.Query
			q.Body = &body
			out[i] = &ast.Subquery{At: ast.At(leftmost(s.Items[i].X)), Query: &q}
		}
		return out, nil, nil
	}
	return nil, nil, pgerror.Unsupported("source for a multiple-column UPDATE item must be a sub-SELECT or ROW() expression").At(b.pos(it.X.Pos()))
}

func hasStar(s *ast.Select) bool {
	return slices.ContainsFunc(s.Items, func(i ast.SelectItem) bool {
		c, ok := i.X.(*ast.ColumnRef)
		return ok && c.Star
	})
}

// volatileNames are those of functions whose calls must not be repeated.
var volatileNames = sync.OnceValue(func() []string {
	var out []string
	for _, f := range expr.Functions() {
		if f.Volatility == expr.Volatile && !f.Operator && !slices.Contains(out, f.Name+"(") {
			out = append(out, f.Name+"(")
		}
	}
	return out
})

// asWhole reports a query that must be run as a whole: its select list is a star, or it
// calls a volatile function.
func asWhole(q *ast.Query, s *ast.Select) bool {
	text := ast.String(q)
	return hasStar(s) || slices.ContainsFunc(volatileNames(), func(name string) bool { return strings.Contains(text, name) })
}

// settable refuses a value for a column that takes none but DEFAULT.
func (b *Binder) settable(c catalog.Column, x ast.Expr) error {
	if c.Computed != "" {
		return pgerror.New("428C9", "column %q can only be updated to DEFAULT", c.Name).
			WithDetail("Column %q is a generated column.", c.Name).At(b.pos(leftmost(x)))
	}
	if c.Identity == "ALWAYS" {
		return pgerror.New("428C9", "column %q can only be updated to DEFAULT", c.Name).
			WithDetail("Column %q is an identity column defined as GENERATED ALWAYS.", c.Name)
	}
	return nil
}

func (b *Binder) setValue(c catalog.Column, p *place, x ast.Expr, cx *context) (expr.Expr, error) {
	if _, ok := x.(*ast.Default); ok {
		if err := p.noDefault(b); err != nil {
			return nil, err
		}
		return b.Default(c)
	}
	if err := b.settable(c, x); err != nil {
		return nil, err
	}
	e, err := b.expr(x, cx)
	if err != nil {
		return nil, err
	}
	return p.assign(b, e, x)
}

// itemOf stands for item i of the query x, in errors.
func itemOf(x ast.Expr, i int) ast.Expr {
	if q, ok := x.(*ast.Subquery); ok {
		return &ast.Literal{At: ast.At(itemAt(q.Query.Body, i))}
	}
	return x
}

// setBound is setValue of a value that is bound.
func (b *Binder) setBound(c catalog.Column, p *place, e expr.Expr, x ast.Expr) (expr.Expr, error) {
	if err := b.settable(c, x); err != nil {
		return nil, err
	}
	return p.assign(b, e, x)
}
