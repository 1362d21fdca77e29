package deparse

import (
	"slices"
	"strings"

	"velostream/catalog"
	"velostream/catalog/types"
	"velostream/engine/sql/ast"
	"velostream/engine/sql/expr"
)

func (d *deparser) binary(e *ast.Binary) *node {
	l, lok := e.L.(*ast.Row)
	r, rok := e.R.(*ast.Row)
	if lok && rok && len(l.Items) == len(r.Items) && len(l.Items) > 1 {
		return d.rows(e.Op.Symbol, l, r)
	}
	return d.operator(e.Op.Symbol, d.natural(e), d.expr(e.L), d.expr(e.R))
}

// rows compares rows: = and <> are comparisons of the columns.
func (d *deparser) rows(op string, l, r *ast.Row) *node {
	word := map[string]string{"=": "AND", "<>": "OR"}[op]
	n := &node{kind: kLogic, t: types.Bool, text: word}
	lr, rr := &node{kind: kRow}, &node{kind: kRow}
	for i := range l.Items {
		c := d.operator(op, types.Bool, d.expr(l.Items[i]), d.expr(r.Items[i]))
		n.args = append(n.args, c)
		lr.args, rr.args = append(lr.args, c.args[0]), append(rr.args, c.args[1])
	}
	if word == "" {
		return &node{kind: kOp, t: types.Bool, text: op, args: []*node{lr, rr}}
	}
	return n
}

// operator is an operation over args, brought to the types that PostgreSQL's operator
// takes.
func (d *deparser) operator(op string, t types.Type, args ...*node) *node {
	n := &node{kind: kOp, t: t, text: op, args: slices.Clone(args)}
	ts := typesOf(args)
	if len(args) == 2 && crossOperator(op, ts[0], ts[1]) {
		for i, a := range args {
			n.args[i] = d.base0(a)
		}
		return n
	}
	_, want, err := expr.Resolve(op, true, ts)
	if err != nil {
		n.args = d.known(n.args)
		return n
	}
	for i, a := range args {
		if a.kind == kRow {
			continue
		}
		w := want[i]
		w.Mod = -1
		if op == "||" && isText(want[1-i]) && !isText(a.t) && a.t.OID != types.OIDUnknown && a.t.OID != types.OIDBpchar {
			w = types.Type{OID: a.t.OID, Mod: -1} // text || anything
		}
		n.args[i] = d.coerce(a, w, true)
	}
	return n
}

// base0 shows the conversion of a domain's value to its base type.
func (d *deparser) base0(n *node) *node {
	if n.domain == 0 {
		return n
	}
	return d.coerce(n, types.Type{OID: n.t.OID, Mod: -1}, true)
}

func typesOf(args []*node) []types.Type {
	out := make([]types.Type, len(args))
	for i, a := range args {
		out[i] = a.t
	}
	return out
}

func isText(t types.Type) bool { return t.OID == types.OIDText || t.OID == types.OIDVarchar }

// crossOperator reports that PostgreSQL has op for l and r as they are, though they differ.
func crossOperator(op string, l, r types.Type) bool {
	family := func(t types.Type) int {
		switch t.OID {
		case types.OIDInt2, types.OIDInt4, types.OIDInt8:
			return 1
		case types.OIDFloat4, types.OIDFloat8:
			return 2
		case types.OIDDate, types.OIDTimestamp, types.OIDTimestamptz:
			return 3
		default:
			return 0
		}
	}
	f := family(l)
	if f == 0 || f != family(r) {
		return false
	}
	if slices.Contains([]string{"=", "<>", "<", "<=", ">", ">="}, op) {
		return true
	}
	return f < 3 && slices.Contains([]string{"+", "-", "*", "/"}, op)
}

func (d *deparser) funcCall(e *ast.FuncCall) *node {
	t := d.natural(e)
	args := d.exprs(e.Args)
	if e.Form != ast.FormCall {
		return d.special(e, args, t)
	}
	n := &node{kind: kCall, t: t, text: d.functionName(e)}
	n.args = d.arguments(e, args)
	if e.Star || e.Distinct || e.Variadic || len(e.OrderBy) > 0 || len(e.WithinGroup) > 0 || e.Filter != nil || e.Over != nil {
		n.call = &callParts{star: e.Star, distinct: e.Distinct, variadic: e.Variadic, order: e.OrderBy, within: e.WithinGroup, over: e.Over, float: e.Name.Last() == "percentile_cont"}
		if e.Filter != nil {
			n.call.filter = d.boolean(e.Filter)
		}
	}
	return n
}

func (d *deparser) functionName(e *ast.FuncCall) string {
	if f := d.trace.Functions[e]; f != nil {
		return d.Names.FunctionName(f.ID)
	}
	return quote(e.Name.Last())
}

// asGiven are the functions and aggregates whose arguments PostgreSQL takes as they
// are: of any type, or there is one for each.
var asGiven = func() map[string]bool {
	m := map[string]bool{}
	for w := range strings.FieldsSeq(`count sum avg min max stddev stddev_pop stddev_samp variance var_pop var_samp bit_and bit_or
		bool_and bool_or every array_agg json_agg jsonb_agg json_object_agg jsonb_object_agg concat concat_ws format
		json_build_object jsonb_build_object json_build_array jsonb_build_array num_nulls num_nonnulls to_json to_jsonb
		row_to_json lag lead first_value last_value nth_value array_append array_prepend array_cat array_remove array_replace
		array_position array_positions array_length cardinality unnest pg_typeof quote_literal quote_nullable`) {
		m[w] = true
	}
	return m
}()

