package binder

import (
	"slices"

	"velostream/catalog/types"
	"velostream/engine/sql/ast"
	"velostream/engine/sql/expr"
	"velostream/engine/sql/plan"
	"velostream/pgwire/pgerror"
)

// nextID numbers shared subplans and recursions.
func (b *Binder) nextID() int {
	*b.ids++
	return *b.ids
}

// sharedCTE is the relation of a CTE where it is used. In a bounded query its plan is run
// once however often it is used, unless it is NOT MATERIALIZED.
func (b *Binder) sharedCTE(c *cteScope, rel *relation) *relation {
	if _, work := rel.plan.(*plan.WorkTable); work || b.Continuous || c.cte.Materialized == ast.No || dependent(rel.plan) {
		return rel
	}
	if c.id == 0 {
		c.id = b.nextID()
	}
	out := *rel
	out.plan = &plan.Shared{ID: c.id, Input: rel.plan, Name: c.name, Keep: c.cte.Materialized == ast.Yes}
	return &out
}

// recursive binds a CTE that refers to itself: base UNION [ALL] step.
func (b *Binder) recursive(c *ast.CTE, q *ast.Query, parent *Scope) error {
	s, ok := q.Body.(*ast.SetOp)
	bad := func(format string, args ...any) error {
		return pgerror.New("42P19", format, args...).At(b.pos(c.Pos()))
	}
	switch {
	case !ok || s.Kind != ast.Union:
		return bad("recursive query %q does not have the form non-recursive-term UNION [ALL] recursive-term", c.Name)
	case bodyRefersTo(s.L, c.Name):
		return bad("recursive reference to query %q must not appear within its non-recursive term", c.Name)
	case len(q.OrderBy) > 0:
		return b.missing(q.OrderBy[0], "ORDER BY in a recursive query is not implemented")
	case q.Limit != nil:
		return b.missing(q.Limit, "LIMIT in a recursive query is not implemented")
	}
	if err := b.recursiveTerm(s.R, c.Name); err != nil {
		return err
	}
	saved := b.ctes
	var more added
	if c.Search != nil || c.Cycle != nil {
		var err error
		if c, q, more, err = b.expandSearch(c, q, parent); err != nil {
			return err
		}
		s = q.Body.(*ast.SetOp) //nolint:forcetypeassert // as it was
	}
	if err := b.with(q.With, parent); err != nil {
		return err
	}
	base, err := b.body(s.L, nil, parent)
	if err != nil {
		return err
	}
	base.plan = stripped(base.plan)
	if err := b.textForUnknown(base); err != nil {
		return err
	}
	out := unionSchema(base.plan.Schema())
	for i := range out {
		out[i].Type.Mod = -1
	}
	if len(c.Columns) > len(out) {
		return pgerror.New(pgerror.InvalidColumnReference, "WITH query %q has %d columns available but %d columns specified",
			c.Name, len(out), len(c.Columns)).At(b.pos(c.Pos()))
	}
	for i, n := range c.Columns {
		out[i].Name = n
	}
	id := b.nextID()
	seen := slices.Clone(out)
	for i := len(out) - more.n; i < len(out); i++ {
		seen[i].Hidden = true
	}
	out[len(out)-1].Hidden = more.depth
	work := &relation{plan: &plan.WorkTable{ID: id, Name: c.Name, Out: seen}, event: -1}
	b.ctes = &cteScope{name: c.Name, query: q, cte: c, outer: b.ctes, bound: work, parent: parent}
	step, err := b.body(s.R, nil, parent)
	if err != nil {
		return err
	}
	step.plan = stripped(step.plan)
	if err := b.recursiveColumns(c, s, base, step, out); err != nil {
		return err
	}
	rec := &plan.Recursive{ID: id, Base: base.plan, Step: step.plan, Distinct: !s.All, Name: c.Name, Out: out}
	b.ctes = &cteScope{name: c.Name, query: q, cte: c, outer: saved, bound: &relation{plan: rec, event: -1}, parent: parent}
	return nil
}

// recursiveColumns brings both terms to the types of the first.
func (b *Binder) recursiveColumns(c *ast.CTE, s *ast.SetOp, base, step *relation, out plan.Schema) error {
	have := step.plan.Schema()
	if len(have) != len(out) {
		return pgerror.New(pgerror.SyntaxError, "each UNION query must have the same number of columns").At(b.pos(firstItem(s.R)))
	}
	want := make([]types.Type, len(out))
	for i, o := range out {
		want[i] = o.Type
		t, err := expr.CommonType("UNION", o.Type, have[i].Type)
		if err != nil {
			return b.at(err, ast.At(itemAt(s.R, i)))
		}
		if t.OID != o.Type.OID {
			return pgerror.New(pgerror.DatatypeMismatch, "recursive query %q column %d has type %s in non-recursive term but type %s overall",
				c.Name, i+1, TypeName(o.Type), TypeName(t)).
				WithHint("Cast the output of the non-recursive term to the correct type.").At(b.pos(itemAt(s.L, i)))
		}
	}
	var err error
	if base.plan, err = b.castColumns(base.plan, want, func(i int) int { return itemAt(s.L, i) }); err != nil {
		return err
	}
	step.plan, err = b.castColumns(step.plan, want, func(i int) int { return itemAt(s.R, i) })
	return err
}

// recursiveTerm checks what a recursive term may do with itself: be named once, and
// not where rows appear for want of it.
func (b *Binder) recursiveTerm(body ast.SelectBody, name string) error {
	s, ok := body.(*ast.Select)
	if !ok {
		return nil
	}
	bad := func(n ast.Node, format string, args ...any) error {
		return pgerror.New("42P19", format, args...).At(b.pos(n.Pos()))
	}
	for _, it := range s.Items {
		if c, ok := it.X.(*ast.FuncCall); ok && c.Over == nil && expr.IsAggregate(c.Name.Last()) && bodyRefersTo(s, name) {
			return bad(c, "aggregate functions are not allowed in a recursive query's recursive term")
		}
	}
	seen := 0
	var walk func(r ast.TableRef, outer bool) error
	walk = func(r ast.TableRef, outer bool) error {
		switch r := r.(type) {
		case *ast.TableName:
			if len(r.Name.Parts) != 1 || r.Name.Last() != name {
				return nil
			}
			if seen++; seen > 1 {
				return bad(r, "recursive reference to query %q must not appear more than once", name)
			}
			if outer {
				return bad(r, "recursive reference to query %q must not appear within an outer join", name)
			}
		case *ast.Join:
			l := outer || r.Kind == ast.RightJoin || r.Kind == ast.FullJoin
			if err := walk(r.L, l); err != nil {
				return err
			}
			return walk(r.R, outer || r.Kind == ast.LeftJoin || r.Kind == ast.FullJoin)
		}
		return nil
	}
	for _, f := range s.From {
		if err := walk(f, false); err != nil {
			return err
		}
	}
	return nil
}
