package binder

import (
	"velostream/catalog/types"
	"velostream/engine/sql/ast"
	"velostream/engine/sql/expr"
	"velostream/engine/sql/plan"
	"velostream/pgwire/pgerror"
)

// item is a bound item of a select list.
type item struct {
	name  string
	e     expr.Expr
	src   ast.Expr // nil for an item of a star
	alias bool     // the name was given by AS
	pk    bool
	col   *column // of a star's item
}

// relation is a bound query or FROM item.
type relation struct {
	plan       plan.Logical
	primaryKey []int
	roles      []windowRole // of the visible columns, nil: none
	// event is the column that is the relation's event time, -1: none.
	event int
	scope *Scope // the names of the query's FROM, nil: not known
}

// block is one SELECT … FROM … WHERE … GROUP BY … while it is being bound.
type block struct {
	b      *Binder
	sel    *ast.Select
	scope  *Scope
	input  plan.Logical
	window *timeWindow

	groups    []expr.Expr
	groupSrc  []ast.Expr
	aggs      []plan.AggCall
	grouped   bool
	rows      bool // a windowed query that shows the rows of its windows
	outer     bool // names of the query around it are used
	items     []item
	having    expr.Expr
	subs      []subPlan
	joined    map[*subPlan]int // where in the input a row of several values begins
	overs     []plan.OverCall
	windows   []overSpec
	overAt    []int      // column of each of overs, once they are in the input
	sets      []boundSet // set-returning functions of the select list
	setAt     []int      // column of each of sets, once they are in the input
	grouping  groupingSets
	allows    bool // aggregates, in the clause that is being bound
	windowEnd int  // position in groups, -1: none
	// correlated collects conditions of WHERE on the query around this one;
	// nil where they can't be used.
	correlated *[]expr.Expr
}

// selectBlock binds s with the ORDER BY that belongs to it. The result has
// the select list's columns, and is sorted.
func (b *Binder) selectBlock(s *ast.Select, order []ast.OrderItem, parent *Scope) (*relation, error) {
	if s.Into != nil {
		return nil, pgerror.New(pgerror.SyntaxError, "SELECT ... INTO is not allowed here").At(b.pos(s.Into.Name.Pos()))
	}
	k := &block{b: b, sel: s, windowEnd: -1}
	if err := k.bindFrom(parent); err != nil {
		return nil, err
	}
	// Clauses are bound in PostgreSQL's order, so that of several errors the same
	// one is reported.
	for _, step := range []func() error{k.bindWindow, k.bindItems, k.bindWhere, k.bindHaving} {
		if err := step(); err != nil {
			return nil, err
		}
	}
	for i, w := range s.Windows {
		for _, o := range s.Windows[:i] {
			if o.Name == w.Name {
				return nil, pgerror.New(pgerror.WindowingError, "window %q is already defined", w.Name).At(b.windowBody(&s.Windows[i]))
			}
		}
	}
	sort, err := k.bindOrder(order)
	if err != nil {
		return nil, err
	}
	if err := k.bindGroupBy(); err != nil {
		return nil, err
	}
	return k.finish(sort)
}

func (k *block) bindFrom(parent *Scope) error {
	if len(k.sel.From) == 0 {
		k.input = &plan.Values{Rows: [][]expr.Expr{{}}}
		k.scope = &Scope{parent: parent}
		return nil
	}
	f, err := k.b.from(k.sel.From, parent)
	if err != nil {
		return err
	}
	k.input, k.scope = f.plan, f.scope
	k.scope.block = k
	return nil
}

func (k *block) context(clause string, aggregates bool) *context {
	cx := &context{scope: k.scope, clause: clause, subs: &k.subs}
	if k.allows = aggregates; aggregates {
		cx.block = k
	}
	return cx
}

