package binder

import (
	"slices"
	"strings"

	"velostream/catalog/types"
	"velostream/engine/sql/ast"
	"velostream/engine/sql/expr"
	"velostream/engine/sql/plan"
	"velostream/pgwire/pgerror"
)

// windowCalls are the window functions proper: argument types (the pseudo-type anyelement
// stands for any one type) and the result, "" for that type.
var windowCalls = map[string]struct {
	least, most int
	ret         types.Type
}{
	"row_number": {0, 0, types.Int8}, "rank": {0, 0, types.Int8}, "dense_rank": {0, 0, types.Int8},
	"percent_rank": {0, 0, types.Float8}, "cume_dist": {0, 0, types.Float8}, "ntile": {1, 1, types.Int4},
	"lag": {1, 3, types.Type{}}, "lead": {1, 3, types.Type{}},
	"first_value": {1, 1, types.Type{}}, "last_value": {1, 1, types.Type{}}, "nth_value": {2, 2, types.Type{}},
}

// overRef stands for the result of window function call index of the block.
type overRef struct {
	index int
	t     types.Type
}

// Type is the call's result type.
func (o *overRef) Type() types.Type { return o.t }

// overSpec is a window that calls share: the same rows in the same order.
type overSpec struct {
	partition []expr.Expr
	order     []plan.SortKey
	calls     []int // of the block's overs
}

// over binds a call with OVER.
func (b *Binder) over(name string, e *ast.FuncCall, cx *context) (expr.Expr, error) {
	if err := b.overAllowed(name, e, cx); err != nil {
		return nil, err
	}
	spec, err := b.namedWindow(cx.block, e.Over, 0)
	if err != nil {
		return nil, err
	}
	inner := *cx
	inner.inOver, inner.aliases = true, nil
	args, err := b.exprs(e.Args, &inner)
	if err != nil {
		return nil, err
	}
	call := plan.OverCall{Name: name}
	if _, proper := windowCalls[name]; proper {
		err = b.windowArgs(&call, args, e)
	} else {
		agg := plan.AggCall{Name: name}
		err = b.aggregateArgs(&agg, name, args, e)
		if n, ok := aggregateNames[name]; ok {
			agg.Name = n
		}
		call.Name, call.Args, call.T, call.Aggregate = agg.Name, agg.Args, agg.T, true
	}
	if err != nil {
		return nil, err
	}
	if e.Filter != nil {
		f := inner
		f.clause = "FILTER"
		if call.Filter, err = b.boolean(e.Filter, &f, "FILTER"); err != nil {
			return nil, err
		}
	}
	w := overSpec{}
	if err := b.windowOrder(&w, spec, &inner); err != nil {
		return nil, err
	}
	if call.Frame, err = b.frame(spec, &w, &inner); err != nil {
		return nil, err
	}
	if spec.Buffer != nil {
		if err := b.bufferFrame(&call, &call.Frame, spec); err != nil {
			return nil, err
		}
	}
	return cx.block.addOver(w, call), nil
}

func (b *Binder) overAllowed(name string, e *ast.FuncCall, cx *context) error {
	_, proper := windowCalls[name]
	code := pgerror.WindowingError
	switch {
	case !proper && !expr.IsAggregate(name):
		if _, ok := orderedSets[name]; ok {
			return b.missing(e, "OVER is not supported for ordered-set aggregate %s", name)
		}
		return pgerror.New(pgerror.WrongObjectType, "OVER specified, but %s is not a window function nor an aggregate function", name).
			At(b.pos(e.Pos()))
	case cx.inAgg:
		return pgerror.New(pgerror.GroupingError, "aggregate function calls cannot contain window function calls").At(b.pos(e.Pos()))
	case cx.inOver:
		return pgerror.New(code, "window function calls cannot be nested").At(b.pos(e.Pos()))
	case cx.block == nil || cx.clause != "SELECT" && cx.clause != "ORDER BY":
		return pgerror.New(code, "window functions are not allowed in %s", cx.clause).At(b.pos(e.Pos()))
	case e.Distinct:
		return b.missing(e, "DISTINCT is not implemented for window functions")
	case len(e.OrderBy) > 0:
		return b.missing(e, "aggregate ORDER BY is not implemented for window functions")
	case e.Filter != nil && proper:
		return b.missing(e, "FILTER is not implemented for non-aggregate window functions")
	case e.NullTreatment == ast.NullsIgnore:
		return b.missing(e, "IGNORE NULLS is not supported")
	case e.Star && name != "count", len(e.Args) == 0 && !e.Star && name == "count":
		return pgerror.New(pgerror.WrongObjectType, "count(*) must be used to call a parameterless aggregate function").At(b.pos(e.Pos()))
	}
	return nil
}

