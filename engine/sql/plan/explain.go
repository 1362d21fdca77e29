package plan

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"velostream/catalog/types"
	"velostream/engine/sql/expr"
)

// ExplainOptions say what EXPLAIN shows.
type ExplainOptions struct {
	// Verbose adds output columns and their types.
	Verbose bool
	// Costs are the estimates to show, nil: none; Actual is what a node did, nil: nothing
	// has run.
	Costs  map[*Physical]Cost
	Actual func(p *Physical) *Actual
}

// Explain prints p in the form of PostgreSQL's EXPLAIN, a line each. Of a plan
// that keeps running it says of each node the stream key, whether it is
// append-only or retracting, the watermark column, and the state.
func Explain(p *Physical, o ExplainOptions) []string { return PhysicalTree(p, o).Text() }

// PhysicalTree is what Explain prints.
func PhysicalTree(p *Physical, o ExplainOptions) *Node {
	x := &explainer{o: o, continuous: continuous(p)}
	x.node(p, 0)
	return x.path[0]
}

// StateTree is the part of a plan that keeps state: of each such node its tables and
// what bounds them.
func StateTree(p *Physical) *Node {
	x := &explainer{continuous: true}
	root := &Node{Title: "State"}
	var walk func(p *Physical)
	walk = func(p *Physical) {
		if len(p.Tables) > 0 {
			x.title(0, physicalTitle(p))
			x.streaming(p, 0)
			root.Plans = append(root.Plans, x.path[0])
		}
		for _, in := range p.Inputs {
			walk(in)
		}
	}
	walk(p)
	if len(root.Plans) == 0 {
		root.Add("Tables", "none")
	}
	return root
}

type explainer struct {
	o          ExplainOptions
	continuous bool
	path       []*Node // from the root to the current node
}

// continuous reports a plan that keeps running: only these have stream keys
// and state tables.
func continuous(p *Physical) bool {
	if len(p.Key) > 0 || len(p.Tables) > 0 {
		return true
	}
	return slices.ContainsFunc(p.Inputs, continuous)
}

// title adds the line of a node, prop one of its properties.
func (x *explainer) title(depth int, s string) {
	n := &Node{Title: s}
	if depth > 0 {
		x.path[depth-1].Plans = append(x.path[depth-1].Plans, n)
	}
	x.path = append(x.path[:depth], n)
}

func (x *explainer) prop(depth int, name, value string) {
	if value != "" {
		x.path[depth].Add(name, value)
	}
}

func (x *explainer) node(p *Physical, depth int) {
	x.title(depth, physicalTitle(p))
	n := x.path[depth]
	if c, ok := x.o.Costs[p]; ok {
		n.Cost = &c
	}
	if x.o.Actual != nil {
		if n.Actual = x.o.Actual(p); n.Actual != nil && n.Actual.Disk > 0 {
			n.Add("Disk", fmt.Sprintf("%dkB", (n.Actual.Disk+1023)>>10))
		}
	}
	if x.o.Verbose {
		x.prop(depth, "Output", outputList(p.Out))
	}
	x.details(p, depth)
	if x.continuous {
		x.streaming(p, depth)
	}
	for _, in := range p.Inputs {
		x.node(in, depth+1)
	}
	if p.Op == OpFilter && n.Actual != nil && n.Actual.Loops > 0 {
		// Scans that are read to the end have nothing else that takes rows away.
		if from := n.Plans[0].Actual; from != nil && from.Rows > n.Actual.Rows {
			gone := n.Actual.perLoop(float64(from.Rows - n.Actual.Rows))
			n.Props = append(n.Props, Prop{Name: "Rows Removed by Filter", Value: fmt.Sprintf("%.0f", gone), Number: true})
		}
	}
}

