package expr

import (
	"slices"
	"strings"
	"testing"

	"velostream/catalog/types"
)

// TestTables checks that the function tables are well-formed.
func TestTables(t *testing.T) {
	seen := make(map[string]bool)
	for _, f := range Functions() {
		sig := f.Signature()
		if f.Ret == 0 || slices.Contains(f.Args, 0) {
			t.Errorf("%s: unknown type", sig)
		}
		if (f.Kernel == nil) == (f.Scalar == nil) {
			t.Errorf("%s: exactly one of kernel and scalar", sig)
		}
		if f.Doc == "" {
			t.Errorf("%s: no doc", sig)
		}
		if seen[sig] {
			t.Errorf("%s: twice", sig)
		}
		seen[sig] = true
		if Lookup(f.Name, f.Args) != f {
			t.Errorf("%s: Lookup finds another", sig)
		}
	}
	for name, fs := range functions().aggregates {
		for _, f := range fs {
			if f.Ret == 0 || slices.Contains(f.Args, 0) {
				t.Errorf("aggregate %s: unknown type", f.Signature())
			}
			if HasFunction(name) && len(functions().byName[name]) > 0 {
				t.Errorf("aggregate %s is a function too", name)
			}
		}
	}
}

func TestResolveAggregate(t *testing.T) {
	num := types.Type{OID: types.OIDNumeric, Mod: 10<<16 + 6}
	tests := []struct {
		name string
		args []types.Type
		want string
	}{
		{"count", nil, "bigint"},
		{"count", []types.Type{types.Text}, "bigint"},
		{"sum", []types.Type{types.Int4}, "bigint"},
		{"sum", []types.Type{types.Int8}, "numeric"},
		{"sum", []types.Type{num}, "numeric"},
		{"sum", []types.Type{types.Float4}, "real"},
		{"avg", []types.Type{types.Int4}, "numeric"},
		{"avg", []types.Type{types.Float8}, "double precision"},
		{"min", []types.Type{num}, "numeric(10,2)"},
		{"max", []types.Type{types.Varchar}, "text"},
		{"min", []types.Type{types.Date}, "date"},
		{"stddev", []types.Type{types.Int4}, "numeric"},
		{"stddev_pop", []types.Type{types.Float8}, "double precision"},
		{"first_value", []types.Type{types.UUID}, "uuid"},
		{"string_agg", []types.Type{types.Text, types.Unknown}, "text"},
		{"array_agg", []types.Type{types.Int4}, "integer[]"},
		{"sum", []types.Type{types.Text}, "function sum(text) does not exist"},
		{"sum", []types.Type{types.Bool}, "function sum(boolean) does not exist"},
	}
	for _, tt := range tests {
		ret, _, err := ResolveAggregate(tt.name, tt.args)
		got := ret.String()
		if err != nil {
			got, _, _ = strings.Cut(err.Error(), " (SQLSTATE")
		}
		if got != tt.want {
			t.Errorf("%s%v: %s, want %s", tt.name, tt.args, got, tt.want)
		}
	}
}

func TestFold(t *testing.T) {
	cols := map[string]*Col{"x": {Index: 0, T: types.Int4, Name: "x"}, "b": {Index: 1, T: types.Bool, Name: "b"}}
	tests := []struct{ in, want string }{
		{"1 + 2 * 3", "7"},
		{"x + (1 + 2)", "(x + 3)"},
		{"1 / 0", "(1 / 0)"},
		{"b and true", "b"},
		{"b and false", "false"},
		{"b or true", "true"},
		{"b and null::bool and true", "(b AND NULL::boolean)"},
		{"case when true then x else 1 end", "x"},
		{"case when b then x when false then 2 else 1 end", "CASE WHEN b THEN x ELSE 1 END"},
		{"coalesce(null, x, 1)", "COALESCE(x, 1)"},
		{"coalesce(1, x)", "1"},
		{"x is null", "(x IS NULL)"},
		{"x in (1, 2)", "(x = ANY ('{1,2}'::integer[]))"},
		{"now() > timestamptz '2020-01-01 00:00+00'", "(now() > '2020-01-01 00:00:00+00'::timestamp with time zone)"},
		{"lower('ABC') = 'abc'", "true"},
		{"x::numeric(5,2)", "x::numeric(5,2)"},
		{"not b", "(NOT b)"},
	}
	for _, tt := range tests {
		e, err := parseExpr(tt.in, cols)
		if err != nil {
			t.Fatalf("%s: %v", tt.in, err)
		}
		if got := String(Fold(e)); got != tt.want {
			t.Errorf("Fold(%s) = %s, want %s", tt.in, got, tt.want)
		}
	}
}
