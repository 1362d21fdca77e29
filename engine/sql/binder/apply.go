package binder

import (
	"slices"

	"velostream/catalog/types"
	"velostream/engine/sql/expr"
	"velostream/engine/sql/plan"
	"velostream/pgwire/pgerror"
)

// A subquery that uses names of the query around it is bound with outerRefs in their
// place. It is made independent by joining it with the distinct values that those have
// in the query around it (its domain), as far down as they are used:
//
//	Q(d) for each row of R   →   R ⋈ (D × Q), D = distinct values of d in R
//
// pushing D × through each node of Q: a grouping also groups by D, a LIMIT numbers the
// rows of each d, and so on. The join with R is by equality of d, where NULL equals NULL.
// What comes out has no memory of rows of R, so it is maintained as any other join.

// outerRef is an expression of a query around the one it stands in: level 1 is the
// next one.
type outerRef struct {
	e     expr.Expr // bound there
	level int
}

// Type is the type of the expression.
func (o *outerRef) Type() types.Type { return o.e.Type() }

// outerOf makes the reference to a column of a query around.
func outerOf(r *ref) *outerRef {
	o := *r
	o.level = 0
	return &outerRef{e: &o, level: r.level}
}

// dependent reports that p uses a query around it.
func dependent(p plan.Logical) bool {
	found := false
	eachOuter(p, func(*outerRef) { found = true })
	return found
}

func eachOuter(p plan.Logical, f func(*outerRef)) {
	var walk func(e expr.Expr)
	walk = func(e expr.Expr) {
		if o, ok := e.(*outerRef); ok {
			f(o)
			return
		}
		for _, a := range expr.Children(e) {
			walk(a)
		}
	}
	_, _ = plan.MapExprs(p, func(e expr.Expr) (expr.Expr, error) {
		walk(e)
		return e, nil
	})
}

// domain is what a dependent subquery needs of the query around it.
type domain struct {
	plan plan.Logical // distinct values
	n    int          // columns
	refs []*outerRef
	work []int // recursions whose work tables have the domain's columns
	// ordered: rows of a sorted LIMIT come in its order, as ARRAY (query) wants them.
	ordered bool
}

// domainOf lists what p needs of the next query around, without a plan.
func domainOf(p plan.Logical) *domain {
	d := &domain{}
	eachOuter(p, func(o *outerRef) {
		if o.level == 1 && d.find(o) < 0 {
			d.refs = append(d.refs, o)
		}
	})
	d.n = len(d.refs)
	return d
}

func (d *domain) find(o *outerRef) int {
	return slices.IndexFunc(d.refs, func(r *outerRef) bool { return r == o || sameBound(r.e, o.e) })
}

// over sets the domain's plan: the distinct values of exprs in input.
func (d *domain) over(input plan.Logical, exprs []expr.Expr) {
	a := &plan.Aggregate{Input: input, Groups: exprs, Emit: plan.EmitChanges, WindowEnd: -1}
	for _, e := range exprs {
		c := plan.Column{Type: e.Type(), Hidden: true}
		if x, ok := e.(*expr.Col); ok {
			c.Name = x.Name
		}
		a.Out = append(a.Out, c)
	}
	d.plan = a
}

// expr brings an expression of the subquery over the domain's columns followed by
// those that it is over now.
func (d *domain) expr(e expr.Expr) expr.Expr {
	if e == nil {
		return nil
	}
	switch e := e.(type) {
	case *outerRef:
		if e.level > 1 {
			return &outerRef{e: e.e, level: e.level - 1}
		}
		return d.col(d.find(e))
	case *expr.Col:
		return &expr.Col{Index: e.Index + d.n, T: e.T, Name: e.Name}
	}
	out, _ := plan.MapChildren(e, func(a expr.Expr) (expr.Expr, error) { return d.expr(a), nil })
	return out
}

func (d *domain) col(i int) *expr.Col {
	return &expr.Col{Index: i, T: d.refs[i].Type()}
}

func (d *domain) cols() []expr.Expr {
	out := make([]expr.Expr, d.n)
	for i := range out {
		out[i] = d.col(i)
	}
	return out
}

func (d *domain) all(es []expr.Expr) []expr.Expr {
	out := make([]expr.Expr, len(es))
	for i, e := range es {
		out[i] = d.expr(e)
	}
	return out
}

