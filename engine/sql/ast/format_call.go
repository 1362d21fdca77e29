package ast

import (
	"strings"
)

// funcCall writes a call in the syntax it was written in.
func (p *printer) funcCall(f *FuncCall) {
	if p.specialCall(f) {
		p.callRest(f)
		return
	}
	if f.Form == FormKeyword {
		p.w(strings.ToUpper(f.Name.Last()))
	} else {
		p.w(f.Name.String())
	}
	p.w("(")
	p.when(f.Star, "*")
	p.when(f.Distinct, "DISTINCT ")
	p.when(f.All, "ALL ")
	p.list(len(f.Args), func(i int) {
		p.when(f.Variadic && i == len(f.Args)-1, "VARIADIC ")
		p.expr(f.Args[i])
	})
	p.orderBy(f.OrderBy)
	p.w(")")
	p.callRest(f)
}

func (p *printer) callRest(f *FuncCall) {
	if len(f.WithinGroup) > 0 {
		p.w(" WITHIN GROUP (")
		p.w(strings.TrimPrefix(orderByText(f.WithinGroup), " "))
		p.w(")")
	}
	if f.Filter != nil {
		p.w(" FILTER (WHERE ")
		p.expr(f.Filter)
		p.w(")")
	}
	switch f.NullTreatment {
	case NullsRespect:
		p.w(" RESPECT NULLS")
	case NullsIgnore:
		p.w(" IGNORE NULLS")
	default:
	}
	if f.Over != nil {
		p.w(" OVER ")
		if f.Over.Bare {
			p.id(f.Over.Ref)
		} else {
			p.windowSpec(f.Over)
		}
	}
}

func orderByText(items []OrderItem) string {
	var p printer
	p.orderBy(items)
	return p.b.String()
}

// between writes the arguments with a word before each.
func (p *printer) between(args []Expr, words ...string) {
	for i, a := range args {
		p.w(words[i])
		p.expr(a)
	}
	p.w(")")
}

// specialCall writes a call that has words between its arguments, and reports
// whether it is one.
func (p *printer) specialCall(f *FuncCall) bool {
	a := f.Args
	switch f.Form {
	case FormExtract:
		lit, _ := a[0].(*Literal)
		p.w("EXTRACT(")
		if plainWord(lit.Text) {
			p.w(lit.Text)
		} else {
			p.lit(lit.Text)
		}
		p.between(a[1:], " FROM ")
	case FormSubstring:
		p.w("SUBSTRING")
		p.between(a, "(", " FROM ", " FOR ")
	case FormSimilar:
		p.w("SUBSTRING")
		p.between(a, "(", " SIMILAR ", " ESCAPE ")
	case FormPosition:
		p.w("POSITION(")
		p.restricted(a[1], 0)
		p.w(" IN ")
		p.restricted(a[0], 0)
		p.w(")")
	case FormTrim:
		p.trim(f)
	case FormOverlay:
		p.w("OVERLAY")
		p.between(a, "(", " PLACING ", " FROM ", " FOR ")
	case FormAtTimeZone:
		p.operand(a[1], levelAt)
		p.w(" AT TIME ZONE ")
		p.operand(a[0], levelAt+1)
	case FormOverlaps:
		p.w("(")
		p.exprs(a[:2])
		p.w(") OVERLAPS (")
		p.exprs(a[2:])
		p.w(")")
	case FormNormalize:
		p.w("NORMALIZE(")
		p.expr(a[0])
		p.normalForm(", ", a[1:])
		p.w(")")
	case FormNormalized:
		p.operand(a[0], levelIs+1)
		p.w(" IS")
		p.normalForm(" ", a[1:])
		p.w(" NORMALIZED")
	case FormCollation:
		p.w("COLLATION FOR ")
		p.between(a, "(")
	case FormTreat:
		p.w("TREAT(")
		p.expr(a[0])
		p.w(" AS ", f.Name.String(), ")")
	default:
		return false
	}
	return true
}

func (p *printer) normalForm(before string, a []Expr) {
	if len(a) > 0 {
		lit, _ := a[0].(*Literal)
		p.w(before, strings.ToUpper(lit.Text))
	}
}

// trim writes TRIM, whose argument of characters stands first.
func (p *printer) trim(f *FuncCall) {
	p.w("TRIM(", map[string]string{"ltrim": "LEADING ", "rtrim": "TRAILING ", "btrim": "BOTH "}[f.Name.Last()])
	if len(f.Args) == 2 {
		p.expr(f.Args[1])
		p.w(" ")
	}
	p.w("FROM ")
	if len(f.Args) == 2 {
		p.expr(f.Args[0])
	} else {
		p.exprs(f.Args)
	}
	p.w(")")
}

// windowSpec writes the parenthesised definition of a window.
func (p *printer) windowSpec(w *WindowSpec) {
	var parts []string
	add := func(f func(p *printer)) {
		var sub printer
		f(&sub)
		if s := strings.TrimSpace(sub.b.String()); s != "" {
			parts = append(parts, s)
		}
	}
	if w.Buffer != nil {
		add(func(p *printer) {
			p.w("ROWS WINDOW BUFFER ")
			p.restricted(w.Buffer.Rows, 0)
			p.w(" ROWS")
		})
	}
	if w.Ref != "" {
		add(func(p *printer) { p.id(w.Ref) })
	}
	if len(w.PartitionBy) > 0 {
		add(func(p *printer) {
			p.w("PARTITION BY ")
			p.exprs(w.PartitionBy)
		})
	}
	add(func(p *printer) { p.orderBy(w.OrderBy) })
	if w.Frame != nil {
		add(func(p *printer) { p.frame(w.Frame) })
	}
	if b := w.Buffer; b != nil {
		add(func(p *printer) { p.bufferRest(b) })
	}
	p.w("(", strings.Join(parts, " "), ")")
}

func (p *printer) bufferRest(b *RowsBuffer) {
	switch {
	case b.EmitFull:
		p.w("EMIT ON BUFFER FULL ")
	case b.EmitSet:
		p.w("EMIT EVERY RECORD ")
	}
	switch {
	case b.ExpireNever:
		p.w("EXPIRE AFTER NEVER")
	case b.ExpireAfter != nil:
		p.w("EXPIRE AFTER ")
		p.expr(b.ExpireAfter)
		p.w(" INACTIVITY")
	}
}

func (p *printer) frame(f *Frame) {
	p.w(string(f.Mode), " ")
	p.when(f.Between, "BETWEEN ")
	p.bound(f.Start)
	if f.Between {
		p.w(" AND ")
		p.bound(f.End)
	}
	if f.Exclude != "" {
		p.w(" EXCLUDE ", f.Exclude)
	}
}

func (p *printer) bound(b Bound) {
	switch b.Kind {
	case UnboundedPreceding:
		p.w("UNBOUNDED PRECEDING")
	case UnboundedFollowing:
		p.w("UNBOUNDED FOLLOWING")
	case CurrentRow:
		p.w("CURRENT ROW")
	case OffsetPreceding:
		p.expr(b.Offset)
		p.w(" PRECEDING")
	case OffsetFollowing:
		p.expr(b.Offset)
		p.w(" FOLLOWING")
	}
}