func scanTitle(p *Physical) string {
	var index string
	switch {
	case p.Lookup != nil && p.Index != 0:
		index = p.IndexName
	case p.Access != nil && p.Access.Index != 0:
		index = p.Access.Name
	case p.Lookup != nil || p.Access != nil:
		index = "primary key"
	default:
		return "Seq Scan on " + p.Name
	}
	return "Index Scan using " + index + " on " + p.Name
}

func physicalTitle(p *Physical) string {
	switch p.Op {
	case OpScan:
		return scanTitle(p)
	case OpValues:
		if len(p.Rows) == 1 {
			return "Result"
		}
		return fmt.Sprintf("Values Scan (%d rows)", len(p.Rows))
	case OpSeries:
		return "Function Scan on generate_series"
	case OpFilter:
		return "Filter"
	case OpProject:
		return "Project"
	case OpWindow, OpSession:
		return "Time Window " + windowText(p.Window)
	case OpExchange:
		if len(p.Keys) == 0 {
			return "Gather"
		}
		return "Exchange by hash of " + columnNames(p.Out, p.Keys)
	case OpAggregate:
		if len(p.Keys) == 0 {
			return "Aggregate"
		}
		return "HashAggregate"
	case OpJoin:
		return joinTitle(p.Join, len(p.Keys) > 0)
	case OpIntervalJoin:
		return "Interval " + joinNames[p.Join]
	case OpLookupJoin:
		return "Lookup " + joinNames[p.Join]
	case OpTemporalJoin:
		return "Temporal " + joinNames[p.Join]
	case OpUpsert:
		return "Upsert by " + columnNames(p.Out, p.Keys)
	case OpUnion:
		return "Append"
	case OpClock:
		return "Clock Filter"
	case OpEvery:
		return "Emit Every"
	case OpOver:
		if len(p.Over) == 0 {
			return "Window Close"
		}
		return "WindowAgg"
	case OpExpand:
		return "ProjectSet"
	case OpRecursive:
		return "Recursive Union"
	case OpWorkTable:
		return "WorkTable Scan on " + p.Name
	case OpTopN:
		return "Top-N"
	case OpSort:
		return "Sort"
	case OpLimit:
		return "Limit"
	}
	return string(p.Op)
}

var joinNames = map[JoinKind]string{
	InnerJoin: "Join", LeftJoin: "Left Join", RightJoin: "Right Join", FullJoin: "Full Join",
	SemiJoin: "Semi Join", AntiJoin: "Anti Join", CrossJoin: "Cross Join",
}

func joinTitle(k JoinKind, hash bool) string {
	if hash {
		return "Hash " + joinNames[k]
	}
	if k == InnerJoin || k == CrossJoin {
		return "Nested Loop"
	}
	return "Nested Loop " + joinNames[k]
}

func windowText(w TimeWindow) string {
	d := func(v int64) string {
		return string(types.AppendInterval(nil, types.Interval{Micros: v}, 0))
	}
	switch w.Kind {
	case Tumbling:
		return "tumbling " + d(w.Size)
	case Hopping:
		return "hopping " + d(w.Size) + " every " + d(w.Advance)
	case Session:
		if w.MaxSize > 0 {
			return "session gap " + d(w.Gap) + " up to " + d(w.MaxSize)
		}
		return "session gap " + d(w.Gap)
	case Cumulate:
		return "cumulating to " + d(w.Size) + " by " + d(w.Advance)
	}
	return ""
}

func columnName(s Schema, i int) string {
	if i < 0 || i >= len(s) || s[i].Name == "" {
		return fmt.Sprintf("$col%d", i)
	}
	return expr.QuoteIdent(s[i].Name)
}

func columnNames(s Schema, at []int) string {
	names := make([]string, len(at))
	for i, c := range at {
		names[i] = columnName(s, c)
	}
	return strings.Join(names, ", ")
}

func outputList(s Schema) string {
	names := make([]string, len(s))
	for i, c := range s {
		names[i] = columnName(s, i) + " " + c.Type.String()
		if c.Hidden {
			names[i] += " (hidden)"
		}
	}
	return strings.Join(names, ", ")
}

