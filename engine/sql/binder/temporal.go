package binder

import (
	"velostream/catalog"
	"velostream/catalog/types"
	"velostream/engine/sql/ast"
	"velostream/engine/sql/expr"
	"velostream/engine/sql/plan"
	"velostream/pgwire/pgerror"
)

// asOf takes FOR SYSTEM_TIME AS OF away from the right side of a join, where it has a
// meaning.
func asOf(r *ast.Join) (right ast.TableRef, at *ast.AsOf) {
	t, ok := r.R.(*ast.TableName)
	if !ok || t.AsOf == nil {
		return r.R, nil
	}
	c := *t
	c.AsOf = nil
	return &c, t.AsOf
}

// temporal makes j, whose condition is bound, the join AS OF a time.
func (b *Binder) temporal(f *fromItem, j *plan.Join, r *ast.Join, at *ast.AsOf, l, rt *Scope) error {
	rel, err := b.versioned(r, at, f, j)
	if err != nil {
		return err
	}
	if len(j.EqualLeft) == 0 {
		return pgerror.Unsupported("a temporal join must equate columns of both sides").At(b.pos(at.Pos()))
	}
	if c, ok := at.Time.(*ast.FuncCall); ok && c.Name.Last() == "proctime" && len(c.Args) == 0 {
		if rel != nil && rel.Kind == catalog.Stream {
			return pgerror.New(pgerror.WrongObjectType, "%q is a stream: there is no row to look up", rel.Name).
				WithHint("Join streams WITHIN an interval, or with ASOF JOIN; or keep the newest row of each key in a view or table.").At(b.pos(at.Pos()))
		}
		j.Temporal = &plan.TemporalJoin{}
		return nil
	}
	x, err := b.expr(at.Time, &context{scope: l, clause: "FOR SYSTEM_TIME AS OF"})
	if err != nil {
		return err
	}
	if x, err = toCols(b, x); err != nil {
		return err
	}
	if !isTime(x.Type()) {
		return pgerror.New(pgerror.DatatypeMismatch, "FOR SYSTEM_TIME AS OF takes PROCTIME() or a timestamp of the left side, not %s", TypeName(x.Type())).
			At(b.pos(leftmost(at.Time)))
	}
	v, changes, err := b.versionTime(rel, j, rt, at)
	if err != nil {
		return err
	}
	if _, ok := x.(*expr.Col); !ok || x.Type().OID != v.T.OID {
		return pgerror.Unsupported("FOR SYSTEM_TIME AS OF needs a column of the type of %q, %s", v.Name, TypeName(v.T)).
			WithHint("Compute the time in a subquery or stream below.").At(b.pos(leftmost(at.Time)))
	}
	j.Temporal = &plan.TemporalJoin{Times: []expr.Expr{x, v}, Changes: changes}
	return nil
}

// versioned checks the form of the join, and returns the relation on its right.
func (b *Binder) versioned(r *ast.Join, at *ast.AsOf, f *fromItem, j *plan.Join) (*catalog.Relation, error) {
	switch {
	case r.Kind != ast.InnerJoin && r.Kind != ast.LeftJoin:
		return nil, pgerror.Unsupported("a temporal join must be INNER or LEFT").At(b.pos(at.Pos()))
	case r.Within != nil:
		return nil, pgerror.Unsupported("WITHIN and FOR SYSTEM_TIME AS OF exclude each other").At(b.pos(r.Within.Pos()))
	case f.plan != plan.Logical(j):
		return nil, pgerror.Unsupported("subqueries in the condition of a temporal join are not supported").At(b.pos(at.Pos()))
	}
	t, ok := r.R.(*ast.TableName)
	if !ok {
		return nil, nil
	}
	if len(t.Name.Parts) == 1 && b.ctes.find(t.Name.Last()) != nil {
		return nil, nil
	}
	return b.stored(t.Name)
}

// versionTime is the column that says from when on a row of rel is valid.
func (b *Binder) versionTime(rel *catalog.Relation, j *plan.Join, s *Scope, at *ast.AsOf) (*expr.Col, bool, error) {
	none := pgerror.Unsupported("FOR SYSTEM_TIME AS OF a column needs a table that says when its rows are valid").
		WithHint("Declare WATERMARK FOR, or WITH VERSION COLUMN, on a timestamp column of the table. AS OF PROCTIME() looks up what is there.").At(b.pos(at.Pos()))
	if rel == nil || rel.Kind != catalog.Table && rel.Kind != catalog.Stream {
		return nil, false, none
	}
	i := rel.EventTime
	if rel.Version > 0 {
		i = rel.Version - 1
	}
	if i < 0 {
		return nil, false, none
	}
	c := s.originOf(i)
	if c == nil || !isTime(c.t) {
		return nil, false, none
	}
	v := &expr.Col{Index: c.index, T: c.t, Name: c.name}
	if rel.Kind == catalog.Stream {
		return v, false, nil
	}
	for _, k := range rel.Key {
		if !rel.PrimaryKey || !equates(j.EqualRight, k) {
			return nil, false, pgerror.New(pgerror.InvalidColumnReference, "the temporal join must equate the primary key of %q", rel.Name).
				WithDetail("Only then each row has one version at a time.").At(b.pos(at.Pos()))
		}
	}
	return v, true, nil
}

func equates(keys []expr.Expr, column int) bool {
	for _, e := range keys {
		if c, ok := e.(*expr.Col); ok && c.Index == column {
			return true
		}
	}
	return false
}

