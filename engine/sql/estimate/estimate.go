// Package estimate says what the nodes of a physical plan are likely to yield and
// cost, for EXPLAIN: rows by the rules of PostgreSQL's selectivity functions over
// what is known of the relations, costs in its units (1 is a page read in order)
// with its default factors. It chooses nothing: plans do not depend on it.
package estimate

import (
	"math"

	"velostream/catalog"
	"velostream/catalog/types"
	"velostream/engine/sql/expr"
	"velostream/engine/sql/plan"
)

// PostgreSQL's defaults of the settings of these names.
const (
	seqPageCost       = 1.0
	randomPageCost    = 4.0
	cpuTupleCost      = 0.01
	cpuIndexTupleCost = 0.005
	cpuOperatorCost   = 0.0025
)

const (
	pageBytes = 8192
	// unknownPages is how many pages a relation is taken to have of which nothing is known.
	unknownPages = 10
	// rowOverhead is what a row takes besides its values, in bytes.
	rowOverhead = 28
	// connectorRows is how many rows a connector is taken to hold.
	connectorRows = 1000
	// setRows is how many rows a set-returning function is taken to give.
	setRows = 1000
)

// Statistics is what is known of relations.
type Statistics interface {
	// Size is how many rows a relation has and what they take, in bytes; -1: not known.
	Size(relation uint32) (rows, bytes float64)
	// Column is what ANALYZE found in a column, by position; nil: nothing.
	Column(relation uint32, column int) *Column
	// Unique reports a column of which no two rows have the same value.
	Unique(relation uint32, column int) bool
}

// Column is what ANALYZE found in a column. Values are of its type.
type Column struct {
	NullFraction float64
	Width        int // average, in bytes
	// Distinct is the number of values, or, below 0, minus its share of the rows.
	Distinct float64
	// Common are the most common values, Frequencies their shares of all rows.
	Common      []types.Datum
	Frequencies []float64
	// Bounds divide the other values, in order, into parts of as many rows.
	Bounds []types.Datum
}

// Plan estimates p and all below it.
func Plan(p *plan.Physical, known Statistics) map[*plan.Physical]plan.Cost {
	e := &estimator{known: known, done: map[*plan.Physical]plan.Cost{}, shared: map[int]*node{}, work: map[int]*node{}}
	e.node(p)
	return e.done
}

// node is a node that has been estimated.
type node struct {
	plan.Cost
	columns []variable // of its output
	whole   float64    // of a scan: the rows of its relation
	pairs   bool       // the columns are those of two inputs
}

// variable is what is known of an output column.
type variable struct {
	t      types.Type
	found  *Column // nil: nothing
	rows   float64 // of the relation it comes from, 0: it comes from none
	unique bool
	width  int
}

type estimator struct {
	known  Statistics
	done   map[*plan.Physical]plan.Cost
	shared map[int]*node
	work   map[int]*node // by recursion: what its first round yields
}

func (e *estimator) node(p *plan.Physical) *node {
	n := e.shared[p.Shared]
	if p.Shared == 0 || n == nil {
		n = e.fresh(p)
		if p.Shared != 0 {
			e.shared[p.Shared] = n
		}
	}
	e.done[p] = n.Cost
	return n
}

func (e *estimator) fresh(p *plan.Physical) *node {
	if p.Op == plan.OpRecursive {
		return e.recursive(p)
	}
	in := make([]*node, len(p.Inputs))
	for i, c := range p.Inputs {
		in[i] = e.node(c)
	}
	n := &node{}
	if len(in) > 0 {
		*n = *in[0]
	}
	switch p.Op {
	case plan.OpScan:
		e.scan(n, p)
	case plan.OpValues, plan.OpSeries, plan.OpWorkTable:
		e.leaf(n, p)
	case plan.OpFilter, plan.OpClock, plan.OpExpand:
		restrict(n, p)
	case plan.OpProject:
		projected(n, p)
	case plan.OpJoin, plan.OpIntervalJoin, plan.OpLookupJoin, plan.OpTemporalJoin:
		join(n, p, in[0], in[1])
	case plan.OpUnion:
		for _, o := range in[1:] {
			n.Startup, n.Total, n.Rows = min(n.Startup, o.Startup), n.Total+o.Total, n.Rows+o.Rows
		}
		n.Total += n.Rows * cpuTupleCost / 2
		n.columns = nil
	default:
		over(n, p)
	}
	if p.Op != plan.OpScan {
		n.whole = 0
	}
	n.Rows = clamp(n.Rows)
	n.columns = complete(n.columns, p.Out)
	n.Width = width(n.columns, p.Out)
	return n
}

// clamp makes a number of rows whole, and 1 at least.
func clamp(rows float64) float64 {
	if math.IsNaN(rows) || rows < 1 {
		return 1
	}
	return math.Min(math.Round(rows), 1e18)
}

// complete makes columns as many as out has.
func complete(columns []variable, out plan.Schema) []variable {
	n := min(len(columns), len(out))
	columns = columns[:n:n]
	for _, c := range out[n:] {
		columns = append(columns, variable{t: c.Type, width: typeWidth(c.Type)})
	}
	return columns
}

// width is that of the rows that clients see.
func width(columns []variable, out plan.Schema) int {
	n := 0
	for i, c := range columns {
		if !out[i].Hidden {
			n += c.width
		}
	}
	return n
}

