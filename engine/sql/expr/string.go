package expr

import (
	"strconv"
	"strings"

	"velostream/catalog/types"
)

// String prints e as EXPLAIN shows it: operators in parentheses, literals with
// their type where it would not be guessed, casts with ::.
func String(e Expr) string {
	var b strings.Builder
	write(&b, e)
	return b.String()
}

func write(b *strings.Builder, e Expr) {
	switch e := e.(type) {
	case *Col:
		if e.Name == "" {
			b.WriteString("$col" + strconv.Itoa(e.Index))
			return
		}
		b.WriteString(QuoteIdent(e.Name))
	case *Const:
		writeConst(b, e)
	case *Param:
		b.WriteString("$" + strconv.Itoa(e.Number))
	case *Call:
		writeCall(b, e)
	case *Cast:
		if needsParens(e.Arg) {
			b.WriteByte('(')
			write(b, e.Arg)
			b.WriteByte(')')
		} else {
			write(b, e.Arg)
		}
		b.WriteString("::" + e.T.String())
	case *And:
		writeList(b, "(", e.Args, " AND ", ")")
	case *Or:
		writeList(b, "(", e.Args, " OR ", ")")
	case *Not:
		writeList(b, "(NOT ", []Expr{e.Arg}, "", ")")
	case *IsNull:
		if e.Negate {
			writeList(b, "(", []Expr{e.Arg}, "", " IS NOT NULL)")
		} else {
			writeList(b, "(", []Expr{e.Arg}, "", " IS NULL)")
		}
	case *IsDistinct:
		if e.Negate {
			writeList(b, "(NOT (", []Expr{e.L, e.R}, " IS DISTINCT FROM ", "))")
		} else {
			writeList(b, "(", []Expr{e.L, e.R}, " IS DISTINCT FROM ", ")")
		}
	case *Case:
		writeCase(b, e)
	case *Coalesce:
		writeList(b, "COALESCE(", e.Args, ", ", ")")
	case *InList:
		writeIn(b, e)
	case *ArrayOf:
		writeList(b, "ARRAY[", e.Args, ", ", "]")
	default:
		b.WriteString("?")
	}
}

// needsParens reports a form that a cast would not bind as a whole.
func needsParens(e Expr) bool {
	c, ok := e.(*Const)
	return ok && !c.Value.Null && c.T.Kind() != types.KindBytes && (c.Value.I < 0 || c.Value.F < 0 || c.Value.Dec.Sign() < 0)
}

func writeConst(b *strings.Builder, e *Const) {
	if e.Value.Null {
		b.WriteString("NULL::" + e.T.String())
		return
	}
	s := string(types.AppendText(nil, e.T, e.Value, nil))
	switch e.T.OID {
	case types.OIDBool:
		b.WriteString(map[bool]string{true: "true", false: "false"}[e.Value.Bool()])
	case types.OIDInt4:
		if e.Value.I >= 0 {
			b.WriteString(s)
			return
		}
		b.WriteString("'" + s + "'::integer")
	case types.OIDNumeric:
		if e.Value.Dec.IsFinite() && e.Value.Dec.Sign() >= 0 && strings.Contains(s, ".") && e.T.Mod == -1 {
			b.WriteString(s)
			return
		}
		b.WriteString("'" + s + "'::" + e.T.String())
	default:
		b.WriteString(QuoteLiteral(s) + "::" + e.T.String())
	}
}

func writeCall(b *strings.Builder, e *Call) {
	if fn := Lookup(e.Name, e.Sig); fn == nil || !fn.Operator {
		writeList(b, QuoteIdent(e.Name)+"(", e.Args, ", ", ")")
		return
	}
	if len(e.Args) == 1 {
		writeList(b, "("+e.Name+" ", e.Args, "", ")")
		return
	}
	writeList(b, "(", e.Args, " "+e.Name+" ", ")")
}

func writeCase(b *strings.Builder, e *Case) {
	b.WriteString("CASE")
	for _, w := range e.Whens {
		writeList(b, " WHEN ", []Expr{w.Cond, w.Then}, " THEN ", "")
	}
	if e.Else != nil {
		writeList(b, " ELSE ", []Expr{e.Else}, "", "")
	}
	b.WriteString(" END")
}

func writeIn(b *strings.Builder, e *InList) {
	b.WriteByte('(')
	write(b, e.Arg)
	if e.Negate {
		b.WriteString(" <> ALL ('{")
	} else {
		b.WriteString(" = ANY ('{")
	}
	for i := range e.List {
		if i > 0 {
			b.WriteByte(',')
		}
		if e.List[i].Value.Null {
			b.WriteString("NULL")
			continue
		}
		b.Write(types.AppendText(nil, e.List[i].T, e.List[i].Value, nil))
	}
	b.WriteString("}'::" + typeName(e.Arg.Type().OID) + "[]))")
}

func writeList(b *strings.Builder, open string, es []Expr, sep, end string) {
	b.WriteString(open)
	for i, a := range es {
		if i > 0 {
			b.WriteString(sep)
		}
		write(b, a)
	}
	b.WriteString(end)
}

// QuoteLiteral writes s as a string literal, quote_literal in PostgreSQL.
func QuoteLiteral(s string) string {
	q := "'" + strings.ReplaceAll(s, "'", "''") + "'"
	if strings.Contains(s, `\`) {
		return "E" + strings.ReplaceAll(q, `\`, `\\`)
	}
	return q
}

// QuoteIdent writes s as an identifier, quoted where it must be.
func QuoteIdent(s string) string {
	ok := s != "" && !reserved[s]
	for i := range len(s) {
		c := s[i]
		if (c < 'a' || c > 'z') && c != '_' && (i <= 0 || c < '0' || c > '9') {
			ok = false
		}
	}
	if ok {
		return s
	}
	return `"` + strings.ReplaceAll(s, `"`, `""`) + `"`
}

// reserved are PostgreSQL's keywords that quote_ident quotes: all but the
// unreserved ones (https://www.postgresql.org/docs/15/sql-keywords-appendix.html).
var reserved = wordSet(`all analyse analyze and any array as asc asymmetric authorization between bigint binary bit
	boolean both case cast char character check coalesce collate collation column concurrently constraint create
	cross current_catalog current_date current_role current_schema current_time current_timestamp current_user dec
	decimal default deferrable desc distinct do else end except exists extract false fetch float for foreign freeze
	from full grant greatest group grouping having ilike in initially inner inout int integer intersect interval into
	is isnull join lateral leading least left like limit localtime localtimestamp national natural nchar none
	normalize not notnull null nullif numeric offset on only or order out outer overlaps overlay placing position
	precision primary real references returning right row select session_user setof similar smallint some substring
	symmetric table tablesample then time timestamp to trailing treat trim true union unique user using values
	varchar variadic verbose when where window with xmlattributes xmlconcat xmlelement xmlexists xmlforest
	xmlnamespaces xmlparse xmlpi xmlroot xmlserialize xmltable`)

func wordSet(s string) map[string]bool {
	m := make(map[string]bool)
	for w := range strings.FieldsSeq(s) {
		m[w] = true
	}
	return m
}