func (d *domain) keys(ks []plan.SortKey) []plan.SortKey {
	out := make([]plan.SortKey, len(ks))
	for i, k := range ks {
		k.Expr = d.expr(k.Expr)
		out[i] = k
	}
	return out
}

// schema is the domain's columns, then s.
func (d *domain) schema(s plan.Schema) plan.Schema {
	out := make(plan.Schema, 0, d.n+len(s))
	for _, r := range d.refs {
		out = append(out, plan.Column{Type: r.Type(), Hidden: true})
	}
	return append(out, s...)
}

// lowered is p, which needs nothing of the next query around, seen from there.
func lowered(p plan.Logical) plan.Logical {
	out, _ := plan.MapExprs(p, func(e expr.Expr) (expr.Expr, error) { return lowerRefs(e), nil })
	return out
}

func lowerRefs(e expr.Expr) expr.Expr {
	if o, ok := e.(*outerRef); ok {
		return &outerRef{e: o.e, level: o.level - 1}
	}
	out, _ := plan.MapChildren(e, func(a expr.Expr) (expr.Expr, error) { return lowerRefs(a), nil })
	return out
}

// needs reports that p uses the next query around.
func needs(p plan.Logical) bool {
	found := false
	eachOuter(p, func(o *outerRef) { found = found || o.level == 1 })
	return found
}

func needsExpr(es ...expr.Expr) bool {
	return slices.ContainsFunc(es, func(e expr.Expr) bool {
		if o, ok := e.(*outerRef); ok {
			return o.level == 1
		}
		return e != nil && needsExpr(expr.Children(e)...)
	})
}

// push is D × p with p's references to the next query around resolved: the domain's
// columns, then those of p.
func (d *domain) push(p plan.Logical) (plan.Logical, error) {
	if v, ok := p.(*plan.Values); ok && len(v.Rows) == 1 {
		return d.pushValues(v)
	}
	if !d.needs(p) {
		return newJoin(plan.CrossJoin, d.plan, lowered(p)), nil
	}
	switch p := p.(type) {
	case *plan.Join:
		return d.pushJoin(p)
	case *plan.Union:
		return d.pushUnion(p)
	case *plan.Recursive:
		return d.pushRecursive(p)
	case *plan.WorkTable:
		return &plan.WorkTable{ID: p.ID, Name: p.Name, Out: d.schema(p.Out)}, nil
	case *plan.Limit:
		return d.limit(p)
	case *plan.Values:
		return d.pushValues(p)
	case *plan.Series:
		call := plan.TableCall{Name: "generate_series", Args: d.all([]expr.Expr{p.Start, p.Stop, p.Step}), T: p.Out.Types()}
		out := append(d.schema(p.Out), numberColumn())
		x := &plan.Expand{Input: d.plan, Calls: []plan.TableCall{call}, Out: out}
		return &plan.Project{Input: x, Exprs: identity(out)[:len(out)-1], Out: out[:len(out)-1]}, nil
	}
	if len(p.Inputs()) != 1 {
		return nil, pgerror.Unsupported("this kind of subquery can't refer to the query around it")
	}
	in, err := d.push(p.Inputs()[0])
	if err != nil {
		return nil, err
	}
	return d.pushOne(p, in)
}

// pushOne puts p, a node with one input, over in, that input with the domain.
func (d *domain) pushOne(p, in plan.Logical) (plan.Logical, error) {
	switch p := p.(type) {
	case *plan.Filter:
		return &plan.Filter{Input: in, Cond: d.expr(p.Cond)}, nil
	case *plan.Project:
		return &plan.Project{Input: in, Exprs: append(d.cols(), d.all(p.Exprs)...), Out: d.schema(p.Out)}, nil
	case *plan.Window:
		return &plan.Window{Input: in, Spec: p.Spec, Time: d.expr(p.Time), Keys: append(d.cols(), d.all(p.Keys)...), Out: d.schema(p.Out)}, nil
	case *plan.Over:
		return &plan.Over{
			Input: in, Partition: append(d.cols(), d.all(p.Partition)...), Order: d.keys(p.Order),
			Calls: plan.MapOverCalls(p.Calls, d.expr), Out: d.schema(p.Out),
		}, nil
	case *plan.Expand:
		return &plan.Expand{Input: in, Calls: plan.MapTableCalls(p.Calls, d.expr), Out: d.schema(p.Out)}, nil
	case *plan.Sort:
		return &plan.Sort{Input: in, Keys: d.keys(p.Keys)}, nil
	case *plan.Aggregate:
		return d.aggregate(p, in)
	}
	return nil, pgerror.Unsupported("this kind of subquery can't refer to the query around it")
}

