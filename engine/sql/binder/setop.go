package binder

import (
	"velostream/catalog/types"
	"velostream/engine/sql/ast"
	"velostream/engine/sql/expr"
	"velostream/engine/sql/plan"
	"velostream/pgwire/pgerror"
)

// setOp binds UNION, INTERSECT and EXCEPT. A chain of UNION ALL becomes one
// node with many inputs.
func (b *Binder) setOp(s *ast.SetOp, parent *Scope) (*relation, error) {
	l, err := b.body(s.L, nil, parent)
	if err != nil {
		return nil, err
	}
	r, err := b.body(s.R, nil, parent)
	if err != nil {
		return nil, err
	}
	l.plan, r.plan = stripped(l.plan), stripped(r.plan)
	if err := b.sameColumns(s, l, r); err != nil {
		return nil, err
	}
	out := unionSchema(l.plan.Schema())
	if s.Kind != ast.Union {
		return &relation{plan: compareSets(s.Kind, s.All, l.plan, r.plan, out), event: -1}, nil
	}
	u := &plan.Union{Out: out}
	u.All = append(flat(s.L, l.plan), flat(s.R, r.plan)...)
	res := &relation{plan: u, event: -1}
	if l.event == r.event {
		res.event = l.event
	}
	if !s.All {
		res.plan = distinct(u)
	}
	return res, nil
}

// flat lifts the inputs of a UNION ALL that is itself an operand.
func flat(body ast.SelectBody, p plan.Logical) []plan.Logical {
	s, ok := body.(*ast.SetOp)
	u, isUnion := p.(*plan.Union)
	if ok && isUnion && s.All {
		return u.All
	}
	return []plan.Logical{p}
}

func unionSchema(s plan.Schema) plan.Schema {
	out := make(plan.Schema, len(s))
	for i, c := range s {
		out[i] = plan.Column{Name: c.Name, Type: c.Type}
	}
	return out
}

// sameColumns brings the columns of both sides to common types.
func (b *Binder) sameColumns(s *ast.SetOp, l, r *relation) error {
	ls, rs := l.plan.Schema(), r.plan.Schema()
	if len(ls) != len(rs) {
		e := pgerror.New(pgerror.SyntaxError, "each %s query must have the same number of columns", s.Kind)
		return e.At(b.pos(firstItem(s.R)))
	}
	want := make([]types.Type, len(ls))
	for i := range ls {
		t, err := expr.CommonType(string(s.Kind), ls[i].Type, rs[i].Type)
		if err != nil {
			return b.at(err, ast.At(itemAt(s.R, i)))
		}
		want[i] = t
	}
	var err error
	if l.plan, err = b.castColumns(l.plan, want, func(i int) int { return itemAt(s.L, i) }); err != nil {
		return err
	}
	r.plan, err = b.castColumns(r.plan, want, func(i int) int { return itemAt(s.R, i) })
	return err
}

// firstItem is where the select list of s begins.
func firstItem(s ast.SelectBody) int { return itemAt(s, 0) }

func itemAt(s ast.SelectBody, i int) int {
	switch s := s.(type) {
	case *ast.Select:
		if i < len(s.Items) {
			return leftmost(s.Items[i].X)
		}
	case *ast.SetOp:
		return itemAt(s.L, i)
	case *ast.Query:
		return itemAt(s.Body, i)
	case *ast.Values:
		if len(s.Rows) > 0 && i < len(s.Rows[0]) {
			return leftmost(s.Rows[0][i])
		}
	}
	return s.Pos()
}

// compareSets is INTERSECT or EXCEPT: rows of both sides in one grouping that counts
// each side. It is exact under retractions too. With all a row is there as often as the
// counts say, else once.
func compareSets(kind ast.SetOpKind, all bool, l, r plan.Logical, out plan.Schema) plan.Logical {
	n := len(out)
	u := &plan.Union{All: []plan.Logical{tagged(l, 0), tagged(r, 1)}}
	u.Out = append(append(u.Out, out...), plan.Column{Name: "side", Type: types.Int4, Hidden: true})
	agg := &plan.Aggregate{Input: u, Groups: identity(u.Out)[:n], Emit: plan.EmitChanges, WindowEnd: -1}
	agg.Out = append(agg.Out, out...)
	for side := range 2 {
		agg.Aggs = append(agg.Aggs, plan.AggCall{Name: "count", T: types.Int8, Filter: comparison("=", types.Int4, n, int64(side))})
		agg.Out = append(agg.Out, plan.Column{Name: "count", Type: types.Int8, Hidden: true})
	}
	if all {
		return stripped(repeated(kind, agg, n))
	}
	second := comparison(">", types.Int8, n+1, 0)
	if kind == ast.Except {
		second = comparison("=", types.Int8, n+1, 0)
	}
	cond := &expr.And{Args: []expr.Expr{comparison(">", types.Int8, n, 0), second}}
	return stripped(&plan.Filter{Input: agg, Cond: cond})
}

// repeated gives each group as many rows as both sides have (INTERSECT ALL), or as the
// first has more than the second (EXCEPT ALL).
func repeated(kind ast.SetOpKind, agg *plan.Aggregate, n int) plan.Logical {
	count := func(i int) expr.Expr { return &expr.Col{Index: n + i, T: types.Int8, Name: "count"} }
	sig := []types.OID{types.OIDInt8, types.OIDInt8}
	times := &expr.Call{Name: "-", Sig: sig, T: types.Int8, Args: []expr.Expr{count(0), count(1)}}
	var e expr.Expr = times
	if kind == ast.Intersect {
		less := &expr.Call{Name: "<", Sig: sig, T: types.Bool, Args: []expr.Expr{count(0), count(1)}}
		e = &expr.Case{Whens: []expr.When{{Cond: less, Then: count(0)}}, Else: count(1), T: types.Int8}
	}
	one := &expr.Const{Value: types.IntDatum(1), T: types.Int8}
	call := plan.TableCall{Name: "generate_series", Args: []expr.Expr{one, e}, T: []types.Type{types.Int8}}
	x := &plan.Expand{Input: agg, Calls: []plan.TableCall{call}}
	x.Out = append(append(x.Out, agg.Out...), plan.Column{Name: "copy", Type: types.Int8, Hidden: true}, numberColumn())
	return x
}

func comparison(op string, t types.Type, col int, v int64) expr.Expr {
	return &expr.Call{
		Name: op, Sig: []types.OID{t.OID, t.OID}, T: types.Bool,
		Args: []expr.Expr{&expr.Col{Index: col, T: t}, &expr.Const{Value: types.IntDatum(v), T: t}},
	}
}

func tagged(p plan.Logical, side int64) plan.Logical {
	s := p.Schema()
	out := append(append(plan.Schema(nil), s...), plan.Column{Name: "side", Type: types.Int4, Hidden: true})
	return &plan.Project{
		Input: p, Exprs: append(identity(s), &expr.Const{Value: types.IntDatum(side), T: types.Int4}), Out: out,
	}
}
