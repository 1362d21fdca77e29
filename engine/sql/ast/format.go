package ast

import (
	"strconv"
	"strings"
)

// String returns a statement, query, expression, FROM item or type as SQL
// text in normal form: no line breaks but those in constants, keywords in upper case, names quoted only
// where they must be, parentheses only where they are needed, all spellings
// of a clause brought into one. Parsing the text gives the same tree but for
// positions. A nil node gives "".
func String(n Node) string {
	var p printer
	p.node(n)
	return p.b.String()
}

// String returns the name as SQL text, quoted where it must be.
func (n Name) String() string {
	parts := make([]string, len(n.Parts))
	for i, s := range n.Parts {
		parts[i] = QuoteIdent(s)
	}
	return strings.Join(parts, ".")
}

// String returns the type as SQL text.
func (t *TypeName) String() string {
	var p printer
	p.typeName(t)
	return p.b.String()
}

// printer collects the text. Words are written with the blanks they need.
type printer struct {
	b strings.Builder
}

func (p *printer) node(n Node) {
	switch n := n.(type) {
	case nil:
	case Statement:
		p.stmt(n)
	case SelectBody:
		p.body(n)
	case TableRef:
		p.tableRef(n)
	case Expr:
		p.expr(n)
	case *TypeName:
		p.typeName(n)
	case Name:
		p.w(n.String())
	case *Window:
		p.window(n)
	case SelectItem:
		p.item(n)
	case OrderItem:
		p.orderItem(n)
	case *WindowSpec:
		p.windowSpec(n)
	}
}

// w writes the parts as they are.
func (p *printer) w(parts ...string) {
	for _, s := range parts {
		p.b.WriteString(s)
	}
}

// when writes s if cond holds.
func (p *printer) when(cond bool, s string) {
	if cond {
		p.b.WriteString(s)
	}
}

func (p *printer) id(s string) { p.w(QuoteIdent(s)) }

func (p *printer) lit(s string) { p.w(QuoteLiteral(s)) }

// list writes n things with commas between them.
func (p *printer) list(n int, f func(i int)) {
	for i := range n {
		if i > 0 {
			p.w(", ")
		}
		f(i)
	}
}

// parens writes a list in parentheses.
func (p *printer) parens(n int, f func(i int)) {
	p.w("(")
	p.list(n, f)
	p.w(")")
}

func (p *printer) strs(ids []string) { p.parens(len(ids), func(i int) { p.id(ids[i]) }) }

func (p *printer) ids(ids []Ident) { p.parens(len(ids), func(i int) { p.id(ids[i].Name) }) }

func (p *printer) exprs(xs []Expr) { p.list(len(xs), func(i int) { p.expr(xs[i]) }) }

func (p *printer) names(ns []Name) { p.list(len(ns), func(i int) { p.w(ns[i].String()) }) }

// typeNames maps catalog names to the words of SQL.
var typeNames = map[string]string{
	"int2": "smallint", "int4": "integer", "int8": "bigint", "float4": "real", "float8": "double precision", "bool": "boolean",
	"numeric": "numeric", "bpchar": "character", "varchar": "character varying", "bit": "bit", "varbit": "bit varying",
	"interval": "interval", "time": "time", "timestamp": "timestamp", "timetz": "time", "timestamptz": "timestamp",
}

func (p *printer) typeName(t *TypeName) {
	p.when(t.SetOf, "SETOF ")
	word := ""
	if len(t.Name.Parts) == 2 && t.Name.Parts[0] == "pg_catalog" {
		word = typeNames[t.Name.Parts[1]]
		// Without a length these words would mean length 1.
		if len(t.Mods) == 0 && (t.Name.Parts[1] == "bpchar" || t.Name.Parts[1] == "bit") {
			word = ""
		}
	}
	switch {
	case len(t.Args) > 0:
		p.composed(t)
	case word == "":
		p.w(t.Name.String())
		p.mods(t.Mods)
		p.when(t.Percent, "%TYPE")
	case word == "interval":
		p.w(word)
		p.fields(t.Fields, t.Mods)
	default:
		p.w(word)
		p.mods(t.Mods)
		p.when(strings.HasSuffix(t.Name.Last(), "tz"), " with time zone")
	}
	for _, b := range t.Bounds {
		p.w("[")
		p.when(b >= 0, strconv.Itoa(b))
		p.w("]")
	}
}

func (p *printer) composed(t *TypeName) {
	p.w(strings.ToUpper(t.Name.Last()), "<")
	p.list(len(t.Args), func(i int) {
		if t.Args[i].Name != "" {
			p.id(t.Args[i].Name)
			p.w(" ")
		}
		p.typeName(t.Args[i].Type)
	})
	p.w(">")
}

func (p *printer) mods(mods []Expr) {
	if len(mods) > 0 {
		p.w("(")
		p.exprs(mods)
		p.w(")")
	}
}

// fields writes an interval's fields with its precision, which is a modifier.
func (p *printer) fields(f IntervalFields, mods []Expr) {
	if f != FieldsNone {
		p.w(" ", string(f))
	}
	p.mods(mods)
}

// options writes an option list; equals puts = before the values.
func (p *printer) options(opts []Option, equals bool) {
	p.parens(len(opts), func(i int) {
		o := opts[i]
		p.w(optionName(o.Name))
		if o.Kind == ValueNone {
			return
		}
		if equals {
			p.w(" = ")
		} else {
			p.w(" ")
		}
		p.optionValue(o)
	})
}

// withOptions writes WITH (…) if there are options.
func (p *printer) withOptions(opts []Option) {
	if opts != nil {
		p.w(" WITH ")
		p.options(opts, true)
	}
}

func optionName(name string) string {
	for part := range strings.SplitSeq(name, ".") {
		if !plainWord(part) {
			return QuoteLiteral(name)
		}
	}
	return name
}

func (p *printer) optionValue(o Option) {
	switch o.Kind {
	case ValueString:
		p.lit(o.Value)
	case ValueNumber:
		p.w(o.Value)
	case ValueWord:
		p.w(word(o.Value))
	case ValueList:
		if len(o.Items) == 1 && o.Items[0] == "*" {
			p.w("*")
			return
		}
		p.parens(len(o.Items), func(i int) { p.lit(o.Items[i]) })
	default:
	}
}

// word writes a bare word, in double quotes where it would not come back.
func word(s string) string {
	for part := range strings.SplitSeq(s, ".") {
		if !plainWord(part) {
			return `"` + strings.ReplaceAll(s, `"`, `""`) + `"`
		}
	}
	return s
}