// limit keeps the first rows of each value of the domain.
func (d *domain) limit(p *plan.Limit) (plan.Logical, error) {
	input, order := p.Input, []plan.SortKey(nil)
	if s, ok := input.(*plan.Sort); ok {
		input, order = s.Input, d.keys(s.Keys)
	}
	in, err := d.push(input)
	if err != nil {
		return nil, err
	}
	bounds := p.Bounds
	switch {
	case bounds == nil:
	case d.needs(bounds):
		if bounds, err = d.push(bounds); err != nil {
			return nil, err
		}
	default:
		bounds = lowered(bounds)
	}
	o := numbered(in, "row_number", d.cols(), order)
	n := len(o.Out) - 1
	row := &expr.Col{Index: n, T: types.Int8, Name: "row_number"}
	own := bounds != nil && len(bounds.Schema()) > 2 // each value of the domain has its own
	f := firstRows(o, n, row, row, d.expr(p.Count), d.expr(p.Offset), bounds, func(j *plan.Join) {
		if own {
			d.equate(j)
		}
	})
	if d.ordered && len(order) > 0 {
		return &plan.Sort{Input: f, Keys: order}, nil
	}
	return f, nil
}

// firstRows are the first n columns of those rows of in that LIMIT leaves, see within.
// bounds, if set, gives count and offset as its last two columns; joined says by what.
func firstRows(in plan.Logical, n int, row, last, count, offset expr.Expr, bounds plan.Logical, joined func(*plan.Join)) plan.Logical {
	if bounds != nil {
		j := newJoin(plan.CrossJoin, in, bounds)
		joined(j)
		at := len(j.Out) - 2
		count, offset = &expr.Col{Index: at, T: types.Int8}, &expr.Col{Index: at + 1, T: types.Int8}
		in = j
	}
	f := &plan.Filter{Input: in, Cond: plan.All(within(row, last, count, offset))}
	s := in.Schema()
	return &plan.Project{Input: f, Exprs: identity(s)[:n], Out: s[:n]}
}

// within are the conditions that row > offset and last <= offset + count.
func within(row, last, count, offset expr.Expr) []expr.Expr {
	zero := &expr.Const{Value: types.IntDatum(0), T: types.Int8}
	sig := []types.OID{types.OIDInt8, types.OIDInt8}
	var out []expr.Expr
	end := count
	if offset != nil {
		offset = &expr.Coalesce{Args: []expr.Expr{offset, zero}, T: types.Int8}
		out = append(out, &expr.Call{Name: ">", Sig: sig, T: types.Bool, Args: []expr.Expr{row, offset}})
		if count != nil {
			end = &expr.Call{Name: "+", Sig: sig, T: types.Int8, Args: []expr.Expr{count, offset}}
		}
	}
	if count != nil {
		le := &expr.Call{Name: "<=", Sig: sig, T: types.Bool, Args: []expr.Expr{last, end}}
		out = append(out, &expr.Coalesce{Args: []expr.Expr{le, &expr.Const{Value: types.BoolDatum(true), T: types.Bool}}, T: types.Bool})
	}
	return out
}

// emptyCounts are the aggregates that are 0 over no rows; all others are NULL.
var emptyCounts = map[string]bool{"count": true, "count_distinct": true, "approx_count_distinct": true, "regr_count": true}

// aggregate groups by the domain too. Without groups there is a row for each value of
// the domain, also where there are no rows.
func (d *domain) aggregate(p *plan.Aggregate, in plan.Logical) (plan.Logical, error) {
	a := *p
	a.Input, a.Groups, a.Aggs = in, append(d.cols(), d.all(p.Groups)...), plan.MapAggCalls(p.Aggs, d.expr)
	a.Out = d.schema(p.Out)
	if p.WindowEnd >= 0 {
		a.WindowEnd += d.n
	}
	if len(p.Groups) > 0 {
		return &a, nil
	}
	j := newJoin(plan.LeftJoin, d.plan, &a)
	d.equate(j)
	out := &plan.Project{Input: j, Exprs: d.cols(), Out: a.Out}
	for i, c := range p.Aggs {
		var e expr.Expr = &expr.Col{Index: 2*d.n + i, T: c.T, Name: c.Name}
		if emptyCounts[c.Name] {
			e = &expr.Coalesce{Args: []expr.Expr{e, &expr.Const{Value: types.IntDatum(0), T: c.T}}, T: c.T}
		}
		out.Exprs = append(out.Exprs, e)
	}
	return out, nil
}

