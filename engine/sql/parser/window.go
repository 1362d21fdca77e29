package parser

import (
	"velostream/engine/sql/ast"
	"velostream/pgwire/pgerror"
)

// windowWords maps the words of time windows to their kinds.
var windowWords = map[string]ast.WindowKind{
	"tumbling": ast.Tumbling, "tumble": ast.Tumbling,
	"sliding": ast.Hop, "hop": ast.Hop, "hopping": ast.Hop,
	"session": ast.Session, "cumulate": ast.Cumulate,
}

// isWindowWord reports whether t names a time window.
func isWindowWord(t token) bool {
	return t.kind == tWord && windowWords[t.text] != ""
}

// isTableWindow reports whether t names a windowing table function.
func isTableWindow(t token) bool { return t.oneOf("tumble", "hop", "session", "cumulate") }

// windowArg is an argument of a time window.
type windowArg struct {
	x        ast.Expr
	duration bool
	word     string // the keyword before it, if any
}

// window parses TUMBLING(…), and SESSION WINDOW (…).
func (p *parser) window(place ast.WindowPlace) *ast.Window {
	w := &ast.Window{At: p.at(), Kind: windowWords[p.tok.text], Place: place}
	p.next()
	p.accept("window")
	p.expectOp("(")
	p.windowArgs(w, false)
	p.expectOp(")")
	return w
}

// windowArgs parses the arguments of a time window up to the parenthesis.
// slideFirst is the order of hop(rel, ts, slide, size).
func (p *parser) windowArgs(w *ast.Window, slideFirst bool) {
	p.durations++
	defer func() { p.durations-- }()
	var durations []ast.Expr
	for p.err == nil {
		arg := p.windowArg()
		switch {
		case arg.word != "":
			p.keywordArg(w, arg)
		case arg.duration:
			durations = append(durations, arg.x)
		case w.TimeCol == nil && (len(durations) == 0 || w.Kind != ast.Session || place(w)):
			w.TimeCol = arg.x
		case w.Kind == ast.Session:
			w.Keys = append(w.Keys, arg.x)
		default:
			// A second column where a duration must stand: let the meaning
			// of the expression decide, it may be a parameter's sum.
			durations = append(durations, arg.x)
		}
		if !p.acceptOp(",") {
			break
		}
	}
	p.placeDurations(w, durations, slideFirst)
}

// place reports that a lone column behind the gap is the time column.
func place(w *ast.Window) bool { return len(w.Keys) == 0 && w.Place != ast.PlaceTable }

// windowArg parses one argument.
func (p *parser) windowArg() windowArg {
	next := p.peek(1)
	if p.tok.kind == tWord && !next.isOp(",") && !next.isOp(")") && !next.isOp(".") {
		switch {
		case p.tok.oneOf("size", "timeout", "gap", "max_duration", "step", "offset", "retention"):
			word := p.tok.text
			p.next()
			return windowArg{x: p.durationExpr(), word: word}
		case p.is2("advance", "by"):
			p.next()
			p.next()
			return windowArg{x: p.durationExpr(), word: "advance"}
		case p.is2("max", "duration"):
			p.next()
			p.next()
			return windowArg{x: p.durationExpr(), word: "max_duration"}
		case p.is("descriptor") && next.isOp("("):
			p.next()
			p.next()
			x := p.expr()
			p.expectOp(")")
			return windowArg{x: x}
		}
	}
	if p.startsDuration() {
		return windowArg{x: p.durationExpr(), duration: true}
	}
	return windowArg{x: p.expr()}
}

// startsDuration reports whether a duration follows rather than a column.
func (p *parser) startsDuration() bool {
	switch p.tok.kind {
	case tInt, tNum, tDuration, tString, tParam:
		return true
	case tWord:
		if p.tok.text == "interval" {
			next := p.peek(1)
			return next.kind == tString || next.kind == tInt || next.kind == tNum || next.kind == tDuration || next.isOp("(")
		}
	case tOp:
		return p.isOp("-")
	default:
	}
	return false
}

// keywordArg files an argument that has its keyword.
func (p *parser) keywordArg(w *ast.Window, arg windowArg) {
	var slot *ast.Expr
	switch {
	case arg.word == "size" && w.Kind != ast.Session:
		slot = &w.Size
	case (arg.word == "advance" || arg.word == "step") && (w.Kind == ast.Hop || w.Kind == ast.Cumulate):
		slot = &w.Advance
	case (arg.word == "timeout" || arg.word == "gap") && w.Kind == ast.Session:
		slot = &w.Gap
	case arg.word == "max_duration" && w.Kind == ast.Session:
		slot = &w.MaxDuration
	case arg.word == "offset" && w.Kind != ast.Session:
		slot = &w.Offset
	}
	if slot == nil || *slot != nil {
		p.failHint(arg.x.Pos(), pgerror.SyntaxError, "unexpected argument of a "+string(w.Kind)+" window", windowUsage(w.Kind))
		return
	}
	*slot = arg.x
}

func windowUsage(k ast.WindowKind) string {
	switch k {
	case ast.Hop:
		return "Write SLIDING(time_column, size, advance), for example SLIDING(ts, 10m, 5m)."
	case ast.Session:
		return "Write SESSION(time_column, gap, key), for example SESSION(ts, 30s, user_id)."
	case ast.Cumulate:
		return "Write CUMULATE(time_column, step, max), for example CUMULATE(ts, 1h, 1d)."
	default:
		return "Write TUMBLING(time_column, size), for example TUMBLING(ts, 1m)."
	}
}