// namedWindow resolves the names in a window definition.
func (b *Binder) namedWindow(k *block, s *ast.WindowSpec, depth int) (*ast.WindowSpec, error) {
	if s.Ref == "" {
		return s, nil
	}
	var base *ast.WindowSpec
	for i := range k.sel.Windows {
		if k.sel.Windows[i].Name == s.Ref {
			base = &k.sel.Windows[i]
		}
	}
	if base == nil || depth > len(k.sel.Windows) {
		return nil, pgerror.New(pgerror.UndefinedObject, "window %q does not exist", s.Ref).At(b.windowPos(s))
	}
	base, err := b.namedWindow(k, base, depth+1)
	if err != nil || s.Bare {
		return base, err
	}
	fail := func(format string) error {
		return pgerror.New(pgerror.WindowingError, format, s.Ref).At(b.windowPos(s))
	}
	switch {
	case len(s.PartitionBy) > 0:
		return nil, fail("cannot override PARTITION BY clause of window %q")
	case len(s.OrderBy) > 0 && len(base.OrderBy) > 0:
		return nil, fail("cannot override ORDER BY clause of window %q")
	case base.Frame != nil:
		return nil, fail("cannot copy window %q because it has a frame clause")
	}
	out := *s
	out.PartitionBy = base.PartitionBy
	if len(base.OrderBy) > 0 {
		out.OrderBy = base.OrderBy
	}
	return &out, nil
}

// windowPos is where a window definition begins: behind OVER.
func (b *Binder) windowPos(s *ast.WindowSpec) int {
	at := s.Pos()
	if at >= 0 && at+4 <= len(b.SQL) && strings.EqualFold(b.SQL[at:at+4], "over") {
		rest := b.SQL[at+4:]
		at += 4 + len(rest) - len(strings.TrimLeft(rest, " \t\n\r"))
	}
	return b.pos(at)
}

// windowBody is the position of the parenthesis of a named window's definition.
func (b *Binder) windowBody(s *ast.WindowSpec) int {
	at := max(s.Pos(), 0)
	if i := strings.IndexByte(b.SQL[min(at, len(b.SQL)):], '('); i >= 0 {
		at += i
	}
	return b.pos(at)
}

