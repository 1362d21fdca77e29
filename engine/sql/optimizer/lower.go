package optimizer

import (
	"slices"

	"velostream/catalog/types"
	"velostream/engine/sql/expr"
	"velostream/engine/sql/plan"
	"velostream/pgwire/pgerror"
)

// LowerOptions say where a plan is to run.
type LowerOptions struct {
	// Continuous: the plan is a job's or a subscription's; every node gets a
	// stream key, and stateful ones get tables.
	Continuous bool
	// View: the result is kept, so that a LIMIT is a maintained Top-N; else it
	// goes straight to a client and LIMIT ends the query.
	View bool
	// Stream: the result is a stream, so that window functions give a row once where
	// they can, also with View.
	Stream bool
	// Every is how often changes leave, µs; 0: with each epoch. Of continuous plans.
	Every int64
	// Ends: all input ends, so what waits for rows to come would wait for ever.
	Ends bool
	// Timeout closes time windows by the clock, µs; 0: it does not. Of continuous plans.
	Timeout int64
	// Shards is how many tasks run a stage; with 1 there are no exchanges.
	Shards int
}

// Lower chooses operators for an optimized logical plan. The notices are for
// the user; errors are 0A000 for what no operator does.
//
// A node's output begins with the columns of the logical node; hidden columns
// that belong to its stream key may follow.
func Lower(p plan.Logical, o LowerOptions) (*plan.Physical, []*pgerror.Error, error) {
	l := &lowering{o: o}
	root, err := l.node(p, o.Continuous, true)
	if err != nil {
		return nil, nil, err
	}
	switch {
	case !o.Continuous:
		withoutKeys(root)
	case o.Every > 0 && root.Op == plan.OpLimit:
		root.Inputs[0] = l.every(root.Inputs[0])
	case o.Every > 0:
		root = l.every(root)
	}
	return root, l.warnings, nil
}

// every holds back what in emits.
func (l *lowering) every(in *plan.Physical) *plan.Physical {
	n := newNode(plan.OpEvery, in.Out, in)
	n.Every, n.Key, n.AppendOnly, n.Tables = l.o.Every, in.Key, in.AppendOnly, l.newTables(1)
	return n
}

// clockFilter lowers conditions on now(). Only where rows never end is the output append-only,
// and nothing holds for the times of rows that come when the clock says so.
func (l *lowering) clockFilter(p *plan.ClockFilter) (*plan.Physical, error) {
	in, err := l.node(p.Input, true, false)
	if err != nil {
		return nil, err
	}
	n := newNode(plan.OpClock, in.Out, in)
	n.Exprs, n.Ops, n.Key, n.Tables = p.Bounds, p.Ops, in.Key, l.newTables(1)
	n.AppendOnly = in.AppendOnly && !slices.ContainsFunc(p.Ops, func(op string) bool { return op[0] == '<' })
	return n, nil
}

// withoutKeys forgets the keys of a bounded plan: they were not carried where
// a column was dropped, so what is left of them may identify nothing.
func withoutKeys(p *plan.Physical) {
	p.Key = nil
	for _, in := range p.Inputs {
		withoutKeys(in)
	}
}

type lowering struct {
	o        LowerOptions
	tables   uint16
	shared   map[int]*plan.Physical // by plan.Shared.ID
	ids      bool                   // the session window below is for an aggregate, see session
	warnings []*pgerror.Error
}

func (l *lowering) warn(code, hint, format string, args ...any) {
	w := pgerror.New(code, format, args...)
	w.Severity, w.Hint = "NOTICE", hint
	l.warnings = append(l.warnings, w)
}

// newTables gives the next n table ids.
func (l *lowering) newTables(n int) []uint16 {
	if !l.o.Continuous {
		return nil
	}
	out := make([]uint16, n)
	for i := range out {
		l.tables++
		out[i] = l.tables
	}
	return out
}

func newNode(op plan.PhysicalOp, out plan.Schema, in ...*plan.Physical) *plan.Physical {
	return &plan.Physical{Op: op, Out: out, Inputs: in, EventTime: -1, WindowEnd: -1}
}

