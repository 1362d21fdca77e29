package binder

import (
	"slices"
	"strconv"

	"velostream/catalog/types"
	"velostream/engine/sql/ast"
	"velostream/engine/sql/expr"
	"velostream/engine/sql/plan"
	"velostream/pgwire/pgerror"
)

// bindGroupBy binds GROUP BY: ordinals, aliases, expressions, time windows.
func (k *block) bindGroupBy() error {
	g := k.sel.GroupBy
	if g == nil {
		return nil
	}
	k.grouped = true
	several := false
	for _, it := range g.Items {
		several = several || it.Kind == ast.GroupRollup || it.Kind == ast.GroupCube || it.Kind == ast.GroupSets
	}
	if several {
		return k.bindGroupingSets(g)
	}
	for _, it := range g.Items {
		if it.Kind != ast.GroupExpr { // the window was bound with FROM
			continue
		}
		if err := k.groupExpr(it.X); err != nil {
			return err
		}
	}
	return nil
}

func (k *block) groupExpr(x ast.Expr) error {
	if r, ok := x.(*ast.Row); ok {
		for _, it := range r.Items {
			if err := k.groupExpr(it); err != nil {
				return err
			}
		}
		return nil
	}
	e, err := k.groupTarget(x)
	if err != nil {
		return err
	}
	if containsAggregate(e) {
		return pgerror.New(pgerror.GroupingError, "aggregate functions are not allowed in GROUP BY").At(k.b.pos(leftmost(x)))
	}
	if e.Type().OID == types.OIDUnknown {
		if e, err = k.b.castTo(e, types.Text, false, leftmost(x)); err != nil {
			return err
		}
	}
	k.addGroup(e, x)
	return nil
}

// groupTarget finds what an item of GROUP BY means: a column of FROM before an
// output name, as PostgreSQL has it.
func (k *block) groupTarget(x ast.Expr) (expr.Expr, error) {
	if it, ok, err := k.ordinal(x, "GROUP BY"); ok || err != nil {
		return it.e, err
	}
	cx := k.context("GROUP BY", false)
	cx.aliases = k.aliasItems()
	return k.b.expr(x, cx)
}

// ordinal resolves an integer constant as the number of a select item.
func (k *block) ordinal(x ast.Expr, clause string) (item, bool, error) {
	l, ok := x.(*ast.Literal)
	if !ok || l.Kind == ast.LitBool {
		return item{}, false, nil
	}
	if l.Kind != ast.LitInteger {
		return item{}, false, pgerror.New(pgerror.SyntaxError, "non-integer constant in %s", clause).At(k.b.pos(l.Pos()))
	}
	n, err := strconv.Atoi(l.Text)
	if err != nil || n < 1 || n > len(k.items) {
		return item{}, false, pgerror.New(pgerror.InvalidColumnReference, "%s position %s is not in select list", clause, l.Text).
			At(k.b.pos(l.Pos()))
	}
	return k.items[n-1], true, nil
}

func (k *block) addGroup(e expr.Expr, src ast.Expr) int {
	for i, g := range k.groups {
		if sameBound(g, e) {
			return i
		}
	}
	k.groups, k.groupSrc = append(k.groups, e), append(k.groupSrc, src)
	return len(k.groups) - 1
}

func (k *block) addAggregate(c plan.AggCall) expr.Expr {
	for i, a := range k.aggs {
		if sameAggregate(a, c) {
			return &aggRef{index: i, t: c.T}
		}
	}
	k.aggs = append(k.aggs, c)
	return &aggRef{index: len(k.aggs) - 1, t: c.T}
}

func sameAggregate(a, b plan.AggCall) bool {
	if a.Name != b.Name || a.Distinct != b.Distinct || a.T != b.T || len(a.Args) != len(b.Args) || len(a.OrderBy) != len(b.OrderBy) {
		return false
	}
	for i := range a.Args {
		if !sameBound(a.Args[i], b.Args[i]) {
			return false
		}
	}
	for i := range a.OrderBy {
		x, y := a.OrderBy[i], b.OrderBy[i]
		if x.Desc != y.Desc || x.NullsFirst != y.NullsFirst || !sameBound(x.Expr, y.Expr) {
			return false
		}
	}
	return (a.Filter == nil) == (b.Filter == nil) && (a.Filter == nil || sameBound(a.Filter, b.Filter))
}

