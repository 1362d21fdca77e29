package enginetest

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// Failure is where an Episode went wrong.
type Failure struct {
	Action int // index of the action after which the answers differed
	View   string
	What   string
}

// Run runs the episode on a fresh server and a fresh database of pg (nil:
// without) and returns nil when all answers agreed.
func (e *Episode) Run(t testing.TB, pg *Postgres) (*Failure, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	o := e.Options
	o.DataDir = t.TempDir()
	s := Start(t, o)
	defer s.Stop()
	p := &player{s: s, made: map[string]bool{}}
	defer p.close()
	if pg != nil {
		dsn, err := pg.Database(ctx)
		if err != nil {
			return nil, err
		}
		if p.truth, err = pgconn.Connect(ctx, dsn); err != nil {
			return nil, err
		}
	}
	for _, sql := range e.Schema.Types {
		if f := p.both(ctx, sql); f != "" {
			return &Failure{What: f}, nil
		}
	}
	for _, table := range e.Schema.Tables {
		if f := p.both(ctx, table.SQL); f != "" {
			return &Failure{What: f}, nil
		}
	}
	for i, a := range e.Actions {
		what := p.act(ctx, e.Schema, a)
		view := ""
		if what == "" {
			view, what = p.compare(ctx, e.Schema)
		}
		if what != "" {
			return &Failure{Action: i, View: view, What: what}, nil
		}
	}
	return nil, nil
}

// player is an episode being run.
type player struct {
	s           *Server
	ours, truth *pgconn.PgConn
	made        map[string]bool
}

func (p *player) close() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	for _, c := range []*pgconn.PgConn{p.ours, p.truth} {
		if c != nil {
			_ = c.Close(ctx)
		}
	}
}

// act does one action on both servers; "" is success.
func (p *player) act(ctx context.Context, s *Schema, a Action) string {
	switch {
	case a.Restart:
		if p.ours != nil {
			_ = p.ours.Close(ctx)
			p.ours = nil
		}
		p.s.Stop()
		p.s.Start()
		return ""
	case a.Sleep > 0:
		time.Sleep(a.Sleep)
		return ""
	case a.Create != "":
		for _, v := range s.Views {
			if v.Name != a.Create {
				continue
			}
			p.made[v.Name] = true
			if v.Ours {
				return p.onOurs(ctx, v.SQL)
			}
			return p.both(ctx, v.SQL)
		}
		return "no view " + a.Create
	}
	for _, sql := range a.SQL {
		if what := p.both(ctx, sql); what != "" {
			return what
		}
	}
	return ""
}

func (p *player) conn(ctx context.Context) (*pgconn.PgConn, error) {
	if p.ours != nil && !p.ours.IsClosed() {
		return p.ours, nil
	}
	var err error
	p.ours, err = pgconn.Connect(ctx, p.s.DSN())
	return p.ours, err
}

func (p *player) onOurs(ctx context.Context, sql string) string {
	if _, _, err := p.ask(ctx, sql); err != nil {
		return fmt.Sprintf("%s\n%v", sql, err)
	}
	return ""
}

// ask runs sql on ours within a limit: an answer that does not come is a
// failure too.
func (p *player) ask(ctx context.Context, sql string) (answer, string, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	c, err := p.conn(ctx)
	if err != nil {
		return answer{}, "", err
	}
	return ask(ctx, c, sql)
}

// both runs sql on both and compares tags and errors.
func (p *player) both(ctx context.Context, sql string) string {
	_, tag, err := p.ask(ctx, sql)
	if p.truth == nil {
		if err != nil && code(err) != "23505" && code(err) != "25P02" {
			return fmt.Sprintf("%s\n%v", sql, err)
		}
		return ""
	}
	plain := PlainView(sql)
	_, want, wantErr := ask(ctx, p.truth, plain)
	if code(err) != code(wantErr) || (err != nil && code(err) == "") {
		return fmt.Sprintf("%s\nours: %v\nPostgreSQL: %v", sql, err, wantErr)
	}
	if tag != want && plain == sql {
		return fmt.Sprintf("%s\nours: %s\nPostgreSQL: %s", sql, tag, want)
	}
	return ""
}

func code(err error) string {
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		return e.Code
	}
	return ""
}

type answer struct {
	types string
	rows  []string
}

func ask(ctx context.Context, c *pgconn.PgConn, sql string) (answer, string, error) {
	f, rows, tag, err := simple(ctx, c, sql)
	a := answer{types: typeLetters(f), rows: rows}
	a.normalise()
	return a, tag, err
}

