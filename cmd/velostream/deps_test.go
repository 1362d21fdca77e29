package main

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// layer says what packages may import of this module. Loosening a line needs a
// decision record in docs/adr; see 0003-import-table.md.
//
// of and imports are paths below the module, split at blanks; "x/..." is x and
// all below it. The first line that has a package decides.
type layer struct{ of, imports string }

var layers = []layer{
	{"pgwire/pgerror", ""},
	{"catalog/types", "pgwire/pgerror catalog/types/jsonpath"},
	{"catalog/types/jsonpath", "pgwire/pgerror"},
	{"catalog catalog/auth", "pgwire/pgerror catalog/..."},
	{"storage/column", "pgwire/pgerror catalog/types"},
	{"storage/...", "pgwire/pgerror catalog/types storage/..."},
	{"pgwire", "pgwire/pgerror catalog/types storage/column"},

	{"engine/option", "pgwire/pgerror"},
	{"engine/sql/ast", ""},
	{"engine/sql/parser", "pgwire/pgerror engine/sql/ast"},
	{"engine/sql/expr/regex", "pgwire/pgerror"},
	{"engine/sql/expr", "pgwire/pgerror catalog/types catalog/types/jsonpath engine/sql/expr/regex storage/column"},
	{"engine/sql/...", "pgwire/pgerror catalog catalog/types engine/sql/..."},
	{"engine/dataflow", "pgwire/pgerror storage/column storage/state"},
	{"engine/operator", "pgwire/pgerror catalog/types storage/column storage/rowenc storage/spool storage/state engine/dataflow engine/sql/expr engine/sql/plan"},
	{"engine/connector/...", "pgwire/pgerror engine/connector engine/option"},
	{"engine/format/...", "pgwire/pgerror catalog/types storage/column engine/format/... engine/option"},
	{"engine/source engine/sink", "pgwire/pgerror catalog/types storage/column storage/state engine/connector engine/format engine/format/formats engine/dataflow engine/option engine/sql/plan"},
	{"engine/cluster", "pgwire/pgerror storage/column storage/rowenc storage/state engine/dataflow"},
	{"engine/job", "pgwire/pgerror catalog catalog/types storage/state storage/checkpoint storage/log storage/table storage/rowenc storage/column engine/sql/plan engine/sql/expr engine/dataflow engine/operator engine/connector engine/format engine/format/formats engine/source engine/sink engine/option"},
	{"engine/query", "pgwire/pgerror catalog/types storage/column storage/rowenc storage/spool storage/state engine/sql/plan engine/sql/expr engine/dataflow engine/operator"},
	{"engine/subscribe", "pgwire/pgerror catalog/types storage/column storage/rowenc engine/job engine/sql/plan engine/sql/expr"},
	{"engine/pgcatalog", "pgwire/pgerror catalog/... storage/column"},
	{"engine/udf", "pgwire/pgerror catalog/types storage/column engine/sql/expr"},
	{"engine/session", "pgwire pgwire/pgerror catalog/... storage/column storage/table storage/rowenc storage/state storage/spool engine/sql/... engine/query engine/subscribe engine/operator engine/dataflow engine/job engine/pgcatalog engine/udf engine/option engine/connector engine/format engine/source engine/sink"},
	{"engine/admin", "pgwire/pgerror"},
	{"engine engine/enginetest engine/recovery", "catalog/... storage/... pgwire/... engine/..."},
	{"cmd/... bench/... test/... testdata/...", "..."},
}

// owners says which packages alone may use a library.
var owners = []struct{ library, of string }{
	{"github.com/auxten/postgresql-parser", "engine/sql/parser"},
	{"github.com/twmb/franz-go/pkg/kfake", "cmd/velostream engine/connector/kafka/kafkatest engine/enginetest bench/..."},
	{"github.com/twmb/franz-go", "engine/connector/kafka engine/connector/kafka/kafkatest engine/enginetest bench/..."},
	{"github.com/cockroachdb/pebble", "storage/state storage/state/statetest"},
	{"go.etcd.io/etcd", "engine/cluster"},
}

// TestImports parses files itself: a test that asks the go command can be
// answered from the cache after a rule was broken.
func TestImports(t *testing.T) {
	const root = "../.."
	for dir, imports := range importsOf(t, root) {
		at := slices.IndexFunc(layers, func(l layer) bool { return listed(dir, l.of) })
		if at < 0 {
			t.Errorf("%s: no line of the table has it", dir)
			continue
		}
		for _, i := range imports {
			if ours, ok := strings.CutPrefix(i, "velostream/"); ok {
				if ours != dir && !listed(ours, layers[at].imports) {
					t.Errorf("%s imports %s; it may import: %s", dir, ours, layers[at].imports)
				}
				continue
			}
			for _, o := range owners {
				if i == o.library || strings.HasPrefix(i, o.library+"/") {
					if !listed(dir, o.of) {
						t.Errorf("%s imports %s, which is for: %s", dir, i, o.of)
					}
					break
				}
			}
		}
	}
}

// TestLayers checks the matching itself.
func TestLayers(t *testing.T) {
	for _, tt := range []struct {
		dir, list string
		want      bool
	}{
		{"engine/sql/ast", "engine/sql/...", true},
		{"engine/sql", "engine/sql/...", true},
		{"engine/sqlx", "engine/sql/...", false},
		{"engine/sql/ast", "engine/sql", false},
		{"engine", "catalog engine", true},
		{"anything", "...", true},
		{"anything", "", false},
	} {
		if got := listed(tt.dir, tt.list); got != tt.want {
			t.Errorf("%s in %q: %v", tt.dir, tt.list, got)
		}
	}
}

func listed(dir, list string) bool {
	for l := range strings.FieldsSeq(list) {
		base, below := strings.CutSuffix(l, "...")
		base = strings.TrimSuffix(base, "/")
		if dir == base || below && (base == "" || strings.HasPrefix(dir, base+"/")) {
			return true
		}
	}
	return false
}

// importsOf lists the imports of each folder's files that are no tests.
func importsOf(t *testing.T, root string) map[string][]string {
	t.Helper()
	out := map[string][]string{}
	files := token.NewFileSet()
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir():
			if base := d.Name(); name != root && (strings.HasPrefix(base, ".") || base == "bin") {
				return fs.SkipDir
			}
			if _, err := os.Stat(filepath.Join(name, "go.mod")); err == nil && name != root {
				return fs.SkipDir // a module of its own
			}
			return nil
		case !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go"):
			return nil
		}
		f, err := parser.ParseFile(files, name, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, filepath.Dir(name))
		if err != nil {
			return err
		}
		dir := path.Clean(filepath.ToSlash(rel))
		for _, s := range f.Imports {
			i, err := strconv.Unquote(s.Path.Value)
			if err != nil {
				return err
			}
			if !slices.Contains(out[dir], i) {
				out[dir] = append(out[dir], i)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(out) < 20 {
		t.Fatalf("only %d packages found below %s", len(out), root)
	}
	return out
}
