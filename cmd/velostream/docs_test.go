package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"

	"velostream/cmd/internal/config"
	"velostream/cmd/internal/shell"
	"velostream/engine"
	"velostream/engine/format/formats"
	"velostream/engine/option"
	"velostream/engine/source"
)

var rewrite = flag.Bool("rewrite", false, "write the generated tables of the documentation anew")

// Files and addresses that the documentation names, and what stands for them
// in the test.
const (
	docBroker = "127.0.0.1:9092"
	docFiles  = "/srv/data/"
)

// TestDocsRun runs every sql block of each page, in order, on a server of the
// page's own. A continuous query runs for a moment and is cancelled.
func TestDocsRun(t *testing.T) {
	for _, page := range []string{"README.md", "docs/sql.md", "docs/connectors.md", "docs/operations.md"} {
		t.Run(page, func(t *testing.T) {
			t.Parallel()
			runPage(t, page)
		})
	}
}

func runPage(t *testing.T, page string) {
	text, err := os.ReadFile(filepath.Join("../..", page))
	if err != nil {
		t.Fatal(err)
	}
	files := t.TempDir() + "/"
	write(t, files+"measured.csv", "station,temperature,at\nOslo,3.5,2026-01-01T00:00:00Z\nRome,14,2026-01-01T00:00:01Z\n", 0o600)
	c := config.Default()
	c.DataDir, c.Listen, c.HTTPListen = t.TempDir(), "127.0.0.1:0", "127.0.0.1:0"
	c.DevKafka, c.DevKafkaTopics = "127.0.0.1:0", []string{"trades"}
	var log output
	logger, err := newLogger(c, &log)
	if err != nil {
		t.Fatal(err)
	}
	s, err := startServer(t.Context(), c, logger)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	defer func() {
		stop()
		if err := s.Wait(ctx); err != nil {
			t.Error(err)
		}
	}()
	var out, errOut output
	client, err := shell.Connect(t.Context(), "postgres://velo@"+s.Addr()+"/velostream?sslmode=disable", &out, &errOut)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	blocks := sqlBlock.FindAllSubmatchIndex(text, -1)
	if len(blocks) == 0 {
		t.Fatal("no sql blocks")
	}
	for _, b := range blocks {
		line := 1 + bytes.Count(text[:b[2]], []byte("\n"))
		sql := strings.NewReplacer(docBroker, s.broker.Addr(), docFiles, files).Replace(string(text[b[2]:b[3]]))
		var split shell.Splitter
		split.Add(psqlCommand.ReplaceAllString(sql, ""))
		for {
			stmt, at, ok := split.Next()
			if !ok {
				break
			}
			if err := runStatement(t.Context(), client, stmt); err != nil {
				t.Errorf("%s:%d: %s\n%s", page, line+at-1, stmt, errOut.String())
				return
			}
		}
		if rest, _, ok := split.Rest(); ok {
			t.Errorf("%s:%d: no semicolon after %s", page, line, rest)
		}
	}
}

var (
	sqlBlock    = regexp.MustCompile("(?ms)^ *```sql\n(.*?)^ *```$")
	psqlCommand = regexp.MustCompile(`(?m)^ *\\set .*$`)
	endless     = regexp.MustCompile(`(?is)^(SELECT|COPY)\b.*\bEMIT CHANGES\b`)
)

func runStatement(ctx context.Context, c *shell.Client, sql string) error {
	if !endless.MatchString(sql) {
		ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
		defer cancel()
		return c.Run(ctx, sql, 1)
	}
	watching, cancel := context.WithTimeout(ctx, 400*time.Millisecond)
	defer cancel()
	if err := c.Run(watching, sql, 1); err != nil && watching.Err() == nil {
		return err
	}
	return ctx.Err()
}

