package binder

import (
	"slices"

	"velostream/catalog/types"
	"velostream/engine/sql/ast"
	"velostream/engine/sql/expr"
	"velostream/engine/sql/plan"
	"velostream/pgwire/pgerror"
)

// maxGroupingSets is how many sets a GROUP BY may have, as in PostgreSQL.
const maxGroupingSets = 4096

// groupingSets are those of GROUPING SETS, ROLLUP and CUBE. The input's rows are taken
// once per set, with NULL for the groups that are not in it, and grouped also by the
// number of the set, which is the last column of the result. A set without groups has its
// one row also over no input, so it is a grouping of its own.
type groupingSets struct {
	used   bool
	sets   [][]int // positions among the block's groups
	groups int     // how many groups the sets are about; what comes behind is in each
	number int     // column of the set's number
}

// groupingRef stands for GROUPING(…).
type groupingRef struct {
	args []expr.Expr
	pos  []int
}

// Type is integer.
func (g *groupingRef) Type() types.Type { return types.Int4 }

// grouping binds GROUPING(…).
func (b *Binder) grouping(e *ast.FuncCall, cx *context) (expr.Expr, error) {
	if cx.block == nil {
		return nil, pgerror.New(pgerror.GroupingError, "grouping operations are not allowed in %s", cx.clause).At(b.pos(e.Pos()))
	}
	if len(e.Args) > 31 {
		return nil, pgerror.New("54023", "GROUPING must have fewer than 32 arguments").At(b.pos(e.Pos()))
	}
	args, err := b.exprs(e.Args, cx)
	if err != nil {
		return nil, err
	}
	cx.block.grouped = true
	g := &groupingRef{args: args}
	for _, a := range e.Args {
		g.pos = append(g.pos, b.pos(leftmost(a)))
	}
	return g, nil
}

// groupingValue is the bits of GROUPING over the grouping's output: 1 where a group is
// not in the row's set, the last argument's bit lowest.
func (k *block) groupingValue(g *groupingRef) (expr.Expr, error) {
	at := make([]int, len(g.args))
	for i, a := range g.args {
		at[i] = slices.IndexFunc(k.groups, func(x expr.Expr) bool { return sameBound(x, a) })
		if at[i] < 0 {
			return nil, pgerror.New(pgerror.GroupingError, "arguments to GROUPING must be grouping expressions of the associated query level").At(g.pos[i])
		}
	}
	if !k.grouping.used {
		return number(0), nil
	}
	out := &expr.Case{Else: number(0), T: types.Int4}
	for s, set := range k.grouping.sets {
		bits := int64(0)
		for _, i := range at {
			bits <<= 1
			if i < k.grouping.groups && !slices.Contains(set, i) {
				bits |= 1
			}
		}
		if bits != 0 {
			cond := comparison("=", types.Int4, k.grouping.number, int64(s))
			out.Whens = append(out.Whens, expr.When{Cond: cond, Then: number(bits)})
		}
	}
	if len(out.Whens) == 0 {
		return number(0), nil
	}
	return out, nil
}

// bindGroupingSets multiplies out the items of GROUP BY.
func (k *block) bindGroupingSets(g *ast.GroupBy) error {
	sets := [][]int{nil}
	for _, it := range g.Items {
		if it.Kind == ast.GroupWindow {
			continue
		}
		next, err := k.itemSets(it)
		if err != nil {
			return err
		}
		if len(sets)*len(next) > maxGroupingSets {
			return pgerror.New(pgerror.StatementTooComplex, "too many grouping sets present (maximum %d)", maxGroupingSets).At(k.b.pos(it.Pos()))
		}
		var all [][]int
		for _, s := range sets {
			for _, n := range next {
				all = append(all, union(s, n))
			}
		}
		sets = all
	}
	if g.Distinct {
		var once [][]int
		for _, s := range sets {
			if !slices.ContainsFunc(once, func(o []int) bool { return len(o) == len(s) && len(union(o, s)) == len(s) }) {
				once = append(once, s)
			}
		}
		sets = once
	}
	k.grouping = groupingSets{used: true, sets: sets, groups: len(k.groups)}
	return nil
}

func union(a, b []int) []int {
	out := slices.Clone(a)
	for _, x := range b {
		if !slices.Contains(out, x) {
			out = append(out, x)
		}
	}
	return out
}

