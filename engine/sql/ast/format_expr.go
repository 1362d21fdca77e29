package ast

import (
	"strconv"
	"strings"
)

// Binding strengths, as in PostgreSQL's precedence table.
const (
	levelOr = iota + 1
	levelAnd
	levelNot
	levelIs
	levelCompare
	levelLike
	levelOp
	levelAdd
	levelMul
	levelPower
	levelAt
	levelCollate
	levelUnary
	levelPostfix
	levelAtom
)

func operatorLevel(op Operator) int {
	if op.Schema != "" {
		return levelOp
	}
	switch op.Symbol {
	case "<", ">", "=", "<=", ">=", "<>":
		return levelCompare
	case "+", "-":
		return levelAdd
	case "*", "/", "%":
		return levelMul
	case "^":
		return levelPower
	}
	return levelOp
}

// level is how strongly an expression's text holds together.
func level(x Expr) int {
	switch x := x.(type) {
	case *Logical:
		if x.Or {
			return levelOr
		}
		return levelAnd
	case *Not:
		return levelNot
	case *Is, *Distinct:
		return levelIs
	case *Between, *Like, *In:
		return levelLike
	case *Binary:
		return operatorLevel(x.Op)
	case *Quantified:
		return operatorLevel(x.Op)
	case *Unary:
		if x.Op.Schema == "" && (x.Op.Symbol == "-" || x.Op.Symbol == "+") {
			return levelUnary
		}
		return levelOp
	case *Collate:
		return levelCollate
	case *Cast:
		if x.Style == CastColon {
			return levelPostfix
		}
	case *Literal:
		if strings.HasPrefix(x.Text, "-") && (x.Kind == LitInteger || x.Kind == LitNumber) {
			return levelUnary
		}
	case *FuncCall:
		switch x.Form {
		case FormAtTimeZone:
			return levelAt
		case FormNormalized:
			return levelIs
		case FormOverlaps:
			return levelLike
		default:
		}
	case *Default:
		return levelOr
	}
	return levelAtom
}

// operand writes x, in parentheses if it holds together less than required.
// Operands are never bare DEFAULTs or prefix operators of lower strength.
func (p *printer) operand(x Expr, required int) {
	if level(x) < required {
		p.w("(")
		p.expr(x)
		p.w(")")
		return
	}
	p.expr(x)
}

// expr writes an expression.
func (p *printer) expr(x Expr) {
	switch x := x.(type) {
	case nil:
	case *ColumnRef:
		p.columnRef(x)
	case *Param:
		p.w("$", strconv.Itoa(x.N))
	case *Literal:
		p.literal(x)
	case *Interval:
		p.interval(x)
	case *Cast:
		p.cast(x)
	case *Binary:
		l := operatorLevel(x.Op)
		left := l
		if l == levelCompare {
			left++
		}
		p.operand(x.L, left)
		p.w(" ", operatorText(x.Op), " ")
		p.operand(x.R, l+1)
	case *Unary:
		p.w(operatorText(x.Op), " ")
		if level(x) == levelUnary {
			p.operand(x.X, levelUnary)
		} else {
			p.operand(x.X, levelOp+1)
		}
	case *Logical:
		p.logical(x)
	case *Not:
		p.w("NOT ")
		p.operand(x.X, levelNot)
	case *Is:
		p.operand(x.X, levelIs+1)
		p.w(" IS ")
		p.when(x.Not, "NOT ")
		p.w(string(x.Test))
	case *Distinct:
		p.operand(x.L, levelIs+1)
		p.w(" IS ")
		p.when(x.Not, "NOT ")
		p.w("DISTINCT FROM ")
		p.operand(x.R, levelIs+1)
	default:
		p.predicate(x)
	}
}

func (p *printer) logical(x *Logical) {
	word, l := " AND ", levelAnd
	if x.Or {
		word, l = " OR ", levelOr
	}
	for i, a := range x.Args {
		if i > 0 {
			p.w(word)
		}
		p.operand(a, l+1)
	}
}

// predicate writes the predicates and what has parentheses of its own.
func (p *printer) predicate(x Expr) {
	switch x := x.(type) {
	case *Between:
		p.operand(x.X, levelLike+1)
		p.when(x.Not, " NOT")
		p.w(" BETWEEN ")
		p.when(x.Symmetric, "SYMMETRIC ")
		p.restricted(x.Lo, levelLike+1)
		p.w(" AND ")
		p.operand(x.Hi, levelLike+1)
	case *Like:
		p.operand(x.X, levelLike+1)
		p.when(x.Not, " NOT")
		p.w(" ", string(x.Kind), " ")
		p.operand(x.Pattern, levelLike+1)
		if x.Escape != nil {
			p.w(" ESCAPE ")
			p.operand(x.Escape, levelLike+1)
		}
	case *In:
		p.operand(x.X, levelLike+1)
		p.when(x.Not, " NOT")
		p.w(" IN (")
		if x.Query != nil {
			p.query(x.Query)
		} else {
			p.exprs(x.List)
		}
		p.w(")")
	case *Quantified:
		l := operatorLevel(x.Op)
		p.operand(x.X, l+1)
		p.w(" ", operatorText(x.Op))
		if x.All {
			p.w(" ALL (")
		} else {
			p.w(" ANY (")
		}
		if x.Query != nil {
			p.query(x.Query)
		} else {
			p.expr(x.Array)
		}
		p.w(")")
	default:
		p.primary(x)
	}
}

