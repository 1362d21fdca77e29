package binder

import (
	"errors"
	"slices"

	"velostream/catalog/types"
	"velostream/engine/sql/ast"
	"velostream/engine/sql/expr"
	"velostream/engine/sql/plan"
	"velostream/pgwire/pgerror"
)

// subPlan is a scalar subquery on its way into the plan: at most one row, or at
// most one for each value of its keys.
type subPlan struct {
	plan  plan.Logical
	one   bool        // exactly one row
	outer []expr.Expr // of the query around it, equal to the
	inner []int       // columns of plan
	value expr.Expr   // over plan's columns, NULL where no row matches
}

// subRef stands for the value of a scalar subquery.
type subRef struct {
	sub *subPlan
	t   types.Type
	// value, if set, is that of one of several columns, in the place of sub's.
	value expr.Expr
}

// Type is the type of the subquery's column.
func (s *subRef) Type() types.Type { return s.t }

// rowOfQuery binds a query of at most one row, whose values it returns.
func (b *Binder) rowOfQuery(e *ast.Subquery, cx *context) ([]expr.Expr, error) {
	r, err := b.subquery(e.Query, cx, e)
	if err != nil {
		return nil, err
	}
	s := r.plan.Schema()
	sub := &subPlan{plan: r.plan}
	var atMost bool
	if sub.one, atMost = rowCount(r.plan); !atMost {
		sub.plan, sub.one = singleRow(r.plan), true
	}
	out := make([]expr.Expr, len(s))
	for i, c := range s {
		out[i] = &subRef{sub: sub, t: c.Type, value: &expr.Col{Index: i, T: c.Type, Name: c.Name}}
	}
	return out, nil
}

// attach joins the scalar subqueries in e to the block's input and puts their
// values in their place. over brings what they are joined by over the input.
func (k *block) attach(e expr.Expr, over func(expr.Expr) (expr.Expr, error)) (expr.Expr, error) {
	s, ok := e.(*subRef)
	if !ok {
		return plan.MapChildren(e, func(a expr.Expr) (expr.Expr, error) { return k.attach(a, over) })
	}
	value := s.sub.value
	if s.value != nil {
		value = s.value
		if at, ok := k.joined[s.sub]; ok {
			return plan.Shift(value, at), nil
		}
	}
	kind := plan.LeftJoin
	if s.sub.one {
		kind = plan.CrossJoin
	}
	sub, outer, err := k.correlate(s.sub.plan, over)
	if err != nil {
		return nil, err
	}
	if len(outer) > 0 {
		kind = plan.LeftJoin
	}
	n := len(k.input.Schema())
	j := newJoin(kind, k.input, sub)
	k.equateOuter(j, outer)
	right := sub.Schema()[len(outer):]
	for i, o := range s.sub.outer {
		x, err := over(o)
		if err != nil {
			return nil, err
		}
		j.EqualLeft = append(j.EqualLeft, x)
		c := right[s.sub.inner[i]]
		j.EqualRight = append(j.EqualRight, &expr.Col{Index: len(outer) + s.sub.inner[i], T: c.Type, Name: c.Name})
	}
	k.input = j
	if s.value != nil {
		if k.joined == nil {
			k.joined = map[*subPlan]int{}
		}
		k.joined[s.sub] = n + len(outer)
	}
	return plan.Shift(value, n+len(outer)), nil
}

// scalarSubquery binds (SELECT …) as a value.
func (b *Binder) scalarSubquery(e *ast.Subquery, cx *context) (expr.Expr, error) {
	if cx.subs == nil {
		return nil, b.missing(e, "subqueries in %s are not supported", cx.clause)
	}
	if s, ok := simpleSelect(e.Query); ok && len(e.Query.OrderBy) == 0 && !s.Distinct && len(s.Items) == 1 {
		if x, err := b.simpleScalar(s, cx, e); !errors.Is(err, errGeneral) {
			return x, err
		}
	}
	r, err := b.subquery(e.Query, cx, e)
	if err != nil {
		return nil, err
	}
	return b.scalarOf(r, e)
}

func (b *Binder) scalarOf(r *relation, n ast.Node) (expr.Expr, error) {
	s := r.plan.Schema()
	if len(s) != 1 {
		return nil, pgerror.New(pgerror.SyntaxError, "subquery must return only one column").At(b.pos(n.Pos()))
	}
	one, atMost := rowCount(r.plan)
	if !atMost {
		r.plan, one = singleRow(r.plan), true
	}
	value := &expr.Col{Index: 0, T: s[0].Type, Name: s[0].Name}
	return &subRef{sub: &subPlan{plan: r.plan, one: one, value: value}, t: s[0].Type}, nil
}

// errGeneral says that a subquery is not of the simple kinds.
var errGeneral = errors.New("binder: not a simple subquery")