// itemSets are the sets that one item stands for.
func (k *block) itemSets(it ast.GroupItem) ([][]int, error) {
	switch it.Kind {
	case ast.GroupEmpty:
		return [][]int{nil}, nil
	case ast.GroupExpr:
		s, err := k.exprSet(it.X)
		return [][]int{s}, err
	case ast.GroupSets:
		var out [][]int
		for _, n := range it.Sets {
			s, err := k.itemSets(n)
			if err != nil {
				return nil, err
			}
			out = append(out, s...)
		}
		return out, nil
	default:
	}
	parts := make([][]int, len(it.Exprs))
	for i, x := range it.Exprs {
		var err error
		if parts[i], err = k.exprSet(x); err != nil {
			return nil, err
		}
	}
	var out [][]int
	if it.Kind == ast.GroupRollup {
		for n := len(parts); n >= 0; n-- {
			var s []int
			for _, p := range parts[:n] {
				s = union(s, p)
			}
			out = append(out, s)
		}
		return out, nil
	}
	if len(parts) > 12 {
		return nil, pgerror.New(pgerror.StatementTooComplex, "CUBE is limited to 12 elements").At(k.b.pos(it.Pos()))
	}
	for bits := 1<<len(parts) - 1; bits >= 0; bits-- {
		var s []int
		for i, p := range parts {
			if bits&(1<<(len(parts)-1-i)) != 0 {
				s = union(s, p)
			}
		}
		out = append(out, s)
	}
	return out, nil
}

// exprSet adds the groups of an expression, or of a list in parentheses.
func (k *block) exprSet(x ast.Expr) ([]int, error) {
	items := []ast.Expr{x}
	if r, ok := x.(*ast.Row); ok {
		items = r.Items
	}
	var out []int
	for _, it := range items {
		before := len(k.groups)
		if err := k.groupExpr(it); err != nil {
			return nil, err
		}
		if len(k.groups) > before {
			out = union(out, []int{before})
			continue
		}
		e, err := k.groupTarget(it)
		if err != nil {
			return nil, err
		}
		if e.Type().OID == types.OIDUnknown {
			if e, err = k.b.castTo(e, types.Text, false, leftmost(it)); err != nil {
				return nil, err
			}
		}
		out = union(out, []int{slices.IndexFunc(k.groups, func(g expr.Expr) bool { return sameBound(g, e) })})
	}
	return out, nil
}

// nodes makes the grouping sets of n, a grouping by all groups: output = groups,
// aggregates, number of the set.
func (g *groupingSets) nodes(n *plan.Aggregate) plan.Logical {
	groups, aggs := len(n.Groups), len(n.Aggs)
	g.number = groups + aggs
	u := &plan.Union{Out: append(append(plan.Schema(nil), n.Out...), plan.Column{Name: "set", Type: types.Int4, Hidden: true})}
	var full []int
	for s, set := range g.sets {
		if len(set) > 0 || groups > g.groups {
			full = append(full, s)
			continue
		}
		total := &plan.Aggregate{Input: n.Input, Aggs: n.Aggs, Emit: n.Emit, WindowEnd: -1, Lateness: n.Lateness, Out: n.Out[groups:]}
		p := &plan.Project{Input: total, Out: u.Out}
		for _, c := range n.Out[:groups] {
			p.Exprs = append(p.Exprs, &expr.Const{Value: types.NullDatum, T: c.Type})
		}
		p.Exprs = append(append(p.Exprs, identity(total.Out)...), number(int64(s)))
		u.All = append(u.All, p)
	}
	if len(full) > 0 {
		u.All = append(u.All, g.replicated(n, full, u.Out))
	}
	if len(u.All) == 1 {
		return u.All[0]
	}
	return u
}

// replicated groups the input once for each of the sets.
func (g *groupingSets) replicated(n *plan.Aggregate, full []int, out plan.Schema) plan.Logical {
	in := n.Input.Schema()
	list := &expr.ArrayOf{}
	list.T, _ = types.Int4.Array()
	for _, s := range full {
		list.Args = append(list.Args, number(int64(s)))
	}
	call := plan.TableCall{Name: "unnest", Args: []expr.Expr{list}, T: []types.Type{types.Int4}}
	x := &plan.Expand{Input: n.Input, Calls: []plan.TableCall{call}}
	x.Out = append(append(x.Out, in...), plan.Column{Name: "set", Type: types.Int4, Hidden: true}, numberColumn())
	set := &expr.Col{Index: len(in), T: types.Int4, Name: "set"}
	a := *n
	a.Input, a.Groups = x, nil
	for i, e := range n.Groups {
		c := &expr.InList{Arg: set}
		for _, s := range full {
			if slices.Contains(g.sets[s], i) {
				c.List = append(c.List, expr.Const{Value: types.IntDatum(int64(s)), T: types.Int4})
			}
		}
		switch {
		case i >= g.groups || len(c.List) == len(full):
			a.Groups = append(a.Groups, e)
		case len(c.List) == 0:
			a.Groups = append(a.Groups, &expr.Const{Value: types.NullDatum, T: e.Type()})
		default:
			a.Groups = append(a.Groups, &expr.Case{Whens: []expr.When{{Cond: c, Then: e}}, T: e.Type()})
		}
	}
	a.Groups = append(a.Groups, set)
	groups := len(n.Groups)
	a.Out = append(append(plan.Schema(nil), n.Out[:groups]...), plan.Column{Name: "set", Type: types.Int4, Hidden: true})
	a.Out = append(a.Out, n.Out[groups:]...)
	es := identity(a.Out)
	order := append(append(append([]expr.Expr(nil), es[:groups]...), es[groups+1:]...), es[groups])
	return &plan.Project{Input: &a, Exprs: order, Out: out}
}
