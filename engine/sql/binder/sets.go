package binder

import (
	"velostream/catalog/types"
	"velostream/engine/sql/ast"
	"velostream/engine/sql/expr"
	"velostream/engine/sql/plan"
	"velostream/pgwire/pgerror"
)

// boundSet is a set-returning function of a select list.
type boundSet struct {
	call  plan.TableCall
	name  string
	t     types.Type // of its value
	level int        // how many others are within one another in its arguments
}

// setRef stands for the value of set-returning function index of the block.
type setRef struct {
	index int
	t     types.Type
}

// Type is the function's type.
func (s *setRef) Type() types.Type { return s.t }

// setItem binds a set-returning function in a select list.
func (b *Binder) setItem(name string, e *ast.FuncCall, cx *context) (expr.Expr, error) {
	switch {
	case cx.inAgg:
		return nil, b.missing(e, "aggregate function calls cannot contain set-returning function calls")
	case cx.inOver:
		return nil, b.missing(e, "window function calls cannot contain set-returning function calls")
	case cx.block == nil || cx.clause != "SELECT" && cx.clause != "ORDER BY":
		return nil, b.missing(e, "set-returning functions are not allowed in %s", cx.clause)
	}
	call, cols, err := b.tableCall(name, e, e.Args, cx)
	if err != nil {
		return nil, err
	}
	t := call.T[0]
	if len(call.T) != 1 {
		fields := make([]types.RowField, len(cols))
		for i, c := range cols {
			fields[i] = types.RowField{Name: c.Name, Type: c.T}
		}
		t = b.recordType(fields)
	}
	k := cx.block
	s := boundSet{call: call, name: name, t: t}
	for _, a := range call.Args {
		s.level = max(s.level, k.setLevel(a))
	}
	k.sets = append(k.sets, s)
	return &setRef{index: len(k.sets) - 1, t: t}, nil
}

// setLevel is the level of a function with the argument e: one more than those of the
// set-returning functions in it.
func (k *block) setLevel(e expr.Expr) int {
	if s, ok := e.(*setRef); ok {
		return k.sets[s.index].level + 1
	}
	level := 0
	for _, a := range expr.Children(e) {
		level = max(level, k.setLevel(a))
	}
	return level
}

// tableCall resolves a set-returning function; its arguments are not yet over the
// input.
func (b *Binder) tableCall(name string, e *ast.FuncCall, src []ast.Expr, cx *context) (plan.TableCall, []expr.SetColumn, error) {
	args, err := b.exprs(src, cx)
	if err != nil {
		return plan.TableCall{}, nil, err
	}
	ts := make([]types.Type, len(args))
	for i, a := range args {
		ts[i] = a.Type()
	}
	want, cols, err := expr.ResolveSet(name, ts)
	if err != nil {
		return plan.TableCall{}, nil, b.at(err, e)
	}
	for i := range args {
		if args[i], err = b.castTo(args[i], want[i], false, leftmost(src[i])); err != nil {
			return plan.TableCall{}, nil, err
		}
	}
	c := plan.TableCall{Name: name, Args: args}
	for _, col := range cols {
		c.T = append(c.T, col.T)
	}
	return c, cols, nil
}

// setNodes puts the set-returning functions of the select list over the input: those
// within others first, all of one level side by side.
func (k *block) setNodes() error {
	k.setAt = make([]int, len(k.sets))
	for i := range k.setAt {
		k.setAt[i] = -1
	}
	for level, done := 0, 0; done < len(k.sets); level++ {
		n, err := k.setNode(level)
		if err != nil {
			return err
		}
		done += n
	}
	return nil
}

// setNode puts the functions of one level over the input and returns how many they are.
func (k *block) setNode(level int) (int, error) {
	x := &plan.Expand{}
	var which []int
	for i, s := range k.sets {
		if s.level != level {
			continue
		}
		which = append(which, i)
		c := s.call
		c.Args = append([]expr.Expr(nil), c.Args...)
		for i, a := range c.Args {
			var err error
			if c.Args[i], err = k.final(a); err != nil {
				return 0, err
			}
		}
		x.Calls = append(x.Calls, c)
	}
	x.Input = k.input
	x.Out = append(x.Out, k.input.Schema()...)
	for _, i := range which {
		k.setAt[i] = len(x.Out)
		for _, t := range k.sets[i].call.T {
			x.Out = append(x.Out, plan.Column{Name: k.sets[i].name, Type: t})
		}
	}
	x.Out = append(x.Out, numberColumn())
	k.input = x
	return len(which), k.setRecords(x.Out, which)
}

