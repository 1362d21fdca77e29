package expr

import (
	"maps"
	"slices"
	"strings"

	"velostream/catalog/types"
)

// aggregateTable lists "name(args) ret".
var aggregateTable = []string{
	"count() int8", "count(any) int8", "count_distinct(any) int8", "approx_count_distinct(any) int8",
	"sum(int2) int8", "sum(int4) int8", "sum(int8) numeric", "sum(numeric) numeric", "sum(float4) float4",
	"sum(float8) float8", "sum(interval) interval",
	"avg(int2) numeric", "avg(int4) numeric", "avg(int8) numeric", "avg(numeric) numeric",
	"avg(float4) float8", "avg(float8) float8", "avg(interval) interval",
	"bool_and(bool) bool", "bool_or(bool) bool", "every(bool) bool",
	"bit_and(int2) int2", "bit_and(int4) int4", "bit_and(int8) int8",
	"bit_or(int2) int2", "bit_or(int4) int4", "bit_or(int8) int8",
	"bit_and(bit) bit", "bit_or(bit) bit", "bit_xor(bit) bit",
	"bit_xor(int2) int2", "bit_xor(int4) int4", "bit_xor(int8) int8",
	"first(anyelement) anyelement", "first_value(anyelement) anyelement",
	"last(anyelement) anyelement", "last_value(anyelement) anyelement",
	"string_agg(text,text) text", "string_agg(bytea,bytea) bytea",
	"listagg(text,text) text", "listagg(text) text", "group_concat(text,text) text", "group_concat(text) text",
	"array_agg(anynonarray) anyarray", "collect(anynonarray) anyarray", "array_agg(anyarray) anyarray",
	"json_agg(any) json", "jsonb_agg(any) jsonb", "json_object_agg(any,any) json", "jsonb_object_agg(any,any) jsonb",
	"median(float8) float8", "delta(numeric) numeric", "delta(float8) float8", "delta(int8) int8",
	"corr(float8,float8) float8", "covar_pop(float8,float8) float8", "covar_samp(float8,float8) float8",
	"regr_avgx(float8,float8) float8", "regr_avgy(float8,float8) float8", "regr_count(float8,float8) int8",
	"regr_intercept(float8,float8) float8", "regr_r2(float8,float8) float8", "regr_slope(float8,float8) float8",
	"regr_sxx(float8,float8) float8", "regr_sxy(float8,float8) float8", "regr_syy(float8,float8) float8",
}

// minMaxTypes are the types that min and max are declared for.
const minMaxTypes = "int2 int4 int8 oid float4 float8 numeric text bpchar date time timestamp timestamptz interval inet anyarray anyenum"

// buildAggregates makes the aggregates as functions without kernels, so that
// they resolve as functions do.
func buildAggregates() map[string][]*Function {
	m := make(map[string][]*Function)
	add := func(sig string) {
		f := parseSignature(sig)
		m[f.Name] = append(m[f.Name], &f)
	}
	for _, s := range aggregateTable {
		add(s)
	}
	for t := range strings.FieldsSeq(minMaxTypes) {
		add("min(" + t + ") " + t)
		add("max(" + t + ") " + t)
	}
	for _, n := range []string{"stddev", "stddev_samp", "stddev_pop", "variance", "var_samp", "var_pop"} {
		for _, t := range []string{"int2", "int4", "int8", "numeric"} {
			add(n + "(" + t + ") numeric")
		}
		add(n + "(float4) float8")
		add(n + "(float8) float8")
	}
	return m
}

// Aggregates lists all aggregates, by name. The functions have no kernels.
func Aggregates() []*Function {
	all := functions().aggregates
	var out []*Function
	for _, n := range slices.Sorted(maps.Keys(all)) {
		out = append(out, all[n]...)
	}
	return out
}

// IsAggregate reports whether name is an aggregate function.
func IsAggregate(name string) bool { return len(functions().aggregates[name]) > 0 }

// ResolveAggregate finds the aggregate that a call means; no args: name(*).
// It returns the result type and the types to cast the arguments to. min and
// max keep the modifier of their argument. Errors are those of Resolve; 42883
// also for a name that is no aggregate.
func ResolveAggregate(name string, args []types.Type) (ret types.Type, argTypes []types.Type, err error) {
	f, want, err := choose(functions().aggregates[name], name, false, args)
	if err != nil {
		return types.Type{}, nil, err
	}
	ret = f.ReturnType(want)
	keeps := []string{"min", "max", "first", "last", "first_value", "last_value"}
	if len(want) == 1 && want[0].OID == ret.OID && slices.Contains(keeps, name) {
		ret.Mod = want[0].Mod
	}
	return ret, want, nil
}