// arguments brings the arguments of a call to the types that the function takes.
func (d *deparser) arguments(e *ast.FuncCall, args []*node) []*node {
	if f := d.trace.Functions[e]; f != nil {
		return d.userArguments(f, args)
	}
	name := e.Name.Last()
	ts := typesOf(args)
	var want []types.Type
	var err error
	if expr.IsAggregate(name) {
		_, want, err = expr.ResolveAggregate(name, ts)
	} else {
		_, want, err = expr.Resolve(name, false, ts)
	}
	if strings.HasPrefix(name, "percentile_") && len(args) == 1 {
		return []*node{d.coerce(args[0], fraction(args[0].t), true)}
	}
	if err != nil || len(want) != len(args) {
		return d.known(args)
	}
	for i, a := range args {
		w := want[i]
		w.Mod = -1
		if first, ok := anyFrom[name]; ok && i >= first && a.t.OID == types.OIDUnknown {
			continue
		}
		if asGiven[name] && a.t.OID != types.OIDUnknown && (!isText(a.t) || !isText(w)) {
			args[i] = d.base0(a)
			continue
		}
		args[i] = d.coerce(a, w, true)
	}
	if _, ok := anyFrom[name]; ok {
		return args
	}
	return d.known(args)
}

// anyFrom are the functions that take arguments of any type from that one on: constants
// among them have none.
var anyFrom = map[string]int{
	"concat": 0, "concat_ws": 1, "format": 1, "count": 0, "num_nulls": 0, "num_nonnulls": 0, "pg_typeof": 0,
	"json_build_object": 0, "jsonb_build_object": 0, "json_build_array": 0, "jsonb_build_array": 0,
}

// fraction is the type of the fractions that percentile_cont takes for an argument of type t.
func fraction(t types.Type) types.Type {
	if _, array := t.Elem(); array {
		arr, _ := types.Float8.Array()
		return arr
	}
	return types.Float8
}

func (d *deparser) userArguments(f *catalog.Function, args []*node) []*node {
	for i, a := range args {
		if i < len(f.Args) {
			args[i] = d.coerce(a, f.Args[i], true)
		}
	}
	return args
}

// special is a function in a syntax of its own.
func (d *deparser) special(e *ast.FuncCall, args []*node, t types.Type) *node {
	name := e.Name.Last()
	if e.Form == ast.FormKeyword {
		return d.construct(strings.ToUpper(name), args, t)
	}
	if e.Form != ast.FormExtract && e.Form != ast.FormOverlaps {
		args = d.arguments(e, args)
	}
	n := &node{kind: kSQL, t: t, args: args}
	switch e.Form {
	case ast.FormExtract:
		n.parts = []string{"EXTRACT(" + args[0].text + " FROM ", ")"}
		n.args = args[1:]
		if n.args[0].t.OID == types.OIDUnknown {
			n.args = d.known(n.args)
		}
	case ast.FormAtTimeZone:
		n.parts, n.force = []string{"(", " AT TIME ZONE ", ")"}, true
		n.args = []*node{args[1], args[0]}
	case ast.FormPosition:
		n.parts = []string{"POSITION((", ") IN (", "))"}
		n.args = []*node{args[1], args[0]}
	case ast.FormSubstring:
		n.parts = []string{"SUBSTRING(", " FROM ", ")"}
		if len(args) == 3 {
			n.parts = []string{"SUBSTRING(", " FROM ", " FOR ", ")"}
		}
	case ast.FormSimilar:
		n.parts = []string{"SUBSTRING(", " SIMILAR ", " ESCAPE ", ")"}
	case ast.FormOverlay:
		n.parts = []string{"OVERLAY(", " PLACING ", " FROM ", ")"}
		if len(args) == 4 {
			n.parts = []string{"OVERLAY(", " PLACING ", " FROM ", " FOR ", ")"}
		}
	case ast.FormTrim:
		word := map[string]string{"btrim": "BOTH", "ltrim": "LEADING", "rtrim": "TRAILING"}[name]
		n.parts = []string{"TRIM(" + word + " FROM ", ")"}
		if len(args) == 2 {
			n.parts = []string{"TRIM(" + word + " ", " FROM ", ")"}
			n.args = []*node{args[1], args[0]}
		}
	case ast.FormOverlaps:
		n.parts = []string{"((", ", ", ") OVERLAPS (", ", ", "))"}
	case ast.FormNormalize:
		n.parts = []string{"NORMALIZE(", ")"}
		if len(args) == 2 {
			n.parts[1], n.args = ", "+args[1].text+")", args[:1]
		}
	case ast.FormNormalized:
		n.parts, n.force = []string{"(", " IS NORMALIZED)"}, true
		if len(args) == 2 {
			n.parts[1], n.args = " IS "+args[1].text+" NORMALIZED)", args[:1]
		}
	case ast.FormCollation:
		n.parts = []string{"COLLATION FOR (", ")"}
	default:
		return d.cannot(e)
	}
	return n
}

// construct is COALESCE and its like.
func (d *deparser) construct(name string, args []*node, t types.Type) *node {
	if name == "NULLIF" {
		args = d.operator("=", types.Bool, args...).args
	} else if name != "GROUPING" {
		t.Mod = -1
		for i, a := range args {
			args[i] = d.coerce(a, t, true)
		}
	}
	return &node{kind: kCall, t: t, text: name, args: args, construct: true}
}

// domainOf is the name of the domain that t names, "" if it is none.
func (d *deparser) domainOf(t *ast.TypeName) string {
	if u := d.trace.Domains[t]; u != nil {
		return d.Names.TypeName(u.Type())
	}
	return ""
}