// windowArgs casts the arguments of a window function proper.
func (b *Binder) windowArgs(c *plan.OverCall, args []expr.Expr, e *ast.FuncCall) error {
	f := windowCalls[c.Name]
	if orderedSets[c.Name] && len(args) > 0 {
		return pgerror.New(pgerror.WrongObjectType, "WITHIN GROUP is required for ordered-set aggregate %s", c.Name).At(b.pos(e.Pos()))
	}
	if len(args) < f.least || len(args) > f.most {
		_, err := b.call(c.Name, false, args, e.Args, e)
		if err == nil {
			err = pgerror.New(pgerror.UndefinedFunction, "function %s does not take %d arguments", c.Name, len(args)).At(b.pos(e.Pos()))
		}
		return err
	}
	c.T = f.ret
	for i := range args {
		at := leftmost(e.Args[i])
		switch {
		case c.Name == "ntile" || i == 1:
			from := args[i].Type()
			if from.OID != types.OIDUnknown && !castAllowed(from, types.Int4, castImplicit) && from.OID != types.OIDInt4 {
				_, err := b.call(c.Name, false, args, e.Args, e)
				if err == nil {
					err = pgerror.New(pgerror.UndefinedFunction, "function %s needs an integer here", c.Name).At(b.pos(at))
				}
				return err
			}
			x, err := b.castTo(args[i], types.Int4, false, at)
			if err != nil {
				return err
			}
			args[i] = x
		case args[i].Type().OID == types.OIDUnknown:
			x, err := b.castTo(args[i], types.Text, false, at)
			if err != nil {
				return err
			}
			args[i] = x
		}
	}
	if len(args) == 3 { // value and default have one type
		pair, src := []expr.Expr{args[0], args[2]}, []ast.Expr{e.Args[0], e.Args[2]}
		if c, ok := e.Args[2].(*ast.Literal); ok && c.Kind == ast.LitString {
			pair[1] = &expr.Const{Value: types.StringDatum(c.Text), T: types.Unknown}
		}
		if _, err := b.unify(strings.ToUpper(c.Name), pair, src); err != nil {
			return err
		}
		args[0], args[2] = pair[0], pair[1]
	}
	if c.Args = args; c.T == (types.Type{}) {
		c.T = args[0].Type()
	}
	return nil
}

func (b *Binder) windowOrder(w *overSpec, spec *ast.WindowSpec, cx *context) error {
	known := func(e expr.Expr, src ast.Expr) (expr.Expr, error) {
		if e.Type().OID == types.OIDUnknown {
			return b.castTo(e, types.Text, false, leftmost(src))
		}
		return e, nil
	}
	start := false
	for _, x := range spec.PartitionBy {
		e, err := b.expr(x, cx)
		if err != nil {
			return err
		}
		if e, err = known(e, x); err != nil {
			return err
		}
		w.partition = append(w.partition, e)
		r, ok := e.(*ref)
		k := cx.block
		start = start || ok && k != nil && k.window != nil && k.window.kind != plan.Cumulate && r.level == 0 && r.index == k.window.start
	}
	if start { // the start of a window tells its end, which says when its rows are complete
		end := cx.block.window.endRef()
		if !slices.ContainsFunc(w.partition, func(e expr.Expr) bool { return sameBound(e, end) }) {
			w.partition = append(w.partition, end)
		}
	}
	for _, o := range spec.OrderBy {
		k, err := b.sortKey(o, cx)
		if err != nil {
			return err
		}
		if k.Expr, err = known(k.Expr, o.X); err != nil {
			return err
		}
		w.order = append(w.order, k)
	}
	return nil
}

var frameModes = map[ast.FrameMode]plan.FrameMode{
	ast.FrameRows: plan.FrameRows, ast.FrameRange: plan.FrameRange, ast.FrameGroups: plan.FrameGroups,
}

// frame binds a frame clause; without one it is that of the default.
func (b *Binder) frame(spec *ast.WindowSpec, w *overSpec, cx *context) (plan.Frame, error) {
	out := plan.Frame{Mode: plan.FrameRange, End: plan.FrameBound{Kind: plan.CurrentRow}}
	f := spec.Frame
	if f == nil {
		return out, nil
	}
	out.Mode = frameModes[f.Mode]
	out.Exclude = plan.FrameExclude(strings.ToLower(f.Exclude))
	if f.Exclude == "NO OTHERS" {
		out.Exclude = plan.ExcludeNone
	}
	if out.Mode == plan.FrameGroups && len(w.order) == 0 {
		return out, pgerror.New(pgerror.WindowingError, "GROUPS mode requires an ORDER BY clause").At(b.windowPos(spec))
	}
	offset := f.Start.Offset != nil || f.Between && f.End.Offset != nil
	if out.Mode == plan.FrameRange && offset && len(w.order) != 1 {
		return out, pgerror.New(pgerror.WindowingError,
			"RANGE with offset PRECEDING/FOLLOWING requires exactly one ORDER BY column").At(b.windowPos(spec))
	}
	var err error
	if out.Start, err = b.frameBound(f.Start, &out, w, &out.Lo, cx); err != nil {
		return out, err
	}
	if f.Between {
		out.End, err = b.frameBound(f.End, &out, w, &out.Hi, cx)
	}
	return out, err
}