// equate joins both sides by the domain's columns, which come first in each.
func (d *domain) equate(j *plan.Join) {
	j.EqualLeft = append(d.cols(), j.EqualLeft...)
	j.EqualRight = append(d.cols(), j.EqualRight...)
	j.NullSafe += d.n
	if j.Kind == plan.CrossJoin && d.n > 0 {
		j.Kind = plan.InnerJoin
	}
}

// needs reports that p uses the next query around, or rows that carry the domain.
func (d *domain) needs(p plan.Logical) bool { return needs(p) || d.working(p) }

func (d *domain) working(p plan.Logical) bool {
	if w, ok := p.(*plan.WorkTable); ok {
		return slices.Contains(d.work, w.ID)
	}
	return slices.ContainsFunc(p.Inputs(), d.working)
}

// pushRecursive recurs for each value of the domain: the work table carries it.
func (d *domain) pushRecursive(p *plan.Recursive) (plan.Logical, error) {
	base, err := d.push(p.Base)
	if err != nil {
		return nil, err
	}
	inner := *d
	inner.work = append(slices.Clone(d.work), p.ID)
	step, err := inner.push(p.Step)
	if err != nil {
		return nil, err
	}
	return &plan.Recursive{ID: p.ID, Base: base, Step: step, Distinct: p.Distinct, Name: p.Name, Out: d.schema(p.Out)}, nil
}

func (d *domain) pushUnion(p *plan.Union) (plan.Logical, error) {
	u := &plan.Union{Out: d.schema(p.Out)}
	for _, b := range p.All {
		in, err := d.push(b)
		if err != nil {
			return nil, err
		}
		u.All = append(u.All, in)
	}
	return u, nil
}

func (d *domain) pushValues(p *plan.Values) (plan.Logical, error) {
	u := &plan.Union{Out: d.schema(p.Out)}
	for _, r := range p.Rows {
		row := make([]expr.Expr, len(r))
		for i, e := range r { // VALUES has no columns of its own
			row[i] = d.expr(e)
		}
		u.All = append(u.All, &plan.Project{Input: d.plan, Exprs: append(d.cols(), row...), Out: u.Out})
	}
	if len(u.All) == 1 {
		return u.All[0], nil
	}
	return u, nil
}

// pushJoin gives the domain to the sides that need it, and to both where a condition
// or the unmatched rows of either side do.
func (d *domain) pushJoin(p *plan.Join) (plan.Logical, error) {
	if p.Temporal != nil {
		return nil, pgerror.Unsupported("a temporal join can't refer to the query around it")
	}
	cond := needsExpr(p.Cond) || needsExpr(p.EqualLeft...) || needsExpr(p.EqualRight...)
	l, r := d.needs(p.Left), d.needs(p.Right)
	switch p.Kind {
	case plan.InnerJoin, plan.CrossJoin:
		l = l || cond && !r
	case plan.LeftJoin, plan.SemiJoin, plan.AntiJoin:
		l = true
	case plan.RightJoin:
		r = true
	case plan.FullJoin:
		l, r = true, true
	}
	left, right := lowered, lowered
	var err error
	push := func(p plan.Logical) plan.Logical {
		n, e := d.push(p)
		if e != nil {
			err = e
		}
		return n
	}
	if l {
		left = push
	}
	if r {
		right = push
	}
	if needsExpr(p.EqualRight...) || r && needsExpr(p.EqualLeft...) {
		if p = equalitiesToCond(p); p == nil {
			return nil, pgerror.Unsupported("this join can't refer to the query around it")
		}
	}
	nl, nr := len(p.Left.Schema()), len(p.Right.Schema())
	j := newJoin(p.Kind, left(p.Left), right(p.Right))
	if err != nil {
		return nil, err
	}
	shiftLeft, shiftRight := 0, 0
	if l {
		shiftLeft = d.n
	}
	if r {
		shiftRight = d.n
	}
	// over maps columns of p's row to those of j's, and the domain to the side that has it.
	over := func(e expr.Expr) expr.Expr {
		return d.place(e, func(i int) int {
			if i < nl {
				return i + shiftLeft
			}
			return i + shiftLeft + shiftRight
		}, map[bool]int{true: 0, false: nl}[l])
	}
	for i := range p.EqualLeft {
		j.EqualLeft = append(j.EqualLeft, d.place(p.EqualLeft[i], func(c int) int { return c + shiftLeft }, 0))
		j.EqualRight = append(j.EqualRight, d.place(p.EqualRight[i], func(c int) int { return c + shiftRight }, 0))
	}
	j.NullSafe = p.NullSafe
	j.Cond = over(p.Cond)
	if l && r {
		d.equate(j)
	}
	return d.arrange(p, j, l, r, nl, nr), nil
}

