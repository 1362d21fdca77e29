package plan

import (
	"strings"

	"velostream/engine/sql/expr"
)

// ClockFilter keeps the rows for which the clock is within bounds: now() Ops[k] Bounds[k], a
// timestamptz over the input, for all k. Continuous plans only: rows come and go as time moves.
type ClockFilter struct {
	Input  Logical
	Bounds []expr.Expr
	Ops    []string // <, <=, >, >=
}

// Schema implements Logical.
func (n *ClockFilter) Schema() Schema { return n.Input.Schema() }

// Inputs implements Logical.
func (n *ClockFilter) Inputs() []Logical { return []Logical{n.Input} }

// WithInputs implements Logical.
func (n *ClockFilter) WithInputs(in []Logical) Logical {
	c := *n
	c.Input = in[0]
	return &c
}

// clockText is the condition as SQL.
func clockText(bounds []expr.Expr, ops []string) string {
	parts := make([]string, len(bounds))
	for k, b := range bounds {
		parts[k] = "now() " + ops[k] + " " + expr.String(b)
	}
	return strings.Join(parts, " AND ")
}
