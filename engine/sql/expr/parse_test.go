package expr

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"velostream/catalog/types"
	"velostream/pgwire/pgerror"
)

// A small reader of SQL expressions, for the tests of this package: it binds
// as it reads. Columns are looked up in cols.
type reader struct {
	toks []string
	pos  int
	cols map[string]*Col
}

// parseExpr reads an expression; errors are PostgreSQL's where they come from
// resolution.
func parseExpr(s string, cols map[string]*Col) (e Expr, err error) {
	defer func() {
		if r := recover(); r != nil {
			re, ok := r.(error)
			if !ok {
				panic(r)
			}
			e, err = nil, re
		}
	}()
	p := &reader{toks: lex(s), cols: cols}
	e = p.expr(0)
	if p.pos < len(p.toks) {
		return nil, fmt.Errorf("left over: %q", p.toks[p.pos:])
	}
	if e.Type().OID == types.OIDUnknown {
		e = p.cast(e, types.Text, true)
	}
	return e, nil
}

const opChars = "+-*/<>=~!@#%^&|`?"

func lex(s string) []string {
	var out []string
	for i := 0; i < len(s); {
		c := s[i]
		switch {
		case c == ' ' || c == '\n' || c == '\t':
			i++
		case c == '\'' || (c == 'E' || c == 'e') && i+1 < len(s) && s[i+1] == '\'':
			esc := c != '\''
			j := i + 1
			if esc {
				j++
			}
			var b strings.Builder
			for j < len(s) {
				if esc && s[j] == '\\' {
					m := map[byte]byte{'n': '\n', 't': '\t', 'r': '\r'}
					if r, ok := m[s[j+1]]; ok {
						b.WriteByte(r)
					} else {
						b.WriteByte(s[j+1])
					}
					j += 2
					continue
				}
				if s[j] == '\'' {
					if j+1 < len(s) && s[j+1] == '\'' {
						b.WriteByte('\'')
						j += 2
						continue
					}
					break
				}
				b.WriteByte(s[j])
				j++
			}
			out = append(out, "'"+b.String())
			i = j + 1
		case unicode.IsDigit(rune(c)) || c == '.' && i+1 < len(s) && unicode.IsDigit(rune(s[i+1])):
			j := i
			for j < len(s) && (unicode.IsDigit(rune(s[j])) || s[j] == '.' || s[j] == 'e' || s[j] == 'E' || (s[j] == '-' || s[j] == '+') && (s[j-1] == 'e' || s[j-1] == 'E')) {
				j++
			}
			out = append(out, s[i:j])
			i = j
		case c == '_' || unicode.IsLetter(rune(c)):
			j := i
			for j < len(s) && (s[j] == '_' || unicode.IsLetter(rune(s[j])) || unicode.IsDigit(rune(s[j]))) {
				j++
			}
			out = append(out, strings.ToLower(s[i:j]))
			i = j
		case strings.HasPrefix(s[i:], "::"):
			out = append(out, "::")
			i += 2
		case strings.IndexByte(opChars, c) >= 0:
			j := i
			for j < len(s) && strings.IndexByte(opChars, s[j]) >= 0 {
				j++
			}
			// A + or - ends an operator unless it holds one of ~!@#%^&|`?.
			for j > i+1 && (s[j-1] == '+' || s[j-1] == '-') && !strings.ContainsAny(s[i:j], "~!@#%^&|`?") {
				j--
			}
			out = append(out, s[i:j])
			i = j
		default:
			out = append(out, string(c))
			i++
		}
	}
	return out
}

func (p *reader) peek() string {
	if p.pos < len(p.toks) {
		return p.toks[p.pos]
	}
	return ""
}

func (p *reader) peek2() string {
	if p.pos+1 < len(p.toks) {
		return p.toks[p.pos+1]
	}
	return ""
}

func (p *reader) next() string {
	t := p.peek()
	p.pos++
	return t
}

func (p *reader) is(t string) bool {
	if p.peek() == t {
		p.pos++
		return true
	}
	return false
}

func (p *reader) want(t string) {
	if !p.is(t) {
		panic(fmt.Errorf("%q instead of %q", p.peek(), t))
	}
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}