// singleRow makes p one row: NULL where it has none; several are an error when it runs.
func singleRow(p plan.Logical) plan.Logical {
	a := &plan.Aggregate{Input: p, Emit: plan.EmitChanges, WindowEnd: -1}
	for i, c := range p.Schema() {
		a.Out = append(a.Out, plan.Column{Name: c.Name, Type: c.Type})
		a.Aggs = append(a.Aggs, plan.AggCall{Name: "single_value", Args: []expr.Expr{&expr.Col{Index: i, T: c.Type, Name: c.Name}}, T: c.Type})
	}
	return a
}

// simpleSelect is q's SELECT when nothing is around it or in it but FROM and
// WHERE, whose conditions may then refer to the query around it.
func simpleSelect(q *ast.Query) (*ast.Select, bool) {
	s, ok := q.Body.(*ast.Select)
	return s, ok && q.With == nil && q.Limit == nil && len(q.Locking) == 0 && s.GroupBy == nil && s.Having == nil && s.Window == nil && len(s.DistinctOn) == 0
}

// simpleScalar binds a subquery that may be correlated: an aggregate of the
// rows that are equal to the outer row in some columns, or a lookup by primary key.
func (b *Binder) simpleScalar(s *ast.Select, cx *context, n ast.Node) (expr.Expr, error) {
	if b.depth++; b.depth > maxDepth {
		return nil, pgerror.New(pgerror.StatementTooComplex, "queries are nested too deeply").At(b.pos(n.Pos()))
	}
	defer func() { b.depth-- }()
	var conds []expr.Expr
	k := &block{b: b, sel: s, windowEnd: -1, correlated: &conds}
	for _, step := range []func() error{func() error { return k.bindFrom(cx.scope) }, k.bindItems, k.bindWhere} {
		if err := step(); err != nil {
			return nil, err
		}
	}
	if len(conds) == 0 {
		r, err := k.finish(nil)
		if err != nil {
			return nil, err
		}
		if err := b.textForUnknown(r); err != nil {
			return nil, err
		}
		return b.scalarOf(r, n)
	}
	if len(k.items) != 1 {
		return nil, pgerror.New(pgerror.SyntaxError, "subquery must return only one column").At(b.pos(n.Pos()))
	}
	if len(k.overs)+len(k.sets) > 0 {
		return nil, errGeneral
	}
	sub := &subPlan{}
	inner := make([]expr.Expr, len(conds))
	for i, c := range conds {
		o, in, err := b.correlatedEquality(c)
		if err != nil {
			return nil, err
		}
		sub.outer, inner[i] = append(sub.outer, o), in
	}
	if len(k.aggs) > 0 {
		return k.correlatedAggregate(sub, inner)
	}
	return k.correlatedRow(sub, inner)
}

// correlatedEquality splits a condition into an expression of the query around
// and one of the subquery, of the same type.
func (b *Binder) correlatedEquality(c expr.Expr) (outer, inner expr.Expr, err error) {
	outer, inner, ok := plan.IsEquality(c)
	if ok && !hasOuter(outer) {
		outer, inner = inner, outer
	}
	if !ok || hasOuter(inner) || !hasOuter(outer) || hasInner(outer) {
		return nil, nil, errGeneral
	}
	if outer.Type().OID != inner.Type().OID {
		t, err := expr.CommonType("subquery", outer.Type(), inner.Type())
		if err != nil {
			return nil, nil, errGeneral
		}
		if outer, err = expr.CastTo(outer, t, false, 0, b.Format); err != nil {
			return nil, nil, err
		}
		if inner, err = expr.CastTo(inner, t, false, 0, b.Format); err != nil {
			return nil, nil, err
		}
	}
	outer, err = toOuter(outer, 0)
	return outer, inner, err
}

func hasInner(e expr.Expr) bool {
	if r, ok := e.(*ref); ok {
		return r.level == 0
	}
	return slices.ContainsFunc(expr.Children(e), hasInner)
}

// correlatedAggregate groups by what the outer row is compared with. Where no
// row matches there is no group: counts are 0 then, all else is NULL.
func (k *block) correlatedAggregate(sub *subPlan, inner []expr.Expr) (expr.Expr, error) {
	for _, e := range inner {
		sub.inner = append(sub.inner, k.addGroup(e, nil))
	}
	k.grouped = true
	if err := k.aggregateNode(nil); err != nil {
		return nil, err
	}
	v, err := k.final(k.items[0].e)
	if err != nil {
		return nil, err
	}
	groups := len(k.groups)
	sub.value = plan.Remap(v, func(c *expr.Col) expr.Expr {
		if i := c.Index - groups; i >= 0 && i < len(k.aggs) && k.aggs[i].Name == "count" {
			return &expr.Coalesce{Args: []expr.Expr{c, &expr.Const{Value: types.IntDatum(0), T: c.T}}, T: c.T}
		}
		return c
	})
	sub.plan = k.input
	return &subRef{sub: sub, t: v.Type()}, nil
}