// placeDurations gives the durations without keyword their meaning by order.
func (p *parser) placeDurations(w *ast.Window, ds []ast.Expr, slideFirst bool) {
	var slots []*ast.Expr
	switch w.Kind {
	case ast.Tumbling:
		slots = []*ast.Expr{&w.Size, &w.Offset}
	case ast.Hop:
		slots = []*ast.Expr{&w.Size, &w.Advance, &w.Offset}
		if slideFirst {
			slots[0], slots[1] = slots[1], slots[0]
		}
	case ast.Cumulate:
		slots = []*ast.Expr{&w.Advance, &w.Size, &w.Offset}
	case ast.Session:
		slots = []*ast.Expr{&w.Gap, &w.MaxDuration}
	}
	for _, d := range ds {
		for len(slots) > 0 && *slots[0] != nil {
			slots = slots[1:]
		}
		if len(slots) == 0 {
			p.failHint(d.Pos(), pgerror.SyntaxError, "too many arguments of a "+string(w.Kind)+" window", windowUsage(w.Kind))
			return
		}
		*slots[0] = d
	}
	missing := w.Size == nil && w.Kind != ast.Session || w.Gap == nil && w.Kind == ast.Session || w.Kind == ast.Cumulate && w.Advance == nil
	if missing && p.err == nil {
		p.failHint(int(p.tok.pos), pgerror.SyntaxError, "a "+string(w.Kind)+" window needs a duration", windowUsage(w.Kind))
	}
}

// durationExpr parses a duration in any spelling: 30s, INTERVAL '30' SECOND,
// 30 SECONDS, 30 (seconds), '30 seconds', a parameter or an expression.
func (p *parser) durationExpr() ast.Expr {
	p.durations++
	defer func() { p.durations-- }()
	at := p.at()
	switch p.tok.kind {
	case tInt, tNum:
		next := p.peek(1)
		if next.kind == tWord && unitWords[next.text] != "" {
			return p.numberOfUnits(at)
		}
		if next.kind == tOp && isOpChar(next.text[0]) || next.isOp("::") {
			break
		}
		text := p.tok.text
		p.next()
		return &ast.Interval{At: at, Text: intervalText(text, "seconds"), Precision: -1}
	case tString:
		if !p.peek(1).isOp("::") {
			return &ast.Interval{At: at, Text: p.str(), Precision: -1}
		}
	default:
	}
	return p.expr()
}

// windowRef parses tumble(rel, ts, size) and its like in FROM.
func (p *parser) windowRef() ast.TableRef {
	r := p.windowCall()
	r.Alias = p.alias()
	return r
}

func (p *parser) windowCall() *ast.WindowRef {
	r := &ast.WindowRef{At: p.at()}
	w := &ast.Window{At: p.at(), Kind: windowWords[p.tok.text], Place: ast.PlaceTable}
	r.Window = w
	p.next()
	p.expectOp("(")
	switch {
	case p.isOp("("):
		at := p.at()
		p.next()
		q := p.query()
		p.expectOp(")")
		r.Input = &ast.SubqueryRef{At: at, Query: q}
	default:
		p.accept("table")
		r.Input = p.relationExpr()
	}
	if p.is2("partition", "by") {
		p.sessionKeys(w)
	}
	p.expectOp(",")
	p.windowArgs(w, true)
	p.expectOp(")")
	return r
}

// sessionKeys parses PARTITION BY k or PARTITION BY (k, …) behind the relation: whose sessions
// they are.
func (p *parser) sessionKeys(w *ast.Window) {
	if w.Kind != ast.Session {
		p.failHint(int(p.tok.pos), pgerror.SyntaxError, "PARTITION BY is only for session windows", windowUsage(w.Kind))
		return
	}
	p.next()
	p.next()
	if !p.acceptOp("(") {
		w.Keys = append(w.Keys, p.expr())
		return
	}
	w.Keys = p.exprList()
	p.expectOp(")")
}

// tableOfWindow parses TABLE(TUMBLE(TABLE rel, DESCRIPTOR(ts), …)), and
// TABLE(f(…)) of any other function.
func (p *parser) tableOfWindow() ast.TableRef {
	at := p.at()
	p.next()
	p.expectOp("(")
	if !isTableWindow(p.tok) {
		f := &ast.FuncRef{At: at}
		f.Funcs = []ast.RefFunc{{At: p.at(), X: p.functionTable()}}
		p.expectOp(")")
		p.funcSuffix(f)
		return f
	}
	r := p.windowCall()
	p.expectOp(")")
	r.Alias = p.alias()
	return r
}

// emit parses an EMIT clause.
func (p *parser) emit() *ast.Emit {
	e := &ast.Emit{At: p.at()}
	p.next()
	switch p.expectOneOf("changes", "final", "every", "on") {
	case "changes":
		e.Mode = ast.EmitChanges
	case "final":
		e.Mode = ast.EmitFinal
	case "every":
		e.Mode = ast.EmitEvery
		e.Every = p.durationExpr()
	case "on":
		p.expect("window", "close")
		e.Mode = ast.EmitWindowClose
		if p.accept("with", "delay") {
			e.Delay = p.durationExpr()
		}
		if p.accept("timeout") {
			e.Timeout = p.durationExpr()
		}
	}
	return e
}
