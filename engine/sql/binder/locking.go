package binder

import (
	"errors"
	"slices"

	"velostream/catalog"
	"velostream/engine/sql/ast"
	"velostream/engine/sql/expr"
	"velostream/engine/sql/plan"
	"velostream/pgwire/pgerror"
)

// ErrLocks is the cause of an error about FOR UPDATE and its like in a query that is not
// bound by BindStatement: rows are locked by statements that change.
var ErrLocks = errors.New("binder: the query locks rows")

// Lock is what a query does to rows of a table that it shows.
type Lock struct {
	Relation *catalog.Relation
	// Key is the column of the plan where the row's key begins.
	Key      int
	Strength string // as ast.Locking
	Wait     string
}

// lockTarget is a table in FROM.
type lockTarget struct {
	name     string
	table    *ast.TableName // nil: something else that OF may name
	what     string         // what it is then
	rel      *catalog.Relation
	nullable bool
	strength string // "": its rows are not locked
	wait     string
}

// strengths and waits of locking clauses, the weakest first: the strongest counts.
var (
	strengths = []string{"", "KEY SHARE", "SHARE", "NO KEY UPDATE", "UPDATE"}
	waits     = []string{"", "SKIP LOCKED", "NOWAIT"}
)

// lockingPart makes a query with FOR UPDATE or its like, which stands in another, a part of the
// statement that runs by itself.
func (b *Binder) lockingPart(q *ast.Query, parent *Scope) (*relation, error) {
	rows, err := b.lockedRows(q, parent)
	if err != nil {
		return nil, err
	}
	if dependent(rows.Plan) {
		return nil, b.missing(q.Locking[0], "FOR %s is not supported in a subquery that uses the query around it", q.Locking[0].Strength)
	}
	id := b.nextID()
	out := append(plan.Schema(nil), rows.Out...)
	b.parts = append(b.parts, Part{ID: id, Name: "locked rows", Statement: rows})
	return &relation{plan: &plan.WorkTable{ID: id, Name: "locked rows", Out: out}, event: -1}, nil
}

// lockedRows binds a query with FOR UPDATE or its like: its plan also yields the keys of
// the rows to lock.
func (b *Binder) lockedRows(q *ast.Query, parent *Scope) (*Rows, error) {
	sel, err := b.lockable(q)
	if err != nil {
		return nil, err
	}
	keyed, inner := *sel, *q
	inner.Body, inner.Locking = &keyed, nil
	saved := b.ctes
	defer func() { b.ctes = saved }()
	if err := b.with(q.With, parent); err != nil {
		return nil, err
	}
	inner.With = nil
	targets, err := b.lockTargets(sel.From, false)
	if err != nil {
		return nil, err
	}
	if err := b.chooseLocks(q.Locking, targets); err != nil {
		return nil, err
	}
	keyed.From = lockingFrom(sel.From, q.Locking)
	keyed.Items = slices.Clone(sel.Items)
	out := &Rows{}
	skip := false
	keys := 0
	for _, t := range targets {
		if t.strength == "" {
			continue
		}
		skip = skip || t.wait == "SKIP LOCKED"
		out.Locks = append(out.Locks, Lock{Relation: t.rel, Key: keys, Strength: t.strength, Wait: t.wait})
		for _, k := range t.rel.Key {
			x := &ast.ColumnRef{At: sel.At, Parts: []string{t.name, t.rel.Columns[k].Name}, Own: true}
			keyed.Items = append(keyed.Items, ast.SelectItem{At: sel.At, X: x})
			keys++
		}
	}
	if skip && q.Limit != nil { // it counts the rows that could be locked
		if err := b.lockLimit(q, out, parent); err != nil {
			return nil, err
		}
		inner.Limit = nil
	}
	r, err := b.query(&inner, parent)
	if err == nil {
		err = b.textForUnknown(r)
	}
	if e, ok := errors.AsType[*pgerror.Error](err); ok && e.Code == pgerror.GroupingError && sel.GroupBy == nil {
		return nil, b.notWith(q, "aggregate functions")
	}
	if err != nil {
		return nil, err
	}
	if shows[*plan.Over](r.plan) {
		return nil, b.notWith(q, "window functions")
	}
	for _, t := range targets {
		if t.strength != "" {
			b.uses(t.rel).Update()
		}
	}
	n := len(r.plan.Schema()) - keys
	for i := range out.Locks {
		out.Locks[i].Key += n
	}
	out.Plan, out.Out = r.plan, r.plan.Schema()[:n]
	return out, nil
}

func (b *Binder) notWith(q *ast.Query, what string) error {
	return pgerror.Unsupported("FOR %s is not allowed with %s", q.Locking[0].Strength, what)
}

// lockable is the SELECT of a query whose rows can be locked.
func (b *Binder) lockable(q *ast.Query) (*ast.Select, error) {
	sel, ok := q.Body.(*ast.Select)
	switch {
	case !ok:
		if _, values := q.Body.(*ast.Values); values {
			return nil, pgerror.Unsupported("FOR %s cannot be applied to VALUES", q.Locking[0].Strength)
		}
		return nil, b.notWith(q, "UNION/INTERSECT/EXCEPT")
	case sel.Distinct || len(sel.DistinctOn) > 0:
		return nil, b.notWith(q, "DISTINCT clause")
	case sel.GroupBy != nil:
		return nil, b.notWith(q, "GROUP BY clause")
	case sel.Having != nil:
		return nil, b.notWith(q, "HAVING clause")
	case sel.Window != nil:
		return nil, b.notWith(q, "WINDOW clause")
	case q.Emit != nil:
		return nil, b.notWith(q, "a continuous query")
	}
	return sel, nil
}

