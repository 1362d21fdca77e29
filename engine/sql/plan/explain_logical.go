package plan

import (
	"fmt"

	"velostream/engine/sql/expr"
)

// ExplainLogical prints a logical plan in the same form.
func ExplainLogical(p Logical) []string { return LogicalTree(p).Text() }

// LogicalTree is what ExplainLogical prints.
func LogicalTree(p Logical) *Node {
	x := &explainer{}
	x.logical(p, 0)
	return x.path[0]
}

func (x *explainer) logical(p Logical, depth int) {
	x.title(depth, logicalTitle(p))
	x.logicalDetails(p, depth)
	for _, in := range p.Inputs() {
		x.logical(in, depth+1)
	}
}

func logicalTitle(p Logical) string {
	switch p := p.(type) {
	case *Scan:
		return "Scan " + p.Name
	case *Values:
		return fmt.Sprintf("Values (%d rows)", len(p.Rows))
	case *Series:
		return "Series"
	case *Filter:
		return "Filter"
	case *Project:
		return "Project"
	case *Window:
		return "Time Window " + windowText(p.Spec)
	case *Aggregate:
		return "Aggregate"
	case *Join:
		if p.Temporal != nil {
			return "Temporal " + joinNames[p.Kind]
		}
		return joinNames[p.Kind]
	case *Union:
		return "Union All"
	case *ClockFilter:
		return "Clock Filter"
	case *Over:
		return "Window Functions"
	case *Expand:
		return "Project Set"
	case *Recursive:
		return "Recursive Union " + p.Name
	case *WorkTable:
		return "Work Table " + p.Name
	case *Shared:
		return "Shared " + p.Name
	case *Sort:
		return "Sort"
	case *Limit:
		return "Limit"
	}
	return fmt.Sprintf("%T", p)
}

func (x *explainer) logicalDetails(p Logical, depth int) {
	switch p := p.(type) {
	case *Scan:
		x.prop(depth, "Columns", visibleNames(p.Out))
		if p.Lookup != nil {
			x.prop(depth, "Lookup", exprList(p.Lookup))
		}
		if a := p.Access; a != nil {
			x.prop(depth, "Access", accessText(&Physical{Out: p.Out, Columns: p.Columns, Access: a}))
		}
	case *Series:
		x.prop(depth, "Call", exprList([]expr.Expr{p.Start, p.Stop, p.Step}))
	case *Filter:
		x.prop(depth, "Cond", expr.String(p.Cond))
	case *ClockFilter:
		x.prop(depth, "Filter", clockText(p.Bounds, p.Ops))
	case *Project:
		x.prop(depth, "Expressions", exprList(p.Exprs))
	case *Window:
		x.prop(depth, "Time", expr.String(p.Time))
	case *Aggregate:
		x.prop(depth, "Groups", exprList(p.Groups))
		x.prop(depth, "Aggregates", aggList(p.Aggs))
	case *Join:
		for i := range p.EqualLeft {
			x.prop(depth, "Equal", expr.String(p.EqualLeft[i])+" = "+expr.String(p.EqualRight[i]))
		}
		if p.Cond != nil {
			x.prop(depth, "Cond", expr.String(p.Cond))
		}
	case *Over:
		x.prop(depth, "Calls", overList(p.Calls, exprList(p.Partition), p.Order))
	case *Expand:
		x.prop(depth, "Calls", tableCallText(p.Calls))
	case *Sort:
		x.prop(depth, "Keys", sortText(p.Keys))
	case *Limit:
		x.prop(depth, "Limit", limitText(p.Count, p.Offset))
	}
}
