package parser

import (
	"strings"

	"velostream/engine/sql/ast"
)

// options parses a list of options in parentheses. With equals, as in
// WITH (…), a value stands behind =; without, as in COPY's and EXPLAIN's
// lists, right behind the name, = being allowed.
func (p *parser) options(equals bool) []ast.Option {
	p.expectOp("(")
	var out []ast.Option
	for p.err == nil {
		out = append(out, p.option(equals))
		if !p.acceptOp(",") {
			break
		}
	}
	if !p.isOp(")") && p.err == nil {
		missing := p.tok.kind == tString || p.tok.kind == tWord || p.tok.kind == tQuoted
		p.unexpected()
		if missing && p.err.Hint == "" {
			p.err.Hint = "A comma may be missing before it."
		}
	}
	p.expectOp(")")
	return out
}

// utilityOptions parses the options of EXPLAIN, VACUUM and ANALYZE, whose names are no reserved
// words but one.
func (p *parser) utilityOptions() []ast.Option {
	if first := p.peek(1); first.kind == tWord && first.cat == catReserved && !first.oneOf("analyze", "analyse") {
		p.next()
		p.unexpected()
		return nil
	}
	return p.options(false)
}

func (p *parser) option(equals bool) ast.Option {
	o := ast.Option{At: p.at(), Name: p.optionName()}
	o.ValuePos = int(o.At)
	if p.acceptOp("=") {
		p.optionValue(&o)
		return o
	}
	if !equals && !p.isOp(",") && !p.isOp(")") {
		if p.tok.kind == tWord && p.tok.cat == catReserved && !p.tok.oneOf("true", "false", "on", "default", "all") {
			p.unexpected()
		}
		p.optionValue(&o)
	}
	return o
}

// optionName takes a bare, dotted or quoted name, in lower case.
func (p *parser) optionName() string {
	if p.tok.kind == tString {
		// Only this piece: the next literal is the next option's name.
		name := strings.ToLower(p.tok.text)
		p.next()
		return name
	}
	first := p.label().Name
	if !p.isOp(".") && !p.isOp("-") {
		return strings.ToLower(first)
	}
	var b strings.Builder
	b.WriteString(first)
	for p.isOp(".") || p.isOp("-") {
		b.WriteString(p.tok.text)
		p.next()
		b.WriteString(p.label().Name)
	}
	return strings.ToLower(b.String())
}

// optionValue takes a value into o.
func (p *parser) optionValue(o *ast.Option) {
	o.ValuePos = int(p.tok.pos)
	switch {
	case p.tok.kind == tString && p.tok.cont:
		p.unexpected()
	case p.tok.kind == tString:
		o.Kind, o.Value = ast.ValueString, p.tok.text
		p.next()
	case p.tok.kind == tDuration:
		o.Kind, o.Value = ast.ValueNumber, p.tok.text
		p.next()
	case p.tok.kind == tInt, p.tok.kind == tNum, p.isOp("-"), p.isOp("+"):
		o.Kind, o.Value = ast.ValueNumber, p.number()
		if unit := p.tok; unit.kind == tWord && unitWords[unit.text] != "" {
			o.Value += " " + unit.text
			p.next()
		}
	case p.is("interval") && p.peek(1).kind == tString:
		p.next()
		at := p.at()
		x, _ := p.intervalFields(at, p.str(), -1).(*ast.Interval)
		o.Kind, o.Value = ast.ValueString, x.Text
		if x.Fields != ast.FieldsNone {
			o.Value += " " + strings.ToLower(string(x.Fields))
		}
	case p.isOp("*"):
		o.Kind, o.Items = ast.ValueList, []string{"*"}
		p.next()
	case p.isOp("("):
		o.Kind = ast.ValueList
		p.next()
		for p.err == nil {
			var item ast.Option
			p.optionValue(&item)
			o.Items = append(o.Items, item.Value)
			if !p.acceptOp(",") {
				break
			}
		}
		p.expectOp(")")
	default:
		o.Kind, o.Value = ast.ValueWord, p.label().Name
		for p.isOp(".") {
			p.next()
			o.Value += "." + p.label().Name
		}
	}
}
