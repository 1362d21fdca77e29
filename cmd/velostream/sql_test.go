package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"velostream/cmd/internal/shell"
)

func TestSQLErrors(t *testing.T) {
	p := serving(t, t.TempDir())
	out, errOut, err := p.sql("-c", "SELECT 1 AS one; SELECT nothing; SELECT 2 AS two")
	want := "ERROR:  column \"nothing\" does not exist\nLINE 1: SELECT nothing\n               ^\nSQLSTATE: 42703\n"
	if !errors.Is(err, shell.ErrFailed) || errOut != want || !strings.Contains(out, "one") || strings.Contains(out, "two") {
		t.Errorf("%v\n%s\n%s", err, out, errOut)
	}
	file := filepath.Join(t.TempDir(), "x.sql")
	write(t, file, "-- a\nSELECT 1;\n\nSELECT\n  'ü', nothing;\n", 0o600)
	_, errOut, err = p.sql("-f", file)
	if err == nil || !strings.Contains(errOut, file+":4: ERROR:  column") || !strings.Contains(errOut, "LINE 2:   'ü', nothing\n               ^\n") {
		t.Errorf("%v\n%s", err, errOut)
	}
	if _, _, err := p.sql("-f", "/nonexistent.sql"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("missing file: %v", err)
	}
	if _, errOut, err := p.sql("-c", "COPY t FROM STDIN"); err == nil || !strings.Contains(errOut, "use psql") {
		t.Errorf("copy in: %v %s", err, errOut)
	}
}

func TestSQLReadsStandardInput(t *testing.T) {
	p := serving(t, t.TempDir())
	var out, errOut output
	cmd := newRoot()
	cmd.SetArgs([]string{"sql", "--dsn", p.dsn()})
	cmd.SetIn(strings.NewReader("SELECT 1 AS a;\nSELECT 'x;y' AS b\n"))
	cmd.SetOut(&out)
	cmd.SetErr(&errOut)
	if err := cmd.ExecuteContext(t.Context()); err != nil {
		t.Fatal(err)
	}
	if want := " a\n---\n 1\n(1 row)\n\n  b\n-----\n x;y\n(1 row)\n\n"; out.String() != want {
		t.Errorf("%s\n%s", out.String(), errOut.String())
	}
}

func TestSQLInteractive(t *testing.T) {
	p := serving(t, t.TempDir())
	var out, errOut output
	c, err := shell.Connect(t.Context(), p.dsn(), &out, &errOut)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	in := "\\d\nSELECT 1\n  AS a; SELECT nope;\nSELECT 2 AS b;\n\\q\nSELECT 3 AS c;\n"
	if err := c.Interactive(t.Context(), strings.NewReader(in)); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"velostream=> ", "velostream-> ", " a\n", " b\n"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("missing %q in\n%s", want, out.String())
		}
	}
	if strings.Contains(out.String(), " c\n") || !strings.Contains(errOut.String(), "nope") || !strings.Contains(errOut.String(), "Use psql") {
		t.Errorf("%s\n%s", out.String(), errOut.String())
	}
}

// A continuous query shows its rows as they arise, and ends by a cancel request
// that leaves the connection usable.
func TestSQLStreamsAndCancels(t *testing.T) {
	p := serving(t, t.TempDir())
	if _, errOut, err := p.sql("-c", "CREATE TABLE t (k int PRIMARY KEY); INSERT INTO t VALUES (41)"); err != nil {
		t.Fatalf("%v %s", err, errOut)
	}
	var out, errOut output
	c, err := shell.Connect(t.Context(), p.dsn(), &out, &errOut)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- c.Run(ctx, "SELECT k FROM t EMIT CHANGES", 1) }()
	within(t, "the content", func() bool { return strings.Contains(out.String(), "41") })
	if _, errOut, err := p.sql("-c", "INSERT INTO t VALUES (42)"); err != nil {
		t.Fatalf("%v %s", err, errOut)
	}
	within(t, "the change", func() bool { return strings.Contains(out.String(), "42") })
	cancel()
	began := time.Now()
	if err := <-done; !errors.Is(err, shell.ErrFailed) || !strings.Contains(errOut.String(), "SQLSTATE: 57014") {
		t.Errorf("%v %s", err, errOut.String())
	}
	if took := time.Since(began); took > 2*time.Second {
		t.Errorf("the cancel took %s", took)
	}
	if err := c.Run(t.Context(), "SELECT 'again' AS a", 1); err != nil || !strings.Contains(out.String(), "again") {
		t.Errorf("after the cancel: %v %s", err, errOut.String())
	}
}

func within(t *testing.T, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !is(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s did not come", what)
		}
	}
}

func TestVersion(t *testing.T) {
	var out, errOut output
	if err := Run(t.Context(), []string{"version"}, &out, &errOut); err != nil || !strings.HasPrefix(out.String(), "velostream ") {
		t.Errorf("%v %q", err, out.String())
	}
}
