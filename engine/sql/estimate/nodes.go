package estimate

import (
	"math"
	"slices"

	"velostream/engine/sql/expr"
	"velostream/engine/sql/plan"
)

// restrict is a node that lets rows through, or makes several of one.
func restrict(n *node, p *plan.Physical) {
	switch p.Op {
	case plan.OpFilter:
		n.Total += n.Rows * operators(p.Cond)
		// Of what an index narrows, the condition says what is left of all rows.
		n.Rows = min(n.Rows, max(n.Rows, n.whole)*selectivity(n, p.Cond))
	case plan.OpClock:
		n.Total += n.Rows * operators(p.Exprs...)
		n.Rows *= math.Pow(defaultRange, float64(len(p.Exprs)))
	case plan.OpExpand:
		most := 0.0
		for _, c := range p.Table {
			most = max(most, callRows(c))
		}
		n.Rows *= most
		n.Total += n.Rows * cpuTupleCost
	default:
	}
}

func callRows(c plan.TableCall) float64 {
	switch {
	case c.Name == "generate_series":
		return seriesRows(c.Args)
	case c.Name == "unnest" && len(c.Args) > 0:
		return arrayItems(c.Args[0])
	}
	return setRows
}

// arrayItems is how many elements an array is taken to have.
func arrayItems(e expr.Expr) float64 {
	switch e := e.(type) {
	case *expr.Const:
		if !e.Value.Null {
			return float64(len(e.Value.List))
		}
	case *expr.ArrayOf:
		return float64(len(e.Args))
	case *expr.Cast:
		return arrayItems(e.Arg)
	}
	return 10
}

// projected is a node whose columns are those of p.
func projected(n *node, p *plan.Physical) {
	columns := make([]variable, len(p.Exprs))
	for i, x := range p.Exprs {
		columns[i] = variableOf(n, x)
	}
	n.columns = columns
	n.Total += n.Rows * operators(p.Exprs...)
}

// variableOf is what is known of an expression over n's columns.
func variableOf(n *node, e expr.Expr) variable {
	switch e := e.(type) {
	case *expr.Col:
		if e.Index < len(n.columns) {
			return n.columns[e.Index]
		}
	case *expr.Cast:
		if v := variableOf(n, e.Arg); v.t.Kind() == e.T.Kind() {
			v.t = e.T
			return v
		}
	}
	return variable{t: e.Type(), width: typeWidth(e.Type())}
}

// operators is what the evaluation of expressions costs for a row.
func operators(list ...expr.Expr) float64 {
	n := 0.0
	for _, e := range list {
		if e == nil {
			continue
		}
		switch e := e.(type) {
		case *expr.Call, *expr.IsDistinct:
			n += cpuOperatorCost
		case *expr.InList:
			n += cpuOperatorCost * max(float64(len(e.List))/2, 1)
		}
		n += operators(expr.Children(e)...)
	}
	return n
}

// over is a node over one input that has no rule of its own elsewhere.
func over(n *node, p *plan.Physical) {
	switch p.Op {
	case plan.OpAggregate:
		aggregate(n, p)
	case plan.OpSort, plan.OpTopN:
		sorted(n, p)
	case plan.OpLimit:
		limited(n, p)
	case plan.OpWindow:
		if w := p.Window; w.Advance > 0 && w.Size > w.Advance {
			windows := float64(w.Size) / float64(w.Advance)
			if w.Kind == plan.Cumulate {
				windows /= 2
			}
			n.Rows *= windows
		}
		n.Total += n.Rows * (operators(p.Exprs...) + cpuTupleCost)
	case plan.OpOver:
		n.Startup = n.Total + sortCost(n.Rows, n.Rows)
		n.Total = n.Startup + n.Rows*(cpuTupleCost+cpuOperatorCost*float64(len(p.Over)))
		n.columns = n.columns[:min(len(n.columns), len(p.Inputs[0].Out))]
	case plan.OpUpsert:
		n.Startup = n.Total
		n.Total += n.Rows * cpuTupleCost
	default: // exchanges, sessions and what holds changes back
		n.Total += n.Rows * cpuTupleCost
	}
}

func aggregate(n *node, p *plan.Physical) {
	var calls []expr.Expr
	for _, a := range p.Aggs {
		calls = append(calls, a.Args...)
		calls = append(calls, a.Filter)
	}
	work := operators(calls...) + cpuOperatorCost*float64(len(p.Aggs)+len(p.Keys))
	groups, columns := 1.0, make([]variable, len(p.Keys))
	for i, k := range p.Keys {
		columns[i] = n.columns[k]
		groups *= distinct(n.columns[k])
	}
	n.Startup = n.Total + n.Rows*work
	n.Rows = clamp(min(groups, n.Rows))
	if len(p.Keys) == 1 {
		columns[0].unique = true
		columns[0].rows = n.Rows
	}
	n.Total = n.Startup + n.Rows*cpuTupleCost
	n.columns = columns
}

