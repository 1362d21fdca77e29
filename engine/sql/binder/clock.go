package binder

import (
	"velostream/catalog/types"
	"velostream/engine/sql/ast"
	"velostream/engine/sql/expr"
	"velostream/engine/sql/plan"
	"velostream/pgwire/pgerror"
)

const nowHint = "A condition of WHERE may compare now(), plus or minus a constant interval, with what does not depend on it."

// clockBounds takes the conditions on now() out of conds: a continuous query's rows come and
// go by them. nil: there are none.
func (b *Binder) clockBounds(conds []expr.Expr) ([]expr.Expr, *plan.ClockFilter, error) {
	if !b.Continuous {
		return conds, nil, nil
	}
	t := &plan.ClockFilter{}
	var rest []expr.Expr
	for _, c := range conds {
		at := nowPos(c)
		if at < 0 {
			rest = append(rest, c)
			continue
		}
		bound, op, ok := b.clockBound(c)
		if !ok {
			return nil, nil, pgerror.Unsupported("this condition on now() in a continuous query is not supported").WithHint(nowHint).At(at)
		}
		t.Bounds, t.Ops = append(t.Bounds, bound), append(t.Ops, op)
	}
	if len(t.Ops) == 0 {
		return conds, nil, nil
	}
	return rest, t, nil
}

// clockName refuses now() and its like in a continuous query but in WHERE, where they are
// called now.
func (b *Binder) clockName(name string, e *ast.FuncCall, cx *context) (string, error) {
	if !b.Continuous || name != "now" && name != "transaction_timestamp" && name != "statement_timestamp" {
		return name, nil
	}
	if cx.clause != "WHERE" {
		return "", b.missing(e, "%s() in the %s of a continuous query is not supported", name, cx.clause).WithHint(nowHint)
	}
	return "now", nil
}

// nowPos is the position of a call of now() in e, -1: there is none.
func nowPos(e expr.Expr) int {
	if c, ok := e.(*expr.Call); ok && c.Name == "now" {
		return c.Pos
	}
	for _, a := range expr.Children(e) {
		if at := nowPos(a); at >= 0 {
			return at
		}
	}
	return -1
}

// clockBound reads a comparison as now() op bound.
func (b *Binder) clockBound(e expr.Expr) (bound expr.Expr, op string, ok bool) {
	c, isCall := e.(*expr.Call)
	if !isCall || len(c.Args) != 2 || expr.Mirrored(c.Name) == "" || expr.Mirrored(c.Name) == c.Name {
		return nil, "", false
	}
	side, other, op := c.Args[0], c.Args[1], c.Name
	if nowPos(side) < 0 {
		side, other, op = other, side, expr.Mirrored(op)
	}
	if nowPos(other) >= 0 {
		return nil, "", false
	}
	for {
		switch s := side.(type) {
		case *expr.Cast:
			if s.T.Mod >= 0 || !isTime(s.T) {
				return nil, "", false
			}
			side = s.Arg
			continue
		case *expr.Call:
			if s.Name == "now" {
				x, err := b.castTo(other, types.Timestamptz, false, 0)
				return x, op, err == nil
			}
			if len(s.Args) != 2 || s.Name != "+" && s.Name != "-" || nowPos(s.Args[1]) >= 0 || !fixedSpan(s.Args[1]) {
				return nil, "", false
			}
			// now() - i < x is now() < x + i.
			x, err := expr.NewCall(map[string]string{"+": "-", "-": "+"}[s.Name], true, []expr.Expr{other, s.Args[1]}, s.Pos, b.Format)
			if err != nil {
				return nil, "", false
			}
			side, other = s.Args[0], x
			continue
		}
		return nil, "", false
	}
}

// fixedSpan reports a constant interval without months, whose length depends on where it begins.
func fixedSpan(e expr.Expr) bool {
	if e.Type().OID != types.OIDInterval || hasColumn(e) {
		return false
	}
	k, ok := expr.Fold(e).(*expr.Const)
	return ok && !k.Value.Null && k.Value.Iv.Months == 0
}

func hasColumn(e expr.Expr) bool {
	found := false
	plan.EachColumn(e, func(*expr.Col) { found = true })
	return found
}