func (p *reader) cast(e Expr, t types.Type, explicit bool) Expr {
	if c, ok := e.(*Const); ok && t.Mod != -1 && c.T.OID == types.OIDUnknown {
		e = p.cast(e, types.Type{OID: t.OID, Mod: -1}, explicit)
	}
	out, err := CastTo(e, t, explicit, 0, nil)
	check(err)
	return out
}

func (p *reader) call(name string, op bool, args ...Expr) Expr {
	c, err := NewCall(name, op, args, 0, nil)
	check(err)
	return c
}

func (p *reader) common(context string, es []Expr) ([]Expr, types.Type) {
	var ts []types.Type
	for _, e := range es {
		ts = append(ts, e.Type())
	}
	t, err := CommonType(context, ts...)
	check(err)
	out := make([]Expr, len(es))
	for i, e := range es {
		out[i] = p.cast(e, t, false)
	}
	return out, t
}

// Binding powers, weakest first.
const (
	bpOr = iota + 1
	bpAnd
	bpNot
	bpIs
	bpCmp
	bpLike
	bpOp
	bpAdd
	bpMul
	bpPow
	bpZone
	bpNeg
	bpSub
	bpCast
)

func (p *reader) expr(bound int) Expr {
	l := p.prefix()
	for {
		bp, ok := p.infixPower()
		if !ok || bp <= bound {
			return l
		}
		l = p.infix(l, bp)
	}
}

func (p *reader) infixPower() (int, bool) {
	t := p.peek()
	switch t {
	case "or":
		return bpOr, true
	case "and":
		return bpAnd, true
	case "is":
		return bpIs, true
	case "=", "<", ">", "<=", ">=", "<>", "!=":
		return bpCmp, true
	case "like", "ilike", "between", "in", "similar":
		return bpLike, true
	case "not":
		return bpLike, true
	case "+", "-":
		return bpAdd, true
	case "*", "/", "%":
		return bpMul, true
	case "^":
		return bpPow, true
	case "at":
		return bpZone, true
	case "[":
		return bpSub, true
	case "::":
		return bpCast, true
	}
	if t != "" && strings.IndexByte(opChars, t[0]) >= 0 {
		return bpOp, true
	}
	return 0, false
}

func (p *reader) bool(e Expr) Expr { return p.cast(e, types.Bool, false) }

func (p *reader) infix(l Expr, bp int) Expr {
	t := p.next()
	switch t {
	case "or":
		return &Or{[]Expr{p.bool(l), p.bool(p.expr(bp))}}
	case "and":
		return &And{[]Expr{p.bool(l), p.bool(p.expr(bp))}}
	case "is":
		neg := p.is("not")
		switch w := p.next(); w {
		case "null":
			return &IsNull{l, neg}
		case "unknown":
			return &IsNull{p.bool(l), neg}
		case "true", "false":
			return p.call("is"+map[bool]string{true: "not"}[neg]+w, false, l)
		case "distinct":
			p.want("from")
			args, _ := p.common("IS DISTINCT FROM", []Expr{l, p.expr(bp)})
			return &IsDistinct{args[0], args[1], neg}
		}
	case "not", "like", "ilike", "between", "in", "similar":
		return p.predicate(l, t)
	case "at":
		p.want("time")
		p.want("zone")
		return p.call("timezone", false, p.expr(bp), l)
	case "[":
		i := p.expr(0)
		name, args := "array_get", []Expr{l, i}
		if p.is(":") {
			name, args = "array_slice", append(args, p.expr(0))
		}
		p.want("]")
		return p.call(name, false, args...)
	case "::":
		return p.cast(l, p.typeName(), true)
	case "!=":
		t = "<>"
	}
	if q := p.peek(); q == "any" || q == "all" {
		return p.quantified(l, t)
	}
	return p.call(t, true, l, p.expr(bp))
}

func (p *reader) quantified(l Expr, op string) Expr {
	all := p.next() == "all"
	p.want("(")
	arr := p.expr(0)
	p.want(")")
	return p.call(AnyName(op, all), false, l, arr)
}