func (b *Binder) frameBound(a ast.Bound, f *plan.Frame, w *overSpec, value *expr.Expr, cx *context) (plan.FrameBound, error) {
	out := plan.FrameBound{Kind: plan.BoundKind(a.Kind)}
	if a.Offset == nil {
		return out, nil
	}
	clause := strings.ToUpper(string(f.Mode))
	x, err := b.expr(a.Offset, &context{clause: clause, scope: cx.scope})
	if err != nil {
		return out, err
	}
	if hasInner(x) || hasOuter(x) {
		return out, pgerror.New(pgerror.InvalidColumnReference, "argument of %s must not contain variables", clause).
			At(b.pos(leftmost(a.Offset)))
	}
	if f.Mode != plan.FrameRange {
		from := x.Type()
		if from.OID != types.OIDUnknown && from.OID != types.OIDInt8 && !castAllowed(from, types.Int8, castAssignment) {
			return out, pgerror.New(pgerror.DatatypeMismatch, "argument of %s must be type bigint, not type %s", clause, TypeName(from)).
				At(b.pos(leftmost(a.Offset)))
		}
		if out.Offset, err = b.castTo(x, types.Int8, false, leftmost(a.Offset)); err == nil {
			out.Offset = expr.Fold(out.Offset)
		}
		return out, err
	}
	return out, b.rangeOffset(x, a, f, w, value, &out)
}

// rangeOffset makes the value where the frame begins or ends: the ordering value less or
// plus the offset, in a type that has room for it.
func (b *Binder) rangeOffset(x expr.Expr, a ast.Bound, f *plan.Frame, w *overSpec, value *expr.Expr, out *plan.FrameBound) error {
	key := w.order[0].Expr
	f.Desc = w.order[0].Desc
	at := leftmost(a.Offset)
	from := key.Type()
	wide, by := from, from
	switch from.OID {
	case types.OIDInt2, types.OIDInt4:
		wide, by = types.Int8, types.Int8
	case types.OIDInt8:
		wide, by = types.Numeric, types.Numeric
	case types.OIDNumeric, types.OIDFloat8:
		wide.Mod, by.Mod = -1, -1
	case types.OIDFloat4:
		wide, by = types.Float8, types.Float8
	case types.OIDDate:
		wide, by = types.Timestamp, types.IntervalT
	case types.OIDTimestamp, types.OIDTimestamptz, types.OIDTime:
		wide.Mod, by = -1, types.IntervalT
	case types.OIDInterval:
	default:
		return pgerror.New(pgerror.FeatureNotSupported, "RANGE with offset PRECEDING/FOLLOWING is not supported for column type %s", TypeName(from)).
			At(b.pos(at))
	}
	if t := x.Type(); t.OID != types.OIDUnknown && t.OID != by.OID && !castAllowed(t, by, castImplicit) {
		return pgerror.New(pgerror.FeatureNotSupported,
			"RANGE with offset PRECEDING/FOLLOWING is not supported for column type %s and offset type %s", TypeName(from), TypeName(t)).
			WithHint("Cast the offset value to an appropriate type.").At(b.pos(at))
	}
	x, err := b.castTo(x, by, false, at)
	if err != nil {
		return err
	}
	out.Offset = expr.Fold(x)
	if key, err = b.castTo(key, wide, false, at); err != nil {
		return err
	}
	op := "+"
	if (out.Kind == plan.OffsetPreceding) != f.Desc {
		op = "-"
	}
	f.Key = key
	*value, err = b.call(op, true, []expr.Expr{key, out.Offset}, []ast.Expr{a.Offset, a.Offset}, a)
	return err
}

