package deparse

import (
	"slices"
	"strconv"
	"strings"

	"velostream/catalog/types"
	"velostream/engine/sql/ast"
	"velostream/engine/sql/expr"
)

// natural is the type that e was bound with.
func (d *deparser) natural(e ast.Expr) types.Type {
	if x := d.trace.Exprs[e]; x != nil {
		return x.Type()
	}
	return types.Unknown
}

// expr makes the node of e.
func (d *deparser) expr(e ast.Expr) *node {
	switch e := e.(type) {
	case *ast.ColumnRef:
		return d.column(e)
	case *ast.Literal:
		return d.literal(e)
	case *ast.Param:
		return &node{kind: kVar, t: d.natural(e), text: "$" + strconv.Itoa(e.N)}
	case *ast.Interval:
		return d.interval(e)
	case *ast.Binary:
		return d.binary(e)
	case *ast.Unary:
		x := d.expr(e.X)
		if e.Op.Symbol == "+" && x.kind == kConst && x.t.OID != types.OIDUnknown {
			return x
		}
		return d.operator(e.Op.Symbol, d.natural(e), x)
	case *ast.Logical:
		return d.logical(e)
	case *ast.Not:
		return &node{kind: kNot, t: types.Bool, args: []*node{d.boolean(e.X)}}
	case *ast.Is:
		return d.is(e)
	case *ast.Distinct:
		return d.distinct(e)
	case *ast.Between:
		return d.between(e)
	case *ast.Like:
		return d.like(e)
	case *ast.In:
		return d.in(e)
	case *ast.Case:
		return d.caseExpr(e)
	case *ast.Cast:
		return d.cast(e)
	case *ast.FuncCall:
		return d.funcCall(e)
	case *ast.SQLValue:
		s := strings.ToUpper(e.Name)
		if e.Precision >= 0 {
			s += "(" + strconv.Itoa(e.Precision) + ")"
		}
		return &node{kind: kValue, t: d.natural(e), text: s}
	}
	return d.rareExpr(e)
}

func (d *deparser) rareExpr(e ast.Expr) *node {
	t := d.natural(e)
	switch e := e.(type) {
	case *ast.ArrayExpr:
		return d.array(e, t)
	case *ast.Quantified:
		return d.quantified(e)
	case *ast.Exists:
		return &node{kind: kSubLink, t: types.Bool, query: e.Query, link: "EXISTS"}
	case *ast.Subquery:
		return &node{kind: kSubLink, t: t, query: e.Query}
	case *ast.ArrayQuery:
		return &node{kind: kSubLink, t: t, query: e.Query, link: "ARRAY"}
	case *ast.Subscript:
		return d.subscript(e)
	case *ast.Collate:
		x := d.expr(e.X)
		if x.t.OID == types.OIDUnknown {
			x = d.coerce(x, types.Text, true)
		}
		return &node{kind: kCollate, t: x.t, text: ast.Name{Parts: e.Name.Parts}.String(), args: []*node{x}}
	case *ast.Row:
		if len(e.Items) == 1 && !e.Explicit {
			return d.expr(e.Items[0])
		}
		return &node{kind: kRow, t: t, args: d.known(d.exprs(e.Items))}
	case *ast.FieldSelect:
		if e.Star {
			return d.cannot(e)
		}
		return &node{kind: kField, t: t, text: quote(e.Name), args: []*node{d.expr(e.X)}}
	}
	return d.cannot(e)
}

func (d *deparser) exprs(list []ast.Expr) []*node {
	out := make([]*node, len(list))
	for i, e := range list {
		out[i] = d.expr(e)
	}
	return out
}

// known makes constants of no type text.
func (d *deparser) known(list []*node) []*node {
	for i, n := range list {
		if n.t.OID == types.OIDUnknown {
			list[i] = d.coerce(n, types.Text, true)
		}
	}
	return list
}

func (d *deparser) literal(e *ast.Literal) *node {
	n := &node{kind: kConst, t: d.natural(e), text: e.Text}
	switch e.Kind {
	case ast.LitNull:
		n.null, n.t = true, types.Unknown
	case ast.LitString:
		n.t = types.Unknown
	default:
		if c, ok := d.trace.Exprs[e].(*expr.Const); ok {
			n.text, n.t = d.text(c), c.T
		}
		if e.Kind == ast.LitBool {
			n.text = strings.ToLower(e.Text)
		}
	}
	return n
}

