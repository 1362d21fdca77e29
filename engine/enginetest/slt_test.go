package enginetest

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"velostream/engine"
)

var (
	usePostgres = flag.String("postgres", "auto", "compare with a real PostgreSQL: auto (where it is on the PATH) or off")
	rewrite     = flag.Bool("rewrite", false, "write what PostgreSQL answers into the files as the expected results")
	only        = flag.String("slt", "", "run only the files whose name holds this")
)

// The one PostgreSQL of a run, started when a test first asks for it.
var judge struct {
	once sync.Once
	pg   *Postgres
	err  error
}

func TestMain(m *testing.M) {
	flag.Parse()
	code := m.Run()
	judge.pg.Stop()
	os.Exit(code)
}

// postgres is the running PostgreSQL, nil where there is none.
func postgres(t testing.TB) *Postgres {
	t.Helper()
	if *usePostgres == "off" {
		return nil
	}
	judge.once.Do(func() { judge.pg, judge.err = StartPostgres(context.Background()) })
	if judge.err != nil {
		t.Fatalf("postgres: %v", judge.err)
	}
	return judge.pg
}

// missing skips a test that needs a program which is not there. Where
// POSTGRES_REQUIRED is set it fails: there everything is to be checked.
func missing(t testing.TB, program string) {
	t.Helper()
	if os.Getenv("POSTGRES_REQUIRED") != "" {
		t.Fatalf("%s is not on the PATH, and POSTGRES_REQUIRED is set", program)
	}
	t.Skip(program + " is not on the PATH")
}

// postgresDatabase makes a database in a real PostgreSQL, and returns how to connect to it.
func postgresDatabase(t testing.TB) (dsn string) {
	t.Helper()
	p := postgres(t)
	if p == nil {
		missing(t, "PostgreSQL")
	}
	dsn, err := p.Database(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return dsn
}

func TestSLT(t *testing.T) {
	files, err := filepath.Glob("../../testdata/slt/*.slt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no files: %v", err)
	}
	for _, f := range files {
		if !strings.Contains(f, *only) {
			continue
		}
		name := strings.TrimSuffix(filepath.Base(f), ".slt")
		t.Run(name, func(t *testing.T) {
			s, err := ReadScript(f)
			if err != nil {
				t.Fatal(err)
			}
			if *rewrite {
				rewriteScript(t, s)
				return
			}
			t.Run("postgres", func(t *testing.T) { onPostgres(t, s, false) })
			t.Run("simple", func(t *testing.T) { onVelostream(t, s, false) })
			t.Run("extended", func(t *testing.T) { onVelostream(t, s, true) })
		})
	}
}

// report turns outcomes into test errors.
func report(t *testing.T, s *Script, out []Outcome, ours bool) {
	t.Helper()
	ran := 0
	for _, o := range out {
		if o.Skipped {
			continue
		}
		ran++
		at := fmt.Sprintf("%s:%d", s.Name, o.Record.Line)
		switch {
		case o.Err != nil && (!ours || !o.Record.Fails):
			t.Errorf("%s: %s\n%v", at, o.Record.SQL, o.Err)
		case o.Err == nil && ours && o.Record.Fails:
			t.Errorf("%s: passes, though marked as failing: %s", at, o.Record.SQL)
		}
	}
	t.Logf("%d records", ran)
}

func onPostgres(t *testing.T, s *Script, ext bool) []Outcome {
	t.Helper()
	dsn := postgresDatabase(t)
	out, err := s.Run(t.Context(), Target{Name: "postgres", DSN: func() string { return dsn }, Extended: ext})
	if err != nil {
		t.Fatal(err)
	}
	if !*rewrite {
		report(t, s, out, false)
	}
	return out
}

func onVelostream(t *testing.T, s *Script, ext bool) []Outcome {
	t.Helper()
	return runOn(t, s, engine.Options{}, ext)
}

func runOn(t *testing.T, s *Script, o engine.Options, ext bool) []Outcome {
	t.Helper()
	v := Start(t, o)
	out, err := s.Run(t.Context(), Target{
		Name: "velostream", DSN: v.DSN, Extended: ext,
		Restart: func() { v.Stop(); v.Start() },
	})
	if err != nil {
		t.Fatal(err)
	}
	if !*rewrite {
		report(t, s, out, true)
	}
	return out
}

// rewriteScript puts PostgreSQL's answers into the file, and ours into the
// records that run on ours only.
func rewriteScript(t *testing.T, s *Script) {
	take := func(out []Outcome, ours bool) {
		for _, o := range out {
			r := o.Record
			onlyOurs := slices.Contains(r.OnlyIf, "velostream") || slices.Contains(r.SkipIf, "postgres")
			if !o.Skipped && onlyOurs == ours {
				takeOutcome(t, s, &o)
			}
		}
	}
	take(onPostgres(t, s, false), false)
	take(onVelostream(t, s, false), true)
	if err := os.WriteFile(s.Name, []byte(s.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}

// takeOutcome makes a record want what came.
func takeOutcome(t *testing.T, s *Script, o *Outcome) {
	r := o.Record
	if r.Kind != Statement && r.Kind != Query && r.Kind != CopyIn && r.Kind != CopyOut {
		return
	}
	at := fmt.Sprintf("%s:%d: %s", s.Name, r.Line, r.SQL)
	if r.Fails && o.SQLErr != nil && !r.WantErr {
		return
	}
	if (o.SQLErr != nil) != r.WantErr {
		t.Errorf("%s\nwants an error: %v, got %v %v", at, r.WantErr, o.SQLErr, o.Err)
		return
	}
	if o.SQLErr != nil {
		r.Code, r.Position = o.SQLErr.Code, int(o.SQLErr.Position)
		return
	}
	r.Tag = o.Tag
	if strings.HasSuffix(o.Tag, " VIEW") {
		r.Tag = ""
	}
	if r.Kind == Query || r.Kind == CopyOut {
		r.Types, r.Want = o.Types, r.arrange(o.Rows)
	}
}
