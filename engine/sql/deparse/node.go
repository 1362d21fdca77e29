package deparse

import (
	"strings"

	"velostream/catalog/types"
	"velostream/engine/sql/ast"
	"velostream/engine/sql/expr"
)

// kind is the form of a node, as far as parentheses depend on it.
type kind uint8

const (
	kVar kind = iota
	kConst
	kOp       // text is the operator
	kCall     // text(args …): functions, aggregates, COALESCE and the like
	kSQL      // a function in a syntax of its own
	kValue    // CURRENT_TIMESTAMP
	kCast     // args[0]::t
	kLogic    // text is AND or OR
	kNot      //
	kTest     // args[0] text: IS NULL, IS TRUE
	kDistinct // IS DISTINCT FROM
	kAny      // args[0] text (args[1]): = ANY
	kCase
	kArray
	kRow
	kSubLink
	kSubscript
	kField
	kCollate
)

// node is an expression as PostgreSQL would store it.
type node struct {
	kind kind
	t    types.Type
	text string
	args []*node

	null     bool // of kConst
	implicit bool // of kCast: not written
	function bool // of kCast: by a function, rather than of the same bytes or by way of text
	domain   uint32
	typeName string // of kCast: in place of t's
	name     string // of kVar: the column's

	parts []string // of kSQL: what stands before, between and after args
	force bool     // of kSQL: args are in parentheses where they are not simple

	call      *callParts
	construct bool // of kCall: COALESCE and its like, no function
	// Of kCase: args are the conditions and results by turns, then ELSE.
	operand *node
	// Of kSubLink.
	query *ast.Query
	link  string // EXISTS, ARRAY, or "" or the operator
	// Of kSubscript: slice bounds; nil entries are missing.
	slice bool
}

// callParts are what a call can have beside arguments.
type callParts struct {
	star, distinct, variadic bool
	order, within            []ast.OrderItem
	filter                   *node
	over                     *ast.WindowSpec
	float                    bool // within is of double precision
}

// simple reports that n needs no parentheses under parent. It is PostgreSQL's
// isSimpleNode.
func (n *node) simple(parent *node, pretty bool) bool {
	switch n.kind {
	case kVar, kConst, kCall, kSQL, kValue, kCase, kArray, kRow, kSubscript:
		return true
	case kField:
		return parent.kind != kField
	case kCast:
		return n.function || n.args[0].simple(n, pretty)
	case kOp:
		if pretty && parent.kind == kOp {
			return n.bindsTighter(parent)
		}
		return parent.encloses() || parent.kind == kLogic || parent.kind == kNot
	case kSubLink, kTest, kDistinct:
		return parent.encloses() || parent.kind == kLogic || parent.kind == kNot
	case kLogic, kNot:
		if parent.kind == kLogic || parent.kind == kNot {
			if !pretty || parent.kind == kNot {
				return false
			}
			return n.kind == kNot || n.text == "AND" || parent.text == "OR"
		}
		return parent.encloses()
	default:
		return false
	}
}

// encloses reports that n has brackets of its own around its arguments.
func (n *node) encloses() bool {
	switch n.kind {
	case kCall, kSubscript, kArray, kRow, kCase:
		return true
	default:
		return false
	}
}

// bindsTighter reports that n, an operation, needs no parentheses as an operand of
// parent: only the basic operators are known well enough.
func (n *node) bindsTighter(parent *node) bool {
	level := func(n *node) int {
		if len(n.args) == 2 && len(n.text) == 1 {
			if strings.Contains("+-", n.text) {
				return 1
			}
			if strings.Contains("*/%", n.text) {
				return 2
			}
		}
		return 0
	}
	l, p := level(n), level(parent)
	switch {
	case l == 0 || p == 0:
		return false
	case l != p:
		return l > p
	}
	return parent.args[0] == n
}

// parens writes n, in parentheses where a pretty text needs them.
func (d *deparser) parens(n, parent *node, implicit bool) {
	need := d.Style.Pretty && !n.simple(parent, true)
	if need {
		d.write("(")
	}
	d.print(n, implicit)
	if need {
		d.write(")")
	}
}