// bindWhere filters the input, window columns included.
func (k *block) bindWhere() error {
	if k.sel.Where == nil {
		return nil
	}
	conds, err := k.b.where(k.sel.Where, k)
	if err != nil {
		return err
	}
	conds, clock, err := k.b.clockBounds(conds)
	if err != nil {
		return err
	}
	if clock != nil {
		defer func() {
			clock.Input = k.input
			k.input = clock
		}()
	}
	if w := k.window; w != nil && w.kind == plan.Session && k.input == plan.Logical(w.node) {
		conds = w.filterBefore(conds)
		k.input = w.node
	}
	if len(conds) > 0 {
		k.input = &plan.Filter{Input: k.input, Cond: plan.All(conds)}
	}
	return nil
}

func (k *block) bindItems() error {
	var aliases []aliasItem
	for _, si := range k.sel.Items {
		if c, ok := si.X.(*ast.ColumnRef); ok && c.Star {
			if err := k.starItems(c); err != nil {
				return err
			}
			continue
		}
		cx := k.context("SELECT", true)
		cx.aliases = aliases
		if f, ok := si.X.(*ast.FieldSelect); ok && f.Star {
			args, names, err := k.b.fieldStar(f, cx)
			if err != nil {
				return err
			}
			for i, x := range args {
				k.items = append(k.items, item{name: names[i], e: x, src: si.X})
			}
			continue
		}
		x, err := k.b.expr(si.X, cx)
		if err != nil {
			return err
		}
		it := item{name: si.Alias, e: x, src: si.X, alias: si.Alias != "", pk: si.PrimaryKey}
		if it.alias {
			aliases = append(aliases, aliasItem{it.name, x})
		} else {
			it.name = columnName(si.X)
		}
		k.items = append(k.items, it)
	}
	return nil
}

func (k *block) starItems(c *ast.ColumnRef) error {
	cols, err := k.b.star(k.scope, c)
	if err != nil {
		return err
	}
	for _, col := range cols {
		r := &ref{index: col.index, t: col.t, table: col.table, name: col.name, pos: k.b.pos(c.Pos())}
		k.items = append(k.items, item{name: col.name, e: r, col: col})
	}
	return nil
}

// aliasItems are the select items that other clauses can name.
func (k *block) aliasItems() []aliasItem {
	var out []aliasItem
	for _, it := range k.items {
		if it.alias {
			out = append(out, aliasItem{it.name, it.e})
		}
	}
	return out
}

func (k *block) bindHaving() error {
	if k.sel.Having == nil {
		return nil
	}
	k.grouped = true
	cx := k.context("HAVING", true)
	cx.aliases = k.aliasItems()
	h, err := k.b.boolean(k.sel.Having, cx, "HAVING")
	k.having = h
	return err
}

// ColumnName is the name that a select item has without AS.
func ColumnName(e ast.Expr) string { return columnName(e) }

// columnName is the name PostgreSQL gives a select item without AS.
func columnName(e ast.Expr) string {
	name, _ := figureName(e)
	if name == "" {
		return "?column?"
	}
	return name
}

// figureName returns a name for e and how strongly it names it (2: itself, 1:
// as a cast or CASE does, 0: not at all).
func figureName(e ast.Expr) (string, int) {
	switch e := e.(type) {
	case *ast.ColumnRef:
		if len(e.Parts) > 0 && !e.Star {
			return e.Parts[len(e.Parts)-1], 2
		}
	case *ast.FieldSelect:
		return e.Name, 2
	case *ast.Subscript:
		return figureName(e.X)
	case *ast.Collate:
		return figureName(e.X)
	case *ast.FuncCall:
		return e.Name.Last(), 2
	case *ast.SQLValue:
		return e.Name, 2
	case *ast.Cast:
		if n, s := figureName(e.X); s > 1 {
			return n, s
		}
		return e.Type.Name.Last(), 1
	case *ast.Interval:
		return "interval", 1
	case *ast.Case:
		if e.Else != nil {
			if n, s := figureName(e.Else); s > 1 {
				return n, s
			}
		}
		return "case", 1
	case *ast.ArrayExpr, *ast.ArrayQuery:
		return "array", 2
	case *ast.Exists:
		return "exists", 2
	case *ast.Row:
		if e.Explicit {
			return "row", 2
		}
		if len(e.Items) == 1 {
			return figureName(e.Items[0])
		}
	case *ast.Subquery:
		return subqueryName(e.Query)
	}
	return "", 0
}

