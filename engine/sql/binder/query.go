package binder

import (
	"strconv"

	"velostream/catalog/types"
	"velostream/engine/sql/ast"
	"velostream/engine/sql/expr"
	"velostream/engine/sql/plan"
	"velostream/pgwire/pgerror"
)

// query binds a query at any depth. Columns that only ORDER BY needs are gone
// from the result.
func (b *Binder) query(q *ast.Query, parent *Scope) (*relation, error) {
	if b.depth++; b.depth > maxDepth {
		return nil, pgerror.New(pgerror.StatementTooComplex, "queries are nested too deeply").At(b.pos(q.Pos()))
	}
	defer func() { b.depth-- }()
	if err := b.nestedClauses(q); err != nil {
		return nil, err
	}
	if len(q.Locking) > 0 && b.changes {
		return b.lockingPart(q, parent)
	}
	if len(q.Locking) > 0 {
		return nil, b.missing(q.Locking[0], "FOR %s is not supported here", q.Locking[0].Strength).WithCause(ErrLocks)
	}
	saved := b.ctes
	defer func() { b.ctes = saved }()
	if err := b.with(q.With, parent); err != nil {
		return nil, err
	}
	r, err := b.body(q.Body, q.OrderBy, parent)
	if err != nil {
		return nil, err
	}
	if q.Limit != nil {
		if r.plan, err = b.limit(q.Limit, r, parent); err != nil {
			return nil, err
		}
	}
	r.plan = stripped(r.plan)
	return r, nil
}

// stripped removes hidden columns, if there are any.
func stripped(p plan.Logical) plan.Logical {
	s := p.Schema()
	var out plan.Schema
	var es []expr.Expr
	for i, c := range s {
		if !c.Hidden {
			out = append(out, c)
			es = append(es, &expr.Col{Index: i, T: c.Type, Name: c.Name})
		}
	}
	if len(out) == len(s) {
		return p
	}
	return &plan.Project{Input: p, Exprs: es, Out: out}
}

func (b *Binder) body(s ast.SelectBody, order []ast.OrderItem, parent *Scope) (*relation, error) {
	r, err := b.untracedBody(s, order, parent)
	if b.Trace != nil && err == nil {
		b.Trace.Outputs[s] = visible(r.plan.Schema())
	}
	return r, err
}

func (b *Binder) untracedBody(s ast.SelectBody, order []ast.OrderItem, parent *Scope) (*relation, error) {
	switch s := s.(type) {
	case *ast.Select:
		return b.selectBlock(s, order, parent)
	case *ast.TableCommand:
		at := s.At
		star := &ast.ColumnRef{At: at, Star: true}
		return b.selectBlock(&ast.Select{At: at, Items: []ast.SelectItem{{At: at, X: star}}, From: []ast.TableRef{s.Table}}, order, parent)
	}
	var r *relation
	var err error
	switch s := s.(type) {
	case *ast.Query:
		r, err = b.query(s, parent)
	case *ast.Values:
		r, err = b.values(s, parent)
	case *ast.SetOp:
		r, err = b.setOp(s, parent)
	default:
		return nil, b.missing(s, "this query form is not supported")
	}
	if err != nil || len(order) == 0 {
		return r, err
	}
	return b.sortOutput(r, order)
}

// sortOutput sorts by output columns, the only names ORDER BY has after a set
// operation or VALUES.
func (b *Binder) sortOutput(r *relation, order []ast.OrderItem) (*relation, error) {
	s := r.plan.Schema()
	var keys []plan.SortKey
	for _, o := range order {
		k, err := b.sortDirection(o)
		if err != nil {
			return nil, err
		}
		i := -1
		switch x := o.X.(type) {
		case *ast.Literal:
			if i = ordinalValue(x) - 1; i < 0 || i >= len(s) {
				return nil, pgerror.New(pgerror.InvalidColumnReference, "ORDER BY position %s is not in select list", x.Text).At(b.pos(x.Pos()))
			}
		case *ast.ColumnRef:
			for j := range s {
				if len(x.Parts) == 1 && s[j].Name == x.Parts[0] {
					i = j
					break
				}
			}
			if i < 0 {
				return nil, b.noSuchColumn(schemaScope(s, tableName{event: -1}), x)
			}
		default:
			return nil, pgerror.New(pgerror.FeatureNotSupported, "invalid UNION/INTERSECT/EXCEPT ORDER BY clause").
				WithDetail("Only result column names can be used, not expressions or functions.").
				WithHint("Add the expression/function to every SELECT, or move the UNION into a FROM clause.").At(b.pos(leftmost(o.X)))
		}
		k.Expr = &expr.Col{Index: i, T: s[i].Type, Name: s[i].Name}
		keys = append(keys, k)
	}
	r.plan = &plan.Sort{Input: r.plan, Keys: keys}
	return r, nil
}