// text is the value of c.
func (d *deparser) text(c *expr.Const) string {
	return string(types.AppendText(nil, c.T, c.Value, d.format()))
}

func (d *deparser) format() *types.Format {
	f := types.Format{}
	if d.Options.Format != nil {
		f = *d.Options.Format
	}
	f.Names = d.Names
	return &f
}

func (d *deparser) interval(e *ast.Interval) *node {
	c, ok := d.trace.Exprs[e].(*expr.Const)
	if !ok { // the argument of a window's function, which repeats the window's
		return &node{kind: kVar, t: types.IntervalT, text: ast.String(e)}
	}
	return &node{kind: kConst, t: c.T, text: d.text(c)}
}

// coerce brings n to the type t: a constant of no type becomes one of t.
func (d *deparser) coerce(n *node, t types.Type, implicit bool) *node {
	if t.OID == types.OIDUnknown || t.OID == types.OIDAnyElement || t.OID == types.OIDAnyArray {
		return n
	}
	if n.t.OID == types.OIDUnknown && n.kind == kConst {
		c := *n
		c.t = types.Type{OID: t.OID, Mod: -1}
		if !n.null {
			if v, err := types.DecodeText(c.t, []byte(n.text), d.format()); err == nil {
				c.text = string(types.AppendText(nil, c.t, v, d.format()))
				if c.t.OID == types.OIDBool {
					c.text = strconv.FormatBool(v.Bool())
				}
			}
		} else if implicit {
			c.t = t // NULL is what it is to be
		}
		n = &c
	}
	if n.t.OID == t.OID && n.domain == 0 && (n.t == t || t.Mod < 0) || n.t.OID == types.OIDUnknown {
		return n
	}
	return &node{kind: kCast, t: t, args: []*node{n}, implicit: implicit, function: n.domain == 0 && byFunction(n.t, t)}
}

// byFunction reports that a function converts from to to, rather than nothing or
// the text form.
func byFunction(from, to types.Type) bool {
	text := func(t types.Type) bool {
		return t.OID == types.OIDText || t.OID == types.OIDVarchar || t.OID == types.OIDName || t.OID == types.OIDUnknown
	}
	_, array := to.Elem()
	switch {
	case array:
		return false
	case to.Mod >= 0:
		return true
	case text(to):
		return from.OID == types.OIDBool || from.OID == types.OIDBpchar
	case text(from), from.OID == types.OIDUnknown:
		return false
	case from.IsUser(), to.IsUser():
		return false
	}
	return true
}

func (d *deparser) boolean(e ast.Expr) *node { return d.coerce(d.expr(e), types.Bool, true) }

func (d *deparser) logical(e *ast.Logical) *node {
	n := &node{kind: kLogic, t: types.Bool, text: "AND"}
	if e.Or {
		n.text = "OR"
	}
	for _, a := range e.Args {
		n.args = append(n.args, d.boolean(a))
	}
	return n
}

func (d *deparser) is(e *ast.Is) *node {
	not := ""
	if e.Not {
		not = "NOT "
	}
	n := &node{kind: kTest, t: types.Bool, text: "IS " + not + string(e.Test)}
	if e.Test == ast.TestNull {
		n.args = d.known([]*node{d.expr(e.X)})
	} else {
		n.args = []*node{d.boolean(e.X)}
	}
	return n
}

func (d *deparser) distinct(e *ast.Distinct) *node {
	l, r := d.expr(e.L), d.expr(e.R)
	for _, side := range [][2]*node{{l, r}, {r, l}} {
		if side[1].kind == kConst && side[1].null && side[1].t.OID == types.OIDUnknown {
			test := "IS NOT NULL"
			if e.Not {
				test = "IS NULL"
			}
			return &node{kind: kTest, t: types.Bool, text: test, args: d.known([]*node{side[0]})}
		}
	}
	eq := d.operator("=", types.Bool, l, r)
	n := &node{kind: kDistinct, t: types.Bool, args: eq.args}
	if e.Not {
		return &node{kind: kNot, t: types.Bool, args: []*node{n}}
	}
	return n
}

// between is X BETWEEN Lo AND Hi as the comparisons that it stands for.
func (d *deparser) between(e *ast.Between) *node {
	half := func(lo, hi ast.Expr) *node {
		ops, word := [2]string{">=", "<="}, "AND"
		if e.Not {
			ops, word = [2]string{"<", ">"}, "OR"
		}
		return &node{kind: kLogic, text: word, t: types.Bool, args: []*node{
			d.operator(ops[0], types.Bool, d.expr(e.X), d.expr(lo)), d.operator(ops[1], types.Bool, d.expr(e.X), d.expr(hi)),
		}}
	}
	if !e.Symmetric {
		return half(e.Lo, e.Hi)
	}
	word := "OR"
	if e.Not {
		word = "AND"
	}
	return &node{kind: kLogic, text: word, t: types.Bool, args: []*node{half(e.Lo, e.Hi), half(e.Hi, e.Lo)}}
}

