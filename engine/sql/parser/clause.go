package parser

import (
	"velostream/engine/sql/ast"
	"velostream/pgwire/pgerror"
)

// groupBy parses GROUP BY and its items.
func (p *parser) groupBy() *ast.GroupBy {
	g := &ast.GroupBy{At: p.at()}
	p.next()
	p.expect("by")
	if !p.accept("all") {
		g.Distinct = p.accept("distinct")
	}
	g.Items = p.groupItems()
	return g
}

func (p *parser) groupItems() []ast.GroupItem {
	items := []ast.GroupItem{p.groupItem()}
	for p.acceptOp(",") {
		items = append(items, p.groupItem())
	}
	return items
}

func (p *parser) groupItem() ast.GroupItem {
	it := ast.GroupItem{At: p.at()}
	if !p.deeper() {
		return it
	}
	defer func() { p.depth-- }()
	next := p.peek(1)
	switch {
	case p.isOp("(") && next.isOp(")"):
		p.next()
		p.next()
		it.Kind = ast.GroupEmpty
	case p.tok.oneOf("rollup", "cube") && next.isOp("("):
		it.Kind = ast.GroupRollup
		if p.is("cube") {
			it.Kind = ast.GroupCube
		}
		p.next()
		p.next()
		it.Exprs = p.exprList()
		p.expectOp(")")
	case p.is2("grouping", "sets"):
		it.Kind = ast.GroupSets
		p.next()
		p.next()
		p.expectOp("(")
		it.Sets = p.groupItems()
		p.expectOp(")")
	case (isWindowWord(p.tok) || isTableWindow(p.tok)) && next.isOp("("):
		it.Kind = ast.GroupWindow
		it.Window = p.window(ast.PlaceGroup)
	default:
		it.X = p.expr()
	}
	return it
}

// namedWindows parses WINDOW name AS (…), ….
func (p *parser) namedWindows() []ast.WindowSpec {
	p.next()
	var out []ast.WindowSpec
	for {
		id := p.ident()
		p.expect("as")
		w := p.windowSpec()
		w.At, w.Name = id.At, id.Name
		out = append(out, *w)
		if !p.acceptOp(",") {
			return out
		}
	}
}

// over parses OVER name or OVER (…).
func (p *parser) over() *ast.WindowSpec {
	at := p.at()
	p.next()
	if !p.isOp("(") {
		id := p.ident()
		return &ast.WindowSpec{At: at, Ref: id.Name, Bare: true}
	}
	w := p.windowSpec()
	w.At = at
	return w
}

// windowSpec parses the parenthesised definition of a window.
func (p *parser) windowSpec() *ast.WindowSpec {
	w := &ast.WindowSpec{At: p.at()}
	p.expectOp("(")
	if p.is2("rows", "window") {
		w.Buffer = p.rowsBuffer()
	} else if p.tok.isName() && !p.tok.oneOf("partition", "range", "rows", "groups") {
		w.Ref = p.identText()
	}
	if p.accept("partition") {
		p.expect("by")
		w.PartitionBy = p.exprList()
	}
	if p.is("order") {
		w.OrderBy = p.orderBy()
	}
	if p.tok.oneOf("rows", "range", "groups") {
		w.Frame = p.frame()
	}
	if w.Buffer != nil {
		p.bufferRest(w.Buffer)
	}
	p.expectOp(")")
	return w
}

// rowsBuffer parses ROWS WINDOW BUFFER n ROWS.
func (p *parser) rowsBuffer() *ast.RowsBuffer {
	b := &ast.RowsBuffer{At: p.at()}
	p.next()
	p.next()
	p.expect("buffer")
	b.Rows = p.restricted()
	p.expectOneOf("rows", "row")
	return b
}

// bufferRest parses EMIT and EXPIRE of a rows buffer, in either order.
func (p *parser) bufferRest(b *ast.RowsBuffer) {
	for {
		switch {
		case p.accept("emit"):
			b.EmitSet = true
			if p.accept("every") {
				p.expect("record")
				continue
			}
			p.expect("on", "buffer", "full")
			b.EmitFull = true
		case p.accept("expire"):
			p.expect("after")
			if p.accept("never") {
				b.ExpireNever = true
				continue
			}
			b.ExpireAfter = p.durationExpr()
			p.accept("inactivity")
		default:
			return
		}
	}
}

// frame parses a window frame.
func (p *parser) frame() *ast.Frame {
	f := &ast.Frame{At: p.at()}
	f.Mode = map[string]ast.FrameMode{"rows": ast.FrameRows, "range": ast.FrameRange, "groups": ast.FrameGroups}[p.tok.text]
	p.next()
	f.Between = p.accept("between")
	f.Start = p.bound()
	f.End = ast.Bound{At: f.Start.At, Kind: ast.CurrentRow}
	if f.Between {
		p.expect("and")
		f.End = p.bound()
	}
	p.checkFrame(f)
	if p.accept("exclude") {
		switch {
		case p.accept("current"):
			p.expect("row")
			f.Exclude = "CURRENT ROW"
		case p.accept("group"):
			f.Exclude = "GROUP"
		case p.accept("ties"):
			f.Exclude = "TIES"
		default:
			p.expect("no", "others")
			f.Exclude = "NO OTHERS"
		}
	}
	return f
}

// checkFrame refuses frames that end before they start, in PostgreSQL's words.
func (p *parser) checkFrame(f *ast.Frame) {
	bad := func(b ast.Bound, msg string) { p.failAt(int(b.At), pgerror.WindowingError, "%s", msg) }
	switch {
	case f.Start.Kind == ast.UnboundedFollowing:
		bad(f.Start, "frame start cannot be UNBOUNDED FOLLOWING")
	case !f.Between && f.Start.Kind == ast.OffsetFollowing:
		bad(f.Start, "frame starting from following row cannot end with current row")
	case f.End.Kind == ast.UnboundedPreceding:
		bad(f.End, "frame end cannot be UNBOUNDED PRECEDING")
	case f.Start.Kind == ast.CurrentRow && f.End.Kind == ast.OffsetPreceding:
		bad(f.End, "frame starting from current row cannot have preceding rows")
	case f.Start.Kind == ast.OffsetFollowing && (f.End.Kind == ast.OffsetPreceding || f.End.Kind == ast.CurrentRow):
		bad(f.End, "frame starting from following row cannot have preceding rows")
	}
}

// bound parses one end of a frame.
func (p *parser) bound() ast.Bound {
	b := ast.Bound{At: p.at()}
	if p.tok.oneOf("unbounded") && p.peek(1).oneOf("preceding", "following") {
		p.next()
		b.Kind = ast.UnboundedPreceding
		if p.is("following") {
			b.Kind = ast.UnboundedFollowing
		}
		p.next()
		return b
	}
	if p.accept("current", "row") {
		b.Kind = ast.CurrentRow
		return b
	}
	p.durations++
	if p.tok.kind == tInt && p.peek(1).kind == tWord && unitWords[p.peek(1).text] != "" {
		b.Offset = p.numberOfUnits(b.At)
	} else {
		b.Offset = p.expr()
	}
	p.durations--
	b.Kind = ast.OffsetPreceding
	if p.expectOneOf("preceding", "following") == "following" {
		b.Kind = ast.OffsetFollowing
	}
	return b
}