// nearest makes j, whose condition is bound, an ASOF join: a row of the left meets the one row
// of the right with its keys that is nearest by the inequality. Two streams with an
// inequality of their event times wait for their watermarks; anything else is a LATERAL
// subquery, ORDER BY … LIMIT 1, and follows every change.
func (b *Binder) nearest(f *fromItem, j *plan.Join, r *ast.Join, l, rt *Scope) error {
	switch {
	case r.Kind != ast.InnerJoin && r.Kind != ast.LeftJoin:
		return pgerror.Unsupported("an ASOF join must be INNER or LEFT").At(b.pos(r.Pos()))
	case r.Within != nil:
		return pgerror.Unsupported("WITHIN and ASOF exclude each other").At(b.pos(r.Within.Pos()))
	case r.On == nil:
		return pgerror.Unsupported("an ASOF join needs ON").WithHint("ON a.k = b.k AND a.ts >= b.ts").At(b.pos(r.Pos()))
	case f.plan != plan.Logical(j):
		return pgerror.Unsupported("subqueries in the condition of an ASOF join are not supported").At(b.pos(r.Pos()))
	}
	n := len(j.Left.Schema())
	op, left, right := "", expr.Expr(nil), expr.Expr(nil)
	conds := plan.Conjuncts(j.Cond)
	for _, c := range conds {
		o, x, y := inequality(c, n)
		if o == "" || op != "" {
			op = ""
			break
		}
		op, left, right = o, x, y
	}
	if op == "" {
		return pgerror.New(pgerror.InvalidColumnReference, "an ASOF join takes equalities and one inequality between the two sides").
			WithHint("ON a.k = b.k AND a.ts >= b.ts").At(b.pos(r.On.Pos()))
	}
	if (op == ">=" || op == ">") && isEventTime(l, left) && isEventTime(rt, right) && left.Type() == right.Type() &&
		growing(j.Left) && growing(j.Right) {
		j.Cond = nil
		j.Temporal = &plan.TemporalJoin{Times: []expr.Expr{left, right}, Before: op == ">"}
		return nil
	}
	return b.nearestRow(f, j, op, right)
}

// inequality reads c as left op right, over the left row and over the right one; "": it is none.
func inequality(c expr.Expr, n int) (op string, left, right expr.Expr) {
	call, ok := c.(*expr.Call)
	if !ok || len(call.Args) != 2 {
		return "", nil, nil
	}
	other, ok := map[string]string{"<": ">", "<=": ">=", ">": "<", ">=": "<="}[call.Name]
	if !ok {
		return "", nil, nil
	}
	x, y := call.Args[0], call.Args[1]
	switch {
	case sides(x, n) == leftSide && sides(y, n) == rightSide:
		return call.Name, x, plan.Shift(y, -n)
	case sides(x, n) == rightSide && sides(y, n) == leftSide:
		return other, y, plan.Shift(x, -n)
	}
	return "", nil, nil
}

func isEventTime(s *Scope, e expr.Expr) bool {
	c, ok := e.(*expr.Col)
	if !ok {
		return false
	}
	for _, t := range s.tables {
		if t.event == c.Index && t.event >= 0 {
			return isTime(c.T)
		}
	}
	return false
}

// growing reports that p is a stream, filtered and projected at most.
func growing(p plan.Logical) bool {
	switch p := p.(type) {
	case *plan.Scan:
		return p.AppendOnly && p.EventTime >= 0
	case *plan.Filter:
		return growing(p.Input)
	case *plan.Project:
		return growing(p.Input)
	}
	return false
}

// nearestRow makes the right side the first row, for a row of the left, in the order of the
// inequality.
func (b *Binder) nearestRow(f *fromItem, j *plan.Join, op string, right expr.Expr) error {
	if b.Continuous && (growing(j.Left) || growing(j.Right)) {
		w := pgerror.New("01000", "the state of the ASOF join is unbounded: rows of both sides are kept for ever").
			WithHint("Two streams joined by a.ts >= b.ts on their watermark columns keep what is needed.")
		w.Severity = "NOTICE"
		b.warnings = append(b.warnings, w)
	}
	n := len(j.Left.Schema())
	outer := func(e expr.Expr) expr.Expr {
		return plan.Remap(e, func(c *expr.Col) expr.Expr {
			if c.Index < n {
				return &outerRef{e: c, level: 1}
			}
			return &expr.Col{Index: c.Index - n, T: c.T, Name: c.Name}
		})
	}
	var conds []expr.Expr
	for i, e := range j.EqualLeft {
		eq, err := expr.NewCall("=", true, []expr.Expr{plan.Shift(j.EqualRight[i], n), e}, 0, b.Format)
		if err != nil {
			return err
		}
		conds = append(conds, outer(eq))
	}
	for _, c := range plan.Conjuncts(j.Cond) {
		conds = append(conds, outer(c))
	}
	keys := []plan.SortKey{{Expr: right, Desc: op == ">=" || op == ">"}}
	if s, ok := j.Right.(*plan.Scan); ok { // rows of one time in the order of their keys
		for _, k := range s.Key {
			keys = append(keys, plan.SortKey{Expr: &expr.Col{Index: k, T: s.Out[k].Type, Name: s.Out[k].Name}, Desc: true})
		}
	}
	first := &plan.Limit{
		Input: &plan.Sort{Input: &plan.Filter{Input: j.Right, Cond: plan.All(conds)}, Keys: keys},
		Count: &expr.Const{Value: types.IntDatum(1), T: types.Int8},
	}
	p, err := b.dependentJoin(newJoin(j.Kind, j.Left, first))
	if err != nil {
		return err
	}
	f.plan = p
	return nil
}
