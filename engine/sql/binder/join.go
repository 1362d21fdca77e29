package binder

import (
	"slices"

	"velostream/catalog/types"
	"velostream/engine/sql/ast"
	"velostream/engine/sql/expr"
	"velostream/engine/sql/plan"
	"velostream/pgwire/pgerror"
)

var joinKinds = map[ast.JoinKind]plan.JoinKind{
	ast.InnerJoin: plan.InnerJoin, ast.LeftJoin: plan.LeftJoin, ast.RightJoin: plan.RightJoin,
	ast.FullJoin: plan.FullJoin, ast.CrossJoin: plan.CrossJoin,
}

func (b *Binder) join(r *ast.Join, around surroundings) (*fromItem, error) {
	ref, at := asOf(r)
	l, err := b.tableRef(r.L, around)
	if err != nil {
		return nil, err
	}
	rt, err := b.tableRef(ref, around.beside(l.scope))
	if err != nil {
		return nil, err
	}
	if b.Trace != nil {
		b.Trace.Items[r.R] = b.Trace.Items[ref]
	}
	if err := b.distinctNames(l.scope, rt.scope, r.R); err != nil {
		return nil, err
	}
	n := len(l.plan.Schema())
	f := &fromItem{scope: joinScopes(l.scope, rt.scope, n)}
	f.scope.parent = around.plain
	j := newJoin(joinKinds[r.Kind], l.plan, rt.plan)
	f.plan = j
	f.scope.leaveOut(j.Kind, len(l.scope.tables))
	switch {
	case r.Natural || len(r.Using) > 0:
		err = b.using(f, j, r, l.scope, rt.scope, n)
	case r.On != nil:
		err = b.on(f, j, r.On)
	}
	switch {
	case err != nil:
	case len(j.Left.Schema()) != n && (at != nil || r.AsOf || r.Within != nil):
		err = b.missing(r.On, "a subquery in the condition of a join by time that uses columns of its left side is not supported")
	case at != nil && r.AsOf:
		err = pgerror.Unsupported("ASOF and FOR SYSTEM_TIME AS OF exclude each other").At(b.pos(at.Pos()))
	case at != nil:
		err = b.temporal(f, j, r, at, l.scope, rt.scope)
	case r.AsOf:
		err = b.nearest(f, j, r, l.scope, rt.scope)
	case r.Within != nil:
		err = b.within(j, r, l.scope, rt.scope, n)
	case b.Bounds.Given:
		err = b.optionBounds(j, r, l.scope, rt.scope, n)
	}
	if err != nil {
		return nil, err
	}
	if dependent(rt.plan) {
		if f.plan != plan.Logical(j) {
			return nil, b.missing(r, "this kind of LATERAL join is not supported")
		}
		if f.plan, err = b.dependentJoin(j); err != nil {
			return nil, b.at(err, r)
		}
	}
	if r.Alias != nil {
		return b.named(&relation{plan: f.plan, event: -1}, tableName{event: -1}, r.Alias)
	}
	return f, nil
}

// leaveOut notes which tables a join may leave out; the first n are those of its left side.
func (s *Scope) leaveOut(kind plan.JoinKind, n int) {
	for i := range s.tables {
		left := i < n
		s.tables[i].nullable = s.tables[i].nullable || kind == plan.FullJoin ||
			kind == plan.LeftJoin && !left || kind == plan.RightJoin && left
	}
}

// within adds that the event times of the two sides are at most the interval apart.
func (b *Binder) within(j *plan.Join, r *ast.Join, l, rt *Scope, n int) error {
	d, err := b.positive(r.Within, "the interval of WITHIN")
	if err != nil {
		return err
	}
	lt, err := b.eventTime(l, "left", r.Within)
	if err != nil {
		return err
	}
	right, err := b.eventTime(rt, "right", r.Within)
	if err != nil {
		return err
	}
	right.Index += n
	return b.apart(j, lt, right, -d, d, r.Within)
}

// optionBounds adds what join.lower_bound and join.upper_bound say of the event times of two
// streams.
func (b *Binder) optionBounds(j *plan.Join, r *ast.Join, l, rt *Scope, n int) error {
	at := ast.Expr(&ast.Literal{At: r.At})
	lt, err := b.eventTime(l, "left", at)
	if err != nil {
		return nil //nolint:nilerr // checkBounds tells when there is no such join
	}
	right, err := b.eventTime(rt, "right", at)
	if err != nil {
		return nil //nolint:nilerr // likewise
	}
	right.Index += n
	b.boundJoins++
	return b.apart(j, lt, right, b.Bounds.Lower, b.Bounds.Upper, at)
}