// TestDocsTables keeps the tables of settings and options equal to the code;
// -rewrite writes them.
func TestDocsTables(t *testing.T) {
	tables := map[string]string{
		"settings":        settingsTable(),
		"options: source": optionsTable(source.Specs()),
		"options: format": optionsTable(formats.Options()),
	}
	registry := engine.Connectors()
	for _, name := range registry.Names() {
		c, err := registry.Find(name)
		if err != nil {
			t.Fatal(err)
		}
		tables["options: "+name+" source"] = optionsTable(c.SourceOptions)
		tables["options: "+name+" sink"] = optionsTable(c.SinkOptions)
	}
	marker := regexp.MustCompile(`(?s)<!-- ([a-z: ]+) -->\n(.*?)<!-- end -->`)
	for _, page := range []string{"docs/operations.md", "docs/connectors.md"} {
		name := filepath.Join("../..", page)
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		want := marker.ReplaceAllStringFunc(string(text), func(s string) string {
			which := marker.FindStringSubmatch(s)[1]
			table, ok := tables[which]
			if !ok {
				t.Errorf("%s: no table %q", page, which)
			}
			return "<!-- " + which + " -->\n" + table + "<!-- end -->"
		})
		switch {
		case want == string(text):
		case *rewrite:
			write(t, name, want, 0o644)
		default:
			t.Errorf("%s: tables differ from the code; go test ./cmd/velostream -run TestDocsTables -rewrite", page)
		}
	}
}

func settingsTable() string {
	var b strings.Builder
	b.WriteString("| setting | default | |\n|---|---|---|\n")
	c := config.Default()
	set := pflag.NewFlagSet("", pflag.ContinueOnError)
	set.SortFlags = false
	c.Flags(set)
	set.VisitAll(func(f *pflag.Flag) {
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", strings.ReplaceAll(f.Name, "-", "_"), code(strings.Trim(f.DefValue, "[]")), f.Usage)
	})
	return b.String()
}

func optionsTable(specs []option.Spec) string {
	var b strings.Builder
	b.WriteString("| option | default | |\n|---|---|---|\n")
	for _, s := range specs {
		help := s.Help
		if len(s.Enum) > 0 {
			list := strings.Join(s.Enum, ", ")
			if help != "" {
				list += "; " + help
			}
			help = list
		}
		if len(s.Aliases) > 0 {
			help = strings.TrimPrefix(help+"; also "+code(strings.Join(s.Aliases, "`, `")), "; ")
		}
		def := code(s.Default)
		if s.Required {
			def = "required"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", s.Name, def, strings.ReplaceAll(help, "|", `\|`))
	}
	return b.String()
}

func code(s string) string {
	if s == "" {
		return ""
	}
	return "`" + s + "`"
}

// TestDocsDependencies: each direct dependency has its line.
func TestDocsDependencies(t *testing.T) {
	mod, err := os.ReadFile("../../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile("../../docs/dependencies.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(`(?m)^\t(\S+) v\S+$`).FindAllSubmatch(mod, -1) {
		if !bytes.Contains(page, m[1]) {
			t.Errorf("docs/dependencies.md says nothing of %s", m[1])
		}
	}
}

// TestDocsLinks: files that pages name with their path exist.
func TestDocsLinks(t *testing.T) {
	named := regexp.MustCompile("`((?:\\.\\./)?(?:cmd|engine|storage|pgwire|catalog|testdata|docs)/[A-Za-z0-9_/.-]+\\.(?:go|md|sql|csv))`")
	for _, page := range []string{"README.md", "CONTRIBUTING.md", "docs/README.md", "docs/architecture.md", "docs/sql.md", "docs/connectors.md", "docs/operations.md", "docs/dependencies.md"} {
		text, err := os.ReadFile(filepath.Join("../..", page))
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range named.FindAllSubmatch(text, -1) {
			if _, err := os.Stat(filepath.Join("../..", string(m[1]))); err != nil {
				t.Errorf("%s: %v", page, err)
			}
		}
	}
}