// place brings e over a row whose column i of e is at(i), with the domain from base on.
func (d *domain) place(e expr.Expr, at func(int) int, base int) expr.Expr {
	switch e := e.(type) {
	case nil:
		return nil
	case *outerRef:
		if e.level > 1 {
			return &outerRef{e: e.e, level: e.level - 1}
		}
		c := d.col(d.find(e))
		c.Index += base
		return c
	case *expr.Col:
		return &expr.Col{Index: at(e.Index), T: e.T, Name: e.Name}
	}
	out, _ := plan.MapChildren(e, func(a expr.Expr) (expr.Expr, error) { return d.place(a, at, base), nil })
	return out
}

// equalitiesToCond turns the equal pairs of a join into conditions.
func equalitiesToCond(p *plan.Join) *plan.Join {
	c := *p
	conds := plan.Conjuncts(p.Cond)
	n := len(p.Left.Schema())
	for i, l := range p.EqualLeft {
		r := plan.Shift(p.EqualRight[i], n)
		same := &expr.IsDistinct{L: l, R: r, Negate: true}
		conds = append(conds, same)
		if i >= p.NullSafe {
			conds = append(conds, &expr.IsNull{Arg: l, Negate: true})
		}
	}
	c.EqualLeft, c.EqualRight, c.NullSafe, c.Cond = nil, nil, 0, plan.All(conds)
	return &c
}

// arrange orders j's columns: the domain, then those of p.
func (d *domain) arrange(p, j *plan.Join, l, r bool, nl, nr int) plan.Logical {
	semi := p.Kind == plan.SemiJoin || p.Kind == plan.AntiJoin
	s := j.Schema()
	if l && (!r || semi) && p.Kind != plan.RightJoin {
		return j // domain, left, right
	}
	leftAt, rightAt := 0, nl
	if l {
		leftAt, rightAt = d.n, d.n+nl
	}
	if r {
		rightAt += d.n
	}
	var es []expr.Expr
	at := func(i int) expr.Expr { return &expr.Col{Index: i, T: s[i].Type, Name: s[i].Name} }
	for i := range d.n {
		switch {
		case p.Kind == plan.FullJoin:
			es = append(es, &expr.Coalesce{Args: []expr.Expr{at(i), at(rightAt - d.n + i)}, T: s[i].Type})
		case p.Kind == plan.RightJoin || !l:
			es = append(es, at(rightAt-d.n+i))
		default:
			es = append(es, at(i))
		}
	}
	for i := range nl {
		es = append(es, at(leftAt+i))
	}
	for i := range nr {
		es = append(es, at(rightAt+i))
	}
	return &plan.Project{Input: j, Exprs: es, Out: d.schema(p.Schema())}
}

// rowwise reports that p makes its rows from the query around it alone: then it can
// be computed right on that query's rows.
func rowwise(p plan.Logical) bool {
	switch p := p.(type) {
	case *plan.Values:
		return len(p.Rows) == 1
	case *plan.Project:
		return rowwise(p.Input)
	case *plan.Filter:
		return rowwise(p.Input)
	case *plan.Expand:
		return rowwise(p.Input)
	case *plan.Series:
		return true
	}
	return false
}

