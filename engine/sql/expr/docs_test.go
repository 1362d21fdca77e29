package expr

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestFunctionsDoc checks that docs/functions.md is what the registry gives;
// -rewrite writes it:
//
//	go test ./engine/sql/expr -run FunctionsDoc -rewrite
func TestFunctionsDoc(t *testing.T) {
	const file = "../../../docs/functions.md"
	var b bytes.Buffer
	b.WriteString("# Functions and operators\n\nMade from the registry (engine/sql/expr) by `go test ./engine/sql/expr -run FunctionsDoc -rewrite`.\n")
	section := func(title string, fns []*Function, result bool) {
		b.WriteString("\n## " + title + "\n\n| Name | Arguments | Result | |\n|---|---|---|---|\n")
		for _, f := range fns {
			_, args, _ := strings.Cut(strings.TrimSuffix(f.Signature(), ")"), "(")
			ret := ""
			if result {
				ret = typeName(f.Ret)
			}
			cell := strings.NewReplacer("|", `\|`, "\n", " ").Replace
			fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", cell(f.Name), cell(args), ret, cell(f.Doc))
		}
	}
	var fns, ops []*Function
	for _, f := range Functions() {
		if f.Operator {
			ops = append(ops, f)
		} else {
			fns = append(fns, f)
		}
	}
	byName := func(x, y *Function) int { return strings.Compare(x.Signature(), y.Signature()) }
	slices.SortFunc(fns, byName)
	slices.SortFunc(ops, byName)
	section("Functions", fns, true)
	section("Functions that return sets of rows", SetFunctions(), true)
	var aggs []*Function
	for _, n := range slices.Sorted(maps.Keys(functions().aggregates)) {
		aggs = append(aggs, functions().aggregates[n]...)
	}
	section("Aggregates", aggs, false)
	section("Operators", ops, true)
	if *rewrite {
		if err := os.WriteFile(file, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	have, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(have, b.Bytes()) {
		t.Errorf("%s is not what the registry gives; run with -rewrite", file)
	}
}

// TestCovered lists the functions that no test data calls: all but those in
// testdata/uncovered, which is to shrink. Functions behind a syntax of their own are
// looked for by that.
func TestCovered(t *testing.T) {
	var text bytes.Buffer
	for _, glob := range []string{"testdata/*.txt", "../../../testdata/slt/*.slt", "../../../testdata/*/*.slt"} {
		files, err := filepath.Glob(glob)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			b, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			text.Write(bytes.ToLower(b))
		}
	}
	called := make(map[string]bool)
	for _, m := range regexp.MustCompile(`([a-z_][a-z0-9_]*)\s*\(`).FindAllSubmatch(text.Bytes(), -1) {
		called[string(m[1])] = true
	}
	for name, form := range bySyntax {
		if regexp.MustCompile(`(?i)` + form).Match(text.Bytes()) {
			called[name] = true
		}
	}
	known, err := os.ReadFile("testdata/uncovered")
	if err != nil && !*rewrite {
		t.Fatal(err)
	}
	exempt := strings.Fields(string(known))
	var missing []string
	for name := range functions().byName {
		fn := functions().byName[name][0]
		if !fn.Operator && !called[name] && !strings.HasPrefix(name, "VARIADIC") {
			missing = append(missing, name)
		}
	}
	slices.Sort(missing)
	if *rewrite {
		if err := os.WriteFile("testdata/uncovered", []byte(strings.Join(missing, "\n")+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	for _, n := range missing {
		if !slices.Contains(exempt, n) {
			t.Errorf("%s: no test data calls it", n)
		}
	}
}

// bySyntax are the forms that stand for functions.
var bySyntax = map[string]string{
	"all_eq": `= all \(`, "all_ge": `>= all \(`, "all_gt": `> all \(`, "all_le": `<= all \(`, "all_lt": `< all \(`, "all_ne": `<> all \(`,
	"all_like": `[^t] like all \(`, "all_ilike": `[^t] ilike all \(`, "all_notlike": `not like all \(`, "all_notilike": `not ilike all \(`,
	"any_eq": `= any \(`, "any_ge": `>= any \(`, "any_gt": `> any \(`, "any_le": `<= any \(`, "any_lt": `< any \(`, "any_ne": `<> any \(`,
	"any_like": `[^t] like any \(`, "any_ilike": `[^t] ilike any \(`, "any_notlike": `not like any \(`, "any_notilike": `not ilike any \(`,
	"array_set": `set a\[\d+\] =`, "array_set_slice": `set a\[\d+:\d+\] =`, "array_get": `\)\[\d+\]`, "array_slice": `\)\[\d*:\d*\]`, "current_catalog": `current_catalog`, "current_date": `current_date`,
	"current_role": `current_role`, "current_user": `current_user`, "session_user": `session_user`, "user": `select user|, user\b`, "localtime": `localtime\b`,
	"json_build_row": `row_to_json\(t\)`, "jsonb_build_row": `to_jsonb\(t\)`, "domain_value": `::posint`, "row_record": `select row\(`, "row_field": `\)\.\w+`, "row_named": `row_to_json\(x\)`, "row_is_null": ` t is null`, "row_is_not_null": ` t is not null`,
}