// checkBounds refuses bounds that hold for no join, or for several.
func (b *Binder) checkBounds() error {
	if !b.Bounds.Given || b.boundJoins == 1 {
		return nil
	}
	return pgerror.New(pgerror.InvalidParameterValue, "join.lower_bound and join.upper_bound need one join of two streams with event times, not %d", b.boundJoins).
		WithHint("Write the bounds in the join: b.ts BETWEEN a.ts - INTERVAL '10' SECOND AND a.ts + INTERVAL '10' SECOND.").At(b.Bounds.Pos)
}

// apart adds that right is from left + lo to left + hi, µs.
func (b *Binder) apart(j *plan.Join, left, right *expr.Col, lo, hi int64, at ast.Expr) error {
	src := []ast.Expr{at, at}
	conds := plan.Conjuncts(j.Cond)
	for _, side := range []struct {
		op string
		by int64
	}{{">=", lo}, {"<=", hi}} {
		by := &expr.Const{Value: types.Datum{Iv: types.Interval{Micros: side.by}}, T: types.IntervalT}
		edge, err := b.call("+", true, []expr.Expr{left, by}, src, at)
		if err != nil {
			return err
		}
		c, err := b.call(side.op, true, []expr.Expr{right, edge}, src, at)
		if err != nil {
			return err
		}
		conds = append(conds, c)
	}
	j.Cond = plan.All(conds)
	return nil
}

// eventTime is the event time column of a side of a join.
func (b *Binder) eventTime(s *Scope, side string, at ast.Node) (*expr.Col, error) {
	for _, t := range s.tables {
		if t.event < 0 {
			continue
		}
		if c := s.originOf(t.event); c != nil && isTime(c.t) {
			return &expr.Col{Index: c.index, T: c.t, Name: c.name}, nil
		}
	}
	return nil, pgerror.New(pgerror.InvalidColumnReference, "the %s side of the join has no event time", side).
		WithHint("Declare WATERMARK FOR on the stream, or write the condition on its times in ON.").At(b.pos(at.Pos()))
}

// on splits the condition into equalities between the two sides and the rest.
func (b *Binder) on(f *fromItem, j *plan.Join, on ast.Expr) error {
	x, err := b.onCondition(f, j, on)
	if x == nil || err != nil {
		return err
	}
	var rest []expr.Expr
	n := len(j.Left.Schema())
	for _, c := range plan.Conjuncts(x) {
		if !SplitEquality(j, c, n) {
			rest = append(rest, c)
		}
	}
	j.Cond = plan.All(rest)
	return nil
}

// SplitEquality adds cond to j's equal keys when it equates an expression of
// the left side, whose columns are the first n, with one of the right.
func SplitEquality(j *plan.Join, cond expr.Expr, n int) bool {
	l, r, ok := plan.IsEquality(cond)
	if !ok {
		return false
	}
	ls, rs := sides(l, n), sides(r, n)
	if ls == rightSide && rs == leftSide {
		l, r, ls, rs = r, l, rs, ls
	}
	if ls != leftSide || rs != rightSide {
		return false
	}
	if l.Type().OID != r.Type().OID {
		t, err := expr.CommonType("JOIN", l.Type(), r.Type())
		if err != nil {
			return false
		}
		if l, err = expr.CastTo(l, t, false, 0, nil); err != nil {
			return false
		}
		if r, err = expr.CastTo(r, t, false, 0, nil); err != nil {
			return false
		}
	}
	j.EqualLeft = append(j.EqualLeft, l)
	j.EqualRight = append(j.EqualRight, plan.Shift(r, -n))
	if j.Kind == plan.CrossJoin {
		j.Kind = plan.InnerJoin
	}
	return true
}

const (
	noSide = iota
	leftSide
	rightSide
	bothSides
)

func sides(e expr.Expr, n int) int {
	s := noSide
	plan.EachColumn(e, func(c *expr.Col) {
		if c.Index < n {
			s |= leftSide
		} else {
			s |= rightSide
		}
	})
	return s
}

