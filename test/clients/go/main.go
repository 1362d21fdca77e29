// Command clients puts pgx, lib/pq and GORM against a server: a line for each check,
// exit status 1 when one failed. It is a module of its own, so that what it
// needs is not what the server needs.
package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

// env says what to test and how much of it.
type env struct {
	dsn       string
	streaming bool     // the server has continuous queries
	only      string   // a word of the checks to run
	types     []sample // types.tsv
	failed    bool
}

// sample is a value of a type as text.
type sample struct{ kind, text string }

// states maps each SQLSTATE to a statement that ends with it; %s is a table
// whose key 1 is taken.
var states = []struct{ state, sql string }{
	{"23505", "INSERT INTO %s VALUES (1, 'twice')"},
	{"42P01", "SELECT * FROM no_such_relation"},
	{"22P02", "SELECT 'x'::int4"},
	{"22012", "SELECT 1/0"},
	{"42601", "SELEC 1"},
	{"42703", "SELECT no_such_column FROM %s"},
}

// check runs f within 20 s and prints its line.
func (e *env) check(driver, name string, f func(ctx context.Context) error) {
	if !strings.Contains(driver+" "+name, e.only) {
		return
	}
	ctx, done := context.WithTimeout(context.Background(), 20*time.Second)
	defer done()
	if err := f(ctx); err != nil {
		e.failed = true
		fmt.Printf("FAIL %s %s: %s\n", driver, name, strings.Join(strings.Fields(err.Error()), " "))
		return
	}
	fmt.Printf("ok   %s %s\n", driver, name)
}

// same is an error unless got prints as want.
func same(got, want any) error {
	if g, w := fmt.Sprint(got), fmt.Sprint(want); g != w {
		return fmt.Errorf("got %s, want %s", g, w)
	}
	return nil
}

// setup creates the table of a driver with two rows, and an empty one to feed.
func (e *env) setup(ctx context.Context, t, f string) error {
	c, err := pgx.Connect(ctx, e.dsn)
	if err != nil {
		return err
	}
	defer c.Close(ctx)
	for _, name := range []string{t, f} {
		if _, err := c.Exec(ctx, "DROP TABLE IF EXISTS "+name); err != nil {
			return err
		}
		if _, err := c.Exec(ctx, "CREATE TABLE "+name+" (id int PRIMARY KEY, v text)"); err != nil {
			return err
		}
	}
	_, err = c.Exec(ctx, "INSERT INTO "+t+" VALUES (1, 'one'), (2, 'two')")
	return err
}

// feeder inserts rows 1 to 4, one each 250 ms, and knows when.
type feeder struct {
	mu         sync.Mutex
	sent, seen map[int]time.Time
	done       chan error
}

const rowsFed = 4

func (e *env) feed(ctx context.Context, table string) *feeder {
	f := &feeder{sent: map[int]time.Time{}, seen: map[int]time.Time{}, done: make(chan error, 1)}
	go func() {
		f.done <- func() error {
			c, err := pgx.Connect(ctx, e.dsn)
			if err != nil {
				return err
			}
			defer c.Close(ctx)
			time.Sleep(600 * time.Millisecond)
			for i := 1; i <= rowsFed; i++ {
				f.mu.Lock()
				f.sent[i] = time.Now()
				f.mu.Unlock()
				if _, err := c.Exec(ctx, "INSERT INTO "+table+" VALUES ($1, 'row')", i); err != nil {
					return err
				}
				time.Sleep(250 * time.Millisecond)
			}
			return nil
		}()
	}()
	return f
}

// saw notes a row and says whether it was the last.
func (f *feeder) saw(i int) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.seen[i] = time.Now()
	return len(f.seen) == rowsFed
}

// end waits for the feeder: an error unless each row came within a second.
func (e *env) end(ctx context.Context, f *feeder, table string) error {
	if err := <-f.done; err != nil {
		return err
	}
	c, err := pgx.Connect(ctx, e.dsn)
	if err != nil {
		return err
	}
	defer c.Close(ctx)
	if _, err := c.Exec(ctx, "DELETE FROM "+table); err != nil {
		return err
	}
	for i := 1; i <= rowsFed; i++ {
		at, ok := f.seen[i]
		if !ok {
			return fmt.Errorf("row %d did not come", i)
		}
		if late := at.Sub(f.sent[i]); late > time.Second {
			return fmt.Errorf("row %d came %s after its INSERT", i, late)
		}
	}
	return nil
}

func main() {
	e := &env{dsn: os.Getenv("CLIENTS_DSN"), streaming: os.Getenv("CLIENTS_STREAMING") != "0", only: os.Getenv("CLIENTS_ONLY")}
	data, err := os.ReadFile(os.Getenv("CLIENTS_TYPES"))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	for line := range strings.Lines(string(data)) {
		kind, text, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		e.types = append(e.types, sample{kind, text})
	}
	for _, run := range []func() error{e.pgx, e.pq, e.gorm, e.grafana, e.schemas} {
		if err := run(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(2)
		}
	}
	if e.failed {
		os.Exit(1)
	}
}
