package binder

import (
	"strings"

	"velostream/catalog/types"
	"velostream/engine/sql/ast"
	"velostream/engine/sql/expr"
	"velostream/engine/sql/plan"
	"velostream/pgwire/pgerror"
)

// timeWindow is the time window of a block.
type timeWindow struct {
	place      ast.WindowPlace
	at         int
	kind       plan.WindowKind
	start, end int // columns of the input
	t          types.Type
	time       expr.Expr // the event time, over the input
	keys       []expr.Expr
	node       *plan.Window
	held       bool // a node over it waits for the lateness
}

func (w *timeWindow) owns(index int) bool { return index == w.start || index == w.end }

func (w *timeWindow) startRef() *ref { return &ref{index: w.start, t: w.t, name: "window_start"} }
func (w *timeWindow) endRef() *ref   { return &ref{index: w.end, t: w.t, name: "window_end"} }

// bindWindow puts the block's time window, if it has one, over its input.
func (k *block) bindWindow() error {
	w := k.sel.Window
	if k.sel.GroupBy != nil {
		for _, it := range k.sel.GroupBy.Items {
			if it.Kind != ast.GroupWindow {
				continue
			}
			if w != nil {
				return pgerror.New(pgerror.WindowingError, "a query can have one time window only").At(k.b.pos(it.Window.Pos()))
			}
			w = it.Window
		}
	}
	if w == nil {
		return nil
	}
	keys := w.Keys
	if w.Kind == ast.Session && len(keys) == 0 {
		keys = k.sessionKeys()
	}
	n, err := k.b.windowNode(w, keys, k.scope, k.input)
	if err != nil {
		return err
	}
	k.input = n
	k.window = &timeWindow{
		place: w.Place, at: w.Pos(), kind: n.Spec.Kind, start: len(n.Out) - 2, end: len(n.Out) - 1,
		t: n.Time.Type(), time: n.Time, keys: n.Keys, node: n,
	}
	sliding := n.Spec.Kind == plan.Cumulate
	for name, index := range map[string]int{
		"window_start": k.window.start, "_window_start": k.window.start, "window_end": k.window.end, "_window_end": k.window.end,
	} {
		c := column{name: name, index: index, t: k.window.t, hidden: true, role: windowEnd, sliding: sliding}
		if index == k.window.start {
			c.role = windowStart
		}
		k.scope.cols = append(k.scope.cols, c)
	}
	return nil
}

// sessionKeys are the GROUP BY items besides the window: sessions are per key.
func (k *block) sessionKeys() []ast.Expr {
	if k.sel.GroupBy == nil {
		return nil
	}
	var out []ast.Expr
	for _, it := range k.sel.GroupBy.Items {
		if it.Kind == ast.GroupExpr {
			out = append(out, it.X)
		}
	}
	return out
}

// windowNode makes the Window over in.
func (b *Binder) windowNode(w *ast.Window, keys []ast.Expr, s *Scope, in plan.Logical) (*plan.Window, error) {
	spec, err := b.windowSpec(w)
	if err != nil {
		return nil, err
	}
	b.emit.windowed = true
	n := &plan.Window{Input: in, Spec: spec, Emit: plan.EmitChanges}
	if spec.Kind == plan.Session {
		if b.emit.timeout > 0 {
			return nil, pgerror.Unsupported("EMIT … TIMEOUT with session windows is not supported").At(b.emit.timeoutAt)
		}
		n.Lateness = b.emit.delay
		if b.emit.mode == plan.EmitFinal {
			n.Emit = plan.EmitFinal
		}
	}
	if n.Time, err = b.windowTime(w, s); err != nil {
		return nil, err
	}
	for _, x := range keys {
		e, err := b.expr(x, &context{scope: s, clause: "the window's keys"})
		if err != nil {
			return nil, err
		}
		if e, err = toCols(b, e); err != nil {
			return nil, err
		}
		n.Keys = append(n.Keys, e)
	}
	t := n.Time.Type()
	n.Out = append(n.Out, in.Schema()...)
	n.Out = append(n.Out, plan.Column{Name: "window_start", Type: t}, plan.Column{Name: "window_end", Type: t})
	return n, nil
}