// setRecords makes the rows of functions with several columns, which lie in s from
// setAt on, records behind the columns of the input.
func (k *block) setRecords(s plan.Schema, which []int) error {
	p := &plan.Project{Input: k.input, Exprs: identity(s), Out: append(plan.Schema(nil), s...)}
	for _, i := range which {
		set := k.sets[i]
		if len(set.call.T) == 1 {
			continue
		}
		cols := identity(s)[k.setAt[i] : k.setAt[i]+len(set.call.T)]
		fields := k.b.rowFields(set.t)
		names := make([]string, len(fields))
		for j, f := range fields {
			names[j] = f.Name
		}
		x := expr.Row(cols, names, set.t, 0)
		k.setAt[i] = len(p.Exprs)
		p.Exprs = append(p.Exprs, x)
		p.Out = append(p.Out, plan.Column{Name: set.name, Type: set.t})
	}
	if len(p.Exprs) > len(s) {
		k.input = p
	}
	return nil
}

// funcRef binds functions in FROM: set-returning ones, or a scalar function as a
// relation of one row. Their arguments may use the items of FROM to the left.
func (b *Binder) funcRef(r *ast.FuncRef, lateral *Scope) (*fromItem, error) {
	if len(r.ColDefs) > 0 {
		return nil, b.missing(r, "column definition lists are not supported")
	}
	k := &block{b: b, scope: &Scope{parent: lateral}, windowEnd: -1, input: &plan.Values{Rows: [][]expr.Expr{{}}}}
	cx := &context{scope: k.scope, clause: "functions in FROM", subs: &k.subs}
	name := columnName(r.Funcs[0].X)
	if p, ok, err := b.plainFunction(r, name, cx); ok || err != nil {
		if err != nil {
			return nil, err
		}
		if r.Alias != nil && len(p.Schema()) == 1 {
			p.Schema()[0].Name = r.Alias.Name
		}
		return b.named(&relation{plan: p, event: -1}, tableName{alias: name, real: name, event: -1}, r.Alias)
	}
	x := &plan.Expand{}
	for _, f := range r.Funcs {
		if len(f.ColDefs) > 0 {
			return nil, b.missing(r, "column definition lists are not supported")
		}
		calls, cols, err := b.functionCalls(f.X, cx)
		if err != nil {
			return nil, err
		}
		for _, c := range calls {
			for j, a := range c.Args {
				if c.Args[j], err = k.input0(a); err != nil {
					return nil, err
				}
			}
			x.Calls = append(x.Calls, c)
		}
		x.Out = append(x.Out, cols...)
	}
	rows := b.rowColumns(x.Out)
	if len(x.Out) == 1 && x.Out[0].Hidden { // named after its function or alias
		x.Out[0].Name = name
		if r.Alias != nil {
			x.Out[0].Name = r.Alias.Name
		}
	}
	for i := range x.Out {
		x.Out[i].Hidden = false
	}
	number := numberColumn()
	number.Hidden = !r.Ordinality
	x.Out = append(x.Out, number)
	// Values of subqueries in the arguments come before the functions' columns.
	own := x.Out
	x.Input = k.input
	x.Out = append(append(plan.Schema(nil), k.input.Schema()...), own...)
	from, to := len(x.Out)-len(own), len(x.Out)
	if number.Hidden {
		to--
	}
	var p plan.Logical = x
	if len(rows) > 0 {
		p = b.expandRows(x, from, to, rows)
	} else if from > 0 || to < len(x.Out) {
		p = &plan.Project{Input: x, Exprs: identity(x.Out)[from:to], Out: append(plan.Schema(nil), x.Out[from:to]...)}
	}
	return b.named(&relation{plan: p, event: -1}, tableName{alias: name, real: name, event: -1}, r.Alias)
}