// dependentJoin finishes a join whose right side may use the left one's columns, at
// level 1, and is one level deeper than the left. Out = left columns, right columns.
func (b *Binder) dependentJoin(j *plan.Join) (plan.Logical, error) {
	l, r := j.Left, j.Right
	if !dependent(r) {
		return j, nil
	}
	if !needs(r) {
		return j.WithInputs([]plan.Logical{l, lowered(r)}), nil
	}
	if j.Kind == plan.RightJoin || j.Kind == plan.FullJoin {
		err := pgerror.New(pgerror.InvalidColumnReference, "invalid reference to FROM-clause entry").
			WithDetail("The combining JOIN type must be INNER or LEFT for a LATERAL reference.")
		eachOuter(r, func(o *outerRef) {
			if x, ok := o.e.(*ref); ok && o.level == 1 && err.Position == 0 {
				err.Position = x.pos
			}
		})
		return nil, err
	}
	d := domainOf(r)
	d.ordered = !b.Continuous
	exprs := make([]expr.Expr, d.n)
	for i, o := range d.refs {
		x, err := toCols(b, o.e)
		if err != nil {
			return nil, err
		}
		exprs[i] = x
	}
	if rowwise(r) && j.Kind != plan.LeftJoin {
		if p := d.onRows(l, r, exprs); p != nil {
			if c := equalitiesToCond(j).Cond; c != nil {
				p = &plan.Filter{Input: p, Cond: c}
			}
			return p, nil
		}
	}
	d.over(l, exprs)
	p, err := d.push(r)
	if err != nil {
		return nil, err
	}
	kind := j.Kind
	if kind == plan.CrossJoin {
		kind = plan.InnerJoin
	}
	nl := len(l.Schema())
	out := newJoin(kind, l, p)
	out.EqualLeft = append(exprs, j.EqualLeft...)
	out.EqualRight, out.NullSafe = d.cols(), d.n
	for _, e := range j.EqualRight {
		out.EqualRight = append(out.EqualRight, plan.Shift(e, d.n))
	}
	out.Cond = plan.Remap(j.Cond, func(c *expr.Col) expr.Expr {
		if c.Index < nl {
			return c
		}
		return &expr.Col{Index: c.Index + d.n, T: c.T, Name: c.Name}
	})
	s := out.Out
	return &plan.Project{
		Input: out, Exprs: append(identity(s)[:nl:nl], identity(s)[nl+d.n:]...),
		Out: append(append(plan.Schema(nil), s[:nl]...), s[nl+d.n:]...),
	}, nil
}

// onRows computes r, which is rowwise, on the rows of l.
func (d *domain) onRows(l, r plan.Logical, exprs []expr.Expr) plan.Logical {
	// The domain is l itself, with its columns and those that r needs.
	s := l.Schema()
	n := len(s)
	in := &plan.Project{Input: l, Exprs: append(identity(s), exprs...), Out: append(plan.Schema(nil), s...)}
	whole := &domain{plan: in, n: n + d.n}
	for i := range n {
		whole.refs = append(whole.refs, &outerRef{e: &expr.Col{Index: i, T: s[i].Type, Name: s[i].Name}, level: -1})
	}
	for i, r := range d.refs {
		in.Out = append(in.Out, plan.Column{Type: exprs[i].Type(), Hidden: true})
		whole.refs = append(whole.refs, r)
	}
	p, err := whole.push(r)
	if err != nil {
		return nil
	}
	ps := p.Schema()
	es := append(identity(ps)[:n:n], identity(ps)[n+d.n:]...)
	out := append(append(plan.Schema(nil), s...), ps[n+d.n:]...)
	return &plan.Project{Input: p, Exprs: es, Out: out}
}

// correlate makes sub independent of the block: it returns it with the domain's columns
// in front, and the expressions over the block's input that they must equal.
func (k *block) correlate(sub plan.Logical, over func(expr.Expr) (expr.Expr, error)) (plan.Logical, []expr.Expr, error) {
	if !dependent(sub) {
		return sub, nil, nil
	}
	if !needs(sub) {
		return lowered(sub), nil, nil
	}
	d := domainOf(sub)
	d.ordered = !k.b.Continuous
	exprs := make([]expr.Expr, d.n)
	for i, o := range d.refs {
		x, err := k.attach(o.e, over)
		if err != nil {
			return nil, nil, err
		}
		if exprs[i], err = over(x); err != nil {
			return nil, nil, err
		}
	}
	d.over(k.input, exprs)
	p, err := d.push(sub)
	return p, exprs, err
}

// equateOuter joins by the domain of a subquery, whose columns come first in it.
func (k *block) equateOuter(j *plan.Join, outer []expr.Expr) {
	for i, e := range outer {
		j.EqualLeft = append(j.EqualLeft, e)
		j.EqualRight = append(j.EqualRight, &expr.Col{Index: i, T: e.Type()})
	}
	j.NullSafe = len(outer)
}

func numberColumn() plan.Column {
	return plan.Column{Name: "ordinality", Type: types.Int8, Hidden: true}
}