func subqueryName(q *ast.Query) (string, int) {
	s, ok := q.Body.(*ast.Select)
	if !ok || len(s.Items) != 1 {
		return "", 0
	}
	if s.Items[0].Alias != "" {
		return s.Items[0].Alias, 2
	}
	return figureName(s.Items[0].X)
}

// outColumn describes select item it, whose finished expression is e.
func (k *block) outColumn(it item, e expr.Expr) plan.Column {
	c := plan.Column{Name: it.name, Type: e.Type()}
	if r, ok := it.e.(*ref); ok && r.level == 0 {
		if o := k.scope.originOf(r.index); o != nil {
			c.Table, c.Attr = o.src, o.attr
		}
	}
	return c
}

// textForUnknown gives literals in the output the type text, as PostgreSQL
// does when nothing else decided their type.
func (b *Binder) textForUnknown(r *relation) error {
	s := r.plan.Schema()
	unknown := false
	for _, c := range s {
		unknown = unknown || c.Type.OID == types.OIDUnknown
	}
	if !unknown {
		return nil
	}
	want := make([]types.Type, len(s))
	for i, c := range s {
		if want[i] = c.Type; c.Type.OID == types.OIDUnknown {
			want[i] = types.Text
		}
	}
	p, err := b.castColumns(r.plan, want, func(int) int { return -1 })
	if err != nil {
		return err
	}
	r.plan = p
	return nil
}

// castColumns brings p's columns to the types want. Where p is a projection
// the casts go into it, so that literals are read as what they are to be.
func (b *Binder) castColumns(p plan.Logical, want []types.Type, at func(int) int) (plan.Logical, error) {
	s := p.Schema()
	same := true
	for i := range s {
		same = same && s[i].Type == want[i]
	}
	if same {
		return p, nil
	}
	out := append(plan.Schema(nil), s...)
	for i := range out {
		if out[i].Type != want[i] {
			out[i].Type, out[i].Table, out[i].Attr = want[i], 0, 0
		}
	}
	castAll := func(in []expr.Expr) ([]expr.Expr, error) {
		es := make([]expr.Expr, len(in))
		for i, e := range in {
			x, err := expr.CastTo(e, want[i], false, 0, b.Format)
			if err != nil {
				return nil, b.at(err, ast.At(at(i)))
			}
			es[i] = x
		}
		return es, nil
	}
	switch p := p.(type) {
	case *plan.Project:
		es, err := castAll(p.Exprs)
		return &plan.Project{Input: p.Input, Exprs: es, Out: out}, err
	case *plan.Values:
		rows := make([][]expr.Expr, len(p.Rows))
		for i, r := range p.Rows {
			var err error
			if rows[i], err = castAll(r); err != nil {
				return nil, err
			}
		}
		return &plan.Values{Rows: rows, Out: out}, nil
	case *plan.Limit, *plan.Sort, *plan.Filter:
		in, err := b.castColumns(p.Inputs()[0], want, at)
		if err != nil {
			return nil, err
		}
		return p.WithInputs([]plan.Logical{in}), nil
	}
	es, err := castAll(identity(s))
	return &plan.Project{Input: p, Exprs: es, Out: out}, err
}

// identity are the references to all columns of s.
func identity(s plan.Schema) []expr.Expr {
	out := make([]expr.Expr, len(s))
	for i, c := range s {
		out[i] = &expr.Col{Index: i, T: c.Type, Name: c.Name}
	}
	return out
}