func exprList(es []expr.Expr) string {
	out := make([]string, len(es))
	for i, e := range es {
		out[i] = expr.String(e)
	}
	return strings.Join(out, ", ")
}

func sortText(keys []SortKey) string {
	out := make([]string, len(keys))
	for i, k := range keys {
		out[i] = expr.String(k.Expr)
		if k.Desc {
			out[i] += " DESC"
		}
		if k.NullsFirst != k.Desc {
			out[i] += map[bool]string{true: " NULLS FIRST", false: " NULLS LAST"}[k.NullsFirst]
		}
	}
	return strings.Join(out, ", ")
}

func aggText(a AggCall) string {
	args := exprList(a.Args)
	if len(a.Args) == 0 {
		args = "*"
	}
	if a.Distinct {
		args = "DISTINCT " + args
	}
	if len(a.OrderBy) > 0 {
		args += " ORDER BY " + sortText(a.OrderBy)
	}
	s := a.Name + "(" + args + ")"
	if a.Filter != nil {
		s += " FILTER (WHERE " + expr.String(a.Filter) + ")"
	}
	return s
}

func aggList(aggs []AggCall) string {
	out := make([]string, len(aggs))
	for i, a := range aggs {
		out[i] = aggText(a)
	}
	return strings.Join(out, ", ")
}

func (x *explainer) details(p *Physical, depth int) {
	switch p.Op {
	case OpScan:
		if p.Lookup != nil {
			x.prop(depth, "Index Cond", lookupText(p))
		}
		if p.Access != nil {
			x.prop(depth, "Index Cond", accessText(p))
		}
		if !x.o.Verbose {
			x.prop(depth, "Columns", visibleNames(p.Out))
		}
	case OpSeries:
		x.prop(depth, "Function Call", "generate_series("+exprList(p.Rows[0])+")")
	case OpFilter:
		x.prop(depth, "Filter", expr.String(p.Cond))
	case OpProject:
		x.prop(depth, "Expressions", exprList(p.Exprs))
	case OpWindow:
		x.prop(depth, "Time", exprList(p.Exprs))
	case OpClock:
		x.prop(depth, "Filter", clockText(p.Exprs, p.Ops))
	case OpEvery:
		x.prop(depth, "Interval", string(types.AppendInterval(nil, types.Interval{Micros: p.Every}, 0)))
	case OpSession:
		x.prop(depth, "Time", exprList(p.Exprs))
		if len(p.Keys) > 0 {
			x.prop(depth, "Sessions of", columnNames(p.Inputs[0].Out, p.Keys))
		}
	case OpAggregate:
		in := p.Inputs[0].Out
		x.prop(depth, "Group Key", columnNames(in, p.Keys))
		x.prop(depth, "Aggregates", aggList(p.Aggs))
		if p.Late != LateDrop {
			x.prop(depth, "Late Rows", string(p.Late))
		}
		x.timeout(depth, p)
	case OpJoin, OpIntervalJoin, OpLookupJoin, OpTemporalJoin:
		x.prop(depth, "Hash Cond", equalText(p))
		if t := p.Temporal; t != nil && !t.Arrival {
			x.prop(depth, "Version", "newest "+columnName(p.Inputs[1].Out, t.Right)+map[bool]string{false: " at ", true: " before "}[t.Before]+columnName(p.Inputs[0].Out, t.Left))
		}
		if p.Within != nil {
			x.prop(depth, "Time Cond", withinText(p))
		}
		if p.Cond != nil {
			x.prop(depth, "Join Filter", expr.String(p.Cond))
		}
	case OpOver:
		if len(p.Over) > 0 {
			x.prop(depth, "Window", overList(p.Over, columnNames(p.Inputs[0].Out, p.Keys), p.Sort))
		} else {
			x.prop(depth, "Sort Key", sortText(p.Sort))
		}
		switch {
		case p.Once && p.Ahead > 0:
			x.prop(depth, "Rows", fmt.Sprintf("each once, when there are %d behind it", p.Ahead))
		case p.Once:
			x.prop(depth, "Rows", "each once, over the rows before it")
		}
		x.timeout(depth, p)
	case OpExpand:
		x.prop(depth, "Function Call", tableCallText(p.Table))
	case OpSort:
		x.prop(depth, "Sort Key", sortText(p.Sort))
	case OpTopN, OpLimit:
		x.prop(depth, "Sort Key", sortText(p.Sort))
		x.prop(depth, "Limit", limitText(p.Count, p.Offset))
	default:
	}
}

