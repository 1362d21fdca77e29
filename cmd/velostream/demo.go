package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"velostream/cmd/internal/config"
	"velostream/cmd/internal/shell"
	"velostream/engine/option"
	"velostream/testdata/demo"
)

// demoOptions are the flags of the demo.
type demoOptions struct {
	dataDir  string // "": a temporary one
	listen   string
	duration time.Duration // 0: until told to stop
	rate     int           // trades per second
}

func newDemo() *cobra.Command {
	var o demoOptions
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Show a live view over a stream of trades, with nothing else installed",
		Long: `Start a server with an embedded Kafka broker and a generator of trades, deploy
the statements of testdata/demo/demo.sql, and show a continuous query's rows as
they arrive, until Ctrl-C.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if o.rate < 1 || o.rate > 1_000_000 {
				return errors.New("--rate must be 1 to 1000000")
			}
			return runDemo(cmd.Context(), o, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	cmd.Flags().StringVar(&o.dataDir, "data-dir", "", "directory to keep the data in; without it a temporary one, deleted at the end")
	cmd.Flags().StringVar(&o.listen, "listen", config.Default().Listen, "HOST:PORT for PostgreSQL clients; a free port if it is taken")
	cmd.Flags().DurationVar(&o.duration, "duration", 0, "end by itself after this time; also DURATION")
	cmd.Flags().IntVar(&o.rate, "rate", 40, "trades per second")
	cmd.PreRunE = func(cmd *cobra.Command, _ []string) error {
		text, ok := os.LookupEnv("DURATION")
		if !ok || text == "" || cmd.Flags().Changed("duration") {
			return nil
		}
		d, err := time.ParseDuration(text)
		if err != nil {
			return fmt.Errorf("DURATION: %w", err)
		}
		o.duration = d
		return nil
	}
	return cmd
}

// runDemo runs the demo until its time is over, ctx ends, or the process is
// told to stop; all three are its regular end.
func runDemo(ctx context.Context, o demoOptions, stdout, stderr io.Writer) (err error) {
	ctx, stop := untilStopped(ctx)
	defer stop()
	if o.dataDir == "" {
		if o.dataDir, err = os.MkdirTemp("", "velostream-demo-"); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, os.RemoveAll(o.dataDir)) }()
	}
	c := config.Default()
	c.DataDir, c.Listen, c.HTTPListen = o.dataDir, freeIfTaken(ctx, o.listen), freeIfTaken(ctx, c.HTTPListen)
	c.DevKafka, c.DevKafkaTopics = "127.0.0.1:0", []string{"trades", "alerts"}
	c.LogLevel = "error"
	log, err := newLogger(c, stderr)
	if err != nil {
		return err
	}
	s, err := startServer(ctx, c, log)
	if err != nil {
		return err
	}
	serving, end := context.WithCancel(context.WithoutCancel(ctx))
	served := make(chan error, 1)
	go func() { served <- s.Wait(serving) }()
	defer func() {
		end()
		err = errors.Join(err, <-served)
	}()
	return show(ctx, s, o, stdout, stderr)
}

// freeIfTaken is addr, or its host with port 0 if something listens there.
func freeIfTaken(ctx context.Context, addr string) string {
	ln, err := listen(ctx, "listen", addr)
	if err == nil {
		_ = ln.Close() // nobody connected
		return addr
	}
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return addr // Config.Validate says what is wrong with it
	}
	return net.JoinHostPort(host, "0")
}

// show deploys the demo on s and prints the rows of its continuous query.
func show(ctx context.Context, s *server, o demoOptions, stdout, stderr io.Writer) error {
	feed, err := newFeeder(ctx, s.broker.Addr(), o.rate)
	if err != nil {
		return err
	}
	feeding, stopFeed := context.WithCancelCause(ctx)
	var feeder sync.WaitGroup
	feeder.Go(func() { stopFeed(feed.run(feeding)) }) // a failure ends what is shown
	defer func() {
		stopFeed(nil)
		feeder.Wait()
	}()
	host, port, err := net.SplitHostPort(s.Addr())
	if err != nil {
		return err
	}
	dsn := fmt.Sprintf("host=%s port=%s user=velo dbname=velostream sslmode=disable", host, port)
	client, err := shell.Connect(ctx, dsn, stdout, stderr)
	if err != nil {
		return err
	}
	defer func() { _ = client.Close() }() // nothing is left to lose
	say(stdout, "\nvelostream demo: %d trades per second into Kafka topic trades on %s\n\n", o.rate, s.broker.Addr())
	if err := deploy(ctx, client, s.broker.Addr(), stdout); err != nil {
		return err
	}
	say(stdout, `Connect while this runs:
    psql -h %s -p %s -U velo velostream
    %s sql --dsn '%s'
and try:
    SELECT * FROM candles ORDER BY window_start DESC, symbol LIMIT 10;
    SHOW JOBS;
Metrics: http://%s/metrics

`, host, port, filepath.Base(os.Args[0]), dsn, s.HTTPAddr())
	err = watch(feeding, client, o.duration, stdout)
	if why := context.Cause(feeding); ctx.Err() == nil && why != nil {
		return fmt.Errorf("generator: %w", why)
	}
	return err
}

// deploy runs the demo's statements, those that are not there from last time.
func deploy(ctx context.Context, client *shell.Client, broker string, stdout io.Writer) error {
	sql, err := option.Expand(demo.SQL, func(name string) (string, bool) { return broker, name == "BROKERS" })
	if err != nil {
		return err
	}
	say(stdout, "%s\n", strings.TrimSpace(sql))
	say(stdout, "\n")
	return client.RunAll(ctx, sql)
}

// watch prints the continuous query's rows until ctx ends or the duration, 0
// is none, is over.
func watch(ctx context.Context, client *shell.Client, duration time.Duration, stdout io.Writer) error {
	query := strings.TrimSpace(demo.Watch)
	say(stdout, "%s;\n\n", query)
	watching, cancel := context.WithCancel(ctx)
	defer cancel()
	if duration > 0 {
		watching, cancel = context.WithTimeout(watching, duration)
		defer cancel()
	}
	if err := client.Watch(watching, query); watching.Err() == nil {
		return err // it ended by itself
	}
	say(stdout, "\n")
	final, stop := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer stop()
	return client.Run(final, "SHOW JOBS", 1)
}