func ordinalValue(x ast.Expr) int {
	l, ok := x.(*ast.Literal)
	if !ok || l.Kind != ast.LitInteger {
		return 0
	}
	n, err := strconv.Atoi(l.Text)
	if err != nil {
		return 0
	}
	return n
}

func (b *Binder) values(v *ast.Values, parent *Scope) (*relation, error) {
	k := &block{b: b, scope: &Scope{parent: parent}, windowEnd: -1}
	cx := &context{scope: k.scope, clause: "VALUES", subs: &k.subs}
	n := len(v.Rows[0])
	queries := false
	rows := make([][]expr.Expr, len(v.Rows))
	for i, src := range v.Rows {
		if len(src) != n {
			at := v.Pos()
			if len(src) > 0 {
				at = leftmost(src[0])
			}
			return nil, pgerror.New(pgerror.SyntaxError, "VALUES lists must all be the same length").At(b.pos(at))
		}
		row, err := b.exprs(src, cx)
		if err != nil {
			return nil, err
		}
		for j := range row {
			if holdsSubquery(row[j]) {
				queries = true
				continue
			}
			if row[j], err = toCols(b, row[j]); err != nil {
				return nil, err
			}
		}
		rows[i] = row
	}
	p := &plan.Values{Rows: rows, Out: make(plan.Schema, n)}
	for j := range n {
		t, err := b.valuesColumn(v, rows, j)
		if err != nil {
			return nil, err
		}
		p.Out[j] = plan.Column{Name: "column" + strconv.Itoa(j+1), Type: t}
	}
	if queries {
		q, err := k.valuesOfQueries(p)
		return &relation{plan: q, event: -1}, err
	}
	return &relation{plan: p, event: -1}, nil
}

// valuesOfQueries makes each row of p, which holds subqueries, a branch of its own.
func (k *block) valuesOfQueries(p *plan.Values) (plan.Logical, error) {
	u := &plan.Union{Out: p.Out}
	for _, r := range p.Rows {
		k.input = &plan.Values{Rows: [][]expr.Expr{{}}}
		row := make([]expr.Expr, len(r))
		for j, e := range r {
			x, err := k.input0(e)
			if err != nil {
				return nil, err
			}
			row[j] = x
		}
		u.All = append(u.All, &plan.Project{Input: k.input, Exprs: row, Out: p.Out})
	}
	if len(u.All) == 1 {
		return u.All[0], nil
	}
	return u, nil
}

// valuesColumn brings column j of all rows to one type. A single row keeps
// its literals as they are, so that INSERT can read them as its columns' types.
func (b *Binder) valuesColumn(v *ast.Values, rows [][]expr.Expr, j int) (types.Type, error) {
	es, src := make([]expr.Expr, len(rows)), make([]ast.Expr, len(rows))
	known := false
	for i := range rows {
		es[i], src[i] = rows[i][j], v.Rows[i][j]
		known = known || es[i].Type().OID != types.OIDUnknown
	}
	if !known {
		return types.Unknown, nil
	}
	t, err := b.unify("VALUES", es, src)
	if err != nil {
		return t, err
	}
	for i := range rows {
		rows[i][j] = es[i]
	}
	return t, nil
}

// size counts the nodes of p.
func size(p plan.Logical) int {
	n := 1
	for _, c := range p.Inputs() {
		n += size(c)
	}
	return n
}