// lockTargets lists what a FROM holds.
func (b *Binder) lockTargets(refs []ast.TableRef, nullable bool) ([]*lockTarget, error) {
	var out []*lockTarget
	for _, r := range refs {
		switch r := r.(type) {
		case *ast.TableName:
			t := &lockTarget{name: r.Name.Last(), table: r, nullable: nullable}
			if r.Alias != nil {
				t.name = r.Alias.Name
			}
			if len(r.Name.Parts) == 1 && b.ctes.find(r.Name.Last()) != nil {
				t.table, t.what = nil, "a WITH query"
			} else {
				rel, err := b.Relation(r.Name)
				if err != nil {
					return nil, err
				}
				t.rel = rel
			}
			out = append(out, t)
		case *ast.Join:
			left, err := b.lockTargets([]ast.TableRef{r.L}, nullable || r.Kind == ast.RightJoin || r.Kind == ast.FullJoin)
			if err != nil {
				return nil, err
			}
			right, err := b.lockTargets([]ast.TableRef{r.R}, nullable || r.Kind == ast.LeftJoin || r.Kind == ast.FullJoin)
			if err != nil {
				return nil, err
			}
			out = append(append(out, left...), right...)
		case *ast.SubqueryRef:
			t := &lockTarget{what: "a subquery"}
			if r.Alias != nil {
				t.name = r.Alias.Name
			}
			out = append(out, t)
		case *ast.FuncRef:
			t := &lockTarget{what: "a function"}
			if r.Alias != nil {
				t.name = r.Alias.Name
			}
			out = append(out, t)
		}
	}
	return out, nil
}

// chooseLocks says which targets the clauses lock, and how.
func (b *Binder) chooseLocks(clauses []ast.Locking, targets []*lockTarget) error {
	for _, l := range clauses {
		if len(l.Of) == 0 {
			for _, t := range targets {
				if t.table == nil {
					continue
				}
				if err := b.lockTarget(l, t, t.table.Pos()); err != nil {
					return err
				}
			}
		}
		for _, of := range l.Of {
			if len(of.Parts) > 1 {
				return pgerror.New(pgerror.SyntaxError, "FOR %s must specify unqualified relation names", l.Strength).At(b.pos(of.Pos()))
			}
			i := slices.IndexFunc(targets, func(t *lockTarget) bool { return t.name == of.Last() })
			if i < 0 {
				return pgerror.New(pgerror.UndefinedTable, "relation %q in FOR %s clause not found in FROM clause", of.Last(), l.Strength).At(b.pos(of.Pos()))
			}
			if targets[i].table == nil {
				return pgerror.Unsupported("FOR %s cannot be applied to %s", l.Strength, targets[i].what).At(b.pos(of.Pos()))
			}
			if err := b.lockTarget(l, targets[i], of.Pos()); err != nil {
				return err
			}
		}
	}
	return nil
}

func (b *Binder) lockTarget(l ast.Locking, t *lockTarget, at int) error {
	if t.rel.Kind != catalog.Table || !t.rel.Native() {
		return pgerror.New(pgerror.WrongObjectType, "cannot lock rows in %s %q", string(t.rel.Kind), t.rel.Name).At(b.pos(at))
	}
	if t.nullable {
		return pgerror.Unsupported("FOR %s cannot be applied to the nullable side of an outer join", l.Strength)
	}
	if slices.Index(strengths, l.Strength) > slices.Index(strengths, t.strength) {
		t.strength = l.Strength
	}
	if slices.Index(waits, l.Wait) > slices.Index(waits, t.wait) {
		t.wait = l.Wait
	}
	return nil
}

// lockingFrom is FROM with the clauses that name nothing handed on to the subqueries in it.
func lockingFrom(refs []ast.TableRef, clauses []ast.Locking) []ast.TableRef {
	var all []ast.Locking
	for _, l := range clauses {
		if len(l.Of) == 0 {
			all = append(all, l)
		}
	}
	if len(all) == 0 {
		return refs
	}
	out := make([]ast.TableRef, len(refs))
	for i, r := range refs {
		switch r := r.(type) {
		case *ast.SubqueryRef:
			c, q := *r, *r.Query
			if _, ok := q.Body.(*ast.Values); !ok {
				q.Locking = append(slices.Clone(q.Locking), all...)
			}
			c.Query = &q
			out[i] = &c
		case *ast.Join:
			c := *r
			sides := lockingFrom([]ast.TableRef{r.L, r.R}, all)
			c.L, c.R = sides[0], sides[1]
			out[i] = &c
		default:
			out[i] = r
		}
	}
	return out
}

// lockLimit binds LIMIT and OFFSET of a query that skips rows which others have locked.
func (b *Binder) lockLimit(q *ast.Query, out *Rows, parent *Scope) error {
	k := &block{b: b, scope: &Scope{parent: parent}, input: &plan.Values{Rows: [][]expr.Expr{{}}}, windowEnd: -1}
	var err error
	if out.Count, err = k.limitValue(q.Limit.Count, "LIMIT"); err != nil {
		return err
	}
	if out.Offset, err = k.limitValue(q.Limit.Offset, "OFFSET"); err != nil {
		return err
	}
	if q.Limit.WithTies || len(k.input.Schema()) > 0 {
		return b.missing(q.Limit, "SKIP LOCKED with WITH TIES, or a LIMIT that is a query, is not supported")
	}
	return nil
}

// shows reports a node of the type N above the joins and scans of p.
func shows[N plan.Logical](p plan.Logical) bool {
	for {
		if _, ok := p.(N); ok {
			return true
		}
		switch p.(type) {
		case *plan.Project, *plan.Sort, *plan.Limit, *plan.Filter:
			p = p.Inputs()[0]
		default:
			return false
		}
	}
}