func (b *Binder) windowSpec(w *ast.Window) (plan.TimeWindow, error) {
	var s plan.TimeWindow
	var err error
	read := func(e ast.Expr, what string, to *int64) {
		if e != nil && err == nil {
			*to, err = b.positive(e, what)
		}
	}
	switch w.Kind {
	case ast.Tumbling:
		s.Kind = plan.Tumbling
	case ast.Hop:
		s.Kind = plan.Hopping
	case ast.Session:
		s.Kind = plan.Session
	case ast.Cumulate:
		s.Kind = plan.Cumulate
	}
	read(w.Size, "the window's size", &s.Size)
	read(w.Advance, "the window's advance", &s.Advance)
	read(w.Gap, "the session's gap", &s.Gap)
	read(w.MaxDuration, "the session's greatest duration", &s.MaxSize)
	if w.Offset != nil && err == nil {
		s.Offset, err = b.duration(w.Offset, "the window's offset")
	}
	if err != nil {
		return s, err
	}
	if s.Kind == plan.Hopping && s.Advance == 0 {
		s.Advance = s.Size
	}
	const perRow = 10000 // windows that one row may be in
	switch {
	case s.Advance > s.Size:
		return s, pgerror.New(pgerror.InvalidParameterValue, "the window's advance must not be greater than its size").
			At(b.pos(w.Advance.Pos()))
	case s.Kind == plan.Cumulate && s.Size%s.Advance != 0:
		return s, pgerror.New(pgerror.InvalidParameterValue, "the window's greatest size must be a multiple of its step").At(b.pos(w.Pos()))
	case s.Advance > 0 && s.Size/s.Advance > perRow:
		return s, pgerror.New(pgerror.ProgramLimitExceeded, "the window's size is more than %d times its advance", perRow).At(b.pos(w.Pos()))
	}
	return s, nil
}

// windowTime is the event time of a window: the column named in it, else the
// relation's watermark column, else _event_time, else the record's timestamp.
func (b *Binder) windowTime(w *ast.Window, s *Scope) (expr.Expr, error) {
	if w.TimeCol != nil {
		x, err := b.expr(w.TimeCol, &context{scope: s, clause: "the window's time"})
		if err != nil {
			return nil, err
		}
		if x, err = toCols(b, x); err != nil {
			return nil, err
		}
		return b.timestamp(x, w.TimeCol)
	}
	for _, t := range s.tables {
		if t.event >= 0 {
			if c := s.originOf(t.event); c != nil && isTime(c.t) {
				b.reads(c)
				return &expr.Col{Index: c.index, T: c.t, Name: c.name}, nil
			}
		}
	}
	for _, name := range []string{"_event_time", "_timestamp"} {
		if c, n := s.find("", name); n == 1 && isTime(c.t) {
			b.reads(c)
			return &expr.Col{Index: c.index, T: c.t, Name: c.name}, nil
		}
	}
	return nil, pgerror.New(pgerror.InvalidColumnReference, "the time window has no time column").
		WithHint("Name one in the window, such as TUMBLING(ts, INTERVAL '1' MINUTE), or declare WATERMARK FOR on the relation.").
		At(b.pos(w.Pos()))
}

func isTime(t types.Type) bool { return t.OID == types.OIDTimestamp || t.OID == types.OIDTimestamptz }

func (b *Binder) timestamp(x expr.Expr, src ast.Expr) (expr.Expr, error) {
	switch {
	case isTime(x.Type()):
		return x, nil
	case x.Type().OID == types.OIDDate:
		return b.castTo(x, types.Timestamp, false, leftmost(src))
	}
	return nil, pgerror.New(pgerror.DatatypeMismatch, "the time of a window must be a timestamp, not %s", TypeName(x.Type())).
		WithHint("Convert it, for example with to_timestamp().").At(b.pos(leftmost(src)))
}

