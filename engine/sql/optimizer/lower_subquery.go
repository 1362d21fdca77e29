package optimizer

import (
	"velostream/engine/sql/expr"
	"velostream/engine/sql/plan"
	"velostream/pgwire/pgerror"
)

// subqueries lowers the plans of the subqueries in p's expressions.
func (l *lowering) subqueries(p plan.Logical) (plan.Logical, error) {
	return plan.MapExprs(p, func(e expr.Expr) (expr.Expr, error) {
		return expr.Rewrite(e, func(e expr.Expr) (expr.Expr, error) {
			s, ok := e.(*expr.SubPlan)
			if !ok {
				return e, nil
			}
			nested, ok := s.Plan.(*plan.Sub)
			if !ok || nested.Physical != nil {
				return e, nil
			}
			if l.o.Continuous {
				return nil, pgerror.Unsupported("this subquery is not supported in a continuous query").At(s.Pos)
			}
			low, warnings, err := Lower(Optimize(nested.Logical, Context{}), l.o)
			if err != nil {
				return nil, err
			}
			l.warnings = append(l.warnings, warnings...)
			c := *s
			c.Plan = &plan.Sub{Physical: low}
			return &c, nil
		})
	})
}
