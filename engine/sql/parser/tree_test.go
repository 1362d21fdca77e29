package parser

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"velostream/engine/sql/ast"
)

var rewrite = flag.Bool("rewrite", false, "write the trees into testdata/trees.txt")

// TestTrees compares trees with those of testdata/trees.txt. A case is a
// statement, or an expression behind "expr ", then => and the tree: a node is
// (Type field=value …) with its empty fields left out; in columns of names and
// the like, values stand alone.
func TestTrees(t *testing.T) {
	var out []string
	for _, c := range corpus(t, "trees.txt") {
		sql, want, _ := strings.Cut(c, "\n=> ")
		got := tree(sql)
		out = append(out, sql+"\n=> "+got)
		if got != want && !*rewrite {
			t.Errorf("%s\n got %s\nwant %s", sql, got, want)
		}
	}
	if *rewrite {
		text := strings.Join(out, "\n----\n") + "\n"
		if err := os.WriteFile(filepath.Join("testdata", "trees.txt"), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func tree(sql string) string {
	if text, ok := strings.CutPrefix(sql, "expr "); ok {
		x, err := ParseExpr(text)
		if err != nil {
			return err.Error()
		}
		return dump(reflect.ValueOf(x))
	}
	stmts, err := Parse(sql)
	if err != nil {
		return err.Error()
	}
	var parts []string
	for _, s := range stmts {
		line := dump(reflect.ValueOf(s.Stmt))
		for _, a := range s.Annotations {
			line = fmt.Sprintf("@%s:%s ", a.Name, a.Value) + line
		}
		parts = append(parts, line)
	}
	return strings.Join(parts, "\n   ")
}

// dump shows a node in short form.
func dump(v reflect.Value) string {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			return "nil"
		}
		return dump(v.Elem())
	case reflect.Slice:
		parts := make([]string, v.Len())
		for i := range parts {
			parts[i] = dump(v.Index(i))
		}
		return "[" + strings.Join(parts, " ") + "]"
	case reflect.Struct:
		return dumpStruct(v)
	default:
	}
	return fmt.Sprint(v.Interface())
}

func dumpStruct(v reflect.Value) string {
	switch x := v.Interface().(type) {
	case ast.Name:
		return x.Dotted()
	case ast.Ident:
		return x.Name
	case ast.Operator:
		return strings.TrimPrefix(x.Schema+"."+x.Symbol, ".")
	case ast.ColumnRef:
		if x.Star {
			return strings.Join(append(x.Parts, "*"), ".")
		}
		return strings.Join(x.Parts, ".")
	case ast.Literal:
		if x.Kind == ast.LitString {
			return "'" + x.Text + "'"
		}
		return x.Text
	}
	var b strings.Builder
	b.WriteString("(" + v.Type().Name())
	for i := range v.NumField() {
		f := v.Type().Field(i)
		if f.Anonymous || strings.HasSuffix(f.Name, "Pos") || v.Field(i).IsZero() {
			continue
		}
		if f.Name == "Precision" && v.Field(i).Int() == -1 {
			continue
		}
		if f.Type.Kind() == reflect.Bool {
			b.WriteString(" " + f.Name)
			continue
		}
		b.WriteString(" " + f.Name + "=" + dump(v.Field(i)))
	}
	b.WriteString(")")
	return b.String()
}

// TestPlaces checks that nodes are where PostgreSQL's messages point.
func TestPlaces(t *testing.T) {
	for _, c := range []struct {
		sql  string
		near string // the text that the first select item's position is at
	}{
		{"SELECT a + b", "+ b"},
		{"SELECT a = b", "= b"},
		{"SELECT a::int", "::int"},
		{"SELECT CAST(a AS int)", "CAST"},
		{"SELECT a AND b", "AND"},
		{"SELECT a IS NULL", "IS"},
		{"SELECT a IN (1)", "IN"},
		{"SELECT a NOT LIKE b", "NOT"},
		{"SELECT s.t.a", "s.t.a"},
		{"SELECT f(a)", "f(a)"},
		{"SELECT 'ä', 'ö' || b", "'ä'"},
		{"SELECT date '2020-01-01'", "date"},
	} {
		stmts, err := Parse(c.sql)
		if err != nil {
			t.Fatal(err)
		}
		q, _ := stmts[0].Stmt.(*ast.Query)
		s, _ := q.Body.(*ast.Select)
		if at := s.Items[0].X.Pos(); !strings.HasPrefix(c.sql[at:], c.near) {
			t.Errorf("%s: position %d", c.sql, at)
		}
	}
	const sql = "SELECT 'äöü'; SELECT x"
	stmts, err := Parse(sql)
	if err != nil {
		t.Fatal(err)
	}
	q, _ := stmts[1].Stmt.(*ast.Query)
	s, _ := q.Body.(*ast.Select)
	if got := stmts[1].Position(s.Items[0].Pos()); got != 22 {
		t.Errorf("position %d, want 22 characters", got)
	}
	if stmts[1].Text != "SELECT x" {
		t.Errorf("text %q", stmts[1].Text)
	}
}

// TestHints checks that a slip of the pen gets its hint.
func TestHints(t *testing.T) {
	for _, c := range []struct{ sql, hint string }{
		{"SELEC 1", "Did you mean SELECT?"},
		{"CRAETE TABLE t (a int)", "Did you mean CREATE?"},
		{"SELECT * FORM t", "Did you mean FROM?"},
		{"SELECT a FORM t", "Did you mean FROM?"},
		{"SELECT * FROM t WERE a = 1", "Did you mean WHERE?"},
		{"SELECT * FROM t GRUOP BY a", "Did you mean GROUP?"},
		{"CREATE STREM s (a int)", "Did you mean STREAM?"},
		{"CREATE MATERIALISED VIEW v AS SELECT 1", "Did you mean MATERIALIZED?"},
		{"SHOW STREAMS LKIE 'a'", "Did you mean LIKE?"},
		{"SELECT a FROM s EMIT CHANGE", "Did you mean CHANGES?"},
		{"CREATE STREAM s (a int) WITH ('a' = 'x.yaml'\n 'b' = 'c')", "A comma may be missing before it."},
		{"CREATE STREAM s (a int) WITH (a = 'x', b = 'y' c = 'z')", "A comma may be missing before it."},
		{"SELECT * FROM s WINDOW TUMBLING(ts)", "Write TUMBLING(time_column, size), for example TUMBLING(ts, 1m)."},
		{"CREATE TABLE t (a int,)", "Remove the comma before it, or add another column."},
		{"SELECT 1m", "Short durations such as 1m stand in time windows and intervals only; elsewhere write INTERVAL '1m'."},
	} {
		_, err := Parse(c.sql)
		if err == nil {
			t.Errorf("%s: accepted", c.sql)
			continue
		}
		if e := asError(t, err); e.Hint != c.hint {
			t.Errorf("%s: %s\n got hint %q\nwant hint %q", c.sql, e.Message, e.Hint, c.hint)
		}
	}
}
