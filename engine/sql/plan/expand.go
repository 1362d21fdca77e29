package plan

import (
	"encoding/json"
	"strings"

	"velostream/catalog/types"
	"velostream/engine/sql/expr"
)

// Expand calls set-returning functions for each row of its input, side by side:
// the n-th rows of all of them make one row, with NULL for those that have ended; a row
// for which none gives anything is gone. Out = input columns, the columns of each
// call, then the row's number from 1 (int8, hidden unless it was asked for).
type Expand struct {
	Input Logical
	Calls []TableCall
	Out   Schema
}

// TableCall is a set-returning function with the types of its columns.
type TableCall struct {
	Name string       `json:"name"`
	Args []expr.Expr  `json:"args"`
	T    []types.Type `json:"t"`
}

// Schema implements Logical.
func (n *Expand) Schema() Schema { return n.Out }

// Inputs implements Logical.
func (n *Expand) Inputs() []Logical { return []Logical{n.Input} }

// WithInputs implements Logical.
func (n *Expand) WithInputs(in []Logical) Logical {
	c := *n
	c.Input = in[0]
	return &c
}

// UnmarshalJSON reads the stored form.
func (c *TableCall) UnmarshalJSON(b []byte) error {
	type raw TableCall
	var w struct {
		*raw
		Args []json.RawMessage `json:"args"`
	}
	w.raw = (*raw)(c)
	if err := strict(b, &w); err != nil {
		return err
	}
	var d exprDecoder
	c.Args = d.all(w.Args)
	return d.err
}

func (m *exprMapper) tableCalls(in []TableCall) []TableCall {
	if in == nil {
		return nil
	}
	out := make([]TableCall, len(in))
	for i, c := range in {
		c.Args = m.all(c.Args)
		out[i] = c
	}
	return out
}

// MapTableCalls returns calls with f applied to each argument.
func MapTableCalls(calls []TableCall, f func(expr.Expr) expr.Expr) []TableCall {
	m := exprMapper{f: func(e expr.Expr) (expr.Expr, error) { return f(e), nil }}
	return m.tableCalls(calls)
}

func tableCallText(calls []TableCall) string {
	out := make([]string, len(calls))
	for i, c := range calls {
		out[i] = c.Name + "(" + exprList(c.Args) + ")"
	}
	return strings.Join(out, ", ")
}