// using joins on columns of equal names, which come first in * and once.
func (b *Binder) using(f *fromItem, j *plan.Join, r *ast.Join, l, rt *Scope, n int) error {
	names := r.Using
	if r.Natural {
		for _, c := range l.cols {
			if _, m := rt.find("", c.name); !c.hidden && !c.qualified && m > 0 {
				if o, _ := rt.find("", c.name); !o.hidden {
					names = append(names, ast.Ident{At: ast.At(r.Pos()), Name: c.name})
				}
			}
		}
	}
	if len(names) == 0 {
		j.Kind = plan.CrossJoin
		if r.Kind != ast.InnerJoin {
			j.Kind = joinKinds[r.Kind]
		}
		return nil
	}
	merged := make([]column, 0, len(names))
	var full []expr.Expr
	for i, u := range names {
		if slices.ContainsFunc(names[:i], func(o ast.Ident) bool { return o.Name == u.Name }) {
			return pgerror.New(pgerror.DuplicateColumn, "column name %q appears more than once in USING clause", u.Name).At(b.pos(u.Pos()))
		}
		lc, err := b.usingColumn(l, u, "left")
		if err != nil {
			return err
		}
		rc, err := b.usingColumn(rt, u, "right")
		if err != nil {
			return err
		}
		le, re := &expr.Col{Index: lc.index, T: lc.t, Name: lc.name}, &expr.Col{Index: rc.index + n, T: rc.t, Name: rc.name}
		src := []ast.Expr{&ast.Default{At: u.At}, &ast.Default{At: u.At}}
		eq, err := b.call("=", true, []expr.Expr{le, re}, src, u)
		if err != nil {
			return err
		}
		SplitEquality(j, eq, n)
		m := column{name: u.Name, index: lc.index, t: lc.t, src: lc.src, attr: lc.attr, role: lc.role}
		switch r.Kind {
		case ast.RightJoin:
			m.index, m.t, m.src, m.attr = rc.index+n, rc.t, rc.src, rc.attr
		case ast.FullJoin:
			t, err := expr.CommonType("JOIN/USING", lc.t, rc.t)
			if err != nil {
				return b.at(err, u)
			}
			c := &expr.Coalesce{Args: []expr.Expr{le, re}, T: t}
			for i, a := range c.Args {
				if c.Args[i], err = expr.CastTo(a, t, false, 0, b.Format); err != nil {
					return err
				}
			}
			m.index, m.t, m.src, m.attr = len(j.Out)+len(full), t, 0, 0
			full = append(full, c)
		default:
		}
		merged = append(merged, m)
		f.hide(lc.index, rc.index+n)
	}
	f.scope.cols = append(merged, f.scope.cols...)
	if len(full) > 0 {
		f.plan = appendColumns(j, full, names)
	}
	return nil
}

func (f *fromItem) hide(indices ...int) {
	for _, x := range indices {
		for i := range f.scope.cols {
			if f.scope.cols[i].index == x {
				f.scope.cols[i].qualified = true
			}
		}
	}
}

func appendColumns(p plan.Logical, es []expr.Expr, names []ast.Ident) plan.Logical {
	s := p.Schema()
	out := append(plan.Schema(nil), s...)
	for i, e := range es {
		out = append(out, plan.Column{Name: names[i].Name, Type: e.Type()})
	}
	return &plan.Project{Input: p, Exprs: append(identity(s), es...), Out: out}
}

func (b *Binder) usingColumn(s *Scope, u ast.Ident, side string) (*column, error) {
	c, n := s.find("", u.Name)
	switch {
	case c == nil:
		return nil, pgerror.New(pgerror.UndefinedColumn, "column %q specified in USING clause does not exist in %s table", u.Name, side).
			At(b.pos(u.Pos()))
	case n > 1:
		return nil, pgerror.New(pgerror.AmbiguousColumn, "common column name %q appears more than once in %s table", u.Name, side).
			At(b.pos(u.Pos()))
	}
	b.reads(c)
	return c, nil
}

// toColsFrom is toCols for an input whose first column is column first of the scope.
// Columns that are of the input already stay.
func (b *Binder) toColsFrom(e expr.Expr, first int) (expr.Expr, error) {
	if r, ok := e.(*ref); ok && r.level == 0 {
		c := r.col()
		c.Index -= first
		return c, nil
	}
	if len(expr.Children(e)) == 0 {
		return toCols(b, e)
	}
	return plan.MapChildren(e, func(a expr.Expr) (expr.Expr, error) { return b.toColsFrom(a, first) })
}

// toCols turns the references of e into columns of the input. References to
// the query around it are refused.
func toCols(b *Binder, e expr.Expr) (expr.Expr, error) {
	if e == nil {
		return nil, nil
	}
	switch e := e.(type) {
	case *ref:
		if e.level > 0 {
			return outerOf(e), nil
		}
		return e.col(), nil
	case *expr.Const, *expr.Param, *expr.Col, *outerRef:
		return e, nil
	case *subRef:
		return nil, pgerror.Unsupported("a subquery is not supported here")
	}
	return plan.MapChildren(e, func(a expr.Expr) (expr.Expr, error) { return toCols(b, a) })
}