// open and shut write the parentheses that a text has that is not pretty.
func (d *deparser) open() {
	if !d.Style.Pretty {
		d.write("(")
	}
}

func (d *deparser) shut() {
	if !d.Style.Pretty {
		d.write(")")
	}
}

// print writes n; implicit: also conversions that were not written.
func (d *deparser) print(n *node, implicit bool) {
	switch n.kind {
	case kVar, kValue:
		d.write(n.text)
	case kConst:
		d.constant(n, 0)
	case kOp:
		d.operation(n)
	case kCall:
		d.printCall(n)
	case kSQL:
		d.syntax(n)
	case kCast:
		d.printCast(n, implicit)
	case kLogic:
		d.open()
		for i, a := range n.args {
			if i > 0 {
				d.write(" ", n.text, " ")
			}
			d.parens(a, n, false)
		}
		d.shut()
	case kNot:
		d.open()
		d.write("NOT ")
		d.parens(n.args[0], n, false)
		d.shut()
	case kTest:
		d.open()
		d.parens(n.args[0], n, strings.HasSuffix(n.text, "NULL"))
		d.write(" ", n.text)
		d.shut()
	case kDistinct:
		d.open()
		d.parens(n.args[0], n, true)
		d.write(" IS DISTINCT FROM ")
		d.parens(n.args[1], n, true)
		d.shut()
	case kAny:
		d.open()
		d.parens(n.args[0], n, true)
		d.write(" ", n.text, " (")
		d.parens(n.args[1], n, true)
		d.write(")")
		d.shut()
	default:
		d.printMore(n, implicit)
	}
}

func (d *deparser) printMore(n *node, implicit bool) {
	switch n.kind {
	case kCase:
		d.printCase(n)
	case kArray:
		d.write("ARRAY[")
		d.list(n.args)
		d.write("]")
		if len(n.args) == 0 {
			d.write("::", d.Names.TypeName(n.t))
		}
	case kRow:
		d.write("ROW(")
		d.list(n.args)
		d.write(")")
	case kCollate:
		d.open()
		d.parens(n.args[0], n, implicit)
		d.write(" COLLATE ", n.text)
		d.shut()
	case kField:
		d.base(n.args[0], n.args[0].kind != kField && n.args[0].kind != kSubscript)
		d.write(".", n.text)
	case kSubscript:
		d.printSubscript(n, implicit)
	case kSubLink:
		d.subLink(n)
	default:
	}
}

// base writes what is subscripted or selected from.
func (d *deparser) base(n *node, parens bool) {
	if parens {
		d.write("(")
	}
	d.print(n, true)
	if parens {
		d.write(")")
	}
}

func (d *deparser) printSubscript(n *node, _ bool) {
	d.base(n.args[0], n.args[0].kind != kVar && n.args[0].kind != kField)
	if !n.slice {
		for _, a := range n.args[1:] {
			d.write("[")
			d.print(a, false)
			d.write("]")
		}
		return
	}
	d.write("[")
	if n.args[1] != nil {
		d.print(n.args[1], false)
	}
	d.write(":")
	if n.args[2] != nil {
		d.print(n.args[2], false)
	}
	d.write("]")
}

func (d *deparser) list(args []*node) {
	for i, a := range args {
		if i > 0 {
			d.write(", ")
		}
		d.print(a, true)
	}
}

func (d *deparser) operation(n *node) {
	if n.args[0].kind == kRow { // a comparison of rows
		d.write("(")
		d.print(n.args[0], true)
		d.write(" ", n.text, " ")
		d.print(n.args[1], true)
		d.write(")")
		return
	}
	d.open()
	if len(n.args) == 1 {
		d.write(n.text, " ")
		d.parens(n.args[0], n, true)
	} else {
		d.parens(n.args[0], n, true)
		d.write(" ", n.text, " ")
		d.parens(n.args[1], n, true)
	}
	d.shut()
}