// restricted writes x where only a b_expr may stand: without words that
// would end it.
func (p *printer) restricted(x Expr, required int) {
	if l := level(x); l < required || l <= levelNot || l == levelAt || l == levelCollate || l == levelIs || l == levelLike || hasRestricted(x) {
		p.w("(")
		p.expr(x)
		p.w(")")
		return
	}
	p.expr(x)
}

// hasRestricted reports whether an operator tree has operands, outside
// parentheses, that a b_expr may not have.
func hasRestricted(x Expr) bool {
	bad := func(x Expr) bool {
		switch l := level(x); l {
		case levelOr, levelAnd, levelNot, levelIs, levelLike, levelAt, levelCollate:
			return true
		}
		return hasRestricted(x)
	}
	switch x := x.(type) {
	case *Binary:
		return bad(x.L) || bad(x.R)
	case *Unary:
		return bad(x.X)
	case *Quantified:
		return true
	case *Cast:
		return x.Style == CastColon && bad(x.X)
	}
	return false
}

// primary writes what needs no parentheses around it.
func (p *printer) primary(x Expr) {
	switch x := x.(type) {
	case *Exists:
		p.w("EXISTS (")
		p.query(x.Query)
		p.w(")")
	case *Subquery:
		p.w("(")
		p.query(x.Query)
		p.w(")")
	case *ArrayExpr:
		p.w("ARRAY[")
		p.exprs(x.Elems)
		p.w("]")
	case *ArrayQuery:
		p.w("ARRAY(")
		p.query(x.Query)
		p.w(")")
	case *Row:
		p.when(x.Explicit || len(x.Items) < 2, "ROW")
		p.w("(")
		p.exprs(x.Items)
		p.w(")")
	case *Subscript:
		p.base(x.X, false)
		p.subscript(x.Lo, x.Hi, x.Slice)
	case *FieldSelect:
		p.base(x.X, true)
		p.w(".")
		if x.Star {
			p.w("*")
		} else {
			p.id(x.Name)
		}
	case *Case:
		p.caseExpr(x)
	case *Collate:
		p.operand(x.X, levelCollate)
		p.w(" COLLATE ", x.Name.String())
	case *NamedArg:
		p.id(x.Name)
		p.w(" => ")
		p.expr(x.X)
	case *SQLValue:
		p.w(strings.ToUpper(x.Name))
		if x.Precision >= 0 {
			p.w("(", strconv.Itoa(x.Precision), ")")
		}
	case *Default:
		p.w("DEFAULT")
	case *CurrentOf:
		p.w("CURRENT OF ")
		p.id(x.Cursor)
	case *FuncCall:
		p.funcCall(x)
	}
}

func (p *printer) subscript(lo, hi Expr, slice bool) {
	p.w("[")
	p.expr(lo)
	p.when(slice, ":")
	p.expr(hi)
	p.w("]")
}

// base writes what is subscripted or selected from. A column needs
// parentheses before a field, else the field would be part of its name.
func (p *printer) base(x Expr, field bool) {
	if s, ok := x.(*Subscript); ok && s.Closed {
		p.w("(")
		p.expr(x)
		p.w(")")
		return
	}
	switch x.(type) {
	case *Param, *Subscript, *FieldSelect, *Subquery:
		p.expr(x)
		return
	case *ColumnRef:
		if !field {
			p.expr(x)
			return
		}
	}
	p.w("(")
	p.expr(x)
	p.w(")")
}

func (p *printer) columnRef(x *ColumnRef) {
	p.w(Name{Parts: x.Parts}.String())
	if x.Star {
		p.when(len(x.Parts) > 0, ".")
		p.w("*")
	}
}

func (p *printer) literal(x *Literal) {
	switch x.Kind {
	case LitNull:
		p.w("NULL")
	case LitBool:
		p.w(strings.ToLower(x.Text)) // as PostgreSQL shows them
	case LitString:
		p.lit(x.Text)
	case LitBit:
		p.w("B")
		p.lit(x.Text)
	case LitHex:
		p.w("X")
		p.lit(x.Text)
	default:
		p.w(x.Text)
	}
}

func (p *printer) interval(x *Interval) {
	prec := ""
	if x.Precision >= 0 {
		prec = "(" + strconv.Itoa(x.Precision) + ")"
	}
	if x.Fields == FieldsNone {
		p.w("INTERVAL", prec, " ")
		p.lit(x.Text)
		return
	}
	p.w("INTERVAL ")
	p.lit(x.Text)
	p.w(" ", string(x.Fields), prec)
}

func (p *printer) cast(x *Cast) {
	switch x.Style {
	case CastColon:
		p.operand(x.X, levelPostfix)
		p.w("::")
		p.typeName(x.Type)
	case CastPrefix:
		p.typeName(x.Type)
		p.w(" ")
		p.expr(x.X)
	default:
		p.w("CAST(")
		p.expr(x.X)
		p.w(" AS ")
		p.typeName(x.Type)
		p.w(")")
	}
}

func operatorText(op Operator) string {
	if op.Schema != "" {
		return "OPERATOR(" + QuoteIdent(op.Schema) + "." + op.Symbol + ")"
	}
	return op.Symbol
}

func (p *printer) caseExpr(x *Case) {
	p.w("CASE")
	if x.Operand != nil {
		p.w(" ")
		p.expr(x.Operand)
	}
	for _, w := range x.Whens {
		p.w(" WHEN ")
		p.expr(w.Cond)
		p.w(" THEN ")
		p.expr(w.Result)
	}
	if x.Else != nil {
		p.w(" ELSE ")
		p.expr(x.Else)
	}
	p.w(" END")
}