// windowRef binds tumble(rel, ts, size) and its like in FROM.
func (b *Binder) windowRef(r *ast.WindowRef, around surroundings) (*fromItem, error) {
	in, err := b.tableRef(r.Input, around)
	if err != nil {
		return nil, err
	}
	n, err := b.windowNode(r.Window, r.Window.Keys, in.scope, in.plan)
	if err != nil {
		return nil, err
	}
	name := tableName{event: -1}
	if len(in.scope.tables) > 0 {
		name = in.scope.tables[0]
	}
	if r.Alias != nil {
		name.alias, name.schema = r.Alias.Name, ""
	}
	sc := schemaScope(n.Out, name)
	for i := range in.scope.cols {
		sc.cols[i].role = in.scope.cols[i].role
	}
	sliding := n.Spec.Kind == plan.Cumulate
	for i, role := range []windowRole{windowStart, windowEnd} {
		c := &sc.cols[len(n.Out)-2+i]
		c.role, c.sliding = role, sliding
		hidden := *c
		hidden.hidden, hidden.name = true, "_"+c.name
		sc.cols = append(sc.cols, hidden)
	}
	f := &fromItem{plan: n, scope: sc}
	if r.Alias != nil && len(r.Alias.Columns) > 0 {
		i := 0
		for j := range sc.cols {
			if !sc.cols[j].hidden && i < len(r.Alias.Columns) {
				sc.cols[j].name = r.Alias.Columns[i]
				i++
			}
		}
	}
	return f, nil
}

// windowFunction binds TUMBLE_START(…) and its relatives; nil: it is none. The
// arguments repeat the window's and are not looked at.
func (b *Binder) windowFunction(name string, e *ast.FuncCall, cx *context) (expr.Expr, error) {
	prefix, part, ok := strings.Cut(name, "_")
	if !ok || part != "start" && part != "end" && part != "duration" {
		return nil, nil
	}
	switch prefix {
	case "tumble", "tumbling", "hop", "hopping", "sliding", "session", "cumulate", "window":
	default:
		return nil, nil
	}
	x := windowColumn(cx.scope, part, b, e)
	if x == nil {
		return nil, pgerror.New(pgerror.WindowingError, "%s() needs a time window in the query", strings.ToUpper(name)).
			WithHint("Add WINDOW TUMBLING(…), or group by a window.").At(b.pos(e.Pos()))
	}
	return x, nil
}

// windowColumnByName finds session_duration, which is no column of its own.
func windowColumnByName(s *Scope, e *ast.ColumnRef, b *Binder) expr.Expr {
	if e.Parts[0] != "session_duration" {
		return nil
	}
	return windowColumn(s, "duration", b, e)
}

// eventTimeByName finds _event_time, another name of the relation's watermark column.
func eventTimeByName(s *Scope, e *ast.ColumnRef, b *Binder) expr.Expr {
	if s == nil || e.Parts[0] != "_event_time" {
		return nil
	}
	for _, t := range s.tables {
		if t.event < 0 {
			continue
		}
		if c := s.originOf(t.event); c != nil {
			return &ref{index: c.index, t: c.t, table: c.table, name: c.name, pos: b.pos(e.Pos())}
		}
	}
	return nil
}

func windowColumn(s *Scope, part string, b *Binder, at ast.Node) expr.Expr {
	find := func(role windowRole) *ref {
		if s == nil {
			return nil
		}
		for i := range s.cols {
			if c := &s.cols[i]; c.role == role {
				return &ref{index: c.index, t: c.t, name: map[windowRole]string{windowStart: "window_start", windowEnd: "window_end"}[role], pos: b.pos(at.Pos())}
			}
		}
		return nil
	}
	start, end := find(windowStart), find(windowEnd)
	switch {
	case start == nil || end == nil:
		return nil
	case part == "start":
		return start
	case part == "end":
		return end
	}
	x, err := expr.NewCall("-", true, []expr.Expr{end, start}, b.pos(at.Pos()), b.Format)
	if err != nil {
		return nil
	}
	return x
}

// timeOrder is by event time: what first and last mean when nothing is said.
func (k *block) timeOrder() []plan.SortKey {
	if k.window != nil {
		return []plan.SortKey{{Expr: k.window.time}}
	}
	for _, t := range k.scope.tables {
		if t.event < 0 {
			continue
		}
		if c := k.scope.originOf(t.event); c != nil {
			k.b.reads(c)
			return []plan.SortKey{{Expr: &ref{index: c.index, t: c.t, name: c.name}}}
		}
	}
	return nil
}
