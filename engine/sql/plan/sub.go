package plan

import (
	"velostream/catalog/types"
	"velostream/engine/sql/expr"
)

// Sub is the plan of a subquery in an expression (expr.SubPlan): Logical as it
// is bound, Physical when it is lowered.
type Sub struct {
	Logical  Logical
	Physical *Physical
}

// BindParams implements expr.Nested.
func (s *Sub) BindParams(args []types.Datum) (expr.Nested, error) {
	if s.Physical == nil {
		return s, nil
	}
	p, err := s.Physical.BindParams(args)
	if err != nil || p == s.Physical {
		return s, err
	}
	return &Sub{Physical: p}, nil
}

// BindOuter returns p with the values args of the query around it.
func (p *Physical) BindOuter(args []types.Datum) (*Physical, error) {
	if len(args) == 0 {
		return p, nil
	}
	return p.mapExprs(func(e expr.Expr) (expr.Expr, error) { return expr.BindOuter(e, args) })
}
