package pgcatalog_test

import (
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// TestPsql runs every backslash command of psql that asks the server, and
// compares the headings with those of testdata/psql.headings, which are a
// PostgreSQL 15's.
func TestPsql(t *testing.T) {
	psql, err := exec.LookPath("psql")
	if err != nil {
		t.Skip("psql is not installed")
	}
	s := startWorld(t)
	host, port, err := net.SplitHostPort(s.Addr)
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile("testdata/psql.headings")
	if err != nil {
		t.Fatal(err)
	}
	// One psql runs all commands; a line before each tells them apart.
	var script strings.Builder
	want := map[string]string{}
	var commands []string
	for line := range strings.Lines(string(b)) {
		cmd, heading, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		if cmd == "" || strings.HasPrefix(cmd, "#") {
			continue
		}
		commands = append(commands, cmd)
		want[cmd] = heading
		script.WriteString("\\echo ==== " + strings.ReplaceAll(cmd, "\\", "/") + "\n" + cmd + "\n")
	}
	c := exec.CommandContext(t.Context(), psql, "-X", "-q", "-h", host, "-p", port, "-U", "velo", "-d", "velostream", "-P", "pager=off", "-f", "-")
	c.Stdin = strings.NewReader(script.String())
	c.Env = append(os.Environ(), "PGOPTIONS=", "LC_ALL=C")
	c.Dir = t.TempDir()
	out, err := c.CombinedOutput()
	if err != nil {
		t.Errorf("psql: %v", err)
	}
	parts := strings.Split(string(out), "==== ")
	if len(parts) != len(commands)+1 {
		t.Fatalf("%d commands, %d outputs\n%s", len(commands), len(parts)-1, out)
	}
	for i, cmd := range commands {
		if strings.Contains(parts[i+1], "ERROR") {
			t.Errorf("%s: %s", cmd, parts[i+1])
		}
		if got := heading(parts[i+1]); got != want[cmd] {
			t.Errorf("%s: heading\n got %q\nwant %q", cmd, got, want[cmd])
		}
	}
}

// heading is the line of column names of an aligned table, its cells parted
// by one bar.
func heading(out string) string {
	lines := strings.Split(out, "\n")
	for i := 1; i < len(lines); i++ {
		if strings.HasPrefix(lines[i], "--") && strings.Trim(lines[i], "-+") == "" {
			var cells []string
			for c := range strings.SplitSeq(lines[i-1], "|") {
				cells = append(cells, strings.TrimSpace(c))
			}
			return strings.Join(cells, "|")
		}
	}
	return ""
}