// sortCost is that of sorting rows of which the first keep are wanted.
func sortCost(rows, keep float64) float64 {
	return 2 * cpuOperatorCost * max(rows, 2) * math.Log2(max(min(rows, 2*keep), 2))
}

func sorted(n *node, p *plan.Physical) {
	keep := n.Rows
	if p.Op == plan.OpTopN {
		keep = min(keep, wanted(p, n.Rows))
	}
	n.Startup = n.Total + sortCost(n.Rows, keep)
	n.Rows = keep
	n.Total = n.Startup + n.Rows*cpuOperatorCost
}

// wanted is how many rows a LIMIT with its OFFSET reads.
func wanted(p *plan.Physical, rows float64) float64 {
	k, known := whole(p.Count)
	switch {
	case p.Count == nil || known && p.Count != nil && isNull(p.Count):
		return rows
	case !known:
		k = rows / 10
	}
	o, _ := whole(p.Offset)
	return k + o
}

func limited(n *node, p *plan.Physical) {
	rows, startup, total := n.Rows, n.Startup, n.Total
	if len(p.Sort) > 0 { // a maintained order
		n.Startup += sortCost(n.Rows, wanted(p, n.Rows))
		startup = n.Startup
		total = max(total, startup)
	}
	last := min(wanted(p, rows), rows)
	first, known := whole(p.Offset)
	if p.Offset != nil && !known {
		first = rows / 10
	}
	first = min(first, last)
	n.Startup = startup + (total-startup)*first/rows
	n.Total = startup + (total-startup)*last/rows
	n.Rows = last - first
}

func isNull(e expr.Expr) bool {
	c, ok := e.(*expr.Const)
	return ok && c.Value.Null
}

// whole is the value of a constant, 0 for none.
func whole(e expr.Expr) (float64, bool) {
	c, ok := e.(*expr.Const)
	if !ok || c.Value.Null {
		return 0, e == nil || ok
	}
	return number(c.T, c.Value)
}

// join is that of l and r.
func join(n *node, p *plan.Physical, l, r *node) {
	both := &node{Cost: l.Cost, columns: slices.Concat(l.columns, r.columns), pairs: true}
	keys := float64(len(p.Keys))
	share, matched := 1.0, 1.0
	for i := range p.Keys {
		a, b := l.columns[p.Keys[i]], r.columns[p.RightKeys[i]]
		share *= equalPair(a, b)
		matched = min(matched, 1, min(distinct(b), r.Rows)/max(distinct(a), 1))
	}
	if p.Cond != nil {
		share *= selectivity(both, p.Cond)
	}
	if p.Within != nil {
		share *= defaultRangePair
	}
	pairs := l.Rows * r.Rows
	rows := pairs * share
	switch p.Join {
	case plan.LeftJoin:
		rows = max(rows, l.Rows)
	case plan.RightJoin:
		rows = max(rows, r.Rows)
	case plan.FullJoin:
		rows = max(rows, l.Rows, r.Rows)
	case plan.SemiJoin:
		rows = l.Rows * min(matched, share*r.Rows)
	case plan.AntiJoin:
		rows = l.Rows * (1 - min(matched, share*r.Rows))
	default:
	}
	if p.Op == plan.OpTemporalJoin || p.Op == plan.OpLookupJoin && p.Join == plan.LeftJoin {
		rows = l.Rows // the newest one of each row's key
	}
	n.Rows = clamp(rows)
	if keys > 0 {
		n.Startup = r.Total + r.Rows*(keys*cpuOperatorCost+cpuTupleCost) + l.Startup
		n.Total = n.Startup + (l.Total - l.Startup) + l.Rows*keys*cpuOperatorCost +
			clamp(pairs*share)*operators(p.Cond) + n.Rows*cpuTupleCost
	} else {
		n.Startup = l.Startup + r.Startup
		n.Total = l.Total + r.Total + pairs*(operators(p.Cond)+cpuTupleCost)
	}
	if p.Join == plan.SemiJoin || p.Join == plan.AntiJoin {
		n.columns = l.columns
		return
	}
	n.columns = both.columns
	for i := range n.columns {
		n.columns[i].unique = false
	}
}