// node lowers p. keyed: whoever reads it needs the stream key. root: nothing
// reads it but the consumer of the whole plan.
func (l *lowering) node(p plan.Logical, keyed, root bool) (*plan.Physical, error) {
	switch p := p.(type) {
	case *plan.Scan:
		return l.scan(p)
	case *plan.Values:
		return l.values(p, keyed), nil
	case *plan.Series:
		n := newNode(plan.OpSeries, p.Out)
		n.Rows = [][]expr.Expr{{p.Start, p.Stop, p.Step}}
		n.AppendOnly, n.Tables = true, l.newTables(1)
		n.Key = []int{0}
		return n, nil
	case *plan.Filter:
		return l.filter(p, keyed)
	case *plan.ClockFilter:
		return l.clockFilter(p)
	case *plan.Project:
		return l.project(p, keyed, root)
	case *plan.Window:
		return l.window(p, keyed)
	case *plan.Aggregate:
		return l.aggregate(p)
	case *plan.Join:
		return l.join(p)
	case *plan.Union:
		return l.union(p, keyed)
	case *plan.Over:
		return l.over(p)
	case *plan.Expand:
		return l.expand(p, keyed)
	case *plan.Recursive:
		return l.recursive(p)
	case *plan.WorkTable:
		return l.workTable(p), nil
	case *plan.Shared:
		return l.sharedNode(p, keyed)
	case *plan.Sort:
		return l.sort(p, keyed, root)
	case *plan.Limit:
		return l.limit(p, keyed, root)
	}
	return nil, pgerror.New(pgerror.InternalError, "no operator for plan node %T", p)
}

func (l *lowering) scan(p *plan.Scan) (*plan.Physical, error) {
	n := newNode(plan.OpScan, p.Out)
	n.Relation, n.Name, n.Columns, n.Lookup, n.Access = p.Relation, p.Name, p.Columns, p.Lookup, p.Access
	if p.Index != nil {
		n.Index, n.IndexName = p.Index.ID, p.Index.Name
	}
	n.Key, n.AppendOnly, n.EventTime = p.Key, p.AppendOnly, p.EventTime
	if !l.o.Continuous {
		n.AppendOnly = true // a snapshot has no deletes
	}
	return n, nil
}

// values are constant rows; their number is their key. Their table, as that of
// a series, remembers over restarts that they were emitted.
func (l *lowering) values(p *plan.Values, keyed bool) *plan.Physical {
	n := newNode(plan.OpValues, p.Out)
	n.Rows, n.AppendOnly, n.Tables = p.Rows, true, l.newTables(1)
	if !keyed || len(p.Rows) < 2 {
		return n
	}
	n.Rows = make([][]expr.Expr, len(p.Rows))
	for i, r := range p.Rows {
		n.Rows[i] = append(append([]expr.Expr(nil), r...), intConst(int64(i)))
	}
	n.Out = withColumns(p.Out, plan.Column{Name: "_row", Type: types.Int4, Hidden: true})
	n.Key = []int{len(p.Out)}
	return n
}

func intConst(v int64) expr.Expr { return &expr.Const{Value: types.IntDatum(v), T: types.Int4} }

func withColumns(s plan.Schema, cols ...plan.Column) plan.Schema {
	return append(append(make(plan.Schema, 0, len(s)+len(cols)), s...), cols...)
}

func (l *lowering) filter(p *plan.Filter, keyed bool) (*plan.Physical, error) {
	in, err := l.node(p.Input, keyed, false)
	if err != nil {
		return nil, err
	}
	n := newNode(plan.OpFilter, in.Out, in)
	n.Cond, n.Key, n.AppendOnly, n.EventTime = p.Cond, in.Key, in.AppendOnly, in.EventTime
	return n, nil
}

// project keeps the columns of the key that the query does not select as
// hidden ones, and the event time column where a window above may need it.
func (l *lowering) project(p *plan.Project, keyed, root bool) (*plan.Physical, error) {
	in, err := l.node(p.Input, keyed, root)
	if err != nil {
		return nil, err
	}
	return projectOver(in, p.Exprs, p.Out, keyed && l.o.Continuous), nil
}