func (d *deparser) like(e *ast.Like) *node {
	ops := map[ast.LikeKind][2]string{ast.LikePlain: {"~~", "!~~"}, ast.LikeNoCase: {"~~*", "!~~*"}, ast.LikeSimilar: {"~", "!~"}}[e.Kind]
	op := ops[0]
	if e.Not {
		op = ops[1]
	}
	p := d.expr(e.Pattern)
	if e.Escape != nil || e.Kind == ast.LikeSimilar {
		name := "like_escape"
		if e.Kind == ast.LikeSimilar {
			name = "similar_to_escape"
		}
		args := []*node{d.coerce(p, types.Text, true)}
		if e.Escape != nil {
			args = append(args, d.coerce(d.expr(e.Escape), types.Text, true))
		}
		p = &node{kind: kCall, t: types.Text, text: name, args: args}
	}
	return d.operator(op, types.Bool, d.expr(e.X), p)
}

// in is X IN (list): PostgreSQL makes = ANY (ARRAY[…]) of what does not hold columns.
func (d *deparser) in(e *ast.In) *node {
	if e.Query != nil {
		n := &node{kind: kSubLink, t: types.Bool, query: e.Query, link: "=", args: d.known([]*node{d.expr(e.X)})}
		if e.Not {
			return &node{kind: kNot, t: types.Bool, args: []*node{n}}
		}
		return n
	}
	op, word, all := "=", "OR", " ANY"
	if e.Not {
		op, word, all = "<>", "AND", " ALL"
	}
	var fixed, others []*node
	for _, x := range e.List {
		n := d.expr(x)
		if d.holdsColumn(x) {
			others = append(others, n)
		} else {
			fixed = append(fixed, n)
		}
	}
	var parts []*node
	if len(fixed) > 1 {
		if n := d.inArray(d.expr(e.X), fixed, op, all); n != nil {
			parts, fixed = append(parts, n), nil
		}
	}
	if fixed != nil {
		others = d.exprs(e.List)
	}
	for _, n := range others {
		parts = append(parts, d.operator(op, types.Bool, d.expr(e.X), n))
	}
	if len(parts) == 1 {
		return parts[0]
	}
	return &node{kind: kLogic, t: types.Bool, text: word, args: parts}
}

func (d *deparser) inArray(x *node, list []*node, op, all string) *node {
	ts := []types.Type{x.t}
	for _, n := range list {
		ts = append(ts, n.t)
	}
	t, err := expr.CommonType("IN", ts...)
	if err != nil {
		return nil
	}
	t.Mod = -1
	if x.kind == kRow {
		return nil
	}
	for i := range list {
		list[i] = d.coerce(list[i], t, true)
	}
	arr, ok := t.Array()
	if !ok {
		return nil
	}
	a := &node{kind: kArray, t: arr, args: list}
	left := x
	if x.t.OID == types.OIDUnknown || !crossOperator(op, x.t, t) {
		left = d.coerce(x, t, true)
	}
	if t.OID == types.OIDVarchar { // compared as text
		texts, _ := types.Text.Array()
		left, a = d.coerce(left, types.Text, true), &node{kind: kCast, t: texts, args: []*node{a}, implicit: true}
	}
	return &node{kind: kAny, t: types.Bool, text: op + all, args: []*node{left, a}}
}

// holdsColumn reports that e refers to a column.
func (d *deparser) holdsColumn(e ast.Expr) bool {
	x := d.trace.Exprs[e]
	if x == nil {
		return true
	}
	var holds func(x expr.Expr) bool
	holds = func(x expr.Expr) bool {
		switch x.(type) {
		case *expr.Const, *expr.Param:
			return false
		}
		kids := expr.Children(x)
		if len(kids) == 0 {
			_, call := x.(*expr.Call)
			return !call
		}
		return slices.ContainsFunc(kids, holds)
	}
	return holds(x)
}