// normalise makes answers comparable: rows sorted, and floating point, whose
// last digits depend on the order of additions, rounded.
func (a *answer) normalise() {
	if strings.ContainsAny(a.types, "Ff") {
		for i, r := range a.rows {
			cells := strings.Split(r, separator)
			if len(cells) != len(a.types) {
				continue
			}
			for j := range cells {
				if a.types[j] == 'F' || a.types[j] == 'f' {
					cells[j] = rounded(cells[j])
				}
			}
			a.rows[i] = strings.Join(cells, separator)
		}
	}
	slices.Sort(a.rows)
}

// unscale takes the zeros from the ends of numerics.
func (a *answer) unscale() {
	for i, r := range a.rows {
		cells := strings.Split(r, separator)
		for j := range cells {
			if len(cells) == len(a.types) && a.types[j] == 'N' && strings.Contains(cells[j], ".") {
				cells[j] = strings.TrimSuffix(strings.TrimRight(cells[j], "0"), ".")
			}
		}
		a.rows[i] = strings.Join(cells, separator)
	}
	slices.Sort(a.rows)
}

func rounded(s string) string {
	x, err := strconv.ParseFloat(s, 64)
	switch {
	case err != nil || math.IsNaN(x) || math.IsInf(x, 0):
		return s
	case math.Abs(x) < 1e-7: // also what is left of a sum that should be zero
		return "0"
	}
	return strconv.FormatFloat(x, 'g', 9, 64)
}

// compare reads each view, runs its query, and asks PostgreSQL.
func (p *player) compare(ctx context.Context, s *Schema) (view, what string) {
	for _, v := range s.Views {
		if !p.made[v.Name] {
			continue
		}
		got, _, err := p.ask(ctx, "SELECT * FROM "+v.Name)
		if err != nil {
			return v.Name, fmt.Sprintf("view cannot be read: %v", err)
		}
		adhoc, _, err := p.ask(ctx, v.Query)
		if err != nil {
			return v.Name, fmt.Sprintf("query cannot be run: %v", err)
		}
		if v.Scale {
			got.unscale()
			adhoc.unscale()
		}
		same := slices.Equal(got.rows, adhoc.rows)
		truth := "-"
		if p.truth != nil && !v.Ours {
			want, _, err := ask(ctx, p.truth, "SELECT * FROM "+v.Name)
			if err != nil {
				return v.Name, fmt.Sprintf("PostgreSQL: %v", err)
			}
			if v.Scale {
				want.unscale()
			}
			same = same && slices.Equal(got.rows, want.rows) && got.types == want.types
			truth = want.types + "\n" + strings.Join(want.rows, "\n")
		}
		if !same {
			return v.Name, fmt.Sprintf("%s\nview: %s\n%s\nquery: %s\n%s\nPostgreSQL: %s", v.SQL, got.types, strings.Join(got.rows, "\n"),
				adhoc.types, strings.Join(adhoc.rows, "\n"), truth)
		}
	}
	return "", ""
}

// Shrink drops actions, views and what else is not needed for the failure,
// for as long as d allows, and returns the smaller episode with its failure.
func (e *Episode) Shrink(t testing.TB, pg *Postgres, f *Failure, d time.Duration) (*Episode, *Failure) {
	end := time.Now().Add(d)
	best, bf := *e, f
	best.Actions = e.Actions[:f.Action+1]
	try := func(actions []Action) bool {
		if time.Now().After(end) {
			return false
		}
		c := best
		c.Actions = actions
		nf, err := c.Run(t, pg)
		if err != nil || nf == nil || nf.View != bf.View {
			return false
		}
		c.Actions = c.Actions[:nf.Action+1]
		best, bf = c, nf
		return true
	}
	for size := max(1, len(best.Actions)/2); ; size /= 2 {
		for i := 0; i < len(best.Actions); {
			if !try(slices.Delete(slices.Clone(best.Actions), i, min(i+size, len(best.Actions)))) {
				i += size
			}
		}
		if size <= 1 {
			break
		}
	}
	for i := 0; i < len(best.Actions); i++ { // statements within transactions
		for j := 0; i < len(best.Actions) && j < len(best.Actions[i].SQL); {
			a := slices.Clone(best.Actions)
			a[i].SQL = slices.Delete(slices.Clone(a[i].SQL), j, j+1)
			if !try(a) {
				j++
			}
		}
	}
	return &best, bf
}

// String is the episode as its log.
func (e *Episode) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s seed %d shards %d epoch %v checkpoint %v memory %d\n", e.Schema.Name, e.Seed, e.Options.Shards,
		e.Options.EpochInterval, e.Options.CheckpointInterval, e.Options.JobMemoryBytes)
	for _, a := range e.Actions {
		b.WriteString("  " + a.String() + "\n")
	}
	return b.String()
}