// plainFunction binds the two simple cases: a series of constants, and one scalar.
func (b *Binder) plainFunction(r *ast.FuncRef, name string, cx *context) (plan.Logical, bool, error) {
	if r.Ordinality || len(r.Funcs) != 1 {
		return nil, false, nil
	}
	f, ok := r.Funcs[0].X.(*ast.FuncCall)
	if ok && expr.IsSetReturning(f.Name.Last()) {
		if f.Name.Last() != "generate_series" {
			return nil, false, nil
		}
		c, _, err := b.tableCall(name, f, f.Args, cx)
		if err != nil || len(c.Args) != 3 && c.Args[0].Type().Kind() != types.KindInt && c.Args[0].Type().Kind() != types.KindDecimal {
			return nil, false, err
		}
		for i, a := range c.Args {
			if hasOuter(a) || holdsSubquery(a) {
				return nil, false, nil
			}
			if c.Args[i], err = toCols(b, a); err != nil {
				return nil, false, err
			}
		}
		s := &plan.Series{Start: c.Args[0], Stop: c.Args[1], Out: plan.Schema{{Name: "generate_series", Type: c.T[0]}}}
		if len(c.Args) == 3 {
			s.Step = c.Args[2]
			return s, true, nil
		}
		s.Step, err = b.castTo(&expr.Const{Value: types.IntDatum(1), T: types.Int4}, c.T[0], false, f.Pos())
		return s, true, err
	}
	x, err := b.expr(r.Funcs[0].X, cx)
	if err != nil {
		return nil, false, err
	}
	if holdsSubquery(x) {
		return nil, false, nil
	}
	if x, err = toCols(b, x); err != nil {
		return nil, false, err
	}
	v := &plan.Values{Rows: [][]expr.Expr{{x}}, Out: plan.Schema{{Name: name, Type: x.Type(), Hidden: true}}}
	if rows := b.rowColumns(v.Out); len(rows) > 0 {
		return b.expandRows(v, 0, 1, rows), true, nil
	}
	v.Out[0].Hidden = false
	return v, true, nil
}

// functionCalls binds one function of ROWS FROM: unnest of several arrays is as many
// calls, a scalar function a set of one. Columns that are named after the function are
// marked Hidden.
func (b *Binder) functionCalls(e ast.Expr, cx *context) ([]plan.TableCall, plan.Schema, error) {
	f, ok := e.(*ast.FuncCall)
	if !ok || !expr.IsSetReturning(f.Name.Last()) {
		x, err := b.expr(e, cx)
		if err != nil {
			return nil, nil, err
		}
		t, ok := x.Type().Array()
		if !ok {
			return nil, nil, b.missing(e, "a function of type %s is not supported here", TypeName(x.Type()))
		}
		c := plan.TableCall{Name: "unnest", Args: []expr.Expr{&expr.ArrayOf{Args: []expr.Expr{x}, T: t}}, T: []types.Type{x.Type()}}
		return []plan.TableCall{c}, plan.Schema{{Name: columnName(e), Type: x.Type(), Hidden: true}}, nil
	}
	if f.Filter != nil || f.Distinct || f.Over != nil || len(f.OrderBy) > 0 {
		return nil, nil, pgerror.New(pgerror.WrongObjectType, "%s is not an aggregate function", f.Name.Last()).At(b.pos(f.Pos()))
	}
	name := f.Name.Last()
	groups := [][]ast.Expr{f.Args}
	if name == "unnest" && len(f.Args) > 1 {
		groups = groups[:0]
		for _, a := range f.Args {
			groups = append(groups, []ast.Expr{a})
		}
	}
	var calls []plan.TableCall
	var out plan.Schema
	for _, g := range groups {
		c, cols, err := b.tableCall(name, f, g, cx)
		if err != nil {
			return nil, nil, err
		}
		calls = append(calls, c)
		for _, col := range cols {
			if col.Name == "" {
				out = append(out, plan.Column{Name: name, Type: col.T, Hidden: true})
			} else {
				out = append(out, plan.Column{Name: col.Name, Type: col.T})
			}
		}
	}
	return calls, out, nil
}