func (d *deparser) printCast(n *node, implicit bool) {
	a := n.args[0]
	if n.implicit && !implicit {
		d.parens(a, n, false)
		return
	}
	if a.kind == kConst && !a.null && a.t.OID == n.t.OID && a.t.Mod == -1 && n.typeName == "" {
		d.constant(a, -1)
	} else {
		d.open()
		d.parens(a, n, false)
		d.shut()
	}
	name := n.typeName
	if name == "" {
		name = d.Names.TypeName(n.t)
	}
	d.write("::", name)
}

// constant writes a constant; label -1: never with its type, 0: where it would not
// be known, 1: always.
func (d *deparser) constant(n *node, label int) {
	if n.null {
		d.write("NULL")
		if label >= 0 {
			d.write("::", d.Names.TypeName(n.t))
		}
		return
	}
	digit := n.text != "" && n.text[0] >= '0' && n.text[0] <= '9'
	needs := true
	switch {
	case n.t.OID == types.OIDBool, n.t.OID == types.OIDInt4 && digit:
		needs = false
		d.write(n.text)
	case n.t.OID == types.OIDNumeric && digit && strings.ContainsAny(n.text, "eE."):
		needs = n.t.Mod >= 0
		d.write(n.text)
	case n.t.OID == types.OIDBit && label <= 0:
		needs = false
		d.write("B", expr.QuoteLiteral(n.text))
	default:
		d.write(literal(n.text))
	}
	if label > 0 || label == 0 && needs && n.t.OID != types.OIDUnknown {
		d.write("::", d.Names.TypeName(n.t))
	}
}

// literal is a string constant.
func literal(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

func (d *deparser) printCase(n *node) {
	d.line("CASE", 0, indentVar, 0)
	if n.operand != nil {
		d.write(" ")
		d.print(n.operand, true)
	}
	for i := 0; i+1 < len(n.args); i += 2 {
		d.line("WHEN ", 0, 0, 0)
		d.print(n.args[i], false)
		d.write(" THEN ")
		d.print(n.args[i+1], true)
	}
	d.line("ELSE ", 0, 0, 0)
	d.print(n.args[len(n.args)-1], true)
	d.line("END", -indentVar, 0, 0)
}

func (d *deparser) syntax(n *node) {
	for i, part := range n.parts {
		d.write(part)
		if i >= len(n.args) {
			break
		}
		if n.force {
			d.parens(n.args[i], n, false)
		} else {
			d.print(n.args[i], false)
		}
	}
}

// within writes the order of an ordered-set aggregate.
func (d *deparser) within(c *callParts) {
	for i, o := range c.within {
		if i > 0 {
			d.write(", ")
		}
		n := d.expr(o.X)
		if c.float && n.t.OID != types.OIDInterval {
			n = d.coerce(n, types.Float8, true)
		}
		d.sortExpr(n)
		d.direction(o)
	}
}

func (d *deparser) printCall(n *node) {
	d.write(n.text, "(")
	c := n.call
	if c == nil {
		c = &callParts{}
	}
	if c.distinct {
		d.write("DISTINCT ")
	}
	if c.star {
		d.write("*")
	}
	for i, a := range n.args {
		if i > 0 {
			d.write(", ")
		}
		if c.variadic && i == len(n.args)-1 {
			d.write("VARIADIC ")
		}
		d.print(a, true)
	}
	if len(c.order) > 0 {
		d.write(" ORDER BY ")
		d.orderItems(c.order, nil)
	}
	d.write(")")
	if len(c.within) > 0 {
		d.write(" WITHIN GROUP (ORDER BY ")
		d.within(c)
		d.write(")")
	}
	if c.filter != nil {
		d.write(" FILTER (WHERE ")
		d.print(c.filter, false)
		d.write(")")
	}
	if c.over != nil {
		d.write(" OVER ")
		if c.over.Bare {
			d.write(quote(c.over.Ref))
		} else {
			d.windowSpec(c.over)
		}
	}
}
