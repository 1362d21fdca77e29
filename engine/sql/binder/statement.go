package binder

import (
	"velostream/engine/sql/ast"
	"velostream/engine/sql/expr"
	"velostream/engine/sql/plan"
	"velostream/pgwire/pgerror"
)

// Statement is a bound statement that changes or locks rows, or a query with such ones in
// it: *Insert, *Update, *Delete, *Merge or *Rows.
type Statement interface {
	change() *Change
	// eachPlan puts what f returns in the place of each of its plans.
	eachPlan(f func(plan.Logical) plan.Logical)
}

func (c *Change) change() *Change { return c }

// Rows is a query that is run as a change is: to its end, in a transaction. It has no
// Target.
type Rows struct {
	Change
	Out plan.Schema // of its rows: the first columns of Plan
	// Locks are taken on each row before it is shown. Count and Offset, if set, are about
	// the rows that could be locked.
	Locks         []Lock
	Count, Offset expr.Expr
}

// Part is a statement of a WITH that runs by itself, once, and whose rows the others
// read through the plan.WorkTables of its ID: one that changes rows, or (as *Rows) a
// query that several of them read, or that locks rows.
type Part struct {
	ID   int
	Name string
	Statement
}

// BindStatement binds INSERT, UPSERT, UPDATE, DELETE, MERGE, or a query. What their
// WITH changes is in the result's With.
func BindStatement(o Options, s ast.Statement) (Statement, error) {
	b := New(o)
	b.changes = true
	switch s := s.(type) {
	case *ast.Query:
		b.end, b.top = s, s.With
	case *ast.Insert:
		b.top = s.With
	case *ast.Update:
		b.top = s.With
	case *ast.Delete:
		b.top = s.With
	case *ast.Merge:
		b.top = s.With
	}
	st, err := b.statement(s)
	if err != nil {
		return nil, err
	}
	b.complete(st)
	return st, nil
}

func (b *Binder) statement(s ast.Statement) (Statement, error) {
	switch s := s.(type) {
	case *ast.Query:
		return b.rows(s)
	case *ast.Insert:
		return b.insert(s)
	case *ast.Update:
		return b.update(s)
	case *ast.Delete:
		return b.delete(s)
	case *ast.Merge:
		return b.merge(s)
	}
	return nil, b.missing(s, "%s is not supported here", s.Tag())
}

func (b *Binder) rows(q *ast.Query) (Statement, error) {
	if len(q.Locking) > 0 {
		return b.lockedRows(q, nil)
	}
	r, err := b.query(q, nil)
	if err != nil {
		return nil, err
	}
	if err := b.textForUnknown(r); err != nil {
		return nil, err
	}
	return &Rows{Change: Change{Plan: r.plan}, Out: visible(r.plan.Schema())}, nil
}

// complete fills in what is known when all of a statement is bound.
func (b *Binder) complete(st Statement) {
	b.shareQueries(st)
	c := st.change()
	c.With = b.parts
	c.Params, c.Inputs, c.Warnings = b.finish(), b.inputs, b.warnings
	c.Functions, c.Access = b.functions, b.accessList()
}

// changing binds a statement of WITH that changes rows, which only the WITH of the whole
// statement may hold.
func (b *Binder) changing(w *ast.With, c *ast.CTE) error {
	if _, ok := c.Stmt.(*ast.Merge); ok {
		return b.missing(c, "MERGE not supported in WITH query")
	}
	if w.Recursive && changeRefersTo(c.Stmt, c.Name) {
		return pgerror.New("42P19", "recursive query %q must not contain data-modifying statements", c.Name).At(b.pos(c.Pos()))
	}
	saved := b.ctes
	st, err := b.statement(c.Stmt)
	b.ctes = saved
	if err != nil {
		return err
	}
	if w != b.top {
		return b.missing(c, "WITH clause containing a data-modifying statement must be at the top level")
	}
	scope := &cteScope{name: c.Name, cte: c, outer: b.ctes, silent: true}
	var out plan.Schema
	if r := st.change().Returning; r != nil {
		scope.silent = false
		out = append(out, r.Out...)
	}
	if len(c.Columns) > len(out) {
		return pgerror.New(pgerror.InvalidColumnReference, "WITH query %q has %d columns available but %d columns specified",
			c.Name, len(out), len(c.Columns)).At(b.pos(c.Pos()))
	}
	for i, n := range c.Columns {
		out[i].Name = n
	}
	id := b.nextID()
	scope.bound = &relation{plan: &plan.WorkTable{ID: id, Name: c.Name, Out: out}, event: -1}
	b.ctes = scope
	b.parts = append(b.parts, Part{ID: id, Name: c.Name, Statement: st})
	return nil
}