func (p *reader) predicate(l Expr, t string) Expr {
	neg := t == "not"
	if neg {
		t = p.next()
	}
	var e Expr
	switch t {
	case "like", "ilike":
		op := map[string]string{"like": "~~", "ilike": "~~*"}[t]
		if neg {
			op = "!" + op
		}
		if q := p.peek(); q == "any" || q == "all" {
			return p.quantified(l, op)
		}
		pat := p.expr(bpLike)
		if p.is("escape") {
			pat = p.call("like_escape", false, pat, p.expr(bpLike))
		}
		return p.call(op, true, l, pat)
	case "similar":
		p.want("to")
		args := []Expr{p.expr(bpLike)}
		if p.is("escape") {
			args = append(args, p.expr(bpLike))
		}
		e = p.call("~", true, l, p.call("similar_to_escape", false, args...))
	case "between":
		lo := p.expr(bpLike)
		p.want("and")
		hi := p.expr(bpLike)
		e = &And{[]Expr{p.call(">=", true, l, lo), p.call("<=", true, l, hi)}}
	case "in":
		p.want("(")
		list := append([]Expr{l}, p.list(")")...)
		list, _ = p.common("IN", list)
		if slices.ContainsFunc(list[1:], func(c Expr) bool { _, err := EvalConst(c, testEnv); return err != nil }) {
			or := &Or{}
			for _, c := range list[1:] {
				or.Args = append(or.Args, p.call("=", true, list[0], c))
			}
			if neg {
				return &Not{or}
			}
			return or
		}
		in := &InList{Arg: list[0], Negate: neg}
		for _, c := range list[1:] {
			d, err := EvalConst(c, nil)
			check(err)
			in.List = append(in.List, Const{Value: d, T: c.Type()})
		}
		return in
	}
	if neg {
		return &Not{e}
	}
	return e
}

func (p *reader) list(end string) []Expr {
	var out []Expr
	for !p.is(end) {
		out = append(out, p.expr(0))
		if !p.is(",") {
			p.want(end)
			break
		}
	}
	return out
}

func (p *reader) prefix() Expr {
	t := p.next()
	switch {
	case t == "":
		panic(errors.New("unexpected end"))
	case t == "(":
		e := p.expr(0)
		p.want(")")
		return e
	case t[0] == '\'':
		return &Const{Value: types.StringDatum(t[1:]), T: types.Unknown}
	case t[0] >= '0' && t[0] <= '9' || t[0] == '.':
		return number(t)
	case t == "-" && p.pos < len(p.toks) && p.peek()[0] >= '0' && p.peek()[0] <= '9' && p.peek2() != "^" && p.peek2() != "::":
		return number("-" + p.next())
	case t == "not":
		return &Not{p.bool(p.expr(bpNot))}
	case t == "-" || t == "+":
		return p.call(t, true, p.expr(bpNeg))
	case strings.IndexByte(opChars, t[0]) >= 0:
		return p.call(t, true, p.expr(bpOp))
	}
	return p.word(t)
}

func number(t string) Expr {
	if v, err := strconv.ParseInt(t, 10, 64); err == nil {
		if int64(int32(v)) == v {
			return &Const{Value: types.IntDatum(v), T: types.Int4}
		}
		return &Const{Value: types.IntDatum(v), T: types.Int8}
	}
	d, err := types.ParseDecimal(t)
	check(err)
	return &Const{Value: types.DecimalDatum(d), T: types.Numeric}
}

var typeWords = map[string]string{
	"integer": "int4", "int": "int4", "bigint": "int8", "smallint": "int2", "boolean": "bool", "real": "float4",
	"decimal": "numeric", "character": "bpchar", "string": "text",
}

func (p *reader) typeName() types.Type {
	w := p.next()
	if w == `"` {
		w = p.next()
		p.want(`"`)
	}
	if s, ok := typeWords[w]; ok {
		w = s
	}
	if w == "double" {
		p.want("precision")
		w = "float8"
	}
	if w == "char" {
		w = "bpchar"
		if p.peek() != "(" {
			return types.Type{OID: types.OIDBpchar, Mod: 5}
		}
	}
	t := types.Type{OID: shortNames[w], Mod: -1}
	if t.OID == 0 {
		panic(pgerror.New(pgerror.UndefinedObject, "type %q does not exist", w))
	}
	if p.is("(") {
		var mods []int32
		for !p.is(")") {
			v, _ := strconv.Atoi(p.next())
			mods = append(mods, int32(v))
			p.is(",")
		}
		switch t.OID {
		case types.OIDNumeric:
			t.Mod = mods[0]<<16 + 4
			if len(mods) == 2 {
				t.Mod += mods[1]
			}
		case types.OIDVarchar, types.OIDBpchar:
			t.Mod = mods[0] + 4
		default:
			t.Mod = mods[0]
		}
	}
	if (w == "timestamp" || w == "time") && (p.peek() == "with" || p.peek() == "without") {
		if p.next() == "with" {
			t.OID = types.OIDTimestamptz
		}
		p.want("time")
		p.want("zone")
	}
	if p.is("[") {
		p.want("]")
		t, _ = t.Array()
	}
	return t
}