// sameBound is plan.Same for expressions that still hold refs.
func sameBound(a, b expr.Expr) bool {
	if x, ok := a.(*ref); ok {
		y, ok := b.(*ref)
		return ok && x.index == y.index && x.level == y.level
	}
	ca, cb := expr.Children(a), expr.Children(b)
	if len(ca) == 0 || len(ca) != len(cb) {
		return plan.Same(a, b)
	}
	if !plan.SameNode(a, b) {
		return false
	}
	for i := range ca {
		if !sameBound(ca[i], cb[i]) {
			return false
		}
	}
	return true
}

func containsAggregate(e expr.Expr) bool {
	if _, ok := e.(*aggRef); ok {
		return true
	}
	return slices.ContainsFunc(expr.Children(e), containsAggregate)
}

// aggregate puts the grouping over the input. Afterwards expressions are
// brought over its output by regroup.
func (k *block) aggregateNode(sort []orderItem) error {
	bare, err := k.bareColumns()
	if err != nil {
		return err
	}
	if !k.grouping.used {
		k.dependentGroups(sort)
	}
	if w := k.window; w != nil {
		k.addGroup(w.startRef(), nil)
		k.windowEnd = k.addGroup(w.endRef(), nil)
	} else {
		k.groupWindowColumns()
	}
	k.aggs = append(k.aggs, bare...)
	n := &plan.Aggregate{WindowEnd: k.windowEnd, Emit: plan.EmitChanges, Lateness: k.b.emit.delay}
	if w := k.window; w != nil && w.kind == plan.Session {
		n.Lateness = 0 // sessions are held back below
	}
	if k.windowEnd >= 0 && k.b.emit.mode == plan.EmitFinal || k.windowEnd < 0 && k.b.finalAtEnd() && k.b.inputsEnd() {
		n.Emit = plan.EmitFinal
	}
	if err := k.lateRows(n); err != nil {
		return err
	}
	for _, g := range k.groups {
		x, err := k.input0(g)
		if err != nil {
			return err
		}
		n.Groups = append(n.Groups, x)
		c := plan.Column{Type: x.Type()}
		if r, ok := g.(*ref); ok {
			c.Name = r.name
			if o := k.scope.originOf(r.index); o != nil {
				c.Table, c.Attr = o.src, o.attr
			}
		}
		n.Out = append(n.Out, c)
	}
	for _, a := range k.aggs {
		if a, err = k.finishAggregate(a); err != nil {
			return err
		}
		n.Aggs = append(n.Aggs, a)
		n.Out = append(n.Out, plan.Column{Name: a.Name, Type: a.T})
	}
	n.Input = k.input
	k.input = n
	if k.grouping.used {
		k.input = k.grouping.nodes(n)
	}
	return nil
}

// input0 brings an expression that is evaluated before grouping over the
// block's input.
func (k *block) input0(e expr.Expr) (expr.Expr, error) {
	if e == nil {
		return nil, nil
	}
	over := func(e expr.Expr) (expr.Expr, error) { return toCols(k.b, e) }
	e, err := k.attach(e, over)
	if err != nil {
		return nil, err
	}
	return over(e)
}

func (k *block) finishAggregate(a plan.AggCall) (plan.AggCall, error) {
	args := make([]expr.Expr, len(a.Args))
	for i, x := range a.Args {
		y, err := k.input0(x)
		if err != nil {
			return a, err
		}
		args[i] = y
	}
	f, err := k.input0(a.Filter)
	if err != nil {
		return a, err
	}
	a.Args, a.Filter = args, f
	order := make([]plan.SortKey, len(a.OrderBy))
	for i, o := range a.OrderBy {
		if o.Expr, err = k.input0(o.Expr); err != nil {
			return a, err
		}
		order[i] = o
	}
	if a.OrderBy = order; len(order) == 0 {
		a.OrderBy = nil
	}
	return a, nil
}

