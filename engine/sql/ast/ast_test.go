package ast

import (
	"strings"
	"testing"
)

func TestCharPos(t *testing.T) {
	for _, c := range []struct {
		text   string
		offset int
		want   int
	}{
		{"abc", 0, 1}, {"abc", 2, 3}, {"abc", 3, 4}, {"abc", 99, 4}, {"äb", 2, 2}, {"äöü", 4, 3}, {"", 0, 1}, {"a", -1, 0},
	} {
		if got := CharPos(c.text, c.offset); got != c.want {
			t.Errorf("CharPos(%q, %d) = %d, want %d", c.text, c.offset, got, c.want)
		}
	}
}

func TestQuote(t *testing.T) {
	for in, want := range map[string]string{
		"a": "a", "a1$_": "a1$_", "_x": "_x", "1a": `"1a"`, "A": `"A"`, "select": `"select"`, "name": "name", "a b": `"a b"`, `a"b`: `"a""b"`,
		"int": `"int"`, "left": `"left"`, "tumble": `"tumble"`, "ä": `"ä"`, "": `""`, "$a": `"$a"`,
	} {
		if got := QuoteIdent(in); got != want {
			t.Errorf("QuoteIdent(%q) = %s, want %s", in, got, want)
		}
	}
	if got := QuoteLiteral(`it's a \`); got != `'it''s a \'` {
		t.Errorf("QuoteLiteral: %s", got)
	}
}

// TestParentheses prints trees that no text without parentheses gives.
func TestParentheses(t *testing.T) {
	a, b, c := &ColumnRef{Parts: []string{"a"}}, &ColumnRef{Parts: []string{"b"}}, &ColumnRef{Parts: []string{"c"}}
	op := func(l Expr, symbol string, r Expr) Expr { return &Binary{Op: Operator{Symbol: symbol}, L: l, R: r} }
	for _, tc := range []struct {
		x    Expr
		want string
	}{
		{op(op(a, "+", b), "*", c), "(a + b) * c"},
		{op(a, "-", op(b, "-", c)), "a - (b - c)"},
		{op(op(a, "-", b), "-", c), "a - b - c"},
		{op(op(a, "=", b), "=", c), "(a = b) = c"},
		{op(a, "||", op(b, "+", c)), "a || b + c"},
		{&Cast{X: op(a, "+", b), Type: &TypeName{Name: Name{Parts: []string{"pg_catalog", "int4"}}}, Style: CastColon}, "(a + b)::integer"},
		{&Not{X: &Logical{Args: []Expr{a, b}}}, "NOT (a AND b)"},
		{&Logical{Args: []Expr{&Logical{Or: true, Args: []Expr{a, b}}, c}}, "(a OR b) AND c"},
		{&Is{X: &Not{X: a}, Test: TestNull}, "(NOT a) IS NULL"},
		{&FieldSelect{X: a, Name: "f"}, "(a).f"},
		{&Subscript{X: op(a, "||", b), Lo: c}, "(a || b)[c]"},
		{&Between{X: a, Lo: &Logical{Args: []Expr{b, c}}, Hi: c}, "a BETWEEN (b AND c) AND c"},
		{&Unary{Op: Operator{Symbol: "-"}, X: op(a, "+", b)}, "- (a + b)"},
	} {
		if got := String(tc.x); got != tc.want {
			t.Errorf("got %s, want %s", got, tc.want)
		}
	}
}

func TestNil(t *testing.T) {
	if s := String(nil); s != "" {
		t.Errorf("nil prints as %q", s)
	}
	if n := (Name{Parts: []string{"d", "s", "t"}}); n.Last() != "t" || n.Schema() != "s" || n.Database() != "d" || !strings.Contains(n.String(), "d.s.t") {
		t.Errorf("parts of %v", n)
	}
}