// correlatedRow is the one row whose primary key the outer row gives.
func (k *block) correlatedRow(sub *subPlan, inner []expr.Expr) (expr.Expr, error) {
	cols := map[int]bool{}
	for _, e := range inner {
		if r, ok := e.(*ref); ok {
			cols[r.index] = true
		}
	}
	if len(k.scope.tables) != 1 || len(k.scope.tables[0].key) == 0 ||
		slices.ContainsFunc(k.scope.tables[0].key, func(c int) bool { return !cols[c] }) {
		return nil, errGeneral
	}
	p := &plan.Project{}
	for _, e := range append(inner, k.items[0].e) {
		x, err := k.input0(e)
		if err != nil {
			return nil, err
		}
		p.Exprs = append(p.Exprs, x)
		p.Out = append(p.Out, plan.Column{Type: x.Type()})
	}
	p.Input, sub.plan = k.input, p
	last := len(inner)
	for i := range inner {
		sub.inner = append(sub.inner, i)
	}
	sub.value = &expr.Col{Index: last, T: p.Out[last].Type}
	return &subRef{sub: sub, t: p.Out[last].Type}, nil
}

func (b *Binder) subquery(q *ast.Query, cx *context, n ast.Node) (*relation, error) {
	if cx.subs == nil {
		return nil, b.missing(n, "subqueries in %s are not supported", cx.clause)
	}
	r, err := b.query(q, cx.scope)
	if err != nil {
		return nil, err
	}
	return r, b.textForUnknown(r)
}

// rowCount says whether p has exactly one row, and whether at most one.
func rowCount(p plan.Logical) (one, atMost bool) {
	switch p := p.(type) {
	case *plan.Aggregate:
		return len(p.Groups) == 0, len(p.Groups) == 0
	case *plan.Values:
		return len(p.Rows) == 1, len(p.Rows) <= 1
	case *plan.Project:
		return rowCount(p.Input)
	case *plan.Sort:
		return rowCount(p.Input)
	case *plan.Shared:
		return rowCount(p.Input)
	case *plan.Filter:
		if s, ok := p.Input.(*plan.Scan); ok && s.Keyed && fixesKey(p.Cond, s.Key) {
			return false, true
		}
		_, atMost = rowCount(p.Input)
		return false, atMost
	case *plan.Limit:
		one, atMost = rowCount(p.Input)
		if c, ok := p.Count.(*expr.Const); ok && c.T == types.Int8 && !c.Value.Null && c.Value.I <= 1 {
			atMost = true
		}
		return one && p.Count == nil && p.Offset == nil && p.Bounds == nil, atMost
	}
	return false, false
}

// fixesKey reports that cond gives each column of key one value.
func fixesKey(cond expr.Expr, key []int) bool {
	fixed := map[int]bool{}
	for _, c := range plan.Conjuncts(cond) {
		l, r, ok := plan.IsEquality(c)
		if !ok {
			continue
		}
		if constant(l) {
			l, r = r, l
		}
		if x, ok := l.(*expr.Col); ok && constant(r) {
			fixed[x.Index] = true
		}
	}
	return !slices.ContainsFunc(key, func(c int) bool { return !fixed[c] })
}

// existsValue is EXISTS as a value: whether the count of rows is not 0.
func (b *Binder) existsValue(e *ast.Exists, cx *context) (expr.Expr, error) {
	if cx.subs == nil {
		return nil, b.missing(e, "subqueries in %s are not supported", cx.clause)
	}
	count, err := b.countOf(e, cx)
	if err != nil {
		return nil, err
	}
	return b.call(">", true, []expr.Expr{count, &expr.Const{Value: types.IntDatum(0), T: types.Int8}}, []ast.Expr{e, e}, e)
}

func (b *Binder) countOf(e *ast.Exists, cx *context) (expr.Expr, error) {
	if s, ok := simpleSelect(e.Query); ok {
		// The select list is bound for its errors only, and for aggregates, which
		// make one row of any.
		probe := &block{b: b, sel: s, windowEnd: -1}
		if err := probe.bindFrom(cx.scope); err != nil {
			return nil, err
		}
		if err := probe.bindItems(); err != nil {
			return nil, err
		}
		if len(probe.aggs)+len(probe.sets) == 0 {
			counted := *s
			counted.Distinct = false
			star := &ast.FuncCall{At: s.At, Name: ast.Name{At: s.At, Parts: []string{"count"}}, Star: true}
			counted.Items = []ast.SelectItem{{At: s.At, X: star}}
			x, err := b.simpleScalar(&counted, cx, e)
			if !errors.Is(err, errGeneral) {
				return x, err
			}
		}
	}
	r, err := b.subquery(e.Query, cx, e)
	if err != nil {
		return nil, err
	}
	count := &plan.Aggregate{
		Input: r.plan, Emit: plan.EmitChanges, WindowEnd: -1,
		Aggs: []plan.AggCall{{Name: "count", T: types.Int8}}, Out: plan.Schema{{Name: "count", Type: types.Int8}},
	}
	value := &expr.Col{Index: 0, T: types.Int8, Name: "count"}
	return &subRef{sub: &subPlan{plan: count, one: true, value: value}, t: types.Int8}, nil
}