func (p *reader) word(t string) Expr {
	if c, ok := p.cols[t]; ok {
		return c
	}
	switch t {
	case "null":
		return &Const{Value: types.NullDatum, T: types.Unknown}
	case "true", "false":
		return &Const{Value: types.BoolDatum(t == "true"), T: types.Bool}
	case "case":
		return p.caseExpr()
	case "array":
		p.want("[")
		args, et := p.common("ARRAY", p.list("]"))
		at, _ := et.Array()
		return &ArrayOf{args, at}
	case "current_date", "current_timestamp", "localtimestamp", "current_user":
		return p.call(t, false)
	case "cast":
		p.want("(")
		e := p.expr(0)
		p.want("as")
		typ := p.typeName()
		p.want(")")
		return p.cast(e, typ, true)
	}
	_, isType := shortNames[t]
	_, isWord := typeWords[t]
	if (isType || isWord || t == "double") && (p.peek() != "(" || t == "char" || t == "numeric" && false) {
		p.pos--
		typ := p.typeName()
		s := p.next()
		if s == "" || s[0] != '\'' {
			panic(errors.New("no literal after type"))
		}
		return p.cast(&Const{Value: types.StringDatum(s[1:]), T: types.Unknown}, typ, true)
	}
	if p.peek() != "(" {
		panic(pgerror.New(pgerror.UndefinedColumn, "column %q does not exist", t))
	}
	p.next()
	return p.function(t)
}

func (p *reader) function(name string) Expr {
	text := func(s string) Expr { return &Const{Value: types.StringDatum(s), T: types.Text} }
	switch name {
	case "coalesce":
		args, t := p.common("COALESCE", p.list(")"))
		return &Coalesce{args, t}
	case "extract":
		if p.peek2() == "from" {
			f := strings.TrimPrefix(p.next(), "'")
			p.want("from")
			e := p.expr(0)
			p.want(")")
			return p.call("extract", false, text(f), e)
		}
	case "position":
		a := p.expr(bpLike)
		p.want("in")
		b := p.expr(0)
		p.want(")")
		return p.call("position", false, b, a)
	case "trim":
		return p.trim()
	case "substring", "overlay":
		args := []Expr{p.expr(bpLike)}
		for !p.is(")") {
			switch w := p.next(); w {
			case ",", "from", "for", "placing", "similar", "escape":
				args = append(args, p.expr(0))
			default:
				panic(fmt.Errorf("unexpected %q", w))
			}
		}
		return p.call(name, false, args...)
	}
	return p.call(name, false, p.list(")")...)
}

func (p *reader) trim() Expr {
	fn := "btrim"
	switch p.peek() {
	case "leading":
		fn = "ltrim"
		p.next()
	case "trailing":
		fn = "rtrim"
		p.next()
	case "both":
		p.next()
	}
	var args []Expr
	if p.peek() != "from" {
		args = append(args, p.expr(0))
	}
	if p.is("from") {
		args = append([]Expr{p.expr(0)}, args...)
	}
	for p.is(",") {
		args = append(args, p.expr(0))
	}
	p.want(")")
	return p.call(fn, false, args...)
}

func (p *reader) caseExpr() Expr {
	var arg Expr
	if p.peek() != "when" {
		arg = p.expr(0)
	}
	var conds, results []Expr
	for p.is("when") {
		c := p.expr(0)
		if arg != nil {
			c = p.call("=", true, arg, c)
		}
		p.want("then")
		conds, results = append(conds, p.bool(c)), append(results, p.expr(0))
	}
	hasElse := p.is("else")
	if hasElse {
		results = append([]Expr{p.expr(0)}, results...) // PostgreSQL looks at ELSE first
	}
	p.want("end")
	results, t := p.common("CASE", results)
	out := &Case{T: t}
	if hasElse {
		out.Else, results = results[0], results[1:]
	}
	for i, c := range conds {
		out.Whens = append(out.Whens, When{c, results[i]})
	}
	return out
}
