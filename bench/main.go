// Command bench measures the server beside hand-written code that does the same
// work (package roofline) and beside PostgreSQL, in one run on one machine, and
// prints a table of ratios. See docs/performance.md.
//
// The server, the Kafka broker and PostgreSQL each are a process of their own,
// so that the processor time of each can be told apart. Servers and brokers are
// this program run again with -child.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// config is what the flags say.
type config struct {
	only     []string
	reps     int
	trades   int
	keys     int
	table    int
	bulk     int
	stations int
	seconds  time.Duration // of each measurement of rate or latency
	out      string
	base     string
	profile  string
	dir      string
	child    string
	quick    bool
	list     bool
}

func parse(args []string) (config, error) {
	var c config
	f := flag.NewFlagSet("bench", flag.ContinueOnError)
	only := f.String("run", "", "comma-separated names of suites to run, or ingest/ and the name of a job; all unless set")
	f.IntVar(&c.reps, "reps", 3, "repetitions of each measurement; the median counts")
	f.IntVar(&c.trades, "trades", 2_000_000, "trades in the Kafka topic")
	f.IntVar(&c.keys, "keys", 1_000_000, "keys of the large GROUP BY and of the restart")
	f.IntVar(&c.table, "table", 100_000, "rows of the table that points are selected from")
	f.IntVar(&c.bulk, "bulk", 1_000_000, "rows of bulk SELECT and COPY")
	f.IntVar(&c.stations, "stations", 10_000_000, "rows of the file of measurements")
	f.DurationVar(&c.seconds, "time", 3*time.Second, "how long rates and latencies are measured")
	f.StringVar(&c.out, "out", "bench/out/latest.json", "where the table goes as JSON")
	f.StringVar(&c.base, "compare", "", "compare the file of -out with this one instead of measuring")
	f.StringVar(&c.profile, "profile", "", "folder for processor profiles of the server")
	f.StringVar(&c.dir, "dir", "", "where data directories are made; the system's place for temporary files unless set")
	f.StringVar(&c.child, "child", "", "used by the program itself")
	f.BoolVar(&c.quick, "quick", false, "small sizes: the whole table in about 90 s")
	f.BoolVar(&c.list, "list", false, "list the suites")
	if err := f.Parse(args); err != nil {
		return c, err
	}
	if c.quick {
		given := map[string]bool{}
		f.Visit(func(x *flag.Flag) { given[x.Name] = true })
		small := func(name string, v *int, to int) {
			if !given[name] {
				*v = to
			}
		}
		small("reps", &c.reps, 1)
		small("trades", &c.trades, 400_000)
		small("keys", &c.keys, 200_000)
		small("table", &c.table, 20_000)
		small("bulk", &c.bulk, 200_000)
		small("stations", &c.stations, 1_000_000)
		if !given["time"] {
			c.seconds = time.Second
		}
	}
	if *only != "" {
		c.only = strings.Split(*only, ",")
	}
	return c, nil
}

// wants reports that a suite is to be run, or a part of it.
func (c *config) wants(suite string) bool {
	return len(c.only) == 0 || slices.ContainsFunc(c.only, func(o string) bool {
		name, _, _ := strings.Cut(o, "/")
		return name == suite
	})
}

// part reports that a part of a suite that is run is to be: -run ingest/keys.
func (c *config) part(suite, name string) bool {
	return len(c.only) == 0 || slices.Contains(c.only, suite) || slices.Contains(c.only, suite+"/"+name)
}

// suite is one group of rows of the table.
type suite struct {
	name, about string
	run         func(ctx context.Context, b *bench) error
}

func suites() []suite {
	return []suite{
		{"ingest", "Kafka JSON to a null sink, to windows, to many keys; join with a table", ingest},
		{"latency", "from produce and INSERT to the row at the client", latency},
		{"point", "SELECT by key and INSERT, beside PostgreSQL", point},
		{"bulk", "many rows out and in, beside PostgreSQL", bulk},
		{"file", "a file of measurements grouped by station", file},
		{"restart", "from start to the first right answer", restart},
		{"memory", "of the server, a job and a connection", memory},
		{"plan", "parse, bind and plan a long query", planning},
	}
}

func run(ctx context.Context, args []string, w io.Writer) error {
	c, err := parse(args)
	if errors.Is(err, flag.ErrHelp) {
		return nil
	}
	if err != nil {
		return err
	}
	switch {
	case c.child != "":
		return child(ctx, c.child, w)
	case c.list:
		for _, s := range suites() {
			fmt.Fprintf(w, "%-10s%s\n", s.name, s.about)
		}
		return nil
	case c.base != "":
		return compare(w, c.base, c.out)
	}
	return measure(ctx, c, w)
}

// measure runs the suites, prints their rows as they come, and writes the
// report.
func measure(ctx context.Context, c config, w io.Writer) error {
	dir, err := os.MkdirTemp(c.dir, "velobench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	b := &bench{config: c, tmp: dir, w: w, report: newReport()}
	defer b.close()
	printHead(w, b.report)
	var failed []error
	for _, s := range suites() {
		if !c.wants(s.name) {
			continue
		}
		if err := s.run(ctx, b); err != nil {
			failed = append(failed, fmt.Errorf("%s: %w", s.name, err))
			fmt.Fprintf(w, "%s: %v\n", s.name, err)
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	if err := os.MkdirAll(filepath.Dir(c.out), 0o755); err != nil {
		return err
	}
	return errors.Join(append(failed, b.report.write(c.out))...)
}

// bench is a run: its settings, what it started, and the rows so far.
type bench struct {
	config
	tmp      string
	w        io.Writer
	report   *report
	postgres *postgres
	closers  []func()
}

// close stops what is still running, last started first.
func (b *bench) close() {
	for _, f := range slices.Backward(b.closers) {
		f()
	}
}

// add prints a row and puts it into the report.
func (b *bench) add(r row) {
	r.judge()
	b.report.Rows = append(b.report.Rows, r)
	printRow(b.w, r)
}