func visibleNames(s Schema) string {
	var at []int
	for i := range s {
		at = append(at, i)
	}
	return columnNames(s, at)
}

func lookupText(p *Physical) string {
	v := exprList(p.Lookup)
	if len(p.Lookup) > 1 {
		v = "(" + v + ")"
	}
	if p.Index != 0 {
		return "(key = " + v + ")"
	}
	return "(primary key = " + v + ")"
}

// accessText is what p.Access reads, for EXPLAIN.
func accessText(p *Physical) string {
	a := p.Access
	name := func(i int) string {
		if a.Labels != nil {
			return a.Labels[i]
		}
		if at := slices.Index(p.Columns, a.Columns[i]); at >= 0 {
			return columnName(p.Out, at)
		}
		return "?"
	}
	var out []string
	add := func(i int, op, v string) { out = append(out, "("+name(i)+" "+op+" "+v+")") }
	for i, e := range a.Equal {
		add(i, "=", expr.String(e))
	}
	next := len(a.Equal)
	switch {
	case a.Join > 0:
		add(next, "=", "ANY (keys of the join)")
	case a.Among != nil:
		add(next, "=", "ANY ("+exprList(a.Among)+")")
	case a.Array != nil:
		add(next, "=", "ANY ("+expr.String(a.Array)+")")
	}
	if a.Low != nil {
		add(next, ">=", expr.String(a.Low))
	}
	if a.High != nil {
		add(next, "<=", expr.String(a.High))
	}
	return strings.Join(out, " AND ")
}

func equalText(p *Physical) string {
	var out []string
	for i := range p.Keys {
		out = append(out, "("+columnName(p.Inputs[0].Out, p.Keys[i])+" = "+columnName(p.Inputs[1].Out, p.RightKeys[i])+")")
	}
	return strings.Join(out, " AND ")
}

// withinText says how far the times of an interval join may be apart.
func withinText(p *Physical) string {
	w := p.Within
	r, l := columnName(p.Inputs[1].Out, w.Right), columnName(p.Inputs[0].Out, w.Left)
	var parts []string
	if w.Lo > math.MinInt64 {
		parts = append(parts, fmt.Sprintf("(%s - %s) >= %s", r, l, types.AppendInterval(nil, types.Interval{Micros: w.Lo}, 0)))
	}
	if w.Hi < math.MaxInt64 {
		parts = append(parts, fmt.Sprintf("(%s - %s) <= %s", r, l, types.AppendInterval(nil, types.Interval{Micros: w.Hi}, 0)))
	}
	return strings.Join(parts, " AND ")
}

func limitText(count, offset expr.Expr) string {
	var parts []string
	if count != nil {
		parts = append(parts, expr.String(count))
	}
	if offset != nil {
		parts = append(parts, "offset "+expr.String(offset))
	}
	return strings.Join(parts, " ")
}

// timeout says when the clock closes windows.
func (x *explainer) timeout(depth int, p *Physical) {
	if p.Timeout > 0 {
		x.prop(depth, "Timeout", string(types.AppendInterval(nil, types.Interval{Micros: p.Timeout}, 0)))
	}
}