// typeWidth is what values of a type are taken to be wide, as PostgreSQL's
// get_typavgwidth.
func typeWidth(t types.Type) int {
	if n := t.Len(); n > 0 {
		return int(n)
	}
	most := int(t.Mod) - 4
	switch {
	case t.OID != types.OIDVarchar && t.OID != types.OIDBpchar || most <= 0:
		return 32
	case t.OID == types.OIDBpchar || most <= 32:
		return most
	case most < 1000:
		return 32 + (most-32)/2
	}
	return 32 + (1000-32)/2
}

func (e *estimator) scan(n *node, p *plan.Physical) {
	n.columns = make([]variable, len(p.Out))
	for i, c := range p.Out {
		v := variable{t: c.Type, width: typeWidth(c.Type)}
		if i < len(p.Columns) {
			v.found, v.unique = e.known.Column(p.Relation, p.Columns[i]), e.known.Unique(p.Relation, p.Columns[i])
		}
		if v.found != nil && v.found.Width > 0 {
			v.width = v.found.Width
		}
		n.columns[i] = v
	}
	rows, bytes := e.known.Size(p.Relation)
	pages := math.Ceil(bytes / pageBytes)
	switch {
	case rows < 0 && p.Relation >= catalog.FirstID:
		rows, pages = connectorRows, unknownPages
	case rows < 0:
		pages = unknownPages
		rows = math.Floor(pages * pageBytes / float64(rowOverhead+width(n.columns, p.Out)))
	}
	for i := range n.columns {
		n.columns[i].rows = max(rows, 1)
	}
	n.Rows, n.whole = rows, rows
	n.Total = pages*seqPageCost + rows*cpuTupleCost
	if part, narrowed := accessed(n, p, rows); narrowed {
		n.Rows = part
		n.Startup = math.Ceil(math.Log2(max(rows, 2))) * cpuOperatorCost
		read := min(pages, math.Ceil(part*max(pages, 1)/max(rows, 1)))
		n.Total = n.Startup + randomPageCost + max(read, 1)*randomPageCost + clamp(part)*(cpuIndexTupleCost+cpuTupleCost)
		n.Startup += cpuOperatorCost * 50 // to descend the levels of the tree
		n.Total = max(n.Total, n.Startup)
	}
}

// accessed is how many rows the part of an index has that p reads.
func accessed(n *node, p *plan.Physical, rows float64) (float64, bool) {
	a := p.Access
	switch {
	case p.Lookup != nil && p.Index == 0:
		return 1, true
	case p.Lookup != nil:
		return max(rows*math.Pow(defaultEqual, float64(len(p.Lookup))), 1), true
	case a == nil:
		return rows, false
	}
	share := 1.0
	column := func(i int) variable {
		for at, c := range p.Columns {
			if c == a.Columns[i] && at < len(n.columns) {
				return n.columns[at]
			}
		}
		return variable{rows: rows}
	}
	for i, x := range a.Equal {
		share *= equal(column(i), x)
	}
	next := len(a.Equal)
	switch {
	case a.Join > 0:
		share *= 1 / distinct(column(next))
	case a.Among != nil:
		s := 0.0
		for _, x := range a.Among {
			s += equal(column(next), x)
		}
		share *= min(s, 1)
	case a.Array != nil:
		share *= min(equal(column(next), nil)*arrayItems(a.Array), 1)
	}
	if a.Low != nil || a.High != nil {
		share *= between(column(next), a.Low, a.High)
	}
	return rows * share, true
}

func (e *estimator) leaf(n *node, p *plan.Physical) {
	switch p.Op {
	case plan.OpValues:
		n.Rows = float64(len(p.Rows))
		n.Total = cpuTupleCost
		if len(p.Rows) != 1 {
			n.Total = n.Rows * (cpuTupleCost + cpuOperatorCost)
		}
	case plan.OpSeries:
		n.Rows = seriesRows(p.Rows[0])
		n.Total = n.Rows * cpuTupleCost
	case plan.OpWorkTable:
		n.Rows = 1
		if w := e.work[p.Recursion]; w != nil {
			n.Rows = 10 * w.Rows
			n.columns = w.columns
		}
		n.Total = n.Rows * cpuTupleCost
	default:
	}
}

// seriesRows is how many rows generate_series gives, where its arguments are known.
func seriesRows(args []expr.Expr) float64 {
	v := [3]float64{0, 0, 1}
	for i, a := range args {
		c, ok := a.(*expr.Const)
		if !ok || c.Value.Null {
			return setRows
		}
		x, ok := number(c.T, c.Value)
		if !ok || c.T.OID != types.OIDInt4 && c.T.OID != types.OIDInt8 && c.T.OID != types.OIDNumeric || i > 2 {
			return setRows
		}
		v[i] = x
	}
	if v[2] == 0 {
		return setRows
	}
	return max(math.Floor((v[1]-v[0])/v[2])+1, 0)
}

// recursive is a base and, as PostgreSQL takes it, ten rounds of the step.
func (e *estimator) recursive(p *plan.Physical) *node {
	base := e.node(p.Inputs[0])
	e.work[p.Recursion] = base
	step := e.node(p.Inputs[1])
	n := &node{columns: complete(base.columns, p.Out)}
	n.Startup = base.Startup
	n.Rows = clamp(base.Rows + 10*step.Rows)
	n.Total = base.Total + 10*step.Total + n.Rows*cpuTupleCost
	n.Width = width(n.columns, p.Out)
	return n
}