// addOver adds a call to the block's windows.
func (k *block) addOver(w overSpec, c plan.OverCall) expr.Expr {
	k.overs = append(k.overs, c)
	ref := &overRef{index: len(k.overs) - 1, t: c.T}
	for i := range k.windows {
		if s := &k.windows[i]; sameAll(s.partition, w.partition) && sameOrder(s.order, w.order) {
			s.calls = append(s.calls, ref.index)
			return ref
		}
	}
	w.calls = []int{ref.index}
	k.windows = append(k.windows, w)
	return ref
}

func sameAll(a, b []expr.Expr) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if !sameBound(a[i], b[i]) {
			return false
		}
	}
	return true
}

func sameOrder(a, b []plan.SortKey) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i].Desc != b[i].Desc || a[i].NullsFirst != b[i].NullsFirst || !sameBound(a[i].Expr, b[i].Expr) {
			return false
		}
	}
	return true
}

// eachOver calls f for the expressions that window functions are over.
func (k *block) eachOver(f func(expr.Expr)) {
	plan.MapOverCalls(k.overs, func(e expr.Expr) expr.Expr {
		f(e)
		return e
	})
	for _, w := range k.windows {
		for _, e := range w.partition {
			f(e)
		}
		for _, o := range w.order {
			f(o.Expr)
		}
	}
}

// overNodes puts the window functions over the input, as it is after grouping and HAVING.
func (k *block) overNodes() error {
	k.overAt = make([]int, len(k.overs))
	for i := range k.windows {
		s := &k.windows[i]
		n := &plan.Over{}
		if k.rows {
			k.window.closing(k.b, n)
		}
		var err error
		final := func(e expr.Expr) expr.Expr {
			if e == nil || err != nil {
				return e
			}
			var x expr.Expr
			if x, err = k.final(e); err != nil {
				return e
			}
			return x
		}
		for _, e := range s.partition {
			n.Partition = append(n.Partition, final(e))
		}
		if k.rows {
			n.Partition = append(n.Partition, k.window.columns()...)
		}
		for _, o := range s.order {
			o.Expr = final(o.Expr)
			n.Order = append(n.Order, o)
		}
		var calls []plan.OverCall
		for _, c := range s.calls {
			calls = append(calls, k.overs[c])
		}
		n.Calls = plan.MapOverCalls(calls, final)
		if err != nil {
			return err
		}
		n.Input = k.input
		n.Out = append(plan.Schema(nil), k.input.Schema()...)
		for j, c := range s.calls {
			k.overAt[c] = len(n.Out)
			n.Out = append(n.Out, plan.Column{Name: n.Calls[j].Name, Type: n.Calls[j].T})
		}
		k.input = n
	}
	return nil
}

// placed puts columns in the place of window function calls.
func (k *block) placed(e expr.Expr) (expr.Expr, error) {
	if o, ok := e.(*overRef); ok {
		if o.index >= len(k.overAt) {
			return nil, pgerror.New(pgerror.InternalError, "a window function is used before it is computed")
		}
		return &expr.Col{Index: k.overAt[o.index], T: o.t, Name: k.overs[o.index].Name}, nil
	}
	if s, ok := e.(*setRef); ok {
		if s.index >= len(k.setAt) || k.setAt[s.index] < 0 {
			return nil, pgerror.Unsupported("a set-returning function is not supported here")
		}
		return &expr.Col{Index: k.setAt[s.index], T: s.t, Name: k.sets[s.index].call.Name}, nil
	}
	return plan.MapChildren(e, k.placed)
}

// numbered appends a hidden column with a window function of no argument over p.
func numbered(p plan.Logical, name string, partition []expr.Expr, order []plan.SortKey) *plan.Over {
	call := plan.OverCall{Name: name, T: types.Int8, Frame: plan.Frame{Mode: plan.FrameRange, End: plan.FrameBound{Kind: plan.CurrentRow}}}
	out := append(plan.Schema(nil), p.Schema()...)
	out = append(out, plan.Column{Name: name, Type: types.Int8, Hidden: true})
	return &plan.Over{Input: p, Partition: partition, Order: order, Calls: []plan.OverCall{call}, Out: out}
}