func projectOver(in *plan.Physical, exprs []expr.Expr, out plan.Schema, keyed bool) *plan.Physical {
	if isIdentity(in, exprs, out) {
		in.Out = renamedSchema(in.Out, out)
		return in
	}
	n := newNode(plan.OpProject, withColumns(out), in)
	n.Exprs = append(n.Exprs, exprs...)
	n.AppendOnly = in.AppendOnly
	at := map[int]int{}
	for i, e := range exprs {
		if c, ok := e.(*expr.Col); ok {
			if _, seen := at[c.Index]; !seen {
				at[c.Index] = i
			}
		}
	}
	if i, ok := at[in.EventTime]; ok {
		n.EventTime = i
	}
	if !keyed {
		return n
	}
	for _, k := range in.Key {
		i, ok := at[k]
		if !ok {
			c := in.Out[k]
			c.Hidden = true
			i = len(n.Exprs)
			n.Exprs = append(n.Exprs, &expr.Col{Index: k, T: c.Type, Name: c.Name})
			n.Out = append(n.Out, c)
			at[k] = i
		}
		n.Key = append(n.Key, i)
	}
	if i, ok := at[in.EventTime]; ok {
		n.EventTime = i // a key column, carried though it is not selected
	}
	return n
}

// isIdentity reports a projection that changes at most names, and leaves out
// at most hidden columns at the end.
func isIdentity(in *plan.Physical, exprs []expr.Expr, out plan.Schema) bool {
	if len(exprs) > len(in.Out) {
		return false
	}
	for i, e := range exprs {
		c, ok := e.(*expr.Col)
		if !ok || c.Index != i || in.Out[i].Hidden != out[i].Hidden {
			return false
		}
	}
	for _, c := range in.Out[len(exprs):] {
		if !c.Hidden {
			return false
		}
	}
	return true
}

func renamedSchema(in, out plan.Schema) plan.Schema {
	s := withColumns(in)
	copy(s, out)
	return s
}

func (l *lowering) window(p *plan.Window, keyed bool) (*plan.Physical, error) {
	if p.Spec.Kind == plan.Session {
		return l.session(p)
	}
	in, err := l.node(p.Input, keyed, false)
	if err != nil {
		return nil, err
	}
	// Key columns that the input carries behind its columns move behind the
	// window's, so that the plan above finds what it expects.
	base := len(p.Input.Schema())
	t := p.Time.Type()
	n := newNode(plan.OpWindow, withColumns(in.Out,
		plan.Column{Name: "window_start", Type: t}, plan.Column{Name: "window_end", Type: t}), in)
	n.Window, n.Exprs = p.Spec, []expr.Expr{p.Time}
	n.AppendOnly = in.AppendOnly
	if c, ok := p.Time.(*expr.Col); ok && c.Index == in.EventTime && in.EventTime >= 0 {
		// What holds for the time holds for the end of its window too, and that is
		// the column which outlives the projections above.
		n.EventTime = len(in.Out) + 1
	}
	if keyed {
		n.Key = append(append(n.Key, in.Key...), len(in.Out)+1)
	}
	if base == len(in.Out) {
		return n, nil
	}
	exprs := make([]expr.Expr, 0, base+2)
	for i := range base {
		exprs = append(exprs, col(n.Out, i))
	}
	exprs = append(exprs, col(n.Out, len(in.Out)), col(n.Out, len(in.Out)+1))
	return projectOver(n, exprs, p.Out, true), nil
}

func col(s plan.Schema, i int) expr.Expr {
	return &expr.Col{Index: i, T: s[i].Type, Name: s[i].Name}
}

// exchange sends in's rows to the shard of keys; none: all to shard 0.
func (l *lowering) exchange(in *plan.Physical, keys []int) *plan.Physical {
	if !l.o.Continuous || l.o.Shards <= 1 {
		return in
	}
	if gathered(in) && len(keys) == 0 {
		return in
	}
	n := newNode(plan.OpExchange, in.Out, in)
	n.Keys, n.Key, n.AppendOnly, n.EventTime = keys, in.Key, in.AppendOnly, in.EventTime
	return n
}

// gathered reports that all of p's rows are in shard 0 already.
func gathered(p *plan.Physical) bool {
	switch p.Op {
	case plan.OpExchange:
		return len(p.Keys) == 0
	case plan.OpScan:
		return false
	case plan.OpValues, plan.OpSeries:
		return true
	default:
	}
	for _, in := range p.Inputs {
		if !gathered(in) {
			return false
		}
	}
	return true
}