// bareColumns are the first values of columns that a query with a WINDOW
// clause names without grouping by them; elsewhere these are 42803.
func (k *block) bareColumns() ([]plan.AggCall, error) {
	if k.window == nil || k.window.place != ast.PlaceClause {
		return nil, nil
	}
	var out []plan.AggCall
	seen := map[int]int{}
	var walk func(e expr.Expr) (expr.Expr, error)
	walk = func(e expr.Expr) (expr.Expr, error) {
		if k.isGroup(e) {
			return e, nil
		}
		r, ok := e.(*ref)
		if !ok {
			return plan.MapChildren(e, walk)
		}
		if r.level > 0 || k.window.owns(r.index) {
			return e, nil
		}
		i, ok := seen[r.index]
		if !ok {
			i = len(k.aggs) + len(out)
			seen[r.index] = i
			out = append(out, plan.AggCall{Name: "first_value", Args: []expr.Expr{r}, OrderBy: k.timeOrder(), T: r.t})
		}
		return &aggRef{index: i, t: r.t}, nil
	}
	for i, it := range k.items {
		x, err := walk(it.e)
		if err != nil {
			return nil, err
		}
		if r, ok := it.e.(*ref); ok && k.items[i].col == nil {
			k.items[i].col = k.scope.originOf(r.index)
		}
		k.items[i].e = x
	}
	if k.having != nil {
		h, err := walk(k.having)
		if err != nil {
			return nil, err
		}
		k.having = h
	}
	return out, nil
}

func (k *block) isGroup(e expr.Expr) bool {
	for _, g := range k.groups {
		if sameBound(g, e) {
			return true
		}
	}
	return false
}

// groupWindowColumns finds the columns of a windowing table function among the
// groups. The end is added where only the start is grouped by and tells it.
func (k *block) groupWindowColumns() {
	start := -1
	for i, g := range k.groups {
		r, ok := g.(*ref)
		if !ok || r.level > 0 {
			continue
		}
		o := k.scope.originOf(r.index)
		if o == nil {
			continue
		}
		switch o.role {
		case windowEnd:
			k.windowEnd = i
		case windowStart:
			start = r.index
		default:
		}
	}
	if start < 0 || k.windowEnd >= 0 {
		return
	}
	for i := range k.scope.cols {
		c := &k.scope.cols[i]
		if c.role == windowEnd && c.index == start+1 && !k.scope.originOf(start).sliding {
			k.windowEnd = k.addGroup(&ref{index: c.index, t: c.t, table: c.table, name: c.name}, nil)
		}
	}
}

// dependentGroups groups also by the columns that are named beside the whole
// primary key of their table, which determines them.
func (k *block) dependentGroups(sort []orderItem) {
	determined := map[string]bool{}
	for _, t := range k.scope.tables {
		all := len(t.key) > 0
		for _, c := range t.key {
			all = all && k.isGroup(&ref{index: c})
		}
		if all {
			determined[t.alias] = true
		}
	}
	if len(determined) == 0 {
		return
	}
	var walk func(e expr.Expr)
	walk = func(e expr.Expr) {
		if e == nil || k.isGroup(e) {
			return
		}
		if r, ok := e.(*ref); ok && r.level == 0 && determined[r.table] {
			k.addGroup(r, nil)
		}
		for _, a := range expr.Children(e) {
			walk(a)
		}
	}
	for _, it := range k.items {
		walk(it.e)
	}
	walk(k.having)
	k.eachOver(walk)
	for _, o := range sort {
		walk(o.e)
	}
}

// regroup brings an expression over the Aggregate's output.
func (k *block) regroup(e expr.Expr) (expr.Expr, error) {
	for i, g := range k.groups {
		if sameBound(g, e) {
			c := &expr.Col{Index: i, T: g.Type()}
			if r, ok := g.(*ref); ok {
				c.Name = r.name
			}
			return c, nil
		}
	}
	switch e := e.(type) {
	case *aggRef:
		return &expr.Col{Index: len(k.groups) + e.index, T: e.t, Name: k.aggs[e.index].Name}, nil
	case *groupingRef:
		return k.groupingValue(e)
	case *ref:
		if e.level > 0 {
			return outerOf(e), nil
		}
		return nil, pgerror.New(pgerror.GroupingError,
			"column %q must appear in the GROUP BY clause or be used in an aggregate function", e.display()).At(e.pos)
	case *expr.Const, *expr.Param, *expr.Col, *outerRef:
		return e, nil
	}
	return plan.MapChildren(e, k.regroup)
}

// final brings an expression of SELECT, HAVING or ORDER BY over k.input as it
// is after grouping.
func (k *block) final(e expr.Expr) (expr.Expr, error) {
	over := k.regroup
	if !k.grouped {
		over = func(e expr.Expr) (expr.Expr, error) { return toCols(k.b, e) }
	}
	e, err := k.placed(e)
	if err != nil {
		return nil, err
	}
	if e, err = k.attach(e, over); err != nil {
		return nil, err
	}
	return over(e)
}
