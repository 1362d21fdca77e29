package binder

import (
	"velostream/engine/sql/ast"
	"velostream/engine/sql/expr"
	"velostream/engine/sql/plan"
	"velostream/pgwire/pgerror"
)

// cteScope are the common table expressions in sight, innermost first.
type cteScope struct {
	name   string
	query  *ast.Query
	cte    *ast.CTE
	bound  *relation // after the first use
	id     int       // of its shared subplan, 0: not yet
	outer  *cteScope // those that its own query sees, and the rest
	parent *Scope    // the names of the queries around the one with the WITH
	silent bool      // it changes rows and has no RETURNING
}

func (c *cteScope) find(name string) *cteScope {
	for ; c != nil; c = c.outer {
		if c.name == name {
			return c
		}
	}
	return nil
}

// with makes the expressions of w known; the caller restores b.ctes after.
func (b *Binder) with(w *ast.With, parent *Scope) error {
	if w == nil {
		return nil
	}
	seen := map[string]bool{}
	for i := range w.CTEs {
		c := &w.CTEs[i]
		if seen[c.Name] {
			return pgerror.New(pgerror.DuplicateAlias, "WITH query name %q specified more than once", c.Name).At(b.pos(c.Pos()))
		}
		seen[c.Name] = true
		q, ok := c.Stmt.(*ast.Query)
		switch {
		case !ok:
			if err := b.changing(w, c); err != nil {
				return err
			}
			continue
		case (c.Search != nil || c.Cycle != nil) && (!w.Recursive || !refersTo(q, c.Name)):
			return pgerror.New(pgerror.SyntaxError, "WITH query is not recursive").At(b.pos(c.Pos()))
		}
		if w.Recursive && refersTo(q, c.Name) {
			if err := b.recursive(c, q, parent); err != nil {
				return err
			}
			continue
		}
		b.ctes = &cteScope{name: c.Name, query: q, cte: c, outer: b.ctes, parent: parent}
		// Bound at once, so that errors are found in what nothing uses too.
		if _, err := b.cte(b.ctes); err != nil {
			return err
		}
	}
	return nil
}

func (b *Binder) cte(c *cteScope) (*relation, error) {
	if c.bound != nil {
		return c.bound, nil
	}
	saved := b.ctes
	b.ctes = c.outer
	defer func() { b.ctes = saved }()
	r, err := b.query(c.query, c.parent)
	if err != nil {
		return nil, err
	}
	if err := b.textForUnknown(r); err != nil {
		return nil, err
	}
	if n := len(visible(r.plan.Schema())); len(c.cte.Columns) > n {
		return nil, pgerror.New(pgerror.InvalidColumnReference, "WITH query %q has %d columns available but %d columns specified",
			c.name, n, len(c.cte.Columns)).At(b.pos(c.cte.Pos()))
	}
	if len(c.cte.Columns) > 0 {
		r.plan = renamed(r.plan, c.cte.Columns, 0)
	}
	c.bound = r
	return r, nil
}

func (b *Binder) cteRef(c *cteScope, r *ast.TableName, around *Scope) (*fromItem, error) {
	if c.silent {
		return nil, b.missing(r, "WITH query %q does not have a RETURNING clause", c.name)
	}
	rel, err := b.cte(c)
	if err != nil {
		return nil, err
	}
	if b.nodes += size(rel.plan); b.nodes > maxNodes {
		return nil, pgerror.New(pgerror.StatementTooComplex, "the query reads too many relations").At(b.pos(r.Pos()))
	}
	rel = raised(b.sharedCTE(c, rel), depthOf(around)-depthOf(c.parent))
	return b.named(rel, tableName{alias: c.name, real: c.name, event: rel.event}, r.Alias)
}

// depthOf is how many queries there are from s outwards.
func depthOf(s *Scope) int {
	n := 0
	for ; s != nil; s = s.parent {
		n++
	}
	return n
}

// raised is a relation seen from by queries further in than where it was bound.
func raised(r *relation, by int) *relation {
	if by == 0 || !dependent(r.plan) {
		return r
	}
	out := *r
	var raise func(e expr.Expr) (expr.Expr, error)
	raise = func(e expr.Expr) (expr.Expr, error) {
		if o, ok := e.(*outerRef); ok {
			return &outerRef{e: o.e, level: o.level + by}, nil
		}
		return plan.MapChildren(e, raise)
	}
	out.plan, _ = plan.MapExprs(r.plan, raise)
	return &out
}

// refersTo reports whether a FROM in q names the relation name.
func refersTo(q *ast.Query, name string) bool { return q != nil && bodyRefersTo(q.Body, name) }

func bodyRefersTo(s ast.SelectBody, name string) bool {
	switch s := s.(type) {
	case *ast.Query:
		return refersTo(s, name)
	case *ast.SetOp:
		return bodyRefersTo(s.L, name) || bodyRefersTo(s.R, name)
	case *ast.TableCommand:
		return tableRefersTo(s.Table, name)
	case *ast.Select:
		for _, t := range s.From {
			if tableRefersTo(t, name) {
				return true
			}
		}
	}
	return false
}

func tableRefersTo(t ast.TableRef, name string) bool {
	switch t := t.(type) {
	case *ast.TableName:
		return len(t.Name.Parts) == 1 && t.Name.Last() == name
	case *ast.Join:
		return tableRefersTo(t.L, name) || tableRefersTo(t.R, name)
	case *ast.SubqueryRef:
		return refersTo(t.Query, name)
	case *ast.WindowRef:
		return tableRefersTo(t.Input, name)
	}
	return false
}