// changeRefersTo reports that a FROM in s, or in its query, names the relation name.
func changeRefersTo(s ast.Statement, name string) bool {
	var from []ast.TableRef
	switch s := s.(type) {
	case *ast.Insert:
		return refersTo(s.Query, name)
	case *ast.Update:
		from = s.From
	case *ast.Delete:
		from = s.Using
	}
	for _, t := range from {
		if tableRefersTo(t, name) {
			return true
		}
	}
	return false
}

// shareQueries makes the queries of WITH that more than one plan of the statement reads
// parts of their own: they run once, and all see the same rows.
func (b *Binder) shareQueries(st Statement) {
	if len(b.parts) == 0 {
		return
	}
	all := []Statement{st}
	for _, p := range b.parts {
		all = append(all, p.Statement)
	}
	readers := map[int]int{}
	for _, x := range all {
		seen := map[int]bool{}
		x.eachPlan(func(p plan.Logical) plan.Logical {
			sharedIn(p, seen)
			return p
		})
		for id := range seen {
			readers[id]++
		}
	}
	cut := &sharedCut{readers: readers, made: map[int]bool{}, kept: map[int]plan.Logical{}, b: b}
	for _, x := range all {
		x.eachPlan(cut.plan)
	}
}

func (c *Change) eachPlan(f func(plan.Logical) plan.Logical) {
	c.Plan = f(c.Plan)
	if c.Returning != nil && c.Returning.Query != nil {
		c.Returning.Query.Plan = f(c.Returning.Query.Plan)
	}
}

// eachPlan implements Statement.
func (s *Insert) eachPlan(f func(plan.Logical) plan.Logical) {
	s.Change.eachPlan(f)
	if s.Conflict != nil && s.Conflict.Query != nil {
		s.Conflict.Query.Plan = f(s.Conflict.Query.Plan)
	}
}

// sharedIn collects the IDs of the shared subplans in p.
func sharedIn(p plan.Logical, ids map[int]bool) {
	if s, ok := p.(*plan.Shared); ok {
		if ids[s.ID] {
			return
		}
		ids[s.ID] = true
	}
	for _, in := range p.Inputs() {
		sharedIn(in, ids)
	}
}

// sharedCut replaces shared subplans with several readers by work tables.
type sharedCut struct {
	b       *Binder
	readers map[int]int
	made    map[int]bool
	kept    map[int]plan.Logical // those with one reader, by ID
}

func (k *sharedCut) plan(p plan.Logical) plan.Logical {
	s, ok := p.(*plan.Shared)
	if ok && k.readers[s.ID] > 1 {
		if !k.made[s.ID] {
			k.made[s.ID] = true
			k.b.parts = append(k.b.parts, Part{ID: s.ID, Name: s.Name, Statement: &Rows{Change: Change{Plan: k.plan(s.Input)}, Out: s.Schema()}})
		}
		return &plan.WorkTable{ID: s.ID, Name: s.Name, Out: s.Schema()}
	}
	in := p.Inputs()
	if len(in) == 0 {
		return p
	}
	if ok {
		if n := k.kept[s.ID]; n != nil {
			return n
		}
		n := s.WithInputs([]plan.Logical{k.plan(s.Input)})
		k.kept[s.ID] = n
		return n
	}
	next := make([]plan.Logical, len(in))
	same := true
	for i := range in {
		next[i] = k.plan(in[i])
		same = same && next[i] == in[i]
	}
	if same {
		return p
	}
	return p.WithInputs(next)
}