func (d *deparser) quantified(e *ast.Quantified) *node {
	x := d.known([]*node{d.expr(e.X)})[0]
	word := " ANY"
	if e.All {
		word = " ALL"
	}
	if e.Query != nil {
		op := e.Op.Symbol
		if e.All || op != "=" {
			op += word
		}
		return &node{kind: kSubLink, t: types.Bool, query: e.Query, link: op, args: []*node{x}}
	}
	a := d.expr(e.Array)
	if a.t.OID == types.OIDUnknown {
		if arr, ok := x.t.Array(); ok {
			a = d.coerce(a, arr, true)
		}
	}
	if elem, ok := a.t.Elem(); ok {
		pair := d.operator(e.Op.Symbol, types.Bool, x, &node{kind: kVar, t: elem})
		if want := pair.args[1].t; want.OID != elem.OID {
			if arr, ok := want.Array(); ok {
				a = d.coerce(a, arr, true)
			}
		}
		x = pair.args[0]
	}
	return &node{kind: kAny, t: types.Bool, text: e.Op.Symbol + word, args: []*node{x, a}}
}

func (d *deparser) caseExpr(e *ast.Case) *node {
	n := &node{kind: kCase, t: d.natural(e)}
	n.t.Mod = -1
	if e.Operand != nil {
		n.operand = d.known([]*node{d.expr(e.Operand)})[0]
	}
	for _, w := range e.Whens {
		var cond *node
		if n.operand == nil {
			cond = d.boolean(w.Cond)
		} else {
			cond = d.operator("=", types.Bool, &node{kind: kVar, t: n.operand.t}, d.expr(w.Cond)).args[1]
		}
		n.args = append(n.args, cond, d.coerce(d.expr(w.Result), n.t, true))
	}
	last := &node{kind: kConst, t: n.t, null: true}
	if e.Else != nil {
		last = d.coerce(d.expr(e.Else), n.t, true)
	}
	n.args = append(n.args, last)
	return n
}

func (d *deparser) array(e *ast.ArrayExpr, t types.Type) *node {
	n := &node{kind: kArray, t: t, args: d.exprs(e.Elems)}
	elem, ok := t.Elem()
	for i, a := range n.args {
		if _, nested := a.t.Elem(); ok && !nested {
			n.args[i] = d.coerce(a, elem, true)
		}
	}
	return n
}

func (d *deparser) subscript(e *ast.Subscript) *node {
	x := d.expr(e.X)
	index := func(e ast.Expr) *node {
		if e == nil {
			return nil
		}
		n := d.expr(e)
		if x.t.OID == types.OIDJSONB && n.t.OID == types.OIDUnknown {
			return d.coerce(n, types.Text, true)
		}
		return d.coerce(n, types.Int4, true)
	}
	if inner := x; inner.kind == kSubscript && !inner.slice && !e.Slice {
		c := *inner
		c.t, c.args = d.natural(e), append(slices.Clone(inner.args), index(e.Lo))
		return &c
	}
	n := &node{kind: kSubscript, t: d.natural(e), slice: e.Slice, args: []*node{x, index(e.Lo)}}
	if e.Slice {
		n.args = append(n.args, index(e.Hi))
	}
	return n
}

// cast is an explicit conversion.
func (d *deparser) cast(e *ast.Cast) *node {
	t := d.natural(e)
	name := ""
	if u := d.domainOf(e.Type); u != "" {
		name = u
	}
	if a, ok := e.X.(*ast.ArrayExpr); ok && name == "" {
		if elem, isArray := t.Elem(); isArray {
			return d.arrayAs(a, t, elem)
		}
	}
	x := d.expr(e.X)
	if name != "" {
		x = d.coerce(x, t, true)
		return &node{kind: kCast, t: t, args: []*node{x}, typeName: name}
	}
	return d.explicit(x, t)
}

func (d *deparser) explicit(x *node, t types.Type) *node {
	if x.t.OID == types.OIDUnknown && x.kind == kConst && t.OID == types.OIDInterval {
		t.Mod = -1
	}
	n := d.coerce(x, t, false)
	if n.kind == kCast && n.implicit {
		c := *n
		c.implicit = false
		return &c
	}
	return n
}

func (d *deparser) arrayAs(e *ast.ArrayExpr, t, elem types.Type) *node {
	n := &node{kind: kArray, t: t}
	for _, x := range e.Elems {
		if inner, ok := x.(*ast.ArrayExpr); ok {
			n.args = append(n.args, d.arrayAs(inner, t, elem))
		} else {
			n.args = append(n.args, d.explicit(d.expr(x), elem))
		}
	}
	return n
}
