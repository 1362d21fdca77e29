package enginetest

import (
	"context"
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"velostream/engine"

	"github.com/jackc/pgx/v5/pgconn"
)

// TestWire runs the scripts of testdata/wire: message by message, on PostgreSQL
// where there is one and on Velostream, with the same answers.
func TestWire(t *testing.T) {
	files, err := filepath.Glob("../../testdata/wire/*.wire")
	if err != nil || len(files) == 0 {
		t.Fatalf("no files: %v", err)
	}
	for _, f := range files {
		if !strings.Contains(f, *only) {
			continue
		}
		t.Run(strings.TrimSuffix(filepath.Base(f), ".wire"), func(t *testing.T) {
			s, err := ReadWireScript(f)
			if err != nil {
				t.Fatal(err)
			}
			var got map[int]string
			if *rewrite {
				got = map[int]string{}
			}
			if pg := postgres(t); pg != nil {
				wireOnPostgres(t, s, pg, got)
			}
			v := Start(t, engine.Options{})
			t.Run("velostream", func(t *testing.T) { runWire(t, s, "velostream", "tcp", v.Addr, got) })
			if got != nil {
				if err := s.Rewrite(got); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

// wireOnPostgres runs a script on a new database with the name of ours.
func wireOnPostgres(t *testing.T, s *WireScript, pg *Postgres, got map[int]string) {
	ctx := context.Background()
	c, err := pgconn.Connect(ctx, pg.DSN("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(ctx)
	for _, q := range []string{"DROP DATABASE IF EXISTS velostream WITH (FORCE)", "CREATE DATABASE velostream"} {
		if _, err := c.Exec(ctx, q).ReadAll(); err != nil {
			t.Fatal(err)
		}
	}
	address := filepath.Join(pg.dir, fmt.Sprintf(".s.PGSQL.%d", pg.port))
	t.Run("postgres", func(t *testing.T) { runWire(t, s, "postgres", "unix", address, got) })
}

// runWire runs a script on a server; got, where given, takes the answers of
// PostgreSQL, and ours to what is not for it, instead of comparing them.
func runWire(t *testing.T, s *WireScript, server, network, address string, got map[int]string) {
	conns := map[string]*Wire{}
	defer func() {
		for _, w := range conns {
			w.Close()
		}
	}()
	for i := range s.Steps {
		step := &s.Steps[i]
		if step.Only != "" && step.Only != server {
			continue
		}
		name := ""
		for _, a := range step.Args {
			if v, ok := strings.CutPrefix(a, "on="); ok {
				name = v
			}
		}
		w := conns[name]
		if w == nil || step.Command == "startup" {
			if w != nil {
				w.Close()
			}
			var err error
			if w, err = DialWire(network, address); err != nil {
				t.Fatal(err)
			}
			conns[name] = w
			if step.Command != "startup" {
				if _, err := w.Run(&WireStep{Command: "startup"}); err != nil {
					t.Fatal(err)
				}
			}
		}
		answer, err := w.Run(step)
		if err != nil {
			t.Fatalf("%s:%d: %v", s.Path, step.Line, err)
		}
		if got != nil {
			if step.Only != "" || server == "postgres" {
				got[step.Line] = answer
			}
		} else if !sameWire(answer, step.Want) {
			t.Errorf("%s:%d: %s%s", s.Path, step.Line, strings.Join(step.Input, "; "), wireDiff(answer, step.Want))
		}
	}
}

var wirePosition = regexp.MustCompile(` @\d+ `)

// sameWire compares two answers. An error may have a position where
// PostgreSQL's has none.
func sameWire(got, want string) bool {
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	if len(g) != len(w) {
		return false
	}
	for i := range g {
		if g[i] != w[i] && (wirePosition.MatchString(w[i]) || wirePosition.ReplaceAllString(g[i], " ") != w[i]) {
			return false
		}
	}
	return true
}

// wireDiff shows two answers from where they part.
func wireDiff(got, want string) string {
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	same := 0
	for same < len(g) && same < len(w) && g[same] == w[same] {
		same++
	}
	for len(g) > same && len(w) > same && g[len(g)-1] == w[len(w)-1] {
		g, w = g[:len(g)-1], w[:len(w)-1]
	}
	return fmt.Sprintf("\nafter %d messages got:\n  %s\nwant:\n  %s", same, strings.Join(g[same:], "\n  "), strings.Join(w[same:], "\n  "))
}
