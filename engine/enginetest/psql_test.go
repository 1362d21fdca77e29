package enginetest

import (
	"context"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"velostream/engine"

	"github.com/jackc/pgx/v5/pgconn"
)

// psqlCase is a command of testdata/catalog and what psql prints for it.
type psqlCase struct {
	command string
	want    string
	fails   bool // known to differ on Velostream
}

// TestCatalog runs the commands of testdata/catalog/*.psql through psql, over
// the schema in the .sql file of the same name, or schema.sql: PostgreSQL prints what stands in the file, and
// so does Velostream but for the commands marked !===.
func TestCatalog(t *testing.T) {
	if _, err := exec.LookPath("psql"); err != nil {
		missing(t, "psql")
	}
	files, err := filepath.Glob("../../testdata/catalog/*.psql")
	if err != nil || len(files) == 0 {
		t.Fatalf("no files: %v", err)
	}
	for _, f := range files {
		if !strings.Contains(f, *only) {
			continue
		}
		t.Run(strings.TrimSuffix(filepath.Base(f), ".psql"), func(t *testing.T) {
			cases, schema := readPsql(t, f), schemaOf(t, f)
			t.Run("postgres", func(t *testing.T) {
				p := postgres(t)
				if p == nil {
					missing(t, "PostgreSQL")
				}
				dsn := p.fixed(t, "velostream")
				got := runPsql(t, dsn, schema, cases)
				if *rewrite {
					writePsql(t, f, cases, got)
					return
				}
				comparePsql(t, cases, got, false)
			})
			t.Run("velostream", func(t *testing.T) {
				cases = readPsql(t, f)
				v := Start(t, engine.Options{})
				comparePsql(t, cases, runPsql(t, v.DSN(), schema, cases), true)
			})
		})
	}
}

// schemaOf is what is made before the commands of file are run.
func schemaOf(t *testing.T, file string) string {
	t.Helper()
	b, err := os.ReadFile(strings.TrimSuffix(file, ".psql") + ".sql")
	if os.IsNotExist(err) {
		b, err = os.ReadFile(filepath.Join(filepath.Dir(file), "schema.sql"))
	}
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// fixed makes an empty database of that name.
func (p *Postgres) fixed(t *testing.T, name string) string {
	t.Helper()
	c, err := pgconn.Connect(t.Context(), p.DSN("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(context.Background())
	for _, sql := range []string{"DROP DATABASE IF EXISTS " + name + " (FORCE)", "CREATE DATABASE " + name} {
		if _, err := c.Exec(t.Context(), sql).ReadAll(); err != nil {
			t.Fatal(err)
		}
	}
	return "postgres://velo@/" + name + "?sslmode=disable&host=" + url.QueryEscape(p.dir) + "&port=" + strconv.Itoa(p.port)
}

func readPsql(t *testing.T, file string) []psqlCase {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var out []psqlCase
	for line := range strings.Lines(string(b)) {
		mark, command, ok := strings.Cut(strings.TrimSuffix(line, "\n"), "=== ")
		switch {
		case ok && (mark == "=" || mark == "!"):
			out = append(out, psqlCase{command: command, fails: mark == "!"})
		case len(out) > 0:
			out[len(out)-1].want += line
		}
	}
	for i := range out {
		out[i].want = strings.TrimRight(out[i].want, "\n")
	}
	return out
}

func writePsql(t *testing.T, file string, cases []psqlCase, got []string) {
	t.Helper()
	var b strings.Builder
	for i, c := range cases {
		b.WriteString(map[bool]string{false: "=", true: "!"}[c.fails] + "=== " + c.command + "\n")
		if got[i] != "" {
			b.WriteString(got[i] + "\n")
		}
		b.WriteString("\n")
	}
	if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}

// varying is what no two servers have alike: sizes, and OIDs of what was made.
var varying = regexp.MustCompile(`\b\d+ (bytes|kB|MB|GB)\b`)

// runPsql runs the commands in one psql and returns what each printed.
func runPsql(t *testing.T, dsn, schema string, cases []psqlCase) []string {
	t.Helper()
	var script strings.Builder
	script.WriteString("\\set ON_ERROR_STOP on\n" + schema + "\\set ON_ERROR_STOP off\n\\set VERBOSITY sqlstate\n")
	for _, c := range cases {
		script.WriteString("\\echo '===='\n" + c.command + "\n")
	}
	cmd := exec.CommandContext(t.Context(), "psql", "-X", "-q", "-A", "-d", dsn, "-P", "pager=off", "-P", "null=NULL", "-f", "-")
	cmd.Stdin = strings.NewReader(script.String())
	cmd.Env = append(os.Environ(), "PGOPTIONS=", "LC_ALL=C")
	cmd.Dir = os.TempDir()
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("psql: %v", err)
	}
	parts := strings.Split(string(out), "====\n")
	if len(parts) != len(cases)+1 {
		t.Fatalf("%d commands, %d outputs\n%s", len(cases), len(parts)-1, out)
	}
	for i, p := range parts {
		parts[i] = varying.ReplaceAllString(strings.TrimRight(p, "\n"), "SIZE")
	}
	return parts[1:]
}

func comparePsql(t *testing.T, cases []psqlCase, got []string, ours bool) {
	t.Helper()
	for i, c := range cases {
		switch {
		case got[i] == c.want && ours && c.fails:
			t.Errorf("%s: passes, though marked as failing", c.command)
		case got[i] != c.want && (!ours || !c.fails):
			t.Errorf("%s\n got:\n%s\nwant:\n%s", c.command, got[i], c.want)
		}
	}
}
